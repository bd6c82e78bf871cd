/*
 * What goods earn (DOMAIN.md, Earning). The order is fixed, and each step is a function: the base of each
 * line, the base rules and their combination, then (the tier being known now) tier, offers, stamps and caps.
 * Private to points.
 */
#pragma once

#include "base/base.h"
#include "base/units.h"
#include "points/event.h"
#include "points/programme.h"

/*
 * Hands a total out to parts in proportion to them, by running totals, so that what is handed out
 * adds up to the total.
 */
struct spread {
    minor_units total; /* to hand out */
    minor_units whole; /* sum of all the parts, above zero; else nothing is handed out */
    minor_units passed;
    minor_units given;
};

/* The share of the next part. */
minor_units spread_next(struct spread *spread, minor_units part);

/* The money off that a receipt's lines share: all of kind reward and, if so wanted, discount. */
struct spread money_off(uint32_t line_count, const struct sale_line *lines, bool with_discounts);

/* The units of a line: a line without a quantity is one unit. */
millis_of_unit line_units(const struct sale_line *line);

/* Whether a line is goods: something that can come back. */
bool line_is_goods(const struct sale_line *line);

/* What rating looks at. */
struct rating_input {
    const struct programme *programme; /* in force when it happened */
    const struct account *account; /* tags, activations, tallies, balance, as of now; NULL: a new account */
    utc_us occurred;
    struct text store;
    minor_units amount;
    minor_units paid;        /* of it with points: earns nothing */
    uint32_t line_count;     /* 0: one sale line of the whole amount */
    struct sale_line *lines; /* base is filled */
    uint32_t tender_count;
    const struct tender *tenders;
    uint32_t coupon_count;
    const struct text *coupons;
};

#define RATING_TALLIES_MAX (PROGRAMME_OFFERS_MAX + 2)

/* A rating on its way. About 40 KiB: the caller's, made once, never cleared. */
struct rating {
    local_day day;   /* of the purchase */
    uint32_t minute; /* of the day */
    /* The goods. Filters are numbered as in struct programme_word; only sale lines pass any. */
    uint32_t line_count;
    const struct sale_line *lines;
    struct sale_line whole;     /* the one line of a receipt without lines */
    minor_units base;           /* of all lines */
    millis_of_unit units;       /* of the sale lines */
    uint64_t passed_by_any;     /* bit i: a line passes the line filter i */
    uint64_t passed_by_all;     /* bit i: every sale line does, and there is one */
    uint64_t passes[LINES_MAX]; /* by line: bit i, it passes the line filter i */
    /* Of a rest, the share by amounts: base, and points by unit, x left / before. before 0: all of it. */
    minor_units left, before;
    /* What the filters of receipts ask for: bit i, filter i is content. */
    uint64_t receipt_passes;
    millipoints base_points;
    uint64_t rules_won; /* bit i: base rule i took part */
    uint32_t part_count;
    struct award_part parts[AWARD_PARTS_MAX];
    uint32_t stamp_count; /* of the parts: PART_STAMP */
    millipoints earned;   /* after caps */
    millipoints trimmed;  /* by them */
    /* Uses of offers, room under caps: to be added to the account. CHANGE_TALLY. */
    uint32_t tally_count;
    struct account_change tallies[RATING_TALLIES_MAX];
    bool old_period; /* one of them counts into an older period than is kept */
};

/*
 * Step 1: the bases of lines and receipt, and which filters each line passes. Amounts are at most AMOUNT_MAX.
 */
void rate_bases(const struct rating_input *input, struct rating *rating);

/*
 * Step 2: the base rules. tier_step: the tier before this purchase, for the filters of rules (0: none).
 * False: more points than the ledger holds.
 */
PUNKT_MUST_CHECK bool rate_base_rules(const struct rating_input *input, uint32_t tier_step,
                                      struct rating *rating);

/* Step 3: tier, offers, stamps, sum, caps, at the tier reached with this purchase. False: as above. */
PUNKT_MUST_CHECK bool rate_extras(const struct rating_input *input, uint32_t tier_step,
                                  struct rating *rating);

/* What is left of a purchase after returns. */
struct rest {
    uint32_t line_count;           /* as of the purchase; 0: one line of its whole amount, in `whole` */
    const struct sale_line *lines; /* base and quantity: what is left by quantity; 0 quantity: nothing is */
    struct sale_line whole;
    minor_units left, before; /* the share by amounts; before 0: no amount came back */
};

/* What the rest would have earned by the rules that took part, with the version, tier and factors of then. */
struct kept {
    millipoints points; /* not more than was earned */
    minor_units base;
    int64_t stamps[STAMP_PARTS_MAX]; /* by the purchase's stamp parts, in their order */
    uint64_t uses;                   /* of rate_uses, those that still give something */
};
void rate_rest(const struct programme *programme, const struct purchase *sale, const struct rest *rest,
               struct rating *scratch, struct kept *out);

/*
 * The offers of which a purchase counted a use: they have a limit, and gave something. Bit i: offer i of the
 * programme that it was rated by.
 */
uint64_t rate_uses(const struct programme *programme, const struct purchase *sale);

/*
 * What today's base rules earn on goods whose purchase is not known: no visits, minimum, tier, offers, caps.
 */
PUNKT_MUST_CHECK bool rate_unlinked(const struct rating_input *input, struct rating *rating,
                                    millipoints *out_points);

/* In which period of its window a use of an offer, or of a reward, counts: its first day. */
local_day window_start(enum window window, const struct period *period, local_day day);
/*
 * The day on which the hours of a filter began that hold the moment: past midnight, the day before. Its
 * weekday is the one that `days` means. Of several hours, the first in the file whose day fits; the day
 * itself if none does.
 */
local_day filter_use_day(const struct filter *filter, local_day day, uint32_t minute);
