/*
 * The end of a till's day against a mock: in balance, not in balance either way, open, late, not reached; figures (LEDGER.md, End
 * of day).
 */
#include <fcntl.h>
#include <pthread.h>
#include <punkt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/mock.h"

#define CARD "2900000000018"
#define DATE 19700
#define TIMEOUT_MS 15000
#define HOPELESS_MS 3100 /* of which a close keeps 3000 for itself */

struct shop {
    pthread_t thread;
    struct mock *mock;
    int commands[2]; /* a pipe */
    char folder[64], outbox[80], address[MOCK_ADDRESS_SIZE];
    struct punkt *punkt;
    unsigned lost; /* alarms about a server's loss */
};

/* --- the mock --- */

static void *play(void *ctx)
{
    struct shop *shop = ctx;
    while (!mock_input_ended(shop->mock) && mock_turn(shop->mock, -1, -1))
        ;
    return NULL;
}

/* Takes effect before whatever is sent after it. */
static void command(struct shop *shop, const char *line)
{
    size_t size = strlen(line);
    assert_int_equal(write(shop->commands[1], line, size), (ssize_t)size);
    assert_int_equal(write(shop->commands[1], "\n", 1), 1);
}

static void on_alarm(struct punkt *punkt, enum punkt_alarm alarm, const char *text, void *ctx)
{
    struct shop *shop = ctx;
    (void)punkt;
    (void)text;
    shop->lost += alarm == PUNKT_ALARM_SERVER_LOST;
}

static struct punkt *handle(struct shop *shop, const char *outbox)
{
    struct punkt_options options = PUNKT_INIT(options);
    struct punkt *punkt;
    options.server = shop->address;
    options.outbox = outbox;
    options.store = "1";
    options.till = "7";
    options.timeout_ms = TIMEOUT_MS;
    options.on_alarm = on_alarm;
    options.ctx = shop;
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    return punkt;
}

static struct shop *shop_new(void)
{
    struct shop *shop = calloc(1, sizeof(*shop));
    char why[MOCK_WHY_SIZE], listen[80];
    const char *base = getenv("TMPDIR");
    assert_non_null(shop);
    (void)snprintf(shop->folder, sizeof(shop->folder), "%.40s/day-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(shop->folder));
    (void)snprintf(shop->outbox, sizeof(shop->outbox), "%s/outbox", shop->folder);
    (void)snprintf(listen, sizeof(listen), "unix:%s/s", shop->folder);
    struct mock_options options = { .listen = listen, .currency = "EUR", .balance = 1000, .err = stderr };
    shop->mock = mock_new(&options, why);
    if (shop->mock == NULL)
        fail_msg("%s", why);
    (void)snprintf(shop->address, sizeof(shop->address), "%s", mock_address(shop->mock));
    assert_int_equal(pipe2(shop->commands, O_CLOEXEC), 0);
    mock_listen_to(shop->mock, shop->commands[0], true);
    assert_int_equal(pthread_create(&shop->thread, NULL, play, shop), 0);
    shop->punkt = handle(shop, shop->outbox);
    return shop;
}

static void shop_free(struct shop *shop)
{
    char path[96];
    punkt_free(shop->punkt);
    (void)close(shop->commands[1]);
    assert_int_equal(pthread_join(shop->thread, NULL), 0);
    mock_free(shop->mock);
    (void)close(shop->commands[0]);
    (void)unlink(shop->outbox);
    (void)snprintf(path, sizeof(path), "%s.lock", shop->outbox);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/s", shop->folder);
    (void)unlink(path);
    assert_int_equal(rmdir(shop->folder), 0);
    free(shop);
}

/* --- a day's business --- */

static enum punkt_call sell(struct punkt *punkt, const char *receipt, int64_t amount, uint32_t timeout_ms,
                            struct punkt_purchase_answer *out)
{
    struct punkt_purchase_request request = { .size = sizeof(request),
                                              .timeout_ms = timeout_ms,
                                              .card = CARD,
                                              .amount = amount,
                                              .receipt = receipt,
                                              .business_date = DATE };
    *out = (struct punkt_purchase_answer)PUNKT_ANSWER_INIT(*out);
    return punkt_purchase(punkt, &request, out);
}

static void sold(struct shop *shop, const char *receipt, int64_t amount)
{
    struct punkt_purchase_answer answer;
    assert_int_equal(sell(shop->punkt, receipt, amount, 0, &answer), PUNKT_CALL_DONE);
}

static struct punkt_close_day_answer close_day(struct shop *shop, enum punkt_call wanted, uint32_t timeout_ms)
{
    struct punkt_close_day_request request = {
        .size = sizeof(request), .timeout_ms = timeout_ms, .business_date = DATE, .operator_ = "eve"
    };
    struct punkt_close_day_answer answer = PUNKT_ANSWER_INIT(answer);
    enum punkt_call call = punkt_close_day(shop->punkt, &request, &answer);
    if (call != wanted)
        fail_msg("the close ended as %s: %s", punkt_call_name(call), answer.head.detail);
    assert_int_equal(answer.business_date, DATE);
    assert_string_equal(answer.till, "7");
    return answer;
}

static struct punkt_close_day_answer closed(struct shop *shop, enum punkt_close_state state)
{
    struct punkt_close_day_answer answer = close_day(shop, PUNKT_CALL_DONE, TIMEOUT_MS);
    if (answer.state != state)
        fail_msg("%s instead of %s", punkt_close_state_name(answer.state), punkt_close_state_name(state));
    return answer;
}

/* --- figures --- */

/* Everything that a till does in a day, with refusals and a receipt that was sent twice; then the same on both sides. */
static void all_kinds(void **state)
{
    (void)state;
    struct shop *shop = shop_new();
    struct punkt_purchase_answer answer;
    struct punkt_return_request back = { .size = sizeof(back),
                                         .card = CARD,
                                         .amount = 400,
                                         .sale_receipt = "1",
                                         .sale_date = DATE,
                                         .business_date = DATE };
    struct punkt_return_answer returned = PUNKT_ANSWER_INIT(returned);
    struct punkt_redeem_request redeem = {
        .size = sizeof(redeem), .card = CARD, .points = 100, .business_date = DATE
    };
    struct punkt_redeem_answer redeemed = PUNKT_ANSWER_INIT(redeemed);
    struct punkt_reversal_answer reversed = PUNKT_ANSWER_INIT(reversed);
    sold(shop, "1", 1000);
    sold(shop, "2", 500);
    sold(shop, "2", 500); /* tied: the server has it once */
    command(shop, "refuse purchase card_blocked");
    assert_int_equal(sell(shop->punkt, "3", 700, 0, &answer), PUNKT_CALL_REFUSED);
    assert_int_equal(punkt_return(shop->punkt, &back, &returned), PUNKT_CALL_DONE);
    assert_int_equal(punkt_redeem(shop->punkt, &redeem, &redeemed), PUNKT_CALL_DONE);
    assert_int_equal(sell(shop->punkt, "4", 900, 0, &answer), PUNKT_CALL_DONE);
    assert_int_equal(punkt_cancel(shop->punkt, answer.head.epoch, answer.head.number, 0, &reversed),
                     PUNKT_CALL_DONE);
    struct punkt_close_day_answer close = closed(shop, PUNKT_CLOSE_BALANCED);
    assert_int_equal(close.close, 1);
    assert_int_equal(close.here->purchases, 3);
    assert_int_equal(close.here->purchase_amount, 2400);
    assert_int_equal(close.here->returns, 1);
    assert_int_equal(close.here->return_amount, 400);
    assert_int_equal(close.here->redemptions, 1);
    assert_int_equal(close.here->redeemed, 100);
    assert_int_equal(close.here->reversals, 1);
    assert_true(close.here->hash == close.there->hash);
    assert_int_equal(close.here->purchase_amount, close.there->purchase_amount);
    assert_int_equal(close.here->return_amount, close.there->return_amount);
    assert_int_equal(close.here->redeemed, close.there->redeemed);
    assert_int_equal(close.difference_count, 0);
    shop_free(shop);
}

/* What comes after a close makes the next one due, and is told there. */
static void late(void **state)
{
    (void)state;
    struct shop *shop = shop_new();
    sold(shop, "1", 1000);
    (void)closed(shop, PUNKT_CLOSE_BALANCED);
    sold(shop, "2", 500);
    sold(shop, "3", 500);
    struct punkt_close_day_answer close = closed(shop, PUNKT_CLOSE_BALANCED);
    assert_int_equal(close.close, 2);
    assert_int_equal(close.late, 2);
    assert_int_equal(close.here->purchases, 3);
    shop_free(shop);
}

/* --- not in balance --- */

/*
 * The server has forgotten the end of the queue's lane. Whether its till hears of it by a new term, or it shows only when the
 * figures differ: what is lost is sent again under its old numbers, so that the reversal finds what it undoes.
 */
static void lost_there_again(bool told)
{
    struct shop *shop = shop_new();
    struct punkt_reversal_answer reversed = PUNKT_ANSWER_INIT(reversed);
    struct punkt_purchase_answer answer;
    sold(shop, "1", 1000);
    assert_int_equal(sell(shop->punkt, NULL, 500, 0, &answer), PUNKT_CALL_DONE);
    assert_int_equal(punkt_cancel(shop->punkt, answer.head.epoch, answer.head.number, 0, &reversed),
                     PUNKT_CALL_DONE);
    sold(shop, NULL, 700);
    assert_int_equal(punkt_connect(shop->punkt, 0, NULL), PUNKT_CALL_DONE); /* before the new term */
    command(shop, "lose 3");
    if (told)
        command(shop, "close connections");
    struct punkt_close_day_answer close = closed(shop, PUNKT_CLOSE_BALANCED);
    /* A close that is faster than the news of the lost connection finds it out by itself. */
    assert_true(close.resent == 3 || (told && close.resent == 0));
    assert_int_equal(close.there->purchases, 3);
    assert_int_equal(close.there->reversals, 1);
    assert_int_equal(shop->lost, 1);
    assert_int_equal(close.queued, 0);
    shop_free(shop);
}

static void lost_there(void **state)
{
    (void)state;
    lost_there_again(false);
    lost_there_again(true);
}

/* Somebody else sold under this till's name: it is named, and nothing is done about it. */
static void unknown_here(void **state)
{
    (void)state;
    struct shop *shop = shop_new();
    struct punkt *other = handle(shop, NULL);
    struct punkt_purchase_answer answer;
    sold(shop, "1", 1000);
    assert_int_equal(sell(other, "2", 500, 0, &answer), PUNKT_CALL_DONE);
    uint64_t epoch = answer.head.epoch;
    struct punkt_close_day_answer close = closed(shop, PUNKT_CLOSE_DIFFERENT);
    assert_int_equal(close.difference_count, 1);
    assert_true(close.differences[0]->epoch == epoch);
    assert_int_equal(close.differences[0]->number, 1);
    assert_false(close.differences[0]->missing_there);
    assert_int_equal(close.resent, 0);
    assert_int_equal(close.here->purchases, 1);
    assert_int_equal(close.there->purchases, 2);
    punkt_free(other);
    shop_free(shop);
}

/* --- callbacks --- */

struct closes {
    unsigned count;
    struct punkt *other;
};

/* Begins the next close, and still may read the answer to this one. */
static void on_closed(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    struct closes *closes = ctx;
    const struct punkt_close_day_answer *close = (const struct punkt_close_day_answer *)answer;
    struct punkt_close_day_request request = { .size = sizeof(request), .business_date = DATE };
    if (closes->count++ == 0)
        assert_int_equal(punkt_submit_close_day(punkt, &request, on_closed, closes), PUNKT_CALL_DONE);
    assert_int_equal(close->state, PUNKT_CLOSE_DIFFERENT);
    assert_int_equal(close->here->purchases, 1);
    assert_int_equal(close->there->purchases, 2);
    assert_int_equal(close->difference_count, 1);
    assert_int_equal(close->differences[0]->number, 1);
}

static void closed_inside_a_callback(void **state)
{
    (void)state;
    struct shop *shop = shop_new();
    struct closes closes = { .other = handle(shop, NULL) };
    struct punkt_close_day_request request = { .size = sizeof(request), .business_date = DATE };
    struct punkt_purchase_answer answer;
    sold(shop, "1", 1000);
    assert_int_equal(sell(closes.other, "2", 500, 0, &answer), PUNKT_CALL_DONE);
    assert_int_equal(punkt_submit_close_day(shop->punkt, &request, on_closed, &closes), PUNKT_CALL_DONE);
    while (closes.count < 2)
        (void)punkt_drive(shop->punkt, -1);
    punkt_free(closes.other);
    shop_free(shop);
}

/* --- not closed --- */

static void open_still(void **state)
{
    (void)state;
    struct shop *shop = shop_new();
    struct punkt_purchase_answer answer;
    sold(shop, "1", 1000);
    command(shop, "refuse purchase busy always");
    assert_int_equal(sell(shop->punkt, "2", 500, 50, &answer), PUNKT_CALL_QUEUED);
    struct punkt_close_day_answer close = close_day(shop, PUNKT_CALL_DONE, HOPELESS_MS);
    assert_int_equal(close.state, PUNKT_CLOSE_OPEN);
    assert_int_equal(close.queued, 1);
    assert_int_equal(close.close, 1);
    command(shop, "forget rules");
    close = closed(shop, PUNKT_CLOSE_BALANCED); /* sends it first */
    assert_int_equal(close.close, 2);
    assert_int_equal(close.here->purchases, 2);
    assert_int_equal(close.queued, 0);
    shop_free(shop);
}

static void not_reached(void **state)
{
    (void)state;
    struct shop *shop = shop_new();
    sold(shop, "1", 1000);
    command(shop, "stop listening");
    command(shop, "close connections");
    struct punkt_close_day_answer close = close_day(shop, PUNKT_CALL_NOT_SENT, HOPELESS_MS);
    assert_int_equal(close.state, PUNKT_CLOSE_NOT_REACHED);
    assert_null(close.there);
    assert_int_equal(close.here->purchases, 1);
    assert_true(strlen(close.head.detail) > 0);
    command(shop, "listen again");
    close = closed(shop, PUNKT_CLOSE_BALANCED);
    assert_int_equal(close.close, 1);
    shop_free(shop);
}

static void refused(void **state)
{
    (void)state;
    struct shop *shop = shop_new();
    sold(shop, "1", 1000);
    command(shop, "refuse day_close not_permitted");
    struct punkt_close_day_answer close = close_day(shop, PUNKT_CALL_REFUSED, TIMEOUT_MS);
    assert_int_equal(close.head.code, PUNKT_RESULT_NOT_PERMITTED);
    assert_int_equal(close.here->purchases, 1);
    (void)closed(shop, PUNKT_CLOSE_BALANCED);
    shop_free(shop);
}

static void not_allowed(void **state)
{
    (void)state;
    struct shop *shop = shop_new();
    struct punkt *other = handle(shop, NULL);
    struct punkt_close_day_answer answer = PUNKT_ANSWER_INIT(answer);
    struct punkt_close_day_request request = PUNKT_INIT(request);
    assert_int_equal(punkt_close_day(other, NULL, &answer), PUNKT_CALL_INVALID);
    request.business_date = -1;
    assert_int_equal(punkt_close_day(shop->punkt, &request, &answer), PUNKT_CALL_INVALID);
    request.business_date = 0;
    request.operator_ = "a name that has more than 32 bytes";
    assert_int_equal(punkt_close_day(shop->punkt, &request, &answer), PUNKT_CALL_INVALID);
    request = (struct punkt_close_day_request){ .size = sizeof(request),
                                                .business_date = (int32_t)(time(NULL) / 86400) + 3 };
    assert_int_equal(punkt_close_day(shop->punkt, &request, &answer),
                     PUNKT_CALL_INVALID); /* a slip of the pen */
    assert_int_equal(punkt_submit_close_day(shop->punkt, NULL, NULL, NULL), PUNKT_CALL_INVALID);
    punkt_free(other);
    shop_free(shop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds),
        cmocka_unit_test(late),
        cmocka_unit_test(lost_there),
        cmocka_unit_test(unknown_here),
        cmocka_unit_test(closed_inside_a_callback),
        cmocka_unit_test(open_still),
        cmocka_unit_test(not_reached),
        cmocka_unit_test(refused),
        cmocka_unit_test(not_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
