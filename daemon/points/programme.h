/*
 * The compiled programme: what the rules need, ready to use. Made from YAML by ops; immutable once
 * published. A plain value without pointers, so that it can be kept, copied and compared.
 *
 * Everything with a name that state refers to across versions (offers, rewards, tiers, stamp purses) has an
 * id: programme_id() of its name. 0 is none.
 */
#pragma once

#include "base/base.h"
#include "base/text.h"
#include "base/units.h"
#include "points/account.h"
#include "points/calendar.h"
#include "points/receipt_text.h"

#define PROGRAMME_RULES_MAX 16
#define PROGRAMME_OFFERS_MAX 48 /* with the rules: a bit each of 64 */
#define PROGRAMME_TIERS_MAX 16
#define PROGRAMME_REWARDS_MAX 64 /* a bit each of 64 */
#define PROGRAMME_REASONS_MAX 32
#define PROGRAMME_ROLES_MAX 8
#define PROGRAMME_NAME_MAX 32
#define PROGRAMME_WORDS_MAX 1024 /* stores, tenders, tags, coupons, categories and codes that filters name */
#define PROGRAMME_WORD_SLOTS 2048
#define FILTER_HOURS_MAX 8

/*
 * A word that filters name, and which filters name it, as what. Bit i: base rule i; bit
 * PROGRAMME_RULES_MAX + i: offer i; of reward_*: reward i.
 */
struct programme_word {
    uint8_t size;
    char text[PROGRAMME_NAME_MAX];
    uint64_t include_category, include_code;
    uint64_t exclude_category, exclude_code;
    uint64_t stores, tenders, tags, coupons;
    uint64_t reward_stores;
};

/* Minutes since midnight: start inclusive, end exclusive. until <= from: past midnight, of the day it began. */
struct filter_hours {
    uint16_t from, until;
};

/* What a rule or offer applies to. All zeros: everything. */
struct filter {
    bool has_include; /* only lines whose category or code includes it */
    bool has_exclude; /* not lines whose category or code excludes it */
    bool has_stores, has_tenders, has_tags, has_coupons;
    bool of_lines;      /* minimum and maximum are of the base of the matching lines, not of the receipt */
    uint8_t days;       /* bit 0 Monday ... bit 6 Sunday; 0: any */
    uint8_t hour_count; /* 0: any */
    uint32_t tiers;     /* bit 0 no tier, bit i the i-th tier; 0: any */
    struct filter_hours hours[FILTER_HOURS_MAX];
    minor_units minimum; /* 0: none */
    minor_units maximum; /* inclusive; 0: none */
};

enum rule_kind { RULE_SPEND = 1, RULE_ITEM = 2, RULE_VISIT = 3 };

struct base_rule {
    enum rule_kind kind;
    char name[PROGRAMME_NAME_MAX + 1];
    millipoints points;
    minor_units amount; /* RULE_SPEND: points for each whole amount of the base */
    bool exact;         /* parts of an amount or unit count too */
    struct filter filter;
};

/* How the base rules, or the offers, that apply become one. */
enum combine { COMBINE_BEST = 0, COMBINE_SUM = 1, COMBINE_FIRST = 2, COMBINE_NEWEST = 3 };

/* In which a limit counts, on the wall calendar of the zone. */
enum window {
    WINDOW_NONE = 0,
    WINDOW_DAY = 1,
    WINDOW_MONTH = 2,
    WINDOW_YEAR = 3,
    WINDOW_PERIOD = 4,
    WINDOW_EVER = 5
};

struct limit {
    enum window window; /* WINDOW_NONE: no limit. WINDOW_PERIOD: the period of its offer or reward */
    uint32_t uses;
};

/* Both days inclusive, on the wall calendar. */
struct period {
    local_day from;    /* INT32_MIN: always was */
    local_day through; /* DAY_NEVER: always will be */
};

enum offer_kind { OFFER_MULTIPLY = 1, OFFER_ADD = 2, OFFER_STAMP = 3 };

struct offer {
    enum offer_kind kind;
    char name[PROGRAMME_NAME_MAX + 1];
    uint64_t id;
    uint32_t factor;    /* MULTIPLY: thousandths, 1,000 to 10,000 */
    millipoints points; /* ADD: points once, or for each whole unit; STAMP: thousandths of a stamp, so too */
    bool per_unit;      /* ADD, STAMP: of the matching lines; else once a receipt */
    uint32_t purse;     /* STAMP: index of the purse */
    bool activate;      /* only for accounts that activated it before the purchase */
    struct limit limit;
    struct period period;
    struct filter filter;
};

/* A purse of stamps. */
struct purse {
    char name[PROGRAMME_NAME_MAX + 1];
    uint64_t id;
};
#define PROGRAMME_PURSES_MAX 8

struct caps {
    millipoints receipt, day, month, balance; /* 0: none */
    bool reject;                              /* receipt: over it earns nothing, instead of the cap */
};

enum expiry_kind { EXPIRY_NEVER = 0, EXPIRY_MONTHS = 1, EXPIRY_YEARLY = 2, EXPIRY_INACTIVE = 3 };
enum through { THROUGH_DAY = 0, THROUGH_MONTH = 1, THROUGH_QUARTER = 2, THROUGH_YEAR = 3 };

struct expiry {
    enum expiry_kind kind;
    uint32_t months; /* MONTHS; INACTIVE; YEARLY: at least so many after it matured */
    enum through through;
    uint32_t yearly_month, yearly_day; /* YEARLY: the date; 02-29 is 02-28 in other years */
};

enum tier_basis { TIER_BY_SPEND = 0, TIER_BY_POINTS = 1, TIER_BY_VISITS = 2, TIER_BY_BALANCE = 3 };
enum tier_window { TIER_WINDOW_MONTHS = 0, TIER_WINDOW_YEAR = 1, TIER_WINDOW_EVER = 2 };
enum tier_kept { TIER_KEPT_NEXT = 0, TIER_KEPT_PERIOD = 1, TIER_KEPT_DAYS = 2, TIER_KEPT_NONE = 3 };
enum tier_grace { TIER_GRACE_NONE = 0, TIER_GRACE_DAYS = 1, TIER_GRACE_MONTHS = 2 };

struct tier {
    char name[PROGRAMME_NAME_MAX + 1];
    uint64_t id;
    int64_t from;       /* minor units, thousandths of points, or receipts, by basis; rising */
    uint32_t factor;    /* thousandths, of base points; 1,000: nothing. 1,000 to 10,000 */
    millipoints points; /* a receipt with base points above zero; 0: nothing */
};
#define TIER_MONTHS_MAX 36 /* a window looks back so far at most */

struct tiers {
    uint32_t count; /* 0: no tiers */
    enum tier_basis basis;
    enum tier_window window;
    uint32_t window_months; /* 1..TIER_MONTHS_MAX */
    enum tier_kept kept;
    uint32_t kept_days;
    enum tier_grace grace;
    uint32_t grace_count;     /* days or months */
    bool grace_through_month; /* months: through the end of that month */
    bool down_one;            /* down one step, instead of to what is earned */
    bool up_next;             /* up with the next month (window months, ever) or year, not at once */
    struct tier tiers[PROGRAMME_TIERS_MAX];
};

enum reward_kind {
    REWARD_MONEY_OFF = 1,
    REWARD_PERCENT_OFF = 2,
    REWARD_ITEM = 3,    /* a free item, by code or category: a `reward` line of the receipt */
    REWARD_VOUCHER = 4, /* a code that is handed out */
    REWARD_GIFT = 5,    /* a thing from stock */
};

struct reward {
    enum reward_kind kind;
    char name[PROGRAMME_NAME_MAX + 1];
    uint64_t id;
    minor_units amount;                /* MONEY_OFF: how much; PERCENT_OFF, ITEM: at most, 0: no bound */
    uint32_t percent;                  /* PERCENT_OFF: thousandths of a per cent, 1 to 100,000 */
    char item[PROGRAMME_NAME_MAX + 1]; /* ITEM: code or category; GIFT: what it is, for people */
    bool item_is_category;
    char voucher[PROGRAMME_NAME_MAX + 1];
    millipoints cost_points; /* one of the two costs is above zero */
    int64_t cost_stamps;     /* thousandths */
    uint32_t purse;          /* of cost_stamps */
    uint32_t per;            /* a cost buys so many: ceil(quantity / per) x cost. At least 1 */
    uint32_t minimum_tier;   /* 0: any; else index + 1 of the tier */
    struct period period;
    bool has_stores; /* only in stores whose word names it */
    bool has_stock;
    uint32_t stock; /* ever given out at most */
    struct limit limit;
};

enum tax_mode { TAX_INCLUDED = 0, TAX_EXCLUDED = 1 };
enum discount_mode { DISCOUNTS_AFTER = 0, DISCOUNTS_BEFORE = 1 };
enum claw_back { CLAW_BACK_DEBT = 0, CLAW_BACK_BALANCE = 1, CLAW_BACK_OWN = 2, CLAW_BACK_PENDING = 3 };
enum pin_policy { PIN_IF_SET = 0, PIN_NEVER = 1, PIN_ALWAYS = 2 };

/* What a role may do at most without another's approval. One that is not there has no limit of its own. */
enum role_limit_kind {
    ROLE_LIMIT_ADJUST,   /* millipoints: an adjustment, up or down, a bonus, a transfer */
    ROLE_LIMIT_UNLINKED, /* minor units: the goods of a return without its purchase */
    ROLE_LIMIT_DEBT,     /* millipoints: below zero by an adjustment, and debt that is written off */
};
#define ROLE_LIMIT_KINDS 3
struct role_limits {
    uint32_t count;
    struct {
        char role[PROGRAMME_NAME_MAX + 1];
        int64_t most;
    } of[PROGRAMME_ROLES_MAX];
};

/*
 * What the office is told of, and what tills are refused (RELIABILITY.md, Audit and abuse). A number of purchases or points
 * is reached by the purchase that is judged. 0: off.
 */
#define ABUSE_COUNT_MAX ACCOUNT_RECENT_MAX
#define ABUSE_OPERATOR_DAYS ACCOUNT_RECENT_DAYS
#define ABUSE_TIME_S_MAX (24 * 60 * 60)
struct abuse_limits {
    /* Purchases of an account, up to ABUSE_COUNT_MAX. */
    uint32_t card_hour;      /* in an hour at one till */
    uint32_t card_day;       /* on a day */
    uint32_t card_day_block; /* on a day: refused */
    uint32_t operator_card;  /* with the same operator in ABUSE_OPERATOR_DAYS */
    uint32_t late_s;         /* booked more than so long after the sale */
    millipoints points_day;
    millipoints points_day_block; /* refused */
    uint32_t redeem_after_s;      /* redeemed within so long after the first earning */
    /* The tag of staff cards. A card whose owner is an operator has the tag "TAG-OPERATOR". */
    char staff_tag[PROGRAMME_NAME_MAX + 1];
    uint32_t staff_day; /* purchases of a staff card on a day, up to ABUSE_COUNT_MAX */
};

struct programme {
    uint32_t version; /* 0: not published yet */
    utc_us from;      /* in force from */
    char name[PROGRAMME_NAME_MAX * 2 + 1];
    char currency[4];
    uint32_t currency_exponent;
    uint32_t decimals;   /* of a point: 0 to 3 */
    uint32_t card_check; /* enum card_check */
    uint32_t may_earn;   /* bit n: cards of status n (enum card_status) may earn */
    uint32_t may_spend;
    enum tax_mode tax;
    enum discount_mode discounts;
    uint32_t rule_count;
    struct base_rule rules[PROGRAMME_RULES_MAX];
    enum combine rules_combine; /* BEST, SUM, FIRST */
    uint32_t offer_count;
    struct offer offers[PROGRAMME_OFFERS_MAX];
    enum combine offers_combine; /* NEWEST, BEST, SUM; stamps are outside of it */
    bool offers_need_base;
    uint32_t purse_count;
    struct purse purses[PROGRAMME_PURSES_MAX];
    struct caps caps;
    uint32_t mature_days;
    struct expiry expiry;
    struct tiers tiers;
    enum claw_back claw_back;
    bool return_spent;
    uint32_t restore_days;
    uint32_t return_days;                    /* older awards' lots are joined */
    bool unlinked_returns;                   /* are taken */
    millipoints worth_points;                /* these points */
    minor_units worth_amount;                /* are worth this, when redeemed */
    millipoints redeem_minimum, redeem_step; /* 0: none */
    bool redeem_last_part; /* one point more, of which only a part is used, so that a bill reaches zero */
    bool spend_earned;     /* redemptions of a purchase are taken after its award */
    uint32_t hold_s;       /* seconds that a hold lives if it does not say; 1 to HOLD_S_MAX */
    /* What tills may redeem on their own, without the server: points of a card on one day, and of a till in one
     * offline period. Both above zero, or both 0: nothing (DOMAIN.md, Redeeming). */
    millipoints offline_card, offline_till;
    enum pin_policy pin;
    uint32_t reward_count;
    struct reward rewards[PROGRAMME_REWARDS_MAX];
    millipoints welcome; /* a bonus when a card with a new account is issued; 0: none */
    uint32_t reason_count;
    char reasons[PROGRAMME_REASONS_MAX][PROGRAMME_NAME_MAX + 1];
    struct role_limits role_limits[ROLE_LIMIT_KINDS]; /* by enum role_limit_kind */
    struct abuse_limits abuse;
    struct receipt_texts texts;
    struct calendar calendar; /* of the programme's zone */
    uint32_t word_count;
    uint64_t word_sizes; /* bit n: there is a word of n bytes. Most codes of goods are of another size */
    struct programme_word words[PROGRAMME_WORDS_MAX];
    uint16_t word_slots[PROGRAMME_WORD_SLOTS]; /* index + 1 into words, 0: free; linear probing */
};

#define HOLD_S_DEFAULT (15 * 60)
#define HOLD_S_MAX (24 * 60 * 60)

/* The programme without a file: 1 point per whole 1.00, in EUR, UTC. */
void programme_default(struct programme *out);

/* Thousandths in the smallest part of a point that is ever booked: 1000 for decimals 0, 1 for 3. */
millipoints programme_step(const struct programme *programme);

/* FNV-1a, 64 bits, of a name; never 0. */
uint64_t programme_id(struct text name);

/* The word, or NULL if no filter names it. */
const struct programme_word *programme_word(const struct programme *programme, struct text text);
/* The same, made if it is not there. NULL: too long, empty, or the table is full. */
struct programme_word *programme_word_add(struct programme *programme, struct text text);

/* By id or by name. NULL: the programme has none. Tiers: *out_step is 1 for the lowest, 0 for none. */
const struct reward *programme_reward(const struct programme *programme, struct text name);
const struct reward *programme_reward_by_id(const struct programme *programme, uint64_t id);
const struct offer *programme_offer(const struct programme *programme, struct text name);
const struct offer *programme_offer_by_id(const struct programme *programme, uint64_t id);
const struct tier *programme_tier(const struct programme *programme, uint64_t id, uint32_t *out_step);
/* Index of a purse; PROGRAMME_PURSES_MAX: none. */
uint32_t programme_purse(const struct programme *programme, uint64_t id);
