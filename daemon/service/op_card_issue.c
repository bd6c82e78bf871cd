#include <string.h>

#include "proto/card.h"
#include "service/internal.h"

static bool number_after(const void *ctx, uint64_t step, uint32_t check, char out[32], size_t *out_size)
{
    const struct wire_code *first = ctx;
    struct wire_code number = *first;
    if (step > 0 && !card_number_after(first, step, (enum card_check)check, &number))
        return false;
    memcpy(out, number.bytes, number.size);
    *out_size = number.size;
    return true;
}

/* Every number of the range, as the event carries them, in service->lists: the request's lists are not needed. */
static struct text all_numbers(struct service *service, const struct wire_code *first, uint64_t count,
                               enum card_check check)
{
    struct wire_writer writer = wire_writer_over(service->lists, service->lists_size);
    for (uint64_t step = 0; step < count; step++) {
        struct wire_code number = *first;
        PUNKT_CHECK(step == 0 || card_number_after(first, step, check, &number)); /* decided so */
        wire_write_code(&writer, &number);
    }
    PUNKT_CHECK(!writer.failed);
    return (struct text){ (const char *)service->lists, wire_written(&writer) };
}

enum handled handle_card_issue(struct request *request)
{
    struct service *service = request->service;
    const struct msg_card_issue_request *message = &request->message->card_issue_request;
    struct decision *decision = &service->decision;
    const struct programme *programme = programme_in_force(service, ledger_now(service->ledger));
    enum card_check check = (enum card_check)programme->card_check;
    struct issue_request issue = { .card = text_of_code(&message->card),
                                   .count = (uint32_t)message->count,
                                   .number_after = number_after,
                                   .ctx = &message->card,
                                   .check_valid = card_check_valid(&message->card, check) };
    if (message->count == 0) {
        refuse(request, RESULT_INVALID_CARD_NUMBER, "a range of no cards");
        return HANDLED;
    }
    struct judgement judgement = request_judgement(request);
    enum handled handled;
    do
        decide_issue(&service->view, &judgement, &issue, decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    struct event *event = &decision->event;
    event->cards_issued.numbers = all_numbers(service, &message->card, message->count, check);
    union message_any answer;
    message_init(MESSAGE_card_issue_answer, &answer.card_issue_answer);
    answer.card_issue_answer.account =
        event->cards_issued.joins ? event->effects[0].account : event->cards_issued.first_account;
    answer.card_issue_answer.status = CARD_ACTIVE;
    answer.card_issue_answer.count = message->count;
    book(request, event, &answer);
    return HANDLED;
}
