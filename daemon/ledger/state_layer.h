/*
 * One layer of state in memory: a hash table of full records and tombstones. Table and arena are made
 * once; nothing here allocates afterwards. A layer that is not being changed may be read by any thread.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"

/* As it lies in the arena, one behind the other: key, value and room to grow follow. */
struct layer_record {
    uint32_t value_size;
    uint32_t capacity; /* bytes of value that fit without moving */
    uint16_t key_size;
    bool tombstone;
    bool outgrown;   /* it has moved: another record in the arena has the key now */
    uint8_t bytes[]; /* key, then value */
};

struct layer_slot {
    uint64_t hash;
    uint32_t offset;     /* of the record in the arena, in units of 8 bytes */
    uint32_t generation; /* a slot is taken if it is the layer's */
};

/* A record and the first 8 bytes of its key, so that most comparisons need not look at the record. */
struct layer_entry {
    uint64_t key_head; /* big-endian, padded with zeros */
    const struct layer_record *record;
};

struct layer {
    struct layer_slot *slots;
    uint8_t *arena;
    uint64_t slot_count; /* a power of two */
    uint64_t arena_size;
    uint64_t arena_used;
    uint32_t records_max;
    uint32_t record_count;
    uint32_t generation; /* from 1; a new one forgets all slots at once */
};

/* The hash of a key that both layers are asked with. The seed keeps keys that a peer chose from colliding. */
uint64_t layer_hash(uint64_t seed, const void *key, size_t key_size);

/* Room for records_max records and arena_bytes bytes of them. PUNKT_NO_MEMORY. */
PUNKT_MUST_CHECK enum punkt_status layer_init(struct layer *layer, uint32_t records_max,
                                              uint64_t arena_bytes);
/* Fine after a failed layer_init and on zeros. */
void layer_done(struct layer *layer);
void layer_clear(struct layer *layer);

/* NULL: the layer says nothing about this key. A tombstone says that there is no such record. */
const struct layer_record *layer_find(const struct layer *layer, uint64_t hash, const void *key,
                                      size_t key_size);
const uint8_t *layer_value(const struct layer_record *record);

/*
 * Room for a value of `size` bytes under key; what was there is lost. A value that outgrows its room takes
 * new one from the arena. Running out of slots or arena is a bug of the caller, who must look ahead.
 */
uint8_t *layer_put(struct layer *layer, uint64_t hash, const void *key, size_t key_size, uint32_t size);
/* Puts a tombstone. */
void layer_remove(struct layer *layer, uint64_t hash, const void *key, size_t key_size);

/* Writes all record_count entries in the order of LMDB (bytes, then the shorter key first). */
void layer_sort(const struct layer *layer, struct layer_entry *out_entries);
