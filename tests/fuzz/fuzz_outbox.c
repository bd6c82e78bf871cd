/*
 * An outbox as a disk may give it back: it opens or is refused; what is found can be read, and is found again.
 * The first byte says what the rest is: bit 0, records behind a sound header, else the whole file; bit 1, whatever may
 * be a record gets the checksum that it should have, so that what is behind the checksums is reached.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/outbox_format.h"

#define SALT 0x5A17u
#define PATH_SIZE 64
#define LONG_AGO (INT64_MIN + INT64_C(7) * 86400 * 1000000) /* when nothing was old enough to be forgotten */

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                  \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

static char dir[PATH_SIZE];

static void path_of(const char *suffix, char out[2 * PATH_SIZE])
{
    CHECK(snprintf(out, 2 * PATH_SIZE, "%s/outbox%s", dir, suffix) < 2 * PATH_SIZE);
}

static void remove_files(void)
{
    static const char *const suffixes[] = { "", ".lock", ".new", ".damaged-1", ".damaged-2" };
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        char path[2 * PATH_SIZE];
        path_of(suffixes[i], path);
        (void)unlink(path); /* may not be there */
    }
}

static void leave(void)
{
    remove_files();
    (void)rmdir(dir);
}

static void make_folder(void)
{
    if (dir[0] != '\0')
        return;
    (void)snprintf(dir, sizeof(dir), "/dev/shm/fuzz-outbox-XXXXXX");
    if (mkdtemp(dir) == NULL) {
        (void)snprintf(dir, sizeof(dir), "/tmp/fuzz-outbox-XXXXXX");
        CHECK(mkdtemp(dir) != NULL);
    }
    CHECK(atexit(leave) == 0);
}

static void seal_all(uint8_t *records, size_t size)
{
    for (size_t at = 0; at + OUTBOX_RECORD_HEAD <= size; at += 8) {
        uint32_t record = outbox_record_size(records + at, size - at);
        if (record > 0) {
            outbox_seal(SALT, OUTBOX_RECORDS_BEGIN + at, records + at, record);
            at += record - 8;
        }
    }
}

static void write_file(const uint8_t *data, size_t size)
{
    char path[2 * PATH_SIZE];
    struct outbox_header header = { "7", "3", { 1, 2 }, 1, SALT };
    uint8_t slot[OUTBOX_SLOT_BYTES];
    path_of("", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    if ((data[0] & 1) != 0) {
        outbox_header_encode(&header, slot);
        CHECK(write(fd, slot, sizeof(slot)) == (ssize_t)sizeof(slot));
        CHECK(write(fd, slot, sizeof(slot)) == (ssize_t)sizeof(slot));
    }
    size--;
    uint8_t *records = malloc(size + 1);
    CHECK(records != NULL);
    memcpy(records, data + 1, size);
    if ((data[0] & 2) != 0)
        seal_all(records, size);
    CHECK(write(fd, records, size) == (ssize_t)size);
    free(records);
    (void)close(fd);
}

static enum outbox_status open_outbox(uint64_t epoch, struct outbox **out, char why[OUTBOX_WHY_SIZE])
{
    char path[2 * PATH_SIZE];
    path_of("", path);
    struct outbox_options options = { .path = path,
                                      .store = "7",
                                      .till = "3",
                                      .epochs = { epoch, epoch + 1 },
                                      .now_us = LONG_AGO,
                                      .open_max = UINT32_MAX,
                                      .age_max_us = INT64_MAX / 4,
                                      .preallocate = 8192 };
    return outbox_open(&options, out, why);
}

/* Everything that is listed can be found and read; how many. */
static size_t check_entries(struct outbox *outbox)
{
    size_t count = 0;
    struct outbox_counts counts;
    for (struct outbox_entry *entry = outbox_first(outbox); entry != NULL; entry = entry->next, count++) {
        struct buffer body = { 0 };
        CHECK(outbox_find(outbox, entry->epoch, entry->number) == entry);
        CHECK(outbox_body(outbox, entry, &body) && buffer_size(&body) == entry->body_size);
        CHECK(strlen(entry->note.card) <= WIRE_CODE_MAX);
        buffer_done(&body);
    }
    outbox_counts(outbox, &counts);
    CHECK((size_t)counts.open + counts.dead + counts.kept == count && counts.queued <= counts.open);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outbox *outbox;
    struct outbox_entry *entry;
    struct outbox_note note = { .replaces_epoch = 1 }; /* an advice, which is never too much */
    char why[OUTBOX_WHY_SIZE];
    if (size < 1)
        return 0;
    make_folder();
    write_file(data, size);
    enum outbox_status status = open_outbox(UINT64_MAX - 10, &outbox, why);
    CHECK(status == OUTBOX_OK || (status == OUTBOX_FOREIGN && outbox == NULL && why[0] != '\0'));
    if (status == OUTBOX_OK) {
        size_t count = check_entries(outbox);
        CHECK(outbox_append(outbox, OUTBOX_LANE_QUEUE, 1, 0, "x", 1, &note, &entry) == OUTBOX_OK);
        CHECK(outbox_compact(outbox, LONG_AGO, size % 2 == 0) == OUTBOX_OK);
        outbox_close(outbox);
        CHECK(open_outbox(UINT64_MAX - 20, &outbox, why) == OUTBOX_OK && why[0] == '\0');
        CHECK(check_entries(outbox) == count + 1);
        outbox_close(outbox);
    }
    remove_files();
    return 0;
}
