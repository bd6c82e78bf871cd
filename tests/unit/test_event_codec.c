/*
 * Events as bytes: what goes in comes out, and other bytes are refused without a step out of bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/event_codec.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/journal.h"
#include "random_event.h"

#define ROUNDS_OF_TRIPS 2000
#define ROUNDS_OF_DAMAGE 6
#define PLAIN_PURCHASE_MAX 160 /* bytes, without lines, with an answer of sixteen */
#define PLAIN_LINE_MAX 26

static struct random_event_room room;
static struct event_memory memory;
static uint8_t bytes[JOURNAL_EVENT_MAX];
static uint8_t again[JOURNAL_EVENT_MAX];

/* Decodes from memory of exactly that size, so that a read behind it is seen. What decodes is the only
 * form of what it says: encoded again, it is the same bytes. */
static bool decodes(const uint8_t *from, size_t size)
{
    struct event event;
    uint8_t *exact = malloc(size > 0 ? size : 1);
    assert_non_null(exact);
    if (size > 0)
        memcpy(exact, from, size);
    bool decoded = event_decode(exact, size, &memory, &event);
    if (decoded) {
        assert_int_equal(event_encode(&event, again, sizeof(again)), size);
        assert_memory_equal(again, exact, size);
    }
    free(exact);
    return decoded;
}

static void assert_round_trip(const struct event *event)
{
    struct event decoded;
    size_t size = event_encode(event, bytes, sizeof(bytes));
    assert_true(event_decode(bytes, size, &memory, &decoded));
    assert_same_event(event, &decoded);
    assert_true(decodes(bytes, size));
}

static void test_round_trips(void **unused PUNKT_UNUSED)
{
    struct random random = random_seeded();
    struct event event;
    for (int round = 0; round < ROUNDS_OF_TRIPS; round++) {
        for (int type = 1; type <= EVENT_TYPE_MAX; type++) {
            random_event(&random, (enum event_type)type, RANDOM_EVENT_SMALL, &room, &event);
            assert_round_trip(&event);
        }
    }
}

/* As many of everything as an event can list, with the longest numbers and codes, fit into what the journal
 * gives one. */
static void test_largest(void **unused PUNKT_UNUSED)
{
    struct random random = random_seeded();
    struct event event;
    for (int type = 1; type <= EVENT_TYPE_MAX; type++) {
        random_event(&random, (enum event_type)type, RANDOM_EVENT_LARGEST, &room, &event);
        assert_round_trip(&event);
        assert_true(event_encode(&event, bytes, sizeof(bytes)) <=
                    JOURNAL_EVENT_MAX - JOURNAL_EVENT_HEADER_SIZE);
    }
}

static void test_cut_short(void **unused PUNKT_UNUSED)
{
    struct random random = random_seeded();
    struct event event;
    for (int round = 0; round < ROUNDS_OF_DAMAGE; round++) {
        for (int type = 1; type <= EVENT_TYPE_MAX; type++) {
            random_event(&random, (enum event_type)type, RANDOM_EVENT_SMALL, &room, &event);
            size_t size = event_encode(&event, bytes, sizeof(bytes));
            for (size_t left = 0; left < size; left++)
                assert_false(decodes(bytes, left));
            bytes[size] = 0;
            assert_false(decodes(bytes, size + 1));
        }
    }
}

/* One bit after the other, and every byte once at random. */
static void test_flipped(void **unused PUNKT_UNUSED)
{
    struct random random = random_seeded();
    struct event event;
    for (int round = 0; round < ROUNDS_OF_DAMAGE; round++) {
        for (int type = 1; type <= EVENT_TYPE_MAX; type++) {
            random_event(&random, (enum event_type)type, RANDOM_EVENT_SMALL, &room, &event);
            size_t size = event_encode(&event, bytes, sizeof(bytes));
            for (size_t i = 0; i < size; i++) {
                uint8_t was = bytes[i];
                for (int bit = 0; bit < 9; bit++) {
                    bytes[i] = bit < 8 ? was ^ (uint8_t)(1 << bit) : (uint8_t)random_u64(&random);
                    (void)decodes(bytes, size);
                }
                bytes[i] = was;
            }
        }
    }
}

static void test_noise(void **unused PUNKT_UNUSED)
{
    struct random random = random_seeded();
    for (int round = 0; round < 20000; round++) {
        size_t size = random_below(&random, 80);
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)(random_u64(&random) >> random_below(&random, 64));
        if (size > 2) {
            bytes[0] = (uint8_t)(1 + random_below(&random, EVENT_TYPE_MAX));
            bytes[1] = 2;
        }
        (void)decodes(bytes, size);
    }
}

#define BYTES(...) { __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ })
/* Behind type, format and time comes the mask of what is not zero in the event, then that. */
#define HEAD(type) type, 2, 0
#define NOTHING(type) HEAD(type), 0
#define WITH_EFFECT(type) HEAD(type), 0x80, 0x80, 0x10, 1 /* one of them */
#define EMPTY_EFFECT 0
#define LOT_CHANGES(count) 0x20, count
#define CHANGES(count) 0x40, count
#define MINUS_AMOUNT_MAX 0xFD, 0xBF, 0xA8, 0xCA, 0x9A, 0x3A  /* -(10^12 - 1) */
#define MINUS_AMOUNT_OVER 0xFF, 0xBF, 0xA8, 0xCA, 0x9A, 0x3A /* -10^12 */
#define SIXTEEN 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
#define ZEROS 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0

struct form {
    const char *what;
    bool decodes;
    uint8_t bytes[64];
    size_t size;
};

static void check_forms(const struct form *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (decodes(rows[i].bytes, rows[i].size) != rows[i].decodes)
            fail_msg("%s: %s", rows[i].what, rows[i].decodes ? "refused" : "decoded");
    }
}

/* EVENT_TIE (10) ends with a mask, and the position if its only bit is set. */
static void test_forms(void **unused PUNKT_UNUSED)
{
    static const struct form rows[] = {
        { "a tie of nothing", true, BYTES(NOTHING(10), 0) },
        { "a tie", true, BYTES(NOTHING(10), 1, 5) },
        { "a position that is there, and 0", false, BYTES(NOTHING(10), 1, 0) },
        { "a position in a longer form", false, BYTES(NOTHING(10), 1, 0x85, 0) },
        { "a field to come", false, BYTES(NOTHING(10), 3, 5, 5) },
        { "a mask in a longer form", false, BYTES(NOTHING(10), 0x81, 0, 5) },
        { "more than the event", false, BYTES(NOTHING(10), 1, 5, 0) },
        { "no type", false, BYTES(NOTHING(0), 0) },
        { "a type to come", false, BYTES(NOTHING(39), 0) },
        { "no format", false, BYTES(10, 0, 0, 0, 0) },
        { "the format before", false, BYTES(10, 1, 0, 0, 0) },
        { "a format to come", false, BYTES(10, 3, 0, 0, 0) },
        { "something to look at", true, BYTES(HEAD(10), 0x80, 0x80, 0x80, 0x80, 8, 1, 0) },
        { "an approval with its note", true,
          BYTES(HEAD(10), 0x80, 0x80, 0x80, 0x80, 0x30, 9, 3, 0, 1, 'N', 0) },
        { "a part of the event to come", false, BYTES(HEAD(10), 0x80, 0x80, 0x80, 0x80, 0x40, 1, 0) },
        { "flags of 32 bits", true, BYTES(HEAD(10), 0x80, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0) },
        { "flags of 33 bits", false, BYTES(HEAD(10), 0x80, 1, 0x80, 0x80, 0x80, 0x80, 0x10, 0) },
        { "a day that never comes", true, BYTES(HEAD(10), 2, 0, 0) },
        { "a day that always was", true, BYTES(HEAD(10), 2, 1, 0) },
        { "the day after 1970 began", true, BYTES(HEAD(10), 2, 4, 0) },
        { "day 0, which takes no room", false, BYTES(HEAD(10), 2, 2, 0) },
        { "a day far behind any calendar", false, BYTES(HEAD(10), 2, 0x82, 0x84, 0xAF, 0x5F, 0) },
        { "never by its other name", false, BYTES(HEAD(10), 2, 0x80, 0x80, 0x80, 0x80, 0x10, 0) },
        { "always by its other name", false, BYTES(HEAD(10), 2, 0x81, 0x80, 0x80, 0x80, 0x10, 0) },
        { "a content", true, BYTES(HEAD(10), 0x80, 2, SIXTEEN, 0) },
        { "a content of zeros", false, BYTES(HEAD(10), 0x80, 2, ZEROS, 0) },
        { "a document", true, BYTES(HEAD(10), 0x80, 0x1C, 2, 1, 'S', 1, 'T', 0) },
        { "a document of a kind to come", false, BYTES(HEAD(10), 0x80, 0x1C, 3, 1, 'S', 1, 'T', 0) },
        { "a store that is no text", false, BYTES(HEAD(10), 0x80, 0x08, 1, 0x80, 0) },
        { "the document's store again", false, BYTES(HEAD(10), 0x80, 0x88, 1, 1, 'S', 1, 'S', 0) },
        { "another store", true, BYTES(HEAD(10), 0x80, 0x88, 1, 1, 'S', 1, 'Z', 0) },
        { "no store where the document has one", true, BYTES(HEAD(10), 0x80, 0x88, 1, 1, 'S', 0, 0) },
        { "an operator", true, BYTES(HEAD(10), 0x80, 0x80, 0x40, 2, 0, 1, 'O', 0) },
        { "an operator sealed as a note", false, BYTES(HEAD(10), 0x80, 0x80, 0x40, 3, 0, 1, 'O', 0) },
        { "an operator sealed with a key", false, BYTES(HEAD(10), 0x80, 0x80, 0x40, 2, 1, 1, 'O', 0) },
        { "an operator of no letters", false, BYTES(HEAD(10), 0x80, 0x80, 0x40, 2, 0, 0, 0) },
        { "an operator longer than the event", false, BYTES(HEAD(10), 0x80, 0x80, 0x40, 2, 0, 9, 'O', 0) },
        { "an operator longer than memory", false,
          BYTES(HEAD(10), 0x80, 0x80, 0x40, 2, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1,
                'O', 0) },
        { "a card in suspense", true, BYTES(HEAD(10), 0x80, 0x80, 0x80, 3, 4, 0, 1, 'C', 0) },
        { "a card longer than a card", false,
          BYTES(HEAD(10), 0x80, 0x80, 0x80, 1, 4, 0, 33, SIXTEEN, SIXTEEN, 'C', 0) },
        { "another time at the till", true, BYTES(HEAD(10), 0x80, 0x80, 0x20, 7, 0) },
        { "a change of status", true, BYTES(NOTHING(14), 6, 1, 5) },
        { "a status that is none", false, BYTES(NOTHING(14), 6, 0, 2) },
        { "a status that is missing", false, BYTES(NOTHING(14), 2, 1) },
        { "a status to come", false, BYTES(NOTHING(14), 6, 1, 6) },
        { "a reversal that found nothing", true, BYTES(NOTHING(25), 0x20, 2, 0) },
        { "a reversal without outcome", false, BYTES(NOTHING(25), 0, 0) },
        { "a reversal of an outcome to come", false, BYTES(NOTHING(25), 0x20, 4, 0) },
        { "a reversal of a type to come", false, BYTES(NOTHING(25), 0x30, 39, 1, 0) },
    };
    check_forms(rows, COUNT_OF(rows));
}

static void test_forms_of_effects(void **unused PUNKT_UNUSED)
{
    static const struct form rows[] = {
        { "an effect", true, BYTES(WITH_EFFECT(10), EMPTY_EFFECT, 0) },
        { "two effects", true, BYTES(HEAD(10), 0x80, 0x80, 0x10, 2, EMPTY_EFFECT, EMPTY_EFFECT, 0) },
        { "three effects", false,
          BYTES(HEAD(10), 0x80, 0x80, 0x10, 3, EMPTY_EFFECT, EMPTY_EFFECT, EMPTY_EFFECT, 0) },
        { "a lot added", true, BYTES(WITH_EFFECT(10), LOT_CHANGES(1), 1, 0x27, 3, 20, 0, 0) },
        { "no kind of lot change", false, BYTES(WITH_EFFECT(10), LOT_CHANGES(1), 0, 0, 0) },
        { "the last kind of lot change", true, BYTES(WITH_EFFECT(10), LOT_CHANGES(1), 8, 0, 0) },
        { "a kind of lot change to come", false, BYTES(WITH_EFFECT(10), LOT_CHANGES(1), 9, 0, 0) },
        { "a lot joined that says its points", false, BYTES(WITH_EFFECT(10), LOT_CHANGES(1), 3, 4, 2, 0) },
        { "a lot matures on the day that it was earned, said twice", false,
          BYTES(WITH_EFFECT(10), LOT_CHANGES(1), 1, 0x10, 0, 0) },
        { "4,000 lot changes", false, BYTES(WITH_EFFECT(10), 0x20, 0xA0, 0x1F, 0) },
        { "no kind of change", false, BYTES(WITH_EFFECT(10), CHANGES(1), 0, 0, 0) },
        { "a kind of change to come", false, BYTES(WITH_EFFECT(10), CHANGES(1), 19, 0, 0) },
        { "a tally", true, BYTES(WITH_EFFECT(10), CHANGES(1), 1, 9, 4, 2, 0) },
        { "a tally of a kind to come", false, BYTES(WITH_EFFECT(10), CHANGES(1), 1, 9, 6, 2, 0) },
        { "a tag set", true, BYTES(WITH_EFFECT(10), CHANGES(1), 7, 3, 1, 'T', 2, 0) },
        { "a tag set twice", false, BYTES(WITH_EFFECT(10), CHANGES(1), 7, 3, 1, 'T', 4, 0) },
        { "wrong three times", true, BYTES(WITH_EFFECT(10), CHANGES(1), 10, 1, 6, 0) },
        { "wrong four times", false, BYTES(WITH_EFFECT(10), CHANGES(1), 10, 1, 8, 0) },
        { "an account that is closed with a value", false, BYTES(WITH_EFFECT(10), CHANGES(1), 15, 1, 2, 0) },
        { "257 changes", false, BYTES(WITH_EFFECT(10), 0x40, 0x81, 0x02, 0) },
    };
    check_forms(rows, COUNT_OF(rows));
}

/* Of an identity, the status is bit 3 of the mask, the salt bit 15; the act, bit 0, is always there. */
static void test_forms_of_the_register(void **unused PUNKT_UNUSED)
{
    static const struct form rows[] = {
        { "an identity", true, BYTES(NOTHING(32), 0x0B, 6, 2, 1) },
        { "an identity without an act", false, BYTES(NOTHING(32), 0x0A, 2, 1) },
        { "an act to come", false, BYTES(NOTHING(32), 0x0B, 8, 2, 1) },
        { "a status to come", false, BYTES(NOTHING(32), 0x0B, 6, 2, 5) },
        { "a proof to come", false, BYTES(NOTHING(32), 0x11, 6, 2) },
        { "a salt", true, BYTES(NOTHING(32), 0x81, 0x80, 2, 6, SIXTEEN) },
        { "a salt of zeros", false, BYTES(NOTHING(32), 0x81, 0x80, 2, 6, ZEROS) },
        { "a proposal", true, BYTES(NOTHING(33), 5, 16, 5, 0, 1, 'B') },
        { "a proposal of an operation over 16 bits", false, BYTES(NOTHING(33), 1, 0x80, 0x80, 4) },
        { "a body sealed as a note", false, BYTES(NOTHING(33), 5, 16, 3, 0, 1, 'B') },
        { "a proposal that ended", true, BYTES(NOTHING(34), 3, 9, 3) },
        { "a proposal that ended, but how", false, BYTES(NOTHING(34), 1, 9) },
        { "an end to come", false, BYTES(NOTHING(34), 3, 9, 5) },
        { "attempts", true, BYTES(NOTHING(35), 9, 5, 7) },
        { "attempts of no kind", false, BYTES(NOTHING(35), 8, 7) },
        { "attempts of a kind to come", false, BYTES(NOTHING(35), 1, 6) },
        { "an alarm", true, BYTES(NOTHING(36), 3, 9, 1, 'A') },
        { "a flag resolved", true, BYTES(NOTHING(37), 3, 9, 3, 0, 1, 'N') },
        { "a seal", true, BYTES(NOTHING(38), 0x0D, 9, SIXTEEN, 3) },
        { "a seal of no lineage, said", false, BYTES(NOTHING(38), 0x0D, 9, ZEROS, 3) },
    };
    check_forms(rows, COUNT_OF(rows));
}

/* EVENT_UNLINKED_RETURN (6): sale_line_count is bit 15 of its mask; of a line, amount is bit 2 and kind bit 6. */
#define LINE_COUNT 0x80, 0x80, 0x02

static void test_forms_of_goods(void **unused PUNKT_UNUSED)
{
    static const struct form rows[] = {
        { "a line", true, BYTES(NOTHING(6), LINE_COUNT, 1, 0x44, MINUS_AMOUNT_MAX, 4) },
        { "a line of a kind to come", false, BYTES(NOTHING(6), LINE_COUNT, 1, 0x44, 2, 5) },
        { "an amount over its limit", false, BYTES(NOTHING(6), LINE_COUNT, 1, 4, MINUS_AMOUNT_OVER) },
        { "a base over its limit", false, BYTES(NOTHING(6), LINE_COUNT, 1, 0x20, MINUS_AMOUNT_OVER) },
        { "a base like the amount, said twice", false, BYTES(NOTHING(6), LINE_COUNT, 1, 0x24, 2, 0) },
        { "a quantity over its limit", false,
          BYTES(NOTHING(6), LINE_COUNT, 1, 8, 0x80, 0xA8, 0xD6, 0xB9, 0x07) },
        { "4097 lines", false, BYTES(NOTHING(6), LINE_COUNT, 0x81, 0x20, 0) },
        { "a part", true, BYTES(NOTHING(4), 0x40, 1, 2, 11) },
        { "a part of no kind", false, BYTES(NOTHING(4), 0x40, 1, 0) },
        { "a part of a kind to come", false, BYTES(NOTHING(4), 0x40, 1, 2, 12) },
        { "70 parts", false, BYTES(NOTHING(4), 0x40, 70) },
        { "33 tenders", false, BYTES(NOTHING(4), 0x80, 2, 33) },
        { "33 coupons", false, BYTES(NOTHING(4), 0x80, 0x80, 1, 33) },
        { "9 redemptions", false, BYTES(NOTHING(4), 0x80, 0x20, 9) },
        { "4097 lines of a purchase", false, BYTES(NOTHING(4), 0x80, 1, 0x81, 0x20) },
        { "4097 lines of a return", false, BYTES(NOTHING(5), 0x40, 0x81, 0x20) },
        { "17 redemptions that come back", false, BYTES(NOTHING(5), 0x80, 0x80, 1, 17) },
        { "a gift", true, BYTES(NOTHING(7), 0, 0x20, 5) },
        { "a reward of a kind to come", false, BYTES(NOTHING(7), 0, 0x20, 6) },
        { "4097 lines that wait", false, BYTES(NOTHING(30), 0x80, 2, 0x81, 0x20) },
    };
    check_forms(rows, COUNT_OF(rows));
}

/* A purchase as most are: a card, a receipt, ten points, one rule, nothing special. */
static void make_plain(struct event *out, struct lot_change *lot, struct account_change *change,
                       struct award_part *part)
{
    utc_us time = 20454 * US_PER_DAY + 12 * 3600 * US_PER_SECOND;
    *lot = (struct lot_change){ .kind = LOT_ADD,
                                .by_purchase = true,
                                .lot = 7,
                                .points = 10000,
                                .earned = 20454,
                                .matures = 20454,
                                .last_day = DAY_NEVER };
    *change = (struct account_change){ .kind = CHANGE_LAST_PURCHASE,
                                       .period = 20454,
                                       .value = time - US_PER_SECOND };
    *part = (struct award_part){ .kind = PART_SPEND, .input = 10500, .exact = 10500, .result = 10000 };
    *out = (struct event){ .type = EVENT_PURCHASE,
                           .sequence = 1000000,
                           .time = time,
                           .occurred = time - US_PER_SECOND,
                           .day = 20454,
                           .request = { 77, UINT64_MAX, 1000, { SIXTEEN } },
                           .content = { SIXTEEN },
                           .document = { DOCUMENT_SALE, TEXT_LITERAL("0042"), TEXT_LITERAL("3"), 20454,
                                         TEXT_LITERAL("123456") },
                           .store = TEXT_LITERAL("0042"),
                           .till = TEXT_LITERAL("3"),
                           .card = 900000,
                           .effect_count = 1,
                           .answer_type = 0x8005,
                           .answer = TEXT_LITERAL("sixteen bytes...") };
    out->effects[0] = (struct effect){ .account = 900000,
                                       .previous = 300000000,
                                       .change = 10000,
                                       .balance = 250000,
                                       .lifetime_change = 10000,
                                       .lot_change_count = 1,
                                       .lot_changes = lot,
                                       .change_count = 1,
                                       .changes = change };
    out->purchase = (struct purchase){ .amount = 10500,
                                       .base = 10500,
                                       .programme_version = 1,
                                       .earned = 10000,
                                       .lot = 7,
                                       .day = 20454,
                                       .matures = 20454,
                                       .last_day = DAY_NEVER,
                                       .part_count = 1,
                                       .parts = part };
}

/* What tills send all day must stay small: all of it is hashed, written and kept for good. */
static void test_plain_purchase(void **unused PUNKT_UNUSED)
{
    struct event event;
    struct lot_change lot;
    struct account_change change;
    struct award_part part;
    struct sale_line lines[10];
    make_plain(&event, &lot, &change, &part);
    assert_round_trip(&event);
    size_t size = event_encode(&event, bytes, sizeof(bytes));
    assert_in_range(size, 1, PLAIN_PURCHASE_MAX);

    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        lines[i] = (struct sale_line){ .code = TEXT_LITERAL("4006381333931"),
                                       .category = TEXT_LITERAL("110"),
                                       .quantity = 1000,
                                       .amount = 1050,
                                       .tax = 69,
                                       .base = 1050 };
    }
    event.purchase.lines = lines;
    event.purchase.line_count = COUNT_OF(lines);
    assert_round_trip(&event);
    assert_in_range(event_encode(&event, bytes, sizeof(bytes)) - size, 1, COUNT_OF(lines) * PLAIN_LINE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_largest),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_flipped),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_forms_of_effects),
        cmocka_unit_test(test_forms_of_the_register),
        cmocka_unit_test(test_forms_of_goods),
        cmocka_unit_test(test_plain_purchase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
