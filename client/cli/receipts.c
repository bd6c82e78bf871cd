#include "cli/receipts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csv.h>

#include "cli/parse.h"
#include "cli/seen.h"
#include "proto/card.h"
#include "proto/message.h"
#include "proto/wire.h"

#define CELL_MAX 64                   /* longest value of a column that means something */
#define CELL_BUFFER_MAX (1024 * 1024) /* a quote that is never closed must not read the file into memory */
#define COLUMNS_MAX 1024
#define BUCKETS 2048 /* at most RECEIPTS_WINDOW + 1 receipts are open */

_Static_assert(RECEIPTS_CODE_MAX == WIRE_CODE_MAX && CELL_MAX > RECEIPTS_CODE_MAX, "a code fits in a cell");

const char *const receipts_role_names[RECEIPTS_COUNT] = {
    [RECEIPTS_RECEIPT] = "receipt", [RECEIPTS_CODE] = "code",         [RECEIPTS_QUANTITY] = "quantity",
    [RECEIPTS_TIME] = "time",       [RECEIPTS_PRICE] = "price",       [RECEIPTS_CARD] = "card",
    [RECEIPTS_AMOUNT] = "amount",   [RECEIPTS_CATEGORY] = "category", [RECEIPTS_STORE] = "store",
    [RECEIPTS_TILL] = "till",
};

/* A receipt that may still get lines. In a bucket by its hash, and in the order it was last named. */
struct open_receipt {
    struct receipts_receipt receipt;
    struct receipts_line *lines;
    uint32_t capacity;
    uint64_t hash;
    uint64_t named_at; /* line of the file that named it last */
    struct open_receipt *older, *newer;
    struct open_receipt *next_in_bucket;
};

struct receipts {
    const struct receipts_options *options;
    receipts_fn *take;
    void *ctx;
    struct csv_parser parser;
    enum receipts_status status;
    char error[256];

    uint64_t file_line; /* line ends so far, for messages */
    uint64_t row_line;  /* where the row being read began */
    uint64_t rows;      /* rows behind the header */
    uint64_t lines, skipped_lines;

    bool header_read;
    size_t column;                            /* of the next cell of the row */
    size_t column_of[RECEIPTS_COUNT];         /* SIZE_MAX: none */
    char cells[RECEIPTS_COUNT][CELL_MAX + 1]; /* of the row being read */
    bool given[RECEIPTS_COUNT];

    struct open_receipt *buckets[BUCKETS];
    struct open_receipt *oldest, *newest;
    struct seen *completed;
};

/* The one place where a file becomes bad: the first complaint stays. */
__attribute__((format(printf, 2, 3))) static void complain(struct receipts *receipts, const char *format, ...)
{
    if (receipts->status != RECEIPTS_OK)
        return;
    receipts->status = RECEIPTS_BAD;
    int length = snprintf(receipts->error, sizeof(receipts->error), "line %" PRIu64 ": ", receipts->row_line);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(receipts->error + length, sizeof(receipts->error) - (size_t)length, format, args);
    va_end(args);
}

static bool map_one(char *pair, struct receipts_options *options, const char **out_why)
{
    char *column = strchr(pair, '=');
    if (column == NULL || column[1] == '\0') {
        *out_why = "each part of --map is NAME=COLUMN";
        return false;
    }
    *column++ = '\0';
    for (size_t role = 0; role < RECEIPTS_COUNT; role++) {
        if (strcmp(pair, receipts_role_names[role]) != 0)
            continue;
        if (options->columns[role] != NULL) {
            *out_why = "--map names something twice";
            return false;
        }
        options->columns[role] = column;
        return true;
    }
    *out_why = "--map knows receipt, code, quantity, time, price, card, amount, category, store and till";
    return false;
}

bool receipts_map(char *text, struct receipts_options *options, const char **out_why)
{
    char *rest = NULL;
    for (char *pair = strtok_r(text, ",", &rest); pair != NULL; pair = strtok_r(NULL, ",", &rest)) {
        if (!map_one(pair, options, out_why))
            return false;
    }
    char *const *columns = options->columns;
    if (columns[RECEIPTS_RECEIPT] == NULL || columns[RECEIPTS_CODE] == NULL ||
        columns[RECEIPTS_TIME] == NULL || columns[RECEIPTS_CARD] == NULL) {
        *out_why = "--map needs receipt, code, time and card";
        return false;
    }
    if (columns[RECEIPTS_AMOUNT] == NULL &&
        (columns[RECEIPTS_PRICE] == NULL || columns[RECEIPTS_QUANTITY] == NULL)) {
        *out_why = "--map needs quantity and price, or amount";
        return false;
    }
    return true;
}

static void list_remove(struct receipts *receipts, struct open_receipt *open)
{
    *(open->older != NULL ? &open->older->newer : &receipts->oldest) = open->newer;
    *(open->newer != NULL ? &open->newer->older : &receipts->newest) = open->older;
    open->older = open->newer = NULL;
}

static void list_append(struct receipts *receipts, struct open_receipt *open)
{
    open->older = receipts->newest;
    open->newer = NULL;
    *(open->older != NULL ? &open->older->newer : &receipts->oldest) = open;
    receipts->newest = open;
}

static struct open_receipt **bucket_of(struct receipts *receipts, uint64_t hash)
{
    return &receipts->buckets[(hash ^ (hash >> 32)) % BUCKETS];
}

static void bucket_remove(struct receipts *receipts, struct open_receipt *open)
{
    struct open_receipt **at = bucket_of(receipts, open->hash);
    while (*at != open)
        at = &(*at)->next_in_bucket;
    *at = open->next_in_bucket;
}

static void open_receipt_free(struct open_receipt *open)
{
    free(open->lines);
    free(open);
}

/* Hands the oldest on. */
static void complete_oldest(struct receipts *receipts)
{
    struct open_receipt *open = receipts->oldest;
    list_remove(receipts, open);
    bucket_remove(receipts, open);
    seen_add(receipts->completed, open->hash);
    open->receipt.lines = open->lines;
    if (!receipts->take(&open->receipt, receipts->ctx))
        receipts->status = RECEIPTS_STOPPED;
    open_receipt_free(open);
}

static bool same_code(const struct receipts_code *a, const struct receipts_code *b)
{
    return strcmp(a->text, b->text) == 0;
}

/* A receipt number counts within its store and till. */
static uint64_t hash_of(const struct receipts_receipt *receipt)
{
    uint64_t hash = seen_hash_text(SEEN_HASH_BEGIN, receipt->store.text);
    hash = seen_hash_text(hash, receipt->till.text);
    return seen_hash_text(hash, receipt->number.text);
}

static struct open_receipt *find_open(struct receipts *receipts, const struct receipts_receipt *wanted,
                                      uint64_t hash)
{
    struct open_receipt *open = *bucket_of(receipts, hash);
    for (; open != NULL; open = open->next_in_bucket) {
        if (open->hash == hash && same_code(&open->receipt.number, &wanted->number) &&
            same_code(&open->receipt.store, &wanted->store) && same_code(&open->receipt.till, &wanted->till))
            return open;
    }
    return NULL;
}

static struct open_receipt *open_new(struct receipts *receipts, const struct receipts_receipt *first,
                                     uint64_t hash)
{
    if (seen_has(receipts->completed, hash)) {
        complain(receipts, "receipt %s was complete, %d lines ago or more; sort the file by receipt",
                 first->number.text, RECEIPTS_WINDOW);
        return NULL;
    }
    struct open_receipt *open = calloc(1, sizeof(*open));
    if (open == NULL) {
        receipts->status = RECEIPTS_NO_MEMORY;
        return NULL;
    }
    open->receipt = *first;
    open->hash = hash;
    struct open_receipt **bucket = bucket_of(receipts, hash);
    open->next_in_bucket = *bucket;
    *bucket = open;
    list_append(receipts, open);
    return open;
}

static bool reserve_line(struct open_receipt *open)
{
    if (open->receipt.line_count < open->capacity)
        return true;
    uint32_t capacity = open->capacity > 0 ? open->capacity * 2 : 16;
    struct receipts_line *lines = realloc(open->lines, capacity * sizeof(*lines));
    if (lines == NULL)
        return false;
    open->lines = lines;
    open->capacity = capacity;
    return true;
}

static void add_line(struct receipts *receipts, const struct receipts_receipt *named,
                     const struct receipts_line *line)
{
    uint64_t hash = hash_of(named);
    struct open_receipt *open = find_open(receipts, named, hash);
    if (open == NULL)
        open = open_new(receipts, named, hash);
    if (open == NULL)
        return;
    struct receipts_receipt *receipt = &open->receipt;
    if (!same_code(&receipt->card, &named->card)) {
        complain(receipts, "receipt %s has two cards", receipt->number.text);
        return;
    }
    if (receipt->line_count == RECEIPTS_LINES_MAX) {
        complain(receipts, "receipt %s has more than %d lines", receipt->number.text, RECEIPTS_LINES_MAX);
        return;
    }
    int64_t amount = receipt->amount + line->amount; /* both are far below 2^62 */
    if (amount > MESSAGE_AMOUNT_MAX || amount < -MESSAGE_AMOUNT_MAX) {
        complain(receipts, "the amount of receipt %s is over the limit", receipt->number.text);
        return;
    }
    if (!reserve_line(open)) {
        receipts->status = RECEIPTS_NO_MEMORY;
        return;
    }
    receipt->amount = amount;
    open->lines[receipt->line_count++] = *line;
    open->named_at = receipts->rows;
    list_remove(receipts, open);
    list_append(receipts, open);
    receipts->lines++;
}

static bool take_code(struct receipts *receipts, enum receipts_role role, const char *text,
                      struct receipts_code *out)
{
    struct wire_code code;
    size_t size = strlen(text);
    bool valid =
        size > 0 && wire_code_from(text, size, &code) && (role != RECEIPTS_CARD || card_number_valid(&code));
    if (valid)
        memcpy(out->text, text, size + 1);
    else
        complain(receipts, "\"%s\" is no %s", text, receipts_role_names[role]);
    return valid;
}

static bool code_of_cell(struct receipts *receipts, enum receipts_role role, struct receipts_code *out)
{
    return take_code(receipts, role, receipts->cells[role], out);
}

static bool decimal_of_cell(struct receipts *receipts, enum receipts_role role, struct parse_decimal *out)
{
    const char *cell = receipts->cells[role];
    if (parse_decimal(cell, strlen(cell), out))
        return true;
    complain(receipts, "\"%s\" is no %s", cell, receipts_role_names[role]);
    return false;
}

/* Store or till: from the column, or the same for all. */
static bool place_of_row(struct receipts *receipts, enum receipts_role role, const char *otherwise,
                         struct receipts_code *out)
{
    bool column = receipts->options->columns[role] != NULL;
    return take_code(receipts, role, column ? receipts->cells[role] : otherwise, out);
}

static bool receipt_of_row(struct receipts *receipts, struct receipts_receipt *out)
{
    const struct receipts_options *options = receipts->options;
    const char *prefix = options->returns_prefix;
    if (!code_of_cell(receipts, RECEIPTS_RECEIPT, &out->number) ||
        !code_of_cell(receipts, RECEIPTS_CARD, &out->card) ||
        !place_of_row(receipts, RECEIPTS_STORE, options->store, &out->store) ||
        !place_of_row(receipts, RECEIPTS_TILL, options->till, &out->till))
        return false;
    if (!parse_time(receipts->cells[RECEIPTS_TIME], &out->time_us, &out->day)) {
        complain(receipts, "\"%s\" is no time", receipts->cells[RECEIPTS_TIME]);
        return false;
    }
    out->returned = prefix != NULL && strncmp(receipts->cells[RECEIPTS_RECEIPT], prefix, strlen(prefix)) == 0;
    out->first_line = receipts->row_line;
    return true;
}

static bool line_of_row(struct receipts *receipts, bool returned, struct receipts_line *out)
{
    const struct receipts_options *options = receipts->options;
    struct parse_decimal quantity = { .units = 1 };
    struct parse_decimal amount;
    int64_t thousandths;
    if (!code_of_cell(receipts, RECEIPTS_CODE, &out->code))
        return false;
    if (options->columns[RECEIPTS_CATEGORY] != NULL && receipts->cells[RECEIPTS_CATEGORY][0] != '\0' &&
        !code_of_cell(receipts, RECEIPTS_CATEGORY, &out->category))
        return false;
    if (options->columns[RECEIPTS_QUANTITY] != NULL &&
        !decimal_of_cell(receipts, RECEIPTS_QUANTITY, &quantity))
        return false;
    if (!parse_product(quantity, (struct parse_decimal){ .units = 1 }, 3, MESSAGE_QUANTITY_MAX,
                       &thousandths)) {
        complain(receipts, "the quantity is over the limit");
        return false;
    }
    if (options->columns[RECEIPTS_AMOUNT] != NULL) {
        if (!decimal_of_cell(receipts, RECEIPTS_AMOUNT, &amount))
            return false;
        quantity = (struct parse_decimal){ .units = 1 };
    } else if (!decimal_of_cell(receipts, RECEIPTS_PRICE, &amount)) {
        return false;
    }
    if (!parse_product(quantity, amount, options->currency_exponent, MESSAGE_AMOUNT_MAX, &out->amount)) {
        complain(receipts, "the amount is over the limit");
        return false;
    }
    if (returned)
        out->amount = -out->amount;
    out->quantity = (uint64_t)(thousandths < 0 ? -thousandths : thousandths);
    return true;
}

static void take_row(struct receipts *receipts)
{
    struct receipts_receipt receipt = { .returned = false };
    struct receipts_line line = { .amount = 0 };
    receipts->rows++;
    for (size_t role = 0; role < RECEIPTS_COUNT; role++) {
        if (receipts->options->columns[role] != NULL && !receipts->given[role]) {
            complain(receipts, "the line has no column %s", receipts->options->columns[role]);
            return;
        }
    }
    if (receipts->cells[RECEIPTS_CARD][0] == '\0') {
        receipts->skipped_lines++;
    } else if (receipt_of_row(receipts, &receipt) && line_of_row(receipts, receipt.returned, &line)) {
        add_line(receipts, &receipt, &line);
    }
    while (receipts->status == RECEIPTS_OK && receipts->oldest != NULL &&
           receipts->rows - receipts->oldest->named_at >= RECEIPTS_WINDOW)
        complete_oldest(receipts);
}

static void take_header_cell(struct receipts *receipts, const char *cell, size_t size)
{
    if (receipts->column == 0 && size >= 3 && memcmp(cell, "\xEF\xBB\xBF", 3) == 0) {
        cell += 3; /* a byte order mark, as spreadsheets write it */
        size -= 3;
    }
    for (size_t role = 0; role < RECEIPTS_COUNT; role++) {
        const char *wanted = receipts->options->columns[role];
        if (wanted == NULL || strlen(wanted) != size || memcmp(wanted, cell, size) != 0)
            continue;
        if (receipts->column_of[role] != SIZE_MAX)
            complain(receipts, "there are two columns %s", wanted);
        receipts->column_of[role] = receipts->column;
    }
}

static void check_header(struct receipts *receipts)
{
    receipts->header_read = true;
    for (size_t role = 0; role < RECEIPTS_COUNT; role++) {
        if (receipts->options->columns[role] != NULL && receipts->column_of[role] == SIZE_MAX)
            complain(receipts, "the header has no column %s", receipts->options->columns[role]);
    }
}

static void take_cell(void *data, size_t size, void *ctx)
{
    struct receipts *receipts = ctx;
    if (receipts->status != RECEIPTS_OK)
        return;
    if (receipts->column == 0)
        receipts->row_line = receipts->file_line;
    if (!receipts->header_read)
        take_header_cell(receipts, data, size);
    for (size_t role = 0; receipts->header_read && role < RECEIPTS_COUNT; role++) {
        if (receipts->column_of[role] != receipts->column)
            continue;
        if (size > CELL_MAX || memchr(data, '\0', size) != NULL) {
            complain(receipts, "the value of column %s is too long or not text",
                     receipts->options->columns[role]);
            return;
        }
        memcpy(receipts->cells[role], data, size);
        receipts->cells[role][size] = '\0';
        receipts->given[role] = true;
    }
    if (++receipts->column > COLUMNS_MAX)
        complain(receipts, "the line has more than %d columns", COLUMNS_MAX);
}

static void take_row_end(int end, void *ctx)
{
    struct receipts *receipts = ctx;
    (void)end;
    if (receipts->status == RECEIPTS_OK) {
        if (receipts->header_read)
            take_row(receipts);
        else
            check_header(receipts);
    }
    receipts->column = 0;
    memset(receipts->given, 0, sizeof(receipts->given));
}

/* At most one line of the file, so that its number is known. */
static void feed_line(struct receipts *receipts, const char *bytes, size_t size)
{
    if (csv_parse(&receipts->parser, bytes, size, take_cell, take_row_end, receipts) == size)
        return;
    receipts->row_line = receipts->file_line;
    if (csv_error(&receipts->parser) == CSV_ENOMEM)
        receipts->status = RECEIPTS_NO_MEMORY;
    else
        complain(receipts, "the quotes are wrong");
}

enum receipts_status receipts_feed(struct receipts *receipts, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0 && receipts->status == RECEIPTS_OK) {
        const char *line_end = memchr(at, '\n', size);
        size_t length = line_end != NULL ? (size_t)(line_end - at) + 1 : size;
        feed_line(receipts, at, length);
        if (csv_get_buffer_size(&receipts->parser) > CELL_BUFFER_MAX)
            complain(receipts, "a quote is never closed");
        receipts->file_line += line_end != NULL;
        at += length;
        size -= length;
    }
    return receipts->status;
}

enum receipts_status receipts_finish(struct receipts *receipts)
{
    if (receipts->status == RECEIPTS_OK &&
        csv_fini(&receipts->parser, take_cell, take_row_end, receipts) != 0)
        complain(receipts, "a quote is never closed");
    if (receipts->status == RECEIPTS_OK && !receipts->header_read)
        complain(receipts, "the file is empty");
    while (receipts->status == RECEIPTS_OK && receipts->oldest != NULL)
        complete_oldest(receipts);
    return receipts->status;
}

struct receipts *receipts_new(const struct receipts_options *options, receipts_fn *take, void *ctx)
{
    struct receipts *receipts = calloc(1, sizeof(*receipts));
    if (receipts == NULL)
        return NULL;
    receipts->options = options;
    receipts->take = take;
    receipts->ctx = ctx;
    receipts->file_line = 1;
    receipts->row_line = 1;
    for (size_t role = 0; role < RECEIPTS_COUNT; role++)
        receipts->column_of[role] = SIZE_MAX;
    receipts->completed = seen_new();
    if (receipts->completed == NULL || csv_init(&receipts->parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        seen_free(receipts->completed);
        free(receipts);
        return NULL;
    }
    return receipts;
}

void receipts_free(struct receipts *receipts)
{
    if (receipts == NULL)
        return;
    while (receipts->oldest != NULL) {
        struct open_receipt *open = receipts->oldest;
        list_remove(receipts, open);
        open_receipt_free(open);
    }
    csv_free(&receipts->parser);
    seen_free(receipts->completed);
    free(receipts);
}

const char *receipts_error(const struct receipts *receipts)
{
    return receipts->error;
}

uint64_t receipts_lines(const struct receipts *receipts)
{
    return receipts->lines;
}

uint64_t receipts_skipped_lines(const struct receipts *receipts)
{
    return receipts->skipped_lines;
}
