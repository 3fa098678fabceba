import CHongyan
import Dispatch
import Foundation

/// How much a line of the library's log matters; a level includes those before it.
public enum LogLevel: Int32, Sendable, CaseIterable {
    /// Something is broken.
    case error = 1
    /// Something went wrong and was dealt with.
    case warn
    /// The life of a client, and every retry.
    case info
    /// Every send.
    case debug
    /// Everything.
    case trace
}

/// Takes a line of the log: its level, its target, for instance `hongyan::retry`, and its text, which has no secret
/// and no message.
public typealias LogFunction = @Sendable (_ level: LogLevel, _ target: String, _ text: String) -> Void

extension HongyanClient {
    /// Has a function called for each line of the log up to a level, of all clients of the process, in place of the
    /// one before; nil: none is called any more.
    ///
    /// A queue of Dispatch calls it, with one line after the other: no send waits for it, and it may call a client.
    /// Lines that wait then are gone, as they are at the end of the process. Once this has returned, the function
    /// before is not called any more, unless that is who calls this.
    public static func setLog(upTo level: LogLevel = .info, _ function: LogFunction?) throws(HongyanError) {
        try Log.set(level, function)
    }
}

/// A function for the log, with the lines that wait for it: no thread of the library does.
final class Log: @unchecked Sendable {
    struct Line {
        let level: LogLevel
        let target: String
        let text: String
    }

    /// How many lines wait; the oldest make room.
    static let most = 10_000

    private static let queue = {
        let queue = DispatchQueue(label: "hongyan.log")
        queue.setSpecific(key: isInside, value: true)
        return queue
    }()
    nonisolated(unsafe) private static let isInside = DispatchSpecificKey<Bool>()
    /// The library keeps a reference to this one.
    nonisolated(unsafe) private static var current: Unmanaged<Log>?
    private static let setting = NSLock()

    private let function: LogFunction
    private let lock = NSLock()
    private var lines: [Line] = []
    private var lost = 0
    private var isOver = false

    init(_ function: @escaping LogFunction) { self.function = function }

    static func set(_ level: LogLevel, _ function: LogFunction?) throws(HongyanError) {
        let new = function.map { Unmanaged.passRetained(Log($0)) }
        let (error, old) = setting.withLock {
            let error = hy_set_log(new == nil ? 0 : level.rawValue, write, new?.toOpaque())
            // Whom nobody writes to now.
            let old = error == nil ? current : new
            if error == nil { current = new }
            return (Freed(error), old)
        }
        old?.takeRetainedValue().end()
        try check(error.pointer)
    }

    /// Called by the library's threads.
    private static let write: hy_log_fn = { log, level, target, text in
        guard let log, let target, let text else { return }
        Unmanaged<Log>.fromOpaque(log).takeUnretainedValue().add(
            Line(
                level: LogLevel(rawValue: level) ?? .trace, target: String(cString: target),
                text: String(cString: text)))
    }

    func add(_ line: Line) {
        let isFirst = lock.withLock {
            if lines.count < Self.most {
                lines.append(line)
            } else {
                lines[lost % Self.most] = line
                lost += 1
            }
            return lines.count == 1
        }
        if isFirst { Self.queue.async { self.tell() } }
    }

    /// Tells the lines that wait, the oldest first.
    private func tell() {
        let (lines, lost) = lock.withLock {
            defer { (self.lines, self.lost) = ([], 0) }
            return (self.lines, self.lost)
        }
        if lost > 0 {
            let text = "\(lost) lines of the log were lost: the log function is too slow"
            tell(Line(level: .warn, target: "hongyan::log", text: text))
        }
        let oldest = lost % Self.most
        lines[oldest...].forEach(tell)
        lines[..<oldest].forEach(tell)
    }

    private func tell(_ line: Line) {
        if lock.withLock({ isOver }) { return }
        function(line.level, line.target, line.text)
    }

    /// The function is not called any more, once this has returned.
    private func end() {
        lock.withLock { isOver = true }
        if DispatchQueue.getSpecific(key: Self.isInside) == nil { Self.queue.sync {} }
    }
}
