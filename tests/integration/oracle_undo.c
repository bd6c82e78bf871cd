/* What is undone, by the oracle (DOMAIN.md, Undoing). */
#include "oracle_steps.h"

enum { REVERSED = 1, NOTHING_TO_REVERSE = 2 };

static void undo_purchase(struct oracle *oracle, size_t index, struct oracle_answer *out)
{
    struct oracle_purchase *sale = oracle->purchases[index];
    struct oracle_return made = { 0 };
    int64_t nets[ORACLE_LINES], units[ORACLE_LINES];
    oracle_nets_of(&sale->receipt, nets, units);
    out->amount = -sale->back.by_amount;
    for (unsigned i = 0; i < ORACLE_LINES; i++) {
        if (units[i] > 0)
            out->amount += oracle_part_of(
                nets[i], units[i] - (sale->back.units[i] - sale->back.units_by_amount[i]), units[i]);
    }
    oracle_take_back(oracle, index, NULL, &made, out);
    sale->reversed = true;
    out->outcome = REVERSED;
}

/* What it gave back counts as spent again, but of what was undone since: that stays undone. Returns the points. */
static int64_t spend_again(struct oracle *oracle, const struct oracle_return *made,
                           const struct oracle_purchase *sale, struct oracle_account *account)
{
    int64_t points = 0;
    for (size_t i = 0; i < sale->spend_count; i++) {
        struct oracle_spend *spend = oracle->spends[sale->spends[i]];
        const struct oracle_spend_back *back = &made->spends[i];
        if (spend->undone)
            continue;
        points += back->points;
        spend->back.points -= back->points;
        spend->back.stamps -= back->stamps;
        spend->back.quantity -= back->quantity;
        account->stamps[spend->purse] -= back->stamps;
        if (spend->kind != 0)
            oracle->given_out[spend->wish.reward] += back->quantity;
        if (spend->kind != 0 && spend->period != INT32_MIN)
            oracle_uncount(account, TALLY_OF_REWARD, spend->wish.reward, spend->period, -back->quantity);
    }
    return points;
}

/* What was given back is taken again: from where it went, then free points, then as debt. */
static void take_given(struct oracle *oracle, const struct oracle_return *made, int64_t points,
                       struct oracle_account *account)
{
    for (uint32_t i = made->adds.count; i > 0 && points > 0; i--) {
        const struct oracle_take *add = &made->adds.take[i - 1];
        points -= oracle_take_lot(account, add->number, oracle_min(points, add->points), NULL);
    }
    points -= oracle_take(oracle, account, points, NULL);
    account->debt += points;
}

static void undo_return(struct oracle *oracle, size_t index, struct oracle_answer *out)
{
    struct oracle_return *made = oracle->returns[index];
    struct oracle_purchase *sale = oracle->purchases[made->sale];
    struct oracle_account *account = oracle->accounts[sale->account];
    out->outcome = NOTHING_TO_REVERSE;
    if (sale->reversed)
        return;
    int64_t settled;
    struct oracle_lot terms = oracle_award_lot(&oracle->versions[sale->version], sale->day);
    terms.counts = false;
    if (terms.last_day < oracle->today)
        terms.last_day =
            oracle->today + (oracle_now(oracle)->restore_days > 0 ? oracle_now(oracle)->restore_days : -1);
    oracle_give_back(oracle, account, &made->takes, 0, made->taken - made->owed);
    if (made->owed > 0)
        (void)oracle_give(oracle, account, &terms, made->owed, &settled);
    int64_t again = spend_again(oracle, made, sale, account);
    take_given(oracle, made, again, account);
    oracle_count_back(oracle, sale, &made->back, -1);
    oracle_add_back(&sale->back, &made->back, -1);
    made->reversed = true;
    *out = (struct oracle_answer){ .outcome = REVERSED, .given_back = made->taken, .taken = again };
    oracle_end_event(oracle, account);
    oracle_balance(oracle, account, out);
}

static void undo_spend(struct oracle *oracle, size_t index, struct oracle_answer *out)
{
    struct oracle_spend *spend = oracle->spends[index];
    int64_t points = spend->points - spend->back.points;
    int64_t stamps = spend->stamps - spend->back.stamps;
    int64_t quantity = (spend->kind == 0 ? 0 : spend->wish.quantity) - spend->back.quantity;
    bool gone = spend->undone || (spend->sale != ORACLE_NONE && oracle->purchases[spend->sale]->reversed);
    out->outcome = NOTHING_TO_REVERSE;
    if (gone || (points == 0 && stamps == 0 && quantity == 0))
        return;
    struct oracle_account *account = oracle->accounts[oracle_account_index(oracle, spend->account)];
    oracle_unspend(oracle, spend, points, stamps, quantity);
    spend->undone = true;
    out->outcome = REVERSED;
    out->given_back = points;
    oracle_end_event(oracle, account);
    oracle_balance(oracle, account, out);
}

static void undo_hold(struct oracle *oracle, size_t index, struct oracle_answer *out)
{
    struct oracle_hold *hold = oracle->holds[index];
    out->outcome = NOTHING_TO_REVERSE;
    if (hold->state == HOLD_WAS_CAPTURED) {
        undo_spend(oracle, hold->captured_by, out);
    } else if (hold->state == HELD) {
        struct oracle_account *account = oracle->accounts[oracle_account_index(oracle, hold->account)];
        oracle_end_hold(oracle, hold);
        hold->state = HOLD_WAS_RELEASED;
        out->outcome = REVERSED;
        oracle_end_event(oracle, account);
        oracle_balance(oracle, account, out);
    }
}

static size_t account_of(const struct oracle *oracle, enum oracle_kind kind, size_t index)
{
    if (kind == DID_PURCHASE)
        return oracle->purchases[index]->account;
    if (kind == DID_RETURN)
        return oracle->purchases[oracle->returns[index]->sale]->account;
    return kind == DID_HOLD ? oracle->holds[index]->account : oracle->spends[index]->account;
}

void oracle_reverse(struct oracle *oracle, enum oracle_kind kind, size_t index, struct oracle_answer *out)
{
    *out = (struct oracle_answer){ .result = RESULT_DONE };
    oracle_midnights(oracle, oracle->accounts[oracle_account_index(oracle, account_of(oracle, kind, index))]);
    if (kind == DID_PURCHASE)
        undo_purchase(oracle, index, out);
    else if (kind == DID_RETURN)
        undo_return(oracle, index, out);
    else if (kind == DID_HOLD)
        undo_hold(oracle, index, out);
    else
        undo_spend(oracle, index, out);
}
