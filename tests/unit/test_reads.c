/*
 * What staff and auditors read of accounts and events, through the service: card show, statement, why.
 */
#include "service_acts.h"

#include <string.h>

/* --- card show --- */

static const struct msg_card_show_answer *show(struct service_world *world, const char *card, uint64_t at)
{
    struct msg_card_show_request request;
    message_init(MESSAGE_card_show_request, &request);
    request.card = code(card);
    request.at = at;
    request.lots = 1;
    assert_int_equal(service_call(world, OPERATION_CARD_SHOW, 0, &request), RESULT_DONE);
    return &world->reply.message.card_show_answer;
}

static uint64_t now_of(struct service_world *world)
{
    return (uint64_t)ledger_now(world->ledger);
}

static void a_card_shows_all_of_its_account(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    uint64_t account = issue(world, "100");
    (void)buy(world, "100", 21050, "S1", "r1", false);
    tag(world, "100", "vip");
    uint64_t held = hold_points(world, "100", 100);
    block(world, "100");
    (void)buy(world, "100", 1000, "S1", "r2", false);
    const struct msg_card_show_answer *answer = show(world, "100", 0);
    assert_int_equal(answer->account, account);
    assert_int_equal(answer->status, CARD_BLOCKED);
    assert_int_equal(answer->available, 220); /* 300 + 10 and 5 for silver, 5 for the coupon, less 100 held */
    assert_int_equal(answer->held, 100);
    assert_int_equal(answer->lifetime, 320);
    assert_int_equal(answer->cards, 1);
    assert_code(&answer->tier, "silver");
    assert_int_equal(answer->pin, 0);
    assert_true(answer->last_purchase > 0);
    assert_int_equal(answer->flags, 0);
    assert_int_equal(answer->tags_count, 1);
    assert_code(&answer->tags[0].tag, "vip");
    assert_int_equal(answer->holds_count, 1);
    assert_int_equal(answer->holds[0].hold, held);
    assert_int_equal(answer->holds[0].points, 100);
    assert_int_equal(answer->lots_count, 2);
    assert_int_equal(answer->lots[0].points, 300);
    assert_int_equal(answer->lots[0].held, 100);
    assert_int_equal(answer->lots[1].points, 20);
    service_world_free(world);
}

/* Time does not stand still between two events; the ledger's is read once a turn. */
static uint64_t moment(struct service_world *world)
{
    struct msg_ping_request ping;
    message_init(MESSAGE_ping_request, &ping);
    uint64_t before = now_of(world);
    while (now_of(world) <= before + 1)
        assert_int_equal(service_call(world, OPERATION_PING, 0, &ping), RESULT_DONE);
    return now_of(world) - 1;
}

static void a_card_shows_what_it_was(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    uint64_t early = moment(world);
    (void)issue(world, "100");
    uint64_t account = issue(world, "200");
    (void)buy(world, "100", 5000, "S1", "r1", false);
    uint64_t first = moment(world);
    (void)buy(world, "200", 1000, "S1", "r2", false);
    tag(world, "200", "vip");
    (void)redeem(world, "100");
    block(world, "200");
    uint64_t second = moment(world);
    (void)merge(world, "200", "100");
    uint64_t third = moment(world);
    for (int i = 0; i < 300; i++)
        (void)adjust(world, "100", 1);
    const struct msg_card_show_answer *answer = show(world, "100", first);
    assert_int_equal(answer->available, 55);
    assert_int_equal(answer->tags_count, 0);
    answer = show(world, "200", first);
    assert_int_equal(answer->account, account);
    assert_int_equal(answer->available, 0);
    assert_int_equal(answer->status, CARD_ACTIVE);
    answer = show(world, "100", second);
    assert_int_equal(answer->available, 35);
    answer = show(world, "200", second);
    assert_int_equal(answer->account, account);
    assert_int_equal(answer->available, 15);
    assert_int_equal(answer->status, CARD_BLOCKED);
    assert_code(&answer->tags[0].tag, "vip");
    answer = show(world, "200", third);
    assert_int_equal(answer->account, 1);
    assert_int_equal(answer->available, 50);
    assert_int_equal(answer->cards, 2);
    assert_int_equal(answer->lots_count, 2);
    assert_int_equal(show(world, "200", 0)->available, 350);
    /* At the last event, it is what it is. */
    assert_int_equal(show(world, "100", moment(world))->available, 350);
    struct msg_card_show_request request;
    message_init(MESSAGE_card_show_request, &request);
    request.card = code("200");
    request.at = early;
    assert_int_equal(service_call(world, OPERATION_CARD_SHOW, 0, &request), RESULT_UNKNOWN_CARD);
    service_world_free(world);
}

/* --- statement --- */

static const struct msg_statement_answer *statement(struct service_world *world, const char *card,
                                                    uint64_t from, uint64_t limit, bool merged)
{
    struct msg_statement_request request;
    message_init(MESSAGE_statement_request, &request);
    request.card = code(card);
    request.from = from;
    request.limit = limit;
    request.with_merged = merged;
    assert_int_equal(service_call(world, OPERATION_STATEMENT, 0, &request), RESULT_DONE);
    return &world->reply.message.statement_answer;
}

static void a_statement_says_what_events_were_about(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    (void)issue(world, "100");
    uint64_t sale = buy(world, "100", 5000, "S1", "r1", false);
    uint64_t back = give_back(world, "100", sale, 2000);
    (void)adjust(world, "100", 7);
    block(world, "100");
    const struct msg_statement_answer *answer = statement(world, "100", 0, 50, false);
    static const uint64_t kinds[] = { EVENT_CARD_STATUS, EVENT_ADJUSTMENT, EVENT_RETURN, EVENT_PURCHASE,
                                      EVENT_CARDS_ISSUED };
    assert_int_equal(answer->next, 0);
    assert_int_equal(answer->entries_count, COUNT_OF(kinds));
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        assert_int_equal(answer->entries[i].kind, kinds[i]);
    assert_code(&answer->entries[0].card, "100");
    assert_code(&answer->entries[1].reason, "goodwill");
    assert_int_equal(answer->entries[1].balance, 42);
    assert_int_equal(answer->entries[2].position, back);
    assert_int_equal(answer->entries[2].refers, sale);
    assert_int_equal(answer->entries[2].points, -20);
    assert_code(&answer->entries[3].receipt, "r1");
    /* A page may begin anywhere: only events of the account are shown. */
    answer = statement(world, "100", sale + 1, 50, false);
    assert_int_equal(answer->entries_count, 2);
    assert_int_equal(answer->entries[0].position, sale);
    service_world_free(world);
}

static void a_statement_goes_on_with_merged_accounts(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    uint64_t want[5];
    (void)issue(world, "100");
    (void)issue(world, "200");
    want[4] = buy(world, "200", 5000, "S1", "r1", false);
    want[3] = buy(world, "100", 1000, "S1", "r2", false);
    want[2] = adjust(world, "200", 3);
    want[1] = merge(world, "200", "100");
    want[0] = adjust(world, "100", 1);
    const struct msg_statement_answer *answer = statement(world, "200", 0, 50, false);
    assert_int_equal(answer->entries_count, 4); /* of 100 alone */
    uint64_t next = 0;
    size_t rows = 0;
    do {
        answer = statement(world, "200", next, 2, true);
        for (uint64_t i = 0; i < answer->entries_count; i++, rows++) {
            if (rows < 5)
                assert_int_equal(answer->entries[i].position, want[rows]);
        }
        next = answer->next;
    } while (next != 0);
    assert_int_equal(rows, 7);
    answer = statement(world, "100", want[1], 1, true);
    assert_int_equal(answer->entries[0].kind, EVENT_MERGE);
    assert_int_equal(answer->entries[0].points, 58);
    assert_int_equal(answer->entries[0].balance, 73);
    assert_code(&answer->entries[0].card, "account 2");
    service_world_free(world);
}

/* --- why --- */

static enum result why(struct service_world *world, uint64_t event, const char *card)
{
    struct msg_why_request request;
    message_init(MESSAGE_why_request, &request);
    request.event = event;
    request.card = code(card);
    return service_call(world, OPERATION_WHY, 0, &request);
}

static const struct msg_why_answer *explained(struct service_world *world, uint64_t event, const char *card)
{
    assert_int_equal(why(world, event, card), RESULT_DONE);
    assert_int_equal(world->reply.message.why_answer.position, event);
    return &world->reply.message.why_answer;
}

static void a_purchase_is_explained_rule_by_rule(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    uint64_t account = issue(world, "100");
    uint64_t sale = buy(world, "100", 21050, "S1", "r1", false);
    const struct msg_why_answer *answer = explained(world, sale, "100");
    assert_int_equal(answer->kind, EVENT_PURCHASE);
    assert_int_equal(answer->account, account);
    assert_int_equal(answer->points, 300);
    assert_int_equal(answer->balance, 300);
    assert_code(&answer->store, "S1");
    assert_code(&answer->till, "1");
    assert_code(&answer->receipt, "r1");
    assert_code(&answer->operator, "ann");
    assert_code(&answer->tier, "silver");
    assert_int_equal(answer->programme_version, 1);
    assert_int_equal(answer->amount, 21050);
    assert_int_equal(answer->base, 21050);
    assert_int_equal(answer->earned, 300);
    assert_int_equal(answer->trimmed, 20);
    /* 210, half of it for silver, 5 for the coupon, less what is above 300 (DOMAIN.md, Earning). */
    static const struct {
        uint64_t kind;
        const char *name;
        int64_t result;
    } parts[] = { { PART_SPEND, "euro", 210000 },
                  { PART_TIER, "silver", 105000 },
                  { PART_ADD, "extra", 5000 },
                  { PART_CAP_RECEIPT, "receipt", -20000 } };
    assert_int_equal(answer->parts_count, COUNT_OF(parts));
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        assert_int_equal(answer->parts[i].kind, parts[i].kind);
        assert_code(&answer->parts[i].name, parts[i].name);
        assert_int_equal(answer->parts[i].result, parts[i].result);
    }
    assert_int_equal(answer->moves_count, 1);
    assert_int_equal(answer->moves[0].kind, LOT_ADD);
    assert_int_equal(answer->moves[0].points, 300);
    assert_int_equal(answer->moves[0].account, account);
    assert_int_equal(answer->moves[0].last_day, answer->last_day);
    service_world_free(world);
}

static void other_events_are_explained(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    (void)issue(world, "100");
    uint64_t sale = buy(world, "100", 5000, "S1", "r1", false);
    uint64_t redeemed = redeem(world, "100");
    uint64_t returned = give_back(world, "100", sale, 5000);
    uint64_t adjusted = adjust(world, "100", -40);
    const struct msg_why_answer *answer = explained(world, redeemed, "");
    assert_int_equal(answer->kind, EVENT_REDEMPTION);
    assert_int_equal(answer->points, -20);
    assert_int_equal(answer->spent_count, 1);
    assert_code(&answer->spent[0].reward, "cinema");
    assert_code(&answer->spent[0].voucher, "C1");
    answer = explained(world, returned, "");
    assert_int_equal(answer->refers, sale);
    assert_int_equal(answer->due, 55);
    assert_int_equal(answer->taken, 55);
    assert_int_equal(answer->debt_added, 20);
    assert_int_equal(answer->amount, 5000);
    answer = explained(world, adjusted, "");
    assert_code(&answer->reason, "goodwill");
    assert_int_equal(answer->note.size, 6);
    assert_memory_equal(answer->note.data, "a note", 6);
    assert_int_equal(answer->balance, -60);
    service_world_free(world);
}

static void a_purchase_is_found_by_its_receipt(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    (void)issue(world, "100");
    uint64_t sale = buy(world, "100", 5000, "S1", "r1", false);
    struct msg_why_request request;
    message_init(MESSAGE_why_request, &request);
    request.store = code("S1");
    request.till = code("1");
    request.receipt = code("r1");
    assert_int_equal(service_call(world, OPERATION_WHY, 0, &request), RESULT_DONE);
    assert_int_equal(world->reply.message.why_answer.position, sale);
    request.receipt = code("r2");
    assert_int_equal(service_call(world, OPERATION_WHY, 0, &request), RESULT_UNKNOWN_PURCHASE);
    service_world_free(world);
}

/* Bytes that an advice carries may look like an event: only positions where one begins are believed. */
static void only_events_are_explained(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    (void)issue(world, "100");
    (void)issue(world, "200");
    uint64_t sale = buy(world, "100", 5000, "S1", "r1", false);
    uint64_t last = buy(world, "200", 5000, "S1", "r2", false);
    for (uint64_t position = sale + 1; position < sale + 8; position++)
        assert_int_equal(why(world, position, ""), RESULT_UNKNOWN_EVENT);
    assert_int_equal(why(world, last + 4096, ""), RESULT_UNKNOWN_EVENT);
    assert_int_equal(why(world, sale, "200"), RESULT_OTHER_ACCOUNT);
    assert_int_equal(why(world, sale, "300"), RESULT_UNKNOWN_CARD);
    /* The first event is the daemon's own: the programme. No request leads to it. */
    uint64_t found = 0;
    for (uint64_t position = 1; position < 512 && found == 0; position++)
        found = why(world, position, "") == RESULT_DONE ? position : 0;
    assert_true(found > 0);
    assert_int_equal(world->reply.message.why_answer.kind, EVENT_PROGRAMME);
    assert_int_equal(world->reply.message.why_answer.programme_version, 1);
    service_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_shows_all_of_its_account),
        cmocka_unit_test(a_card_shows_what_it_was),
        cmocka_unit_test(a_statement_says_what_events_were_about),
        cmocka_unit_test(a_statement_goes_on_with_merged_accounts),
        cmocka_unit_test(a_purchase_is_explained_rule_by_rule),
        cmocka_unit_test(other_events_are_explained),
        cmocka_unit_test(a_purchase_is_found_by_its_receipt),
        cmocka_unit_test(only_events_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
