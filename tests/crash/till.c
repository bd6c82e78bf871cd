#include "till.h"

#include <string.h>

#include "proto/frame.h"

#define EPOCH 4711u
#define BODY_MAX 1024u

struct till till_open(const struct world *world, uint64_t epoch, uint64_t number)
{
    return (struct till){ .talk = talk_hello(world_address(world), epoch, number, NULL),
                          .epoch = epoch,
                          .number = number };
}

void till_again(struct till *till, const struct world *world)
{
    till_close(till);
    till->talk = talk_hello(world_address(world), till->epoch, till->number, NULL);
}

void till_close(struct till *till)
{
    talk_free(till->talk);
    till->talk = NULL;
}

static void put_with_pin(struct till *till, enum operation operation, const void *body, const char *pin)
{
    uint8_t frame[FRAME_HEADER_SIZE + BODY_MAX];
    struct wire_writer writer = wire_writer_over(frame + FRAME_HEADER_SIZE, BODY_MAX);
    wire_write_u8(&writer, (uint8_t)strlen(pin));
    wire_write_bytes(&writer, pin, strlen(pin));
    message_encode(operation_row((uint16_t)operation)->request, body, &writer);
    assert_false(writer.failed);
    size_t size = wire_written(&writer);
    frame_put_header(frame, (uint32_t)size, (uint16_t)operation, FRAME_FLAG_SECRET, till->number);
    talk_send_bytes(till->talk, frame, FRAME_HEADER_SIZE + size);
}

static enum result take_answer(struct till *till, void *out)
{
    struct talk_answer answer;
    if (!talk_receive(till->talk, &answer))
        fail_msg("the server closed");
    assert_int_equal(answer.number, till->number);
    enum result result = talk_result(till->talk, &answer);
    if (result == RESULT_DONE && out != NULL)
        talk_decode(till->talk, &answer, out);
    if (result == RESULT_DONE || !result_row(result)->retryable)
        till->number++;
    return result;
}

enum result till_send(struct till *till, enum operation operation, uint16_t flags, const void *body,
                      void *out)
{
    talk_send(till->talk, operation, flags, till->number, body);
    return take_answer(till, out);
}

enum result till_send_with_pin(struct till *till, enum operation operation, const void *body, const char *pin)
{
    put_with_pin(till, operation, body, pin);
    return take_answer(till, NULL);
}

void till_send_in_vain(struct till *till, enum operation operation, const void *body, const char *pin)
{
    if (pin != NULL)
        put_with_pin(till, operation, body, pin);
    else
        talk_send(till->talk, operation, 0, till->number, body);
    talk_expect_end(till->talk);
}

struct msg_purchase_request till_purchase(uint64_t points, const char *receipt)
{
    return talk_purchase(TILL_CARD, 100 * points, receipt);
}

struct till till_with_points(const struct world *world, uint64_t points)
{
    struct till till = till_open(world, EPOCH, 1);
    struct msg_purchase_request purchase = till_purchase(points, "");
    talk_issue(till.talk, till.number++, TILL_CARD, 1);
    assert_int_equal(till_send(&till, OPERATION_PURCHASE, 0, &purchase, NULL), RESULT_DONE);
    return till;
}

uint64_t till_hold(struct till *till, uint64_t points, uint64_t seconds)
{
    struct msg_hold_request hold;
    struct msg_hold_answer answer;
    message_init(MESSAGE_hold_request, &hold);
    hold.card = talk_code(TILL_CARD);
    hold.points = points;
    hold.seconds = seconds;
    hold.store = hold.till = talk_code("1");
    assert_int_equal(till_send(till, OPERATION_HOLD, 0, &hold, &answer), RESULT_DONE);
    return answer.position;
}

enum result till_capture(struct till *till, uint64_t hold)
{
    struct msg_capture_request capture;
    message_init(MESSAGE_capture_request, &capture);
    capture.card = talk_code(TILL_CARD);
    capture.hold = hold;
    capture.store = capture.till = talk_code("1");
    return till_send(till, OPERATION_CAPTURE, 0, &capture, NULL);
}

enum result till_release(struct till *till, uint64_t hold)
{
    struct msg_release_request release;
    message_init(MESSAGE_release_request, &release);
    release.card = talk_code(TILL_CARD);
    release.hold = hold;
    release.store = release.till = talk_code("1");
    return till_send(till, OPERATION_RELEASE, 0, &release, NULL);
}

enum result till_reverse(struct till *till, uint64_t epoch, uint64_t number, struct msg_reversal_answer *out)
{
    struct msg_reversal_request reversal;
    message_init(MESSAGE_reversal_request, &reversal);
    reversal.epoch = epoch;
    reversal.number = number;
    reversal.store = reversal.till = talk_code("1");
    return till_send(till, OPERATION_REVERSAL, 0, &reversal, out);
}
