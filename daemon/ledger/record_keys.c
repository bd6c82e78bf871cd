#include "ledger/records.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "proto/wire.h"

/* Tables, in the order of their keys. 0 is the mark of state itself. Numbered for ever. */
enum table {
    TABLE_TOTALS = 1,
    TABLE_PROGRAMME = 2,
    TABLE_LANE = 3,
    TABLE_REQUESTS = 4,
    TABLE_CARD = 5,
    TABLE_ACCOUNT = 6,
    TABLE_DOCUMENT = 7,
    TABLE_RETURNED = 8,
    TABLE_HOLD = 9,
    TABLE_OPEN_HOLD = 10,
    TABLE_REWARD = 11,
    TABLE_REVERSED = 12,
    TABLE_WAITING = 13,
    TABLE_DAY_COUNTS = 14,
    TABLE_OUTSTANDING = 15,
    TABLE_COHORT = 16,
    TABLE_TILL_DAY = 17,
    TABLE_TILL = 18,
    TABLE_IDENTITY = 19,
    TABLE_PROPOSAL = 20,
    TABLE_OPEN_PROPOSAL = 21,
    TABLE_FLAG = 22,
    TABLE_SEAL = 23,
};

static struct key key_of(enum table table)
{
    struct key key;
    key.bytes[0] = (uint8_t)table;
    key.size = 1;
    return key;
}

/* size: 1 to 8 bytes. In place, where the compiler knows it. */
__attribute__((always_inline)) static inline void key_add_number(struct key *key, uint64_t value, size_t size)
{
    PUNKT_CHECK(key->size + size <= sizeof(key->bytes));
    uint64_t big = htobe64(value << (64 - 8 * size));
    memcpy(key->bytes + key->size, &big, size);
    key->size += size;
}

/* Days and months, below 1970 too, in their order. */
static void key_add_signed(struct key *key, int32_t value)
{
    key_add_number(key, (uint32_t)value ^ 0x80000000u, 4);
}

/* Codes are packed as on the wire, where each says its own length: no two keys run together. */
static void key_add_code(struct key *key, struct text text)
{
    struct wire_writer writer = wire_writer_over(key->bytes + key->size, sizeof(key->bytes) - key->size);
    wire_write_code_text(&writer, text.data, text.size);
    PUNKT_CHECK(!writer.failed);
    key->size += wire_written(&writer);
}

static void key_add_document(struct key *key, const struct document *document)
{
    key_add_number(key, document->kind, 1);
    key_add_code(key, document->store);
    key_add_code(key, document->till);
    key_add_signed(key, document->business_date);
    key_add_code(key, document->number);
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
    key_add_document(&key, document);
    return key;
}

struct key key_returned(journal_position sale)
{
    struct key key = key_of(TABLE_RETURNED);
    key_add_number(&key, sale, 8);
    return key;
}

struct key key_hold(journal_position hold)
{
    struct key key = key_of(TABLE_HOLD);
    key_add_number(&key, hold, 8);
    return key;
}

struct key key_open_hold(journal_position hold)
{
    struct key key = key_of(TABLE_OPEN_HOLD);
    key_add_number(&key, hold, 8);
    return key;
}

struct key key_reward(uint64_t reward)
{
    struct key key = key_of(TABLE_REWARD);
    key_add_number(&key, reward, 8);
    return key;
}

struct key key_reversed(journal_position original)
{
    struct key key = key_of(TABLE_REVERSED);
    key_add_number(&key, original, 8);
    return key;
}

struct key key_waiting(const struct document *sale)
{
    struct key key = key_of(TABLE_WAITING);
    key_add_document(&key, sale);
    return key;
}

struct key key_day_counts(local_day day, struct text store, uint64_t tier)
{
    struct key key = key_of(TABLE_DAY_COUNTS);
    key_add_signed(&key, day);
    key_add_code(&key, store);
    key_add_number(&key, tier, 8);
    return key;
}

struct key key_outstanding(int32_t month)
{
    struct key key = key_of(TABLE_OUTSTANDING);
    key_add_signed(&key, month);
    return key;
}

struct key key_cohort(int32_t quarter)
{
    struct key key = key_of(TABLE_COHORT);
    key_add_signed(&key, quarter);
    return key;
}

/* The date first: a report of a day reads one run of keys. */
struct key key_till_day(struct text store, struct text till, local_day business_date)
{
    struct key key = key_of(TABLE_TILL_DAY);
    key_add_signed(&key, business_date);
    key_add_code(&key, store);
    key_add_code(&key, till);
    return key;
}

struct key key_till(struct text store, struct text till)
{
    struct key key = key_of(TABLE_TILL);
    key_add_code(&key, store);
    key_add_code(&key, till);
    return key;
}

static struct key key_numbered(enum table table, uint64_t number)
{
    struct key key = key_of(table);
    key_add_number(&key, number, 8);
    return key;
}

struct key key_identity(uint64_t number)
{
    return key_numbered(TABLE_IDENTITY, number);
}

struct key key_proposal(journal_position proposal)
{
    return key_numbered(TABLE_PROPOSAL, proposal);
}

struct key key_open_proposal(journal_position proposal)
{
    return key_numbered(TABLE_OPEN_PROPOSAL, proposal);
}

struct key key_flag(journal_position flag)
{
    return key_numbered(TABLE_FLAG, flag);
}

struct key key_seal(void)
{
    return key_of(TABLE_SEAL);
}

struct key key_all_open_proposals(void)
{
    return key_of(TABLE_OPEN_PROPOSAL);
}

struct key key_all_flags(void)
{
    return key_of(TABLE_FLAG);
}

struct key key_all_accounts(void)
{
    return key_of(TABLE_ACCOUNT);
}

struct key key_all_open_holds(void)
{
    return key_of(TABLE_OPEN_HOLD);
}

struct key key_all_waiting(void)
{
    return key_of(TABLE_WAITING);
}

struct key key_all_day_counts(void)
{
    return key_of(TABLE_DAY_COUNTS);
}

struct key key_all_outstanding(void)
{
    return key_of(TABLE_OUTSTANDING);
}

struct key key_all_cohorts(void)
{
    return key_of(TABLE_COHORT);
}

static struct wire_reader key_open(const void *key, size_t size, enum table table)
{
    struct wire_reader reader = wire_reader_over(key, size);
    if (wire_read_u8(&reader) != (uint8_t)table)
        reader.failed = true;
    return reader;
}

static uint64_t key_take_number(struct wire_reader *reader, size_t size)
{
    const uint8_t *bytes = wire_read_bytes(reader, size);
    uint64_t value = 0;
    for (size_t i = 0; bytes != NULL && i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

static int32_t key_take_signed(struct wire_reader *reader)
{
    return (int32_t)((uint32_t)key_take_number(reader, 4) ^ 0x80000000u);
}

static_assert(RECORD_CODE_MAX == WIRE_CODE_MAX, "any code that was in a key");

static uint8_t key_take_code(struct wire_reader *reader, char out[RECORD_CODE_MAX])
{
    struct wire_code code;
    wire_read_code(reader, &code);
    if (!reader->failed)
        memcpy(out, code.bytes, code.size);
    return reader->failed ? 0 : code.size;
}

static bool key_read_numbered(const void *key, size_t size, enum table table, uint64_t *out)
{
    struct wire_reader reader = key_open(key, size, table);
    *out = key_take_number(&reader, 8);
    return wire_read_done(&reader);
}

bool key_read_open_hold(const void *key, size_t size, journal_position *out)
{
    return key_read_numbered(key, size, TABLE_OPEN_HOLD, out);
}

bool key_read_open_proposal(const void *key, size_t size, journal_position *out)
{
    return key_read_numbered(key, size, TABLE_OPEN_PROPOSAL, out);
}

bool key_read_flag(const void *key, size_t size, journal_position *out)
{
    return key_read_numbered(key, size, TABLE_FLAG, out);
}

bool key_read_day_counts(const void *key, size_t size, struct day_counts_name *out)
{
    struct wire_reader reader = key_open(key, size, TABLE_DAY_COUNTS);
    out->day = key_take_signed(&reader);
    out->store_size = key_take_code(&reader, out->store);
    out->tier = key_take_number(&reader, 8);
    return wire_read_done(&reader);
}

bool key_read_outstanding(const void *key, size_t size, int32_t *out_month)
{
    struct wire_reader reader = key_open(key, size, TABLE_OUTSTANDING);
    *out_month = key_take_signed(&reader);
    return wire_read_done(&reader);
}

bool key_read_cohort(const void *key, size_t size, int32_t *out_quarter)
{
    struct wire_reader reader = key_open(key, size, TABLE_COHORT);
    *out_quarter = key_take_signed(&reader);
    return wire_read_done(&reader);
}
