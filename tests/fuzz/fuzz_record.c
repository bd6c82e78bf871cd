/*
 * A record of state as a damaged file may hold it. The first byte says which one it is; what decodes is the only
 * form of what it says, so that encoded again it is the same bytes.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/records.h"

static struct account account;
static struct returned returned;

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

/* What is read, written again with as much room as it had; 0: refused. */
static size_t encode_again(uint8_t which, struct state_value value, uint8_t *again)
{
    struct card card;
    struct totals totals;
    struct lane_record lane;
    struct programme_record programme;
    journal_position position;
    switch (which) {
    case 0:
        return account_decode(value, &account) ? account_encode(&account, again, value.size) : 0;
    case 1:
        return card_decode(value, &card) ? card_encode(&card, again, value.size) : 0;
    case 2:
        return returned_decode(value, &returned) ? returned_encode(&returned, again, value.size) : 0;
    case 3:
        return totals_decode(value, &totals) ? totals_encode(&totals, again, value.size) : 0;
    case 4:
        return lane_decode(value, &lane) ? lane_encode(&lane, again, value.size) : 0;
    case 5:
        return position_decode(value, &position) ? position_encode(position, again, value.size) : 0;
    case 6:
        return programme_decode(value, &programme) ? programme_encode(&programme, again, value.size) : 0;
    default:
        return set_again(value, again);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > STATE_VALUE_MAX)
        return 0;
    struct state_value value = { data + 1, (uint32_t)(size - 1) };
    uint8_t *again = malloc(value.size);
    PUNKT_CHECK(again != NULL);
    size_t encoded = encode_again(data[0] % 8, value, again);
    if (encoded != 0)
        PUNKT_CHECK(encoded == value.size && memcmp(again, value.data, value.size) == 0);
    free(again);
    return 0;
}
