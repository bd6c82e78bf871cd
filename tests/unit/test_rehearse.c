/*
 * Rehearsals: receipts that were booked, rated again by a draft (DOMAIN.md, Back office).
 */
#include "service_acts.h"

#include <string.h>

#include "ledger/fold.h"
#include "random.h"

#define HEAD "programme: Draft\ncurrency: EUR\n"
#define EURO "base: [{rule: spend, name: euro, points: 1, amount: 1.00}]\n"

static enum result rehearse(struct service_world *world, const char *draft, uint64_t days)
{
    struct msg_programme_rehearse_request request;
    message_init(MESSAGE_programme_rehearse_request, &request);
    request.days = days;
    request.text = (struct message_text){ draft, strlen(draft) };
    return service_call(world, OPERATION_PROGRAMME_REHEARSE, 0, &request);
}

static const struct msg_programme_rehearse_answer *rehearsed(struct service_world *world, const char *draft)
{
    assert_int_equal(rehearse(world, draft, 1), RESULT_DONE);
    return &world->reply.message.programme_rehearse_answer;
}

/* Undoes an earlier change. */
static void undo(struct service_world *world, uint64_t number)
{
    struct msg_reversal_request request;
    message_init(MESSAGE_reversal_request, &request);
    request.epoch = 77;
    request.number = number;
    request.store = code("S1");
    request.till = code("1");
    assert_int_equal(service_call(world, OPERATION_REVERSAL, 0, &request), RESULT_DONE);
}

/* Two accounts; 100 earns 55 and 25, 200 earns 15. */
static void make_business(struct service_world *world)
{
    (void)issue(world, "100");
    (void)issue(world, "200");
    (void)buy(world, "100", 5000, "S1", "r1", false);
    (void)buy(world, "100", 2000, "S2", "r2", false);
    (void)buy(world, "200", 1000, "S1", "r3", false);
}

static const struct msg_rehearsed_rule *rule_of(const struct msg_programme_rehearse_answer *answer,
                                                uint64_t kind, const char *name)
{
    for (uint64_t i = 0; i < answer->rules_count; i++) {
        const struct msg_rehearsed_rule *rule = &answer->rules[i];
        if (rule->kind == kind && rule->name.size == strlen(name) &&
            memcmp(rule->name.bytes, name, rule->name.size) == 0)
            return rule;
    }
    fail_msg("no rule %s", name);
    return NULL;
}

static void a_draft_is_held_against_what_was_booked(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    make_business(world);
    const struct msg_programme_rehearse_answer *answer =
        rehearsed(world, HEAD "base:\n  - {rule: spend, name: euro, points: 1, amount: 2.00}\n"
                              "offers:\n  - {offer: add, name: store, points: 20, stores: [S2]}\n...\n");
    assert_int_equal(answer->receipts, 3);
    assert_int_equal(answer->accounts, 2);
    assert_int_equal(answer->old_points, 95);
    assert_int_equal(answer->new_points, 25 + 10 + 20 + 5);
    assert_int_equal(answer->old_liability, 95);
    assert_int_equal(answer->new_liability, 60);
    assert_int_equal(rule_of(answer, PART_SPEND, "euro")->old_points, 80);
    assert_int_equal(rule_of(answer, PART_SPEND, "euro")->new_points, 40);
    assert_int_equal(rule_of(answer, PART_ADD, "extra")->old_points, 15);
    assert_int_equal(rule_of(answer, PART_ADD, "extra")->new_points, 0);
    assert_int_equal(rule_of(answer, PART_ADD, "store")->new_points, 20);
    assert_int_equal(answer->gain_count, 0);
    assert_int_equal(answer->lose_count, 2);
    assert_int_equal(answer->lose[0].account, 1);
    assert_int_equal(answer->lose[0].old_points, 80);
    assert_int_equal(answer->lose[0].new_points, 55);
    assert_int_equal(answer->lose[1].account, 2);
    assert_int_equal(answer->lose[1].new_points, 5);
    service_world_free(world);
}

static void what_came_back_lowers_both_sides(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    (void)issue(world, "100");
    uint64_t sale = buy(world, "100", 5000, "S1", "r1", false); /* 55 */
    (void)give_back(world, "100", sale, 2000);                  /* 35 are kept */
    (void)buy(world, "100", 700, "S1", "r2", false);
    undo(world, world->number);
    const struct msg_programme_rehearse_answer *answer =
        rehearsed(world, HEAD "base: [{rule: spend, name: euro, points: 2, amount: 1.00}]\n...\n");
    assert_int_equal(answer->receipts, 1);
    assert_int_equal(answer->old_points, 35);
    assert_int_equal(answer->new_points, 60);
    assert_int_equal(answer->old_liability, 35);
    assert_int_equal(answer->new_liability, 60);
    service_world_free(world);
}

static void limits_and_caps_of_the_draft_count(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    make_business(world);
    const struct msg_programme_rehearse_answer *answer = rehearsed(
        world, HEAD EURO "offers: [{offer: add, name: once, points: 7, limit: {uses: 1, per: ever}}]\n...\n");
    assert_int_equal(answer->new_points, 80 + 2 * 7);
    answer = rehearsed(world, HEAD EURO "caps: {day: 60}\n...\n");
    assert_int_equal(answer->new_points, 60 + 10);
    assert_int_equal(rule_of(answer, PART_CAP_DAY, "day")->new_points, -10);
    answer = rehearsed(world, HEAD EURO "caps: {balance: 52}\n...\n");
    assert_int_equal(answer->new_points, 52 + 10);
    service_world_free(world);
}

static void tags_and_tiers_count_as_far_as_known(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    make_business(world);
    (void)buy(world, "200", 10000, "S1", "r4", false); /* silver: 100 + 50 + 5 */
    tag(world, "200", "vip");
    const struct msg_programme_rehearse_answer *answer =
        rehearsed(world, HEAD EURO "tiers: {levels: [{name: silver, from: 1.00, multiply: 3}]}\n"
                                   "offers: [{offer: add, name: vips, points: 4, tags: [vip]}]\n...\n");
    assert_int_equal(rule_of(answer, PART_TIER, "silver")->old_points, 50);
    assert_int_equal(rule_of(answer, PART_TIER, "silver")->new_points, 200);
    assert_int_equal(rule_of(answer, PART_ADD, "vips")->new_points, 8);
    assert_int_equal(answer->gain_count, 1);
    assert_int_equal(answer->gain[0].account, 2);
    service_world_free(world);
}

/* --- a property: by the programme that booked them, receipts earn what they have earned --- */

static void buy_at_random(struct service_world *world, struct random *random, uint64_t *out_sale,
                          uint64_t *out_lines)
{
    struct msg_purchase_request request;
    struct msg_line lines[4];
    message_init(MESSAGE_purchase_request, &request);
    request.card = code(random_below(random, 2) == 0 ? "100" : "200");
    request.store = code("S1");
    request.till = code("1");
    request.lines = lines;
    request.lines_count = 1 + random_below(random, 3);
    *out_lines = request.lines_count;
    for (uint64_t i = 0; i < request.lines_count; i++) {
        message_init(MESSAGE_line, &lines[i]);
        lines[i].code = code(random_below(random, 2) == 0 ? "A" : "B");
        lines[i].quantity = 1000 * (1 + random_below(random, 5));
        lines[i].amount = (int64_t)random_below(random, 9000);
        request.amount += (uint64_t)lines[i].amount;
    }
    if (random_below(random, 3) == 0 && request.amount > 0) {
        struct msg_line *discount = &lines[request.lines_count++];
        message_init(MESSAGE_line, discount);
        discount->code = code("D");
        discount->kind = LINE_DISCOUNT;
        discount->amount = -(int64_t)random_below(random, request.amount);
        request.amount -= (uint64_t)-discount->amount;
    }
    assert_int_equal(service_call(world, OPERATION_PURCHASE, 0, &request), RESULT_DONE);
    *out_sale = world->reply.message.purchase_answer.position;
}

/* A line, or an amount: more than there was is refused, and that is fine. */
static void return_at_random(struct service_world *world, struct random *random, uint64_t sale,
                             uint64_t lines)
{
    for (const char *const *card = (const char *const[]){ "100", "200", NULL }; *card != NULL; card++) {
        struct msg_return_request request;
        struct msg_return_line line;
        message_init(MESSAGE_return_request, &request);
        message_init(MESSAGE_return_line, &line);
        request.card = code(*card);
        request.store = code("S1");
        request.till = code("1");
        request.sale_position = sale;
        if (random_below(random, 3) == 0) {
            request.amount = 1 + random_below(random, 4000);
        } else {
            line.number = 1 + random_below(random, lines);
            line.quantity = 1000;
            request.lines = &line;
            request.lines_count = 1;
        }
        (void)service_call(world, OPERATION_RETURN, 0, &request);
    }
}

static void the_same_rules_give_the_same_points(void **state)
{
    (void)state;
    static const char same[] = HEAD "base_combine: sum\n"
                                    "base:\n"
                                    "  - {rule: spend, name: euro, points: 1, amount: 3.00}\n"
                                    "  - {rule: item, name: bees, points: 5, include: {codes: [B]}}\n"
                                    "  - {rule: visit, name: visit, points: 2, minimum: 40.00}\n"
                                    "offers:\n"
                                    "  - {offer: multiply, name: half, factor: 1.5, minimum: 90.00}\n"
                                    "caps: {receipt: 70}\n"
                                    "...\n";
    struct service_world *world = service_world_new(same);
    struct random random = random_seeded();
    uint64_t sales[8], lines[8];
    (void)issue(world, "100");
    (void)issue(world, "200");
    for (uint32_t i = 0; i < 250; i++) {
        uint32_t at = i % COUNT_OF(sales);
        buy_at_random(world, &random, &sales[at], &lines[at]);
        at = (uint32_t)random_below(&random, i < COUNT_OF(sales) ? i + 1 : COUNT_OF(sales));
        return_at_random(world, &random, sales[at], lines[at]);
    }
    const struct msg_programme_rehearse_answer *answer = rehearsed(world, same);
    assert_int_equal(answer->receipts, 250);
    assert_int_equal(answer->accounts, 2);
    assert_true(answer->old_points > 0);
    assert_int_equal(answer->new_points, answer->old_points);
    assert_int_equal(answer->new_liability, answer->old_liability);
    for (uint64_t i = 0; i < answer->rules_count; i++)
        assert_int_equal(answer->rules[i].new_points, answer->rules[i].old_points);
    assert_int_equal(answer->gain_count, 0);
    assert_int_equal(answer->lose_count, 0);
    service_world_free(world);
}

/* --- what is refused --- */

static void a_rehearsal_may_be_refused(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    make_business(world);
    uint64_t events = ledger_fold(world->ledger)->totals.events;
    assert_int_equal(rehearse(world, HEAD EURO "...\n", 0), RESULT_MALFORMED);
    assert_int_equal(rehearse(world, HEAD "...\n", 1), RESULT_INVALID_PROGRAMME);
    assert_int_equal(rehearse(world, "programme: D\ncurrency: USD\n" EURO "...\n", 1),
                     RESULT_INVALID_PROGRAMME);
    world->service->rehearsing = true;
    assert_int_equal(rehearse(world, HEAD EURO "...\n", 1), RESULT_BUSY);
    world->service->rehearsing = false;
    assert_int_equal(rehearse(world, HEAD EURO "...\n", 3660), RESULT_DONE);
    assert_false(world->service->rehearsing);
    assert_int_equal(ledger_fold(world->ledger)->totals.events, events); /* nothing was booked */
    service_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_draft_is_held_against_what_was_booked),
        cmocka_unit_test(what_came_back_lowers_both_sides),
        cmocka_unit_test(limits_and_caps_of_the_draft_count),
        cmocka_unit_test(tags_and_tiers_count_as_far_as_known),
        cmocka_unit_test(the_same_rules_give_the_same_points),
        cmocka_unit_test(a_rehearsal_may_be_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
