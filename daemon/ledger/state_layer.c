#include "ledger/state_layer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define UNIT 8u /* records begin at multiples of this */

__extension__ typedef unsigned __int128 u128;

/* Both halves of the product: every bit of a and b reaches every bit of the answer. */
static uint64_t mix(uint64_t a, uint64_t b)
{
    u128 product = (u128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t word_at(const uint8_t *bytes, size_t size)
{
    uint64_t word = 0;
    memcpy(&word, bytes, size);
    return word;
}

uint64_t layer_hash(uint64_t seed, const void *key, size_t key_size)
{
    const uint8_t *at = key;
    uint64_t hash = seed ^ (key_size * UINT64_C(0x9E3779B97F4A7C15));
    size_t left = key_size;
    for (; left >= 8; left -= 8, at += 8)
        hash = mix(hash ^ word_at(at, 8), UINT64_C(0xD6E8FEB86659FD93));
    if (left > 0)
        hash = mix(hash ^ word_at(at, left), UINT64_C(0xD6E8FEB86659FD93));
    return mix(hash, UINT64_C(0xA0761D6478BD642F));
}

static void *map_zeros(uint64_t size)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

enum punkt_status layer_init(struct layer *layer, uint32_t records_max, uint64_t arena_bytes)
{
    *layer = (struct layer){ .records_max = records_max, .arena_size = arena_bytes, .generation = 1 };
    PUNKT_CHECK(arena_bytes / UNIT <= UINT32_MAX);
    layer->slot_count = 64;
    while (layer->slot_count < records_max + (uint64_t)records_max / 2)
        layer->slot_count *= 2;
    layer->slots = map_zeros(layer->slot_count * sizeof(struct layer_slot));
    layer->arena = map_zeros(layer->arena_size);
    if (layer->slots == NULL || layer->arena == NULL) {
        layer_done(layer);
        return PUNKT_NO_MEMORY;
    }
    return PUNKT_OK;
}

void layer_done(struct layer *layer)
{
    if (layer->slots != NULL)
        (void)munmap(layer->slots, layer->slot_count * sizeof(struct layer_slot));
    if (layer->arena != NULL)
        (void)munmap(layer->arena, layer->arena_size);
    *layer = (struct layer){ 0 };
}

void layer_clear(struct layer *layer)
{
    if (layer->generation == UINT32_MAX) {
        memset(layer->slots, 0, layer->slot_count * sizeof(struct layer_slot));
        layer->generation = 0;
    }
    layer->generation++;
    layer->record_count = 0;
    layer->arena_used = 0;
}

static struct layer_record *record_at(const struct layer *layer, uint32_t offset)
{
    return (struct layer_record *)(void *)(layer->arena + (uint64_t)offset * UNIT);
}

/* The slot that holds the key, or the free one where it would go. There always is one: the table is not full. */
static struct layer_slot *slot_for(const struct layer *layer, uint64_t hash, const void *key, size_t key_size)
{
    uint64_t mask = layer->slot_count - 1;
    for (uint64_t index = hash & mask;; index = (index + 1) & mask) {
        struct layer_slot *slot = &layer->slots[index];
        if (slot->generation != layer->generation)
            return slot;
        if (slot->hash != hash)
            continue;
        const struct layer_record *record = record_at(layer, slot->offset);
        if (record->key_size == key_size && memcmp(record->bytes, key, key_size) == 0)
            return slot;
    }
}

const struct layer_record *layer_find(const struct layer *layer, uint64_t hash, const void *key,
                                      size_t key_size)
{
    const struct layer_slot *slot = slot_for(layer, hash, key, key_size);
    return slot->generation == layer->generation ? record_at(layer, slot->offset) : NULL;
}

const uint8_t *layer_value(const struct layer_record *record)
{
    return record->bytes + record->key_size;
}

/* Takes room from the arena with some to grow: an account gets its lots one by one. */
static uint32_t take_record(struct layer *layer, const void *key, size_t key_size, uint32_t size)
{
    uint64_t head = offsetof(struct layer_record, bytes) + key_size;
    uint64_t whole = (head + size + size / 4 + UNIT - 1) / UNIT * UNIT;
    PUNKT_CHECK(whole <= layer->arena_size - layer->arena_used);
    uint32_t offset = (uint32_t)(layer->arena_used / UNIT);
    struct layer_record *record = record_at(layer, offset);
    record->capacity = (uint32_t)(whole - head);
    record->key_size = (uint16_t)key_size;
    record->outgrown = false;
    memcpy(record->bytes, key, key_size);
    layer->arena_used += whole;
    return offset;
}

static struct layer_record *record_for(struct layer *layer, uint64_t hash, const void *key, size_t key_size,
                                       uint32_t size)
{
    struct layer_slot *slot = slot_for(layer, hash, key, key_size);
    if (slot->generation != layer->generation) {
        PUNKT_CHECK(layer->record_count < layer->records_max);
        slot->offset = take_record(layer, key, key_size, size);
        slot->hash = hash;
        slot->generation = layer->generation;
        layer->record_count++;
    } else if (record_at(layer, slot->offset)->capacity < size) {
        record_at(layer, slot->offset)->outgrown = true;
        slot->offset = take_record(layer, key, key_size, size);
    }
    return record_at(layer, slot->offset);
}

uint8_t *layer_put(struct layer *layer, uint64_t hash, const void *key, size_t key_size, uint32_t size)
{
    struct layer_record *record = record_for(layer, hash, key, key_size, size);
    record->value_size = size;
    record->tombstone = false;
    return record->bytes + key_size;
}

void layer_remove(struct layer *layer, uint64_t hash, const void *key, size_t key_size)
{
    struct layer_record *record = record_for(layer, hash, key, key_size, 0);
    record->value_size = 0;
    record->tombstone = true;
}

static uint64_t key_head(const struct layer_record *record)
{
    uint8_t bytes[8] = { 0 };
    uint64_t head = 0;
    memcpy(bytes, record->bytes, record->key_size < sizeof(bytes) ? record->key_size : sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        head = head << 8 | bytes[i];
    return head;
}

static int entry_compare(const void *left, const void *right)
{
    const struct layer_entry *a = left, *b = right;
    if (a->key_head != b->key_head)
        return a->key_head < b->key_head ? -1 : 1;
    size_t a_size = a->record->key_size, b_size = b->record->key_size;
    int order = memcmp(a->record->bytes, b->record->bytes, a_size < b_size ? a_size : b_size);
    return order != 0 ? order : (a_size > b_size) - (a_size < b_size);
}

void layer_sort(const struct layer *layer, struct layer_entry *out_entries)
{
    uint32_t count = 0;
    uint64_t at = 0;
    while (at < layer->arena_used) {
        const struct layer_record *record = record_at(layer, (uint32_t)(at / UNIT));
        if (!record->outgrown)
            out_entries[count++] = (struct layer_entry){ key_head(record), record };
        at += offsetof(struct layer_record, bytes) + record->key_size + record->capacity;
    }
    PUNKT_CHECK(count == layer->record_count);
    qsort(out_entries, count, sizeof(*out_entries), entry_compare);
}
