/* Receipts that are the same each time, for what is measured. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <punkt.h>

#define RECEIPT_LINES_MAX 64
#define RECEIPT_CARD_FIRST UINT64_C(2900000000000)

/* Fills the lines of the i-th receipt, count of them, with their codes kept in codes; their categories are those that
 * conf/programme.yaml names, and others. Returns its amount in minor units: their sum, or without lines any. */
int64_t receipt_amount(unsigned i, unsigned count, struct punkt_line lines[RECEIPT_LINES_MAX],
                       char codes[RECEIPT_LINES_MAX][16]);

/* A number in [least, most] as it was typed. */
bool receipt_parse(const char *text, unsigned least, unsigned most, unsigned *out);
