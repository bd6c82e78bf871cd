/*
 * Enrolment: who holds the code registers a key, and gets what it proves itself with from now on (RELIABILITY.md, Identity,
 * roles). A code is used once; with the same key again it gets the same, for an answer may be lost.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/log.h"
#include "service/ca.h"
#include "service/internal.h"
#include "service/proof.h"

#define SIGNING_REQUEST_MAX 2048 /* the limit of the field */

/* Who comes with a code. */
struct applicant {
    uint32_t code_handle;
    char source[48];
};

/* A signing request on the worker thread. */
struct enrolment {
    struct pending pending;
    struct ledger_job job;
    struct applicant from;
    struct actor_name name;
    utc_us now;
    bool psk; /* no certificate is made: of it there is only the key, by which the applicant is known */
    enum punkt_status status;
    struct failure failure;
    struct ca_signed certificate;
    size_t size;
    char signing_request[SIGNING_REQUEST_MAX];
};

static void enrolment_drop(struct pending *pending)
{
    free(pending); /* the first member */
}

static struct enrolment *enrolment_of(struct ledger_job *job)
{
    return (struct enrolment *)(void *)((char *)job - offsetof(struct enrolment, job));
}

/* The last word to this connection: what is behind its answer is its end. */
static void end_connection(struct service *service, uint64_t conn)
{
    if (answers_are_empty(&service->answers))
        service->options.link.close(service->options.link.ctx, conn);
    else
        answers_add_close(&service->answers, ledger_newest(service->ledger), conn);
}

/* Counted for the audit, unless it is our fault. */
static void refuse_enrolment(struct request *request, const struct applicant *from, enum result result,
                             const char *detail)
{
    struct service *service = request->service;
    const struct result_row *row = result_row(result);
    const struct registered *who = register_by_code(service, from->code_handle);
    if (!row->retryable && result != RESULT_NOT_SET_UP)
        attempt_count(service, ATTEMPT_ENROLMENT, text_of(from->source),
                      who != NULL ? who->identity.number : 0, row->name);
    refuse_now(request, result, detail);
    end_connection(service, request->conn);
}

/* Whose code it is, still; NULL: refused. */
static struct registered *owner(struct request *request, const struct applicant *from)
{
    struct registered *who = register_by_code(request->service, from->code_handle);
    if (who == NULL || !code_is_good(request->service, who))
        refuse_enrolment(request, from, RESULT_CODE_USED, "");
    else if (who->identity.status == IDENTITY_SUSPENDED)
        refuse_enrolment(request, from, RESULT_NOT_PERMITTED, "suspended by the administrator");
    else
        return who;
    return NULL;
}

/* Registers the key, by an event; who came with the key before is shut out. There is room. */
static void register_key(struct service *service, const struct applicant *from, struct registered *who,
                         const uint8_t key[32], utc_us ends)
{
    char reason[64]; /* whoever looks for a stolen code asks where it was used */
    (void)snprintf(reason, sizeof(reason), "from %s", from->source);
    struct event event = {
        .type = EVENT_IDENTITY,
        .time = ledger_now(service->ledger),
        .day = today(service),
        .request = { .identity = who->identity.number }, /* no number of a lane */
        .identity = { .act = IDENTITY_ACT_ENROL, .after = who->identity, .reason = text_of(reason) }
    };
    struct identity *after = &event.identity.after;
    event.occurred = event.time;
    memcpy(after->code_key, key, sizeof(after->code_key));
    if (after->proof == PROOF_CERTIFICATE)
        memcpy(after->key, key, sizeof(after->key));
    else
        after->psk_master = psk_newest_master(service);
    after->key_ends = ends;
    after->key_version++;
    after->enrolled = event.time;
    after->status = IDENTITY_ACTIVE;
    append_own(service, &event);
    (void)register_close(service, who, NULL);
    log_info("%s has enrolled %s: key %u", actor_name(service, after->number).text, reason,
             after->key_version);
}

/* Whether the code is used now, or was with this key. Else it is refused. */
static bool use_code(struct request *request, const struct applicant *from, struct registered *who,
                     const uint8_t key[32], utc_us ends)
{
    struct service *service = request->service;
    const struct registered *other =
        who->identity.proof == PROOF_CERTIFICATE ? register_by_key(service, key) : NULL;
    bool used = code_is_used(&who->identity);
    if (used && memcmp(who->identity.code_key, key, sizeof(who->identity.code_key)) == 0)
        return true;
    if (used)
        refuse_enrolment(request, from, RESULT_CODE_USED, "");
    else if (other != NULL && other != who)
        refuse_enrolment(request, from, RESULT_IDENTITY_EXISTS, "this key is in the register");
    else if (!ledger_has_room(service->ledger))
        refuse_enrolment(request, from, RESULT_BUSY, "");
    else
        register_key(service, from, who, key, ends);
    return code_is_used(&who->identity) && !used;
}

static void tell_identity(const struct identity *identity, struct msg_enrol_answer *out)
{
    message_init(MESSAGE_enrol_answer, out);
    out->identity = identity->number;
    out->role = identity->role;
    out->proof = identity->proof;
    code_for_wire(identity->name, &out->name);
    code_for_wire(identity->store, &out->store);
    code_for_wire(identity->till, &out->till);
}

static void answer_enrolment(struct request *request, const union message_any *answer)
{
    answer_read(request, answer, ledger_newest(request->service->ledger));
    end_connection(request->service, request->conn);
}

/* --- what it proves itself with from now on --- */

static void give_certificate(struct request *request, const struct applicant *from, struct registered *who,
                             const struct ca_signed *certificate)
{
    const struct service_options *options = &request->service->options;
    if (!use_code(request, from, who, certificate->key, certificate->ends))
        return;
    struct text ca = ca_certificate(options->ca);
    union message_any answer;
    struct msg_enrol_answer *out = &answer.enrol_answer;
    tell_identity(&who->identity, out);
    out->port = options->certificate_port;
    out->certificate = (struct message_text){ certificate->pem, certificate->size };
    out->ca = (struct message_text){ ca.data, ca.size };
    out->server_name = message_text_of(ca_server_name(options->ca), 255);
    out->key_ends = (uint64_t)certificate->ends;
    answer_enrolment(request, &answer);
}

/* `applied` is by what the same applicant is known again: two who share a code do not get the same key. */
static void give_psk(struct request *request, const struct applicant *from, struct registered *who,
                     const uint8_t applied[32])
{
    struct service *service = request->service;
    uint8_t key[32];
    char name[PSK_NAME_MAX + 1];
    if (!use_code(request, from, who, applied, 0))
        return;
    if (!psk_derive(service, &who->identity, key)) {
        refuse_enrolment(request, from, RESULT_BUSY, "the key cannot be made");
        return;
    }
    psk_name(&who->identity, name);
    union message_any answer;
    struct msg_enrol_answer *out = &answer.enrol_answer;
    tell_identity(&who->identity, out);
    out->port = service->options.psk_port;
    out->psk_identity = message_text_of(name, PSK_NAME_MAX);
    out->psk_key = (struct message_text){ (const char *)key, sizeof(key) };
    answer_enrolment(request, &answer);
    OPENSSL_cleanse(key, sizeof(key));
}

/* Worker thread. */
static enum job_step sign_run(struct ledger_job *job, struct reading *reading)
{
    struct enrolment *enrolment = enrolment_of(job);
    struct text signing_request = { enrolment->signing_request, enrolment->size };
    (void)reading;
    if (enrolment->psk)
        enrolment->status =
            signing_request_read(signing_request, enrolment->certificate.key, &enrolment->failure);
    else
        enrolment->status =
            ca_sign(enrolment->pending.service->options.ca, signing_request, enrolment->name.text,
                    enrolment->now, &enrolment->certificate, &enrolment->failure);
    return JOB_DONE;
}

static void answer_signed(struct request *request, const struct enrolment *enrolment)
{
    if (enrolment->status != PUNKT_OK) {
        bool wrong = enrolment->status == PUNKT_INVALID;
        refuse_enrolment(request, &enrolment->from, wrong ? RESULT_MALFORMED : RESULT_BUSY,
                         enrolment->failure.text);
        return;
    }
    struct registered *who = owner(request, &enrolment->from);
    if (who != NULL && enrolment->psk)
        give_psk(request, &enrolment->from, who, enrolment->certificate.key);
    else if (who != NULL)
        give_certificate(request, &enrolment->from, who, &enrolment->certificate);
}

static void sign_done(struct ledger_job *job)
{
    struct enrolment *enrolment = enrolment_of(job);
    struct request request = pending_request(&enrolment->pending);
    answer_signed(&request, enrolment);
    pending_remove(&enrolment->pending);
    enrolment_drop(&enrolment->pending);
}

/* The worker looks at the signing request, for that takes a while. */
static void read_request(struct request *request, const struct applicant *from, const struct registered *who)
{
    struct service *service = request->service;
    const struct msg_enrol_request *message = &request->message->enrol_request;
    struct enrolment *enrolment = calloc(1, sizeof(*enrolment));
    if (enrolment == NULL) {
        refuse_enrolment(request, from, RESULT_BUSY, "out of memory");
        return;
    }
    pending_add(&enrolment->pending, request, enrolment_drop);
    enrolment->from = *from;
    enrolment->psk = who->identity.proof == PROOF_PSK;
    enrolment->name = actor_name(service, who->identity.number);
    enrolment->now = ledger_now(service->ledger);
    enrolment->size = (size_t)message->signing_request.size;
    memcpy(enrolment->signing_request, message->signing_request.data, enrolment->size);
    enrolment->job = (struct ledger_job){ .run = sign_run, .done = sign_done };
    ledger_submit_work(service->ledger, &enrolment->job);
}

static void enrol_by_certificate(struct request *request, const struct applicant *from,
                                 const struct registered *who)
{
    const struct service *service = request->service;
    if (request->message->enrol_request.signing_request.size == 0)
        refuse_enrolment(request, from, RESULT_MALFORMED, "field signing_request");
    else if (service->options.ca == NULL || !ca_signs(service->options.ca))
        refuse_enrolment(request, from, RESULT_NOT_SET_UP, "punktd signs no certificates");
    else
        read_request(request, from, who);
}

static void enrol_by_psk(struct request *request, const struct applicant *from, struct registered *who)
{
    uint8_t nobody[32]; /* without a signing request it is not known again */
    if (psk_newest_master(request->service) == 0)
        refuse_enrolment(request, from, RESULT_NOT_SET_UP, "no psk_master in the secrets file");
    else if (request->message->enrol_request.signing_request.size > 0)
        read_request(request, from, who);
    else if (RAND_bytes(nobody, sizeof(nobody)) != 1)
        refuse_enrolment(request, from, RESULT_BUSY, "no randomness");
    else
        give_psk(request, from, who, nobody);
}

enum handled handle_enrol(struct request *request)
{
    const struct msg_enrol_request *message = &request->message->enrol_request;
    struct session *session = request->session;
    struct applicant from = { .code_handle = session->code_handle };
    (void)snprintf(from.source, sizeof(from.source), "%s", session->source);
    session->closing = true; /* it is the only request of its connection */
    if (message->version_min > PROTOCOL_VERSION || message->version_max < PROTOCOL_VERSION) {
        refuse_enrolment(request, &from, RESULT_VERSION, "this server speaks version 1");
        return HANDLED;
    }
    struct registered *who = owner(request, &from);
    if (who != NULL && who->identity.proof == PROOF_PSK)
        enrol_by_psk(request, &from, who);
    else if (who != NULL)
        enrol_by_certificate(request, &from, who);
    return HANDLED;
}
