// hongyan::message: the JSON that it becomes, and what the library makes of it.
#include "check.hpp"

using namespace std::chrono_literals;
using hongyan::message;

static void json_of_a_message() {
    const std::string all =
        message("a\"b")
            .to("chat", "47\n11")
            .to("users", {"x", "y"})
            .to("users", {"z"})
            .text("first")
            .text("tab\tslash\\ \x01 \xe9\xb8\xbf")
            .title("T")
            .format(hongyan::format::markdown)
            .silent()
            .priority(hongyan::priority::urgent)
            .overflow(hongyan::overflow::split)
            .thread("th")
            .reply_to("r")
            .key("k")
            .ordered()
            .deadline(5s)
            .not_before(std::chrono::system_clock::time_point(1h))
            .extra("mode", "lite")
            .extra_json("n", "[1]")
            .part_json(R"({"type":"text","text":"p"})")
            .file_at("/x")
            .file_at_url("https://u/")
            .file("f", "text/plain", std::string_view("\0\xff!", 3))
            .file("g", "", "ab")
            .json();
    const std::string expected =
        R"({"v":1,"account":"a\"b","text":"tab\u0009slash\\ \u0001 )"
        "\xe9\xb8\xbf"
        R"(","title":"T","format":"markdown","silent":true,"priority":"urgent","overflow":"split",)"
        R"("thread":"th","reply_to":"r","key":"k","ordered":true,"deadline_ms":5000,)"
        R"("not_before_ms":3600000,"to":{"chat":"47\u000a11","users":["x","y","z"]},)"
        R"("parts":[{"type":"text","text":"p"}],"extra":{"mode":"lite","n":[1]},)"
        R"("attachments":[{"path":"/x"},{"url":"https://u/"},)"
        R"({"name":"f","type":"text/plain","data_base64":"AP8h"},{"name":"g","data_base64":"YWI="}]})";
    if (all != expected)
        fail(__FILE__, __LINE__, all + "\n" + expected);
    CHECK(message("").json() == R"({"v":1,"account":""})");
    CHECK(!message("a").has_files() && message("a").file("n", "", "").has_files());
}

// A copy is a message of its own.
static void copies() {
    message one = hello();
    message two = one;
    two.text("other").to("users", {"b"});
    CHECK(one.json() == hello().json());
    CHECK(two.json() != one.json());
}

static void sent_with_files(std::string_view sandbox) {
    hongyan::client client(
        R"({"v":1,"accounts":{"tg":{"service":"telegram","auth":{"type":"bot","token":)"
        R"("110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"},"base_url":")" +
        std::string(sandbox) + R"(/telegram"}}})");
    hongyan::error why;
    // More than the 1 MiB of its JSON: beside it.
    message large = message("tg").to("chat", "4711").text("with a file");
    large.file("large.txt", "text/plain", std::string(std::size_t{2} << 20, 'x'));
    hongyan::result sent = client.send(large, patience, why);
    CHECK(!why && sent);
    if (!sent.sent())
        fail(__FILE__, __LINE__, sent.json());
    const hongyan::op op = client.submit(large);
    hongyan::result queued = client.wait(patience);
    CHECK(queued.sent() && queued.id() == op.id());
    // A queue of its own takes JSON, which cannot be so long, but a small file.
    hongyan::queue queue = client.queue();
    client.submit_to(queue, large);
    hongyan::result refused = queue.wait(patience);
    CHECK(refused.delivery() == hongyan::delivery::not_sent);
    CHECK(refused.error().code() == hongyan::errc::argument);
    client.submit_to(queue, message("tg").to("chat", "4711").text("t").file("s.txt", "", "small"));
    CHECK(queue.wait(patience).sent());
    // What is wrong with a field is told before anything is accepted, or by the result.
    message wrong = message("tg").to("chat", "1").file("f", "", "x").set("no_such_field", "1");
    CHECK(!client.send(wrong, patience, why));
    CHECK(why.code() == hongyan::errc::message);
    THROWS(client.send(wrong, patience), hongyan::errc::message);
}

int main(int argc, char **argv) {
    CHECK(argc >= 3);
    json_of_a_message();
    copies();
    sent_with_files(argv[1]);
    return 0;
}
