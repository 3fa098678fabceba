/* No more threads, no more descriptors: told in plain words, nothing printed, nothing hangs, and all is
 * well again once there are some.
 *
 * Needs: setrlimit and fork */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define TO(account)                                                                     \
    "{\"v\":1,\"account\":\"" account "\",\"to\":{\"user\":\"lisztli\"},\"text\":\"hello\"}"

/* "ff" is reached by an address, "named" by a name, which a thread has to look up. */
static const char *config_of(char out[2048], const char *sandbox)
{
    const char *port = strrchr(sandbox, ':');
    char account[512], named_at[64], named[512];
    CHECK(port != NULL);
    snprintf(named_at, sizeof named_at, "http://localhost%s", port);
    int n = snprintf(out, 2048,
                     "{\"v\":1,\"accounts\":{\"ff\":%s,\"named\":%s},"
                     "\"retry\":{\"max_attempts\":3,\"initial_ms\":1,\"max_ms\":2}}",
                     fanfou_account(account, sandbox, "fanfou"),
                     fanfou_account(named, named_at, "fanfou"));
    CHECK(n > 0 && n < 2048);
    return out;
}

static hy_client_t *client_with(const char *config)
{
    hy_client_t *client = NULL;
    OK(hy_init(config, HY_NTS, &client));
    return client;
}

static void *nothing(void *arg)
{
    return arg;
}

/* Sets how much there is from now on; tells how much there was. */
static rlim_t limit(int resource, rlim_t to)
{
    struct rlimit now;
    CHECK_INT(getrlimit(resource, &now), 0);
    rlim_t before = now.rlim_cur;
    now.rlim_cur = to;
    CHECK_INT(setrlimit(resource, &now), 0);
    return before;
}

/* The result says that nothing was sent, why, and that a later try may work; it is freed. */
static void is_put_off(hy_result_t *result, int32_t code, const char *words)
{
    IS(result, HY_NOT_SENT, code);
    const hy_error_t *error = hy_result_error(result);
    CHECK_HAS(hy_error_message(error, NULL), words);
    CHECK_INT(hy_error_is_retryable(error), 1);
    CHECK_HAS(hy_error_detail_json(error, NULL), "\"attempts\":3");
    hy_result_free(result);
}

static void without_threads(const char *config)
{
    hy_client_t *before = client_with(config);
    rlim_t enough = limit(RLIMIT_NPROC, 0);
    pthread_t thread;
    /* If the kernel does not enforce the limit here, this test shows nothing, and says so. */
    CHECK_INT(pthread_create(&thread, NULL, nothing, NULL), EAGAIN);

    hy_client_t *within = client_with(config);
    hy_client_t *const clients[] = {before, within};
    hy_result_t *result = NULL;
    uint64_t unfinished = 7;
    intptr_t handle = -1;
    for (size_t i = 0; i < 2; i++) {
        is_put_off(send_json(clients[i], TO("named")), HY_E_INTERNAL, "no thread can be started");
        FAILS_SAYING(hy_submit_json(clients[i], TO("ff"), HY_NTS, 1, NULL), HY_E_INTERNAL,
                     "thread cannot be started");
        OK(hy_wait(clients[i], 0, &result));
        CHECK(result == NULL);
        OK(hy_poll_handle(clients[i], &handle));
        /* An address needs no thread. */
        RESULT(send_json(clients[i], TO("ff")), HY_SENT, HY_OK);
    }
    OK(hy_close(within, 1000, &unfinished));
    CHECK_INT(unfinished, 0);
    hy_free(within);

    limit(RLIMIT_NPROC, enough);
    RESULT(send_json(before, TO("named")), HY_SENT, HY_OK);
    submit(before, TO("named"), 2);
    RESULT(next_result(before), HY_SENT, HY_OK);

    /* The I/O thread is there; what it cannot start is a look-up. */
    limit(RLIMIT_NPROC, 0);
    submit(before, TO("ff"), 3);
    RESULT(next_result(before), HY_SENT, HY_OK);
    OK(hy_close(before, 1000, &unfinished));
    CHECK_INT(unfinished, 0);
    hy_free(before);
    limit(RLIMIT_NPROC, enough);
}

static void without_descriptors(const char *config)
{
    hy_client_t *client = client_with(config), *none = NULL;
    intptr_t handle = -1;
    int next = dup(0);
    CHECK(next >= 0);
    close(next);
    rlim_t enough = limit(RLIMIT_NOFILE, (rlim_t)next);

    is_put_off(send_json(client, TO("ff")), HY_E_NETWORK, "oo many open files");
    submit(client, TO("ff"), 1);
    is_put_off(next_result(client), HY_E_NETWORK, "oo many open files");
    FAILS_SAYING(hy_poll_handle(client, &handle), HY_E_INTERNAL, "oo many open files");
    FAILS_SAYING(hy_init(config, HY_NTS, &none), HY_E_INTERNAL, "oo many open files");
    CHECK(none == NULL);

    limit(RLIMIT_NOFILE, enough);
    RESULT(send_json(client, TO("ff")), HY_SENT, HY_OK);
    OK(hy_poll_handle(client, &handle));
    hy_free(client);
}

int main(int argc, char **argv)
{
    static char config[2048], printed[4096];
    config_of(config, sandbox_of(argc, argv));
    int status = 0;

    int fd = open("exhausted.out", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0);
        without_descriptors(config);
        /* The kernel lets root have as many threads as it likes: as a user with no other process. */
        if (geteuid() == 0)
            CHECK_INT(setuid(61234), 0);
        without_threads(config);
        /* No look for leaks: it would need a thread, and the right to look into this process. */
        _exit(0);
    }
    CHECK_INT(waitpid(child, &status, 0), child);
    ssize_t length = pread(fd, printed, sizeof printed - 1, 0);
    if (length != 0)
        check_fail(__FILE__, __LINE__, "nothing is printed", printed);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
    close(fd);
    return 0;
}
