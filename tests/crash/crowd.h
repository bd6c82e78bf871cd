/*
 * A crowd of tills: several lanes that keep punktd busy through a connection each, and remember what it
 * answered. What a number of a lane asks for follows from the seed and from earlier answers
 * (crowd_script.h), so that a repeat is the same bytes. The crowd is its own oracle: what was answered is
 * booked once and its repeat is answered by the same bytes; what was not answered is booked once or not at
 * all.
 *
 *      crowd_issue -> crowd_connect -> crowd_run ... (punktd dies) -> crowd_hang_up
 *                  -> (punktd starts) -> crowd_connect -> crowd_settle
 *
 * Fails the running cmocka test when the oracle disagrees, and after WORLD_PATIENCE_MS. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "world.h"

#define CROWD_LANES 6u

struct crowd;

/* Nothing is connected yet. */
struct crowd *crowd_new(uint64_t seed);
/* Hangs up. NULL is fine. */
void crowd_free(struct crowd *crowd);

/* Issues the crowd's cards, once, in a ledger that holds no other. */
void crowd_issue(const struct crowd *crowd, const char *address);

/* Says hello for every lane, and checks what the server says was booked. False: it went away meanwhile. */
bool crowd_connect(struct crowd *crowd, const char *address);

/* Keeps all lanes full until `answers` more have come. False: the server went away before. */
bool crowd_run(struct crowd *crowd, uint64_t answers);

/* Takes the answers that were on their way when the server went away, and closes. */
void crowd_hang_up(struct crowd *crowd);

/*
 * Sends again whatever has no answer, and a few that have one, takes all answers, and compares cards and
 * totals with what was answered. Connected before and after.
 */
void crowd_settle(struct crowd *crowd, const char *address);

/* Called after every first answer to a number. */
typedef void crowd_answer_fn(void *ctx, unsigned lane, uint64_t number);
void crowd_on_answer(struct crowd *crowd, crowd_answer_fn *on_answer, void *ctx);

/*
 * Compares a server that woke up in the past, to which the crowd is not connected: of each lane it must
 * know at least the first at_least[lane] numbers, which it answers as it did, and cards and totals are what
 * these numbers make them. The crowd forgets nothing.
 */
void crowd_check_past(struct crowd *crowd, const char *address, const uint64_t at_least[CROWD_LANES]);
