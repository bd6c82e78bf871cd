/*
 * What is done to a card: block, unblock, close, replace, add, its PIN.
 */
#include <assert.h>

#include "proto/card.h"
#include "service/internal.h"

static bool check_valid(const struct service *service, const struct wire_code *number)
{
    const struct programme *programme = programme_in_force(service, ledger_now(service->ledger));
    return card_check_valid(number, (enum card_check)programme->card_check);
}

/* Decides and books an act; the three answers have the same fields, in the same order. */
static enum handled act(struct request *request, enum card_act what, const struct wire_code *card,
                        const struct wire_code *reason, const struct wire_code *operator)
{
    struct service *service = request->service;
    struct judgement judgement = request_judgement(request);
    struct card_act_request wanted = { .act = what,
                                       .card = text_of_code(card),
                                       .reason = text_of_code(reason),
                                       .operator= text_of_code(operator) };
    enum handled handled;
    do
        decide_card_act(&service->view, &judgement, &wanted, &service->decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    struct event *event = &service->decision.event;
    struct balance balance = balance_after(service, 0);
    union message_any answer;
    struct msg_card_close_answer *out = &answer.card_close_answer;
    message_init(request->row->answer, out);
    out->status = event->card_status.after;
    out->available = points_to_wire(service, balance.available);
    out->debt = points_to_wire(service, balance.debt);
    out->forfeited = points_to_wire(service, event->card_status.forfeited);
    book(request, event, &answer);
    return HANDLED;
}

static_assert(sizeof(struct msg_card_block_answer) == sizeof(struct msg_card_close_answer) &&
                  sizeof(struct msg_card_unblock_answer) == sizeof(struct msg_card_close_answer) &&
                  offsetof(struct msg_card_block_answer, forfeited) ==
                      offsetof(struct msg_card_close_answer, forfeited) &&
                  offsetof(struct msg_card_unblock_answer, forfeited) ==
                      offsetof(struct msg_card_close_answer, forfeited),
              "one answer for three");

enum handled handle_card_block(struct request *request)
{
    const struct msg_card_block_request *message = &request->message->card_block_request;
    return act(request, CARD_ACT_BLOCK, &message->card, &message->reason, &message->operator);
}

enum handled handle_card_unblock(struct request *request)
{
    const struct msg_card_unblock_request *message = &request->message->card_unblock_request;
    return act(request, CARD_ACT_UNBLOCK, &message->card, &message->reason, &message->operator);
}

enum handled handle_card_close(struct request *request)
{
    const struct msg_card_close_request *message = &request->message->card_close_request;
    return act(request, CARD_ACT_CLOSE, &message->card, &message->reason, &message->operator);
}

enum handled handle_card_replace(struct request *request)
{
    struct service *service = request->service;
    const struct msg_card_replace_request *message = &request->message->card_replace_request;
    struct judgement judgement = request_judgement(request);
    struct card_replace_request wanted = { .old_card = text_of_code(&message->card),
                                           .new_card = text_of_code(&message->new_card),
                                           .check_valid = check_valid(service, &message->new_card),
                                           .reason = text_of_code(&message->reason),
                                           .operator= text_of_code(&message->operator) };
    enum handled handled;
    do
        decide_card_replace(&service->view, &judgement, &wanted, &service->decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    union message_any answer;
    struct msg_card_replace_answer *out = &answer.card_replace_answer;
    message_init(MESSAGE_card_replace_answer, out);
    out->account = service->decision.sides[0].after.number;
    out->available = points_to_wire(service, balance_after(service, 0).available);
    book(request, &service->decision.event, &answer);
    return HANDLED;
}

enum handled handle_card_add(struct request *request)
{
    struct service *service = request->service;
    const struct msg_card_add_request *message = &request->message->card_add_request;
    struct judgement judgement = request_judgement(request);
    struct card_add_request wanted = { .card = text_of_code(&message->card),
                                       .new_card = text_of_code(&message->new_card),
                                       .check_valid = check_valid(service, &message->new_card),
                                       .operator= text_of_code(&message->operator) };
    enum handled handled;
    do
        decide_card_add(&service->view, &judgement, &wanted, &service->decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    union message_any answer;
    struct msg_card_add_answer *out = &answer.card_add_answer;
    message_init(MESSAGE_card_add_answer, out);
    out->account = service->decision.sides[0].after.number;
    out->cards = service->decision.sides[0].after.card_count;
    book(request, &service->decision.event, &answer);
    return HANDLED;
}

enum handled handle_card_pin(struct request *request)
{
    struct service *service = request->service;
    const struct msg_card_pin_request *message = &request->message->card_pin_request;
    struct pin_set_request wanted = { .card = text_of_code(&message->card),
                                      .operator= text_of_code(&message->operator) };
    enum handled handled = pin_make(request, wanted.card);
    if (handled != HANDLED || request->answered)
        return handled;
    if (request->pin == PIN_WRONG) {
        refuse_now(request, RESULT_BUSY, "the PIN cannot be hashed now");
        return HANDLED;
    }
    if (request->pin == PIN_RIGHT)
        wanted.pin = request->check;
    struct judgement judgement = request_judgement(request);
    do
        decide_pin_set(&service->view, &judgement, &wanted, &service->decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    union message_any answer;
    message_init(MESSAGE_card_pin_answer, &answer.card_pin_answer);
    answer.card_pin_answer.pin = wanted.pin.set ? 1 : 0;
    book(request, &service->decision.event, &answer);
    return HANDLED;
}
