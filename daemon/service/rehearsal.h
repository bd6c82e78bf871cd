/*
 * What a rehearsal gathers: accounts with what they earned and would have, and the rules that took part. Only the files of
 * programme_rehearse include this.
 */
#pragma once

#include "points/rehearse.h"
#include "service/internal.h"

/* Of one rehearsal, which then takes up to about 200 MiB; there is one at a time. */
#define REHEARSED_ACCOUNTS_MAX (1u << 20)
#define REHEARSED_TALLIES_MAX (1u << 21)
#define REHEARSED_RULES_MAX 200 /* the limit of the list `rules` */
#define REHEARSED_MOST_MAX 20   /* of the lists `gain` and `lose` */

struct rehearsed_account {
    account_number number; /* 0: a free slot */
    millipoints old_points, new_points;
    uint32_t tally; /* the first of its tallies, from 1; 0: none */
};

/* A limit or cap of the draft, as the account would have used it. */
struct rehearsed_tally {
    struct tally tally;
    uint32_t next; /* of the same account, from 1; 0: none */
};

struct rehearsed_sums {
    uint64_t receipts;
    millipoints old_points, new_points;
    uint32_t slot_count; /* a power of two */
    uint32_t account_count;
    struct rehearsed_account *slots;
    uint32_t tally_count, tally_capacity;
    struct rehearsed_tally *tallies;
    uint32_t rule_count;
    struct msg_rehearsed_rule rules[REHEARSED_RULES_MAX]; /* points in thousandths */
};

/* The account, made if it is not there. NULL: too many, or no memory. Valid until the next call. */
struct rehearsed_account *rehearsed_account(struct rehearsed_sums *sums, account_number number);
/* Puts its tallies into an account to rate by. */
void rehearsed_tallies(const struct rehearsed_sums *sums, const struct rehearsed_account *from,
                       struct account *out);
/* Adds what a receipt used of limits and caps. False: too many, or no memory. */
PUNKT_MUST_CHECK bool rehearsed_count(struct rehearsed_sums *sums, struct rehearsed_account *account,
                                      const struct account_change *changes, uint32_t count);
/* Adds the parts of a receipt, rated by the programme. False: there are too many rules. */
PUNKT_MUST_CHECK bool rehearsed_parts(struct rehearsed_sums *sums, const struct programme *programme,
                                      const struct award_part *parts, uint32_t count, bool old);
/* Who gains most (sign 1) or loses most (-1); returns how many. Points in thousandths. */
uint32_t rehearsed_most(const struct rehearsed_sums *sums, int64_t sign,
                        struct msg_rehearsed_account out[REHEARSED_MOST_MAX]);
void rehearsed_done(struct rehearsed_sums *sums);
