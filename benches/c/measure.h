/* What a client program measures of itself, and the line of JSON that it prints.
 *
 * benches/peers/src/measure.rs is the same in Rust. */
#ifndef MEASURE_H
#define MEASURE_H

#include "work.h"

#include <sys/resource.h>
#include <time.h>

typedef struct {
    uint64_t messages;
    uint64_t sent;
    uint64_t refused;
    uint32_t *latency_ns; /* of each measured message */
    uint64_t wall_ns;
    struct rusage usage;
} measure_t;

static inline uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Begins measuring this many messages; call it after the warm-up. */
static inline void measure_begin(measure_t *m, uint64_t messages)
{
    m->messages = messages;
    m->sent = m->refused = 0;
    /* Written to, so that its pages are there before measuring begins. */
    free(m->latency_ns);
    m->latency_ns = malloc((messages + 1) * sizeof *m->latency_ns);
    if (m->latency_ns == NULL) {
        perror("measure");
        exit(1);
    }
    memset(m->latency_ns, 0xff, (messages + 1) * sizeof *m->latency_ns);
    getrusage(RUSAGE_SELF, &m->usage);
    m->wall_ns = now_ns();
}

/* The message that is index-th since the beginning was sent, or refused as it should be. */
static inline void measure_answer(measure_t *m, uint64_t index, uint64_t began_ns, int sent)
{
    uint64_t took = now_ns() - began_ns;
    if (index < m->messages)
        m->latency_ns[index] = took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
    if (sent)
        m->sent++;
    else
        m->refused++;
}

static inline int measure_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static inline double measure_us(struct timeval end, struct timeval begin)
{
    return (double)(end.tv_sec - begin.tv_sec) * 1e6 + (double)(end.tv_usec - begin.tv_usec);
}

/* The highest resident size of this process so far. */
static inline long measure_vmhwm_kb(void)
{
    char line[256];
    long kb = -1;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmHWM: %ld kB", &kb) == 1)
            break;
    if (status != NULL)
        fclose(status);
    return kb;
}

/* Leaves with a failure if what became of the messages is not what has to. */
static inline void measure_check(const measure_t *m)
{
    uint64_t refused = m->messages / WORK_REFUSED_EVERY;
    if (m->refused == refused && m->sent == m->messages - refused)
        return;
    fprintf(stderr, "of %llu messages %llu were sent and %llu refused; %llu have to be refused\n",
            (unsigned long long)m->messages, (unsigned long long)m->sent,
            (unsigned long long)m->refused, (unsigned long long)refused);
    exit(1);
}

/* Ends measuring, checks the counts and prints the line. */
static inline void measure_end(measure_t *m, const char *version)
{
    uint64_t wall_ns = now_ns() - m->wall_ns;
    struct rusage end, begin = m->usage;
    getrusage(RUSAGE_SELF, &end);
    measure_check(m);

    double n = (double)m->messages;
    double user = measure_us(end.ru_utime, begin.ru_utime);
    double kernel = measure_us(end.ru_stime, begin.ru_stime);
    qsort(m->latency_ns, m->messages, sizeof *m->latency_ns, measure_order);
    printf("{\"version\": \"%s\", \"messages\": %llu, \"sent\": %llu, \"refused\": %llu,"
           " \"cpu_us\": %.3f, \"user_us\": %.3f, \"kernel_us\": %.3f, \"wall_us\": %.3f,"
           " \"voluntary\": %.4f, \"involuntary\": %.4f,"
           " \"p50_us\": %.1f, \"p99_us\": %.1f, \"vmhwm_kb\": %ld}\n",
           version, (unsigned long long)m->messages, (unsigned long long)m->sent,
           (unsigned long long)m->refused, (user + kernel) / n, user / n, kernel / n,
           (double)wall_ns / 1e3 / n, (double)(end.ru_nvcsw - begin.ru_nvcsw) / n,
           (double)(end.ru_nivcsw - begin.ru_nivcsw) / n,
           m->latency_ns[m->messages / 2] / 1e3, m->latency_ns[m->messages * 99 / 100] / 1e3,
           measure_vmhwm_kb());
    free(m->latency_ns);
    m->latency_ns = NULL;
}

/* What every client program is told:
 *
 *     PROGRAM MODE URL IN_FLIGHT MESSAGES [CA]
 *
 * MODE "once" sends one message without warm-up and prints nothing: its process is measured. */
typedef struct {
    const char *mode;
    const char *url;
    unsigned in_flight;
    uint64_t messages;
    const char *ca;
} measure_args_t;

static inline int measure_args(int argc, char **argv, measure_args_t *a)
{
    if (argc < 5 || argc > 6) {
        fprintf(stderr, "usage: %s MODE URL IN_FLIGHT MESSAGES [CA]\n", argv[0]);
        return 0;
    }
    *a = (measure_args_t){argv[1], argv[2], (unsigned)strtoul(argv[3], NULL, 10),
                          strtoull(argv[4], NULL, 10), argc > 5 ? argv[5] : NULL};
    if (a->in_flight == 0 || a->in_flight > 512 || a->messages == 0 ||
        (strcmp(a->mode, "once") != 0 && a->messages % WORK_REFUSED_EVERY != 0)) {
        fprintf(stderr, "IN_FLIGHT is 1 to 512, MESSAGES a multiple of %d\n", WORK_REFUSED_EVERY);
        return 0;
    }
    work_begin();
    return 1;
}

#endif
