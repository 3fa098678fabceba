/** At most `count` requests in any stretch of `per_ms` milliseconds. */
export interface Rate {
  count: number
  per_ms: number
}

/** What every account may have. */
export interface Common {
  /** The recipient of messages that name none. */
  to?: To
  /** In place of the documented limits; null: no limit. */
  rate?: Rate | null
  max_in_flight?: number
  proxy?: string
}

// Below: make accounts

/** What may go wrong. */
export type ErrorName =
  /** A bug in the library. */
  | 'internal'
  /** A panic inside the library was caught. */
  | 'panic'
  /** A bad pointer, text that is not UTF-8, or JSON that cannot be read. */
  | 'argument'
  /** The configuration is wrong; the path says where. */
  | 'config'
  /** The client is closed. */
  | 'closed'
  /** The handle was made before fork(). */
  | 'forked'
  /** max_in_flight is reached; the message says whose. */
  | 'full'
  /** The send was cancelled. */
  | 'cancelled'
  /** Called from inside the log function. */
  | 'reentrant'
  /** The message itself is wrong and never reached the network; the path says where. */
  | 'message'
  /** This service cannot carry that recipient or part; nothing reached the network. */
  | 'unsupported'
  /** The deadline passed before anything was sent. */
  | 'expired'
  /** The outbox: disk, corruption or schema. */
  | 'storage'
  /** An older version has the outbox's file open, or others open it for too long. */
  | 'locked'
  /** The feature is not in this build. */
  | 'unavailable'
  /** The time ran out. */
  | 'timeout'
  /** DNS, connection, proxy, or a connection lost on the way. */
  | 'network'
  /** The secure connection could not be made. */
  | 'tls'
  /** An answer that cannot be understood. */
  | 'protocol'
  /** The service refused the credentials. */
  | 'auth'
  /** The sender or the app may not do this. */
  | 'forbidden'
  /** There is no such recipient. */
  | 'not_found'
  /** Too fast. */
  | 'rate_limited'
  /** The content is too long; also when refused locally. */
  | 'too_large'
  /** The content or the request was refused. */
  | 'rejected'
  /** The service's own fault. */
  | 'service'
  /** The service says that this was already sent. */
  | 'duplicate'
  /** The service says OK but threw the message away. */
  | 'dropped'
  /** The allowance of the day or the plan is used up. */
  | 'quota'

/** To whom a message goes; each service knows some of these. */
export interface To {
  user?: string
  name?: string
  group?: string
  topic?: string
  chat?: string
  channel?: string
  room?: string
  phone?: string
  users?: readonly string[]
  groups?: readonly string[]
  discussions?: readonly string[]
  members?: readonly string[]
  topics?: readonly string[]
  phones?: readonly string[]
  emails?: readonly string[]
  cc?: readonly string[]
  bcc?: readonly string[]
  departments?: readonly string[]
  tags?: readonly string[]
}

/** An app with a bot, whose token is got and renewed: feishu_app, wechat_oa, qq_bot. */
export interface AppAuth {
  type: 'app'
  /** the app's id */
  id: string
  /** the app's secret */
  secret: string
}

/** An app with a robot, whose token is got and renewed: dingtalk_app. */
export interface AppDingtalkAppAuth {
  type: 'app'
  /** the app's AppKey, or Client ID */
  key: string
  /** its AppSecret, or Client Secret */
  secret: string
}

/** An app, whose token is got and renewed: wecom_app. */
export interface AppWecomAppAuth {
  type: 'app'
  /** the company's id, `ww…` */
  corp_id: string
  /** the app's AgentId */
  agent_id: number | string
  /** the app's Secret */
  secret: string
}

/** Name and password: fanfou, sina, webhook, zulip, statusnet, ntfy, twilio. */
export interface BasicAuth {
  type: 'basic'
  /** the user, without a colon */
  username: string
  /** his password */
  password: string
}

/** OAuth 2 with a bearer token: renren, webhook, ntfy. */
export interface BearerAuth {
  type: 'bearer'
  /** the access token, as it is */
  token: string
}

/** The token of a bot, `xoxb-…`: slack, telegram, discord, mattermost, line, kook. */
export interface BotAuth {
  type: 'bot'
  /** the access token, as it is */
  token: string
}

/** A header field of any name: webhook. */
export interface HeaderAuth {
  type: 'header'
  /** the header field */
  name: string
  /** its value */
  value: string
}

/** A SendKey: serverchan, bark. */
export interface KeyAuth {
  type: 'key'
  /** the SendKey as its page shows it; one that begins with `sctp` is of Server酱³ */
  key: string
}

/** A key, by which each request is signed: tencent_sms, aliyun_sms. */
export interface KeyTencentSmsAuth {
  type: 'key'
  /** the key's id */
  id: string
  /** its secret, which is never sent */
  secret: string
}

/** OAuth 2 with a signature over each request: renren. */
export interface MacAuth {
  type: 'mac'
  /** the access token, without quotes */
  token: string
  /** its key, which is never sent */
  mac_key: string
}

/** Nothing, or what the URL holds: webhook, ntfy, smtp. */
export interface NoneAuth {
  type: 'none'
}

/** OAuth 1.0a: fanfou, sina, statusnet. */
export interface Oauth1Auth {
  type: 'oauth1'
  /** the app's key */
  consumer_key: string
  /** the app's secret */
  consumer_secret: string
  /** the user's token */
  token: string
  /** its secret */
  token_secret: string
}

/** OAuth 2, the token in the form or in a header: weibo. */
export interface Oauth2Auth {
  type: 'oauth2'
  /** the access token, as it is */
  token: string
  /** `form`: the token is the parameter `access_token` of the body. `header`: it is `Authorization: OAuth2 …`. It is never in the URL */
  send?: 'form' | 'header'
}

/** A name and a password: smtp, matrix. */
export interface PasswordAuth {
  type: 'password'
  /** the account's name */
  username: string
  /** its password, or one for apps */
  password: string
  /** the device that logs in, `HONGYAN` if left out; each process needs its own */
  device_id?: string
}

/** A signature as Standard Webhooks has it: webhook. */
export interface StandardWebhooksAuth {
  type: 'standard_webhooks'
  /** `whsec_` and the key in base64, as the receiver shows it; while it is exchanged for another one, both, the new one first, with a comma between them */
  secret: string
}

/** The access token of an app, with the scopes write:statuses and write:media: mastodon, gotify, whatsapp_cloud, pushplus, wxpusher, pushover, matrix. */
export interface TokenAuth {
  type: 'token'
  /** the access token, as it is */
  token: string
}

/** A personal access token of a user, and the user's id: rocketchat. */
export interface TokenRocketchatAuth {
  type: 'token'
  /** the user's id, which is shown with the token */
  user_id: string
  /** a personal access token of the user */
  token: string
}

/** A UserSig that is made from the app's secret key: tencent_im. */
export interface UsersigAuth {
  type: 'usersig'
  /** the app's number */
  sdk_app_id: number
  /** an administrator of the app */
  identifier: string
  /** the app's secret key, as it is shown */
  secret_key: string
  /** how long a UserSig holds, in seconds; a week by default */
  expire_s?: number
  /** signed with it, where an app uses that; rarely needed */
  userbuf?: string
}

/** The URL of an incoming webhook: slack, dingtalk_bot, wecom_bot, feishu_bot, discord, mattermost, googlechat, teams, rocketchat. */
export interface WebhookUrlAuth {
  type: 'webhook'
  /** the URL that the app's page shows, whole */
  url: string
  /** `SEC…`, which the same page shows where the robot checks signatures */
  secret?: string
}

/** An access token of OAuth 2: smtp. */
export interface Xoauth2Auth {
  type: 'xoauth2'
  /** the account's address */
  username: string
  /** its access token of OAuth 2 */
  token: string
}

/** Fanfou direct message. */
export interface FanfouAccount extends Common {
  service: 'fanfou'
  auth: BasicAuth | Oauth1Auth
  /** `https://api.fanfou.com` by default; `http` is taken for any host */
  base_url?: string
  /** what is asked for, and what a success must come in */
  format?: 'json' | 'xml' | 'rss'
  /** what OAuth signatures are made from; see below */
  signing_url?: string
}

/** Old Sina microblog direct message. */
export interface SinaAccount extends Common {
  service: 'sina'
  auth: BasicAuth | Oauth1Auth
  /** `http://api.t.sina.com.cn` by default: the service knew no https */
  base_url?: string
  /** sent as `source`; required with Basic. With OAuth it is sent and signed when given */
  app_key?: string
  /** what a success must come in */
  format?: 'json' | 'xml'
  /** what signatures are made from, where that is not the URL as sent */
  signing_url?: string
}

/** Weibo direct message (commercial API). */
export interface WeiboAccount extends Common {
  service: 'weibo'
  auth: Oauth2Auth
  /** `https://c.api.weibo.com` by default; http only for this machine */
  base_url?: string
  /** sent as `source` when given; not needed with a token */
  app_key?: string
}

/** Renren talk. */
export interface RenrenAccount extends Common {
  service: 'renren'
  auth: BearerAuth | MacAuth
  /** `https://api.renren.com` by default; http for this machine, and anywhere with a MAC */
  base_url?: string
  /** `query`: the parameters stand in the URL, as the document's example and the vendor's clients have it. `form`: in the body */
  params?: 'query' | 'form'
  /** what a MAC is made from, where that is not the URL as sent */
  signing_url?: string
}

/** Tencent IM message. */
export interface TencentImAccount extends Common {
  service: 'tencent_im'
  auth: UsersigAuth
  /** instead of a region; http only for this machine */
  base_url?: string
  /** where the app was created. It cannot be told from the SDKAppID and is never guessed. `ind` is no longer on the pages about sending; `ksa` was seen in code only */
  region?: 'cn' | 'sgp' | 'kr' | 'jpn' | 'ger' | 'usa' | 'idn' | 'ind' | 'ksa'
}

/** Slack message of a bot, or by an incoming webhook. */
export interface SlackAccount extends Common {
  service: 'slack'
  auth: BotAuth | WebhookUrlAuth
  /** instead of `https://slack.com`, or of the webhook's own host; http only for this machine */
  base_url?: string
}

/** Telegram message of a bot (Bot API). */
export interface TelegramAccount extends Common {
  service: 'telegram'
  auth: BotAuth
  /** `https://api.telegram.org` by default, or a server of your own; http only for this machine */
  base_url?: string
}

/** DingTalk custom robot. */
export interface DingtalkBotAccount extends Common {
  service: 'dingtalk_bot'
  auth: WebhookUrlAuth
  /** instead of the URL's own host */
  base_url?: string
}

/** WeCom group robot. */
export interface WecomBotAccount extends Common {
  service: 'wecom_bot'
  auth: WebhookUrlAuth
  /** instead of the URL's own host */
  base_url?: string
}

/** Webhook of any kind. */
export interface WebhookAccount extends Common {
  service: 'webhook'
  auth: NoneAuth | BearerAuth | BasicAuth | HeaderAuth | StandardWebhooksAuth
  /** instead of the URL's scheme, host and port */
  base_url?: string
  /** true: credentials may travel over http beyond this machine */
  allow_http?: boolean
  /** where requests go; a user and a password in it are sent as Basic, and they and the query are never shown */
  url: string
  /** the method of requests */
  method?: 'POST' | 'PUT'
  /** further header fields, each a text */
  headers?: Record<string, unknown>
  /** one of `json`, `form` and `text`, in whose strings `{{text}}`, `{{title}}`, `{{id}}`, `{{key}}`, `{{to.KIND}}` and `{{extra.NAME}}` stand for what the message has */
  body?: Record<string, unknown>
  /** `status`: `"2xx"` (default) or a list; `pointer` and `equals`: where in the JSON of the answer which value has to stand */
  success?: Record<string, unknown>
  /** where in the JSON of the answer the id of the message stands, as a JSON pointer */
  message_id?: string
}

/** Feishu or Lark custom robot. */
export interface FeishuBotAccount extends Common {
  service: 'feishu_bot'
  auth: WebhookUrlAuth
  /** instead of the URL's own host */
  base_url?: string
}

/** Discord message of a bot, or by a webhook. */
export interface DiscordAccount extends Common {
  service: 'discord'
  auth: BotAuth | WebhookUrlAuth
  /** instead of `https://discord.com`; http only for this machine */
  base_url?: string
}

/** Mattermost post of a bot, or by an incoming webhook. */
export interface MattermostAccount extends Common {
  service: 'mattermost'
  auth: BotAuth | WebhookUrlAuth
  /** the server, up to where `/api/v4` begins; a bot needs it; http with `allow_http` only */
  base_url?: string
  /** true: credentials may travel over http beyond this machine */
  allow_http?: boolean
}

/** Zulip message of a bot. */
export interface ZulipAccount extends Common {
  service: 'zulip'
  auth: BasicAuth
  /** required: the organization's URL, such as `https://acme.zulipchat.com`; http with `allow_http` only */
  base_url?: string
  /** true: credentials may travel over http beyond this machine */
  allow_http?: boolean
}

/** Mastodon direct message. */
export interface MastodonAccount extends Common {
  service: 'mastodon'
  auth: TokenAuth
  /** required: the server, such as `https://mastodon.social`; http with `allow_http` only */
  base_url?: string
  /** true: credentials may travel over http beyond this machine */
  allow_http?: boolean
  /** the longest post that the server takes, where that is not 500: `GET /api/v2/instance` tells it */
  max_characters?: number
}

/** StatusNet or GNU social direct message. */
export interface StatusnetAccount extends Common {
  service: 'statusnet'
  auth: BasicAuth | Oauth1Auth
  /** required: the site, up to where `/api` begins; http with `allow_http` only */
  base_url?: string
  /** true: credentials may travel over http beyond this machine */
  allow_http?: boolean
  /** what a success must come in */
  format?: 'json' | 'xml'
}

/** ntfy notification. */
export interface NtfyAccount extends Common {
  service: 'ntfy'
  auth: NoneAuth | BearerAuth | BasicAuth
  /** `https://ntfy.sh` by default, or a server of your own; http with `allow_http` only */
  base_url?: string
  /** true: credentials may travel over http beyond this machine */
  allow_http?: boolean
}

/** Gotify message of an application. */
export interface GotifyAccount extends Common {
  service: 'gotify'
  auth: TokenAuth
  /** the server, up to where `/message` begins: required; http with `allow_http` only */
  base_url?: string
  /** true: credentials may travel over http beyond this machine */
  allow_http?: boolean
}

/** LINE message of a bot. */
export interface LineAccount extends Common {
  service: 'line'
  auth: BotAuth
  /** instead of `https://api.line.me`; http only for this machine */
  base_url?: string
}

/** WhatsApp message of a business, by the Cloud API. */
export interface WhatsappCloudAccount extends Common {
  service: 'whatsapp_cloud'
  auth: TokenAuth
  /** instead of `https://graph.facebook.com` */
  base_url?: string
  /** the id of the number that sends, which is not the number itself */
  phone_number_id: string
}

/** ServerChan push (Server酱 Turbo and Server酱³). */
export interface ServerchanAccount extends Common {
  service: 'serverchan'
  auth: KeyAuth
  /** instead of the key's own host */
  base_url?: string
}

/** PushPlus push. */
export interface PushplusAccount extends Common {
  service: 'pushplus'
  auth: TokenAuth
  /** instead of `https://www.pushplus.plus` */
  base_url?: string
}

/** WxPusher message of an app. */
export interface WxpusherAccount extends Common {
  service: 'wxpusher'
  auth: TokenAuth
  /** instead of `https://wxpusher.zjiecode.com` */
  base_url?: string
}

/** KOOK message of a bot. */
export interface KookAccount extends Common {
  service: 'kook'
  auth: BotAuth
  /** instead of `https://www.kookapp.cn` */
  base_url?: string
}

/** Google Chat message by an incoming webhook. */
export interface GooglechatAccount extends Common {
  service: 'googlechat'
  auth: WebhookUrlAuth
  /** instead of the URL's own host; http only for this machine */
  base_url?: string
}

/** Microsoft Teams card by a workflow. */
export interface TeamsAccount extends Common {
  service: 'teams'
  auth: WebhookUrlAuth
  /** instead of the URL's own host; http only for this machine */
  base_url?: string
}

/** Rocket.Chat message of a user, or by an incoming webhook. */
export interface RocketchatAccount extends Common {
  service: 'rocketchat'
  auth: TokenRocketchatAuth | WebhookUrlAuth
  /** the server, up to where `/api/v1` begins; a token needs it; http with `allow_http` only */
  base_url?: string
  /** true: credentials may travel over http beyond this machine */
  allow_http?: boolean
}

/** Pushover message of an application. */
export interface PushoverAccount extends Common {
  service: 'pushover'
  auth: TokenAuth
  /** instead of `https://api.pushover.net`; http only for this machine */
  base_url?: string
}

/** Bark notification. */
export interface BarkAccount extends Common {
  service: 'bark'
  auth: KeyAuth
  /** `https://api.day.app` by default, or a server of your own; http with `allow_http` only */
  base_url?: string
  /** true: credentials may travel over http beyond this machine */
  allow_http?: boolean
}

/** Mail by SMTP. */
export interface SmtpAccount extends Common {
  service: 'smtp'
  auth: NoneAuth | PasswordAuth | Xoauth2Auth
  /** required: `smtps://host` (TLS, port 465), or `smtp://host` (STARTTLS, port 587) */
  base_url?: string
  /** the sender: an address, or `Name <address>` */
  from: string
}

/** WeCom app. */
export interface WecomAppAccount extends Common {
  service: 'wecom_app'
  auth: AppWecomAppAuth
  /** instead of `https://qyapi.weixin.qq.com` */
  base_url?: string
}

/** Feishu or Lark app. */
export interface FeishuAppAccount extends Common {
  service: 'feishu_app'
  auth: AppAuth
  /** instead of `https://open.feishu.cn` or `https://open.larksuite.com` */
  base_url?: string
  /** whose app it is */
  region?: 'feishu' | 'lark'
}

/** DingTalk app. */
export interface DingtalkAppAccount extends Common {
  service: 'dingtalk_app'
  auth: AppDingtalkAppAuth
  /** instead of `https://api.dingtalk.com` and `https://oapi.dingtalk.com` */
  base_url?: string
  /** the robot's code, mostly the AppKey */
  robot_code: string
}

/** WeChat official account. */
export interface WechatOaAccount extends Common {
  service: 'wechat_oa'
  auth: AppAuth
  /** instead of `https://api.weixin.qq.com` */
  base_url?: string
}

/** QQ bot. */
export interface QqBotAccount extends Common {
  service: 'qq_bot'
  auth: AppAuth
  /** instead of `https://api.bot.qq.com` */
  base_url?: string
}

/** Twilio text message. */
export interface TwilioAccount extends Common {
  service: 'twilio'
  auth: BasicAuth
  /** instead of `https://api.twilio.com` */
  base_url?: string
  /** whom messages come from: a number of the account, a name, or the `MG…` of a messaging service */
  from: string
  /** the account, where `username` is an API key, `SK…` */
  account_sid?: string
}

/** Matrix. */
export interface MatrixAccount extends Common {
  service: 'matrix'
  auth: TokenAuth | PasswordAuth
  /** the homeserver, up to where `/_matrix` begins: it is required; http with `allow_http` only */
  base_url?: string
  /** true: credentials may travel over http beyond this machine */
  allow_http?: boolean
}

/** Tencent Cloud SMS. */
export interface TencentSmsAccount extends Common {
  service: 'tencent_sms'
  auth: KeyTencentSmsAuth
  /** instead of `https://sms.tencentcloudapi.com` */
  base_url?: string
  /** the SMS application's SdkAppId */
  sdk_app_id: number | string
  /** the signature of messages, as it was approved; within China it is needed */
  sign_name?: string
  /** the template of messages that name none as `TemplateId` in `extra` */
  template?: number | string
  /** `ap-guangzhou` by default */
  region?: string
}

/** Alibaba Cloud SMS. */
export interface AliyunSmsAccount extends Common {
  service: 'aliyun_sms'
  auth: KeyTencentSmsAuth
  /** instead of `https://dysmsapi.aliyuncs.com` */
  base_url?: string
  /** the signature of messages, as it was approved */
  sign_name: string
  /** the template of messages that name none as `TemplateCode` in `extra`, `SMS_…` */
  template?: string
  /** the variable of the template that a message's text fills */
  text_param?: string
}

/** An account, as a configuration has it. */
export type Account =
  | FanfouAccount
  | SinaAccount
  | WeiboAccount
  | RenrenAccount
  | TencentImAccount
  | SlackAccount
  | TelegramAccount
  | DingtalkBotAccount
  | WecomBotAccount
  | WebhookAccount
  | FeishuBotAccount
  | DiscordAccount
  | MattermostAccount
  | ZulipAccount
  | MastodonAccount
  | StatusnetAccount
  | NtfyAccount
  | GotifyAccount
  | LineAccount
  | WhatsappCloudAccount
  | ServerchanAccount
  | PushplusAccount
  | WxpusherAccount
  | KookAccount
  | GooglechatAccount
  | TeamsAccount
  | RocketchatAccount
  | PushoverAccount
  | BarkAccount
  | SmtpAccount
  | WecomAppAccount
  | FeishuAppAccount
  | DingtalkAppAccount
  | WechatOaAccount
  | QqBotAccount
  | TwilioAccount
  | MatrixAccount
  | TencentSmsAccount
  | AliyunSmsAccount
// End
