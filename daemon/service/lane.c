/*
 * Lanes: the changes of one (identity, epoch), decided strictly in the order of their numbers. A change
 * that needs something read back parks its lane: what comes later waits behind it.
 */
#include <stdlib.h>
#include <string.h>

#include "ledger/fold.h"
#include "ledger/journal.h"
#include "service/internal.h"

static uint32_t lane_slot(uint64_t identity, uint64_t epoch)
{
    return (uint32_t)((epoch ^ (epoch >> 32) ^ identity * 0x9E3779B97F4A7C15u) % LANE_SLOTS);
}

struct lane *lane_use(struct service *service, uint64_t identity, uint64_t epoch)
{
    struct lane **slot = &service->lanes[lane_slot(identity, epoch)];
    for (struct lane *lane = *slot; lane != NULL; lane = lane->next) {
        if (lane->identity == identity && lane->epoch == epoch) {
            lane->users++;
            return lane;
        }
    }
    struct lane *lane = calloc(1, sizeof(*lane));
    if (lane == NULL)
        return NULL;
    struct lane_record record;
    *lane = (struct lane){ .identity = identity, .epoch = epoch, .users = 1, .next = *slot };
    lane->parked_end = &lane->parked_first;
    if (fold_lane(ledger_fold(service->ledger), identity, epoch, &record))
        lane->highest = record.highest;
    *slot = lane;
    return lane;
}

void lane_leave(struct service *service, struct lane *lane)
{
    if (--lane->users > 0)
        return;
    struct lane **link = &service->lanes[lane_slot(lane->identity, lane->epoch)];
    while (*link != lane)
        link = &(*link)->next;
    *link = lane->next;
    free(lane);
}

static void lane_parks(struct lane *lane, struct parked *parked)
{
    parked->lane = lane;
    parked->next = NULL;
    *lane->parked_end = parked;
    lane->parked_end = &parked->next;
    lane->users++;
}

static void parked_drop(struct pending *pending)
{
    struct parked *parked = (struct parked *)(void *)pending; /* its first member */
    free(parked->event_bytes);
    free(parked);
}

/* Takes the first parked request off the lane. The lane stays: the caller has it in hand. */
static void lane_unparks(struct lane *lane)
{
    struct parked *parked = lane->parked_first;
    lane->parked_first = parked->next;
    if (lane->parked_first == NULL)
        lane->parked_end = &lane->parked_first;
    pending_remove(&parked->pending);
    parked_drop(&parked->pending);
    lane->users--;
}

/* What an unanswered repeat needs: the event that its number made. */
static enum handled repeat(struct request *request, journal_position position)
{
    if (request->fetched_position != position) {
        request->fetch = position;
        return HANDLED_FETCH;
    }
    const struct event *first = request->fetched;
    if (first == NULL) {
        refuse_now(request, RESULT_BUSY,
                   "the first answer is in a part of the journal that cannot be read now");
        return HANDLED;
    }
    if (memcmp(first->request.fingerprint, request->fingerprint, sizeof(request->fingerprint)) != 0) {
        refuse_now(request, RESULT_CONFLICT, "");
        return HANDLED;
    }
    answer_in_order(request->service, request->conn, first->answer_type, FRAME_FLAG_REPLAYED, request->number,
                    first->answer.data, first->answer.size, position);
    return HANDLED;
}

/* What must wait while storage is nearly full; what looks or gives points back goes on. */
static bool is_new_business(enum operation operation)
{
    switch (operation) {
    case OPERATION_CARD_ISSUE:
    case OPERATION_PURCHASE:
    case OPERATION_RETURN:
    case OPERATION_UNLINKED_RETURN:
    case OPERATION_REDEEM:
    case OPERATION_ADJUST:
        return true;
    case OPERATION_HELLO:
    case OPERATION_PING:
    case OPERATION_STATUS:
    case OPERATION_CARD_SHOW:
    case OPERATION_STATEMENT:
    case OPERATION_TOTALS:
    case OPERATION_PROGRAMME_SHOW:
    case OPERATION_AUDIT_VERIFY:
    case OPERATION_CLOCK_ACCEPT:
        return false;
    }
    return true;
}

static enum handled handle_change(struct request *request)
{
    switch (request->row->code) {
#define HANDLE_SESSION(name) break;
#define HANDLE_READ(name) break;
#define HANDLE_CHANGE(name) return handle_##name(request);
#define OPERATION(code, NAME, name, kind, doc)                                                               \
    case OPERATION_##NAME:                                                                                   \
        HANDLE_##kind(name)
#define RESERVED(code, name)
#include "proto/operations.def"
#undef OPERATION
#undef RESERVED
    }
    PUNKT_CHECK(false); /* only changes come here */
    return HANDLED;
}

/* The lane of the request has nothing parked before it. */
static enum handled decide_once(struct request *request)
{
    struct lane *lane = request->lane;
    uint64_t expected = lane->highest + 1;
    if (request->number > expected) {
        refuse_now(request, RESULT_OUT_OF_ORDER, "");
        return HANDLED;
    }
    hash16(request->service, (uint16_t)request->row->code, request->body, request->body_size,
           request->fingerprint);
    if (request->number < expected) {
        journal_position position =
            fold_request(ledger_fold(request->service->ledger), lane->identity, lane->epoch, request->number);
        if (position != 0)
            return repeat(request, position);
        /* Passed over as malformed: the same bytes are so again, others are not what was answered. */
        if (request_decode(request))
            refuse_now(request, RESULT_CONFLICT, "");
        return HANDLED;
    }
    if (!request_decode(request)) {
        lane->highest = request->number;
        return HANDLED;
    }
    if (is_new_business(request->row->code) && ledger_storage_low(request->service->ledger)) {
        refuse_now(request, RESULT_STORAGE_FULL, "");
        return HANDLED;
    }
    return handle_change(request);
}

/*
 * Decides the request. What it wants read back may be in a block that is still in memory; else
 * HANDLED_FETCH.
 */
static enum handled decide(struct request *request)
{
    struct service *service = request->service;
    enum handled handled = decide_once(request);
    while (handled == HANDLED_FETCH) {
        struct text bytes;
        if (!ledger_event_in_memory(service->ledger, request->fetch, &bytes))
            return HANDLED_FETCH;
        if (!event_decode((const uint8_t *)bytes.data, bytes.size, &service->fetched_memory,
                          &service->fetched))
            return HANDLED_FETCH; /* a client named the position: the reader has the last word on it */
        request->fetched = &service->fetched;
        request->fetched_position = request->fetch;
        handled = decide_once(request); /* wants at most the document's event, then the sale's */
    }
    return handled;
}

static struct parked *park(struct request *request)
{
    struct parked *parked = calloc(1, sizeof(*parked) + request->body_size);
    if (parked == NULL)
        return NULL;
    pending_add(&parked->pending, request, parked_drop);
    parked->body_size = request->body_size;
    if (request->body_size > 0)
        memcpy(parked->body, request->body, request->body_size);
    lane_parks(request->lane, parked);
    return parked;
}

/* Reader thread: the bytes of the event are copied out; the loop decodes them. */
static enum job_step fetch_run(struct ledger_job *job, struct reading *reading)
{
    struct parked *parked = (struct parked *)(void *)((char *)job - offsetof(struct parked, job));
    struct failure failure;
    uint32_t size;
    if (journal_read_event(reading->journal, parked->fetched_position, reading->bytes, &size, &failure) ==
        PUNKT_OK) {
        parked->event_bytes = malloc(size);
        if (parked->event_bytes != NULL) {
            memcpy(parked->event_bytes, reading->bytes, size);
            parked->event_size = size;
        }
    }
    return JOB_DONE;
}

static void lane_resume(struct service *service, struct lane *lane);

static void fetch_done(struct ledger_job *job)
{
    struct parked *parked = (struct parked *)(void *)((char *)job - offsetof(struct parked, job));
    parked->lane->fetching = false;
    lane_resume(parked->pending.service, parked->lane);
}

static void fetch(struct parked *parked, journal_position position)
{
    free(parked->event_bytes);
    parked->event_bytes = NULL;
    parked->fetched_position = position;
    parked->lane->fetching = true;
    parked->job = (struct ledger_job){ .wait_for = position, .run = fetch_run, .done = fetch_done };
    ledger_submit(parked->pending.service->ledger, &parked->job);
}

static struct request request_of(struct parked *parked)
{
    struct service *service = parked->pending.service;
    struct request request = { .service = service,
                               .conn = parked->pending.conn,
                               .identity = parked->lane->identity,
                               .lane = parked->lane,
                               .row = operation_row(parked->pending.type),
                               .flags = parked->pending.flags,
                               .number = parked->pending.number,
                               .body = parked->body,
                               .body_size = parked->body_size,
                               .fetched_position = parked->fetched_position };
    if (parked->event_bytes != NULL && event_decode(parked->event_bytes + JOURNAL_EVENT_HEADER_SIZE,
                                                    parked->event_size - JOURNAL_EVENT_HEADER_SIZE,
                                                    &service->fetched_memory, &service->fetched))
        request.fetched = &service->fetched;
    return request;
}

static bool there_is_room(const struct service *service)
{
    return ledger_has_room(service->ledger) && answers_have_room(&service->answers);
}

/* Decides what is parked, in order, until one must be fetched for or there is no room. */
static void lane_resume(struct service *service, struct lane *lane)
{
    lane->users++; /* it may lose its last user while it is in hand */
    while (lane->parked_first != NULL && !lane->fetching) {
        if (!there_is_room(service)) {
            if (!lane->stalled) {
                lane->stalled = true;
                lane->next_stalled = service->stalled;
                service->stalled = lane;
            }
            break;
        }
        struct parked *parked = lane->parked_first;
        struct request request = request_of(parked);
        if (decide(&request) == HANDLED_FETCH)
            fetch(parked, request.fetch);
        else
            lane_unparks(lane);
    }
    lane_leave(service, lane);
}

void lanes_resume(struct service *service)
{
    struct lane *lane = service->stalled;
    service->stalled = NULL;
    while (lane != NULL) {
        struct lane *next = lane->next_stalled;
        lane->stalled = false;
        lane_resume(service, lane); /* its parked requests keep it alive until here */
        lane = next;
    }
}

enum service_verdict lane_take(struct request *request)
{
    struct service *service = request->service;
    struct lane *lane = request->lane;
    if (!there_is_room(service))
        return SERVICE_NOT_NOW;
    if (lane->parked_first == NULL) {
        if (decide(request) == HANDLED)
            return SERVICE_TAKEN;
        struct parked *parked = park(request);
        if (parked == NULL)
            refuse_now(request, RESULT_BUSY, "out of memory");
        else
            fetch(parked, request->fetch);
    } else if (park(request) == NULL) {
        refuse_now(request, RESULT_BUSY, "out of memory");
    }
    return SERVICE_TAKEN;
}
