/*
 * A till for tests of single moments: a lane of its own, one change at a time. Fails the running cmocka
 * test when the server goes away where it must not.
 */
#pragma once

#include "talk.h"

#define TILL_CARD "2900000000018"

struct till {
    struct talk *talk;
    uint64_t epoch;
    uint64_t number; /* the next */
};

/* Says hello for a lane whose first number without an answer is this one. */
struct till till_open(const struct world *world, uint64_t epoch, uint64_t number);
/* The same lane on another connection, once punktd runs again. */
void till_again(struct till *till, const struct world *world);
void till_close(struct till *till);

/*
 * Sends a change and takes its answer; RESULT_DONE, or why it was refused. Only a final answer moves the
 * lane on. pin: the secret part, or NULL; out: the decoded answer, or NULL.
 */
enum result till_send(struct till *till, enum operation operation, uint16_t flags, const void *body,
                      void *out);
enum result till_send_with_pin(struct till *till, enum operation operation, const void *body,
                               const char *pin);

/* Sends it, and punktd dies instead of answering. */
void till_send_in_vain(struct till *till, enum operation operation, const void *body, const char *pin);

/* On TILL_CARD: the card with so many points in a new ledger, a purchase that earns so many, and what
 * holds go through. */
struct till till_with_points(const struct world *world, uint64_t points);
struct msg_purchase_request till_purchase(uint64_t points, const char *receipt);
uint64_t till_hold(struct till *till, uint64_t points, uint64_t seconds);
enum result till_capture(struct till *till, uint64_t hold);
enum result till_release(struct till *till, uint64_t hold);
/* Undoes a number of another lane, or of this one. out may be NULL. */
enum result till_reverse(struct till *till, uint64_t epoch, uint64_t number, struct msg_reversal_answer *out);
