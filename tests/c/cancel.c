/* hy_op_cancel is a request: the result says what became true. */
#include "peer.h"

static hy_op_t *submit_op(hy_client_t *client, const char *json, uint64_t token)
{
    hy_op_t *op = NULL;
    OK(hy_submit_json(client, json, HY_NTS, token, &op));
    CHECK(op != NULL);
    return op;
}

int main(int argc, char **argv)
{
    const char *hostile = hostile_of(argc, argv);
    uint64_t unfinished = 77;
    size_t len = 0;
    hy_result_t *result = NULL;

    /* Not begun: nothing was sent, and nothing will be. */
    hy_client_t *client = client_at(hostile, "count", "");
    hy_op_t *op = submit_op(client, HELLO_LATER, 1);
    const char *id = hy_op_id(op, &len);
    CHECK_INT(strlen(id), len);
    CHECK_INT(len, 26);
    hy_op_cancel(op);
    hy_op_cancel(op);
    result = next_result(client);
    CHECK_INT(hy_result_token(result), 1);
    CHECK_TEXT(hy_result_id(result, NULL), hy_op_id(op, NULL));
    RESULT(result, HY_NOT_SENT, HY_E_CANCELLED);
    hy_op_cancel(op);
    hy_op_free(op);
    CHECK_INT(hostile_count(hostile, "count"), 0);

    /* Delivered already: a cancel changes nothing, and makes no second result. */
    op = submit_op(client, HELLO, 2);
    OK(hy_flush(client, -1, &unfinished));
    CHECK_INT(unfinished, 0);
    hy_op_cancel(op);
    RESULT(next_result(client), HY_SENT, HY_OK);
    hy_op_free(op);
    OK(hy_flush(client, -1, &unfinished));
    OK(hy_wait(client, 0, &result));
    CHECK(result == NULL);
    hy_free(client);

    /* On its way: nobody can know. */
    client = client_at(hostile, "hang", "");
    op = submit_op(client, HELLO, 3);
    await_count(hostile, "hang", 1);
    hy_op_cancel(op);
    result = next_result(client);
    CHECK_INT(hy_result_token(result), 3);
    CHECK_INT(hy_error_is_retryable(hy_result_error(result)), 0);
    RESULT(result, HY_MAYBE_SENT, HY_E_CANCELLED);
    hy_op_free(op);
    CHECK_INT(hostile_count(hostile, "hang"), 1);
    hy_free(client);

    /* Freeing an op does not cancel, and one op's cancel leaves the others alone. */
    client = client_at(hostile, "hold", "");
    hy_op_free(submit_op(client, HELLO, 4));
    op = submit_op(client, HELLO_LATER, 5);
    await_count(hostile, "hold", 1);
    hy_op_cancel(op);
    hy_op_free(op);
    result = next_result(client);
    CHECK_INT(hy_result_token(result), 5);
    RESULT(result, HY_NOT_SENT, HY_E_CANCELLED);
    release_held(hostile);
    result = next_result(client);
    CHECK_INT(hy_result_token(result), 4);
    RESULT(result, HY_SENT, HY_OK);
    hy_free(client);
    return 0;
}
