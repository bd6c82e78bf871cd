/*
 * The records of state: one typed function a key, by value, and one encoder and decoder a record.
 * Keys are composite and big-endian, so that byte order is numeric order. Every record begins with
 * its version; a decoder answers false for bytes it does not understand.
 */
#pragma once

#include "base/base.h"
#include "base/text.h"
#include "base/units.h"
#include "ledger/state.h"
#include "points/account.h"
#include "points/event.h"

struct key {
    size_t size;
    uint8_t bytes[STATE_KEY_MAX];
};

/* What is true now. */
struct key key_totals(void);
struct key key_programme(uint32_t version);
struct key key_lane(uint64_t identity, uint64_t epoch);
/* The record that holds the positions of 64 numbers, this one among them. */
struct key key_requests(uint64_t identity, uint64_t epoch, uint64_t number);
struct key key_card(struct text number);
struct key key_account(account_number number);
struct key key_document(const struct document *document);
struct key key_returned(journal_position sale);
struct key key_hold(journal_position hold);      /* for good */
struct key key_open_hold(journal_position hold); /* removed when the hold ends */
struct key key_reward(uint64_t reward);
struct key key_reversed(journal_position original);  /* a position: of the event that undid it */
struct key key_waiting(const struct document *sale); /* a position: of the newest return that waits for it */
struct key key_identity(uint64_t number);
struct key key_proposal(journal_position proposal);      /* for good; */
struct key key_open_proposal(journal_position proposal); /* removed when it ends */
struct key key_flag(journal_position flag);              /* removed when it is resolved */
struct key key_seal(void);

/* What reports are made of. */
struct key key_day_counts(local_day day, struct text store, uint64_t tier);
#define OUTSTANDING_NEVER INT32_MAX        /* lots that never expire */
#define OUTSTANDING_INACTIVE INT32_MIN     /* lots whose last day moves with the last purchase */
struct key key_outstanding(int32_t month); /* of the last day, since January 1970, or one of the above */
struct key key_cohort(int32_t quarter);    /* in which points were earned, since the first of 1970 */
struct key key_till_day(struct text store, struct text till, local_day business_date);
struct key key_till(struct text store, struct text till);

/* The beginning that all keys of a kind have, for state_scan. */
struct key key_all_accounts(void);
struct key key_all_open_holds(void);
struct key key_all_waiting(void);
struct key key_all_day_counts(void);
struct key key_all_outstanding(void);
struct key key_all_cohorts(void);
struct key key_all_open_proposals(void);
struct key key_all_flags(void);

/* What a key that a scan found was made of. False: it is no key of this kind. */
#define RECORD_CODE_MAX 32
struct day_counts_name {
    local_day day;
    uint64_t tier;
    uint8_t store_size; /* 0: no store, the office's own */
    char store[RECORD_CODE_MAX];
};
PUNKT_MUST_CHECK bool key_read_open_hold(const void *key, size_t size, journal_position *out);
PUNKT_MUST_CHECK bool key_read_open_proposal(const void *key, size_t size, journal_position *out);
PUNKT_MUST_CHECK bool key_read_flag(const void *key, size_t size, journal_position *out);
PUNKT_MUST_CHECK bool key_read_day_counts(const void *key, size_t size, struct day_counts_name *out);
PUNKT_MUST_CHECK bool key_read_outstanding(const void *key, size_t size, int32_t *out_month);
PUNKT_MUST_CHECK bool key_read_cohort(const void *key, size_t size, int32_t *out_quarter);

#define REQUESTS_PER_RECORD 64

/* The lane of one (identity, epoch). */
struct lane_record {
    uint64_t highest;               /* number of the last change decided */
    journal_position last_position; /* of its event */
    bool tombstones; /* some number above `highest` was reversed before it came: look in the requests */
};

/* A published version of the programme. */
struct programme_record {
    uint32_t version;
    utc_us from; /* in force from */
    utc_us published;
    struct text operator; /* who published it; both texts are borrowed from the record's bytes */
    struct text text;
};

/* What an account's record says at its beginning, so that a scan need not decode the rest. */
struct account_peek {
    account_number number;
    local_day due; /* account_due_day */
    bool suspense, closed, merged, in_debt;
};

struct open_hold {
    account_number account;
    utc_us deadline;
};

/* What happened on a day in a store to accounts of a tier (as it was before the event). */
struct day_counts {
    millipoints moved[MOVEMENT_COUNT];
    uint32_t events[EVENT_TYPE_MAX + 1]; /* by type; [0] is unused */
    minor_units spend;                   /* amounts of purchases, less those undone */
    minor_units returned;                /* amounts of returns of known purchases, less those undone */
    minor_units unlinked;                /* of returns without one */
    minor_units worth;                   /* money off by redemptions, whatever came back of them */
};

/* What became of the points earned in a quarter: issued = redeemed + expired + returned + other + left. */
struct cohort {
    millipoints issued;
    millipoints redeemed;
    millipoints expired;
    millipoints returned;
    millipoints other; /* adjusted, transferred, forfeited, reversed, paid for debt */
    millipoints left;
};

/* The day of a till, for its close (LEDGER.md, End of day). Kinds are numbered for ever. */
enum till_kind {
    TILL_PURCHASES = 0,
    TILL_RETURNS = 1,
    TILL_UNLINKED_RETURNS = 2,
    TILL_REDEMPTIONS = 3, /* captures too */
    TILL_HOLDS = 4,
    TILL_RELEASES = 5,
    TILL_REVERSALS = 6,
    TILL_OTHERS = 7,
};
#define TILL_KIND_COUNT 8
#define TILL_EPOCHS_MAX 16
#define TILL_HASH_SIZE 8
struct till_epoch {
    uint64_t epoch, first, last; /* numbers */
};
struct till_day {
    struct {
        uint32_t count;     /* those of a purchase count as redemptions, too */
        minor_units amount; /* of the goods; of redemptions: the money off */
        /* earned; taken, less given back; redeemed; set aside; of reversals: given, less taken */
        millipoints points;
    } sums[TILL_KIND_COUNT];
    uint8_t hash[TILL_HASH_SIZE]; /* XOR over the operations */
    bool more_epochs;             /* there were more than have room */
    minor_units returns_sent;     /* amounts of returns as sent: one that named lines has none */
    uint64_t closes;              /* how often the day was closed */
    uint32_t close_state;         /* of the newest: enum day_close_state */
    utc_us close_time;            /* when that was booked */
    uint64_t late;                /* operations that came after it */
    uint32_t epoch_count;
    struct till_epoch epochs[TILL_EPOCHS_MAX]; /* in the order in which they came */
};

/* What lasts of a till longer than a day. */
struct till_record {
    uint64_t closes;             /* of all its days */
    journal_position last_close; /* of its event */
};

/* A proposal, for good. */
struct proposal_record {
    uint64_t identity; /* who made it */
    utc_us deadline;
    enum proposal_state state;
    journal_position ended_by; /* 0: it is open */
};

/* A flag that nobody has resolved yet: what the event says that raised it is read back from the journal. */
struct flag_record {
    uint32_t kinds; /* enum flag_kind */
    utc_us time;
};

/* The newest seal. */
struct seal_record {
    uint8_t lineage[16];
    uint64_t key_number;
    journal_position position; /* of its event */
    utc_us time;
};

#define ACCOUNT_RECORD_MAX (64 * 1024)
#define RETURNED_RECORD_MAX (1024 + LINES_MAX * 22)
#define SMALL_RECORD_MAX 256   /* all others, but */
#define REPORT_RECORD_MAX 1024 /* struct day_counts and struct till_day */

/*
 * Encoders return the size; the room for the largest is always enough (checked). Decoders: what decodes is the only form
 * of what it says. A list's entries beyond its count are not touched.
 */
size_t account_encode(const struct account *account, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool account_decode(struct state_value value, struct account *out);
PUNKT_MUST_CHECK bool account_peek(struct state_value value, struct account_peek *out);
size_t card_encode(const struct card *card, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool card_decode(struct state_value value, struct card *out);
size_t returned_encode(const struct returned *returned, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool returned_decode(struct state_value value, struct returned *out);
size_t totals_encode(const struct totals *totals, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool totals_decode(struct state_value value, struct totals *out);
size_t lane_encode(const struct lane_record *lane, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool lane_decode(struct state_value value, struct lane_record *out);
size_t position_encode(journal_position position, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool position_decode(struct state_value value, journal_position *out);
size_t programme_encode(const struct programme_record *programme, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool programme_decode(struct state_value value, struct programme_record *out);
size_t hold_encode(const struct hold_state *hold, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool hold_decode(struct state_value value, struct hold_state *out);
size_t open_hold_encode(const struct open_hold *hold, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool open_hold_decode(struct state_value value, struct open_hold *out);
size_t reward_encode(const struct reward_state *reward, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool reward_decode(struct state_value value, struct reward_state *out);
size_t day_counts_encode(const struct day_counts *counts, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool day_counts_decode(struct state_value value, struct day_counts *out);
size_t outstanding_encode(millipoints points, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool outstanding_decode(struct state_value value, millipoints *out);
size_t cohort_encode(const struct cohort *cohort, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool cohort_decode(struct state_value value, struct cohort *out);
size_t till_day_encode(const struct till_day *day, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool till_day_decode(struct state_value value, struct till_day *out);
size_t till_encode(const struct till_record *till, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool till_decode(struct state_value value, struct till_record *out);
size_t identity_encode(const struct identity *identity, uint8_t *out, size_t capacity);
/* Texts are borrowed from the record's bytes. */
PUNKT_MUST_CHECK bool identity_decode(struct state_value value, struct identity *out);
size_t proposal_encode(const struct proposal_record *proposal, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool proposal_decode(struct state_value value, struct proposal_record *out);
size_t flag_encode(const struct flag_record *flag, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool flag_decode(struct state_value value, struct flag_record *out);
size_t seal_encode(const struct seal_record *seal, uint8_t *out, size_t capacity);
PUNKT_MUST_CHECK bool seal_decode(struct state_value value, struct seal_record *out);

/*
 * A record of requests: its version; a mask of the numbers that were booked, and the XOR of what the till's day has of
 * each of them (LEDGER.md, End of day); then eight bytes a number, the position of its event (0: it has none), up to the
 * last number in use. Read and written in place, since every change of a lane does.
 */
#define REQUESTS_HEAD_SIZE (1 + 8 + TILL_HASH_SIZE)
#define REQUESTS_RECORD_MAX (REQUESTS_HEAD_SIZE + 8 * REQUESTS_PER_RECORD)
PUNKT_MUST_CHECK bool requests_get(struct state_value value, uint64_t slot, journal_position *out);
/* The record with one position set, into out (REQUESTS_RECORD_MAX); value: as it was, empty if new. */
size_t requests_set(struct state_value value, uint64_t slot, journal_position position,
                    uint8_t out[REQUESTS_RECORD_MAX]);
/* In a record that requests_set has just written: this number was booked, once; hash: of it. */
void requests_book(uint8_t record[REQUESTS_RECORD_MAX], uint64_t slot, const uint8_t hash[TILL_HASH_SIZE]);
/* The mask, lowest bit first, and the XOR. */
PUNKT_MUST_CHECK bool requests_booked(struct state_value value, uint64_t *out_mask,
                                      uint8_t out_hash[TILL_HASH_SIZE]);
