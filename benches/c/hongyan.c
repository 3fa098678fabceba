/* Sends the messages with libhongyan, by Weibo or the service in BENCH_SERVICE.
 *
 *     bench-hongyan submit|send|once|pending URL IN_FLIGHT MESSAGES [CA]
 *
 * submit: hy_submit_json and hy_wait_many; send: blocking hy_send_json, one in flight; pending: as many as MESSAGES wait
 * for their time and are cancelled, six times. BENCH_OUTBOX is the path of an outbox: what is submitted is durable and
 * acknowledged; a blocking send shows what an outbox costs that nothing goes into. */
#include "measure.h"
#include "services.h"

#include <hongyan.h>

static void check(hy_error_t *error, const char *what)
{
    if (error == NULL)
        return;
    fprintf(stderr, "%s: %s: %s\n", what, hy_error_name(error), hy_error_message(error, NULL));
    exit(1);
}

static hy_client_t *client_new(const measure_args_t *a)
{
    char config[4096], auth[256];
    const bench_service_t *service = bench_service();
    size_t n = (size_t)snprintf(config, sizeof config, "{\"v\":1,\"accounts\":{");
    for (int i = 0; i < WORK_ACCOUNTS; i++) {
        if (service != NULL)
            snprintf(auth, sizeof auth, service->auth, i);
        else
            snprintf(auth, sizeof auth, "{\"type\":\"oauth2\",\"token\":\"%s%d\"}", WORK_TOKEN, i);
        n += (size_t)snprintf(config + n, sizeof config - n,
                              "%s\"a%d\":{\"service\":\"%s\",\"base_url\":\"%s\",\"rate\":null,"
                              "\"auth\":%s}",
                              i == 0 ? "" : ",", i, service != NULL ? service->name : "weibo", a->url,
                              auth);
    }
    n += (size_t)snprintf(config + n, sizeof config - n, "}");
    if (a->ca != NULL)
        n += (size_t)snprintf(config + n, sizeof config - n, ",\"ca_file\":\"%s\"", a->ca);
    if (strcmp(a->mode, "pending") == 0)
        n += (size_t)snprintf(config + n, sizeof config - n, ",\"max_in_flight\":%llu",
                              (unsigned long long)a->messages + 1);
    const char *outbox = getenv("BENCH_OUTBOX");
    if (outbox != NULL)
        n += (size_t)snprintf(config + n, sizeof config - n, ",\"outbox\":{\"path\":\"%s\"}", outbox);
    n += (size_t)snprintf(config + n, sizeof config - n, "}");
    hy_client_t *client = NULL;
    check(hy_init(config, n, &client), "hy_init");
    return client;
}

/* The message of this number as JSON; its text needs no escaping. */
static size_t message_json(uint64_t number, char *json, size_t capacity)
{
    work_message_t m;
    work_message(number, &m);
    const bench_service_t *service = bench_service();
    if (service != NULL && service->to == NULL)
        return (size_t)snprintf(json, capacity, "{\"v\":1,\"account\":\"a%u\",\"text\":\"%s %s\"}",
                                m.account, m.uid, m.text);
    char to[64];
    snprintf(to, sizeof to, service != NULL ? service->to : "\"to\":{\"user\":\"%s\"}", m.uid);
    return (size_t)snprintf(json, capacity, "{\"v\":1,\"account\":\"a%u\",%s,\"text\":\"%s\"}",
                            m.account, to, m.text);
}

/* Whether it was sent (with an id, where the service gives one) or refused as it should be; anything else ends the program. */
static int was_sent(const hy_result_t *result)
{
    const hy_error_t *error = hy_result_error(result);
    const bench_service_t *service = bench_service();
    int has_id = hy_result_message_id(result, NULL) != NULL;
    if (hy_result_delivery(result) == HY_SENT && (has_id || (service != NULL && service->to == NULL)))
        return 1;
    if (hy_result_delivery(result) == HY_NOT_SENT && hy_error_code(error) == HY_E_FORBIDDEN)
        return 0;
    fprintf(stderr, "a message ended as delivery %d: %s\n", (int)hy_result_delivery(result),
            hy_error_message(error, NULL));
    exit(1);
}

/* Sends messages first..first+count, in_flight at a time, by submit and wait. Durable ones come in together, as many as
 * there is room for, and are acknowledged. */
static void submit(hy_client_t *client, measure_t *m, uint64_t first, uint64_t count,
                   unsigned in_flight)
{
    static uint64_t began[512]; /* by place; a token is number * 512 + place */
    static unsigned places[512];
    static char texts[512][2048];
    const char *jsons[512];
    size_t lens[512];
    uint64_t tokens[512];
    hy_result_t *results[512];
    unsigned idle = in_flight;
    int durable = getenv("BENCH_OUTBOX") != NULL;
    for (unsigned i = 0; i < in_flight; i++)
        places[i] = i;
    for (uint64_t submitted = 0, ended = 0; ended < count;) {
        size_t n = 0;
        for (; idle > 0 && submitted < count; submitted++) {
            unsigned place = places[--idle];
            began[place] = now_ns();
            jsons[n] = texts[n];
            lens[n] = message_json(first + submitted, texts[n], sizeof texts[n]);
            tokens[n] = submitted * 512 + place;
            if (durable)
                n++;
            else
                check(hy_submit_json(client, jsons[n], lens[n], tokens[n], NULL), "hy_submit_json");
        }
        if (n > 0) {
            size_t accepted = 0;
            check(hy_submit_many_json(client, jsons, lens, tokens, n, &accepted), "hy_submit_many_json");
        }
        size_t got = 0;
        check(hy_wait_many(client, -1, results, in_flight, &got), "hy_wait_many");
        for (size_t i = 0; i < got; i++) {
            uint64_t token = hy_result_token(results[i]);
            unsigned place = (unsigned)(token % 512);
            measure_answer(m, token / 512, began[place], was_sent(results[i]));
            if (durable)
                check(hy_result_ack(client, results[i]), "hy_result_ack");
            hy_result_free(results[i]);
            places[idle++] = place;
        }
        ended += got;
    }
}

/* Sends messages first..first+count, one after the other. */
static void send_each(hy_client_t *client, measure_t *m, uint64_t first, uint64_t count)
{
    char json[2048];
    for (uint64_t i = 0; i < count; i++) {
        uint64_t began = now_ns();
        size_t len = message_json(first + i, json, sizeof json);
        hy_result_t *result = NULL;
        check(hy_send_json(client, json, len, 30000, &result), "hy_send_json");
        measure_answer(m, i, began, was_sent(result));
        hy_result_free(result);
    }
}

/* What this process has resident now. */
static unsigned long long resident(void)
{
    char line[256];
    unsigned long long kb = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmRSS: %llu kB", &kb) == 1)
            break;
    if (status != NULL)
        fclose(status);
    return kb * 1024;
}

/* Submits messages that wait for their time and cancels them, six times: what stays resident after each. */
static void pending(hy_client_t *client, uint64_t count)
{
    hy_op_t **ops = calloc(count, sizeof *ops);
    hy_result_t *results[64];
    char json[2048];
    if (ops == NULL)
        exit(1);
    printf("{\"rounds\": [");
    for (int round = 0; round < 6; round++) {
        for (uint64_t i = 0; i < count; i++) {
            size_t len = message_json(i, json, sizeof json) - 1;
            len += (size_t)snprintf(json + len, sizeof json - len, ",\"not_before_ms\":4102444800000}");
            check(hy_submit_json(client, json, len, i, &ops[i]), "hy_submit_json");
        }
        for (uint64_t i = 0; i < count; i++) {
            hy_op_cancel(ops[i]);
            hy_op_free(ops[i]);
        }
        for (uint64_t ended = 0; ended < count;) {
            size_t got = 0;
            check(hy_wait_many(client, -1, results, 64, &got), "hy_wait_many");
            for (size_t i = 0; i < got; i++) {
                if (hy_error_code(hy_result_error(results[i])) != HY_E_CANCELLED)
                    exit(1);
                hy_result_free(results[i]);
            }
            ended += got;
        }
        printf("%s{\"rss\": %llu}", round > 0 ? ", " : "", resident());
    }
    printf("]}\n");
    free(ops);
}

int main(int argc, char **argv)
{
    measure_args_t a;
    measure_t m = {0};
    if (!measure_args(argc, argv, &a))
        return 2;
    hy_client_t *client = client_new(&a);
    if (strcmp(a.mode, "once") == 0) {
        send_each(client, &m, 0, 1);
        hy_free(client);
        return m.sent == 1 ? 0 : 1;
    }
    if (strcmp(a.mode, "pending") == 0) {
        pending(client, a.messages);
        hy_free(client);
        return 0;
    }
    int blocking = strcmp(a.mode, "send") == 0;
    if (!blocking && strcmp(a.mode, "submit") != 0)
        return 2;
    measure_begin(&m, WORK_WARM_UP);
    if (blocking)
        send_each(client, &m, 0, WORK_WARM_UP);
    else
        submit(client, &m, 0, WORK_WARM_UP, a.in_flight);
    measure_check(&m);
    measure_begin(&m, a.messages);
    if (blocking)
        send_each(client, &m, WORK_WARM_UP, a.messages);
    else
        submit(client, &m, WORK_WARM_UP, a.messages, a.in_flight);
    measure_end(&m, hy_version());
    hy_free(client);
    return 0;
}
