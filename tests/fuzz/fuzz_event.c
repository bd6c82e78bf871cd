/*
 * An event as the journal may hold it: what decodes is the only form of what it says, so that encoded again it
 * is the same bytes.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/event_codec.h"

static struct event_memory memory;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event event;
    if (size == 0 || !event_decode(data, size, &memory, &event))
        return 0;
    uint8_t *again = malloc(size); /* exactly as large: more does not fit */
    PUNKT_CHECK(again != NULL);
    PUNKT_CHECK(event_encode(&event, again, size) == size);
    PUNKT_CHECK(memcmp(again, data, size) == 0);
    free(again);
    return 0;
}
