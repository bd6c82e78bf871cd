/*
 * Writing an outbox anew: into a file beside it, synced, which then takes its name. Whoever is killed here leaves
 * the old file or the new one, whole; both hold everything that anybody was told.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/outbox_internal.h"

#define CHUNK_BYTES ((size_t)256 << 10)

/* A file that is being written. */
struct anew {
    struct outbox *outbox;
    int fd;
    struct outbox_header header;
    uint64_t at;          /* where the chunk will stand */
    struct scratch chunk; /* records, unsealed */
    size_t held;          /* bytes of them */
};

static enum outbox_status fail(const struct anew *anew, int error, const char *what)
{
    return outbox_fail(anew->outbox, error, "%s.new: %s", anew->outbox->name, what);
}

static enum outbox_status write_chunk(struct anew *anew)
{
    outbox_seal(anew->header.salt, anew->at, anew->chunk.bytes, anew->held);
    int error = file_write(anew->fd, anew->chunk.bytes, anew->held, anew->at);
    if (error != 0)
        return fail(anew, error, "cannot be written");
    anew->at += anew->held;
    anew->held = 0;
    return OUTBOX_OK;
}

/* Room in the chunk for a record, or many, of that size together. */
static enum outbox_status make_room(struct anew *anew, size_t size)
{
    if (anew->held > 0 && anew->held + size > CHUNK_BYTES) {
        enum outbox_status status = write_chunk(anew);
        if (status != OUTBOX_OK)
            return status;
    }
    return scratch_reserve(anew->outbox, &anew->chunk, anew->held + size) ? OUTBOX_OK
                                                                          : outbox_no_memory(anew->outbox);
}

static struct wire_writer room_in(const struct anew *anew)
{
    return wire_writer_over(anew->chunk.bytes + anew->held, anew->chunk.capacity - anew->held);
}

/* --- what is in it --- */

/* How long the file has to be at least. */
static uint64_t size_wanted(const struct outbox *outbox)
{
    uint64_t size = OUTBOX_RECORDS_BEGIN + answered_size(outbox) + OUTBOX_RECORD_MIN + OUTBOX_KNOWN_MAX +
                    (uint64_t)outbox->closed_count * OUTBOX_RECORD_MIN;
    for (const struct outbox_entry *entry = outbox_first(outbox); entry != NULL; entry = entry->next)
        size += item_of(entry)->forget ? 0 : outbox_operation_size(entry->body_size);
    return (size + OUTBOX_SLOT_BYTES - 1) / OUTBOX_SLOT_BYTES * OUTBOX_SLOT_BYTES;
}

/* Space for all of it first, and for what is to come; in need, without the latter. */
static enum outbox_status take_space(struct anew *anew, uint64_t *out_size)
{
    uint64_t wanted = size_wanted(anew->outbox);
    *out_size = wanted > anew->outbox->preallocate ? wanted : anew->outbox->preallocate;
    int error = file_allocate(anew->fd, *out_size);
    if (error == ENOSPC && anew->outbox->fd >= 0 && wanted < *out_size) {
        *out_size = wanted;
        error = file_allocate(anew->fd, wanted);
    }
    if (error != 0)
        return outbox_fail(anew->outbox, error, "%s: no space for %llu bytes", anew->outbox->name,
                           (unsigned long long)*out_size);
    return OUTBOX_OK;
}

/* Both copies, so that either may be lost. */
static enum outbox_status write_headers(struct anew *anew)
{
    uint8_t slot[OUTBOX_SLOT_BYTES];
    const struct outbox *outbox = anew->outbox;
    anew->header = outbox->header;
    memcpy(anew->header.epochs, outbox->epochs, sizeof(outbox->epochs));
    /* No two files of this outbox have the same: generations grow, and epochs are random. */
    anew->header.salt = (outbox->epochs[0] ^ (outbox->epochs[1] << 1)) + outbox->header.generation + 1;
    for (int copy = 0; copy < 2; copy++) {
        anew->header.generation++;
        outbox_header_encode(&anew->header, slot);
        int error = file_write(anew->fd, slot, sizeof(slot), anew->header.generation % 2 * OUTBOX_SLOT_BYTES);
        if (error != 0)
            return fail(anew, error, "cannot be written");
    }
    return OUTBOX_OK;
}

static enum outbox_status write_operations(struct anew *anew)
{
    struct outbox *outbox = anew->outbox;
    for (struct outbox_entry *entry = outbox_first(outbox); entry != NULL; entry = entry->next) {
        struct item *item = item_of(entry);
        size_t size = outbox_operation_size(entry->body_size);
        if (item->forget)
            continue;
        enum outbox_status status = make_room(anew, size);
        const uint8_t *record;
        if (status == OUTBOX_OK)
            status = file_operation(outbox, entry, &record);
        if (status != OUTBOX_OK)
            return status;
        memcpy(anew->chunk.bytes + anew->held, record, size);
        item->moved_to = anew->at + anew->held + OUTBOX_BODY_AT;
        anew->held += size;
    }
    return OUTBOX_OK;
}

static enum outbox_status write_rest(struct anew *anew)
{
    const struct outbox *outbox = anew->outbox;
    size_t size = answered_size(outbox) + OUTBOX_RECORD_MIN + OUTBOX_KNOWN_MAX +
                  outbox->closed_count * OUTBOX_RECORD_MIN;
    enum outbox_status status = make_room(anew, size);
    if (status != OUTBOX_OK)
        return status;
    struct wire_writer writer = room_in(anew);
    answered_encode(outbox, &writer);
    if (outbox->known_size > 0)
        outbox_known_encode(&writer, outbox->known, outbox->known_size);
    /* The ends say themselves which of them a close covered. */
    for (size_t i = 0; i < outbox->closed_count; i++)
        outbox_closed_encode(&writer, outbox->closed_days[i], false);
    anew->held += wire_written(&writer);
    return write_chunk(anew);
}

/* --- in the place of the old --- */

/* From the rename on nobody knows which of the two a crash leaves, until the folder is synced. */
static enum outbox_status take_place(struct anew *anew, const char *name, uint64_t size)
{
    struct outbox *outbox = anew->outbox;
    outbox->spoiled = true;
    if (renameat(outbox->folder, name, outbox->folder, outbox->name) != 0)
        return fail(anew, errno, "cannot be renamed");
    if (outbox->fd >= 0)
        (void)close(outbox->fd);
    outbox->fd = anew->fd;
    anew->fd = -1;
    outbox->header = anew->header;
    outbox->header_written = true;
    outbox->size = size;
    outbox->end = anew->at;
    outbox->dirty_end = 0;
    for (struct outbox_entry *entry = outbox_first(outbox); entry != NULL; entry = entry->next)
        entry->body_offset = item_of(entry)->moved_to;
    items_settled(outbox);
    items_forget(outbox, true);
    int error = file_sync_folder(outbox);
    if (error != 0)
        return outbox_fail(outbox, error, "%s: its folder cannot be synced", outbox->name);
    outbox->spoiled = false;
    return OUTBOX_OK;
}

static enum outbox_status write_anew(struct anew *anew, const char *name)
{
    uint64_t size;
    anew->fd = openat(anew->outbox->folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (anew->fd < 0)
        return fail(anew, errno, "cannot be made");
    enum outbox_status status = take_space(anew, &size);
    if (status == OUTBOX_OK)
        status = write_headers(anew);
    if (status == OUTBOX_OK)
        status = write_operations(anew);
    if (status == OUTBOX_OK)
        status = write_rest(anew);
    if (status == OUTBOX_OK && fsync(anew->fd) != 0)
        status = fail(anew, errno, "cannot be synced");
    return status == OUTBOX_OK ? take_place(anew, name, size) : status;
}

enum outbox_status outbox_rewrite(struct outbox *outbox)
{
    char name[OUTBOX_NAME_SIZE + 8];
    struct anew anew = { .outbox = outbox, .fd = -1, .at = OUTBOX_RECORDS_BEGIN };
    (void)snprintf(name, sizeof(name), "%s.new", outbox->name);
    (void)unlinkat(outbox->folder, name, 0); /* of a process that was killed here */
    enum outbox_status status = write_anew(&anew, name);
    if (anew.fd >= 0) {
        (void)close(anew.fd);
        (void)unlinkat(outbox->folder, name, 0);
    }
    items_forget(outbox, false);
    heap_give(outbox->heap, anew.chunk.bytes);
    outbox->counts.failed = status == OUTBOX_FAILED;
    return status;
}

/* --- when --- */

/* Bytes of the file that nobody needs any more, once those marked are forgotten. */
static uint64_t waste(const struct outbox *outbox)
{
    uint64_t wanted = size_wanted(outbox);
    return outbox->end > wanted ? outbox->end - wanted : 0;
}

enum outbox_status outbox_compact(struct outbox *outbox, int64_t now_us, bool always)
{
    outbox->trouble[0] = '\0';
    for (struct outbox_entry *entry = outbox_first(outbox); entry != NULL; entry = entry->next)
        item_of(entry)->forget = item_may_go(item_of(entry), now_us);
    bool worth =
        outbox->end > outbox->preallocate && waste(outbox) >= (outbox->end - OUTBOX_RECORDS_BEGIN) / 2;
    if (always || worth)
        return outbox_rewrite(outbox);
    items_forget(outbox, false);
    return OUTBOX_OK;
}
