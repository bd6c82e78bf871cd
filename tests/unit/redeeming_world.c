#include "redeeming_world.h"

#include <stdio.h>
#include <string.h>

static const char *const reward_names[SHOP_REWARDS] = { "five off", "tenth off", "coffee", "cinema", "mug" };

static void add_catalogue(struct programme *programme)
{
    static const struct reward rewards[SHOP_REWARDS] = {
        [FIVE_OFF] = { .kind = REWARD_MONEY_OFF, .amount = 500, .cost_points = 4 * POINT },
        [TENTH_OFF] = { .kind = REWARD_PERCENT_OFF,
                        .percent = 10000,
                        .amount = 300,
                        .cost_points = 2 * POINT },
        [COFFEE] = { .kind = REWARD_ITEM, .item = "COFFEE", .amount = 400, .cost_stamps = 10 * POINT },
        [CINEMA] = { .kind = REWARD_VOUCHER, .voucher = "CINE", .cost_points = 5 * POINT, .per = 2 },
        [MUG] = { .kind = REWARD_GIFT,
                  .item = "a mug",
                  .cost_points = POINT,
                  .minimum_tier = 1,
                  .has_stores = true,
                  .has_stock = true,
                  .stock = 3,
                  .limit = { WINDOW_DAY, 2 } },
    };
    programme->reward_count = SHOP_REWARDS;
    for (uint32_t i = 0; i < SHOP_REWARDS; i++) {
        struct reward *reward = &programme->rewards[i];
        *reward = rewards[i];
        reward->per = reward->per == 0 ? 1 : reward->per;
        reward->period = (struct period){ .from = INT32_MIN, .through = DAY_NEVER };
        (void)snprintf(reward->name, sizeof(reward->name), "%s", reward_names[i]);
        reward->id = programme_id(shop_reward_name(i));
    }
    programme->rewards[MUG].period.from = day_from_civil((struct civil_date){ 2026, 3, 1 });
    programme->rewards[MUG].period.through = day_from_civil((struct civil_date){ 2026, 3, 31 });
    programme_word_add(programme, TEXT_LITERAL("north"))->reward_stores = UINT64_C(1) << MUG;
}

struct world *shop_new(uint32_t card_count)
{
    struct world *world = world_new(card_count);
    struct programme *programme = &world->programme;
    programme->worth_amount = 100;
    programme->purse_count = 1;
    (void)snprintf(programme->purses[0].name, sizeof(programme->purses[0].name), "cups");
    programme->purses[0].id = programme_id(TEXT_LITERAL("cups"));
    programme->tiers = (struct tiers){ .count = 1, .basis = TIER_BY_VISITS, .window = TIER_WINDOW_EVER };
    programme->tiers.tiers[0] =
        (struct tier){ .id = programme_id(TEXT_LITERAL("silver")), .from = 1000, .factor = 1000 };
    add_catalogue(programme);
    return world;
}

struct reward *shop_reward(struct world *world, uint32_t index)
{
    return &world->programme.rewards[index];
}

struct text shop_reward_name(uint32_t index)
{
    return text_of(reward_names[index]);
}

static struct account *account_of(struct world *world, uint32_t card)
{
    return &world->accounts[world->cards[card].account - 1];
}

void shop_give(struct world *world, uint32_t card, millipoints points)
{
    assert_int_equal(world_adjust(world, card, points, false), REFUSAL_NONE);
}

void shop_stamp(struct world *world, uint32_t card, int64_t stamps)
{
    struct account *account = account_of(world, card);
    account->stamps_count = 1;
    account->stamps[0] = (struct stamps){ .purse = world->programme.purses[0].id, .count = stamps };
}

void shop_raise(struct world *world, uint32_t card)
{
    struct account *account = account_of(world, card);
    account->ever.visits = 1000;
    account->tier = (struct tier_state){ .id = world->programme.tiers.tiers[0].id,
                                         .since = world_today(world),
                                         .through = DAY_NEVER,
                                         .grace = INT32_MIN,
                                         .judge = DAY_NEVER };
}

void shop_set_pin(struct world *world, uint32_t card, uint8_t wrong)
{
    account_of(world, card)->pin = (struct account_pin){ .set = true, .wrong = wrong };
}

struct world_event *shop_redeem(struct world *world, const struct redeem_request *request)
{
    world_ask(world, decide_redeem, request);
    return world_book(world);
}

struct world_event *shop_hold(struct world *world, uint32_t card, const struct wish *wish)
{
    struct hold_request request = { .card = world_card(card),
                                    .wish = *wish,
                                    .place.store = TEXT_LITERAL("north") };
    world_ask(world, decide_hold, &request);
    return world_book(world);
}

struct world_event *shop_capture(struct world *world, uint32_t card, const struct world_event *hold,
                                 millipoints points, minor_units bill)
{
    struct capture_request request = { .card = world_card(card),
                                       .hold = hold->position,
                                       .points = points,
                                       .bill = bill,
                                       .hold_event = &hold->event };
    world_ask(world, decide_capture, &request);
    return world_book(world);
}

struct world_event *shop_release(struct world *world, uint32_t card, const struct world_event *hold)
{
    struct release_request request = { .card = world_card(card),
                                       .hold = hold->position,
                                       .hold_event = &hold->event };
    world_ask(world, decide_release, &request);
    return world_book(world);
}

struct world_event *shop_time_out(struct world *world, const struct world_event *hold)
{
    struct release_request request = { .hold = hold->position, .timed_out = true };
    world_ask(world, decide_release, &request);
    return world_book(world);
}

struct world_event *shop_buy(struct world *world, uint32_t card, minor_units amount, uint32_t wish_count,
                             const struct wish *wishes)
{
    struct purchase_request request = { .card = world_card(card),
                                        .amount = amount,
                                        .wish_count = wish_count,
                                        .wishes = wishes,
                                        .document.store = TEXT_LITERAL("north") };
    world_ask(world, decide_purchase, &request);
    return world_book(world);
}

millipoints shop_free(struct world *world, uint32_t card)
{
    return world_balance(world, card).available;
}

int64_t shop_uses(struct world *world, uint32_t card, uint32_t reward)
{
    return account_tally(account_of(world, card), TALLY_REWARD, shop_reward(world, reward)->id,
                         world_today(world));
}

int64_t shop_used(struct world *world, uint32_t reward)
{
    return world->view.reward_used(world->view.ctx, shop_reward(world, reward)->id);
}

void assert_refused(const struct world *world, const char *row, enum refusal want)
{
    if (world->decision.refusal != want)
        fail_msg("%s: refusal %d (%s), wanted %d", row, world->decision.refusal, world->decision.detail,
                 want);
}
