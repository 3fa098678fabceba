/* hy_result_json and hy_error_detail_json: every field is there, with what it says. */
#include "peer.h"

static void has_fields(const char *json, const char *const *fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char quoted[64];
        snprintf(quoted, sizeof quoted, "\"%s\":", fields[i]);
        CHECK_HAS(json, quoted);
    }
}

static const char *const result_fields[] = {
    "v",          "id",           "token",        "key",       "account",  "service",  "delivery",
    "message_id", "service_time", "deduplicated", "recovered", "deadline", "attempts", "elapsed_ms",
    "error",      "raw"};
static const char *const error_fields[] = {
    "code",   "name", "message",  "account",   "service",        "service_code", "http_status",
    "path",   "hint", "attempts", "retryable", "retry_after_ms"};

#define HAS_FIELDS(json, fields) has_fields(json, fields, sizeof fields / sizeof fields[0])

static void sent(const char *sandbox)
{
    hy_client_t *client = client_of_two(sandbox, ",\"trace\":true");
    submit(client, "{\"v\":1,\"account\":\"im\",\"to\":{\"group\":\"@TGS#2C5SZEAEF\"},"
                   "\"text\":\"t\",\"key\":\"k-1\"}",
           7);
    hy_result_t *result = next_result(client);
    IS(result, HY_SENT, HY_OK);
    const char *json = hy_result_json(result, NULL);
    HAS_FIELDS(json, result_fields);
    CHECK_HAS(json, "\"v\":1,");
    CHECK_HAS(json, "\"token\":7,");
    CHECK_HAS(json, "\"key\":\"k-1\"");
    CHECK_HAS(json, "\"account\":\"im\"");
    CHECK_HAS(json, "\"service\":\"tencent_im\"");
    CHECK_HAS(json, "\"delivery\":\"sent\"");
    CHECK_HAS(json, "\"deduplicated\":false");
    CHECK_HAS(json, "\"recovered\":false");
    CHECK_HAS(json, "\"deadline\":false");
    CHECK_HAS(json, "\"attempts\":1");
    CHECK_HAS(json, "\"error\":null");
    CHECK_HAS(json, "\"raw\":{");
    CHECK_HAS(json, "\"trace\":[{");
    CHECK_HAS(json, "\"http_status\":200");

    /* A number of the service, told as text to the last digit. */
    char id[64];
    snprintf(id, sizeof id, "\"message_id\":\"%s\"", hy_result_message_id(result, NULL));
    CHECK_HAS(json, id);
    snprintf(id, sizeof id, "\"MsgSeq\":%s", hy_result_message_id(result, NULL));
    CHECK_HAS(json, id);
    snprintf(id, sizeof id, "\"id\":\"%s\"", hy_result_id(result, NULL));
    CHECK_HAS(json, id);
    hy_result_free(result);

    hy_free(client);
}

static void refused(const char *sandbox)
{
    hy_client_t *client = client_of_two(sandbox, "");
    hy_result_t *result =
        send_json(client, "{\"v\":1,\"account\":\"im\",\"to\":{\"group\":\"@TGS#NOSUCHGROUP\"},"
                          "\"text\":\"t\"}");
    IS(result, HY_NOT_SENT, HY_E_NOT_FOUND);
    const char *json = hy_result_json(result, NULL);
    const char *detail = hy_error_detail_json(hy_result_error(result), NULL);
    HAS_FIELDS(json, result_fields);
    HAS_FIELDS(detail, error_fields);
    CHECK_HAS(json, detail);
    CHECK_HAS(json, "\"delivery\":\"not_sent\"");
    CHECK_HAS(json, "\"message_id\":null");
    CHECK(strstr(json, "\"trace\"") == NULL);
    CHECK_HAS(detail, "\"code\":202");
    CHECK_HAS(detail, "\"name\":\"not_found\"");
    CHECK_HAS(detail, "\"account\":\"im\"");
    CHECK_HAS(detail, "\"service\":\"tencent_im\"");
    CHECK_HAS(detail, "\"http_status\":200");
    CHECK_HAS(detail, "\"attempts\":1");
    CHECK_HAS(detail, "\"retryable\":false");
    CHECK_HAS(detail, "\"path\":null");
    hy_result_free(result);

    /* Refused here: no answer, no attempt. */
    result = send_json(client, "{\"v\":1,\"account\":\"ff\",\"to\":{\"user\":\"x\"}}");
    IS(result, HY_NOT_SENT, HY_E_MESSAGE);
    json = hy_result_json(result, NULL);
    HAS_FIELDS(json, result_fields);
    CHECK_HAS(json, "\"attempts\":0");
    CHECK_HAS(json, "\"raw\":null");
    CHECK_HAS(json, "\"http_status\":null");
    hy_result_free(result);

    /* An error of a call has the same shape. */
    hy_error_t *error = hy_submit_json(client, "[]", 2, 1, NULL);
    HAS_FIELDS(hy_error_detail_json(error, NULL), error_fields);
    hy_error_free(error);
    hy_free(client);
}

/* Credentials never leave in a result, not even echoed by a server. */
static void secrets(const char *sandbox)
{
    char config[1024];
    snprintf(config, sizeof config,
             "{\"v\":1,\"trace\":true,\"accounts\":{\"ff\":{\"service\":\"fanfou\",\"auth\":{"
             "\"type\":\"oauth1\",\"consumer_key\":\"fanfou-consumer-key\",\"consumer_secret\":"
             "\"secret-one\",\"token\":\"fanfou-token\",\"token_secret\":\"secret-two\"},"
             "\"base_url\":\"%s/fanfou\"}}}",
             sandbox);
    hy_client_t *client = NULL;
    OK(hy_init(config, HY_NTS, &client));
    hy_result_t *result = send_json(client, HELLO);
    IS(result, HY_NOT_SENT, HY_E_AUTH);
    CHECK_HAS(hy_result_json(result, NULL), "\"name\":\"auth\"");
    CHECK(strstr(hy_result_json(result, NULL), "secret-one") == NULL);
    CHECK(strstr(hy_result_json(result, NULL), "secret-two") == NULL);
    hy_result_free(result);
    hy_free(client);
}

/* An answer that is not JSON is kept as text. */
static void raw_text(const char *sandbox)
{
    char config[1024];
    snprintf(config, sizeof config,
             "{\"v\":1,\"accounts\":{\"ff\":{\"service\":\"fanfou\",\"format\":\"xml\",\"auth\":{"
             "\"type\":\"basic\",\"username\":\"test\",\"password\":\"pwd\"},"
             "\"base_url\":\"%s/fanfou\"}}}",
             sandbox);
    hy_client_t *client = NULL;
    OK(hy_init(config, HY_NTS, &client));
    hy_result_t *result = send_json(client, HELLO);
    IS(result, HY_SENT, HY_OK);
    CHECK_HAS(hy_result_json(result, NULL), "\"raw\":\"");
    CHECK_HAS(hy_result_json(result, NULL), "direct_message");
    hy_result_free(result);
    hy_free(client);
}

int main(int argc, char **argv)
{
    sent(sandbox_of(argc, argv));
    refused(sandbox_of(argc, argv));
    secrets(sandbox_of(argc, argv));
    raw_text(sandbox_of(argc, argv));
    return 0;
}
