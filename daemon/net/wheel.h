/*
 * Coarse timers: a wheel of buckets, one a tick. Setting and cancelling cost nothing worth naming, and
 * a timer is late by up to one tick, never early. What lies beyond one turn of the wheel is looked at
 * once a turn and put back.
 */
#pragma once

#include "net/list.h"

#define WHEEL_TICK_US INT64_C(250000)
#define WHEEL_BUCKETS 64 /* 16 s a turn, more than all time-outs but the idle one */

struct wheel {
    struct link buckets[WHEEL_BUCKETS];
    int64_t tick; /* all buckets up to this tick have been collected */
};

struct wheel_timer {
    struct link link;
    int64_t at_us;
};

void wheel_init(struct wheel *wheel, int64_t now_us);

/* Sets a timer, whether or not it was set before. */
void wheel_set(struct wheel *wheel, struct wheel_timer *timer, int64_t at_us);

/* Moves the timers whose time has come to the end of `due`. */
void wheel_collect(struct wheel *wheel, int64_t now_us, struct link *due);
