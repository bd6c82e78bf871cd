#include "io_shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOW_MS 20
#define COUNT_LINE_SIZE 33u /* "calls 0000000012 hits 0000000001\n" */

struct real_calls real;

static struct {
    const char *call, *error, *path;
    const char *only_while; /* a file */
    unsigned long long at;
    bool forever;
    unsigned long long calls, hits;
    char *count_line; /* mapped, so that it outlives the process */
    const char *log_path;
    size_t log_path_size;
    int log_fd; /* -1: no log */
} shim = { .log_fd = -1 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* --- start --- */

static void find(void *pointer, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(pointer, &found, sizeof(found)); /* ISO C has no cast from an object pointer to a function's */
}

static void show_count(void)
{
    char line[64];
    if (shim.count_line == NULL)
        return;
    (void)snprintf(line, sizeof(line), "calls %010llu hits %010llu\n", shim.calls, shim.hits);
    memcpy(shim.count_line, line, COUNT_LINE_SIZE);
}

static void open_count(const char *path)
{
    int fd = real.openat(AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || real.ftruncate(fd, COUNT_LINE_SIZE) != 0) {
        perror(path);
        _exit(99);
    }
    void *line = mmap(NULL, COUNT_LINE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (line == MAP_FAILED) {
        perror(path);
        _exit(99);
    }
    shim.count_line = line;
    show_count();
}

static void start(void)
{
    find(&real.write, "write");
    find(&real.writev, "writev");
    find(&real.pwrite, "pwrite");
    find(&real.pwritev, "pwritev");
    find(&real.fdatasync, "fdatasync");
    find(&real.fsync, "fsync");
    find(&real.fallocate, "fallocate");
    find(&real.posix_fallocate, "posix_fallocate");
    find(&real.ftruncate, "ftruncate");
    find(&real.renameat2, "renameat2");
    find(&real.openat, "openat");
    find(&real.mkdirat, "mkdirat");
    find(&real.unlinkat, "unlinkat");

    const char *at = getenv("IO_SHIM_AT"), *forever = getenv("IO_SHIM_FOREVER");
    const char *count = getenv("IO_SHIM_COUNT"), *log = getenv("IO_SHIM_LOG");
    shim.call = getenv("IO_SHIM_CALL");
    shim.error = getenv("IO_SHIM_ERROR");
    shim.path = getenv("IO_SHIM_PATH");
    shim.only_while = getenv("IO_SHIM_WHILE");
    shim.at = at != NULL ? strtoull(at, NULL, 10) : 1;
    shim.forever = forever != NULL && strcmp(forever, "1") == 0;
    shim.log_path = getenv("IO_SHIM_LOG_PATH");
    shim.log_path_size = shim.log_path != NULL ? strlen(shim.log_path) : 0;
    if (count != NULL)
        open_count(count);
    if (log != NULL) {
        shim.log_fd = real.openat(AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (shim.log_fd < 0) {
            perror(log);
            _exit(99);
        }
    }
}

/* --- paths --- */

/* Where a descriptor leads; empty if nowhere. */
static void path_of(int fd, char out_path[PATH_MAX])
{
    char link[64];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, out_path, PATH_MAX - 1);
    out_path[size > 0 ? size : 0] = '\0';
}

void path_at(int dir_fd, const char *name, char out_path[PATH_MAX])
{
    char dir[PATH_MAX];
    dir[0] = '\0';
    if (name[0] != '/') {
        if (dir_fd != AT_FDCWD)
            path_of(dir_fd, dir);
        else if (getcwd(dir, sizeof(dir)) == NULL)
            dir[0] = '\0';
    }
    size_t size = strlen(dir), name_size = strlen(name);
    if (size + name_size + 2 > PATH_MAX)
        name_size = 0;
    memcpy(out_path, dir, size);
    if (size > 0)
        out_path[size++] = '/';
    memcpy(out_path + size, name, name_size);
    out_path[size + name_size] = '\0';
}

/* --- failing --- */

static bool path_matches(const char *path)
{
    size_t size = shim.path != NULL ? strlen(shim.path) : 0, path_size = strlen(path);
    if (size == 0)
        return true;
    if (shim.path[size - 1] != '$')
        return strstr(path, shim.path) != NULL;
    size--;
    return path_size >= size && memcmp(path + path_size - size, shim.path, size) == 0;
}

static bool is_counted(const char *call, const char *path)
{
    return shim.call != NULL && (strcmp(shim.call, call) == 0 || strcmp(shim.call, "all") == 0) &&
           path_matches(path) && (shim.only_while == NULL || access(shim.only_while, F_OK) == 0);
}

/* Counts the call and says what becomes of it; FAIL has set errno. */
enum verdict judge(const char *call, const char *path)
{
    static const struct {
        const char *name;
        int error;
    } errors[] = { { "EIO", EIO }, { "ENOSPC", ENOSPC }, { "EDQUOT", EDQUOT }, { "EINTR", EINTR } };
    int saved = errno;
    bool counted = is_counted(call, path);
    errno = saved;
    if (!counted)
        return PASS;
    (void)pthread_mutex_lock(&lock);
    shim.calls++;
    bool hit = shim.calls == shim.at || (shim.forever && shim.calls > shim.at);
    shim.hits += hit;
    show_count();
    (void)pthread_mutex_unlock(&lock);
    if (!hit)
        return PASS;
    const char *error = shim.error != NULL ? shim.error : "EIO";
    if (strcmp(error, "kill") == 0)
        (void)kill(getpid(), SIGKILL);
    if (strcmp(error, "slow") == 0) {
        (void)poll(NULL, 0, SLOW_MS); /* a slow disk is the fault; nobody waits here for anything */
        return PASS;
    }
    if (strcmp(error, "swallow") == 0)
        return SWALLOW;
    errno = EIO;
    if (strcmp(error, "short") == 0)
        return SHORT;
    if (strcmp(error, "half") == 0)
        return HALF;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        if (strcmp(error, errors[i].name) == 0)
            errno = errors[i].error;
    }
    return FAIL;
}

enum verdict judge_fd(const char *call, int fd)
{
    char path[PATH_MAX];
    if (shim.call == NULL)
        return PASS;
    path_of(fd, path);
    return judge(call, path);
}

/* --- logging --- */

static bool is_logged(const char *path)
{
    return shim.log_fd >= 0 &&
           (shim.log_path == NULL || strncmp(path, shim.log_path, shim.log_path_size) == 0);
}

bool log_is_on(void)
{
    return shim.log_fd >= 0;
}

uint64_t log_size(void)
{
    struct stat info;
    return shim.log_fd >= 0 && fstat(shim.log_fd, &info) == 0 ? (uint64_t)info.st_size : 0;
}

static void log_record(struct io_log_record record, const char *path, const char *path2, const void *bytes)
{
    record.magic = IO_LOG_MAGIC;
    record.path_size = (uint32_t)strlen(path);
    record.path2_size = path2 != NULL ? (uint32_t)strlen(path2) : 0;
    char *whole = malloc(sizeof(record) + record.path_size + record.path2_size + record.size);
    if (whole == NULL)
        _exit(99);
    size_t size = 0;
    memcpy(whole, &record, sizeof(record));
    size += sizeof(record);
    memcpy(whole + size, path, record.path_size);
    size += record.path_size;
    if (record.path2_size > 0)
        memcpy(whole + size, path2, record.path2_size);
    size += record.path2_size;
    if (record.size > 0)
        memcpy(whole + size, bytes, record.size);
    size += record.size;
    (void)pthread_mutex_lock(&lock);
    /* One call for all of it: the log is whole up to the last record, whenever the process ends. */
    if (real.write(shim.log_fd, whole, size) != (ssize_t)size)
        _exit(99);
    (void)pthread_mutex_unlock(&lock);
    free(whole);
}

/* A record of an open file; not of sockets, pipes and what lies elsewhere. */
void log_fd_record(struct io_log_record record, int fd, const void *bytes)
{
    char path[PATH_MAX];
    struct stat info;
    int saved = errno;
    if (shim.log_fd < 0)
        return;
    path_of(fd, path);
    if (is_logged(path) && fstat(fd, &info) == 0) {
        record.inode = info.st_ino;
        if (record.kind == IO_LOG_SYNC && S_ISDIR(info.st_mode))
            record.kind = IO_LOG_SYNC_DIR;
        if (record.kind == IO_LOG_WRITE && (fcntl(fd, F_GETFL) & (O_SYNC | O_DSYNC)) != 0)
            record.flags = IO_LOG_DURABLE;
        if (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode))
            log_record(record, path, NULL, bytes);
    }
    errno = saved;
}

void log_name(enum io_log_kind kind, const char *path, const char *path2)
{
    int saved = errno;
    if (is_logged(path) || (path2 != NULL && is_logged(path2)))
        log_record((struct io_log_record){ .kind = (uint16_t)kind }, path, path2, NULL);
    errno = saved;
}

void shim_start(void)
{
    (void)pthread_once(&once, start);
}
