/*
 * Recovery: from where state stands to the last whole block. What lies behind that is either nothing,
 * or a block whose write did not finish, or damage; LEDGER.md, Recovery, says how to tell.
 */
#include "ledger/journal_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What is known of the end while walking. */
struct recovery {
    struct journal *journal;
    const struct journal_head *from;
    bool tail_may_be_torn;
    bool reached; /* `from` was met on the way */
    struct journal_walk walk;

    bool has_last; /* the last whole block, to be written again */
    journal_position last_start;
    uint64_t last_offset;
    uint32_t last_size;

    uint64_t tail_from,
        tail_to; /* what lies behind it, in the segment the walk is in; to: behind the last byte
                                    that is not zero */
};

/* --- refusals --- */

/* The first 8 bytes are enough for a person to tell two apart. */
static void hash_text(const uint8_t *hash, char out_text[17])
{
    for (size_t i = 0; i < 8; i++)
        (void)snprintf(out_text + 2 * i, 3, "%02x", hash[i]);
}

/* Journal and state do not belong together: both are named, for one of them is from elsewhere. */
static enum punkt_status recovery_differs(const struct recovery *r, const char *how, struct failure *failure)
{
    char there[17], here[17], there_id[17], here_id[17];
    hash_text(r->from->hash, there);
    hash_text(r->walk.head.hash, here);
    hash_text(r->from->id, there_id);
    hash_text(r->journal->id, here_id);
    failure_set(
        failure,
        "%s: state stands for position %" PRIu64 ", hash %s.., of journal %s..; %s is at position %" PRIu64
        ", hash %s.., of journal %s... If the journal is the right one, run: punktd rebuild --data DIR",
        how, r->from->position, there, there_id, r->journal->options.dir, r->walk.head.position, here,
        here_id);
    return PUNKT_CORRUPT;
}

static enum punkt_status recovery_damaged(const struct recovery *r, const char *why, struct failure *failure)
{
    failure_set(failure,
                "%s/%s, offset %" PRIu64 ": %s; %s. Nothing was changed: put the file back from a backup or "
                "the archive, or restore to a moment before",
                r->journal->options.dir, r->walk.damage.file, r->walk.damage.offset, r->walk.damage.text,
                why);
    return PUNKT_CORRUPT;
}

/* The last block is whole, but who was to take its events could not: adds where it lies. */
static enum punkt_status recovery_not_taken(const struct recovery *r, struct failure *failure)
{
    char name[SEGMENT_NAME_SIZE];
    struct failure why = *failure;
    segment_name(r->last_start, name);
    failure_set(failure, "%s/%s, block at offset %" PRIu64 ": %s. The journal was not changed",
                r->journal->options.dir, name, r->last_offset, why.text);
    return PUNKT_CORRUPT;
}

/* --- the torn tail --- */

static enum punkt_status recovery_read_error(const struct recovery *r, int error, struct failure *failure)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(r->walk.start, name);
    return file_failure(r->journal, failure, "read", name, error);
}

/*
 * Whether a write that never happened explains what does not check out: one of the sectors it touches is zero as
 * far as it belongs to the block. tail: the bytes of the file from the block's first one on.
 */
static bool fault_has_zero_sector(const struct journal_walk *walk, const uint8_t *tail, uint64_t offset)
{
    uint64_t end = walk->block_end != 0 ? walk->block_end : walk->bytes;
    for (uint64_t sector = walk->fault_from - walk->fault_from % SECTOR_SIZE; sector < walk->fault_to;
         sector += SECTOR_SIZE) {
        uint64_t from = u64_max(sector, offset);
        uint64_t to = u64_min(sector + SECTOR_SIZE, end);
        if (from < to && bytes_are_zero(tail + (from - offset), to - from))
            return true;
    }
    return false;
}

/* A sound header behind the damage: somebody went on writing, so the damaged block had been durable. */
static bool block_follows(const uint8_t *tail, uint64_t size)
{
    struct block_header header;
    for (uint64_t at = 1; at + BLOCK_HEADER_SIZE <= size; at++) {
        if (tail[at] == 'P' && block_header_decode(tail + at, JOURNAL_BLOCK_MAX, &header) == NULL)
            return true;
    }
    return false;
}

/* NULL: torn, and may be cut. Else why not. tail_to and the walk's fault are set. */
static const char *judge_tail(const struct recovery *r, const uint8_t *tail, uint64_t offset)
{
    const struct journal_walk *walk = &r->walk;
    if (!r->tail_may_be_torn)
        return "after a clean stop nothing may be cut";
    if (r->tail_to > (walk->block_end != 0 ? walk->block_end : offset + JOURNAL_BLOCK_MAX))
        return "it reaches further than one block can, so it is no torn write";
    if (!fault_has_zero_sector(walk, tail, offset))
        return "no missing write explains it, so it is no torn write";
    if (walk->block_end == 0 && block_follows(tail, r->tail_to - offset))
        return "a block follows, so it is no torn write";
    return NULL;
}

/*
 * The walk stopped in the last segment: found is PUNKT_NOT_FOUND (no header) or PUNKT_CORRUPT (walk->damage).
 * PUNKT_OK: the journal ends here, and what lies behind may be made zero.
 */
static enum punkt_status recovery_end(struct recovery *r, enum punkt_status found, struct failure *failure)
{
    struct journal_walk *walk = &r->walk;
    uint64_t offset = walk_offset(walk);
    uint64_t first;
    int error = file_find_nonzero(walk->fd, offset, walk->bytes, &first, &r->tail_to);
    if (error != 0)
        return recovery_read_error(r, error, failure);
    r->tail_from = offset;
    if (first == r->tail_to) {
        r->tail_to = offset;
        return PUNKT_OK;
    }
    if (found == PUNKT_NOT_FOUND) {
        found = walk_damaged(walk, first, "there are bytes where no block begins");
        walk->fault_from = offset;
        walk->fault_to = u64_min(offset + BLOCK_HEADER_SIZE, walk->bytes);
        walk->block_end = 0;
    }
    if (walk->head.position < r->from->position)
        return recovery_damaged(r, "state already stands for what was there", failure);
    /* Up to the end of the last sector that the fault touches, so that it can be judged from memory. */
    uint64_t size = u64_min(u64_max(r->tail_to, walk->fault_to + SECTOR_SIZE), walk->bytes) - offset;
    uint8_t *tail = malloc(size);
    if (tail == NULL) {
        failure_set(failure, "no memory to judge the end of the journal with");
        return PUNKT_NO_MEMORY;
    }
    enum punkt_status status = PUNKT_OK;
    error = file_read_all(walk->fd, tail, size, offset);
    if (error != 0) {
        status = recovery_read_error(r, error, failure);
    } else {
        const char *why = judge_tail(r, tail, offset);
        if (why != NULL)
            status = recovery_damaged(r, why, failure);
    }
    free(tail);
    return status;
}

/* --- the walk --- */

/* The segment is complete: behind its blocks there is nothing, and the next begins where it ends. */
static enum punkt_status recovery_cross(struct recovery *r, journal_position next, enum punkt_status found,
                                        struct failure *failure)
{
    static const char followed[] = "segments follow, so it is no torn write";
    struct journal_walk *walk = &r->walk;
    if (found == PUNKT_CORRUPT)
        return recovery_damaged(r, followed, failure);
    enum punkt_status status = walk_check_zeros(walk, failure);
    if (status == PUNKT_CORRUPT)
        return recovery_damaged(r, followed, failure);
    if (status != PUNKT_OK)
        return status;
    if (next != walk->head.position) {
        (void)walk_damaged(walk, walk_offset(walk),
                           "blocks are missing from position %" PRIu64 " to the next segment at %" PRIu64,
                           walk->head.position, next);
        return recovery_damaged(r, followed, failure);
    }
    status = walk_enter(walk, walk->index + 1, failure);
    return status == PUNKT_CORRUPT ? recovery_damaged(r, "the segment is needed", failure) : status;
}

/* At the end of a block: is this where state stands? */
static enum punkt_status recovery_meet(struct recovery *r, struct failure *failure)
{
    const struct journal_head *head = &r->walk.head;
    if (head->position > r->from->position && !r->reached)
        return recovery_differs(r, "no block ends where state stands", failure);
    if (head->position != r->from->position)
        return PUNKT_OK;
    r->reached = true;
    /* At the very beginning, and behind any block that was checked here, the head is known. */
    if (memcmp(head->hash, r->from->hash, JOURNAL_HASH_SIZE) != 0 ||
        head->next_sequence != r->from->next_sequence || head->term != r->from->term)
        return recovery_differs(r, "the journal has another history than state", failure);
    return PUNKT_OK;
}

static enum punkt_status recovery_step(struct recovery *r, journal_visit_fn *visit, void *ctx,
                                       bool *out_ended, struct failure *failure)
{
    struct journal_walk *walk = &r->walk;
    struct journal_block block;
    journal_position next, start = walk->start;
    uint64_t offset = walk_offset(walk);
    enum punkt_status status = walk_next(walk, UINT64_MAX, &block, failure);
    if (status == PUNKT_NOT_FOUND || status == PUNKT_CORRUPT) {
        if (table_at(&r->journal->table, walk->index + 1, &next))
            return recovery_cross(r, next, status, failure);
        *out_ended = true;
        return recovery_end(r, status, failure);
    }
    if (status != PUNKT_OK)
        return status;
    r->has_last = true;
    r->last_start = start;
    r->last_offset = offset;
    r->last_size = block.size;
    if (r->reached && visit != NULL)
        status = visit(ctx, &block, failure);
    if (status == PUNKT_CORRUPT)
        return recovery_not_taken(r, failure);
    return status == PUNKT_OK ? recovery_meet(r, failure) : status;
}

/* Enters the segment with the last block before `from`: that block may have to be written again. */
static enum punkt_status recovery_begin(struct recovery *r, struct failure *failure)
{
    struct journal_walk *walk = &r->walk;
    size_t index;
    journal_position start, before = r->from->position == 0 ? 0 : r->from->position - 1;
    journal_beginning(r->journal, &walk->head);
    if (memcmp(r->from->id, r->journal->id, JOURNAL_ID_SIZE) != 0)
        return recovery_differs(r, "state belongs to another journal", failure);
    if (!table_find(&r->journal->table, before, &index, &start)) {
        failure_set(failure,
                    "the segment with position %" PRIu64
                    " is not in %s: put it back from the archive or a backup",
                    before, r->journal->options.dir);
        return PUNKT_CORRUPT;
    }
    enum punkt_status status = walk_enter(walk, index, failure);
    if (status == PUNKT_CORRUPT)
        return recovery_damaged(r, "the segment is needed", failure);
    walk->head.position = start;
    walk->head_known = start == 0;
    return status;
}

/* --- making the end durable --- */

/* As later, under load: after a failed write or sync nobody knows what is on the disk, and the process ends. */
static enum punkt_status recovery_write(const struct recovery *r, const char *name, int error,
                                        struct failure *failure)
{
    (void)file_failure(r->journal, failure, "write or sync", name, error);
    r->journal->options.fatal(r->journal->options.ctx, failure->text);
    return PUNKT_IO; /* not reached: fatal does not return */
}

/* The bytes of the last block go to the same place again: a failed sync may have left them only in memory. */
static int rewrite_block(int fd, uint64_t offset, uint32_t size)
{
    uint8_t *bytes = malloc(size);
    if (bytes == NULL)
        return ENOMEM;
    int error = file_read_all(fd, bytes, size, offset);
    if (error == 0)
        error = file_write_all(fd, bytes, size, offset);
    free(bytes);
    return error;
}

/*
 * As far as a block can reach, whatever is read there: zeros of an earlier repair whose sync failed would look like
 * zeros, and the torn block come back with the next loss of power.
 */
static int write_zeros(const struct recovery *r, int fd, uint64_t segment_bytes)
{
    uint64_t to = u64_min(u64_max(r->tail_to, r->tail_from + JOURNAL_BLOCK_MAX), segment_bytes);
    for (uint64_t at = r->tail_from; at < to;) {
        size_t size = (size_t)u64_min(SPARE_SLICE_BYTES, to - at);
        int error = file_write_all(fd, r->journal->writer.zeros, size, at);
        if (error != 0)
            return error;
        at += size;
    }
    return 0;
}

/* Repairs one segment: the last block's, the one the walk ended in, or both in one. */
static enum punkt_status repair_segment(const struct recovery *r, journal_position start, bool is_end,
                                        int *out_fd, uint64_t *out_bytes, struct failure *failure)
{
    struct journal_damage damage;
    char name[SEGMENT_NAME_SIZE];
    int error = 0;
    segment_name(start, name);
    enum punkt_status status = segment_open(r->journal, start, true, out_fd, out_bytes, &damage, failure);
    if (status != PUNKT_OK)
        return status;
    if (r->has_last && start == r->last_start)
        error = rewrite_block(*out_fd, r->last_offset, r->last_size);
    if (error == 0 && is_end)
        error = write_zeros(r, *out_fd, *out_bytes);
    if (error == 0 && fsync(*out_fd) != 0)
        error = errno;
    if (error == 0)
        return PUNKT_OK;
    (void)close(*out_fd);
    *out_fd = -1;
    return recovery_write(r, name, error, failure);
}

static enum punkt_status recovery_repair(struct recovery *r, struct failure *failure)
{
    struct segment_writer *writer = &r->journal->writer;
    if (writer->fd >= 0)
        (void)close(writer->fd); /* of a journal that was made just now */
    writer->fd = -1;
    if (r->has_last && r->last_start != r->walk.start) {
        uint64_t bytes;
        int fd = -1;
        enum punkt_status status = repair_segment(r, r->last_start, false, &fd, &bytes, failure);
        if (fd >= 0)
            (void)close(fd);
        if (status != PUNKT_OK)
            return status;
    }
    enum punkt_status status = repair_segment(r, r->walk.start, true, &writer->fd, &writer->bytes, failure);
    writer->start = r->walk.start;
    if (status == PUNKT_OK && fsync(r->journal->dir_fd) != 0)
        return recovery_write(r, "", errno, failure);
    return status;
}

enum punkt_status journal_recover(struct journal *journal, const struct journal_head *from,
                                  bool tail_may_be_torn, journal_visit_fn *visit, void *ctx,
                                  struct journal_head *out_head, struct failure *failure)
{
    struct recovery r = { .journal = journal, .from = from, .tail_may_be_torn = tail_may_be_torn };
    bool ended = false;
    PUNKT_CHECK(!journal->started);
    enum punkt_status status = walk_init(&r.walk, journal, failure);
    if (status == PUNKT_OK)
        status = recovery_begin(&r, failure);
    if (status == PUNKT_OK && r.walk.head_known)
        status = recovery_meet(&r, failure);
    while (status == PUNKT_OK && !ended)
        status = recovery_step(&r, visit, ctx, &ended, failure);
    if (status == PUNKT_OK && !r.reached)
        status = recovery_differs(&r, "the journal ends before state does", failure);
    if (status == PUNKT_OK && !journal->options.read_only)
        status = recovery_repair(&r, failure);
    if (status == PUNKT_OK) {
        journal->head = r.walk.head;
        atomic_store(&journal->durable, journal->head.position);
        journal->torn_bytes = r.tail_to - r.tail_from;
        journal->recovered = true;
        *out_head = journal->head;
    }
    walk_done(&r.walk);
    return status;
}

uint64_t journal_torn_bytes(const struct journal *journal)
{
    return journal->torn_bytes;
}
