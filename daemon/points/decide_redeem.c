#include "points/decide.h"

#include "points/decide_steps.h"
#include "points/effect_maker.h"
#include "points/redeeming.h"
#include "points/wide.h"

static void take_place(struct event *event, const struct place *place)
{
    event->store = place->store;
    event->till = place->till;
    event->operator= place->operator;
    event->business_date = place->business_date;
}

static minor_units bill_of(minor_units said)
{
    return said == 0 ? BILL_UNKNOWN : said;
}

/* Ends what moved points of sides[0]. */
static void end_redeeming(const struct points_view *view, const struct judgement *judgement,
                          struct decision *decision, struct maker *maker)
{
    maker_tier(maker, programme_at(view, judgement->now));
    if (!maker_end(maker, 0))
        decide_over_limit(decision);
}

/* Whether an account, merges followed, is that of the card. */
static bool is_cards(const struct points_view *view, account_number number, struct decision *decision)
{
    account_number card = decision->sides[0].before.number;
    struct account *account = &decision->sides[1].after; /* no effect has begun */
    return number == card ||
           (number != 0 && view->account(view->ctx, number, account) && account->number == card);
}

/*
 * Judges the purchase that a redemption is for: of the card's account, or its award was moved there. What
 * became of it is then in decision->returned.
 */
static bool sale_fits(const struct points_view *view, const struct redeem_request *request,
                      struct decision *decision)
{
    struct returned *returned = &decision->returned;
    if (request->sale_position == 0)
        return true;
    if (!view->returned(view->ctx, request->sale_position, returned))
        returned_new(returned);
    const struct event *sale = request->sale;
    enum refusal fault = REFUSAL_NONE;
    if (sale == NULL || sale->type != EVENT_PURCHASE)
        fault = REFUSAL_UNKNOWN_PURCHASE;
    else if (!is_cards(view, sale->effects[0].account, decision) &&
             !is_cards(view, returned->moved_to, decision))
        fault = REFUSAL_OTHER_ACCOUNT;
    else if (view->reversed_by(view->ctx, request->sale_position) != 0)
        fault = REFUSAL_PURCHASE_REVERSED;
    if (fault != REFUSAL_NONE)
        decide_refuse(decision, fault, "%s", "");
    return fault == REFUSAL_NONE;
}

/* Whether a purchase can be named by one redemption more: its own are kept beside those that name it. */
static bool room_to_name(const struct redeem_request *request, struct decision *decision)
{
    if (request->sale_position == 0)
        return true;
    uint32_t count = request->sale->purchase.redemption_count;
    for (uint32_t i = 0; i < decision->returned.spent_count; i++)
        count += decision->returned.spent[i].redemption != request->sale_position;
    if (count < SPENT_BACK_MAX)
        return true;
    decide_refuse(decision, REFUSAL_OVER_LIMIT, "a purchase has at most %d redemptions", SPENT_BACK_MAX);
    return false;
}

/* What is left to pay of a purchase: what redemptions that named it took off and did not give back is paid. */
static minor_units left_to_pay(const struct purchase *sale, const struct returned *returned)
{
    minor_units left = sale->amount - sale->paid;
    for (uint32_t i = 0; i < returned->spent_count; i++) {
        const struct spent_back *spent = &returned->spent[i];
        left -= spent->points == 0 ? spent->worth
                                   : mul_div(spent->worth, spent->points - spent->given_back, spent->points);
    }
    return i64_max(left, 0);
}

/*
 * Whom and what it is for. An advice has happened, whatever became of its card and of the purchase it names: it is booked on
 * whatever account the card has, and without a purchase that it cannot name.
 */
static bool find_redeeming(const struct points_view *view, const struct judgement *judgement,
                           struct redeem_request *request, struct decision *decision)
{
    if ((judgement->flags & EVENT_FLAG_ADVICE) == 0)
        return decide_card(view, judgement, decision, 0, request->card, CARD_USE_SPEND) &&
               sale_fits(view, request, decision);
    if (!decide_card_of_advice(view, judgement, decision, request->card))
        return false;
    if (!sale_fits(view, request, decision) || !room_to_name(request, decision)) {
        decide_anyway(decision);
        request->sale = NULL;
        request->sale_position = 0;
    }
    return true;
}

static struct wanted redeem_wanted(const struct redeem_request *request, const struct decision *decision)
{
    struct wanted wanted = { .wish = &request->wish,
                             .after = &decision->sides[0].before,
                             .store = request->place.store,
                             .bill = bill_of(request->bill),
                             .pin = request->pin,
                             .partial = (decision->event.flags & EVENT_FLAG_ADVICE) != 0 };
    if (request->sale_position != 0) {
        const struct purchase *sale = &request->sale->purchase;
        wanted.line_count = sale->line_count;
        wanted.lines = sale->lines;
        if (request->bill == 0)
            wanted.bill = left_to_pay(sale, &decision->returned);
    }
    return wanted;
}

void decide_redeem(const struct points_view *view, const struct judgement *judgement,
                   const struct redeem_request *asked, struct decision *decision)
{
    struct redeem_request request = *asked;
    PUNKT_CHECK(request.wish.hold == 0);
    decide_begin(view, judgement, EVENT_REDEMPTION, request.time, decision);
    take_place(&decision->event, &request.place);
    if (!find_redeeming(view, judgement, &request, decision))
        return;
    struct wanted wanted = redeem_wanted(&request, decision);
    wanted.barred = wanted.partial && !card_may_spend(view, judgement, request.card);
    struct cost cost;
    if (!decide_wish(view, judgement, decision, &wanted, &cost) || !room_to_name(&request, decision))
        return;
    struct maker maker = maker_begin(decision, 0, decide_today(view, judgement));
    take_cost(&maker, &cost);
    decision->event.redemption.made = cost.redemption;
    decision->event.redemption.sale = request.sale_position;
    abuse_redeemed(judgement, programme_at(view, judgement->now), decision, &maker, 1,
                   &decision->event.redemption.made);
    end_redeeming(view, judgement, decision, &maker);
}

void decide_hold(const struct points_view *view, const struct judgement *judgement,
                 const struct hold_request *request, struct decision *decision)
{
    PUNKT_CHECK(request->wish.hold == 0 && request->seconds <= HOLD_S_MAX);
    decide_begin(view, judgement, EVENT_HOLD, request->time, decision);
    take_place(&decision->event, &request->place);
    if (!decide_card(view, judgement, decision, 0, request->card, CARD_USE_SPEND))
        return;
    struct wanted wanted = { .wish = &request->wish,
                             .after = &decision->sides[0].before,
                             .store = request->place.store,
                             .bill = bill_of(request->bill),
                             .pin = request->pin };
    struct cost cost;
    if (!decide_wish(view, judgement, decision, &wanted, &cost))
        return;
    uint32_t seconds = request->seconds != 0 ? request->seconds : programme_at(view, judgement->now)->hold_s;
    utc_us deadline = judgement->now + seconds * US_PER_SECOND;
    struct maker maker = maker_begin(decision, 0, decide_today(view, judgement));
    if (!hold_cost(decision, &maker, &cost, deadline))
        return;
    decision->event.hold.wanted = cost.redemption;
    decision->event.hold.deadline = deadline;
    end_redeeming(view, judgement, decision, &maker);
}

void decide_capture(const struct points_view *view, const struct judgement *judgement,
                    const struct capture_request *request, struct decision *decision)
{
    decide_begin(view, judgement, EVENT_CAPTURE, request->time, decision);
    take_place(&decision->event, &request->place);
    bool advice = (judgement->flags & EVENT_FLAG_ADVICE) != 0;
    /* Any status: a hold made before a block may be captured. */
    if (advice ? !decide_card_of_advice(view, judgement, decision, request->card)
               : !decide_card(view, judgement, decision, 0, request->card, CARD_USE_RETURN))
        return;
    struct wish wish = { .points = request->points,
                         .hold = request->hold,
                         .hold_event = request->hold_event };
    struct maker maker = maker_begin(decision, 0, decide_today(view, judgement));
    struct wanted wanted = { .wish = &wish,
                             .after = maker.after,
                             .store = request->place.store,
                             .bill = bill_of(request->bill),
                             .partial = advice,
                             .barred = !card_may_spend(view, judgement, request->card) };
    struct redemption *made = &decision->event.redemption.made;
    if (!take_hold(view, judgement, decision, &maker, &wanted, made))
        return;
    /* Too late, in an advice: what was taken then is no capture. */
    if (made->hold == 0)
        decision->event.type = EVENT_REDEMPTION;
    abuse_redeemed(judgement, programme_at(view, judgement->now), decision, &maker, 1, made);
    end_redeeming(view, judgement, decision, &maker);
}

/* Finds the hold to release, and its account: by the card if one is named, and by the hold if none is. */
static bool find_release(const struct points_view *view, const struct judgement *judgement,
                         const struct release_request *request, struct decision *decision)
{
    bool by_card = request->card.size > 0;
    if (by_card && !decide_card(view, judgement, decision, 0, request->card, CARD_USE_RETURN))
        return false;
    struct hold_state state;
    if (!view->hold(view->ctx, request->hold, &state)) {
        decide_refuse(decision, REFUSAL_UNKNOWN_HOLD, "%s", "");
        return false;
    }
    if (state.end != HOLD_OPEN) {
        decide_refuse(decision, REFUSAL_HOLD_ENDED, "%s", hold_end_words(state.end));
        return false;
    }
    PUNKT_CHECK(!request->timed_out || state.deadline <= judgement->now);
    if (!by_card)
        return decide_account(view, judgement, decision, 0, state.account);
    const struct hold_part *parts;
    if (account_hold(&decision->sides[0].before, request->hold, &parts) != NULL)
        return true;
    decide_refuse(decision, REFUSAL_OTHER_ACCOUNT, "%s", "");
    return false;
}

void decide_release(const struct points_view *view, const struct judgement *judgement,
                    const struct release_request *request, struct decision *decision)
{
    decide_begin(view, judgement, EVENT_RELEASE, request->time, decision);
    take_place(&decision->event, &request->place);
    if (!find_release(view, judgement, request, decision))
        return;
    const struct hold_part *parts;
    const struct account_hold *hold = account_hold(&decision->sides[0].before, request->hold, &parts);
    PUNKT_CHECK(hold != NULL);
    decision->event.release.hold = request->hold;
    decision->event.release.timed_out = request->timed_out;
    decision->event.release.reward = hold->reward;
    decision->event.release.quantity = hold->quantity;
    struct maker maker = maker_begin(decision, 0, decide_today(view, judgement));
    release_hold(&maker, request->hold);
    end_redeeming(view, judgement, decision, &maker);
}
