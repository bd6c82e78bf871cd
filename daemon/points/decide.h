/*
 * Decisions: (state, request, time) -> an event with its effects, or a refusal with a reason. Pure:
 * no socket, file, clock, allocation or LMDB; nothing is changed. After its last check nothing in a
 * decision may fail.
 */
#pragma once

#include "base/base.h"
#include "base/text.h"
#include "base/units.h"
#include "points/account.h"
#include "points/event.h"
#include "points/programme.h"

/* Why not. Highest precedence first: the first that applies is the answer. */
enum refusal {
    REFUSAL_NONE = 0,
    REFUSAL_INVALID_CARD_NUMBER,
    REFUSAL_LINES_MISMATCH,
    REFUSAL_CARD_EXISTS,
    REFUSAL_UNKNOWN_CARD,
    REFUSAL_CARD_CLOSED,
    REFUSAL_CARD_REPLACED,
    REFUSAL_CARD_BLOCKED,
    REFUSAL_UNKNOWN_PURCHASE,
    REFUSAL_OTHER_ACCOUNT,
    REFUSAL_UNKNOWN_LINE,
    REFUSAL_MORE_THAN_SOLD,
    REFUSAL_UNKNOWN_REASON,
    REFUSAL_NOT_ENOUGH_POINTS,
    REFUSAL_OVER_LIMIT,
};

/* How decisions read state. Values are copied out; false: no such record. */
struct points_view {
    void *ctx;
    bool (*card)(void *ctx, struct text number, struct card *out);
    /* Follows merges: out->number may be another. */
    bool (*account)(void *ctx, account_number number, struct account *out);
    bool (*returned)(void *ctx, journal_position sale, struct returned *out);
    /* NULL: no such version. 0: the one in force at `time`. */
    const struct programme *(*programme)(void *ctx, uint32_t version, utc_us time);
    account_number (*next_account)(void *ctx);
    card_id (*next_card)(void *ctx);
};

/* Where decisions put what an event borrows, made once by the caller and used again for each. */
struct decision {
    struct event event; /* valid if refusal is REFUSAL_NONE */
    enum refusal refusal;
    millipoints needed, available; /* of REFUSAL_NOT_ENOUGH_POINTS */
    char detail[160];              /* what exactly, for people; "" if the refusal says it all */
    struct account account;        /* before the event; number 0: no account was found */
    struct account after;          /* after it (a new debt's cause is 0); for answers see points_balance */
    struct lot_change lot_changes[EFFECT_LOT_CHANGES_MAX];
    struct returned returned;
    struct returned_line returned_lines[LINES_MAX];
    struct sale_line lines[LINES_MAX];
};

/* When and how a request is judged. */
struct judgement {
    utc_us now;     /* ledger time */
    uint32_t flags; /* EVENT_FLAG_ADVICE, _HISTORIC, _SERVER_LOST of the request */
};

struct purchase_request {
    struct text card;
    minor_units amount;
    utc_us time;              /* 0: now */
    struct document document; /* business_date 0: of its time; filled into the event */
    struct text operator;
    uint32_t line_count;
    const struct sale_line *lines; /* base is not looked at */
    uint32_t tender_count;
    struct tender *tenders;
    uint32_t coupon_count;
    struct text *coupons;
};

struct return_request {
    struct text card;
    utc_us time;
    struct document document;
    struct text operator;
    minor_units amount; /* if line_count is 0 */
    uint32_t line_count;
    const struct return_request_line *lines;
    /* The purchase, as read back from the journal, and where it stands; NULL: it is not known. */
    const struct event *sale;
    journal_position sale_position;
};

struct return_request_line {
    uint32_t number;         /* from 1; 0: the first with this code that has enough left */
    millis_of_unit quantity; /* 0: all that is left */
    struct text code;
};

struct unlinked_return_request {
    struct text card;
    minor_units amount;
    utc_us time;
    struct document document;
    struct text operator;
    uint32_t line_count;
    const struct sale_line *lines;
};

struct redeem_request {
    struct text card;
    millipoints points; /* above zero */
    utc_us time;
    struct text store, till, operator;
};

struct adjust_request {
    struct text card;
    millipoints points; /* not zero */
    struct text reason, note, operator;
    bool allow_debt;
};

struct issue_request {
    struct text card;
    uint32_t count;
    /* The i-th number of the range; false: there is none. By service, from proto's card rules. */
    bool (*number_after)(const void *ctx, uint64_t step, uint32_t check, char out[32], size_t *out_size);
    const void *ctx;
    bool check_valid; /* the (first) number's check digit is right */
};

/*
 * Whether lines have the signs of their kinds and add up to the amount. None: they do. If not, the decision holds
 * the refusal. The decisions ask this themselves; it goes before `receipt already used`, so whoever knows of
 * receipts asks it before.
 */
bool decide_lines_fit(struct decision *decision, minor_units amount, uint32_t line_count,
                      const struct sale_line *lines);

/*
 * Each fills *decision whole: event (without request, fingerprint, content, answer) or refusal. The
 * event's borrowed parts live in decision and in the request.
 */
void decide_issue(const struct points_view *view, const struct judgement *judgement,
                  const struct issue_request *request, struct decision *decision);
void decide_purchase(const struct points_view *view, const struct judgement *judgement,
                     const struct purchase_request *request, struct decision *decision);
void decide_return(const struct points_view *view, const struct judgement *judgement,
                   const struct return_request *request, struct decision *decision);
void decide_unlinked_return(const struct points_view *view, const struct judgement *judgement,
                            const struct unlinked_return_request *request, struct decision *decision);
void decide_redeem(const struct points_view *view, const struct judgement *judgement,
                   const struct redeem_request *request, struct decision *decision);
void decide_adjust(const struct points_view *view, const struct judgement *judgement,
                   const struct adjust_request *request, struct decision *decision);

/*
 * The time a request is judged at (DOMAIN.md, Numbers): its own within -31 days and +1 day of now, or if
 * historic; else now, and *out_flags gets EVENT_FLAG_SERVER_TIME.
 */
utc_us judged_time(const struct judgement *judgement, utc_us time, uint32_t *out_flags);

/* What a balance answer says. */
struct balance {
    millipoints available, pending, held, debt, lifetime;
    local_day next_expiry; /* DAY_NEVER: nothing expires */
    millipoints next_expiry_points;
};
void points_balance(const struct account *account, local_day today, struct balance *out);
