/*
 * What is true of an account, a card, a purchase since it was booked, a hold and a reward now. Plain values,
 * copied out of state.
 */
#pragma once

#include "base/base.h"
#include "base/units.h"

/* Numbered for ever: stored in state and sent on the wire. */
enum card_status {
    CARD_ACTIVE = 1,
    CARD_BLOCKED = 2,
    CARD_REPLACED = 3,
    CARD_CLOSED = 4,
    CARD_SUSPENSE = 5, /* never issued: an advice named it. Its account waits for the card to be issued */
};

struct card {
    card_id id;
    account_number account;
    account_number suspense; /* what advices earned that the card might not; 0: nothing waits */
    enum card_status status;
    journal_position last_event;
};

/* Points of one award that are still unspent. A lot without points is removed. */
struct lot {
    uint32_t number;  /* within the account, from 1, never used twice */
    bool by_purchase; /* kept apart for its return; false: joined, or of an adjustment */
    bool pending;     /* has not matured: the event of the day it matures says so */
    bool counts;      /* pending: counts for a tier by points when it matures */
    /* Above 0: it expires so many months after the account's last purchase; last_day is DAY_NEVER. */
    uint8_t inactive_months;
    millipoints points;
    millipoints held;   /* of them set aside by holds */
    local_day earned;   /* the day of the purchase or adjustment: its cohort, and the month it counts in */
    local_day matures;  /* can be spent from this day on */
    local_day last_day; /* and through this one; DAY_NEVER */
};

/* What of a lot by purchase has expired: its return counts that as taken (DOMAIN.md, Returning goods). */
struct expired_lot {
    uint32_t lot;
    millipoints points; /* above zero */
};

/* Points owed, with their cause. */
struct debt {
    journal_position cause;
    millipoints points;
};

/* A counter of a limit or cap: this period and the one before (LEDGER.md, State). */
enum tally_kind {
    TALLY_CAP_DAY = 1,
    TALLY_CAP_MONTH = 2,
    TALLY_OFFER = 3,   /* id: the offer; uses */
    TALLY_REWARD = 4,  /* id: the reward; uses */
    TALLY_OFFLINE = 5, /* points that tills redeemed on their own, by day */
};
#define TALLY_KIND_MAX TALLY_OFFLINE
struct tally {
    enum tally_kind kind;
    uint64_t id;    /* 0 for caps */
    int32_t period; /* its first day; newer than `before` */
    int32_t before; /* INT32_MIN: none */
    int64_t value;
    int64_t value_before;
};

/* Stamps of a purse, in thousandths, within MILLIPOINTS_MAX; below zero after returns. */
struct stamps {
    uint64_t purse;
    int64_t count;
    int64_t held; /* of them set aside by holds */
};

/* What a calendar month counted for tiers. */
struct month_sum {
    int32_t month; /* since January 1970 */
    int32_t visits;
    minor_units spend;
    millipoints points; /* matured awards, less returns */
};

/* The tier of an account, and until when. Neither a tier nor a next one: all zeros. */
struct tier_state {
    uint64_t id;       /* programme_id of its name; 0: none */
    local_day since;   /* the day it was reached */
    local_day through; /* kept through this day, then judged; DAY_NEVER */
    local_day grace;   /* in grace through this day; INT32_MIN: not in grace */
    uint64_t next;     /* reached, in force from next_day (up: next); 0: none */
    local_day next_day;
    local_day judge; /* the next day on which it must be judged; DAY_NEVER */
};

/* An open hold. */
#define USE_UNCOUNTED INT32_MIN
struct account_hold {
    journal_position id; /* the event that made it */
    millipoints points;
    int64_t stamps; /* of `purse` */
    uint64_t purse;
    uint64_t reward;      /* whose stock and use are set aside; 0: none */
    uint32_t quantity;    /* of the reward */
    local_day use_period; /* in which its use counts in the reward's limit; USE_UNCOUNTED: it does not */
    utc_us deadline;
    uint32_t part_count; /* the lots it holds: the next so many of account.hold_parts, in spending order */
};
struct hold_part {
    uint32_t lot;
    millipoints points;
};

struct account_tag {
    uint8_t size;
    char text[32];
};

enum { PIN_HASH_SIZE = 32, PIN_SALT_SIZE = 16, PIN_TRIES = 3 };
struct account_pin {
    bool set;
    uint8_t wrong; /* tries in a row; PIN_TRIES: redemption is locked until the office sets a new one */
    uint8_t salt[PIN_SALT_SIZE];
    uint8_t hash[PIN_HASH_SIZE];
};

#define ACCOUNT_LOTS_BY_PURCHASE_MAX 64 /* beyond it, lots are joined (LEDGER.md, State) */
#define ACCOUNT_LOTS_MAX 1024
#define ACCOUNT_DEBTS_MAX 64   /* beyond it, the two oldest become one */
#define ACCOUNT_EXPIRED_MAX 64 /* beyond it, the first is forgotten */
/* Beyond these the oldest gives way: the tally with the oldest period (last one that counts for ever), the first purse (an
 * empty one before others, none of which stamps are held), the oldest month. */
#define ACCOUNT_TALLIES_MAX 160
#define ACCOUNT_STAMPS_MAX 16
#define ACCOUNT_MONTHS_MAX 64
#define ACCOUNT_HOLDS_MAX 16
#define ACCOUNT_HOLD_PARTS_MAX 256
#define ACCOUNT_TAGS_MAX 16
#define ACCOUNT_ACTIVATED_MAX 48 /* beyond it, the one activated first gives way */
/* Purchases of the last days, for flags (RELIABILITY.md, Audit and abuse); beyond it, the oldest is forgotten. */
#define ACCOUNT_RECENT_MAX 16
#define ACCOUNT_RECENT_DAYS 30
#define EARNED_LONG_AGO 1

struct account {
    account_number number;
    account_number merged_into; /* 0: not merged */
    uint32_t lot_offset;        /* merged: its lot n is lot n + this there. After following merges: the sum */
    bool suspense;              /* no issued card leads to it yet */
    bool closed;
    journal_position last_event;
    millipoints balance;  /* sum of lots less debt: kept to be checked */
    millipoints debt;     /* sum of debts */
    millipoints lifetime; /* earned by purchases, less returns */
    utc_us last_purchase; /* 0: none yet */
    local_day last_purchase_day;
    uint32_t next_lot;   /* number of the next lot, from 1 */
    uint32_t card_count; /* active and blocked cards that lead to it: none in suspense */
    struct tier_state tier;
    struct month_sum ever; /* all months; .month unused */
    struct account_pin pin;
    uint32_t lot_count;
    uint32_t debt_count;
    uint32_t tally_count;
    uint32_t stamps_count;
    uint32_t month_count;
    uint32_t hold_count;
    uint32_t hold_part_count;
    uint32_t tag_count;
    uint32_t activated_count;
    uint32_t expired_count;
    uint32_t joined_through; /* the highest number of a lot that was joined with others: above it none was */
    uint32_t recent_count;
    /* When its first purchase that earned happened: account_minute; 0: none yet; EARNED_LONG_AGO: over a day before another. */
    uint32_t first_earned;
    local_day earned_day;      /* of the newest purchase that earned */
    millipoints earned_on_day; /* on that day, by it and by all that came after it, though for a day before */
    struct debt debts[ACCOUNT_DEBTS_MAX]; /* oldest first */
    struct tally tallies[ACCOUNT_TALLIES_MAX];
    struct stamps stamps[ACCOUNT_STAMPS_MAX];
    struct month_sum months[ACCOUNT_MONTHS_MAX];         /* oldest first */
    struct account_hold holds[ACCOUNT_HOLDS_MAX];        /* oldest first */
    struct hold_part hold_parts[ACCOUNT_HOLD_PARTS_MAX]; /* of the holds, one after the other */
    struct account_tag tags[ACCOUNT_TAGS_MAX];
    uint64_t activated[ACCOUNT_ACTIVATED_MAX];       /* ids of offers */
    struct expired_lot expired[ACCOUNT_EXPIRED_MAX]; /* in the order in which they began to expire */
    /* Oldest first: account_minute << 32 | 16 bits that stand for the till << 16 | 16 for the operator, 0: none. */
    uint64_t recent[ACCOUNT_RECENT_MAX];
    struct lot lots[ACCOUNT_LOTS_MAX]; /* by number, oldest first */
};

/* What has come back of a purchase so far. */
struct returned_line {
    uint32_t line;           /* from 1 */
    millis_of_unit quantity; /* came back in all */
    /* Of it: after an amount, so counted in returned.by_amount and not in the lines' share. */
    millis_of_unit by_amount;
};

/* What came back of a redemption that belongs to a purchase. */
struct spent_back {
    journal_position redemption; /* that made it: the purchase itself, a capture, or one that named it */
    uint32_t index;              /* of the purchase's list, from 0; 0 for the others */
    millipoints points;          /* what it took */
    millipoints given_back;
    int64_t stamps_back;    /* of what it cost in stamps */
    uint32_t quantity_back; /* of a reward */
    minor_units worth;      /* of one that named the purchase: the money off; else 0 */
};
#define SPENT_BACK_MAX 16
#define STAMP_PARTS_MAX 8 /* of a purchase: parts that gave stamps */

/*
 * What became of a purchase since it was booked; made by the first event that refers to it. spent: redemptions that named
 * it, from the event on that made them; its own (redemption: the purchase), from the event on that gave of them back.
 */
struct returned {
    minor_units by_amount;   /* returned as amounts, lines that followed an amount included */
    millipoints due;         /* due so far, whether taken or forgiven */
    millipoints given_back;  /* spent points that came back */
    millipoints own_taken;   /* of due: taken from the purchase's own lot */
    millipoints expired;     /* of due: had expired in its own lot, so nothing was taken for it */
    millipoints owed_again;  /* of due: had settled a debt, and is debt again */
    uint32_t returns;        /* how many returns it had that stand */
    bool reversed;           /* the purchase was undone */
    bool visit_back;         /* its visit does not count any more */
    account_number moved_to; /* the award was moved there; 0: it was not */
    uint32_t moved_lot;      /* its lot there; 0: nothing was left */
    /* Of what was moved; expired and owed_again then count from the move on. */
    millipoints moved_settled;            /* paid debt there instead of going into the lot */
    millipoints moved_expired;            /* had expired before, and did not go over */
    minor_units base_back;                /* of the base: does not count any more */
    int64_t stamps_back[STAMP_PARTS_MAX]; /* by the purchase's stamp parts, in their order */
    uint64_t uses_back; /* bit i: the use of offer i of the programme of then was given back */
    uint32_t spent_count;
    uint32_t line_count;
    struct spent_back spent[SPENT_BACK_MAX];
    struct returned_line lines[LINES_MAX]; /* by line; only lines that had returns */
};

/* A hold, for good: who asks late gets an answer. */
enum hold_end { HOLD_OPEN = 0, HOLD_CAPTURED = 1, HOLD_RELEASED = 2, HOLD_TIMED_OUT = 3 };
struct hold_state {
    account_number account;
    utc_us deadline;
    enum hold_end end;
    journal_position ended_by;
};

/* What was given out of a reward, over the whole ledger. */
struct reward_state {
    int64_t used; /* less what came back; what holds set aside included */
};

/* Why points moved. The sum of all is the balance of all accounts. Numbered for ever. */
enum movement {
    MOVEMENT_EARNED = 0, /* by purchases */
    MOVEMENT_BONUS = 1,
    MOVEMENT_REDEEMED = 2, /* below zero */
    MOVEMENT_RETURNED = 3, /* by returns of known purchases: given back, less taken */
    MOVEMENT_UNLINKED = 4, /* by returns without one; below zero */
    MOVEMENT_ADJUSTED = 5,
    MOVEMENT_EXPIRED = 6,      /* below zero */
    MOVEMENT_FORFEITED = 7,    /* by closing; below zero */
    MOVEMENT_WRITTEN_OFF = 8,  /* debt that was forgiven */
    MOVEMENT_REVERSED = 9,     /* by reversals, whatever they undid */
    MOVEMENT_TRANSFERRED = 10, /* between accounts: its sum is 0, but not by tier */
};
#define MOVEMENT_COUNT 11

/* Sums over the whole ledger, in thousandths of a point. */
struct totals {
    uint64_t accounts, cards, events, accounts_in_debt;
    uint64_t identities;               /* of the register, revoked ones included */
    uint64_t flags;                    /* that are open */
    millipoints moved[MOVEMENT_COUNT]; /* their sum is outstanding - debt */
    millipoints outstanding, debt;
};

/* An account that was just made: everything is empty. The unused ends of its tables are not touched. */
void account_new(account_number number, struct account *out);

/* A purchase of which nothing became yet. The unused end of its lines is not touched. */
void returned_new(struct returned *out);

/* What of a lot by purchase has expired, as far as it is remembered. */
millipoints account_expired(const struct account *account, uint32_t lot);

/* The whole minute of an instant since 1970, as accounts remember purchases by; from 1. */
static inline uint32_t account_minute(utc_us time)
{
    int64_t minute = time / (60 * US_PER_SECOND);
    return minute < 1 ? 1 : minute > UINT32_MAX ? UINT32_MAX : (uint32_t)minute;
}

/* Copies an account without the unused ends of its tables. */
void account_copy(const struct account *from, struct account *out);

/* lot_last_day of one that expires by inactivity. */
local_day lot_last_inactive_day(const struct account *account, const struct lot *lot);
/*
 * The day after which nothing is left of the lot. Of one that expires by inactivity: so many months after the last
 * purchase or, if that is later, after it was earned; not before it matures.
 */
static inline local_day lot_last_day(const struct account *account, const struct lot *lot)
{
    return lot->inactive_months == 0 ? lot->last_day : lot_last_inactive_day(account, lot);
}

/*
 * The next day on which something is due by itself: a lot matures, a lot has expired that is not wholly held, or
 * the tier must be judged. DAY_NEVER: never. Today or before: EVENT_DAY comes before any other event of the account.
 */
local_day account_due_day(const struct account *account);

/* What a limit or cap has counted in the period that begins on a day; of an older one than is kept, the oldest kept. */
int64_t account_tally(const struct account *account, enum tally_kind kind, uint64_t id, local_day period);
/* Stamps of a purse: NULL, none yet. */
const struct stamps *account_stamps(const struct account *account, uint64_t purse);
bool account_has_tag(const struct account *account, const char *tag, size_t size);
bool account_has_activated(const struct account *account, uint64_t offer);
/* NULL: no such open hold. *out_parts: its parts. */
const struct account_hold *account_hold(const struct account *account, journal_position id,
                                        const struct hold_part **out_parts);
