/* Holds: set aside, then captured, released or timed out (DOMAIN.md, Redeeming). */
#include "redeeming_world.h"

#include <inttypes.h>

#include "random.h"

static const struct wish hold_15 = { .points = 15 * POINT };

static struct world_event *hold_points(struct world *world, uint32_t card, millipoints points)
{
    return shop_hold(world, card, &(struct wish){ .points = points });
}

static struct world_event *hold_reward(struct world *world, uint32_t reward, uint32_t quantity)
{
    return shop_hold(world, 0, &(struct wish){ .reward = shop_reward_name(reward), .quantity = quantity });
}

static void holds_give_back_what_is_not_captured(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_give(world, 0, 20 * POINT);
    /* Worked examples: balance 20, hold 15; release; hold, capture: 5 available; 20; 5. */
    const struct world_event *hold = shop_hold(world, 0, &hold_15);
    assert_int_equal(shop_free(world, 0), 5 * POINT);
    assert_int_equal(world_balance(world, 0).held, 15 * POINT);
    assert_int_equal(hold->event.hold.wanted.points, 15 * POINT);
    assert_int_equal(hold->event.hold.wanted.worth, 1500);
    assert_int_equal(hold->event.hold.deadline, world->now + HOLD_S_DEFAULT * US_PER_SECOND);
    assert_non_null(shop_release(world, 0, hold));
    assert_int_equal(shop_free(world, 0), 20 * POINT);
    hold = shop_hold(world, 0, &hold_15);
    const struct world_event *booked = shop_capture(world, 0, hold, 0, 0);
    assert_int_equal(shop_free(world, 0), 5 * POINT);
    assert_int_equal(booked->event.redemption.made.points, 15 * POINT);
    assert_int_equal(booked->event.redemption.made.hold, hold->position);
    world_free(world);
}

struct capture_row {
    const char *name;
    millipoints points;
    minor_units bill;
    millipoints step, minimum;
    enum refusal refusal;
    millipoints captured;
    minor_units worth;
};

static void captures_spend_up_to_what_is_held(void **state)
{
    (void)state;
    static const struct capture_row rows[] = {
        { "more than held", 16 * POINT, 0, 0, 0, REFUSAL_MORE_THAN_HELD, 0, 0 },
        { "more than held goes before the minimum", 16 * POINT, 1, 0, 99, REFUSAL_MORE_THAN_HELD, 0, 0 },
        { "all of it", 0, 0, 0, 0, REFUSAL_NONE, 15 * POINT, 1500 },
        { "all of it, said", 15 * POINT, 0, 0, 0, REFUSAL_NONE, 15 * POINT, 1500 },
        { "a part", 4 * POINT, 0, 0, 0, REFUSAL_NONE, 4 * POINT, 400 },
        { "up to the bill", 0, 700, 0, 0, REFUSAL_NONE, 7 * POINT, 700 },
        { "to the step", 0, 700, 2 * POINT, 0, REFUSAL_NONE, 6 * POINT, 600 },
        { "below the minimum", 0, 700, 0, 8 * POINT, REFUSAL_BELOW_MINIMUM, 0, 0 },
        { "below one point", 0, 99, 0, 0, REFUSAL_BELOW_MINIMUM, 0, 0 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct capture_row *row = &rows[i];
        struct world *world = shop_new(1);
        shop_give(world, 0, 20 * POINT);
        const struct world_event *hold = shop_hold(world, 0, &hold_15);
        world->programme.redeem_step = row->step;
        world->programme.redeem_minimum = row->minimum;
        const struct world_event *booked = shop_capture(world, 0, hold, row->points, row->bill);
        assert_refused(world, row->name, row->refusal);
        assert_int_equal(shop_free(world, 0),
                         row->refusal != REFUSAL_NONE ? 5 * POINT : 20 * POINT - row->captured);
        if (booked != NULL && (booked->event.redemption.made.points != row->captured ||
                               booked->event.redemption.made.worth != row->worth))
            fail_msg("%s: took %" PRId64, row->name, booked->event.redemption.made.points);
        world_free(world);
    }
}

/* --- each hold ends exactly once --- */

enum ending { STILL_OPEN, OVERDUE, CAPTURED, RELEASED, TIMED_OUT };

static void end(struct world *world, const struct world_event *hold, enum ending ending)
{
    if (ending == OVERDUE || ending == TIMED_OUT)
        world->now = hold->event.hold.deadline;
    if (ending == CAPTURED)
        assert_non_null(shop_capture(world, 0, hold, 0, 0));
    if (ending == RELEASED)
        assert_non_null(shop_release(world, 0, hold));
    if (ending == TIMED_OUT)
        assert_non_null(shop_time_out(world, hold));
}

static void holds_end_once(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum ending ending;
        enum refusal capture, release, time_out;
    } rows[] = {
        { "open", STILL_OPEN, REFUSAL_NONE, REFUSAL_NONE, REFUSAL_NONE },
        { "overdue: a late capture is refused", OVERDUE, REFUSAL_HOLD_ENDED, REFUSAL_NONE, REFUSAL_NONE },
        { "captured: so is a release after capture", CAPTURED, REFUSAL_HOLD_ENDED, REFUSAL_HOLD_ENDED,
          REFUSAL_HOLD_ENDED },
        { "released", RELEASED, REFUSAL_HOLD_ENDED, REFUSAL_HOLD_ENDED, REFUSAL_HOLD_ENDED },
        { "timed out", TIMED_OUT, REFUSAL_HOLD_ENDED, REFUSAL_HOLD_ENDED, REFUSAL_HOLD_ENDED },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int ask = 0; ask < 3; ask++) {
            struct world *world = shop_new(1);
            shop_give(world, 0, 20 * POINT);
            const struct world_event *hold = shop_hold(world, 0, &hold_15);
            end(world, hold, rows[i].ending);
            millipoints before = shop_free(world, 0);
            if (ask == 0) {
                (void)shop_capture(world, 0, hold, 0, 0);
                assert_refused(world, rows[i].name, rows[i].capture);
            } else if (ask == 1) {
                (void)shop_release(world, 0, hold);
                assert_refused(world, rows[i].name, rows[i].release);
            } else if (rows[i].ending != STILL_OPEN) {
                (void)shop_time_out(world, hold);
                assert_refused(world, rows[i].name, rows[i].time_out);
            }
            if (world->decision.refusal == REFUSAL_HOLD_ENDED)
                assert_int_equal(shop_free(world, 0), before);
            world_free(world);
        }
    }
}

static void a_hold_is_captured_to_its_last_instant(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_give(world, 0, 20 * POINT);
    struct hold_request request = { .card = world_card(0), .wish = hold_15, .seconds = HOLD_S_MAX };
    request.time = world->now + US_PER_DAY; /* the interval is on the server's clock */
    world_ask(world, decide_hold, &request);
    const struct world_event *hold = world_book(world);
    assert_int_equal(hold->event.hold.deadline, world->now + US_PER_DAY);
    world->now = hold->event.hold.deadline - 1;
    assert_non_null(shop_capture(world, 0, hold, 0, 0));
    world_free(world);
}

/* --- whose hold it is --- */

static void holds_are_found_by_their_account(void **state)
{
    (void)state;
    struct world *world = shop_new(2);
    shop_give(world, 0, 40 * POINT);
    const struct world_event *hold = shop_hold(world, 0, &hold_15);
    assert_null(shop_capture(world, 1, hold, 0, 0));
    assert_refused(world, "another card's", REFUSAL_OTHER_ACCOUNT);
    assert_null(shop_release(world, 1, hold));
    assert_refused(world, "another card's", REFUSAL_OTHER_ACCOUNT);
    const struct world_event nothing = { .position = 7 };
    assert_null(shop_capture(world, 0, &nothing, 0, 0));
    assert_refused(world, "no hold", REFUSAL_UNKNOWN_HOLD);
    assert_null(shop_release(world, 0, &nothing));
    assert_refused(world, "no hold", REFUSAL_UNKNOWN_HOLD);
    /* A hold made before a block may be captured (DOMAIN.md, Cards and accounts). */
    const struct world_event *other = shop_hold(world, 0, &hold_15);
    world->cards[0].status = CARD_BLOCKED;
    assert_null(shop_hold(world, 0, &hold_15));
    assert_refused(world, "blocked", REFUSAL_CARD_BLOCKED);
    assert_non_null(shop_capture(world, 0, hold, 0, 0));
    assert_non_null(shop_release(world, 0, other));
    assert_int_equal(shop_free(world, 0), 25 * POINT);
    world_free(world);
}

static void holds_survive_replacing_and_merging(void **state)
{
    (void)state;
    struct world *world = shop_new(2);
    shop_give(world, 0, 40 * POINT);
    shop_give(world, 1, 5 * POINT);
    const struct world_event *captured = shop_hold(world, 0, &hold_15);
    const struct world_event *timed_out = shop_hold(world, 0, &hold_15);
    struct card_replace_request replace = { .old_card = world_card(0),
                                            .new_card = TEXT_LITERAL("77"),
                                            .check_valid = true };
    world_ask(world, decide_card_replace, &replace);
    assert_non_null(world_book(world));
    struct merge_request merge = { .from_card = TEXT_LITERAL("77"), .to_card = world_card(1) };
    world_ask(world, decide_merge, &merge);
    assert_non_null(world_book(world));
    assert_non_null(shop_capture(world, 1, captured, 0, 0));
    world->now = timed_out->event.hold.deadline;
    assert_non_null(shop_time_out(world, timed_out));
    assert_int_equal(shop_free(world, 1), 30 * POINT);
    world_free(world);
}

/* --- rewards --- */

static void a_reward_is_set_aside_whole(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_give(world, 0, 20 * POINT);
    shop_raise(world, 0);
    const struct world_event *hold = hold_reward(world, MUG, 2);
    assert_int_equal(shop_used(world, MUG), 2);
    assert_int_equal(shop_uses(world, 0, MUG), 2);
    assert_int_equal(shop_free(world, 0), 18 * POINT);
    assert_null(hold_reward(world, MUG, 2));
    assert_refused(world, "one is left", REFUSAL_OUT_OF_STOCK);
    assert_null(hold_reward(world, MUG, 1));
    assert_refused(world, "two a day", REFUSAL_LIMIT_REACHED);
    assert_non_null(shop_release(world, 0, hold));
    assert_int_equal(shop_used(world, MUG), 0);
    assert_int_equal(shop_uses(world, 0, MUG), 0);
    hold = hold_reward(world, MUG, 2);
    const struct world_event *booked = shop_capture(world, 0, hold, 1, 0);
    assert_int_equal(booked->event.redemption.made.points, 2 * POINT); /* all of it */
    assert_int_equal(booked->event.redemption.made.quantity, 2);
    assert_int_equal(booked->event.redemption.made.kind, REWARD_GIFT);
    assert_int_equal(shop_used(world, MUG), 2);
    assert_int_equal(shop_uses(world, 0, MUG), 2);
    world_free(world);
}

static void a_use_counts_on_the_day_of_its_capture(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_give(world, 0, 20 * POINT);
    shop_raise(world, 0);
    world->programme.hold_s = HOLD_S_MAX;
    const struct world_event *captured = hold_reward(world, MUG, 1);
    const struct world_event *timed_out = hold_reward(world, MUG, 1);
    assert_int_equal(shop_uses(world, 0, MUG), 2);
    local_day held = world_today(world);
    world->now += US_PER_DAY - 1;
    assert_int_equal(shop_uses(world, 0, MUG), 0);
    assert_non_null(shop_capture(world, 0, captured, 0, 0));
    assert_int_equal(shop_uses(world, 0, MUG), 1);
    world->now += US_PER_DAY;
    assert_non_null(shop_time_out(world, timed_out));
    const struct account *account = &world->accounts[0];
    assert_int_equal(account_tally(account, TALLY_REWARD, shop_reward(world, MUG)->id, held), 0);
    assert_int_equal(account_tally(account, TALLY_REWARD, shop_reward(world, MUG)->id, held + 1), 1);
    assert_int_equal(shop_used(world, MUG), 1);
    world_free(world);
}

/*
 * An older period than is kept is not known any more: what was counted there stays where it went (LEDGER.md,
 * State).
 */
static void a_use_of_a_forgotten_day_stays(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_give(world, 0, 20 * POINT);
    shop_raise(world, 0);
    world->programme.hold_s = HOLD_S_MAX;
    const struct world_event *hold = hold_reward(world, MUG, 1);
    for (int day = 0; day < 2; day++) {
        world->now += US_PER_DAY; /* the daemon was away */
        struct redeem_request request = { .card = world_card(0),
                                          .wish.reward = shop_reward_name(MUG),
                                          .place.store = TEXT_LITERAL("north") };
        assert_non_null(shop_redeem(world, &request));
    }
    assert_non_null(shop_time_out(world, hold));
    const struct account *account = &world->accounts[0];
    uint64_t mug = shop_reward(world, MUG)->id;
    assert_int_equal(account_tally(account, TALLY_REWARD, mug, world_today(world)), 1);
    assert_int_equal(account_tally(account, TALLY_REWARD, mug, world_today(world) - 1), 1);
    world_free(world);
}

static void stamps_are_set_aside(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_stamp(world, 0, 25 * POINT);
    const struct stamps *stamps = &world->accounts[0].stamps[0];
    const struct world_event *released = hold_reward(world, COFFEE, 1);
    const struct world_event *captured = hold_reward(world, COFFEE, 1);
    assert_int_equal(stamps->held, 20 * POINT);
    assert_null(hold_reward(world, COFFEE, 1));
    assert_refused(world, "five are free", REFUSAL_NOT_ENOUGH_STAMPS);
    assert_int_equal(world->decision.needed, 10 * POINT);
    assert_int_equal(world->decision.available, 5 * POINT);
    assert_non_null(shop_release(world, 0, released));
    const struct world_event *booked = shop_capture(world, 0, captured, 0, 0);
    assert_int_equal(booked->event.redemption.made.stamps, 10 * POINT);
    assert_int_equal(stamps->held, 0);
    assert_int_equal(stamps->count, 15 * POINT);
    world_free(world);
}

static void a_reward_that_is_gone_can_be_captured(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_give(world, 0, 20 * POINT);
    const struct world_event *hold = hold_reward(world, FIVE_OFF, 2);
    world->now++;
    world_publish(world)->reward_count = 0;
    world->now++;
    assert_null(hold_reward(world, FIVE_OFF, 1));
    assert_refused(world, "gone", REFUSAL_UNKNOWN_REWARD);
    const struct world_event *booked = shop_capture(world, 0, hold, 0, 700);
    assert_int_equal(booked->event.redemption.made.kind, REWARD_MONEY_OFF);
    assert_int_equal(booked->event.redemption.made.points, 8 * POINT);
    assert_int_equal(booked->event.redemption.made.worth, 700);
    world_free(world);
}

/* --- lots --- */

static void held_points_expire_on_release(void **state)
{
    (void)state;
    for (int captures = 0; captures < 2; captures++) {
        struct world *world = shop_new(1);
        world->programme.expiry =
            (struct expiry){ .kind = EXPIRY_MONTHS, .months = 1, .through = THROUGH_DAY };
        world->programme.hold_s = HOLD_S_MAX;
        shop_give(world, 0, 20 * POINT);
        world_go_to(world, 2026, 4, 10); /* its last day */
        const struct world_event *hold = shop_hold(world, 0, &hold_15);
        world_go_to(world, 2026, 4, 11);
        world->now -= US_PER_DAY / 4;
        assert_int_equal(shop_free(world, 0), 0);
        assert_int_equal(world_balance(world, 0).held, 15 * POINT);
        if (captures == 1) {
            assert_non_null(shop_capture(world, 0, hold, 10 * POINT, 0));
        } else {
            assert_non_null(shop_release(world, 0, hold));
        }
        world_run_days(world);
        assert_int_equal(world->accounts[0].balance, 0);
        world_free(world);
    }
}

static void what_is_given_back_settles_debt(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    struct world_event *sale = world_purchase(world, 0, 2000, 0, NULL);
    const struct world_event *hold = shop_hold(world, 0, &hold_15);
    assert_int_equal(world_return(world, 0, sale, 2000, 0, NULL), REFUSAL_NONE);
    assert_int_equal(world_balance(world, 0).debt, 15 * POINT);
    const struct world_event *booked = shop_capture(world, 0, hold, 4 * POINT, 0);
    assert_int_equal(world_balance(world, 0).debt, 4 * POINT);
    /* Its own lot changes are the captures, not what paid the debt. */
    const struct redemption *made = &booked->event.redemption.made;
    millipoints taken = 0;
    for (uint32_t i = 0; i < made->change_count; i++) {
        const struct lot_change *change = &booked->event.effects[0].lot_changes[made->change_first + i];
        if (change->kind == LOT_TAKE || change->kind == LOT_CAPTURE)
            taken += change->points;
    }
    assert_int_equal(taken, 4 * POINT);
    world_free(world);
}

static void an_account_has_room_for_so_many_holds(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    shop_give(world, 0, 20 * POINT);
    for (int i = 0; i < ACCOUNT_HOLDS_MAX; i++)
        assert_non_null(hold_points(world, 0, POINT));
    assert_null(hold_points(world, 0, POINT));
    assert_refused(world, "one more", REFUSAL_OVER_LIMIT);
    assert_null(hold_points(world, 0, 5 * POINT));
    assert_refused(world, "want of points goes first", REFUSAL_NOT_ENOUGH_POINTS);
    world_free(world);
}

static void a_hold_lies_in_so_many_lots(void **state)
{
    (void)state;
    struct world *world = shop_new(1);
    for (int i = 0; i < ACCOUNT_HOLD_PARTS_MAX + 1; i++) {
        world->programme.expiry =
            (struct expiry){ .kind = EXPIRY_MONTHS, .months = 24, .through = THROUGH_DAY };
        shop_give(world, 0, POINT);
        world->now += US_PER_DAY;
    }
    assert_int_equal(world->accounts[0].lot_count, ACCOUNT_HOLD_PARTS_MAX + 1);
    assert_null(hold_points(world, 0, (ACCOUNT_HOLD_PARTS_MAX + 1) * POINT));
    assert_refused(world, "too many lots", REFUSAL_OVER_LIMIT);
    const struct world_event *hold = hold_points(world, 0, ACCOUNT_HOLD_PARTS_MAX * POINT);
    assert_non_null(hold);
    assert_null(hold_points(world, 0, POINT));
    assert_refused(world, "no room left", REFUSAL_OVER_LIMIT);
    assert_non_null(shop_capture(world, 0, hold, 200 * POINT, 0));
    assert_int_equal(shop_free(world, 0), 57 * POINT);
    world_free(world);
}

/* --- random holds, captures, releases, redemptions --- */

#define MODEL_HOLDS 64

struct model {
    struct world *world;
    millipoints free_points, held;
    uint32_t hold_count;
    struct {
        const struct world_event *event;
        millipoints points;
        bool ended;
    } holds[MODEL_HOLDS];
};

/* What the booked event moved of held points: captured and freed. */
static millipoints ended_points(const struct event *event, journal_position hold)
{
    millipoints points = 0;
    for (uint32_t i = 0; i < event->effects[0].lot_change_count; i++) {
        const struct lot_change *change = &event->effects[0].lot_changes[i];
        if ((change->kind == LOT_FREE || change->kind == LOT_CAPTURE) && change->hold == hold)
            points += change->points;
    }
    return points;
}

static void model_hold(struct model *model, millipoints points)
{
    uint32_t open = model->world->accounts[0].hold_count;
    const struct world_event *hold = hold_points(model->world, 0, points);
    if (points > model->free_points)
        assert_refused(model->world, "hold", REFUSAL_NOT_ENOUGH_POINTS);
    else if (open == ACCOUNT_HOLDS_MAX)
        assert_refused(model->world, "hold", REFUSAL_OVER_LIMIT);
    else
        assert_refused(model->world, "hold", REFUSAL_NONE);
    if (hold == NULL)
        return;
    model->free_points -= points;
    model->held += points;
    model->holds[model->hold_count].event = hold;
    model->holds[model->hold_count++].points = points;
}

static void model_end(struct model *model, uint32_t index, millipoints capture)
{
    struct world *world = model->world;
    const struct world_event *hold = model->holds[index].event;
    millipoints held = model->holds[index].points;
    bool overdue = world->now >= hold->event.hold.deadline;
    const struct world_event *booked = capture > 0 ? shop_capture(world, 0, hold, capture, 0)
                                       : overdue   ? shop_time_out(world, hold)
                                                   : shop_release(world, 0, hold);
    if (model->holds[index].ended || (overdue && capture > 0))
        assert_refused(world, "end", REFUSAL_HOLD_ENDED);
    else
        assert_refused(world, "end", capture > held ? REFUSAL_MORE_THAN_HELD : REFUSAL_NONE);
    if (booked == NULL)
        return;
    assert_int_equal(ended_points(&booked->event, hold->position), held);
    model->holds[index].ended = true;
    model->held -= held;
    model->free_points += held - capture;
}

static void model_step(struct model *model, struct random *random)
{
    millipoints points = (millipoints)(1 + random_below(random, 40)) * POINT;
    uint64_t choice = random_below(random, 10);
    if (choice < 3 && model->hold_count < MODEL_HOLDS) {
        model_hold(model, points);
    } else if (choice < 7 && model->hold_count > 0) {
        uint32_t index = (uint32_t)random_below(random, model->hold_count);
        model_end(model, index, choice == 6 ? 0 : points);
    } else if (choice == 7) {
        struct redeem_request request = { .card = world_card(0), .wish.points = points };
        (void)shop_redeem(model->world, &request);
        assert_refused(model->world, "redeem",
                       points > model->free_points ? REFUSAL_NOT_ENOUGH_POINTS : REFUSAL_NONE);
        model->free_points -= points > model->free_points ? 0 : points;
    } else if (choice == 8) {
        shop_give(model->world, 0, points);
        model->free_points += points;
    } else {
        model->world->now += (utc_us)random_below(random, HOLD_S_DEFAULT) * US_PER_SECOND;
    }
}

static void holds_never_overdraw(void **state)
{
    (void)state;
    struct random random = random_seeded();
    for (int run = 0; run < 30; run++) {
        struct model model = { .world = shop_new(1) };
        for (int step = 0; step < 120; step++) {
            model_step(&model, &random);
            struct balance balance = world_balance(model.world, 0);
            assert_int_equal(balance.available, model.free_points);
            assert_int_equal(balance.held, model.held);
            assert_true(balance.available >= 0 && balance.held >= 0);
        }
        world_free(model.world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_give_back_what_is_not_captured),
        cmocka_unit_test(captures_spend_up_to_what_is_held),
        cmocka_unit_test(holds_end_once),
        cmocka_unit_test(a_hold_is_captured_to_its_last_instant),
        cmocka_unit_test(holds_are_found_by_their_account),
        cmocka_unit_test(holds_survive_replacing_and_merging),
        cmocka_unit_test(a_reward_is_set_aside_whole),
        cmocka_unit_test(a_use_counts_on_the_day_of_its_capture),
        cmocka_unit_test(a_use_of_a_forgotten_day_stays),
        cmocka_unit_test(stamps_are_set_aside),
        cmocka_unit_test(a_reward_that_is_gone_can_be_captured),
        cmocka_unit_test(held_points_expire_on_release),
        cmocka_unit_test(what_is_given_back_settles_debt),
        cmocka_unit_test(an_account_has_room_for_so_many_holds),
        cmocka_unit_test(a_hold_lies_in_so_many_lots),
        cmocka_unit_test(holds_never_overdraw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
