import CHongyan
import Dispatch
import Foundation

/// Many accounts of many services over one runtime.
///
/// Its functions may be called from any number of tasks at once: the library has locks of its own, so that
/// no call waits for the actor. None that is `async` blocks a thread that tasks run on. What is under way when
/// the last reference to it, its queues included, goes, is cancelled: `close` it first.
public actor HongyanClient {
    private nonisolated let handle: ClientHandle
    private nonisolated let sender: Sender

    /// Makes a client from its configuration. Opens no connection.
    public init(_ configuration: Configuration) throws(HongyanError) {
        try self.init(json: configuration.json.text)
    }

    /// Makes a client from its configuration as JSON.
    public init(json: String) throws(HongyanError) {
        struct Outbox: Decodable { var outbox: JSON? }
        let found = try? JSONDecoder().decode(Outbox.self, from: Data(json.utf8))
        handle = try ClientHandle(json)
        sender = try Sender(of: handle, hasOutbox: found?.outbox != nil)
    }

    /// Makes a client from a file with its configuration as JSON.
    public init(contentsOf path: String) throws {
        try self.init(json: String(decoding: Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self))
    }

    /// Sends a message and returns once the service has said that it has it.
    ///
    /// Everything else is a `HongyanError`, whose `delivery` tells what is known. A task that is cancelled
    /// asks for the end of its send, and gets what became true: the receipt all the same if it was sent.
    ///
    /// - Parameters:
    ///   - timeout: how long it may take, retries included; nil: without end, each attempt is bounded.
    ///   - durable: false: an outbox does not keep the message.
    public nonisolated func send(
        _ message: Message, timeout: Duration? = nil, durable: Bool? = nil
    ) async throws(HongyanError) -> Receipt {
        try await sender.send(Submittable(message.bytes, timeout, durable))
    }

    /// Sends a message that is JSON already.
    public nonisolated func send(
        json: String, timeout: Duration? = nil, durable: Bool? = nil
    ) async throws(HongyanError) -> Receipt {
        try await sender.send(Submittable(Array(json.utf8), timeout, durable))
    }

    /// A new queue of results, for many messages at once.
    public nonisolated func queue() throws(HongyanError) -> ResultQueue {
        ResultQueue(try QueueHandle(of: handle))
    }

    /// The client's own queue, to which the messages report that an earlier process left in an outbox.
    public nonisolated func ownQueue() throws(HongyanError) -> ResultQueue {
        ResultQueue(try QueueHandle(own: handle))
    }

    /// Says that a result need never be handed out again: with an outbox its row goes.
    public nonisolated func acknowledge(_ receipt: Receipt) throws(HongyanError) {
        try check(hy_result_ack(handle.client, receipt.result))
    }

    /// Adds an account, or replaces the one of that name; holds for attempts begun later.
    public nonisolated func setAccount(_ name: String, _ account: any Account) throws(HongyanError) {
        try check(
            withText(name) { name, length in
                withText(account.json.text) { hy_account_set(handle.client, name, length, $0, $1) }
            })
    }

    /// Takes an account away. What waits for it ends not sent; what is in flight goes on.
    public nonisolated func removeAccount(_ name: String) throws(HongyanError) {
        try check(withText(name) { hy_account_remove(handle.client, $0, $1) })
    }

    /// Asks the service of an account whether its credentials work; nothing is sent to anybody.
    public nonisolated func checkAccount(_ name: String, timeout: Duration) async throws(HongyanError) {
        let error = await elsewhere { [handle] () -> Freed in
            Freed(withText(name) { hy_check_account(handle.client, $0, $1, timeout.milliseconds) })
        }
        try check(error.pointer)
    }

    /// The request that a message would become, as JSON with masked secrets; nothing is sent.
    public nonisolated func preview(_ message: Message) throws(HongyanError) -> String {
        try given { out, length in
            withText(message.json) { hy_preview_json(handle.client, $0, $1, out, length) }
        }
    }

    /// Counters of the client and of each account, as JSON.
    public nonisolated func statistics() throws(HongyanError) -> String {
        try given { hy_stats_json(handle.client, $0, $1) }
    }

    /// Waits until nothing is queued or in flight; returns how many sends still are.
    @discardableResult
    public nonisolated func flush(timeout: Duration? = nil) async throws(HongyanError) -> UInt64 {
        let (unfinished, error) = await elsewhere { [handle] () -> (UInt64, Freed) in
            var unfinished: UInt64 = 0
            let error = hy_flush(handle.client, timeout?.milliseconds ?? -1, &unfinished)
            return (unfinished, Freed(error))
        }
        try check(error.pointer)
        return unfinished
    }

    /// Accepts nothing more, waits for what is under way, and cancels the rest when the time is over.
    ///
    /// Every send has its result then. Returns how many were cancelled; a second close says 0.
    @discardableResult
    public nonisolated func close(timeout: Duration? = .seconds(10)) async throws(HongyanError) -> UInt64 {
        let (unfinished, error) = await elsewhere { [handle] () -> (UInt64, Freed) in
            var unfinished: UInt64 = 0
            let error = hy_close(handle.client, timeout?.milliseconds ?? -1, &unfinished)
            return (unfinished, Freed(error))
        }
        try check(error.pointer)
        return unfinished
    }

    /// The version of the library that runs.
    public static var version: String { String(cString: hy_version()) }
    /// What this build can send, as JSON.
    public static var services: String { String(cString: hy_services_json()) }
}

/// An error that goes from one thread to another, where it is checked, and so freed.
struct Freed: @unchecked Sendable {
    let pointer: OpaquePointer?
    init(_ pointer: OpaquePointer?) { self.pointer = pointer }
}

/// Does what blocks, in a thread that no tasks run on.
private func elsewhere<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R {
    await withUnsafeContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(returning: body()) }
    }
}

/// Text that the library gave, and that is freed here.
private func given(
    _ get: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, UnsafeMutablePointer<Int>) -> OpaquePointer?
) throws(HongyanError) -> String {
    var bytes: UnsafeMutablePointer<CChar>?
    var length = 0
    try check(get(&bytes, &length))
    defer { hy_string_free(bytes) }
    return text { $0.pointee = length; return UnsafePointer(bytes) } ?? ""
}
