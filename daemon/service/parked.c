/*
 * Requests that wait for a thread: for the reader, which fetches an event that they need, or for the worker, which checks a
 * PIN. What came so far is kept with them, and they are asked again from the beginning.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "ledger/journal.h"
#include "service/internal.h"

static void parked_drop(struct pending *pending)
{
    struct parked *parked = (struct parked *)(void *)pending; /* its first member */
    for (uint32_t i = 0; i < parked->fetched_count; i++)
        free(parked->fetched[i].bytes);
    OPENSSL_cleanse(parked->secret, sizeof(parked->secret));
    free(parked);
}

void parked_free(struct parked *parked)
{
    pending_remove(&parked->pending);
    parked_drop(&parked->pending);
}

/* What was in memory already need not be read. Without memory for it, it is read after all. */
static void parked_keeps(struct parked *parked, const struct fetched *fetched)
{
    if (!fetched->readable)
        return;
    uint8_t *bytes = malloc(fetched->size);
    if (bytes == NULL)
        return;
    memcpy(bytes, fetched->bytes, fetched->size);
    parked->fetched[parked->fetched_count].position = fetched->position;
    parked->fetched[parked->fetched_count].bytes = bytes;
    parked->fetched[parked->fetched_count++].size = fetched->size;
}

struct parked *park(const struct request *request)
{
    struct parked *parked = calloc(1, sizeof(*parked) + request->body_size);
    if (parked == NULL)
        return NULL;
    pending_add(&parked->pending, request, parked_drop);
    parked->lane = request->lane;
    parked->identity = request->identity;
    parked->receipt = request->receipt;
    parked->pin = request->pin;
    parked->secret_broken = request->secret_broken;
    parked->secret_size = (uint32_t)request->secret.size;
    if (request->secret.size > 0)
        memcpy(parked->secret, request->secret.data, request->secret.size);
    parked->body_size = request->body_size;
    if (request->body_size > 0)
        memcpy(parked->body, request->body, request->body_size);
    return parked;
}

struct request parked_request(struct parked *parked)
{
    struct service *service = parked->pending.service;
    struct request request = { .service = service,
                               .conn = parked->pending.conn,
                               .identity = parked->identity,
                               .lane = parked->lane,
                               .row = operation_row(parked->pending.type),
                               .flags = parked->pending.flags,
                               .number = parked->pending.number,
                               .receipt = parked->receipt,
                               .body = parked->body,
                               .body_size = parked->body_size,
                               .secret = { parked->secret, parked->secret_size },
                               .secret_broken = parked->secret_broken,
                               .pin = parked->pin,
                               .check = parked->check };
    fetched_clear(service);
    for (uint32_t i = 0; i < parked->fetched_count; i++)
        fetched_take(service, parked->fetched[i].position, parked->fetched[i].bytes, parked->fetched[i].size);
    return request;
}

static struct parked *parked_of(struct ledger_job *job)
{
    return (struct parked *)(void *)((char *)job - offsetof(struct parked, job));
}

/* Reader thread: the bytes of the event are copied out; the loop decodes them. */
static enum job_step fetch_run(struct ledger_job *job, struct reading *reading)
{
    struct parked *parked = parked_of(job);
    struct failure failure;
    uint32_t size;
    if (journal_read_event(reading->journal, parked->fetched[parked->fetched_count].position, reading->bytes,
                           &size, &failure) != PUNKT_OK)
        return JOB_DONE;
    size -= JOURNAL_EVENT_HEADER_SIZE;
    uint8_t *bytes = malloc(size);
    if (bytes != NULL)
        memcpy(bytes, reading->bytes + JOURNAL_EVENT_HEADER_SIZE, size);
    parked->fetched[parked->fetched_count].bytes = bytes;
    parked->fetched[parked->fetched_count].size = size;
    return JOB_DONE;
}

static void fetch_done(struct ledger_job *job)
{
    struct parked *parked = parked_of(job);
    parked->fetched_count++;
    parked->resume(parked);
}

/* Worker thread. */
static enum job_step check_run(struct ledger_job *job, struct reading *reading)
{
    struct parked *parked = parked_of(job);
    (void)reading;
    parked->pin = pin_work(parked->pending.service, parked->check_for,
                           (struct text){ parked->secret, parked->secret_size }, &parked->check);
    return JOB_DONE;
}

static void check_done(struct ledger_job *job)
{
    struct parked *parked = parked_of(job);
    pin_done(parked->pending.service, parked->check_for);
    parked->resume(parked);
}

void parked_wait(struct parked *parked, const struct request *request, enum handled handled,
                 void (*resume)(struct parked *parked))
{
    struct service *service = parked->pending.service;
    parked->resume = resume;
    if (handled == HANDLED_PIN) {
        parked->check = request->check;
        parked->check_for = request->check_for;
        parked->job = (struct ledger_job){ .run = check_run, .done = check_done };
        ledger_submit_work(service->ledger, &parked->job);
        return;
    }
    /* What is here already: found in memory, or fetched before. */
    for (uint32_t i = parked->fetched_count; i < service->fetched_count; i++)
        parked_keeps(parked, &service->fetched[i]);
    PUNKT_CHECK(parked->fetched_count < FETCHED_MAX);
    parked->fetched[parked->fetched_count].position = request->fetch;
    parked->job = (struct ledger_job){ .wait_for = request->fetch, .run = fetch_run, .done = fetch_done };
    ledger_submit(service->ledger, &parked->job);
}
