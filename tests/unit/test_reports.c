/*
 * What was booked in all, through the service: the day of a till, reports.
 */
#include "service_acts.h"

#include <string.h>

/* --- the day of a till --- */

static void a_till_is_told_its_day(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    (void)issue(world, "100");
    uint64_t sale = buy(world, "100", 5000, "S1", "r1", false);
    (void)buy(world, "100", 1000, "S1", "r2", false);
    (void)buy(world, "100", 700, "S2", "r2", false);
    (void)give_back(world, "100", sale, 2000);
    struct msg_day_totals_request request;
    message_init(MESSAGE_day_totals_request, &request);
    request.store = code("S1");
    request.till = code("1");
    request.date = (uint64_t)today(world->service);
    assert_int_equal(service_call(world, OPERATION_DAY_TOTALS, 0, &request), RESULT_DONE);
    const struct msg_day_totals_answer *answer = &world->reply.message.day_totals_answer;
    assert_int_equal(answer->purchases, 2);
    assert_int_equal(answer->purchase_amount, 6000);
    assert_int_equal(answer->earned, 70);
    assert_int_equal(answer->returns, 1);
    assert_int_equal(answer->return_amount, 2000);
    assert_int_equal(answer->returned, 20);
    assert_int_equal(answer->redemptions, 0);
    assert_int_equal(answer->lanes_count, 1);
    assert_int_equal(answer->lanes[0].epoch, 77);
    assert_int_equal(answer->lanes[0].first, 2);
    assert_int_equal(answer->lanes[0].last, 5);
    assert_true(answer->hash != 0);
    request.date--;
    assert_int_equal(service_call(world, OPERATION_DAY_TOTALS, 0, &request), RESULT_DONE);
    assert_int_equal(answer->purchases, 0);
    assert_int_equal(answer->hash, 0);
    service_world_free(world);
}

/* --- reports --- */

static const struct msg_report_answer *report(struct service_world *world, uint64_t which, uint64_t next,
                                              uint64_t limit)
{
    struct msg_report_request request;
    message_init(MESSAGE_report_request, &request);
    request.report = which;
    request.next = next;
    request.limit = limit;
    assert_int_equal(service_call(world, OPERATION_REPORT, 0, &request), RESULT_DONE);
    return &world->reply.message.report_answer;
}

/* 4 events that move points, in two stores. */
static void make_business(struct service_world *world)
{
    (void)issue(world, "100");
    (void)issue(world, "200");
    uint64_t sale = buy(world, "100", 5000, "S1", "r1", false); /* 55 */
    (void)redeem(world, "100");                                 /* -20 */
    (void)give_back(world, "100", sale, 2000);                  /* -20 */
    (void)adjust(world, "200", -30);
    (void)buy(world, "900", 1500, "S2", "r1", true); /* 20, in suspense */
}

static void activity_adds_up(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    make_business(world);
    const struct msg_report_answer *answer = report(world, 2, 0, 1000);
    assert_int_equal(answer->next, 0);
    assert_int_equal(answer->rows_count, 31);
    const struct msg_report_row *now = &answer->rows[30];
    assert_int_equal(now->day, today(world->service));
    assert_int_equal(now->opening, 0);
    assert_int_equal(now->earned, 75);
    assert_int_equal(now->redeemed, -20);
    assert_int_equal(now->returned, -20);
    assert_int_equal(now->adjusted, -30);
    assert_int_equal(now->closing, 5);
    assert_int_equal(now->purchases, 2);
    assert_int_equal(now->spend, 6500);
    assert_int_equal(now->returns, 1);
    assert_int_equal(now->return_amount, 2000);
    assert_int_equal(now->redemptions, 1);
    assert_int_equal(answer->rows[0].closing, 0);
    /* By pages of ten days. */
    uint64_t next = 0;
    uint64_t rows = 0;
    do {
        answer = report(world, 2, next, 10);
        rows += answer->rows_count;
        assert_true(answer->next > next || answer->next == 0);
        next = answer->next;
    } while (next != 0);
    assert_int_equal(rows, 31);
    assert_int_equal(answer->rows[0].closing, 5);
    service_world_free(world);
}

static void stores_are_told_apart(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    make_business(world);
    const struct msg_report_answer *answer = report(world, 3, 0, 1000);
    assert_int_equal(answer->rows_count, 3); /* and the office, which has none */
    assert_code(&answer->rows[0].store, "");
    assert_int_equal(answer->rows[0].adjusted, -30);
    assert_code(&answer->rows[1].store, "S1");
    assert_int_equal(answer->rows[1].earned, 55);
    assert_int_equal(answer->rows[1].returned, -20);
    assert_int_equal(answer->rows[1].spend, 5000);
    assert_code(&answer->rows[2].store, "S2");
    assert_int_equal(answer->rows[2].earned, 20);
    assert_int_equal(answer->rows[2].redeemed, -20);
    answer = report(world, 3, 0, 2);
    assert_int_equal(answer->next, 2);
    answer = report(world, 3, 2, 2);
    assert_int_equal(answer->next, 0);
    assert_int_equal(answer->rows_count, 1);
    assert_code(&answer->rows[0].store, "S2");
    service_world_free(world);
}

static void liability_is_what_is_outstanding(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    make_business(world);
    const struct msg_report_answer *answer = report(world, 1, 0, 1000);
    assert_int_equal(answer->rows_count, 2);
    assert_int_equal(answer->rows[0].points, 35);
    assert_int_equal(answer->rows[0].debt, 30);
    assert_int_equal(answer->rows[0].closing, 5);
    assert_int_equal(answer->rows[0].worth, 35);
    assert_int_equal(answer->rows[0].accounts, 3);
    assert_int_equal(answer->rows[1].points, 35);
    assert_int_equal(answer->rows[1].day, month_last_day(month_of_day(today(world->service)) + 24));
    answer = report(world, 4, 0, 1000);
    assert_int_equal(answer->rows_count, 1);
    assert_int_equal(answer->rows[0].points, 35);
    answer = report(world, 7, 0, 1000);
    assert_int_equal(answer->rows_count, 1);
    assert_int_equal(answer->rows[0].earned, 75);
    assert_int_equal(answer->rows[0].redeemed, -20);
    assert_int_equal(answer->rows[0].returned, -20);
    assert_int_equal(answer->rows[0].closing, 35);
    service_world_free(world);
}

static void accounts_in_debt_and_suspense_are_listed(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    make_business(world);
    (void)buy(world, "900", 300, "S2", "r2", true);
    const struct msg_report_answer *answer = report(world, 5, 0, 1000);
    assert_int_equal(answer->rows_count, 1);
    assert_int_equal(answer->next, 0);
    assert_int_equal(answer->rows[0].account, 2);
    assert_int_equal(answer->rows[0].debt, 30);
    assert_int_equal(answer->rows[0].closing, -30);
    assert_int_equal(answer->rows[0].day, today(world->service));
    answer = report(world, 6, 0, 1000);
    assert_int_equal(answer->rows_count, 1);
    assert_int_equal(answer->rows[0].account, 3);
    assert_int_equal(answer->rows[0].points, 28);
    assert_code(&answer->rows[0].card, "900");
    service_world_free(world);
}

static void lists_of_accounts_have_pages(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    for (int i = 0; i < 5; i++) {
        char card[] = "100";
        card[2] = (char)('0' + i);
        (void)issue(world, card);
        (void)adjust(world, card, i == 2 ? 1 : -1 - i);
    }
    static const uint64_t want[] = { 1, 2, 4, 5 };
    uint64_t next = 0;
    size_t rows = 0;
    do {
        const struct msg_report_answer *answer = report(world, 5, next, 1);
        for (uint64_t i = 0; i < answer->rows_count; i++)
            assert_int_equal(answer->rows[i].account, want[rows++]);
        next = answer->next;
    } while (next != 0);
    assert_int_equal(rows, COUNT_OF(want));
    service_world_free(world);
}

static void reports_that_are_none_are_refused(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(acts_programme);
    struct msg_report_request request;
    message_init(MESSAGE_report_request, &request);
    assert_int_equal(service_call(world, OPERATION_REPORT, 0, &request), RESULT_MALFORMED);
    request.report = 8;
    assert_int_equal(service_call(world, OPERATION_REPORT, 0, &request), RESULT_MALFORMED);
    request.report = 2;
    request.from = (uint64_t)today(world->service) + 1;
    assert_int_equal(service_call(world, OPERATION_REPORT, 0, &request), RESULT_MALFORMED);
    service_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_till_is_told_its_day),
        cmocka_unit_test(activity_adds_up),
        cmocka_unit_test(stores_are_told_apart),
        cmocka_unit_test(liability_is_what_is_outstanding),
        cmocka_unit_test(accounts_in_debt_and_suspense_are_listed),
        cmocka_unit_test(lists_of_accounts_have_pages),
        cmocka_unit_test(reports_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
