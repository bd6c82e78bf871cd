/*
 * Acts on cards, on accounts and by the office, for tests of points: each is decided in a world and booked.
 * What is due by itself is booked before it.
 */
#pragma once

#include "points_world.h"

#define POINT MILLIPOINTS_PER_POINT

enum refusal act_issue(struct world *world, const char *number, uint32_t count, bool check_valid);
enum refusal act_card(struct world *world, enum card_act act, const char *number);
enum refusal act_replace(struct world *world, const char *old_number, const char *new_number);
enum refusal act_add(struct world *world, const char *number, const char *new_number);
enum refusal act_merge(struct world *world, const char *from, const char *to);
enum refusal act_transfer(struct world *world, const char *from, const char *to, millipoints points);
enum refusal act_adjust(struct world *world, const char *number, millipoints points, bool allow_debt);
enum refusal act_bonus(struct world *world, const char *number, millipoints points);
enum refusal act_write_off(struct world *world, const char *number, millipoints points);
/* NULL: no tag. */
enum refusal act_tag(struct world *world, const char *number, const char *set, const char *clear);
enum refusal act_activate(struct world *world, const char *number, const char *offer, bool off);
enum refusal act_pin_set(struct world *world, const char *number, bool set);
enum refusal act_pin_try(struct world *world, const char *number);
enum refusal act_hold(struct world *world, const char *number, millipoints points);
/* A purchase without lines; an advice is booked to suspense if it must. */
enum refusal act_buy(struct world *world, const char *number, minor_units amount, bool advice);

/* What is true of a card, and of the account that it leads to. The card must be there. */
struct card act_card_of(struct world *world, const char *number);
void act_account_of(struct world *world, const char *number, struct account *out);
millipoints act_balance_of(struct world *world, const char *number);

void assert_refused(const char *what, enum refusal got, enum refusal want);
