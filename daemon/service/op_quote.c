#include "service/internal.h"

static struct purchase_request quoted(struct request *request)
{
    struct service *service = request->service;
    const struct msg_quote_request *message = &request->message->quote_request;
    static const struct wire_code no_number = { .size = 0 };
    wishes_for_points(request, message->wishes, message->wishes_count);
    return (struct purchase_request){
        .card = text_of_code(&message->card),
        .amount = (minor_units)message->amount,
        .time = (utc_us)message->time,
        .document = document_of(request, DOCUMENT_SALE, &message->store, &message->till, 0, message->time,
                                &no_number),
        .operator= text_of_code(&message->operator),
        .line_count = lines_for_points(service, message->lines, message->lines_count),
        .lines = service->lines,
        .tender_count = tenders_for_points(service, message->tenders, message->tenders_count),
        .tenders = service->tenders,
        .coupon_count = coupons_for_points(service, message->coupons, message->coupons_count),
        .coupons = service->coupons,
        .wish_count = (uint32_t)message->wishes_count,
        .wishes = service->wishes,
        .pin = PIN_RIGHT,
    };
}

enum handled handle_quote(struct request *request)
{
    struct service *service = request->service;
    struct decision *decision = &service->decision;
    struct purchase_request purchase = quoted(request);
    struct judgement judgement = request_judgement(request);
    judgement.flags &= ~(uint32_t)EVENT_FLAG_ADVICE; /* nothing has happened yet */
    decide_purchase(&service->view_of_reads, &judgement, &purchase, decision);
    if (decision->refusal != REFUSAL_NONE) {
        answer_decision(request);
        return HANDLED;
    }
    const struct purchase *made = &decision->event.purchase;
    struct balance balance = balance_after(service, 0);
    union message_any answer;
    struct msg_quote_answer *out = &answer.quote_answer;
    message_init(MESSAGE_quote_answer, out);
    out->earned = points_to_wire(service, made->earned);
    out->paid = (uint64_t)made->paid;
    out->available = points_to_wire(service, balance.available);
    out->pending = points_to_wire(service, balance.pending);
    out->debt = points_to_wire(service, balance.debt);
    out->programme_version = made->programme_version;
    out->flags = flags_for_wire(&decision->event);
    code_for_wire(tier_name(service, made->tier), &out->tier);
    for (uint32_t i = 0; i < made->redemption_count; i++)
        out->redeemed += points_to_wire(service, made->redemptions[i].points);
    const struct programme *programme =
        service->view.programme(service->view.ctx, made->programme_version, 0);
    out->parts_count = parts_for_wire(service, programme, made->parts, made->part_count);
    out->parts = service->parts;
    spent_for_wire(service, made->redemptions, made->redemption_count);
    out->spent_count = made->redemption_count;
    out->spent = service->spent;
    answer_read(request, &answer, ledger_newest(service->ledger));
    return HANDLED;
}
