/* Rule 4: text in is pointer and length, HY_NTS measures, (NULL, 0) is empty, inputs are copied. */
#include "peer.h"

/* The text in memory of exactly its size: a read past it is caught by the sanitizer. */
static char *without_nul(const char *text)
{
    char *copy = malloc(strlen(text));
    CHECK(copy != NULL);
    memcpy(copy, text, strlen(text));
    return copy;
}

int main(int argc, char **argv)
{
    const char *sandbox = sandbox_of(argc, argv);
    const char *hostile = hostile_of(argc, argv);
    char account[512];
    hy_client_t *client = client_at(sandbox, "fanfou", "");
    hy_result_t *result = NULL;
    hy_message_t *message = NULL;

    CHECK(HY_NTS == (size_t)-1);

    /* Counted text needs no NUL; what follows it is not read. */
    char *counted = without_nul(HELLO);
    OK(hy_send_json(client, counted, strlen(HELLO), PATIENCE_MS, &result));
    free(counted);
    RESULT(result, HY_SENT, HY_OK);
    OK(hy_send_json(client, HELLO "garbage", strlen(HELLO), PATIENCE_MS, &result));
    RESULT(result, HY_SENT, HY_OK);
    OK(hy_send_json(client, HELLO, HY_NTS, PATIENCE_MS, &result));
    RESULT(result, HY_SENT, HY_OK);

    char *name = without_nul("second");
    fanfou_account(account, sandbox, "fanfou");
    counted = without_nul(account);
    OK(hy_account_set(client, name, 6, counted, strlen(account)));
    free(counted);
    OK(hy_message_new(name, 6, &message));
    free(name);
    char *kind = without_nul("user"), *value = without_nul("lisztli"), *text = without_nul("hi");
    OK(hy_message_to(message, kind, 4, value, 7));
    OK(hy_message_set_text(message, text, 2));
    free(kind);
    free(value);
    free(text);
    OK(hy_send(client, message, PATIENCE_MS, &result));
    RESULT(result, HY_SENT, HY_OK);

    /* (NULL, 0) is empty text: allowed as such, and then judged as empty. */
    OK(hy_message_set_text(message, NULL, 0));
    OK(hy_send(client, message, PATIENCE_MS, &result));
    RESULT(result, HY_NOT_SENT, HY_E_MESSAGE);
    hy_message_free(message);
    FAILS(hy_send_json(client, NULL, 0, PATIENCE_MS, &result), HY_E_ARGUMENT);
    hy_client_t *none = NULL;
    FAILS(hy_init(NULL, 0, &none), HY_E_CONFIG);

    /* (NULL, n) is a bad pointer, with HY_NTS too. */
    FAILS(hy_send_json(client, NULL, 5, PATIENCE_MS, &result), HY_E_ARGUMENT);
    FAILS(hy_send_json(client, NULL, HY_NTS, PATIENCE_MS, &result), HY_E_ARGUMENT);
    FAILS(hy_init(NULL, HY_NTS, &none), HY_E_ARGUMENT);
    FAILS(hy_account_set(client, NULL, 3, account, HY_NTS), HY_E_ARGUMENT);
    FAILS(hy_message_new(NULL, 1, &message), HY_E_ARGUMENT);
    hy_free(client);

    /* Inputs are copied: ours may be overwritten as soon as the call is back. */
    client = client_at(hostile, "hold", "");
    char scratch[] = HELLO;
    hy_op_t *op = NULL;
    OK(hy_submit_json(client, scratch, sizeof scratch - 1, 1, &op));
    memset(scratch, '?', sizeof scratch);
    hy_op_free(op);
    release_held(hostile);
    RESULT(next_result(client), HY_SENT, HY_OK);
    hy_free(client);
    return 0;
}
