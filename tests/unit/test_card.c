#include "proto/card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct wire_code code_of(const char *text)
{
    struct wire_code code;
    assert_true(wire_code_from(text, strlen(text), &code));
    return code;
}

static void card_numbers_have_their_letters(void **state)
{
    (void)state;
    static const struct {
        const char *number;
        bool valid;
    } rows[] = {
        { "", false },
        { "0", true },
        { "2900000000018", true },
        { "AZaz09._%+@-", true },
        { "someone@example.org", true },
        { "01234567890123456789012345678901", true },
        { "a b", false },
        { "a=b", false },
        { "a;b", false },
        { "a/b", false },
        { "K\xC3\xA4se", false },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct wire_code number = code_of(rows[i].number);
        if (card_number_valid(&number) != rows[i].valid)
            fail_msg("\"%s\" is judged wrongly", rows[i].number);
    }
    struct wire_code wrong = code_of("1");
    wrong.bytes[0] = '\0';
    assert_false(card_number_valid(&wrong));
    wrong.size = WIRE_CODE_MAX + 1;
    assert_false(card_number_valid(&wrong));
}

static void check_digits(void **state)
{
    (void)state;
    static const struct {
        const char *number;
        enum card_check check;
        bool valid;
    } rows[] = {
        { "79927398713", CARD_CHECK_LUHN, true },
        { "79927398710", CARD_CHECK_LUHN, false },
        { "4539578763621486", CARD_CHECK_LUHN, true },
        { "4539578763621468", CARD_CHECK_LUHN, false }, /* neighbours swapped */
        { "18", CARD_CHECK_LUHN, true },
        { "00", CARD_CHECK_LUHN, true },
        { "0", CARD_CHECK_LUHN, false },
        { "7992739871A", CARD_CHECK_LUHN, false },
        { "", CARD_CHECK_LUHN, false },
        { "4006381333931", CARD_CHECK_EAN13, true },
        { "4006381333932", CARD_CHECK_EAN13, false },
        { "9780201379624", CARD_CHECK_EAN13, true },
        { "2900000000018", CARD_CHECK_EAN13, true },
        { "04006381333931", CARD_CHECK_EAN13, false }, /* fourteen digits */
        { "73513537", CARD_CHECK_EAN13, false },       /* EAN-8 is another code */
        { "anything", CARD_CHECK_NONE, true },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct wire_code number = code_of(rows[i].number);
        if (card_check_valid(&number, rows[i].check) != rows[i].valid)
            fail_msg("%s is judged wrongly", rows[i].number);
    }
}

static void ranges_count_without_the_check_digit(void **state)
{
    (void)state;
    static const struct {
        const char *first;
        uint64_t step;
        enum card_check check;
        const char *want; /* NULL: the range ends before */
    } rows[] = {
        { "2900000000018", 0, CARD_CHECK_NONE, "2900000000018" },
        { "2900000000018", 1, CARD_CHECK_NONE, "2900000000019" },
        { "2900000000018", 9999, CARD_CHECK_NONE, "2900000010017" },
        { "0999", 1, CARD_CHECK_NONE, "1000" },
        { "9998", 1, CARD_CHECK_NONE, "9999" },
        { "9998", 2, CARD_CHECK_NONE, NULL },
        { "0", 9, CARD_CHECK_NONE, "9" },
        { "0", 10, CARD_CHECK_NONE, NULL },
        { "79927398713", 0, CARD_CHECK_LUHN, "79927398713" },
        { "79927398713", 1, CARD_CHECK_LUHN, "79927398721" },
        { "79927398710", 1, CARD_CHECK_LUHN, NULL },
        { "99999999990", 1, CARD_CHECK_LUHN, NULL },
        { "4006381333931", 1, CARD_CHECK_EAN13, "4006381333948" },
        { "A100", 1, CARD_CHECK_NONE, NULL },
        { "1", UINT64_MAX, CARD_CHECK_NONE, NULL },
        { "00000000000000000009", UINT64_MAX, CARD_CHECK_NONE, "18446744073709551624" },
        { "99999999999999999999999999999999", UINT64_MAX, CARD_CHECK_NONE, NULL },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct wire_code first = code_of(rows[i].first), got = code_of("untouched");
        bool found = card_number_after(&first, rows[i].step, rows[i].check, &got);
        struct wire_code want = code_of(rows[i].want != NULL ? rows[i].want : "untouched");
        if (found != (rows[i].want != NULL) || !wire_code_equal(&got, &want))
            fail_msg("row %zu gives %.*s", i, (int)got.size, got.bytes);
    }
}

/* Whatever a range yields carries the right check digit, and no number twice. */
static void ranges_are_valid_throughout(void **state)
{
    (void)state;
    struct wire_code first = code_of("4006381333931"), before = first;
    for (uint64_t step = 1; step < 10000; step++) {
        struct wire_code number;
        assert_true(card_number_after(&first, step, CARD_CHECK_EAN13, &number));
        assert_true(card_check_valid(&number, CARD_CHECK_EAN13));
        assert_true(memcmp(before.bytes, number.bytes, number.size) < 0);
        before = number;
    }
}

static void scans_are_cleaned(void **state)
{
    (void)state;
    static const struct {
        const char *scanned;
        const char *want; /* NULL: no card number */
    } rows[] = {
        { "2900000000018", "2900000000018" },
        { ";2900000000018?", "2900000000018" },
        { ";2900000000018=99121010000000000000?", "2900000000018" },
        { ";2900000000018=99121010000000000000?\r\n", "2900000000018" },
        { " \t2900000000018 \r\n", "2900000000018" },
        { "; 2900000000018 =1", "2900000000018" },
        { "=123", NULL },
        { ";?", NULL },
        { "", NULL },
        { "   ", NULL },
        { "29000 00018", NULL },
        { "2900\xC3\xA4", NULL },
        { "012345678901234567890123456789012", NULL },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t size = strlen(rows[i].scanned);
        char *scanned = malloc(size > 0 ? size : 1); /* without a NUL behind it */
        assert_non_null(scanned);
        memcpy(scanned, rows[i].scanned, size);
        struct wire_code got = code_of("untouched");
        bool found = card_number_from_scan(scanned, size, &got);
        struct wire_code want = code_of(rows[i].want != NULL ? rows[i].want : "untouched");
        if (found != (rows[i].want != NULL) || !wire_code_equal(&got, &want))
            fail_msg("\"%s\" gives %.*s", rows[i].scanned, (int)got.size, got.bytes);
        free(scanned);
    }
    struct wire_code got;
    assert_false(card_number_from_scan(NULL, 0, &got));
    assert_false(card_number_from_scan("12\0", 3, &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(card_numbers_have_their_letters),
        cmocka_unit_test(check_digits),
        cmocka_unit_test(ranges_count_without_the_check_digit),
        cmocka_unit_test(ranges_are_valid_throughout),
        cmocka_unit_test(scans_are_cleaned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
