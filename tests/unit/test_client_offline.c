/*
 * What a till may grant by a balance that it has seen: each row is a rule of DOMAIN.md (Redeeming, Offline) or of
 * RELIABILITY.md at its very bound.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/offline.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define SECOND_US (INT64_C(1000) * 1000)
#define HOUR_US (3600 * SECOND_US)
#define NOW_US (INT64_C(1700000000) * 1000 * 1000)

/* --- the rules --- */

struct row {
    const char *what;
    int64_t balance, age_us; /* age_us UNSEEN: none was seen */
    struct offline_rules rules;
    struct offline_use use;
    int64_t points;
    enum offline_verdict verdict;
    int64_t left;
};

#define UNSEEN INT64_MIN
#define WIDE                                                                                                 \
    {                                                                                                        \
        .card_max = 1000000, .till_max = 1000000                                                             \
    }

static const struct row rows[] = {
    /* Off, unless the programme says both limits. */
    { "off", 100, 0, { 0 }, { 0 }, 10, OFFLINE_OFF, 0 },
    { "no limit of cards", 100, 0, { .till_max = 100 }, { 0 }, 10, OFFLINE_OFF, 0 },
    { "no limit of tills", 100, 0, { .card_max = 100 }, { 0 }, 10, OFFLINE_OFF, 0 },
    /* A balance that was seen, by its age: under 12 hours all of it, under 24 70 per cent, then nothing. */
    { "never seen", 0, UNSEEN, WIDE, { 0 }, 10, OFFLINE_UNSEEN, 0 },
    { "just seen", 100, 0, WIDE, { 0 }, 100, OFFLINE_GRANTED, 100 },
    { "one more than seen", 100, 0, WIDE, { 0 }, 101, OFFLINE_NOT_ENOUGH, 100 },
    { "just under 12 hours", 100, 12 * HOUR_US - 1, WIDE, { 0 }, 100, OFFLINE_GRANTED, 100 },
    { "12 hours", 100, 12 * HOUR_US, WIDE, { 0 }, 70, OFFLINE_GRANTED, 70 },
    { "one more than 70 per cent", 100, 12 * HOUR_US, WIDE, { 0 }, 71, OFFLINE_NOT_ENOUGH, 70 },
    { "70 per cent is rounded down", 9, 13 * HOUR_US, WIDE, { 0 }, 6, OFFLINE_GRANTED, 6 },
    { "just under 24 hours", 100, 24 * HOUR_US - 1, WIDE, { 0 }, 70, OFFLINE_GRANTED, 70 },
    { "24 hours", 100, 24 * HOUR_US, WIDE, { 0 }, 1, OFFLINE_OLD, 0 },
    { "the clock was corrected", 100, -60 * SECOND_US, WIDE, { 0 }, 100, OFFLINE_GRANTED, 100 },
    { "the clock went back", 100, -60 * SECOND_US - 1, WIDE, { 0 }, 1, OFFLINE_OLD, 0 },
    { "nothing there", 0, 0, WIDE, { 0 }, 1, OFFLINE_NOT_ENOUGH, 0 },
    { "a debt", -50, 0, WIDE, { 0 }, 1, OFFLINE_NOT_ENOUGH, 0 },
    /* What was granted since is gone from the balance. */
    { "some granted", 100, 0, WIDE, { .card_open = 60 }, 40, OFFLINE_GRANTED, 40 },
    { "some granted, one more", 100, 0, WIDE, { .card_open = 60 }, 41, OFFLINE_NOT_ENOUGH, 40 },
    { "granted more than is trusted now",
      100,
      12 * HOUR_US,
      WIDE,
      { .card_open = 80 },
      1,
      OFFLINE_NOT_ENOUGH,
      0 },
    /* Limits per card and day, and per till and offline period. */
    { "the card's limit", 100, 0, { .card_max = 50, .till_max = 99 }, { 0 }, 50, OFFLINE_GRANTED, 50 },
    { "over it", 100, 0, { .card_max = 50, .till_max = 99 }, { 0 }, 51, OFFLINE_CARD_LIMIT, 50 },
    { "answered grants of the day count",
      100,
      0,
      { .card_max = 50, .till_max = 99 },
      { .card_today = 30 },
      21,
      OFFLINE_CARD_LIMIT,
      20 },
    { "the till's limit", 100, 0, { .card_max = 99, .till_max = 50 }, { 0 }, 50, OFFLINE_GRANTED, 50 },
    { "over it", 100, 0, { .card_max = 99, .till_max = 50 }, { 0 }, 51, OFFLINE_TILL_LIMIT, 50 },
    { "grants to all cards count",
      100,
      0,
      { .card_max = 99, .till_max = 50 },
      { .till_period = 49 },
      2,
      OFFLINE_TILL_LIMIT,
      1 },
    { "a limit that was lowered",
      100,
      0,
      { .card_max = 10, .till_max = 10 },
      { 0, 0, 90 },
      1,
      OFFLINE_TILL_LIMIT,
      0 },
    /* Minimum and step are as online. */
    { "the minimum",
      100,
      0,
      { .card_max = 99, .till_max = 99, .minimum = 20 },
      { 0 },
      20,
      OFFLINE_GRANTED,
      99 },
    { "below it", 100, 0, { .card_max = 99, .till_max = 99, .minimum = 20 }, { 0 }, 19, OFFLINE_FORM, 99 },
    { "a step", 100, 0, { .card_max = 99, .till_max = 99, .step = 25 }, { 0 }, 75, OFFLINE_GRANTED, 99 },
    { "no step", 100, 0, { .card_max = 99, .till_max = 99, .step = 25 }, { 0 }, 76, OFFLINE_FORM, 99 },
    { "nothing", 100, 0, WIDE, { 0 }, 0, OFFLINE_FORM, 100 },
    { "less than nothing", 100, 0, WIDE, { 0 }, -5, OFFLINE_FORM, 100 },
    /* Numbers at their ends. */
    { "the largest balance",
      INT64_MAX,
      0,
      { INT64_MAX, INT64_MAX, 0, 0, 0, 0 },
      { 0 },
      INT64_MAX,
      OFFLINE_GRANTED,
      INT64_MAX },
    { "70 per cent of it",
      INT64_MAX,
      12 * HOUR_US,
      { INT64_MAX, INT64_MAX, 0, 0, 0, 0 },
      { 0 },
      INT64_MAX,
      OFFLINE_NOT_ENOUGH,
      INT64_C(6456360425798343064) },
    { "the smallest", INT64_MIN, 12 * HOUR_US, WIDE, { 0 }, 1, OFFLINE_NOT_ENOUGH, 0 },
};

static void decides(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        struct seen_balance seen = { .card = "1", .available = row->balance };
        int64_t left = -1;
        if (row->age_us != UNSEEN)
            seen.at_us = NOW_US - row->age_us;
        enum offline_verdict verdict = offline_decide(&row->rules, row->age_us != UNSEEN ? &seen : NULL,
                                                      &row->use, NOW_US, row->points, &left);
        if (verdict != row->verdict || left != row->left)
            fail_msg("%s: %s (%lld left)", row->what, offline_verdict_text(verdict), (long long)left);
    }
}

static void says_why(void **state)
{
    (void)state;
    assert_string_equal(offline_verdict_text(OFFLINE_GRANTED), "");
    for (int verdict = OFFLINE_OFF; verdict <= OFFLINE_REWARD; verdict++)
        assert_true(strlen(offline_verdict_text((enum offline_verdict)verdict)) > 10);
}

/* --- points and money --- */

static void fits_the_bill(void **state)
{
    static const struct {
        int64_t points, worth, step, wanted, bill, fit;
    } fits[] = {
        { 1, 1, 0, 100, 60, 60 },
        { 1, 1, 0, 60, 100, 60 },
        { 1, 1, 0, 100, 0, 100 }, /* not said */
        { 100, 50, 0, 300, 60, 120 },
        { 1, 1, 25, 100, 60, 50 },
        { 1, 1, 25, 100, 24, 0 },
        { 3, 2, 0, 100, 7, 10 },
        { 1, 1, 25, 60, 100, 50 },
        { 1, 1, 25, 60, 0, 50 },
        { 0, 0, 0, 100, 60, 100 },
        { 1, 1, 0, 5, INT64_MAX, 5 },
        { INT64_MAX, 1, 0, INT64_MAX, INT64_MAX, INT64_MAX }, /* what does not fit into numbers is no bound */
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fits); i++) {
        struct offline_rules rules = { .points = fits[i].points,
                                       .worth = fits[i].worth,
                                       .step = fits[i].step };
        int64_t fit = offline_fit(&rules, fits[i].wanted, fits[i].bill);
        if (fit != fits[i].fit)
            fail_msg("row %zu: %lld", i, (long long)fit);
    }
}

static void worth(void **state)
{
    static const struct {
        int64_t points, worth, redeemed, minor;
    } worths[] = {
        { 1, 1, 60, 60 },
        { 100, 50, 301, 150 },
        { 3, 2, 10, 6 },
        { 1, 1, 0, 0 },
        { 1, 1, -5, 0 },
        { 0, 0, 60, 0 },
        { 1, 1, INT64_MAX / 2, INT64_MAX / 2 },
        { 1, INT64_MAX, INT64_MAX, INT64_MAX },
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(worths); i++) {
        struct offline_rules rules = { .points = worths[i].points, .worth = worths[i].worth };
        int64_t minor = offline_worth(&rules, worths[i].redeemed);
        if (minor != worths[i].minor)
            fail_msg("row %zu: %lld", i, (long long)minor);
    }
}

/* --- balances --- */

static void newer_balances_count(void **state)
{
    static struct balances balances;
    const struct seen_balance *seen;
    (void)state;
    memset(&balances, 0, sizeof(balances));
    assert_null(balances_find(&balances, "1"));
    assert_null(balances_find(&balances, ""));
    balances_see(&balances, "1", 100, 5);
    balances_see(&balances, "1", 90, 7);
    balances_see(&balances, "1", 80, 6); /* an older one that comes late */
    balances_see(&balances, "", 1, 9);
    balances_see(&balances, "a number with more than 32 bytes !", 1, 9);
    seen = balances_find(&balances, "1");
    assert_non_null(seen);
    assert_int_equal(seen->available, 90);
    assert_int_equal(seen->at_us, 7);
    assert_null(balances_find(&balances, ""));
}

/* With more cards than there is room for, each that was seen lately enough is right, and none is another's. */
static void older_cards_give_way(void **state)
{
    static struct balances balances;
    unsigned known = 0;
    (void)state;
    memset(&balances, 0, sizeof(balances));
    for (int card = 1; card <= 5000; card++) {
        char number[33];
        (void)snprintf(number, sizeof(number), "%032d", card);
        balances_see(&balances, number, card, card);
        const struct seen_balance *seen = balances_find(&balances, number);
        assert_non_null(seen);
        assert_int_equal(seen->available, card);
    }
    for (int card = 1; card <= 5000; card++) {
        char number[33];
        (void)snprintf(number, sizeof(number), "%032d", card);
        const struct seen_balance *seen = balances_find(&balances, number);
        if (seen == NULL)
            continue;
        known++;
        assert_int_equal(seen->available, card);
    }
    assert_int_equal(known, BALANCE_SETS * BALANCE_WAYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decides),
        cmocka_unit_test(says_why),
        cmocka_unit_test(fits_the_bill),
        cmocka_unit_test(worth),
        cmocka_unit_test(newer_balances_count),
        cmocka_unit_test(older_cards_give_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
