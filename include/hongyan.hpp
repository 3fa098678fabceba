// hongyan for C++17: what hongyan.h declares, as types that free what they hold. Header only.
//
//     hongyan::client client(config_json);
//     hongyan::result result = client.send(
//         hongyan::message("ops").to("chat", "4711").title("Backup").text("done"), 10s);
//     if (!result.sent())
//         std::cerr << result.error().message() << '\n';
//
// Rules that hold for all of it:
//
//  1. An object owns what it stands for, moves, and does not copy; one that was moved from, or was never
//     given anything, is empty, tests false, and is free to be assigned to or destroyed. An error_view and
//     a string_view borrow from the object that gave them.
//  2. Each function that can fail comes twice. Without a last argument `error &` it throws
//     hongyan::exception. With one it throws no such exception: the error is written there (and cleared
//     where there is none), and an empty object or 0 is returned. Only memory that runs out throws then.
//  3. A failed delivery is no failed call: it is a result, whose delivery() and error() tell. Who prefers
//     exceptions calls result.throw_unless_sent().
//  4. Threads are as in hongyan.h: clients, queues, results and errors may be used from any number of
//     threads, a message by one at a time; nothing may be destroyed while another thread is about to use
//     it. No function of a client or a queue may be called from within the log function.
//  5. No callback is ever called on a thread of the library, save what set_log() is given: only in
//     dispatcher::run() and its like, on the thread that called them.
//
// It needs the C library of the same version or a newer one, and adds no symbol to it.
#ifndef HONGYAN_HPP
#define HONGYAN_HPP

#if !(__cplusplus >= 201703L || (defined(_MSVC_LANG) && _MSVC_LANG >= 201703L))
#error "hongyan.hpp needs C++17 or later"
#endif

#include <hongyan.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace hongyan {

using std::chrono::milliseconds;

/// A time-out without end.
inline constexpr milliseconds forever{-1};

/// What became of a message.
enum class delivery : std::int32_t {
    not_sent = HY_NOT_SENT,       ///< Nothing was sent: sending again cannot duplicate.
    maybe_sent = HY_MAYBE_SENT,   ///< Nobody can know whether it was sent.
    sent = HY_SENT,               ///< The service said that it has the message.
    partly_sent = HY_PARTLY_SENT, ///< Some of its recipients or parts have arrived, the others surely not.
};

/// Who accepted a message.
enum class origin : std::int32_t {
    this_run = HY_THIS_RUN,
    earlier_run = HY_EARLIER_RUN,
};

/// Why something failed; hongyan.h says more of each. A newer library may have more codes.
enum class errc : std::int32_t {
    ok = HY_OK,
    internal = HY_E_INTERNAL,
    panic = HY_E_PANIC,
    argument = HY_E_ARGUMENT,
    config = HY_E_CONFIG,
    closed = HY_E_CLOSED,
    forked = HY_E_FORKED,
    full = HY_E_FULL,
    cancelled = HY_E_CANCELLED,
    reentrant = HY_E_REENTRANT,
    message = HY_E_MESSAGE,
    unsupported = HY_E_UNSUPPORTED,
    expired = HY_E_EXPIRED,
    storage = HY_E_STORAGE,
    locked = HY_E_LOCKED,
    unavailable = HY_E_UNAVAILABLE,
    timeout = HY_E_TIMEOUT,
    network = HY_E_NETWORK,
    tls = HY_E_TLS,
    protocol = HY_E_PROTOCOL,
    auth = HY_E_AUTH,
    forbidden = HY_E_FORBIDDEN,
    not_found = HY_E_NOT_FOUND,
    rate_limited = HY_E_RATE_LIMITED,
    too_large = HY_E_TOO_LARGE,
    rejected = HY_E_REJECTED,
    service = HY_E_SERVICE,
    duplicate = HY_E_DUPLICATE,
    dropped = HY_E_DROPPED,
    quota = HY_E_QUOTA,
};

namespace detail {

/// Text of the library that may not be there.
inline std::optional<std::string_view> maybe(const char *text, std::size_t len) {
    if (text == nullptr)
        return std::nullopt;
    return std::string_view(text, len);
}

inline std::string_view view(const char *text, std::size_t len) {
    return text == nullptr ? std::string_view() : std::string_view(text, len);
}

/// Text of the caller; a view of nothing may have no address.
inline const char *data(std::string_view text) {
    return text.data() == nullptr ? "" : text.data();
}

inline std::int64_t count(milliseconds time) {
    return static_cast<std::int64_t>(time.count());
}

/// A handle of the library, freed by Free.
template <class T, void (*Free)(T *)> struct freed {
    void operator()(T *handle) const noexcept { Free(handle); }
};
template <class T, void (*Free)(T *)> using handle = std::unique_ptr<T, freed<T, Free>>;

/// Adds a JSON string.
inline void quote(std::string &out, std::string_view text) {
    static constexpr char digits[] = "0123456789abcdef";
    out += '"';
    for (char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20) {
            out += "\\u00";
            out += digits[byte >> 4];
            out += digits[byte & 15];
        } else {
            out += c;
        }
    }
    out += '"';
}

inline std::string quoted(std::string_view text) {
    std::string out;
    quote(out, text);
    return out;
}

inline std::string base64(std::string_view bytes) {
    static constexpr char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t left = bytes.size() - i;
        std::uint32_t three = 0;
        for (std::size_t k = 0; k < 3; k++)
            three = three << 8 | (k < left ? static_cast<unsigned char>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; k++)
            out += k <= left ? digits[three >> (18 - 6 * k) & 63] : '=';
    }
    return out;
}

} // namespace detail

/// An error that belongs to somebody else: to a result, or to an error. Empty: there is none.
class error_view {
public:
    error_view() noexcept = default;
    explicit error_view(const hy_error_t *raw) noexcept : error_(raw) {}

    /// True if there is an error.
    explicit operator bool() const noexcept { return error_ != nullptr; }
    errc code() const noexcept { return static_cast<errc>(hy_error_code(error_)); }
    /// The name of the code, such as "rate_limited".
    std::string_view name() const noexcept { return hy_error_name(error_); }
    /// What went wrong, in words for people: never a secret.
    std::string_view message() const noexcept {
        std::size_t len = 0;
        const char *text = hy_error_message(error_, &len);
        return detail::view(text, len);
    }
    /// All that is known of it, as a JSON object.
    std::string_view detail_json() const noexcept {
        std::size_t len = 0;
        const char *text = hy_error_detail_json(error_, &len);
        return detail::view(text, len);
    }
    /// True only if nothing was sent and a later try may work.
    bool is_retryable() const noexcept { return hy_error_is_retryable(error_) != 0; }
    /// How long to wait before that, where somebody told.
    std::optional<milliseconds> retry_after() const noexcept {
        const std::int64_t ms = hy_error_retry_after_ms(error_);
        if (ms < 0)
            return std::nullopt;
        return milliseconds(ms);
    }
    const hy_error_t *get() const noexcept { return error_; }

private:
    const hy_error_t *error_ = nullptr;
};

/// An error that is one's own. Empty: there is none.
class error {
public:
    error() noexcept = default;
    /// Takes over what a function of hongyan.h returned.
    explicit error(hy_error_t *raw) noexcept : error_(raw) {}

    /// True if there is an error.
    explicit operator bool() const noexcept { return error_ != nullptr; }
    operator error_view() const noexcept { return error_view(error_.get()); }
    error_view view() const noexcept { return error_view(error_.get()); }
    errc code() const noexcept { return view().code(); }
    std::string_view name() const noexcept { return view().name(); }
    std::string_view message() const noexcept { return view().message(); }
    std::string_view detail_json() const noexcept { return view().detail_json(); }
    bool is_retryable() const noexcept { return view().is_retryable(); }
    std::optional<milliseconds> retry_after() const noexcept { return view().retry_after(); }

private:
    detail::handle<hy_error_t, hy_error_free> error_;
};

/// What functions throw that fail. Copies share what is told.
class exception : public std::runtime_error {
public:
    explicit exception(error_view why) : exception(why, why.detail_json()) {}
    /// With another JSON object that tells more, such as that of a whole result.
    exception(error_view why, std::string_view json)
        : std::runtime_error(words(why)), code_(why.code()), is_retryable_(why.is_retryable()),
          retry_after_(why.retry_after()), json_(std::make_shared<const std::string>(json)) {}

    errc code() const noexcept { return code_; }
    bool is_retryable() const noexcept { return is_retryable_; }
    std::optional<milliseconds> retry_after() const noexcept { return retry_after_; }
    /// All that is known of it, as a JSON object: of the error, or of the whole result.
    std::string_view detail_json() const noexcept { return *json_; }

private:
    static std::string words(error_view why) {
        std::string text(why.name());
        text += ": ";
        text += why.message();
        return text;
    }

    errc code_;
    bool is_retryable_;
    std::optional<milliseconds> retry_after_;
    std::shared_ptr<const std::string> json_;
};

namespace detail {

inline void check(const error &failed) {
    if (failed)
        throw exception(failed);
}

} // namespace detail

/// How one of several recipients fared; borrowed from its result.
struct recipient {
    std::string_view value;
    hongyan::delivery delivery = hongyan::delivery::not_sent;
    error_view error;
};

/// The outcome of one send. Empty: there is none, since a wait brought nothing or a call failed.
class result {
public:
    result() noexcept = default;
    /// Takes over what a function of hongyan.h gave.
    explicit result(hy_result_t *raw) noexcept : result_(raw) {}

    /// True if there is a result.
    explicit operator bool() const noexcept { return result_ != nullptr; }
    hongyan::delivery delivery() const noexcept {
        return static_cast<hongyan::delivery>(hy_result_delivery(get()));
    }
    bool sent() const noexcept { return delivery() == hongyan::delivery::sent; }
    /// Why the message is not sent, not to all, or perhaps not sent; empty: delivered.
    error_view error() const noexcept { return error_view(hy_result_error(get())); }
    /// Throws what error() tells, if it tells something.
    void throw_unless_sent() const {
        if (error_view why = error())
            throw exception(why, json());
    }
    /// What was given with the submit; 0 for a blocking send.
    std::uint64_t token() const noexcept { return hy_result_token(get()); }
    hongyan::origin origin() const noexcept {
        return static_cast<hongyan::origin>(hy_result_origin(get()));
    }
    /// The library's own id of the message, a ULID.
    std::string_view id() const noexcept { return text(hy_result_id).value_or(std::string_view()); }
    std::optional<std::string_view> key() const noexcept { return text(hy_result_key); }
    /// The service's id of the message, exact to the last digit.
    std::optional<std::string_view> message_id() const noexcept { return text(hy_result_message_id); }
    std::string_view account() const noexcept {
        return text(hy_result_account).value_or(std::string_view());
    }
    std::optional<std::string_view> service() const noexcept { return text(hy_result_service); }
    milliseconds elapsed() const noexcept { return milliseconds(hy_result_elapsed_ms(get())); }
    std::uint32_t attempts() const noexcept { return hy_result_attempts(get()); }
    bool is_deduplicated() const noexcept { return hy_result_is_deduplicated(get()) != 0; }
    /// Those of the kinds that are lists, in the order of the message, each with its own verdict.
    std::vector<recipient> recipients() const {
        std::vector<recipient> all(hy_result_recipient_count(get()));
        for (std::size_t i = 0; i < all.size(); i++) {
            const char *value = nullptr;
            std::size_t len = 0;
            std::int32_t told = HY_NOT_SENT;
            const hy_error_t *why = nullptr;
            // Never fails: the index is within the count.
            hongyan::error none(hy_result_recipient(get(), i, &value, &len, &told, &why));
            all[i].value = detail::view(value, len);
            all[i].delivery = static_cast<hongyan::delivery>(told);
            all[i].error = error_view(why);
        }
        return all;
    }
    /// Everything about it, as a JSON object.
    std::string_view json() const noexcept { return text(hy_result_json).value_or(std::string_view()); }
    const hy_result_t *get() const noexcept { return result_.get(); }

private:
    std::optional<std::string_view> text(const char *(*of)(const hy_result_t *, std::size_t *)) const
        noexcept {
        std::size_t len = 0;
        const char *found = of(get(), &len);
        return detail::maybe(found, len);
    }

    detail::handle<hy_result_t, hy_result_free> result_;
};

/// A submitted send. To let go of it does not cancel the send.
class op {
public:
    op() noexcept = default;
    /// Takes over what a function of hongyan.h gave.
    explicit op(hy_op_t *raw) noexcept : op_(raw) {}

    explicit operator bool() const noexcept { return op_ != nullptr; }
    /// The library's own id of the message, which its result will have too.
    std::string_view id() const noexcept {
        std::size_t len = 0;
        const char *text = hy_op_id(op_.get(), &len);
        return detail::view(text, len);
    }
    /// Asks for the end of the send; its result says what became true.
    void cancel() noexcept { hy_op_cancel(op_.get()); }

private:
    detail::handle<hy_op_t, hy_op_free> op_;
};

namespace detail {

/// What a client and a queue have alike: results that come, and are waited for.
template <class Handle,
          hy_error_t *(*Take)(Handle *, std::int64_t, hy_result_t **, std::size_t, std::size_t *),
          void (*Interrupt)(Handle *), hy_error_t *(*Poll)(Handle *, std::intptr_t *),
          void (*Free)(Handle *)>
class source {
public:
    explicit operator bool() const noexcept { return handle_ != nullptr; }

    /// Waits for one result; empty when the time ran out or somebody interrupted. Fails with errc::closed
    /// once the client is closed and every result of it was taken.
    result wait(milliseconds timeout, error &why) noexcept {
        hy_result_t *one = nullptr;
        std::size_t count = 0;
        why = error(Take(get(), detail::count(timeout), &one, 1, &count));
        return result(one);
    }
    result wait(milliseconds timeout = forever) {
        error why;
        result one = wait(timeout, why);
        detail::check(why);
        return one;
    }
    /// Waits until there is a result, and takes as many as there are, at most so many.
    std::vector<result> wait_many(milliseconds timeout, std::size_t most, error &why) {
        std::vector<hy_result_t *> raw(most);
        std::vector<result> results;
        results.reserve(most);
        std::size_t count = 0;
        why = error(Take(get(), detail::count(timeout), raw.data(), most, &count));
        for (std::size_t i = 0; i < count; i++)
            results.emplace_back(raw[i]);
        return results;
    }
    std::vector<result> wait_many(milliseconds timeout = forever, std::size_t most = 256) {
        error why;
        std::vector<result> results = wait_many(timeout, most, why);
        detail::check(why);
        return results;
    }
    /// Makes the waits now running, or else the next one, return at once with nothing.
    void interrupt() noexcept { Interrupt(get()); }
    /// What to poll: readable while results wait. It is the library's and lives as long as this.
    std::intptr_t poll_handle(error &why) noexcept {
        std::intptr_t found = -1;
        why = error(Poll(get(), &found));
        return found;
    }
    std::intptr_t poll_handle() {
        error why;
        const std::intptr_t found = poll_handle(why);
        detail::check(why);
        return found;
    }
    Handle *get() const noexcept { return handle_.get(); }

protected:
    source() noexcept = default;
    explicit source(Handle *raw) noexcept : handle_(raw) {}

private:
    detail::handle<Handle, Free> handle_;
};

} // namespace detail

/// What a text is written in.
enum class format { plain, markdown, html };
enum class priority { low, normal, high, urgent };
/// What becomes of a text that is too long.
enum class overflow { refuse, truncate, split };

/// A message in the making: each function adds to it and gives it back.
///
///     message("ops").to("chat", "4711").text("hello")
///
/// Nothing is judged before it is sent: what is wrong with it is told by its result. A message may be
/// copied, and sent any number of times: each send is a message of its own.
class message {
public:
    explicit message(std::string_view account) : account_(account) {}

    /// To whom, of the kinds that name one: user, chat, channel, ...
    message &to(std::string_view kind, std::string_view value) {
        to_.push_back({std::string(kind), false, {std::string(value)}});
        return *this;
    }
    /// To whom, of the kinds that are lists: users, emails, phones, ... May be repeated.
    message &to(std::string_view kind, const std::vector<std::string> &values) {
        for (recipients &known : to_) {
            if (known.list && known.kind == kind) {
                known.values.insert(known.values.end(), values.begin(), values.end());
                return *this;
            }
        }
        to_.push_back({std::string(kind), true, values});
        return *this;
    }
    message &to(std::string_view kind, std::initializer_list<std::string> values) {
        return to(kind, std::vector<std::string>(values));
    }
    message &text(std::string_view words) { return set("text", detail::quoted(words)); }
    message &title(std::string_view words) { return set("title", detail::quoted(words)); }
    message &format(hongyan::format of) {
        static constexpr const char *words[] = {"\"plain\"", "\"markdown\"", "\"html\""};
        return set("format", words[static_cast<int>(of)]);
    }
    message &silent(bool yes = true) { return set("silent", yes ? "true" : "false"); }
    message &priority(hongyan::priority of) {
        static constexpr const char *words[] = {"\"low\"", "\"normal\"", "\"high\"", "\"urgent\""};
        return set("priority", words[static_cast<int>(of)]);
    }
    message &overflow(hongyan::overflow way) {
        static constexpr const char *words[] = {"\"refuse\"", "\"truncate\"", "\"split\""};
        return set("overflow", words[static_cast<int>(way)]);
    }
    message &thread(std::string_view id) { return set("thread", detail::quoted(id)); }
    message &reply_to(std::string_view id) { return set("reply_to", detail::quoted(id)); }
    /// An idempotency key: messages of one account with one key are one message.
    message &key(std::string_view name) { return set("key", detail::quoted(name)); }
    /// After the earlier ordered messages to the same recipient.
    message &ordered(bool yes = true) { return set("ordered", yes ? "true" : "false"); }
    /// How long it is worth sending, from its accept on.
    message &deadline(milliseconds time) { return set("deadline_ms", std::to_string(time.count())); }
    message &not_before(std::chrono::system_clock::time_point time) {
        const auto since = std::chrono::duration_cast<milliseconds>(time.time_since_epoch());
        return set("not_before_ms", std::to_string(since.count()));
    }
    /// Adds an element of "parts", given as JSON.
    message &part_json(std::string_view json) {
        parts_.emplace_back(json);
        return *this;
    }
    /// Adds a parameter of the service under its own name, given as JSON.
    message &extra_json(std::string_view name, std::string_view json) {
        extra_.emplace_back(name, json);
        return *this;
    }
    message &extra(std::string_view name, std::string_view words) {
        return extra_json(name, detail::quoted(words));
    }
    /// Sends a file along, which is read when the message is accepted.
    message &file_at(std::string_view path) {
        attachments_.push_back("{\"path\":" + detail::quoted(path) + "}");
        return *this;
    }
    /// The same of a URL, where the service itself fetches it.
    message &file_at_url(std::string_view url) {
        attachments_.push_back("{\"url\":" + detail::quoted(url) + "}");
        return *this;
    }
    /// Sends these bytes along as a file, copied once for all copies of the message; an empty type is
    /// told by the name.
    message &file(std::string_view name, std::string_view type, std::string_view bytes) {
        files_.push_back({std::string(name), std::string(type),
                          std::make_shared<const std::string>(bytes)});
        return *this;
    }
    /// Sets any field by its name, in place of what it was, given as JSON.
    message &set(std::string_view field, std::string_view json) {
        for (auto &[known, value] : fields_) {
            if (known == field) {
                value = json;
                return *this;
            }
        }
        fields_.emplace_back(field, json);
        return *this;
    }

    /// The message as JSON, which is no longer than 1 MiB if it is to be sent; the bytes of its files
    /// stand in it.
    std::string json() const { return json(true); }
    std::string_view account() const noexcept { return account_; }
    /// True if there are bytes of files in it, which need not go within the JSON.
    bool has_files() const noexcept { return !files_.empty(); }

private:
    friend class client;

    struct recipients {
        std::string kind;
        bool list;
        std::vector<std::string> values;
    };
    struct file_bytes {
        std::string name, type;
        std::shared_ptr<const std::string> bytes;
    };
    using named = std::vector<std::pair<std::string, std::string>>;

    static std::string object(const named &fields) {
        std::string out = "{";
        for (const auto &[name, json] : fields) {
            if (out.size() > 1)
                out += ',';
            detail::quote(out, name);
            out += ':';
            out += json;
        }
        return out + '}';
    }

    static std::string array(const std::vector<std::string> &items) {
        std::string out = "[";
        for (const std::string &item : items) {
            if (out.size() > 1)
                out += ',';
            out += item;
        }
        return out + ']';
    }

    /// All fields but the account and the bytes of files.
    named fields() const {
        named all = fields_;
        if (!to_.empty()) {
            named whom;
            for (const recipients &of : to_) {
                std::vector<std::string> values;
                for (const std::string &value : of.values)
                    values.push_back(detail::quoted(value));
                whom.emplace_back(of.kind, of.list ? array(values) : values.front());
            }
            all.emplace_back("to", object(whom));
        }
        if (!parts_.empty())
            all.emplace_back("parts", array(parts_));
        if (!extra_.empty())
            all.emplace_back("extra", object(extra_));
        return all;
    }

    std::string json(bool with_files) const {
        named all = {{"v", "1"}, {"account", detail::quoted(account_)}};
        for (auto &field : fields())
            all.push_back(std::move(field));
        std::vector<std::string> attachments = attachments_;
        if (with_files) {
            for (const file_bytes &one : files_) {
                named given = {{"name", detail::quoted(one.name)}};
                if (!one.type.empty())
                    given.emplace_back("type", detail::quoted(one.type));
                given.emplace_back("data_base64", '"' + detail::base64(*one.bytes) + '"');
                attachments.push_back(object(given));
            }
        }
        if (!attachments.empty())
            all.emplace_back("attachments", array(attachments));
        return object(all);
    }

    using built = detail::handle<hy_message_t, hy_message_free>;

    /// The message as the library builds one, with the bytes of its files beside its JSON.
    built build(hongyan::error &why) const {
        hy_message_t *raw = nullptr;
        why = hongyan::error(hy_message_new(detail::data(account_), account_.size(), &raw));
        built made(raw);
        named all = fields();
        if (!attachments_.empty())
            all.emplace_back("attachments", array(attachments_));
        for (const auto &[name, json] : all) {
            if (why)
                return nullptr;
            why = hongyan::error(
                hy_message_set_json(raw, name.data(), name.size(), json.data(), json.size()));
        }
        for (const file_bytes &one : files_) {
            if (why)
                return nullptr;
            why = hongyan::error(hy_message_add_file(raw, one.name.data(), one.name.size(),
                                                     one.type.empty() ? nullptr : one.type.data(),
                                                     one.type.size(), one.bytes->data(),
                                                     one.bytes->size()));
        }
        return why ? nullptr : std::move(made);
    }

    std::string account_;
    named fields_, extra_;
    std::vector<recipients> to_;
    std::vector<std::string> parts_, attachments_;
    std::vector<file_bytes> files_;
};

/// How a message is submitted.
struct submit_options {
    /// What comes back with the result.
    std::uint64_t token = 0;
    /// How long it may take, retries included. What an outbox keeps has it as its deadline.
    milliseconds timeout = forever;
    /// False: an outbox does not keep it. True: there has to be one. Else as the client is configured.
    std::optional<bool> durable;

    std::string json() const {
        std::string out = "{\"timeout_ms\":" + std::to_string(timeout.count());
        if (durable)
            out += *durable ? ",\"durable\":true" : ",\"durable\":false";
        return out + '}';
    }
};

/// Results of the submits that name it, apart from the client's own queue; made by client::queue().
///
/// It may outlive its client: what waits in it can still be taken. Its end frees what nobody took; what
/// is under way goes on.
class queue : public detail::source<hy_queue_t, hy_queue_wait_many, hy_queue_interrupt,
                                    hy_queue_poll_handle, hy_queue_free> {
public:
    queue() noexcept = default;
    /// Takes over what a function of hongyan.h gave.
    explicit queue(hy_queue_t *raw) noexcept : source(raw) {}
};

/// Many accounts of many services over one runtime.
///
/// It is a source of results itself, those of its own queue. Its end cuts what is still under way: call
/// close() first to let it finish.
class client : public detail::source<hy_client_t, hy_wait_many, hy_interrupt, hy_poll_handle, hy_free> {
public:
    client() noexcept = default;
    /// Takes over what a function of hongyan.h gave.
    explicit client(hy_client_t *raw) noexcept : source(raw) {}
    /// From its configuration JSON. Opens no connection and starts no thread.
    explicit client(std::string_view config_json) {
        error why;
        *this = make(config_json, why);
        detail::check(why);
    }
    static client make(std::string_view config_json, error &why) noexcept {
        hy_client_t *raw = nullptr;
        why = error(hy_init(detail::data(config_json), config_json.size(), &raw));
        return client(raw);
    }

    /// Sends a message on the calling thread and waits for its outcome, retries included.
    result send(std::string_view json, milliseconds timeout, error &why) noexcept {
        hy_result_t *one = nullptr;
        why = error(
            hy_send_json(get(), detail::data(json), json.size(), detail::count(timeout), &one));
        return result(one);
    }
    result send(const message &message, milliseconds timeout, error &why) {
        if (!message.has_files())
            return send(message.json(), timeout, why);
        const auto built = message.build(why);
        hy_result_t *one = nullptr;
        if (built)
            why = error(hy_send(get(), built.get(), detail::count(timeout), &one));
        return result(one);
    }
    result send(std::string_view json, milliseconds timeout = forever) {
        error why;
        result one = send(json, timeout, why);
        detail::check(why);
        return one;
    }
    result send(const message &message, milliseconds timeout = forever) {
        error why;
        result one = send(message, timeout, why);
        detail::check(why);
        return one;
    }

    /// Opens a queue of results, apart from the client's own.
    hongyan::queue queue(error &why) noexcept {
        hy_queue_t *raw = nullptr;
        why = error(hy_queue_new(get(), &raw));
        return hongyan::queue(raw);
    }
    hongyan::queue queue() {
        error why;
        hongyan::queue opened = queue(why);
        detail::check(why);
        return opened;
    }

    /// Submits a message; its one result comes out of the queue, whatever is wrong with the message.
    op submit_to(hongyan::queue &queue, std::string_view json, const submit_options &options,
                 error &why) {
        return submit_raw(queue.get(), json, options, why);
    }
    op submit_to(hongyan::queue &queue, const message &message, const submit_options &options,
                 error &why) {
        return submit_raw(queue.get(), message.json(), options, why);
    }
    template <class Message>
    op submit_to(hongyan::queue &queue, const Message &message, const submit_options &options = {}) {
        error why;
        op submitted = submit_to(queue, message, options, why);
        detail::check(why);
        return submitted;
    }
    /// Submits a message; its one result comes out of the client's own queue, whatever is wrong with it.
    op submit(std::string_view json, const submit_options &options, error &why) {
        return submit_raw(nullptr, json, options, why);
    }
    op submit(const message &message, const submit_options &options, error &why) {
        const bool plain = options.timeout < milliseconds(0) && !options.durable;
        if (!message.has_files() || !plain)
            return submit_raw(nullptr, message.json(), options, why);
        // Beside the JSON they may be longer than that.
        const auto built = message.build(why);
        hy_op_t *raw = nullptr;
        if (built)
            why = error(hy_submit(get(), built.get(), options.token, &raw));
        return op(raw);
    }
    template <class Message> op submit(const Message &message, const submit_options &options = {}) {
        error why;
        op submitted = submit(message, options, why);
        detail::check(why);
        return submitted;
    }

    /// Submits messages, each of them text of JSON; those of an outbox share a transaction. The result of the
    /// i-th has the token first_token + i. It stops at the first refused call; how many were accepted.
    template <class Messages>
    std::size_t submit_many(const Messages &messages, std::uint64_t first_token, error &why) {
        std::vector<const char *> jsons;
        std::vector<std::size_t> lens;
        std::vector<std::uint64_t> tokens;
        for (const auto &one : messages) {
            const std::string_view json(one);
            jsons.push_back(detail::data(json));
            lens.push_back(json.size());
            tokens.push_back(first_token++);
        }
        std::size_t accepted = 0;
        if (jsons.empty())
            why = error();
        else
            why = error(hy_submit_many_json(get(), jsons.data(), lens.data(), tokens.data(),
                                            jsons.size(), &accepted));
        return accepted;
    }
    template <class Messages>
    std::size_t submit_many(const Messages &messages, std::uint64_t first_token) {
        error why;
        const std::size_t accepted = submit_many(messages, first_token, why);
        detail::check(why);
        return accepted;
    }

    /// Says that a result need never be handed out again.
    void acknowledge(const result &result, error &why) noexcept {
        why = error(hy_result_ack(get(), result.get()));
    }
    void acknowledge(const result &result) {
        error why;
        acknowledge(result, why);
        detail::check(why);
    }

    /// Waits until nothing is queued or in flight; how many sends still are.
    std::uint64_t flush(milliseconds timeout, error &why) noexcept {
        std::uint64_t unfinished = 0;
        why = error(hy_flush(get(), detail::count(timeout), &unfinished));
        return unfinished;
    }
    std::uint64_t flush(milliseconds timeout = forever) {
        error why;
        const std::uint64_t unfinished = flush(timeout, why);
        detail::check(why);
        return unfinished;
    }
    /// Accepts nothing more, waits, and cancels the rest; how many those were.
    std::uint64_t close(milliseconds timeout, error &why) noexcept {
        std::uint64_t unfinished = 0;
        why = error(hy_close(get(), detail::count(timeout), &unfinished));
        return unfinished;
    }
    std::uint64_t close(milliseconds timeout = forever) {
        error why;
        const std::uint64_t unfinished = close(timeout, why);
        detail::check(why);
        return unfinished;
    }

    /// Adds an account, or replaces the one of that name.
    void set_account(std::string_view name, std::string_view json, error &why) noexcept {
        why = error(hy_account_set(get(), detail::data(name), name.size(), detail::data(json),
                                   json.size()));
    }
    void set_account(std::string_view name, std::string_view json) {
        error why;
        set_account(name, json, why);
        detail::check(why);
    }
    /// Takes an account away. What waits for it ends not_sent.
    void remove_account(std::string_view name, error &why) noexcept {
        why = error(hy_account_remove(get(), detail::data(name), name.size()));
    }
    void remove_account(std::string_view name) {
        error why;
        remove_account(name, why);
        detail::check(why);
    }
    /// Asks the service of an account whether its credentials work; nothing is sent. It fails if not.
    void check_account(std::string_view name, milliseconds timeout, error &why) noexcept {
        why = error(hy_check_account(get(), detail::data(name), name.size(), detail::count(timeout)));
    }
    void check_account(std::string_view name, milliseconds timeout = forever) {
        error why;
        check_account(name, timeout, why);
        detail::check(why);
    }
    /// Counters of the client and of each account, as JSON.
    std::string stats_json(error &why) {
        char *raw = nullptr;
        std::size_t len = 0;
        why = error(hy_stats_json(get(), &raw, &len));
        return text(raw, len);
    }
    std::string stats_json() {
        error why;
        std::string json = stats_json(why);
        detail::check(why);
        return json;
    }
    /// The request that a message would become, as JSON, with its secrets masked; nothing is sent.
    std::string preview_json(std::string_view json, error &why) {
        char *raw = nullptr;
        std::size_t len = 0;
        why = error(hy_preview_json(get(), detail::data(json), json.size(), &raw, &len));
        return text(raw, len);
    }
    std::string preview_json(std::string_view json) {
        error why;
        std::string preview = preview_json(json, why);
        detail::check(why);
        return preview;
    }
private:
    op submit_raw(hy_queue_t *queue, std::string_view json, const submit_options &options,
                  error &why) {
        const std::string told = options.json();
        hy_op_t *raw = nullptr;
        why = error(hy_submit_to(get(), queue, detail::data(json), json.size(), told.data(),
                                 told.size(), options.token, &raw));
        return op(raw);
    }

    static std::string text(char *raw, std::size_t len) {
        const detail::handle<char, hy_string_free> owned(raw);
        return raw == nullptr ? std::string() : std::string(raw, len);
    }
};

/// Callbacks and futures over a queue of their own, on threads that the caller has.
///
///     hongyan::dispatcher dispatcher(client);
///     std::thread drain([&] { dispatcher.run(); });
///     std::future<hongyan::result> sent = dispatcher.send(message);
///     dispatcher.send(other, [](hongyan::result result) { ... });
///     ...
///     client.close(10s);      // run() returns once every result was handed out
///     drain.join();
///
/// Any thread may send, also from within a callback, and any number of threads may run it. Each callback
/// is called exactly once, by whoever runs it; where the dispatcher ends before, it is destroyed without
/// a call, and its future has a broken promise. The client has to live as long as there are sends.
class dispatcher {
public:
    using callback = std::function<void(result)>;

    explicit dispatcher(hongyan::client &client) : client_(&client), queue_(client.queue()) {}
    dispatcher(const dispatcher &) = delete;
    dispatcher &operator=(const dispatcher &) = delete;

    /// Submits a message, and calls `done` with its result. Where the call fails, `done` is never called.
    /// The token of the options is the dispatcher's.
    template <class Message>
    op send(const Message &message, callback done, const submit_options &options = {}) {
        error why;
        op submitted = send(message, std::move(done), options, why);
        detail::check(why);
        return submitted;
    }
    template <class Message>
    op send(const Message &message, callback done, submit_options options, error &why) {
        return submit(message, std::make_unique<waiting>(std::move(done)), options, why);
    }
    /// Submits a message; the future gets its result. Where the call fails, the future has the exception.
    template <class Message>
    std::future<result> send(const Message &message, const submit_options &options = {}) {
        auto waits = std::make_unique<waiting>();
        std::future<result> future = waits->promise.get_future();
        // The future outlives what holds its promise, so a failed call is told through it.
        std::promise<result> failed;
        error why;
        submit(message, std::move(waits), options, why);
        if (!why)
            return future;
        failed.set_exception(std::make_exception_ptr(exception(why)));
        return failed.get_future();
    }

    /// Hands results out until the client is closed and every result was. What a callback throws comes
    /// out of here; the results after it are handed out by the next run.
    void run() {
        while (run_for(forever) || !ended()) {
        }
    }
    /// Waits at most so long for results and hands out those that there are; how many there were.
    std::size_t run_for(milliseconds timeout) {
        batch results(*this);
        if (results.left.empty()) {
            error why;
            std::vector<result> taken = queue_.wait_many(timeout, 64, why);
            for (result &one : taken)
                results.left.push_back(std::move(one));
            if (why && why.code() == errc::closed)
                end();
            else
                detail::check(why);
        }
        std::size_t handed_out = 0;
        while (!results.left.empty()) {
            result one = std::move(results.left.front());
            results.left.pop_front();
            handed_out++;
            hand_out(std::move(one));
        }
        return handed_out;
    }
    /// The same without waiting: for an event loop that watches poll_handle().
    std::size_t poll() { return run_for(milliseconds(0)); }
    std::intptr_t poll_handle() { return queue_.poll_handle(); }
    /// Makes the running run_for(), or the next one, return at once; run() goes on.
    void interrupt() noexcept { queue_.interrupt(); }
    /// True once the client is closed and every result was handed out.
    bool ended() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return ended_ && left_.empty();
    }
    /// How many sends have not been told of.
    std::size_t pending() const {
        const std::lock_guard<std::mutex> lock(mutex_);
        return waiting_.size();
    }

private:
    /// Who waits for a result: a callback, or else a future.
    struct waiting {
        waiting() = default;
        explicit waiting(callback wants) : done(std::move(wants)) {}
        callback done;
        std::promise<result> promise;
    };

    /// Results that are being handed out; what an exception leaves goes back.
    struct batch {
        explicit batch(dispatcher &of) : of_(of) {
            const std::lock_guard<std::mutex> lock(of_.mutex_);
            left.swap(of_.left_);
        }
        batch(const batch &) = delete;
        batch &operator=(const batch &) = delete;
        ~batch() {
            if (left.empty())
                return;
            const std::lock_guard<std::mutex> lock(of_.mutex_);
            for (result &one : left)
                of_.left_.push_back(std::move(one));
            of_.queue_.interrupt();
        }
        std::deque<result> left;

    private:
        dispatcher &of_;
    };

    template <class Message>
    op submit(const Message &message, std::unique_ptr<waiting> waits, submit_options options,
              error &why) {
        std::uint64_t token = 0;
        {
            // Before the submit: its result may come at once.
            const std::lock_guard<std::mutex> lock(mutex_);
            token = options.token = next_++;
            waiting_.emplace(token, std::move(waits));
        }
        op submitted = client_->submit_to(queue_, message, options, why);
        if (why)
            take(token);
        return submitted;
    }

    std::unique_ptr<waiting> take(std::uint64_t token) {
        const std::lock_guard<std::mutex> lock(mutex_);
        const auto found = waiting_.find(token);
        if (found == waiting_.end())
            return nullptr;
        std::unique_ptr<waiting> waits = std::move(found->second);
        waiting_.erase(found);
        return waits;
    }

    void hand_out(result one) {
        const std::unique_ptr<waiting> waits = take(one.token());
        if (!waits)
            return;
        if (waits->done)
            waits->done(std::move(one));
        else
            waits->promise.set_value(std::move(one));
    }

    void end() {
        const std::lock_guard<std::mutex> lock(mutex_);
        ended_ = true;
    }

    client *client_;
    hongyan::queue queue_;
    mutable std::mutex mutex_;
    std::unordered_map<std::uint64_t, std::unique_ptr<waiting>> waiting_;
    std::deque<result> left_;
    std::uint64_t next_ = 1;
    bool ended_ = false;
};

/// How much is logged; each level has those before it.
enum class log_level : std::int32_t {
    error = HY_LOG_ERROR, ///< Something is broken.
    warn = HY_LOG_WARN,   ///< Something went wrong and was dealt with.
    info = HY_LOG_INFO,   ///< Life of a client, and every retry.
    debug = HY_LOG_DEBUG, ///< Every send.
    trace = HY_LOG_TRACE, ///< Everything.
};

/// Sends log lines up to a level to an object that is called with (log_level, std::string_view target,
/// std::string_view text); for all clients of the process, in place of any before.
///
/// The object is the caller's, and has to live until another is set, or none. It may be called on any thread,
/// by several at once, and must not throw: that ends the program.
template <class Function> void set_log(log_level most, Function &to, error &why) noexcept {
    static_assert(std::is_object_v<Function>, "an object that is called, such as a lambda with a name");
    const void *object = std::addressof(to);
    const hy_log_fn line = [](void *user, std::int32_t level, const char *target,
                              const char *text) noexcept {
        (*static_cast<Function *>(user))(static_cast<log_level>(level), std::string_view(target),
                                         std::string_view(text));
    };
    why = error(hy_set_log(static_cast<std::int32_t>(most), line, const_cast<void *>(object)));
}
template <class Function> void set_log(log_level most, Function &to) {
    error why;
    set_log(most, to, why);
    detail::check(why);
}
/// Logs nothing any more. Once it returns, no function runs that was set before.
inline void stop_log(error &why) noexcept { why = error(hy_set_log(0, nullptr, nullptr)); }
inline void stop_log() {
    error why;
    stop_log(why);
    detail::check(why);
}

/// The version of the library that runs, such as "0.1.0".
inline std::string_view version() noexcept { return hy_version(); }
/// What this build can send, as JSON.
inline std::string_view services_json() noexcept { return hy_services_json(); }

} // namespace hongyan

#endif // HONGYAN_HPP
