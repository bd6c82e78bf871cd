/*
 * Status: what became of an earlier change. Its first answer is read back from the journal.
 */
#include <stdlib.h>
#include <string.h>

#include "ledger/fold.h"
#include "service/internal.h"

struct status_query {
    struct pending pending;
    struct ledger_job job;
    journal_position position;
    bool found;
    union message_any answer;
    uint8_t first[4096]; /* body of the first answer */
};

static void status_drop(struct pending *pending)
{
    free(pending); /* the first member */
}

static enum job_step status_run(struct ledger_job *job, struct reading *reading)
{
    struct status_query *query =
        (struct status_query *)(void *)((char *)job - offsetof(struct status_query, job));
    struct failure failure;
    struct msg_status_answer *out = &query->answer.status_answer;
    if (reading_event(reading, query->position, &failure) != PUNKT_OK)
        return JOB_DONE;
    const struct event *event = &reading->event;
    query->found = true;
    out->state = (event->answer_type & FRAME_TYPE_DONE) != 0 ? 1 : 2;
    out->type = event->answer_type;
    out->tied = event->type == EVENT_TIE;
    if (event->answer.size <= sizeof(query->first)) {
        memcpy(query->first, event->answer.data, event->answer.size);
        out->answer = (struct message_text){ (const char *)query->first, event->answer.size };
    }
    return JOB_DONE;
}

static void status_done(struct ledger_job *job)
{
    struct status_query *query =
        (struct status_query *)(void *)((char *)job - offsetof(struct status_query, job));
    struct request request = pending_request(&query->pending);
    if (query->found)
        answer_read(&request, &query->answer, 0);
    else
        refuse_now(&request, RESULT_BUSY, JOURNAL_UNREADABLE);
    pending_remove(&query->pending);
    status_drop(&query->pending);
}

enum handled handle_status(struct request *request)
{
    struct service *service = request->service;
    const struct msg_status_request *message = &request->message->status_request;
    journal_position position =
        fold_request(ledger_fold(service->ledger), identity_named(request, message->identity), message->epoch,
                     message->number);
    if (position == 0) {
        union message_any answer;
        message_init(MESSAGE_status_answer, &answer.status_answer);
        answer_read(request, &answer, ledger_newest(service->ledger));
        return HANDLED;
    }
    struct status_query *query = calloc(1, sizeof(*query));
    if (query == NULL) {
        refuse_now(request, RESULT_BUSY, "out of memory");
        return HANDLED;
    }
    pending_add(&query->pending, request, status_drop);
    message_init(MESSAGE_status_answer, &query->answer.status_answer);
    query->position = position;
    query->job = (struct ledger_job){ .wait_for = position, .run = status_run, .done = status_done };
    ledger_submit(service->ledger, &query->job);
    return HANDLED;
}
