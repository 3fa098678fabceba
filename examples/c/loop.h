/* What the programs of event loops share: they hand over 200 messages, and then only wait for descriptors. */
#ifndef LOOP_H
#define LOOP_H

#include <hongyan.h>

#include <stdio.h>
#include <stdlib.h>

struct loop {
    hy_client_t *client;
    hy_queue_t *queue;
    intptr_t handle; /* readable while results wait in the queue */
    unsigned waiting, sent;
};

static inline void loop_check(hy_error_t *error)
{
    if (error == NULL)
        return;
    fprintf(stderr, "%s: %s\n", hy_error_name(error), hy_error_message(error, NULL));
    exit(EXIT_FAILURE);
}

/* Opens a queue and submits the messages. */
static inline void loop_begin(struct loop *loop, int argc, char **argv)
{
    static char config[1 << 16];
    const char *path = argc > 1 ? argv[1] : "./hongyan.json";
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    size_t len = fread(config, 1, sizeof config, file);
    fclose(file);

    *loop = (struct loop){0};
    loop_check(hy_init(config, len, &loop->client));
    loop_check(hy_queue_new(loop->client, &loop->queue));
    loop_check(hy_queue_poll_handle(loop->queue, &loop->handle));
    for (; loop->waiting < 200; loop->waiting++) {
        char message[128];
        snprintf(message, sizeof message,
                 "{\"v\":1,\"account\":\"fanfou-basic\",\"to\":{\"user\":\"lisztli\"},\"text\":\"%u\"}",
                 loop->waiting);
        loop_check(hy_submit_to(loop->client, loop->queue, message, HY_NTS, NULL, 0, loop->waiting, NULL));
    }
}

/* Takes the results that there are; true while more are to come. */
static inline int loop_take(struct loop *loop)
{
    hy_result_t *results[32];
    size_t count = 0;
    loop_check(hy_queue_wait_many(loop->queue, 0, results, 32, &count));
    for (size_t i = 0; i < count; i++) {
        loop->sent += hy_result_delivery(results[i]) == HY_SENT;
        loop->waiting--;
        hy_result_free(results[i]);
    }
    return loop->waiting > 0;
}

static inline int loop_end(struct loop *loop)
{
    printf("%u sent\n", loop->sent);
    loop_check(hy_close(loop->client, 10000, NULL));
    hy_queue_free(loop->queue);
    hy_free(loop->client);
    return loop->sent == 200 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
