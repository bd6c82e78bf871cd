/*
 * A world with a catalogue of every kind of reward, and its requests to redeem, hold, capture and release.
 */
#pragma once

#include "points_world.h"

#define POINT MILLIPOINTS_PER_POINT

/* Places in the programme's list of rewards. */
enum { FIVE_OFF, TENTH_OFF, COFFEE, CINEMA, MUG, SHOP_REWARDS };

/*
 * A point is worth 1.00, and is earned with each 1.00. Rewards: "five off" 5.00 for 4 points; "tenth off" 10
 * %, at most 3.00, for 2 points; "coffee", code COFFEE, up to 4.00, for 10 stamps of "cups"; "cinema", a
 * voucher, 2 for 5 points; "mug" for 1 point, in March 2026, in store "north", from tier "silver" on, 3 in
 * stock, 2 a day and account.
 */
struct world *shop_new(uint32_t card_count);

struct reward *shop_reward(struct world *world, uint32_t index);
struct text shop_reward_name(uint32_t index);

/* Points and stamps of "cups" into an account; its tier is "silver" from now on. */
void shop_give(struct world *world, uint32_t card, millipoints points);
void shop_stamp(struct world *world, uint32_t card, int64_t stamps);
void shop_raise(struct world *world, uint32_t card);

/* The account's PIN is set, and so many wrong ones were tried in a row. */
void shop_set_pin(struct world *world, uint32_t card, uint8_t wrong);

/* Each asks, and books what is not refused; NULL: world->decision says why not. */
struct world_event *shop_redeem(struct world *world, const struct redeem_request *request);
struct world_event *shop_hold(struct world *world, uint32_t card, const struct wish *wish);
struct world_event *shop_capture(struct world *world, uint32_t card, const struct world_event *hold,
                                 millipoints points, minor_units bill);
struct world_event *shop_release(struct world *world, uint32_t card, const struct world_event *hold);
struct world_event *shop_time_out(struct world *world, const struct world_event *hold);
struct world_event *shop_buy(struct world *world, uint32_t card, minor_units amount, uint32_t wish_count,
                             const struct wish *wishes);

/* What can be spent of an account; uses of a reward that count today, and in all. */
millipoints shop_free(struct world *world, uint32_t card);
int64_t shop_uses(struct world *world, uint32_t card, uint32_t reward);
int64_t shop_used(struct world *world, uint32_t reward);

/* Fails, with the row's name, if the last decision was another. */
void assert_refused(const struct world *world, const char *row, enum refusal want);
