/* Versions of the programme (DOMAIN.md, Back office) while tills sell: from now, from a moment to come, back to an earlier
 * one. A purchase is rated by the version of its own time, and a return by the purchase's; also after a kill. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "talk.h"
#include "world.h"

#define CARD "2900000000018"
#define EPOCH UINT64_C(0x0123456789abcdef)
#define MINUTE_US (UINT64_C(60) * 1000000)

static struct world *world;
static struct talk *talk;
static uint64_t next_number;

static void kill_daemon(void)
{
    talk_free(talk);
    world_kill(world);
    world_start(world);
    talk = talk_hello(world_address(world), EPOCH, next_number, NULL);
}

static uint64_t now_us(void)
{
    struct msg_hello_answer hello;
    struct talk *asking = talk_hello(world_address(world), 0, 1, &hello);
    talk_free(asking);
    return hello.time;
}

/* So many points for each 1.00, from a moment on (0: now); or an earlier version again. Returns when it begins. */
static uint64_t publish(unsigned points, uint64_t from, uint64_t version, uint64_t expected)
{
    struct msg_programme_publish_request request;
    struct msg_programme_publish_answer published;
    char text[256];
    message_init(MESSAGE_programme_publish_request, &request);
    (void)snprintf(text, sizeof(text),
                   "currency: EUR\nbase:\n  - {rule: spend, points: %u, amount: 1.00}\n...\n", points);
    request.from = from;
    request.version = version;
    if (version == 0)
        request.text = talk_text(text);
    talk_send(talk, OPERATION_PROGRAMME_PUBLISH, 0, next_number, &request);
    struct talk_answer answer = talk_expect(talk, OPERATION_PROGRAMME_PUBLISH, next_number++);
    talk_decode(talk, &answer, &published);
    assert_int_equal(published.version, expected);
    return published.from;
}

/* What 10.00 earn at a moment; 0: now. */
static int64_t earn(uint64_t time, uint64_t *out_position)
{
    struct msg_purchase_request purchase = talk_purchase(CARD, 1000, "");
    struct msg_purchase_answer bought;
    purchase.time = time;
    talk_send(talk, OPERATION_PURCHASE, 0, next_number, &purchase);
    struct talk_answer answer = talk_expect(talk, OPERATION_PURCHASE, next_number++);
    talk_decode(talk, &answer, &bought);
    if (out_position != NULL)
        *out_position = bought.position;
    return bought.earned;
}

static int64_t take_back(uint64_t position)
{
    struct msg_return_request goods;
    struct msg_return_answer returned;
    message_init(MESSAGE_return_request, &goods);
    goods.card = talk_code(CARD);
    goods.amount = 500;
    goods.store = goods.till = talk_code("1");
    goods.sale_position = position;
    talk_send(talk, OPERATION_RETURN, 0, next_number, &goods);
    struct talk_answer answer = talk_expect(talk, OPERATION_RETURN, next_number++);
    talk_decode(talk, &answer, &returned);
    return returned.taken;
}

static void wait_until(uint64_t time_us, uint64_t *inout_ahead_us)
{
    int64_t start_ms = world_now_ms();
    *inout_ahead_us += time_us - now_us();
    world_clock_ahead(world, (int64_t)*inout_ahead_us);
    while (now_us() < time_us)
        world_patience(start_ms);
}

static void test_versions(void **state)
{
    struct world_options options = { .own_clock = true };
    uint64_t ahead_us = 0, first, second;
    (void)state;
    world = world_new(&options);
    talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    next_number = 1;
    talk_issue(talk, next_number++, CARD, 1);
    assert_int_equal(earn(0, &first), 10);

    uint64_t began = publish(2, 0, 0, 2);
    kill_daemon();
    assert_int_equal(earn(0, &second), 20);
    assert_int_equal(earn(began - MINUTE_US, NULL), 10); /* it happened before */

    uint64_t to_come = publish(3, now_us() + 90 * MINUTE_US, 0, 3);
    kill_daemon();
    assert_int_equal(earn(0, NULL), 20);
    assert_int_equal(earn(to_come + MINUTE_US, NULL), 30); /* a till's clock may be ahead */
    wait_until(to_come + MINUTE_US, &ahead_us);
    assert_int_equal(earn(0, NULL), 30);
    kill_daemon();
    assert_int_equal(earn(0, NULL), 30);
    assert_int_equal(earn(to_come - MINUTE_US, NULL), 20);

    assert_true(publish(0, 0, 1, 4) > to_come); /* back to the first */
    kill_daemon();
    assert_int_equal(earn(0, NULL), 10);
    assert_int_equal(take_back(first), 5);
    assert_int_equal(take_back(second), 10);
    talk_free(talk);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_versions) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
