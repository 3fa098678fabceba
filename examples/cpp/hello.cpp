// Sends one message and says what became of it.
//
//     c++ -std=c++17 hello.cpp -lhongyan -o hello && ./hello [CONFIG.json]
//
// Exit status: 0 sent, 7 maybe sent, 1 otherwise.
#include <hongyan.hpp>

#include <fstream>
#include <iostream>
#include <iterator>

using namespace std::chrono_literals;

int main(int argc, char **argv) try {
    std::ifstream file(argc > 1 ? argv[1] : "./hongyan.json");
    const std::string config{std::istreambuf_iterator<char>(file), {}};
    hongyan::client client(config);

    // Wait for at most ten seconds. A refusal is no failed call: the result tells.
    const hongyan::result result = client.send(
        hongyan::message("fanfou-basic").to("user", "lisztli").text("hello"), 10s);
    switch (result.delivery()) {
    case hongyan::delivery::sent:
        std::cout << "sent, the service calls it " << result.message_id().value_or("nothing") << '\n';
        return 0;
    case hongyan::delivery::maybe_sent:
        std::cout << "maybe sent (" << result.error().message() << "): again may show it twice\n";
        return 7;
    default:
        std::cout << "not sent (" << result.error().message() << "): sending again is safe\n";
        return 1;
    }
} catch (const hongyan::exception &e) {
    std::cerr << e.what() << '\n';
    return 1;
}
