import CHongyan
import Dispatch
import Foundation

/// Sends that tasks wait for: a queue of the library, whose results Dispatch hands to the tasks.
final class Sender: @unchecked Sendable {
    private let handle: QueueHandle
    private let source: any DispatchSourceRead
    /// Where an outbox is, a submit waits for the disk: not in one of the few threads of all tasks.
    private let disk: DispatchQueue?

    init(of owner: ClientHandle, hasOutbox: Bool) throws(HongyanError) {
        let handle = try QueueHandle(of: owner)
        self.handle = handle
        disk = hasOutbox ? DispatchQueue(label: "hongyan.submit", attributes: .concurrent) : nil
        let ended = Ended()
        source = handle.watch("hongyan.results") { ended.drain(handle) }
        ended.source = source
        source.resume()
    }

    deinit { source.cancel() }

    func send(_ message: Submittable) async throws(HongyanError) -> Receipt {
        let pending = Pending()
        let outcome = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                if let disk {
                    disk.async { pending.begin(message, to: self.handle, continuation) }
                } else {
                    pending.begin(message, to: handle, continuation)
                }
            }
        } onCancel: {
            pending.cancel()
        }
        let receipt = try outcome.get()
        if receipt.delivery != .sent, let error = receipt.error { throw error }
        return receipt
    }
}

/// Hands out results until there are no more.
private final class Ended: @unchecked Sendable {
    /// Dispatch lets go of this once the source is cancelled: by the sender, who made it, or here.
    var source: (any DispatchSourceRead)?

    func drain(_ handle: QueueHandle) {
        withUnsafeTemporaryAllocation(of: OpaquePointer?.self, capacity: 64) { results in
            while true {
                guard let count = (try? handle.take(results)) ?? nil else {
                    // The descriptor is readable for good now.
                    source?.cancel()
                    return
                }
                for result in results[..<count] {
                    let receipt = Receipt(result!)
                    Pending.of(token: receipt.token).end(.success(receipt))
                }
                if count < results.count { return }
            }
        }
    }
}

/// A task that waits for the result of its send.
private final class Pending: @unchecked Sendable {
    typealias Outcome = Result<Receipt, HongyanError>

    private let lock = NSLock()
    private var continuation: UnsafeContinuation<Outcome, Never>?
    private var op: OpaquePointer?
    private var isCancelled = false

    deinit { hy_op_free(op) }

    /// The one that this token stands for, which is no longer kept for the library then.
    static func of(token: UInt64) -> Pending {
        Unmanaged.fromOpaque(UnsafeRawPointer(bitPattern: UInt(token))!).takeRetainedValue()
    }

    func begin(
        _ message: Submittable, to queue: QueueHandle, _ continuation: UnsafeContinuation<Outcome, Never>
    ) {
        let goesOn = lock.withLock {
            self.continuation = continuation
            return !isCancelled
        }
        guard goesOn else {
            let words = "the task was cancelled before the message was accepted"
            return end(.failure(HongyanError(cancelled: words)))
        }
        // The token is the address of this, which is kept until the one result with it comes.
        let token = UInt64(UInt(bitPattern: Unmanaged.passRetained(self).toOpaque()))
        var op: OpaquePointer?
        do {
            try queue.submit(message, token: token, op: &op)
        } catch {
            return Pending.of(token: token).end(.failure(error))
        }
        let ends = lock.withLock {
            self.op = op
            return isCancelled
        }
        if ends { hy_op_cancel(op) }
    }

    func end(_ outcome: Outcome) {
        let continuation = lock.withLock {
            defer { self.continuation = nil }
            return self.continuation
        }
        continuation?.resume(returning: outcome)
    }

    func cancel() {
        let op = lock.withLock {
            isCancelled = true
            return self.op
        }
        hy_op_cancel(op)
    }
}
