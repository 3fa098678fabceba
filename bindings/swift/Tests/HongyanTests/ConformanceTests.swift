import Foundation
import XCTest

@testable import Hongyan

/// Runs the cases that are the same in every language: tests/conformance, whose README tells the rules.
final class ConformanceTests: XCTestCase {
    private let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../../tests/conformance")

    private func read(_ name: String, _ replaced: [String: String] = [:]) throws -> JSON {
        var text = try String(contentsOf: folder.appendingPathComponent(name + ".json"), encoding: .utf8)
        for (name, value) in replaced { text = text.replacingOccurrences(of: name, with: value) }
        return try JSONDecoder().decode(JSON.self, from: Data(text.utf8))
    }

    func testTheCasesOfEveryLanguage() async throws {
        let index = try read("index")
        let pairs = try read("compare").list("pairs")
        XCTAssertEqual(index["pairs"], .int(Int64(pairs.count)))
        for pair in pairs {
            let (expected, found) = (pair["expect"]!, pair["found"]!)
            XCTAssertEqual(.bool(fits(expected, found)), pair["fits"]!, pair.text)
        }
        guard case .object(let files)? = index["files"] else { return XCTFail("the index has no files") }
        var count = 0
        for (name, cases) in files.sorted(by: { $0.key < $1.key }) {
            let sandbox = try Sandbox()
            let port = String(sandbox.url.split(separator: ":").last!)
            let file = try read(name, ["{sandbox}": sandbox.url, "{port}": port])
            let all = try file.list("cases")
            XCTAssertEqual(cases, .int(Int64(all.count)), name)
            for one in all {
                try await sandbox.ask("POST", "/_/reset")
                try await run(one, try (one["config"] ?? file["config"]).orThrow(name), name, sandbox)
            }
            count += all.count
        }
        print("conformance: \(count) cases in \(files.count) files")
    }

    private func run(_ one: JSON, _ config: JSON, _ file: String, _ sandbox: Sandbox) async throws {
        let runner = try Runner(config, sandbox)
        for (number, step) in try one.list("steps").enumerated() {
            do {
                try await runner.run(step)
            } catch {
                throw Failure("\(file): \(one["name"]!.text), step \(number + 1): \(error)")
            }
        }
    }
}

/// The client of one case, and what it has under way.
private final class Runner {
    private let sandbox: Sandbox
    private let client: HongyanClient
    private let queue: ResultQueue
    private var submissions: [String: Submission] = [:]
    private var tokens: [String: UInt64] = [:]
    private var last: UInt64 = 0
    private var receipts: [UInt64: Receipt] = [:]
    private var seen: Set<UInt64> = []

    init(_ config: JSON, _ sandbox: Sandbox) throws {
        self.sandbox = sandbox
        client = try HongyanClient(json: config.text)
        queue = try client.queue()
    }

    func run(_ step: JSON) async throws {
        guard case .object(let members) = step else { throw Failure("no step: \(step.text)") }
        let known: [String: Set<String>] = [
            "sandbox": ["do", "body", "expect"], "open": ["config", "error"], "cancel": ["of"], "end": [],
            "send": ["message", "json", "timeout_ms", "expect", "error"],
            "submit": ["as", "message", "json", "timeout_ms", "error"],
            "result": ["of", "expect"], "close": ["timeout_ms", "unfinished"],
        ]
        let op = try step.string("op")
        let strange = try Set(members.keys).subtracting(known[op].orThrow("the op \(op)")).subtracting(["op"])
        guard strange.isEmpty else { throw Failure("\(op) has \(strange)") }
        switch op {
        case "sandbox":
            let words = try step.string("do").split(separator: " ").map(String.init)
            let found = try await sandbox.ask(words[0], words[1], step["body"])
            if let expected = step["expect"] { try demand(expected, found) }
        case "open":
            let config = try step["config"].orThrow("config")
            try await demandError(step) { _ = try HongyanClient(json: config.text) }
        case "send" where step["error"] != nil:
            try await demandError(step) { _ = try await self.client.send(json: step.message(), timeout: step.timeout) }
        case "send":
            let receipt: Receipt
            do throws(HongyanError) {
                receipt = try await client.send(json: step.message(), timeout: step.timeout)
            } catch {
                receipt = try error.receipt.orThrow("a result, not \(error.json)")
            }
            try demand(step["expect"], parsed(receipt.json))
        case "submit" where step["error"] != nil:
            try await demandError(step) { _ = try self.queue.submit(json: step.message(), timeout: step.timeout) }
        case "submit":
            let name = try step.string("as")
            last += 1
            submissions[name] = try queue.submit(json: step.message(), token: last, timeout: step.timeout)
            tokens[name] = last
        case "result":
            let token = try tokens[step.string("of")].orThrow("a submit of that name")
            while receipts[token] == nil {
                let receipt = try await queue.makeAsyncIterator().next().orThrow("a result, not the end")
                let isNew = 1...last ~= receipt.token && seen.insert(receipt.token).inserted
                guard isNew else { throw Failure("twice, or nobody's: \(receipt.json)") }
                receipts[receipt.token] = receipt
            }
            try demand(step["expect"], parsed(receipts.removeValue(forKey: token)!.json))
            tokens[try step.string("of")] = nil
        case "cancel":
            try submissions[step.string("of")].orThrow("a submit of that name").cancel()
        case "close":
            let unfinished = try await client.close(timeout: step.timeout)
            try demand(step["unfinished"], .int(Int64(unfinished)))
        default:
            let more = try await queue.makeAsyncIterator().next()
            guard more == nil, receipts.isEmpty else { throw Failure("more results: \(more?.json ?? "taken already")") }
        }
    }

    private func demandError(_ step: JSON, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error as HongyanError where error.receipt == nil || error.code == .argument {
            // A send goes through a queue, which has a receipt even for what is no JSON.
            return try demand(step["error"], parsed(error.json))
        }
        throw Failure("the call did not fail")
    }
}

private func parsed(_ text: String) throws -> JSON { try JSONDecoder().decode(JSON.self, from: Data(text.utf8)) }

private func demand(_ expected: JSON?, _ found: JSON) throws {
    guard let expected, fits(expected, found) else { throw Failure("found \(found.text)") }
}

/// Whether this is what is expected; texts are compared by code points, which == does not.
private func fits(_ expected: JSON, _ found: JSON) -> Bool {
    switch (expected, found) {
    case (.string("{string}"), .string(let text)): !text.isEmpty
    case (.string("{number}"), .int), (.string("{number}"), .double): true
    case (.string(let expected), .string(let text)): expected.unicodeScalars.elementsEqual(text.unicodeScalars)
    case (.object(let expected), .object(let members)):
        expected.allSatisfy { name, value in members[name].map { fits(value, $0) } ?? false }
    case (.array(let expected), .array(let values)):
        expected.count == values.count && zip(expected, values).allSatisfy(fits)
    case (.int(let a), .double(let b)), (.double(let b), .int(let a)): Double(a) == b
    default: expected == found
    }
}

extension Optional {
    fileprivate func orThrow(_ what: String) throws -> Wrapped {
        guard let self else { throw Failure("there is no \(what)") }
        return self
    }
}

extension JSON {
    fileprivate func list(_ name: String) throws -> [JSON] {
        guard case .array(let list)? = self[name] else { throw Failure("there is no list \(name)") }
        return list
    }

    fileprivate func string(_ name: String) throws -> String {
        guard case .string(let text)? = self[name] else { throw Failure("there is no text \(name)") }
        return text
    }

    fileprivate func message() -> String {
        if case .string(let text)? = self["json"] { text } else { self["message"]?.text ?? "" }
    }

    fileprivate var timeout: Duration? {
        if case .int(let ms)? = self["timeout_ms"], ms >= 0 { .milliseconds(ms) } else { nil }
    }
}
