#include "ledger/journal_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define READ_AHEAD_BYTES (256u * 1024)
#define WINDOW_BYTES JOURNAL_BLOCK_MAX

enum punkt_status walk_init(struct journal_walk *walk, struct journal *journal, struct failure *failure)
{
    *walk = (struct journal_walk){ .journal = journal, .fd = -1 };
    walk->window = malloc(WINDOW_BYTES);
    if (sha256_init(&walk->sha256) != PUNKT_OK || walk->window == NULL) {
        failure_set(failure, "no memory to read the journal with");
        return PUNKT_NO_MEMORY;
    }
    return PUNKT_OK;
}

void walk_done(struct journal_walk *walk)
{
    if (walk->fd >= 0)
        (void)close(walk->fd);
    walk->fd = -1;
    sha256_done(&walk->sha256);
    free(walk->window);
    walk->window = NULL;
}

enum punkt_status walk_damaged(struct journal_walk *walk, uint64_t offset, const char *format, ...)
{
    char name[SEGMENT_NAME_SIZE];
    va_list args;
    walk->damage = (struct journal_damage){ .offset = offset };
    segment_name(walk->start, name);
    (void)snprintf(walk->damage.file, sizeof(walk->damage.file), "%s", name);
    va_start(args, format);
    (void)vsnprintf(walk->damage.text, sizeof(walk->damage.text), format, args);
    va_end(args);
    return PUNKT_CORRUPT;
}

enum punkt_status walk_enter(struct journal_walk *walk, size_t index, struct failure *failure)
{
    if (walk->fd >= 0)
        (void)close(walk->fd);
    walk->fd = -1;
    walk->window_size = 0;
    walk->index = index;
    if (!table_at(&walk->journal->table, index, &walk->start))
        return walk_damaged(walk, 0, "the segment is missing");
    enum punkt_status status =
        segment_open(walk->journal, walk->start, false, &walk->fd, &walk->bytes, &walk->damage, failure);
    if (status == PUNKT_NOT_FOUND)
        return walk_damaged(walk, 0, "the segment is missing");
    return status;
}

uint64_t walk_offset(const struct journal_walk *walk)
{
    return SEGMENT_HEADER_SIZE + (walk->head.position - walk->start);
}

/* Bytes of the file, through the window; never reads behind limit. */
static enum punkt_status walk_bytes(struct journal_walk *walk, uint64_t offset, uint32_t size, uint64_t limit,
                                    const uint8_t **out_bytes, struct failure *failure)
{
    if (offset < walk->window_offset || offset + size > walk->window_offset + walk->window_size) {
        uint64_t ahead = u64_max(size, READ_AHEAD_BYTES);
        uint32_t wanted = (uint32_t)u64_min(u64_min(ahead, WINDOW_BYTES), limit - offset);
        walk->window_size = 0;
        int error = file_read_all(walk->fd, walk->window, wanted, offset);
        if (error != 0) {
            char name[SEGMENT_NAME_SIZE];
            segment_name(walk->start, name);
            return file_failure(walk->journal, failure, "read", name, error);
        }
        walk->window_offset = offset;
        walk->window_size = wanted;
    }
    *out_bytes = walk->window + (offset - walk->window_offset);
    return PUNKT_OK;
}

static void walk_step(struct journal_walk *walk, const struct block_header *header, const uint8_t *bytes,
                      struct journal_block *out_block)
{
    *out_block = (struct journal_block){
        .position = walk->head.position,
        .size = header->size,
        .event_count = header->event_count,
        .first_sequence = header->first_sequence,
        .term = header->term,
        .time = header->time,
        .events = bytes + BLOCK_HEADER_SIZE,
        .events_size = header->size - BLOCK_HEADER_SIZE - JOURNAL_HASH_SIZE,
    };
    memcpy(out_block->hash, bytes + header->size - JOURNAL_HASH_SIZE, JOURNAL_HASH_SIZE);
    walk->head.position += header->size;
    memcpy(walk->head.hash, out_block->hash, JOURNAL_HASH_SIZE);
    walk->head.next_sequence = header->first_sequence + header->event_count;
    walk->head.term = header->term;
    walk->head.time = header->time;
    walk->head_known = true;
}

enum punkt_status walk_next(struct journal_walk *walk, journal_position until,
                            struct journal_block *out_block, struct failure *failure)
{
    const uint8_t *bytes;
    struct block_header header;
    struct block_fault fault;
    uint64_t offset = walk_offset(walk);
    uint64_t limit = SEGMENT_HEADER_SIZE + u64_min(walk->bytes - SEGMENT_HEADER_SIZE, until - walk->start);
    if (offset > limit || limit - offset < BLOCK_SIZE_MIN)
        return PUNKT_NOT_FOUND;
    enum punkt_status status = walk_bytes(walk, offset, BLOCK_HEADER_SIZE, limit, &bytes, failure);
    if (status != PUNKT_OK)
        return status;
    if (bytes_are_zero(bytes, BLOCK_HEADER_SIZE))
        return PUNKT_NOT_FOUND;
    const char *wrong = block_header_decode(bytes, limit - offset, &header);
    if (wrong != NULL) {
        walk->fault_from = offset;
        walk->fault_to = offset + BLOCK_HEADER_SIZE;
        walk->block_end = 0;
        return walk_damaged(walk, offset, "%s", wrong);
    }
    status = walk_bytes(walk, offset, header.size, limit, &bytes, failure);
    if (status != PUNKT_OK)
        return status;
    if (!block_check(&walk->sha256, bytes, &header, walk->head_known ? &walk->head : NULL, &fault)) {
        walk->fault_from = offset + fault.from;
        walk->fault_to = offset + fault.to;
        walk->block_end = offset + header.size;
        return walk_damaged(walk, offset + fault.from, "%s (block at offset %" PRIu64 ")", fault.text,
                            offset);
    }
    walk_step(walk, &header, bytes, out_block);
    return PUNKT_OK;
}

enum punkt_status walk_check_zeros(struct journal_walk *walk, struct failure *failure)
{
    uint64_t from, to;
    int error = file_find_nonzero(walk->fd, walk_offset(walk), walk->bytes, &from, &to);
    if (error != 0) {
        char name[SEGMENT_NAME_SIZE];
        segment_name(walk->start, name);
        return file_failure(walk->journal, failure, "read", name, error);
    }
    if (from != to)
        return walk_damaged(walk, from, "behind the last block of the segment there must be zeros");
    return PUNKT_OK;
}
