/* Whatever comes in, the answer is the right code with a JSON path, and nothing goes out. */
#include "peer.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof(a)[0])

static void refuse_call(hy_client_t *client, const char *json, size_t len)
{
    hy_result_t *result = UNTOUCHED;
    hy_op_t *op = UNTOUCHED;
    size_t accepted = 0;
    const uint64_t token = 1;

    FAILS(hy_send_json(client, json, len, PATIENCE_MS, &result), HY_E_ARGUMENT);
    FAILS(hy_submit_json(client, json, len, 1, &op), HY_E_ARGUMENT);
    FAILS(hy_submit_many_json(client, &json, &len, &token, 1, &accepted), HY_E_ARGUMENT);
    CHECK(result == UNTOUCHED && op == UNTOUCHED && accepted == 0);
}

static void bad_pointers(hy_client_t *client)
{
    hy_result_t *result = UNTOUCHED, *results[2];
    hy_message_t *message = NULL;
    size_t n = 0;
    intptr_t handle = 0;
    const char *const jsons[] = {HELLO};
    const size_t lens[] = {HY_NTS};
    const uint64_t tokens[] = {1};

    OK(hy_message_new("ff", 2, &message));
    FAILS(hy_init("{}", 2, NULL), HY_E_ARGUMENT);
    FAILS(hy_account_set(NULL, "a", 1, "{}", 2), HY_E_ARGUMENT);
    FAILS(hy_account_remove(NULL, "a", 1), HY_E_ARGUMENT);
    FAILS(hy_flush(NULL, 0, NULL), HY_E_ARGUMENT);
    FAILS(hy_close(NULL, 0, NULL), HY_E_ARGUMENT);
    FAILS(hy_send_json(NULL, HELLO, HY_NTS, 0, &result), HY_E_ARGUMENT);
    FAILS(hy_send_json(client, HELLO, HY_NTS, 0, NULL), HY_E_ARGUMENT);
    FAILS(hy_send(NULL, message, 0, &result), HY_E_ARGUMENT);
    FAILS(hy_send(client, NULL, 0, &result), HY_E_ARGUMENT);
    FAILS(hy_send(client, message, 0, NULL), HY_E_ARGUMENT);
    FAILS(hy_submit_json(NULL, HELLO, HY_NTS, 1, NULL), HY_E_ARGUMENT);
    FAILS(hy_submit(NULL, message, 1, NULL), HY_E_ARGUMENT);
    FAILS(hy_submit(client, NULL, 1, NULL), HY_E_ARGUMENT);
    FAILS(hy_submit_many_json(NULL, jsons, lens, tokens, 1, &n), HY_E_ARGUMENT);
    FAILS(hy_submit_many_json(client, NULL, lens, tokens, 1, &n), HY_E_ARGUMENT);
    FAILS(hy_submit_many_json(client, jsons, lens, NULL, 1, &n), HY_E_ARGUMENT);
    OK(hy_submit_many_json(client, NULL, NULL, NULL, 0, &n));
    CHECK_INT(n, 0);
    FAILS(hy_wait(NULL, 0, &result), HY_E_ARGUMENT);
    FAILS(hy_wait(client, 0, NULL), HY_E_ARGUMENT);
    FAILS(hy_wait_many(NULL, 0, results, 2, &n), HY_E_ARGUMENT);
    FAILS(hy_wait_many(client, 0, NULL, 2, &n), HY_E_ARGUMENT);
    FAILS(hy_wait_many(client, 0, results, 2, NULL), HY_E_ARGUMENT);
    FAILS(hy_poll_handle(NULL, &handle), HY_E_ARGUMENT);
    FAILS(hy_poll_handle(client, NULL), HY_E_ARGUMENT);
    FAILS(hy_result_ack(client, NULL), HY_E_ARGUMENT);
    FAILS(hy_stats_json(client, NULL, NULL), HY_E_ARGUMENT);
    CHECK(result == UNTOUCHED);
    hy_message_free(message);

    /* What reads a handle has nothing to read. */
    CHECK(hy_op_id(NULL, NULL) == NULL);
    CHECK(hy_result_id(NULL, NULL) == NULL && hy_result_key(NULL, NULL) == NULL);
    CHECK(hy_result_message_id(NULL, NULL) == NULL && hy_result_error(NULL) == NULL);
}

static void bad_texts(hy_client_t *client)
{
    static const char raw_nul[] = "{\"v\":1,\"account\":\"f\0\",\"text\":\"t\"}";
    static const char *const texts[] = {
        "",     " ",       "{",     "nonsense",      "{\"v\":1,}", HELLO HELLO,
        "[]",   "1",       "null",  "\"text\"",      "\xff",
        "{\"v\":1,\"account\":\"\xc3\x28\"}",
        "{\"v\":1,\"account\":\"\xed\xa0\x80\"}",    "{\"v\":1,\"text\":\"\\ud800\"}",
        "{}",   "{\"account\":\"ff\",\"to\":{\"user\":\"x\"},\"text\":\"t\"}",
        "{\"v\":0}", "{\"v\":2}", "{\"v\":-1}", "{\"v\":\"1\"}", "{\"v\":null}", "{\"v\":1.5}",
        "{\"v\":99999999999999999999}",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        refuse_call(client, texts[i], HY_NTS);
    refuse_call(client, raw_nul, sizeof raw_nul - 1);
    refuse_call(client, HELLO, strlen(HELLO) + 1);
    refuse_call(client, NULL, 0);
    refuse_call(client, NULL, 9);
    refuse_call(client, NULL, HY_NTS);
}

static void monsters(hy_client_t *client)
{
    enum { DEPTH = 100000, LARGE = 1024 * 1024 + 1 };
    static const char head[] = "{\"v\":1,\"account\":\"ff\",\"to\":{\"user\":\"x\"},\"extra\":";
    char *text = malloc(LARGE + 4 * sizeof head);
    CHECK(text != NULL);

    /* Deep, closed and left open, arrays and objects. */
    memcpy(text, head, sizeof head - 1);
    memset(text + sizeof head - 1, '[', DEPTH);
    refuse_call(client, text, sizeof head - 1 + DEPTH);
    memset(text + sizeof head - 1 + DEPTH, ']', DEPTH);
    text[sizeof head - 1 + 2 * DEPTH] = '}';
    refuse_call(client, text, sizeof head + 2 * DEPTH);
    hy_client_t *none = UNTOUCHED;
    FAILS(hy_init(text, sizeof head + 2 * DEPTH, &none), HY_E_CONFIG);
    CHECK(none == UNTOUCHED);
    for (size_t i = 0; i < DEPTH; i++)
        memcpy(text + 5 * i, "{\"a\":", 5);
    refuse_call(client, text, 5 * DEPTH);

    /* Large: one byte above 1 MiB, otherwise good. */
    static const char start[] = "{\"v\":1,\"account\":\"ff\",\"to\":{\"user\":\"x\"},\"text\":\"";
    memset(text, 'x', LARGE);
    memcpy(text, start, sizeof start - 1);
    memcpy(text + LARGE - 2, "\"}", 2);
    refuse_call(client, text, LARGE);
    hy_result_t *result = NULL;
    memcpy(text + LARGE - 3, "\"}", 2);
    OK(hy_send_json(client, text, LARGE - 1, PATIENCE_MS, &result));
    RESULT(result, HY_NOT_SENT, HY_E_TOO_LARGE);
    free(text);
}

/* Wrong messages are results, and the error's path names the field. */
static void bad_messages(hy_client_t *client)
{
#define MESSAGE(rest) "{\"v\":1,\"account\":\"ff\",\"to\":{\"user\":\"lisztli\"}," rest "}"
#define GROUP(rest) "{\"v\":1,\"account\":\"im\",\"to\":{\"group\":\"@TGS#1\"}," rest "}"
    static const struct {
        const char *json, *path; /* NULL: what is missing or contradicts has no one place */
        int32_t code;
    } cases[] = {
        {"{\"v\":1,\"account\":\"absent\",\"to\":{\"user\":\"x\"},\"text\":\"t\"}", "account",
         HY_E_MESSAGE},
        {"{\"v\":1,\"account\":7,\"to\":{\"user\":\"x\"},\"text\":\"t\"}", "account", HY_E_MESSAGE},
        {"{\"v\":1,\"to\":{\"user\":\"x\"},\"text\":\"t\"}", "account", HY_E_MESSAGE},
        {"{\"v\":1,\"account\":\"ff\",\"text\":\"t\"}", NULL, HY_E_MESSAGE},
        {"{\"v\":1,\"account\":\"ff\",\"to\":{},\"text\":\"t\"}", "to", HY_E_MESSAGE},
        {"{\"v\":1,\"account\":\"ff\",\"to\":\"x\",\"text\":\"t\"}", "to", HY_E_MESSAGE},
        {"{\"v\":1,\"account\":\"ff\",\"to\":{\"user\":5},\"text\":\"t\"}", "user", HY_E_MESSAGE},
        {"{\"v\":1,\"account\":\"ff\",\"to\":{\"pigeon\":\"x\"},\"text\":\"t\"}", "pigeon",
         HY_E_MESSAGE},
        {"{\"v\":1,\"account\":\"ff\",\"to\":{\"group\":\"x\"},\"text\":\"t\"}", "to",
         HY_E_UNSUPPORTED},
        {MESSAGE("\"txet\":\"t\""), "txet", HY_E_MESSAGE},
        {MESSAGE("\"text\":5"), "text", HY_E_MESSAGE},
        {MESSAGE("\"text\":\"\""), "text", HY_E_MESSAGE},
        {MESSAGE("\"text\":\"a\\u0000b\""), "text", HY_E_MESSAGE},
        {MESSAGE("\"text\":\"t\",\"parts\":[{\"type\":\"text\",\"text\":\"t\"}]"), NULL,
         HY_E_MESSAGE},
        {MESSAGE("\"parts\":[]"), NULL, HY_E_MESSAGE},
        {MESSAGE("\"parts\":{}"), "parts", HY_E_MESSAGE},
        {MESSAGE("\"parts\":[{\"type\":\"text\",\"text\":\"t\"},{\"type\":\"smell\"}]"), "parts",
         HY_E_MESSAGE},
        {MESSAGE("\"parts\":[{\"type\":\"text\"}]"), "parts", HY_E_MESSAGE},
        {MESSAGE("\"parts\":[{\"type\":\"face\",\"index\":1}]"), "parts", HY_E_UNSUPPORTED},
        {MESSAGE("\"text\":\"t\",\"deadline_ms\":\"soon\""), "deadline_ms", HY_E_MESSAGE},
        {MESSAGE("\"text\":\"t\",\"deadline_ms\":-1"), "deadline_ms", HY_E_MESSAGE},
        {MESSAGE("\"text\":\"t\",\"ordered\":1"), "ordered", HY_E_MESSAGE},
        {MESSAGE("\"text\":\"t\",\"key\":5"), "key", HY_E_MESSAGE},
        {MESSAGE("\"text\":\"t\",\"extra\":{\"colour\":1}"), "colour", HY_E_MESSAGE},
        {MESSAGE("\"text\":\"t\",\"extra\":{\"mode\":7}"), "mode", HY_E_MESSAGE},
        {MESSAGE("\"text\":\"t\",\"extra\":{\"text\":\"u\"}"), "text", HY_E_MESSAGE},
        {GROUP("\"text\":\"t\",\"reply_to\":\"1\""), "reply_to", HY_E_UNSUPPORTED},
        {GROUP("\"text\":\"t\",\"extra\":{\"Random\":\"1\"}"), "Random", HY_E_MESSAGE},
        {GROUP("\"text\":\"t\",\"extra\":{\"MsgPriority\":\"high\"}"), "MsgPriority", HY_E_MESSAGE},
        {GROUP("\"parts\":[{\"type\":\"custom\",\"data\":\"a\"},"
               "{\"type\":\"custom\",\"data\":\"b\"}]"),
         "parts", HY_E_MESSAGE},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int submitted = 0; submitted < 2; submitted++) {
            hy_result_t *result = NULL;
            if (submitted) {
                submit(client, cases[i].json, i);
                result = next_result(client);
                CHECK_INT(hy_result_token(result), i);
            } else {
                result = send_json(client, cases[i].json);
            }
            fprintf(stderr, "message %zu: %s\n", i, cases[i].json);
            const char *detail = hy_error_detail_json(hy_result_error(result), NULL);
            CHECK(detail != NULL);
            if (cases[i].path != NULL) {
                const char *path = strstr(detail, "\"path\":\"");
                char named[64];
                CHECK(path != NULL);
                snprintf(named, sizeof named, "%.*s", (int)strcspn(path + 8, "\""), path + 8);
                CHECK_HAS(named, cases[i].path);
            }
            CHECK_HAS(hy_result_json(result, NULL), "\"attempts\":0");
            RESULT(result, HY_NOT_SENT, cases[i].code);
        }
    }
}

/* Everything wrong in a config is `config`, and the message or the detail names the field. */
static void bad_configs(void)
{
#define CONFIG(account, rest) "{\"v\":1,\"accounts\":{\"goose\":{" account "}}" rest "}"
#define FANFOU "\"service\":\"fanfou\""
#define BASIC "\"auth\":{\"type\":\"basic\",\"username\":\"u\",\"password\":\"p\"}"
#define GOOD FANFOU "," BASIC
#define USERSIG                                                                                \
    "\"service\":\"tencent_im\",\"auth\":{\"type\":\"usersig\",\"sdk_app_id\":1,"              \
    "\"identifier\":\"i\",\"secret_key\":\"s\"}"
    static const struct {
        const char *json, *words;
    } cases[] = {
        {"{", NULL},
        {"[]", NULL},
        {"null", NULL},
        {"{}", NULL},
        {"{\"accounts\":{}}", "v"},
        {"{\"v\":2,\"accounts\":{}}", "v"},
        {"{\"v\":\"1\",\"accounts\":{}}", "v"},
        {"{\"v\":1}", "accounts"},
        {"{\"v\":1,\"accounts\":[]}", "accounts"},
        {CONFIG(GOOD, ",\"colour\":1"), "colour"},
        {CONFIG(GOOD, ",\"timeout_ms\":\"1\""), "timeout_ms"},
        {CONFIG(GOOD, ",\"timeout_ms\":-1"), "timeout_ms"},
        {CONFIG(GOOD, ",\"max_in_flight\":0"), "max_in_flight"},
        {CONFIG(GOOD, ",\"retry\":{\"patience\":1}"), "patience"},
        {CONFIG(GOOD, ",\"retry\":{\"on_maybe_sent\":\"pray\"}"), "on_maybe_sent"},
        {CONFIG(GOOD, ",\"user_agent\":\"a\\r\\nX: y\""), "user_agent"},
        {CONFIG(GOOD, ",\"proxy\":\"not a url\""), "proxy"},
        {CONFIG(GOOD, ",\"ca_file\":\"/no/such/file\""), "ca_file"},
        {CONFIG(BASIC, ""), "goose"},
        {CONFIG(FANFOU, ""), "goose"},
        {CONFIG("\"service\":\"telegraph\"," BASIC, ""), "goose"},
        {CONFIG(GOOD ",\"colour\":1", ""), "colour"},
        {CONFIG(FANFOU ",\"auth\":{\"type\":\"basic\",\"username\":\"u\"}", ""), "goose"},
        {CONFIG(FANFOU ",\"auth\":{\"type\":\"handshake\"}", ""), "goose"},
        {CONFIG(FANFOU ",\"auth\":{\"type\":\"basic\",\"username\":\"u\",\"password\":5}", ""),
         "password"},
        {CONFIG(FANFOU ",\"auth\":{\"type\":\"basic\",\"username\":\"u\",\"password\":\"p\","
                       "\"pin\":1}",
                ""),
         "pin"},
        {CONFIG(FANFOU ",\"auth\":{\"type\":\"basic\",\"username\":\"u\\r\\nX: y\","
                       "\"password\":\"p\"}",
                ""),
         "username"},
        {CONFIG(FANFOU ",\"auth\":{\"type\":\"basic\",\"username\":\"u\",\"password\":"
                       "\"p\\r\\nX: y\"}",
                ""),
         "password"},
        {CONFIG(FANFOU ",\"auth\":{\"type\":\"basic\",\"username\":\"u\",\"password\":"
                       "\"${env:HY_NO_SUCH_VARIABLE}\"}",
                ""),
         "HY_NO_SUCH_VARIABLE"},
        {CONFIG("\"service\":\"tencent_im\",\"region\":\"cn\"," BASIC, ""), "goose"},
        {CONFIG(GOOD ",\"format\":\"yaml\"", ""), "format"},
        {CONFIG(GOOD ",\"rate\":{\"count\":1}", ""), "rate"},
        {CONFIG(GOOD ",\"base_url\":\"\"", ""), "base_url"},
        {CONFIG(GOOD ",\"base_url\":\"api.fanfou.com\"", ""), "base_url"},
        {CONFIG(GOOD ",\"base_url\":\"ftp://api.fanfou.com\"", ""), "base_url"},
        {CONFIG(GOOD ",\"base_url\":\"https://\"", ""), "base_url"},
        {CONFIG(GOOD ",\"base_url\":\"https://api.fanfou.com/?a=b\"", ""), "base_url"},
        {CONFIG(GOOD ",\"base_url\":\"https://api.fanfou.com:99999\"", ""), "base_url"},
        {CONFIG(GOOD ",\"base_url\":\"https://api.fanfou.com/\\r\\nX\"", ""), "base_url"},
        {CONFIG(USERSIG, ""), "region"},
        {CONFIG(USERSIG ",\"region\":\"moon\"", ""), "region"},
        {CONFIG(USERSIG ",\"base_url\":\"http://console.tim.qq.com\"", ""), "base_url"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        hy_client_t *none = UNTOUCHED;
        fprintf(stderr, "config %zu: %s\n", i, cases[i].json);
        FAILS_SAYING(hy_init(cases[i].json, HY_NTS, &none), HY_E_CONFIG, cases[i].words);
        CHECK(none == UNTOUCHED);
    }
}

int main(int argc, char **argv)
{
    const char *hostile = hostile_of(argc, argv);
    char account[512], other[512], config[2048];
    hy_client_t *client = NULL;

    /* Tencent gets the same address, so that anything sent at all would be counted. */
    snprintf(other, sizeof other,
             USERSIG ",\"base_url\":\"%s/count\"", hostile);
    snprintf(config, sizeof config, "{\"v\":1,\"accounts\":{\"ff\":%s,\"im\":{%s}}}",
             fanfou_account(account, hostile, "count"), other);
    OK(hy_init(config, HY_NTS, &client));
    bad_pointers(client);
    bad_texts(client);
    monsters(client);
    bad_messages(client);
    bad_configs();
    CHECK_INT(hostile_count(hostile, "count"), 0);

    /* The client is none the worse for it. */
    RESULT(send_json(client, HELLO), HY_SENT, HY_OK);
    hy_free(client);
    return 0;
}
