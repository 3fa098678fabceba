/* hy_poll_handle and hy_queue_poll_handle on Windows: events among others that a thread waits for. */
#include "../peer.h"

enum { N = 20 };

static HANDLE event_of(hy_client_t *client)
{
    intptr_t handle = 0;
    OK(hy_poll_handle(client, &handle));
    CHECK(handle != 0);
    return (HANDLE)handle;
}

static HANDLE event_of_queue(hy_queue_t *queue)
{
    intptr_t handle = 0;
    OK(hy_queue_poll_handle(queue, &handle));
    CHECK(handle != 0);
    return (HANDLE)handle;
}

static int is_set(HANDLE event)
{
    DWORD woken = WaitForSingleObject(event, 0);
    CHECK(woken == WAIT_OBJECT_0 || woken == WAIT_TIMEOUT);
    return woken == WAIT_OBJECT_0;
}

/* One thread serves the client's queue, another queue and an event of its own, as a program with a window
 * would by MsgWaitForMultipleObjects. */
static void among_others(const char *sandbox)
{
    hy_client_t *client = client_at(sandbox, "fanfou", "");
    hy_queue_t *queue = queue_of(client);
    HANDLE own = CreateEventA(NULL, FALSE, FALSE, NULL);
    HANDLE events[3] = {event_of(client), event_of_queue(queue), own};
    int taken[3] = {0}, seen[2 * N] = {0};

    CHECK(own != NULL);
    CHECK(WaitForMultipleObjects(3, events, FALSE, 0) == WAIT_TIMEOUT);
    for (uint64_t i = 0; i < N; i++) {
        submit(client, HELLO, i);
        submit_into(client, queue, HELLO, N + i);
    }
    while (taken[0] < N || taken[1] < N || taken[2] < 1) {
        if (taken[0] == N && taken[1] == N)
            CHECK(SetEvent(own));
        DWORD which = WaitForMultipleObjects(3, events, FALSE, PATIENCE_MS) - WAIT_OBJECT_0;
        CHECK(which < 3);
        hy_result_t *results[3];
        size_t count = 0;
        if (which == 0)
            OK(hy_wait_many(client, 0, results, 3, &count));
        else if (which == 1)
            OK(hy_queue_wait_many(queue, 0, results, 3, &count));
        else
            taken[2]++;
        /* A set event has results. */
        CHECK(which == 2 || count > 0);
        for (size_t i = 0; i < count; i++) {
            uint64_t token = hy_result_token(results[i]);
            CHECK(token / N == which);
            seen[token]++;
            RESULT(results[i], HY_SENT, HY_OK);
        }
        if (which < 2)
            taken[which] += (int)count;
    }
    for (int i = 0; i < 2 * N; i++)
        CHECK_INT(seen[i], 1);
    CHECK(WaitForMultipleObjects(3, events, FALSE, 0) == WAIT_TIMEOUT);
    CHECK(CloseHandle(own));
    hy_queue_free(queue);
    hy_free(client);
}

/* Set while a result waits, whoever has waited for it; reset by the last that is taken; set for good by the end. */
static void level_triggered(const char *sandbox)
{
    hy_client_t *client = client_at(sandbox, "fanfou", "");
    HANDLE event = event_of(client);
    hy_result_t *result = NULL;

    CHECK(event == event_of(client));
    CHECK(!is_set(event));
    submit(client, HELLO, 1);
    submit(client, HELLO, 2);
    OK(hy_flush(client, -1, NULL));
    for (int i = 0; i < 5; i++)
        CHECK(is_set(event));
    RESULT(next_result(client), HY_SENT, HY_OK);
    CHECK(is_set(event));
    RESULT(next_result(client), HY_SENT, HY_OK);
    CHECK(!is_set(event));
    OK(hy_wait(client, 0, &result));
    CHECK(result == NULL && !is_set(event));

    submit(client, HELLO, 3);
    CHECK_INT(WaitForSingleObject(event, PATIENCE_MS), WAIT_OBJECT_0);
    OK(hy_close(client, -1, NULL));
    CHECK(is_set(event));
    RESULT(next_result(client), HY_SENT, HY_OK);
    for (int i = 0; i < 5; i++) {
        CHECK(is_set(event));
        FAILS(hy_wait(client, 0, &result), HY_E_CLOSED);
    }
    hy_free(client);
}

static DWORD WINAPI wait_for(void *event)
{
    return WaitForSingleObject(event, PATIENCE_MS);
}

/* Whoever waits when the client is closed is woken, all of them. */
static void close_wakes_all(const char *sandbox)
{
    enum { THREADS = 4 };
    HANDLE threads[THREADS];
    hy_client_t *client = client_at(sandbox, "fanfou", "");
    hy_queue_t *queue = queue_of(client);
    HANDLE event = event_of(client), other = event_of_queue(queue);

    for (int i = 0; i < THREADS; i++) {
        threads[i] = CreateThread(NULL, 0, wait_for, i % 2 ? event : other, 0, NULL);
        CHECK(threads[i] != NULL);
    }
    OK(hy_close(client, -1, NULL));
    CHECK_INT(WaitForMultipleObjects(THREADS, threads, TRUE, PATIENCE_MS), WAIT_OBJECT_0);
    for (int i = 0; i < THREADS; i++) {
        DWORD woken = WAIT_FAILED;
        CHECK(GetExitCodeThread(threads[i], &woken));
        CHECK_INT(woken, WAIT_OBJECT_0);
        CHECK(CloseHandle(threads[i]));
    }
    hy_free(client);
    CHECK(is_set(other));
    hy_queue_free(queue);
}

int main(int argc, char **argv)
{
    among_others(sandbox_of(argc, argv));
    level_triggered(sandbox_of(argc, argv));
    close_wakes_all(sandbox_of(argc, argv));
    return 0;
}
