/*
 * Hello: protocol version, lane, and what the client keeps for when the server is away.
 */
#include <string.h>

#include "service/internal.h"
#include "service/proof.h"
#include "service/receipt_lines.h"

/* Greatest common divisor of numbers above zero. */
static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* So many points are so much money: with as many of both as make whole smallest units of points. */
static void tell_worth(const struct programme *programme, struct msg_hello_answer *out)
{
    int64_t step = programme_step(programme);
    int64_t common = common_divisor(programme->worth_points, step);
    out->redeem_points = (uint64_t)(programme->worth_points / common);
    out->redeem_worth = (uint64_t)(programme->worth_amount * (step / common));
}

/* What a till needs of the programme while the server is away (DOMAIN.md, Redeeming). */
static void tell_programme(const struct service *service, const struct programme *programme,
                           struct msg_hello_answer *out)
{
    out->currency = (struct message_text){ programme->currency, strlen(programme->currency) };
    out->currency_exponent = programme->currency_exponent;
    out->points_decimals = programme->decimals;
    out->zone = (struct message_text){ programme->calendar.zone, strlen(programme->calendar.zone) };
    out->programme_version = programme->version;
    out->card_check = programme->card_check;
    tell_worth(programme, out);
    out->redeem_minimum = (uint64_t)points_to_wire(service, programme->redeem_minimum);
    out->redeem_step = (uint64_t)points_to_wire(service, programme->redeem_step);
    out->offline_card = (uint64_t)points_to_wire(service, programme->offline_card);
    out->offline_till = (uint64_t)points_to_wire(service, programme->offline_till);
}

static struct receipt_wish wish_for_text(const struct msg_hello_request *hello)
{
    struct receipt_wish wish = { .width = (uint8_t)hello->receipt_width };
    if (wish.width > 0 && wish.width < RECEIPT_WIDTH_MIN)
        wish.width = RECEIPT_WIDTH_MIN;
    memcpy(wish.language, hello->receipt_language.bytes, hello->receipt_language.size);
    return wish;
}

/* Who it is, and what a till may name (RELIABILITY.md, Identity, roles). */
static void tell_identity(const struct service *service, const struct session *session,
                          struct msg_hello_answer *out)
{
    out->identity = session->identity;
    out->role = register_role(service, session->identity);
    out->key_ends = (uint64_t)session->key_ends;
    if (session->who == NULL)
        return;
    code_for_wire(session->who->identity.name, &out->name);
    code_for_wire(session->who->identity.store, &out->store);
    code_for_wire(session->who->identity.till, &out->till);
}

/* Nobody who may say hello: told so, and closed. */
static bool is_refused(struct request *request)
{
    struct service *service = request->service;
    struct session *session = request->session;
    const char *why = session_refused(service, session);
    if (why == NULL && session_enters(service, session))
        return false;
    if (why != NULL) {
        session_attempt(service, session, ATTEMPT_PROOF, why);
        refuse_now(request, RESULT_NOT_PERMITTED, why);
    } else {
        refuse_now(request, RESULT_RATE, "this identity has as many connections as it may");
    }
    session_close(service, session);
    return true;
}

enum handled handle_hello(struct request *request)
{
    struct service *service = request->service;
    struct session *session = request->session;
    const struct msg_hello_request *hello = &request->message->hello_request;
    if (hello->version_min > PROTOCOL_VERSION || hello->version_max < PROTOCOL_VERSION) {
        refuse_now(request, RESULT_VERSION, "this server speaks version 1");
        return HANDLED;
    }
    if (is_refused(request))
        return HANDLED;
    uint64_t identity = session->who != NULL ? session->who->identity.number : IDENTITY_LOCAL;
    struct lane *lane = NULL;
    if (hello->epoch != 0) {
        lane = lane_use(service, identity, hello->epoch);
        if (lane == NULL) {
            refuse_now(request, RESULT_BUSY, "out of memory");
            return HANDLED;
        }
    }
    if (session->lane != NULL)
        lane_leave(service, session->lane);
    session->lane = lane;
    session->claim = hello->first_unanswered > 0 ? hello->first_unanswered - 1 : 0;
    session->identity = identity;
    session->receipt = wish_for_text(hello);
    service->options.link.proven(service->options.link.ctx, session->conn);

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
    tell_programme(service, programme_in_force(service, ledger_now(service->ledger)), out);
    tell_identity(service, session, out);
    out->offline_text = receipt_text_offline(service, &session->receipt, &out->offline_text_count);
    answer_read(request, &answer, ledger_newest(service->ledger));
    return HANDLED;
}
