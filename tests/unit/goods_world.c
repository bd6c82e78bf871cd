#include "goods_world.h"

struct world_event *goods_event(struct world *world, journal_position position)
{
    for (uint32_t i = 0; i < world->event_count; i++) {
        if (world->events[i]->position == position)
            return world->events[i];
    }
    return NULL;
}

struct world_event *goods_bought_with(struct world *world, uint32_t card, uint32_t line_count,
                                      const struct sale_line *lines, const struct wish *wish)
{
    minor_units amount = 0;
    for (uint32_t i = 0; i < line_count; i++)
        amount += lines[i].amount;
    struct purchase_request request = { .card = world_card(card),
                                        .amount = amount,
                                        .line_count = line_count,
                                        .lines = lines,
                                        .wish_count = wish == NULL ? 0 : 1,
                                        .wishes = wish,
                                        .pin = PIN_RIGHT };
    world_ask(world, decide_purchase, &request);
    assert_int_equal(world->decision.refusal, REFUSAL_NONE);
    return world_book(world);
}

struct world_event *goods_bought_lines(struct world *world, uint32_t card, uint32_t line_count,
                                       const struct sale_line *lines)
{
    return goods_bought_with(world, card, line_count, lines, NULL);
}

struct world_event *goods_bought(struct world *world, uint32_t card, minor_units amount)
{
    struct world_event *sale = world_purchase(world, card, amount, 0, NULL);
    assert_non_null(sale);
    return sale;
}

struct world_event *goods_redeem(struct world *world, uint32_t card, const struct wish *wish,
                                 const struct world_event *sale)
{
    struct redeem_request request = { .card = world_card(card), .wish = *wish, .pin = PIN_RIGHT };
    if (sale != NULL) {
        request.sale = &sale->event;
        request.sale_position = sale->position;
        request.bill = 1000000; /* another one: what is named to it is not bounded by it */
    }
    world_ask(world, decide_redeem, &request);
    assert_int_equal(world->decision.refusal, REFUSAL_NONE);
    return world_book(world);
}

static void read_spent(struct world *world, const struct world_event *sale,
                       const struct event *out[SPENT_BACK_MAX])
{
    for (uint32_t i = 0; i < sale->returned->spent_count; i++) {
        journal_position redemption = sale->returned->spent[i].redemption;
        out[i] = redemption == sale->position ? NULL : &goods_event(world, redemption)->event;
    }
}

struct return_request goods_request(struct world *world, uint32_t card, const struct world_event *sale)
{
    struct return_request request = { .card = world_card(card) };
    if (sale != NULL) {
        request.sale = &sale->event;
        request.sale_position = sale->position;
        read_spent(world, sale, request.spent_events);
    }
    return request;
}

struct world_event *goods_return(struct world *world, const struct return_request *request)
{
    world_ask(world, decide_return, request);
    return world_book(world);
}

struct world_event *goods_return_amount(struct world *world, uint32_t card, const struct world_event *sale,
                                        minor_units amount)
{
    struct return_request request = goods_request(world, card, sale);
    request.amount = amount;
    return goods_return(world, &request);
}

struct world_event *goods_return_lines(struct world *world, uint32_t card, const struct world_event *sale,
                                       uint32_t line_count, const struct return_request_line *lines)
{
    struct return_request request = goods_request(world, card, sale);
    request.line_count = line_count;
    request.lines = lines;
    return goods_return(world, &request);
}

/* Reads back what the service would: what ended a hold, the purchase, what was spent on it. */
struct reversal_request goods_undo_request(struct world *world, const struct world_event *original)
{
    const struct event *event = &original->event;
    struct reversal_request request = { .original = { .identity = 7, .epoch = 8, .number = 9 },
                                        .amount = -1,
                                        .event = event,
                                        .position = original->position };
    struct hold_state hold;
    if (event->type == EVENT_HOLD && world->view.hold(world, original->position, &hold) &&
        hold.end != HOLD_OPEN) {
        request.ended_position = hold.ended_by;
        request.ended = &goods_event(world, hold.ended_by)->event;
    }
    journal_position position = event->type == EVENT_PURCHASE ? original->position : event_sale(event);
    const struct world_event *sale = position == 0 ? NULL : goods_event(world, position);
    if (sale != NULL) {
        request.sale = &sale->event;
        request.sale_position = position;
        read_spent(world, sale, request.spent_events);
    }
    return request;
}

struct world_event *goods_undo(struct world *world, const struct world_event *original)
{
    struct reversal_request request = goods_undo_request(world, original);
    world_ask(world, decide_reversal, &request);
    return world_book(world);
}

void goods_give(struct world *world, uint32_t card, millipoints points)
{
    assert_int_equal(world_adjust(world, card, points, true), REFUSAL_NONE);
}

struct account *goods_account(struct world *world, uint32_t card)
{
    account_number number = world->cards[card].account;
    while (world->accounts[number - 1].merged_into != 0)
        number = world->accounts[number - 1].merged_into;
    return &world->accounts[number - 1];
}
