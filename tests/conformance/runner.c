/* Runs the cases of one file in C, as README.md tells: runner URL FOLDER NAME COUNT. "compare" tests the comparison. */
#include <hongyan.h>

#include "http.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 300000
#define MOST 16

static char place[256], why[512];

/* Ends the program where a step does not do what it should. */
static void demand(int holds, const char *what, const char *found)
{
    if (holds)
        return;
    fprintf(stderr, "%s: %s: %s\n", place, what, found == NULL ? "" : found);
    exit(1);
}

/* Whether `found` is what `expect` asks for; if not, `why` tells. */
static int fits(const json_t *expect, const json_t *found)
{
    const char *word = json_string_value(expect), *name;
    json_t *member;
    size_t i;
    int fit = found != NULL && json_typeof(expect) == json_typeof(found);

    if (word != NULL && strcmp(word, "{string}") == 0)
        fit = json_string_length(found) > 0;
    else if (word != NULL && strcmp(word, "{number}") == 0)
        fit = json_is_number(found);
    else if (json_is_number(expect))
        fit = json_is_number(found) && json_number_value(expect) == json_number_value(found);
    else if (fit && word != NULL)
        fit = json_string_length(expect) == json_string_length(found) &&
              memcmp(word, json_string_value(found), json_string_length(expect)) == 0;
    else if (fit && json_is_object(expect))
        json_object_foreach((json_t *)expect, name, member)
        {
            if (!fits(member, json_object_get(found, name)))
                return 0;
        }
    else if (fit && json_is_array(expect)) {
        fit = json_array_size(expect) == json_array_size(found);
        for (i = 0; fit && i < json_array_size(expect); i++)
            if (!fits(json_array_get(expect, i), json_array_get(found, i)))
                return 0;
    }
    if (!fit) {
        char *one = json_dumps(expect, JSON_ENCODE_ANY), *other = found ? json_dumps(found, JSON_ENCODE_ANY) : NULL;
        snprintf(why, sizeof why, "expected %.200s, found %.280s", one, other ? other : "nothing");
        free(one);
        free(other);
    }
    return fit;
}

static void expect_of(const json_t *step, const char *member, const char *text, size_t len)
{
    const json_t *expect = json_object_get(step, member);
    json_t *found = json_loadb(text, len, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
    demand(expect != NULL, "not expected", text);
    demand(fits(expect, found), why, text);
    json_decref(found);
}

/* True if the call did what it was to do; an error that is expected is compared. */
static int did(const json_t *step, hy_error_t *error)
{
    demand(error != NULL || json_object_get(step, "error") == NULL, "the call did not fail", "");
    if (error == NULL)
        return 1;
    size_t len = 0;
    const char *text = hy_error_detail_json(error, &len);
    expect_of(step, "error", text, len);
    hy_error_free(error);
    return 0;
}

/* All that a file or an object says as text, with `len` bytes; the caller frees it. */
static char *message_of(const json_t *step, size_t *len)
{
    const json_t *raw = json_object_get(step, "json"), *message = json_object_get(step, "message");
    demand((raw == NULL) != (message == NULL), "one of message and json", "");
    char *text = raw == NULL ? json_dumps(message, JSON_COMPACT) : strdup(json_string_value(raw));
    *len = strlen(text);
    return text;
}

struct sends {
    struct one {
        const char *name;
        hy_op_t *op;
        json_t *result;
        int looked_at;
    } all[MOST];
    size_t count;
};

static struct one *named(struct sends *sends, const char *name)
{
    for (size_t i = 0; i < sends->count; i++)
        if (name != NULL && strcmp(sends->all[i].name, name) == 0)
            return &sends->all[i];
    demand(0, "no such submit", name);
    return NULL;
}

/* Waits for results until that of this submit is there. */
static void wait_for(struct sends *sends, hy_queue_t *queue, struct one *one)
{
    while (one->result == NULL) {
        hy_result_t *result = NULL;
        size_t count = 0, len = 0;
        hy_error_t *error = hy_queue_wait_many(queue, PATIENCE_MS, &result, 1, &count);
        demand(error == NULL && count == 1, "no result", hy_error_message(error, NULL));
        const char *text = hy_result_json(result, &len);
        uint64_t token = hy_result_token(result);
        demand(token < sends->count && sends->all[token].result == NULL, "whose result is it", text);
        sends->all[token].result = json_loadb(text, len, JSON_ALLOW_NUL, NULL);
        demand(sends->all[token].result != NULL, "no JSON", text);
        hy_result_free(result);
    }
}

static void sandbox(const char *url, const json_t *step)
{
    const char *asked = json_string_value(json_object_get(step, "do"));
    const json_t *body = json_object_get(step, "body");
    char method[8] = "", path[128] = "", *json = body ? json_dumps(body, JSON_COMPACT) : NULL, *answer = NULL;
    demand(asked != NULL && sscanf(asked, "%7s %127s", method, path) == 2, "no request", asked);
    int status = http_ask(url, method, path, json, &answer);
    demand(status / 100 == 2, "the sandbox answers otherwise", answer);
    if (json_object_get(step, "expect") != NULL)
        expect_of(step, "expect", answer, strlen(answer));
    free(json);
    free(answer);
}

static const struct {
    const char *op, *members;
} KNOWN[] = {
    {"sandbox", " op do body expect "},
    {"open", " op config error "},
    {"send", " op message json timeout_ms expect error "},
    {"submit", " op as message json timeout_ms error "},
    {"result", " op of expect "},
    {"cancel", " op of "},
    {"close", " op timeout_ms unfinished "},
    {"end", " op "},
};

/* The op of a step, of which this runner has to know every member. */
static const char *op_of(json_t *step)
{
    const char *op = json_string_value(json_object_get(step, "op")), *name;
    json_t *member;
    for (size_t i = 0; op != NULL && i < sizeof KNOWN / sizeof *KNOWN; i++) {
        if (strcmp(KNOWN[i].op, op) != 0)
            continue;
        json_object_foreach(step, name, member)
        {
            char spaced[64];
            snprintf(spaced, sizeof spaced, " %s ", name);
            demand(strstr(KNOWN[i].members, spaced) != NULL, "a member that nobody knows", name);
        }
        return KNOWN[i].op;
    }
    demand(0, "an op that nobody knows", op);
    return "";
}

static void step_of(const char *url, hy_client_t *client, hy_queue_t *queue, struct sends *sends, json_t *step)
{
    const char *op = op_of(step), *of = json_string_value(json_object_get(step, "of"));
    const json_t *timeout = json_object_get(step, "timeout_ms");
    int64_t timeout_ms = timeout == NULL ? -1 : (int64_t)json_integer_value(timeout);
    size_t len = 0;

    if (strcmp(op, "sandbox") == 0) {
        sandbox(url, step);
    } else if (strcmp(op, "open") == 0) {
        hy_client_t *other = NULL;
        char *config = json_dumps(json_object_get(step, "config"), JSON_COMPACT);
        did(step, hy_init(config, HY_NTS, &other));
        free(config);
    } else if (strcmp(op, "send") == 0) {
        hy_result_t *result = NULL;
        char *message = message_of(step, &len);
        if (did(step, hy_send_json(client, message, len, timeout_ms, &result))) {
            const char *text = hy_result_json(result, &len);
            expect_of(step, "expect", text, len);
        }
        hy_result_free(result);
        free(message);
    } else if (strcmp(op, "submit") == 0) {
        char options[64], *message = message_of(step, &len);
        struct one *one = &sends->all[sends->count];
        demand(sends->count < MOST, "too many submits", "");
        *one = (struct one){json_string_value(json_object_get(step, "as")), NULL, NULL, 0};
        demand(one->name != NULL, "a submit without a name", "");
        snprintf(options, sizeof options, "{\"timeout_ms\":%lld}", (long long)timeout_ms);
        if (did(step, hy_submit_to(client, queue, message, len, options, HY_NTS, sends->count, &one->op)))
            sends->count++;
        free(message);
    } else if (strcmp(op, "result") == 0) {
        struct one *one = named(sends, of);
        wait_for(sends, queue, one);
        char *text = json_dumps(one->result, JSON_COMPACT);
        expect_of(step, "expect", text, strlen(text));
        one->looked_at = 1;
        free(text);
    } else if (strcmp(op, "cancel") == 0) {
        hy_op_cancel(named(sends, of)->op);
    } else if (strcmp(op, "close") == 0) {
        uint64_t unfinished = 0;
        char text[32];
        did(step, hy_close(client, timeout_ms, &unfinished));
        snprintf(text, sizeof text, "%llu", (unsigned long long)unfinished);
        expect_of(step, "unfinished", text, strlen(text));
    } else {
        hy_result_t *result = NULL;
        for (size_t i = 0; i < sends->count; i++)
            demand(sends->all[i].looked_at, "a result that nobody looked at", sends->all[i].name);
        hy_error_t *error = hy_queue_wait_many(queue, PATIENCE_MS, &result, 1, &len);
        demand(hy_error_code(error) == HY_E_CLOSED, "the queue has not ended", hy_error_message(error, NULL));
        hy_error_free(error);
    }
}

static void run(const char *url, const json_t *config, const json_t *steps)
{
    hy_client_t *client = NULL;
    hy_queue_t *queue = NULL;
    struct sends sends = {.count = 0};
    char *text = json_dumps(config, JSON_COMPACT), *answer = NULL, *end = place + strlen(place);
    demand(http_ask(url, "POST", "/_/reset", NULL, &answer) == 200, "no reset", answer);
    hy_error_t *error = hy_init(text, HY_NTS, &client);
    demand(error == NULL, "no client", hy_error_detail_json(error, NULL));
    error = hy_queue_new(client, &queue);
    demand(error == NULL, "no queue", hy_error_detail_json(error, NULL));
    for (size_t i = 0; i < json_array_size(steps); i++) {
        snprintf(end, 32, ": step %zu", i + 1);
        step_of(url, client, queue, &sends, json_array_get(steps, i));
    }
    for (size_t i = 0; i < sends.count; i++) {
        hy_op_free(sends.all[i].op);
        json_decref(sends.all[i].result);
    }
    hy_queue_free(queue);
    hy_free(client);
    free(answer);
    free(text);
}

/* The file as JSON, with the sandbox in the place of {sandbox} and {port}. */
static json_t *parsed(const char *path, const char *url)
{
    const char *names[] = {"{sandbox}", "{port}"}, *values[] = {url, strrchr(url, ':') + 1};
    FILE *file = fopen(path, "rb");
    demand(file != NULL, "cannot be read", path);
    size_t room = 1 << 20, len = 0;
    char *text = malloc(room);
    demand(text != NULL, "no memory", "");
    for (int c; (c = getc(file)) != EOF;) {
        demand(len + strlen(url) + 1 < room, "too long", path);
        text[len++] = (char)c;
        for (size_t i = 0; c == '}' && i < 2; i++) {
            size_t n = strlen(names[i]);
            if (len >= n && memcmp(text + len - n, names[i], n) == 0) {
                memcpy(text + len - n, values[i], strlen(values[i]));
                len += strlen(values[i]) - n;
                break;
            }
        }
    }
    fclose(file);
    json_t *all = json_loadb(text, len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
    demand(all != NULL, "no JSON", path);
    free(text);
    return all;
}

int main(int argc, char **argv)
{
    demand(argc == 5, "usage", "runner URL FOLDER NAME COUNT");
    const char *url = argv[1], *name = argv[3];
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.json", argv[2], name);
    json_t *file = parsed(path, url);
    const json_t *cases = json_object_get(file, strcmp(name, "compare") == 0 ? "pairs" : "cases"), *one;
    size_t ran = 0;
    for (; (one = json_array_get(cases, ran)) != NULL; ran++) {
        snprintf(place, sizeof place - 32, "%s: %s", name, json_string_value(json_object_get(one, "name")));
        if (strcmp(name, "compare") == 0) {
            int fit = fits(json_object_get(one, "expect"), json_object_get(one, "found"));
            snprintf(place, sizeof place, "pair %zu", ran + 1);
            demand(fit == json_is_true(json_object_get(one, "fits")), "compared otherwise", why);
            continue;
        }
        const json_t *own = json_object_get(one, "config");
        run(url, own != NULL ? own : json_object_get(file, "config"), json_object_get(one, "steps"));
    }
    snprintf(place, sizeof place, "%s: %zu cases", name, ran);
    demand(ran == (size_t)atoi(argv[4]), "the index says", argv[4]);
    json_decref(file);
    printf("conformance: %zu cases of %s\n", ran, name);
    return 0;
}
