/*
 * Where the parts of a ledger lie in its data folder.
 */
#pragma once

#include <limits.h>

#include "base/status.h"

struct ledger_paths {
    char journal[PATH_MAX];
    char state[PATH_MAX];
    char aside[PATH_MAX];     /* the old state while a rebuild is under way */
    char discarded[PATH_MAX]; /* the old state after one, until it is removed */
    char scratch[PATH_MAX];   /* of a verification; removed behind it */
};

/* PUNKT_INVALID: the path is too long. */
PUNKT_MUST_CHECK enum punkt_status ledger_paths_of(const char *dir, struct ledger_paths *out,
                                                   struct failure *failure);
