#include "service/internal.h"

enum handled handle_redeem(struct request *request)
{
    struct service *service = request->service;
    const struct msg_redeem_request *message = &request->message->redeem_request;
    struct decision *decision = &service->decision;
    struct judgement judgement = request_judgement(request);
    struct redeem_request redeem = { .card = text_of_code(&message->card),
                                     .time = (utc_us)message->time,
                                     .store = text_of_code(&message->store),
                                     .till = text_of_code(&message->till),
                                     .operator= text_of_code(&message->operator) };
    if (message->points == 0 || !points_from_wire(service, message->points, &redeem.points)) {
        refuse(request, RESULT_OVER_LIMIT, "points must be above zero and below 10^12", 0, 0);
        return HANDLED;
    }
    decide_redeem(&service->view, &judgement, &redeem, decision);
    if (decision->refusal != REFUSAL_NONE) {
        refuse_decision(request);
        return HANDLED;
    }
    struct event *event = &decision->event;
    struct balance balance = balance_after(service);
    union message_any answer;
    struct msg_redeem_answer *out = &answer.redeem_answer;
    message_init(MESSAGE_redeem_answer, out);
    out->redeemed = points_to_wire(service, event->redemption.points);
    out->available = points_to_wire(service, balance.available);
    out->worth = (uint64_t)event->redemption.worth;
    book(request, event, &answer);
    return HANDLED;
}
