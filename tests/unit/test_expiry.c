/* When points mature and expire (DOMAIN.md, Lots), as tables of dates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "points/calendar.h"
#include "points/effect_maker.h"

static local_day day_of(struct civil_date date)
{
    return date.year == 0 ? DAY_NEVER : day_from_civil(date);
}

static void assert_day(const char *what, local_day got, struct civil_date want)
{
    if (got == day_of(want))
        return;
    struct civil_date date = got == DAY_NEVER ? (struct civil_date){ 0 } : civil_from_day(got);
    fail_msg("%s: %d-%02u-%02u", what, date.year, date.month, date.day);
}

static void months_are_clipped(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct civil_date from;
        int32_t months;
        struct civil_date want;
    } rows[] = {
        { "none", { 2026, 3, 10 }, 0, { 2026, 3, 10 } },
        { "one", { 2026, 3, 10 }, 1, { 2026, 4, 10 } },
        { "over a year's end", { 2026, 11, 30 }, 3, { 2027, 2, 28 } },
        { "to a leap day", { 2023, 8, 31 }, 6, { 2024, 2, 29 } },
        { "from a leap day, a year", { 2024, 2, 29 }, 12, { 2025, 2, 28 } },
        { "from a leap day, four years", { 2024, 2, 29 }, 48, { 2028, 2, 29 } },
        { "1900 was none", { 1900, 1, 31 }, 1, { 1900, 2, 28 } },
        { "back", { 2026, 3, 31 }, -1, { 2026, 2, 28 } },
        { "back over a year's end", { 2026, 1, 15 }, -13, { 2024, 12, 15 } },
        { "before 1970", { 1969, 12, 31 }, 2, { 1970, 2, 28 } },
        { "and back", { 1970, 1, 31 }, -11, { 1969, 2, 28 } },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_day(rows[i].what, day_add_months(day_of(rows[i].from), rows[i].months), rows[i].want);
}

/* Every month of some centuries begins behind the one before, and holds its days. */
static void months_follow_each_other(void **state)
{
    (void)state;
    for (int32_t month = -400 * 12; month < 400 * 12; month++) {
        local_day first = month_first_day(month);
        local_day last = month_last_day(month);
        assert_int_equal(month_first_day(month + 1), last + 1);
        assert_in_range(last - first, 27, 30);
        assert_int_equal(month_of_day(first), month);
        assert_int_equal(month_of_day(last), month);
        assert_int_equal(civil_from_day(first).day, 1);
        assert_int_equal(day_add_months(first, 12), month_first_day(month + 12));
    }
}

struct terms_row {
    const char *what;
    struct expiry expiry;
    uint32_t mature_days;
    struct civil_date earned, matures, last_day; /* {0}: never */
};

#define MONTHS(n, until)                                                                                     \
    {                                                                                                        \
        .kind = EXPIRY_MONTHS, .months = (n), .through = (until)                                             \
    }
#define YEARLY(month, day, after)                                                                            \
    {                                                                                                        \
        .kind = EXPIRY_YEARLY, .months = (after), .yearly_month = (month), .yearly_day = (day)               \
    }

static const struct terms_row terms_rows[] = {
    { "never (default)", { .kind = EXPIRY_NEVER }, 0, { 2026, 3, 10 }, { 2026, 3, 10 }, { 0 } },
    { "earned 31 January, one month, clipped",
      MONTHS(1, THROUGH_DAY),
      0,
      { 2026, 1, 31 },
      { 2026, 1, 31 },
      { 2026, 2, 28 } },
    { "29 in a leap year", MONTHS(1, THROUGH_DAY), 0, { 2028, 1, 31 }, { 2028, 1, 31 }, { 2028, 2, 29 } },
    { "earned 10 October 2024, yearly 06-30, after_months 12",
      YEARLY(6, 30, 12),
      0,
      { 2024, 10, 10 },
      { 2024, 10, 10 },
      { 2026, 6, 30 } },
    { "months: the same day of that month",
      MONTHS(12, THROUGH_DAY),
      0,
      { 2026, 3, 10 },
      { 2026, 3, 10 },
      { 2027, 3, 10 } },
    { "through: month", MONTHS(12, THROUGH_MONTH), 0, { 2026, 3, 10 }, { 2026, 3, 10 }, { 2027, 3, 31 } },
    { "through: month of a clipped day",
      MONTHS(1, THROUGH_MONTH),
      0,
      { 2026, 1, 31 },
      { 2026, 1, 31 },
      { 2026, 2, 28 } },
    { "through: quarter, its first month",
      MONTHS(1, THROUGH_QUARTER),
      0,
      { 2026, 3, 1 },
      { 2026, 3, 1 },
      { 2026, 6, 30 } },
    { "through: quarter, its last month",
      MONTHS(0, THROUGH_QUARTER),
      0,
      { 2026, 9, 30 },
      { 2026, 9, 30 },
      { 2026, 9, 30 } },
    { "through: year", MONTHS(24, THROUGH_YEAR), 0, { 2026, 1, 1 }, { 2026, 1, 1 }, { 2028, 12, 31 } },
    { "0 months through year",
      MONTHS(0, THROUGH_YEAR),
      0,
      { 2026, 12, 31 },
      { 2026, 12, 31 },
      { 2026, 12, 31 } },
    { "0 months: the day itself",
      MONTHS(0, THROUGH_DAY),
      0,
      { 2026, 3, 10 },
      { 2026, 3, 10 },
      { 2026, 3, 10 } },
    { "yearly: not before that day; on it",
      YEARLY(9, 30, 0),
      0,
      { 2026, 9, 30 },
      { 2026, 9, 30 },
      { 2026, 9, 30 } },
    { "yearly: the day behind it", YEARLY(9, 30, 0), 0, { 2026, 10, 1 }, { 2026, 10, 1 }, { 2027, 9, 30 } },
    { "yearly: 02-29 is 02-28 in other years",
      YEARLY(2, 29, 0),
      0,
      { 2026, 3, 1 },
      { 2026, 3, 1 },
      { 2027, 2, 28 } },
    { "yearly: 02-29", YEARLY(2, 29, 12), 0, { 2026, 3, 1 }, { 2026, 3, 1 }, { 2028, 2, 29 } },
    { "expiry is counted from the day it matures",
      MONTHS(1, THROUGH_DAY),
      14,
      { 2026, 1, 17 },
      { 2026, 1, 31 },
      { 2026, 2, 28 } },
    { "yearly, from the day it matures",
      YEARLY(6, 30, 0),
      14,
      { 2026, 6, 20 },
      { 2026, 7, 4 },
      { 2027, 6, 30 } },
    { "matures over both clock changes",
      MONTHS(0, THROUGH_DAY),
      210,
      { 2026, 3, 29 },
      { 2026, 10, 25 },
      { 2026, 10, 25 } },
};

static void an_award_expires_by_the_programme(void **state)
{
    (void)state;
    static struct programme programme;
    programme_default(&programme);
    for (size_t i = 0; i < COUNT_OF(terms_rows); i++) {
        const struct terms_row *row = &terms_rows[i];
        programme.expiry = row->expiry;
        programme.mature_days = row->mature_days;
        struct lot_terms terms = award_terms(&programme, day_of(row->earned));
        assert_int_equal(terms.earned, day_of(row->earned));
        assert_int_equal(terms.inactive_months, 0);
        assert_true(terms.by_purchase && terms.counts);
        assert_day(row->what, terms.matures, row->matures);
        assert_day(row->what, terms.last_day, row->last_day);
    }
}

/* What the office adds has matured at once, with today's expiry, and counts for no tier (DOMAIN.md, Back office). */
static void what_is_added_matures_at_once(void **state)
{
    (void)state;
    static struct programme programme;
    programme_default(&programme);
    programme.mature_days = 30;
    programme.expiry = (struct expiry)MONTHS(1, THROUGH_MONTH);
    local_day today = day_of((struct civil_date){ 2026, 3, 10 });
    struct lot_terms terms = added_terms(&programme, today);
    assert_int_equal(terms.earned, today);
    assert_int_equal(terms.matures, today);
    assert_int_equal(terms.last_day, day_of((struct civil_date){ 2026, 4, 30 }));
    assert_false(terms.by_purchase || terms.counts);
}

/* "Only `inactive: n` months moves: it counts from the account's last purchase" (DOMAIN.md, Lots). */
static void inactivity_counts_from_the_last_purchase(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct civil_date earned, matures, last_purchase, want; /* last_purchase {0}: none yet */
        uint32_t months;
    } rows[] = {
        { "by that purchase", { 2026, 3, 10 }, { 2026, 3, 10 }, { 2026, 3, 10 }, { 2026, 9, 10 }, 6 },
        { "a later purchase moves it",
          { 2026, 3, 10 },
          { 2026, 3, 10 },
          { 2026, 8, 31 },
          { 2027, 2, 28 },
          6 },
        { "to a leap day", { 2026, 3, 10 }, { 2026, 3, 10 }, { 2027, 8, 31 }, { 2028, 2, 29 }, 6 },
        { "no purchase yet: from its own day", { 2026, 3, 10 }, { 2026, 3, 10 }, { 0 }, { 2026, 4, 10 }, 1 },
        { "added after the last purchase",
          { 2026, 3, 10 },
          { 2026, 3, 10 },
          { 2020, 1, 1 },
          { 2026, 4, 10 },
          1 },
        { "never before it matures", { 2026, 3, 10 }, { 2026, 6, 1 }, { 2026, 3, 10 }, { 2026, 6, 1 }, 1 },
    };
    static struct programme programme;
    static struct account account;
    programme_default(&programme);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        programme.expiry = (struct expiry){ .kind = EXPIRY_INACTIVE, .months = rows[i].months };
        struct lot_terms terms = award_terms(&programme, day_of(rows[i].earned));
        struct lot lot = { .inactive_months = terms.inactive_months,
                           .earned = terms.earned,
                           .matures = day_of(rows[i].matures),
                           .last_day = terms.last_day };
        assert_int_equal(terms.last_day, DAY_NEVER);
        account_new(1, &account);
        if (rows[i].last_purchase.year != 0) {
            account.last_purchase_day = day_of(rows[i].last_purchase);
            account.last_purchase = account.last_purchase_day * US_PER_DAY;
        }
        assert_day(rows[i].what, lot_last_day(&account, &lot), rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(months_are_clipped),
        cmocka_unit_test(months_follow_each_other),
        cmocka_unit_test(an_award_expires_by_the_programme),
        cmocka_unit_test(what_is_added_matures_at_once),
        cmocka_unit_test(inactivity_counts_from_the_last_purchase),
    };
    return cmocka_run_group_tests_name("expiry", tests, NULL, NULL);
}
