/*
 * Single steps of an effect, booked as an event of their own: for tests of what an account is made of, below the decisions
 * that say when.
 */
#pragma once

#include "points/effect_maker.h"
#include "points_world.h"

#define POINT MILLIPOINTS_PER_POINT

/* Begins an event on the account of a card; what is due by itself is booked before. */
struct maker act_begin(struct world *world, uint32_t card);
/* Ends and books it. */
struct world_event *act_end(struct world *world, struct maker *maker, millipoints lifetime);

/* An award of a purchase on that day, by the programme in force; counts for the lifetime. Returns its lot. */
uint32_t act_award(struct world *world, uint32_t card, local_day earned, millipoints points);
/* What the office adds, with its own last day. */
uint32_t act_add(struct world *world, uint32_t card, millipoints points, local_day last_day);
/* Takes free points: all of them, or the test fails. */
struct world_event *act_take(struct world *world, uint32_t card, millipoints points);
void act_owe(struct world *world, uint32_t card, millipoints points);
/* Returns the hold. */
journal_position act_hold(struct world *world, uint32_t card, millipoints points);
struct world_event *act_hold_end(struct world *world, uint32_t card, journal_position hold,
                                 millipoints captured);
/* Gives points back that the event took, after `skip` of them. */
void act_give_back(struct world *world, uint32_t card, const struct world_event *taken, millipoints skip,
                   millipoints points);
/* Spend, visits or matured points of a day, and what that does to the tier. */
void act_count(struct world *world, uint32_t card, enum tier_basis basis, local_day day, int64_t value);

/* A lot by its number; the test fails if there is none. */
const struct lot *lot_of(const struct world *world, uint32_t card, uint32_t number);
/* A day of the proleptic calendar. */
local_day date(int32_t year, uint32_t month, uint32_t day);
