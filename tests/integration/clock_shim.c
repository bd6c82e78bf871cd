/*
 * libclock_shim.so: the machine's clock of a daemon under test, ahead by as many microseconds as the first eight bytes
 * of the file CLOCK_SHIM_FILE say at any time. Only the wall clock: what runs by the monotonic clock does not notice.
 * The kernel is said to be synchronised, so that the ledger follows a jump (LEDGER.md, Time).
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead_us;

__attribute__((constructor)) static void find_file(void)
{
    const char *path = getenv("CLOCK_SHIM_FILE");
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    void *mapped = mmap(NULL, sizeof(*ahead_us), PROT_READ, MAP_SHARED, fd, 0);
    if (mapped != MAP_FAILED)
        ahead_us = mapped;
    (void)close(fd);
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    long failed = syscall(SYS_clock_gettime, id, out);
    if (failed != 0 || id != CLOCK_REALTIME || ahead_us == NULL)
        return (int)failed;
    int64_t us = out->tv_nsec / 1000 + *ahead_us;
    out->tv_sec += us / 1000000;
    out->tv_nsec = us % 1000000 * 1000 + out->tv_nsec % 1000;
    return 0;
}

/* By this certificates are judged. */
time_t time(time_t *out)
{
    struct timespec now = { 0, 0 };
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}

int adjtimex(struct timex *state)
{
    state->offset = 0;
    return TIME_OK;
}
