/*
 * The end of a till's day (LEDGER.md, End of day): both sides say what they have of it, and where they differ the numbers
 * are compared, 64 at a time.
 */
#include <assert.h>
#include <endian.h>
#include <string.h>

#include "ledger/fold.h"
#include "service/internal.h"

#define NUMBER_BLOCKS_MAX 128 /* the limit of the list `blocks` */

static_assert(REQUESTS_PER_RECORD == 64, "a block of numbers is a record");

static uint64_t hash_of(const uint8_t bytes[TILL_HASH_SIZE])
{
    uint64_t hash;
    memcpy(&hash, bytes, sizeof(hash));
    return le64toh(hash);
}

static struct day_figures figures_said(const struct msg_day_close_request *message)
{
    return (struct day_figures){ .purchases = message->purchases,
                                 .returns = message->returns,
                                 .reversals = message->reversals,
                                 .purchase_amount = message->purchase_amount,
                                 .return_amount = message->return_amount,
                                 .hash = message->hash };
}

static struct day_figures figures_booked(const struct till_day *day)
{
    return (struct day_figures){
        .purchases = day->sums[TILL_PURCHASES].count,
        .returns = (uint64_t)day->sums[TILL_RETURNS].count + day->sums[TILL_UNLINKED_RETURNS].count,
        .reversals = day->sums[TILL_REVERSALS].count,
        .purchase_amount = day->sums[TILL_PURCHASES].amount,
        .return_amount = day->sums[TILL_RETURNS].amount + day->sums[TILL_UNLINKED_RETURNS].amount,
        .hash = hash_of(day->hash),
    };
}

/* Of returns the till may sum up what it sent or what it was answered: that it is the same returns, the hash says. */
static enum day_close_state state_of(const struct event *event, const struct till_day *day)
{
    const struct day_figures *said = &event->day_close.said;
    const struct day_figures *booked = &event->day_close.booked;
    if (event->day_close.queued > 0)
        return DAY_OPEN;
    bool same = said->purchases == booked->purchases && said->purchase_amount == booked->purchase_amount &&
                said->returns == booked->returns &&
                (said->return_amount == booked->return_amount || said->return_amount == day->returns_sent) &&
                said->reversals == booked->reversals && said->hash == booked->hash;
    return same ? DAY_IN_BALANCE : DAY_NOT_IN_BALANCE;
}

static struct event close_event(struct request *request, const struct till_day *day)
{
    struct service *service = request->service;
    const struct msg_day_close_request *message = &request->message->day_close_request;
    struct event event = { .type = EVENT_DAY_CLOSE,
                           .time = ledger_now(service->ledger),
                           .day = today(service),
                           .flags = request_judgement(request).flags,
                           .store = text_of_code(&message->store),
                           .till = text_of_code(&message->till),
                           .operator= text_of_code(&message->operator),
                           .business_date = (local_day)message->date };
    event.occurred = event.time;
    event.day_close.number = fold_till_closes(ledger_fold(service->ledger), event.store, event.till) + 1;
    event.day_close.queued = message->queued;
    event.day_close.late = day->late;
    event.day_close.said = figures_said(message);
    event.day_close.booked = figures_booked(day);
    event.day_close.state = state_of(&event, day);
    event.day_close.head = ledger_head(service->ledger, event.day_close.head_hash);
    return event;
}

/* What the day's totals say, too: members of the same names. */
static void totals_for_answer(const struct msg_day_totals_answer *totals, struct msg_day_close_answer *out)
{
    out->purchases = totals->purchases;
    out->purchase_amount = totals->purchase_amount;
    out->earned = totals->earned;
    out->returns = totals->returns;
    out->return_amount = totals->return_amount;
    out->returned = totals->returned;
    out->redemptions = totals->redemptions;
    out->redeemed = totals->redeemed;
    out->redeemed_worth = totals->redeemed_worth;
    out->reversals = totals->reversals;
    out->hash = totals->hash;
    out->more = totals->more;
    out->lanes_count = totals->lanes_count;
    out->lanes = totals->lanes;
}

enum handled handle_day_close(struct request *request)
{
    struct service *service = request->service;
    const struct msg_day_close_request *message = &request->message->day_close_request;
    struct msg_lane_range lanes[TILL_EPOCHS_MAX];
    struct msg_day_totals_answer totals;
    struct till_day day;
    (void)fold_till_day(ledger_fold(service->ledger), text_of_code(&message->store),
                        text_of_code(&message->till), (local_day)message->date, &day);
    struct event event = close_event(request, &day);
    day_for_answer(service, &day, lanes, &totals);
    union message_any answer;
    struct msg_day_close_answer *out = &answer.day_close_answer;
    message_init(MESSAGE_day_close_answer, out);
    out->number = event.day_close.number;
    out->state = event.day_close.state;
    memcpy(out->head, event.day_close.head_hash, sizeof(out->head));
    out->head_position = event.day_close.head;
    totals_for_answer(&totals, out);
    out->late = event.day_close.late;
    out->return_amount_sent = day.returns_sent;
    book(request, &event, &answer);
    seal_soon(service);
    return HANDLED;
}

static void block_for_wire(const struct request *request, uint64_t first, uint64_t last,
                           struct msg_number_block *out)
{
    const struct msg_day_numbers_request *message = &request->message->day_numbers_request;
    struct requests_booked block;
    (void)fold_requests_booked(ledger_fold(request->service->ledger),
                               identity_named(request, message->identity), message->epoch, first, &block);
    message_init(MESSAGE_number_block, out);
    out->first = first;
    /* What was reversed before it came is known, but not answered. */
    out->answered = last - first < 63 ? block.known & ((UINT64_C(2) << (last - first)) - 1) : block.known;
    out->booked = block.booked;
    out->hash = hash_of(block.hash);
}

enum handled handle_day_numbers(struct request *request)
{
    const struct msg_day_numbers_request *message = &request->message->day_numbers_request;
    struct msg_number_block blocks[NUMBER_BLOCKS_MAX];
    struct lane_record lane = { .highest = 0 };
    (void)fold_lane(ledger_fold(request->service->ledger), identity_named(request, message->identity),
                    message->epoch, &lane);
    union message_any answer;
    struct msg_day_numbers_answer *out = &answer.day_numbers_answer;
    message_init(MESSAGE_day_numbers_answer, out);
    out->last = lane.highest;
    out->blocks = blocks;
    uint64_t first = message->first / REQUESTS_PER_RECORD * REQUESTS_PER_RECORD;
    while (lane.highest > 0 && first <= lane.highest && out->blocks_count < NUMBER_BLOCKS_MAX) {
        block_for_wire(request, first, lane.highest, &blocks[out->blocks_count++]);
        if (lane.highest - first < REQUESTS_PER_RECORD)
            break;
        first += REQUESTS_PER_RECORD;
    }
    if (out->blocks_count == NUMBER_BLOCKS_MAX && lane.highest - blocks[NUMBER_BLOCKS_MAX - 1].first >= 64)
        out->next = first;
    answer_read(request, &answer, ledger_newest(request->service->ledger));
    return HANDLED;
}
