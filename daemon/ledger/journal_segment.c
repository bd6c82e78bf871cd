#include "ledger/journal_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LOCK_NAME "lock"
#define SPARE_PREFIX "spare-"

/* --- the table --- */

bool table_add(struct segment_table *table, journal_position start)
{
    bool added = false;
    pthread_mutex_lock(&table->lock);
    if (table->count == table->capacity) {
        size_t capacity = table->capacity == 0 ? 64 : table->capacity * 2;
        journal_position *starts = realloc(table->starts, capacity * sizeof(*starts));
        if (starts == NULL)
            goto out;
        table->starts = starts;
        table->capacity = capacity;
    }
    table->starts[table->count++] = start;
    added = true;
out:
    pthread_mutex_unlock(&table->lock);
    return added;
}

bool table_find(struct segment_table *table, journal_position position, size_t *out_index,
                journal_position *out_start)
{
    pthread_mutex_lock(&table->lock);
    size_t low = 0, high = table->count; /* the answer is below high; all below low begin early enough */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->starts[middle] <= position)
            low = middle + 1;
        else
            high = middle;
    }
    if (low > 0) {
        *out_index = low - 1;
        *out_start = table->starts[low - 1];
    }
    pthread_mutex_unlock(&table->lock);
    return low > 0;
}

bool table_at(struct segment_table *table, size_t index, journal_position *out_start)
{
    pthread_mutex_lock(&table->lock);
    bool found = index < table->count;
    if (found)
        *out_start = table->starts[index];
    pthread_mutex_unlock(&table->lock);
    return found;
}

/* --- the folder --- */

/* Also where the folder was there already: who made it may have died before it could sync. */
static enum punkt_status folder_sync_parent(const struct journal *journal, struct failure *failure)
{
    enum punkt_status status = PUNKT_OK;
    int fd = openat(journal->dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        /* Mounted under a folder that is not ours to read: then it is not ours to sync. */
        return errno == EACCES ? PUNKT_OK : file_failure(journal, failure, "open", "..", errno);
    }
    if (fsync(fd) != 0)
        status = file_failure(journal, failure, "sync", "..", errno);
    (void)close(fd);
    return status;
}

static enum punkt_status folder_lock(struct journal *journal, struct failure *failure)
{
    bool read_only = journal->options.read_only;
    journal->lock_fd = read_only ? openat(journal->dir_fd, LOCK_NAME, O_RDONLY | O_CLOEXEC)
                                 : openat(journal->dir_fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (journal->lock_fd < 0) {
        /* A copy that never had a daemon has no lock, and who only reads makes none. */
        if (read_only && errno == ENOENT)
            return PUNKT_OK;
        return file_failure(journal, failure, "open", LOCK_NAME, errno);
    }
    while (flock(journal->lock_fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
        if (errno == EINTR)
            continue;
        if (errno == EWOULDBLOCK) {
            failure_set(failure, "%s is in use by another process", journal->options.dir);
            return PUNKT_BUSY;
        }
        return file_failure(journal, failure, "lock", LOCK_NAME, errno);
    }
    return PUNKT_OK;
}

enum punkt_status folder_open(struct journal *journal, struct failure *failure)
{
    bool read_only = journal->options.read_only;
    if (!read_only && mkdir(journal->options.dir, 0700) != 0 && errno != EEXIST)
        return file_failure(journal, failure, "make", "", errno);
    journal->dir_fd = open(journal->options.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (journal->dir_fd < 0) {
        int error = errno;
        enum punkt_status status = file_failure(journal, failure, "open", "", error);
        return error == ENOENT ? PUNKT_NOT_FOUND : status;
    }
    enum punkt_status status = read_only ? PUNKT_OK : folder_sync_parent(journal, failure);
    return status == PUNKT_OK ? folder_lock(journal, failure) : status;
}

static void spare_name(unsigned number, char out_name[SPARE_NAME_SIZE])
{
    (void)snprintf(out_name, SPARE_NAME_SIZE, SPARE_PREFIX "%u", number);
}

/* A spare of an earlier process may be half made: its name is kept, its content is written anew. */
static enum punkt_status folder_keep_spare(struct journal *journal, const char *name, struct failure *failure)
{
    struct segment_writer *writer = &journal->writer;
    unsigned number = 0;
    char again[SPARE_NAME_SIZE];
    if (journal->options.read_only || sscanf(name, SPARE_PREFIX "%u", &number) != 1)
        return PUNKT_OK;
    spare_name(number, again);
    if (strcmp(name, again) != 0)
        return PUNKT_OK;
    if (writer->spare_number == 0 && number != 0) {
        writer->spare_number = number;
        return PUNKT_OK;
    }
    if (unlinkat(journal->dir_fd, name, 0) != 0)
        return file_failure(journal, failure, "remove", name, errno);
    return PUNKT_OK;
}

static int compare_starts(const void *a, const void *b)
{
    journal_position left = *(const journal_position *)a, right = *(const journal_position *)b;
    return left < right ? -1 : left > right;
}

enum punkt_status folder_list(struct journal *journal, struct failure *failure)
{
    enum punkt_status status = PUNKT_OK;
    DIR *dir = NULL;
    int fd = openat(journal->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || (dir = fdopendir(fd)) == NULL) {
        status = file_failure(journal, failure, "list", "", errno);
        if (fd >= 0)
            (void)close(fd);
        return status;
    }
    struct dirent *entry;
    while (status == PUNKT_OK && (errno = 0, entry = readdir(dir)) != NULL) {
        journal_position start;
        if (segment_name_parse(entry->d_name, &start)) {
            if (!table_add(&journal->table, start)) {
                failure_set(failure, "no memory for the table of segments");
                status = PUNKT_NO_MEMORY;
            }
        } else {
            status = folder_keep_spare(journal, entry->d_name, failure);
        }
    }
    if (status == PUNKT_OK && errno != 0)
        status = file_failure(journal, failure, "list", "", errno);
    (void)closedir(dir);
    if (journal->table.count > 0)
        qsort(journal->table.starts, journal->table.count, sizeof(*journal->table.starts), compare_starts);
    return status;
}

uint64_t folder_free_bytes(const struct journal *journal)
{
    struct statvfs space;
    if (fstatvfs(journal->dir_fd, &space) != 0)
        return 0;
    return (uint64_t)space.f_bavail * space.f_frsize;
}

/* --- segments --- */

static enum punkt_status segment_damaged(struct journal_damage *out_damage, const char *name, uint64_t offset,
                                         const char *text)
{
    *out_damage = (struct journal_damage){ .offset = offset };
    (void)snprintf(out_damage->file, sizeof(out_damage->file), "%s", name);
    (void)snprintf(out_damage->text, sizeof(out_damage->text), "%s", text);
    return PUNKT_CORRUPT;
}

static enum punkt_status segment_check(const struct journal *journal, int fd, const char *name,
                                       journal_position start, uint64_t *out_bytes,
                                       struct journal_damage *out_damage, struct failure *failure)
{
    uint8_t bytes[SEGMENT_HEADER_SIZE];
    struct segment_header header;
    struct stat info;
    if (fstat(fd, &info) != 0)
        return file_failure(journal, failure, "read", name, errno);
    uint64_t size = (uint64_t)info.st_size;
    if (size < SEGMENT_HEADER_SIZE)
        return segment_damaged(out_damage, name, size, "the file ends before the segment's header does");
    int error = file_read_all(fd, bytes, sizeof(bytes), 0);
    if (error != 0)
        return file_failure(journal, failure, "read", name, error);
    const char *wrong = segment_header_decode(bytes, &header);
    if (wrong != NULL)
        return segment_damaged(out_damage, name, 0, wrong);
    if (memcmp(header.id, journal->id, JOURNAL_ID_SIZE) != 0)
        return segment_damaged(out_damage, name, 16, "the segment belongs to another journal");
    if (header.start != start)
        return segment_damaged(out_damage, name, 32, "the segment's header and its name differ");
    if (header.segment_bytes < size)
        return segment_damaged(out_damage, name, header.segment_bytes,
                               "the file goes on behind the segment's end");
    if (header.segment_bytes > size)
        return segment_damaged(out_damage, name, size, "the file ends before the segment does");
    *out_bytes = header.segment_bytes;
    return PUNKT_OK;
}

enum punkt_status segment_open(const struct journal *journal, journal_position start, bool to_write,
                               int *out_fd, uint64_t *out_bytes, struct journal_damage *out_damage,
                               struct failure *failure)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(start, name);
    int fd = openat(journal->dir_fd, name, (to_write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (fd < 0) {
        int error = errno;
        enum punkt_status status = file_failure(journal, failure, "open", name, error);
        return error == ENOENT ? PUNKT_NOT_FOUND : status;
    }
    enum punkt_status status = segment_check(journal, fd, name, start, out_bytes, out_damage, failure);
    if (status != PUNKT_OK) {
        (void)close(fd);
        return status;
    }
    *out_fd = fd;
    return PUNKT_OK;
}

/* --- spares --- */

/* Whether a whole spare fits, so that the disk is not filled to the last byte only to be cleared again. */
static bool spare_fits(const struct journal *journal, const struct stat *info)
{
    uint64_t has = (uint64_t)info->st_blocks * 512;
    uint64_t wants = journal->options.segment_bytes;
    return has >= wants || folder_free_bytes(journal) >= wants - has;
}

static enum punkt_status spare_open(struct journal *journal, const char *name, struct failure *failure)
{
    struct segment_writer *writer = &journal->writer;
    struct stat info;
    writer->spare_written = 0;
    writer->spare_fd = openat(journal->dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (writer->spare_fd < 0)
        return file_failure(journal, failure, "make", name, errno);
    if (fstat(writer->spare_fd, &info) != 0)
        return file_failure(journal, failure, "make", name, errno);
    if (!spare_fits(journal, &info))
        return file_failure(journal, failure, "make", name, ENOSPC);
    if ((uint64_t)info.st_size > journal->options.segment_bytes &&
        ftruncate(writer->spare_fd, (off_t)journal->options.segment_bytes) != 0)
        return file_failure(journal, failure, "make", name, errno);
    return PUNKT_OK;
}

static enum punkt_status spare_write_slice(struct journal *journal, const char *name, struct failure *failure)
{
    struct segment_writer *writer = &journal->writer;
    size_t size = (size_t)u64_min(SPARE_SLICE_BYTES, journal->options.segment_bytes - writer->spare_written);
    int error = file_write_all(writer->spare_fd, writer->zeros, size, writer->spare_written);
    if (error != 0)
        return file_failure(journal, failure, "write", name, error);
    /* Only asks the kernel to begin: the sync at the end then has little left to wait for. */
    (void)sync_file_range(writer->spare_fd, (off_t)writer->spare_written, (off_t)size, SYNC_FILE_RANGE_WRITE);
    writer->spare_written += size;
    if (writer->spare_written < journal->options.segment_bytes)
        return PUNKT_OK;
    if (fsync(writer->spare_fd) != 0)
        return file_failure(journal, failure, "sync", name, errno);
    writer->spare_ready = true;
    writer->spare_failed = false;
    return PUNKT_OK;
}

enum punkt_status spare_step(struct journal *journal, struct failure *failure)
{
    struct segment_writer *writer = &journal->writer;
    char name[SPARE_NAME_SIZE];
    enum punkt_status status = PUNKT_OK;
    if (writer->spare_number == 0)
        writer->spare_number = 1;
    spare_name(writer->spare_number, name);
    if (writer->spare_fd < 0)
        status = spare_open(journal, name, failure);
    if (status == PUNKT_OK)
        status = spare_write_slice(journal, name, failure);
    if (status == PUNKT_FULL) {
        /* Gives the space back: state and log may need it more than a half-made spare does. */
        writer->spare_blocked = writer->spare_failed = true;
        if (writer->spare_fd >= 0)
            (void)close(writer->spare_fd);
        writer->spare_fd = -1;
        (void)unlinkat(journal->dir_fd, name, 0);
    }
    return status;
}

enum punkt_status spare_take(struct journal *journal, journal_position start, struct failure *failure)
{
    struct segment_writer *writer = &journal->writer;
    struct segment_header header = { .start = start, .segment_bytes = journal->options.segment_bytes };
    uint8_t bytes[SEGMENT_HEADER_SIZE];
    char spare[SPARE_NAME_SIZE], name[SEGMENT_NAME_SIZE];

    PUNKT_CHECK(writer->spare_ready);
    spare_name(writer->spare_number, spare);
    segment_name(start, name);
    memcpy(header.id, journal->id, JOURNAL_ID_SIZE);
    segment_header_encode(&header, bytes);
    const char *call = "write";
    int error = file_write_all(writer->spare_fd, bytes, sizeof(bytes), 0);
    if (error == 0) {
        call = "sync";
        /* Before the rename, so that whatever bears a segment's name has a header. */
        error = fdatasync(writer->spare_fd) == 0 ? 0 : errno;
    }
    if (error == 0 && renameat(journal->dir_fd, spare, journal->dir_fd, name) != 0)
        return file_failure(journal, failure, "rename", spare, errno);
    if (error == 0)
        error = fsync(journal->dir_fd) == 0 ? 0 : errno;
    if (error != 0) {
        /* Whatever it was: only a rename that found no space may be tried again. */
        (void)file_failure(journal, failure, call, spare, error);
        return PUNKT_IO;
    }
    if (!table_add(&journal->table, start)) {
        failure_set(failure, "no memory for the table of segments");
        return PUNKT_NO_MEMORY;
    }
    if (writer->fd >= 0)
        (void)close(writer->fd);
    writer->fd = writer->spare_fd;
    writer->start = start;
    writer->bytes = journal->options.segment_bytes;
    writer->spare_fd = -1;
    writer->spare_number++;
    writer->spare_ready = false;
    return PUNKT_OK;
}
