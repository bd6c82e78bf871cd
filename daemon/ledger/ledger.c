#include "ledger/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ledger/fold.h"
#include "ledger/journal.h"
#include "ledger/ledger_internal.h"

/* --- called from the journal and checkpoint threads --- */

static void wake_loop(void *ctx)
{
    struct ledger *ledger = ctx;
    uint64_t one = 1;
    ssize_t written = write(ledger->wake_fd, &one, sizeof(one));
    (void)written; /* full means that the loop will wake anyway */
}

static void storage_failed(void *ctx, const char *what)
{
    struct ledger *ledger = ctx;
    ledger->options.fatal(ledger->options.ctx, what);
}

static void wait_durable(void *ctx, journal_position position)
{
    struct ledger *ledger = ctx;
    journal_wait(ledger->journal, position);
}

/* The chain's hash behind the block that ends at head->position, which is durable by now. */
static void durable_head(void *ctx, struct journal_head *head)
{
    struct ledger *ledger = ctx;
    struct failure failure;
    if (journal_hash_of(ledger->journal, head->position, head->hash, &failure) != PUNKT_OK)
        storage_failed(ledger, failure.text);
}

/* --- opening --- */

static enum punkt_status make_folder(const char *path, struct failure *failure)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return PUNKT_OK;
    failure_set(failure, "cannot make the folder %s: %s", path, strerror(errno));
    return PUNKT_IO;
}

struct ledger *ledger_new(const struct ledger_options *options)
{
    struct ledger *ledger = calloc(1, sizeof(*ledger));
    if (ledger == NULL)
        return NULL;
    ledger->options = *options;
    ledger->open_block_empty = true;
    ledger->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return ledger;
}

enum punkt_status ledger_open_journal(struct ledger *ledger, bool read_only, struct failure *failure)
{
    struct journal_options options = { .dir = ledger->paths.journal,
                                       .segment_bytes = ledger->options.segment_bytes,
                                       .read_only = read_only,
                                       .notify = wake_loop,
                                       .fatal = storage_failed,
                                       .ctx = ledger };
    uint64_t segment_bytes =
        options.segment_bytes != 0 ? options.segment_bytes : JOURNAL_SEGMENT_BYTES_DEFAULT;
    options.reserve_bytes =
        ledger->options.reserve_bytes != 0 ? ledger->options.reserve_bytes : 2 * segment_bytes;
    return journal_open(&options, &ledger->journal, failure);
}

enum punkt_status ledger_open_state(struct ledger *ledger, bool *out_found, struct state_mark *out_mark,
                                    struct failure *failure)
{
    /* A block is folded whole: room for all that one block can change, above twice the bound. */
    struct state_options options = { .dir = ledger->paths.state,
                                     .map_bytes = ledger->options.map_bytes,
                                     .layer_records = ledger->options.layer_records,
                                     .layer_records_small = ledger->options.layer_records * 10 / 3,
                                     .layer_bytes = ledger->options.layer_bytes,
                                     .record_burst_max = 160000,
                                     .interval_ms = ledger->options.checkpoint_ms,
                                     .wait_durable = wait_durable,
                                     .durable_head = durable_head,
                                     .notify = wake_loop,
                                     .fatal = storage_failed,
                                     .ctx = ledger };
    enum punkt_status status = state_open(&options, &ledger->state, out_found, out_mark, failure);
    if (status == PUNKT_OK && !*out_found) {
        memset(out_mark, 0, sizeof(*out_mark));
        journal_beginning(ledger->journal, &out_mark->head);
    }
    return status;
}

struct recovering {
    struct ledger *ledger;
    struct ledger_recovery *report;
};

static enum punkt_status replay_visit(void *ctx, const struct journal_block *block, struct failure *failure)
{
    struct recovering *recovering = ctx;
    recovering->report->blocks++;
    recovering->report->events += block->event_count;
    return replay_block(&recovering->ledger->replay, block, failure);
}

/* Folds what stands behind `mark` into state and writes a checkpoint at the journal's end. */
enum punkt_status ledger_recover(struct ledger *ledger, const struct state_mark *mark,
                                 struct ledger_recovery *report, struct failure *failure)
{
    struct journal_head head;
    struct recovering recovering = { .ledger = ledger, .report = report };
    enum punkt_status status = replay_open(&ledger->replay, ledger->state, &mark->head, failure);
    if (status != PUNKT_OK)
        return status;
    ledger->fold = ledger->replay.fold;
    ledger->fold->time = mark->ledger_time;
    status = journal_recover(ledger->journal, &mark->head, !mark->clean, replay_visit, &recovering, &head,
                             failure);
    if (status != PUNKT_OK)
        return status;
    report->position = head.position;
    report->torn_bytes = journal_torn_bytes(ledger->journal);
    ledger->term = head.term;
    PUNKT_CHECK(head.position == ledger->replay.head.position);
    /* Also says that the stop before is no longer the last word: the mark is not clean from here on. */
    return replay_checkpoint(&ledger->replay, failure);
}

/* Reader thread, once at start: so that the loop does not wait for cold pages. */
static enum job_step warm_run(struct ledger_job *job, struct reading *reading)
{
    struct ledger *ledger = (struct ledger *)(void *)((char *)job - offsetof(struct ledger, warm));
    (void)reading;
    state_warm(ledger->state);
    return JOB_DONE;
}

static void warm_done(struct ledger_job *job)
{
    (void)job; /* part of the ledger */
}

enum punkt_status ledger_start_threads(struct ledger *ledger, struct failure *failure)
{
    enum punkt_status status = journal_start(ledger->journal, ledger->term, failure);
    if (status == PUNKT_OK)
        status = state_start(ledger->state, failure);
    if (status == PUNKT_OK) {
        status = reader_open(ledger->journal, ledger->state, wake_loop, ledger, &ledger->reader);
        if (status != PUNKT_OK)
            failure_set(failure, "the reader thread cannot be started: %s", punkt_status_name(status));
    }
    if (status == PUNKT_OK) {
        status = reader_open(ledger->journal, ledger->state, wake_loop, ledger, &ledger->worker);
        if (status != PUNKT_OK)
            failure_set(failure, "the worker thread cannot be started: %s", punkt_status_name(status));
    }
    if (status == PUNKT_OK) {
        ledger->warm = (struct ledger_job){ .run = warm_run, .done = warm_done };
        reader_submit(ledger->reader, &ledger->warm);
    }
    return status;
}

void ledger_start_clock(struct ledger *ledger)
{
    struct clock_reading reading = clock_read(true);
    ledger_clock_init(&ledger->clock, &reading, ledger->fold->time, ledger->options.build);
}

/* Closes whatever is there, without a word to the files. */
void ledger_drop(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    reader_close(ledger->reader);
    reader_close(ledger->worker);
    state_close(ledger->state);
    journal_close(ledger->journal);
    replay_close(&ledger->replay);
    if (ledger->wake_fd >= 0)
        close(ledger->wake_fd);
    free(ledger);
}

enum punkt_status ledger_open(const struct ledger_options *options, struct ledger **out_ledger,
                              struct ledger_recovery *out_recovery, struct failure *failure)
{
    struct ledger *ledger = ledger_new(options);
    if (ledger == NULL) {
        failure_set(failure, "no memory for the ledger");
        return PUNKT_NO_MEMORY;
    }
    memset(out_recovery, 0, sizeof(*out_recovery));
    struct state_mark mark;
    bool found = false;
    enum punkt_status status = ledger_paths_of(options->dir, &ledger->paths, failure);
    if (status == PUNKT_OK)
        status = make_folder(options->dir, failure);
    if (status == PUNKT_OK)
        status = ledger_open_journal(ledger, false, failure);
    if (status == PUNKT_OK)
        status = ledger_restore_state(ledger, failure);
    if (status == PUNKT_OK)
        status = ledger_open_state(ledger, &found, &mark, failure);
    if (status == PUNKT_OK)
        status = ledger_recover(ledger, &mark, out_recovery, failure);
    if (status == PUNKT_OK)
        status = ledger_start_threads(ledger, failure);
    if (status != PUNKT_OK) {
        ledger_drop(ledger);
        return status;
    }
    out_recovery->created = journal_is_new(ledger->journal);
    ledger_start_clock(ledger);
    /* What was read back is durable: an answer about it waits for nothing. */
    ledger->newest = 0;
    *out_ledger = ledger;
    return PUNKT_OK;
}

/* --- the loop's turn --- */

int ledger_fd(const struct ledger *ledger)
{
    return ledger->wake_fd;
}

static bool job_may_run(const struct ledger *ledger, const struct ledger_job *job)
{
    return job->wait_for == 0 ||
           job->wait_for < (job->stored ? ledger->stored : journal_durable(ledger->journal));
}

/* What a checkpoint stands for is durable before it is committed. */
static void note_stored(struct ledger *ledger)
{
    uint8_t digest[STATE_DIGEST_SIZE];
    struct state_mark mark;
    state_digest(ledger->state, digest, &mark);
    ledger->stored = mark.head.position;
}

void ledger_submit(struct ledger *ledger, struct ledger_job *job)
{
    if (job->stored)
        note_stored(ledger);
    if (job_may_run(ledger, job)) {
        reader_submit(ledger->reader, job);
        return;
    }
    job->next = ledger->waiting;
    ledger->waiting = job;
}

void ledger_submit_work(struct ledger *ledger, struct ledger_job *job)
{
    reader_submit(ledger->worker, job);
}

bool ledger_event_in_memory(const struct ledger *ledger, journal_position position, struct text *out_bytes)
{
    const uint8_t *event;
    uint32_t size;
    if (!journal_in_memory(ledger->journal, position, &event, &size))
        return false;
    *out_bytes =
        (struct text){ (const char *)event + JOURNAL_EVENT_HEADER_SIZE, size - JOURNAL_EVENT_HEADER_SIZE };
    return true;
}

void ledger_process(struct ledger *ledger)
{
    uint64_t count;
    ssize_t got = read(ledger->wake_fd, &count, sizeof(count));
    (void)got; /* empty: woken for nothing */
    if (state_finish(ledger->state))
        note_stored(ledger);
    struct ledger_job **link = &ledger->waiting;
    while (*link != NULL) {
        struct ledger_job *job = *link;
        if (job_may_run(ledger, job)) {
            *link = job->next;
            reader_submit(ledger->reader, job);
        } else {
            link = &job->next;
        }
    }
    reader_process(ledger->reader);
    reader_process(ledger->worker);
}

/* A job waits for a checkpoint that has not begun. */
static bool checkpoint_is_awaited(const struct ledger *ledger)
{
    for (const struct ledger_job *job = ledger->waiting; job != NULL; job = job->next) {
        if (job->stored && job->wait_for >= ledger->frozen)
            return true;
    }
    return false;
}

void ledger_turn_end(struct ledger *ledger)
{
    struct journal_head sealed;
    if (journal_seal(ledger->journal, ledger->fold->time, &sealed))
        ledger->open_block_empty = true;
    ledger->clock_read_this_turn = false;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    int64_t monotonic_us = now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000;
    /* A layer holds whole blocks: it freezes when nothing stands in the open one. If the one before is still on its
     * way: later. */
    if (!ledger->open_block_empty || !state_may_freeze(ledger->state) ||
        !(state_wants_freeze(ledger->state, monotonic_us) || checkpoint_is_awaited(ledger)))
        return;
    struct state_mark mark = { .ledger_time = ledger->fold->time };
    memcpy(mark.head.id, journal_id(ledger->journal), sizeof(mark.head.id));
    mark.head.position = journal_next(ledger->journal);
    mark.head.next_sequence = ledger->fold->next_sequence;
    mark.head.term = ledger->term;
    mark.head.time = ledger->fold->time;
    fold_store(ledger->fold);
    PUNKT_CHECK(state_freeze(ledger->state, &mark, monotonic_us));
    ledger->frozen = mark.head.position;
}

bool ledger_may_seal(const struct ledger *ledger)
{
    return !ledger->open_block_empty && journal_is_free(ledger->journal);
}

bool ledger_has_room(const struct ledger *ledger)
{
    return journal_has_room(ledger->journal) && !state_is_crowded(ledger->state);
}

bool ledger_storage_low(const struct ledger *ledger)
{
    return journal_low(ledger->journal) || state_low(ledger->state);
}

journal_position ledger_reserve(struct ledger *ledger)
{
    if (ledger->reserved == NULL)
        ledger->reserved = journal_reserve(ledger->journal, JOURNAL_EVENT_MAX, &ledger->reserved_position);
    PUNKT_CHECK(ledger->reserved != NULL); /* ledger_has_room was asked */
    return ledger->reserved_position;
}

void ledger_append(struct ledger *ledger, struct event *event)
{
    struct fold *fold = ledger->fold;
    PUNKT_CHECK(ledger->reserved != NULL);
    event->sequence = fold->next_sequence;
    for (uint32_t i = 0; i < event->effect_count; i++) {
        struct effect *effect = &event->effects[i];
        effect->previous = 0; /* of an account that the event makes */
        PUNKT_CHECK(event->suspense.number.size > 0 ||
                    fold_account_event(fold, &effect->account, &effect->previous));
    }
    size_t size = event_encode(event, ledger->reserved + JOURNAL_EVENT_HEADER_SIZE,
                               JOURNAL_EVENT_MAX - JOURNAL_EVENT_HEADER_SIZE);
    PUNKT_CHECK(fold_event(fold, event, ledger->reserved_position));
    journal_commit(ledger->journal, (uint32_t)(JOURNAL_EVENT_HEADER_SIZE + size));
    ledger->newest = ledger->reserved_position;
    ledger->open_block_empty = false;
    ledger->reserved = NULL;
}

journal_position ledger_newest(const struct ledger *ledger)
{
    return ledger->newest;
}

journal_position ledger_end(const struct ledger *ledger)
{
    return journal_next(ledger->journal);
}

journal_position ledger_durable(const struct ledger *ledger)
{
    return journal_durable(ledger->journal);
}

journal_position ledger_head(struct ledger *ledger, uint8_t out_hash[32])
{
    struct journal_head head;
    journal_durable_head(ledger->journal, &head);
    memcpy(out_hash, head.hash, sizeof(head.hash));
    return head.position;
}

utc_us ledger_now(struct ledger *ledger)
{
    if (!ledger->clock_read_this_turn) {
        struct clock_reading reading = clock_read(!ledger->clock.confirmed);
        (void)ledger_clock_now(&ledger->clock, &reading);
        ledger->clock_read_this_turn = true;
    }
    return ledger->clock.time;
}

bool ledger_clock_confirmed(const struct ledger *ledger)
{
    return ledger->clock.confirmed;
}

void ledger_take_clock(struct ledger *ledger, utc_us *out_before, utc_us *out_after)
{
    struct clock_reading reading = clock_read(false);
    *out_before = ledger_now(ledger);
    ledger_clock_accept(&ledger->clock, &reading);
    *out_after = ledger->clock.time;
}

struct fold *ledger_fold(struct ledger *ledger)
{
    return ledger->fold;
}

const uint8_t *ledger_id(const struct ledger *ledger)
{
    return journal_id(ledger->journal);
}

uint64_t ledger_term(const struct ledger *ledger)
{
    return ledger->term;
}

struct verify_options ledger_verify_options(const struct ledger *ledger, const uint8_t *digest,
                                            const struct state_mark *mark)
{
    return (struct verify_options){ .scratch_dir = ledger->paths.scratch,
                                    .map_bytes = ledger->options.map_bytes,
                                    .digest = digest,
                                    .mark = *mark };
}

enum punkt_status ledger_verify_open(struct ledger *ledger, const uint8_t *head, struct verify **out_verify,
                                     struct failure *failure)
{
    uint8_t digest[STATE_DIGEST_SIZE];
    struct state_mark mark;
    state_digest(ledger->state, digest, &mark);
    struct verify_options options = ledger_verify_options(ledger, digest, &mark);
    options.until = journal_durable(ledger->journal);
    options.asked.head = head;
    return verify_open(ledger->journal, &options, out_verify, failure);
}

/* Nobody was answered about what has no room: a stop does not wait for it. */
static void wait_to_stop(struct ledger *ledger, journal_position position)
{
    if (!journal_wait_with_space(ledger->journal, position))
        storage_failed(ledger, "there is no space for the last events, which nobody was answered about");
}

enum punkt_status ledger_close(struct ledger *ledger, struct failure *failure)
{
    if (ledger == NULL)
        return PUNKT_OK;
    reader_close(ledger->reader);
    reader_close(ledger->worker);
    ledger->reader = ledger->worker = NULL;
    /* The block before may still be on its way; then the last one can be sealed. */
    struct journal_head head;
    while (!ledger->open_block_empty && !journal_seal(ledger->journal, ledger->fold->time, &head))
        wait_to_stop(ledger, journal_durable(ledger->journal) + 1);
    wait_to_stop(ledger, journal_next(ledger->journal));
    fold_store(ledger->fold);
    struct state_mark mark = { .ledger_time = ledger->fold->time, .clean = true };
    journal_durable_head(ledger->journal, &mark.head);
    enum punkt_status status = state_checkpoint_now(ledger->state, &mark, failure);
    ledger_drop(ledger);
    return status;
}
