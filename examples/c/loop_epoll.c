/* Results in a loop of epoll, on Linux.
 *
 *     cc loop_epoll.c -lhongyan -o loop_epoll && ./loop_epoll [CONFIG.json] */
#include "loop.h"

#include <sys/epoll.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct loop loop;
    loop_begin(&loop, argc, argv);

    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event watched = {EPOLLIN, {.ptr = &loop}}, event;
    epoll_ctl(epoll, EPOLL_CTL_ADD, (int)loop.handle, &watched);
    do {
        if (epoll_wait(epoll, &event, 1, -1) < 0)
            return EXIT_FAILURE;
    } while (loop_take(event.data.ptr));
    epoll_ctl(epoll, EPOLL_CTL_DEL, (int)loop.handle, NULL);

    close(epoll);
    return loop_end(&loop);
}
