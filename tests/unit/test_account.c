/*
 * What an account is made of: lots in spending order, debts, holds, counters, and the fold of effects (DOMAIN.md, Lots;
 * LEDGER.md, State).
 */
#include "account_acts.h"

#include <string.h>

#include "points/lots.h"

static const struct account *only_account(const struct world *world)
{
    return &world->accounts[0];
}

/* --- lots --- */

/* "lots 200 (March), 300 (June), 100 (never): spend 250, then 300": 0, 250, 100; then 0, 0, 50. */
static void earliest_expiry_is_spent_first(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    uint32_t june = act_add(world, 0, 300, date(2026, 6, 30));
    uint32_t never = act_add(world, 0, 100, DAY_NEVER);
    uint32_t march = act_add(world, 0, 200, date(2026, 3, 31));
    const struct world_event *first = act_take(world, 0, 250);
    assert_int_equal(first->event.effects[0].lot_change_count, 2);
    assert_int_equal(first->event.effects[0].lot_changes[0].lot, march);
    assert_int_equal(first->event.effects[0].lot_changes[0].points, 200);
    assert_int_equal(first->event.effects[0].lot_changes[1].lot, june);
    assert_int_equal(lot_of(world, 0, june)->points, 250);
    assert_int_equal(lot_of(world, 0, never)->points, 100);
    (void)act_take(world, 0, 300);
    assert_int_equal(only_account(world)->lot_count, 1);
    assert_int_equal(lot_of(world, 0, never)->points, 50);
    world_free(world);
}

/* "Spending takes free points: earliest expiry first, then oldest"; not what is pending. */
static void of_one_day_the_oldest_is_spent_first(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    local_day today = world_today(world);
    uint32_t first = act_award(world, 0, today, 10);
    uint32_t second = act_award(world, 0, today, 20);
    world->programme.mature_days = 1;
    uint32_t pending = act_award(world, 0, today, 40);
    struct balance balance = world_balance(world, 0);
    assert_int_equal(balance.available, 30);
    assert_int_equal(balance.pending, 40);
    assert_int_equal(balance.lifetime, 70);
    struct maker maker = act_begin(world, 0);
    assert_int_equal(maker_take_free(&maker, 1000), 30);
    assert_int_equal(maker.effect->lot_changes[0].lot, first);
    assert_int_equal(maker.effect->lot_changes[1].lot, second);
    (void)act_end(world, &maker, 0);
    assert_int_equal(lot_of(world, 0, pending)->points, 40);
    world_free(world);
}

/* "A lot past its day is never spendable even before its event." */
static void a_lot_past_its_day_is_not_free(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    (void)act_add(world, 0, 100, date(2026, 3, 10));
    assert_int_equal(account_free(only_account(world), date(2026, 3, 10)), 100);
    assert_int_equal(account_free(only_account(world), date(2026, 3, 11)), 0);
    assert_int_equal(account_due_day(only_account(world)), date(2026, 3, 11));
    world_free(world);
}

/* "debt 100, then an award of 150": balance 50, one lot of 50. A pending one pays when it matures. */
static void awards_pay_debt_when_they_mature(void **state)
{
    (void)state;
    struct world *world = world_new(2);
    act_owe(world, 0, 100);
    uint32_t lot = act_award(world, 0, world_today(world), 150);
    assert_int_equal(only_account(world)->balance, 50);
    assert_int_equal(only_account(world)->lot_count, 1);
    assert_int_equal(lot_of(world, 0, lot)->points, 50);
    assert_int_equal(only_account(world)->lifetime, 150);
    assert_int_equal(world->decision.event.effects[0].debt_settled, 100);
    world->programme.mature_days = 14;
    act_owe(world, 1, 100);
    lot = act_award(world, 1, world_today(world), 150);
    assert_int_equal(world->accounts[1].debt, 100);
    assert_int_equal(lot_of(world, 1, lot)->points, 150);
    world_go_to(world, 2026, 3, 24);
    assert_int_equal(world_balance(world, 1).available, 50);
    world_run_days(world);
    assert_int_equal(world->accounts[1].debt, 0);
    assert_int_equal(lot_of(world, 1, lot)->points, 50);
    world_free(world);
}

/* Debt that this event makes and settles again was none (effect_apply settles before it owes). */
static void a_debt_of_the_event_itself_is_settled_last(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    act_owe(world, 0, 30);
    struct maker maker = act_begin(world, 0);
    maker_owe(&maker, 50);
    struct lot_terms terms = added_terms(&world->programme, maker.today);
    millipoints settled;
    uint32_t lot;
    assert_true(maker_give(&maker, &world->programme, 70, &terms, &settled, &lot));
    assert_int_equal(settled, 70);
    assert_int_equal(lot, 0);
    const struct world_event *booked = act_end(world, &maker, 0);
    assert_int_equal(booked->event.effects[0].debt_settled, 30);
    assert_int_equal(booked->event.effects[0].debt_added, 10);
    assert_int_equal(only_account(world)->debt, 10);
    assert_int_equal(only_account(world)->debts[0].cause, booked->position);
    world_free(world);
}

/* What becomes free with free points there, or debt that is forgiven. */
static void debt_takes_what_is_free(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    (void)act_add(world, 0, 100, DAY_NEVER);
    act_owe(world, 0, 130);
    assert_int_equal(only_account(world)->lot_count, 0);
    assert_int_equal(only_account(world)->debt, 30);
    struct maker maker = act_begin(world, 0);
    maker_forgive(&maker, 20);
    const struct world_event *booked = act_end(world, &maker, 0);
    assert_int_equal(booked->event.effects[0].debt_forgiven, 20);
    assert_int_equal(booked->event.effects[0].change, 20);
    assert_int_equal(only_account(world)->debt, 10);
    world_free(world);
}

/* --- giving back (DOMAIN.md, Redeeming: the last rule) --- */

static void points_go_back_last_taken_first(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    uint32_t march = act_add(world, 0, 200, date(2026, 3, 31));
    uint32_t june = act_add(world, 0, 300, date(2026, 6, 30));
    const struct world_event *taken = act_take(world, 0, 400);
    act_give_back(world, 0, taken, 0, 150);
    assert_int_equal(lot_of(world, 0, june)->points, 250);
    assert_int_equal(only_account(world)->lot_count, 1);
    act_give_back(world, 0, taken, 150, 100);
    assert_int_equal(lot_of(world, 0, june)->points, 300);
    /* A lot that is gone is made again, with its dates. */
    assert_int_equal(lot_of(world, 0, march)->points, 50);
    assert_int_equal(lot_of(world, 0, march)->last_day, date(2026, 3, 31));
    assert_int_equal(lot_of(world, 0, march)->earned, date(2026, 3, 10));
    act_give_back(world, 0, taken, 250, 150);
    assert_int_equal(lot_of(world, 0, march)->points, 200);
    world_free(world);
}

/* "what has expired meanwhile gets `restore_days` (default 7; 0: it expires at once)". */
static void what_has_expired_meanwhile_is_restored(void **state)
{
    (void)state;
    for (uint32_t days = 0; days <= 7; days += 7) {
        struct world *world = world_new(1);
        world->programme.restore_days = days;
        (void)act_add(world, 0, 200, date(2026, 3, 31));
        const struct world_event *taken = act_take(world, 0, 150);
        world_go_to(world, 2026, 5, 1);
        act_give_back(world, 0, taken, 0, 150);
        assert_int_equal(world->decision.event.effects[0].change, 150);
        assert_int_equal(world_balance(world, 0).available, days == 0 ? 0 : 150);
        assert_int_equal(account_due_day(only_account(world)), date(2026, 5, 1) + (days == 0 ? 0 : 8));
        world_go_to(world, 2026, 5, 8);
        assert_int_equal(world_balance(world, 0).available, days == 0 ? 0 : 150);
        world_go_to(world, 2026, 5, 9);
        world_run_days(world);
        assert_int_equal(only_account(world)->balance, 0);
        world_free(world);
    }
}

static void what_comes_back_pays_debt(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    uint32_t lot = act_add(world, 0, 200, DAY_NEVER);
    const struct world_event *taken = act_take(world, 0, 200);
    act_owe(world, 0, 120);
    act_give_back(world, 0, taken, 0, 200);
    assert_int_equal(only_account(world)->debt, 0);
    assert_int_equal(lot_of(world, 0, lot)->points, 80);
    world_free(world);
}

/* What a return took of a pending award comes back pending, by the day it has matured too. */
static void what_was_pending_comes_back_pending(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.mature_days = 14;
    struct lot_terms terms = award_terms(&world->programme, world_today(world));
    uint32_t lot = act_award(world, 0, world_today(world), 100);
    struct maker maker = act_begin(world, 0);
    assert_int_equal(maker_take_own(&maker, lot, &terms, 1000, true), 100);
    const struct world_event *taken = act_end(world, &maker, -100);
    act_give_back(world, 0, taken, 0, 40);
    assert_true(lot_of(world, 0, lot)->pending && lot_of(world, 0, lot)->counts);
    assert_true(lot_of(world, 0, lot)->by_purchase);
    world_go_to(world, 2026, 4, 1);
    world_run_days(world);
    assert_false(lot_of(world, 0, lot)->pending);
    maker = act_begin(world, 0);
    assert_int_equal(maker_take_own(&maker, lot, &terms, 40, true), 0);
    assert_int_equal(maker_take_own(&maker, lot, &terms, 40, false), 40);
    taken = act_end(world, &maker, 0);
    act_give_back(world, 0, taken, 0, 40);
    assert_int_equal(world_balance(world, 0).available, 40);
    world_free(world);
}

/* --- lots that are joined (LEDGER.md, State) --- */

/* Two awards older than `return_days` become one lot, if nobody can tell them apart. */
static void only_lots_alike_are_joined(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct expiry expiry;
        struct civil_date first, second;
        bool held, joined;
    } rows[] = {
        { "same quarter", { .kind = EXPIRY_NEVER }, { 2026, 1, 1 }, { 2026, 3, 31 }, false, true },
        { "other quarter", { .kind = EXPIRY_NEVER }, { 2025, 12, 31 }, { 2026, 1, 1 }, false, false },
        { "same last day",
          { .kind = EXPIRY_MONTHS, .months = 12, .through = THROUGH_YEAR },
          { 2026, 1, 1 },
          { 2026, 3, 31 },
          false,
          true },
        { "other last day",
          { .kind = EXPIRY_MONTHS, .months = 12, .through = THROUGH_MONTH },
          { 2026, 1, 31 },
          { 2026, 2, 1 },
          false,
          false },
        { "inactivity",
          { .kind = EXPIRY_INACTIVE, .months = 24 },
          { 2026, 1, 1 },
          { 2026, 3, 31 },
          false,
          true },
        { "held", { .kind = EXPIRY_NEVER }, { 2026, 1, 1 }, { 2026, 3, 31 }, true, false },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = world_new(1);
        world->now = date(2025, 12, 31) * US_PER_DAY;
        world->programme.expiry = rows[i].expiry;
        world_go_to(world, rows[i].first.year, rows[i].first.month, rows[i].first.day);
        uint32_t first = act_award(world, 0, world_today(world), 100);
        world_go_to(world, rows[i].second.year, rows[i].second.month, rows[i].second.day);
        (void)act_award(world, 0, world_today(world), 200);
        if (rows[i].held)
            (void)act_hold(world, 0, 50);
        world_go_to(world, 2026, 7, 10); /* 101 days after 31 March */
        (void)act_award(world, 0, world_today(world), 400);
        bool joined = only_account(world)->lot_count == 2;
        if (joined != rows[i].joined)
            fail_msg("%s: %u lots", rows[i].what, only_account(world)->lot_count);
        assert_int_equal(lot_of(world, 0, first)->points, joined ? 300 : 100);
        assert_int_equal(lot_of(world, 0, first)->by_purchase, rows[i].held);
        /* What a return takes from its own lot, it takes from the one that it is in now. */
        struct maker maker = act_begin(world, 0);
        struct lot_terms terms = award_terms(&world->programme, day_from_civil(rows[i].second));
        assert_int_equal(maker_take_own(&maker, 2, &terms, 1000, false), joined ? 300 : 200);
        world_free(world);
    }
}

/* Awards that are pending are joined within their month only, in which they will count. */
static void pending_lots_are_joined_by_month(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.mature_days = 3650;
    world->programme.return_days = 0;
    world_go_to(world, 2026, 4, 29);
    for (int day = 0; day < 4; day++) {
        for (int of_day = 0; of_day < 3; of_day++)
            (void)act_award(world, 0, world_today(world), 100);
        world->now += US_PER_DAY;
    }
    /* A lot by day; but of the last one the newest is kept apart, and two that are not older than that day. */
    assert_int_equal(only_account(world)->lot_count, 3 + 3);
    assert_int_equal(lot_of(world, 0, 1)->points, 300);
    assert_true(lot_of(world, 0, 1)->pending && !lot_of(world, 0, 1)->by_purchase);
    world_free(world);
}

/* --- holds --- */

/* "balance 20, hold 15; release; hold, capture": 5 available; 20; 5. */
static void holds_set_points_aside(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    (void)act_add(world, 0, 20 * POINT, DAY_NEVER);
    journal_position hold = act_hold(world, 0, 15 * POINT);
    struct balance balance = world_balance(world, 0);
    assert_int_equal(balance.available, 5 * POINT);
    assert_int_equal(balance.held, 15 * POINT);
    (void)act_hold_end(world, 0, hold, 0);
    assert_int_equal(world_balance(world, 0).available, 20 * POINT);
    hold = act_hold(world, 0, 15 * POINT);
    (void)act_hold_end(world, 0, hold, 15 * POINT);
    balance = world_balance(world, 0);
    assert_int_equal(balance.available, 5 * POINT);
    assert_int_equal(balance.held, 0);
    assert_int_equal(only_account(world)->hold_count, 0);
    world_free(world);
}

/* `capture` spends up to that, in spending order, and gives the rest back; other holds are not touched. */
static void a_capture_gives_the_rest_back(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    uint32_t march = act_add(world, 0, 200, date(2026, 3, 31));
    uint32_t june = act_add(world, 0, 300, date(2026, 6, 30));
    journal_position first = act_hold(world, 0, 250);
    journal_position second = act_hold(world, 0, 100);
    const struct hold_part *parts;
    const struct account_hold *open = account_hold(only_account(world), second, &parts);
    assert_int_equal(open->part_count, 1);
    assert_int_equal(parts[0].lot, june);
    assert_null(account_hold(only_account(world), second + 1, &parts));
    const struct world_event *captured = act_hold_end(world, 0, first, 210);
    assert_int_equal(lot_of(world, 0, june)->points, 290);
    assert_int_equal(lot_of(world, 0, june)->held, 100);
    assert_int_equal(only_account(world)->lot_count, 1);
    act_give_back(world, 0, captured, 0, 210);
    assert_int_equal(lot_of(world, 0, march)->points, 200);
    assert_int_equal(lot_of(world, 0, june)->points, 300);
    (void)act_hold_end(world, 0, second, 0);
    assert_int_equal(world_balance(world, 0).available, 500);
    world_free(world);
}

/* "points that become free (matured, given back, released, added) settle it"; "Holds are not touched." */
static void released_points_pay_debt(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    uint32_t lot = act_add(world, 0, 100, DAY_NEVER);
    journal_position hold = act_hold(world, 0, 100);
    act_owe(world, 0, 70);
    assert_int_equal(world_balance(world, 0).held, 100);
    assert_int_equal(world_balance(world, 0).debt, 70);
    (void)act_hold_end(world, 0, hold, 20);
    assert_int_equal(only_account(world)->debt, 0);
    assert_int_equal(lot_of(world, 0, lot)->points, 10);
    world_free(world);
}

/* Stamps of a hold are set aside, and are not any more when it ends. */
static void holds_set_stamps_aside(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct maker maker = act_begin(world, 0);
    maker_stamps(&maker, 77, 10000);
    (void)act_end(world, &maker, 0);
    maker = act_begin(world, 0);
    world->decision.event.type = EVENT_HOLD;
    struct account_hold wanted = { .stamps = 4000, .purse = 77, .deadline = world->now + 1 };
    assert_true(maker_hold(&maker, &wanted));
    journal_position hold = act_end(world, &maker, 0)->position;
    assert_int_equal(account_stamps(only_account(world), 77)->held, 4000);
    maker = act_begin(world, 0);
    maker_hold_end(&maker, hold, 0);
    maker_stamps(&maker, 77, -4000);
    (void)act_end(world, &maker, 0);
    assert_int_equal(account_stamps(only_account(world), 77)->held, 0);
    assert_int_equal(account_stamps(only_account(world), 77)->count, 6000);
    assert_null(account_stamps(only_account(world), 78));
    world_free(world);
}

static void holds_and_their_lots_are_bounded(void **state)
{
    (void)state;
    struct world *world = world_new(2);
    (void)act_add(world, 0, 100, DAY_NEVER);
    for (int i = 0; i < ACCOUNT_HOLDS_MAX; i++)
        (void)act_hold(world, 0, 1);
    struct maker maker = act_begin(world, 0);
    assert_false(maker_hold(&maker, &(struct account_hold){ .points = 1 }));
    for (int i = 0; i <= ACCOUNT_HOLD_PARTS_MAX; i++)
        (void)act_add(world, 1, 1, date(2027, 1, 1) + i);
    maker = act_begin(world, 1);
    assert_false(maker_hold(&maker, &(struct account_hold){ .points = ACCOUNT_HOLD_PARTS_MAX + 1 }));
    (void)act_hold(world, 1, ACCOUNT_HOLD_PARTS_MAX);
    world_free(world);
}

/* --- counters --- */

/* "the current and the previous period are kept, an older purchase counts into the oldest kept" (LEDGER.md, State). */
static void two_periods_are_kept(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        local_day add[4];
        local_day ask;
        int64_t want;
    } rows[] = {
        { "none yet", { 0 }, 100, 0 },
        { "adds up", { 100, 100, 100 }, 100, 3 },
        { "a new period", { 100, 101 }, 101, 1 },
        { "the one before", { 100, 100, 101 }, 100, 2 },
        { "a period to come", { 100 }, 101, 0 },
        { "late, for the one before", { 100, 101, 100 }, 100, 2 },
        { "late, and the first of its period", { 101, 100 }, 100, 1 },
        { "older than is kept, into the oldest", { 102, 101, 50 }, 101, 2 },
        { "older than is kept, is asked of the oldest", { 102, 101 }, 50, 1 },
        { "between the two: newer than the oldest", { 102, 50, 101 }, 101, 1 },
        { "and that is forgotten", { 102, 50, 101 }, 50, 1 },
        { "two periods on", { 100, 101, 102 }, 100, 1 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = world_new(1);
        for (int k = 0; k < 4 && rows[i].add[k] != 0; k++) {
            struct maker maker = act_begin(world, 0);
            maker_tally(&maker, TALLY_OFFER, 7, rows[i].add[k], 1);
            maker_tally(&maker, TALLY_REWARD, 7, rows[i].add[k], 100);
            (void)act_end(world, &maker, 0);
        }
        int64_t got = account_tally(only_account(world), TALLY_OFFER, 7, rows[i].ask);
        if (got != rows[i].want)
            fail_msg("%s: %lld", rows[i].what, (long long)got);
        assert_int_equal(account_tally(only_account(world), TALLY_REWARD, 7, rows[i].ask), 100 * got);
        assert_int_equal(account_tally(only_account(world), TALLY_OFFER, 8, rows[i].ask), 0);
        world_free(world);
    }
}

/* Full tables: what is oldest gives way. */
static void what_is_oldest_gives_way(void **state)
{
    (void)state;
    static struct account account;
    account_new(1, &account);
    for (uint32_t i = 0; i <= ACCOUNT_TALLIES_MAX; i++) {
        struct account_change tally = {
            .kind = CHANGE_TALLY, .which = TALLY_OFFER, .id = i, .period = i == 5 ? 1 : 10, .value = 1
        };
        struct account_change purse = { .kind = CHANGE_STAMPS, .id = i, .value = 1 };
        struct account_change month = { .kind = CHANGE_MONTH, .period = (int32_t)i, .value = 1 };
        struct account_change offer = { .kind = CHANGE_ACTIVATED, .id = i + 1, .value = 1 };
        assert_true(account_change_other(&account, &tally, 0) && account_change_other(&account, &purse, 0) &&
                    account_change_other(&account, &month, 0) && account_change_other(&account, &offer, 0));
    }
    assert_int_equal(account.tally_count, ACCOUNT_TALLIES_MAX);
    assert_int_equal(account_tally(&account, TALLY_OFFER, 5, 1), 0);
    assert_int_equal(account_tally(&account, TALLY_OFFER, 0, 10), 1);
    assert_int_equal(account.stamps_count, ACCOUNT_STAMPS_MAX);
    assert_null(account_stamps(&account, 0));
    assert_int_equal(account.month_count, ACCOUNT_MONTHS_MAX);
    assert_int_equal(account.months[0].month, ACCOUNT_TALLIES_MAX - ACCOUNT_MONTHS_MAX + 1);
    assert_int_equal(account.ever.spend, ACCOUNT_TALLIES_MAX + 1);
    assert_true(account_has_activated(&account, ACCOUNT_TALLIES_MAX + 1));
    assert_false(account_has_activated(&account, 1));
}

static void tags_are_bounded(void **state)
{
    (void)state;
    static struct account account;
    account_new(1, &account);
    char text[2] = { 'a', 0 };
    struct account_change set = { .kind = CHANGE_TAG, .text = { text, 1 }, .value = 1 };
    for (int i = 0; i < ACCOUNT_TAGS_MAX; i++, text[0]++) {
        assert_true(account_change_other(&account, &set, 0));
        assert_true(account_change_other(&account, &set, 0)); /* again: nothing new */
    }
    assert_int_equal(account.tag_count, ACCOUNT_TAGS_MAX);
    assert_false(account_change_other(&account, &set, 0));
    struct account_change off = { .kind = CHANGE_TAG, .text = TEXT_LITERAL("b") };
    assert_true(account_has_tag(&account, "b", 1));
    assert_true(account_change_other(&account, &off, 0));
    assert_true(account_change_other(&account, &off, 0));
    assert_false(account_has_tag(&account, "b", 1));
    assert_false(account_has_tag(&account, "aa", 2));
    assert_true(account_change_other(&account, &set, 0));
}

/* --- merging --- */

/* "lots keep their expiry, holds their time; debts, sums, counters, stamps, tags ... add up" (DOMAIN.md, Cards). */
static void accounts_are_absorbed(void **state)
{
    (void)state;
    struct world *world = world_new(2);
    (void)act_add(world, 0, 100, date(2026, 6, 30));
    (void)act_add(world, 1, 200, date(2026, 4, 30));
    uint32_t june = act_add(world, 1, 50, date(2026, 6, 30));
    journal_position hold = act_hold(world, 1, 220);
    for (uint32_t card = 0; card < 2; card++) {
        struct maker maker = act_begin(world, card);
        maker_tally(&maker, TALLY_OFFER, 7, 100 + (local_day)card, 3);
        maker_stamps(&maker, 9, 1000);
        (void)act_end(world, &maker, 0);
    }
    struct maker target = act_begin(world, 0);
    assert_true(world->view.account(world, 2, &world->decision.sides[1].before));
    struct maker source = maker_begin(&world->decision, 1, target.today);
    world->decision.event.type = EVENT_MERGE;
    assert_true(maker_absorb(&target, &source, &world->programme));
    assert_true(maker_end(&source, 0));
    (void)act_end(world, &target, 0);
    const struct account *account = only_account(world);
    assert_int_equal(account->balance, 350);
    assert_int_equal(account->card_count, 2);
    assert_int_equal(account->next_lot, 4);
    assert_int_equal(lot_of(world, 0, june + 1)->last_day, date(2026, 6, 30));
    assert_int_equal(lot_of(world, 0, june + 1)->held, 20);
    assert_int_equal(account_tally(account, TALLY_OFFER, 7, 100), 3);
    assert_int_equal(account_tally(account, TALLY_OFFER, 7, 101), 3);
    assert_int_equal(account_stamps(account, 9)->count, 2000);
    assert_int_equal(world->accounts[1].merged_into, 1);
    assert_int_equal(world->accounts[1].lot_offset, 1);
    assert_true(world->accounts[1].closed);
    assert_int_equal(world->accounts[1].balance, 0);
    (void)act_hold_end(world, 1, hold, 210); /* the card of the source leads there now */
    assert_int_equal(world_balance(world, 1).available, 140);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(earliest_expiry_is_spent_first),
        cmocka_unit_test(of_one_day_the_oldest_is_spent_first),
        cmocka_unit_test(a_lot_past_its_day_is_not_free),
        cmocka_unit_test(awards_pay_debt_when_they_mature),
        cmocka_unit_test(a_debt_of_the_event_itself_is_settled_last),
        cmocka_unit_test(debt_takes_what_is_free),
        cmocka_unit_test(points_go_back_last_taken_first),
        cmocka_unit_test(what_has_expired_meanwhile_is_restored),
        cmocka_unit_test(what_comes_back_pays_debt),
        cmocka_unit_test(what_was_pending_comes_back_pending),
        cmocka_unit_test(only_lots_alike_are_joined),
        cmocka_unit_test(pending_lots_are_joined_by_month),
        cmocka_unit_test(holds_set_points_aside),
        cmocka_unit_test(a_capture_gives_the_rest_back),
        cmocka_unit_test(released_points_pay_debt),
        cmocka_unit_test(holds_set_stamps_aside),
        cmocka_unit_test(holds_and_their_lots_are_bounded),
        cmocka_unit_test(two_periods_are_kept),
        cmocka_unit_test(what_is_oldest_gives_way),
        cmocka_unit_test(tags_are_bounded),
        cmocka_unit_test(accounts_are_absorbed),
    };
    return cmocka_run_group_tests_name("account", tests, NULL, NULL);
}
