import CHongyan
import Foundation

/// The outcome of one send; immutable. What is read of it is read from the library when it is asked for.
public final class Receipt: @unchecked Sendable {
    let result: OpaquePointer

    init(_ result: OpaquePointer) { self.result = result }
    deinit { hy_result_free(result) }

    public var delivery: Delivery { Delivery(code: hy_result_delivery(result)) }
    /// Why the message is not sent, not to all, or perhaps not sent; nil: delivered.
    public var error: HongyanError? {
        hy_result_error(result).map { HongyanError($0, delivery: delivery, receipt: self) }
    }
    /// The token that was given with the submit.
    public var token: UInt64 { hy_result_token(result) }
    /// True for a message that an earlier process accepted into the outbox: the token is that run's.
    public var isOfEarlierRun: Bool { hy_result_origin(result) == HY_EARLIER_RUN }
    /// The library's own id of the message, a ULID.
    public var id: String { text { hy_result_id(result, $0) } ?? "" }
    /// The caller's own key.
    public var key: String? { text { hy_result_key(result, $0) } }
    /// The service's id of the message, exact to the last digit.
    public var messageID: String? { text { hy_result_message_id(result, $0) } }
    public var account: String { text { hy_result_account(result, $0) } ?? "" }
    public var service: String? { text { hy_result_service(result, $0) } }
    /// From the accept of the message to its result.
    public var elapsed: Duration { .milliseconds(hy_result_elapsed_ms(result)) }
    /// How many attempts were begun; those of earlier runs count too.
    public var attempts: Int { Int(hy_result_attempts(result)) }
    /// True if the result is that of an earlier message of the same key, or the service knew the message.
    public var isDeduplicated: Bool { hy_result_is_deduplicated(result) == 1 }
    /// Everything about it as a JSON object.
    public var json: String { text { hy_result_json(result, $0) } ?? "" }

    /// What became of the message for one of its recipients.
    public struct Recipient: Sendable {
        /// The recipient as the message names it.
        public let value: String
        public let delivery: Delivery
        public let error: HongyanError?
    }

    /// The recipients that have a verdict of their own: those of the kinds that are lists.
    public var recipients: [Recipient] {
        (0..<hy_result_recipient_count(result)).compactMap { i in
            var value: UnsafePointer<CChar>?
            var error: OpaquePointer?
            var delivery = HY_NOT_SENT
            let name = text { hy_error_free(hy_result_recipient(result, i, &value, $0, &delivery, &error)); return value }
            guard let name else { return nil }
            let verdict = Delivery(code: delivery)
            return Recipient(
                value: name, delivery: verdict,
                error: error.map { HongyanError($0, delivery: verdict, receipt: self) })
        }
    }

    /// What became of one piece of a text that was split.
    public struct Piece: Sendable, Decodable {
        /// `sent`, `maybe_sent` or `not_sent`.
        public let delivery: String
        public let message_id: String?
        public let error: JSON?
    }

    /// Something worth knowing about a send that is no error.
    public struct Note: Sendable, Decodable {
        public let name: String
        public let message: String
    }

    /// The pieces of a text that was split, in order.
    public var pieces: [Piece] { more.pieces ?? [] }
    public var notes: [Note] { more.notes ?? [] }

    private struct More: Decodable {
        var pieces: [Piece]?
        var notes: [Note]?
    }
    private var more: More {
        (try? JSONDecoder().decode(More.self, from: Data(json.utf8))) ?? More()
    }
}
