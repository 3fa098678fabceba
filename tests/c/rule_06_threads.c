/* Rule 6: any function may be called from any thread; callers inside when hy_free begins come
 * back with `closed`. */
#include "peer.h"

#include <pthread.h>

enum { THREADS = 6, EACH = 10 };

static hy_client_t *client;

static void *use_everything(void *number)
{
    uint64_t first = (uint64_t)(uintptr_t)number * EACH;
    for (uint64_t i = 0; i < EACH; i++) {
        hy_message_t *message = NULL;
        hy_result_t *result = NULL;
        char *stats = NULL;
        OK(hy_message_new("ff", 2, &message));
        OK(hy_message_to(message, "user", 4, "lisztli", 7));
        OK(hy_message_set_text(message, "from a thread", HY_NTS));
        OK(hy_submit(client, message, first + i, NULL));
        OK(hy_send(client, message, PATIENCE_MS, &result));
        hy_message_free(message);
        RESULT(result, HY_SENT, HY_OK);
        OK(hy_stats_json(client, &stats, NULL));
        hy_string_free(stats);
        hy_interrupt(client);
    }
    return NULL;
}

/* Takes results until the queue is closed and empty; counts what each token got. */
static void *take_everything(void *seen)
{
    int *counts = seen;
    for (;;) {
        hy_result_t *results[8];
        size_t count = 0;
        hy_error_t *error = hy_wait_many(client, -1, results, 8, &count);
        if (error != NULL) {
            CHECK_INT(hy_error_code(error), HY_E_CLOSED);
            hy_error_free(error);
            return NULL;
        }
        for (size_t i = 0; i < count; i++) {
            CHECK(hy_result_token(results[i]) < THREADS * EACH);
            counts[hy_result_token(results[i])]++;
            RESULT(results[i], HY_SENT, HY_OK);
        }
    }
}

static void many_threads(const char *sandbox)
{
    static int counts[2][THREADS * EACH];
    pthread_t senders[THREADS], takers[2];
    uint64_t unfinished = 77;

    client = client_at(sandbox, "fanfou", "");
    for (int i = 0; i < 2; i++)
        CHECK_INT(pthread_create(&takers[i], NULL, take_everything, counts[i]), 0);
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&senders[i], NULL, use_everything, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        CHECK_INT(pthread_join(senders[i], NULL), 0);
    OK(hy_close(client, -1, &unfinished));
    CHECK_INT(unfinished, 0);
    for (int i = 0; i < 2; i++)
        CHECK_INT(pthread_join(takers[i], NULL), 0);
    for (int i = 0; i < THREADS * EACH; i++)
        CHECK_INT(counts[0][i] + counts[1][i], 1);
    hy_free(client);
}

static void *send_for_ever(void *unused)
{
    hy_result_t *result = NULL;
    hy_error_t *error = hy_send_json(client, HELLO, HY_NTS, -1, &result);
    if (error != NULL) {
        CHECK_INT(hy_error_code(error), HY_E_CLOSED);
        hy_error_free(error);
    } else {
        /* The request was on its way: its truth comes back too. */
        CHECK_INT(hy_result_delivery(result), HY_MAYBE_SENT);
        hy_result_free(result);
    }
    return unused;
}

/* Where the waiting thread shows what it does. It sleeps nowhere but inside hy_wait. */
static volatile int waiter_stat = -1;

static void *wait_for_ever(void *unused)
{
    hy_result_t *result = UNTOUCHED;
    waiter_stat = own_stat();
    FAILS(hy_wait(client, -1, &result), HY_E_CLOSED);
    CHECK(result == UNTOUCHED);
    return unused;
}

static void free_with_callers_inside(const char *hostile, int with_waiter)
{
    pthread_t sender, waiter;

    client = client_at(hostile, "hang", "");
    CHECK_INT(pthread_create(&sender, NULL, send_for_ever, NULL), 0);
    await_count(hostile, "hang", 1);
    if (with_waiter) {
        CHECK_INT(pthread_create(&waiter, NULL, wait_for_ever, NULL), 0);
        await_sleep(&waiter_stat);
    }
    hy_free(client);
    CHECK_INT(pthread_join(sender, NULL), 0);
    if (with_waiter) {
        CHECK_INT(pthread_join(waiter, NULL), 0);
        close(waiter_stat);
    }
}

int main(int argc, char **argv)
{
    many_threads(sandbox_of(argc, argv));
    free_with_callers_inside(hostile_of(argc, argv), sleep_can_be_seen(argv));
    return 0;
}
