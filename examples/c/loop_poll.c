/* Results in a loop of poll().
 *
 *     cc loop_poll.c -lhongyan -o loop_poll && ./loop_poll [CONFIG.json] */
#include "loop.h"

#include <poll.h>

int main(int argc, char **argv)
{
    struct loop loop;
    loop_begin(&loop, argc, argv);

    struct pollfd watched = {(int)loop.handle, POLLIN, 0};
    do {
        if (poll(&watched, 1, -1) < 0)
            return EXIT_FAILURE;
    } while (loop_take(&loop));

    return loop_end(&loop);
}
