/*
 * The steps that several decisions share. Private to points. Those that can refuse answer false, and
 * have filled the refusal.
 */
#pragma once

#include "base/base.h"
#include "base/text.h"
#include "base/units.h"
#include "points/decide.h"

/* Refuses, and says what exactly. An empty format: the refusal says it all. */
PUNKT_PRINTF(3, 4)
void decide_refuse(struct decision *decision, enum refusal refusal, const char *format, ...);

/* Refuses for want of points. */
void decide_refuse_points(struct decision *decision, millipoints needed, millipoints available);

/* Begins: empties the decision; the event happened at `time` (0: now), as judged. */
void decide_begin(struct decision *decision, enum event_type type, const struct judgement *judgement,
                  utc_us time);

/* What rules are in force at a time, and the day that it is now by those in force now. */
const struct programme *programme_at(const struct points_view *view, utc_us time);
local_day decide_today(const struct points_view *view, const struct judgement *judgement);

/* Takes over where it happened; fills the business date; without a number it is no key. */
void decide_document(struct decision *decision, const struct programme *programme, enum document_kind kind,
                     const struct document *document, struct text operator);

/* What a card of a status that is not active may do. */
enum card_use {
    CARD_USE_RETURN, /* any status */
    CARD_USE_EARN,   /* blocked ones may */
    CARD_USE_OFFICE, /* blocked ones may */
    CARD_USE_SPEND,
};

/* Looks up the card and its account, into event.card and decision->account. */
bool decide_card(const struct points_view *view, struct decision *decision, struct text number,
                 enum card_use use);

/* Copies lines to where their bases are filled. */
void decide_copy_lines(struct decision *decision, uint32_t line_count, const struct sale_line *lines);
