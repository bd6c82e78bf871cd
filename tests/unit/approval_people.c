#include "approval_people.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* An approval has no limit, and the administrator none, whatever the programme says. */
static const char limited[] = "base: [{rule: spend, points: 1, amount: 1.00}]\n"
                              "adjust_limits: {office: 100, approver: 50, admin: 50}\n"
                              "unlinked_limits: {supervisor: 20.00}\n"
                              "debt_limits: {office: 10}\n"
                              "...\n";

struct people people_begin(void)
{
    struct service_world *world = service_world_new(limited);
    struct people people = { .world = world };
    issue(world, "1001");
    issue(world, "1002");
    (void)adjust(world, "1001", 500);
    people.office_number = add_user(world, ROLE_OFFICE, "olga");
    uint64_t supervisor = add_user(world, ROLE_SUPERVISOR, "sven");
    uint64_t ann = add_user(world, ROLE_APPROVER, "ann");
    uint64_t ben = add_user(world, ROLE_APPROVER, "ben");
    people.supervisor = join_as(world, supervisor, 12);
    people.ann = join_as(world, ann, 13);
    people.ben = join_as(world, ben, 14);
    people.office = join_as(world, people.office_number, 11);
    return people;
}

void people_end(struct people *people)
{
    service_world_free(people->world);
}

struct msg_adjust_request adjustment(int64_t points)
{
    struct msg_adjust_request request;
    message_init(MESSAGE_adjust_request, &request);
    request.card = code("1001");
    request.points = points;
    request.reason = code("goodwill");
    request.note = (struct message_text){ "a big one", 9 };
    request.operator= code("olga");
    return request;
}

/* The last answer says that it waits; its number. */
uint64_t proposed(struct service_world *world)
{
    char detail[REFUSAL_DETAIL_MAX + 1];
    const struct msg_refusal *refusal = &world->reply.message.refusal;
    uint64_t proposal = 0;
    uint64_t again = 0;
    assert_int_equal(world->reply.result, RESULT_NEEDS_APPROVAL);
    (void)snprintf(detail, sizeof(detail), "%.*s", (int)refusal->detail.size, refusal->detail.data);
    assert_int_equal(sscanf(detail,
                            "proposal %" SCNu64 ": another identity must approve it within 24 hours "
                            "(punkt approval approve %" SCNu64 ")",
                            &proposal, &again),
                     2);
    assert_int_equal(proposal, again);
    return proposal;
}

uint64_t propose(struct people *people, int64_t points)
{
    struct msg_adjust_request request = adjustment(points);
    service_speak(people->world, people->office);
    (void)service_call(people->world, OPERATION_ADJUST, 0, &request);
    return proposed(people->world);
}

enum result decide_proposal(struct people *people, uint64_t who, uint64_t proposal, bool approve)
{
    struct msg_approval_decide_request request;
    message_init(MESSAGE_approval_decide_request, &request);
    request.proposal = proposal;
    request.approve = approve;
    request.note = (struct message_text){ "looked at", 9 };
    service_speak(people->world, who);
    return service_call(people->world, OPERATION_APPROVAL_DECIDE, 0, &request);
}

int64_t points_of(struct people *people, const char *card)
{
    struct msg_card_show_request request = { .card = code(card) };
    assert_int_equal(service_call(people->world, OPERATION_CARD_SHOW, 0, &request), RESULT_DONE);
    return people->world->reply.message.card_show_answer.available;
}

const struct msg_proposal_entry *list_proposals(struct people *people, uint64_t proposal, uint64_t count)
{
    struct msg_approval_list_request request = { .proposal = proposal };
    const struct msg_approval_list_answer *answer = &people->world->reply.message.approval_list_answer;
    assert_int_equal(service_call(people->world, OPERATION_APPROVAL_LIST, 0, &request), RESULT_DONE);
    assert_int_equal(answer->entries_count, count);
    return answer->entries;
}

void assert_text(struct message_text got, const char *want)
{
    assert_int_equal(got.size, strlen(want));
    assert_memory_equal(got.data, want, got.size);
}

/* The body of the answer that was proposed. */
void read_inner(const struct service_world *world, enum message message, void *out)
{
    struct message_memory memory = { NULL, 0 };
    struct message_text inner = world->reply.message.approval_decide_answer.answer;
    const char *field;
    assert_true(message_decode(message, inner.data, inner.size, &memory, out, &field));
}

enum result take_back(struct people *people, const char *document, uint64_t amount, uint16_t flags)
{
    struct msg_unlinked_return_request request;
    message_init(MESSAGE_unlinked_return_request, &request);
    request.card = code("1001");
    request.amount = amount;
    request.store = code("S1");
    request.till = code("1");
    request.document = code(document);
    service_speak(people->world, people->supervisor);
    return service_call(people->world, OPERATION_UNLINKED_RETURN, flags, &request);
}
