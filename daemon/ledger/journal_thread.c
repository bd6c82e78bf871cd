/*
 * The journal's thread. In this order: the block that was handed over; as much of the spare as the
 * segment's filling asks for; the rest of the spare while nothing else is to do; once a second a look
 * at the space.
 */
#include "ledger/journal_internal.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define CHECK_INTERVAL_US US_PER_SECOND

static void journal_fatal(struct journal *journal, const char *what)
{
    journal->options.fatal(journal->options.ctx, what);
    PUNKT_CHECK(!"fatal() of the journal does not return");
}

/* What does not end the process is full space, which the caller handles. */
static bool went_well(struct journal *journal, enum punkt_status status, const struct failure *failure)
{
    if (status != PUNKT_OK && status != PUNKT_FULL)
        journal_fatal(journal, failure->text);
    return status == PUNKT_OK;
}

static bool space_is_low(const struct journal *journal)
{
    return journal->writer.spare_failed || folder_free_bytes(journal) < journal->options.reserve_bytes;
}

void journal_check_space(struct journal *journal)
{
    bool low = space_is_low(journal);
    journal->next_check_us = monotonic_us() + CHECK_INTERVAL_US;
    if (atomic_load(&journal->low) == low)
        return;
    atomic_store(&journal->low, low);
    if (journal->started)
        journal->options.notify(journal->options.ctx);
}

static void check_space_if_due(struct journal *journal)
{
    if (monotonic_us() < journal->next_check_us)
        return;
    journal->writer.spare_blocked = false;
    journal_check_space(journal);
}

static bool spare_wanted(const struct journal *journal)
{
    return !journal->writer.spare_ready && !journal->writer.spare_blocked;
}

static void make_spare_slice(struct journal *journal)
{
    struct failure failure;
    bool failed_before = journal->writer.spare_failed;
    (void)went_well(journal, spare_step(journal, &failure), &failure);
    if (journal->writer.spare_failed != failed_before)
        journal_check_space(journal);
}

/* Under load the spare grows twice as fast as the segment fills, so that it is ready when half is full. */
static bool spare_is_late(const struct journal *journal, journal_position end)
{
    return spare_wanted(journal) && journal->writer.spare_written < 2 * (end - journal->writer.start);
}

/* False: the journal is closed while there is no space. */
static bool wait_for_check(struct journal *journal)
{
    struct timespec until = { journal->next_check_us / US_PER_SECOND,
                              journal->next_check_us % US_PER_SECOND * 1000 };
    pthread_mutex_lock(&journal->lock);
    journal->out_of_space = true;
    pthread_cond_broadcast(&journal->done);
    while (!atomic_load(&journal->stop) &&
           pthread_cond_timedwait(&journal->work, &journal->lock, &until) != ETIMEDOUT)
        continue;
    pthread_mutex_unlock(&journal->lock);
    return !atomic_load(&journal->stop);
}

/* The spare has to be there now, however long it takes. */
static bool next_segment(struct journal *journal, journal_position start)
{
    struct failure failure;
    for (;;) {
        while (spare_wanted(journal))
            make_spare_slice(journal);
        if (journal->writer.spare_ready &&
            went_well(journal, spare_take(journal, start, &failure), &failure)) {
            pthread_mutex_lock(&journal->lock);
            journal->out_of_space = false;
            pthread_mutex_unlock(&journal->lock);
            return true;
        }
        journal->writer.spare_failed = journal->writer.spare_blocked = true;
        journal_check_space(journal);
        if (!wait_for_check(journal))
            return false;
        check_space_if_due(journal);
    }
}

/* Makes the block durable. One write, one sync: after a failed one nobody knows what is on the disk. */
static bool write_block(struct journal *journal, struct block_buffer *block,
                        uint8_t out_hash[JOURNAL_HASH_SIZE])
{
    struct segment_writer *writer = &journal->writer;
    char what[128];
    block_finish(&journal->sha256, block->bytes, block->used, journal->head.hash, out_hash);
    uint64_t offset = SEGMENT_HEADER_SIZE + (block->position - writer->start);
    if (offset + block->used > writer->bytes) {
        if (!next_segment(journal, block->position))
            return false;
        offset = SEGMENT_HEADER_SIZE;
    }
    int error = file_write_all(writer->fd, block->bytes, block->used, offset);
    const char *call = "write";
    if (error == 0 && fdatasync(writer->fd) != 0) {
        error = errno;
        call = "sync";
    }
    if (error != 0) {
        char name[SEGMENT_NAME_SIZE];
        segment_name(writer->start, name);
        (void)snprintf(what, sizeof(what), "cannot %s %s at offset %llu: %s", call, name,
                       (unsigned long long)offset, strerror(error));
        journal_fatal(journal, what);
    }
    return true;
}

static void publish(struct journal *journal, const struct block_buffer *block,
                    const uint8_t hash[JOURNAL_HASH_SIZE])
{
    pthread_mutex_lock(&journal->lock);
    journal->head.position = block->position + block->used;
    memcpy(journal->head.hash, hash, JOURNAL_HASH_SIZE);
    journal->head.next_sequence = block->first_sequence + block->event_count;
    journal->head.term = load_u64(block->bytes + 24);
    journal->head.time = (utc_us)load_u64(block->bytes + 32);
    atomic_store(&journal->durable, journal->head.position);
    atomic_store(&journal->busy, false);
    pthread_cond_broadcast(&journal->done);
    pthread_mutex_unlock(&journal->lock);
    journal->options.notify(journal->options.ctx);
}

/* False: it could not be made durable, and the journal is being closed. */
static bool commit_block(struct journal *journal)
{
    uint8_t hash[JOURNAL_HASH_SIZE];
    /* The loop swaps its buffers only while this thread is not busy. */
    struct block_buffer *block = journal->away;
    journal_position end = block->position + block->used;
    if (!write_block(journal, block, hash))
        return false;
    publish(journal, block, hash);
    while (spare_is_late(journal, end))
        make_spare_slice(journal);
    check_space_if_due(journal);
    return true;
}

/* Under the lock: waits for a block, the stop, or the next check. */
static void wait_for_work(struct journal *journal)
{
    struct timespec until = { journal->next_check_us / US_PER_SECOND,
                              journal->next_check_us % US_PER_SECOND * 1000 };
    while (!atomic_load(&journal->busy) && !atomic_load(&journal->stop)) {
        if (pthread_cond_timedwait(&journal->work, &journal->lock, &until) == ETIMEDOUT)
            return;
    }
}

void *journal_thread(void *arg)
{
    struct journal *journal = arg;
    for (;;) {
        if (atomic_load(&journal->busy)) {
            if (!commit_block(journal))
                return NULL;
        } else if (atomic_load(&journal->stop)) {
            return NULL;
        } else if (spare_wanted(journal)) {
            make_spare_slice(journal);
        } else {
            pthread_mutex_lock(&journal->lock);
            wait_for_work(journal);
            pthread_mutex_unlock(&journal->lock);
            check_space_if_due(journal);
        }
    }
}
