/* Checks that stop the program with file, line and the library's own words.
 *
 * Every program takes the base URL of a sandbox, the base URL of a hostile server (see
 * tests/support/hostile.rs) and how it was built: "plain", "sanitized" or "valgrind", or
 * that it is "emulated". */
#ifndef CHECK_H
#define CHECK_H

#include <hongyan.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Longer than any answer should take; a test that meets it fails. */
#define PATIENCE_MS 300000

/* An address that no function may hand out: shows that an out pointer was left alone. */
#define UNTOUCHED untouched()
static inline void *untouched(void)
{
    static char byte;
    return &byte;
}

#define CHECK(condition)                                                            \
    do {                                                                            \
        if (!(condition))                                                           \
            check_fail(__FILE__, __LINE__, #condition, NULL);                       \
    } while (0)

#define CHECK_INT(left, right)                                                      \
    check_int(__FILE__, __LINE__, #left " == " #right, (int64_t)(left), (int64_t)(right))

#define CHECK_TEXT(left, right) check_text(__FILE__, __LINE__, #left " == " #right, left, right)

/* The text `inside` occurs in `whole`. */
#define CHECK_HAS(whole, inside) check_has(__FILE__, __LINE__, whole, inside)

/* The call succeeds. */
#define OK(call) check_ok(__FILE__, __LINE__, #call, call)

/* The call fails with this code; the error is freed. */
#define FAILS(call, code) check_fails(__FILE__, __LINE__, #call, call, code, NULL)

/* The call fails with this code, and its message or its detail says `words`. */
#define FAILS_SAYING(call, code, words)                                             \
    check_fails(__FILE__, __LINE__, #call, call, code, words)

/* The result has this delivery and this code; it is freed. */
#define RESULT(result, delivery, code)                                              \
    do {                                                                            \
        hy_result_t *checked_ = (result);                                           \
        IS(checked_, delivery, code);                                               \
        hy_result_free(checked_);                                                   \
    } while (0)

/* The same, and the result stays the caller's. */
#define IS(result, delivery, code) check_result(__FILE__, __LINE__, result, delivery, code)

static inline void check_fail(const char *file, int line, const char *what, const char *why)
{
    fprintf(stderr, "%s:%d: not so: %s%s%s\n", file, line, what, why ? ": " : "",
            why ? why : "");
    exit(1);
}

static inline void check_int(const char *file, int line, const char *what, int64_t left,
                             int64_t right)
{
    if (left != right) {
        fprintf(stderr, "%s:%d: not so: %s: %lld and %lld\n", file, line, what,
                (long long)left, (long long)right);
        exit(1);
    }
}

static inline void check_text(const char *file, int line, const char *what, const char *left,
                              const char *right)
{
    if (left == NULL || right == NULL || strcmp(left, right) != 0) {
        fprintf(stderr, "%s:%d: not so: %s: \"%s\" and \"%s\"\n", file, line, what,
                left ? left : "(NULL)", right ? right : "(NULL)");
        exit(1);
    }
}

static inline void check_has(const char *file, int line, const char *whole, const char *inside)
{
    if (whole == NULL || strstr(whole, inside) == NULL) {
        fprintf(stderr, "%s:%d: no %s in: %s\n", file, line, inside,
                whole ? whole : "(NULL)");
        exit(1);
    }
}

static inline void check_ok(const char *file, int line, const char *call, hy_error_t *error)
{
    if (error != NULL)
        check_fail(file, line, call, hy_error_detail_json(error, NULL));
}

static inline void check_fails(const char *file, int line, const char *call, hy_error_t *error,
                               int32_t code, const char *words)
{
    if (error == NULL)
        check_fail(file, line, call, "it succeeded");
    const char *message = hy_error_message(error, NULL);
    const char *detail = hy_error_detail_json(error, NULL);
    if (hy_error_code(error) != code) {
        fprintf(stderr, "expected code %d\n", (int)code);
        check_fail(file, line, call, detail);
    }
    if (words != NULL && strstr(message, words) == NULL && strstr(detail, words) == NULL) {
        fprintf(stderr, "expected to read %s\n", words);
        check_fail(file, line, call, detail);
    }
    hy_error_free(error);
}

static inline void check_result(const char *file, int line, const hy_result_t *result,
                                int32_t delivery, int32_t code)
{
    if (result == NULL)
        check_fail(file, line, "a result", NULL);
    if (hy_result_delivery(result) != delivery
        || hy_error_code(hy_result_error(result)) != code) {
        fprintf(stderr, "expected delivery %d and code %d\n", (int)delivery, (int)code);
        check_fail(file, line, "the result", hy_result_json(result, NULL));
    }
}

#endif
