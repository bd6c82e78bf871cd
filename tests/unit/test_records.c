/*
 * The records of state: what goes in comes out, and what another version wrote, or only half of it, is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/records.h"

#include <stdlib.h>
#include <string.h>

#include "proto/wire.h"
#include "random_record.h"

#define VERSION 4
#define ROUNDS 300

#define PLAIN_ACCOUNT_MAX 69 /* bytes, with two lots and the purchases that made them */
#define PLAIN_CARD_MAX 15
#define PLAIN_RETURNED_MAX 17

static uint8_t bytes[STATE_VALUE_MAX];
static uint8_t again[STATE_VALUE_MAX];
static union record record, decoded;

static void make(struct random *random, const struct record_kind *kind)
{
    struct maker maker = { random, NULL, false };
    memset(&record, 0, sizeof(record));
    kind->make(&maker, &record);
}

/* Decodes from memory of exactly that size, so that a read behind it is seen. What decodes is the only form
 * of what it says. */
static bool decodes(const struct record_kind *kind, const uint8_t *from, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);
    assert_non_null(exact);
    if (size > 0)
        memcpy(exact, from, size);
    memset(&decoded, 0, sizeof(decoded));
    bool done = kind->decode((struct state_value){ exact, (uint32_t)size }, &decoded);
    if (done) {
        assert_int_equal(kind->encode(&decoded, again, sizeof(again)), size);
        assert_memory_equal(again, from, size);
    }
    free(exact);
    return done;
}

/* Padding takes part: both were zeros before. */
static void test_round_trips(void **unused PUNKT_UNUSED)
{
    struct random random = random_seeded();
    for (size_t i = 0; i < KIND_COUNT; i++) {
        for (int round = 0; round < ROUNDS; round++) {
            make(&random, &record_kinds[i]);
            size_t size = record_kinds[i].encode(&record, bytes, sizeof(bytes));
            assert_true(size <= record_kinds[i].size_max);
            assert_true(decodes(&record_kinds[i], bytes, size));
            assert_memory_equal(&record, &decoded, sizeof(record));
        }
    }
}

static void test_refused(void **unused PUNKT_UNUSED)
{
    struct random random = random_seeded();
    for (size_t i = 0; i < KIND_COUNT; i++) {
        for (int round = 0; round < 20; round++) {
            make(&random, &record_kinds[i]);
            size_t size = record_kinds[i].encode(&record, bytes, sizeof(bytes));
            size_t step = 1 + size / 500;
            for (size_t left = 0; left < size; left += left + step < size ? step : 1)
                assert_false(decodes(&record_kinds[i], bytes, left));
            bytes[size] = 0;
            assert_false(decodes(&record_kinds[i], bytes, size + 1));
            for (unsigned version = 0; version < 256; version++) {
                bytes[0] = (uint8_t)version;
                assert_int_equal(decodes(&record_kinds[i], bytes, size), version == VERSION);
            }
        }
    }
}

static void test_flipped(void **unused PUNKT_UNUSED)
{
    struct random random = random_seeded();
    for (size_t i = 0; i < KIND_COUNT; i++) {
        for (int round = 0; round < ROUNDS; round++) {
            make(&random, &record_kinds[i]);
            size_t size = record_kinds[i].encode(&record, bytes, sizeof(bytes));
            for (int flip = 0; flip < 20; flip++) {
                size_t at = random_below(&random, u64_min(size, 200));
                uint8_t was = bytes[at];
                bytes[at] ^= (uint8_t)(1 << random_below(&random, 8));
                (void)decodes(&record_kinds[i], bytes, size);
                bytes[at] = was;
            }
        }
    }
}

/* The greatest of each fits into the room that callers give it. */
static void test_largest(void **unused PUNKT_UNUSED)
{
    struct random random = random_seeded();
    struct maker maker = { &random, NULL, true };
    for (size_t i = 0; i < KIND_COUNT; i++) {
        memset(&record, 0, sizeof(record));
        record_kinds[i].make(&maker, &record);
        size_t size = record_kinds[i].encode(&record, bytes, record_kinds[i].size_max);
        assert_true(size > 0 && size <= record_kinds[i].size_max &&
                    record_kinds[i].size_max <= STATE_VALUE_MAX);
        assert_true(decodes(&record_kinds[i], bytes, size));
    }
}

/* What a scan reads of an account is what the account is; of a record that is cut, nothing more is needed. */
static void test_peek(void **unused PUNKT_UNUSED)
{
    struct random random = random_seeded();
    for (int round = 0; round < ROUNDS; round++) {
        make(&random, &record_kinds[KIND_ACCOUNT]);
        const struct account *account = &record.account;
        struct account_peek peek;
        size_t size = account_encode(account, bytes, sizeof(bytes));
        assert_true(account_peek((struct state_value){ bytes, (uint32_t)u64_min(size, 18) }, &peek));
        assert_true(peek.number == account->number);
        assert_int_equal(peek.due, account_due_day(account));
        assert_int_equal(peek.suspense, account->suspense);
        assert_int_equal(peek.closed, account->closed);
        assert_int_equal(peek.merged, account->merged_into != 0);
        assert_int_equal(peek.in_debt, account->debt > 0);
        assert_false(account_peek((struct state_value){ bytes, 2 }, &peek));
        bytes[0] = 1;
        assert_false(account_peek((struct state_value){ bytes, (uint32_t)size }, &peek));
    }
}

/* What is said at the beginning must be what the rest says. */
static void test_peek_is_true(void **unused PUNKT_UNUSED)
{
    static const struct {
        const char *what;
        bool decodes;
        uint8_t bytes[16];
        size_t size;
    } rows[] = {
        /* version, due, peek, number, mask, fields */
        { "an empty account", true, { VERSION, 0, 0, 9, 0 }, 5 },
        { "in suspense and closed", true, { VERSION, 0, 3, 9, 0 }, 5 },
        { "a mark to come", false, { VERSION, 0, 16, 9, 0 }, 5 },
        { "merged, but into nothing", false, { VERSION, 0, 4, 9, 0 }, 5 },
        { "in debt, but of nothing", false, { VERSION, 0, 8, 9, 0 }, 5 },
        { "in debt", true, { VERSION, 0, 8, 9, 0x80, 0x80, 0x80, 0x10, 2 }, 9 },
        { "a debt that is not said", false, { VERSION, 0, 0, 9, 0x80, 0x80, 0x80, 0x10, 2 }, 9 },
        { "due, but for nothing", false, { VERSION, 2, 0, 9, 0 }, 5 },
        { "a lot that matures on 1 January 2026", true, { VERSION, 2, 0, 9, 0x80, 1, 1, 0x88, 1, 2 }, 10 },
        { "a lot that matures, said to be due a day later",
          false,
          { VERSION, 4, 0, 9, 0x80, 1, 1, 0x88, 1, 2 },
          10 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (decodes(&record_kinds[KIND_ACCOUNT], rows[i].bytes, rows[i].size) != rows[i].decodes)
            fail_msg("%s: %s", rows[i].what, rows[i].decodes ? "refused" : "decoded");
    }
}

/* A record whose only field is the one of a bit: its value, then as many entries as it says. */
static bool list_decodes(const struct record_kind *kind, unsigned bit, uint64_t count, const char *entry)
{
    struct wire_writer writer = wire_writer_over(bytes, sizeof(bytes));
    wire_write_u8(&writer, VERSION);
    if (kind == &record_kinds[KIND_ACCOUNT])
        wire_write_bytes(&writer, (const uint8_t[]){ 0, 0, 9 }, 3);
    wire_write_uint(&writer, UINT64_C(1) << bit);
    wire_write_uint(&writer, count);
    for (uint64_t i = 0; i < count; i++)
        wire_write_bytes(&writer, entry, entry[0] == 1 ? 2 : entry[0] >= 5 ? (size_t)entry[0] : 1);
    assert_false(writer.failed);
    return decodes(kind, bytes, wire_written(&writer));
}

/* As many as there is room for, and one more. */
static void test_too_many(void **unused PUNKT_UNUSED)
{
    static const struct {
        size_t kind;
        unsigned bit;
        uint64_t max;
        char entry[8]; /* begins with how many bytes it has, less one; or 0: one byte, an empty mask */
    } rows[] = {
        { KIND_ACCOUNT, 7, ACCOUNT_LOTS_MAX, "" },
        { KIND_ACCOUNT, 8, ACCOUNT_RECENT_MAX, "\5" }, /* five minutes before the next, and where */
        { KIND_ACCOUNT, 15, ACCOUNT_MONTHS_MAX, "" },
        { KIND_ACCOUNT, 16, ACCOUNT_TALLIES_MAX, "\1\1" }, /* a mask of its kind, which must be there */
        { KIND_ACCOUNT, 17, ACCOUNT_STAMPS_MAX, "" },
        { KIND_ACCOUNT, 26, ACCOUNT_DEBTS_MAX, "" },
        { KIND_ACCOUNT, 27, ACCOUNT_EXPIRED_MAX, "" },
        { KIND_ACCOUNT, 28, ACCOUNT_TAGS_MAX, "" },
        { KIND_ACCOUNT, 29, ACCOUNT_ACTIVATED_MAX, "\10" }, /* eight bytes, whatever they are */
        { KIND_ACCOUNT, 30, ACCOUNT_HOLDS_MAX, "" },
        { KIND_ACCOUNT, 31, ACCOUNT_HOLD_PARTS_MAX, "" },
        { KIND_RETURNED, 6, LINES_MAX, "" },
        { KIND_RETURNED, 7, SPENT_BACK_MAX, "" },
        { KIND_TILL_DAY, 1, TILL_EPOCHS_MAX, "" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct record_kind *kind = &record_kinds[rows[i].kind];
        if (!list_decodes(kind, rows[i].bit, rows[i].max, rows[i].entry))
            fail_msg("%s: as many as there is room for in list %u are refused", kind->name, rows[i].bit);
        if (list_decodes(kind, rows[i].bit, rows[i].max + 1, rows[i].entry))
            fail_msg("%s: more than there is room for in list %u decoded", kind->name, rows[i].bit);
    }
}

static void test_values_refused(void **unused PUNKT_UNUSED)
{
    static const uint8_t card[] = { VERSION, 4, 1 };
    memcpy(bytes, card, sizeof(card));
    for (unsigned status = 0; status < 128; status++) {
        bytes[2] = (uint8_t)status;
        assert_int_equal(decodes(&record_kinds[KIND_CARD], bytes, sizeof(card)),
                         status >= CARD_ACTIVE && status <= CARD_SUSPENSE);
    }
    bytes[1] = 0; /* no status at all */
    assert_false(decodes(&record_kinds[KIND_CARD], bytes, 2));
    for (unsigned end = 0; end < 128; end++) {
        memcpy(bytes, (const uint8_t[]){ VERSION, 4, (uint8_t)end }, 3);
        assert_int_equal(decodes(&record_kinds[KIND_HOLD], bytes, 3),
                         end >= HOLD_CAPTURED && end <= HOLD_TIMED_OUT);
    }
    for (unsigned size = 0; size < 40; size++) { /* a tag */
        memcpy(bytes, (const uint8_t[]){ VERSION, 0, 0, 9, 0x80, 0x80, 0x80, 0x80, 1, 1, (uint8_t)size }, 11);
        memset(bytes + 11, 'T', size);
        assert_int_equal(decodes(&record_kinds[KIND_ACCOUNT], bytes, 11 + size), size <= 32);
        memset(bytes + 11, 0x80, size);
        assert_int_equal(decodes(&record_kinds[KIND_ACCOUNT], bytes, 11 + size), size == 0);
    }
}

/* What millions of are kept stays small. */
static void test_plain_sizes(void **unused PUNKT_UNUSED)
{
    struct lot lots[] = {
        { .number = 6,
          .by_purchase = true,
          .points = 10000,
          .earned = 20454,
          .matures = 20454,
          .last_day = 20819 },
        { .number = 7,
          .by_purchase = true,
          .points = 25000,
          .earned = 20500,
          .matures = 20500,
          .last_day = 20865 },
    };
    struct account *account = &record.account;
    account_new(900000, account);
    account->card_count = 1;
    account->last_event = 300000000;
    account->balance = 35000;
    account->lifetime = 500000;
    account->last_purchase = 20500 * US_PER_DAY;
    account->last_purchase_day = 20500;
    account->next_lot = 8;
    account->lot_count = COUNT_OF(lots);
    memcpy(account->lots, lots, sizeof(lots));
    account->recent_count = 2;
    account->recent[0] = (uint64_t)account_minute(20480 * US_PER_DAY) << 32 | 0xABCD1234;
    account->recent[1] = (uint64_t)account_minute(20500 * US_PER_DAY) << 32 | 0xABCD5678;
    account->first_earned = EARNED_LONG_AGO;
    account->earned_day = 20500;
    account->earned_on_day = 25000;
    assert_in_range(account_encode(account, bytes, sizeof(bytes)), 1, PLAIN_ACCOUNT_MAX);

    struct card card = { .id = 900000, .account = 900000, .status = CARD_ACTIVE, .last_event = 300000000 };
    assert_in_range(card_encode(&card, bytes, sizeof(bytes)), 1, PLAIN_CARD_MAX);
    struct returned *returned = &record.returned;
    returned_new(returned);
    returned->due = returned->own_taken = 5000;
    returned->returns = 1;
    returned->line_count = 1;
    returned->lines[0] = (struct returned_line){ 2, 1000, 0 };
    assert_in_range(returned_encode(returned, bytes, sizeof(bytes)), 1, PLAIN_RETURNED_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_flipped),     cmocka_unit_test(test_largest),
        cmocka_unit_test(test_peek),        cmocka_unit_test(test_peek_is_true),
        cmocka_unit_test(test_too_many),    cmocka_unit_test(test_values_refused),
        cmocka_unit_test(test_plain_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
