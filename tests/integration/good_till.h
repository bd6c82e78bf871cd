/*
 * A till that sells all the time while a test does something else: a thread with libpunkt, over TLS, as the identity of a
 * file. It paces itself below what a till may send; how long each of its sales takes is kept.
 */
#pragma once

#include <stdint.h>

#include "world.h"

#define GOOD_TILL_AMOUNT 100 /* of each sale, minor units */

struct good_till;

/* Sells to so many cards in turn, whose numbers count on from the first. */
struct good_till *good_till_start(const char *identity, uint64_t first_card, uint64_t card_count);

/* Waits until it has sold so often in all; fails the test if a sale failed. */
void good_till_wait(struct good_till *till, uint64_t sales);

/* How often it has sold until now; fails the test if a sale failed. */
uint64_t good_till_sales(struct good_till *till);

/* The lane of its sales, whose numbers count from 1. */
uint64_t good_till_epoch(const struct good_till *till);

struct good_till_times {
    int64_t sale_us; /* until it was answered */
    int64_t
        machine_us; /* just before it, without punktd: how late the till woke up, and a sync of one byte */
};

/* What 99 of 100 took no longer than, each of the two, of the sales from one until before another. */
struct good_till_times good_till_p99(struct good_till *till, uint64_t from, uint64_t until);

/* Stops it, when its last sale is answered; returns how often it has sold. NULL is fine. */
uint64_t good_till_stop(struct good_till *till);
