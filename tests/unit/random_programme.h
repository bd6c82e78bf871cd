/*
 * Programmes at random, with something of everything that a programme may say: what a file could say too, so that no
 * decision may fail on it. And the words that their filters name.
 */
#pragma once

#include "points/programme.h"
#include "random.h"

/* Names of rewards, offers, tiers and purses are the same in all of them, so that one may be the next version of another. */
enum { RANDOM_REWARDS = 5, RANDOM_OFFERS = 6, RANDOM_WORDS = 4 };
extern const char *const random_reward_names[RANDOM_REWARDS];
extern const char *const random_offer_names[RANDOM_OFFERS];

/* Codes and categories of goods; of each, the last is one that no filter names. */
extern const char *const random_codes[RANDOM_WORDS];
extern const char *const random_categories[RANDOM_WORDS];
extern const char *const random_stores[2];
extern const char *const random_tenders[2];
extern const char *const random_tags[2];
extern const char *const random_coupons[2];

/* Version 0; reasons and roles are those of programme_default. */
void random_programme(struct random *random, struct programme *out);

/* The next version of a programme in force: what its ledger has fixed stays. Version and moment too. */
void random_next_version(struct random *random, struct programme *inout_programme);
