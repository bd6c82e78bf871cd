/* What goods earn, by the oracle (DOMAIN.md, Earning). */
#include <string.h>

#include "oracle_steps.h"

/* --- bases --- */

/* What is taken off is spread over the sale lines by running totals. */
void oracle_bases(const struct oracle_programme *programme, const struct oracle_receipt *receipt,
                  int64_t paid, int64_t bases[ORACLE_LINES])
{
    int64_t sold = 0;
    int64_t off = paid;
    int64_t passed = 0;
    memset(bases, 0, ORACLE_LINES * sizeof(bases[0]));
    if (receipt->line_count == 0) {
        bases[0] = oracle_max(receipt->amount - paid, 0);
        return;
    }
    for (unsigned i = 0; i < receipt->line_count; i++) {
        const struct oracle_line *line = &receipt->lines[i];
        bool counts =
            line->kind == LINE_OF_REWARD || (line->kind == LINE_OF_DISCOUNT && !programme->discounts_before);
        sold += line->kind == LINE_OF_SALE ? line->amount : 0;
        off -= counts ? line->amount : 0;
    }
    for (unsigned i = 0; i < receipt->line_count; i++) {
        const struct oracle_line *line = &receipt->lines[i];
        if (line->kind != LINE_OF_SALE || line->amount == 0)
            continue;
        int64_t share = oracle_part_of(off, passed + line->amount, sold) - oracle_part_of(off, passed, sold);
        passed += line->amount;
        bases[i] = oracle_max(line->amount - share, 0);
        if (programme->tax_excluded)
            bases[i] = oracle_part_of(bases[i], line->amount - line->tax, line->amount);
    }
}

struct oracle_goods oracle_goods_of(const struct oracle_receipt *receipt, const int64_t bases[ORACLE_LINES])
{
    struct oracle_goods goods = { .count = receipt->line_count };
    for (unsigned i = 0; i < receipt->line_count; i++) {
        const struct oracle_line *line = &receipt->lines[i];
        goods.lines[i].sale = line->kind == LINE_OF_SALE;
        goods.lines[i].article = line->article;
        goods.lines[i].category = line->category;
        goods.lines[i].base = bases[i];
        goods.lines[i].units = line->units;
    }
    if (goods.count > 0)
        return goods;
    goods.count = 1; /* a receipt without lines: goods that no filter includes by name */
    goods.lines[0].sale = true;
    goods.lines[0].article = ARTICLES;
    goods.lines[0].category = CATEGORIES;
    goods.lines[0].base = bases[0];
    goods.lines[0].units = 1000;
    return goods;
}

static bool has(unsigned set, unsigned element)
{
    return (set >> element & 1) != 0;
}

static bool line_passes(const struct oracle_goods *goods, unsigned i, const struct oracle_filter *filter)
{
    unsigned article = goods->lines[i].article;
    unsigned category = goods->lines[i].category;
    bool open = filter->articles == 0 && filter->categories == 0;
    bool included = open || has(filter->articles, article) || has(filter->categories, category);
    return goods->lines[i].sale && goods->lines[i].units > 0 && included &&
           !has(filter->not_articles, article) && !has(filter->not_categories, category);
}

struct sums {
    bool any;
    int64_t base, units;
};

/* The lines that pass a filter, or two of them; NULL: all. */
static struct sums sums_of(const struct oracle_goods *goods, const struct oracle_filter *filter,
                           const struct oracle_filter *also)
{
    static const struct oracle_filter all;
    struct sums sums = { 0 };
    for (unsigned i = 0; i < goods->count; i++) {
        if (!line_passes(goods, i, filter != NULL ? filter : &all) ||
            !line_passes(goods, i, also != NULL ? also : &all))
            continue;
        sums.any = true;
        sums.base += goods->lines[i].base;
        sums.units += goods->lines[i].units;
    }
    if (goods->before > 0)
        sums.base = oracle_part_of(sums.base, goods->left, goods->before);
    return sums;
}

/* --- filters of receipts --- */

/* Whether the hours hold the moment, and on which day they began. */
static bool hours_hold(const struct oracle_filter *filter, int32_t day, int32_t minute, int32_t *out_began)
{
    int32_t from = (int32_t)filter->hour_from * 60;
    int32_t until = (int32_t)filter->hour_until * 60;
    *out_began = day;
    if (from == until)
        return true;
    if (from < until)
        return minute >= from && minute < until;
    if (minute < until)
        *out_began = day - 1;
    return minute >= from || minute < until;
}

static bool time_fits(const struct oracle_filter *filter, int32_t day, int32_t minute, int32_t *out_began)
{
    bool held = hours_hold(filter, day, minute, out_began);
    return held && (filter->days == 0 || has(filter->days, (unsigned)((*out_began + 3) % 7)));
}

static bool words_fit(const struct oracle_filter *filter, const struct oracle_receipt *receipt,
                      const struct oracle_account *account)
{
    bool paid = false;
    bool all_named = true;
    for (unsigned i = 0; i < receipt->tender_count; i++) {
        paid = paid || receipt->tenders[i].amount > 0;
        all_named =
            all_named && (receipt->tenders[i].amount <= 0 || has(filter->tenders, receipt->tenders[i].kind));
    }
    return (filter->stores == 0 || has(filter->stores, receipt->store)) &&
           (filter->tenders == 0 || (paid && all_named)) &&
           (filter->coupons == 0 || (filter->coupons & receipt->coupons) != 0) &&
           (filter->tags == 0 || (account != NULL && (filter->tags & account->tags) != 0));
}

static bool minimum_fits(const struct oracle_filter *filter, const struct oracle_goods *goods)
{
    return filter->minimum == 0 ||
           sums_of(goods, filter->of_lines ? filter : NULL, NULL).base >= filter->minimum;
}

static bool receipt_fits(const struct oracle_filter *filter, const struct oracle_goods *goods,
                         const struct oracle_receipt *receipt, const struct oracle_account *account,
                         unsigned tier, int32_t day, int32_t minute, int32_t *out_began)
{
    int64_t base = sums_of(goods, filter->of_lines ? filter : NULL, NULL).base;
    return sums_of(goods, filter, NULL).any && words_fit(filter, receipt, account) &&
           time_fits(filter, day, minute, out_began) && (filter->tiers == 0 || has(filter->tiers, tier)) &&
           minimum_fits(filter, goods) && (filter->maximum == 0 || base <= filter->maximum);
}

/* --- what one gives --- */

static int64_t shared(const struct oracle_goods *goods, int64_t points)
{
    return goods->before > 0 ? oracle_part_of(points, goods->left, goods->before) : points;
}

static int64_t rule_gives(const struct oracle_programme *programme, const struct oracle_rule *rule,
                          const struct oracle_goods *goods, const struct oracle_filter *also)
{
    struct sums sums = sums_of(goods, &rule->filter, also);
    int64_t points = 0;
    if (rule->kind == BASE_SPEND)
        points = rule->exact ? oracle_part_of(sums.base, rule->points, rule->amount)
                             : sums.base / rule->amount * rule->points;
    if (rule->kind == BASE_ITEM)
        points = shared(goods, rule->exact ? oracle_part_of(sums.units, rule->points, 1000)
                                           : sums.units / 1000 * rule->points);
    if (rule->kind == BASE_VISIT)
        points = sums.base > 0 ? rule->points : 0;
    return oracle_down(programme, points);
}

static int64_t tier_gives(const struct oracle_programme *programme, unsigned tier, int64_t base_points)
{
    if (tier == 0 || base_points == 0)
        return 0;
    const struct oracle_tier *of = &programme->tiers[tier - 1];
    return oracle_down(programme, oracle_part_of(base_points, of->factor - 1000, 1000) + of->points);
}

static bool names_lines(const struct oracle_filter *filter)
{
    return filter->articles != 0 || filter->categories != 0 || filter->not_articles != 0 ||
           filter->not_categories != 0;
}

static int64_t multiply_gives(const struct oracle_programme *programme, const struct oracle_offer *offer,
                              const struct oracle_goods *goods, const struct oracle_award *award)
{
    int64_t points = names_lines(&offer->filter) ? 0 : award->base_points;
    for (unsigned i = 0; names_lines(&offer->filter) && i < programme->rule_count; i++) {
        if (has(award->rules_won, i) && programme->rules[i].kind != BASE_VISIT)
            points += rule_gives(programme, &programme->rules[i], goods, &offer->filter);
    }
    return oracle_down(programme, oracle_part_of(points, offer->factor - 1000, 1000));
}

static int64_t offer_gives(const struct oracle_programme *programme, const struct oracle_offer *offer,
                           const struct oracle_goods *goods, const struct oracle_award *award)
{
    struct sums sums = sums_of(goods, &offer->filter, NULL);
    switch (offer->kind) {
    case GIVE_MULTIPLY:
        return multiply_gives(programme, offer, goods, award);
    case GIVE_ADD:
        return oracle_down(programme, offer->per_unit ? shared(goods, sums.units / 1000 * offer->points)
                                      : sums.any      ? offer->points
                                                      : 0);
    case GIVE_STAMP:
        if (offer->per_unit)
            return shared(goods, sums.units) / 1000 * offer->points;
        return sums.base > 0 ? offer->points : 0;
    }
    return 0;
}

/* --- a purchase --- */

static void add_part(struct oracle_award *award, enum oracle_part_kind kind, unsigned index, int64_t result)
{
    award->parts[award->part_count++] = (struct oracle_part){ kind, index, result };
}

static void rule_wins(struct oracle_award *award, unsigned index, int64_t points)
{
    award->base_points += points;
    award->rules_won |= 1U << index;
    add_part(award, PART_OF_RULE, index, points);
}

static void rate_rules(const struct oracle_programme *programme, const struct oracle_account *account,
                       unsigned tier, const struct oracle_goods *goods, int32_t minute,
                       struct oracle_purchase *purchase)
{
    unsigned best = 0;
    int64_t most = 0;
    for (unsigned i = 0; i < programme->rule_count; i++) {
        const struct oracle_rule *rule = &programme->rules[i];
        int32_t began;
        if (!receipt_fits(&rule->filter, goods, &purchase->receipt, account, tier, purchase->day, minute,
                          &began))
            continue;
        int64_t points = rule_gives(programme, rule, goods, NULL);
        if (programme->rules_combine == SUM && points > 0) {
            rule_wins(&purchase->award, i, points);
        } else if (programme->rules_combine == FIRST ? most == 0 : points > most) {
            most = points;
            best = i;
        }
    }
    if (programme->rules_combine != SUM && most > 0)
        rule_wins(&purchase->award, best, most);
}

/* Whether an offer goes before the best one so far. */
static bool goes_before(const struct oracle_programme *programme, unsigned index, int64_t points,
                        unsigned best, int64_t most)
{
    if (most == 0 || programme->offers_combine == BEST)
        return points > most;
    return programme->offers[index].from >= programme->offers[best].from;
}

static bool offer_is_open(const struct oracle_offer *offer, unsigned index,
                          const struct oracle_account *account, int32_t began,
                          struct oracle_purchase *purchase)
{
    int32_t period = oracle_window_start(offer->window, offer, began);
    purchase->offer_use[index].period = period;
    if (began < offer->from || (offer->through != 0 && began > offer->through))
        return false;
    if (offer->activate && (account == NULL || !has(account->activated, index)))
        return false;
    int64_t used = account == NULL ? 0 : oracle_tally(account, TALLY_OF_OFFER, index, period);
    return offer->window == EACH_NONE || used < offer->uses;
}

static void rate_offers(const struct oracle_programme *programme, const struct oracle_account *account,
                        const struct oracle_goods *goods, int32_t minute, struct oracle_purchase *purchase)
{
    struct oracle_award *award = &purchase->award;
    unsigned best = 0;
    int64_t most = 0;
    for (unsigned i = 0;
         i < programme->offer_count && (award->base_points > 0 || programme->offers_without_base); i++) {
        const struct oracle_offer *offer = &programme->offers[i];
        int32_t began;
        if (!receipt_fits(&offer->filter, goods, &purchase->receipt, account, purchase->tier, purchase->day,
                          minute, &began) ||
            !offer_is_open(offer, i, account, began, purchase))
            continue;
        int64_t points = offer_gives(programme, offer, goods, award);
        if (points == 0)
            continue;
        if (offer->kind == GIVE_STAMP || programme->offers_combine == SUM) {
            add_part(award, PART_OF_OFFER, i, points);
            award->earned += offer->kind == GIVE_STAMP ? 0 : points;
        } else if (goes_before(programme, i, points, best, most)) {
            best = i;
            most = points;
        }
    }
    if (most > 0)
        add_part(award, PART_OF_OFFER, best, most);
    award->earned += most;
}

static void cap(const struct oracle_programme *programme, struct oracle_award *award, int64_t room)
{
    award->earned = oracle_min(award->earned, oracle_down(programme, oracle_max(room, 0)));
}

static void apply_caps(const struct oracle_programme *programme, const struct oracle_account *account,
                       struct oracle_purchase *purchase)
{
    struct oracle_award *award = &purchase->award;
    int32_t month = oracle_window_start(EACH_MONTH, NULL, purchase->day);
    int64_t of_day = account == NULL ? 0 : oracle_tally(account, TALLY_OF_DAY, 0, purchase->day);
    int64_t of_month = account == NULL ? 0 : oracle_tally(account, TALLY_OF_MONTH, 0, month);
    if (programme->cap_rejects && award->earned > programme->cap_receipt)
        award->earned = 0;
    if (programme->cap_receipt > 0)
        cap(programme, award, programme->cap_receipt);
    if (programme->cap_day > 0)
        cap(programme, award, programme->cap_day - of_day);
    if (programme->cap_month > 0)
        cap(programme, award, programme->cap_month - of_month);
    if (programme->cap_balance > 0)
        cap(programme, award, programme->cap_balance - (account == NULL ? 0 : oracle_balance_of(account)));
    purchase->cap_day.period = purchase->day;
    purchase->cap_day.counted = programme->cap_day > 0 && award->earned > 0;
    purchase->cap_month.period = month;
    purchase->cap_month.counted = programme->cap_month > 0 && award->earned > 0;
}

unsigned oracle_uses(const struct oracle_programme *programme, const struct oracle_purchase *sale)
{
    unsigned uses = 0;
    for (unsigned i = 0; i < sale->award.part_count; i++) {
        const struct oracle_part *part = &sale->award.parts[i];
        if (part->kind != PART_OF_OFFER || programme->offers[part->index].window == EACH_NONE)
            continue;
        if (programme->offers[part->index].kind == GIVE_STAMP || sale->award.earned > 0)
            uses |= 1U << part->index;
    }
    return uses;
}

void oracle_rate(struct oracle *oracle, const struct oracle_programme *programme,
                 const struct oracle_account *account, int64_t paid, struct oracle_purchase *purchase)
{
    int32_t minute;
    struct oracle_award *award = &purchase->award;
    *award = (struct oracle_award){ 0 };
    purchase->day = oracle_day(programme, purchase->receipt.time_us, &minute);
    purchase->paid = paid;
    oracle_bases(programme, &purchase->receipt, paid, purchase->line_base);
    struct oracle_goods goods = oracle_goods_of(&purchase->receipt, purchase->line_base);
    award->base = sums_of(&goods, NULL, NULL).base;
    rate_rules(programme, account, account == NULL ? 0 : account->tier, &goods, minute, purchase);
    purchase->tier = account == NULL ? 0 : account->tier;
    if (account != NULL && programme->basis == BASIS_SPEND)
        purchase->tier = oracle_tier_with(oracle, account, BASIS_SPEND, purchase->day, award->base);
    if (account != NULL && programme->basis == BASIS_VISITS && award->base_points > 0)
        purchase->tier = oracle_tier_with(oracle, account, BASIS_VISITS, purchase->day, 1);
    int64_t more = tier_gives(programme, purchase->tier, award->base_points);
    award->earned = award->base_points + more;
    if (more > 0)
        add_part(award, PART_OF_TIER, purchase->tier, more);
    rate_offers(programme, account, &goods, minute, purchase);
    apply_caps(programme, account, purchase);
    unsigned uses = oracle_uses(programme, purchase);
    for (unsigned i = 0; i < programme->offer_count; i++)
        purchase->offer_use[i].counted = has(uses, i);
}

/* --- what is left of one, and what nobody knows of --- */

static int64_t rest_of_part(const struct oracle_programme *programme, const struct oracle_goods *rest,
                            const struct oracle_part *part, struct oracle_award *award)
{
    const struct oracle_filter *filter = part->kind == PART_OF_RULE ? &programme->rules[part->index].filter
                                                                    : &programme->offers[part->index].filter;
    if (part->kind == PART_OF_TIER)
        return tier_gives(programme, part->index, award->base_points);
    if (!minimum_fits(filter, rest))
        return 0;
    if (part->kind == PART_OF_OFFER)
        return award->base_points > 0 || programme->offers_without_base
                   ? offer_gives(programme, &programme->offers[part->index], rest, award)
                   : 0;
    int64_t points = rule_gives(programme, &programme->rules[part->index], rest, NULL);
    award->base_points += points;
    award->rules_won |= 1U << part->index;
    return points;
}

struct oracle_rest oracle_rate_rest(const struct oracle_programme *programme,
                                    const struct oracle_purchase *sale, const struct oracle_goods *rest)
{
    struct oracle_rest kept = { .base = sums_of(rest, NULL, NULL).base };
    struct oracle_award award = { 0 };
    for (unsigned i = 0; i < sale->award.part_count; i++) {
        const struct oracle_part *part = &sale->award.parts[i];
        int64_t points = rest_of_part(programme, rest, part, &award);
        if (part->kind == PART_OF_OFFER && points > 0)
            kept.gives |= 1U << part->index;
        if (part->kind == PART_OF_OFFER && programme->offers[part->index].kind == GIVE_STAMP)
            kept.stamps[i] = points;
        else
            kept.points += points;
    }
    kept.points = oracle_min(kept.points, sale->award.earned);
    return kept;
}

/* No visits, minimum, tier, offers, caps, and nothing is paid. */
int64_t oracle_rate_unlinked(const struct oracle *oracle, const struct oracle_account *account,
                             int64_t amount, unsigned store)
{
    struct oracle_programme programme = *oracle_now(oracle);
    struct oracle_purchase purchase = { .receipt = { .amount = amount, .store = store } };
    int32_t minute;
    for (unsigned i = 0; i < programme.rule_count; i++) {
        programme.rules[i].filter.minimum = 0;
        if (programme.rules[i].kind == BASE_VISIT)
            programme.rules[i].points = 0;
    }
    purchase.day = oracle_day(&programme, oracle->now_us, &minute);
    oracle_bases(&programme, &purchase.receipt, 0, purchase.line_base);
    struct oracle_goods goods = oracle_goods_of(&purchase.receipt, purchase.line_base);
    rate_rules(&programme, account, 0, &goods, minute, &purchase);
    return purchase.award.base_points;
}
