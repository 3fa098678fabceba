// hongyan::client, queue, result, op, error: who owns what, and both ways to fail.
#include "check.hpp"

#include <mutex>
#include <optional>
#include <vector>
#include <string>
#include <thread>
#include <type_traits>

using namespace std::chrono_literals;
using hongyan::delivery;
using hongyan::errc;

// Objects move and do not copy; what was moved from is empty.
static_assert(std::is_nothrow_move_constructible_v<hongyan::client>);
static_assert(std::is_nothrow_move_assignable_v<hongyan::result>);
static_assert(std::is_nothrow_move_constructible_v<hongyan::queue>);
static_assert(std::is_nothrow_default_constructible_v<hongyan::error>);
static_assert(!std::is_copy_constructible_v<hongyan::client>);
static_assert(!std::is_copy_constructible_v<hongyan::result>);
static_assert(std::is_nothrow_copy_constructible_v<hongyan::exception>);
static_assert(std::is_nothrow_copy_constructible_v<hongyan::error_view>);

static void errors(std::string_view sandbox) {
    THROWS(hongyan::client("{"), errc::config);
    hongyan::error why;
    CHECK(!hongyan::client::make(R"({"v":1,"accounts":{"a":7}})", why));
    CHECK(why && why.code() == errc::config && why.name() == "config");
    CHECK(why.detail_json().find("accounts.a") != std::string_view::npos);
    CHECK(!why.message().empty() && !why.is_retryable() && !why.retry_after());
    hongyan::error moved = std::move(why);
    CHECK(moved.code() == errc::config);
    // A call that works clears what stood there.
    why = std::move(moved);
    hongyan::client client = hongyan::client::make(config(sandbox, "fanfou"), why);
    CHECK(client && !why && why.code() == errc::ok && why.name() == "ok");
    CHECK(why.message().empty() && why.detail_json().empty());

    try {
        client.send("no JSON", patience);
        fail(__FILE__, __LINE__, "it throws");
    } catch (const std::exception &e) {
        CHECK(std::string_view(e.what()).substr(0, 10) == "argument: ");
        const auto copy = dynamic_cast<const hongyan::exception &>(e);
        CHECK(copy.code() == errc::argument);
        CHECK(copy.detail_json().find("\"argument\"") != std::string_view::npos);
    }
    THROWS(client.remove_account("nobody"), errc::config);
    client.set_account("more", R"({"service":"fanfou","auth":{"type":"basic","username":"u","password":"p"}})");
    client.remove_account("more");
    // Fanfou cannot be asked without sending.
    THROWS(client.check_account("ff", patience), errc::unsupported);
    CHECK(client.stats_json().find("\"ff\"") != std::string::npos);
    const std::string preview = client.preview_json(hello().json());
    CHECK(preview.find("\"url\"") != std::string::npos);
    THROWS(client.preview_json("{"), errc::argument);

    // Empty objects answer as the library does NULL.
    hongyan::client none;
    CHECK(!none);
    THROWS(none.send(hello(), 0ms), errc::argument);
    THROWS(none.queue(), errc::argument);
    CHECK(hongyan::result().delivery() == delivery::not_sent);
    CHECK(hongyan::result().id().empty() && !hongyan::result().message_id());
    CHECK(hongyan::op().id().empty());
    hongyan::op().cancel();
    hongyan::queue().interrupt();
    CHECK(hongyan::version() == HY_VERSION);
    CHECK(hongyan::services_json().find("fanfou") != std::string_view::npos);
}

static void results(std::string_view sandbox, std::string_view hostile) {
    hongyan::client client(config(sandbox, "fanfou"));
    hongyan::result sent = client.send(hello().key("k"), patience);
    CHECK(sent && sent.sent() && sent.delivery() == delivery::sent && !sent.error());
    sent.throw_unless_sent();
    CHECK(sent.account() == "ff" && sent.service() == "fanfou" && sent.key() == "k");
    CHECK(sent.message_id() && sent.id().size() == 26 && sent.attempts() == 1);
    CHECK(sent.token() == 0 && sent.origin() == hongyan::origin::this_run && sent.elapsed() >= 0ms);
    CHECK(!sent.is_deduplicated() && sent.recipients().empty());
    CHECK(client.send(hello().key("k"), patience).is_deduplicated());

    hongyan::result refused = client.send(hongyan::message("ff").to("user", "nobody").text("t"));
    CHECK(refused.delivery() == delivery::not_sent && refused.error().code() == errc::not_found);
    try {
        refused.throw_unless_sent();
        fail(__FILE__, __LINE__, "it throws");
    } catch (const hongyan::exception &e) {
        CHECK(e.code() == errc::not_found);
        CHECK(e.detail_json().find(refused.id()) != std::string_view::npos);
    }
    const hongyan::result moved = std::move(refused);
    CHECK(moved && !refused); // NOLINT: an object that was moved from is empty

    hongyan::client doubtful(config(hostile, "close", R"(,"retry":{"max_attempts":1})"));
    CHECK(doubtful.send(hello(), patience).delivery() == delivery::maybe_sent);
    CHECK(doubtful.send(hello(), 0ms).error().code() == errc::timeout);
}

static void queues(std::string_view sandbox) {
    hongyan::client client(config(sandbox, "fanfou"));
    hongyan::queue queue = client.queue();
    hongyan::submit_options options;
    options.token = 7;
    options.timeout = patience;
    options.durable = false;
    const hongyan::op op = client.submit_to(queue, hello(), options);
    const hongyan::result result = queue.wait(patience);
    CHECK(result.sent() && result.token() == 7 && result.id() == op.id());
    client.submit_to(queue, "no JSON");
    CHECK(queue.wait(patience).error().code() == errc::argument);
    CHECK(!queue.wait(0ms));
    queue.interrupt();
    CHECK(!queue.wait());
    CHECK(queue.poll_handle() >= 0 && queue.poll_handle() != client.poll_handle());

    for (std::uint64_t token = 0; token < 5; token++) {
        options.token = token;
        client.submit(hello(), options);
    }
    client.submit(hello());
    client.submit(hello().json());
    CHECK(client.flush(patience) == 0);
    std::size_t taken = client.wait_many(0ms, 3).size();
    CHECK(taken == 3);
    CHECK(client.wait_many(0ms).size() == 4);
    CHECK(client.wait_many(0ms).empty());
    client.interrupt();
    CHECK(!client.wait());

    hongyan::op late = client.submit_to(queue, later());
    late.cancel();
    hongyan::result cancelled = queue.wait(patience);
    CHECK(cancelled.error().code() == errc::cancelled);
    client.acknowledge(cancelled);

    options.durable = true;
    hongyan::error why;
    CHECK(!client.submit(hello(), options, why));
    CHECK(why.code() == errc::argument);
    THROWS(client.submit_to(queue, hello(), options), errc::argument);

    // A queue outlives its client, and says when nothing follows.
    client.submit_to(queue, hello());
    CHECK(client.close(patience) == 0);
    THROWS(client.submit_to(queue, hello()), errc::closed);
    client = hongyan::client();
    CHECK(queue.wait().sent());
    THROWS(queue.wait(), errc::closed);
    CHECK(queue.wait_many(0ms, 4, why).empty() && why.code() == errc::closed);
}

static void many_threads(std::string_view sandbox) {
    hongyan::client client(config(sandbox, "fanfou"));
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++) {
        threads.emplace_back([&client] {
            hongyan::queue own = client.queue();
            for (int k = 0; k < 5; k++)
                client.submit_to(own, hello());
            for (std::size_t left = 5; left > 0;)
                left -= own.wait_many(patience, 2).size();
        });
    }
    for (std::thread &thread : threads)
        thread.join();
    CHECK(client.close() == 0);
}

static void many_at_once(std::string_view sandbox) {
    hongyan::client client(config(sandbox, "fanfou"));
    const std::vector<std::string> messages = {hello().json(), hello().json(), later().json()};
    CHECK(client.submit_many(messages, 7) == 3);
    CHECK(client.submit_many(std::vector<std::string_view>(), 0) == 0);
    bool seen[2] = {};
    for (int i = 0; i < 2; i++) {
        hongyan::result one = client.wait(patience);
        CHECK(one.sent() && (one.token() == 7 || one.token() == 8));
        seen[one.token() - 7] = true;
    }
    CHECK(seen[0] && seen[1]);
    // It stops at the first that is refused, and says how many were accepted.
    const std::vector<const char *> wrong = {R"({"v":1,"account":"ff"})", "no JSON", "nor this"};
    hongyan::error why;
    CHECK(client.submit_many(wrong, 20, why) == 1);
    CHECK(why.code() == errc::argument);
    hongyan::result one = client.wait(patience);
    CHECK(one.token() == 20 && one.error().code() == errc::message);
    THROWS(client.submit_many(wrong, 20), errc::argument);
    CHECK(client.close(0ms) == 1);
    THROWS(client.submit_many(messages, 0), errc::closed);
}

static void logs(std::string_view sandbox) {
    std::mutex mutex;
    std::vector<std::string> lines;
    std::optional<errc> inside;
    hongyan::client client(config(sandbox, "fanfou"));
    const auto logger = [&](hongyan::log_level level, std::string_view target, std::string_view text) {
        hongyan::error why;
        client.wait(0ms, why);
        const std::lock_guard<std::mutex> lock(mutex);
        inside = why.code();
        CHECK(level == hongyan::log_level::debug || level < hongyan::log_level::debug);
        lines.push_back(std::string(target) + ' ' + std::string(text));
    };
    hongyan::set_log(hongyan::log_level::debug, logger);
    CHECK(client.send(hello(), patience).sent());
    hongyan::stop_log();
    const std::size_t told = lines.size();
    CHECK(told > 0 && inside == errc::reentrant);
    CHECK(lines.back().rfind("hongyan::", 0) == 0);
    CHECK(client.send(hello(), patience).sent());
    CHECK(lines.size() == told);
    hongyan::error why;
    hongyan::set_log(static_cast<hongyan::log_level>(9), logger, why);
    CHECK(why.code() == errc::argument);
    THROWS(hongyan::set_log(static_cast<hongyan::log_level>(9), logger), errc::argument);
    hongyan::stop_log(why);
    CHECK(!why);
}

int main(int argc, char **argv) {
    CHECK(argc >= 3);
    many_at_once(argv[1]);
    logs(argv[1]);
    errors(argv[1]);
    results(argv[1], argv[2]);
    queues(argv[1]);
    many_threads(argv[1]);
    return 0;
}
