/*
 * What tests of the fold do to their world: short words for decisions, booked at once.
 */
#pragma once

#include "fold_world.h"

fold_decide_fn by_issue;
fold_decide_fn by_purchase;
fold_decide_fn by_return;
fold_decide_fn by_unlinked_return;
fold_decide_fn by_redeem;
fold_decide_fn by_hold;
fold_decide_fn by_capture;
fold_decide_fn by_release;
fold_decide_fn by_reversal;
fold_decide_fn by_adjust;
fold_decide_fn by_bonus;
fold_decide_fn by_write_off;
fold_decide_fn by_transfer;
fold_decide_fn by_award_move;
fold_decide_fn by_merge;
fold_decide_fn by_card_act;
fold_decide_fn by_card_replace;
fold_decide_fn by_card_add;
fold_decide_fn by_tag;
fold_decide_fn by_activate;
fold_decide_fn by_pin_set;
fold_decide_fn by_pin_try;

#define GOODWILL TEXT_LITERAL("goodwill")

/* Books what is decided, unless it is refused: 0. must: it may not be. */
journal_position act(struct fold_world *world, fold_decide_fn *decide, const void *request);
journal_position must(struct fold_world *world, fold_decide_fn *decide, const void *request);
/* Each of the following is one act on a card; 0: refused. */
journal_position issue(struct fold_world *world, const char *card);
journal_position buy(struct fold_world *world, const char *card, minor_units amount, const char *number,
                     const struct wish *wish);
journal_position bring_back(struct fold_world *world, const char *card, journal_position sale,
                            minor_units amount);
journal_position adjust(struct fold_world *world, const char *card, millipoints points);
/* sale: the purchase that it names; 0: none. */
journal_position redeem(struct fold_world *world, const char *card, struct wish wish, journal_position sale);
journal_position hold(struct fold_world *world, const char *card, struct wish wish);
journal_position capture(struct fold_world *world, const char *card, journal_position held,
                         millipoints points);
journal_position release(struct fold_world *world, const char *card, journal_position held, bool timed_out);
/* Reverses the request that made an event. */
journal_position undo(struct fold_world *world, journal_position original);
void act_on_card(struct fold_world *world, const char *card, enum card_act what);
struct account account_of(struct fold_world *world, const char *number);
void pass_days(struct fold_world *world, int64_t days);
