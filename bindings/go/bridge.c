#include "bridge.h"
#include "_cgo_export.h"

static void tell(const hy_result_t *from, hyg_result *to)
{
    const hy_error_t *error = hy_result_error(from);
    *to = (hyg_result){
        .token = hy_result_token(from),
        .elapsed_ms = hy_result_elapsed_ms(from),
        .attempts = hy_result_attempts(from),
        .delivery = hy_result_delivery(from),
        .origin = hy_result_origin(from),
        .deduplicated = hy_result_is_deduplicated(from),
    };
    to->id.at = hy_result_id(from, &to->id.len);
    to->key.at = hy_result_key(from, &to->key.len);
    to->account.at = hy_result_account(from, &to->account.len);
    to->service.at = hy_result_service(from, &to->service.len);
    to->message_id.at = hy_result_message_id(from, &to->message_id.len);
    if (error != NULL)
        to->error.at = hy_error_detail_json(error, &to->error.len);
}

hy_error_t *hyg_wait(hy_client_t *c, hy_queue_t *q, int64_t timeout_ms, hyg_batch *batch)
{
    size_t count = 0;
    hy_error_t *error = q != NULL
                            ? hy_queue_wait_many(q, timeout_ms, batch->handles, HYG_BATCH, &count)
                            : hy_wait_many(c, timeout_ms, batch->handles, HYG_BATCH, &count);
    batch->count = error == NULL ? count : 0;
    for (size_t i = 0; i < batch->count; i++)
        tell(batch->handles[i], &batch->results[i]);
    return error;
}

static void line(void *user, int32_t level, const char *target, const char *text)
{
    (void)user;
    hygLine(level, (char *)target, (char *)text);
}

hy_error_t *hyg_set_log(int32_t max_level)
{
    return hy_set_log(max_level, max_level == 0 ? NULL : line, NULL);
}
