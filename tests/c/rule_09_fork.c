/* Rule 9: after fork, every function that takes an inherited client or queue returns `forked`, to
 * free it does nothing, and hy_init works in the child. (Forks at bad moments: fork.c.)
 *
 * Needs: fork */
#include "peer.h"

#include <sys/wait.h>

static void in_the_child(hy_client_t *inherited, hy_queue_t *q, hy_op_t *op, const char *sandbox)
{
    hy_client_t *const c = inherited;
    hy_message_t *message = NULL;
    hy_result_t *result = UNTOUCHED, *results[2];
    const char *const jsons[] = {HELLO};
    const size_t lens[] = {HY_NTS};
    const uint64_t tokens[] = {1};
    size_t n = 77;
    uint64_t unfinished = 77;
    intptr_t handle = -1;
    hy_queue_t *queue = UNTOUCHED;
    char *stats = UNTOUCHED;

    OK(hy_message_new("ff", 2, &message));
    FAILS(hy_account_set(c, "x", 1, "{}", 2), HY_E_FORKED);
    FAILS(hy_account_remove(c, "ff", 2), HY_E_FORKED);
    FAILS(hy_send_json(c, HELLO, HY_NTS, 0, &result), HY_E_FORKED);
    FAILS(hy_send(c, message, 0, &result), HY_E_FORKED);
    FAILS(hy_submit_json(c, HELLO, HY_NTS, 1, NULL), HY_E_FORKED);
    FAILS(hy_submit(c, message, 1, NULL), HY_E_FORKED);
    FAILS(hy_submit_many_json(c, jsons, lens, tokens, 1, &n), HY_E_FORKED);
    FAILS(hy_wait(c, -1, &result), HY_E_FORKED);
    FAILS(hy_wait_many(c, -1, results, 2, &n), HY_E_FORKED);
    FAILS(hy_poll_handle(c, &handle), HY_E_FORKED);
    FAILS(hy_stats_json(c, &stats, NULL), HY_E_FORKED);
    FAILS(hy_flush(c, -1, &unfinished), HY_E_FORKED);
    FAILS(hy_close(c, -1, &unfinished), HY_E_FORKED);
    FAILS(hy_queue_new(c, &queue), HY_E_FORKED);
    FAILS(hy_submit_to(c, q, HELLO, HY_NTS, NULL, 0, 1, NULL), HY_E_FORKED);
    FAILS(hy_submit_to(c, NULL, HELLO, HY_NTS, NULL, 0, 1, NULL), HY_E_FORKED);
    FAILS(hy_queue_wait_many(q, -1, results, 2, &n), HY_E_FORKED);
    FAILS(hy_queue_poll_handle(q, &handle), HY_E_FORKED);
    CHECK(queue == UNTOUCHED && n == 77);
    CHECK(result == UNTOUCHED && stats == UNTOUCHED && handle == -1);
    CHECK(unfinished == 77);
    hy_interrupt(c);
    hy_queue_interrupt(q);
    hy_queue_free(q);
    hy_queue_free(q);
    hy_op_cancel(op);
    hy_op_free(op);
    hy_message_free(message);
    hy_free(c);
    hy_free(c);

    hy_client_t *own = client_at(sandbox, "fanfou", "");
    RESULT(send_json(own, HELLO), HY_SENT, HY_OK);
    submit(own, HELLO, 9);
    result = next_result(own);
    CHECK_INT(hy_result_token(result), 9);
    FAILS(hy_result_ack(c, result), HY_E_FORKED);
    FAILS(hy_submit_to(own, q, HELLO, HY_NTS, NULL, 0, 1, NULL), HY_E_FORKED);
    queue = queue_of(own);
    submit_into(own, queue, HELLO, 10);
    RESULT(next_of(queue), HY_SENT, HY_OK);
    hy_queue_free(queue);
    RESULT(result, HY_SENT, HY_OK);
    hy_free(own);
}

int main(int argc, char **argv)
{
    const char *sandbox = sandbox_of(argc, argv), *hostile = hostile_of(argc, argv);
    hy_client_t *client = client_at(hostile, "hold", "");
    hy_queue_t *queue = queue_of(client);
    hy_op_t *op = NULL;
    int status = 0;

    OK(hy_submit_json(client, HELLO, HY_NTS, 5, &op));
    submit_into(client, queue, HELLO, 6);
    await_count(hostile, "hold", 2);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(50);
        in_the_child(client, queue, op, sandbox);
        _exit(0);
    }
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);

    /* Nothing that the child did touched the parent's: not even the request on its way. */
    release_held(hostile);
    RESULT(next_result(client), HY_SENT, HY_OK);
    RESULT(next_of(queue), HY_SENT, HY_OK);
    CHECK_INT(hostile_count(hostile, "hold"), 2);
    hy_queue_free(queue);
    hy_op_free(op);
    hy_free(client);
    return 0;
}
