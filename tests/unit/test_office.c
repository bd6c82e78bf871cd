/* What the office does with points: adjustments, bonuses, write-offs (DOMAIN.md, Back office). */
#include "points_acts.h"

/* Each row breaks one rule fewer than the row above it. */
static void adjustments_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *card, *reason, *role;
        millipoints points; /* the account has 50 */
        bool allow_debt, approved;
        enum refusal want;
    } rows[] = {
        { "unknown card", "9", "whim", "clerk", -60, false, false, REFUSAL_UNKNOWN_CARD },
        { "closed card", "2", "whim", "clerk", -60, false, false, REFUSAL_CARD_CLOSED },
        { "a reason that the list does not have", "1", "whim", "clerk", -60, false, false,
          REFUSAL_UNKNOWN_REASON },
        { "free points only", "1", "goodwill", "clerk", -60, false, false, REFUSAL_NOT_ENOUGH_POINTS },
        { "above the limit of the role, down", "1", "goodwill", "clerk", -60, true, false,
          REFUSAL_NEEDS_APPROVAL },
        { "above the limit of the role, up", "1", "goodwill", "clerk", 41, false, false,
          REFUSAL_NEEDS_APPROVAL },
        { "more than an account can hold", "1", "goodwill", "admin", MILLIPOINTS_MAX / POINT, false, false,
          REFUSAL_OVER_LIMIT },
        { "at the limit of the role", "1", "goodwill", "clerk", 40, false, false, REFUSAL_NONE },
        { "approved", "1", "goodwill", "clerk", -60, true, true, REFUSAL_NONE },
        { "a role without a limit", "1", "goodwill", "owner", -60, true, false, REFUSAL_NONE },
        { "none applies to admin", "1", "goodwill", "admin", 60, false, false, REFUSAL_NONE },
        { "a blocked card", "3", "goodwill", "clerk", 1, false, false, REFUSAL_NONE },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = world_new(3);
        assert_int_equal(act_adjust(world, "1", 50 * POINT, false), REFUSAL_NONE);
        assert_int_equal(act_card(world, CARD_ACT_CLOSE, "2"), REFUSAL_NONE);
        assert_int_equal(act_card(world, CARD_ACT_BLOCK, "3"), REFUSAL_NONE);
        world->programme.role_limits[ROLE_LIMIT_ADJUST] = (struct role_limits){
            .count = 2, .of = { { .role = "clerk", .most = 40 * POINT }, { .role = "admin", .most = POINT } }
        };
        struct judgement judgement = { .now = world->now,
                                       .role = text_of(rows[i].role),
                                       .approved = rows[i].approved };
        struct adjust_request request = { .card = text_of(rows[i].card),
                                          .points = rows[i].points * POINT,
                                          .reason = text_of(rows[i].reason),
                                          .allow_debt = rows[i].allow_debt };
        decide_adjust(&world->view, &judgement, &request, &world->decision);
        assert_refused(rows[i].what, world->decision.refusal, rows[i].want);
        if (rows[i].want == REFUSAL_NOT_ENOUGH_POINTS) {
            assert_int_equal(world->decision.needed, 60 * POINT);
            assert_int_equal(world->decision.available, 50 * POINT);
        }
        world_book(world);
        world_free(world);
    }
}

/* "It takes free points in spending order; below zero only with --allow-debt." */
static void adjusting_down_spends_in_order(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    static const uint32_t months[] = { 0, 6, 3 }; /* never, then June's, then March's */
    static const millipoints points[] = { 100, 300, 200 };
    for (size_t i = 0; i < COUNT_OF(months); i++) {
        world->programme.expiry =
            (struct expiry){ .kind = months[i] > 0 ? EXPIRY_MONTHS : EXPIRY_NEVER, .months = months[i] };
        assert_int_equal(act_adjust(world, "1", points[i] * POINT, false), REFUSAL_NONE);
    }
    struct account account;
    assert_int_equal(act_adjust(world, "1", -250 * POINT, false), REFUSAL_NONE);
    act_account_of(world, "1", &account);
    assert_int_equal(account.lot_count, 2);
    assert_int_equal(account.lots[0].points, 100 * POINT);
    assert_int_equal(account.lots[1].points, 250 * POINT);
    assert_int_equal(act_adjust(world, "1", -300 * POINT, false), REFUSAL_NONE);
    act_account_of(world, "1", &account);
    assert_int_equal(account.lot_count, 1);
    assert_int_equal(account.lots[0].points, 50 * POINT);
    /* What is held is not free. */
    assert_int_equal(act_hold(world, "1", 20 * POINT), REFUSAL_NONE);
    assert_int_equal(act_adjust(world, "1", -31 * POINT, false), REFUSAL_NOT_ENOUGH_POINTS);
    assert_int_equal(world->decision.available, 30 * POINT);
    assert_int_equal(act_adjust(world, "1", -31 * POINT, true), REFUSAL_NONE);
    act_account_of(world, "1", &account);
    assert_int_equal(account.debt, 1 * POINT);
    assert_int_equal(account.balance, 19 * POINT);
    world_free(world);
}

/* "One that adds makes a lot with today's expiry, matured at once; it settles debt and counts for no tier." */
static void adjusting_up_makes_a_lot(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct programme *programme = &world->programme;
    local_day today = world_today(world);
    programme->mature_days = 14;
    programme->expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 1 };
    programme->tiers.count = 1;
    programme->tiers.basis = TIER_BY_POINTS;
    programme->tiers.window = TIER_WINDOW_EVER;
    programme->tiers.tiers[0] = (struct tier){ .name = "gold", .id = 7, .from = 10 * POINT };
    assert_int_equal(act_adjust(world, "1", -20 * POINT, true), REFUSAL_NONE);
    assert_int_equal(act_adjust(world, "1", 50 * POINT, false), REFUSAL_NONE);
    struct account account;
    act_account_of(world, "1", &account);
    assert_int_equal(world->decision.event.effects[0].debt_settled, 20 * POINT);
    assert_int_equal(world->decision.event.effects[0].change, 50 * POINT);
    assert_int_equal(account.debt, 0);
    assert_int_equal(account.lot_count, 1);
    assert_int_equal(account.lots[0].points, 30 * POINT);
    assert_int_equal(account.lots[0].matures, today);
    assert_int_equal(account.lots[0].last_day, today + 31); /* 10 March to 10 April */
    assert_false(account.lots[0].pending);
    assert_int_equal(account.lifetime, 0);
    assert_int_equal(account.tier.id, 0);
    assert_int_equal(account.ever.points, 0);
    world_free(world);
}

/* "A bonus is an award without a purchase." */
static void bonus_is_an_award(void **state)
{
    (void)state;
    struct world *world = world_new(2);
    struct programme *programme = &world->programme;
    local_day today = world_today(world);
    programme->tiers.count = 1;
    programme->tiers.basis = TIER_BY_POINTS;
    programme->tiers.window = TIER_WINDOW_EVER;
    programme->tiers.tiers[0] = (struct tier){ .name = "gold", .id = 7, .from = 50 * POINT };
    struct account account;
    /* It settles debt, and counts in whole. */
    assert_int_equal(act_adjust(world, "1", -20 * POINT, true), REFUSAL_NONE);
    assert_int_equal(act_bonus(world, "1", 50 * POINT), REFUSAL_NONE);
    assert_int_equal(world->decision.event.type, EVENT_BONUS);
    assert_int_equal(world->decision.event.bonus.programme_version, programme->version);
    act_account_of(world, "1", &account);
    assert_int_equal(account.balance, 30 * POINT);
    assert_int_equal(account.ever.points, 50 * POINT);
    assert_int_equal(account.tier.id, 7);
    assert_int_equal(account.lifetime, 0);
    assert_false(account.lots[0].by_purchase);
    /* Pending, it settles nothing and counts on the day it matures. */
    programme->mature_days = 3;
    assert_int_equal(act_adjust(world, "2", -20 * POINT, true), REFUSAL_NONE);
    assert_int_equal(act_bonus(world, "2", 50 * POINT), REFUSAL_NONE);
    act_account_of(world, "2", &account);
    assert_int_equal(account.debt, 20 * POINT);
    assert_int_equal(account.tier.id, 0);
    assert_int_equal(account.lots[0].matures, today + 3);
    assert_true(account.lots[0].pending);
    world->now += 3 * US_PER_DAY;
    assert_int_equal(act_tag(world, "2", "x", NULL), REFUSAL_NONE);
    act_account_of(world, "2", &account);
    assert_int_equal(account.debt, 0);
    assert_int_equal(account.balance, 30 * POINT);
    assert_int_equal(account.tier.id, 7);
    world_free(world);
}

/* Transfers are judged with the accounts. */
static void bonuses_are_judged(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *card, *reason;
        millipoints points;
        enum refusal want;
    } rows[] = {
        { "unknown card", "9", "whim", MILLIPOINTS_MAX, REFUSAL_UNKNOWN_CARD },
        { "closed card", "2", "whim", MILLIPOINTS_MAX, REFUSAL_CARD_CLOSED },
        { "reason", "1", "whim", MILLIPOINTS_MAX, REFUSAL_UNKNOWN_REASON },
        { "more than an account can hold", "1", "goodwill", MILLIPOINTS_MAX, REFUSAL_OVER_LIMIT },
        { "a bonus", "1", "goodwill", POINT, REFUSAL_NONE },
    };
    struct world *world = world_new(2);
    assert_int_equal(act_bonus(world, "1", POINT), REFUSAL_NONE);
    assert_int_equal(act_card(world, CARD_ACT_CLOSE, "2"), REFUSAL_NONE);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct judgement judgement = { .now = world->now };
        struct bonus_request request = { .card = text_of(rows[i].card),
                                         .points = rows[i].points,
                                         .reason = text_of(rows[i].reason) };
        decide_bonus(&world->view, &judgement, &request, &world->decision);
        assert_refused(rows[i].what, world->decision.refusal, rows[i].want);
    }
    world_free(world);
}

/* "write-off of debt" */
static void debts_are_written_off(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *card, *reason;
        millipoints points;
        enum refusal want;
        millipoints written_off;
    } rows[] = {
        { "unknown card", "9", "whim", 0, REFUSAL_UNKNOWN_CARD, 0 },
        { "reason", "2", "whim", 0, REFUSAL_UNKNOWN_REASON, 0 },
        { "nothing is owed", "2", "goodwill", 0, REFUSAL_NOTHING_TO_DO, 0 },
        { "all", "1", "goodwill", 0, REFUSAL_NONE, 30 * POINT },
        { "a part", "1", "goodwill", 12 * POINT, REFUSAL_NONE, 12 * POINT },
        { "more than is owed", "1", "goodwill", 31 * POINT, REFUSAL_NONE, 30 * POINT },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = world_new(2);
        assert_int_equal(act_adjust(world, "1", -10 * POINT, true), REFUSAL_NONE);
        assert_int_equal(act_adjust(world, "1", -20 * POINT, true), REFUSAL_NONE);
        struct judgement judgement = { .now = world->now };
        struct write_off_request request = { .card = text_of(rows[i].card),
                                             .points = rows[i].points,
                                             .reason = text_of(rows[i].reason) };
        decide_write_off(&world->view, &judgement, &request, &world->decision);
        assert_refused(rows[i].what, world->decision.refusal, rows[i].want);
        world_book(world);
        struct account account;
        act_account_of(world, "1", &account);
        assert_int_equal(account.debt, 30 * POINT - rows[i].written_off);
        if (rows[i].want == REFUSAL_NONE) {
            assert_int_equal(world->decision.event.write_off.points, rows[i].written_off);
            assert_int_equal(world->decision.event.effects[0].debt_forgiven, rows[i].written_off);
            /* The oldest first. */
            assert_int_equal(account.debt_count, account.debt > 0 ? 1 : 0);
        }
        world_free(world);
    }
}

/* Of the acts that a role may do only so much of, one each; the account has 50 points, or owes 30. */
enum limited { ADJUST, BONUS, TRANSFER, WRITE_OFF, UNLINKED };

static enum refusal act_limited(struct world *world, const struct judgement *judgement, enum limited act,
                                int64_t size)
{
    struct text card = TEXT_LITERAL("1");
    struct text reason = TEXT_LITERAL("goodwill");
    struct decision *decision = &world->decision;
    struct adjust_request adjust = { .card = card, .points = size, .reason = reason, .allow_debt = true };
    struct bonus_request bonus = { .card = card, .points = size, .reason = reason };
    struct transfer_request transfer = {
        .from_card = card, .to_card = TEXT_LITERAL("2"), .points = size, .reason = reason
    };
    struct write_off_request write_off = { .card = TEXT_LITERAL("3"), .points = size, .reason = reason };
    struct unlinked_return_request unlinked = { .card = card, .amount = size };
    switch (act) {
    case ADJUST:
        decide_adjust(&world->view, judgement, &adjust, decision);
        break;
    case BONUS:
        decide_bonus(&world->view, judgement, &bonus, decision);
        break;
    case TRANSFER:
        decide_transfer(&world->view, judgement, &transfer, decision);
        break;
    case WRITE_OFF:
        decide_write_off(&world->view, judgement, &write_off, decision);
        break;
    case UNLINKED:
        decide_unlinked_return(&world->view, judgement, &unlinked, decision);
        break;
    }
    return decision->refusal;
}

/*
 * Each limit at its edge: a role in the list, one that is not, the administrator; approved, and what has happened, which
 * only goods can: no flag of a request takes points past a limit.
 */
static void roles_have_limits(void **state)
{
    (void)state;
    static const struct {
        enum limited act;
        int64_t at, above;
    } rows[] = {
        { ADJUST, 40 * POINT, 41 * POINT },    { ADJUST, -40 * POINT, -41 * POINT },
        { BONUS, 40 * POINT, 41 * POINT },     { TRANSFER, 40 * POINT, 41 * POINT },
        { WRITE_OFF, 20 * POINT, 21 * POINT }, { UNLINKED, 500, 501 },
    };
    static const struct {
        const char *role;
        bool approved;
        uint32_t flags;
        enum refusal above;
    } who[] = {
        { "office", false, 0, REFUSAL_NEEDS_APPROVAL },
        { "office", true, 0, REFUSAL_NONE },
        { "office", false, EVENT_FLAG_ADVICE, REFUSAL_NEEDS_APPROVAL },
        { "supervisor", false, 0, REFUSAL_NONE },
        { "admin", false, 0, REFUSAL_NONE },
    };
    struct world *world = world_new(3);
    assert_int_equal(act_adjust(world, "1", 50 * POINT, false), REFUSAL_NONE);
    assert_int_equal(act_adjust(world, "3", -30 * POINT, true), REFUSAL_NONE);
    static const int64_t most[ROLE_LIMIT_KINDS] = { 40 * POINT, 500, 20 * POINT };
    for (size_t kind = 0; kind < ROLE_LIMIT_KINDS; kind++)
        world->programme.role_limits[kind] = (struct role_limits){
            .count = 2,
            .of = { { .role = "office", .most = most[kind] }, { .role = "admin", .most = 0 } },
        };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t j = 0; j < COUNT_OF(who); j++) {
            struct judgement judgement = { .now = world->now,
                                           .flags = who[j].flags,
                                           .role = text_of(who[j].role),
                                           .approved = who[j].approved };
            assert_int_equal(act_limited(world, &judgement, rows[i].act, rows[i].at), REFUSAL_NONE);
            bool happened = rows[i].act == UNLINKED && (who[j].flags & EVENT_FLAG_ADVICE) != 0;
            assert_refused(who[j].role, act_limited(world, &judgement, rows[i].act, rows[i].above),
                           happened ? REFUSAL_NONE : who[j].above);
        }
    }
    world_free(world);
}

/* Below zero counts by itself: 10 points that are there and 21 that are not are within what may be adjusted. */
static void debt_has_a_limit_of_its_own(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    assert_int_equal(act_adjust(world, "1", 10 * POINT, false), REFUSAL_NONE);
    world->programme.role_limits[ROLE_LIMIT_DEBT] =
        (struct role_limits){ .count = 1, .of = { { .role = "office", .most = 20 * POINT } } };
    struct judgement judgement = { .now = world->now, .role = TEXT_LITERAL("office") };
    assert_int_equal(act_limited(world, &judgement, ADJUST, -30 * POINT), REFUSAL_NONE);
    assert_int_equal(act_limited(world, &judgement, ADJUST, -31 * POINT), REFUSAL_NEEDS_APPROVAL);
    assert_int_equal(act_limited(world, &judgement, ADJUST, 31 * POINT), REFUSAL_NONE);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adjustments_are_judged),   cmocka_unit_test(adjusting_down_spends_in_order),
        cmocka_unit_test(adjusting_up_makes_a_lot), cmocka_unit_test(bonus_is_an_award),
        cmocka_unit_test(bonuses_are_judged),       cmocka_unit_test(debts_are_written_off),
        cmocka_unit_test(roles_have_limits),        cmocka_unit_test(debt_has_a_limit_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
