#include <string.h>

#include "ops/programme_parts.h"

#define MINUTES_PER_DAY (24 * 60)
#define HOURS_TEXT_SIZE (sizeof("07:00-10:00") - 1)

static const char *const of_words[] = { "receipt", "lines", NULL };
static const char *const day_words[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL };

/* A list of words of this filter. */
static bool read_words(const struct schema_run *run, const struct document_node *node, const char *key,
                       struct filter_reading *reading, size_t mask_offset)
{
    return words_read(run, node, key, reading->programme, mask_offset, reading->bit);
}

static void read_include_categories(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct filter_reading *reading = out;
    size_t mask = offsetof(struct programme_word, include_category);
    if (read_words(run, node, "include.categories", reading, mask))
        reading->filter.has_include = true;
}

static void read_include_codes(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct filter_reading *reading = out;
    if (read_words(run, node, "include.codes", reading, offsetof(struct programme_word, include_code)))
        reading->filter.has_include = true;
}

static void read_exclude_categories(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct filter_reading *reading = out;
    size_t mask = offsetof(struct programme_word, exclude_category);
    if (read_words(run, node, "exclude.categories", reading, mask))
        reading->filter.has_exclude = true;
}

static void read_exclude_codes(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct filter_reading *reading = out;
    if (read_words(run, node, "exclude.codes", reading, offsetof(struct programme_word, exclude_code)))
        reading->filter.has_exclude = true;
}

static void read_stores(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct filter_reading *reading = out;
    if (read_words(run, node, "stores", reading, offsetof(struct programme_word, stores)))
        reading->filter.has_stores = true;
}

static void read_tenders(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct filter_reading *reading = out;
    if (read_words(run, node, "tenders", reading, offsetof(struct programme_word, tenders)))
        reading->filter.has_tenders = true;
}

static void read_tags(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct filter_reading *reading = out;
    if (read_words(run, node, "tags", reading, offsetof(struct programme_word, tags)))
        reading->filter.has_tags = true;
}

static void read_coupons(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct filter_reading *reading = out;
    if (read_words(run, node, "coupons", reading, offsetof(struct programme_word, coupons)))
        reading->filter.has_coupons = true;
}

/* Adds a bit; false: it was there. */
static bool add_bit(uint32_t *mask, uint32_t bit)
{
    bool there = (*mask & 1U << bit) != 0;
    *mask |= 1U << bit;
    return !there;
}

static void read_tiers(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct filter_reading *reading = out;
    if (!schema_list(run, node, "tiers", "tiers", "[none, silver]", PROGRAMME_TIERS_MAX + 1))
        return;
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        bool none = item->kind == DOCUMENT_TEXT && text_equal(item->text, TEXT_LITERAL("none"));
        uint32_t step = none ? 0 : tier_step_read(run, item, "tiers", reading->programme);
        if ((none || step > 0) && !add_bit(&reading->filter.tiers, step))
            schema_complain(run, item, "tiers has %s already", item->text.data);
    }
}

static void read_days(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct filter_reading *reading = out;
    uint32_t days = 0;
    if (!schema_list(run, node, "days", "days", "[sat, sun]", 7))
        return;
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        uint32_t day;
        if (schema_word(run, item, "days", day_words, &day) && !add_bit(&days, day))
            schema_complain(run, item, "days has %s already", day_words[day]);
    }
    reading->filter.days = (uint8_t)days;
}

/* "07:00", up to 24:00, as minutes. */
static bool parse_minutes(const char *text, uint16_t *out)
{
    static const size_t digits[] = { 0, 1, 3, 4 };
    for (size_t i = 0; i < COUNT_OF(digits); i++) {
        if (text[digits[i]] < '0' || text[digits[i]] > '9')
            return false;
    }
    int hours = (text[0] - '0') * 10 + (text[1] - '0');
    int minutes = (text[3] - '0') * 10 + (text[4] - '0');
    *out = (uint16_t)(hours * 60 + minutes);
    return text[2] == ':' && minutes < 60 && *out <= MINUTES_PER_DAY;
}

static bool parse_hours(struct text text, struct filter_hours *out)
{
    if (text.size != HOURS_TEXT_SIZE || text.data[5] != '-' || !parse_minutes(text.data, &out->from) ||
        !parse_minutes(text.data + 6, &out->until))
        return false;
    /* Midnight as an end is that of the day itself. */
    if (out->until == 0)
        out->until = MINUTES_PER_DAY;
    return out->from < MINUTES_PER_DAY && out->from != out->until;
}

static void read_hours(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct filter *filter = &((struct filter_reading *)out)->filter;
    if (!schema_list(run, node, "hours", "hours", "[\"07:00-10:00\"]", FILTER_HOURS_MAX))
        return;
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct filter_hours hours;
        if (filter->hour_count == FILTER_HOURS_MAX)
            return;
        if (item->kind == DOCUMENT_TEXT && parse_hours(item->text, &hours))
            filter->hours[filter->hour_count++] = hours;
        else
            schema_complain(run, item, "hours is %s, expected two times as \"07:00-10:00\", up to 24:00",
                            schema_show(item).text);
    }
}

static const struct schema_row filter_rows[] = {
    { .key = "include.categories", .form = SCHEMA_OWN, .read = read_include_categories },
    { .key = "include.codes", .form = SCHEMA_OWN, .read = read_include_codes },
    { .key = "exclude.categories", .form = SCHEMA_OWN, .read = read_exclude_categories },
    { .key = "exclude.codes", .form = SCHEMA_OWN, .read = read_exclude_codes },
    { .key = "stores", .form = SCHEMA_OWN, .read = read_stores },
    { .key = "tenders", .form = SCHEMA_OWN, .read = read_tenders },
    { .key = "tiers", .form = SCHEMA_OWN, .read = read_tiers },
    { .key = "tags", .form = SCHEMA_OWN, .read = read_tags },
    { .key = "coupons", .form = SCHEMA_OWN, .read = read_coupons },
    { .key = "days", .form = SCHEMA_OWN, .read = read_days },
    { .key = "hours", .form = SCHEMA_OWN, .read = read_hours },
    { .key = "minimum", ROW_AMOUNT, .offset = offsetof(struct filter_reading, filter.minimum) },
    { .key = "maximum", ROW_AMOUNT, .offset = offsetof(struct filter_reading, filter.maximum) },
    { .key = "of",
      .form = SCHEMA_EITHER,
      .offset = offsetof(struct filter_reading, filter.of_lines),
      .words = of_words },
};
const struct schema_table filter_table = { "Filters", "a filter", filter_rows, COUNT_OF(filter_rows) };

void filter_check(const struct schema_run *run, const struct document_node *map,
                  const struct filter_reading *reading)
{
    if (reading->filter.maximum != 0 && reading->filter.minimum > reading->filter.maximum)
        schema_complain(run, schema_find(map, "maximum"), "maximum is less than minimum");
}
