#include "ledger_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/journal_format.h"

#define MAP_BYTES (UINT64_C(4) << 30) /* as in WORLD_JOURNAL */

static void path_of(const struct world *world, const char *folder, const char *file, char out[PATH_MAX])
{
    (void)snprintf(out, PATH_MAX, "%s/%s/%s", world_data(world), folder, file);
}

/* --- state --- */

static void durable_already(void *ctx, journal_position position)
{
    (void)ctx;
    (void)position;
}

static void head_known_already(void *ctx, struct journal_head *out_head)
{
    (void)ctx;
    (void)out_head;
}

static void wake_nobody(void *ctx)
{
    (void)ctx;
}

static void storage_failed(void *ctx, const char *what)
{
    (void)ctx;
    fail_msg("%s", what);
}

struct state_mark files_mark(const struct world *world, uint8_t out_digest[STATE_DIGEST_SIZE])
{
    char dir[PATH_MAX];
    struct failure failure = { .text = "" };
    struct state *state = NULL;
    struct state_mark mark;
    bool found = false;
    assert_int_equal(world_pid(world), 0);
    path_of(world, "state", "", dir);
    struct state_options options = { .dir = dir,
                                     .map_bytes = MAP_BYTES,
                                     .wait_durable = durable_already,
                                     .durable_head = head_known_already,
                                     .notify = wake_nobody,
                                     .fatal = storage_failed };
    if (state_open(&options, &state, &found, &mark, &failure) != PUNKT_OK || !found)
        fail_msg("state cannot be read: %s", failure.text);
    uint8_t recomputed[STATE_DIGEST_SIZE];
    assert_int_equal(state_digest_recompute(state, recomputed, &failure), PUNKT_OK);
    state_digest(state, out_digest, &mark);
    assert_memory_equal(out_digest, recomputed, STATE_DIGEST_SIZE);
    state_close(state);
    return mark;
}

/* --- journal --- */

void files_expect_state_not_ahead(const struct world *world)
{
    char dir[PATH_MAX];
    uint8_t digest[STATE_DIGEST_SIZE];
    struct failure failure = { .text = "" };
    struct journal *journal = NULL;
    struct journal_head end;
    struct state_mark mark = files_mark(world, digest);
    path_of(world, "journal", "", dir);
    struct journal_options options = {
        .dir = dir, .read_only = true, .notify = wake_nobody, .fatal = storage_failed
    };
    if (journal_open(&options, &journal, &failure) != PUNKT_OK ||
        journal_recover(journal, &mark.head, true, NULL, NULL, &end, &failure) != PUNKT_OK)
        fail_msg("state is not what the journal led to: %s", failure.text);
    assert_true(mark.head.position <= end.position);
    journal_close(journal);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_segment(const struct dirent *entry)
{
    journal_position start;
    return segment_name_parse(entry->d_name, &start) ? 1 : 0;
}

/* Adds the blocks of one segment. */
static struct place *segment_blocks(const char *path, const char *name, struct place *places,
                                    size_t *inout_count)
{
    journal_position start;
    struct block_header header;
    uint8_t bytes[BLOCK_HEADER_SIZE];
    uint64_t offset = SEGMENT_HEADER_SIZE;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && segment_name_parse(name, &start));
    while (pread(fd, bytes, sizeof(bytes), (off_t)offset) == (ssize_t)sizeof(bytes) &&
           block_header_decode(bytes, JOURNAL_BLOCK_MAX, &header) == NULL) {
        places = realloc(places, (*inout_count + 1) * sizeof(*places));
        assert_non_null(places);
        struct place *place = &places[(*inout_count)++];
        *place = (struct place){ .offset = offset,
                                 .size = header.size,
                                 .position = start + offset - SEGMENT_HEADER_SIZE };
        segment_name(start, place->file);
        offset += header.size;
    }
    (void)close(fd);
    return places;
}

struct place *files_blocks(const struct world *world, size_t *out_count)
{
    char path[PATH_MAX];
    struct dirent **entries;
    struct place *places = NULL;
    path_of(world, "journal", "", path);
    int count = scandir(path, &entries, is_segment, by_name);
    assert_true(count > 0);
    *out_count = 0;
    for (int i = 0; i < count; i++) {
        path_of(world, "journal", entries[i]->d_name, path);
        places = segment_blocks(path, entries[i]->d_name, places, out_count);
        free(entries[i]);
    }
    free(entries);
    assert_non_null(places);
    return places;
}

/* --- damage --- */

static int open_journal_file(const struct world *world, const char *file)
{
    char path[PATH_MAX];
    path_of(world, "journal", file, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

void files_flip(const struct world *world, const char *file, uint64_t offset, uint8_t bits)
{
    uint8_t byte;
    int fd = open_journal_file(world, file);
    assert_int_equal(pread(fd, &byte, 1, (off_t)offset), 1);
    byte ^= bits;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)offset), 1);
    (void)close(fd);
}

void files_zero(const struct world *world, const char *file, uint64_t offset, uint64_t size)
{
    int fd = open_journal_file(world, file);
    uint8_t *zeros = calloc(1, size);
    assert_non_null(zeros);
    assert_int_equal(pwrite(fd, zeros, size, (off_t)offset), size);
    free(zeros);
    (void)close(fd);
}

void files_change_event(const struct world *world, const struct place *last, bool type, uint8_t value)
{
    uint8_t previous[JOURNAL_HASH_SIZE], hash[JOURNAL_HASH_SIZE];
    struct sha256 sha256;
    int fd = open_journal_file(world, last->file);
    uint8_t *block = malloc(last->size);
    assert_non_null(block);
    assert_int_equal(sha256_init(&sha256), PUNKT_OK);
    assert_int_equal(pread(fd, previous, sizeof(previous), (off_t)(last->offset - sizeof(previous))),
                     sizeof(previous));
    assert_int_equal(pread(fd, block, last->size, (off_t)last->offset), last->size);
    uint8_t *event = block + BLOCK_HEADER_SIZE;
    event[JOURNAL_EVENT_HEADER_SIZE + (type ? 0 : 1)] = value;
    event_finish(event, load_u32(event));
    block_finish(&sha256, block, last->size, previous, hash);
    assert_int_equal(pwrite(fd, block, last->size, (off_t)last->offset), last->size);
    sha256_done(&sha256);
    free(block);
    (void)close(fd);
}

bool files_are_zero(const struct world *world, const char *file, uint64_t offset, uint64_t size)
{
    int fd = open_journal_file(world, file);
    uint8_t *bytes = malloc(size);
    bool zero = true;
    assert_non_null(bytes);
    assert_int_equal(pread(fd, bytes, size, (off_t)offset), size);
    for (uint64_t i = 0; i < size; i++)
        zero = zero && bytes[i] == 0;
    free(bytes);
    (void)close(fd);
    return zero;
}

unsigned files_remove(const struct world *world, const char *folder, const char *begin)
{
    char path[PATH_MAX];
    unsigned removed = 0;
    path_of(world, folder, "", path);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strncmp(entry->d_name, begin, strlen(begin)) != 0)
            continue;
        path_of(world, folder, entry->d_name, path);
        assert_int_equal(unlink(path), 0);
        removed++;
    }
    (void)closedir(dir);
    return removed;
}
