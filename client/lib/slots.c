#include <string.h>

#include "lib/client.h"
#include "proto/message.h"

/* Pauses between repetitions of a refused request: random, up to the first, then up to twice as much. */
#define REFUSED_PAUSE_FIRST_US (UINT64_C(20) * 1000)
#define REFUSED_PAUSE_DOUBLINGS_MAX 7 /* 2.56 s */

struct slot *slot_take(struct punkt *punkt)
{
    struct slot *settled = NULL;
    if (punkt->order_count >= punkt->window)
        return NULL;
    for (unsigned i = 0; i < PUNKT_WINDOW_MAX; i++) {
        struct slot *slot = &punkt->slots[i];
        if (slot->state == SLOT_FREE)
            return slot;
        if (slot->state == SLOT_SETTLED && (settled == NULL || slot->number < settled->number))
            settled = slot;
    }
    return settled;
}

void slot_add(struct punkt *punkt, struct slot *slot)
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
    punkt->order[punkt->order_count++] = slot;
}

void slot_remove(struct punkt *punkt, struct slot *slot, enum slot_state next)
{
    unsigned index = 0;
    while (index < punkt->order_count && punkt->order[index] != slot)
        index++;
    if (index < punkt->order_count) {
        punkt->order_count--;
        memmove(&punkt->order[index], &punkt->order[index + 1],
                (punkt->order_count - index) * sizeof(punkt->order[0]));
    }
    slot->state = next;
    buffer_clear(&slot->frame);
}

struct slot *slot_in_flight(struct punkt *punkt, uint64_t number)
{
    for (unsigned i = 0; i < punkt->order_count; i++) {
        struct slot *slot = punkt->order[i];
        if (slot->state == SLOT_IN_FLIGHT && slot->number == number)
            return slot;
    }
    return NULL;
}

struct slot *slot_in_doubt(struct punkt *punkt, uint64_t number)
{
    for (unsigned i = 0; i < PUNKT_WINDOW_MAX; i++) {
        struct slot *slot = &punkt->slots[i];
        bool doubt = slot->state == SLOT_SETTLED || (slot->state != SLOT_FREE && slot->in_doubt);
        if (doubt && slot->number == number)
            return slot;
    }
    return NULL;
}

uint64_t lane_first_unanswered(const struct punkt *punkt)
{
    for (unsigned i = 0; i < punkt->order_count; i++) {
        if (punkt->order[i]->change && punkt->order[i]->number != 0)
            return punkt->order[i]->number; /* the order is that of the numbers */
    }
    return punkt->next_number;
}

/* Whether a change may go: not while the lane is held, and while it is careful, only as the first. */
static bool change_may_go(const struct punkt *punkt, uint64_t now_us, unsigned index)
{
    if (now_us < punkt->lane_retry_us)
        return false;
    if (!punkt->lane_careful)
        return true;
    for (unsigned i = 0; i < index; i++) {
        if (punkt->order[i]->change)
            return false;
    }
    return true;
}

struct slot *lane_next(const struct punkt *punkt, uint64_t now_us, unsigned *index)
{
    unsigned in_flight = 0;
    unsigned limit = punkt->window < punkt->info.in_flight_max ? punkt->window : punkt->info.in_flight_max;
    for (unsigned i = 0; i < punkt->order_count; i++)
        in_flight += punkt->order[i]->state == SLOT_IN_FLIGHT;
    if (in_flight >= limit)
        return NULL;
    for (; *index < punkt->order_count; (*index)++) {
        struct slot *slot = punkt->order[*index];
        if (slot->state != SLOT_WAITING)
            continue;
        if (slot->change ? change_may_go(punkt, now_us, *index) : now_us >= slot->retry_us)
            return slot;
    }
    return NULL;
}

uint64_t lane_wake_us(const struct punkt *punkt, uint64_t now_us)
{
    uint64_t wake_us = UINT64_MAX;
    for (unsigned i = 0; i < punkt->order_count; i++) {
        const struct slot *slot = punkt->order[i];
        uint64_t retry_us = slot->change ? punkt->lane_retry_us : slot->retry_us;
        if (slot->state == SLOT_WAITING && retry_us > now_us && retry_us < wake_us)
            wake_us = retry_us;
    }
    return wake_us;
}

static bool first_change(const struct punkt *punkt, const struct slot *slot)
{
    for (unsigned i = 0; i < punkt->order_count; i++) {
        if (punkt->order[i]->change)
            return punkt->order[i] == slot;
    }
    return false;
}

static uint64_t pause_us(struct punkt *punkt, unsigned refusals)
{
    unsigned doublings = refusals < REFUSED_PAUSE_DOUBLINGS_MAX ? refusals : REFUSED_PAUSE_DOUBLINGS_MAX;
    return link_jitter(&punkt->link.random, REFUSED_PAUSE_FIRST_US << doublings);
}

void lane_refused(struct punkt *punkt, struct slot *slot, uint64_t now_us)
{
    slot->state = SLOT_WAITING;
    if (!slot->change) {
        slot->retry_us = now_us + pause_us(punkt, slot->refusals++);
    } else if (first_change(punkt, slot)) {
        /* The others were refused, or will be, because of this one: it alone sets the pace. */
        punkt->lane_retry_us = now_us + pause_us(punkt, punkt->lane_refusals++);
        punkt->lane_careful = true;
    }
}

void lane_moved(struct punkt *punkt)
{
    punkt->lane_retry_us = 0;
    punkt->lane_refusals = 0;
    punkt->lane_careful = false;
}

void lane_lost(struct punkt *punkt)
{
    punkt->lane_careful = false;
    punkt->lane_retry_us = 0;
    for (unsigned i = 0; i < punkt->order_count; i++) {
        struct slot *slot = punkt->order[i];
        if (slot->state == SLOT_IN_FLIGHT) {
            slot->state = SLOT_WAITING;
            slot->lost = true;
            slot->retry_us = 0;
        }
    }
}

enum punkt_call lane_give_up(struct punkt *punkt, struct slot *slot)
{
    bool refused = slot->state == SLOT_WAITING && !slot->lost && slot->refusal_code != 0;
    if (slot->number == 0)
        return PUNKT_CALL_NOT_SENT;
    if (!slot->change)
        return refused ? PUNKT_CALL_REFUSED : PUNKT_CALL_UNKNOWN;
    if (!refused || slot->number + 1 != punkt->next_number)
        return PUNKT_CALL_UNKNOWN;
    /* Each time it was sent the server said that nothing is booked, and no later number was used: it is free. */
    punkt->next_number--;
    if (first_change(punkt, slot))
        lane_moved(punkt);
    return PUNKT_CALL_REFUSED;
}
