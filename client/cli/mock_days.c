/*
 * What stands under a till's business date (PROTOCOL.md, End of day).
 */
#include <endian.h>
#include <string.h>

#include <openssl/sha.h>

#include "cli/mock_parts.h"

#define LANES_MAX 16 /* the limit of the list */

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

enum mock_verdict mock_day_totals(struct mock *mock)
{
    const struct msg_day_totals_request *request = &mock->message.day_totals_request;
    struct msg_day_totals_answer *out = &mock->answer.day_totals_answer;
    message_init(MESSAGE_day_totals_answer, out);
    out->lanes = mock->lanes;
    for (size_t i = 0; i < mock->change_count; i++) {
        const struct mock_change *change = mock->changes[i];
        const struct mock_made *made = &change->made;
        if (made->booked && made->till.size > 0 && made->date == request->date &&
            wire_code_equal(&made->store, &request->store) && wire_code_equal(&made->till, &request->till))
            add_change(change, out);
    }
    return MOCK_DONE;
}
