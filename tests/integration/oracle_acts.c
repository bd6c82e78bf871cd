/* What the office does, by the oracle (DOMAIN.md, Cards and accounts, Back office). */
#include "oracle_steps.h"

#include "world.h"

static void end(struct oracle *oracle, size_t account, struct oracle_answer *out)
{
    oracle_end_event(oracle, oracle->accounts[account]);
    oracle_balance(oracle, oracle->accounts[account], out);
}

static void give_bonus(struct oracle *oracle, size_t account, int64_t points)
{
    const struct oracle_programme *programme = oracle_now(oracle);
    struct oracle_lot terms = oracle_award_lot(programme, oracle->today);
    int64_t settled;
    if (points > 0)
        (void)oracle_give(oracle, oracle->accounts[account], &terms, points, &settled);
}

void oracle_issue(struct oracle *oracle, unsigned card, struct oracle_answer *out)
{
    struct oracle_card *issued = &oracle->cards[card];
    *out = (struct oracle_answer){ .result = RESULT_CARD_EXISTS };
    if (issued->status != CARD_IS_UNKNOWN)
        return;
    out->result = RESULT_DONE;
    issued->status = CARD_IS_ACTIVE;
    issued->account = oracle_account_add(oracle);
    oracle->accounts[issued->account]->cards = 1;
    give_bonus(oracle, issued->account, oracle_now(oracle)->welcome);
    end(oracle, issued->account, out);
}

void oracle_adjust(struct oracle *oracle, unsigned card, int64_t points, bool allow_debt,
                   struct oracle_answer *out)
{
    size_t index = oracle_find(oracle, card, USE_BY_OFFICE, out);
    if (index == ORACLE_NONE)
        return;
    struct oracle_account *account = oracle->accounts[index];
    int64_t available = oracle_free_points(oracle, account);
    if (points < 0 && available < -points && !allow_debt) {
        *out = (struct oracle_answer){ .result = RESULT_NOT_ENOUGH_POINTS,
                                       .needed = -points,
                                       .available = available };
        return;
    }
    struct oracle_lot terms = oracle_added_lot(oracle_now(oracle), oracle->today);
    int64_t settled;
    if (points > 0)
        (void)oracle_give(oracle, account, &terms, points, &settled);
    else
        account->debt += -points - oracle_take(oracle, account, -points, NULL);
    out->earned = points;
    end(oracle, index, out);
}

void oracle_bonus(struct oracle *oracle, unsigned card, int64_t points, struct oracle_answer *out)
{
    size_t index = oracle_find(oracle, card, USE_BY_OFFICE, out);
    if (index == ORACLE_NONE)
        return;
    give_bonus(oracle, index, points);
    out->earned = points;
    end(oracle, index, out);
}

void oracle_write_off(struct oracle *oracle, unsigned card, struct oracle_answer *out)
{
    size_t index = oracle_find(oracle, card, USE_TO_RETURN, out);
    if (index == ORACLE_NONE)
        return;
    struct oracle_account *account = oracle->accounts[index];
    if (account->debt == 0) {
        out->result = RESULT_NOTHING_TO_DO;
        return;
    }
    out->earned = account->debt;
    account->debt = 0;
    end(oracle, index, out);
}

/* Of two refusals the one of higher precedence is the answer. */
static bool find_both(struct oracle *oracle, unsigned first, unsigned second, size_t *out_first,
                      size_t *out_second, struct oracle_answer *out)
{
    static const enum result ranks[] = { RESULT_UNKNOWN_CARD, RESULT_CARD_CLOSED,    RESULT_CARD_REPLACED,
                                         RESULT_CARD_BLOCKED, RESULT_ACCOUNT_CLOSED, RESULT_DONE };
    struct oracle_answer other;
    *out_first = oracle_find(oracle, first, USE_BY_OFFICE, out);
    *out_second = oracle_find(oracle, second, USE_BY_OFFICE, &other);
    for (unsigned i = 0;; i++) {
        if (out->result == ranks[i] || other.result == ranks[i]) {
            out->result = ranks[i];
            return ranks[i] == RESULT_DONE;
        }
    }
}

void oracle_transfer(struct oracle *oracle, unsigned from, unsigned to, int64_t points,
                     struct oracle_answer *out)
{
    size_t source, target;
    if (!find_both(oracle, from, to, &source, &target, out))
        return;
    if (source == target) {
        out->result = RESULT_SAME_ACCOUNT;
        return;
    }
    int64_t available = oracle_free_points(oracle, oracle->accounts[source]);
    if (available < points) {
        *out = (struct oracle_answer){ .result = RESULT_NOT_ENOUGH_POINTS,
                                       .needed = points,
                                       .available = available };
        return;
    }
    struct oracle_takes takes = { 0 };
    (void)oracle_take(oracle, oracle->accounts[source], points, &takes);
    for (uint32_t i = 0; i < takes.count; i++) {
        struct oracle_lot terms = takes.take[i].lot;
        int64_t settled;
        terms.by_purchase = false;
        terms.counts = false;
        (void)oracle_give(oracle, oracle->accounts[target], &terms, takes.take[i].points, &settled);
    }
    oracle_end_event(oracle, oracle->accounts[target]);
    out->earned = points;
    end(oracle, source, out);
}

void oracle_tag(struct oracle *oracle, unsigned card, unsigned set, unsigned clear, struct oracle_answer *out)
{
    size_t index = oracle_find(oracle, card, USE_BY_OFFICE, out);
    if (index != ORACLE_NONE)
        oracle->accounts[index]->tags = (oracle->accounts[index]->tags & ~clear) | set;
}

void oracle_activate(struct oracle *oracle, unsigned card, unsigned offer, bool off,
                     struct oracle_answer *out)
{
    size_t index = oracle_find(oracle, card, USE_BY_OFFICE, out);
    const struct oracle_programme *programme = oracle_now(oracle);
    if (index == ORACLE_NONE)
        return;
    if (offer >= programme->offer_count) {
        out->result = RESULT_UNKNOWN_OFFER;
        return;
    }
    const struct oracle_offer *of = &programme->offers[offer];
    if (!of->activate || (!off && of->through != 0 && of->through < oracle->today)) {
        out->result = RESULT_NOT_OFFERED;
        return;
    }
    unsigned *activated = &oracle->accounts[index]->activated;
    *activated = off ? *activated & ~(1U << offer) : *activated | 1U << offer;
}

/* --- cards --- */

/* All that it had that would stay with it; its debt stays. */
static void forfeit(struct oracle *oracle, size_t index)
{
    struct oracle_account *account = oracle->accounts[index];
    for (size_t i = 0; i < oracle->hold_count; i++) {
        struct oracle_hold *hold = oracle->holds[i];
        if (hold->state != HELD || oracle_account_index(oracle, hold->account) != index)
            continue;
        oracle_end_hold(oracle, hold);
        hold->state = HOLD_WAS_RELEASED;
    }
    account->debt -= oracle_take(oracle, account, account->debt, NULL);
    for (uint32_t i = 1; i < account->next_lot; i++)
        account->lots[i].points = 0;
    for (unsigned i = 0; i < ORACLE_PURSES; i++)
        account->stamps[i] = account->stamps[i] < 0 ? account->stamps[i] : 0;
    account->closed = true;
}

void oracle_card_act(struct oracle *oracle, unsigned card, enum operation act, struct oracle_answer *out)
{
    size_t index = oracle_find(oracle, card, USE_BY_OFFICE, out);
    struct oracle_card *acted = &oracle->cards[card];
    if (index == ORACLE_NONE)
        return;
    if (act == OPERATION_CARD_BLOCK && acted->status == CARD_IS_BLOCKED)
        out->result = RESULT_CARD_BLOCKED;
    if (act == OPERATION_CARD_UNBLOCK && acted->status != CARD_IS_BLOCKED)
        out->result = RESULT_CARD_NOT_BLOCKED;
    if (out->result != RESULT_DONE)
        return;
    acted->status = act == OPERATION_CARD_BLOCK     ? CARD_IS_BLOCKED
                    : act == OPERATION_CARD_UNBLOCK ? CARD_IS_ACTIVE
                                                    : CARD_IS_CLOSED;
    if (act == OPERATION_CARD_CLOSE && --oracle->accounts[index]->cards == 0)
        forfeit(oracle, index);
    end(oracle, index, out);
}

void oracle_card_new(struct oracle *oracle, unsigned card, unsigned new_card, bool replaces,
                     struct oracle_answer *out)
{
    *out = (struct oracle_answer){ .result = RESULT_CARD_EXISTS };
    if (oracle->cards[new_card].status != CARD_IS_UNKNOWN)
        return;
    size_t index = oracle_find(oracle, card, USE_BY_OFFICE, out);
    if (index == ORACLE_NONE)
        return;
    oracle->cards[new_card].status = CARD_IS_ACTIVE;
    oracle->cards[new_card].account = index;
    if (replaces)
        oracle->cards[card].status = CARD_IS_REPLACED;
    else
        oracle->accounts[index]->cards++;
    oracle_balance(oracle, oracle->accounts[index], out);
}

/* --- one account goes into another --- */

static void move_takes(struct oracle_takes *takes, uint32_t offset)
{
    for (uint32_t i = 0; i < takes->count; i++)
        takes->take[i].number += offset;
}

/* What is on record of the source is of the target from now on, its lots behind the target's. */
static void move_record(struct oracle *oracle, size_t source, size_t target, uint32_t offset)
{
    for (size_t i = 0; i < oracle->return_count; i++) {
        struct oracle_return *made = oracle->returns[i];
        if (oracle->purchases[made->sale]->account != source)
            continue;
        move_takes(&made->takes, offset);
        move_takes(&made->adds, offset);
    }
    for (size_t i = 0; i < oracle->purchase_count; i++) {
        struct oracle_purchase *sale = oracle->purchases[i];
        if (sale->account != source)
            continue;
        sale->account = target;
        sale->lot += sale->lot != 0 ? offset : 0;
    }
    for (size_t i = 0; i < oracle->spend_count; i++) {
        if (oracle->spends[i]->account != source)
            continue;
        oracle->spends[i]->account = target;
        move_takes(&oracle->spends[i]->takes, offset);
    }
    for (size_t i = 0; i < oracle->hold_count; i++) {
        if (oracle->holds[i]->account != source)
            continue;
        oracle->holds[i]->account = oracle->holds[i]->spend.account = target;
        move_takes(&oracle->holds[i]->spend.takes, offset);
    }
}

static void absorb(struct oracle_account *to, struct oracle_account *from)
{
    uint32_t offset = to->next_lot - 1;
    for (uint32_t i = 1; i < from->next_lot; i++) {
        to->lots[i + offset] = from->lots[i];
        to->expired[i + offset] = from->expired[i];
    }
    to->next_lot = from->next_lot + offset;
    assert_true(to->next_lot < ORACLE_LOTS);
    to->debt += from->debt;
    to->lifetime += from->lifetime;
    to->cards += from->cards;
    to->tags |= from->tags;
    to->activated |= from->activated;
    for (unsigned i = 0; i < ORACLE_PURSES; i++) {
        to->stamps[i] += from->stamps[i];
        to->stamps_held[i] += from->stamps_held[i];
    }
    for (unsigned i = 0; i < from->tally_count; i++) {
        const struct oracle_tally *tally = &from->tallies[i];
        if (tally->before != INT32_MIN)
            oracle_count(to, tally->kind, tally->id, tally->before, tally->value_before);
        oracle_count(to, tally->kind, tally->id, tally->period, tally->value);
    }
    for (unsigned basis = 0; basis < BASIS_BALANCE; basis++) {
        for (unsigned month = 0; month < ORACLE_MONTHS; month++)
            to->months[basis][month] += from->months[basis][month];
    }
    if (from->last_purchase_us > to->last_purchase_us) {
        to->last_purchase_us = from->last_purchase_us;
        to->last_purchase_day = from->last_purchase_day;
    }
}

void oracle_merge(struct oracle *oracle, unsigned from, unsigned to, struct oracle_answer *out)
{
    size_t source, target;
    if (!find_both(oracle, to, from, &target, &source, out))
        return;
    if (source != target) {
        move_record(oracle, source, target, oracle->accounts[target]->next_lot - 1);
        absorb(oracle->accounts[target], oracle->accounts[source]);
        oracle->accounts[source]->merged_into = target;
        oracle->accounts[source]->next_lot = 1;
    }
    end(oracle, target, out);
}
