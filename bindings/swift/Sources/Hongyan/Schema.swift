// Written from the schema of the library.
// Below: make accounts

/// To whom a message goes: lists of some kinds, and one of each other.
public struct To: Sendable, Hashable, Codable {
    public var user: String?
    public var name: String?
    public var group: String?
    public var topic: String?
    public var chat: String?
    public var channel: String?
    public var room: String?
    public var phone: String?
    public var users: [String]?
    public var groups: [String]?
    public var discussions: [String]?
    public var members: [String]?
    public var topics: [String]?
    public var phones: [String]?
    public var emails: [String]?
    public var cc: [String]?
    public var bcc: [String]?
    public var departments: [String]?
    public var tags: [String]?

    public init(
        user: String? = nil,
        name: String? = nil,
        group: String? = nil,
        topic: String? = nil,
        chat: String? = nil,
        channel: String? = nil,
        room: String? = nil,
        phone: String? = nil,
        users: [String]? = nil,
        groups: [String]? = nil,
        discussions: [String]? = nil,
        members: [String]? = nil,
        topics: [String]? = nil,
        phones: [String]? = nil,
        emails: [String]? = nil,
        cc: [String]? = nil,
        bcc: [String]? = nil,
        departments: [String]? = nil,
        tags: [String]? = nil
    ) {
        self.user = user
        self.name = name
        self.group = group
        self.topic = topic
        self.chat = chat
        self.channel = channel
        self.room = room
        self.phone = phone
        self.users = users
        self.groups = groups
        self.discussions = discussions
        self.members = members
        self.topics = topics
        self.phones = phones
        self.emails = emails
        self.cc = cc
        self.bcc = bcc
        self.departments = departments
        self.tags = tags
    }

    func write(_ writer: inout JSONWriter) {
        writer.open("{")
        writer.member("user", user)
        writer.member("name", name)
        writer.member("group", group)
        writer.member("topic", topic)
        writer.member("chat", chat)
        writer.member("channel", channel)
        writer.member("room", room)
        writer.member("phone", phone)
        writer.members("users", users)
        writer.members("groups", groups)
        writer.members("discussions", discussions)
        writer.members("members", members)
        writer.members("topics", topics)
        writer.members("phones", phones)
        writer.members("emails", emails)
        writer.members("cc", cc)
        writer.members("bcc", bcc)
        writer.members("departments", departments)
        writer.members("tags", tags)
        writer.close("}")
    }

    var json: JSON {
        .fields([
            ("user", user.map(JSON.string)),
            ("name", name.map(JSON.string)),
            ("group", group.map(JSON.string)),
            ("topic", topic.map(JSON.string)),
            ("chat", chat.map(JSON.string)),
            ("channel", channel.map(JSON.string)),
            ("room", room.map(JSON.string)),
            ("phone", phone.map(JSON.string)),
            ("users", users.map{ .array($0.map(JSON.string)) }),
            ("groups", groups.map{ .array($0.map(JSON.string)) }),
            ("discussions", discussions.map{ .array($0.map(JSON.string)) }),
            ("members", members.map{ .array($0.map(JSON.string)) }),
            ("topics", topics.map{ .array($0.map(JSON.string)) }),
            ("phones", phones.map{ .array($0.map(JSON.string)) }),
            ("emails", emails.map{ .array($0.map(JSON.string)) }),
            ("cc", cc.map{ .array($0.map(JSON.string)) }),
            ("bcc", bcc.map{ .array($0.map(JSON.string)) }),
            ("departments", departments.map{ .array($0.map(JSON.string)) }),
            ("tags", tags.map{ .array($0.map(JSON.string)) }),
        ])
    }
}

/// One element of a message that is more than plain text.
public enum Part: Sendable, Hashable {
    /// Text, between other parts.
    case text(String)
    /// A user who is called by name: `@name`, or `@user` where no name is given.
    case mention(user: String, name: String? = nil)
    /// Everybody is called.
    case mentionAll
    /// A sticker of the app's own: its number, and what the app wants to know besides.
    case face(index: Int64, data: String? = nil)
    /// A place: degrees north, degrees east, and what it is called.
    case location(latitude: Double, longitude: Double, address: String? = nil)
    /// A link with its preview: title, a few words, a small picture and the picture in full size.
    case link(url: String, title: String? = nil, description: String? = nil, thumbnail: String? = nil, image: String? = nil)
    /// Data that only the receiving app understands, and what a notification of it says.
    case custom(data: String, desc: String? = nil, ext: String? = nil, sound: String? = nil)
    /// The service's own element, passed through as it is.
    case raw(JSON)

    var json: JSON {
        switch self {
        case .text(let text):
            .fields([("type", "text"), ("text", JSON.string(text))])
        case .mention(let user, let name):
            .fields([("type", "mention"), ("user", JSON.string(user)), ("name", name.map(JSON.string))])
        case .mentionAll: .fields([("type", "mention"), ("all", true)])
        case .face(let index, let data):
            .fields([("type", "face"), ("index", JSON.int(index)), ("data", data.map(JSON.string))])
        case .location(let latitude, let longitude, let address):
            .fields([("type", "location"), ("latitude", JSON.double(latitude)), ("longitude", JSON.double(longitude)), ("address", address.map(JSON.string))])
        case .link(let url, let title, let description, let thumbnail, let image):
            .fields([("type", "link"), ("url", JSON.string(url)), ("title", title.map(JSON.string)), ("description", description.map(JSON.string)), ("thumbnail", thumbnail.map(JSON.string)), ("image", image.map(JSON.string))])
        case .custom(let data, let desc, let ext, let sound):
            .fields([("type", "custom"), ("data", JSON.string(data)), ("desc", desc.map(JSON.string)), ("ext", ext.map(JSON.string)), ("sound", sound.map(JSON.string))])
        case .raw(let value):
            .fields([("type", "raw"), ("value", value)])
        }
    }
}

/// Accounts of the services.
public enum Accounts {
    /// Fanfou direct message.
    public struct Fanfou: Account, Hashable {
        public var auth: Auth
        /// `https://api.fanfou.com` by default; `http` is taken for any host
        public var baseURL: String?
        /// what is asked for, and what a success must come in
        public var format: Format?
        /// what OAuth signatures are made from; see below
        public var signingURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil, format: Format? = nil, signingURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.format = format
            self.signingURL = signingURL
            self.options = options
        }

        public var json: JSON {
            options.account("fanfou", auth.json, [("base_url", baseURL.map(JSON.string)), ("format", format.map { (it: Format) in .string(it.rawValue) }), ("signing_url", signingURL.map(JSON.string))])
        }

        public enum Format: String, Sendable {
            case json
            case xml
            case rss
        }

        public enum Auth: Sendable, Hashable {
            /// Name and password.
            /// - Parameter username: the user, without a colon
            /// - Parameter password: his password
            case basic(username: String, password: String)
            /// OAuth 1.0a.
            /// - Parameter consumerKey: the app's key
            /// - Parameter consumerSecret: the app's secret
            /// - Parameter token: the user's token
            /// - Parameter tokenSecret: its secret
            case oauth1(consumerKey: String, consumerSecret: String, token: String, tokenSecret: String)

            var json: JSON {
                switch self {
                case .basic(let username, let password):
                    .fields([("type", "basic"), ("username", JSON.string(username)), ("password", JSON.string(password))])
                case .oauth1(let consumerKey, let consumerSecret, let token, let tokenSecret):
                    .fields([("type", "oauth1"), ("consumer_key", JSON.string(consumerKey)), ("consumer_secret", JSON.string(consumerSecret)), ("token", JSON.string(token)), ("token_secret", JSON.string(tokenSecret))])
                }
            }
        }
    }

    /// Old Sina microblog direct message.
    public struct Sina: Account, Hashable {
        public var auth: Auth
        /// `http://api.t.sina.com.cn` by default: the service knew no https
        public var baseURL: String?
        /// sent as `source`; required with Basic. With OAuth it is sent and signed when given
        public var appKey: String?
        /// what a success must come in
        public var format: Format?
        /// what signatures are made from, where that is not the URL as sent
        public var signingURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil, appKey: String? = nil, format: Format? = nil, signingURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.appKey = appKey
            self.format = format
            self.signingURL = signingURL
            self.options = options
        }

        public var json: JSON {
            options.account("sina", auth.json, [("base_url", baseURL.map(JSON.string)), ("app_key", appKey.map(JSON.string)), ("format", format.map { (it: Format) in .string(it.rawValue) }), ("signing_url", signingURL.map(JSON.string))])
        }

        public enum Format: String, Sendable {
            case json
            case xml
        }

        public enum Auth: Sendable, Hashable {
            /// Name and password.
            /// - Parameter username: the user, without a colon
            /// - Parameter password: his password
            case basic(username: String, password: String)
            /// OAuth 1.0a.
            /// - Parameter consumerKey: the app's key
            /// - Parameter consumerSecret: the app's secret
            /// - Parameter token: the user's token
            /// - Parameter tokenSecret: its secret
            case oauth1(consumerKey: String, consumerSecret: String, token: String, tokenSecret: String)

            var json: JSON {
                switch self {
                case .basic(let username, let password):
                    .fields([("type", "basic"), ("username", JSON.string(username)), ("password", JSON.string(password))])
                case .oauth1(let consumerKey, let consumerSecret, let token, let tokenSecret):
                    .fields([("type", "oauth1"), ("consumer_key", JSON.string(consumerKey)), ("consumer_secret", JSON.string(consumerSecret)), ("token", JSON.string(token)), ("token_secret", JSON.string(tokenSecret))])
                }
            }
        }
    }

    /// Weibo direct message (commercial API).
    public struct Weibo: Account, Hashable {
        public var auth: Auth
        /// `https://c.api.weibo.com` by default; http only for this machine
        public var baseURL: String?
        /// sent as `source` when given; not needed with a token
        public var appKey: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil, appKey: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.appKey = appKey
            self.options = options
        }

        public var json: JSON {
            options.account("weibo", auth.json, [("base_url", baseURL.map(JSON.string)), ("app_key", appKey.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// OAuth 2, the token in the form or in a header.
            /// - Parameter token: the access token, as it is
            /// - Parameter send: `form`: the token is the parameter `access_token` of the body. `header`: it
            /// is `Authorization: OAuth2 …`. It is never in the URL
            case oauth2(token: String, send: Send? = nil)

            public enum Send: String, Sendable {
                case form
                case header
            }

            var json: JSON {
                switch self {
                case .oauth2(let token, let send):
                    .fields([("type", "oauth2"), ("token", JSON.string(token)), ("send", send.map { (it: Send) in .string(it.rawValue) })])
                }
            }
        }
    }

    /// Renren talk.
    public struct Renren: Account, Hashable {
        public var auth: Auth
        /// `https://api.renren.com` by default; http for this machine, and anywhere with a MAC
        public var baseURL: String?
        /// `query`: the parameters stand in the URL, as the document's example and the vendor's clients have
        /// it. `form`: in the body
        public var params: Params?
        /// what a MAC is made from, where that is not the URL as sent
        public var signingURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil, params: Params? = nil, signingURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.params = params
            self.signingURL = signingURL
            self.options = options
        }

        public var json: JSON {
            options.account("renren", auth.json, [("base_url", baseURL.map(JSON.string)), ("params", params.map { (it: Params) in .string(it.rawValue) }), ("signing_url", signingURL.map(JSON.string))])
        }

        public enum Params: String, Sendable {
            case query
            case form
        }

        public enum Auth: Sendable, Hashable {
            /// OAuth 2 with a bearer token.
            /// - Parameter token: the access token, as it is
            case bearer(token: String)
            /// OAuth 2 with a signature over each request.
            /// - Parameter token: the access token, without quotes
            /// - Parameter macKey: its key, which is never sent
            case mac(token: String, macKey: String)

            var json: JSON {
                switch self {
                case .bearer(let token):
                    .fields([("type", "bearer"), ("token", JSON.string(token))])
                case .mac(let token, let macKey):
                    .fields([("type", "mac"), ("token", JSON.string(token)), ("mac_key", JSON.string(macKey))])
                }
            }
        }
    }

    /// Tencent IM message.
    public struct TencentIm: Account, Hashable {
        public var auth: Auth
        /// instead of a region; http only for this machine
        public var baseURL: String?
        /// where the app was created. It cannot be told from the SDKAppID and is never guessed. `ind` is no
        /// longer on the pages about sending; `ksa` was seen in code only
        public var region: Region?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil, region: Region? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.region = region
            self.options = options
        }

        public var json: JSON {
            options.account("tencent_im", auth.json, [("base_url", baseURL.map(JSON.string)), ("region", region.map { (it: Region) in .string(it.rawValue) })])
        }

        public enum Region: String, Sendable {
            case cn
            case sgp
            case kr
            case jpn
            case ger
            case usa
            case idn
            case ind
            case ksa
        }

        public enum Auth: Sendable, Hashable {
            /// A UserSig that is made from the app's secret key.
            /// - Parameter sdkAppID: the app's number
            /// - Parameter identifier: an administrator of the app
            /// - Parameter secretKey: the app's secret key, as it is shown
            /// - Parameter expireS: how long a UserSig holds, in seconds; a week by default
            /// - Parameter userbuf: signed with it, where an app uses that; rarely needed
            case usersig(sdkAppID: Int64, identifier: String, secretKey: String, expireS: Int64? = nil, userbuf: String? = nil)

            var json: JSON {
                switch self {
                case .usersig(let sdkAppID, let identifier, let secretKey, let expireS, let userbuf):
                    .fields([("type", "usersig"), ("sdk_app_id", JSON.int(sdkAppID)), ("identifier", JSON.string(identifier)), ("secret_key", JSON.string(secretKey)), ("expire_s", expireS.map(JSON.int)), ("userbuf", userbuf.map(JSON.string))])
                }
            }
        }
    }

    /// Slack message of a bot, or by an incoming webhook.
    public struct Slack: Account, Hashable {
        public var auth: Auth
        /// instead of `https://slack.com`, or of the webhook's own host; http only for this machine
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("slack", auth.json, [("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// The token of a bot, `xoxb-…`.
            /// - Parameter token: the access token, as it is
            case bot(token: String)
            /// The URL of an incoming webhook.
            /// - Parameter url: the URL that the app's page shows, whole
            case webhook(url: String)

            var json: JSON {
                switch self {
                case .bot(let token):
                    .fields([("type", "bot"), ("token", JSON.string(token))])
                case .webhook(let url):
                    .fields([("type", "webhook"), ("url", JSON.string(url))])
                }
            }
        }
    }

    /// Telegram message of a bot (Bot API).
    public struct Telegram: Account, Hashable {
        public var auth: Auth
        /// `https://api.telegram.org` by default, or a server of your own; http only for this machine
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("telegram", auth.json, [("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// The token of a bot.
            /// - Parameter token: the token of the bot, as @BotFather shows it: `123456:AA…`
            case bot(token: String)

            var json: JSON {
                switch self {
                case .bot(let token):
                    .fields([("type", "bot"), ("token", JSON.string(token))])
                }
            }
        }
    }

    /// DingTalk custom robot.
    public struct DingtalkBot: Account, Hashable {
        public var auth: Auth
        /// instead of the URL's own host
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("dingtalk_bot", auth.json, [("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// The URL of a robot.
            /// - Parameter url: the URL that the robot's page shows, whole
            /// - Parameter secret: `SEC…`, which the same page shows where the robot checks signatures
            case webhook(url: String, secret: String? = nil)

            var json: JSON {
                switch self {
                case .webhook(let url, let secret):
                    .fields([("type", "webhook"), ("url", JSON.string(url)), ("secret", secret.map(JSON.string))])
                }
            }
        }
    }

    /// WeCom group robot.
    public struct WecomBot: Account, Hashable {
        public var auth: Auth
        /// instead of the URL's own host
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("wecom_bot", auth.json, [("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// The URL of a robot.
            /// - Parameter url: the URL that the robot's page shows, whole
            case webhook(url: String)

            var json: JSON {
                switch self {
                case .webhook(let url):
                    .fields([("type", "webhook"), ("url", JSON.string(url))])
                }
            }
        }
    }

    /// Webhook of any kind.
    public struct Webhook: Account, Hashable {
        public var auth: Auth
        /// where requests go; a user and a password in it are sent as Basic, and they and the query are
        /// never shown
        public var url: String
        /// instead of the URL's scheme, host and port
        public var baseURL: String?
        /// true: credentials may travel over http beyond this machine
        public var allowHttp: Bool?
        /// the method of requests
        public var method: Method?
        /// further header fields, each a text
        public var headers: JSON?
        /// one of `json`, `form` and `text`, in whose strings `{{text}}`, `{{title}}`, `{{id}}`, `{{key}}`,
        /// `{{to.KIND}}` and `{{extra.NAME}}` stand for what the message has
        public var body: JSON?
        /// `status`: `"2xx"` (default) or a list; `pointer` and `equals`: where in the JSON of the answer
        /// which value has to stand
        public var success: JSON?
        /// where in the JSON of the answer the id of the message stands, as a JSON pointer
        public var messageID: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, url: String, baseURL: String? = nil, allowHttp: Bool? = nil, method: Method? = nil, headers: JSON? = nil, body: JSON? = nil, success: JSON? = nil, messageID: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.url = url
            self.baseURL = baseURL
            self.allowHttp = allowHttp
            self.method = method
            self.headers = headers
            self.body = body
            self.success = success
            self.messageID = messageID
            self.options = options
        }

        public var json: JSON {
            options.account("webhook", auth.json, [("url", JSON.string(url)), ("base_url", baseURL.map(JSON.string)), ("allow_http", allowHttp.map(JSON.bool)), ("method", method.map { (it: Method) in .string(it.rawValue) }), ("headers", headers), ("body", body), ("success", success), ("message_id", messageID.map(JSON.string))])
        }

        public enum Method: String, Sendable {
            case POST
            case PUT
        }

        public enum Auth: Sendable, Hashable {
            /// Nothing, or what the URL holds.
            case `none`
            /// A token in `Authorization: Bearer`.
            /// - Parameter token: the access token, as it is
            case bearer(token: String)
            /// Name and password.
            /// - Parameter username: the user, without a colon
            /// - Parameter password: his password
            case basic(username: String, password: String)
            /// A header field of any name.
            /// - Parameter name: the header field
            /// - Parameter value: its value
            case header(name: String, value: String)
            /// A signature as Standard Webhooks has it.
            /// - Parameter secret: `whsec_` and the key in base64, as the receiver shows it; while it is
            /// exchanged for another one, both, the new one first, with a comma between them
            case standardWebhooks(secret: String)

            var json: JSON {
                switch self {
                case .`none`: .fields([("type", "none")])
                case .bearer(let token):
                    .fields([("type", "bearer"), ("token", JSON.string(token))])
                case .basic(let username, let password):
                    .fields([("type", "basic"), ("username", JSON.string(username)), ("password", JSON.string(password))])
                case .header(let name, let value):
                    .fields([("type", "header"), ("name", JSON.string(name)), ("value", JSON.string(value))])
                case .standardWebhooks(let secret):
                    .fields([("type", "standard_webhooks"), ("secret", JSON.string(secret))])
                }
            }
        }
    }

    /// Feishu or Lark custom robot.
    public struct FeishuBot: Account, Hashable {
        public var auth: Auth
        /// instead of the URL's own host
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("feishu_bot", auth.json, [("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// The URL of a robot.
            /// - Parameter url: the URL that the robot's page shows, whole: Feishu's or Lark's
            /// - Parameter secret: which the same page shows where the robot checks signatures
            case webhook(url: String, secret: String? = nil)

            var json: JSON {
                switch self {
                case .webhook(let url, let secret):
                    .fields([("type", "webhook"), ("url", JSON.string(url)), ("secret", secret.map(JSON.string))])
                }
            }
        }
    }

    /// Discord message of a bot, or by a webhook.
    public struct Discord: Account, Hashable {
        public var auth: Auth
        /// instead of `https://discord.com`; http only for this machine
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("discord", auth.json, [("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// The token of a bot.
            /// - Parameter token: the access token, as it is
            case bot(token: String)
            /// The URL of a webhook.
            /// - Parameter url: the URL that *Copy Webhook URL* gives, whole
            case webhook(url: String)

            var json: JSON {
                switch self {
                case .bot(let token):
                    .fields([("type", "bot"), ("token", JSON.string(token))])
                case .webhook(let url):
                    .fields([("type", "webhook"), ("url", JSON.string(url))])
                }
            }
        }
    }

    /// Mattermost post of a bot, or by an incoming webhook.
    public struct Mattermost: Account, Hashable {
        public var auth: Auth
        /// the server, up to where `/api/v4` begins; a bot needs it; http with `allow_http` only
        public var baseURL: String?
        /// true: credentials may travel over http beyond this machine
        public var allowHttp: Bool?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil, allowHttp: Bool? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.allowHttp = allowHttp
            self.options = options
        }

        public var json: JSON {
            options.account("mattermost", auth.json, [("base_url", baseURL.map(JSON.string)), ("allow_http", allowHttp.map(JSON.bool))])
        }

        public enum Auth: Sendable, Hashable {
            /// The access token of a bot or a user.
            /// - Parameter token: the access token, as it is
            case bot(token: String)
            /// The URL of an incoming webhook.
            /// - Parameter url: the URL that the webhook's page shows, whole
            case webhook(url: String)

            var json: JSON {
                switch self {
                case .bot(let token):
                    .fields([("type", "bot"), ("token", JSON.string(token))])
                case .webhook(let url):
                    .fields([("type", "webhook"), ("url", JSON.string(url))])
                }
            }
        }
    }

    /// Zulip message of a bot.
    public struct Zulip: Account, Hashable {
        public var auth: Auth
        /// required: the organization's URL, such as `https://acme.zulipchat.com`; http with `allow_http`
        /// only
        public var baseURL: String?
        /// true: credentials may travel over http beyond this machine
        public var allowHttp: Bool?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil, allowHttp: Bool? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.allowHttp = allowHttp
            self.options = options
        }

        public var json: JSON {
            options.account("zulip", auth.json, [("base_url", baseURL.map(JSON.string)), ("allow_http", allowHttp.map(JSON.bool))])
        }

        public enum Auth: Sendable, Hashable {
            /// The e-mail address of a bot, and its API key.
            /// - Parameter username: the e-mail address of the bot
            /// - Parameter password: its API key
            case basic(username: String, password: String)

            var json: JSON {
                switch self {
                case .basic(let username, let password):
                    .fields([("type", "basic"), ("username", JSON.string(username)), ("password", JSON.string(password))])
                }
            }
        }
    }

    /// Mastodon direct message.
    public struct Mastodon: Account, Hashable {
        public var auth: Auth
        /// required: the server, such as `https://mastodon.social`; http with `allow_http` only
        public var baseURL: String?
        /// true: credentials may travel over http beyond this machine
        public var allowHttp: Bool?
        /// the longest post that the server takes, where that is not 500: `GET /api/v2/instance` tells it
        public var maxCharacters: Int64?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil, allowHttp: Bool? = nil, maxCharacters: Int64? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.allowHttp = allowHttp
            self.maxCharacters = maxCharacters
            self.options = options
        }

        public var json: JSON {
            options.account("mastodon", auth.json, [("base_url", baseURL.map(JSON.string)), ("allow_http", allowHttp.map(JSON.bool)), ("max_characters", maxCharacters.map(JSON.int))])
        }

        public enum Auth: Sendable, Hashable {
            /// The access token of an app, with the scopes write:statuses and write:media.
            /// - Parameter token: the access token, as it is
            case token(token: String)

            var json: JSON {
                switch self {
                case .token(let token):
                    .fields([("type", "token"), ("token", JSON.string(token))])
                }
            }
        }
    }

    /// StatusNet or GNU social direct message.
    public struct Statusnet: Account, Hashable {
        public var auth: Auth
        /// required: the site, up to where `/api` begins; http with `allow_http` only
        public var baseURL: String?
        /// true: credentials may travel over http beyond this machine
        public var allowHttp: Bool?
        /// what a success must come in
        public var format: Format?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil, allowHttp: Bool? = nil, format: Format? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.allowHttp = allowHttp
            self.format = format
            self.options = options
        }

        public var json: JSON {
            options.account("statusnet", auth.json, [("base_url", baseURL.map(JSON.string)), ("allow_http", allowHttp.map(JSON.bool)), ("format", format.map { (it: Format) in .string(it.rawValue) })])
        }

        public enum Format: String, Sendable {
            case json
            case xml
        }

        public enum Auth: Sendable, Hashable {
            /// Name and password.
            /// - Parameter username: the user, without a colon
            /// - Parameter password: his password
            case basic(username: String, password: String)
            /// OAuth 1.0a.
            /// - Parameter consumerKey: the app's key
            /// - Parameter consumerSecret: the app's secret
            /// - Parameter token: the user's token
            /// - Parameter tokenSecret: its secret
            case oauth1(consumerKey: String, consumerSecret: String, token: String, tokenSecret: String)

            var json: JSON {
                switch self {
                case .basic(let username, let password):
                    .fields([("type", "basic"), ("username", JSON.string(username)), ("password", JSON.string(password))])
                case .oauth1(let consumerKey, let consumerSecret, let token, let tokenSecret):
                    .fields([("type", "oauth1"), ("consumer_key", JSON.string(consumerKey)), ("consumer_secret", JSON.string(consumerSecret)), ("token", JSON.string(token)), ("token_secret", JSON.string(tokenSecret))])
                }
            }
        }
    }

    /// ntfy notification.
    public struct Ntfy: Account, Hashable {
        public var auth: Auth
        /// `https://ntfy.sh` by default, or a server of your own; http with `allow_http` only
        public var baseURL: String?
        /// true: credentials may travel over http beyond this machine
        public var allowHttp: Bool?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil, allowHttp: Bool? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.allowHttp = allowHttp
            self.options = options
        }

        public var json: JSON {
            options.account("ntfy", auth.json, [("base_url", baseURL.map(JSON.string)), ("allow_http", allowHttp.map(JSON.bool))])
        }

        public enum Auth: Sendable, Hashable {
            /// Nothing: who knows a topic may send to it.
            case `none`
            /// An access token, `tk_…`.
            /// - Parameter token: the access token, as it is
            case bearer(token: String)
            /// Name and password.
            /// - Parameter username: the user, without a colon
            /// - Parameter password: his password
            case basic(username: String, password: String)

            var json: JSON {
                switch self {
                case .`none`: .fields([("type", "none")])
                case .bearer(let token):
                    .fields([("type", "bearer"), ("token", JSON.string(token))])
                case .basic(let username, let password):
                    .fields([("type", "basic"), ("username", JSON.string(username)), ("password", JSON.string(password))])
                }
            }
        }
    }

    /// Gotify message of an application.
    public struct Gotify: Account, Hashable {
        public var auth: Auth
        /// the server, up to where `/message` begins: required; http with `allow_http` only
        public var baseURL: String?
        /// true: credentials may travel over http beyond this machine
        public var allowHttp: Bool?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil, allowHttp: Bool? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.allowHttp = allowHttp
            self.options = options
        }

        public var json: JSON {
            options.account("gotify", auth.json, [("base_url", baseURL.map(JSON.string)), ("allow_http", allowHttp.map(JSON.bool))])
        }

        public enum Auth: Sendable, Hashable {
            /// The token of an application.
            /// - Parameter token: the token of the application, `A…`
            case token(token: String)

            var json: JSON {
                switch self {
                case .token(let token):
                    .fields([("type", "token"), ("token", JSON.string(token))])
                }
            }
        }
    }

    /// LINE message of a bot.
    public struct Line: Account, Hashable {
        public var auth: Auth
        /// instead of `https://api.line.me`; http only for this machine
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("line", auth.json, [("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// The channel access token of a bot.
            /// - Parameter token: the access token, as it is
            case bot(token: String)

            var json: JSON {
                switch self {
                case .bot(let token):
                    .fields([("type", "bot"), ("token", JSON.string(token))])
                }
            }
        }
    }

    /// WhatsApp message of a business, by the Cloud API.
    public struct WhatsappCloud: Account, Hashable {
        public var auth: Auth
        /// the id of the number that sends, which is not the number itself
        public var phoneNumberID: String
        /// instead of `https://graph.facebook.com`
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, phoneNumberID: String, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.phoneNumberID = phoneNumberID
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("whatsapp_cloud", auth.json, [("phone_number_id", JSON.string(phoneNumberID)), ("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// The access token of a system user, with whatsapp_business_messaging.
            /// - Parameter token: the access token, as it is
            case token(token: String)

            var json: JSON {
                switch self {
                case .token(let token):
                    .fields([("type", "token"), ("token", JSON.string(token))])
                }
            }
        }
    }

    /// ServerChan push (Server酱 Turbo and Server酱³).
    public struct Serverchan: Account, Hashable {
        public var auth: Auth
        /// instead of the key's own host
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("serverchan", auth.json, [("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// A SendKey.
            /// - Parameter key: the SendKey as its page shows it; one that begins with `sctp` is of Server酱³
            case key(key: String)

            var json: JSON {
                switch self {
                case .key(let key):
                    .fields([("type", "key"), ("key", JSON.string(key))])
                }
            }
        }
    }

    /// PushPlus push.
    public struct Pushplus: Account, Hashable {
        public var auth: Auth
        /// instead of `https://www.pushplus.plus`
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("pushplus", auth.json, [("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// An access token.
            /// - Parameter token: the access token, as it is
            case token(token: String)

            var json: JSON {
                switch self {
                case .token(let token):
                    .fields([("type", "token"), ("token", JSON.string(token))])
                }
            }
        }
    }

    /// WxPusher message of an app.
    public struct Wxpusher: Account, Hashable {
        public var auth: Auth
        /// instead of `https://wxpusher.zjiecode.com`
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("wxpusher", auth.json, [("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// An access token.
            /// - Parameter token: the access token, as it is
            case token(token: String)

            var json: JSON {
                switch self {
                case .token(let token):
                    .fields([("type", "token"), ("token", JSON.string(token))])
                }
            }
        }
    }

    /// KOOK message of a bot.
    public struct Kook: Account, Hashable {
        public var auth: Auth
        /// instead of `https://www.kookapp.cn`
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("kook", auth.json, [("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// The token of a bot.
            /// - Parameter token: the access token, as it is
            case bot(token: String)

            var json: JSON {
                switch self {
                case .bot(let token):
                    .fields([("type", "bot"), ("token", JSON.string(token))])
                }
            }
        }
    }

    /// Google Chat message by an incoming webhook.
    public struct Googlechat: Account, Hashable {
        public var auth: Auth
        /// instead of the URL's own host; http only for this machine
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("googlechat", auth.json, [("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// The URL of an incoming webhook.
            /// - Parameter url: the URL that the webhook's page in the space shows, whole
            case webhook(url: String)

            var json: JSON {
                switch self {
                case .webhook(let url):
                    .fields([("type", "webhook"), ("url", JSON.string(url))])
                }
            }
        }
    }

    /// Microsoft Teams card by a workflow.
    public struct Teams: Account, Hashable {
        public var auth: Auth
        /// instead of the URL's own host; http only for this machine
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("teams", auth.json, [("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// The URL of a workflow.
            /// - Parameter url: the URL that the workflow's trigger shows, whole
            case webhook(url: String)

            var json: JSON {
                switch self {
                case .webhook(let url):
                    .fields([("type", "webhook"), ("url", JSON.string(url))])
                }
            }
        }
    }

    /// Rocket.Chat message of a user, or by an incoming webhook.
    public struct Rocketchat: Account, Hashable {
        public var auth: Auth
        /// the server, up to where `/api/v1` begins; a token needs it; http with `allow_http` only
        public var baseURL: String?
        /// true: credentials may travel over http beyond this machine
        public var allowHttp: Bool?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil, allowHttp: Bool? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.allowHttp = allowHttp
            self.options = options
        }

        public var json: JSON {
            options.account("rocketchat", auth.json, [("base_url", baseURL.map(JSON.string)), ("allow_http", allowHttp.map(JSON.bool))])
        }

        public enum Auth: Sendable, Hashable {
            /// A personal access token of a user, and the user's id.
            /// - Parameter userID: the user's id, which is shown with the token
            /// - Parameter token: a personal access token of the user
            case token(userID: String, token: String)
            /// The URL of an incoming webhook.
            /// - Parameter url: the URL that the webhook's page shows, whole
            case webhook(url: String)

            var json: JSON {
                switch self {
                case .token(let userID, let token):
                    .fields([("type", "token"), ("user_id", JSON.string(userID)), ("token", JSON.string(token))])
                case .webhook(let url):
                    .fields([("type", "webhook"), ("url", JSON.string(url))])
                }
            }
        }
    }

    /// Pushover message of an application.
    public struct Pushover: Account, Hashable {
        public var auth: Auth
        /// instead of `https://api.pushover.net`; http only for this machine
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("pushover", auth.json, [("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// The token of an application.
            /// - Parameter token: the API token of the application, 30 letters and digits
            case token(token: String)

            var json: JSON {
                switch self {
                case .token(let token):
                    .fields([("type", "token"), ("token", JSON.string(token))])
                }
            }
        }
    }

    /// Bark notification.
    public struct Bark: Account, Hashable {
        public var auth: Auth
        /// `https://api.day.app` by default, or a server of your own; http with `allow_http` only
        public var baseURL: String?
        /// true: credentials may travel over http beyond this machine
        public var allowHttp: Bool?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil, allowHttp: Bool? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.allowHttp = allowHttp
            self.options = options
        }

        public var json: JSON {
            options.account("bark", auth.json, [("base_url", baseURL.map(JSON.string)), ("allow_http", allowHttp.map(JSON.bool))])
        }

        public enum Auth: Sendable, Hashable {
            /// The key of a device.
            /// - Parameter key: the device key, which stands behind the server in the URL that the app shows
            case key(key: String)

            var json: JSON {
                switch self {
                case .key(let key):
                    .fields([("type", "key"), ("key", JSON.string(key))])
                }
            }
        }
    }

    /// Mail by SMTP.
    public struct Smtp: Account, Hashable {
        public var auth: Auth
        /// the sender: an address, or `Name <address>`
        public var from: String
        /// required: `smtps://host` (TLS, port 465), or `smtp://host` (STARTTLS, port 587)
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, from: String, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.from = from
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("smtp", auth.json, [("from", JSON.string(from)), ("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// None: the server takes mail from this machine.
            case `none`
            /// A name and a password.
            /// - Parameter username: the account's name
            /// - Parameter password: its password, or one for apps
            case password(username: String, password: String)
            /// An access token of OAuth 2.
            /// - Parameter username: the account's address
            /// - Parameter token: its access token of OAuth 2
            case xoauth2(username: String, token: String)

            var json: JSON {
                switch self {
                case .`none`: .fields([("type", "none")])
                case .password(let username, let password):
                    .fields([("type", "password"), ("username", JSON.string(username)), ("password", JSON.string(password))])
                case .xoauth2(let username, let token):
                    .fields([("type", "xoauth2"), ("username", JSON.string(username)), ("token", JSON.string(token))])
                }
            }
        }
    }

    /// WeCom app.
    public struct WecomApp: Account, Hashable {
        public var auth: Auth
        /// instead of `https://qyapi.weixin.qq.com`
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("wecom_app", auth.json, [("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// An app, whose token is got and renewed.
            /// - Parameter corpID: the company's id, `ww…`
            /// - Parameter agentID: the app's AgentId
            /// - Parameter secret: the app's Secret
            case app(corpID: String, agentID: String, secret: String)

            var json: JSON {
                switch self {
                case .app(let corpID, let agentID, let secret):
                    .fields([("type", "app"), ("corp_id", JSON.string(corpID)), ("agent_id", JSON.string(agentID)), ("secret", JSON.string(secret))])
                }
            }
        }
    }

    /// Feishu or Lark app.
    public struct FeishuApp: Account, Hashable {
        public var auth: Auth
        /// instead of `https://open.feishu.cn` or `https://open.larksuite.com`
        public var baseURL: String?
        /// whose app it is
        public var region: Region?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil, region: Region? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.region = region
            self.options = options
        }

        public var json: JSON {
            options.account("feishu_app", auth.json, [("base_url", baseURL.map(JSON.string)), ("region", region.map { (it: Region) in .string(it.rawValue) })])
        }

        public enum Region: String, Sendable {
            case feishu
            case lark
        }

        public enum Auth: Sendable, Hashable {
            /// An app with a bot, whose token is got and renewed.
            /// - Parameter id: the app's id
            /// - Parameter secret: the app's secret
            case app(id: String, secret: String)

            var json: JSON {
                switch self {
                case .app(let id, let secret):
                    .fields([("type", "app"), ("id", JSON.string(id)), ("secret", JSON.string(secret))])
                }
            }
        }
    }

    /// DingTalk app.
    public struct DingtalkApp: Account, Hashable {
        public var auth: Auth
        /// the robot's code, mostly the AppKey
        public var robotCode: String
        /// instead of `https://api.dingtalk.com` and `https://oapi.dingtalk.com`
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, robotCode: String, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.robotCode = robotCode
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("dingtalk_app", auth.json, [("robot_code", JSON.string(robotCode)), ("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// An app with a robot, whose token is got and renewed.
            /// - Parameter key: the app's AppKey, or Client ID
            /// - Parameter secret: its AppSecret, or Client Secret
            case app(key: String, secret: String)

            var json: JSON {
                switch self {
                case .app(let key, let secret):
                    .fields([("type", "app"), ("key", JSON.string(key)), ("secret", JSON.string(secret))])
                }
            }
        }
    }

    /// WeChat official account.
    public struct WechatOa: Account, Hashable {
        public var auth: Auth
        /// instead of `https://api.weixin.qq.com`
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("wechat_oa", auth.json, [("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// An official account, whose token is got and renewed.
            /// - Parameter id: the app's id
            /// - Parameter secret: the app's secret
            case app(id: String, secret: String)

            var json: JSON {
                switch self {
                case .app(let id, let secret):
                    .fields([("type", "app"), ("id", JSON.string(id)), ("secret", JSON.string(secret))])
                }
            }
        }
    }

    /// QQ bot.
    public struct QqBot: Account, Hashable {
        public var auth: Auth
        /// instead of `https://api.bot.qq.com`
        public var baseURL: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.options = options
        }

        public var json: JSON {
            options.account("qq_bot", auth.json, [("base_url", baseURL.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// A bot by its AppID and AppSecret, whose token is got and renewed.
            /// - Parameter id: the app's id
            /// - Parameter secret: the app's secret
            case app(id: String, secret: String)

            var json: JSON {
                switch self {
                case .app(let id, let secret):
                    .fields([("type", "app"), ("id", JSON.string(id)), ("secret", JSON.string(secret))])
                }
            }
        }
    }

    /// Twilio text message.
    public struct Twilio: Account, Hashable {
        public var auth: Auth
        /// whom messages come from: a number of the account, a name, or the `MG…` of a messaging service
        public var from: String
        /// instead of `https://api.twilio.com`
        public var baseURL: String?
        /// the account, where `username` is an API key, `SK…`
        public var accountSid: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, from: String, baseURL: String? = nil, accountSid: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.from = from
            self.baseURL = baseURL
            self.accountSid = accountSid
            self.options = options
        }

        public var json: JSON {
            options.account("twilio", auth.json, [("from", JSON.string(from)), ("base_url", baseURL.map(JSON.string)), ("account_sid", accountSid.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// Name and password.
            /// - Parameter username: the user, without a colon
            /// - Parameter password: his password
            case basic(username: String, password: String)

            var json: JSON {
                switch self {
                case .basic(let username, let password):
                    .fields([("type", "basic"), ("username", JSON.string(username)), ("password", JSON.string(password))])
                }
            }
        }
    }

    /// Matrix.
    public struct Matrix: Account, Hashable {
        public var auth: Auth
        /// the homeserver, up to where `/_matrix` begins: it is required; http with `allow_http` only
        public var baseURL: String?
        /// true: credentials may travel over http beyond this machine
        public var allowHttp: Bool?
        public var options: AccountOptions

        public init(
            _ auth: Auth, baseURL: String? = nil, allowHttp: Bool? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.baseURL = baseURL
            self.allowHttp = allowHttp
            self.options = options
        }

        public var json: JSON {
            options.account("matrix", auth.json, [("base_url", baseURL.map(JSON.string)), ("allow_http", allowHttp.map(JSON.bool))])
        }

        public enum Auth: Sendable, Hashable {
            /// The access token of a device.
            /// - Parameter token: the access token, as it is
            case token(token: String)
            /// Name and password, with which a device logs in when it is needed.
            /// - Parameter username: the user, as `@name:server` or the name alone
            /// - Parameter password: his password
            /// - Parameter deviceID: the device that logs in, `HONGYAN` if left out; each process needs its
            /// own
            case password(username: String, password: String, deviceID: String? = nil)

            var json: JSON {
                switch self {
                case .token(let token):
                    .fields([("type", "token"), ("token", JSON.string(token))])
                case .password(let username, let password, let deviceID):
                    .fields([("type", "password"), ("username", JSON.string(username)), ("password", JSON.string(password)), ("device_id", deviceID.map(JSON.string))])
                }
            }
        }
    }

    /// Tencent Cloud SMS.
    public struct TencentSms: Account, Hashable {
        public var auth: Auth
        /// the SMS application's SdkAppId
        public var sdkAppID: String
        /// instead of `https://sms.tencentcloudapi.com`
        public var baseURL: String?
        /// the signature of messages, as it was approved; within China it is needed
        public var signName: String?
        /// the template of messages that name none as `TemplateId` in `extra`
        public var template: String?
        /// `ap-guangzhou` by default
        public var region: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, sdkAppID: String, baseURL: String? = nil, signName: String? = nil, template: String? = nil, region: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.sdkAppID = sdkAppID
            self.baseURL = baseURL
            self.signName = signName
            self.template = template
            self.region = region
            self.options = options
        }

        public var json: JSON {
            options.account("tencent_sms", auth.json, [("sdk_app_id", JSON.string(sdkAppID)), ("base_url", baseURL.map(JSON.string)), ("sign_name", signName.map(JSON.string)), ("template", template.map(JSON.string)), ("region", region.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// A key, by which each request is signed.
            /// - Parameter id: the key's id
            /// - Parameter secret: its secret, which is never sent
            case key(id: String, secret: String)

            var json: JSON {
                switch self {
                case .key(let id, let secret):
                    .fields([("type", "key"), ("id", JSON.string(id)), ("secret", JSON.string(secret))])
                }
            }
        }
    }

    /// Alibaba Cloud SMS.
    public struct AliyunSms: Account, Hashable {
        public var auth: Auth
        /// the signature of messages, as it was approved
        public var signName: String
        /// instead of `https://dysmsapi.aliyuncs.com`
        public var baseURL: String?
        /// the template of messages that name none as `TemplateCode` in `extra`, `SMS_…`
        public var template: String?
        /// the variable of the template that a message's text fills
        public var textParam: String?
        public var options: AccountOptions

        public init(
            _ auth: Auth, signName: String, baseURL: String? = nil, template: String? = nil, textParam: String? = nil,
            options: AccountOptions = AccountOptions()
        ) {
            self.auth = auth
            self.signName = signName
            self.baseURL = baseURL
            self.template = template
            self.textParam = textParam
            self.options = options
        }

        public var json: JSON {
            options.account("aliyun_sms", auth.json, [("sign_name", JSON.string(signName)), ("base_url", baseURL.map(JSON.string)), ("template", template.map(JSON.string)), ("text_param", textParam.map(JSON.string))])
        }

        public enum Auth: Sendable, Hashable {
            /// A key, by which each request is signed.
            /// - Parameter id: the key's id
            /// - Parameter secret: its secret, which is never sent
            case key(id: String, secret: String)

            var json: JSON {
                switch self {
                case .key(let id, let secret):
                    .fields([("type", "key"), ("id", JSON.string(id)), ("secret", JSON.string(secret))])
                }
            }
        }
    }
}
// End
