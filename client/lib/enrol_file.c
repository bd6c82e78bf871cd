#include "lib/enrol_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/enrol_key.h"

#define PATH_SHOWN "%.150s"
#define PENDING_HEAD "code: "
#define PENDING_HEAD_SIZE (sizeof(PENDING_HEAD) - 1 + ENROL_HANDLE_DIGITS + 1)

__attribute__((format(printf, 3, 4))) static enum punkt_call say(char *why, enum punkt_call call,
                                                                 const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why, IDENTITY_WHY_SIZE, format, arguments);
    va_end(arguments);
    return call;
}

static enum punkt_call disk_refuses(const char *path, char *why)
{
    return say(why, PUNKT_CALL_NOT_STORED, PATH_SHOWN ": %s", path, strerror(errno));
}

static enum punkt_call exists(const char *path, char *why)
{
    return say(why, PUNKT_CALL_INVALID,
               PATH_SHOWN " is there already: an identity is only replaced where that is said", path);
}

/* --- bytes and folders --- */

static bool write_all(int fd, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    while (size > 0) {
        ssize_t written = write(fd, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        at += written;
        size -= (size_t)written;
    }
    return true;
}

/* So that a name in it survives a power cut. */
static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return good;
}

static bool name_files(struct enrol_files *files, const char *path)
{
    const char *slash = strrchr(path, '/');
    int folder = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
    return snprintf(files->path, sizeof(files->path), "%s", path) < (int)sizeof(files->path) &&
           snprintf(files->pending, sizeof(files->pending), "%s.enrolling", path) <
               (int)sizeof(files->pending) &&
           snprintf(files->next, sizeof(files->next), "%s.new", path) < (int)sizeof(files->next) &&
           snprintf(files->folder, sizeof(files->folder), "%.*s", folder, slash == NULL ? "." : path) <
               (int)sizeof(files->folder);
}

/* --- the pending file --- */

/* Of whoever held it before us it may have been taken away meanwhile: then there is another. */
static enum punkt_call lock_pending(struct enrol_files *files, char *why)
{
    struct stat opened, named;
    do {
        enrol_files_close(files);
        files->lock = open(files->pending, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (files->lock < 0)
            return disk_refuses(files->pending, why);
        if (flock(files->lock, LOCK_EX | LOCK_NB) != 0)
            return say(why, PUNKT_CALL_INVALID, PATH_SHOWN ": another enrolment is at it", files->pending);
        if (fstat(files->lock, &opened) != 0)
            return disk_refuses(files->pending, why);
    } while (stat(files->pending, &named) != 0 || named.st_ino != opened.st_ino ||
             named.st_dev != opened.st_dev);
    if (!S_ISREG(opened.st_mode) || opened.st_uid != geteuid() || fchmod(files->lock, 0600) != 0)
        return say(why, PUNKT_CALL_NOT_STORED, PATH_SHOWN " is not a file of ours: take it away",
                   files->pending);
    return PUNKT_CALL_DONE;
}

/* Takes the key out of the pending file if it is that of this code. */
static bool read_pending(const struct enrol_files *files, const struct enrol_code *code, struct buffer *key)
{
    struct buffer text = { .heap = key->heap, .secret = true };
    char head[PENDING_HEAD_SIZE + 1];
    char why[IDENTITY_WHY_SIZE];
    (void)snprintf(head, sizeof(head), PENDING_HEAD "%s\n", code->handle);
    bool good =
        identity_read_file(files->pending, true, &text, why) == PUNKT_CALL_DONE &&
        buffer_size(&text) > PENDING_HEAD_SIZE && memcmp(buffer_data(&text), head, PENDING_HEAD_SIZE) == 0 &&
        buffer_append(key, buffer_data(&text) + PENDING_HEAD_SIZE, buffer_size(&text) - PENDING_HEAD_SIZE) &&
        enrol_key_good(key);
    buffer_done(&text);
    return good;
}

static enum punkt_call write_pending(const struct enrol_files *files, const struct enrol_code *code,
                                     const struct buffer *key, char *why)
{
    char head[PENDING_HEAD_SIZE + 1];
    (void)snprintf(head, sizeof(head), PENDING_HEAD "%s\n", code->handle);
    if (ftruncate(files->lock, 0) != 0 || lseek(files->lock, 0, SEEK_SET) != 0 ||
        !write_all(files->lock, head, strlen(head)) ||
        !write_all(files->lock, buffer_data(key), buffer_size(key)) || fsync(files->lock) != 0)
        return disk_refuses(files->pending, why);
    if (!sync_folder(files->folder))
        return disk_refuses(files->folder, why);
    return PUNKT_CALL_DONE;
}

enum punkt_call enrol_files_open(struct enrol_files *files, const char *path, bool replace,
                                 const struct enrol_code *code, struct buffer *key, char *why)
{
    struct stat there;
    files->lock = -1;
    if (!name_files(files, path))
        return say(why, PUNKT_CALL_INVALID, "the path of the identity is too long");
    if (!replace && lstat(path, &there) == 0)
        return exists(path, why);
    enum punkt_call locked = lock_pending(files, why);
    if (locked != PUNKT_CALL_DONE)
        return locked;
    buffer_mark_secret(key);
    if (read_pending(files, code, key))
        return PUNKT_CALL_DONE;
    buffer_clear(key);
    if (!enrol_key_make(key))
        return say(why, PUNKT_CALL_NO_MEMORY, "no key can be made");
    return write_pending(files, code, key, why);
}

/* --- the identity --- */

static enum punkt_call write_next(const struct enrol_files *files, const struct buffer *text, char *why)
{
    (void)unlink(files->next); /* of an enrolment that was cut off; only one is at it */
    int fd = open(files->next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return disk_refuses(files->next, why);
    bool good = write_all(fd, buffer_data(text), buffer_size(text)) && fsync(fd) == 0;
    enum punkt_call written = good ? PUNKT_CALL_DONE : disk_refuses(files->next, why);
    (void)close(fd);
    return written;
}

/* A link, unlike a rename, takes nobody's place; where there are none, looking must do. */
static enum punkt_call put_in_place(const struct enrol_files *files, bool replace, char *why)
{
    struct stat there;
    if (!replace && link(files->next, files->path) == 0) {
        (void)unlink(files->next);
        return PUNKT_CALL_DONE;
    }
    if (!replace && (errno == EEXIST || lstat(files->path, &there) == 0))
        return exists(files->path, why);
    return rename(files->next, files->path) == 0 ? PUNKT_CALL_DONE : disk_refuses(files->path, why);
}

enum punkt_call enrol_files_commit(struct enrol_files *files, bool replace, const struct buffer *text,
                                   char *why)
{
    enum punkt_call done = write_next(files, text, why);
    if (done == PUNKT_CALL_DONE)
        done = put_in_place(files, replace, why);
    if (done == PUNKT_CALL_DONE && !sync_folder(files->folder))
        done = disk_refuses(files->folder, why);
    if (done != PUNKT_CALL_DONE) {
        (void)unlink(files->next);
        return done;
    }
    (void)unlink(files->pending); /* left there, the next enrolment overwrites it */
    return PUNKT_CALL_DONE;
}

void enrol_files_close(struct enrol_files *files)
{
    if (files->lock >= 0)
        (void)close(files->lock);
    files->lock = -1;
}
