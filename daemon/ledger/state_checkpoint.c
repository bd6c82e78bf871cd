#include "ledger/state_checkpoint.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ledger/state_mark.h"

#define RETRY_SECONDS 1
#define READER_CHECK_SECONDS 60

enum phase { PHASE_IDLE, PHASE_WRITING, PHASE_DONE };

struct checkpoint {
    const struct state_options *options;
    struct lmdb *db;
    struct sha256 sha256;
    struct layer_entry *entries; /* of the layer being written, in the order of keys */
    pthread_t thread;
    bool started;
    atomic_bool low;
    atomic_uint_fast64_t bytes_used;
    atomic_uint_fast64_t pages;

    pthread_mutex_t mutex; /* over all below */
    pthread_cond_t changed;
    enum phase phase;
    const struct layer *layer;
    struct state_mark mark;
    struct state_mark last_mark;
    struct digest_sum last_digest;
    uint64_t attempts_begun;
    uint64_t attempts_full; /* the number of the last attempt that found no space */
    bool hurry;             /* do not wait a second before the next attempt */
    bool stopping;
};

static void put_record(struct checkpoint *checkpoint, struct lmdb_writer *writer,
                       const struct layer_record *record, struct digest_sum *digest)
{
    const uint8_t *key = record->bytes, *value = layer_value(record);
    size_t key_size = record->key_size, size = record->value_size;
    struct lmdb_bytes old;
    bool found = lmdb_find(writer, key, key_size, &old);
    if (found && !record->tombstone && old.size == size && memcmp(old.data, value, size) == 0)
        return;
    if (found)
        digest_take(digest, &checkpoint->sha256, key, key_size, old.data, old.size);
    if (!record->tombstone) {
        digest_add(digest, &checkpoint->sha256, key, key_size, value, size);
        lmdb_put(writer, key, key_size, value, size);
    } else if (found) {
        lmdb_remove(writer, key, key_size);
    }
}

static void put_mark(struct lmdb_writer *writer, const struct state_mark *mark,
                     const struct digest_sum *digest)
{
    uint8_t bytes[MARK_SIZE];
    mark_store(mark, digest, bytes);
    lmdb_put(writer, mark_key, sizeof(mark_key), bytes, sizeof(bytes));
}

/* LMDB is never ahead of the journal: this stands between the last put and the commit. */
static void await_journal(struct checkpoint *checkpoint, struct state_mark *mark)
{
    const struct state_options *options = checkpoint->options;
    journal_position position = mark->head.position;
    options->wait_durable(options->ctx, position);
    options->durable_head(options->ctx, &mark->head);
    PUNKT_CHECK(mark->head.position == position);
}

static void publish(struct checkpoint *checkpoint, const struct state_mark *mark,
                    const struct digest_sum *digest)
{
    atomic_store(&checkpoint->bytes_used, lmdb_bytes_used(checkpoint->db));
    atomic_store(&checkpoint->pages, lmdb_pages(checkpoint->db));
    (void)pthread_mutex_lock(&checkpoint->mutex);
    checkpoint->last_mark = *mark;
    checkpoint->last_digest = *digest;
    (void)pthread_mutex_unlock(&checkpoint->mutex);
}

enum punkt_status checkpoint_write(struct checkpoint *checkpoint, const struct layer *layer,
                                   const struct state_mark *mark, struct failure *failure)
{
    struct state_mark whole = *mark, before;
    struct digest_sum digest;
    struct lmdb_writer writer;
    checkpoint_last(checkpoint, &before, &digest);
    layer_sort(layer, checkpoint->entries);
    lmdb_begin(checkpoint->db, &writer, failure);
    for (uint32_t i = 0; i < layer->record_count && writer.status == PUNKT_OK; i++)
        put_record(checkpoint, &writer, checkpoint->entries[i].record, &digest);
    /* Before the thread is there, recovery vouches for what it hands over. */
    if (writer.status == PUNKT_OK && checkpoint->started)
        await_journal(checkpoint, &whole);
    put_mark(&writer, &whole, &digest);
    enum punkt_status status = lmdb_commit(&writer);
    atomic_store(&checkpoint->low, status == PUNKT_FULL);
    if (status == PUNKT_OK)
        publish(checkpoint, &whole, &digest);
    else if (status != PUNKT_FULL)
        lmdb_distrust(checkpoint->db, failure->text);
    return status;
}

/* Waits for a change, at most until `seconds` after `since`; false when that is over. The mutex is held. */
static bool wait_changed(struct checkpoint *checkpoint, const struct timespec *since, int seconds)
{
    struct timespec until = *since;
    until.tv_sec += seconds;
    return pthread_cond_timedwait(&checkpoint->changed, &checkpoint->mutex, &until) != ETIMEDOUT;
}

/* One attempt; the mutex is held at begin and end. Whether the layer is off our hands. */
static bool attempt(struct checkpoint *checkpoint)
{
    struct failure failure;
    const struct layer *layer = checkpoint->layer;
    struct state_mark mark = checkpoint->mark;
    uint64_t number = ++checkpoint->attempts_begun;
    checkpoint->hurry = false;
    (void)pthread_mutex_unlock(&checkpoint->mutex);
    enum punkt_status status = checkpoint_write(checkpoint, layer, &mark, &failure);
    if (status != PUNKT_OK && status != PUNKT_FULL) {
        checkpoint->options->fatal(checkpoint->options->ctx, failure.text);
        abort(); /* fatal does not return */
    }
    (void)pthread_mutex_lock(&checkpoint->mutex);
    if (status == PUNKT_OK)
        checkpoint->phase = PHASE_DONE;
    else
        checkpoint->attempts_full = number;
    (void)pthread_cond_broadcast(&checkpoint->changed);
    (void)pthread_mutex_unlock(&checkpoint->mutex);
    checkpoint->options->notify(checkpoint->options->ctx);
    (void)pthread_mutex_lock(&checkpoint->mutex);
    return status == PUNKT_OK;
}

/* Tries until the layer is written, or the end is near and there is no space. The mutex is held. */
static void write_submitted(struct checkpoint *checkpoint)
{
    while (!attempt(checkpoint) && !checkpoint->stopping) {
        struct timespec now;
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        while (!checkpoint->hurry && !checkpoint->stopping && wait_changed(checkpoint, &now, RETRY_SECONDS))
            ;
    }
}

static void check_readers(struct checkpoint *checkpoint, struct timespec *last)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec - last->tv_sec < READER_CHECK_SECONDS)
        return;
    *last = now;
    (void)pthread_mutex_unlock(&checkpoint->mutex);
    lmdb_check_readers(checkpoint->db);
    (void)pthread_mutex_lock(&checkpoint->mutex);
}

static void *checkpoint_thread(void *ctx)
{
    struct checkpoint *checkpoint = ctx;
    struct timespec checked;
    (void)clock_gettime(CLOCK_MONOTONIC, &checked);
    (void)pthread_mutex_lock(&checkpoint->mutex);
    for (;;) {
        if (checkpoint->phase == PHASE_WRITING)
            write_submitted(checkpoint);
        if (checkpoint->stopping)
            break;
        if (checkpoint->phase != PHASE_WRITING)
            (void)wait_changed(checkpoint, &checked, READER_CHECK_SECONDS);
        check_readers(checkpoint, &checked);
    }
    (void)pthread_mutex_unlock(&checkpoint->mutex);
    return NULL;
}

static bool visit_any(void *ctx, const uint8_t *key, size_t key_size, const uint8_t *value, size_t size)
{
    (void)key, (void)key_size, (void)value, (void)size;
    *(bool *)ctx = true;
    return false;
}

/* Reads what the environment stands for; without a mark it must be empty. */
static enum punkt_status read_mark(struct checkpoint *checkpoint, bool *out_found, struct failure *failure)
{
    struct lmdb_bytes bytes;
    enum punkt_status status = lmdb_get(checkpoint->db, mark_key, sizeof(mark_key), &bytes, failure);
    *out_found = status == PUNKT_OK;
    if (status == PUNKT_OK) {
        if (mark_load(bytes.data, bytes.size, &checkpoint->last_mark, &checkpoint->last_digest))
            return PUNKT_OK;
        failure_set(failure, "state %s: the mark is of another version", checkpoint->options->dir);
        return PUNKT_CORRUPT;
    }
    if (status != PUNKT_NOT_FOUND)
        return status;
    bool any = false;
    struct lmdb_walk_range first = { .limit = 1 };
    status = lmdb_walk(checkpoint->db, &first, visit_any, &any, failure);
    if (status != PUNKT_OK || !any)
        return status;
    failure_set(failure, "state %s: records without a mark", checkpoint->options->dir);
    return PUNKT_CORRUPT;
}

enum punkt_status checkpoint_new(const struct state_options *options, struct lmdb *db, uint32_t records_max,
                                 struct checkpoint **out_checkpoint, bool *out_found, struct failure *failure)
{
    struct checkpoint *checkpoint = calloc(1, sizeof(*checkpoint));
    enum punkt_status status = PUNKT_NO_MEMORY;
    pthread_condattr_t monotonic;
    failure_set(failure, "state %s: out of memory", options->dir);
    if (checkpoint == NULL)
        return status;
    checkpoint->options = options;
    checkpoint->db = db;
    (void)pthread_mutex_init(&checkpoint->mutex, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&checkpoint->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    checkpoint->entries = calloc(records_max, sizeof(*checkpoint->entries));
    if (checkpoint->entries != NULL)
        status = sha256_init(&checkpoint->sha256);
    if (status == PUNKT_OK)
        status = read_mark(checkpoint, out_found, failure);
    if (status != PUNKT_OK) {
        checkpoint_free(checkpoint);
        return status;
    }
    atomic_store(&checkpoint->bytes_used, lmdb_bytes_used(db));
    atomic_store(&checkpoint->pages, lmdb_pages(db));
    *out_checkpoint = checkpoint;
    return PUNKT_OK;
}

void checkpoint_free(struct checkpoint *checkpoint)
{
    if (checkpoint == NULL)
        return;
    if (checkpoint->started) {
        (void)pthread_mutex_lock(&checkpoint->mutex);
        checkpoint->stopping = true;
        (void)pthread_cond_broadcast(&checkpoint->changed);
        (void)pthread_mutex_unlock(&checkpoint->mutex);
        (void)pthread_join(checkpoint->thread, NULL);
    }
    (void)pthread_cond_destroy(&checkpoint->changed);
    (void)pthread_mutex_destroy(&checkpoint->mutex);
    sha256_done(&checkpoint->sha256);
    free(checkpoint->entries);
    free(checkpoint);
}

enum punkt_status checkpoint_start(struct checkpoint *checkpoint, struct failure *failure)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
    int rc = pthread_create(&checkpoint->thread, NULL, checkpoint_thread, checkpoint);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        failure_set(failure, "cannot start the checkpoint thread: %s", strerror(rc));
        return PUNKT_NO_MEMORY;
    }
    (void)pthread_setname_np(checkpoint->thread, "checkpoint");
    checkpoint->started = true;
    return PUNKT_OK;
}

static enum phase phase_of(struct checkpoint *checkpoint)
{
    (void)pthread_mutex_lock(&checkpoint->mutex);
    enum phase phase = checkpoint->phase;
    (void)pthread_mutex_unlock(&checkpoint->mutex);
    return phase;
}

void checkpoint_submit(struct checkpoint *checkpoint, const struct layer *layer,
                       const struct state_mark *mark)
{
    PUNKT_CHECK(checkpoint->started);
    (void)pthread_mutex_lock(&checkpoint->mutex);
    PUNKT_CHECK(checkpoint->phase == PHASE_IDLE);
    checkpoint->phase = PHASE_WRITING;
    checkpoint->layer = layer;
    checkpoint->mark = *mark;
    (void)pthread_cond_broadcast(&checkpoint->changed);
    (void)pthread_mutex_unlock(&checkpoint->mutex);
}

bool checkpoint_is_done(struct checkpoint *checkpoint)
{
    return phase_of(checkpoint) == PHASE_DONE;
}

void checkpoint_release(struct checkpoint *checkpoint)
{
    (void)pthread_mutex_lock(&checkpoint->mutex);
    PUNKT_CHECK(checkpoint->phase == PHASE_DONE);
    checkpoint->phase = PHASE_IDLE;
    checkpoint->layer = NULL;
    (void)pthread_mutex_unlock(&checkpoint->mutex);
}

enum punkt_status checkpoint_settle(struct checkpoint *checkpoint, struct failure *failure)
{
    enum punkt_status status = PUNKT_OK;
    (void)pthread_mutex_lock(&checkpoint->mutex);
    uint64_t before = checkpoint->attempts_begun;
    checkpoint->hurry = checkpoint->phase == PHASE_WRITING;
    (void)pthread_cond_broadcast(&checkpoint->changed);
    while (checkpoint->phase == PHASE_WRITING && checkpoint->attempts_full <= before)
        (void)pthread_cond_wait(&checkpoint->changed, &checkpoint->mutex);
    if (checkpoint->phase == PHASE_WRITING) {
        failure_set(failure, "state %s: no space for a checkpoint", checkpoint->options->dir);
        status = PUNKT_FULL;
    }
    (void)pthread_mutex_unlock(&checkpoint->mutex);
    return status;
}

void checkpoint_last(struct checkpoint *checkpoint, struct state_mark *out_mark,
                     struct digest_sum *out_digest)
{
    (void)pthread_mutex_lock(&checkpoint->mutex);
    *out_mark = checkpoint->last_mark;
    *out_digest = checkpoint->last_digest;
    (void)pthread_mutex_unlock(&checkpoint->mutex);
}

uint64_t checkpoint_bytes_used(const struct checkpoint *checkpoint)
{
    return atomic_load(&checkpoint->bytes_used);
}

uint64_t checkpoint_pages(const struct checkpoint *checkpoint)
{
    return atomic_load(&checkpoint->pages);
}

bool checkpoint_low(const struct checkpoint *checkpoint)
{
    return atomic_load(&checkpoint->low);
}
