#include "ledger/records.h"

#include <endian.h>
#include <string.h>

#include "ledger/codec.h"
#include "proto/wire.h"

/* Tables, in the order of their keys. 0 is the mark of state itself. */
enum table {
    TABLE_TOTALS = 1,
    TABLE_PROGRAMME = 2,
    TABLE_LANE = 3,
    TABLE_REQUESTS = 4,
    TABLE_CARD = 5,
    TABLE_ACCOUNT = 6,
    TABLE_DOCUMENT = 7,
    TABLE_RETURNED = 8,
};

#define RECORD_VERSION 1

static struct key key_of(enum table table)
{
    struct key key;
    key.bytes[0] = (uint8_t)table;
    key.size = 1;
    return key;
}

static void key_add_number(struct key *key, uint64_t value, size_t size)
{
    PUNKT_CHECK(key->size + size <= sizeof(key->bytes));
    for (size_t i = 0; i < size; i++)
        key->bytes[key->size + i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    key->size += size;
}

/* Codes are packed as on the wire, where each says its own length: no two keys run together. */
static void key_add_code(struct key *key, struct text text)
{
    struct wire_code code;
    PUNKT_CHECK(wire_code_from(text.data, text.size, &code));
    struct wire_writer writer = wire_writer_over(key->bytes + key->size, sizeof(key->bytes) - key->size);
    wire_write_code(&writer, &code);
    PUNKT_CHECK(!writer.failed);
    key->size += wire_written(&writer);
}

struct key key_totals(void)
{
    return key_of(TABLE_TOTALS);
}

struct key key_programme(uint32_t version)
{
    struct key key = key_of(TABLE_PROGRAMME);
    key_add_number(&key, version, 4);
    return key;
}

struct key key_lane(uint64_t identity, uint64_t epoch)
{
    struct key key = key_of(TABLE_LANE);
    key_add_number(&key, identity, 8);
    key_add_number(&key, epoch, 8);
    return key;
}

struct key key_requests(uint64_t identity, uint64_t epoch, uint64_t number)
{
    struct key key = key_of(TABLE_REQUESTS);
    key_add_number(&key, identity, 8);
    key_add_number(&key, epoch, 8);
    key_add_number(&key, number / REQUESTS_PER_RECORD, 8);
    return key;
}

struct key key_card(struct text number)
{
    struct key key = key_of(TABLE_CARD);
    key_add_code(&key, number);
    return key;
}

struct key key_account(account_number number)
{
    struct key key = key_of(TABLE_ACCOUNT);
    key_add_number(&key, number, 8);
    return key;
}

struct key key_document(const struct document *document)
{
    struct key key = key_of(TABLE_DOCUMENT);
    key_add_number(&key, document->kind, 1);
    key_add_code(&key, document->store);
    key_add_code(&key, document->till);
    key_add_number(&key, (uint32_t)document->business_date, 4);
    key_add_code(&key, document->number);
    return key;
}

struct key key_returned(journal_position sale)
{
    struct key key = key_of(TABLE_RETURNED);
    key_add_number(&key, sale, 8);
    return key;
}

static struct wire_writer record_begin(uint8_t *out, size_t capacity)
{
    struct wire_writer writer = wire_writer_over(out, capacity);
    wire_write_u8(&writer, RECORD_VERSION);
    return writer;
}

static size_t record_end(const struct wire_writer *writer)
{
    PUNKT_CHECK(!writer->failed);
    return wire_written(writer);
}

static struct wire_reader record_open(struct state_value value)
{
    struct wire_reader reader = wire_reader_over(value.data, value.size);
    if (wire_read_u8(&reader) != RECORD_VERSION)
        reader.failed = true;
    return reader;
}

static void write_lot(struct wire_writer *writer, const struct lot *lot)
{
    wire_write_uint(writer, (uint64_t)lot->number << 1 | lot->by_purchase);
    wire_write_sint(writer, lot->points);
    wire_write_sint(writer, lot->held);
    wire_write_sint(writer, lot->matures);
    codec_write_last_day(writer, lot->last_day);
}

static void read_lot(struct wire_reader *reader, struct lot *out)
{
    uint64_t number = codec_read_up_to(reader, (uint64_t)UINT32_MAX << 1 | 1);
    out->number = (uint32_t)(number >> 1);
    out->by_purchase = (number & 1) != 0;
    out->points = wire_read_sint(reader);
    out->held = wire_read_sint(reader);
    out->matures = codec_read_day(reader);
    out->last_day = codec_read_last_day(reader);
}

size_t account_encode(const struct account *account, uint8_t *out, size_t capacity)
{
    struct wire_writer writer = record_begin(out, capacity);
    wire_write_uint(&writer, account->number);
    wire_write_uint(&writer, account->merged_into);
    wire_write_uint(&writer, account->last_event);
    wire_write_sint(&writer, account->balance);
    wire_write_sint(&writer, account->debt);
    wire_write_sint(&writer, account->lifetime);
    wire_write_sint(&writer, account->last_purchase);
    wire_write_uint(&writer, account->next_lot);
    wire_write_uint(&writer, account->tier);
    wire_write_uint(&writer, account->card_count);
    wire_write_uint(&writer, account->debt_count);
    for (uint32_t i = 0; i < account->debt_count; i++) {
        wire_write_uint(&writer, account->debts[i].cause);
        wire_write_sint(&writer, account->debts[i].points);
    }
    wire_write_uint(&writer, account->lot_count);
    for (uint32_t i = 0; i < account->lot_count; i++)
        write_lot(&writer, &account->lots[i]);
    return record_end(&writer);
}

bool account_decode(struct state_value value, struct account *out)
{
    struct wire_reader reader = record_open(value);
    out->number = wire_read_uint(&reader);
    out->merged_into = wire_read_uint(&reader);
    out->last_event = wire_read_uint(&reader);
    out->balance = wire_read_sint(&reader);
    out->debt = wire_read_sint(&reader);
    out->lifetime = wire_read_sint(&reader);
    out->last_purchase = wire_read_sint(&reader);
    out->next_lot = codec_read_u32(&reader);
    out->tier = codec_read_u32(&reader);
    out->card_count = codec_read_u32(&reader);
    uint64_t debt_count = wire_read_uint(&reader);
    if (debt_count > ACCOUNT_DEBTS_MAX)
        return false;
    out->debt_count = (uint32_t)debt_count;
    for (uint32_t i = 0; i < out->debt_count; i++) {
        out->debts[i].cause = wire_read_uint(&reader);
        out->debts[i].points = wire_read_sint(&reader);
    }
    uint64_t lot_count = wire_read_uint(&reader);
    if (lot_count > ACCOUNT_LOTS_MAX)
        return false;
    out->lot_count = (uint32_t)lot_count;
    for (uint32_t i = 0; i < out->lot_count; i++)
        read_lot(&reader, &out->lots[i]);
    return wire_read_done(&reader);
}

size_t card_encode(const struct card *card, uint8_t *out, size_t capacity)
{
    struct wire_writer writer = record_begin(out, capacity);
    wire_write_uint(&writer, card->id);
    wire_write_uint(&writer, card->account);
    wire_write_u8(&writer, (uint8_t)card->status);
    wire_write_uint(&writer, card->last_event);
    return record_end(&writer);
}

bool card_decode(struct state_value value, struct card *out)
{
    struct wire_reader reader = record_open(value);
    out->id = wire_read_uint(&reader);
    out->account = wire_read_uint(&reader);
    uint8_t status = wire_read_u8(&reader);
    out->status = (enum card_status)status;
    out->last_event = wire_read_uint(&reader);
    return wire_read_done(&reader) && status >= CARD_ACTIVE && status <= CARD_CLOSED;
}

size_t returned_encode(const struct returned *returned, uint8_t *out, size_t capacity)
{
    struct wire_writer writer = record_begin(out, capacity);
    wire_write_sint(&writer, returned->by_amount);
    wire_write_sint(&writer, returned->due);
    wire_write_sint(&writer, returned->given_back);
    wire_write_sint(&writer, returned->own_taken);
    wire_write_uint(&writer, returned->returns);
    wire_write_uint(&writer, returned->line_count);
    for (uint32_t i = 0; i < returned->line_count; i++) {
        wire_write_uint(&writer, returned->lines[i].line);
        wire_write_sint(&writer, returned->lines[i].quantity);
        wire_write_sint(&writer, returned->lines[i].by_amount);
    }
    return record_end(&writer);
}

bool returned_decode(struct state_value value, struct returned *out)
{
    struct wire_reader reader = record_open(value);
    out->by_amount = wire_read_sint(&reader);
    out->due = wire_read_sint(&reader);
    out->given_back = wire_read_sint(&reader);
    out->own_taken = wire_read_sint(&reader);
    out->returns = codec_read_u32(&reader);
    uint64_t line_count = wire_read_uint(&reader);
    if (line_count > LINES_MAX)
        return false;
    out->line_count = (uint32_t)line_count;
    for (uint32_t i = 0; i < out->line_count; i++) {
        out->lines[i].line = codec_read_u32(&reader);
        out->lines[i].quantity = wire_read_sint(&reader);
        out->lines[i].by_amount = wire_read_sint(&reader);
    }
    return wire_read_done(&reader);
}

size_t totals_encode(const struct totals *totals, uint8_t *out, size_t capacity)
{
    struct wire_writer writer = record_begin(out, capacity);
    wire_write_uint(&writer, totals->accounts);
    wire_write_uint(&writer, totals->cards);
    wire_write_uint(&writer, totals->events);
    wire_write_uint(&writer, totals->accounts_in_debt);
    wire_write_sint(&writer, totals->earned);
    wire_write_sint(&writer, totals->redeemed);
    wire_write_sint(&writer, totals->returned);
    wire_write_sint(&writer, totals->adjusted);
    wire_write_sint(&writer, totals->expired);
    wire_write_sint(&writer, totals->outstanding);
    wire_write_sint(&writer, totals->debt);
    return record_end(&writer);
}

bool totals_decode(struct state_value value, struct totals *out)
{
    struct wire_reader reader = record_open(value);
    out->accounts = wire_read_uint(&reader);
    out->cards = wire_read_uint(&reader);
    out->events = wire_read_uint(&reader);
    out->accounts_in_debt = wire_read_uint(&reader);
    out->earned = wire_read_sint(&reader);
    out->redeemed = wire_read_sint(&reader);
    out->returned = wire_read_sint(&reader);
    out->adjusted = wire_read_sint(&reader);
    out->expired = wire_read_sint(&reader);
    out->outstanding = wire_read_sint(&reader);
    out->debt = wire_read_sint(&reader);
    return wire_read_done(&reader);
}

size_t lane_encode(const struct lane_record *lane, uint8_t *out, size_t capacity)
{
    struct wire_writer writer = record_begin(out, capacity);
    wire_write_uint(&writer, lane->highest);
    wire_write_uint(&writer, lane->last_position);
    return record_end(&writer);
}

bool lane_decode(struct state_value value, struct lane_record *out)
{
    struct wire_reader reader = record_open(value);
    out->highest = wire_read_uint(&reader);
    out->last_position = wire_read_uint(&reader);
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

size_t programme_encode(const struct programme_record *programme, uint8_t *out, size_t capacity)
{
    struct wire_writer writer = record_begin(out, capacity);
    wire_write_uint(&writer, programme->version);
    wire_write_sint(&writer, programme->from);
    wire_write_uint(&writer, programme->text.size);
    wire_write_bytes(&writer, programme->text.data, programme->text.size);
    return record_end(&writer);
}

bool programme_decode(struct state_value value, struct programme_record *out)
{
    struct wire_reader reader = record_open(value);
    out->version = codec_read_u32(&reader);
    out->from = wire_read_sint(&reader);
    uint64_t size = wire_read_uint(&reader);
    const uint8_t *bytes = size <= wire_left(&reader) ? wire_read_bytes(&reader, (size_t)size) : NULL;
    out->text = (struct text){ (const char *)bytes, (size_t)size };
    return bytes != NULL && wire_read_done(&reader);
}

static bool requests_valid(struct state_value value)
{
    return value.size >= 1 && value.data[0] == RECORD_VERSION && (value.size - 1) % 8 == 0 &&
           value.size <= REQUESTS_RECORD_MAX;
}

bool requests_get(struct state_value value, uint64_t slot, journal_position *out)
{
    uint64_t stored = 0;
    if (!requests_valid(value))
        return false;
    if (1 + 8 * slot < value.size)
        memcpy(&stored, value.data + 1 + 8 * slot, sizeof(stored));
    *out = le64toh(stored);
    return true;
}

size_t requests_set(struct state_value value, uint64_t slot, journal_position position,
                    uint8_t out[REQUESTS_RECORD_MAX])
{
    size_t size = 1 + 8 * (slot + 1);
    uint64_t stored = htole64(position);
    PUNKT_CHECK(value.size == 0 || requests_valid(value));
    out[0] = RECORD_VERSION;
    if (value.size > 0)
        memcpy(out, value.data, value.size);
    size_t had = value.size > 0 ? value.size : 1;
    if (size > had)
        memset(out + had, 0, size - had);
    memcpy(out + 1 + 8 * slot, &stored, sizeof(stored));
    return size > had ? size : had;
}
