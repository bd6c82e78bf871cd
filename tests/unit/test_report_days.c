/*
 * Reports over many days, against what was noted at each midnight.
 */
#include "fold_acts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "service/reports.h"

#define DAYS 60

struct days {
    struct fold_world *world;
    struct random random;
    local_day first;
    millipoints closing[DAYS]; /* the balance of all accounts at the end of each */
    uint32_t purchases[DAYS];
    uint32_t numbers;
};

static local_day today_of(const struct fold_world *world)
{
    return calendar_day(&world->programme.calendar, world->judgement.now);
}

static void act_at_random(struct days *days)
{
    struct fold_world *world = days->world;
    const char *cards[] = { "100", "200", "300" };
    const char *card = cards[random_below(&days->random, COUNT_OF(cards))];
    char number[16];
    journal_position sale = 0;
    switch (random_below(&days->random, 5)) {
    case 0:
    case 1:
        snprintf(number, sizeof(number), "%u", ++days->numbers);
        sale = buy(world, card, 100 + (minor_units)random_below(&days->random, 20000), number, NULL);
        days->purchases[today_of(world) - days->first] += sale != 0;
        if (sale != 0 && random_below(&days->random, 3) == 0)
            (void)bring_back(world, card, sale, 50);
        break;
    case 2:
        /* An odd number: nobody asks for an adjustment by nothing. */
        (void)adjust(world, card, 1000 * (2 * (millipoints)random_below(&days->random, 50) - 49));
        break;
    case 3:
        (void)redeem(world, card, (struct wish){ .points = 5000 }, 0);
        break;
    default:
        pass_days(world, (int64_t)random_below(&days->random, 4));
        break;
    }
}

/* Every day from the first to the one that it is now has a note. */
static void make_days(struct days *days)
{
    const char *cards[] = { "100", "200", "300" };
    *days = (struct days){ .world = fold_world_new(), .random = random_seeded() };
    days->first = today_of(days->world);
    local_day noted = days->first;
    for (size_t i = 0; i < COUNT_OF(cards); i++)
        assert_true(issue(days->world, cards[i]) != 0);
    for (;;) {
        const struct totals *totals = &days->world->live.fold->totals;
        millipoints before = totals->outstanding - totals->debt;
        act_at_random(days);
        local_day today = today_of(days->world);
        for (; noted < today && noted - days->first < DAYS; noted++)
            days->closing[noted - days->first] = before;
        if (noted - days->first >= DAYS - 5)
            break;
        days->closing[noted - days->first] = totals->outstanding - totals->debt;
    }
    days->closing[noted - days->first] =
        days->world->live.fold->totals.outstanding - days->world->live.fold->totals.debt;
    fold_state_reload(&days->world->live);
}

static struct report_query *report(struct days *days, enum report which, local_day from, local_day through,
                                   uint64_t next, uint64_t limit)
{
    struct report_query *query = calloc(1, sizeof(*query));
    struct reading *reading = calloc(1, sizeof(*reading));
    assert_non_null(query);
    assert_non_null(reading);
    reading->state = days->world->live.state;
    query->report = which;
    query->from = from;
    query->through = through;
    query->today = today_of(days->world);
    query->next = next;
    query->limit = limit;
    enum job_step step;
    do
        step = which == REPORT_ACTIVITY ? report_activity_step(query, reading)
                                        : report_stores_step(query, reading);
    while (step == JOB_MORE);
    assert_null(query->failed);
    free(reading);
    return query;
}

static void report_free(struct report_query *query)
{
    free(query->days);
    free(query->stores);
    free(query);
}

static void each_day_begins_where_the_one_before_ended(void **state)
{
    (void)state;
    static struct days days;
    make_days(&days);
    local_day today = today_of(days.world);
    for (uint32_t i = 0; i < 30; i++) {
        local_day from = days.first - 3 + (local_day)random_below(&days.random, 20);
        local_day through = from + (local_day)random_below(&days.random, (uint64_t)(today - from) + 1);
        uint64_t limit = 1 + random_below(&days.random, 20);
        uint64_t next = 0;
        local_day day = from;
        do {
            struct report_query *query = report(&days, REPORT_ACTIVITY, from, through, next, limit);
            for (uint32_t row = 0; row < query->count; row++, day++) {
                const struct msg_report_row *got = &query->rows[row].row;
                int64_t at = (int64_t)day - days.first;
                assert_int_equal(got->day, day);
                assert_int_equal(got->opening, at > 0 ? days.closing[at - 1] : 0);
                assert_int_equal(got->closing, at >= 0 ? days.closing[at] : 0);
                assert_int_equal(got->purchases, at >= 0 ? days.purchases[at] : 0);
                assert_int_equal(got->closing - got->opening,
                                 got->earned + got->bonus + got->redeemed + got->returned + got->unlinked +
                                     got->adjusted + got->expired + got->forfeited + got->written_off +
                                     got->reversed + got->transferred);
            }
            next = query->next;
            report_free(query);
        } while (next != 0);
        assert_int_equal(day, through + 1);
    }
    fold_world_free(days.world);
}

static void stores_together_are_the_days(void **state)
{
    (void)state;
    static struct days days;
    make_days(&days);
    local_day from = days.first + 10;
    local_day through = days.first + 30;
    struct report_query *query = report(&days, REPORT_STORES, from, through, 0, 1000);
    uint64_t purchases = 0;
    uint64_t expected = 0;
    millipoints moved = 0;
    for (local_day day = from; day <= through; day++)
        expected += days.purchases[day - days.first];
    for (uint32_t row = 0; row < query->count; row++) {
        const struct msg_report_row *got = &query->rows[row].row;
        purchases += got->purchases;
        moved += got->earned + got->bonus + got->redeemed + got->returned + got->unlinked + got->adjusted +
                 got->expired + got->forfeited + got->written_off + got->reversed + got->transferred;
    }
    assert_int_equal(purchases, expected);
    assert_int_equal(moved, days.closing[30] - days.closing[9]);
    report_free(query);
    fold_world_free(days.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_day_begins_where_the_one_before_ended),
        cmocka_unit_test(stores_together_are_the_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
