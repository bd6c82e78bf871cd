/*
 * Who the process is, and what it gives up: rights of root, dumps, pages of keys on disk (RELIABILITY.md, Audit and abuse).
 */
#pragma once

#include "base/base.h"
#include "base/status.h"

/*
 * Nobody reads our memory: no core, no ptrace by other processes of our user, and no right by any program that we would run.
 * To be called again after privilege_drop, with which the kernel forgets the first.
 */
void privilege_guard(void);

/*
 * Sets memory aside that is never written to disk, for keys: those of libcrypto and what privilege_keys hands out. False: the
 * system locks none (RLIMIT_MEMLOCK), and keys are in ordinary memory as far as it refuses.
 */
PUNKT_MUST_CHECK bool privilege_lock_memory(void);
/* Memory of zeros for keys; NULL: there is none. Given back, wiped, by privilege_keys_free; NULL is fine. */
void *privilege_keys(size_t size);
void privilege_keys_free(void *keys, size_t size);

/*
 * Becomes that user, with its groups, for good; "": stays who it is. PUNKT_INVALID: there is no such user, it is root, or only
 * root could become it.
 */
PUNKT_MUST_CHECK enum punkt_status privilege_drop(const char *user, struct failure *failure);
/* Whether it is root's process. */
bool privilege_is_root(void);

/* The number of a user, by name or number. PUNKT_INVALID: there is none. */
PUNKT_MUST_CHECK enum punkt_status privilege_user(const char *name, uint32_t *out_uid,
                                                  struct failure *failure);
