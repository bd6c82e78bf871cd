/*
 * Decisions: (state, request, time) -> an event with its effects, or a refusal with a reason. Pure:
 * no socket, file, clock, allocation or LMDB; nothing is changed. After its last check nothing in a
 * decision may fail.
 *
 * What was due by itself comes first: a decision on an account with something due today or before (account_due_day)
 * refuses with REFUSAL_DAY_FIRST and names it in day_first; the caller books decide_day of that account, and asks again.
 */
#pragma once

#include "base/base.h"
#include "base/text.h"
#include "base/units.h"
#include "points/account.h"
#include "points/event.h"
#include "points/programme.h"
#include "points/rating.h"

/* Why not. Highest precedence first: the first that applies is the answer. The names are those of results.def. */
enum refusal {
    REFUSAL_NONE = 0,
    REFUSAL_DAY_FIRST, /* no answer to a client: see above */
    REFUSAL_INVALID_CARD_NUMBER,
    REFUSAL_LINES_MISMATCH,
    REFUSAL_CARD_EXISTS,
    REFUSAL_UNKNOWN_CARD,
    REFUSAL_CARD_CLOSED,
    REFUSAL_CARD_REPLACED,
    REFUSAL_CARD_BLOCKED,
    REFUSAL_CARD_NOT_BLOCKED,
    REFUSAL_ACCOUNT_CLOSED,
    REFUSAL_SAME_ACCOUNT,
    REFUSAL_UNKNOWN_HOLD,
    REFUSAL_HOLD_ENDED,
    REFUSAL_UNKNOWN_PURCHASE,
    REFUSAL_OTHER_ACCOUNT,
    REFUSAL_CANNOT_BE_REVERSED,
    REFUSAL_DOES_NOT_MATCH,
    REFUSAL_PURCHASE_REVERSED, /* a return of, or redemption for, a purchase that was undone */
    REFUSAL_UNKNOWN_LINE,
    REFUSAL_MORE_THAN_SOLD,
    REFUSAL_UNLINKED_OFF,
    REFUSAL_UNKNOWN_REASON,
    REFUSAL_UNKNOWN_REWARD,
    REFUSAL_UNKNOWN_OFFER,
    REFUSAL_NOT_OFFERED, /* a reward or offer: not now, not in this store, not at this tier, nothing to activate */
    REFUSAL_PIN_NEEDED,
    REFUSAL_PIN_WRONG,
    REFUSAL_PIN_LOCKED,
    REFUSAL_OUT_OF_STOCK,
    REFUSAL_LIMIT_REACHED, /* of the account, for this reward */
    REFUSAL_MORE_THAN_HELD,
    REFUSAL_BELOW_MINIMUM, /* after all cuts, fewer points than the programme takes at once */
    REFUSAL_NOT_ENOUGH_STAMPS,
    REFUSAL_NOT_ENOUGH_POINTS,
    REFUSAL_NOTHING_TO_DO,  /* a write-off without debt, an award moved that is gone */
    REFUSAL_NEEDS_APPROVAL, /* above the limit of the role */
    REFUSAL_OVER_LIMIT,
    REFUSAL_TOO_OFTEN, /* at a till: the account was used too often today, or earned too much */
};

/* How decisions read state. Values are copied out; false: no such record. */
struct points_view {
    void *ctx;
    bool (*card)(void *ctx, struct text number, struct card *out);
    /* Follows merges: out->number may be another, and out->lot_offset is then what its lot numbers are off by; else 0. */
    bool (*account)(void *ctx, account_number number, struct account *out);
    bool (*returned)(void *ctx, journal_position sale, struct returned *out);
    bool (*hold)(void *ctx, journal_position hold, struct hold_state *out);
    /* 0: nothing was given out. */
    int64_t (*reward_used)(void *ctx, uint64_t reward);
    /* The event that undid the one at `original`; 0: it stands. */
    journal_position (*reversed_by)(void *ctx, journal_position original);
    /* NULL: no such version. 0: the one in force at `time`. */
    const struct programme *(*programme)(void *ctx, uint32_t version, utc_us time);
    account_number (*next_account)(void *ctx);
    card_id (*next_card)(void *ctx);
};

/* One account of a decision. */
struct decision_side {
    struct account before; /* number 0: no account was found */
    struct account after;  /* a new debt's cause and a new hold's id are 0; for answers see points_balance */
    struct lot_change lot_changes[EFFECT_LOT_CHANGES_MAX];
    struct account_change changes[EFFECT_CHANGES_MAX];
};

/* A return on its way: by line of the purchase, from 0. About 150 KiB. */
struct goods_work {
    millis_of_unit gone[LINES_MAX];           /* came back before */
    millis_of_unit gone_by_amount[LINES_MAX]; /* of it: after an amount */
    millis_of_unit now[LINES_MAX];            /* comes back now */
    uint32_t slot_count;
    /* By code: the first line with it that may have something left, from 1; 0: free. */
    uint16_t slots[2 * LINES_MAX];
    uint16_t next[LINES_MAX]; /* the next line with the same code, from 1; 0: none */
};

/* Where decisions put what an event borrows, made once by the caller and used again for each. */
struct decision {
    struct event event; /* valid if refusal is REFUSAL_NONE */
    enum refusal refusal;
    account_number day_first; /* of REFUSAL_DAY_FIRST */
    /* Of _NOT_ENOUGH_POINTS, _BELOW_MINIMUM, _MORE_THAN_HELD; of _NOT_ENOUGH_STAMPS: thousandths of stamps. Else 0. */
    millipoints needed, available;
    char detail[160]; /* what exactly, for people; "" if the refusal says it all */
    struct decision_side sides[EVENT_EFFECTS_MAX]; /* [0]: of event.effects[0], and so on */
    /* What else it works with. */
    struct rating rating;
    struct returned returned;
    struct goods_work goods;
    struct returned_line returned_lines[LINES_MAX];
    struct sale_line lines[LINES_MAX];
    struct redemption redemptions[REDEMPTIONS_MAX];
    struct redemption_back backs[SPENT_BACK_MAX];
    struct waiting_line waiting_lines[LINES_MAX];
};

/* When, how and by whom a request is judged. */
struct judgement {
    utc_us now;       /* ledger time */
    uint32_t flags;   /* EVENT_FLAG_ADVICE, _HISTORIC, _SERVER_LOST, _OFFLINE of the request */
    struct text role; /* of the identity, for the limits of roles; "admin": none applies */
    bool approved;    /* by a second identity: no limit of a role applies */
    bool till;        /* of role till: the limits of abuse refuse its requests */
};

/*
 * The PIN that came with a request, as far as it is known (DOMAIN.md, Cards). A try is counted as wrong by
 * decide_pin_try before it is checked; a locked account refuses that, and the PIN is not checked. So a right
 * one stands, even if it was the last try. A quote asks for none: PIN_RIGHT.
 */
enum pin_check { PIN_NOT_GIVEN = 0, PIN_RIGHT = 1, PIN_WRONG = 2, PIN_UNCHECKED = 3 };

/* What is asked for in exchange for points or stamps. */
struct wish {
    struct text reward;    /* name; empty: by points */
    uint32_t quantity;     /* of the reward; 0: 1 */
    millipoints points;    /* by points: so many. Else what the till thinks it costs: a hint, not looked at */
    journal_position hold; /* a capture of this hold instead, of up to `points` (0: all of it); 0: direct */
    uint32_t line;         /* of the purchase that is the reward, from 1; 0: none */
    /* What an advice's capture needs of a hold that has ended: its event, read back; NULL: it is not known. */
    const struct event *hold_event;
};

struct purchase_request {
    struct text card; /* empty, in a quote: a new account is rated */
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
    uint32_t wish_count; /* up to REDEMPTIONS_MAX */
    const struct wish *wishes;
    enum pin_check pin;
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
    struct document sale_document; /* it was looked for by this: an advice waits for it; number empty: none */
    journal_position waiting;      /* a return that waits for the same purchase already; 0: none */
    /*
     * Redemptions that named the purchase (struct returned, spent), read back: in that order. NULL: it is one of the
     * purchase's own, or cannot be read now: then what it spent is left alone.
     */
    const struct event *spent_events[SPENT_BACK_MAX];
};

struct return_request_line {
    uint32_t number; /* from 1; 0: those with this code, from the first on, until the quantity is reached */
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

/* Where a request comes from. */
struct place {
    struct text store, till, operator;
    local_day business_date; /* as sent; 0: not */
};

struct redeem_request {
    struct text card;
    struct wish wish; /* no capture */
    minor_units bill; /* 0: not said, no cap */
    utc_us time;
    struct place place;
    enum pin_check pin;
    /* The purchase it names, as in a return; sale_position 0: none is named. */
    const struct event *sale;
    journal_position sale_position;
};

struct hold_request {
    struct text card;
    struct wish wish; /* no capture */
    minor_units bill;
    uint32_t seconds; /* 0: the programme's default */
    utc_us time;
    struct place place;
    enum pin_check pin;
};

struct capture_request {
    struct text card;
    journal_position hold;
    millipoints points; /* up to what it holds; 0: all of it */
    minor_units bill;   /* 0: not said */
    utc_us time;
    struct place place;
    const struct event *hold_event; /* read back; NULL: it is not known */
};

struct release_request {
    struct text card; /* empty: the daemon's own, its deadline has passed */
    journal_position hold;
    utc_us time;
    struct place place;
    const struct event *hold_event; /* read back; NULL: it is not known. Not needed for a time-out */
    bool timed_out;
};

struct reversal_request {
    struct request_name original; /* identity, epoch, number */
    struct text card;             /* of the original, if the till says it; else empty */
    minor_units amount;           /* of the original, if said; -1: not */
    utc_us time;
    struct place place;
    /*
     * The event that the number made. The caller follows a TIE, and a return that waited to the return that it became.
     * NULL: never seen.
     */
    const struct event *event;
    journal_position position;
    /*
     * If the original is a hold: the event that ended it, if any. If it belongs to a purchase: the purchase. These must be
     * there.
     */
    const struct event *ended;
    journal_position ended_position;
    const struct event *sale;
    journal_position sale_position;
    const struct event *spent_events[SPENT_BACK_MAX]; /* of a purchase, as in a return */
};

struct adjust_request {
    struct text card;
    millipoints points; /* not zero */
    struct text reason, note, operator;
    bool allow_debt;
};

struct bonus_request {
    struct text card;
    millipoints points; /* above zero */
    struct text reason, note, operator;
};

struct write_off_request {
    struct text card;
    millipoints points; /* 0: all of the debt */
    struct text reason, note, operator;
};

struct transfer_request {
    struct text from_card, to_card;
    millipoints points; /* above zero; only free ones */
    struct text reason, note, operator;
};

struct award_move_request {
    struct text to_card;
    const struct event *sale; /* NULL: it is not known */
    journal_position sale_position;
    struct text reason, operator;
};

struct merge_request {
    struct text from_card, to_card; /* the account of from goes into that of to */
    struct text reason, operator;
};

/* What is done to a card. */
enum card_act { CARD_ACT_BLOCK = 1, CARD_ACT_UNBLOCK = 2, CARD_ACT_CLOSE = 3 };
struct card_act_request {
    enum card_act act;
    struct text card;
    struct text reason, operator;
};

struct card_replace_request {
    struct text old_card, new_card;
    bool check_valid; /* the new number's check digit is right */
    struct text reason, operator;
};

struct card_add_request {
    struct text card; /* one of the account */
    struct text new_card;
    bool check_valid;
    struct text operator;
};

struct tag_request {
    struct text card;
    uint32_t set_count, clear_count; /* up to ACCOUNT_TAGS_MAX each */
    const struct text *set, *clear;
    struct text operator;
};

struct activate_request {
    struct text card;
    struct text offer;
    bool off; /* takes it back */
    struct text operator;
};

struct pin_set_request {
    struct text card;
    struct account_pin pin; /* set false: takes it off; wrong is not looked at */
    struct text operator;
};

struct pin_try_request {
    struct text card;
    bool right; /* it was checked, and right: the count begins anew, though what it came with is refused */
};

struct issue_request {
    struct text card;
    uint32_t count;
    /* The i-th number of the range; false: there is none. By service, from proto's card rules. */
    bool (*number_after)(const void *ctx, uint64_t step, uint32_t check, char out[32], size_t *out_size);
    const void *ctx;
    bool check_valid; /* the (first) number's check digit is right */
    struct text operator;
};

/*
 * Whether lines have the signs of their kinds and add up to the amount, and those of goods to an amount, too. None:
 * they do. If not, the decision holds the refusal. The decisions ask this themselves; it goes before
 * `receipt already used`, so whoever knows of receipts asks it before.
 */
bool decide_lines_fit(struct decision *decision, minor_units amount, uint32_t line_count,
                      const struct sale_line *lines);

/*
 * Each fills *decision whole: event (without request, fingerprint, content, answer) or refusal. The
 * event's borrowed parts live in decision and in the request. What booked nothing (quote, preview) is asked by the same
 * function: the caller throws the event away.
 */
#define DECIDE(name, type)                                                                                   \
    void decide_##name(const struct points_view *view, const struct judgement *judgement,                    \
                       const struct type *request, struct decision *decision)
DECIDE(issue, issue_request);
DECIDE(purchase, purchase_request);
DECIDE(return, return_request);
DECIDE(unlinked_return, unlinked_return_request);
DECIDE(redeem, redeem_request);
DECIDE(hold, hold_request);
DECIDE(capture, capture_request);
DECIDE(release, release_request);
DECIDE(reversal, reversal_request);
DECIDE(adjust, adjust_request);
DECIDE(bonus, bonus_request);
DECIDE(write_off, write_off_request);
DECIDE(transfer, transfer_request);
DECIDE(award_move, award_move_request);
DECIDE(merge, merge_request);
DECIDE(card_act, card_act_request);
DECIDE(card_replace, card_replace_request);
DECIDE(card_add, card_add_request);
DECIDE(tag, tag_request);
DECIDE(activate, activate_request);
DECIDE(pin_set, pin_set_request);
/* A PIN that came with a request, counted as wrong before it is checked. */
DECIDE(pin_try, pin_try_request);

/* What rating made of a quote's or purchase's goods stays in decision->rating. A quote: as a purchase, without its key. */

/*
 * EVENT_DAY of an account: every midnight since the last one, in order: mature, settle, expire, tiers (DOMAIN.md, Lots).
 * False: nothing is due.
 */
PUNKT_MUST_CHECK bool decide_day(const struct points_view *view, utc_us now, account_number account,
                                 struct decision *decision);
/* The same done to a copy, for reads: the account as it is on a day. */
void account_on_day(const struct programme *programme, local_day today, struct account *inout_account,
                    struct decision *scratch);

/*
 * The time a request is judged at (DOMAIN.md, Numbers): its own within -31 days (if historic: whatever its age) and +1 day of
 * now; else now, and *out_flags gets EVENT_FLAG_SERVER_TIME.
 */
utc_us judged_time(const struct judgement *judgement, utc_us time, uint32_t *out_flags);

/* What a balance answer says. */
struct balance {
    millipoints available, pending, held, debt, lifetime;
    local_day next_expiry; /* DAY_NEVER: nothing expires */
    millipoints next_expiry_points;
};
void points_balance(const struct account *account, local_day today, struct balance *out);

/*
 * Of the rewards for points that are offered today in a store ("": in none) and at the account's tier, and of which it may
 * have one more, the cheapest that costs more than it can spend; and how many points are missing. NULL: there is none.
 */
const struct reward *points_next_reward(const struct points_view *view, const struct programme *programme,
                                        const struct account *account, struct text store, local_day today,
                                        millipoints *out_missing);
