/*
 * Versions of the programme, through the service: what is published for later changes nothing before.
 */
#include "service_acts.h"

#include <string.h>

#define BASE "base: [{rule: spend, name: euro, points: 1, amount: 1.00}]\n"
#define TODAY "programme: Today\nzone: Europe/Berlin\n" BASE "...\n"
#define LATER "programme: Later\nzone: Asia/Tokyo\ncards: {check: luhn}\n" BASE "...\n"

#define NO_LUHN "79927398710" /* its last digit would be 3 */

static enum result publish(struct service_world *world, const char *text, utc_us from)
{
    struct msg_programme_publish_request request;
    message_init(MESSAGE_programme_publish_request, &request);
    request.from = (uint64_t)from;
    request.text = (struct message_text){ text, strlen(text) };
    return service_call(world, OPERATION_PROGRAMME_PUBLISH, 0, &request);
}

static void assert_hello(struct service_world *world, uint64_t version, const char *zone)
{
    struct msg_hello_request request;
    const struct msg_hello_answer *answer = &world->reply.message.hello_answer;
    message_init(MESSAGE_hello_request, &request);
    request.version_min = request.version_max = 1;
    request.epoch = 77;
    request.first_unanswered = 1;
    assert_int_equal(service_call(world, OPERATION_HELLO, 0, &request), RESULT_DONE);
    assert_int_equal(answer->programme_version, version);
    assert_int_equal(answer->zone.size, strlen(zone));
    assert_memory_equal(answer->zone.data, zone, strlen(zone));
}

static void assert_shown(struct service_world *world, uint64_t version)
{
    struct msg_programme_show_request request;
    message_init(MESSAGE_programme_show_request, &request);
    assert_int_equal(service_call(world, OPERATION_PROGRAMME_SHOW, 0, &request), RESULT_DONE);
    assert_int_equal(world->reply.message.programme_show_answer.version, version);
}

static void assert_current(struct service_world *world, uint64_t version)
{
    struct msg_programme_history_request request;
    const struct msg_programme_history_answer *answer = &world->reply.message.programme_history_answer;
    message_init(MESSAGE_programme_history_request, &request);
    assert_int_equal(service_call(world, OPERATION_PROGRAMME_HISTORY, 0, &request), RESULT_DONE);
    for (uint64_t i = 0; i < answer->versions_count; i++)
        assert_int_equal(answer->versions[i].current, answer->versions[i].version == version);
}

static enum result issue_range(struct service_world *world, const char *card, uint64_t count)
{
    struct msg_card_issue_request request;
    message_init(MESSAGE_card_issue_request, &request);
    request.card = code(card);
    request.count = count;
    return service_call(world, OPERATION_CARD_ISSUE, 0, &request);
}

static enum result add(struct service_world *world, const char *card, const char *new_card)
{
    struct msg_card_add_request request;
    message_init(MESSAGE_card_add_request, &request);
    request.card = code(card);
    request.new_card = code(new_card);
    return service_call(world, OPERATION_CARD_ADD, 0, &request);
}

static void a_version_for_later_waits(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(TODAY);
    utc_us tomorrow = ledger_now(world->ledger) + US_PER_DAY;
    assert_int_equal(publish(world, LATER, tomorrow), RESULT_DONE);
    assert_int_equal(world->reply.message.programme_publish_answer.version, 2);
    assert_int_equal(world->reply.message.programme_publish_answer.from, (uint64_t)tomorrow);
    assert_hello(world, 1, "Europe/Berlin");
    assert_shown(world, 1);
    assert_current(world, 1);
    assert_int_equal(issue_range(world, NO_LUHN, 3), RESULT_DONE);
    assert_int_equal(add(world, NO_LUHN, "79927398720"), RESULT_DONE);
    service_world_free(world);
}

static void a_version_for_now_counts(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(TODAY);
    assert_int_equal(publish(world, LATER, 0), RESULT_DONE);
    assert_hello(world, 2, "Asia/Tokyo");
    assert_shown(world, 2);
    assert_current(world, 2);
    assert_int_equal(issue_range(world, NO_LUHN, 3), RESULT_INVALID_CARD_NUMBER);
    assert_int_equal(issue_range(world, "79927398713", 1), RESULT_DONE);
    assert_int_equal(add(world, "79927398713", "79927398720"), RESULT_INVALID_CARD_NUMBER);
    service_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_version_for_later_waits),
        cmocka_unit_test(a_version_for_now_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
