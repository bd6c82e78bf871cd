/*
 * What must hold whatever happens, over random programmes and random histories of all decisions: the sums (behind each step,
 * history.h), a replay of the events, midnights at any time, and that all goods bring back all that they earned.
 */
#include "history.h"

#include "ledger/event_codec.h"
#include "ledger/journal.h"

#define STEPS 400

static unsigned rounds(unsigned count)
{
    return getenv("PUNKT_LONG") != NULL ? 20 * count : count;
}

/* --- a replay --- */

static void assert_same_cards(const struct world *got, const struct world *want)
{
    assert_int_equal(got->card_count, want->card_count);
    for (uint32_t i = 0; i < got->card_count; i++) {
        assert_string_equal(got->numbers[i], want->numbers[i]);
        assert_int_equal(got->cards[i].status, want->cards[i].status);
        assert_int_equal(got->cards[i].account, want->cards[i].account);
        assert_int_equal(got->cards[i].suspense, want->cards[i].suspense);
    }
}

static void assert_same_rest(const struct world *got, const struct world *want)
{
    assert_int_equal(got->hold_count, want->hold_count);
    for (uint32_t i = 0; i < got->hold_count; i++) {
        assert_int_equal(got->hold_ids[i], want->hold_ids[i]);
        assert_int_equal(got->holds[i].end, want->holds[i].end);
        assert_int_equal(got->holds[i].ended_by, want->holds[i].ended_by);
    }
    assert_int_equal(got->reward_count, want->reward_count);
    for (uint32_t i = 0; i < got->reward_count; i++)
        assert_int_equal(got->rewards_used[i], want->rewards_used[i]);
    assert_int_equal(got->sale_count, want->sale_count);
    for (uint32_t i = 0; i < got->sale_count; i++) {
        assert_int_equal(got->sales[i]->reversed_by, want->sales[i]->reversed_by);
        assert_int_equal(got->sales[i]->returned->due, want->sales[i]->returned->due);
        assert_int_equal(got->sales[i]->returned->given_back, want->sales[i]->returned->given_back);
    }
}

static void assert_same_world(const struct world *got, const struct world *want)
{
    assert_int_equal(got->account_count, want->account_count);
    for (uint32_t i = 0; i < got->account_count; i++)
        assert_same_account(&got->accounts[i], &want->accounts[i]);
    assert_same_cards(got, want);
    assert_same_rest(got, want);
}

/* Every event as bytes, and from them into another world: which ends as the first. */
static void assert_replay(const struct world *world)
{
    static uint8_t bytes[JOURNAL_EVENT_MAX];
    static struct event_memory memory;
    struct world *replayed = world_new(HISTORY_CARDS);
    for (uint32_t i = 0; i < world->event_count; i++) {
        struct event event;
        size_t size = event_encode(&world->events[i]->event, bytes, sizeof(bytes));
        assert_true(event_decode(bytes, size, &memory, &event));
        /* The journal has the packed numbers of all cards, which are the service's. */
        if (event.type == EVENT_CARDS_ISSUED)
            event.cards_issued.number = world->events[i]->event.cards_issued.number;
        world_replay(replayed, &event);
    }
    assert_same_world(replayed, world);
    world_free(replayed);
}

/* --- sums over purchases --- */

/* "Lifetime earned (purchases less returns)" (Lots): of all accounts, that of all purchases that stand. */
static void assert_lifetimes(const struct world *world)
{
    millipoints lifetime = 0;
    for (uint32_t i = 0; i < world->sale_count; i++)
        lifetime += world->sales[i]->event.purchase.earned - world->sales[i]->returned->due;
    for (uint32_t i = 0; i < world->event_count; i++) {
        const struct world_event *booked = world->events[i];
        if (booked->event.type == EVENT_UNLINKED_RETURN && booked->reversed_by == 0)
            lifetime -= booked->event.goods_return.due;
    }
    for (uint32_t i = 0; i < world->account_count; i++)
        lifetime -= world->accounts[i].lifetime;
    assert_int_equal(lifetime, 0);
}

/* What counts for tiers by spend and by visits, over all time: what purchases counted and returns did not count back. */
static void assert_counted(const struct world *world)
{
    minor_units spend = 0;
    int64_t visits = 0;
    for (uint32_t i = 0; i < world->sale_count; i++) {
        const struct purchase *purchase = &world->sales[i]->event.purchase;
        spend += purchase->base - world->sales[i]->returned->base_back;
        visits += purchase->earned > 0 && !world->sales[i]->returned->visit_back;
    }
    for (uint32_t i = 0; i < world->account_count; i++) {
        spend -= world->accounts[i].ever.spend;
        visits -= world->accounts[i].ever.visits;
    }
    assert_int_equal(spend, 0);
    assert_int_equal(visits, 0);
}

static void any_history_keeps_the_sums(void **state)
{
    struct random *random = *state;
    uint32_t acts = 0;
    uint32_t refused = 0;
    uint32_t undone = 0;
    for (unsigned round = 0; round < rounds(40); round++) {
        struct history *history = history_new((struct random){ random_u64(random) }, round % 2 == 0, true);
        for (uint32_t step = 0; step < STEPS; step++)
            history_step(history);
        assert_replay(history->world);
        assert_lifetimes(history->world);
        acts += history->count;
        refused += history->refused;
        undone += history->undone;
        history_free(history);
    }
    /* It was no walk of refusals. */
    assert_true(acts > refused);
    assert_true(undone > 0);
}

/* --- midnights --- */

/* Whoever looks each night sees in the end what one sees who never looked. */
static void a_run_each_night_is_one_when_touched(void **state)
{
    struct random *random = *state;
    for (unsigned round = 0; round < rounds(15); round++) {
        struct random same = { random_u64(random) };
        struct history *daily = history_new(same, true, false);
        struct history *touched = history_new(same, false, false);
        for (uint32_t step = 0; step < STEPS; step++) {
            history_step(daily);
            history_step(touched);
            assert_int_equal(daily->count, touched->count);
        }
        world_run_days(daily->world);
        world_run_days(touched->world);
        assert_int_equal(daily->world->account_count, touched->world->account_count);
        for (uint32_t i = 0; i < daily->world->account_count; i++)
            assert_same_account(&touched->world->accounts[i], &daily->world->accounts[i]);
        assert_same_cards(touched->world, daily->world);
        if (daily->world->programme.tiers.count > 0)
            assert_counted(daily->world);
        history_free(daily);
        history_free(touched);
    }
}

/* --- goods --- */

static enum refusal bring_back(struct world *world, const struct world_event *sale, uint32_t line,
                               minor_units amount)
{
    struct return_request request = goods_request(world, 0, sale);
    struct return_request_line whole = { .number = line };
    request.card = history_owner(world, sale);
    request.line_count = line == 0 ? 0 : 1;
    request.lines = &whole;
    request.amount = amount;
    world_ask(world, decide_return, &request);
    (void)world_book(world);
    return world->decision.refusal;
}

/* Every line; and, where lines followed an amount that was undone since, what is left as an amount. */
static void bring_back_all(struct world *world, const struct world_event *sale)
{
    uint32_t line_count = sale->event.purchase.line_count;
    for (uint32_t line = 1; line <= (line_count == 0 ? 1 : line_count); line++)
        (void)bring_back(world, sale, line, 0);
    if (bring_back(world, sale, 0, AMOUNT_MAX) == REFUSAL_PURCHASE_REVERSED)
        return;
    long long left = 0;
    assert_int_equal(world->decision.refusal, REFUSAL_MORE_THAN_SOLD);
    assert_int_equal(sscanf(world->decision.detail, "%*s comes back, %lld is left", &left), 1);
    if (left > 0)
        assert_int_equal(bring_back(world, sale, 0, left), REFUSAL_NONE);
}

/* After all that happened, all goods of every purchase come back: what is due in all is what it earned. */
static void all_goods_bring_back_all_points(void **state)
{
    struct random *random = *state;
    for (unsigned round = 0; round < rounds(10); round++) {
        struct history *history = history_new((struct random){ random_u64(random) }, false, true);
        for (uint32_t step = 0; step < STEPS; step++)
            history_step(history);
        struct world *world = history->world;
        world->flags = 0;
        for (uint32_t i = 0; i < world->sale_count; i++) {
            const struct world_event *sale = world->sales[i];
            bring_back_all(world, sale);
            if (sale->reversed_by == 0)
                assert_int_equal(sale->returned->due, sale->event.purchase.earned);
        }
        history_look(history);
        assert_replay(world);
        history_free(history);
    }
}

int main(void)
{
    struct random random = random_seeded();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(any_history_keeps_the_sums, &random),
        cmocka_unit_test_prestate(a_run_each_night_is_one_when_touched, &random),
        cmocka_unit_test_prestate(all_goods_bring_back_all_points, &random),
    };
    return cmocka_run_group_tests_name("points properties", tests, NULL, NULL);
}
