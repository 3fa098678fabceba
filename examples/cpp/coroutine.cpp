// Awaits sends in C++20 coroutines: each goes on, on a thread of ours, once its message has a result.
//
//     c++ -std=c++20 -pthread coroutine.cpp -lhongyan -o coroutine && ./coroutine CONFIG.json
#include <hongyan.hpp>

#include <coroutine>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>

using namespace std::chrono_literals;

// A send that can be awaited, once.
class sending {
public:
    sending(hongyan::dispatcher &through, hongyan::message what)
        : dispatcher(&through), message(std::move(what)) {}

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waits) {
        dispatcher->send(message, [this, waits](hongyan::result told) {
            result = std::move(told);
            waits.resume();
        });
    }
    hongyan::result await_resume() noexcept { return std::move(result); }

private:
    hongyan::dispatcher *dispatcher;
    hongyan::message message;
    hongyan::result result;
};

// A coroutine that nobody waits for: it begins at once, and frees itself.
struct task {
    struct promise_type {
        task get_return_object() noexcept { return {}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
    };
};

// The second message only if the first has arrived.
static task converse(hongyan::dispatcher &dispatcher, int &sent, bool &over) {
    const auto say = [](const char *text) {
        return hongyan::message("fanfou-basic").to("user", "lisztli").text(text);
    };
    for (const char *text : {"are you there?", "then listen", "that was all"}) {
        sending message(dispatcher, say(text));
        const hongyan::result result = co_await message;
        std::cout << text << ": " << (result.sent() ? "sent" : "not known to be sent") << '\n';
        if (!result.sent())
            break;
        sent++;
    }
    over = true;
}

int main(int argc, char **argv) try {
    std::ifstream file(argc > 1 ? argv[1] : "./hongyan.json");
    const std::string config{std::istreambuf_iterator<char>(file), {}};
    hongyan::client client(config);
    hongyan::dispatcher dispatcher(client);
    int sent = 0;
    bool over = false;
    converse(dispatcher, sent, over);
    // One thread is enough: the coroutine goes on in here.
    while (!over)
        dispatcher.run_for(1s);
    return sent == 3 ? 0 : 1;
} catch (const hongyan::exception &e) {
    std::cerr << e.what() << '\n';
    return 1;
}
