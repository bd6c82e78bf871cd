#include "ops/programme_diff.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ops/document.h"

#define PART_MAX 160 /* bytes of a path or a value in a line */
static_assert(3 * PART_MAX + sizeof(": ") + sizeof(" -> ") <= PROGRAMME_DIFF_LINE_MAX,
              "a line has its parts");

/* A path or a value as it grows: what does not fit is left out, with dots. */
struct part {
    char text[PART_MAX];
    size_t size;
    bool cut;
};

struct diff {
    struct part path;
    programme_diff_fn *each;
    void *ctx;
};

static bool continues_character(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* Appends as much as fits in whole characters; line ends and other controls become spaces, for it is one line. */
static void part_add(struct part *part, struct text text)
{
    static const char dots[] = "...";
    if (part->cut)
        return;
    size_t room = PART_MAX - sizeof(dots) - part->size;
    size_t size = text.size;
    if (size > room) {
        for (size = room; size > 0 && continues_character(text.data[size]); size--)
            continue;
        part->cut = true;
    }
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        part->text[part->size++] = byte < ' ' || byte == 0x7F ? ' ' : text.data[i];
    }
    if (part->cut) {
        memcpy(part->text + part->size, dots, sizeof(dots) - 1);
        part->size += sizeof(dots) - 1;
    }
}

/* Appends a value as YAML would write it in one line. Calls itself as deeply as documents are nested. */
static void part_add_value(struct part *part, const struct document_node *node)
{
    if (node == NULL) {
        part_add(part, TEXT_LITERAL("(none)"));
        return;
    }
    if (node->kind == DOCUMENT_TEXT) {
        part_add(part, node->text.size == 0 ? TEXT_LITERAL("\"\"") : node->text);
        return;
    }
    bool map = node->kind == DOCUMENT_MAP;
    bool key = map;
    part_add(part, map ? TEXT_LITERAL("{") : TEXT_LITERAL("["));
    for (const struct document_node *at = node->first; at != NULL; at = at->next) {
        part_add_value(part, at);
        if (at->next != NULL)
            part_add(part, key ? TEXT_LITERAL(": ") : TEXT_LITERAL(", "));
        key = map && !key;
    }
    part_add(part, map ? TEXT_LITERAL("}") : TEXT_LITERAL("]"));
}

static void tell(struct diff *diff, const struct part *old, const struct part *new)
{
    char line[PROGRAMME_DIFF_LINE_MAX];
    int size = snprintf(line, sizeof(line), "%.*s: %.*s -> %.*s", (int)diff->path.size, diff->path.text,
                        (int)old->size, old->text, (int)new->size, new->text);
    PUNKT_CHECK(size > 0 && (size_t)size < sizeof(line));
    diff->each(diff->ctx, (struct text){ line, (size_t)size });
}

static void tell_values(struct diff *diff, const struct document_node *old, const struct document_node *new)
{
    struct part old_value = { .size = 0 };
    struct part new_value = { .size = 0 };
    part_add_value(&old_value, old);
    part_add_value(&new_value, new);
    tell(diff, &old_value, &new_value);
}

/* Calls itself as deeply as documents are nested. */
static bool values_equal(const struct document_node *a, const struct document_node *b)
{
    if (a->kind != b->kind || !text_equal(a->text, b->text))
        return false;
    const struct document_node *of_b = b->first;
    for (const struct document_node *of_a = a->first; of_a != NULL; of_a = of_a->next) {
        if (of_b == NULL || !values_equal(of_a, of_b))
            return false;
        of_b = of_b->next;
    }
    return of_b == NULL;
}

/* The value of a key of this map; NULL: no map, or none there. */
static const struct document_node *map_value(const struct document_node *map, struct text key)
{
    if (map == NULL || map->kind != DOCUMENT_MAP)
        return NULL;
    for (const struct document_node *at = map->first; at != NULL; at = at->next->next) {
        if (at->kind == DOCUMENT_TEXT && text_equal(at->text, key))
            return at->next;
    }
    return NULL;
}

static void diff_values(struct diff *diff, const struct document_node *old, const struct document_node *new);

/* Goes on below the path: "limit", then ".uses"; or "offers", then "[fish week]". */
static void diff_below(struct diff *diff, const char *before, struct text name, const char *behind,
                       const struct document_node *old, const struct document_node *new)
{
    struct part path = diff->path;
    part_add(&diff->path, text_of(before));
    part_add(&diff->path, name);
    part_add(&diff->path, text_of(behind));
    diff_values(diff, old, new);
    diff->path = path;
}

/* A key that stands there again is passed over, for look-ups find the first. */
static bool is_first(const struct document_node *map, const struct document_node *key)
{
    return key->kind == DOCUMENT_TEXT && map_value(map, key->text) == key->next;
}

static void diff_maps(struct diff *diff, const struct document_node *old, const struct document_node *new)
{
    const char *before = diff->path.size == 0 ? "" : ".";
    const struct document_node *at = old == NULL ? NULL : old->first;
    for (; at != NULL; at = at->next->next) {
        if (is_first(old, at))
            diff_below(diff, before, at->text, "", at->next, map_value(new, at->text));
    }
    for (at = new == NULL ? NULL : new->first; at != NULL; at = at->next->next) {
        if (is_first(new, at) && map_value(old, at->text) == NULL)
            diff_below(diff, before, at->text, "", NULL, at->next);
    }
}

/* --- lists of maps --- */

/* NULL: it has none. */
static const struct document_node *name_of(const struct document_node *item)
{
    const struct document_node *name = map_value(item, TEXT_LITERAL("name"));
    return name != NULL && name->kind == DOCUMENT_TEXT && name->text.size > 0 ? name : NULL;
}

static const struct document_node *item_named(const struct document_node *list, struct text name)
{
    const struct document_node *item = list == NULL ? NULL : list->first;
    while (item != NULL && (name_of(item) == NULL || !text_equal(name_of(item)->text, name)))
        item = item->next;
    return item;
}

/* Whether every item has a name, and no two have the same; so has no list. */
static bool names_tell_apart(const struct document_node *list)
{
    for (const struct document_node *item = list == NULL ? NULL : list->first; item != NULL;
         item = item->next) {
        const struct document_node *name = name_of(item);
        if (name == NULL || item_named(list, name->text) != item)
            return false;
    }
    return true;
}

static void add_names(struct part *part, const struct document_node *list)
{
    part_add(part, TEXT_LITERAL("["));
    for (const struct document_node *item = list->first; item != NULL; item = item->next) {
        part_add_value(part, name_of(item));
        part_add(part, item->next == NULL ? TEXT_LITERAL("]") : TEXT_LITERAL(", "));
    }
}

/* The first of equals wins among rules, the last among offers: another order is another programme. */
static void diff_order(struct diff *diff, const struct document_node *old, const struct document_node *new)
{
    const struct document_node *of_new = new->first;
    struct part old_names = { .size = 0 };
    struct part new_names = { .size = 0 };
    for (const struct document_node *item = old->first; item != NULL; item = item->next) {
        struct text name = name_of(item)->text;
        if (item_named(new, name) == NULL)
            continue;
        while (item_named(old, name_of(of_new)->text) == NULL)
            of_new = of_new->next;
        if (!text_equal(name_of(of_new)->text, name)) {
            add_names(&old_names, old);
            add_names(&new_names, new);
            tell(diff, &old_names, &new_names);
            return;
        }
        of_new = of_new->next;
    }
}

static void diff_named(struct diff *diff, const struct document_node *old, const struct document_node *new)
{
    const struct document_node *item = old == NULL ? NULL : old->first;
    for (; item != NULL; item = item->next) {
        struct text name = name_of(item)->text;
        diff_below(diff, "[", name, "]", item, item_named(new, name));
    }
    for (item = new == NULL ? NULL : new->first; item != NULL; item = item->next) {
        struct text name = name_of(item)->text;
        if (item_named(old, name) == NULL)
            diff_below(diff, "[", name, "]", NULL, item);
    }
    if (old != NULL && new != NULL)
        diff_order(diff, old, new);
}

static void diff_counted(struct diff *diff, const struct document_node *old, const struct document_node *new)
{
    const struct document_node *of_old = old == NULL ? NULL : old->first;
    const struct document_node *of_new = new == NULL ? NULL : new->first;
    for (uint32_t number = 1; of_old != NULL || of_new != NULL; number++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "%" PRIu32, number);
        diff_below(diff, "[", text_of(text), "]", of_old, of_new);
        of_old = of_old == NULL ? NULL : of_old->next;
        of_new = of_new == NULL ? NULL : of_new->next;
    }
}

static bool all_maps(const struct document_node *list)
{
    if (list->kind != DOCUMENT_LIST || list->first == NULL)
        return false;
    for (const struct document_node *item = list->first; item != NULL; item = item->next) {
        if (item->kind != DOCUMENT_MAP)
            return false;
    }
    return true;
}

/* One of the two may be NULL. Calls itself, through the functions above, as deeply as documents are nested. */
static void diff_values(struct diff *diff, const struct document_node *old, const struct document_node *new)
{
    bool maps = (old == NULL || old->kind == DOCUMENT_MAP) && (new == NULL || new->kind == DOCUMENT_MAP);
    bool lists = (old == NULL || all_maps(old)) && (new == NULL || all_maps(new));
    if (maps)
        diff_maps(diff, old, new);
    else if (lists && names_tell_apart(old) && names_tell_apart(new))
        diff_named(diff, old, new);
    else if (lists)
        diff_counted(diff, old, new);
    else if (old == NULL || new == NULL || !values_equal(old, new))
        tell_values(diff, old, new);
}

enum punkt_status programme_diff(struct text old_yaml, struct text new_yaml, const char *file,
                                 struct problems *out_problems, programme_diff_fn *each, void *ctx)
{
    struct diff diff = { .each = each, .ctx = ctx };
    struct yaml_document *old = NULL;
    struct yaml_document *new = NULL;
    out_problems->count = 0;
    enum punkt_status status = document_parse(old_yaml, "old programme", &old, out_problems);
    if (status == PUNKT_OK)
        status = document_parse(new_yaml, file, &new, out_problems);
    if (status == PUNKT_OK)
        diff_values(&diff, document_root(old), document_root(new));
    document_free(new);
    document_free(old);
    return status;
}
