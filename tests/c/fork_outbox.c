/* Forks while other threads are inside the outbox, the log, hy_init and name look-ups: the child can
 * always begin anew, has an outbox beside its parent, and takes nothing from it.
 *
 * Needs: fork */
#include "peer.h"

#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char *sandbox;
static char folder[512];
static volatile int stopping;

static void await_child(pid_t child)
{
    int status = 0;
    CHECK(child > 0);
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
}

/* A client of the sandbox with the outbox of this name. */
static hy_error_t *begin(const char *outbox, hy_client_t **out)
{
    char config[2048];
    int n = snprintf(config, sizeof config,
                     "{\"v\":1,\"timeout_ms\":600000,\"accounts\":{\"ff\":"
                     "{\"service\":\"fanfou\",\"auth\":{\"type\":"
                     "\"basic\",\"username\":\"test\",\"password\":\"pwd\"},\"base_url\":"
                     "\"%s/fanfou\"}},\"outbox\":{\"path\":\"%s/%s\"}}",
                     sandbox, folder, outbox);
    CHECK(n > 0 && n < (int)sizeof config);
    return hy_init(config, (size_t)n, out);
}

static hy_client_t *client_of(const char *outbox)
{
    hy_client_t *client = NULL;
    OK(begin(outbox, &client));
    return client;
}

/* Writes to an outbox all the time. Nothing of it goes to the sandbox, which takes only so many. */
static void *submits(void *client)
{
    while (!stopping) {
        hy_op_t *op = NULL;
        OK(hy_submit_json(client, HELLO_LATER, HY_NTS, 1, &op));
        hy_op_cancel(op);
        hy_op_free(op);
        hy_result_t *result = next_result(client);
        IS(result, HY_NOT_SENT, HY_E_CANCELLED);
        OK(hy_result_ack(client, result));
        hy_result_free(result);
    }
    return NULL;
}

/* Opens and closes one all the time. */
static void *begins(void *name)
{
    while (!stopping)
        hy_free(client_of(name));
    return NULL;
}

/* Looks up a name for each of its messages, where nobody listens. */
static void *looks_up(void *unused)
{
    (void)unused;
    while (!stopping) {
        hy_client_t *client = client_at("http://localhost:9", "fanfou",
                                        ",\"retry\":{\"max_attempts\":1}");
        RESULT(send_json(client, HELLO), HY_NOT_SENT, HY_E_NETWORK);
        hy_free(client);
    }
    return NULL;
}

static void nothing(void *user, int32_t level, const char *target, const char *text)
{
    (void)user, (void)level, (void)target, (void)text;
}

/* Is slow, so that most forks find a thread in it. */
static void slow(void *user, int32_t level, const char *target, const char *text)
{
    struct timespec pause = {0, 200000};
    (void)user, (void)level, (void)target, (void)text;
    nanosleep(&pause, NULL);
}

static void *logs(void *unused)
{
    (void)unused;
    while (!stopping) {
        OK(hy_set_log(HY_LOG_TRACE, slow, NULL));
        OK(hy_set_log(HY_LOG_TRACE, nothing, NULL));
    }
    return NULL;
}

static void child_begins_anew(void)
{
    alarm(900);
    OK(hy_set_log(HY_LOG_TRACE, nothing, NULL));
    OK(hy_set_log(0, NULL, NULL));
    CHECK(strlen(hy_services_json()) > 100);
    hy_client_t *own = client_of("child.db");
    submit(own, HELLO, 9);
    hy_result_t *result = next_result(own);
    IS(result, HY_SENT, HY_OK);
    CHECK_INT(hy_result_token(result), 9);
    OK(hy_result_ack(own, result));
    hy_result_free(result);
    hy_free(own);
    _exit(0);
}

/* Whatever the others are at. */
static void fork_while_busy(int times)
{
    pthread_t threads[5];
    hy_client_t *busy = client_of("busy.db");

    CHECK_INT(pthread_create(&threads[0], NULL, submits, busy), 0);
    CHECK_INT(pthread_create(&threads[1], NULL, begins, "one.db"), 0);
    CHECK_INT(pthread_create(&threads[2], NULL, begins, "two.db"), 0);
    CHECK_INT(pthread_create(&threads[3], NULL, looks_up, NULL), 0);
    CHECK_INT(pthread_create(&threads[4], NULL, logs, NULL), 0);
    for (int i = 0; i < times; i++) {
        pid_t child = fork();
        if (child == 0)
            child_begins_anew();
        await_child(child);
    }
    stopping = 1;
    for (int i = 0; i < 5; i++)
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    hy_free(busy);
    OK(hy_set_log(0, NULL, NULL));
}

/* Reads one byte, which comes when the other side is so far; 0 if it has ended. */
static int next_step(int fd)
{
    char byte;
    return read(fd, &byte, 1) == 1;
}

/* A child that lives on has its parent's outbox by a client of its own only, and whatever becomes of the one leaves
 * the other what it has. */
static void outbox_is_the_parents(void)
{
    int to_child[2], to_parent[2];
    CHECK_INT(pipe(to_child), 0);
    CHECK_INT(pipe(to_parent), 0);
    hy_client_t *client = client_of("kept.db");
    submit(client, HELLO_LATER, 5);

    pid_t child = fork();
    if (child == 0) {
        alarm(900);
        close(to_child[1]);
        hy_client_t *own = client_of("kept.db");
        hy_free(own);
        own = client_of("mine.db");
        hy_free(own);
        CHECK_INT(write(to_parent[1], "a", 1), 1);

        /* The parent has left it, and been there again, and so has the child. */
        CHECK(next_step(to_child[0]));
        own = client_of("kept.db");
        CHECK_INT(write(to_parent[1], "b", 1), 1);
        CHECK(next_step(to_child[0]));
        uint64_t unfinished = 0;
        OK(hy_close(own, 0, &unfinished));
        CHECK_INT(unfinished, 0); /* the message is the parent's */
        hy_free(own);
        hy_free(client);
        _exit(0);
    }
    close(to_child[0]);
    CHECK(next_step(to_parent[0]));
    hy_free(client);
    /* The child lives, and has the memory and the descriptors of that client. */
    client = client_of("kept.db");
    hy_free(client);
    CHECK_INT(write(to_child[1], "a", 1), 1);
    CHECK(next_step(to_parent[0]));
    client = client_of("kept.db");
    CHECK_INT(write(to_child[1], "b", 1), 1);
    await_child(child);
    hy_free(client);
    hy_free(client_of("kept.db"));
    close(to_child[1]);
    close(to_parent[0]);
    close(to_parent[1]);
}

/* Whoever forks inside the log function has the log in the child. */
static void forks(void *user, int32_t level, const char *target, const char *text)
{
    pid_t *child = user;
    (void)level, (void)target, (void)text;
    if (*child != -1)
        return;
    *child = fork();
    if (*child == 0) {
        alarm(900);
        FAILS(hy_set_log(0, NULL, NULL), HY_E_REENTRANT);
        _exit(0);
    }
}

static void fork_inside_the_log(void)
{
    pid_t child = -1;
    OK(hy_set_log(HY_LOG_TRACE, forks, &child));
    hy_free(client_of("log.db"));
    OK(hy_set_log(0, NULL, NULL));
    await_child(child);
}

int main(int argc, char **argv)
{
    sandbox = sandbox_of(argc, argv);
    snprintf(folder, sizeof folder, "fork-outbox-%ld", (long)getpid());
    CHECK_INT(mkdir(folder, 0700), 0);
    /* A build without an outbox says so. */
    hy_client_t *first = NULL;
    hy_error_t *error = begin("first.db", &first);
    if (hy_error_code(error) == HY_E_UNAVAILABLE) {
        hy_error_free(error);
        CHECK_INT(rmdir(folder), 0);
        return 0;
    }
    OK(error);
    hy_free(first);
    outbox_is_the_parents();
    fork_inside_the_log();
    /* AddressSanitizer's own allocator may be locked by another thread in the child. */
    if (strcmp(argv[3], "sanitized") != 0)
        fork_while_busy(is_under_valgrind(argv) || is_emulated(argv) ? 5 : 200);
    char remove[600];
    snprintf(remove, sizeof remove, "rm -r '%s'", folder);
    CHECK_INT(system(remove), 0);
    return 0;
}
