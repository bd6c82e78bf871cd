#include "points/decide.h"

#include "points/decide_steps.h"
#include "points/effect_maker.h"
#include "points/wide.h"

static void refuse_over_limit(struct decision *decision)
{
    decide_refuse(decision, REFUSAL_OVER_LIMIT, "%s", "the balance is more than an account can hold");
}

void decide_redeem(const struct points_view *view, const struct judgement *judgement,
                   const struct redeem_request *request, struct decision *decision)
{
    PUNKT_CHECK(request->points > 0 && request->points <= MILLIPOINTS_MAX);
    decide_begin(decision, EVENT_REDEMPTION, judgement, request->time);
    struct event *event = &decision->event;
    event->store = request->store;
    event->till = request->till;
    event->operator= request->operator;
    if (!decide_card(view, decision, request->card, CARD_USE_SPEND))
        return;
    local_day today = decide_today(view, judgement);
    effect_begin(decision, today);
    millipoints available = account_free(&decision->after, today);
    if (available < request->points) {
        decide_refuse_points(decision, request->points, available);
        return;
    }
    const struct programme *programme = programme_at(view, judgement->now);
    wide worth = (wide)request->points * programme->worth_amount / programme->worth_points;
    if (worth > AMOUNT_MAX) {
        decide_refuse(decision, REFUSAL_OVER_LIMIT, "%s", "the points are worth more than an amount can be");
        return;
    }
    event->redemption.points = request->points;
    event->redemption.worth = (minor_units)worth;
    PUNKT_CHECK(effect_take_free(decision, today, request->points) == request->points);
    if (!effect_end(decision, 0))
        refuse_over_limit(decision);
}

static bool reason_known(const struct programme *programme, struct text reason)
{
    for (uint32_t i = 0; i < programme->reason_count; i++) {
        if (text_equal(text_of(programme->reasons[i]), reason))
            return true;
    }
    return false;
}

/* Points that the office takes: free ones, then, if it may, below zero. */
static bool adjust_down(struct decision *decision, local_day today, millipoints points, bool allow_debt)
{
    millipoints available = account_free(&decision->after, today);
    if (available < points && !allow_debt) {
        decide_refuse_points(decision, points, available);
        return false;
    }
    millipoints taken = effect_take_free(decision, today, points);
    effect_owe(decision, points - taken);
    return true;
}

static bool adjust_up(struct decision *decision, local_day today, millipoints points)
{
    struct lot_terms terms = { .by_purchase = false, .matures = today, .last_day = DAY_NEVER };
    millipoints settled;
    uint32_t lot;
    if (effect_give(decision, today, points, &terms, &settled, &lot))
        return true;
    refuse_over_limit(decision);
    return false;
}

void decide_adjust(const struct points_view *view, const struct judgement *judgement,
                   const struct adjust_request *request, struct decision *decision)
{
    millipoints points = request->points;
    PUNKT_CHECK(points != 0 && points >= -MILLIPOINTS_MAX && points <= MILLIPOINTS_MAX);
    decide_begin(decision, EVENT_ADJUSTMENT, judgement, 0);
    struct event *event = &decision->event;
    event->operator= request->operator;
    event->adjustment.points = points;
    event->adjustment.reason = request->reason;
    event->adjustment.note = request->note;
    if (!decide_card(view, decision, request->card, CARD_USE_OFFICE))
        return;
    if (!reason_known(programme_at(view, judgement->now), request->reason)) {
        decide_refuse(decision, REFUSAL_UNKNOWN_REASON, "%s", "");
        return;
    }
    local_day today = decide_today(view, judgement);
    effect_begin(decision, today);
    bool done = points > 0 ? adjust_up(decision, today, points)
                           : adjust_down(decision, today, -points, request->allow_debt);
    if (done && !effect_end(decision, 0))
        refuse_over_limit(decision);
}

/* The i-th number of the range, into buffer; false: there is none. */
static bool issue_number(const struct issue_request *request, uint32_t index, uint32_t check, char buffer[32],
                         struct text *out_number)
{
    *out_number = request->card;
    if (index == 0)
        return true;
    size_t size = 0;
    if (!request->number_after(request->ctx, index, check, buffer, &size))
        return false;
    PUNKT_CHECK(size <= 32);
    *out_number = (struct text){ .data = buffer, .size = size };
    return true;
}

void decide_issue(const struct points_view *view, const struct judgement *judgement,
                  const struct issue_request *request, struct decision *decision)
{
    PUNKT_CHECK(request->count > 0);
    decide_begin(decision, EVENT_CARDS_ISSUED, judgement, 0);
    uint32_t check = programme_at(view, judgement->now)->card_check;
    char buffer[32];
    struct text number;
    if (!request->check_valid) {
        decide_refuse(decision, REFUSAL_INVALID_CARD_NUMBER, "%s", "its check digit is wrong");
        return;
    }
    /* The last number of a range is there only if all of them are. */
    if (!issue_number(request, request->count - 1, check, buffer, &number)) {
        decide_refuse(decision, REFUSAL_INVALID_CARD_NUMBER, "%s", "the range runs out of numbers");
        return;
    }
    for (uint32_t i = 0; i < request->count; i++) {
        struct card card;
        PUNKT_CHECK(issue_number(request, i, check, buffer, &number));
        if (view->card(view->ctx, number, &card)) {
            decide_refuse(decision, REFUSAL_CARD_EXISTS, "%.*s", (int)number.size, number.data);
            return;
        }
    }
    struct event *event = &decision->event;
    event->cards_issued.first_account = view->next_account(view->ctx);
    event->cards_issued.first_card = view->next_card(view->ctx);
    event->cards_issued.count = request->count;
    event->cards_issued.check = check;
    event->cards_issued.number = request->card;
    event->card = event->cards_issued.first_card;
}
