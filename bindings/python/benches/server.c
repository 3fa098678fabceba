/* The server of the Python benchmarks: one thread, epoll, http/1.1, kept connections.
 *
 *     bench-python-server
 *
 * Prints its port, and serves until its parent ends. Whatever is posted gets the same answer of 1.5 KB,
 * as Weibo gives it; GET /count says how many posts there were since it was last asked. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    int fd;
    size_t len;
    char bytes[16384];
} connection_t;

static char answer[4096];
static size_t answer_len;
static unsigned long posts;

static void fail(const char *what)
{
    fprintf(stderr, "bench-python-server: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void make_answer(void)
{
    char body[2048], filler[1100];
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    int n = snprintf(body, sizeof body,
                     "{\"id\":3332910801173380,\"idstr\":\"3332910801173380\",\"created_at\":"
                     "\"Wed Aug 08 16:53:46 +0800 2011\",\"text\":\"天地玄黄\",\"sender_id\":1689924681,"
                     "\"recipient_id\":2125034703,\"sender\":{\"id\":1689924681,\"name\":\"%s\","
                     "\"verified\":false,\"followers_count\":12},\"recipient\":{\"id\":2125034703,"
                     "\"name\":\"宇宙洪荒\",\"verified\":true,\"followers_count\":34}}", filler);
    answer_len = (size_t)snprintf(answer, sizeof answer,
                                  "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                  "Content-Length: %d\r\n\r\n%s", n, body);
}

static void reply(connection_t *c, const char *bytes, size_t len)
{
    if (send(c->fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len && errno != EPIPE && errno != ECONNRESET)
        fail("an answer was not taken whole");
}

static void reply_count(connection_t *c)
{
    char body[32], bytes[128];
    int n = snprintf(body, sizeof body, "%lu", posts);
    int len = snprintf(bytes, sizeof bytes, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", n, body);
    posts = 0;
    reply(c, bytes, (size_t)len);
}

/* Answers every whole request in the buffer; 0 if the connection is to be closed. */
static int serve(connection_t *c)
{
    ssize_t got = recv(c->fd, c->bytes + c->len, sizeof c->bytes - 1 - c->len, 0);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    c->len += (size_t)got;
    for (;;) {
        c->bytes[c->len] = '\0';
        char *end = strstr(c->bytes, "\r\n\r\n");
        if (end == NULL)
            return c->len < sizeof c->bytes - 1;
        char *length = strcasestr(c->bytes, "\r\ncontent-length:");
        size_t body = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
        size_t whole = (size_t)(end + 4 - c->bytes) + body;
        if (c->len < whole)
            return whole < sizeof c->bytes;
        if (c->bytes[0] == 'G') {
            reply_count(c);
        } else {
            posts++;
            reply(c, answer, answer_len);
        }
        c->len -= whole;
        memmove(c->bytes, c->bytes + whole, c->len);
        if (c->len == 0)
            return 1;
    }
}

int main(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t at_len = sizeof at;
    struct epoll_event event = {.events = EPOLLIN}, events[256];
    int one = 1, epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    make_answer();
    if (epoll < 0 || listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) != 0 ||
        listen(listener, 1024) != 0 || getsockname(listener, (struct sockaddr *)&at, &at_len) != 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
        fail("listen");
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    for (;;) {
        int n = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < n; i++) {
            connection_t *c = events[i].data.ptr;
            if (c != NULL) {
                if (!serve(c)) {
                    close(c->fd);
                    free(c);
                }
                continue;
            }
            if ((c = calloc(1, sizeof *c)) == NULL || (c->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) < 0)
                fail("accept");
            setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            event.data.ptr = c;
            if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
                fail("epoll_ctl");
        }
    }
}
