#include "ledger/state_mark.h"

#include <assert.h>
#include <string.h>

#include "proto/wire.h"

#define MARK_VERSION 1

static_assert(MARK_SIZE == 2 + JOURNAL_ID_SIZE + 8 + JOURNAL_HASH_SIZE + 4 * 8 + DIGEST_SIZE,
              "the size is that of the fields");

const uint8_t mark_key[1] = { 0x00 };

void mark_store(const struct state_mark *mark, const struct digest_sum *digest, uint8_t out_bytes[MARK_SIZE])
{
    struct wire_writer writer = wire_writer_over(out_bytes, MARK_SIZE);
    uint8_t digest_bytes[DIGEST_SIZE];
    digest_store(digest, digest_bytes);
    wire_write_u8(&writer, MARK_VERSION);
    wire_write_u8(&writer, mark->clean ? 1 : 0);
    wire_write_bytes(&writer, mark->head.id, JOURNAL_ID_SIZE);
    wire_write_u64(&writer, mark->head.position);
    wire_write_bytes(&writer, mark->head.hash, JOURNAL_HASH_SIZE);
    wire_write_u64(&writer, mark->head.next_sequence);
    wire_write_u64(&writer, mark->head.term);
    wire_write_u64(&writer, (uint64_t)mark->head.time);
    wire_write_u64(&writer, (uint64_t)mark->ledger_time);
    wire_write_bytes(&writer, digest_bytes, DIGEST_SIZE);
    PUNKT_CHECK(!writer.failed && wire_written(&writer) == MARK_SIZE);
}

bool mark_load(const uint8_t *bytes, size_t size, struct state_mark *out_mark, struct digest_sum *out_digest)
{
    if (size != MARK_SIZE || bytes[0] != MARK_VERSION || bytes[1] > 1)
        return false;
    struct wire_reader reader = wire_reader_over(bytes + 1, size - 1);
    struct state_mark mark = { 0 };
    mark.clean = wire_read_u8(&reader) == 1;
    memcpy(mark.head.id, wire_read_bytes(&reader, JOURNAL_ID_SIZE), JOURNAL_ID_SIZE);
    mark.head.position = wire_read_u64(&reader);
    memcpy(mark.head.hash, wire_read_bytes(&reader, JOURNAL_HASH_SIZE), JOURNAL_HASH_SIZE);
    mark.head.next_sequence = wire_read_u64(&reader);
    mark.head.term = wire_read_u64(&reader);
    mark.head.time = (utc_us)wire_read_u64(&reader);
    mark.ledger_time = (utc_us)wire_read_u64(&reader);
    digest_load(wire_read_bytes(&reader, DIGEST_SIZE), out_digest);
    PUNKT_CHECK(wire_read_done(&reader));
    *out_mark = mark;
    return true;
}
