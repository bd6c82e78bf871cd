#include "ledger/event_walk.h"

#include "ledger/journal_format.h"
#include "proto/wire.h"

enum punkt_status block_events(const struct journal_block *block, struct event_memory *memory,
                               struct event *event, event_visit_fn *visit, void *ctx, struct failure *failure)
{
    struct wire_reader reader = wire_reader_over(block->events, block->events_size);
    for (uint32_t i = 0; i < block->event_count; i++) {
        journal_position position =
            block->position + BLOCK_HEADER_SIZE + (uint64_t)(reader.at - block->events);
        uint32_t size = wire_read_u32(&reader);
        (void)wire_read_u32(&reader); /* its checksum: the block's hash says more */
        const uint8_t *bytes = size >= JOURNAL_EVENT_HEADER_SIZE
                                   ? wire_read_bytes(&reader, size - JOURNAL_EVENT_HEADER_SIZE)
                                   : NULL;
        if (bytes == NULL || !event_decode(bytes, size - JOURNAL_EVENT_HEADER_SIZE, memory, event)) {
            failure_set(
                failure,
                "the event at position %llu has a type or format that this version does not know: start "
                "the version that wrote it",
                (unsigned long long)position);
            return PUNKT_CORRUPT;
        }
        enum punkt_status status = visit(ctx, event, position, failure);
        if (status != PUNKT_OK)
            return status;
    }
    return PUNKT_OK;
}

static enum punkt_status visit_block(void *ctx, const struct journal_block *block, struct failure *failure)
{
    struct event_walk *walk = ctx;
    return block_events(block, &walk->reading->memory, &walk->reading->event, walk->visit, walk->ctx,
                        failure);
}

enum punkt_status event_walk_slice(struct event_walk *walk, struct reading *reading, uint64_t slice_bytes,
                                   struct failure *failure)
{
    struct journal_damage damage;
    if (!walk->begun) {
        enum punkt_status status =
            journal_find_time(reading->journal, walk->from, walk->until, &walk->at, failure);
        if (status != PUNKT_OK)
            return status;
        walk->begun = true;
    }
    walk->reading = reading;
    return journal_scan(reading->journal, &walk->at, walk->until, slice_bytes, visit_block, walk, &damage,
                        failure);
}
