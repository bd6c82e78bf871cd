/*
 * The secrets file: what is in no backup and no journal (LEDGER.md, Secrets). YAML, readable by its owner alone:
 *
 *      pin_pepper: 64 hexadecimal digits
 *      ...
 */
#pragma once

#include "base/base.h"
#include "base/status.h"

struct secrets {
    uint8_t pin_pepper[32];
};

/*
 * Reads the file; makes one with new secrets if there is none. PUNKT_INVALID: it is not what it should be, or others may
 * read it; PUNKT_IO: it cannot be read or made. The failure says which file and what to do.
 */
PUNKT_MUST_CHECK enum punkt_status secrets_load(const char *path, struct secrets *out,
                                                struct failure *failure);
