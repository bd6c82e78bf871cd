#include "points/decide.h"

#include "points/decide_steps.h"
#include "points/goods_back.h"

/* --- whether it may be undone --- */

static bool can_be_reversed(enum event_type type)
{
    switch (type) {
    case EVENT_PURCHASE:
    case EVENT_RETURN:
    case EVENT_UNLINKED_RETURN:
    case EVENT_RETURN_WAITING:
    case EVENT_REDEMPTION:
    case EVENT_HOLD:
    case EVENT_CAPTURE:
    case EVENT_REFUSAL:
        return true;
    case EVENT_TERM:
    case EVENT_PROGRAMME:
    case EVENT_CARDS_ISSUED:
    case EVENT_ADJUSTMENT:
    case EVENT_TIE:
    case EVENT_CLOCK_ACCEPTED:
    case EVENT_DAY:
    case EVENT_CARD_ADDED:
    case EVENT_CARD_STATUS:
    case EVENT_CARD_REPLACED:
    case EVENT_MERGE:
    case EVENT_TRANSFER:
    case EVENT_TAGS:
    case EVENT_ACTIVATION:
    case EVENT_PIN_SET:
    case EVENT_PIN_TRY:
    case EVENT_RELEASE:
    case EVENT_REVERSAL:
    case EVENT_TOMBSTONE:
    case EVENT_BONUS:
    case EVENT_WRITE_OFF:
    case EVENT_AWARD_MOVED:
    case EVENT_IDENTITY:
    case EVENT_PROPOSAL:
    case EVENT_PROPOSAL_ENDED:
    case EVENT_ATTEMPTS:
    case EVENT_ALARM:
    case EVENT_FLAG_RESOLVED:
    case EVENT_SEAL:
    case EVENT_DAY_CLOSE:
        return false;
    }
    return false;
}

/* The amount that a till knows of what it sent; -1: none. */
static minor_units amount_of(const struct event *event)
{
    if (event->type == EVENT_PURCHASE)
        return event->purchase.amount;
    if (event->type == EVENT_RETURN || event->type == EVENT_UNLINKED_RETURN)
        return event->goods_return.amount;
    if (event->type == EVENT_RETURN_WAITING)
        return event->waiting.line_count == 0 ? event->waiting.amount : -1;
    if (event->type == EVENT_HOLD)
        return event->hold.wanted.worth;
    return event->type == EVENT_REFUSAL ? -1 : event->redemption.made.worth;
}

/* Whether the original is what the till thinks it was. Of a refusal only that it was one is known. */
static bool matches(const struct points_view *view, const struct reversal_request *request)
{
    const struct event *event = request->event;
    minor_units amount = amount_of(event);
    if (request->amount >= 0 && amount >= 0 && amount != request->amount)
        return false;
    if (request->card.size == 0 || event->type == EVENT_REFUSAL)
        return true;
    if (event->type == EVENT_RETURN_WAITING)
        return text_equal(request->card, event->waiting.card);
    struct card card;
    return view->card(view->ctx, request->card, &card) && card.id == event->card;
}

/* --- what it does --- */

static void found(struct decision *decision, enum reversal_outcome outcome)
{
    decision->event.reversal.outcome = outcome;
}

/* It is undone: points went to the account, and from it. */
static void done(struct decision *decision, const struct reversal_request *request, millipoints given,
                 millipoints taken)
{
    const struct event *original = request->event;
    bool goods = original->type == EVENT_PURCHASE || original->type == EVENT_RETURN ||
                 original->type == EVENT_UNLINKED_RETURN || original->type == EVENT_RETURN_WAITING;
    found(decision, REVERSAL_DONE);
    decision->event.reversal.of = request->position;
    decision->event.reversal.given = given;
    decision->event.reversal.taken = taken;
    if (goods)
        decision->event.reversal.frees = original->document;
}

static void end(const struct points_view *view, const struct judgement *judgement, struct decision *decision,
                struct maker *maker, millipoints lifetime_change)
{
    maker_tier(maker, programme_at(view, judgement->now));
    if (!maker_end(maker, lifetime_change))
        decide_over_limit(decision);
}

/* As a full return of what is left, by `debt` (DOMAIN.md, Undoing). */
static void undo_purchase(const struct points_view *view, const struct judgement *judgement,
                          const struct reversal_request *request, struct decision *decision)
{
    static const struct taking everything = { .claw_back = CLAW_BACK_DEBT, .give_spent = true };
    struct goods_return *goods = &decision->event.reversal.goods;
    struct bought bought;
    if (!bought_find(view, judgement, decision, request->event, request->position, request->spent_events,
                     &bought))
        return;
    if (decision->returned.reversed) {
        found(decision, REVERSAL_NOTHING);
        return;
    }
    goods->amount = goods_all(decision, bought.purchase);
    goods_take_back(view, decision, &bought, NULL, &everything, goods);
    done(decision, request, goods->given_back, goods->taken);
}

static void undo_return(const struct points_view *view, const struct judgement *judgement,
                        const struct reversal_request *request, struct decision *decision)
{
    struct goods_return *goods = &decision->event.reversal.goods;
    struct bought bought;
    PUNKT_CHECK(request->sale != NULL && request->sale_position == request->event->goods_return.sale);
    if (!bought_find(view, judgement, decision, request->sale, request->sale_position, request->spent_events,
                     &bought))
        return;
    if (decision->returned.reversed) {
        found(decision, REVERSAL_NOTHING); /* it went with its purchase */
        return;
    }
    *goods = request->event->goods_return;
    decision->event.reversal.undoes_return = true;
    goods_give_again(view, decision, &bought, request->event, goods);
    done(decision, request, goods->taken, goods->given_back);
}

/* What was taken comes back to its lots, and what was made a debt pays debt, or is new. */
static void undo_unlinked(const struct points_view *view, const struct judgement *judgement,
                          const struct reversal_request *request, struct decision *decision)
{
    const struct goods_return *goods = &request->event->goods_return;
    const struct effect *effect = &request->event->effects[0];
    if (!decide_account(view, judgement, decision, 0, effect->account))
        return;
    const struct programme *today = programme_at(view, judgement->now);
    struct maker maker = maker_begin(decision, 0, decide_today(view, judgement));
    struct lot_terms terms = added_terms(today, maker.today);
    millipoints settled;
    uint32_t lot;
    uint32_t lot_offset = decision->sides[0].before.lot_offset;
    millipoints of_lots = goods->taken - effect->debt_added;
    if ((of_lots > 0 && !maker_give_back(&maker, effect->lot_changes, effect->lot_change_count, lot_offset, 0,
                                         of_lots, today->restore_days)) ||
        (effect->debt_added > 0 && !maker_give(&maker, today, effect->debt_added, &terms, &settled, &lot))) {
        decide_over_limit(decision);
        return;
    }
    decision->event.reversal.goods.amount = goods->amount;
    end(view, judgement, decision, &maker, goods->due);
    done(decision, request, goods->taken, 0);
}

/* Gives back what is left of a redemption; sale: the purchase to which it belongs, 0: none. */
static void undo_spend(const struct points_view *view, const struct judgement *judgement,
                       const struct reversal_request *request, struct spend *spend, journal_position sale,
                       struct decision *decision)
{
    struct goods_return *goods = &decision->event.reversal.goods;
    const struct redemption *made = spend->made;
    bool reversed = false;
    if (sale != 0 && view->returned(view->ctx, sale, &decision->returned)) {
        spend_load(&decision->returned, spend);
        reversed = decision->returned.reversed;
    }
    struct redemption_back back = { .redemption = spend->redemption,
                                    .index = spend->index,
                                    .points = made->points - spend->given_back,
                                    .of_points = made->points,
                                    .stamps = made->stamps - spend->stamps_back,
                                    .quantity = made->quantity - spend->quantity_back,
                                    .reward = made->reward };
    if (reversed || (back.points == 0 && back.stamps == 0 && back.quantity == 0)) {
        found(decision, REVERSAL_NOTHING);
        return;
    }
    if (!decide_account(view, judgement, decision, 0, spend->event->effects[0].account))
        return;
    spend->lot_offset = decision->sides[0].before.lot_offset;
    const struct programme *today = programme_at(view, judgement->now);
    struct maker maker = maker_begin(decision, 0, decide_today(view, judgement));
    if (!spend_give_back(view, &maker, spend, &back, today->restore_days)) {
        decide_over_limit(decision);
        return;
    }
    decision->backs[0] = back;
    goods->sale = sale;
    goods->given_back = back.points;
    goods->back_count = 1;
    goods->backs = decision->backs;
    end(view, judgement, decision, &maker, 0);
    done(decision, request, back.points, 0);
}

/* A redemption or capture of its own: `event`, at `position`. */
static void undo_redemption(const struct points_view *view, const struct judgement *judgement,
                            const struct reversal_request *request, const struct event *event,
                            journal_position position, struct decision *decision)
{
    struct spend spend = { .made = &event->redemption.made, .event = event, .redemption = position };
    journal_position hold = spend.made->hold;
    bool undone =
        view->reversed_by(view->ctx, position) != 0 || (hold != 0 && view->reversed_by(view->ctx, hold) != 0);
    if (undone)
        found(decision, REVERSAL_NOTHING);
    else
        undo_spend(view, judgement, request, &spend, event->redemption.sale, decision);
}

/* The hold was captured, by itself or by a purchase: what it spent comes back, and it stays ended. */
static void undo_capture(const struct points_view *view, const struct judgement *judgement,
                         const struct reversal_request *request, struct decision *decision)
{
    const struct event *ended = request->ended;
    PUNKT_CHECK(ended != NULL);
    if (ended->type != EVENT_PURCHASE) {
        undo_redemption(view, judgement, request, ended, request->ended_position, decision);
        return;
    }
    struct spend spend = { .event = ended, .redemption = request->ended_position };
    while (spend.index < ended->purchase.redemption_count &&
           ended->purchase.redemptions[spend.index].hold != request->position)
        spend.index++;
    PUNKT_CHECK(spend.index < ended->purchase.redemption_count);
    spend.made = &ended->purchase.redemptions[spend.index];
    undo_spend(view, judgement, request, &spend, request->ended_position, decision);
}

static void undo_hold(const struct points_view *view, const struct judgement *judgement,
                      const struct reversal_request *request, struct decision *decision)
{
    struct hold_state state;
    PUNKT_CHECK(view->hold(view->ctx, request->position, &state));
    if (state.end == HOLD_CAPTURED) {
        undo_capture(view, judgement, request, decision);
        return;
    }
    if (state.end != HOLD_OPEN) {
        found(decision, REVERSAL_NOTHING);
        return;
    }
    if (!decide_account(view, judgement, decision, 0, state.account))
        return;
    struct maker maker = maker_begin(decision, 0, decide_today(view, judgement));
    release_hold(&maker, request->position);
    end(view, judgement, decision, &maker, 0);
    done(decision, request, 0, 0);
}

static void undo(const struct points_view *view, const struct judgement *judgement,
                 const struct reversal_request *request, struct decision *decision)
{
    enum event_type type = request->event->type;
    if (type == EVENT_REFUSAL)
        found(decision, REVERSAL_NOTHING);
    else if (type == EVENT_PURCHASE)
        undo_purchase(view, judgement, request, decision);
    else if (type == EVENT_RETURN)
        undo_return(view, judgement, request, decision);
    else if (type == EVENT_UNLINKED_RETURN)
        undo_unlinked(view, judgement, request, decision);
    else if (type == EVENT_HOLD)
        undo_hold(view, judgement, request, decision);
    else if (type == EVENT_RETURN_WAITING)
        done(decision, request, 0, 0); /* nothing waits any more */
    else
        undo_redemption(view, judgement, request, request->event, request->position, decision);
}

void decide_reversal(const struct points_view *view, const struct judgement *judgement,
                     const struct reversal_request *request, struct decision *decision)
{
    decide_begin(view, judgement, EVENT_REVERSAL, request->time, decision);
    struct event *event = &decision->event;
    const struct event *original = request->event;
    event->store = request->place.store;
    event->till = request->place.till;
    event->operator= request->place.operator;
    event->business_date = request->place.business_date;
    event->reversal.original = request->original;
    if (original == NULL) {
        event->type = EVENT_TOMBSTONE;
        found(decision, REVERSAL_TOMBSTONE);
        return;
    }
    event->reversal.type = original->type;
    event->card = original->card;
    if (!can_be_reversed(original->type))
        decide_refuse(decision, REFUSAL_CANNOT_BE_REVERSED, "it is a %s", event_type_name(original->type));
    else if (!matches(view, request))
        decide_refuse(decision, REFUSAL_DOES_NOT_MATCH, "%s", "");
    else
        undo(view, judgement, request, decision);
}
