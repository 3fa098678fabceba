// Sends many messages at once: a future for one of them, callbacks for the others, on a thread of ours.
//
//     c++ -std=c++17 -pthread futures.cpp -lhongyan -o futures && ./futures CONFIG.json USER...
#include <hongyan.hpp>

#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>

using namespace std::chrono_literals;

int main(int argc, char **argv) try {
    if (argc < 3) {
        std::cerr << "usage: futures CONFIG.json USER...\n";
        return 2;
    }
    std::ifstream file(argv[1]);
    const std::string config{std::istreambuf_iterator<char>(file), {}};
    hongyan::client client(config);
    hongyan::dispatcher dispatcher(client);
    // No callback runs anywhere but here.
    std::thread drain([&] { dispatcher.run(); });

    const auto hello = [](const std::string &user) {
        return hongyan::message("fanfou-basic").to("user", user).text("hello, " + user);
    };
    std::future<hongyan::result> first = dispatcher.send(hello(argv[2]));
    for (int i = 3; i < argc; i++) {
        dispatcher.send(hello(argv[i]), [user = argv[i]](hongyan::result result) {
            std::cout << user << (result.sent() ? ": sent\n" : ": not known to be sent\n");
        });
    }
    const bool sent = first.get().sent();
    // Lets what is under way finish; run() returns once every result was handed out.
    client.close(10s);
    drain.join();
    std::cout << argv[2] << (sent ? ": sent\n" : ": not known to be sent\n");
    return 0;
} catch (const hongyan::exception &e) {
    std::cerr << e.what() << '\n';
    return 1;
}
