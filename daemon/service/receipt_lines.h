/*
 * From templates to lines of a receipt's width. Knows neither answers nor accounts: what stands for a value comes as text.
 */
#pragma once

#include "points/receipt_text.h"
#include "proto/message.h"

/* Columns, which are code points of UTF-8. */
#define RECEIPT_WIDTH_MIN 16
#define RECEIPT_WIDTH_MAX 64

#define RECEIPT_VALUE_MAX 40 /* bytes */

/* Each a text without control characters; empty: not there. */
struct receipt_words {
    char text[RECEIPT_VALUES][RECEIPT_VALUE_MAX + 1];
};

/* What is printed. The lines borrow from bytes, so this is not copied. */
struct receipt_lines {
    uint32_t count;
    struct msg_text_line lines[RECEIPT_LINES_MAX];
    size_t used;
    char bytes[RECEIPT_LINES_MAX * 4 * RECEIPT_WIDTH_MAX];
};

/*
 * Makes the lines of a kind, at most RECEIPT_LINES_MAX: what does not fit is left out. width: RECEIPT_WIDTH_MIN to
 * RECEIPT_WIDTH_MAX.
 */
void receipt_lines_make(const struct receipt_texts *texts, const struct receipt_language *language,
                        enum receipt_kind kind, const struct receipt_words *words, uint32_t width,
                        struct receipt_lines *out);
