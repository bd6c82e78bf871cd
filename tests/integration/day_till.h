/*
 * A till that keeps its own figures of a business date by nothing but the text of PROTOCOL.md (End of day), and what it
 * sent, for sending it again. One lane; everything is of store 1, till 1.
 */
#pragma once

#include "talk.h"
#include "world.h"

#define CARD "2900000000018"
#define EPOCH UINT64_C(0x0123456789abcdef)
#define DATE 20400 /* 2025-11-08 */
#define FLAG_SERVER_LOST 0x08
#define FLAG_LATE 0x100
#define NUMBERS_MAX 200

enum { IN_BALANCE = 0, NOT_IN_BALANCE = 1, OPEN = 2 };

/* What was sent under a number, for sending it again. */
struct sent {
    enum operation operation;
    uint16_t flags;
    union {
        struct msg_card_issue_request issue;
        struct msg_purchase_request purchase;
        struct msg_return_request goods;
        struct msg_unlinked_return_request unlinked;
        struct msg_redeem_request redeem;
        struct msg_hold_request hold;
        struct msg_capture_request capture;
        struct msg_release_request release;
        struct msg_reversal_request reversal;
        struct msg_day_close_request close;
    } body;
};

/* A till with its figures of DATE. */
struct till {
    const struct world *world;
    struct talk *talk;
    uint64_t number; /* the last */
    struct msg_day_close_request day;
    int64_t returned; /* as day.return_amount, but by what answers said */
    struct msg_number_block blocks[NUMBERS_MAX / 64 + 1];
    struct sent sent[NUMBERS_MAX];
};

/* Where it connects (talk_open): as the world's tills do (network.h). Valid until the next call. */
const char *till_address(const struct world *world);

/* Says hello, and issues CARD as number 1. */
struct till *till_open(struct world *world);
void till_free(struct till *till);

/* As the next number; of_day: it counts for DATE, unless it is refused or tied. The answer is borrowed as talk.h says. */
struct talk_answer sends(struct till *till, const struct sent *sent, bool of_day);
/* The same of what must be done; where its event stands. */
uint64_t position_of(struct till *till, const struct sent *sent);

struct sent purchase(uint64_t amount, const char *receipt, uint64_t date);
struct sent goods(uint64_t sale, uint64_t amount); /* that come back */
struct sent redeem(uint64_t points);
struct sent reversal(uint64_t number);
/* Everything that counts, and what does not: a refusal and a tie. */
void does_business(struct till *till);

/* Closes DATE (or whichever figures say) with these figures; the daemon's must be the till's, whatever it said. */
void expect_close(struct till *till, const struct msg_day_close_request *figures, uint64_t number,
                  uint64_t state, uint64_t late);
/* What day_totals says of DATE. */
void expect_totals(struct till *till, uint64_t number_of_closes, uint64_t state, uint64_t late);
/* Flags of an event of DATE. */
uint64_t flags_of(struct till *till, uint64_t position);

/* A page of day_numbers, borrowed from the talk. */
struct msg_day_numbers_answer numbers(struct talk *talk, uint64_t epoch, uint64_t first);
/* All of them, as the till has them. */
void expect_blocks(struct till *till);
