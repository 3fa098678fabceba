/* Services beside Weibo: how libhongyan sends to them in the benchmarks, and what the server answers.
 *
 * Each has the messages of work.h; the answers are as the services give them for such a text. */
#ifndef SERVICES_H
#define SERVICES_H

#include "work.h"

typedef struct {
    const char *name;
    const char *path;    /* of a message, behind the base URL */
    const char *auth;    /* a format: the number of the account stands at its end */
    const char *to;      /* a format: the recipient; NULL: there is none, and the text names him */
    const char *sent;    /* the body of a success */
    const char *status;  /* that a refusal has */
    const char *refused; /* its body */
} bench_service_t;

static const bench_service_t bench_services[] = {
    {"telegram", "/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
     "{\"type\":\"bot\",\"token\":\"110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw%d\"}",
     "\"to\":{\"chat\":\"%s\"}",
     "{\"ok\":true,\"result\":{\"message_id\":57,\"from\":{\"id\":110201543,\"is_bot\":true,"
     "\"first_name\":\"Hongyan\",\"username\":\"hongyan_bot\"},\"chat\":{\"id\":2125034703,"
     "\"first_name\":\"Anna\",\"last_name\":\"Li\",\"username\":\"annali\",\"type\":\"private\"},"
     "\"date\":1700000000,\"text\":\"天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。\"}}",
     "403 Forbidden",
     "{\"ok\":false,\"error_code\":403,\"description\":\"Forbidden: bot was blocked by the user\"}"},
    {"slack", "/api/chat.postMessage",
     "{\"type\":\"bot\",\"token\":\"xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqg%d\"}",
     "\"to\":{\"channel\":\"C%s\"}",
     "{\"ok\":true,\"channel\":\"C2125034703\",\"ts\":\"1700000000.000001\",\"message\":{"
     "\"user\":\"U0BOT\",\"type\":\"message\",\"ts\":\"1700000000.000001\",\"bot_id\":\"B19LU7CSY\","
     "\"app_id\":\"A0HONGYAN\",\"text\":\"天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。\",\"team\":\"T0\","
     "\"bot_profile\":{\"id\":\"B19LU7CSY\",\"app_id\":\"A0HONGYAN\",\"name\":\"hongyan\","
     "\"icons\":{\"image_36\":\"https://a.slack-edge.com/80588/img/plugins/app/bot_36.png\"},"
     "\"deleted\":false,\"updated\":1700000000,\"team_id\":\"T0\"}}}",
     "200 OK", "{\"ok\":false,\"error\":\"missing_scope\"}"},
    {"dingtalk_bot", "/robot/send?access_token=",
     "{\"type\":\"webhook\",\"secret\":\"SECrobot-secret\","
     "\"url\":\"https://oapi.dingtalk.com/robot/send?access_token=0123456789abcdef%d\"}",
     NULL, "{\"errcode\":0,\"errmsg\":\"ok\"}", "200 OK",
     "{\"errcode\":310000,\"errmsg\":\"ip 203.0.113.7 not in whitelist\"}"},
};

/* The service that the environment names in BENCH_SERVICE; NULL: Weibo. */
static inline const bench_service_t *bench_service(void)
{
    static const bench_service_t *found;
    static int is_known;
    if (is_known)
        return found;
    is_known = 1;
    const char *name = getenv("BENCH_SERVICE");
    if (name == NULL || strcmp(name, "weibo") == 0)
        return NULL;
    for (size_t i = 0; i < sizeof bench_services / sizeof *bench_services; i++)
        if (strcmp(name, bench_services[i].name) == 0)
            return found = &bench_services[i];
    fprintf(stderr, "BENCH_SERVICE: no service %s\n", name);
    exit(2);
}

#endif
