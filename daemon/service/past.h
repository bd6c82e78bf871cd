/*
 * An account as it was at a moment. Only the files of card_show include this.
 */
#pragma once

#include "service/internal.h"

/* What card_show answers. */
struct shown {
    struct account *account; /* as its last event by then left it; what was due by then is done here */
    utc_us at;
    enum card_status status;
    bool waits; /* points wait in suspense beside it */
    bool with_lots;
};

/* Answers a card_show request when the event at wait_for is durable (0: at once). */
void card_shown(struct request *request, const struct shown *shown, journal_position wait_for);

/* Answers a card_show request with `at` in the past, later. */
void past_begin(struct request *request, const struct card *card);
