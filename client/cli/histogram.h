/*
 * Durations in a fixed table: linear below 256, then 128 steps a power of two, so that every value is
 * known to better than one percent. Recording is an addition; no allocation.
 */
#pragma once

#include <stdint.h>

#define HISTOGRAM_LINEAR 256
#define HISTOGRAM_STEPS 128   /* of each power of two above */
#define HISTOGRAM_BITS_MAX 36 /* longer values count as the longest */
#define HISTOGRAM_BUCKETS (HISTOGRAM_LINEAR + (HISTOGRAM_BITS_MAX - 8) * HISTOGRAM_STEPS)

struct histogram {
    uint64_t count;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_record(struct histogram *histogram, uint64_t value);

/* The value that `thousandths` of all recorded ones do not exceed, 0 if there are none. */
uint64_t histogram_percentile(const struct histogram *histogram, unsigned thousandths);
