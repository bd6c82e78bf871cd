/*
 * The keys of state: in the order of their numbers, no two alike, and readable where scans need it; and the record of
 * requests, which is read and written in place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/records.h"

#include <string.h>

#include "random_maker.h"

#define ROUNDS 300

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
    struct maker maker = { &random, NULL, false };
    for (int round = 0; round < 20000; round++) {
        uint64_t a = any_u64(&maker);
        uint64_t b = random_below(&random, 3) == 0 ? a + random_below(&random, 3) - 1 : any_u64(&maker);
        uint64_t other = any_u64(&maker), another = any_u64(&maker);
        int want = compare(a, b);
        assert_order(key_account(a), key_account(b), want);
        assert_order(key_returned(a), key_returned(b), want);
        assert_order(key_hold(a), key_hold(b), want);
        assert_order(key_open_hold(a), key_open_hold(b), want);
        assert_order(key_reversed(a), key_reversed(b), want);
        assert_order(key_reward(a), key_reward(b), want);
        assert_order(key_identity(a), key_identity(b), want);
        assert_order(key_proposal(a), key_proposal(b), want);
        assert_order(key_open_proposal(a), key_open_proposal(b), want);
        assert_order(key_flag(a), key_flag(b), want);
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

/* Days, months and quarters below 1970 come before those behind it. */
static void test_key_order_of_days(void **unused PUNKT_UNUSED)
{
    struct random random = random_seeded();
    struct maker maker = { &random, NULL, false };
    struct text store = text_of("7"), till = text_of("1");
    for (int round = 0; round < 20000; round++) {
        int32_t a = any_day(&maker), b = any_day(&maker);
        uint64_t tier = any_u64(&maker), other = any_u64(&maker);
        int want = (a > b) - (a < b);
        assert_order(key_outstanding(a), key_outstanding(b), want);
        assert_order(key_cohort(a), key_cohort(b), want);
        assert_order(key_till_day(store, till, a), key_till_day(store, till, b), want);
        assert_order(key_day_counts(a, store, tier), key_day_counts(b, store, other),
                     want != 0 ? want : compare(tier, other));
    }
}

static bool begins_with(struct key key, struct key prefix)
{
    return key.size > prefix.size && memcmp(key.bytes, prefix.bytes, prefix.size) == 0;
}

/* A key tells what it was made of, to whoever asks for its own kind. */
static void test_keys_read(void **unused PUNKT_UNUSED)
{
    static const char *const codes[] = { "", "7", "007", "Ulm", "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345" };
    struct random random = random_seeded();
    struct maker maker = { &random, NULL, false };
    for (int round = 0; round < 2000; round++) {
        struct text store = text_of(codes[random_below(&random, COUNT_OF(codes))]);
        struct text till = text_of(codes[random_below(&random, COUNT_OF(codes))]);
        local_day day = any_day(&maker);
        uint64_t number = any_u64(&maker);
        struct day_counts_name counts;
        journal_position hold;
        int32_t month;

        struct key key = key_day_counts(day, store, number);
        assert_true(begins_with(key, key_all_day_counts()));
        assert_true(key_read_day_counts(key.bytes, key.size, &counts));
        assert_true(counts.day == day && counts.tier == number);
        assert_true(text_equal((struct text){ counts.store, counts.store_size }, store));
        assert_false(key_read_day_counts(key.bytes, key.size - 1, &counts));
        key = key_till_day(store, till, day);
        assert_false(key_read_day_counts(key.bytes, key.size, &counts));

        key = key_open_hold(number);
        assert_true(begins_with(key, key_all_open_holds()));
        assert_true(key_read_open_hold(key.bytes, key.size, &hold) && hold == number);
        assert_false(key_read_open_hold(key_hold(number).bytes, key.size, &hold));
        assert_true(begins_with(key_account(number), key_all_accounts()));

        key = key_open_proposal(number);
        assert_true(begins_with(key, key_all_open_proposals()));
        assert_true(key_read_open_proposal(key.bytes, key.size, &hold) && hold == number);
        assert_false(key_read_open_proposal(key.bytes, key.size - 1, &hold));
        assert_false(key_read_open_proposal(key_proposal(number).bytes, key.size, &hold));
        key = key_flag(number);
        assert_true(begins_with(key, key_all_flags()));
        assert_true(key_read_flag(key.bytes, key.size, &hold) && hold == number);
        assert_false(key_read_flag(key_open_proposal(number).bytes, key.size, &hold));

        key = key_outstanding(day);
        assert_true(begins_with(key, key_all_outstanding()));
        assert_true(key_read_outstanding(key.bytes, key.size, &month) && month == day);
        assert_false(key_read_cohort(key.bytes, key.size, &month));
        key = key_cohort(day);
        assert_true(begins_with(key, key_all_cohorts()));
        assert_true(key_read_cohort(key.bytes, key.size, &month) && month == day);
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
    struct key keys[64];
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(documents); i++) {
        keys[count++] = key_document(&documents[i]);
        keys[count++] = key_waiting(&documents[i]);
    }
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
    keys[count++] = key_hold(1);
    keys[count++] = key_open_hold(1);
    keys[count++] = key_reward(1);
    keys[count++] = key_reversed(1);
    keys[count++] = key_outstanding(1);
    keys[count++] = key_outstanding(OUTSTANDING_NEVER);
    keys[count++] = key_outstanding(OUTSTANDING_INACTIVE);
    keys[count++] = key_cohort(1);
    keys[count++] = key_day_counts(1, text_of("1"), 1);
    keys[count++] = key_day_counts(1, text_of("01"), 1);
    keys[count++] = key_day_counts(1, text_of(""), 1);
    keys[count++] = key_till_day(text_of("1"), text_of("23"), 1);
    keys[count++] = key_till_day(text_of("12"), text_of("3"), 1);
    keys[count++] = key_till(text_of("1"), text_of("23"));
    keys[count++] = key_till(text_of("12"), text_of("3"));
    keys[count++] = key_identity(1);
    keys[count++] = key_proposal(1);
    keys[count++] = key_open_proposal(1);
    keys[count++] = key_flag(1);
    keys[count++] = key_seal();
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

/* One more number was booked, in the record as in what it is compared with. */
static void book_one(struct random *random, uint8_t record[REQUESTS_RECORD_MAX], uint64_t slot,
                     uint64_t *inout_booked, uint8_t inout_hash[TILL_HASH_SIZE])
{
    uint8_t hash[TILL_HASH_SIZE];
    for (size_t i = 0; i < sizeof(hash); i++) {
        hash[i] = (uint8_t)random_u64(random);
        inout_hash[i] ^= hash[i];
    }
    *inout_booked |= UINT64_C(1) << slot;
    requests_book(record, slot, hash);
}

/* Against a plain table: positions set in any order, some never. */
static void test_requests(void **unused PUNKT_UNUSED)
{
    struct random random = random_seeded();
    for (int round = 0; round < ROUNDS; round++) {
        journal_position table[REQUESTS_PER_RECORD] = { 0 };
        uint64_t booked = 0;
        uint8_t hash[TILL_HASH_SIZE] = { 0 };
        uint8_t now[REQUESTS_RECORD_MAX], next[REQUESTS_RECORD_MAX];
        struct state_value value = { now, 0 };
        for (int change = 0; change < 80; change++) {
            uint64_t slot = random_below(&random, 1 + random_below(&random, REQUESTS_PER_RECORD));
            journal_position got;
            table[slot] = random_u64(&random) >> random_below(&random, 64);
            memset(next, 0xAA, sizeof(next));
            value.size = (uint32_t)requests_set(value, slot, table[slot], next);
            if ((booked >> slot & 1) == 0 && random_below(&random, 2) == 0)
                book_one(&random, next, slot, &booked, hash);
            assert_true(value.size <= REQUESTS_RECORD_MAX && value.size > 8 * slot);
            memcpy(now, next, sizeof(now));
            for (uint64_t i = 0; i < REQUESTS_PER_RECORD; i++) {
                assert_true(requests_get(value, i, &got));
                assert_int_equal(got, table[i]);
            }
            uint64_t mask;
            uint8_t have[TILL_HASH_SIZE];
            assert_true(requests_booked(value, &mask, have));
            assert_int_equal(mask, booked);
            assert_memory_equal(have, hash, sizeof(hash));
        }
    }
}

static void test_requests_refused(void **unused PUNKT_UNUSED)
{
    uint8_t other[REQUESTS_RECORD_MAX + 8] = { 4 };
    journal_position got;
    for (uint32_t size = 0; size <= sizeof(other); size++)
        assert_int_equal(requests_get((struct state_value){ other, size }, 0, &got),
                         size % 8 == 1 && size >= 17 && size <= REQUESTS_RECORD_MAX);
    for (unsigned version = 0; version < 256; version++) {
        other[0] = (uint8_t)version;
        assert_int_equal(requests_get((struct state_value){ other, 25 }, 0, &got), version == 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_order), cmocka_unit_test(test_key_order_of_days),
        cmocka_unit_test(test_keys_read), cmocka_unit_test(test_keys_apart),
        cmocka_unit_test(test_requests),  cmocka_unit_test(test_requests_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
