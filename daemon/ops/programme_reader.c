#include "ops/programme_reader.h"

#include <string.h>

#include "ops/document.h"
#include "ops/programme_parts.h"
#include "ops/schema.h"
#include "ops/zone.h"

#define CURRENCY_EXPONENT_MAX 4
#define DAYS_MAX 3650

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
/* In the order of enum card_status of points, as far as a programme may choose. */
static const char *const status_words[] = { "", "active", "blocked", NULL };
/* In the order of enum pin_policy, combine and claw_back. */
static const char *const pin_words[] = { "if_set", "never", "always", NULL };
static const char *const base_combine_words[] = { "best", "sum", "first", NULL };
static const char *const offers_combine_words[] = { "best", "sum", "", "newest", NULL };
static const char *const claw_back_words[] = { "debt", "balance", "own", "pending", NULL };
static const char *const over_words[] = { "trim", "reject", NULL };
static const char *const last_words[] = { "whole", "part", NULL };

static uint32_t exponent_of(const char *currency)
{
    for (size_t i = 0; i < COUNT_OF(currencies); i++) {
        if (strstr(currencies[i].exponent_of, currency) != NULL)
            return currencies[i].exponent;
    }
    return SCHEMA_DECIMALS_UNKNOWN;
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

/* A list of what a card may be, as bits. */
static uint32_t read_status(const struct schema_run *run, const struct document_node *node, const char *key,
                            uint32_t before)
{
    uint32_t bits = 0;
    if (!schema_list(run, node, key, "words", "[active]", COUNT_OF(status_words) - 2))
        return before;
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        uint32_t status;
        if (!schema_word(run, item, key, status_words, &status))
            continue;
        if ((bits & 1U << status) != 0)
            schema_complain(run, item, "%s has %s already", key, status_words[status]);
        bits |= 1U << status;
    }
    return bits;
}

static void read_may_earn(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct programme *programme = out;
    programme->may_earn = read_status(run, node, "cards.may_earn", programme->may_earn);
}

static void read_may_spend(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct programme *programme = out;
    programme->may_spend = read_status(run, node, "cards.may_spend", programme->may_spend);
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
    if (!schema_list(run, node, "reasons", "words", "[goodwill, other]", PROGRAMME_REASONS_MAX))
        return;
    programme->reason_count = 0;
    memset(programme->reasons, 0, sizeof(programme->reasons));
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        char reason[PROGRAMME_NAME_MAX + 1];
        if (programme->reason_count == PROGRAMME_REASONS_MAX)
            return;
        if (!schema_text(run, item, "a reason", 1, PROGRAMME_NAME_MAX, reason))
            continue;
        if (reason_known(programme, reason))
            schema_complain(run, item, "reason %s is there already", reason);
        else
            memcpy(programme->reasons[programme->reason_count++], reason, strlen(reason) + 1);
    }
}

static bool role_known(const struct role_limits *limits, const char *role)
{
    for (uint32_t i = 0; i < limits->count; i++) {
        if (strcmp(limits->of[i].role, role) == 0)
            return true;
    }
    return false;
}

static bool read_limit(const struct schema_run *run, const struct document_node *node, bool points,
                       int64_t *out)
{
    return points ? schema_points(run, node, "its limit", 0, MILLIPOINTS_MAX, out)
                  : schema_amount(run, node, "its limit", 0, AMOUNT_MAX, out);
}

/* A map whose keys are the roles. */
static void read_limits(const struct schema_run *run, const struct document_node *node, const char *key,
                        bool points, struct role_limits *limits)
{
    if (node->kind != DOCUMENT_MAP) {
        schema_complain(run, node, "%s is %s, expected a map of roles and %s as {office: 500}", key,
                        schema_show(node).text, points ? "points" : "amounts");
        return;
    }
    for (const struct document_node *at = node->first; at != NULL; at = at->next->next) {
        char role[PROGRAMME_NAME_MAX + 1] = "";
        int64_t most;
        if (limits->count == PROGRAMME_ROLES_MAX) {
            schema_complain(run, at, "%s has more than %d roles", key, PROGRAMME_ROLES_MAX);
            return;
        }
        if (!schema_text(run, at, "a role", 1, PROGRAMME_NAME_MAX, role) ||
            !read_limit(run, at->next, points, &most))
            continue;
        if (role_known(limits, role)) {
            schema_complain(run, at, "role %s is there already", role);
            continue;
        }
        memcpy(limits->of[limits->count].role, role, sizeof(role));
        limits->of[limits->count++].most = most;
    }
}

static void read_adjust_limits(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct programme *programme = out;
    read_limits(run, node, "adjust_limits", true, &programme->role_limits[ROLE_LIMIT_ADJUST]);
}

static void read_unlinked_limits(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct programme *programme = out;
    read_limits(run, node, "unlinked_limits", false, &programme->role_limits[ROLE_LIMIT_UNLINKED]);
}

static void read_debt_limits(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct programme *programme = out;
    read_limits(run, node, "debt_limits", true, &programme->role_limits[ROLE_LIMIT_DEBT]);
}

#define FIELD(name) offsetof(struct programme, name)

static const struct schema_row offline_rows[] = {
    { .key = "card", ROW_POINTS, .required = true, .offset = FIELD(offline_card) },
    { .key = "till", ROW_POINTS, .required = true, .offset = FIELD(offline_till) },
};
static const struct schema_table offline_table = { "Redeeming offline", "redeem.offline", offline_rows,
                                                   COUNT_OF(offline_rows) };

static void read_offline(const struct schema_run *run, const struct document_node *node, void *out)
{
    schema_read(run, &offline_table, node, out);
}

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
    { .key = "cards.may_earn", .form = SCHEMA_OWN, .read = read_may_earn },
    { .key = "cards.may_spend", .form = SCHEMA_OWN, .read = read_may_spend },
    { .key = "cards.pin", .form = SCHEMA_WORD, .offset = FIELD(pin), .words = pin_words },
    /* Above what may name a tier. */
    { .key = "tiers", .form = SCHEMA_OWN, .read = tiers_read },
    { .key = "base", .form = SCHEMA_OWN, .required = true, .read = rules_read },
    { .key = "base_combine",
      .form = SCHEMA_WORD,
      .offset = FIELD(rules_combine),
      .words = base_combine_words },
    /* Above the rewards, which take stamps out of the purses that offers fill. */
    { .key = "offers", .form = SCHEMA_OWN, .read = offers_read },
    { .key = "offers_combine",
      .form = SCHEMA_WORD,
      .offset = FIELD(offers_combine),
      .words = offers_combine_words },
    { .key = "offers_need_base", .form = SCHEMA_TRUTH, .offset = FIELD(offers_need_base) },
    { .key = "caps.receipt", ROW_POINTS, .offset = FIELD(caps.receipt) },
    { .key = "caps.over", .form = SCHEMA_EITHER, .offset = FIELD(caps.reject), .words = over_words },
    { .key = "caps.day", ROW_POINTS, .offset = FIELD(caps.day) },
    { .key = "caps.month", ROW_POINTS, .offset = FIELD(caps.month) },
    { .key = "caps.balance", ROW_POINTS, .offset = FIELD(caps.balance) },
    { .key = "lots.mature_days", .form = SCHEMA_WHOLE, .offset = FIELD(mature_days), .max = DAYS_MAX },
    { .key = "expiry", .form = SCHEMA_OWN, .read = expiry_read },
    { .key = "returns.claw_back", .form = SCHEMA_WORD, .offset = FIELD(claw_back), .words = claw_back_words },
    { .key = "returns.return_spent", .form = SCHEMA_TRUTH, .offset = FIELD(return_spent) },
    { .key = "returns.restore_days", .form = SCHEMA_WHOLE, .offset = FIELD(restore_days), .max = DAYS_MAX },
    { .key = "returns.unlinked", .form = SCHEMA_TRUTH, .offset = FIELD(unlinked_returns) },
    { .key = "returns.days", .form = SCHEMA_WHOLE, .offset = FIELD(return_days), .max = DAYS_MAX },
    { .key = "redeem.points",
      .form = SCHEMA_THOUSANDTHS,
      .offset = FIELD(worth_points),
      .min = 1,
      .max = MILLIPOINTS_MAX },
    { .key = "redeem.worth", ROW_AMOUNT, .offset = FIELD(worth_amount) },
    { .key = "redeem.minimum", ROW_POINTS, .offset = FIELD(redeem_minimum) },
    { .key = "redeem.step", ROW_POINTS, .offset = FIELD(redeem_step) },
    { .key = "redeem.last", .form = SCHEMA_EITHER, .offset = FIELD(redeem_last_part), .words = last_words },
    { .key = "redeem.spend_earned", .form = SCHEMA_TRUTH, .offset = FIELD(spend_earned) },
    { .key = "redeem.hold", .form = SCHEMA_DURATION, .offset = FIELD(hold_s), .min = 1, .max = HOLD_S_MAX },
    { .key = "redeem.offline", .form = SCHEMA_OWN, .read = read_offline },
    { .key = "rewards", .form = SCHEMA_OWN, .read = rewards_read },
    { .key = "welcome", .form = SCHEMA_POINTS, .offset = FIELD(welcome), .max = MILLIPOINTS_MAX },
    { .key = "reasons", .form = SCHEMA_OWN, .read = read_reasons },
    { .key = "adjust_limits", .form = SCHEMA_OWN, .read = read_adjust_limits },
    { .key = "unlinked_limits", .form = SCHEMA_OWN, .read = read_unlinked_limits },
    { .key = "debt_limits", .form = SCHEMA_OWN, .read = read_debt_limits },
    { .key = "abuse", .form = SCHEMA_OWN, .read = abuse_read },
    { .key = "receipt_text", .form = SCHEMA_OWN, .read = receipt_read },
};
static const struct schema_table programme_table = { "", "this", programme_schema,
                                                     COUNT_OF(programme_schema) };

enum punkt_status programme_read(struct text yaml, const char *file, struct programme *out,
                                 struct problems *out_problems)
{
    struct programme programme;
    struct schema_run run = { .file = file,
                              .problems = out_problems,
                              .amount_decimals = &programme.currency_exponent,
                              .point_decimals = &programme.decimals };
    struct yaml_document *document;
    out_problems->count = 0;
    enum punkt_status status = document_parse(yaml, file, &document, out_problems);
    if (status != PUNKT_OK)
        return status;
    programme_default(&programme);
    const struct document_node *root = document_root(document);
    schema_read(&run, &programme_table, root, &programme);
    if (programme.currency_exponent == SCHEMA_DECIMALS_UNKNOWN)
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

const char *programme_key(size_t index, const char **out_section)
{
    static const struct schema_table *const tables[] = {
        &programme_table, &rules_table,   &filter_table, &offers_table,  &period_table, &limit_table,
        &tiers_table,     &window_table,  &kept_table,   &grace_table,   &levels_table, &expiry_table,
        &rewards_table,   &offline_table, &abuse_table,  &receipt_table,
    };
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        for (size_t row = 0; row < tables[i]->row_count; row++) {
            if (tables[i]->rows[row].form == SCHEMA_ROWS || index-- > 0)
                continue;
            *out_section = tables[i]->section;
            return tables[i]->rows[row].key;
        }
    }
    return NULL;
}
