/*
 * What tills are told less of, refused or read more slowly for, and the flags that the office gets to see (RELIABILITY.md,
 * Limits; Audit and abuse).
 */
#include <string.h>

#include "ledger/fold.h"
#include "service_acts.h"
#include "service_people.h"

static const char programme[] =
    "programme: Flags\n"
    "base: [{rule: spend, name: euro, points: 1, amount: 1.00}]\n"
    "abuse: {card_hour: 2, card_day: 0, card_day_block: 3, operator_card: 0, late: 0}\n"
    "receipt_text:\n"
    "  - {language: en, purchase: [\"earned {earned}\", \"now {available}\"]}\n"
    "...\n";

static enum result show(struct service_world *world, const char *card)
{
    struct msg_card_show_request request;
    message_init(MESSAGE_card_show_request, &request);
    request.card = code(card);
    return service_call(world, OPERATION_CARD_SHOW, 0, &request);
}

/* A number that was to be tried again is the next one's. */
static enum result purchase(struct service_world *world, const char *card, uint64_t amount, uint16_t flags)
{
    struct msg_purchase_request request;
    message_init(MESSAGE_purchase_request, &request);
    request.card = code(card);
    request.amount = amount;
    request.store = code("S1");
    request.till = code("1");
    world->number = world->session->lane->highest;
    return service_call(world, OPERATION_PURCHASE, flags, &request);
}

static const struct msg_flag_list_answer *list(struct service_world *world, uint64_t from, uint64_t limit)
{
    struct msg_flag_list_request request;
    message_init(MESSAGE_flag_list_request, &request);
    request.from = from;
    request.limit = limit;
    assert_int_equal(service_call(world, OPERATION_FLAG_LIST, 0, &request), RESULT_DONE);
    return &world->reply.message.flag_list_answer;
}

static enum result resolve(struct service_world *world, uint64_t flag)
{
    struct msg_flag_resolve_request request;
    message_init(MESSAGE_flag_resolve_request, &request);
    request.flag = flag;
    request.note = message_text_of("looked at", 400);
    return service_call(world, OPERATION_FLAG_RESOLVE, 0, &request);
}

static void assert_words(struct message_text got, const char *want)
{
    assert_int_equal(got.size, strlen(want));
    assert_memory_equal(got.data, want, got.size);
}

/* --- flags --- */

static void flags_are_listed_and_resolved(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    uint64_t account = issue(world, "100");
    uint64_t at[4];
    for (size_t i = 0; i < COUNT_OF(at); i++) {
        assert_int_equal(purchase(world, "100", 1000, 0), RESULT_DONE);
        assert_int_equal(world->reply.message.purchase_answer.flags, 0);
        at[i] = world->reply.message.purchase_answer.position;
    }
    const struct msg_flag_list_answer *got = list(world, 0, 50);
    assert_int_equal(got->open, 3);
    assert_int_equal(got->entries_count, 3);
    assert_int_equal(got->next, 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(got->entries[i].flag, at[i + 1]);
    const struct msg_flag_entry *entry = &got->entries[0];
    assert_int_equal(entry->kinds, FLAG_CARD_HOUR);
    assert_code(&entry->event, "purchase");
    assert_int_equal(entry->identity, IDENTITY_LOCAL);
    assert_words(entry->actor, "local");
    assert_int_equal(entry->account, account);
    assert_code(&entry->store, "S1");
    assert_code(&entry->till, "1");
    assert_int_equal(entry->points, 10);
    assert_int_equal(entry->amount, 1000);

    assert_int_equal(resolve(world, at[0]), RESULT_UNKNOWN_FLAG);
    assert_int_equal(resolve(world, at[1]), RESULT_DONE);
    assert_int_equal(world->reply.message.flag_resolve_answer.open, 2);
    assert_int_equal(resolve(world, at[1]), RESULT_UNKNOWN_FLAG);
    service_world_restart(world);
    assert_int_equal(service_hello(world, 77), RESULT_DONE);
    got = list(world, 0, 1);
    assert_int_equal(got->open, 2);
    assert_int_equal(got->entries_count, 1);
    assert_int_equal(got->entries[0].flag, at[2]);
    assert_int_equal(got->next, at[3]);
    got = list(world, at[3], 1);
    assert_int_equal(got->entries_count, 1);
    assert_int_equal(got->entries[0].flag, at[3]);
    assert_int_equal(got->next, 0);
    assert_int_equal(list(world, at[3] + 1, 1)->entries_count, 0);
    service_world_free(world);
}

static void tills_are_refused_what_is_too_often(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    uint64_t till = add_till(world, "S1", "1");
    issue(world, "100");
    uint64_t conn = join_as(world, till, 5);
    assert_int_equal(purchase(world, "100", 1000, 0), RESULT_DONE);
    assert_int_equal(purchase(world, "100", 1000, 0), RESULT_DONE);
    assert_int_equal(purchase(world, "100", 1000, 0), RESULT_TOO_OFTEN);
    assert_int_equal(purchase(world, "100", 1000, FRAME_FLAG_ADVICE), RESULT_DONE);
    service_speak(world, 1);
    assert_int_equal(purchase(world, "100", 1000, 0), RESULT_DONE);
    const struct msg_flag_list_answer *got = list(world, 0, 50);
    assert_int_equal(got->entries_count, 3);
    assert_words(got->entries[0].actor, "S1/1");
    assert_int_equal(got->entries[1].kinds, FLAG_CARD_HOUR | FLAG_BLOCKED_LIMIT);
    assert_int_equal(got->entries[2].kinds, FLAG_CARD_HOUR);
    service_speak(world, conn);
    assert_int_equal(purchase(world, "100", 1000, 0), RESULT_TOO_OFTEN);
    service_world_free(world);
}

/* --- unknown cards --- */

static void lock(struct service_world *world)
{
    for (int i = 0; i < 4; i++) {
        assert_int_equal(show(world, "999"), RESULT_UNKNOWN_CARD);
        assert_int_equal(purchase(world, "998", 100, 0), RESULT_UNKNOWN_CARD);
    }
    assert_int_equal(show(world, "100"), RESULT_DONE); /* eight are not ten */
    assert_int_equal(purchase(world, "997", 100, FRAME_FLAG_ADVICE), RESULT_DONE);
    assert_int_equal(world->reply.message.purchase_answer.flags, ANSWER_FLAG_SUSPENSE);
    assert_int_equal(show(world, "100"), RESULT_DONE);
    assert_int_equal(show(world, "999"), RESULT_UNKNOWN_CARD);
}

static void a_locked_till_looks_no_card_up(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    uint64_t till = add_till(world, "S1", "1");
    uint64_t other = add_till(world, "S1", "2");
    uint64_t office = add_user(world, ROLE_OFFICE, "olga");
    issue(world, "100");
    issue(world, "101");
    uint64_t conn = join_as(world, till, 5);
    lock(world);
    assert_int_equal(show(world, "100"), RESULT_UNKNOWN_CARD);
    assert_int_equal(world->reply.message.refusal.detail.size, 0);
    assert_int_equal(purchase(world, "100", 100, 0), RESULT_UNKNOWN_CARD);
    assert_int_equal(show(world, "999"), RESULT_UNKNOWN_CARD);
    struct msg_card_issue_request card; /* a number that exists is not told by `card exists` */
    message_init(MESSAGE_card_issue_request, &card);
    card.card = code("100");
    assert_int_equal(service_call(world, OPERATION_CARD_ISSUE, 0, &card), RESULT_UNKNOWN_CARD);
    struct msg_ping_request ping;
    message_init(MESSAGE_ping_request, &ping);
    assert_int_equal(service_call(world, OPERATION_PING, 0, &ping), RESULT_DONE);

    (void)join_as(world, other, 6);
    assert_int_equal(show(world, "100"), RESULT_DONE);
    (void)join_as(world, office, 7);
    for (int i = 0; i < 20; i++)
        assert_int_equal(show(world, "999"), RESULT_UNKNOWN_CARD);
    assert_int_equal(show(world, "100"), RESULT_DONE);
    const struct msg_flag_list_answer *got = list(world, 0, 50);
    assert_int_equal(got->entries_count, 1); /* one alarm a lock */
    assert_int_equal(got->entries[0].kinds, FLAG_UNKNOWN_CARDS);
    assert_code(&got->entries[0].event, "alarm");
    assert_words(got->entries[0].actor, "S1/1");
    assert_int_equal(got->entries[0].identity, till);

    service_speak(world, conn);
    register_by_number(world->service, till)->abuse.locked_until_us = ledger_now(world->ledger);
    assert_int_equal(show(world, "100"), RESULT_DONE);
    service_world_free(world);
}

static uint64_t lines_of_text(const struct service_world *world)
{
    return world->reply.message.purchase_answer.text_count;
}

static void advices_of_a_locked_till_are_told_nothing(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    uint64_t till = add_till(world, "S1", "1");
    issue(world, "100");
    (void)join_as(world, till, 5);
    world->session->receipt = (struct receipt_wish){ .width = 40, .language = "en" };
    assert_int_equal(purchase(world, "100", 7000, FRAME_FLAG_ADVICE), RESULT_DONE);
    assert_int_equal(world->reply.message.purchase_answer.available, 70);
    assert_int_equal(lines_of_text(world), 2);
    lock(world);
    assert_int_equal(purchase(world, "996", 100, FRAME_FLAG_ADVICE), RESULT_DONE);
    struct msg_purchase_answer unknown = world->reply.message.purchase_answer;
    assert_int_equal(lines_of_text(world), 1);
    assert_int_equal(purchase(world, "100", 100, FRAME_FLAG_ADVICE), RESULT_DONE);
    const struct msg_purchase_answer *known = &world->reply.message.purchase_answer;
    assert_int_equal(lines_of_text(world), 1);
    assert_int_equal(known->earned, unknown.earned);
    assert_int_equal(known->flags, unknown.flags);
    assert_int_equal(known->flags, 0);
    assert_int_equal(known->available, unknown.available);
    assert_int_equal(known->available, 0);
    assert_int_equal(known->pending, 0);
    assert_int_equal(known->debt, 0);
    assert_int_equal(known->tier.size, 0);

    struct msg_redeem_request redeem; /* more than there is, by far */
    message_init(MESSAGE_redeem_request, &redeem);
    redeem.card = code("100");
    redeem.points = 900;
    redeem.store = code("S1");
    redeem.till = code("1");
    assert_int_equal(service_call(world, OPERATION_REDEEM, FRAME_FLAG_ADVICE, &redeem), RESULT_DONE);
    assert_int_equal(world->reply.message.redeem_answer.redeemed, 900);
    assert_int_equal(world->reply.message.redeem_answer.shortfall, 0);
    assert_int_equal(world->reply.message.redeem_answer.available, 0);
    service_speak(world, 1);
    assert_int_equal(show(world, "100"), RESULT_DONE);
    assert_int_equal(world->reply.message.card_show_answer.available, 0);
    service_world_free(world);
}

/* Not even whether a card is known: what it asks is answered alike for one that is, and one that is not. */
static void ask_alike(struct service_world *world, enum operation operation, uint16_t flags,
                      union message_any *request, struct wire_code *card)
{
    uint8_t known[512];
    *card = code("100");
    (void)service_call(world, operation, flags, request);
    uint16_t type = world->reply.type;
    size_t size = world->reply.size;
    assert_in_range(size, 1, sizeof(known));
    memcpy(known, world->reply.body, size);
    *card = code("995");
    (void)service_call(world, operation, flags, request);
    if (world->reply.type != type || world->reply.size != size)
        fail_msg("%s tells whether a card is known", operation_row(operation)->name);
    if ((type & FRAME_TYPE_REFUSED) != 0) /* else it begins with its position */
        assert_memory_equal(world->reply.body, known, size);
}

static void flags_open_no_lock(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    uint64_t till = add_till(world, "S1", "1");
    union message_any request;
    issue(world, "100");
    issue(world, "101");
    (void)adjust(world, "100", 500);
    (void)join_as(world, till, 5);
    uint64_t sale = buy(world, "101", 5000, "S1", "r1", false);
    lock(world);
    message_init(MESSAGE_card_show_request, &request);
    ask_alike(world, OPERATION_CARD_SHOW, FRAME_FLAG_ADVICE, &request, &request.card_show_request.card);
    message_init(MESSAGE_card_issue_request, &request);
    ask_alike(world, OPERATION_CARD_ISSUE, FRAME_FLAG_ADVICE, &request, &request.card_issue_request.card);
    message_init(MESSAGE_quote_request, &request);
    request.quote_request.amount = 100;
    request.quote_request.store = code("S1");
    request.quote_request.till = code("1");
    ask_alike(world, OPERATION_QUOTE, FRAME_FLAG_ADVICE, &request, &request.quote_request.card);
    message_init(MESSAGE_hold_request, &request);
    request.hold_request.points = 1;
    request.hold_request.store = code("S1");
    request.hold_request.till = code("1");
    ask_alike(world, OPERATION_HOLD, FRAME_FLAG_ADVICE, &request, &request.hold_request.card);
    message_init(MESSAGE_release_request, &request);
    request.release_request.hold = sale;
    request.release_request.store = code("S1");
    request.release_request.till = code("1");
    ask_alike(world, OPERATION_RELEASE, FRAME_FLAG_ADVICE, &request, &request.release_request.card);
    message_init(MESSAGE_return_request, &request);
    request.return_request.amount = 100;
    request.return_request.store = code("S1");
    request.return_request.till = code("1");
    request.return_request.sale_position = sale;
    ask_alike(world, OPERATION_RETURN, FRAME_FLAG_ADVICE, &request, &request.return_request.card);
    service_world_free(world);
}

/* --- how fast, how often refused --- */

static void ping_times(struct service_world *world, uint32_t times)
{
    struct msg_ping_request ping;
    message_init(MESSAGE_ping_request, &ping);
    for (uint32_t i = 0; i < times; i++)
        assert_int_equal(service_call(world, OPERATION_PING, 0, &ping), RESULT_DONE);
}

static void tills_are_read_more_slowly(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    uint64_t till = add_till(world, "S1", "1");
    uint64_t office = add_user(world, ROLE_OFFICE, "olga");
    world->service->options.limits.till_rate = 1;
    world->service->options.limits.till_burst = 600;
    (void)join_as(world, till, 5);
    ping_times(world, 300); /* and a hello */
    assert_int_equal(world->slowed, 0);
    (void)join_as(world, till, 6); /* the other lane: the same bucket */
    ping_times(world, 298);
    assert_int_equal(world->slowed, 0);
    struct registered *who = register_by_number(world->service, till);
    who->abuse.bucket_full_us = ledger_now(world->ledger) + 600 * US_PER_SECOND;
    ping_times(world, 1);
    assert_int_equal(world->slowed, 1);
    assert_in_range(world->slowed_ms, 1, 1001);
    ping_times(world, 100); /* what is read all the same is answered, and no debt without end */
    assert_int_equal(world->slowed, 101);
    assert_true(who->abuse.bucket_full_us <= ledger_now(world->ledger) + 601 * US_PER_SECOND);
    who->abuse.bucket_full_us = 0;
    ping_times(world, 1);
    assert_int_equal(world->slowed, 101);
    (void)join_as(world, office, 7);
    world->service->options.limits.till_burst = 1;
    ping_times(world, 20);
    service_speak(world, 1);
    ping_times(world, 20);
    assert_int_equal(world->slowed, 101);
    service_world_free(world);
}

static void refusals_are_remembered_so_often(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    uint64_t office = add_user(world, ROLE_OFFICE, "olga");
    issue(world, "100");
    world->service->options.limits.refusals_day = 3;
    (void)join_as(world, office, 5);
    for (int i = 0; i < 3; i++)
        assert_int_equal(purchase(world, "999", 100, 0), RESULT_UNKNOWN_CARD);
    uint64_t events = ledger_fold(world->ledger)->totals.events;
    assert_int_equal(purchase(world, "999", 100, 0), RESULT_RATE);
    assert_int_equal(purchase(world, "998", 100, 0), RESULT_RATE);
    assert_int_equal(ledger_fold(world->ledger)->totals.events, events);
    assert_int_equal(purchase(world, "100", 100, 0), RESULT_DONE);
    register_by_number(world->service, office)->abuse.refusals_day--; /* it was yesterday */
    assert_int_equal(purchase(world, "999", 100, 0), RESULT_UNKNOWN_CARD);
    service_speak(world, 1);
    for (int i = 0; i < 5; i++)
        assert_int_equal(purchase(world, "999", 100, 0), RESULT_UNKNOWN_CARD);
    service_world_free(world);
}

/* Who has used up the refusals of a day is locked as before, by what is not remembered any more. */
static void what_is_not_remembered_counts(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    uint64_t till = add_till(world, "S1", "1");
    issue(world, "100");
    world->service->options.limits.refusals_day = 1;
    (void)join_as(world, till, 5);
    assert_int_equal(purchase(world, "999", 100, 0), RESULT_UNKNOWN_CARD);
    for (int i = 0; i < 8; i++)
        assert_int_equal(purchase(world, "999", 100, 0), RESULT_RATE);
    assert_int_equal(show(world, "100"), RESULT_DONE); /* nine are not ten */
    assert_int_equal(purchase(world, "999", 100, 0), RESULT_RATE);
    assert_int_equal(show(world, "100"), RESULT_UNKNOWN_CARD);
    assert_int_equal(purchase(world, "100", 100, 0), RESULT_RATE);
    service_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_are_listed_and_resolved),
        cmocka_unit_test(tills_are_refused_what_is_too_often),
        cmocka_unit_test(a_locked_till_looks_no_card_up),
        cmocka_unit_test(advices_of_a_locked_till_are_told_nothing),
        cmocka_unit_test(tills_are_read_more_slowly),
        cmocka_unit_test(refusals_are_remembered_so_often),
        cmocka_unit_test(flags_open_no_lock),
        cmocka_unit_test(what_is_not_remembered_counts),
    };
    return cmocka_run_group_tests_name("till limits", tests, NULL, NULL);
}
