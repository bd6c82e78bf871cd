/*
 * Changes of the model (points_model.h) on their way: made up at random, sent through libpunkt, and their answers
 * compared with what the model expects.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <punkt.h>

#include "../unit/random.h"
#include "points_model.h"

/* Where random changes come from. */
struct maker {
    struct random *random;
    const struct model *model;
    int64_t now_us;
    unsigned owners; /* how many shares the cards and stores are parted in */
    unsigned fresh;  /* the last receipt number that was new */
    bool own_cards;  /* change_make touches nothing of another share */
};

/* A change that may be anything, right or wrong, about cards, store and receipts of a share (and, unless
 * own_cards, of others). */
void change_make(struct maker *maker, unsigned owner, struct change *out);

/* A change without a document on a card of a share, as a till with many customers sends it. */
void change_make_simple(struct maker *maker, unsigned owner, const char *card, struct change *out);

/* The i-th card of a share. */
void change_card(unsigned owner, uint64_t index, char out[PUNKT_CARD_MAX + 1]);

/* Other content: a change that differs from this one. */
void change_alter(struct change *change);

#define CHANGE_TIMEOUT_MS 60000

/* Sends a change and waits for its answer, DONE or REFUSED; anything else fails the test. */
void change_send(struct punkt *punkt, const struct change *change, struct outcome *out);

/* Sends it without waiting; the window must have room. */
void change_submit(struct punkt *punkt, const struct change *change, punkt_done_fn *on_done, void *ctx);

/* What an answer says that is DONE or REFUSED. */
void outcome_of(const struct punkt_answer *answer, struct outcome *out);

/* Fails the test, and shows the change, unless both say the same; `replayed` is not compared. */
void outcome_expect(const struct change *change, const struct outcome *expected, const struct outcome *got);
