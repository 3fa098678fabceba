/* Rule 3: a returned string is UTF-8, NUL-terminated, counted, and lives as long as its parent. */
#include "peer.h"

#include <pthread.h>

typedef const char *(*result_text)(const hy_result_t *, size_t *);

static void *ask_for_json(void *result)
{
    const char *json = hy_result_json(result, NULL);
    CHECK_HAS(json, "\"delivery\":\"sent\"");
    return (void *)(uintptr_t)json;
}

int main(int argc, char **argv)
{
    hy_client_t *client = client_at(sandbox_of(argc, argv), "fanfou", "");
    hy_result_t *result = send_json(
        client, "{\"v\":1,\"account\":\"ff\",\"to\":{\"user\":\"lisztli\"},"
                "\"text\":\"\xe9\xb8\xbf\xe9\x9b\x81\",\"key\":\"\xe9\x9b\x81-1\"}");
    IS(result, HY_SENT, HY_OK);

    /* "Built when first asked for" by several threads: they all get the one text. */
    pthread_t threads[4];
    void *texts[4];
    for (int i = 0; i < 4; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, ask_for_json, result), 0);
    for (int i = 0; i < 4; i++)
        CHECK_INT(pthread_join(threads[i], &texts[i]), 0);
    for (int i = 0; i < 4; i++)
        CHECK((const char *)texts[i] == hy_result_json(result, NULL));

    const result_text getters[] = {hy_result_id, hy_result_key, hy_result_message_id,
                                   hy_result_json};
    for (size_t i = 0; i < sizeof getters / sizeof getters[0]; i++) {
        size_t len = 0;
        const char *text = getters[i](result, &len);
        CHECK(text != NULL && len > 0);
        CHECK_INT(strlen(text), len);
        CHECK(getters[i](result, NULL) == text);
    }
    CHECK_INT(strlen(hy_result_id(result, NULL)), 26);
    CHECK_TEXT(hy_result_key(result, NULL), "\xe9\x9b\x81-1");
    hy_result_free(result);

    result = send_json(client, HELLO);
    CHECK(hy_result_key(result, NULL) == NULL);
    CHECK(hy_result_error(result) == NULL);
    hy_result_free(result);

    /* A borrowed error lives in its result. */
    result = send_json(client, "{\"v\":1,\"account\":\"\xe9\xb8\xbf\",\"to\":{\"user\":\"x\"},"
                               "\"text\":\"t\"}");
    const hy_error_t *error = hy_result_error(result);
    size_t len = 0;
    CHECK_INT(hy_error_code(error), HY_E_MESSAGE);
    CHECK_TEXT(hy_error_name(error), "message");
    const char *message = hy_error_message(error, &len);
    CHECK_INT(strlen(message), len);
    const char *detail = hy_error_detail_json(error, &len);
    CHECK_INT(strlen(detail), len);
    CHECK(hy_error_message(error, NULL) == hy_error_message(error, NULL));
    CHECK(hy_result_message_id(result, NULL) == NULL);
    hy_result_free(result);

    char *stats = NULL;
    OK(hy_stats_json(client, &stats, &len));
    CHECK_INT(strlen(stats), len);
    hy_string_free(stats);
    OK(hy_stats_json(client, &stats, NULL));
    CHECK(stats[0] == '{');
    hy_string_free(stats);
    hy_free(client);

    CHECK_TEXT(hy_version(), HY_VERSION);
    CHECK_HAS(hy_services_json(), "\"fanfou\"");
    CHECK_HAS(hy_services_json(), "\"tencent_im\"");
    return 0;
}
