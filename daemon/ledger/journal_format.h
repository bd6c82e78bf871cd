/*
 * The bytes of the journal: segments, blocks, events. Everything is little-endian. Nothing here
 * touches a file.
 *
 *   segment file                         block                              event
 *   +--------------------------+      0  magic "PKTB"          u32       0  size, these 8 too   u32
 *   | header, 64 bytes         |      4  format                u16       4  CRC32C of the rest  u32
 *   | block                    |      6  zero                  u16       8  payload, opaque here
 *   | block                    |      8  size of the block     u32
 *   | ...  (without gaps)      |     12  event count           u32
 *   | zeros to segment_bytes   |     16  first sequence number u64
 *   +--------------------------+     24  term                  u64
 *                                    32  time                  i64
 *   segment header                   40  CRC32C of the header  u32  (without this field)
 *    0  magic "PKTJSEG1"             44  zero                  u32
 *    8  format             u16       48  hash of the block before, 32 bytes
 *   10  zero, 6 bytes                80  events
 *   16  journal id, 16 bytes          n  SHA-256 over all of it, 32 bytes
 *   32  position of the first block u64
 *   40  segment_bytes      u64
 *   48  zero, 12 bytes
 *   60  CRC32C of the header u32
 *
 * A segment is named by the position of its first block, 16 hex digits and ".seg"; spares wait as
 * "spare-N". The magic of a block has no zero byte, so that a sector that was never written is not
 * taken for the beginning of one.
 */
#pragma once

#include <endian.h>
#include <string.h>

#include "ledger/journal.h"
#include "ledger/sha256.h"

#define JOURNAL_FORMAT 1u
#define SEGMENT_HEADER_SIZE 64u
#define BLOCK_HEADER_SIZE 80u
#define BLOCK_SIZE_MIN (BLOCK_HEADER_SIZE + JOURNAL_EVENT_HEADER_SIZE + JOURNAL_HASH_SIZE)
#define SECTOR_SIZE 512u      /* what a disk writes whole or not at all */
#define SEGMENT_NAME_SIZE 24u /* of "0123456789abcdef.seg" and more */

static inline uint32_t load_u32(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof(value));
    return le32toh(value);
}

static inline uint64_t load_u64(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof(value));
    return le64toh(value);
}

static inline void store_u32(uint8_t *bytes, uint32_t value)
{
    value = htole32(value);
    memcpy(bytes, &value, sizeof(value));
}

static inline void store_u64(uint8_t *bytes, uint64_t value)
{
    value = htole64(value);
    memcpy(bytes, &value, sizeof(value));
}

/* Whether all bytes are zero. */
bool bytes_are_zero(const uint8_t *bytes, size_t size);

/* --- names --- */

void segment_name(journal_position start, char out_name[SEGMENT_NAME_SIZE]);
/* False: not the name of a segment. */
PUNKT_MUST_CHECK bool segment_name_parse(const char *name, journal_position *out_start);

/* --- segment header --- */

struct segment_header {
    uint8_t id[JOURNAL_ID_SIZE];
    journal_position start; /* position of the first block */
    uint64_t segment_bytes; /* of the file, header included */
};

void segment_header_encode(const struct segment_header *header, uint8_t out_bytes[SEGMENT_HEADER_SIZE]);
/* NULL, or what is wrong with it. */
const char *segment_header_decode(const uint8_t bytes[SEGMENT_HEADER_SIZE],
                                  struct segment_header *out_header);

/* --- block --- */

struct block_header {
    uint32_t size;
    uint32_t event_count;
    uint64_t first_sequence;
    uint64_t term;
    utc_us time;
};

/* Writes what is known when a block is sealed; block_finish writes the rest. */
void block_header_encode(const struct block_header *header, uint8_t out_bytes[BLOCK_HEADER_SIZE]);
/* Puts the hash before and the header's checksum in, and the block's own hash at its end, which is also handed out. */
void block_finish(struct sha256 *sha256, uint8_t *block, uint32_t size,
                  const uint8_t previous[JOURNAL_HASH_SIZE], uint8_t out_hash[JOURNAL_HASH_SIZE]);
/* NULL, or what is wrong with it. size_max: bytes that the block can have where it lies. */
const char *block_header_decode(const uint8_t bytes[BLOCK_HEADER_SIZE], uint64_t size_max,
                                struct block_header *out_header);

/* The smallest run of bytes that does not check out, as offsets in the block, and why. */
struct block_fault {
    uint32_t from;
    uint32_t to;
    const char *text;
};

/*
 * Checks a block whose header was decoded and whose bytes are all there: its events, one by one, then its
 * hash, then that it follows `before` (NULL: unknown). True: whole.
 */
PUNKT_MUST_CHECK bool block_check(struct sha256 *sha256, const uint8_t *block,
                                  const struct block_header *header, const struct journal_head *before,
                                  struct block_fault *out_fault);

/* --- event --- */

/* Writes size and checksum before a payload that is there already. */
void event_finish(uint8_t *event, uint32_t size);
/* NULL, or what is wrong with an event of which `available` bytes are there. */
const char *event_check(const uint8_t *event, uint64_t available);
