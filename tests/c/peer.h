/* Clients of the sandbox and of the hostile server, and a look at what those two have seen. */
#ifndef PEER_H
#define PEER_H

#include "check.h"
#include "system.h"

#define HELLO "{\"v\":1,\"account\":\"ff\",\"to\":{\"user\":\"lisztli\"},\"text\":\"hello\"}"

/* Never due while a test runs. */
#define FAR_AWAY_MS "4000000000000"
#define HELLO_LATER                                                                     \
    "{\"v\":1,\"account\":\"ff\",\"to\":{\"user\":\"lisztli\"},\"text\":\"later\","     \
    "\"not_before_ms\":" FAR_AWAY_MS "}"

static inline const char *sandbox_of(int argc, char **argv)
{
    CHECK(argc >= 4);
    return argv[1];
}

static inline const char *hostile_of(int argc, char **argv)
{
    CHECK(argc >= 4);
    return argv[2];
}

static inline int is_under_valgrind(char **argv)
{
    return strcmp(argv[3], "valgrind") == 0;
}

/* By an emulator of another processor, which keeps the masks of signals itself. */
static inline int is_emulated(char **argv)
{
    return strcmp(argv[3], "emulated") == 0;
}

/* Under valgrind every thread but one sleeps, wherever it is. */
static inline int sleep_can_be_seen(char **argv)
{
    return SLEEP_CAN_BE_SEEN && !is_under_valgrind(argv);
}

/* A Fanfou account with this base URL: "BASE/path". */
static inline const char *fanfou_account(char out[512], const char *base, const char *path)
{
    int n = snprintf(out, 512,
                     "{\"service\":\"fanfou\",\"auth\":{\"type\":\"basic\",\"username\":\"test\","
                     "\"password\":\"pwd\"},\"base_url\":\"%s/%s\"}",
                     base, path);
    CHECK(n > 0 && n < 512);
    return out;
}

/* A client with one Fanfou account "ff"; `settings` are more config fields, each led by a comma. */
static inline hy_client_t *client_at(const char *base, const char *path, const char *settings)
{
    char account[512], config[2048];
    int n = snprintf(config, sizeof config, "{\"v\":1,\"accounts\":{\"ff\":%s}%s}",
                     fanfou_account(account, base, path), settings);
    CHECK(n > 0 && n < (int)sizeof config);
    hy_client_t *client = NULL;
    OK(hy_init(config, (size_t)n, &client));
    CHECK(client != NULL);
    return client;
}

/* A client of the sandbox with two accounts: "ff" (Fanfou) and "im" (Tencent). */
static inline hy_client_t *client_of_two(const char *sandbox, const char *settings)
{
    char account[512], config[2048];
    int n = snprintf(config, sizeof config,
                     "{\"v\":1,\"accounts\":{\"ff\":%s,\"im\":{\"service\":\"tencent_im\","
                     "\"auth\":{\"type\":\"usersig\",\"sdk_app_id\":1400000000,"
                     "\"identifier\":\"administrator\",\"secret_key\":"
                     "\"5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e\"},"
                     "\"base_url\":\"%s/tencent_im\"}}%s}",
                     fanfou_account(account, sandbox, "fanfou"), sandbox, settings);
    CHECK(n > 0 && n < (int)sizeof config);
    hy_client_t *client = NULL;
    OK(hy_init(config, (size_t)n, &client));
    CHECK(client != NULL);
    return client;
}

static inline hy_result_t *send_json(hy_client_t *client, const char *json)
{
    hy_result_t *result = NULL;
    OK(hy_send_json(client, json, HY_NTS, PATIENCE_MS, &result));
    CHECK(result != NULL);
    return result;
}

static inline void submit(hy_client_t *client, const char *json, uint64_t token)
{
    OK(hy_submit_json(client, json, HY_NTS, token, NULL));
}

/* The next result of the queue. */
static inline hy_result_t *next_result(hy_client_t *client)
{
    hy_result_t *result = NULL;
    OK(hy_wait(client, PATIENCE_MS, &result));
    CHECK(result != NULL);
    return result;
}

static inline hy_queue_t *queue_of(hy_client_t *client)
{
    hy_queue_t *queue = NULL;
    OK(hy_queue_new(client, &queue));
    CHECK(queue != NULL);
    return queue;
}

static inline void submit_into(hy_client_t *client, hy_queue_t *queue, const char *json,
                             uint64_t token)
{
    OK(hy_submit_to(client, queue, json, HY_NTS, NULL, 0, token, NULL));
}

/* The next result of a queue of its own. */
static inline hy_result_t *next_of(hy_queue_t *queue)
{
    hy_result_t *result = NULL;
    size_t count = 0;
    OK(hy_queue_wait_many(queue, PATIENCE_MS, &result, 1, &count));
    CHECK_INT(count, 1);
    CHECK(result != NULL);
    return result;
}

/* There is nothing in the queue now. */
static inline void nothing_in(hy_queue_t *queue)
{
    hy_result_t *result = UNTOUCHED;
    size_t count = 77;
    OK(hy_queue_wait_many(queue, 0, &result, 1, &count));
    CHECK_INT(count, 0);
    CHECK(result == UNTOUCHED);
}

/* The queue's client is closed, and all was taken. */
static inline void ended(hy_queue_t *queue)
{
    hy_result_t *result = UNTOUCHED;
    size_t count = 77;
    FAILS(hy_queue_wait_many(queue, -1, &result, 1, &count), HY_E_CLOSED);
    CHECK(result == UNTOUCHED && count == 77);
}

/* A page of either server, which is the caller's to free. */
static inline char *http_get(const char *base, const char *path)
{
    const char *colon = strrchr(base, ':');
    CHECK(strncmp(base, "http://127.0.0.1:", 17) == 0 && colon != NULL);

    struct sockaddr_in to;
    memset(&to, 0, sizeof to);
    to.sin_family = AF_INET;
    to.sin_port = htons((uint16_t)atoi(colon + 1));
    CHECK_INT(inet_pton(AF_INET, "127.0.0.1", &to.sin_addr), 1);
    socket_t fd = stream_socket();
    CHECK_INT(connect(fd, (struct sockaddr *)&to, sizeof to), 0);

    char request[256];
    int n = snprintf(request, sizeof request, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", path,
                     base + 7);
    CHECK(n > 0 && n < (int)sizeof request);
    CHECK_INT(write_socket(fd, request, (size_t)n), n);

    size_t have = 0, room = 1 << 12;
    char *answer = malloc(room);
    for (;;) {
        CHECK(answer != NULL);
        ptrdiff_t got = read_socket(fd, answer + have, room - have - 1);
        CHECK(got >= 0);
        if (got == 0)
            break;
        have += (size_t)got;
        if (room - have < 2)
            answer = realloc(answer, room *= 2);
    }
    close_socket(fd);
    answer[have] = '\0';
    CHECK(strncmp(answer, "HTTP/1.", 7) == 0 && answer[9] == '2');
    char *start = strstr(answer, "\r\n\r\n");
    CHECK(start != NULL);
    start += 4;
    memmove(answer, start, strlen(start) + 1);
    return answer;
}

/* How many messages the hostile server has read under this path: "hang", "count", ... */
static inline int hostile_count(const char *hostile, const char *behaviour)
{
    char path[64];
    snprintf(path, sizeof path, "/%s/_n", behaviour);
    char *text = http_get(hostile, path);
    int n = atoi(text);
    free(text);
    return n;
}

/* Comes back once the hostile server has read that many; the time bound is the program's own. */
static inline void await_count(const char *hostile, const char *behaviour, int n)
{
    while (hostile_count(hostile, behaviour) < n)
        sched_yield();
}

/* Answers whatever came to "/hold" so far and all that comes later. */
static inline void release_held(const char *hostile)
{
    free(http_get(hostile, "/hold/_release"));
}

/* What the sandbox has delivered, as JSON; the caller frees it. */
static inline char *delivered(const char *sandbox)
{
    return http_get(sandbox, "/_/messages");
}

static inline int occurrences(const char *whole, const char *inside)
{
    int n = 0;
    for (const char *at = whole; (at = strstr(at, inside)) != NULL; at += strlen(inside))
        n++;
    return n;
}

#endif
