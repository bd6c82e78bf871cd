/*
 * What comes back of a purchase, and what that does to accounts (DOMAIN.md, Returning goods): shared by returns, reversals
 * and moved awards. Private to points.
 */
#pragma once

#include "base/base.h"
#include "base/units.h"
#include "points/decide.h"
#include "points/effect_maker.h"
#include "points/rating.h"

/* --- the purchase (goods_sale.c) --- */

/* A redemption of the purchase: its own, or one that named it. */
struct spend {
    const struct redemption *made;
    const struct event *event;   /* that made it */
    journal_position redemption; /* as of struct spent_back */
    uint32_t index;
    uint32_t side; /* of the account that spent; EVENT_EFFECTS_MAX: none of them */
    uint32_t lot_offset;
    bool undone; /* reversed by itself */
    millipoints given_back;
    int64_t stamps_back;
    uint32_t quantity_back;
};

/* A purchase as it stands now. */
struct bought {
    const struct event *event;
    const struct purchase *purchase;
    journal_position position;
    const struct programme *then;  /* by which it was rated */
    const struct programme *today; /* in force now */
    local_day day;                 /* today */
    /* The award, where it is now: side 0. */
    uint32_t award_lot; /* 0: none was made */
    struct lot_terms award_terms;
    millipoints settled; /* paid debt instead of going into the lot, and is not debt again yet */
    millipoints expired; /* in the lot, and not counted as taken yet */
    /* The account that bought: side 0, or 1 if the award was moved to another one. */
    uint32_t buyer_side;
    uint32_t lot_offset; /* of the buyer's lots since */
    uint32_t spend_count;
    struct spend spends[SPENT_BACK_MAX];
};

/*
 * Looks up what became of the purchase (decision->returned) and the accounts that it concerns (sides). spent_events: as of
 * struct return_request; NULL: what was spent does not matter. False: one of them has something due.
 */
bool bought_find(const struct points_view *view, const struct judgement *judgement, struct decision *decision,
                 const struct event *sale, journal_position position, const struct event *const *spent_events,
                 struct bought *out);

/* What came back of a redemption before. */
void spend_load(const struct returned *returned, struct spend *spend);

/*
 * The side to which an account of an earlier event leads now, and what its lot numbers are off by; EVENT_EFFECTS_MAX: none.
 * Before the effects are begun.
 */
uint32_t bought_side(const struct points_view *view, struct decision *decision, account_number number,
                     uint32_t *out_lot_offset);

/* --- the goods (goods_lines.c) --- */

/* What is left of a purchase after goods came back. */
struct left {
    struct rest rest;      /* its lines are decision->lines */
    minor_units sold;      /* all goods, net of the receipt's discounts */
    minor_units came_back; /* of it, in all */
    bool nothing;          /* no goods at all */
    bool nothing_sold;     /* nothing that could earn */
};

/*
 * Works out what comes back by a request: amount, by_amount and lines of event.goods_return, and what is left then. False:
 * refused (an unknown line, more than was sold).
 */
bool goods_by_request(struct decision *decision, const struct purchase *sale,
                      const struct return_request *request, struct left *out);
/* All that is left of it: only its amount, for nothing is asked of the lines of an undone purchase any more. */
minor_units goods_all(struct decision *decision, const struct purchase *sale);

/* Of so many of a reward that are this line of the purchase, from 1, those that stay. */
uint32_t goods_stay(const struct decision *decision, const struct purchase *sale, uint32_t line,
                    uint32_t quantity);

/* --- what was spent on it (goods_spent.c) --- */

/*
 * What comes back of what was spent, into decision->backs. left: NULL, all of it comes back, whatever became of the goods.
 */
uint32_t spent_back(const struct points_view *view, struct decision *decision, const struct bought *bought,
                    const struct left *left);
/* The redemption that something came back of; NULL: what it spent is left alone. */
const struct spend *spend_of(const struct bought *bought, const struct redemption_back *back);

/* Gives back points, stamps and the use of its limit to the account that spent them. False: it can hold no more lots. */
PUNKT_MUST_CHECK bool spend_give_back(const struct points_view *view, struct maker *maker,
                                      const struct spend *spend, const struct redemption_back *back,
                                      uint32_t restore_days);
/* The opposite, but for points. */
void spend_use_again(const struct points_view *view, struct maker *maker, const struct spend *spend,
                     const struct redemption_back *back);

/* Gives room under a limit or cap back, or, below zero, takes it again; of a period that is forgotten neither. */
void give_room(struct maker *maker, enum tally_kind kind, uint64_t id, local_day period, int64_t value);

/* --- what that does (goods_back.c) --- */

/* How it is taken, and whether spent points come back for it. */
struct taking {
    enum claw_back claw_back;
    bool give_spent;
};

/*
 * Fills the sums of *goods (amount and lines are there) and makes the effects. left: NULL, nothing is left and all that was
 * spent comes back. Refuses what is over what an account can hold.
 */
void goods_take_back(const struct points_view *view, struct decision *decision, const struct bought *bought,
                     const struct left *left, const struct taking *taking, struct goods_return *goods);

/*
 * The opposite of a return that `original` booked; *goods is a copy of it, and keeps what of it was not undone otherwise.
 * What was taken for the award comes back to where that is now.
 */
void goods_give_again(const struct points_view *view, struct decision *decision, const struct bought *bought,
                      const struct event *original, struct goods_return *goods);

/* Whether an effect counted, or counted back, for tiers by this basis. */
bool effect_counts(const struct effect *effect, enum tier_basis basis);
/* Whether the purchase counts now for tiers by this basis. */
bool bought_counts(const struct bought *bought, enum tier_basis basis);
/* The purse of its i-th part, which gave stamps. */
uint64_t bought_purse(const struct bought *bought, uint32_t part);
