/*
 * Histories at random: whatever tills, customers, the office and time may do to some accounts, under a programme at random.
 * What is asked of tills is decided twice, as a quote or preview first, and both must agree. Each event must move what it
 * says, and what is undone at once must leave the balances as they were.
 */
#pragma once

#include "goods_world.h"
#include "points_acts.h"
#include "random.h"
#include "random_programme.h"

#define HISTORY_CARDS 5    /* issued from the start: "1" and so on; others up to "9" may come to be */
#define HISTORY_NUMBERS 32 /* of three digits, that cards may be issued under later */

struct history {
    struct random random;
    struct world *world;
    bool daily;     /* every account's midnights are booked each night; else when the account is touched */
    bool versions;  /* new versions of the programme are published */
    uint32_t seen;  /* events that were looked at */
    uint32_t count; /* of them, not EVENT_DAY: */
    struct world_event *acts[WORLD_EVENTS_MAX];
    millipoints total; /* in all accounts */
    uint32_t refused, undone;
    uint32_t number_count;
    char numbers[HISTORY_NUMBERS][4];
};

/* The same random, the same history: whether daily or not. */
struct history *history_new(struct random random, bool daily, bool versions);
void history_free(struct history *history);

/* Something happens, or time passes. */
void history_step(struct history *history);

/* --- for its steps --- */

uint32_t history_draw(struct history *history, uint32_t bound);

/* A card that is there, or one of those that may be. */
struct text history_card(struct history *history);

/* The card of a purchase, or one of the account to which its award was moved: returns follow. */
struct text history_owner(struct world *world, const struct world_event *sale);

/* Books what world->decision holds, and looks at it; NULL: it was refused. */
struct world_event *history_book(struct history *history);

/* Looks at all events that were booked since. */
void history_look(struct history *history);

/* Fails unless world->scratch holds what world->decision does. */
void history_assert_alike(const struct history *history);

#define history_ask(history, decide, request)                                                                \
    do {                                                                                                     \
        world_ask((history)->world, decide, request);                                                        \
        struct judgement once_more = { .now = (history)->world->now, .flags = (history)->world->flags };     \
        (decide)(&(history)->world->view, &once_more, (request), &(history)->world->scratch);                \
        history_assert_alike(history);                                                                       \
    } while (0)

/* What tills do (history_goods.c): buy, return, redeem, hold, capture, release, undo. */
void history_buy(struct history *history);
void history_return(struct history *history);
void history_unlinked(struct history *history);
void history_redeem(struct history *history);
void history_hold(struct history *history);
void history_end_hold(struct history *history);
void history_time_out(struct history *history);
void history_undo(struct history *history);
