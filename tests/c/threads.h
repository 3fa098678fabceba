/* The threads that a program has by the library, as /proc shows them. */
#ifndef THREADS_H
#define THREADS_H

#include "check.h"

#include <dirent.h>
#include <sched.h>
#include <stdlib.h>

/* Those that were there before: that of main, and one of an emulator's own. */
static int noted[16], noted_count;

static int is_noted(int thread)
{
    for (int i = 0; i < noted_count; i++)
        if (noted[i] == thread)
            return 1;
    return 0;
}

/* How many there are by now. */
static int threads_since(int note)
{
    int found = 0;
    DIR *dir = opendir("/proc/self/task");
    CHECK(dir != NULL);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        int thread = atoi(entry->d_name);
        if (thread == 0 || is_noted(thread))
            continue;
        found++;
        if (note && noted_count < (int)(sizeof noted / sizeof *noted))
            noted[noted_count++] = thread;
    }
    closedir(dir);
    return found;
}

/* To be called before the library is asked for anything. */
static void note_threads(void)
{
    CHECK(threads_since(1) >= 1);
}

/* The kernel may list a thread for a moment after it was done. */
static void await_no_threads(void)
{
    while (threads_since(0) != 0)
        sched_yield();
}

#endif
