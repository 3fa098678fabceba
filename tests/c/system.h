/* What differs between systems: sockets, what a poll handle is, and whether a thread's sleep can be seen. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include "check.h"

#include <sched.h>
#include <stddef.h>

#ifdef _WIN32

#include <winsock2.h>
#include <ws2tcpip.h>

typedef SOCKET socket_t;

static inline socket_t stream_socket(void)
{
    WSADATA data;
    CHECK_INT(WSAStartup(MAKEWORD(2, 2), &data), 0);
    socket_t made = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(made != INVALID_SOCKET);
    return made;
}

static inline ptrdiff_t read_socket(socket_t from, char *bytes, size_t room)
{
    return recv(from, bytes, (int)room, 0);
}

static inline ptrdiff_t write_socket(socket_t to, const char *bytes, size_t len)
{
    return send(to, bytes, (int)len, 0);
}

static inline void close_socket(socket_t open)
{
    CHECK_INT(closesocket(open), 0);
    CHECK_INT(WSACleanup(), 0);
}

/* A poll handle is an event. To wait for it changes nothing, since it is reset by hand. */
static inline int await_raised(intptr_t handle, int timeout_ms)
{
    DWORD woken = WaitForSingleObject((HANDLE)handle, (DWORD)timeout_ms);
    CHECK(woken == WAIT_OBJECT_0 || woken == WAIT_TIMEOUT);
    return woken == WAIT_OBJECT_0;
}

#else

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

typedef int socket_t;

static inline socket_t stream_socket(void)
{
    socket_t made = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(made >= 0);
    return made;
}

static inline ptrdiff_t read_socket(socket_t from, char *bytes, size_t room)
{
    return recv(from, bytes, room, 0);
}

static inline ptrdiff_t write_socket(socket_t to, const char *bytes, size_t len)
{
    return send(to, bytes, len, MSG_NOSIGNAL);
}

static inline void close_socket(socket_t open)
{
    CHECK_INT(close(open), 0);
}

/* A poll handle is a descriptor, which is readable while raised. */
static inline int await_raised(intptr_t handle, int timeout_ms)
{
    struct pollfd look = {(int)handle, POLLIN, 0};
    int n = poll(&look, 1, timeout_ms);
    CHECK(n >= 0);
    CHECK((look.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0);
    return n;
}

#endif

static inline int is_raised(intptr_t handle)
{
    return await_raised(handle, 0);
}

#ifdef __linux__

#define SLEEP_CAN_BE_SEEN 1

/* The calling thread's own stat file, held open: it shows others whether it sleeps. */
static inline int own_stat(void)
{
    int fd = open("/proc/thread-self/stat", O_RDONLY);
    CHECK(fd >= 0);
    __sync_synchronize();
    return fd;
}

/* Comes back once the thread sleeps that has shown its stat file there. */
static inline void await_sleep(const volatile int *shown)
{
    for (;;) {
        char stat[512];
        if (*shown >= 0) {
            ssize_t n = pread(*shown, stat, sizeof stat - 1, 0);
            CHECK(n > 0);
            stat[n] = '\0';
            const char *name_end = strrchr(stat, ')');
            CHECK(name_end != NULL);
            if (name_end[2] == 'S')
                return;
        }
        sched_yield();
    }
}

#else

#define SLEEP_CAN_BE_SEEN 0

/* Nobody calls these where it cannot be seen. */
static inline int own_stat(void)
{
    return 0;
}

static inline void await_sleep(const volatile int *shown)
{
    (void)shown;
    abort();
}

#endif

#endif
