/*
 * Why points moved: what the detail of an event says, which must be what its effects changed. The only place that knows
 * which type of event moves points for which reason.
 */
#pragma once

#include "base/base.h"
#include "points/event.h"

struct movements {
    /* By effect; an event without effects (cards issued with a welcome) moves at [0]. */
    millipoints moved[EVENT_EFFECTS_MAX][MOVEMENT_COUNT];
};

/* False: detail and effects contradict each other, or are out of all bounds. */
PUNKT_MUST_CHECK bool movements_of(const struct event *event, struct movements *out);
