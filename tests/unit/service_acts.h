/*
 * What tests of the service do to their world: short words for requests that must be done, each answering where its event
 * stands, or the account that was made.
 */
#pragma once

#include "service_world.h"

/* A programme with a tier, an offer by coupon, a cap, an expiry and a reward. */
extern const char acts_programme[];

uint64_t issue(struct service_world *world, const char *card);
uint64_t buy(struct service_world *world, const char *card, uint64_t amount, const char *store,
             const char *receipt, bool advice);
uint64_t give_back(struct service_world *world, const char *card, uint64_t sale, uint64_t amount);
uint64_t redeem(struct service_world *world, const char *card);
uint64_t adjust(struct service_world *world, const char *card, int64_t points);
void assert_code(const struct wire_code *got, const char *want);
void tag(struct service_world *world, const char *card, const char *name);
void block(struct service_world *world, const char *card);
uint64_t merge(struct service_world *world, const char *from, const char *to);
uint64_t hold_points(struct service_world *world, const char *card, int64_t points);
