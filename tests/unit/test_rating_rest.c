/*
 * What is kept of an award when goods come back; and rating against a plain reading of the rules, at random.
 */
#include <string.h>

#include "random.h"
#include "rating_world.h"

/* --- the examples of returns --- */

static const millis_of_unit everything[RATING_LINES_MAX] = { UNIT, UNIT, UNIT, UNIT, UNIT, UNIT };

/* (examples) 1 point per 10.00; 25.00 earns 2; return 5.00; then 15.00: takes 0; takes 2. */
static void amounts_come_back(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    add_rule(world, RULE_SPEND, POINT, 1000);
    world->input.amount = 2500;
    assert_int_equal(rate_all(world, 0), 2 * POINT);
    assert_int_equal(keep_rest(world, everything, 0, 0).points, 2 * POINT);
    assert_int_equal(keep_rest(world, everything, 2000, 2500).points, 2 * POINT);
    assert_int_equal(keep_rest(world, everything, 500, 2500).points, 0);
    assert_int_equal(keep_rest(world, everything, 500, 2500).base, 500);
    assert_int_equal(keep_rest(world, everything, 0, 2500).base, 0);
    rating_world_free(world);
}

/*
 * (examples) 1 point per 1.00 and 5 a unit of B (sum); A 20.00, B 10.00 earn 35; B / an amount of 10.00 back:
 * 15 / 12.
 */
static void a_line_or_its_amount(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    world->programme.rules_combine = COMBINE_SUM;
    add_rule(world, RULE_SPEND, POINT, 100);
    add_rule(world, RULE_ITEM, 5 * POINT, 0)->filter.has_include = true;
    word(world, "B")->include_code = rule_bit(1);
    add_line(world, "A", "", 2000);
    add_line(world, "B", "", 1000);
    assert_int_equal(rate_all(world, 0), 35 * POINT);
    assert_int_equal(keep_rest(world, (millis_of_unit[]){ UNIT, 0 }, 0, 0).points, 20 * POINT);
    assert_int_equal(keep_rest(world, everything, 2000, 3000).points, 23 * POINT);
    assert_int_equal(keep_rest(world, (millis_of_unit[]){ 0, 0 }, 0, 0).points, 0);
    /* Both: 5.00 of the 20.00 that are left. */
    assert_int_equal(keep_rest(world, (millis_of_unit[]){ UNIT, 0 }, 1500, 2000).points, 15 * POINT);
    rating_world_free(world);
}

/*
 * (examples) 1 point per 1.00, cap 100 a receipt; 120.00: trimmed, 20.00 back, then 40.00: takes 0, takes 40.
 */
static void caps_are_not_judged_again(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    add_rule(world, RULE_SPEND, POINT, 100);
    world->programme.caps.receipt = 100 * POINT;
    world->input.amount = 12000;
    assert_int_equal(rate_all(world, 0), 100 * POINT);
    assert_int_equal(keep_rest(world, everything, 10000, 12000).points, 100 * POINT);
    assert_int_equal(keep_rest(world, everything, 6000, 12000).points, 60 * POINT);
    /* Rejected, nothing was booked, so nothing is kept. */
    world->programme.caps.reject = true;
    assert_int_equal(rate_all(world, 0), 0);
    assert_int_equal(keep_rest(world, everything, 10000, 12000).points, 0);
    rating_world_free(world);
}

/* (examples) two items of 50.00, 30.00 paid with points, 1 point per 1.00; one item back: earns 70, -35. */
static void what_points_paid_never_earned(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    add_rule(world, RULE_SPEND, POINT, 100);
    add_line(world, "A", "", 5000);
    add_line(world, "A", "", 5000);
    world->input.paid = 3000;
    assert_int_equal(rate_all(world, 0), 70 * POINT);
    assert_int_equal(keep_rest(world, (millis_of_unit[]){ 0, UNIT }, 0, 0).points, 35 * POINT);
    rating_world_free(world);
}

/* --- what is judged again --- */

/* (Returning goods) minimum is judged again; other filters, limits and caps are not. */
static void what_is_judged_again(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    struct filter *filter = &add_rule(world, RULE_SPEND, POINT, 100)->filter;
    filter->maximum = 5000;
    filter->tiers = 1U << 1;
    filter->days = 1U << 1;
    add_line(world, "A", "", 2000);
    add_line(world, "B", "", 3000);
    assert_int_equal(rate_all(world, 1), 50 * POINT);
    filter->maximum = 1;
    filter->days = 1U << 2;
    filter->tiers = 1U << 2;
    filter->has_stores = filter->has_tenders = filter->has_tags = filter->has_coupons = true;
    assert_int_equal(keep_rest(world, (millis_of_unit[]){ UNIT, 0 }, 0, 0).points, 20 * POINT);
    filter->minimum = 2000;
    assert_int_equal(keep_rest(world, (millis_of_unit[]){ UNIT, 0 }, 0, 0).points, 20 * POINT);
    filter->minimum = 2001;
    assert_int_equal(keep_rest(world, (millis_of_unit[]){ UNIT, 0 }, 0, 0).points, 0);
    assert_int_equal(keep_rest(world, everything, 0, 0).points, 50 * POINT);
    assert_int_equal(keep_rest(world, everything, 2000, 5000).points, 0);
    rating_world_free(world);
}

/* (Returning goods) A visit stays while a base is left. */
static void visits_stay(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    add_rule(world, RULE_VISIT, 5 * POINT, 0);
    add_line(world, "A", "", 0);
    add_line(world, "B", "", 1)->quantity = 3000;
    assert_int_equal(rate_all(world, 0), 5 * POINT);
    assert_int_equal(keep_rest(world, (millis_of_unit[]){ 0, 3000 }, 0, 0).points, 5 * POINT);
    assert_int_equal(keep_rest(world, (millis_of_unit[]){ UNIT, 2999 }, 0, 0).points, 0);
    rating_world_free(world);
}

/* (Returning goods) Tier and offers of then, on the base points of the rest. */
static void tier_and_offers_of_then(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    add_rule(world, RULE_SPEND, POINT, 100);
    world->programme.tiers.tiers[1] = (struct tier){ .id = 2, .from = 2, .factor = 1500, .points = POINT };
    world->programme.offers_combine = COMBINE_SUM;
    struct offer *fish = add_offer(world, OFFER_MULTIPLY);
    struct offer *once = add_offer(world, OFFER_ADD);
    struct offer *each = add_offer(world, OFFER_ADD);
    fish->factor = 3000;
    fish->limit = (struct limit){ .window = WINDOW_EVER, .uses = 1 };
    include_category(world, &fish->filter, offer_bit(0), "fish");
    once->points = 7 * POINT;
    once->limit = (struct limit){ .window = WINDOW_EVER, .uses = 1 };
    each->points = 2 * POINT;
    each->per_unit = true;
    add_line(world, "1", "fish", 2000)->quantity = 2000;
    add_line(world, "2", "other", 3000);
    /* 50, tier 25 + 1, fish 40, once 7, each 6. */
    assert_int_equal(rate_all(world, 2), 129 * POINT);
    world->account.tallies[world->account.tally_count++] =
        (struct tally){ .kind = TALLY_OFFER, .id = fish->id, .before = INT32_MIN, .value = 1 };
    struct kept kept = keep_rest(world, (millis_of_unit[]){ 1000, UNIT }, 0, 0);
    assert_int_equal(kept.points, (40 + 21 + 20 + 7 + 4) * POINT);
    assert_int_equal(kept.uses, 3);
    kept = keep_rest(world, (millis_of_unit[]){ 0, UNIT }, 0, 0);
    assert_int_equal(kept.points, (30 + 16 + 0 + 7 + 2) * POINT);
    assert_int_equal(kept.uses, 2);
    /* A tenth is left of every line, and of points by unit. */
    kept = keep_rest(world, (millis_of_unit[]){ 2000, UNIT }, 500, 5000);
    assert_int_equal(kept.points, (5 + 3 + 4 + 7 + 0) * POINT);
    /* Without base points no offer applies (needs_base), and no tier adds. */
    kept = keep_rest(world, (millis_of_unit[]){ 2000, UNIT }, 99, 5000);
    assert_int_equal(kept.points, 0);
    assert_int_equal(kept.uses, 0);
    world->programme.offers_need_base = false;
    assert_int_equal(keep_rest(world, (millis_of_unit[]){ 2000, UNIT }, 99, 5000).points, 7 * POINT);
    assert_int_equal(keep_rest(world, (millis_of_unit[]){ 0, 0 }, 0, 0).points, 0);
    rating_world_free(world);
}

/*
 * (Returning goods) Rules that did not take part then do not now: 10 by one rule, what is left would be 2 by
 * another.
 */
static void only_what_took_part(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    add_rule(world, RULE_SPEND, 10 * POINT, 1000);
    add_rule(world, RULE_VISIT, 2 * POINT, 0);
    world->input.amount = 1000;
    assert_int_equal(rate_all(world, 0), 10 * POINT);
    assert_int_equal(keep_rest(world, everything, 900, 1000).points, 0);
    rating_world_free(world);
}

/* (Earning) Stamps go with the goods that come back. */
static void stamps_go_with_goods(void **state)
{
    (void)state;
    struct rating_world *world = rating_world_new();
    add_rule(world, RULE_VISIT, POINT, 0);
    add_offer(world, OFFER_STAMP)->points = POINT;
    struct offer *each = add_offer(world, OFFER_STAMP);
    each->points = 2 * POINT;
    each->per_unit = true;
    each->limit = (struct limit){ .window = WINDOW_DAY, .uses = 9 };
    include_category(world, &each->filter, offer_bit(1), "coffee");
    add_line(world, "1", "coffee", 900)->quantity = 3000;
    add_line(world, "2", "bread", 600);
    rate_all(world, 0);
    struct kept kept = keep_rest(world, (millis_of_unit[]){ 2000, UNIT }, 0, 0);
    assert_int_equal(kept.stamps[0], POINT);
    assert_int_equal(kept.stamps[1], 4 * POINT);
    assert_int_equal(kept.uses, 2);
    kept = keep_rest(world, (millis_of_unit[]){ 0, UNIT }, 0, 0);
    assert_int_equal(kept.stamps[0], POINT);
    assert_int_equal(kept.stamps[1], 0);
    assert_int_equal(kept.uses, 0);
    /* Half of three is one whole unit. */
    kept = keep_rest(world, (millis_of_unit[]){ 3000, UNIT }, 750, 1500);
    assert_int_equal(kept.stamps[1], 2 * POINT);
    rating_world_free(world);
}

/* --- at random --- */

#define RANDOM_ROUNDS 4000

static const char *const categories[] = { "", "fish", "meat", "frozen", "coffee" };
static const char *const codes[] = { "", "11", "12", "13", "14", "15" };

static void random_words(struct random *random, struct rating_world *world, struct filter *filter,
                         uint64_t bit)
{
    for (size_t i = 1; i < COUNT_OF(categories); i++) {
        struct programme_word *category = word(world, categories[i]);
        struct programme_word *code = word(world, codes[i]);
        category->include_category |= random_below(random, 6) == 0 ? bit : 0;
        category->exclude_category |= random_below(random, 9) == 0 ? bit : 0;
        code->include_code |= random_below(random, 9) == 0 ? bit : 0;
        code->exclude_code |= random_below(random, 9) == 0 ? bit : 0;
        filter->has_include |= ((category->include_category | code->include_code) & bit) != 0;
        filter->has_exclude |= ((category->exclude_category | code->exclude_code) & bit) != 0;
    }
}

static void random_filter(struct random *random, struct rating_world *world, struct filter *filter,
                          uint64_t bit)
{
    if (random_below(random, 2) == 0)
        random_words(random, world, filter, bit);
    if (random_below(random, 4) == 0)
        filter->minimum = (minor_units)random_below(random, 3000);
    if (random_below(random, 8) == 0)
        filter->maximum = (minor_units)random_below(random, 9000) + 1;
    filter->of_lines = random_below(random, 2) == 0;
}

static void random_programme(struct random *random, struct rating_world *world)
{
    struct programme *programme = &world->programme;
    programme->decimals = (uint32_t)random_below(random, 4);
    programme->tax = (enum tax_mode)random_below(random, 2);
    programme->discounts = (enum discount_mode)random_below(random, 2);
    programme->rules_combine = (enum combine)random_below(random, 3);
    programme->offers_combine =
        (enum combine[]){ COMBINE_NEWEST, COMBINE_BEST, COMBINE_SUM }[random_below(random, 3)];
    programme->offers_need_base = random_below(random, 2) == 0;
    for (uint64_t i = 0, count = random_below(random, 4) + 1; i < count; i++) {
        struct base_rule *rule =
            add_rule(world, (enum rule_kind)(random_below(random, 3) + 1),
                     (millipoints)random_below(random, 5000) + 1, (minor_units)random_below(random, 500) + 1);
        rule->exact = random_below(random, 2) == 0;
        random_filter(random, world, &rule->filter, rule_bit(programme->rule_count - 1));
    }
    for (uint64_t i = 0, count = random_below(random, 6); i < count; i++) {
        struct offer *offer = add_offer(world, (enum offer_kind)(random_below(random, 3) + 1));
        offer->factor = 1000 + (uint32_t)random_below(random, 9001);
        offer->points = (millipoints)random_below(random, 9000) + 1;
        offer->per_unit = random_below(random, 2) == 0;
        offer->period.from =
            random_below(random, 2) == 0 ? INT32_MIN : (local_day)random_below(random, 20000);
        if (random_below(random, 2) == 0)
            offer->limit = (struct limit){ .window = WINDOW_DAY, .uses = (uint32_t)random_below(random, 2) };
        random_filter(random, world, &offer->filter, offer_bit(programme->offer_count - 1));
    }
    programme->tiers.tiers[0].factor = 1000 + (uint32_t)random_below(random, 2000);
    programme->tiers.tiers[1].points = (millipoints)random_below(random, 5000);
    if (random_below(random, 3) == 0)
        programme->caps.receipt = (millipoints)random_below(random, 100000) + 1;
    programme->caps.reject = random_below(random, 4) == 0;
}

static void random_receipt(struct random *random, struct rating_world *world)
{
    uint64_t count = random_below(random, 12);
    world->input.amount = (minor_units)random_below(random, 9000);
    for (uint64_t i = 0; i < count; i++) {
        struct sale_line *line = add_line(world, codes[random_below(random, COUNT_OF(codes))],
                                          categories[random_below(random, COUNT_OF(categories))],
                                          (minor_units)random_below(random, 3000));
        line->kind = random_below(random, 4) == 0 ? (enum line_kind)random_below(random, 5) : LINE_SALE;
        line->quantity = (millis_of_unit)(random_below(random, 2) == 0 ? random_below(random, 4) * UNIT
                                                                       : random_below(random, 5000));
        line->tax = line->amount / 6;
        if (!line_is_goods(line)) {
            line->amount = -line->amount / 3;
            line->tax = 0;
        }
    }
    world->input.paid = random_below(random, 3) == 0 ? (minor_units)random_below(random, 2000) : 0;
}

/*
 * Rating looks at lines by masks and sums. The same read plainly, a line at a time, by the words themselves.
 */
static bool line_plainly_passes(const struct rating_world *world, const struct filter *filter, uint64_t bit,
                                const struct sale_line *line)
{
    static const struct programme_word none;
    const struct programme_word *code = programme_word(&world->programme, line->code);
    const struct programme_word *category = programme_word(&world->programme, line->category);
    code = code == NULL ? &none : code;
    category = category == NULL ? &none : category;
    if (line->kind != LINE_SALE || ((code->exclude_code | category->exclude_category) & bit) != 0)
        return false;
    return !filter->has_include || ((code->include_code | category->include_category) & bit) != 0;
}

static void assert_input_plainly(const struct rating_world *world, const struct award_part *part)
{
    minor_units base = 0;
    millis_of_unit units = 0;
    int64_t lines = 0;
    bool is_rule = part->kind <= PART_VISIT;
    const struct filter *filter =
        is_rule ? &world->programme.rules[part->rule].filter : &world->programme.offers[part->rule].filter;
    uint64_t bit = is_rule ? rule_bit(part->rule) : offer_bit(part->rule);
    for (uint32_t i = 0; i < world->sale.line_count; i++) {
        const struct sale_line *line = &world->lines[i];
        if (!line_plainly_passes(world, filter, bit, line))
            continue;
        base += line->base;
        units += line->quantity == 0 ? UNIT : line->quantity;
        lines++;
    }
    if (part->kind == PART_SPEND)
        assert_int_equal(part->input, base);
    else if (part->kind == PART_ITEM)
        assert_int_equal(part->input, units);
    else if (part->kind == PART_VISIT)
        assert_int_equal(part->input, base > 0 ? 1 : 0);
    else if (world->programme.offers[part->rule].per_unit)
        assert_int_equal(part->input, units);
    else
        assert_int_equal(part->input, part->kind == PART_ADD ? lines > 0 : base > 0);
}

/* Points are the parts; of them nothing is smaller than what is booked. */
static void assert_sums(const struct rating_world *world)
{
    millipoints points = 0;
    millipoints base_points = 0;
    for (uint32_t i = 0; i < world->sale.part_count; i++) {
        const struct award_part *part = &world->parts[i];
        if (part->kind == PART_STAMP)
            continue;
        points += part->result;
        base_points += part->kind <= PART_VISIT ? part->result : 0;
        assert_int_equal(part->result % programme_step(&world->programme), 0);
        assert_true(part->kind >= PART_CAP_RECEIPT || (part->result > 0 && part->result <= part->exact));
    }
    assert_int_equal(points, world->sale.earned);
    assert_int_equal(base_points, world->rating.base_points);
    assert_true(world->sale.earned >= 0 && world->sale.trimmed >= 0);
}

static void assert_bases(const struct rating_world *world)
{
    minor_units sum = 0;
    for (uint32_t i = 0; i < world->sale.line_count; i++) {
        const struct sale_line *line = &world->lines[i];
        assert_true(line->base >= 0 &&
                    (line->kind == LINE_SALE ? line->base <= line->amount : line->base == 0));
        sum += line->base;
    }
    if (world->sale.line_count > 0)
        assert_int_equal(world->sale.base, sum);
}

static void units_of_lines(const struct rating_world *world, millis_of_unit left[RATING_LINES_MAX])
{
    left[0] = UNIT;
    for (uint32_t i = 0; i < world->sale.line_count; i++)
        left[i] = line_units(&world->lines[i]);
}

/* Of nothing returned, all is kept: even without the bound of what caps left, what was earned before them. */
static void assert_keeps_all(struct rating_world *world)
{
    millis_of_unit left[RATING_LINES_MAX];
    units_of_lines(world, left);
    struct kept kept = keep_rest(world, left, 0, 0);
    assert_int_equal(kept.points, world->sale.earned);
    assert_int_equal(kept.base, world->sale.base);
    assert_true(kept.uses == rate_uses(&world->programme, &world->sale));
    assert_int_equal(keep_rest(world, left, 777, 777).points, world->sale.earned);
    uint32_t stamp = 0;
    for (uint32_t i = 0; i < world->sale.part_count; i++) {
        if (world->parts[i].kind == PART_STAMP)
            assert_int_equal(kept.stamps[stamp++], world->parts[i].result);
    }
    millipoints earned = world->sale.earned;
    world->sale.earned = MILLIPOINTS_MAX;
    assert_int_equal(keep_rest(world, left, 0, 0).points, earned + world->sale.trimmed);
    world->sale.earned = earned;
}

/* The less is left, by lines and by amounts in any order, the less is kept; of nothing, nothing. */
static void assert_keeps_less(struct random *random, struct rating_world *world)
{
    millis_of_unit left[RATING_LINES_MAX];
    units_of_lines(world, left);
    uint32_t count = world->sale.line_count == 0 ? 1 : world->sale.line_count;
    minor_units share = 1000;
    struct kept before = keep_rest(world, left, share, 1000);
    for (int i = 0; i < 12; i++) {
        uint32_t line = (uint32_t)random_below(random, count);
        if (random_below(random, 3) == 0)
            share -= (minor_units)random_below(random, (uint64_t)share / 2 + 1);
        else
            left[line] -= (millis_of_unit)random_below(random, (uint64_t)left[line] + 1);
        struct kept kept = keep_rest(world, left, share, 1000);
        assert_true(kept.points <= before.points && kept.base <= before.base);
        assert_int_equal(kept.points % programme_step(&world->programme), 0);
        assert_true((kept.uses & ~before.uses) == 0);
        for (uint32_t k = 0; k < STAMP_PARTS_MAX; k++)
            assert_true(kept.stamps[k] <= before.stamps[k] && kept.stamps[k] >= 0);
        before = kept;
    }
    assert_int_equal(keep_rest(world, left, 0, 1000).points, 0);
    memset(left, 0, sizeof(left));
    struct kept kept = keep_rest(world, left, share, 1000);
    assert_true(kept.points == 0 && kept.base == 0 && kept.uses == 0);
}

static void random_purchases(void **state)
{
    (void)state;
    struct random random = random_seeded();
    uint32_t earning = 0;
    for (int i = 0; i < RANDOM_ROUNDS; i++) {
        struct rating_world *world = rating_world_new();
        random_programme(&random, world);
        random_receipt(&random, world);
        rate_all(world, (uint32_t)random_below(&random, 3));
        earning += world->sale.earned > 0 ? 1 : 0;
        assert_bases(world);
        assert_sums(world);
        for (uint32_t k = 0; k < world->sale.part_count && world->sale.line_count > 0; k++) {
            enum part_kind kind = world->parts[k].kind;
            if (kind <= PART_VISIT || kind == PART_ADD || kind == PART_STAMP)
                assert_input_plainly(world, &world->parts[k]);
        }
        assert_keeps_all(world);
        assert_keeps_less(&random, world);
        rating_world_free(world);
    }
    assert_true(earning > RANDOM_ROUNDS / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_come_back),         cmocka_unit_test(a_line_or_its_amount),
        cmocka_unit_test(caps_are_not_judged_again), cmocka_unit_test(what_points_paid_never_earned),
        cmocka_unit_test(what_is_judged_again),      cmocka_unit_test(visits_stay),
        cmocka_unit_test(tier_and_offers_of_then),   cmocka_unit_test(only_what_took_part),
        cmocka_unit_test(stamps_go_with_goods),      cmocka_unit_test(random_purchases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
