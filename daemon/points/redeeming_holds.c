#include "points/decide_steps.h"
#include "points/effect_maker.h"
#include "points/goods_back.h"
#include "points/redeeming.h"

const struct reward *reward_redeemed(const struct points_view *view, utc_us occurred, uint64_t id)
{
    const struct programme *then = programme_at(view, occurred);
    const struct reward *reward = programme_reward_by_id(then, id);
    uint32_t version = then->version;
    while (view->programme(view->ctx, version + 1, occurred) != NULL)
        version++;
    for (; reward == NULL && version > 0; version--)
        reward = programme_reward_by_id(view->programme(view->ctx, version, occurred), id);
    PUNKT_CHECK(reward != NULL); /* one knew it when it was set aside */
    return reward;
}

/* Why a hold cannot be captured; its state, if there is such a hold. */
static enum refusal hold_fault(const struct points_view *view, const struct judgement *judgement,
                               const struct decision *decision, const struct wanted *wanted,
                               struct hold_state *out_state)
{
    journal_position id = wanted->wish->hold;
    const struct hold_part *parts;
    *out_state = (struct hold_state){ .end = HOLD_OPEN };
    if (!view->hold(view->ctx, id, out_state))
        return REFUSAL_UNKNOWN_HOLD;
    if (out_state->end != HOLD_OPEN || (out_state->deadline <= judgement->now && !wanted->partial))
        return REFUSAL_HOLD_ENDED;
    if (account_hold(wanted->after, id, &parts) != NULL)
        return REFUSAL_NONE;
    /* Another wish of this decision may have captured it. */
    return account_hold(&decision->sides[0].before, id, &parts) != NULL ? REFUSAL_HOLD_ENDED
                                                                        : REFUSAL_OTHER_ACCOUNT;
}

/* The use that was set aside counts no more. */
static void give_use(struct maker *maker, const struct account_hold *hold)
{
    if (hold->use_period != USE_UNCOUNTED)
        give_room(maker, TALLY_REWARD, hold->reward, hold->use_period, hold->quantity);
}

/* Captures a hold of points. */
static bool capture_points(const struct programme *programme, const struct account_hold *hold,
                           const struct wanted *wanted, struct decision *decision, struct redemption *out)
{
    millipoints points = wanted->wish->points == 0 ? hold->points : wanted->wish->points;
    if (points > hold->points && !wanted->partial) {
        decide_refuse(decision, REFUSAL_MORE_THAN_HELD, "%s", "");
        decision->needed = points;
        decision->available = hold->points;
        return false;
    }
    price_points(programme, points, wanted->bill, out);
    if (!wanted->partial && !reaches_minimum(programme, out->points, decision))
        return false;
    if (out->points > hold->points)
        decision->event.flags |= EVENT_FLAG_SHORTFALL;
    out->shortfall = i64_max(out->points - hold->points, 0);
    out->points -= out->shortfall;
    out->worth = i64_min(out->worth, AMOUNT_MAX);
    return true;
}

/* Captures a hold of a reward: all of it. Its use counts on the day of the capture from now on. */
static void capture_reward(const struct points_view *view, struct maker *maker,
                           const struct account_hold *hold, const struct wanted *wanted, utc_us occurred,
                           struct redemption *out)
{
    const struct reward *reward = reward_redeemed(view, occurred, hold->reward);
    local_day day = calendar_day(&programme_at(view, occurred)->calendar, occurred);
    out->reward = hold->reward;
    out->kind = reward->kind;
    out->quantity = hold->quantity;
    out->points = hold->points;
    out->stamps = hold->stamps;
    out->purse = hold->purse;
    out->worth = reward_worth(reward, hold->quantity, wanted);
    local_day period = reward_use_period(reward, day);
    if (period != hold->use_period) {
        give_use(maker, hold);
        count_use(maker, hold->reward, period, hold->quantity);
    }
}

static void end_captured(struct maker *maker, const struct account_hold *hold, struct redemption *made)
{
    made->change_first = maker->effect->lot_change_count;
    maker_hold_end(maker, hold->id, made->points);
    /* What comes after the last capture gives the rest back, and settles debt with it. */
    for (uint32_t i = made->change_first; i < maker->effect->lot_change_count; i++) {
        if (maker->effect->lot_changes[i].kind == LOT_CAPTURE)
            made->change_count = i + 1 - made->change_first;
    }
    if (made->stamps > 0)
        maker_stamps(maker, made->purse, -made->stamps);
}

const char *hold_end_words(enum hold_end end)
{
    switch (end) {
    case HOLD_OPEN:
        return "its time is over";
    case HOLD_CAPTURED:
        return "it was captured";
    case HOLD_RELEASED:
        return "it was released";
    case HOLD_TIMED_OUT:
        return "it timed out";
    }
    PUNKT_CHECK(!"an end of a hold");
    return "";
}

/* What an ended hold was of, at today's worth. */
static void price_late(const struct points_view *view, const struct event *event, const struct wanted *wanted,
                       struct cost *out)
{
    const struct programme *programme = programme_at(view, event->occurred);
    const struct event *hold = wanted->wish->hold_event;
    millipoints points = wanted->wish->points;
    *out = (struct cost){ .use_period = USE_UNCOUNTED };
    if (hold == NULL || hold->hold.wanted.reward == 0) {
        if (points == 0 && hold != NULL)
            points = hold->hold.wanted.points;
        price_points(programme, points, wanted->bill, &out->redemption);
        return;
    }
    const struct reward *reward = reward_redeemed(view, event->occurred, hold->hold.wanted.reward);
    out->redemption = hold->hold.wanted;
    out->redemption.worth = reward_worth(reward, out->redemption.quantity, wanted);
    out->use_period = reward_use_period(reward, calendar_day(&programme->calendar, event->occurred));
}

/*
 * An advice of a capture that cannot be. If the hold was given back, what is free is taken instead; if it was
 * captured before, is of another account or is not known, nothing is.
 */
static void take_late(const struct points_view *view, struct decision *decision, struct maker *maker,
                      const struct wanted *wanted, bool given_back, struct redemption *out)
{
    struct cost cost;
    struct redemption *made = &cost.redemption;
    price_late(view, &decision->event, wanted, &cost);
    if (!given_back) {
        *made = (struct redemption){ .points = made->points, .worth = made->worth };
        cost.use_period = USE_UNCOUNTED;
    }
    made->line = wanted->wish->line;
    take_short(maker->after, maker->today, !given_back || wanted->barred, made, &decision->event);
    take_cost(maker, &cost);
    *out = *made;
}

bool take_hold(const struct points_view *view, const struct judgement *judgement, struct decision *decision,
               struct maker *maker, const struct wanted *wanted, struct redemption *out)
{
    PUNKT_CHECK(wanted->after == maker->after && wanted->bill >= BILL_UNKNOWN);
    struct hold_state state;
    enum refusal fault = hold_fault(view, judgement, decision, wanted, &state);
    if (fault != REFUSAL_NONE && wanted->partial) {
        take_late(view, decision, maker, wanted,
                  fault == REFUSAL_HOLD_ENDED && (state.end == HOLD_RELEASED || state.end == HOLD_TIMED_OUT),
                  out);
        return true;
    }
    if (fault != REFUSAL_NONE) {
        decide_refuse(decision, fault, "%s", fault == REFUSAL_HOLD_ENDED ? hold_end_words(state.end) : "");
        return false;
    }
    const struct programme *programme = programme_at(view, decision->event.occurred);
    const struct hold_part *parts;
    const struct account_hold hold = *account_hold(maker->after, wanted->wish->hold, &parts);
    *out = (struct redemption){ .hold = hold.id, .line = wanted->wish->line };
    if (hold.reward != 0)
        capture_reward(view, maker, &hold, wanted, decision->event.occurred, out);
    else if (!capture_points(programme, &hold, wanted, decision, out))
        return false;
    end_captured(maker, &hold, out);
    return true;
}

bool hold_cost(struct decision *decision, struct maker *maker, const struct cost *cost, utc_us deadline)
{
    const struct redemption *wanted = &cost->redemption;
    struct account_hold hold = { .points = wanted->points,
                                 .stamps = wanted->stamps,
                                 .purse = wanted->purse,
                                 .reward = wanted->reward,
                                 .quantity = wanted->quantity,
                                 .use_period = cost->use_period,
                                 .deadline = deadline };
    forget_wrong_pins(maker, cost);
    count_use(maker, hold.reward, hold.use_period, hold.quantity);
    if (maker_hold(maker, &hold))
        return true;
    decide_refuse(decision, REFUSAL_OVER_LIMIT, "%s", "the account has no room for another hold");
    return false;
}

void release_hold(struct maker *maker, journal_position id)
{
    const struct hold_part *parts;
    const struct account_hold *open = account_hold(maker->after, id, &parts);
    PUNKT_CHECK(open != NULL);
    const struct account_hold hold = *open;
    maker_hold_end(maker, id, 0);
    give_use(maker, &hold);
}
