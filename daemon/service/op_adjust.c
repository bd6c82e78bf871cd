#include "service/internal.h"

enum handled handle_adjust(struct request *request)
{
    struct service *service = request->service;
    const struct msg_adjust_request *message = &request->message->adjust_request;
    struct decision *decision = &service->decision;
    struct judgement judgement = request_judgement(request);
    bool takes = message->points < 0;
    millipoints points;
    if (message->points == 0 ||
        !points_from_wire(service, (uint64_t)(takes ? -message->points : message->points), &points)) {
        refuse(request, RESULT_OVER_LIMIT, "points must not be zero and must be below 10^12", 0, 0);
        return HANDLED;
    }
    struct adjust_request adjust = { .card = text_of_code(&message->card),
                                     .points = takes ? -points : points,
                                     .reason = text_of_code(&message->reason),
                                     .note = { message->note.data, (size_t)message->note.size },
                                     .operator= text_of_code(&message->operator),
                                     .allow_debt = message->allow_debt != 0 };
    decide_adjust(&service->view, &judgement, &adjust, decision);
    if (decision->refusal != REFUSAL_NONE) {
        refuse_decision(request);
        return HANDLED;
    }
    struct event *event = &decision->event;
    struct balance balance = balance_after(service);
    union message_any answer;
    struct msg_adjust_answer *out = &answer.adjust_answer;
    message_init(MESSAGE_adjust_answer, out);
    out->points = points_to_wire(service, event->adjustment.points);
    out->available = points_to_wire(service, balance.available);
    out->debt = points_to_wire(service, balance.debt);
    book(request, event, &answer);
    return HANDLED;
}
