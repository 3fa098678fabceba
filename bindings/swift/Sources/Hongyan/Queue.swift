import CHongyan
import Dispatch
import Foundation

/// A client of the library, freed once nobody uses it any more.
final class ClientHandle: @unchecked Sendable {
    let client: OpaquePointer

    init(_ configuration: String) throws(HongyanError) {
        var client: OpaquePointer?
        try check(withText(configuration) { hy_init($0, $1, &client) })
        self.client = client!
    }
    deinit { hy_free(client) }
}

/// A queue of the library, or the client's own; freed once nobody uses it any more, who watches it included.
final class QueueHandle: @unchecked Sendable {
    let owner: ClientHandle
    let queue: OpaquePointer?
    private let descriptor: Int32

    init(own owner: ClientHandle) throws(HongyanError) {
        var handle = 0
        try check(hy_poll_handle(owner.client, &handle))
        (self.owner, queue, descriptor) = (owner, nil, Int32(handle))
    }

    init(of owner: ClientHandle) throws(HongyanError) {
        var queue: OpaquePointer?
        try check(hy_queue_new(owner.client, &queue))
        var handle = 0
        do {
            try check(hy_queue_poll_handle(queue, &handle))
        } catch {
            hy_queue_free(queue)
            throw error
        }
        (self.owner, self.queue, descriptor) = (owner, queue, Int32(handle))
    }

    deinit { hy_queue_free(queue) }

    /// Calls this on a queue of Dispatch while results wait. The source is not running yet.
    func watch(_ label: String, _ call: @escaping @Sendable () -> Void) -> any DispatchSourceRead {
        let source = DispatchSource.makeReadSource(
            fileDescriptor: descriptor, queue: DispatchQueue(label: label))
        source.setEventHandler(handler: call)
        // The descriptor is there until the source no longer looks at it.
        source.setCancelHandler { withExtendedLifetime(self) {} }
        return source
    }

    /// Takes the results that wait, and how many there are; nil once there will be no more.
    func take(_ results: UnsafeMutableBufferPointer<OpaquePointer?>) throws(HongyanError) -> Int? {
        var count = 0
        let error =
            if let queue {
                hy_queue_wait_many(queue, 0, results.baseAddress, results.count, &count)
            } else {
                hy_wait_many(owner.client, 0, results.baseAddress, results.count, &count)
            }
        if hy_error_code(error) == HY_E_CLOSED {
            hy_error_free(error)
            return nil
        }
        try check(error)
        return count
    }

    func submit(
        _ message: borrowing Submittable, token: UInt64, op: UnsafeMutablePointer<OpaquePointer?>?
    ) throws(HongyanError) {
        let error = message.json.withUnsafeBufferPointer { json in
            message.options.withUnsafeBufferPointer { options in
                withBytes(json) { json, length in
                    withBytes(options) { options, of in
                        hy_submit_to(owner.client, queue, json, length, options, of, token, op)
                    }
                }
            }
        }
        try check(error)
    }
}

/// A message and its options, as the library reads them.
struct Submittable: Sendable {
    let json: [UInt8]
    let options: [UInt8]

    init(_ json: [UInt8], _ timeout: Duration?, _ durable: Bool?) {
        self.json = json
        guard timeout != nil || durable != nil else {
            options = []
            return
        }
        var writer = JSONWriter()
        writer.open("{")
        writer.number("timeout_ms", timeout.map { UInt64($0.milliseconds) })
        writer.value("durable", durable.map(JSON.bool))
        writer.close("}")
        options = writer.bytes
    }
}

extension Duration {
    /// Whole milliseconds, of which there are more rather than fewer, and never less than none.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        let part = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        // Ten thousand years are as good as no end.
        return max(0, min(seconds, 315_360_000_000) * 1000 + part)
    }
}

/// A submitted send.
public final class Submission: @unchecked Sendable {
    private let op: OpaquePointer

    init(_ op: OpaquePointer) { self.op = op }
    deinit { hy_op_free(op) }

    /// The library's own id of the message, which its receipt will have too.
    public var id: String { text { hy_op_id(op, $0) } ?? "" }
    /// Asks for the end of the send; its receipt says what became true.
    public func cancel() { hy_op_cancel(op) }
}

/// The receipts of what is submitted to it, as an asynchronous sequence.
///
/// Each message that was accepted has exactly one receipt. Any number of tasks may iterate at once: each
/// receipt goes to one of them. The sequence ends once the client is closed and every receipt was taken,
/// and for a task that is cancelled; what it has not taken stays there for the next one.
public final class ResultQueue: AsyncSequence, @unchecked Sendable {
    public typealias Element = Receipt

    private let handle: QueueHandle
    private let lock = NSLock()
    private var waiting: [Waiter] = []
    private var source: (any DispatchSourceRead)!
    private var isRunning = false

    init(_ handle: QueueHandle) {
        self.handle = handle
        source = handle.watch("hongyan.queue") { [weak self] in self?.wake() }
    }

    deinit {
        // Dispatch wants no source released while it is suspended.
        if !isRunning { source.resume() }
        source.cancel()
    }

    /// Accepts a message and returns; whatever is wrong with the message itself becomes its receipt.
    ///
    /// - Parameters:
    ///   - token: stands in the receipt.
    ///   - timeout: how long the send may take, retries included; nil: without end.
    ///   - durable: false: an outbox does not keep the message.
    @discardableResult
    public func submit(
        _ message: Message, token: UInt64 = 0, timeout: Duration? = nil, durable: Bool? = nil
    ) throws(HongyanError) -> Submission {
        try submit(Submittable(message.bytes, timeout, durable), token)
    }

    /// Accepts a message that is JSON already.
    @discardableResult
    public func submit(
        json: String, token: UInt64 = 0, timeout: Duration? = nil, durable: Bool? = nil
    ) throws(HongyanError) -> Submission {
        try submit(Submittable(Array(json.utf8), timeout, durable), token)
    }

    private func submit(_ message: Submittable, _ token: UInt64) throws(HongyanError) -> Submission {
        var op: OpaquePointer?
        try handle.submit(message, token: token, op: &op)
        return Submission(op!)
    }

    public func makeAsyncIterator() -> Iterator { Iterator(queue: self) }

    public struct Iterator: AsyncIteratorProtocol {
        let queue: ResultQueue

        public func next() async throws -> Receipt? {
            while !Task.isCancelled {
                // One at a time, so that none is lost with an iterator.
                var result: OpaquePointer?
                let count = try withUnsafeMutablePointer(to: &result) {
                    try queue.handle.take(UnsafeMutableBufferPointer(start: $0, count: 1))
                }
                guard let count else { return nil }
                if count == 1, let result { return Receipt(result) }
                await queue.readable()
            }
            return nil
        }
    }

    /// Returns when results wait, or may wait, or the task is cancelled.
    private func readable() async {
        let waiter = Waiter()
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                guard waiter.begin(continuation) else { return }
                lock.withLock {
                    waiting.append(waiter)
                    if !isRunning {
                        isRunning = true
                        source.resume()
                    }
                }
            }
        } onCancel: {
            waiter.wake()
        }
    }

    private func wake() {
        let all = lock.withLock {
            if isRunning {
                isRunning = false
                source.suspend()
            }
            defer { waiting = [] }
            return waiting
        }
        all.forEach { $0.wake() }
    }
}

/// A task that waits for a queue.
private final class Waiter: @unchecked Sendable {
    private let lock = NSLock()
    private var continuation: UnsafeContinuation<Void, Never>?
    private var isOver = false

    /// False if it was woken already: then it goes on at once.
    func begin(_ continuation: UnsafeContinuation<Void, Never>) -> Bool {
        let isOver = lock.withLock {
            if !self.isOver { self.continuation = continuation }
            return self.isOver
        }
        if isOver { continuation.resume() }
        return !isOver
    }

    func wake() {
        let continuation = lock.withLock {
            isOver = true
            defer { self.continuation = nil }
            return self.continuation
        }
        continuation?.resume()
    }
}
