#include "service_acts.h"

#include <string.h>

const char acts_programme[] = "programme: Reads\n"
                              "currency: EUR\n"
                              "tiers:\n"
                              "  levels: [{name: silver, from: 100.00, multiply: 1.5}]\n"
                              "base:\n"
                              "  - {rule: spend, name: euro, points: 1, amount: 1.00}\n"
                              "offers:\n"
                              "  - {offer: add, name: extra, points: 5, per: receipt, coupons: [PLUS]}\n"
                              "caps: {receipt: 300}\n"
                              "expiry: {months: 24, through: month}\n"
                              "redeem: {points: 100, worth: 1.00}\n"
                              "rewards:\n"
                              "  - {reward: voucher, name: cinema, voucher: C1, points: 20}\n"
                              "...\n";

uint64_t issue(struct service_world *world, const char *card)
{
    struct msg_card_issue_request request;
    message_init(MESSAGE_card_issue_request, &request);
    request.card = code(card);
    assert_int_equal(service_call(world, OPERATION_CARD_ISSUE, 0, &request), RESULT_DONE);
    return world->reply.message.card_issue_answer.account;
}

uint64_t buy(struct service_world *world, const char *card, uint64_t amount, const char *store,
             const char *receipt, bool advice)
{
    struct msg_purchase_request request;
    struct msg_coupon plus = { .code = code("PLUS") };
    message_init(MESSAGE_purchase_request, &request);
    request.card = code(card);
    request.amount = amount;
    request.store = code(store);
    request.till = code("1");
    request.receipt = code(receipt);
    request.operator= code("ann");
    request.coupons = &plus;
    request.coupons_count = 1;
    assert_int_equal(service_call(world, OPERATION_PURCHASE, advice ? FRAME_FLAG_ADVICE : 0, &request),
                     RESULT_DONE);
    return world->reply.message.purchase_answer.position;
}

uint64_t give_back(struct service_world *world, const char *card, uint64_t sale, uint64_t amount)
{
    struct msg_return_request request;
    message_init(MESSAGE_return_request, &request);
    request.card = code(card);
    request.amount = amount;
    request.store = code("S1");
    request.till = code("1");
    request.sale_position = sale;
    assert_int_equal(service_call(world, OPERATION_RETURN, 0, &request), RESULT_DONE);
    return world->reply.message.return_answer.position;
}

uint64_t redeem(struct service_world *world, const char *card)
{
    struct msg_redeem_request request;
    message_init(MESSAGE_redeem_request, &request);
    request.card = code(card);
    request.reward = code("cinema");
    request.store = code("S2");
    request.till = code("1");
    assert_int_equal(service_call(world, OPERATION_REDEEM, 0, &request), RESULT_DONE);
    return world->reply.message.redeem_answer.position;
}

uint64_t adjust(struct service_world *world, const char *card, int64_t points)
{
    struct msg_adjust_request request;
    message_init(MESSAGE_adjust_request, &request);
    request.card = code(card);
    request.points = points;
    request.reason = code("goodwill");
    request.note = (struct message_text){ "a note", 6 };
    request.allow_debt = 1;
    assert_int_equal(service_call(world, OPERATION_ADJUST, 0, &request), RESULT_DONE);
    return world->reply.message.adjust_answer.position;
}

void assert_code(const struct wire_code *got, const char *want)
{
    assert_int_equal(got->size, strlen(want));
    assert_memory_equal(got->bytes, want, got->size);
}

void tag(struct service_world *world, const char *card, const char *name)
{
    struct msg_account_tag_request request;
    struct msg_tag set = { .tag = code(name) };
    message_init(MESSAGE_account_tag_request, &request);
    request.card = code(card);
    request.set = &set;
    request.set_count = 1;
    assert_int_equal(service_call(world, OPERATION_ACCOUNT_TAG, 0, &request), RESULT_DONE);
}

void block(struct service_world *world, const char *card)
{
    struct msg_card_block_request request;
    message_init(MESSAGE_card_block_request, &request);
    request.card = code(card);
    assert_int_equal(service_call(world, OPERATION_CARD_BLOCK, 0, &request), RESULT_DONE);
}

uint64_t merge(struct service_world *world, const char *from, const char *to)
{
    struct msg_account_merge_request request;
    message_init(MESSAGE_account_merge_request, &request);
    request.from_card = code(from);
    request.to_card = code(to);
    assert_int_equal(service_call(world, OPERATION_ACCOUNT_MERGE, 0, &request), RESULT_DONE);
    return world->reply.message.account_merge_answer.position;
}

uint64_t hold_points(struct service_world *world, const char *card, int64_t points)
{
    struct msg_hold_request request;
    message_init(MESSAGE_hold_request, &request);
    request.card = code(card);
    request.points = points;
    request.store = code("S1");
    request.till = code("1");
    assert_int_equal(service_call(world, OPERATION_HOLD, 0, &request), RESULT_DONE);
    return world->reply.message.hold_answer.position;
}
