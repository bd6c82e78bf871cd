#include "cli/seen.h"

#include <stdlib.h>

#define SLOTS (2 * SEEN_MAX) /* never more than half full, so that a probe is short */
#define SLOT_MASK (SLOTS - 1)

_Static_assert((SLOTS & SLOT_MASK) == 0, "slots are a power of two");

struct seen {
    uint64_t slots[SLOTS];    /* open addressing, 0 empty */
    uint64_t order[SEEN_MAX]; /* ring, oldest at `next` once it is full */
    uint32_t next;
    uint32_t count;
};

struct seen *seen_new(void)
{
    return calloc(1, sizeof(struct seen));
}

void seen_free(struct seen *seen)
{
    free(seen);
}

uint64_t seen_hash_text(uint64_t hash, const char *text)
{
    do {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    } while (*text++ != '\0');
    return hash != 0 ? hash : 1;
}

/* FNV's low bits depend on the last bytes most; the multiplication brings the high ones down. */
static uint32_t home_of(uint64_t hash)
{
    return (uint32_t)((hash * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & SLOT_MASK;
}

/* Where the hash is, or the empty slot where it would be. */
static uint32_t slot_of(const struct seen *seen, uint64_t hash)
{
    uint32_t at = home_of(hash);
    while (seen->slots[at] != 0 && seen->slots[at] != hash)
        at = (at + 1) & SLOT_MASK;
    return at;
}

/* Closes the gap, so that no probe that went over it ends early. */
static void remove_hash(struct seen *seen, uint64_t hash)
{
    uint32_t gap = slot_of(seen, hash);
    if (seen->slots[gap] == 0)
        return;
    for (uint32_t at = (gap + 1) & SLOT_MASK; seen->slots[at] != 0; at = (at + 1) & SLOT_MASK) {
        uint32_t from_home = (at - home_of(seen->slots[at])) & SLOT_MASK;
        uint32_t from_gap = (at - gap) & SLOT_MASK;
        if (from_home >= from_gap) {
            seen->slots[gap] = seen->slots[at];
            gap = at;
        }
    }
    seen->slots[gap] = 0;
}

void seen_add(struct seen *seen, uint64_t hash)
{
    uint32_t at = slot_of(seen, hash);
    if (seen->slots[at] == hash)
        return;
    if (seen->count == SEEN_MAX)
        remove_hash(seen, seen->order[seen->next]);
    else
        seen->count++;
    seen->slots[slot_of(seen, hash)] = hash;
    seen->order[seen->next] = hash;
    seen->next = (seen->next + 1) % SEEN_MAX;
}

bool seen_has(const struct seen *seen, uint64_t hash)
{
    return seen->slots[slot_of(seen, hash)] == hash;
}
