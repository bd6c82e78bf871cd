#include <stdio.h>
#include <string.h>

#include "ops/programme_parts.h"

/* In the order of enum rule_kind. */
static const char *const rule_words[] = { "", "spend", "item", "visit", NULL };

/* A rule while it is read. */
struct rule_reading {
    struct base_rule rule;
    struct filter_reading filter;
};

#define FIELD(name) offsetof(struct rule_reading, name)

static const struct schema_row rule_rows[] = {
    { .key = "rule", .form = SCHEMA_WORD, .required = true, .offset = FIELD(rule.kind), .words = rule_words },
    { .key = "name", ROW_NAME, .offset = FIELD(rule.name) },
    { .key = "points", ROW_RULE_POINTS, .required = true, .offset = FIELD(rule.points) },
    { .key = "amount", ROW_AMOUNT, .offset = FIELD(rule.amount) },
    { .key = "exact", .form = SCHEMA_TRUTH, .offset = FIELD(rule.exact) },
    { .form = SCHEMA_ROWS, .offset = FIELD(filter), .table = &filter_table },
};
const struct schema_table rules_table = { "Base rules", "a rule", rule_rows, COUNT_OF(rule_rows) };

/* A visit has no parts. */
static const struct kind_key rule_keys[] = {
    { "amount", 1U << RULE_SPEND, 1U << RULE_SPEND },
    { "exact", 1U << RULE_SPEND | 1U << RULE_ITEM, 0 },
};

static void read_rule(const struct schema_run *run, const struct document_node *map,
                      struct programme *programme)
{
    struct rule_reading reading;
    memset(&reading, 0, sizeof(reading));
    reading.filter.programme = programme;
    reading.filter.bit = UINT64_C(1) << programme->rule_count;
    schema_read(run, &rules_table, map, &reading);
    kind_keys_check(run, map, "rule", rule_words, reading.rule.kind, rule_keys, COUNT_OF(rule_keys));
    filter_check(run, map, &reading.filter);
    if (reading.rule.name[0] == '\0')
        (void)snprintf(reading.rule.name, sizeof(reading.rule.name), "%s", rule_words[reading.rule.kind]);
    reading.rule.filter = reading.filter.filter;
    /* As bytes, padding too, for programmes are compared so. */
    memcpy(&programme->rules[programme->rule_count++], &reading.rule, sizeof(reading.rule));
}

void rules_read(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct programme *programme = out;
    if (!schema_list(run, node, "base", "rules", "\"- rule: spend\"", PROGRAMME_RULES_MAX))
        return;
    programme->rule_count = 0;
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        if (programme->rule_count < PROGRAMME_RULES_MAX)
            read_rule(run, item, programme);
    }
}
