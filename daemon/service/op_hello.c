/*
 * Hello: protocol version, lane, and what the client keeps for when the server is away.
 */
#include <string.h>

#include "service/internal.h"

enum handled handle_hello(struct request *request)
{
    struct service *service = request->service;
    struct session *session = request->session;
    const struct msg_hello_request *hello = &request->message->hello_request;
    if (hello->version_min > PROTOCOL_VERSION || hello->version_max < PROTOCOL_VERSION) {
        refuse_now(request, RESULT_VERSION, "this server speaks version 1");
        return HANDLED;
    }
    struct lane *lane = NULL;
    if (hello->epoch != 0) {
        lane = lane_use(service, IDENTITY_LOCAL, hello->epoch);
        if (lane == NULL) {
            refuse_now(request, RESULT_BUSY, "out of memory");
            return HANDLED;
        }
    }
    if (session->lane != NULL)
        lane_leave(service, session->lane);
    session->lane = lane;
    session->claim = hello->first_unanswered > 0 ? hello->first_unanswered - 1 : 0;
    session->identity = IDENTITY_LOCAL;
    service->options.link.proven(service->options.link.ctx, session->conn);

    const struct programme *programme = programme_in_force(service, ledger_now(service->ledger));
    union message_any answer;
    struct msg_hello_answer *out = &answer.hello_answer;
    message_init(MESSAGE_hello_answer, out);
    out->version = PROTOCOL_VERSION;
    out->time = (uint64_t)ledger_now(service->ledger);
    memcpy(out->journal_id, ledger_id(service->ledger), sizeof(out->journal_id));
    out->term = ledger_term(service->ledger);
    out->last_booked = lane != NULL ? lane->highest : 0;
    out->frame_max = FRAME_HEADER_SIZE + FRAME_BODY_MAX;
    out->in_flight_max = service->options.limits.in_flight_max;
    out->currency = (struct message_text){ programme->currency, strlen(programme->currency) };
    out->currency_exponent = programme->currency_exponent;
    out->points_decimals = programme->decimals;
    out->zone = (struct message_text){ programme->calendar.zone, strlen(programme->calendar.zone) };
    out->programme_version = programme->version;
    answer_read(request, &answer, ledger_newest(service->ledger));
    return HANDLED;
}
