/*
 * Rules of DOMAIN.md that more than one decision has to keep, each by the words that it has there: what is judged at the time
 * of the purchase and what on arrival, what suspense and blocked cards allow, and what is never capped.
 */
#include "goods_world.h"
#include "points_acts.h"

#define YESTERDAY (-US_PER_DAY)

/* A purchase of 10.00 of yesterday, which arrives now. */
static const struct purchase *late_purchase(struct world *world)
{
    struct purchase_request request = { .card = world_card(0),
                                        .amount = 1000,
                                        .time = world->now + YESTERDAY };
    world_ask(world, decide_purchase, &request);
    const struct world_event *booked = world_book(world);
    return booked == NULL ? NULL : &booked->event.purchase;
}

static struct offer *add_double(struct world *world)
{
    world->programme.offer_count = 1;
    world->programme.offers[0] = (struct offer){ .kind = OFFER_MULTIPLY,
                                                 .id = programme_id(TEXT_LITERAL("double")),
                                                 .name = "double",
                                                 .factor = 2000,
                                                 .period = { .from = INT32_MIN, .through = DAY_NEVER } };
    return &world->programme.offers[0];
}

/* --- "State is judged on arrival: status, tier, tags, balance, what is left of limits and caps" (Numbers) --- */

static void set_tag(struct world *world)
{
    add_double(world)->filter.has_tags = true;
    programme_word_add(&world->programme, TEXT_LITERAL("staff"))->tags = UINT64_C(1) << PROGRAMME_RULES_MAX;
    assert_int_equal(act_tag(world, "1", "staff", NULL), REFUSAL_NONE);
}

/* Reached by a purchase of today. */
static void set_tier(struct world *world)
{
    world->programme.tiers = (struct tiers){ .count = 1, .window = TIER_WINDOW_EVER };
    world->programme.tiers.tiers[0] = (struct tier){ .id = 1, .from = 5000, .factor = 1500 };
    (void)goods_bought(world, 0, 5000);
}

static void use_up_limit(struct world *world)
{
    add_double(world)->limit = (struct limit){ WINDOW_EVER, 1 };
    assert_int_equal(goods_bought(world, 0, 1000)->event.purchase.earned, 20 * POINT);
}

static void leave_three_under_cap(struct world *world)
{
    world->programme.caps.month = 10 * POINT;
    assert_int_equal(goods_bought(world, 0, 700)->event.purchase.earned, 7 * POINT);
}

static void leave_four_of_balance(struct world *world)
{
    world->programme.caps.balance = 100 * POINT;
    goods_give(world, 0, 96 * POINT);
}

static void settle_debt_meanwhile(struct world *world)
{
    goods_give(world, 0, -4 * POINT);
}

static void state_is_judged_on_arrival(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        void (*meanwhile)(struct world *world);
        millipoints earned, settled;
    } rows[] = {
        { "tags", set_tag, 20, 0 },
        { "tier", set_tier, 15, 0 },
        { "limits", use_up_limit, 10, 0 },
        { "caps", leave_three_under_cap, 3, 0 },
        { "balance", leave_four_of_balance, 4, 0 },
        { "debt", settle_debt_meanwhile, 10, 4 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = world_new(1);
        rows[i].meanwhile(world);
        const struct purchase *purchase = late_purchase(world);
        assert_non_null(purchase);
        if (purchase->earned != rows[i].earned * POINT || purchase->settled != rows[i].settled * POINT)
            fail_msg("%s: %lld", rows[i].what, (long long)purchase->earned);
        world_free(world);
    }
}

static void status_is_judged_on_arrival(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.may_earn = 1U << CARD_ACTIVE;
    world->now += US_PER_DAY;
    assert_int_equal(act_card(world, CARD_ACT_BLOCK, "1"), REFUSAL_NONE);
    assert_null(late_purchase(world));
    assert_int_equal(world->decision.refusal, REFUSAL_CARD_BLOCKED);
    world_free(world);
}

/* "The business date only names the receipt and closes the day" (Numbers): it moves nothing into another day. */
static void a_business_date_moves_nothing(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.caps.day = 10 * POINT;
    local_day today = world_today(world);
    for (local_day off = -1; off <= 1; off++) {
        struct purchase_request request = { .card = world_card(0),
                                            .amount = 1000,
                                            .document = { .business_date = today + off,
                                                          .number = { "R", 1 } } };
        world_ask(world, decide_purchase, &request);
        const struct world_event *booked = world_book(world);
        assert_int_equal(booked->event.document.business_date, today + off);
        assert_int_equal(booked->event.purchase.day, today);
        assert_int_equal(booked->event.purchase.earned, off == -1 ? 10 * POINT : 0);
    }
    world_free(world);
}

/* --- "Returns and reversals work on any status", and "in suspense" (Cards and accounts) --- */

/* Bought with the card of each status, and by advices of a card that nobody issued; then undone, whatever it is. */
static void reversals_work_on_any_status(void **state)
{
    (void)state;
    for (enum card_status status = CARD_ACTIVE; status <= CARD_SUSPENSE; status++) {
        struct world *world = world_new(1);
        bool issued = status != CARD_SUSPENSE;
        assert_int_equal(act_buy(world, issued ? "1" : "77", 1000, true), REFUSAL_NONE);
        const struct world_event *sale = world->sales[0];
        struct account *account = &world->accounts[sale->event.effects[0].account - 1];
        assert_int_equal(account->suspense, !issued);
        if (issued)
            world->cards[0].status = status;
        struct world_event *undone = goods_undo(world, sale);
        assert_non_null(undone);
        assert_int_equal(undone->event.reversal.taken, 10 * POINT);
        assert_int_equal(account->balance, 0);
        world_free(world);
    }
}

/* A return in suspense, and one after the points have joined the account of the card: due from where they are. */
static void returns_work_in_suspense(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    assert_int_equal(act_buy(world, "007", 1000, true), REFUSAL_NONE);
    struct world_event *sale = world->sales[0];
    struct return_request request = goods_request(world, 0, sale);
    request.card = TEXT_LITERAL("007");
    request.amount = 400;
    assert_non_null(goods_return(world, &request));
    assert_int_equal(world->accounts[1].balance, 6 * POINT);
    assert_int_equal(act_issue(world, "007", 1, true), REFUSAL_NONE);
    request = goods_request(world, 0, sale);
    request.card = TEXT_LITERAL("007");
    request.amount = 600;
    assert_non_null(goods_return(world, &request));
    assert_int_equal(act_balance_of(world, "007"), 0);
    assert_int_equal(sale->returned->due, 10 * POINT);
    world_free(world);
}

/* "Several cards may lead to one account": what one earns another spends, and its goods come back with either. */
static void two_cards_are_one_account(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct world_event *sale = goods_bought(world, 0, 1000);
    assert_int_equal(act_add(world, "1", "2"), REFUSAL_NONE);
    assert_int_equal(world_redeem(world, 1, 4 * POINT), REFUSAL_NONE);
    assert_int_equal(world_return(world, 1, sale, 300, 0, NULL), REFUSAL_NONE);
    assert_int_equal(act_card(world, CARD_ACT_BLOCK, "2"), REFUSAL_NONE);
    assert_int_equal(world_redeem(world, 1, POINT), REFUSAL_CARD_BLOCKED);
    assert_int_equal(world_redeem(world, 0, POINT), REFUSAL_NONE);
    assert_int_equal(world->accounts[0].balance, 2 * POINT);
    world_free(world);
}

/* --- PINs: "lock redemption, not earning"; "asked at redeeming and holding, not at capture" --- */

static void a_locked_account_earns_and_captures(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    goods_give(world, 0, 20 * POINT);
    assert_int_equal(act_hold(world, "1", 15 * POINT), REFUSAL_NONE);
    journal_position hold = world->position;
    assert_int_equal(act_pin_set(world, "1", true), REFUSAL_NONE);
    for (int i = 0; i < PIN_TRIES; i++)
        assert_int_equal(act_pin_try(world, "1"), REFUSAL_NONE);
    assert_int_equal(act_hold(world, "1", POINT), REFUSAL_PIN_NEEDED);
    struct redeem_request redeem = { .card = world_card(0), .wish.points = POINT, .pin = PIN_UNCHECKED };
    world_ask(world, decide_redeem, &redeem);
    assert_int_equal(world->decision.refusal, REFUSAL_PIN_LOCKED);
    assert_int_equal(goods_bought(world, 0, 1000)->event.purchase.earned, 10 * POINT);
    struct wish captured = { .hold = hold };
    struct purchase_request purchase = {
        .card = world_card(0), .amount = 1000, .wish_count = 1, .wishes = &captured
    };
    world_ask(world, decide_purchase, &purchase);
    assert_non_null(world_book(world));
    assert_int_equal(world->decision.event.purchase.redemptions[0].points, 15 * POINT);
    world_free(world);
}

/* --- "Only purchases are capped, not what comes back or is adjusted" (Earning) --- */

static void only_purchases_are_capped(void **state)
{
    (void)state;
    struct world *world = world_new(2);
    world->programme.caps = (struct caps){ .day = 50 * POINT, .balance = 50 * POINT };
    assert_int_equal(goods_bought(world, 0, 9000)->event.purchase.earned, 50 * POINT);
    struct wish wish = { .points = 30 * POINT };
    const struct world_event *redeemed = goods_redeem(world, 0, &wish, NULL);
    goods_give(world, 0, 40 * POINT);
    assert_int_equal(act_bonus(world, "1", 5 * POINT), REFUSAL_NONE);
    assert_non_null(goods_undo(world, redeemed));
    goods_give(world, 1, 60 * POINT);
    assert_int_equal(act_transfer(world, "2", "1", 60 * POINT), REFUSAL_NONE);
    assert_int_equal(world->accounts[0].balance, 155 * POINT);
    world_free(world);
}

/* --- "A quote runs the same code, books nothing ... With a card it knows limits, tags and tier" (Earning) --- */

static void a_quote_knows_the_card(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    use_up_limit(world);
    struct purchase_request request = { .card = world_card(0), .amount = 1000 };
    struct judgement judgement = { .now = world->now };
    decide_purchase(&world->view, &judgement, &request, &world->decision);
    assert_int_equal(world->decision.event.purchase.earned, 10 * POINT);
    assert_int_equal(world->decision.sides[0].after.balance, 30 * POINT);
    request.card = TEXT_LITERAL("");
    decide_purchase(&world->view, &judgement, &request, &world->decision);
    assert_int_equal(world->decision.event.purchase.earned, 20 * POINT);
    assert_int_equal(world->accounts[0].balance, 20 * POINT);
    world_free(world);
}

/* --- "An import marked historic keeps its own [time]" (Numbers) --- */

/* What was earned long ago matures, expires and counts by its own day. */
static void an_import_keeps_its_time(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 36 };
    world->programme.tiers = (struct tiers){ .count = 1, .window = TIER_WINDOW_YEAR };
    world->programme.tiers.tiers[0] = (struct tier){ .id = 1, .from = 1000, .factor = 1000 };
    struct purchase_request request = { .card = world_card(0),
                                        .amount = 1000,
                                        .time = world->now - 400 * US_PER_DAY };
    world->flags = EVENT_FLAG_HISTORIC;
    world_ask(world, decide_purchase, &request);
    assert_non_null(world_book(world));
    const struct account *account = &world->accounts[0];
    local_day day = world_today(world) - 400;
    assert_int_equal(account->lots[0].earned, day);
    assert_int_equal(account->lots[0].last_day, day_add_months(day, 36));
    assert_int_equal(account->months[0].month, month_of_day(day));
    assert_int_equal(account->last_purchase_day, day);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_is_judged_on_arrival),
        cmocka_unit_test(status_is_judged_on_arrival),
        cmocka_unit_test(a_business_date_moves_nothing),
        cmocka_unit_test(reversals_work_on_any_status),
        cmocka_unit_test(returns_work_in_suspense),
        cmocka_unit_test(two_cards_are_one_account),
        cmocka_unit_test(a_locked_account_earns_and_captures),
        cmocka_unit_test(only_purchases_are_capped),
        cmocka_unit_test(a_quote_knows_the_card),
        cmocka_unit_test(an_import_keeps_its_time),
    };
    return cmocka_run_group_tests_name("points rules", tests, NULL, NULL);
}
