package hongyan

// Common is what every account may have.
type Common struct {
	To          To     `json:"to,omitzero"` // of messages that name none
	Rate        *Rate  `json:"rate,omitempty"`
	MaxInFlight int    `json:"max_in_flight,omitempty"`
	Proxy       string `json:"proxy,omitempty"`
}

// Below: make accounts

// What may go wrong, for errors.Is.
const (
	// ErrInternal: A bug in the library.
	ErrInternal Code = 1
	// ErrPanic: A panic inside the library was caught.
	ErrPanic Code = 2
	// ErrArgument: A bad pointer, text that is not UTF-8, or JSON that cannot be read.
	ErrArgument Code = 3
	// ErrConfig: The configuration is wrong; the path says where.
	ErrConfig Code = 4
	// ErrClosed: The client is closed.
	ErrClosed Code = 5
	// ErrForked: The handle was made before fork().
	ErrForked Code = 6
	// ErrFull: max_in_flight is reached; the message says whose.
	ErrFull Code = 7
	// ErrCancelled: The send was cancelled.
	ErrCancelled Code = 8
	// ErrReentrant: Called from inside the log function.
	ErrReentrant Code = 9
	// ErrMessage: The message itself is wrong and never reached the network; the path says where.
	ErrMessage Code = 10
	// ErrUnsupported: This service cannot carry that recipient or part; nothing reached the network.
	ErrUnsupported Code = 11
	// ErrExpired: The deadline passed before anything was sent.
	ErrExpired Code = 12
	// ErrStorage: The outbox: disk, corruption or schema.
	ErrStorage Code = 13
	// ErrLocked: An older version has the outbox's file open, or others open it for too long.
	ErrLocked Code = 14
	// ErrUnavailable: The feature is not in this build.
	ErrUnavailable Code = 15
	// ErrTimeout: The time ran out.
	ErrTimeout Code = 100
	// ErrNetwork: DNS, connection, proxy, or a connection lost on the way.
	ErrNetwork Code = 101
	// ErrTLS: The secure connection could not be made.
	ErrTLS Code = 102
	// ErrProtocol: An answer that cannot be understood.
	ErrProtocol Code = 103
	// ErrAuth: The service refused the credentials.
	ErrAuth Code = 200
	// ErrForbidden: The sender or the app may not do this.
	ErrForbidden Code = 201
	// ErrNotFound: There is no such recipient.
	ErrNotFound Code = 202
	// ErrRateLimited: Too fast.
	ErrRateLimited Code = 203
	// ErrTooLarge: The content is too long; also when refused locally.
	ErrTooLarge Code = 204
	// ErrRejected: The content or the request was refused.
	ErrRejected Code = 205
	// ErrService: The service's own fault.
	ErrService Code = 206
	// ErrDuplicate: The service says that this was already sent.
	ErrDuplicate Code = 207
	// ErrDropped: The service says OK but threw the message away.
	ErrDropped Code = 208
	// ErrQuota: The allowance of the day or the plan is used up.
	ErrQuota Code = 209
)

var codeNames = map[Code]string{
	1:   "internal",
	2:   "panic",
	3:   "argument",
	4:   "config",
	5:   "closed",
	6:   "forked",
	7:   "full",
	8:   "cancelled",
	9:   "reentrant",
	10:  "message",
	11:  "unsupported",
	12:  "expired",
	13:  "storage",
	14:  "locked",
	15:  "unavailable",
	100: "timeout",
	101: "network",
	102: "tls",
	103: "protocol",
	200: "auth",
	201: "forbidden",
	202: "not_found",
	203: "rate_limited",
	204: "too_large",
	205: "rejected",
	206: "service",
	207: "duplicate",
	208: "dropped",
	209: "quota",
}

// To is to whom a message goes; each service knows some of these.
type To struct {
	User        string   `json:"user,omitempty"`
	Name        string   `json:"name,omitempty"`
	Group       string   `json:"group,omitempty"`
	Topic       string   `json:"topic,omitempty"`
	Chat        string   `json:"chat,omitempty"`
	Channel     string   `json:"channel,omitempty"`
	Room        string   `json:"room,omitempty"`
	Phone       string   `json:"phone,omitempty"`
	Users       []string `json:"users,omitempty"`
	Groups      []string `json:"groups,omitempty"`
	Discussions []string `json:"discussions,omitempty"`
	Members     []string `json:"members,omitempty"`
	Topics      []string `json:"topics,omitempty"`
	Phones      []string `json:"phones,omitempty"`
	Emails      []string `json:"emails,omitempty"`
	Cc          []string `json:"cc,omitempty"`
	Bcc         []string `json:"bcc,omitempty"`
	Departments []string `json:"departments,omitempty"`
	Tags        []string `json:"tags,omitempty"`
}

// AppAuth: An app with a bot, whose token is got and renewed: feishu_app, wechat_oa, qq_bot.
type AppAuth struct {
	// ID: the app's id
	ID string `json:"id"`
	// Secret: the app's secret
	Secret string `json:"secret"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a AppAuth) MarshalJSON() ([]byte, error) {
	type plain AppAuth
	return tagged("type", "app", plain(a))
}

// AppDingtalkAppAuth: An app with a robot, whose token is got and renewed: dingtalk_app.
type AppDingtalkAppAuth struct {
	// Key: the app's AppKey, or Client ID
	Key string `json:"key"`
	// Secret: its AppSecret, or Client Secret
	Secret string `json:"secret"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a AppDingtalkAppAuth) MarshalJSON() ([]byte, error) {
	type plain AppDingtalkAppAuth
	return tagged("type", "app", plain(a))
}

// AppWecomAppAuth: An app, whose token is got and renewed: wecom_app.
type AppWecomAppAuth struct {
	// CorpID: the company's id, `ww…`
	CorpID string `json:"corp_id"`
	// AgentID: the app's AgentId
	AgentID any `json:"agent_id"`
	// Secret: the app's Secret
	Secret string `json:"secret"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a AppWecomAppAuth) MarshalJSON() ([]byte, error) {
	type plain AppWecomAppAuth
	return tagged("type", "app", plain(a))
}

// BasicAuth: Name and password: fanfou, sina, webhook, zulip, statusnet, ntfy, twilio.
type BasicAuth struct {
	// Username: the user, without a colon
	Username string `json:"username"`
	// Password: his password
	Password string `json:"password"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a BasicAuth) MarshalJSON() ([]byte, error) {
	type plain BasicAuth
	return tagged("type", "basic", plain(a))
}

// BearerAuth: OAuth 2 with a bearer token: renren, webhook, ntfy.
type BearerAuth struct {
	// Token: the access token, as it is
	Token string `json:"token"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a BearerAuth) MarshalJSON() ([]byte, error) {
	type plain BearerAuth
	return tagged("type", "bearer", plain(a))
}

// BotAuth: The token of a bot, `xoxb-…`: slack, telegram, discord, mattermost, line, kook.
type BotAuth struct {
	// Token: the access token, as it is
	Token string `json:"token"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a BotAuth) MarshalJSON() ([]byte, error) {
	type plain BotAuth
	return tagged("type", "bot", plain(a))
}

// HeaderAuth: A header field of any name: webhook.
type HeaderAuth struct {
	// Name: the header field
	Name string `json:"name"`
	// Value: its value
	Value string `json:"value"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a HeaderAuth) MarshalJSON() ([]byte, error) {
	type plain HeaderAuth
	return tagged("type", "header", plain(a))
}

// KeyAuth: A SendKey: serverchan, bark.
type KeyAuth struct {
	// Key: the SendKey as its page shows it; one that begins with `sctp` is of Server酱³
	Key string `json:"key"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a KeyAuth) MarshalJSON() ([]byte, error) {
	type plain KeyAuth
	return tagged("type", "key", plain(a))
}

// KeyTencentSmsAuth: A key, by which each request is signed: tencent_sms, aliyun_sms.
type KeyTencentSmsAuth struct {
	// ID: the key's id
	ID string `json:"id"`
	// Secret: its secret, which is never sent
	Secret string `json:"secret"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a KeyTencentSmsAuth) MarshalJSON() ([]byte, error) {
	type plain KeyTencentSmsAuth
	return tagged("type", "key", plain(a))
}

// MacAuth: OAuth 2 with a signature over each request: renren.
type MacAuth struct {
	// Token: the access token, without quotes
	Token string `json:"token"`
	// MacKey: its key, which is never sent
	MacKey string `json:"mac_key"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a MacAuth) MarshalJSON() ([]byte, error) {
	type plain MacAuth
	return tagged("type", "mac", plain(a))
}

// NoneAuth: Nothing, or what the URL holds: webhook, ntfy, smtp.
type NoneAuth struct{}

// MarshalJSON gives the JSON that a configuration has.
func (a NoneAuth) MarshalJSON() ([]byte, error) {
	type plain NoneAuth
	return tagged("type", "none", plain(a))
}

// Oauth1Auth: OAuth 1.0a: fanfou, sina, statusnet.
type Oauth1Auth struct {
	// ConsumerKey: the app's key
	ConsumerKey string `json:"consumer_key"`
	// ConsumerSecret: the app's secret
	ConsumerSecret string `json:"consumer_secret"`
	// Token: the user's token
	Token string `json:"token"`
	// TokenSecret: its secret
	TokenSecret string `json:"token_secret"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a Oauth1Auth) MarshalJSON() ([]byte, error) {
	type plain Oauth1Auth
	return tagged("type", "oauth1", plain(a))
}

// Oauth2Auth: OAuth 2, the token in the form or in a header: weibo.
type Oauth2Auth struct {
	// Token: the access token, as it is
	Token string `json:"token"`
	// Send: form, header: `form`: the token is the parameter `access_token` of the body. `header`: it is
	// `Authorization: OAuth2 …`. It is never in the URL
	Send string `json:"send,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a Oauth2Auth) MarshalJSON() ([]byte, error) {
	type plain Oauth2Auth
	return tagged("type", "oauth2", plain(a))
}

// PasswordAuth: A name and a password: smtp, matrix.
type PasswordAuth struct {
	// Username: the account's name
	Username string `json:"username"`
	// Password: its password, or one for apps
	Password string `json:"password"`
	// DeviceID: the device that logs in, `HONGYAN` if left out; each process needs its own
	DeviceID string `json:"device_id,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a PasswordAuth) MarshalJSON() ([]byte, error) {
	type plain PasswordAuth
	return tagged("type", "password", plain(a))
}

// StandardWebhooksAuth: A signature as Standard Webhooks has it: webhook.
type StandardWebhooksAuth struct {
	// Secret: `whsec_` and the key in base64, as the receiver shows it; while it is exchanged for another one,
	// both, the new one first, with a comma between them
	Secret string `json:"secret"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a StandardWebhooksAuth) MarshalJSON() ([]byte, error) {
	type plain StandardWebhooksAuth
	return tagged("type", "standard_webhooks", plain(a))
}

// TokenAuth: The access token of an app, with the scopes write:statuses and write:media: mastodon, gotify,
// whatsapp_cloud, pushplus, wxpusher, pushover, matrix.
type TokenAuth struct {
	// Token: the access token, as it is
	Token string `json:"token"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a TokenAuth) MarshalJSON() ([]byte, error) {
	type plain TokenAuth
	return tagged("type", "token", plain(a))
}

// TokenRocketchatAuth: A personal access token of a user, and the user's id: rocketchat.
type TokenRocketchatAuth struct {
	// UserID: the user's id, which is shown with the token
	UserID string `json:"user_id"`
	// Token: a personal access token of the user
	Token string `json:"token"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a TokenRocketchatAuth) MarshalJSON() ([]byte, error) {
	type plain TokenRocketchatAuth
	return tagged("type", "token", plain(a))
}

// UsersigAuth: A UserSig that is made from the app's secret key: tencent_im.
type UsersigAuth struct {
	// SDKAppID: the app's number
	SDKAppID int64 `json:"sdk_app_id"`
	// Identifier: an administrator of the app
	Identifier string `json:"identifier"`
	// SecretKey: the app's secret key, as it is shown
	SecretKey string `json:"secret_key"`
	// ExpireS: how long a UserSig holds, in seconds; a week by default
	ExpireS int64 `json:"expire_s,omitempty"`
	// Userbuf: signed with it, where an app uses that; rarely needed
	Userbuf string `json:"userbuf,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a UsersigAuth) MarshalJSON() ([]byte, error) {
	type plain UsersigAuth
	return tagged("type", "usersig", plain(a))
}

// WebhookURLAuth: The URL of an incoming webhook: slack, dingtalk_bot, wecom_bot, feishu_bot, discord,
// mattermost, googlechat, teams, rocketchat.
type WebhookURLAuth struct {
	// URL: the URL that the app's page shows, whole
	URL string `json:"url"`
	// Secret: `SEC…`, which the same page shows where the robot checks signatures
	Secret string `json:"secret,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a WebhookURLAuth) MarshalJSON() ([]byte, error) {
	type plain WebhookURLAuth
	return tagged("type", "webhook", plain(a))
}

// Xoauth2Auth: An access token of OAuth 2: smtp.
type Xoauth2Auth struct {
	// Username: the account's address
	Username string `json:"username"`
	// Token: its access token of OAuth 2
	Token string `json:"token"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a Xoauth2Auth) MarshalJSON() ([]byte, error) {
	type plain Xoauth2Auth
	return tagged("type", "xoauth2", plain(a))
}

// FanfouAccount: Fanfou direct message, with basic or oauth1.
type FanfouAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: `https://api.fanfou.com` by default; `http` is taken for any host
	BaseURL string `json:"base_url,omitempty"`
	// Format: json, xml, rss: what is asked for, and what a success must come in
	Format string `json:"format,omitempty"`
	// SigningURL: what OAuth signatures are made from; see below
	SigningURL string `json:"signing_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a FanfouAccount) MarshalJSON() ([]byte, error) {
	type plain FanfouAccount
	return tagged("service", "fanfou", plain(a))
}

// SinaAccount: Old Sina microblog direct message, with basic or oauth1.
type SinaAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: `http://api.t.sina.com.cn` by default: the service knew no https
	BaseURL string `json:"base_url,omitempty"`
	// AppKey: sent as `source`; required with Basic. With OAuth it is sent and signed when given
	AppKey string `json:"app_key,omitempty"`
	// Format: json, xml: what a success must come in
	Format string `json:"format,omitempty"`
	// SigningURL: what signatures are made from, where that is not the URL as sent
	SigningURL string `json:"signing_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a SinaAccount) MarshalJSON() ([]byte, error) {
	type plain SinaAccount
	return tagged("service", "sina", plain(a))
}

// WeiboAccount: Weibo direct message (commercial API), with oauth2.
type WeiboAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: `https://c.api.weibo.com` by default; http only for this machine
	BaseURL string `json:"base_url,omitempty"`
	// AppKey: sent as `source` when given; not needed with a token
	AppKey string `json:"app_key,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a WeiboAccount) MarshalJSON() ([]byte, error) {
	type plain WeiboAccount
	return tagged("service", "weibo", plain(a))
}

// RenrenAccount: Renren talk, with bearer or mac.
type RenrenAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: `https://api.renren.com` by default; http for this machine, and anywhere with a MAC
	BaseURL string `json:"base_url,omitempty"`
	// Params: query, form: `query`: the parameters stand in the URL, as the document's example and the vendor's
	// clients have it. `form`: in the body
	Params string `json:"params,omitempty"`
	// SigningURL: what a MAC is made from, where that is not the URL as sent
	SigningURL string `json:"signing_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a RenrenAccount) MarshalJSON() ([]byte, error) {
	type plain RenrenAccount
	return tagged("service", "renren", plain(a))
}

// TencentIMAccount: Tencent IM message, with usersig.
type TencentIMAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of a region; http only for this machine
	BaseURL string `json:"base_url,omitempty"`
	// Region: cn, sgp, kr, jpn, ger, usa, idn, ind, ksa: where the app was created. It cannot be told from the
	// SDKAppID and is never guessed. `ind` is no longer on the pages about sending; `ksa` was seen in code only
	Region string `json:"region,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a TencentIMAccount) MarshalJSON() ([]byte, error) {
	type plain TencentIMAccount
	return tagged("service", "tencent_im", plain(a))
}

// SlackAccount: Slack message of a bot, or by an incoming webhook, with bot or webhook.
type SlackAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of `https://slack.com`, or of the webhook's own host; http only for this machine
	BaseURL string `json:"base_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a SlackAccount) MarshalJSON() ([]byte, error) {
	type plain SlackAccount
	return tagged("service", "slack", plain(a))
}

// TelegramAccount: Telegram message of a bot (Bot API), with bot.
type TelegramAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: `https://api.telegram.org` by default, or a server of your own; http only for this machine
	BaseURL string `json:"base_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a TelegramAccount) MarshalJSON() ([]byte, error) {
	type plain TelegramAccount
	return tagged("service", "telegram", plain(a))
}

// DingtalkBotAccount: DingTalk custom robot, with webhook.
type DingtalkBotAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of the URL's own host
	BaseURL string `json:"base_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a DingtalkBotAccount) MarshalJSON() ([]byte, error) {
	type plain DingtalkBotAccount
	return tagged("service", "dingtalk_bot", plain(a))
}

// WecomBotAccount: WeCom group robot, with webhook.
type WecomBotAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of the URL's own host
	BaseURL string `json:"base_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a WecomBotAccount) MarshalJSON() ([]byte, error) {
	type plain WecomBotAccount
	return tagged("service", "wecom_bot", plain(a))
}

// WebhookAccount: Webhook of any kind, with none or bearer or basic or header or standard_webhooks.
type WebhookAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of the URL's scheme, host and port
	BaseURL string `json:"base_url,omitempty"`
	// AllowHTTP: true: credentials may travel over http beyond this machine
	AllowHTTP bool `json:"allow_http,omitempty"`
	// URL: where requests go; a user and a password in it are sent as Basic, and they and the query are never
	// shown
	URL string `json:"url"`
	// Method: POST, PUT: the method of requests
	Method string `json:"method,omitempty"`
	// Headers: further header fields, each a text
	Headers map[string]any `json:"headers,omitempty"`
	// Body: one of `json`, `form` and `text`, in whose strings `{{text}}`, `{{title}}`, `{{id}}`, `{{key}}`,
	// `{{to.KIND}}` and `{{extra.NAME}}` stand for what the message has
	Body map[string]any `json:"body,omitempty"`
	// Success: `status`: `"2xx"` (default) or a list; `pointer` and `equals`: where in the JSON of the answer
	// which value has to stand
	Success map[string]any `json:"success,omitempty"`
	// MessageID: where in the JSON of the answer the id of the message stands, as a JSON pointer
	MessageID string `json:"message_id,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a WebhookAccount) MarshalJSON() ([]byte, error) {
	type plain WebhookAccount
	return tagged("service", "webhook", plain(a))
}

// FeishuBotAccount: Feishu or Lark custom robot, with webhook.
type FeishuBotAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of the URL's own host
	BaseURL string `json:"base_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a FeishuBotAccount) MarshalJSON() ([]byte, error) {
	type plain FeishuBotAccount
	return tagged("service", "feishu_bot", plain(a))
}

// DiscordAccount: Discord message of a bot, or by a webhook, with bot or webhook.
type DiscordAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of `https://discord.com`; http only for this machine
	BaseURL string `json:"base_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a DiscordAccount) MarshalJSON() ([]byte, error) {
	type plain DiscordAccount
	return tagged("service", "discord", plain(a))
}

// MattermostAccount: Mattermost post of a bot, or by an incoming webhook, with bot or webhook.
type MattermostAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: the server, up to where `/api/v4` begins; a bot needs it; http with `allow_http` only
	BaseURL string `json:"base_url,omitempty"`
	// AllowHTTP: true: credentials may travel over http beyond this machine
	AllowHTTP bool `json:"allow_http,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a MattermostAccount) MarshalJSON() ([]byte, error) {
	type plain MattermostAccount
	return tagged("service", "mattermost", plain(a))
}

// ZulipAccount: Zulip message of a bot, with basic.
type ZulipAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: required: the organization's URL, such as `https://acme.zulipchat.com`; http with `allow_http`
	// only
	BaseURL string `json:"base_url,omitempty"`
	// AllowHTTP: true: credentials may travel over http beyond this machine
	AllowHTTP bool `json:"allow_http,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a ZulipAccount) MarshalJSON() ([]byte, error) {
	type plain ZulipAccount
	return tagged("service", "zulip", plain(a))
}

// MastodonAccount: Mastodon direct message, with token.
type MastodonAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: required: the server, such as `https://mastodon.social`; http with `allow_http` only
	BaseURL string `json:"base_url,omitempty"`
	// AllowHTTP: true: credentials may travel over http beyond this machine
	AllowHTTP bool `json:"allow_http,omitempty"`
	// MaxCharacters: the longest post that the server takes, where that is not 500: `GET /api/v2/instance` tells
	// it
	MaxCharacters int64 `json:"max_characters,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a MastodonAccount) MarshalJSON() ([]byte, error) {
	type plain MastodonAccount
	return tagged("service", "mastodon", plain(a))
}

// StatusnetAccount: StatusNet or GNU social direct message, with basic or oauth1.
type StatusnetAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: required: the site, up to where `/api` begins; http with `allow_http` only
	BaseURL string `json:"base_url,omitempty"`
	// AllowHTTP: true: credentials may travel over http beyond this machine
	AllowHTTP bool `json:"allow_http,omitempty"`
	// Format: json, xml: what a success must come in
	Format string `json:"format,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a StatusnetAccount) MarshalJSON() ([]byte, error) {
	type plain StatusnetAccount
	return tagged("service", "statusnet", plain(a))
}

// NtfyAccount: ntfy notification, with none or bearer or basic.
type NtfyAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: `https://ntfy.sh` by default, or a server of your own; http with `allow_http` only
	BaseURL string `json:"base_url,omitempty"`
	// AllowHTTP: true: credentials may travel over http beyond this machine
	AllowHTTP bool `json:"allow_http,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a NtfyAccount) MarshalJSON() ([]byte, error) {
	type plain NtfyAccount
	return tagged("service", "ntfy", plain(a))
}

// GotifyAccount: Gotify message of an application, with token.
type GotifyAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: the server, up to where `/message` begins: required; http with `allow_http` only
	BaseURL string `json:"base_url,omitempty"`
	// AllowHTTP: true: credentials may travel over http beyond this machine
	AllowHTTP bool `json:"allow_http,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a GotifyAccount) MarshalJSON() ([]byte, error) {
	type plain GotifyAccount
	return tagged("service", "gotify", plain(a))
}

// LineAccount: LINE message of a bot, with bot.
type LineAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of `https://api.line.me`; http only for this machine
	BaseURL string `json:"base_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a LineAccount) MarshalJSON() ([]byte, error) {
	type plain LineAccount
	return tagged("service", "line", plain(a))
}

// WhatsappCloudAccount: WhatsApp message of a business, by the Cloud API, with token.
type WhatsappCloudAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of `https://graph.facebook.com`
	BaseURL string `json:"base_url,omitempty"`
	// PhoneNumberID: the id of the number that sends, which is not the number itself
	PhoneNumberID string `json:"phone_number_id"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a WhatsappCloudAccount) MarshalJSON() ([]byte, error) {
	type plain WhatsappCloudAccount
	return tagged("service", "whatsapp_cloud", plain(a))
}

// ServerchanAccount: ServerChan push (Server酱 Turbo and Server酱³), with key.
type ServerchanAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of the key's own host
	BaseURL string `json:"base_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a ServerchanAccount) MarshalJSON() ([]byte, error) {
	type plain ServerchanAccount
	return tagged("service", "serverchan", plain(a))
}

// PushplusAccount: PushPlus push, with token.
type PushplusAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of `https://www.pushplus.plus`
	BaseURL string `json:"base_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a PushplusAccount) MarshalJSON() ([]byte, error) {
	type plain PushplusAccount
	return tagged("service", "pushplus", plain(a))
}

// WxpusherAccount: WxPusher message of an app, with token.
type WxpusherAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of `https://wxpusher.zjiecode.com`
	BaseURL string `json:"base_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a WxpusherAccount) MarshalJSON() ([]byte, error) {
	type plain WxpusherAccount
	return tagged("service", "wxpusher", plain(a))
}

// KookAccount: KOOK message of a bot, with bot.
type KookAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of `https://www.kookapp.cn`
	BaseURL string `json:"base_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a KookAccount) MarshalJSON() ([]byte, error) {
	type plain KookAccount
	return tagged("service", "kook", plain(a))
}

// GooglechatAccount: Google Chat message by an incoming webhook, with webhook.
type GooglechatAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of the URL's own host; http only for this machine
	BaseURL string `json:"base_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a GooglechatAccount) MarshalJSON() ([]byte, error) {
	type plain GooglechatAccount
	return tagged("service", "googlechat", plain(a))
}

// TeamsAccount: Microsoft Teams card by a workflow, with webhook.
type TeamsAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of the URL's own host; http only for this machine
	BaseURL string `json:"base_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a TeamsAccount) MarshalJSON() ([]byte, error) {
	type plain TeamsAccount
	return tagged("service", "teams", plain(a))
}

// RocketchatAccount: Rocket.Chat message of a user, or by an incoming webhook, with token or webhook.
type RocketchatAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: the server, up to where `/api/v1` begins; a token needs it; http with `allow_http` only
	BaseURL string `json:"base_url,omitempty"`
	// AllowHTTP: true: credentials may travel over http beyond this machine
	AllowHTTP bool `json:"allow_http,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a RocketchatAccount) MarshalJSON() ([]byte, error) {
	type plain RocketchatAccount
	return tagged("service", "rocketchat", plain(a))
}

// PushoverAccount: Pushover message of an application, with token.
type PushoverAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of `https://api.pushover.net`; http only for this machine
	BaseURL string `json:"base_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a PushoverAccount) MarshalJSON() ([]byte, error) {
	type plain PushoverAccount
	return tagged("service", "pushover", plain(a))
}

// BarkAccount: Bark notification, with key.
type BarkAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: `https://api.day.app` by default, or a server of your own; http with `allow_http` only
	BaseURL string `json:"base_url,omitempty"`
	// AllowHTTP: true: credentials may travel over http beyond this machine
	AllowHTTP bool `json:"allow_http,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a BarkAccount) MarshalJSON() ([]byte, error) {
	type plain BarkAccount
	return tagged("service", "bark", plain(a))
}

// SmtpAccount: Mail by SMTP, with none or password or xoauth2.
type SmtpAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: required: `smtps://host` (TLS, port 465), or `smtp://host` (STARTTLS, port 587)
	BaseURL string `json:"base_url,omitempty"`
	// From: the sender: an address, or `Name <address>`
	From string `json:"from"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a SmtpAccount) MarshalJSON() ([]byte, error) {
	type plain SmtpAccount
	return tagged("service", "smtp", plain(a))
}

// WecomAppAccount: WeCom app, with app.
type WecomAppAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of `https://qyapi.weixin.qq.com`
	BaseURL string `json:"base_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a WecomAppAccount) MarshalJSON() ([]byte, error) {
	type plain WecomAppAccount
	return tagged("service", "wecom_app", plain(a))
}

// FeishuAppAccount: Feishu or Lark app, with app.
type FeishuAppAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of `https://open.feishu.cn` or `https://open.larksuite.com`
	BaseURL string `json:"base_url,omitempty"`
	// Region: feishu, lark: whose app it is
	Region string `json:"region,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a FeishuAppAccount) MarshalJSON() ([]byte, error) {
	type plain FeishuAppAccount
	return tagged("service", "feishu_app", plain(a))
}

// DingtalkAppAccount: DingTalk app, with app.
type DingtalkAppAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of `https://api.dingtalk.com` and `https://oapi.dingtalk.com`
	BaseURL string `json:"base_url,omitempty"`
	// RobotCode: the robot's code, mostly the AppKey
	RobotCode string `json:"robot_code"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a DingtalkAppAccount) MarshalJSON() ([]byte, error) {
	type plain DingtalkAppAccount
	return tagged("service", "dingtalk_app", plain(a))
}

// WechatOaAccount: WeChat official account, with app.
type WechatOaAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of `https://api.weixin.qq.com`
	BaseURL string `json:"base_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a WechatOaAccount) MarshalJSON() ([]byte, error) {
	type plain WechatOaAccount
	return tagged("service", "wechat_oa", plain(a))
}

// QqBotAccount: QQ bot, with app.
type QqBotAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of `https://api.bot.qq.com`
	BaseURL string `json:"base_url,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a QqBotAccount) MarshalJSON() ([]byte, error) {
	type plain QqBotAccount
	return tagged("service", "qq_bot", plain(a))
}

// TwilioAccount: Twilio text message, with basic.
type TwilioAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of `https://api.twilio.com`
	BaseURL string `json:"base_url,omitempty"`
	// From: whom messages come from: a number of the account, a name, or the `MG…` of a messaging service
	From string `json:"from"`
	// AccountSid: the account, where `username` is an API key, `SK…`
	AccountSid string `json:"account_sid,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a TwilioAccount) MarshalJSON() ([]byte, error) {
	type plain TwilioAccount
	return tagged("service", "twilio", plain(a))
}

// MatrixAccount: Matrix, with token or password.
type MatrixAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: the homeserver, up to where `/_matrix` begins: it is required; http with `allow_http` only
	BaseURL string `json:"base_url,omitempty"`
	// AllowHTTP: true: credentials may travel over http beyond this machine
	AllowHTTP bool `json:"allow_http,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a MatrixAccount) MarshalJSON() ([]byte, error) {
	type plain MatrixAccount
	return tagged("service", "matrix", plain(a))
}

// TencentSmsAccount: Tencent Cloud SMS, with key.
type TencentSmsAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of `https://sms.tencentcloudapi.com`
	BaseURL string `json:"base_url,omitempty"`
	// SDKAppID: the SMS application's SdkAppId
	SDKAppID any `json:"sdk_app_id"`
	// SignName: the signature of messages, as it was approved; within China it is needed
	SignName string `json:"sign_name,omitempty"`
	// Template: the template of messages that name none as `TemplateId` in `extra`
	Template any `json:"template,omitempty"`
	// Region: `ap-guangzhou` by default
	Region string `json:"region,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a TencentSmsAccount) MarshalJSON() ([]byte, error) {
	type plain TencentSmsAccount
	return tagged("service", "tencent_sms", plain(a))
}

// AliyunSmsAccount: Alibaba Cloud SMS, with key.
type AliyunSmsAccount struct {
	Auth Auth `json:"auth"`
	Common
	// BaseURL: instead of `https://dysmsapi.aliyuncs.com`
	BaseURL string `json:"base_url,omitempty"`
	// SignName: the signature of messages, as it was approved
	SignName string `json:"sign_name"`
	// Template: the template of messages that name none as `TemplateCode` in `extra`, `SMS_…`
	Template string `json:"template,omitempty"`
	// TextParam: the variable of the template that a message's text fills
	TextParam string `json:"text_param,omitempty"`
}

// MarshalJSON gives the JSON that a configuration has.
func (a AliyunSmsAccount) MarshalJSON() ([]byte, error) {
	type plain AliyunSmsAccount
	return tagged("service", "aliyun_sms", plain(a))
}

// End
