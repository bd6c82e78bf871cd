/* Points that are spent, set aside and given back: from the structs of punkt.h to messages. */
#include "lib/encode.h"

/* How many points a redemption or hold is for; of a reward it is only a hint. */
static bool put_points(struct build *build, int64_t points, const struct wire_code *reward, uint64_t *out)
{
    if (points < (reward->size > 0 ? 0 : 1) || points > MESSAGE_POINTS_MAX)
        return build_wrong(build, "points: 1 or more, below 10^12; of a reward 0 too");
    *out = (uint64_t)points;
    return true;
}

static bool put_bill(struct build *build, int64_t bill, uint64_t *out)
{
    return put_unsigned(build, bill, MESSAGE_AMOUNT_MAX, out, "bill: 0 or more, below 10^12");
}

bool encode_redeem(struct build *build, const void *request)
{
    struct punkt_redeem_request in;
    struct msg_redeem_request msg;
    message_init(MESSAGE_redeem_request, &msg);
    if (!build_request(build, request, &in, sizeof(in)) || !put_card(build, in.card, &msg.card) ||
        !put_time(build, in.time_us, &msg.time) ||
        !put_where(build, in.store, in.till, in.operator_, &msg.store, &msg.till, &msg.operator) ||
        !put_day(build, in.business_date, &msg.business_date) ||
        !put_code(build, in.reward, &msg.reward, "reward: 1 to 32 bytes") ||
        !put_points(build, in.points, &msg.reward, &msg.points) || !put_bill(build, in.bill, &msg.bill) ||
        !put_code(build, in.sale_store, &msg.sale_store, "sale_store: 1 to 32 bytes") ||
        !put_code(build, in.sale_till, &msg.sale_till, "sale_till: 1 to 32 bytes") ||
        !put_date(build, in.sale_date, &msg.sale_date) ||
        !put_code(build, in.sale_receipt, &msg.sale_receipt, "sale_receipt: 1 to 32 bytes"))
        return false;
    msg.quantity = in.quantity > 0 ? in.quantity : 1;
    msg.sale_position = in.sale_position;
    build->note.bill = in.bill;
    build->note.rewards = msg.reward.size > 0;
    if (!build->note.rewards)
        note_points(&build->note, in.points);
    return put_message_with_pin(build, MESSAGE_redeem_request, &msg, 0, in.pin);
}

bool encode_hold(struct build *build, const void *request)
{
    struct punkt_hold_request in;
    struct msg_hold_request msg;
    message_init(MESSAGE_hold_request, &msg);
    if (!build_request(build, request, &in, sizeof(in)) || !put_card(build, in.card, &msg.card) ||
        !put_time(build, in.time_us, &msg.time) ||
        !put_where(build, in.store, in.till, in.operator_, &msg.store, &msg.till, &msg.operator) ||
        !put_day(build, in.business_date, &msg.business_date) ||
        !put_code(build, in.reward, &msg.reward, "reward: 1 to 32 bytes") ||
        !put_points(build, in.points, &msg.reward, &msg.points) || !put_bill(build, in.bill, &msg.bill) ||
        !put_unsigned(build, in.seconds, 86400, &msg.seconds, "seconds: up to 86400"))
        return false;
    msg.quantity = in.quantity > 0 ? in.quantity : 1;
    return put_message_with_pin(build, MESSAGE_hold_request, &msg, 0, in.pin);
}

bool encode_capture(struct build *build, const void *request)
{
    struct punkt_capture_request in;
    struct msg_capture_request msg;
    message_init(MESSAGE_capture_request, &msg);
    if (!build_request(build, request, &in, sizeof(in)) || !put_card(build, in.card, &msg.card) ||
        !put_time(build, in.time_us, &msg.time) ||
        !put_where(build, in.store, in.till, in.operator_, &msg.store, &msg.till, &msg.operator) ||
        !put_day(build, in.business_date, &msg.business_date) ||
        !put_unsigned(build, in.points, MESSAGE_POINTS_MAX, &msg.points, "points: 0 or more, below 10^12") ||
        !put_bill(build, in.bill, &msg.bill))
        return false;
    if (in.hold == 0)
        return build_wrong(build, "hold: the position of one");
    msg.hold = in.hold;
    note_hold(&build->note, in.hold, 0);
    return put_message(build, MESSAGE_capture_request, &msg, 0);
}

bool encode_release(struct build *build, const void *request)
{
    struct punkt_release_request in;
    struct msg_release_request msg;
    message_init(MESSAGE_release_request, &msg);
    if (!build_request(build, request, &in, sizeof(in)) || !put_card(build, in.card, &msg.card) ||
        !put_time(build, in.time_us, &msg.time) ||
        !put_where(build, in.store, in.till, in.operator_, &msg.store, &msg.till, &msg.operator) ||
        !put_day(build, in.business_date, &msg.business_date))
        return false;
    if (in.hold == 0)
        return build_wrong(build, "hold: the position of one");
    msg.hold = in.hold;
    note_hold(&build->note, in.hold, 0);
    return put_message(build, MESSAGE_release_request, &msg, 0);
}

bool encode_reversal(struct build *build, const void *request)
{
    struct punkt_reversal_request in;
    struct msg_reversal_request msg;
    message_init(MESSAGE_reversal_request, &msg);
    if (!build_request(build, request, &in, sizeof(in)) || !put_time(build, in.time_us, &msg.time) ||
        !put_where(build, in.store, in.till, in.operator_, &msg.store, &msg.till, &msg.operator) ||
        !put_day(build, in.business_date, &msg.business_date))
        return false;
    if (in.card != NULL && *in.card != '\0' && !put_card(build, in.card, &msg.card))
        return false;
    if (in.number == 0)
        return build_wrong(build, "number: 1 or more");
    if (in.amount < 0 || in.amount > MESSAGE_AMOUNT_MAX || (in.amount != 0 && !in.with_amount))
        return build_wrong(build, "amount: 0 or more, below 10^12, and with_amount says that it is given");
    msg.epoch = in.epoch != 0 ? in.epoch : build->epoch;
    msg.number = in.number;
    msg.identity = in.identity;
    if (in.with_amount)
        msg.amount = in.amount;
    build->note.epoch = msg.epoch;
    build->note.number = msg.number;
    return put_message(build, MESSAGE_reversal_request, &msg, 0);
}
