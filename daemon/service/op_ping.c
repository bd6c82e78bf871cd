#include "service/internal.h"

enum handled handle_ping(struct request *request)
{
    union message_any answer;
    message_init(MESSAGE_ping_answer, &answer.ping_answer);
    answer.ping_answer.time = (uint64_t)ledger_now(request->service->ledger);
    answer_read(request, &answer, 0);
    return HANDLED;
}
