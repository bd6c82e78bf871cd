#include "ops/programme_parts.h"

#include <stdio.h>
#include <string.h>

#define LIST_TEXT_MAX 128
#define LIMIT_USES_MAX 1000000000

bool words_read(const struct schema_run *run, const struct document_node *node, const char *key,
                struct programme *programme, size_t mask_offset, uint64_t bit)
{
    if (!schema_list(run, node, key, "words", "[one, two]", UINT32_MAX))
        return false;
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        char text[PROGRAMME_NAME_MAX + 1];
        if (!schema_text(run, item, key, 1, PROGRAMME_NAME_MAX, text))
            continue;
        struct programme_word *word = programme_word_add(programme, text_of(text));
        if (word == NULL) {
            schema_complain(run, item, "%s has one word too many: a programme has room for %d", key,
                            PROGRAMME_WORDS_MAX);
            break;
        }
        uint64_t *mask = (uint64_t *)(void *)((char *)word + mask_offset);
        if ((*mask & bit) != 0)
            schema_complain(run, item, "%s has %s already", key, text);
        *mask |= bit;
    }
    return true;
}

/* --- periods and limits --- */

static const struct schema_row period_rows[] = {
    { .key = "from", .form = SCHEMA_DAY, .offset = offsetof(struct period, from) },
    { .key = "through", .form = SCHEMA_DAY, .offset = offsetof(struct period, through) },
};
const struct schema_table period_table = { "Periods and limits", "a period", period_rows,
                                           COUNT_OF(period_rows) };

struct period period_always(void)
{
    return (struct period){ .from = INT32_MIN, .through = DAY_NEVER };
}

void period_check(const struct schema_run *run, const struct document_node *map, struct period period)
{
    if (period.from > period.through)
        schema_complain(run, schema_find(map, "through"), "through is before from");
}

/* In the order of enum window. */
static const char *const window_words[] = { "", "day", "month", "year", "period", "ever", NULL };

static const struct schema_row limit_rows[] = {
    { .key = "uses",
      .form = SCHEMA_WHOLE,
      .required = true,
      .offset = offsetof(struct limit, uses),
      .min = 1,
      .max = LIMIT_USES_MAX },
    { .key = "per",
      .form = SCHEMA_WORD,
      .required = true,
      .offset = offsetof(struct limit, window),
      .words = window_words },
};
const struct schema_table limit_table = { "Periods and limits", "limit", limit_rows, COUNT_OF(limit_rows) };

void limit_read(const struct schema_run *run, const struct document_node *node, struct period period,
                struct limit *out)
{
    schema_read(run, &limit_table, node, out);
    if (out->window == WINDOW_PERIOD && period.from == INT32_MIN && period.through == DAY_NEVER)
        schema_complain(run, schema_find(node, "per"),
                        "per is \"period\", but there is no from and no through; expected ever");
}

/* --- names --- */

uint32_t tier_step_read(const struct schema_run *run, const struct document_node *node, const char *key,
                        const struct programme *programme)
{
    char name[PROGRAMME_NAME_MAX + 1];
    if (!schema_text(run, node, key, 1, PROGRAMME_NAME_MAX, name))
        return 0;
    for (uint32_t i = 0; i < programme->tiers.count; i++) {
        if (strcmp(programme->tiers.tiers[i].name, name) == 0)
            return i + 1;
    }
    schema_complain(run, node, "%s is \"%s\", expected the name of one of the tiers", key, name);
    return 0;
}

bool names_meet(const struct schema_run *run, const struct document_node *map, const char *kind,
                struct text name, struct text other)
{
    if (name.size == 0 || programme_id(name) != programme_id(other))
        return false;
    const struct document_node *node = schema_find(map, "name");
    if (text_equal(name, other))
        schema_complain(run, node, "%s \"%s\" is there already", kind, name.data);
    else
        schema_complain(run, node, "%s \"%s\" has the id of \"%s\", expected another name", kind, name.data,
                        other.data);
    return true;
}

/* --- keys that go together --- */

void kind_keys_check(const struct schema_run *run, const struct document_node *map, const char *kind_key,
                     const char *const *kind_words, uint32_t kind, const struct kind_key *keys,
                     size_t key_count)
{
    if (kind == 0)
        return;
    for (size_t i = 0; i < key_count; i++) {
        const struct document_node *node = schema_find(map, keys[i].key);
        if (node != NULL && (keys[i].may & 1U << kind) == 0)
            schema_complain(run, node, "%s is not for %s: %s", keys[i].key, kind_key, kind_words[kind]);
        else if (node == NULL && (keys[i].must & 1U << kind) != 0)
            schema_complain(run, map, "%s is missing", keys[i].key);
    }
}

void one_of_check(const struct schema_run *run, const struct document_node *map, const char *const *keys)
{
    char list[LIST_TEXT_MAX] = "";
    const char *found = NULL;
    if (map->kind != DOCUMENT_MAP)
        return;
    for (size_t i = 0; keys[i] != NULL; i++) {
        const struct document_node *node = schema_find(map, keys[i]);
        size_t used = strlen(list);
        (void)snprintf(list + used, sizeof(list) - used, "%s%s", i == 0 ? "" : ", ", keys[i]);
        if (node != NULL && found != NULL)
            schema_complain(run, node, "%s does not go with %s", keys[i], found);
        else if (node != NULL)
            found = keys[i];
    }
    if (found == NULL)
        schema_complain(run, map, "one of %s is missing", list);
}

void goes_with_check(const struct schema_run *run, const struct document_node *map, const char *key,
                     const char *with)
{
    const struct document_node *node = schema_find(map, key);
    if (node != NULL && schema_find(map, with) == NULL)
        schema_complain(run, node, "%s goes with %s only", key, with);
}
