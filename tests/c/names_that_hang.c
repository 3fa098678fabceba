/* Names whose look-up never ends: each holds one thread, no other name waits for it, an attempt's
 * time-out bounds the wait, and hy_free leaves it behind at once.
 *
 * Needs: a resolver of its own by netdb.h, and /proc */
#include "peer.h"
#include "threads.h"

#include <netdb.h>
#include <pthread.h>
#include <time.h>

enum { NAMES = 64, MESSAGES = 3, ROUNDS = 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static int hanging, asked, let_go;

/* The resolver of this program, in the C library's place: "hang…" hangs until it is let go. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    (void)service;
    (void)hints;
    if (strncmp(node, "hang", 4) == 0) {
        pthread_mutex_lock(&lock);
        hanging++;
        asked++;
        pthread_cond_broadcast(&news);
        while (!let_go)
            pthread_cond_wait(&news, &lock);
        hanging--;
        pthread_cond_broadcast(&news);
        pthread_mutex_unlock(&lock);
        return EAI_AGAIN;
    }
    struct addrinfo *info = calloc(1, sizeof *info + sizeof(struct sockaddr_in));
    if (info == NULL)
        return EAI_MEMORY;
    struct sockaddr_in *address = (struct sockaddr_in *)(void *)(info + 1);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    info->ai_family = AF_INET;
    info->ai_socktype = SOCK_STREAM;
    info->ai_addr = (struct sockaddr *)address;
    info->ai_addrlen = sizeof *address;
    *found = info;
    return 0;
}

void freeaddrinfo(struct addrinfo *info)
{
    free(info);
}

static void await_hanging(int n)
{
    pthread_mutex_lock(&lock);
    while (hanging != n)
        pthread_cond_wait(&news, &lock);
    pthread_mutex_unlock(&lock);
}

static int count(const int *of)
{
    pthread_mutex_lock(&lock);
    int n = *of;
    pthread_mutex_unlock(&lock);
    return n;
}

static void open_the_gate(int open)
{
    pthread_mutex_lock(&lock);
    let_go = open;
    pthread_cond_broadcast(&news);
    pthread_mutex_unlock(&lock);
}

/* "ff" at a name that is found, "h0" … at names that hang. */
static hy_client_t *client_of(const char *sandbox, int names, const char *settings)
{
    static char config[32768];
    char base[64], account[512];
    snprintf(base, sizeof base, "http://well.test%s", strrchr(sandbox, ':'));
    int n = snprintf(config, sizeof config, "{\"v\":1%s,\"accounts\":{\"ff\":%s", settings,
                     fanfou_account(account, base, "fanfou"));
    for (int i = 0; i < names; i++) {
        snprintf(base, sizeof base, "http://hang-%d.test:1", i);
        n += snprintf(config + n, sizeof config - (size_t)n, ",\"h%d\":%s", i,
                      fanfou_account(account, base, "x"));
        CHECK(n < (int)sizeof config);
    }
    snprintf(config + n, sizeof config - (size_t)n, "}}");
    hy_client_t *client = NULL;
    OK(hy_init(config, HY_NTS, &client));
    return client;
}

static void submit_to(hy_client_t *client, int name)
{
    char json[256];
    snprintf(json, sizeof json,
             "{\"v\":1,\"account\":\"h%d\",\"to\":{\"user\":\"lisztli\"},\"text\":\"hello\"}", name);
    submit(client, json, 1);
}

int main(int argc, char **argv)
{
    const char *sandbox = sandbox_of(argc, argv);
    uint64_t unfinished = 0;
    note_threads();

    /* All who ask for a name share its look-up, and a name that is well waits for none of them. */
    hy_client_t *client = client_of(sandbox, NAMES, "");
    for (int i = 0; i < NAMES * MESSAGES; i++)
        submit_to(client, i % NAMES);
    await_hanging(NAMES);
    RESULT(send_json(client, HELLO), HY_SENT, HY_OK);
    CHECK_INT(count(&asked), NAMES);
    CHECK_INT(count(&hanging), NAMES);
    OK(hy_close(client, 0, &unfinished));
    CHECK_INT(unfinished, NAMES * MESSAGES);
    hy_free(client);

    /* They are let go at once, and do not miss what they left. */
    CHECK_INT(count(&hanging), NAMES);
    open_the_gate(1);
    await_hanging(0);
    await_no_threads();
    open_the_gate(0);

    /* The bound only tells a wait for the resolver from none: that was two seconds each. An emulator may take as long. */
    time_t began = time(NULL);
    for (int round = 0; round < ROUNDS; round++) {
        client = client_of(sandbox, 1, "");
        submit_to(client, 0);
        await_hanging(round + 1);
        hy_free(client);
    }
    CHECK(is_emulated(argv) || time(NULL) - began < ROUNDS);
    CHECK_INT(count(&hanging), ROUNDS);

    /* An attempt waits for a name no longer than for anything else. */
    client = client_of(sandbox, 1, ",\"timeout_ms\":200,\"retry\":{\"max_attempts\":2,\"initial_ms\":1}");
    hy_result_t *result = send_json(client, "{\"v\":1,\"account\":\"h0\",\"to\":{\"user\":\"u\"},"
                                            "\"text\":\"t\"}");
    IS(result, HY_NOT_SENT, HY_E_TIMEOUT);
    CHECK_HAS(hy_result_json(result, NULL), "\"attempts\":2");
    CHECK_INT(count(&hanging), ROUNDS + 1);
    hy_result_free(result);
    hy_free(client);
    open_the_gate(1);
    await_hanging(0);
    await_no_threads();
    return 0;
}
