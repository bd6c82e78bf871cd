#include "day_till.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "network.h"
#include "proto/frame.h"

/* The first eight bytes of SHA-256 over epoch, number and fingerprint. */
static uint64_t hash_of(const struct sent *sent, uint64_t number)
{
    static uint8_t bytes[1 << 16];
    uint8_t hash[SHA256_DIGEST_LENGTH];
    uint8_t named[32];
    uint64_t words[2] = { htole64(EPOCH), htole64(number) };
    uint64_t first;
    struct wire_writer writer = wire_writer_over(bytes, sizeof(bytes));
    wire_write_u8(&writer, (uint8_t)sent->operation);
    wire_write_u8(&writer, (uint8_t)(sent->operation >> 8));
    message_encode(operation_row(sent->operation)->request, &sent->body, &writer);
    assert_false(writer.failed);
    (void)SHA256(bytes, wire_written(&writer), hash);
    memcpy(named, words, 16);
    memcpy(named + 16, hash, 16);
    (void)SHA256(named, sizeof(named), hash);
    memcpy(&first, hash, sizeof(first));
    return le64toh(first);
}

static void count(struct till *till, const struct sent *sent, uint64_t hash)
{
    struct msg_day_close_request *day = &till->day;
    if (sent->operation == OPERATION_CARD_ISSUE || sent->operation == OPERATION_DAY_CLOSE)
        return; /* of no till, and no part of the day */
    day->hash ^= hash;
    if (sent->operation == OPERATION_PURCHASE) {
        day->purchases++;
        day->purchase_amount += (int64_t)sent->body.purchase.amount;
    } else if (sent->operation == OPERATION_RETURN) {
        day->returns++;
        day->return_amount += sent->body.goods.lines_count == 0 ? (int64_t)sent->body.goods.amount : 0;
    } else if (sent->operation == OPERATION_UNLINKED_RETURN) {
        day->returns++;
        day->return_amount += (int64_t)sent->body.unlinked.amount;
    } else if (sent->operation == OPERATION_REVERSAL) {
        day->reversals++;
    }
}

static void add_returned(struct till *till, const struct sent *sent, const struct talk_answer *answer)
{
    struct msg_return_answer goods;
    struct msg_unlinked_return_answer unlinked_goods;
    if (sent->operation == OPERATION_RETURN) {
        talk_decode(till->talk, answer, &goods);
        till->returned += (int64_t)goods.amount;
    } else if (sent->operation == OPERATION_UNLINKED_RETURN) {
        talk_decode(till->talk, answer, &unlinked_goods);
        till->returned += (int64_t)unlinked_goods.amount;
    }
}

/* The answer to a number, into the till's figures. */
static struct talk_answer take(struct till *till, const struct sent *sent, bool of_day)
{
    struct talk_answer answer;
    assert_true(talk_receive(till->talk, &answer));
    assert_int_equal(answer.number, till->number);
    struct msg_number_block *block = &till->blocks[till->number / 64];
    uint64_t bit = UINT64_C(1) << till->number % 64;
    block->answered |= bit;
    if ((answer.type & FRAME_TYPE_DONE) == 0 || (answer.flags & FRAME_FLAG_TIED) != 0)
        return answer;
    uint64_t hash = hash_of(sent, till->number);
    block->booked |= bit;
    block->hash ^= hash;
    if (of_day) {
        count(till, sent, hash);
        add_returned(till, sent, &answer);
    }
    return answer;
}

struct talk_answer sends(struct till *till, const struct sent *sent, bool of_day)
{
    till->sent[++till->number] = *sent;
    talk_send(till->talk, sent->operation, sent->flags, till->number, &sent->body);
    return take(till, sent, of_day);
}

uint64_t position_of(struct till *till, const struct sent *sent)
{
    struct talk_answer answer = sends(till, sent, true);
    static _Alignas(max_align_t) uint8_t body[4096];
    uint64_t position;
    assert_int_equal(answer.type, sent->operation | FRAME_TYPE_DONE);
    talk_decode(till->talk, &answer, body);
    memcpy(&position, body, sizeof(position)); /* of every change: its first field */
    return position;
}

/* --- what a till does --- */

struct sent purchase(uint64_t amount, const char *receipt, uint64_t date)
{
    struct sent sent = { .operation = OPERATION_PURCHASE };
    sent.body.purchase = talk_purchase(CARD, amount, receipt);
    sent.body.purchase.business_date = date;
    return sent;
}

struct sent goods(uint64_t sale, uint64_t amount)
{
    struct sent sent = { .operation = OPERATION_RETURN };
    struct msg_return_request *body = &sent.body.goods;
    message_init(MESSAGE_return_request, body);
    body->card = talk_code(CARD);
    body->amount = amount;
    body->store = body->till = talk_code("1");
    body->sale_position = sale;
    body->business_date = DATE;
    return sent;
}

struct sent redeem(uint64_t points)
{
    struct sent sent = { .operation = OPERATION_REDEEM };
    sent.body.redeem = talk_redeem(CARD, points);
    sent.body.redeem.business_date = DATE;
    return sent;
}

static struct sent hold(void)
{
    struct sent sent = { .operation = OPERATION_HOLD };
    struct msg_hold_request *body = &sent.body.hold;
    message_init(MESSAGE_hold_request, body);
    body->card = talk_code(CARD);
    body->points = 5;
    body->store = body->till = talk_code("1");
    body->business_date = DATE;
    return sent;
}

static struct sent capture(uint64_t position)
{
    struct sent sent = { .operation = OPERATION_CAPTURE };
    struct msg_capture_request *body = &sent.body.capture;
    message_init(MESSAGE_capture_request, body);
    body->card = talk_code(CARD);
    body->hold = position;
    body->store = body->till = talk_code("1");
    body->business_date = DATE;
    return sent;
}

static struct sent release(uint64_t position)
{
    struct sent sent = { .operation = OPERATION_RELEASE };
    struct msg_release_request *body = &sent.body.release;
    message_init(MESSAGE_release_request, body);
    body->card = talk_code(CARD);
    body->hold = position;
    body->store = body->till = talk_code("1");
    body->business_date = DATE;
    return sent;
}

struct sent reversal(uint64_t number)
{
    struct sent sent = { .operation = OPERATION_REVERSAL };
    struct msg_reversal_request *body = &sent.body.reversal;
    message_init(MESSAGE_reversal_request, body);
    body->epoch = EPOCH;
    body->number = number;
    body->store = body->till = talk_code("1");
    body->business_date = DATE;
    return sent;
}

static struct sent unlinked(uint64_t amount)
{
    struct sent sent = { .operation = OPERATION_UNLINKED_RETURN };
    struct msg_unlinked_return_request *body = &sent.body.unlinked;
    message_init(MESSAGE_unlinked_return_request, body);
    body->card = talk_code(CARD);
    body->amount = amount;
    body->store = body->till = talk_code("1");
    body->business_date = DATE;
    return sent;
}

/* An advice of a return whose purchase is not there: by lines, so without an amount. */
static struct sent waiting_return(const struct msg_return_line *line)
{
    struct sent sent = goods(0, 0);
    sent.flags = FRAME_FLAG_ADVICE;
    sent.body.goods.sale_receipt = talk_code("never");
    sent.body.goods.sale_date = DATE;
    sent.body.goods.lines = (struct msg_return_line *)(uintptr_t)line;
    sent.body.goods.lines_count = 1;
    return sent;
}

const char *till_address(const struct world *world)
{
    static char identity[NETWORK_PATH_MAX];
    return network_on() ? network_till(world, "1", "1", identity) : world_address(world);
}

struct till *till_open(struct world *world)
{
    struct till *till = calloc(1, sizeof(*till));
    struct sent issue = { .operation = OPERATION_CARD_ISSUE };
    assert_non_null(till);
    till->world = world;
    till->talk = talk_hello(till_address(world), EPOCH, 1, NULL);
    message_init(MESSAGE_day_close_request, &till->day);
    till->day.store = till->day.till = talk_code("1");
    till->day.date = DATE;
    message_init(MESSAGE_card_issue_request, &issue.body.issue);
    issue.body.issue.card = talk_code(CARD);
    (void)position_of(till, &issue);
    return till;
}

void till_free(struct till *till)
{
    talk_free(till->talk);
    free(till);
}

void does_business(struct till *till)
{
    static struct msg_return_line line;
    message_init(MESSAGE_return_line, &line);
    line.number = 1;
    struct sent with_receipt = purchase(10000, "r1", DATE);
    struct sent without = purchase(5000, "", DATE);
    struct sent some;
    uint64_t first = position_of(till, &with_receipt);
    some = goods(position_of(till, &without), 0); /* by lines: what it is worth only the answer says */
    some.body.goods.lines = &line;
    some.body.goods.lines_count = 1;
    (void)position_of(till, &some);
    some = goods(first, 1000);
    (void)position_of(till, &some);
    some = waiting_return(&line);
    (void)position_of(till, &some);
    some = network_on() ? goods(first, 300) : unlinked(300); /* without a receipt it is not for tills */
    (void)position_of(till, &some);
    some = redeem(20);
    (void)position_of(till, &some);
    some = hold();
    some = capture(position_of(till, &some));
    (void)position_of(till, &some);
    some = hold();
    some = release(position_of(till, &some));
    (void)position_of(till, &some);
    some = purchase(700, "r2", DATE);
    (void)position_of(till, &some);
    some = reversal(till->number);
    (void)position_of(till, &some);
    some = reversal(9999); /* never seen */
    (void)position_of(till, &some);
    struct talk_answer tied = sends(till, &with_receipt, true);
    assert_int_equal(tied.flags, FRAME_FLAG_REPLAYED | FRAME_FLAG_TIED);
    some = redeem(99999);
    assert_int_equal(sends(till, &some, true).type, OPERATION_REDEEM | FRAME_TYPE_REFUSED);
}

/* --- what it expects --- */

static struct msg_day_close_answer closes(struct till *till, const struct msg_day_close_request *figures)
{
    struct sent sent = { .operation = OPERATION_DAY_CLOSE, .body.close = *figures };
    struct talk_answer answer = sends(till, &sent, true);
    struct msg_day_close_answer closed;
    assert_int_equal(answer.type, OPERATION_DAY_CLOSE | FRAME_TYPE_DONE);
    talk_decode(till->talk, &answer, &closed);
    assert_int_equal(closed.purchases, till->day.purchases);
    assert_int_equal(closed.purchase_amount, till->day.purchase_amount);
    assert_int_equal(closed.returns, till->day.returns);
    assert_int_equal(closed.return_amount_sent, till->day.return_amount);
    assert_int_equal(closed.return_amount, till->returned);
    assert_int_equal(closed.reversals, till->day.reversals);
    assert_int_equal(closed.hash, till->day.hash);
    assert_true(closed.head_position < closed.position);
    return closed;
}

void expect_close(struct till *till, const struct msg_day_close_request *figures, uint64_t number,
                  uint64_t state, uint64_t late)
{
    struct msg_day_close_answer closed = closes(till, figures);
    assert_int_equal(closed.number, number);
    assert_int_equal(closed.state, state);
    assert_int_equal(closed.late, late);
}

void expect_totals(struct till *till, uint64_t number_of_closes, uint64_t state, uint64_t late)
{
    struct msg_day_totals_request request;
    struct msg_day_totals_answer totals;
    message_init(MESSAGE_day_totals_request, &request);
    request.store = request.till = talk_code("1");
    request.date = DATE;
    talk_send(till->talk, OPERATION_DAY_TOTALS, 0, 1, &request);
    struct talk_answer answer = talk_expect(till->talk, OPERATION_DAY_TOTALS, 1);
    talk_decode(till->talk, &answer, &totals);
    assert_int_equal(totals.hash, till->day.hash);
    assert_int_equal(totals.purchases, till->day.purchases);
    assert_int_equal(totals.closes, number_of_closes);
    assert_int_equal(totals.close_state, state);
    assert_int_equal(totals.close_time != 0, number_of_closes > 0);
    assert_int_equal(totals.late, late);
}

uint64_t flags_of(struct till *till, uint64_t position)
{
    struct msg_why_request request;
    struct msg_why_answer why;
    struct talk *office = talk_hello(world_address(till->world), EPOCH + 1, 1, NULL);
    message_init(MESSAGE_why_request, &request);
    request.event = position;
    talk_send(office, OPERATION_WHY, 0, 1, &request);
    struct talk_answer answer = talk_expect(office, OPERATION_WHY, 1);
    talk_decode(office, &answer, &why);
    talk_free(office);
    assert_int_equal(why.date, DATE);
    return why.flags;
}

struct msg_day_numbers_answer numbers(struct talk *talk, uint64_t epoch, uint64_t first)
{
    struct msg_day_numbers_request request = { .epoch = epoch, .first = first };
    struct msg_day_numbers_answer answer;
    talk_send(talk, OPERATION_DAY_NUMBERS, 0, 1, &request);
    struct talk_answer got = talk_expect(talk, OPERATION_DAY_NUMBERS, 1);
    talk_decode(talk, &got, &answer);
    return answer;
}

void expect_blocks(struct till *till)
{
    struct msg_day_numbers_answer answer = numbers(till->talk, EPOCH, 1);
    assert_int_equal(answer.last, till->number);
    assert_int_equal(answer.next, 0);
    assert_int_equal(answer.blocks_count, till->number / 64 + 1);
    for (uint64_t i = 0; i < answer.blocks_count; i++) {
        assert_int_equal(answer.blocks[i].first, 64 * i);
        assert_int_equal(answer.blocks[i].answered, till->blocks[i].answered);
        assert_int_equal(answer.blocks[i].booked, till->blocks[i].booked);
        assert_int_equal(answer.blocks[i].hash, till->blocks[i].hash);
    }
}
