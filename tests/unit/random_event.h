/*
 * Events as no till would make them: every field takes any value that the journal can hold.
 */
#pragma once

#include "ledger/event_codec.h"
#include "points/event.h"
#include "random.h"

/* Where an event at random keeps its texts and arrays. */
struct random_event_room {
    struct event_memory arrays;
    char letters[64];
};

/* How much of everything that an event can hold several of: a few, or as much as the format allows. */
enum random_event_size { RANDOM_EVENT_SMALL, RANDOM_EVENT_LARGEST };

/* Makes an event; it borrows from room. */
void random_event(struct random *random, enum event_type type, enum random_event_size size,
                  struct random_event_room *room, struct event *out);

/* Fails the test unless both say the same. */
void assert_same_event(const struct event *want, const struct event *have);
