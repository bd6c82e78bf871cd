/*
 * What stands under a till's business date (PROTOCOL.md, End of day).
 */
#include <endian.h>
#include <string.h>

#include <openssl/sha.h>

#include "cli/mock_parts.h"

#define LANES_MAX 16 /* limits of the lists */
#define BLOCKS_MAX 128

/* The first bytes of SHA-256 over epoch, number (both little-endian) and fingerprint. */
static uint64_t hash_of(const struct mock_change *change)
{
    uint8_t bytes[16 + MOCK_FINGERPRINT_SIZE];
    uint8_t hash[SHA256_DIGEST_LENGTH];
    uint64_t epoch = htole64(change->epoch);
    uint64_t number = htole64(change->number);
    uint64_t first;
    memcpy(bytes, &epoch, 8);
    memcpy(bytes + 8, &number, 8);
    memcpy(bytes + 16, change->fingerprint, MOCK_FINGERPRINT_SIZE);
    (void)SHA256(bytes, sizeof(bytes), hash);
    memcpy(&first, hash, sizeof(first));
    return le64toh(first);
}

static void add_lane(const struct mock_change *change, struct msg_day_totals_answer *out)
{
    struct msg_lane_range *lane = out->lanes;
    while (lane < out->lanes + out->lanes_count && lane->epoch != change->epoch)
        lane++;
    if (lane == out->lanes + out->lanes_count) {
        if (out->lanes_count == LANES_MAX) {
            out->more = 1;
            return;
        }
        out->lanes_count++;
        *lane = (struct msg_lane_range){ .epoch = change->epoch,
                                         .first = change->number,
                                         .last = change->number };
    }
    lane->first = change->number < lane->first ? change->number : lane->first;
    lane->last = change->number > lane->last ? change->number : lane->last;
}

static void add_change(const struct mock_change *change, struct msg_day_totals_answer *out)
{
    const struct mock_made *made = &change->made;
    switch ((int)change->row->code) {
    case OPERATION_PURCHASE:
        out->purchases++;
        out->purchase_amount += made->amount;
        out->earned += made->points;
        break;
    case OPERATION_RETURN:
    case OPERATION_UNLINKED_RETURN:
        out->returns++;
        out->return_amount += made->amount;
        out->returned += made->points - made->given;
        break;
    case OPERATION_REDEEM:
    case OPERATION_CAPTURE:
        out->redemptions++;
        out->redeemed += made->points;
        out->redeemed_worth += made->worth;
        break;
    case OPERATION_REVERSAL:
        out->reversals++;
        break;
    default:
        break;
    }
    out->redemptions += made->wishes;
    out->redeemed += made->wished;
    out->redeemed_worth += change->row->code == OPERATION_PURCHASE ? made->paid : 0;
    out->hash ^= hash_of(change);
    add_lane(change, out);
}

static bool is_of(const struct mock_change *change, const struct wire_code *store,
                  const struct wire_code *till)
{
    const struct mock_made *made = &change->made;
    return made->booked && made->till.size > 0 && wire_code_equal(&made->store, store) &&
           wire_code_equal(&made->till, till);
}

/* The day as it stands; *out_sent: the amounts of returns that requests said. */
static void add_day(struct mock *mock, const struct wire_code *store, const struct wire_code *till,
                    uint64_t date, struct msg_day_totals_answer *out, int64_t *out_sent)
{
    *out_sent = 0;
    message_init(MESSAGE_day_totals_answer, out);
    out->lanes = mock->lanes;
    for (size_t i = 0; i < mock->change_count; i++) {
        const struct mock_change *change = mock->changes[i];
        if (!is_of(change, store, till) || change->made.date != date)
            continue;
        if (change->row->code == OPERATION_DAY_CLOSE) {
            out->closes++;
            out->close_state = change->made.close_state;
            out->close_time = change->time_us;
            out->late = 0;
            continue; /* it says how the day stands and is no part of it */
        }
        out->late += out->closes > 0;
        *out_sent += change->made.sent;
        add_change(change, out);
    }
}

enum mock_verdict mock_day_totals(struct mock *mock)
{
    const struct msg_day_totals_request request = mock->message.day_totals_request;
    int64_t sent;
    add_day(mock, &request.store, &request.till, request.date, &mock->answer.day_totals_answer, &sent);
    return MOCK_DONE;
}

/* The running number of the till's next close. */
static uint64_t next_close(const struct mock *mock, const struct wire_code *store,
                           const struct wire_code *till)
{
    uint64_t number = 1;
    for (size_t i = 0; i < mock->change_count; i++) {
        const struct mock_change *change = mock->changes[i];
        number +=
            change->row != NULL && change->row->code == OPERATION_DAY_CLOSE && is_of(change, store, till);
    }
    return number;
}

enum { IN_BALANCE, NOT_IN_BALANCE, OPEN };

static uint64_t state_of(const struct msg_day_close_request *said, const struct msg_day_totals_answer *booked,
                         int64_t sent)
{
    if (said->queued > 0)
        return OPEN;
    bool same = said->purchases == booked->purchases && said->purchase_amount == booked->purchase_amount &&
                said->returns == booked->returns &&
                (said->return_amount == sent || said->return_amount == booked->return_amount) &&
                said->reversals == booked->reversals && said->hash == booked->hash;
    return same ? IN_BALANCE : NOT_IN_BALANCE;
}

enum mock_verdict mock_day_close(struct mock *mock, struct mock_change *change)
{
    const struct msg_day_close_request *request = &mock->message.day_close_request;
    struct msg_day_totals_answer day;
    struct msg_day_close_answer *out = &mock->answer.day_close_answer;
    int64_t sent;
    add_day(mock, &request->store, &request->till, request->date, &day, &sent);
    change->made.store = request->store;
    change->made.till = request->till;
    change->made.date = request->date;
    change->made.close_state = state_of(request, &day, sent);
    *out = (struct msg_day_close_answer){ .number = next_close(mock, &request->store, &request->till),
                                          .state = change->made.close_state,
                                          .head_position = mock->change_count,
                                          .purchases = day.purchases,
                                          .purchase_amount = day.purchase_amount,
                                          .earned = day.earned,
                                          .returns = day.returns,
                                          .return_amount = day.return_amount,
                                          .returned = day.returned,
                                          .redemptions = day.redemptions,
                                          .redeemed = day.redeemed,
                                          .redeemed_worth = day.redeemed_worth,
                                          .reversals = day.reversals,
                                          .hash = day.hash,
                                          .more = day.more,
                                          .late = day.late,
                                          .return_amount_sent = sent,
                                          .lanes_count = day.lanes_count,
                                          .lanes = day.lanes };
    if (mock->change_count > 0)
        (void)SHA256(mock->changes[mock->change_count - 1]->fingerprint, MOCK_FINGERPRINT_SIZE, out->head);
    return MOCK_DONE;
}

static void add_number(const struct mock_change *change, uint64_t place, struct msg_number_block *out)
{
    out->answered |= UINT64_C(1) << place;
    if (!change->made.booked)
        return;
    out->booked |= UINT64_C(1) << place;
    out->hash ^= hash_of(change);
}

enum mock_verdict mock_day_numbers(struct mock *mock)
{
    const struct msg_day_numbers_request request = mock->message.day_numbers_request;
    struct msg_day_numbers_answer *out = &mock->answer.day_numbers_answer;
    char name[MOCK_NAME_SIZE];
    message_init(MESSAGE_day_numbers_answer, out);
    (void)mock_index_get(mock, mock_name('l', request.epoch, 0, name), &out->last);
    out->blocks = mock->blocks;
    uint64_t first = request.first / 64 * 64;
    while (out->last > 0 && first <= out->last && out->blocks_count < BLOCKS_MAX) {
        struct msg_number_block *block = &mock->blocks[out->blocks_count++];
        message_init(MESSAGE_number_block, block);
        block->first = first;
        for (uint64_t place = 0; place < 64; place++) {
            const struct mock_change *change = mock_change_named(mock, request.epoch, first + place);
            if (change != NULL)
                add_number(change, place, block);
        }
        if (out->last - first < 64)
            return MOCK_DONE;
        first += 64;
    }
    if (out->blocks_count == BLOCKS_MAX)
        out->next = first;
    return MOCK_DONE;
}
