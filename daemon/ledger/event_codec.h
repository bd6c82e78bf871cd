/*
 * Events as bytes in the journal. The first JOURNAL_EVENT_HEADER_SIZE bytes (size, CRC32C) are the
 * journal's; this is what follows. Text a person could be known by (card number, operator, note) is a
 * sealed field: which field, key number, bytes; key 0 means not encrypted.
 */
#pragma once

#include "base/base.h"
#include "points/event.h"

/* Where a decoded event keeps its arrays; one a thread, made at start. */
struct event_memory {
    struct lot_change lot_changes[EVENT_EFFECTS_MAX][EFFECT_LOT_CHANGES_MAX];
    struct account_change changes[EVENT_EFFECTS_MAX][EFFECT_CHANGES_MAX];
    struct sale_line sale_lines[LINES_MAX];
    struct returned_line returned_lines[LINES_MAX];
    struct tender tenders[TENDERS_MAX];
    struct text coupons[COUPONS_MAX];
    struct award_part parts[AWARD_PARTS_MAX];
    struct redemption redemptions[REDEMPTIONS_MAX];
    struct redemption_back backs[SPENT_BACK_MAX];
    struct waiting_line waiting_lines[LINES_MAX];
};

/* Writes the event into out; returns its size. Room for JOURNAL_EVENT_MAX is always enough (checked). */
size_t event_encode(const struct event *event, uint8_t *out, size_t capacity);

/* Texts point into bytes, arrays into memory. False: not an event of this format. */
PUNKT_MUST_CHECK bool event_decode(const uint8_t *bytes, size_t size, struct event_memory *memory,
                                   struct event *out);
