// Runs the cases of one file in C++, as README.md tells: runner URL FOLDER NAME COUNT. "compare" tests the
// comparison.
#include <hongyan.hpp>

#include "http.h"

#include <jansson.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace std::chrono_literals;

namespace {

struct not_so : std::runtime_error {
    using std::runtime_error::runtime_error;
};

void demand(bool holds, const std::string &what) {
    if (!holds)
        throw not_so(what);
}

/// A value of JSON.
class json {
public:
    explicit json(json_t *raw = nullptr, bool own = false) : raw_(own ? raw : json_incref(raw)) {}
    json(const json &other) : raw_(json_incref(other.raw_)) {}
    json &operator=(const json &) = delete;
    ~json() { json_decref(raw_); }
    static json parse(std::string_view text) {
        const std::size_t flags = JSON_ALLOW_NUL | JSON_DECODE_ANY | JSON_REJECT_DUPLICATES;
        return json(json_loadb(text.data(), text.size(), flags, nullptr), true);
    }

    explicit operator bool() const { return raw_ != nullptr; }
    json operator[](const char *name) const { return json(json_object_get(raw_, name)); }
    bool is(json_type type) const { return raw_ != nullptr && json_typeof(raw_) == type; }
    bool is_number() const { return json_is_number(raw_); }
    double number() const { return json_number_value(raw_); }
    std::string text() const { return std::string(json_string_value(raw_), json_string_length(raw_)); }
    std::string dump() const {
        char *raw = raw_ == nullptr ? nullptr : json_dumps(raw_, JSON_COMPACT | JSON_ENCODE_ANY);
        const std::string all = raw == nullptr ? "nothing" : raw;
        std::free(raw);
        return all;
    }
    std::vector<json> items() const {
        std::vector<json> all;
        for (std::size_t i = 0; i < json_array_size(raw_); i++)
            all.emplace_back(json_array_get(raw_, i));
        return all;
    }
    std::map<std::string, json> members() const {
        std::map<std::string, json> all;
        for (void *at = json_object_iter(raw_); at != nullptr; at = json_object_iter_next(raw_, at))
            all.emplace(json_object_iter_key(at), json(json_object_iter_value(at)));
        return all;
    }

private:
    json_t *raw_;
};

bool is_equal(const json &expect, const json &found) {
    if (expect.is_number())
        return found.is_number() && expect.number() == found.number();
    if (!expect.is(JSON_STRING))
        return expect.is(JSON_NULL) ? found.is(JSON_NULL)
                                    : found.is(expect.is(JSON_TRUE) ? JSON_TRUE : JSON_FALSE);
    if (expect.text() == "{string}")
        return found.is(JSON_STRING) && !found.text().empty();
    if (expect.text() == "{number}")
        return found.is_number();
    return found.is(JSON_STRING) && expect.text() == found.text();
}

/// Throws where `found` is not what `expect` asks for.
void check(const json &expect, const json &found, const std::string &where = "$") {
    const std::string told = where + ": expected " + expect.dump() + ", found " + found.dump();
    if (expect.is(JSON_OBJECT)) {
        demand(found.is(JSON_OBJECT), told);
        for (const auto &[name, value] : expect.members()) {
            demand(bool(found[name.c_str()]), told);
            check(value, found[name.c_str()], where + '.' + name);
        }
    } else if (expect.is(JSON_ARRAY)) {
        const std::vector<json> wanted = expect.items(), there = found.items();
        demand(found.is(JSON_ARRAY) && wanted.size() == there.size(), told);
        for (std::size_t i = 0; i < wanted.size(); i++)
            check(wanted[i], there[i], where + '[' + std::to_string(i) + ']');
    } else {
        demand(bool(expect) && is_equal(expect, found), told);
    }
}

json ask(const std::string &url, const std::string &what, const json &body) {
    const std::size_t space = what.find(' ');
    const std::string method = what.substr(0, space), path = what.substr(space + 1), sent = body.dump();
    char *raw = nullptr;
    const int status = http_ask(url.c_str(), method.c_str(), path.c_str(),
                                body ? sent.c_str() : nullptr, &raw);
    const std::string answer = raw == nullptr ? "" : raw;
    std::free(raw);
    demand(status / 100 == 2, "the sandbox answers otherwise: " + answer);
    return json::parse(answer);
}

/// One case: its client, its queue, and the results that came.
class run {
public:
    run(const std::string &url, const json &config)
        : url_(url), client_(config.dump()), queue_(client_.queue()) {}

    void take(const json &step) {
        const std::string op = step["op"] ? step["op"].text() : "";
        const auto known = members.find(op);
        demand(known != members.end(), "an op that nobody knows: " + op);
        for (const auto &member : step.members())
            demand(member.first == "op" || known->second.count(member.first) == 1,
                   "a member that nobody knows: " + member.first);
        if (op == "sandbox") {
            const json answer = ask(url_, step["do"].text(), step["body"]);
            if (step["expect"])
                check(step["expect"], answer);
        } else if (op == "open") {
            call(step, [&] { hongyan::client other(step["config"].dump()); });
        } else if (op == "send") {
            call(step, [&] {
                const hongyan::result sent = client_.send(message(step), timeout(step));
                if (!step["error"])
                    check(step["expect"], json::parse(sent.json()));
            });
        } else if (op == "submit") {
            call(step, [&] {
                hongyan::submit_options options;
                options.token = ops_.size();
                options.timeout = timeout(step);
                ops_.push_back(client_.submit_to(queue_, message(step), options));
                names_.push_back(step["as"].text());
            });
        } else if (op == "result") {
            check(step["expect"], json::parse(result_of(index(step)).json()));
            seen_.insert(index(step));
        } else if (op == "cancel") {
            ops_[index(step)].cancel();
        } else if (op == "close") {
            check(step["unfinished"], json::parse(std::to_string(client_.close(timeout(step)))));
        } else {
            demand(seen_.size() == ops_.size(), "a result that nobody looked at");
            hongyan::error why;
            queue_.wait(patience, why);
            demand(why.code() == hongyan::errc::closed, "the queue has not ended");
        }
    }

private:
    static constexpr hongyan::milliseconds patience = 5min;
    static inline const std::map<std::string, std::set<std::string>> members = {
        {"sandbox", {"do", "body", "expect"}},
        {"open", {"config", "error"}},
        {"send", {"message", "json", "timeout_ms", "expect", "error"}},
        {"submit", {"as", "message", "json", "timeout_ms", "error"}},
        {"result", {"of", "expect"}},
        {"cancel", {"of"}},
        {"close", {"timeout_ms", "unfinished"}},
        {"end", {}},
    };

    /// Does what a step does, and compares the exception where it is to fail.
    template <class Call> static void call(const json &step, const Call &does) {
        try {
            does();
        } catch (const hongyan::exception &why) {
            demand(bool(step["error"]), why.what());
            return check(step["error"], json::parse(why.detail_json()));
        }
        demand(!step["error"], "the call did not fail");
    }

    static std::string message(const json &step) {
        return step["json"] ? step["json"].text() : step["message"].dump();
    }

    static hongyan::milliseconds timeout(const json &step) {
        return hongyan::milliseconds(
            step["timeout_ms"] ? static_cast<std::int64_t>(step["timeout_ms"].number()) : -1);
    }

    std::size_t index(const json &step) const {
        for (std::size_t i = 0; i < names_.size(); i++)
            if (names_[i] == step["of"].text())
                return i;
        throw not_so("no such submit: " + step["of"].text());
    }

    const hongyan::result &result_of(std::size_t wanted) {
        while (results_.count(wanted) == 0) {
            hongyan::result one = queue_.wait(patience);
            demand(bool(one), "no result");
            const auto token = static_cast<std::size_t>(one.token());
            demand(token < ops_.size() && results_.emplace(token, std::move(one)).second,
                   "whose result is it");
        }
        return results_.at(wanted);
    }

    std::string url_;
    hongyan::client client_;
    hongyan::queue queue_;
    std::vector<hongyan::op> ops_;
    std::vector<std::string> names_;
    std::map<std::size_t, hongyan::result> results_;
    std::set<std::size_t> seen_;
};

void compare(const json &pair) {
    bool fits = true;
    try {
        check(pair["expect"], pair["found"]);
    } catch (const not_so &) {
        fits = false;
    }
    demand(fits == pair["fits"].is(JSON_TRUE), "compared otherwise: " + pair.dump());
}

std::string replaced(std::string text, const std::string &from, const std::string &to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
    return text;
}

} // namespace

int main(int argc, char **argv) {
    std::string place = "usage: runner URL FOLDER NAME COUNT";
    try {
        demand(argc == 5, "");
        const std::string url = argv[1], name = argv[3];
        std::stringstream text;
        text << std::ifstream(std::string(argv[2]) + '/' + name + ".json", std::ios::binary).rdbuf();
        const std::string port = url.substr(url.rfind(':') + 1);
        const json file = json::parse(replaced(replaced(text.str(), "{sandbox}", url), "{port}", port));
        place = name;
        demand(bool(file), "no JSON");
        std::size_t ran = 0;
        for (const json &pair : file["pairs"].items()) {
            compare(pair);
            ran++;
        }
        for (const json &one : file["cases"].items()) {
            place = name + ": " + one["name"].text();
            ask(url, "POST /_/reset", json());
            run taken(url, one["config"] ? one["config"] : file["config"]);
            std::size_t number = 0;
            for (const json &step : one["steps"].items()) {
                place = name + ": " + one["name"].text() + ": step " + std::to_string(++number);
                taken.take(step);
            }
            ran++;
        }
        place = name;
        demand(std::to_string(ran) == argv[4], std::to_string(ran) + " cases, the index says " + argv[4]);
        std::cout << "conformance: " << ran << " cases of " << name << '\n';
        return 0;
    } catch (const std::exception &why) {
        std::cerr << place << ": " << why.what() << '\n';
        return 1;
    }
}
