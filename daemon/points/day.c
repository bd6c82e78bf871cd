/* What is due by itself: the midnights of an account (DOMAIN.md, Lots). */
#include "points/calendar.h"
#include "points/decide.h"
#include "points/decide_steps.h"
#include "points/effect_maker.h"
#include "points/lots.h"

/* What the midnights made of the account's points. */
struct day_sums {
    millipoints matured, expired;
};

/* Writes down a change of the lot at an index, whose points it names. */
static void change_lot(struct maker *maker, enum lot_change_kind kind, uint32_t index, millipoints points)
{
    struct effect *effect = maker->effect;
    struct lot_change change = { .kind = kind, .lot = maker->after->lots[index].number, .points = points };
    PUNKT_CHECK(effect->lot_change_count < EFFECT_LOT_CHANGES_MAX);
    effect->lot_changes[effect->lot_change_count++] = change;
    PUNKT_CHECK(account_change_lot(maker->after, &change));
}

static millipoints mature(struct maker *maker, const struct programme *programme)
{
    struct account *account = maker->after;
    millipoints matured = 0;
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct lot lot = account->lots[i];
        if (!lot.pending || lot.points == 0 || lot.matures > maker->today)
            continue;
        change_lot(maker, LOT_MATURE, i, 0);
        matured += lot.points;
        if (lot.counts)
            maker_count(maker, programme, TIER_BY_POINTS, lot.earned, lot.points);
    }
    return matured;
}

static millipoints expire(struct maker *maker)
{
    struct account *account = maker->after;
    millipoints expired = 0;
    for (uint32_t i = 0; i < account->lot_count; i++) {
        const struct lot *lot = &account->lots[i];
        if (lot->pending || lot->held == lot->points || lot_last_day(account, lot) >= maker->today)
            continue;
        expired += lot->points - lot->held;
        change_lot(maker, LOT_EXPIRE, i, lot->points - lot->held);
    }
    return expired;
}

/*
 * The day on which the tier is judged at a midnight. What a hold had set aside can be due on a day long past: but the tier
 * is not judged behind what was counted since.
 */
static local_day tier_day(const struct account *account, local_day due, local_day today)
{
    if (account->month_count == 0)
        return due;
    local_day counted = month_first_day(account->months[account->month_count - 1].month);
    return (local_day)i64_min(i64_max(due, counted), today);
}

/* Each midnight on which something is due, in order. */
static struct day_sums run_midnights(struct maker *maker, const struct programme *programme, local_day today)
{
    struct day_sums sums = { 0 };
    local_day due;
    while ((due = account_due_day(maker->after)) <= today) {
        maker->today = due;
        sums.matured += mature(maker, programme);
        maker_settle(maker);
        sums.expired += expire(maker);
        account_sweep_lots(maker->after);
        maker->today = tier_day(maker->after, due, today);
        maker_tier_midnight(maker, programme);
        PUNKT_CHECK(account_due_day(maker->after) > due);
    }
    maker->today = today;
    return sums;
}

bool decide_day(const struct points_view *view, utc_us now, account_number number, struct decision *decision)
{
    struct judgement judgement = { .now = now };
    decide_begin(view, &judgement, EVENT_DAY, 0, decision);
    struct account *before = &decision->sides[0].before;
    local_day today = decision->event.day;
    if (!view->account(view->ctx, number, before) || account_due_day(before) > today)
        return false;
    const struct programme *programme = programme_at(view, now);
    struct maker maker = maker_begin(decision, 0, today);
    struct day_sums sums = run_midnights(&maker, programme, today);
    decision->event.day_run.matured = sums.matured;
    decision->event.day_run.expired = sums.expired;
    decision->event.day_run.tier_before = before->tier.id;
    decision->event.day_run.tier_after = maker.after->tier.id;
    PUNKT_CHECK(maker_end(&maker, 0));
    return true;
}

void account_on_day(const struct programme *programme, local_day today, struct account *inout_account,
                    struct decision *scratch)
{
    if (account_due_day(inout_account) > today)
        return;
    account_copy(inout_account, &scratch->sides[0].before);
    struct maker maker = maker_begin(scratch, 0, today);
    (void)run_midnights(&maker, programme, today);
    PUNKT_CHECK(maker_end(&maker, 0));
    account_copy(maker.after, inout_account);
}
