/* Rule 10: every symbol exists in every build, under the soname libhongyan.so.1 (on Windows: hongyan.dll);
 * a feature that was not compiled in answers `unavailable`. */
#include "peer.h"

#ifdef _WIN32
#define NAME_OF_LIBRARY "hongyan.dll"
static void *open_library(void) { return (void *)LoadLibraryA(NAME_OF_LIBRARY); }
static int has(void *library, const char *name)
{
    return GetProcAddress((HMODULE)library, name) != NULL;
}
static void close_library(void *library) { CHECK(FreeLibrary((HMODULE)library)); }
#else
#include <dlfcn.h>
#define NAME_OF_LIBRARY "libhongyan.so.1"
static void *open_library(void) { return dlopen(NAME_OF_LIBRARY, RTLD_NOW); }
static int has(void *library, const char *name) { return dlsym(library, name) != NULL; }
static void close_library(void *library) { CHECK_INT(dlclose(library), 0); }
#endif

#define NAME(function) #function
static const char *const names[] = {
    NAME(hy_abi_version),      NAME(hy_version),          NAME(hy_services_json),
    NAME(hy_init),             NAME(hy_account_set),      NAME(hy_account_remove),
    NAME(hy_flush),            NAME(hy_close),            NAME(hy_free),
    NAME(hy_send_json),        NAME(hy_send),             NAME(hy_submit_json),
    NAME(hy_submit),           NAME(hy_submit_many_json), NAME(hy_wait),
    NAME(hy_wait_many),        NAME(hy_interrupt),        NAME(hy_poll_handle),
    NAME(hy_op_cancel),        NAME(hy_op_id),            NAME(hy_op_free),
    NAME(hy_result_ack),       NAME(hy_message_new),      NAME(hy_message_to),
    NAME(hy_message_set_text), NAME(hy_message_add_part_json), NAME(hy_message_set_json),
    NAME(hy_message_free),     NAME(hy_result_token),     NAME(hy_result_origin),
    NAME(hy_result_id),        NAME(hy_result_key),       NAME(hy_result_error),
    NAME(hy_result_delivery),  NAME(hy_result_message_id), NAME(hy_result_json),
    NAME(hy_result_free),      NAME(hy_error_code),       NAME(hy_error_name),
    NAME(hy_error_message),    NAME(hy_error_detail_json), NAME(hy_error_is_retryable),
    NAME(hy_error_retry_after_ms), NAME(hy_error_free),   NAME(hy_stats_json),
    NAME(hy_string_free),      NAME(hy_set_log),          NAME(hy_message_add_file),
    NAME(hy_preview_json),     NAME(hy_result_account),   NAME(hy_result_service),
    NAME(hy_result_elapsed_ms), NAME(hy_result_attempts), NAME(hy_result_is_deduplicated),
    NAME(hy_result_recipient_count), NAME(hy_result_recipient), NAME(hy_check_account),
    NAME(hy_queue_new),        NAME(hy_queue_wait_many),  NAME(hy_queue_poll_handle),
    NAME(hy_queue_interrupt),  NAME(hy_queue_free),       NAME(hy_submit_to),
};

int main(int argc, char **argv)
{
    char config[1024], account[512];
    const char *sandbox = sandbox_of(argc, argv);

    CHECK_INT(hy_abi_version(), HY_ABI_VERSION);

    /* Already loaded, and under this name. */
    void *library = open_library();
    CHECK(library != NULL);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!has(library, names[i]))
            check_fail(__FILE__, __LINE__, names[i], "it is missing");
    CHECK(!has(library, "hy_no_such_function"));

    /* Unloading is refused (NODELETE): threads and wakers may still be in there. */
    close_library(library);
    CHECK_INT(hy_abi_version(), HY_ABI_VERSION);

    /* An outbox either works or says that this build has none; it is never passed over. */
    int n = snprintf(config, sizeof config,
                     "{\"v\":1,\"accounts\":{\"ff\":%s},\"outbox\":{\"path\":\"rule_10.db\"}}",
                     fanfou_account(account, sandbox, "fanfou"));
    CHECK(n > 0 && n < (int)sizeof config);
    hy_client_t *client = NULL;
    hy_error_t *error = hy_init(config, (size_t)n, &client);
    if (error != NULL) {
        CHECK(client == NULL);
        FAILS(error, HY_E_UNAVAILABLE);
    } else {
        hy_free(client);
        CHECK_INT(access("rule_10.db", F_OK), 0);
    }
    return 0;
}
