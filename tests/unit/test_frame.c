#include "proto/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"

static void a_header_has_its_picture(void **state)
{
    (void)state;
    uint8_t header[FRAME_HEADER_SIZE];
    frame_put_header(header, 0x01020304, 0x8020, 0x0001, UINT64_C(0x1112131415161718));
    assert_memory_equal(header, "\x04\x03\x02\x01\x20\x80\x01\x00\x18\x17\x16\x15\x14\x13\x12\x11",
                        FRAME_HEADER_SIZE);
}

static void every_prefix_asks_for_more(void **state)
{
    (void)state;
    struct random random = random_seeded();
    for (int round = 0; round < 200; round++) {
        uint32_t body_size = (uint32_t)random_below(&random, 100);
        size_t size = FRAME_HEADER_SIZE + (size_t)body_size;
        uint16_t type = (uint16_t)random_u64(&random), flags = (uint16_t)random_u64(&random);
        uint64_t number = random_u64(&random);
        uint8_t whole[FRAME_HEADER_SIZE + 100] = { 0 };
        frame_put_header(whole, body_size, type, flags, number);
        for (size_t cut = 0; cut <= size; cut++) {
            uint8_t *bytes = malloc(cut > 0 ? cut : 1);
            assert_non_null(bytes);
            memcpy(bytes, whole, cut);
            struct frame frame;
            size_t wanted = 0;
            enum frame_split split = frame_split(bytes, cut, FRAME_BODY_MAX, &frame, &wanted);
            assert_int_equal(split, cut < size ? FRAME_NEED_MORE : FRAME_WHOLE);
            assert_int_equal(wanted, cut < FRAME_HEADER_SIZE ? FRAME_HEADER_SIZE : size);
            if (split == FRAME_WHOLE) {
                assert_int_equal(frame.type, type);
                assert_int_equal(frame.flags, flags);
                assert_true(frame.number == number);
                assert_int_equal(frame.body_size, body_size);
                assert_ptr_equal(frame.body, bytes + FRAME_HEADER_SIZE);
            }
            free(bytes);
        }
    }
}

static void nothing_asks_for_a_header(void **state)
{
    (void)state;
    struct frame frame;
    size_t wanted = 0;
    assert_int_equal(frame_split(NULL, 0, FRAME_BODY_MAX, &frame, &wanted), FRAME_NEED_MORE);
    assert_int_equal(wanted, FRAME_HEADER_SIZE);
}

static void the_next_frame_is_not_touched(void **state)
{
    (void)state;
    uint8_t two[2 * FRAME_HEADER_SIZE + 3];
    frame_put_header(two, 3, 2, 0, 1);
    memcpy(two + FRAME_HEADER_SIZE, "abc", 3);
    frame_put_header(two + FRAME_HEADER_SIZE + 3, 0, 3, 0, 2);
    struct frame frame;
    size_t wanted = 0;
    assert_int_equal(frame_split(two, sizeof(two), FRAME_BODY_MAX, &frame, &wanted), FRAME_WHOLE);
    assert_int_equal(wanted, FRAME_HEADER_SIZE + 3);
    assert_int_equal(frame_split(two + wanted, sizeof(two) - wanted, FRAME_BODY_MAX, &frame, &wanted),
                     FRAME_WHOLE);
    assert_int_equal(frame.type, 3);
    assert_int_equal(wanted, FRAME_HEADER_SIZE);
}

/* Judged on the header alone, whatever has arrived of the body. */
static void a_long_body_is_refused_before_it_is_awaited(void **state)
{
    (void)state;
    static const struct {
        uint32_t body_size, body_max;
        enum frame_split want;
    } rows[] = {
        { FRAME_BODY_MAX_BEFORE_HELLO, FRAME_BODY_MAX_BEFORE_HELLO, FRAME_NEED_MORE },
        { FRAME_BODY_MAX_BEFORE_HELLO + 1, FRAME_BODY_MAX_BEFORE_HELLO, FRAME_BROKEN },
        { FRAME_BODY_MAX_BEFORE_HELLO + 1, FRAME_BODY_MAX, FRAME_NEED_MORE },
        { FRAME_BODY_MAX, FRAME_BODY_MAX, FRAME_NEED_MORE },
        { FRAME_BODY_MAX + 1, FRAME_BODY_MAX, FRAME_BROKEN },
        { UINT32_MAX, FRAME_BODY_MAX, FRAME_BROKEN },
        { UINT32_MAX, UINT32_MAX, FRAME_NEED_MORE },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t header[FRAME_HEADER_SIZE];
        frame_put_header(header, rows[i].body_size, 2, 0, 77);
        struct frame frame;
        size_t wanted = 0;
        assert_int_equal(frame_split(header, sizeof(header), rows[i].body_max, &frame, &wanted),
                         rows[i].want);
        assert_int_equal(frame.type, 2); /* who is told why needs type and number */
        assert_true(frame.number == 77);
        if (rows[i].want == FRAME_NEED_MORE)
            assert_true(wanted == FRAME_HEADER_SIZE + (size_t)rows[i].body_size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_has_its_picture),
        cmocka_unit_test(every_prefix_asks_for_more),
        cmocka_unit_test(nothing_asks_for_a_header),
        cmocka_unit_test(the_next_frame_is_not_touched),
        cmocka_unit_test(a_long_body_is_refused_before_it_is_awaited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
