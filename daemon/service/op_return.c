#include <string.h>

#include "ledger/fold.h"
#include "service/internal.h"

static void return_content(struct service *service, const struct msg_return_request *message, uint8_t out[16])
{
    static const struct wire_code none = { .size = 0 };
    struct msg_return_request copy = *message;
    copy.time = 0;
    copy.business_date = 0;
    copy.store = copy.till = copy.document = copy.operator= none;
    content_of(service, MESSAGE_return_request, &copy, out);
}

static uint32_t lines_that_return(struct service *service, const struct msg_return_line *lines,
                                  uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        service->return_lines[i] =
            (struct return_request_line){ .number = (uint32_t)lines[i].number,
                                          .quantity = (millis_of_unit)lines[i].quantity,
                                          .code = text_of_code(&lines[i].code) };
    return (uint32_t)count;
}

/* Finds and reads back what the return is of. False: HANDLED_FETCH. */
static bool find_goods(struct request *request, struct sale_name *name, struct return_request *goods)
{
    name->on = goods->document.business_date;
    goods->sale_position = sale_find(request, name, &goods->sale_document);
    if (goods->sale_position == 0 && goods->sale_document.number.size > 0)
        goods->waiting = fold_waiting(ledger_fold(request->service->ledger), &goods->sale_document);
    return sale_fetch(request, goods->sale_position, &goods->sale) &&
           spent_fetch(request, goods->sale != NULL ? goods->sale_position : 0, goods->spent_events);
}

static void answer_return(struct request *request)
{
    struct service *service = request->service;
    struct event *event = &service->decision.event;
    union message_any answer;
    struct msg_return_answer *out = &answer.return_answer;
    message_init(MESSAGE_return_answer, out);
    if (event->type == EVENT_RETURN) {
        out->taken = points_to_wire(service, event->goods_return.taken);
        out->given_back = points_to_wire(service, event->goods_return.given_back);
        out->shortfall = points_to_wire(service, event->goods_return.shortfall);
        out->amount = (uint64_t)event->goods_return.amount;
    } else {
        out->amount =
            (uint64_t)event->waiting.amount; /* as it was asked for: what it is worth is not known yet */
    }
    if (event->effect_count > 0) {
        struct balance balance = balance_after(service, 0);
        out->available = points_to_wire(service, balance.available);
        out->debt = points_to_wire(service, balance.debt);
    }
    if ((event->flags & EVENT_FLAG_SERVER_TIME) != 0)
        out->flags |= ANSWER_FLAG_SERVER_TIME;
    if (event->type == EVENT_RETURN_WAITING)
        out->flags |= ANSWER_FLAG_WAITS;
    book(request, event, &answer);
}

enum handled handle_return(struct request *request)
{
    struct service *service = request->service;
    const struct msg_return_request *message = &request->message->return_request;
    struct decision *decision = &service->decision;
    struct return_request goods = {
        .card = text_of_code(&message->card),
        .time = (utc_us)message->time,
        .document = document_of(request, DOCUMENT_RETURN, &message->store, &message->till,
                                message->business_date, message->time, &message->document),
        .operator= text_of_code(&message->operator),
        .amount = (minor_units)message->amount,
        .line_count = lines_that_return(service, message->lines, message->lines_count),
        .lines = service->return_lines,
    };
    uint8_t content[16] = { 0 };
    if (goods.document.number.size > 0) {
        return_content(service, message, content);
        enum document_check check = document_settle(request, &goods.document, content);
        if (check != DOCUMENT_NEW)
            return check == DOCUMENT_FETCH ? HANDLED_FETCH : HANDLED;
    }
    struct sale_name name = { .position = message->sale_position,
                              .store = &message->sale_store,
                              .till = &message->sale_till,
                              .here_store = &message->store,
                              .here_till = &message->till,
                              .receipt = &message->sale_receipt,
                              .date = message->sale_date };
    if (!find_goods(request, &name, &goods))
        return HANDLED_FETCH;
    struct judgement judgement = request_judgement(request);
    enum handled handled;
    do
        decide_return(&service->view, &judgement, &goods, decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    memcpy(decision->event.content, content, sizeof(content));
    answer_return(request);
    return HANDLED;
}

enum handled handle_return_preview(struct request *request)
{
    struct service *service = request->service;
    const struct msg_return_preview_request *message = &request->message->return_preview_request;
    static const struct wire_code no_number = { .size = 0 };
    struct return_request goods = {
        .card = text_of_code(&message->card),
        .time = (utc_us)message->time,
        .document = document_of(request, DOCUMENT_RETURN, &message->store, &message->till,
                                message->business_date, message->time, &no_number),
        .operator= text_of_code(&message->operator),
        .amount = (minor_units)message->amount,
        .line_count = lines_that_return(service, message->lines, message->lines_count),
        .lines = service->return_lines,
    };
    struct sale_name name = { .position = message->sale_position,
                              .store = &message->sale_store,
                              .till = &message->sale_till,
                              .here_store = &message->store,
                              .here_till = &message->till,
                              .receipt = &message->sale_receipt,
                              .date = message->sale_date };
    if (!find_goods(request, &name, &goods))
        return HANDLED_FETCH;
    struct judgement judgement = request_judgement(request);
    judgement.flags &= ~(uint32_t)EVENT_FLAG_ADVICE; /* it has not happened yet */
    decide_return(&service->view_of_reads, &judgement, &goods, &service->decision);
    if (service->decision.refusal != REFUSAL_NONE) {
        answer_decision(request);
        return HANDLED;
    }
    const struct goods_return *made = &service->decision.event.goods_return;
    struct balance balance = balance_after(service, 0);
    union message_any answer;
    struct msg_return_preview_answer *out = &answer.return_preview_answer;
    message_init(MESSAGE_return_preview_answer, out);
    out->taken = points_to_wire(service, made->taken);
    out->given_back = points_to_wire(service, made->given_back);
    out->shortfall = points_to_wire(service, made->shortfall);
    out->amount = (uint64_t)made->amount;
    out->available = points_to_wire(service, balance.available);
    out->debt = points_to_wire(service, balance.debt);
    answer_read(request, &answer, ledger_newest(service->ledger));
    return HANDLED;
}
