/* Results in a loop of libuv.
 *
 *     cc loop_libuv.c -lhongyan -luv -o loop_libuv && ./loop_libuv [CONFIG.json] */
#include "loop.h"

#include <uv.h>

static void on_results(uv_poll_t *watched, int status, int events)
{
    (void)events;
    if (status < 0 || !loop_take(watched->data))
        uv_close((uv_handle_t *)watched, NULL); /* watches no more, and so the loop ends */
}

int main(int argc, char **argv)
{
    struct loop loop;
    loop_begin(&loop, argc, argv);

    uv_poll_t watched;
    uv_poll_init(uv_default_loop(), &watched, (int)loop.handle);
    watched.data = &loop;
    uv_poll_start(&watched, UV_READABLE, on_results);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);

    uv_loop_close(uv_default_loop());
    return loop_end(&loop);
}
