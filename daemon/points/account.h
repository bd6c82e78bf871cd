/*
 * What is true of an account, a card and a purchase's returns now. Plain values, copied out of state.
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
};

struct card {
    card_id id;
    account_number account;
    enum card_status status;
    journal_position last_event;
};

/* Points of one award that are still unspent. A lot without points is removed. */
struct lot {
    uint32_t number;  /* within the account, from 1, never used twice */
    bool by_purchase; /* kept apart for its return; false: joined, or of an adjustment */
    millipoints points;
    millipoints held;   /* of them set aside by holds */
    local_day matures;  /* can be spent from this day on */
    local_day last_day; /* and through this one; DAY_NEVER */
};

/* Points owed, with their cause. */
struct debt {
    journal_position cause;
    millipoints points;
};

#define ACCOUNT_LOTS_BY_PURCHASE_MAX 64 /* beyond it, lots are joined (LEDGER.md, State) */
#define ACCOUNT_LOTS_MAX 1024
#define ACCOUNT_DEBTS_MAX 64 /* beyond it, the two oldest become one */

struct account {
    account_number number;
    account_number merged_into; /* 0: not merged */
    journal_position last_event;
    millipoints balance;  /* sum of lots less debt: kept to be checked */
    millipoints debt;     /* sum of debts */
    millipoints lifetime; /* earned by purchases, less returns */
    utc_us last_purchase; /* 0: none yet */
    uint32_t next_lot;    /* number of the next lot, from 1 */
    uint32_t tier;        /* 0: none */
    uint32_t card_count;
    uint32_t lot_count;
    uint32_t debt_count;
    struct debt debts[ACCOUNT_DEBTS_MAX]; /* oldest first */
    struct lot lots[ACCOUNT_LOTS_MAX];    /* by number, oldest first */
};

/* What has come back of a purchase so far; made by its first return. */
struct returned_line {
    uint32_t line;           /* from 1 */
    millis_of_unit quantity; /* came back in all */
    /* Of it: after an amount, so counted in returned.by_amount and not in the lines' share. */
    millis_of_unit by_amount;
};

struct returned {
    minor_units by_amount;  /* returned as amounts, lines that followed an amount included */
    millipoints due;        /* due so far, whether taken or forgiven */
    millipoints given_back; /* spent points that came back */
    millipoints own_taken;  /* of due: taken from the purchase's own lot */
    uint32_t returns;       /* how many returns it had */
    uint32_t line_count;
    struct returned_line lines[LINES_MAX]; /* by line; only lines that had returns */
};

/* Sums over the whole ledger, in thousandths of a point. */
struct totals {
    uint64_t accounts, cards, events, accounts_in_debt;
    millipoints earned, redeemed, returned, adjusted, expired;
    millipoints outstanding, debt;
};

/* Copies an account without the unused ends of its tables. */
void account_copy(const struct account *from, struct account *out);
