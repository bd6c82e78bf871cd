/*
 * The register `punkt till`: what its files share. A till has a handle with an outbox, one receipt that is being made,
 * and the numbers of its receipts. A word of it (till_words.c) is a function of (till, words) that returns the exit
 * code: CLI_OK, or that of what it has complained about with till_fail.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/cli.h"

#define TILL_WORDS_MAX 16
#define TILL_LINE_MAX 512 /* bytes of a line that is typed */
#define TILL_LINES_MAX 200
#define TILL_COUPONS_MAX 32 /* the protocol's limits */
#define TILL_TENDERS_MAX 32
#define TILL_WISHES_MAX 8
#define TILL_CODE_SIZE (PUNKT_CARD_MAX + 1)
#define TILL_NUMBER_SIZE 24

struct till_line {
    char code[TILL_CODE_SIZE];
    char category[TILL_CODE_SIZE];
    int64_t amount;    /* of all of it, minor units */
    uint64_t quantity; /* thousandths */
    enum punkt_line_kind kind;
};

/* Points to be spent on the receipt: by points, for a reward, or of a hold. */
struct till_wish {
    int64_t points;
    char reward[TILL_CODE_SIZE];
    uint64_t hold;
};

struct till_tender {
    char kind[TILL_CODE_SIZE];
    int64_t amount; /* what it pays, change taken off */
};

/* The receipt that is being made. */
struct till_sale {
    char card[TILL_CODE_SIZE]; /* "": none */
    struct till_line lines[TILL_LINES_MAX];
    size_t line_count;
    int64_t total;
    char coupons[TILL_COUPONS_MAX][TILL_CODE_SIZE];
    size_t coupon_count;
    struct till_wish wishes[TILL_WISHES_MAX];
    size_t wish_count;
    struct till_tender tenders[TILL_TENDERS_MAX];
    size_t tender_count;
    int64_t tendered;              /* their sum */
    int64_t change;                /* given back in cash */
    char number[TILL_NUMBER_SIZE]; /* of the receipt; "": it has none yet */
};

struct till_edit;

struct till {
    struct cli *cli;
    const char *store, *name, *operator_, *language;
    unsigned width; /* of what is printed, columns */
    char outbox[PATH_MAX];
    uint64_t last_number; /* of a receipt, or a return's document */
    bool offline;         /* the plug is pulled */
    bool colour;
    bool ended;
    const char *script; /* what the lines come from, for complaints; NULL: somebody types them */
    unsigned line;
    struct till_edit *edit; /* NULL: nobody types */
    struct till_sale sale;
    /* What `void` undoes: the last receipt of this run; number 0: none, or it is undone. */
    uint64_t last_epoch, last_change;
    char last_receipt[TILL_NUMBER_SIZE];
};

struct words {
    char text[TILL_LINE_MAX];
    char *word[TILL_WORDS_MAX];
    size_t count;
};

typedef int till_word_fn(struct till *till, const struct words *words);

/* --- till.c --- */

/* --width: columns of the till's printer. CLI_OK, or the exit code of the error it printed. */
int till_width(struct cli *cli, const struct args *args, unsigned *out);

/* --- till_close.c --- */

command_fn till_close_run;

/* Closes the business date (0: today) and prints the report. CLI_OK in balance, CLI_FAILED different, CLI_UNREACHABLE,
 * CLI_QUEUED open. */
int till_close_day(struct cli *cli, int32_t business_date, const char *operator_, unsigned width);

/* --- till_words.c --- */

/* Does what a line says; an empty one and a comment say nothing. */
int till_do(struct till *till, const char *line);

/* Reads lines from a file and does them, each printed first, until one fails. The exit code. */
int till_script(struct till *till, int fd, const char *name);

/* The words that begin so, in turn from *index on; NULL: no more. Of the second word behind `first`, if that is not NULL. */
const char *till_complete(const char *first, const char *begin, size_t *index);

/* Prints to the till's user; complains, and returns exit_code. */
void till_say(struct till *till, const char *format, ...) __attribute__((format(printf, 2, 3)));
int till_fail(struct till *till, int exit_code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* CLI_OK if the call is DONE, or QUEUED where that is as good; otherwise complains and returns the exit code. */
int till_check(struct till *till, const struct punkt_answer *answer, bool queued_will_do);

/* Amounts and points as people write them, with the decimals that the server has told, now or earlier. */
const char *till_amount(const struct till *till, int64_t amount, char out[POINTS_TEXT_SIZE]);
const char *till_points(const struct till *till, int64_t points, char out[POINTS_TEXT_SIZE]);

/* --- till_link.c --- */

/* Opens the outbox, and says what the server is; to nowhere while the plug is pulled. CLI_OK, or the exit code. */
int till_open(struct till *till);

/* What the server has told; kept while it is away. */
void till_learn(struct till *till);

till_word_fn till_offline, till_drain, till_status, till_queue, till_dead, till_discard;

/* --- till_numbers.c --- */

/* Finds the last number that was used, in the file beside the outbox and in the outbox. CLI_OK, or the exit code. */
int till_numbers_open(struct till *till);

/* The next number, as text. It is durable that it was given before this returns, so that no restart repeats it. */
int till_number(struct till *till, char out[TILL_NUMBER_SIZE]);

/* --- till_sale.c, till_pay.c, till_points.c, till_return.c --- */

till_word_fn till_card, till_add, till_remove, till_coupon, till_show, till_quote, till_clear;
till_word_fn till_pay, till_void, till_redeem, till_hold, till_capture, till_release, till_balance;
till_word_fn till_take_back;

void till_sale_reset(struct till *till);

/* CLI_OK while nothing is tendered: what makes the receipt cheaper comes before, or somebody would have paid too much. */
int till_unpaid(struct till *till);

/* What is still to be paid: the total less what points pay and what was tendered. Asks the server what points pay, if
 * some are to be spent and it is there. */
int64_t till_due(struct till *till, int64_t *out_points_pay);

/* The lists of the receipt for a request. Memory of the caller's; elements point into the sale. */
struct till_lists {
    struct punkt_line lines[TILL_LINES_MAX];
    struct punkt_tender tenders[TILL_TENDERS_MAX];
    const char *coupons[TILL_COUPONS_MAX];
    struct punkt_wish wishes[TILL_WISHES_MAX];
    size_t wish_count; /* captures left out, for a quote */
};
void till_lists_fill(const struct till_sale *sale, bool captures, struct till_lists *out);

/* --- till_print.c --- */

/* What a receipt says about points. */
struct till_outcome {
    const struct punkt_purchase_answer *answer; /* NULL: there was no card */
    const char *not_stored;                     /* why there are no points, or NULL */
};
void till_print_receipt(struct till *till, const struct till_outcome *outcome);

/* A line with its amount at the right edge; a rule; a text in the middle. */
void till_print_pair(struct till *till, const char *left, const char *right);
void till_print_rule(struct till *till);
void till_print_middle(struct till *till, const char *text);
/* Lines as the server has made them. */
void till_print_lines(struct till *till, const char *const *lines, size_t count);
/* "4 x", "0.350 x", or "" for one unit. */
const char *till_quantity(uint64_t thousandths, char out[POINTS_TEXT_SIZE]);

/* --- till_edit.c --- */

/* Lets somebody type, until the end. The exit code. */
int till_type(struct till *till);

/* Prints above the line that is being typed. */
void till_edit_say(struct till *till, const char *text);

/* --- outbox.c --- */

/* Operations of the outbox in these states (bits 1 << enum punkt_outbox_state), oldest first: an array of objects of texts
 * for tables, or as programs take them. The caller's; NULL without memory. */
json_t *outbox_entries(struct cli *cli, unsigned states, bool for_programs);
int outbox_entries_print(struct cli *cli, unsigned states);

/* Drives the handle until nothing waits, most_ms at most; on a terminal it shows how many do. How many are left. */
uint64_t outbox_drain(struct cli *cli, uint32_t most_ms);
