/*
 * Reading an outbox: which header counts, every record that is sound, and what the rest is: a tail that a crash
 * tore, or damage.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/outbox_internal.h"

#define WINDOW_BYTES ((size_t)256 << 10)
#define SECTOR 512u
#define DAMAGED_MAX 999999u

/* The part of the file that is in outbox->record, and what was found so far. */
struct load {
    struct outbox *outbox;
    uint64_t at;
    size_t held;
    enum outbox_status status; /* not OUTBOX_OK: reading has ended */
    uint64_t last;             /* offset of the last sound record; 0: none */
    uint32_t last_size;
    uint64_t tail_end; /* behind the records: where bytes that are not zero end */
    uint64_t records, damages;
    uint64_t damaged_at; /* the first */
};

/* NULL: it cannot be read. Lives until the next call. */
static const uint8_t *window(struct load *load, uint64_t offset, size_t size)
{
    struct outbox *outbox = load->outbox;
    if (offset >= load->at && offset + size <= load->at + load->held)
        return outbox->record.bytes + (offset - load->at);
    uint64_t rest = outbox->size - offset;
    size_t wanted = size > WINDOW_BYTES ? size : WINDOW_BYTES;
    load->held = rest < wanted ? (size_t)rest : wanted;
    load->at = offset;
    if (!scratch_reserve(outbox, &outbox->record, load->held)) {
        load->status = outbox_no_memory(outbox);
        return NULL;
    }
    int error = file_read(outbox->fd, outbox->record.bytes, load->held, offset);
    if (error != 0) {
        load->status = outbox_fail(outbox, error, "%s: cannot be read at %llu", outbox->name,
                                   (unsigned long long)offset);
        return NULL;
    }
    return outbox->record.bytes;
}

/* --- header --- */

static enum outbox_status foreign(struct outbox *outbox, const char *what)
{
    (void)outbox_fail(outbox, 0, "%s: %s", outbox->name, what);
    return OUTBOX_FOREIGN;
}

static enum outbox_status load_header(struct outbox *outbox)
{
    uint8_t slot[OUTBOX_SLOT_BYTES];
    struct outbox_header header, expected = outbox->header;
    bool sound = false, newer = false, strange = true;
    for (uint64_t copy = 0; copy < 2 && outbox->size >= OUTBOX_RECORDS_BEGIN; copy++) {
        int error = file_read(outbox->fd, slot, sizeof(slot), copy * OUTBOX_SLOT_BYTES);
        if (error != 0)
            return outbox_fail(outbox, error, "%s: its header cannot be read", outbox->name);
        enum outbox_header_fault fault = outbox_header_decode(slot, &header);
        newer = newer || fault == OUTBOX_HEADER_NEWER;
        strange = strange && fault == OUTBOX_HEADER_STRANGE;
        if (fault == OUTBOX_HEADER_SOUND && (!sound || header.generation > outbox->header.generation)) {
            outbox->header = header;
            sound = true;
        }
    }
    if (newer)
        return foreign(outbox, "written by a later version");
    if (!sound)
        return foreign(outbox, strange ? "not an outbox; name another file"
                                       : "both copies of its header are damaged; move it away and keep it: "
                                         "what it holds may not be sent yet");
    if (strcmp(outbox->header.store, expected.store) != 0 ||
        strcmp(outbox->header.till, expected.till) != 0) {
        (void)outbox_fail(outbox, 0, "%s: the outbox of till %s in store %s, not of till %s in store %s",
                          outbox->name, outbox->header.till, outbox->header.store, expected.till,
                          expected.store);
        return OUTBOX_FOREIGN;
    }
    /* No number may be used twice. */
    if (memcmp(outbox->header.epochs, outbox->epochs, sizeof(outbox->epochs)) == 0)
        return outbox_fail(outbox, 0, "%s: these epochs were used before", outbox->name);
    return OUTBOX_OK;
}

/* --- records --- */

static enum outbox_status apply_operation(struct outbox *outbox, const struct outbox_record *record,
                                          uint64_t offset)
{
    struct item *item = item_new(outbox);
    if (item == NULL)
        return outbox_no_memory(outbox);
    if (!outbox_operation_decode(record, offset, &item->entry) ||
        item_find(outbox, record->epoch, record->number) != NULL) {
        heap_give(outbox->heap, item);
        return OUTBOX_OK; /* nothing of ours writes such a record */
    }
    day_reopen(outbox, item->entry.note.business_date);
    item_enter(outbox, item);
    return OUTBOX_OK;
}

static void apply_ends(struct outbox *outbox, const struct outbox_record *record)
{
    struct outbox_end end;
    for (uint32_t i = 0; outbox_end_decode(record, i, &end); i++) {
        struct item *item = item_find(outbox, end.epoch, end.number);
        if (item == NULL)
            continue; /* its operation was damaged */
        enum outbox_state state = record->type == OUTBOX_TYPE_DEAD ? OUTBOX_DEAD
                                  : end.result.result == 0         ? OUTBOX_DONE
                                                                   : OUTBOX_REFUSED;
        item_change(outbox, item, state, &end.result);
        item->closed = end.closed;
    }
}

static void apply_discard(struct outbox *outbox, const struct outbox_record *record)
{
    struct item *item = item_find(outbox, record->epoch, record->number);
    if (item == NULL || item->entry.state != OUTBOX_DEAD)
        return;
    item_leave(outbox, item);
    heap_give(outbox->heap, item);
}

static enum outbox_status apply(struct outbox *outbox, const struct outbox_record *record, uint64_t offset)
{
    switch (record->type) {
    case OUTBOX_TYPE_OP:
        return apply_operation(outbox, record, offset);
    case OUTBOX_TYPE_DONE:
    case OUTBOX_TYPE_DEAD:
        apply_ends(outbox, record);
        break;
    case OUTBOX_TYPE_DISCARD:
        apply_discard(outbox, record);
        break;
    case OUTBOX_TYPE_KNOWN:
        if (record->number > OUTBOX_KNOWN_MAX || record->number > record->payload_size)
            break;
        memcpy(outbox->known, record->payload, record->number);
        outbox->known_size = record->number;
        break;
    case OUTBOX_TYPE_CLOSED:
        if (!day_reserve(outbox))
            return outbox_no_memory(outbox);
        day_close(outbox, (int32_t)record->number, record->lane == 1);
        break;
    }
    return OUTBOX_OK;
}

/* The record there, if it is sound. */
static bool sound_at(struct load *load, uint64_t offset, struct outbox_record *out)
{
    uint64_t rest = load->outbox->size - offset;
    if (rest < OUTBOX_RECORD_HEAD)
        return false;
    const uint8_t *bytes = window(load, offset, OUTBOX_RECORD_HEAD);
    uint32_t size = bytes != NULL ? outbox_record_size(bytes, rest) : 0;
    bytes = size > 0 ? window(load, offset, size) : NULL;
    return bytes != NULL && outbox_record_decode(load->outbox->header.salt, offset, bytes, out);
}

/* The first sound record from there on; else false, and where the bytes end that are not zero. */
static bool find_sound(struct load *load, uint64_t from, uint64_t *out_offset)
{
    static const uint8_t zeros[8];
    struct outbox_record record;
    load->tail_end = from;
    for (uint64_t at = from; at < load->outbox->size; at += 8) {
        uint64_t rest = load->outbox->size - at;
        size_t size = rest < 8 ? (size_t)rest : 8;
        const uint8_t *word = window(load, at, size);
        if (word == NULL)
            return false;
        if (memcmp(word, zeros, size) == 0)
            continue;
        load->tail_end = at + size;
        if (sound_at(load, at, &record)) {
            *out_offset = at;
            return true;
        }
        if (load->status != OUTBOX_OK)
            return false;
    }
    return false;
}

static void load_records(struct load *load)
{
    struct outbox *outbox = load->outbox;
    struct outbox_record record;
    uint64_t offset = OUTBOX_RECORDS_BEGIN, next;
    while (load->status == OUTBOX_OK) {
        if (sound_at(load, offset, &record)) {
            load->status = apply(outbox, &record, offset);
            load->last = offset;
            load->last_size = record.size;
            load->records++;
            next = offset + record.size;
        } else if (load->status == OUTBOX_OK && find_sound(load, offset, &next)) {
            if (load->damages++ == 0)
                load->damaged_at = offset;
        } else {
            break;
        }
        offset = next;
    }
    outbox->end = offset;
}

/* --- the tail --- */

static bool all_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

/* Whether a sector's part of these bytes was never written. */
static bool has_hole(const uint8_t *bytes, uint64_t offset, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t part = SECTOR - (size_t)((offset + at) % SECTOR);
        part = part < size - at ? part : size - at;
        if (all_zero(bytes + at, part))
            return true;
        at += part;
    }
    return false;
}

/*
 * Behind the records stands something that is not one. A crash explains it if a part is missing, a sector or its
 * end, for the file was all zeros there. If all of it is there and its checksum is wrong, it was
 * acknowledged, and has changed since.
 */
static bool is_torn(struct load *load)
{
    const struct outbox *outbox = load->outbox;
    uint64_t tail = load->tail_end - outbox->end, rest = outbox->size - outbox->end;
    if (tail < OUTBOX_RECORD_HEAD || load->tail_end + 8 > outbox->size ||
        outbox->size % OUTBOX_SLOT_BYTES != 0)
        return true; /* its head is not whole; or the file ends before it does, or was cut: it grows by slots */
    const uint8_t *bytes = window(load, outbox->end, OUTBOX_RECORD_HEAD);
    uint32_t size = bytes != NULL ? outbox_record_size(bytes, UINT64_MAX) : 0;
    /* Without a size only its first sector can be looked at; of one that the file ends in, what there is. */
    uint64_t part = size > 0 ? size : SECTOR - outbox->end % SECTOR;
    part = part < rest ? part : rest;
    bytes = window(load, outbox->end, (size_t)part);
    return bytes != NULL &&
           (has_hole(bytes, outbox->end, (size_t)part) || (size == part && bytes[size - 1] == 0));
}

/*
 * The last record may be in the kernel's memory only: whoever wrote it was killed before the sync, or told that it
 * failed. Written once more, its pages are to be synced whatever was before. The tail goes.
 */
static enum outbox_status settle_end(struct load *load)
{
    static const uint8_t zeros[OUTBOX_SLOT_BYTES];
    struct outbox *outbox = load->outbox;
    int error = 0;
    if (load->last_size > 0) {
        const uint8_t *bytes = window(load, load->last, load->last_size);
        if (bytes == NULL)
            return load->status;
        error = file_write(outbox->fd, bytes, load->last_size, load->last);
    }
    for (uint64_t at = outbox->end; at < load->tail_end && error == 0; at += sizeof(zeros)) {
        uint64_t rest = load->tail_end - at;
        error = file_write(outbox->fd, zeros, rest < sizeof(zeros) ? (size_t)rest : sizeof(zeros), at);
    }
    if (error != 0)
        return outbox_fail(outbox, error, "%s: cannot be written", outbox->name);
    if (fdatasync(outbox->fd) != 0) {
        outbox->spoiled = true;
        return outbox_rewrite(outbox);
    }
    error = file_sync_folder(outbox); /* it may have been renamed just before a crash */
    return error == 0 ? OUTBOX_OK
                      : outbox_fail(outbox, error, "%s: its folder cannot be synced", outbox->name);
}

/* --- damage --- */

/* A second name for the file as it is, before another takes the first. */
static enum outbox_status keep_aside(struct outbox *outbox, char out_name[OUTBOX_NAME_SIZE])
{
    struct stat here, there;
    int error = fstat(outbox->fd, &here) == 0 ? EEXIST : errno;
    for (unsigned n = 1; error == EEXIST && n <= DAMAGED_MAX; n++) {
        if (snprintf(out_name, OUTBOX_NAME_SIZE, "%s.damaged-%u", outbox->name, n) >= OUTBOX_NAME_SIZE)
            break;
        error = linkat(outbox->folder, outbox->name, outbox->folder, out_name, 0) == 0 ? 0 : errno;
        /* One that was found before, by a process that came no further. */
        if (error == EEXIST && fstatat(outbox->folder, out_name, &there, 0) == 0 &&
            there.st_ino == here.st_ino && there.st_dev == here.st_dev)
            error = 0;
    }
    if (error == 0)
        error = file_sync_folder(outbox);
    return error == 0 ? OUTBOX_OK
                      : outbox_fail(outbox, error, "%s: damaged, and cannot be kept aside", outbox->name);
}

static enum outbox_status save_sound(struct load *load, char out_why[OUTBOX_WHY_SIZE])
{
    struct outbox *outbox = load->outbox;
    char aside[OUTBOX_NAME_SIZE];
    enum outbox_status status = keep_aside(outbox, aside);
    if (status == OUTBOX_OK)
        status = outbox_rewrite(outbox);
    if (status == OUTBOX_OK)
        (void)snprintf(
            out_why, OUTBOX_WHY_SIZE,
            "%s was damaged at offset %llu (places: %llu); %llu records were saved, the file is kept as %s",
            outbox->name, (unsigned long long)load->damaged_at, (unsigned long long)load->damages,
            (unsigned long long)load->records, aside);
    return status;
}

enum outbox_status outbox_load(struct outbox *outbox, char out_why[OUTBOX_WHY_SIZE])
{
    struct stat info;
    struct load load = { .outbox = outbox };
    if (fstat(outbox->fd, &info) != 0)
        return outbox_fail(outbox, errno, "%s", outbox->name);
    outbox->size = (uint64_t)info.st_size;
    enum outbox_status status = S_ISREG(info.st_mode) ? load_header(outbox) : foreign(outbox, "not a file");
    if (status != OUTBOX_OK)
        return status;
    load_records(&load);
    if (load.status == OUTBOX_OK && load.tail_end > outbox->end && !is_torn(&load) && load.damages++ == 0)
        load.damaged_at = outbox->end;
    if (load.status != OUTBOX_OK)
        return load.status;
    return load.damages > 0 ? save_sound(&load, out_why) : settle_end(&load);
}
