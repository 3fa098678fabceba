/* hy_result_*: what a result tells beside its verdict, and each recipient's own. */
#include "peer.h"

#define TWO_MEMBERS                                                                     \
    "{\"v\":1,\"account\":\"im\",\"to\":{\"group\":\"@TGS#2C5SZEAEF\","                 \
    "\"members\":[\"brennanli\",\"tommy\"]},\"text\":\"for two\",\"key\":\"k-1\"}"

int main(int argc, char **argv)
{
    const char *sandbox = sandbox_of(argc, argv);
    hy_client_t *client = client_of_two(sandbox, "");
    const char *value = UNTOUCHED;
    const hy_error_t *error = UNTOUCHED;
    int32_t delivery = -1;
    size_t length = 7;

    /* NULL. */
    CHECK(hy_result_account(NULL, &length) == NULL && length == 0);
    length = 7;
    CHECK(hy_result_service(NULL, &length) == NULL && length == 0);
    CHECK(hy_result_account(NULL, NULL) == NULL && hy_result_service(NULL, NULL) == NULL);
    CHECK_INT(hy_result_elapsed_ms(NULL), 0);
    CHECK_INT(hy_result_attempts(NULL), 0);
    CHECK_INT(hy_result_is_deduplicated(NULL), 0);
    CHECK_INT(hy_result_recipient_count(NULL), 0);
    FAILS(hy_result_recipient(NULL, 0, &value, &length, &delivery, &error), HY_E_ARGUMENT);

    /* One recipient: none has a verdict of his own. */
    hy_result_t *result = send_json(client, HELLO);
    IS(result, HY_SENT, HY_OK);
    CHECK_TEXT(hy_result_account(result, &length), "ff");
    CHECK_INT(length, 2);
    CHECK_TEXT(hy_result_service(result, &length), "fanfou");
    CHECK_INT(length, 6);
    CHECK(hy_result_elapsed_ms(result) >= 0 && hy_result_elapsed_ms(result) < PATIENCE_MS);
    CHECK_INT(hy_result_attempts(result), 1);
    CHECK_INT(hy_result_is_deduplicated(result), 0);
    CHECK_INT(hy_result_recipient_count(result), 0);
    FAILS(hy_result_recipient(result, 0, &value, &length, &delivery, &error), HY_E_ARGUMENT);
    hy_result_free(result);

    /* Two, in the order of the message; the same key is the same message. */
    for (int i = 0; i < 2; i++) {
        result = send_json(client, TWO_MEMBERS);
        IS(result, HY_SENT, HY_OK);
        CHECK_INT(hy_result_is_deduplicated(result), i);
        CHECK_INT(hy_result_recipient_count(result), 2);
        OK(hy_result_recipient(result, 0, &value, &length, &delivery, &error));
        CHECK_TEXT(value, "brennanli");
        CHECK_INT(length, 9);
        CHECK_INT(delivery, HY_SENT);
        CHECK(error == NULL);
        OK(hy_result_recipient(result, 1, &value, NULL, NULL, NULL));
        CHECK_TEXT(value, "tommy");
        value = UNTOUCHED;
        FAILS(hy_result_recipient(result, 2, &value, NULL, NULL, NULL), HY_E_ARGUMENT);
        CHECK(value == UNTOUCHED);
        FAILS(hy_result_recipient(result, 0, NULL, NULL, NULL, NULL), HY_E_ARGUMENT);
        hy_result_free(result);
    }

    /* A refusal is that of each, and lives as long as the result. */
    result = send_json(client, "{\"v\":1,\"account\":\"ff\",\"to\":{\"users\":[\"a\",\"b\"]},"
                               "\"text\":\"x\"}");
    IS(result, HY_NOT_SENT, HY_E_UNSUPPORTED);
    CHECK_INT(hy_result_attempts(result), 0);
    CHECK_INT(hy_result_recipient_count(result), 2);
    hy_free(client);
    OK(hy_result_recipient(result, 1, &value, &length, &delivery, &error));
    CHECK_TEXT(value, "b");
    CHECK_INT(delivery, HY_NOT_SENT);
    CHECK_INT(hy_error_code(error), HY_E_UNSUPPORTED);
    hy_result_free(result);

    /* An account that is not there has no service. */
    client = client_at(sandbox, "fanfou", "");
    result = send_json(client, "{\"v\":1,\"account\":\"gone\",\"text\":\"x\"}");
    CHECK_TEXT(hy_result_account(result, NULL), "gone");
    CHECK(hy_result_service(result, &length) == NULL && length == 0);
    hy_result_free(result);
    hy_free(client);
    return 0;
}
