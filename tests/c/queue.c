/* hy_submit*, hy_wait*, hy_interrupt, hy_poll_handle: one result a token, however awaited. */
#include "peer.h"

/* Good and bad, at once or in threes: each token comes out exactly once. */
static void one_result_a_token(const char *sandbox)
{
    enum { N = 30 };
    hy_client_t *client = client_at(sandbox, "fanfou", "");
    int seen[N] = {0};

    for (uint64_t i = 0; i < N; i += 3) {
        const char *const jsons[] = {
            HELLO, "{\"v\":1,\"account\":\"ff\",\"to\":{\"user\":\"nobody\"},\"text\":\"t\"}",
            "{\"v\":1,\"account\":\"absent\",\"to\":{\"user\":\"x\"},\"text\":\"t\"}"};
        const size_t lens[] = {strlen(HELLO), HY_NTS, HY_NTS};
        const uint64_t tokens[] = {i, i + 1, i + 2};
        size_t accepted = 77;
        OK(hy_submit_many_json(client, jsons, lens, tokens, 3, &accepted));
        CHECK_INT(accepted, 3);
    }
    for (int left = N; left > 0;) {
        hy_result_t *results[7];
        size_t count = 0;
        OK(hy_wait_many(client, PATIENCE_MS, results, 7, &count));
        CHECK(count >= 1 && count <= 7);
        for (size_t i = 0; i < count; i++) {
            static const int32_t delivery[] = {HY_SENT, HY_NOT_SENT, HY_NOT_SENT};
            static const int32_t code[] = {HY_OK, HY_E_NOT_FOUND, HY_E_MESSAGE};
            uint64_t token = hy_result_token(results[i]);
            CHECK(token < N);
            seen[token]++;
            CHECK_INT(hy_result_origin(results[i]), HY_THIS_RUN);
            RESULT(results[i], delivery[token % 3], code[token % 3]);
        }
        left -= (int)count;
    }
    for (int i = 0; i < N; i++)
        CHECK_INT(seen[i], 1);

    /* Tokens are the caller's: 0, the largest, and the same one twice are fine. */
    submit(client, HELLO, UINT64_MAX);
    hy_result_t *result = next_result(client);
    CHECK(hy_result_token(result) == UINT64_MAX);
    hy_result_free(result);
    submit(client, HELLO, 0);
    submit(client, HELLO, 0);
    for (int i = 0; i < 2; i++) {
        result = next_result(client);
        CHECK_INT(hy_result_token(result), 0);
        hy_result_free(result);
    }
    OK(hy_wait(client, 0, &result));
    CHECK(result == NULL);

    /* Many stops at the first refused call; what came before it is accepted. */
    const char *const jsons[] = {HELLO, "{", HELLO};
    const size_t lens[] = {HY_NTS, HY_NTS, HY_NTS};
    const uint64_t tokens[] = {1, 2, 3};
    size_t accepted = 77;
    FAILS(hy_submit_many_json(client, jsons, lens, tokens, 3, &accepted), HY_E_ARGUMENT);
    CHECK_INT(accepted, 1);
    result = next_result(client);
    CHECK_INT(hy_result_token(result), 1);
    hy_result_free(result);
    OK(hy_flush(client, -1, &(uint64_t){0}));
    OK(hy_wait(client, 0, &result));
    CHECK(result == NULL);
    hy_free(client);
}

/* An interrupt with nobody waiting is kept for the next wait, once. */
static void sticky_interrupt(const char *sandbox)
{
    hy_client_t *client = client_at(sandbox, "fanfou", "");
    hy_result_t *result = UNTOUCHED, *results[2];
    size_t count = 77;

    hy_interrupt(client);
    OK(hy_wait(client, -1, &result));
    CHECK(result == NULL);
    hy_interrupt(client);
    hy_interrupt(client);
    OK(hy_wait_many(client, -1, results, 2, &count));
    CHECK_INT(count, 0);
    submit(client, HELLO, 1);
    RESULT(next_result(client), HY_SENT, HY_OK);
    hy_free(client);
}

static void poll_handle(const char *sandbox)
{
    hy_client_t *client = client_at(sandbox, "fanfou", "");
    intptr_t handle = -1, same = -1;
    uint64_t unfinished = 77;
    hy_result_t *result = NULL;

    OK(hy_poll_handle(client, &handle));
    OK(hy_poll_handle(client, &same));
    CHECK(handle >= 0);
    CHECK_INT(handle, same);
    CHECK_INT(is_raised(handle), 0);

    submit(client, HELLO, 1);
    submit(client, HELLO, 2);
    CHECK_INT(await_raised(handle, PATIENCE_MS), 1);
    OK(hy_flush(client, -1, &unfinished));

    /* Level-triggered: readable until the last result is taken. */
    CHECK_INT(is_raised(handle), 1);
    CHECK_INT(is_raised(handle), 1);
    OK(hy_wait(client, 0, &result));
    RESULT(result, HY_SENT, HY_OK);
    CHECK_INT(is_raised(handle), 1);
    OK(hy_wait(client, 0, &result));
    RESULT(result, HY_SENT, HY_OK);
    CHECK_INT(is_raised(handle), 0);

    /* And again; and for good once closed. */
    submit(client, HELLO, 3);
    CHECK_INT(await_raised(handle, PATIENCE_MS), 1);
    RESULT(next_result(client), HY_SENT, HY_OK);
    CHECK_INT(is_raised(handle), 0);
    OK(hy_close(client, 0, &unfinished));
    CHECK_INT(is_raised(handle), 1);
    FAILS(hy_wait(client, 0, &result), HY_E_CLOSED);
    CHECK_INT(is_raised(handle), 1);
    hy_free(client);
}

/* Past max_in_flight a submit is refused, and the detail says whose bound it was. */
static void full(const char *sandbox, const char *hostile)
{
    char account[512], config[2048];
    size_t accepted = 77;
    hy_result_t *result = NULL;
    hy_client_t *client = NULL;

    /* Two accounts: each may fill half. */
    fanfou_account(account, hostile, "hold");
    snprintf(config, sizeof config,
             "{\"v\":1,\"accounts\":{\"ff\":%s,\"gg\":%s},\"max_in_flight\":4}", account, account);
    OK(hy_init(config, HY_NTS, &client));
    submit(client, HELLO, 1);
    const char *const jsons[] = {HELLO, HELLO};
    const size_t lens[] = {HY_NTS, HY_NTS};
    const uint64_t tokens[] = {2, 3};
    FAILS_SAYING(hy_submit_many_json(client, jsons, lens, tokens, 2, &accepted), HY_E_FULL, "ff");
    CHECK_INT(accepted, 1);
    FAILS_SAYING(hy_submit_json(client, HELLO, HY_NTS, 3, NULL), HY_E_FULL, "ff");
    const char *other = "{\"v\":1,\"account\":\"gg\",\"to\":{\"user\":\"lisztli\"},"
                        "\"text\":\"t\"}";
    submit(client, other, 4);
    submit(client, other, 5);
    FAILS_SAYING(hy_submit_json(client, other, HY_NTS, 6, NULL), HY_E_FULL, "gg");

    /* Bounded until the result is taken, not until it is there. */
    release_held(hostile);
    OK(hy_flush(client, -1, &(uint64_t){0}));
    FAILS(hy_submit_json(client, HELLO, HY_NTS, 7, NULL), HY_E_FULL);
    for (int i = 0; i < 4; i++)
        RESULT(next_result(client), HY_SENT, HY_OK);
    OK(hy_wait(client, 0, &result));
    CHECK(result == NULL);
    submit(client, HELLO, 8);
    RESULT(next_result(client), HY_SENT, HY_OK);
    hy_free(client);

    /* The client's own bound. */
    client = client_at(sandbox, "fanfou", ",\"max_in_flight\":1");
    submit(client, HELLO_LATER, 1);
    FAILS_SAYING(hy_submit_json(client, HELLO, HY_NTS, 2, NULL), HY_E_FULL, "max_in_flight");
    hy_free(client);
}

int main(int argc, char **argv)
{
    one_result_a_token(sandbox_of(argc, argv));
    sticky_interrupt(sandbox_of(argc, argv));
    poll_handle(sandbox_of(argc, argv));
    full(sandbox_of(argc, argv), hostile_of(argc, argv));
    return 0;
}
