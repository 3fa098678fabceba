/* Sends one message and says what became of it.
 *
 *     cc hello.c -lhongyan -o hello && ./hello [CONFIG.json]
 *
 * Exit status: 0 sent, 7 maybe sent, 1 otherwise. */
#include <hongyan.h>

#include <stdio.h>
#include <stdlib.h>

static char config[1 << 16];

static int failed(hy_error_t *error)
{
    fprintf(stderr, "%s: %s\n", hy_error_name(error), hy_error_message(error, NULL));
    hy_error_free(error);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "./hongyan.json";
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return EXIT_FAILURE;
    }
    size_t len = fread(config, 1, sizeof config, file);
    fclose(file);

    hy_client_t *client;
    hy_error_t *error = hy_init(config, len, &client);
    if (error != NULL)
        return failed(error);

    /* Wait for at most ten seconds. A refusal is no failed call: the result tells. */
    hy_result_t *result;
    error = hy_send_json(client,
                         "{\"v\": 1, \"account\": \"fanfou-basic\","
                         " \"to\": {\"user\": \"lisztli\"}, \"text\": \"hello\"}",
                         HY_NTS, 10000, &result);
    hy_free(client);
    if (error != NULL)
        return failed(error);

    int status = EXIT_FAILURE;
    const hy_error_t *why = hy_result_error(result);
    const char *id = hy_result_message_id(result, NULL);
    switch (hy_result_delivery(result)) {
    case HY_SENT:
        printf("sent, the service calls it %s\n", id != NULL ? id : "nothing");
        status = EXIT_SUCCESS;
        break;
    case HY_MAYBE_SENT:
        printf("maybe sent (%s): sending again may show it twice\n",
               hy_error_message(why, NULL));
        status = 7;
        break;
    default:
        printf("not sent (%s): sending again is safe, and %s\n", hy_error_message(why, NULL),
               hy_error_is_retryable(why) ? "may work" : "will not help by itself");
    }
    hy_result_free(result);
    return status;
}
