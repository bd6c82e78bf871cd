/*
 * What must hold however goods come back (DOMAIN.md, Returning goods, Undoing), under random programmes: no sequence of
 * partial returns takes more or less, or gives back more or less, than the full return; a preview says what the return does;
 * what is undone leaves everything as it was. That balances are the sums of lots less debts is checked at each booking.
 */

#include "goods_world.h"
#include "random.h"

#define ROUNDS 150

static uint32_t one_of(struct random *random, uint32_t bound)
{
    return (uint32_t)random_below(random, bound);
}

/* --- random programmes --- */

static void random_rules(struct random *random, struct programme *programme)
{
    programme->rule_count = 1 + one_of(random, 3);
    programme->rules_combine = one_of(random, 3); /* best, sum, first */
    for (uint32_t i = 0; i < programme->rule_count; i++) {
        programme->rules[i] = (struct base_rule){ .kind = RULE_SPEND + one_of(random, 3),
                                                  .points = 1 + one_of(random, 5000),
                                                  .amount = 1 + one_of(random, 1000),
                                                  .exact = one_of(random, 2) == 0 };
        if (one_of(random, 3) == 0)
            programme->rules[i].filter.minimum = 1 + one_of(random, 3000);
        programme->rules[i].filter.of_lines = one_of(random, 2) == 0;
    }
    programme->rules[0].filter.has_include = one_of(random, 2) == 0;
    programme_word_add(programme, TEXT_LITERAL("A"))->include_code = 1;
}

static void random_offers(struct random *random, struct programme *programme)
{
    programme->purse_count = 1;
    programme->purses[0].id = 77;
    programme->offer_count = one_of(random, 4);
    programme->offers_combine = COMBINE_SUM;
    programme->offers_need_base = one_of(random, 2) == 0;
    for (uint32_t i = 0; i < programme->offer_count; i++) {
        programme->offers[i] = (struct offer){ .kind = OFFER_MULTIPLY + one_of(random, 3),
                                               .id = 100 + i,
                                               .factor = 1000 + one_of(random, 3000),
                                               .points = 1 + one_of(random, 5000),
                                               .per_unit = one_of(random, 2) == 0,
                                               .period = { .from = INT32_MIN, .through = DAY_NEVER } };
        if (one_of(random, 2) == 0)
            programme->offers[i].limit = (struct limit){ .window = WINDOW_DAY, .uses = 2 };
        if (one_of(random, 2) == 0)
            programme->offers[i].filter.has_include = true;
        programme_word_add(programme, TEXT_LITERAL("B"))->include_code |= UINT64_C(1)
                                                                          << (PROGRAMME_RULES_MAX + i);
    }
}

static void random_programme(struct random *random, struct programme *programme)
{
    random_rules(random, programme);
    random_offers(random, programme);
    programme->decimals = one_of(random, 4);
    programme->tax = one_of(random, 2);
    programme->discounts = one_of(random, 2);
    programme->worth_amount = 1 + one_of(random, 30);
    programme->spend_earned = one_of(random, 2) == 0;
    programme->claw_back = one_of(random, 4);
    programme->mature_days = one_of(random, 2) * 14;
    if (one_of(random, 3) == 0)
        programme->caps.receipt = (1 + one_of(random, 100)) * POINT;
    if (one_of(random, 3) == 0)
        programme->caps.day = (1 + one_of(random, 100)) * POINT;
    programme->tiers.count = one_of(random, 2);
    programme->tiers.basis = one_of(random, 3);
    programme->tiers.window = TIER_WINDOW_EVER;
    programme->tiers.kept = TIER_KEPT_NONE;
    programme->tiers.tiers[0] =
        (struct tier){ .id = 42, .from = 1 + one_of(random, 20000), .factor = 1000 + one_of(random, 1000) };
}

/* --- random purchases --- */

static uint32_t random_lines(struct random *random, struct sale_line lines[WORLD_LINES_MAX])
{
    static const char codes[] = "ABC";
    uint32_t count = 1 + one_of(random, WORLD_LINES_MAX - 1);
    minor_units sold = 0;
    for (uint32_t i = 0; i < count; i++) {
        lines[i] = (struct sale_line){ .code = { &codes[one_of(random, 3)], 1 },
                                       .quantity = (int64_t)one_of(random, 5) * 700,
                                       .amount = (int64_t)one_of(random, 3000) };
        if (one_of(random, 8) == 0)
            lines[i].kind = LINE_DEPOSIT;
        else if (one_of(random, 6) == 0 && sold > 0)
            lines[i] = (struct sale_line){ .kind = one_of(random, 2) == 0 ? LINE_DISCOUNT : LINE_REWARD,
                                           .amount = -(minor_units)one_of(random, (uint32_t)sold + 1) };
        lines[i].tax = lines[i].amount > 0 ? lines[i].amount / 6 : 0;
        sold += lines[i].amount;
    }
    return count;
}

struct play {
    struct random random;
    struct world *world;
    struct world_event *sale;
};

/* A world with some points or some debt, and a purchase that spends some. */
static void begin(struct play *play, struct account *out_before)
{
    struct random *random = &play->random;
    play->world = world_new(1);
    random_programme(random, &play->world->programme);
    /* Bought before, so that limits and caps have counted. */
    if (one_of(random, 2) == 0)
        goods_bought(play->world, 0, (minor_units)one_of(random, 5000));
    if (one_of(random, 3) > 0)
        goods_give(play->world, 0, (1 + (int64_t)one_of(random, 300)) * POINT);
    if (one_of(random, 3) == 0)
        goods_give(play->world, 0, -(1 + (int64_t)one_of(random, 500)) * POINT);
    account_copy(goods_account(play->world, 0), out_before);
    struct sale_line lines[WORLD_LINES_MAX];
    uint32_t count = random_lines(random, lines);
    minor_units amount = 0;
    for (uint32_t i = 0; i < count; i++)
        amount += lines[i].amount;
    millipoints most = world_balance(play->world, 0).available / POINT;
    struct wish wish = { .points =
                             most == 0 ? 0 : (1 + (int64_t)random_below(random, (uint64_t)most)) * POINT };
    /* Points that the bill takes; a bill that takes none refuses the wish. */
    bool spends = wish.points > 0 && amount >= play->world->programme.worth_amount;
    play->sale = goods_bought_with(play->world, 0, count, lines, spends ? &wish : NULL);
}

static void end(struct play *play)
{
    world_free(play->world);
}

/* --- returns --- */

/* A request for a line with something left, or for an amount; false: nothing is left to ask for. */
static bool random_request(struct play *play, bool lines_only, struct return_request *out,
                           struct return_request_line *out_line)
{
    const struct purchase *sale = &play->sale->event.purchase;
    *out = goods_request(play->world, 0, play->sale);
    if (!lines_only && one_of(&play->random, 3) == 0) {
        out->amount = 1 + (minor_units)one_of(&play->random, 1500);
        return true;
    }
    *out_line = (struct return_request_line){ .number = 1 + one_of(&play->random, sale->line_count) };
    if (one_of(&play->random, 2) == 0)
        out_line->quantity = 1 + (millis_of_unit)one_of(&play->random, 1500);
    out->lines = out_line;
    out->line_count = 1;
    return true;
}

/* The same asked twice without booking is answered alike, and then booked so. */
static struct world_event *previewed_return(struct play *play, const struct return_request *request)
{
    struct world *world = play->world;
    world_ask(world, decide_return, request);
    enum refusal refusal = world->decision.refusal;
    struct goods_return preview = world->decision.event.goods_return;
    struct world_event *booked = goods_return(world, request);
    assert_int_equal(world->decision.refusal, refusal);
    assert_int_equal(booked == NULL, refusal != REFUSAL_NONE);
    if (booked == NULL)
        return NULL;
    const struct goods_return *goods = &booked->event.goods_return;
    assert_int_equal(goods->amount, preview.amount);
    assert_int_equal(goods->due, preview.due);
    assert_int_equal(goods->taken, preview.taken);
    assert_int_equal(goods->given_back, preview.given_back);
    assert_int_equal(goods->shortfall, preview.shortfall);
    assert_int_equal(goods->due, goods->taken + goods->expired + goods->shortfall);
    assert_int_equal(goods->given_back - goods->taken, booked->event.effects[0].change);
    return booked;
}

/* All that the purchase has left comes back: every line, then what amounts have left. */
static void return_the_rest(struct play *play)
{
    const struct purchase *sale = &play->sale->event.purchase;
    for (uint32_t i = 0; i < sale->line_count; i++) {
        struct return_request request = goods_request(play->world, 0, play->sale);
        struct return_request_line line = { .number = i + 1 };
        request.lines = &line;
        request.line_count = 1;
        (void)previewed_return(play, &request);
    }
}

static millipoints spent_on(const struct purchase *sale)
{
    return sale->redemption_count == 0 ? 0 : sale->redemptions[0].points;
}

/* Whether anything that could earn is among the goods; else no return brings what was earned (nothing) back. */
static void check_all_came_back(const struct play *play)
{
    const struct purchase *sale = &play->sale->event.purchase;
    const struct returned *returned = play->sale->returned;
    assert_int_equal(returned->due, sale->earned);
    assert_int_equal(returned->given_back, spent_on(sale));
    assert_int_equal(returned->base_back, sale->base);
    uint32_t index = 0;
    for (uint32_t i = 0; i < sale->part_count; i++) {
        if (sale->parts[i].kind == PART_STAMP)
            assert_int_equal(returned->stamps_back[index++], sale->parts[i].result);
    }
}

static void no_sequence_of_returns_leaks(void **state)
{
    (void)state;
    struct play play = { .random = random_seeded() };
    static struct account before;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        begin(&play, &before);
        bool lines_only = one_of(&play.random, 2) == 0;
        const struct purchase *sale = &play.sale->event.purchase;
        for (uint32_t i = one_of(&play.random, 8); i > 0; i--) {
            struct return_request request;
            struct return_request_line line;
            if (random_request(&play, lines_only, &request, &line))
                (void)previewed_return(&play, &request);
            assert_true(!play.sale->became || play.sale->returned->due <= sale->earned);
            assert_true(!play.sale->became || play.sale->returned->given_back <= spent_on(sale));
        }
        return_the_rest(&play);
        check_all_came_back(&play);
        end(&play);
    }
}

/* --- what is undone --- */

static int64_t tally_of(const struct account *account, const struct tally *tally)
{
    for (uint32_t i = 0; i < account->tally_count; i++) {
        const struct tally *same = &account->tallies[i];
        if (same->kind == tally->kind && same->id == tally->id && same->period == tally->period)
            return same->value;
    }
    return 0;
}

static int64_t stamps_of(const struct account *account, uint64_t purse)
{
    const struct stamps *stamps = account_stamps(account, purse);
    return stamps == NULL ? 0 : stamps->count;
}

static void assert_as_before(const struct account *got, const struct account *want)
{
    assert_int_equal(got->balance, want->balance);
    assert_int_equal(got->debt, want->debt);
    assert_int_equal(got->lifetime, want->lifetime);
    assert_int_equal(got->ever.spend, want->ever.spend);
    assert_int_equal(got->ever.visits, want->ever.visits);
    assert_int_equal(got->ever.points, want->ever.points);
    assert_int_equal(got->tier.id, want->tier.id);
    assert_int_equal(stamps_of(got, 77), stamps_of(want, 77));
    for (uint32_t i = 0; i < got->tally_count; i++)
        assert_int_equal(got->tallies[i].value, tally_of(want, &got->tallies[i]));
    millipoints pending = 0;
    for (uint32_t i = 0; i < got->lot_count; i++)
        pending += got->lots[i].pending ? got->lots[i].points : 0;
    for (uint32_t i = 0; i < want->lot_count; i++)
        pending -= want->lots[i].pending ? want->lots[i].points : 0;
    assert_int_equal(pending, 0);
}

/* Nothing expired and nothing was forgiven: everything is as it was before the purchase. */
static void an_undone_purchase_leaves_nothing(void **state)
{
    (void)state;
    struct play play = { .random = random_seeded() };
    static struct account before;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        begin(&play, &before);
        play.world->programme.claw_back = CLAW_BACK_DEBT;
        for (uint32_t i = one_of(&play.random, 4); i > 0; i--) {
            struct return_request request;
            struct return_request_line line;
            if (random_request(&play, false, &request, &line))
                (void)previewed_return(&play, &request);
        }
        struct world_event *undone = goods_undo(play.world, play.sale);
        assert_int_equal(undone->event.reversal.outcome, REVERSAL_DONE);
        assert_as_before(goods_account(play.world, 0), &before);
        end(&play);
    }
}

/* Of several returns each is undone at once, or later: what stands is what was not undone. */
static void an_undone_return_leaves_nothing(void **state)
{
    (void)state;
    struct play play = { .random = random_seeded() };
    static struct account before;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        begin(&play, &before);
        for (uint32_t i = one_of(&play.random, 6); i > 0; i--) {
            struct return_request request;
            struct return_request_line line;
            account_copy(goods_account(play.world, 0), &before);
            struct world_event *back =
                random_request(&play, false, &request, &line) ? previewed_return(&play, &request) : NULL;
            if (back == NULL || one_of(&play.random, 2) == 0)
                continue;
            assert_int_equal(goods_undo(play.world, back)->event.reversal.outcome, REVERSAL_DONE);
            assert_as_before(goods_account(play.world, 0), &before);
        }
        return_the_rest(&play);
        check_all_came_back(&play);
        end(&play);
    }
}

/* A purchase, what was named to it, and returns, undone in any order: what was spent is there again, nothing is earned. */
static void undone_in_any_order(void **state)
{
    (void)state;
    struct play play = { .random = random_seeded() };
    static struct account before;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        begin(&play, &before);
        play.world->programme.claw_back = CLAW_BACK_DEBT;
        struct world_event *made[6] = { play.sale };
        uint32_t count = 1;
        while (count < 6) {
            struct return_request request;
            struct return_request_line line;
            millipoints most = world_balance(play.world, 0).available / POINT;
            struct wish wish = { .points = i64_min(most, 1 + one_of(&play.random, 20)) * POINT };
            if (wish.points > 0 && one_of(&play.random, 2) == 0)
                made[count++] = goods_redeem(play.world, 0, &wish, play.sale);
            else if (random_request(&play, false, &request, &line))
                made[count++] = previewed_return(&play, &request);
        }
        for (uint32_t i = count; i > 0; i--) {
            uint32_t at = one_of(&play.random, i);
            if (made[at] != NULL)
                assert_non_null(goods_undo(play.world, made[at]));
            made[at] = made[i - 1];
        }
        assert_as_before(goods_account(play.world, 0), &before);
        end(&play);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_sequence_of_returns_leaks),
        cmocka_unit_test(an_undone_purchase_leaves_nothing),
        cmocka_unit_test(an_undone_return_leaves_nothing),
        cmocka_unit_test(undone_in_any_order),
    };
    return cmocka_run_group_tests_name("goods at random", tests, NULL, NULL);
}
