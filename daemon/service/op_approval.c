/*
 * Proposals, listed and decided (RELIABILITY.md, Identity, roles): never by who made them.
 */
#include <stdlib.h>
#include <string.h>

#include "ledger/fold.h"
#include "service/internal.h"

#define PAGE_MAX 50
#define NOTE_MAX 400

/* --- the list: read back on the reader thread --- */

struct listed {
    journal_position proposal, ended_by;
    enum proposal_state state;
    uint64_t identity, decider;
    char note[NOTE_MAX], decision_note[NOTE_MAX];
    struct actor_name actor, decider_name;
};

struct list_query {
    struct pending pending;
    struct ledger_job job;
    journal_position newest; /* what the page says must be durable */
    journal_position next;
    millipoints step;
    bool failed;
    uint32_t count, done;
    struct listed listed[PAGE_MAX];
    struct msg_proposal_entry entries[PAGE_MAX];
};

static void list_drop(struct pending *pending)
{
    free(pending); /* the first member */
}

static struct list_query *query_of(struct ledger_job *job)
{
    return (struct list_query *)(void *)((char *)job - offsetof(struct list_query, job));
}

static struct message_text keep(struct text text, char out[NOTE_MAX])
{
    size_t size = text.size < NOTE_MAX ? text.size : NOTE_MAX;
    if (size > 0) /* else there are no bytes to point to */
        memcpy(out, text.data, size);
    return (struct message_text){ out, size };
}

static void proposal_for_wire(const struct list_query *query, const struct event *event,
                              struct listed *listed, struct msg_proposal_entry *out)
{
    message_init(MESSAGE_proposal_entry, out);
    out->proposal = listed->proposal;
    out->time = (uint64_t)event->time;
    out->deadline = (uint64_t)event->proposal.deadline;
    out->state = listed->state;
    out->operation = event->proposal.operation;
    out->identity = listed->identity = event->request.identity;
    code_for_wire(event->operator, & out->operator);
    code_for_wire(event->proposal.card, &out->card);
    out->points = event->proposal.points / query->step;
    out->amount = event->proposal.amount;
    code_for_wire(event->proposal.reason, &out->reason);
    out->note = keep(event->proposal.note, listed->note);
}

static void end_for_wire(const struct event *event, struct listed *listed, struct msg_proposal_entry *out)
{
    struct text note =
        event->type == EVENT_PROPOSAL_ENDED ? event->proposal_ended.note : event->approval_note;
    out->decided = (uint64_t)event->time;
    out->decision = listed->ended_by;
    out->decision_note = keep(note, listed->decision_note);
    listed->decider = event->request.identity;
}

/* Reader thread: an entry a slice, of two events at most. */
static enum job_step list_run(struct ledger_job *job, struct reading *reading)
{
    struct list_query *query = query_of(job);
    struct failure failure;
    if (query->done == query->count)
        return JOB_DONE;
    struct listed *listed = &query->listed[query->done];
    struct msg_proposal_entry *entry = &query->entries[query->done++];
    query->failed = reading_event(reading, listed->proposal, &failure) != PUNKT_OK ||
                    reading->event.type != EVENT_PROPOSAL;
    if (!query->failed)
        proposal_for_wire(query, &reading->event, listed, entry);
    if (!query->failed && listed->ended_by != 0) {
        query->failed = reading_event(reading, listed->ended_by, &failure) != PUNKT_OK;
        if (!query->failed)
            end_for_wire(&reading->event, listed, entry);
    }
    return query->failed ? JOB_DONE : JOB_MORE;
}

static struct message_text name_for_wire(struct service *service, uint64_t identity, struct actor_name *out)
{
    *out = actor_name(service, identity);
    return (struct message_text){ out->text, strlen(out->text) };
}

static void list_done(struct ledger_job *job)
{
    struct list_query *query = query_of(job);
    struct request request = pending_request(&query->pending);
    union message_any answer;
    struct msg_approval_list_answer *out = &answer.approval_list_answer;
    message_init(MESSAGE_approval_list_answer, out);
    out->next = query->next;
    out->entries = query->entries;
    out->entries_count = query->count;
    for (uint32_t i = 0; i < query->count && !query->failed; i++) {
        struct listed *listed = &query->listed[i];
        struct msg_proposal_entry *entry = &query->entries[i];
        entry->actor = name_for_wire(request.service, listed->identity, &listed->actor);
        if (listed->ended_by != 0)
            entry->decider = name_for_wire(request.service, listed->decider, &listed->decider_name);
    }
    if (query->failed)
        refuse_now(&request, RESULT_BUSY, JOURNAL_UNREADABLE);
    else
        answer_read(&request, &answer, query->newest);
    pending_remove(&query->pending);
    list_drop(&query->pending);
}

/* The page: all that are open, or the one that is named. False: there is no such proposal. */
static bool choose(struct service *service, const struct msg_approval_list_request *message,
                   struct list_query *query)
{
    journal_position open[PAGE_MAX + 1];
    struct proposal_record record;
    if (message->proposal != 0) {
        if (!fold_proposal(ledger_fold(service->ledger), message->proposal, &record))
            return false;
        query->listed[0] = (struct listed){ .proposal = message->proposal,
                                            .ended_by = record.ended_by,
                                            .state = record.state };
        query->count = 1;
        return true;
    }
    uint32_t count = approvals_open_from(service, message->from, COUNT_OF(open), open);
    query->next = count > PAGE_MAX ? open[PAGE_MAX] : 0;
    query->count = count > PAGE_MAX ? PAGE_MAX : count;
    for (uint32_t i = 0; i < query->count; i++)
        query->listed[i] = (struct listed){ .proposal = open[i], .state = PROPOSAL_OPEN };
    return true;
}

enum handled handle_approval_list(struct request *request)
{
    struct service *service = request->service;
    struct list_query *query = calloc(1, sizeof(*query));
    if (query == NULL) {
        refuse_now(request, RESULT_BUSY, "out of memory");
        return HANDLED;
    }
    if (!choose(service, &request->message->approval_list_request, query)) {
        free(query);
        refuse_read(request, RESULT_UNKNOWN_PROPOSAL, "");
        return HANDLED;
    }
    pending_add(&query->pending, request, list_drop);
    query->newest = ledger_newest(service->ledger);
    query->step = programme_step(programme_newest(service));
    query->job = (struct ledger_job){ .wait_for = query->newest, .run = list_run, .done = list_done };
    ledger_submit(service->ledger, &query->job);
    return HANDLED;
}

/* --- the decision --- */

/* Why it cannot be decided so by who asks. RESULT_DONE: it can. */
static enum result undecidable(const struct request *request, bool known, bool approve,
                               const struct proposal_record *record, const char **out_detail)
{
    *out_detail = "";
    if (!known)
        return RESULT_UNKNOWN_PROPOSAL;
    if (record->state != PROPOSAL_OPEN)
        return RESULT_PROPOSAL_ENDED;
    if (record->deadline <= ledger_now(request->service->ledger)) {
        *out_detail = "nobody decided it in time";
        return RESULT_PROPOSAL_ENDED;
    }
    if (record->identity != request->identity) {
        *out_detail = "who proposed it is suspended or revoked: it may be rejected";
        bool shut_out = register_role(request->service, record->identity) == ROLE_NONE;
        return approve && shut_out ? RESULT_NOT_PERMITTED : RESULT_DONE;
    }
    if (request->identity == IDENTITY_LOCAL)
        *out_detail = "the local administrator proposed it: a user of the register must approve it";
    return RESULT_OWN_PROPOSAL;
}

static void reject(struct request *request, const struct msg_approval_decide_request *message,
                   uint32_t operation)
{
    struct service *service = request->service;
    utc_us now = ledger_now(service->ledger);
    struct event event = { .type = EVENT_PROPOSAL_ENDED,
                           .time = now,
                           .occurred = now,
                           .day = today(service),
                           .operator= text_of_code(&message->operator),
                           .proposal_ended = { .proposal = message->proposal,
                                               .state = PROPOSAL_REJECTED,
                                               .note = text_of_message(message->note) } };
    union message_any answer;
    struct msg_approval_decide_answer *out = &answer.approval_decide_answer;
    message_init(MESSAGE_approval_decide_answer, out);
    out->operation = operation;
    book(request, &event, &answer);
    approval_ended(service, message->proposal);
}

/* Decides what was proposed as a request of who approves it. */
static enum handled approve(struct request *request, const struct msg_approval_decide_request *message,
                            const struct event *event)
{
    struct request inner = *request;
    inner.row = operation_row((uint16_t)event->proposal.operation);
    inner.flags = (uint16_t)event->proposal.flags;
    inner.body = (const uint8_t *)event->proposal.body.data;
    inner.body_size = (uint32_t)event->proposal.body.size;
    inner.approves_row = request->row;
    inner.approves = message->proposal;
    inner.approval_note = text_of_message(message->note);
    inner.proposed_points = event->proposal.points;
    inner.proposed = event->time;
    struct service *service = request->service;
    struct message_memory memory = { service->lists, service->lists_size };
    const char *field;
    if (inner.row == NULL || inner.row->kind != OPERATION_KIND_CHANGE ||
        !message_decode(inner.row->request, inner.body, inner.body_size, &memory, &service->message,
                        &field)) {
        refuse(request, RESULT_PROPOSAL_ENDED, "this version of the server cannot read it");
        return HANDLED;
    }
    enum handled handled = handle_change(&inner);
    request->fetch = inner.fetch;
    request->stalled = inner.stalled;
    return handled;
}

enum handled handle_approval_decide(struct request *request)
{
    struct service *service = request->service;
    /* A copy: what was proposed is decoded to the same place. */
    struct msg_approval_decide_request message = request->message->approval_decide_request;
    struct proposal_record record;
    const char *detail;
    bool known = fold_proposal(ledger_fold(service->ledger), message.proposal, &record);
    enum result result = undecidable(request, known, message.approve != 0, &record, &detail);
    if (result != RESULT_DONE) {
        refuse(request, result, detail);
        return HANDLED;
    }
    const struct event *event;
    if (!fetched_event(request, message.proposal, &event))
        return HANDLED_FETCH;
    if (event == NULL) {
        refuse_now(request, RESULT_BUSY, JOURNAL_UNREADABLE);
        return HANDLED;
    }
    if (message.approve != 0)
        return approve(request, &message, event);
    reject(request, &message, event->proposal.operation);
    return HANDLED;
}
