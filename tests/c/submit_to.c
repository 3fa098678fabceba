/* hy_submit_to: whatever is wrong with the message is its result, and what its options say. */
#include "peer.h"

static hy_result_t *result_of(hy_client_t *client, hy_queue_t *queue, const char *json, size_t len,
                              const char *options, uint64_t token)
{
    hy_op_t *op = NULL;
    OK(hy_submit_to(client, queue, json, len, options, options ? HY_NTS : 0, token, &op));
    hy_result_t *result = queue ? next_of(queue) : next_result(client);
    CHECK(hy_result_token(result) == token);
    CHECK_TEXT(hy_op_id(op, NULL), hy_result_id(result, NULL));
    hy_op_cancel(op);
    hy_op_free(op);
    return result;
}

/* Even what is no JSON has its one result, where hy_submit_json refuses the call. */
static void wrong_messages(const char *sandbox)
{
    enum { LARGE = (1 << 20) + 1 };
    static char large[LARGE], deep[400];
    hy_client_t *client = client_at(sandbox, "fanfou", "");
    hy_queue_t *queue = queue_of(client);
    static const struct {
        const char *json;
        int32_t code;
    } wrong[] = {
        {"", HY_E_ARGUMENT},
        {"{", HY_E_ARGUMENT},
        {"[]", HY_E_ARGUMENT},
        {"\xff\xfe", HY_E_ARGUMENT},
        {"{\"account\":\"ff\",\"to\":{\"user\":\"x\"},\"text\":\"t\"}", HY_E_ARGUMENT},
        {"{\"v\":2,\"account\":\"ff\",\"to\":{\"user\":\"x\"},\"text\":\"t\"}", HY_E_ARGUMENT},
        {"{\"v\":1,\"account\":\"nobody\",\"to\":{\"user\":\"x\"},\"text\":\"t\"}", HY_E_MESSAGE},
        {"{\"v\":1,\"account\":\"ff\",\"to\":{\"user\":\" \"},\"text\":\"t\"}", HY_E_MESSAGE},
        {"{\"v\":1,\"account\":\"ff\",\"to\":{\"group\":\"g\"},\"text\":\"t\"}", HY_E_UNSUPPORTED},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        hy_queue_t *of = i % 2 ? queue : NULL;
        RESULT(result_of(client, of, wrong[i].json, HY_NTS, NULL, i), HY_NOT_SENT, wrong[i].code);
    }
    memset(large, ' ', sizeof large);
    RESULT(result_of(client, queue, large, sizeof large, NULL, 20), HY_NOT_SENT, HY_E_ARGUMENT);
    memset(deep, '[', sizeof deep);
    RESULT(result_of(client, queue, deep, sizeof deep, NULL, 21), HY_NOT_SENT, HY_E_ARGUMENT);
    RESULT(result_of(client, queue, NULL, 0, NULL, 22), HY_NOT_SENT, HY_E_ARGUMENT);
    RESULT(result_of(client, queue, HELLO, HY_NTS, NULL, 23), HY_SENT, HY_OK);
    hy_queue_free(queue);
    hy_free(client);
}

/* A call that is refused accepts nothing, and says where the options are wrong. */
static void wrong_options(const char *sandbox)
{
    hy_client_t *client = client_at(sandbox, "fanfou", "");
    hy_queue_t *queue = queue_of(client);
    hy_op_t *op = UNTOUCHED;
    hy_result_t *result = UNTOUCHED;
    static const struct {
        const char *json, *words;
    } wrong[] = {
        {"[]", "object"},
        {"{", "options"},
        {"\xff", "UTF-8"},
        {"{\"timeout\":5}", "\"timeout\""},
        {"{\"timeout_ms\":\"5\"}", "timeout_ms"},
        {"{\"timeout_ms\":1.5}", "timeout_ms"},
        {"{\"timeout_ms\":1e30}", "timeout_ms"},
        {"{\"timeout_ms\":5,\"timeout_ms\":5}", "timeout_ms"},
        {"{\"durable\":1}", "durable"},
        {"{\"durable\":true}", "outbox"},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        FAILS_SAYING(hy_submit_to(client, queue, HELLO, HY_NTS, wrong[i].json, HY_NTS, 1, &op),
                     HY_E_ARGUMENT, wrong[i].words);
    FAILS(hy_submit_to(NULL, queue, HELLO, HY_NTS, NULL, 0, 1, &op), HY_E_ARGUMENT);
    FAILS(hy_submit_to(client, queue, NULL, 5, NULL, 0, 1, &op), HY_E_ARGUMENT);
    FAILS(hy_submit_to(client, queue, NULL, HY_NTS, NULL, 0, 1, &op), HY_E_ARGUMENT);
    FAILS(hy_submit_to(client, queue, HELLO, HY_NTS, NULL, 3, 1, &op), HY_E_ARGUMENT);
    CHECK(op == UNTOUCHED);
    nothing_in(queue);
    OK(hy_wait(client, 0, &result));
    CHECK(result == NULL);

    /* What is absent, null or the default is as if it were not there. */
    static const char *const right[] = {"{}", "{\"timeout_ms\":null,\"durable\":null}",
                                        "{\"timeout_ms\":-1}", "{\"durable\":false}",
                                        "{\"timeout_ms\":300000,\"durable\":false}"};
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
        RESULT(result_of(client, queue, HELLO, HY_NTS, right[i], i), HY_SENT, HY_OK);
    hy_queue_free(queue);
    hy_free(client);
}

/* The time-out is counted from the submit, and holds over waits and retries. */
static void time_outs(const char *hostile)
{
    hy_client_t *client = client_at(hostile, "hang", "");
    hy_queue_t *queue = queue_of(client);

    RESULT(result_of(client, queue, HELLO, HY_NTS, "{\"timeout_ms\":0}", 1), HY_NOT_SENT,
           HY_E_TIMEOUT);
    CHECK_INT(hostile_count(hostile, "hang"), 0);
    RESULT(result_of(client, NULL, HELLO_LATER, HY_NTS, "{\"timeout_ms\":1}", 2), HY_NOT_SENT,
           HY_E_TIMEOUT);
    RESULT(result_of(client, queue, HELLO, HY_NTS, "{\"timeout_ms\":400}", 3), HY_MAYBE_SENT,
           HY_E_TIMEOUT);

    /* A cancelled one says what is true. */
    hy_op_t *op = NULL;
    OK(hy_submit_to(client, queue, HELLO_LATER, HY_NTS, "{\"timeout_ms\":300000}", HY_NTS, 4, &op));
    hy_op_cancel(op);
    hy_op_free(op);
    RESULT(next_of(queue), HY_NOT_SENT, HY_E_CANCELLED);
    hy_queue_free(queue);
    hy_free(client);
}

int main(int argc, char **argv)
{
    wrong_messages(sandbox_of(argc, argv));
    wrong_options(sandbox_of(argc, argv));
    time_outs(hostile_of(argc, argv));
    return 0;
}
