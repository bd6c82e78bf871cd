/*
 * Words that every room of the daemon may use: attributes, checks, small helpers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PUNKT_MUST_CHECK __attribute__((warn_unused_result))
#define PUNKT_PRINTF(format_index, first_index) __attribute__((format(printf, format_index, first_index)))
#define PUNKT_NORETURN __attribute__((noreturn))
#define PUNKT_UNUSED __attribute__((unused))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/*
 * A bug of ours: says where, then aborts. On in release builds too, because a ledger that goes on
 * after a broken invariant writes the damage down. Never use it on bytes that a peer sent.
 */
#define PUNKT_CHECK(condition)                                                                               \
    do {                                                                                                     \
        if (__builtin_expect(!(condition), 0))                                                               \
            punkt_check_failed(#condition, __FILE__, __LINE__);                                              \
    } while (0)

PUNKT_NORETURN void punkt_check_failed(const char *condition, const char *file, int line);

static inline uint64_t u64_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t u64_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline int64_t i64_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t i64_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}
