/* In somebody else's process: signals, threads, descriptors and state stay the host's.
 *
 * Needs: signals and /proc */
#include "peer.h"
#include "threads.h"

#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>

extern char **environ;

enum { SIGNALS = 65, FDS = 1024 };

typedef struct {
    struct sigaction actions[SIGNALS];
    sigset_t mask;
    char locale[256];
    char directory[1024];
    char **environment;
    size_t variables;
} state;

static void look(state *s)
{
    memset(s, 0, sizeof *s);
    for (int i = 1; i < SIGNALS; i++)
        if (sigaction(i, NULL, &s->actions[i]) != 0)
            s->actions[i].sa_handler = SIG_ERR; /* not ours to ask for */
    CHECK_INT(pthread_sigmask(SIG_SETMASK, NULL, &s->mask), 0);
    snprintf(s->locale, sizeof s->locale, "%s", setlocale(LC_ALL, NULL));
    CHECK(getcwd(s->directory, sizeof s->directory) != NULL);
    s->environment = environ;
    for (char **v = environ; *v != NULL; v++)
        s->variables++;
}

static void is_same(const state *before, const state *now)
{
    for (int i = 1; i < SIGNALS; i++) {
        CHECK(before->actions[i].sa_handler == now->actions[i].sa_handler);
        CHECK_INT(before->actions[i].sa_flags, now->actions[i].sa_flags);
        CHECK_INT(sigismember(&before->mask, i), sigismember(&now->mask, i));
    }
    CHECK_TEXT(before->locale, now->locale);
    CHECK_TEXT(before->directory, now->directory);
    CHECK(before->environment == now->environment);
    CHECK_INT(before->variables, now->variables);
}

/* Marks the descriptors that are open. */
static void list_descriptors(char marks[FDS])
{
    DIR *dir = opendir("/proc/self/fd");
    CHECK(dir != NULL);
    memset(marks, 0, FDS);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        int number = atoi(entry->d_name);
        if (entry->d_name[0] != '.' && number != dirfd(dir) && number < FDS)
            marks[number] = 1;
    }
    closedir(dir);
}

/* Every thread but those from before is the library's: its name says so, and it blocks all. */
static void check_threads(int masks_are_real)
{
    DIR *dir = opendir("/proc/self/task");
    CHECK(dir != NULL);
    int found = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char path[300], line[256], name[64] = "";
        unsigned long long blocked = 0;
        if (entry->d_name[0] == '.' || is_noted(atoi(entry->d_name)))
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *status = fopen(path, "r");
        if (status == NULL)
            continue; /* a thread of a freed client, just gone */
        while (fgets(line, sizeof line, status) != NULL) {
            sscanf(line, "Name: %63s", name);
            sscanf(line, "SigBlk: %llx", &blocked);
        }
        fclose(status);
        if (strncmp(name, "hy-", 3) != 0)
            check_fail(__FILE__, __LINE__, "the thread is named hy-...", name);
        for (int i = 1; masks_are_real && i <= 64; i++) {
            /* The kernel never blocks these two, and 32 to 34 may be the C library's own. */
            if (i == SIGKILL || i == SIGSTOP || (i >= 32 && i <= 34))
                continue;
            if ((blocked >> (i - 1) & 1) == 0) {
                fprintf(stderr, "%s leaves signal %d open\n", name, i);
                exit(1);
            }
        }
        found++;
    }
    closedir(dir);
    CHECK(found >= 1);
}

static volatile sig_atomic_t delivered_to_host;
static pthread_t host_thread;

static void on_signal(int signal)
{
    (void)signal;
    if (pthread_equal(pthread_self(), host_thread))
        delivered_to_host = 1;
}

int main(int argc, char **argv)
{
    const char *sandbox = sandbox_of(argc, argv), *hostile = hostile_of(argc, argv);
    static const char *const behaviours[] = {"reset", "close", "garbage"};
    static char before_fds[FDS], now_fds[FDS];
    static state before, now;
    struct sigaction own;
    note_threads();

    /* Default: a write to a closed socket would kill this process. */
    memset(&own, 0, sizeof own);
    own.sa_handler = SIG_DFL;
    CHECK_INT(sigaction(SIGPIPE, &own, NULL), 0);
    sigemptyset(&own.sa_mask);
    own.sa_handler = on_signal;
    CHECK_INT(sigaction(SIGUSR1, &own, NULL), 0);
    host_thread = pthread_self();
    look(&before);
    list_descriptors(before_fds);

    for (size_t i = 0; i < sizeof behaviours / sizeof behaviours[0]; i++) {
        hy_client_t *client = client_at(hostile, behaviours[i], "");
        for (int n = 0; n < 10; n++)
            hy_result_free(send_json(client, HELLO));
        for (uint64_t n = 0; n < 10; n++)
            submit(client, HELLO, n);
        for (int n = 0; n < 10; n++)
            hy_result_free(next_result(client));
        hy_free(client);
    }

    /* At work, with a connection kept, one busy and the poll handle made. */
    hy_client_t *client = client_of_two(sandbox, "");
    hy_client_t *busy = client_at(hostile, "hang", "");
    intptr_t handle = -1;
    OK(hy_poll_handle(client, &handle));
    submit(client, HELLO, 1);
    RESULT(next_result(client), HY_SENT, HY_OK);
    submit(busy, HELLO, 2);
    await_count(hostile, "hang", 1);
    check_threads(!is_under_valgrind(argv) && !is_emulated(argv));
    look(&now);
    is_same(&before, &now);
    list_descriptors(now_fds);
    int opened = 0;
    for (int fd = 0; fd < FDS; fd++) {
        int flags = now_fds[fd] && !before_fds[fd] ? fcntl(fd, F_GETFD) : -1;
        if (flags < 0)
            continue;
        opened++;
        CHECK(flags & FD_CLOEXEC);
    }
    CHECK(opened >= 2 && handle >= 0 && now_fds[handle]);

    /* A signal for the process finds the host's thread, the only one that lets it in. */
    CHECK_INT(kill(getpid(), SIGUSR1), 0);
    CHECK(delivered_to_host);

    hy_free(client);
    hy_free(busy);

    /* Gone: threads joined, descriptors closed, all as before. */
    await_no_threads();
    list_descriptors(now_fds);
    CHECK(memcmp(before_fds, now_fds, FDS) == 0);
    look(&now);
    is_same(&before, &now);
    return 0;
}
