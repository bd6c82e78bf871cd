#include "proto/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"

/* A copy of exactly this size on the heap, so that a sanitizer sees the first byte too far. */
static uint8_t *exact_copy(const void *bytes, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

static void uint_has_one_form(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *bytes;
        size_t size;
    } rows[] = {
        { 0, "\x00", 1 },
        { 1, "\x01", 1 },
        { 127, "\x7F", 1 },
        { 128, "\x80\x01", 2 },
        { 300, "\xAC\x02", 2 },
        { 16383, "\xFF\x7F", 2 },
        { 16384, "\x80\x80\x01", 3 },
        { UINT32_MAX, "\xFF\xFF\xFF\xFF\x0F", 5 },
        { INT64_MAX, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 9 },
        { UINT64_MAX, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 10 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t bytes[WIRE_UINT_SIZE_MAX];
        struct wire_writer writer = wire_writer_over(bytes, sizeof(bytes));
        wire_write_uint(&writer, rows[i].value);
        assert_false(writer.failed);
        assert_int_equal(wire_written(&writer), rows[i].size);
        assert_memory_equal(bytes, rows[i].bytes, rows[i].size);
        struct wire_reader reader = wire_reader_over(bytes, rows[i].size);
        assert_true(wire_read_uint(&reader) == rows[i].value);
        assert_true(wire_read_done(&reader));
    }
}

static void other_forms_of_uint_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *bytes;
        size_t size;
    } rows[] = {
        { "nothing", "", 0 },
        { "no end", "\x80", 1 },
        { "zero in two bytes", "\x80\x00", 2 },
        { "127 in two bytes", "\xFF\x00", 2 },
        { "1 in ten bytes", "\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00", 10 },
        { "65 bits", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02", 10 },
        { "67 bits", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 10 },
        { "eleven bytes", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x81\x00", 11 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t *bytes = exact_copy(rows[i].bytes, rows[i].size);
        struct wire_reader reader = wire_reader_over(bytes, rows[i].size);
        assert_int_equal(wire_read_uint(&reader), 0);
        if (!reader.failed)
            fail_msg("%s was read", rows[i].what);
        free(bytes);
    }
}

static void sint_is_zig_zag(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        uint64_t unsigned_form;
    } rows[] = {
        { 0, 0 },
        { -1, 1 },
        { 1, 2 },
        { -2, 3 },
        { 2, 4 },
        { INT64_MAX, UINT64_MAX - 1 },
        { INT64_MIN, UINT64_MAX },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t bytes[WIRE_UINT_SIZE_MAX];
        struct wire_writer writer = wire_writer_over(bytes, sizeof(bytes));
        wire_write_sint(&writer, rows[i].value);
        struct wire_reader reader = wire_reader_over(bytes, wire_written(&writer));
        assert_true(wire_read_uint(&reader) == rows[i].unsigned_form);
        reader = wire_reader_over(bytes, wire_written(&writer));
        assert_true(wire_read_sint(&reader) == rows[i].value);
    }
}

static void fixed_numbers_are_little_endian(void **state)
{
    (void)state;
    uint8_t bytes[15];
    struct wire_writer writer = wire_writer_over(bytes, sizeof(bytes));
    wire_write_u8(&writer, 0x01);
    wire_write_u16(&writer, 0x0203);
    wire_write_u32(&writer, 0x04050607);
    wire_write_u64(&writer, UINT64_C(0x08090A0B0C0D0E0F));
    assert_false(writer.failed);
    assert_memory_equal(bytes, "\x01\x03\x02\x07\x06\x05\x04\x0F\x0E\x0D\x0C\x0B\x0A\x09\x08", 15);
    struct wire_reader reader = wire_reader_over(bytes, sizeof(bytes));
    assert_int_equal(wire_read_u8(&reader), 0x01);
    assert_int_equal(wire_read_u16(&reader), 0x0203);
    assert_int_equal(wire_read_u32(&reader), 0x04050607);
    assert_true(wire_read_u64(&reader) == UINT64_C(0x08090A0B0C0D0E0F));
    assert_true(wire_read_done(&reader));
}

static void the_first_error_sticks(void **state)
{
    (void)state;
    uint8_t bytes[4] = { 1, 2, 3, 4 };
    struct wire_reader reader = wire_reader_over(bytes, sizeof(bytes));
    assert_null(wire_read_bytes(&reader, 5));
    assert_int_equal(wire_left(&reader), 0);
    assert_int_equal(wire_read_u8(&reader), 0);
    assert_false(wire_read_done(&reader));

    struct wire_writer writer = wire_writer_over(bytes, sizeof(bytes));
    wire_write_u64(&writer, 9);
    wire_write_u8(&writer, 9);
    assert_true(writer.failed);
    assert_int_equal(wire_written(&writer), 0);
    assert_memory_equal(bytes, "\x01\x02\x03\x04", 4);
}

static void nothing_at_all_is_a_run_of_no_bytes(void **state)
{
    (void)state;
    struct wire_reader reader = wire_reader_over(NULL, 0);
    assert_true(wire_read_done(&reader));
    (void)wire_read_bytes(&reader, 0);
    assert_true(wire_read_done(&reader));
    struct wire_writer writer = wire_writer_over(NULL, 0);
    wire_write_bytes(&writer, NULL, 0);
    assert_false(writer.failed);
    assert_true(wire_utf8_valid(NULL, 0));
    struct wire_code code;
    assert_true(wire_code_from(NULL, 0, &code));
    assert_int_equal(code.size, 0);
}

static void codes_have_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        const char *bytes;
        size_t size;
    } rows[] = {
        { "", "\x00", 1 },
        { "7", "\x81\x7F", 2 },
        { "4711", "\x84\x47\x11", 3 },
        { "2900000000018", "\x8D\x29\x00\x00\x00\x00\x01\x8F", 8 },
        { "01234567890123456789012345678901",
          "\xA0\x01\x23\x45\x67\x89\x01\x23\x45\x67\x89\x01\x23\x45\x67\x89\x01", 17 },
        { "R1", "\x02R1", 3 },
        { "Käse", "\x05K\xC3\xA4se", 6 },
        { "12-34",
          "\x05"
          "12-34",
          6 },
        { "abcdefghijklmnopqrstuvwxyzabcdef",
          "\x20"
          "abcdefghijklmnopqrstuvwxyzabcdef",
          33 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct wire_code code, again;
        assert_true(wire_code_from(rows[i].code, strlen(rows[i].code), &code));
        uint8_t bytes[WIRE_CODE_WIRE_SIZE_MAX];
        struct wire_writer writer = wire_writer_over(bytes, sizeof(bytes));
        wire_write_code(&writer, &code);
        assert_false(writer.failed);
        assert_int_equal(wire_written(&writer), rows[i].size);
        assert_memory_equal(bytes, rows[i].bytes, rows[i].size);
        struct wire_reader reader = wire_reader_over(bytes, rows[i].size);
        wire_read_code(&reader, &again);
        assert_true(wire_read_done(&reader));
        assert_true(wire_code_equal(&code, &again));
        for (size_t cut = 0; cut < rows[i].size; cut++) {
            uint8_t *short_copy = exact_copy(bytes, cut);
            reader = wire_reader_over(short_copy, cut);
            wire_read_code(&reader, &again);
            assert_true(reader.failed);
            free(short_copy);
        }
    }
}

static void other_forms_of_codes_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *bytes;
        size_t size;
    } rows[] = {
        { "digits that are not packed",
          "\x04"
          "4711",
          5 },
        { "no digits, packed", "\x80", 1 },
        { "33 bytes",
          "\x21"
          "abcdefghijklmnopqrstuvwxyzabcdefg",
          34 },
        { "33 digits", "\xA1\x01\x23\x45\x67\x89\x01\x23\x45\x67\x89\x01\x23\x45\x67\x89\x01\x2F", 18 },
        { "a digit of 10", "\x82\x1A", 2 },
        { "a first digit of 15", "\x82\xF1", 2 },
        { "an odd end that is not filled with F", "\x81\x70", 2 },
        { "an even end that is", "\x82\x7F", 2 },
        { "a control character",
          "\x02"
          "a\n",
          3 },
        { "DEL",
          "\x02"
          "a\x7F",
          3 },
        { "NUL",
          "\x02"
          "a\x00",
          3 },
        { "no UTF-8",
          "\x02"
          "a\xC3",
          3 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t *bytes = exact_copy(rows[i].bytes, rows[i].size);
        struct wire_reader reader = wire_reader_over(bytes, rows[i].size);
        struct wire_code code;
        wire_read_code(&reader, &code);
        if (!reader.failed)
            fail_msg("%s was read", rows[i].what);
        free(bytes);
    }
}

static void what_no_reader_accepts_is_not_written(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct wire_code *too_long = malloc(sizeof(*too_long));
    assert_non_null(too_long);
    memset(too_long, '1', sizeof(*too_long));
    too_long->size = 255;
    struct wire_writer writer = wire_writer_over(bytes, sizeof(bytes));
    wire_write_code(&writer, too_long);
    assert_true(writer.failed);
    free(too_long);

    struct wire_code control = { .size = 1, .bytes = "\n" };
    writer = wire_writer_over(bytes, sizeof(bytes));
    wire_write_code(&writer, &control);
    assert_true(writer.failed);

    struct wire_code code = { .size = 2, .bytes = "ab" };
    assert_false(wire_code_from("abcdefghijklmnopqrstuvwxyzabcdefg", 33, &code));
    assert_false(wire_code_from("a\tb", 3, &code));
    assert_int_equal(code.size, 2);
    assert_memory_equal(code.bytes, "ab", 2);
}

static void codes_are_equal_or_not(void **state)
{
    (void)state;
    struct wire_code a, b;
    assert_true(wire_code_from("12", 2, &a) && wire_code_from("12", 2, &b) && wire_code_equal(&a, &b));
    assert_true(wire_code_from("13", 2, &b) && !wire_code_equal(&a, &b));
    assert_true(wire_code_from("123", 3, &b) && !wire_code_equal(&a, &b));
}

/* The borders of RFC 3629, section 4. */
static void utf8_is_that_of_rfc_3629(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        bool valid;
    } rows[] = {
        { " ~", true },
        { "\x1F", false },
        { "\x7F", false },
        { "\xC2\x80", true },
        { "\xC1\xBF", false },
        { "\x80", false },
        { "\xDF\xBF", true },
        { "\xDF", false },
        { "\xDF\x7E", false },
        { "\xE0\xA0\x80", true },
        { "\xE0\x9F\xBF", false },
        { "\xED\x9F\xBF", true },
        { "\xED\xA0\x80", false }, /* a surrogate */
        { "\xEE\x80\x80", true },
        { "\xEF\xBF\xBD", true },
        { "\xE2\x82", false },
        { "\xF0\x90\x80\x80", true },
        { "\xF0\x8F\xBF\xBF", false },
        { "\xF4\x8F\xBF\xBF", true },
        { "\xF4\x90\x80\x80", false },
        { "\xF5\x80\x80\x80", false },
        { "\xFF", false },
        { "\xF0\x90\x80", false },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t size = strlen(rows[i].bytes);
        uint8_t *bytes = exact_copy(rows[i].bytes, size);
        if (wire_utf8_valid(bytes, size) != rows[i].valid)
            fail_msg("row %zu is judged wrongly", i);
        free(bytes);
    }
}

/* Digits of any length are packed and come back; one other byte at any place, and nothing is. */
static void digits_are_packed_at_every_length(void **state)
{
    (void)state;
    static const char others[] = { '/', ':', '?', 'a', ' ' };
    for (size_t size = 1; size <= WIRE_CODE_MAX; size++) {
        char bytes[WIRE_CODE_MAX];
        uint8_t written[WIRE_CODE_WIRE_SIZE_MAX];
        struct wire_code code;
        for (size_t i = 0; i < size; i++)
            bytes[i] = (char)('0' + (i * 7 + size) % 10);
        struct wire_writer writer = wire_writer_over(written, sizeof(written));
        wire_write_code_text(&writer, bytes, size);
        assert_false(writer.failed);
        assert_int_equal(wire_written(&writer), 1 + (size + 1) / 2);
        struct wire_reader reader = wire_reader_over(written, wire_written(&writer));
        wire_read_code(&reader, &code);
        assert_true(wire_read_done(&reader));
        assert_int_equal(code.size, size);
        assert_memory_equal(code.bytes, bytes, size);
        for (size_t k = 0; k < size * sizeof(others); k++) {
            char digit = bytes[k / sizeof(others)];
            bytes[k / sizeof(others)] = others[k % sizeof(others)];
            writer = wire_writer_over(written, sizeof(written));
            wire_write_code_text(&writer, bytes, size);
            assert_false(writer.failed);
            assert_int_equal(wire_written(&writer), 1 + size);
            assert_memory_equal(written + 1, bytes, size);
            bytes[k / sizeof(others)] = digit;
        }
    }
}

/* Any byte at any place of a text of any length: what is judged in words is judged as byte by byte. */
static void utf8_is_judged_alike_at_every_place(void **state)
{
    (void)state;
    for (size_t size = 1; size <= WIRE_CODE_MAX + 1; size++) {
        uint8_t *bytes = malloc(size);
        assert_non_null(bytes);
        for (size_t place = 0; place < size; place++) {
            for (unsigned byte = 0; byte <= UINT8_MAX; byte++) {
                memset(bytes, 'a', size);
                bytes[place] = (uint8_t)byte;
                if (wire_utf8_valid(bytes, size) != (byte >= 0x20 && byte < 0x7F))
                    fail_msg("byte %u at %zu of %zu is judged wrongly", byte, place, size);
            }
            memset(bytes, '~', size);
            bytes[place] = 0xC3;
            if (place + 1 < size)
                bytes[place + 1] = 0xA9;
            assert_true(wire_utf8_valid(bytes, size) == (place + 1 < size));
        }
        free(bytes);
    }
}

/* Whatever is read from noise is written as the same bytes: no two encodings mean the same. */
static void what_noise_means_has_one_form(void **state)
{
    (void)state;
    struct random random = random_seeded();
    size_t read_count = 0;
    for (int round = 0; round < 200000; round++) {
        uint8_t noise[WIRE_CODE_WIRE_SIZE_MAX];
        for (size_t i = 0; i < sizeof(noise); i++)
            noise[i] = (uint8_t)random_u64(&random);
        if (round % 2 == 0) /* most heads announce too much */
            noise[0] = (uint8_t)((random_u64(&random) & 0x80) | random_below(&random, 4));
        uint8_t again[sizeof(noise)];
        struct wire_writer writer = wire_writer_over(again, sizeof(again));
        struct wire_reader reader = wire_reader_over(noise, sizeof(noise));
        if (round % 3 == 0) {
            struct wire_code code;
            wire_read_code(&reader, &code);
            if (!reader.failed)
                wire_write_code(&writer, &code);
        } else {
            uint64_t value = wire_read_uint(&reader);
            if (!reader.failed)
                wire_write_uint(&writer, value);
        }
        if (reader.failed)
            continue;
        read_count++;
        assert_false(writer.failed);
        assert_int_equal(wire_written(&writer), sizeof(noise) - wire_left(&reader));
        assert_memory_equal(again, noise, wire_written(&writer));
    }
    assert_true(read_count > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uint_has_one_form),
        cmocka_unit_test(other_forms_of_uint_are_refused),
        cmocka_unit_test(sint_is_zig_zag),
        cmocka_unit_test(fixed_numbers_are_little_endian),
        cmocka_unit_test(the_first_error_sticks),
        cmocka_unit_test(nothing_at_all_is_a_run_of_no_bytes),
        cmocka_unit_test(codes_have_one_form),
        cmocka_unit_test(other_forms_of_codes_are_refused),
        cmocka_unit_test(what_no_reader_accepts_is_not_written),
        cmocka_unit_test(codes_are_equal_or_not),
        cmocka_unit_test(utf8_is_that_of_rfc_3629),
        cmocka_unit_test(digits_are_packed_at_every_length),
        cmocka_unit_test(utf8_is_judged_alike_at_every_place),
        cmocka_unit_test(what_noise_means_has_one_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
