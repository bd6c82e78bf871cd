#include "ledger/journal_format.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "proto/crc32c.h"

static const uint8_t segment_magic[8] = "PKTJSEG1";
#define BLOCK_MAGIC 0x42544b50u /* "PKTB" */

static_assert(JOURNAL_EVENT_MAX + BLOCK_HEADER_SIZE + JOURNAL_HASH_SIZE <= JOURNAL_BLOCK_MAX,
              "a block holds at least one event");
static_assert(JOURNAL_BLOCK_MAX + SEGMENT_HEADER_SIZE <= JOURNAL_SEGMENT_BYTES_MIN,
              "a segment holds at least one block");

bool bytes_are_zero(const uint8_t *bytes, size_t size)
{
    /* Each byte equals the one before, and the first is zero: memcmp does it at full width. */
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static void hash_bytes(struct sha256 *sha256, const uint8_t *bytes, size_t size,
                       uint8_t out_hash[JOURNAL_HASH_SIZE])
{
    sha256_begin(sha256);
    sha256_add(sha256, bytes, size);
    sha256_end(sha256, out_hash);
}

void segment_name(journal_position start, char out_name[SEGMENT_NAME_SIZE])
{
    (void)snprintf(out_name, SEGMENT_NAME_SIZE, "%016" PRIx64 ".seg", start);
}

bool segment_name_parse(const char *name, journal_position *out_start)
{
    journal_position start = 0;
    char again[SEGMENT_NAME_SIZE];
    if (sscanf(name, "%16" SCNx64, &start) != 1)
        return false;
    segment_name(start, again);
    if (strcmp(name, again) != 0)
        return false;
    *out_start = start;
    return true;
}

void segment_header_encode(const struct segment_header *header, uint8_t out_bytes[SEGMENT_HEADER_SIZE])
{
    memset(out_bytes, 0, SEGMENT_HEADER_SIZE);
    memcpy(out_bytes, segment_magic, sizeof(segment_magic));
    out_bytes[8] = JOURNAL_FORMAT;
    memcpy(out_bytes + 16, header->id, JOURNAL_ID_SIZE);
    store_u64(out_bytes + 32, header->start);
    store_u64(out_bytes + 40, header->segment_bytes);
    store_u32(out_bytes + 60, crc32c(0, out_bytes, 60));
}

const char *segment_header_decode(const uint8_t bytes[SEGMENT_HEADER_SIZE], struct segment_header *out_header)
{
    if (memcmp(bytes, segment_magic, sizeof(segment_magic)) != 0)
        return "is not a segment of a journal";
    if (load_u32(bytes + 60) != crc32c(0, bytes, 60))
        return "the segment's header fails its checksum";
    if (bytes[8] != JOURNAL_FORMAT || bytes[9] != 0)
        return "the segment's format is not known to this version";
    memcpy(out_header->id, bytes + 16, JOURNAL_ID_SIZE);
    out_header->start = load_u64(bytes + 32);
    out_header->segment_bytes = load_u64(bytes + 40);
    return NULL;
}

void block_header_encode(const struct block_header *header, uint8_t out_bytes[BLOCK_HEADER_SIZE])
{
    memset(out_bytes, 0, BLOCK_HEADER_SIZE);
    store_u32(out_bytes, BLOCK_MAGIC);
    out_bytes[4] = JOURNAL_FORMAT;
    store_u32(out_bytes + 8, header->size);
    store_u32(out_bytes + 12, header->event_count);
    store_u64(out_bytes + 16, header->first_sequence);
    store_u64(out_bytes + 24, header->term);
    store_u64(out_bytes + 32, (uint64_t)header->time);
}

static uint32_t block_header_checksum(const uint8_t bytes[BLOCK_HEADER_SIZE])
{
    return crc32c(crc32c(0, bytes, 40), bytes + 44, BLOCK_HEADER_SIZE - 44);
}

void block_finish(struct sha256 *sha256, uint8_t *block, uint32_t size,
                  const uint8_t previous[JOURNAL_HASH_SIZE], uint8_t out_hash[JOURNAL_HASH_SIZE])
{
    memcpy(block + 48, previous, JOURNAL_HASH_SIZE);
    store_u32(block + 40, block_header_checksum(block));
    hash_bytes(sha256, block, size - JOURNAL_HASH_SIZE, out_hash);
    memcpy(block + size - JOURNAL_HASH_SIZE, out_hash, JOURNAL_HASH_SIZE);
}

const char *block_header_decode(const uint8_t bytes[BLOCK_HEADER_SIZE], uint64_t size_max,
                                struct block_header *out_header)
{
    if (load_u32(bytes) != BLOCK_MAGIC)
        return "no block begins here";
    if (load_u32(bytes + 40) != block_header_checksum(bytes))
        return "the block's header fails its checksum";
    if (bytes[4] != JOURNAL_FORMAT || bytes[5] != 0)
        return "the block's format is not known to this version";
    struct block_header header = {
        .size = load_u32(bytes + 8),
        .event_count = load_u32(bytes + 12),
        .first_sequence = load_u64(bytes + 16),
        .term = load_u64(bytes + 24),
        .time = (utc_us)load_u64(bytes + 32),
    };
    if (header.size < BLOCK_SIZE_MIN || header.size > u64_min(size_max, JOURNAL_BLOCK_MAX))
        return "the block is larger than what is left for it";
    if (header.event_count == 0 || header.first_sequence == 0)
        return "the block's header makes no sense";
    *out_header = header;
    return NULL;
}

/* Each event with its own checksum, so that damage is named to the event. */
static bool block_check_events(const uint8_t *block, const struct block_header *header,
                               struct block_fault *out_fault)
{
    uint32_t end = header->size - JOURNAL_HASH_SIZE;
    uint32_t at = BLOCK_HEADER_SIZE;
    for (uint32_t i = 0; i < header->event_count; i++) {
        uint32_t left = end - at;
        const char *wrong = event_check(block + at, left);
        if (wrong != NULL) {
            /* A size that cannot be is itself what does not check out. */
            uint32_t size = left >= JOURNAL_EVENT_HEADER_SIZE ? load_u32(block + at) : 0;
            if (size < JOURNAL_EVENT_HEADER_SIZE || size > left)
                size = JOURNAL_EVENT_HEADER_SIZE;
            *out_fault = (struct block_fault){ at, at + size, wrong };
            return false;
        }
        at += load_u32(block + at);
    }
    if (at != end) {
        *out_fault = (struct block_fault){ at, end, "the block's events do not fill it" };
        return false;
    }
    return true;
}

bool block_check(struct sha256 *sha256, const uint8_t *block, const struct block_header *header,
                 const struct journal_head *before, struct block_fault *out_fault)
{
    if (!block_check_events(block, header, out_fault))
        return false;
    uint8_t hash[JOURNAL_HASH_SIZE];
    uint32_t end = header->size - JOURNAL_HASH_SIZE;
    hash_bytes(sha256, block, end, hash);
    if (memcmp(hash, block + end, JOURNAL_HASH_SIZE) != 0) {
        *out_fault = (struct block_fault){ end, header->size, "the block fails its hash" };
        return false;
    }
    if (before == NULL)
        return true;
    if (memcmp(block + 48, before->hash, JOURNAL_HASH_SIZE) != 0) {
        *out_fault =
            (struct block_fault){ 48, BLOCK_HEADER_SIZE, "the block does not follow the hash before it" };
        return false;
    }
    if (header->first_sequence != before->next_sequence || header->term < before->term) {
        *out_fault = (struct block_fault){ 16, 32, "the block does not follow the numbers before it" };
        return false;
    }
    return true;
}

void event_finish(uint8_t *event, uint32_t size)
{
    store_u32(event, size);
    store_u32(event + 4, crc32c(0, event + JOURNAL_EVENT_HEADER_SIZE, size - JOURNAL_EVENT_HEADER_SIZE));
}

const char *event_check(const uint8_t *event, uint64_t available)
{
    if (available < JOURNAL_EVENT_HEADER_SIZE)
        return "an event has no room for its header";
    uint32_t size = load_u32(event);
    if (size < JOURNAL_EVENT_HEADER_SIZE || size > u64_min(available, JOURNAL_EVENT_MAX))
        return "an event has a size that cannot be";
    if (load_u32(event + 4) != crc32c(0, event + JOURNAL_EVENT_HEADER_SIZE, size - JOURNAL_EVENT_HEADER_SIZE))
        return "an event fails its checksum";
    return NULL;
}
