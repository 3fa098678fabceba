/* Rule 7: time-outs are int64 milliseconds: 0 does not wait, negative waits without end, and each
 * attempt stays bounded by `timeout_ms`. */
#include "peer.h"

int main(int argc, char **argv)
{
    const char *hostile = hostile_of(argc, argv);
    hy_result_t *result = UNTOUCHED, *results[4];
    uint64_t unfinished = 0;
    size_t count = 77;

    /* 0: a look, no wait. "Nothing there" is written as NULL and 0. */
    hy_client_t *client = client_at(hostile, "hold", "");
    OK(hy_wait(client, 0, &result));
    CHECK(result == NULL);
    OK(hy_wait_many(client, 0, results, 4, &count));
    CHECK_INT(count, 0);
    OK(hy_flush(client, 0, &unfinished));
    CHECK_INT(unfinished, 0);
    submit(client, HELLO, 1);
    await_count(hostile, "hold", 1);
    OK(hy_flush(client, 0, &unfinished));
    CHECK_INT(unfinished, 1);
    OK(hy_wait(client, 0, &result));
    CHECK(result == NULL);

    /* A time-out that runs out is no error. */
    OK(hy_wait(client, 1, &result));
    CHECK(result == NULL);
    OK(hy_flush(client, 1, &unfinished));
    CHECK_INT(unfinished, 1);

    /* Negative: as long as it takes. */
    release_held(hostile);
    OK(hy_flush(client, -1, &unfinished));
    CHECK_INT(unfinished, 0);
    OK(hy_wait(client, -1, &result));
    RESULT(result, HY_SENT, HY_OK);

    /* The ends of the type are times like any other. */
    submit(client, HELLO, 2);
    OK(hy_wait(client, INT64_MAX, &result));
    RESULT(result, HY_SENT, HY_OK);
    submit(client, HELLO, 3);
    OK(hy_wait(client, INT64_MIN, &result));
    RESULT(result, HY_SENT, HY_OK);
    OK(hy_send_json(client, HELLO, HY_NTS, INT64_MAX, &result));
    RESULT(result, HY_SENT, HY_OK);
    OK(hy_send_json(client, HELLO, HY_NTS, INT64_MIN, &result));
    RESULT(result, HY_SENT, HY_OK);
    OK(hy_close(client, INT64_MAX, &unfinished));
    CHECK_INT(unfinished, 0);
    hy_free(client);

    /* Waiting without end still ends: the attempt is bounded, whether silent or dripping. */
    const char *const stuck[] = {"hang", "slow"};
    for (int i = 0; i < 2; i++) {
        client = client_at(hostile, stuck[i], ",\"timeout_ms\":300,\"retry\":{\"max_attempts\":1}");
        OK(hy_send_json(client, HELLO, HY_NTS, -1, &result));
        CHECK_INT(hy_error_code(hy_result_error(result)), HY_E_TIMEOUT);
        CHECK(hy_result_delivery(result) != HY_SENT);
        CHECK_HAS(hy_result_json(result, NULL), "\"deadline\":false");
        hy_result_free(result);
        hy_free(client);
    }
    return 0;
}
