/*
 * Redeeming while the server is away (DOMAIN.md, Redeeming, Offline; RELIABILITY.md): what a till may grant by a balance that
 * it has seen. Pure: no clock, no file, no memory of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OFFLINE_LINES_MAX 16
#define OFFLINE_LINE_SIZE 256 /* with NUL */

/* A balance of a card, as a server's answer had it. */
struct seen_balance {
    char card[33];     /* "": none */
    int64_t available; /* points */
    int64_t at_us;     /* wall clock */
};

/* The cards that were seen last. All zero is empty. */
#define BALANCE_SETS 128
#define BALANCE_WAYS 4
struct balances {
    struct seen_balance seen[BALANCE_SETS][BALANCE_WAYS];
};

/* A newer balance replaces an older one; where there is no room the oldest gives way. */
void balances_see(struct balances *balances, const char *card, int64_t available, int64_t at_us);

/* NULL: not seen, or too long ago. */
const struct seen_balance *balances_find(const struct balances *balances, const char *card);

/* What the programme allows, as HELLO told it. */
struct offline_rules {
    int64_t card_max; /* points of a card on one business date; 0: off */
    int64_t till_max; /* points of this till in one offline period; 0: off */
    int64_t minimum;  /* points at once */
    int64_t step;     /* in multiples of so many; 0: any */
    int64_t points;   /* so many points, */
    int64_t worth;    /* are worth so many minor units; 0: not told */
};

/* What was granted before. */
struct offline_use {
    int64_t card_today;  /* points of the card on this business date, */
    int64_t card_open;   /* and those of them that no server has answered yet */
    int64_t till_period; /* of all cards, that no server has answered yet */
};

enum offline_verdict {
    OFFLINE_GRANTED = 0,
    OFFLINE_OFF,        /* the programme does not allow it, or no server was ever asked */
    OFFLINE_UNSEEN,     /* this till has not seen a balance of the card, */
    OFFLINE_OLD,        /* or only an old one, or the clock went back by more than a minute */
    OFFLINE_FORM,       /* fewer than the minimum, or no multiple of the step */
    OFFLINE_NOT_ENOUGH, /* the share of the balance that may be trusted is smaller */
    OFFLINE_CARD_LIMIT,
    OFFLINE_TILL_LIMIT,
    OFFLINE_REWARD, /* rewards, and holds that this till has not made, need the server */
};

/* *out_left: points that could be granted now, 0 or more. */
enum offline_verdict offline_decide(const struct offline_rules *rules, const struct seen_balance *seen,
                                    const struct offline_use *use, int64_t now_us, int64_t points,
                                    int64_t *out_left);

/* Of so many points, those whose whole value fits the bill, in whole steps (DOMAIN.md, Redeeming). bill 0: not said, no
 * bound. */
int64_t offline_fit(const struct offline_rules *rules, int64_t points, int64_t bill);

/* What points are worth, minor units, rounded down. */
int64_t offline_worth(const struct offline_rules *rules, int64_t points);

/* A sentence for people. */
const char *offline_verdict_text(enum offline_verdict verdict);
