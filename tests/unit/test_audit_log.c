/*
 * The audit log: what somebody did, by page (RELIABILITY.md, Audit and abuse).
 */
#include "audit_pages.h"
#include "service_acts.h"
#include "service_people.h"

#define HOUR (60 * 60 * US_PER_SECOND)

/* The local administrator and one of the office, who did this and that an hour apart. */
struct days_work {
    struct service_world *world;
    uint64_t olga; /* her connection */
    utc_us begin;
};

static utc_us next_hour(struct service_world *world)
{
    clock_forward(HOUR);
    turn(world);
    return ledger_now(world->ledger);
}

static uint64_t reverse(struct service_world *world, uint64_t epoch, uint64_t number, uint64_t identity)
{
    struct msg_reversal_request request;
    message_init(MESSAGE_reversal_request, &request);
    request.epoch = epoch;
    request.number = number;
    request.identity = identity;
    request.store = code("S1");
    request.till = code("1");
    assert_int_equal(service_call(world, OPERATION_REVERSAL, 0, &request), RESULT_DONE);
    return world->reply.message.reversal_answer.position;
}

static struct days_work begin(void)
{
    struct days_work work = { .world = service_world_new("base: [{rule: spend, points: 1, amount: 1.00}]\n"
                                                         "adjust_limits: {office: 100}\n...\n") };
    struct service_world *world = work.world;
    uint64_t number = add_user(world, ROLE_OFFICE, "olga");
    work.begin = next_hour(world);
    (void)issue(world, "1001");
    (void)buy(world, "1001", 5000, "S1", "R1", false);
    work.olga = join_as(world, number, 11);
    (void)next_hour(world);
    (void)adjust(world, "1001", 70);
    (void)next_hour(world);
    block(world, "1001");
    return work;
}

static void end(struct days_work *work)
{
    service_world_free(work->world);
}

static void it_says_who_did_what(void **state)
{
    (void)state;
    struct days_work work = begin();
    const struct msg_audit_entry *acts;
    service_speak(work.world, 1);
    const struct msg_audit_log_answer *log = page(work.world, &(struct page_wish){ .since = work.begin });
    assert_int_equal(log->next, 0);
    assert_int_equal(log->entries_count, 3); /* a purchase is none */
    acts = log->entries;
    assert_act(&acts[0], "card_issued", "local", "1 card");
    assert_act(&acts[1], "adjustment", "olga", "goodwill, a note");
    assert_act(&acts[2], "card_status", "olga", "blocked, was active");
    assert_int_equal(acts[1].points, 70);
    assert_int_equal(acts[1].account, 1);
    assert_true(acts[0].position < acts[1].position && acts[1].position < acts[2].position);
    assert_true(acts[2].time - acts[1].time >= (uint64_t)HOUR);
    end(&work);
}

/* What tills do all day is none; the local administrator may be one. What users do in their stead is. */
static void business_is_an_act_of_people_alone(void **state)
{
    (void)state;
    struct days_work work = begin();
    struct service_world *world = work.world;
    service_speak(world, 1);
    (void)issue(world, "1002");
    (void)buy(world, "1002", 500, "S1", "R8", false);
    (void)reverse(world, 77, world->number, 0);
    assert_int_equal(acts_of_kind(world, "purchase"), 0);
    assert_int_equal(acts_of_kind(world, "reversal"), 0);
    service_speak(world, work.olga);
    uint64_t olga = world->session->identity, of = buy(world, "1002", 600, "S1", "R9", false);
    uint64_t number = world->number;
    service_speak(world, 1);
    (void)reverse(world, 11, number, olga);
    const struct msg_audit_log_answer *log = page(world, &(struct page_wish){ .kind = "purchase" });
    assert_int_equal(log->entries_count, 1);
    assert_act(&log->entries[0], "purchase", "olga", "");
    assert_int_equal(log->entries[0].position, of);
    /* To undo what another one did is always one. */
    log = page(world, &(struct page_wish){ .kind = "reversal" });
    assert_int_equal(log->entries_count, 1);
    assert_act(&log->entries[0], "reversal", "local", "");
    assert_int_equal(log->entries[0].refers, of);
    assert_int_equal(log->entries[0].points, -6);
    end(&work);
}

static void it_is_asked_for_by_actor_kind_and_time(void **state)
{
    (void)state;
    struct days_work work = begin();
    struct service_world *world = work.world;
    service_speak(world, 1);
    utc_us first = work.begin;
    static const struct {
        const char *actor, *kind;
        int since, until; /* hours after the first; 0: not said */
        size_t count;
    } rows[] = {
        { "olga", NULL, 0, 0, 2 },          { "olga", "adjustment", 0, 0, 1 },
        { "olga", "card_issued", 0, 0, 0 }, { "local", "card_issued", 0, 0, 1 },
        { NULL, "adjustment", 0, 0, 1 },    { NULL, "purchase", 0, 0, 0 },
        { "olga", NULL, 1, 0, 2 },          { "olga", NULL, 2, 0, 1 },
        { "olga", NULL, 3, 0, 0 },          { "olga", NULL, 0, 2, 1 },
        { "olga", NULL, 1, 2, 1 },          { "olga", NULL, 0, 1, 0 },
        { "server", "identity", 0, 0, 1 },  { "server", "adjustment", 0, 0, 0 },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct page_wish wish = { .actor = rows[i].actor, .kind = rows[i].kind };
        wish.since = rows[i].since != 0 ? first + rows[i].since * HOUR : 0;
        wish.until = rows[i].until != 0 ? first + rows[i].until * HOUR : 0;
        if (page(world, &wish)->entries_count != rows[i].count)
            fail_msg("row %zu: %llu acts", i,
                     (unsigned long long)world->reply.message.audit_log_answer.entries_count);
    }
    end(&work);
}

static void pages_follow_one_another(void **state)
{
    (void)state;
    struct days_work work = begin();
    struct service_world *world = work.world;
    uint64_t positions[16], from = 0;
    size_t all = 0, seen = 0;
    service_speak(world, 1);
    const struct msg_audit_log_answer *log = page(world, &(struct page_wish){ 0 });
    assert_true(log->entries_count > 4 && log->entries_count <= COUNT_OF(positions));
    for (; all < log->entries_count; all++)
        positions[all] = log->entries[all].position;
    do {
        log = page(world, &(struct page_wish){ .from = from, .limit = 2 });
        assert_true(log->entries_count <= 2);
        for (size_t i = 0; i < log->entries_count; i++) {
            assert_true(seen < all);
            assert_int_equal(log->entries[i].position, positions[seen++]);
        }
        from = log->next;
    } while (from != 0);
    assert_int_equal(seen, all);
    /* From one that is named on; and what others did is passed over, not ended at. */
    log = page(world, &(struct page_wish){ .from = positions[2], .limit = 1 });
    assert_int_equal(log->entries[0].position, positions[2]);
    log = page(world, &(struct page_wish){ .actor = "olga", .from = positions[1], .limit = 1 });
    assert_int_equal(log->entries_count, 1);
    assert_true(log->next > log->entries[0].position);
    end(&work);
}

static void what_is_not_there_is_refused(void **state)
{
    (void)state;
    struct days_work work = begin();
    struct service_world *world = work.world;
    service_speak(world, 1);
    uint64_t first = page(world, &(struct page_wish){ 0 })->entries[0].position;
    assert_int_equal(page_result(world, &(struct page_wish){ .actor = "nobody" }), RESULT_UNKNOWN_IDENTITY);
    assert_int_equal(page_result(world, &(struct page_wish){ .actor = "S1/9" }), RESULT_UNKNOWN_IDENTITY);
    assert_int_equal(page_result(world, &(struct page_wish){ .from = first + 1 }), RESULT_UNKNOWN_EVENT);
    assert_int_equal(page_result(world, &(struct page_wish){ .from = ledger_end(world->ledger) }),
                     RESULT_UNKNOWN_EVENT);
    assert_int_equal(page_result(world, &(struct page_wish){ .from = UINT64_MAX }), RESULT_UNKNOWN_EVENT);
    assert_int_equal(page(world, &(struct page_wish){ .kind = "nothing" })->entries_count, 0);
    end(&work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_who_did_what),
        cmocka_unit_test(business_is_an_act_of_people_alone),
        cmocka_unit_test(it_is_asked_for_by_actor_kind_and_time),
        cmocka_unit_test(pages_follow_one_another),
        cmocka_unit_test(what_is_not_there_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
