/* hy_flush, hy_close and hy_free: what they wait for, what they cut, what they count. */
#include "peer.h"

#include <pthread.h>

static void *wait_until_closed(void *client)
{
    for (;;) {
        hy_result_t *result = NULL;
        hy_error_t *error = hy_wait(client, -1, &result);
        if (error != NULL) {
            CHECK_INT(hy_error_code(error), HY_E_CLOSED);
            hy_error_free(error);
            return NULL;
        }
        RESULT(result, HY_SENT, HY_OK);
    }
}

/* May come to the client when it is closed already, and be told so. */
static void *flush_for_ever(void *client)
{
    uint64_t unfinished = 0;
    hy_error_t *error = hy_flush(client, -1, &unfinished);
    CHECK(error == NULL || hy_error_code(error) == HY_E_CLOSED);
    CHECK_INT(unfinished, 0);
    hy_error_free(error);
    return NULL;
}

static void *close_for_ever(void *client)
{
    uint64_t unfinished = 77;
    OK(hy_close(client, -1, &unfinished));
    CHECK_INT(unfinished, 0);
    return NULL;
}

/* Time 0: what is in flight is cut, what waits is dropped, and each still has its result. */
static void close_at_once(const char *hostile)
{
    char account[512];
    hy_client_t *client = client_at(hostile, "hang", "");
    uint64_t unfinished = 77;
    hy_result_t *result = UNTOUCHED;
    int32_t delivery[4] = {-1, -1, -1, -1};

    submit(client, HELLO, 1);
    submit(client, HELLO_LATER, 2);
    submit(client, "{\"v\":1,\"account\":\"absent\",\"to\":{\"user\":\"x\"},\"text\":\"t\"}", 3);
    await_count(hostile, "hang", 1);
    OK(hy_close(client, 0, &unfinished));
    CHECK_INT(unfinished, 2);
    OK(hy_close(client, -1, &unfinished));
    CHECK_INT(unfinished, 0);

    /* No more work; the results stay to be taken, without waiting; then `closed`. */
    FAILS(hy_submit_json(client, HELLO, HY_NTS, 4, NULL), HY_E_CLOSED);
    FAILS(hy_send_json(client, HELLO, HY_NTS, -1, &result), HY_E_CLOSED);
    FAILS(hy_account_set(client, "x", 1, fanfou_account(account, hostile, "hang"), HY_NTS),
          HY_E_CLOSED);
    for (int i = 0; i < 3; i++) {
        OK(hy_wait(client, 0, &result));
        CHECK(result != NULL);
        uint64_t token = hy_result_token(result);
        CHECK(token >= 1 && token <= 3 && delivery[token] == -1);
        delivery[token] = hy_result_delivery(result);
        if (token != 3)
            CHECK(hy_result_error(result) != NULL);
        hy_result_free(result);
    }
    CHECK_INT(delivery[1], HY_MAYBE_SENT);
    CHECK_INT(delivery[2], HY_NOT_SENT);
    CHECK_INT(delivery[3], HY_NOT_SENT);
    FAILS(hy_wait(client, 0, &result), HY_E_CLOSED);
    FAILS(hy_wait(client, -1, &result), HY_E_CLOSED);
    hy_free(client);
}

/* A close with time waits for what is on its way. */
static void close_in_peace(const char *hostile)
{
    hy_client_t *client = client_at(hostile, "hold", "");
    pthread_t closer, flusher, waiter;

    submit(client, HELLO, 1);
    await_count(hostile, "hold", 1);
    CHECK_INT(pthread_create(&flusher, NULL, flush_for_ever, client), 0);
    CHECK_INT(pthread_create(&closer, NULL, close_for_ever, client), 0);
    CHECK_INT(pthread_create(&waiter, NULL, wait_until_closed, client), 0);
    release_held(hostile);
    CHECK_INT(pthread_join(closer, NULL), 0);
    CHECK_INT(pthread_join(flusher, NULL), 0);
    CHECK_INT(pthread_join(waiter, NULL), 0);
    hy_free(client);
}

static void *send_into_the_void(void *client)
{
    hy_result_t *result = NULL;
    hy_error_t *error = hy_send_json(client, HELLO, HY_NTS, -1, &result);
    if (error == NULL) {
        CHECK_INT(hy_result_delivery(result), HY_MAYBE_SENT);
        hy_result_free(result);
    } else {
        CHECK_INT(hy_error_code(error), HY_E_CLOSED);
        hy_error_free(error);
    }
    return NULL;
}

/* hy_free with nothing closed before it, and a caller inside. */
static void free_while_sending(const char *hostile)
{
    int before = hostile_count(hostile, "hang");
    hy_client_t *client = client_at(hostile, "hang", "");
    pthread_t sender;

    CHECK_INT(pthread_create(&sender, NULL, send_into_the_void, client), 0);
    await_count(hostile, "hang", before + 1);
    submit(client, HELLO, 1);
    hy_free(client);
    CHECK_INT(pthread_join(sender, NULL), 0);
}

int main(int argc, char **argv)
{
    const char *sandbox = sandbox_of(argc, argv), *hostile = hostile_of(argc, argv);
    uint64_t unfinished = 77;
    hy_result_t *result = NULL;

    /* Never used: closes and frees. */
    hy_free(client_at(sandbox, "fanfou", ""));
    hy_client_t *client = client_at(sandbox, "fanfou", "");
    OK(hy_flush(client, -1, &unfinished));
    CHECK_INT(unfinished, 0);
    OK(hy_close(client, -1, &unfinished));
    CHECK_INT(unfinished, 0);
    FAILS(hy_wait(client, -1, &result), HY_E_CLOSED);
    hy_free(client);

    /* The count may be of no interest. */
    client = client_at(sandbox, "fanfou", "");
    OK(hy_flush(client, 0, NULL));
    OK(hy_close(client, 0, NULL));
    hy_free(client);

    close_at_once(hostile);
    close_in_peace(hostile);
    free_while_sending(hostile);
    return 0;
}
