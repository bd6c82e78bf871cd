#include "ledger/records.h"

#include <endian.h>
#include <string.h>

#include "ledger/codec_unrolled.h"
#include "ledger/records_parts.h"

static const struct codec_field card_fields[] = {
    CODEC_U64(struct card, id),
    CODEC_U64(struct card, account),
    CODEC_ENUM(struct card, status, CARD_SUSPENSE),
    CODEC_U64(struct card, last_event),
    CODEC_U64(struct card, suspense),
};
CODEC_ROWS_ARE_OF(struct card, 40);

#define STAMPS_BACK(i) CODEC_I64(struct returned, stamps_back[i], 0)
static const struct codec_field returned_fields[] = {
    CODEC_I64(struct returned, by_amount, 0),
    CODEC_I64(struct returned, due, 0),
    CODEC_I64(struct returned, given_back, 0),
    CODEC_I64(struct returned, own_taken, 0),
    CODEC_U32(struct returned, returns, UINT32_MAX),
    CODEC_I64(struct returned, base_back, 0),
    CODEC_U32(struct returned, line_count, LINES_MAX),
    CODEC_U32(struct returned, spent_count, SPENT_BACK_MAX),
    CODEC_BOOL(struct returned, reversed),
    CODEC_BOOL(struct returned, visit_back),
    CODEC_I64(struct returned, expired, 0),
    CODEC_I64(struct returned, owed_again, 0),
    CODEC_U64(struct returned, moved_to),
    CODEC_U32(struct returned, moved_lot, UINT32_MAX),
    CODEC_I64(struct returned, moved_settled, 0),
    CODEC_I64(struct returned, moved_expired, 0),
    CODEC_U64(struct returned, uses_back),
    STAMPS_BACK(0),
    STAMPS_BACK(1),
    STAMPS_BACK(2),
    STAMPS_BACK(3),
    STAMPS_BACK(4),
    STAMPS_BACK(5),
    STAMPS_BACK(6),
    STAMPS_BACK(7),
};
static_assert(offsetof(struct returned, spent) == 176, "every field has its row above");
static_assert(sizeof(((struct returned *)0)->stamps_back) == 8 * sizeof(int64_t), "each has its row above");

static const struct codec_field spent_fields[] = {
    CODEC_U64(struct spent_back, redemption),     CODEC_U32(struct spent_back, index, REDEMPTIONS_MAX - 1),
    CODEC_I64(struct spent_back, points, 0),      CODEC_I64(struct spent_back, given_back, 0),
    CODEC_I64(struct spent_back, stamps_back, 0), CODEC_U32(struct spent_back, quantity_back, UINT32_MAX),
    CODEC_I64(struct spent_back, worth, 0),
};
CODEC_ROWS_ARE_OF(struct spent_back, 56);

static const struct codec_field returned_line_fields[] = {
    CODEC_U32(struct returned_line, line, LINES_MAX),
    CODEC_I64(struct returned_line, quantity, QUANTITY_MAX),
    CODEC_I64(struct returned_line, by_amount, QUANTITY_MAX),
};

#define MOVED(i) CODEC_I64(struct totals, moved[i], 0)
static const struct codec_field totals_fields[] = {
    CODEC_U64(struct totals, accounts),
    CODEC_U64(struct totals, cards),
    CODEC_U64(struct totals, events),
    CODEC_U64(struct totals, accounts_in_debt),
    CODEC_I64(struct totals, outstanding, 0),
    CODEC_I64(struct totals, debt, 0),
    MOVED(0),
    MOVED(1),
    MOVED(2),
    MOVED(3),
    MOVED(4),
    MOVED(5),
    MOVED(6),
    MOVED(7),
    MOVED(8),
    MOVED(9),
    MOVED(10),
    CODEC_U64(struct totals, identities),
    CODEC_U64(struct totals, flags),
};
CODEC_ROWS_ARE_OF(struct totals, 152);
static_assert(MOVEMENT_COUNT == 11, "each has its row above");

static const struct codec_field lane_fields[] = {
    CODEC_U64(struct lane_record, highest),
    CODEC_U64(struct lane_record, last_position),
    CODEC_BOOL(struct lane_record, tombstones),
};

static const struct codec_field programme_fields[] = {
    CODEC_U32(struct programme_record, version, UINT32_MAX),
    CODEC_I64(struct programme_record, from, 0),
    CODEC_I64(struct programme_record, published, 0),
    CODEC_CODE(struct programme_record, operator),
    CODEC_TEXT(struct programme_record, text, 0),
};

static const struct codec_field hold_fields[] = {
    CODEC_U64(struct hold_state, account),
    CODEC_TIME(struct hold_state, deadline),
    CODEC_U32(struct hold_state, end, HOLD_TIMED_OUT),
    CODEC_U64(struct hold_state, ended_by),
};
CODEC_ROWS_ARE_OF(struct hold_state, 32);

static const struct codec_field open_hold_fields[] = {
    CODEC_U64(struct open_hold, account),
    CODEC_TIME(struct open_hold, deadline),
};

static const struct codec_field reward_fields[] = { CODEC_I64(struct reward_state, used, 0) };
CODEC_ROWS_ARE_OF(struct reward_state, 8);

size_t card_encode(const struct card *card, uint8_t *out, size_t capacity)
{
    return record_write(CODEC_FIELDS(card_fields), card, out, capacity);
}

bool card_decode(struct state_value value, struct card *out)
{
    struct wire_reader reader = record_open(value);
    codec_read_unrolled(&reader, &record_base, CODEC_FIELDS(card_fields), out);
    return wire_read_done(&reader);
}

size_t totals_encode(const struct totals *totals, uint8_t *out, size_t capacity)
{
    return record_write(CODEC_FIELDS(totals_fields), totals, out, capacity);
}

bool totals_decode(struct state_value value, struct totals *out)
{
    return record_read(value, CODEC_FIELDS(totals_fields), out);
}

size_t lane_encode(const struct lane_record *lane, uint8_t *out, size_t capacity)
{
    struct wire_writer writer = record_begin(out, capacity);
    codec_write_unrolled(&writer, &record_base, CODEC_FIELDS(lane_fields), lane);
    return record_end(&writer);
}

bool lane_decode(struct state_value value, struct lane_record *out)
{
    struct wire_reader reader = record_open(value);
    codec_read_unrolled(&reader, &record_base, CODEC_FIELDS(lane_fields), out);
    return wire_read_done(&reader);
}

size_t programme_encode(const struct programme_record *programme, uint8_t *out, size_t capacity)
{
    return record_write(CODEC_FIELDS(programme_fields), programme, out, capacity);
}

bool programme_decode(struct state_value value, struct programme_record *out)
{
    return record_read(value, CODEC_FIELDS(programme_fields), out);
}

size_t hold_encode(const struct hold_state *hold, uint8_t *out, size_t capacity)
{
    return record_write(CODEC_FIELDS(hold_fields), hold, out, capacity);
}

bool hold_decode(struct state_value value, struct hold_state *out)
{
    return record_read(value, CODEC_FIELDS(hold_fields), out);
}

size_t open_hold_encode(const struct open_hold *hold, uint8_t *out, size_t capacity)
{
    return record_write(CODEC_FIELDS(open_hold_fields), hold, out, capacity);
}

bool open_hold_decode(struct state_value value, struct open_hold *out)
{
    return record_read(value, CODEC_FIELDS(open_hold_fields), out);
}

size_t reward_encode(const struct reward_state *reward, uint8_t *out, size_t capacity)
{
    return record_write(CODEC_FIELDS(reward_fields), reward, out, capacity);
}

bool reward_decode(struct state_value value, struct reward_state *out)
{
    return record_read(value, CODEC_FIELDS(reward_fields), out);
}

size_t returned_encode(const struct returned *returned, uint8_t *out, size_t capacity)
{
    struct wire_writer writer = record_begin(out, capacity);
    codec_write(&writer, &record_base, CODEC_FIELDS(returned_fields), returned);
    for (uint32_t i = 0; i < returned->spent_count; i++)
        codec_write(&writer, &record_base, CODEC_FIELDS(spent_fields), &returned->spent[i]);
    for (uint32_t i = 0; i < returned->line_count; i++)
        codec_write(&writer, &record_base, CODEC_FIELDS(returned_line_fields), &returned->lines[i]);
    return record_end(&writer);
}

bool returned_decode(struct state_value value, struct returned *out)
{
    struct wire_reader reader = record_open(value);
    codec_read(&reader, &record_base, CODEC_FIELDS(returned_fields), out);
    for (uint32_t i = 0; i < out->spent_count && !reader.failed; i++)
        codec_read(&reader, &record_base, CODEC_FIELDS(spent_fields), &out->spent[i]);
    for (uint32_t i = 0; i < out->line_count && !reader.failed; i++)
        codec_read(&reader, &record_base, CODEC_FIELDS(returned_line_fields), &out->lines[i]);
    return wire_read_done(&reader);
}

size_t position_encode(journal_position position, uint8_t *out, size_t capacity)
{
    struct wire_writer writer = record_begin(out, capacity);
    wire_write_uint(&writer, position);
    return record_end(&writer);
}

bool position_decode(struct state_value value, journal_position *out)
{
    struct wire_reader reader = record_open(value);
    *out = wire_read_uint(&reader);
    return wire_read_done(&reader);
}

static bool requests_valid(struct state_value value)
{
    return value.size >= 1 && value.data[0] == RECORD_VERSION && value.size >= REQUESTS_HEAD_SIZE &&
           (value.size - REQUESTS_HEAD_SIZE) % 8 == 0 && value.size <= REQUESTS_RECORD_MAX;
}

bool requests_get(struct state_value value, uint64_t slot, journal_position *out)
{
    uint64_t stored = 0;
    if (!requests_valid(value))
        return false;
    if (REQUESTS_HEAD_SIZE + 8 * slot < value.size)
        memcpy(&stored, value.data + REQUESTS_HEAD_SIZE + 8 * slot, sizeof(stored));
    *out = le64toh(stored);
    return true;
}

size_t requests_set(struct state_value value, uint64_t slot, journal_position position,
                    uint8_t out[REQUESTS_RECORD_MAX])
{
    size_t size = REQUESTS_HEAD_SIZE + 8 * (slot + 1);
    uint64_t stored = htole64(position);
    PUNKT_CHECK(value.size == 0 || requests_valid(value));
    if (value.size > 0) {
        memcpy(out, value.data, value.size);
    } else {
        memset(out, 0, REQUESTS_HEAD_SIZE);
        out[0] = RECORD_VERSION;
    }
    size_t had = value.size > 0 ? value.size : REQUESTS_HEAD_SIZE;
    if (size > had)
        memset(out + had, 0, size - had);
    memcpy(out + REQUESTS_HEAD_SIZE + 8 * slot, &stored, sizeof(stored));
    return size > had ? size : had;
}

void requests_book(uint8_t record[REQUESTS_RECORD_MAX], uint64_t slot, const uint8_t hash[TILL_HASH_SIZE])
{
    PUNKT_CHECK((record[1 + slot / 8] & 1u << slot % 8) == 0);
    record[1 + slot / 8] |= (uint8_t)(1u << slot % 8);
    for (size_t i = 0; i < TILL_HASH_SIZE; i++)
        record[1 + 8 + i] ^= hash[i];
}

bool requests_booked(struct state_value value, uint64_t *out_mask, uint8_t out_hash[TILL_HASH_SIZE])
{
    if (!requests_valid(value))
        return false;
    uint64_t mask;
    memcpy(&mask, value.data + 1, sizeof(mask));
    *out_mask = le64toh(mask);
    memcpy(out_hash, value.data + 1 + 8, TILL_HASH_SIZE);
    return true;
}
