/* What the server answers: messages of Weibo of about 0.3, 1.5 and 8 KB, and a refusal.
 *
 * The fields are those of the document's sample: without its users in the small one, with both in
 * the others; their descriptions and the list of attachments fill up to the size. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "work.h"

#define ANSWER_ID_DIGITS 16
/* The id stands at three places of an answer: as a number, as a string, and as the "mid". */
#define ANSWER_IDS 3

typedef struct {
    const char *prefix; /* the path of the base URL that asks for it */
    size_t size;        /* of the body */
    char bytes[16384];
    size_t len;
    size_t ids[ANSWER_IDS];
} answer_t;

static answer_t answers[] = {{.prefix = "/300", .size = 300},
                             {.prefix = "/1500", .size = 1500},
                             {.prefix = "/8000", .size = 8000}};
static answer_t answer_refusal;

#define ANSWER_HEAD                                                                                \
    "HTTP/1.1 %s\r\nServer: nginx/1.6.1\r\nDate: Fri, 08 Jul 2011 07:48:42 GMT\r\n"                \
    "Content-Type: application/json;charset=UTF-8\r\nContent-Length: %zu\r\n"                      \
    "Connection: keep-alive\r\napi-server-ip: 10.75.0.1\r\n\r\n"

static size_t answer_user(char *out, size_t capacity, const char *id, const char *name,
                          const char *description)
{
    return (size_t)snprintf(
        out, capacity,
        "{\"id\":%s,\"idstr\":\"%s\",\"screen_name\":\"%s\",\"name\":\"%s\",\"province\":\"42\","
        "\"city\":\"1\",\"location\":\"\",\"description\":\"%s\",\"url\":\"\","
        "\"profile_image_url\":\"http://tp4.sinaimg.cn/1716448455/50/5625663956/0\","
        "\"gender\":\"f\",\"followers_count\":227,\"friends_count\":363,\"statuses_count\":680,"
        "\"created_at\":\"Mon Mar 22 00:00:00 +0800 2010\",\"following\":false,"
        "\"allow_all_act_msg\":false,\"verified\":false,\"verified_type\":-1,"
        "\"follow_me\":true,\"online_status\":0,\"bi_followers_count\":143,\"lang\":\"zh-cn\"}",
        id, id, name, name, description);
}

/* The body with so much filling in. */
static size_t answer_body(char *out, size_t capacity, int with_users, size_t prose, size_t ids,
                          size_t spaces)
{
    char description[4096];
    size_t n = (size_t)snprintf(
        out, capacity,
        "{\"id\":%0*d,\"idstr\":\"%0*d\",\"created_at\":\"Fri Jul 08 15:48:42 +0800 2011\","
        "\"text\":\"私信1\",\"sender_id\":4294917290,\"recipient_id\":2125034703,"
        "\"sender_screen_name\":\"sso20333333333\",\"recipient_screen_name\":\"zhaoya0029\","
        "\"mid\":\"%0*d\",\"geo\":null",
        ANSWER_ID_DIGITS, 0, ANSWER_ID_DIGITS, 0, ANSWER_ID_DIGITS, 0);
    if (with_users) {
        size_t len = 0;
        for (size_t i = 0; i < prose; i++, len += 3)
            memcpy(description + len, WORK_PROSE + 3 * (i % WORK_PROSE_CHARACTERS), 3);
        description[len] = '\0';
        n += (size_t)snprintf(out + n, capacity - n, ",\"sender\":");
        n += answer_user(out + n, capacity - n, "4294917290", "sso20333333333", description);
        n += (size_t)snprintf(out + n, capacity - n, ",\"recipient\":");
        n += answer_user(out + n, capacity - n, "2125034703", "zhaoya0029", description);
    }
    n += (size_t)snprintf(out + n, capacity - n, "%*s,\"att_ids\":[", (int)spaces, "");
    for (size_t i = 0; i < ids; i++)
        n += (size_t)snprintf(out + n, capacity - n, "%s%llu", i == 0 ? "" : ",",
                              234524634563ull + i);
    return n + (size_t)snprintf(out + n, capacity - n, "]}");
}

static void answer_finish(answer_t *a, const char *status, const char *body, size_t len)
{
    size_t head = (size_t)snprintf(a->bytes, sizeof a->bytes, ANSWER_HEAD, status, len);
    memcpy(a->bytes + head, body, len);
    a->len = head + len;
}

static void answers_begin(void)
{
    static const char refusal[] =
        "{\"error\":\"can not send direct message to user who is not your follower!\","
        "\"error_code\":20301,\"request\":\"/2/direct_messages/send.json\"}";
    static const char zeros[] = "0000000000000000";
    char body[16384];
    answer_finish(&answer_refusal, "403 Forbidden", refusal, sizeof refusal - 1);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        answer_t *a = &answers[i];
        int with_users = a->size > 1000;
        size_t prose = 0, ids = 0, spaces = 0;
        size_t least = answer_body(body, sizeof body, with_users, 0, 0, 0);
        if (least < a->size) {
            /* Half of the filling is text, the other half numbers, the rest of it spaces. */
            prose = with_users ? (a->size - least) / 2 / 6 : 0;
            while (answer_body(body, sizeof body, with_users, prose, ids + 1, 0) <= a->size)
                ids++;
            spaces = a->size - answer_body(body, sizeof body, with_users, prose, ids, 0);
        }
        size_t len = answer_body(body, sizeof body, with_users, prose, ids, spaces);
        answer_finish(a, "200 OK", body, len);
        char *at = a->bytes;
        for (int id = 0; id < ANSWER_IDS; id++) {
            at = strstr(at, zeros);
            a->ids[id] = (size_t)(at - a->bytes);
            at += ANSWER_ID_DIGITS;
        }
    }
}

/* Puts the next message's id into an answer. */
static void answer_number(answer_t *a, uint64_t id)
{
    for (int digit = ANSWER_ID_DIGITS - 1; digit >= 0; digit--, id /= 10)
        for (int i = 0; i < ANSWER_IDS; i++)
            a->bytes[a->ids[i] + (size_t)digit] = (char)('0' + id % 10);
}

#endif
