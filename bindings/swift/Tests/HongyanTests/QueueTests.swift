import XCTest

@testable import Hongyan

final class QueueTests: SandboxTestCase {
    func testEveryMessageHasOneReceiptAndThenTheEnd() async throws {
        let client = try client()
        let queue = try client.queue()
        for token in 0..<100 { try queue.submit(message("number \(token)"), token: UInt64(token)) }
        let closing = Task { try await client.close(timeout: nil) }
        var tokens: [UInt64] = []
        for try await receipt in queue {
            XCTAssertEqual(receipt.delivery, .sent)
            tokens.append(receipt.token)
        }
        XCTAssertEqual(tokens.sorted(), Array(0..<100))
        let unfinished = try await closing.value
        XCTAssertEqual(unfinished, 0)
        let iterator = queue.makeAsyncIterator()
        let more = try await iterator.next()
        XCTAssertNil(more)
    }

    func testAWrongMessageHasAReceiptToo() async throws {
        let client = try client()
        let queue = try client.queue()
        try queue.submit(json: "no JSON", token: 7)
        let iterator = queue.makeAsyncIterator()
        let receipt = try await iterator.next()
        XCTAssertEqual(receipt?.token, 7)
        XCTAssertEqual(receipt?.error?.code, .argument)
        XCTAssertEqual(receipt?.error?.delivery, .notSent)
    }

    func testACancelAsksAndTheReceiptTells() async throws {
        let client = try client()
        let queue = try client.queue()
        let submission = try queue.submit(message("x", notBefore: never), token: 1)
        submission.cancel()
        let receipt = try await queue.makeAsyncIterator().next()
        XCTAssertEqual(receipt?.id, submission.id)
        XCTAssertEqual(receipt?.error?.code, .cancelled)
    }

    func testATaskThatIsCancelledLeavesTheReceiptToOthers() async throws {
        let client = try client()
        let queue = try client.queue()
        let gone = Task { try await queue.makeAsyncIterator().next() }
        gone.cancel()
        let nothing = try await gone.value
        XCTAssertNil(nothing)
        try queue.submit(message("x"), token: 5)
        let receipt = try await queue.makeAsyncIterator().next()
        XCTAssertEqual(receipt?.token, 5)
    }

    func testSeveralTasksShareAQueue() async throws {
        let client = try client()
        let queue = try client.queue()
        let tokens = try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var tokens: [UInt64] = []
                    for try await receipt in queue { tokens.append(receipt.token) }
                    return tokens
                }
            }
            for token in 0..<200 { try queue.submit(message("number \(token)"), token: UInt64(token)) }
            try await client.close(timeout: nil)
            return try await group.reduce(into: []) { $0 += $1 }
        }
        XCTAssertEqual(tokens.sorted(), Array(0..<200))
    }

    func testReceiptsOutliveTheirQueueAndClient() async throws {
        let receipt = try await { () async throws -> Receipt? in
            let client = try self.client()
            let queue = try client.queue()
            try queue.submit(self.message("kept"), token: 9)
            return try await queue.makeAsyncIterator().next()
        }()
        XCTAssertEqual(receipt?.token, 9)
        XCTAssertEqual(receipt?.delivery, .sent)
    }

    func testQueuesThatNobodyReadsAreLetGo() async throws {
        for i in 0..<50 {
            let client = try client()
            let queue = try client.queue()
            try queue.submit(message("number \(i)"))
            if i % 2 == 0 { _ = try await queue.makeAsyncIterator().next() }
        }
    }

    func testRecipientsHaveReceiptsOfTheirOwn() async throws {
        let im: JSON = [
            "service": "tencent_im", "base_url": .string(sandbox.url + "/tencent_im"), "rate": nil,
            "auth": [
                "type": "usersig", "sdk_app_id": 1_400_000_000, "identifier": "administrator",
                "secret_key": "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e",
            ],
        ]
        let client = try HongyanClient(Configuration(accounts: ["im": im]))
        let message = Message(
            account: "im", to: To(users: ["tommy", "nobody"]), parts: [.text("hello"), .face(index: 1)])
        let error = try await error { _ = try await client.send(message) }
        XCTAssertEqual(error.delivery, .partlySent)
        let recipients = try XCTUnwrap(error.receipt?.recipients)
        XCTAssertEqual(recipients.map(\.value), ["tommy", "nobody"])
        XCTAssertEqual(recipients.map(\.delivery), [.sent, .notSent])
        XCTAssertNil(recipients[0].error)
        XCTAssertEqual(recipients[1].error?.code, .notFound)
    }
}
