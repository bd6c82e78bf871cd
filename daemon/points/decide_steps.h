/*
 * The steps that several decisions share. Private to points. Those that can refuse answer false, and
 * have filled the refusal.
 */
#pragma once

#include "base/base.h"
#include "base/text.h"
#include "base/units.h"
#include "points/decide.h"

struct maker;

/* Refuses, and says what exactly. An empty format: the refusal says it all. */
PUNKT_PRINTF(3, 4)
void decide_refuse(struct decision *decision, enum refusal refusal, const char *format, ...);

/* Refuses for want of points. */
void decide_refuse_points(struct decision *decision, millipoints needed, millipoints available);

/* Begins: empties the decision; the event happened at `time` (0: now), as judged; its day is today's. */
void decide_begin(const struct points_view *view, const struct judgement *judgement, enum event_type type,
                  utc_us time, struct decision *decision);

/* What rules are in force at a time, and the day that it is now by those in force now. */
const struct programme *programme_at(const struct points_view *view, utc_us time);
local_day decide_today(const struct points_view *view, const struct judgement *judgement);

/* Takes over where it happened; fills the business date; without a number it is no key. */
void decide_document(struct decision *decision, const struct programme *programme, enum document_kind kind,
                     const struct document *document, struct text operator);

/* What a card is used for; which status may is the programme's, for earning and spending. */
enum card_use {
    CARD_USE_RETURN, /* any status, suspense too */
    CARD_USE_EARN,
    CARD_USE_OFFICE, /* active and blocked ones */
    CARD_USE_SPEND,
};

/*
 * Looks up the card and its account, into event.card (side 0) and decision->sides[side].before, judges the status, and
 * refuses with REFUSAL_DAY_FIRST what has something due.
 */
bool decide_card(const struct points_view *view, const struct judgement *judgement, struct decision *decision,
                 uint32_t side, struct text number, enum card_use use);
/* The last step of it, for an account that was looked up otherwise: an original's, a hold's. */
bool decide_account(const struct points_view *view, const struct judgement *judgement,
                    struct decision *decision, uint32_t side, account_number number);

/* --- advices (decide_advice.c) --- */

/* Takes the refusal back: what has happened is decided anyway. */
void decide_anyway(struct decision *decision);
/*
 * Where an advice of what earns is booked after decide_card refused its card, for anything but REFUSAL_DAY_FIRST: to suspense
 * under that number, which the event begins if nothing waits there yet; from a replaced card, to the account. False:
 * refused with REFUSAL_DAY_FIRST.
 */
bool decide_suspense(const struct points_view *view, const struct judgement *judgement,
                     struct decision *decision, struct text number);
/*
 * The card and account of an advice of what does not earn: of whatever status; an unknown card's is in suspense. False:
 * refused with REFUSAL_DAY_FIRST.
 */
bool decide_card_of_advice(const struct points_view *view, const struct judgement *judgement,
                           struct decision *decision, struct text number);

/* Refuses what is more than an account can hold. */
void decide_over_limit(struct decision *decision);
/* Judges the reason of an act that moves points: one of the programme's list (DOMAIN.md, Back office). */
bool decide_reason(struct decision *decision, const struct programme *programme, struct text reason);
/*
 * Judges what an act comes to, in the unit of the limit, against what the role may without another's approval
 * (DOMAIN.md, Back office). What was approved passes, and an advice of a return: the goods are back.
 */
bool decide_within_role(struct decision *decision, const struct programme *programme,
                        const struct judgement *judgement, enum role_limit_kind kind, int64_t size);
/*
 * Makes the effects of an act on sides[0]: `cards` more of them lead to it, and the account `other` (0: none) joins it,
 * as of maker_absorb. Refuses if it does not fit, or if `other` has something due.
 */
void decide_join(const struct points_view *view, const struct judgement *judgement, struct decision *decision,
                 account_number other, int64_t cards);

/* --- redeeming, for redemptions, holds and purchases (redeeming.c) --- */

#define BILL_UNKNOWN (-1)

/* Whether the status of a card lets it spend today; for advices, which are not refused if it does not. */
bool card_may_spend(const struct points_view *view, const struct judgement *judgement, struct text number);

/* A wish, and what it is judged on besides state. */
struct wanted {
    const struct wish *wish;
    const struct account *after; /* sides[0], as what this decision took before left it */
    struct text store;
    minor_units bill; /* what is still to be paid; BILL_UNKNOWN: no cap */
    uint32_t line_count;
    const struct sale_line *lines; /* of the receipt: for wishes that name one */
    enum pin_check pin;
    /* An advice is never refused: what cannot be taken is a shortfall, and worth stays that of the whole. */
    bool partial;
    bool barred; /* an advice of a card that may not spend: nothing is taken */
};

/* What a wish comes to. */
struct cost {
    struct redemption redemption; /* cost, worth, reward */
    const struct reward *reward;  /* NULL: by points */
    local_day use_period;         /* in which its limit counts, by quantity; USE_UNCOUNTED: there is none */
    bool pin_right;               /* wrong tries before it are forgotten */
};

/*
 * Judges a wish on sides[0] (DOMAIN.md, Redeeming): reward known and offered, PIN, stock, limit, minimum,
 * points and stamps enough. Direct ones only. In a purchase, event.purchase.redemptions are those that this
 * decision took before. A shortfall flags the event. False: refused.
 */
bool decide_wish(const struct points_view *view, const struct judgement *judgement, struct decision *decision,
                 const struct wanted *wanted, struct cost *out);

/* Takes what it costs: points, stamps, the use of the limit. change_first and change_count are filled. */
void take_cost(struct maker *maker, struct cost *cost);

/*
 * Takes what a hold has set aside, up to wish->points (0: all) and the bill, and ends it: the rest is given
 * back. Of a reward, all is taken. False: refused (no such hold, ended, of another account, more than held,
 * below the minimum). In an advice an unended hold is captured however late; for one that was given back what
 * is free is taken, as a direct redemption (hold 0); for any other nothing is. change_first and change_count
 * are filled. wanted->after is maker->after.
 */
bool take_hold(const struct points_view *view, const struct judgement *judgement, struct decision *decision,
               struct maker *maker, const struct wanted *wanted, struct redemption *out);

/* Gives back all that an open hold of the account has set aside: points, stamps, the use of the limit. */
void release_hold(struct maker *maker, journal_position id);

/*
 * In which period a use of a reward counts that was had on a day (of the event's `occurred`, by the programme
 * in force then). A use is counted by quantity, when it is redeemed or set aside. USE_UNCOUNTED: the reward
 * has no limit.
 */
local_day reward_use_period(const struct reward *reward, local_day day);

/*
 * A reward as it was when it was redeemed, or is now. One that was held may have left the programme before it was captured:
 * then in the newest version that knows it.
 */
const struct reward *reward_redeemed(const struct points_view *view, utc_us occurred, uint64_t id);

/* --- abuse (abuse.c; RELIABILITY.md, Audit and abuse) --- */

/* What the account remembers of it: `which` and `id` of a CHANGE_LAST_PURCHASE. */
void abuse_remember(const struct programme *programme, const struct event *event,
                    struct account_change *inout_change);
/*
 * Raises the flags of the purchase that was decided on sides[0]; programme: of now; places: `which` of what is remembered.
 * False: refused, for there were too many today. Nobody is refused but tills, and no advice.
 */
bool abuse_purchase(const struct judgement *judgement, const struct programme *programme, uint32_t places,
                    struct decision *decision);
/* Flags what was redeemed, in a purchase too: before maker_end. */
void abuse_redeemed(const struct judgement *judgement, const struct programme *programme,
                    struct decision *decision, struct maker *maker, uint32_t count,
                    const struct redemption *redemptions);

/* Copies lines to where their bases are filled. */
void decide_copy_lines(struct decision *decision, uint32_t line_count, const struct sale_line *lines);
