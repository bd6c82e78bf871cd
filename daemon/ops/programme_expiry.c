#include "ops/programme_parts.h"

#define MONTHS_MAX 1200
#define YEARLY_SIZE (sizeof("09-30") - 1)

/* In the order of enum through. */
static const char *const through_words[] = { "day", "month", "quarter", "year", NULL };
static const char *const expiry_words[] = { "never", NULL };
static const char *const kind_keys[] = { "months", "yearly", "inactive", NULL };

/* "09-30", a date of a leap year. */
static bool parse_yearly(struct text text, uint32_t *out_month, uint32_t *out_day)
{
    static const uint32_t days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    uint32_t values[2];
    if (text.size != YEARLY_SIZE || text.data[2] != '-')
        return false;
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        const char *digits = text.data + 3 * i;
        if (digits[0] < '0' || digits[0] > '9' || digits[1] < '0' || digits[1] > '9')
            return false;
        values[i] = (uint32_t)(digits[0] - '0') * 10 + (uint32_t)(digits[1] - '0');
    }
    if (values[0] < 1 || values[0] > COUNT_OF(days) || values[1] < 1 || values[1] > days[values[0] - 1])
        return false;
    *out_month = values[0];
    *out_day = values[1];
    return true;
}

static void read_yearly(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct expiry *expiry = out;
    if (node->kind != DOCUMENT_TEXT || !parse_yearly(node->text, &expiry->yearly_month, &expiry->yearly_day))
        schema_complain(run, node, "yearly is %s, expected month and day as \"09-30\"",
                        schema_show(node).text);
}

#define FIELD(name) offsetof(struct expiry, name)

/* All three count months into the same field: only one of them may be there. */
static const struct schema_row expiry_rows[] = {
    { .key = "months", .form = SCHEMA_WHOLE, .offset = FIELD(months), .max = MONTHS_MAX },
    { .key = "through", .form = SCHEMA_WORD, .offset = FIELD(through), .words = through_words },
    { .key = "yearly", .form = SCHEMA_OWN, .read = read_yearly },
    { .key = "after_months", .form = SCHEMA_WHOLE, .offset = FIELD(months), .max = MONTHS_MAX },
    { .key = "inactive", .form = SCHEMA_WHOLE, .offset = FIELD(months), .min = 1, .max = MONTHS_MAX },
};
const struct schema_table expiry_table = { "Expiry", "expiry", expiry_rows, COUNT_OF(expiry_rows) };

void expiry_read(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct expiry *expiry = &((struct programme *)out)->expiry;
    uint32_t never;
    if (schema_word_is(node, expiry_words, &never))
        return;
    if (node->kind != DOCUMENT_MAP) {
        schema_complain(run, node, "expiry is %s, expected never or a map as {months: 12, through: month}",
                        schema_show(node).text);
        return;
    }
    schema_read(run, &expiry_table, node, expiry);
    one_of_check(run, node, kind_keys);
    goes_with_check(run, node, "through", "months");
    goes_with_check(run, node, "after_months", "yearly");
    if (schema_find(node, "yearly") != NULL)
        expiry->kind = EXPIRY_YEARLY;
    else if (schema_find(node, "inactive") != NULL)
        expiry->kind = EXPIRY_INACTIVE;
    else
        expiry->kind = EXPIRY_MONTHS;
}
