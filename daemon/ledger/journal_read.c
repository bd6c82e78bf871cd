#include "ledger/journal_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define EVENT_READ_BYTES 4096u /* most events are smaller, and cost one call */

void cache_close(struct fd_cache *cache)
{
    for (size_t i = 0; i < FD_CACHE_SIZE; i++) {
        if (cache->slots[i].fd >= 0)
            (void)close(cache->slots[i].fd);
        cache->slots[i].fd = -1;
    }
}

/* Under the cache's lock: the file of a segment, opened or from the cache. Borrowed until the lock is released. */
static enum punkt_status cache_open(struct journal *journal, journal_position start, int *out_fd,
                                    struct failure *failure)
{
    struct fd_cache *cache = &journal->cache;
    size_t oldest = 0;
    for (size_t i = 0; i < FD_CACHE_SIZE; i++) {
        if (cache->slots[i].fd >= 0 && cache->slots[i].start == start) {
            cache->slots[i].used_at = ++cache->clock;
            *out_fd = cache->slots[i].fd;
            return PUNKT_OK;
        }
        if (cache->slots[i].used_at < cache->slots[oldest].used_at)
            oldest = i;
    }
    char name[SEGMENT_NAME_SIZE];
    segment_name(start, name);
    int fd = openat(journal->dir_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        int error = errno;
        enum punkt_status status = file_failure(journal, failure, "open", name, error);
        return error == ENOENT ? PUNKT_NOT_FOUND : status;
    }
    if (cache->slots[oldest].fd >= 0)
        (void)close(cache->slots[oldest].fd);
    cache->slots[oldest].fd = fd;
    cache->slots[oldest].start = start;
    cache->slots[oldest].used_at = ++cache->clock;
    *out_fd = fd;
    return PUNKT_OK;
}

/* Which file a position lies in, and where. */
static enum punkt_status locate(struct journal *journal, journal_position position, size_t *out_index,
                                journal_position *out_start, struct failure *failure)
{
    journal_position first;
    if (table_find(&journal->table, position, out_index, out_start))
        return PUNKT_OK;
    char name[SEGMENT_NAME_SIZE] = "any";
    if (table_at(&journal->table, 0, &first))
        segment_name(first, name);
    failure_set(failure, "the segment with position %llu, a file of %s before %s, is not in the folder",
                (unsigned long long)position, journal->options.dir, name);
    return PUNKT_NOT_FOUND;
}

static enum punkt_status read_error(const struct journal *journal, journal_position start, int error,
                                    struct failure *failure)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(start, name);
    return file_failure(journal, failure, "read", name, error);
}

/* Under the cache's lock: the event's first bytes, then what is missing of it. */
static enum punkt_status read_event(struct journal *journal, journal_position start, uint64_t offset,
                                    uint64_t available, uint8_t *buffer, struct failure *failure)
{
    int fd;
    enum punkt_status status = cache_open(journal, start, &fd, failure);
    if (status != PUNKT_OK)
        return status;
    uint64_t first = u64_min(EVENT_READ_BYTES, available);
    int error = file_read_all(fd, buffer, first, offset);
    if (error != 0)
        return read_error(journal, start, error, failure);
    uint64_t size = u64_min(u64_min(load_u32(buffer), JOURNAL_EVENT_MAX), available);
    if (size > first)
        error = file_read_all(fd, buffer + first, size - first, offset + first);
    return error == 0 ? PUNKT_OK : read_error(journal, start, error, failure);
}

static enum punkt_status check_event(const struct journal *journal, journal_position start, uint64_t offset,
                                     const uint8_t *event, uint64_t available, struct failure *failure)
{
    const char *wrong = event_check(event, available);
    if (wrong == NULL)
        return PUNKT_OK;
    char name[SEGMENT_NAME_SIZE];
    segment_name(start, name);
    failure_set(failure, "%s/%s, offset %llu: %s", journal->options.dir, name, (unsigned long long)offset,
                wrong);
    return PUNKT_CORRUPT;
}

enum punkt_status journal_read_event(struct journal *journal, journal_position position, uint8_t *buffer,
                                     uint32_t *out_size, struct failure *failure)
{
    journal_position start, next, durable = journal_durable(journal);
    size_t index;
    if (position >= durable) {
        failure_set(failure, "no event can be read at position %llu: the journal is durable up to %llu",
                    (unsigned long long)position, (unsigned long long)durable);
        return PUNKT_INVALID;
    }
    enum punkt_status status = locate(journal, position, &index, &start, failure);
    if (status != PUNKT_OK)
        return status;
    /* What is written meanwhile behind the durable end, or lies in the next file, is none of ours. */
    uint64_t available = durable - position;
    if (table_at(&journal->table, index + 1, &next))
        available = u64_min(available, next - position);
    uint64_t offset = SEGMENT_HEADER_SIZE + (position - start);
    if (available >= JOURNAL_EVENT_HEADER_SIZE) {
        pthread_mutex_lock(&journal->cache.lock);
        status = read_event(journal, start, offset, available, buffer, failure);
        pthread_mutex_unlock(&journal->cache.lock);
    }
    if (status == PUNKT_OK)
        status = check_event(journal, start, offset, buffer, available, failure);
    if (status == PUNKT_OK)
        *out_size = load_u32(buffer);
    return status;
}

enum punkt_status journal_hash_of(struct journal *journal, journal_position position,
                                  uint8_t out_hash[JOURNAL_HASH_SIZE], struct failure *failure)
{
    if (position <= journal_durable(journal))
        return journal_scanned_hash(journal, position, out_hash, failure);
    failure_set(failure, "no durable block ends at position %llu", (unsigned long long)position);
    return PUNKT_INVALID;
}

enum punkt_status journal_scanned_hash(struct journal *journal, journal_position position,
                                       uint8_t out_hash[JOURNAL_HASH_SIZE], struct failure *failure)
{
    journal_position start;
    size_t index;
    int fd;
    if (position == 0) {
        struct journal_head beginning;
        journal_beginning(journal, &beginning);
        memcpy(out_hash, beginning.hash, JOURNAL_HASH_SIZE);
        return PUNKT_OK;
    }
    if (position < BLOCK_SIZE_MIN) {
        failure_set(failure, "no block ends at position %llu", (unsigned long long)position);
        return PUNKT_INVALID;
    }
    enum punkt_status status = locate(journal, position - 1, &index, &start, failure);
    if (status != PUNKT_OK)
        return status;
    pthread_mutex_lock(&journal->cache.lock);
    status = cache_open(journal, start, &fd, failure);
    if (status == PUNKT_OK) {
        uint64_t end = SEGMENT_HEADER_SIZE + (position - start);
        int error = file_read_all(fd, out_hash, JOURNAL_HASH_SIZE, end - JOURNAL_HASH_SIZE);
        if (error != 0)
            status = read_error(journal, start, error, failure);
    }
    pthread_mutex_unlock(&journal->cache.lock);
    return status;
}

/* The header of the block at position, which ends before `until`. */
static enum punkt_status read_block_header(struct journal *journal, journal_position position,
                                           journal_position until, uint8_t bytes[BLOCK_HEADER_SIZE],
                                           struct block_header *out_header, struct failure *failure)
{
    journal_position start;
    size_t index;
    int fd;
    enum punkt_status status = locate(journal, position, &index, &start, failure);
    if (status != PUNKT_OK)
        return status;
    uint64_t offset = SEGMENT_HEADER_SIZE + (position - start);
    int error = 0;
    pthread_mutex_lock(&journal->cache.lock);
    status = cache_open(journal, start, &fd, failure);
    if (status == PUNKT_OK)
        error = file_read_all(fd, bytes, BLOCK_HEADER_SIZE, offset);
    pthread_mutex_unlock(&journal->cache.lock);
    if (error != 0)
        return read_error(journal, start, error, failure);
    const char *wrong = status == PUNKT_OK ? block_header_decode(bytes, until - position, out_header) : NULL;
    if (wrong == NULL)
        return status;
    char name[SEGMENT_NAME_SIZE];
    segment_name(start, name);
    failure_set(failure, "%s/%s, offset %llu: %s", journal->options.dir, name, (unsigned long long)offset,
                wrong);
    return PUNKT_CORRUPT;
}

/* Where the last segment begins whose first block is from before `time`; the first segment, if none is. */
static enum punkt_status find_segment(struct journal *journal, utc_us time, journal_position until,
                                      journal_position *out_start, struct failure *failure)
{
    uint8_t bytes[BLOCK_HEADER_SIZE];
    struct block_header header;
    journal_position start;
    if (!table_at(&journal->table, 0, out_start))
        *out_start = 0;
    for (size_t index = 1; table_at(&journal->table, index, &start) && start < until; index++) {
        enum punkt_status status = read_block_header(journal, start, until, bytes, &header, failure);
        if (status != PUNKT_OK)
            return status;
        if (header.time >= time)
            break;
        *out_start = start;
    }
    return PUNKT_OK;
}

enum punkt_status journal_find_time(struct journal *journal, utc_us time, journal_position until,
                                    struct journal_head *out_head, struct failure *failure)
{
    uint8_t bytes[BLOCK_HEADER_SIZE];
    struct block_header header;
    struct journal_head head;
    journal_beginning(journal, &head);
    enum punkt_status status = find_segment(journal, time, until, &head.position, failure);
    while (status == PUNKT_OK && head.position < until) {
        status = read_block_header(journal, head.position, until, bytes, &header, failure);
        if (status != PUNKT_OK)
            break;
        memcpy(head.hash, bytes + 48, JOURNAL_HASH_SIZE); /* of the block before */
        head.next_sequence = header.first_sequence;
        head.term = header.term;
        if (header.time >= time) {
            *out_head = head;
            return PUNKT_OK;
        }
        head.position += header.size;
        head.next_sequence += header.event_count;
        head.time = header.time;
    }
    if (status == PUNKT_OK)
        status = journal_hash_of(journal, head.position, head.hash, failure);
    if (status == PUNKT_OK)
        *out_head = head;
    return status;
}
