/*
 * Lanes: the changes of one (identity, epoch), decided strictly in the order of their numbers. A change
 * that needs something read back parks its lane: what comes later waits behind it.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

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
    if (fold_lane(ledger_fold(service->ledger), identity, epoch, &record)) {
        lane->highest = record.highest;
        lane->tombstones = record.tombstones;
    }
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
    for (uint32_t i = 0; i < parked->fetched_count; i++)
        free(parked->fetched[i].bytes);
    OPENSSL_cleanse(parked->secret, sizeof(parked->secret));
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
    const struct event *first;
    if (!fetched_event(request, position, &first))
        return HANDLED_FETCH;
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
    case OPERATION_CARD_REPLACE:
    case OPERATION_CARD_ADD:
    case OPERATION_ACCOUNT_MERGE:
    case OPERATION_ACCOUNT_TRANSFER:
    case OPERATION_ACCOUNT_TAG:
    case OPERATION_OFFER_ACTIVATE:
    case OPERATION_CARD_PIN:
    case OPERATION_PURCHASE:
    case OPERATION_RETURN:
    case OPERATION_UNLINKED_RETURN:
    case OPERATION_REDEEM:
    case OPERATION_HOLD:
    case OPERATION_CAPTURE:
    case OPERATION_ADJUST:
    case OPERATION_BONUS:
    case OPERATION_WRITE_OFF:
    case OPERATION_AWARD_MOVE:
    case OPERATION_PROGRAMME_PUBLISH:
        return true;
    case OPERATION_HELLO:
    case OPERATION_PING:
    case OPERATION_STATUS:
    case OPERATION_CARD_SHOW:
    case OPERATION_CARD_BLOCK:
    case OPERATION_CARD_UNBLOCK:
    case OPERATION_CARD_CLOSE:
    case OPERATION_RELEASE:
    case OPERATION_REVERSAL:
    case OPERATION_QUOTE:
    case OPERATION_RETURN_PREVIEW:
    case OPERATION_DAY_TOTALS:
    case OPERATION_STATEMENT:
    case OPERATION_TOTALS:
    case OPERATION_PROGRAMME_SHOW:
    case OPERATION_PROGRAMME_CHECK:
    case OPERATION_PROGRAMME_REHEARSE:
    case OPERATION_PROGRAMME_HISTORY:
    case OPERATION_WHY:
    case OPERATION_REPORT:
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

/* The secret part goes off the body; what is left is the message, and what the fingerprint covers. */
static void take_secret(struct request *request)
{
    if ((request->flags & FRAME_FLAG_SECRET) == 0)
        return;
    size_t size = request->body_size > 0 ? request->body[0] : 0;
    request->secret_broken = size == 0 || size > FRAME_SECRET_MAX || size >= request->body_size;
    if (request->secret_broken)
        return;
    request->secret = (struct text){ (const char *)request->body + 1, size };
    request->body += 1 + size;
    request->body_size -= (uint32_t)(1 + size);
}

/* The message of a change, whole with its secret part; or it is refused. */
static bool decode_change(struct request *request)
{
    if (!request->secret_broken)
        return request_decode(request);
    refuse_now(request, RESULT_MALFORMED, "the secret part");
    return false;
}

/* A number that is expected, but was reversed before it came. */
static bool refuse_reversed(struct request *request)
{
    struct lane *lane = request->lane;
    if (!lane->tombstones || fold_request(ledger_fold(request->service->ledger), lane->identity, lane->epoch,
                                          request->number) == 0)
        return false;
    refuse(request, RESULT_WILL_BE_REFUSED, "", 0, 0);
    return true;
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
        if (decode_change(request))
            refuse_now(request, RESULT_CONFLICT, "");
        return HANDLED;
    }
    if (!decode_change(request)) {
        lane->highest = request->number;
        return HANDLED;
    }
    if (is_new_business(request->row->code) && ledger_storage_low(request->service->ledger)) {
        refuse_now(request, RESULT_STORAGE_FULL, "");
        return HANDLED;
    }
    if (refuse_reversed(request))
        return HANDLED;
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
        uint32_t count = service->fetched_count;
        fetched_take(service, request->fetch, (const uint8_t *)bytes.data, bytes.size);
        if (!service->fetched[count].readable) {
            service->fetched_count = count; /* a client named the position: the reader has the last word on it */
            return HANDLED_FETCH;
        }
        handled = decide_once(request);
    }
    return handled;
}

static struct parked *park(struct request *request)
{
    struct parked *parked = calloc(1, sizeof(*parked) + request->body_size);
    if (parked == NULL)
        return NULL;
    pending_add(&parked->pending, request, parked_drop);
    parked->pin = request->pin;
    parked->secret_broken = request->secret_broken;
    parked->secret_size = (uint32_t)request->secret.size;
    if (request->secret.size > 0)
        memcpy(parked->secret, request->secret.data, request->secret.size);
    parked->body_size = request->body_size;
    if (request->body_size > 0)
        memcpy(parked->body, request->body, request->body_size);
    lane_parks(request->lane, parked);
    return parked;
}

static struct parked *parked_of(struct ledger_job *job)
{
    return (struct parked *)(void *)((char *)job - offsetof(struct parked, job));
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

/* Reader thread: the bytes of the event are copied out; the loop decodes them. */
static enum job_step fetch_run(struct ledger_job *job, struct reading *reading)
{
    struct parked *parked = parked_of(job);
    struct failure failure;
    uint32_t size;
    if (journal_read_event(reading->journal, parked->fetched[parked->fetched_count].position, reading->bytes,
                           &size, &failure) == PUNKT_OK) {
        size -= JOURNAL_EVENT_HEADER_SIZE;
        uint8_t *bytes = malloc(size);
        if (bytes != NULL)
            memcpy(bytes, reading->bytes + JOURNAL_EVENT_HEADER_SIZE, size);
        parked->fetched[parked->fetched_count].bytes = bytes;
        parked->fetched[parked->fetched_count].size = size;
    }
    return JOB_DONE;
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

static void lane_resume(struct service *service, struct lane *lane);

static void wait_done(struct ledger_job *job)
{
    struct parked *parked = parked_of(job);
    if (parked->checks)
        pin_done(parked->pending.service, parked->check_for);
    else
        parked->fetched_count++;
    parked->lane->waiting = false;
    lane_resume(parked->pending.service, parked->lane);
}

/* Has done what the request asked for before it is decided again. */
static void wait_for(struct parked *parked, const struct request *request, enum handled handled)
{
    struct ledger *ledger = parked->pending.service->ledger;
    parked->lane->waiting = true;
    parked->checks = handled == HANDLED_PIN;
    if (parked->checks) {
        parked->check = request->check;
        parked->check_for = request->check_for;
        parked->job = (struct ledger_job){ .run = check_run, .done = wait_done };
        ledger_submit_work(ledger, &parked->job);
        return;
    }
    PUNKT_CHECK(parked->fetched_count < FETCHED_MAX);
    parked->fetched[parked->fetched_count].position = request->fetch;
    parked->job = (struct ledger_job){ .wait_for = request->fetch, .run = fetch_run, .done = wait_done };
    ledger_submit(ledger, &parked->job);
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
                               .secret = { parked->secret, parked->secret_size },
                               .secret_broken = parked->secret_broken,
                               .pin = parked->pin,
                               .check = parked->check };
    fetched_clear(service);
    for (uint32_t i = 0; i < parked->fetched_count; i++)
        fetched_take(service, parked->fetched[i].position, parked->fetched[i].bytes, parked->fetched[i].size);
    return request;
}

static bool there_is_room(const struct service *service)
{
    return ledger_has_room(service->ledger) && answers_have_room(&service->answers);
}

static void lane_stalls(struct service *service, struct lane *lane)
{
    if (lane->stalled)
        return;
    lane->stalled = true;
    lane->next_stalled = service->stalled;
    service->stalled = lane;
}

/* Decides what is parked, in order, until one must wait for a thread or there is no room. */
static void lane_resume(struct service *service, struct lane *lane)
{
    lane->users++; /* it may lose its last user while it is in hand */
    while (lane->parked_first != NULL && !lane->waiting) {
        enum handled handled = HANDLED_STALL;
        struct parked *parked = lane->parked_first;
        struct request request;
        if (there_is_room(service)) {
            request = request_of(parked);
            handled = decide(&request);
        }
        if (handled == HANDLED_STALL) {
            lane_stalls(service, lane);
            break;
        }
        if (handled == HANDLED)
            lane_unparks(lane);
        else
            wait_for(parked, &request, handled);
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

void lane_tombstone(struct service *service, uint64_t identity, uint64_t epoch)
{
    for (struct lane *lane = service->lanes[lane_slot(identity, epoch)]; lane != NULL; lane = lane->next) {
        if (lane->identity == identity && lane->epoch == epoch)
            lane->tombstones = true;
    }
}

enum service_verdict lane_take(struct request *request)
{
    struct service *service = request->service;
    struct lane *lane = request->lane;
    if (!there_is_room(service))
        return SERVICE_NOT_NOW;
    take_secret(request);
    if (lane->parked_first != NULL) {
        if (park(request) == NULL)
            refuse_now(request, RESULT_BUSY, "out of memory");
        return SERVICE_TAKEN;
    }
    fetched_clear(service);
    enum handled handled = decide(request);
    if (handled == HANDLED_STALL)
        return SERVICE_NOT_NOW;
    if (handled == HANDLED)
        return SERVICE_TAKEN;
    struct parked *parked = park(request);
    if (parked == NULL) {
        refuse_now(request, RESULT_BUSY, "out of memory");
        return SERVICE_TAKEN;
    }
    for (uint32_t i = 0; i < service->fetched_count; i++)
        parked_keeps(parked, &service->fetched[i]);
    wait_for(parked, request, handled);
    return SERVICE_TAKEN;
}
