/*
 * State is the fold of all events. This folds one event after the other into a `struct state`: the
 * live one, the one a recovery fills, or the scratch one of a verification. It judges nothing; it
 * checks that every event fits what is there.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "ledger/event_codec.h"
#include "ledger/records.h"
#include "ledger/state.h"

struct fold {
    struct state *state;  /* borrowed */
    struct totals totals; /* kept here, stored with every freeze */
    uint64_t next_sequence;
    utc_us time;                /* of the last event */
    uint32_t programme_version; /* of the newest programme, 0: none yet */
    /* Scratch, so that folding allocates nothing. account is also the account that was read last: an event
     * asks for it when it is decided, appended and folded. */
    account_number account_held; /* 0: account is nobody's */
    struct account account;
    struct returned returned;
    uint8_t record[ACCOUNT_RECORD_MAX > RETURNED_RECORD_MAX ? ACCOUNT_RECORD_MAX : RETURNED_RECORD_MAX];
};

/* Reads the totals of state; next_sequence and time from its mark. PUNKT_CORRUPT: not readable. */
PUNKT_MUST_CHECK enum punkt_status fold_load(struct fold *fold, struct state *state,
                                             const struct state_mark *mark, struct failure *failure);

/*
 * Folds the event that stands at position. False: it does not fit what is there, and state is
 * undefined (a bug of ours when the event was just made; damage when it was read back).
 */
PUNKT_MUST_CHECK bool fold_event(struct fold *fold, const struct event *event, journal_position position);

/* Puts the totals into the active layer, before it freezes. */
void fold_store(struct fold *fold);

/* Look-ups, each copied out. False: no such record. */
bool fold_card(struct fold *fold, struct text number, struct card *out);
bool fold_account(struct fold *fold, account_number number, struct account *out); /* follows merges */
/* The number of the account it is merged into, or its own, and its last event. */
bool fold_account_event(struct fold *fold, account_number *inout_number, journal_position *out_last_event);
bool fold_returned(struct fold *fold, journal_position sale, struct returned *out);
bool fold_lane(struct fold *fold, uint64_t identity, uint64_t epoch, struct lane_record *out);
/* 0: nothing was booked under the number. */
journal_position fold_request(struct fold *fold, uint64_t identity, uint64_t epoch, uint64_t number);
/* 0: no such document. */
journal_position fold_document(struct fold *fold, const struct document *document);
/* The text is borrowed until the next change of state. */
bool fold_programme(struct fold *fold, uint32_t version, struct programme_record *out);
