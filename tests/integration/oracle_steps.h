/* What the files of the oracle share. */
#pragma once

#include "oracle.h"

__extension__ typedef __int128 oracle_wide;

/* a x b / c, rounded down; all of one sign. */
static inline int64_t oracle_part_of(int64_t a, int64_t b, int64_t c)
{
    return (int64_t)((oracle_wide)a * b / c);
}
static inline int64_t oracle_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
static inline int64_t oracle_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}
/* Down to the smallest part that is booked. */
static inline int64_t oracle_down(const struct oracle_programme *programme, int64_t points)
{
    return points - points % oracle_step(programme);
}

/* Room for one more pointer behind count, and a new element there, all zeros. */
void *oracle_add(void ***items, size_t *count, size_t size);

/* --- accounts (oracle_account.c) --- */

size_t oracle_account_add(struct oracle *oracle);
int32_t oracle_last_day(const struct oracle_account *account, const struct oracle_lot *lot);
/* Matured, not over, not held, less debt. */
int64_t oracle_free_points(const struct oracle *oracle, const struct oracle_account *account);
int64_t oracle_balance_of(const struct oracle_account *account);

/* What an award of a day is to be. */
struct oracle_lot oracle_award_lot(const struct oracle_programme *programme, int32_t day);
/* What is added today otherwise. */
struct oracle_lot oracle_added_lot(const struct oracle_programme *programme, int32_t today);

/* Points come in: what is matured pays debt, the rest is a lot. Returns its number, 0 if nothing is left. */
uint32_t oracle_give(struct oracle *oracle, struct oracle_account *account, const struct oracle_lot *terms,
                     int64_t points, int64_t *out_settled);
/* Takes free points in spending order, up to so many; writes them down. Returns how many. */
int64_t oracle_take(struct oracle *oracle, struct oracle_account *account, int64_t points,
                    struct oracle_takes *takes);
/* Takes of one lot what is not held. */
int64_t oracle_take_lot(struct oracle_account *account, uint32_t number, int64_t points,
                        struct oracle_takes *takes);
/* What was taken comes back, last taken first; of the last ones `skip` is back already. */
void oracle_give_back(struct oracle *oracle, struct oracle_account *account, const struct oracle_takes *takes,
                      int64_t skip, int64_t points);
/* Sets free points aside, in spending order. */
void oracle_set_aside(struct oracle *oracle, struct oracle_account *account, int64_t points,
                      struct oracle_takes *parts);
/* Free points pay debt, and the tier is what it must be now: the end of every event. */
void oracle_end_event(struct oracle *oracle, struct oracle_account *account);
/* Midnights up to today. */
void oracle_midnights(struct oracle *oracle, struct oracle_account *account);

/* --- what is counted --- */

int64_t oracle_tally(const struct oracle_account *account, enum oracle_tally_kind kind, unsigned id,
                     int32_t period);
void oracle_count(struct oracle_account *account, enum oracle_tally_kind kind, unsigned id, int32_t period,
                  int64_t value);
/* Gives room back in a period that is still kept, down to none. */
void oracle_uncount(struct oracle_account *account, enum oracle_tally_kind kind, unsigned id, int32_t period,
                    int64_t value);
void oracle_count_tier(struct oracle *oracle, struct oracle_account *account, enum oracle_basis basis,
                       int32_t day, int64_t value);
/* The tier if more counted on a day; what it is by what counts now and is kept. */
unsigned oracle_tier_with(const struct oracle *oracle, const struct oracle_account *account,
                          enum oracle_basis basis, int32_t day, int64_t value);

/* --- what goods earn (oracle_rating.c) --- */

/* What rating looks at. */
struct oracle_goods {
    unsigned count;
    struct {
        bool sale;
        unsigned article, category;
        int64_t base, units;
    } lines[ORACLE_LINES];
    int64_t left, before; /* the share that amounts left; before 0: all */
};

void oracle_bases(const struct oracle_programme *programme, const struct oracle_receipt *receipt,
                  int64_t paid, int64_t bases[ORACLE_LINES]);
struct oracle_goods oracle_goods_of(const struct oracle_receipt *receipt, const int64_t bases[ORACLE_LINES]);
/* Rates it, counting nothing: account->tier is that before it. Sets purchase->award, tier, offer_use, ... */
void oracle_rate(struct oracle *oracle, const struct oracle_programme *programme,
                 const struct oracle_account *account, int64_t paid, struct oracle_purchase *purchase);
/* What the rest would have earned; stamps by part, uses of offers that still give. */
struct oracle_rest {
    int64_t points, base;
    int64_t stamps[ORACLE_PARTS];
    unsigned gives;
};
struct oracle_rest oracle_rate_rest(const struct oracle_programme *programme,
                                    const struct oracle_purchase *sale, const struct oracle_goods *rest);
/* What today's base rules earn on an amount without a known purchase. */
int64_t oracle_rate_unlinked(const struct oracle *oracle, const struct oracle_account *account,
                             int64_t amount, unsigned store);
/* Offers of which a use counted. */
unsigned oracle_uses(const struct oracle_programme *programme, const struct oracle_purchase *sale);

/* --- redeeming (oracle_redeem.c) --- */

/* Judges and prices a wish of an account; RESULT_DONE or why not. *inout: wish is there. bill -1: not known. */
enum result oracle_price(struct oracle *oracle, const struct oracle_account *account,
                         const struct oracle_receipt *receipt, int64_t bill,
                         const struct oracle_programme *programme, int32_t day, bool judge,
                         struct oracle_spend *inout, struct oracle_answer *out);
/* Takes what it costs, and counts its use. */
void oracle_pay(struct oracle *oracle, struct oracle_account *account, struct oracle_spend *spend);
/* Captures a hold; *out_spend is filled. */
enum result oracle_take_hold(struct oracle *oracle, size_t account, size_t hold, int64_t points, int64_t bill,
                             const struct oracle_receipt *receipt, unsigned line,
                             const struct oracle_programme *programme, int32_t day,
                             struct oracle_spend *out_spend, struct oracle_answer *out);
void oracle_end_hold(struct oracle *oracle, struct oracle_hold *hold);
/* Points, stamps and uses of a spend come back. */
void oracle_unspend(struct oracle *oracle, struct oracle_spend *spend, int64_t points, int64_t stamps,
                    int64_t quantity);

/* --- goods that come back (oracle_goods.c) --- */

/* Of each line that is goods: its amount less its share of what was taken off, and its units; others are zero. */
void oracle_nets_of(const struct oracle_receipt *receipt, int64_t nets[ORACLE_LINES],
                    int64_t units[ORACLE_LINES]);

/* What is left of a purchase. */
struct oracle_left {
    struct oracle_goods rest;
    int64_t sold, came_back, amount;
    bool nothing, nothing_sold;
    int64_t units[ORACLE_LINES]; /* of each line */
};

/* Takes what a return makes due. left NULL: all of it, as a reversal does. */
void oracle_take_back(struct oracle *oracle, size_t index, const struct oracle_left *left,
                      struct oracle_return *made, struct oracle_answer *out);
/* What the purchase counted is counted back; sign -1: again. Sums of what came back. */
void oracle_count_back(struct oracle *oracle, struct oracle_purchase *sale, const struct oracle_back *now,
                       int64_t sign);
void oracle_add_back(struct oracle_back *sum, const struct oracle_back *now, int64_t sign);

/* --- cards --- */

/* The account, if the status of its card allows this; else *out says why not. */
enum oracle_use { USE_TO_EARN, USE_TO_SPEND, USE_BY_OFFICE, USE_TO_RETURN };
size_t oracle_find(struct oracle *oracle, unsigned card, enum oracle_use use, struct oracle_answer *out);
