import Foundation

/// A message to be sent; what a service can carry, its page tells.
public struct Message: Sendable, Hashable {
    /// The account that sends it.
    public var account: String
    /// To whom it goes; nil: the recipient of the account.
    public var to: To?
    public var text: String?
    /// The text in elements, in place of `text`.
    public var parts: [Part]
    public var title: String?
    /// What the text is written in.
    public var format: Format?
    public var attachments: [Attachment]
    /// True: no sound where it arrives.
    public var silent: Bool?
    public var priority: Priority?
    public var thread: String?
    /// What becomes of a text that is too long.
    public var overflow: Overflow?
    /// The service's id of the message that this one answers.
    public var replyTo: String?
    /// The caller's own key: no second message of the same key is sent.
    public var key: String?
    /// When the message is no longer wanted, in milliseconds since 1970.
    public var deadlineMilliseconds: UInt64?
    /// Before when it is not sent, in milliseconds since 1970.
    public var notBeforeMilliseconds: UInt64?
    /// True: messages to the same recipient arrive in the order of their submits.
    public var ordered: Bool?
    /// Parameters of the service, as its document spells them.
    public var extra: [String: JSON]

    public init(
        account: String, to: To? = nil, text: String? = nil, parts: [Part] = [], title: String? = nil,
        format: Format? = nil, attachments: [Attachment] = [], silent: Bool? = nil,
        priority: Priority? = nil, thread: String? = nil, overflow: Overflow? = nil,
        replyTo: String? = nil, key: String? = nil, deadlineMilliseconds: UInt64? = nil,
        notBeforeMilliseconds: UInt64? = nil, ordered: Bool? = nil, extra: [String: JSON] = [:]
    ) {
        self.account = account
        self.to = to
        self.text = text
        self.parts = parts
        self.title = title
        self.format = format
        self.attachments = attachments
        self.silent = silent
        self.priority = priority
        self.thread = thread
        self.overflow = overflow
        self.replyTo = replyTo
        self.key = key
        self.deadlineMilliseconds = deadlineMilliseconds
        self.notBeforeMilliseconds = notBeforeMilliseconds
        self.ordered = ordered
        self.extra = extra
    }

    public enum Format: String, Sendable { case plain, markdown, html }
    public enum Priority: String, Sendable { case low, normal, high, urgent }
    public enum Overflow: String, Sendable { case refuse, truncate, split }

    /// The message as the library reads it.
    public var json: String { String(decoding: bytes, as: UTF8.self) }

    var bytes: [UInt8] {
        var w = JSONWriter()
        w.raw("{\"v\":1")
        w.member("account", account)
        if let to {
            w.name("to")
            to.write(&w)
        }
        w.member("text", text)
        w.list("parts", parts.map(\.json))
        w.member("title", title)
        w.member("format", format?.rawValue)
        w.list("attachments", attachments.map(\.json))
        w.value("silent", silent.map(JSON.bool))
        w.member("priority", priority?.rawValue)
        w.member("thread", thread)
        w.member("overflow", overflow?.rawValue)
        w.member("reply_to", replyTo)
        w.member("key", key)
        w.number("deadline_ms", deadlineMilliseconds)
        w.number("not_before_ms", notBeforeMilliseconds)
        w.value("ordered", ordered.map(JSON.bool))
        if !extra.isEmpty { w.value("extra", .object(extra)) }
        w.close("}")
        return w.bytes
    }
}

/// A file that goes with a message.
public enum Attachment: Sendable, Hashable {
    /// A file of this machine, read when the message is accepted.
    case file(path: String, name: String? = nil, type: String? = nil)
    /// Bytes, as base64 within the 1 MiB that the JSON of a message may have.
    case base64(String, name: String, type: String? = nil)
    /// An address, where the service itself fetches it.
    case url(String, name: String? = nil, type: String? = nil)

    /// Bytes, within the 1 MiB that the JSON of a message may have as base64.
    public static func bytes(_ bytes: [UInt8], name: String, type: String? = nil) -> Attachment {
        .base64(Data(bytes).base64EncodedString(), name: name, type: type)
    }

    var json: JSON {
        let (source, value, name, type) =
            switch self {
            case .file(let path, let name, let type): ("path", path, name, type)
            case .base64(let data, let name, let type): ("data_base64", data, Optional(name), type)
            case .url(let url, let name, let type): ("url", url, name, type)
            }
        return .fields([
            (source, .string(value)), ("name", name.map(JSON.string)), ("type", type.map(JSON.string)),
        ])
    }
}

extension JSON {
    /// An object; fields that are nil are left out.
    static func fields(_ fields: [(String, JSON?)]) -> JSON {
        .object(Dictionary(uniqueKeysWithValues: fields).compactMapValues { $0 })
    }
}

extension JSONWriter {
    mutating func value(_ name: StaticString, _ value: JSON?) {
        guard let value else { return }
        self.name(name)
        self.value(value)
    }

    mutating func list(_ name: StaticString, _ values: [JSON]) {
        if !values.isEmpty { value(name, .array(values)) }
    }

    mutating func members(_ name: StaticString, _ texts: [String]?) {
        value(name, texts.map { .array($0.map(JSON.string)) })
    }

    mutating func number(_ name: StaticString, _ number: UInt64?) {
        guard let number else { return }
        self.name(name)
        raw(String(number))
    }
}
