/*
 * What is known of the server, kept while it is away, and with an outbox over a restart of the till. For the files of this
 * folder only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "proto/message.h"

struct punkt;

/* HELLO was answered; body is its message as it came. */
void known_learn(struct punkt *punkt, const void *body, size_t size, const struct msg_hello_answer *hello);

/* All lanes were held against the server's term, and what it had lost is booked again: need not be done by the next handle. */
void known_checked(struct punkt *punkt);

/* What the outbox has kept of an earlier handle's server, if anything. */
void known_recall(struct punkt *punkt);

/* The wall clock, microseconds since 1970, corrected by what the server's clock said. */
int64_t wall_now_us(const struct punkt *punkt);

/* This machine's local day at that moment, days since 1970. */
int32_t local_day_of(int64_t time_us);
