import XCTest

@testable import Hongyan

final class SchemaTests: XCTestCase {
    func testAMessageIsWrittenWithTheFieldsThatItHas() throws {
        let plain = Message(account: "ops", to: To(chat: "4711"), text: "a\"\n\0🪿")
        XCTAssertEqual(
            plain.json,
            #"{"v":1,"account":"ops","to":{"chat":"4711"},"text":"a\u0022\u000a\u0000🪿"}"#)
    }

    func testEveryFieldIsOneThatTheLibraryKnows() throws {
        let message = Message(
            account: "hook", to: To(users: ["a", "b"]), parts: [.text("x"), .mentionAll], title: "t",
            format: .plain, attachments: [], silent: false, priority: .normal, thread: "1",
            overflow: .split, replyTo: "2", key: "k", deadlineMilliseconds: never,
            notBeforeMilliseconds: 1, ordered: true, extra: ["a": [1, 2.5, true, nil, "s", ["b": 1]]])
        XCTAssertEqual(
            message.json,
            #"{"v":1,"account":"hook","to":{"users":["a","b"]},"#
                + #""parts":[{"text":"x","type":"text"},{"all":true,"type":"mention"}],"title":"t","#
                + #""format":"plain","silent":false,"priority":"normal","thread":"1","overflow":"split","#
                + #""reply_to":"2","key":"k","deadline_ms":4102444800000,"not_before_ms":1,"ordered":true,"#
                + #""extra":{"a":[1,2.5,true,null,"s",{"b":1}]}}"#)
    }

    func testPartsAndFilesAreWrittenWithoutWhatTheyLack() {
        let parts: [Part] = [
            .mention(user: "u"), .face(index: 1, data: "d"), .location(latitude: 1.5, longitude: 2),
            .link(url: "http://a", image: "http://b"), .custom(data: "d"), .raw(["a": nil]),
        ]
        XCTAssertEqual(
            parts.map(\.json.text),
            [
                #"{"type":"mention","user":"u"}"#, #"{"data":"d","index":1,"type":"face"}"#,
                #"{"latitude":1.5,"longitude":2.0,"type":"location"}"#,
                #"{"image":"http://b","type":"link","url":"http://a"}"#, #"{"data":"d","type":"custom"}"#,
                #"{"type":"raw","value":{"a":null}}"#,
            ])
        let files: [Attachment] = [
            .file(path: "/a"), .bytes([104, 105], name: "a.txt", type: "text/plain"), .url("http://a", name: "n"),
        ]
        XCTAssertEqual(
            files.map(\.json.text),
            [
                #"{"path":"/a"}"#, #"{"data_base64":"aGk=","name":"a.txt","type":"text/plain"}"#,
                #"{"name":"n","url":"http://a"}"#,
            ])
    }

    /// The library takes what the types make.
    func testAccountsAreThoseOfTheLibrary() throws {
        let options = AccountOptions(
            to: To(chat: "1"), rate: .limit(count: 1, perMilliseconds: 2), maxInFlight: 3,
            proxy: "http://127.0.0.1:1")
        let accounts: [String: any Account] = [
            "a": Accounts.Telegram(.bot(token: "123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"), options: options),
            "b": Accounts.Weibo(.oauth2(token: "t", send: .header), options: AccountOptions(rate: .noLimit)),
            "c": Accounts.TencentIm(
                .usersig(sdkAppID: 1, identifier: "a", secretKey: "s"), region: .cn),
            "d": Accounts.Ntfy(.none, allowHttp: true),
        ]
        _ = try HongyanClient(Configuration(accounts: accounts, settings: ["timeout_ms": 1000]))
        XCTAssertEqual(
            accounts["b"]?.json.text,
            #"{"auth":{"send":"header","token":"t","type":"oauth2"},"rate":null,"service":"weibo"}"#)
    }

    func testDurationsAreRoundedUp() {
        XCTAssertEqual(Duration.microseconds(1).milliseconds, 1)
        XCTAssertEqual(Duration.milliseconds(1).milliseconds, 1)
        XCTAssertEqual(Duration.seconds(-5).milliseconds, 0)
        XCTAssertEqual(Duration.seconds(Int64.max).milliseconds, 315_360_000_000_000)
    }

    func testTheLibraryIsOfThisVersion() throws {
        XCTAssertFalse(HongyanClient.version.isEmpty)
        XCTAssertTrue(HongyanClient.services.contains("\"telegram\""))
    }
}
