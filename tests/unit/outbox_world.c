#include "outbox_world.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

int outbox_world_make(void **state)
{
    struct outbox_world *world = calloc(1, sizeof(*world));
    if (world == NULL)
        return -1;
    /* In memory where there is such a place: these tests look at bytes, and open thousands of outboxes. */
    (void)snprintf(world->dir, sizeof(world->dir), "/dev/shm/outbox-XXXXXX");
    if (mkdtemp(world->dir) == NULL) {
        (void)snprintf(world->dir, sizeof(world->dir), "/tmp/outbox-XXXXXX");
        if (mkdtemp(world->dir) == NULL)
            return -1;
    }
    (void)snprintf(world->path, sizeof(world->path), "%s/till.outbox", world->dir);
    world->options = (struct outbox_options){
        .path = world->path,
        .store = "7",
        .till = "3",
        .now_us = 1000000,
        .open_max = 10000,
        .age_max_us = INT64_C(7) * 86400 * 1000000,
        .preallocate = 32768,
    };
    *state = world;
    return 0;
}

int outbox_world_remove(void **state)
{
    struct outbox_world *world = *state;
    outbox_close(world->outbox);
    DIR *dir = opendir(world->dir);
    struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.')
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir != NULL)
        (void)closedir(dir);
    int rc = rmdir(world->dir);
    free(world);
    return rc;
}

enum outbox_status world_try(struct outbox_world *world)
{
    world->openings++;
    world->options.epochs[0] = world->openings * 2 + 1000;
    world->options.epochs[1] = world->openings * 2 + 1001;
    return outbox_open(&world->options, &world->outbox, world->why);
}

void world_open(struct outbox_world *world)
{
    enum outbox_status status = world_try(world);
    assert_string_equal(world->why, "");
    assert_int_equal(status, OUTBOX_OK);
}

void world_close(struct outbox_world *world)
{
    outbox_close(world->outbox);
    world->outbox = NULL;
}

void world_kill(struct outbox_world *world)
{
    struct outbox_world other = *world;
    size_t size;
    /* What a flush at the end would add is taken off again. */
    uint8_t *bytes = world_bytes(world, "", &size);
    world_close(world);
    world_put(&other, bytes, size);
    free(bytes);
}

struct outbox_note world_note(int64_t created_us, int32_t business_date)
{
    return (struct outbox_note){
        .created_us = created_us, .business_date = business_date, .amount = 1234, .card = "9280000000000017"
    };
}

struct outbox_result world_result(int64_t at_us, uint32_t result)
{
    return (struct outbox_result){ .at_us = at_us,
                                   .result = result,
                                   .position = 4711,
                                   .earned = 12,
                                   .redeemed = 3,
                                   .worth = 30,
                                   .available = -5,
                                   .balance_known = true };
}

struct outbox_entry *world_append(struct outbox_world *world, const char *text)
{
    struct outbox_entry *entry = NULL;
    struct outbox_note note = world_note(world->options.now_us, 20000);
    assert_int_equal(outbox_append(world->outbox, OUTBOX_LANE_QUEUE, 5, 1, text, strlen(text), &note, &entry),
                     OUTBOX_OK);
    assert_string_equal(outbox_trouble(world->outbox), "");
    return entry;
}

void expect_body(struct outbox_world *world, const struct outbox_entry *entry, const char *text)
{
    struct buffer body = { 0 };
    assert_true(outbox_body(world->outbox, entry, &body));
    assert_int_equal(buffer_size(&body), strlen(text));
    assert_memory_equal(buffer_data(&body), text, strlen(text));
    buffer_done(&body);
}

size_t world_count(const struct outbox_world *world)
{
    size_t count = 0;
    for (const struct outbox_entry *entry = outbox_first(world->outbox); entry != NULL; entry = entry->next)
        count++;
    return count;
}

struct outbox_entry *world_entry(const struct outbox_world *world, size_t n)
{
    struct outbox_entry *entry = outbox_first(world->outbox);
    while (n-- > 0 && entry != NULL)
        entry = entry->next;
    assert_non_null(entry);
    return entry;
}

static void path_with(const struct outbox_world *world, const char *suffix, char out[OUTBOX_WORLD_PATH + 32])
{
    (void)snprintf(out, OUTBOX_WORLD_PATH + 32, "%s%s", world->path, suffix);
}

uint8_t *world_bytes(const struct outbox_world *world, const char *suffix, size_t *out_size)
{
    char path[OUTBOX_WORLD_PATH + 32];
    struct stat info;
    path_with(world, suffix, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0 && fstat(fd, &info) == 0);
    *out_size = (size_t)info.st_size;
    uint8_t *bytes = malloc(*out_size + 1);
    assert_non_null(bytes);
    assert_int_equal(read(fd, bytes, *out_size), info.st_size);
    (void)close(fd);
    return bytes;
}

void world_put(const struct outbox_world *world, const void *bytes, size_t size)
{
    int fd = open(world->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    (void)close(fd);
}

bool world_has(const struct outbox_world *world, const char *suffix)
{
    char path[OUTBOX_WORLD_PATH + 32];
    path_with(world, suffix, path);
    return access(path, F_OK) == 0;
}
