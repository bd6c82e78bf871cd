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
            bytes[1] = 1;
        }
        (void)decodes(bytes, size);
    }
}

#define BYTES(...) { __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ })
/* type, format, parts, sequence, time, age, flags, card, effects */
#define PLAIN(type) type, 1, 0, 1, 2, 0, 0, 0, 0
#define WITH_PART(type, part) type, 1, part, 1, 2, 0, 0, 0
#define UP_TO_UNLINKED_LINES PLAIN(6), 0, 0, 0, 1, 0, 0, 0, 0, 0, 0
#define MINUS_AMOUNT_MAX 0xFD, 0xBF, 0xA8, 0xCA, 0x9A, 0x3A  /* -(10^12 - 1) */
#define MINUS_AMOUNT_OVER 0xFF, 0xBF, 0xA8, 0xCA, 0x9A, 0x3A /* -10^12 */
#define SIXTEEN 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
#define ZEROS 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0

static void test_limits(void **unused PUNKT_UNUSED)
{
    static const struct {
        const char *what;
        bool decodes;
        uint8_t bytes[64];
        size_t size;
    } rows[] = {
        { "a redemption", true, BYTES(PLAIN(7), 2, 2) },
        { "no type", false, BYTES(PLAIN(0), 2, 2) },
        { "a type to come", false, BYTES(PLAIN(12), 2, 2) },
        { "no format", false, BYTES(7, 0, 0, 1, 2, 0, 0, 0, 0, 2, 2) },
        { "a format to come", false, BYTES(7, 2, 0, 1, 2, 0, 0, 0, 0, 2, 2) },
        { "a part to come", false, BYTES(7, 1, 0x40, 1, 2, 0, 0, 0, 0, 2, 2) },
        { "a number not in its shortest form", false, BYTES(7, 1, 0, 0x81, 0, 2, 0, 0, 0, 0, 2, 2) },
        { "flags of 32 bits", true, BYTES(7, 1, 0, 1, 2, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0, 2, 2) },
        { "flags of 33 bits", false, BYTES(7, 1, 0, 1, 2, 0, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 0, 2, 2) },
        { "time less age too great", false,
          BYTES(7, 1, 0, 1, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 1, 0, 0, 0, 2, 2) },
        { "two effects", true,
          BYTES(7, 1, 0, 1, 2, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2) },
        { "three effects", false,
          BYTES(7, 1, 0, 1, 2, 0, 0, 0, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0,
                0, 0, 0, 0, 0, 2, 2) },
        { "neither true nor false", false,
          BYTES(7, 1, 0, 1, 2, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 2, 0, 2, 2) },
        { "a lot added", true,
          BYTES(7, 1, 0, 1, 2, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1, 2, 0, 0, 2, 2) },
        { "no kind of lot change", false,
          BYTES(7, 1, 0, 1, 2, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 2, 2) },
        { "a kind of lot change to come", false,
          BYTES(7, 1, 0, 1, 2, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 8, 1, 2, 2) },
        { "never by its other name", false,
          BYTES(7, 1, 0, 1, 2, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1, 2, 0, 0x80, 0x80, 0x80, 0x80,
                0x10, 2, 2) },
        { "a request", true, BYTES(WITH_PART(7, 1), 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, SIXTEEN, 0, 2, 2) },
        { "a request of no number", false,
          BYTES(WITH_PART(7, 1), 1, 1, 2, 3, 4, 5, 6, 7, 8, 0, SIXTEEN, 0, 2, 2) },
        { "a content", true, BYTES(WITH_PART(7, 2), SIXTEEN, 0, 2, 2) },
        { "a content of zeros", false, BYTES(WITH_PART(7, 2), ZEROS, 0, 2, 2) },
        { "a document", true, BYTES(WITH_PART(7, 4), 2, 1, 'S', 0, 8, 1, 'N', 0, 2, 2) },
        { "a document of a kind to come", false, BYTES(WITH_PART(7, 4), 3, 1, 'S', 0, 8, 1, 'N', 0, 2, 2) },
        { "a document without number", false, BYTES(WITH_PART(7, 4), 2, 1, 'S', 0, 8, 0, 0, 2, 2) },
        { "a till", true, BYTES(WITH_PART(7, 8), 0, 1, 'T', 0, 2, 2) },
        { "a place that is none", false, BYTES(WITH_PART(7, 8), 0, 0, 0, 2, 2) },
        { "an operator", true, BYTES(WITH_PART(7, 16), 2, 0, 1, 'O', 0, 2, 2) },
        { "an operator sealed as a note", false, BYTES(WITH_PART(7, 16), 3, 0, 1, 'O', 0, 2, 2) },
        { "an operator sealed with a key", false, BYTES(WITH_PART(7, 16), 2, 1, 1, 'O', 0, 2, 2) },
        { "an operator of no letters", false, BYTES(WITH_PART(7, 16), 2, 0, 0, 0, 2, 2) },
        { "an operator longer than the event", false, BYTES(WITH_PART(7, 16), 2, 0, 9, 'O', 0, 2, 2) },
        { "an operator longer than memory", false,
          BYTES(WITH_PART(7, 16), 2, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 'O', 0, 2,
                2) },
        { "an answer", true, BYTES(WITH_PART(7, 32), 5, 0, 1, 'A', 0, 2, 2) },
        { "an answer that is none", false, BYTES(WITH_PART(7, 32), 0, 0, 0, 0, 2, 2) },
        { "a line", true, BYTES(UP_TO_UNLINKED_LINES, 1, 0, 0, 4, 0, MINUS_AMOUNT_MAX, 0, 0) },
        { "a line of a kind to come", false, BYTES(UP_TO_UNLINKED_LINES, 1, 0, 0, 5, 0, 2, 0, 0) },
        { "an amount over its limit", false,
          BYTES(UP_TO_UNLINKED_LINES, 1, 0, 0, 4, 0, MINUS_AMOUNT_OVER, 0, 0) },
        { "a base over its limit", false,
          BYTES(UP_TO_UNLINKED_LINES, 1, 0, 0, 4, 0, 2, 0, MINUS_AMOUNT_OVER) },
        { "4097 lines", false, BYTES(UP_TO_UNLINKED_LINES, 0x81, 0x20, 0, 0, 4, 0, 2, 0, 0) },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (decodes(rows[i].bytes, rows[i].size) != rows[i].decodes)
            fail_msg("%s: %s", rows[i].what, rows[i].decodes ? "refused" : "decoded");
    }
}

/* One more of everything than memory has room for. */
static void test_too_many(void **unused PUNKT_UNUSED)
{
    static struct sale_line lines[LINES_MAX + 1];
    static struct returned_line returned_lines[LINES_MAX + 1];
    static struct lot_change changes[EFFECT_LOT_CHANGES_MAX + 1];
    static struct tender tenders[TENDERS_MAX + 1];
    static struct text coupons[COUPONS_MAX + 1];
    for (size_t i = 0; i < COUNT_OF(changes); i++)
        changes[i] = (struct lot_change){ .kind = LOT_TAKE };
    for (uint32_t more = 0; more < 2; more++) {
        struct event event = { .type = EVENT_PURCHASE };
        event.purchase = (struct purchase){ .lines = lines, .line_count = LINES_MAX + more };
        assert_int_equal(decodes(bytes, event_encode(&event, bytes, sizeof(bytes))), more == 0);
        event.purchase = (struct purchase){ .tenders = tenders, .tender_count = TENDERS_MAX + more };
        assert_int_equal(decodes(bytes, event_encode(&event, bytes, sizeof(bytes))), more == 0);
        event.purchase = (struct purchase){ .coupons = coupons, .coupon_count = COUPONS_MAX + more };
        assert_int_equal(decodes(bytes, event_encode(&event, bytes, sizeof(bytes))), more == 0);
        event = (struct event){ .type = EVENT_RETURN };
        event.goods_return = (struct goods_return){ .lines = returned_lines, .line_count = LINES_MAX + more };
        assert_int_equal(decodes(bytes, event_encode(&event, bytes, sizeof(bytes))), more == 0);
        event = (struct event){ .type = EVENT_REDEMPTION, .effect_count = 1 };
        event.effects[0] =
            (struct effect){ .lot_changes = changes, .lot_change_count = EFFECT_LOT_CHANGES_MAX + more };
        assert_int_equal(decodes(bytes, event_encode(&event, bytes, sizeof(bytes))), more == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips), cmocka_unit_test(test_largest), cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_flipped),     cmocka_unit_test(test_noise),   cmocka_unit_test(test_limits),
        cmocka_unit_test(test_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
