#include "proto/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"

/* RFC 3720, appendix B.4, and the check value every catalogue of checksums gives. */
static void known_answers(void **state)
{
    (void)state;
    uint8_t zeros[32] = { 0 }, ones[32], rising[32], falling[32];
    static const uint8_t read_command[48] = { 0x01, 0xC0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0, 0,
                                              0x14, 0,    0, 0, 0, 0, 4, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18,
                                              0x28, 0,    0, 0, 0, 0, 0, 0, 2, 0, 0, 0,    0, 0, 0, 0 };
    for (uint8_t i = 0; i < 32; i++) {
        ones[i] = 0xFF;
        rising[i] = i;
        falling[i] = (uint8_t)(31 - i);
    }
    const struct {
        const void *bytes;
        size_t size;
        uint32_t want;
    } rows[] = {
        { zeros, 32, 0x8A9136AA },
        { ones, 32, 0x62A8AB43 },
        { rising, 32, 0x46DD794E },
        { falling, 32, 0x113FDB5C },
        { read_command, 48, 0xD9963A56 },
        { "123456789", 9, 0xE3069283 },
        { "", 0, 0 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(crc32c(0, rows[i].bytes, rows[i].size), rows[i].want);
        assert_int_equal(crc32c_portable(0, rows[i].bytes, rows[i].size), rows[i].want);
    }
    assert_int_equal(crc32c(7, NULL, 0), 7);
    assert_int_equal(crc32c_portable(7, NULL, 0), 7);
}

static void portable_equals_the_instruction(void **state)
{
    (void)state;
    struct random random = random_seeded();
    uint8_t bytes[300];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)random_u64(&random);
    for (size_t size = 0; size < 260; size++) {
        size_t offset = random_below(&random, 40); /* words need not be aligned */
        uint32_t from = (uint32_t)random_u64(&random);
        assert_int_equal(crc32c(from, bytes + offset, size), crc32c_portable(from, bytes + offset, size));
    }
}

static void parts_continue(void **state)
{
    (void)state;
    struct random random = random_seeded();
    uint8_t bytes[100];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)random_u64(&random);
    uint32_t whole = crc32c(0, bytes, sizeof(bytes));
    for (size_t cut = 0; cut <= sizeof(bytes); cut++)
        assert_int_equal(crc32c(crc32c(0, bytes, cut), bytes + cut, sizeof(bytes) - cut), whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(portable_equals_the_instruction),
        cmocka_unit_test(parts_continue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
