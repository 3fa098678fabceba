/* Many queues and many threads: each result once, in its queue; a queue is freed whatever is at it. */
#include "peer.h"

#include <pthread.h>

enum { QUEUES = 4, SENDERS = 3, EACH = 8 };

static hy_client_t *client;
static hy_queue_t *queues[QUEUES];

/* Each message names its queue and its place by its token. */
static void *send_to_all(void *number)
{
    uint64_t sender = (uint64_t)(uintptr_t)number;
    for (uint64_t i = 0; i < EACH; i++)
        for (uint64_t q = 0; q < QUEUES; q++)
            submit_into(client, queues[q], HELLO, (q * SENDERS + sender) * EACH + i);
    return NULL;
}

typedef struct {
    uint64_t queue;
    int seen[SENDERS * EACH];
} taker;

/* Takes results until the queue is closed and empty. */
static void *take_all(void *own)
{
    taker *t = own;
    for (;;) {
        hy_result_t *results[5];
        size_t count = 0;
        hy_error_t *error = hy_queue_wait_many(queues[t->queue], -1, results, 5, &count);
        if (error != NULL) {
            CHECK_INT(hy_error_code(error), HY_E_CLOSED);
            hy_error_free(error);
            return NULL;
        }
        for (size_t i = 0; i < count; i++) {
            uint64_t token = hy_result_token(results[i]);
            CHECK(token / (SENDERS * EACH) == t->queue);
            t->seen[token % (SENDERS * EACH)]++;
            RESULT(results[i], HY_SENT, HY_OK);
        }
    }
}

static void *interrupt_all(void *stopping)
{
    while (!*(volatile int *)stopping) {
        for (int q = 0; q < QUEUES; q++)
            hy_queue_interrupt(queues[q]);
        sched_yield();
    }
    return NULL;
}

static void many_queues(const char *sandbox)
{
    static taker takers[2 * QUEUES];
    pthread_t senders[SENDERS], taking[2 * QUEUES], interrupting;
    static volatile int stopping;
    uint64_t unfinished = 77;

    client = client_at(sandbox, "fanfou", "");
    for (int q = 0; q < QUEUES; q++)
        queues[q] = queue_of(client);
    for (int i = 0; i < 2 * QUEUES; i++) {
        takers[i].queue = (uint64_t)i / 2;
        CHECK_INT(pthread_create(&taking[i], NULL, take_all, &takers[i]), 0);
    }
    CHECK_INT(pthread_create(&interrupting, NULL, interrupt_all, (void *)&stopping), 0);
    for (uintptr_t i = 0; i < SENDERS; i++)
        CHECK_INT(pthread_create(&senders[i], NULL, send_to_all, (void *)i), 0);
    for (int i = 0; i < SENDERS; i++)
        CHECK_INT(pthread_join(senders[i], NULL), 0);
    stopping = 1;
    CHECK_INT(pthread_join(interrupting, NULL), 0);
    /* Those who wait learn of the end once they have taken everything. */
    OK(hy_close(client, -1, &unfinished));
    CHECK_INT(unfinished, 0);
    for (int i = 0; i < 2 * QUEUES; i++)
        CHECK_INT(pthread_join(taking[i], NULL), 0);
    for (int q = 0; q < QUEUES; q++) {
        for (int i = 0; i < SENDERS * EACH; i++)
            CHECK_INT(takers[2 * q].seen[i] + takers[2 * q + 1].seen[i], 1);
        hy_queue_free(queues[q]);
    }
    hy_free(client);
}

typedef struct {
    hy_queue_t *queue;
    volatile int stat;
} waiter;

/* Waits without end, in a queue that will be freed below it. */
static void *wait_for_ever(void *own)
{
    waiter *w = own;
    hy_result_t *result = UNTOUCHED;
    size_t count = 77;
    w->stat = own_stat();
    FAILS(hy_queue_wait_many(w->queue, -1, &result, 1, &count), HY_E_CLOSED);
    CHECK(result == UNTOUCHED && count == 77);
    return NULL;
}

static void freed_below_those_who_wait(const char *hostile)
{
    enum { N = 4 };
    static waiter waiting[N];
    pthread_t waiters[N];
    uint64_t unfinished = 77;

    client = client_at(hostile, "hang", "");
    hy_queue_t *queue = queue_of(client);
    submit_into(client, queue, HELLO, 1);
    await_count(hostile, "hang", 1);
    for (int i = 0; i < N; i++) {
        waiting[i].queue = queue;
        waiting[i].stat = -1;
        CHECK_INT(pthread_create(&waiters[i], NULL, wait_for_ever, &waiting[i]), 0);
        await_sleep(&waiting[i].stat);
    }
    hy_queue_free(queue);
    for (int i = 0; i < N; i++) {
        CHECK_INT(pthread_join(waiters[i], NULL), 0);
        close(waiting[i].stat);
    }
    /* Its send is still under way, and ends with the client. */
    OK(hy_close(client, 0, &unfinished));
    CHECK_INT(unfinished, 1);
    hy_free(client);
}

static void *send_with_a_queue_each(void *unused)
{
    for (uint64_t i = 0; i < EACH; i++) {
        hy_queue_t *queue = queue_of(client);
        for (uint64_t k = 0; k < 3; k++)
            submit_into(client, queue, HELLO, k);
        /* One is taken, the others end with the queue, before or after they are there. */
        RESULT(next_of(queue), HY_SENT, HY_OK);
        hy_queue_free(queue);
    }
    return unused;
}

static void queues_come_and_go(const char *sandbox)
{
    pthread_t senders[SENDERS];
    uint64_t unfinished = 77;
    hy_result_t *result = UNTOUCHED;

    client = client_at(sandbox, "fanfou", ",\"max_in_flight\":10000");
    for (int i = 0; i < SENDERS; i++)
        CHECK_INT(pthread_create(&senders[i], NULL, send_with_a_queue_each, NULL), 0);
    for (int i = 0; i < SENDERS; i++)
        CHECK_INT(pthread_join(senders[i], NULL), 0);
    OK(hy_flush(client, -1, &unfinished));
    CHECK_INT(unfinished, 0);
    OK(hy_wait(client, 0, &result));
    CHECK(result == NULL);
    char *stats = NULL;
    OK(hy_stats_json(client, &stats, NULL));
    CHECK_HAS(stats, "\"sent\":72");
    hy_string_free(stats);
    hy_free(client);
}

int main(int argc, char **argv)
{
    many_queues(sandbox_of(argc, argv));
    queues_come_and_go(sandbox_of(argc, argv));
    if (sleep_can_be_seen(argv))
        freed_below_those_who_wait(hostile_of(argc, argv));
    return 0;
}
