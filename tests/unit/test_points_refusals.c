/* Refusals by precedence: each row of an operation breaks one rule fewer than the row above it. */
#include "points_world.h"

#include <string.h>

#define POINT MILLIPOINTS_PER_POINT

/* Card 0 with the state that a row wants; a purchase of 10.00 stands on card `owner`. */
struct setting {
    bool known;
    enum card_status status;
    uint32_t owner;
};

static struct world *world_of(const struct setting *setting, struct world_event **out_sale)
{
    struct world *world = world_new(2);
    struct sale_line line = { .code = { "A", 1 }, .quantity = 1000, .amount = 1000 };
    *out_sale = world_purchase(world, setting->owner, 1000, 1, &line);
    assert_non_null(*out_sale);
    world->cards[0].status = setting->status;
    return world;
}

static struct text card_of(const struct setting *setting)
{
    return setting->known ? world_card(0) : TEXT_LITERAL("unknown");
}

static void assert_refusal(const char *what, const struct decision *decision, enum refusal want)
{
    if (decision->refusal != want)
        fail_msg("%s: refusal %d, wanted %d", what, decision->refusal, want);
}

static void purchase_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct setting setting;
        minor_units line, amount;
        millipoints balance;
        enum refusal want;
    } rows[] = {
        { "sum", { false, CARD_CLOSED, 0 }, 999, 1000, MILLIPOINTS_MAX, REFUSAL_LINES_MISMATCH },
        { "unknown", { false, CARD_CLOSED, 0 }, 1000, 1000, MILLIPOINTS_MAX, REFUSAL_UNKNOWN_CARD },
        { "closed", { true, CARD_CLOSED, 0 }, 1000, 1000, MILLIPOINTS_MAX, REFUSAL_CARD_CLOSED },
        { "replaced", { true, CARD_REPLACED, 0 }, 1000, 1000, MILLIPOINTS_MAX, REFUSAL_CARD_REPLACED },
        { "limit", { true, CARD_BLOCKED, 0 }, 1000, 1000, MILLIPOINTS_MAX, REFUSAL_OVER_LIMIT },
        { "blocked may earn", { true, CARD_BLOCKED, 0 }, 1000, 1000, 0, REFUSAL_NONE },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world_event *sale;
        struct world *world = world_of(&rows[i].setting, &sale);
        if (rows[i].balance > 0) {
            world->accounts[0].balance = rows[i].balance;
            world->accounts[0].lots[0].points = rows[i].balance;
        }
        struct judgement judgement = { .now = world->now };
        struct sale_line line = { .quantity = 1000, .amount = rows[i].line };
        struct purchase_request request = {
            .card = card_of(&rows[i].setting), .amount = rows[i].amount, .line_count = 1, .lines = &line
        };
        decide_purchase(&world->view, &judgement, &request, &world->decision);
        assert_refusal(rows[i].what, &world->decision, rows[i].want);
        world_free(world);
    }
}

static void lines_must_fit_their_kinds(void **state)
{
    (void)state;
    static const struct {
        struct sale_line line;
        const char *detail;
    } rows[] = {
        { { .kind = LINE_SALE, .quantity = 1000, .amount = 999 },
          "the lines add up to 999, the amount is 1000" },
        { { .kind = LINE_DISCOUNT, .amount = 1000 }, "line 1 takes money off, but its amount is above zero" },
        { { .kind = LINE_REWARD, .amount = 1000 }, "line 1 takes money off, but its amount is above zero" },
        { { .kind = LINE_DEPOSIT, .amount = -1000 }, "line 1 is goods, but its amount is below zero" },
        { { .kind = LINE_SALE, .quantity = -1, .amount = 1000 }, "line 1 has a quantity below zero" },
        { { .kind = LINE_SALE, .amount = 1000, .tax = 1001 },
          "line 1 has a tax that is no part of its amount" },
    };
    struct world *world = world_new(1);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_null(world_purchase(world, 0, 1000, 1, &rows[i].line));
        assert_refusal(rows[i].detail, &world->decision, REFUSAL_LINES_MISMATCH);
        assert_string_equal(world->decision.detail, rows[i].detail);
    }
    world_free(world);
}

static void return_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct setting setting;
        bool sale_known;
        const char *code;
        millis_of_unit quantity;
        enum refusal want;
    } rows[] = {
        { "unknown", { false, CARD_CLOSED, 1 }, false, "B", 2000, REFUSAL_UNKNOWN_CARD },
        { "purchase", { true, CARD_CLOSED, 1 }, false, "B", 2000, REFUSAL_UNKNOWN_PURCHASE },
        { "account", { true, CARD_CLOSED, 1 }, true, "B", 2000, REFUSAL_OTHER_ACCOUNT },
        { "line", { true, CARD_CLOSED, 0 }, true, "B", 2000, REFUSAL_UNKNOWN_LINE },
        { "quantity", { true, CARD_CLOSED, 0 }, true, "A", 2000, REFUSAL_MORE_THAN_SOLD },
        { "any status returns", { true, CARD_CLOSED, 0 }, true, "A", 1000, REFUSAL_NONE },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world_event *sale;
        struct world *world = world_of(&rows[i].setting, &sale);
        struct judgement judgement = { .now = world->now };
        struct return_request_line line = { .quantity = rows[i].quantity, .code = text_of(rows[i].code) };
        struct return_request request = { .card = card_of(&rows[i].setting),
                                          .line_count = 1,
                                          .lines = &line,
                                          .sale_position = sale->position };
        request.sale = rows[i].sale_known ? &sale->event : NULL;
        decide_return(&world->view, &judgement, &request, &world->decision);
        assert_refusal(rows[i].what, &world->decision, rows[i].want);
        world_free(world);
    }
}

/* Of several lines the gravest is answered, wherever it stands. */
static void an_unknown_line_goes_before_too_many(void **state)
{
    (void)state;
    struct setting setting = { true, CARD_ACTIVE, 0 };
    struct world_event *sale;
    struct world *world = world_of(&setting, &sale);
    struct return_request_line lines[] = { { .code = { "A", 1 }, .quantity = 1000 },
                                           { .code = { "A", 1 }, .quantity = 1000 },
                                           { .number = 1, .code = { "B", 1 } },
                                           { .number = 2 } };
    assert_int_equal(world_return(world, 0, sale, 0, 4, lines), REFUSAL_UNKNOWN_LINE);
    assert_string_equal(world->decision.detail, "line 3 of the return");
    assert_int_equal(world_return(world, 0, sale, 0, 2, lines), REFUSAL_MORE_THAN_SOLD);
    assert_string_equal(world->decision.detail, "line 2 of the return");
    assert_int_equal(world_return(world, 0, sale, 0, 1, &lines[3]), REFUSAL_UNKNOWN_LINE);
    assert_int_equal(world_return(world, 0, sale, 1001, 0, NULL), REFUSAL_MORE_THAN_SOLD);
    assert_string_equal(world->decision.detail, "1001 comes back, 1000 is left");
    world_free(world);
}

static void redeem_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct setting setting;
        millipoints points;
        enum refusal want;
    } rows[] = {
        { "unknown", { false, CARD_CLOSED, 0 }, 11 * POINT, REFUSAL_UNKNOWN_CARD },
        { "closed", { true, CARD_CLOSED, 0 }, 11 * POINT, REFUSAL_CARD_CLOSED },
        { "replaced", { true, CARD_REPLACED, 0 }, 11 * POINT, REFUSAL_CARD_REPLACED },
        { "blocked", { true, CARD_BLOCKED, 0 }, 11 * POINT, REFUSAL_CARD_BLOCKED },
        { "too few", { true, CARD_ACTIVE, 0 }, 11 * POINT, REFUSAL_NOT_ENOUGH_POINTS },
        { "redeem", { true, CARD_ACTIVE, 0 }, 10 * POINT, REFUSAL_NONE },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world_event *sale;
        struct world *world = world_of(&rows[i].setting, &sale);
        struct judgement judgement = { .now = world->now };
        struct redeem_request request = { .card = card_of(&rows[i].setting),
                                          .wish = { .points = rows[i].points } };
        decide_redeem(&world->view, &judgement, &request, &world->decision);
        assert_refusal(rows[i].what, &world->decision, rows[i].want);
        world_free(world);
    }
}

static void adjust_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct setting setting;
        const char *reason;
        millipoints points;
        bool allow_debt;
        enum refusal want;
    } rows[] = {
        { "unknown", { false, CARD_CLOSED, 0 }, "joy", -11 * POINT, false, REFUSAL_UNKNOWN_CARD },
        { "closed", { true, CARD_CLOSED, 0 }, "joy", -11 * POINT, false, REFUSAL_CARD_CLOSED },
        { "replaced", { true, CARD_REPLACED, 0 }, "joy", -11 * POINT, false, REFUSAL_CARD_REPLACED },
        { "reason", { true, CARD_BLOCKED, 0 }, "joy", -11 * POINT, false, REFUSAL_UNKNOWN_REASON },
        { "points", { true, CARD_BLOCKED, 0 }, "other", -11 * POINT, false, REFUSAL_NOT_ENOUGH_POINTS },
        { "debt", { true, CARD_BLOCKED, 0 }, "other", -11 * POINT, true, REFUSAL_NONE },
        { "down to zero", { true, CARD_BLOCKED, 0 }, "other", -10 * POINT, false, REFUSAL_NONE },
        { "up and over", { true, CARD_ACTIVE, 0 }, "other", MILLIPOINTS_MAX, false, REFUSAL_OVER_LIMIT },
        { "below and under", { true, CARD_ACTIVE, 1 }, "other", -MILLIPOINTS_MAX, true, REFUSAL_NONE },
        { "up", { true, CARD_ACTIVE, 0 }, "other", POINT, false, REFUSAL_NONE },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct world_event *sale;
        struct world *world = world_of(&rows[i].setting, &sale);
        struct judgement judgement = { .now = world->now };
        struct adjust_request request = { .card = card_of(&rows[i].setting),
                                          .points = rows[i].points,
                                          .reason = text_of(rows[i].reason),
                                          .allow_debt = rows[i].allow_debt };
        decide_adjust(&world->view, &judgement, &request, &world->decision);
        assert_refusal(rows[i].what, &world->decision, rows[i].want);
        world_free(world);
    }
}

static void debt_has_a_limit(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    assert_int_equal(world_adjust(world, 0, -MILLIPOINTS_MAX, true), REFUSAL_NONE);
    assert_int_equal(world_adjust(world, 0, -1 * POINT, true), REFUSAL_OVER_LIMIT);
    assert_int_equal(world_unlinked(world, 0, 100), REFUSAL_OVER_LIMIT);
    assert_int_equal(world->accounts[0].balance, -MILLIPOINTS_MAX);
    world_free(world);
}

/* The range "7", "8", "9". */
static bool one_digit_after(const void *ctx, uint64_t step, uint32_t check, char out[32], size_t *out_size)
{
    const char *first = ctx;
    (void)check;
    if (step > (uint64_t)('9' - *first))
        return false;
    out[0] = (char)(*first + (char)step);
    *out_size = 1;
    return true;
}

static void issue_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        const char *first;
        uint32_t count;
        bool check_valid;
        enum refusal want;
        const char *detail;
    } rows[] = {
        { "digit", "2", 9, false, REFUSAL_INVALID_CARD_NUMBER, "its check digit is wrong" },
        { "range", "2", 9, true, REFUSAL_INVALID_CARD_NUMBER, "the range runs out of numbers" },
        { "exists", "1", 9, true, REFUSAL_CARD_EXISTS, "1" },
        { "the last exists", "0", 2, true, REFUSAL_CARD_EXISTS, "1" },
        { "one", "7", 1, true, REFUSAL_NONE, "" },
        { "all", "7", 3, true, REFUSAL_NONE, "" },
    };
    struct world *world = world_new(2);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct judgement judgement = { .now = world->now };
        struct issue_request request = { .card = text_of(rows[i].first),
                                         .count = rows[i].count,
                                         .number_after = one_digit_after,
                                         .ctx = rows[i].first,
                                         .check_valid = rows[i].check_valid };
        decide_issue(&world->view, &judgement, &request, &world->decision);
        assert_refusal(rows[i].what, &world->decision, rows[i].want);
        assert_string_equal(world->decision.detail, rows[i].detail);
        if (rows[i].want == REFUSAL_NONE) {
            assert_int_equal(world->decision.event.cards_issued.first_account, 3);
            assert_int_equal(world->decision.event.cards_issued.count, rows[i].count);
            assert_int_equal(world->decision.event.effect_count, 0);
        }
    }
    world_free(world);
}

static void documents_get_their_day(void **state)
{
    (void)state;
    struct world *world = world_new(1);
    struct judgement judgement = { .now = world->now };
    struct purchase_request request = { .card = world_card(0),
                                        .amount = 100,
                                        .time = WORLD_START - 3 * US_PER_DAY,
                                        .document = { .store = { "S", 1 }, .till = { "T", 1 } } };
    decide_purchase(&world->view, &judgement, &request, &world->decision);
    const struct event *event = &world->decision.event;
    assert_int_equal(event->document.kind, DOCUMENT_NONE);
    assert_int_equal(event->document.business_date,
                     calendar_day(&world->programme.calendar, WORLD_START) - 3);
    assert_true(text_equal(event->store, TEXT_LITERAL("S")));
    assert_true(text_equal(event->till, TEXT_LITERAL("T")));
    assert_int_equal(event->effects[0].lot_changes[0].matures, event->document.business_date);
    request.document.number = TEXT_LITERAL("R1");
    request.document.business_date = 20000;
    decide_purchase(&world->view, &judgement, &request, &world->decision);
    assert_int_equal(event->document.kind, DOCUMENT_SALE);
    assert_int_equal(event->document.business_date, 20000);
    /* A till whose clock is ahead: the points are there today. */
    request.time = WORLD_START + US_PER_DAY;
    decide_purchase(&world->view, &judgement, &request, &world->decision);
    assert_int_equal(event->purchase.matures, calendar_day(&world->programme.calendar, WORLD_START));
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(purchase_refusals),       cmocka_unit_test(lines_must_fit_their_kinds),
        cmocka_unit_test(return_refusals),         cmocka_unit_test(an_unknown_line_goes_before_too_many),
        cmocka_unit_test(redeem_refusals),         cmocka_unit_test(adjust_refusals),
        cmocka_unit_test(debt_has_a_limit),        cmocka_unit_test(issue_refusals),
        cmocka_unit_test(documents_get_their_day),
    };
    return cmocka_run_group_tests_name("points refusals", tests, NULL, NULL);
}
