import CHongyan
import Foundation

/// What became of a message.
public enum Delivery: Int32, Sendable {
    /// Nothing was sent: sending it again cannot make two of it.
    case notSent = 0
    /// Nobody can know whether it was sent.
    case maybeSent = 1
    /// The service said that it has the message.
    case sent = 2
    /// Some recipients or parts have arrived, the others surely have not.
    case partlySent = 3

    init(code: Int32) { self = Delivery(rawValue: code) ?? .maybeSent }
}

/// What went wrong: with a call, or with the delivery of a message.
///
/// Two things matter to a program: `delivery`, and `isRetryable`.
public struct HongyanError: Error, Sendable, CustomStringConvertible {
    /// The code, the same in every language.
    public let code: Code
    /// The name of the code, for instance `rate_limited`.
    public let name: String
    /// What went wrong, in words for people: never a secret.
    public let message: String
    /// What became of the message; `notSent` where a call was refused and nothing was accepted.
    public let delivery: Delivery
    /// True only if nothing was sent and a later try may work.
    public let isRetryable: Bool
    /// How long to wait before that try, where the service or the library knows.
    public let retryAfter: Duration?
    public let account: String?
    public let service: String?
    /// The service's own code, where it gave one.
    public let serviceCode: String?
    public let httpStatus: Int?
    /// Where in the configuration or the message, for instance `parts[1].type`.
    public let path: String?
    /// What to do about it, where there is advice.
    public let hint: String?
    /// Everything about it as a JSON object.
    public let json: String
    /// The receipt of the message; nil where a call was refused and nothing was accepted.
    public let receipt: Receipt?

    public var description: String { "\(name): \(message)" + (hint.map { "; \($0)" } ?? "") }

    /// The code of an error; newer libraries may have more.
    public struct Code: RawRepresentable, Sendable, Hashable {
        public let rawValue: Int32
        public init(rawValue: Int32) { self.rawValue = rawValue }

        public static let `internal` = Code(rawValue: HY_E_INTERNAL)
        public static let panic = Code(rawValue: HY_E_PANIC)
        public static let argument = Code(rawValue: HY_E_ARGUMENT)
        public static let config = Code(rawValue: HY_E_CONFIG)
        public static let closed = Code(rawValue: HY_E_CLOSED)
        public static let forked = Code(rawValue: HY_E_FORKED)
        public static let full = Code(rawValue: HY_E_FULL)
        public static let cancelled = Code(rawValue: HY_E_CANCELLED)
        public static let reentrant = Code(rawValue: HY_E_REENTRANT)
        public static let message = Code(rawValue: HY_E_MESSAGE)
        public static let unsupported = Code(rawValue: HY_E_UNSUPPORTED)
        public static let expired = Code(rawValue: HY_E_EXPIRED)
        public static let storage = Code(rawValue: HY_E_STORAGE)
        public static let locked = Code(rawValue: HY_E_LOCKED)
        public static let unavailable = Code(rawValue: HY_E_UNAVAILABLE)
        public static let timeout = Code(rawValue: HY_E_TIMEOUT)
        public static let network = Code(rawValue: HY_E_NETWORK)
        public static let tls = Code(rawValue: HY_E_TLS)
        public static let `protocol` = Code(rawValue: HY_E_PROTOCOL)
        public static let auth = Code(rawValue: HY_E_AUTH)
        public static let forbidden = Code(rawValue: HY_E_FORBIDDEN)
        public static let notFound = Code(rawValue: HY_E_NOT_FOUND)
        public static let rateLimited = Code(rawValue: HY_E_RATE_LIMITED)
        public static let tooLarge = Code(rawValue: HY_E_TOO_LARGE)
        public static let rejected = Code(rawValue: HY_E_REJECTED)
        public static let service = Code(rawValue: HY_E_SERVICE)
        public static let duplicate = Code(rawValue: HY_E_DUPLICATE)
        public static let dropped = Code(rawValue: HY_E_DROPPED)
        public static let quota = Code(rawValue: HY_E_QUOTA)
    }

    /// What hy_error_detail_json tells beyond what the other functions do.
    private struct Detail: Decodable {
        var account, service, service_code, path, hint: String?
        var http_status: Int?
    }

    init(_ error: OpaquePointer?, delivery: Delivery = .notSent, receipt: Receipt? = nil) {
        code = Code(rawValue: hy_error_code(error))
        name = String(cString: hy_error_name(error))
        message = text { hy_error_message(error, $0) } ?? ""
        json = text { hy_error_detail_json(error, $0) } ?? ""
        let detail = try? JSONDecoder().decode(Detail.self, from: Data(json.utf8))
        account = detail?.account
        service = detail?.service
        serviceCode = detail?.service_code
        httpStatus = detail?.http_status
        path = detail?.path
        hint = detail?.hint
        isRetryable = hy_error_is_retryable(error) == 1
        let wait = hy_error_retry_after_ms(error)
        retryAfter = wait < 0 ? nil : .milliseconds(wait)
        self.delivery = delivery
        self.receipt = receipt
    }

    /// The error of a send whose task was cancelled before anything was accepted.
    init(cancelled words: String) {
        (code, name, message, delivery) = (.cancelled, "cancelled", words, .notSent)
        (isRetryable, retryAfter, receipt, httpStatus) = (false, nil, nil, nil)
        (account, service, serviceCode, path, hint) = (nil, nil, nil, nil, nil)
        json = JSON.object(["code": 8, "name": .string(name), "message": .string(words)]).text
    }
}

/// Throws what a function of the library returned, and frees it.
func check(_ error: OpaquePointer?) throws(HongyanError) {
    guard let error else { return }
    defer { hy_error_free(error) }
    throw HongyanError(error)
}

/// Text of the library: a pointer, and a length through a pointer.
func text(_ get: (UnsafeMutablePointer<Int>) -> UnsafePointer<CChar>?) -> String? {
    var length = 0
    guard let bytes = get(&length) else { return nil }
    return bytes.withMemoryRebound(to: UInt8.self, capacity: length) {
        String(decoding: UnsafeBufferPointer(start: $0, count: length), as: UTF8.self)
    }
}

/// Text for the library: a pointer and a length; NUL is a character as any other.
func withText<R>(_ text: String, _ body: (UnsafePointer<CChar>?, Int) -> R) -> R {
    var text = text
    return text.withUTF8 { withBytes($0, body) }
}

func withBytes<R>(_ bytes: UnsafeBufferPointer<UInt8>, _ body: (UnsafePointer<CChar>?, Int) -> R) -> R {
    bytes.withMemoryRebound(to: CChar.self) { body($0.baseAddress, $0.count) }
}
