/*
 * What is wrong with a file that a person wrote: all of it at once, each with its place.
 */
#pragma once

#include "base/base.h"

#define PROBLEMS_MAX 20
#define PROBLEM_TEXT_MAX 640

/* Where one is, from 1; line 0: the whole file. */
struct problem_place {
    uint32_t line, column;
    uint32_t what; /* in its text: what stands behind the place */
};

struct problems {
    uint32_t count;                             /* of texts and places; more were not kept */
    char texts[PROBLEMS_MAX][PROBLEM_TEXT_MAX]; /* "FILE:LINE:COLUMN: what, and what was expected" */
    struct problem_place places[PROBLEMS_MAX];
};

/* Adds one; line and column as in its place. Beyond PROBLEMS_MAX it is dropped. */
PUNKT_PRINTF(5, 6)
void problems_add(struct problems *problems, const char *file, uint32_t line, uint32_t column,
                  const char *format, ...);
