/*
 * A till that was offline for a day: 2,000 sales wait in its outbox. When the daemon is there they are booked
 * in under a minute, in the order in which they were sold, while the till keeps selling. And what becomes of
 * what is undone meanwhile.
 */
#include <inttypes.h>
#include <limits.h>
#include <punkt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "network.h"
#include "world.h"

#define CARD "2900000000018"
#define STRANGER "2900000000025" /* never issued */
#define OFFLINE_SALES                                                                                        \
    (network_on() ? 800u : 2000u) /* of tills that prove who they are 500 at once, then 50 a second */
#define SALES_MAX 4000u
#define DRAIN_MS 60000 /* the promise */
#define PAGE 200u
#define BETWEEN_MS 20 /* customers, while it drains */

/* The till is known before the daemon goes away. */
static struct world *new_world(void)
{
    struct world_options options = { .unix_socket = true };
    struct world *world = world_new(&options);
    char identity[NETWORK_PATH_MAX];
    (void)network_till(world, "1", "1", identity);
    return world;
}

static struct punkt *open_till_with(const struct world *world, punkt_alarm_fn *on_alarm, void *ctx)
{
    char outbox[PATH_MAX], identity[NETWORK_PATH_MAX];
    struct punkt *punkt;
    struct punkt_options options = PUNKT_INIT(options);
    (void)snprintf(outbox, sizeof(outbox), "%s/till.outbox", world_folder(world));
    options.server = network_server(world);
    options.identity = network_till(world, "1", "1", identity);
    options.outbox = outbox;
    options.store = "1";
    options.till = "1";
    options.on_alarm = on_alarm;
    options.ctx = ctx;
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    return punkt;
}

static struct punkt *open_till(const struct world *world)
{
    return open_till_with(world, NULL, NULL);
}

static struct punkt_answer sell_on(struct punkt *punkt, const char *card, unsigned sale)
{
    char receipt[16];
    struct punkt_purchase_request request = PUNKT_INIT(request);
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    (void)snprintf(receipt, sizeof(receipt), "%u", sale);
    request.card = card;
    request.receipt = receipt;
    request.amount = 100;
    enum punkt_call call = punkt_purchase(punkt, &request, &answer);
    if (call != PUNKT_CALL_QUEUED && call != PUNKT_CALL_DONE)
        fail_msg("sale %u: %s %s", sale, answer.head.name, answer.head.detail);
    return answer.head;
}

static enum punkt_call sell(struct punkt *punkt, unsigned sale)
{
    return sell_on(punkt, CARD, sale).call;
}

static uint64_t queued(const struct punkt *punkt)
{
    struct punkt_outbox_info info = PUNKT_INIT(info);
    punkt_outbox_info(punkt, &info);
    assert_int_equal(info.dead, 0);
    return info.queued;
}

static void issue(const struct world *world)
{
    struct run run;
    world_json(world, &run, "card", "issue", CARD, NULL);
    assert_int_equal(run.exit_code, 0);
    run_done(&run);
}

/* Sells on until nothing is queued any more; returns how many sales there are. */
static unsigned drain_and_sell(struct punkt *punkt)
{
    unsigned sales = OFFLINE_SALES;
    int64_t start = world_now_ms(), next = start;
    while (queued(punkt) > 0) {
        if (world_now_ms() - start > DRAIN_MS)
            fail_msg("%" PRIu64 " sales are still queued after a minute", queued(punkt));
        if (world_now_ms() >= next && sales < SALES_MAX) {
            (void)sell(punkt, ++sales);
            next = world_now_ms() + BETWEEN_MS;
        }
        (void)punkt_drive(punkt, BETWEEN_MS);
    }
    print_message("%u sales drained in %" PRId64 " ms, the till made %u more meanwhile\n", OFFLINE_SALES,
                  world_now_ms() - start, sales - OFFLINE_SALES);
    return sales;
}

/* The statement, newest first, has the receipts in the order of their sale. It is not for tills. */
static void expect_order(const struct world *world, unsigned sales)
{
    struct punkt_options options = PUNKT_INIT(options);
    struct punkt_statement_request request = PUNKT_INIT(request);
    struct punkt *punkt;
    unsigned expected = sales;
    uint64_t position = UINT64_MAX;
    request.card = CARD;
    request.limit = PAGE;
    options.server = world_address(world);
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    do {
        struct punkt_statement_answer page = PUNKT_ANSWER_INIT(page);
        assert_int_equal(punkt_statement(punkt, &request, &page), PUNKT_CALL_DONE);
        for (size_t i = 0; i < page.entry_count; i++) {
            const struct punkt_statement_entry *entry = punkt_statement_entry(&page, i);
            if (entry->kind != PUNKT_EVENT_PURCHASE)
                continue;
            assert_int_equal(strtoul(entry->receipt, NULL, 10), expected);
            assert_true(entry->position < position);
            position = entry->position;
            expected--;
        }
        request.from = page.next;
    } while (request.from != 0);
    assert_int_equal(expected, 0);
    punkt_free(punkt);
}

static void test_a_day_offline(void **state)
{
    struct world *world = new_world();
    (void)state;
    issue(world);
    world_stop(world);
    struct punkt *punkt = open_till(world);
    for (unsigned sale = 1; sale <= OFFLINE_SALES; sale++)
        assert_int_equal(sell(punkt, sale), PUNKT_CALL_QUEUED);
    assert_int_equal(queued(punkt), OFFLINE_SALES);
    world_start(world);
    unsigned sales = drain_and_sell(punkt);
    expect_order(world, sales);
    punkt_free(punkt);
    world_free(world);
}

/* The same after the till was switched off and on: another handle drains what the first one stored. */
static void test_another_handle_drains(void **state)
{
    struct world *world = new_world();
    (void)state;
    issue(world);
    world_stop(world);
    struct punkt *punkt = open_till(world);
    for (unsigned sale = 1; sale <= OFFLINE_SALES; sale++) {
        assert_int_equal(sell(punkt, sale), PUNKT_CALL_QUEUED);
        if (sale % (OFFLINE_SALES / 4) == 0) {
            punkt_free(punkt); /* each opening is a lane of its own */
            punkt = open_till(world);
        }
    }
    assert_int_equal(queued(punkt), OFFLINE_SALES);
    world_start(world);
    expect_order(world, drain_and_sell(punkt));
    punkt_free(punkt);
    world_free(world);
}

static void count_alarm(struct punkt *punkt, enum punkt_alarm alarm, const char *text, void *ctx)
{
    unsigned *count = ctx;
    (void)punkt;
    (void)text;
    *count += alarm == PUNKT_ALARM_OUTBOX_FAILED;
}

/* What stands where the first operation was appended is no operation any more. */
static void spoil_outbox(const struct world *world)
{
    char path[PATH_MAX];
    static const char rubbish[64] = "not what was written";
    (void)snprintf(path, sizeof(path), "%s/till.outbox", world_folder(world));
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 8192 + 144, SEEK_SET), 0); /* the body of the first record */
    assert_int_equal(fwrite(rubbish, 1, sizeof(rubbish), file), sizeof(rubbish));
    assert_int_equal(fclose(file), 0);
}

/* An operation that cannot be read back is no reason to be busy, nor to cry all the time. */
static void test_unreadable(void **state)
{
    struct world *world = new_world();
    unsigned alarms = 0, busy = 0;
    (void)state;
    issue(world);
    world_stop(world);
    struct punkt *punkt = open_till_with(world, count_alarm, &alarms);
    for (unsigned sale = 1; sale <= 20; sale++)
        assert_int_equal(sell(punkt, sale), PUNKT_CALL_QUEUED);
    punkt_free(punkt);
    punkt = open_till_with(world, count_alarm, &alarms);
    spoil_outbox(world);
    world_start(world);
    for (int64_t start = world_now_ms(); world_now_ms() - start < 1500; busy++)
        (void)punkt_drive(punkt, 100);
    assert_in_range(alarms, 1, 2);
    assert_in_range(busy, 1, 1000); /* 15 by the clock, and what the connections need */
    punkt_free(punkt);
    world_free(world);
}

static void drain(struct punkt *punkt)
{
    int64_t start = world_now_ms();
    while (queued(punkt) > 0) {
        (void)punkt_drive(punkt, BETWEEN_MS);
        world_patience(start);
    }
}

/* Points that wait in suspense under a card that is not issued. */
static int64_t waiting_points(struct punkt *punkt)
{
    struct punkt_card_show_request request = PUNKT_INIT(request);
    struct punkt_card_show_answer answer = PUNKT_ANSWER_INIT(answer);
    request.card = STRANGER;
    if (punkt_card_show(punkt, &request, &answer) == PUNKT_CALL_REFUSED) {
        assert_int_equal(answer.head.code, PUNKT_RESULT_UNKNOWN_CARD);
        return 0;
    }
    assert_int_equal(answer.head.call, PUNKT_CALL_DONE);
    return answer.available + answer.pending;
}

static void cancel(struct punkt *punkt, const struct punkt_answer *sale, enum punkt_call wanted)
{
    struct punkt_reversal_answer answer = PUNKT_ANSWER_INIT(answer);
    assert_int_equal(punkt_cancel(punkt, sale->epoch, sale->number, 0, &answer), wanted);
}

/* What was sold on a card that is not issued becomes an advice; who undoes the sale undoes that. */
static void test_an_advice_is_undone(void **state)
{
    struct world *world = new_world();
    (void)state;
    world_stop(world);
    struct punkt *punkt = open_till(world);
    struct punkt_answer kept = sell_on(punkt, STRANGER, 1), undone = sell_on(punkt, STRANGER, 2);
    struct punkt_purchase_answer booked = PUNKT_ANSWER_INIT(booked);
    world_start(world);
    drain(punkt);
    assert_int_equal(waiting_points(punkt), 2);
    cancel(punkt, &undone, PUNKT_CALL_DONE);
    assert_int_equal(waiting_points(punkt), 1);
    assert_int_equal(punkt_wait(punkt, kept.epoch, kept.number, 0, &booked.head), PUNKT_CALL_DONE);
    assert_true(booked.position != 0 && booked.earned == 1);
    punkt_free(punkt);
    world_free(world);
}

/* A till that died sells its last receipt again, and then that is undone: the first does not come back as an
 * advice. */
static void test_a_receipt_sold_again_is_undone(void **state)
{
    struct world *world = new_world();
    (void)state;
    world_stop(world);
    struct punkt *punkt = open_till(world);
    (void)sell_on(punkt, STRANGER, 1);
    punkt_free(punkt);
    punkt = open_till(world);
    struct punkt_answer again = sell_on(punkt, STRANGER, 1);
    (void)sell_on(punkt, STRANGER, 2); /* another one stays */
    cancel(punkt, &again, PUNKT_CALL_QUEUED);
    world_start(world);
    drain(punkt);
    assert_int_equal(waiting_points(punkt), 1);
    punkt_free(punkt);
    world_free(world);
}

/* What a till is told before it dies: a purchase is refused, points are spent. False: it was told otherwise. */
static bool is_told(const struct world *world)
{
    struct punkt *punkt = open_till(world);
    struct punkt_purchase_request sale = PUNKT_INIT(sale);
    struct punkt_purchase_answer sold = PUNKT_ANSWER_INIT(sold);
    struct punkt_redeem_request redeem = PUNKT_INIT(redeem);
    struct punkt_redeem_answer redeemed = PUNKT_ANSWER_INIT(redeemed);
    sale.card = redeem.card = CARD;
    sale.amount = 500;
    redeem.points = 2;
    sale.timeout_ms = redeem.timeout_ms = WORLD_PATIENCE_MS;
    if (punkt_purchase(punkt, &sale, &sold) != PUNKT_CALL_DONE ||
        punkt_redeem(punkt, &redeem, &redeemed) != PUNKT_CALL_DONE)
        return false;
    sale.card = STRANGER;
    return punkt_purchase(punkt, &sale, &sold) == PUNKT_CALL_REFUSED;
}

/* The next handle neither takes back what was spent nor books what was refused: it was told. */
static void test_what_was_told_stays(void **state)
{
    struct world *world = new_world();
    struct punkt_card_show_request show = PUNKT_INIT(show);
    struct punkt_card_show_answer shown = PUNKT_ANSWER_INIT(shown);
    int status;
    (void)state;
    issue(world);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(is_told(world) ? 0 : 1); /* the handle dies as it is */
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    struct punkt *punkt = open_till(world);
    drain(punkt);
    show.card = CARD;
    assert_int_equal(punkt_card_show(punkt, &show, &shown), PUNKT_CALL_DONE);
    assert_int_equal(shown.available, 3);
    assert_int_equal(waiting_points(punkt), 0);
    punkt_free(punkt);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_day_offline),       cmocka_unit_test(test_another_handle_drains),
        cmocka_unit_test(test_an_advice_is_undone), cmocka_unit_test(test_a_receipt_sold_again_is_undone),
        cmocka_unit_test(test_unreadable),          cmocka_unit_test(test_what_was_told_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
