/* Sends through every service, every kind of credentials and every format, and then shows one
 * refusal of each service, against the local sandbox:
 *
 *     hongyan sandbox &
 *     cc all_services.c -lhongyan -o all_services && ./all_services [BASE_URL]
 *
 * Exit status: 0 if all was sent and every refusal was told as what it is. */
#include <hongyan.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Far longer than the sandbox ever takes. */
#define WAIT_MS 30000

/* What follows "auth": the credentials that the sandbox takes, and what else an account needs. */
#define BASIC "{\"type\":\"basic\",\"username\":\"test\",\"password\":\"pwd\"}"
#define OAUTH1(service)                                                                      \
    "{\"type\":\"oauth1\",\"consumer_key\":\"" service "-consumer-key\","                    \
    "\"consumer_secret\":\"" service "-consumer-secret\",\"token\":\"" service "-token\","     \
    "\"token_secret\":\"" service "-token-secret\"}"
#define OAUTH2(send) "{\"type\":\"oauth2\",\"token\":\"weibo-token\",\"send\":\"" send "\"}"
#define BEARER "{\"type\":\"bearer\",\"token\":\"renren-token\"}"
#define MAC "{\"type\":\"mac\",\"token\":\"renren-mac-token\",\"mac_key\":\"renren-mac-key\"}"
#define APP_KEY ",\"app_key\":\"1852823608\""
#define IN_A_FORM ",\"params\":\"form\""
#define SLACK                                                                                \
    "{\"type\":\"bot\",\"token\":\"xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy\"}"
#define BOT                                                                                  \
    "{\"type\":\"bot\",\"token\":\"110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw\"}"
#define HOOK(path) ",\"url\":\"https://hooks.example.com/in/" path "\""
#define HELLO "\"text\":\"hello by webhook\""
#define USERSIG                                                                              \
    "{\"type\":\"usersig\",\"sdk_app_id\":1400000000,\"identifier\":\"administrator\","      \
    "\"secret_key\":\"5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e\"}"

#define DINGTALK(secret)                                                                     \
    "{\"type\":\"webhook\",\"secret\":\"" secret "\",\"url\":"                               \
    "\"https://oapi.dingtalk.com/robot/send?access_token=dingtalkrobottoken\"}"

/* Old Sina and Weibo refuse the text that the recipient got last: each row says its own. */
#define TO_USER(id, text) "\"to\":{\"user\":\"" id "\"},\"text\":\"" text "\""
#define TALK                                                                                 \
    "\"to\":{\"users\":[\"123\",\"456\"]},\"text\":\"hello from C\","                          \
    "\"extra\":{\"messageType\":\"TEXT\",\"resourceTitle\":\"a title\"}"
#define TALK_WITH_PARTS                                                                      \
    "\"parts\":[{\"type\":\"text\",\"text\":\"look\"},"                                      \
    "{\"type\":\"link\",\"url\":\"http://example.com/?a=1&b=2\",\"title\":\"a title\"},"     \
    "{\"type\":\"location\",\"latitude\":39.9,\"longitude\":116.4}],"                          \
    "\"extra\":{\"messageType\":\"LINK\"}"

#define TO_LISZTLI "\"to\":{\"user\":\"lisztli\"},\"text\":\"hello from C\""
#define TO_THE_GROUP                                                                         \
    "\"to\":{\"group\":\"@TGS#2C5SZEAEF\"},\"parts\":["                                      \
    "{\"type\":\"text\",\"text\":\"hello \"},"                                               \
    "{\"type\":\"mention\",\"user\":\"brennanli\",\"name\":\"Brennan\"},"                    \
    "{\"type\":\"face\",\"index\":6,\"data\":\"smile\"},"                                    \
    "{\"type\":\"location\",\"latitude\":29.34,\"longitude\":106.55,\"address\":\"Chongqing\"}," \
    "{\"type\":\"custom\",\"data\":\"from C\",\"desc\":\"a note\",\"ext\":\"\",\"sound\":\"\"}]"

#define WECOM(key)                                                                           \
    "{\"type\":\"webhook\","                                                                 \
    "\"url\":\"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=" key "\"}"

#define FEISHU(token, more)                                                                  \
    "{\"type\":\"webhook\"," more "\"url\":\"https://open.feishu.cn/open-apis/bot/v2/hook/" token "\"}"
#define DISCORD(token) "{\"type\":\"bot\",\"token\":\"" token "\"}"
#define DISCORD_TOKEN "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs"
#define DISCORD_HOOK                                                                         \
    "{\"type\":\"webhook\",\"url\":\"https://discord.com/api/webhooks/223704706495545344/"   \
    "3d89bb7572e0fb30d8128367b3b1b44fecd1726de135cbe28a41f8b2f777c372ba2939e72279b94526ff5d1b" \
    "d4358d65cf11\"}"
#define TO_DISCORD "\"to\":{\"channel\":\"41771983423143937\"},\"text\":\"hello from C\""

#define MATTERMOST(token) "{\"type\":\"bot\",\"token\":\"" token "\"}"
#define MATTERMOST_HOOK                                                                      \
    "{\"type\":\"webhook\","                                                                 \
    "\"url\":\"https://chat.example.com/hooks/bywsw8zt5jgpte3nm65qjiru6h\"}"
#define TO_TOWN_SQUARE                                                                       \
    "\"to\":{\"channel\":\"4xp9fdt77pncbef59f4k1qe83o\"},\"text\":\"hello from C\""

#define MATRIX(password)                                                                     \
    "{\"type\":\"password\",\"username\":\"hongyan\",\"password\":\"" password "\"}"
#define TO_GENERAL "\"to\":{\"room\":\"!general:localhost\"},\"text\":\"hello from C\""

#define ZULIP(key)                                                                           \
    "{\"type\":\"basic\",\"username\":\"hongyan-bot@acme.zulipchat.com\",\"password\":\"" key "\"}"
#define TO_A_TOPIC                                                                           \
    "\"to\":{\"channel\":\"general\",\"topic\":\"greetings\"},\"text\":\"hello from C\""
#define NTFY(kind) "{\"type\":" kind "}"
#define TO_TOPIC(topic) "\"to\":{\"topic\":\"" topic "\"},\"text\":\"hello from C\""

#define GOTIFY(token) "{\"type\":\"token\",\"token\":\"" token "\"}"
#define GOOGLECHAT(token)                                                                    \
    "{\"type\":\"webhook\","                                                                 \
    "\"url\":\"https://chat.googleapis.com/v1/spaces/AAAAhongyan/messages"                  \
    "?key=AIzaSyHongyanHongyanHongyanHongyan00000&token=" token "\"}"
#define TEAMS(sig)                                                                           \
    "{\"type\":\"webhook\","                                                                 \
    "\"url\":\"https://prod-00.westeurope.logic.azure.com:443/workflows/"                  \
    "8f2d1c4b5a69478e8d7c6b5a49382716/triggers/manual/paths/invoke"                          \
    "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=" sig "\"}"
#define LINE(token) "{\"type\":\"bot\",\"token\":\"" token "\"}"
#define TO_A_FRIEND                                                                          \
    "\"to\":{\"user\":\"U4af4980629d85f9c1d3a1b4c5e6f7a8b\"},\"text\":\"hello from C\""
#define TOKEN(token) "{\"type\":\"token\",\"token\":\"" token "\"}"
#define KEY(key) "{\"type\":\"key\",\"key\":\"" key "\"}"

#define ROCKET_CHAT(token)                                                                   \
    "{\"type\":\"token\",\"user_id\":\"YKduDE7nGbqDkPCFf\",\"token\":\"" token "\"}"
#define ROCKET_CHAT_HOOK                                                                     \
    "{\"type\":\"webhook\",\"url\":\"https://chat.example.com/hooks/"                       \
    "64c0ffee64c0ffee64c0ffe1/yEpDsPjwnf4YhqhbXR5Mx4RFpXmjZzgWrEHkeL3ZKjeCvE3o\"}"
#define TO_ANNA "\"to\":{\"user\":\"anna\"},\"text\":\"hello from C\""
#define PUSHOVER(token) "{\"type\":\"token\",\"token\":\"" token "\"}"
#define PUSHOVER_TOKEN "a7goose7hongyan7pushover7token"
#define BARK(key) "{\"type\":\"key\",\"key\":\"" key "\"}"

#define SMTP(kind, name, secret)                                                             \
    "{\"type\":\"" kind "\",\"username\":\"goose@example.org\",\"" name "\":\"" secret "\"},"   \
    "\"from\":\"Goose <goose@example.org>\""
#define TO_EMAILS(name)                                                                      \
    "\"to\":{\"emails\":[\"" name "@example.org\"]},\"title\":\"hello\",\"text\":\"from C\""
#define WECOM_APP(secret)                                                                    \
    "{\"type\":\"app\",\"corp_id\":\"ww0123456789abcdef\",\"agent_id\":1000002,"                \
    "\"secret\":\"" secret "\"}"

#define APP(id, secret) "{\"type\":\"app\",\"id\":\"" id "\",\"secret\":\"" secret "\"}"

#define STATUSNET(password)                                                                  \
    "{\"type\":\"basic\",\"username\":\"goose\",\"password\":\"" password "\"}"
#define TO_A_NAME(name) "\"to\":{\"name\":\"" name "\"},\"text\":\"hello from C\""

#define WHATSAPP(token) TOKEN(token) ",\"phone_number_id\":\"106540352242922\""
#define TO_WHATSAPP(text) "\"to\":{\"phone\":\"+8613800138000\"},\"text\":\"" text "\""

#define DINGTALK_APP(secret)                                                                 \
    "{\"type\":\"app\",\"key\":\"dinghongyan0app\",\"secret\":\"" secret "\"},"                 \
    "\"robot_code\":\"dinghongyan0app\""

#define TWILIO(token)                                                                        \
    "{\"type\":\"basic\",\"username\":\"AC70817e64c2a14f0b9d3e5a6b7c8d9e0f\","                \
    "\"password\":\"" token "\"},\"from\":\"+15005550006\""
#define TO_A_PHONE(text) "\"to\":{\"phone\":\"+15005550010\"},\"text\":\"" text "\""

#define TENCENT_SMS(secret)                                                                  \
    "{\"type\":\"key\",\"id\":\"AKIDhongyan0123456789abcdefghijklmn\",\"secret\":\"" secret "\"}," \
    "\"sdk_app_id\":\"1400006666\",\"sign_name\":\"\xe9\xb8\xbf\xe9\x9b\x81\",\"template\":\"1110\""
#define ALIYUN_SMS(secret)                                                                   \
    "{\"type\":\"key\",\"id\":\"LTAI5tHongyan0123456789a\",\"secret\":\"" secret "\"},"            \
    "\"sign_name\":\"\xe9\xb8\xbf\xe9\x9b\x81\",\"template\":\"SMS_100000001\","                   \
    "\"text_param\":\"content\""
#define TO_PHONES(number, text)                                                              \
    "\"to\":{\"phones\":[\"" number "\"]},\"text\":\"" text "\""

#define TO_A_ROBOT                                                                           \
    "\"parts\":[{\"type\":\"mention\",\"user\":\"13800138000\"},"                              \
    "{\"type\":\"text\",\"text\":\"hello from C\"}]"

/* One row makes one account and one message to it. */
static const struct {
    const char *service, *auth_kind, *format; /* format NULL: the service has only one */
    const char *auth;
    const char *message; /* all of the message but "v" and "account" */
} sends[] = {
    {"fanfou", "basic", "json", BASIC, TO_LISZTLI},
    {"fanfou", "basic", "xml", BASIC, TO_LISZTLI},
    {"fanfou", "oauth1", "json", OAUTH1("fanfou"), TO_LISZTLI},
    {"fanfou", "oauth1", "xml", OAUTH1("fanfou"), TO_LISZTLI},
    {"fanfou", "oauth1", "rss", OAUTH1("fanfou"), TO_LISZTLI},
    {"fanfou", "basic", "json", BASIC, TO_LISZTLI ",\"extra\":{\"callback\":\"goose\"}"},
    {"sina", "basic", "json", BASIC APP_KEY, TO_USER("11051", "hello by Basic")},
    {"sina", "basic", "xml", BASIC APP_KEY, TO_USER("11051", "hello by Basic, in XML")},
    {"sina", "oauth1", "json", OAUTH1("sina"), TO_USER("11051", "hello by OAuth")},
    {"sina", "oauth1", "xml", OAUTH1("sina"), TO_USER("11051", "hello by OAuth, in XML")},
    {"weibo", "oauth2", NULL, OAUTH2("form"), TO_USER("2125034703", "hello by form")},
    {"weibo", "oauth2", NULL, OAUTH2("header"), TO_USER("2125034703", "hello by header")},
    {"renren", "bearer", NULL, BEARER, TALK},
    {"renren", "bearer", NULL, BEARER IN_A_FORM, TALK_WITH_PARTS},
    {"renren", "mac", NULL, MAC, TALK},
    {"renren", "mac", NULL, MAC IN_A_FORM, TALK_WITH_PARTS},
    {"slack", "bot", NULL, SLACK, "\"to\":{\"channel\":\"C024BE91L\"},\"text\":\"hello by bot\""},
    {"telegram", "bot", NULL, BOT, "\"to\":{\"chat\":\"4711\"},\"text\":\"hello by bot\""},
    {"webhook", "none", NULL, "{\"type\":\"none\"}" HOOK("plain?key=goose-4711"), HELLO},
    {"webhook", "bearer", NULL, "{\"type\":\"bearer\",\"token\":\"hook-token\"}" HOOK("bearer"), HELLO},
    {"webhook", "basic", NULL, BASIC HOOK("basic"), HELLO},
    {"webhook", "header", NULL,
     "{\"type\":\"header\",\"name\":\"X-Hook-Key\",\"value\":\"goose-4711\"}" HOOK("header"), HELLO},
    {"webhook", "standard_webhooks", NULL,
     "{\"type\":\"standard_webhooks\",\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}"
     HOOK("signed"), HELLO},
    {"tencent_im", "usersig", NULL, USERSIG, TO_THE_GROUP},
    {"dingtalk_bot", "webhook", NULL, DINGTALK("SECdingtalkrobotsecret"), TO_A_ROBOT},
    {"wecom_bot", "webhook", NULL, WECOM("693a91f6-7e4a-4bc4-97a0-0ec2b1fa5aaa"), TO_A_ROBOT},
    {"feishu_bot", "webhook", NULL,
     FEISHU("5d4fae2f-feishu-robot", "\"secret\":\"feishu-robot-secret\","),
     "\"title\":\"hello\",\"text\":\"from C\""},
    {"discord", "bot", NULL, DISCORD(DISCORD_TOKEN), TO_DISCORD},
    {"discord", "webhook", NULL, DISCORD_HOOK, "\"text\":\"hello from C\""},
    {"mattermost", "bot", NULL, MATTERMOST("xt5b3pqm1jrn8kfz6w9yd4hgc7"), TO_TOWN_SQUARE},
    {"mattermost", "webhook", NULL, MATTERMOST_HOOK, "\"text\":\"hello from C\""},
    {"rocketchat", "token", NULL, ROCKET_CHAT("eERFofD7pHQttqDpqdDQCo9JWeKnHpXo7wMGqptNbGo"), TO_ANNA},
    {"rocketchat", "webhook", NULL, ROCKET_CHAT_HOOK, "\"text\":\"hello from C\""},
    {"zulip", "basic", NULL, ZULIP("a0b1c2d3e4f5g6h7i8j9k0l1m2n3o4p5"), TO_A_TOPIC},
    {"mastodon", "token", NULL, TOKEN("Zx8h4nKq2vTf7LwPb3RgYd6Ms1Jc9Ua5EoXi0NkQtWz"),
     TO_USER("anna@social.example", "hello from C")},
    {"whatsapp_cloud", "token", NULL, WHATSAPP("EAAGm0PX4ZCpsBAhongyanJ7ZCcarriesZBletters2Kd9QZDZD"),
     TO_WHATSAPP("hello from C")},
    {"statusnet", "basic", "json", STATUSNET("statusnet-password"), TO_A_NAME("anna")},
    {"statusnet", "basic", "xml", STATUSNET("statusnet-password"), TO_A_NAME("bruno")},
    {"ntfy", "none", NULL, NTFY("\"none\""), TO_TOPIC("alerts")},
    {"ntfy", "bearer", NULL, NTFY("\"bearer\",\"token\":\"tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2\""),
     TO_TOPIC("private")},
    {"ntfy", "basic", NULL,
     NTFY("\"basic\",\"username\":\"goose\",\"password\":\"ntfy-password\""), TO_TOPIC("private")},
    {"gotify", "token", NULL, GOTIFY("AgooseGotify4711"), "\"text\":\"hello from C\""},
    {"googlechat", "webhook", NULL, GOOGLECHAT("hongyan-webhook-token_of-the-space0000000000%3D"),
     "\"text\":\"hello from C\""},
    {"teams", "webhook", NULL, TEAMS("h0ngyan_teams-sig-of-the-workflow-00000000000"),
     "\"text\":\"hello from C\""},
    {"line", "bot", NULL, LINE("bGluZS1ib3QtdG9rZW4tb2YtaG9uZ3lhbg=="), TO_A_FRIEND},
    {"serverchan", "key", NULL, KEY("SCT1234TabcdefGHIJ"), "\"text\":\"hello from C\""},
    {"serverchan", "key", NULL, KEY("sctp987tAbC123"), "\"title\":\"hello\",\"text\":\"from C\""},
    {"pushplus", "token", NULL, TOKEN("be8652e98bd04139a13e1bffcd6d0f71"),
     "\"to\":{\"topic\":\"letters\"},\"text\":\"hello from C\""},
    {"kook", "bot", NULL, "{\"type\":\"bot\",\"token\":\"1/MTA0MjU=/hongyanHongyanHongyan==\"}",
     "\"to\":{\"channel\":\"7480000000000001\"},\"text\":\"hello from C\""},
    {"wxpusher", "token", NULL, TOKEN("AT_hongyan0123456789abcdefghijklm"),
     "\"to\":{\"users\":[\"UID_anna\",\"UID_bruno\"],\"topics\":[\"1234\"]},\"text\":\"hello from C\""},
    {"pushover", "token", NULL, PUSHOVER(PUSHOVER_TOKEN),
     TO_USER("u7anna7hongyan7pushover7user77", "hello from C")},
    {"bark", "key", NULL, BARK("ynJ5Ft4atkMkWeo2PAvFhF"), "\"text\":\"hello from C\""},
    {"smtp", "password", NULL, SMTP("password", "password", "mail-p4ssword"), TO_EMAILS("anna")},
    {"smtp", "xoauth2", NULL, SMTP("xoauth2", "token", "ya29.goose-mail-token"), TO_EMAILS("ben")},
    {"wecom_app", "app", NULL, WECOM_APP("wecom-app-secret_0123456789abcdefghijklm"),
     "\"to\":{\"users\":[\"anna\"]},\"text\":\"hello from C\""},
    {"feishu_app", "app", NULL, APP("cli_a1b2c3d4e5f60718", "feishu-app-secret0123456789abcdef"),
     TO_USER("ou_7d8a6e6df7621556ce0d21922b676706", "hello from C")},
    {"dingtalk_app", "app", NULL,
     DINGTALK_APP("dingtalk-app-secret_0123456789abcdefghijklmnopqrstuv"),
     "\"to\":{\"users\":[\"user2\"]},\"text\":\"hello from C\""},
    {"wechat_oa", "app", NULL, APP("wx0123456789abcdef", "0123456789abcdef0123456789abcdef"),
     TO_USER("oAnna6_hongyan0123456789abcd", "hello from C")},
    {"qq_bot", "app", NULL, APP("102012345", "qqbotSecretHongyan0123456789abcd"),
     TO_USER("C0FFEE00112233445566778899AABBCC", "hello from C")},
    {"twilio", "basic", NULL, TWILIO("2f8c4e6a0b1d3f5e7a9c8b6d4e2f0a1c"), TO_A_PHONE("hello from C")},
    {"matrix", "token", NULL, TOKEN("syt_aG9uZ3lhbg_hongyanSandboxToken_1Zx2Yc"), TO_GENERAL},
    {"matrix", "password", NULL, MATRIX("swan-goose-7"), TO_USER("@anna:localhost", "hello from C")},
    {"tencent_sms", "key", NULL, TENCENT_SMS("tencentSmsSecret0123456789abcdef"),
     TO_PHONES("+8613800000001", "hello from C")},
    {"aliyun_sms", "key", NULL, ALIYUN_SMS("aliyunSmsSecret0123456789abcde"),
     TO_PHONES("13800000001", "hello from C")},
};

/* What a service refuses, by an account of its own: wrong recipients, and a wrong token where every
 * recipient is right. */
static const struct {
    const char *service, *auth, *message;
    int32_t code;
} refusals[] = {
    {"fanfou", BASIC, TO_USER("nobody", "is anybody there?"), HY_E_NOT_FOUND},
    {"sina", BASIC APP_KEY, TO_USER("1000040017", "no follower of mine"), HY_E_FORBIDDEN},
    {"weibo", OAUTH2("form"), TO_USER("5000020301", "no follower of mine"), HY_E_FORBIDDEN},
    {"renren", "{\"type\":\"bearer\",\"token\":\"expired\"}", TALK, HY_E_AUTH},
    {"slack", SLACK, "\"to\":{\"channel\":\"C0ARCHIVE\"},\"text\":\"hello?\"", HY_E_NOT_FOUND},
    {"telegram", BOT, "\"to\":{\"chat\":\"4712\"},\"text\":\"hello?\"", HY_E_FORBIDDEN},
    {"webhook", "{\"type\":\"none\"}" HOOK("plain"), HELLO, HY_E_AUTH},
    {"tencent_im", USERSIG, "\"to\":{\"group\":\"@TGS#NOSUCHGROUP\"},\"text\":\"hello?\"",
     HY_E_NOT_FOUND},
    {"dingtalk_bot", DINGTALK("SEC-of-another"), TO_A_ROBOT, HY_E_AUTH},
    {"wecom_bot", WECOM("00000000-0000-0000-0000-000000000000"), TO_A_ROBOT, HY_E_NOT_FOUND},
    {"feishu_bot", FEISHU("another", ""), "\"text\":\"hello?\"", HY_E_NOT_FOUND},
    {"discord", DISCORD("MTk4.Cl2FMQ.of-another"), TO_DISCORD, HY_E_AUTH},
    {"mattermost", MATTERMOST("expired"), TO_TOWN_SQUARE, HY_E_AUTH},
    {"rocketchat", ROCKET_CHAT("of-another"), TO_ANNA, HY_E_AUTH},
    {"zulip", ZULIP("of-another"), TO_A_TOPIC, HY_E_AUTH},
    {"mastodon", TOKEN("another"), TO_USER("anna@social.example", "hello?"), HY_E_AUTH},
    {"whatsapp_cloud", WHATSAPP("another"), TO_WHATSAPP("hello?"), HY_E_AUTH},
    {"statusnet", STATUSNET("statusnet-password"), TO_A_NAME("stranger"), HY_E_FORBIDDEN},
    {"ntfy", NTFY("\"none\""), TO_TOPIC("announcements"), HY_E_FORBIDDEN},
    {"gotify", GOTIFY("CgooseGotify4711"), "\"text\":\"hello?\"", HY_E_FORBIDDEN},
    {"googlechat", GOOGLECHAT("another"), "\"text\":\"hello?\"", HY_E_AUTH},
    {"teams", TEAMS("another"), "\"text\":\"hello?\"", HY_E_AUTH},
    {"line", LINE("expired"), TO_A_FRIEND, HY_E_AUTH},
    {"serverchan", KEY("SCT0Tnobody"), "\"text\":\"hello?\"", HY_E_AUTH},
    {"pushplus", TOKEN("another"), "\"text\":\"hello?\"", HY_E_AUTH},
    {"kook", "{\"type\":\"bot\",\"token\":\"another\"}",
     "\"to\":{\"user\":\"2418200001\"},\"text\":\"hello?\"", HY_E_AUTH},
    {"wxpusher", TOKEN("AT_another"), "\"to\":{\"users\":[\"UID_anna\"]},\"text\":\"hello?\"", HY_E_AUTH},
    {"pushover", PUSHOVER(PUSHOVER_TOKEN), TO_USER("u7nobody7hongyan7pushover7user", "hello?"),
     HY_E_NOT_FOUND},
    {"bark", BARK("another"), "\"text\":\"hello?\"", HY_E_NOT_FOUND},
    {"smtp", SMTP("password", "password", "mail-p4ssword"), TO_EMAILS("nobody"), HY_E_NOT_FOUND},
    {"wecom_app", WECOM_APP("another"), "\"to\":{\"users\":[\"anna\"]},\"text\":\"hello?\"",
     HY_E_AUTH},
    {"feishu_app", APP("cli_a1b2c3d4e5f60718", "another"),
     TO_USER("ou_7d8a6e6df7621556ce0d21922b676706", "hello?"), HY_E_AUTH},
    {"dingtalk_app", DINGTALK_APP("another"), "\"to\":{\"users\":[\"user2\"]},\"text\":\"hello?\"",
     HY_E_AUTH},
    {"wechat_oa", APP("wx0123456789abcdef", "another"),
     TO_USER("oAnna6_hongyan0123456789abcd", "hello?"), HY_E_AUTH},
    {"qq_bot", APP("102012345", "another"), TO_USER("C0FFEE00112233445566778899AABBCC", "hello?"),
     HY_E_AUTH},
    {"twilio", TWILIO("of-another"), TO_A_PHONE("hello?"), HY_E_AUTH},
    {"matrix", MATRIX("another"), TO_GENERAL, HY_E_AUTH},
    {"tencent_sms", TENCENT_SMS("of-another"), TO_PHONES("+8613800000002", "hello?"), HY_E_AUTH},
    {"aliyun_sms", ALIYUN_SMS("of-another"), TO_PHONES("13800000002", "hello?"), HY_E_AUTH},
};

static char text[1 << 16];

static void stop(hy_error_t *error)
{
    if (error == NULL)
        return;
    fprintf(stderr, "%s: %s\n", hy_error_name(error), hy_error_message(error, NULL));
    hy_error_free(error);
    exit(EXIT_FAILURE);
}

/* Where the sandbox takes what is for a service: mail comes in at the port behind that of HTTP. */
static const char *base_of(const char *base_url, const char *service, char out[256])
{
    char host[128];
    int port;
    if (strcmp(service, "smtp") == 0 && sscanf(base_url, "%*[^:]://%127[^:/]:%d", host, &port) == 2)
        snprintf(out, 256, "smtp://%s:%d", host, port + 1);
    else
        snprintf(out, 256, "%s/%s", base_url, service);
    return out;
}

static size_t account(size_t n, size_t i, const char *service, const char *auth,
                      const char *base_url, const char *format)
{
    char base[256];
    int added = snprintf(text + n, sizeof text - n,
                         "%s\"%zu\":{\"service\":\"%s\",\"auth\":%s,\"base_url\":\"%s\"%s%s%s}",
                         i > 0 ? "," : "", i, service, auth, base_of(base_url, service, base),
                         format != NULL ? ",\"format\":\"" : "", format != NULL ? format : "",
                         format != NULL ? "\"" : "");
    return n + (size_t)added;
}

/* Accounts are named by their number: those of `sends`, then those of `refusals`. */
static hy_client_t *start(const char *base_url)
{
    size_t n = (size_t)sprintf(text, "{\"v\":1,\"accounts\":{"), i = 0;
    for (; i < COUNT(sends); i++)
        n = account(n, i, sends[i].service, sends[i].auth, base_url, sends[i].format);
    for (size_t k = 0; k < COUNT(refusals); k++, i++)
        n = account(n, i, refusals[k].service, refusals[k].auth, base_url, NULL);
    sprintf(text + n, "}}");

    hy_client_t *client;
    stop(hy_init(text, HY_NTS, &client));
    return client;
}

static void submit(hy_client_t *client, size_t number, const char *message, uint64_t token)
{
    snprintf(text, sizeof text, "{\"v\":1,\"account\":\"%zu\",%s}", number, message);
    stop(hy_submit_json(client, text, HY_NTS, token, NULL));
}

/* Takes `n` results, in whatever order they come, and puts each at its token's place. */
static void collect(hy_client_t *client, hy_result_t **by_token, size_t n)
{
    while (n > 0) {
        hy_result_t *results[8];
        size_t count = 0;
        stop(hy_wait_many(client, WAIT_MS, results, COUNT(results), &count));
        if (count == 0) {
            fprintf(stderr, "no answer within %d ms\n", WAIT_MS);
            exit(EXIT_FAILURE);
        }
        for (size_t i = 0; i < count; i++)
            by_token[hy_result_token(results[i])] = results[i];
        n -= count;
    }
}

/* A whole number out of a result's JSON. */
static long number(const hy_result_t *result, const char *field)
{
    const char *at = strstr(hy_result_json(result, NULL), field);
    return at != NULL ? strtol(at + strlen(field), NULL, 10) : -1;
}

/* A short text out of an error's JSON. */
static const char *service_code(const hy_error_t *error, char out[48])
{
    static const char field[] = "\"service_code\":\"";
    const char *at = strstr(hy_error_detail_json(error, NULL), field);
    out[0] = '\0';
    if (at != NULL)
        sscanf(at + sizeof field - 1, "%47[^\"]", out);
    return out[0] != '\0' ? out : "-";
}

static const char *delivery(const hy_result_t *result)
{
    static const char *const names[] = {"not_sent", "maybe_sent", "sent"};
    return names[hy_result_delivery(result)];
}

int main(int argc, char **argv)
{
    hy_result_t *results[COUNT(sends)];
    int all_well = 1;
    hy_client_t *client = start(argc > 1 ? argv[1] : "http://127.0.0.1:8025");

    for (size_t i = 0; i < COUNT(sends); i++)
        submit(client, i, sends[i].message, i);
    collect(client, results, COUNT(sends));

    printf("%-12s %-8s %-6s %-10s %-18s %8s %6s\n", "service", "auth", "format", "delivery",
           "message_id", "attempts", "ms");
    for (size_t i = 0; i < COUNT(sends); i++) {
        hy_result_t *result = results[i];
        const char *id = hy_result_message_id(result, NULL);
        printf("%-12s %-8s %-6s %-10s %-18s %8ld %6ld\n", sends[i].service, sends[i].auth_kind,
               sends[i].format != NULL ? sends[i].format : "-", delivery(result),
               id != NULL ? id : "-", number(result, "\"attempts\":"),
               number(result, "\"elapsed_ms\":"));
        if (hy_result_delivery(result) != HY_SENT) {
            printf("    %s\n", hy_error_message(hy_result_error(result), NULL));
            all_well = 0;
        }
        hy_result_free(result);
    }

    for (size_t i = 0; i < COUNT(refusals); i++)
        submit(client, COUNT(sends) + i, refusals[i].message, i);
    collect(client, results, COUNT(refusals));

    printf("\na refusal, told rightly:\n");
    for (size_t i = 0; i < COUNT(refusals); i++) {
        const hy_error_t *error = hy_result_error(results[i]);
        char code[48];
        if (error == NULL) {
            printf("%-12s was not refused\n", refusals[i].service);
            all_well = 0;
        } else {
            printf("%-12s %-10s %-10s %-28s %s\n", refusals[i].service,
                   delivery(results[i]), hy_error_name(error), service_code(error, code),
                   hy_error_message(error, NULL));
            if (hy_result_delivery(results[i]) != HY_NOT_SENT
                || hy_error_code(error) != refusals[i].code)
                all_well = 0;
        }
        hy_result_free(results[i]);
    }
    hy_free(client);
    return all_well ? EXIT_SUCCESS : EXIT_FAILURE;
}
