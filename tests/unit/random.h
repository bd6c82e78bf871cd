/*
 * Random numbers for tests: the same seed gives the same test. PUNKT_SEED repeats a run; without it the clock
 * chooses, and the seed is printed.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct random {
    uint64_t state;
};

/* splitmix64: every seed is a good one. */
static inline uint64_t random_u64(struct random *random)
{
    uint64_t z = (random->state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* 0 to bound - 1; bound is at least 1. */
static inline uint64_t random_below(struct random *random, uint64_t bound)
{
    return random_u64(random) % bound;
}

static inline struct random random_seeded(void)
{
    const char *given = getenv("PUNKT_SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10)
                                  : (uint64_t)now.tv_sec * 1000000007u + (uint64_t)now.tv_nsec;
    printf("PUNKT_SEED=%llu\n", (unsigned long long)seed);
    return (struct random){ seed };
}
