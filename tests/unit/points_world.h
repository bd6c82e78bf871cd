/*
 * A small ledger in memory for tests of points: accounts, cards, purchases and what came back of them.
 * Each booking is decided, applied, and held against what the decision said would come of it.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "points/decide.h"

#define WORLD_ACCOUNTS_MAX 8
#define WORLD_SALES_MAX 2048
#define WORLD_LINES_MAX 16

struct world_sale {
    journal_position position;
    struct event event;
    struct effect effect;
    struct sale_line lines[WORLD_LINES_MAX];
    struct returned returned; /* whole: large, so sales live on the heap */
};

struct world {
    struct points_view view;
    struct programme programme;
    utc_us now;
    uint32_t flags;
    journal_position position; /* of the last event */
    uint32_t card_count;
    struct card cards[WORLD_ACCOUNTS_MAX];
    struct account accounts[WORLD_ACCOUNTS_MAX];
    uint32_t sale_count;
    struct world_sale *sales[WORLD_SALES_MAX];
    struct decision decision; /* the last one */
};

/* 2026-03-10 12:00 UTC. */
#define WORLD_START (INT64_C(1773144000) * US_PER_SECOND)

/* With the default programme and cards "1", "2", ... to accounts of their own. */
struct world *world_new(uint32_t card_count);
void world_free(struct world *world);

/* The text "1" of card 0, and so on. */
struct text world_card(uint32_t index);

/* Books what world->decision holds, if it is no refusal; checks effect_apply against the decision. */
void world_book(struct world *world);

/* The last purchase booked; as for the next ones, the refusal is in world->decision. */
struct world_sale *world_purchase(struct world *world, uint32_t card, minor_units amount, uint32_t line_count,
                                  const struct sale_line *lines);

/* A linked return by amount if line_count is 0. */
enum refusal world_return(struct world *world, uint32_t card, struct world_sale *sale, minor_units amount,
                          uint32_t line_count, const struct return_request_line *lines);
enum refusal world_unlinked(struct world *world, uint32_t card, minor_units amount);
enum refusal world_redeem(struct world *world, uint32_t card, millipoints points);
enum refusal world_adjust(struct world *world, uint32_t card, millipoints points, bool allow_debt);

/* What a balance answer says of a card now. */
struct balance world_balance(struct world *world, uint32_t card);
