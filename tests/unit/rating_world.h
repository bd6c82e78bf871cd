/*
 * A programme, an account and a receipt for tests of rating, put together a rule and a word at a time.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "points/rating.h"
#include "points/rating_steps.h"

#define POINT MILLIPOINTS_PER_POINT
#define UNIT MILLIS_PER_UNIT
#define RATING_LINES_MAX 32

struct rating_world {
    struct programme programme; /* without rules; its two tiers do nothing by themselves */
    struct account account;
    struct rating_input input; /* of both, at 2026-03-10 12:00 UTC, a Tuesday */
    struct sale_line lines[RATING_LINES_MAX];
    struct rating rating;
    struct purchase sale; /* what world_rate booked */
    struct award_part parts[AWARD_PARTS_MAX];
};

struct rating_world *rating_world_new(void);
void rating_world_free(struct rating_world *world);

local_day day_of(int32_t year, uint32_t month, uint32_t day);
/* An instant by its UTC date and time. */
utc_us instant(int32_t year, uint32_t month, uint32_t day, uint32_t hour, uint32_t minute);
/* Central Europe: forward on 29 March 2026 01:00 UTC, back on 25 October 01:00 UTC. */
void calendar_berlin(struct calendar *out);

/* Adds; the caller may go on with what they point to. Offers always were and have no limit. */
struct base_rule *add_rule(struct rating_world *world, enum rule_kind kind, millipoints points,
                           minor_units amount);
struct offer *add_offer(struct rating_world *world, enum offer_kind kind);
struct sale_line *add_line(struct rating_world *world, const char *code, const char *category,
                           minor_units amount);

/* The word that filters name. */
struct programme_word *word(struct rating_world *world, const char *text);
void include_category(struct rating_world *world, struct filter *filter, uint64_t bit, const char *category);
void exclude_category(struct rating_world *world, struct filter *filter, uint64_t bit, const char *category);

/* All steps, at a tier; the sale is what came of it. The amount is the lines'. */
millipoints rate_all(struct rating_world *world, uint32_t tier_step);
/* The part of a kind; NULL: there is none. */
const struct award_part *part_of(const struct rating_world *world, enum part_kind kind);

/* What is left: of each line a quantity (in its order), of amounts left / before. */
struct kept keep_rest(struct rating_world *world, const millis_of_unit *left, minor_units amount_left,
                      minor_units amount_before);
