/*
 * Audit verify: the whole journal is read and folded again, in slices on the reader thread, beside live
 * business.
 */
#include <stdlib.h>
#include <string.h>

#include "service/internal.h"

#define SLICE_BYTES (1024u * 1024)

struct audit {
    struct pending pending;
    struct ledger_job job;
    struct verify *verify;
    enum punkt_status status;
    struct failure failure;
};

static void audit_drop(struct pending *pending)
{
    struct audit *audit = (struct audit *)(void *)pending; /* its first member */
    audit->pending.service->verifying = false;
    verify_close(audit->verify);
    free(audit);
}

static struct audit *audit_of(struct ledger_job *job)
{
    return (struct audit *)(void *)((char *)job - offsetof(struct audit, job));
}

static enum job_step audit_run(struct ledger_job *job, struct reading *reading)
{
    (void)reading;
    struct audit *audit = audit_of(job);
    audit->status = verify_slice(audit->verify, SLICE_BYTES, &audit->failure);
    return audit->status == PUNKT_BUSY ? JOB_MORE : JOB_DONE;
}

static void audit_done(struct ledger_job *job)
{
    struct audit *audit = audit_of(job);
    struct request request = pending_request(&audit->pending);
    const struct verify_report *report = verify_report(audit->verify);
    union message_any answer;
    struct msg_audit_verify_answer *out = &answer.audit_verify_answer;
    message_init(MESSAGE_audit_verify_answer, out);
    out->blocks = report->blocks;
    out->events = report->events;
    out->state = (uint64_t)report->outcome;
    out->head = (uint64_t)report->head;
    out->head_end = report->head_end;
    out->head_time = (uint64_t)report->head_time;
    out->seals = report->seals.seals;
    if (report->head == VERIFY_HEAD_MISSING)
        out->detail = message_text_of(VERIFY_HEAD_MISSING_TEXT, REFUSAL_DETAIL_MAX);
    if (report->outcome != VERIFY_MATCHES) {
        out->file = message_text_of(report->file, 255);
        out->offset = report->offset;
        out->detail = message_text_of(report->detail, REFUSAL_DETAIL_MAX);
    }
    if (audit->status == PUNKT_OK)
        answer_read(&request, &answer, 0);
    else
        refuse_now(&request, RESULT_BUSY, audit->failure.text);
    pending_remove(&audit->pending);
    audit_drop(&audit->pending);
}

enum handled handle_audit_verify(struct request *request)
{
    struct service *service = request->service;
    const struct message_text *head = &request->message->audit_verify_request.head;
    if (head->size != 0 && head->size != JOURNAL_HASH_SIZE) {
        refuse_now(request, RESULT_MALFORMED, "a head has 32 bytes");
        return HANDLED;
    }
    if (service->verifying) {
        refuse_now(request, RESULT_BUSY, "another verification is running");
        return HANDLED;
    }
    struct audit *audit = calloc(1, sizeof(*audit));
    const uint8_t *wanted = head->size > 0 ? (const uint8_t *)head->data : NULL;
    if (audit == NULL ||
        ledger_verify_open(service->ledger, wanted, &audit->verify, &audit->failure) != PUNKT_OK) {
        refuse_now(request, RESULT_BUSY, audit != NULL ? audit->failure.text : "out of memory");
        free(audit);
        return HANDLED;
    }
    service->verifying = true;
    pending_add(&audit->pending, request, audit_drop);
    audit->job = (struct ledger_job){ .run = audit_run, .done = audit_done };
    ledger_submit(service->ledger, &audit->job);
    return HANDLED;
}
