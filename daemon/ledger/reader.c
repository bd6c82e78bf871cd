#include "ledger/reader.h"

#include <pthread.h>
#include <stdlib.h>

#include "ledger/journal.h"

struct job_list {
    struct ledger_job *first;
    struct ledger_job **end;
};

struct reader {
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping; /* under lock, like the two lists */
    struct job_list waiting;
    struct job_list ended;
    void (*notify)(void *ctx);
    void *ctx;
    struct reading reading;
};

static void list_init(struct job_list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

static void list_add(struct job_list *list, struct ledger_job *job)
{
    job->next = NULL;
    *list->end = job;
    list->end = &job->next;
}

static struct ledger_job *list_take(struct job_list *list)
{
    struct ledger_job *job = list->first;
    if (job != NULL) {
        list->first = job->next;
        if (list->first == NULL)
            list->end = &list->first;
    }
    return job;
}

enum punkt_status reading_event(struct reading *reading, journal_position position, struct failure *failure)
{
    uint32_t size;
    enum punkt_status status = journal_read_event(reading->journal, position, reading->bytes, &size, failure);
    if (status != PUNKT_OK)
        return status;
    if (!event_decode(reading->bytes + JOURNAL_EVENT_HEADER_SIZE, size - JOURNAL_EVENT_HEADER_SIZE,
                      &reading->memory, &reading->event)) {
        failure_set(failure, "the event at position %llu has a format that this version does not know",
                    (unsigned long long)position);
        return PUNKT_CORRUPT;
    }
    return PUNKT_OK;
}

bool event_of_account(const struct event *event, account_number account, const struct effect **out_effect,
                      journal_position *out_previous)
{
    *out_effect = NULL;
    *out_previous = 0;
    for (uint32_t i = 0; i < event->effect_count; i++) {
        if (event->effects[i].account != account)
            continue;
        *out_effect = &event->effects[i];
        *out_previous = event->effects[i].previous;
        return true;
    }
    return event->type == EVENT_CARDS_ISSUED && !event->cards_issued.joins &&
           account >= event->cards_issued.first_account &&
           account - event->cards_issued.first_account < event->cards_issued.count;
}

static void *reader_main(void *argument)
{
    struct reader *reader = argument;
    pthread_mutex_lock(&reader->lock);
    while (!reader->stopping) {
        struct ledger_job *job = list_take(&reader->waiting);
        if (job == NULL) {
            pthread_cond_wait(&reader->wake, &reader->lock);
            continue;
        }
        pthread_mutex_unlock(&reader->lock);
        enum job_step step = job->run(job, &reader->reading);
        pthread_mutex_lock(&reader->lock);
        if (step == JOB_MORE) {
            list_add(&reader->waiting, job); /* behind those that came meanwhile */
            continue;
        }
        list_add(&reader->ended, job);
        reader->notify(reader->ctx);
    }
    pthread_mutex_unlock(&reader->lock);
    return NULL;
}

enum punkt_status reader_open(struct journal *journal, struct state *state, void (*notify)(void *ctx),
                              void *ctx, struct reader **out_reader)
{
    struct reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL)
        return PUNKT_NO_MEMORY;
    pthread_mutex_init(&reader->lock, NULL);
    pthread_cond_init(&reader->wake, NULL);
    list_init(&reader->waiting);
    list_init(&reader->ended);
    reader->notify = notify;
    reader->ctx = ctx;
    reader->reading.journal = journal;
    reader->reading.state = state;
    reader->reading.bytes = malloc(JOURNAL_EVENT_MAX);
    if (reader->reading.bytes == NULL || pthread_create(&reader->thread, NULL, reader_main, reader) != 0) {
        reader_close(reader);
        return PUNKT_NO_MEMORY;
    }
    reader->started = true;
    *out_reader = reader;
    return PUNKT_OK;
}

void reader_submit(struct reader *reader, struct ledger_job *job)
{
    pthread_mutex_lock(&reader->lock);
    list_add(&reader->waiting, job);
    pthread_cond_signal(&reader->wake);
    pthread_mutex_unlock(&reader->lock);
}

void reader_process(struct reader *reader)
{
    pthread_mutex_lock(&reader->lock);
    struct ledger_job *job = reader->ended.first;
    list_init(&reader->ended);
    pthread_mutex_unlock(&reader->lock);
    while (job != NULL) {
        struct ledger_job *next = job->next;
        job->done(job);
        job = next;
    }
}

void reader_close(struct reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->started) {
        pthread_mutex_lock(&reader->lock);
        reader->stopping = true;
        pthread_cond_signal(&reader->wake);
        pthread_mutex_unlock(&reader->lock);
        pthread_join(reader->thread, NULL);
    }
    pthread_cond_destroy(&reader->wake);
    pthread_mutex_destroy(&reader->lock);
    free(reader->reading.bytes);
    free(reader);
}
