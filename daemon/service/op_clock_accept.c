#include "service/internal.h"

enum handled handle_clock_accept(struct request *request)
{
    struct service *service = request->service;
    if (ledger_clock_confirmed(service->ledger)) {
        refuse(request, RESULT_CLOCK_FINE, "");
        return HANDLED;
    }
    struct event event = { .type = EVENT_CLOCK_ACCEPTED };
    ledger_take_clock(service->ledger, &event.clock.before, &event.clock.after);
    event.time = event.occurred = event.clock.after;
    union message_any answer;
    message_init(MESSAGE_clock_accept_answer, &answer.clock_accept_answer);
    answer.clock_accept_answer.before = (uint64_t)event.clock.before;
    answer.clock_accept_answer.after = (uint64_t)event.clock.after;
    book(request, &event, &answer);
    return HANDLED;
}
