package hongyan

// Below: make accounts

/** The credentials of an account. */
public sealed class Auth(type: String, vararg fields: Pair<String, Any?>) : JsonObject(mapOf("type" to type, *fields)) {
    /**
     * An app with a bot, whose token is got and renewed: feishu_app, wechat_oa, qq_bot.
     *
     * @param id the app's id
     * @param secret the app's secret
     */
    public class App(
        id: String,
        secret: String,
    ) :
        Auth(
            "app",
            "id" to id,
            "secret" to secret,
        )

    /**
     * An app with a robot, whose token is got and renewed: dingtalk_app.
     *
     * @param key the app's AppKey, or Client ID
     * @param secret its AppSecret, or Client Secret
     */
    public class AppDingtalkApp(
        key: String,
        secret: String,
    ) :
        Auth(
            "app",
            "key" to key,
            "secret" to secret,
        )

    /**
     * An app, whose token is got and renewed: wecom_app.
     *
     * @param corpId the company's id, `ww…`
     * @param agentId the app's AgentId
     * @param secret the app's Secret
     */
    public class AppWecomApp(
        corpId: String,
        agentId: Any,
        secret: String,
    ) :
        Auth(
            "app",
            "corp_id" to corpId,
            "agent_id" to agentId,
            "secret" to secret,
        )

    /**
     * Name and password: fanfou, sina, webhook, zulip, statusnet, ntfy, twilio.
     *
     * @param username the user, without a colon
     * @param password his password
     */
    public class Basic(
        username: String,
        password: String,
    ) :
        Auth(
            "basic",
            "username" to username,
            "password" to password,
        )

    /**
     * OAuth 2 with a bearer token: renren, webhook, ntfy.
     *
     * @param token the access token, as it is
     */
    public class Bearer(
        token: String,
    ) :
        Auth(
            "bearer",
            "token" to token,
        )

    /**
     * The token of a bot, `xoxb-…`: slack, telegram, discord, mattermost, line, kook.
     *
     * @param token the access token, as it is
     */
    public class Bot(
        token: String,
    ) :
        Auth(
            "bot",
            "token" to token,
        )

    /**
     * A header field of any name: webhook.
     *
     * @param name the header field
     * @param value its value
     */
    public class Header(
        name: String,
        value: String,
    ) :
        Auth(
            "header",
            "name" to name,
            "value" to value,
        )

    /**
     * A SendKey: serverchan, bark.
     *
     * @param key the SendKey as its page shows it; one that begins with `sctp` is of Server酱³
     */
    public class Key(
        key: String,
    ) :
        Auth(
            "key",
            "key" to key,
        )

    /**
     * A key, by which each request is signed: tencent_sms, aliyun_sms.
     *
     * @param id the key's id
     * @param secret its secret, which is never sent
     */
    public class KeyTencentSms(
        id: String,
        secret: String,
    ) :
        Auth(
            "key",
            "id" to id,
            "secret" to secret,
        )

    /**
     * OAuth 2 with a signature over each request: renren.
     *
     * @param token the access token, without quotes
     * @param macKey its key, which is never sent
     */
    public class Mac(
        token: String,
        macKey: String,
    ) :
        Auth(
            "mac",
            "token" to token,
            "mac_key" to macKey,
        )

    /**
     * Nothing, or what the URL holds: webhook, ntfy, smtp.
     */
    public object None : Auth("none")

    /**
     * OAuth 1.0a: fanfou, sina, statusnet.
     *
     * @param consumerKey the app's key
     * @param consumerSecret the app's secret
     * @param token the user's token
     * @param tokenSecret its secret
     */
    public class Oauth1(
        consumerKey: String,
        consumerSecret: String,
        token: String,
        tokenSecret: String,
    ) :
        Auth(
            "oauth1",
            "consumer_key" to consumerKey,
            "consumer_secret" to consumerSecret,
            "token" to token,
            "token_secret" to tokenSecret,
        )

    /**
     * OAuth 2, the token in the form or in a header: weibo.
     *
     * @param token the access token, as it is
     * @param send `form`, `header`: `form`: the token is the parameter `access_token` of the body. `header`:
     *   it is `Authorization: OAuth2 …`. It is never in the URL
     */
    public class Oauth2(
        token: String,
        send: String? = null,
    ) :
        Auth(
            "oauth2",
            "token" to token,
            "send" to send,
        )

    /**
     * A name and a password: smtp, matrix.
     *
     * @param username the account's name
     * @param password its password, or one for apps
     * @param deviceId the device that logs in, `HONGYAN` if left out; each process needs its own
     */
    public class Password(
        username: String,
        password: String,
        deviceId: String? = null,
    ) :
        Auth(
            "password",
            "username" to username,
            "password" to password,
            "device_id" to deviceId,
        )

    /**
     * A signature as Standard Webhooks has it: webhook.
     *
     * @param secret `whsec_` and the key in base64, as the receiver shows it; while it is exchanged for
     *   another one, both, the new one first, with a comma between them
     */
    public class StandardWebhooks(
        secret: String,
    ) :
        Auth(
            "standard_webhooks",
            "secret" to secret,
        )

    /**
     * The access token of an app, with the scopes write:statuses and write:media: mastodon, gotify,
     *   whatsapp_cloud, pushplus, wxpusher, pushover, matrix.
     *
     * @param token the access token, as it is
     */
    public class Token(
        token: String,
    ) :
        Auth(
            "token",
            "token" to token,
        )

    /**
     * A personal access token of a user, and the user's id: rocketchat.
     *
     * @param userId the user's id, which is shown with the token
     * @param token a personal access token of the user
     */
    public class TokenRocketchat(
        userId: String,
        token: String,
    ) :
        Auth(
            "token",
            "user_id" to userId,
            "token" to token,
        )

    /**
     * A UserSig that is made from the app's secret key: tencent_im.
     *
     * @param sdkAppId the app's number
     * @param identifier an administrator of the app
     * @param secretKey the app's secret key, as it is shown
     * @param expireS how long a UserSig holds, in seconds; a week by default
     * @param userbuf signed with it, where an app uses that; rarely needed
     */
    public class Usersig(
        sdkAppId: Long,
        identifier: String,
        secretKey: String,
        expireS: Long? = null,
        userbuf: String? = null,
    ) :
        Auth(
            "usersig",
            "sdk_app_id" to sdkAppId,
            "identifier" to identifier,
            "secret_key" to secretKey,
            "expire_s" to expireS,
            "userbuf" to userbuf,
        )

    /**
     * The URL of an incoming webhook: slack, dingtalk_bot, wecom_bot, feishu_bot, discord, mattermost,
     *   googlechat, teams, rocketchat.
     *
     * @param url the URL that the app's page shows, whole
     * @param secret `SEC…`, which the same page shows where the robot checks signatures
     */
    public class Webhook(
        url: String,
        secret: String? = null,
    ) :
        Auth(
            "webhook",
            "url" to url,
            "secret" to secret,
        )

    /**
     * An access token of OAuth 2: smtp.
     *
     * @param username the account's address
     * @param token its access token of OAuth 2
     */
    public class Xoauth2(
        username: String,
        token: String,
    ) :
        Auth(
            "xoauth2",
            "username" to username,
            "token" to token,
        )
}

/**
 * An account of a service. Each may have, besides its own: `to`, the recipient of messages that name none; `rate`;
 * how many may be in flight; and a proxy of its own.
 */
public sealed class Account(service: String, auth: Auth, rate: Rate?, vararg fields: Pair<String, Any?>) :
    JsonObject(linkedMapOf("service" to service, "auth" to auth, "rate" to rate?.value, *fields)) {
    /**
     * Fanfou direct message, with `basic` or `oauth1`.
     *
     * @param baseUrl `https://api.fanfou.com` by default; `http` is taken for any host
     * @param format `json`, `xml`, `rss`: what is asked for, and what a success must come in
     * @param signingUrl what OAuth signatures are made from; see below
     */
    public class Fanfou(
        auth: Auth,
        baseUrl: String? = null,
        format: String? = null,
        signingUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "fanfou",
            auth,
            rate,
            "base_url" to baseUrl,
            "format" to format,
            "signing_url" to signingUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Old Sina microblog direct message, with `basic` or `oauth1`.
     *
     * @param baseUrl `http://api.t.sina.com.cn` by default: the service knew no https
     * @param appKey sent as `source`; required with Basic. With OAuth it is sent and signed when given
     * @param format `json`, `xml`: what a success must come in
     * @param signingUrl what signatures are made from, where that is not the URL as sent
     */
    public class Sina(
        auth: Auth,
        baseUrl: String? = null,
        appKey: String? = null,
        format: String? = null,
        signingUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "sina",
            auth,
            rate,
            "base_url" to baseUrl,
            "app_key" to appKey,
            "format" to format,
            "signing_url" to signingUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Weibo direct message (commercial API), with `oauth2`.
     *
     * @param baseUrl `https://c.api.weibo.com` by default; http only for this machine
     * @param appKey sent as `source` when given; not needed with a token
     */
    public class Weibo(
        auth: Auth,
        baseUrl: String? = null,
        appKey: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "weibo",
            auth,
            rate,
            "base_url" to baseUrl,
            "app_key" to appKey,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Renren talk, with `bearer` or `mac`.
     *
     * @param baseUrl `https://api.renren.com` by default; http for this machine, and anywhere with a MAC
     * @param params `query`, `form`: `query`: the parameters stand in the URL, as the document's example and
     *   the vendor's clients have it. `form`: in the body
     * @param signingUrl what a MAC is made from, where that is not the URL as sent
     */
    public class Renren(
        auth: Auth,
        baseUrl: String? = null,
        params: String? = null,
        signingUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "renren",
            auth,
            rate,
            "base_url" to baseUrl,
            "params" to params,
            "signing_url" to signingUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Tencent IM message, with `usersig`.
     *
     * @param baseUrl instead of a region; http only for this machine
     * @param region `cn`, `sgp`, `kr`, `jpn`, `ger`, `usa`, `idn`, `ind`, `ksa`: where the app was created.
     *   It cannot be told from the SDKAppID and is never guessed. `ind` is no longer on the pages about
     *   sending; `ksa` was seen in code only
     */
    public class TencentIm(
        auth: Auth,
        baseUrl: String? = null,
        region: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "tencent_im",
            auth,
            rate,
            "base_url" to baseUrl,
            "region" to region,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Slack message of a bot, or by an incoming webhook, with `bot` or `webhook`.
     *
     * @param baseUrl instead of `https://slack.com`, or of the webhook's own host; http only for this machine
     */
    public class Slack(
        auth: Auth,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "slack",
            auth,
            rate,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Telegram message of a bot (Bot API), with `bot`.
     *
     * @param baseUrl `https://api.telegram.org` by default, or a server of your own; http only for this
     *   machine
     */
    public class Telegram(
        auth: Auth,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "telegram",
            auth,
            rate,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * DingTalk custom robot, with `webhook`.
     *
     * @param baseUrl instead of the URL's own host
     */
    public class DingtalkBot(
        auth: Auth,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "dingtalk_bot",
            auth,
            rate,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * WeCom group robot, with `webhook`.
     *
     * @param baseUrl instead of the URL's own host
     */
    public class WecomBot(
        auth: Auth,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "wecom_bot",
            auth,
            rate,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Webhook of any kind, with `none` or `bearer` or `basic` or `header` or `standard_webhooks`.
     *
     * @param baseUrl instead of the URL's scheme, host and port
     * @param allowHttp true: credentials may travel over http beyond this machine
     * @param url where requests go; a user and a password in it are sent as Basic, and they and the query are
     *   never shown
     * @param method `POST`, `PUT`: the method of requests
     * @param headers further header fields, each a text
     * @param body one of `json`, `form` and `text`, in whose strings `{{text}}`, `{{title}}`, `{{id}}`,
     *   `{{key}}`, `{{to.KIND}}` and `{{extra.NAME}}` stand for what the message has
     * @param success `status`: `"2xx"` (default) or a list; `pointer` and `equals`: where in the JSON of the
     *   answer which value has to stand
     * @param messageId where in the JSON of the answer the id of the message stands, as a JSON pointer
     */
    public class Webhook(
        auth: Auth,
        url: String,
        baseUrl: String? = null,
        allowHttp: Boolean? = null,
        method: String? = null,
        headers: Map<String, Any?>? = null,
        body: Map<String, Any?>? = null,
        success: Map<String, Any?>? = null,
        messageId: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "webhook",
            auth,
            rate,
            "url" to url,
            "base_url" to baseUrl,
            "allow_http" to allowHttp,
            "method" to method,
            "headers" to headers,
            "body" to body,
            "success" to success,
            "message_id" to messageId,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Feishu or Lark custom robot, with `webhook`.
     *
     * @param baseUrl instead of the URL's own host
     */
    public class FeishuBot(
        auth: Auth,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "feishu_bot",
            auth,
            rate,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Discord message of a bot, or by a webhook, with `bot` or `webhook`.
     *
     * @param baseUrl instead of `https://discord.com`; http only for this machine
     */
    public class Discord(
        auth: Auth,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "discord",
            auth,
            rate,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Mattermost post of a bot, or by an incoming webhook, with `bot` or `webhook`.
     *
     * @param baseUrl the server, up to where `/api/v4` begins; a bot needs it; http with `allow_http` only
     * @param allowHttp true: credentials may travel over http beyond this machine
     */
    public class Mattermost(
        auth: Auth,
        baseUrl: String? = null,
        allowHttp: Boolean? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "mattermost",
            auth,
            rate,
            "base_url" to baseUrl,
            "allow_http" to allowHttp,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Zulip message of a bot, with `basic`.
     *
     * @param baseUrl required: the organization's URL, such as `https://acme.zulipchat.com`; http with
     *   `allow_http` only
     * @param allowHttp true: credentials may travel over http beyond this machine
     */
    public class Zulip(
        auth: Auth,
        baseUrl: String? = null,
        allowHttp: Boolean? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "zulip",
            auth,
            rate,
            "base_url" to baseUrl,
            "allow_http" to allowHttp,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Mastodon direct message, with `token`.
     *
     * @param baseUrl required: the server, such as `https://mastodon.social`; http with `allow_http` only
     * @param allowHttp true: credentials may travel over http beyond this machine
     * @param maxCharacters the longest post that the server takes, where that is not 500: `GET
     *   /api/v2/instance` tells it
     */
    public class Mastodon(
        auth: Auth,
        baseUrl: String? = null,
        allowHttp: Boolean? = null,
        maxCharacters: Long? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "mastodon",
            auth,
            rate,
            "base_url" to baseUrl,
            "allow_http" to allowHttp,
            "max_characters" to maxCharacters,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * StatusNet or GNU social direct message, with `basic` or `oauth1`.
     *
     * @param baseUrl required: the site, up to where `/api` begins; http with `allow_http` only
     * @param allowHttp true: credentials may travel over http beyond this machine
     * @param format `json`, `xml`: what a success must come in
     */
    public class Statusnet(
        auth: Auth,
        baseUrl: String? = null,
        allowHttp: Boolean? = null,
        format: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "statusnet",
            auth,
            rate,
            "base_url" to baseUrl,
            "allow_http" to allowHttp,
            "format" to format,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * ntfy notification, with `none` or `bearer` or `basic`.
     *
     * @param baseUrl `https://ntfy.sh` by default, or a server of your own; http with `allow_http` only
     * @param allowHttp true: credentials may travel over http beyond this machine
     */
    public class Ntfy(
        auth: Auth,
        baseUrl: String? = null,
        allowHttp: Boolean? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "ntfy",
            auth,
            rate,
            "base_url" to baseUrl,
            "allow_http" to allowHttp,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Gotify message of an application, with `token`.
     *
     * @param baseUrl the server, up to where `/message` begins: required; http with `allow_http` only
     * @param allowHttp true: credentials may travel over http beyond this machine
     */
    public class Gotify(
        auth: Auth,
        baseUrl: String? = null,
        allowHttp: Boolean? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "gotify",
            auth,
            rate,
            "base_url" to baseUrl,
            "allow_http" to allowHttp,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * LINE message of a bot, with `bot`.
     *
     * @param baseUrl instead of `https://api.line.me`; http only for this machine
     */
    public class Line(
        auth: Auth,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "line",
            auth,
            rate,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * WhatsApp message of a business, by the Cloud API, with `token`.
     *
     * @param baseUrl instead of `https://graph.facebook.com`
     * @param phoneNumberId the id of the number that sends, which is not the number itself
     */
    public class WhatsappCloud(
        auth: Auth,
        phoneNumberId: String,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "whatsapp_cloud",
            auth,
            rate,
            "phone_number_id" to phoneNumberId,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * ServerChan push (Server酱 Turbo and Server酱³), with `key`.
     *
     * @param baseUrl instead of the key's own host
     */
    public class Serverchan(
        auth: Auth,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "serverchan",
            auth,
            rate,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * PushPlus push, with `token`.
     *
     * @param baseUrl instead of `https://www.pushplus.plus`
     */
    public class Pushplus(
        auth: Auth,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "pushplus",
            auth,
            rate,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * WxPusher message of an app, with `token`.
     *
     * @param baseUrl instead of `https://wxpusher.zjiecode.com`
     */
    public class Wxpusher(
        auth: Auth,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "wxpusher",
            auth,
            rate,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * KOOK message of a bot, with `bot`.
     *
     * @param baseUrl instead of `https://www.kookapp.cn`
     */
    public class Kook(
        auth: Auth,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "kook",
            auth,
            rate,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Google Chat message by an incoming webhook, with `webhook`.
     *
     * @param baseUrl instead of the URL's own host; http only for this machine
     */
    public class Googlechat(
        auth: Auth,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "googlechat",
            auth,
            rate,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Microsoft Teams card by a workflow, with `webhook`.
     *
     * @param baseUrl instead of the URL's own host; http only for this machine
     */
    public class Teams(
        auth: Auth,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "teams",
            auth,
            rate,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Rocket.Chat message of a user, or by an incoming webhook, with `token` or `webhook`.
     *
     * @param baseUrl the server, up to where `/api/v1` begins; a token needs it; http with `allow_http` only
     * @param allowHttp true: credentials may travel over http beyond this machine
     */
    public class Rocketchat(
        auth: Auth,
        baseUrl: String? = null,
        allowHttp: Boolean? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "rocketchat",
            auth,
            rate,
            "base_url" to baseUrl,
            "allow_http" to allowHttp,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Pushover message of an application, with `token`.
     *
     * @param baseUrl instead of `https://api.pushover.net`; http only for this machine
     */
    public class Pushover(
        auth: Auth,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "pushover",
            auth,
            rate,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Bark notification, with `key`.
     *
     * @param baseUrl `https://api.day.app` by default, or a server of your own; http with `allow_http` only
     * @param allowHttp true: credentials may travel over http beyond this machine
     */
    public class Bark(
        auth: Auth,
        baseUrl: String? = null,
        allowHttp: Boolean? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "bark",
            auth,
            rate,
            "base_url" to baseUrl,
            "allow_http" to allowHttp,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Mail by SMTP, with `none` or `password` or `xoauth2`.
     *
     * @param baseUrl required: `smtps://host` (TLS, port 465), or `smtp://host` (STARTTLS, port 587)
     * @param from the sender: an address, or `Name <address>`
     */
    public class Smtp(
        auth: Auth,
        from: String,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "smtp",
            auth,
            rate,
            "from" to from,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * WeCom app, with `app`.
     *
     * @param baseUrl instead of `https://qyapi.weixin.qq.com`
     */
    public class WecomApp(
        auth: Auth,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "wecom_app",
            auth,
            rate,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Feishu or Lark app, with `app`.
     *
     * @param baseUrl instead of `https://open.feishu.cn` or `https://open.larksuite.com`
     * @param region `feishu`, `lark`: whose app it is
     */
    public class FeishuApp(
        auth: Auth,
        baseUrl: String? = null,
        region: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "feishu_app",
            auth,
            rate,
            "base_url" to baseUrl,
            "region" to region,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * DingTalk app, with `app`.
     *
     * @param baseUrl instead of `https://api.dingtalk.com` and `https://oapi.dingtalk.com`
     * @param robotCode the robot's code, mostly the AppKey
     */
    public class DingtalkApp(
        auth: Auth,
        robotCode: String,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "dingtalk_app",
            auth,
            rate,
            "robot_code" to robotCode,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * WeChat official account, with `app`.
     *
     * @param baseUrl instead of `https://api.weixin.qq.com`
     */
    public class WechatOa(
        auth: Auth,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "wechat_oa",
            auth,
            rate,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * QQ bot, with `app`.
     *
     * @param baseUrl instead of `https://api.bot.qq.com`
     */
    public class QqBot(
        auth: Auth,
        baseUrl: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "qq_bot",
            auth,
            rate,
            "base_url" to baseUrl,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Twilio text message, with `basic`.
     *
     * @param baseUrl instead of `https://api.twilio.com`
     * @param from whom messages come from: a number of the account, a name, or the `MG…` of a messaging
     *   service
     * @param accountSid the account, where `username` is an API key, `SK…`
     */
    public class Twilio(
        auth: Auth,
        from: String,
        baseUrl: String? = null,
        accountSid: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "twilio",
            auth,
            rate,
            "from" to from,
            "base_url" to baseUrl,
            "account_sid" to accountSid,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Matrix, with `token` or `password`.
     *
     * @param baseUrl the homeserver, up to where `/_matrix` begins: it is required; http with `allow_http`
     *   only
     * @param allowHttp true: credentials may travel over http beyond this machine
     */
    public class Matrix(
        auth: Auth,
        baseUrl: String? = null,
        allowHttp: Boolean? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "matrix",
            auth,
            rate,
            "base_url" to baseUrl,
            "allow_http" to allowHttp,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Tencent Cloud SMS, with `key`.
     *
     * @param baseUrl instead of `https://sms.tencentcloudapi.com`
     * @param sdkAppId the SMS application's SdkAppId
     * @param signName the signature of messages, as it was approved; within China it is needed
     * @param template the template of messages that name none as `TemplateId` in `extra`
     * @param region `ap-guangzhou` by default
     */
    public class TencentSms(
        auth: Auth,
        sdkAppId: Any,
        baseUrl: String? = null,
        signName: String? = null,
        template: Any? = null,
        region: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "tencent_sms",
            auth,
            rate,
            "sdk_app_id" to sdkAppId,
            "base_url" to baseUrl,
            "sign_name" to signName,
            "template" to template,
            "region" to region,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )

    /**
     * Alibaba Cloud SMS, with `key`.
     *
     * @param baseUrl instead of `https://dysmsapi.aliyuncs.com`
     * @param signName the signature of messages, as it was approved
     * @param template the template of messages that name none as `TemplateCode` in `extra`, `SMS_…`
     * @param textParam the variable of the template that a message's text fills
     */
    public class AliyunSms(
        auth: Auth,
        signName: String,
        baseUrl: String? = null,
        template: String? = null,
        textParam: String? = null,
        to: To? = null,
        rate: Rate? = null,
        maxInFlight: Int? = null,
        proxy: String? = null,
    ) :
        Account(
            "aliyun_sms",
            auth,
            rate,
            "sign_name" to signName,
            "base_url" to baseUrl,
            "template" to template,
            "text_param" to textParam,
            "to" to to,
            "max_in_flight" to maxInFlight,
            "proxy" to proxy,
        )
}

// End
