#include <string.h>

#include "lib/client.h"
#include "proto/message.h"

/* Pauses between repetitions of a refused request: random, up to the first, then up to twice as much. */
#define REFUSED_PAUSE_FIRST_US (UINT64_C(20) * 1000)
#define REFUSED_PAUSE_DOUBLINGS_MAX 7 /* 2.56 s */

struct slot *slot_take(struct session *session)
{
    struct slot *settled = NULL;
    if (session->order_count >= session->window)
        return NULL;
    for (unsigned i = 0; i < PUNKT_WINDOW_MAX; i++) {
        struct slot *slot = &session->slots[i];
        if (slot->state == SLOT_FREE)
            return slot;
        if (slot->state == SLOT_SETTLED && (settled == NULL || slot->number < settled->number))
            settled = slot;
    }
    return settled;
}

void slot_add(struct session *session, struct slot *slot)
{
    slot->state = SLOT_WAITING;
    slot->number = 0;
    slot->staged_us = 0;
    slot->retry_us = 0;
    slot->refusals = 0;
    slot->refusal_code = 0;
    slot->refusal_needed = 0;
    slot->refusal_available = 0;
    slot->lost = false;
    slot->in_doubt = false;
    slot->keeper = false;
    slot->entry = NULL;
    session->order[session->order_count++] = slot;
}

void slot_fill(struct slot *slot, const struct call *call, const struct build *build, struct buffer *encoded,
               uint64_t deadline_us, punkt_done_fn *on_done, void *ctx)
{
    struct buffer frame = slot->frame;
    slot->frame = *encoded;
    *encoded = frame;
    buffer_clear(encoded);
    slot->call = call;
    slot->operation = (uint16_t)build->operation;
    slot->change = operation_row(slot->operation)->kind == OPERATION_KIND_CHANGE;
    slot->flags = (uint16_t)build->head.flags;
    slot->deadline_us = deadline_us;
    slot->on_done = on_done;
    slot->ctx = ctx;
    (void)strcpy(slot->card, build->operation == OPERATION_CARD_SHOW ? build->note.card : "");
}

void slot_remove(struct session *session, struct slot *slot, enum slot_state next)
{
    unsigned index = 0;
    while (index < session->order_count && session->order[index] != slot)
        index++;
    if (index < session->order_count) {
        session->order_count--;
        memmove(&session->order[index], &session->order[index + 1],
                (session->order_count - index) * sizeof(session->order[0]));
    }
    slot->state = next;
    buffer_clear(&slot->frame);
}

struct slot *slot_in_flight(struct session *session, uint64_t number)
{
    for (unsigned i = 0; i < session->order_count; i++) {
        struct slot *slot = session->order[i];
        if (slot->state == SLOT_IN_FLIGHT && slot->number == number)
            return slot;
    }
    return NULL;
}

struct slot *slot_in_doubt(struct session *session, uint64_t number)
{
    for (unsigned i = 0; i < PUNKT_WINDOW_MAX; i++) {
        struct slot *slot = &session->slots[i];
        bool doubt = slot->state == SLOT_SETTLED || (slot->state != SLOT_FREE && slot->in_doubt);
        if (doubt && slot->number == number)
            return slot;
    }
    return NULL;
}

/* The first OPEN number of its lane in the outbox, if that is smaller. */
static uint64_t smaller_in_outbox(const struct session *session, uint64_t number)
{
    const struct outbox *outbox = session->punkt->outbox;
    const struct outbox_entry *at = outbox != NULL ? outbox_first(outbox) : NULL;
    for (; at != NULL; at = at->next) {
        if (at->epoch == session->epoch && at->state == OUTBOX_OPEN && at->number < number)
            number = at->number;
    }
    return number;
}

uint64_t lane_first_unanswered(const struct session *session)
{
    for (unsigned i = 0; i < session->order_count; i++) {
        if (session->order[i]->change && session->order[i]->number != 0)
            return smaller_in_outbox(session,
                                     session->order[i]->number); /* the order is that of the numbers */
    }
    return smaller_in_outbox(session, session->next_number);
}

/* Whether a change may go: not while the lane is held, and while it is careful, only as the first. */
static bool change_may_go(const struct session *session, uint64_t now_us, unsigned index)
{
    if (now_us < session->lane_retry_us)
        return false;
    if (!session->lane_careful)
        return true;
    for (unsigned i = 0; i < index; i++) {
        if (session->order[i]->change)
            return false;
    }
    return true;
}

/* With an outbox a change that is not in it has no number: it is told NOT_SENT, whatever became of the link meanwhile. */
static bool never_goes(const struct session *session, const struct slot *slot)
{
    return slot->change && slot->number == 0 && session->punkt->outbox != NULL;
}

struct slot *lane_next(const struct session *session, uint64_t now_us, unsigned *index)
{
    unsigned in_flight = 0;
    unsigned limit = session->window < session->punkt->info.in_flight_max
                         ? session->window
                         : session->punkt->info.in_flight_max;
    for (unsigned i = 0; i < session->order_count; i++)
        in_flight += session->order[i]->state == SLOT_IN_FLIGHT;
    if (in_flight >= limit)
        return NULL;
    for (; *index < session->order_count; (*index)++) {
        struct slot *slot = session->order[*index];
        if (slot->state != SLOT_WAITING || never_goes(session, slot))
            continue;
        if (slot->change ? change_may_go(session, now_us, *index) : now_us >= slot->retry_us)
            return slot;
    }
    return NULL;
}

uint64_t lane_wake_us(const struct session *session, uint64_t now_us)
{
    uint64_t wake_us = UINT64_MAX;
    for (unsigned i = 0; i < session->order_count; i++) {
        const struct slot *slot = session->order[i];
        uint64_t retry_us = slot->change ? session->lane_retry_us : slot->retry_us;
        if (slot->state == SLOT_WAITING && retry_us > now_us && retry_us < wake_us)
            wake_us = retry_us;
    }
    return wake_us;
}

static bool first_change(const struct session *session, const struct slot *slot)
{
    for (unsigned i = 0; i < session->order_count; i++) {
        if (session->order[i]->change)
            return session->order[i] == slot;
    }
    return false;
}

static uint64_t pause_us(struct session *session, unsigned refusals)
{
    unsigned doublings = refusals < REFUSED_PAUSE_DOUBLINGS_MAX ? refusals : REFUSED_PAUSE_DOUBLINGS_MAX;
    return link_jitter(&session->link.random, REFUSED_PAUSE_FIRST_US << doublings);
}

void lane_refused(struct session *session, struct slot *slot, uint64_t now_us)
{
    slot->state = SLOT_WAITING;
    if (!slot->change) {
        slot->retry_us = now_us + pause_us(session, slot->refusals++);
    } else {
        /* The others were refused, or will be, because of the first: it alone sets the pace. */
        session->lane_careful = true;
        if (first_change(session, slot))
            session->lane_retry_us = now_us + pause_us(session, session->lane_refusals++);
    }
}

void lane_moved(struct session *session)
{
    session->lane_retry_us = 0;
    session->lane_refusals = 0;
    session->lane_careful = false;
}

void lane_lost(struct session *session)
{
    session->lane_careful = false;
    session->lane_retry_us = 0;
    for (unsigned i = 0; i < session->order_count; i++) {
        struct slot *slot = session->order[i];
        if (slot->state == SLOT_IN_FLIGHT) {
            slot->state = SLOT_WAITING;
            slot->lost = true;
            slot->retry_us = 0;
        }
    }
}

enum punkt_call lane_give_up(struct session *session, struct slot *slot)
{
    bool refused = slot->state == SLOT_WAITING && !slot->lost && slot->refusal_code != 0;
    if (slot->number == 0)
        return PUNKT_CALL_NOT_SENT;
    if (!slot->change)
        return refused ? PUNKT_CALL_REFUSED : PUNKT_CALL_UNKNOWN;
    if (!refused || slot->number + 1 != session->next_number)
        return PUNKT_CALL_UNKNOWN;
    /* Each time it was sent the server said that nothing is booked, and no later number was used: it is free. */
    session->next_number--;
    if (first_change(session, slot))
        lane_moved(session);
    return PUNKT_CALL_REFUSED;
}
