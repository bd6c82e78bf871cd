/*
 * What a process has that may die: memory, descriptors, and writes that are not synced yet. The linker leads
 * the calls of this program's pwrite, fdatasync, fsync and close here (see CMakeLists.txt); those of other
 * threads go on as they are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim.h"

#define UNSYNCED_MAX 512u
#define DESCRIPTORS_MAX 1024
#define SECTOR 512

struct block {
    struct block *next, *before;
    max_align_t bytes[];
};

struct write {
    int fd;
    size_t size;
    off_t at;
    uint8_t *old; /* what was there before */
};

struct disk {
    char prefix[128]; /* of the names of its files */
    struct block *blocks;
    struct write unsynced[UNSYNCED_MAX];
    unsigned unsynced_count;
};

static _Thread_local struct disk *mine;
static _Thread_local void (*maybe_die)(void);

ssize_t __real_pwrite(int fd, const void *bytes, size_t size, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t at);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_close(int fd);
int __wrap_close(int fd);

struct disk *disk_new(const char *prefix)
{
    struct disk *disk = calloc(1, sizeof(*disk));
    assert_non_null(disk);
    (void)snprintf(disk->prefix, sizeof(disk->prefix), "%s", prefix);
    return disk;
}

static void forget_memory(struct disk *disk)
{
    while (disk->blocks != NULL) {
        struct block *next = disk->blocks->next;
        free(disk->blocks);
        disk->blocks = next;
    }
}

void disk_use(struct disk *disk, void (*die)(void))
{
    mine = disk;
    maybe_die = die;
}

/* --- memory --- */

static void unlink_block(struct disk *disk, const struct block *block)
{
    *(block->before != NULL ? &block->before->next : &disk->blocks) = block->next;
    if (block->next != NULL)
        block->next->before = block->before;
}

void *disk_resize(void *ctx, void *memory, size_t size)
{
    struct disk *disk = ctx;
    struct block *block = NULL;
    if (memory != NULL) {
        block = (struct block *)((char *)memory - offsetof(struct block, bytes));
        unlink_block(disk, block);
    }
    if (size == 0) {
        free(block);
        return NULL;
    }
    block = realloc(block, sizeof(*block) + size);
    assert_non_null(block);
    block->before = NULL;
    block->next = disk->blocks;
    if (block->next != NULL)
        block->next->before = block;
    disk->blocks = block;
    return block->bytes;
}

/* --- writes and syncs --- */

static void forget_write(struct disk *disk, unsigned index)
{
    free(disk->unsynced[index].old);
    disk->unsynced_count--;
    memmove(disk->unsynced + index, disk->unsynced + index + 1,
            (disk->unsynced_count - index) * sizeof(disk->unsynced[0]));
}

static void keep_write(int fd, size_t size, off_t at)
{
    struct write write = { .fd = fd, .size = size, .at = at, .old = calloc(1, size + 1) };
    assert_non_null(write.old);
    assert_true(pread(fd, write.old, size, at) >= 0);
    if (mine->unsynced_count == UNSYNCED_MAX)
        forget_write(mine, 0); /* the kernel has written the oldest by itself */
    mine->unsynced[mine->unsynced_count++] = write;
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    if (mine != NULL) {
        maybe_die();
        keep_write(fd, size, at);
    }
    return __real_pwrite(fd, bytes, size, at);
}

static void synced(int fd)
{
    for (unsigned i = mine->unsynced_count; i > 0; i--) {
        if (mine->unsynced[i - 1].fd == fd)
            forget_write(mine, i - 1);
    }
}

/* What stands in memory only is as good as on a disk here, but for what is forgotten in a crash. */
static int sync_here(int fd)
{
    maybe_die();
    synced(fd);
    return 0;
}

int __wrap_fdatasync(int fd)
{
    return mine != NULL ? sync_here(fd) : __real_fdatasync(fd);
}

int __wrap_fsync(int fd)
{
    return mine != NULL ? sync_here(fd) : __real_fsync(fd);
}

/* A file that is closed is one that nobody opens again: it was replaced. */
int __wrap_close(int fd)
{
    if (mine != NULL)
        synced(fd);
    return __real_close(fd);
}

/* --- dying --- */

static void lose(const struct write *write, size_t keep)
{
    if (keep < write->size)
        assert_int_equal(
            __real_pwrite(write->fd, write->old + keep, write->size - keep, write->at + (off_t)keep),
            write->size - keep);
}

/* Up to some write everything is there; of that one its first sectors. */
static void lose_writes(struct disk *disk)
{
    if (disk->unsynced_count == 0)
        return;
    unsigned count = disk->unsynced_count, whole = (unsigned)sim_below(count + 1);
    while (disk->unsynced_count > 0) {
        unsigned last = disk->unsynced_count - 1;
        const struct write *write = &disk->unsynced[last];
        off_t end = (write->at + (off_t)sim_below(write->size + 1)) / SECTOR * SECTOR;
        if (last == whole)
            lose(write, end > write->at ? (size_t)(end - write->at) : 0);
        else if (last > whole)
            lose(write, 0);
        forget_write(disk, last);
    }
    sim_note("disk: %u of %u writes are lost", count - whole, count);
}

static void close_descriptors(const struct disk *disk)
{
    char link[64], name[512];
    for (int fd = 3; fd < DESCRIPTORS_MAX; fd++) {
        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t size = readlink(link, name, sizeof(name) - 1);
        if (size <= 0)
            continue;
        name[size] = '\0';
        if (strncmp(name, disk->prefix, strlen(disk->prefix)) == 0)
            (void)__real_close(fd);
    }
}

void disk_crash(struct disk *disk)
{
    lose_writes(disk);
    close_descriptors(disk);
    forget_memory(disk);
}

void disk_free(struct disk *disk)
{
    while (disk->unsynced_count > 0)
        forget_write(disk, disk->unsynced_count - 1);
    forget_memory(disk);
    free(disk);
}
