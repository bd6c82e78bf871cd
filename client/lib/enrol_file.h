/*
 * The files of an enrolment, beside the identity: the key that waits for its certificate (PATH.enrolling, locked while an
 * enrolment is at it), and the identity on its way (PATH.new). Both are for their owner alone, and whole on disk before they
 * are needed.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "lib/enrol_code.h"

struct enrol_files {
    char path[PATH_MAX];    /* the identity */
    char pending[PATH_MAX]; /* its key, meanwhile */
    char next[PATH_MAX];
    char folder[PATH_MAX];
    int lock; /* the pending file, open; -1: it is not */
};

/*
 * Opens the pending file, and takes the key of this code from it into key, or makes one. PUNKT_CALL_DONE; PUNKT_CALL_INVALID:
 * an identity is there already (and replace is false), or another enrolment is at it; PUNKT_CALL_NOT_STORED: the disk refuses;
 * why, with room for IDENTITY_WHY_SIZE, says so. To be ended by enrol_files_close either way.
 */
enum punkt_call enrol_files_open(struct enrol_files *files, const char *path, bool replace,
                                 const struct enrol_code *code, struct buffer *key, char *why);

/* Puts the identity's text in place, whole or not at all, and forgets the pending file. As above. */
enum punkt_call enrol_files_commit(struct enrol_files *files, bool replace, const struct buffer *text,
                                   char *why);

void enrol_files_close(struct enrol_files *files);
