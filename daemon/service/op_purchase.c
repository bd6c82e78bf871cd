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

static struct purchase_request purchase_of(struct request *request)
{
    struct service *service = request->service;
    const struct msg_purchase_request *message = &request->message->purchase_request;
    wishes_for_points(request, message->wishes, message->wishes_count);
    return (struct purchase_request){
        .card = text_of_code(&message->card),
        .amount = (minor_units)message->amount,
        .time = (utc_us)message->time,
        .document = document_of(request, DOCUMENT_SALE, &message->store, &message->till,
                                message->business_date, message->time, &message->receipt),
        .operator= text_of_code(&message->operator),
        .line_count = lines_for_points(service, message->lines, message->lines_count),
        .lines = service->lines,
        .tender_count = tenders_for_points(service, message->tenders, message->tenders_count),
        .tenders = service->tenders,
        .coupon_count = coupons_for_points(service, message->coupons, message->coupons_count),
        .coupons = service->coupons,
        .wish_count = (uint32_t)message->wishes_count,
        .wishes = service->wishes,
    };
}

static void answer_purchase(struct request *request)
{
    struct service *service = request->service;
    struct event *event = &service->decision.event;
    struct balance balance = balance_after(service, 0);
    union message_any answer;
    struct msg_purchase_answer *out = &answer.purchase_answer;
    message_init(MESSAGE_purchase_answer, out);
    out->earned = points_to_wire(service, event->purchase.earned);
    out->available = points_to_wire(service, balance.available);
    out->pending = points_to_wire(service, balance.pending);
    out->debt = points_to_wire(service, balance.debt);
    out->flags = flags_for_wire(event);
    for (uint32_t i = 0; i < event->purchase.redemption_count; i++)
        out->redeemed += points_to_wire(service, event->purchase.redemptions[i].points);
    out->paid = (uint64_t)event->purchase.paid;
    code_for_wire(tier_name(service, event->purchase.tier), &out->tier);
    spent_for_wire(service, event->purchase.redemptions, event->purchase.redemption_count);
    out->spent_count = event->purchase.redemption_count;
    out->spent = service->spent;
    book(request, event, &answer);
}

enum handled handle_purchase(struct request *request)
{
    struct service *service = request->service;
    struct decision *decision = &service->decision;
    struct purchase_request purchase = purchase_of(request);
    enum handled handled;
    if (!decide_lines_fit(decision, purchase.amount, purchase.line_count, purchase.lines)) {
        refuse_decision(request);
        return HANDLED;
    }
    uint8_t content[16] = { 0 };
    if (purchase.document.number.size > 0) {
        purchase_content(service, &request->message->purchase_request, content);
        enum document_check check = document_settle(request, &purchase.document, content);
        if (check != DOCUMENT_NEW)
            return check == DOCUMENT_FETCH ? HANDLED_FETCH : HANDLED;
    }
    if (purchase.wish_count > 0) {
        if (!wishes_fetch(request, purchase.wish_count))
            return HANDLED_FETCH;
        handled = pin_settle(request, purchase.card);
        if (handled != HANDLED || request->answered)
            return handled;
        purchase.pin = request->pin;
    }
    struct judgement judgement = request_judgement(request);
    do
        decide_purchase(&service->view, &judgement, &purchase, decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    memcpy(decision->event.content, content, sizeof(content));
    answer_purchase(request);
    waiting_end(service, &purchase.document);
    return HANDLED;
}
