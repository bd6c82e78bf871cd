/*
 * A receipt of the past by the rules of a draft (DOMAIN.md, Back office: rehearsed on past days). Books nothing.
 */
#pragma once

#include "base/base.h"
#include "points/decide.h"

/* What it works with: about 1 MiB, made once by the caller and used again for each receipt. */
struct rehearsal {
    struct decision decision; /* .returned is the caller's: what has come back of the purchase since */
    struct rating rest;
    struct sale_line lines[LINES_MAX];
};

struct rehearsed {
    millipoints earned; /* then */
    millipoints kept;   /* of it, after what has come back: as a return reckons it */
    /* Borrowed from the rehearsal: rules, offers, tier and caps that took part; uses of limits and room under caps. */
    uint32_t part_count;
    const struct award_part *parts;
    uint32_t tally_count;
    const struct account_change *tallies;
};

/*
 * Rates the goods of an EVENT_PURCHASE that was not undone, at the tier at which they were rated then (by its name; none if
 * the draft does not have it). account: tags, activations, tallies and balance to go by. False: more points than the ledger
 * holds.
 */
PUNKT_MUST_CHECK bool rehearse_purchase(const struct programme *draft, const struct event *sale,
                                        const struct account *account, struct rehearsal *rehearsal,
                                        struct rehearsed *out);
