#include "account_acts.h"

#include "points/decide_steps.h"

local_day date(int32_t year, uint32_t month, uint32_t day)
{
    return day_from_civil((struct civil_date){ .year = year, .month = month, .day = day });
}

static const struct programme *programme_now(const struct world *world)
{
    return world->view.programme(world->view.ctx, 0, world->now);
}

struct maker act_begin(struct world *world, uint32_t card)
{
    struct judgement judgement = { .now = world->now };
    do {
        decide_begin(&world->view, &judgement, EVENT_ADJUSTMENT, 0, &world->decision);
        (void)decide_account(&world->view, &judgement, &world->decision, 0, world->cards[card].account);
    } while (world_day_first(world));
    return maker_begin(&world->decision, 0, world_today(world));
}

struct world_event *act_end(struct world *world, struct maker *maker, millipoints lifetime)
{
    maker_tier(maker, programme_now(world));
    assert_true(maker_end(maker, lifetime));
    struct world_event *booked = world_book(world);
    assert_non_null(booked);
    return booked;
}

uint32_t act_award(struct world *world, uint32_t card, local_day earned, millipoints points)
{
    struct maker maker = act_begin(world, card);
    struct lot_terms terms = award_terms(programme_now(world), earned);
    millipoints settled;
    uint32_t lot;
    assert_true(maker_give(&maker, programme_now(world), points, &terms, &settled, &lot));
    maker_change(&maker, &(struct account_change){ .kind = CHANGE_LAST_PURCHASE,
                                                   .period = earned,
                                                   .value = earned * US_PER_DAY + 1 });
    (void)act_end(world, &maker, points);
    return lot;
}

uint32_t act_add(struct world *world, uint32_t card, millipoints points, local_day last_day)
{
    struct maker maker = act_begin(world, card);
    struct lot_terms terms = added_terms(programme_now(world), maker.today);
    terms.last_day = last_day;
    terms.inactive_months = 0;
    millipoints settled;
    uint32_t lot;
    assert_true(maker_give(&maker, programme_now(world), points, &terms, &settled, &lot));
    (void)act_end(world, &maker, 0);
    return lot;
}

struct world_event *act_take(struct world *world, uint32_t card, millipoints points)
{
    struct maker maker = act_begin(world, card);
    assert_int_equal(maker_take_free(&maker, points), points);
    return act_end(world, &maker, 0);
}

void act_owe(struct world *world, uint32_t card, millipoints points)
{
    struct maker maker = act_begin(world, card);
    maker_owe(&maker, points);
    (void)act_end(world, &maker, 0);
}

journal_position act_hold(struct world *world, uint32_t card, millipoints points)
{
    struct maker maker = act_begin(world, card);
    world->decision.event.type = EVENT_HOLD;
    assert_true(maker_hold(&maker, &(struct account_hold){ .points = points }));
    return act_end(world, &maker, 0)->position;
}

struct world_event *act_hold_end(struct world *world, uint32_t card, journal_position hold,
                                 millipoints captured)
{
    struct maker maker = act_begin(world, card);
    maker_hold_end(&maker, hold, captured);
    return act_end(world, &maker, 0);
}

void act_give_back(struct world *world, uint32_t card, const struct world_event *taken, millipoints skip,
                   millipoints points)
{
    struct maker maker = act_begin(world, card);
    const struct effect *effect = &taken->event.effects[0];
    assert_true(maker_give_back(&maker, effect->lot_changes, effect->lot_change_count,
                                world->decision.sides[0].before.lot_offset, skip, points,
                                programme_now(world)->restore_days));
    (void)act_end(world, &maker, 0);
}

void act_count(struct world *world, uint32_t card, enum tier_basis basis, local_day day, int64_t value)
{
    struct maker maker = act_begin(world, card);
    maker_count(&maker, programme_now(world), basis, day, value);
    (void)act_end(world, &maker, 0);
}

const struct lot *lot_of(const struct world *world, uint32_t card, uint32_t number)
{
    const struct account *account = &world->accounts[world->cards[card].account - 1];
    for (uint32_t i = 0; i < account->lot_count; i++) {
        if (account->lots[i].number == number)
            return &account->lots[i];
    }
    fail_msg("no lot %u", number);
    return NULL;
}
