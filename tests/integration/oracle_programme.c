/* Programmes of the oracle: made up at random, and as text. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

#include "world.h"

struct oracle_word oracle_word(enum oracle_words kind, unsigned index)
{
    static const char *const forms[WORD_KINDS] = { "%c",  "k%u", "S%u", "t%u", "g%u",
                                                   "c%u", "o%u", "T%u", "r%u", "p%u" };
    struct oracle_word word;
    if (kind == WORD_ARTICLE)
        (void)snprintf(word.text, sizeof(word.text), "%c", (char)('A' + index % 26));
    else
        (void)snprintf(word.text, sizeof(word.text), "%c%u", forms[kind][0], index % 1000);
    return word;
}

int64_t oracle_step(const struct oracle_programme *programme)
{
    static const int64_t steps[] = { 1000, 100, 10, 1 };
    return steps[programme->decimals];
}

/* --- made up --- */

static bool once_in(struct random *random, uint64_t times)
{
    return random_below(random, times) == 0;
}

static int64_t between(struct random *random, int64_t from, int64_t to)
{
    return from + (int64_t)random_below(random, (uint64_t)(to - from + 1));
}

/* Some, but not all, of so many. */
static unsigned some(struct random *random, unsigned count)
{
    return 1 + (unsigned)random_below(random, (1U << count) - 2);
}

static void make_goods_filter(struct random *random, struct oracle_filter *out)
{
    if (once_in(random, 3))
        out->articles = some(random, ARTICLES);
    if (once_in(random, 4))
        out->categories = some(random, CATEGORIES);
    if (once_in(random, 4))
        out->not_articles = 1U << random_below(random, ARTICLES);
    if (once_in(random, 6))
        out->not_categories = 1U << random_below(random, CATEGORIES);
}

static struct oracle_filter make_filter(struct random *random, unsigned tier_count)
{
    struct oracle_filter filter = { 0 };
    if (once_in(random, 2))
        make_goods_filter(random, &filter);
    if (once_in(random, 8))
        filter.stores = some(random, STORES);
    if (once_in(random, 10))
        filter.tenders = some(random, TENDERS);
    if (once_in(random, 8))
        filter.tags = some(random, TAGS);
    if (once_in(random, 8))
        filter.coupons = some(random, COUPONS);
    if (once_in(random, 6))
        filter.days = some(random, 7);
    if (tier_count > 0 && once_in(random, 5))
        filter.tiers = some(random, tier_count + 1);
    if (once_in(random, 5)) {
        filter.hour_from = (unsigned)random_below(random, 24);
        filter.hour_until = (filter.hour_from + 1 + (unsigned)random_below(random, 22)) % 24;
    }
    if (once_in(random, 4))
        filter.minimum = between(random, 1, 3000);
    if (once_in(random, 8))
        filter.maximum = between(random, 3000, 12000);
    filter.of_lines = (filter.minimum > 0 || filter.maximum > 0) && once_in(random, 2);
    return filter;
}

static void make_rule(struct random *random, unsigned index, unsigned tiers, struct oracle_rule *out)
{
    *out = (struct oracle_rule){ .kind =
                                     index == 0 ? BASE_SPEND : (enum oracle_rule_kind)between(random, 1, 3) };
    out->points = once_in(random, 2) ? between(random, 1, 9) * 1000 : between(random, 1, 9999);
    out->amount = out->kind == BASE_SPEND ? between(random, 1, 20) * 50 : 0;
    out->exact = out->kind != BASE_VISIT && once_in(random, 3);
    if (index > 0)
        out->filter = make_filter(random, tiers);
    else if (once_in(random, 3))
        make_goods_filter(random, &out->filter);
}

static void make_offer(struct random *random, int32_t today, unsigned tiers, struct oracle_offer *out)
{
    *out = (struct oracle_offer){ .kind = (enum oracle_offer_kind)between(random, 1, 3) };
    out->factor = between(random, 1, 90) * 100 + 1000;
    out->points = once_in(random, 2) ? between(random, 1, 20) * 1000 : between(random, 1, 9999);
    out->per_unit = out->kind != GIVE_MULTIPLY && once_in(random, 2);
    out->purse = (unsigned)random_below(random, ORACLE_PURSES);
    out->activate = once_in(random, 4);
    out->filter = make_filter(random, tiers);
    if (once_in(random, 3))
        out->from = today - (int32_t)between(random, 0, 60);
    if (once_in(random, 4))
        out->through = today + (int32_t)between(random, 0, 60);
    if (once_in(random, 3)) {
        out->window = (enum oracle_window)between(random, EACH_DAY, EACH_EVER);
        if (out->window == EACH_PERIOD && (out->from == 0 || out->through == 0))
            out->window = EACH_EVER;
        out->uses = between(random, 1, 4);
    }
}

static void make_tiers(struct random *random, struct oracle_programme *out)
{
    static const int64_t units[] = { 5000, 40000, 3, 60000 };
    out->tier_count = (unsigned)random_below(random, ORACLE_TIERS + 1);
    out->basis = (enum oracle_basis)random_below(random, 4);
    out->sum = (enum oracle_tier_window)random_below(random, 3);
    out->sum_months = (int32_t)between(random, 1, 4);
    out->kept = (enum oracle_kept)random_below(random, 4);
    if (out->basis == BASIS_BALANCE && out->kept != KEPT_DAYS)
        out->kept = KEPT_NONE;
    out->kept_days = (int32_t)between(random, 1, 60);
    out->grace_days = once_in(random, 2) ? (int32_t)between(random, 1, 30) : 0;
    out->down_one = once_in(random, 2);
    for (unsigned i = 0; i < out->tier_count; i++)
        out->tiers[i] =
            (struct oracle_tier){ .from = units[out->basis] * (i + 1) * between(random, 1, 1 + (int64_t)i),
                                  .factor = 1000 + between(random, 0, 20) * 50,
                                  .points = between(random, 0, 3) * 1000 };
    if (out->tier_count == 2 && out->tiers[1].from <= out->tiers[0].from)
        out->tiers[1].from = out->tiers[0].from * 2;
}

static void make_reward(struct random *random, unsigned tiers, struct oracle_reward *out)
{
    *out = (struct oracle_reward){ .kind = (enum oracle_reward_kind)between(random, 1, 5), .per = 1 };
    if (out->kind == FOR_MONEY || (out->kind != FOR_VOUCHER && out->kind != FOR_GIFT && once_in(random, 2)))
        out->amount = between(random, 50, 800);
    out->percent = between(random, 1, 400) * 125;
    out->article = (unsigned)random_below(random, ARTICLES);
    if (once_in(random, 3))
        out->stamps = between(random, 1, 5) * 1000;
    else
        out->points = between(random, 1, 40) * 1000;
    out->purse = (unsigned)random_below(random, ORACLE_PURSES);
    out->per = between(random, 1, 2);
    if (tiers > 0 && once_in(random, 4))
        out->tier = 1 + (unsigned)random_below(random, tiers);
    if (once_in(random, 3))
        out->stock = between(random, 2, 20);
    if (once_in(random, 3)) {
        out->window = once_in(random, 2) ? EACH_MONTH : EACH_EVER;
        out->uses = between(random, 1, 5);
    }
}

static void make_lots(struct random *random, struct oracle_programme *out)
{
    static const int32_t through[] = { 0, 1, 3, 12 };
    bool counts_late = out->tier_count > 0 && out->basis == BASIS_POINTS; /* in a month that is over */
    out->mature_days = once_in(random, 2) && !counts_late ? (int32_t)between(random, 1, 20) : 0;
    out->expiry = (enum oracle_expiry)random_below(random, 4);
    out->expiry_months = (int32_t)between(random, 1, 5);
    out->through_months = through[random_below(random, 4)];
    out->yearly_month = (unsigned)between(random, 1, 12);
    out->yearly_day = (unsigned)between(random, 1, 28);
    out->restore_days = (int32_t)between(random, 0, 10);
    out->claw_back = (enum oracle_claw_back)random_below(random, 4);
    out->keep_spent = once_in(random, 4);
    out->no_unlinked = once_in(random, 6);
}

static void make_caps(struct random *random, struct oracle_programme *out)
{
    if (once_in(random, 3))
        out->cap_receipt = between(random, 20, 300) * 1000;
    out->cap_rejects = out->cap_receipt > 0 && once_in(random, 4);
    if (once_in(random, 4))
        out->cap_day = between(random, 50, 500) * 1000;
    if (once_in(random, 4))
        out->cap_month = between(random, 100, 900) * 1000;
    if (once_in(random, 5))
        out->cap_balance = between(random, 200, 2000) * 1000;
}

static void make_redeeming(struct random *random, struct oracle_programme *out)
{
    out->worth_points = between(random, 1, 4) * 1000;
    out->worth_amount = between(random, 1, 20);
    if (once_in(random, 3))
        out->redeem_minimum = between(random, 1, 8) * 1000;
    if (once_in(random, 4))
        out->redeem_step = between(random, 1, 4) * 1000;
    out->last_part = once_in(random, 3);
    out->spend_earned = once_in(random, 3);
}

/* What must stay when a version follows another: it is what state refers to by name, or for good. */
static void keep(const struct oracle_programme *before, struct oracle_programme *out)
{
    out->decimals = before->decimals;
    out->berlin = before->berlin;
    out->basis = before->basis;
    out->sum = before->sum;
    out->sum_months = before->sum_months;
    out->kept = before->kept;
    out->kept_days = before->kept_days;
    out->grace_days = before->grace_days;
    out->down_one = before->down_one;
    out->tier_count = before->tier_count;
    out->reward_count = before->reward_count;
    memcpy(out->tiers, before->tiers, sizeof(out->tiers));
    memcpy(out->rewards, before->rewards, sizeof(out->rewards));
}

void oracle_programme_make(struct random *random, int32_t today, const struct oracle_programme *before,
                           struct oracle_programme *out)
{
    *out = (struct oracle_programme){ .decimals = once_in(random, 2) ? 0 : (unsigned)random_below(random, 4),
                                      .berlin = once_in(random, 2) };
    make_tiers(random, out);
    out->reward_count = (unsigned)random_below(random, ORACLE_REWARDS + 1);
    for (unsigned i = 0; i < out->reward_count; i++)
        make_reward(random, out->tier_count, &out->rewards[i]);
    if (before != NULL)
        keep(before, out);
    out->tax_excluded = once_in(random, 3);
    out->discounts_before = once_in(random, 3);
    out->rule_count = (unsigned)between(random, 1, ORACLE_RULES);
    out->rules_combine = (unsigned)random_below(random, 3);
    for (unsigned i = 0; i < out->rule_count; i++)
        make_rule(random, i, out->tier_count, &out->rules[i]);
    out->offer_count = (unsigned)random_below(random, ORACLE_OFFERS + 1);
    out->offers_combine = (unsigned)random_below(random, 3) == 0 ? BEST : once_in(random, 2) ? SUM : NEWEST;
    out->offers_without_base = once_in(random, 4);
    for (unsigned i = 0; i < out->offer_count; i++)
        make_offer(random, today, out->tier_count, &out->offers[i]);
    make_caps(random, out);
    make_lots(random, out);
    make_redeeming(random, out);
    if (once_in(random, 3))
        out->welcome = between(random, 1, 20) * 1000;
}

/* --- as text --- */

struct text_out {
    char *bytes;
    size_t size, capacity;
};

__attribute__((format(printf, 2, 3))) static void say(struct text_out *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(out->bytes + out->size, out->capacity - out->size, format, args);
    va_end(args);
    assert_true(size >= 0 && out->size + (size_t)size < out->capacity);
    out->size += (size_t)size;
}

static void say_amount(struct text_out *out, const char *key, int64_t amount)
{
    say(out, "%s: %" PRId64 ".%02" PRId64, key, amount / 100, amount % 100);
}

static void say_thousandths(struct text_out *out, const char *key, int64_t value)
{
    say(out, "%s: %" PRId64 ".%03" PRId64, key, value / 1000, value % 1000);
}

/* Whole points. */
static void say_points(struct text_out *out, const char *key, int64_t points)
{
    say(out, "%s: %" PRId64, key, points / 1000);
}

static void say_day(struct text_out *out, const char *key, int32_t day)
{
    time_t seconds = (time_t)day * 86400;
    struct tm parts;
    assert_non_null(gmtime_r(&seconds, &parts));
    say(out, ", %s: %04d-%02d-%02d", key, parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

static void say_set(struct text_out *out, const char *key, enum oracle_words kind, unsigned set)
{
    const char *comma = "";
    say(out, "%s: [", key);
    for (unsigned i = 0; set >> i != 0; i++) {
        if ((set >> i & 1) == 0)
            continue;
        say(out, "%s%s", comma, oracle_word(kind, i).text);
        comma = ", ";
    }
    say(out, "]");
}

static void say_goods(struct text_out *out, const char *key, unsigned articles, unsigned categories)
{
    if (articles == 0 && categories == 0)
        return;
    say(out, ", %s: {", key);
    if (articles != 0)
        say_set(out, "codes", WORD_ARTICLE, articles);
    if (articles != 0 && categories != 0)
        say(out, ", ");
    if (categories != 0)
        say_set(out, "categories", WORD_CATEGORY, categories);
    say(out, "}");
}

static void say_times(struct text_out *out, const struct oracle_filter *filter)
{
    static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
    const char *comma = "";
    if (filter->days != 0) {
        say(out, ", days: [");
        for (unsigned i = 0; i < 7; i++) {
            if ((filter->days >> i & 1) == 0)
                continue;
            say(out, "%s%s", comma, days[i]);
            comma = ", ";
        }
        say(out, "]");
    }
    if (filter->hour_from != filter->hour_until)
        say(out, ", hours: [\"%02u:00-%02u:00\"]", filter->hour_from, filter->hour_until);
}

static void say_tiers_of(struct text_out *out, unsigned tiers)
{
    const char *comma = "";
    say(out, ", tiers: [");
    for (unsigned i = 0; tiers >> i != 0; i++) {
        if ((tiers >> i & 1) == 0)
            continue;
        say(out, "%s%s", comma, i == 0 ? "none" : oracle_word(WORD_TIER, i).text);
        comma = ", ";
    }
    say(out, "]");
}

static void say_filter(struct text_out *out, const struct oracle_filter *filter)
{
    static const struct {
        const char *key;
        enum oracle_words kind;
    } sets[] = { { ", stores", WORD_STORE },
                 { ", tenders", WORD_TENDER },
                 { ", tags", WORD_TAG },
                 { ", coupons", WORD_COUPON } };
    const unsigned values[] = { filter->stores, filter->tenders, filter->tags, filter->coupons };
    say_goods(out, "include", filter->articles, filter->categories);
    say_goods(out, "exclude", filter->not_articles, filter->not_categories);
    for (unsigned i = 0; i < 4; i++) {
        if (values[i] != 0)
            say_set(out, sets[i].key, sets[i].kind, values[i]);
    }
    if (filter->tiers != 0)
        say_tiers_of(out, filter->tiers);
    say_times(out, filter);
    if (filter->minimum > 0)
        say_amount(out, ", minimum", filter->minimum);
    if (filter->maximum > 0)
        say_amount(out, ", maximum", filter->maximum);
    if (filter->of_lines)
        say(out, ", of: lines");
}

static const char *window_word(enum oracle_window window)
{
    static const char *const words[] = { "", "day", "month", "year", "period", "ever" };
    return words[window];
}

static void say_rules(struct text_out *out, const struct oracle_programme *programme)
{
    static const char *const kinds[] = { "", "spend", "item", "visit" };
    static const char *const combines[] = { "best", "sum", "first" };
    say(out, "base_combine: %s\nbase:\n", combines[programme->rules_combine]);
    for (unsigned i = 0; i < programme->rule_count; i++) {
        const struct oracle_rule *rule = &programme->rules[i];
        say(out, "  - {rule: %s", kinds[rule->kind]);
        say_thousandths(out, ", points", rule->points);
        if (rule->kind == BASE_SPEND)
            say_amount(out, ", amount", rule->amount);
        if (rule->exact)
            say(out, ", exact: true");
        say_filter(out, &rule->filter);
        say(out, "}\n");
    }
}

static void say_offer(struct text_out *out, unsigned index, const struct oracle_offer *offer)
{
    static const char *const kinds[] = { "", "multiply", "add", "stamp" };
    say(out, "  - {offer: %s, name: %s", kinds[offer->kind], oracle_word(WORD_OFFER, index).text);
    if (offer->kind == GIVE_MULTIPLY)
        say_thousandths(out, ", factor", offer->factor);
    if (offer->kind == GIVE_ADD)
        say_thousandths(out, ", points", offer->points);
    if (offer->kind == GIVE_STAMP) {
        say_thousandths(out, ", stamps", offer->points);
        say(out, ", purse: %s", oracle_word(WORD_PURSE, offer->purse).text);
    }
    if (offer->per_unit)
        say(out, ", per: unit");
    if (offer->activate)
        say(out, ", activate: true");
    if (offer->from != 0)
        say_day(out, "from", offer->from);
    if (offer->through != 0)
        say_day(out, "through", offer->through);
    if (offer->window != EACH_NONE)
        say(out, ", limit: {uses: %" PRId64 ", per: %s}", offer->uses, window_word(offer->window));
    say_filter(out, &offer->filter);
    say(out, "}\n");
}

/* Purses are known by offers: a stamp of each that nobody gets. */
static void say_offers(struct text_out *out, const struct oracle_programme *programme)
{
    say(out, "offers_combine: %s\noffers_need_base: %s\noffers:\n",
        programme->offers_combine == BEST  ? "best"
        : programme->offers_combine == SUM ? "sum"
                                           : "newest",
        programme->offers_without_base ? "false" : "true");
    for (unsigned i = 0; i < programme->offer_count; i++)
        say_offer(out, i, &programme->offers[i]);
    for (unsigned i = 0; i < ORACLE_PURSES; i++)
        say(out, "  - {offer: stamp, name: x%u, purse: %s, coupons: [nobody]}\n", i,
            oracle_word(WORD_PURSE, i).text);
}

static void say_tiers(struct text_out *out, const struct oracle_programme *programme)
{
    static const char *const bases[] = { "spend", "points", "visits", "balance" };
    static const char *const kept[] = { "next", "period", "none" };
    if (programme->tier_count == 0)
        return;
    say(out, "tiers:\n  basis: %s\n", bases[programme->basis]);
    if (programme->basis != BASIS_BALANCE && programme->sum == SUM_MONTHS)
        say(out, "  window: {months: %d}\n", (int)programme->sum_months);
    else if (programme->basis != BASIS_BALANCE)
        say(out, "  window: %s\n", programme->sum == SUM_YEAR ? "year" : "ever");
    if (programme->kept == KEPT_DAYS)
        say(out, "  kept: {days: %d}\n", (int)programme->kept_days);
    else
        say(out, "  kept: %s\n", kept[programme->kept]);
    if (programme->kept == KEPT_DAYS && programme->grace_days > 0)
        say(out, "  grace: {days: %d}\n", (int)programme->grace_days);
    if (programme->kept == KEPT_DAYS)
        say(out, "  down: %s\n", programme->down_one ? "one" : "earned");
    say(out, "  levels:\n");
    for (unsigned i = 0; i < programme->tier_count; i++) {
        const struct oracle_tier *tier = &programme->tiers[i];
        say(out, "    - {name: %s", oracle_word(WORD_TIER, i + 1).text);
        if (programme->basis == BASIS_SPEND)
            say_amount(out, ", from", tier->from);
        else
            say(out, ", from: %" PRId64, programme->basis == BASIS_VISITS ? tier->from : tier->from / 1000);
        say_thousandths(out, ", multiply", tier->factor);
        if (tier->points > 0)
            say_points(out, ", add", tier->points);
        say(out, "}\n");
    }
}

static void say_rewards(struct text_out *out, const struct oracle_programme *programme)
{
    static const char *const kinds[] = { "", "money_off", "percent_off", "item", "voucher", "gift" };
    say(out, programme->reward_count > 0 ? "rewards:\n" : "");
    for (unsigned i = 0; i < programme->reward_count; i++) {
        const struct oracle_reward *reward = &programme->rewards[i];
        say(out, "  - {reward: %s, name: %s", kinds[reward->kind], oracle_word(WORD_REWARD, i).text);
        if (reward->kind == FOR_PERCENT)
            say_thousandths(out, ", percent", reward->percent);
        if (reward->kind == FOR_ITEM)
            say(out, ", code: %s", oracle_word(WORD_ARTICLE, reward->article).text);
        if (reward->kind == FOR_VOUCHER)
            say(out, ", voucher: V-%u", i);
        if (reward->kind == FOR_GIFT)
            say(out, ", what: a thing");
        if (reward->amount > 0)
            say_amount(out, reward->kind == FOR_MONEY ? ", amount" : ", maximum", reward->amount);
        if (reward->stamps > 0)
            say(out, ", stamps: %" PRId64 ", purse: %s", reward->stamps / 1000,
                oracle_word(WORD_PURSE, reward->purse).text);
        else
            say_points(out, ", points", reward->points);
        say(out, ", per: %" PRId64, reward->per);
        if (reward->tier > 0)
            say(out, ", tier: %s", oracle_word(WORD_TIER, reward->tier).text);
        if (reward->stock > 0)
            say(out, ", stock: %" PRId64, reward->stock);
        if (reward->window != EACH_NONE)
            say(out, ", limit: {uses: %" PRId64 ", per: %s}", reward->uses, window_word(reward->window));
        say(out, "}\n");
    }
}

static void say_caps(struct text_out *out, const struct oracle_programme *programme)
{
    const struct {
        const char *key;
        int64_t points;
    } caps[] = { { "receipt", programme->cap_receipt },
                 { "day", programme->cap_day },
                 { "month", programme->cap_month },
                 { "balance", programme->cap_balance } };
    const char *comma = "caps: {";
    for (unsigned i = 0; i < 4; i++) {
        if (caps[i].points == 0)
            continue;
        say(out, "%s", comma);
        say_points(out, caps[i].key, caps[i].points);
        comma = ", ";
    }
    if (programme->cap_rejects)
        say(out, ", over: reject");
    say(out, comma[0] == ',' ? "}\n" : "");
}

static void say_lots(struct text_out *out, const struct oracle_programme *programme)
{
    static const char *const claws[] = { "debt", "balance", "own", "pending" };
    say(out, "lots: {mature_days: %d}\nexpiry: ", (int)programme->mature_days);
    if (programme->expiry == LASTS_EVER)
        say(out, "never\n");
    else if (programme->expiry == LASTS_YEARLY)
        say(out, "{yearly: \"%02u-%02u\", after_months: %d}\n", programme->yearly_month,
            programme->yearly_day, (int)programme->expiry_months);
    else if (programme->expiry == LASTS_ACTIVE)
        say(out, "{inactive: %d}\n", (int)programme->expiry_months);
    else
        say(out, "{months: %d, through: %s}\n", (int)programme->expiry_months,
            programme->through_months == 0   ? "day"
            : programme->through_months == 1 ? "month"
            : programme->through_months == 3 ? "quarter"
                                             : "year");
    say(out, "returns: {claw_back: %s, return_spent: %s, restore_days: %d, unlinked: %s, days: 3000}\n",
        claws[programme->claw_back], programme->keep_spent ? "false" : "true", (int)programme->restore_days,
        programme->no_unlinked ? "false" : "true");
}

char *oracle_programme_text(const struct oracle_programme *programme)
{
    struct text_out out = { .bytes = malloc(32768), .capacity = 32768 };
    assert_non_null(out.bytes);
    say(&out, "programme: made up\ncurrency: EUR\ndecimals: %u\nzone: %s\ntax: %s\ndiscounts: %s\n",
        programme->decimals, programme->berlin ? "Europe/Berlin" : "UTC",
        programme->tax_excluded ? "excluded" : "included", programme->discounts_before ? "before" : "after");
    say_tiers(&out, programme);
    say_rules(&out, programme);
    say_offers(&out, programme);
    say_rewards(&out, programme);
    say_caps(&out, programme);
    say_lots(&out, programme);
    say_points(&out, "redeem: {points", programme->worth_points);
    say_amount(&out, ", worth", programme->worth_amount);
    if (programme->redeem_minimum > 0)
        say_points(&out, ", minimum", programme->redeem_minimum);
    if (programme->redeem_step > 0)
        say_points(&out, ", step", programme->redeem_step);
    say(&out, ", last: %s, spend_earned: %s}\n", programme->last_part ? "part" : "whole",
        programme->spend_earned ? "true" : "false");
    if (programme->welcome > 0) {
        say_points(&out, "welcome", programme->welcome);
        say(&out, "\n");
    }
    say(&out, "...\n");
    return out.bytes;
}
