/* The messages that every client sends, in this order, and what has to become of them.
 *
 * Four accounts, texts of three lengths, each text its own, every fiftieth to a recipient whom the
 * server refuses. benches/peers/src/work.rs is the same in Rust. */
#ifndef WORK_H
#define WORK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORK_ACCOUNTS 4
#define WORK_REFUSED_EVERY 50
/* What is sent before measuring begins: a multiple of the accounts, lengths and refusals. */
#define WORK_WARM_UP 600
#define WORK_PATH "/2/direct_messages/send.json"
#define WORK_TOKEN "2.00BENCHmarkTokenOfAccount"
#define WORK_FOLLOWER 2125034703u
#define WORK_STRANGER "5000020301"
#define WORK_REFUSAL 20301

/* The beginning of the Thousand Character Classic, 120 characters of three bytes. */
static const char WORK_PROSE[] =
    "天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。寒来暑往，秋收冬藏。"
    "闰余成岁，律吕调阳。云腾致雨，露结为霜。金生丽水，玉出昆冈。"
    "剑号巨阙，珠称夜光。果珍李柰，菜重芥姜。海咸河淡，鳞潜羽翔。"
    "龙师火帝，鸟官人皇。始制文字，乃服衣裳。推位让国，有虞陶唐。";
#define WORK_PROSE_CHARACTERS 120
/* Characters of prose in a text; its number comes before them. Forms are 390 bytes on average, as in
 * the measurement that the goals come from; with BENCH_TEXTS=long in the environment they go up to
 * the 300 units that Weibo takes. */
static const unsigned WORK_LENGTHS[][3] = {{8, 24, 70}, {10, 140, 290}};

typedef struct {
    unsigned account;
    char uid[16];
    char text[1024];
    size_t text_len;
} work_message_t;

/* What the texts are cut from, and their lengths: set by work_begin(). */
static char work_prose[3 * 3 * WORK_PROSE_CHARACTERS + 1];

static const unsigned *work_lengths = WORK_LENGTHS[0];

static inline void work_begin(void)
{
    const char *texts = getenv("BENCH_TEXTS");
    if (texts != NULL && strcmp(texts, "long") == 0)
        work_lengths = WORK_LENGTHS[1];
    if (sizeof WORK_PROSE - 1 != 3 * WORK_PROSE_CHARACTERS) {
        fprintf(stderr, "work: the prose has %zu bytes\n", sizeof WORK_PROSE - 1);
        exit(2);
    }
    for (int i = 0; i < 3; i++)
        memcpy(work_prose + i * (sizeof WORK_PROSE - 1), WORK_PROSE, sizeof WORK_PROSE - 1);
}

static inline int work_is_refused(uint64_t number)
{
    return number % WORK_REFUSED_EVERY == WORK_REFUSED_EVERY - 1;
}

/* The message of this number; the text needs no escaping in JSON. */
static inline void work_message(uint64_t number, work_message_t *m)
{
    size_t prose = 3 * (size_t)work_lengths[number % 3];
    m->account = (unsigned)(number % WORK_ACCOUNTS);
    if (work_is_refused(number))
        memcpy(m->uid, WORK_STRANGER, sizeof WORK_STRANGER);
    else
        snprintf(m->uid, sizeof m->uid, "%u", WORK_FOLLOWER + (unsigned)(number % 100));
    int head = snprintf(m->text, sizeof m->text, "%llu ", (unsigned long long)number);
    memcpy(m->text + head, work_prose, prose);
    m->text_len = (size_t)head + prose;
    m->text[m->text_len] = '\0';
}

#endif
