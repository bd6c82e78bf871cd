#include "ledger/journal_internal.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

int file_write_all(int fd, const uint8_t *bytes, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t written = pwrite(fd, bytes, size, (off_t)offset);
        if (written < 0) {
            if (errno == EINTR)
                continue;
            return errno;
        }
        if (written == 0)
            return EIO;
        bytes += written;
        size -= (size_t)written;
        offset += (uint64_t)written;
    }
    return 0;
}

int file_read_all(int fd, uint8_t *bytes, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t got = pread(fd, bytes, size, (off_t)offset);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            return errno;
        }
        if (got == 0)
            return EIO;
        bytes += got;
        size -= (size_t)got;
        offset += (uint64_t)got;
    }
    return 0;
}

int file_find_nonzero(int fd, uint64_t from, uint64_t to, uint64_t *out_from, uint64_t *out_to)
{
    uint8_t chunk[64 * 1024];
    uint64_t first = to, behind_last = to;
    bool found = false;
    for (uint64_t at = from; at < to;) {
        size_t size = (size_t)u64_min(sizeof(chunk), to - at);
        int error = file_read_all(fd, chunk, size, at);
        if (error != 0)
            return error;
        if (!bytes_are_zero(chunk, size)) {
            size_t low = 0, high = size;
            while (chunk[low] == 0)
                low++;
            while (chunk[high - 1] == 0)
                high--;
            if (!found)
                first = at + low;
            behind_last = at + high;
            found = true;
        }
        at += size;
    }
    *out_from = first;
    *out_to = behind_last;
    return 0;
}

enum punkt_status file_failure(const struct journal *journal, struct failure *failure, const char *what,
                               const char *name, int error)
{
    failure_set(failure, "cannot %s %s/%s: %s", what, journal->options.dir, name, strerror(error));
    return error == ENOSPC || error == EDQUOT ? PUNKT_FULL : PUNKT_IO;
}

int64_t monotonic_us(void)
{
    struct timespec now;
    PUNKT_CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int64_t)now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000;
}
