/*
 * Verification: every byte below a position is read and judged. Runs beside a live journal, whose
 * blocks below the durable position, and whose segments before the newest, no longer change.
 */
#include "ledger/journal_internal.h"

/* Checks the zeros behind the blocks of a segment that is complete, and goes on to the next one. */
static enum punkt_status scan_cross(struct journal_walk *walk, bool *out_crossed, struct failure *failure)
{
    journal_position next;
    *out_crossed = false;
    if (!table_at(&walk->journal->table, walk->index + 1, &next) || next != walk->head.position)
        return PUNKT_OK;
    enum punkt_status status = walk_check_zeros(walk, failure);
    if (status == PUNKT_OK)
        status = walk_enter(walk, walk->index + 1, failure);
    *out_crossed = true;
    return status;
}

static enum punkt_status scan_begin(struct journal_walk *walk, const struct journal_head *head,
                                    struct failure *failure)
{
    journal_position first, start;
    size_t index;
    walk->head = *head;
    walk->head_known = true;
    /* Behind the end of a segment: that one again, for the zeros at its end may not have been looked at. */
    first = head->position == 0 ? 0 : head->position - 1;
    if (!table_find(&walk->journal->table, first, &index, &start)) {
        walk->start = 0;
        return walk_damaged(walk, 0, "the first segments are missing: put them back from the archive");
    }
    return walk_enter(walk, index, failure);
}

static enum punkt_status scan_blocks(struct journal_walk *walk, journal_position until, uint64_t slice_bytes,
                                     journal_visit_fn *visit, void *ctx, struct failure *failure)
{
    struct journal_block block;
    uint64_t scanned = 0;
    bool crossed;
    for (;;) {
        enum punkt_status status = scan_cross(walk, &crossed, failure);
        if (status != PUNKT_OK)
            return status;
        if (crossed)
            continue; /* a segment may be complete without a block */
        if (walk->head.position >= until)
            return PUNKT_OK;
        if (slice_bytes != 0 && scanned >= slice_bytes)
            return PUNKT_BUSY;
        uint64_t offset = walk_offset(walk);
        status = walk_next(walk, until, &block, failure);
        if (status == PUNKT_NOT_FOUND)
            return walk_damaged(walk, walk_offset(walk), "a block is missing at position %llu",
                                (unsigned long long)walk->head.position);
        if (status == PUNKT_OK && visit != NULL) {
            status = visit(ctx, &block, failure);
            if (status == PUNKT_CORRUPT)
                return walk_damaged(walk, offset, "%s (block at offset %llu)", failure->text,
                                    (unsigned long long)offset);
        }
        if (status != PUNKT_OK)
            return status;
        scanned += block.size;
    }
}

enum punkt_status journal_scan(struct journal *journal, struct journal_head *inout_head,
                               journal_position until, uint64_t slice_bytes, journal_visit_fn *visit,
                               void *ctx, struct journal_damage *out_damage, struct failure *failure)
{
    struct journal_walk walk;
    enum punkt_status status = walk_init(&walk, journal, failure);
    if (status == PUNKT_OK)
        status = scan_begin(&walk, inout_head, failure);
    if (status == PUNKT_OK)
        status = scan_blocks(&walk, until, slice_bytes, visit, ctx, failure);
    if (status == PUNKT_OK || status == PUNKT_BUSY)
        *inout_head = walk.head;
    if (status == PUNKT_CORRUPT && walk.damage.file[0] != '\0') {
        *out_damage = walk.damage;
        failure_set(failure, "%s/%s, offset %llu: %s", journal->options.dir, walk.damage.file,
                    (unsigned long long)walk.damage.offset, walk.damage.text);
    }
    walk_done(&walk);
    return status;
}
