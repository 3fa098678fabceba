/* hy_account_set and hy_account_remove while the client is at work. */
#include "peer.h"

#define TO_NEW "{\"v\":1,\"account\":\"new\",\"to\":{\"user\":\"lisztli\"},\"text\":\"t\"}"

int main(int argc, char **argv)
{
    const char *sandbox = sandbox_of(argc, argv), *hostile = hostile_of(argc, argv);
    char account[512];
    hy_result_t *result = NULL;
    hy_client_t *client = client_at(hostile, "hold", "");

    /* Add. */
    RESULT(send_json(client, TO_NEW), HY_NOT_SENT, HY_E_MESSAGE);
    OK(hy_account_set(client, "new", 3, fanfou_account(account, sandbox, "fanfou"), HY_NTS));
    RESULT(send_json(client, TO_NEW), HY_SENT, HY_OK);

    /* Replace: what is on its way goes on as it began, later attempts take the new one. */
    submit(client, HELLO, 1);
    await_count(hostile, "hold", 1);
    OK(hy_account_set(client, "ff", 2, fanfou_account(account, hostile, "count"), HY_NTS));
    RESULT(send_json(client, HELLO), HY_SENT, HY_OK);
    CHECK_INT(hostile_count(hostile, "count"), 1);
    CHECK_INT(hostile_count(hostile, "hold"), 1);
    release_held(hostile);
    result = next_result(client);
    CHECK_INT(hy_result_token(result), 1);
    RESULT(result, HY_SENT, HY_OK);

    /* New credentials, wrong ones: the service says so. */
    char wrong[512];
    snprintf(wrong, sizeof wrong,
             "{\"service\":\"fanfou\",\"auth\":{\"type\":\"basic\",\"username\":\"test\","
             "\"password\":\"wrong\"},\"base_url\":\"%s/fanfou\"}",
             sandbox);
    OK(hy_account_set(client, "new", 3, wrong, HY_NTS));
    RESULT(send_json(client, TO_NEW), HY_NOT_SENT, HY_E_AUTH);

    /* A bad account is refused and the one that was there stays. */
    FAILS(hy_account_set(client, "new", 3, "{\"service\":\"fanfou\"}", HY_NTS), HY_E_CONFIG);
    FAILS_SAYING(hy_account_set(client, "new", 3,
                                "{\"service\":\"fanfou\",\"auth\":{\"type\":\"basic\","
                                "\"username\":\"u\",\"password\":\"p\"},\"colour\":1}",
                                HY_NTS),
                 HY_E_CONFIG, "colour");
    FAILS(hy_account_set(client, "new", 3, "[]", HY_NTS), HY_E_CONFIG);
    FAILS(hy_account_set(client, "new", 3, NULL, 1), HY_E_ARGUMENT);
    FAILS(hy_account_remove(client, NULL, 1), HY_E_ARGUMENT);
    FAILS_SAYING(hy_account_remove(client, "absent", 6), HY_E_CONFIG, "absent");
    RESULT(send_json(client, TO_NEW), HY_NOT_SENT, HY_E_AUTH);

    /* Whether credentials work is asked where that is possible without sending. */
    FAILS_SAYING(hy_check_account(client, "ff", 2, -1), HY_E_UNSUPPORTED, "fanfou");
    FAILS_SAYING(hy_check_account(client, "absent", HY_NTS, 0), HY_E_CONFIG, "absent");
    FAILS(hy_check_account(client, NULL, 1, 0), HY_E_ARGUMENT);
    FAILS(hy_check_account(NULL, "ff", 2, 0), HY_E_ARGUMENT);

    /* Remove: what waits for the account ends at once, and not for another. */
    submit(client, HELLO_LATER, 2);
    submit(client,
           "{\"v\":1,\"account\":\"new\",\"to\":{\"user\":\"lisztli\"},\"text\":\"later\","
           "\"not_before_ms\":" FAR_AWAY_MS "}",
           3);
    OK(hy_account_remove(client, "new", 3));
    result = next_result(client);
    CHECK_INT(hy_result_token(result), 3);
    RESULT(result, HY_NOT_SENT, HY_E_CONFIG);
    OK(hy_wait(client, 0, &result));
    CHECK(result == NULL);
    RESULT(send_json(client, TO_NEW), HY_NOT_SENT, HY_E_MESSAGE);

    /* An account with something on its way is removed: that one may finish. */
    OK(hy_account_set(client, "new", 3, fanfou_account(account, hostile, "hang"), HY_NTS));
    submit(client, TO_NEW, 4);
    await_count(hostile, "hang", 1);
    OK(hy_account_remove(client, "new", 3));
    uint64_t unfinished = 77;
    OK(hy_close(client, 0, &unfinished));
    CHECK_INT(unfinished, 2);
    for (int i = 0; i < 2; i++) {
        result = next_result(client);
        int begun = hy_result_token(result) == 4;
        CHECK_INT(hy_result_delivery(result), begun ? HY_MAYBE_SENT : HY_NOT_SENT);
        hy_result_free(result);
    }
    hy_free(client);
    return 0;
}
