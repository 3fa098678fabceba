import Foundation
import FoundationNetworking
import XCTest

@testable import Hongyan

/// A sandbox of the command that `HONGYAN` in the environment names.
final class Sandbox: @unchecked Sendable {
    let url: String
    private let process = Process()

    init() throws {
        let command = try XCTUnwrap(ProcessInfo.processInfo.environment["HONGYAN"], "HONGYAN names no command")
        process.executableURL = URL(fileURLWithPath: command)
        process.arguments = ["sandbox", "--port", "0", "--json"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        var line = Data()
        while !line.contains(UInt8(ascii: "\n")) {
            let read = output.fileHandleForReading.availableData
            if read.isEmpty { break }
            line += read
        }
        let said = try JSONDecoder().decode(JSON.self, from: line)
        guard case .string(let url)? = said["url"] else { throw Failure("the sandbox said \(said.text)") }
        self.url = url
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Asks the sandbox itself; gives what it answers, or null.
    @discardableResult
    func ask(_ method: String, _ path: String, _ body: JSON? = nil) async throws -> JSON {
        var request = URLRequest(url: URL(string: url + path)!, timeoutInterval: 300)
        request.httpMethod = method
        request.httpBody = body.map { Data($0.text.utf8) }
        let (answer, response) = try await URLSession.shared.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        guard 200..<300 ~= status else { throw Failure("\(method) \(path): \(status)") }
        return answer.isEmpty ? .null : try JSONDecoder().decode(JSON.self, from: answer)
    }

    /// An account that the sandbox knows, as fast as may be.
    var fanfou: Accounts.Fanfou {
        var options = AccountOptions()
        options.rate = .noLimit
        return Accounts.Fanfou(
            .basic(username: "test", password: "pwd"), baseURL: url + "/fanfou", options: options)
    }

    /// The next so many requests wait until they are released.
    func hold(_ count: Int64 = 1) async throws {
        try await ask("POST", "/_/faults", ["service": "fanfou", "kind": "hold", "times": .int(count)])
    }

    /// Returns once so many requests wait.
    func held(_ count: Int) async throws { try await ask("GET", "/_/held?count=\(count)") }
    func release() async throws { try await ask("POST", "/_/release") }

    /// The texts that arrived.
    func texts() async throws -> [String] {
        guard case .array(let messages)? = try await ask("GET", "/_/seen")["messages"] else { return [] }
        return messages.compactMap { if case .string(let text)? = $0["text"] { text } else { nil } }
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A test whose class has a sandbox of its own, for each test as if new.
class SandboxTestCase: XCTestCase {
    nonisolated(unsafe) private static var running: Sandbox?
    nonisolated(unsafe) var sandbox: Sandbox!

    override class func tearDown() { running = nil }
    override func tearDown() { sandbox = nil }

    override func setUp() async throws {
        let running = try Self.running ?? Sandbox()
        Self.running = running
        sandbox = running
        try await running.ask("POST", "/_/reset")
    }

    func client(_ settings: [String: JSON] = [:]) throws -> HongyanClient {
        var all: [String: JSON] = ["retry": ["max_attempts": 1]]
        all.merge(settings) { _, own in own }
        return try HongyanClient(Configuration(accounts: ["ff": sandbox.fanfou], settings: all))
    }

    func message(_ text: String, notBefore: UInt64? = nil) -> Message {
        Message(
            account: "ff", to: To(user: "lisztli"), text: text, notBeforeMilliseconds: notBefore)
    }

    /// The error that this throws.
    func error(_ body: () async throws -> Void, line: UInt = #line) async throws -> HongyanError {
        do {
            try await body()
        } catch let error as HongyanError {
            return error
        }
        XCTFail("nothing was thrown", line: line)
        throw Failure("nothing was thrown")
    }
}

/// In the year 2100.
let never: UInt64 = 4_102_444_800_000
