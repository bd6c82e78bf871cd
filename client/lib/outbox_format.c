#include "lib/outbox_format.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

#include "proto/crc32c.h"

#define CODE_BYTES 33u /* one of its size, and room for 32 */
#define END 0x5Au
#define CHECKSUM_AT (OUTBOX_HEADER_BYTES - 4)

static const char magic[8] = { 'P', 'U', 'N', 'K', 'T', 'O', 'U', 'T' };

static_assert(OUTBOX_DONE_BYTES <= OUTBOX_RECORD_MAX, "a record of results is no longer than one may be");
static_assert(OUTBOX_RECORD_MIN + OUTBOX_KNOWN_MAX <= OUTBOX_RECORD_MAX, "nor is one of what is known");
static_assert(OUTBOX_HEADER_BYTES <= 512, "a header lies in one sector");
static_assert(OUTBOX_BODY_AT % 8 == 0 && OUTBOX_RESULT_BYTES % 8 == 0, "records are aligned");

static void write_code(struct wire_writer *writer, const char *code)
{
    char bytes[CODE_BYTES] = { 0 };
    size_t size = strnlen(code, CODE_BYTES - 1);
    bytes[0] = (char)size;
    memcpy(bytes + 1, code, size);
    wire_write_bytes(writer, bytes, sizeof(bytes));
}

static void read_code(struct wire_reader *reader, char out[CODE_BYTES])
{
    const uint8_t *bytes = wire_read_bytes(reader, CODE_BYTES);
    if (bytes == NULL || bytes[0] >= CODE_BYTES) {
        reader->failed = true;
        return;
    }
    memcpy(out, bytes + 1, bytes[0]);
    out[bytes[0]] = '\0';
}

/* --- header --- */

void outbox_header_encode(const struct outbox_header *header, uint8_t out_slot[OUTBOX_SLOT_BYTES])
{
    memset(out_slot, 0, OUTBOX_SLOT_BYTES);
    struct wire_writer writer = wire_writer_over(out_slot, OUTBOX_HEADER_BYTES);
    wire_write_bytes(&writer, magic, sizeof(magic));
    wire_write_u32(&writer, OUTBOX_VERSION);
    write_code(&writer, header->store);
    write_code(&writer, header->till);
    wire_write_u64(&writer, header->epochs[0]);
    wire_write_u64(&writer, header->epochs[1]);
    wire_write_u64(&writer, header->generation);
    wire_write_u64(&writer, header->salt);
    wire_write_u32(&writer, crc32c(0, out_slot, CHECKSUM_AT));
}

enum outbox_header_fault outbox_header_decode(const uint8_t slot[OUTBOX_SLOT_BYTES],
                                              struct outbox_header *out)
{
    struct outbox_header header = { 0 };
    struct wire_reader reader = wire_reader_over(slot, OUTBOX_HEADER_BYTES);
    if (memcmp(wire_read_bytes(&reader, sizeof(magic)), magic, sizeof(magic)) != 0)
        return OUTBOX_HEADER_STRANGE;
    uint32_t version = wire_read_u32(&reader);
    /* Where it stands is for good, so that a version that is not known is told from damage. */
    struct wire_reader checksum = wire_reader_over(slot + CHECKSUM_AT, 4);
    if (wire_read_u32(&checksum) != crc32c(0, slot, CHECKSUM_AT))
        return OUTBOX_HEADER_BAD;
    if (version != OUTBOX_VERSION)
        return OUTBOX_HEADER_NEWER;
    read_code(&reader, header.store);
    read_code(&reader, header.till);
    header.epochs[0] = wire_read_u64(&reader);
    header.epochs[1] = wire_read_u64(&reader);
    header.generation = wire_read_u64(&reader);
    header.salt = wire_read_u64(&reader);
    if (reader.failed)
        return OUTBOX_HEADER_BAD;
    *out = header;
    return OUTBOX_HEADER_SOUND;
}

/* --- records --- */

/* What a record takes whose head and payload take that. */
static size_t whole(size_t size)
{
    return (size + 8) & ~(size_t)7;
}

size_t outbox_operation_size(size_t body_size)
{
    return whole(OUTBOX_BODY_AT + body_size);
}

/* Unsealed; size is that of head and payload. */
static void write_head(struct wire_writer *writer, enum outbox_type type, uint16_t lane, uint64_t epoch,
                       uint64_t number, size_t size)
{
    wire_write_u32(writer, (uint32_t)whole(size));
    wire_write_u32(writer, 0); /* until it is sealed */
    wire_write_u16(writer, (uint16_t)type);
    wire_write_u16(writer, lane);
    wire_write_u32(writer, 0);
    wire_write_u64(writer, epoch);
    wire_write_u64(writer, number);
}

static void write_zeros(struct wire_writer *writer, size_t size)
{
    static const uint8_t zeros[8];
    wire_write_bytes(writer, zeros, size);
}

static void write_end(struct wire_writer *writer, size_t size)
{
    write_zeros(writer, whole(size) - size - 1);
    wire_write_u8(writer, END);
}

void outbox_operation_encode(struct wire_writer *writer, const struct outbox_entry *entry, const void *body)
{
    const struct outbox_note *note = &entry->note;
    size_t size = (size_t)OUTBOX_BODY_AT + entry->body_size;
    write_head(writer, OUTBOX_TYPE_OP, (uint16_t)entry->lane, entry->epoch, entry->number, size);
    wire_write_u16(writer, entry->operation);
    wire_write_u16(writer, entry->flags);
    wire_write_u32(writer, entry->body_size);
    wire_write_bytes(writer, entry->fingerprint, sizeof(entry->fingerprint));
    wire_write_u64(writer, (uint64_t)note->created_us);
    wire_write_u32(writer, (uint32_t)note->business_date);
    wire_write_u32(writer, 0);
    wire_write_u64(writer, (uint64_t)note->amount);
    wire_write_u64(writer, (uint64_t)note->offline_points);
    wire_write_u64(writer, note->replaces_epoch);
    wire_write_u64(writer, note->replaces_number);
    write_code(writer, note->card);
    write_zeros(writer, 7);
    wire_write_bytes(writer, body, entry->body_size);
    write_end(writer, size);
}

void outbox_known_encode(struct wire_writer *writer, const void *bytes, size_t size)
{
    write_head(writer, OUTBOX_TYPE_KNOWN, 0, 0, size, OUTBOX_RECORD_HEAD + size);
    wire_write_bytes(writer, bytes, size);
    write_end(writer, OUTBOX_RECORD_HEAD + size);
}

void outbox_closed_encode(struct wire_writer *writer, int32_t business_date, bool covers)
{
    write_head(writer, OUTBOX_TYPE_CLOSED, covers ? 1 : 0, 0, (uint64_t)(int64_t)business_date,
               OUTBOX_RECORD_HEAD);
    write_end(writer, OUTBOX_RECORD_HEAD);
}

void outbox_discard_encode(struct wire_writer *writer, uint64_t epoch, uint64_t number)
{
    write_head(writer, OUTBOX_TYPE_DISCARD, 0, epoch, number, OUTBOX_RECORD_HEAD);
    write_end(writer, OUTBOX_RECORD_HEAD);
}

void outbox_ends_begin(struct wire_writer *writer, enum outbox_type type, uint32_t count)
{
    write_head(writer, type, 0, 0, count, OUTBOX_RECORD_HEAD + (size_t)count * OUTBOX_RESULT_BYTES);
}

void outbox_ends_finish(struct wire_writer *writer)
{
    write_end(writer, 0); /* what is before it is a multiple of 8 */
}

/* Bits of what an end says with yes or no. */
enum { END_TIED = 1, END_BALANCE_KNOWN = 2, END_CLOSED = 4 };

void outbox_end_encode(struct wire_writer *writer, const struct outbox_end *end)
{
    const struct outbox_result *result = &end->result;
    uint32_t bits = (result->tied ? END_TIED : 0u) | (result->balance_known ? END_BALANCE_KNOWN : 0u) |
                    (end->closed ? END_CLOSED : 0u);
    wire_write_u64(writer, end->epoch);
    wire_write_u64(writer, end->number);
    wire_write_u64(writer, (uint64_t)result->at_us);
    wire_write_u32(writer, result->result);
    wire_write_u32(writer, bits);
    wire_write_u64(writer, result->position);
    wire_write_u64(writer, (uint64_t)result->earned);
    wire_write_u64(writer, (uint64_t)result->redeemed);
    wire_write_u64(writer, (uint64_t)result->worth);
    wire_write_u64(writer, (uint64_t)result->available);
}

static uint32_t checksum_of(uint64_t salt, uint64_t offset, const uint8_t *bytes, uint32_t size)
{
    uint8_t seed[16];
    (void)wire_put_u64(wire_put_u64(seed, salt), offset);
    uint32_t crc = crc32c(0, seed, sizeof(seed));
    crc = crc32c(crc, bytes, 4);
    return crc32c(crc, bytes + 8, size - 8);
}

static uint32_t u32_at(const uint8_t *bytes)
{
    struct wire_reader reader = wire_reader_over(bytes, 4);
    return wire_read_u32(&reader);
}

void outbox_seal(uint64_t salt, uint64_t offset, uint8_t *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        uint32_t record = u32_at(bytes + at);
        struct wire_writer writer = wire_writer_over(bytes + at + 4, 4);
        wire_write_u32(&writer, checksum_of(salt, offset + at, bytes + at, record));
        at += record;
    }
}

uint32_t outbox_record_size(const uint8_t *head, uint64_t size_max)
{
    struct wire_reader reader = wire_reader_over(head, OUTBOX_RECORD_HEAD);
    uint32_t size = wire_read_u32(&reader);
    (void)wire_read_u32(&reader);
    uint16_t type = wire_read_u16(&reader), lane = wire_read_u16(&reader);
    bool possible = size >= OUTBOX_RECORD_MIN && size <= OUTBOX_RECORD_MAX && size <= size_max &&
                    size % 8 == 0 && type >= OUTBOX_TYPE_OP && type <= OUTBOX_TYPE_CLOSED && lane <= 1 &&
                    wire_read_u32(&reader) == 0;
    return possible ? size : 0;
}

bool outbox_record_decode(uint64_t salt, uint64_t offset, const uint8_t *bytes, struct outbox_record *out)
{
    struct wire_reader reader = wire_reader_over(bytes, OUTBOX_RECORD_HEAD);
    uint32_t size = wire_read_u32(&reader);
    if (wire_read_u32(&reader) != checksum_of(salt, offset, bytes, size))
        return false;
    out->size = size;
    out->type = (enum outbox_type)wire_read_u16(&reader);
    out->lane = wire_read_u16(&reader);
    (void)wire_read_u32(&reader);
    out->epoch = wire_read_u64(&reader);
    out->number = wire_read_u64(&reader);
    out->payload = bytes + OUTBOX_RECORD_HEAD;
    out->payload_size = size - OUTBOX_RECORD_HEAD;
    return true;
}

bool outbox_operation_decode(const struct outbox_record *record, uint64_t offset, struct outbox_entry *out)
{
    struct wire_reader reader = wire_reader_over(record->payload, record->payload_size);
    struct outbox_note *note = &out->note;
    *out = (struct outbox_entry){ .next = NULL };
    out->lane = (enum outbox_lane)record->lane;
    out->state = OUTBOX_OPEN;
    out->epoch = record->epoch;
    out->number = record->number;
    out->operation = wire_read_u16(&reader);
    out->flags = wire_read_u16(&reader);
    out->body_size = wire_read_u32(&reader);
    const uint8_t *fingerprint = wire_read_bytes(&reader, sizeof(out->fingerprint));
    note->created_us = (int64_t)wire_read_u64(&reader);
    note->business_date = (int32_t)wire_read_u32(&reader);
    (void)wire_read_u32(&reader);
    note->amount = (int64_t)wire_read_u64(&reader);
    note->offline_points = (int64_t)wire_read_u64(&reader);
    note->replaces_epoch = wire_read_u64(&reader);
    note->replaces_number = wire_read_u64(&reader);
    read_code(&reader, note->card);
    (void)wire_read_bytes(&reader, 7);
    if (reader.failed || outbox_operation_size(out->body_size) != record->size || record->number == 0)
        return false;
    memcpy(out->fingerprint, fingerprint, sizeof(out->fingerprint));
    out->body_offset = offset + OUTBOX_BODY_AT;
    return true;
}

uint32_t outbox_end_count(const struct outbox_record *record)
{
    return (uint32_t)(record->payload_size / OUTBOX_RESULT_BYTES);
}

bool outbox_end_decode(const struct outbox_record *record, uint32_t index, struct outbox_end *out)
{
    if (index >= outbox_end_count(record))
        return false;
    struct wire_reader reader =
        wire_reader_over(record->payload + (size_t)index * OUTBOX_RESULT_BYTES, OUTBOX_RESULT_BYTES);
    struct outbox_result *result = &out->result;
    *out = (struct outbox_end){ .epoch = 0 }; /* what is on no disk is not known */
    out->epoch = wire_read_u64(&reader);
    out->number = wire_read_u64(&reader);
    result->at_us = (int64_t)wire_read_u64(&reader);
    result->result = wire_read_u32(&reader);
    uint32_t bits = wire_read_u32(&reader);
    result->position = wire_read_u64(&reader);
    result->earned = (int64_t)wire_read_u64(&reader);
    result->redeemed = (int64_t)wire_read_u64(&reader);
    result->worth = (int64_t)wire_read_u64(&reader);
    result->available = (int64_t)wire_read_u64(&reader);
    result->tied = (bits & END_TIED) != 0;
    result->balance_known = (bits & END_BALANCE_KNOWN) != 0;
    out->closed = (bits & END_CLOSED) != 0;
    return wire_read_done(&reader);
}

bool outbox_fingerprint(uint16_t operation, const void *body, size_t size, uint8_t out[16])
{
    uint8_t head[2] = { (uint8_t)operation, (uint8_t)(operation >> 8) }, digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool hashed = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
                  EVP_DigestUpdate(context, head, sizeof(head)) == 1 &&
                  (size == 0 || EVP_DigestUpdate(context, body, size) == 1) &&
                  EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    if (hashed)
        memcpy(out, digest, 16);
    return hashed;
}
