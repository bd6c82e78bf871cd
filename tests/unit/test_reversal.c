/* "Undo what I sent, whether or not you got it": every row of DOMAIN.md's table (Undoing). */
#include "goods_world.h"

#define EXPECT(what, got, want)                                                                              \
    do {                                                                                                     \
        if ((got) != (want))                                                                                 \
            fail_msg("%s: %s is %lld, not %lld", what, #got, (long long)(got), (long long)(want));           \
    } while (0)

static const struct sale_line two_items[] = {
    { .code = { "A", 1 }, .quantity = 1000, .amount = 5000 },
    { .code = { "B", 1 }, .quantity = 1000, .amount = 5000 },
};

/* Points worth 0.20 each, 200 of them, 150 spent on 100.00 of goods, which earn 70. */
static struct world *world_of_two_items(struct world_event **out_sale)
{
    struct world *world = world_new(2);
    world->programme.worth_amount = 20;
    world->programme.return_spent = false; /* a reversal gives it back whatever the programme says */
    world->programme.claw_back = CLAW_BACK_PENDING;
    goods_give(world, 0, 200 * POINT);
    struct wish wish = { .points = 150 * POINT };
    *out_sale = goods_bought_with(world, 0, COUNT_OF(two_items), two_items, &wish);
    return world;
}

static struct world_event *asked(struct world *world, const struct reversal_request *request)
{
    world_ask(world, decide_reversal, request);
    return world_book(world);
}

static void assert_outcome(const struct world_event *undone, enum reversal_outcome outcome)
{
    assert_non_null(undone);
    assert_int_equal(undone->event.reversal.outcome, outcome);
    if (outcome != REVERSAL_DONE) {
        assert_int_equal(undone->event.effect_count, 0);
        assert_int_equal(undone->event.reversal.of, 0);
        assert_int_equal(event_sale(&undone->event), 0);
    }
}

/* --- booked --- */

static void a_purchase_is_undone(void **state)
{
    (void)state;
    struct world_event *sale;
    struct world *world = world_of_two_items(&sale);
    struct world_event *undone = goods_undo(world, sale);
    assert_outcome(undone, REVERSAL_DONE);
    assert_int_equal(undone->event.reversal.of, sale->position);
    assert_int_equal(undone->event.reversal.type, EVENT_PURCHASE);
    assert_int_equal(undone->event.reversal.given, 150 * POINT);
    assert_int_equal(undone->event.reversal.taken, 70 * POINT);
    assert_int_equal(undone->event.reversal.goods.amount, 10000);
    assert_int_equal(goods_account(world, 0)->balance, 200 * POINT);
    assert_int_equal(goods_account(world, 0)->lifetime, 0);
    assert_true(sale->returned->reversed);
    assert_outcome(goods_undo(world, sale), REVERSAL_NOTHING);
    world_free(world);
}

/* What was spent of its award becomes debt, whatever the programme says. */
static void an_undone_purchase_is_taken_by_debt(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.claw_back = CLAW_BACK_OWN;
    struct world_event *sale = goods_bought(world, 0, 10000);
    assert_int_equal(world_redeem(world, 0, 80 * POINT), REFUSAL_NONE);
    assert_int_equal(goods_undo(world, sale)->event.reversal.taken, 100 * POINT);
    assert_int_equal(goods_account(world, 0)->balance, -80 * POINT);
    world_free(world);
}

/* Partly returned: the rest is reversed, with the amount. */
static void the_rest_of_a_purchase_is_undone(void **state)
{
    (void)state;
    struct world_event *sale;
    struct world *world = world_of_two_items(&sale);
    world->programme.return_spent = true;
    world->programme.claw_back = CLAW_BACK_DEBT;
    struct return_request_line a = { .number = 1 };
    assert_int_equal(goods_return_lines(world, 0, sale, 1, &a)->event.goods_return.given_back, 75 * POINT);
    struct world_event *undone = goods_undo(world, sale);
    assert_int_equal(undone->event.reversal.given, 75 * POINT);
    assert_int_equal(undone->event.reversal.goods.amount, 5000);
    assert_int_equal(goods_account(world, 0)->balance, 200 * POINT);
    world_free(world);
}

static void the_document_is_free_again(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct purchase_request request = { .card = world_card(0),
                                        .amount = 1000,
                                        .document = { .store = TEXT_LITERAL("1"),
                                                      .till = TEXT_LITERAL("2"),
                                                      .business_date = 20000,
                                                      .number = TEXT_LITERAL("17") } };
    world_ask(world, decide_purchase, &request);
    struct world_event *undone = goods_undo(world, world_book(world));
    const struct document *frees = &undone->event.reversal.frees;
    assert_int_equal(frees->kind, DOCUMENT_SALE);
    assert_int_equal(frees->business_date, 20000);
    assert_true(text_equal(frees->number, TEXT_LITERAL("17")));
    world_free(world);
}

/* --- returns --- */

static void a_return_is_undone(void **state)
{
    (void)state;
    struct world_event *sale;
    struct world *world = world_of_two_items(&sale);
    world_publish(world)->return_spent = true;
    world->later[0].claw_back = CLAW_BACK_DEBT;
    struct account before = *goods_account(world, 0);
    struct return_request_line a = { .number = 1 };
    struct world_event *back = goods_return_lines(world, 0, sale, 1, &a);
    assert_int_equal(goods_account(world, 0)->balance, 160 * POINT);
    struct world_event *undone = goods_undo(world, back);
    assert_outcome(undone, REVERSAL_DONE);
    assert_true(undone->event.reversal.undoes_return);
    assert_int_equal(undone->event.reversal.given, 35 * POINT);
    assert_int_equal(undone->event.reversal.taken, 75 * POINT);
    const struct account *account = goods_account(world, 0);
    assert_int_equal(account->balance, before.balance);
    assert_int_equal(account->lifetime, before.lifetime);
    assert_int_equal(account->lot_count, before.lot_count);
    for (uint32_t i = 0; i < account->lot_count; i++)
        assert_int_equal(account->lots[i].points, before.lots[i].points);
    assert_int_equal(sale->returned->returns, 0);
    assert_int_equal(sale->returned->line_count, 0);
    assert_int_equal(sale->returned->due, 0);
    assert_int_equal(sale->returned->given_back, 0);
    assert_int_equal(sale->returned->spent[0].given_back, 0);
    assert_int_equal(sale->returned->base_back, 0);
    assert_false(sale->returned->visit_back);
    /* It can come back again, and takes the same. */
    back = goods_return_lines(world, 0, sale, 1, &a);
    assert_int_equal(back->event.goods_return.taken, 35 * POINT);
    assert_int_equal(back->event.goods_return.given_back, 75 * POINT);
    world_free(world);
}

/* What the return made a debt pays debt, or, if that was paid since, comes back. */
static void a_return_that_made_a_debt_is_undone(void **state)
{
    (void)state;
    static const struct {
        millipoints given; /* between the return and its reversal */
        millipoints balance;
    } rows[] = { { 0, 20 }, { 30, 50 }, { 80, 100 }, { 100, 120 } };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world *world = world_new(1);
        struct world_event *sale = goods_bought(world, 0, 10000);
        assert_int_equal(world_redeem(world, 0, 80 * POINT), REFUSAL_NONE);
        struct world_event *back = goods_return_amount(world, 0, sale, 10000);
        assert_int_equal(goods_account(world, 0)->debt, 80 * POINT);
        if (rows[i].given > 0)
            goods_give(world, 0, rows[i].given * POINT);
        assert_outcome(goods_undo(world, back), REVERSAL_DONE);
        assert_int_equal(goods_account(world, 0)->balance, rows[i].balance * POINT);
        assert_int_equal(goods_account(world, 0)->debt, 0);
        world_free(world);
    }
}

/* Given-back points that were spent since are taken by `debt`. */
static void points_that_came_back_go_again(void **state)
{
    (void)state;
    struct world_event *sale;
    struct world *world = world_of_two_items(&sale);
    world->programme.return_spent = true;
    struct world_event *back = goods_return_amount(world, 0, sale, 10000);
    assert_int_equal(goods_account(world, 0)->balance, 270 * POINT); /* `pending` left the 70 there */
    assert_int_equal(world_redeem(world, 0, 250 * POINT), REFUSAL_NONE);
    assert_int_equal(goods_undo(world, back)->event.reversal.taken, 150 * POINT);
    assert_int_equal(goods_account(world, 0)->balance, -130 * POINT);
    world_free(world);
}

static void a_return_of_an_undone_purchase_is_nothing(void **state)
{
    (void)state;
    struct world_event *sale;
    struct world *world = world_of_two_items(&sale);
    struct world_event *back = goods_return_amount(world, 0, sale, 5000);
    assert_non_null(goods_undo(world, sale));
    assert_outcome(goods_undo(world, back), REVERSAL_NOTHING);
    assert_int_equal(goods_account(world, 0)->balance, 235 * POINT); /* 35 were forgiven by `pending` */
    world_free(world);
}

/* 20 there, 50 due: taken, made a debt, and back again. */
static void an_unlinked_return_is_undone(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    goods_give(world, 0, 20 * POINT);
    assert_int_equal(world_unlinked(world, 0, 5000), REFUSAL_NONE);
    assert_int_equal(goods_account(world, 0)->balance, -30 * POINT);
    struct world_event *back = goods_event(world, world->position);
    assert_int_equal(goods_undo(world, back)->event.reversal.given, 50 * POINT);
    assert_int_equal(goods_account(world, 0)->balance, 20 * POINT);
    assert_int_equal(goods_account(world, 0)->lifetime, 0);
    world_free(world);
}

static void a_waiting_return_waits_no_more(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->flags = EVENT_FLAG_ADVICE;
    struct return_request request = goods_request(world, 0, NULL);
    request.amount = 700;
    request.document.number = TEXT_LITERAL("R1");
    request.sale_document.number = TEXT_LITERAL("17");
    struct world_event *waiting = goods_return(world, &request);
    assert_int_equal(waiting->event.type, EVENT_RETURN_WAITING);
    struct reversal_request undo = goods_undo_request(world, waiting);
    undo.card = world_card(0);
    undo.amount = 701;
    assert_null(asked(world, &undo));
    assert_int_equal(world->decision.refusal, REFUSAL_DOES_NOT_MATCH);
    undo.amount = 700;
    struct world_event *undone = asked(world, &undo);
    assert_int_equal(undone->event.reversal.of, waiting->position);
    assert_int_equal(undone->event.reversal.outcome, REVERSAL_DONE);
    assert_int_equal(undone->event.reversal.frees.kind, DOCUMENT_RETURN);
    assert_int_equal(undone->event.effect_count, 0);
    world_free(world);
}

/* --- redemptions --- */

static void a_redemption_is_undone(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    goods_give(world, 0, 100 * POINT);
    struct wish wish = { .points = 60 * POINT };
    struct world_event *made = goods_redeem(world, 0, &wish, NULL);
    struct world_event *undone = goods_undo(world, made);
    assert_int_equal(undone->event.reversal.given, 60 * POINT);
    assert_int_equal(event_sale(&undone->event), 0);
    assert_int_equal(goods_account(world, 0)->balance, 100 * POINT);
    assert_int_equal(goods_account(world, 0)->lot_count, 1);
    world_free(world);
}

/* If it belongs to a purchase that gave part back: the rest. */
static void the_rest_of_a_redemption_is_undone(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    goods_give(world, 0, 100 * POINT);
    struct world_event *sale = goods_bought(world, 0, 10000);
    struct wish wish = { .points = 60 * POINT };
    struct world_event *made = goods_redeem(world, 0, &wish, sale);
    assert_int_equal(goods_return_amount(world, 0, sale, 5000)->event.goods_return.given_back, 30 * POINT);
    struct world_event *undone = goods_undo(world, made);
    assert_int_equal(undone->event.reversal.given, 30 * POINT);
    assert_int_equal(sale->returned->spent[0].given_back, 60 * POINT);
    assert_int_equal(sale->returned->returns, 1);
    assert_int_equal(goods_account(world, 0)->balance, 150 * POINT);
    /* Nothing of it comes back with the rest of the goods; undone with its purchase, nothing is left. */
    assert_int_equal(goods_undo(world, sale)->event.reversal.given, 0);
    assert_int_equal(goods_account(world, 0)->balance, 100 * POINT);
    world_free(world);
}

static void a_redemption_goes_with_its_purchase(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    goods_give(world, 0, 100 * POINT);
    struct world_event *sale = goods_bought(world, 0, 10000);
    struct wish wish = { .points = 60 * POINT };
    struct world_event *made = goods_redeem(world, 0, &wish, sale);
    assert_int_equal(goods_undo(world, sale)->event.reversal.given, 60 * POINT);
    assert_outcome(goods_undo(world, made), REVERSAL_NOTHING);
    assert_int_equal(goods_account(world, 0)->balance, 100 * POINT);
    world_free(world);
}

/* --- holds --- */

enum hold_fate {
    OPEN,
    CAPTURED,
    CAPTURED_BY_PURCHASE,
    RELEASED,
    CAPTURE_UNDONE,
    PURCHASE_UNDONE,
    OPEN_UNDONE
};

struct hold_row {
    const char *what;
    enum hold_fate fate;
    enum reversal_outcome outcome;
    millipoints given;
    millipoints available; /* of 100, after it; of a purchase, plus what it earned */
};

static const struct hold_row hold_rows[] = {
    { "open: released", OPEN, REVERSAL_DONE, 0, 100 },
    { "captured: refunded", CAPTURED, REVERSAL_DONE, 30, 100 },
    { "captured by a purchase: refunded", CAPTURED_BY_PURCHASE, REVERSAL_DONE, 30, 150 },
    { "ended: nothing", RELEASED, REVERSAL_NOTHING, 0, 100 },
    { "its capture was undone: nothing", CAPTURE_UNDONE, REVERSAL_NOTHING, 0, 100 },
    { "its purchase was undone: nothing", PURCHASE_UNDONE, REVERSAL_NOTHING, 0, 100 },
    { "undone before: nothing", OPEN_UNDONE, REVERSAL_NOTHING, 0, 100 },
};

static struct world_event *capture(struct world *world, journal_position hold)
{
    struct capture_request request = { .card = world_card(0), .hold = hold, .points = 30 * POINT };
    world_ask(world, decide_capture, &request);
    return world_book(world);
}

/* 30 of the 40 that are held pay 6.00 of 56.00. */
static struct world_event *capture_by_purchase(struct world *world, journal_position hold)
{
    struct sale_line line = { .quantity = 1000, .amount = 5600 };
    struct wish wish = { .hold = hold, .points = 30 * POINT };
    world->programme.worth_amount = 20;
    return goods_bought_with(world, 0, 1, &line, &wish);
}

static void end_hold(struct world *world, enum hold_fate fate, struct world_event *hold)
{
    struct release_request release = { .card = world_card(0), .hold = hold->position };
    switch (fate) {
    case OPEN:
        break;
    case CAPTURED:
        assert_non_null(capture(world, hold->position));
        break;
    case CAPTURED_BY_PURCHASE:
        assert_non_null(capture_by_purchase(world, hold->position));
        break;
    case RELEASED:
        world_ask(world, decide_release, &release);
        assert_non_null(world_book(world));
        break;
    case CAPTURE_UNDONE:
        assert_non_null(goods_undo(world, capture(world, hold->position)));
        break;
    case PURCHASE_UNDONE:
        assert_non_null(goods_undo(world, capture_by_purchase(world, hold->position)));
        break;
    case OPEN_UNDONE:
        assert_non_null(goods_undo(world, hold));
        break;
    }
}

static struct world_event *hold_points(struct world *world)
{
    struct hold_request request = { .card = world_card(0),
                                    .wish = { .points = 40 * POINT },
                                    .pin = PIN_RIGHT };
    world_ask(world, decide_hold, &request);
    return world_book(world);
}

static void holds_are_undone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(hold_rows); i++) {
        const struct hold_row *row = &hold_rows[i];
        struct world *world = world_new(1);
        goods_give(world, 0, 100 * POINT);
        struct world_event *hold = hold_points(world);
        end_hold(world, row->fate, hold);
        struct world_event *undone = goods_undo(world, hold);
        assert_outcome(undone, row->outcome);
        EXPECT(row->what, undone->event.reversal.given, row->given * POINT);
        EXPECT(row->what, world_balance(world, 0).available, row->available * POINT);
        EXPECT(row->what, world_balance(world, 0).held, 0);
        struct hold_state now;
        assert_true(world->view.hold(world, hold->position, &now));
        EXPECT(row->what, now.end == HOLD_OPEN, false);
        world_free(world);
    }
}

/* The number of a capture, after that of its hold: nothing is left. And a refund is no part of a return. */
static void a_capture_is_undone_once(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    goods_give(world, 0, 100 * POINT);
    struct world_event *hold = hold_points(world);
    struct world_event *captured = capture(world, hold->position);
    assert_int_equal(goods_undo(world, hold)->event.reversal.given, 30 * POINT);
    assert_outcome(goods_undo(world, captured), REVERSAL_NOTHING);
    hold = hold_points(world);
    struct world_event *sale = capture_by_purchase(world, hold->position);
    assert_int_equal(goods_undo(world, hold)->event.reversal.given, 30 * POINT);
    assert_int_equal(sale->returned->spent[0].given_back, 30 * POINT);
    assert_int_equal(goods_return_amount(world, 0, sale, 5600)->event.goods_return.given_back, 0);
    assert_int_equal(world_balance(world, 0).available, 100 * POINT);
    world_free(world);
}

/* --- what is not undone --- */

static void what_was_refused_or_never_seen(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct event refusal = { .type = EVENT_REFUSAL };
    struct reversal_request request = { .original = { .identity = 7, .epoch = 8, .number = 9 },
                                        .card = world_card(0),
                                        .amount = 5,
                                        .event = &refusal,
                                        .position = 4711,
                                        .place = { .store = TEXT_LITERAL("1"), .till = TEXT_LITERAL("2") } };
    assert_outcome(asked(world, &request), REVERSAL_NOTHING);
    request.event = NULL;
    struct world_event *undone = asked(world, &request);
    assert_outcome(undone, REVERSAL_TOMBSTONE);
    assert_int_equal(undone->event.type, EVENT_TOMBSTONE);
    assert_int_equal(undone->event.reversal.original.number, 9);
    assert_true(text_equal(undone->event.till, TEXT_LITERAL("2")));
    world_free(world);
}

/* A reversal, a release, an adjustment, an act on cards. */
static void some_things_cannot_be_reversed(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    for (enum event_type type = 1; type <= EVENT_TYPE_MAX; type++) {
        bool can = type == EVENT_PURCHASE || type == EVENT_RETURN || type == EVENT_UNLINKED_RETURN ||
                   type == EVENT_REDEMPTION || type == EVENT_HOLD || type == EVENT_CAPTURE ||
                   type == EVENT_REFUSAL || type == EVENT_RETURN_WAITING;
        if (can)
            continue;
        struct event event = { .type = type };
        struct reversal_request request = { .original = { .identity = 7, .epoch = 8, .number = 9 },
                                            .event = &event,
                                            .position = 4711 };
        assert_null(asked(world, &request));
        assert_int_equal(world->decision.refusal, REFUSAL_CANNOT_BE_REVERSED);
    }
    world_free(world);
}

static void another_card_or_amount_does_not_match(void **state)
{
    (void)state;
    struct world_event *sale;
    struct world *world = world_of_two_items(&sale);
    struct reversal_request request = goods_undo_request(world, sale);
    request.amount = 9999;
    assert_null(asked(world, &request));
    assert_int_equal(world->decision.refusal, REFUSAL_DOES_NOT_MATCH);
    request.amount = 10000;
    request.card = world_card(1);
    assert_null(asked(world, &request));
    assert_int_equal(world->decision.refusal, REFUSAL_DOES_NOT_MATCH);
    request.card = TEXT_LITERAL("nobody");
    assert_null(asked(world, &request));
    assert_int_equal(world->decision.refusal, REFUSAL_DOES_NOT_MATCH);
    request.card = world_card(0);
    assert_non_null(asked(world, &request));
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_purchase_is_undone),
        cmocka_unit_test(an_undone_purchase_is_taken_by_debt),
        cmocka_unit_test(the_rest_of_a_purchase_is_undone),
        cmocka_unit_test(the_document_is_free_again),
        cmocka_unit_test(a_return_is_undone),
        cmocka_unit_test(a_return_that_made_a_debt_is_undone),
        cmocka_unit_test(points_that_came_back_go_again),
        cmocka_unit_test(a_return_of_an_undone_purchase_is_nothing),
        cmocka_unit_test(an_unlinked_return_is_undone),
        cmocka_unit_test(a_waiting_return_waits_no_more),
        cmocka_unit_test(a_redemption_is_undone),
        cmocka_unit_test(the_rest_of_a_redemption_is_undone),
        cmocka_unit_test(a_redemption_goes_with_its_purchase),
        cmocka_unit_test(holds_are_undone),
        cmocka_unit_test(a_capture_is_undone_once),
        cmocka_unit_test(what_was_refused_or_never_seen),
        cmocka_unit_test(some_things_cannot_be_reversed),
        cmocka_unit_test(another_card_or_amount_does_not_match),
    };
    return cmocka_run_group_tests_name("reversals", tests, NULL, NULL);
}
