/*
 * Where the oracle is asked: a daemon with a clock of its own, the oracle beside it, and a client. Everything here fails
 * the running test when they do not say the same.
 */
#pragma once

#include "oracle.h"
#include "talk.h"
#include "world.h"

struct oracle_stage {
    struct world *world;
    struct talk *talk;
    struct oracle *oracle;
    struct random *random;
    uint64_t epoch, number; /* of the next change */
    int64_t ahead_us;
    size_t event_count;
    struct oracle_event *events; /* what was booked, in order */
    uint64_t refused;
    const struct oracle_purchase *sale; /* that a return was about last */
    unsigned looks_at;                  /* the card that was compared last */
    char shown[3][2048];                /* the last changes as text, for a failure */
};

/* A new ledger with a programme that is made up. random is borrowed. */
struct oracle_stage *oracle_stage_new(struct random *random);
void oracle_stage_free(struct oracle_stage *stage);

/* Below a bound; once in so many times. */
uint64_t oracle_below(struct oracle_stage *stage, uint64_t bound);
bool oracle_once_in(struct oracle_stage *stage, uint64_t times);

/* Sends a change and returns its answer (talk.h), under the next number. */
struct talk_answer oracle_send(struct oracle_stage *stage, enum operation operation, const void *body);
/* Compares why it was refused, if it was. True: it was done, as it should. */
bool oracle_agree(struct oracle_stage *stage, const struct talk_answer *answer,
                  const struct oracle_answer *expected);
/* One figure of an answer; points are in thousandths in the oracle. */
void oracle_same(struct oracle_stage *stage, const char *what, int64_t expected, int64_t got);
void oracle_same_points(struct oracle_stage *stage, const char *what, int64_t expected, int64_t got);
int64_t oracle_to_wire(const struct oracle_stage *stage, int64_t points);

/* Notes what was booked. */
void oracle_note(struct oracle_stage *stage, enum oracle_kind kind, size_t index, uint64_t position);
/* One of the events of a kind, not the oldest ones only; NULL: there is none. */
struct oracle_event *oracle_any(struct oracle_stage *stage, enum oracle_kind kind);

/* --- requests made up at random: tills (oracle_send.c), the office (oracle_office.c) --- */

void oracle_do_purchase(struct oracle_stage *stage);
void oracle_do_return(struct oracle_stage *stage);
void oracle_do_unlinked(struct oracle_stage *stage);
void oracle_do_redeem(struct oracle_stage *stage);
void oracle_do_hold(struct oracle_stage *stage);
void oracle_do_capture(struct oracle_stage *stage);
void oracle_do_release(struct oracle_stage *stage);
void oracle_do_reversal(struct oracle_stage *stage);

/* Does one thing, of a till or of the office. */
void oracle_do(struct oracle_stage *stage);
/* Some cards. */
void oracle_open(struct oracle_stage *stage);
/* Another version of the programme, at once. */
void oracle_publish(struct oracle_stage *stage);

/* --- time, and comparing all --- */

/* The clock is put forward by so many whole hours. */
void oracle_wait(struct oracle_stage *stage, int64_t hours);
/* Every card. */
void oracle_compare(struct oracle_stage *stage);
/* kill -9 and another start; the state made again from the journal alone. */
void oracle_kill(struct oracle_stage *stage);
void oracle_rebuild(struct oracle_stage *stage);
