/* hy_queue_*: results of its own submits, apart from the client's queue. */
#include "peer.h"

static intptr_t handle_of(hy_queue_t *queue)
{
    intptr_t handle = -1, same = -1;
    OK(hy_queue_poll_handle(queue, &handle));
    OK(hy_queue_poll_handle(queue, &same));
    CHECK(handle >= 0);
    CHECK_INT(handle, same);
    return handle;
}

static void takes(hy_queue_t *queue, uint64_t token)
{
    hy_result_t *result = next_of(queue);
    CHECK(hy_result_token(result) == token);
    RESULT(result, HY_SENT, HY_OK);
}

/* A result comes out of the queue that its submit named, and of no other. */
static void each_has_its_own(const char *sandbox)
{
    enum { N = 12 };
    hy_client_t *client = client_at(sandbox, "fanfou", "");
    hy_queue_t *queues[3] = {queue_of(client), queue_of(client), NULL};
    int seen[N] = {0};

    for (uint64_t i = 0; i < N; i++)
        submit_into(client, queues[i % 3], HELLO, i);
    submit(client, HELLO, 100);
    OK(hy_flush(client, -1, &(uint64_t){0}));
    for (int q = 0; q < 2; q++) {
        for (int left = N / 3; left > 0;) {
            hy_result_t *results[3];
            size_t count = 0;
            OK(hy_queue_wait_many(queues[q], PATIENCE_MS, results, 3, &count));
            CHECK(count >= 1 && count <= 3);
            for (size_t i = 0; i < count; i++) {
                uint64_t token = hy_result_token(results[i]);
                CHECK(token < N && token % 3 == (uint64_t)q);
                seen[token]++;
                CHECK_INT(hy_result_origin(results[i]), HY_THIS_RUN);
                RESULT(results[i], HY_SENT, HY_OK);
            }
            left -= (int)count;
        }
        nothing_in(queues[q]);
    }
    /* No queue is the client's own. */
    for (int i = 0; i <= N / 3; i++) {
        hy_result_t *result = next_result(client);
        uint64_t token = hy_result_token(result);
        CHECK(token == 100 || token % 3 == 2);
        if (token < N)
            seen[token]++;
        RESULT(result, HY_SENT, HY_OK);
    }
    for (int i = 0; i < N; i++)
        CHECK_INT(seen[i], 1);
    hy_queue_free(queues[0]);
    hy_queue_free(queues[1]);
    hy_free(client);
}

/* An interrupt is remembered, once, by the queue that it was for. */
static void interrupts(const char *sandbox)
{
    hy_client_t *client = client_at(sandbox, "fanfou", "");
    hy_queue_t *one = queue_of(client), *two = queue_of(client);
    hy_result_t *result = UNTOUCHED;
    size_t count = 77;

    hy_queue_interrupt(one);
    hy_queue_interrupt(one);
    submit_into(client, two, HELLO, 1);
    submit(client, HELLO, 2);
    takes(two, 1);
    RESULT(next_result(client), HY_SENT, HY_OK);
    OK(hy_queue_wait_many(one, -1, &result, 1, &count));
    CHECK_INT(count, 0);
    CHECK(result == UNTOUCHED);
    submit_into(client, one, HELLO, 3);
    takes(one, 3);
    /* Nor does the client's reach a queue of its own. */
    hy_interrupt(client);
    submit_into(client, one, HELLO, 4);
    takes(one, 4);
    OK(hy_wait(client, -1, &result));
    CHECK(result == NULL);
    hy_queue_interrupt(NULL);
    hy_queue_free(two);
    hy_queue_free(one);
    hy_free(client);
}

/* Readable while results wait in this queue, and for good once the client is closed. */
static void poll_handles(const char *sandbox)
{
    hy_client_t *client = client_at(sandbox, "fanfou", "");
    hy_queue_t *queue = queue_of(client), *idle = queue_of(client);
    intptr_t handle = handle_of(queue), other = handle_of(idle), own = -1;

    OK(hy_poll_handle(client, &own));
    CHECK(handle != other && handle != own && other != own);
    CHECK_INT(is_raised(handle), 0);
    submit_into(client, queue, HELLO, 1);
    submit_into(client, queue, HELLO, 2);
    CHECK_INT(await_raised(handle, PATIENCE_MS), 1);
    OK(hy_flush(client, -1, &(uint64_t){0}));
    CHECK_INT(is_raised(handle), 1);
    takes(queue, 1);
    CHECK_INT(is_raised(handle), 1);
    takes(queue, 2);
    CHECK_INT(is_raised(handle), 0);
    CHECK_INT(is_raised(other), 0);
    CHECK_INT(is_raised(own), 0);

    /* One that is asked for while results wait is readable at once. */
    hy_queue_t *late = queue_of(client);
    submit_into(client, late, HELLO, 3);
    OK(hy_flush(client, -1, &(uint64_t){0}));
    CHECK_INT(is_raised(handle_of(late)), 1);

    OK(hy_close(client, 0, &(uint64_t){0}));
    CHECK_INT(is_raised(handle), 1);
    CHECK_INT(is_raised(other), 1);
    ended(queue);
    CHECK_INT(is_raised(handle), 1);
    takes(late, 3);
    CHECK_INT(is_raised(handle_of(late)), 1);
    hy_queue_free(late);
    hy_queue_free(queue);
    hy_queue_free(idle);
    hy_free(client);
}

/* The sends of a queue that is freed go on; their results end with it, and hold no room. */
static void freed_while_sends_go_on(const char *hostile)
{
    hy_client_t *client = client_at(hostile, "hold", ",\"max_in_flight\":4");
    hy_queue_t *queue = queue_of(client);
    uint64_t unfinished = 77;

    submit_into(client, queue, HELLO, 1);
    submit_into(client, queue, HELLO, 2);
    submit_into(client, queue, "{\"v\":1,\"account\":\"nobody\"}", 3);
    submit(client, HELLO, 4);
    FAILS(hy_submit_to(client, NULL, HELLO, HY_NTS, NULL, 0, 5, NULL), HY_E_FULL);
    await_count(hostile, "hold", 3);
    hy_queue_free(queue);
    /* The one that was there is gone, those under way still count. */
    submit(client, HELLO, 6);
    FAILS(hy_submit_json(client, HELLO, HY_NTS, 7, NULL), HY_E_FULL);
    release_held(hostile);
    OK(hy_flush(client, -1, &unfinished));
    CHECK_INT(unfinished, 0);
    CHECK_INT(hostile_count(hostile, "hold"), 4);
    submit(client, HELLO, 8);
    submit(client, HELLO, 9);
    for (int i = 0; i < 4; i++) {
        hy_result_t *result = next_result(client);
        uint64_t token = hy_result_token(result);
        CHECK(token == 4 || token == 6 || token == 8 || token == 9);
        RESULT(result, HY_SENT, HY_OK);
    }
    hy_free(client);
}

/* Close leaves every result in its queue; the queues outlive their client. */
static void the_client_ends(const char *sandbox, const char *hostile)
{
    hy_client_t *client = client_at(hostile, "hang", "");
    hy_queue_t *queue = queue_of(client), *unused = queue_of(client), *late = NULL;
    hy_op_t *op = UNTOUCHED;
    uint64_t unfinished = 77;
    intptr_t handle = -1;

    submit_into(client, queue, HELLO, 1);
    submit_into(client, queue, HELLO_LATER, 2);
    await_count(hostile, "hang", 1);
    OK(hy_close(client, 0, &unfinished));
    CHECK_INT(unfinished, 2);
    ended(unused);
    FAILS(hy_queue_new(client, &late), HY_E_CLOSED);
    FAILS(hy_submit_to(client, queue, HELLO, HY_NTS, NULL, 0, 3, &op), HY_E_CLOSED);
    CHECK(late == NULL && op == UNTOUCHED);
    for (int i = 0; i < 2; i++) {
        hy_result_t *result = next_of(queue);
        int32_t delivery = hy_result_token(result) == 1 ? HY_MAYBE_SENT : HY_NOT_SENT;
        RESULT(result, delivery, HY_E_CANCELLED);
    }
    ended(queue);
    hy_free(client);
    ended(queue);
    hy_queue_interrupt(queue);
    OK(hy_queue_poll_handle(unused, &handle));
    CHECK_INT(is_raised(handle), 1);
    hy_queue_free(unused);
    hy_queue_free(queue);

    /* What waits when the client is freed can still be taken, and one that nobody takes is freed. */
    client = client_at(sandbox, "fanfou", "");
    queue = queue_of(client);
    submit_into(client, queue, HELLO, 4);
    submit_into(client, queue, HELLO, 5);
    OK(hy_flush(client, -1, &unfinished));
    hy_free(client);
    takes(queue, 4);
    hy_queue_free(queue);
}

static void arguments(const char *sandbox)
{
    hy_client_t *client = client_at(sandbox, "fanfou", ""), *other = client_at(sandbox, "fanfou", "");
    hy_queue_t *queue = queue_of(client), *none = UNTOUCHED;
    hy_result_t *result = UNTOUCHED;
    size_t count = 77;
    intptr_t handle = -7;

    FAILS(hy_queue_new(NULL, &none), HY_E_ARGUMENT);
    FAILS(hy_queue_new(client, NULL), HY_E_ARGUMENT);
    FAILS(hy_queue_wait_many(NULL, 0, &result, 1, &count), HY_E_ARGUMENT);
    FAILS(hy_queue_wait_many(queue, 0, NULL, 1, &count), HY_E_ARGUMENT);
    FAILS(hy_queue_wait_many(queue, 0, &result, 0, &count), HY_E_ARGUMENT);
    FAILS(hy_queue_wait_many(queue, 0, &result, 1, NULL), HY_E_ARGUMENT);
    FAILS(hy_queue_poll_handle(NULL, &handle), HY_E_ARGUMENT);
    FAILS(hy_queue_poll_handle(queue, NULL), HY_E_ARGUMENT);
    FAILS_SAYING(hy_submit_to(other, queue, HELLO, HY_NTS, NULL, 0, 1, NULL), HY_E_ARGUMENT,
                 "another client");
    CHECK(none == UNTOUCHED && result == UNTOUCHED && count == 77 && handle == -7);
    hy_queue_interrupt(NULL);
    hy_queue_free(NULL);
    nothing_in(queue);
    hy_free(other);
    hy_queue_free(queue);
    hy_free(client);
}

int main(int argc, char **argv)
{
    const char *sandbox = sandbox_of(argc, argv), *hostile = hostile_of(argc, argv);

    arguments(sandbox);
    each_has_its_own(sandbox);
    interrupts(sandbox);
    poll_handles(sandbox);
    the_client_ends(sandbox, hostile);
    freed_while_sends_go_on(hostile);
    return 0;
}
