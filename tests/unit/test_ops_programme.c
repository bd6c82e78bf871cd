/* Programmes: what is read, key by key, and that the documents know every key. */
#include "ops/programme_reader.h"

#include "ops_files.h"

static struct problems problems;

static void the_default_is_its_text(void **state)
{
    (void)state;
    struct programme want;
    struct programme got;
    programme_default(&want);
    assert_int_equal(programme_read(programme_text_default(), "default", &got, &problems), PUNKT_OK);
    assert_memory_equal(&got, &want, sizeof(got));
    assert_int_equal(programme_step(&got), 1000);
}

static local_day day_of(int32_t year, uint32_t month, uint32_t day)
{
    return day_from_civil((struct civil_date){ .year = year, .month = month, .day = day });
}

static void read_yaml(const char *yaml, struct programme *out)
{
    if (programme_read(text_of(yaml), "f", out, &problems) != PUNKT_OK)
        fail_msg("%s", problems.texts[0]);
}

#define RULE "base: [{rule: spend, points: 1, amount: 1}]\n"

/* Every key of the file itself; lists and maps with tables of their own have tests of their own. */
static void reads_every_key(void **state)
{
    (void)state;
    static struct programme programme;
    read_yaml(
        "programme: P\n"
        "currency: XTS\n"
        "exponent: 3\n"
        "decimals: 2\n"
        "zone: Europe/Berlin\n"
        "tax: excluded\n"
        "discounts: before\n"
        "cards: {check: ean13, may_earn: [active], may_spend: [active, blocked], pin: always}\n"
        "base: [{rule: spend, points: 1, amount: 1}]\n"
        "base_combine: first\n"
        "offers_combine: best\n"
        "offers_need_base: false\n"
        "caps: {receipt: 100.25, over: reject, day: 200, month: 300, balance: 400.5}\n"
        "lots: {mature_days: 14}\n"
        "returns: {claw_back: pending, return_spent: false, restore_days: 0, unlinked: false, days: 30}\n"
        "redeem: {points: 10.005, worth: 0.5, minimum: 50, step: 0.01, last: part, spend_earned: true,\n"
        "         hold: 2h}\n"
        "welcome: 5.5\n"
        "reasons: [one, two]\n"
        "adjust_limits: {clerk: 0, manager: 1000.01}\n"
        "unlinked_limits: {supervisor: 1.234}\n"
        "debt_limits: {office: 0.5}\n"
        "...\n",
        &programme);
    assert_string_equal(programme.name, "P");
    assert_string_equal(programme.currency, "XTS");
    assert_int_equal(programme.currency_exponent, 3);
    assert_int_equal(programme.decimals, 2);
    assert_string_equal(programme.calendar.zone, "Europe/Berlin");
    assert_int_equal(programme.tax, TAX_EXCLUDED);
    assert_int_equal(programme.discounts, DISCOUNTS_BEFORE);
    assert_int_equal(programme.card_check, 2);
    assert_int_equal(programme.may_earn, 1U << 1);
    assert_int_equal(programme.may_spend, 1U << 1 | 1U << 2);
    assert_int_equal(programme.pin, PIN_ALWAYS);
    assert_int_equal(programme.rules_combine, COMBINE_FIRST);
    assert_int_equal(programme.offers_combine, COMBINE_BEST);
    assert_false(programme.offers_need_base);
    assert_int_equal(programme.caps.receipt, 100250);
    assert_true(programme.caps.reject);
    assert_int_equal(programme.caps.day, 200000);
    assert_int_equal(programme.caps.month, 300000);
    assert_int_equal(programme.caps.balance, 400500);
    assert_int_equal(programme.mature_days, 14);
    assert_int_equal(programme.claw_back, CLAW_BACK_PENDING);
    assert_false(programme.return_spent);
    assert_int_equal(programme.restore_days, 0);
    assert_false(programme.unlinked_returns);
    assert_int_equal(programme.return_days, 30);
    assert_int_equal(programme.worth_points, 10005);
    assert_int_equal(programme.worth_amount, 500);
    assert_int_equal(programme.redeem_minimum, 50000);
    assert_int_equal(programme.redeem_step, 10);
    assert_true(programme.redeem_last_part);
    assert_true(programme.spend_earned);
    assert_int_equal(programme.hold_s, 7200);
    assert_int_equal(programme.welcome, 5500);
    assert_int_equal(programme.reason_count, 2);
    assert_string_equal(programme.reasons[1], "two");
    assert_string_equal(programme.reasons[2], "");
    const struct role_limits *limits = programme.role_limits;
    assert_int_equal(limits[ROLE_LIMIT_ADJUST].count, 2);
    assert_string_equal(limits[ROLE_LIMIT_ADJUST].of[0].role, "clerk");
    assert_int_equal(limits[ROLE_LIMIT_ADJUST].of[0].most, 0);
    assert_string_equal(limits[ROLE_LIMIT_ADJUST].of[1].role, "manager");
    assert_int_equal(limits[ROLE_LIMIT_ADJUST].of[1].most, 1000010);
    assert_int_equal(limits[ROLE_LIMIT_UNLINKED].count, 1);
    assert_string_equal(limits[ROLE_LIMIT_UNLINKED].of[0].role, "supervisor");
    assert_int_equal(limits[ROLE_LIMIT_UNLINKED].of[0].most, 1234);
    assert_int_equal(limits[ROLE_LIMIT_DEBT].count, 1);
    assert_string_equal(limits[ROLE_LIMIT_DEBT].of[0].role, "office");
    assert_int_equal(limits[ROLE_LIMIT_DEBT].of[0].most, 500);
}

/* Values of words that the other tests do not have, for each word is a rule of its own. */
static void reads_every_word(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        size_t offset;
        uint32_t want;
    } rows[] = {
        { "tax: included", offsetof(struct programme, tax), TAX_INCLUDED },
        { "discounts: after", offsetof(struct programme, discounts), DISCOUNTS_AFTER },
        { "cards: {check: luhn}", offsetof(struct programme, card_check), 1 },
        { "cards: {check: none}", offsetof(struct programme, card_check), 0 },
        { "cards: {may_earn: [blocked]}", offsetof(struct programme, may_earn), 1U << 2 },
        { "cards: {pin: if_set}", offsetof(struct programme, pin), PIN_IF_SET },
        { "cards: {pin: never}", offsetof(struct programme, pin), PIN_NEVER },
        { "base_combine: best", offsetof(struct programme, rules_combine), COMBINE_BEST },
        { "base_combine: sum", offsetof(struct programme, rules_combine), COMBINE_SUM },
        { "offers_combine: newest", offsetof(struct programme, offers_combine), COMBINE_NEWEST },
        { "offers_combine: sum", offsetof(struct programme, offers_combine), COMBINE_SUM },
        { "returns: {claw_back: debt}", offsetof(struct programme, claw_back), CLAW_BACK_DEBT },
        { "returns: {claw_back: balance}", offsetof(struct programme, claw_back), CLAW_BACK_BALANCE },
        { "returns: {claw_back: own}", offsetof(struct programme, claw_back), CLAW_BACK_OWN },
        { "redeem: {hold: 1s}", offsetof(struct programme, hold_s), 1 },
        { "redeem: {hold: 15m}", offsetof(struct programme, hold_s), 900 },
        { "redeem: {hold: 24h}", offsetof(struct programme, hold_s), HOLD_S_MAX },
        { "abuse: {late: 24h}", offsetof(struct programme, abuse.late_s), ABUSE_TIME_S_MAX },
        { "abuse: {late: 0}", offsetof(struct programme, abuse.late_s), 0 },
        { "abuse: {redeem_after: 0s}", offsetof(struct programme, abuse.redeem_after_s), 0 },
        { "abuse: {card_day: 16}", offsetof(struct programme, abuse.card_day), ABUSE_COUNT_MAX },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        static struct programme programme;
        char yaml[256];
        uint32_t got;
        (void)snprintf(yaml, sizeof(yaml), RULE "%s\n...\n", rows[i].yaml);
        read_yaml(yaml, &programme);
        memcpy(&got, (const char *)&programme + rows[i].offset, sizeof(got));
        if (got != rows[i].want)
            fail_msg("%s: %u", rows[i].yaml, got);
    }
}

/* What a programme of one rule compiles to is the default, whatever the order of its keys. */
static void says_nothing_means_the_default(void **state)
{
    (void)state;
    static struct programme programme;
    struct programme want;
    programme_default(&want);
    read_yaml("expiry: never\nwelcome: 0\ncaps: {over: trim}\nredeem: {last: whole}\n" RULE
              "programme: default\n...\n",
              &programme);
    assert_memory_equal(&programme, &want, sizeof(want));
}

static const struct programme_word *word_of(const struct programme *programme, const char *text)
{
    const struct programme_word *word = programme_word(programme, text_of(text));
    if (word == NULL)
        fail_msg("no filter names %s", text);
    return word;
}

static void reads_rules_and_filters(void **state)
{
    (void)state;
    static struct programme programme;
    read_yaml(
        "tiers: {levels: [{name: silver, from: 10}, {name: gold, from: 20}]}\n"
        "base:\n"
        "  - {rule: spend, points: 1.005, amount: \"12.34\", exact: true}\n"
        "  - rule: item\n"
        "    name: two\n"
        "    points: 2\n"
        "    exact: true\n"
        "    include: {categories: [fish, meat], codes: [\"1\", fish]}\n"
        "    exclude: {categories: [bait], codes: [\"2\"]}\n"
        "    stores: [S1]\n"
        "    tenders: [cash, card]\n"
        "    tiers: [none, gold]\n"
        "    tags: [staff]\n"
        "    coupons: [C1]\n"
        "    days: [sun, mon]\n"
        "    hours: [\"07:00-10:30\", \"22:00-02:00\", \"23:00-24:00\", \"23:00-00:00\", \"00:00-24:00\"]\n"
        "    minimum: 5\n"
        "    maximum: 5.00\n"
        "    of: lines\n"
        "  - {rule: visit, points: 3, exclude: {codes: [\"2\"]}}\n"
        "...\n",
        &programme);
    assert_int_equal(programme.rule_count, 3);
    const struct base_rule *rules = programme.rules;
    assert_int_equal(rules[0].kind, RULE_SPEND);
    assert_string_equal(rules[0].name, "spend");
    assert_int_equal(rules[0].points, 1005);
    assert_int_equal(rules[0].amount, 1234);
    assert_true(rules[0].exact);
    assert_int_equal(rules[1].kind, RULE_ITEM);
    assert_string_equal(rules[1].name, "two");
    assert_int_equal(rules[1].points, 2000);
    assert_true(rules[1].exact);
    assert_int_equal(rules[2].kind, RULE_VISIT);
    assert_string_equal(rules[2].name, "visit");
    static const struct filter_hours hours[] = {
        { 420, 630 }, { 1320, 120 }, { 1380, 1440 }, { 1380, 1440 }, { 0, 1440 },
    };
    struct filter want = {
        .has_include = true,
        .has_exclude = true,
        .has_stores = true,
        .has_tenders = true,
        .has_tags = true,
        .has_coupons = true,
        .of_lines = true,
        .days = 1U << 6 | 1U << 0,
        .hour_count = COUNT_OF(hours),
        .tiers = 1U << 0 | 1U << 2,
        .minimum = 500,
        .maximum = 500,
    };
    memcpy(want.hours, hours, sizeof(hours));
    assert_memory_equal(&rules[1].filter, &want, sizeof(want));
    assert_memory_equal(&rules[0].filter, &(struct filter){ .days = 0 }, sizeof(want));
    assert_false(rules[2].filter.has_include);
    assert_true(rules[2].filter.has_exclude);
    assert_int_equal(programme.word_count, 10);
    assert_int_equal(word_of(&programme, "fish")->include_category, 1U << 1);
    assert_int_equal(word_of(&programme, "fish")->include_code, 1U << 1);
    assert_int_equal(word_of(&programme, "meat")->include_category, 1U << 1);
    assert_int_equal(word_of(&programme, "1")->include_code, 1U << 1);
    assert_int_equal(word_of(&programme, "bait")->exclude_category, 1U << 1);
    assert_int_equal(word_of(&programme, "2")->exclude_code, 1U << 1 | 1U << 2);
    assert_int_equal(word_of(&programme, "S1")->stores, 1U << 1);
    assert_int_equal(word_of(&programme, "cash")->tenders, 1U << 1);
    assert_int_equal(word_of(&programme, "staff")->tags, 1U << 1);
}

static void reads_offers(void **state)
{
    (void)state;
    static struct programme programme;
    read_yaml(
        RULE
        "offers:\n"
        "  - {offer: multiply, name: twice, factor: 2.125, include: {categories: [fish]},\n"
        "     from: 2026-03-01, through: 2026-03-31, activate: true, limit: {uses: 3, per: period}}\n"
        "  - {offer: add, name: more, points: 0.125, per: unit, through: 2028-02-29,\n"
        "     limit: {uses: 1, per: day}}\n"
        "  - {offer: stamp, name: stamps, purse: coffee, stores: [fish], limit: {uses: 2, per: month}}\n"
        "  - {offer: stamp, name: tea, stamps: 0.5, purse: tea, per: unit, limit: {uses: 9, per: year}}\n"
        "  - {offer: stamp, name: big, stamps: 2, purse: coffee, per: receipt,\n"
        "     limit: {uses: 1, per: ever}}\n"
        "...\n",
        &programme);
    assert_int_equal(programme.offer_count, 5);
    const struct offer *offers = programme.offers;
    assert_int_equal(offers[0].kind, OFFER_MULTIPLY);
    assert_string_equal(offers[0].name, "twice");
    assert_true(offers[0].id == programme_id(TEXT_LITERAL("twice")));
    assert_int_equal(offers[0].factor, 2125);
    assert_true(offers[0].activate);
    assert_int_equal(offers[0].period.from, day_of(2026, 3, 1));
    assert_int_equal(offers[0].period.through, day_of(2026, 3, 31));
    assert_int_equal(offers[0].limit.window, WINDOW_PERIOD);
    assert_int_equal(offers[0].limit.uses, 3);
    assert_true(offers[0].filter.has_include);
    assert_int_equal(offers[1].kind, OFFER_ADD);
    assert_int_equal(offers[1].points, 125);
    assert_true(offers[1].per_unit);
    assert_false(offers[1].activate);
    assert_int_equal(offers[1].period.from, INT32_MIN);
    assert_int_equal(offers[1].period.through, day_of(2028, 2, 29));
    assert_int_equal(offers[1].limit.window, WINDOW_DAY);
    assert_int_equal(offers[2].kind, OFFER_STAMP);
    assert_int_equal(offers[2].points, 1000);
    assert_false(offers[2].per_unit);
    assert_int_equal(offers[2].purse, 0);
    assert_int_equal(offers[2].period.through, DAY_NEVER);
    assert_int_equal(offers[2].limit.window, WINDOW_MONTH);
    assert_int_equal(offers[3].points, 500);
    assert_int_equal(offers[3].purse, 1);
    assert_int_equal(offers[3].limit.window, WINDOW_YEAR);
    assert_int_equal(offers[4].points, 2000);
    assert_int_equal(offers[4].purse, 0);
    assert_int_equal(offers[4].limit.window, WINDOW_EVER);
    assert_int_equal(programme.purse_count, 2);
    assert_string_equal(programme.purses[1].name, "tea");
    assert_true(programme.purses[1].id == programme_id(TEXT_LITERAL("tea")));
    const struct programme_word *fish = word_of(&programme, "fish");
    assert_true(fish->include_category == UINT64_C(1) << PROGRAMME_RULES_MAX);
    assert_true(fish->stores == UINT64_C(1) << (PROGRAMME_RULES_MAX + 2));
}

static void reads_tiers(void **state)
{
    (void)state;
    static struct programme programme;
    read_yaml(RULE "tiers:\n"
                   "  levels:\n"
                   "    - {name: silver, from: 1000.5}\n"
                   "    - {name: gold, from: 2000, multiply: 1.255, add: 0.5}\n"
                   "...\n",
              &programme);
    const struct tiers *tiers = &programme.tiers;
    assert_int_equal(tiers->count, 2);
    assert_int_equal(tiers->basis, TIER_BY_SPEND);
    assert_int_equal(tiers->window, TIER_WINDOW_YEAR);
    assert_int_equal(tiers->kept, TIER_KEPT_NEXT);
    assert_int_equal(tiers->grace, TIER_GRACE_NONE);
    assert_false(tiers->down_one);
    assert_false(tiers->up_next);
    assert_string_equal(tiers->tiers[0].name, "silver");
    assert_true(tiers->tiers[0].id == programme_id(TEXT_LITERAL("silver")));
    assert_int_equal(tiers->tiers[0].from, 100050);
    assert_int_equal(tiers->tiers[0].factor, 1000);
    assert_int_equal(tiers->tiers[0].points, 0);
    assert_int_equal(tiers->tiers[1].from, 200000);
    assert_int_equal(tiers->tiers[1].factor, 1255);
    assert_int_equal(tiers->tiers[1].points, 500);
}

/* What a tiers' map says, and everything that comes of it but the levels. */
static void reads_every_form_of_tiers(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        struct tiers want;
        int64_t from;
    } rows[] = {
        { "basis: points, window: {months: 12}, kept: period",
          { .basis = TIER_BY_POINTS,
            .window = TIER_WINDOW_MONTHS,
            .window_months = 12,
            .kept = TIER_KEPT_PERIOD },
          7000 },
        { "basis: visits, window: ever, kept: none, down: one, up: next",
          { .basis = TIER_BY_VISITS,
            .window = TIER_WINDOW_EVER,
            .kept = TIER_KEPT_NONE,
            .down_one = true,
            .up_next = true },
          7 },
        { "basis: spend, window: year, kept: {days: 90}, grace: {days: 30}, down: earned, up: now",
          { .window = TIER_WINDOW_YEAR,
            .kept = TIER_KEPT_DAYS,
            .kept_days = 90,
            .grace = TIER_GRACE_DAYS,
            .grace_count = 30 },
          700 },
        { "grace: {months: 2}, kept: next",
          { .window = TIER_WINDOW_YEAR, .grace = TIER_GRACE_MONTHS, .grace_count = 2 },
          700 },
        { "grace: {months: 1, through: month}",
          { .window = TIER_WINDOW_YEAR,
            .grace = TIER_GRACE_MONTHS,
            .grace_count = 1,
            .grace_through_month = true },
          700 },
        { "basis: balance",
          { .basis = TIER_BY_BALANCE, .window = TIER_WINDOW_EVER, .kept = TIER_KEPT_NONE },
          7000 },
        { "basis: balance, kept: {days: 5}",
          { .basis = TIER_BY_BALANCE, .window = TIER_WINDOW_EVER, .kept = TIER_KEPT_DAYS, .kept_days = 5 },
          7000 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        static struct programme programme;
        struct tiers want = rows[i].want;
        char yaml[256];
        (void)snprintf(yaml, sizeof(yaml), RULE "tiers: {%s, levels: [{name: a, from: 7}]}\n...\n",
                       rows[i].yaml);
        read_yaml(yaml, &programme);
        if (programme.tiers.tiers[0].from != rows[i].from)
            fail_msg("%s: from %lld", rows[i].yaml, (long long)programme.tiers.tiers[0].from);
        want.count = 1;
        memcpy(want.tiers, programme.tiers.tiers, sizeof(want.tiers));
        assert_memory_equal(&programme.tiers, &want, sizeof(want));
    }
}

static void reads_every_form_of_expiry(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        struct expiry want;
    } rows[] = {
        { "never", { .kind = EXPIRY_NEVER } },
        { "{months: 0}", { .kind = EXPIRY_MONTHS } },
        { "{months: 12, through: day}", { .kind = EXPIRY_MONTHS, .months = 12 } },
        { "{months: 12, through: month}", { .kind = EXPIRY_MONTHS, .months = 12, .through = THROUGH_MONTH } },
        { "{through: quarter, months: 1}",
          { .kind = EXPIRY_MONTHS, .months = 1, .through = THROUGH_QUARTER } },
        { "{months: 24, through: year}", { .kind = EXPIRY_MONTHS, .months = 24, .through = THROUGH_YEAR } },
        { "{yearly: 09-30}", { .kind = EXPIRY_YEARLY, .yearly_month = 9, .yearly_day = 30 } },
        { "{yearly: \"02-29\", after_months: 12}",
          { .kind = EXPIRY_YEARLY, .months = 12, .yearly_month = 2, .yearly_day = 29 } },
        { "{inactive: 24}", { .kind = EXPIRY_INACTIVE, .months = 24 } },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        static struct programme programme;
        char yaml[256];
        (void)snprintf(yaml, sizeof(yaml), RULE "expiry: %s\n...\n", rows[i].yaml);
        read_yaml(yaml, &programme);
        assert_memory_equal(&programme.expiry, &rows[i].want, sizeof(rows[i].want));
    }
}

static void reads_rewards(void **state)
{
    (void)state;
    static struct programme programme;
    read_yaml("decimals: 1\n" RULE "tiers: {levels: [{name: silver, from: 10}, {name: gold, from: 20}]}\n"
              "offers: [{offer: stamp, name: s, purse: a}, {offer: stamp, name: t, purse: coffee}]\n"
              "rewards:\n"
              "  - {reward: money_off, name: five, amount: 5, points: 450.5, per: 2}\n"
              "  - {reward: percent_off, name: tenth, percent: 12.5, maximum: 20, points: 1, tier: gold}\n"
              "  - {reward: item, name: free, category: coffee, stamps: 10.5, purse: coffee}\n"
              "  - {reward: item, name: bag, code: \"77\", maximum: 0.5, points: 1, stores: [S1, S2]}\n"
              "  - {reward: voucher, name: cinema, voucher: V-1, points: 1, from: 2026-01-01,\n"
              "     through: 2026-12-31, limit: {uses: 1, per: period}}\n"
              "  - {reward: gift, name: knife, what: A knife, points: 1, stock: 0}\n"
              "...\n",
              &programme);
    assert_int_equal(programme.reward_count, 6);
    struct reward want = {
        .kind = REWARD_MONEY_OFF,
        .name = "five",
        .id = programme_id(TEXT_LITERAL("five")),
        .amount = 500,
        .cost_points = 450500,
        .per = 2,
        .period = { .from = INT32_MIN, .through = DAY_NEVER },
    };
    assert_memory_equal(&programme.rewards[0], &want, sizeof(want));
    assert_int_equal(programme.rewards[1].kind, REWARD_PERCENT_OFF);
    assert_int_equal(programme.rewards[1].percent, 12500);
    assert_int_equal(programme.rewards[1].amount, 2000);
    assert_int_equal(programme.rewards[1].minimum_tier, 2);
    assert_int_equal(programme.rewards[1].per, 1);
    assert_int_equal(programme.rewards[2].kind, REWARD_ITEM);
    assert_string_equal(programme.rewards[2].item, "coffee");
    assert_true(programme.rewards[2].item_is_category);
    assert_int_equal(programme.rewards[2].cost_points, 0);
    assert_int_equal(programme.rewards[2].cost_stamps, 10500);
    assert_int_equal(programme.rewards[2].purse, 1);
    assert_false(programme.rewards[2].has_stock);
    assert_string_equal(programme.rewards[3].item, "77");
    assert_false(programme.rewards[3].item_is_category);
    assert_int_equal(programme.rewards[3].amount, 50);
    assert_true(programme.rewards[3].has_stores);
    assert_int_equal(word_of(&programme, "S2")->reward_stores, 1U << 3);
    assert_int_equal(word_of(&programme, "S2")->stores, 0);
    assert_int_equal(programme.rewards[4].kind, REWARD_VOUCHER);
    assert_string_equal(programme.rewards[4].voucher, "V-1");
    assert_int_equal(programme.rewards[4].period.from, day_of(2026, 1, 1));
    assert_int_equal(programme.rewards[4].limit.window, WINDOW_PERIOD);
    assert_int_equal(programme.rewards[4].limit.uses, 1);
    assert_int_equal(programme.rewards[5].kind, REWARD_GIFT);
    assert_string_equal(programme.rewards[5].item, "A knife");
    assert_true(programme.rewards[5].has_stock);
    assert_int_equal(programme.rewards[5].stock, 0);
}

/* Whether a text has it before its end. */
static bool has(struct text text, const char *wanted)
{
    return memmem(text.data, text.size, wanted, strlen(wanted)) != NULL;
}

/* The part of the manual under a heading, "" for the beginning. */
static struct text manual_section(struct text manual, const char *name)
{
    char heading[64];
    (void)snprintf(heading, sizeof(heading), name[0] == '\0' ? "\n.Sh DESCRIPTION\n" : "\n.Ss %s\n", name);
    const char *start = strstr(manual.data, heading);
    if (start == NULL)
        fail_msg("conf/man/punkt-programme.5 has no part %s", name);
    const char *part = strstr(start + 1, "\n.Ss ");
    const char *chapter = strstr(start + 1, "\n.Sh ");
    assert_non_null(chapter);
    const char *end = part != NULL && part < chapter ? part : chapter;
    return (struct text){ start, (size_t)(end - start) };
}

static void documents_have_every_key(void **state)
{
    (void)state;
    struct text example = source_file("conf/programme.yaml");
    struct text manual = source_file("conf/man/punkt-programme.5");
    const char *section;
    size_t count = 0;
    for (const char *key; (key = programme_key(count, &section)) != NULL; count++) {
        const char *dot = strchr(key, '.');
        char text[128];
        (void)snprintf(text, sizeof(text), "%s:", dot != NULL ? dot + 1 : key);
        if (!has(example, text))
            fail_msg("conf/programme.yaml does not have %s", key);
        (void)snprintf(text, sizeof(text), "\n.It Cm %s\n", key);
        if (!has(manual_section(manual, section), text))
            fail_msg("conf/man/punkt-programme.5 does not have %s in its part \"%s\"", key, section);
    }
    assert_true(count > 100);
    source_file_free(manual);
    source_file_free(example);
}

static void read_file(const char *name, struct programme *out)
{
    struct text text = source_file(name);
    if (programme_read(text, name, out, &problems) != PUNKT_OK)
        fail_msg("%s", problems.texts[0]);
    source_file_free(text);
}

static void the_small_example_is_the_default(void **state)
{
    (void)state;
    struct programme programme;
    struct programme want;
    read_file("conf/programme-minimal.yaml", &programme);
    programme_default(&want);
    (void)snprintf(want.name, sizeof(want.name), "Small shop");
    want.calendar = programme.calendar;
    assert_memory_equal(&programme, &want, sizeof(want));
}

static void the_example_has_everything(void **state)
{
    (void)state;
    struct programme programme;
    read_file("conf/programme.yaml", &programme);
    assert_int_equal(programme.rule_count, 3);
    assert_int_equal(programme.offer_count, 6);
    assert_int_equal(programme.tiers.count, 2);
    uint32_t kinds = 0;
    for (uint32_t i = 0; i < programme.reward_count; i++)
        kinds |= 1U << programme.rewards[i].kind;
    assert_int_equal(kinds, 1U << REWARD_MONEY_OFF | 1U << REWARD_PERCENT_OFF | 1U << REWARD_ITEM |
                                1U << REWARD_VOUCHER | 1U << REWARD_GIFT);
    const struct reward *coffee = programme_reward(&programme, TEXT_LITERAL("free coffee"));
    assert_non_null(coffee);
    assert_int_equal(coffee->cost_stamps, 10000);
    assert_string_equal(programme.purses[coffee->purse].name, "coffee");
    assert_int_equal(programme.mature_days, 14);
    assert_int_equal(programme.hold_s, HOLD_S_DEFAULT);
}

/* What stands in the manual between .Bd and .Ed. */
static void the_example_of_the_manual_is_read(void **state)
{
    (void)state;
    struct programme programme;
    char yaml[4096];
    struct text manual = source_file("conf/man/punkt-programme.5");
    const char *start = strstr(manual.data, ".Bd -literal -offset indent\n");
    assert_non_null(start);
    start = strchr(start, '\n') + 1;
    const char *end = strstr(start, "\\&...\n");
    assert_non_null(end);
    (void)snprintf(yaml, sizeof(yaml), "%.*s...\n", (int)(end - start), start);
    source_file_free(manual);
    if (programme_read(text_of(yaml), "punkt-programme.5", &programme, &problems) != PUNKT_OK)
        fail_msg("%s", problems.texts[0]);
    assert_int_equal(programme.rewards[0].purse, programme.offers[1].purse);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_is_its_text),
        cmocka_unit_test(reads_every_key),
        cmocka_unit_test(reads_every_word),
        cmocka_unit_test(documents_have_every_key),
        cmocka_unit_test(the_small_example_is_the_default),
        cmocka_unit_test(the_example_has_everything),
        cmocka_unit_test(the_example_of_the_manual_is_read),
        cmocka_unit_test(reads_rules_and_filters),
        cmocka_unit_test(reads_offers),
        cmocka_unit_test(reads_tiers),
        cmocka_unit_test(reads_every_form_of_tiers),
        cmocka_unit_test(reads_every_form_of_expiry),
        cmocka_unit_test(reads_rewards),
        cmocka_unit_test(says_nothing_means_the_default),
    };
    return cmocka_run_group_tests_name("ops programme", tests, NULL, NULL);
}
