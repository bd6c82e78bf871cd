/*
 * The records of state: what goes in comes out, keys are in the order of their numbers, and what another
 * version wrote, or only half of it, is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/records.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

#define ROUNDS 300

/* Any record, so that one table serves all tests. */
union record {
    struct account account;
    struct card card;
    struct returned returned;
    struct totals totals;
    struct lane_record lane;
    struct programme_record programme;
    journal_position position;
};

static uint8_t bytes[STATE_VALUE_MAX];
static uint8_t again[STATE_VALUE_MAX];
static union record record, decoded;

static uint64_t any_u64(struct random *random)
{
    return random_u64(random) >> random_below(random, 64);
}

static int64_t any_i64(struct random *random)
{
    int64_t value = (int64_t)any_u64(random);
    return random_below(random, 2) == 0 ? value : -(value >> 1);
}

static uint32_t any_u32(struct random *random)
{
    return (uint32_t)any_u64(random);
}

static uint32_t any_count(struct random *random, uint32_t max)
{
    uint32_t bound = random_below(random, 8) == 0 ? max : 4;
    return random_below(random, 40) == 0 ? max : (uint32_t)random_below(random, bound + 1);
}

static void make_account(struct random *random, union record *out)
{
    struct account *account = &out->account;
    account->number = any_u64(random);
    account->merged_into = any_u64(random);
    account->last_event = any_u64(random);
    account->balance = any_i64(random);
    account->debt = any_i64(random);
    account->lifetime = any_i64(random);
    account->last_purchase = any_i64(random);
    account->next_lot = any_u32(random);
    account->tier = any_u32(random);
    account->card_count = any_u32(random);
    account->debt_count = any_count(random, ACCOUNT_DEBTS_MAX);
    for (uint32_t i = 0; i < account->debt_count; i++) {
        account->debts[i].cause = any_u64(random);
        account->debts[i].points = any_i64(random);
    }
    account->lot_count = any_count(random, ACCOUNT_LOTS_MAX);
    for (uint32_t i = 0; i < account->lot_count; i++) {
        struct lot *lot = &account->lots[i];
        lot->number = any_u32(random);
        lot->by_purchase = random_below(random, 2) == 1;
        lot->points = any_i64(random);
        lot->held = any_i64(random);
        lot->matures = (local_day)any_u32(random);
        lot->last_day = random_below(random, 3) == 0 ? DAY_NEVER : (local_day)(any_u32(random) >> 2);
    }
}

static void make_card(struct random *random, union record *out)
{
    out->card.id = any_u64(random);
    out->card.account = any_u64(random);
    out->card.status = (enum card_status)(CARD_ACTIVE + random_below(random, CARD_CLOSED));
    out->card.last_event = any_u64(random);
}

static void make_returned(struct random *random, union record *out)
{
    struct returned *returned = &out->returned;
    returned->by_amount = any_i64(random);
    returned->due = any_i64(random);
    returned->given_back = any_i64(random);
    returned->own_taken = any_i64(random);
    returned->returns = any_u32(random);
    returned->line_count = any_count(random, LINES_MAX);
    for (uint32_t i = 0; i < returned->line_count; i++) {
        returned->lines[i].line = any_u32(random);
        returned->lines[i].quantity = any_i64(random);
        returned->lines[i].by_amount = any_i64(random);
    }
}

static void make_totals(struct random *random, union record *out)
{
    out->totals = (struct totals){ .accounts = any_u64(random),
                                   .cards = any_u64(random),
                                   .events = any_u64(random),
                                   .accounts_in_debt = any_u64(random),
                                   .earned = any_i64(random),
                                   .redeemed = any_i64(random),
                                   .returned = any_i64(random),
                                   .adjusted = any_i64(random),
                                   .expired = any_i64(random),
                                   .outstanding = any_i64(random),
                                   .debt = any_i64(random) };
}

static void make_lane(struct random *random, union record *out)
{
    out->lane = (struct lane_record){ .highest = any_u64(random), .last_position = any_u64(random) };
}

static void make_position(struct random *random, union record *out)
{
    out->position = any_u64(random);
}

/* The text is none of the union's bytes: it is compared by what it says. */
static const char programme_text[] = "programme: whatever it says";

static void make_programme(struct random *random, union record *out)
{
    out->programme.version = any_u32(random);
    out->programme.from = any_i64(random);
    out->programme.text = (struct text){ programme_text, random_below(random, sizeof(programme_text)) };
}

static size_t encode_account(const union record *from, uint8_t *out, size_t capacity)
{
    return account_encode(&from->account, out, capacity);
}

static size_t encode_card(const union record *from, uint8_t *out, size_t capacity)
{
    return card_encode(&from->card, out, capacity);
}

static size_t encode_returned(const union record *from, uint8_t *out, size_t capacity)
{
    return returned_encode(&from->returned, out, capacity);
}

static size_t encode_totals(const union record *from, uint8_t *out, size_t capacity)
{
    return totals_encode(&from->totals, out, capacity);
}

static size_t encode_lane(const union record *from, uint8_t *out, size_t capacity)
{
    return lane_encode(&from->lane, out, capacity);
}

static size_t encode_position(const union record *from, uint8_t *out, size_t capacity)
{
    return position_encode(from->position, out, capacity);
}

static size_t encode_programme(const union record *from, uint8_t *out, size_t capacity)
{
    return programme_encode(&from->programme, out, capacity);
}

static bool decode_account(struct state_value value, union record *out)
{
    return account_decode(value, &out->account);
}

static bool decode_card(struct state_value value, union record *out)
{
    return card_decode(value, &out->card);
}

static bool decode_returned(struct state_value value, union record *out)
{
    return returned_decode(value, &out->returned);
}

static bool decode_totals(struct state_value value, union record *out)
{
    return totals_decode(value, &out->totals);
}

static bool decode_lane(struct state_value value, union record *out)
{
    return lane_decode(value, &out->lane);
}

static bool decode_position(struct state_value value, union record *out)
{
    return position_decode(value, &out->position);
}

static bool decode_programme(struct state_value value, union record *out)
{
    if (!programme_decode(value, &out->programme))
        return false;
    /* The same text wherever it lies. */
    if (out->programme.text.size < sizeof(programme_text) &&
        memcmp(out->programme.text.data, programme_text, out->programme.text.size) == 0)
        out->programme.text.data = programme_text;
    return true;
}

static const struct kind {
    const char *name;
    size_t size_max;
    void (*make)(struct random *random, union record *out);
    size_t (*encode)(const union record *from, uint8_t *out, size_t capacity);
    bool (*decode)(struct state_value value, union record *out);
} kinds[] = {
    { "account", ACCOUNT_RECORD_MAX, make_account, encode_account, decode_account },
    { "card", SMALL_RECORD_MAX, make_card, encode_card, decode_card },
    { "returned", RETURNED_RECORD_MAX, make_returned, encode_returned, decode_returned },
    { "totals", SMALL_RECORD_MAX, make_totals, encode_totals, decode_totals },
    { "lane", SMALL_RECORD_MAX, make_lane, encode_lane, decode_lane },
    { "position", SMALL_RECORD_MAX, make_position, encode_position, decode_position },
    { "programme", SMALL_RECORD_MAX, make_programme, encode_programme, decode_programme },
};

static void make(struct random *random, const struct kind *kind)
{
    memset(&record, 0, sizeof(record));
    kind->make(random, &record);
}

/* Decodes from memory of exactly that size, so that a read behind it is seen. What decodes is the only form
 * of what it says. */
static bool decodes(const struct kind *kind, const uint8_t *from, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);
    assert_non_null(exact);
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
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        for (int round = 0; round < ROUNDS; round++) {
            make(&random, &kinds[i]);
            size_t size = kinds[i].encode(&record, bytes, sizeof(bytes));
            assert_true(size <= STATE_VALUE_MAX);
            assert_true(decodes(&kinds[i], bytes, size));
            assert_memory_equal(&record, &decoded, sizeof(record));
        }
    }
}

static void test_refused(void **unused PUNKT_UNUSED)
{
    struct random random = random_seeded();
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        for (int round = 0; round < 20; round++) {
            make(&random, &kinds[i]);
            size_t size = kinds[i].encode(&record, bytes, sizeof(bytes));
            size_t step = 1 + size / 500;
            for (size_t left = 0; left < size; left += left + step < size ? step : 1)
                assert_false(decodes(&kinds[i], bytes, left));
            bytes[size] = 0;
            assert_false(decodes(&kinds[i], bytes, size + 1));
            for (unsigned version = 0; version < 256; version++) {
                bytes[0] = (uint8_t)version;
                assert_int_equal(decodes(&kinds[i], bytes, size), version == 1);
            }
        }
    }
}

static void test_flipped(void **unused PUNKT_UNUSED)
{
    struct random random = random_seeded();
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        for (int round = 0; round < ROUNDS; round++) {
            make(&random, &kinds[i]);
            size_t size = kinds[i].encode(&record, bytes, sizeof(bytes));
            for (int flip = 0; flip < 20; flip++) {
                size_t at = random_below(&random, u64_min(size, 200));
                uint8_t was = bytes[at];
                bytes[at] ^= (uint8_t)(1 << random_below(&random, 8));
                (void)decodes(&kinds[i], bytes, size);
                bytes[at] = was;
            }
        }
    }
}

/* The greatest of each fits into the room that callers give it. */
static void test_largest(void **unused PUNKT_UNUSED)
{
    memset(&record, 0xFF, sizeof(record));
    record.totals.debt = INT64_MIN;
    assert_true(totals_encode(&record.totals, bytes, SMALL_RECORD_MAX) > 0);
    assert_true(lane_encode(&record.lane, bytes, SMALL_RECORD_MAX) > 0);
    assert_true(position_encode(UINT64_MAX, bytes, SMALL_RECORD_MAX) > 0);
    record.card.status = CARD_CLOSED;
    assert_true(card_encode(&record.card, bytes, SMALL_RECORD_MAX) > 0);

    /* An account of the size that sums of points below 10^12 allow. */
    struct account *account = &record.account;
    memset(account, 0, sizeof(*account));
    account->number = account->merged_into = account->last_event = UINT64_MAX;
    account->balance = account->debt = account->lifetime = -MILLIPOINTS_MAX;
    account->last_purchase = INT64_MIN;
    account->next_lot = account->tier = account->card_count = UINT32_MAX;
    account->debt_count = ACCOUNT_DEBTS_MAX;
    account->lot_count = ACCOUNT_LOTS_MAX;
    for (uint32_t i = 0; i < ACCOUNT_DEBTS_MAX; i++)
        account->debts[i] = (struct debt){ UINT64_MAX, INT64_MIN };
    for (uint32_t i = 0; i < ACCOUNT_LOTS_MAX; i++)
        account->lots[i] = (struct lot){ UINT32_MAX, true, INT64_MIN, INT64_MIN, INT32_MIN, INT32_MAX - 1 };
    assert_true(account_encode(account, bytes, ACCOUNT_RECORD_MAX) > 0);

    /* Quantities and amounts are below their own limits at decode. */
    struct returned *returned = &record.returned;
    memset(returned, 0, sizeof(*returned));
    returned->by_amount = returned->due = returned->given_back = returned->own_taken = INT64_MIN;
    returned->returns = UINT32_MAX;
    returned->line_count = LINES_MAX;
    for (uint32_t i = 0; i < LINES_MAX; i++)
        returned->lines[i] = (struct returned_line){ LINES_MAX, QUANTITY_MAX, QUANTITY_MAX };
    assert_true(returned_encode(returned, bytes, RETURNED_RECORD_MAX) > 0);
    assert_true(ACCOUNT_RECORD_MAX <= STATE_VALUE_MAX && RETURNED_RECORD_MAX <= STATE_VALUE_MAX);
}

/* A list longer than there is room for. */
static void test_too_many(void **unused PUNKT_UNUSED)
{
    static const uint8_t debts[] = { 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, ACCOUNT_DEBTS_MAX + 1 };
    static const uint8_t lots[] = { 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0x81, 0x08 };
    static const uint8_t lines[] = { 1, 0, 0, 0, 0, 1, 0x81, 0x20 };
    static const uint8_t statuses[] = { 1, 1, 1, 0, 1 };
    static_assert(ACCOUNT_LOTS_MAX == 0x400 && LINES_MAX == 0x1000 && ACCOUNT_DEBTS_MAX < 0x7F,
                  "one more is what the bytes above say");
    memset(bytes, 0, sizeof(bytes));
    for (size_t more = 0; more < 30000; more += 997) {
        memcpy(bytes, debts, sizeof(debts));
        assert_false(decodes(&kinds[0], bytes, sizeof(debts) + more));
        memcpy(bytes, lots, sizeof(lots));
        assert_false(decodes(&kinds[0], bytes, sizeof(lots) + more));
        memcpy(bytes, lines, sizeof(lines));
        assert_false(decodes(&kinds[2], bytes, sizeof(lines) + more));
    }
    memcpy(bytes, statuses, sizeof(statuses));
    for (unsigned status = 0; status < 256; status++) {
        bytes[3] = (uint8_t)status;
        assert_int_equal(decodes(&kinds[1], bytes, sizeof(statuses)),
                         status >= CARD_ACTIVE && status <= CARD_CLOSED);
    }
}

static int compare_keys(const struct key *a, const struct key *b)
{
    int order = memcmp(a->bytes, b->bytes, u64_min(a->size, b->size));
    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void assert_order(struct key a, struct key b, int want)
{
    assert_true(a.size <= STATE_KEY_MAX && b.size <= STATE_KEY_MAX);
    assert_int_equal(sign(compare_keys(&a, &b)), want);
}

static void test_key_order(void **unused PUNKT_UNUSED)
{
    struct random random = random_seeded();
    for (int round = 0; round < 20000; round++) {
        uint64_t a = any_u64(&random);
        uint64_t b = random_below(&random, 3) == 0 ? a + random_below(&random, 3) - 1 : any_u64(&random);
        uint64_t other = any_u64(&random), another = any_u64(&random);
        int want = compare(a, b);
        assert_order(key_account(a), key_account(b), want);
        assert_order(key_returned(a), key_returned(b), want);
        assert_order(key_programme((uint32_t)a), key_programme((uint32_t)b),
                     compare((uint32_t)a, (uint32_t)b));
        /* The first number decides, then the second, then the third. */
        assert_order(key_lane(a, other), key_lane(b, another), want != 0 ? want : compare(other, another));
        assert_order(key_lane(other, a), key_lane(other, b), want);
        assert_order(key_requests(a, other, 7), key_requests(b, other, 6), want);
        assert_order(key_requests(other, a, 700), key_requests(other, b, 7), want != 0 ? want : 1);
        assert_order(key_requests(1, 2, a), key_requests(1, 2, b),
                     compare(a / REQUESTS_PER_RECORD, b / REQUESTS_PER_RECORD));
    }
}

/* No two things have one key: not two tables, and not two codes that run together. */
static void test_keys_apart(void **unused PUNKT_UNUSED)
{
    struct document documents[] = {
        { DOCUMENT_SALE, text_of("1"), text_of("23"), 5, text_of("4") },
        { DOCUMENT_RETURN, text_of("1"), text_of("23"), 5, text_of("4") },
        { DOCUMENT_SALE, text_of("12"), text_of("3"), 5, text_of("4") },
        { DOCUMENT_SALE, text_of("123"), text_of(""), 5, text_of("4") },
        { DOCUMENT_SALE, text_of(""), text_of("123"), 5, text_of("4") },
        { DOCUMENT_SALE, text_of("1"), text_of("23"), 6, text_of("4") },
        { DOCUMENT_SALE, text_of("1"), text_of("23"), 5, text_of("04") },
        { DOCUMENT_SALE, text_of("1"), text_of("23"), 5, text_of("4A") },
    };
    struct key keys[32];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(documents); i++)
        keys[count++] = key_document(&documents[i]);
    keys[count++] = key_totals();
    keys[count++] = key_programme(1);
    keys[count++] = key_lane(1, 1);
    keys[count++] = key_requests(1, 1, 64);
    keys[count++] = key_requests(1, 1, 63);
    keys[count++] = key_card(text_of("1"));
    keys[count++] = key_card(text_of("01"));
    keys[count++] = key_card(text_of("1 "));
    keys[count++] = key_account(1);
    keys[count++] = key_returned(1);
    for (size_t i = 0; i < count; i++) {
        assert_true(keys[i].bytes[0] != 0); /* the mark of state itself */
        for (size_t j = 0; j < count; j++)
            assert_int_equal(compare_keys(&keys[i], &keys[j]) == 0, i == j);
    }
    /* The longest there is. */
    struct text longest = text_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ012345");
    struct document document = { DOCUMENT_RETURN, longest, longest, INT32_MAX, longest };
    assert_true(key_document(&document).size <= STATE_KEY_MAX);
}

/* Against a plain table: positions set in any order, some never. */
static void test_requests(void **unused PUNKT_UNUSED)
{
    struct random random = random_seeded();
    for (int round = 0; round < ROUNDS; round++) {
        journal_position table[REQUESTS_PER_RECORD] = { 0 };
        uint8_t now[REQUESTS_RECORD_MAX], next[REQUESTS_RECORD_MAX];
        struct state_value value = { now, 0 };
        for (int change = 0; change < 80; change++) {
            uint64_t slot = random_below(&random, 1 + random_below(&random, REQUESTS_PER_RECORD));
            journal_position got;
            table[slot] = any_u64(&random);
            memset(next, 0xAA, sizeof(next));
            value.size = (uint32_t)requests_set(value, slot, table[slot], next);
            assert_true(value.size <= REQUESTS_RECORD_MAX && value.size > 8 * slot);
            memcpy(now, next, sizeof(now));
            for (uint64_t i = 0; i < REQUESTS_PER_RECORD; i++) {
                assert_true(requests_get(value, i, &got));
                assert_int_equal(got, table[i]);
            }
        }
    }
}

static void test_requests_refused(void **unused PUNKT_UNUSED)
{
    uint8_t other[REQUESTS_RECORD_MAX + 8] = { 1 };
    journal_position got;
    for (uint32_t size = 0; size <= sizeof(other); size++)
        assert_int_equal(requests_get((struct state_value){ other, size }, 0, &got),
                         size % 8 == 1 && size <= REQUESTS_RECORD_MAX);
    for (unsigned version = 0; version < 256; version++) {
        other[0] = (uint8_t)version;
        assert_int_equal(requests_get((struct state_value){ other, 9 }, 0, &got), version == 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_flipped),          cmocka_unit_test(test_largest),
        cmocka_unit_test(test_too_many),         cmocka_unit_test(test_key_order),
        cmocka_unit_test(test_keys_apart),       cmocka_unit_test(test_requests),
        cmocka_unit_test(test_requests_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
