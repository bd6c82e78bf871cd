#include "ledger/paths.h"

#include <stdio.h>
#include <string.h>

enum punkt_status ledger_paths_of(const char *dir, struct ledger_paths *out, struct failure *failure)
{
    if (strlen(dir) > PATH_MAX - 64) {
        failure_set(failure, "the path of the data folder is too long: %.100s...", dir);
        return PUNKT_INVALID;
    }
    (void)snprintf(out->journal, sizeof(out->journal), "%.*s/journal", PATH_MAX - 64, dir);
    (void)snprintf(out->state, sizeof(out->state), "%.*s/state", PATH_MAX - 64, dir);
    (void)snprintf(out->aside, sizeof(out->aside), "%.*s/state.before-rebuild", PATH_MAX - 64, dir);
    (void)snprintf(out->discarded, sizeof(out->discarded), "%.*s/state.discarded", PATH_MAX - 64, dir);
    (void)snprintf(out->scratch, sizeof(out->scratch), "%.*s/verify.scratch", PATH_MAX - 64, dir);
    return PUNKT_OK;
}
