/* Sends the messages as bytes made beforehand, and only frames the answers: the floor.
 *
 *     bench-raw raw URL IN_FLIGHT MESSAGES
 *
 * One connection for each message in flight, over epoll; an answer is its status and its length. */
#define _GNU_SOURCE
#include "measure.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* So many different requests: a multiple of the accounts, lengths and refusals. */
#define REQUESTS 600

typedef struct {
    int fd;
    char answer[16384];
    size_t len;
    uint64_t index;
    uint64_t began;
} connection_t;

static char *requests[REQUESTS];
static size_t request_lens[REQUESTS];

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* Percent-encodes what a form does not take as it is. */
static size_t escape(char *out, const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    char *p = out;
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
            *p++ = (char)c;
        } else {
            *p++ = '%';
            *p++ = hex[c >> 4];
            *p++ = hex[c & 15];
        }
    }
    *p = '\0';
    return (size_t)(p - out);
}

static void requests_new(const char *host, const char *prefix)
{
    char form[8192], text[8192];
    for (unsigned i = 0; i < REQUESTS; i++) {
        work_message_t m;
        work_message(i, &m);
        escape(text, m.text);
        int n = snprintf(form, sizeof form, "access_token=%s%u&text=%s&uid=%s", WORK_TOKEN,
                         m.account, text, m.uid);
        int len = asprintf(&requests[i],
                           "POST %s%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench-raw\r\n"
                           "Accept: */*\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                           "Content-Length: %d\r\n\r\n%s",
                           prefix, WORK_PATH, host, n, form);
        if (len < 0)
            fail("asprintf");
        request_lens[i] = (size_t)len;
    }
}

static void begin(connection_t *c, uint64_t number, uint64_t index)
{
    c->began = now_ns();
    c->index = index;
    c->len = 0;
    size_t len = request_lens[number % REQUESTS];
    if (send(c->fd, requests[number % REQUESTS], len, MSG_NOSIGNAL) != (ssize_t)len)
        fail("send");
}

/* Reads what is there: 1 sent, 0 refused, -1 not yet whole. */
static int answered(connection_t *c)
{
    ssize_t n = recv(c->fd, c->answer + c->len, sizeof c->answer - 1 - c->len, 0);
    if (n <= 0)
        fail("recv");
    c->len += (size_t)n;
    c->answer[c->len] = '\0';
    char *end = strstr(c->answer, "\r\n\r\n");
    char *length = end == NULL ? NULL : strstr(c->answer, "Content-Length: ");
    if (length == NULL || length > end)
        return -1;
    size_t whole = (size_t)(end + 4 - c->answer) + strtoul(length + 16, NULL, 10);
    if (c->len < whole)
        return -1;
    int status = atoi(c->answer + 9);
    if (c->len > whole || (status != 200 && status != 403)) {
        fprintf(stderr, "status %d, %zu bytes too many\n", status, c->len - whole);
        exit(1);
    }
    return status == 200;
}

static void run(int epoll, connection_t *connections, measure_t *m, uint64_t first,
                uint64_t count, unsigned in_flight)
{
    uint64_t begun = 0, ended = 0;
    for (; begun < in_flight && begun < count; begun++)
        begin(&connections[begun], first + begun, begun);
    while (ended < count) {
        struct epoll_event events[64];
        int n = epoll_wait(epoll, events, 64, 10000);
        if (n <= 0)
            fail("epoll_wait");
        for (int i = 0; i < n; i++) {
            connection_t *c = events[i].data.ptr;
            int sent = answered(c);
            if (sent < 0)
                continue;
            measure_answer(m, c->index, c->began, sent);
            ended++;
            if (begun < count) {
                begin(c, first + begun, begun);
                begun++;
            }
        }
    }
}

int main(int argc, char **argv)
{
    measure_args_t a;
    measure_t m = {0};
    char host[64], prefix[64] = "", ip[64];
    unsigned port;
    if (!measure_args(argc, argv, &a))
        return 2;
    if (sscanf(a.url, "http://%63[^/]%63s", host, prefix) < 1 ||
        sscanf(host, "%63[0-9.]:%u", ip, &port) != 2) {
        fprintf(stderr, "URL is http://ADDRESS:PORT/PREFIX\n");
        return 2;
    }
    requests_new(host, prefix);

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, ip, &address.sin_addr);
    connection_t *connections = calloc(a.in_flight, sizeof *connections);
    int epoll = epoll_create1(EPOLL_CLOEXEC), yes = 1;
    if (connections == NULL || epoll < 0)
        fail("epoll_create1");
    for (unsigned i = 0; i < a.in_flight; i++) {
        connection_t *c = &connections[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0)
            fail("connect");
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
            fail("epoll_ctl");
    }
    measure_begin(&m, WORK_WARM_UP);
    run(epoll, connections, &m, 0, WORK_WARM_UP, a.in_flight);
    measure_check(&m);
    measure_begin(&m, a.messages);
    run(epoll, connections, &m, WORK_WARM_UP, a.messages, a.in_flight);
    measure_end(&m, "-");
    for (unsigned i = 0; i < a.in_flight; i++)
        close(connections[i].fd);
    close(epoll);
    free(connections);
    for (unsigned i = 0; i < REQUESTS; i++)
        free(requests[i]);
    return 0;
}
