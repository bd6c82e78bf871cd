/*
 * What the files of the fold share. Nobody else includes this.
 */
#pragma once

#include "ledger/fold.h"
#include "ledger/movements.h"

/* False: there is no such record. */
bool fold_get(struct fold *fold, const struct key *key, struct state_value *out);
void fold_put(struct fold *fold, const struct key *key, const void *bytes, size_t size);
void fold_remove(struct fold *fold, const struct key *key);
bool fold_has(struct fold *fold, const struct key *key);
void fold_put_position(struct fold *fold, const struct key *key, journal_position position);

/* The number leads to the event at position. booked: its hash, if it was booked by that (requests_book); else NULL. */
void fold_put_request(struct fold *fold, const struct request_name *request, journal_position position,
                      const uint8_t *booked);

void fold_write_account(struct fold *fold, const struct account *account);
/* Makes fold->account an account without anything, not stored yet. */
void fold_begin_account(struct fold *fold, account_number number, journal_position position);

/* --- fold_cards.c: the detail of events about cards and accounts. All: false if it does not fit --- */

/* What a purchase in suspense makes: its card or its account, which becomes fold->account. */
PUNKT_MUST_CHECK bool fold_suspense(struct fold *fold, const struct event *event, journal_position position);
PUNKT_MUST_CHECK bool fold_cards_issued(struct fold *fold, const struct event *event,
                                        journal_position position);
PUNKT_MUST_CHECK bool fold_card_added(struct fold *fold, const struct event *event,
                                      journal_position position);
PUNKT_MUST_CHECK bool fold_card_status(struct fold *fold, const struct event *event,
                                       journal_position position);
PUNKT_MUST_CHECK bool fold_card_replaced(struct fold *fold, const struct event *event,
                                         journal_position position);
PUNKT_MUST_CHECK bool fold_merge(const struct event *event);

/* --- fold_goods.c: holds, rewards, what became of purchases --- */

/* Holds that the effect begins and ends; account: as it is before it. */
PUNKT_MUST_CHECK bool fold_holds(struct fold *fold, const struct event *event, const struct effect *effect,
                                 const struct account *account, journal_position position);
/* What the event gives out of rewards and takes back, but for holds. */
PUNKT_MUST_CHECK bool fold_rewards(struct fold *fold, const struct event *event);
/* What the event changes of what became of a purchase; any event. */
PUNKT_MUST_CHECK bool fold_became(struct fold *fold, const struct event *event, journal_position position);
PUNKT_MUST_CHECK bool fold_reversal(struct fold *fold, const struct event *event, journal_position position);
PUNKT_MUST_CHECK bool fold_tombstone(struct fold *fold, const struct event *event, journal_position position);
PUNKT_MUST_CHECK bool fold_return_waiting(struct fold *fold, const struct event *event,
                                          journal_position position);
/* A return waits no longer: the newest of those for its purchase. */
PUNKT_MUST_CHECK bool fold_waited(struct fold *fold, const struct event *event);

/* --- fold_reports.c --- */

/* The slot of a record, zeros if there is none yet; to be read, or to be changed. Valid until the next call. */
struct report_slot *reports_find(struct fold *fold, enum report_kind kind, const struct key *key);
struct report_slot *reports_change(struct fold *fold, enum report_kind kind, const struct key *key);
/* What the lot changes of an effect do to what expires when and to cohorts; account: as it is before them. */
PUNKT_MUST_CHECK bool reports_lots(struct fold *fold, const struct event *event, const struct effect *effect,
                                   const struct account *account);
/* New lots that no effect makes: the welcome of new accounts. */
PUNKT_MUST_CHECK bool reports_welcome(struct fold *fold, const struct lot *lot, uint32_t count);
/* Puts what changed into the active layer. */
void reports_store(struct fold *fold);

/* --- fold_counts.c --- */

/* Whether its number counts as booked: not refused, not tied (LEDGER.md, End of day). */
bool event_is_booked(const struct event *event);
/* What a number that was booked adds to the XOR of a till's day, and to that of its 64 numbers. */
void request_hash(struct fold *fold, const struct request_name *request, uint8_t out[TILL_HASH_SIZE]);
/*
 * Counts by day, store and tier, and the till's day. hash: what request_hash says of its number; NULL: it is said later
 * about an earlier number, which the till's day has already.
 */
PUNKT_MUST_CHECK bool count_event(struct fold *fold, const struct event *event,
                                  const struct movements *movements, const uint8_t *hash);
PUNKT_MUST_CHECK bool fold_day_close(struct fold *fold, const struct event *event, journal_position position);

/* --- fold_register.c --- */

PUNKT_MUST_CHECK bool fold_identity_changed(struct fold *fold, const struct event *event);
void fold_proposed(struct fold *fold, const struct event *event, journal_position position);
/* By an EVENT_PROPOSAL_ENDED, or by any other event that approves one. */
PUNKT_MUST_CHECK bool fold_proposal_ends(struct fold *fold, const struct event *event,
                                         journal_position position);
/* Any event that raises a flag. */
void fold_raised(struct fold *fold, const struct event *event, journal_position position);
PUNKT_MUST_CHECK bool fold_flag_resolved(struct fold *fold, const struct event *event);
PUNKT_MUST_CHECK bool fold_sealed(struct fold *fold, const struct event *event, journal_position position);
