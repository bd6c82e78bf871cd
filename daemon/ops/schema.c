#include "ops/schema.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "points/calendar.h"

#define KEY_MAX 128
#define KNOWN_MAX 512 /* of the keys or words that are expected */
#define POINT_DECIMALS_MAX 3
#define YEAR_MIN 1970
#define YEAR_MAX 2099

void schema_complain(const struct schema_run *run, const struct document_node *node, const char *format, ...)
{
    char text[PROBLEM_TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    problems_add(run->problems, run->file, node->line, node->column, "%s", text);
}

struct schema_shown schema_show(const struct document_node *node)
{
    struct schema_shown shown;
    switch (node->kind) {
    case DOCUMENT_LIST:
        (void)snprintf(shown.text, sizeof(shown.text), "a list");
        break;
    case DOCUMENT_MAP:
        (void)snprintf(shown.text, sizeof(shown.text), "a map");
        break;
    case DOCUMENT_TEXT:
        if (node->text.size == 0)
            (void)snprintf(shown.text, sizeof(shown.text), "empty");
        else
            (void)snprintf(shown.text, sizeof(shown.text), "\"%.*s%s\"",
                           (int)u64_min(node->text.size, SCHEMA_SHOWN_MAX), node->text.data,
                           node->text.size > SCHEMA_SHOWN_MAX ? "..." : "");
        break;
    }
    return shown;
}

/* --- which keys there are --- */

static bool starts_with(const char *key, const char *prefix)
{
    return strncmp(key, prefix, strlen(prefix)) == 0;
}

/* Adds a word to a list of words, once. */
static void add_word(char *list, size_t capacity, const char *word, size_t size)
{
    size_t used = strlen(list);
    for (const char *at = list; (at = strstr(at, word)) != NULL; at++) {
        bool starts = at == list || at[-1] == ' ';
        if (starts && strncmp(at, word, size) == 0 && (at[size] == ',' || at[size] == '\0'))
            return;
    }
    (void)snprintf(list + used, capacity - used, "%s%.*s", used == 0 ? "" : ", ", (int)size, word);
}

/* Adds the keys of the map at `prefix` ("" or "limits."), for people. Calls itself along tables only. */
static void known_keys(const struct schema_table *table, const char *prefix, char *list, size_t capacity)
{
    for (size_t i = 0; i < table->row_count; i++) {
        const struct schema_row *row = &table->rows[i];
        if (row->form == SCHEMA_ROWS) {
            known_keys(row->table, prefix, list, capacity);
            continue;
        }
        if (!starts_with(row->key, prefix))
            continue;
        char word[KEY_MAX];
        const char *key = row->key + strlen(prefix);
        (void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(key, "."), key);
        add_word(list, capacity, word, strlen(word));
    }
}

/* The same key further up in the map; NULL: none. */
static const struct document_node *same_key_before(const struct document_node *map,
                                                   const struct document_node *key)
{
    for (const struct document_node *other = map->first; other != key; other = other->next->next) {
        if (other->kind == DOCUMENT_TEXT && text_equal(other->text, key->text))
            return other;
    }
    return NULL;
}

enum key_kind { KEY_UNKNOWN, KEY_VALUE, KEY_MAP };

/* Calls itself along tables only. */
static enum key_kind key_kind(const struct schema_table *table, const char *key)
{
    size_t size = strlen(key);
    enum key_kind kind = KEY_UNKNOWN;
    for (size_t i = 0; i < table->row_count && kind == KEY_UNKNOWN; i++) {
        const struct schema_row *row = &table->rows[i];
        if (row->form == SCHEMA_ROWS)
            kind = key_kind(row->table, key);
        else if (starts_with(row->key, key) && row->key[size] == '\0')
            kind = KEY_VALUE;
        else if (starts_with(row->key, key) && row->key[size] == '.')
            kind = KEY_MAP;
    }
    return kind;
}

static void check_keys(const struct schema_run *run, const struct schema_table *table,
                       const struct document_node *map, const char *prefix);

static void check_key(const struct schema_run *run, const struct schema_table *table,
                      const struct document_node *map, const struct document_node *key, const char *prefix)
{
    char full[KEY_MAX];
    char known[KNOWN_MAX] = "";
    if (key->kind != DOCUMENT_TEXT) {
        schema_complain(run, key, "%s is no key", schema_show(key).text);
        return;
    }
    const struct document_node *before = same_key_before(map, key);
    if (before != NULL)
        schema_complain(run, key, "%s%s is there already, in line %" PRIu32, prefix, key->text.data,
                        before->line);
    int size = snprintf(full, sizeof(full), "%s%s", prefix, key->text.data);
    /* Dots join the keys of our rows; none of a file's has one. */
    bool whole = size > 0 && (size_t)size < sizeof(full) && strcspn(key->text.data, ".") == key->text.size;
    switch (whole ? key_kind(table, full) : KEY_UNKNOWN) {
    case KEY_VALUE:
        return;
    case KEY_UNKNOWN:
        known_keys(table, prefix, known, sizeof(known));
        schema_complain(run, key, "unknown key %s; expected one of %s", schema_show(key).text, known);
        return;
    case KEY_MAP:
        (void)strncat(full, ".", sizeof(full) - strlen(full) - 1);
        check_keys(run, table, key->next, full);
        return;
    }
}

/* Recurses along the keys of the rows only. */
static void check_keys(const struct schema_run *run, const struct schema_table *table,
                       const struct document_node *map, const char *prefix)
{
    if (map->kind != DOCUMENT_MAP) {
        char known[KNOWN_MAX] = "";
        known_keys(table, prefix, known, sizeof(known));
        schema_complain(run, map, "%.*s is %s, expected a map with keys of %s",
                        prefix[0] == '\0' ? (int)strlen(table->what) : (int)strlen(prefix) - 1,
                        prefix[0] == '\0' ? table->what : prefix, schema_show(map).text, known);
        return;
    }
    for (const struct document_node *key = map->first; key != NULL; key = key->next->next)
        check_key(run, table, map, key, prefix);
}

const struct document_node *schema_find(const struct document_node *map, const char *key)
{
    size_t size = strcspn(key, ".");
    if (map->kind != DOCUMENT_MAP)
        return NULL;
    for (const struct document_node *at = map->first; at != NULL; at = at->next->next) {
        if (at->kind == DOCUMENT_TEXT && text_equal(at->text, (struct text){ key, size }))
            return key[size] == '\0' ? at->next : schema_find(at->next, key + size + 1);
    }
    return NULL;
}

/* --- what stands at them --- */

/* Digits, at most one point and `decimals` digits behind it, as a multiple of the smallest part. */
static bool parse_decimal(struct text text, uint32_t decimals, int64_t *out)
{
    int64_t value = 0;
    uint32_t behind = 0;
    bool point = false;
    if (text.size == 0 || text.data[0] == '.' || text.data[text.size - 1] == '.')
        return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || (point && behind == decimals))
            return false;
        behind += point;
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, c - '0', &value))
            return false;
    }
    for (; behind < decimals; behind++) {
        if (__builtin_mul_overflow(value, 10, &value))
            return false;
    }
    *out = value;
    return true;
}

/* A value as it would be written, "0.01". */
static struct schema_shown decimal_text(int64_t value, uint32_t decimals)
{
    int64_t parts = 1;
    for (uint32_t i = 0; i < decimals; i++)
        parts *= 10;
    struct schema_shown shown;
    if (value % parts == 0)
        (void)snprintf(shown.text, sizeof(shown.text), "%" PRId64, value / parts);
    else
        (void)snprintf(shown.text, sizeof(shown.text), "%" PRId64 ".%0*" PRId64, value / parts, (int)decimals,
                       value % parts);
    return shown;
}

bool schema_decimal(const struct schema_run *run, const struct document_node *node, const char *key,
                    uint32_t decimals, int64_t min, int64_t max, int64_t *out)
{
    int64_t value;
    if (node->kind == DOCUMENT_TEXT && parse_decimal(node->text, decimals, &value) && value >= min &&
        value <= max) {
        *out = value;
        return true;
    }
    if (decimals == 0)
        schema_complain(run, node, "%s is %s, expected a whole number from %" PRId64 " to %" PRId64, key,
                        schema_show(node).text, min, max);
    else
        schema_complain(run, node,
                        "%s is %s, expected a number from %s to %s with at most %" PRIu32 " decimals", key,
                        schema_show(node).text, decimal_text(min, decimals).text,
                        decimal_text(max, decimals).text, decimals);
    return false;
}

bool schema_text(const struct schema_run *run, const struct document_node *node, const char *key, size_t min,
                 size_t max, char *out)
{
    if (node->kind == DOCUMENT_TEXT && node->text.size >= min && node->text.size <= max &&
        memchr(node->text.data, '\0', node->text.size) == NULL) {
        memcpy(out, node->text.data, node->text.size);
        out[node->text.size] = '\0';
        return true;
    }
    schema_complain(run, node, "%s is %s, expected a text of %zu to %zu bytes", key, schema_show(node).text,
                    min, max);
    return false;
}

bool schema_amount(const struct schema_run *run, const struct document_node *node, const char *key,
                   int64_t min, int64_t max, minor_units *out)
{
    uint32_t decimals = *run->amount_decimals;
    return decimals != SCHEMA_DECIMALS_UNKNOWN && schema_decimal(run, node, key, decimals, min, max, out);
}

bool schema_points(const struct schema_run *run, const struct document_node *node, const char *key,
                   int64_t min, int64_t max, millipoints *out)
{
    uint32_t decimals = *run->point_decimals;
    int64_t step = 1;
    int64_t value;
    PUNKT_CHECK(decimals <= POINT_DECIMALS_MAX);
    for (uint32_t i = decimals; i < POINT_DECIMALS_MAX; i++)
        step *= 10;
    if (!schema_decimal(run, node, key, decimals, (min + step - 1) / step, max / step, &value))
        return false;
    *out = value * step;
    return true;
}

bool schema_word_is(const struct document_node *node, const char *const *words, uint32_t *out_index)
{
    for (uint32_t i = 0; words[i] != NULL && node->kind == DOCUMENT_TEXT; i++) {
        if (words[i][0] != '\0' && text_equal(node->text, text_of(words[i]))) {
            *out_index = i;
            return true;
        }
    }
    return false;
}

bool schema_word(const struct schema_run *run, const struct document_node *node, const char *key,
                 const char *const *words, uint32_t *out_index)
{
    char known[KNOWN_MAX] = "";
    if (schema_word_is(node, words, out_index))
        return true;
    for (uint32_t i = 0; words[i] != NULL; i++) {
        if (words[i][0] != '\0')
            add_word(known, sizeof(known), words[i], strlen(words[i]));
    }
    schema_complain(run, node, "%s is %s, expected one of %s", key, schema_show(node).text, known);
    return false;
}

bool schema_list(const struct schema_run *run, const struct document_node *node, const char *key,
                 const char *what, const char *example, uint32_t max)
{
    if (node->kind != DOCUMENT_LIST || node->first == NULL) {
        schema_complain(run, node, "%s is no list of %s, expected %s and so on", key, what, example);
        return false;
    }
    uint32_t count = 0;
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        if (count++ == max) {
            schema_complain(run, item, "%s has more than %" PRIu32 " %s", key, max, what);
            break;
        }
    }
    return true;
}

/* Numbers into fields that are narrower than those of schema_decimal. */
static void read_narrow(const struct schema_run *run, const struct schema_row *row,
                        const struct document_node *node, uint32_t decimals, uint32_t *field)
{
    int64_t value;
    if (schema_decimal(run, node, row->key, decimals, row->min, row->max, &value))
        *field = (uint32_t)value;
}

static void read_whole(const struct schema_run *run, const struct schema_row *row,
                       const struct document_node *node, void *field)
{
    if (node->kind == DOCUMENT_TEXT && !node->plain)
        schema_complain(run, node, "%s is in quotes, expected a whole number", row->key);
    else
        read_narrow(run, row, node, 0, field);
}

static void read_word(const struct schema_run *run, const struct schema_row *row,
                      const struct document_node *node, void *field)
{
    uint32_t index;
    if (schema_word(run, node, row->key, row->words, &index))
        memcpy(field, &index, sizeof(index));
}

static void read_either(const struct schema_run *run, const struct schema_row *row,
                        const struct document_node *node, void *field)
{
    uint32_t index;
    if (schema_word(run, node, row->key, row->words, &index))
        *(bool *)field = index == 1;
}

static void read_truth(const struct schema_run *run, const struct schema_row *row,
                       const struct document_node *node, void *field)
{
    bool plain = node->kind == DOCUMENT_TEXT && node->plain;
    if (plain && text_equal(node->text, TEXT_LITERAL("true")))
        *(bool *)field = true;
    else if (plain && text_equal(node->text, TEXT_LITERAL("false")))
        *(bool *)field = false;
    else
        schema_complain(run, node, "%s is %s, expected true or false", row->key, schema_show(node).text);
}

/* So many digits, as a number. */
static bool parse_digits(const char *digits, size_t count, int32_t *out)
{
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return false;
        *out = *out * 10 + (digits[i] - '0');
    }
    return true;
}

/* YYYY-MM-DD, a day that there is. */
static bool parse_day(struct text text, local_day *out)
{
    int32_t year;
    int32_t month;
    int32_t day;
    if (text.size != 10 || text.data[4] != '-' || text.data[7] != '-' || !parse_digits(text.data, 4, &year) ||
        !parse_digits(text.data + 5, 2, &month) || !parse_digits(text.data + 8, 2, &day))
        return false;
    if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    *out = day_from_civil((struct civil_date){ year, (uint32_t)month, (uint32_t)day });
    /* The 30th of February would come back as one of March. */
    return civil_from_day(*out).month == (uint32_t)month;
}

static void read_day(const struct schema_run *run, const struct schema_row *row,
                     const struct document_node *node, void *field)
{
    local_day day;
    if (node->kind == DOCUMENT_TEXT && parse_day(node->text, &day))
        *(local_day *)field = day;
    else
        schema_complain(run, node, "%s is %s, expected a day as 2026-03-01, from %d to %d", row->key,
                        schema_show(node).text, YEAR_MIN, YEAR_MAX);
}

/* A whole number and s, m or h, as seconds. */
static bool parse_duration(struct text text, int64_t *out_s)
{
    static const char units[] = "smh";
    static const int64_t seconds[] = { 1, 60, 3600 };
    const char *unit = text.size < 2 ? NULL : memchr(units, text.data[text.size - 1], sizeof(units) - 1);
    return unit != NULL && parse_decimal((struct text){ text.data, text.size - 1 }, 0, out_s) &&
           !__builtin_mul_overflow(*out_s, seconds[unit - units], out_s);
}

static void read_duration(const struct schema_run *run, const struct schema_row *row,
                          const struct document_node *node, void *field)
{
    int64_t value_s = 0;
    bool none = row->min == 0 && node->kind == DOCUMENT_TEXT && text_equal(node->text, TEXT_LITERAL("0"));
    if (none || (node->kind == DOCUMENT_TEXT && parse_duration(node->text, &value_s) && value_s >= row->min &&
                 value_s <= row->max))
        *(uint32_t *)field = (uint32_t)value_s;
    else
        schema_complain(run, node,
                        "%s is %s, expected a time as 90s, 15m or 2h, from %" PRId64 "s to %" PRId64 "h",
                        row->key, schema_show(node).text, row->min, row->max / 3600);
}

static void read_row(const struct schema_run *run, const struct schema_row *row,
                     const struct document_node *node, void *out)
{
    void *field = (char *)out + row->offset;
    switch (row->form) {
    case SCHEMA_WHOLE:
        read_whole(run, row, node, field);
        return;
    case SCHEMA_FACTOR:
        read_narrow(run, row, node, 3, field);
        return;
    case SCHEMA_THOUSANDTHS:
        (void)schema_decimal(run, node, row->key, 3, row->min, row->max, field);
        return;
    case SCHEMA_POINTS:
        (void)schema_points(run, node, row->key, row->min, row->max, field);
        return;
    case SCHEMA_AMOUNT:
        (void)schema_amount(run, node, row->key, row->min, row->max, field);
        return;
    case SCHEMA_TEXT:
        (void)schema_text(run, node, row->key, (size_t)row->min, (size_t)row->max, field);
        return;
    case SCHEMA_WORD:
        read_word(run, row, node, field);
        return;
    case SCHEMA_EITHER:
        read_either(run, row, node, field);
        return;
    case SCHEMA_TRUTH:
        read_truth(run, row, node, field);
        return;
    case SCHEMA_DAY:
        read_day(run, row, node, field);
        return;
    case SCHEMA_DURATION:
        read_duration(run, row, node, field);
        return;
    case SCHEMA_OWN:
        row->read(run, node, out);
        return;
    case SCHEMA_ROWS: /* has no node: read_rows goes into it */
        return;
    }
}

/* Calls itself along tables only. */
static void read_rows(const struct schema_run *run, const struct schema_table *table,
                      const struct document_node *map, void *out)
{
    for (size_t i = 0; i < table->row_count; i++) {
        const struct schema_row *row = &table->rows[i];
        if (row->form == SCHEMA_ROWS) {
            read_rows(run, row->table, map, (char *)out + row->offset);
            continue;
        }
        const struct document_node *node = schema_find(map, row->key);
        if (node != NULL)
            read_row(run, row, node, out);
        else if (row->required && map->kind == DOCUMENT_MAP)
            schema_complain(run, map, "%s is missing", row->key);
    }
}

void schema_read(const struct schema_run *run, const struct schema_table *table,
                 const struct document_node *map, void *out)
{
    check_keys(run, table, map, "");
    read_rows(run, table, map, out);
}
