/* The server of the benchmarks: one thread, epoll, http and https; it answers as Weibo does, and as those of
 * services.h.
 *
 *     bench-server CERTIFICATE KEY
 *
 * Prints its two ports as JSON, and serves until its parent ends it. The path of a message begins
 * with the size of the answer ("/1500"); a message to the stranger is refused. GET /counters says
 * what was counted since it was last asked. A request that it does not understand ends it: then the
 * client's run fails, and the figures with it. */
#define _GNU_SOURCE
#include "answers.h"
#include "services.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    int fd;
    SSL *tls;  /* NULL: plain */
    int posts; /* whether it has carried a message */
    size_t len;
    char bytes[16384];
} connection_t;

/* Since the last time that they were asked for. */
static struct {
    uint64_t connections; /* that carried their first message */
    uint64_t open, most_open;
    uint64_t messages, refused;
} counters;

static uint64_t last_id = 3332910801173380;

static void fail(const char *what)
{
    fprintf(stderr, "bench-server: %s: %s\n", what, strerror(errno));
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* Writes the whole answer; there is room for it, for there is one answer under way at a time. */
static void reply(connection_t *c, const char *bytes, size_t len)
{
    ssize_t n = c->tls != NULL ? SSL_write(c->tls, bytes, (int)len)
                               : send(c->fd, bytes, len, MSG_NOSIGNAL);
    if (n != (ssize_t)len && errno != EPIPE && errno != ECONNRESET)
        fail("an answer was not taken whole");
}

static void reply_counters(connection_t *c)
{
    char body[512], bytes[1024];
    int n = snprintf(body, sizeof body,
                     "{\"connections\": %llu, \"most_open\": %llu, \"messages\": %llu,"
                     " \"refused\": %llu}",
                     (unsigned long long)counters.connections,
                     (unsigned long long)counters.most_open,
                     (unsigned long long)counters.messages, (unsigned long long)counters.refused);
    n = snprintf(bytes, sizeof bytes, ANSWER_HEAD "%s", "200 OK", (size_t)n, body);
    counters.connections = counters.messages = counters.refused = 0;
    counters.most_open = counters.open;
    reply(c, bytes, (size_t)n);
}

/* The answers of the other services, in their order: to what is sent, and to what is refused. */
static answer_t service_answers[sizeof bench_services / sizeof *bench_services][2];

static void services_begin(void)
{
    for (size_t i = 0; i < sizeof bench_services / sizeof *bench_services; i++) {
        const bench_service_t *s = &bench_services[i];
        answer_finish(&service_answers[i][0], "200 OK", s->sent, strlen(s->sent));
        answer_finish(&service_answers[i][1], s->status, s->refused, strlen(s->refused));
    }
}

/* The answers of the service whose path this is, behind the size of Weibo's answers; NULL: none's. */
static answer_t *service_for(const char *path)
{
    const char *own = strchr(path + 1, '/');
    for (size_t i = 0; own != NULL && i < sizeof bench_services / sizeof *bench_services; i++)
        if (strncmp(own, bench_services[i].path, strlen(bench_services[i].path)) == 0)
            return service_answers[i];
    return NULL;
}

static answer_t *answer_for(const char *path)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        size_t len = strlen(answers[i].prefix);
        if (strncmp(path, answers[i].prefix, len) == 0 &&
            strncmp(path + len, WORK_PATH " ", sizeof WORK_PATH) == 0)
            return &answers[i];
    }
    return NULL;
}

static void reply_message(connection_t *c, const char *body, size_t len)
{
    answer_t *answer = answer_for(c->bytes + strlen("POST "));
    answer_t *others = answer == NULL ? service_for(c->bytes + strlen("POST ")) : NULL;
    if (others == NULL && (answer == NULL || memmem(body, len, "access_token=" WORK_TOKEN,
                                 sizeof "access_token=" WORK_TOKEN - 1) == NULL)) {
        fprintf(stderr, "bench-server: not a message: %.200s\n", c->bytes);
        exit(1);
    }
    if (!c->posts) {
        c->posts = 1;
        counters.connections++;
        if (++counters.open > counters.most_open)
            counters.most_open = counters.open;
    }
    counters.messages++;
    const char *stranger = others != NULL ? WORK_STRANGER : "uid=" WORK_STRANGER;
    if (memmem(body, len, stranger, strlen(stranger)) != NULL) {
        counters.refused++;
        answer = others != NULL ? &others[1] : &answer_refusal;
    } else if (others != NULL) {
        answer = &others[0];
    } else {
        answer_number(answer, ++last_id);
    }
    reply(c, answer->bytes, answer->len);
}

/* Answers the request that has been read, if it is whole. */
static void serve(connection_t *c)
{
    c->bytes[c->len] = '\0';
    char *end = memmem(c->bytes, c->len, "\r\n\r\n", 4);
    if (end == NULL)
        return;
    size_t head = (size_t)(end + 4 - c->bytes);
    end[2] = '\0';
    const char *field = strcasestr(c->bytes, "\r\ncontent-length:");
    size_t length = field == NULL ? 0 : strtoul(field + 17, NULL, 10);
    end[2] = '\r';
    if (c->len < head + length)
        return;
    if (strncmp(c->bytes, "GET /counters ", 14) == 0)
        reply_counters(c);
    else if (strncmp(c->bytes, "POST ", 5) == 0 && c->len == head + length)
        reply_message(c, c->bytes + head, length);
    else {
        fprintf(stderr, "bench-server: not a request: %.200s\n", c->bytes);
        exit(1);
    }
    c->len = 0;
}

static void hang_up(connection_t *c)
{
    if (c->posts)
        counters.open--;
    if (c->tls != NULL) {
        ERR_clear_error();
        SSL_free(c->tls);
    }
    close(c->fd);
    free(c);
}

static void readable(connection_t *c)
{
    for (;;) {
        size_t room = sizeof c->bytes - 1 - c->len;
        if (room == 0) {
            fprintf(stderr, "bench-server: a request is too long\n");
            exit(1);
        }
        ssize_t n;
        if (c->tls != NULL) {
            n = SSL_read(c->tls, c->bytes + c->len, (int)room);
            if (n <= 0 && SSL_get_error(c->tls, (int)n) == SSL_ERROR_WANT_READ)
                return;
        } else {
            n = recv(c->fd, c->bytes + c->len, room, 0);
            if (n < 0 && errno == EAGAIN)
                return;
        }
        if (n <= 0) {
            hang_up(c);
            return;
        }
        c->len += (size_t)n;
        serve(c);
        if (c->tls == NULL)
            return;
    }
}

static int listener(unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 1024) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        fail("listen");
    *port = ntohs(address.sin_port);
    return fd;
}

static void accept_from(int fd, int epoll, SSL_CTX *tls)
{
    int yes = 1;
    int accepted = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0)
        return;
    connection_t *c = malloc(sizeof *c);
    if (c == NULL)
        fail("malloc");
    c->fd = accepted;
    c->tls = NULL;
    c->posts = 0;
    c->len = 0;
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (tls != NULL) {
        c->tls = SSL_new(tls);
        if (c->tls == NULL || SSL_set_fd(c->tls, accepted) != 1)
            fail("SSL_new");
        SSL_set_accept_state(c->tls);
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, accepted, &event) != 0)
        fail("epoll_ctl");
}

static SSL_CTX *tls_new(const char *certificate, const char *key)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (tls == NULL || SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) != 1 ||
        SSL_CTX_use_certificate_chain_file(tls, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
        fail("the certificate");
    return tls;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s CERTIFICATE KEY\n", argv[0]);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    answers_begin();
    services_begin();
    SSL_CTX *tls = tls_new(argv[1], argv[2]);
    unsigned ports[2];
    int listeners[2] = {listener(&ports[0]), listener(&ports[1])};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < 2; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listeners[i]};
        if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listeners[i], &event) != 0)
            fail("epoll");
    }
    printf("{\"http\": %u, \"https\": %u}\n", ports[0], ports[1]);
    fflush(stdout);

    for (;;) {
        struct epoll_event events[64];
        int n = epoll_wait(epoll, events, 64, -1);
        if (n < 0 && errno != EINTR)
            fail("epoll_wait");
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &listeners[0])
                accept_from(listeners[0], epoll, NULL);
            else if (events[i].data.ptr == &listeners[1])
                accept_from(listeners[1], epoll, tls);
            else
                readable(events[i].data.ptr);
        }
    }
}
