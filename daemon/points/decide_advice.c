/*
 * Where an advice goes whose card does not exist or may not do it: it is never refused (DOMAIN.md, Cards and accounts).
 */
#include "points/decide_steps.h"

/*
 * An account that the event makes, as event.suspense says: rated as a new one, its points wait for the card.
 */
static void begin_suspense(const struct points_view *view, struct decision *decision, struct text number,
                           bool new_card)
{
    struct event *event = &decision->event;
    if (new_card)
        event->card = view->next_card(view->ctx);
    event->suspense.number = number;
    event->suspense.new_card = new_card;
    account_new(view->next_account(view->ctx), &decision->sides[0].before);
    decision->sides[0].before.suspense = true;
}

void decide_anyway(struct decision *decision)
{
    decision->refusal = REFUSAL_NONE;
    decision->needed = 0;
    decision->available = 0;
    decision->detail[0] = '\0';
}

bool decide_suspense(const struct points_view *view, const struct judgement *judgement,
                     struct decision *decision, struct text number)
{
    struct card card;
    bool known = view->card(view->ctx, number, &card);
    decide_anyway(decision);
    if (known && card.status == CARD_REPLACED && !decision->sides[0].before.closed)
        return decide_account(view, judgement, decision, 0, card.account);
    decision->event.flags |= EVENT_FLAG_SUSPENSE;
    if (!known) {
        begin_suspense(view, decision, number, true);
        return true;
    }
    decision->event.card = card.id;
    if (card.suspense != 0)
        return decide_account(view, judgement, decision, 0, card.suspense);
    begin_suspense(view, decision, number, false);
    return true;
}

bool decide_card_of_advice(const struct points_view *view, const struct judgement *judgement,
                           struct decision *decision, struct text number)
{
    PUNKT_CHECK((judgement->flags & EVENT_FLAG_ADVICE) != 0);
    if (!decide_card(view, judgement, decision, 0, number, CARD_USE_RETURN))
        return decision->refusal == REFUSAL_UNKNOWN_CARD &&
               decide_suspense(view, judgement, decision, number);
    if (decision->sides[0].before.suspense)
        decision->event.flags |= EVENT_FLAG_SUSPENSE;
    return true;
}
