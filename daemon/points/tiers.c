/*
 * The tier of an account (DOMAIN.md, Tiers). What its months counted says which tier the sum carries and for how long; the
 * state adds what that does not tell: until when a tier is kept, in grace, or waits to come into force.
 */
#include <assert.h>

#include "points/calendar.h"
#include "points/effect_maker.h"
#include "points/lots.h"

/* Months that are remembered: the longest window, and as much as a tier is kept behind it. */
#define MONTHS_KEPT (TIER_MONTHS_MAX + 12)
static_assert(MONTHS_KEPT < ACCOUNT_MONTHS_MAX, "what is kept has room");

#define NO_GRACE INT32_MIN
#define NOT_KEPT INT32_MIN /* of last days */

/* --- sums --- */

static int64_t value_of(enum tier_basis basis, const struct month_sum *sum)
{
    switch (basis) {
    case TIER_BY_SPEND:
        return sum->spend;
    case TIER_BY_POINTS:
        return sum->points;
    case TIER_BY_VISITS:
        return sum->visits;
    case TIER_BY_BALANCE:
        break;
    }
    return 0;
}

/* Matured lots less debt. */
static int64_t matured_balance(const struct account *account)
{
    int64_t points = -account->debt;
    for (uint32_t i = 0; i < account->lot_count; i++)
        points += account->lots[i].pending ? 0 : account->lots[i].points;
    return points;
}

/* The last month of the period in which a month lies: of the year, or itself. */
static int32_t period_end(const struct tiers *tiers, int32_t month)
{
    if (tiers->window != TIER_WINDOW_YEAR)
        return month;
    int32_t in_year = month % 12;
    return month - (in_year < 0 ? in_year + 12 : in_year) + 11;
}

static int32_t period_months(const struct tiers *tiers)
{
    return tiers->window == TIER_WINDOW_YEAR ? 12 : 1;
}

/* The first month of the window that ends with a month. */
static int32_t window_first(const struct tiers *tiers, int32_t month)
{
    return tiers->window == TIER_WINDOW_YEAR ? period_end(tiers, month) - 11
                                             : month - (int32_t)tiers->window_months + 1;
}

/* What the window that ends with a month counts. */
static int64_t sum_at(const struct tiers *tiers, const struct account *account, int32_t month)
{
    if (tiers->basis == TIER_BY_BALANCE)
        return matured_balance(account);
    if (tiers->window == TIER_WINDOW_EVER)
        return value_of(tiers->basis, &account->ever);
    int32_t first = window_first(tiers, month);
    int64_t sum = 0;
    for (uint32_t i = account->month_count; i > 0 && account->months[i - 1].month >= first; i--) {
        if (account->months[i - 1].month <= month)
            sum += value_of(tiers->basis, &account->months[i - 1]);
    }
    return sum;
}

/* Whether a sum carries a step; less than nothing counts as nothing. */
static bool carries(const struct tiers *tiers, int64_t sum, uint32_t step)
{
    return i64_max(sum, 0) >= tiers->tiers[step - 1].from;
}

static uint32_t step_of(const struct tiers *tiers, int64_t sum)
{
    uint32_t step = tiers->count;
    while (step > 0 && !carries(tiers, sum, step))
        step--;
    return step;
}

/* --- until when what the months counted keeps a step --- */

/* The last day of the last period whose sum carries it. NOT_KEPT: of none. */
static local_day carried_through(const struct tiers *tiers, const struct account *account, uint32_t step,
                                 int32_t month)
{
    if (carries(tiers, 0, step))
        return DAY_NEVER;
    if (tiers->basis == TIER_BY_BALANCE || tiers->window == TIER_WINDOW_EVER)
        return carries(tiers, sum_at(tiers, account, month), step) ? DAY_NEVER : NOT_KEPT;
    if (account->month_count == 0)
        return NOT_KEPT;
    bool carried = carries(tiers, sum_at(tiers, account, month), step);
    local_day through = carried ? month_last_day(period_end(tiers, month)) : NOT_KEPT;
    int32_t oldest = account->months[0].month;
    int32_t last = account->months[account->month_count - 1].month;
    /* A window of months goes on carrying while what it counts is in it. */
    last = tiers->window == TIER_WINDOW_YEAR ? period_end(tiers, last)
                                             : last + (int32_t)tiers->window_months - 1;
    for (; last >= oldest; last -= period_months(tiers)) {
        if (carries(tiers, sum_at(tiers, account, last), step))
            return (local_day)i64_max(month_last_day(last), through);
    }
    return through;
}

/* The last day through which it is kept. NOT_KEPT, or a day that is over: it is not. */
static local_day kept_through(const struct tiers *tiers, const struct account *account, uint32_t step,
                              local_day today)
{
    int32_t month = month_of_day(today);
    if (tiers->kept == TIER_KEPT_DAYS) {
        bool carried = carries(tiers, sum_at(tiers, account, month), step);
        return carried ? today + (local_day)tiers->kept_days : NOT_KEPT;
    }
    local_day through = carried_through(tiers, account, step, month);
    if (tiers->kept != TIER_KEPT_NEXT || through == NOT_KEPT || through == DAY_NEVER)
        return through;
    return month_last_day(month_of_day(through) + period_months(tiers));
}

/* The same if it is reached on a day, whatever carries it. */
static local_day reached_through(const struct tiers *tiers, const struct account *account, uint32_t step,
                                 local_day today)
{
    local_day through = kept_through(tiers, account, step, today);
    int32_t end = period_end(tiers, month_of_day(today));
    switch (tiers->kept) {
    case TIER_KEPT_NONE:
        return through;
    case TIER_KEPT_DAYS:
        return today + (local_day)tiers->kept_days;
    case TIER_KEPT_PERIOD:
        return (local_day)i64_max(through, month_last_day(end));
    case TIER_KEPT_NEXT:
        return (local_day)i64_max(through, month_last_day(end + period_months(tiers)));
    }
    return through;
}

/* The highest step below `under` that is kept by what was counted; 0: none. */
static uint32_t kept_step(const struct tiers *tiers, const struct account *account, uint32_t under,
                          local_day today)
{
    uint32_t step = under - 1;
    while (step > 0 && kept_through(tiers, account, step, today) < today)
        step--;
    return step;
}

/* --- judging --- */

/* A tier while it is judged. */
struct judging {
    const struct tiers *tiers;
    const struct account *before, *after;
    local_day today;
    bool midnight; /* nothing happened but time */
    uint32_t step;
    struct tier_state state;
};

static void set_step(struct judging *judging, uint32_t step, local_day through)
{
    judging->step = step;
    judging->state.id = step == 0 ? 0 : judging->tiers->tiers[step - 1].id;
    judging->state.since = step == 0 ? 0 : judging->today;
    judging->state.through = step == 0 ? 0 : through;
    judging->state.grace = step == 0 ? 0 : NO_GRACE;
}

/* Goes to a step for as long as what was counted keeps it. */
static void go_to_kept(struct judging *judging, uint32_t step)
{
    local_day through = step == 0 ? 0 : kept_through(judging->tiers, judging->after, step, judging->today);
    set_step(judging, step, through);
}

static void keep(struct judging *judging, local_day through)
{
    judging->state.through = through;
    judging->state.grace = NO_GRACE;
}

static void reach(struct judging *judging, uint32_t step)
{
    set_step(judging, step, reached_through(judging->tiers, judging->after, step, judging->today));
}

/* The last day of grace if `last` was the last day that it was kept; before today: there is none. */
static local_day grace_through(const struct judging *judging, local_day last)
{
    const struct tiers *tiers = judging->tiers;
    switch (tiers->grace) {
    case TIER_GRACE_NONE:
        break;
    case TIER_GRACE_DAYS:
        return last + (local_day)tiers->grace_count;
    case TIER_GRACE_MONTHS: {
        local_day day = day_add_months(last, (int32_t)tiers->grace_count);
        return tiers->grace_through_month ? month_last_day(month_of_day(day)) : day;
    }
    }
    return NOT_KEPT;
}

/* A return took what carried the tier: it goes to what is still kept, without grace. */
static void end_by_return(struct judging *judging)
{
    go_to_kept(judging, kept_step(judging->tiers, judging->after, judging->step, judging->today));
}

/* The last day, as of now, on which the tier was carried, if nothing else says. */
static local_day last_carried_day(const struct judging *judging)
{
    return judging->midnight ? judging->today - 1 : judging->today;
}

static void fall(struct judging *judging)
{
    const struct tiers *tiers = judging->tiers;
    uint32_t kept = kept_step(tiers, judging->after, judging->step, judging->today);
    uint32_t step = tiers->down_one ? judging->step - 1 : kept;
    if (step == kept) {
        go_to_kept(judging, kept);
        return;
    }
    if (tiers->kept != TIER_KEPT_NONE) {
        reach(judging, step);
        return;
    }
    /* One step down, and that is not carried either. */
    local_day last = last_carried_day(judging);
    local_day grace = grace_through(judging, last);
    if (grace < judging->today) {
        go_to_kept(judging, kept);
        return;
    }
    set_step(judging, step, last);
    judging->state.grace = grace;
}

/* It was kept through `last`, and is not carried any more. */
static void lapse(struct judging *judging, local_day last)
{
    local_day grace = grace_through(judging, last);
    if (grace < judging->today) {
        fall(judging);
        return;
    }
    judging->state.through = last;
    judging->state.grace = grace;
}

/* kept: none. It must be carried now. */
static void judge_carried(struct judging *judging, local_day kept)
{
    if (kept >= judging->today) {
        keep(judging, kept);
        return;
    }
    bool was_carried =
        !judging->midnight && judging->tiers->basis != TIER_BY_BALANCE &&
        kept_through(judging->tiers, judging->before, judging->step, judging->today) >= judging->today;
    if (was_carried)
        end_by_return(judging);
    else
        lapse(judging, last_carried_day(judging));
}

/* kept: period, next. */
static void judge_period(struct judging *judging, local_day kept)
{
    local_day through = judging->state.through;
    if (through == DAY_NEVER && kept != DAY_NEVER) /* of other rules than today's */
        through = reached_through(judging->tiers, judging->after, judging->step, judging->today);
    if (kept < through && !judging->midnight) {
        local_day was = kept_through(judging->tiers, judging->before, judging->step, judging->today);
        if (was > kept && through <= was) {
            through = kept;
            if (through < judging->today) {
                end_by_return(judging);
                return;
            }
        }
    }
    through = (local_day)i64_max(through, kept);
    if (through < judging->today)
        lapse(judging, through);
    else
        judging->state.through = through;
}

/* Whether a return of this event took what carried the tier on the day it was reached. */
static bool days_taken_back(const struct judging *judging, int32_t month)
{
    const struct tiers *tiers = judging->tiers;
    return !judging->midnight && tiers->basis != TIER_BY_BALANCE &&
           carries(tiers, sum_at(tiers, judging->before, month), judging->step) &&
           !carries(tiers, sum_at(tiers, judging->after, month), judging->step);
}

/* kept: days. kept: carried now, so many days from today. */
static void judge_days(struct judging *judging, local_day kept)
{
    const struct tiers *tiers = judging->tiers;
    local_day through = judging->state.through;
    if (through < judging->today || through == DAY_NEVER) {
        if (kept >= judging->today)
            keep(judging, kept);
        else
            lapse(judging, (local_day)i64_min(through, last_carried_day(judging)));
        return;
    }
    local_day reached = (local_day)i64_min(through - (local_day)tiers->kept_days, judging->today);
    int32_t month = month_of_day(reached);
    if (!days_taken_back(judging, month))
        return;
    uint32_t step = step_of(tiers, sum_at(tiers, judging->after, month));
    set_step(judging, step, through);
}

/* Ends a grace that is over, or whose tier is carried again. */
static void judge_grace(struct judging *judging, local_day kept)
{
    if (kept >= judging->today)
        keep(judging, kept);
    else if (judging->state.grace < judging->today)
        fall(judging);
}

static void judge_kept(struct judging *judging)
{
    local_day kept = kept_through(judging->tiers, judging->after, judging->step, judging->today);
    if (judging->state.grace != NO_GRACE) {
        judge_grace(judging, kept);
        return;
    }
    switch (judging->tiers->kept) {
    case TIER_KEPT_NONE:
        judge_carried(judging, kept);
        return;
    case TIER_KEPT_PERIOD:
    case TIER_KEPT_NEXT:
        judge_period(judging, kept);
        return;
    case TIER_KEPT_DAYS:
        judge_days(judging, kept);
        return;
    }
}

/* up: next. What was reached before comes into force with the new period. */
static void come_into_force(struct judging *judging)
{
    struct tier_state *state = &judging->state;
    if (state->next == 0 || state->next_day > judging->today)
        return;
    const struct tiers *tiers = judging->tiers;
    uint32_t step = tiers->count;
    while (step > 0 && tiers->tiers[step - 1].id != state->next)
        step--;
    state->next = 0;
    state->next_day = 0;
    if (step <= judging->step)
        return;
    if (reached_through(tiers, judging->after, step, judging->today) >= judging->today)
        reach(judging, step);
}

/* A tier that today's programme does not know: what was counted says which of today's is kept instead. */
static void replace_unknown(struct judging *judging)
{
    if (judging->state.id == 0 || judging->step != 0)
        return;
    const struct tiers *tiers = judging->tiers;
    go_to_kept(judging, kept_step(tiers, judging->after, tiers->count + 1, judging->today));
}

/* What the sum carries now goes up, at once or with the next period. True: at once. */
static bool rise(struct judging *judging)
{
    const struct tiers *tiers = judging->tiers;
    int32_t month = month_of_day(judging->today);
    uint32_t step = step_of(tiers, sum_at(tiers, judging->after, month));
    judging->state.next = 0;
    judging->state.next_day = 0;
    if (step <= judging->step)
        return false;
    if (!tiers->up_next) {
        reach(judging, step);
        return true;
    }
    judging->state.next = tiers->tiers[step - 1].id;
    judging->state.next_day = month_last_day(period_end(tiers, month)) + 1;
    return false;
}

static local_day judge_day(const struct tier_state *state)
{
    local_day day = DAY_NEVER;
    if (state->id != 0)
        day = state->grace != NO_GRACE ? state->grace : state->through;
    if (day != DAY_NEVER)
        day++;
    return state->next != 0 && state->next_day < day ? state->next_day : day;
}

static bool same_state(const struct tier_state *a, const struct tier_state *b)
{
    return a->id == b->id && a->since == b->since && a->through == b->through && a->grace == b->grace &&
           a->next == b->next && a->next_day == b->next_day && a->judge == b->judge;
}

/* An effect has one change of the tier: the last. */
static void write_tier(struct maker *maker, const struct tier_state *state)
{
    struct effect *effect = maker->effect;
    if (same_state(state, &maker->after->tier))
        return;
    for (uint32_t i = 0; i < effect->change_count; i++) {
        if (effect->changes[i].kind == CHANGE_TIER) {
            effect->changes[i].tier = *state;
            maker->after->tier = *state;
            return;
        }
    }
    maker_change(maker, &(struct account_change){ .kind = CHANGE_TIER, .tier = *state });
}

static void judge(struct maker *maker, const struct programme *programme, bool midnight)
{
    struct judging judging = { .tiers = &programme->tiers,
                               .before = maker->before,
                               .after = maker->after,
                               .today = maker->today,
                               .midnight = midnight,
                               .step = tier_step(programme, maker->after),
                               .state = maker->after->tier };
    struct tier_state none = { 0 };
    if (programme->tiers.count == 0) {
        write_tier(maker, &none);
        return;
    }
    replace_unknown(&judging);
    come_into_force(&judging);
    if (!rise(&judging) && judging.step > 0)
        judge_kept(&judging);
    if (judging.state.id == 0 && judging.state.next == 0) {
        write_tier(maker, &none);
        return;
    }
    judging.state.judge = judge_day(&judging.state);
    PUNKT_CHECK(judging.state.judge > maker->today);
    write_tier(maker, &judging.state);
}

void maker_tier(struct maker *maker, const struct programme *programme)
{
    judge(maker, programme, false);
}

void maker_tier_midnight(struct maker *maker, const struct programme *programme)
{
    judge(maker, programme, true);
}

/* --- what others ask --- */

uint32_t tier_step(const struct programme *programme, const struct account *account)
{
    uint32_t step;
    if (account->tier.id == 0 || programme_tier(programme, account->tier.id, &step) == NULL)
        return 0;
    return step;
}

uint32_t tier_step_with(const struct programme *programme, const struct account *account, local_day day,
                        local_day today, minor_units base, bool visit)
{
    const struct tiers *tiers = &programme->tiers;
    uint32_t step = tier_step(programme, account);
    if (tiers->count == 0 || tiers->up_next)
        return step;
    int32_t month = month_of_day(today);
    int32_t of_day = month_of_day(day);
    int64_t sum = sum_at(tiers, account, month);
    bool counts =
        tiers->window == TIER_WINDOW_EVER || (of_day >= window_first(tiers, month) && of_day <= month);
    if (counts && tiers->basis == TIER_BY_SPEND)
        sum += base;
    if (counts && tiers->basis == TIER_BY_VISITS)
        sum += visit ? 1 : 0;
    return (uint32_t)u64_max(step, step_of(tiers, sum));
}

/* --- what counts --- */

/* Forgets old months, after all else that the effect counts. */
static void forget_months(struct maker *maker)
{
    struct effect *effect = maker->effect;
    int32_t oldest = month_of_day(maker->today) - MONTHS_KEPT + 1;
    if (maker->after->month_count == 0 || maker->after->months[0].month >= oldest)
        return;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < effect->change_count; i++) {
        if (effect->changes[i].kind != CHANGE_MONTHS_KEPT)
            effect->changes[kept++] = effect->changes[i];
    }
    effect->change_count = kept;
    maker_change(maker, &(struct account_change){ .kind = CHANGE_MONTHS_KEPT, .period = oldest });
}

void maker_count(struct maker *maker, const struct programme *programme, enum tier_basis basis, local_day day,
                 int64_t value)
{
    if (programme->tiers.count == 0 || value == 0)
        return;
    struct account_change count = {
        .kind = CHANGE_MONTH, .which = basis, .period = month_of_day(day), .value = value
    };
    struct effect *effect = maker->effect;
    for (uint32_t i = 0; i < effect->change_count; i++) {
        struct account_change *same = &effect->changes[i];
        if (same->kind == CHANGE_MONTH && same->which == count.which && same->period == count.period) {
            same->value += value;
            PUNKT_CHECK(account_change_other(maker->after, &count, 0));
            forget_months(maker);
            return;
        }
    }
    maker_change(maker, &count);
    forget_months(maker);
}
