#include "ledger/state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "ledger/state_checkpoint.h"
#include "ledger/state_digest.h"
#include "ledger/state_layer.h"
#include "ledger/state_lmdb.h"
#include "ledger/state_mark.h"

#define LAYER_RECORDS_DEFAULT 60000u
/* LMDB 0.9.24 keeps 131,072 changed pages in memory; what a checkpoint adds to state comes on top. */
#define SMALL_PAGES_DEFAULT 110000u
#define LAYER_RECORDS_MAX (UINT32_C(1) << 24)
#define LAYER_BYTES_DEFAULT (UINT64_C(64) << 20)
#define RECORD_BURST_DEFAULT 20100u
#define INTERVAL_MS_DEFAULT 1000u

/* The active layer may grow to this many times its bound before it is crowded. */
#define CROWDED_TIMES 2u
/* What one decision can add in bytes: its records are small, but for a few. */
#define BURST_RECORD_BYTES 512u
#define BURST_LARGE_RECORDS 8u

static_assert(STATE_DIGEST_SIZE == DIGEST_SIZE, "the digest leaves as it is kept");

struct state {
    struct state_options options; /* with every default filled in */
    struct lmdb *db;
    struct checkpoint *checkpoint;
    struct layer layers[2];
    struct layer *active;
    struct layer *frozen; /* NULL: none */
    bool started;
    uint64_t seed; /* of layer_hash */
    uint64_t burst_bytes;
    int64_t frozen_us; /* when the last freeze was, 0: never */
};

PUNKT_NORETURN static void state_fatal(const struct state *state, const char *what)
{
    state->options.fatal(state->options.ctx, what);
    abort(); /* fatal does not return */
}

static void fill_defaults(struct state_options *options)
{
    if (options->layer_records == 0)
        options->layer_records = LAYER_RECORDS_DEFAULT;
    if (options->layer_records_small < options->layer_records)
        options->layer_records_small = options->layer_records;
    if (options->small_pages == 0)
        options->small_pages = SMALL_PAGES_DEFAULT;
    if (options->layer_bytes == 0)
        options->layer_bytes = LAYER_BYTES_DEFAULT;
    if (options->record_burst_max == 0)
        options->record_burst_max = RECORD_BURST_DEFAULT;
    if (options->interval_ms == 0)
        options->interval_ms = INTERVAL_MS_DEFAULT;
}

/*
 * A block can hold as much as lies between an empty layer and a crowded one, and recovery, which folds blocks
 * whole, may meet it when active is just short of crowded: so there is room for both. Pages that are never
 * written cost nothing.
 */
static enum punkt_status make_layers(struct state *state, uint32_t *out_records_max)
{
    const struct state_options *options = &state->options;
    PUNKT_CHECK(options->layer_records_small <= LAYER_RECORDS_MAX &&
                options->record_burst_max <= LAYER_RECORDS_MAX);
    *out_records_max = 2 * CROWDED_TIMES * options->layer_records_small + options->record_burst_max;
    state->burst_bytes =
        (uint64_t)options->record_burst_max * BURST_RECORD_BYTES +
        (uint64_t)BURST_LARGE_RECORDS * (STATE_VALUE_MAX + STATE_VALUE_MAX / 4 + STATE_KEY_MAX);
    uint64_t arena_bytes = 2 * CROWDED_TIMES * options->layer_bytes + state->burst_bytes;
    enum punkt_status status = PUNKT_OK;
    for (size_t i = 0; i < COUNT_OF(state->layers) && status == PUNKT_OK; i++)
        status = layer_init(&state->layers[i], *out_records_max, arena_bytes);
    state->active = &state->layers[0];
    return status;
}

enum punkt_status state_open(const struct state_options *options, struct state **out_state, bool *out_found,
                             struct state_mark *out_mark, struct failure *failure)
{
    uint32_t records_max = 0;
    struct digest_sum digest;
    struct state *state = calloc(1, sizeof(*state));
    enum punkt_status status = PUNKT_NO_MEMORY;
    failure_set(failure, "state %s: out of memory", options->dir);
    if (state == NULL)
        return status;
    state->options = *options;
    fill_defaults(&state->options);
    ssize_t seeded = getrandom(&state->seed, sizeof(state->seed), 0);
    (void)seeded; /* zero is a seed as well, only one that can be guessed */
    status = make_layers(state, &records_max);
    if (status == PUNKT_OK)
        status = lmdb_open(options->dir, options->map_bytes, &state->db, failure);
    if (status == PUNKT_OK)
        status =
            checkpoint_new(&state->options, state->db, records_max, &state->checkpoint, out_found, failure);
    if (status != PUNKT_OK) {
        state_close(state);
        return status;
    }
    if (*out_found)
        checkpoint_last(state->checkpoint, out_mark, &digest);
    *out_state = state;
    return PUNKT_OK;
}

enum punkt_status state_erase(const char *dir, struct failure *failure)
{
    return lmdb_erase(dir, failure);
}

enum punkt_status state_start(struct state *state, struct failure *failure)
{
    PUNKT_CHECK(!state->started);
    enum punkt_status status = checkpoint_start(state->checkpoint, failure);
    state->started = status == PUNKT_OK;
    return status;
}

void state_close(struct state *state)
{
    if (state == NULL)
        return;
    checkpoint_free(state->checkpoint);
    lmdb_close(state->db);
    for (size_t i = 0; i < COUNT_OF(state->layers); i++)
        layer_done(&state->layers[i]);
    free(state);
}

static void check_key(const void *key, size_t key_size)
{
    PUNKT_CHECK(key_size > 0 && key_size <= STATE_KEY_MAX);
    PUNKT_CHECK(key_size != sizeof(mark_key) || memcmp(key, mark_key, sizeof(mark_key)) != 0);
}

bool state_get(struct state *state, const void *key, size_t key_size, struct state_value *out_value)
{
    check_key(key, key_size);
    uint64_t hash = layer_hash(state->seed, key, key_size);
    const struct layer_record *record = layer_find(state->active, hash, key, key_size);
    if (record == NULL && state->frozen != NULL)
        record = layer_find(state->frozen, hash, key, key_size);
    if (record != NULL) {
        if (record->tombstone)
            return false;
        *out_value = (struct state_value){ layer_value(record), record->value_size };
        return true;
    }
    struct failure failure;
    struct lmdb_bytes found;
    enum punkt_status status = lmdb_get(state->db, key, key_size, &found, &failure);
    if (status == PUNKT_NOT_FOUND)
        return false;
    if (status != PUNKT_OK) {
        lmdb_distrust(state->db, failure.text);
        state_fatal(state, failure.text);
    }
    *out_value = (struct state_value){ found.data, (uint32_t)found.size };
    return true;
}

uint8_t *state_put(struct state *state, const void *key, size_t key_size, uint32_t size)
{
    check_key(key, key_size);
    PUNKT_CHECK(size <= STATE_VALUE_MAX);
    return layer_put(state->active, layer_hash(state->seed, key, key_size), key, key_size, size);
}

void state_remove_key(struct state *state, const void *key, size_t key_size)
{
    check_key(key, key_size);
    layer_remove(state->active, layer_hash(state->seed, key, key_size), key, key_size);
}

/* How many records a layer may hold before it is written. */
static uint32_t records_bound(const struct state *state)
{
    return checkpoint_pages(state->checkpoint) <= state->options.small_pages
               ? state->options.layer_records_small
               : state->options.layer_records;
}

bool state_wants_freeze(const struct state *state, int64_t monotonic_us)
{
    const struct layer *active = state->active;
    if (active->record_count >= records_bound(state) || active->arena_used >= state->options.layer_bytes)
        return true;
    return active->record_count > 0 &&
           monotonic_us - state->frozen_us >= (int64_t)state->options.interval_ms * (US_PER_SECOND / 1000);
}

bool state_is_crowded(const struct state *state)
{
    const struct layer *active = state->active;
    return active->record_count >= CROWDED_TIMES * records_bound(state) ||
           active->arena_used >= CROWDED_TIMES * state->options.layer_bytes;
}

static void freeze(struct state *state)
{
    state->frozen = state->active;
    state->active = state->frozen == &state->layers[0] ? &state->layers[1] : &state->layers[0];
}

/* What the frozen layer said is in LMDB now; the order of these two lines is why no look-up misses it. */
static void drop_frozen(struct state *state)
{
    struct failure failure;
    if (lmdb_renew(state->db, &failure) != PUNKT_OK)
        state_fatal(state, failure.text);
    layer_clear(state->frozen);
    state->frozen = NULL;
}

bool state_may_freeze(const struct state *state)
{
    return state->frozen == NULL;
}

bool state_freeze(struct state *state, const struct state_mark *mark, int64_t monotonic_us)
{
    if (!state_may_freeze(state))
        return false;
    freeze(state);
    state->frozen_us = monotonic_us;
    checkpoint_submit(state->checkpoint, state->frozen, mark);
    return true;
}

bool state_finish(struct state *state)
{
    if (state->frozen == NULL || !checkpoint_is_done(state->checkpoint))
        return false;
    checkpoint_release(state->checkpoint);
    drop_frozen(state);
    return true;
}

bool state_low(const struct state *state)
{
    return checkpoint_low(state->checkpoint);
}

enum punkt_status state_checkpoint_now(struct state *state, const struct state_mark *mark,
                                       struct failure *failure)
{
    enum punkt_status status =
        state->frozen != NULL ? checkpoint_settle(state->checkpoint, failure) : PUNKT_OK;
    if (status != PUNKT_OK)
        return status;
    (void)state_finish(state);
    status = checkpoint_write(state->checkpoint, state->active, mark, failure);
    if (status != PUNKT_OK)
        return status;
    freeze(state);
    drop_frozen(state);
    return PUNKT_OK;
}

void state_digest(const struct state *state, uint8_t out_digest[STATE_DIGEST_SIZE],
                  struct state_mark *out_mark)
{
    struct digest_sum digest;
    checkpoint_last(state->checkpoint, out_mark, &digest);
    digest_store(&digest, out_digest);
}

/* The mark is before all records: whoever begins behind it does not meet it. */
static struct lmdb_walk_range all_records(void)
{
    return (struct lmdb_walk_range){ .after = { mark_key, sizeof(mark_key) } };
}

struct recompute {
    struct sha256 sha256;
    struct digest_sum digest;
};

static bool recompute_visit(void *ctx, const uint8_t *key, size_t key_size, const uint8_t *value, size_t size)
{
    struct recompute *recompute = ctx;
    digest_add(&recompute->digest, &recompute->sha256, key, key_size, value, size);
    return true;
}

enum punkt_status state_digest_recompute(struct state *state, uint8_t out_digest[STATE_DIGEST_SIZE],
                                         struct failure *failure)
{
    struct recompute recompute = { 0 };
    struct lmdb_walk_range all = all_records();
    enum punkt_status status = sha256_init(&recompute.sha256);
    if (status != PUNKT_OK) {
        failure_set(failure, "state %s: out of memory", state->options.dir);
        return status;
    }
    status = lmdb_walk(state->db, &all, recompute_visit, &recompute, failure);
    if (status == PUNKT_OK)
        digest_store(&recompute.digest, out_digest);
    sha256_done(&recompute.sha256);
    return status;
}

uint64_t state_bytes_used(const struct state *state)
{
    return checkpoint_bytes_used(state->checkpoint);
}

void state_warm(struct state *state)
{
    lmdb_warm(state->db);
}

enum punkt_status state_scan(struct state *state, const void *prefix, size_t prefix_size, const void *after,
                             size_t after_size, uint32_t limit, state_visit_fn *visit, void *ctx)
{
    struct failure failure;
    struct lmdb_walk_range range = all_records();
    if (limit == 0)
        return PUNKT_OK;
    range.limit = limit;
    range.prefix = (struct lmdb_bytes){ prefix, prefix_size };
    if (after_size > 0)
        range.after = (struct lmdb_bytes){ after, after_size };
    return lmdb_walk(state->db, &range, visit, ctx, &failure);
}
