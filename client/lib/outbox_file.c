/*
 * The file of an outbox: locked, grown, appended to and synced.
 *
 * The lock is on a file of its own beside it, which is never renamed or removed: who compacts the outbox puts
 * another file under its name, and a lock on that would be two.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/outbox_internal.h"

#define GROW_BYTES (UINT64_C(1) << 20)

/* --- calls that may be short or interrupted --- */

int file_write(int fd, const void *bytes, size_t size, uint64_t offset)
{
    const uint8_t *from = bytes;
    for (size_t at = 0; at < size;) {
        ssize_t written = pwrite(fd, from + at, size - at, (off_t)(offset + at));
        if (written > 0)
            at += (size_t)written;
        else if (written == 0)
            return EIO;
        else if (errno != EINTR)
            return errno;
    }
    return 0;
}

int file_read(int fd, void *bytes, size_t size, uint64_t offset)
{
    uint8_t *to = bytes;
    for (size_t at = 0; at < size;) {
        ssize_t got = pread(fd, to + at, size - at, (off_t)(offset + at));
        if (got > 0)
            at += (size_t)got;
        else if (got == 0)
            return EIO;
        else if (errno != EINTR)
            return errno;
    }
    return 0;
}

int file_allocate(int fd, uint64_t size)
{
    int error;
    do {
        error = posix_fallocate(fd, 0, (off_t)size);
    } while (error == EINTR);
    return error;
}

int file_sync_folder(const struct outbox *outbox)
{
    return fsync(outbox->folder) == 0 ? 0 : errno;
}

/* --- lock --- */

static enum outbox_status open_folder(struct outbox *outbox, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    size_t size = strlen(name);
    if (size == 0 || size >= sizeof(outbox->name) - sizeof(".damaged-000000"))
        return outbox_fail(outbox, 0, "%s: not the name of a file that an outbox can have", path);
    memcpy(outbox->name, name, size + 1);
    char *folder = heap_take(outbox->heap, strlen(path) + 2);
    if (folder == NULL)
        return outbox_no_memory(outbox);
    memcpy(folder, slash != NULL ? path : ".", slash != NULL ? (size_t)(slash - path) + 1 : 1);
    outbox->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = errno;
    enum outbox_status status = OUTBOX_OK;
    if (outbox->folder < 0)
        status = outbox_fail(outbox, error, "%s", folder);
    heap_give(outbox->heap, folder);
    return status;
}

enum outbox_status file_lock(struct outbox *outbox, const char *path)
{
    char name[OUTBOX_NAME_SIZE + 8];
    enum outbox_status status = open_folder(outbox, path);
    if (status != OUTBOX_OK)
        return status;
    (void)snprintf(name, sizeof(name), "%s.lock", outbox->name);
    outbox->lock = openat(outbox->folder, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (outbox->lock < 0)
        return outbox_fail(outbox, errno, "%s.lock", path);
    while (flock(outbox->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK)
            return outbox_fail(outbox, errno, "%s.lock: cannot be locked", path);
        (void)outbox_fail(outbox, 0, "%s: another process has this outbox open", path);
        return OUTBOX_IN_USE;
    }
    return OUTBOX_OK;
}

void file_unlock(struct outbox *outbox)
{
    int *fds[] = { &outbox->fd, &outbox->lock, &outbox->folder };
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (*fds[i] >= 0)
            (void)close(*fds[i]);
        *fds[i] = -1;
    }
}

/* --- append --- */

/* A sync that failed is never repeated: the kernel may take the pages for clean (RELIABILITY.md, Journal, 1). */
static enum outbox_status sync_file(struct outbox *outbox)
{
    if (fdatasync(outbox->fd) == 0)
        return OUTBOX_OK;
    int error = errno;
    outbox->spoiled = true;
    return outbox_fail(outbox, error, "%s: cannot be synced", outbox->name);
}

static enum outbox_status grow_to(struct outbox *outbox, uint64_t end)
{
    if (end <= outbox->size)
        return OUTBOX_OK;
    uint64_t size = (end + GROW_BYTES) / OUTBOX_SLOT_BYTES * OUTBOX_SLOT_BYTES;
    int error = file_allocate(outbox->fd, size);
    if (error != 0)
        return outbox_fail(outbox, error, "%s: no space for %llu bytes", outbox->name,
                           (unsigned long long)size);
    outbox->size = size;
    return OUTBOX_OK;
}

/* What a write that failed left behind the end is covered with zeros, so that it is never taken for damage. */
static enum outbox_status cover_dirt(struct outbox *outbox, size_t size, size_t *out_size)
{
    uint64_t dirt = outbox->dirty_end > outbox->end + size ? outbox->dirty_end - outbox->end - size : 0;
    *out_size = size + (size_t)dirt;
    if (!scratch_reserve(outbox, &outbox->record, *out_size))
        return outbox_no_memory(outbox);
    memset(outbox->record.bytes + size, 0, (size_t)dirt);
    return OUTBOX_OK;
}

static enum outbox_status append_once(struct outbox *outbox, size_t size)
{
    size_t covered;
    enum outbox_status status = cover_dirt(outbox, size, &covered);
    if (status == OUTBOX_OK)
        status = grow_to(outbox, outbox->end + size);
    if (status != OUTBOX_OK)
        return status;
    outbox_seal(outbox->header.salt, outbox->end, outbox->record.bytes, size);
    int error = file_write(outbox->fd, outbox->record.bytes, covered, outbox->end);
    if (error != 0) {
        if (outbox->dirty_end < outbox->end + covered)
            outbox->dirty_end = outbox->end + covered;
        return outbox_fail(outbox, error, "%s: cannot be written", outbox->name);
    }
    status = sync_file(outbox);
    if (status == OUTBOX_OK)
        outbox->end += size;
    return status;
}

enum outbox_status file_append(struct outbox *outbox, size_t size)
{
    enum outbox_status status = OUTBOX_OK;
    bool was_spoiled = outbox->spoiled;
    if (was_spoiled)
        status = outbox_rewrite(outbox);
    if (status == OUTBOX_OK)
        status = append_once(outbox, size);
    /* Once into a new file, where its sums are others; a disk that refuses that, too, is asked at the next append. */
    if (status != OUTBOX_OK && outbox->spoiled && !was_spoiled) {
        status = outbox_rewrite(outbox);
        if (status == OUTBOX_OK)
            status = append_once(outbox, size);
    }
    outbox->counts.failed = status == OUTBOX_FAILED;
    return status;
}

enum outbox_status file_own(struct outbox *outbox)
{
    uint8_t slot[OUTBOX_SLOT_BYTES];
    if (outbox->header_written)
        return OUTBOX_OK;
    if (outbox->spoiled)
        return outbox_rewrite(outbox); /* the new file's header names them */
    struct outbox_header header = outbox->header;
    header.generation++;
    memcpy(header.epochs, outbox->epochs, sizeof(header.epochs));
    outbox_header_encode(&header, slot);
    int error = file_write(outbox->fd, slot, sizeof(slot), header.generation % 2 * OUTBOX_SLOT_BYTES);
    if (error != 0)
        return outbox_fail(outbox, error, "%s: cannot be written", outbox->name);
    enum outbox_status status = sync_file(outbox);
    if (status != OUTBOX_OK)
        return outbox_rewrite(outbox);
    outbox->header = header;
    outbox->header_written = true;
    return OUTBOX_OK;
}

enum outbox_status file_operation(struct outbox *outbox, const struct outbox_entry *entry,
                                  const uint8_t **out)
{
    struct outbox_record record;
    size_t size = outbox_operation_size(entry->body_size);
    uint64_t offset = entry->body_offset - OUTBOX_BODY_AT;
    if (!scratch_reserve(outbox, &outbox->copy, size))
        return outbox_no_memory(outbox);
    *out = outbox->copy.bytes;
    int error = file_read(outbox->fd, outbox->copy.bytes, size, offset);
    if (error == 0 && outbox_record_size(outbox->copy.bytes, size) == size &&
        outbox_record_decode(outbox->header.salt, offset, outbox->copy.bytes, &record) &&
        record.type == OUTBOX_TYPE_OP && record.epoch == entry->epoch && record.number == entry->number)
        return OUTBOX_OK;
    return outbox_fail(outbox, error, "%s: the operation at %llu is damaged", outbox->name,
                       (unsigned long long)offset);
}
