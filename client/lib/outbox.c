#include "lib/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/outbox_internal.h"

enum outbox_status outbox_fail(struct outbox *outbox, int error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(outbox->trouble, sizeof(outbox->trouble), format, args);
    va_end(args);
    if (error != 0 && size >= 0 && (size_t)size < sizeof(outbox->trouble))
        (void)snprintf(outbox->trouble + size, sizeof(outbox->trouble) - (size_t)size, ": %s",
                       strerror(error));
    return OUTBOX_FAILED;
}

enum outbox_status outbox_no_memory(struct outbox *outbox)
{
    (void)outbox_fail(outbox, 0, "%s: not enough memory", outbox->name);
    return OUTBOX_NO_MEMORY;
}

bool scratch_reserve(struct outbox *outbox, struct scratch *scratch, size_t size)
{
    if (size <= scratch->capacity && scratch->bytes != NULL)
        return true;
    size_t capacity = scratch->capacity < 1024 ? 1024 : scratch->capacity * 2;
    capacity = capacity < size ? size : capacity;
    uint8_t *bytes = heap_resize(outbox->heap, scratch->bytes, capacity);
    if (bytes == NULL)
        return false;
    scratch->bytes = bytes;
    scratch->capacity = capacity;
    return true;
}

/* --- open and close --- */

static bool is_code(const char *code)
{
    size_t size = code != NULL ? strnlen(code, WIRE_CODE_MAX + 1) : 0;
    return size >= 1 && size <= WIRE_CODE_MAX;
}

static struct outbox *outbox_new(const struct outbox_options *options)
{
    struct outbox *outbox = heap_take(options->heap, sizeof(*outbox));
    if (outbox == NULL)
        return NULL;
    outbox->heap = options->heap;
    outbox->open_max = options->open_max;
    outbox->age_max_us = options->age_max_us;
    outbox->earliest_us = options->earliest_us;
    outbox->opened_us = options->now_us;
    outbox->preallocate = options->preallocate > OUTBOX_RECORDS_BEGIN
                              ? options->preallocate / OUTBOX_SLOT_BYTES * OUTBOX_SLOT_BYTES
                              : OUTBOX_RECORDS_BEGIN;
    outbox->folder = outbox->lock = outbox->fd = -1;
    for (int lane = 0; lane < 2; lane++) {
        outbox->epochs[lane] = options->epochs[lane];
        outbox->next_number[lane] = 1;
    }
    return outbox;
}

static void outbox_free(struct outbox *outbox)
{
    const struct heap *heap = outbox->heap;
    file_unlock(outbox);
    items_free(outbox);
    heap_give(heap, outbox->record.bytes);
    heap_give(heap, outbox->copy.bytes);
    heap_give(heap, outbox);
}

static enum outbox_status open_file(struct outbox *outbox, const struct outbox_options *options,
                                    char out_why[OUTBOX_WHY_SIZE])
{
    if (options->path == NULL || !is_code(options->store) || !is_code(options->till) ||
        options->epochs[0] == 0 || options->epochs[1] == 0 || options->epochs[0] == options->epochs[1])
        return outbox_fail(outbox, 0, "path, store, till and two epochs must be given");
    (void)snprintf(outbox->header.store, sizeof(outbox->header.store), "%s", options->store);
    (void)snprintf(outbox->header.till, sizeof(outbox->header.till), "%s", options->till);
    enum outbox_status status = file_lock(outbox, options->path);
    if (status != OUTBOX_OK)
        return status;
    outbox->fd = openat(outbox->folder, outbox->name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (outbox->fd < 0 && errno != ENOENT)
        return outbox_fail(outbox, errno, "%s", options->path);
    return outbox->fd < 0 ? outbox_rewrite(outbox) : outbox_load(outbox, out_why);
}

enum outbox_status outbox_open(const struct outbox_options *options, struct outbox **out,
                               char out_why[OUTBOX_WHY_SIZE])
{
    *out = NULL;
    out_why[0] = '\0';
    struct outbox *outbox = outbox_new(options);
    if (outbox == NULL) {
        (void)snprintf(out_why, OUTBOX_WHY_SIZE, "not enough memory");
        return OUTBOX_NO_MEMORY;
    }
    enum outbox_status status = open_file(outbox, options, out_why);
    if (status != OUTBOX_OK) {
        (void)snprintf(out_why, OUTBOX_WHY_SIZE, "%s", outbox->trouble);
        outbox_free(outbox);
        return status;
    }
    /* Nobody holds an entry yet. If the disk has no room for a smaller file, the larger one is as good. */
    if (outbox_compact(outbox, options->now_us, false) != OUTBOX_OK && out_why[0] == '\0')
        (void)snprintf(out_why, OUTBOX_WHY_SIZE, "%s", outbox->trouble);
    *out = outbox;
    return OUTBOX_OK;
}

void outbox_close(struct outbox *outbox)
{
    if (outbox == NULL)
        return;
    (void)outbox_flush(outbox);
    outbox_free(outbox);
}

/* --- append --- */

static const struct item *oldest_open(const struct outbox *outbox)
{
    const struct item *item = outbox->oldest;
    while (item != NULL && (item->entry.state != OUTBOX_OPEN || item->again))
        item = item_of(item->entry.next);
    return item;
}

/* How long it has had no answer when another is made. */
static int64_t age_at(const struct outbox *outbox, const struct item *item, const struct outbox_note *note)
{
    int64_t now_us = note->created_us;
    if (item->entry.note.created_us < outbox->earliest_us)
        return 0;
    if (note->passed_us > 0 && outbox->opened_us + note->passed_us < now_us)
        now_us = outbox->opened_us + note->passed_us;
    return now_us - item->entry.note.created_us;
}

/* An advice is never too much: it ends the operation that it stands for, and without it the queue would stand still. */
static bool is_full(struct outbox *outbox, const struct outbox_note *note)
{
    if (note->replaces_epoch != 0)
        return false;
    const struct item *oldest = oldest_open(outbox);
    outbox->oldest = item_of(oldest != NULL ? &oldest->entry : NULL);
    uint32_t open = outbox->counts.open - outbox->again_count;
    if (open >= outbox->open_max) {
        (void)outbox_fail(outbox, 0, "outbox full: %u operations have no answer yet", open);
        return true;
    }
    int64_t age_us = oldest != NULL ? age_at(outbox, oldest, note) : 0;
    if (age_us > outbox->age_max_us) {
        (void)outbox_fail(outbox, 0, "outbox full: an operation has had no answer for %lld hours",
                          (long long)(age_us / 3600000000));
        return true;
    }
    return false;
}

static enum outbox_status append_item(struct outbox *outbox, struct item *item, const void *body)
{
    size_t size = outbox_operation_size(item->entry.body_size);
    enum outbox_status status = file_own(outbox);
    if (status != OUTBOX_OK) {
        outbox->counts.failed = status == OUTBOX_FAILED;
        return status;
    }
    if (!scratch_reserve(outbox, &outbox->record, size) ||
        !outbox_fingerprint(item->entry.operation, body, item->entry.body_size, item->entry.fingerprint))
        return outbox_no_memory(outbox);
    struct wire_writer writer = wire_writer_over(outbox->record.bytes, size);
    outbox_operation_encode(&writer, &item->entry, body);
    status = file_append(outbox, size);
    if (status != OUTBOX_OK)
        return status;
    item->entry.body_offset = outbox->end - size + OUTBOX_BODY_AT;
    outbox->next_number[item->entry.lane]++;
    day_reopen(outbox, item->entry.note.business_date);
    item_enter(outbox, item);
    return OUTBOX_OK;
}

enum outbox_status outbox_append(struct outbox *outbox, enum outbox_lane lane, uint16_t operation,
                                 uint16_t flags, const void *body, size_t body_size,
                                 const struct outbox_note *note, struct outbox_entry **out)
{
    outbox->trouble[0] = '\0';
    if (body_size > FRAME_BODY_MAX)
        return outbox_fail(outbox, 0, "an operation of %zu bytes is too long", body_size);
    if (is_full(outbox, note))
        return OUTBOX_FULL;
    struct item *item = item_new(outbox);
    if (item == NULL)
        return outbox_no_memory(outbox);
    item->entry = (struct outbox_entry){
        .lane = lane,
        .state = OUTBOX_OPEN,
        .epoch = outbox->epochs[lane],
        .number = outbox->next_number[lane],
        .operation = operation,
        .flags = flags,
        .note = *note,
        .body_size = (uint32_t)body_size,
    };
    item->entry.note.card[WIRE_CODE_MAX] = '\0';
    enum outbox_status status = append_item(outbox, item, body);
    if (status == OUTBOX_OK)
        *out = &item->entry;
    else
        heap_give(outbox->heap, item);
    return status;
}

/* --- how they end --- */

void outbox_settle(struct outbox *outbox, struct outbox_entry *entry, const struct outbox_result *result)
{
    struct item *item = item_of(entry);
    if (entry->state != OUTBOX_OPEN)
        return;
    item_change(outbox, item, result->result == 0 ? OUTBOX_DONE : OUTBOX_REFUSED, result);
    item_unsettle(outbox, item);
}

enum outbox_status outbox_flush(struct outbox *outbox)
{
    outbox->trouble[0] = '\0';
    for (;;) {
        size_t size;
        enum outbox_status status = unsettled_encode(outbox, &size);
        if (status == OUTBOX_OK && size > 0)
            status = file_append(outbox, size);
        if (status != OUTBOX_OK || size == 0)
            return status;
        unsettled_written(outbox);
    }
}

enum outbox_status outbox_bury(struct outbox *outbox, struct outbox_entry *entry,
                               const struct outbox_result *result)
{
    struct item *item = item_of(entry);
    if (entry->state == OUTBOX_OPEN) {
        item_change(outbox, item, OUTBOX_DEAD, result);
        item_unsettle(outbox, item);
    }
    return outbox_flush(outbox);
}

enum outbox_status outbox_discard(struct outbox *outbox, struct outbox_entry *entry)
{
    struct item *item = item_of(entry);
    if (entry->state == OUTBOX_DEAD && item_find(outbox, entry->epoch, entry->number) == item) {
        item_leave(outbox, item);
        item->previous = outbox->gone;
        outbox->gone = item;
        item_unsettle(outbox, item);
    }
    return outbox_flush(outbox);
}

void outbox_reopen(struct outbox *outbox, struct outbox_entry *entry)
{
    struct item *item = item_of(entry);
    if (entry->state == OUTBOX_OPEN || item_find(outbox, entry->epoch, entry->number) != item)
        return;
    item->again = true;
    entry->unsettled = false; /* stays in the chain, and is passed over */
    item_change(outbox, item, OUTBOX_OPEN, NULL);
}

/* --- what is to be known --- */

enum outbox_status outbox_keep(struct outbox *outbox, const void *bytes, size_t size)
{
    outbox->trouble[0] = '\0';
    if (size > OUTBOX_KNOWN_MAX)
        return outbox_fail(outbox, 0, "%zu bytes are too many to be kept", size);
    size_t room = OUTBOX_RECORD_MIN + OUTBOX_KNOWN_MAX;
    if (!scratch_reserve(outbox, &outbox->record, room))
        return outbox_no_memory(outbox);
    struct wire_writer writer = wire_writer_over(outbox->record.bytes, room);
    outbox_known_encode(&writer, bytes, size);
    enum outbox_status status = file_append(outbox, wire_written(&writer));
    if (status != OUTBOX_OK)
        return status;
    if (size > 0)
        memmove(outbox->known, bytes, size);
    outbox->known_size = size;
    return OUTBOX_OK;
}

const void *outbox_known(const struct outbox *outbox, size_t *out_size)
{
    *out_size = outbox->known_size;
    return outbox->known;
}

enum outbox_status outbox_close_day(struct outbox *outbox, int32_t business_date)
{
    /* What was answered must stand before the close that covers it. */
    enum outbox_status status = outbox_flush(outbox);
    if (status != OUTBOX_OK)
        return status;
    if (!day_reserve(outbox) || !scratch_reserve(outbox, &outbox->record, OUTBOX_RECORD_MIN))
        return outbox_no_memory(outbox);
    struct wire_writer writer = wire_writer_over(outbox->record.bytes, OUTBOX_RECORD_MIN);
    outbox_closed_encode(&writer, business_date, true);
    status = file_append(outbox, OUTBOX_RECORD_MIN);
    if (status == OUTBOX_OK)
        day_close(outbox, business_date, true);
    return status;
}

/* --- looking --- */

bool outbox_body(struct outbox *outbox, const struct outbox_entry *entry, struct buffer *out)
{
    outbox->trouble[0] = '\0';
    const uint8_t *record;
    if (file_operation(outbox, entry, &record) != OUTBOX_OK)
        return false;
    if (buffer_append(out, record + OUTBOX_BODY_AT, entry->body_size))
        return true;
    (void)outbox_no_memory(outbox);
    return false;
}

struct outbox_entry *outbox_first(const struct outbox *outbox)
{
    return outbox->first != NULL ? &outbox->first->entry : NULL;
}

struct outbox_entry *outbox_find(const struct outbox *outbox, uint64_t epoch, uint64_t number)
{
    struct item *item = item_find(outbox, epoch, number);
    return item != NULL ? &item->entry : NULL;
}

uint64_t outbox_epoch(const struct outbox *outbox, enum outbox_lane lane)
{
    return outbox->epochs[lane];
}

uint64_t outbox_next_number(const struct outbox *outbox, enum outbox_lane lane)
{
    return outbox->next_number[lane];
}

void outbox_counts(const struct outbox *outbox, struct outbox_counts *out)
{
    const struct item *oldest = oldest_open(outbox);
    *out = outbox->counts;
    out->oldest_us = oldest != NULL ? oldest->entry.note.created_us : 0;
    out->unsettled = unsettled_count(outbox);
    out->bytes = outbox->end;
    out->reopened = outbox->again_count;
}

const char *outbox_trouble(const struct outbox *outbox)
{
    return outbox->trouble;
}
