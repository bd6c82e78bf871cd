#include <string.h>

#include "ledger/account_fields.h"
#include "ledger/codec_unrolled.h"
#include "ledger/records.h"
#include "ledger/records_parts.h"

static const struct codec_field lot_fields[] = {
    CODEC_U32(struct lot, number, UINT32_MAX),
    CODEC_I64(struct lot, points, 0),
    CODEC_BOOL(struct lot, by_purchase),
    CODEC_DAY(struct lot, earned),
    CODEC_DAY_BESIDE(struct lot, matures, earned),
    CODEC_DAY(struct lot, last_day),
    CODEC_I64(struct lot, held, 0),
    CODEC_BOOL(struct lot, pending),
    CODEC_BOOL(struct lot, counts),
    CODEC_U8(struct lot, inactive_months, UINT8_MAX),
};
CODEC_ROWS_ARE_OF(struct lot, 40);

static const struct codec_field hold_fields[] = {
    CODEC_U64(struct account_hold, id),
    CODEC_I64(struct account_hold, points, 0),
    CODEC_TIME(struct account_hold, deadline),
    CODEC_U32(struct account_hold, part_count, ACCOUNT_HOLD_PARTS_MAX),
    CODEC_ID(struct account_hold, reward),
    CODEC_U32(struct account_hold, quantity, UINT32_MAX),
    CODEC_DAY(struct account_hold, use_period),
    CODEC_I64(struct account_hold, stamps, 0),
    CODEC_ID(struct account_hold, purse),
};
CODEC_ROWS_ARE_OF(struct account_hold, 64);

static const struct codec_field debt_fields[] = {
    CODEC_U64(struct debt, cause),
    CODEC_I64(struct debt, points, 0),
};
CODEC_ROWS_ARE_OF(struct debt, 16);

static const struct codec_field tally_fields[] = {
    CODEC_ENUM(struct tally, kind, TALLY_KIND_MAX),
    CODEC_ID(struct tally, id),
    CODEC_DAY(struct tally, period),
    CODEC_I64(struct tally, value, 0),
    CODEC_DAY(struct tally, before),
    CODEC_I64(struct tally, value_before, 0),
};
CODEC_ROWS_ARE_OF(struct tally, 40);

static const struct codec_field stamps_fields[] = {
    CODEC_ID(struct stamps, purse),
    CODEC_I64(struct stamps, count, 0),
    CODEC_I64(struct stamps, held, 0),
};
CODEC_ROWS_ARE_OF(struct stamps, 24);

static const struct codec_field month_fields[] = {
    CODEC_I32(struct month_sum, month, CODEC_MONTH_MAX),
    CODEC_I32(struct month_sum, visits, 0),
    CODEC_I64(struct month_sum, spend, 0),
    CODEC_I64(struct month_sum, points, 0),
};
CODEC_ROWS_ARE_OF(struct month_sum, 24);

static const struct codec_field hold_part_fields[] = {
    CODEC_U32(struct hold_part, lot, UINT32_MAX),
    CODEC_I64(struct hold_part, points, 0),
};
CODEC_ROWS_ARE_OF(struct hold_part, 16);

static const struct codec_field expired_fields[] = {
    CODEC_U32(struct expired_lot, lot, UINT32_MAX),
    CODEC_I64(struct expired_lot, points, 0),
};
CODEC_ROWS_ARE_OF(struct expired_lot, 16);

/* The most common ones first, so that the mask is short. */
static const struct codec_field account_fields[] = {
    CODEC_U64(struct account, last_event),
    CODEC_I64(struct account, balance, 0),
    CODEC_I64(struct account, lifetime, 0),
    CODEC_TIME(struct account, last_purchase),
    CODEC_DAY(struct account, last_purchase_day),
    CODEC_U32(struct account, next_lot, UINT32_MAX),
    CODEC_U32(struct account, card_count, UINT32_MAX),
    CODEC_U32(struct account, lot_count, ACCOUNT_LOTS_MAX),
    CODEC_U32(struct account, recent_count, ACCOUNT_RECENT_MAX),
    CODEC_U32(struct account, first_earned, UINT32_MAX),
    CODEC_DAY_BESIDE(struct account, earned_day, last_purchase_day),
    CODEC_I64(struct account, earned_on_day, 0),
    CODEC_I64(struct account, ever.spend, 0),
    CODEC_I32(struct account, ever.visits, 0),
    CODEC_I64(struct account, ever.points, 0),
    CODEC_U32(struct account, month_count, ACCOUNT_MONTHS_MAX),
    CODEC_U32(struct account, tally_count, ACCOUNT_TALLIES_MAX),
    CODEC_U32(struct account, stamps_count, ACCOUNT_STAMPS_MAX),
    TIER_ROWS(struct account, tier),
    CODEC_I64(struct account, debt, 0),
    CODEC_U32(struct account, debt_count, ACCOUNT_DEBTS_MAX),
    CODEC_U32(struct account, expired_count, ACCOUNT_EXPIRED_MAX),
    CODEC_U32(struct account, tag_count, ACCOUNT_TAGS_MAX),
    CODEC_U32(struct account, activated_count, ACCOUNT_ACTIVATED_MAX),
    CODEC_U32(struct account, hold_count, ACCOUNT_HOLDS_MAX),
    CODEC_U32(struct account, hold_part_count, ACCOUNT_HOLD_PARTS_MAX),
    PIN_ROWS(struct account, pin),
    CODEC_U64(struct account, merged_into),
    CODEC_U32(struct account, lot_offset, UINT32_MAX),
    CODEC_U32(struct account, joined_through, UINT32_MAX),
};
static_assert(offsetof(struct account, debts) == 264, "every field has its row above");

/* The account's lists but for its lots: where each is, how many, of what. */
struct list {
    size_t at, count_at, stride;
    const struct codec_field *fields;
    size_t field_count;
};
#define LIST(member, counter, fields)                                                                        \
    {                                                                                                        \
        offsetof(struct account, member), offsetof(struct account, counter),                                 \
            sizeof(((struct account *)0)->member[0]), CODEC_FIELDS(fields)                                   \
    }
static const struct list lists[] = {
    LIST(months, month_count, month_fields),
    LIST(tallies, tally_count, tally_fields),
    LIST(stamps, stamps_count, stamps_fields),
    LIST(debts, debt_count, debt_fields),
    LIST(expired, expired_count, expired_fields),
    LIST(holds, hold_count, hold_fields),
    LIST(hold_parts, hold_part_count, hold_part_fields),
};

void lot_write(struct wire_writer *writer, const struct codec_base *base, const struct lot *lot)
{
    codec_write_unrolled(writer, base, CODEC_FIELDS(lot_fields), lot);
}

void lot_read(struct wire_reader *reader, const struct codec_base *base, struct lot *out)
{
    codec_read_unrolled(reader, base, CODEC_FIELDS(lot_fields), out);
}

void hold_write(struct wire_writer *writer, const struct codec_base *base, const struct account_hold *hold)
{
    codec_write(writer, base, CODEC_FIELDS(hold_fields), hold);
}

void hold_read(struct wire_reader *reader, const struct codec_base *base, struct account_hold *out)
{
    codec_read(reader, base, CODEC_FIELDS(hold_fields), out);
}

/* What a record begins with: what a scan wants to know, and nothing of it twice. */
enum peek {
    PEEK_SUSPENSE = 1 << 0,
    PEEK_CLOSED = 1 << 1,
    PEEK_MERGED = 1 << 2,
    PEEK_IN_DEBT = 1 << 3,
};

static uint8_t peek_of(const struct account *account)
{
    return (uint8_t)((account->suspense ? PEEK_SUSPENSE : 0) | (account->closed ? PEEK_CLOSED : 0) |
                     (account->merged_into != 0 ? PEEK_MERGED : 0) | (account->debt > 0 ? PEEK_IN_DEBT : 0));
}

static void peek_read(struct wire_reader *reader, struct account_peek *out)
{
    out->due = codec_read_day(reader, &record_base);
    uint8_t bits = wire_read_u8(reader);
    if (bits > (PEEK_SUSPENSE | PEEK_CLOSED | PEEK_MERGED | PEEK_IN_DEBT))
        reader->failed = true;
    out->suspense = (bits & PEEK_SUSPENSE) != 0;
    out->closed = (bits & PEEK_CLOSED) != 0;
    out->merged = (bits & PEEK_MERGED) != 0;
    out->in_debt = (bits & PEEK_IN_DEBT) != 0;
    out->number = wire_read_uint(reader);
}

bool account_peek(struct state_value value, struct account_peek *out)
{
    struct wire_reader reader = record_open(value);
    peek_read(&reader, out);
    return !reader.failed;
}

static void write_tag(struct wire_writer *writer, const struct account_tag *tag)
{
    PUNKT_CHECK(tag->size <= sizeof(tag->text) && wire_utf8_valid(tag->text, tag->size));
    wire_write_u8(writer, tag->size);
    wire_write_bytes(writer, tag->text, tag->size);
}

static void read_tag(struct wire_reader *reader, struct account_tag *out)
{
    uint8_t size = wire_read_u8(reader);
    const uint8_t *bytes = size <= sizeof(out->text) ? wire_read_bytes(reader, size) : NULL;
    memset(out, 0, sizeof(*out));
    if (bytes == NULL || !wire_utf8_valid(bytes, size)) {
        reader->failed = true;
        return;
    }
    out->size = size;
    memcpy(out->text, bytes, size);
}

/* Newest first, each by the minutes since: since the last purchase, which mostly is the newest, and then since the next. */
static void write_recent(struct wire_writer *writer, const struct account *account)
{
    uint8_t bytes[ACCOUNT_RECENT_MAX * (WIRE_UINT_SIZE_MAX + 4)];
    uint8_t *at = bytes;
    uint32_t next = account_minute(account->last_purchase);
    for (uint32_t i = account->recent_count; i > 0; i--) {
        uint32_t minute = (uint32_t)(account->recent[i - 1] >> 32);
        uint32_t places = htole32((uint32_t)account->recent[i - 1]);
        at = wire_put_uint(at, (uint32_t)(next - minute));
        memcpy(at, &places, sizeof(places));
        at += sizeof(places);
        next = minute;
    }
    wire_write_bytes(writer, bytes, (size_t)(at - bytes));
}

static void read_recent(struct wire_reader *reader, struct account *out)
{
    uint32_t next = account_minute(out->last_purchase);
    for (uint32_t i = out->recent_count; i > 0 && !reader->failed; i--) {
        uint64_t since = wire_read_uint(reader);
        const uint8_t *bytes = wire_read_bytes(reader, 4);
        uint32_t places;
        if (bytes == NULL || since > UINT32_MAX) {
            reader->failed = true;
            return;
        }
        memcpy(&places, bytes, sizeof(places));
        next -= (uint32_t)since; /* around zero, if it must: what was written comes back */
        out->recent[i - 1] = (uint64_t)next << 32 | le32toh(places);
    }
}

/* How many a list has. The counts were read, and found within what there is room for, before the lists. */
static uint32_t list_count(const struct account *account, const struct list *list)
{
    uint32_t count;
    memcpy(&count, (const char *)account + list->count_at, sizeof(count));
    return count;
}

size_t account_encode(const struct account *account, uint8_t *out, size_t capacity)
{
    struct wire_writer writer = record_begin(out, capacity);
    codec_write_day(&writer, &record_base, account_due_day(account));
    wire_write_u8(&writer, peek_of(account));
    wire_write_uint(&writer, account->number);
    codec_write_unrolled(&writer, &record_base, CODEC_FIELDS(account_fields), account);
    for (uint32_t i = 0; i < account->lot_count; i++)
        lot_write(&writer, &record_base, &account->lots[i]);
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        const char *at = (const char *)account + lists[i].at;
        uint32_t count = list_count(account, &lists[i]);
        for (uint32_t entry = 0; entry < count; entry++, at += lists[i].stride)
            codec_write(&writer, &record_base, lists[i].fields, lists[i].field_count, at);
    }
    for (uint32_t i = 0; i < account->tag_count; i++)
        write_tag(&writer, &account->tags[i]);
    for (uint32_t i = 0; i < account->activated_count; i++)
        wire_write_u64(&writer, account->activated[i]);
    if (account->recent_count > 0)
        write_recent(&writer, account);
    return record_end(&writer);
}

bool account_decode(struct state_value value, struct account *out)
{
    struct account_peek peek;
    struct wire_reader reader = record_open(value);
    peek_read(&reader, &peek);
    out->number = peek.number;
    out->suspense = peek.suspense;
    out->closed = peek.closed;
    codec_read_unrolled(&reader, &record_base, CODEC_FIELDS(account_fields), out);
    for (uint32_t i = 0; i < out->lot_count && !reader.failed; i++)
        lot_read(&reader, &record_base, &out->lots[i]);
    for (size_t i = 0; i < COUNT_OF(lists) && !reader.failed; i++) {
        char *at = (char *)out + lists[i].at;
        uint32_t count = list_count(out, &lists[i]);
        for (uint32_t entry = 0; entry < count && !reader.failed; entry++, at += lists[i].stride)
            codec_read(&reader, &record_base, lists[i].fields, lists[i].field_count, at);
    }
    for (uint32_t i = 0; i < out->tag_count && !reader.failed; i++)
        read_tag(&reader, &out->tags[i]);
    for (uint32_t i = 0; i < out->activated_count && !reader.failed; i++)
        out->activated[i] = wire_read_u64(&reader);
    read_recent(&reader, out);
    return wire_read_done(&reader) && peek.merged == (out->merged_into != 0) &&
           peek.in_debt == (out->debt > 0) && peek.due == account_due_day(out);
}
