/*
 * The end of a till's day (LEDGER.md, End of day; PROTOCOL.md): its own figures held against the server's.
 *
 *      DRAIN -- all sent, or time is nearly up --> CLOSE -- in balance, or open --> told
 *        ^                                           | not in balance
 *        |                                           v
 *        '--- what the server lacks was sent --- COMPARE, lane by lane -- nothing can be sent --> told
 *
 * For the files of this folder only.
 */
#pragma once

#include <punkt.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/outbox.h"

/* The figures of a business date, as the outbox has them. */
void day_figures(const struct punkt *punkt, int32_t business_date, struct punkt_day_figures *out);

/* Whether the server counts it for the till's day: it names its store and till, and was booked. */
bool day_counts(const struct outbox_entry *entry);

/* In each round of a handle that closes a day. */
void day_step(struct punkt *punkt, uint64_t now_us);

/* When day_step has something to do though nothing comes; UINT64_MAX: never. */
uint64_t day_due_us(const struct punkt *punkt, uint64_t now_us);

/* Whether somebody waits for a close. */
bool day_is_closing(const struct punkt *punkt);

/* Forgets a close that is under way. */
void day_forget(struct punkt *punkt);
