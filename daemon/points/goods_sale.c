#include "points/decide_steps.h"
#include "points/goods_back.h"

/* How much of the award can be taken otherwise than from its lot, and where that is. */
static void find_award(const struct decision *decision, struct bought *out)
{
    const struct returned *returned = &decision->returned;
    const struct account *account = &decision->sides[0].before;
    bool moved = returned->moved_to != 0;
    uint32_t lot = moved ? returned->moved_lot : out->purchase->lot;
    millipoints settled = moved ? returned->moved_settled : out->purchase->settled;
    millipoints expired = moved ? returned->moved_expired : 0;
    out->award_lot = lot == 0 ? 0 : lot + account->lot_offset;
    expired += account_expired(account, out->award_lot);
    out->expired = i64_max(expired - returned->expired, 0);
    out->settled = i64_max(settled - returned->owed_again, 0);
}

static struct lot_terms terms_of(const struct programme *then, const struct purchase *purchase)
{
    struct lot_terms terms = award_terms(then, purchase->day);
    terms.by_purchase = true;
    terms.matures = purchase->matures;
    terms.last_day = purchase->last_day;
    return terms;
}

void spend_load(const struct returned *returned, struct spend *spend)
{
    for (uint32_t i = 0; i < returned->spent_count; i++) {
        const struct spent_back *before = &returned->spent[i];
        if (before->redemption != spend->redemption || before->index != spend->index)
            continue;
        spend->given_back = before->given_back;
        spend->stamps_back = before->stamps_back;
        spend->quantity_back = before->quantity_back;
    }
}

static void add_spend(const struct returned *returned, const struct spend *spend, struct bought *out)
{
    PUNKT_CHECK(out->spend_count < SPENT_BACK_MAX);
    struct spend *place = &out->spends[out->spend_count++];
    *place = *spend;
    spend_load(returned, place);
}

static void find_spends(const struct points_view *view, struct decision *decision,
                        const struct event *const *spent_events, struct bought *out)
{
    const struct returned *returned = &decision->returned;
    for (uint32_t i = 0; i < out->purchase->redemption_count; i++) {
        const struct redemption *made = &out->purchase->redemptions[i];
        bool undone = made->hold != 0 && view->reversed_by(view->ctx, made->hold) != 0;
        add_spend(returned,
                  &(struct spend){ .made = made,
                                   .event = out->event,
                                   .redemption = out->position,
                                   .index = i,
                                   .side = out->buyer_side,
                                   .lot_offset = out->lot_offset,
                                   .undone = undone },
                  out);
    }
    for (uint32_t i = 0; i < returned->spent_count; i++) {
        journal_position redemption = returned->spent[i].redemption;
        if (redemption == out->position)
            continue;
        const struct event *event = spent_events[i];
        if (event == NULL)
            continue;
        PUNKT_CHECK(event->type == EVENT_REDEMPTION || event->type == EVENT_CAPTURE);
        struct spend spend = { .made = &event->redemption.made,
                               .event = event,
                               .redemption = redemption,
                               .undone = view->reversed_by(view->ctx, redemption) != 0 };
        spend.side = bought_side(view, decision, event->effects[0].account, &spend.lot_offset);
        add_spend(returned, &spend, out);
    }
}

/* Where the award is goes first: who asks about the purchase is told of that account. */
static bool find_accounts(const struct points_view *view, const struct judgement *judgement,
                          struct decision *decision, struct bought *out)
{
    account_number buyer = out->event->effects[0].account;
    account_number moved_to = decision->returned.moved_to;
    decision->sides[1].before.number = 0;
    if (!decide_account(view, judgement, decision, 0, moved_to == 0 ? buyer : moved_to))
        return false;
    out->lot_offset = decision->sides[0].before.lot_offset;
    if (moved_to == 0)
        return true;
    if (!decide_account(view, judgement, decision, 1, buyer))
        return false;
    out->lot_offset = decision->sides[1].before.lot_offset;
    out->buyer_side = 1;
    if (decision->sides[1].before.number == decision->sides[0].before.number) {
        out->buyer_side = 0;
        decision->sides[1].before.number = 0;
    }
    return true;
}

bool bought_find(const struct points_view *view, const struct judgement *judgement, struct decision *decision,
                 const struct event *sale, journal_position position, const struct event *const *spent_events,
                 struct bought *out)
{
    PUNKT_CHECK(sale->type == EVENT_PURCHASE && sale->effect_count > 0);
    const struct purchase *purchase = &sale->purchase;
    *out = (struct bought){ .event = sale,
                            .purchase = purchase,
                            .position = position,
                            .then = view->programme(view->ctx, purchase->programme_version, sale->occurred),
                            .today = programme_at(view, judgement->now),
                            .day = decide_today(view, judgement) };
    PUNKT_CHECK(out->then != NULL);
    if (!view->returned(view->ctx, position, &decision->returned))
        returned_new(&decision->returned);
    out->award_terms = terms_of(out->then, purchase);
    if (!find_accounts(view, judgement, decision, out))
        return false;
    find_award(decision, out);
    if (spent_events != NULL)
        find_spends(view, decision, spent_events, out);
    if (decision->sides[0].before.suspense)
        decision->event.flags |= EVENT_FLAG_SUSPENSE;
    return true;
}

uint32_t bought_side(const struct points_view *view, struct decision *decision, account_number number,
                     uint32_t *out_lot_offset)
{
    /* No effect has begun: the room is free. */
    struct account *account = &decision->sides[0].after;
    PUNKT_CHECK(view->account(view->ctx, number, account));
    *out_lot_offset = account->lot_offset;
    for (uint32_t side = 0; side < EVENT_EFFECTS_MAX; side++) {
        if (decision->sides[side].before.number == account->number)
            return side;
    }
    return EVENT_EFFECTS_MAX;
}
