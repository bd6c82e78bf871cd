/* Purchases as they are booked: on which account, with what they redeem, at which tier, under which limits. */
#include <string.h>

#include "points_world.h"

#define POINT MILLIPOINTS_PER_POINT

static void set_balance(struct world *world, uint32_t card, millipoints points)
{
    struct account *account = &world->accounts[card];
    account->lots[account->lot_count++] = (struct lot){ .number = account->next_lot++,
                                                        .points = points,
                                                        .earned = world_today(world),
                                                        .matures = world_today(world),
                                                        .last_day = DAY_NEVER };
    account->balance += points;
}

static struct world_event *buy(struct world *world, const struct purchase_request *request)
{
    world_ask(world, decide_purchase, request);
    return world_book(world);
}

/* --- which account --- */

struct card_row {
    const char *what;
    minor_units lines; /* what the line of a receipt of 10.00 comes to */
    const char *card;
    enum card_status status; /* of card "1" */
    bool closed;             /* its account */
    uint32_t may_earn;
    enum refusal want;
};

/* Each row breaks one rule fewer than the one above. */
static const struct card_row card_rows[] = {
    { "lines that do not add up", 999, "77", CARD_CLOSED, true, 0, REFUSAL_LINES_MISMATCH },
    { "unknown card", 1000, "77", CARD_CLOSED, true, 0, REFUSAL_UNKNOWN_CARD },
    { "suspense", 1000, "1", CARD_SUSPENSE, true, 0, REFUSAL_UNKNOWN_CARD },
    { "closed", 1000, "1", CARD_CLOSED, true, 0, REFUSAL_CARD_CLOSED },
    { "replaced", 1000, "1", CARD_REPLACED, true, 0, REFUSAL_CARD_REPLACED },
    { "blocked, which may not earn", 1000, "1", CARD_BLOCKED, true, 0, REFUSAL_CARD_BLOCKED },
    { "the account is closed", 1000, "1", CARD_BLOCKED, true, 1U << CARD_BLOCKED, REFUSAL_ACCOUNT_CLOSED },
    { "blocked, which may earn", 1000, "1", CARD_BLOCKED, false, 1U << CARD_BLOCKED, REFUSAL_NONE },
    { "active", 1000, "1", CARD_ACTIVE, false, 1U << CARD_ACTIVE, REFUSAL_NONE },
};

static void cards_that_may_earn(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(card_rows); i++) {
        const struct card_row *row = &card_rows[i];
        struct world *world = world_new(1);
        world->cards[0].status = row->status;
        world->accounts[0].closed = row->closed;
        world->programme.may_earn = row->may_earn;
        struct sale_line line = { .quantity = 1000, .amount = row->lines };
        struct purchase_request request = {
            .card = text_of(row->card), .amount = 1000, .line_count = 1, .lines = &line
        };
        struct world_event *sale = buy(world, &request);
        if (world->decision.refusal != row->want || (sale != NULL) != (row->want == REFUSAL_NONE))
            fail_msg("(Cards and accounts) %s: %d", row->what, (int)world->decision.refusal);
        assert_int_equal(world->accounts[0].balance, sale == NULL ? 0 : 10 * POINT);
        world_free(world);
    }
}

/* (Cards and accounts) An advice is never refused: it is rated and booked to suspense under that number. */
static void advices_of_unknown_cards(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct purchase_request request = { .card = TEXT_LITERAL("77"), .amount = 1000 };
    world->flags = EVENT_FLAG_ADVICE;
    struct world_event *sale = buy(world, &request);
    assert_non_null(sale);
    assert_int_equal(sale->event.flags, EVENT_FLAG_ADVICE | EVENT_FLAG_SUSPENSE);
    assert_true(sale->event.suspense.new_card);
    assert_int_equal(sale->event.card, 2);
    assert_int_equal(sale->event.effects[0].account, 2);
    assert_int_equal(world->accounts[1].balance, 10 * POINT);
    assert_true(world->accounts[1].suspense);
    /* The next one finds it. */
    sale = buy(world, &request);
    assert_int_equal(sale->event.flags, EVENT_FLAG_ADVICE | EVENT_FLAG_SUSPENSE);
    assert_int_equal(sale->event.suspense.number.size, 0);
    assert_int_equal(sale->event.card, 2);
    assert_int_equal(world->accounts[1].balance, 20 * POINT);
    /* Online it is refused. */
    world->flags = 0;
    assert_null(buy(world, &request));
    assert_int_equal(world->decision.refusal, REFUSAL_UNKNOWN_CARD);
    assert_int_equal(world->account_count, 2);
    world_free(world);
}

static void advices_of_cards_that_may_not_earn(void **state)
{
    (void)state;
    const enum card_status statuses[] = { CARD_BLOCKED, CARD_CLOSED };
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        struct world *world = world_new(1);
        world->programme.may_earn = 1U << CARD_ACTIVE;
        world->cards[0].status = statuses[i];
        world->flags = EVENT_FLAG_ADVICE;
        for (uint32_t k = 1; k < 3; k++) {
            struct world_event *sale = world_purchase(world, 0, 1000, 0, NULL);
            assert_int_equal(sale->event.flags, EVENT_FLAG_ADVICE | EVENT_FLAG_SUSPENSE);
            assert_int_equal(sale->event.suspense.number.size, k == 1 ? 1 : 0);
            assert_false(sale->event.suspense.new_card);
            assert_int_equal(sale->event.card, 1);
            assert_int_equal(sale->event.effects[0].account, 2);
            assert_int_equal(world->accounts[1].balance, k * 10 * POINT);
        }
        assert_int_equal(world->accounts[0].balance, 0);
        assert_int_equal(world->cards[0].suspense, 2);
        world_free(world);
    }
}

/* (Cards and accounts) From a replaced card at once; if its account is closed, in suspense. */
static void advices_of_replaced_cards(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->cards[0].status = CARD_REPLACED;
    world->flags = EVENT_FLAG_ADVICE;
    struct world_event *sale = world_purchase(world, 0, 1000, 0, NULL);
    assert_int_equal(sale->event.flags, EVENT_FLAG_ADVICE);
    assert_int_equal(sale->event.card, 1);
    assert_int_equal(world->accounts[0].balance, 10 * POINT);
    world->accounts[0].closed = true;
    sale = world_purchase(world, 0, 1000, 0, NULL);
    assert_int_equal(sale->event.flags, EVENT_FLAG_ADVICE | EVENT_FLAG_SUSPENSE);
    assert_int_equal(sale->event.effects[0].account, 2);
    world_free(world);
}

/* (Earning) A quote without a card rates a new account. */
static void quotes_of_nobody(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.rules[0].filter.tiers = 1U << 0;
    struct purchase_request request = { .amount = 1000 };
    world_ask(world, decide_purchase, &request);
    assert_int_equal(world->decision.refusal, REFUSAL_NONE);
    assert_int_equal(world->decision.event.purchase.earned, 10 * POINT);
    assert_int_equal(world->decision.sides[0].after.balance, 10 * POINT);
    world_free(world);
}

/* --- what it redeems --- */

/* (examples) 106.00, of which 50.00 paid with 50 points, balance before 59, 1 point per 1.00: earns 56, balance 65. */
static void points_never_earn(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    set_balance(world, 0, 59 * POINT);
    world->programme.worth_amount = 100;
    struct wish wish = { .points = 50 * POINT };
    struct purchase_request request = {
        .card = world_card(0), .amount = 10600, .wish_count = 1, .wishes = &wish
    };
    struct world_event *sale = buy(world, &request);
    assert_non_null(sale);
    assert_int_equal(sale->event.purchase.earned, 56 * POINT);
    assert_int_equal(sale->event.purchase.paid, 5000);
    assert_int_equal(sale->event.purchase.base, 5600);
    assert_int_equal(sale->event.purchase.redemptions[0].points, 50 * POINT);
    assert_int_equal(world->accounts[0].balance, 65 * POINT);
    assert_int_equal(world->accounts[0].lifetime, 56 * POINT);
    world_free(world);
}

/* (Redeeming) Several share the bill: never more than it. */
static void wishes_share_the_bill(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    set_balance(world, 0, 500 * POINT);
    world->programme.worth_amount = 100;
    struct wish wishes[] = { { .points = 7 * POINT }, { .points = 100 * POINT }, { .points = POINT } };
    struct purchase_request request = {
        .card = world_card(0), .amount = 1000, .wish_count = 2, .wishes = wishes
    };
    struct world_event *sale = buy(world, &request);
    assert_int_equal(sale->event.purchase.redemptions[1].points, 3 * POINT);
    assert_int_equal(sale->event.purchase.paid, 1000);
    assert_int_equal(sale->event.purchase.earned, 0);
    assert_int_equal(sale->event.purchase.part_count, 0);
    assert_int_equal(sale->event.purchase.lot, 0);
    assert_int_equal(world->accounts[0].balance, 490 * POINT);
    /* Nothing is left to pay for the third: all of it is refused. */
    request.wish_count = 3;
    assert_null(buy(world, &request));
    assert_int_equal(world->decision.refusal, REFUSAL_BELOW_MINIMUM);
    assert_int_equal(world->accounts[0].balance, 490 * POINT);
    world_free(world);
}

/* (Redeeming) Before its award, or after it with spend_earned: then a receipt may spend what it earns. */
static void spend_what_it_earns(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct wish wish = { .points = 50 * POINT };
    struct purchase_request request = {
        .card = world_card(0), .amount = 10000, .wish_count = 1, .wishes = &wish
    };
    assert_null(buy(world, &request));
    assert_int_equal(world->decision.refusal, REFUSAL_NOT_ENOUGH_POINTS);
    assert_int_equal(world->decision.needed, 50 * POINT);
    assert_int_equal(world->decision.available, 0);
    world->programme.spend_earned = true;
    struct world_event *sale = buy(world, &request);
    assert_non_null(sale);
    assert_int_equal(sale->event.purchase.paid, 50);
    assert_int_equal(sale->event.purchase.earned, 99 * POINT);
    assert_int_equal(sale->event.flags, 0);
    assert_int_equal(world->accounts[0].balance, 49 * POINT);
    wish.points = 148 * POINT;
    assert_null(buy(world, &request));
    assert_int_equal(world->decision.refusal, REFUSAL_NOT_ENOUGH_POINTS);
    assert_int_equal(world->decision.needed, 148 * POINT);
    assert_int_equal(world->decision.available, 147 * POINT);
    wish.points = 147 * POINT;
    assert_non_null(buy(world, &request));
    assert_int_equal(world->accounts[0].balance, 0);
    world_free(world);
}

/* (Redeeming) An advice books what it redeems as far as points are free; the rest is the merchant's shortfall. */
static void advices_that_redeem_too_much(void **state)
{
    (void)state;
    for (int after = 0; after < 2; after++) {
        struct world *world = world_new(1);
        world->programme.spend_earned = after != 0;
        set_balance(world, 0, 20 * POINT);
        world->flags = EVENT_FLAG_ADVICE;
        struct wish wish = { .points = 1000 * POINT };
        struct purchase_request request = {
            .card = world_card(0), .amount = 2000, .wish_count = 1, .wishes = &wish
        };
        struct world_event *sale = buy(world, &request);
        assert_int_equal(sale->event.flags, EVENT_FLAG_ADVICE | EVENT_FLAG_SHORTFALL);
        assert_int_equal(sale->event.purchase.paid, 1000);
        assert_int_equal(sale->event.purchase.earned, 10 * POINT);
        millipoints taken = after ? 30 * POINT : 20 * POINT;
        assert_int_equal(sale->event.purchase.redemptions[0].points, taken);
        assert_int_equal(sale->event.purchase.redemptions[0].shortfall, 1000 * POINT - taken);
        assert_int_equal(world->accounts[0].balance, 30 * POINT - taken);
        world_free(world);
    }
}

/* (Cards and accounts) Blocked cards earn and may not spend; what was set aside before may be captured. */
static void blocked_cards_that_redeem(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    set_balance(world, 0, 100 * POINT);
    struct hold_request hold = { .card = world_card(0), .wish = { .points = 40 * POINT } };
    world_ask(world, decide_hold, &hold);
    struct world_event *held = world_book(world);
    assert_non_null(held);
    world->cards[0].status = CARD_BLOCKED;
    struct wish wish = { .points = 10 * POINT };
    struct purchase_request request = {
        .card = world_card(0), .amount = 1000, .wish_count = 1, .wishes = &wish
    };
    assert_null(buy(world, &request));
    assert_int_equal(world->decision.refusal, REFUSAL_CARD_BLOCKED);
    wish = (struct wish){ .hold = held->position, .points = 30 * POINT };
    for (int after = 0; after < 2; after++) {
        world->programme.spend_earned = after != 0;
        struct world_event *sale = buy(world, &request);
        if (after != 0) {
            /* A hold ends once. */
            assert_null(sale);
            assert_int_equal(world->decision.refusal, REFUSAL_HOLD_ENDED);
            continue;
        }
        assert_non_null(sale);
        assert_int_equal(sale->event.purchase.redemptions[0].hold, held->position);
        assert_int_equal(sale->event.purchase.paid, 30);
        assert_int_equal(world->accounts[0].balance, 79 * POINT);
    }
    /* As an advice it happened: nothing is taken, and it earns. */
    world->flags = EVENT_FLAG_ADVICE;
    wish = (struct wish){ .points = 10 * POINT };
    struct world_event *sale = buy(world, &request);
    assert_int_equal(sale->event.purchase.redemptions[0].points, 0);
    assert_int_equal(sale->event.purchase.redemptions[0].shortfall, 10 * POINT);
    assert_int_equal(world->accounts[0].balance, 88 * POINT);
    world_free(world);
}

/* (Redeeming) With spend_earned a capture comes before the award, what is direct after it. */
static void captures_with_spend_earned(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.spend_earned = true;
    set_balance(world, 0, 40 * POINT);
    struct hold_request hold = { .card = world_card(0), .wish = { .points = 40 * POINT } };
    world_ask(world, decide_hold, &hold);
    struct world_event *held = world_book(world);
    struct wish wishes[] = { { .points = 90 * POINT }, { .hold = held->position } };
    struct purchase_request request = {
        .card = world_card(0), .amount = 10000, .wish_count = 2, .wishes = wishes
    };
    struct world_event *sale = buy(world, &request);
    assert_non_null(sale);
    assert_int_equal(sale->event.purchase.redemption_count, 2);
    assert_int_equal(sale->event.purchase.redemptions[0].hold, held->position);
    assert_int_equal(sale->event.purchase.redemptions[1].points, 90 * POINT);
    assert_int_equal(sale->event.purchase.paid, 130);
    assert_int_equal(sale->event.purchase.earned, 98 * POINT);
    assert_int_equal(world->accounts[0].balance, 8 * POINT);
    world_free(world);
}

/* (Redeeming) Money off pays a part of the bill, unless a line of the receipt did already. */
static void rewards_that_take_money_off(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    set_balance(world, 0, 100 * POINT);
    struct reward *reward = &world->programme.rewards[world->programme.reward_count++];
    *reward = (struct reward){ .kind = REWARD_MONEY_OFF,
                               .name = "five off",
                               .id = 5,
                               .amount = 500,
                               .cost_points = 10 * POINT,
                               .per = 1,
                               .period = { .from = INT32_MIN, .through = DAY_NEVER } };
    struct wish wish = { .reward = TEXT_LITERAL("five off") };
    struct purchase_request request = {
        .card = world_card(0), .amount = 2000, .wish_count = 1, .wishes = &wish
    };
    struct world_event *sale = buy(world, &request);
    assert_int_equal(sale->event.purchase.paid, 500);
    assert_int_equal(sale->event.purchase.earned, 15 * POINT);
    struct sale_line lines[] = { { .quantity = 1000, .amount = 2000 },
                                 { .kind = LINE_REWARD, .amount = -500 } };
    request.amount = 1500;
    request.line_count = 2;
    request.lines = lines;
    wish.line = 2;
    sale = buy(world, &request);
    assert_int_equal(sale->event.purchase.paid, 0);
    assert_int_equal(sale->event.purchase.earned, 15 * POINT);
    assert_int_equal(world->accounts[0].balance, 110 * POINT);
    world_free(world);
}

/* --- the award --- */

/* (Tiers) A purchase's own spend or visit counts first, then it is rated at the tier reached. */
static void tiers_reached_with_it(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.tiers = (struct tiers){ .count = 1, .basis = TIER_BY_SPEND, .window = TIER_WINDOW_EVER };
    world->programme.tiers.tiers[0] = (struct tier){ .id = 9, .from = 10000, .factor = 2000 };
    struct world_event *sale = world_purchase(world, 0, 9999, 0, NULL);
    assert_int_equal(sale->event.purchase.earned, 99 * POINT);
    assert_int_equal(sale->event.purchase.tier, 0);
    sale = world_purchase(world, 0, 100, 0, NULL);
    assert_int_equal(sale->event.purchase.earned, 2 * POINT);
    assert_int_equal(sale->event.purchase.tier, 9);
    assert_int_equal(sale->event.effects[0].tier, 0);
    assert_int_equal(world->accounts[0].tier.id, 9);
    world->programme.tiers.basis = TIER_BY_VISITS;
    world->programme.tiers.tiers[0].from = 4;
    world->accounts[0].tier = (struct tier_state){ 0 };
    sale = world_purchase(world, 0, 100, 0, NULL);
    assert_int_equal(sale->event.purchase.earned, POINT);
    /* A receipt that earns nothing is no visit. */
    sale = world_purchase(world, 0, 99, 0, NULL);
    assert_int_equal(sale->event.purchase.tier, 0);
    sale = world_purchase(world, 0, 100, 0, NULL);
    assert_int_equal(sale->event.purchase.earned, 2 * POINT);
    world_free(world);
}

/* (Tiers) The rules of base points ask for the tier before it. */
static void rules_ask_for_the_tier_before(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.tiers = (struct tiers){ .count = 1, .basis = TIER_BY_SPEND, .window = TIER_WINDOW_EVER };
    world->programme.tiers.tiers[0] = (struct tier){ .id = 9, .from = 100, .factor = 1000 };
    world->programme.rules[1] = (struct base_rule){ .kind = RULE_VISIT, .points = 50 * POINT };
    world->programme.rules[1].filter.tiers = 1U << 1;
    world->programme.rule_count = 2;
    assert_int_equal(world_purchase(world, 0, 100, 0, NULL)->event.purchase.earned, POINT);
    assert_int_equal(world_purchase(world, 0, 100, 0, NULL)->event.purchase.earned, 50 * POINT);
    world_free(world);
}

/* (Earning) An offer at its limit gives way; caps count over the day, the month, and on the balance. */
static void limits_and_caps_over_purchases(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct programme *programme = &world->programme;
    programme->offer_count = 1;
    programme->offers[0] = (struct offer){ .kind = OFFER_MULTIPLY,
                                           .id = 3,
                                           .factor = 2000,
                                           .limit = { .window = WINDOW_DAY, .uses = 1 },
                                           .period = { .from = INT32_MIN, .through = DAY_NEVER } };
    programme->caps = (struct caps){ .day = 50 * POINT, .month = 80 * POINT, .balance = 100 * POINT };
    assert_int_equal(world_purchase(world, 0, 1000, 0, NULL)->event.purchase.earned, 20 * POINT);
    assert_int_equal(world_purchase(world, 0, 1000, 0, NULL)->event.purchase.earned, 10 * POINT);
    struct world_event *sale = world_purchase(world, 0, 3000, 0, NULL);
    assert_int_equal(sale->event.purchase.earned, 20 * POINT);
    assert_int_equal(sale->event.purchase.trimmed, 10 * POINT);
    world->now += US_PER_DAY;
    assert_int_equal(world_purchase(world, 0, 1000, 0, NULL)->event.purchase.earned, 20 * POINT);
    assert_int_equal(world_purchase(world, 0, 1500, 0, NULL)->event.purchase.earned, 10 * POINT);
    /* By the purchase's own day: yesterday's room is used up, the month's too; then the balance's is all. */
    struct purchase_request request = { .card = world_card(0),
                                        .amount = 9000,
                                        .time = world->now - US_PER_DAY };
    assert_int_equal(buy(world, &request)->event.purchase.earned, 0);
    world_go_to(world, 2026, 4, 1);
    assert_int_equal(world_purchase(world, 0, 9000, 0, NULL)->event.purchase.earned, 20 * POINT);
    assert_int_equal(world->accounts[0].balance, 100 * POINT);
    world_free(world);
}

/* (LEDGER.md, State) An older purchase counts into the oldest period that is kept, and is flagged. */
static void older_periods_are_flagged(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.caps.day = 50 * POINT;
    (void)world_purchase(world, 0, 1000, 0, NULL);
    world->now += US_PER_DAY;
    (void)world_purchase(world, 0, 1000, 0, NULL);
    struct purchase_request request = { .card = world_card(0),
                                        .amount = 4500,
                                        .time = world->now - 2 * US_PER_DAY };
    struct world_event *sale = buy(world, &request);
    assert_int_equal(sale->event.flags, EVENT_FLAG_OLD_PERIOD);
    assert_int_equal(sale->event.purchase.earned, 40 * POINT);
    world_free(world);
}

/* (Earning) A receipt that earns nothing is booked without an award. (Lots) Pending until it matures. */
static void awards_and_none(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    local_day today = world_today(world);
    struct world_event *sale = world_purchase(world, 0, 99, 0, NULL);
    assert_int_equal(sale->event.purchase.lot, 0);
    assert_int_equal(world->accounts[0].lot_count, 0);
    assert_int_equal(world->accounts[0].last_purchase, world->now);
    world->programme.mature_days = 14;
    struct purchase_request request = { .card = world_card(0),
                                        .amount = 1000,
                                        .time = world->now - 5 * US_PER_DAY };
    sale = buy(world, &request);
    assert_int_equal(sale->event.purchase.day, today - 5);
    assert_int_equal(sale->event.purchase.matures, today + 9);
    assert_int_equal(world_balance(world, 0).available, 0);
    assert_int_equal(world_balance(world, 0).pending, 10 * POINT);
    /* The last purchase stays the last. */
    assert_int_equal(world->accounts[0].last_purchase, world->now);
    assert_int_equal(world->accounts[0].last_purchase_day, today);
    /* A till's clock that is half a day ahead: what matures at once can be spent now. */
    world->programme.mature_days = 0;
    request.time = world->now + US_PER_DAY / 2;
    sale = buy(world, &request);
    assert_int_equal(sale->event.purchase.day, today + 1);
    assert_int_equal(world_balance(world, 0).available, 10 * POINT);
    world_free(world);
}

/* (examples) debt 100, then an award of 150: balance 50, one lot of 50. */
static void awards_settle_debt(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    assert_int_equal(world_adjust(world, 0, -100 * POINT, true), REFUSAL_NONE);
    struct world_event *sale = world_purchase(world, 0, 15000, 0, NULL);
    assert_int_equal(sale->event.purchase.earned, 150 * POINT);
    assert_int_equal(sale->event.purchase.settled, 100 * POINT);
    assert_int_equal(world->accounts[0].balance, 50 * POINT);
    assert_int_equal(world->accounts[0].lot_count, 1);
    assert_int_equal(world->accounts[0].lots[0].points, 50 * POINT);
    world_free(world);
}

/* (Earning) Stamps go to their purse, whatever the points do. */
static void stamps_go_to_their_purse(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct programme *programme = &world->programme;
    programme->purse_count = 2;
    programme->purses[1] = (struct purse){ .name = "coffee", .id = 8 };
    programme->offer_count = 1;
    programme->offers[0] = (struct offer){ .kind = OFFER_STAMP,
                                           .id = 3,
                                           .points = POINT,
                                           .per_unit = true,
                                           .purse = 1,
                                           .period = { .from = INT32_MIN, .through = DAY_NEVER } };
    struct sale_line line = { .quantity = 3000, .amount = 600 };
    struct world_event *sale = world_purchase(world, 0, 600, 1, &line);
    assert_int_equal(sale->event.purchase.earned, 6 * POINT);
    assert_int_equal(account_stamps(&world->accounts[0], 8)->count, 3 * POINT);
    programme->caps = (struct caps){ .receipt = POINT, .reject = true };
    sale = world_purchase(world, 0, 600, 1, &line);
    assert_int_equal(sale->event.purchase.earned, 0);
    assert_int_equal(account_stamps(&world->accounts[0], 8)->count, 6 * POINT);
    world_free(world);
}

/* (Numbers) Award and balance are below 10^12 points. */
static void more_than_an_account_holds(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.rules[0].points = MILLIPOINTS_MAX / 10;
    world->programme.decimals = 3;
    assert_null(world_purchase(world, 0, 1100, 0, NULL));
    assert_int_equal(world->decision.refusal, REFUSAL_OVER_LIMIT);
    assert_non_null(world_purchase(world, 0, 600, 0, NULL));
    assert_null(world_purchase(world, 0, 600, 0, NULL));
    assert_int_equal(world->decision.refusal, REFUSAL_OVER_LIMIT);
    world_free(world);
}

/* (Numbers) Rules are those of the time of the purchase. */
static void rated_by_the_rules_of_then(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct purchase_request request = { .card = world_card(0), .amount = 1000, .time = world->now - 1 };
    world_publish(world)->rules[0].points = 3 * POINT;
    struct world_event *sale = buy(world, &request);
    assert_int_equal(sale->event.purchase.programme_version, 1);
    assert_int_equal(sale->event.purchase.earned, 10 * POINT);
    request.time = 0;
    sale = buy(world, &request);
    assert_int_equal(sale->event.purchase.programme_version, 2);
    assert_int_equal(sale->event.purchase.earned, 30 * POINT);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cards_that_may_earn),
        cmocka_unit_test(advices_of_unknown_cards),
        cmocka_unit_test(advices_of_cards_that_may_not_earn),
        cmocka_unit_test(advices_of_replaced_cards),
        cmocka_unit_test(quotes_of_nobody),
        cmocka_unit_test(points_never_earn),
        cmocka_unit_test(wishes_share_the_bill),
        cmocka_unit_test(spend_what_it_earns),
        cmocka_unit_test(advices_that_redeem_too_much),
        cmocka_unit_test(blocked_cards_that_redeem),
        cmocka_unit_test(captures_with_spend_earned),
        cmocka_unit_test(rewards_that_take_money_off),
        cmocka_unit_test(tiers_reached_with_it),
        cmocka_unit_test(rules_ask_for_the_tier_before),
        cmocka_unit_test(limits_and_caps_over_purchases),
        cmocka_unit_test(older_periods_are_flagged),
        cmocka_unit_test(awards_and_none),
        cmocka_unit_test(awards_settle_debt),
        cmocka_unit_test(stamps_go_to_their_purse),
        cmocka_unit_test(more_than_an_account_holds),
        cmocka_unit_test(rated_by_the_rules_of_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
