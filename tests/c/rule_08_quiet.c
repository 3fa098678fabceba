/* Rule 8: whatever happens, nothing is written to stdout or stderr, no exit handler runs, and
 * nobody is called back. (Signals, threads and descriptors: sigpipe.c.)
 *
 * Needs: fork */
#include "peer.h"

#include <fcntl.h>
#include <sys/wait.h>

/* Kept in a static, so that a client nobody frees is still reachable at exit. */
static hy_client_t *left_open;

static void misuse_everything(const char *sandbox, const char *hostile)
{
    const char *const behaviours[] = {"reset", "close", "garbage", "count"};
    hy_result_t *result = NULL;
    hy_client_t *client = NULL;

    FAILS(hy_init("{\"v\":1,\"accounts\":{\"a\":{\"service\":\"telegraph\"}}}", HY_NTS, &client),
          HY_E_CONFIG);
    for (size_t i = 0; i < sizeof behaviours / sizeof behaviours[0]; i++) {
        client = client_at(hostile, behaviours[i], ",\"trace\":true");
        hy_result_free(send_json(client, HELLO));
        submit(client, HELLO, 1);
        hy_result_free(next_result(client));
        hy_free(client);
    }
    client = client_of_two(sandbox, "");
    FAILS(hy_send_json(client, "\xff\xff", 2, 0, &result), HY_E_ARGUMENT);
    RESULT(send_json(client, "{\"v\":1,\"account\":\"ff\",\"to\":{\"user\":\"nobody\"},"
                             "\"text\":\"t\"}"),
           HY_NOT_SENT, HY_E_NOT_FOUND);
    submit(client, HELLO_LATER, 2);
    hy_free(client);

    /* Nobody listens on port 1. */
    client = client_at("http://127.0.0.1:1", "x", ",\"retry\":{\"max_attempts\":1}");
    RESULT(send_json(client, HELLO), HY_NOT_SENT, HY_E_NETWORK);
    hy_free(client);
}

int main(int argc, char **argv)
{
    const char *sandbox = sandbox_of(argc, argv), *hostile = hostile_of(argc, argv);
    int status = 0;

    /* stdout and stderr of a child go to a file, which has to stay empty. */
    int fd = open("rule_08_quiet.out", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0);
        misuse_everything(sandbox, hostile);

        /* Leaving with a client at work is the host's right: no handler may hang or crash it. */
        left_open = client_at(hostile, "hang", "");
        submit(left_open, HELLO, 1);
        await_count(hostile, "hang", 1);
        exit(0);
    }
    CHECK_INT(waitpid(child, &status, 0), child);

    char output[4096];
    ssize_t n = pread(fd, output, sizeof output - 1, 0);
    CHECK(n >= 0);
    output[n] = '\0';
    CHECK_TEXT(output, "");
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
    close(fd);
    return 0;
}
