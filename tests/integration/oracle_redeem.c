/* What points and stamps are spent on, by the oracle (DOMAIN.md, Redeeming). */
#include "oracle_steps.h"

#include "world.h"

#define AMOUNT_BOUND INT64_C(999999999999)

static enum result refuse(struct oracle_answer *out, enum result result, int64_t needed, int64_t available)
{
    *out = (struct oracle_answer){ .result = result, .needed = needed, .available = available };
    return result;
}

/* --- points --- */

/* Points whose whole value fits the bill, or one more, of which then a part is used; then whole steps. */
static void price_points(const struct oracle_programme *programme, int64_t points, int64_t bill,
                         struct oracle_spend *spend)
{
    int64_t step = oracle_step(programme);
    points = oracle_down(programme, points);
    if (bill >= 0) {
        int64_t fitting =
            oracle_down(programme, oracle_part_of(bill, programme->worth_points, programme->worth_amount));
        bool short_of_it =
            (oracle_wide)fitting * programme->worth_amount < (oracle_wide)bill * programme->worth_points;
        if (programme->last_part && short_of_it)
            fitting += step;
        points = oracle_min(points, fitting);
    }
    if (programme->redeem_step > 0)
        points -= points % programme->redeem_step;
    spend->points = points;
    spend->worth = oracle_part_of(points, programme->worth_amount, programme->worth_points);
    if (bill >= 0)
        spend->worth = oracle_min(spend->worth, bill);
}

static enum result judge_minimum(const struct oracle_programme *programme, int64_t points,
                                 struct oracle_answer *out)
{
    int64_t least = oracle_max(programme->redeem_minimum, 1);
    return points >= least ? RESULT_DONE : refuse(out, RESULT_BELOW_MINIMUM, least, points);
}

/* --- rewards --- */

/* What the line that is the reward takes off by itself. */
static int64_t line_off(const struct oracle_receipt *receipt, const struct oracle_wish *wish)
{
    if (receipt == NULL || wish->line == 0 || wish->line > receipt->line_count ||
        receipt->lines[wish->line - 1].kind != LINE_OF_REWARD)
        return 0;
    return -receipt->lines[wish->line - 1].amount;
}

static int64_t most_off(const struct oracle_reward *reward, int64_t quantity, int64_t bill)
{
    int64_t most = reward->amount > 0 ? reward->amount * quantity : AMOUNT_BOUND;
    if (reward->kind == FOR_PERCENT && bill >= 0)
        most = oracle_min(most, oracle_part_of(bill, reward->percent * quantity, 100000));
    return most;
}

static void price_reward(const struct oracle_reward *reward, const struct oracle_receipt *receipt,
                         int64_t bill, struct oracle_spend *spend)
{
    int64_t quantity = spend->wish.quantity;
    int64_t times = (quantity + reward->per - 1) / reward->per;
    int64_t off = line_off(receipt, &spend->wish);
    bool money = reward->kind == FOR_MONEY || reward->kind == FOR_PERCENT;
    spend->kind = reward->kind;
    spend->per = reward->per;
    spend->purse = reward->purse;
    spend->points = reward->stamps > 0 ? 0 : times * reward->points;
    spend->stamps = times * reward->stamps;
    spend->worth = 0;
    if (money && off > 0)
        spend->worth = off;
    else if (money && bill >= 0)
        spend->worth = oracle_min(most_off(reward, quantity, bill), bill);
    else if (reward->kind == FOR_MONEY)
        spend->worth = most_off(reward, quantity, -1);
}

static int32_t use_period(const struct oracle_reward *reward, int32_t day)
{
    return reward->window == EACH_NONE ? INT32_MIN : oracle_window_start(reward->window, NULL, day);
}

/* Whether the line that is said to be the reward can be it. */
static bool line_fits(const struct oracle_reward *reward, const struct oracle_receipt *receipt,
                      const struct oracle_wish *wish, int64_t bill)
{
    if (receipt == NULL || wish->line == 0)
        return true;
    if (reward->kind == FOR_ITEM && receipt->lines[wish->line - 1].article != reward->article)
        return false;
    int64_t off = line_off(receipt, wish);
    bool bounded = reward->kind != FOR_VOUCHER && reward->kind != FOR_GIFT;
    return !bounded || off <= most_off(reward, wish->quantity, bill >= 0 ? bill + off : -1);
}

static enum result judge_reward(const struct oracle *oracle, const struct oracle_account *account,
                                const struct oracle_reward *reward, const struct oracle_receipt *receipt,
                                int64_t bill, const struct oracle_spend *spend, struct oracle_answer *out)
{
    const struct oracle_wish *wish = &spend->wish;
    if (!line_fits(reward, receipt, wish, bill) || account->tier < reward->tier)
        return refuse(out, RESULT_NOT_OFFERED, 0, 0);
    if (reward->stock > 0 && oracle->given_out[wish->reward] + wish->quantity > reward->stock)
        return refuse(out, RESULT_OUT_OF_STOCK, 0, 0);
    if (spend->period != INT32_MIN &&
        oracle_tally(account, TALLY_OF_REWARD, wish->reward, spend->period) + wish->quantity > reward->uses)
        return refuse(out, RESULT_LIMIT_REACHED, 0, 0);
    return RESULT_DONE;
}

static enum result judge_means(const struct oracle *oracle, const struct oracle_account *account,
                               const struct oracle_spend *spend, struct oracle_answer *out)
{
    int64_t stamps = oracle_max(account->stamps[spend->purse] - account->stamps_held[spend->purse], 0);
    int64_t points = oracle_free_points(oracle, account);
    if (spend->stamps > 0 && spend->stamps > stamps)
        return refuse(out, RESULT_NOT_ENOUGH_STAMPS, spend->stamps, stamps);
    if (spend->points > points)
        return refuse(out, RESULT_NOT_ENOUGH_POINTS, spend->points, points);
    return RESULT_DONE;
}

enum result oracle_price(struct oracle *oracle, const struct oracle_account *account,
                         const struct oracle_receipt *receipt, int64_t bill,
                         const struct oracle_programme *programme, int32_t day, bool judge,
                         struct oracle_spend *inout, struct oracle_answer *out)
{
    enum result result = RESULT_DONE;
    inout->period = INT32_MIN;
    if (inout->wish.reward == ORACLE_REWARDS) {
        price_points(programme, inout->wish.points, bill, inout);
        result = judge_minimum(programme, inout->points, out);
    } else if (inout->wish.reward >= programme->reward_count) {
        result = refuse(out, RESULT_UNKNOWN_REWARD, 0, 0);
    } else {
        const struct oracle_reward *reward = &programme->rewards[inout->wish.reward];
        price_reward(reward, receipt, bill, inout);
        inout->period = use_period(reward, day);
        result = judge_reward(oracle, account, reward, receipt, bill, inout, out);
    }
    if (result == RESULT_DONE)
        result = judge_means(oracle, account, inout, out);
    return judge ? result : RESULT_DONE;
}

/* --- taking it --- */

static void use(struct oracle *oracle, struct oracle_account *account, const struct oracle_spend *spend)
{
    if (spend->kind == 0)
        return;
    oracle->given_out[spend->wish.reward] += spend->wish.quantity;
    if (spend->period != INT32_MIN)
        oracle_count(account, TALLY_OF_REWARD, spend->wish.reward, spend->period, spend->wish.quantity);
}

void oracle_pay(struct oracle *oracle, struct oracle_account *account, struct oracle_spend *spend)
{
    assert_int_equal(oracle_take(oracle, account, spend->points, &spend->takes), spend->points);
    account->stamps[spend->purse] -= spend->stamps;
    use(oracle, account, spend);
}

void oracle_unspend(struct oracle *oracle, struct oracle_spend *spend, int64_t points, int64_t stamps,
                    int64_t quantity)
{
    struct oracle_account *account = oracle->accounts[oracle_account_index(oracle, spend->account)];
    account->stamps[spend->purse] += stamps;
    if (spend->kind != 0) {
        oracle->given_out[spend->wish.reward] -= quantity;
        if (spend->period != INT32_MIN)
            oracle_uncount(account, TALLY_OF_REWARD, spend->wish.reward, spend->period, quantity);
    }
    oracle_give_back(oracle, account, &spend->takes, spend->back.points, points);
    spend->back.points += points;
    spend->back.stamps += stamps;
    spend->back.quantity += quantity;
}

/* --- holds --- */

/* All that it has set aside is free again, its use too. */
void oracle_end_hold(struct oracle *oracle, struct oracle_hold *hold)
{
    struct oracle_account *account = oracle->accounts[oracle_account_index(oracle, hold->account)];
    const struct oracle_spend *spend = &hold->spend;
    for (uint32_t i = 0; i < spend->takes.count; i++)
        account->lots[spend->takes.take[i].number].held -= spend->takes.take[i].points;
    account->stamps_held[spend->purse] -= spend->stamps;
    if (spend->kind == 0)
        return;
    oracle->given_out[spend->wish.reward] -= spend->wish.quantity;
    if (spend->period != INT32_MIN)
        oracle_uncount(account, TALLY_OF_REWARD, spend->wish.reward, spend->period, spend->wish.quantity);
}

enum result oracle_take_hold(struct oracle *oracle, size_t account, size_t index, int64_t points,
                             int64_t bill, const struct oracle_receipt *receipt, unsigned line,
                             const struct oracle_programme *programme, int32_t day,
                             struct oracle_spend *out_spend, struct oracle_answer *out)
{
    struct oracle_hold *hold = oracle->holds[index];
    struct oracle_account *owner = oracle->accounts[account];
    if (hold->state != HELD || hold->deadline_us <= oracle->now_us)
        return refuse(out, RESULT_HOLD_ENDED, 0, 0);
    if (oracle_account_index(oracle, hold->account) != account)
        return refuse(out, RESULT_OTHER_ACCOUNT, 0, 0);
    struct oracle_spend spend = hold->spend;
    spend.wish.line = line;
    if (spend.kind == 0) {
        points = points == 0 ? spend.points : points;
        if (points > spend.points)
            return refuse(out, RESULT_MORE_THAN_HELD, points, spend.points);
        price_points(programme, points, bill, &spend);
        if (judge_minimum(programme, spend.points, out) != RESULT_DONE)
            return out->result;
    } else {
        const struct oracle_reward *reward = &oracle_now(oracle)->rewards[spend.wish.reward];
        price_reward(reward, receipt, bill, &spend);
        spend.period = use_period(reward, day);
    }
    oracle_end_hold(oracle, hold);
    hold->state = HOLD_WAS_CAPTURED;
    spend.takes.count = 0;
    int64_t left = spend.points;
    for (uint32_t i = 0; i < hold->spend.takes.count; i++)
        left -= oracle_take_lot(owner, hold->spend.takes.take[i].number,
                                oracle_min(left, hold->spend.takes.take[i].points), &spend.takes);
    assert_int_equal(left, 0);
    owner->stamps[spend.purse] -= spend.stamps;
    use(oracle, owner, &spend);
    owner->debt -= oracle_take(oracle, owner, owner->debt, NULL);
    *out_spend = spend;
    return RESULT_DONE;
}

/* --- requests --- */

static void end(struct oracle *oracle, size_t account, struct oracle_answer *out)
{
    oracle_end_event(oracle, oracle->accounts[account]);
    oracle_balance(oracle, oracle->accounts[account], out);
}

static size_t keep(struct oracle *oracle, const struct oracle_spend *spend)
{
    struct oracle_spend *kept = oracle_add((void ***)&oracle->spends, &oracle->spend_count, sizeof(*kept));
    *kept = *spend;
    kept->own = oracle->spend_count - 1;
    return kept->own;
}

/* What is left to pay of a purchase when a redemption names it. */
static int64_t left_to_pay(const struct oracle *oracle, const struct oracle_purchase *sale)
{
    int64_t left = sale->receipt.amount - sale->paid;
    for (size_t i = 0; i < sale->spend_count; i++) {
        const struct oracle_spend *spend = oracle->spends[sale->spends[i]];
        if (spend->own == ORACLE_NONE || spend->undone)
            continue;
        left -= spend->points == 0
                    ? spend->worth
                    : oracle_part_of(spend->worth, spend->points - spend->back.points, spend->points);
    }
    return oracle_max(left, 0);
}

static enum result judge_sale(const struct oracle_purchase *sale, size_t account, struct oracle_answer *out)
{
    if (sale->account != account)
        return refuse(out, RESULT_OTHER_ACCOUNT, 0, 0);
    return sale->reversed ? refuse(out, RESULT_PURCHASE_REVERSED, 0, 0) : RESULT_DONE;
}

void oracle_redeem(struct oracle *oracle, unsigned card, const struct oracle_wish *wish, int64_t bill,
                   size_t sale, struct oracle_answer *out, size_t *out_spend)
{
    size_t account = oracle_find(oracle, card, USE_TO_SPEND, out);
    struct oracle_spend spend = { .wish = *wish, .account = account, .sale = sale };
    struct oracle_purchase *named = sale == ORACLE_NONE ? NULL : oracle->purchases[sale];
    if (account == ORACLE_NONE || (named != NULL && judge_sale(named, account, out) != RESULT_DONE))
        return;
    if (named != NULL && bill < 0)
        bill = left_to_pay(oracle, named);
    if (oracle_price(oracle, oracle->accounts[account], NULL, bill, oracle_now(oracle), oracle->today, true,
                     &spend, out) != RESULT_DONE)
        return;
    if (named != NULL && named->spend_count == ORACLE_SPENDS) {
        (void)refuse(out, RESULT_OVER_LIMIT, 0, 0);
        return;
    }
    oracle_pay(oracle, oracle->accounts[account], &spend);
    *out_spend = keep(oracle, &spend);
    if (named != NULL)
        named->spends[named->spend_count++] = *out_spend;
    out->redeemed = spend.points;
    out->worth = spend.worth;
    out->stamps = spend.stamps;
    end(oracle, account, out);
}

void oracle_hold(struct oracle *oracle, unsigned card, const struct oracle_wish *wish, int64_t bill,
                 int64_t seconds, struct oracle_answer *out, size_t *out_hold)
{
    size_t account = oracle_find(oracle, card, USE_TO_SPEND, out);
    struct oracle_spend spend = { .wish = *wish, .account = account, .sale = ORACLE_NONE };
    if (account == ORACLE_NONE ||
        oracle_price(oracle, oracle->accounts[account], NULL, bill, oracle_now(oracle), oracle->today, true,
                     &spend, out) != RESULT_DONE)
        return;
    struct oracle_account *owner = oracle->accounts[account];
    unsigned open = 0;
    for (size_t i = 0; i < oracle->hold_count; i++)
        open += oracle->holds[i]->state == HELD &&
                oracle_account_index(oracle, oracle->holds[i]->account) == account;
    if (open == 16) {
        (void)refuse(out, RESULT_OVER_LIMIT, 0, 0);
        return;
    }
    oracle_set_aside(oracle, owner, spend.points, &spend.takes);
    owner->stamps_held[spend.purse] += spend.stamps;
    use(oracle, owner, &spend);
    struct oracle_hold *hold = oracle_add((void ***)&oracle->holds, &oracle->hold_count, sizeof(*hold));
    *hold = (struct oracle_hold){ .account = account,
                                  .spend = spend,
                                  .deadline_us = oracle->now_us + seconds * 1000000,
                                  .captured_by = ORACLE_NONE };
    *out_hold = oracle->hold_count - 1;
    out->worth = spend.worth;
    out->stamps = spend.stamps;
    end(oracle, account, out);
    out->held = spend.points;
}

void oracle_capture(struct oracle *oracle, unsigned card, size_t hold, int64_t points, int64_t bill,
                    struct oracle_answer *out, size_t *out_spend)
{
    size_t account = oracle_find(oracle, card, USE_TO_RETURN, out);
    struct oracle_spend spend;
    if (account == ORACLE_NONE ||
        oracle_take_hold(oracle, account, hold, points, bill, NULL, 0, oracle_now(oracle), oracle->today,
                         &spend, out) != RESULT_DONE)
        return;
    *out_spend = keep(oracle, &spend);
    oracle->holds[hold]->captured_by = *out_spend;
    out->redeemed = spend.points;
    out->worth = spend.worth;
    out->stamps = spend.stamps;
    out->given_back = oracle->holds[hold]->spend.points - spend.points;
    end(oracle, account, out);
}

void oracle_release(struct oracle *oracle, unsigned card, size_t index, struct oracle_answer *out)
{
    size_t account = oracle_find(oracle, card, USE_TO_RETURN, out);
    struct oracle_hold *hold = oracle->holds[index];
    if (account == ORACLE_NONE)
        return;
    if (hold->state != HELD) {
        (void)refuse(out, RESULT_HOLD_ENDED, 0, 0);
    } else if (oracle_account_index(oracle, hold->account) != account) {
        (void)refuse(out, RESULT_OTHER_ACCOUNT, 0, 0);
    } else {
        oracle_end_hold(oracle, hold);
        hold->state = HOLD_WAS_RELEASED;
        out->given_back = hold->spend.points;
        end(oracle, account, out);
    }
}
