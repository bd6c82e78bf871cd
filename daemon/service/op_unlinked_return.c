#include <string.h>

#include "service/internal.h"

static void unlinked_content(struct service *service, const struct msg_unlinked_return_request *message,
                             uint8_t out[16])
{
    static const struct wire_code none = { .size = 0 };
    struct msg_unlinked_return_request copy = *message;
    copy.time = 0;
    copy.business_date = 0;
    copy.store = copy.till = copy.document = copy.operator= none;
    content_of(service, MESSAGE_unlinked_return_request, &copy, out);
}

enum handled handle_unlinked_return(struct request *request)
{
    struct service *service = request->service;
    const struct msg_unlinked_return_request *message = &request->message->unlinked_return_request;
    struct decision *decision = &service->decision;
    /* What was proposed has happened then, not when it is approved: its document is of that day. */
    uint64_t time = message->time;
    if (time == 0 && request->approves_row != NULL)
        time = (uint64_t)request->proposed;
    struct unlinked_return_request goods = {
        .card = text_of_code(&message->card),
        .amount = (minor_units)message->amount,
        .time = (utc_us)time,
        .document = document_of(request, DOCUMENT_RETURN, &message->store, &message->till,
                                message->business_date, time, &message->document),
        .operator= text_of_code(&message->operator),
        .line_count = lines_for_points(service, message->lines, message->lines_count),
        .lines = service->lines,
    };
    if (!decide_lines_fit(decision, goods.amount, goods.line_count, goods.lines)) {
        refuse_decision(request);
        return HANDLED;
    }
    uint8_t content[16] = { 0 };
    if (goods.document.number.size > 0) {
        unlinked_content(service, message, content);
        enum document_check check = document_settle(request, &goods.document, content);
        if (check != DOCUMENT_NEW)
            return check == DOCUMENT_FETCH ? HANDLED_FETCH : HANDLED;
    }
    struct judgement judgement = request_judgement(request);
    enum handled handled;
    do
        decide_unlinked_return(&service->view, &judgement, &goods, decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    struct event *event = &decision->event;
    memcpy(event->content, content, sizeof(content));
    struct balance balance = balance_after(service, 0);
    union message_any answer;
    struct msg_unlinked_return_answer *out = &answer.unlinked_return_answer;
    message_init(MESSAGE_unlinked_return_answer, out);
    out->taken = points_to_wire(service, event->goods_return.taken);
    out->given_back = points_to_wire(service, event->goods_return.given_back);
    out->shortfall = points_to_wire(service, event->goods_return.shortfall);
    out->amount = (uint64_t)event->goods_return.amount;
    out->available = points_to_wire(service, balance.available);
    out->debt = points_to_wire(service, balance.debt);
    if ((event->flags & EVENT_FLAG_SERVER_TIME) != 0)
        out->flags |= ANSWER_FLAG_SERVER_TIME;
    book(request, event, &answer);
    return HANDLED;
}
