/* Rule 5: opaque handles, fixed-width integers, and codes that are macros and keep their number. */
#include "check.h"

/* Each is a macro (the preprocessor sees it) of this value. */
#if HY_OK != 0 || HY_E_INTERNAL != 1 || HY_E_PANIC != 2 || HY_E_ARGUMENT != 3                 \
    || HY_E_CONFIG != 4 || HY_E_CLOSED != 5 || HY_E_FORKED != 6 || HY_E_FULL != 7             \
    || HY_E_CANCELLED != 8 || HY_E_REENTRANT != 9
#error "the codes of the library itself changed"
#endif
#if HY_E_MESSAGE != 10 || HY_E_UNSUPPORTED != 11 || HY_E_EXPIRED != 12 || HY_E_STORAGE != 13 \
    || HY_E_LOCKED != 14 || HY_E_UNAVAILABLE != 15
#error "the codes of messages and of the outbox changed"
#endif
#if HY_E_TIMEOUT != 100 || HY_E_NETWORK != 101 || HY_E_TLS != 102 || HY_E_PROTOCOL != 103
#error "the codes of the way there changed"
#endif
#if HY_E_AUTH != 200 || HY_E_FORBIDDEN != 201 || HY_E_NOT_FOUND != 202                        \
    || HY_E_RATE_LIMITED != 203 || HY_E_TOO_LARGE != 204 || HY_E_REJECTED != 205              \
    || HY_E_SERVICE != 206 || HY_E_DUPLICATE != 207 || HY_E_DROPPED != 208                    \
    || HY_E_QUOTA != 209
#error "the codes of the services changed"
#endif
#if HY_NOT_SENT != 0 || HY_MAYBE_SENT != 1 || HY_SENT != 2 || HY_PARTLY_SENT != 3
#error "the deliveries changed"
#endif
#if HY_THIS_RUN != 0 || HY_EARLIER_RUN != 1
#error "the origins changed"
#endif
#if HY_LOG_ERROR != 1 || HY_LOG_WARN != 2 || HY_LOG_INFO != 3 || HY_LOG_DEBUG != 4            \
    || HY_LOG_TRACE != 5
#error "the log levels changed"
#endif
#if HY_ABI_VERSION < 2
#error "what is here came with version 2 at the latest"
#endif

/* Any other signature makes these lines incompatible pointers, which is an error here. */
typedef struct {
    uint32_t (*abi_version)(void);
    const char *(*version)(void);
    const char *(*services_json)(void);
    hy_error_t *(*init)(const char *, size_t, hy_client_t **);
    hy_error_t *(*account_set)(hy_client_t *, const char *, size_t, const char *, size_t);
    hy_error_t *(*account_remove)(hy_client_t *, const char *, size_t);
    hy_error_t *(*flush)(hy_client_t *, int64_t, uint64_t *);
    hy_error_t *(*close)(hy_client_t *, int64_t, uint64_t *);
    void (*free)(hy_client_t *);
    hy_error_t *(*send_json)(hy_client_t *, const char *, size_t, int64_t, hy_result_t **);
    hy_error_t *(*send)(hy_client_t *, const hy_message_t *, int64_t, hy_result_t **);
    hy_error_t *(*submit_json)(hy_client_t *, const char *, size_t, uint64_t, hy_op_t **);
    hy_error_t *(*submit)(hy_client_t *, const hy_message_t *, uint64_t, hy_op_t **);
    hy_error_t *(*submit_many_json)(hy_client_t *, const char *const *, const size_t *,
                                    const uint64_t *, size_t, size_t *);
    hy_error_t *(*wait)(hy_client_t *, int64_t, hy_result_t **);
    hy_error_t *(*wait_many)(hy_client_t *, int64_t, hy_result_t **, size_t, size_t *);
    void (*interrupt)(hy_client_t *);
    hy_error_t *(*poll_handle)(hy_client_t *, intptr_t *);
    void (*op_cancel)(hy_op_t *);
    const char *(*op_id)(const hy_op_t *, size_t *);
    void (*op_free)(hy_op_t *);
    hy_error_t *(*result_ack)(hy_client_t *, const hy_result_t *);
    hy_error_t *(*message_new)(const char *, size_t, hy_message_t **);
    hy_error_t *(*message_to)(hy_message_t *, const char *, size_t, const char *, size_t);
    hy_error_t *(*message_set_text)(hy_message_t *, const char *, size_t);
    hy_error_t *(*message_add_part_json)(hy_message_t *, const char *, size_t);
    hy_error_t *(*message_set_json)(hy_message_t *, const char *, size_t, const char *, size_t);
    void (*message_free)(hy_message_t *);
    uint64_t (*result_token)(const hy_result_t *);
    int32_t (*result_origin)(const hy_result_t *);
    const char *(*result_id)(const hy_result_t *, size_t *);
    const char *(*result_key)(const hy_result_t *, size_t *);
    const hy_error_t *(*result_error)(const hy_result_t *);
    int32_t (*result_delivery)(const hy_result_t *);
    const char *(*result_message_id)(const hy_result_t *, size_t *);
    const char *(*result_json)(const hy_result_t *, size_t *);
    void (*result_free)(hy_result_t *);
    int32_t (*error_code)(const hy_error_t *);
    const char *(*error_name)(const hy_error_t *);
    const char *(*error_message)(const hy_error_t *, size_t *);
    const char *(*error_detail_json)(const hy_error_t *, size_t *);
    int32_t (*error_is_retryable)(const hy_error_t *);
    int64_t (*error_retry_after_ms)(const hy_error_t *);
    void (*error_free)(hy_error_t *);
    hy_error_t *(*stats_json)(hy_client_t *, char **, size_t *);
    void (*string_free)(char *);
    hy_error_t *(*set_log)(int32_t, void (*)(void *, int32_t, const char *, const char *), void *);
    hy_error_t *(*check_account)(hy_client_t *, const char *, size_t, int64_t);
    hy_error_t *(*queue_new)(hy_client_t *, hy_queue_t **);
    hy_error_t *(*queue_wait_many)(hy_queue_t *, int64_t, hy_result_t **, size_t, size_t *);
    hy_error_t *(*queue_poll_handle)(hy_queue_t *, intptr_t *);
    void (*queue_interrupt)(hy_queue_t *);
    void (*queue_free)(hy_queue_t *);
    hy_error_t *(*submit_to)(hy_client_t *, hy_queue_t *, const char *, size_t, const char *, size_t,
                             uint64_t, hy_op_t **);
    hy_error_t *(*preview_json)(hy_client_t *, const char *, size_t, char **, size_t *);
    hy_error_t *(*message_add_file)(hy_message_t *, const char *, size_t, const char *, size_t,
                                    const void *, size_t);
    const char *(*result_account)(const hy_result_t *, size_t *);
    const char *(*result_service)(const hy_result_t *, size_t *);
    int64_t (*result_elapsed_ms)(const hy_result_t *);
    uint32_t (*result_attempts)(const hy_result_t *);
    int32_t (*result_is_deduplicated)(const hy_result_t *);
    size_t (*result_recipient_count)(const hy_result_t *);
    hy_error_t *(*result_recipient)(const hy_result_t *, size_t, const char **, size_t *, int32_t *,
                                    const hy_error_t **);
} signatures;

static const signatures all = {
    hy_abi_version,      hy_version,           hy_services_json,        hy_init,
    hy_account_set,      hy_account_remove,    hy_flush,                hy_close,
    hy_free,             hy_send_json,         hy_send,                 hy_submit_json,
    hy_submit,           hy_submit_many_json,  hy_wait,                 hy_wait_many,
    hy_interrupt,        hy_poll_handle,       hy_op_cancel,            hy_op_id,
    hy_op_free,          hy_result_ack,        hy_message_new,          hy_message_to,
    hy_message_set_text, hy_message_add_part_json, hy_message_set_json, hy_message_free,
    hy_result_token,     hy_result_origin,     hy_result_id,            hy_result_key,
    hy_result_error,     hy_result_delivery,   hy_result_message_id,    hy_result_json,
    hy_result_free,      hy_error_code,        hy_error_name,           hy_error_message,
    hy_error_detail_json, hy_error_is_retryable, hy_error_retry_after_ms, hy_error_free,
    hy_stats_json,       hy_string_free,       hy_set_log,              hy_check_account,
    hy_queue_new,        hy_queue_wait_many,   hy_queue_poll_handle,    hy_queue_interrupt,
    hy_queue_free,       hy_submit_to,         hy_preview_json,         hy_message_add_file,
    hy_result_account,   hy_result_service,    hy_result_elapsed_ms,    hy_result_attempts,
    hy_result_is_deduplicated, hy_result_recipient_count, hy_result_recipient,
};

int main(void)
{
    /* Called through the table, so that what was linked is what the header promised. */
    CHECK_INT(all.abi_version(), HY_ABI_VERSION);
    CHECK_TEXT(all.version(), HY_VERSION);
    CHECK_INT(all.error_code(NULL), HY_OK);
    return 0;
}
