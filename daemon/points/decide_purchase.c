#include "points/decide.h"

#include "points/decide_steps.h"
#include "points/effect_maker.h"
#include "points/rating.h"

/* Rates the goods into event.purchase. False: more than the ledger holds. */
static bool rate_purchase(struct decision *decision, const struct programme *programme,
                          const struct purchase_request *request)
{
    struct purchase *purchase = &decision->event.purchase;
    decide_copy_lines(decision, request->line_count, request->lines);
    struct goods goods;
    rate_goods(programme, request->amount, request->line_count, decision->lines, &goods);
    purchase->amount = request->amount;
    purchase->base = goods.base;
    purchase->programme_version = programme->version;
    purchase->tier = decision->account.tier;
    purchase->line_count = request->line_count;
    purchase->lines = decision->lines;
    purchase->tender_count = request->tender_count;
    purchase->tenders = request->tenders;
    purchase->coupon_count = request->coupon_count;
    purchase->coupons = request->coupons;
    return rate_base_rules(programme, &goods, purchase->parts, &purchase->part_count, &purchase->earned);
}

/* Makes the award's effect. False: more than the ledger holds. */
static bool award(struct decision *decision, const struct programme *programme, local_day today)
{
    struct event *event = &decision->event;
    struct purchase *purchase = &event->purchase;
    local_day day = calendar_day(&programme->calendar, event->occurred);
    /* A till's clock may be ahead; what is earned now can be spent now. */
    struct lot_terms terms = { .by_purchase = true,
                               .matures = (local_day)i64_min(day, today),
                               .last_day = DAY_NEVER };
    purchase->matures = terms.matures;
    purchase->last_day = terms.last_day;
    effect_begin(decision, today);
    event->effects[0].is_purchase = true;
    return effect_give(decision, today, purchase->earned, &terms, &purchase->settled, &purchase->lot) &&
           effect_end(decision, purchase->earned);
}

void decide_purchase(const struct points_view *view, const struct judgement *judgement,
                     const struct purchase_request *request, struct decision *decision)
{
    decide_begin(decision, EVENT_PURCHASE, judgement, request->time);
    const struct programme *programme = programme_at(view, decision->event.occurred);
    decide_document(decision, programme, DOCUMENT_SALE, &request->document, request->operator);
    if (!decide_lines_fit(decision, request->amount, request->line_count, request->lines) ||
        !decide_card(view, decision, request->card, CARD_USE_EARN))
        return;
    if (!rate_purchase(decision, programme, request) ||
        !award(decision, programme, decide_today(view, judgement)))
        decide_refuse(decision, REFUSAL_OVER_LIMIT, "%s", "the award is more than an account can hold");
    else if (decision->after.last_purchase < decision->event.occurred)
        decision->after.last_purchase = decision->event.occurred;
}
