#include "points/rehearse.h"

#include <string.h>

#include "points/goods_back.h"

static bool rate(const struct programme *draft, const struct event *sale, const struct account *account,
                 struct rehearsal *rehearsal)
{
    const struct purchase *booked = &sale->purchase;
    struct rating *rating = &rehearsal->decision.rating;
    struct rating_input input = { .programme = draft,
                                  .account = account,
                                  .occurred = sale->occurred,
                                  .store = sale->store,
                                  .amount = booked->amount,
                                  .paid = booked->paid,
                                  .line_count = booked->line_count,
                                  .lines = rehearsal->lines,
                                  .tender_count = booked->tender_count,
                                  .tenders = booked->tenders,
                                  .coupon_count = booked->coupon_count,
                                  .coupons = booked->coupons };
    uint32_t step = 0;
    PUNKT_CHECK(booked->line_count <= LINES_MAX);
    if (booked->line_count > 0)
        memcpy(rehearsal->lines, booked->lines, booked->line_count * sizeof(rehearsal->lines[0]));
    if (programme_tier(draft, booked->tier, &step) == NULL)
        step = 0;
    rate_bases(&input, rating);
    return rate_base_rules(&input, step, rating) && rate_extras(&input, step, rating);
}

/* The purchase as the draft would have booked it, as far as returns ask for it. */
static struct purchase drafted(const struct event *sale, struct rehearsal *rehearsal)
{
    struct purchase purchase = sale->purchase;
    struct rating *rating = &rehearsal->decision.rating;
    purchase.base = rating->base;
    purchase.earned = rating->earned;
    purchase.parts = rating->parts;
    purchase.part_count = rating->part_count;
    purchase.lines = rehearsal->lines;
    return purchase;
}

/* A return of nothing: what is left is what has not come back yet. */
static millipoints keep(const struct programme *draft, const struct event *sale, struct rehearsal *rehearsal)
{
    struct decision *decision = &rehearsal->decision;
    const struct purchase purchase = drafted(sale, rehearsal);
    const struct return_request nothing = { .line_count = 0 };
    struct left left;
    struct kept kept;
    memset(&decision->event.goods_return, 0, sizeof(decision->event.goods_return));
    decision->refusal = REFUSAL_NONE;
    PUNKT_CHECK(goods_by_request(decision, &purchase, &nothing, &left)); /* it asks for nothing */
    if (left.nothing)
        return 0;
    rate_rest(draft, &purchase, &left.rest, &rehearsal->rest, &kept);
    return kept.points;
}

bool rehearse_purchase(const struct programme *draft, const struct event *sale, const struct account *account,
                       struct rehearsal *rehearsal, struct rehearsed *out)
{
    const struct returned *returned = &rehearsal->decision.returned;
    const struct rating *rating = &rehearsal->decision.rating;
    PUNKT_CHECK(sale->type == EVENT_PURCHASE && !returned->reversed);
    if (!rate(draft, sale, account, rehearsal))
        return false;
    *out = (struct rehearsed){ .earned = rating->earned,
                               .kept = rating->earned,
                               .part_count = rating->part_count,
                               .parts = rating->parts,
                               .tally_count = rating->tally_count,
                               .tallies = rating->tallies };
    if (returned->returns > 0)
        out->kept = keep(draft, sale, rehearsal);
    return true;
}
