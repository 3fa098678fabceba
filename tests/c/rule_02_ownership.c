/* Rule 2: what is handed out is the caller's; every `_free` accepts NULL; results, errors,
 * messages, ops and queues outlive their client in any order. */
#include "peer.h"

int main(int argc, char **argv)
{
    const char *sandbox = sandbox_of(argc, argv);
    const char *hostile = hostile_of(argc, argv);

    hy_free(NULL);
    hy_error_free(NULL);
    hy_result_free(NULL);
    hy_message_free(NULL);
    hy_op_free(NULL);
    hy_op_cancel(NULL);
    hy_string_free(NULL);
    hy_interrupt(NULL);
    hy_queue_free(NULL);
    hy_queue_interrupt(NULL);

    hy_message_t *message = NULL;
    OK(hy_message_new("ff", 2, &message));
    OK(hy_message_to(message, "user", HY_NTS, "lisztli", HY_NTS));
    OK(hy_message_set_text(message, "kept", HY_NTS));

    hy_client_t *client = client_at(sandbox, "fanfou", "");
    hy_result_t *blocking = NULL;
    hy_op_t *op = NULL;
    OK(hy_send(client, message, PATIENCE_MS, &blocking));
    OK(hy_submit(client, message, 5, &op));
    hy_result_t *queued = next_result(client);
    hy_error_t *error = hy_send_json(client, "?", 1, 0, &queued);
    hy_queue_t *queue = queue_of(client);
    submit_into(client, queue, HELLO, 6);
    OK(hy_flush(client, -1, &(uint64_t){0}));
    char *stats = NULL;
    OK(hy_stats_json(client, &stats, NULL));
    hy_free(client);

    /* All of it is still whole without the client. */
    IS(blocking, HY_SENT, HY_OK);
    IS(queued, HY_SENT, HY_OK);
    CHECK_HAS(hy_result_json(queued, NULL), "\"token\":5");
    CHECK_INT(hy_error_code(error), HY_E_ARGUMENT);
    CHECK_TEXT(hy_op_id(op, NULL), hy_result_id(queued, NULL));
    hy_op_cancel(op);
    CHECK(stats[0] == '{');

    /* A message made before one client goes to the next. */
    client = client_at(sandbox, "fanfou", "");
    hy_result_t *again = NULL;
    OK(hy_send(client, message, PATIENCE_MS, &again));
    IS(again, HY_SENT, HY_OK);

    hy_result_t *late = next_of(queue);
    hy_queue_free(queue);
    RESULT(late, HY_SENT, HY_OK);
    hy_op_free(op);
    hy_result_free(blocking);
    hy_error_free(error);
    hy_message_free(message);
    hy_string_free(stats);
    hy_free(client);
    hy_result_free(again);
    hy_result_free(queued);

    /* A client is freed with work in flight and results that nobody took. */
    client = client_at(hostile, "hang", "");
    submit(client, HELLO, 1);
    OK(hy_submit_json(client, HELLO_LATER, HY_NTS, 2, &op));
    submit(client, "{\"v\":1,\"account\":\"nobody\"}", 3);
    await_count(hostile, "hang", 1);
    hy_free(client);
    hy_op_cancel(op);
    hy_op_free(op);
    return 0;
}
