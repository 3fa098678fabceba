/* hy_set_log: levels, a replaced callback is never called again, and what it may not do. */
#include "peer.h"

#include <pthread.h>

typedef struct {
    pthread_mutex_t lock;
    hy_client_t *client;
    hy_queue_t *queue;
    int calls, above, leaks, retired, after_retirement, misused;
    int32_t max_level;
} listener;

/* Words that are in the traffic of this test and have no place in a log. */
static const char *const private_words[] = {"pwd-7d0f", "words of love"};

static void listen_in(void *user, int32_t level, const char *target, const char *text)
{
    listener *l = user;
    pthread_mutex_lock(&l->lock);
    l->calls++;
    l->above += level > l->max_level || level < HY_LOG_ERROR;
    l->after_retirement += l->retired;
    l->misused += target == NULL || target[0] == '\0' || text == NULL || text[0] == '\0';
    for (int i = 0; i < 2; i++)
        l->leaks += text != NULL && strstr(text, private_words[i]) != NULL;
    pthread_mutex_unlock(&l->lock);
}

/* Checks inside the library's own call: what takes a client answers `reentrant`. */
static void call_back_in(void *user, int32_t level, const char *target, const char *text)
{
    listener *l = user;
    hy_result_t *result = UNTOUCHED;
    char *stats = UNTOUCHED;
    uint64_t unfinished = 77;
    (void)level, (void)target, (void)text;

    FAILS(hy_stats_json(l->client, &stats, NULL), HY_E_REENTRANT);
    FAILS(hy_send_json(l->client, HELLO, HY_NTS, -1, &result), HY_E_REENTRANT);
    FAILS(hy_submit_json(l->client, HELLO, HY_NTS, 1, NULL), HY_E_REENTRANT);
    FAILS(hy_wait(l->client, -1, &result), HY_E_REENTRANT);
    FAILS(hy_flush(l->client, -1, &unfinished), HY_E_REENTRANT);
    FAILS(hy_close(l->client, -1, &unfinished), HY_E_REENTRANT);
    hy_queue_t *queue = UNTOUCHED;
    size_t count = 77;
    intptr_t handle = -1;
    FAILS(hy_queue_new(l->client, &queue), HY_E_REENTRANT);
    FAILS(hy_submit_to(l->client, l->queue, HELLO, HY_NTS, NULL, 0, 1, NULL), HY_E_REENTRANT);
    FAILS(hy_queue_wait_many(l->queue, -1, &result, 1, &count), HY_E_REENTRANT);
    FAILS(hy_queue_poll_handle(l->queue, &handle), HY_E_REENTRANT);
    hy_queue_interrupt(l->queue);
    hy_queue_free(l->queue);
    CHECK(queue == UNTOUCHED && count == 77 && handle == -1);
    CHECK(result == UNTOUCHED && stats == UNTOUCHED && unfinished == 77);

    /* What takes none is allowed. */
    CHECK_INT(hy_abi_version(), HY_ABI_VERSION);
    pthread_mutex_lock(&l->lock);
    l->calls++;
    pthread_mutex_unlock(&l->lock);
}

static volatile int stopping;

static void *make_noise(void *client)
{
    while (!stopping) {
        hy_result_free(send_json(client, HELLO));
        submit(client, "{\"v\":1,\"account\":\"absent\"}", 1);
        hy_result_free(next_result(client));
    }
    return NULL;
}

static void levels_and_secrets(const char *sandbox)
{
    static listener all = {.lock = PTHREAD_MUTEX_INITIALIZER, .max_level = HY_LOG_TRACE};
    static listener few = {.lock = PTHREAD_MUTEX_INITIALIZER, .max_level = HY_LOG_ERROR};
    static const char *const messages[] = {
        "{\"v\":1,\"account\":\"a\",\"to\":{\"user\":\"lisztli\"},\"text\":\"words of love\"}",
        "{\"v\":1,\"account\":\"absent\",\"to\":{\"user\":\"x\"},\"text\":\"words of love\"}"};
    char config[512];
    hy_client_t *client = NULL;

    snprintf(config, sizeof config,
             "{\"v\":1,\"accounts\":{\"a\":{\"service\":\"fanfou\",\"auth\":{\"type\":\"basic\","
             "\"username\":\"test\",\"password\":\"pwd-7d0f\"},\"base_url\":\"%s/fanfou\"}}}",
             sandbox);
    listener *const listeners[] = {&all, &few};
    for (int i = 0; i < 2; i++) {
        OK(hy_set_log(listeners[i]->max_level, listen_in, listeners[i]));
        OK(hy_init(config, HY_NTS, &client));
        for (int m = 0; m < 2; m++) {
            hy_result_free(send_json(client, messages[m]));
            submit(client, messages[m], 1);
            hy_result_free(next_result(client));
        }
        hy_free(client);
        OK(hy_set_log(0, NULL, NULL));
        CHECK_INT(listeners[i]->above, 0);
        CHECK_INT(listeners[i]->leaks, 0);
        CHECK_INT(listeners[i]->misused, 0);
    }
    CHECK(all.calls > few.calls);
}

int main(int argc, char **argv)
{
    const char *sandbox = sandbox_of(argc, argv);
    static listener listeners[20];
    static listener inside = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t noise;

    FAILS(hy_set_log(-1, listen_in, &inside), HY_E_ARGUMENT);
    FAILS(hy_set_log(HY_LOG_TRACE + 1, listen_in, &inside), HY_E_ARGUMENT);
    levels_and_secrets(sandbox);

    /* Once hy_set_log is back, the one before it is never called again. */
    hy_client_t *client = client_at(sandbox, "fanfou", "");
    for (int i = 0; i < 20; i++) {
        CHECK_INT(pthread_mutex_init(&listeners[i].lock, NULL), 0);
        listeners[i].max_level = HY_LOG_TRACE;
    }
    CHECK_INT(pthread_create(&noise, NULL, make_noise, client), 0);
    for (int i = 0; i <= 20; i++) {
        if (i < 20)
            OK(hy_set_log(HY_LOG_TRACE, listen_in, &listeners[i]));
        else
            OK(hy_set_log(0, NULL, NULL));
        if (i > 0) {
            pthread_mutex_lock(&listeners[i - 1].lock);
            listeners[i - 1].retired = 1;
            pthread_mutex_unlock(&listeners[i - 1].lock);
        }
        for (int calls = 0; i < 20 && calls == 0;) {
            pthread_mutex_lock(&listeners[i].lock);
            calls = listeners[i].calls;
            pthread_mutex_unlock(&listeners[i].lock);
            sched_yield();
        }
    }
    stopping = 1;
    CHECK_INT(pthread_join(noise, NULL), 0);
    for (int i = 0; i < 20; i++)
        CHECK_INT(listeners[i].after_retirement, 0);

    /* On the caller's thread and on the library's. */
    inside.client = client;
    inside.queue = queue_of(client);
    OK(hy_set_log(HY_LOG_TRACE, call_back_in, &inside));
    RESULT(send_json(client, HELLO), HY_SENT, HY_OK);
    submit(client, HELLO, 1);
    RESULT(next_result(client), HY_SENT, HY_OK);
    OK(hy_set_log(0, NULL, NULL));
    CHECK(inside.calls > 0);
    /* It was neither interrupted nor freed in there. */
    submit_into(client, inside.queue, HELLO, 2);
    RESULT(next_of(inside.queue), HY_SENT, HY_OK);
    hy_queue_free(inside.queue);

    /* Silent again, and the client as good as ever. */
    int calls = inside.calls;
    RESULT(send_json(client, HELLO), HY_SENT, HY_OK);
    CHECK_INT(inside.calls, calls);
    hy_free(client);
    return 0;
}
