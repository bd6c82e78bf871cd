/*
 * The midnights of an account (DOMAIN.md, Lots: "Order of a midnight: mature, settle, expire, tiers"), and what must hold
 * whatever happens between them: the sums fit, no lot is below zero, and a run at each midnight is the same as one at the
 * end.
 */
#include "account_acts.h"

#include <string.h>

#include "points/decide_steps.h"
#include "random.h"

static bool day_is_due(struct world *world)
{
    return decide_day(&world->view, world->now, 1, &world->decision);
}

/* Central Europe 2026: forward on 29 March 01:00 UTC, back on 25 October 01:00 UTC. */
static void set_berlin(struct calendar *calendar)
{
    calendar->first_offset_s = 3600;
    calendar->transition_count = 2;
    calendar->transitions[0].at_s = date(2026, 3, 29) * INT64_C(86400) + 3600;
    calendar->transitions[0].offset_s = 7200;
    calendar->transitions[1].at_s = date(2026, 10, 25) * INT64_C(86400) + 3600;
    calendar->transitions[1].offset_s = 3600;
}

/* A day begins at the first instant of the zone's wall clock: over both clock changes, a leap day, ends of months. */
static void midnights_are_those_of_the_zone(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct civil_date last_day; /* then expires what was added */
        int64_t hour_utc;           /* of that day, when it is over */
    } rows[] = {
        { "winter", { 2026, 3, 27 }, 23 },
        { "the night before the clock goes forward", { 2026, 3, 28 }, 23 },
        { "the day of 23 hours", { 2026, 3, 29 }, 22 },
        { "summer", { 2026, 10, 23 }, 22 },
        { "the night before it goes back", { 2026, 10, 24 }, 22 },
        { "the day of 25 hours", { 2026, 10, 25 }, 23 },
        { "the end of a month", { 2026, 4, 30 }, 22 },
        { "the end of a year", { 2026, 12, 31 }, 23 },
        { "a leap day", { 2028, 2, 29 }, 23 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = world_new(1);
        set_berlin(&world->programme.calendar);
        local_day last_day = day_from_civil(rows[i].last_day);
        (void)act_add(world, 0, 100, last_day);
        world->now = last_day * US_PER_DAY + rows[i].hour_utc * 3600 * US_PER_SECOND - 1;
        if (day_is_due(world))
            fail_msg("%s: too early", rows[i].what);
        world->now++;
        if (!day_is_due(world))
            fail_msg("%s: too late", rows[i].what);
        assert_int_equal(world->decision.event.day, last_day + 1);
        assert_int_equal(world->decision.event.day_run.expired, 100);
        assert_non_null(world_book(world));
        assert_false(day_is_due(world));
        world_free(world);
    }
}

/* Mature, settle, expire: what matures pays debt before the rest can expire, and what has expired pays none. */
static void the_order_of_a_midnight(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.mature_days = 10;
    world->programme.expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 0 };
    (void)act_award(world, 0, world_today(world), 100);
    act_owe(world, 0, 30);
    world_go_to(world, 2026, 3, 20);
    assert_true(day_is_due(world));
    const struct world_event *booked = world_book(world);
    assert_int_equal(booked->event.type, EVENT_DAY);
    assert_int_equal(booked->event.day_run.matured, 100);
    assert_int_equal(booked->event.day_run.expired, 0);
    assert_int_equal(booked->event.effects[0].debt_settled, 30);
    assert_int_equal(booked->event.effects[0].lot_change_count, 2);
    assert_int_equal(booked->event.effects[0].lot_changes[0].kind, LOT_MATURE);
    assert_int_equal(booked->event.effects[0].lot_changes[1].kind, LOT_TAKE);
    /* Usable through the day on which it matured. */
    assert_int_equal(world_balance(world, 0).available, 70);
    world_go_to(world, 2026, 3, 21);
    assert_true(day_is_due(world));
    booked = world_book(world);
    assert_int_equal(booked->event.day_run.expired, 70);
    assert_int_equal(booked->event.effects[0].change, -70);
    assert_int_equal(account_expired(&world->accounts[0], 1), 70);
    assert_int_equal(world->accounts[0].balance, 0);
    world_free(world);
}

/* Both midnights in one event: the same, also if nobody looked between them. */
static void midnights_come_in_order(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.mature_days = 10;
    world->programme.expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 0 };
    (void)act_award(world, 0, world_today(world), 100);
    act_owe(world, 0, 30);
    world_go_to(world, 2027, 1, 1);
    assert_int_equal(world_balance(world, 0).available, 0);
    assert_true(day_is_due(world));
    assert_int_equal(world->decision.event.day_run.matured, 100);
    assert_int_equal(world->decision.event.day_run.expired, 70);
    assert_int_equal(world->decision.event.effects[0].debt_settled, 30);
    assert_non_null(world_book(world));
    assert_int_equal(account_due_day(&world->accounts[0]), DAY_NEVER);
    world_free(world);
}

/* "Expiry takes what is left of a lot and is not held (that follows on release)." */
static void what_is_held_expires_on_release(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    (void)act_add(world, 0, 100, date(2026, 3, 10));
    journal_position hold = act_hold(world, 0, 60);
    world_go_to(world, 2026, 3, 11);
    assert_true(day_is_due(world));
    assert_int_equal(world->decision.event.day_run.expired, 40);
    assert_non_null(world_book(world));
    assert_false(day_is_due(world));
    assert_int_equal(world_balance(world, 0).held, 60);
    (void)act_hold_end(world, 0, hold, 10);
    assert_int_equal(world_balance(world, 0).available, 0);
    assert_true(day_is_due(world));
    assert_int_equal(world->decision.event.day_run.expired, 50);
    assert_non_null(world_book(world));
    assert_int_equal(world->accounts[0].balance, 0);
    world_free(world);
}

/* Nothing else of the account is decided before its day: the decision names it, and books it first. */
static void the_day_comes_first(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    (void)act_add(world, 0, 100, date(2026, 3, 10));
    world_go_to(world, 2026, 3, 11);
    struct judgement judgement = { .now = world->now };
    decide_begin(&world->view, &judgement, EVENT_ADJUSTMENT, 0, &world->decision);
    assert_false(decide_card(&world->view, &judgement, &world->decision, 0, world_card(0), CARD_USE_OFFICE));
    assert_int_equal(world->decision.refusal, REFUSAL_DAY_FIRST);
    assert_int_equal(world->decision.day_first, 1);
    uint32_t before = world->event_count;
    assert_true(world_day_first(world));
    assert_int_equal(world->event_count, before + 1);
    assert_int_equal(world->events[before]->event.type, EVENT_DAY);
    assert_false(decide_day(&world->view, world->now, 99, &world->decision)); /* no such account */
    world_free(world);
}

/* Reads see what is due as done, and the same as its event. */
static void reads_see_the_day_as_done(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.mature_days = 10;
    (void)act_award(world, 0, world_today(world), 100);
    (void)act_add(world, 0, 40, date(2026, 3, 15));
    act_owe(world, 0, 60);
    world_go_to(world, 2026, 4, 1);
    static struct account seen;
    account_copy(&world->accounts[0], &seen);
    account_on_day(&world->programme, world_today(world), &seen, &world->scratch);
    world_run_days(world);
    assert_same_account(&seen, &world->accounts[0]);
    assert_int_equal(seen.balance, 80);
    /* Nothing due: nothing changes. */
    account_on_day(&world->programme, world_today(world), &seen, &world->scratch);
    assert_same_account(&seen, &world->accounts[0]);
    world_free(world);
}

/* A balance answer: "next expiry (day, points)", of what is not held. */
static void the_next_expiry(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    assert_int_equal(world_balance(world, 0).next_expiry, DAY_NEVER);
    (void)act_add(world, 0, 100, DAY_NEVER);
    (void)act_add(world, 0, 30, date(2026, 6, 30));
    assert_int_equal(world_balance(world, 0).next_expiry, date(2026, 6, 30));
    (void)act_award(world, 0, world_today(world), 5);
    (void)act_add(world, 0, 7, date(2026, 4, 30));
    assert_int_equal(world_balance(world, 0).next_expiry, date(2026, 4, 30));
    assert_int_equal(world_balance(world, 0).next_expiry_points, 7);
    (void)act_hold(world, 0, 10);
    assert_int_equal(world_balance(world, 0).next_expiry, date(2026, 6, 30));
    assert_int_equal(world_balance(world, 0).next_expiry_points, 27);
    world_free(world);
}

/* Inactivity: a purchase moves the last day of all such lots. */
static void a_purchase_moves_what_expires_by_inactivity(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.expiry = (struct expiry){ .kind = EXPIRY_INACTIVE, .months = 1 };
    (void)act_award(world, 0, world_today(world), 100);
    assert_int_equal(account_due_day(&world->accounts[0]), date(2026, 4, 11));
    world_go_to(world, 2026, 4, 10);
    (void)act_award(world, 0, world_today(world), 1);
    assert_int_equal(account_due_day(&world->accounts[0]), date(2026, 5, 11));
    world_go_to(world, 2026, 5, 11);
    world_run_days(world);
    assert_int_equal(world->accounts[0].balance, 0);
    world_free(world);
}

/* --- whatever happens --- */

#define HISTORY_DAYS 900
#define HOLDS_KNOWN 4

static void set_random_rules(struct programme *programme, struct random *random)
{
    programme->mature_days = (uint32_t)random_below(random, 3) * 10;
    programme->restore_days = (uint32_t)random_below(random, 2) * 7;
    programme->return_days = (uint32_t)random_below(random, 100);
    programme->expiry = (struct expiry){ .kind = (enum expiry_kind)random_below(random, 4),
                                         .months = (uint32_t)random_below(random, 4),
                                         .through = (enum through)random_below(random, 4),
                                         .yearly_month = 1 + (uint32_t)random_below(random, 12),
                                         .yearly_day = 1 + (uint32_t)random_below(random, 28) };
    if (programme->expiry.kind == EXPIRY_INACTIVE)
        programme->expiry.months++;
    struct tiers *tiers = &programme->tiers;
    tiers->count = (uint32_t)random_below(random, 4);
    tiers->basis = (enum tier_basis)random_below(random, 4);
    tiers->window = (enum tier_window)random_below(random, 3);
    tiers->window_months = 1 + (uint32_t)random_below(random, 14);
    tiers->kept = (enum tier_kept)random_below(random, 4);
    if (tiers->basis == TIER_BY_BALANCE && tiers->kept < TIER_KEPT_DAYS)
        tiers->kept = TIER_KEPT_NONE;
    tiers->kept_days = (uint32_t)random_below(random, 60);
    tiers->grace = (enum tier_grace)random_below(random, 3);
    tiers->grace_count = 1 + (uint32_t)random_below(random, 3);
    tiers->grace_through_month = random_below(random, 2) == 0;
    tiers->down_one = random_below(random, 2) == 0;
    tiers->up_next = random_below(random, 2) == 0;
    for (uint32_t i = 0; i < tiers->count; i++)
        tiers->tiers[i] = (struct tier){ .id = i + 1, .from = (i + 1) * 300, .factor = 1000 };
}

/* What the steps of a history remember of each other. */
struct history {
    journal_position holds[HOLDS_KNOWN];
    millipoints held[HOLDS_KNOWN];
    const struct world_event *taken;
    millipoints taken_points, given_back;
};

static void random_hold(struct world *world, struct random *random, struct history *history)
{
    uint32_t index = (uint32_t)random_below(random, HOLDS_KNOWN);
    if (history->holds[index] != 0) {
        (void)act_hold_end(world, 0, history->holds[index],
                           (millipoints)random_below(random, (uint64_t)history->held[index] + 1));
        history->holds[index] = 0;
        return;
    }
    millipoints available = world_balance(world, 0).available;
    if (available == 0)
        return;
    history->held[index] = 1 + (millipoints)random_below(random, (uint64_t)available);
    history->holds[index] = act_hold(world, 0, history->held[index]);
}

static void random_take(struct world *world, struct random *random, struct history *history)
{
    millipoints left = history->taken_points - history->given_back;
    if (left > 0 && random_below(random, 2) == 0) {
        millipoints points = 1 + (millipoints)random_below(random, (uint64_t)left);
        act_give_back(world, 0, history->taken, history->given_back, points);
        history->given_back += points;
        return;
    }
    millipoints available = world_balance(world, 0).available;
    if (available == 0)
        return;
    history->taken_points = 1 + (millipoints)random_below(random, (uint64_t)available);
    history->given_back = 0;
    history->taken = act_take(world, 0, history->taken_points);
}

/* One step; the same in every world that draws the same numbers and has done the same before. */
static void random_step(struct world *world, struct random *random, struct history *history)
{
    millipoints points = 1 + (millipoints)random_below(random, 300);
    local_day day = world_today(world) - (local_day)random_below(random, 3) * 20;
    switch (random_below(random, 8)) {
    case 0:
    case 1:
        (void)act_award(world, 0, day, points);
        break;
    case 2:
        (void)act_add(world, 0, points, random_below(random, 2) == 0 ? DAY_NEVER : world_today(world) + 30);
        break;
    case 3:
        act_owe(world, 0, points);
        break;
    case 4:
    case 5:
        random_take(world, random, history);
        break;
    case 6:
        random_hold(world, random, history);
        break;
    default:
        act_count(world, 0, TIER_BY_SPEND, day, random_below(random, 3) == 0 ? -points : points);
        act_count(world, 0, TIER_BY_VISITS, day, points);
        break;
    }
}

static void live(struct world *world, struct random random, bool daily, int days_a_programme)
{
    struct history history = { .taken = NULL };
    for (int day = 0; day < HISTORY_DAYS; day++) {
        if (day % days_a_programme == 0)
            set_random_rules(&world->programme, &random);
        if (daily)
            world_run_days(world);
        if (random_below(&random, 6) == 0)
            random_step(world, &random, &history);
        world->now += US_PER_DAY;
    }
    world_run_days(world);
}

/* world_book checks the sums, and each lot, behind every event. */
static void a_run_each_midnight_is_one_at_the_end(void **state)
{
    struct random *random = *state;
    for (int i = 0; i < 40; i++) {
        struct random same = { random_u64(random) };
        struct world *daily = world_new(1);
        struct world *at_once = world_new(1);
        live(daily, same, true, HISTORY_DAYS);
        live(at_once, same, false, HISTORY_DAYS);
        assert_same_account(&at_once->accounts[0], &daily->accounts[0]);
        assert_true(at_once->event_count <= daily->event_count);
        world_free(daily);
        world_free(at_once);
    }
}

/* Tiers, expiry and maturing of one programme are judged by the next: whatever they say, a day ends. */
static void programmes_follow_each_other(void **state)
{
    struct random *random = *state;
    for (int i = 0; i < 40; i++) {
        struct world *world = world_new(1);
        live(world, (struct random){ random_u64(random) }, random_below(random, 2) == 0, 60);
        assert_true(account_due_day(&world->accounts[0]) > world_today(world));
        world_free(world);
    }
}

int main(void)
{
    struct random random = random_seeded();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(midnights_are_those_of_the_zone),
        cmocka_unit_test(the_order_of_a_midnight),
        cmocka_unit_test(midnights_come_in_order),
        cmocka_unit_test(what_is_held_expires_on_release),
        cmocka_unit_test(the_day_comes_first),
        cmocka_unit_test(reads_see_the_day_as_done),
        cmocka_unit_test(the_next_expiry),
        cmocka_unit_test(a_purchase_moves_what_expires_by_inactivity),
        cmocka_unit_test_prestate(a_run_each_midnight_is_one_at_the_end, &random),
        cmocka_unit_test_prestate(programmes_follow_each_other, &random),
    };
    return cmocka_run_group_tests_name("day", tests, NULL, NULL);
}
