/*
 * What state costs, with no journal behind it: bench_state FOLDER [records [changed [rounds]]]. Fills LMDB with
 * records of 150 bytes, then measures look-ups and checkpoints of `changed` random records.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ledger/state.h"

#define VALUE_BYTES 150
#define KEY_BYTES 9
#define GETS 1000000

struct bench {
    struct state *state;
    uint64_t records;
    uint64_t random;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool done;
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t next_random(struct bench *bench)
{
    bench->random ^= bench->random << 13;
    bench->random ^= bench->random >> 7;
    bench->random ^= bench->random << 17;
    return bench->random;
}

static void key_of(uint64_t number, uint8_t out_key[KEY_BYTES])
{
    out_key[0] = 'a';
    for (int i = 0; i < 8; i++)
        out_key[1 + i] = (uint8_t)(number >> (56 - 8 * i));
}

static void put(struct bench *bench, uint64_t number, uint8_t fill)
{
    uint8_t key[KEY_BYTES];
    key_of(number, key);
    uint8_t *value = state_put(bench->state, key, sizeof(key), VALUE_BYTES);
    memset(value, fill, VALUE_BYTES);
    memcpy(value, &number, sizeof(number));
}

static void wait_durable(void *ctx, journal_position position)
{
    (void)ctx, (void)position;
}

static void durable_head(void *ctx, struct journal_head *out_head)
{
    (void)ctx, (void)out_head;
}

static void notify(void *ctx)
{
    struct bench *bench = ctx;
    pthread_mutex_lock(&bench->mutex);
    bench->done = true;
    pthread_cond_signal(&bench->changed);
    pthread_mutex_unlock(&bench->mutex);
}

static void fatal(void *ctx, const char *what)
{
    (void)ctx;
    fprintf(stderr, "%s\n", what);
    exit(70);
}

static void fill(struct bench *bench, uint32_t changed)
{
    struct failure failure;
    struct state_mark mark = { .clean = true };
    double start = now_s();
    for (uint64_t number = 1; number <= bench->records; number++) {
        put(bench, number, 0);
        if (number % changed != 0 && number != bench->records)
            continue;
        if (state_checkpoint_now(bench->state, &mark, &failure) != PUNKT_OK)
            fatal(NULL, failure.text);
    }
    printf("filled: %llu records in %.1f s, %.0f MB\n", (unsigned long long)bench->records, now_s() - start,
           (double)state_bytes_used(bench->state) / 1e6);
}

static void measure_gets(struct bench *bench, const char *what, uint64_t numbers)
{
    uint8_t key[KEY_BYTES];
    struct state_value value;
    uint64_t found = 0, sum = 0;
    double start = now_s();
    for (uint32_t i = 0; i < GETS; i++) {
        key_of(next_random(bench) % numbers + 1, key);
        if (state_get(bench->state, key, sizeof(key), &value)) {
            found++;
            sum += value.data[0];
        }
    }
    printf("%s: %.0f ns a look-up, %llu of %d found (%llu)\n", what, (now_s() - start) / GETS * 1e9,
           (unsigned long long)found, GETS, (unsigned long long)sum);
}

static void measure_checkpoint(struct bench *bench, uint32_t changed, uint8_t round)
{
    struct state_mark mark = { .head.position = round };
    double start = now_s();
    for (uint32_t i = 0; i < changed; i++)
        put(bench, next_random(bench) % bench->records + 1, round);
    double filled = now_s();
    if (!state_freeze(bench->state, &mark, 0))
        fatal(NULL, "freeze");
    double frozen = now_s();
    pthread_mutex_lock(&bench->mutex);
    while (!bench->done)
        pthread_cond_wait(&bench->changed, &bench->mutex);
    bench->done = false;
    pthread_mutex_unlock(&bench->mutex);
    double written = now_s();
    (void)state_finish(bench->state);
    printf("checkpoint of %u: %.0f ns a put, freeze %.0f us, write %.0f ms, finish %.0f us\n", changed,
           (filled - start) / changed * 1e9, (frozen - filled) * 1e6, (written - frozen) * 1e3,
           (now_s() - written) * 1e6);
}

int main(int argc, char **argv)
{
    struct bench bench = { .random = 88172645463325252u, .records = 1000000 };
    struct failure failure;
    struct state_mark mark;
    bool found;
    if (argc < 2) {
        fprintf(stderr, "usage: bench_state FOLDER [records [changed [rounds]]]\n");
        return 2;
    }
    if (argc > 2)
        bench.records = strtoull(argv[2], NULL, 10);
    uint32_t changed = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 60000;
    uint8_t rounds = argc > 4 ? (uint8_t)strtoul(argv[4], NULL, 10) : 5;
    pthread_mutex_init(&bench.mutex, NULL);
    pthread_cond_init(&bench.changed, NULL);
    struct state_options options = { .dir = argv[1],
                                     .wait_durable = wait_durable,
                                     .durable_head = durable_head,
                                     .notify = notify,
                                     .fatal = fatal,
                                     .ctx = &bench };
    options.layer_records = changed;
    if (state_open(&options, &bench.state, &found, &mark, &failure) != PUNKT_OK)
        fatal(NULL, failure.text);
    if (!found)
        fill(&bench, changed);
    if (state_start(bench.state, &failure) != PUNKT_OK)
        fatal(NULL, failure.text);
    double start = now_s();
    state_warm(bench.state);
    printf("warm: %.1f s\n", now_s() - start);
    measure_gets(&bench, "first touch", bench.records);
    measure_gets(&bench, "from LMDB", bench.records);
    for (uint8_t round = 1; round <= rounds; round++)
        measure_checkpoint(&bench, changed, round);
    for (uint32_t number = 1; number <= changed; number++)
        put(&bench, number, 1);
    measure_gets(&bench, "from the active layer", changed);
    state_close(bench.state);
    return 0;
}
