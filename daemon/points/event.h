/*
 * Events: one fact that happened, with all its effects. What the journal holds and apply folds; what
 * the functions of decide.h make. An event is never judged again: effects say what changes, by how
 * much, and to what.
 *
 * Texts and arrays are borrowed: from the request an event is made of, or from the bytes it was
 * decoded from.
 */
#pragma once

#include "base/base.h"
#include "base/text.h"
#include "base/units.h"
#include "points/account.h"

/* Numbered for ever; the statement's `kind` on the wire. */
enum event_type {
    EVENT_TERM = 1,      /* a new term of the journal begins */
    EVENT_PROGRAMME = 2, /* a version of the programme is published */
    EVENT_CARDS_ISSUED = 3,
    EVENT_PURCHASE = 4,
    EVENT_RETURN = 5,
    EVENT_UNLINKED_RETURN = 6,
    EVENT_REDEMPTION = 7,
    EVENT_ADJUSTMENT = 8,
    EVENT_REFUSAL = 9, /* a final business refusal, so that a repeat is refused alike */
    EVENT_TIE = 10,    /* a new number for a document that was booked before */
    EVENT_CLOCK_ACCEPTED = 11,
};
#define EVENT_TYPE_MAX 11

/* The word of a type for people and JSON: "purchase", "return", ... */
const char *event_type_name(enum event_type type);

enum lot_change_kind {
    LOT_ADD = 1,  /* points into a lot; a lot that is not there is made, with these dates */
    LOT_TAKE = 2, /* points out of a lot */
    /* The whole lot into another, which keeps its last day, matures on the later of both days, and is
     * no lot by purchase any more. Into itself: only the latter. */
    LOT_JOIN = 3,
};

struct lot_change {
    enum lot_change_kind kind;
    bool by_purchase; /* LOT_ADD of a new lot */
    uint32_t lot;
    uint32_t into;      /* LOT_JOIN */
    millipoints points; /* LOT_ADD, LOT_TAKE: above zero */
    local_day matures;  /* LOT_ADD */
    local_day last_day; /* LOT_ADD */
};

/* What an event does to one account. before + change = balance is checked by every apply. */
#define EFFECT_LOT_CHANGES_MAX (ACCOUNT_LOTS_MAX + 64)
struct effect {
    account_number account;
    journal_position previous; /* the account's event before; filled by the ledger */
    millipoints change;        /* of the balance: lots added less taken, less debt added, plus settled */
    millipoints balance;       /* after it */
    millipoints lifetime_change;
    millipoints debt_added;   /* caused by this event */
    millipoints debt_settled; /* oldest first */
    bool is_purchase;         /* counts as the account's last purchase */
    uint32_t lot_change_count;
    struct lot_change *lot_changes;
};
#define EVENT_EFFECTS_MAX 2

/*
 * Folds an effect into an account: the only place where lots and debts change, used by the ledger and,
 * to know the balance after it, by answers. `cause`: position of the event. False, and the account is
 * undefined, if the effect does not fit: before + change = after, no lot below zero, the balance the
 * sum of lots less debt. On the way in that is a bug of ours; on replay, damage.
 */
PUNKT_MUST_CHECK bool effect_apply(const struct effect *effect, enum event_type type, utc_us occurred,
                                   journal_position cause, struct account *account);

struct goods_return;
/*
 * Folds a linked return into what has come back of its purchase (zeros if nothing has yet). False, and
 * it is undefined, if the return does not fit.
 */
PUNKT_MUST_CHECK bool returned_apply(const struct goods_return *goods_return, struct returned *returned);

enum document_kind { DOCUMENT_NONE = 0, DOCUMENT_SALE = 1, DOCUMENT_RETURN = 2 };

/* The key of a receipt or return document. */
struct document {
    enum document_kind kind;
    struct text store;
    struct text till;
    local_day business_date;
    struct text number; /* empty: no key */
};

/* Which request made the event; number 0: none (made by the daemon). */
struct request_name {
    uint64_t identity;
    uint64_t epoch;
    uint64_t number;
    uint8_t fingerprint[16];
};
#define IDENTITY_LOCAL 1 /* the unproven loopback or Unix listener, role admin */

enum line_kind { LINE_SALE = 0, LINE_DISCOUNT = 1, LINE_REWARD = 2, LINE_DEPOSIT = 3, LINE_STORED_VALUE = 4 };

struct sale_line {
    struct text code;
    struct text category;
    enum line_kind kind;
    millis_of_unit quantity;
    minor_units amount;
    minor_units tax;
    minor_units base; /* what earns: filled by rating */
};

/* A rule that took part in an award: kept, so that `why` and returns need no second rating. */
struct award_part {
    uint32_t rule;     /* its place in the programme's list, from 0 */
    uint32_t kind;     /* enum rule_kind */
    int64_t input;     /* minor units, thousandths of units, or receipts, by kind */
    millipoints exact; /* before rounding to the programme's decimals */
    millipoints result;
};
#define AWARD_PARTS_MAX 16

struct tender {
    struct text kind;
    minor_units amount;
};
#define TENDERS_MAX 32
#define COUPONS_MAX 32

struct purchase {
    minor_units amount;
    minor_units base; /* sum of the lines' bases */
    uint32_t programme_version;
    uint32_t tier;
    millipoints earned;
    millipoints trimmed;         /* by caps */
    millipoints settled;         /* of earned: went into debt instead of the lot */
    uint32_t lot;                /* the award's own lot, 0: none was made */
    local_day matures, last_day; /* of the award */
    uint32_t line_count;         /* 0: one sale line of the whole amount */
    struct sale_line *lines;
    uint32_t tender_count;
    struct tender *tenders;
    uint32_t coupon_count;
    struct text *coupons;
    uint32_t part_count;
    struct award_part parts[AWARD_PARTS_MAX];
};

struct goods_return {
    journal_position sale; /* 0: unlinked */
    minor_units amount;    /* of the goods that came back */
    bool by_amount;        /* an amount, or lines that follow one */
    uint32_t programme_version;
    millipoints due;
    millipoints taken; /* of due: from lots and as debt */
    millipoints given_back;
    millipoints shortfall; /* of due: forgiven */
    millipoints own_taken; /* of taken: from the purchase's own lot */
    uint32_t line_count;   /* linked: quantities by line; unlinked: none */
    struct returned_line *lines;
    uint32_t sale_line_count; /* unlinked: the goods */
    struct sale_line *sale_lines;
};

struct event {
    enum event_type type;
    uint64_t sequence; /* filled by the ledger */
    utc_us time;       /* ledger time when it was booked */
    utc_us occurred;   /* when it happened at the till, as judged; time if nothing else is known */
    uint32_t flags;    /* EVENT_FLAG_... */
    struct request_name request;
    uint8_t content[16]; /* hash of what makes two documents the same; zeros: no document */
    struct document document;
    struct text store, till, operator;
    card_id card; /* 0: none */
    uint32_t effect_count;
    struct effect effects[EVENT_EFFECTS_MAX];
    /* The answer, as encoded on the wire: type and body. Filled by service. */
    uint16_t answer_type;
    struct text answer;
    union {
        struct purchase purchase;
        struct goods_return goods_return;
        struct {
            account_number first_account;
            card_id first_card;
            uint32_t count;
            uint32_t check;      /* enum card_check: how a range counts on */
            struct text number;  /* of the first card */
            struct text numbers; /* all of them, each as a code of proto/wire.h; filled by service */
        } cards_issued;
        struct {
            millipoints points;
            minor_units worth;
        } redemption;
        struct {
            millipoints points;
            struct text reason;
            struct text note;
        } adjustment;
        struct {
            uint32_t result;        /* code of results.def */
            account_number account; /* for whom, 0 unknown */
        } refusal;
        struct {
            journal_position first; /* the event that booked the document */
        } tie;
        struct {
            uint32_t version;
            utc_us from;
            struct text text;
        } programme;
        struct {
            uint64_t old_term, new_term;
            journal_position old_position;
            uint8_t old_hash[32];
            struct text who, why;
        } term;
        struct {
            utc_us before, after;
        } clock;
    };
};

#define EVENT_FLAG_SERVER_TIME 0x01 /* the till's time was out of bounds, the server's was used */
#define EVENT_FLAG_ADVICE 0x02
#define EVENT_FLAG_HISTORIC 0x04
#define EVENT_FLAG_SERVER_LOST 0x08
