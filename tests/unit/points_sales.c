#include "points_world.h"

struct world_event *world_purchase(struct world *world, uint32_t card, minor_units amount,
                                   uint32_t line_count, const struct sale_line *lines)
{
    struct purchase_request request = {
        .card = world_card(card), .amount = amount, .line_count = line_count, .lines = lines
    };
    world_ask(world, decide_purchase, &request);
    return world_book(world);
}

enum refusal world_return(struct world *world, uint32_t card, struct world_event *sale, minor_units amount,
                          uint32_t line_count, const struct return_request_line *lines)
{
    struct return_request request = {
        .card = world_card(card), .amount = amount, .line_count = line_count, .lines = lines
    };
    if (sale != NULL) {
        request.sale = &sale->event;
        request.sale_position = sale->position;
    }
    world_ask(world, decide_return, &request);
    (void)world_book(world);
    return world->decision.refusal;
}

enum refusal world_unlinked(struct world *world, uint32_t card, minor_units amount)
{
    struct unlinked_return_request request = { .card = world_card(card), .amount = amount };
    world_ask(world, decide_unlinked_return, &request);
    (void)world_book(world);
    return world->decision.refusal;
}

enum refusal world_redeem(struct world *world, uint32_t card, millipoints points)
{
    struct redeem_request request = { .card = world_card(card), .wish = { .points = points } };
    world_ask(world, decide_redeem, &request);
    (void)world_book(world);
    return world->decision.refusal;
}

enum refusal world_adjust(struct world *world, uint32_t card, millipoints points, bool allow_debt)
{
    struct adjust_request request = { .card = world_card(card),
                                      .points = points,
                                      .reason = TEXT_LITERAL("goodwill"),
                                      .allow_debt = allow_debt };
    world_ask(world, decide_adjust, &request);
    (void)world_book(world);
    return world->decision.refusal;
}
