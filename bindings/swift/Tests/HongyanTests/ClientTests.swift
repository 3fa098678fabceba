import Foundation
import XCTest

@testable import Hongyan

final class ClientTests: SandboxTestCase {
    func testFiveHundredSendsAtOnce() async throws {
        let client = try client()
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for i in 0..<500 {
                let message = message("number \(i)")
                group.addTask { try await client.send(message).id }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        XCTAssertEqual(ids.count, 500)
        let texts = try await sandbox.texts()
        XCTAssertEqual(Set(texts), Set((0..<500).map { "number \($0)" }))
        XCTAssertEqual(texts.count, 500)
        let unfinished = try await client.close()
        XCTAssertEqual(unfinished, 0)
    }

    func testAReceiptTellsOfItsMessage() async throws {
        let client = try client()
        let receipt = try await client.send(message("there"), timeout: .seconds(60))
        XCTAssertEqual(receipt.delivery, .sent)
        XCTAssertEqual(receipt.account, "ff")
        XCTAssertEqual(receipt.service, "fanfou")
        XCTAssertEqual(receipt.attempts, 1)
        XCTAssertEqual(receipt.id.utf8.count, 26)
        XCTAssertNotNil(receipt.messageID)
        XCTAssertNil(receipt.key)
        XCTAssertNil(receipt.error)
        XCTAssertFalse(receipt.isDeduplicated)
        XCTAssertFalse(receipt.isOfEarlierRun)
        XCTAssertTrue(receipt.recipients.isEmpty && receipt.pieces.isEmpty && receipt.notes.isEmpty)
        XCTAssertTrue(receipt.json.contains(receipt.id))
    }

    func testWhatIsNotSentIsThrown() async throws {
        let client = try client()
        let error = try await error {
            _ = try await client.send(Message(account: "ff", to: To(user: "nobody"), text: "x"))
        }
        XCTAssertEqual(error.code, .notFound)
        XCTAssertEqual(error.name, "not_found")
        XCTAssertEqual(error.delivery, .notSent)
        XCTAssertEqual(error.service, "fanfou")
        XCTAssertEqual(error.receipt?.delivery, .notSent)
        XCTAssertFalse(error.isRetryable)
        XCTAssertFalse(error.message.isEmpty)
    }

    func testATimeoutOfNothingMakesNoRequest() async throws {
        let client = try client()
        let error = try await error { _ = try await client.send(message("x"), timeout: .zero) }
        XCTAssertEqual(error.delivery, .notSent)
        XCTAssertEqual(error.receipt?.attempts, 0)
        let texts = try await sandbox.texts()
        XCTAssertEqual(texts, [])
    }

    func testACancelledTaskIsToldTheTruth() async throws {
        let client = try client()
        let waiting = message("x", notBefore: never)
        let unbegun = Task { try await client.send(waiting) }
        while try !client.statistics().contains("\"time\":1") { await Task.yield() }
        unbegun.cancel()
        var error = try await error { _ = try await unbegun.value }
        XCTAssertEqual(error.code, .cancelled)
        XCTAssertEqual(error.delivery, .notSent)

        try await sandbox.hold()
        let text = message("under way")
        let begun = Task { try await client.send(text) }
        try await sandbox.held(1)
        begun.cancel()
        error = try await self.error { _ = try await begun.value }
        XCTAssertEqual(error.code, .cancelled)
        XCTAssertEqual(error.delivery, .maybeSent)
        XCTAssertEqual(error.receipt?.delivery, .maybeSent)
    }

    func testATaskThatIsCancelledAlreadySendsNothing() async throws {
        let client = try client()
        let message = message("x")
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await client.send(message)
        }
        task.cancel()
        let error = try await error { _ = try await task.value }
        XCTAssertEqual(error.code, .cancelled)
        XCTAssertEqual(error.delivery, .notSent)
        XCTAssertNil(error.receipt)
        let texts = try await sandbox.texts()
        XCTAssertEqual(texts, [])
    }

    func testCloseEndsWhatIsPending() async throws {
        let client = try client()
        try await sandbox.hold()
        let (first, second) = (message("first"), message("second", notBefore: never))
        let begun = Task { try await client.send(first) }
        try await sandbox.held(1)
        let unbegun = Task { try await client.send(second) }
        while try !client.statistics().contains("\"time\":1") { await Task.yield() }
        let unfinished = try await client.close(timeout: .zero)
        XCTAssertEqual(unfinished, 2)
        let again = try await client.close()
        XCTAssertEqual(again, 0)
        var error = try await error { _ = try await begun.value }
        XCTAssertEqual(error.delivery, .maybeSent)
        error = try await self.error { _ = try await unbegun.value }
        XCTAssertEqual(error.delivery, .notSent)
        error = try await self.error { _ = try await client.send(first) }
        XCTAssertEqual(error.code, .closed)
        XCTAssertNil(error.receipt)
    }

    func testFullIsRefusedAtOnce() async throws {
        let client = try client(["max_in_flight": 1])
        try await sandbox.hold()
        let first = message("first")
        let begun = Task { try await client.send(first) }
        try await sandbox.held(1)
        let error = try await error { _ = try await client.send(message("second")) }
        XCTAssertEqual(error.code, .full)
        XCTAssertEqual(error.delivery, .notSent)
        XCTAssertTrue(error.isRetryable)
        XCTAssertNil(error.receipt)
        try await sandbox.release()
        let receipt = try await begun.value
        XCTAssertEqual(receipt.delivery, .sent)
        let third = try await client.send(message("third"))
        XCTAssertEqual(third.delivery, .sent)
    }

    func testTextIsWholeWithEmojiAndNUL() async throws {
        let client = try client()
        let text = "鸿雁 🪿 👩‍👩‍👧‍👦 \"\\ \u{1} e\u{301}"
        let key = "🔑\0 key"
        var message = message(text)
        message.key = key
        let receipt = try await client.send(message)
        XCTAssertEqual(receipt.key.map { Array($0.utf8) }, Array(key.utf8))
        let arrived = try await sandbox.texts()
        XCTAssertEqual(arrived.map { Array($0.utf8) }, [Array(text.utf8)])
        let error = try await error { _ = try await client.send(self.message("a\0b")) }
        XCTAssertEqual(error.code, .message)
        XCTAssertEqual(error.path, "text")
    }

    func testAWrongConfigurationTellsWhere() async throws {
        let wrong = #"{"v": 1, "accounts": {"ff": {"service": "fanfou", "auth": {"type": "basic"}}}}"#
        var error = try await error { _ = try HongyanClient(json: wrong) }
        XCTAssertEqual(error.code, .config)
        XCTAssertEqual(error.path, "accounts.ff.auth.username")
        error = try await self.error { _ = try HongyanClient(json: "no JSON") }
        XCTAssertEqual(error.code, .config)
        let client = try client()
        error = try await self.error { try client.setAccount("x", ["service": "pigeon"] as JSON) }
        XCTAssertEqual(error.code, .config)
        error = try await self.error { try client.removeAccount("nobody") }
        XCTAssertEqual(error.code, .config)
    }

    func testTwoClientsKnowNothingOfEachOther() async throws {
        let one = try client()
        let two = try client()
        let queue = try two.queue()
        try await sandbox.hold()
        let held = message("of one")
        let begun = Task { try await one.send(held) }
        try await sandbox.held(1)
        try queue.submit(message("of two"), token: 2)
        try await two.close(timeout: nil)
        var tokens: [UInt64] = []
        for try await receipt in queue { tokens.append(receipt.token) }
        XCTAssertEqual(tokens, [2])
        try await sandbox.release()
        let receipt = try await begun.value
        XCTAssertEqual(receipt.delivery, .sent)
    }

    func testAccountsComeAndGo() async throws {
        let client = try client()
        try client.setAccount("more", sandbox.fanfou)
        let message = Message(account: "more", to: To(user: "lisztli"), text: "x")
        let receipt = try await client.send(message)
        XCTAssertEqual(receipt.account, "more")
        let preview = try client.preview(message)
        XCTAssertTrue(preview.contains("/fanfou/"), preview)
        XCTAssertFalse(preview.contains("pwd"))
        try client.removeAccount("more")
        let error = try await error { _ = try await client.send(message) }
        XCTAssertEqual(error.code, .message)
        let left = try await client.flush()
        XCTAssertEqual(left, 0)
        let unasked = try await self.error { try await client.checkAccount("ff", timeout: .seconds(60)) }
        XCTAssertEqual(unasked.code, .unsupported)
        let bot = Accounts.Telegram(.bot(token: "123456:WrongToken"), baseURL: sandbox.url + "/telegram")
        try client.setAccount("bot", bot)
        let refused = try await self.error { try await client.checkAccount("bot", timeout: .seconds(60)) }
        XCTAssertEqual(refused.code, .auth)
    }

    func testAnOutboxKeepsWhatAnEarlierRunLeft() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let outbox: JSON = ["path": .string(folder.appendingPathComponent("outbox.db").path)]
        let id = try await { () async throws -> String in
            let client = try self.client(["outbox": outbox])
            let receipt = try await client.send(self.message("kept"))
            try await client.close()
            return receipt.id
        }()
        var client: HongyanClient?
        // The file is free once the last of the client before has gone.
        while client == nil {
            do {
                client = try self.client(["outbox": outbox])
            } catch let error as HongyanError where error.code == .locked {
                await Task.yield()
            }
        }
        for try await receipt in try client!.ownQueue() {
            XCTAssertEqual(receipt.id, id)
            XCTAssertTrue(receipt.isOfEarlierRun)
            XCTAssertEqual(receipt.delivery, .sent)
            try client!.acknowledge(receipt)
            break
        }
    }
}
