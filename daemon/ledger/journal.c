#include "ledger/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "ledger/journal_internal.h"

/* --- opening --- */

static bool journal_init_locks(struct journal *journal)
{
    pthread_condattr_t clock;
    if (pthread_mutex_init(&journal->lock, NULL) != 0 ||
        pthread_mutex_init(&journal->table.lock, NULL) != 0 ||
        pthread_mutex_init(&journal->cache.lock, NULL) != 0 || pthread_cond_init(&journal->done, NULL) != 0 ||
        pthread_condattr_init(&clock) != 0)
        return false;
    journal->lock_made = pthread_condattr_setclock(&clock, CLOCK_MONOTONIC) == 0 &&
                         pthread_cond_init(&journal->work, &clock) == 0;
    (void)pthread_condattr_destroy(&clock);
    return journal->lock_made;
}

static struct journal *journal_new(const struct journal_options *options)
{
    struct journal *journal = calloc(1, sizeof(*journal));
    if (journal == NULL)
        return NULL;
    journal->options = *options;
    journal->dir_fd = journal->lock_fd = journal->writer.fd = journal->writer.spare_fd = -1;
    for (size_t i = 0; i < FD_CACHE_SIZE; i++)
        journal->cache.slots[i].fd = -1;
    if (options->segment_bytes == 0)
        journal->options.segment_bytes = JOURNAL_SEGMENT_BYTES_DEFAULT;
    journal->block_max =
        (uint32_t)u64_min(JOURNAL_BLOCK_MAX, journal->options.segment_bytes - SEGMENT_HEADER_SIZE);
    journal->options.dir = strdup(options->dir);
    journal->writer.zeros = calloc(1, SPARE_SLICE_BYTES);
    if (journal->options.dir == NULL || journal->writer.zeros == NULL || !journal_init_locks(journal)) {
        journal_close(journal);
        return NULL;
    }
    return journal;
}

/* The first segment, and with it the id. */
static enum punkt_status journal_create(struct journal *journal, struct failure *failure)
{
    enum punkt_status status = PUNKT_OK;
    if (journal->options.read_only) {
        failure_set(failure, "there is no journal in %s", journal->options.dir);
        return PUNKT_NOT_FOUND;
    }
    if (getrandom(journal->id, sizeof(journal->id), 0) != (ssize_t)sizeof(journal->id)) {
        failure_set(failure, "the system gives no random bytes for the journal's id: %s", strerror(errno));
        return PUNKT_IO;
    }
    while (status == PUNKT_OK && !journal->writer.spare_ready)
        status = spare_step(journal, failure);
    if (status == PUNKT_OK)
        status = spare_take(journal, 0, failure);
    journal->is_new = true;
    return status;
}

/* The newest segment says whose journal this is: it was the last to be made, by this id or not at all. */
static enum punkt_status journal_read_id(struct journal *journal, journal_position start,
                                         struct failure *failure)
{
    char name[SEGMENT_NAME_SIZE];
    uint8_t bytes[SEGMENT_HEADER_SIZE];
    struct segment_header header;
    segment_name(start, name);
    int fd = openat(journal->dir_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_failure(journal, failure, "open", name, errno);
    int error = file_read_all(fd, bytes, sizeof(bytes), 0);
    (void)close(fd);
    const char *wrong =
        error != 0 ? "the segment's header cannot be read" : segment_header_decode(bytes, &header);
    if (wrong != NULL) {
        failure_set(failure, "%s/%s, offset 0: %s; put the file back from a backup", journal->options.dir,
                    name, wrong);
        return PUNKT_CORRUPT;
    }
    memcpy(journal->id, header.id, JOURNAL_ID_SIZE);
    return PUNKT_OK;
}

enum punkt_status journal_open_sized(const struct journal_options *options, uint64_t segment_bytes_min,
                                     struct journal **out_journal, struct failure *failure)
{
    if (options->segment_bytes != 0 && options->segment_bytes < segment_bytes_min) {
        failure_set(failure, "a segment of the journal has at least %llu bytes",
                    (unsigned long long)segment_bytes_min);
        return PUNKT_INVALID;
    }
    struct journal *journal = journal_new(options);
    if (journal == NULL) {
        failure_set(failure, "no memory for the journal");
        return PUNKT_NO_MEMORY;
    }
    journal_position last;
    enum punkt_status status = folder_open(journal, failure);
    if (status == PUNKT_OK)
        status = folder_list(journal, failure);
    if (status == PUNKT_OK) {
        if (journal->table.count > 0 && table_at(&journal->table, journal->table.count - 1, &last))
            status = journal_read_id(journal, last, failure);
        else
            status = journal_create(journal, failure);
    }
    if (status != PUNKT_OK) {
        journal_close(journal);
        return status;
    }
    *out_journal = journal;
    return PUNKT_OK;
}

enum punkt_status journal_open(const struct journal_options *options, struct journal **out_journal,
                               struct failure *failure)
{
    return journal_open_sized(options, JOURNAL_SEGMENT_BYTES_MIN, out_journal, failure);
}

const uint8_t *journal_id(const struct journal *journal)
{
    return journal->id;
}

bool journal_is_new(const struct journal *journal)
{
    return journal->is_new;
}

void journal_beginning(const struct journal *journal, struct journal_head *out_head)
{
    *out_head = (struct journal_head){ .position = 0, .next_sequence = 1, .term = 1, .time = 0 };
    memcpy(out_head->id, journal->id, JOURNAL_ID_SIZE);
    memcpy(out_head->hash, journal->id, JOURNAL_ID_SIZE);
}

/* --- starting and stopping --- */

static void block_buffer_begin(struct journal *journal, struct block_buffer *buffer,
                               journal_position position)
{
    buffer->position = position;
    buffer->used = BLOCK_HEADER_SIZE;
    buffer->event_count = 0;
    buffer->first_sequence = journal->next_sequence;
}

static bool journal_make_buffers(struct journal *journal)
{
    for (size_t i = 0; i < COUNT_OF(journal->buffers); i++) {
        journal->buffers[i].bytes = malloc(journal->block_max);
        if (journal->buffers[i].bytes == NULL)
            return false;
        /* Touches every page now: no page fault in the first large blocks. */
        memset(journal->buffers[i].bytes, 0, journal->block_max);
    }
    journal->open = &journal->buffers[0];
    journal->away = &journal->buffers[1];
    return sha256_init(&journal->sha256) == PUNKT_OK;
}

enum punkt_status journal_start(struct journal *journal, uint64_t term, struct failure *failure)
{
    PUNKT_CHECK(journal->recovered && !journal->started);
    if (journal->options.read_only) {
        failure_set(failure, "the journal %s was opened for reading only", journal->options.dir);
        return PUNKT_INVALID;
    }
    if (term < journal->head.term) {
        failure_set(failure, "the journal %s is in term %llu and cannot go back to %llu",
                    journal->options.dir, (unsigned long long)journal->head.term, (unsigned long long)term);
        return PUNKT_INVALID;
    }
    if (!journal_make_buffers(journal)) {
        failure_set(failure, "no memory for the blocks of the journal");
        return PUNKT_NO_MEMORY;
    }
    journal->term = term;
    journal->next_sequence = journal->head.next_sequence;
    journal->sealed_time = journal->head.time;
    block_buffer_begin(journal, journal->open, journal->head.position);
    /* Nothing is in the other one yet. */
    block_buffer_begin(journal, journal->away, journal->head.position);
    journal_check_space(journal);
    journal->started = true;
    int error = pthread_create(&journal->thread, NULL, journal_thread, journal);
    if (error != 0) {
        journal->started = false;
        failure_set(failure, "cannot start the journal's thread: %s", strerror(error));
        return PUNKT_IO;
    }
    return PUNKT_OK;
}

static void journal_stop(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    atomic_store(&journal->stop, true);
    pthread_cond_signal(&journal->work);
    pthread_mutex_unlock(&journal->lock);
    (void)pthread_join(journal->thread, NULL);
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    if (journal->started)
        journal_stop(journal);
    sha256_done(&journal->sha256);
    for (size_t i = 0; i < COUNT_OF(journal->buffers); i++)
        free(journal->buffers[i].bytes);
    cache_close(&journal->cache);
    const int fds[] = { journal->writer.fd, journal->writer.spare_fd, journal->lock_fd, journal->dir_fd };
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        if (fds[i] >= 0)
            (void)close(fds[i]);
    }
    if (journal->lock_made) {
        (void)pthread_cond_destroy(&journal->work);
        (void)pthread_cond_destroy(&journal->done);
        (void)pthread_mutex_destroy(&journal->lock);
        (void)pthread_mutex_destroy(&journal->table.lock);
        (void)pthread_mutex_destroy(&journal->cache.lock);
    }
    free(journal->table.starts);
    free(journal->writer.zeros);
    free((void *)(uintptr_t)journal->options.dir); /* our copy, const only for its readers */
    free(journal);
}

/* --- loop thread --- */

static bool open_has_room(const struct journal *journal, uint32_t size)
{
    return journal->open->used + size + JOURNAL_HASH_SIZE <= journal->block_max;
}

static uint32_t event_max(const struct journal *journal)
{
    return (uint32_t)u64_min(JOURNAL_EVENT_MAX, journal->block_max - BLOCK_HEADER_SIZE - JOURNAL_HASH_SIZE);
}

uint8_t *journal_reserve(struct journal *journal, uint32_t size, journal_position *out_position)
{
    PUNKT_CHECK(size >= JOURNAL_EVENT_HEADER_SIZE && size <= event_max(journal) && journal->reserved == 0);
    if (!open_has_room(journal, size)) {
        struct journal_head head;
        if (!journal_seal(journal, journal->sealed_time, &head))
            return NULL;
    }
    journal->reserved = size;
    *out_position = journal->open->position + journal->open->used;
    return journal->open->bytes + journal->open->used;
}

void journal_commit(struct journal *journal, uint32_t size)
{
    PUNKT_CHECK(size >= JOURNAL_EVENT_HEADER_SIZE && size <= journal->reserved);
    event_finish(journal->open->bytes + journal->open->used, size);
    journal->open->used += size;
    journal->open->event_count++;
    journal->next_sequence++;
    journal->reserved = 0;
}

bool journal_has_room(const struct journal *journal)
{
    return open_has_room(journal, event_max(journal)) || !atomic_load(&journal->busy);
}

bool journal_seal(struct journal *journal, utc_us time, struct journal_head *out_head)
{
    struct block_buffer *block = journal->open;
    PUNKT_CHECK(journal->reserved == 0);
    if (block->event_count == 0 || atomic_load(&journal->busy))
        return false;
    block->used += JOURNAL_HASH_SIZE;
    struct block_header header = {
        .size = block->used,
        .event_count = block->event_count,
        .first_sequence = block->first_sequence,
        .term = journal->term,
        .time = time,
    };
    block_header_encode(&header, block->bytes);
    journal->open = journal->away;
    journal->away = block;
    journal->sealed_time = time;
    block_buffer_begin(journal, journal->open, block->position + block->used);

    *out_head = (struct journal_head){
        .position = journal->open->position,
        .next_sequence = journal->next_sequence,
        .term = journal->term,
        .time = time,
    };
    memcpy(out_head->id, journal->id, JOURNAL_ID_SIZE);
    pthread_mutex_lock(&journal->lock);
    atomic_store(&journal->busy, true);
    pthread_cond_signal(&journal->work);
    pthread_mutex_unlock(&journal->lock);
    return true;
}

bool journal_is_free(const struct journal *journal)
{
    return !atomic_load(&journal->busy);
}

journal_position journal_next(const struct journal *journal)
{
    return journal->open->position + (journal->open->event_count == 0 ? 0 : journal->open->used);
}

static bool buffer_holds(const struct block_buffer *block, journal_position position)
{
    return block->event_count > 0 && position >= block->position + BLOCK_HEADER_SIZE &&
           position - block->position < block->used;
}

bool journal_in_memory(const struct journal *journal, journal_position position, const uint8_t **out_event,
                       uint32_t *out_size)
{
    const struct block_buffer *block = journal->open;
    if (!buffer_holds(block, position)) {
        block = journal->away;
        if (!buffer_holds(block, position))
            return false;
    }
    const uint8_t *event = block->bytes + (position - block->position);
    uint32_t left = block->used - (uint32_t)(position - block->position);
    if (event_check(event, left) != NULL)
        return false; /* not where an event begins: the reader will say what is wrong with it */
    *out_event = event;
    *out_size = load_u32(event);
    return true;
}

/* --- any thread --- */

journal_position journal_durable(const struct journal *journal)
{
    return atomic_load(&journal->durable);
}

bool journal_low(const struct journal *journal)
{
    return atomic_load(&journal->low);
}

void journal_durable_head(struct journal *journal, struct journal_head *out_head)
{
    pthread_mutex_lock(&journal->lock);
    *out_head = journal->head;
    pthread_mutex_unlock(&journal->lock);
}

bool journal_wait_with_space(struct journal *journal, journal_position position)
{
    pthread_mutex_lock(&journal->lock);
    while (atomic_load(&journal->durable) < position && !journal->out_of_space)
        pthread_cond_wait(&journal->done, &journal->lock);
    bool durable = atomic_load(&journal->durable) >= position;
    pthread_mutex_unlock(&journal->lock);
    return durable;
}

void journal_wait(struct journal *journal, journal_position position)
{
    pthread_mutex_lock(&journal->lock);
    while (atomic_load(&journal->durable) < position)
        pthread_cond_wait(&journal->done, &journal->lock);
    pthread_mutex_unlock(&journal->lock);
}
