/* hy_message_*: the same message as the JSON one, made field by field. */
#include "peer.h"

static hy_message_t *new_message(const char *account)
{
    hy_message_t *message = NULL;
    OK(hy_message_new(account, HY_NTS, &message));
    CHECK(message != NULL);
    return message;
}

static hy_message_t *to_lisztli(const char *text)
{
    hy_message_t *message = new_message("ff");
    OK(hy_message_to(message, "user", 4, "lisztli", 7));
    if (text != NULL)
        OK(hy_message_set_text(message, text, HY_NTS));
    return message;
}

static hy_result_t *send_built(hy_client_t *client, hy_message_t *message)
{
    hy_result_t *result = NULL;
    OK(hy_send(client, message, PATIENCE_MS, &result));
    return result;
}

/* A wrong field is refused where it is set or when it is sent, never passed over. */
static void refused(hy_client_t *client, hy_message_t *message, hy_error_t *error)
{
    if (error == NULL) {
        RESULT(send_built(client, message), HY_NOT_SENT, HY_E_MESSAGE);
    } else {
        int32_t code = hy_error_code(error);
        CHECK(code == HY_E_MESSAGE || code == HY_E_ARGUMENT);
        hy_error_free(error);
    }
    hy_message_free(message);
}

int main(int argc, char **argv)
{
    const char *sandbox = sandbox_of(argc, argv);
    hy_client_t *client = client_of_two(sandbox, "");
    hy_message_t *message = to_lisztli("built");

    /* One message, sent and submitted as often as wanted. */
    for (int i = 0; i < 2; i++)
        RESULT(send_built(client, message), HY_SENT, HY_OK);
    OK(hy_submit(client, message, 3, NULL));

    /* Changed after the submit: the copy that was submitted is not. */
    OK(hy_message_set_text(message, "changed", HY_NTS));
    hy_result_t *result = next_result(client);
    CHECK_INT(hy_result_token(result), 3);
    RESULT(result, HY_SENT, HY_OK);
    RESULT(send_built(client, message), HY_SENT, HY_OK);
    hy_message_free(message);
    char *stored = delivered(sandbox);
    CHECK_INT(occurrences(stored, "\"text\":\"built\""), 3);
    CHECK_INT(occurrences(stored, "\"text\":\"changed\""), 1);
    free(stored);

    /* Parts, a repeated list kind, and any other field by its name. */
    message = new_message("im");
    OK(hy_message_to(message, "group", 5, "@TGS#2C5SZEAEF", HY_NTS));
    OK(hy_message_to(message, "members", 7, "brennanli", 9));
    OK(hy_message_to(message, "members", 7, "tommy", 5));
    OK(hy_message_add_part_json(message, "{\"type\":\"text\",\"text\":\"red\"}", HY_NTS));
    OK(hy_message_add_part_json(
        message, "{\"type\":\"face\",\"index\":6,\"data\":\"abc\"}", HY_NTS));
    OK(hy_message_set_json(message, "extra", 5, "{\"Random\":8912345}", HY_NTS));
    OK(hy_message_set_json(message, "key", 3, "\"builder-1\"", HY_NTS));
    result = send_built(client, message);
    IS(result, HY_SENT, HY_OK);
    CHECK_TEXT(hy_result_key(result, NULL), "builder-1");
    hy_result_free(result);
    hy_message_free(message);
    stored = delivered(sandbox);
    CHECK_HAS(stored, "8912345");
    CHECK_HAS(stored, "TIMFaceElem");
    CHECK_HAS(stored, "brennanli");
    CHECK_HAS(stored, "tommy");
    free(stored);

    message = to_lisztli("in answer");
    OK(hy_message_set_json(message, "reply_to", HY_NTS, "\"abc\"", HY_NTS));
    OK(hy_message_set_json(message, "deadline_ms", HY_NTS, "60000", HY_NTS));
    OK(hy_message_set_json(message, "ordered", HY_NTS, "true", HY_NTS));
    OK(hy_message_set_json(message, "extra", HY_NTS, "{\"mode\":\"lite\"}", HY_NTS));
    RESULT(send_built(client, message), HY_SENT, HY_OK);
    hy_message_free(message);

    /* Text past the service's bound is refused here, one below the bound goes. */
    char long_text[142];
    memset(long_text, 'x', sizeof long_text);
    message = to_lisztli(NULL);
    OK(hy_message_set_text(message, long_text, 140));
    RESULT(send_built(client, message), HY_SENT, HY_OK);
    OK(hy_message_set_text(message, long_text, 141));
    RESULT(send_built(client, message), HY_NOT_SENT, HY_E_TOO_LARGE);
    hy_message_free(message);

    /* A single kind twice; an unknown kind or field; both text and parts; nothing to say. */
    message = to_lisztli("t");
    hy_error_t *error = hy_message_to(message, "user", 4, "another", 7);
    CHECK(error != NULL);
    refused(client, message, error);
    message = to_lisztli("t");
    refused(client, message, hy_message_to(message, "pigeon", 6, "x", 1));
    message = to_lisztli("t");
    refused(client, message, hy_message_set_json(message, "colour", 6, "1", 1));
    message = to_lisztli("t");
    refused(client, message, hy_message_set_json(message, "deadline_ms", 11, "\"soon\"", 6));
    message = to_lisztli("t");
    refused(client, message,
            hy_message_add_part_json(message, "{\"type\":\"text\",\"text\":\"t\"}", HY_NTS));
    message = to_lisztli(NULL);
    refused(client, message, hy_message_add_part_json(message, "{\"type\":\"smell\"}", HY_NTS));
    message = to_lisztli(NULL);
    refused(client, message, NULL);
    message = new_message("ff");
    refused(client, message, hy_message_set_text(message, "to nobody", HY_NTS));

    /* What is no text, or no JSON, never gets into a message. */
    message = to_lisztli("kept");
    FAILS(hy_message_set_text(message, "\xc3\x28", 2), HY_E_ARGUMENT);
    FAILS(hy_message_set_text(message, NULL, 2), HY_E_ARGUMENT);
    FAILS(hy_message_set_text(NULL, "t", 1), HY_E_ARGUMENT);
    FAILS(hy_message_to(NULL, "user", 4, "x", 1), HY_E_ARGUMENT);
    FAILS(hy_message_to(message, NULL, 4, "x", 1), HY_E_ARGUMENT);
    FAILS(hy_message_to(message, "topic", 5, NULL, 1), HY_E_ARGUMENT);
    FAILS(hy_message_add_part_json(message, "{", 1), HY_E_ARGUMENT);
    FAILS(hy_message_add_part_json(NULL, "{}", 2), HY_E_ARGUMENT);
    FAILS(hy_message_set_json(message, "extra", 5, "{", 1), HY_E_ARGUMENT);
    FAILS(hy_message_set_json(message, NULL, 5, "{}", 2), HY_E_ARGUMENT);
    FAILS(hy_message_set_json(NULL, "extra", 5, "{}", 2), HY_E_ARGUMENT);
    FAILS(hy_message_new("ff", 2, NULL), HY_E_ARGUMENT);
    RESULT(send_built(client, message), HY_SENT, HY_OK);
    hy_message_free(message);
    stored = delivered(sandbox);
    CHECK_INT(occurrences(stored, "\"text\":\"kept\""), 1);
    free(stored);
    hy_free(client);
    return 0;
}
