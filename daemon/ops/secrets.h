/*
 * The secrets file: what is in no backup and no journal (LEDGER.md, Secrets). YAML, readable by its owner alone:
 *
 *      pin_pepper: 64 hexadecimal digits
 *      psk_master_1: 64 hexadecimal digits     up to psk_master_8; not needed where no till has a pre-shared key
 *      ...
 */
#pragma once

#include "base/base.h"
#include "base/status.h"

#define SECRETS_PSK_MASTERS_MAX 8

struct secrets {
    uint8_t pin_pepper[32];
    uint8_t psk_masters[SECRETS_PSK_MASTERS_MAX][32]; /* by number - 1 */
    uint32_t psk_masters_known;                       /* a bit for each that is there */
};

/*
 * Reads the file, and wipes what it kept on the way; makes one with new secrets if there is none. PUNKT_INVALID: it is not what it should be, or others may
 * read it; PUNKT_IO: it cannot be read or made. The failure says which file and what to do.
 */
PUNKT_MUST_CHECK enum punkt_status secrets_load(const char *path, struct secrets *out,
                                                struct failure *failure);
