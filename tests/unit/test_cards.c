/* Cards: issued, blocked, closed, replaced, added (DOMAIN.md, Cards and accounts; Back office). */
#include "points_acts.h"

static void issuing_is_judged(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *number;
        uint32_t count;
        bool check_valid;
        enum refusal want;
        const char *detail;
    } rows[] = {
        { "a wrong check digit, though it is taken", "100", 1, false, REFUSAL_INVALID_CARD_NUMBER,
          "its check digit is wrong" },
        { "a range that runs out", "990", 11, true, REFUSAL_INVALID_CARD_NUMBER,
          "the range runs out of numbers" },
        { "a number can be issued once", "100", 1, true, REFUSAL_CARD_EXISTS, "100" },
        { "so for each of a range", "098", 3, true, REFUSAL_CARD_EXISTS, "100" },
        { "one of a range is in suspense", "199", 2, true, REFUSAL_CARD_EXISTS,
          "200 is in suspense: issue it by itself" },
        { "a range to the last number", "990", 10, true, REFUSAL_NONE, "" },
        { "one that is in suspense", "200", 1, true, REFUSAL_NONE, "" },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = world_new(1);
        assert_int_equal(act_issue(world, "100", 1, true), REFUSAL_NONE);
        assert_int_equal(act_buy(world, "200", 1000, true), REFUSAL_NONE);
        assert_refused(rows[i].what, act_issue(world, rows[i].number, rows[i].count, rows[i].check_valid),
                       rows[i].want);
        assert_string_equal(world->decision.detail, rows[i].detail);
        world_free(world);
    }
}

/* Each new card has an account of its own, numbered on. */
static void range_is_issued(void **state)
{
    (void)state;
    struct world *world = world_new(2);
    account_number next = world->view.next_account(world->view.ctx);
    assert_int_equal(act_issue(world, "500", 3, true), REFUSAL_NONE);
    static const char *const numbers[] = { "500", "501", "502" };
    for (uint32_t i = 0; i < COUNT_OF(numbers); i++) {
        struct account account;
        struct card card = act_card_of(world, numbers[i]);
        act_account_of(world, numbers[i], &account);
        assert_int_equal(card.status, CARD_ACTIVE);
        assert_int_equal(card.account, next + i);
        assert_int_equal(account.card_count, 1);
        assert_int_equal(account.balance, 0);
        assert_false(account.suspense);
    }
    world_free(world);
}

/* "Its points join the account, with their dates, when the card is issued." */
static void suspense_joins_when_issued(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 12 };
    world->programme.mature_days = 2;
    world->programme.welcome = 5 * POINT;
    assert_int_equal(act_buy(world, "200", 1000, true), REFUSAL_NONE);
    struct account before;
    act_account_of(world, "200", &before);
    assert_true(before.suspense);
    assert_int_equal(before.balance, 10 * POINT);
    struct card waiting = act_card_of(world, "200");
    assert_int_equal(waiting.status, CARD_SUSPENSE);

    world->now += US_PER_DAY;
    assert_int_equal(act_issue(world, "200", 1, true), REFUSAL_NONE);
    const struct event *event = &world->decision.event;
    assert_true(event->cards_issued.joins);
    assert_int_equal(event->cards_issued.count, 1);
    assert_int_equal(event->cards_issued.first_card, waiting.id);
    assert_int_equal(event->cards_issued.first_account, waiting.account);
    assert_int_equal(event->effects[0].change, 5 * POINT);
    struct account after;
    act_account_of(world, "200", &after);
    assert_int_equal(act_card_of(world, "200").status, CARD_ACTIVE);
    assert_int_equal(after.number, before.number);
    assert_false(after.suspense);
    assert_int_equal(after.card_count, 1);
    assert_int_equal(after.balance, 15 * POINT);
    assert_int_equal(after.lots[0].points, 10 * POINT);
    assert_int_equal(after.lots[0].matures, before.lots[0].matures);
    assert_int_equal(after.lots[0].last_day, before.lots[0].last_day);
    assert_int_equal(after.lots[1].matures, before.lots[0].matures + 1);
    world_free(world);
}

/* "A bonus (`welcome: n`) is an award without a purchase": matures and expires like one. */
static void welcome_is_an_award(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        enum tier_basis basis;
        uint32_t tier_count, mature_days;
        bool pending;
        local_day matures_after;
    } rows[] = {
        { "no tiers", TIER_BY_POINTS, 0, 0, false, 0 },
        { "tiers by spend", TIER_BY_SPEND, 1, 0, false, 0 },
        { "pending", TIER_BY_SPEND, 1, 14, true, 14 },
        { "counted by the first event of a midnight", TIER_BY_POINTS, 1, 0, true, 0 },
        { "judged by the first event of a midnight", TIER_BY_BALANCE, 1, 0, true, 0 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = world_new(1);
        struct programme *programme = &world->programme;
        local_day today = world_today(world);
        programme->welcome = 25 * POINT;
        programme->mature_days = rows[i].mature_days;
        programme->expiry = (struct expiry){ .kind = EXPIRY_INACTIVE, .months = 6 };
        programme->tiers.count = rows[i].tier_count;
        programme->tiers.basis = rows[i].basis;
        programme->tiers.window = TIER_WINDOW_EVER;
        programme->tiers.kept = TIER_KEPT_NONE;
        programme->tiers.tiers[0] = (struct tier){ .name = "gold", .id = 7, .from = 25 * POINT };
        assert_int_equal(act_issue(world, "500", 2, true), REFUSAL_NONE);
        const struct lot *welcome = &world->decision.event.cards_issued.welcome;
        assert_int_equal(welcome->number, 1);
        assert_int_equal(welcome->points, 25 * POINT);
        assert_int_equal(welcome->earned, today);
        assert_int_equal(welcome->inactive_months, 6);
        assert_false(welcome->by_purchase);
        if (welcome->pending != rows[i].pending || welcome->matures != today + rows[i].matures_after)
            fail_msg("%s: matures %d days later, pending %d", rows[i].what, welcome->matures - today,
                     welcome->pending);
        struct account account;
        act_account_of(world, "501", &account);
        assert_int_equal(account.balance, 25 * POINT);
        assert_int_equal(account_due_day(&account) <= today, rows[i].pending && rows[i].matures_after == 0);
        /* Any act finds what is due: the lot matures, counts, and lifts the account. */
        assert_int_equal(act_tag(world, "501", "new", NULL), REFUSAL_NONE);
        act_account_of(world, "501", &account);
        bool lifted = rows[i].tier_count > 0 && rows[i].basis != TIER_BY_SPEND;
        assert_int_equal(account.tier.id, lifted ? 7 : 0);
        world_free(world);
    }
}

/* --- status --- */

/* A card "C" on account 1, brought into a status. */
static struct world *world_with(enum card_status status)
{
    struct world *world = world_new(1);
    if (status == CARD_SUSPENSE)
        assert_int_equal(act_buy(world, "C", 1000, true), REFUSAL_NONE);
    else
        assert_int_equal(act_add(world, "1", "C"), REFUSAL_NONE);
    if (status == CARD_BLOCKED)
        assert_int_equal(act_card(world, CARD_ACT_BLOCK, "C"), REFUSAL_NONE);
    if (status == CARD_CLOSED)
        assert_int_equal(act_card(world, CARD_ACT_CLOSE, "C"), REFUSAL_NONE);
    if (status == CARD_REPLACED)
        assert_int_equal(act_replace(world, "C", "N"), REFUSAL_NONE);
    assert_int_equal(act_card_of(world, "C").status, status);
    return world;
}

static enum refusal act_number(struct world *world, int act)
{
    if (act == 3)
        return act_replace(world, "C", "X");
    if (act == 4)
        return act_add(world, "C", "X");
    return act_card(world, (enum card_act)(act + 1), "C");
}

static void acts_by_status(void **state)
{
    (void)state;
    static const char *const acts[] = { "block", "unblock", "close", "replace", "add" };
    static const struct {
        enum card_status status;
        enum refusal want[5]; /* by act */
    } rows[] = {
        { CARD_ACTIVE, { REFUSAL_NONE, REFUSAL_CARD_NOT_BLOCKED, REFUSAL_NONE, REFUSAL_NONE, REFUSAL_NONE } },
        { CARD_BLOCKED, { REFUSAL_CARD_BLOCKED, REFUSAL_NONE, REFUSAL_NONE, REFUSAL_NONE, REFUSAL_NONE } },
        /* "The old one says replaced for ever and can never become active again." */
        { CARD_REPLACED,
          { REFUSAL_CARD_REPLACED, REFUSAL_CARD_REPLACED, REFUSAL_CARD_REPLACED, REFUSAL_CARD_REPLACED,
            REFUSAL_CARD_REPLACED } },
        { CARD_CLOSED,
          { REFUSAL_CARD_CLOSED, REFUSAL_CARD_CLOSED, REFUSAL_CARD_CLOSED, REFUSAL_CARD_CLOSED,
            REFUSAL_CARD_CLOSED } },
        { CARD_SUSPENSE,
          { REFUSAL_UNKNOWN_CARD, REFUSAL_UNKNOWN_CARD, REFUSAL_UNKNOWN_CARD, REFUSAL_UNKNOWN_CARD,
            REFUSAL_UNKNOWN_CARD } },
    };
    static const enum card_status after[] = { CARD_BLOCKED, CARD_ACTIVE, CARD_CLOSED, CARD_REPLACED };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int act = 0; act < 5; act++) {
            struct world *world = world_with(rows[i].status);
            assert_refused(acts[act], act_number(world, act), rows[i].want[act]);
            bool changes = rows[i].want[act] == REFUSAL_NONE && act < 4;
            assert_int_equal(act_card_of(world, "C").status, changes ? after[act] : rows[i].status);
            world_free(world);
        }
    }
    struct world *world = world_new(1);
    for (int act = 0; act < 5; act++)
        assert_refused(acts[act], act_number(world, act), REFUSAL_UNKNOWN_CARD);
    world_free(world);
}

/* The event names what it was before, and why. */
static void status_is_told(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    assert_int_equal(act_card(world, CARD_ACT_BLOCK, "1"), REFUSAL_NONE);
    const struct event *event = &world->decision.event;
    assert_int_equal(event->type, EVENT_CARD_STATUS);
    assert_int_equal(event->day, world_today(world));
    assert_int_equal(event->effect_count, 1);
    assert_int_equal(event->effects[0].account, act_card_of(world, "1").account);
    assert_int_equal(event->effects[0].change, 0);
    assert_int_equal(event->card_status.before, CARD_ACTIVE);
    assert_int_equal(event->card_status.after, CARD_BLOCKED);
    assert_true(text_equal(event->card_status.number, TEXT_LITERAL("1")));
    assert_true(text_equal(event->card_status.reason, TEXT_LITERAL("lost")));
    world_free(world);
}

/* Card "1" is blocked, may not earn, and earned 10 points by an advice. */
static struct world *world_waiting(void)
{
    struct world *world = world_new(2);
    world->programme.may_earn = 1U << CARD_ACTIVE;
    assert_int_equal(act_adjust(world, "1", 4 * POINT, false), REFUSAL_NONE);
    assert_int_equal(act_card(world, CARD_ACT_BLOCK, "1"), REFUSAL_NONE);
    assert_int_equal(act_buy(world, "1", 1000, true), REFUSAL_NONE);
    assert_int_not_equal(act_card_of(world, "1").suspense, 0);
    assert_int_equal(act_balance_of(world, "1"), 4 * POINT);
    return world;
}

static void assert_joined(struct world *world, const char *number, account_number waited, millipoints balance,
                          millipoints lifetime)
{
    struct account account;
    act_account_of(world, number, &account);
    assert_int_equal(account.balance, balance);
    assert_int_equal(account.lifetime, lifetime);
    assert_int_equal(act_card_of(world, number).status, CARD_ACTIVE);
    assert_int_equal(act_card_of(world, number).suspense, 0);
    /* The account that waited leads to it now. */
    struct account joined;
    assert_true(world->view.account(world->view.ctx, waited, &joined));
    assert_int_equal(joined.number, account.number);
    assert_false(world->accounts[waited - 1].suspense);
}

/* "Its points join the account when the card is issued or unblocked." */
static void suspense_joins_when_unblocked(void **state)
{
    (void)state;
    struct world *world = world_waiting();
    account_number waited = act_card_of(world, "1").suspense;
    assert_int_equal(act_card(world, CARD_ACT_UNBLOCK, "1"), REFUSAL_NONE);
    assert_int_equal(world->decision.event.effect_count, 2);
    assert_int_equal(world->decision.event.effects[0].change, 10 * POINT);
    assert_int_equal(world->decision.event.effects[1].change, -10 * POINT);
    assert_joined(world, "1", waited, 14 * POINT, 10 * POINT);
    world_free(world);

    /* What is owed is settled by what comes. */
    world = world_waiting();
    assert_int_equal(act_adjust(world, "1", -10 * POINT, true), REFUSAL_NONE);
    assert_int_equal(act_card(world, CARD_ACT_UNBLOCK, "1"), REFUSAL_NONE);
    struct account account;
    act_account_of(world, "1", &account);
    assert_int_equal(account.debt, 0);
    assert_int_equal(account.balance, 4 * POINT);
    world_free(world);
}

static void suspense_joins_when_replaced(void **state)
{
    (void)state;
    /* What the old card may not have: the new one is active. */
    struct world *world = world_waiting();
    account_number waited = act_card_of(world, "1").suspense;
    assert_int_equal(act_replace(world, "1", "200"), REFUSAL_NONE);
    assert_joined(world, "200", waited, 14 * POINT, 10 * POINT);
    assert_int_equal(act_card_of(world, "1").suspense, 0);
    world_free(world);

    /* What was sold under the new number before. */
    world = world_new(1);
    assert_int_equal(act_buy(world, "200", 1000, true), REFUSAL_NONE);
    struct card waiting = act_card_of(world, "200");
    assert_int_equal(act_replace(world, "1", "200"), REFUSAL_NONE);
    assert_int_equal(world->decision.event.card_replaced.new_card, waiting.id);
    assert_joined(world, "200", waiting.account, 10 * POINT, 10 * POINT);
    assert_int_equal(act_card_of(world, "200").id, waiting.id);
    world_free(world);

    /* Both do not fit into one event. */
    world = world_waiting();
    assert_int_equal(act_buy(world, "200", 1000, true), REFUSAL_NONE);
    assert_int_equal(act_replace(world, "1", "200"), REFUSAL_CARD_EXISTS);
    assert_string_equal(world->decision.detail,
                        "200 is in suspense, and so is what 1 earned: unblock it first");
    world_free(world);
}

static void suspense_joins_when_added(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    assert_int_equal(act_buy(world, "200", 1000, true), REFUSAL_NONE);
    account_number waited = act_card_of(world, "200").account;
    assert_int_equal(act_add(world, "1", "200"), REFUSAL_NONE);
    assert_joined(world, "200", waited, 10 * POINT, 10 * POINT);
    assert_joined(world, "1", waited, 10 * POINT, 10 * POINT);
    struct account account;
    act_account_of(world, "1", &account);
    assert_int_equal(account.card_count, 2);
    world_free(world);
}

/* --- replace and add --- */

static void new_numbers_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *old_number, *new_number;
        bool check_valid;
        enum refusal want;
    } rows[] = {
        { "a wrong check digit", "9", "2", false, REFUSAL_INVALID_CARD_NUMBER },
        { "a number can be issued once", "9", "2", true, REFUSAL_CARD_EXISTS },
        { "so the same number", "1", "1", true, REFUSAL_CARD_EXISTS },
        { "an unknown card", "9", "300", true, REFUSAL_UNKNOWN_CARD },
        { "a new one", "1", "300", true, REFUSAL_NONE },
    };
    struct world *world = world_new(2);
    struct judgement judgement = { .now = world->now };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct card_replace_request replace = { .old_card = text_of(rows[i].old_number),
                                                .new_card = text_of(rows[i].new_number),
                                                .check_valid = rows[i].check_valid };
        decide_card_replace(&world->view, &judgement, &replace, &world->decision);
        assert_refused(rows[i].what, world->decision.refusal, rows[i].want);
        struct card_add_request add = { .card = text_of(rows[i].old_number),
                                        .new_card = text_of(rows[i].new_number),
                                        .check_valid = rows[i].check_valid };
        decide_card_add(&world->view, &judgement, &add, &world->decision);
        assert_refused(rows[i].what, world->decision.refusal, rows[i].want);
    }
    world_free(world);
}

/* "The new number takes over everything." */
static void replacing_keeps_everything(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    assert_int_equal(act_adjust(world, "1", 30 * POINT, false), REFUSAL_NONE);
    assert_int_equal(act_hold(world, "1", 10 * POINT), REFUSAL_NONE);
    struct account before;
    act_account_of(world, "1", &before);
    /* A blocked one may be replaced: lost, then replaced. */
    assert_int_equal(act_card(world, CARD_ACT_BLOCK, "1"), REFUSAL_NONE);
    assert_int_equal(act_replace(world, "1", "300"), REFUSAL_NONE);
    assert_int_equal(act_replace(world, "300", "301"), REFUSAL_NONE);
    struct account after;
    act_account_of(world, "301", &after);
    assert_int_equal(act_card_of(world, "1").status, CARD_REPLACED);
    assert_int_equal(act_card_of(world, "300").status, CARD_REPLACED);
    assert_int_equal(act_card_of(world, "301").status, CARD_ACTIVE);
    assert_int_equal(after.number, before.number);
    assert_int_equal(after.card_count, 1);
    assert_int_equal(after.balance, before.balance);
    assert_int_equal(after.hold_count, 1);
    assert_int_equal(after.holds[0].deadline, before.holds[0].deadline);
    world_free(world);
}

/* --- close --- */

/* "close (forfeits what is left)": with the last card, the account. */
static void closing_the_last_card_forfeits(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    assert_int_equal(act_adjust(world, "1", 30 * POINT, false), REFUSAL_NONE);
    assert_int_equal(act_hold(world, "1", 10 * POINT), REFUSAL_NONE);
    world->programme.mature_days = 14;
    assert_int_equal(act_bonus(world, "1", 7 * POINT), REFUSAL_NONE);
    assert_int_equal(act_add(world, "1", "300"), REFUSAL_NONE);
    world->accounts[0].stamps_count = 2;
    world->accounts[0].stamps[0] = (struct stamps){ .purse = 1, .count = 3000 };
    world->accounts[0].stamps[1] = (struct stamps){ .purse = 2, .count = -1000 };

    assert_int_equal(act_card(world, CARD_ACT_CLOSE, "1"), REFUSAL_NONE);
    assert_int_equal(world->decision.event.card_status.forfeited, 0);
    struct account account;
    act_account_of(world, "300", &account);
    assert_false(account.closed);
    assert_int_equal(account.card_count, 1);
    assert_int_equal(account.balance, 37 * POINT);
    journal_position hold = account.holds[0].id;

    assert_int_equal(act_card(world, CARD_ACT_CLOSE, "300"), REFUSAL_NONE);
    assert_int_equal(world->decision.event.card_status.forfeited, 37 * POINT);
    act_account_of(world, "300", &account);
    assert_true(account.closed);
    assert_int_equal(account.card_count, 0);
    assert_int_equal(account.balance, 0);
    assert_int_equal(account.lot_count, 0);
    assert_int_equal(account.hold_count, 0);
    assert_int_equal(account_stamps(&account, 1)->count, 0);
    assert_int_equal(account_stamps(&account, 2)->count, -1000);
    struct hold_state ended;
    assert_true(world->view.hold(world->view.ctx, hold, &ended));
    assert_int_equal(ended.end, HOLD_RELEASED);
    world_free(world);
}

/* Debt stays, and pending points do not pay it. */
static void closing_keeps_debt(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    assert_int_equal(act_adjust(world, "1", -8 * POINT, true), REFUSAL_NONE);
    world->programme.mature_days = 14;
    assert_int_equal(act_bonus(world, "1", 7 * POINT), REFUSAL_NONE);
    assert_int_equal(act_card(world, CARD_ACT_CLOSE, "1"), REFUSAL_NONE);
    assert_int_equal(world->decision.event.card_status.forfeited, 7 * POINT);
    assert_int_equal(act_balance_of(world, "1"), -8 * POINT);
    /* Until the office writes it off. */
    assert_int_equal(act_write_off(world, "1", 0), REFUSAL_NONE);
    assert_int_equal(act_balance_of(world, "1"), 0);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(issuing_is_judged),
        cmocka_unit_test(range_is_issued),
        cmocka_unit_test(suspense_joins_when_issued),
        cmocka_unit_test(welcome_is_an_award),
        cmocka_unit_test(acts_by_status),
        cmocka_unit_test(status_is_told),
        cmocka_unit_test(suspense_joins_when_unblocked),
        cmocka_unit_test(suspense_joins_when_replaced),
        cmocka_unit_test(suspense_joins_when_added),
        cmocka_unit_test(new_numbers_are_judged),
        cmocka_unit_test(replacing_keeps_everything),
        cmocka_unit_test(closing_the_last_card_forfeits),
        cmocka_unit_test(closing_keeps_debt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
