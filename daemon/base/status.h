/*
 * What a function of ours may answer when the world around it fails: disk, memory, peer.
 * Foreign codes (errno, LMDB, libevent, OpenSSL) end at the function that met them.
 */
#pragma once

#include "base/base.h"

enum punkt_status {
    PUNKT_OK = 0,
    PUNKT_NOT_FOUND,
    PUNKT_FULL,    /* no space: disk, map or a table of fixed size */
    PUNKT_CORRUPT, /* bytes on disk are not what was written */
    PUNKT_IO,      /* the operating system refused; what is on disk is unknown */
    PUNKT_NO_MEMORY,
    PUNKT_BUSY,    /* somebody else holds it */
    PUNKT_INVALID, /* a setting, file or argument is wrong; the message says which */
};

/* A short English word for a status, for messages. */
const char *punkt_status_name(enum punkt_status status);

/*
 * The words of a failure: what happened, where, what to do. Functions that can fail in ways a
 * person must understand take one as their last parameter; it is written only on failure.
 */
struct failure {
    char text[512];
};

PUNKT_PRINTF(2, 3) void failure_set(struct failure *failure, const char *format, ...);
