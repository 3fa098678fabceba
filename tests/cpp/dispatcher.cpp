// hongyan::dispatcher: callbacks and futures, on the threads of whoever runs it.
#include "check.hpp"

#include <atomic>
#include <stdexcept>
#include <thread>

using namespace std::chrono_literals;
using hongyan::errc;

static void on_a_thread_of_ones_own(std::string_view sandbox) {
    hongyan::client client(config(sandbox, "fanfou"));
    hongyan::dispatcher dispatcher(client);
    std::thread::id called;
    std::atomic<int> sent = 0;
    std::thread drain([&] { dispatcher.run(); });
    const std::thread::id drains = drain.get_id();

    std::future<hongyan::result> future = dispatcher.send(hello());
    dispatcher.send(hello(), [&](hongyan::result result) {
        called = std::this_thread::get_id();
        sent += result.sent();
        // From within: its own result comes later, to the same thread.
        dispatcher.send(hello().json(), [&](hongyan::result other) { sent += other.sent(); });
    });
    CHECK(future.get().sent());
    std::future<hongyan::result> none = dispatcher.send("no JSON");
    CHECK(none.get().error().code() == errc::argument);

    std::vector<std::thread> senders;
    for (int i = 0; i < 3; i++) {
        senders.emplace_back([&] {
            for (int k = 0; k < 5; k++)
                dispatcher.send(hello(), [&](hongyan::result result) { sent += result.sent(); });
        });
    }
    for (std::thread &sender : senders)
        sender.join();
    // Before the close: what a callback sends must still be accepted.
    while (dispatcher.pending() > 0)
        std::this_thread::yield();
    CHECK(client.close(patience) == 0);
    drain.join();
    CHECK(sent == 17 && called == drains && dispatcher.ended());

    // A call that fails calls nobody, and is told by the future.
    std::future<hongyan::result> late = dispatcher.send(hello());
    THROWS(late.get(), errc::closed);
    THROWS(dispatcher.send(hello(), [](hongyan::result) { std::exit(1); }), errc::closed);
    hongyan::error why;
    dispatcher.send(hello(), [](hongyan::result) { std::exit(1); }, {}, why);
    CHECK(why.code() == errc::closed && dispatcher.pending() == 0);
}

// In somebody's event loop, without a thread.
static void polled(std::string_view sandbox) {
    hongyan::client client(config(sandbox, "fanfou"));
    hongyan::dispatcher dispatcher(client);
    int sent = 0;
    CHECK(dispatcher.poll() == 0 && dispatcher.poll_handle() >= 0);
    for (int i = 0; i < 3; i++)
        dispatcher.send(hello(), [&](hongyan::result result) { sent += result.sent(); });
    CHECK(client.flush(patience) == 0);
    CHECK(dispatcher.poll() == 3 && sent == 3 && !dispatcher.ended());
    dispatcher.interrupt();
    CHECK(dispatcher.run_for(hongyan::forever) == 0);
}

// What a callback throws comes out of run(); nobody else's result is lost.
static void exceptions(std::string_view sandbox) {
    hongyan::client client(config(sandbox, "fanfou"));
    hongyan::dispatcher dispatcher(client);
    int called = 0;
    for (int i = 0; i < 4; i++) {
        dispatcher.send(hello(), [&called, i](hongyan::result) {
            called++;
            if (i % 2 == 0)
                throw std::runtime_error("from a callback");
        });
    }
    CHECK(client.close(patience) == 0);
    int thrown = 0;
    for (bool ended = false; !ended;) {
        try {
            dispatcher.run();
            ended = true;
        } catch (const std::runtime_error &) {
            thrown++;
        }
    }
    CHECK(called == 4 && thrown == 2);
}

// A dispatcher that ends before its results: nobody is called, the promises are broken.
static void ends_early(std::string_view sandbox) {
    hongyan::client client(config(sandbox, "fanfou"));
    std::future<hongyan::result> future;
    auto alive = std::make_shared<int>(1);
    {
        hongyan::dispatcher dispatcher(client);
        future = dispatcher.send(later());
        dispatcher.send(later(), [alive](hongyan::result) { std::exit(1); });
        CHECK(alive.use_count() == 2 && dispatcher.pending() == 2);
    }
    CHECK(alive.use_count() == 1);
    try {
        future.get();
        fail(__FILE__, __LINE__, "it throws");
    } catch (const std::future_error &e) {
        CHECK(e.code() == std::future_errc::broken_promise);
    }
    CHECK(client.close(0ms) == 2);
}

int main(int argc, char **argv) {
    CHECK(argc >= 3);
    on_a_thread_of_ones_own(argv[1]);
    polled(argv[1]);
    exceptions(argv[1]);
    ends_early(argv[1]);
    return 0;
}
