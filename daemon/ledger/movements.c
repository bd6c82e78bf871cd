#include "ledger/movements.h"

#include <string.h>

/* What the detail of an event says was moved. */
struct said {
    enum movement why;      /* for what the effects change in all, but for what follows */
    millipoints points;     /* so many */
    millipoints redeemed;   /* taken by redemptions of a purchase, above zero */
    millipoints issued_new; /* to new accounts, without an effect */
};

static bool in_bounds(millipoints points)
{
    return points >= -MILLIPOINTS_MAX && points <= MILLIPOINTS_MAX;
}

static bool said_by_purchase(const struct purchase *purchase, struct said *out)
{
    for (uint32_t i = 0; i < purchase->redemption_count; i++) {
        if (!in_bounds(purchase->redemptions[i].points))
            return false;
        out->redeemed += purchase->redemptions[i].points;
    }
    out->why = MOVEMENT_EARNED;
    out->points = purchase->earned;
    return in_bounds(purchase->earned);
}

static bool said_by_difference(enum movement why, millipoints plus, millipoints minus, struct said *out)
{
    out->why = why;
    out->points = in_bounds(plus) && in_bounds(minus) ? plus - minus : 0;
    return in_bounds(plus) && in_bounds(minus);
}

static bool said_by_cards(const struct event *event, struct said *out)
{
    millipoints welcome = event->cards_issued.welcome.points;
    if (!in_bounds(welcome) || welcome < 0)
        return false;
    out->why = MOVEMENT_BONUS;
    if (event->cards_issued.joins)
        out->points = welcome;
    else if (__builtin_mul_overflow(welcome, (int64_t)event->cards_issued.count, &out->issued_new))
        return false;
    return in_bounds(out->issued_new);
}

static bool said_by(const struct event *event, struct said *out)
{
    *out = (struct said){ .why = MOVEMENT_TRANSFERRED };
    switch (event->type) {
    case EVENT_PURCHASE:
        return said_by_purchase(&event->purchase, out);
    case EVENT_RETURN:
        return said_by_difference(MOVEMENT_RETURNED, event->goods_return.given_back,
                                  event->goods_return.taken, out);
    case EVENT_UNLINKED_RETURN:
        return said_by_difference(MOVEMENT_UNLINKED, event->goods_return.given_back,
                                  event->goods_return.taken, out);
    case EVENT_REVERSAL:
        return said_by_difference(MOVEMENT_REVERSED, event->reversal.given, event->reversal.taken, out);
    case EVENT_REDEMPTION:
    case EVENT_CAPTURE:
        return said_by_difference(MOVEMENT_REDEEMED, 0, event->redemption.made.points, out);
    case EVENT_ADJUSTMENT:
        return said_by_difference(MOVEMENT_ADJUSTED, event->adjustment.points, 0, out);
    case EVENT_BONUS:
        return said_by_difference(MOVEMENT_BONUS, event->bonus.points, 0, out);
    case EVENT_CARDS_ISSUED:
        return said_by_cards(event, out);
    case EVENT_CARD_STATUS:
        if (event->card_status.forfeited == 0)
            return true;
        return said_by_difference(MOVEMENT_FORFEITED, 0, event->card_status.forfeited, out);
    case EVENT_DAY: /* what expired and what was forgiven is said by the effect alone */
    case EVENT_WRITE_OFF:
    case EVENT_TERM:
    case EVENT_PROGRAMME:
    case EVENT_REFUSAL:
    case EVENT_TIE:
    case EVENT_CLOCK_ACCEPTED:
    case EVENT_CARD_ADDED:
    case EVENT_CARD_REPLACED:
    case EVENT_MERGE:
    case EVENT_TRANSFER:
    case EVENT_TAGS:
    case EVENT_ACTIVATION:
    case EVENT_PIN_SET:
    case EVENT_PIN_TRY:
    case EVENT_HOLD:
    case EVENT_RELEASE:
    case EVENT_TOMBSTONE:
    case EVENT_AWARD_MOVED:
    case EVENT_RETURN_WAITING:
    case EVENT_DAY_CLOSE:
    case EVENT_IDENTITY:
    case EVENT_PROPOSAL:
    case EVENT_PROPOSAL_ENDED:
    case EVENT_ATTEMPTS:
    case EVENT_ALARM:
    case EVENT_FLAG_RESOLVED:
    case EVENT_SEAL:
        return true;
    }
    return false;
}

/* What expired in an effect. -1: out of bounds. */
static millipoints expired_in(const struct effect *effect)
{
    millipoints expired = 0;
    for (uint32_t i = 0; i < effect->lot_change_count; i++) {
        if (effect->lot_changes[i].kind != LOT_EXPIRE)
            continue;
        if (__builtin_add_overflow(expired, effect->lot_changes[i].points, &expired))
            return -1;
    }
    return in_bounds(expired) ? expired : -1;
}

/* What types say of their effects beyond the sum. */
static bool fits_type(const struct event *event)
{
    const struct effect *effects = event->effects;
    if (event->type == EVENT_DAY)
        return event->effect_count == 1 && expired_in(&effects[0]) == event->day_run.expired;
    if (event->type == EVENT_WRITE_OFF)
        return event->effect_count == 1 && effects[0].debt_forgiven == event->write_off.points;
    if (event->type == EVENT_TRANSFER)
        return event->effect_count == 2 && effects[1].change == event->transfer.points;
    return true;
}

bool movements_of(const struct event *event, struct movements *out)
{
    struct said said;
    memset(out, 0, sizeof(*out));
    if (event->effect_count > EVENT_EFFECTS_MAX || !said_by(event, &said) || !fits_type(event))
        return false;
    millipoints left = said.points;
    for (uint32_t i = 0; i < event->effect_count; i++) {
        const struct effect *effect = &event->effects[i];
        millipoints expired = expired_in(effect);
        if (expired < 0 || !in_bounds(effect->change) || !in_bounds(effect->debt_forgiven))
            return false;
        millipoints change = effect->change + expired - effect->debt_forgiven;
        millipoints *moved = out->moved[i];
        moved[MOVEMENT_EXPIRED] -= expired;
        moved[MOVEMENT_WRITTEN_OFF] += effect->debt_forgiven;
        if (i == 0) {
            moved[MOVEMENT_REDEEMED] -= said.redeemed;
            change += said.redeemed;
        }
        moved[said.why] += change;
        left -= change;
    }
    out->moved[0][MOVEMENT_BONUS] += said.issued_new;
    return left == 0;
}
