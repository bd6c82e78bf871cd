#include "random_programme.h"

#include <string.h>

#include "points/account.h"

#define POINT MILLIPOINTS_PER_POINT
#define HOUR 3600

const char *const random_reward_names[RANDOM_REWARDS] = { "money off", "per cent off", "coffee", "cinema",
                                                          "mug" };
const char *const random_offer_names[RANDOM_OFFERS] = {
    "first", "second", "third", "fourth", "fifth", "sixth"
};
const char *const random_codes[RANDOM_WORDS] = { "11", "12", "13", "99" };
const char *const random_categories[RANDOM_WORDS] = { "fish", "coffee", "bread", "other" };
const char *const random_stores[2] = { "north", "south" };
const char *const random_tenders[2] = { "cash", "card" };
const char *const random_tags[2] = { "staff", "family" };
const char *const random_coupons[2] = { "SPRING", "SUMMER" };

static uint32_t below(struct random *random, uint32_t bound)
{
    return (uint32_t)random_below(random, bound);
}

static bool one_in(struct random *random, uint32_t n)
{
    return below(random, n) == 0;
}

static void set_name(char out[PROGRAMME_NAME_MAX + 1], const char *name)
{
    (void)snprintf(out, PROGRAMME_NAME_MAX + 1, "%s", name);
}

/* --- filters --- */

static struct programme_word *word(struct programme *programme, const char *text)
{
    return programme_word_add(programme, text_of(text));
}

static void set_line_words(struct random *random, struct programme *programme, struct filter *filter,
                           uint64_t bit)
{
    for (uint32_t i = 0; i + 1 < RANDOM_WORDS; i++) {
        struct programme_word *code = word(programme, random_codes[i]);
        struct programme_word *category = word(programme, random_categories[i]);
        code->include_code |= one_in(random, 6) ? bit : 0;
        code->exclude_code |= one_in(random, 9) ? bit : 0;
        category->include_category |= one_in(random, 4) ? bit : 0;
        category->exclude_category |= one_in(random, 9) ? bit : 0;
        filter->has_include |= ((code->include_code | category->include_category) & bit) != 0;
        filter->has_exclude |= ((code->exclude_code | category->exclude_category) & bit) != 0;
    }
}

static void set_receipt_words(struct random *random, struct programme *programme, struct filter *filter,
                              uint64_t bit)
{
    filter->has_stores = one_in(random, 8);
    filter->has_tenders = one_in(random, 8);
    filter->has_tags = one_in(random, 8);
    filter->has_coupons = one_in(random, 8);
    uint32_t index = below(random, 2);
    word(programme, random_stores[index])->stores |= filter->has_stores ? bit : 0;
    word(programme, random_tenders[index])->tenders |= filter->has_tenders ? bit : 0;
    word(programme, random_tags[index])->tags |= filter->has_tags ? bit : 0;
    word(programme, random_coupons[index])->coupons |= filter->has_coupons ? bit : 0;
}

static void set_filter(struct random *random, struct programme *programme, struct filter *filter,
                       uint64_t bit)
{
    if (one_in(random, 2))
        set_line_words(random, programme, filter, bit);
    set_receipt_words(random, programme, filter, bit);
    if (one_in(random, 4))
        filter->minimum = 1 + below(random, 3000);
    if (one_in(random, 6))
        filter->maximum = filter->minimum + 1 + below(random, 20000);
    filter->of_lines = one_in(random, 2);
    if (one_in(random, 6))
        filter->days = (uint8_t)(1 + below(random, 127));
    if (one_in(random, 6))
        filter->tiers = 1 + below(random, 7);
    filter->hour_count = one_in(random, 5) ? (uint8_t)(1 + below(random, 2)) : 0;
    for (uint32_t i = 0; i < filter->hour_count; i++)
        filter->hours[i] = (struct filter_hours){ .from = (uint16_t)below(random, 1440),
                                                  .until = (uint16_t)(1 + below(random, 1440)) };
}

/* --- earning --- */

static void set_rules(struct random *random, struct programme *programme)
{
    programme->rule_count = 1 + below(random, 4);
    programme->rules_combine = (enum combine)below(random, 3); /* best, sum, first */
    for (uint32_t i = 0; i < programme->rule_count; i++) {
        struct base_rule *rule = &programme->rules[i];
        *rule = (struct base_rule){ .kind = (enum rule_kind)(RULE_SPEND + below(random, 3)),
                                    .points = 1 + below(random, 20000),
                                    .amount = 1 + below(random, 1000),
                                    .exact = one_in(random, 2) };
        if (i > 0)
            set_filter(random, programme, &rule->filter, UINT64_C(1) << i);
    }
}

static struct limit random_limit(struct random *random)
{
    struct limit limit = { .window = WINDOW_NONE };
    if (one_in(random, 2))
        limit = (struct limit){ (enum window)(WINDOW_DAY + below(random, 5)), 1 + below(random, 3) };
    return limit;
}

/* Some are over, and some have not begun in March 2026. */
static struct period random_period(struct random *random)
{
    static const struct civil_date march = { 2026, 3, 1 };
    struct period period = { .from = INT32_MIN, .through = DAY_NEVER };
    if (one_in(random, 3))
        period.from = day_from_civil(march) - 30 + (local_day)below(random, 60);
    if (one_in(random, 3))
        period.through = day_from_civil(march) + 20 + (local_day)below(random, 200);
    return period;
}

static void set_offers(struct random *random, struct programme *programme)
{
    static const enum combine how[] = { COMBINE_NEWEST, COMBINE_BEST, COMBINE_SUM };
    programme->purse_count = 2;
    set_name(programme->purses[0].name, "cups");
    set_name(programme->purses[1].name, "loaves");
    for (uint32_t i = 0; i < programme->purse_count; i++)
        programme->purses[i].id = programme_id(text_of(programme->purses[i].name));
    programme->offer_count = below(random, RANDOM_OFFERS + 1);
    programme->offers_combine = how[below(random, 3)];
    programme->offers_need_base = one_in(random, 2);
    for (uint32_t i = 0; i < programme->offer_count; i++) {
        struct offer *offer = &programme->offers[i];
        *offer = (struct offer){ .kind = (enum offer_kind)(OFFER_MULTIPLY + below(random, 3)),
                                 .id = programme_id(text_of(random_offer_names[i])),
                                 .factor = 1000 + below(random, 9001),
                                 .points = 1 + below(random, 9000),
                                 .per_unit = one_in(random, 2),
                                 .purse = below(random, 2),
                                 .activate = one_in(random, 4),
                                 .limit = random_limit(random),
                                 .period = random_period(random) };
        set_name(offer->name, random_offer_names[i]);
        set_filter(random, programme, &offer->filter, UINT64_C(1) << (PROGRAMME_RULES_MAX + i));
    }
}

static void set_caps(struct random *random, struct caps *caps)
{
    caps->receipt = one_in(random, 4) ? 1 + below(random, 300000) : 0;
    caps->day = one_in(random, 4) ? 1 + below(random, 400000) : 0;
    caps->month = one_in(random, 4) ? 1 + below(random, 900000) : 0;
    caps->balance = one_in(random, 6) ? 1 + below(random, 2000000) : 0;
    caps->reject = one_in(random, 4);
}

/* --- lots, tiers --- */

static void set_lots(struct random *random, struct programme *programme)
{
    programme->mature_days = one_in(random, 2) ? below(random, 30) : 0;
    programme->restore_days = one_in(random, 3) ? 0 : below(random, 15);
    programme->return_days = below(random, 120);
    programme->expiry = (struct expiry){ .kind = (enum expiry_kind)below(random, 4),
                                         .months = below(random, 5),
                                         .through = (enum through)below(random, 4),
                                         .yearly_month = 1 + below(random, 12),
                                         .yearly_day = 1 + below(random, 28) };
    if (programme->expiry.kind == EXPIRY_INACTIVE)
        programme->expiry.months++;
}

static void set_tiers(struct random *random, struct tiers *tiers)
{
    static const char *const names[] = { "bronze", "silver", "gold" };
    *tiers = (struct tiers){ .count = below(random, 4),
                             .basis = (enum tier_basis)below(random, 4),
                             .window = (enum tier_window)below(random, 3),
                             .window_months = 1 + below(random, 14),
                             .kept = (enum tier_kept)below(random, 4),
                             .kept_days = 1 + below(random, 60),
                             .grace = (enum tier_grace)below(random, 3),
                             .grace_count = 1 + below(random, 3),
                             .grace_through_month = one_in(random, 2),
                             .down_one = one_in(random, 2),
                             .up_next = one_in(random, 3) };
    if (tiers->basis == TIER_BY_BALANCE && tiers->kept != TIER_KEPT_DAYS)
        tiers->kept = TIER_KEPT_NONE;
    int64_t from = 0;
    for (uint32_t i = 0; i < tiers->count; i++) {
        from += 1 + below(random, tiers->basis == TIER_BY_VISITS ? 4 : 20000);
        tiers->tiers[i] = (struct tier){ .id = programme_id(text_of(names[i])),
                                         .from = from,
                                         .factor = 1000 + below(random, 1000),
                                         .points = one_in(random, 3) ? 1 + below(random, 5000) : 0 };
        set_name(tiers->tiers[i].name, names[i]);
    }
}

/* --- redeeming, returning --- */

static struct reward random_reward(struct random *random, const struct programme *programme, uint32_t index)
{
    struct reward reward = { .kind = (enum reward_kind)(REWARD_MONEY_OFF + index),
                             .id = programme_id(text_of(random_reward_names[index])),
                             .percent = 1000 + below(random, 50000),
                             .per = 1 + below(random, 3),
                             .has_stores = one_in(random, 4),
                             .has_stock = one_in(random, 3),
                             .stock = below(random, 12),
                             .limit = random_limit(random),
                             .period = random_period(random) };
    if (index == 0 || one_in(random, 2))
        reward.amount = 1 + below(random, 1000);
    if (one_in(random, 3)) {
        reward.purse = below(random, 2);
        reward.cost_stamps = (1 + below(random, 5)) * MILLIS_PER_UNIT;
    } else {
        reward.cost_points = (1 + below(random, 60)) * POINT;
    }
    if (programme->tiers.count > 0 && one_in(random, 4))
        reward.minimum_tier = 1 + below(random, programme->tiers.count);
    return reward;
}

static void set_rewards(struct random *random, struct programme *programme)
{
    programme->reward_count = RANDOM_REWARDS;
    for (uint32_t i = 0; i < RANDOM_REWARDS; i++) {
        struct reward *reward = &programme->rewards[i];
        *reward = random_reward(random, programme, i);
        set_name(reward->name, random_reward_names[i]);
        set_name(reward->item, random_categories[1]);
        reward->item_is_category = true;
        word(programme, random_stores[below(random, 2)])->reward_stores |=
            reward->has_stores ? UINT64_C(1) << i : 0;
    }
}

static void set_redeeming(struct random *random, struct programme *programme)
{
    programme->worth_points = (1 + below(random, 5)) * POINT;
    programme->worth_amount = 1 + below(random, 100);
    programme->redeem_minimum = one_in(random, 4) ? (1 + below(random, 20)) * POINT : 0;
    programme->redeem_step = one_in(random, 4) ? (1 + below(random, 5)) * POINT : 0;
    programme->redeem_last_part = one_in(random, 2);
    programme->spend_earned = one_in(random, 2);
    programme->pin = (enum pin_policy)below(random, 3);
    programme->hold_s = 1 + below(random, HOLD_S_MAX);
    programme->claw_back = (enum claw_back)below(random, 4);
    programme->return_spent = !one_in(random, 4);
    programme->unlinked_returns = !one_in(random, 4);
}

/* --- the whole --- */

static void set_zone(struct random *random, struct calendar *calendar)
{
    static const struct {
        const char *zone;
        int32_t offset_s;
        int64_t forward_s, back_s; /* of 2026 */
    } zones[] = {
        { "Europe/Berlin", HOUR, INT64_C(1774746000), INT64_C(1792890000) },
        { "Africa/Cairo", 2 * HOUR, INT64_C(1776981600), INT64_C(1793307600) }, /* at midnight */
        { "America/Sao_Paulo", -3 * HOUR, 0, 0 },
    };
    uint32_t index = below(random, COUNT_OF(zones) + 1);
    calendar_utc(calendar);
    if (index == COUNT_OF(zones))
        return;
    (void)snprintf(calendar->zone, sizeof(calendar->zone), "%s", zones[index].zone);
    calendar->first_offset_s = zones[index].offset_s;
    if (zones[index].forward_s == 0)
        return;
    calendar->transition_count = 2;
    calendar->transitions[0].at_s = zones[index].forward_s;
    calendar->transitions[0].offset_s = zones[index].offset_s + HOUR;
    calendar->transitions[1].at_s = zones[index].back_s;
    calendar->transitions[1].offset_s = zones[index].offset_s;
}

static void set_rules_of_version(struct random *random, struct programme *programme)
{
    programme->may_earn = one_in(random, 3) ? 1U << CARD_ACTIVE : 1U << CARD_ACTIVE | 1U << CARD_BLOCKED;
    programme->may_spend = one_in(random, 4) ? 1U << CARD_ACTIVE | 1U << CARD_BLOCKED : 1U << CARD_ACTIVE;
    programme->tax = (enum tax_mode)below(random, 2);
    programme->discounts = (enum discount_mode)below(random, 2);
    programme->welcome = one_in(random, 2) ? (1 + below(random, 20)) * POINT : 0;
    set_rules(random, programme);
    set_offers(random, programme);
    set_caps(random, &programme->caps);
    set_lots(random, programme);
    set_tiers(random, &programme->tiers);
    set_rewards(random, programme);
    set_redeeming(random, programme);
}

void random_programme(struct random *random, struct programme *out)
{
    programme_default(out);
    out->decimals = below(random, 4);
    set_zone(random, &out->calendar);
    set_rules_of_version(random, out);
}

void random_next_version(struct random *random, struct programme *inout_programme)
{
    static struct programme next;
    programme_default(&next);
    next.version = inout_programme->version;
    next.from = inout_programme->from;
    next.decimals = inout_programme->decimals;
    next.calendar = inout_programme->calendar;
    set_rules_of_version(random, &next);
    *inout_programme = next;
}
