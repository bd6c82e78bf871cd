/*
 * A record of state as a damaged file may hold it. The first byte says which one it is; what decodes is the only
 * form of what it says, so that encoded again it is the same bytes.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/records.h"

static union {
    struct account account;
    struct card card;
    struct returned returned;
    struct totals totals;
    struct lane_record lane;
    struct programme_record programme;
    struct hold_state hold;
    struct open_hold open_hold;
    struct reward_state reward;
    struct day_counts day_counts;
    struct cohort cohort;
    struct till_day till_day;
    struct till_record till;
    struct identity identity;
    struct proposal_record proposal;
    struct flag_record flag;
    struct seal_record seal;
} any;

/* A record of requests is read and written in place: what one number says stays, whatever another one gets. */
static size_t set_again(struct state_value value, uint8_t *again)
{
    journal_position position;
    uint8_t out[REQUESTS_RECORD_MAX];
    if (!requests_get(value, 0, &position))
        return 0;
    for (uint64_t slot = 0; slot < REQUESTS_PER_RECORD; slot++) {
        journal_position had, has;
        PUNKT_CHECK(requests_get(value, slot, &had));
        struct state_value changed = { out, (uint32_t)requests_set(value, slot, had, out) };
        PUNKT_CHECK(changed.size >= value.size && changed.size <= sizeof(out));
        PUNKT_CHECK(requests_get(changed, slot, &has) && has == had);
        PUNKT_CHECK(requests_get(changed, 0, &has) && has == position);
    }
    memcpy(again, value.data, value.size);
    return value.size;
}

static size_t position_again(struct state_value value, uint8_t *again)
{
    journal_position position;
    return position_decode(value, &position) ? position_encode(position, again, value.size) : 0;
}

static size_t outstanding_again(struct state_value value, uint8_t *again)
{
    millipoints points;
    return outstanding_decode(value, &points) ? outstanding_encode(points, again, value.size) : 0;
}

/* What is read, written again with as much room as it had; 0: refused. What a scan reads of it must not be lost. */
static size_t account_again(struct state_value value, uint8_t *again)
{
    struct account_peek peek;
    bool peeked = account_peek(value, &peek);
    if (!account_decode(value, &any.account))
        return 0;
    PUNKT_CHECK(peeked && peek.number == any.account.number && peek.due == account_due_day(&any.account));
    return account_encode(&any.account, again, value.size);
}

#define AGAIN(kind)                                                                                          \
    static size_t kind##_again(struct state_value value, uint8_t *again)                                     \
    {                                                                                                        \
        return kind##_decode(value, &any.kind) ? kind##_encode(&any.kind, again, value.size) : 0;            \
    }
AGAIN(card)
AGAIN(returned)
AGAIN(totals)
AGAIN(lane)
AGAIN(programme)
AGAIN(hold)
AGAIN(open_hold)
AGAIN(reward)
AGAIN(day_counts)
AGAIN(cohort)
AGAIN(till_day)
AGAIN(till)
AGAIN(identity)
AGAIN(proposal)
AGAIN(flag)
AGAIN(seal)

static size_t (*const kinds[])(struct state_value value, uint8_t *again) = {
    account_again,  card_again,       returned_again, totals_again,      lane_again,
    position_again, programme_again,  set_again,      hold_again,        open_hold_again,
    reward_again,   day_counts_again, cohort_again,   outstanding_again, till_day_again,
    till_again,     identity_again,   proposal_again, flag_again,        seal_again,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > STATE_VALUE_MAX)
        return 0;
    struct state_value value = { data + 1, (uint32_t)(size - 1) };
    uint8_t *again = malloc(value.size);
    PUNKT_CHECK(again != NULL);
    size_t encoded = kinds[data[0] % COUNT_OF(kinds)](value, again);
    if (encoded != 0)
        PUNKT_CHECK(encoded == value.size && memcmp(again, value.data, value.size) == 0);
    free(again);
    return 0;
}
