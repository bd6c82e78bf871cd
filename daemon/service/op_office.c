/*
 * The back office: adjustments, bonuses, debt that is written off, awards that went to the wrong card.
 */
#include "ledger/fold.h"
#include "service/internal.h"

enum handled handle_adjust(struct request *request)
{
    struct service *service = request->service;
    const struct msg_adjust_request *message = &request->message->adjust_request;
    bool takes = message->points < 0;
    millipoints points;
    if (!points_wanted(request, (uint64_t)(takes ? -message->points : message->points), &points))
        return HANDLED;
    struct judgement judgement = request_judgement(request);
    struct adjust_request adjust = { .card = text_of_code(&message->card),
                                     .points = takes ? -points : points,
                                     .reason = text_of_code(&message->reason),
                                     .note = text_of_message(message->note),
                                     .operator= text_of_code(&message->operator),
                                     .allow_debt = message->allow_debt != 0 };
    enum handled handled;
    do
        decide_adjust(&service->view, &judgement, &adjust, &service->decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    struct balance balance = balance_after(service, 0);
    union message_any answer;
    struct msg_adjust_answer *out = &answer.adjust_answer;
    message_init(MESSAGE_adjust_answer, out);
    out->points = points_to_wire(service, adjust.points);
    out->available = points_to_wire(service, balance.available);
    out->debt = points_to_wire(service, balance.debt);
    book(request, &service->decision.event, &answer);
    return HANDLED;
}

enum handled handle_bonus(struct request *request)
{
    struct service *service = request->service;
    const struct msg_bonus_request *message = &request->message->bonus_request;
    struct judgement judgement = request_judgement(request);
    struct bonus_request wanted = { .card = text_of_code(&message->card),
                                    .reason = text_of_code(&message->reason),
                                    .note = text_of_message(message->note),
                                    .operator= text_of_code(&message->operator) };
    if (!points_wanted(request, message->points, &wanted.points))
        return HANDLED;
    enum handled handled;
    do
        decide_bonus(&service->view, &judgement, &wanted, &service->decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    struct balance balance = balance_after(service, 0);
    union message_any answer;
    struct msg_bonus_answer *out = &answer.bonus_answer;
    message_init(MESSAGE_bonus_answer, out);
    out->points = points_to_wire(service, wanted.points);
    out->available = points_to_wire(service, balance.available);
    out->pending = points_to_wire(service, balance.pending);
    out->debt = points_to_wire(service, balance.debt);
    book(request, &service->decision.event, &answer);
    return HANDLED;
}

enum handled handle_write_off(struct request *request)
{
    struct service *service = request->service;
    const struct msg_write_off_request *message = &request->message->write_off_request;
    struct judgement judgement = request_judgement(request);
    struct write_off_request wanted = { .card = text_of_code(&message->card),
                                        .reason = text_of_code(&message->reason),
                                        .note = text_of_message(message->note),
                                        .operator= text_of_code(&message->operator) };
    if (message->points > 0 && !points_wanted(request, message->points, &wanted.points))
        return HANDLED;
    if (request->approves_row != NULL)
        wanted.points = request->proposed_points; /* not all of what is owed by now */
    enum handled handled;
    do
        decide_write_off(&service->view, &judgement, &wanted, &service->decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    struct balance balance = balance_after(service, 0);
    union message_any answer;
    struct msg_write_off_answer *out = &answer.write_off_answer;
    message_init(MESSAGE_write_off_answer, out);
    out->points = points_to_wire(service, service->decision.event.write_off.points);
    out->available = points_to_wire(service, balance.available);
    out->debt = points_to_wire(service, balance.debt);
    book(request, &service->decision.event, &answer);
    return HANDLED;
}

enum handled handle_award_move(struct request *request)
{
    struct service *service = request->service;
    const struct msg_award_move_request *message = &request->message->award_move_request;
    static const struct wire_code here = { .size = 1, .bytes = "0" }; /* of the office: store and till 0 */
    struct award_move_request wanted = { .to_card = text_of_code(&message->card),
                                         .reason = text_of_code(&message->reason),
                                         .operator= text_of_code(&message->operator) };
    struct sale_name name = { .position = message->sale_position,
                              .store = &message->sale_store,
                              .till = &message->sale_till,
                              .here_store = &here,
                              .here_till = &here,
                              .receipt = &message->sale_receipt,
                              .date = message->sale_date,
                              .on = today(service) };
    struct document document;
    wanted.sale_position = sale_find(request, &name, &document);
    if (!sale_fetch(request, wanted.sale_position, &wanted.sale))
        return HANDLED_FETCH;
    struct judgement judgement = request_judgement(request);
    enum handled handled;
    do
        decide_award_move(&service->view, &judgement, &wanted, &service->decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    struct event *event = &service->decision.event;
    struct balance balance = balance_after(service, 1);
    union message_any answer;
    struct msg_award_move_answer *out = &answer.award_move_answer;
    message_init(MESSAGE_award_move_answer, out);
    out->points = points_to_wire(service, event->award_moved.points);
    out->from_account = event->effects[0].account;
    out->to_account = event->effects[1].account;
    out->available = points_to_wire(service, balance.available);
    out->debt = points_to_wire(service, balance.debt);
    book(request, event, &answer);
    return HANDLED;
}
