/*
 * A small ledger in memory for tests of points: it looks up, books and folds whatever points decide. Each booking is
 * applied, and held against what the decision said would come of it.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "points/decide.h"

#define WORLD_ACCOUNTS_MAX 64
#define WORLD_EVENTS_MAX 8192
#define WORLD_LINES_MAX 16
#define WORLD_PROGRAMMES_MAX 4
#define WORLD_HOLDS_MAX 1024
#define WORLD_REWARDS_MAX 64

/* An event that was booked. Its arrays are copies, its texts those of the request. */
struct world_event {
    journal_position position;
    struct event event;
    journal_position reversed_by;
    bool became;               /* something became of this purchase: */
    struct returned *returned; /* NULL: it is no purchase */
};

struct world {
    struct points_view view;
    struct programme programme; /* version 1 */
    utc_us now;
    uint32_t flags;
    journal_position position; /* of the last event */
    uint32_t account_count;
    struct account accounts[WORLD_ACCOUNTS_MAX]; /* by number, less 1 */
    uint32_t card_count;
    struct card cards[WORLD_ACCOUNTS_MAX]; /* by id, less 1 */
    char numbers[WORLD_ACCOUNTS_MAX][33];
    uint32_t event_count;
    struct world_event *events[WORLD_EVENTS_MAX]; /* by position / 100, less 1 */
    uint32_t sale_count;
    struct world_event *sales[WORLD_EVENTS_MAX]; /* those that are purchases */
    uint32_t later_count;
    struct programme later[WORLD_PROGRAMMES_MAX]; /* versions 2, 3, ... */
    uint32_t hold_count;
    journal_position hold_ids[WORLD_HOLDS_MAX];
    struct hold_state holds[WORLD_HOLDS_MAX];
    uint32_t reward_count;
    uint64_t reward_ids[WORLD_REWARDS_MAX];
    int64_t rewards_used[WORLD_REWARDS_MAX];
    uint32_t block_count;
    void *blocks[WORLD_EVENTS_MAX * 8]; /* what events borrow */
    struct decision decision;           /* the last one */
    struct decision scratch;
};

/* 2026-03-10 12:00 UTC, a Tuesday. */
#define WORLD_START (INT64_C(1773144000) * US_PER_SECOND)

/* With the default programme and cards "1", "2", ... to accounts of their own. */
struct world *world_new(uint32_t card_count);
void world_free(struct world *world);

/* The number of a card by its index: "1" of card 0, and so on. */
struct text world_card(uint32_t index);

/* The next version of the programme, in force from now on: a copy of the last one, to be changed. */
struct programme *world_publish(struct world *world);

/* The day that it is, and the noon of another: time goes there. */
local_day world_today(const struct world *world);
void world_go_to(struct world *world, int32_t year, uint32_t month, uint32_t day);

/*
 * Books what world->decision holds. NULL: it is a refusal. Checks effect_apply against the decision, and that every
 * account's balance answer adds up.
 */
struct world_event *world_book(struct world *world);

/* Books an event that another world booked, as a journal that is read again does: its effects, and no rules. */
void world_replay(struct world *world, const struct event *event);

/* If the decision is REFUSAL_DAY_FIRST, books decide_day of that account: what was asked is to be asked again. */
bool world_day_first(struct world *world);

/* Decides, as often as something is due before it: world_ask(world, decide_redeem, &request). Then world_book. */
#define world_ask(world, decide, request)                                                                    \
    do {                                                                                                     \
        struct judgement judged = { .now = (world)->now, .flags = (world)->flags };                          \
        (decide)(&(world)->view, &judged, (request), &(world)->decision);                                    \
    } while (world_day_first(world))

/* Books all midnights that are due, of every account. */
void world_run_days(struct world *world);

/* Fails if two accounts differ; in what is only known once an event is booked, its position, they may (points_same.c). */
void assert_same_account(const struct account *got, const struct account *want);

/* --- requests (points_sales.c) --- */

/* The last purchase booked; as for the next ones, the refusal is in world->decision. */
struct world_event *world_purchase(struct world *world, uint32_t card, minor_units amount,
                                   uint32_t line_count, const struct sale_line *lines);

/* A linked return by amount if line_count is 0. */
enum refusal world_return(struct world *world, uint32_t card, struct world_event *sale, minor_units amount,
                          uint32_t line_count, const struct return_request_line *lines);
enum refusal world_unlinked(struct world *world, uint32_t card, minor_units amount);
enum refusal world_redeem(struct world *world, uint32_t card, millipoints points);
enum refusal world_adjust(struct world *world, uint32_t card, millipoints points, bool allow_debt);

/* What a balance answer says of a card now: what is due by itself is seen as done. */
struct balance world_balance(struct world *world, uint32_t card);
