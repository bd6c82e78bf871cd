/* PINs over the wire (DOMAIN.md, Cards and accounts): asked at redeeming and holding, counted, locked, set anew; with a
 * daemon that is killed in between. */
#include <string.h>

#include "proto/frame.h"
#include "talk.h"
#include "world.h"

#define CARD "2900000000018"
#define EPOCH UINT64_C(0x0123456789abcdef)

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

/* A frame whose body has a secret part in front: its length and its bytes. */
static void send_secret(enum operation operation, uint64_t number, const void *body, const char *pin)
{
    uint8_t frame[1024];
    size_t before = FRAME_HEADER_SIZE + 1 + strlen(pin);
    struct wire_writer writer = wire_writer_over(frame + before, sizeof(frame) - before);
    message_encode(operation_row((uint16_t)operation)->request, body, &writer);
    assert_false(writer.failed);
    frame[FRAME_HEADER_SIZE] = (uint8_t)strlen(pin);
    memcpy(frame + FRAME_HEADER_SIZE + 1, pin, strlen(pin));
    size_t size = before + wire_written(&writer);
    frame_put_header(frame, (uint32_t)(size - FRAME_HEADER_SIZE), (uint16_t)operation, FRAME_FLAG_SECRET,
                     number);
    talk_send_bytes(talk, frame, size);
}

static void set_pin(const char *pin)
{
    struct msg_card_pin_request request;
    message_init(MESSAGE_card_pin_request, &request);
    request.card = talk_code(CARD);
    send_secret(OPERATION_CARD_PIN, next_number, &request, pin);
    (void)talk_expect(talk, OPERATION_CARD_PIN, next_number++);
}

/* Spends a point under a number. pin NULL: none is given. */
static enum result spend_as(uint64_t number, const char *pin)
{
    struct msg_redeem_request redeem = talk_redeem(CARD, 1);
    struct talk_answer answer;
    if (pin == NULL)
        talk_send(talk, OPERATION_REDEEM, 0, number, &redeem);
    else
        send_secret(OPERATION_REDEEM, number, &redeem, pin);
    assert_true(talk_receive(talk, &answer));
    assert_int_equal(answer.number, number);
    return talk_result(talk, &answer);
}

static enum result spend(const char *pin)
{
    return spend_as(next_number++, pin);
}

static int64_t available(void)
{
    return talk_card(talk, CARD).available;
}

static void test_pins(void **state)
{
    (void)state;
    world = world_new(NULL);
    talk = talk_hello(world_address(world), EPOCH, 1, NULL);
    next_number = 1;
    talk_issue(talk, next_number++, CARD, 1);
    struct msg_purchase_request purchase = talk_purchase(CARD, 10000, "");
    talk_send(talk, OPERATION_PURCHASE, 0, next_number, &purchase);
    (void)talk_expect(talk, OPERATION_PURCHASE, next_number++);
    assert_int_equal(spend(NULL), RESULT_DONE); /* if_set: none is set */
    set_pin("1234");
    kill_daemon();
    assert_int_equal(spend(NULL), RESULT_PIN_NEEDED);
    assert_int_equal(spend("1234"), RESULT_DONE);

    /* Two wrong ones, and repeats of the second, also after a kill: the count is two. A right one forgets them. */
    assert_int_equal(spend("1111"), RESULT_PIN_WRONG);
    assert_int_equal(spend("2222"), RESULT_PIN_WRONG);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(spend_as(next_number - 1, "2222"), RESULT_PIN_WRONG);
    kill_daemon();
    assert_int_equal(spend_as(next_number - 1, "2222"), RESULT_PIN_WRONG);
    assert_int_equal(talk_card(talk, CARD).pin, 1);
    assert_int_equal(spend("1234"), RESULT_DONE);
    assert_int_equal(available(), 97);

    /* Three in a row lock redemption, not earning. */
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(spend("0000"), RESULT_PIN_WRONG);
    kill_daemon();
    assert_int_equal(talk_card(talk, CARD).pin, 2);
    assert_int_equal(spend("1234"), RESULT_PIN_LOCKED);
    talk_send(talk, OPERATION_PURCHASE, 0, next_number, &purchase);
    (void)talk_expect(talk, OPERATION_PURCHASE, next_number++);
    assert_int_equal(available(), 197);

    /* Until the office sets a new one. */
    set_pin("98765");
    kill_daemon();
    assert_int_equal(spend("1234"), RESULT_PIN_WRONG);
    assert_int_equal(spend("98765"), RESULT_DONE);
    assert_int_equal(available(), 196);
    talk_free(talk);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pins) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
