#include "service/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/fold.h"
#include "service/internal.h"
#include "service/proof.h"

/* Lists of the largest message, decoded: what fits in a frame, and a little more than the largest counts. */
#define LISTS_BYTES (LINES_MAX * (sizeof(struct msg_line) + sizeof(struct msg_return_line)) + 65536)

void pending_add(struct pending *pending, const struct request *request,
                 void (*drop)(struct pending *pending))
{
    struct service *service = request->service;
    *pending = (struct pending){ .next = service->pending,
                                 .link = &service->pending,
                                 .drop = drop,
                                 .service = service,
                                 .conn = request->conn,
                                 .number = request->number,
                                 .type = (uint16_t)request->row->code,
                                 .flags = request->flags };
    if (pending->next != NULL)
        pending->next->link = &pending->next;
    service->pending = pending;
}

void pending_remove(struct pending *pending)
{
    *pending->link = pending->next;
    if (pending->next != NULL)
        pending->next->link = pending->link;
}

struct request pending_request(const struct pending *pending)
{
    return (struct request){ .service = pending->service,
                             .conn = pending->conn,
                             .row = operation_row(pending->type),
                             .flags = pending->flags,
                             .number = pending->number };
}

/* --- how decisions read state --- */

static bool view_card(void *ctx, struct text number, struct card *out)
{
    struct service *service = ctx;
    return fold_card(ledger_fold(service->ledger), number, out);
}

static bool view_account(void *ctx, account_number number, struct account *out)
{
    struct service *service = ctx;
    return fold_account(ledger_fold(service->ledger), number, out);
}

static bool view_returned(void *ctx, journal_position sale, struct returned *out)
{
    struct service *service = ctx;
    return fold_returned(ledger_fold(service->ledger), sale, out);
}

static bool view_hold(void *ctx, journal_position hold, struct hold_state *out)
{
    struct service *service = ctx;
    return fold_hold(ledger_fold(service->ledger), hold, out);
}

static int64_t view_reward_used(void *ctx, uint64_t reward)
{
    struct service *service = ctx;
    return fold_reward_used(ledger_fold(service->ledger), reward);
}

static journal_position view_reversed_by(void *ctx, journal_position original)
{
    struct service *service = ctx;
    return fold_reversed_by(ledger_fold(service->ledger), original);
}

/* For reads that decide: what is due today has been done, though no event says so yet. */
static bool view_account_today(void *ctx, account_number number, struct account *out)
{
    struct service *service = ctx;
    if (!view_account(ctx, number, out))
        return false;
    if (account_due_day(out) <= today(service))
        account_on_day(programme_in_force(service, ledger_now(service->ledger)), today(service), out,
                       service->scratch);
    return true;
}

static const struct programme *view_programme(void *ctx, uint32_t version, utc_us time)
{
    struct service *service = ctx;
    if (version == 0)
        return programme_in_force(service, time);
    return version <= service->programme_count ? service->programmes[version - 1] : NULL;
}

static account_number view_next_account(void *ctx)
{
    struct service *service = ctx;
    return ledger_fold(service->ledger)->totals.accounts + 1;
}

static card_id view_next_card(void *ctx)
{
    struct service *service = ctx;
    return ledger_fold(service->ledger)->totals.cards + 1;
}

/* --- opening and closing --- */

enum punkt_status service_open(const struct service_options *options, struct service **out_service,
                               struct failure *failure)
{
    struct service *service = calloc(1, sizeof(*service));
    if (service == NULL) {
        failure_set(failure, "no memory for the service");
        return PUNKT_NO_MEMORY;
    }
    service->options = *options;
    service->ledger = options->ledger;
    service->view = (struct points_view){ .ctx = service,
                                          .card = view_card,
                                          .account = view_account,
                                          .returned = view_returned,
                                          .hold = view_hold,
                                          .reward_used = view_reward_used,
                                          .reversed_by = view_reversed_by,
                                          .programme = view_programme,
                                          .next_account = view_next_account,
                                          .next_card = view_next_card };
    service->view_of_reads = service->view;
    service->view_of_reads.account = view_account_today;
    service->lists_size = LISTS_BYTES;
    service->lists = malloc(service->lists_size);
    service->bytes = malloc(FRAME_BODY_MAX);
    service->scratch = calloc(1, sizeof(*service->scratch));
    service->fetched = calloc(FETCHED_MAX, sizeof(*service->fetched));
    service->receipt = receipt_scratch_new();
    enum punkt_status status = sha256_init(&service->sha256);
    if (status != PUNKT_OK || service->lists == NULL || service->bytes == NULL || service->scratch == NULL ||
        service->fetched == NULL || service->receipt == NULL) {
        failure_set(failure, "no memory for the service");
        status = PUNKT_NO_MEMORY;
    }
    if (status == PUNKT_OK)
        status = register_open(service, failure);
    if (status == PUNKT_OK)
        status = programmes_load(service, failure);
    if (status == PUNKT_OK)
        status = attempts_open(service, failure);
    if (status == PUNKT_OK)
        status = seals_open(service, failure);
    if (status == PUNKT_OK)
        status = daily_open(service, failure);
    if (status == PUNKT_OK)
        status = waiting_open(service, failure);
    if (status == PUNKT_OK)
        status = approvals_open(service, failure);
    permission_open(service);
    if (status != PUNKT_OK) {
        service_free(service);
        return status;
    }
    *out_service = service;
    return PUNKT_OK;
}

void service_listens(struct service *service, uint16_t certificate_port, uint16_t psk_port,
                     uint16_t enrol_port)
{
    service->options.certificate_port = certificate_port;
    service->options.psk_port = psk_port;
    service->options.enrol_port = enrol_port;
}

void service_free(struct service *service)
{
    if (service == NULL)
        return;
    while (service->pending != NULL) {
        struct pending *pending = service->pending;
        service->pending = pending->next;
        pending->drop(pending);
    }
    for (size_t i = 0; i < LANE_SLOTS; i++) {
        while (service->lanes[i] != NULL) {
            struct lane *lane = service->lanes[i];
            service->lanes[i] = lane->next;
            free(lane);
        }
    }
    daily_free(service);
    approvals_free(service);
    register_free(service);
    seals_free(service);
    attempts_free(service);
    programmes_free(service);
    fetched_free(service);
    answers_done(&service->answers);
    sha256_done(&service->sha256);
    free(service->lists);
    free(service->bytes);
    free(service->scratch);
    receipt_scratch_free(service->receipt);
    free(service);
}

/* --- frames --- */

static void refuse_frame(struct service *service, struct session *session, const struct frame *frame,
                         enum result result, const char *detail)
{
    answer_refusal(service, session->conn, frame->type, frame->number, result, detail, 0);
}

void service_broken(struct service *service, struct session *session, const struct frame *frame)
{
    char detail[96];
    (void)snprintf(detail, sizeof(detail), "a body of %u bytes was announced", frame->body_size);
    refuse_frame(service, session, frame, RESULT_FRAME_TOO_LARGE, detail);
}

bool request_decode(struct request *request)
{
    struct service *service = request->service;
    struct message_memory memory = { service->lists, service->lists_size };
    const char *field;
    if (message_decode(request->row->request, request->body, request->body_size, &memory, &service->message,
                       &field)) {
        request->message = &service->message;
        return true;
    }
    char detail[96];
    (void)snprintf(detail, sizeof(detail), "%s%s", field[0] != '\0' ? "field " : "", field);
    refuse_now(request, RESULT_MALFORMED, detail);
    return false;
}

/* A session or read operation, decoded: answered, on its way to the reader thread, or something must be read back first. */
static enum handled handle_decoded(struct request *request)
{
    switch (request->row->code) {
#define HANDLE_SESSION(name) HANDLE_READ(name)
#define HANDLE_READ(name) return handle_##name(request);
#define HANDLE_CHANGE(name) break;
#define OPERATION(code, NAME, name, kind, roles, doc)                                                        \
    case OPERATION_##NAME:                                                                                   \
        HANDLE_##kind(name)
#include "proto/operations.def"
#undef OPERATION
    }
    PUNKT_CHECK(false); /* changes go through their lane */
    return HANDLED;
}

static void read_goes_on(struct parked *parked)
{
    struct request request = parked_request(parked);
    PUNKT_CHECK(request_decode(&request)); /* it was before */
    enum handled handled = HANDLED;
    const char *detail;
    if (permitted(&request, &detail)) /* it may have lost its right */
        handled = handle_decoded(&request);
    else
        refuse_not_permitted(&request, detail);
    if (handled == HANDLED_FETCH)
        parked_wait(parked, &request, handled, read_goes_on);
    else
        parked_free(parked);
}

static void handle_other(struct request *request)
{
    const char *detail;
    bool known = request->identity != 0; /* else hello, which says who it is */
    if (known && !permitted_role(request, &detail)) {
        refuse_not_permitted(request, detail);
        return;
    }
    if (!request_decode(request))
        return;
    if (known && !permitted(request, &detail)) {
        refuse_not_permitted(request, detail);
        return;
    }
    if (known && !abuse_may_look_up(request)) {
        refuse_read(request, RESULT_UNKNOWN_CARD, "");
        return;
    }
    fetched_clear(request->service);
    if (handle_decoded(request) != HANDLED_FETCH)
        return;
    struct parked *parked = park(request);
    if (parked == NULL)
        refuse_now(request, RESULT_BUSY, "out of memory");
    else
        parked_wait(parked, request, HANDLED_FETCH, read_goes_on);
}

/* Whether the certificate has ended that it came with; then it closes. What is asked is not answered: a refusal would end
 * what a till has queued, and may send under its next certificate. At its next HELLO it hears why. */
static bool has_ended(struct service *service, struct session *session)
{
    bool said_hello = session->identity != 0; /* else hello is told why it is refused */
    if (!said_hello || session->key_ends == 0 || ledger_now(service->ledger) < session->key_ends)
        return false;
    session_close(service, session);
    return true;
}

/* Hello comes first; enrolment codes only enrol, and nobody else does. Then it is refused. */
static bool is_out_of_place(struct service *service, struct session *session, const struct frame *frame,
                            const struct operation_row *row)
{
    bool code = session->proof == SERVICE_PROOF_CODE;
    bool enrols = row != NULL && row->code == OPERATION_ENROL;
    if (code != enrols) {
        const char *why = code ? "an enrolment code only enrols" : "nobody enrols without an enrolment code";
        session_attempt(service, session, ATTEMPT_ENROLMENT, why);
        refuse_frame(service, session, frame, RESULT_NOT_PERMITTED, why);
        if (code)
            session_close(service, session);
        return true;
    }
    if (code || session->identity != 0 || (row != NULL && row->code == OPERATION_HELLO))
        return false;
    refuse_frame(service, session, frame, RESULT_HELLO_FIRST, "");
    return true;
}

static enum service_verdict take_frame(struct service *service, struct session *session,
                                       const struct frame *frame)
{
    const struct operation_row *row = operation_row(frame->type);
    struct request request = { .service = service,
                               .session = session,
                               .conn = session->conn,
                               .identity = session->identity,
                               .lane = session->lane,
                               .row = row,
                               .flags = frame->flags,
                               .number = frame->number,
                               .receipt = session->receipt,
                               .body = frame->body,
                               .body_size = frame->body_size };
    if (!answers_have_room(&service->answers))
        return SERVICE_NOT_NOW;
    if (session->closing || has_ended(service, session) || is_out_of_place(service, session, frame, row))
        return SERVICE_TAKEN;
    if (row == NULL)
        refuse_frame(service, session, frame, RESULT_UNKNOWN_OPERATION, "");
    else if ((frame->flags & ~FRAME_FLAGS_REQUEST) != 0)
        refuse_frame(service, session, frame, RESULT_MALFORMED, "unknown flags");
    else if ((frame->flags & (FRAME_FLAG_OFFLINE | FRAME_FLAG_ADVICE)) == FRAME_FLAG_OFFLINE)
        refuse_frame(service, session, frame, RESULT_MALFORMED, "offline is said of advices only");
    else if ((frame->flags & FRAME_FLAG_SECRET) != 0 && !operation_takes_secret(row->code))
        refuse_frame(service, session, frame, RESULT_MALFORMED, "this operation takes no secret part");
    else if (row->kind != OPERATION_KIND_CHANGE)
        handle_other(&request);
    else if (session->lane == NULL)
        refuse_frame(service, session, frame, RESULT_MALFORMED, "this connection named no lane at hello");
    else if (frame->number == 0)
        refuse_frame(service, session, frame, RESULT_MALFORMED, "changes are numbered from 1");
    else
        return lane_take(&request);
    return SERVICE_TAKEN;
}

enum service_verdict service_frame(struct service *service, struct session *session,
                                   const struct frame *frame)
{
    enum service_verdict verdict = take_frame(service, session, frame);
    if (verdict == SERVICE_TAKEN)
        abuse_frame(service, session);
    return verdict;
}

bool service_turn(struct service *service)
{
    answers_release(&service->answers, ledger_durable(service->ledger), &service->options.link);
    lanes_resume(service);
    codes_turn(service);
    waiting_turn(service);
    daily_turn(service);
    approvals_turn(service);
    attempts_turn(service);
    seals_turn(service);
    return ledger_has_room(service->ledger) && answers_have_room(&service->answers);
}

void service_end(struct service *service)
{
    service->ending = true;
    attempts_turn(service);
}

bool service_has_work(const struct service *service)
{
    return daily_has_work(service) || approvals_have_work(service);
}

bool service_is_idle(const struct service *service)
{
    bool ended = !service->ending || !attempts_are_open(service);
    return answers_are_empty(&service->answers) && service->pending == NULL && ended &&
           !seals_have_work(service);
}
