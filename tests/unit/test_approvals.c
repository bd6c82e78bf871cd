/*
 * Proposals: what is above the limit of a role waits for another identity, and is booked once (RELIABILITY.md, Identity,
 * roles).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "approval_people.h"
#include "ledger/fold.h"

static void above_the_limit_it_waits(void **state)
{
    (void)state;
    struct people people = people_begin();
    struct msg_adjust_request request = adjustment(100);
    assert_int_equal(service_call(people.world, OPERATION_ADJUST, 0, &request), RESULT_DONE);
    uint64_t proposal = propose(&people, 101);
    assert_int_equal(points_of(&people, "1001"), 600);
    /* A repeat gets the same, and no second one. */
    people.world->number--;
    request = adjustment(101);
    (void)service_call(people.world, OPERATION_ADJUST, 0, &request);
    assert_int_equal(proposed(people.world), proposal);
    const struct msg_proposal_entry *entry = list_proposals(&people, 0, 1);
    assert_int_equal(entry->proposal, proposal);
    assert_int_equal(entry->state, PROPOSAL_OPEN);
    assert_int_equal(entry->operation, OPERATION_ADJUST);
    assert_int_equal(entry->identity, people.office_number);
    assert_int_equal(entry->deadline, entry->time + UINT64_C(86400000000));
    assert_int_equal(entry->points, 101);
    assert_text(entry->actor, "olga");
    assert_text(entry->note, "a big one");
    assert_code(&entry->card, "1001");
    assert_code(&entry->reason, "goodwill");
    assert_code(&entry->operator, "olga");
    assert_int_equal(entry->decided, 0);
    assert_int_equal(entry->decider.size, 0);
    /* The administrator has no limit. */
    service_speak(people.world, 1);
    (void)adjust(people.world, "1001", 1000);
    people_end(&people);
}

static const struct msg_why_answer *why(struct people *people, uint64_t event)
{
    struct msg_why_request request;
    message_init(MESSAGE_why_request, &request);
    request.event = event;
    assert_int_equal(service_call(people->world, OPERATION_WHY, 0, &request), RESULT_DONE);
    return &people->world->reply.message.why_answer;
}

/* "who decided what": both are named. */
static void explain(struct people *people, uint64_t approved)
{
    const struct msg_why_answer *answer = why(people, approved);
    assert_int_equal(answer->kind, EVENT_ADJUSTMENT);
    assert_text(answer->actor, "olga");
    assert_text(answer->approved_by, "ann");
    assert_text(answer->note, "a big one");
    assert_code(&answer->operator, "olga");
}

static void approved_it_is_booked_once(void **state)
{
    (void)state;
    struct people people = people_begin();
    struct service_world *world = people.world;
    uint64_t proposal = propose(&people, 250);
    assert_int_equal(decide_proposal(&people, people.ann, proposal, true), RESULT_DONE);
    uint64_t position = world->reply.message.approval_decide_answer.position;
    assert_int_equal(world->reply.message.approval_decide_answer.operation, OPERATION_ADJUST);
    struct msg_adjust_answer inner;
    read_inner(world, MESSAGE_adjust_answer, &inner);
    assert_int_equal(inner.position, position);
    assert_int_equal(inner.points, 250);
    assert_int_equal(inner.available, 750);
    /* A repeat, the other one, and both for a rejection: nothing more happens. */
    world->number--;
    assert_int_equal(decide_proposal(&people, people.ann, proposal, true), RESULT_DONE);
    assert_int_equal(world->reply.message.approval_decide_answer.position, position);
    assert_int_equal(decide_proposal(&people, people.ben, proposal, true), RESULT_PROPOSAL_ENDED);
    assert_int_equal(decide_proposal(&people, people.ben, proposal, false), RESULT_PROPOSAL_ENDED);
    assert_int_equal(points_of(&people, "1001"), 750);
    explain(&people, position);
    (void)list_proposals(&people, 0, 0);
    const struct msg_proposal_entry *entry = list_proposals(&people, proposal, 1);
    assert_int_equal(entry->state, PROPOSAL_APPROVED);
    assert_int_equal(entry->decision, position);
    assert_true(entry->decided >= entry->time);
    assert_text(entry->decider, "ann");
    assert_text(entry->decision_note, "looked at");
    assert_text(entry->actor, "olga");
    people_end(&people);
}

static void nobody_decides_his_own(void **state)
{
    (void)state;
    struct people people = people_begin();
    uint64_t proposal = propose(&people, 250);
    /* Not even as an approver, which the identity may be by now. */
    struct identity olga = register_by_number(people.world->service, people.office_number)->identity;
    olga.role = ROLE_APPROVER;
    change_identity(people.world, IDENTITY_ACT_ROLE, &olga);
    assert_int_equal(decide_proposal(&people, people.office, proposal, true), RESULT_OWN_PROPOSAL);
    assert_int_equal(decide_proposal(&people, people.office, proposal, false), RESULT_OWN_PROPOSAL);
    assert_int_equal(points_of(&people, "1001"), 500);
    (void)list_proposals(&people, 0, 1);
    /* The local administrator is another. */
    assert_int_equal(decide_proposal(&people, 1, proposal, true), RESULT_DONE);
    assert_int_equal(points_of(&people, "1001"), 750);
    people_end(&people);
}

static void rejected_it_is_over(void **state)
{
    (void)state;
    struct people people = people_begin();
    uint64_t first = propose(&people, 250);
    uint64_t second = propose(&people, 350);
    const struct msg_why_answer *answer = why(&people, first);
    assert_int_equal(answer->kind, EVENT_PROPOSAL);
    assert_int_equal(answer->result, RESULT_NEEDS_APPROVAL);
    assert_text(answer->actor, "olga");
    assert_int_equal(answer->approved_by.size, 0);
    assert_text(answer->note, "a big one");
    assert_int_equal(decide_proposal(&people, people.ben, first, false), RESULT_DONE);
    assert_int_equal(people.world->reply.message.approval_decide_answer.answer.size, 0);
    assert_int_equal(decide_proposal(&people, people.ann, first, true), RESULT_PROPOSAL_ENDED);
    assert_int_equal(list_proposals(&people, 0, 1)->proposal, second);
    const struct msg_proposal_entry *entry = list_proposals(&people, first, 1);
    assert_int_equal(entry->state, PROPOSAL_REJECTED);
    assert_text(entry->decider, "ben");
    assert_text(entry->decision_note, "looked at");
    uint64_t rejection = entry->decision;
    answer = why(&people, rejection);
    assert_int_equal(answer->kind, EVENT_PROPOSAL_ENDED);
    assert_int_equal(answer->refers, first);
    assert_text(answer->actor, "ben");
    assert_text(answer->note, "looked at");
    assert_int_equal(points_of(&people, "1001"), 500);
    /* What was never proposed. */
    assert_int_equal(decide_proposal(&people, people.ann, 12345, true), RESULT_UNKNOWN_PROPOSAL);
    assert_int_equal(decide_proposal(&people, people.ann, rejection, true), RESULT_UNKNOWN_PROPOSAL);
    struct msg_approval_list_request request = { .proposal = 12345 };
    assert_int_equal(service_call(people.world, OPERATION_APPROVAL_LIST, 0, &request),
                     RESULT_UNKNOWN_PROPOSAL);
    people_end(&people);
}

/* It is judged as things are now: refused with that reason, it can be approved later. */
static void it_is_judged_again(void **state)
{
    (void)state;
    struct people people = people_begin();
    struct service_world *world = people.world;
    uint64_t proposal = propose(&people, -450);
    service_speak(world, 1);
    (void)adjust(world, "1001", -100);
    assert_int_equal(decide_proposal(&people, people.ann, proposal, true), RESULT_NOT_ENOUGH_POINTS);
    assert_int_equal(world->reply.type, OPERATION_APPROVAL_DECIDE | FRAME_TYPE_REFUSED);
    assert_int_equal(world->reply.message.refusal.needed, 450);
    assert_int_equal(world->reply.message.refusal.available, 400);
    assert_int_equal(list_proposals(&people, 0, 1)->state, PROPOSAL_OPEN);
    service_speak(world, 1);
    (void)adjust(world, "1001", 60);
    assert_int_equal(decide_proposal(&people, people.ann, proposal, true), RESULT_DONE);
    assert_int_equal(points_of(&people, "1001"), 10);
    people_end(&people);
}

static void returns_without_a_purchase(void **state)
{
    (void)state;
    struct people people = people_begin();
    assert_int_equal(take_back(&people, "d1", 2000, 0), RESULT_DONE);
    assert_int_equal(take_back(&people, "d2", 2001, 0), RESULT_NEEDS_APPROVAL);
    uint64_t first = proposed(people.world);
    assert_int_equal(take_back(&people, "d2", 2001, 0), RESULT_NEEDS_APPROVAL);
    uint64_t second = proposed(people.world);
    assert_int_equal(list_proposals(&people, first, 1)->amount, 2001);
    /* An advice has happened: nobody is asked. */
    assert_int_equal(take_back(&people, "d3", 5000, FRAME_FLAG_ADVICE), RESULT_DONE);
    assert_int_equal(points_of(&people, "1001"), 500 - 20 - 50);
    /* The same goods were proposed twice: they come back once. */
    assert_int_equal(decide_proposal(&people, people.ann, second, true), RESULT_DONE);
    assert_int_equal(decide_proposal(&people, people.ben, first, true), RESULT_RECEIPT_USED);
    assert_int_equal(decide_proposal(&people, people.ben, first, false), RESULT_DONE);
    assert_int_equal(points_of(&people, "1001"), 500 - 20 - 50 - 20);
    people_end(&people);
}

static enum result undo(struct people *people, uint64_t number)
{
    struct msg_reversal_request request;
    message_init(MESSAGE_reversal_request, &request);
    request.epoch = 12; /* the supervisor's lane */
    request.number = number;
    request.amount = -1;
    request.store = code("S1");
    request.till = code("1");
    service_speak(people->world, people->supervisor);
    return service_call(people->world, OPERATION_REVERSAL, 0, &request);
}

/* Before it is decided a reversal takes it back, and after it was approved what was booked. */
static void reversals_take_it_back(void **state)
{
    (void)state;
    struct people people = people_begin();
    const struct msg_reversal_answer *answer = &people.world->reply.message.reversal_answer;
    (void)take_back(&people, "d1", 3000, 0);
    uint64_t first = proposed(people.world);
    assert_int_equal(undo(&people, 1), RESULT_DONE);
    assert_int_equal(answer->outcome, REVERSAL_NOTHING);
    assert_int_equal(decide_proposal(&people, people.ann, first, true), RESULT_PROPOSAL_ENDED);
    const struct msg_proposal_entry *entry = list_proposals(&people, first, 1);
    assert_int_equal(entry->state, PROPOSAL_REJECTED);
    assert_text(entry->decider, "sven");
    assert_text(entry->decision_note, "withdrawn by a reversal");
    assert_int_equal(undo(&people, 1), RESULT_DONE);
    assert_int_equal(answer->outcome, REVERSAL_NOTHING);
    (void)take_back(&people, "d1", 3000, 0);
    uint64_t second = proposed(people.world);
    assert_int_equal(decide_proposal(&people, people.ann, second, true), RESULT_DONE);
    assert_int_equal(points_of(&people, "1001"), 470);
    assert_int_equal(undo(&people, 4), RESULT_DONE);
    assert_int_equal(answer->outcome, REVERSAL_DONE);
    assert_int_equal(points_of(&people, "1001"), 500);
    assert_int_equal(undo(&people, 4), RESULT_DONE);
    assert_int_equal(points_of(&people, "1001"), 500);
    people_end(&people);
}

/* The other acts that have a limit: each is approved as what it is. */
static void every_limited_act(void **state)
{
    (void)state;
    struct people people = people_begin();
    struct service_world *world = people.world;
    struct msg_bonus_request bonus;
    message_init(MESSAGE_bonus_request, &bonus);
    bonus.card = code("1001");
    bonus.points = 101;
    bonus.reason = code("goodwill");
    (void)service_call(world, OPERATION_BONUS, 0, &bonus);
    uint64_t proposal = proposed(world);
    assert_int_equal(list_proposals(&people, proposal, 1)->points, 101);
    assert_int_equal(decide_proposal(&people, people.ann, proposal, true), RESULT_DONE);
    assert_int_equal(points_of(&people, "1001"), 601);
    struct msg_account_transfer_request transfer;
    message_init(MESSAGE_account_transfer_request, &transfer);
    transfer.from_card = code("1001");
    transfer.to_card = code("1002");
    transfer.points = 500;
    service_speak(world, people.office);
    (void)service_call(world, OPERATION_ACCOUNT_TRANSFER, 0, &transfer);
    proposal = proposed(world);
    assert_int_equal(list_proposals(&people, proposal, 1)->points, -500);
    assert_int_equal(decide_proposal(&people, people.ann, proposal, true), RESULT_DONE);
    assert_int_equal(points_of(&people, "1002"), 500);
    /* Below zero, and the debt of it forgiven. */
    struct msg_adjust_request down = adjustment(-100);
    down.card = code("1001");
    service_speak(world, people.office);
    assert_int_equal(service_call(world, OPERATION_ADJUST, 0, &down), RESULT_DONE);
    down.points = -12;
    down.allow_debt = 1;
    (void)service_call(world, OPERATION_ADJUST, 0, &down);
    assert_int_equal(decide_proposal(&people, people.ann, proposed(world), true), RESULT_DONE);
    struct msg_write_off_request write_off;
    message_init(MESSAGE_write_off_request, &write_off);
    write_off.card = code("1001");
    write_off.reason = code("goodwill");
    service_speak(world, people.office);
    (void)service_call(world, OPERATION_WRITE_OFF, 0, &write_off);
    assert_int_equal(decide_proposal(&people, people.ben, proposed(world), true), RESULT_DONE);
    struct msg_write_off_answer inner;
    read_inner(world, MESSAGE_write_off_answer, &inner);
    assert_int_equal(inner.points, 11);
    assert_int_equal(inner.debt, 0);
    people_end(&people);
}

/* A proposal of another day, whose deadline has passed. Nobody here knows of it yet but state. */
static uint64_t old_proposal(struct people *people)
{
    struct service_world *world = people->world;
    utc_us now = ledger_now(world->ledger);
    struct event event = { .type = EVENT_PROPOSAL,
                           .time = now,
                           .occurred = now,
                           .day = today(world->service),
                           .request = { .identity = people->office_number },
                           .proposal = { .operation = OPERATION_ADJUST, .deadline = now - 1 } };
    uint64_t position = ledger_reserve(world->ledger);
    append_own(world->service, &event);
    ledger_turn_end(world->ledger);
    return position;
}

static void too_old_it_is_over(void **state)
{
    (void)state;
    struct people people = people_begin();
    uint64_t old = old_proposal(&people);
    uint64_t young = propose(&people, 101);
    assert_int_equal(decide_proposal(&people, people.ann, old, true), RESULT_PROPOSAL_ENDED);
    assert_detail(people.world, "nobody decided it in time");
    /* After a start it is known, and ended. */
    service_world_restart(people.world);
    struct msg_approval_list_request request = { .proposal = old };
    const struct msg_proposal_entry *entry;
    do {
        assert_int_equal(service_call(people.world, OPERATION_APPROVAL_LIST, 0, &request), RESULT_DONE);
        entry = people.world->reply.message.approval_list_answer.entries;
    } while (entry->state == PROPOSAL_OPEN);
    assert_int_equal(entry->state, PROPOSAL_EXPIRED);
    assert_text(entry->decider, "server");
    assert_int_equal(list_proposals(&people, 0, 1)->proposal, young);
    /* The young one was read back from the journal, and is approved as before. */
    uint64_t ann = register_by_user(people.world->service, TEXT_LITERAL("ann"))->identity.number;
    people.ann = join_as(people.world, ann, 99);
    assert_int_equal(decide_proposal(&people, people.ann, young, true), RESULT_DONE);
    assert_int_equal(points_of(&people, "1001"), 601);
    (void)list_proposals(&people, 0, 0);
    people_end(&people);
}

/* They are refusals, of which so many a day are remembered. */
static void proposals_are_counted(void **state)
{
    (void)state;
    struct people people = people_begin();
    people.world->options.limits.refusals_day = 2;
    service_world_restart(people.world);
    people.office = join_as(people.world, people.office_number, 98);
    (void)propose(&people, 101);
    (void)propose(&people, 102);
    struct msg_adjust_request request = adjustment(103);
    assert_int_equal(service_call(people.world, OPERATION_ADJUST, 0, &request), RESULT_RATE);
    (void)list_proposals(&people, 0, 2);
    people_end(&people);
}

static void many_come_by_pages(void **state)
{
    (void)state;
    struct people people = people_begin();
    uint64_t proposals[60];
    for (size_t i = 0; i < COUNT_OF(proposals); i++)
        proposals[i] = propose(&people, 101 + (int64_t)i);
    assert_int_equal(decide_proposal(&people, people.ann, proposals[7], false), RESULT_DONE);
    struct msg_approval_list_request request = { .from = 0 };
    uint64_t listed = 0;
    do {
        assert_int_equal(service_call(people.world, OPERATION_APPROVAL_LIST, 0, &request), RESULT_DONE);
        const struct msg_approval_list_answer *answer = &people.world->reply.message.approval_list_answer;
        for (uint64_t i = 0; i < answer->entries_count; i++) {
            listed += listed == 7;
            assert_int_equal(answer->entries[i].proposal, proposals[listed]);
            assert_int_equal(answer->entries[i].points, 101 + (int64_t)listed);
            listed++;
        }
        request.from = answer->next;
    } while (request.from != 0);
    assert_int_equal(listed, COUNT_OF(proposals));
    people_end(&people);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(above_the_limit_it_waits), cmocka_unit_test(approved_it_is_booked_once),
        cmocka_unit_test(nobody_decides_his_own),   cmocka_unit_test(rejected_it_is_over),
        cmocka_unit_test(it_is_judged_again),       cmocka_unit_test(returns_without_a_purchase),
        cmocka_unit_test(every_limited_act),        cmocka_unit_test(too_old_it_is_over),
        cmocka_unit_test(many_come_by_pages),       cmocka_unit_test(reversals_take_it_back),
        cmocka_unit_test(proposals_are_counted),

    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
