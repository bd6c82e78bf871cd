/* When points mature and expire (DOMAIN.md, Lots). */
#include "points/calendar.h"
#include "points/effect_maker.h"

static local_day through_end(enum through through, local_day day)
{
    int32_t month = month_of_day(day);
    int32_t months = 1; /* in the period */
    switch (through) {
    case THROUGH_DAY:
        return day;
    case THROUGH_MONTH:
        break;
    case THROUGH_QUARTER:
        months = 3;
        break;
    case THROUGH_YEAR:
        months = 12;
        break;
    }
    uint32_t in_year = civil_from_day(day).month - 1;
    return month_last_day(month + months - 1 - (int32_t)in_year % months);
}

/* The date in a year; 29 February is the 28th where there is none. */
static local_day yearly_date(const struct expiry *expiry, int32_t year)
{
    int32_t month = (year - 1970) * 12 + (int32_t)expiry->yearly_month - 1;
    local_day day = month_first_day(month) + (local_day)expiry->yearly_day - 1;
    return (local_day)i64_min(day, month_last_day(month));
}

/* The last day of points that mature on a day. */
static local_day last_day_of(const struct expiry *expiry, local_day matures)
{
    switch (expiry->kind) {
    case EXPIRY_NEVER:
    case EXPIRY_INACTIVE:
        break;
    case EXPIRY_MONTHS:
        return through_end(expiry->through, day_add_months(matures, (int32_t)expiry->months));
    case EXPIRY_YEARLY: {
        local_day from = day_add_months(matures, (int32_t)expiry->months);
        int32_t year = civil_from_day(from).year;
        local_day day = yearly_date(expiry, year);
        return day >= from ? day : yearly_date(expiry, year + 1);
    }
    }
    return DAY_NEVER;
}

static struct lot_terms terms_of(const struct programme *programme, local_day earned, local_day matures)
{
    const struct expiry *expiry = &programme->expiry;
    uint32_t inactive_months = expiry->kind == EXPIRY_INACTIVE ? expiry->months : 0;
    PUNKT_CHECK(inactive_months <= UINT8_MAX);
    return (struct lot_terms){ .inactive_months = (uint8_t)inactive_months,
                               .earned = earned,
                               .matures = matures,
                               .last_day = last_day_of(expiry, matures) };
}

struct lot_terms award_terms(const struct programme *programme, local_day earned)
{
    struct lot_terms terms = terms_of(programme, earned, earned + (local_day)programme->mature_days);
    terms.by_purchase = true;
    terms.counts = true;
    return terms;
}

struct lot_terms added_terms(const struct programme *programme, local_day today)
{
    return terms_of(programme, today, today);
}
