/*
 * For tests of what comes back: purchases with redemptions, returns and reversals in a world of points, with all that the
 * journal would be asked for.
 */
#pragma once

#include "points_world.h"

#define POINT MILLIPOINTS_PER_POINT

/* The event at a position; NULL: there is none. */
struct world_event *goods_event(struct world *world, journal_position position);

/* A purchase of the whole amount, or of lines, which wants one thing for points. Fails the test if it is refused. */
struct world_event *goods_bought(struct world *world, uint32_t card, minor_units amount);
struct world_event *goods_bought_lines(struct world *world, uint32_t card, uint32_t line_count,
                                       const struct sale_line *lines);
struct world_event *goods_bought_with(struct world *world, uint32_t card, uint32_t line_count,
                                      const struct sale_line *lines, const struct wish *wish);

/* Redemptions that name a purchase (NULL: none). */
struct world_event *goods_redeem(struct world *world, uint32_t card, const struct wish *wish,
                                 const struct world_event *sale);

/* A return of all lines, and of an amount; the refusal is in world->decision. */
struct return_request goods_request(struct world *world, uint32_t card, const struct world_event *sale);
struct world_event *goods_return(struct world *world, const struct return_request *request);
struct world_event *goods_return_amount(struct world *world, uint32_t card, const struct world_event *sale,
                                        minor_units amount);
struct world_event *goods_return_lines(struct world *world, uint32_t card, const struct world_event *sale,
                                       uint32_t line_count, const struct return_request_line *lines);

/* A reversal of what an event's number made. */
struct reversal_request goods_undo_request(struct world *world, const struct world_event *original);
struct world_event *goods_undo(struct world *world, const struct world_event *original);

/* Points that fall from the sky. */
void goods_give(struct world *world, uint32_t card, millipoints points);

/* The account of a card, merges followed. */
struct account *goods_account(struct world *world, uint32_t card);
