/* hy_preview_json: what would be sent, without its secrets; nothing is. */
#include "peer.h"

int main(int argc, char **argv)
{
    const char *sandbox = sandbox_of(argc, argv);
    char config[1024];
    int n = snprintf(config, sizeof config,
                     "{\"v\":1,\"accounts\":{\"tg\":{\"service\":\"telegram\",\"auth\":{\"type\":"
                     "\"bot\",\"token\":\"110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw\"},"
                     "\"base_url\":\"%s/telegram\"}}}", sandbox);
    CHECK(n > 0 && n < (int)sizeof config);
    hy_client_t *client = NULL;
    OK(hy_init(config, (size_t)n, &client));

    char *shown = UNTOUCHED;
    size_t length = 0;
    OK(hy_preview_json(client, "{\"v\":1,\"account\":\"tg\",\"to\":{\"chat\":\"4711\"},"
                               "\"text\":\"seen\"}", HY_NTS, &shown, &length));
    CHECK_INT(strlen(shown), length);
    CHECK_HAS(shown, "\"account\":\"tg\"");
    CHECK_HAS(shown, "\"method\":\"POST\"");
    CHECK_HAS(shown, "/sendMessage");
    CHECK_HAS(shown, "seen");
    CHECK_HAS(shown, "\"files\":[]");
    CHECK(strstr(shown, "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw") == NULL);
    hy_string_free(shown);

    /* Of a file stand its name, its type and its size. */
    OK(hy_preview_json(client, "{\"v\":1,\"account\":\"tg\",\"to\":{\"chat\":\"4711\"},"
                               "\"attachments\":[{\"name\":\"secret.png\",\"data_base64\":"
                               "\"c2VjcmV0IGJ5dGVzIG9mIGEgZmlsZQ==\"}]}", HY_NTS, &shown, NULL));
    CHECK_HAS(shown, "{\"name\":\"secret.png\",\"type\":\"image/png\",\"size\":22}");
    CHECK_HAS(shown, "[secret.png, image/png, 22 bytes]");
    CHECK(strstr(shown, "secret bytes") == NULL);
    hy_string_free(shown);

    shown = UNTOUCHED;
    FAILS(hy_preview_json(NULL, "{}", 2, &shown, NULL), HY_E_ARGUMENT);
    FAILS(hy_preview_json(client, NULL, 2, &shown, NULL), HY_E_ARGUMENT);
    FAILS(hy_preview_json(client, "{}", 2, NULL, NULL), HY_E_ARGUMENT);
    FAILS(hy_preview_json(client, "?", 1, &shown, NULL), HY_E_ARGUMENT);
    FAILS_SAYING(hy_preview_json(client, "{\"v\":1,\"account\":\"tg\",\"text\":\"x\"}", HY_NTS,
                                 &shown, NULL), HY_E_MESSAGE, "to");
    FAILS_SAYING(hy_preview_json(client, "{\"v\":1,\"account\":\"tg\",\"to\":{\"chat\":\"1\"},"
                                 "\"attachments\":[{\"path\":\"/nowhere\"}]}", HY_NTS, &shown,
                                 NULL), HY_E_MESSAGE, "attachments[0].path");
    CHECK(shown == UNTOUCHED);
    hy_free(client);

    char *stored = delivered(sandbox);
    CHECK_INT(occurrences(stored, "seen"), 0);
    free(stored);
    return 0;
}
