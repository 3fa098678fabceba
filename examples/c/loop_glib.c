/* Results in GLib's main loop, as in programs of GTK and GNOME.
 *
 *     cc loop_glib.c -lhongyan $(pkg-config --cflags --libs glib-2.0) -o loop_glib && ./loop_glib [CONFIG.json] */
#include "loop.h"

#include <glib-unix.h>

static GMainLoop *main_loop;

static gboolean on_results(gint handle, GIOCondition condition, gpointer data)
{
    (void)handle, (void)condition;
    if (loop_take(data))
        return G_SOURCE_CONTINUE;
    g_main_loop_quit(main_loop);
    return G_SOURCE_REMOVE;
}

int main(int argc, char **argv)
{
    struct loop loop;
    loop_begin(&loop, argc, argv);

    main_loop = g_main_loop_new(NULL, FALSE);
    g_unix_fd_add((gint)loop.handle, G_IO_IN, on_results, &loop);
    g_main_loop_run(main_loop);

    g_main_loop_unref(main_loop);
    return loop_end(&loop);
}
