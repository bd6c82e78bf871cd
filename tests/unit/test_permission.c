/*
 * The table of operations and roles, cell by cell, and what a till may name (RELIABILITY.md, Identity, roles): through the
 * service, as a proven identity of each role.
 */
#include <stdio.h>
#include <string.h>

#include "every_request.h"
#include "service_acts.h"
#include "service_people.h"

static const struct operation_row *rows[OPERATIONS_MAX];
static uint32_t row_count;

/* What is S1/1's own. */
static void fill(const struct operation_row *row, union message_any *out)
{
    every_request_fill(row, "S1", "1", out);
}

/* What was to be tried again left the lane where it is. */
static enum result ask(struct service_world *world, enum operation operation, uint16_t flags,
                       const void *message)
{
    world->number = world->session->lane->highest;
    return service_call(world, operation, flags, message);
}

/* Who is of each role; a till is S1/1. */
static void add_everybody(struct service_world *world, uint64_t out[ROLE_COUNT + 1])
{
    for (uint32_t role = 1; role <= ROLE_COUNT; role++)
        out[role] = role == ROLE_TILL ? add_till(world, "S1", "1")
                                      : add_user(world, (enum role)role, role_name((enum role)role));
}

static void every_cell_of_the_table(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    uint64_t identities[ROLE_COUNT + 1];
    uint32_t allowed = 0;
    row_count = every_operation(rows);
    add_everybody(world, identities);
    for (uint32_t role = 1; role <= ROLE_COUNT; role++) {
        uint64_t conn = join_as(world, identities[role], 1000 + role);
        for (uint32_t i = 0; i < row_count; i++) {
            union message_any request;
            fill(rows[i], &request);
            bool may = operation_allows(rows[i], (enum role)role);
            enum result result = ask(world, rows[i]->code, 0, &request);
            if (may == (result == RESULT_NOT_PERMITTED))
                fail_msg("%s as %s: %s", rows[i]->name, role_name((enum role)role), result_row(result)->name);
            allowed += may;
        }
        service_speak(world, 1);
        service_leave(world, conn);
    }
    /* Both kinds of cells are many: the table is neither empty nor full. */
    assert_in_range(allowed, 100, row_count * ROLE_COUNT - 100);
    service_world_free(world);
}

/* A request that is permitted at first is the same for a repeat of one that was not: each has its first answer. */
static void what_is_not_permitted_is_remembered(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    uint64_t auditor = add_user(world, ROLE_AUDITOR, "otto");
    struct msg_card_issue_request request;
    message_init(MESSAGE_card_issue_request, &request);
    request.card = code("1001");
    join_as(world, auditor, 5);
    assert_int_equal(service_call(world, OPERATION_CARD_ISSUE, 0, &request), RESULT_NOT_PERMITTED);
    assert_detail(world, "not for the role auditor");
    assert_int_equal(world->session->lane->highest, 1);
    /* An office user by now: the same number is answered as before, the next one is done. */
    struct identity otto = register_by_number(world->service, auditor)->identity;
    otto.role = ROLE_OFFICE;
    change_identity(world, IDENTITY_ACT_ROLE, &otto);
    world->number = 0;
    assert_int_equal(service_call(world, OPERATION_CARD_ISSUE, 0, &request), RESULT_NOT_PERMITTED);
    assert_int_equal(service_call(world, OPERATION_CARD_ISSUE, 0, &request), RESULT_DONE);
    /* And what was done is answered so when nothing is permitted any more. */
    otto.status = IDENTITY_SUSPENDED;
    change_identity(world, IDENTITY_ACT_SUSPEND, &otto);
    world->number = 1;
    assert_int_equal(service_call(world, OPERATION_CARD_ISSUE, 0, &request), RESULT_DONE);
    assert_int_equal(service_call(world, OPERATION_CARD_ISSUE, 0, &request), RESULT_NOT_PERMITTED);
    assert_int_equal(service_call(world, OPERATION_PING, 0, &(struct msg_ping_request){ 0 }),
                     RESULT_NOT_PERMITTED);
    service_world_free(world);
}

/* "failed proofs and conflicts are counted": so are reads that are not for a role; the lane is as it was. */
static void reads_are_counted(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    uint64_t number = add_till(world, "S1", "1");
    uint64_t till = join_as(world, number, 4);
    struct msg_totals_request totals = { 0 };
    struct msg_day_totals_request day = { .store = code("S2"), .till = code("1"), .date = 20000 };
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(service_call(world, OPERATION_TOTALS, 0, &totals), RESULT_NOT_PERMITTED);
    assert_detail(world, "not for the role till");
    assert_int_equal(service_call(world, OPERATION_DAY_TOTALS, 0, &day), RESULT_NOT_PERMITTED);
    assert_int_equal(world->session->lane->highest, 0);
    service_speak(world, 1);
    service_leave(world, till);
    service_end(world->service); /* what the minute has counted */
    (void)service_turn(world->service);
    ledger_turn_end(world->ledger);
    struct msg_audit_log_request request;
    message_init(MESSAGE_audit_log_request, &request);
    request.kind = code(event_type_name(EVENT_ATTEMPTS));
    request.actor = (struct message_text){ "S1/1", 4 };
    assert_int_equal(service_call(world, OPERATION_AUDIT_LOG, 0, &request), RESULT_DONE);
    const struct msg_audit_log_answer *answer = &world->reply.message.audit_log_answer;
    assert_int_equal(answer->entries_count, 1);
    assert_int_equal(answer->entries[0].identity, number);
    static const char want[] = "3 x not permitted from S1/1, last: day_totals";
    assert_int_equal(answer->entries[0].detail.size, strlen(want));
    assert_memory_equal(answer->entries[0].detail.data, want, strlen(want));
    service_world_free(world);
}

/* --- what a till may name --- */

static const struct message_field *field_named(const struct operation_row *row, const char *name)
{
    const struct message_table *table = &message_tables[row->request];
    for (size_t i = 0; i < table->field_count; i++) {
        if (strcmp(table->fields[i].name, name) == 0)
            return &table->fields[i];
    }
    return NULL;
}

/* Every request with such a field, filled with what is not the till's own; a supervisor may send the same. */
static void tills_name_what_is_their_own(void **state)
{
    (void)state;
    static const struct {
        const char *field;
        const char *word; /* NULL: the number */
        uint64_t number;
        const char *detail;
    } foreign[] = {
        { "store", "S2", 0, "a till names its own store only" },
        { "store", "S", 0, "a till names its own store only" },
        { "till", "2", 0, "a till names itself only" },
        { "till", "11", 0, "a till names itself only" },
        { "identity", NULL, IDENTITY_LOCAL, "a till asks about its own requests only" },
        { "count", NULL, 2, "a till issues one card at a time" },
    };
    struct service_world *world = service_world_new(acts_programme);
    uint64_t identities[ROLE_COUNT + 1];
    uint32_t tried = 0;
    row_count = every_operation(rows);
    add_everybody(world, identities);
    uint64_t supervisor = join_as(world, identities[ROLE_SUPERVISOR], 8);
    uint64_t till = join_as(world, identities[ROLE_TILL], 9);
    for (uint32_t i = 0; i < row_count; i++) {
        for (size_t j = 0; j < COUNT_OF(foreign); j++) {
            const struct message_field *field = field_named(rows[i], foreign[j].field);
            if (field == NULL || !operation_allows(rows[i], ROLE_TILL))
                continue;
            union message_any request;
            struct wire_code word = code(foreign[j].word != NULL ? foreign[j].word : "1");
            fill(rows[i], &request);
            if (foreign[j].word != NULL)
                memcpy((uint8_t *)&request + field->offset, &word, sizeof(word));
            else
                memcpy((uint8_t *)&request + field->offset, &foreign[j].number, sizeof(foreign[j].number));
            service_speak(world, till);
            if (ask(world, rows[i]->code, 0, &request) != RESULT_NOT_PERMITTED)
                fail_msg("%s with a foreign %s", rows[i]->name, foreign[j].field);
            assert_detail(world, foreign[j].detail);
            service_speak(world, supervisor);
            if (ask(world, rows[i]->code, 0, &request) == RESULT_NOT_PERMITTED)
                fail_msg("%s with another %s by a supervisor", rows[i]->name, foreign[j].field);
            tried++;
        }
    }
    assert_true(tried > 40);
    service_world_free(world);
}

/* No list of a request that a till may send has a place or identity in its elements, where nothing would look at it. */
static void elements_name_nobody(void **state)
{
    (void)state;
    static const char *const names[] = { "store", "till", "identity" };
    uint32_t lists = 0;
    row_count = every_operation(rows);
    for (uint32_t i = 0; i < row_count; i++) {
        const struct message_table *table = &message_tables[rows[i]->request];
        for (size_t j = 0; operation_allows(rows[i], ROLE_TILL) && j < table->field_count; j++) {
            if (table->fields[j].kind != FIELD_LIST)
                continue;
            const struct message_table *element = &message_tables[table->fields[j].element];
            lists++;
            for (size_t k = 0; k < element->field_count; k++) {
                for (size_t n = 0; n < COUNT_OF(names); n++)
                    assert_string_not_equal(element->fields[k].name, names[n]);
            }
        }
    }
    assert_true(lists > 5);
}

/* Its own is done: a sale, a return of a sale of another store, its lane's numbers. */
static void tills_sell(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    issue(world, "1001");
    (void)buy(world, "1001", 1000, "S2", "r1", false);
    uint64_t number = add_till(world, "S1", "1");
    join_as(world, number, 3);
    (void)buy(world, "1001", 1000, "S1", "r1", false);
    struct msg_return_request goods;
    message_init(MESSAGE_return_request, &goods);
    goods.card = code("1001");
    goods.amount = 100;
    goods.store = code("S1");
    goods.till = goods.sale_till = code("1");
    goods.sale_store = code("S2");
    goods.sale_receipt = code("r1");
    assert_int_equal(service_call(world, OPERATION_RETURN, 0, &goods), RESULT_DONE);
    struct msg_status_request status = { .epoch = 3, .number = 1, .identity = number };
    assert_int_equal(service_call(world, OPERATION_STATUS, 0, &status), RESULT_DONE);
    status.identity = 0;
    assert_int_equal(service_call(world, OPERATION_STATUS, 0, &status), RESULT_DONE);
    service_world_free(world);
}

static uint64_t sales_of_the_day(struct service_world *world)
{
    struct msg_day_totals_request request;
    message_init(MESSAGE_day_totals_request, &request);
    request.store = code("S1");
    request.till = code("1");
    request.date = (uint64_t)today(world->service);
    assert_int_equal(service_call(world, OPERATION_DAY_TOTALS, 0, &request), RESULT_DONE);
    return world->reply.message.day_totals_answer.purchases;
}

/* What somebody else books at a till's place is no part of the day that this till closes; the account has it. */
static void days_are_the_tills_own(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    issue(world, "1001");
    uint64_t till = add_till(world, "S1", "1");
    uint64_t office = add_user(world, ROLE_OFFICE, "olga");
    join_as(world, till, 3);
    (void)buy(world, "1001", 1000, "S1", "r1", false);
    assert_int_equal(sales_of_the_day(world), 1);
    join_as(world, office, 4);
    (void)buy(world, "1001", 1000, "S1", "r2", false);
    assert_int_equal(sales_of_the_day(world), 1);
    /* The local administrator stands for tills that prove nothing yet. */
    service_speak(world, 1);
    (void)buy(world, "1001", 1000, "S1", "r3", false);
    assert_int_equal(sales_of_the_day(world), 2);
    service_world_free(world);
}

/* What waited here when its till was suspended is refused to nobody: resumed, the till sends it again under its number. */
static void who_is_suspended_is_not_answered_for_good(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    struct identity till;
    uint64_t number = add_till(world, "S1", "1");
    union message_any request;
    fill(operation_row(OPERATION_CARD_ISSUE), &request);
    join_as(world, number, 5);
    till = register_by_number(world->service, number)->identity;
    till.status = IDENTITY_SUSPENDED;
    change_identity(world, IDENTITY_ACT_SUSPEND, &till);
    assert_int_equal(ask(world, OPERATION_CARD_ISSUE, 0, &request), RESULT_NOT_PERMITTED);
    till.status = IDENTITY_ACTIVE;
    change_identity(world, IDENTITY_ACT_RESUME, &till);
    assert_int_equal(world->session->lane->highest, 0);
    assert_int_equal(ask(world, OPERATION_CARD_ISSUE, 0, &request), RESULT_DONE);
    service_world_free(world);
}

/* A read that waits for the reader thread is judged again when it goes on. */
static void who_is_suspended_reads_no_more(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    issue(world, "1001");
    uint64_t number = add_till(world, "S1", "1");
    join_as(world, number, 5);
    struct msg_return_preview_request request;
    message_init(MESSAGE_return_preview_request, &request);
    request.card = code("1001");
    request.amount = 100;
    request.store = code("S1");
    request.till = code("1");
    request.sale_position = buy(world, "1001", 1000, "S1", "r1", false);
    struct wire_writer writer = wire_writer_over(world->request, sizeof(world->request));
    message_encode(MESSAGE_return_preview_request, &request, &writer);
    const struct frame frame = { .type = OPERATION_RETURN_PREVIEW,
                                 .number = 99,
                                 .body = world->request,
                                 .body_size = (uint32_t)wire_written(&writer) };
    world->reply.come = false;
    assert_int_equal(service_frame(world->service, world->session, &frame), SERVICE_TAKEN);
    assert_false(world->reply.come);
    struct identity till = register_by_number(world->service, number)->identity;
    till.status = IDENTITY_SUSPENDED;
    change_identity(world, IDENTITY_ACT_SUSPEND, &till);
    while (!world->reply.come)
        service_turns(world);
    assert_int_equal(world->reply.type, OPERATION_RETURN_PREVIEW | FRAME_TYPE_REFUSED);
    assert_int_equal(world->reply.body[0], RESULT_NOT_PERMITTED);
    service_world_free(world);
}

/* "Imports (role office or admin, flag historic)": nobody else says so, neither of changes nor of reads. */
static void the_office_imports(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    uint64_t identities[ROLE_COUNT + 1];
    add_everybody(world, identities);
    for (uint32_t role = 1; role <= ROLE_COUNT; role++) {
        bool may = role == ROLE_OFFICE || role == ROLE_ADMIN;
        static const enum operation operations[] = { OPERATION_PURCHASE, OPERATION_QUOTE };
        uint64_t conn = join_as(world, identities[role], 30 + role);
        for (size_t i = 0; i < COUNT_OF(operations); i++) {
            const struct operation_row *row = operation_row((uint16_t)operations[i]);
            union message_any request;
            fill(row, &request);
            enum result result = ask(world, operations[i], FRAME_FLAG_HISTORIC, &request);
            assert_int_equal(result == RESULT_NOT_PERMITTED, !may);
            if (!may && operation_allows(row, (enum role)role))
                assert_detail(world, "only the office imports what is historic");
            if (operation_allows(row, (enum role)role)) /* what tills send after a server's loss */
                assert_int_not_equal(
                    ask(world, operations[i], FRAME_FLAG_SERVER_LOST | FRAME_FLAG_ADVICE, &request),
                    RESULT_NOT_PERMITTED);
        }
        service_speak(world, 1);
        service_leave(world, conn);
    }
    service_world_free(world);
}

/* --- the audit log --- */

static bool is_logged(struct service_world *world, enum role role, uint64_t position)
{
    struct msg_audit_log_request request;
    message_init(MESSAGE_audit_log_request, &request);
    request.actor = message_text_of(role == ROLE_TILL ? "S1/1" : role_name(role), 65);
    request.from = position;
    request.limit = 1;
    assert_int_equal(service_call(world, OPERATION_AUDIT_LOG, 0, &request), RESULT_DONE);
    const struct msg_audit_log_answer *answer = &world->reply.message.audit_log_answer;
    return answer->entries_count == 1 && answer->entries[0].position == position &&
           answer->entries[0].identity == IDENTITY_FIRST + role - 1;
}

/* Whatever changes something as a person of the register does is found by who did it; what a till sells is not. */
static void every_act_is_in_the_audit_log(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    uint64_t identities[ROLE_COUNT + 1];
    uint32_t acts = 0;
    uint64_t sale = 0;
    row_count = every_operation(rows);
    add_everybody(world, identities);
    for (uint32_t role = 1; role <= ROLE_COUNT; role++) {
        uint64_t conn = join_as(world, identities[role], 2000 + role);
        for (uint32_t i = 0; i < row_count; i++) {
            union message_any request;
            fill(rows[i], &request);
            if (rows[i]->kind != OPERATION_KIND_CHANGE ||
                ask(world, rows[i]->code, 0, &request) != RESULT_DONE)
                continue;
            uint64_t position;
            memcpy(&position, &world->reply.message, sizeof(position)); /* the first of every answer */
            service_speak(world, 1);
            sale = rows[i]->code == OPERATION_PURCHASE && role == ROLE_TILL ? position : sale;
            if (role != ROLE_TILL && !is_logged(world, (enum role)role, position))
                fail_msg("%s as %s is not in the log", rows[i]->name, role_name((enum role)role));
            acts += role != ROLE_TILL;
            service_speak(world, conn);
        }
        service_speak(world, 1);
        service_leave(world, conn);
    }
    assert_in_range(acts, 12, 200);
    assert_int_not_equal(sale, 0);
    assert_false(is_logged(world, ROLE_TILL, sale));
    service_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_of_the_table),
        cmocka_unit_test(what_is_not_permitted_is_remembered),
        cmocka_unit_test(reads_are_counted),
        cmocka_unit_test(tills_name_what_is_their_own),
        cmocka_unit_test(elements_name_nobody),
        cmocka_unit_test(tills_sell),
        cmocka_unit_test(days_are_the_tills_own),
        cmocka_unit_test(the_office_imports),
        cmocka_unit_test(every_act_is_in_the_audit_log),
        cmocka_unit_test(who_is_suspended_is_not_answered_for_good),
        cmocka_unit_test(who_is_suspended_reads_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
