/*
 * What the two sources of the shim share: the calls behind it, what fails, and the log.
 */
#pragma once

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "io_log.h"

/* None of these names may get in the way of a name of the program. */
#pragma GCC visibility push(hidden)

/* What is behind us: the sanitizer's wrapper or libc itself. */
struct real_calls {
    ssize_t (*write)(int, const void *, size_t);
    ssize_t (*writev)(int, const struct iovec *, int);
    ssize_t (*pwrite)(int, const void *, size_t, off_t);
    ssize_t (*pwritev)(int, const struct iovec *, int, off_t);
    int (*fdatasync)(int);
    int (*fsync)(int);
    int (*fallocate)(int, int, off_t, off_t);
    int (*posix_fallocate)(int, off_t, off_t);
    int (*ftruncate)(int, off_t);
    int (*renameat2)(int, const char *, int, const char *, unsigned);
    int (*openat)(int, const char *, int, ...);
    int (*mkdirat)(int, const char *, mode_t);
    int (*unlinkat)(int, const char *, int);
};

extern struct real_calls real;

enum verdict { PASS, FAIL, SHORT, HALF, SWALLOW };

/* Reads the settings and finds the calls; before anything else, any number of times. */
void shim_start(void);

/* The absolute path of name in a folder (AT_FDCWD: the working one). */
void path_at(int dir_fd, const char *name, char out_path[PATH_MAX]);

/* Counts the call and says what becomes of it; FAIL, SHORT and HALF have set errno. */
enum verdict judge(const char *call, const char *path);
enum verdict judge_fd(const char *call, int fd);

/* Whether there is a log, and its size now. */
bool log_is_on(void);
uint64_t log_size(void);
/* A record of an open file, its path and number filled in; of nothing else than files and folders. */
void log_fd_record(struct io_log_record record, int fd, const void *bytes);
void log_name(enum io_log_kind kind, const char *path, const char *path2);

#pragma GCC visibility pop
