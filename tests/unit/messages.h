/*
 * Messages of every type for tests: random ones, and the comparison of two, both made from the tables.
 */
#pragma once

#include "proto/message.h"

#include "random.h"

/* Room for any message's struct; a test of the tables holds them to it. */
union any_message {
    max_align_t aligned;
    uint8_t bytes[1024];
};

/*
 * Fills out with values that may be sent: presets, limits and what lies between. Texts and lists are placed in
 * memory (32 KiB are enough), which they are valid as long as.
 */
void message_random(enum message message, struct random *random, struct message_memory *memory, void *out);

/* Whether two messages say the same. */
bool messages_equal(enum message message, const void *a, const void *b);
