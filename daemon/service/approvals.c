/*
 * Proposals: requests above the limit of who sent them, which wait for another identity (RELIABILITY.md, Identity, roles).
 * Those that are open are known here with their deadlines, and end by themselves.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ledger/fold.h"
#include "service/internal.h"

#define SLICE_MAX 16 /* ended a turn */

struct open_proposal {
    journal_position proposal;
    utc_us deadline;
};

struct approvals {
    uint32_t count, capacity;
    utc_us earliest;             /* no deadline is before */
    struct open_proposal *items; /* by position */
};

/* --- which are open --- */

static void add(struct approvals *approvals, journal_position proposal, utc_us deadline)
{
    if (approvals->count == approvals->capacity) {
        uint32_t capacity = approvals->capacity * 2 + 64;
        struct open_proposal *grown = realloc(approvals->items, capacity * sizeof(*grown));
        PUNKT_CHECK(grown != NULL); /* a proposal that nobody would end */
        approvals->items = grown;
        approvals->capacity = capacity;
    }
    PUNKT_CHECK(approvals->count == 0 || approvals->items[approvals->count - 1].proposal < proposal);
    approvals->items[approvals->count++] = (struct open_proposal){ proposal, deadline };
    approvals->earliest = i64_min(approvals->earliest, deadline);
}

/* The first that stands there or behind. */
static uint32_t first_from(const struct approvals *approvals, journal_position from)
{
    uint32_t low = 0;
    uint32_t high = approvals->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (approvals->items[middle].proposal < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t approvals_open_from(const struct service *service, journal_position from, uint32_t most,
                             journal_position *out)
{
    const struct approvals *approvals = service->approvals;
    uint32_t count = 0;
    for (uint32_t i = first_from(approvals, from); i < approvals->count && count < most; i++)
        out[count++] = approvals->items[i].proposal;
    return count;
}

void approval_ended(struct service *service, journal_position proposal)
{
    struct approvals *approvals = service->approvals;
    uint32_t at = first_from(approvals, proposal);
    PUNKT_CHECK(at < approvals->count && approvals->items[at].proposal == proposal);
    approvals->count--;
    for (; at < approvals->count; at++)
        approvals->items[at] = approvals->items[at + 1];
}

static void is_open(void *ctx, journal_position proposal, const struct proposal_record *record)
{
    add(ctx, proposal, record->deadline);
}

enum punkt_status approvals_open(struct service *service, struct failure *failure)
{
    service->approvals = calloc(1, sizeof(*service->approvals));
    if (service->approvals == NULL) {
        failure_set(failure, "no memory for the proposals");
        return PUNKT_NO_MEMORY;
    }
    service->approvals->earliest = INT64_MAX;
    if (fold_open_proposals(ledger_fold(service->ledger), is_open, service->approvals))
        return PUNKT_OK;
    failure_set(failure, "the open proposals of state cannot be read; run: punktd rebuild --data DIR");
    return PUNKT_CORRUPT;
}

void approvals_free(struct service *service)
{
    if (service->approvals != NULL)
        free(service->approvals->items);
    free(service->approvals);
    service->approvals = NULL;
}

/* --- what becomes due --- */

static void expire(struct service *service, journal_position proposal)
{
    struct event event = { .type = EVENT_PROPOSAL_ENDED,
                           .time = ledger_now(service->ledger),
                           .day = today(service),
                           .proposal_ended = { .proposal = proposal, .state = PROPOSAL_EXPIRED } };
    event.occurred = event.time;
    append_own(service, &event);
}

void approval_withdraw(struct request *request, journal_position proposal)
{
    struct service *service = request->service;
    struct proposal_record record;
    PUNKT_CHECK(fold_proposal(ledger_fold(service->ledger), proposal, &record));
    if (record.state != PROPOSAL_OPEN)
        return;
    struct event event = { .type = EVENT_PROPOSAL_ENDED,
                           .time = ledger_now(service->ledger),
                           .day = today(service),
                           .request = { .identity = request->identity },
                           .proposal_ended = { .proposal = proposal,
                                               .state = PROPOSAL_REJECTED,
                                               .note = TEXT_LITERAL("withdrawn by a reversal") } };
    event.occurred = event.time;
    append_own(service, &event);
    approval_ended(service, proposal);
}

bool approvals_have_work(const struct service *service)
{
    const struct approvals *approvals = service->approvals;
    return approvals->count > 0 && approvals->earliest <= ledger_now(service->ledger) &&
           ledger_has_room(service->ledger);
}

void approvals_turn(struct service *service)
{
    struct approvals *approvals = service->approvals;
    utc_us earliest = INT64_MAX;
    uint32_t kept = 0;
    if (!approvals_have_work(service))
        return;
    for (uint32_t i = 0; i < approvals->count; i++) {
        const struct open_proposal *item = &approvals->items[i];
        bool due = item->deadline <= ledger_now(service->ledger) && i - kept < SLICE_MAX;
        if (due && ledger_has_room(service->ledger)) {
            expire(service, item->proposal);
        } else {
            earliest = i64_min(earliest, item->deadline);
            approvals->items[kept++] = *item;
        }
    }
    approvals->count = kept;
    approvals->earliest = earliest;
}

/* --- proposing --- */

/* The first card that the request names: whose account it is about, or the one that gives. */
static struct text card_named(const struct request *request)
{
    const struct message_table *table = &message_tables[request->row->request];
    for (size_t i = 0; i < table->field_count; i++) {
        const void *value = (const uint8_t *)request->message + table->fields[i].offset;
        if (table->fields[i].kind == FIELD_CARD)
            return text_of_code(value);
    }
    return (struct text){ "", 0 };
}

/* What it would change of the card's account. */
static millipoints points_named(const struct event *event)
{
    if (event->type == EVENT_ADJUSTMENT)
        return event->adjustment.points;
    if (event->type == EVENT_BONUS)
        return event->bonus.points;
    if (event->type == EVENT_WRITE_OFF)
        return event->write_off.points;
    return event->type == EVENT_TRANSFER ? -event->transfer.points : 0;
}

void approval_propose(struct request *request)
{
    struct service *service = request->service;
    if (!abuse_may_refuse(request)) {
        refuse_now(request, RESULT_RATE, "too many requests were refused today");
        return;
    }
    const struct decision *decision = &service->decision;
    const struct event *wanted = &decision->event; /* as far as it was decided */
    utc_us now = ledger_now(service->ledger);
    struct event event = { .type = EVENT_PROPOSAL,
                           .time = now,
                           .occurred = now,
                           .day = today(service),
                           .operator= wanted->operator,
                           .proposal = { .operation = request->row->code,
                                         .flags = request->flags,
                                         .body = { (const char *)request->body, request->body_size },
                                         .deadline = now + PROPOSAL_S * US_PER_SECOND,
                                         .account = decision->sides[0].before.number,
                                         .card = card_named(request),
                                         .points = points_named(wanted),
                                         .reason = event_reason(wanted),
                                         .note = event_note(wanted) } };
    if (wanted->type == EVENT_UNLINKED_RETURN)
        event.proposal.amount = wanted->goods_return.amount;
    journal_position proposal = ledger_reserve(service->ledger);
    char detail[REFUSAL_DETAIL_MAX];
    (void)snprintf(detail, sizeof(detail),
                   "proposal %" PRIu64
                   ": another identity must approve it within %d hours (punkt approval approve %" PRIu64 ")",
                   proposal, PROPOSAL_S / 3600, proposal);
    refuse_by(request, &event, RESULT_NEEDS_APPROVAL, detail);
    add(service->approvals, proposal, event.proposal.deadline);
}
