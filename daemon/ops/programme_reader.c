#include "ops/programme_reader.h"

#include <stdio.h>
#include <string.h>

#include "ops/document.h"
#include "ops/schema.h"
#include "ops/zone.h"

#define CURRENCY_EXPONENT_MAX 4
#define CURRENCY_EXPONENT_UNKNOWN UINT32_MAX

/* ISO 4217: minor units of the usual currencies; others say their `exponent`. */
static const struct {
    const char *exponent_of;
    uint32_t exponent;
} currencies[] = {
    { "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF", 0 },
    { "AED ALL AMD ARS AUD AZN BAM BDT BGN BRL CAD CHF CNY COP CRC CZK DKK DOP DZD EGP ETB EUR GBP GEL GHS GTQ "
      "HKD HNL HUF IDR ILS INR JMD KES KZT LKR MAD MDL MKD MUR MXN MYR NAD NGN NOK NZD PEN PHP PKR PLN QAR RON "
      "RSD SAR SEK SGD THB TRY TTD TWD TZS UAH USD UYU UZS ZAR ZMW",
      2 },
    { "BHD IQD JOD KWD LYD OMR TND", 3 },
};

static const char *const tax_words[] = { "included", "excluded", NULL };
static const char *const discount_words[] = { "after", "before", NULL };
/* In the order of enum card_check of proto, which ops cannot see. */
static const char *const check_words[] = { "none", "luhn", "ean13", NULL };
static const char *const rule_words[] = { "spend", NULL };

static uint32_t exponent_of(const char *currency)
{
    for (size_t i = 0; i < COUNT_OF(currencies); i++) {
        if (strstr(currencies[i].exponent_of, currency) != NULL)
            return currencies[i].exponent;
    }
    return CURRENCY_EXPONENT_UNKNOWN;
}

static void read_currency(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct programme *programme = out;
    char currency[sizeof(programme->currency)];
    if (!schema_text(run, node, "currency", 3, 3, currency))
        return;
    if (strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3) {
        schema_complain(run, node, "currency is \"%s\", expected three letters of ISO 4217, as EUR",
                        currency);
        return;
    }
    memcpy(programme->currency, currency, sizeof(currency));
    programme->currency_exponent = exponent_of(currency);
}

static void read_zone(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct calendar *calendar = &((struct programme *)out)->calendar;
    char zone[sizeof(calendar->zone)];
    if (!schema_text(run, node, "zone", 1, sizeof(zone) - 1, zone))
        return;
    switch (zone_read(zone, calendar)) {
    case PUNKT_OK:
        return;
    case PUNKT_FULL:
        schema_complain(run, node, "zone %s changes its clock too often for the table", zone);
        return;
    case PUNKT_NOT_FOUND:
    case PUNKT_CORRUPT:
    case PUNKT_IO:
    case PUNKT_NO_MEMORY:
    case PUNKT_BUSY:
    case PUNKT_INVALID:
        schema_complain(run, node,
                        "zone \"%s\" is not in the database of this machine; expected one as Europe/Berlin",
                        zone);
        return;
    }
}

static bool exponent_known(const struct programme *programme)
{
    return programme->currency_exponent <= CURRENCY_EXPONENT_MAX;
}

/* An amount in major units. Without an exponent it waits until that is said. */
static void read_amount(const struct schema_run *run, const struct document_node *node, const char *key,
                        const struct programme *programme, minor_units *out)
{
    if (exponent_known(programme))
        (void)schema_decimal(run, node, key, programme->currency_exponent, 1, AMOUNT_MAX, out);
}

static void read_points(const struct schema_run *run, const struct document_node *node, const char *key,
                        millipoints *out)
{
    (void)schema_decimal(run, node, key, 3, 1, MILLIPOINTS_MAX, out);
}

static void read_redeem_points(const struct schema_run *run, const struct document_node *node, void *out)
{
    read_points(run, node, "redeem.points", &((struct programme *)out)->worth_points);
}

static void read_redeem_worth(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct programme *programme = out;
    read_amount(run, node, "redeem.worth", programme, &programme->worth_amount);
}

/* A rule while it is read: where it goes, and the programme for its currency. */
struct rule_reading {
    struct base_rule rule;
    uint32_t word; /* of rule_words */
    const struct programme *programme;
};

static void read_rule_points(const struct schema_run *run, const struct document_node *node, void *out)
{
    read_points(run, node, "points", &((struct rule_reading *)out)->rule.points);
}

static void read_rule_amount(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct rule_reading *reading = out;
    read_amount(run, node, "amount", reading->programme, &reading->rule.amount);
}

static const struct schema_row rule_schema[] = {
    { .key = "rule",
      .form = SCHEMA_WORD,
      .required = true,
      .offset = offsetof(struct rule_reading, word),
      .words = rule_words },
    { .key = "name",
      .form = SCHEMA_TEXT,
      .offset = offsetof(struct rule_reading, rule.name),
      .min = 1,
      .max = PROGRAMME_NAME_MAX },
    { .key = "points", .form = SCHEMA_OWN, .required = true, .read = read_rule_points },
    { .key = "amount", .form = SCHEMA_OWN, .required = true, .read = read_rule_amount },
    { .key = "exact", .form = SCHEMA_TRUTH, .offset = offsetof(struct rule_reading, rule.exact) },
};

static void read_base(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct programme *programme = out;
    if (node->kind != DOCUMENT_LIST || node->first == NULL) {
        schema_complain(run, node, "base is no list of rules, expected \"- rule: spend\" and so on");
        return;
    }
    programme->rule_count = 0;
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        if (programme->rule_count == PROGRAMME_RULES_MAX) {
            schema_complain(run, item, "base has more than %d rules", PROGRAMME_RULES_MAX);
            return;
        }
        /* All of it is cleared, padding too, for programmes are compared as bytes. */
        struct rule_reading reading;
        memset(&reading, 0, sizeof(reading));
        reading.rule.kind = RULE_SPEND;
        reading.programme = programme;
        memcpy(reading.rule.name, "spend", sizeof("spend"));
        schema_read(run, rule_schema, COUNT_OF(rule_schema), item, &reading);
        programme->rules[programme->rule_count++] = reading.rule;
    }
}

static bool reason_known(const struct programme *programme, const char *reason)
{
    for (uint32_t i = 0; i < programme->reason_count; i++) {
        if (strcmp(programme->reasons[i], reason) == 0)
            return true;
    }
    return false;
}

static void read_reasons(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct programme *programme = out;
    if (node->kind != DOCUMENT_LIST || node->first == NULL) {
        schema_complain(run, node, "reasons is no list of words, expected [goodwill, other] and so on");
        return;
    }
    programme->reason_count = 0;
    memset(programme->reasons, 0, sizeof(programme->reasons));
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        char reason[PROGRAMME_NAME_MAX + 1];
        if (programme->reason_count == PROGRAMME_REASONS_MAX) {
            schema_complain(run, item, "reasons has more than %d words", PROGRAMME_REASONS_MAX);
            return;
        }
        if (!schema_text(run, item, "a reason", 1, PROGRAMME_NAME_MAX, reason))
            continue;
        if (reason_known(programme, reason))
            schema_complain(run, item, "reason %s is there already", reason);
        else
            memcpy(programme->reasons[programme->reason_count++], reason, strlen(reason) + 1);
    }
}

#define FIELD(name) offsetof(struct programme, name)

static const struct schema_row programme_schema[] = {
    { .key = "programme",
      .form = SCHEMA_TEXT,
      .offset = FIELD(name),
      .min = 1,
      .max = PROGRAMME_NAME_MAX * 2 },
    { .key = "currency", .form = SCHEMA_OWN, .read = read_currency },
    { .key = "exponent",
      .form = SCHEMA_WHOLE,
      .offset = FIELD(currency_exponent),
      .max = CURRENCY_EXPONENT_MAX },
    { .key = "decimals", .form = SCHEMA_WHOLE, .offset = FIELD(decimals), .max = 3 },
    { .key = "zone", .form = SCHEMA_OWN, .read = read_zone },
    { .key = "tax", .form = SCHEMA_WORD, .offset = FIELD(tax), .words = tax_words },
    { .key = "discounts", .form = SCHEMA_WORD, .offset = FIELD(discounts), .words = discount_words },
    { .key = "cards.check", .form = SCHEMA_WORD, .offset = FIELD(card_check), .words = check_words },
    { .key = "base", .form = SCHEMA_OWN, .required = true, .read = read_base },
    { .key = "redeem.points", .form = SCHEMA_OWN, .read = read_redeem_points },
    { .key = "redeem.worth", .form = SCHEMA_OWN, .read = read_redeem_worth },
    { .key = "reasons", .form = SCHEMA_OWN, .read = read_reasons },
};

enum punkt_status programme_read(struct text yaml, const char *file, struct programme *out,
                                 struct problems *out_problems)
{
    struct schema_run run = { .file = file, .problems = out_problems };
    struct programme programme;
    struct yaml_document *document;
    out_problems->count = 0;
    enum punkt_status status = document_parse(yaml, file, &document, out_problems);
    if (status != PUNKT_OK)
        return status;
    programme_default(&programme);
    const struct document_node *root = document_root(document);
    schema_read(&run, programme_schema, COUNT_OF(programme_schema), root, &programme);
    if (!exponent_known(&programme))
        schema_complain(&run, root, "the exponent of %s is not known here: say \"exponent: 2\" or what it is",
                        programme.currency);
    document_free(document);
    if (out_problems->count > 0)
        return PUNKT_INVALID;
    *out = programme;
    return PUNKT_OK;
}

struct text programme_text_default(void)
{
    return TEXT_LITERAL("programme: default\n"
                        "currency: EUR\n"
                        "zone: UTC\n"
                        "base:\n"
                        "  - rule: spend\n"
                        "    points: 1\n"
                        "    amount: 1.00\n"
                        "...\n");
}

const char *programme_key(size_t index)
{
    if (index < COUNT_OF(programme_schema))
        return programme_schema[index].key;
    index -= COUNT_OF(programme_schema);
    return index < COUNT_OF(rule_schema) ? rule_schema[index].key : NULL;
}
