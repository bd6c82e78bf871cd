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
#include "points/identity.h"
#include "points/programme.h"

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
    /* What was due by itself: matured, settled, expired, tier. Comes before the event that found it. */
    EVENT_DAY = 12,
    EVENT_CARD_ADDED = 13,  /* another card of an account */
    EVENT_CARD_STATUS = 14, /* blocked, unblocked or closed */
    EVENT_CARD_REPLACED = 15,
    EVENT_MERGE = 16,
    EVENT_TRANSFER = 17,
    EVENT_TAGS = 18,
    EVENT_ACTIVATION = 19,
    EVENT_PIN_SET = 20,
    EVENT_PIN_TRY = 21, /* counted before it is checked; the next event of the account may take it back */
    EVENT_HOLD = 22,
    EVENT_CAPTURE = 23,
    EVENT_RELEASE = 24, /* asked for, or timed out */
    EVENT_REVERSAL = 25,
    EVENT_TOMBSTONE = 26, /* a reversal of what was never seen */
    EVENT_BONUS = 27,
    EVENT_WRITE_OFF = 28,
    EVENT_AWARD_MOVED = 29,
    EVENT_RETURN_WAITING = 30, /* an advice of a return whose purchase is not here yet */
    EVENT_DAY_CLOSE = 31,      /* a till closed a business date; not to be confused with EVENT_DAY */
    EVENT_IDENTITY = 32,       /* the register of tills and users changed */
    EVENT_PROPOSAL = 33,       /* a request above the limit of who sent it: it waits for another's approval */
    EVENT_PROPOSAL_ENDED = 34, /* rejected, or too old; one that was approved ends with what it books */
    EVENT_ATTEMPTS = 35,       /* refused proofs and the like of one source and minute, counted */
    EVENT_ALARM = 36,          /* the daemon raised a flag of its own */
    EVENT_FLAG_RESOLVED = 37,
    EVENT_SEAL = 38, /* of the head of the journal (LEDGER.md, Secrets) */
};
#define EVENT_TYPE_MAX 38

/* The word of a type for people and JSON: "purchase", "return", ... */
const char *event_type_name(enum event_type type);

enum lot_change_kind {
    LOT_ADD = 1,  /* points into a lot; a lot that is not there is made, with these dates */
    LOT_TAKE = 2, /* points out of a lot that are not held */
    /* The whole lot into another, which keeps its dates but matures on the later of both days, and is no lot by
     * purchase any more. Into itself: only the latter. Lots with held points are not joined. */
    LOT_JOIN = 3,
    LOT_MATURE = 4,  /* not pending any more */
    LOT_EXPIRE = 5,  /* points out of a lot whose last day is over */
    LOT_HOLD = 6,    /* sets points aside, for the hold that this event makes */
    LOT_FREE = 7,    /* of a hold: not set aside any more */
    LOT_CAPTURE = 8, /* of a hold: out of the lot */
};

struct lot_change {
    enum lot_change_kind kind;
    /* ADD, TAKE, CAPTURE: what the lot is, so that what was taken can go back when the lot is gone. */
    bool by_purchase, pending, counts;
    uint8_t inactive_months;
    uint32_t lot;
    uint32_t into;         /* LOT_JOIN */
    millipoints points;    /* above zero; not JOIN, MATURE */
    local_day earned;      /* ADD, TAKE, CAPTURE */
    local_day matures;     /* ADD, TAKE, CAPTURE */
    local_day last_day;    /* ADD, TAKE, CAPTURE */
    journal_position hold; /* FREE, CAPTURE: which. HOLD: this event's */
};

/* What else changes of an account. The fields that a kind does not name are zero. */
enum account_change_kind {
    CHANGE_TALLY = 1,       /* which: enum tally_kind; id, period, value to add */
    CHANGE_STAMPS = 2,      /* id: the purse; value to add, in thousandths */
    CHANGE_STAMPS_HELD = 3, /* id: the purse; value to add to what is held */
    CHANGE_MONTH = 4,       /* which: enum tier_basis; period: the month; value to add. Adds to `ever` too */
    CHANGE_MONTHS_KEPT = 5, /* period: older months are forgotten */
    CHANGE_TIER = 6,        /* tier: all of it */
    CHANGE_TAG = 7,         /* text; value 1: set, 0: taken off */
    CHANGE_ACTIVATED = 8,   /* id: the offer; value 1 or 0 */
    CHANGE_PIN = 9,         /* pin: all of it */
    CHANGE_PIN_WRONG = 10,  /* value: how many in a row */
    CHANGE_HOLD_BEGUN = 11, /* hold: id is this event's; its parts are the LOT_HOLD changes, in order */
    CHANGE_HOLD_ENDED = 12, /* position: which. Lot changes of this effect freed or captured its parts */
    CHANGE_CARDS = 13,      /* value to add to card_count */
    CHANGE_SUSPENSE = 14,   /* value 1 or 0 */
    CHANGE_CLOSED = 15,
    CHANGE_ABSORB = 16,   /* id: the account that is merged into this one; see account_absorb */
    CHANGE_ABSORBED = 17, /* id: the account that it is merged into; value: its lot offset there */
    /*
     * period: the day; value: the instant, which may lie before what is known. which: what account.recent has of it
     * besides its minute, 0: it is not remembered there; id: thousandths of points that it earned, for flags.
     */
    CHANGE_LAST_PURCHASE = 18,
};
#define ACCOUNT_CHANGE_KIND_MAX 18

struct account_change {
    enum account_change_kind kind;
    uint32_t which;
    uint64_t id;
    int32_t period;
    int64_t value;
    union {
        struct tier_state tier;
        struct account_hold hold;
        struct account_pin pin;
        struct text text;
        journal_position position;
    };
};

/* What an event does to one account. before + change = balance is checked by every apply. */
#define EFFECT_LOT_CHANGES_MAX (2 * ACCOUNT_LOTS_MAX + 64)
#define EFFECT_CHANGES_MAX 256
struct effect {
    account_number account;
    journal_position previous; /* the account's event before; filled by the ledger */
    millipoints change;        /* of the balance: lots added less taken, less debt added, plus settled */
    millipoints balance;       /* after it */
    millipoints lifetime_change;
    millipoints debt_added;    /* caused by this event */
    millipoints debt_settled;  /* oldest first */
    millipoints debt_forgiven; /* oldest first; not paid by lots */
    uint64_t tier;             /* the account's, before: for reports */
    uint32_t lot_change_count;
    uint32_t change_count;
    struct lot_change *lot_changes;
    struct account_change *changes;
};
#define EVENT_EFFECTS_MAX 2

/*
 * Folds an effect into an account: the only place where lots and debts change, used by the ledger and,
 * to know the balance after it, by answers. `cause`: position of the event. False, and the account is
 * undefined, if the effect does not fit: before + change = after, no lot below zero, the balance the
 * sum of lots less debt. On the way in that is a bug of ours; on replay, damage.
 */
PUNKT_MUST_CHECK bool effect_apply(const struct effect *effect, journal_position cause,
                                   struct account *account);

/*
 * CHANGE_ABSORB: what is left of source, whose lots begin at lot number 1 + offset, goes into target: lots keep their
 * dates, holds their time; debts, sums, tallies, stamps, tags, activations and the counts of cards add up; the target's
 * tier (a better one of the source is a CHANGE_TIER of the effect) and PIN stay. False: it does not fit.
 *
 * Balance and lifetime are left to the target's effect: its change and lifetime_change hold what comes over. Done before
 * effect_apply of it, which finds the account as this left it, and passes over CHANGE_ABSORB: what it settles and changes
 * of lots may be of those that came. offset: the target's next_lot - 1 before it. The source is read before its own
 * effect empties it: in an EVENT_MERGE or a join of suspense the target's effect comes first.
 */
PUNKT_MUST_CHECK bool account_absorb(struct account *target, const struct account *source, uint32_t offset);

struct event;
/*
 * The purchase of which the event changes what became of it (struct returned): a return's, one that a redemption names, a
 * reversal's, a moved award's. 0: none. type and detail are looked at.
 */
journal_position event_sale(const struct event *event);
/*
 * Folds the event into what became of that purchase; position: its own. False, and *returned is undefined, if it does not
 * fit.
 */
PUNKT_MUST_CHECK bool returned_apply(const struct event *event, journal_position position,
                                     struct returned *returned);

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

/* What took part in an award: kept, so that `why` and returns need no second rating. Numbered for ever. */
enum part_kind {
    PART_SPEND = RULE_SPEND, /* rule: the base rule; input: minor units */
    PART_ITEM = RULE_ITEM,   /* input: thousandths of units */
    PART_VISIT = RULE_VISIT, /* input: receipts */
    PART_TIER = 4,           /* rule: step of the tier, from 1; input: base points */
    PART_MULTIPLY = 5,       /* rule: the offer; input: base points */
    PART_ADD = 6,            /* rule: the offer; input: thousandths of units, or receipts */
    PART_STAMP = 7,          /* the same; exact and result are thousandths of stamps, no points */
    PART_CAP_RECEIPT = 8,    /* input: before it; result: what it took away, below zero */
    PART_CAP_DAY = 9,
    PART_CAP_MONTH = 10,
    PART_CAP_BALANCE = 11,
};
struct award_part {
    uint32_t rule; /* its place in the programme's list, from 0 */
    enum part_kind kind;
    int64_t input;
    millipoints exact; /* before rounding to the programme's decimals */
    millipoints result;
};
#define AWARD_PARTS_MAX (PROGRAMME_RULES_MAX + PROGRAMME_OFFERS_MAX + 5) /* and the tier, and 4 caps */

struct tender {
    struct text kind;
    minor_units amount;
};
#define TENDERS_MAX 32
#define COUPONS_MAX 32

/* A redemption: of its own, of a purchase, or a capture. */
struct redemption {
    uint64_t reward;    /* 0: by points */
    uint32_t kind;      /* enum reward_kind; 0: by points */
    uint32_t quantity;  /* of the reward */
    millipoints points; /* taken */
    int64_t stamps;     /* taken, of `purse` */
    uint64_t purse;
    minor_units worth;     /* money off */
    millipoints shortfall; /* of an advice: points that were not there; the merchant's loss */
    uint32_t line;         /* of the purchase that the reward is, from 1; 0: none */
    journal_position hold; /* captured; 0: direct */
    /* Its own lot changes in effects[0]: takes and captures, in order. */
    uint32_t change_first, change_count;
};
#define REDEMPTIONS_MAX 8

struct purchase {
    minor_units amount;
    minor_units base; /* sum of the lines' bases */
    minor_units paid; /* of amount: with points */
    uint32_t programme_version;
    uint64_t tier; /* at which it was rated */
    millipoints earned;
    millipoints trimmed;         /* by caps */
    millipoints settled;         /* of earned: went into debt instead of the lot */
    uint32_t lot;                /* the award's own lot, 0: none was made */
    local_day day;               /* of the purchase, in the programme's zone */
    local_day matures, last_day; /* of the award */
    uint32_t line_count;         /* 0: one sale line of the whole amount */
    struct sale_line *lines;
    uint32_t tender_count;
    struct tender *tenders;
    uint32_t coupon_count;
    struct text *coupons;
    uint32_t part_count;
    struct award_part *parts;
    uint32_t redemption_count;
    struct redemption *redemptions; /* in the order they were taken: with spend_earned, captures first */
};

/* What came back of a redemption by a return or a reversal. */
struct redemption_back {
    journal_position redemption; /* as of struct spent_back */
    uint32_t index;
    millipoints points;    /* given back now */
    millipoints of_points; /* what it took in all */
    int64_t stamps;
    uint32_t quantity;
    uint64_t reward; /* whose stock comes back, by quantity; 0: none */
};

/*
 * Goods that came back. effects[0] is the account that the award is on: from it what is due is taken, the stamps that the
 * goods earned, the lifetime and what counted for a tier. If the award was moved there from another account, that one is
 * effects[1]. Spent points and the stamps that a redemption cost go to the account that spent them; uses and room under caps
 * to the one that bought.
 */
struct goods_return {
    journal_position sale; /* 0: unlinked */
    minor_units amount;    /* of the goods that came back */
    bool by_amount;        /* an amount, or lines that follow one */
    uint32_t programme_version;
    millipoints due;   /* taken + expired + shortfall */
    millipoints taken; /* of due: from lots and as debt */
    millipoints given_back;
    millipoints expired;    /* of due: had expired in the purchase's own lot, so nothing is taken for it */
    millipoints shortfall;  /* of due: forgiven */
    millipoints own_taken;  /* of taken: from the purchase's own lot */
    millipoints owed_again; /* of taken: had settled a debt */
    minor_units base_back;  /* of the purchase's base */
    bool visit_back;        /* nothing is left: its visit does not count any more */
    uint64_t uses_back;     /* as of struct returned: what this return gave back */
    int64_t stamps_back[STAMP_PARTS_MAX];
    uint32_t line_count; /* linked: quantities by line; unlinked: none */
    struct returned_line *lines;
    uint32_t sale_line_count; /* unlinked: the goods */
    struct sale_line *sale_lines;
    uint32_t back_count; /* redemptions of the purchase */
    struct redemption_back *backs;
};

/* What a reversal found. Numbered for ever; sent on the wire. */
enum reversal_outcome {
    REVERSAL_DONE = 1,
    REVERSAL_NOTHING = 2,   /* was refused, has ended, was undone with its purchase */
    REVERSAL_TOMBSTONE = 3, /* never seen: will be refused */
};

/* A line of a return that waits for its purchase, as it was asked for. */
struct waiting_line {
    uint32_t number;
    millis_of_unit quantity;
    struct text code;
};

/* How a close of a day came out. Numbered for ever; sent on the wire. */
enum day_close_state {
    DAY_IN_BALANCE = 0,     /* nothing is queued, and both sides say the same */
    DAY_NOT_IN_BALANCE = 1, /* they do not */
    DAY_OPEN = 2,           /* the till has more to send */
};

/* What one side has of a business date of a till: what a close compares. */
struct day_figures {
    uint64_t purchases, returns, reversals; /* how many */
    minor_units purchase_amount;
    minor_units
        return_amount; /* of the goods; the till may say what it sent: a return that named lines has none */
    uint64_t hash;     /* XOR over what was booked, as on the wire */
};

struct event {
    enum event_type type;
    uint64_t sequence; /* filled by the ledger */
    utc_us time;       /* ledger time when it was booked */
    utc_us occurred;   /* when it happened at the till, as judged; time if nothing else is known */
    local_day day;     /* of `time`, in the programme's zone: the day of reports */
    uint32_t flags;    /* EVENT_FLAG_... */
    uint32_t raises;   /* enum flag_kind, of the event itself; 0: nobody need look at it */
    /* The proposal that it books, approved by who sent it: it is ended. 0: none. note: why (sealed). */
    journal_position approves;
    struct text approval_note;
    struct request_name request;
    uint8_t content[16]; /* hash of what makes two documents the same; zeros: no document */
    struct document document;
    struct text store, till, operator;
    /* As sent with what has no document; EVENT_DAY_CLOSE: of the day that is closed. 0: none. See event_business_date. */
    local_day business_date;
    card_id card; /* 0: none */
    /*
     * An advice that is booked to suspense for the first time: what is made for it. The number of the card (sealed);
     * empty: nothing is made. new_card: a card of status CARD_SUSPENSE too; else only an account beside the card's own.
     * The account is that of effects[0], the next of the ledger.
     */
    struct {
        struct text number;
        bool new_card;
    } suspense;
    uint32_t effect_count;
    struct effect effects[EVENT_EFFECTS_MAX];
    /*
     * A return that had waited for its purchase and is decided now, or refused: its event, the one that waited for the same
     * before it (0: none), and the purchase's key. A refusal has the document of what waited, whose key is free again.
     * Filled by service; event 0: none.
     */
    struct {
        journal_position event, previous;
        struct document sale;
    } waited;
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
            uint32_t check; /* enum card_check: how a range counts on */
            bool joins; /* a single card that was in suspense: its account is there already, and effects[0] */
            struct lot welcome;  /* of each new account; points 0: none. joins: effects[0] gives it */
            struct text number;  /* of the first card */
            struct text numbers; /* all of them, each as a code of proto/wire.h; filled by service */
        } cards_issued;
        struct {
            struct redemption made;
            journal_position sale; /* the purchase it names; 0: none */
        } redemption;              /* EVENT_REDEMPTION, EVENT_CAPTURE */
        struct {
            struct redemption wanted; /* cost, reward; nothing is taken yet */
            utc_us deadline;
        } hold;
        struct {
            journal_position hold;
            bool timed_out;
            uint64_t reward; /* whose stock comes back; 0: none */
            uint32_t quantity;
        } release;
        struct {
            struct request_name original; /* its identity, epoch and number */
            journal_position of;          /* the event that was undone; 0: none */
            enum event_type type;         /* of it */
            enum reversal_outcome outcome;
            millipoints given, taken; /* points to and from the account */
            struct document frees;    /* of the original: its key is free again; kind NONE: none */
            bool undoes_return;       /* goods is a return that stands no more: all of it as it was booked */
            /*
             * What is undone of or for a purchase: of a purchase, all that was left of it; of a return, the return; of a
             * redemption or hold, backs. sale 0: none is concerned; backs (of stock) may be there.
             */
            struct goods_return goods;
        } reversal; /* EVENT_REVERSAL, EVENT_TOMBSTONE */
        struct {
            millipoints expired, matured;
            uint64_t tier_before, tier_after;
        } day_run; /* EVENT_DAY */
        struct {
            struct text number; /* of the new card; sealed */
            card_id card;
        } card_added; /* a number that was in suspense keeps its card, and its account joins */
        struct {
            struct text number; /* of the card whose status changes; sealed */
            enum card_status before, after;
            struct text reason;
            millipoints forfeited; /* by closing the account, which releases its holds: CHANGE_HOLD_ENDED */
        } card_status;             /* what waited for an unblocked card joins: CHANGE_ABSORB */
        struct {
            struct text old_number, new_number; /* sealed */
            card_id new_card;
            struct text reason;
        } card_replaced; /* what waited for either joins; nothing waits for them any more */
        struct {
            account_number source, target;
            struct text reason;
        } merge;
        struct {
            millipoints points;
            struct text reason, note;
        } transfer; /* effects: from, to */
        struct {
            struct text reason;
        } account_act; /* EVENT_TAGS, EVENT_ACTIVATION, EVENT_PIN_SET, EVENT_PIN_TRY: the effect says it all */
        struct {
            millipoints points;
            struct text reason, note;
            uint32_t programme_version;
        } bonus;
        struct {
            millipoints points;
            struct text reason, note;
        } write_off;
        struct {
            journal_position sale;
            uint32_t lot;        /* on the account it went to; 0: nothing was left */
            millipoints points;  /* what went over: earned, less returns, less what had expired */
            millipoints settled; /* of points: paid debt there */
            millipoints expired; /* had expired in its lot: did not go over */
            struct text reason;
        } award_moved; /* effects: from, to */
        struct {
            struct document sale;      /* the purchase it waits for */
            journal_position previous; /* the return that waits for the same; 0: none */
            struct text card;          /* sealed */
            minor_units amount;
            uint32_t line_count;
            struct waiting_line *lines;
        } waiting;
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
        struct {
            uint64_t number;                 /* of the till's closes, from 1 */
            uint32_t state;                  /* enum day_close_state */
            uint64_t queued;                 /* operations of the till that were not answered yet */
            uint64_t late;                   /* operations that came after the close before this one */
            struct day_figures said, booked; /* by the till, here */
            journal_position head;           /* what the till got of the journal: where a block ended, */
            uint8_t head_hash[32];           /* and its hash */
        } day_close; /* EVENT_DAY_CLOSE; its store, till and business_date say which day */
        struct {
            enum identity_act act;
            struct identity after; /* as it is from now on, whole */
            struct text reason;
        } identity;
        struct {
            uint32_t operation; /* what was asked for: its code, */
            uint32_t flags;     /* and the flags of its frame, */
            struct text body;   /* and its body, as it came (sealed) */
            utc_us deadline;
            account_number account;   /* for people: whose, 0 unknown, */
            struct text card;         /* of which card (sealed), */
            millipoints points;       /* what it would change, */
            minor_units amount;       /* of the goods, */
            struct text reason, note; /* and why; the note is sealed */
        } proposal;
        struct {
            journal_position proposal;
            enum proposal_state state; /* REJECTED, EXPIRED */
            struct text note;          /* sealed */
        } proposal_ended;
        struct {
            enum attempt_kind kind;
            struct text source; /* the address without a port, or who: "unix", a name of the register */
            uint64_t identity;  /* of the register, where it is known; 0: not */
            uint64_t count;
            utc_us first, last;
            struct text detail; /* of the last of them, for people */
        } attempts;
        struct {
            uint64_t identity; /* whom it is about; event.raises says why */
            struct text detail;
        } alarm;
        struct {
            journal_position flag;
            struct text note; /* sealed */
        } flag_resolved;
        struct {
            journal_position head; /* where the newest durable block ended when it was made, */
            uint8_t head_hash[32]; /* and its hash */
            uint8_t lineage[16];   /* of the key: random, another one for each first key */
            uint64_t key_number;   /* how often the first key was moved on */
            uint8_t mac[32];       /* HMAC-SHA-256(key, seal_message of the above) */
        } seal;
    };
};

/*
 * The business date that an event counts under (LEDGER.md, End of day): as sent with its document or without one, else
 * the day on which it was booked.
 */
local_day event_business_date(const struct event *event);

#define EVENT_FLAG_SERVER_TIME 0x01 /* the till's time was out of bounds, the server's was used */
#define EVENT_FLAG_ADVICE 0x02
#define EVENT_FLAG_HISTORIC 0x04
#define EVENT_FLAG_SERVER_LOST 0x08
#define EVENT_FLAG_SUSPENSE 0x10   /* booked to suspense: the card is not issued, or may not earn */
#define EVENT_FLAG_SHORTFALL 0x20  /* an advice redeemed more than was free: the merchant's loss */
#define EVENT_FLAG_OLD_PERIOD 0x40 /* a limit or cap was counted in an older period than is kept */
#define EVENT_FLAG_OFFLINE 0x80    /* an advice: the till redeemed on its own, without the server */
#define EVENT_FLAG_LATE 0x100      /* its till had closed its business date before */
/* Booked by another identity than the till that it names: its till knows nothing of it, so it is no part of its day. */
#define EVENT_FLAG_FOREIGN 0x200
