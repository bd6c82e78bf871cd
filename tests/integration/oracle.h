/*
 * What points must do, worked out apart from the daemon: an oracle for random histories (DOMAIN.md). It shares no code
 * with daemon/, keeps everything that ever happened, and prefers the slow and plain way.
 *
 * Points are in thousandths here, and days count from 1970 on the wall calendar of the programme's zone. What has a name
 * in a programme is a number here: article 2 is "C", store 1 is "S1", offer 0 is "o0", and so on (oracle_word).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../unit/random.h"
#include "proto/message.h"

#define ORACLE_NONE SIZE_MAX
#define ORACLE_NEVER INT32_MAX /* a last day */

enum {
    ORACLE_RULES = 3,
    ORACLE_OFFERS = 6,
    ORACLE_TIERS = 2,
    ORACLE_REWARDS = 5,
    ORACLE_PURSES = 2,
    ORACLE_LINES = 5,
    ORACLE_TENDERS = 2,
    ORACLE_WISHES = 2,
    ORACLE_LOTS = 1024,
    ORACLE_TALLIES = 64,
    ORACLE_MONTHS = 240,
    ORACLE_PARTS = 16,
    ORACLE_TAKES = 128,
    ORACLE_SPENDS = 16, /* of a purchase: its own, and those that name it */
    ORACLE_VERSIONS = 8,
    ORACLE_ACCOUNTS = 64,
};

/* --- words --- */

enum oracle_words {
    WORD_ARTICLE,
    WORD_CATEGORY,
    WORD_STORE,
    WORD_TENDER,
    WORD_TAG,
    WORD_COUPON,
    WORD_OFFER,
    WORD_TIER,
    WORD_REWARD,
    WORD_PURSE,
    WORD_KINDS
};
/* How many there are of the first six. */
enum { ARTICLES = 5, CATEGORIES = 4, STORES = 2, TENDERS = 2, TAGS = 2, COUPONS = 2 };

/* A word of a kind. By value: a short text with NUL. */
struct oracle_word {
    char text[8];
};
struct oracle_word oracle_word(enum oracle_words kind, unsigned index);

/* --- the programme --- */

/* Sets are bits; 0: any. */
struct oracle_filter {
    unsigned articles, categories, not_articles, not_categories;
    unsigned stores, tenders, tags, coupons, days; /* bit 0: Monday */
    unsigned tiers;                                /* bit 0: none */
    unsigned hour_from, hour_until;                /* whole hours; both 0: any */
    int64_t minimum, maximum;                      /* 0: none */
    bool of_lines;
};

enum oracle_window { EACH_NONE, EACH_DAY, EACH_MONTH, EACH_YEAR, EACH_PERIOD, EACH_EVER };

enum oracle_rule_kind { BASE_SPEND = 1, BASE_ITEM, BASE_VISIT };
struct oracle_rule {
    enum oracle_rule_kind kind;
    int64_t points, amount;
    bool exact;
    struct oracle_filter filter;
};

enum oracle_offer_kind { GIVE_MULTIPLY = 1, GIVE_ADD, GIVE_STAMP };
struct oracle_offer {
    enum oracle_offer_kind kind;
    int64_t factor, points; /* thousandths */
    bool per_unit, activate;
    unsigned purse;
    enum oracle_window window;
    int64_t uses;
    int32_t from, through; /* 0: always */
    struct oracle_filter filter;
};

enum oracle_expiry { LASTS_EVER, LASTS_MONTHS, LASTS_YEARLY, LASTS_ACTIVE };
enum oracle_basis { BASIS_SPEND, BASIS_POINTS, BASIS_VISITS, BASIS_BALANCE };
enum oracle_tier_window { SUM_YEAR, SUM_EVER, SUM_MONTHS };
enum oracle_kept { KEPT_NEXT, KEPT_PERIOD, KEPT_NONE, KEPT_DAYS };
enum oracle_claw_back { CLAW_DEBT, CLAW_BALANCE, CLAW_OWN, CLAW_PENDING };
enum oracle_reward_kind { FOR_MONEY = 1, FOR_PERCENT, FOR_ITEM, FOR_VOUCHER, FOR_GIFT };

struct oracle_tier {
    int64_t from, factor, points;
};

struct oracle_reward {
    enum oracle_reward_kind kind;
    int64_t amount;  /* FOR_MONEY: off; FOR_PERCENT, FOR_ITEM: at most, 0: no bound */
    int64_t percent; /* thousandths of a per cent */
    unsigned article;
    int64_t points, stamps;
    unsigned purse, tier;
    int64_t per, stock; /* stock 0: no end */
    enum oracle_window window;
    int64_t uses;
};

enum { BEST, SUM, FIRST, NEWEST };

struct oracle_programme {
    int64_t from_us; /* in force from */
    unsigned decimals;
    bool berlin, tax_excluded, discounts_before;
    unsigned rule_count, rules_combine, offer_count, offers_combine, tier_count, reward_count;
    bool offers_without_base;
    struct oracle_rule rules[ORACLE_RULES];
    struct oracle_offer offers[ORACLE_OFFERS];
    int64_t cap_receipt, cap_day, cap_month, cap_balance;
    bool cap_rejects;
    int32_t mature_days;
    enum oracle_expiry expiry;
    int32_t expiry_months, through_months; /* through the end of 1, 3, 12 months; 0: that day */
    unsigned yearly_month, yearly_day;
    enum oracle_basis basis;
    enum oracle_tier_window sum;
    int32_t sum_months;
    enum oracle_kept kept;
    int32_t kept_days;  /* KEPT_DAYS */
    int32_t grace_days; /* KEPT_DAYS: 0: none */
    bool down_one;      /* KEPT_DAYS */
    struct oracle_tier tiers[ORACLE_TIERS];
    enum oracle_claw_back claw_back;
    bool keep_spent, no_unlinked;
    int32_t restore_days;
    int64_t worth_points, worth_amount, redeem_minimum, redeem_step;
    bool last_part, spend_earned;
    struct oracle_reward rewards[ORACLE_REWARDS];
    int64_t welcome;
};

/* Makes one up. today: a day near which its periods lie. Its decimals and zone are those of `before`, if that is not
 * NULL, for they never change. */
void oracle_programme_make(struct random *random, int32_t today, const struct oracle_programme *before,
                           struct oracle_programme *out);
/* Its text; to be freed. */
char *oracle_programme_text(const struct oracle_programme *programme);
/* Thousandths in the smallest part of a point. */
int64_t oracle_step(const struct oracle_programme *programme);

/* --- days --- */

int32_t oracle_day(const struct oracle_programme *programme, int64_t time_us, int32_t *out_minute);
int32_t oracle_month(int32_t day); /* since January 1970 */
int32_t oracle_month_end(int32_t month);
int32_t oracle_add_months(int32_t day, int32_t months);
int32_t oracle_window_start(enum oracle_window window, const struct oracle_offer *period, int32_t day);

/* --- what happened --- */

struct oracle_lot {
    bool by_purchase, pending, counts;
    int32_t inactive_months;
    int64_t points, held; /* points 0: there is none of this number */
    int32_t earned, matures, last_day;
};

/* Points that were taken of a lot, as it was. */
struct oracle_take {
    uint32_t number;
    int64_t points;
    struct oracle_lot lot;
};
struct oracle_takes {
    uint32_t count;
    struct oracle_take take[ORACLE_TAKES];
};

enum oracle_tally_kind { TALLY_OF_DAY, TALLY_OF_MONTH, TALLY_OF_OFFER, TALLY_OF_REWARD };
struct oracle_tally {
    enum oracle_tally_kind kind;
    unsigned id;
    int32_t period, before; /* INT32_MIN: none */
    int64_t value, value_before;
};

struct oracle_account {
    bool suspense, closed;
    size_t merged_into; /* ORACLE_NONE */
    unsigned cards, tags, activated;
    uint32_t next_lot;
    struct oracle_lot lots[ORACLE_LOTS]; /* by number */
    int64_t expired[ORACLE_LOTS];        /* of each, for its return */
    int64_t debt, lifetime;
    int64_t last_purchase_us;
    int32_t last_purchase_day;
    int64_t stamps[ORACLE_PURSES], stamps_held[ORACLE_PURSES];
    unsigned tally_count;
    struct oracle_tally tallies[ORACLE_TALLIES];
    int64_t months[BASIS_BALANCE][ORACLE_MONTHS]; /* by basis, from 24 months before the beginning */
    unsigned tier;
    int32_t tier_through; /* KEPT_DAYS: the last day of the tier, if there is one */
    int64_t tier_sum;     /* KEPT_DAYS: what counted by the day that it was reached */
    int32_t today;        /* the midnight that it has seen */
};

enum oracle_card_status {
    CARD_IS_UNKNOWN = 0,
    CARD_IS_ACTIVE = 1,
    CARD_IS_BLOCKED,
    CARD_IS_REPLACED,
    CARD_IS_CLOSED,
    CARD_IS_WAITING
};
struct oracle_card {
    char number[16];
    enum oracle_card_status status;
    size_t account;
    size_t waiting; /* the account of what it earned while it might not; ORACLE_NONE */
};

struct oracle_line {
    unsigned article, category; /* category CATEGORIES: none */
    int64_t amount, units, tax; /* units in thousandths */
    enum { LINE_OF_SALE, LINE_OF_DISCOUNT, LINE_OF_REWARD, LINE_OF_DEPOSIT } kind;
};

/* What is wanted for points; reward ORACLE_REWARDS: points. hold: index of a hold to capture; ORACLE_NONE: direct. */
struct oracle_wish {
    unsigned reward;
    int64_t points; /* thousandths */
    int64_t quantity;
    size_t hold;
    unsigned line; /* from 1; 0: none */
};

/* A receipt. */
struct oracle_receipt {
    unsigned card;
    int64_t amount, time_us;
    unsigned store;
    unsigned line_count, tender_count, coupons, wish_count;
    struct oracle_line lines[ORACLE_LINES];
    struct {
        unsigned kind;
        int64_t amount;
    } tenders[ORACLE_TENDERS];
    struct oracle_wish wishes[ORACLE_WISHES];
};

/* What came back of something that was spent. */
struct oracle_spend_back {
    int64_t points, stamps, quantity;
};

/* Something that was spent. */
struct oracle_spend {
    struct oracle_wish wish;
    size_t account;
    enum oracle_reward_kind kind; /* 0: points */
    int64_t per;                  /* of the reward */
    int64_t points, stamps, worth;
    unsigned purse;
    int32_t period; /* in which its use counts; INT32_MIN: it does not */
    struct oracle_takes takes;
    struct oracle_spend_back back;
    bool undone;
    size_t own;  /* the redemption or capture that it is; ORACLE_NONE: of a purchase */
    size_t sale; /* the purchase that it is for; ORACLE_NONE */
};

enum oracle_part_kind { PART_OF_RULE, PART_OF_TIER, PART_OF_OFFER };
struct oracle_part {
    enum oracle_part_kind kind;
    unsigned index; /* of the rule or offer; of the tier, 1 the lowest */
    int64_t result; /* points or stamps */
};

struct oracle_award {
    int64_t base, base_points, earned;
    unsigned rules_won;
    unsigned part_count;
    struct oracle_part parts[ORACLE_PARTS];
};

/* What comes back in a return, or came back in all of them. */
struct oracle_back {
    int64_t units[ORACLE_LINES], units_by_amount[ORACLE_LINES];
    int64_t by_amount; /* minor units of what counts by its amount */
    int64_t due, base, expired, owed_again;
    int64_t stamps[ORACLE_PARTS]; /* by part */
    unsigned uses;                /* bit i: of offer i */
    bool visit;
};

struct oracle_purchase {
    struct oracle_receipt receipt;
    size_t account; /* of the award */
    unsigned version;
    int32_t day;
    int64_t paid;
    int64_t line_base[ORACLE_LINES]; /* [0]: of a receipt without lines */
    struct oracle_award award;
    unsigned tier;
    uint32_t lot;
    int64_t settled;
    int32_t matures, last_day;
    struct {
        int32_t period;
        bool counted;
    } offer_use[ORACLE_OFFERS], cap_day, cap_month;
    bool counted_spend, counted_visit, counted_points;
    size_t spend_count;
    size_t spends[ORACLE_SPENDS]; /* its own, then those that name it */
    struct oracle_back back;
    bool reversed;
};

struct oracle_return {
    size_t sale;
    struct oracle_back back;
    int64_t own_taken, taken, owed; /* taken: all of it; owed: as debt */
    struct oracle_takes takes;
    struct oracle_takes adds; /* where spent points went that came back */
    int64_t given_back;
    struct oracle_spend_back spends[ORACLE_SPENDS]; /* of those of the purchase, in their order */
    bool reversed;
};

struct oracle_hold {
    size_t account;
    struct oracle_spend spend; /* what it is for; its takes are the parts that it holds */
    int64_t deadline_us;
    enum { HELD, HOLD_WAS_CAPTURED, HOLD_WAS_RELEASED } state;
    size_t captured_by; /* spend */
};

/* Every request that was booked, by what it was. */
enum oracle_kind {
    DID_PURCHASE,
    DID_RETURN,
    DID_REDEEM,
    DID_HOLD,
    DID_CAPTURE,
    DID_NOTHING_LASTING,
    DID_REFUSE
};
struct oracle_event {
    enum oracle_kind kind;
    size_t index; /* of the purchase, return, hold, or spend */
    uint64_t position;
    uint64_t number; /* of its lane */
    bool reversed;
};

struct oracle {
    int64_t now_us; /* give or take some minutes */
    int32_t today, first_month;
    unsigned version_count;
    struct oracle_programme versions[ORACLE_VERSIONS];
    int64_t given_out[ORACLE_REWARDS];
    struct oracle_takes *adds; /* where to write down what comes back; NULL: nowhere */
    unsigned card_count;
    struct oracle_card cards[ORACLE_ACCOUNTS];
    size_t account_count;
    struct oracle_account *accounts[ORACLE_ACCOUNTS];
    size_t purchase_count, return_count, spend_count, hold_count;
    struct oracle_purchase **purchases;
    struct oracle_return **returns;
    struct oracle_spend **spends;
    struct oracle_hold **holds;
};

/* What an answer says; what one does not say is zero. */
struct oracle_answer {
    enum result result;
    int64_t needed, available; /* of a refusal, and of all others */
    int64_t pending, debt;
    int64_t earned, redeemed, paid, worth, stamps;
    int64_t taken, given_back, shortfall, held, amount;
    unsigned tier, outcome;
};

struct oracle *oracle_new(int64_t now_us, const struct oracle_programme *first);
void oracle_free(struct oracle *oracle);

/* The programme that rates what happened at a time, and the one in force now. */
const struct oracle_programme *oracle_then(const struct oracle *oracle, int64_t time_us);
const struct oracle_programme *oracle_now(const struct oracle *oracle);

/* Time goes on to this moment: holds end, midnights pass. */
void oracle_go_to(struct oracle *oracle, int64_t now_us);

/* The account of a card, merges followed; NULL: the card is unknown. */
struct oracle_account *oracle_account_of(const struct oracle *oracle, unsigned card);
size_t oracle_account_index(const struct oracle *oracle, size_t account);

/* --- requests: each answers as the daemon must; *out_index, where there is one, is what was booked --- */

void oracle_issue(struct oracle *oracle, unsigned card, struct oracle_answer *out);
void oracle_buy(struct oracle *oracle, const struct oracle_receipt *receipt, bool book,
                struct oracle_answer *out, size_t *out_purchase);
/* units of each line (thousandths; 0: nothing of it), or, if none is said, an amount. */
void oracle_bring_back(struct oracle *oracle, unsigned card, size_t purchase,
                       const int64_t units[ORACLE_LINES], int64_t amount, struct oracle_answer *out,
                       size_t *out_return);
void oracle_unlinked(struct oracle *oracle, unsigned card, int64_t amount, struct oracle_answer *out);
/* sale: the purchase that it names; ORACLE_NONE: none. bill below zero: not said. */
void oracle_redeem(struct oracle *oracle, unsigned card, const struct oracle_wish *wish, int64_t bill,
                   size_t sale, struct oracle_answer *out, size_t *out_spend);
void oracle_hold(struct oracle *oracle, unsigned card, const struct oracle_wish *wish, int64_t bill,
                 int64_t seconds, struct oracle_answer *out, size_t *out_hold);
void oracle_capture(struct oracle *oracle, unsigned card, size_t hold, int64_t points, int64_t bill,
                    struct oracle_answer *out, size_t *out_spend);
void oracle_release(struct oracle *oracle, unsigned card, size_t hold, struct oracle_answer *out);
void oracle_reverse(struct oracle *oracle, enum oracle_kind kind, size_t index, struct oracle_answer *out);
void oracle_adjust(struct oracle *oracle, unsigned card, int64_t points, bool allow_debt,
                   struct oracle_answer *out);
void oracle_bonus(struct oracle *oracle, unsigned card, int64_t points, struct oracle_answer *out);
void oracle_write_off(struct oracle *oracle, unsigned card, struct oracle_answer *out);
void oracle_transfer(struct oracle *oracle, unsigned from, unsigned to, int64_t points,
                     struct oracle_answer *out);
void oracle_merge(struct oracle *oracle, unsigned from, unsigned to, struct oracle_answer *out);
void oracle_tag(struct oracle *oracle, unsigned card, unsigned set, unsigned clear,
                struct oracle_answer *out);
void oracle_activate(struct oracle *oracle, unsigned card, unsigned offer, bool off,
                     struct oracle_answer *out);
void oracle_card_act(struct oracle *oracle, unsigned card, enum operation act, struct oracle_answer *out);
void oracle_card_new(struct oracle *oracle, unsigned card, unsigned new_card, bool replaces,
                     struct oracle_answer *out);

/* What a balance says. */
void oracle_balance(const struct oracle *oracle, const struct oracle_account *account,
                    struct oracle_answer *out);
