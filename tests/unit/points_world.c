#include "points_world.h"

#include <stdlib.h>
#include <string.h>

static bool view_card(void *ctx, struct text number, struct card *out)
{
    struct world *world = ctx;
    for (uint32_t i = 0; i < world->card_count; i++) {
        if (text_equal(world_card(i), number)) {
            *out = world->cards[i];
            return true;
        }
    }
    return false;
}

static bool view_account(void *ctx, account_number number, struct account *out)
{
    struct world *world = ctx;
    if (number < 1 || number > world->card_count)
        return false;
    const struct account *account = &world->accounts[number - 1];
    if (account->merged_into != 0)
        account = &world->accounts[account->merged_into - 1];
    account_copy(account, out);
    return true;
}

static bool view_returned(void *ctx, journal_position position, struct returned *out)
{
    struct world *world = ctx;
    for (uint32_t i = 0; i < world->sale_count; i++) {
        struct world_sale *sale = world->sales[i];
        if (sale->position == position && sale->returned.returns > 0) {
            *out = sale->returned;
            return true;
        }
    }
    return false;
}

static const struct programme *view_programme(void *ctx, uint32_t version, utc_us time)
{
    struct world *world = ctx;
    (void)time;
    return version <= 1 ? &world->programme : NULL;
}

static account_number view_next_account(void *ctx)
{
    return ((struct world *)ctx)->card_count + 1;
}

static card_id view_next_card(void *ctx)
{
    return ((struct world *)ctx)->card_count + 1;
}

struct text world_card(uint32_t index)
{
    static const char digits[] = "123456789";
    return (struct text){ &digits[index], 1 };
}

struct world *world_new(uint32_t card_count)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    world->view = (struct points_view){ .ctx = world,
                                        .card = view_card,
                                        .account = view_account,
                                        .returned = view_returned,
                                        .programme = view_programme,
                                        .next_account = view_next_account,
                                        .next_card = view_next_card };
    programme_default(&world->programme);
    world->programme.version = 1;
    world->now = WORLD_START;
    world->card_count = card_count;
    for (uint32_t i = 0; i < card_count; i++) {
        world->cards[i] = (struct card){ .id = i + 1, .account = i + 1, .status = CARD_ACTIVE };
        world->accounts[i].number = i + 1;
        world->accounts[i].next_lot = 1;
        world->accounts[i].card_count = 1;
    }
    return world;
}

void world_free(struct world *world)
{
    for (uint32_t i = 0; i < world->sale_count; i++)
        free(world->sales[i]);
    free(world);
}

static void assert_same_account(const struct account *got, const struct account *want)
{
    assert_int_equal(got->balance, want->balance);
    assert_int_equal(got->debt, want->debt);
    assert_int_equal(got->lifetime, want->lifetime);
    assert_int_equal(got->last_purchase, want->last_purchase);
    assert_int_equal(got->next_lot, want->next_lot);
    assert_int_equal(got->lot_count, want->lot_count);
    assert_int_equal(got->debt_count, want->debt_count);
    for (uint32_t i = 0; i < got->lot_count; i++) {
        assert_int_equal(got->lots[i].number, want->lots[i].number);
        assert_int_equal(got->lots[i].by_purchase, want->lots[i].by_purchase);
        assert_int_equal(got->lots[i].points, want->lots[i].points);
        assert_int_equal(got->lots[i].matures, want->lots[i].matures);
        assert_int_equal(got->lots[i].last_day, want->lots[i].last_day);
    }
    for (uint32_t i = 0; i < got->debt_count; i++)
        assert_int_equal(got->debts[i].points, want->debts[i].points);
}

void world_book(struct world *world)
{
    const struct event *event = &world->decision.event;
    if (world->decision.refusal != REFUSAL_NONE)
        return;
    assert_int_equal(event->effect_count, 1);
    const struct effect *effect = &event->effects[0];
    struct account *account = &world->accounts[effect->account - 1];
    world->position += 100;
    assert_true(effect_apply(effect, event->type, event->occurred, world->position, account));
    assert_same_account(account, &world->decision.after);
    struct balance balance = world_balance(world, (uint32_t)effect->account - 1);
    assert_true(balance.available >= 0);
    assert_true(balance.debt == 0 || balance.available == 0);
    assert_int_equal(balance.available + balance.pending + balance.held - balance.debt, account->balance);
}

static struct judgement judgement_of(const struct world *world)
{
    return (struct judgement){ .now = world->now, .flags = world->flags };
}

static struct world_sale *keep_sale(struct world *world)
{
    struct world_sale *sale = calloc(1, sizeof(*sale));
    assert_non_null(sale);
    assert_true(world->sale_count < WORLD_SALES_MAX);
    world->sales[world->sale_count++] = sale;
    sale->position = world->position;
    sale->event = world->decision.event;
    struct purchase *purchase = &sale->event.purchase;
    assert_true(purchase->line_count <= WORLD_LINES_MAX);
    if (purchase->line_count > 0)
        memcpy(sale->lines, purchase->lines, purchase->line_count * sizeof(sale->lines[0]));
    purchase->lines = sale->lines;
    return sale;
}

struct world_sale *world_purchase(struct world *world, uint32_t card, minor_units amount, uint32_t line_count,
                                  const struct sale_line *lines)
{
    struct judgement judgement = judgement_of(world);
    struct purchase_request request = {
        .card = world_card(card), .amount = amount, .line_count = line_count, .lines = lines
    };
    decide_purchase(&world->view, &judgement, &request, &world->decision);
    world_book(world);
    return world->decision.refusal == REFUSAL_NONE ? keep_sale(world) : NULL;
}

enum refusal world_return(struct world *world, uint32_t card, struct world_sale *sale, minor_units amount,
                          uint32_t line_count, const struct return_request_line *lines)
{
    struct judgement judgement = judgement_of(world);
    struct return_request request = {
        .card = world_card(card), .amount = amount, .line_count = line_count, .lines = lines
    };
    if (sale != NULL) {
        request.sale = &sale->event;
        request.sale_position = sale->position;
    }
    decide_return(&world->view, &judgement, &request, &world->decision);
    world_book(world);
    if (world->decision.refusal == REFUSAL_NONE)
        assert_true(returned_apply(&world->decision.event.goods_return, &sale->returned));
    return world->decision.refusal;
}

enum refusal world_unlinked(struct world *world, uint32_t card, minor_units amount)
{
    struct judgement judgement = judgement_of(world);
    struct unlinked_return_request request = { .card = world_card(card), .amount = amount };
    decide_unlinked_return(&world->view, &judgement, &request, &world->decision);
    world_book(world);
    return world->decision.refusal;
}

enum refusal world_redeem(struct world *world, uint32_t card, millipoints points)
{
    struct judgement judgement = judgement_of(world);
    struct redeem_request request = { .card = world_card(card), .points = points };
    decide_redeem(&world->view, &judgement, &request, &world->decision);
    world_book(world);
    return world->decision.refusal;
}

enum refusal world_adjust(struct world *world, uint32_t card, millipoints points, bool allow_debt)
{
    struct judgement judgement = judgement_of(world);
    struct adjust_request request = { .card = world_card(card),
                                      .points = points,
                                      .reason = TEXT_LITERAL("goodwill"),
                                      .allow_debt = allow_debt };
    decide_adjust(&world->view, &judgement, &request, &world->decision);
    world_book(world);
    return world->decision.refusal;
}

struct balance world_balance(struct world *world, uint32_t card)
{
    struct balance balance;
    points_balance(&world->accounts[world->cards[card].account - 1],
                   calendar_day(&world->programme.calendar, world->now), &balance);
    return balance;
}
