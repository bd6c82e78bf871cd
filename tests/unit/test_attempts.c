/*
 * What is refused without an event of its own: counted by kind, source and identity, one event a minute (RELIABILITY.md,
 * Audit and abuse).
 */
#include <stdio.h>

#include "audit_pages.h"
#include "service_acts.h"
#include "service_people.h"

#define MINUTE (60 * US_PER_SECOND)
#define SOURCES 256 /* that are told apart in a minute */

static void attempt(struct service_world *world, enum attempt_kind kind, const char *source,
                    const char *detail)
{
    attempt_count(world->service, kind, text_of(source), 0, detail);
}

static void book_all(struct service_world *world)
{
    turn(world);
    while (attempts_are_open(world->service))
        service_turns(world);
}

static void a_minute_is_one_event(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(NULL);
    uint64_t olga = add_user(world, ROLE_OFFICE, "olga");
    attempt(world, ATTEMPT_PROOF, "192.0.2.1", "first");
    attempt(world, ATTEMPT_PROOF, "192.0.2.1", "second");
    attempt(world, ATTEMPT_ENROLMENT, "192.0.2.1", "a code");
    attempt(world, ATTEMPT_PROOF, "192.0.2.2", "elsewhere");
    attempt_count(world->service, ATTEMPT_NOT_PERMITTED, TEXT_LITERAL("olga"), olga, "audit_log");
    clock_forward(MINUTE / 2);
    turn(world);
    attempt(world, ATTEMPT_PROOF, "192.0.2.1", "third");
    assert_int_equal(acts_of_kind(world, "attempts"), 0);
    clock_forward(MINUTE / 2);
    book_all(world);
    const struct msg_audit_log_answer *log = page(world, &(struct page_wish){ .kind = "attempts" });
    assert_int_equal(log->entries_count, 4);
    assert_act(&log->entries[0], "attempts", "server", "3 x refused proof from 192.0.2.1, last: third");
    assert_act(&log->entries[1], "attempts", "server", "1 x refused enrolment from 192.0.2.1, last: a code");
    assert_act(&log->entries[2], "attempts", "server", "1 x refused proof from 192.0.2.2, last: elsewhere");
    assert_act(&log->entries[3], "attempts", "olga", "1 x not permitted from olga, last: audit_log");
    /* The next minute counts anew. */
    attempt(world, ATTEMPT_PROOF, "192.0.2.1", "again");
    clock_forward(MINUTE);
    book_all(world);
    log = page(world, &(struct page_wish){ .kind = "attempts" });
    assert_int_equal(log->entries_count, 5);
    assert_act(&log->entries[4], "attempts", "server", "1 x refused proof from 192.0.2.1, last: again");
    /* By who tried. */
    log = page(world, &(struct page_wish){ .kind = "attempts", .actor = "olga" });
    assert_int_equal(log->entries_count, 1);
    service_world_free(world);
}

static void attempts_from(struct service_world *world, enum attempt_kind kind, size_t sources)
{
    for (size_t i = 0; i < sources; i++) {
        char source[32];
        (void)snprintf(source, sizeof(source), "198.51.%zu.%zu", i / 256, i % 256);
        attempt(world, kind, source, "no");
    }
}

/* Who has many addresses fills neither memory nor journal; and every kind is still counted as what it is. */
static void too_many_sources_are_counted_together(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(NULL);
    attempts_from(world, ATTEMPT_PROOF, SOURCES + 44);
    attempts_from(world, ATTEMPT_ENROLMENT, 10);
    attempts_from(world, ATTEMPT_PROOF, 1);
    clock_forward(MINUTE);
    book_all(world);
    const struct msg_audit_log_answer *log = page(world, &(struct page_wish){ .kind = "attempts" });
    assert_int_equal(log->entries_count, 200);
    assert_act(&log->entries[0], "attempts", "server", "2 x refused proof from 198.51.0.0, last: no");
    log = page(world, &(struct page_wish){ .kind = "attempts", .from = log->next });
    assert_int_equal(log->next, 0);
    assert_int_equal(log->entries_count, SOURCES + 2 - 200);
    assert_act(&log->entries[SOURCES - 200], "attempts", "server",
               "44 x refused proof from others, last: no");
    assert_act(&log->entries[SOURCES - 199], "attempts", "server",
               "10 x refused enrolment from others, last: no");
    /* There is room again. */
    attempt(world, ATTEMPT_RATE, "203.0.113.1", "no");
    clock_forward(MINUTE);
    book_all(world);
    log =
        page(world, &(struct page_wish){ .kind = "attempts", .from = log->entries[SOURCES - 199].position });
    assert_int_equal(log->entries_count, 2);
    assert_act(&log->entries[1], "attempts", "server", "1 x too many refusals from 203.0.113.1, last: no");
    service_world_free(world);
}

/* Who has many addresses hides behind them nothing that an identity tried. */
static void a_crowd_hides_nobody(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(NULL);
    uint64_t olga = add_user(world, ROLE_OFFICE, "olga");
    attempts_from(world, ATTEMPT_PROOF, SOURCES + 44);
    attempts_from(world, ATTEMPT_ENROLMENT, SOURCES);
    attempt_count(world->service, ATTEMPT_NOT_PERMITTED, TEXT_LITERAL("olga"), olga, "audit_log");
    clock_forward(MINUTE);
    book_all(world);
    const struct msg_audit_log_answer *log =
        page(world, &(struct page_wish){ .kind = "attempts", .actor = "olga" });
    assert_int_equal(log->entries_count, 1);
    assert_act(&log->entries[0], "attempts", "olga", "1 x not permitted from olga, last: audit_log");
    service_world_free(world);
}

/* A number that comes again with something else (LEDGER.md, Who sends). */
static void a_conflict_is_counted(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(NULL);
    struct msg_card_issue_request request;
    (void)issue(world, "1001");
    world->number--;
    message_init(MESSAGE_card_issue_request, &request);
    request.card = code("1002");
    assert_int_equal(service_call(world, OPERATION_CARD_ISSUE, 0, &request), RESULT_CONFLICT);
    clock_forward(MINUTE);
    book_all(world);
    assert_int_equal(acts_of_kind(world, "attempts"), 1);
    service_world_free(world);
}

static void a_clean_stop_books_them(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(NULL);
    attempt(world, ATTEMPT_CONFLICT, "1/1", "number 7");
    while (!service_is_idle(world->service))
        service_turns(world);
    assert_true(attempts_are_open(world->service));
    service_end(world->service);
    assert_false(attempts_are_open(world->service));
    attempt(world, ATTEMPT_CONFLICT, "1/2", "number 8"); /* of what was on its way */
    assert_false(service_is_idle(world->service));
    turn(world);
    assert_true(service_is_idle(world->service));
    service_world_restart(world);
    const struct msg_audit_log_answer *log = page(world, &(struct page_wish){ .kind = "attempts" });
    assert_int_equal(log->entries_count, 2);
    assert_act(&log->entries[0], "attempts", "server", "1 x conflict of numbers from 1/1, last: number 7");
    assert_act(&log->entries[1], "attempts", "server", "1 x conflict of numbers from 1/2, last: number 8");
    service_world_free(world);
}

/* Somebody has the clock accepted: what was begun in a future that is none does not wait for it. */
static void time_may_go_back(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(NULL);
    utc_us before, after;
    attempt(world, ATTEMPT_PROOF, "192.0.2.1", "no");
    clock_back(30 * MINUTE);
    turn(world);
    assert_true(attempts_are_open(world->service));
    ledger_take_clock(world->ledger, &before, &after);
    assert_true(after < before);
    book_all(world);
    assert_int_equal(acts_of_kind(world, "attempts"), 1);
    service_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minute_is_one_event), cmocka_unit_test(too_many_sources_are_counted_together),
        cmocka_unit_test(a_crowd_hides_nobody),  cmocka_unit_test(a_clean_stop_books_them),
        cmocka_unit_test(time_may_go_back),      cmocka_unit_test(a_conflict_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
