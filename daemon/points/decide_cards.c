#include "points/decide.h"

#include "points/decide_steps.h"
#include "points/effect_maker.h"

/* Judges a number that is to become a card: *out is what waits for it in suspense; account 0: nothing. */
static bool new_number(const struct points_view *view, struct decision *decision, struct text number,
                       bool check_valid, struct card *out)
{
    *out = (struct card){ .account = 0 };
    if (!check_valid) {
        decide_refuse(decision, REFUSAL_INVALID_CARD_NUMBER, "%s", "its check digit is wrong");
        return false;
    }
    if (view->card(view->ctx, number, out) && out->status != CARD_SUSPENSE) {
        decide_refuse(decision, REFUSAL_CARD_EXISTS, "%.*s", (int)number.size, number.data);
        return false;
    }
    return true;
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

/* Judges all numbers. In suspense may be one that is issued by itself: in a range each gets a new account. */
static bool issue_numbers(const struct points_view *view, const struct issue_request *request, uint32_t check,
                          struct decision *decision, struct card *out_waiting)
{
    char buffer[32];
    struct text number;
    /* The last number of a range is there only if all of them are. */
    if (request->check_valid && !issue_number(request, request->count - 1, check, buffer, &number)) {
        decide_refuse(decision, REFUSAL_INVALID_CARD_NUMBER, "%s", "the range runs out of numbers");
        return false;
    }
    for (uint32_t i = 0; i < request->count; i++) {
        struct card another;
        struct card *card = i == 0 ? out_waiting : &another;
        PUNKT_CHECK(issue_number(request, i, check, buffer, &number));
        if (!new_number(view, decision, number, request->check_valid, card))
            return false;
        if (card->account != 0 && request->count > 1) {
            decide_refuse(decision, REFUSAL_CARD_EXISTS, "%.*s is in suspense: issue it by itself",
                          (int)number.size, number.data);
            return false;
        }
    }
    return true;
}

/* The bonus of a new account. */
static struct lot welcome_lot(const struct programme *programme, local_day today)
{
    if (programme->welcome == 0)
        return (struct lot){ .points = 0 };
    struct lot_terms terms = bonus_terms(programme, today);
    /*
     * What counts for a tier is counted by effects, and a new account has none: there the event of a
     * midnight, due today, makes the lot mature.
     */
    bool judged = programme->tiers.count > 0 &&
                  (programme->tiers.basis == TIER_BY_POINTS || programme->tiers.basis == TIER_BY_BALANCE);
    bool pending = terms.matures > today || judged;
    return (struct lot){ .number = 1,
                         .pending = pending,
                         .counts = pending,
                         .inactive_months = terms.inactive_months,
                         .points = programme->welcome,
                         .earned = terms.earned,
                         .matures = terms.matures,
                         .last_day = terms.last_day };
}

/* A card that was in suspense is issued: its account is there already (DOMAIN.md, Cards and accounts). */
static void issue_waiting(const struct points_view *view, const struct judgement *judgement,
                          const struct card *card, struct decision *decision)
{
    if (!decide_account(view, judgement, decision, 0, card->account))
        return;
    const struct programme *programme = programme_at(view, judgement->now);
    struct event *event = &decision->event;
    event->cards_issued.joins = true;
    event->cards_issued.first_account = decision->sides[0].before.number;
    event->cards_issued.first_card = card->id;
    struct maker maker = maker_begin(decision, 0, decide_today(view, judgement));
    maker_change(&maker, &(struct account_change){ .kind = CHANGE_SUSPENSE, .value = 0 });
    maker_change(&maker, &(struct account_change){ .kind = CHANGE_CARDS, .value = 1 });
    bool fits = programme->welcome == 0 || maker_bonus(&maker, programme, programme->welcome);
    maker_tier(&maker, programme);
    if (!fits || !maker_end(&maker, 0))
        decide_over_limit(decision);
}

void decide_issue(const struct points_view *view, const struct judgement *judgement,
                  const struct issue_request *request, struct decision *decision)
{
    PUNKT_CHECK(request->count > 0);
    decide_begin(view, judgement, EVENT_CARDS_ISSUED, 0, decision);
    const struct programme *programme = programme_at(view, judgement->now);
    struct card waiting;
    if (!issue_numbers(view, request, programme->card_check, decision, &waiting))
        return;
    struct event *event = &decision->event;
    event->operator= request->operator;
    event->cards_issued.count = request->count;
    event->cards_issued.check = programme->card_check;
    event->cards_issued.number = request->card;
    event->cards_issued.welcome = welcome_lot(programme, event->day);
    if (waiting.account != 0) {
        issue_waiting(view, judgement, &waiting, decision);
    } else {
        event->cards_issued.first_account = view->next_account(view->ctx);
        event->cards_issued.first_card = view->next_card(view->ctx);
    }
    event->card = event->cards_issued.first_card;
}

/* Takes what is left on a closed account: stamps too. Debt stays, and is shown. Returns the points. */
static millipoints forfeit(struct maker *maker)
{
    struct account *after = maker->after;
    millipoints forfeited = 0;
    for (uint32_t i = 0; i < after->lot_count; i++) {
        const struct lot *lot = &after->lots[i];
        struct lot_terms terms = { .earned = lot->earned,
                                   .matures = lot->matures,
                                   .last_day = lot->last_day };
        if (lot->points > 0)
            forfeited += maker_take_own(maker, lot->number, &terms, lot->points, false);
    }
    for (uint32_t i = 0; i < after->stamps_count; i++) {
        if (after->stamps[i].count > 0)
            maker_stamps(maker, after->stamps[i].purse, -after->stamps[i].count);
    }
    return forfeited;
}

/* A card is closed for good, and with its last card the account (DOMAIN.md, Back office). */
static void close_card(const struct points_view *view, const struct judgement *judgement,
                       struct decision *decision)
{
    struct maker maker = maker_begin(decision, 0, decide_today(view, judgement));
    maker_change(&maker, &(struct account_change){ .kind = CHANGE_CARDS, .value = -1 });
    if (maker.after->card_count == 0) {
        while (maker.after->hold_count > 0)
            maker_hold_end(&maker, maker.after->holds[0].id, 0);
        decision->event.card_status.forfeited = forfeit(&maker);
        maker_change(&maker, &(struct account_change){ .kind = CHANGE_CLOSED });
        maker_tier(&maker, programme_at(view, judgement->now));
    }
    if (!maker_end(&maker, 0))
        decide_over_limit(decision);
}

void decide_card_act(const struct points_view *view, const struct judgement *judgement,
                     const struct card_act_request *request, struct decision *decision)
{
    decide_begin(view, judgement, EVENT_CARD_STATUS, 0, decision);
    struct event *event = &decision->event;
    event->operator= request->operator;
    event->card_status.number = request->card;
    event->card_status.reason = request->reason;
    if (!decide_card(view, judgement, decision, 0, request->card, CARD_USE_OFFICE))
        return;
    struct card card;
    PUNKT_CHECK(view->card(view->ctx, request->card, &card));
    event->card_status.before = card.status;
    switch (request->act) {
    case CARD_ACT_BLOCK:
        event->card_status.after = CARD_BLOCKED;
        if (card.status == CARD_BLOCKED)
            decide_refuse(decision, REFUSAL_CARD_BLOCKED, "%s", "");
        else
            decide_join(view, judgement, decision, 0, 0);
        break;
    case CARD_ACT_UNBLOCK:
        event->card_status.after = CARD_ACTIVE;
        if (card.status != CARD_BLOCKED)
            decide_refuse(decision, REFUSAL_CARD_NOT_BLOCKED, "%s", "");
        else
            decide_join(view, judgement, decision, card.suspense, 0);
        break;
    case CARD_ACT_CLOSE:
        event->card_status.after = CARD_CLOSED;
        close_card(view, judgement, decision);
        break;
    }
}

void decide_card_replace(const struct points_view *view, const struct judgement *judgement,
                         const struct card_replace_request *request, struct decision *decision)
{
    decide_begin(view, judgement, EVENT_CARD_REPLACED, 0, decision);
    struct event *event = &decision->event;
    event->operator= request->operator;
    event->card_replaced.old_number = request->old_card;
    event->card_replaced.new_number = request->new_card;
    event->card_replaced.reason = request->reason;
    struct card waiting;
    struct card old;
    if (!new_number(view, decision, request->new_card, request->check_valid, &waiting) ||
        !decide_card(view, judgement, decision, 0, request->old_card, CARD_USE_OFFICE))
        return;
    PUNKT_CHECK(view->card(view->ctx, request->old_card, &old));
    if (waiting.account != 0 && old.suspense != 0) {
        /* An event has two sides: three accounts do not fit. */
        decide_refuse(decision, REFUSAL_CARD_EXISTS,
                      "%.*s is in suspense, and so is what %.*s earned: unblock it first",
                      (int)request->new_card.size, request->new_card.data, (int)request->old_card.size,
                      request->old_card.data);
        return;
    }
    event->card_replaced.new_card = waiting.account != 0 ? waiting.id : view->next_card(view->ctx);
    decide_join(view, judgement, decision, waiting.account != 0 ? waiting.account : old.suspense, 0);
}

void decide_card_add(const struct points_view *view, const struct judgement *judgement,
                     const struct card_add_request *request, struct decision *decision)
{
    decide_begin(view, judgement, EVENT_CARD_ADDED, 0, decision);
    struct event *event = &decision->event;
    event->operator= request->operator;
    event->card_added.number = request->new_card;
    struct card waiting;
    if (!new_number(view, decision, request->new_card, request->check_valid, &waiting) ||
        !decide_card(view, judgement, decision, 0, request->card, CARD_USE_OFFICE))
        return;
    event->card_added.card = waiting.account != 0 ? waiting.id : view->next_card(view->ctx);
    decide_join(view, judgement, decision, waiting.account, 1);
}
