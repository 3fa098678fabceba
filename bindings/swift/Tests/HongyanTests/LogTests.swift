import XCTest

@testable import Hongyan

final class LogTests: SandboxTestCase {
    override func tearDown() async throws { try HongyanClient.setLog(nil) }

    func testTheLogHasItsLinesAndNoMessageUntilItIsStopped() async throws {
        let (lines, log) = AsyncStream.makeStream(of: Log.Line.self)
        try HongyanClient.setLog(upTo: .debug) { log.yield(Log.Line(level: $0, target: $1, text: $2)) }
        let client = try client()
        let receipt = try await client.send(message("goose"))
        var told: [Log.Line] = []
        for await line in lines {
            told.append(line)
            if line.target == "hongyan::send", line.text.contains(receipt.id) { break }
        }
        XCTAssertEqual(told.last?.level, .debug)
        let ready = try XCTUnwrap(told.first { $0.target == "hongyan::client" })
        XCTAssertEqual(ready.level, .info)
        XCTAssertEqual(ready.text, "hongyan \(HongyanClient.version) is ready")
        XCTAssertFalse(told.contains { $0.text.contains("goose") })

        try HongyanClient.setLog(nil)
        let unheard = try await client.send(message("unheard"))
        log.finish()
        for await line in lines { XCTAssertFalse(line.text.contains(unheard.id)) }
    }

    func testALevelHasThoseBeforeItAndTheLastFunctionHolds() async throws {
        let (first, before) = AsyncStream.makeStream(of: Log.Line.self)
        let (second, log) = AsyncStream.makeStream(of: Log.Line.self)
        try HongyanClient.setLog(upTo: .debug) { before.yield(Log.Line(level: $0, target: $1, text: $2)) }
        try HongyanClient.setLog { log.yield(Log.Line(level: $0, target: $1, text: $2)) }
        var iterator = second.makeAsyncIterator()
        for _ in 0..<2 {
            // A client that is ready says so after what the one before has sent.
            _ = try await client().send(message("x"))
            let line = await iterator.next()
            XCTAssertEqual(line?.level, .info)
            XCTAssertEqual(line?.target, "hongyan::client")
        }
        before.finish()
        for await line in first { XCTAssertNotEqual(line.target, "hongyan::client") }
    }

    func testTheFunctionMayCallAClientAndStopTheLog() async throws {
        let client = try client()
        let (found, log) = AsyncStream.makeStream(of: Result<String, any Error>.self)
        try HongyanClient.setLog(upTo: .debug) { _, _, _ in
            log.yield(
                Result {
                    try HongyanClient.setLog(nil)
                    return try client.statistics()
                })
        }
        _ = try await client.send(message("x"))
        var iterator = found.makeAsyncIterator()
        let statistics = try await iterator.next()?.get()
        XCTAssertEqual(statistics?.contains("ff"), true)
        // Once, though lines waited for it.
        try HongyanClient.setLog(nil)
        log.finish()
        let more = await iterator.next()
        XCTAssertNil(more)
    }

    func testLinesThatAreTooManyForTheFunctionAreCounted() async throws {
        let (found, told) = AsyncStream.makeStream(of: String.self)
        let (isBusy, goesOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let log = Log { _, _, text in
            told.yield(text)
            if text == "first" {
                isBusy.signal()
                goesOn.wait()
            }
            if text == "last" { told.finish() }
        }
        log.add(Log.Line(level: .info, target: "test", text: "first"))
        await Task.detached { block(on: isBusy) }.value
        for i in 0..<Log.most + 2 { log.add(Log.Line(level: .info, target: "test", text: "\(i)")) }
        log.add(Log.Line(level: .info, target: "test", text: "last"))
        goesOn.signal()
        var texts: [String] = []
        for await text in found { texts.append(text) }
        let lost = "3 lines of the log were lost: the log function is too slow"
        XCTAssertEqual(texts, ["first", lost] + (3..<Log.most + 2).map(String.init) + ["last"])
    }
}

/// Tasks have no function for it.
private func block(on semaphore: DispatchSemaphore) { semaphore.wait() }
