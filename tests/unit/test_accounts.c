/* Accounts: merged, transferred between, tagged, activated for, and their PIN (DOMAIN.md, Cards; Back office). */
#include "points_acts.h"

#include <stdio.h>

/* --- merge and transfer: refusals; each row breaks one rule fewer than the row above it --- */

static void merges_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *from, *to;
        enum refusal want;
    } rows[] = {
        { "both unknown", "8", "9", REFUSAL_UNKNOWN_CARD },
        { "the target unknown, the source closed", "3", "9", REFUSAL_UNKNOWN_CARD },
        { "the source unknown, the target closed", "9", "3", REFUSAL_UNKNOWN_CARD },
        { "one closed, one replaced", "4", "3", REFUSAL_CARD_CLOSED },
        { "one replaced, one closed", "3", "4", REFUSAL_CARD_CLOSED },
        { "a replaced card", "4", "1", REFUSAL_CARD_REPLACED },
        { "in suspense", "200", "1", REFUSAL_UNKNOWN_CARD },
        { "a blocked card", "2", "1", REFUSAL_NONE },
    };
    struct world *world = world_new(4);
    assert_int_equal(act_card(world, CARD_ACT_BLOCK, "2"), REFUSAL_NONE);
    assert_int_equal(act_card(world, CARD_ACT_CLOSE, "3"), REFUSAL_NONE);
    assert_int_equal(act_replace(world, "4", "300"), REFUSAL_NONE);
    assert_int_equal(act_buy(world, "200", 1000, true), REFUSAL_NONE);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_refused(rows[i].what, act_merge(world, rows[i].from, rows[i].to), rows[i].want);
    world_free(world);
}

static void transfers_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *from, *to, *reason;
        millipoints points; /* 50 are free on 1 */
        enum refusal want;
    } rows[] = {
        { "unknown card", "1", "9", "whim", 51, REFUSAL_UNKNOWN_CARD },
        { "closed card", "1", "3", "whim", 51, REFUSAL_CARD_CLOSED },
        { "two cards of one account", "1", "100", "whim", 51, REFUSAL_SAME_ACCOUNT },
        { "reason", "1", "2", "whim", 51, REFUSAL_UNKNOWN_REASON },
        { "free points only", "1", "2", "goodwill", 51, REFUSAL_NOT_ENOUGH_POINTS },
        { "all that is free", "1", "2", "goodwill", 50, REFUSAL_NONE },
    };
    struct world *world = world_new(3);
    assert_int_equal(act_adjust(world, "1", 60 * POINT, false), REFUSAL_NONE);
    assert_int_equal(act_hold(world, "1", 10 * POINT), REFUSAL_NONE);
    assert_int_equal(act_card(world, CARD_ACT_CLOSE, "3"), REFUSAL_NONE);
    assert_int_equal(act_add(world, "1", "100"), REFUSAL_NONE);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct judgement judgement = { .now = world->now };
        struct transfer_request request = { .from_card = text_of(rows[i].from),
                                            .to_card = text_of(rows[i].to),
                                            .points = rows[i].points * POINT,
                                            .reason = text_of(rows[i].reason) };
        decide_transfer(&world->view, &judgement, &request, &world->decision);
        assert_refused(rows[i].what, world->decision.refusal, rows[i].want);
        if (rows[i].want == REFUSAL_NOT_ENOUGH_POINTS) {
            assert_int_equal(world->decision.needed, 51 * POINT);
            assert_int_equal(world->decision.available, 50 * POINT);
        }
    }
    world_free(world);
}

/* "Transfer between accounts (free points; lots keep their expiry)" */
static void transferred_lots_keep_their_dates(void **state)
{
    (void)state;
    struct world *world = world_new(2);
    local_day first = world_today(world);
    static const uint32_t months[] = { 2, 1 };
    for (size_t i = 0; i < COUNT_OF(months); i++) {
        world->programme.expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = months[i] };
        assert_int_equal(act_adjust(world, "1", 30 * POINT, false), REFUSAL_NONE);
    }
    world->programme.expiry = (struct expiry){ .kind = EXPIRY_NEVER };
    assert_int_equal(act_adjust(world, "2", -5 * POINT, true), REFUSAL_NONE);
    world->now += 3 * US_PER_DAY;
    assert_int_equal(act_transfer(world, "1", "2", 40 * POINT), REFUSAL_NONE);
    const struct event *event = &world->decision.event;
    assert_int_equal(event->effect_count, 2);
    assert_int_equal(event->effects[0].change, -40 * POINT);
    assert_int_equal(event->effects[1].change, 40 * POINT);
    assert_int_equal(event->effects[1].debt_settled, 5 * POINT);
    struct account from;
    struct account to;
    act_account_of(world, "1", &from);
    act_account_of(world, "2", &to);
    /* April's 30 went first, 5 of them into debt; then 10 of May's. */
    assert_int_equal(from.lot_count, 1);
    assert_int_equal(from.lots[0].points, 20 * POINT);
    assert_int_equal(to.debt, 0);
    assert_int_equal(to.lot_count, 2);
    assert_int_equal(to.lots[0].points, 25 * POINT);
    assert_int_equal(to.lots[0].last_day, first + 31);
    assert_int_equal(to.lots[1].points, 10 * POINT);
    assert_int_equal(to.lots[1].last_day, first + 61);
    for (uint32_t i = 0; i < to.lot_count; i++) {
        assert_int_equal(to.lots[i].earned, first);
        assert_false(to.lots[i].by_purchase);
    }
    assert_int_equal(to.lifetime, 0);
    world_free(world);
}

/* A tier by balance follows the points. */
static void transfers_move_tiers_by_balance(void **state)
{
    (void)state;
    struct world *world = world_new(2);
    struct tiers *tiers = &world->programme.tiers;
    tiers->count = 1;
    tiers->basis = TIER_BY_BALANCE;
    tiers->kept = TIER_KEPT_NONE;
    tiers->tiers[0] = (struct tier){ .name = "gold", .id = 7, .from = 50 * POINT };
    assert_int_equal(act_adjust(world, "1", 60 * POINT, false), REFUSAL_NONE);
    struct account account;
    act_account_of(world, "1", &account);
    assert_int_equal(account.tier.id, 7);
    assert_int_equal(act_transfer(world, "1", "2", 50 * POINT), REFUSAL_NONE);
    act_account_of(world, "1", &account);
    assert_int_equal(account.tier.id, 0);
    act_account_of(world, "2", &account);
    assert_int_equal(account.tier.id, 7);
    world_free(world);
}

/* --- merge --- */

static const struct lot *lot_of_day(const struct account *account, local_day last_day)
{
    for (uint32_t i = 0; i < account->lot_count; i++) {
        if (account->lots[i].last_day == last_day)
            return &account->lots[i];
    }
    return NULL;
}

/* "Lots keep their expiry, holds their time; debts, sums, stamps, tags and purchases add up." */
static void merging_adds_up(void **state)
{
    (void)state;
    struct world *world = world_new(2);
    world->programme.expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 1 };
    assert_int_equal(act_buy(world, "1", 3000, false), REFUSAL_NONE);
    world->programme.expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 2 };
    assert_int_equal(act_buy(world, "2", 2000, false), REFUSAL_NONE);
    assert_int_equal(act_hold(world, "1", 12 * POINT), REFUSAL_NONE);
    assert_int_equal(act_hold(world, "2", 3 * POINT), REFUSAL_NONE);
    assert_int_equal(act_tag(world, "1", "staff", NULL), REFUSAL_NONE);
    assert_int_equal(act_tag(world, "2", "family", NULL), REFUSAL_NONE);
    assert_int_equal(act_add(world, "1", "100"), REFUSAL_NONE);
    struct account source;
    act_account_of(world, "1", &source);
    world->now += US_PER_DAY;
    assert_int_equal(act_merge(world, "1", "2"), REFUSAL_NONE);
    const struct event *event = &world->decision.event;
    assert_int_equal(event->merge.source, source.number);
    assert_int_equal(event->effects[1].balance, 0);
    struct account target;
    act_account_of(world, "2", &target);
    assert_int_equal(event->merge.target, target.number);
    assert_int_equal(target.balance, 50 * POINT);
    assert_int_equal(target.lifetime, 50 * POINT);
    assert_int_equal(target.card_count, 3);
    assert_int_equal(target.lot_count, 2);
    const struct lot *april = lot_of_day(&target, world_today(world) - 1 + 31);
    assert_non_null(april);
    assert_int_equal(april->points, 30 * POINT);
    assert_int_equal(april->held, 12 * POINT);
    assert_int_equal(target.hold_count, 2);
    const struct hold_part *parts;
    const struct account_hold *hold = account_hold(&target, source.holds[0].id, &parts);
    assert_non_null(hold);
    assert_int_equal(hold->deadline, source.holds[0].deadline);
    assert_int_equal(parts[0].lot, april->number);
    assert_true(account_has_tag(&target, "staff", 5));
    assert_true(account_has_tag(&target, "family", 6));
    /* "Cards follow, the source is closed." */
    static const char *const cards[] = { "1", "100", "2" };
    for (size_t i = 0; i < COUNT_OF(cards); i++) {
        struct account account;
        act_account_of(world, cards[i], &account);
        assert_int_equal(account.number, target.number);
    }
    world_free(world);
}

/* "Then debt is settled." */
static void merging_settles_debt(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        millipoints from, to;
        millipoints debt, balance;
    } rows[] = {
        { "the target owes", 150, -100, 0, 50 },       { "the source owes", -100, 150, 0, 50 },
        { "the target owes more", 60, -100, 40, -40 }, { "both owe", -30, -20, 50, -50 },
        { "the source has nothing", 0, 7, 0, 7 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = world_new(2);
        if (rows[i].from != 0)
            assert_int_equal(act_adjust(world, "1", rows[i].from * POINT, true), REFUSAL_NONE);
        if (rows[i].to != 0)
            assert_int_equal(act_adjust(world, "2", rows[i].to * POINT, true), REFUSAL_NONE);
        assert_refused(rows[i].what, act_merge(world, "1", "2"), REFUSAL_NONE);
        struct account account;
        act_account_of(world, "1", &account);
        assert_int_equal(account.debt, rows[i].debt * POINT);
        assert_int_equal(account.balance, rows[i].balance * POINT);
        world_free(world);
    }
}

/* "Repeating it changes nothing." */
static void merging_again_changes_nothing(void **state)
{
    (void)state;
    struct world *world = world_new(3);
    assert_int_equal(act_adjust(world, "1", 10 * POINT, false), REFUSAL_NONE);
    assert_int_equal(act_merge(world, "1", "2"), REFUSAL_NONE);
    static const char *const repeats[][2] = { { "1", "2" }, { "2", "1" }, { "2", "2" } };
    for (size_t i = 0; i < COUNT_OF(repeats); i++) {
        assert_int_equal(act_merge(world, repeats[i][0], repeats[i][1]), REFUSAL_NONE);
        const struct event *event = &world->decision.event;
        assert_int_equal(event->type, EVENT_MERGE);
        assert_int_equal(event->effect_count, 0);
        assert_int_equal(event->merge.source, event->merge.target);
        assert_int_equal(act_balance_of(world, "2"), 10 * POINT);
    }
    /* A chain of merges: all cards lead to the last. */
    assert_int_equal(act_merge(world, "2", "3"), REFUSAL_NONE);
    assert_int_equal(act_balance_of(world, "1"), 10 * POINT);
    struct account last;
    act_account_of(world, "1", &last);
    assert_int_equal(last.number, act_card_of(world, "3").account);
    world_free(world);
}

/* "The better tier and the target's PIN stay." */
static void better_tier_and_own_pin_stay(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        millipoints from, to; /* bonuses: silver from 10, gold from 100 */
        bool from_pin, to_pin;
        uint64_t tier;
    } rows[] = {
        { "gold into silver", 100, 10, true, false, 2 },
        { "silver into gold", 10, 100, false, true, 2 },
        { "silver into none", 10, 1, true, true, 1 },
        { "the sum carries more than either", 60, 50, false, false, 2 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = world_new(2);
        struct tiers *tiers = &world->programme.tiers;
        tiers->count = 2;
        tiers->basis = TIER_BY_POINTS;
        tiers->window = TIER_WINDOW_EVER;
        tiers->tiers[0] = (struct tier){ .name = "silver", .id = 1, .from = 10 * POINT };
        tiers->tiers[1] = (struct tier){ .name = "gold", .id = 2, .from = 100 * POINT };
        assert_int_equal(act_bonus(world, "1", rows[i].from * POINT), REFUSAL_NONE);
        assert_int_equal(act_bonus(world, "2", rows[i].to * POINT), REFUSAL_NONE);
        if (rows[i].from_pin)
            assert_int_equal(act_pin_set(world, "1", true), REFUSAL_NONE);
        if (rows[i].to_pin)
            assert_int_equal(act_pin_set(world, "2", true), REFUSAL_NONE);
        assert_int_equal(act_merge(world, "1", "2"), REFUSAL_NONE);
        struct account account;
        act_account_of(world, "2", &account);
        if (account.tier.id != rows[i].tier)
            fail_msg("%s: tier %d", rows[i].what, (int)account.tier.id);
        assert_int_equal(account.pin.set, rows[i].to_pin);
        world_free(world);
    }
}

/* --- tags, activation, PIN --- */

static void tags_are_set_once(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *set, *clear;
        uint32_t changes, tags;
    } rows[] = {
        { "set", "staff", NULL, 1, 1 },      { "set again", "staff", NULL, 0, 1 },
        { "another", "family", NULL, 1, 2 }, { "taken off", NULL, "staff", 1, 1 },
        { "again", NULL, "staff", 0, 1 },    { "first taken off, then set", "family", "family", 2, 1 },
    };
    struct world *world = world_new(1);
    struct account account;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_refused(rows[i].what, act_tag(world, "1", rows[i].set, rows[i].clear), REFUSAL_NONE);
        assert_int_equal(world->decision.event.effects[0].change_count, rows[i].changes);
        act_account_of(world, "1", &account);
        assert_int_equal(account.tag_count, rows[i].tags);
    }
    for (unsigned i = account.tag_count; i <= ACCOUNT_TAGS_MAX; i++) {
        char tag[8];
        (void)snprintf(tag, sizeof(tag), "tag%u", i);
        assert_refused(tag, act_tag(world, "1", tag, NULL),
                       i < ACCOUNT_TAGS_MAX ? REFUSAL_NONE : REFUSAL_OVER_LIMIT);
    }
    /* At the limit: one that is there, and one in place of another. */
    assert_int_equal(act_tag(world, "1", "family", NULL), REFUSAL_NONE);
    assert_int_equal(act_tag(world, "1", "staff", "family"), REFUSAL_NONE);
    world_free(world);
}

/* "`activate: true` (by the account, before the purchase)" */
static void offers_are_activated(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    local_day today = world_today(world);
    static const struct {
        const char *name;
        bool activate;
        local_day from, through; /* after today */
    } offers[] = {
        { "fish", true, -10, 0 },
        { "over", true, -10, -1 },
        { "next", true, 5, 9 },
        { "plain", false, -10, 10 },
    };
    world->programme.offer_count = COUNT_OF(offers);
    for (uint32_t i = 0; i < COUNT_OF(offers); i++) {
        struct offer *offer = &world->programme.offers[i];
        offer->kind = OFFER_MULTIPLY;
        offer->factor = 2000;
        (void)snprintf(offer->name, sizeof(offer->name), "%s", offers[i].name);
        offer->id = programme_id(text_of(offers[i].name));
        offer->activate = offers[i].activate;
        offer->period =
            (struct period){ .from = today + offers[i].from, .through = today + offers[i].through };
    }
    static const struct {
        const char *what;
        const char *card, *offer;
        bool off;
        enum refusal want;
        uint32_t changes, activated;
    } rows[] = {
        { "unknown card", "9", "meat", false, REFUSAL_UNKNOWN_CARD, 0, 0 },
        { "unknown offer", "1", "meat", false, REFUSAL_UNKNOWN_OFFER, 0, 0 },
        { "nothing to activate", "1", "plain", false, REFUSAL_NOT_OFFERED, 0, 0 },
        { "its period is over", "1", "over", false, REFUSAL_NOT_OFFERED, 0, 0 },
        { "its last day", "1", "fish", false, REFUSAL_NONE, 1, 1 },
        { "again", "1", "fish", false, REFUSAL_NONE, 0, 1 },
        { "before it begins", "1", "next", false, REFUSAL_NONE, 1, 2 },
        { "taken back", "1", "fish", true, REFUSAL_NONE, 1, 1 },
        { "taken back again", "1", "fish", true, REFUSAL_NONE, 0, 1 },
        { "taken back when it is over", "1", "over", true, REFUSAL_NONE, 0, 1 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_refused(rows[i].what, act_activate(world, rows[i].card, rows[i].offer, rows[i].off),
                       rows[i].want);
        struct account account;
        act_account_of(world, "1", &account);
        assert_int_equal(account.activated_count, rows[i].activated);
        if (rows[i].want == REFUSAL_NONE)
            assert_int_equal(world->decision.event.effects[0].change_count, rows[i].changes);
    }
    world_free(world);
}

/* "Three wrong ones in a row lock redemption until the office sets a new one." */
static void pins_are_counted(void **state)
{
    (void)state;
    struct world *world = world_new(2);
    struct account account;
    assert_int_equal(act_pin_try(world, "9"), REFUSAL_UNKNOWN_CARD);
    assert_int_equal(act_pin_try(world, "1"), REFUSAL_NOTHING_TO_DO);
    assert_int_equal(act_pin_set(world, "1", true), REFUSAL_NONE);
    for (int turn = 0; turn < 2; turn++) {
        for (unsigned tried = 1; tried <= PIN_TRIES; tried++) {
            assert_int_equal(act_pin_try(world, "1"), REFUSAL_NONE);
            act_account_of(world, "1", &account);
            assert_int_equal(account.pin.wrong, tried);
        }
        assert_int_equal(act_pin_try(world, "1"), REFUSAL_PIN_LOCKED);
        assert_int_equal(act_pin_set(world, "1", true), REFUSAL_NONE);
        act_account_of(world, "1", &account);
        assert_true(account.pin.set);
        assert_int_equal(account.pin.wrong, 0);
        assert_int_equal(account.pin.hash[0], 2);
    }
    assert_int_equal(act_pin_set(world, "1", false), REFUSAL_NONE);
    act_account_of(world, "1", &account);
    assert_false(account.pin.set);
    assert_int_equal(account.pin.hash[0], 0);
    assert_int_equal(act_card(world, CARD_ACT_BLOCK, "1"), REFUSAL_NONE);
    assert_int_equal(act_pin_try(world, "1"), REFUSAL_CARD_BLOCKED);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_are_judged),
        cmocka_unit_test(transfers_are_judged),
        cmocka_unit_test(transferred_lots_keep_their_dates),
        cmocka_unit_test(transfers_move_tiers_by_balance),
        cmocka_unit_test(merging_adds_up),
        cmocka_unit_test(merging_settles_debt),
        cmocka_unit_test(merging_again_changes_nothing),
        cmocka_unit_test(better_tier_and_own_pin_stay),
        cmocka_unit_test(tags_are_set_once),
        cmocka_unit_test(offers_are_activated),
        cmocka_unit_test(pins_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
