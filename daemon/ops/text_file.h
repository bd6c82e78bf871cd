/*
 * A small file, read whole.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"

/*
 * Reads a file of at most max_bytes. *out_data is the caller's to free, with a zero behind its end.
 * PUNKT_IO: it cannot be read; PUNKT_FULL: it is larger; the failure says why, but not which file.
 */
PUNKT_MUST_CHECK enum punkt_status text_file_read(const char *path, size_t max_bytes, char **out_data,
                                                  size_t *out_size, struct failure *failure);

/* Whether a file, which need not be there, lies in a folder or below, links followed. No if there is no such folder. */
PUNKT_MUST_CHECK bool path_lies_in(const char *path, const char *folder);
