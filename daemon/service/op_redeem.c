#include "service/internal.h"

/* A wish of a redemption or hold of its own. */
static struct wish wish_of(struct request *request, uint64_t points, const struct wire_code *reward,
                           uint64_t quantity)
{
    struct wish wish = { .reward = text_of_code(reward), .quantity = (uint32_t)quantity };
    if (!points_from_wire(request->service, points, &wish.points))
        wish.points = MILLIPOINTS_MAX; /* more than any account has */
    return wish;
}

/* Whether it says for what; or it is refused. */
static bool wish_is_named(struct request *request, uint64_t points, const struct wire_code *reward)
{
    if (points > 0 || reward->size > 0)
        return true;
    refuse(request, RESULT_OVER_LIMIT, "neither points nor a reward is asked for");
    return false;
}

static void answer_redeem(struct request *request)
{
    struct service *service = request->service;
    struct event *event = &service->decision.event;
    const struct redemption *made = &event->redemption.made;
    union message_any answer;
    struct msg_redeem_answer *out = &answer.redeem_answer;
    message_init(MESSAGE_redeem_answer, out);
    out->redeemed = points_to_wire(service, made->points);
    out->available = points_to_wire(service, balance_after(service, 0).available);
    out->worth = (uint64_t)made->worth;
    out->stamps = made->stamps;
    out->shortfall = points_to_wire(service, made->shortfall);
    code_for_wire(reward_name(service, made->reward), &out->reward);
    code_for_wire(reward_voucher(service, made->reward), &out->voucher);
    book(request, event, &answer);
}

static struct sale_name sale_named(const struct msg_redeem_request *message, local_day on)
{
    return (struct sale_name){ .position = message->sale_position,
                               .store = &message->sale_store,
                               .till = &message->sale_till,
                               .here_store = &message->store,
                               .here_till = &message->till,
                               .receipt = &message->sale_receipt,
                               .date = message->sale_date,
                               .on = on };
}

enum handled handle_redeem(struct request *request)
{
    struct service *service = request->service;
    const struct msg_redeem_request *message = &request->message->redeem_request;
    struct redeem_request redeem = {
        .card = text_of_code(&message->card),
        .wish = wish_of(request, message->points, &message->reward, message->quantity),
        .bill = (minor_units)message->bill,
        .time = (utc_us)message->time,
        .place = place_of(&message->store, &message->till, &message->operator, message->business_date)
    };
    if (!wish_is_named(request, message->points, &message->reward))
        return HANDLED;
    struct document document;
    struct sale_name name = sale_named(message, today(service));
    redeem.sale_position = sale_find(request, &name, &document);
    if (!sale_fetch(request, redeem.sale_position, &redeem.sale))
        return HANDLED_FETCH;
    bool named = name.position != 0 || name.receipt->size > 0;
    if (redeem.sale == NULL && named && (request->flags & FRAME_FLAG_ADVICE) == 0) {
        refuse(request, RESULT_UNKNOWN_PURCHASE, "");
        return HANDLED;
    }
    enum handled handled = pin_settle(request, redeem.card);
    if (handled != HANDLED || request->answered)
        return handled;
    redeem.pin = request->pin;
    struct judgement judgement = request_judgement(request);
    do
        decide_redeem(&service->view, &judgement, &redeem, &service->decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    answer_redeem(request);
    return HANDLED;
}

enum handled handle_hold(struct request *request)
{
    struct service *service = request->service;
    const struct msg_hold_request *message = &request->message->hold_request;
    struct hold_request hold = {
        .card = text_of_code(&message->card),
        .wish = wish_of(request, message->points, &message->reward, message->quantity),
        .bill = (minor_units)message->bill,
        .seconds = (uint32_t)message->seconds,
        .time = (utc_us)message->time,
        .place = place_of(&message->store, &message->till, &message->operator, message->business_date)
    };
    if (!wish_is_named(request, message->points, &message->reward))
        return HANDLED;
    enum handled handled = pin_settle(request, hold.card);
    if (handled != HANDLED || request->answered)
        return handled;
    hold.pin = request->pin;
    struct judgement judgement = request_judgement(request);
    do
        decide_hold(&service->view, &judgement, &hold, &service->decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    struct event *event = &service->decision.event;
    const struct redemption *wanted = &event->hold.wanted;
    utc_us deadline = event->hold.deadline;
    union message_any answer;
    struct msg_hold_answer *out = &answer.hold_answer;
    message_init(MESSAGE_hold_answer, out);
    out->held = points_to_wire(service, wanted->points);
    out->worth = (uint64_t)wanted->worth;
    out->deadline = (uint64_t)deadline;
    out->available = points_to_wire(service, balance_after(service, 0).available);
    out->stamps = wanted->stamps;
    code_for_wire(reward_name(service, wanted->reward), &out->reward);
    journal_position position = ledger_reserve(service->ledger);
    book(request, event, &answer);
    daily_hold_begun(service, position, deadline);
    return HANDLED;
}

/* The hold's own event, for what is not on the account any more. False: HANDLED_FETCH. */
static bool hold_fetch(struct request *request, journal_position hold, const struct event **out)
{
    *out = NULL;
    if (hold == 0 || hold >= ledger_end(request->service->ledger))
        return true;
    if (!fetched_event(request, hold, out))
        return false;
    if (*out != NULL && ((*out)->type != EVENT_HOLD || !event_is_at(request->service, *out, hold)))
        *out = NULL;
    return true;
}

enum handled handle_capture(struct request *request)
{
    struct service *service = request->service;
    const struct msg_capture_request *message = &request->message->capture_request;
    struct capture_request capture = {
        .card = text_of_code(&message->card),
        .hold = message->hold,
        .bill = (minor_units)message->bill,
        .time = (utc_us)message->time,
        .place = place_of(&message->store, &message->till, &message->operator, message->business_date),
    };
    if (!points_from_wire(service, message->points, &capture.points))
        capture.points = MILLIPOINTS_MAX;
    if (!hold_fetch(request, capture.hold, &capture.hold_event))
        return HANDLED_FETCH;
    struct judgement judgement = request_judgement(request);
    enum handled handled;
    do
        decide_capture(&service->view, &judgement, &capture, &service->decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    struct event *event = &service->decision.event;
    const struct redemption *made = &event->redemption.made;
    union message_any answer;
    struct msg_capture_answer *out = &answer.capture_answer;
    message_init(MESSAGE_capture_answer, out);
    out->redeemed = points_to_wire(service, made->points);
    out->worth = (uint64_t)made->worth;
    out->given_back = points_to_wire(service, points_freed(&event->effects[0]));
    out->available = points_to_wire(service, balance_after(service, 0).available);
    out->stamps = made->stamps;
    out->shortfall = points_to_wire(service, made->shortfall);
    code_for_wire(reward_name(service, made->reward), &out->reward);
    code_for_wire(reward_voucher(service, made->reward), &out->voucher);
    book(request, event, &answer);
    return HANDLED;
}

enum handled handle_release(struct request *request)
{
    struct service *service = request->service;
    const struct msg_release_request *message = &request->message->release_request;
    struct release_request release = {
        .card = text_of_code(&message->card),
        .hold = message->hold,
        .time = (utc_us)message->time,
        .place = place_of(&message->store, &message->till, &message->operator, message->business_date),
    };
    if (!hold_fetch(request, release.hold, &release.hold_event))
        return HANDLED_FETCH;
    struct judgement judgement = request_judgement(request);
    enum handled handled;
    do
        decide_release(&service->view, &judgement, &release, &service->decision);
    while (day_first(request));
    if (decision_ended(request, &handled))
        return handled;
    struct event *event = &service->decision.event;
    union message_any answer;
    struct msg_release_answer *out = &answer.release_answer;
    message_init(MESSAGE_release_answer, out);
    out->given_back = points_to_wire(service, points_freed(&event->effects[0]));
    out->available = points_to_wire(service, balance_after(service, 0).available);
    book(request, event, &answer);
    return HANDLED;
}
