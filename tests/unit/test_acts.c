/* Random acts on cards, on accounts and by the office: sums hold, whatever the order. */
#include "points_acts.h"

#include <stdio.h>

#include "points/effect_maker.h"
#include "random.h"

enum { CARDS = 6, ROUNDS = 20, STEPS = 400 };

/* What the acts so far must have left. */
struct books {
    millipoints total; /* in all accounts */
    uint32_t seen;     /* events */
    /* Card i was merged into this account, or what that was merged into; 0: it was not. */
    account_number merged[CARDS];
};

/* The points that an event moved into all accounts, or out of them. */
static millipoints moved_by(const struct event *event)
{
    switch ((uint32_t)event->type) {
    case EVENT_ADJUSTMENT:
        return event->adjustment.points;
    case EVENT_BONUS:
        return event->bonus.points;
    case EVENT_PURCHASE:
        return event->purchase.earned;
    case EVENT_WRITE_OFF:
        return event->write_off.points;
    case EVENT_CARD_STATUS:
        return -event->card_status.forfeited;
    case EVENT_DAY:
        return -event->day_run.expired;
    case EVENT_CARDS_ISSUED:
        return event->cards_issued.welcome.points;
    default:
        return 0; /* merges, transfers, holds, cards */
    }
}

static void assert_books_balance(struct world *world, struct books *books)
{
    for (; books->seen < world->event_count; books->seen++)
        books->total += moved_by(&world->events[books->seen]->event);
    millipoints total = 0;
    uint32_t cards = 0;
    for (uint32_t i = 0; i < world->account_count; i++) {
        const struct account *account = &world->accounts[i];
        total += account->balance;
        cards += account->card_count;
        assert_true(account->merged_into == 0 || account->balance == 0);
        /* While there is debt nothing is free. */
        assert_true(account->debt == 0 || account_free(account, world_today(world)) == 0);
    }
    assert_int_equal(total, books->total);
    for (uint32_t i = 0; i < world->card_count; i++)
        cards -= world->cards[i].status == CARD_ACTIVE || world->cards[i].status == CARD_BLOCKED;
    assert_int_equal(cards, 0);
}

static void assert_merged_cards_lead(struct world *world, const struct books *books)
{
    for (uint32_t i = 0; i < CARDS; i++) {
        struct account own;
        struct account target;
        if (books->merged[i] == 0)
            continue;
        assert_true(world->view.account(world->view.ctx, world->cards[i].account, &own));
        assert_true(world->view.account(world->view.ctx, books->merged[i], &target));
        assert_int_equal(own.number, target.number);
        assert_int_equal(own.merged_into, 0);
    }
}

static enum refusal random_merge(struct world *world, const char *from, const char *to, struct books *books)
{
    struct account source;
    struct account target;
    act_account_of(world, from, &source);
    act_account_of(world, to, &target);
    bool same = source.number == target.number;
    enum refusal refusal = act_merge(world, from, to);
    if (refusal == REFUSAL_NONE)
        books->merged[from[0] - '1'] = act_card_of(world, to).account;
    if (refusal == REFUSAL_OVER_LIMIT)
        assert_true(!same && source.hold_count + target.hold_count > ACCOUNT_HOLDS_MAX);
    return refusal;
}

/* Something about points. */
static enum refusal random_points(struct world *world, struct random *random, const char *from,
                                  const char *to)
{
    millipoints points = (millipoints)(1 + random_below(random, 40)) * POINT;
    switch (random_below(random, 10)) {
    case 0:
    case 1:
        return act_adjust(world, from, points, false);
    case 2:
    case 3:
        return act_adjust(world, from, -points, random_below(random, 2) == 0);
    case 4:
        return act_bonus(world, from, points);
    case 5:
        return act_buy(world, from, points / 10, true);
    case 6:
        return act_write_off(world, from, 0);
    case 7:
        return random_below(random, 4) == 0 ? act_hold(world, from, points) : REFUSAL_NONE;
    default:
        return act_transfer(world, from, to, points);
    }
}

/* Something about cards; "7" and "8" are issued when they are in suspense. */
static enum refusal random_card_act(struct world *world, struct random *random, const char *from,
                                    const char *to, struct books *books)
{
    char number[8];
    (void)snprintf(number, sizeof(number), "N%u", world->card_count);
    bool room = world->card_count < WORLD_ACCOUNTS_MAX / 2;
    uint64_t kind = random_below(random, 100);
    if (kind < 35)
        return act_card(world, CARD_ACT_BLOCK, from);
    if (kind < 75)
        return act_card(world, CARD_ACT_UNBLOCK, from);
    if (kind < 79)
        return act_issue(world, from, 1, true);
    if (kind < 82)
        return room ? act_add(world, from, number) : REFUSAL_NONE;
    if (kind < 85)
        return act_add(world, to, from);
    if (kind < 88)
        return act_replace(world, to, room && random_below(random, 2) == 0 ? number : from);
    if (kind < 91)
        return act_card(world, CARD_ACT_CLOSE, from);
    return from[0] <= '0' + CARDS && to[0] <= '0' + CARDS ? random_merge(world, from, to, books)
                                                          : REFUSAL_NONE;
}

static enum refusal random_act(struct world *world, struct random *random, struct books *books)
{
    char from[2] = { (char)('1' + random_below(random, CARDS + 2)), '\0' };
    char to[2] = { (char)('1' + random_below(random, CARDS + 2)), '\0' };
    uint64_t kind = random_below(random, 100);
    if (kind < 85)
        return random_points(world, random, from, to);
    if (kind < 95)
        return random_card_act(world, random, from, to, books);
    world->now += (utc_us)random_below(random, 20) * US_PER_DAY;
    return REFUSAL_NONE;
}

/* Whatever is done, in whatever order: what is in all accounts is what the events say was moved. */
static void acts_keep_sums(void **state)
{
    (void)state;
    struct random random = random_seeded();
    uint32_t done = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct world *world = world_new(CARDS);
        world->programme.may_earn = 1U << CARD_ACTIVE; /* what others earn waits */
        world->programme.welcome = (millipoints)random_below(&random, 2) * 5 * POINT;
        world->programme.mature_days = (uint32_t)random_below(&random, 2) * 10;
        world->programme.expiry = (struct expiry){ .kind = (enum expiry_kind)random_below(&random, 2),
                                                   .months = 1 + (uint32_t)random_below(&random, 3) };
        struct books books = { .total = 0 };
        for (int step = 0; step < STEPS; step++) {
            done += random_act(world, &random, &books) == REFUSAL_NONE;
            assert_books_balance(world, &books);
            assert_merged_cards_lead(world, &books);
        }
        world_free(world);
    }
    /* It was no walk of refusals. */
    assert_true(done > ROUNDS * STEPS / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acts_keep_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
