/*
 * libio_shim.so: makes the N-th call of a kind fail, and logs what is written and synced.
 *
 *   LD_PRELOAD=libio_shim.so IO_SHIM_CALL=fdatasync IO_SHIM_AT=3 IO_SHIM_ERROR=EIO punktd ...
 *
 * Failing (nothing fails without IO_SHIM_CALL):
 *   IO_SHIM_CALL     write (and writev), pwrite (and pwritev), fdatasync, fsync, fallocate (and posix_fallocate),
 *                    rename (and renameat, renameat2), open (and openat, creat), ftruncate, or all
 *   IO_SHIM_AT       the N-th call that matches, from 1, which is the default
 *   IO_SHIM_FOREVER  1: that one and every later one
 *   IO_SHIM_ERROR    EIO (default), ENOSPC, EDQUOT, EINTR;
 *                    short: about half of the bytes are written, up to a boundary of 512 bytes in the file as kernels
 *                    do; if there is none in them, and in calls that write no bytes, EIO;
 *                    half: half of the bytes, wherever that ends;
 *                    swallow: nothing is done and success is answered; kill: SIGKILL instead;
 *                    slow: it is done, but 20 ms later
 *   IO_SHIM_PATH     only calls whose path has this text in it; with a $ at its end: whose path ends with it
 *   IO_SHIM_WHILE    a file: only calls while it is there
 *   IO_SHIM_COUNT    a file that says at any time, and after a kill too: "calls 0000000012 hits 0000000001"
 *
 * Logging, for crash_images:
 *   IO_SHIM_LOG       the file to append to (io_log.h). Its size at the moment of an acknowledgement tells which
 *                     records come before it.
 *   IO_SHIM_LOG_PATH  only what lies in this folder (absolute, without symbolic links)
 *
 * A swallowed or failed call is not in the log, but for a sync that failed: what was written before it stays in doubt
 * for good. Calls through memory maps and through stdio are not seen (LMDB's
 * lock file, log lines); sync() and syncfs() count for nothing.
 *
 * Programs built with a sanitizer want their runtime first: set ASAN_OPTIONS=verify_asan_link_order=0 in addition
 * to what is there, or link the shim. The shim itself is built without sanitizers.
 */
#include "io_shim.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512u

/* How much of a write that is cut short takes place; 0: none, it fails. */
static size_t shortened(enum verdict verdict, size_t size, off_t offset)
{
    if (verdict == PASS)
        return size;
    if (verdict == HALF)
        return size / 2;
    uint64_t from = (uint64_t)offset, end = from + size;
    uint64_t boundary = (from + size / 2) / SECTOR * SECTOR;
    if (boundary <= from)
        boundary += SECTOR;
    return boundary < end ? (size_t)(boundary - from) : 0;
}

static ssize_t fail_short(void)
{
    errno = EIO;
    return -1;
}

static void log_write(int fd, const void *bytes, ssize_t size, off_t offset)
{
    if (size > 0)
        log_fd_record((struct io_log_record){ .kind = IO_LOG_WRITE,
                                              .offset = (uint64_t)offset,
                                              .size = (uint64_t)size },
                      fd, bytes);
}

static void log_writev(int fd, const struct iovec *parts, int count, ssize_t size, off_t offset)
{
    for (int i = 0; i < count && size > 0; i++) {
        ssize_t part = size < (ssize_t)parts[i].iov_len ? size : (ssize_t)parts[i].iov_len;
        log_write(fd, parts[i].iov_base, part, offset);
        offset += part;
        size -= part;
    }
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    shim_start();
    enum verdict verdict = judge_fd("write", fd);
    if (verdict == FAIL)
        return -1;
    if (verdict == SWALLOW)
        return (ssize_t)size;
    size_t part = verdict == PASS ? size : shortened(verdict, size, lseek(fd, 0, SEEK_CUR));
    if (part == 0 && size > 0)
        return fail_short();
    ssize_t written = real.write(fd, bytes, part);
    if (log_is_on() && written > 0)
        log_write(fd, bytes, written, lseek(fd, 0, SEEK_CUR) - written);
    return written;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    shim_start();
    enum verdict verdict = judge_fd("write", fd); /* cut short between its parts, and never swallowed */
    if (verdict == FAIL || ((verdict == SHORT || verdict == HALF) && count < 2))
        return -1;
    ssize_t written = real.writev(fd, parts, verdict == PASS ? count : count / 2);
    if (log_is_on() && written > 0)
        log_writev(fd, parts, count, written, lseek(fd, 0, SEEK_CUR) - written);
    return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    shim_start();
    enum verdict verdict = judge_fd("pwrite", fd);
    if (verdict == FAIL)
        return -1;
    if (verdict == SWALLOW)
        return (ssize_t)size;
    size_t part = shortened(verdict, size, offset);
    if (part == 0 && size > 0)
        return fail_short();
    ssize_t written = real.pwrite(fd, bytes, part, offset);
    log_write(fd, bytes, written, offset);
    return written;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    return pwrite(fd, bytes, size, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    shim_start();
    enum verdict verdict = judge_fd("pwrite", fd);
    if (verdict == FAIL || ((verdict == SHORT || verdict == HALF) && count < 2))
        return -1;
    ssize_t written = real.pwritev(fd, parts, verdict == PASS ? count : count / 2, offset);
    log_writev(fd, parts, count, written, offset);
    return written;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
    return pwritev(fd, parts, count, offset);
}

static int sync_as(const char *call, int (*sync_fd)(int), int fd)
{
    enum verdict verdict = judge_fd(call, fd);
    uint64_t began = log_size();
    int result = verdict == PASS ? sync_fd(fd) : verdict == SWALLOW ? 0 : -1;
    if (verdict == PASS && result == 0)
        log_fd_record((struct io_log_record){ .kind = IO_LOG_SYNC, .offset = began }, fd, NULL);
    else if (result != 0)
        log_fd_record((struct io_log_record){ .kind = IO_LOG_SYNC_FAILED }, fd, NULL);
    return result;
}

int fdatasync(int fd)
{
    shim_start();
    return sync_as("fdatasync", real.fdatasync, fd);
}

int fsync(int fd)
{
    shim_start();
    return sync_as("fsync", real.fsync, fd);
}

static void log_grown(int fd)
{
    struct stat info;
    if (log_is_on() && fstat(fd, &info) == 0)
        log_fd_record((struct io_log_record){ .kind = IO_LOG_RESIZE, .offset = (uint64_t)info.st_size }, fd,
                      NULL);
}

int fallocate(int fd, int mode, off_t offset, off_t size)
{
    shim_start();
    enum verdict verdict = judge_fd("fallocate", fd);
    if (verdict != PASS)
        return verdict == SWALLOW ? 0 : -1;
    int result = real.fallocate(fd, mode, offset, size);
    if (result == 0)
        log_grown(fd);
    return result;
}

int fallocate64(int fd, int mode, off64_t offset, off64_t size)
{
    return fallocate(fd, mode, offset, size);
}

int posix_fallocate(int fd, off_t offset, off_t size)
{
    shim_start();
    enum verdict verdict = judge_fd("fallocate", fd);
    if (verdict != PASS)
        return verdict == SWALLOW ? 0 : errno;
    int result = real.posix_fallocate(fd, offset, size);
    if (result == 0)
        log_grown(fd);
    return result;
}

int posix_fallocate64(int fd, off64_t offset, off64_t size)
{
    return posix_fallocate(fd, offset, size);
}

int ftruncate(int fd, off_t size)
{
    shim_start();
    enum verdict verdict = judge_fd("ftruncate", fd);
    if (verdict != PASS)
        return verdict == SWALLOW ? 0 : -1;
    int result = real.ftruncate(fd, size);
    if (result == 0)
        log_fd_record((struct io_log_record){ .kind = IO_LOG_RESIZE, .offset = (uint64_t)size }, fd, NULL);
    return result;
}

int ftruncate64(int fd, off64_t size)
{
    return ftruncate(fd, size);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    char from_path[PATH_MAX], to_path[PATH_MAX];
    shim_start();
    path_at(from_fd, from, from_path);
    path_at(to_fd, to, to_path);
    enum verdict verdict = judge("rename", from_path);
    if (verdict != PASS)
        return verdict == SWALLOW ? 0 : -1;
    int result = real.renameat2(from_fd, from, to_fd, to, flags);
    if (result == 0)
        log_name(IO_LOG_RENAME, from_path, to_path);
    return result;
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    return renameat2(from_fd, from, to_fd, to, 0);
}

int rename(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

static int open_at(int dir_fd, const char *name, int flags, mode_t mode)
{
    char path[PATH_MAX];
    struct stat info;
    shim_start();
    path_at(dir_fd, name, path);
    enum verdict verdict = judge("open", path);
    if (verdict == FAIL || verdict == SHORT || verdict == HALF)
        return -1;
    int saved = errno;
    bool is_new = (flags & O_CREAT) != 0 && fstatat(dir_fd, name, &info, 0) != 0;
    errno = saved;
    int fd = real.openat(dir_fd, name, flags, mode);
    if (fd >= 0 && is_new)
        log_fd_record((struct io_log_record){ .kind = IO_LOG_CREATE }, fd, NULL);
    else if (fd >= 0 && (flags & O_TRUNC) != 0)
        log_fd_record((struct io_log_record){ .kind = IO_LOG_RESIZE }, fd, NULL);
    return fd;
}

static mode_t mode_argument(int flags, va_list args)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? (mode_t)va_arg(args, unsigned) : 0;
}

int open(const char *name, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_argument(flags, args);
    va_end(args);
    return open_at(AT_FDCWD, name, flags, mode);
}

int open64(const char *name, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_argument(flags, args);
    va_end(args);
    return open_at(AT_FDCWD, name, flags, mode);
}

int openat(int dir_fd, const char *name, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_argument(flags, args);
    va_end(args);
    return open_at(dir_fd, name, flags, mode);
}

int openat64(int dir_fd, const char *name, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_argument(flags, args);
    va_end(args);
    return open_at(dir_fd, name, flags, mode);
}

int creat(const char *name, mode_t mode)
{
    return open_at(AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

/* What _FORTIFY_SOURCE makes of open without a mode. */
int __open_2(const char *name, int flags);
int __open64_2(const char *name, int flags);
int __openat_2(int dir_fd, const char *name, int flags);
int __openat64_2(int dir_fd, const char *name, int flags);

int __open_2(const char *name, int flags)
{
    return open_at(AT_FDCWD, name, flags, 0);
}

int __open64_2(const char *name, int flags)
{
    return open_at(AT_FDCWD, name, flags, 0);
}

int __openat_2(int dir_fd, const char *name, int flags)
{
    return open_at(dir_fd, name, flags, 0);
}

int __openat64_2(int dir_fd, const char *name, int flags)
{
    return open_at(dir_fd, name, flags, 0);
}

int mkdirat(int dir_fd, const char *name, mode_t mode)
{
    char path[PATH_MAX];
    shim_start();
    int result = real.mkdirat(dir_fd, name, mode);
    if (result == 0) {
        path_at(dir_fd, name, path);
        log_name(IO_LOG_MKDIR, path, NULL);
    }
    return result;
}

int mkdir(const char *name, mode_t mode)
{
    return mkdirat(AT_FDCWD, name, mode);
}

int unlinkat(int dir_fd, const char *name, int flags)
{
    char path[PATH_MAX];
    shim_start();
    int result = real.unlinkat(dir_fd, name, flags);
    if (result == 0) {
        path_at(dir_fd, name, path);
        log_name((flags & AT_REMOVEDIR) != 0 ? IO_LOG_RMDIR : IO_LOG_UNLINK, path, NULL);
    }
    return result;
}

int unlink(const char *name)
{
    return unlinkat(AT_FDCWD, name, 0);
}

int rmdir(const char *name)
{
    return unlinkat(AT_FDCWD, name, AT_REMOVEDIR);
}
