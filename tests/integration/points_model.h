/*
 * What a ledger must answer, worked out apart from the daemon: a list of everything that was booked, from which
 * every figure is added up anew when it is asked for. It shares no code with daemon/, and knows one programme
 * only, the default: 1 point per whole 1.00, nothing matures later or expires, 1 point is worth 0.01.
 *
 * So a balance is one number: what is above zero is available, what is below is debt.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <punkt.h>

#define CHANGE_LINES_MAX 6
#define CHANGE_RETURN_LINES_MAX 3

enum change_kind {
    CHANGE_ISSUE,
    CHANGE_PURCHASE,
    CHANGE_RETURN,
    CHANGE_UNLINKED_RETURN,
    CHANGE_REDEEM,
    CHANGE_ADJUST,
};

struct change_line {
    int64_t amount;    /* minor units, here and below */
    uint64_t quantity; /* thousandths; 0: one unit */
    int64_t tax;
    uint32_t kind; /* enum punkt_line_kind */
    char code[8];
};

struct change_return_line {
    uint32_t number;   /* from 1; 0: by code */
    uint64_t quantity; /* thousandths; 0: all that is left */
    char code[8];
};

/* A request that changes something, of any kind; what a kind does not use is zero. Holds no pointers. */
struct change {
    enum change_kind kind;
    bool historic;
    bool allow_debt;
    char card[PUNKT_CARD_MAX + 1];
    uint32_t card_count; /* of a range to issue */
    int64_t amount;
    int64_t points;
    int64_t time_us;
    char store[8];
    char till[8];
    char number[12]; /* of the receipt, or of the return's document */
    int32_t date;
    char operator_[8];
    char reason[12];
    char coupon[8];
    char sale_store[8];
    char sale_till[8];
    char sale_receipt[12];
    int32_t sale_date;
    uint64_t sale_position;
    uint32_t line_count;
    struct change_line lines[CHANGE_LINES_MAX];
    uint32_t return_line_count;
    struct change_return_line return_lines[CHANGE_RETURN_LINES_MAX];
};

/* What an answer says, of any operation; what it does not say is zero. */
struct outcome {
    uint32_t code; /* enum punkt_result; PUNKT_RESULT_DONE */
    bool replayed;
    bool server_time_used;
    uint64_t position;
    uint64_t account; /* of the first card issued */
    int64_t points;   /* earned, taken, redeemed or adjusted; cards that were issued */
    int64_t available;
    int64_t debt;
    int64_t worth;
    int64_t needed;
};

/* Something that was booked. */
struct booking {
    struct change change;
    struct outcome outcome;               /* position and account are 0 until model_learn */
    int64_t points;                       /* the change of the balance */
    int64_t balance;                      /* after it */
    size_t account;                       /* index; of the first card, for cards issued */
    size_t previous;                      /* the account's booking before this one; MODEL_NONE */
    size_t sale;                          /* that a return is about; MODEL_NONE */
    int64_t came_back;                    /* amount of a return */
    bool by_amount;                       /* it counts by its amount */
    int64_t units_back[CHANGE_LINES_MAX]; /* thousandths of each line of the sale */
};

#define MODEL_NONE SIZE_MAX

struct model;

/* now_us is the time, within some days. NULL without memory. */
struct model *model_new(int64_t now_us);
void model_free(struct model *model);

/*
 * Books a change, or refuses it, and says what the answer must be. Returns the index of the booking that the
 * answer reports, an earlier one if a receipt comes again; MODEL_NONE if it was refused.
 */
size_t model_take(struct model *model, const struct change *change, struct outcome *out_expected);

/* Counts an answer that refused something, without asking whether that was right. */
void model_count_refusal(struct model *model);

/* What the answer brought that only the ledger knows. */
void model_learn(struct model *model, size_t booking, uint64_t position, uint64_t account);

size_t model_booking_count(const struct model *model);
/* Borrowed until the next change is taken. */
const struct booking *model_booking(const struct model *model, size_t index);

struct model_card {
    size_t account; /* index; MODEL_NONE: there is no such card */
    int64_t available;
    int64_t debt;
    int64_t lifetime;
    size_t newest; /* booking */
};

struct model_card model_card(const struct model *model, const char *card);

/* The card of an account, borrowed; NULL behind the last. */
const char *model_card_number(const struct model *model, size_t account);

/* Fills all fields behind the head; events are those of changes. */
void model_totals(const struct model *model, struct punkt_totals_answer *out);
