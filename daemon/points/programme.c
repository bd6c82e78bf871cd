#include "points/programme.h"

#include <stdio.h>
#include <string.h>

static const char *const default_reasons[] = { "goodwill", "complaint", "correction", "migration", "other" };

void programme_default(struct programme *out)
{
    memset(out, 0, sizeof(*out));
    (void)snprintf(out->name, sizeof(out->name), "default");
    (void)snprintf(out->currency, sizeof(out->currency), "EUR");
    out->currency_exponent = 2;
    out->rule_count = 1;
    out->rules[0].kind = RULE_SPEND;
    (void)snprintf(out->rules[0].name, sizeof(out->rules[0].name), "spend");
    out->rules[0].points = MILLIPOINTS_PER_POINT;
    out->rules[0].amount = 100;
    out->worth_points = MILLIPOINTS_PER_POINT;
    out->worth_amount = 1;
    for (size_t i = 0; i < COUNT_OF(default_reasons); i++)
        (void)snprintf(out->reasons[i], sizeof(out->reasons[i]), "%s", default_reasons[i]);
    out->reason_count = COUNT_OF(default_reasons);
    calendar_utc(&out->calendar);
}

millipoints programme_step(const struct programme *programme)
{
    static const millipoints steps[] = { 1000, 100, 10, 1 };
    PUNKT_CHECK(programme->decimals < COUNT_OF(steps));
    return steps[programme->decimals];
}
