#include "rating_world.h"

#include <stdlib.h>
#include <string.h>

#include "points/wide.h"

struct rating_world *rating_world_new(void)
{
    struct rating_world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    programme_default(&world->programme);
    world->programme.version = 1;
    world->programme.rule_count = 0;
    world->programme.tiers.count = 2;
    for (uint32_t i = 0; i < 2; i++)
        world->programme.tiers.tiers[i] = (struct tier){ .id = i + 1, .from = i + 1, .factor = 1000 };
    account_new(1, &world->account);
    world->input = (struct rating_input){ .programme = &world->programme,
                                          .account = &world->account,
                                          .occurred = instant(2026, 3, 10, 12, 0),
                                          .lines = world->lines };
    return world;
}

void rating_world_free(struct rating_world *world)
{
    free(world);
}

local_day day_of(int32_t year, uint32_t month, uint32_t day)
{
    return day_from_civil((struct civil_date){ .year = year, .month = month, .day = day });
}

utc_us instant(int32_t year, uint32_t month, uint32_t day, uint32_t hour, uint32_t minute)
{
    return day_of(year, month, day) * US_PER_DAY + (hour * 60 + minute) * 60 * US_PER_SECOND;
}

void calendar_berlin(struct calendar *out)
{
    calendar_utc(out);
    out->first_offset_s = 3600;
    out->transition_count = 2;
    out->transitions[0].at_s = instant(2026, 3, 29, 1, 0) / US_PER_SECOND;
    out->transitions[0].offset_s = 7200;
    out->transitions[1].at_s = instant(2026, 10, 25, 1, 0) / US_PER_SECOND;
    out->transitions[1].offset_s = 3600;
}

struct base_rule *add_rule(struct rating_world *world, enum rule_kind kind, millipoints points,
                           minor_units amount)
{
    struct base_rule *rule = &world->programme.rules[world->programme.rule_count++];
    *rule = (struct base_rule){ .kind = kind, .points = points, .amount = amount };
    return rule;
}

struct offer *add_offer(struct rating_world *world, enum offer_kind kind)
{
    uint32_t index = world->programme.offer_count++;
    struct offer *offer = &world->programme.offers[index];
    *offer = (struct offer){
        .kind = kind, .id = index + 100, .factor = 1000, .period = { .from = INT32_MIN, .through = DAY_NEVER }
    };
    return offer;
}

struct sale_line *add_line(struct rating_world *world, const char *code, const char *category,
                           minor_units amount)
{
    assert_in_range(world->input.line_count, 0, RATING_LINES_MAX - 1);
    struct sale_line *line = &world->lines[world->input.line_count++];
    *line = (struct sale_line){
        .code = text_of(code), .category = text_of(category), .quantity = UNIT, .amount = amount
    };
    return line;
}

struct programme_word *word(struct rating_world *world, const char *text)
{
    struct programme_word *made = programme_word_add(&world->programme, text_of(text));
    assert_non_null(made);
    return made;
}

void include_category(struct rating_world *world, struct filter *filter, uint64_t bit, const char *category)
{
    filter->has_include = true;
    word(world, category)->include_category |= bit;
}

void exclude_category(struct rating_world *world, struct filter *filter, uint64_t bit, const char *category)
{
    filter->has_exclude = true;
    word(world, category)->exclude_category |= bit;
}

millipoints rate_all(struct rating_world *world, uint32_t tier_step)
{
    struct rating *rating = &world->rating;
    if (world->input.line_count > 0) {
        world->input.amount = 0;
        for (uint32_t i = 0; i < world->input.line_count; i++)
            world->input.amount += world->lines[i].amount;
    }
    rate_bases(&world->input, rating);
    assert_true(rate_base_rules(&world->input, tier_step, rating));
    assert_true(rate_extras(&world->input, tier_step, rating));
    memcpy(world->parts, rating->parts, sizeof(world->parts));
    world->sale = (struct purchase){ .amount = world->input.amount,
                                     .base = rating->base,
                                     .earned = rating->earned,
                                     .trimmed = rating->trimmed,
                                     .day = rating->day,
                                     .line_count = world->input.line_count,
                                     .lines = world->lines,
                                     .part_count = rating->part_count,
                                     .parts = world->parts };
    return rating->earned;
}

const struct award_part *part_of(const struct rating_world *world, enum part_kind kind)
{
    for (uint32_t i = 0; i < world->sale.part_count; i++) {
        if (world->parts[i].kind == kind)
            return &world->parts[i];
    }
    return NULL;
}

struct kept keep_rest(struct rating_world *world, const millis_of_unit *left, minor_units amount_left,
                      minor_units amount_before)
{
    static struct sale_line lines[RATING_LINES_MAX];
    static struct rating scratch;
    struct rest rest = { .line_count = world->sale.line_count,
                         .lines = lines,
                         .whole = { .kind = LINE_SALE,
                                    .quantity = left[0],
                                    .amount = world->sale.amount,
                                    .base = mul_div(world->sale.base, left[0], UNIT) },
                         .left = amount_left,
                         .before = amount_before };
    for (uint32_t i = 0; i < rest.line_count; i++) {
        lines[i] = world->lines[i];
        lines[i].base = mul_div(world->lines[i].base, left[i], line_units(&world->lines[i]));
        lines[i].quantity = left[i];
    }
    struct kept kept;
    rate_rest(&world->programme, &world->sale, &rest, &scratch, &kept);
    return kept;
}
