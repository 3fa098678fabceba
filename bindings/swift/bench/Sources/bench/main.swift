// What a send through the package costs, and what is left of many that were pending: tools/bench-bindings runs it.
//
//     bench submit URL IN_FLIGHT MESSAGES WARM_UP
//     bench pending URL IN_FLIGHT MESSAGES
import Foundation
import Hongyan
import Synchronization

let arguments = CommandLine.arguments
guard arguments.count >= 5, let inFlight = Int(arguments[3]), let count = Int(arguments[4]) else {
    print("usage: bench submit|pending URL IN_FLIGHT MESSAGES [WARM_UP]")
    exit(2)
}

let accounts = (0..<4).map { i -> (String, any Account) in
    let options = AccountOptions(rate: .noLimit)
    let auth = Accounts.Weibo.Auth.oauth2(token: "2.00BENCHmarkTokenOfAccount\(i)")
    return ("a\(i)", Accounts.Weibo(auth, baseURL: arguments[2], options: options))
}
let client = try HongyanClient(
    Configuration(
        accounts: Dictionary(uniqueKeysWithValues: accounts),
        settings: ["max_in_flight": .int(Int64(max(1024, count + 1)))]))

/// The texts of benches/c/work.h: behind a number 8, 24 or 70 characters.
let texts = [8, 24, 70].map { length in
    String(
        ("天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。寒来暑往，秋收冬藏。闰余成岁，律吕调阳。云腾致雨，露结为霜。金生丽水，玉出昆冈。"
            + "剑号巨阙，珠称夜光。果珍李柰，菜重芥姜。海咸河淡，鳞潜羽翔。")
            .prefix(length))
}

func message(_ number: Int) -> Message {
    let user = number % 50 == 49 ? "5000020301" : String(2_125_034_703 + number % 100)
    return Message(account: "a\(number % 4)", to: To(user: user), text: "\(number) \(texts[number % 3])")
}

final class Counter: Sendable {
    let next: Atomic<Int>
    init(_ first: Int) { next = Atomic(first) }
}

/// Sends messages first..<first + count by so many tasks; gives how many were refused.
func send(_ first: Int, _ count: Int) async throws -> Int {
    let counter = Counter(first)
    return try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<inFlight {
            group.addTask {
                var refused = 0
                while true {
                    let number = counter.next.add(1, ordering: .relaxed).oldValue
                    guard number < first + count else { return refused }
                    do throws(HongyanError) {
                        guard try await client.send(message(number)).messageID != nil else { exit(1) }
                    } catch {
                        guard error.code == .forbidden else { throw error }
                        refused += 1
                    }
                }
            }
        }
        return try await group.reduce(0, +)
    }
}

/// User and system time of the process in microseconds.
func cpu() -> Double {
    var usage = rusage()
    // RUSAGE_SELF, which has other types in other systems.
    getrusage(0, &usage)
    let seconds = Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
    return seconds * 1e6 + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
}

func resident() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS") }!
    return Int(line.filter(\.isNumber))! * 1024
}

if arguments[1] == "pending" {
    var rounds: [String] = []
    for _ in 0..<6 {
        let sends = (0..<count).map { number in
            Task {
                var message = message(number)
                message.notBeforeMilliseconds = 4_102_444_800_000
                return try await client.send(message)
            }
        }
        while try !client.statistics().contains("\"in_flight\":\(count),\"unfinished\"") { await Task.yield() }
        sends.forEach { $0.cancel() }
        for send in sends {
            guard case .failure(let error as HongyanError) = await send.result, error.code == .cancelled else { exit(1) }
        }
        rounds.append("{\"rss\":\(try resident())}")
    }
    print("{\"rounds\":[\(rounds.joined(separator: ","))]}")
} else {
    let warmUp = Int(arguments[5])!
    _ = try await send(0, warmUp)
    let began = cpu()
    let refused = try await send(warmUp, count)
    let used = cpu() - began
    guard refused == count / 50 else {
        print("\(refused) were refused")
        exit(1)
    }
    print("{\"messages\":\(count),\"cpu_us\":\(used / Double(count)),\"managed_bytes\":0}")
}
