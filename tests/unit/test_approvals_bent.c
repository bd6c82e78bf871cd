/*
 * Proposals of those who mean ill, and what becomes of them meanwhile (RELIABILITY.md, Identity, roles).
 */
#include <stdio.h>
#include <string.h>

#include "approval_people.h"
#include "ledger/fold.h"

/* An act of the office has not happened before it is booked, whatever its frame says. */
static void no_act_of_the_office_is_an_advice(void **state)
{
    (void)state;
    struct people people = people_begin();
    struct service_world *world = people.world;
    struct msg_adjust_request down = adjustment(-12);
    down.card = code("1002");
    down.allow_debt = 1;
    struct msg_bonus_request bonus;
    message_init(MESSAGE_bonus_request, &bonus);
    bonus.card = code("1001");
    bonus.points = 101;
    bonus.reason = code("goodwill");
    struct msg_account_transfer_request transfer;
    message_init(MESSAGE_account_transfer_request, &transfer);
    transfer.from_card = code("1001");
    transfer.to_card = code("1002");
    transfer.points = 101;
    struct msg_adjust_request up = adjustment(101);
    assert_int_equal(service_call(world, OPERATION_ADJUST, FRAME_FLAG_ADVICE, &up), RESULT_NEEDS_APPROVAL);
    assert_int_equal(service_call(world, OPERATION_ADJUST, FRAME_FLAG_ADVICE, &down), RESULT_NEEDS_APPROVAL);
    assert_int_equal(service_call(world, OPERATION_BONUS, FRAME_FLAG_ADVICE, &bonus), RESULT_NEEDS_APPROVAL);
    assert_int_equal(service_call(world, OPERATION_ACCOUNT_TRANSFER, FRAME_FLAG_ADVICE, &transfer),
                     RESULT_NEEDS_APPROVAL);
    assert_int_equal(points_of(&people, "1001"), 500);
    people_end(&people);
}

/* Who sends what was approved again, under another number, is answered as if it had been booked at once. */
static void what_was_approved_is_tied(void **state)
{
    (void)state;
    struct people people = people_begin();
    struct service_world *world = people.world;
    (void)take_back(&people, "d1", 3000, 0);
    uint64_t proposal = proposed(world);
    assert_int_equal(decide_proposal(&people, people.ann, proposal, true), RESULT_DONE);
    uint64_t position = world->reply.message.approval_decide_answer.position;
    for (int again = 0; again < 2; again++) {
        assert_int_equal(take_back(&people, "d1", 3000, 0), RESULT_DONE);
        assert_int_equal(world->reply.type, OPERATION_UNLINKED_RETURN | FRAME_TYPE_DONE);
        assert_int_equal(world->reply.message.unlinked_return_answer.position, position);
        assert_int_equal(world->reply.message.unlinked_return_answer.taken, 30);
        world->number -= again == 0; /* a repeat of it, too */
    }
    assert_int_equal(points_of(&people, "1001"), 470);
    people_end(&people);
}

/* Who was shut out has nothing booked any more; resumed, what he proposed can be approved again. */
static void of_who_is_shut_out_nothing_is_approved(void **state)
{
    (void)state;
    struct people people = people_begin();
    uint64_t first = propose(&people, 250);
    uint64_t second = propose(&people, 260);
    struct identity olga = register_by_number(people.world->service, people.office_number)->identity;
    olga.status = IDENTITY_SUSPENDED;
    change_identity(people.world, IDENTITY_ACT_SUSPEND, &olga);
    assert_int_equal(decide_proposal(&people, people.ann, first, true), RESULT_NOT_PERMITTED);
    assert_detail(people.world, "who proposed it is suspended or revoked: it may be rejected");
    assert_int_equal(decide_proposal(&people, people.ann, second, false), RESULT_DONE);
    assert_int_equal(points_of(&people, "1001"), 500);
    olga.status = IDENTITY_ACTIVE;
    change_identity(people.world, IDENTITY_ACT_RESUME, &olga);
    assert_int_equal(decide_proposal(&people, people.ann, first, true), RESULT_DONE);
    assert_int_equal(points_of(&people, "1001"), 750);
    people_end(&people);
}

/* All of the debt is what was owed when it was proposed, and what who approves it was shown. */
static void no_more_is_forgiven_than_was_proposed(void **state)
{
    (void)state;
    struct people people = people_begin();
    struct service_world *world = people.world;
    struct msg_adjust_request down = adjustment(-20);
    struct msg_write_off_request write_off;
    down.card = code("1002");
    down.allow_debt = 1;
    message_init(MESSAGE_write_off_request, &write_off);
    write_off.card = code("1002");
    write_off.reason = code("goodwill");
    service_speak(world, 1);
    assert_int_equal(service_call(world, OPERATION_ADJUST, 0, &down), RESULT_DONE);
    service_speak(world, people.office);
    (void)service_call(world, OPERATION_WRITE_OFF, 0, &write_off);
    uint64_t proposal = proposed(world);
    assert_int_equal(list_proposals(&people, proposal, 1)->points, 20);
    down.points = -5000;
    service_speak(world, 1);
    assert_int_equal(service_call(world, OPERATION_ADJUST, 0, &down), RESULT_DONE);
    assert_int_equal(decide_proposal(&people, people.ann, proposal, true), RESULT_DONE);
    struct msg_write_off_answer inner;
    read_inner(world, MESSAGE_write_off_answer, &inner);
    assert_int_equal(inner.points, 20);
    assert_int_equal(inner.debt, 5000);
    people_end(&people);
}

static enum result publish(struct people *people, uint64_t who, const char *limits)
{
    struct msg_programme_publish_request request;
    char text[200];
    (void)snprintf(text, sizeof(text), "base: [{rule: spend, points: 2, amount: 1.00}]\n%s...\n", limits);
    message_init(MESSAGE_programme_publish_request, &request);
    request.text = (struct message_text){ text, strlen(text) };
    service_speak(people->world, who);
    return service_call(people->world, OPERATION_PROGRAMME_PUBLISH, 0, &request);
}

/* Who has a limit does not raise it first; of a role that is misspelt there is none, so it is refused from everybody. */
static void nobody_moves_his_own_limit(void **state)
{
    (void)state;
    struct people people = people_begin();
    static const char same[] = "debt_limits: {office: 10}\nadjust_limits: {office: 100}\n"
                               "unlinked_limits: {supervisor: 20.00}\n";
    static const char other[] = "debt_limits: {office: 10}\nadjust_limits: {office: 101}\n"
                                "unlinked_limits: {supervisor: 20.00}\n";
    assert_int_equal(publish(&people, 1, same), RESULT_DONE);
    assert_int_equal(publish(&people, people.office, ""), RESULT_NOT_PERMITTED);
    assert_detail(people.world, "only the administrator changes the limits of roles");
    assert_int_equal(publish(&people, people.office, other), RESULT_NOT_PERMITTED);
    assert_int_equal(publish(&people, people.office, same), RESULT_DONE);
    assert_int_equal(publish(&people, 1, "adjust_limits: {ofice: 100}\n"), RESULT_INVALID_PROGRAMME);
    assert_int_equal(publish(&people, 1, other), RESULT_DONE);
    assert_int_equal(publish(&people, people.office, other), RESULT_DONE);
    people_end(&people);
}

/* A return that the supervisor proposed yesterday without saying when. */
static uint64_t proposed_yesterday(struct people *people)
{
    struct service_world *world = people->world;
    uint8_t body[256];
    struct wire_writer writer = wire_writer_over(body, sizeof(body));
    struct msg_unlinked_return_request request;
    message_init(MESSAGE_unlinked_return_request, &request);
    request.card = code("1001");
    request.amount = 3000;
    request.store = code("S1");
    request.till = code("1");
    request.document = code("d1");
    message_encode(MESSAGE_unlinked_return_request, &request, &writer);
    assert_false(writer.failed);
    utc_us now = ledger_now(world->ledger);
    struct event event = { .type = EVENT_PROPOSAL,
                           .time = now - US_PER_DAY,
                           .occurred = now - US_PER_DAY,
                           .day = today(world->service) - 1,
                           .request = { .identity = people->office_number },
                           .proposal = { .operation = OPERATION_UNLINKED_RETURN,
                                         .body = { (const char *)body, wire_written(&writer) },
                                         .deadline = now + US_PER_DAY } };
    uint64_t position = ledger_reserve(world->ledger);
    append_own(world->service, &event);
    ledger_turn_end(world->ledger);
    service_world_restart(world); /* so that it is known as open */
    return position;
}

/* Its document is of the day on which the goods came back, so that it is the same document then and now. */
static void a_return_is_of_the_day_of_its_proposal(void **state)
{
    (void)state;
    struct people people = people_begin();
    struct service_world *world = people.world;
    uint64_t proposal = proposed_yesterday(&people);
    assert_int_equal(decide_proposal(&people, 1, proposal, true), RESULT_DONE);
    struct document document = { .kind = DOCUMENT_RETURN,
                                 .store = TEXT_LITERAL("S1"),
                                 .till = TEXT_LITERAL("1"),
                                 .business_date = today(world->service) - 1,
                                 .number = TEXT_LITERAL("d1") };
    assert_int_equal(fold_document(ledger_fold(world->ledger), &document),
                     world->reply.message.approval_decide_answer.position);
    people_end(&people);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_act_of_the_office_is_an_advice),
        cmocka_unit_test(what_was_approved_is_tied),
        cmocka_unit_test(of_who_is_shut_out_nothing_is_approved),
        cmocka_unit_test(no_more_is_forgiven_than_was_proposed),
        cmocka_unit_test(a_return_is_of_the_day_of_its_proposal),
        cmocka_unit_test(nobody_moves_his_own_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
