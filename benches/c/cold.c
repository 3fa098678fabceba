/* Starts a program again and again, and tells how long it took from exec to exit.
 *
 *     bench-cold TIMES PROGRAM [ARGUMENT...]
 *
 * Prints a line of JSON: the medians of its wall time and of its CPU time. */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
    size_t times = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
    double *wall = calloc(times + 1, sizeof *wall), *cpu = calloc(times + 1, sizeof *cpu);
    if (times == 0 || wall == NULL || cpu == NULL) {
        fprintf(stderr, "usage: %s TIMES PROGRAM [ARGUMENT...]\n", argv[0]);
        return 2;
    }
    for (size_t i = 0; i < times; i++) {
        pid_t child;
        int status;
        struct rusage usage;
        double began = now_us();
        if (posix_spawn(&child, argv[2], NULL, NULL, argv + 2, environ) != 0 ||
            wait4(child, &status, 0, &usage) != child) {
            perror(argv[2]);
            return 1;
        }
        wall[i] = now_us() - began;
        cpu[i] = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            fprintf(stderr, "%s: it failed\n", argv[2]);
            return 1;
        }
    }
    qsort(wall, times, sizeof *wall, order);
    qsort(cpu, times, sizeof *cpu, order);
    printf("{\"wall_us\": %.0f, \"cpu_us\": %.0f}\n", wall[times / 2], cpu[times / 2]);
    free(wall);
    free(cpu);
    return 0;
}
