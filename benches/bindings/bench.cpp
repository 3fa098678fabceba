// What a send through hongyan.hpp costs, and what is left of many that were pending: tools/bench-bindings runs it.
//
//     bench submit URL IN_FLIGHT MESSAGES WARM_UP
//     bench pending URL IN_FLIGHT MESSAGES
#include <hongyan.hpp>

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>

extern "C" {
#include "../c/work.h"
}

namespace {

std::string config(const std::string &url, std::uint64_t most) {
    std::string accounts;
    for (int i = 0; i < WORK_ACCOUNTS; i++) {
        const std::string number = std::to_string(i);
        accounts += (i == 0 ? "\"a" : ",\"a") + number + "\":{\"service\":\"weibo\",\"rate\":null,\"base_url\":\"" + url +
                    "\",\"auth\":{\"type\":\"oauth2\",\"token\":\"" WORK_TOKEN + number + "\"}}";
    }
    return "{\"v\":1,\"max_in_flight\":" + std::to_string(most) + ",\"accounts\":{" + accounts + "}}";
}

hongyan::message message(std::uint64_t number) {
    work_message_t m;
    work_message(number, &m);
    return hongyan::message("a" + std::to_string(m.account)).to("user", m.uid).text({m.text, m.text_len});
}

// Sends messages first to first + count, so many at a time; returns how many were refused.
std::uint64_t send(hongyan::dispatcher &dispatcher, unsigned in_flight, std::uint64_t first, std::uint64_t count) {
    std::uint64_t refused = 0, ended = 0, next = first;
    std::function<void()> one = [&] {
        if (next == first + count)
            return;
        dispatcher.send(message(next++), [&](hongyan::result result) {
            if (!result.sent() && result.error().code() == hongyan::errc::forbidden)
                refused++;
            else if (!result.sent() || !result.message_id())
                std::exit(1);
            ended++;
            one();
        });
    };
    for (unsigned i = 0; i < in_flight; i++)
        one();
    while (ended < count)
        dispatcher.run_for(hongyan::forever);
    return refused;
}

double cpu_us() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

std::uint64_t resident() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        std::uint64_t kb = 0;
        if (word == "VmRSS:" && status >> kb)
            return kb * 1024;
    }
    return 0;
}

void pending(hongyan::dispatcher &dispatcher, std::uint64_t count) {
    std::cout << "{\"rounds\": [";
    for (int round = 0; round < 6; round++) {
        std::uint64_t ended = 0;
        std::vector<hongyan::op> ops;
        for (std::uint64_t i = 0; i < count; i++) {
            hongyan::message later = message(i).set("not_before_ms", "4102444800000");
            ops.push_back(dispatcher.send(later, [&](hongyan::result result) {
                if (result.error().code() != hongyan::errc::cancelled)
                    std::exit(1);
                ended++;
            }));
        }
        for (hongyan::op &op : ops)
            op.cancel();
        while (ended < count)
            dispatcher.run_for(hongyan::forever);
        ops.clear();
        std::cout << (round > 0 ? ", " : "") << "{\"rss\": " << resident() << '}';
    }
    std::cout << "]}\n";
}

} // namespace

int main(int argc, char **argv) {
    if (argc < 5)
        return 2;
    const unsigned in_flight = static_cast<unsigned>(std::strtoul(argv[3], nullptr, 10));
    const std::uint64_t count = std::strtoull(argv[4], nullptr, 10);
    work_begin();
    hongyan::client client(config(argv[2], count + 1024));
    hongyan::dispatcher dispatcher(client);
    if (std::string(argv[1]) == "pending") {
        pending(dispatcher, count);
        return 0;
    }
    const std::uint64_t warm_up = argc > 5 ? std::strtoull(argv[5], nullptr, 10) : WORK_WARM_UP;
    send(dispatcher, in_flight, 0, warm_up);
    const double began = cpu_us();
    const std::uint64_t refused = send(dispatcher, in_flight, warm_up, count);
    const double used = cpu_us() - began;
    if (refused != count / WORK_REFUSED_EVERY)
        return 1;
    std::printf("{\"messages\": %llu, \"cpu_us\": %.3f}\n", static_cast<unsigned long long>(count),
                used / static_cast<double>(count));
    return 0;
}
