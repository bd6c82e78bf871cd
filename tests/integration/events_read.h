/* All events of a punktd that does not run, in order, read from its journal by the ledger's own library. */
#pragma once

#include "points/event.h"
#include "world.h"

/* Checks the whole chain on the way; fails the running test if it is not sound. The event is borrowed for the call. */
void events_read(const struct world *world, void (*visit)(void *ctx, const struct event *event), void *ctx);
