#include "ops/schema.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define KEY_MAX 128
#define SHOWN_MAX 40

void schema_complain(const struct schema_run *run, const struct document_node *node, const char *format, ...)
{
    char text[PROBLEM_TEXT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    problems_add(run->problems, run->file, node->line, node->column, "%s", text);
}

/* What stands there, as people see it. */
struct shown {
    char text[SHOWN_MAX + 8];
};

static struct shown show(const struct document_node *node)
{
    struct shown shown;
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
                           (int)u64_min(node->text.size, SHOWN_MAX), node->text.data,
                           node->text.size > SHOWN_MAX ? "..." : "");
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

/* The keys of the map at `prefix` ("" or "limits."), for people. */
static void known_keys(const struct schema_row *rows, size_t row_count, const char *prefix, char *list,
                       size_t capacity)
{
    list[0] = '\0';
    for (size_t i = 0; i < row_count; i++) {
        if (!starts_with(rows[i].key, prefix))
            continue;
        char word[KEY_MAX];
        const char *key = rows[i].key + strlen(prefix);
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

static enum key_kind key_kind(const struct schema_row *rows, size_t row_count, const char *key)
{
    size_t size = strlen(key);
    for (size_t i = 0; i < row_count; i++) {
        if (starts_with(rows[i].key, key) && rows[i].key[size] == '\0')
            return KEY_VALUE;
        if (starts_with(rows[i].key, key) && rows[i].key[size] == '.')
            return KEY_MAP;
    }
    return KEY_UNKNOWN;
}

static void check_keys(const struct schema_run *run, const struct schema_row *rows, size_t row_count,
                       const struct document_node *map, const char *prefix);

static void check_key(const struct schema_run *run, const struct schema_row *rows, size_t row_count,
                      const struct document_node *map, const struct document_node *key, const char *prefix)
{
    char full[KEY_MAX];
    char known[200];
    if (key->kind != DOCUMENT_TEXT) {
        schema_complain(run, key, "%s is no key", show(key).text);
        return;
    }
    const struct document_node *before = same_key_before(map, key);
    if (before != NULL)
        schema_complain(run, key, "%s%s is there already, in line %" PRIu32, prefix, key->text.data,
                        before->line);
    int size = snprintf(full, sizeof(full), "%s%s", prefix, key->text.data);
    bool whole = size > 0 && (size_t)size < sizeof(full) && strlen(key->text.data) == key->text.size;
    switch (whole ? key_kind(rows, row_count, full) : KEY_UNKNOWN) {
    case KEY_VALUE:
        return;
    case KEY_UNKNOWN:
        known_keys(rows, row_count, prefix, known, sizeof(known));
        schema_complain(run, key, "unknown key %s; expected one of %s", show(key).text, known);
        return;
    case KEY_MAP:
        (void)strncat(full, ".", sizeof(full) - strlen(full) - 1);
        check_keys(run, rows, row_count, key->next, full);
        return;
    }
}

/* Recurses along the keys of the rows only. */
static void check_keys(const struct schema_run *run, const struct schema_row *rows, size_t row_count,
                       const struct document_node *map, const char *prefix)
{
    if (map->kind != DOCUMENT_MAP) {
        char known[200];
        known_keys(rows, row_count, prefix, known, sizeof(known));
        schema_complain(run, map, "%.*s is %s, expected a map with keys of %s",
                        prefix[0] == '\0' ? 4 : (int)strlen(prefix) - 1, prefix[0] == '\0' ? "this" : prefix,
                        show(map).text, known);
        return;
    }
    for (const struct document_node *key = map->first; key != NULL; key = key->next->next)
        check_key(run, rows, row_count, map, key, prefix);
}

/* The value of a key with dots; NULL: it is not there. */
static const struct document_node *find(const struct document_node *map, const char *key)
{
    size_t size = strcspn(key, ".");
    if (map->kind != DOCUMENT_MAP)
        return NULL;
    for (const struct document_node *at = map->first; at != NULL; at = at->next->next) {
        if (at->kind == DOCUMENT_TEXT && text_equal(at->text, (struct text){ key, size }))
            return key[size] == '\0' ? at->next : find(at->next, key + size + 1);
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
static struct shown decimal_text(int64_t value, uint32_t decimals)
{
    int64_t parts = 1;
    for (uint32_t i = 0; i < decimals; i++)
        parts *= 10;
    struct shown shown;
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
                        show(node).text, min, max);
    else
        schema_complain(
            run, node, "%s is %s, expected a number from %s to %s with at most %" PRIu32 " decimals", key,
            show(node).text, decimal_text(min, decimals).text, decimal_text(max, decimals).text, decimals);
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
    schema_complain(run, node, "%s is %s, expected a text of %zu to %zu bytes", key, show(node).text, min,
                    max);
    return false;
}

static void read_whole(const struct schema_run *run, const struct schema_row *row,
                       const struct document_node *node, void *field)
{
    int64_t value;
    if (node->kind == DOCUMENT_TEXT && !node->plain)
        schema_complain(run, node, "%s is in quotes, expected a whole number", row->key);
    else if (schema_decimal(run, node, row->key, 0, row->min, row->max, &value))
        *(uint32_t *)field = (uint32_t)value;
}

static void read_word(const struct schema_run *run, const struct schema_row *row,
                      const struct document_node *node, void *field)
{
    char known[200] = "";
    for (uint32_t i = 0; row->words[i] != NULL; i++) {
        if (node->kind == DOCUMENT_TEXT && text_equal(node->text, text_of(row->words[i]))) {
            memcpy(field, &i, sizeof(i));
            return;
        }
        add_word(known, sizeof(known), row->words[i], strlen(row->words[i]));
    }
    schema_complain(run, node, "%s is %s, expected one of %s", row->key, show(node).text, known);
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
        schema_complain(run, node, "%s is %s, expected true or false", row->key, show(node).text);
}

static void read_row(const struct schema_run *run, const struct schema_row *row,
                     const struct document_node *node, void *out)
{
    void *field = (char *)out + row->offset;
    switch (row->form) {
    case SCHEMA_WHOLE:
        read_whole(run, row, node, field);
        return;
    case SCHEMA_TEXT:
        (void)schema_text(run, node, row->key, (size_t)row->min, (size_t)row->max, field);
        return;
    case SCHEMA_WORD:
        read_word(run, row, node, field);
        return;
    case SCHEMA_TRUTH:
        read_truth(run, row, node, field);
        return;
    case SCHEMA_OWN:
        row->read(run, node, out);
        return;
    }
}

void schema_read(const struct schema_run *run, const struct schema_row *rows, size_t row_count,
                 const struct document_node *map, void *out)
{
    check_keys(run, rows, row_count, map, "");
    for (size_t i = 0; i < row_count; i++) {
        const struct document_node *node = find(map, rows[i].key);
        if (node != NULL)
            read_row(run, &rows[i], node, out);
        else if (rows[i].required && map->kind == DOCUMENT_MAP)
            schema_complain(run, map, "%s is missing", rows[i].key);
    }
}
