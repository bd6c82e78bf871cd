/* Goods that come back: which, what is due for them, and from where it is taken (DOMAIN.md, Returning goods). */
#include "goods_world.h"

#define EXPECT(what, got, want)                                                                              \
    do {                                                                                                     \
        if ((got) != (want))                                                                                 \
            fail_msg("%s: %s is %lld, not %lld", what, #got, (long long)(got), (long long)(want));           \
    } while (0)

static struct sale_line goods(const char *code, millis_of_unit units, minor_units amount)
{
    return (struct sale_line){ .code = text_of(code), .quantity = units, .amount = amount };
}

/* --- DOMAIN.md, Worked examples --- */

static void twenty_five_earn_two(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.rules[0].amount = 1000;
    struct world_event *sale = goods_bought(world, 0, 2500);
    assert_int_equal(sale->event.purchase.earned, 2 * POINT);
    assert_int_equal(goods_return_amount(world, 0, sale, 500)->event.goods_return.taken, 0);
    assert_int_equal(goods_return_amount(world, 0, sale, 1500)->event.goods_return.taken, 2 * POINT);
    assert_null(goods_return_amount(world, 0, sale, 501));
    assert_int_equal(world->decision.refusal, REFUSAL_MORE_THAN_SOLD);
    assert_int_equal(goods_return_amount(world, 0, sale, 500)->event.goods_return.taken, 0);
    assert_int_equal(goods_account(world, 0)->balance, 0);
    world_free(world);
}

/* 1 point per 1.00 and 5 a unit of B (sum); A 20.00, B 10.00. */
static struct world *a_and_b(struct world_event **out_sale)
{
    struct world *world = world_new(1);
    struct programme *programme = &world->programme;
    programme->rules_combine = COMBINE_SUM;
    programme->rule_count = 2;
    programme->rules[1] = (struct base_rule){ .kind = RULE_ITEM, .points = 5 * POINT };
    programme->rules[1].filter.has_include = true;
    programme_word_add(programme, TEXT_LITERAL("B"))->include_code = 2;
    struct sale_line lines[] = { goods("A", 1000, 2000), goods("B", 1000, 1000) };
    *out_sale = goods_bought_lines(world, 0, COUNT_OF(lines), lines);
    assert_int_equal((*out_sale)->event.purchase.earned, 35 * POINT);
    return world;
}

static void b_or_an_amount_comes_back(void **state)
{
    (void)state;
    struct world_event *sale;
    struct world *world = a_and_b(&sale);
    struct return_request_line b = { .code = TEXT_LITERAL("B") };
    assert_int_equal(goods_return_lines(world, 0, sale, 1, &b)->event.goods_return.taken, 15 * POINT);
    world_free(world);
    world = a_and_b(&sale);
    const struct goods_return *by_amount = &goods_return_amount(world, 0, sale, 1000)->event.goods_return;
    assert_int_equal(by_amount->taken, 12 * POINT);
    assert_true(by_amount->by_amount);
    world_free(world);
}

static void a_cap_keeps_what_the_rest_would_earn(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.caps = (struct caps){ .receipt = 100 * POINT };
    struct world_event *sale = goods_bought(world, 0, 12000);
    assert_int_equal(sale->event.purchase.earned, 100 * POINT);
    assert_int_equal(goods_return_amount(world, 0, sale, 2000)->event.goods_return.taken, 0);
    assert_int_equal(goods_return_amount(world, 0, sale, 4000)->event.goods_return.taken, 40 * POINT);
    world_free(world);
}

struct spent_row {
    const char *what;
    enum claw_back claw_back;
    millipoints balance, taken, shortfall, debt;
};

/* Earned 100, 80 spent elsewhere, full return. */
static const struct spent_row spent_rows[] = {
    { "pending", CLAW_BACK_PENDING, 20, 0, 100, 0 },
    { "own", CLAW_BACK_OWN, 0, 20, 80, 0 },
    { "balance", CLAW_BACK_BALANCE, 0, 20, 80, 0 },
    { "debt", CLAW_BACK_DEBT, -80, 100, 0, 80 },
};

static void what_was_spent_elsewhere_is_clawed_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(spent_rows); i++) {
        const struct spent_row *row = &spent_rows[i];
        struct world *world = world_new(1);
        struct world_event *sale = goods_bought(world, 0, 10000);
        assert_int_equal(world_redeem(world, 0, 80 * POINT), REFUSAL_NONE);
        world_publish(world)->claw_back = row->claw_back; /* today's, not the purchase's */
        const struct goods_return *back = &goods_return_amount(world, 0, sale, 10000)->event.goods_return;
        const struct account *account = goods_account(world, 0);
        EXPECT(row->what, account->balance, row->balance * POINT);
        EXPECT(row->what, account->debt, row->debt * POINT);
        EXPECT(row->what, back->taken, row->taken * POINT);
        EXPECT(row->what, back->shortfall, row->shortfall * POINT);
        EXPECT(row->what, back->due, 100 * POINT);
        EXPECT(row->what, back->own_taken, row->claw_back == CLAW_BACK_PENDING ? 0 : 20 * POINT);
        EXPECT(row->what, account->lifetime, 0);
        if (row->debt > 0)
            EXPECT(row->what, account->debts[0].cause, world->position);
        world_free(world);
    }
}

/* With 50 more that the purchase did not earn: other free points, in spending order. */
static const struct spent_row other_rows[] = {
    { "pending", CLAW_BACK_PENDING, 70, 0, 100, 0 },
    { "own", CLAW_BACK_OWN, 50, 20, 80, 0 },
    { "balance", CLAW_BACK_BALANCE, 0, 70, 30, 0 },
    { "debt", CLAW_BACK_DEBT, -30, 100, 0, 30 },
};

static void other_points_are_clawed_back_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(other_rows); i++) {
        const struct spent_row *row = &other_rows[i];
        struct world *world = world_new(1);
        world->programme.claw_back = row->claw_back;
        struct world_event *sale = goods_bought(world, 0, 10000);
        assert_int_equal(world_redeem(world, 0, 80 * POINT), REFUSAL_NONE);
        goods_give(world, 0, 50 * POINT);
        const struct goods_return *back = &goods_return_amount(world, 0, sale, 10000)->event.goods_return;
        EXPECT(row->what, goods_account(world, 0)->balance, row->balance * POINT);
        EXPECT(row->what, goods_account(world, 0)->debt, row->debt * POINT);
        EXPECT(row->what, back->taken, row->taken * POINT);
        EXPECT(row->what, back->shortfall, row->shortfall * POINT);
        world_free(world);
    }
}

/* Of a pending award, `pending` takes what is there. */
static void a_pending_award_is_taken_by_every_claw_back(void **state)
{
    (void)state;
    for (enum claw_back claw_back = CLAW_BACK_DEBT; claw_back <= CLAW_BACK_PENDING; claw_back++) {
        struct world *world = world_new(1);
        world->programme.mature_days = 14;
        world->programme.claw_back = claw_back;
        struct world_event *sale = goods_bought(world, 0, 10000);
        assert_int_equal(world_balance(world, 0).pending, 100 * POINT);
        const struct goods_return *back = &goods_return_amount(world, 0, sale, 4000)->event.goods_return;
        assert_int_equal(back->own_taken, 40 * POINT);
        assert_int_equal(back->shortfall, 0);
        assert_int_equal(world_balance(world, 0).pending, 60 * POINT);
        world_free(world);
    }
}

/* Points that a hold has set aside are not touched. */
static void holds_are_not_touched(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct world_event *sale = goods_bought(world, 0, 10000);
    struct hold_request hold = { .card = world_card(0), .wish = { .points = 30 * POINT }, .pin = PIN_RIGHT };
    world_ask(world, decide_hold, &hold);
    assert_non_null(world_book(world));
    const struct goods_return *back = &goods_return_amount(world, 0, sale, 10000)->event.goods_return;
    assert_int_equal(back->own_taken, 70 * POINT);
    assert_int_equal(back->taken, 100 * POINT);
    assert_int_equal(world_balance(world, 0).held, 30 * POINT);
    assert_int_equal(goods_account(world, 0)->debt, 30 * POINT);
    world_free(world);
}

/* Earned 100, 40 spent elsewhere, 60 expired, full return: -40; by two returns alike. */
static void what_expired_counts_as_taken(void **state)
{
    (void)state;
    for (minor_units first = 0; first <= 10000; first += 2500) {
        struct world *world = world_new(1);
        world->programme.expiry = (struct expiry){ .kind = EXPIRY_MONTHS, .months = 1 };
        struct world_event *sale = goods_bought(world, 0, 10000);
        assert_int_equal(world_redeem(world, 0, 40 * POINT), REFUSAL_NONE);
        world_go_to(world, 2026, 4, 11);
        millipoints expired = 0;
        if (first > 0)
            expired += goods_return_amount(world, 0, sale, first)->event.goods_return.expired;
        if (first < 10000)
            expired += goods_return_amount(world, 0, sale, 10000 - first)->event.goods_return.expired;
        assert_int_equal(expired, 60 * POINT);
        assert_int_equal(goods_account(world, 0)->balance, -40 * POINT);
        assert_int_equal(goods_account(world, 0)->lifetime, 0);
        world_free(world);
    }
}

/* Debt 100, then an award of 150; its purchase returned: balance 50, one lot of 50; balance -100. */
static void what_settled_a_debt_is_debt_again(void **state)
{
    (void)state;
    for (enum claw_back claw_back = CLAW_BACK_DEBT; claw_back <= CLAW_BACK_OWN; claw_back++) {
        struct world *world = world_new(1);
        world->programme.claw_back = claw_back;
        goods_give(world, 0, -100 * POINT);
        struct world_event *sale = goods_bought(world, 0, 15000);
        const struct account *account = goods_account(world, 0);
        assert_int_equal(account->balance, 50 * POINT);
        assert_int_equal(account->lot_count, 1);
        assert_int_equal(account->lots[0].points, 50 * POINT);
        assert_int_equal(goods_return_amount(world, 0, sale, 7500)->event.goods_return.owed_again,
                         25 * POINT);
        assert_int_equal(goods_return_amount(world, 0, sale, 7500)->event.goods_return.owed_again,
                         75 * POINT);
        assert_int_equal(account->balance, -100 * POINT);
        assert_int_equal(sale->returned->owed_again, 100 * POINT);
        world_free(world);
    }
}

/* The 50 that were left of it spent elsewhere: no more is debt again than paid debt. */
static void no_more_is_debt_again_than_was(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.claw_back = CLAW_BACK_OWN;
    goods_give(world, 0, -100 * POINT);
    struct world_event *sale = goods_bought(world, 0, 15000);
    assert_int_equal(world_redeem(world, 0, 50 * POINT), REFUSAL_NONE);
    assert_int_equal(goods_return_amount(world, 0, sale, 7500)->event.goods_return.owed_again, 75 * POINT);
    const struct goods_return *back = &goods_return_amount(world, 0, sale, 7500)->event.goods_return;
    assert_int_equal(back->owed_again, 25 * POINT);
    assert_int_equal(back->shortfall, 50 * POINT);
    assert_int_equal(goods_account(world, 0)->balance, -100 * POINT);
    world_free(world);
}

/* --- which lines --- */

/* Two lines of 20.00 and 10.00 with 3.00 off: shares 2.00 and 1.00. */
static const struct sale_line discounted[] = {
    { .code = { "A", 1 }, .quantity = 2000, .amount = 2000 },
    { .code = { "B", 1 }, .quantity = 1000, .amount = 1000 },
    { .kind = LINE_DISCOUNT, .amount = -300 },
};

static void lines_take_their_base(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct world_event *sale = goods_bought_lines(world, 0, COUNT_OF(discounted), discounted);
    assert_int_equal(sale->event.purchase.earned, 27 * POINT);
    struct return_request_line one_a = { .quantity = 1000, .code = { "A", 1 } };
    const struct goods_return *back = &goods_return_lines(world, 0, sale, 1, &one_a)->event.goods_return;
    assert_int_equal(back->taken, 9 * POINT);
    assert_int_equal(back->amount, 900);
    assert_int_equal(back->base_back, 900);
    assert_false(back->by_amount);
    assert_false(back->visit_back);
    assert_int_equal(back->lines[0].line, 1);
    struct return_request_line rest[] = { { .number = 2 }, { .number = 1 } };
    back = &goods_return_lines(world, 0, sale, 2, rest)->event.goods_return;
    assert_int_equal(back->taken, 18 * POINT);
    assert_int_equal(back->line_count, 2);
    assert_int_equal(back->lines[0].line, 1);
    assert_int_equal(back->lines[0].quantity, 1000);
    assert_true(back->visit_back);
    assert_int_equal(world_balance(world, 0).available, 0);
    assert_null(goods_return_lines(world, 0, sale, 1, &one_a));
    assert_int_equal(world->decision.refusal, REFUSAL_MORE_THAN_SOLD);
    assert_null(goods_return_amount(world, 0, sale, 1));
    assert_int_equal(world->decision.refusal, REFUSAL_MORE_THAN_SOLD);
    world_free(world);
}

static void lines_after_an_amount_count_by_their_amount(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct world_event *sale = goods_bought_lines(world, 0, COUNT_OF(discounted), discounted);
    assert_int_equal(goods_return_amount(world, 0, sale, 700)->event.goods_return.taken, 7 * POINT);
    struct return_request_line b = { .number = 2, .code = { "B", 1 } };
    const struct goods_return *back = &goods_return_lines(world, 0, sale, 1, &b)->event.goods_return;
    assert_true(back->by_amount);
    assert_int_equal(back->amount, 900);
    assert_int_equal(back->taken, 9 * POINT);
    assert_int_equal(sale->returned->by_amount, 1600);
    assert_int_equal(sale->returned->lines[0].by_amount, 1000);
    /* 18.00 of A came, 11.00 is left: what was paid back is not paid back again. */
    struct return_request_line a = { .number = 1 };
    back = &goods_return_lines(world, 0, sale, 1, &a)->event.goods_return;
    assert_int_equal(back->amount, 1100);
    assert_int_equal(back->taken, 11 * POINT);
    assert_int_equal(sale->returned->due, 27 * POINT);
    assert_int_equal(sale->returned->returns, 3);
    world_free(world);
}

/* Three A on two lines, at two prices, a thing that was given, and something that takes money off. */
static const struct sale_line shopping[] = {
    { .code = { "A", 1 }, .quantity = 2000, .amount = 2000 },
    { .code = { "B", 1 }, .quantity = 1000, .amount = 500 },
    { .code = { "A", 1 }, .quantity = 1000, .amount = 800 },
    { .code = { "G", 1 }, .kind = LINE_REWARD },
    { .code = { "X", 1 }, .kind = LINE_DISCOUNT, .amount = -330 },
    { .code = { "D", 1 }, .kind = LINE_DEPOSIT, .amount = 25 },
};

struct lines_row {
    const char *what;
    struct return_request_line lines[3];
    enum refusal refusal;
    uint32_t named; /* lines of the purchase that come back */
    minor_units amount;
};

/* Money off is shared by 20.00, 5.00 and 8.00 of goods: 2.00, 0.50 and 0.80. */
static const struct lines_row lines_rows[] = {
    { "a line that is not there, and too much of another",
      { { .number = 1, .quantity = 3000 }, { .number = 7, .quantity = 1 } },
      REFUSAL_UNKNOWN_LINE,
      0,
      0 },
    { "a code that is not there", { { .code = { "Z", 1 } } }, REFUSAL_UNKNOWN_LINE, 0, 0 },
    { "a number with another code", { { .number = 1, .code = { "B", 1 } } }, REFUSAL_UNKNOWN_LINE, 0, 0 },
    { "money off is no goods", { { .number = 5 } }, REFUSAL_UNKNOWN_LINE, 0, 0 },
    { "nor by its code", { { .code = { "X", 1 } } }, REFUSAL_UNKNOWN_LINE, 0, 0 },
    { "more than a line had", { { .number = 3, .quantity = 1001 } }, REFUSAL_MORE_THAN_SOLD, 0, 0 },
    { "more than a code had", { { .quantity = 3001, .code = { "A", 1 } } }, REFUSAL_MORE_THAN_SOLD, 0, 0 },
    { "more than it had together",
      { { .quantity = 2000, .code = { "A", 1 } }, { .number = 1, .quantity = 1 } },
      REFUSAL_MORE_THAN_SOLD,
      0,
      0 },
    { "twice the same", { { .code = { "B", 1 } }, { .code = { "B", 1 } } }, REFUSAL_MORE_THAN_SOLD, 0, 0 },
    { "3 asked, sold as 2 + 1", { { .quantity = 3000, .code = { "A", 1 } } }, REFUSAL_NONE, 2, 2520 },
    { "all of a code", { { .code = { "A", 1 } } }, REFUSAL_NONE, 2, 2520 },
    { "the first of a code", { { .quantity = 1000, .code = { "A", 1 } } }, REFUSAL_NONE, 1, 900 },
    { "what the first request left of a code",
      { { .quantity = 1500, .code = { "A", 1 } }, { .quantity = 1500, .code = { "A", 1 } } },
      REFUSAL_NONE,
      2,
      2520 },
    { "a line, then the rest of its code",
      { { .number = 1 }, { .quantity = 1000, .code = { "A", 1 } } },
      REFUSAL_NONE,
      2,
      2520 },
    { "a thing that was given", { { .code = { "G", 1 } } }, REFUSAL_NONE, 1, 0 },
    { "a deposit", { { .number = 6 } }, REFUSAL_NONE, 1, 25 },
};

static void lines_are_found_by_number_and_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines_rows); i++) {
        const struct lines_row *row = &lines_rows[i];
        uint32_t count = 0;
        while (count < COUNT_OF(row->lines) &&
               (row->lines[count].number != 0 || row->lines[count].code.size > 0))
            count++;
        struct world *world = world_new(1);
        struct world_event *sale = goods_bought_lines(world, 0, COUNT_OF(shopping), shopping);
        struct world_event *booked = goods_return_lines(world, 0, sale, count, row->lines);
        EXPECT(row->what, world->decision.refusal, row->refusal);
        EXPECT(row->what, booked == NULL, row->refusal != REFUSAL_NONE);
        if (booked != NULL) {
            EXPECT(row->what, booked->event.goods_return.line_count, row->named);
            EXPECT(row->what, booked->event.goods_return.amount, row->amount);
        }
        world_free(world);
    }
}

/* The largest receipt, every line with the same code, and a request for each: it is found at once. */
static void the_largest_return_is_found_by_code(void **state)
{
    (void)state;
    static struct sale_line lines[LINES_MAX];
    static struct return_request_line wanted[LINES_MAX];
    for (uint32_t i = 0; i < LINES_MAX; i++) {
        lines[i] = goods("A", 1000, 100);
        wanted[i] = (struct return_request_line){ .quantity = 1000, .code = TEXT_LITERAL("A") };
    }
    struct world *world = world_new(1);
    struct world_event *sale = goods_bought_lines(world, 0, LINES_MAX, lines);
    const struct goods_return *back =
        &goods_return_lines(world, 0, sale, LINES_MAX, wanted)->event.goods_return;
    assert_int_equal(back->line_count, LINES_MAX);
    assert_int_equal(back->taken, (millipoints)LINES_MAX * POINT);
    assert_int_equal(goods_account(world, 0)->balance, 0);
    world_free(world);
}

/* --- refusals, each row breaking one rule fewer than the one above (enum refusal) --- */

enum { NO_SALE = 1, OTHER_CARD = 2, UNDONE = 4, NO_LINE = 8, TOO_MUCH = 16, NO_CARD = 32 };

static const struct {
    const char *what;
    uint32_t faults;
    enum refusal refusal;
} refusal_rows[] = {
    { "unknown card", NO_CARD | NO_SALE | OTHER_CARD | UNDONE | NO_LINE | TOO_MUCH, REFUSAL_UNKNOWN_CARD },
    { "unknown purchase", NO_SALE | OTHER_CARD | UNDONE | NO_LINE | TOO_MUCH, REFUSAL_UNKNOWN_PURCHASE },
    { "other account", OTHER_CARD | UNDONE | NO_LINE | TOO_MUCH, REFUSAL_OTHER_ACCOUNT },
    { "purchase reversed", UNDONE | NO_LINE | TOO_MUCH, REFUSAL_PURCHASE_REVERSED },
    { "unknown line", NO_LINE | TOO_MUCH, REFUSAL_UNKNOWN_LINE },
    { "more than sold", TOO_MUCH, REFUSAL_MORE_THAN_SOLD },
    { "none", 0, REFUSAL_NONE },
};

static void refusals_come_in_their_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refusal_rows); i++) {
        uint32_t faults = refusal_rows[i].faults;
        struct world *world = world_new(2);
        struct world_event *sale = goods_bought_lines(world, 0, COUNT_OF(discounted), discounted);
        if ((faults & UNDONE) != 0)
            assert_non_null(goods_undo(world, sale));
        struct return_request request =
            goods_request(world, (faults & OTHER_CARD) != 0 ? 1 : 0, (faults & NO_SALE) != 0 ? NULL : sale);
        if ((faults & NO_CARD) != 0)
            request.card = TEXT_LITERAL("nobody");
        struct return_request_line lines[] = { { .number = 1,
                                                 .quantity = (faults & TOO_MUCH) != 0 ? 2001 : 1 },
                                               { .number = (faults & NO_LINE) != 0 ? 3 : 2 } };
        request.line_count = COUNT_OF(lines);
        request.lines = lines;
        (void)goods_return(world, &request);
        EXPECT(refusal_rows[i].what, world->decision.refusal, refusal_rows[i].refusal);
        world_free(world);
    }
}

/* Returns work on any status of the card (DOMAIN.md, Cards and accounts). */
static void any_status_may_return(void **state)
{
    (void)state;
    for (enum card_status status = CARD_ACTIVE; status <= CARD_SUSPENSE; status++) {
        struct world *world = world_new(1);
        struct world_event *sale = goods_bought(world, 0, 1000);
        world->cards[0].status = status;
        assert_non_null(goods_return_amount(world, 0, sale, 1000));
        assert_int_equal(goods_account(world, 0)->balance, 0);
        world_free(world);
    }
}

/* What an advice earned for a card that may not earn waits beside its account: the return finds it there. */
static void a_return_finds_suspense(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    goods_give(world, 0, 50 * POINT);
    world->programme.may_earn = 1U << CARD_ACTIVE;
    world->cards[0].status = CARD_BLOCKED;
    world->flags = EVENT_FLAG_ADVICE;
    struct world_event *sale = goods_bought(world, 0, 3000);
    assert_int_equal(sale->event.flags & EVENT_FLAG_SUSPENSE, EVENT_FLAG_SUSPENSE);
    world->flags = 0;
    struct world_event *back = goods_return_amount(world, 0, sale, 1000);
    assert_non_null(back);
    assert_int_equal(back->event.flags & EVENT_FLAG_SUSPENSE, EVENT_FLAG_SUSPENSE);
    assert_int_equal(world->accounts[sale->event.effects[0].account - 1].balance, 20 * POINT);
    assert_int_equal(goods_account(world, 0)->balance, 50 * POINT);
    world_free(world);
}

static void merge(struct world *world, uint32_t from, uint32_t to)
{
    struct merge_request request = { .from_card = world_card(from), .to_card = world_card(to) };
    world_ask(world, decide_merge, &request);
    assert_non_null(world_book(world));
}

/* A merged account's purchase comes back from the target, from the lot that came over. */
static void a_merged_account_returns(void **state)
{
    (void)state;
    struct world *world = world_new(3);
    goods_give(world, 1, 10 * POINT);
    goods_give(world, 2, 10 * POINT);
    struct world_event *sale = goods_bought(world, 0, 3000);
    merge(world, 0, 1);
    merge(world, 1, 2);
    const struct goods_return *back = &goods_return_amount(world, 2, sale, 2000)->event.goods_return;
    assert_int_equal(back->own_taken, 20 * POINT);
    assert_int_equal(goods_account(world, 2)->balance, 30 * POINT);
    world_free(world);
}

/* --- returns that wait, and those without a purchase --- */

static void an_advice_waits_for_its_purchase(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->flags = EVENT_FLAG_ADVICE;
    struct return_request_line lines[] = { { .number = 1 }, { .quantity = 2000, .code = TEXT_LITERAL("A") } };
    struct return_request request = goods_request(world, 0, NULL);
    request.line_count = COUNT_OF(lines);
    request.lines = lines;
    request.waiting = 4711;
    world_ask(world, decide_return, &request); /* no document to wait for */
    assert_int_equal(world->decision.refusal, REFUSAL_UNKNOWN_PURCHASE);
    request.sale_document.number = TEXT_LITERAL("17");
    request.card = TEXT_LITERAL("nobody"); /* nobody is refused */
    world_ask(world, decide_return, &request);
    assert_int_equal(world->decision.refusal, REFUSAL_NONE);
    const struct event *event = &world->decision.event;
    assert_int_equal(event->type, EVENT_RETURN_WAITING);
    assert_int_equal(event->effect_count, 0);
    assert_int_equal(event->waiting.previous, 4711);
    assert_true(text_equal(event->waiting.sale.number, TEXT_LITERAL("17")));
    assert_true(text_equal(event->waiting.card, TEXT_LITERAL("nobody")));
    assert_int_equal(event->waiting.line_count, 2);
    assert_int_equal(event->waiting.lines[1].quantity, 2000);
    world->flags = 0;
    world_ask(world, decide_return, &request);
    assert_int_equal(world->decision.refusal, REFUSAL_UNKNOWN_CARD);
    world_free(world);
}

struct unlinked_row {
    const char *what;
    enum claw_back claw_back;
    millipoints balance, shortfall;
};

/* 70 there, 100 due: by `debt` or else by `balance`. */
static const struct unlinked_row unlinked_rows[] = {
    { "debt", CLAW_BACK_DEBT, -30, 0 },
    { "balance", CLAW_BACK_BALANCE, 0, 30 },
    { "own", CLAW_BACK_OWN, 0, 30 },
    { "pending", CLAW_BACK_PENDING, 0, 30 },
};

static void an_unlinked_return_takes_what_the_goods_would_earn(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(unlinked_rows); i++) {
        const struct unlinked_row *row = &unlinked_rows[i];
        struct world *world = world_new(1);
        world->programme.claw_back = row->claw_back;
        goods_bought(world, 0, 10000);
        assert_int_equal(world_unlinked(world, 0, 3099), REFUSAL_NONE);
        EXPECT(row->what, world_balance(world, 0).available, 70 * POINT);
        EXPECT(row->what, world_balance(world, 0).lifetime, 70 * POINT);
        assert_int_equal(world_unlinked(world, 0, 10000), REFUSAL_NONE);
        const struct account *account = goods_account(world, 0);
        EXPECT(row->what, account->balance, row->balance * POINT);
        EXPECT(row->what, world->decision.event.goods_return.shortfall, row->shortfall * POINT);
        EXPECT(row->what, account->lifetime, -30 * POINT);
        world_free(world);
    }
}

static void unlinked_returns_can_be_switched_off(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    world->programme.unlinked_returns = false;
    assert_int_equal(world_unlinked(world, 0, 100), REFUSAL_UNLINKED_OFF);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twenty_five_earn_two),
        cmocka_unit_test(b_or_an_amount_comes_back),
        cmocka_unit_test(a_cap_keeps_what_the_rest_would_earn),
        cmocka_unit_test(what_was_spent_elsewhere_is_clawed_back),
        cmocka_unit_test(other_points_are_clawed_back_too),
        cmocka_unit_test(a_pending_award_is_taken_by_every_claw_back),
        cmocka_unit_test(holds_are_not_touched),
        cmocka_unit_test(what_expired_counts_as_taken),
        cmocka_unit_test(what_settled_a_debt_is_debt_again),
        cmocka_unit_test(no_more_is_debt_again_than_was),
        cmocka_unit_test(lines_take_their_base),
        cmocka_unit_test(lines_after_an_amount_count_by_their_amount),
        cmocka_unit_test(lines_are_found_by_number_and_code),
        cmocka_unit_test(the_largest_return_is_found_by_code),
        cmocka_unit_test(refusals_come_in_their_order),
        cmocka_unit_test(any_status_may_return),
        cmocka_unit_test(a_return_finds_suspense),
        cmocka_unit_test(a_merged_account_returns),
        cmocka_unit_test(an_advice_waits_for_its_purchase),
        cmocka_unit_test(an_unlinked_return_takes_what_the_goods_would_earn),
        cmocka_unit_test(unlinked_returns_can_be_switched_off),
    };
    return cmocka_run_group_tests_name("returns", tests, NULL, NULL);
}
