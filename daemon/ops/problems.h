/*
 * What is wrong with a file that a person wrote: all of it at once, each with its place.
 */
#pragma once

#include "base/base.h"

#define PROBLEMS_MAX 20
#define PROBLEM_TEXT_MAX 320

struct problems {
    uint32_t count;                             /* of texts; more were not kept */
    char texts[PROBLEMS_MAX][PROBLEM_TEXT_MAX]; /* "FILE:LINE:COLUMN: what, and what was expected" */
};

/* Adds one; line and column count from 1, line 0: the whole file. Beyond PROBLEMS_MAX it is dropped. */
PUNKT_PRINTF(5, 6)
void problems_add(struct problems *problems, const char *file, size_t line, size_t column, const char *format,
                  ...);
