/* What people type: amounts, quantities, points, times, and the rounding of a line's price. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/histogram.h"
#include "cli/parse.h"

#define DAY_US (INT64_C(86400) * 1000000)

static void test_amounts(void **state)
{
    static const struct {
        const char *text;
        unsigned exponent;
        bool good;
        int64_t minor;
    } rows[] = {
        { "105.00", 2, true, 10500 },
        { "105", 2, true, 10500 },
        { "0.05", 2, true, 5 },
        { "-5.1", 2, true, -510 },
        { "+5", 2, true, 500 },
        { "5.000", 2, true, 500 },
        { "5.001", 2, false, 0 },
        { "105", 0, true, 105 },
        { "105.5", 0, false, 0 },
        { "1.2345", 4, true, 12345 },
        { "9999999999.99", 2, true, INT64_C(999999999999) },
        { "9999999999999999999", 2, false, 0 },
        { "0000000000000000000001", 2, true, 100 },
        { "10000000000.00", 2, false, 0 },
        { "1000000000000000000000", 2, false, 0 },
        { "00000000000000000000000000007", 2, true, 700 },
        { "", 2, false, 0 },
        { "-", 2, false, 0 },
        { ".5", 2, false, 0 },
        { "5.", 2, false, 0 },
        { "5,00", 2, false, 0 },
        { " 5", 2, false, 0 },
        { "5 ", 2, false, 0 },
        { "5e2", 2, false, 0 },
        { "--5", 2, false, 0 },
        { "1.2.3", 2, false, 0 },
        { "0.0000000000", 2, false, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t minor = 77;
        bool good = parse_amount(rows[i].text, rows[i].exponent, &minor);
        if (good != rows[i].good || minor != (good ? rows[i].minor : 77))
            fail_msg("\"%s\" with %u decimals: %d, %lld", rows[i].text, rows[i].exponent, good,
                     (long long)minor);
    }
}

static void test_quantities_and_points(void **state)
{
    uint64_t quantity = 0;
    int64_t points = 0;
    (void)state;
    assert_true(parse_quantity("2", &quantity));
    assert_int_equal(quantity, 2000);
    assert_true(parse_quantity("0.125", &quantity));
    assert_int_equal(quantity, 125);
    assert_true(parse_quantity("999999.999", &quantity));
    assert_int_equal(quantity, 999999999);
    assert_false(parse_quantity("1000000", &quantity));
    assert_false(parse_quantity("0.1255", &quantity));
    assert_false(parse_quantity("-1", &quantity));
    assert_true(parse_points("-10", 0, &points));
    assert_int_equal(points, -10);
    assert_true(parse_points("1.5", 1, &points));
    assert_int_equal(points, 15);
    assert_false(parse_points("1.5", 0, &points));
}

static struct parse_decimal decimal(const char *text)
{
    struct parse_decimal value = { 0 };
    assert_true(parse_decimal(text, strlen(text), &value));
    return value;
}

/* A line of a receipt: quantity times price, half away from zero. */
static void test_products(void **state)
{
    static const struct {
        const char *quantity;
        const char *price;
        unsigned decimals;
        int64_t product;
    } rows[] = {
        { "6", "2.55", 2, 1530 },        { "1", "0.005", 2, 1 },   { "1", "0.0049", 2, 0 },
        { "-1", "0.005", 2, -1 },        { "1", "-0.005", 2, -1 }, { "-3", "0.615", 2, -185 },
        { "3", "0.615", 2, 185 },        { "-1", "0.0049", 2, 0 }, { "0.333", "9.99", 2, 333 },
        { "74215", "1.04", 2, 7718360 }, { "1", "5", 0, 5 },       { "1", "5.5", 0, 6 },
        { "-1", "5.5", 0, -6 },          { "2", "3", 4, 60000 },   { "0", "12.50", 2, 0 },
    };
    int64_t product = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(parse_product(decimal(rows[i].quantity), decimal(rows[i].price), rows[i].decimals,
                                  INT64_C(999999999999), &product));
        assert_int_equal(product, rows[i].product);
    }
    assert_false(parse_product(decimal("999999999999999999"), decimal("999999999999999999"), 4,
                               INT64_C(999999999999), &product));
    assert_false(parse_product(decimal("10000000000"), decimal("1"), 2, INT64_C(999999999999), &product));
}

static void test_retry(void **state)
{
    uint64_t epoch = 0;
    uint64_t number = 0;
    (void)state;
    assert_true(parse_retry("00000000000000ff:3", &epoch, &number));
    assert_int_equal(epoch, 255);
    assert_int_equal(number, 3);
    assert_true(parse_retry("FFFFFFFFFFFFFFFF:18446744073709551615", &epoch, &number));
    assert_true(epoch == UINT64_MAX && number == UINT64_MAX);
    assert_false(parse_retry("ff", &epoch, &number));
    assert_false(parse_retry("ff:", &epoch, &number));
    assert_false(parse_retry("ff:0", &epoch, &number));
    assert_false(parse_retry("0:1", &epoch, &number));
    assert_false(parse_retry(":1", &epoch, &number));
    assert_false(parse_retry("10000000000000000:1", &epoch, &number));
    assert_false(parse_retry("ff:18446744073709551616", &epoch, &number));
    assert_false(parse_retry("0xff:1", &epoch, &number));
}

static void test_times(void **state)
{
    static const struct {
        const char *text;
        bool good;
        int64_t time_us;
    } rows[] = {
        { "1970-01-01T00:00:00Z", true, 0 },
        { "1970-01-02 00:00Z", true, DAY_US },
        { "1970-01-02t00:00:00.25z", true, DAY_US + 250000 },
        { "1970-01-02T01:30:00+01:30", true, DAY_US },
        { "1970-01-01T22:00:00-0200", true, DAY_US },
        { "2024-02-29T12:00:00Z", true, INT64_C(1709208000000000) },
        { "1970-01-01T00:00:00.1234567Z", true, 123456 },
        { "2023-02-29T12:00:00Z", false, 0 },
        { "2024-13-01T12:00:00Z", false, 0 },
        { "2024-01-01T24:00:00Z", false, 0 },
        { "2024-01-01T12:60:00Z", false, 0 },
        { "2024-01-01T12:00:60Z", false, 0 },
        { "2024-01-01T12:00:00+1:00", false, 0 },
        { "2024-01-01T12:00:00.Z", false, 0 },
        { "2024-01-01", false, 0 },
        { "2024-01-01T", false, 0 },
        { "2024-1-1T12:00:00Z", false, 0 },
        { "2024-01-01T12:00:00Zulu", false, 0 },
        { "1970-01-01T00:00:00+01:00", false, 0 },
        { "9999-12-31T23:59:59Z", true, INT64_C(253402300799000000) },
        { "", false, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t time_us = 77;
        bool good = parse_time(rows[i].text, &time_us, NULL);
        if (good != rows[i].good || time_us != (uint64_t)(good ? rows[i].time_us : 77))
            fail_msg("\"%s\": %d, %llu", rows[i].text, good, (unsigned long long)time_us);
    }
}

/* Wall clocks of a zone with summer time; the answers do not depend on what was asked before. */
static void test_local_times(void **state)
{
    static const struct {
        const char *local;
        const char *utc;
        const char *day;
    } rows[] = {
        { "2010-12-01 08:26:00", "2010-12-01T08:26:00Z", "2010-12-01" },
        { "2011-05-31 00:30:00", "2011-05-30T23:30:00Z", "2011-05-31" },
        { "2011-03-27 00:59:59", "2011-03-27T00:59:59Z", "2011-03-27" },
        { "2011-03-27 01:30:00", "2011-03-27T01:30:00Z", "2011-03-27" }, /* skipped: as before the change */
        { "2011-03-27 02:00:00", "2011-03-27T01:00:00Z", "2011-03-27" },
        { "2011-10-30 01:30:00", "2011-10-30T00:30:00Z", "2011-10-30" }, /* shown twice: the first */
        { "2011-10-30 02:00:00", "2011-10-30T02:00:00Z", "2011-10-30" },
    };
    (void)state;
    assert_true(zone_use("Europe/London"));
    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            uint64_t time_us = 0;
            uint64_t day = 0;
            char text[TIME_TEXT_SIZE];
            assert_true(parse_time(rows[i].local, &time_us, &day));
            time_text(time_us, true, text);
            assert_string_equal(text, rows[i].utc);
            day_text(day, text);
            assert_string_equal(text, rows[i].day);
        }
    }
    assert_false(zone_use("Europe/Atlantis"));
    assert_false(zone_use("../etc/passwd"));
    assert_false(zone_use(""));
    assert_true(zone_use("UTC"));
}

static void test_texts(void **state)
{
    char text[DECIMAL_TEXT_SIZE];
    (void)state;
    decimal_text(10500, 2, text);
    assert_string_equal(text, "105.00");
    decimal_text(-5, 2, text);
    assert_string_equal(text, "-0.05");
    decimal_text(INT64_MIN, 0, text);
    assert_string_equal(text, "-9223372036854775808");
    decimal_text(INT64_MIN, 3, text);
    assert_string_equal(text, "-9223372036854775.808");
    time_text(INT64_C(1709208000000001), true, text);
    assert_string_equal(text, "2024-02-29T12:00:00.000001Z");
}

static void test_histogram(void **state)
{
    static struct histogram histogram;
    (void)state;
    assert_int_equal(histogram_percentile(&histogram, 500), 0);
    for (uint64_t value = 1; value <= 100000; value++)
        histogram_record(&histogram, value);
    assert_int_equal(histogram.count, 100000);
    static const unsigned thousandths[] = { 1, 500, 990, 999, 1000 };
    for (size_t i = 0; i < sizeof(thousandths) / sizeof(thousandths[0]); i++) {
        uint64_t want = (uint64_t)thousandths[i] * 100;
        uint64_t got = histogram_percentile(&histogram, thousandths[i]);
        assert_true(got >= want && got <= want + want / 100 + 1);
    }
    histogram_record(&histogram, UINT64_MAX);
    assert_true(histogram_percentile(&histogram, 1000) >= UINT64_C(1) << (HISTOGRAM_BITS_MAX - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_amounts),  cmocka_unit_test(test_quantities_and_points),
        cmocka_unit_test(test_products), cmocka_unit_test(test_retry),
        cmocka_unit_test(test_times),    cmocka_unit_test(test_local_times),
        cmocka_unit_test(test_texts),    cmocka_unit_test(test_histogram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
