/* The section `abuse`: what the office is told of, and what tills are refused. */
#include "ops/programme_parts.h"

#define FIELD(name) offsetof(struct abuse_limits, name)
#define ROW_COUNT .form = SCHEMA_WHOLE, .max = ABUSE_COUNT_MAX
#define ROW_SHORT .form = SCHEMA_DURATION, .max = ABUSE_TIME_S_MAX
#define ROW_EARNED .form = SCHEMA_POINTS, .max = MILLIPOINTS_MAX

static const struct schema_row abuse_rows[] = {
    { .key = "card_hour", ROW_COUNT, .offset = FIELD(card_hour) },
    { .key = "card_day", ROW_COUNT, .offset = FIELD(card_day) },
    { .key = "card_day_block", ROW_COUNT, .offset = FIELD(card_day_block) },
    { .key = "operator_card", ROW_COUNT, .offset = FIELD(operator_card) },
    { .key = "late", ROW_SHORT, .offset = FIELD(late_s) },
    { .key = "points_day", ROW_EARNED, .offset = FIELD(points_day) },
    { .key = "points_day_block", ROW_EARNED, .offset = FIELD(points_day_block) },
    { .key = "redeem_after", ROW_SHORT, .offset = FIELD(redeem_after_s) },
    { .key = "staff_tag", ROW_NAME, .offset = FIELD(staff_tag) },
    { .key = "staff_day", ROW_COUNT, .offset = FIELD(staff_day) },
};
const struct schema_table abuse_table = { "Abuse", "abuse", abuse_rows, COUNT_OF(abuse_rows) };

void abuse_read(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct programme *programme = out;
    schema_read(run, &abuse_table, node, &programme->abuse);
}
