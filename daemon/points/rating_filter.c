#include "points/rating_steps.h"

#include "points/wide.h"

/* --- lines --- */

/* The filters that lines pass unless a word excludes them. */
static uint64_t open_filters(const struct programme *programme)
{
    uint64_t open = 0;
    for (uint32_t i = 0; i < programme->rule_count; i++)
        open |= programme->rules[i].filter.has_include ? 0 : rule_bit(i);
    for (uint32_t i = 0; i < programme->offer_count; i++)
        open |= programme->offers[i].filter.has_include ? 0 : offer_bit(i);
    return open;
}

static uint64_t line_passes(const struct programme *programme, uint64_t open, const struct sale_line *line)
{
    const struct programme_word *code = programme_word(programme, line->code);
    const struct programme_word *category = programme_word(programme, line->category);
    uint64_t included = open;
    uint64_t excluded = 0;
    if (code != NULL) {
        included |= code->include_code;
        excluded |= code->exclude_code;
    }
    if (category != NULL) {
        included |= category->include_category;
        excluded |= category->exclude_category;
    }
    return included & ~excluded;
}

/* The share of a sum that amounts have left of it. */
static minor_units by_amounts(const struct rating *rating, minor_units sum)
{
    return rating->before > 0 ? mul_div(sum, rating->left, rating->before) : sum;
}

void pass_lines(const struct programme *programme, uint32_t line_count, const struct sale_line *lines,
                bool of_rest, struct rating *rating)
{
    PUNKT_CHECK(line_count <= LINES_MAX);
    uint64_t open = open_filters(programme);
    uint64_t by_any = 0;
    uint64_t by_all = UINT64_MAX;
    minor_units base = 0;
    millis_of_unit units = 0;
    for (uint32_t i = 0; i < line_count; i++) {
        const struct sale_line *line = &lines[i];
        rating->passes[i] = 0;
        if (line->kind != LINE_SALE || (of_rest && line->quantity == 0))
            continue;
        rating->passes[i] = line_passes(programme, open, line);
        by_any |= rating->passes[i];
        by_all &= rating->passes[i];
        base += line->base;
        units += line_units(line);
    }
    rating->line_count = line_count;
    rating->lines = lines;
    rating->base = by_amounts(rating, base);
    rating->units = units;
    rating->passed_by_any = by_any;
    rating->passed_by_all = by_any & by_all;
}

struct goods goods_of(const struct rating *rating, uint64_t filters)
{
    if ((rating->passed_by_any & filters) != filters)
        return (struct goods){ 0 };
    if ((rating->passed_by_all & filters) == filters)
        return (struct goods){ .base = rating->base, .units = rating->units };
    struct goods goods = { 0 };
    for (uint32_t i = 0; i < rating->line_count; i++) {
        if ((rating->passes[i] & filters) != filters)
            continue;
        goods.base += rating->lines[i].base;
        goods.units += line_units(&rating->lines[i]);
    }
    goods.base = by_amounts(rating, goods.base);
    return goods;
}

bool tier_fits(const struct filter *filter, uint32_t tier_step)
{
    return filter->tiers == 0 || (filter->tiers >> tier_step & 1) != 0;
}

static minor_units base_judged(const struct filter *filter, uint64_t bit, const struct rating *rating)
{
    return filter->of_lines ? goods_of(rating, bit).base : rating->base;
}

bool minimum_fits(const struct filter *filter, uint64_t bit, const struct rating *rating)
{
    return filter->minimum == 0 || base_judged(filter, bit, rating) >= filter->minimum;
}

bool maximum_fits(const struct filter *filter, uint64_t bit, const struct rating *rating)
{
    return filter->maximum == 0 || base_judged(filter, bit, rating) <= filter->maximum;
}

/* --- days and hours --- */

static bool day_fits(const struct filter *filter, local_day day)
{
    return filter->days == 0 || (filter->days >> weekday_of(day) & 1) != 0;
}

/* Whether hours hold the minute, and the day on which they began. */
static bool hours_hold(const struct filter_hours *hours, local_day day, uint32_t minute, local_day *out_began)
{
    bool past_midnight = hours->until <= hours->from;
    *out_began = day;
    if (minute >= hours->from)
        return past_midnight || minute < hours->until;
    *out_began = day - 1;
    return past_midnight && minute < hours->until;
}

/* Whether the days and hours hold the moment; *out_began as of filter_use_day. */
static bool time_fits(const struct filter *filter, local_day day, uint32_t minute, local_day *out_began)
{
    for (uint32_t i = 0; i < filter->hour_count; i++) {
        if (hours_hold(&filter->hours[i], day, minute, out_began) && day_fits(filter, *out_began))
            return true;
    }
    *out_began = day;
    return filter->hour_count == 0 && day_fits(filter, day);
}

local_day filter_use_day(const struct filter *filter, local_day day, uint32_t minute)
{
    local_day began;
    (void)time_fits(filter, day, minute, &began);
    return began;
}

local_day window_start(enum window window, const struct period *period, local_day day)
{
    struct civil_date date;
    switch (window) {
    case WINDOW_DAY:
        return day;
    case WINDOW_MONTH:
        date = civil_from_day(day);
        return (local_day)(day - (int64_t)(date.day - 1));
    case WINDOW_YEAR:
        date = civil_from_day(day);
        return day_from_civil((struct civil_date){ .year = date.year, .month = 1, .day = 1 });
    case WINDOW_PERIOD:
        return period->from == INT32_MIN ? 0 : period->from;
    case WINDOW_EVER:
    case WINDOW_NONE:
        return 0;
    }
    PUNKT_CHECK(!"a window");
    return 0;
}

/* --- receipts --- */

/* What the words of a receipt say: bit i, filter i names it. */
struct named {
    uint64_t stores, tenders, tags, coupons;
};

/* All the money counts, so a filter must name each tender. Change and empty tenders are none. */
static uint64_t tenders_named(const struct rating_input *input)
{
    uint64_t named = UINT64_MAX;
    bool paid = false;
    for (uint32_t i = 0; i < input->tender_count; i++) {
        if (input->tenders[i].amount <= 0)
            continue;
        const struct programme_word *word = programme_word(input->programme, input->tenders[i].kind);
        named &= word == NULL ? 0 : word->tenders;
        paid = true;
    }
    return paid ? named : 0;
}

static uint64_t tags_named(const struct rating_input *input)
{
    uint64_t named = 0;
    for (uint32_t i = 0; input->account != NULL && i < input->account->tag_count; i++) {
        const struct account_tag *tag = &input->account->tags[i];
        struct text text = { tag->text, tag->size };
        const struct programme_word *word = programme_word(input->programme, text);
        named |= word == NULL ? 0 : word->tags;
    }
    return named;
}

static uint64_t coupons_named(const struct rating_input *input)
{
    uint64_t named = 0;
    for (uint32_t i = 0; i < input->coupon_count; i++) {
        const struct programme_word *word = programme_word(input->programme, input->coupons[i]);
        named |= word == NULL ? 0 : word->coupons;
    }
    return named;
}

static struct named words_named(const struct rating_input *input)
{
    struct named named = { 0 };
    if (input->programme->word_count == 0)
        return named;
    const struct programme_word *store = programme_word(input->programme, input->store);
    named.stores = store == NULL ? 0 : store->stores;
    named.tenders = tenders_named(input);
    named.tags = tags_named(input);
    named.coupons = coupons_named(input);
    return named;
}

static bool words_fit(const struct filter *filter, uint64_t bit, const struct named *named)
{
    return (!filter->has_stores || (named->stores & bit) != 0) &&
           (!filter->has_tenders || (named->tenders & bit) != 0) &&
           (!filter->has_tags || (named->tags & bit) != 0) &&
           (!filter->has_coupons || (named->coupons & bit) != 0);
}

void pass_receipt(const struct rating_input *input, struct rating *rating)
{
    const struct programme *programme = input->programme;
    rating->day = calendar_day_minute(&programme->calendar, input->occurred, &rating->minute);
    struct named named = words_named(input);
    uint64_t passes = 0;
    local_day began;
    for (uint32_t i = 0; i < programme->rule_count; i++) {
        const struct filter *filter = &programme->rules[i].filter;
        if (words_fit(filter, rule_bit(i), &named) && time_fits(filter, rating->day, rating->minute, &began))
            passes |= rule_bit(i);
    }
    for (uint32_t i = 0; i < programme->offer_count; i++) {
        const struct offer *offer = &programme->offers[i];
        if (words_fit(&offer->filter, offer_bit(i), &named) &&
            time_fits(&offer->filter, rating->day, rating->minute, &began) && began >= offer->period.from &&
            began <= offer->period.through)
            passes |= offer_bit(i);
    }
    rating->receipt_passes = passes;
}
