#include "proto/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "messages.h"

static union any_message in, out;
static _Alignas(max_align_t) uint8_t memory_of_in[32 * 1024], memory_of_out[1024 * 1024];
static uint8_t encoded[128 * 1024];

static struct message_memory memory_over(void *bytes, size_t size)
{
    return (struct message_memory){ .at = bytes, .left = size };
}

/* Decodes from a copy of exactly this size, so that a sanitizer sees the first byte too far. */
static bool decode(enum message message, const void *body, size_t size, uint8_t **out_copy,
                   const char **out_field)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    if (size > 0)
        memcpy(copy, body, size);
    struct message_memory memory = memory_over(memory_of_out, sizeof(memory_of_out));
    memset(&out, 0xA5, sizeof(out));
    bool decoded = message_decode(message, copy, size, &memory, &out, out_field);
    if (decoded && out_copy != NULL) {
        *out_copy = copy; /* texts point into it */
    } else {
        free(copy);
    }
    return decoded;
}

static size_t encode_random(enum message message, struct random *random)
{
    struct message_memory memory = memory_over(memory_of_in, sizeof(memory_of_in));
    message_random(message, random, &memory, &in);
    struct wire_writer writer = wire_writer_over(encoded, sizeof(encoded));
    message_encode(message, &in, &writer);
    assert_false(writer.failed);
    return wire_written(&writer);
}

static void decoding_undoes_encoding(void **state)
{
    (void)state;
    struct random random = random_seeded();
    for (enum message message = 0; message < MESSAGE_COUNT; message++) {
        for (int round = 0; round < 300; round++) {
            size_t size = encode_random(message, &random);
            uint8_t *copy = NULL;
            const char *field = NULL;
            if (!decode(message, encoded, size, &copy, &field))
                fail_msg("%s is not decoded: %s", message_tables[message].name, field);
            assert_true(messages_equal(message, &in, &out));
            uint8_t *again = malloc(size + 1);
            assert_non_null(again);
            struct wire_writer writer = wire_writer_over(again, size + 1);
            message_encode(message, &out, &writer);
            assert_false(writer.failed);
            assert_int_equal(wire_written(&writer), size);
            assert_memory_equal(again, encoded, size);
            free(again);
            free(copy);
        }
    }
}

/* A shorter body is either refused or another message, whose encoding it is. */
static void prefixes_are_refused_or_say_less(void **state)
{
    (void)state;
    struct random random = random_seeded();
    for (enum message message = 0; message < MESSAGE_COUNT; message++) {
        for (int round = 0; round < 10; round++) {
            size_t size = encode_random(message, &random);
            for (size_t cut = 0; cut < size; cut++) {
                uint8_t *copy = NULL;
                const char *field = NULL;
                if (!decode(message, encoded, cut, &copy, &field))
                    continue;
                static uint8_t again[sizeof(encoded)];
                struct wire_writer writer = wire_writer_over(again, sizeof(again));
                message_encode(message, &out, &writer);
                assert_false(writer.failed);
                assert_int_equal(wire_written(&writer), cut);
                assert_memory_equal(again, encoded, cut);
                free(copy);
            }
        }
    }
}

/* A writer that is too small fails at every size, and never writes behind its end. */
static void too_small_a_writer_fails(void **state)
{
    (void)state;
    struct random random = random_seeded();
    for (enum message message = 0; message < MESSAGE_COUNT; message++) {
        size_t size = encode_random(message, &random);
        for (size_t capacity = 0; capacity < size; capacity++) {
            uint8_t *small = malloc(capacity > 0 ? capacity : 1);
            assert_non_null(small);
            struct wire_writer writer = wire_writer_over(small, capacity);
            message_encode(message, &in, &writer);
            assert_true(writer.failed);
            free(small);
        }
    }
}

/* Flipped, inserted and removed bytes: refused, or a message that has these bytes as its only form. */
static void damage_is_refused_or_has_one_form(void **state)
{
    (void)state;
    struct random random = random_seeded();
    static uint8_t again[sizeof(encoded)];
    for (enum message message = 0; message < MESSAGE_COUNT; message++) {
        for (int round = 0; round < 1000; round++) {
            size_t size = encode_random(message, &random);
            if (size == 0)
                continue;
            for (uint64_t flips = 1 + random_below(&random, 3); flips > 0; flips--)
                encoded[random_below(&random, size)] = (uint8_t)random_u64(&random);
            uint8_t *copy = NULL;
            const char *field = NULL;
            if (!decode(message, encoded, size, &copy, &field)) {
                assert_non_null(field);
                continue;
            }
            struct wire_writer writer = wire_writer_over(again, sizeof(again));
            message_encode(message, &out, &writer);
            assert_false(writer.failed);
            size_t same = wire_written(&writer);
            /* Bytes behind the last field known, here or in an element, are a newer peer's: then no more is promised
             * than that what was understood can be sent on. */
            assert_true(same <= size);
            if (same == size)
                assert_memory_equal(again, encoded, size);
            free(copy);
        }
    }
}

static void a_decoder_without_memory_refuses(void **state)
{
    (void)state;
    struct msg_line lines[3];
    struct msg_purchase_request purchase;
    message_init(MESSAGE_purchase_request, &purchase);
    assert_true(wire_code_from("1", 1, &purchase.card));
    purchase.lines = lines;
    purchase.lines_count = 3;
    for (size_t i = 0; i < 3; i++)
        message_init(MESSAGE_line, &lines[i]);
    struct wire_writer writer = wire_writer_over(encoded, sizeof(encoded));
    message_encode(MESSAGE_purchase_request, &purchase, &writer);
    assert_false(writer.failed);
    size_t needed = 0;
    for (size_t left = 0; needed == 0; left++) {
        struct message_memory memory = memory_over(memory_of_out, left);
        const char *field = NULL;
        if (message_decode(MESSAGE_purchase_request, encoded, wire_written(&writer), &memory, &out, &field)) {
            needed = left;
        } else {
            assert_string_equal(field, "lines");
            assert_int_equal(memory.left, left);
        }
    }
    assert_true(needed >= sizeof(lines) && needed < sizeof(lines) + sizeof(max_align_t));
    const char *field = NULL;
    assert_false(
        message_decode(MESSAGE_purchase_request, encoded, wire_written(&writer), NULL, &out, &field));

    /* No lines, but a tender: the empty list before it needs nothing. */
    struct msg_coupon coupon;
    message_init(MESSAGE_coupon, &coupon);
    purchase.lines_count = 0;
    purchase.coupons = &coupon;
    purchase.coupons_count = 1;
    writer = wire_writer_over(encoded, sizeof(encoded));
    message_encode(MESSAGE_purchase_request, &purchase, &writer);
    struct message_memory memory = memory_over(memory_of_out, sizeof(coupon) + sizeof(max_align_t));
    assert_true(
        message_decode(MESSAGE_purchase_request, encoded, wire_written(&writer), &memory, &out, &field));
}

static void sizes_are_what_tills_can_afford(void **state)
{
    (void)state;
    struct msg_line lines[10];
    struct msg_purchase_request purchase;
    message_init(MESSAGE_purchase_request, &purchase);
    assert_true(wire_code_from("2900000000018", 13, &purchase.card));
    purchase.amount = 10500;
    purchase.time = UINT64_C(1795253400000000);
    assert_true(wire_code_from("4711", 4, &purchase.store));
    assert_true(wire_code_from("12", 2, &purchase.till));
    assert_true(wire_code_from("2026112100042", 13, &purchase.receipt));
    purchase.business_date = 20778;
    assert_true(wire_code_from("1234", 4, &purchase.operator));
    struct wire_writer writer = wire_writer_over(encoded, sizeof(encoded));
    message_encode(MESSAGE_purchase_request, &purchase, &writer);
    assert_false(writer.failed);
    assert_in_range(FRAME_HEADER_SIZE + wire_written(&writer), 1, 64);

    for (size_t i = 0; i < 10; i++) {
        message_init(MESSAGE_line, &lines[i]);
        assert_true(wire_code_from("4006381333931", 13, &lines[i].code));
        lines[i].amount = 129900;
    }
    purchase.amount = 1299000;
    purchase.lines = lines;
    purchase.lines_count = 10;
    writer = wire_writer_over(encoded, sizeof(encoded));
    message_encode(MESSAGE_purchase_request, &purchase, &writer);
    assert_false(writer.failed);
    assert_in_range(FRAME_HEADER_SIZE + wire_written(&writer), 1, 200);
}

static void printing_is_bounded(void **state)
{
    (void)state;
    struct msg_programme_show_answer answer = { .version = 3, .from = 5, .text = { "a: 1\n\tb", 7 } };
    static const char want[] = "programme_show_answer\n  version: 3\n  from: 5\n  text: a: 1\\n\\tb\n";
    for (size_t capacity = 0; capacity < sizeof(want) + 3; capacity++) {
        char *text = malloc(capacity > 0 ? capacity : 1);
        assert_non_null(text);
        assert_int_equal(message_print(MESSAGE_programme_show_answer, &answer, text, capacity),
                         sizeof(want) - 1);
        if (capacity > 0) {
            size_t kept = capacity < sizeof(want) ? capacity - 1 : sizeof(want) - 1;
            assert_int_equal(strlen(text), kept);
            assert_memory_equal(text, want, kept);
        }
        free(text);
    }
}

static void foreign_words_are_cut_to_fit(void **state)
{
    (void)state;
    static const struct {
        const char *string;
        size_t limit, want;
    } rows[] = {
        { "", 10, 0 },          { "abc", 3, 3 },    { "abcd", 3, 3 }, { "ab\ncd", 10, 2 },
        { "ab\xC3\xA4", 3, 2 }, { "ab\xFF", 9, 2 }, { "\x7F", 9, 0 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct message_text text = message_text_of(rows[i].string, rows[i].limit);
        assert_int_equal(text.size, rows[i].want);
        assert_ptr_equal(text.data, rows[i].string);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding_undoes_encoding),
        cmocka_unit_test(prefixes_are_refused_or_say_less),
        cmocka_unit_test(too_small_a_writer_fails),
        cmocka_unit_test(damage_is_refused_or_has_one_form),
        cmocka_unit_test(a_decoder_without_memory_refuses),
        cmocka_unit_test(sizes_are_what_tills_can_afford),
        cmocka_unit_test(printing_is_bounded),
        cmocka_unit_test(foreign_words_are_cut_to_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
