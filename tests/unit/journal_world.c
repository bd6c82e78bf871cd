#include "journal_world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORLD_PATH_SIZE 600

static void wake_nobody(void *ctx)
{
    (void)ctx;
}

static void end_with_70(void *ctx, const char *what)
{
    (void)ctx;
    fprintf(stderr, "fatal: %s\n", what);
    _exit(70);
}

void world_init(struct world *world, uint64_t seed)
{
    const char *parent = getenv("TMPDIR");
    *world = (struct world){ .seed = seed, .segment_bytes = WORLD_SEGMENT_BYTES, .next_sequence = 1 };
    (void)snprintf(world->dir, sizeof(world->dir), "%s/punkt-journal-XXXXXX",
                   parent != NULL ? parent : "/tmp");
    PUNKT_CHECK(mkdtemp(world->dir) != NULL);
    printf("seed %llu, folder %s\n", (unsigned long long)seed, world->dir);
}

void world_done(struct world *world)
{
    world_close(world);
    DIR *dir = opendir(world->dir);
    if (dir == NULL)
        return;
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL)
        (void)unlinkat(dirfd(dir), entry->d_name, 0); /* "." and ".." refuse */
    (void)closedir(dir);
    (void)rmdir(world->dir);
}

enum punkt_status world_open(struct world *world, bool read_only)
{
    const struct journal_options options = {
        .dir = world->dir,
        .segment_bytes = world->segment_bytes,
        .reserve_bytes = world->reserve_bytes,
        .read_only = read_only,
        .notify = world->notify != NULL ? world->notify : wake_nobody,
        .fatal = end_with_70,
        .ctx = world->ctx,
    };
    return journal_open_sized(&options, 4096, &world->journal, &world->failure);
}

enum punkt_status world_recover(struct world *world, const struct journal_head *from, bool tail_may_be_torn)
{
    struct journal_head beginning;
    journal_beginning(world->journal, &beginning);
    world->events_visited = 0;
    enum punkt_status status =
        journal_recover(world->journal, from != NULL ? from : &beginning, tail_may_be_torn, world_visit,
                        world, &world->head, &world->failure);
    if (status == PUNKT_OK)
        world->next_sequence = world->head.next_sequence;
    return status;
}

static void must_be_ok(const struct world *world, enum punkt_status status)
{
    if (status != PUNKT_OK)
        fprintf(stderr, "%s: %s\n", punkt_status_name(status), world->failure.text);
    PUNKT_CHECK(status == PUNKT_OK);
}

void world_start(struct world *world)
{
    must_be_ok(world, world_open(world, false));
    must_be_ok(world, world_recover(world, NULL, true));
    must_be_ok(world, journal_start(world->journal, 1, &world->failure));
}

void world_close(struct world *world)
{
    journal_close(world->journal);
    world->journal = NULL;
}

uint64_t world_random(uint64_t *state)
{
    /* splitmix64: good enough to spread, and one line to keep. */
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint32_t world_event_size(const struct world *world, uint64_t sequence)
{
    uint64_t state = world->seed ^ (sequence * 7919);
    uint64_t kind = world_random(&state) % 16;
    uint32_t most = kind == 0 ? WORLD_EVENT_MAX : kind < 4 ? 600 : 100;
    return JOURNAL_EVENT_HEADER_SIZE + (uint32_t)(world_random(&state) % (most - JOURNAL_EVENT_HEADER_SIZE));
}

void world_event_fill(const struct world *world, uint64_t sequence, uint8_t *event)
{
    uint32_t size = world_event_size(world, sequence);
    uint64_t state = world->seed + sequence * 104729;
    /* Some events hold long runs of zeros, for a zero sector alone must prove nothing. */
    bool zeros = world_random(&state) % 4 == 0;
    for (uint32_t at = JOURNAL_EVENT_HEADER_SIZE; at < size; at++)
        event[at] = zeros && at % 1500 > 100 ? 0 : (uint8_t)world_random(&state);
}

bool world_event_is(const struct world *world, uint64_t sequence, const uint8_t *event, uint32_t size)
{
    uint8_t wanted[WORLD_EVENT_MAX];
    if (size != world_event_size(world, sequence))
        return false;
    world_event_fill(world, sequence, wanted);
    return load_u32(event) == size &&
           memcmp(wanted + JOURNAL_EVENT_HEADER_SIZE, event + JOURNAL_EVENT_HEADER_SIZE,
                  size - JOURNAL_EVENT_HEADER_SIZE) == 0;
}

bool world_append(struct world *world, journal_position *out_position)
{
    uint32_t size = world_event_size(world, world->next_sequence);
    /* Reserved is often more than committed. */
    uint32_t reserve = size + (uint32_t)(world->next_sequence % 3) * 16;
    uint8_t *event = journal_reserve(world->journal, reserve, out_position);
    if (event == NULL)
        return false;
    world_event_fill(world, world->next_sequence, event);
    journal_commit(world->journal, size);
    world->next_sequence++;
    return true;
}

journal_position world_block(struct world *world, uint32_t count)
{
    struct journal_head head;
    journal_position position;
    for (uint32_t i = 0; i < count; i++) {
        PUNKT_CHECK(world_append(world, &position)); /* the block before is durable, so there is room */
    }
    PUNKT_CHECK(journal_seal(world->journal, (utc_us)world->next_sequence, &head));
    journal_wait(world->journal, head.position);
    return head.position;
}

enum punkt_status world_visit(void *ctx, const struct journal_block *block, struct failure *failure)
{
    struct world *world = ctx;
    uint32_t at = 0;
    for (uint32_t i = 0; i < block->event_count; i++) {
        uint64_t sequence = block->first_sequence + i;
        uint32_t size = load_u32(block->events + at);
        if (size > block->events_size - at || !world_event_is(world, sequence, block->events + at, size)) {
            failure_set(failure, "event %llu is not what was written", (unsigned long long)sequence);
            return PUNKT_INVALID;
        }
        at += size;
        world->events_visited++;
    }
    PUNKT_CHECK(at == block->events_size);
    return PUNKT_OK;
}

const char *world_path(const struct world *world, const char *name)
{
    static char path[WORLD_PATH_SIZE];
    (void)snprintf(path, sizeof(path), "%s/%s", world->dir, name);
    return path;
}

uint8_t *world_read_file(const struct world *world, const char *name, size_t *out_size)
{
    struct stat info;
    int fd = open(world_path(world, name), O_RDONLY | O_CLOEXEC);
    PUNKT_CHECK(fd >= 0 && fstat(fd, &info) == 0);
    *out_size = (size_t)info.st_size;
    uint8_t *bytes = malloc(*out_size);
    PUNKT_CHECK(bytes != NULL && file_read_all(fd, bytes, *out_size, 0) == 0);
    (void)close(fd);
    return bytes;
}

void world_write_file(const struct world *world, const char *name, const uint8_t *bytes, size_t size)
{
    /* In place: a file that keeps its blocks is synced several times faster. */
    int fd = open(world_path(world, name), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    PUNKT_CHECK(fd >= 0 && file_write_all(fd, bytes, size, 0) == 0 && ftruncate(fd, (off_t)size) == 0);
    (void)close(fd);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

bool world_segment_name(const struct world *world, size_t index, char out_name[SEGMENT_NAME_SIZE])
{
    char names[256][SEGMENT_NAME_SIZE];
    size_t count = 0;
    DIR *dir = opendir(world->dir);
    PUNKT_CHECK(dir != NULL);
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        journal_position start;
        if (segment_name_parse(entry->d_name, &start)) {
            PUNKT_CHECK(count < COUNT_OF(names));
            segment_name(start, names[count++]);
        }
    }
    (void)closedir(dir);
    if (index >= count)
        return false;
    qsort(names, count, sizeof(names[0]), compare_names);
    memcpy(out_name, names[index], SEGMENT_NAME_SIZE);
    return true;
}
