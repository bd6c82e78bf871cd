#include "points_world.h"

#define SAME(field) assert_int_equal(got->field, want->field)

static void assert_same_lots(const struct account *got, const struct account *want)
{
    SAME(lot_count);
    for (uint32_t i = 0; i < got->lot_count; i++) {
        SAME(lots[i].number);
        SAME(lots[i].by_purchase);
        SAME(lots[i].pending);
        SAME(lots[i].counts);
        SAME(lots[i].inactive_months);
        SAME(lots[i].points);
        SAME(lots[i].held);
        SAME(lots[i].earned);
        SAME(lots[i].matures);
        SAME(lots[i].last_day);
    }
    SAME(debt_count);
    for (uint32_t i = 0; i < got->debt_count; i++)
        SAME(debts[i].points);
    SAME(expired_count);
    for (uint32_t i = 0; i < got->expired_count; i++) {
        SAME(expired[i].lot);
        SAME(expired[i].points);
    }
    SAME(hold_count);
    for (uint32_t i = 0; i < got->hold_count; i++) {
        SAME(holds[i].points);
        SAME(holds[i].stamps);
        SAME(holds[i].part_count);
    }
    SAME(hold_part_count);
    for (uint32_t i = 0; i < got->hold_part_count; i++) {
        SAME(hold_parts[i].lot);
        SAME(hold_parts[i].points);
    }
}

static void assert_same_counters(const struct account *got, const struct account *want)
{
    SAME(tally_count);
    for (uint32_t i = 0; i < got->tally_count; i++) {
        SAME(tallies[i].id);
        SAME(tallies[i].period);
        SAME(tallies[i].before);
        SAME(tallies[i].value);
        SAME(tallies[i].value_before);
    }
    SAME(stamps_count);
    for (uint32_t i = 0; i < got->stamps_count; i++) {
        SAME(stamps[i].purse);
        SAME(stamps[i].count);
        SAME(stamps[i].held);
    }
    SAME(month_count);
    for (uint32_t i = 0; i < got->month_count; i++) {
        SAME(months[i].month);
        SAME(months[i].visits);
        SAME(months[i].spend);
        SAME(months[i].points);
    }
    SAME(ever.visits);
    SAME(ever.spend);
    SAME(ever.points);
    SAME(recent_count);
    for (uint32_t i = 0; i < got->recent_count; i++)
        SAME(recent[i]);
    SAME(first_earned);
    SAME(earned_day);
    SAME(earned_on_day);
}

static void assert_same_tier(const struct tier_state *got, const struct tier_state *want)
{
    SAME(id);
    SAME(since);
    SAME(through);
    SAME(grace);
    SAME(next);
    SAME(next_day);
    SAME(judge);
}

void assert_same_account(const struct account *got, const struct account *want)
{
    SAME(number);
    SAME(merged_into);
    SAME(suspense);
    SAME(closed);
    SAME(balance);
    SAME(debt);
    SAME(lifetime);
    SAME(last_purchase);
    SAME(last_purchase_day);
    SAME(next_lot);
    SAME(card_count);
    SAME(joined_through);
    SAME(tag_count);
    SAME(activated_count);
    SAME(pin.set);
    SAME(pin.wrong);
    assert_same_lots(got, want);
    assert_same_counters(got, want);
    assert_same_tier(&got->tier, &want->tier);
}
