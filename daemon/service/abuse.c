/*
 * What one till may do in a while: how fast it is read, how many unknown cards it may try, how many refusals of an identity
 * are remembered (RELIABILITY.md, Limits). In memory: a restart forgets it.
 */
#include <stdio.h>

#include "base/log.h"
#include "service/internal.h"

#define RATE_DEFAULT 50
#define BURST_DEFAULT 500
#define UNKNOWN_CARDS_DEFAULT 10
#define UNKNOWN_LOCK_S_DEFAULT 900
#define REFUSALS_DAY_DEFAULT 1000

#define MINUTE_US (60 * US_PER_SECOND)
#define PAUSE_MAX_US US_PER_SECOND /* so long a connection is not read at most, before it may try again */

static int64_t limit_or(uint32_t limit, int64_t preset)
{
    return limit != 0 ? limit : preset;
}

/* NULL: it is no till of the register. */
static struct registered *till_of(const struct service *service, uint64_t identity)
{
    struct registered *who = register_by_number(service, identity);
    return who != NULL && who->identity.role == ROLE_TILL ? who : NULL;
}

/* --- how fast --- */

/*
 * A bucket of requests: what is left of it is the time until it is full again, which each request moves away by its share.
 * All connections of the till draw from it.
 */
void abuse_frame(struct service *service, struct session *session)
{
    const struct service_limits *limits = &service->options.limits;
    struct registered *who = session->who;
    if (who == NULL || session->identity == 0 || who->identity.role != ROLE_TILL)
        return;
    int64_t now = ledger_now(service->ledger);
    int64_t share = US_PER_SECOND / limit_or(limits->till_rate, RATE_DEFAULT);
    int64_t full = i64_max(who->abuse.bucket_full_us, now) + share;
    int64_t over = full - now - share * limit_or(limits->till_burst, BURST_DEFAULT);
    if (full - now > share * limit_or(limits->till_burst, BURST_DEFAULT) + PAUSE_MAX_US)
        full -= share; /* what was read already is not paid for twice */
    who->abuse.bucket_full_us = full;
    if (over > 0)
        service->options.link.slow_down(service->options.link.ctx, session->conn,
                                        (uint32_t)(i64_min(over, PAUSE_MAX_US) / 1000 + 1));
}

/* --- unknown cards --- */

static bool is_locked(const struct service *service, const struct registered *who)
{
    return ledger_now(service->ledger) < who->abuse.locked_until_us;
}

/* There may be no room for it: then it is due, and comes with the till's next request. */
static void book_alarm(struct service *service, struct registered *who)
{
    char detail[80];
    if (!who->abuse.alarm_due || !ledger_has_room(service->ledger))
        return;
    (void)snprintf(detail, sizeof(detail), "%u unknown cards within a minute", who->abuse.unknown);
    struct event event = { .type = EVENT_ALARM,
                           .time = ledger_now(service->ledger),
                           .day = today(service),
                           .raises = FLAG_UNKNOWN_CARDS,
                           .store = who->identity.store,
                           .till = who->identity.till,
                           .alarm = { .identity = who->identity.number, .detail = text_of(detail) } };
    event.occurred = event.time;
    append_own(service, &event);
    who->abuse.alarm_due = false;
}

void abuse_unknown_card(struct request *request)
{
    struct service *service = request->service;
    const struct service_limits *limits = &service->options.limits;
    struct registered *who = till_of(service, request->identity);
    if (who == NULL || is_locked(service, who))
        return;
    int64_t now = ledger_now(service->ledger);
    if (now - who->abuse.unknown_from_us >= MINUTE_US || now < who->abuse.unknown_from_us) {
        who->abuse.unknown_from_us = now;
        who->abuse.unknown = 0;
    }
    if (++who->abuse.unknown < limit_or(limits->unknown_cards, UNKNOWN_CARDS_DEFAULT))
        return;
    int64_t lock_s = limit_or(limits->unknown_lock_s, UNKNOWN_LOCK_S_DEFAULT);
    who->abuse.locked_until_us = now + lock_s * US_PER_SECOND;
    who->abuse.unknown_from_us = who->abuse.locked_until_us; /* after the lock it begins anew */
    who->abuse.alarm_due = true;
    log_warning("%s: %u unknown cards within a minute: no card is looked up for it for %lld s",
                actor_name(service, request->identity).text, who->abuse.unknown, (long long)lock_s);
    book_alarm(service, who);
}

static bool names_a_card(const struct request *request)
{
    const struct message_table *table = &message_tables[request->row->request];
    for (size_t i = 0; i < table->field_count; i++) {
        const struct wire_code *code =
            (const void *)((const uint8_t *)request->message + table->fields[i].offset);
        if (table->fields[i].kind == FIELD_CARD && code->size > 0)
            return true;
    }
    return false;
}

bool abuse_is_locked(const struct request *request)
{
    const struct registered *who = till_of(request->service, request->identity);
    return who != NULL && is_locked(request->service, who);
}

/* What may have happened at the till already. The flag alone says nothing: it may stand in any frame. */
static bool has_happened(const struct request *request)
{
    uint16_t code = request->row->code;
    return (request->flags & FRAME_FLAG_ADVICE) != 0 &&
           (code == OPERATION_PURCHASE || code == OPERATION_RETURN || code == OPERATION_REDEEM ||
            code == OPERATION_CAPTURE);
}

bool abuse_may_look_up(const struct request *request)
{
    if (!abuse_is_locked(request))
        return true;
    book_alarm(request->service, till_of(request->service, request->identity));
    /* A reversal finds what its own till sent; the card in it is a second look. */
    return has_happened(request) || request->row->code == OPERATION_REVERSAL || !names_a_card(request);
}

bool abuse_hides_refusal(const struct request *request)
{
    return abuse_is_locked(request) && has_happened(request);
}

/* What was not there is not said: as if all of it had been taken. */
static void hide_shortfall(int64_t *inout_taken, int64_t *inout_shortfall)
{
    *inout_taken += *inout_shortfall;
    *inout_shortfall = 0;
}

static void hide_purchase(struct service *service, struct msg_purchase_answer *out)
{
    out->redeemed = 0;
    for (uint64_t i = 0; i < out->spent_count; i++) {
        struct msg_spent *spent = &service->spent[i];
        hide_shortfall(&spent->points, &spent->shortfall);
        spent->stamps = 0;
        out->redeemed += spent->points;
    }
    out->available = out->pending = out->debt = 0;
    out->flags &= ~(uint64_t)(ANSWER_FLAG_SUSPENSE | ANSWER_FLAG_SHORTFALL);
    out->tier.size = 0;
}

void abuse_hide(struct request *request, union message_any *answer)
{
    enum message message = request->row->answer;
    if (!abuse_is_locked(request))
        return;
    if (message == MESSAGE_purchase_answer) {
        hide_purchase(request->service, &answer->purchase_answer);
    } else if (message == MESSAGE_redeem_answer) {
        hide_shortfall(&answer->redeem_answer.redeemed, &answer->redeem_answer.shortfall);
        answer->redeem_answer.available = answer->redeem_answer.stamps = 0;
    } else if (message == MESSAGE_capture_answer) {
        hide_shortfall(&answer->capture_answer.redeemed, &answer->capture_answer.shortfall);
        answer->capture_answer.available = answer->capture_answer.stamps = 0;
    } else if (message == MESSAGE_return_answer) {
        hide_shortfall(&answer->return_answer.taken, &answer->return_answer.shortfall);
        answer->return_answer.available = answer->return_answer.debt = 0;
    } else if (message == MESSAGE_reversal_answer) {
        answer->reversal_answer.available = answer->reversal_answer.debt = 0;
    }
}

/* --- refusals --- */

bool abuse_may_refuse(struct request *request)
{
    struct service *service = request->service;
    struct registered *who = register_by_number(service, request->identity);
    if (who == NULL)
        return true;
    local_day day = today(service);
    if (who->abuse.refusals_day != day) {
        who->abuse.refusals_day = day;
        who->abuse.refusals = 0;
    }
    if (who->abuse.refusals < limit_or(service->options.limits.refusals_day, REFUSALS_DAY_DEFAULT)) {
        who->abuse.refusals++;
        return true;
    }
    struct actor_name name = actor_name(service, request->identity);
    attempt_count(service, ATTEMPT_RATE, text_of(name.text), request->identity,
                  "more refusals on a day than are remembered");
    return false;
}
