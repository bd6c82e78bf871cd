/* What redeeming costs and gives, and when it is refused (DOMAIN.md, Redeeming). */
#include "redeeming_world.h"

#include <inttypes.h>

/* --- rewards --- */

struct priced {
    const char *name;
    uint32_t reward, quantity;
    minor_units bill;
    millipoints points;
    int64_t stamps;
    minor_units worth;
};

static void rewards_cost_and_give(void **state)
{
    (void)state;
    static const struct priced rows[] = {
        { "money off", FIVE_OFF, 1, 2000, 4 * POINT, 0, 500 },
        { "no quantity is one", FIVE_OFF, 0, 2000, 4 * POINT, 0, 500 },
        { "money off, of several", FIVE_OFF, 3, 2000, 12 * POINT, 0, 1500 },
        { "never more than the bill", FIVE_OFF, 1, 499, 4 * POINT, 0, 499 },
        { "of a bill that is not said", FIVE_OFF, 2, 0, 8 * POINT, 0, 1000 },
        { "per cent, rounded down", TENTH_OFF, 1, 1999, 2 * POINT, 0, 199 },
        { "per cent, at most", TENTH_OFF, 1, 999999, 2 * POINT, 0, 300 },
        { "per cent of a bill that is not said", TENTH_OFF, 1, 0, 2 * POINT, 0, 0 },
        { "an item, for stamps", COFFEE, 1, 2000, 0, 10 * POINT, 0 },
        { "items, for stamps", COFFEE, 2, 2000, 0, 20 * POINT, 0 },
        { "cost of several: ceil(1 / 2) x 5", CINEMA, 1, 0, 5 * POINT, 0, 0 },
        { "ceil(2 / 2) x 5", CINEMA, 2, 0, 5 * POINT, 0, 0 },
        { "ceil(3 / 2) x 5", CINEMA, 3, 0, 10 * POINT, 0, 0 },
        { "a gift", MUG, 2, 0, 2 * POINT, 0, 0 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct priced *row = &rows[i];
        struct world *world = shop_new(1);
        shop_give(world, 0, 100 * POINT);
        shop_stamp(world, 0, 100 * POINT);
        shop_raise(world, 0);
        struct redeem_request request = { .card = world_card(0),
                                          .wish = { .reward = shop_reward_name(row->reward),
                                                    .quantity = row->quantity,
                                                    .points = 77 * POINT },
                                          .bill = row->bill,
                                          .place.store = TEXT_LITERAL("north") };
        const struct world_event *booked = shop_redeem(world, &request);
        assert_refused(world, row->name, REFUSAL_NONE);
        const struct redemption *made = &booked->event.redemption.made;
        if (made->points != row->points || made->stamps != row->stamps || made->worth != row->worth)
            fail_msg("%s: %" PRId64 " points, %" PRId64 " stamps for %" PRId64, row->name, made->points,
                     made->stamps, made->worth);
        const struct account *account = &world->accounts[0];
        uint32_t quantity = row->quantity == 0 ? 1 : row->quantity;
        assert_int_equal(made->quantity, quantity);
        assert_int_equal(made->kind, shop_reward(world, row->reward)->kind);
        assert_int_equal(shop_free(world, 0), 100 * POINT - row->points);
        assert_int_equal(account->stamps[0].count, 100 * POINT - row->stamps);
        assert_int_equal(shop_used(world, row->reward), quantity);
        assert_int_equal(shop_uses(world, 0, row->reward), row->reward == MUG ? quantity : 0);
        world_free(world);
    }
}

static void costs_beyond_all_numbers_are_refused(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    struct redeem_request request = {
        .card = world_card(0), .wish = { .reward = shop_reward_name(FIVE_OFF), .quantity = UINT32_MAX }
    };
    shop_reward(world, FIVE_OFF)->cost_points = MILLIPOINTS_MAX;
    shop_give(world, 0, 10 * POINT);
    assert_null(shop_redeem(world, &request));
    assert_refused(world, "the quantity", REFUSAL_NOT_ENOUGH_POINTS);
    assert_int_equal(world->decision.needed, MILLIPOINTS_MAX);
    assert_int_equal(world->decision.available, 10 * POINT);
    world_free(world);
}

/* --- refusals --- */

/* A redemption of a mug with which everything is wrong that can be. Each step mends one thing. */
struct trial {
    struct world *world;
    struct redeem_request request;
    struct world_event *sale, *other_sale;
};

static void mend_number(struct trial *t)
{
    t->request.card = world_card(0);
}
static void mend_status(struct trial *t)
{
    t->world->cards[0].status = CARD_ACTIVE;
}
static void mend_sale(struct trial *t)
{
    t->request.sale = &t->other_sale->event;
}
static void mend_owner(struct trial *t)
{
    t->request.sale = &t->sale->event;
    t->request.sale_position = t->sale->position;
}
static void mend_reversal(struct trial *t)
{
    t->sale->reversed_by = 0;
}
static void mend_line(struct trial *t)
{
    t->request.wish.line = 0;
}
static void mend_reward(struct trial *t)
{
    t->request.wish.reward = shop_reward_name(MUG);
}
static void mend_start(struct trial *t)
{
    shop_reward(t->world, MUG)->period.from = world_today(t->world);
}
static void mend_end(struct trial *t)
{
    shop_reward(t->world, MUG)->period.through = world_today(t->world);
}
static void mend_store(struct trial *t)
{
    t->request.place.store = TEXT_LITERAL("north");
}
static void mend_tier(struct trial *t)
{
    shop_raise(t->world, 0);
}
static void mend_pin_needed(struct trial *t)
{
    t->request.pin = PIN_WRONG;
}
static void mend_pin_wrong(struct trial *t)
{
    t->request.pin = PIN_UNCHECKED;
}
static void mend_pin_locked(struct trial *t)
{
    t->request.pin = PIN_RIGHT;
}
static void mend_stock(struct trial *t)
{
    shop_reward(t->world, MUG)->stock = 5;
}
static void mend_limit(struct trial *t)
{
    shop_reward(t->world, MUG)->limit.uses = 5;
}
static void mend_stamps(struct trial *t)
{
    shop_stamp(t->world, 0, 10 * POINT);
}
static void mend_points(struct trial *t)
{
    shop_give(t->world, 0, 5 * POINT);
}
static void mend_room(struct trial *t)
{
    t->sale->returned->spent_count = SPENT_BACK_MAX - 1;
}

static void spoil(struct trial *t)
{
    struct world *world = shop_new(2);
    *t = (struct trial){ .world = world };
    t->sale = world_purchase(world, 0, 1, 0, NULL);
    t->other_sale = world_purchase(world, 1, 1, 0, NULL);
    t->sale->reversed_by = 1;
    t->sale->became = true;
    t->sale->returned->spent_count = SPENT_BACK_MAX;
    for (uint32_t i = 0; i < SPENT_BACK_MAX; i++)
        t->sale->returned->spent[i].redemption = 1;
    world->cards[0].status = CARD_BLOCKED;
    shop_set_pin(world, 0, 2);
    struct reward *mug = shop_reward(world, MUG);
    mug->period.from = world_today(world) + 1;
    mug->period.through = world_today(world) - 1;
    mug->stock = 4;
    mug->limit.uses = 4;
    mug->cost_stamps = 2 * POINT;
    t->request =
        (struct redeem_request){ .card = TEXT_LITERAL("unknown"),
                                 .wish = { .reward = TEXT_LITERAL("nothing"), .quantity = 5, .line = 1 },
                                 .sale_position = t->other_sale->position };
}

static void refusals_by_precedence(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum refusal refusal;
        void (*mend)(struct trial *trial);
    } rows[] = {
        { "no such card", REFUSAL_UNKNOWN_CARD, mend_number },
        { "blocked may not spend (Cards and accounts)", REFUSAL_CARD_BLOCKED, mend_status },
        { "no such purchase", REFUSAL_UNKNOWN_PURCHASE, mend_sale },
        { "a purchase of another account", REFUSAL_OTHER_ACCOUNT, mend_owner },
        { "a purchase that was undone", REFUSAL_PURCHASE_REVERSED, mend_reversal },
        { "no such line", REFUSAL_UNKNOWN_LINE, mend_line },
        { "no such reward", REFUSAL_UNKNOWN_REWARD, mend_reward },
        { "before its first day", REFUSAL_NOT_OFFERED, mend_start },
        { "after its last day", REFUSAL_NOT_OFFERED, mend_end },
        { "in another store", REFUSAL_NOT_OFFERED, mend_store },
        { "at a lower tier", REFUSAL_NOT_OFFERED, mend_tier },
        { "pin: if_set, and one is", REFUSAL_PIN_NEEDED, mend_pin_needed },
        { "a wrong PIN", REFUSAL_PIN_WRONG, mend_pin_wrong },
        { "a locked account", REFUSAL_PIN_LOCKED, mend_pin_locked },
        { "five of four in stock", REFUSAL_OUT_OF_STOCK, mend_stock },
        { "five of four uses", REFUSAL_LIMIT_REACHED, mend_limit },
        { "no stamps", REFUSAL_NOT_ENOUGH_STAMPS, mend_stamps },
        { "no points", REFUSAL_NOT_ENOUGH_POINTS, mend_points },
        { "a purchase that has all the redemptions it can", REFUSAL_OVER_LIMIT, mend_room },
    };
    struct trial trial;
    spoil(&trial);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_null(shop_redeem(trial.world, &trial.request));
        assert_refused(trial.world, rows[i].name, rows[i].refusal);
        if (rows[i].refusal == REFUSAL_NOT_ENOUGH_STAMPS)
            assert_int_equal(trial.world->decision.needed, 10 * POINT);
        rows[i].mend(&trial);
    }
    const struct world_event *booked = shop_redeem(trial.world, &trial.request);
    assert_refused(trial.world, "nothing is wrong", REFUSAL_NONE);
    assert_int_equal(booked->event.redemption.sale, trial.sale->position);
    assert_int_equal(booked->event.redemption.made.points, 5 * POINT);
    assert_int_equal(trial.sale->returned->spent_count, SPENT_BACK_MAX);
    world_free(trial.world);
}

/* --- a redemption that names its purchase --- */

static void the_bill_of_a_named_purchase_is_its_own(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_give(world, 0, 100 * POINT);
    const struct wish wish = { .points = 3 * POINT };
    const struct world_event *sale = shop_buy(world, 0, 1000, 1, &wish);
    struct redeem_request request = { .card = world_card(0),
                                      .wish.points = 50 * POINT,
                                      .sale = &sale->event,
                                      .sale_position = sale->position };
    const struct world_event *booked = shop_redeem(world, &request);
    assert_int_equal(booked->event.redemption.made.points, 7 * POINT);
    assert_int_equal(sale->returned->spent_count, 1);
    assert_int_equal(sale->returned->spent[0].worth, 700);
    /* It is paid now. */
    (void)shop_redeem(world, &request);
    assert_refused(world, "a bill that is paid", REFUSAL_BELOW_MINIMUM);
    request.bill = 200;
    booked = shop_redeem(world, &request);
    assert_int_equal(booked->event.redemption.made.points, 2 * POINT);
    world_free(world);
}

/* As returns do (DOMAIN.md, Returning goods): merges are followed, and an award that was moved. */
static void a_purchase_is_named_by_whose_it_is_now(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool merged, moved;
        enum refusal refusal;
    } rows[] = {
        { "another's", false, false, REFUSAL_OTHER_ACCOUNT },
        { "merged", true, false, REFUSAL_NONE },
        { "moved", false, true, REFUSAL_NONE },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = shop_new(2);
        shop_give(world, 1, 10 * POINT);
        struct world_event *sale = world_purchase(world, 0, 1000, 0, NULL);
        struct merge_request merge = { .from_card = world_card(0), .to_card = world_card(1) };
        struct award_move_request move = { .to_card = world_card(1),
                                           .sale = &sale->event,
                                           .sale_position = sale->position,
                                           .reason = TEXT_LITERAL("correction") };
        if (rows[i].merged) {
            world_ask(world, decide_merge, &merge);
            assert_non_null(world_book(world));
        }
        if (rows[i].moved) {
            world_ask(world, decide_award_move, &move);
            assert_non_null(world_book(world));
        }
        struct redeem_request request = {
            .card = world_card(1), .wish.points = POINT, .sale = &sale->event, .sale_position = sale->position
        };
        (void)shop_redeem(world, &request);
        assert_refused(world, rows[i].name, rows[i].refusal);
        world_free(world);
    }
}

/* --- PINs --- */

struct pin_row {
    const char *name;
    enum pin_policy policy;
    bool set;
    enum pin_check pin;
    enum refusal refusal;
};

static void pins_are_asked_by_policy(void **state)
{
    (void)state;
    static const struct pin_row rows[] = {
        { "never", PIN_NEVER, true, PIN_WRONG, REFUSAL_NONE },
        { "if_set, and none is", PIN_IF_SET, false, PIN_NOT_GIVEN, REFUSAL_NONE },
        { "if_set", PIN_IF_SET, true, PIN_NOT_GIVEN, REFUSAL_PIN_NEEDED },
        { "if_set, right", PIN_IF_SET, true, PIN_RIGHT, REFUSAL_NONE },
        { "always, and none is set", PIN_ALWAYS, false, PIN_NOT_GIVEN, REFUSAL_PIN_NEEDED },
        { "always, wrong", PIN_ALWAYS, true, PIN_WRONG, REFUSAL_PIN_WRONG },
        { "always, right", PIN_ALWAYS, true, PIN_RIGHT, REFUSAL_NONE },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = shop_new(1);
        world->programme.pin = rows[i].policy;
        shop_give(world, 0, 10 * POINT);
        if (rows[i].set)
            shop_set_pin(world, 0, 0);
        struct redeem_request redeem = { .card = world_card(0), .wish.points = POINT, .pin = rows[i].pin };
        world_ask(world, decide_redeem, &redeem);
        assert_refused(world, rows[i].name, rows[i].refusal);
        struct hold_request hold = { .card = world_card(0), .wish.points = POINT, .pin = rows[i].pin };
        world_ask(world, decide_hold, &hold);
        assert_refused(world, rows[i].name, rows[i].refusal);
        world_free(world);
    }
}

/* As a service does it: counts the try, then checks the PIN, then decides. */
static enum refusal redeem_with_pin(struct world *world, bool right)
{
    struct pin_try_request attempt = { .card = world_card(0) };
    world_ask(world, decide_pin_try, &attempt);
    bool locked = world_book(world) == NULL;
    struct redeem_request request = { .card = world_card(0), .wish.points = POINT };
    request.pin = locked ? PIN_UNCHECKED : right ? PIN_RIGHT : PIN_WRONG;
    (void)shop_redeem(world, &request);
    return world->decision.refusal;
}

static void a_right_pin_is_never_counted_as_wrong(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_set_pin(world, 0, 0);
    for (int i = 0; i < PIN_TRIES + 1; i++) {
        assert_int_equal(redeem_with_pin(world, true), REFUSAL_NOT_ENOUGH_POINTS);
        struct pin_try_request right = { .card = world_card(0), .right = true };
        world_ask(world, decide_pin_try, &right);
        assert_non_null(world_book(world));
        assert_int_equal(world->accounts[0].pin.wrong, 0);
    }
    world_free(world);
}

static void three_wrong_pins_lock_redeeming(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    const struct account *account = &world->accounts[0];
    shop_give(world, 0, 100 * POINT);
    const struct wish wish = { .points = 5 * POINT };
    const struct world_event *hold = shop_hold(world, 0, &wish);
    shop_set_pin(world, 0, 0);
    assert_int_equal(redeem_with_pin(world, false), REFUSAL_PIN_WRONG);
    assert_int_equal(redeem_with_pin(world, false), REFUSAL_PIN_WRONG);
    assert_int_equal(account->pin.wrong, 2);
    assert_int_equal(redeem_with_pin(world, true),
                     REFUSAL_NONE); /* the third was right: the count begins anew */
    assert_int_equal(account->pin.wrong, 0);
    shop_set_pin(world, 0, 2);
    struct hold_request right = { .card = world_card(0), .wish.points = POINT, .pin = PIN_RIGHT };
    world_ask(world, decide_hold, &right);
    assert_non_null(world_book(world));
    assert_int_equal(account->pin.wrong, 0); /* so it does by a hold */
    for (int i = 0; i < PIN_TRIES; i++)
        assert_int_equal(redeem_with_pin(world, false), REFUSAL_PIN_WRONG);
    assert_int_equal(account->pin.wrong, PIN_TRIES);
    assert_int_equal(redeem_with_pin(world, true), REFUSAL_PIN_LOCKED);
    assert_int_equal(redeem_with_pin(world, false), REFUSAL_PIN_LOCKED);
    assert_non_null(world_purchase(world, 0, 1000, 0, NULL)); /* earning is not locked */
    assert_non_null(shop_capture(world, 0, hold, 0, 0));      /* nor is a capture */
    struct pin_set_request office = { .card = world_card(0), .pin.set = true };
    world_ask(world, decide_pin_set, &office);
    assert_non_null(world_book(world));
    assert_int_equal(redeem_with_pin(world, true), REFUSAL_NONE);
    world_free(world);
}

/* --- what is free --- */

static void debt_and_pending_points_cannot_be_spent(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    world->programme.mature_days = 3;
    struct redeem_request request = { .card = world_card(0), .wish.points = 10 * POINT };
    assert_non_null(world_purchase(world, 0, 1000, 0, NULL));
    assert_null(shop_redeem(world, &request));
    assert_refused(world, "pending (Lots)", REFUSAL_NOT_ENOUGH_POINTS);
    assert_int_equal(world->decision.available, 0);
    world->now += 4 * US_PER_DAY;
    assert_int_equal(world_adjust(world, 0, -11 * POINT, true), REFUSAL_NONE);
    assert_null(shop_redeem(world, &request));
    assert_refused(world, "while there is debt (Lots)", REFUSAL_NOT_ENOUGH_POINTS);
    shop_give(world, 0, 11 * POINT);
    assert_non_null(shop_redeem(world, &request));
    assert_int_equal(world_balance(world, 0).available, 0);
    world_free(world);
}

static void spending_lowers_a_tier_by_balance_only(void **state)
{
    (void)state;
    for (int by_balance = 0; by_balance < 2; by_balance++) {
        struct world *world = shop_new(1);
        struct tiers *tiers = &world->programme.tiers;
        tiers->basis = by_balance != 0 ? TIER_BY_BALANCE : TIER_BY_POINTS;
        tiers->kept = TIER_KEPT_NONE;
        tiers->tiers[0].from = 10 * POINT;
        assert_non_null(world_purchase(world, 0, 1000, 0, NULL));
        assert_int_equal(world->accounts[0].tier.id, tiers->tiers[0].id);
        struct redeem_request request = { .card = world_card(0), .wish.points = POINT };
        assert_non_null(shop_redeem(world, &request));
        assert_int_equal(world->accounts[0].tier.id, by_balance != 0 ? 0 : tiers->tiers[0].id);
        world_free(world);
    }
}

static void uses_count_on_the_day_of_the_redemption(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_give(world, 0, 20 * POINT);
    shop_raise(world, 0);
    shop_reward(world, MUG)->has_stock = false;
    struct redeem_request request = { .card = world_card(0),
                                      .wish = { .reward = shop_reward_name(MUG), .quantity = 2 },
                                      .place.store = TEXT_LITERAL("north") };
    assert_non_null(shop_redeem(world, &request));
    assert_null(shop_redeem(world, &request));
    assert_refused(world, "two a day", REFUSAL_LIMIT_REACHED);
    world->now += US_PER_DAY;
    assert_non_null(shop_redeem(world, &request));
    request.time = world->now - US_PER_DAY;
    assert_null(shop_redeem(world, &request));
    assert_refused(world, "judged at the till's time (Numbers)", REFUSAL_LIMIT_REACHED);
    request.time = world->now - 2 * US_PER_DAY;
    assert_null(shop_redeem(world, &request));
    assert_refused(world, "the oldest day that is kept (LEDGER.md, State)", REFUSAL_LIMIT_REACHED);
    shop_reward(world, MUG)->limit.uses = 4;
    const struct world_event *booked = shop_redeem(world, &request);
    assert_true((booked->event.flags & EVENT_FLAG_OLD_PERIOD) != 0);
    request.time = 0;
    booked = shop_redeem(world, &request);
    assert_true((booked->event.flags & EVENT_FLAG_OLD_PERIOD) == 0);
    assert_int_equal(shop_uses(world, 0, MUG), 4);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rewards_cost_and_give),
        cmocka_unit_test(costs_beyond_all_numbers_are_refused),
        cmocka_unit_test(refusals_by_precedence),
        cmocka_unit_test(the_bill_of_a_named_purchase_is_its_own),
        cmocka_unit_test(a_purchase_is_named_by_whose_it_is_now),
        cmocka_unit_test(pins_are_asked_by_policy),
        cmocka_unit_test(a_right_pin_is_never_counted_as_wrong),
        cmocka_unit_test(three_wrong_pins_lock_redeeming),
        cmocka_unit_test(debt_and_pending_points_cannot_be_spent),
        cmocka_unit_test(spending_lowers_a_tier_by_balance_only),
        cmocka_unit_test(uses_count_on_the_day_of_the_redemption),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
