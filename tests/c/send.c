/* hy_send_json and hy_send: one blocking send and the truth about it. */
#include "peer.h"

static void success(const char *sandbox)
{
    hy_client_t *client = client_of_two(sandbox, "");
    hy_result_t *result = send_json(client, HELLO);
    IS(result, HY_SENT, HY_OK);
    CHECK_INT(hy_result_token(result), 0);
    CHECK_INT(hy_result_origin(result), HY_THIS_RUN);
    CHECK(hy_result_message_id(result, NULL) != NULL);
    OK(hy_result_ack(client, result));

    /* The id is the one that the service stored. */
    char id[128];
    snprintf(id, sizeof id, "\"id\":\"%s\"", hy_result_message_id(result, NULL));
    char *stored = delivered(sandbox);
    CHECK_HAS(stored, id);
    free(stored);
    hy_result_free(result);

    hy_message_t *message = NULL;
    OK(hy_message_new("im", 2, &message));
    OK(hy_message_to(message, "group", 5, "@TGS#2C5SZEAEF", HY_NTS));
    OK(hy_message_set_text(message, "built", HY_NTS));
    OK(hy_send(client, message, PATIENCE_MS, &result));
    hy_message_free(message);
    IS(result, HY_SENT, HY_OK);
    CHECK(hy_result_message_id(result, NULL) != NULL);
    hy_result_free(result);

    /* A blocking send's result is its caller's: the queue never sees it. */
    OK(hy_wait(client, 0, &result));
    CHECK(result == NULL);
    hy_free(client);
}

static void refusals(const char *sandbox)
{
    hy_client_t *client = client_of_two(sandbox, "");
    RESULT(send_json(client, "{\"v\":1,\"account\":\"ff\",\"to\":{\"user\":\"nobody\"},"
                             "\"text\":\"t\"}"),
           HY_NOT_SENT, HY_E_NOT_FOUND);

    hy_result_t *result =
        send_json(client, "{\"v\":1,\"account\":\"im\",\"to\":{\"group\":\"@TGS#NOSUCHGROUP\"},"
                          "\"text\":\"t\"}");
    IS(result, HY_NOT_SENT, HY_E_NOT_FOUND);
    CHECK_INT(hy_error_is_retryable(hy_result_error(result)), 0);
    CHECK_HAS(hy_error_detail_json(hy_result_error(result), NULL), "\"service_code\":\"100");
    hy_result_free(result);
    hy_free(client);
}

/* Time-out 0 makes no request, whatever could have become of it. */
static void no_time(const char *hostile)
{
    hy_client_t *client = client_at(hostile, "count", "");
    hy_message_t *message = NULL;
    hy_result_t *result = NULL;

    OK(hy_send_json(client, HELLO, HY_NTS, 0, &result));
    CHECK_HAS(hy_result_json(result, NULL), "\"attempts\":0");
    RESULT(result, HY_NOT_SENT, HY_E_TIMEOUT);

    OK(hy_message_new("ff", 2, &message));
    OK(hy_message_to(message, "user", 4, "lisztli", 7));
    OK(hy_message_set_text(message, "t", 1));
    OK(hy_send(client, message, 0, &result));
    RESULT(result, HY_NOT_SENT, HY_E_TIMEOUT);
    CHECK_INT(hostile_count(hostile, "count"), 0);

    OK(hy_send(client, message, PATIENCE_MS, &result));
    RESULT(result, HY_SENT, HY_OK);
    CHECK_INT(hostile_count(hostile, "count"), 1);
    hy_message_free(message);
    hy_free(client);
}

/* The caller's time runs out: `timeout` with the delivery that is true. */
static void time_runs_out(const char *hostile)
{
    hy_client_t *client = client_at(hostile, "hang", "");
    int32_t delivery = HY_NOT_SENT;

    /* A slow machine may not even get the request out: then it says so, and gets more time. */
    for (int64_t ms = 100; delivery == HY_NOT_SENT; ms *= 2) {
        hy_result_t *result = NULL;
        CHECK_INT(hostile_count(hostile, "hang"), 0);
        OK(hy_send_json(client, HELLO, HY_NTS, ms, &result));
        delivery = hy_result_delivery(result);
        CHECK_HAS(hy_result_json(result, NULL), "\"deadline\":true");
        if (delivery == HY_MAYBE_SENT)
            CHECK_INT(hy_error_is_retryable(hy_result_error(result)), 0);
        RESULT(result, delivery, HY_E_TIMEOUT);
    }
    CHECK_INT(delivery, HY_MAYBE_SENT);
    hy_free(client);
}

/* Answers that are none: one request, and an honest doubt. */
static void doubts(const char *hostile)
{
    static const struct {
        const char *behaviour;
        int32_t code;
    } cases[] = {{"reset", HY_E_NETWORK}, {"close", HY_E_NETWORK}, {"garbage", HY_E_PROTOCOL}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        hy_client_t *client = client_at(hostile, cases[i].behaviour, "");
        hy_result_t *result = send_json(client, HELLO);
        CHECK_INT(hy_error_is_retryable(hy_result_error(result)), 0);
        RESULT(result, HY_MAYBE_SENT, cases[i].code);
        CHECK_INT(hostile_count(hostile, cases[i].behaviour), 1);
        hy_free(client);
    }
}

int main(int argc, char **argv)
{
    success(sandbox_of(argc, argv));
    refusals(sandbox_of(argc, argv));
    no_time(hostile_of(argc, argv));
    time_runs_out(hostile_of(argc, argv));
    doubts(hostile_of(argc, argv));
    return 0;
}
