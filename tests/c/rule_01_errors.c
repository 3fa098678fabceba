/* Rule 1: a function that can fail returns an error, NULL being success; the caller owns it, and
 * out pointers are written only on success. */
#include "peer.h"

static void check_error(hy_error_t *error, int32_t code, const char *name)
{
    char number[32];
    size_t message_len = 0, detail_len = 0;

    CHECK(error != NULL);
    CHECK_INT(hy_error_code(error), code);
    CHECK_TEXT(hy_error_name(error), name);
    const char *message = hy_error_message(error, &message_len);
    CHECK(message_len > 0 && message_len == strlen(message));
    const char *detail = hy_error_detail_json(error, &detail_len);
    CHECK(detail_len > 0 && detail_len == strlen(detail));
    snprintf(number, sizeof number, "\"code\":%d", (int)code);
    CHECK_HAS(detail, number);
    CHECK_HAS(detail, name);
    CHECK_INT(hy_error_is_retryable(error), 0);
    CHECK_INT(hy_error_retry_after_ms(error), -1);
    hy_error_free(error);
}

int main(int argc, char **argv)
{
    const char *sandbox = sandbox_of(argc, argv);

    /* Success reads like an error that says so. */
    CHECK_INT(hy_error_code(NULL), HY_OK);
    CHECK_TEXT(hy_error_name(NULL), "ok");
    CHECK_INT(hy_error_is_retryable(NULL), 0);
    CHECK_INT(hy_error_retry_after_ms(NULL), -1);

    hy_client_t *no_client = UNTOUCHED;
    check_error(hy_init("{", HY_NTS, &no_client), HY_E_CONFIG, "config");
    CHECK(no_client == UNTOUCHED);

    hy_client_t *client = client_at(sandbox, "fanfou", "");
    hy_result_t *result = UNTOUCHED;
    check_error(hy_send_json(client, "{", HY_NTS, 0, &result), HY_E_ARGUMENT, "argument");
    CHECK(result == UNTOUCHED);

    hy_op_t *op = UNTOUCHED;
    check_error(hy_submit_json(client, "{", HY_NTS, 1, &op), HY_E_ARGUMENT, "argument");
    CHECK(op == UNTOUCHED);

    hy_message_t *message = UNTOUCHED;
    check_error(hy_message_new("\xff", 1, &message), HY_E_ARGUMENT, "argument");
    CHECK(message == UNTOUCHED);

    char *stats = UNTOUCHED;
    size_t stats_len = 77;
    check_error(hy_stats_json(NULL, &stats, &stats_len), HY_E_ARGUMENT, "argument");
    CHECK(stats == UNTOUCHED);
    CHECK_INT(stats_len, 77);

    uint64_t unfinished = 77;
    check_error(hy_flush(NULL, 0, &unfinished), HY_E_ARGUMENT, "argument");
    check_error(hy_close(NULL, 0, &unfinished), HY_E_ARGUMENT, "argument");
    CHECK_INT(unfinished, 77);

    OK(hy_close(client, 0, &unfinished));
    CHECK_INT(unfinished, 0);
    check_error(hy_wait(client, 0, &result), HY_E_CLOSED, "closed");
    CHECK(result == UNTOUCHED);
    size_t count = 77;
    check_error(hy_wait_many(client, 0, &result, 1, &count), HY_E_CLOSED, "closed");
    CHECK(result == UNTOUCHED);
    CHECK_INT(count, 77);
    hy_free(client);
    return 0;
}
