#include "points/goods_back.h"

#include "points/decide_steps.h"

struct makers {
    struct maker of[EVENT_EFFECTS_MAX];
    struct maker *award; /* side 0 */
    struct maker *buyer;
};

static void begin(struct decision *decision, const struct bought *bought, struct makers *out)
{
    for (uint32_t side = 0; side <= bought->buyer_side; side++)
        out->of[side] = maker_begin(decision, side, bought->day);
    out->award = &out->of[0];
    out->buyer = &out->of[bought->buyer_side];
}

static void end(struct decision *decision, const struct bought *bought, struct makers *makers,
                millipoints lifetime_change)
{
    for (uint32_t side = 0; side <= bought->buyer_side; side++) {
        struct maker *maker = &makers->of[side];
        maker_tier(maker, bought->today);
        if (!maker_end(maker, maker == makers->award ? lifetime_change : 0))
            decide_over_limit(decision);
    }
}

/* --- what the purchase counted, counted back; sign -1: counted again --- */

uint64_t bought_purse(const struct bought *bought, uint32_t part)
{
    uint32_t offer = bought->purchase->parts[part].rule;
    PUNKT_CHECK(offer < bought->then->offer_count);
    return bought->then->purses[bought->then->offers[offer].purse].id;
}

static void stamps_back(const struct bought *bought, const struct goods_return *goods, struct maker *award,
                        int64_t sign)
{
    uint32_t index = 0;
    for (uint32_t i = 0; i < bought->purchase->part_count; i++) {
        if (bought->purchase->parts[i].kind != PART_STAMP)
            continue;
        int64_t stamps = goods->stamps_back[index++];
        if (stamps != 0)
            maker_stamps(award, bought_purse(bought, i), -sign * stamps);
    }
}

/* Uses of offers, and room under caps, in the periods in which they were counted. */
static void room_back(const struct bought *bought, const struct goods_return *goods, struct maker *buyer,
                      int64_t sign)
{
    const struct effect *effect = &bought->event->effects[0];
    uint64_t used = 0; /* ids are of 64 bits, uses are bits: found by the few that there are */
    for (uint32_t i = 0; i < effect->change_count; i++) {
        const struct account_change *change = &effect->changes[i];
        if (change->kind != CHANGE_TALLY)
            continue;
        if (change->which == TALLY_CAP_DAY || change->which == TALLY_CAP_MONTH)
            give_room(buyer, (enum tally_kind)change->which, change->id, change->period, sign * goods->due);
        for (uint32_t k = 0; change->which == TALLY_OFFER && k < bought->then->offer_count; k++) {
            uint64_t bit = UINT64_C(1) << k;
            if ((goods->uses_back & ~used & bit) == 0 || bought->then->offers[k].id != change->id)
                continue;
            used |= bit;
            give_room(buyer, TALLY_OFFER, change->id, change->period, sign * change->value);
        }
    }
}

bool effect_counts(const struct effect *effect, enum tier_basis basis)
{
    for (uint32_t i = 0; i < effect->change_count; i++) {
        if (effect->changes[i].kind == CHANGE_MONTH && effect->changes[i].which == basis)
            return true;
    }
    return false;
}

bool bought_counts(const struct bought *bought, enum tier_basis basis)
{
    const struct effect *effect = &bought->event->effects[0];
    if (effect_counts(effect, basis))
        return true;
    if (basis != TIER_BY_POINTS || bought->purchase->matures > bought->day)
        return false;
    /* The award was pending when it was booked, and counted when it matured. */
    for (uint32_t i = 0; i < effect->lot_change_count; i++) {
        const struct lot_change *change = &effect->lot_changes[i];
        if (change->kind == LOT_ADD && change->lot == bought->purchase->lot && change->counts)
            return true;
    }
    return false;
}

/* A return counts back in the purchase's month (DOMAIN.md, Tiers). */
static void tiers_back(const struct bought *bought, const struct goods_return *goods, bool points,
                       struct maker *award, int64_t sign)
{
    local_day day = bought->purchase->day;
    if (goods->base_back != 0 && bought_counts(bought, TIER_BY_SPEND))
        maker_count(award, bought->today, TIER_BY_SPEND, day, -sign * goods->base_back);
    if (goods->visit_back && bought_counts(bought, TIER_BY_VISITS))
        maker_count(award, bought->today, TIER_BY_VISITS, day, -sign);
    if (goods->due != 0 && points)
        maker_count(award, bought->today, TIER_BY_POINTS, day, -sign * goods->due);
}

/* --- what comes back --- */

/* What is due and what was counted, against what the rest keeps. */
static void sums_back(struct decision *decision, const struct bought *bought, const struct left *left,
                      struct goods_return *goods)
{
    const struct purchase *purchase = bought->purchase;
    const struct returned *before = &decision->returned;
    struct kept kept = { 0 };
    bool nothing = left == NULL || left->nothing;
    if (!nothing)
        rate_rest(bought->then, purchase, &left->rest, &decision->rating, &kept);
    goods->sale = bought->position;
    goods->programme_version = purchase->programme_version;
    goods->due = i64_max(purchase->earned - before->due - kept.points, 0);
    goods->base_back = i64_max(purchase->base - before->base_back - kept.base, 0);
    goods->visit_back = !before->visit_back && (nothing || left->nothing_sold);
    goods->uses_back = rate_uses(bought->then, purchase) & ~kept.uses & ~before->uses_back;
    uint32_t index = 0;
    for (uint32_t i = 0; i < purchase->part_count; i++) {
        if (purchase->parts[i].kind != PART_STAMP)
            continue;
        PUNKT_CHECK(index < STAMP_PARTS_MAX);
        int64_t stamps = purchase->parts[i].result - before->stamps_back[index] - kept.stamps[index];
        goods->stamps_back[index++] = i64_max(stamps, 0);
    }
}

static bool give_spent(const struct points_view *view, struct decision *decision, const struct bought *bought,
                       const struct left *left, struct makers *makers, struct goods_return *goods)
{
    goods->backs = decision->backs;
    goods->back_count = spent_back(view, decision, bought, left);
    for (uint32_t i = 0; i < goods->back_count; i++) {
        const struct redemption_back *back = &goods->backs[i];
        const struct spend *spend = spend_of(bought, back);
        goods->given_back += back->points;
        if (!spend_give_back(view, &makers->of[spend->side], spend, back, bought->today->restore_days))
            return false;
    }
    return true;
}

/* Takes what is due: own lot, what expired of it, what it paid of a debt, then as the programme says. */
static void take_due(const struct bought *bought, enum claw_back claw_back, struct maker *award,
                     struct goods_return *goods)
{
    bool only_pending = claw_back == CLAW_BACK_PENDING;
    millipoints left = goods->due;
    if (bought->award_lot != 0)
        goods->own_taken = maker_take_own(award, bought->award_lot, &bought->award_terms, left, only_pending);
    left -= goods->own_taken;
    goods->expired = i64_min(left, bought->expired);
    left -= goods->expired;
    goods->owed_again = only_pending ? 0 : i64_min(left, bought->settled);

    bool others = claw_back == CLAW_BACK_DEBT || claw_back == CLAW_BACK_BALANCE;
    millipoints taken = maker_take_free(award, others ? left : goods->owed_again);
    millipoints must = claw_back == CLAW_BACK_DEBT ? left : goods->owed_again;
    millipoints owed = i64_max(must - taken, 0);
    maker_owe(award, owed);
    goods->taken = goods->own_taken + taken + owed;
    goods->shortfall = goods->due - goods->taken - goods->expired;
}

void goods_take_back(const struct points_view *view, struct decision *decision, const struct bought *bought,
                     const struct left *left, const struct taking *taking, struct goods_return *goods)
{
    struct makers makers;
    sums_back(decision, bought, left, goods);
    begin(decision, bought, &makers);
    if (taking->give_spent && !give_spent(view, decision, bought, left, &makers, goods)) {
        decide_over_limit(decision);
        return;
    }
    take_due(bought, taking->claw_back, makers.award, goods);
    stamps_back(bought, goods, makers.award, 1);
    room_back(bought, goods, makers.buyer, 1);
    tiers_back(bought, goods, bought_counts(bought, TIER_BY_POINTS), makers.award, 1);
    end(decision, bought, &makers, -goods->due);
}

/* --- the opposite of a return --- */

/* Until when points are usable that come back after their last day; 0 days: they expire by the next EVENT_DAY. */
static local_day restored_day(const struct bought *bought)
{
    local_day days = (local_day)bought->today->restore_days;
    return bought->day + (days > 0 ? days : -1);
}

/*
 * What was taken comes back: to the lots from which it was taken if the award is still there, and else, as what was made a
 * debt, with the dates of the award; but it pays debt first.
 */
static bool give_taken(const struct bought *bought, const struct effect *effect, uint32_t side,
                       uint32_t lot_offset, millipoints points, struct maker *award)
{
    millipoints of_lots = side == 0 ? i64_max(points - effect->debt_added, 0) : 0;
    if (of_lots > 0 && !maker_give_back(award, effect->lot_changes, effect->lot_change_count, lot_offset, 0,
                                        of_lots, bought->today->restore_days))
        return false;
    if (points == of_lots)
        return true;
    struct lot_terms terms = bought->award_terms;
    terms.by_purchase = false;
    terms.counts = false;
    if (terms.last_day < bought->day)
        terms.last_day = restored_day(bought);
    millipoints settled;
    uint32_t lot;
    return maker_give(award, bought->today, points - of_lots, &terms, &settled, &lot);
}

/* What was given back is taken again: from the lots that it went to, then by `debt`. */
static void take_given(const struct effect *effect, uint32_t lot_offset, millipoints points,
                       struct maker *maker)
{
    for (uint32_t i = effect->lot_change_count; i > 0 && points > 0; i--) {
        const struct lot_change *change = &effect->lot_changes[i - 1];
        if (change->kind != LOT_ADD)
            continue;
        struct lot_terms terms = { .inactive_months = change->inactive_months,
                                   .earned = change->earned,
                                   .matures = change->matures,
                                   .last_day = change->last_day };
        points -=
            maker_take_own(maker, change->lot + lot_offset, &terms, i64_min(points, change->points), false);
    }
    points -= maker_take_free(maker, points);
    maker_owe(maker, points);
}

/* Keeps of the redemptions that came back those that this can take again. */
static void keep_backs(struct decision *decision, const struct bought *bought, struct goods_return *goods)
{
    uint32_t kept = 0;
    goods->given_back = 0;
    for (uint32_t i = 0; i < goods->back_count; i++) {
        if (spend_of(bought, &goods->backs[i]) == NULL)
            continue;
        decision->backs[kept++] = goods->backs[i];
        goods->given_back += goods->backs[i].points;
    }
    goods->backs = decision->backs;
    goods->back_count = kept;
}

static void use_spent_again(const struct points_view *view, const struct bought *bought,
                            const struct goods_return *goods, struct makers *makers,
                            millipoints out_points[EVENT_EFFECTS_MAX])
{
    for (uint32_t i = 0; i < goods->back_count; i++) {
        const struct redemption_back *back = &goods->backs[i];
        const struct spend *spend = spend_of(bought, back);
        spend_use_again(view, &makers->of[spend->side], spend, back);
        out_points[spend->side] += back->points;
    }
}

void goods_give_again(const struct points_view *view, struct decision *decision, const struct bought *bought,
                      const struct event *original, struct goods_return *goods)
{
    PUNKT_CHECK(original->effect_count > 0 && goods->back_count <= SPENT_BACK_MAX);
    uint32_t sides[EVENT_EFFECTS_MAX];
    uint32_t offsets[EVENT_EFFECTS_MAX];
    uint32_t last = original->effect_count - 1;
    for (uint32_t i = 0; i <= last; i++)
        sides[i] = bought_side(view, decision, original->effects[i].account, &offsets[i]);
    keep_backs(decision, bought, goods);
    struct makers makers;
    begin(decision, bought, &makers);
    if (!give_taken(bought, &original->effects[0], sides[0], offsets[0], goods->taken, makers.award)) {
        decide_over_limit(decision);
        return;
    }
    millipoints again[EVENT_EFFECTS_MAX] = { 0 };
    use_spent_again(view, bought, goods, &makers, again);
    for (uint32_t i = 0; i <= last; i++) {
        if (sides[i] == EVENT_EFFECTS_MAX || again[sides[i]] == 0)
            continue;
        take_given(&original->effects[i], offsets[i], again[sides[i]], &makers.of[sides[i]]);
        again[sides[i]] = 0;
    }
    stamps_back(bought, goods, makers.award, -1);
    room_back(bought, goods, makers.buyer, -1);
    tiers_back(bought, goods, effect_counts(&original->effects[0], TIER_BY_POINTS), makers.award, -1);
    end(decision, bought, &makers, goods->due);
}
