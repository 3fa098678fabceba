/* What Go calls in the place of many small functions: one takes a batch of results and tells all of them. */
#ifndef HYG_BRIDGE_H
#define HYG_BRIDGE_H

#include <hongyan.h>

#define HYG_BATCH 64

typedef struct {
    const char *at;
    size_t len;
} hyg_text;

/* What a result tells; the texts are borrowed from it. */
typedef struct {
    uint64_t token;
    int64_t elapsed_ms;
    hyg_text id, key, account, service, message_id;
    hyg_text error; /* its JSON; without bytes: none */
    uint32_t attempts;
    int32_t delivery, origin, deduplicated;
} hyg_result;

typedef struct {
    size_t count;
    hy_result_t *handles[HYG_BATCH];
    hyg_result results[HYG_BATCH];
} hyg_batch;

/* Waits for results of q, or of the client's own queue where q is NULL; their handles are the caller's. */
hy_error_t *hyg_wait(hy_client_t *c, hy_queue_t *q, int64_t timeout_ms, hyg_batch *batch);

/* Has Go told every line of the log up to a level; 0: none. */
hy_error_t *hyg_set_log(int32_t max_level);

#endif
