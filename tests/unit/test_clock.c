/*
 * The ledger's time: what it believes of the machine's clock, and that it goes back for an operator only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/clock.h"

#include "random.h"

#define S US_PER_SECOND
#define DAY US_PER_DAY
#define BUILD (20000 * DAY)
#define LAST (20500 * DAY) /* time of the last event */
#define BOOT (77 * S)      /* the monotonic clock at start: it means nothing by itself */

static void test_start(void **unused PUNKT_UNUSED)
{
    static const struct {
        const char *what;
        utc_us last_event, realtime;
        bool synchronised;
        bool confirmed;
        utc_us first; /* what the ledger says at once */
    } rows[] = {
        { "as the last event", LAST, LAST, false, true, LAST },
        { "a little later", LAST, LAST + 1, false, true, LAST + 1 },
        { "31 days later", LAST, LAST + 31 * DAY, false, true, LAST + 31 * DAY },
        { "over 31 days later", LAST, LAST + 31 * DAY + 1, false, false, LAST },
        { "over 31 days later, synchronised", LAST, LAST + 31 * DAY + 1, true, true, LAST + 31 * DAY + 1 },
        { "years later, synchronised", LAST, LAST + 4000 * DAY, true, true, LAST + 4000 * DAY },
        { "before the last event", LAST, LAST - 1, false, false, LAST },
        { "before the last event, synchronised", LAST, LAST - 1, true, false, LAST },
        { "at the beginning of all clocks", LAST, 0, false, false, LAST },
        { "empty, as the build", 0, BUILD, false, true, BUILD },
        { "empty, years after the build", 0, BUILD + 4000 * DAY, false, true, BUILD + 4000 * DAY },
        { "empty, before the build", 0, BUILD - 1, false, false, BUILD },
        { "empty, before the build, synchronised", 0, BUILD - 1, true, true, BUILD - 1 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct clock_reading reading = { rows[i].realtime, BOOT, rows[i].synchronised };
        struct ledger_clock clock;
        ledger_clock_init(&clock, &reading, rows[i].last_event, BUILD);
        bool confirmed = clock.confirmed;
        utc_us first = ledger_clock_now(&clock, &reading);
        if (confirmed != rows[i].confirmed || clock.confirmed != confirmed || first != rows[i].first)
            fail_msg("%s: %s, %lld", rows[i].what, confirmed ? "confirmed" : "not confirmed",
                     (long long)first);
    }
}

/* A clock that is believed, with no time gone since LAST. */
static struct ledger_clock confirmed_clock(void)
{
    struct clock_reading reading = { LAST, BOOT, false };
    struct ledger_clock clock;
    ledger_clock_init(&clock, &reading, LAST, BUILD);
    assert_true(clock.confirmed);
    return clock;
}

static utc_us now_at(struct ledger_clock *clock, int64_t realtime_later, int64_t monotonic_later,
                     bool synchronised)
{
    struct clock_reading reading = { LAST + realtime_later, BOOT + monotonic_later, synchronised };
    return ledger_clock_now(clock, &reading);
}

/* One step of both clocks: the machine's clock against the monotonic one. */
static void test_jumps(void **unused PUNKT_UNUSED)
{
    static const struct {
        const char *what;
        int64_t realtime, monotonic; /* how far both went */
        bool confirmed;
        int64_t later; /* what the ledger says, after LAST */
    } rows[] = {
        { "together", 10 * S, 10 * S, true, 10 * S },
        { "together, after a long silence", 90 * DAY, 90 * DAY, true, 90 * DAY },
        { "60 s forward", 70 * S, 10 * S, true, 70 * S },
        { "over 60 s forward", 70 * S + 1, 10 * S, false, 10 * S },
        { "years forward", 4000 * DAY, 10 * S, false, 10 * S },
        { "2 s back", 8 * S, 10 * S, true, 8 * S },
        { "over 2 s back", 8 * S - 1, 10 * S, false, 10 * S },
        { "back behind what was said, within 2 s", -S, S, true, 0 },
        { "back to the beginning", -LAST, 10 * S, false, 10 * S },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ledger_clock clock = confirmed_clock();
        utc_us now = now_at(&clock, rows[i].realtime, rows[i].monotonic, false);
        if (clock.confirmed != rows[i].confirmed || now != LAST + rows[i].later)
            fail_msg("%s: %s, %lld us later", rows[i].what, clock.confirmed ? "confirmed" : "not confirmed",
                     (long long)(now - LAST));
    }
}

/* A clock that is steered slowly is believed as far as it goes: each step is measured from the one before. */
static void test_steered(void **unused PUNKT_UNUSED)
{
    struct ledger_clock clock = confirmed_clock();
    for (int64_t i = 1; i <= 1000; i++)
        assert_int_equal(now_at(&clock, i * 61 * S, i * S, false), LAST + i * 61 * S);
    assert_true(clock.confirmed);
    clock = confirmed_clock();
    for (int64_t i = 1; i <= 1000; i++)
        assert_int_equal(now_at(&clock, -i * S, i * S, false), LAST);
    assert_true(clock.confirmed);
}

/* Time stands still, but never goes back, until the machine's clock has come up to it again. */
static void test_stands_still(void **unused PUNKT_UNUSED)
{
    struct ledger_clock clock = confirmed_clock();
    assert_int_equal(now_at(&clock, 10 * S, 10 * S, false), LAST + 10 * S);
    assert_int_equal(now_at(&clock, 8 * S, 10 * S, false), LAST + 10 * S);
    assert_int_equal(now_at(&clock, 9 * S, 11 * S, false), LAST + 10 * S);
    assert_int_equal(now_at(&clock, 11 * S, 13 * S, false), LAST + 11 * S);
    assert_true(clock.confirmed);
}

/* Not confirmed: only the monotonic clock counts, wherever the other one goes. */
static void test_goes_on_alone(void **unused PUNKT_UNUSED)
{
    struct ledger_clock clock = confirmed_clock();
    assert_int_equal(now_at(&clock, 5 * S, 5 * S, false), LAST + 5 * S);
    assert_int_equal(now_at(&clock, 900 * DAY, 6 * S, false), LAST + 6 * S);
    assert_false(clock.confirmed);
    assert_int_equal(now_at(&clock, 900 * DAY + S, 7 * S, false), LAST + 7 * S);
    assert_int_equal(now_at(&clock, -900 * DAY, 40 * DAY, false), LAST + 40 * DAY);
    /* Not even when it shows the right time again: nobody says so. */
    assert_int_equal(now_at(&clock, 40 * DAY + S, 40 * DAY + S, false), LAST + 40 * DAY + S);
    assert_false(clock.confirmed);
}

static void test_synchronised(void **unused PUNKT_UNUSED)
{
    struct ledger_clock clock = confirmed_clock();
    (void)now_at(&clock, 900 * DAY, S, false);
    assert_false(clock.confirmed);
    /* The kernel is believed however far it goes, but not backwards. */
    assert_int_equal(now_at(&clock, S - 1, 2 * S, true), LAST + 2 * S);
    assert_false(clock.confirmed);
    assert_int_equal(now_at(&clock, 800 * DAY, 3 * S, true), LAST + 800 * DAY);
    assert_true(clock.confirmed);
    /* From there on the same rules, from the new time. */
    assert_int_equal(now_at(&clock, 800 * DAY + 61 * S, 4 * S, false), LAST + 800 * DAY + 61 * S);
    assert_true(clock.confirmed);
    assert_int_equal(now_at(&clock, 900 * DAY, 5 * S, true), LAST + 800 * DAY + 62 * S);
    assert_false(clock.confirmed);
}

/* What the clock shows is the time when an operator says so: forward and back. */
static void test_accepted(void **unused PUNKT_UNUSED)
{
    static const int64_t shown[] = { 900 * DAY, 10 * S, 0, -S, -900 * DAY };
    for (size_t i = 0; i < COUNT_OF(shown); i++) {
        struct ledger_clock clock = confirmed_clock();
        (void)now_at(&clock, shown[i] + 2000 * DAY, 20 * S, false);
        assert_false(clock.confirmed);
        struct clock_reading reading = { LAST + shown[i], BOOT + 21 * S, false };
        ledger_clock_accept(&clock, &reading);
        assert_true(clock.confirmed);
        assert_int_equal(clock.time, LAST + shown[i]);
        assert_int_equal(now_at(&clock, shown[i] + S, 22 * S, false), LAST + shown[i] + S);
        /* A start after it finds the accepted time in the last event. */
        struct ledger_clock after;
        struct clock_reading later = { LAST + shown[i] + 5 * S, 3 * S, false };
        ledger_clock_init(&after, &later, LAST + shown[i], BUILD);
        assert_true(after.confirmed);
    }
}

/* Whatever both clocks do: time never goes back, and once alone it goes as fast as the monotonic clock. */
static void test_never_back(void **unused PUNKT_UNUSED)
{
    struct random random = random_seeded();
    for (int round = 0; round < 2000; round++) {
        struct ledger_clock clock = confirmed_clock();
        int64_t realtime = 0, monotonic = 0;
        utc_us before = LAST;
        for (int step = 0; step < 50; step++) {
            int64_t gone = (int64_t)random_below(&random, 3 * S);
            monotonic += gone;
            realtime += gone;
            if (random_below(&random, 4) == 0)
                realtime += (int64_t)random_below(&random, 100 * S) - 40 * S;
            bool alone = !clock.confirmed;
            utc_us now = now_at(&clock, realtime, monotonic, random_below(&random, 8) == 0);
            assert_true(now >= before);
            if (alone && !clock.confirmed)
                assert_true(now - before <= gone);
            before = now;
        }
    }
}

static void test_machine(void **unused PUNKT_UNUSED)
{
    struct clock_reading first = clock_read(false);
    struct clock_reading second = clock_read(true);
    assert_false(first.synchronised); /* nobody asked */
    assert_true(first.realtime_us > 0);
    assert_true(second.monotonic_us >= first.monotonic_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start),         cmocka_unit_test(test_jumps),
        cmocka_unit_test(test_steered),       cmocka_unit_test(test_stands_still),
        cmocka_unit_test(test_goes_on_alone), cmocka_unit_test(test_synchronised),
        cmocka_unit_test(test_accepted),      cmocka_unit_test(test_never_back),
        cmocka_unit_test(test_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
