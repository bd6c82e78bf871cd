#include <string.h>

#include "ledger/fold.h"
#include "service/internal.h"

#define SALE_SEARCH_DAYS 100 /* how far back a receipt without a date is looked for */

static void return_content(struct service *service, const struct msg_return_request *message, uint8_t out[16])
{
    static const struct wire_code none = { .size = 0 };
    struct msg_return_request copy = *message;
    copy.time = 0;
    copy.business_date = 0;
    copy.store = copy.till = copy.document = copy.operator= none;
    content_of(service, MESSAGE_return_request, &copy, out);
}

/* Where the purchase stands that the return names; 0: nowhere. */
static journal_position find_sale(struct request *request, const struct msg_return_request *message,
                                  local_day returned_on)
{
    struct fold *fold = ledger_fold(request->service->ledger);
    if (message->sale_position != 0)
        return message->sale_position < ledger_end(request->service->ledger) ? message->sale_position : 0;
    const struct wire_code *store = message->sale_store.size > 0 ? &message->sale_store : &message->store;
    const struct wire_code *till = message->sale_till.size > 0 ? &message->sale_till : &message->till;
    struct document sale = { .kind = DOCUMENT_SALE,
                             .store = text_of_code(store),
                             .till = text_of_code(till),
                             .business_date = (local_day)message->sale_date,
                             .number = text_of_code(&message->sale_receipt) };
    if (sale.number.size == 0)
        return 0;
    if (message->sale_date != 0)
        return fold_document(fold, &sale);
    for (local_day back = 0; back <= SALE_SEARCH_DAYS && back <= returned_on; back++) {
        sale.business_date = returned_on - back;
        journal_position position = fold_document(fold, &sale);
        if (position != 0)
            return position;
    }
    return 0;
}

/*
 * Whether the event was booked there as a purchase. The position may be the client's own, and bytes inside another
 * event may look like one: only what the index of its request leads to is believed.
 */
static bool is_purchase_at(struct service *service, const struct event *event, journal_position position)
{
    return event != NULL && event->type == EVENT_PURCHASE &&
           fold_request(ledger_fold(service->ledger), event->request.identity, event->request.epoch,
                        event->request.number) == position;
}

static uint32_t return_lines(struct service *service, const struct msg_return_request *message)
{
    for (uint64_t i = 0; i < message->lines_count; i++)
        service->return_lines[i] =
            (struct return_request_line){ .number = (uint32_t)message->lines[i].number,
                                          .quantity = (millis_of_unit)message->lines[i].quantity,
                                          .code = text_of_code(&message->lines[i].code) };
    return (uint32_t)message->lines_count;
}

enum handled handle_return(struct request *request)
{
    struct service *service = request->service;
    const struct msg_return_request *message = &request->message->return_request;
    struct decision *decision = &service->decision;
    struct judgement judgement = request_judgement(request);
    struct return_request goods = {
        .card = text_of_code(&message->card),
        .time = (utc_us)message->time,
        .document = document_of(request, DOCUMENT_RETURN, &message->store, &message->till,
                                message->business_date, message->time, &message->document),
        .operator= text_of_code(&message->operator),
        .amount = (minor_units)message->amount,
        .line_count = return_lines(service, message),
        .lines = service->return_lines,
    };
    uint8_t content[16] = { 0 };
    if (goods.document.number.size > 0) {
        return_content(service, message, content);
        enum document_check check = document_settle(request, &goods.document, content);
        if (check != DOCUMENT_NEW)
            return check == DOCUMENT_FETCH ? HANDLED_FETCH : HANDLED;
    }
    goods.sale_position = find_sale(request, message, goods.document.business_date);
    if (goods.sale_position != 0 && request->fetched_position != goods.sale_position) {
        request->fetch = goods.sale_position;
        return HANDLED_FETCH;
    }
    if (is_purchase_at(service, request->fetched, goods.sale_position))
        goods.sale = request->fetched;
    decide_return(&service->view, &judgement, &goods, decision);
    if (decision->refusal != REFUSAL_NONE) {
        refuse_decision(request);
        return HANDLED;
    }
    struct event *event = &decision->event;
    memcpy(event->content, content, sizeof(content));
    struct balance balance = balance_after(service);
    union message_any answer;
    struct msg_return_answer *out = &answer.return_answer;
    message_init(MESSAGE_return_answer, out);
    out->taken = points_to_wire(service, event->goods_return.taken);
    out->given_back = points_to_wire(service, event->goods_return.given_back);
    out->shortfall = points_to_wire(service, event->goods_return.shortfall);
    out->available = points_to_wire(service, balance.available);
    out->debt = points_to_wire(service, balance.debt);
    out->flags = event->flags & EVENT_FLAG_SERVER_TIME;
    book(request, event, &answer);
    return HANDLED;
}
