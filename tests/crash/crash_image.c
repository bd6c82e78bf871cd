#include "crash_image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io_log.h"

#define SECTOR 512u

struct crash_log {
    const uint8_t *bytes; /* mapped */
    uint64_t mapped, size;
    char root[PATH_MAX], base[PATH_MAX];
};

/* A change of a file's bytes or size. */
struct change {
    const struct io_log_record *record;
    const uint8_t *bytes;
    uint64_t at; /* where the record is in the log */
    bool durable;
    bool doubtful; /* a sync of it failed: no later one makes it durable */
};

/* A file, whatever its names are. */
struct file {
    uint64_t inode; /* 0: not yet seen in the log */
    bool replaced;  /* its number belongs to a newer file */
    uint8_t *base;
    uint64_t base_size;
    struct change *changes;
    size_t count, capacity;
};

/* A change of a folder. */
struct naming {
    enum io_log_kind kind;
    char *path, *path2;
    struct file *file;
    uint64_t at;
    bool durable;
};

struct entry {
    char *path;
    struct file *file; /* NULL: a folder */
};

struct image {
    const struct crash_log *log;
    uint64_t random;
    struct file **files;
    size_t file_count, file_capacity;
    struct naming *namings;
    size_t naming_count, naming_capacity;
    struct entry *entries; /* at the end */
    size_t entry_count, entry_capacity;
};

static void must(bool well, const char *what)
{
    if (well)
        return;
    perror(what);
    exit(2);
}

static void *grown(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity == 0 ? 16 : *capacity * 2;
    items = realloc(items, *capacity * size);
    must(items != NULL, "memory");
    return items;
}

static uint64_t draw(struct image *image, uint64_t below)
{
    uint64_t z = (image->random += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

/* --- the log --- */

struct crash_log *crash_log_open(const char *path, const char *root, const char *base)
{
    struct stat info;
    struct crash_log *log = calloc(1, sizeof(*log));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(log != NULL && fd >= 0 && fstat(fd, &info) == 0, path);
    (void)snprintf(log->root, sizeof(log->root), "%s", root);
    (void)snprintf(log->base, sizeof(log->base), "%s", base != NULL ? base : "");
    log->mapped = (uint64_t)info.st_size;
    if (log->mapped > 0) {
        void *bytes = mmap(NULL, log->mapped, PROT_READ, MAP_PRIVATE, fd, 0);
        must(bytes != MAP_FAILED, path);
        log->bytes = bytes;
    }
    (void)close(fd);
    for (;;) {
        struct io_log_record record;
        if (log->mapped - log->size < sizeof(record))
            break;
        memcpy(&record, log->bytes + log->size, sizeof(record));
        if (record.magic != IO_LOG_MAGIC) {
            fprintf(stderr, "%s: no record at %llu\n", path, (unsigned long long)log->size);
            exit(2);
        }
        uint64_t size = sizeof(record) + record.path_size + record.path2_size + record.size;
        if (log->mapped - log->size < size)
            break;
        log->size += size;
    }
    return log;
}

void crash_log_close(struct crash_log *log)
{
    if (log == NULL)
        return;
    if (log->mapped > 0)
        (void)munmap((void *)(uintptr_t)log->bytes, log->mapped);
    free(log);
}

uint64_t crash_log_size(const struct crash_log *log)
{
    return log->size;
}

uint64_t crash_log_write_end(const struct crash_log *log, uint64_t from)
{
    for (uint64_t at = 0; at < log->size;) {
        struct io_log_record record;
        memcpy(&record, log->bytes + at, sizeof(record));
        at += sizeof(record) + record.path_size + record.path2_size + record.size;
        if (record.kind == IO_LOG_WRITE && at > from)
            return at;
    }
    return log->size;
}

/* --- files and names --- */

static struct file *file_new(struct image *image, uint64_t inode)
{
    image->files = grown(image->files, image->file_count, &image->file_capacity, sizeof(*image->files));
    struct file *file = calloc(1, sizeof(*file));
    must(file != NULL, "memory");
    file->inode = inode;
    image->files[image->file_count++] = file;
    return file;
}

static struct naming *naming_add(struct image *image, enum io_log_kind kind, const char *path,
                                 const char *path2, struct file *file, uint64_t at)
{
    image->namings =
        grown(image->namings, image->naming_count, &image->naming_capacity, sizeof(*image->namings));
    struct naming *naming = &image->namings[image->naming_count++];
    *naming =
        (struct naming){ .kind = kind, .path = strdup(path), .path2 = strdup(path2), .file = file, .at = at };
    must(naming->path != NULL && naming->path2 != NULL, "memory");
    return naming;
}

/* The file that a record speaks of: by its number, or (of the base) by its path. */
static struct file *file_of(struct image *image, uint64_t inode, const char *path)
{
    for (size_t i = image->file_count; i-- > 0;) {
        if (image->files[i]->inode == inode && !image->files[i]->replaced)
            return image->files[i];
    }
    for (size_t i = 0; i < image->naming_count; i++) {
        struct naming *naming = &image->namings[i];
        if (naming->kind == IO_LOG_CREATE && naming->file->inode == 0 && strcmp(naming->path, path) == 0) {
            naming->file->inode = inode;
            return naming->file;
        }
    }
    fprintf(stderr, "%s is written to but was never made: give its folder as base\n", path);
    exit(2);
}

static bool inode_is_file(const struct image *image, uint64_t inode)
{
    for (size_t i = 0; i < image->file_count; i++) {
        if (image->files[i]->inode == inode && !image->files[i]->replaced)
            return true;
    }
    return false;
}

static void change_add(struct file *file, const struct io_log_record *record, const uint8_t *bytes,
                       uint64_t at)
{
    file->changes = grown(file->changes, file->count, &file->capacity, sizeof(*file->changes));
    file->changes[file->count++] = (struct change){
        .record = record, .bytes = bytes, .at = at, .durable = (record->flags & IO_LOG_DURABLE) != 0
    };
}

static void file_sync(struct file *file, uint64_t began)
{
    for (size_t i = 0; i < file->count; i++) {
        if (file->changes[i].at < began && !file->changes[i].doubtful)
            file->changes[i].durable = true;
    }
}

static void file_sync_failed(struct file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        if (!file->changes[i].durable)
            file->changes[i].doubtful = true;
    }
}

static bool lies_in(const char *path, const char *dir)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL && (size_t)(slash - path) == strlen(dir) && strncmp(path, dir, strlen(dir)) == 0;
}

static void dir_sync(struct image *image, const char *dir, uint64_t began)
{
    for (size_t i = 0; i < image->naming_count; i++) {
        struct naming *naming = &image->namings[i];
        if (naming->at < began && (lies_in(naming->path, dir) || lies_in(naming->path2, dir)))
            naming->durable = true;
    }
}

static void replay(struct image *image, const struct io_log_record *record, const char *path,
                   const char *path2, const uint8_t *bytes, uint64_t at)
{
    switch ((enum io_log_kind)record->kind) {
    case IO_LOG_WRITE:
    case IO_LOG_RESIZE:
        change_add(file_of(image, record->inode, path), record, bytes, at);
        break;
    case IO_LOG_SYNC:
        file_sync(file_of(image, record->inode, path), record->offset);
        break;
    case IO_LOG_SYNC_FAILED:
        /* A folder's changes are in the file system's own journal, which then stands still. */
        if (inode_is_file(image, record->inode))
            file_sync_failed(file_of(image, record->inode, path));
        break;
    case IO_LOG_SYNC_DIR:
        dir_sync(image, path, record->offset);
        break;
    case IO_LOG_CREATE:
        for (size_t i = 0; i < image->file_count; i++) {
            if (image->files[i]->inode == record->inode)
                image->files[i]->replaced = true;
        }
        (void)naming_add(image, IO_LOG_CREATE, path, "", file_new(image, record->inode), at);
        break;
    case IO_LOG_MKDIR:
    case IO_LOG_UNLINK:
    case IO_LOG_RMDIR:
    case IO_LOG_RENAME:
        (void)naming_add(image, (enum io_log_kind)record->kind, path, path2, NULL, at);
        break;
    }
}

static void replay_until(struct image *image, uint64_t cut)
{
    const struct crash_log *log = image->log;
    char path[PATH_MAX], path2[PATH_MAX];
    for (uint64_t at = 0; at < log->size;) {
        /* Copied for the alignment, kept for the changes that point to it. */
        struct io_log_record *record = malloc(sizeof(*record));
        must(record != NULL, "memory");
        memcpy(record, log->bytes + at, sizeof(*record));
        uint64_t size = sizeof(*record) + record->path_size + record->path2_size + record->size;
        if (at + size > cut || record->path_size >= PATH_MAX || record->path2_size >= PATH_MAX) {
            free(record);
            break;
        }
        const uint8_t *next = log->bytes + at + sizeof(*record);
        memcpy(path, next, record->path_size);
        path[record->path_size] = '\0';
        next += record->path_size;
        memcpy(path2, next, record->path2_size);
        path2[record->path2_size] = '\0';
        next += record->path2_size;
        replay(image, record, path, path2, next, at);
        if (record->kind != IO_LOG_WRITE && record->kind != IO_LOG_RESIZE)
            free(record);
        at += size;
    }
}

/* --- the base --- */

static void load_base_file(struct image *image, const char *from, const char *path)
{
    struct stat info;
    struct file *file = file_new(image, 0);
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    must(fd >= 0 && fstat(fd, &info) == 0, from);
    file->base_size = (uint64_t)info.st_size;
    file->base = malloc(file->base_size + 1);
    must(file->base != NULL && read(fd, file->base, file->base_size) == (ssize_t)file->base_size, from);
    (void)close(fd);
    naming_add(image, IO_LOG_CREATE, path, "", file, 0)->durable = true;
}

/* Folders two deep are enough: DATA, and journal/ and state/ in it. */
static void load_base(struct image *image, const char *from, const char *path, int depth)
{
    DIR *dir = opendir(from);
    must(dir != NULL, from);
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        char from_child[PATH_MAX + 256], child[PATH_MAX + 256];
        struct stat info;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        (void)snprintf(from_child, sizeof(from_child), "%s/%s", from, entry->d_name);
        (void)snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
        must(stat(from_child, &info) == 0, from_child);
        if (S_ISREG(info.st_mode)) {
            load_base_file(image, from_child, child);
        } else if (S_ISDIR(info.st_mode) && depth < 2) {
            naming_add(image, IO_LOG_MKDIR, child, "", NULL, 0)->durable = true;
            load_base(image, from_child, child, depth + 1);
        }
    }
    (void)closedir(dir);
}

/* --- what is left --- */

static size_t entry_find(const struct image *image, const char *path)
{
    size_t i = 0;
    while (i < image->entry_count && strcmp(image->entries[i].path, path) != 0)
        i++;
    return i;
}

static void entry_remove(struct image *image, const char *path)
{
    size_t i = entry_find(image, path);
    if (i == image->entry_count)
        return;
    free(image->entries[i].path);
    /* The order stays, for folders come before what is in them. */
    memmove(&image->entries[i], &image->entries[i + 1], (--image->entry_count - i) * sizeof(struct entry));
}

static void entry_put(struct image *image, const char *path, struct file *file)
{
    entry_remove(image, path);
    image->entries =
        grown(image->entries, image->entry_count, &image->entry_capacity, sizeof(*image->entries));
    image->entries[image->entry_count++] = (struct entry){ strdup(path), file };
}

static void apply_naming(struct image *image, const struct naming *naming)
{
    if (naming->kind == IO_LOG_CREATE || naming->kind == IO_LOG_MKDIR) {
        entry_put(image, naming->path, naming->file);
    } else if (naming->kind == IO_LOG_RENAME) {
        size_t i = entry_find(image, naming->path);
        if (i == image->entry_count)
            return; /* its making was lost */
        struct file *file = image->entries[i].file;
        entry_remove(image, naming->path);
        entry_put(image, naming->path2, file);
    } else {
        entry_remove(image, naming->path);
    }
}

/* A file system keeps the order of changes to folders: any first part of what was not synced. */
static void apply_namings(struct image *image)
{
    size_t pending = 0;
    for (size_t i = 0; i < image->naming_count; i++)
        pending += !image->namings[i].durable;
    size_t keep = draw(image, 3) == 0 ? pending : draw(image, pending + 1);
    for (size_t i = 0; i < image->naming_count; i++) {
        bool durable = image->namings[i].durable;
        if (durable || keep > 0)
            apply_naming(image, &image->namings[i]);
        if (!durable && keep > 0)
            keep--;
    }
}

struct content {
    uint8_t *bytes;
    uint64_t size, capacity;
};

static void content_resize(struct content *content, uint64_t size)
{
    if (size > content->capacity) {
        content->capacity = size * 2;
        content->bytes = realloc(content->bytes, content->capacity);
        must(content->bytes != NULL, "memory");
    }
    if (size > content->size)
        memset(content->bytes + content->size, 0, size - content->size);
    content->size = size;
}

static void content_write(struct content *content, const uint8_t *bytes, uint64_t offset, uint64_t size)
{
    if (offset + size > content->size)
        content_resize(content, offset + size);
    memcpy(content->bytes + offset, bytes, size);
}

/* One write that was not synced: each of its sectors with a chance of `tenths`. */
static void content_tear(struct image *image, struct content *content, const struct change *change,
                         uint64_t tenths)
{
    uint64_t from = change->record->offset, end = from + change->record->size;
    for (uint64_t at = from; at < end;) {
        uint64_t next = (at / SECTOR + 1) * SECTOR;
        if (next > end)
            next = end;
        if (draw(image, 10) < tenths)
            content_write(content, change->bytes + (at - from), at, next - at);
        at = next;
    }
}

static void content_build(struct image *image, const struct file *file, struct content *content)
{
    static const uint64_t chances[] = { 0, 1, 5, 9, 10 }; /* tenths */
    uint64_t chance = chances[draw(image, sizeof(chances) / sizeof(chances[0]))];
    content->size = 0;
    if (file->base_size > 0)
        content_write(content, file->base, 0, file->base_size);
    for (size_t i = 0; i < file->count; i++) {
        const struct change *change = &file->changes[i];
        bool whole = change->durable || draw(image, 10) < chance;
        if (change->record->kind == IO_LOG_RESIZE) {
            if (whole)
                content_resize(content, change->record->offset);
        } else if (change->durable) {
            content_write(content, change->bytes, change->record->offset, change->record->size);
        } else {
            content_tear(image, content, change, chance);
        }
    }
}

static void entry_write(struct image *image, const struct entry *entry, const char *out,
                        struct content *content)
{
    char path[2 * PATH_MAX];
    size_t root_size = strlen(image->log->root);
    if (strncmp(entry->path, image->log->root, root_size) != 0)
        return;
    (void)snprintf(path, sizeof(path), "%s%s", out, entry->path + root_size);
    if (entry->file == NULL) {
        must(mkdir(path, 0700) == 0 || errno == EEXIST, path);
        return;
    }
    content_build(image, entry->file, content);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 && errno == ENOENT)
        return; /* its folder was lost */
    must(fd >= 0, path);
    for (uint64_t at = 0; at < content->size;) {
        ssize_t written = write(fd, content->bytes + at, content->size - at);
        must(written > 0, path);
        at += (uint64_t)written;
    }
    (void)close(fd);
}

static void image_done(struct image *image)
{
    for (size_t i = 0; i < image->file_count; i++) {
        struct file *file = image->files[i];
        for (size_t j = 0; j < file->count; j++)
            free((void *)(uintptr_t)file->changes[j].record);
        free(file->changes);
        free(file->base);
        free(file);
    }
    for (size_t i = 0; i < image->naming_count; i++) {
        free(image->namings[i].path);
        free(image->namings[i].path2);
    }
    for (size_t i = 0; i < image->entry_count; i++)
        free(image->entries[i].path);
    free(image->files);
    free(image->namings);
    free(image->entries);
}

void crash_image_build(const struct crash_log *log, uint64_t cut, uint64_t seed, const char *out)
{
    struct image image = { .log = log, .random = seed };
    struct content content = { NULL, 0, 0 };
    if (log->base[0] != '\0')
        load_base(&image, log->base, log->root, 0);
    replay_until(&image, cut);
    apply_namings(&image);
    must(mkdir(out, 0700) == 0, out);
    for (size_t i = 0; i < image.entry_count; i++)
        entry_write(&image, &image.entries[i], out, &content);
    free(content.bytes);
    image_done(&image);
}

bool remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL)
        return unlink(path) == 0 || errno == ENOENT;
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        char child[PATH_MAX];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        (void)snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
        if (unlinkat(dirfd(dir), entry->d_name, 0) != 0)
            (void)remove_tree(child);
    }
    (void)closedir(dir);
    return rmdir(path) == 0;
}
