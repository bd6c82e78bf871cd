#include <stdio.h>
#include <string.h>

#include "ops/programme_parts.h"

/* In the order of enum offer_kind. */
static const char *const offer_words[] = { "", "multiply", "add", "stamp", NULL };
static const char *const per_words[] = { "receipt", "unit", NULL };

/* An offer while it is read. */
struct offer_reading {
    struct offer offer;
    struct filter_reading filter;
    char purse[PROGRAMME_NAME_MAX + 1];
};

static void read_limit(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct offer *offer = &((struct offer_reading *)out)->offer;
    limit_read(run, node, offer->period, &offer->limit);
}

#define FIELD(name) offsetof(struct offer_reading, name)

static const struct schema_row offer_rows[] = {
    { .key = "offer",
      .form = SCHEMA_WORD,
      .required = true,
      .offset = FIELD(offer.kind),
      .words = offer_words },
    { .key = "name", ROW_NAME, .required = true, .offset = FIELD(offer.name) },
    { .key = "factor", ROW_MULTIPLY, .offset = FIELD(offer.factor) },
    { .key = "points", ROW_RULE_POINTS, .offset = FIELD(offer.points) },
    { .key = "stamps", ROW_STAMPS, .offset = FIELD(offer.points) },
    { .key = "purse", ROW_NAME, .offset = FIELD(purse) },
    { .key = "per", .form = SCHEMA_EITHER, .offset = FIELD(offer.per_unit), .words = per_words },
    { .form = SCHEMA_ROWS, .offset = FIELD(offer.period), .table = &period_table },
    { .key = "activate", .form = SCHEMA_TRUTH, .offset = FIELD(offer.activate) },
    { .key = "limit", .form = SCHEMA_OWN, .read = read_limit },
    { .form = SCHEMA_ROWS, .offset = FIELD(filter), .table = &filter_table },
};
const struct schema_table offers_table = { "Offers", "an offer", offer_rows, COUNT_OF(offer_rows) };

static const struct kind_key offer_keys[] = {
    { "factor", 1U << OFFER_MULTIPLY, 1U << OFFER_MULTIPLY },
    { "points", 1U << OFFER_ADD, 1U << OFFER_ADD },
    { "stamps", 1U << OFFER_STAMP, 0 },
    { "purse", 1U << OFFER_STAMP, 1U << OFFER_STAMP },
    { "per", 1U << OFFER_ADD | 1U << OFFER_STAMP, 0 },
};

/* The index of the purse of that name, which is made if it is new. */
static uint32_t add_purse(const struct schema_run *run, const struct document_node *node, const char *name,
                          struct programme *programme)
{
    uint64_t id = programme_id(text_of(name));
    uint32_t index = programme_purse(programme, id);
    if (index < PROGRAMME_PURSES_MAX) {
        if (strcmp(programme->purses[index].name, name) != 0)
            schema_complain(run, node, "purse \"%s\" has the id of \"%s\", expected another name", name,
                            programme->purses[index].name);
        return index;
    }
    if (programme->purse_count == PROGRAMME_PURSES_MAX) {
        schema_complain(run, node, "purse \"%s\" is one too many: a programme has room for %d", name,
                        PROGRAMME_PURSES_MAX);
        return 0;
    }
    struct purse *purse = &programme->purses[programme->purse_count];
    (void)snprintf(purse->name, sizeof(purse->name), "%s", name);
    purse->id = id;
    return programme->purse_count++;
}

static void check_name(const struct schema_run *run, const struct document_node *map,
                       const struct offer *offer, const struct programme *programme)
{
    for (uint32_t i = 0; i < programme->offer_count; i++) {
        if (names_meet(run, map, "offer", text_of(offer->name), text_of(programme->offers[i].name)))
            return;
    }
}

static void read_offer(const struct schema_run *run, const struct document_node *map,
                       struct programme *programme)
{
    struct offer_reading reading;
    memset(&reading, 0, sizeof(reading));
    struct offer *offer = &reading.offer;
    offer->period = period_always();
    reading.filter.programme = programme;
    reading.filter.bit = UINT64_C(1) << (PROGRAMME_RULES_MAX + programme->offer_count);
    schema_read(run, &offers_table, map, &reading);
    kind_keys_check(run, map, "offer", offer_words, offer->kind, offer_keys, COUNT_OF(offer_keys));
    period_check(run, map, offer->period);
    filter_check(run, map, &reading.filter);
    check_name(run, map, offer, programme);
    offer->id = programme_id(text_of(offer->name));
    offer->filter = reading.filter.filter;
    if (offer->kind == OFFER_STAMP && schema_find(map, "stamps") == NULL)
        offer->points = MILLIS_PER_UNIT;
    if (offer->kind == OFFER_STAMP && reading.purse[0] != '\0')
        offer->purse = add_purse(run, schema_find(map, "purse"), reading.purse, programme);
    memcpy(&programme->offers[programme->offer_count++], offer, sizeof(*offer));
}

void offers_read(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct programme *programme = out;
    if (!schema_list(run, node, "offers", "offers", "\"- offer: multiply\"", PROGRAMME_OFFERS_MAX))
        return;
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        if (programme->offer_count < PROGRAMME_OFFERS_MAX)
            read_offer(run, item, programme);
    }
}
