/*
 * What differs between two texts of a programme, key by key, for the person who publishes the second.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "base/text.h"
#include "ops/problems.h"

#define PROGRAMME_DIFF_LINE_MAX 512

/*
 * One difference: "caps.day: 500 -> 800", "offers[fish week].factor: (none) -> 2" of a key that is new. Items
 * of a list are named by their `name`, or counted from 1 where not every one has a name of its own; the
 * order of named items is a difference of its own, "offers: [a, b] -> [b, a]". Long values are cut. Borrowed
 * for the call.
 */
typedef void programme_diff_fn(void *ctx, struct text line);

/*
 * Compares two texts as they are written: 1.0 and 1.00 differ, quotes do not count. Calls `each` for every
 * difference, in the order of the old text, what is new behind it. PUNKT_INVALID: one of them is no YAML
 * file, as out_problems says, and `each` was not called; `file` names the new one there, the old is
 * "old programme". PUNKT_NO_MEMORY.
 */
PUNKT_MUST_CHECK enum punkt_status programme_diff(struct text old_yaml, struct text new_yaml,
                                                  const char *file, struct problems *out_problems,
                                                  programme_diff_fn *each, void *ctx);
