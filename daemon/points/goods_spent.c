#include "points/decide_steps.h"
#include "points/goods_back.h"
#include "points/wide.h"

/* --- room under limits and caps --- */

static const struct tally *find_tally(const struct account *account, enum tally_kind kind, uint64_t id)
{
    for (uint32_t i = 0; i < account->tally_count; i++) {
        const struct tally *tally = &account->tallies[i];
        if (tally->kind == kind && tally->id == id)
            return tally;
    }
    return NULL;
}

/* What was counted in an older period than is kept went elsewhere, and stays there (LEDGER.md, State). */
void give_room(struct maker *maker, enum tally_kind kind, uint64_t id, local_day period, int64_t value)
{
    const struct tally *tally = find_tally(maker->after, kind, id);
    if (tally == NULL || (period != tally->period && period != tally->before))
        return;
    int64_t counted = period == tally->period ? tally->value : tally->value_before;
    int64_t change = -i64_min(value, counted);
    if (change != 0)
        maker_tally(maker, kind, id, period, change);
}

/* --- how much comes back of what was spent --- */

/* A thing that was given comes back with its line; money off with the goods, by their amount. */
static bool is_thing(const struct redemption *made)
{
    switch ((enum reward_kind)made->kind) {
    case REWARD_MONEY_OFF:
    case REWARD_PERCENT_OFF:
        return false;
    case REWARD_ITEM:
    case REWARD_VOUCHER:
    case REWARD_GIFT:
        return true;
    }
    return false; /* by points */
}

/* What was undone by itself, or spent by an account that this does not concern any more, is left alone. */
static bool takes_part(const struct spend *spend)
{
    return !spend->undone && spend->side != EVENT_EFFECTS_MAX;
}

#define STAMP_WHOLE 1000 /* stamps have no parts, whatever parts points have */

/* Down to the smallest part of it that there is. */
static int64_t share_of(const struct left *left, int64_t spent, int64_t smallest)
{
    if (left->nothing)
        return spent;
    if (left->sold <= 0)
        return 0;
    int64_t share = mul_div(spent, i64_min(i64_max(left->came_back, 0), left->sold), left->sold);
    return share - share % smallest;
}

/* NULL: by points. */
static const struct reward *reward_of(const struct points_view *view, const struct spend *spend)
{
    if (spend->made->reward == 0)
        return NULL;
    return reward_redeemed(view, spend->event->occurred, spend->made->reward);
}

/* Of a thing: what it cost, less the cost of what stays. */
static struct redemption_back thing_back(const struct points_view *view, const struct decision *decision,
                                         const struct bought *bought, const struct spend *spend)
{
    const struct redemption *made = spend->made;
    const struct reward *reward = reward_of(view, spend);
    uint32_t per = reward == NULL ? 1 : reward->per;
    uint32_t stay = goods_stay(decision, bought->purchase, made->line, made->quantity);
    int64_t paid = ((int64_t)made->quantity + per - 1) / per;
    int64_t due = ((int64_t)stay + per - 1) / per;
    PUNKT_CHECK(paid > 0);
    /* Of a shortfall the customer paid nothing: what stays is paid for first. */
    millipoints stay_points = mul_div(made->points + made->shortfall, due, paid);
    int64_t stay_stamps = mul_div(made->stamps, due, paid);
    return (struct redemption_back){ .points = i64_max(made->points - stay_points, 0),
                                     .stamps = made->stamps - stay_stamps,
                                     .quantity = made->quantity - stay };
}

/* Whether all of the goods came back, so that all of the money off does. */
static bool all_back(const struct left *left)
{
    return left == NULL || left->nothing || (left->sold > 0 && left->came_back >= left->sold);
}

/* What should have come back of a redemption by now; of points for money off, what could, for they are shared out. */
static struct redemption_back back_in_all(const struct points_view *view, const struct decision *decision,
                                          const struct bought *bought, const struct left *left,
                                          const struct spend *spend)
{
    const struct redemption *made = spend->made;
    struct redemption_back whole = { .points = made->points,
                                     .stamps = made->stamps,
                                     .quantity = made->quantity };
    if (left == NULL)
        return whole;
    if (is_thing(made))
        return made->line == 0 ? (struct redemption_back){ 0 } : thing_back(view, decision, bought, spend);
    whole.stamps = share_of(left, made->stamps, STAMP_WHOLE);
    whole.quantity = all_back(left) ? made->quantity : 0;
    return whole;
}

/* Points that come back now of all that was spent on money off: their share, less what came back before. */
static millipoints money_off_back(const struct bought *bought, const struct left *left)
{
    millipoints spent = 0;
    millipoints before = 0;
    for (uint32_t i = 0; i < bought->spend_count; i++) {
        const struct spend *spend = &bought->spends[i];
        if (is_thing(spend->made) || !takes_part(spend))
            continue;
        spent += spend->made->points;
        before += spend->given_back;
    }
    if (left == NULL)
        return spent - before;
    return i64_max(share_of(left, spent, programme_step(bought->then)) - before, 0);
}

/* Adds what comes back of a redemption now, if it is anything. */
static void add_back(struct decision *decision, const struct spend *spend, struct redemption_back *back,
                     uint32_t *count)
{
    back->stamps = i64_max(back->stamps - spend->stamps_back, 0);
    uint32_t quantity = back->quantity > spend->quantity_back ? back->quantity - spend->quantity_back : 0;
    back->quantity = quantity;
    if (back->points == 0 && back->stamps == 0 && back->quantity == 0)
        return;
    back->redemption = spend->redemption;
    back->index = spend->index;
    back->of_points = spend->made->points;
    back->reward = spend->made->reward;
    decision->backs[(*count)++] = *back;
}

uint32_t spent_back(const struct points_view *view, struct decision *decision, const struct bought *bought,
                    const struct left *left)
{
    uint32_t count = 0;
    millipoints money_off = money_off_back(bought, left);
    for (uint32_t i = bought->spend_count; i > 0; i--) {
        const struct spend *spend = &bought->spends[i - 1];
        if (!takes_part(spend))
            continue;
        struct redemption_back back = back_in_all(view, decision, bought, left, spend);
        back.points = i64_max(back.points - spend->given_back, 0);
        if (!is_thing(spend->made)) {
            back.points = i64_min(back.points, money_off); /* last spent first */
            money_off -= back.points;
        }
        add_back(decision, spend, &back, &count);
    }
    return count;
}

const struct spend *spend_of(const struct bought *bought, const struct redemption_back *back)
{
    for (uint32_t i = 0; i < bought->spend_count; i++) {
        const struct spend *spend = &bought->spends[i];
        if (spend->redemption == back->redemption && spend->index == back->index)
            return takes_part(spend) ? spend : NULL;
    }
    return NULL;
}

/* --- giving it back --- */

/* In which period a redemption counted its use; USE_UNCOUNTED: it did not. A capture's was counted with the hold. */
static local_day use_period(const struct points_view *view, const struct spend *spend)
{
    const struct effect *effect = &spend->event->effects[0];
    for (uint32_t i = 0; i < effect->change_count; i++) {
        const struct account_change *change = &effect->changes[i];
        if (change->kind == CHANGE_TALLY && change->which == TALLY_REWARD &&
            change->id == spend->made->reward)
            return change->period;
    }
    const struct reward *reward = spend->made->hold == 0 ? NULL : reward_of(view, spend);
    if (reward == NULL)
        return USE_UNCOUNTED;
    const struct programme *programme = programme_at(view, spend->event->occurred);
    return reward_use_period(reward, calendar_day(&programme->calendar, spend->event->occurred));
}

static void count_use(const struct points_view *view, struct maker *maker, const struct spend *spend,
                      int64_t quantity)
{
    if (spend->made->reward == 0 || quantity == 0)
        return;
    local_day period = use_period(view, spend);
    if (period != USE_UNCOUNTED)
        give_room(maker, TALLY_REWARD, spend->made->reward, period, quantity);
}

bool spend_give_back(const struct points_view *view, struct maker *maker, const struct spend *spend,
                     const struct redemption_back *back, uint32_t restore_days)
{
    const struct redemption *made = spend->made;
    const struct effect *effect = &spend->event->effects[0];
    PUNKT_CHECK(made->change_first + made->change_count <= effect->lot_change_count);
    if (back->stamps != 0)
        maker_stamps(maker, made->purse, back->stamps);
    count_use(view, maker, spend, back->quantity);
    return back->points == 0 ||
           maker_give_back(maker, effect->lot_changes + made->change_first, made->change_count,
                           spend->lot_offset, spend->given_back, back->points, restore_days);
}

void spend_use_again(const struct points_view *view, struct maker *maker, const struct spend *spend,
                     const struct redemption_back *back)
{
    if (back->stamps != 0)
        maker_stamps(maker, spend->made->purse, -back->stamps);
    count_use(view, maker, spend, -(int64_t)back->quantity);
}
