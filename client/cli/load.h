/*
 * The load behind `punkt bench`: many connections in one thread, each a handle with a lane of its own,
 * each with a fixed number of requests in flight. A request is sent when one is answered (closed loop).
 */
#pragma once

#include <stdint.h>

#include <punkt.h>

#include "cli/histogram.h"

enum load_mix { LOAD_PURCHASE, LOAD_BALANCE, LOAD_PING };

#define LOAD_PREFIX_MAX 16
#define LOAD_CARD_DIGITS 12 /* behind the prefix */

struct load_options {
    const char *server;
    const char *identity; /* NULL: none */
    uint32_t timeout_ms;  /* of a request */
    unsigned connections; /* from 1 */
    unsigned pipeline;    /* 1 to PUNKT_WINDOW_MAX */
    uint32_t seconds;
    uint64_t cards;     /* numbers PREFIX000000000000 and on */
    const char *prefix; /* digits, at most LOAD_PREFIX_MAX */
    enum load_mix mix;
};

enum load_end {
    LOAD_DONE,
    LOAD_UNREACHABLE, /* not all connections got an answer within ten seconds */
    LOAD_FAILED,      /* memory, descriptors; result->failure says */
};

struct load_result {
    uint64_t operations; /* answered DONE in the time measured */
    uint64_t errors;     /* ended otherwise */
    uint64_t elapsed_us;
    unsigned connected; /* connections that got an answer */
    uint32_t code;      /* enum punkt_result of the last refusal, 0 for none */
    int failure;        /* errno of LOAD_FAILED */
    struct histogram latency_us;
};

/* Runs for half a second, then measures for options->seconds. Always ends: 20 seconds later at most. */
enum load_end load_run(const struct load_options *options, struct load_result *out_result);

/* The number of a card of the load, with NUL. */
void load_card(const char *prefix, uint64_t index, char out[LOAD_PREFIX_MAX + LOAD_CARD_DIGITS + 1]);
