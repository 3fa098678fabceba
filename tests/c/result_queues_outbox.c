/* Queues of their own beside an outbox: what is kept reports where it was submitted, and in a later run
 * to the client. */
#include "peer.h"

static char folder[64];

static hy_error_t *begin(const char *base, const char *path, const char *name, const char *settings,
                         hy_client_t **out)
{
    char account[512], config[2048];
    int n = snprintf(config, sizeof config,
                     "{\"v\":1,\"accounts\":{\"ff\":%s},\"outbox\":{\"path\":\"%s-%s.db\"}%s}",
                     fanfou_account(account, base, path), folder, name, settings);
    CHECK(n > 0 && n < (int)sizeof config);
    return hy_init(config, (size_t)n, out);
}

static hy_client_t *client_of(const char *base, const char *path, const char *name,
                              const char *settings)
{
    hy_client_t *client = NULL;
    OK(begin(base, path, name, settings, &client));
    return client;
}

static void acknowledge(hy_client_t *client, hy_result_t *result)
{
    OK(hy_result_ack(client, result));
    hy_result_free(result);
}

/* Whatever way a message takes through the outbox: from memory, from the disk, behind another of its
 * key, refused, cancelled. */
static void every_way_leads_back(const char *hostile)
{
    enum { N = 6 };
    hy_client_t *client = client_of(hostile, "hold", "ways", ",\"max_in_flight\":1");
    hy_queue_t *queue = queue_of(client), *other = queue_of(client);
    hy_op_t *op = NULL;
    int seen[N] = {0};
    static const char *const keyed =
        "{\"v\":1,\"account\":\"ff\",\"to\":{\"user\":\"lisztli\"},\"text\":\"k\",\"key\":\"k\"}";

    submit_into(client, queue, keyed, 0);
    /* No room in memory: these wait on the disk, the first behind its key. */
    submit_into(client, queue, keyed, 1);
    submit_into(client, queue, HELLO, 2);
    submit_into(client, queue, "no message", 3);
    OK(hy_submit_to(client, queue, HELLO_LATER, HY_NTS, "{\"durable\":true}", HY_NTS, 4, &op));
    submit_into(client, queue, "{\"v\":1,\"account\":\"nobody\"}", 5);
    submit_into(client, other, HELLO, 77);
    hy_op_cancel(op);
    hy_op_free(op);
    release_held(hostile);
    for (int i = 0; i < N; i++) {
        static const int32_t code[N] = {HY_OK,         HY_OK,          HY_OK,
                                        HY_E_ARGUMENT, HY_E_CANCELLED, HY_E_MESSAGE};
        hy_result_t *result = next_of(queue);
        uint64_t token = hy_result_token(result);
        CHECK(token < N);
        seen[token]++;
        CHECK_INT(hy_result_is_deduplicated(result), token == 1);
        CHECK_INT(hy_result_origin(result), HY_THIS_RUN);
        IS(result, code[token] == HY_OK ? HY_SENT : HY_NOT_SENT, code[token]);
        acknowledge(client, result);
    }
    for (int i = 0; i < N; i++)
        CHECK_INT(seen[i], 1);
    hy_result_t *result = next_of(other);
    CHECK(hy_result_token(result) == 77);
    acknowledge(client, result);
    nothing_in(queue);
    OK(hy_wait(client, 0, &result));
    CHECK(result == NULL);
    hy_queue_free(other);
    hy_queue_free(queue);
    hy_free(client);

    /* All were acknowledged: nothing is left. */
    client = client_of(hostile, "hold", "ways", "");
    OK(hy_flush(client, -1, &(uint64_t){0}));
    OK(hy_close(client, -1, &(uint64_t){0}));
    FAILS(hy_wait(client, -1, &result), HY_E_CLOSED);
    hy_free(client);
}

/* Its time is kept with a message, as its deadline. */
static void a_time_out_is_a_deadline(const char *hostile)
{
    hy_client_t *client = client_of(hostile, "reset", "time", "");
    hy_queue_t *queue = queue_of(client);
    static const char *const options[] = {"{\"timeout_ms\":0}", "{\"timeout_ms\":1}"};

    for (int i = 0; i < 2; i++) {
        OK(hy_submit_to(client, queue, i ? HELLO_LATER : HELLO, HY_NTS, options[i], HY_NTS, 1, NULL));
        hy_result_t *result = next_of(queue);
        IS(result, HY_NOT_SENT, HY_E_EXPIRED);
        acknowledge(client, result);
    }
    CHECK_INT(hostile_count(hostile, "reset"), 0);
    hy_queue_free(queue);
    hy_free(client);
}

/* What a queue was freed with, and what it was closed on, comes out of the client in a later run. */
static void a_later_run_has_the_client_only(const char *sandbox, const char *hostile)
{
    hy_client_t *client = client_of(hostile, "count", "later", "");
    hy_queue_t *queue = queue_of(client);
    hy_op_t *op = NULL;

    submit_into(client, queue, HELLO, 1);
    OK(hy_flush(client, -1, &(uint64_t){0}));
    hy_queue_free(queue);
    queue = queue_of(client);
    submit_into(client, queue, HELLO_LATER, 2);
    /* Not kept: its result is there when the client closes. */
    OK(hy_submit_to(client, queue, HELLO_LATER, HY_NTS, "{\"durable\":false}", HY_NTS, 3, &op));
    /* Its time is kept with it. */
    OK(hy_submit_to(client, queue, HELLO_LATER, HY_NTS, "{\"timeout_ms\":300000}", HY_NTS, 4, NULL));
    OK(hy_close(client, 0, &(uint64_t){0}));
    hy_result_t *result = next_of(queue);
    CHECK(hy_result_token(result) == 3);
    CHECK_TEXT(hy_op_id(op, NULL), hy_result_id(result, NULL));
    RESULT(result, HY_NOT_SENT, HY_E_CANCELLED);
    hy_op_free(op);
    ended(queue);
    hy_free(client);
    ended(queue);
    hy_queue_free(queue);

    client = client_of(sandbox, "fanfou", "later", "");
    queue = queue_of(client);
    submit_into(client, queue, HELLO, 5);
    result = next_of(queue);
    CHECK(hy_result_token(result) == 5);
    acknowledge(client, result);
    result = next_result(client);
    CHECK(hy_result_token(result) == 1);
    CHECK_INT(hy_result_origin(result), HY_EARLIER_RUN);
    IS(result, HY_SENT, HY_OK);
    acknowledge(client, result);
    OK(hy_wait(client, 0, &result));
    CHECK(result == NULL);
    nothing_in(queue);
    hy_queue_free(queue);
    hy_free(client);
}

int main(int argc, char **argv)
{
    hy_client_t *client = NULL;
    snprintf(folder, sizeof folder, "result-queues-%ld", (long)getpid());
    hy_error_t *error = begin(sandbox_of(argc, argv), "fanfou", "begin", "", &client);
    if (error != NULL) {
        /* A build without an outbox says so. */
        FAILS(error, HY_E_UNAVAILABLE);
        return 0;
    }
    hy_free(client);
    every_way_leads_back(hostile_of(argc, argv));
    a_time_out_is_a_deadline(hostile_of(argc, argv));
    a_later_run_has_the_client_only(sandbox_of(argc, argv), hostile_of(argc, argv));
    return 0;
}
