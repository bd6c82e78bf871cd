#include "points/rating_steps.h"

/* --- what counts in periods --- */

static millipoints tally_of(const struct rating_input *input, enum tally_kind kind, uint64_t id,
                            local_day period)
{
    return input->account == NULL ? 0 : account_tally(input->account, kind, id, period);
}

/* Whether a period is older than those that the account keeps, so that it counts into the oldest of them. */
static bool is_old_period(const struct rating_input *input, enum tally_kind kind, uint64_t id,
                          local_day period)
{
    for (uint32_t i = 0; input->account != NULL && i < input->account->tally_count; i++) {
        const struct tally *tally = &input->account->tallies[i];
        if (tally->kind == kind && tally->id == id)
            return period < tally->before;
    }
    return false;
}

static void add_tally(const struct rating_input *input, struct rating *rating, enum tally_kind kind,
                      uint64_t id, local_day period, int64_t value)
{
    PUNKT_CHECK(rating->tally_count < RATING_TALLIES_MAX);
    rating->tallies[rating->tally_count++] = (struct account_change){
        .kind = CHANGE_TALLY, .which = kind, .id = id, .period = period, .value = value
    };
    if (is_old_period(input, kind, id, period))
        rating->old_period = true;
}

/* --- offers --- */

/* The first day of the period in which a use of the offer would count. */
static local_day use_period(const struct offer *offer, const struct rating *rating)
{
    local_day began = filter_use_day(&offer->filter, rating->day, rating->minute);
    return window_start(offer->limit.window, &offer->period, began);
}

/* What the account must be, and have left, for an offer that the receipt passes. */
static bool offer_applies(const struct rating_input *input, const struct rating *rating, uint32_t tier_step,
                          uint32_t index)
{
    const struct offer *offer = &input->programme->offers[index];
    if (!tier_fits(&offer->filter, tier_step) || !minimum_fits(&offer->filter, offer_bit(index), rating) ||
        !maximum_fits(&offer->filter, offer_bit(index), rating))
        return false;
    if (offer->activate && (input->account == NULL || !account_has_activated(input->account, offer->id)))
        return false;
    return offer->limit.window == WINDOW_NONE ||
           tally_of(input, TALLY_OFFER, offer->id, use_period(offer, rating)) < offer->limit.uses;
}

/* Whether an offer that gives something goes before the best so far. Offers come in the order of the file. */
static bool offer_goes_before(const struct programme *programme, const struct award_part *part,
                              const struct award_part *best)
{
    if (best->result == 0)
        return true;
    switch (programme->offers_combine) {
    case COMBINE_NEWEST:
        return programme->offers[part->rule].period.from >= programme->offers[best->rule].period.from;
    case COMBINE_BEST:
        return part->result > best->result;
    case COMBINE_SUM:
    case COMBINE_FIRST:
        break;
    }
    PUNKT_CHECK(!"how offers combine");
    return false;
}

static void add_stamps(struct rating *rating, const struct award_part *part)
{
    if (rating->stamp_count == STAMP_PARTS_MAX)
        return;
    rating->stamp_count++;
    add_part(rating, part);
}

static bool rate_offers(const struct rating_input *input, uint32_t tier_step, struct rating *rating)
{
    const struct programme *programme = input->programme;
    PUNKT_CHECK(programme->offer_count <= PROGRAMME_OFFERS_MAX);
    if (programme->offers_need_base && rating->base_points == 0)
        return true;
    struct award_part best = { 0 };
    uint64_t left = (rating->receipt_passes & rating->passed_by_any) >> PROGRAMME_RULES_MAX;
    for (; left != 0; left &= left - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(left);
        struct award_part part;
        if (!offer_applies(input, rating, tier_step, i))
            continue;
        if (!offer_part(programme, rating, i, &part))
            return false;
        if (part.result == 0)
            continue;
        if (part.kind == PART_STAMP) {
            add_stamps(rating, &part);
        } else if (programme->offers_combine == COMBINE_SUM) {
            add_part(rating, &part);
            rating->earned += part.result;
        } else if (offer_goes_before(programme, &part, &best)) {
            best = part;
        }
    }
    if (best.result > 0)
        add_part(rating, &best);
    rating->earned += best.result;
    return true;
}

uint64_t rate_uses(const struct programme *programme, const struct purchase *sale)
{
    uint64_t uses = 0;
    for (uint32_t i = 0; i < sale->part_count; i++) {
        const struct award_part *part = &sale->parts[i];
        bool points = part->kind == PART_MULTIPLY || part->kind == PART_ADD;
        if (!points && part->kind != PART_STAMP)
            continue;
        PUNKT_CHECK(part->rule < programme->offer_count);
        if (programme->offers[part->rule].limit.window != WINDOW_NONE && (!points || sale->earned > 0))
            uses |= UINT64_C(1) << part->rule;
    }
    return uses;
}

/* --- caps --- */

/* Points over `room` are trimmed, or all of them. */
static void cap(const struct programme *programme, struct rating *rating, enum part_kind kind,
                millipoints room, bool reject)
{
    room = points_down(programme, i64_max(room, 0));
    if (rating->earned <= room)
        return;
    millipoints off = reject ? rating->earned : rating->earned - room;
    add_part(rating,
             &(struct award_part){ .kind = kind, .input = rating->earned, .exact = -off, .result = -off });
    rating->trimmed += off;
    rating->earned -= off;
}

static void apply_caps(const struct rating_input *input, struct rating *rating, local_day month)
{
    const struct programme *programme = input->programme;
    const struct caps *caps = &programme->caps;
    if (caps->receipt > 0)
        cap(programme, rating, PART_CAP_RECEIPT, caps->receipt, caps->reject);
    if (caps->day > 0)
        cap(programme, rating, PART_CAP_DAY, caps->day - tally_of(input, TALLY_CAP_DAY, 0, rating->day),
            false);
    if (caps->month > 0)
        cap(programme, rating, PART_CAP_MONTH, caps->month - tally_of(input, TALLY_CAP_MONTH, 0, month),
            false);
    if (caps->balance > 0)
        cap(programme, rating, PART_CAP_BALANCE,
            caps->balance - (input->account == NULL ? 0 : input->account->balance), false);
}

/* What was used up: of caps what was earned in the end, of offers a use each. */
static void count_uses(const struct rating_input *input, struct rating *rating, local_day month)
{
    const struct programme *programme = input->programme;
    struct purchase earned = { .earned = rating->earned,
                               .part_count = rating->part_count,
                               .parts = rating->parts };
    for (uint64_t left = rate_uses(programme, &earned); left != 0; left &= left - 1) {
        const struct offer *offer = &programme->offers[__builtin_ctzll(left)];
        add_tally(input, rating, TALLY_OFFER, offer->id, use_period(offer, rating), 1);
    }
    if (programme->caps.day > 0 && rating->earned > 0)
        add_tally(input, rating, TALLY_CAP_DAY, 0, rating->day, rating->earned);
    if (programme->caps.month > 0 && rating->earned > 0)
        add_tally(input, rating, TALLY_CAP_MONTH, 0, month, rating->earned);
}

bool rate_extras(const struct rating_input *input, uint32_t tier_step, struct rating *rating)
{
    const struct programme *programme = input->programme;
    rating->earned = rating->base_points;
    rating->trimmed = 0;
    rating->stamp_count = 0;
    rating->tally_count = 0;
    rating->old_period = false;
    if (tier_step > 0) {
        struct award_part part;
        if (!tier_part(programme, rating, tier_step, &part))
            return false;
        if (part.result > 0)
            add_part(rating, &part);
        rating->earned += part.result;
    }
    if (!rate_offers(input, tier_step, rating) || rating->earned > MILLIPOINTS_MAX)
        return false;
    local_day month = programme->caps.month > 0 ? window_start(WINDOW_MONTH, NULL, rating->day) : 0;
    apply_caps(input, rating, month);
    count_uses(input, rating, month);
    return true;
}
