#include <string.h>

#include "service/internal.h"

/* What makes two sendings of a receipt the same: everything rating uses. */
static void purchase_content(struct service *service, const struct msg_purchase_request *message,
                             uint8_t out[16])
{
    static const struct wire_code none = { .size = 0 };
    struct msg_purchase_request copy = *message;
    copy.time = 0;
    copy.business_date = 0;
    copy.store = copy.till = copy.receipt = copy.operator= none;
    content_of(service, MESSAGE_purchase_request, &copy, out);
}

enum handled handle_purchase(struct request *request)
{
    struct service *service = request->service;
    const struct msg_purchase_request *message = &request->message->purchase_request;
    struct decision *decision = &service->decision;
    struct judgement judgement = request_judgement(request);
    struct purchase_request purchase = {
        .card = text_of_code(&message->card),
        .amount = (minor_units)message->amount,
        .time = (utc_us)message->time,
        .document = document_of(request, DOCUMENT_SALE, &message->store, &message->till,
                                message->business_date, message->time, &message->receipt),
        .operator= text_of_code(&message->operator),
        .line_count = lines_for_points(service, message->lines, message->lines_count),
        .lines = service->lines,
        .tender_count = (uint32_t)message->tenders_count,
        .tenders = service->tenders,
        .coupon_count = (uint32_t)message->coupons_count,
        .coupons = service->coupons,
    };
    for (uint32_t i = 0; i < purchase.tender_count; i++)
        service->tenders[i] = (struct tender){ .kind = text_of_code(&message->tenders[i].kind),
                                               .amount = message->tenders[i].amount };
    for (uint32_t i = 0; i < purchase.coupon_count; i++)
        service->coupons[i] = text_of_code(&message->coupons[i].code);

    if (!decide_lines_fit(decision, purchase.amount, purchase.line_count, purchase.lines)) {
        refuse_decision(request);
        return HANDLED;
    }
    uint8_t content[16] = { 0 };
    if (purchase.document.number.size > 0) {
        purchase_content(service, message, content);
        enum document_check check = document_settle(request, &purchase.document, content);
        if (check != DOCUMENT_NEW)
            return check == DOCUMENT_FETCH ? HANDLED_FETCH : HANDLED;
    }
    decide_purchase(&service->view, &judgement, &purchase, decision);
    if (decision->refusal != REFUSAL_NONE) {
        refuse_decision(request);
        return HANDLED;
    }
    struct event *event = &decision->event;
    memcpy(event->content, content, sizeof(content));
    struct balance balance = balance_after(service);
    union message_any answer;
    struct msg_purchase_answer *out = &answer.purchase_answer;
    message_init(MESSAGE_purchase_answer, out);
    out->earned = points_to_wire(service, event->purchase.earned);
    out->available = points_to_wire(service, balance.available);
    out->pending = points_to_wire(service, balance.pending);
    out->debt = points_to_wire(service, balance.debt);
    out->flags = event->flags & EVENT_FLAG_SERVER_TIME;
    book(request, event, &answer);
    return HANDLED;
}
