/* hy_message_add_file: files that go with a message, outside its JSON. */
#include "peer.h"

#define TOKEN "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
#define MIB ((size_t)1 << 20)

/* A client of the sandbox with two accounts: "tg", which takes files, and "ff", which does not. */
static hy_client_t *client_of(const char *sandbox, const char *settings)
{
    char account[512], config[2048];
    int n = snprintf(config, sizeof config,
                     "{\"v\":1,\"accounts\":{\"ff\":%s,\"tg\":{\"service\":\"telegram\","
                     "\"auth\":{\"type\":\"bot\",\"token\":\"" TOKEN "\"},"
                     "\"base_url\":\"%s/telegram\"}}%s}",
                     fanfou_account(account, sandbox, "fanfou"), sandbox, settings);
    CHECK(n > 0 && n < (int)sizeof config);
    hy_client_t *client = NULL;
    OK(hy_init(config, (size_t)n, &client));
    return client;
}

static hy_message_t *message_of(const char *account, const char *kind, const char *to)
{
    hy_message_t *message = NULL;
    OK(hy_message_new(account, HY_NTS, &message));
    OK(hy_message_to(message, kind, HY_NTS, to, HY_NTS));
    OK(hy_message_set_text(message, "with a file", HY_NTS));
    return message;
}

static hy_result_t *send_built(hy_client_t *client, hy_message_t *message)
{
    hy_result_t *result = NULL;
    OK(hy_send(client, message, PATIENCE_MS, &result));
    return result;
}

int main(int argc, char **argv)
{
    const char *sandbox = sandbox_of(argc, argv);
    hy_client_t *client = client_of(sandbox, "");

    /* Longer than the JSON of a message may be, with zeros, and the caller's own at once again. */
    size_t length = 3 * MIB;
    char *bytes = malloc(length);
    CHECK(bytes != NULL);
    memset(bytes, 0, length);
    hy_message_t *message = message_of("tg", "chat", "4711");
    OK(hy_message_add_file(message, "zeros.bin", HY_NTS, NULL, 0, bytes, length));
    memset(bytes, 'x', length);
    free(bytes);
    for (int i = 0; i < 2; i++)
        RESULT(send_built(client, message), HY_SENT, HY_OK);
    OK(hy_submit(client, message, 7, NULL));
    hy_op_t *op = NULL;
    OK(hy_submit(client, message, 8, &op));
    hy_message_free(message);
    for (int i = 0; i < 2; i++)
        RESULT(next_result(client), HY_SENT, HY_OK);
    hy_op_free(op);
    char *stored = delivered(sandbox);
    CHECK_INT(occurrences(stored, "\"zeros.bin\""), 4);
    CHECK_HAS(stored, "3145728");
    free(stored);

    /* A type of its own, a length that leaves out the rest, a name of any script. */
    message = message_of("tg", "chat", "4711");
    OK(hy_message_add_file(message, "\xe9\xb8\xbf\xe9\x9b\x81.pdf!", 10, "application/pdf;x", 15,
                           "%PDF-1.7 and more", 8));
    RESULT(send_built(client, message), HY_SENT, HY_OK);
    hy_message_free(message);
    stored = delivered(sandbox);
    CHECK_HAS(stored, "\xe9\xb8\xbf\xe9\x9b\x81.pdf\"");
    CHECK_HAS(stored, "application/pdf\"");
    free(stored);

    /* What is refused at once leaves the message as it was. */
    message = message_of("ff", "user", "lisztli");
    FAILS(hy_message_add_file(NULL, "a", 1, NULL, 0, "x", 1), HY_E_ARGUMENT);
    FAILS(hy_message_add_file(message, NULL, 1, NULL, 0, "x", 1), HY_E_ARGUMENT);
    FAILS(hy_message_add_file(message, "a", 1, NULL, 0, NULL, 1), HY_E_ARGUMENT);
    FAILS(hy_message_add_file(message, "\xc3\x28", 2, NULL, 0, "x", 1), HY_E_ARGUMENT);
    FAILS(hy_message_add_file(message, "a", 1, "\xc3\x28", 2, "x", 1), HY_E_ARGUMENT);
    FAILS_SAYING(hy_message_add_file(message, "", 0, NULL, 0, "x", 1), HY_E_MESSAGE,
                 "attachments[0].name");
    FAILS_SAYING(hy_message_add_file(message, "a", 1, "png", 3, "x", 1), HY_E_MESSAGE,
                 "attachments[0].type");
    FAILS_SAYING(hy_message_add_file(message, "a", 1, "a/b\r\nX: y", HY_NTS, "x", 1),
                 HY_E_MESSAGE, "attachments[0].type");
    /* Nothing of it is looked at. */
    FAILS_SAYING(hy_message_add_file(message, "a", 1, NULL, 0, "x", 100 * MIB + 1), HY_E_MESSAGE,
                 "100 MiB");
    FAILS(hy_message_add_file(message, "a", 1, NULL, 0, "x", HY_NTS), HY_E_MESSAGE);
    RESULT(send_built(client, message), HY_SENT, HY_OK);

    /* A service without files says so when it is sent, and a file may have no bytes. */
    OK(hy_message_add_file(message, "a", 1, NULL, 0, NULL, 0));
    hy_result_t *result = send_built(client, message);
    IS(result, HY_NOT_SENT, HY_E_UNSUPPORTED);
    CHECK_HAS(hy_error_detail_json(hy_result_error(result), NULL), "attachments[0]");
    hy_result_free(result);
    hy_message_free(message);

    /* A path is read when the message is accepted; what cannot be read is a result. */
    result = send_json(client, "{\"v\":1,\"account\":\"tg\",\"to\":{\"chat\":\"4711\"},"
                               "\"attachments\":[{\"path\":\"/nowhere/a.png\"}]}");
    IS(result, HY_NOT_SENT, HY_E_MESSAGE);
    CHECK_HAS(hy_error_detail_json(hy_result_error(result), NULL), "attachments[0].path");
    hy_result_free(result);
    hy_free(client);

    /* An outbox has a copy: what was submitted goes whatever becomes of the message. */
    client = client_of(sandbox, ",\"outbox\":{\"path\":\"files.db\"}");
    message = message_of("tg", "chat", "4711");
    OK(hy_message_add_file(message, "kept.txt", HY_NTS, NULL, 0, "kept", 4));
    OK(hy_submit(client, message, 9, NULL));
    hy_message_free(message);
    result = next_result(client);
    IS(result, HY_SENT, HY_OK);
    OK(hy_result_ack(client, result));
    hy_result_free(result);
    hy_free(client);
    stored = delivered(sandbox);
    CHECK_INT(occurrences(stored, "\"kept.txt\""), 1);
    free(stored);
    return 0;
}
