// Checks that stop the program and say what was not so, and clients of the two servers.
//
// Every program takes the base URL of a sandbox and the base URL of a hostile server
// (tests/support/hostile.rs).
#ifndef CHECK_HPP
#define CHECK_HPP

#include <hongyan.hpp>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#define CHECK(condition)                                                                          \
    do {                                                                                          \
        if (!(condition))                                                                         \
            fail(__FILE__, __LINE__, #condition);                                                 \
    } while (0)

// The call throws hongyan::exception with this code.
#define THROWS(call, expected)                                                                    \
    do {                                                                                          \
        bool thrown = false;                                                                      \
        try {                                                                                     \
            static_cast<void>(call);                                                              \
        } catch (const hongyan::exception &e) {                                                   \
            thrown = true;                                                                        \
            if (e.code() != (expected))                                                           \
                fail(__FILE__, __LINE__, e.what());                                               \
        }                                                                                         \
        if (!thrown)                                                                              \
            fail(__FILE__, __LINE__, #call " throws");                                            \
    } while (0)

[[noreturn]] inline void fail(const char *file, int line, std::string_view what) {
    std::cerr << file << ':' << line << ": not so: " << what << '\n';
    std::exit(1);
}

// Longer than any answer should take; a test that meets it fails.
inline constexpr hongyan::milliseconds patience{300000};

inline std::string config(std::string_view base, std::string_view path, std::string_view more = "") {
    std::string text = R"({"v":1,"accounts":{"ff":{"service":"fanfou","auth":{"type":"basic",)"
                       R"("username":"test","password":"pwd"},"base_url":")";
    text += base;
    text += '/';
    text += path;
    text += "\"}}";
    text += more;
    return text + '}';
}

inline hongyan::message hello() { return hongyan::message("ff").to("user", "lisztli").text("hello"); }

// Never due while a test runs.
inline hongyan::message later() { return hello().set("not_before_ms", "4000000000000"); }

#endif
