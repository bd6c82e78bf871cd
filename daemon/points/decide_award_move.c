#include "points/decide.h"

#include "points/decide_steps.h"
#include "points/goods_back.h"

/* What is left of an award, to go over. */
struct award {
    millipoints points;
    millipoints earned; /* of the lifetime: with what has expired */
    minor_units base;
    bool visit;
    bool stamps;
};

static int64_t stamps_left(const struct decision *decision, const struct bought *bought, uint32_t part,
                           uint32_t index)
{
    PUNKT_CHECK(index < STAMP_PARTS_MAX);
    return i64_max(bought->purchase->parts[part].result - decision->returned.stamps_back[index], 0);
}

static struct award award_left(const struct decision *decision, const struct bought *bought)
{
    const struct returned *returned = &decision->returned;
    struct award award = { .earned = i64_max(bought->purchase->earned - returned->due, 0),
                           .base = i64_max(bought->purchase->base - returned->base_back, 0),
                           .visit = !returned->visit_back };
    award.points = i64_max(award.earned - bought->expired, 0);
    uint32_t index = 0;
    for (uint32_t i = 0; i < bought->purchase->part_count; i++) {
        if (bought->purchase->parts[i].kind == PART_STAMP)
            award.stamps = stamps_left(decision, bought, i, index++) > 0 || award.stamps;
    }
    return award;
}

static void count(const struct bought *bought, const struct award *award, struct maker *maker, int64_t sign)
{
    local_day day = bought->purchase->day;
    if (award->base != 0 && bought_counts(bought, TIER_BY_SPEND))
        maker_count(maker, bought->today, TIER_BY_SPEND, day, sign * award->base);
    if (award->visit && bought_counts(bought, TIER_BY_VISITS))
        maker_count(maker, bought->today, TIER_BY_VISITS, day, sign);
}

/* Takes it from the wrong account: what is spent of it becomes debt. */
static void take_award(const struct bought *bought, const struct award *award, struct maker *from)
{
    millipoints left = award->points;
    if (bought->award_lot != 0)
        left -= maker_take_own(from, bought->award_lot, &bought->award_terms, left, false);
    left -= maker_take_free(from, left);
    maker_owe(from, left);
    count(bought, award, from, -1);
    if (award->points != 0 && bought_counts(bought, TIER_BY_POINTS))
        maker_count(from, bought->today, TIER_BY_POINTS, bought->purchase->day, -award->points);
}

static void move_stamps(const struct decision *decision, const struct bought *bought, struct maker *from,
                        struct maker *to)
{
    uint32_t index = 0;
    for (uint32_t i = 0; i < bought->purchase->part_count; i++) {
        if (bought->purchase->parts[i].kind != PART_STAMP)
            continue;
        int64_t stamps = stamps_left(decision, bought, i, index++);
        if (stamps == 0)
            continue;
        maker_stamps(from, bought_purse(bought, i), -stamps);
        maker_stamps(to, bought_purse(bought, i), stamps);
    }
}

/* Finds the award, and the accounts: the wrong one on side 0, the right one on side 1. */
static bool find_award(const struct points_view *view, const struct judgement *judgement,
                       const struct award_move_request *request, struct decision *decision,
                       struct bought *out)
{
    if (!decide_card(view, judgement, decision, 1, request->to_card, CARD_USE_OFFICE))
        return false;
    if (request->sale == NULL || request->sale->type != EVENT_PURCHASE) {
        decide_refuse(decision, REFUSAL_UNKNOWN_PURCHASE, "%s", "");
        return false;
    }
    return bought_find(view, judgement, decision, request->sale, request->sale_position, NULL, out) &&
           decide_card(view, judgement, decision, 1, request->to_card, CARD_USE_OFFICE);
}

void decide_award_move(const struct points_view *view, const struct judgement *judgement,
                       const struct award_move_request *request, struct decision *decision)
{
    decide_begin(view, judgement, EVENT_AWARD_MOVED, 0, decision);
    struct event *event = &decision->event;
    event->operator= request->operator;
    event->award_moved.reason = request->reason;
    struct bought bought;
    if (!find_award(view, judgement, request, decision, &bought))
        return;
    struct award award = award_left(decision, &bought);
    enum refusal refusal = REFUSAL_NONE;
    if (decision->sides[0].before.number == decision->sides[1].before.number)
        refusal = REFUSAL_SAME_ACCOUNT;
    else if (decision->returned.reversed)
        refusal = REFUSAL_PURCHASE_REVERSED;
    else if (award.points == 0 && !award.stamps)
        refusal = REFUSAL_NOTHING_TO_DO;
    if (refusal != REFUSAL_NONE) {
        decide_refuse(decision, refusal, "%s", "");
        return;
    }
    struct maker from = maker_begin(decision, 0, bought.day);
    struct maker to = maker_begin(decision, 1, bought.day);
    take_award(&bought, &award, &from);
    count(&bought, &award, &to, 1);
    move_stamps(decision, &bought, &from, &to);
    bool fits = award.points == 0 || maker_give(&to, bought.today, award.points, &bought.award_terms,
                                                &event->award_moved.settled, &event->award_moved.lot);
    event->card = request->sale->card;
    event->award_moved.sale = request->sale_position;
    event->award_moved.points = award.points;
    event->award_moved.expired = award.earned - award.points;
    maker_tier(&from, bought.today);
    maker_tier(&to, bought.today);
    if (!fits || !maker_end(&from, -award.earned) || !maker_end(&to, award.earned))
        decide_over_limit(decision);
}
