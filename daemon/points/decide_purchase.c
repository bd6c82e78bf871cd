#include "points/decide.h"

#include <string.h>

#include "points/decide_steps.h"
#include "points/effect_maker.h"
#include "points/rating.h"

/* A purchase while it is decided. */
struct buying {
    const struct points_view *view;
    const struct judgement *judgement;
    const struct purchase_request *request;
    struct decision *decision;
    const struct programme *programme; /* of the time of the purchase: rates it */
    const struct programme *current;   /* of now: judges state */
    local_day today;
    struct maker maker;
    bool barred;      /* the card may not spend */
    uint32_t places;  /* for abuse_purchase */
    minor_units paid; /* with points, so far */
};

/* --- the account --- */

/* Points are spent at once, not captured: which asks more of the card. */
static bool spends_directly(const struct purchase_request *request)
{
    for (uint32_t i = 0; i < request->wish_count; i++) {
        if (request->wishes[i].hold == 0)
            return true;
    }
    return false;
}

static bool find_account(struct buying *buying)
{
    const struct purchase_request *request = buying->request;
    struct decision *decision = buying->decision;
    if (request->card.size == 0) {
        account_new(0, &decision->sides[0].before);
        return true;
    }
    bool advice = (buying->judgement->flags & EVENT_FLAG_ADVICE) != 0;
    if (advice && request->wish_count > 0)
        buying->barred = !card_may_spend(buying->view, buying->judgement, request->card);
    if (!decide_card(buying->view, buying->judgement, decision, 0, request->card, CARD_USE_EARN))
        return advice && decision->refusal != REFUSAL_DAY_FIRST &&
               decide_suspense(buying->view, buying->judgement, decision, request->card);
    /* Of a card that is in suspense already. */
    if (decision->sides[0].before.suspense)
        decision->event.flags |= EVENT_FLAG_SUSPENSE;
    return advice || !spends_directly(request) ||
           decide_card(buying->view, buying->judgement, decision, 0, request->card, CARD_USE_SPEND);
}

/* --- what it redeems --- */

/* What a redemption pays of the amount: a reward that is a line of the receipt has lowered that already. */
static minor_units paid_by(const struct buying *buying, const struct redemption *redemption)
{
    const struct purchase_request *request = buying->request;
    if (redemption->reward == 0)
        return redemption->worth;
    bool is_line = redemption->line >= 1 && redemption->line <= request->line_count &&
                   request->lines[redemption->line - 1].kind == LINE_REWARD;
    bool money = redemption->kind == REWARD_MONEY_OFF || redemption->kind == REWARD_PERCENT_OFF;
    return money && !is_line ? redemption->worth : 0;
}

static struct wanted wanted_of(const struct buying *buying, const struct wish *wish)
{
    const struct purchase_request *request = buying->request;
    return (struct wanted){ .wish = wish,
                            .after = buying->maker.after,
                            .store = request->document.store,
                            .bill = i64_max(request->amount - buying->paid, 0),
                            .line_count = request->line_count,
                            .lines = request->lines,
                            .pin = request->pin,
                            .partial = (buying->judgement->flags & EVENT_FLAG_ADVICE) != 0,
                            .barred = buying->barred };
}

/* Takes what a wish costs, directly or by capture. */
static bool take_wish(struct buying *buying, const struct wish *wish)
{
    struct decision *decision = buying->decision;
    struct purchase *purchase = &decision->event.purchase;
    struct redemption *redemption = &decision->redemptions[purchase->redemption_count];
    struct wanted wanted = wanted_of(buying, wish);
    if (wish->hold != 0) {
        if (!take_hold(buying->view, buying->judgement, decision, &buying->maker, &wanted, redemption))
            return false;
    } else {
        struct cost cost;
        if (!decide_wish(buying->view, buying->judgement, decision, &wanted, &cost))
            return false;
        take_cost(&buying->maker, &cost);
        *redemption = cost.redemption;
    }
    purchase->redemption_count++;
    buying->paid += paid_by(buying, redemption);
    return true;
}

/* Those wishes that are captures, or those that are not. */
static bool take_wishes(struct buying *buying, bool captures)
{
    for (uint32_t i = 0; i < buying->request->wish_count; i++) {
        const struct wish *wish = &buying->request->wishes[i];
        if ((wish->hold != 0) == captures && !take_wish(buying, wish))
            return false;
    }
    return true;
}

/*
 * What direct wishes will pay that are taken after the award (spend_earned), so that it can be rated before:
 * what they are worth does not depend on what there is. Whether there is enough is judged when they are
 * taken.
 */
static bool price_wishes(struct buying *buying, minor_units *out_paid)
{
    struct decision *decision = buying->decision;
    uint32_t flags = decision->event.flags;
    minor_units paid_before = buying->paid;
    for (uint32_t i = 0; i < buying->request->wish_count; i++) {
        struct wanted wanted = wanted_of(buying, &buying->request->wishes[i]);
        struct cost cost;
        wanted.partial = true;
        if (wanted.wish->hold != 0)
            continue;
        if (!decide_wish(buying->view, buying->judgement, decision, &wanted, &cost))
            return false;
        buying->paid += paid_by(buying, &cost.redemption);
    }
    *out_paid = buying->paid;
    buying->paid = paid_before;
    decision->event.flags = flags;
    return true;
}

/* --- the award --- */

static bool rate(struct buying *buying, minor_units paid)
{
    const struct purchase_request *request = buying->request;
    const struct programme *programme = buying->programme;
    const struct account *account = buying->maker.after;
    struct rating *rating = &buying->decision->rating;
    struct rating_input input = { .programme = programme,
                                  .account = account,
                                  .occurred = buying->decision->event.occurred,
                                  .store = request->document.store,
                                  .amount = request->amount,
                                  .paid = paid,
                                  .line_count = request->line_count,
                                  .lines = buying->decision->lines,
                                  .tender_count = request->tender_count,
                                  .tenders = request->tenders,
                                  .coupon_count = request->coupon_count,
                                  .coupons = request->coupons };
    maker_balance(&buying->maker); /* a cap on it leaves room for what was redeemed */
    rate_bases(&input, rating);
    if (!rate_base_rules(&input, tier_step(programme, account), rating))
        return false;
    uint32_t step =
        tier_step_with(programme, account, rating->day, buying->today, rating->base, rating->base_points > 0);
    if (!rate_extras(&input, step, rating))
        return false;
    struct purchase *purchase = &buying->decision->event.purchase;
    purchase->paid = paid;
    purchase->tier = step == 0 ? 0 : programme->tiers.tiers[step - 1].id;
    purchase->base = rating->base;
    purchase->day = rating->day;
    purchase->earned = rating->earned;
    purchase->trimmed = rating->trimmed;
    purchase->parts = rating->parts;
    purchase->part_count = rating->part_count;
    if (rating->old_period)
        buying->decision->event.flags |= EVENT_FLAG_OLD_PERIOD;
    return true;
}

/* Gives what it earns. False: the account can hold no more lots. */
static bool give_award(struct buying *buying)
{
    struct purchase *purchase = &buying->decision->event.purchase;
    if (purchase->earned == 0)
        return true;
    struct lot_terms terms = award_terms(buying->programme, purchase->day);
    terms.by_purchase = true;
    terms.counts = true;
    /* A till's clock may be a day ahead; what is earned now matures as if it were earned today. */
    terms.matures -= (local_day)i64_max((int64_t)purchase->day - buying->today, 0);
    purchase->matures = terms.matures;
    purchase->last_day = terms.last_day;
    return maker_give(&buying->maker, buying->current, purchase->earned, &terms, &purchase->settled,
                      &purchase->lot);
}

/* Limits, caps, stamps and what tiers count. */
static void count(struct buying *buying)
{
    const struct rating *rating = &buying->decision->rating;
    const struct purchase *purchase = &buying->decision->event.purchase;
    const struct programme *programme = buying->programme;
    struct maker *maker = &buying->maker;
    for (uint32_t i = 0; i < rating->tally_count; i++)
        maker_change(maker, &rating->tallies[i]);
    for (uint32_t i = 0; rating->stamp_count > 0 && i < rating->part_count; i++) {
        const struct award_part *part = &rating->parts[i];
        if (part->kind == PART_STAMP)
            maker_stamps(maker, programme->purses[programme->offers[part->rule].purse].id, part->result);
    }
    if (purchase->base > 0)
        maker_count(maker, buying->current, TIER_BY_SPEND, purchase->day, purchase->base);
    if (purchase->earned > 0)
        maker_count(maker, buying->current, TIER_BY_VISITS, purchase->day, 1);
    struct account_change last = { .kind = CHANGE_LAST_PURCHASE,
                                   .period = purchase->day,
                                   .value = buying->decision->event.occurred };
    abuse_remember(buying->current, &buying->decision->event, &last);
    buying->places = last.which;
    maker_change(maker, &last);
    abuse_redeemed(buying->judgement, buying->current, buying->decision, maker, purchase->redemption_count,
                   purchase->redemptions);
}

/* --- the whole --- */

static void fill_purchase(struct buying *buying)
{
    const struct purchase_request *request = buying->request;
    struct purchase *purchase = &buying->decision->event.purchase;
    decide_copy_lines(buying->decision, request->line_count, request->lines);
    purchase->amount = request->amount;
    purchase->programme_version = buying->programme->version;
    purchase->line_count = request->line_count;
    purchase->lines = buying->decision->lines;
    purchase->tender_count = request->tender_count;
    purchase->tenders = request->tenders;
    purchase->coupon_count = request->coupon_count;
    purchase->coupons = request->coupons;
    purchase->redemptions = buying->decision->redemptions;
}

/* Redemptions before the award; with spend_earned only captures, as their points are set aside already. */
static bool take_before_award(struct buying *buying)
{
    if (buying->programme->spend_earned)
        return take_wishes(buying, true);
    for (uint32_t i = 0; i < buying->request->wish_count; i++) {
        if (!take_wish(buying, &buying->request->wishes[i]))
            return false;
    }
    return true;
}

/* False: refused, or more than the ledger holds. */
static bool book(struct buying *buying)
{
    buying->maker = maker_begin(buying->decision, 0, buying->today);
    if (!take_before_award(buying))
        return false;
    minor_units paid = buying->paid;
    if (buying->programme->spend_earned && !price_wishes(buying, &paid))
        return false;
    if (!rate(buying, paid) || !give_award(buying))
        return false;
    if (buying->programme->spend_earned && !take_wishes(buying, false))
        return false;
    count(buying);
    maker_tier(&buying->maker, buying->current);
    return maker_end(&buying->maker, buying->decision->event.purchase.earned) &&
           abuse_purchase(buying->judgement, buying->current, buying->places, buying->decision);
}

void decide_purchase(const struct points_view *view, const struct judgement *judgement,
                     const struct purchase_request *request, struct decision *decision)
{
    struct buying buying = { .view = view, .judgement = judgement, .request = request, .decision = decision };
    decide_begin(view, judgement, EVENT_PURCHASE, request->time, decision);
    buying.programme = programme_at(view, decision->event.occurred);
    buying.current = programme_at(view, judgement->now);
    buying.today = decision->event.day;
    decide_document(decision, buying.programme, DOCUMENT_SALE, &request->document, request->operator);
    if (!decide_lines_fit(decision, request->amount, request->line_count, request->lines) ||
        !find_account(&buying))
        return;
    fill_purchase(&buying);
    if (!book(&buying) && decision->refusal == REFUSAL_NONE)
        decide_over_limit(decision);
}
