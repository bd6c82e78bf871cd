#include <string.h>

#include "ops/programme_parts.h"

#define REWARD_PER_MAX 1000000
#define STOCK_MAX 1000000000

/* In the order of enum reward_kind. */
static const char *const reward_words[] = {
    "", "money_off", "percent_off", "item", "voucher", "gift", NULL,
};

/* A reward while it is read. */
struct reward_reading {
    struct reward reward;
    struct programme *programme; /* its tiers and purses were read before */
    uint64_t bit;                /* in the mask of stores */
    char purse[PROGRAMME_NAME_MAX + 1];
};

static void read_tier(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct reward_reading *reading = out;
    reading->reward.minimum_tier = tier_step_read(run, node, "tier", reading->programme);
}

static void read_stores(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct reward_reading *reading = out;
    size_t mask = offsetof(struct programme_word, reward_stores);
    if (words_read(run, node, "stores", reading->programme, mask, reading->bit))
        reading->reward.has_stores = true;
}

static void read_limit(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct reward *reward = &((struct reward_reading *)out)->reward;
    limit_read(run, node, reward->period, &reward->limit);
}

#define FIELD(name) offsetof(struct reward_reading, name)

static const struct schema_row reward_rows[] = {
    { .key = "reward",
      .form = SCHEMA_WORD,
      .required = true,
      .offset = FIELD(reward.kind),
      .words = reward_words },
    { .key = "name", ROW_NAME, .required = true, .offset = FIELD(reward.name) },
    { .key = "amount", ROW_AMOUNT, .offset = FIELD(reward.amount) },
    { .key = "percent", .form = SCHEMA_FACTOR, .offset = FIELD(reward.percent), .min = 1, .max = 100000 },
    { .key = "maximum", ROW_AMOUNT, .offset = FIELD(reward.amount) },
    { .key = "code", ROW_NAME, .offset = FIELD(reward.item) },
    { .key = "category", ROW_NAME, .offset = FIELD(reward.item) },
    { .key = "what", ROW_NAME, .offset = FIELD(reward.item) },
    { .key = "voucher", ROW_NAME, .offset = FIELD(reward.voucher) },
    { .key = "points", ROW_POINTS, .offset = FIELD(reward.cost_points) },
    { .key = "stamps", ROW_STAMPS, .offset = FIELD(reward.cost_stamps) },
    { .key = "purse", ROW_NAME, .offset = FIELD(purse) },
    { .key = "per", .form = SCHEMA_WHOLE, .offset = FIELD(reward.per), .min = 1, .max = REWARD_PER_MAX },
    { .key = "tier", .form = SCHEMA_OWN, .read = read_tier },
    { .form = SCHEMA_ROWS, .offset = FIELD(reward.period), .table = &period_table },
    { .key = "stores", .form = SCHEMA_OWN, .read = read_stores },
    { .key = "stock", .form = SCHEMA_WHOLE, .offset = FIELD(reward.stock), .min = 0, .max = STOCK_MAX },
    { .key = "limit", .form = SCHEMA_OWN, .read = read_limit },
};
const struct schema_table rewards_table = { "Rewards", "a reward", reward_rows, COUNT_OF(reward_rows) };

static const struct kind_key reward_keys[] = {
    { "amount", 1U << REWARD_MONEY_OFF, 1U << REWARD_MONEY_OFF },
    { "percent", 1U << REWARD_PERCENT_OFF, 1U << REWARD_PERCENT_OFF },
    { "maximum", 1U << REWARD_PERCENT_OFF | 1U << REWARD_ITEM, 0 },
    { "code", 1U << REWARD_ITEM, 0 },
    { "category", 1U << REWARD_ITEM, 0 },
    { "what", 1U << REWARD_GIFT, 1U << REWARD_GIFT },
    { "voucher", 1U << REWARD_VOUCHER, 1U << REWARD_VOUCHER },
};

static const char *const cost_keys[] = { "points", "stamps", NULL };
static const char *const item_keys[] = { "code", "category", NULL };

static void check_name(const struct schema_run *run, const struct document_node *map,
                       const struct reward *reward, const struct programme *programme)
{
    for (uint32_t i = 0; i < programme->reward_count; i++) {
        if (names_meet(run, map, "reward", text_of(reward->name), text_of(programme->rewards[i].name)))
            return;
    }
}

/* Stamps come out of a purse that some offer fills. */
static void find_purse(const struct schema_run *run, const struct document_node *map,
                       struct reward_reading *reading)
{
    const struct document_node *node = schema_find(map, "purse");
    goes_with_check(run, map, "purse", "stamps");
    if (node == NULL && schema_find(map, "stamps") != NULL)
        schema_complain(run, map, "purse is missing");
    if (node == NULL || reading->purse[0] == '\0')
        return;
    reading->reward.purse = programme_purse(reading->programme, programme_id(text_of(reading->purse)));
    if (reading->reward.purse == PROGRAMME_PURSES_MAX)
        schema_complain(run, node, "purse is \"%s\", expected one that a stamp offer fills", reading->purse);
}

static void read_reward(const struct schema_run *run, const struct document_node *map,
                        struct programme *programme)
{
    struct reward_reading reading;
    memset(&reading, 0, sizeof(reading));
    struct reward *reward = &reading.reward;
    reward->period = period_always();
    reward->per = 1;
    reading.programme = programme;
    reading.bit = UINT64_C(1) << programme->reward_count;
    schema_read(run, &rewards_table, map, &reading);
    kind_keys_check(run, map, "reward", reward_words, reward->kind, reward_keys, COUNT_OF(reward_keys));
    if (reward->kind == REWARD_ITEM)
        one_of_check(run, map, item_keys);
    one_of_check(run, map, cost_keys);
    find_purse(run, map, &reading);
    period_check(run, map, reward->period);
    check_name(run, map, reward, programme);
    reward->id = programme_id(text_of(reward->name));
    reward->item_is_category = schema_find(map, "category") != NULL;
    reward->has_stock = schema_find(map, "stock") != NULL;
    memcpy(&programme->rewards[programme->reward_count++], reward, sizeof(*reward));
}

void rewards_read(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct programme *programme = out;
    if (!schema_list(run, node, "rewards", "rewards", "\"- reward: money_off\"", PROGRAMME_REWARDS_MAX))
        return;
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        if (programme->reward_count < PROGRAMME_REWARDS_MAX)
            read_reward(run, item, programme);
    }
}
