/*
 * What became of purchases, holds and rewards: returns, redemptions that belong to a purchase, reversals.
 */
#include "ledger/fold_internal.h"

/* --- rewards --- */

static bool add_used(struct fold *fold, uint64_t reward, int64_t quantity)
{
    if (reward == 0 || quantity == 0)
        return true;
    struct reward_state state = { .used = fold_reward_used(fold, reward) };
    if (__builtin_add_overflow(state.used, quantity, &state.used) || state.used < 0)
        return false;
    uint8_t record[SMALL_RECORD_MAX];
    struct key key = key_reward(reward);
    fold_put(fold, &key, record, reward_encode(&state, record, sizeof(record)));
    return true;
}

static bool add_backs(struct fold *fold, const struct goods_return *goods, int64_t sign)
{
    for (uint32_t i = 0; i < goods->back_count; i++) {
        if (!add_used(fold, goods->backs[i].reward, sign * goods->backs[i].quantity))
            return false;
    }
    return true;
}

bool fold_rewards(struct fold *fold, const struct event *event)
{
    if (event->type == EVENT_REDEMPTION || event->type == EVENT_CAPTURE)
        return add_used(fold, event->redemption.made.reward, event->redemption.made.quantity);
    if (event->type == EVENT_RETURN)
        return add_backs(fold, &event->goods_return, -1);
    if (event->type == EVENT_REVERSAL)
        return add_backs(fold, &event->reversal.goods, event->reversal.undoes_return ? 1 : -1);
    if (event->type != EVENT_PURCHASE)
        return true;
    for (uint32_t i = 0; i < event->purchase.redemption_count; i++) {
        const struct redemption *redemption = &event->purchase.redemptions[i];
        if (!add_used(fold, redemption->reward, redemption->quantity))
            return false;
    }
    return true;
}

/* --- holds --- */

static void put_hold(struct fold *fold, journal_position hold, const struct hold_state *state)
{
    uint8_t record[SMALL_RECORD_MAX];
    struct key key = key_hold(hold);
    fold_put(fold, &key, record, hold_encode(state, record, sizeof(record)));
}

static bool begin_hold(struct fold *fold, const struct event *event, const struct account_hold *hold,
                       account_number account, journal_position position)
{
    if (event->type != EVENT_HOLD)
        return false;
    struct hold_state state = { .account = account, .deadline = hold->deadline, .end = HOLD_OPEN };
    put_hold(fold, position, &state);
    struct open_hold open = { .account = account, .deadline = hold->deadline };
    uint8_t record[SMALL_RECORD_MAX];
    struct key key = key_open_hold(position);
    fold_put(fold, &key, record, open_hold_encode(&open, record, sizeof(record)));
    return add_used(fold, hold->reward, hold->quantity);
}

static enum hold_end end_of(const struct event *event)
{
    if (event->type == EVENT_PURCHASE || event->type == EVENT_CAPTURE)
        return HOLD_CAPTURED;
    return event->type == EVENT_RELEASE && event->release.timed_out ? HOLD_TIMED_OUT : HOLD_RELEASED;
}

/* What it had set aside of a reward is free again; what a capture takes of it is counted by the redemption. */
static bool end_hold(struct fold *fold, const struct event *event, const struct account *account,
                     journal_position hold, journal_position position)
{
    const struct hold_part *parts;
    const struct account_hold *open = account_hold(account, hold, &parts);
    struct hold_state state;
    if (open == NULL || !fold_hold(fold, hold, &state) || state.end != HOLD_OPEN)
        return false;
    state.end = end_of(event);
    state.ended_by = position;
    put_hold(fold, hold, &state);
    struct key key = key_open_hold(hold);
    fold_remove(fold, &key);
    return add_used(fold, open->reward, -(int64_t)open->quantity);
}

bool fold_holds(struct fold *fold, const struct event *event, const struct effect *effect,
                const struct account *account, journal_position position)
{
    for (uint32_t i = 0; i < effect->change_count; i++) {
        const struct account_change *change = &effect->changes[i];
        if (change->kind == CHANGE_HOLD_BEGUN &&
            !begin_hold(fold, event, &change->hold, account->number, position))
            return false;
        if (change->kind == CHANGE_HOLD_ENDED && !end_hold(fold, event, account, change->position, position))
            return false;
    }
    return true;
}

/* --- what became of a purchase --- */

bool fold_became(struct fold *fold, const struct event *event, journal_position position)
{
    journal_position sale = event_sale(event);
    if (sale == 0)
        return event->type != EVENT_RETURN && event->type != EVENT_AWARD_MOVED;
    struct returned *returned = &fold->returned;
    if (!fold_returned(fold, sale, returned))
        returned_new(returned);
    if (!returned_apply(event, position, returned))
        return false;
    struct key key = key_returned(sale);
    fold_put(fold, &key, fold->record, returned_encode(returned, fold->record, sizeof(fold->record)));
    return true;
}

bool fold_reversal(struct fold *fold, const struct event *event, journal_position position)
{
    journal_position original = event->reversal.of;
    if (event->reversal.outcome != REVERSAL_DONE)
        return event->reversal.outcome == REVERSAL_NOTHING && event->effect_count == 0;
    if (original == 0 || fold_reversed_by(fold, original) != 0)
        return false;
    struct key key = key_reversed(original);
    fold_put_position(fold, &key, position);
    const struct document *frees = &event->reversal.frees;
    if (frees->kind == DOCUMENT_NONE)
        return true;
    if (fold_document(fold, frees) != original)
        return false;
    key = key_document(frees);
    fold_remove(fold, &key);
    return true;
}

/* The number has not come yet: when it does, it finds this event. */
bool fold_tombstone(struct fold *fold, const struct event *event, journal_position position)
{
    const struct request_name *original = &event->reversal.original;
    if (event->reversal.outcome != REVERSAL_TOMBSTONE || event->effect_count != 0 || original->number == 0 ||
        fold_request(fold, original->identity, original->epoch, original->number) != 0)
        return false;
    struct lane_record lane = { .highest = 0 };
    (void)fold_lane(fold, original->identity, original->epoch, &lane);
    lane.tombstones = true;
    uint8_t record[SMALL_RECORD_MAX];
    struct key key = key_lane(original->identity, original->epoch);
    fold_put(fold, &key, record, lane_encode(&lane, record, sizeof(record)));
    fold_put_request(fold, original, position, NULL);
    return true;
}

bool fold_return_waiting(struct fold *fold, const struct event *event, journal_position position)
{
    struct key key = key_waiting(&event->waiting.sale);
    if (fold_waiting(fold, &event->waiting.sale) != event->waiting.previous)
        return false;
    fold_put_position(fold, &key, position);
    return true;
}

bool fold_waited(struct fold *fold, const struct event *event)
{
    if (event->waited.event == 0)
        return true;
    if ((event->type != EVENT_RETURN && event->type != EVENT_REFUSAL) ||
        fold_waiting(fold, &event->waited.sale) != event->waited.event ||
        event->waited.previous >= event->waited.event)
        return false;
    struct key key = key_waiting(&event->waited.sale);
    if (event->waited.previous == 0)
        fold_remove(fold, &key);
    else
        fold_put_position(fold, &key, event->waited.previous);
    /* Only what stands occupies its key. */
    key = key_document(&event->document);
    if (event->type == EVENT_REFUSAL && fold_document(fold, &event->document) == event->waited.event)
        fold_remove(fold, &key);
    return true;
}
