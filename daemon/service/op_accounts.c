/*
 * What is done to accounts: merge, transfer, tags, activation of offers.
 */
#include "service/internal.h"

enum handled handle_account_merge(struct request *request)
{
    struct service *service = request->service;
    const struct msg_account_merge_request *message = &request->message->account_merge_request;
    struct judgement judgement = request_judgement(request);
    struct merge_request wanted = { .from_card = text_of_code(&message->from_card),
                                    .to_card = text_of_code(&message->to_card),
                                    .reason = text_of_code(&message->reason),
                                    .operator= text_of_code(&message->operator) };
    enum handled handled;
    do
        decide_merge(&service->view, &judgement, &wanted, &service->decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    struct event *event = &service->decision.event;
    struct balance balance;
    /* Merged before: nothing changed, and side 0 was only looked at. */
    const struct account *stays =
        event->effect_count > 0 ? &service->decision.sides[0].after : &service->decision.sides[0].before;
    points_balance(stays, today(service), &balance);
    union message_any answer;
    struct msg_account_merge_answer *out = &answer.account_merge_answer;
    message_init(MESSAGE_account_merge_answer, out);
    out->account = event->merge.target;
    out->available = points_to_wire(service, balance.available);
    out->pending = points_to_wire(service, balance.pending);
    out->debt = points_to_wire(service, balance.debt);
    book(request, event, &answer);
    return HANDLED;
}

enum handled handle_account_transfer(struct request *request)
{
    struct service *service = request->service;
    const struct msg_account_transfer_request *message = &request->message->account_transfer_request;
    struct judgement judgement = request_judgement(request);
    struct transfer_request wanted = { .from_card = text_of_code(&message->from_card),
                                       .to_card = text_of_code(&message->to_card),
                                       .reason = text_of_code(&message->reason),
                                       .note = text_of_message(message->note),
                                       .operator= text_of_code(&message->operator) };
    if (!points_wanted(request, message->points, &wanted.points))
        return HANDLED;
    enum handled handled;
    do
        decide_transfer(&service->view, &judgement, &wanted, &service->decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    union message_any answer;
    struct msg_account_transfer_answer *out = &answer.account_transfer_answer;
    message_init(MESSAGE_account_transfer_answer, out);
    out->points = points_to_wire(service, wanted.points);
    out->available = points_to_wire(service, balance_after(service, 0).available);
    out->to_available = points_to_wire(service, balance_after(service, 1).available);
    book(request, &service->decision.event, &answer);
    return HANDLED;
}

static uint32_t tags_for_points(const struct msg_tag *tags, uint64_t count, struct text out[ACCOUNT_TAGS_MAX])
{
    for (uint64_t i = 0; i < count; i++)
        out[i] = text_of_code(&tags[i].tag);
    return (uint32_t)count;
}

enum handled handle_account_tag(struct request *request)
{
    struct service *service = request->service;
    const struct msg_account_tag_request *message = &request->message->account_tag_request;
    struct judgement judgement = request_judgement(request);
    struct text set[ACCOUNT_TAGS_MAX];
    struct text clear[ACCOUNT_TAGS_MAX];
    struct tag_request wanted = { .card = text_of_code(&message->card),
                                  .set_count = tags_for_points(message->set, message->set_count, set),
                                  .clear_count = tags_for_points(message->clear, message->clear_count, clear),
                                  .set = set,
                                  .clear = clear,
                                  .operator= text_of_code(&message->operator) };
    enum handled handled;
    do
        decide_tag(&service->view, &judgement, &wanted, &service->decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    const struct account *after = &service->decision.sides[0].after;
    struct msg_tag tags[ACCOUNT_TAGS_MAX];
    for (uint32_t i = 0; i < after->tag_count; i++)
        code_for_wire((struct text){ after->tags[i].text, after->tags[i].size }, &tags[i].tag);
    union message_any answer;
    message_init(MESSAGE_account_tag_answer, &answer.account_tag_answer);
    answer.account_tag_answer.tags = tags;
    answer.account_tag_answer.tags_count = after->tag_count;
    book(request, &service->decision.event, &answer);
    return HANDLED;
}

enum handled handle_offer_activate(struct request *request)
{
    struct service *service = request->service;
    const struct msg_offer_activate_request *message = &request->message->offer_activate_request;
    struct judgement judgement = request_judgement(request);
    struct activate_request wanted = { .card = text_of_code(&message->card),
                                       .offer = text_of_code(&message->offer),
                                       .off = message->off != 0,
                                       .operator= text_of_code(&message->operator) };
    enum handled handled;
    do
        decide_activate(&service->view, &judgement, &wanted, &service->decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    union message_any answer;
    message_init(MESSAGE_offer_activate_answer, &answer.offer_activate_answer);
    answer.offer_activate_answer.active = !wanted.off;
    book(request, &service->decision.event, &answer);
    return HANDLED;
}
