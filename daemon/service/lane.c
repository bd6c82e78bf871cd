/*
 * Lanes: the changes of one (identity, epoch), decided strictly in the order of their numbers. A change
 * that needs something read back parks its lane: what comes later waits behind it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/fold.h"
#include "service/internal.h"
#include "service/proof.h"

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

/* Puts the request at the end of its lane. NULL: no memory, it was told so. */
static struct parked *lane_parks(struct request *request)
{
    struct lane *lane = request->lane;
    struct parked *parked = park(request);
    if (parked == NULL) {
        refuse_now(request, RESULT_BUSY, "out of memory");
        return NULL;
    }
    parked->next = NULL;
    *lane->parked_end = parked;
    lane->parked_end = &parked->next;
    lane->users++;
    return parked;
}

/* Takes the first parked request off the lane. The lane stays: the caller has it in hand. */
static void lane_unparks(struct lane *lane)
{
    struct parked *parked = lane->parked_first;
    lane->parked_first = parked->next;
    if (lane->parked_first == NULL)
        lane->parked_end = &lane->parked_first;
    parked_free(parked);
    lane->users--;
}

/* Nothing is booked; that it happened is counted (LEDGER.md, Who sends). */
static void refuse_conflict(struct request *request)
{
    struct actor_name who = actor_name(request->service, request->identity);
    char detail[80];
    (void)snprintf(detail, sizeof(detail), "%s %016" PRIx64 ":%" PRIu64, request->row->name,
                   request->lane->epoch, request->number);
    attempt_count(request->service, ATTEMPT_CONFLICT, text_of(who.text), request->identity, detail);
    refuse_now(request, RESULT_CONFLICT, "");
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
        refuse_conflict(request);
        return HANDLED;
    }
    uint16_t flags = FRAME_FLAG_REPLAYED | (first->type == EVENT_TIE ? FRAME_FLAG_TIED : 0);
    struct text body = first->answer;
    if (request->receipt.width > 0) {
        if (!request_decode(request)) /* it was, before */
            return HANDLED;
        /* The text is of the account as it is now. */
        if (receipt_text_add(request, first->answer_type, &body))
            position = u64_max(position, ledger_newest(request->service->ledger));
    }
    code_add(request->service, first->answer_type, &body);
    answer_in_order(request->service, request->conn, first->answer_type, flags, request->number, body.data,
                    body.size, position);
    return HANDLED;
}

/* What must wait while storage is nearly full; what looks, ends a hold or gives points back goes on. */
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
    case OPERATION_ADJUST:
    case OPERATION_BONUS:
    case OPERATION_WRITE_OFF:
    case OPERATION_AWARD_MOVE:
    case OPERATION_PROGRAMME_PUBLISH:
    case OPERATION_IDENTITY_ADD:
    case OPERATION_APPROVAL_DECIDE:
        return true;
    case OPERATION_HELLO:
    case OPERATION_PING:
    case OPERATION_STATUS:
    case OPERATION_CARD_SHOW:
    case OPERATION_CARD_BLOCK:
    case OPERATION_CARD_UNBLOCK:
    case OPERATION_CARD_CLOSE:
    case OPERATION_CAPTURE: /* of points that were set aside: the sale goes on */
    case OPERATION_RELEASE:
    case OPERATION_REVERSAL:
    case OPERATION_QUOTE:
    case OPERATION_RETURN_PREVIEW:
    case OPERATION_DAY_CLOSE:
    case OPERATION_DAY_NUMBERS:
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
    case OPERATION_AUDIT_LOG:
    case OPERATION_IDENTITY_CHANGE: /* who must be shut out, must be */
    case OPERATION_IDENTITY_LIST:
    case OPERATION_ENROL:
    case OPERATION_APPROVAL_LIST:
    case OPERATION_FLAG_LIST:
    case OPERATION_FLAG_RESOLVE:
        return false;
    }
    return true;
}

enum handled handle_change(struct request *request)
{
    switch (request->row->code) {
#define HANDLE_SESSION(name) break;
#define HANDLE_READ(name) break;
#define HANDLE_CHANGE(name) return handle_##name(request);
#define OPERATION(code, NAME, name, kind, roles, doc)                                                        \
    case OPERATION_##NAME:                                                                                   \
        HANDLE_##kind(name)
#include "proto/operations.def"
#undef OPERATION
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
    refuse(request, RESULT_WILL_BE_REFUSED, "");
    return true;
}

/* The lane of the request has nothing parked before it. */
static enum handled decide_once(struct request *request)
{
    struct lane *lane = request->lane;
    bool is_new = request->number > lane->highest;
    if (is_new && request->number - lane->highest > 1) {
        refuse_now(request, RESULT_OUT_OF_ORDER, "");
        return HANDLED;
    }
    hash16(request->service, (uint16_t)request->row->code, request->body, request->body_size,
           request->fingerprint);
    if (!is_new) {
        journal_position position =
            fold_request(ledger_fold(request->service->ledger), lane->identity, lane->epoch, request->number);
        if (position != 0)
            return repeat(request, position);
        /* Passed over as malformed: the same bytes are so again, others are not what was answered. */
        if (decode_change(request))
            refuse_conflict(request);
        return HANDLED;
    }
    if (!decode_change(request)) {
        lane->highest = request->number;
        return HANDLED;
    }
    const char *detail;
    if (!permitted(request, &detail)) {
        refuse_not_permitted(request, detail);
        return HANDLED;
    }
    if (is_new_business(request->row->code) && ledger_storage_low(request->service->ledger)) {
        refuse_now(request, RESULT_STORAGE_FULL, "");
        return HANDLED;
    }
    if (refuse_reversed(request))
        return HANDLED;
    if (!abuse_may_look_up(request)) {
        refuse(request, RESULT_UNKNOWN_CARD, "");
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
        uint32_t count = service->fetched_count;
        fetched_take(service, request->fetch, (const uint8_t *)bytes.data, bytes.size);
        if (!service->fetched[count].readable) {
            service->fetched_count =
                count; /* a client named the position: the reader has the last word on it */
            return HANDLED_FETCH;
        }
        handled = decide_once(request);
    }
    return handled;
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

static void lane_resume(struct service *service, struct lane *lane);

static void lane_goes_on(struct parked *parked)
{
    parked->lane->waiting = false;
    lane_resume(parked->pending.service, parked->lane);
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
            request = parked_request(parked);
            handled = decide(&request);
        }
        if (handled == HANDLED_STALL) {
            lane_stalls(service, lane);
            break;
        }
        if (handled == HANDLED) {
            lane_unparks(lane);
        } else {
            lane->waiting = true;
            parked_wait(parked, &request, handled, lane_goes_on);
        }
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

/*
 * What the client said in hello to have final answers for moves the lane on with the change behind it: those in between
 * were malformed, and are not remembered. A client that sends one of them instead was answered by a server that lost it
 * (LEDGER.md, After a server's loss): then the lane goes on from what is here.
 */
static void take_claim(struct request *request)
{
    struct session *session = request->session;
    struct lane *lane = request->lane;
    if (session->claim <= lane->highest || lane->parked_first != NULL)
        return;
    if (request->number == session->claim + 1)
        lane->highest = session->claim;
    else if (request->number > lane->highest && request->number <= session->claim)
        session->claim = 0;
}

enum service_verdict lane_take(struct request *request)
{
    struct service *service = request->service;
    struct lane *lane = request->lane;
    if (!there_is_room(service))
        return SERVICE_NOT_NOW;
    take_secret(request);
    take_claim(request);
    if (lane->parked_first != NULL) {
        (void)lane_parks(request);
        return SERVICE_TAKEN;
    }
    fetched_clear(service);
    enum handled handled = decide(request);
    if (handled == HANDLED_STALL)
        return SERVICE_NOT_NOW;
    struct parked *parked = handled == HANDLED ? NULL : lane_parks(request);
    if (parked == NULL)
        return SERVICE_TAKEN;
    lane->waiting = true;
    parked_wait(parked, request, handled, lane_goes_on);
    return SERVICE_TAKEN;
}
