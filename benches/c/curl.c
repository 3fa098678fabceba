/* Sends the messages with libcurl: the same forms, the same two fields read.
 *
 *     bench-curl multi|easy|multi-scan|easy-scan|once URL IN_FLIGHT MESSAGES [CA]
 *
 * multi: curl_multi_poll and curl_multi_perform; easy: curl_easy_perform, one in flight. Both keep
 * their connections. They read the answer by cJSON; with -scan they only look for the two names,
 * and believe whatever stands behind them: the least that can be done. */
#define _GNU_SOURCE
#include "measure.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>

/* A transfer: an easy handle that is used again and again, and its buffers. */
typedef struct {
    CURL *easy;
    char form[8192];
    char answer[16384];
    size_t answer_len;
    uint64_t index;
    uint64_t began;
} transfer_t;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static size_t keep(char *bytes, size_t size, size_t count, void *user)
{
    transfer_t *t = user;
    size_t n = size * count;
    if (n >= sizeof t->answer - t->answer_len)
        return 0;
    memcpy(t->answer + t->answer_len, bytes, n);
    t->answer_len += n;
    return n;
}

static void transfer_new(transfer_t *t, const measure_args_t *a)
{
    char url[512];
    snprintf(url, sizeof url, "%s%s", a->url, WORK_PATH);
    t->easy = curl_easy_init();
    if (t->easy == NULL)
        fail("curl_easy_init", "no handle");
    curl_easy_setopt(t->easy, CURLOPT_URL, url);
    curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t->easy, CURLOPT_USERAGENT, "bench-curl");
    curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, 10000L);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    if (a->ca != NULL)
        curl_easy_setopt(t->easy, CURLOPT_CAINFO, a->ca);
}

/* Makes the message of this number ready to go. */
static void transfer_set(transfer_t *t, uint64_t number, uint64_t index)
{
    work_message_t m;
    t->began = now_ns();
    t->index = index;
    t->answer_len = 0;
    work_message(number, &m);
    char *text = curl_easy_escape(t->easy, m.text, (int)m.text_len);
    if (text == NULL)
        fail("curl_easy_escape", "no memory");
    int len = snprintf(t->form, sizeof t->form, "access_token=%s%u&text=%s&uid=%s", WORK_TOKEN,
                       m.account, text, m.uid);
    curl_free(text);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->form);
    curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE, (long)len);
}

/* What is read of an answer: the beginning of the id, and the refusal's code or 0. */
typedef struct {
    char id[24];
    int refusal;
} fields_t;

static void parse(const transfer_t *t, fields_t *fields)
{
    cJSON *json = cJSON_ParseWithLength(t->answer, t->answer_len);
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(json, "idstr");
    const cJSON *refusal = cJSON_GetObjectItemCaseSensitive(json, "error_code");
    if (cJSON_IsString(id))
        snprintf(fields->id, sizeof fields->id, "%s", id->valuestring);
    if (cJSON_IsNumber(refusal))
        fields->refusal = refusal->valueint;
    cJSON_Delete(json);
}

static void scan(const transfer_t *t, fields_t *fields)
{
    static const char id_name[] = "\"idstr\":\"", refusal_name[] = "\"error_code\":";
    const char *id = memmem(t->answer, t->answer_len, id_name, sizeof id_name - 1);
    if (id != NULL)
        sscanf(id + sizeof id_name - 1, "%23[0-9]", fields->id);
    const char *refusal = memmem(t->answer, t->answer_len, refusal_name, sizeof refusal_name - 1);
    if (refusal != NULL)
        fields->refusal = atoi(refusal + sizeof refusal_name - 1);
}

static void (*read_fields)(const transfer_t *, fields_t *) = parse;

/* Whether it was sent (with an id) or refused as it should be; anything else ends the program. */
static int was_sent(transfer_t *t, CURLcode code)
{
    long status = 0;
    fields_t fields = {0};
    if (code != CURLE_OK)
        fail("transfer", curl_easy_strerror(code));
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    t->answer[t->answer_len] = '\0';
    read_fields(t, &fields);
    int sent = status == 200 && fields.refusal == 0 && fields.id[0] != '\0';
    int refused = status == 403 && fields.refusal == WORK_REFUSAL;
    if (!sent && !refused)
        fail("answer", "neither an id nor the refusal");
    return sent;
}

static void easy(transfer_t *t, measure_t *m, uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        transfer_set(t, first + i, i);
        CURLcode code = curl_easy_perform(t->easy);
        measure_answer(m, i, t->began, was_sent(t, code));
    }
}

static void multi(CURLM *multi, transfer_t *transfers, measure_t *m, uint64_t first,
                  uint64_t count, unsigned in_flight)
{
    uint64_t begun = 0, ended = 0;
    for (; begun < in_flight && begun < count; begun++) {
        transfer_set(&transfers[begun], first + begun, begun);
        curl_multi_add_handle(multi, transfers[begun].easy);
    }
    while (ended < count) {
        int running = 0, left = 0;
        CURLMcode code = curl_multi_perform(multi, &running);
        if (code != CURLM_OK)
            fail("curl_multi_perform", curl_multi_strerror(code));
        uint64_t before = ended;
        for (CURLMsg *msg; (msg = curl_multi_info_read(multi, &left)) != NULL; ended++) {
            transfer_t *t = NULL;
            CURLcode result = msg->data.result;
            curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t);
            measure_answer(m, t->index, t->began, was_sent(t, result));
            curl_multi_remove_handle(multi, t->easy);
            if (begun < count) {
                transfer_set(t, first + begun, begun);
                begun++;
                curl_multi_add_handle(multi, t->easy);
            }
        }
        /* What was just added is sent by perform, at once. */
        if (ended == before) {
            code = curl_multi_poll(multi, NULL, 0, 10000, NULL);
            if (code != CURLM_OK)
                fail("curl_multi_poll", curl_multi_strerror(code));
        }
    }
}

int main(int argc, char **argv)
{
    measure_args_t a;
    measure_t m = {0};
    if (!measure_args(argc, argv, &a))
        return 2;
    int once = strcmp(a.mode, "once") == 0;
    int many = strncmp(a.mode, "multi", 5) == 0;
    if (!once && !many && strncmp(a.mode, "easy", 4) != 0)
        return 2;
    if (strstr(a.mode, "-scan") != NULL)
        read_fields = scan;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        fail("curl_global_init", "failed");
    unsigned n = many ? a.in_flight : 1;
    transfer_t *transfers = calloc(n, sizeof *transfers);
    CURLM *handle = many ? curl_multi_init() : NULL;
    if (transfers == NULL || (many && handle == NULL))
        fail("bench-curl", "no memory");
    for (unsigned i = 0; i < n; i++)
        transfer_new(&transfers[i], &a);
    if (many)
        curl_multi_setopt(handle, CURLMOPT_MAXCONNECTS, (long)n);

    if (once) {
        easy(transfers, &m, 0, 1);
    } else {
        measure_begin(&m, WORK_WARM_UP);
        if (many)
            multi(handle, transfers, &m, 0, WORK_WARM_UP, n);
        else
            easy(transfers, &m, 0, WORK_WARM_UP);
        measure_check(&m);
        measure_begin(&m, a.messages);
        if (many)
            multi(handle, transfers, &m, WORK_WARM_UP, a.messages, n);
        else
            easy(transfers, &m, WORK_WARM_UP, a.messages);
        measure_end(&m, curl_version_info(CURLVERSION_NOW)->version);
    }
    for (unsigned i = 0; i < n; i++)
        curl_easy_cleanup(transfers[i].easy);
    if (many)
        curl_multi_cleanup(handle);
    free(transfers);
    curl_global_cleanup();
    return once && m.sent != 1 ? 1 : 0;
}
