/*
 * Values at random, of every size, and the few that have a form of their own among bytes. Private to the makers.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random_event.h"

/* What is being made, so that each maker takes one argument. */
struct maker {
    struct random *random;
    struct random_event_room *room;
    bool largest;
};

/* Of every length: as many bits as chance says. */
static inline uint64_t any_u64(struct maker *maker)
{
    return maker->largest ? UINT64_MAX : random_u64(maker->random) >> random_below(maker->random, 64);
}

static inline int64_t any_i64(struct maker *maker)
{
    int64_t value = maker->largest ? INT64_MIN : (int64_t)any_u64(maker);
    return maker->largest || random_below(maker->random, 2) == 0 ? value : -(value >> 1);
}

static inline uint32_t any_u32(struct maker *maker)
{
    return (uint32_t)any_u64(maker);
}

static inline bool any_bool(struct maker *maker)
{
    return maker->largest || random_below(maker->random, 2) == 1;
}

/* The few that have a form of their own, those around today, and any. */
static inline local_day any_day(struct maker *maker)
{
    static const local_day special[] = { DAY_NEVER, INT32_MIN, 0, 99999999, -99999999, 1 };
    if (maker->largest)
        return -99999999;
    switch (random_below(maker->random, 4)) {
    case 0:
        return special[random_below(maker->random, COUNT_OF(special))];
    case 1:
        return 20000 + (local_day)random_below(maker->random, 1000);
    default:
        return (local_day)(any_i64(maker) % 100000000);
    }
}

/* From -max to max. */
static inline int64_t any_within(struct maker *maker, int64_t max)
{
    return maker->largest ? -max : any_i64(maker) % (max + 1);
}

static inline uint32_t any_up_to(struct maker *maker, uint32_t max)
{
    return maker->largest ? max : any_u32(maker) % (max + 1);
}

/* Not zero: of an enum that begins with 1. */
static inline uint32_t any_from_one(struct maker *maker, uint32_t max)
{
    return maker->largest ? max : 1 + (uint32_t)random_below(maker->random, max);
}

static inline uint32_t any_count(struct maker *maker, uint32_t max)
{
    return maker->largest ? max : (uint32_t)random_below(maker->random, (max < 3 ? max : 3) + 1);
}

/* A run of the room's letters: as long as a code may be. */
static inline struct text any_text(struct maker *maker)
{
    size_t size = maker->largest ? 32 : random_below(maker->random, 33);
    size_t from = random_below(maker->random, sizeof(maker->room->letters) - 32);
    return (struct text){ maker->room->letters + from, size };
}

static inline void any_bytes(struct maker *maker, uint8_t *out, size_t size)
{
    bool none = !maker->largest && random_below(maker->random, 3) == 0;
    for (size_t i = 0; i < size; i++)
        out[i] = none ? 0 : (uint8_t)random_u64(maker->random);
}

/* What only events of its type have. */
void make_detail(struct maker *maker, struct event *out);
void make_document(struct maker *maker, struct document *out);
