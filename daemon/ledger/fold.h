/*
 * State is the fold of all events. This folds one event after the other into a `struct state`: the
 * live one, the one a recovery fills, or the scratch one of a verification. It judges nothing; it
 * checks that every event fits what is there: before + change = after of every account, and that what
 * moved, by the event's detail, is what its effects changed.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "ledger/event_codec.h"
#include "ledger/records.h"
#include "ledger/sha256.h"
#include "ledger/state.h"

/*
 * Records that reports are made of are changed by nearly every event, each by many: they are kept here, and stored
 * with every freeze, or when another one needs the slot.
 */
enum report_kind { REPORT_DAY_COUNTS = 1, REPORT_OUTSTANDING = 2, REPORT_COHORT = 3, REPORT_TILL_DAY = 4 };
struct report_slot {
    enum report_kind kind; /* 0: nobody's */
    bool known;            /* there is such a record, here or in state */
    bool changed;          /* not stored yet */
    struct key key;
    union {
        struct day_counts day_counts;
        millipoints outstanding;
        struct cohort cohort;
        struct till_day till_day;
    };
};
#define REPORT_SLOTS 1024

struct fold {
    struct state *state;  /* borrowed */
    struct totals totals; /* kept here, stored with every freeze */
    uint64_t next_sequence;
    utc_us time;                /* of the last event */
    uint32_t programme_version; /* of the newest programme, 0: none yet */
    struct sha256 sha256;
    /* Scratch, so that folding allocates nothing. account is also the account that was read last: an event
     * asks for it when it is decided, appended and folded. */
    account_number account_held; /* 0: account is nobody's */
    struct account account;
    struct account source; /* of an absorption */
    struct returned returned;
    uint8_t record[ACCOUNT_RECORD_MAX > RETURNED_RECORD_MAX ? ACCOUNT_RECORD_MAX : RETURNED_RECORD_MAX];
    struct report_slot reports[REPORT_SLOTS];
};

/*
 * Reads the totals of state; next_sequence and time from its mark. PUNKT_CORRUPT: not readable. Whatever comes of
 * it, fold_done is called in the end.
 */
PUNKT_MUST_CHECK enum punkt_status fold_load(struct fold *fold, struct state *state,
                                             const struct state_mark *mark, struct failure *failure);
/* Frees what belongs to it, not itself. One that was zeroed and never loaded is fine. */
void fold_done(struct fold *fold);

/*
 * Folds the event that stands at position. False: it does not fit what is there, and state is
 * undefined (a bug of ours when the event was just made; damage when it was read back).
 */
PUNKT_MUST_CHECK bool fold_event(struct fold *fold, const struct event *event, journal_position position);

/* Puts totals and reports into the active layer, before it freezes. */
void fold_store(struct fold *fold);

/* Look-ups, each copied out. False: no such record. */
bool fold_card(struct fold *fold, struct text number, struct card *out);
/* Follows merges: out->number may be another, and out->lot_offset is then what its lot numbers are off by; else 0. */
bool fold_account(struct fold *fold, account_number number, struct account *out);
/* The number of the account it is merged into, or its own, and its last event. */
bool fold_account_event(struct fold *fold, account_number *inout_number, journal_position *out_last_event);
/* The account it was merged into (0: it was not), and its own last event, which is then the merge. Follows nothing. */
bool fold_account_own(struct fold *fold, account_number number, account_number *out_merged_into,
                      journal_position *out_last_event);
bool fold_returned(struct fold *fold, journal_position sale, struct returned *out);
bool fold_hold(struct fold *fold, journal_position hold, struct hold_state *out);
/* What was given out of a reward; 0: nothing. */
int64_t fold_reward_used(struct fold *fold, uint64_t reward);
/* The event that undid the one at `original`; 0: it stands. */
journal_position fold_reversed_by(struct fold *fold, journal_position original);
/*
 * The newest return that waited for a purchase with this key, or still does; 0: none. It names the one before. One waits
 * until its number leads to another event (fold_request), or it is reversed (fold_reversed_by).
 */
journal_position fold_waiting(struct fold *fold, const struct document *sale);
bool fold_lane(struct fold *fold, uint64_t identity, uint64_t epoch, struct lane_record *out);
/*
 * The event that a number made; 0: nothing was booked under it. A number above the lane's highest has one if it was
 * reversed before it came (EVENT_TOMBSTONE). What a daemon books later for a number that it answered before (a return
 * that waited) carries that request: then it is this event.
 */
journal_position fold_request(struct fold *fold, uint64_t identity, uint64_t epoch, uint64_t number);
/* 0: no such document. */
journal_position fold_document(struct fold *fold, const struct document *document);
/* The text is borrowed until the next change of state. */
bool fold_programme(struct fold *fold, uint32_t version, struct programme_record *out);

/* What a till booked with a business date, as it is now. False: nothing was counted there. */
bool fold_till_day(struct fold *fold, struct text store, struct text till, local_day business_date,
                   struct till_day *out);

/* How often a till closed a day, whichever; 0: never. */
uint64_t fold_till_closes(struct fold *fold, struct text store, struct text till);
/* Whether the event, which is not folded yet, counts for a business date that its till has closed. */
bool fold_is_late(struct fold *fold, const struct event *event);

/* Of the 64 numbers of a lane that begin with a multiple of 64; lowest bit first. */
struct requests_booked {
    uint64_t known;               /* those that an event is known of */
    uint64_t booked;              /* those that were not refused and not tied */
    uint8_t hash[TILL_HASH_SIZE]; /* XOR over these, as of struct till_day */
};
/* Those of which `number` is one. False: nothing is known of any. */
bool fold_requests_booked(struct fold *fold, uint64_t identity, uint64_t epoch, uint64_t number,
                          struct requests_booked *out);

/* An identity of the register, by number. Texts are borrowed until the next change of state. */
bool fold_identity(struct fold *fold, uint64_t number, struct identity *out);
/* What became of a proposal. */
bool fold_proposal(struct fold *fold, journal_position proposal, struct proposal_record *out);
/* A flag that is still open. */
bool fold_flag(struct fold *fold, journal_position flag, struct flag_record *out);
/* The newest seal. False: there is none. */
bool fold_seal(struct fold *fold, struct seal_record *out);

/*
 * Calls visit for every open hold, once after ledger_open and before anything is appended: it reads the last
 * checkpoint, which is then all there is. False: state cannot be read.
 */
PUNKT_MUST_CHECK bool fold_open_holds(struct fold *fold,
                                      void (*visit)(void *ctx, journal_position hold,
                                                    const struct open_hold *open),
                                      void *ctx);
/* The same for returns that wait: the newest of each purchase. */
PUNKT_MUST_CHECK bool fold_all_waiting(struct fold *fold, void (*visit)(void *ctx, journal_position newest),
                                       void *ctx);
/* The same for proposals that are open. */
PUNKT_MUST_CHECK bool fold_open_proposals(struct fold *fold,
                                          void (*visit)(void *ctx, journal_position proposal,
                                                        const struct proposal_record *record),
                                          void *ctx);
