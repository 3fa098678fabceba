/* Forks at bad moments: with another thread inside the library, from a thread, and twice.
 *
 * Needs: fork */
#include "peer.h"

#include <pthread.h>
#include <sys/wait.h>

static void await_child(pid_t child)
{
    int status = 0;
    CHECK(child > 0);
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
}

static void *stay_inside(void *client)
{
    hy_result_t *result = NULL;
    FAILS(hy_wait(client, -1, &result), HY_E_CLOSED);
    return NULL;
}

static volatile int stopping;

/* Takes the library's locks all the time, so that some forks meet them locked. */
static void *keep_busy(void *client)
{
    while (!stopping) {
        char *stats = NULL;
        hy_op_t *op = NULL;
        OK(hy_stats_json(client, &stats, NULL));
        hy_string_free(stats);
        OK(hy_submit_json(client, HELLO_LATER, HY_NTS, 1, &op));
        hy_op_cancel(op);
        hy_op_free(op);
        hy_result_free(next_result(client));
    }
    return NULL;
}

/* The child must neither hang on a lock that nobody will release nor take part in the work. */
static void fork_while_busy(const char *sandbox)
{
    hy_client_t *waiting = client_at(sandbox, "fanfou", "");
    hy_client_t *busy = client_at(sandbox, "fanfou", "");
    pthread_t waiter, worker;

    CHECK_INT(pthread_create(&waiter, NULL, stay_inside, waiting), 0);
    CHECK_INT(pthread_create(&worker, NULL, keep_busy, busy), 0);
    for (int i = 0; i < 10; i++) {
        pid_t child = fork();
        if (child == 0) {
            char *stats = NULL;
            hy_result_t *result = NULL;
            alarm(20);
            FAILS(hy_stats_json(busy, &stats, NULL), HY_E_FORKED);
            FAILS(hy_wait(busy, -1, &result), HY_E_FORKED);
            FAILS(hy_wait(waiting, 0, &result), HY_E_FORKED);
            hy_interrupt(busy);
            hy_free(busy);
            hy_free(waiting);
            _exit(0);
        }
        await_child(child);
    }
    stopping = 1;
    CHECK_INT(pthread_join(worker, NULL), 0);
    uint64_t unfinished = 77;
    OK(hy_close(waiting, 0, &unfinished));
    CHECK_INT(pthread_join(waiter, NULL), 0);
    hy_free(waiting);
    hy_free(busy);
}

/* What is not a client stays usable: results, errors, messages, ops. */
static void what_is_carried_over(const char *sandbox)
{
    hy_client_t *client = client_at(sandbox, "fanfou", "");
    hy_message_t *message = NULL;
    hy_op_t *op = NULL;

    OK(hy_message_new("ff", 2, &message));
    OK(hy_message_to(message, "user", 4, "lisztli", 7));
    OK(hy_message_set_text(message, "carried over", HY_NTS));
    OK(hy_submit(client, message, 7, &op));
    hy_result_t *result = next_result(client);
    IS(result, HY_SENT, HY_OK);

    pid_t child = fork();
    if (child == 0) {
        alarm(40);
        CHECK_HAS(hy_result_json(result, NULL), "\"token\":7");
        CHECK_TEXT(hy_op_id(op, NULL), hy_result_id(result, NULL));
        hy_client_t *own = client_at(sandbox, "fanfou", "");
        hy_result_t *sent = NULL;
        OK(hy_send(own, message, PATIENCE_MS, &sent));
        RESULT(sent, HY_SENT, HY_OK);

        /* A grandchild in turn: neither client is its own. */
        pid_t grandchild = fork();
        if (grandchild == 0) {
            alarm(30);
            FAILS(hy_send_json(own, HELLO, HY_NTS, 0, &sent), HY_E_FORKED);
            FAILS(hy_send_json(client, HELLO, HY_NTS, 0, &sent), HY_E_FORKED);
            hy_client_t *third = client_at(sandbox, "fanfou", "");
            RESULT(send_json(third, HELLO), HY_SENT, HY_OK);
            hy_free(third);
            _exit(0);
        }
        await_child(grandchild);
        RESULT(send_json(own, HELLO), HY_SENT, HY_OK);
        hy_free(own);
        hy_result_free(result);
        hy_op_free(op);
        hy_message_free(message);
        _exit(0);
    }
    await_child(child);

    /* The parent's kept connection is the parent's alone. */
    RESULT(send_json(client, HELLO), HY_SENT, HY_OK);
    hy_free(client);
    hy_result_free(result);
    hy_op_free(op);
    hy_message_free(message);
}

int main(int argc, char **argv)
{
    /* AddressSanitizer's own allocator may be locked by another thread in the child. */
    if (strcmp(argv[3], "sanitized") != 0)
        fork_while_busy(sandbox_of(argc, argv));
    what_is_carried_over(sandbox_of(argc, argv));
    return 0;
}
