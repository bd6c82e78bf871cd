#include "cli/histogram.h"

#include <stddef.h>

static size_t bucket_of(uint64_t value)
{
    if (value < HISTOGRAM_LINEAR)
        return (size_t)value;
    unsigned bits = 64 - (unsigned)__builtin_clzll(value); /* 9 or more */
    if (bits > HISTOGRAM_BITS_MAX)
        return HISTOGRAM_BUCKETS - 1;
    /* The highest bit says which group; the seven behind it, which step. */
    size_t step = (size_t)(value >> (bits - 8)) - HISTOGRAM_STEPS;
    return HISTOGRAM_LINEAR + (bits - 9) * (size_t)HISTOGRAM_STEPS + step;
}

/* The largest value that lands in a bucket. */
static uint64_t value_of(size_t bucket)
{
    if (bucket < HISTOGRAM_LINEAR)
        return bucket;
    unsigned bits = 9 + (unsigned)((bucket - HISTOGRAM_LINEAR) / HISTOGRAM_STEPS);
    uint64_t step = (bucket - HISTOGRAM_LINEAR) % HISTOGRAM_STEPS;
    return ((HISTOGRAM_STEPS + step + 1) << (bits - 8)) - 1;
}

void histogram_record(struct histogram *histogram, uint64_t value)
{
    histogram->count++;
    histogram->buckets[bucket_of(value)]++;
}

uint64_t histogram_percentile(const struct histogram *histogram, unsigned thousandths)
{
    uint64_t wanted = (histogram->count * thousandths + 999) / 1000;
    uint64_t seen = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen >= wanted && seen > 0)
            return value_of(i);
    }
    return 0;
}
