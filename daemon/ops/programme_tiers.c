#include <string.h>

#include "ops/programme_parts.h"

#define KEPT_DAYS_MAX 3650
#define GRACE_MONTHS_MAX 120
#define VISITS_MAX 1000000000

/* In the order of enum tier_basis, tier_window and tier_kept; what takes a number is a map. */
static const char *const basis_words[] = { "spend", "points", "visits", "balance", NULL };
static const char *const window_words[] = { "", "year", "ever", NULL };
static const char *const kept_words[] = { "next", "period", "", "none", NULL };
static const char *const balance_kept_words[] = { "", "", "", "none", NULL };
static const char *const through_words[] = { "month", NULL };
static const char *const down_words[] = { "earned", "one", NULL };
static const char *const up_words[] = { "now", "next", NULL };

/* --- one tier --- */

/* A tier while it is read. */
struct level_reading {
    struct tier tier;
    enum tier_basis basis;
};

static void read_from(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct level_reading *reading = out;
    switch (reading->basis) {
    case TIER_BY_SPEND:
        (void)schema_amount(run, node, "from", 1, AMOUNT_MAX, &reading->tier.from);
        return;
    case TIER_BY_POINTS:
    case TIER_BY_BALANCE:
        (void)schema_points(run, node, "from", 1, MILLIPOINTS_MAX, &reading->tier.from);
        return;
    case TIER_BY_VISITS:
        (void)schema_decimal(run, node, "from", 0, 1, VISITS_MAX, &reading->tier.from);
        return;
    }
}

static const struct schema_row level_rows[] = {
    { .key = "name", ROW_NAME, .required = true, .offset = offsetof(struct level_reading, tier.name) },
    { .key = "from", .form = SCHEMA_OWN, .required = true, .read = read_from },
    { .key = "multiply", ROW_MULTIPLY, .offset = offsetof(struct level_reading, tier.factor) },
    { .key = "add", ROW_RULE_POINTS, .offset = offsetof(struct level_reading, tier.points) },
};
const struct schema_table levels_table = { "Tiers", "a tier", level_rows, COUNT_OF(level_rows) };

/* Two of one name, the name of no tier, or not above the tier below. */
static void check_level(const struct schema_run *run, const struct document_node *map,
                        const struct tier *tier, const struct tiers *tiers)
{
    if (strcmp(tier->name, "none") == 0)
        schema_complain(run, schema_find(map, "name"), "tier \"none\" is the name of having none");
    for (uint32_t i = 0; i < tiers->count; i++) {
        if (names_meet(run, map, "tier", text_of(tier->name), text_of(tiers->tiers[i].name)))
            break;
    }
    if (tiers->count > 0 && tier->from != 0 && tier->from <= tiers->tiers[tiers->count - 1].from)
        schema_complain(run, schema_find(map, "from"), "from is not above that of \"%s\"",
                        tiers->tiers[tiers->count - 1].name);
}

static void read_levels(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct tiers *tiers = out;
    if (!schema_list(run, node, "levels", "tiers", "\"- name: silver\"", PROGRAMME_TIERS_MAX))
        return;
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        if (tiers->count == PROGRAMME_TIERS_MAX)
            return;
        struct level_reading reading;
        memset(&reading, 0, sizeof(reading));
        reading.basis = tiers->basis;
        reading.tier.factor = 1000;
        schema_read(run, &levels_table, item, &reading);
        check_level(run, item, &reading.tier, tiers);
        reading.tier.id = programme_id(text_of(reading.tier.name));
        memcpy(&tiers->tiers[tiers->count++], &reading.tier, sizeof(reading.tier));
    }
}

/* --- what is the same for all --- */

static const struct schema_row window_rows[] = {
    { .key = "months",
      .form = SCHEMA_WHOLE,
      .required = true,
      .offset = offsetof(struct tiers, window_months),
      .min = 1,
      .max = TIER_MONTHS_MAX },
};
const struct schema_table window_table = { "Tiers", "window", window_rows, COUNT_OF(window_rows) };

static void read_window(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct tiers *tiers = out;
    uint32_t window = TIER_WINDOW_MONTHS;
    if (tiers->basis == TIER_BY_BALANCE)
        schema_complain(run, node, "window is not for basis: balance");
    else if (node->kind == DOCUMENT_MAP)
        schema_read(run, &window_table, node, tiers);
    else if (!schema_word_is(node, window_words, &window))
        schema_complain(run, node, "window is %s, expected ever, year or {months: n}",
                        schema_show(node).text);
    tiers->window = window;
}

static const struct schema_row kept_rows[] = {
    { .key = "days",
      .form = SCHEMA_WHOLE,
      .required = true,
      .offset = offsetof(struct tiers, kept_days),
      .min = 1,
      .max = KEPT_DAYS_MAX },
};
const struct schema_table kept_table = { "Tiers", "kept", kept_rows, COUNT_OF(kept_rows) };

static void read_kept(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct tiers *tiers = out;
    bool by_balance = tiers->basis == TIER_BY_BALANCE;
    uint32_t kept = TIER_KEPT_DAYS;
    if (node->kind == DOCUMENT_MAP)
        schema_read(run, &kept_table, node, tiers);
    else if (!schema_word_is(node, by_balance ? balance_kept_words : kept_words, &kept))
        schema_complain(run, node, "kept is %s, expected %s%s", schema_show(node).text,
                        by_balance ? "none or {days: n}" : "next, period, none or {days: n}",
                        by_balance ? " with basis: balance" : "");
    tiers->kept = kept;
}

/* A grace while it is read. */
struct grace_reading {
    uint32_t count;
    uint32_t through; /* of through_words */
};

static const struct schema_row grace_rows[] = {
    { .key = "days",
      .form = SCHEMA_WHOLE,
      .offset = offsetof(struct grace_reading, count),
      .min = 1,
      .max = KEPT_DAYS_MAX },
    { .key = "months",
      .form = SCHEMA_WHOLE,
      .offset = offsetof(struct grace_reading, count),
      .min = 1,
      .max = GRACE_MONTHS_MAX },
    { .key = "through",
      .form = SCHEMA_WORD,
      .offset = offsetof(struct grace_reading, through),
      .words = through_words },
};
const struct schema_table grace_table = { "Tiers", "grace", grace_rows, COUNT_OF(grace_rows) };

static const char *const grace_keys[] = { "days", "months", NULL };

static void read_grace(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct tiers *tiers = out;
    struct grace_reading reading = { 0 };
    schema_read(run, &grace_table, node, &reading);
    one_of_check(run, node, grace_keys);
    goes_with_check(run, node, "through", "months");
    tiers->grace = schema_find(node, "months") != NULL ? TIER_GRACE_MONTHS : TIER_GRACE_DAYS;
    tiers->grace_count = reading.count;
    tiers->grace_through_month = schema_find(node, "through") != NULL;
}

#define FIELD(name) offsetof(struct tiers, name)

static const struct schema_row tier_rows[] = {
    { .key = "basis", .form = SCHEMA_WORD, .offset = FIELD(basis), .words = basis_words },
    { .key = "window", .form = SCHEMA_OWN, .read = read_window },
    { .key = "kept", .form = SCHEMA_OWN, .read = read_kept },
    { .key = "grace", .form = SCHEMA_OWN, .read = read_grace },
    { .key = "down", .form = SCHEMA_EITHER, .offset = FIELD(down_one), .words = down_words },
    { .key = "up", .form = SCHEMA_EITHER, .offset = FIELD(up_next), .words = up_words },
    { .key = "levels", .form = SCHEMA_OWN, .required = true, .read = read_levels },
};
const struct schema_table tiers_table = { "Tiers", "tiers", tier_rows, COUNT_OF(tier_rows) };

void tiers_read(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct tiers *tiers = &((struct programme *)out)->tiers;
    tiers->window = TIER_WINDOW_YEAR;
    schema_read(run, &tiers_table, node, tiers);
    if (tiers->basis != TIER_BY_BALANCE)
        return;
    /* A balance has no months: `up: next` then waits for the next one, as with the sum of all times. */
    tiers->window = TIER_WINDOW_EVER;
    if (schema_find(node, "kept") == NULL)
        tiers->kept = TIER_KEPT_NONE;
}
