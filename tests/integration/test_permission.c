/*
 * Who may do what, over real TLS connections: every operation as every role (RELIABILITY.md, Identity, roles), what a till
 * may name, and what another identity approves.
 */
#include <stdio.h>
#include <string.h>

#include "every_request.h"
#include "secure.h"
#include "talk.h"

/* One of each role; the till is S1/1. */
static void enrol_everybody(const struct world *world, char out[ROLE_COUNT + 1][SECURE_PATH_MAX])
{
    secure_till(world, "S1", "1", out[ROLE_TILL]);
    for (uint32_t role = ROLE_SUPERVISOR; role <= ROLE_COUNT; role++)
        secure_user(world, role_name((enum role)role), role_name((enum role)role), out[role]);
}

static void every_cell_of_the_table(void **state)
{
    (void)state;
    struct world *world = secure_world_new(NULL);
    static char identities[ROLE_COUNT + 1][SECURE_PATH_MAX];
    const struct operation_row *rows[OPERATIONS_MAX];
    uint32_t count = every_operation(rows);
    uint32_t allowed = 0;
    enrol_everybody(world, identities);
    for (uint32_t role = 1; role <= ROLE_COUNT; role++) {
        struct secure *secure = secure_hello(world, identities[role], 1000 + role);
        for (uint32_t i = 0; i < count; i++) {
            union any_request request;
            bool may = operation_allows(rows[i], (enum role)role);
            every_request_fill(rows[i], "S1", "1", &request);
            enum result result = secure_call(secure, rows[i]->code, 0, &request);
            if (may == (result == RESULT_NOT_PERMITTED))
                fail_msg("%s as %s: %s", rows[i]->name, role_name((enum role)role),
                         result == RESULT_DONE ? "done" : result_row(result)->name);
            allowed += may;
        }
        secure_free(secure);
    }
    assert_in_range(allowed, 100, count * ROLE_COUNT - 100);
    world_free(world);
}

static void tills_name_what_is_their_own(void **state)
{
    (void)state;
    struct world *world = secure_world_new(NULL);
    char till[SECURE_PATH_MAX];
    secure_till(world, "S1", "1", till);
    struct secure *secure = secure_hello(world, till, 5);
    struct msg_card_issue_request issue;
    message_init(MESSAGE_card_issue_request, &issue);
    issue.card = talk_code("1001");
    assert_int_equal(secure_call(secure, OPERATION_CARD_ISSUE, 0, &issue), RESULT_DONE);
    struct msg_purchase_request sale = talk_purchase("1001", 500, "r1");
    static const struct {
        const char *store, *till;
        enum result want;
    } rows[] = { { "S2", "1", RESULT_NOT_PERMITTED },
                 { "S1", "2", RESULT_NOT_PERMITTED },
                 { "S1", "1", RESULT_DONE } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sale.store = talk_code(rows[i].store);
        sale.till = talk_code(rows[i].till);
        assert_int_equal(secure_call(secure, OPERATION_PURCHASE, 0, &sale), rows[i].want);
    }
    /* One receipt was booked, and no other. */
    struct talk *local = talk_hello(world_address(world), 9, 1, NULL);
    assert_int_equal(talk_card(local, "1001").available, 5);
    talk_free(local);
    secure_free(secure);
    world_free(world);
}

/* The command as this identity, over its TLS connection. Ends with this exit code; what it wrote is the caller's. */
__attribute__((sentinel)) static struct run punkt_as(const char *identity, int exit_code, ...)
{
    const char *argv[16] = { "punkt", "--json", "--identity", identity };
    size_t count = 4;
    va_list more;
    struct run run;
    va_start(more, exit_code);
    do
        argv[count] = va_arg(more, const char *);
    while (argv[count++] != NULL);
    va_end(more);
    run_begin(argv, NULL, &run);
    run_end(&run);
    if (run.exit_code != exit_code)
        fail_msg("%s %s: %d, %s%s", argv[4], argv[5], run.exit_code, run.out, run.err);
    return run;
}

static void another_identity_approves(void **state)
{
    (void)state;
    struct world *world = secure_world_new(
        "base: [{rule: spend, points: 1, amount: 1.00}]\nadjust_limits: {office: 100}\n...\n");
    char olga[SECURE_PATH_MAX];
    char ann[SECURE_PATH_MAX];
    secure_user(world, "olga", "office", olga);
    secure_user(world, "ann", "approver", ann);
    struct run run = punkt_as(olga, 0, "card", "issue", "1001", NULL);
    run_done(&run);
    run = punkt_as(olga, 4, "adjust", "1001", "+250", "--reason", "goodwill", NULL);
    unsigned long long number = 0;
    const char *detail = strstr(run.err, "proposal ");
    assert_non_null(detail);
    assert_int_equal(sscanf(detail, "proposal %llu:", &number), 1);
    run_done(&run);
    char proposal[32];
    (void)snprintf(proposal, sizeof(proposal), "%llu", number);
    run = punkt_as(olga, 4, "approval", "approve", proposal, NULL); /* not for the office */
    run_done(&run);
    run = punkt_as(ann, 0, "approval", "list", NULL);
    assert_non_null(strstr(run.out, proposal));
    assert_non_null(strstr(run.out, "olga"));
    run_done(&run);
    world_kill(world);
    world_start(world); /* it is still there */
    char address[SECURE_PATH_MAX];
    secure_address(world, "tls", address);
    run = punkt_as(ann, 0, "--server", address, "approval", "approve", proposal, "--note", "fine", NULL);
    run_done(&run);
    run = punkt_as(ann, 5, "--server", address, "approval", "approve", proposal, NULL);
    run_done(&run);
    struct talk *local = talk_hello(world_address(world), 9, 1, NULL);
    assert_int_equal(talk_card(local, "1001").available, 250);
    talk_free(local);
    world_free(world);
}

#define ROUNDS 50

/* The proposal that the last refusal speaks of. */
static uint64_t proposed(const struct secure *secure)
{
    char detail[401];
    unsigned long long number = 0;
    struct message_text text = secure_detail(secure);
    (void)snprintf(detail, sizeof(detail), "%.*s", (int)text.size, text.data);
    assert_int_equal(sscanf(detail, "proposal %llu:", &number), 1);
    return number;
}

/* Two approve at once, again and again: one of them books it, and the other is told so. */
static void two_approve_at_once(void **state)
{
    (void)state;
    struct world *world =
        secure_world_new("base: [{rule: spend, points: 1, amount: 1.00}]\nadjust_limits: {office: 0}\n...\n");
    static const char *const names[] = { "ann", "ben" };
    char path[SECURE_PATH_MAX];
    struct secure *approvers[2];
    struct talk *local = talk_hello(world_address(world), 9, 1, NULL);
    talk_issue(local, 1, "1001", 1);
    for (size_t i = 0; i < 2; i++) {
        secure_user(world, names[i], "approver", path);
        approvers[i] = secure_hello(world, path, 20 + i);
    }
    secure_user(world, "olga", "office", path);
    struct secure *office = secure_hello(world, path, 30);
    struct msg_adjust_request adjust;
    message_init(MESSAGE_adjust_request, &adjust);
    adjust.card = talk_code("1001");
    adjust.points = 7;
    adjust.reason = talk_code("goodwill");
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct msg_approval_decide_request approve;
        message_init(MESSAGE_approval_decide_request, &approve);
        assert_int_equal(secure_call(office, OPERATION_ADJUST, 0, &adjust), RESULT_NEEDS_APPROVAL);
        approve.proposal = proposed(office);
        approve.approve = 1;
        for (size_t i = 0; i < 2; i++)
            secure_send(approvers[(i + round) % 2], OPERATION_APPROVAL_DECIDE, 0, &approve);
        enum result first = secure_answer(approvers[0]);
        enum result second = secure_answer(approvers[1]);
        assert_true((first == RESULT_DONE) != (second == RESULT_DONE));
        assert_int_equal(first == RESULT_DONE ? second : first, RESULT_PROPOSAL_ENDED);
    }
    assert_int_equal(talk_card(local, "1001").available, 7 * ROUNDS);
    secure_free(office);
    secure_free(approvers[0]);
    secure_free(approvers[1]);
    talk_free(local);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_of_the_table),
        cmocka_unit_test(tills_name_what_is_their_own),
        cmocka_unit_test(another_identity_approves),
        cmocka_unit_test(two_approve_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
