#include "points/decide.h"

#include "points/decide_steps.h"
#include "points/goods_back.h"

/* Whether an account, merges followed, is the one that was found by the card. */
static bool leads_to(const struct points_view *view, struct decision *decision, account_number from,
                     account_number to)
{
    struct account *account = &decision->sides[1].after; /* no effect has begun */
    return from != 0 && view->account(view->ctx, from, account) && account->number == to;
}

/* The card leads to the account of the purchase, or to that of what waits for the card. */
static bool same_account(const struct points_view *view, struct decision *decision,
                         const struct return_request *request)
{
    account_number sale = request->sale->effects[0].account;
    account_number by_card = decision->sides[0].before.number;
    bool touched = view->returned(view->ctx, request->sale_position, &decision->returned);
    if (touched && decision->returned.moved_to != 0)
        sale = decision->returned.moved_to; /* returns follow the award */
    if (sale == by_card || leads_to(view, decision, sale, by_card))
        return true;
    struct card card;
    PUNKT_CHECK(view->card(view->ctx, request->card, &card));
    if (card.suspense != 0 && view->account(view->ctx, card.suspense, &decision->sides[1].before) &&
        leads_to(view, decision, sale, decision->sides[1].before.number))
        return true;
    decide_refuse(decision, REFUSAL_OTHER_ACCOUNT, "%s", "");
    return false;
}

static bool find_sale(const struct points_view *view, const struct judgement *judgement,
                      struct decision *decision, const struct return_request *request, struct bought *out)
{
    if (!decide_card(view, judgement, decision, 0, request->card, CARD_USE_RETURN))
        return false;
    if (request->sale == NULL || request->sale->type != EVENT_PURCHASE) {
        decide_refuse(decision, REFUSAL_UNKNOWN_PURCHASE, "%s", "");
        return false;
    }
    if (!same_account(view, decision, request))
        return false;
    if (!bought_find(view, judgement, decision, request->sale, request->sale_position, request->spent_events,
                     out))
        return false;
    if (!decision->returned.reversed)
        return true;
    decide_refuse(decision, REFUSAL_PURCHASE_REVERSED, "%s", "");
    return false;
}

/* An advice of a return whose purchase is not here yet: kept as it was asked for. Nobody is refused, so nobody is asked. */
static void wait_for_sale(const struct points_view *view, const struct return_request *request,
                          struct decision *decision)
{
    PUNKT_CHECK(request->line_count <= LINES_MAX);
    struct event *event = &decision->event;
    struct card card;
    event->type = EVENT_RETURN_WAITING;
    event->card = view->card(view->ctx, request->card, &card) ? card.id : 0;
    event->waiting.sale = request->sale_document;
    event->waiting.previous = request->waiting;
    event->waiting.card = request->card;
    event->waiting.amount = request->amount;
    event->waiting.line_count = request->line_count;
    event->waiting.lines = decision->waiting_lines;
    for (uint32_t i = 0; i < request->line_count; i++) {
        const struct return_request_line *line = &request->lines[i];
        decision->waiting_lines[i] =
            (struct waiting_line){ .number = line->number, .quantity = line->quantity, .code = line->code };
    }
}

void decide_return(const struct points_view *view, const struct judgement *judgement,
                   const struct return_request *request, struct decision *decision)
{
    decide_begin(view, judgement, EVENT_RETURN, request->time, decision);
    decide_document(decision, programme_at(view, decision->event.occurred), DOCUMENT_RETURN,
                    &request->document, request->operator);
    bool advice = (judgement->flags & EVENT_FLAG_ADVICE) != 0;
    if (request->sale == NULL && advice && request->sale_document.number.size > 0) {
        wait_for_sale(view, request, decision);
        return;
    }
    struct bought bought;
    struct left left;
    if (!find_sale(view, judgement, decision, request, &bought) ||
        !goods_by_request(decision, bought.purchase, request, &left))
        return;
    struct taking taking = { .claw_back = bought.today->claw_back, .give_spent = bought.today->return_spent };
    goods_take_back(view, decision, &bought, &left, &taking, &decision->event.goods_return);
}

/* By `debt`, or else by `balance`: there is no own lot. */
static void take_unlinked(const struct programme *today, struct maker *maker, struct goods_return *goods)
{
    millipoints taken = maker_take_free(maker, goods->due);
    millipoints owed = today->claw_back == CLAW_BACK_DEBT ? goods->due - taken : 0;
    maker_owe(maker, owed);
    goods->taken = taken + owed;
    goods->shortfall = goods->due - goods->taken;
}

/* Rates the goods that came back. False: more than the ledger holds. */
static bool rate_goods_back(const struct programme *programme, const struct unlinked_return_request *request,
                            struct decision *decision)
{
    struct goods_return *goods = &decision->event.goods_return;
    decide_copy_lines(decision, request->line_count, request->lines);
    struct rating_input input = { .programme = programme,
                                  .account = &decision->sides[0].before,
                                  .occurred = decision->event.occurred,
                                  .store = request->document.store,
                                  .amount = request->amount,
                                  .line_count = request->line_count,
                                  .lines = decision->lines };
    goods->programme_version = programme->version;
    goods->sale_line_count = request->line_count;
    goods->sale_lines = decision->lines;
    return rate_unlinked(&input, &decision->rating, &goods->due);
}

void decide_unlinked_return(const struct points_view *view, const struct judgement *judgement,
                            const struct unlinked_return_request *request, struct decision *decision)
{
    decide_begin(view, judgement, EVENT_UNLINKED_RETURN, request->time, decision);
    const struct programme *programme = programme_at(view, decision->event.occurred);
    const struct programme *today = programme_at(view, judgement->now);
    decide_document(decision, programme, DOCUMENT_RETURN, &request->document, request->operator);
    bool advice = (judgement->flags & EVENT_FLAG_ADVICE) != 0;
    if (!decide_lines_fit(decision, request->amount, request->line_count, request->lines) ||
        (advice ? !decide_card_of_advice(view, judgement, decision, request->card)
                : !decide_card(view, judgement, decision, 0, request->card, CARD_USE_RETURN)))
        return;
    if (!today->unlinked_returns && !advice) {
        decide_refuse(decision, REFUSAL_UNLINKED_OFF, "%s", "");
        return;
    }
    decision->event.goods_return.amount = request->amount;
    if (!decide_within_role(decision, today, judgement, ROLE_LIMIT_UNLINKED, request->amount))
        return;
    if (!rate_goods_back(programme, request, decision)) {
        decide_over_limit(decision);
        return;
    }
    struct goods_return *goods = &decision->event.goods_return;
    if (advice && (judgement->flags & EVENT_FLAG_HISTORIC) == 0)
        decision->event.raises |= FLAG_UNLINKED;
    if (!today->unlinked_returns)
        goods->due = 0; /* it has happened, but nothing is taken for it */
    struct maker maker = maker_begin(decision, 0, decide_today(view, judgement));
    take_unlinked(today, &maker, goods);
    maker_tier(&maker, today);
    if (!maker_end(&maker, -goods->due))
        decide_over_limit(decision);
}
