#include "points/redeeming.h"

#include <inttypes.h>

#include "points/decide_steps.h"
#include "points/wide.h"

static int64_t at_most(wide value, int64_t most)
{
    return value < most ? (int64_t)value : most;
}

static local_day day_of(const struct programme *programme, const struct event *event)
{
    return calendar_day(&programme->calendar, event->occurred);
}

/* --- what points come to --- */

static millipoints whole_steps(millipoints points, millipoints step)
{
    return step > 0 ? points - points % step : points;
}

/*
 * Points whose whole value fits the bill, or one more, of which then only a part is used; then whole steps.
 */
static millipoints cut_points(const struct programme *programme, millipoints points, minor_units bill)
{
    millipoints smallest = programme_step(programme);
    points = whole_steps(points, smallest);
    if (bill != BILL_UNKNOWN && programme->worth_amount > 0) {
        wide payable = (wide)bill * programme->worth_points;
        wide fitting = payable / programme->worth_amount;
        fitting -= fitting % smallest;
        if (programme->redeem_last_part && fitting * programme->worth_amount < payable)
            fitting += smallest;
        points = at_most(fitting, points);
    }
    return whole_steps(points, programme->redeem_step);
}

/* Rounded down. Above AMOUNT_MAX: more than an amount can be. */
static minor_units points_worth(const struct programme *programme, millipoints points, minor_units bill)
{
    wide worth = (wide)points * programme->worth_amount / programme->worth_points;
    return at_most(worth, bill != BILL_UNKNOWN ? bill : AMOUNT_MAX + 1);
}

void price_points(const struct programme *programme, millipoints points, minor_units bill,
                  struct redemption *out)
{
    PUNKT_CHECK(points >= 0 && points <= MILLIPOINTS_MAX);
    out->points = cut_points(programme, points, bill);
    out->worth = points_worth(programme, out->points, bill);
}

bool reaches_minimum(const struct programme *programme, millipoints points, struct decision *decision)
{
    millipoints least = i64_max(programme->redeem_minimum, 1);
    if (points >= least)
        return true;
    decide_refuse(decision, REFUSAL_BELOW_MINIMUM, "%s", "");
    decision->needed = least;
    decision->available = points;
    return false;
}

/* --- what rewards come to --- */

static uint32_t quantity_of(const struct wish *wish)
{
    return wish->quantity == 0 ? 1 : wish->quantity;
}

/* The line of the receipt that is the reward; NULL: it names none. */
static const struct sale_line *reward_line(const struct wanted *wanted)
{
    uint32_t number = wanted->wish->line;
    return number == 0 || number > wanted->line_count ? NULL : &wanted->lines[number - 1];
}

/* The money that the receipt's line takes off by itself. */
static minor_units line_off(const struct wanted *wanted)
{
    const struct sale_line *line = reward_line(wanted);
    return line != NULL && line->kind == LINE_REWARD ? -line->amount : 0;
}

/* The most that so many of a reward take off a bill; AMOUNT_MAX: no bound is known. */
static minor_units most_off(const struct reward *reward, uint32_t quantity, minor_units bill)
{
    minor_units bound = AMOUNT_MAX;
    if (reward->amount > 0)
        bound = at_most((wide)reward->amount * quantity, bound);
    if (reward->kind == REWARD_PERCENT_OFF && bill != BILL_UNKNOWN)
        bound = at_most((wide)bill * reward->percent * quantity / 100000, bound);
    return bound;
}

/* The bill as it was before the line took money off. */
static minor_units whole_bill(const struct wanted *wanted)
{
    return wanted->bill == BILL_UNKNOWN ? BILL_UNKNOWN : wanted->bill + line_off(wanted);
}

minor_units reward_worth(const struct reward *reward, uint32_t quantity, const struct wanted *wanted)
{
    switch (reward->kind) {
    case REWARD_MONEY_OFF:
    case REWARD_PERCENT_OFF:
        if (line_off(wanted) > 0)
            return line_off(wanted);
        if (wanted->bill != BILL_UNKNOWN)
            return i64_min(most_off(reward, quantity, wanted->bill), wanted->bill);
        return reward->kind == REWARD_MONEY_OFF ? most_off(reward, quantity, BILL_UNKNOWN) : 0;
    case REWARD_ITEM:
    case REWARD_VOUCHER:
    case REWARD_GIFT:
        return 0;
    }
    PUNKT_CHECK(!"a kind of reward");
    return 0;
}

/* ceil(quantity / per) x cost, at most what can be told. */
static void price_reward(const struct programme *programme, const struct wanted *wanted, struct cost *cost)
{
    const struct reward *reward = cost->reward;
    struct redemption *made = &cost->redemption;
    made->reward = reward->id;
    made->kind = reward->kind;
    made->quantity = quantity_of(wanted->wish);
    wide times = ((wide)made->quantity + reward->per - 1) / reward->per;
    made->points = at_most(times * reward->cost_points, MILLIPOINTS_MAX);
    made->stamps = at_most(times * reward->cost_stamps, MILLIPOINTS_MAX);
    made->purse = reward->cost_stamps > 0 ? programme->purses[reward->purse].id : 0;
    made->worth = reward_worth(reward, made->quantity, wanted);
}

local_day reward_use_period(const struct reward *reward, local_day day)
{
    if (reward->limit.window == WINDOW_NONE)
        return USE_UNCOUNTED;
    return window_start(reward->limit.window, &reward->period, day);
}

/* --- whether it may be --- */

static bool line_known(const struct wanted *wanted, struct decision *decision)
{
    if (wanted->wish->line <= wanted->line_count)
        return true;
    decide_refuse(decision, REFUSAL_UNKNOWN_LINE, "the receipt has no line %" PRIu32, wanted->wish->line);
    return false;
}

static bool store_offers(const struct programme *programme, const struct reward *reward, struct text store)
{
    if (!reward->has_stores)
        return true;
    const struct programme_word *word = programme_word(programme, store);
    return word != NULL && (word->reward_stores >> (reward - programme->rewards) & 1) != 0;
}

/* What is wrong with the line that is said to be the reward; NULL: nothing. */
static const char *line_fault(const struct reward *reward, const struct wanted *wanted)
{
    const struct sale_line *line = reward_line(wanted);
    if (line == NULL)
        return NULL;
    struct text name = reward->item_is_category ? line->category : line->code;
    if (reward->kind == REWARD_ITEM && !text_equal(name, text_of(reward->item)))
        return "the line is not what the reward gives";
    bool bounded = reward->kind != REWARD_VOUCHER && reward->kind != REWARD_GIFT;
    if (bounded && line_off(wanted) > most_off(reward, quantity_of(wanted->wish), whole_bill(wanted)))
        return "the line takes more off than the reward gives";
    return NULL;
}

static bool offered(const struct programme *programme, const struct reward *reward,
                    const struct wanted *wanted, struct decision *decision)
{
    local_day day = day_of(programme, &decision->event);
    const char *fault = line_fault(reward, wanted);
    if (day < reward->period.from || day > reward->period.through)
        fault = "not on this day";
    else if (!store_offers(programme, reward, wanted->store))
        fault = "not in this store";
    else if (tier_step(programme, wanted->after) < reward->minimum_tier)
        fault = "not at this tier";
    if (fault != NULL)
        decide_refuse(decision, REFUSAL_NOT_OFFERED, "%s", fault);
    return fault == NULL;
}

static int64_t stock_left(const struct points_view *view, const struct reward *reward, uint64_t taken)
{
    return i64_max(reward->stock - view->reward_used(view->ctx, reward->id) - (int64_t)taken, 0);
}

/* Whether an account could have one of a reward for points, had it enough of them. */
static bool could_have(const struct points_view *view, const struct programme *programme,
                       const struct reward *reward, const struct account *account, struct text store,
                       local_day day)
{
    if (reward->cost_points == 0 || day < reward->period.from || day > reward->period.through ||
        !store_offers(programme, reward, store) || tier_step(programme, account) < reward->minimum_tier)
        return false;
    local_day period = reward_use_period(reward, day);
    if (period != USE_UNCOUNTED &&
        account_tally(account, TALLY_REWARD, reward->id, period) >= (int64_t)reward->limit.uses)
        return false;
    return !reward->has_stock || stock_left(view, reward, 0) > 0;
}

const struct reward *points_next_reward(const struct points_view *view, const struct programme *programme,
                                        const struct account *account, struct text store, local_day today,
                                        millipoints *out_missing)
{
    const struct reward *next = NULL;
    millipoints available = account_free(account, today);
    for (uint32_t i = 0; i < programme->reward_count; i++) {
        const struct reward *reward = &programme->rewards[i];
        if (reward->cost_points > available && (next == NULL || reward->cost_points < next->cost_points) &&
            could_have(view, programme, reward, account, store, today))
            next = reward;
    }
    if (next != NULL)
        *out_missing = next->cost_points - available;
    return next;
}

bool card_may_spend(const struct points_view *view, const struct judgement *judgement, struct text number)
{
    struct card card;
    return view->card(view->ctx, number, &card) &&
           (programme_at(view, judgement->now)->may_spend >> card.status & 1) != 0;
}

static bool pin_needed(const struct programme *programme, const struct account *account)
{
    switch (programme->pin) {
    case PIN_NEVER:
        return false;
    case PIN_ALWAYS:
        return true;
    case PIN_IF_SET:
        return account->pin.set;
    }
    PUNKT_CHECK(!"a policy for PINs");
    return true;
}

/* By the policy of today. */
static enum refusal pin_fault(const struct programme *today, const struct wanted *wanted)
{
    if (!pin_needed(today, wanted->after))
        return REFUSAL_NONE;
    switch (wanted->pin) {
    case PIN_NOT_GIVEN:
        return REFUSAL_PIN_NEEDED;
    case PIN_RIGHT:
        return REFUSAL_NONE;
    case PIN_WRONG:
        return REFUSAL_PIN_WRONG;
    case PIN_UNCHECKED:
        return REFUSAL_PIN_LOCKED;
    }
    PUNKT_CHECK(!"a check of a PIN");
    return REFUSAL_PIN_WRONG;
}

/* What this purchase took of a reward before: its stock is not in the view's count yet. A hold's is. */
static uint64_t taken_before(const struct event *event, uint64_t reward)
{
    uint64_t quantity = 0;
    for (uint32_t i = 0; event->type == EVENT_PURCHASE && i < event->purchase.redemption_count; i++) {
        const struct redemption *made = &event->purchase.redemptions[i];
        if (made->reward == reward && made->hold == 0)
            quantity += made->quantity;
    }
    return quantity;
}

static bool in_stock(const struct points_view *view, const struct reward *reward, uint32_t quantity,
                     struct decision *decision)
{
    if (!reward->has_stock)
        return true;
    int64_t left = stock_left(view, reward, taken_before(&decision->event, reward->id));
    if (quantity <= left)
        return true;
    decide_refuse(decision, REFUSAL_OUT_OF_STOCK, "%" PRId64 " left", left);
    return false;
}

static bool within_limit(const struct reward *reward, uint32_t quantity, local_day period,
                         const struct account *account, struct decision *decision)
{
    if (period == USE_UNCOUNTED)
        return true;
    int64_t used = account_tally(account, TALLY_REWARD, reward->id, period);
    if (used + quantity <= reward->limit.uses)
        return true;
    decide_refuse(decision, REFUSAL_LIMIT_REACHED, "%" PRId64 " of %" PRIu32 " are used", used,
                  reward->limit.uses);
    return false;
}

/* What does not depend on how much the account has. */
static bool wish_allowed(const struct points_view *view, const struct programme *programme, enum refusal pin,
                         const struct wanted *wanted, const struct cost *cost, struct decision *decision)
{
    const struct reward *reward = cost->reward;
    struct text name = wanted->wish->reward;
    if (!line_known(wanted, decision))
        return false;
    if (name.size > 0 && reward == NULL) {
        decide_refuse(decision, REFUSAL_UNKNOWN_REWARD, "%.*s", (int)name.size, name.data);
        return false;
    }
    if (reward != NULL && !offered(programme, reward, wanted, decision))
        return false;
    if (pin != REFUSAL_NONE) {
        decide_refuse(decision, pin, "%s", "");
        return false;
    }
    if (reward == NULL)
        return reaches_minimum(programme, cost->redemption.points, decision);
    return in_stock(view, reward, cost->redemption.quantity, decision) &&
           within_limit(reward, cost->redemption.quantity, cost->use_period, wanted->after, decision);
}

static int64_t free_stamps(const struct account *account, uint64_t purse)
{
    const struct stamps *stamps = account_stamps(account, purse);
    return stamps == NULL ? 0 : i64_max(stamps->count - stamps->held, 0);
}

/* Whether the account has what is needed. */
static bool wish_affordable(const struct account *account, local_day today, const struct redemption *made,
                            struct decision *decision)
{
    int64_t stamps = free_stamps(account, made->purse);
    if (made->stamps > stamps) {
        decide_refuse(decision, REFUSAL_NOT_ENOUGH_STAMPS, "%s", "");
        decision->needed = made->stamps;
        decision->available = stamps;
        return false;
    }
    millipoints available = account_free(account, today);
    if (made->points > available) {
        decide_refuse_points(decision, made->points, available);
        return false;
    }
    if (made->worth > AMOUNT_MAX) {
        decide_refuse(decision, REFUSAL_OVER_LIMIT, "%s", "the points are worth more than an amount can be");
        return false;
    }
    return true;
}

void take_short(const struct account *account, local_day today, bool nothing, struct redemption *made,
                struct event *event)
{
    millipoints points = nothing ? 0 : i64_min(made->points, account_free(account, today));
    int64_t stamps = nothing ? 0 : i64_min(made->stamps, free_stamps(account, made->purse));
    if (points < made->points || stamps < made->stamps)
        event->flags |= EVENT_FLAG_SHORTFALL;
    made->shortfall += made->points - points;
    made->points = points;
    made->stamps = stamps;
    made->worth = i64_min(made->worth, AMOUNT_MAX);
}

/* Whether a use counts in an older period than is kept (LEDGER.md, State). */
static bool period_forgotten(const struct account *account, uint64_t reward, local_day period)
{
    for (uint32_t i = 0; i < account->tally_count; i++) {
        const struct tally *tally = &account->tallies[i];
        if (tally->kind == TALLY_REWARD && tally->id == reward)
            return tally->before != INT32_MIN && period < tally->before;
    }
    return false;
}

static void price_wish(const struct programme *programme, const struct wanted *wanted, struct event *event,
                       struct cost *out)
{
    const struct wish *wish = wanted->wish;
    *out = (struct cost){ .redemption.line = wish->line,
                          .use_period = USE_UNCOUNTED,
                          .pin_right = wanted->pin == PIN_RIGHT };
    if (wish->reward.size == 0) {
        price_points(programme, wish->points, wanted->bill, &out->redemption);
        return;
    }
    out->reward = programme_reward(programme, wish->reward);
    if (out->reward == NULL) {
        /* All that is known of it in an advice is what the till thinks it costs. */
        out->redemption.points = wish->points;
        return;
    }
    price_reward(programme, wanted, out);
    out->use_period = reward_use_period(out->reward, day_of(programme, event));
    if (out->use_period != USE_UNCOUNTED && period_forgotten(wanted->after, out->reward->id, out->use_period))
        event->flags |= EVENT_FLAG_OLD_PERIOD;
}

bool decide_wish(const struct points_view *view, const struct judgement *judgement, struct decision *decision,
                 const struct wanted *wanted, struct cost *out)
{
    PUNKT_CHECK(wanted->bill >= BILL_UNKNOWN && wanted->wish->hold == 0);
    const struct programme *programme = programme_at(view, decision->event.occurred);
    enum refusal pin = pin_fault(programme_at(view, judgement->now), wanted);
    local_day today = decide_today(view, judgement);
    price_wish(programme, wanted, &decision->event, out);
    if (wanted->partial) {
        bool unknown = wanted->wish->reward.size > 0 && out->reward == NULL;
        bool nothing = unknown || wanted->barred || pin != REFUSAL_NONE;
        take_short(wanted->after, today, nothing, &out->redemption, &decision->event);
        return true;
    }
    return wish_allowed(view, programme, pin, wanted, out, decision) &&
           wish_affordable(wanted->after, today, &out->redemption, decision);
}

/* --- taking --- */

void count_use(struct maker *maker, uint64_t reward, local_day period, uint32_t uses)
{
    if (period != USE_UNCOUNTED)
        maker_tally(maker, TALLY_REWARD, reward, period, uses);
}

void forget_wrong_pins(struct maker *maker, const struct cost *cost)
{
    if (cost->pin_right && maker->after->pin.wrong > 0)
        maker_change(maker, &(struct account_change){ .kind = CHANGE_PIN_WRONG, .value = 0 });
}

void take_cost(struct maker *maker, struct cost *cost)
{
    struct redemption *made = &cost->redemption;
    made->change_first = maker->effect->lot_change_count;
    PUNKT_CHECK(maker_take_free(maker, made->points) == made->points);
    made->change_count = maker->effect->lot_change_count - made->change_first;
    if (made->stamps > 0)
        maker_stamps(maker, made->purse, -made->stamps);
    count_use(maker, made->reward, cost->use_period, made->quantity);
    forget_wrong_pins(maker, cost);
}
