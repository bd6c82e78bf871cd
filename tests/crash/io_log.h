/*
 * The log that the shim writes: one record a call that changed a file or folder, in the order in which
 * the calls came back. Read by crash_image.c. In the machine's own byte order, for it never leaves it.
 *
 *   record | path | second path | bytes
 */
#pragma once

#include <stdint.h>

#define IO_LOG_MAGIC 0x31474f4cu /* "LOG1" */

enum io_log_kind {
    IO_LOG_WRITE = 1, /* offset, bytes */
    IO_LOG_RESIZE,    /* offset: the new size */
    IO_LOG_SYNC,      /* offset: size of the log when the sync began; what was logged later is not covered */
    IO_LOG_CREATE,    /* a new file */
    IO_LOG_MKDIR,
    IO_LOG_UNLINK,
    IO_LOG_RMDIR,
    IO_LOG_RENAME,      /* path to second path */
    IO_LOG_SYNC_DIR,    /* offset as for IO_LOG_SYNC */
    IO_LOG_SYNC_FAILED, /* what was written before it may never come to the disk, whatever is synced later: the
                           kernel takes its pages for clean. Only writing it again helps. */
};

#define IO_LOG_DURABLE 1u /* the file was opened with O_SYNC or O_DSYNC */

struct io_log_record {
    uint32_t magic;
    uint16_t kind;
    uint16_t flags;
    uint64_t inode; /* of a file; a number may come back after an unlink, with a new IO_LOG_CREATE */
    uint64_t offset;
    uint64_t size; /* of the bytes that follow the paths */
    uint32_t path_size;
    uint32_t path2_size;
};
