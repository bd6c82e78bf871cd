/*
 * The audit log: who did what. A page of the journal's events that are acts of somebody, read back by the reader thread in
 * slices; what tills sell and spend all day is passed over, unless a person books it.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/event_walk.h"
#include "ledger/fold.h"
#include "service/internal.h"

#define SLICE_BYTES (256u * 1024)
#define PAGE_BYTES_MAX (256u * 1024 * 1024) /* of the journal read for one page, which may then be empty */
#define ENTRIES_MAX 200
#define DETAIL_MAX 400

/* An entry, copied: the event's bytes are gone when it is answered. */
struct audit_line {
    journal_position position;
    utc_us time;
    enum event_type type;
    uint64_t identity;
    account_number account;
    millipoints points;
    journal_position refers;
    struct wire_code operator;
    char detail[DETAIL_MAX + 1];
};

struct audit_query {
    struct pending pending;
    struct ledger_job job;
    struct event_walk walk;
    bool begun, ended; /* ended: a page is full, or what one page may read is read */
    bool failed;
    bool unknown; /* no event stands at `from` */
    journal_position from, next, end;
    utc_us since, until;
    bool by_actor;
    uint64_t actor;
    struct wire_code kind;
    journal_position read_from; /* the first event that was looked at, to bound the walk; 0: none yet */
    uint32_t limit, count;
    struct audit_line lines[ENTRIES_MAX];
};

static void audit_log_drop(struct pending *pending)
{
    free(pending); /* the first member of the query */
}

static struct audit_query *query_of(struct ledger_job *job)
{
    return (struct audit_query *)(void *)((char *)job - offsetof(struct audit_query, job));
}

/* --- which events are somebody's acts --- */

static bool is_refusal_to_know(const struct event *event)
{
    return event->refusal.result == RESULT_NOT_PERMITTED || event->refusal.result == RESULT_OWN_PROPOSAL;
}

/* Somebody of the register who is no till: what is a till's daily business is an act of a person. */
static bool is_by_people(const struct event *event)
{
    return (event->flags & EVENT_FLAG_FOREIGN) != 0;
}

static bool is_act(const struct event *event)
{
    switch (event->type) {
    case EVENT_TERM:
    case EVENT_PROGRAMME:
    case EVENT_CARDS_ISSUED:
    case EVENT_UNLINKED_RETURN:
    case EVENT_ADJUSTMENT:
    case EVENT_CLOCK_ACCEPTED:
    case EVENT_CARD_ADDED:
    case EVENT_CARD_STATUS:
    case EVENT_CARD_REPLACED:
    case EVENT_MERGE:
    case EVENT_TRANSFER:
    case EVENT_TAGS:
    case EVENT_PIN_SET:
    case EVENT_BONUS:
    case EVENT_WRITE_OFF:
    case EVENT_AWARD_MOVED:
    case EVENT_DAY_CLOSE:
    case EVENT_IDENTITY:
    case EVENT_PROPOSAL:
    case EVENT_PROPOSAL_ENDED:
    case EVENT_ATTEMPTS:
    case EVENT_ALARM:
    case EVENT_FLAG_RESOLVED:
    case EVENT_SEAL:
        return true;
    case EVENT_REVERSAL: /* of what another one sent */
        return event->request.identity != event->reversal.original.identity || is_by_people(event);
    case EVENT_REFUSAL:
        return is_refusal_to_know(event);
    case EVENT_PURCHASE:
    case EVENT_RETURN:
    case EVENT_REDEMPTION:
    case EVENT_TIE:
    case EVENT_DAY:
    case EVENT_ACTIVATION:
    case EVENT_PIN_TRY:
    case EVENT_HOLD:
    case EVENT_CAPTURE:
    case EVENT_RELEASE:
    case EVENT_TOMBSTONE:
    case EVENT_RETURN_WAITING:
        return is_by_people(event);
    }
    return false;
}

/* --- what they say --- */

PUNKT_PRINTF(2, 3) static void say(struct audit_line *line, const char *format, ...)
{
    size_t used = strlen(line->detail);
    va_list arguments;
    va_start(arguments, format);
    if (used > 0 && used + 2 < sizeof(line->detail)) {
        memcpy(line->detail + used, ", ", 3);
        used += 2;
    }
    (void)vsnprintf(line->detail + used, sizeof(line->detail) - used, format, arguments);
    va_end(arguments);
}

#define TEXT_ARGS(text) (int)(text).size, (text).data

static void say_identity(struct audit_line *line, const struct event *event)
{
    static const char *const acts[] = {
        [IDENTITY_ACT_SUSPEND] = "suspend", [IDENTITY_ACT_RESUME] = "resume",
        [IDENTITY_ACT_REVOKE] = "revoke",   [IDENTITY_ACT_ROLE] = "role",
        [IDENTITY_ACT_ROTATE] = "rotate",   [IDENTITY_ACT_ADD] = "add",
        [IDENTITY_ACT_ENROL] = "enrol",
    };
    const struct identity *after = &event->identity.after;
    const char *role = role_name((enum role)after->role);
    if (after->name.size > 0)
        say(line, "%s user %.*s as %s", acts[event->identity.act], TEXT_ARGS(after->name), role);
    else
        say(line, "%s till %.*s/%.*s", acts[event->identity.act], TEXT_ARGS(after->store),
            TEXT_ARGS(after->till));
    if (event->identity.act == IDENTITY_ACT_ENROL || event->identity.act == IDENTITY_ACT_ADD)
        say(line, "%s", after->proof == PROOF_PSK ? "by pre-shared key" : "by certificate");
}

static void say_attempts(struct audit_line *line, const struct event *event)
{
    say(line, "%" PRIu64 " x %s from %.*s", event->attempts.count, attempt_words(event->attempts.kind),
        TEXT_ARGS(event->attempts.source));
    say(line, "last: %.*s", TEXT_ARGS(event->attempts.detail));
}

static const char *status_word(enum card_status status)
{
    static const char *const words[] = {
        [CARD_ACTIVE] = "active", [CARD_BLOCKED] = "blocked",       [CARD_REPLACED] = "replaced",
        [CARD_CLOSED] = "closed", [CARD_SUSPENSE] = "never issued",
    };
    return words[status];
}

static void say_refusal(struct audit_line *line, const struct event *event)
{
    uint16_t outcome = FRAME_TYPE_DONE | FRAME_TYPE_REFUSED;
    const struct operation_row *row = operation_row((uint16_t)(event->answer_type & ~outcome));
    say(line, "%s: %s", row != NULL ? row->name : "", result_row(event->refusal.result)->name);
}

static void say_detail(struct audit_line *line, const struct event *event)
{
    struct text reason = event_reason(event);
    struct text note = event_note(event);
    if (event->type == EVENT_IDENTITY)
        say_identity(line, event);
    else if (event->type == EVENT_ATTEMPTS)
        say_attempts(line, event);
    else if (event->type == EVENT_ALARM)
        say(line, "%.*s", TEXT_ARGS(event->alarm.detail));
    else if (event->type == EVENT_PROGRAMME)
        say(line, "version %u", event->programme.version);
    else if (event->type == EVENT_CARD_STATUS)
        say(line, "%s, was %s", status_word(event->card_status.after),
            status_word(event->card_status.before));
    else if (event->type == EVENT_CARDS_ISSUED)
        say(line, "%u card%s", event->cards_issued.count, event->cards_issued.count == 1 ? "" : "s");
    else if (event->type == EVENT_PROPOSAL)
        say(line, "%s", operation_row((uint16_t)event->proposal.operation)->name);
    else if (event->type == EVENT_PROPOSAL_ENDED)
        say(line, "%s", event->proposal_ended.state == PROPOSAL_REJECTED ? "rejected" : "ended by itself");
    else if (event->type == EVENT_REFUSAL)
        say_refusal(line, event);
    else if (event->type == EVENT_DAY_CLOSE)
        say(line, "till %.*s/%.*s, close %" PRIu64, TEXT_ARGS(event->store), TEXT_ARGS(event->till),
            event->day_close.number);
    else if (event->type == EVENT_TERM)
        say(line, "term %" PRIu64 ", by %.*s", event->term.new_term, TEXT_ARGS(event->term.who));
    else if (event->type == EVENT_SEAL)
        say(line, "key %" PRIu64 ", head at position %" PRIu64, event->seal.key_number, event->seal.head);
    if (reason.size > 0)
        say(line, "%.*s", TEXT_ARGS(reason));
    if (note.size > 0)
        say(line, "%.*s", TEXT_ARGS(note));
    if (event->approves != 0)
        say(line, "approved proposal %" PRIu64, event->approves);
}

static void take_line(struct audit_line *line, const struct event *event, journal_position position)
{
    *line = (struct audit_line){ .position = position,
                                 .time = event->time,
                                 .type = event->type,
                                 .identity = event->request.identity,
                                 .refers = event->approves != 0 ? event->approves : event_refers(event) };
    if (event->type == EVENT_ATTEMPTS)
        line->identity = event->attempts.identity;
    if (event->effect_count > 0) {
        line->account = event->effects[0].account;
        line->points = event->effects[0].change;
    }
    if (event->type == EVENT_PROPOSAL) { /* nothing is changed yet: what would be */
        line->account = event->proposal.account;
        line->points = event->proposal.points;
    }
    code_for_wire(event->operator, & line->operator);
    say_detail(line, event);
}

/* --- reader thread --- */

static bool wanted(const struct audit_query *query, const struct event *event)
{
    uint64_t who = event->type == EVENT_ATTEMPTS ? event->attempts.identity : event->request.identity;
    const char *kind = event_type_name(event->type);
    return is_act(event) && event->time >= query->since && (!query->by_actor || who == query->actor) &&
           (query->kind.size == 0 ||
            text_equal(text_of(kind), (struct text){ query->kind.bytes, query->kind.size }));
}

static enum punkt_status visit_event(void *ctx, const struct event *event, journal_position position,
                                     struct failure *failure)
{
    struct audit_query *query = ctx;
    if (position < query->from)
        return PUNKT_OK;
    if (query->read_from == 0)
        query->read_from = position;
    bool full = query->count == query->limit || position - query->read_from > PAGE_BYTES_MAX;
    if (position >= query->end || event->time >= query->until || full) {
        query->next = full && position < query->end && event->time < query->until ? position : 0;
        query->ended = true;
        failure_set(failure, "that is the page");
        return PUNKT_NOT_FOUND;
    }
    if (wanted(query, event))
        take_line(&query->lines[query->count++], event, position);
    return PUNKT_OK;
}

/* Where the walk begins: an event that was named says when it was. False: there is none. */
static bool begin(struct audit_query *query, struct reading *reading)
{
    struct journal_head head;
    struct failure failure;
    query->walk = (struct event_walk){ .from = query->since, .visit = visit_event, .ctx = query };
    if (query->from != 0) {
        enum punkt_status status = reading_event(reading, query->from, &failure);
        query->unknown =
            status != PUNKT_OK && status != PUNKT_NOT_FOUND; /* which is not in the folder any more */
        if (status != PUNKT_OK)
            return false;
        query->walk.from = reading->event.time;
    }
    journal_durable_head(reading->journal, &head);
    query->walk.until = head.position;
    query->begun = true;
    return true;
}

static enum job_step audit_log_run(struct ledger_job *job, struct reading *reading)
{
    struct audit_query *query = query_of(job);
    struct failure failure;
    if (!query->begun && !begin(query, reading)) {
        query->failed = true;
        return JOB_DONE;
    }
    enum punkt_status status = event_walk_slice(&query->walk, reading, SLICE_BYTES, &failure);
    if (status == PUNKT_BUSY)
        return JOB_MORE;
    query->failed = status != PUNKT_OK && !query->ended;
    return JOB_DONE;
}

/* --- loop thread --- */

static void line_for_wire(const struct service *service, const struct audit_line *line,
                          struct actor_name *name, struct msg_audit_entry *out)
{
    *name = actor_name(service, line->identity);
    const char *kind = event_type_name(line->type);
    message_init(MESSAGE_audit_entry, out);
    out->position = line->position;
    out->time = (uint64_t)line->time;
    code_for_wire(text_of(kind), &out->kind);
    out->identity = line->identity;
    out->actor = message_text_of(name->text, ACTOR_NAME_MAX);
    out->detail = message_text_of(line->detail, DETAIL_MAX);
    out->operator= line->operator;
    out->account = line->account;
    out->points = points_to_wire(service, line->points);
    out->refers = line->refers;
}

static void answer_page(struct request *request, const struct audit_query *query)
{
    struct msg_audit_entry *entries = calloc(query->count + 1, sizeof(*entries));
    struct actor_name *names = calloc(query->count + 1, sizeof(*names));
    if (entries != NULL && names != NULL) {
        union message_any answer;
        struct msg_audit_log_answer *out = &answer.audit_log_answer;
        message_init(MESSAGE_audit_log_answer, out);
        for (uint32_t i = 0; i < query->count; i++)
            line_for_wire(request->service, &query->lines[i], &names[i], &entries[i]);
        out->next = query->next;
        out->entries = entries;
        out->entries_count = query->count;
        answer_read(request, &answer, 0); /* all of it was durable when it was read */
    } else {
        refuse_now(request, RESULT_BUSY, "out of memory");
    }
    free(entries);
    free(names);
}

static void audit_log_done(struct ledger_job *job)
{
    struct audit_query *query = query_of(job);
    struct request request = pending_request(&query->pending);
    if (query->unknown)
        refuse_now(&request, RESULT_UNKNOWN_EVENT, "");
    else if (query->failed)
        refuse_now(&request, RESULT_BUSY, JOURNAL_UNREADABLE);
    else
        answer_page(&request, query);
    pending_remove(&query->pending);
    audit_log_drop(&query->pending);
}

/* The words of the request. False: it was refused. */
static bool take_wishes(struct request *request, struct audit_query *query)
{
    const struct msg_audit_log_request *message = &request->message->audit_log_request;
    query->from = message->from;
    query->since = (utc_us)message->since;
    query->until = message->until != 0 ? (utc_us)message->until : INT64_MAX;
    query->limit = message->limit == 0 ? 1 : (uint32_t)message->limit;
    query->kind = message->kind;
    if (query->from >= query->end) {
        refuse_now(request, RESULT_UNKNOWN_EVENT, "");
        return false;
    }
    query->by_actor = message->actor.size > 0;
    if (!query->by_actor || text_equal(text_of_message(message->actor), TEXT_LITERAL("server")))
        return true;
    query->actor = actor_by_name(request->service, text_of_message(message->actor));
    if (query->actor != 0)
        return true;
    refuse_now(request, RESULT_UNKNOWN_IDENTITY, "");
    return false;
}

enum handled handle_audit_log(struct request *request)
{
    struct service *service = request->service;
    struct audit_query *query = calloc(1, sizeof(*query));
    if (query == NULL) {
        refuse_now(request, RESULT_BUSY, "out of memory");
        return HANDLED;
    }
    query->end = ledger_end(service->ledger);
    if (!take_wishes(request, query)) {
        free(query);
        return HANDLED;
    }
    pending_add(&query->pending, request, audit_log_drop);
    query->job = (struct ledger_job){ .wait_for = ledger_newest(service->ledger),
                                      .run = audit_log_run,
                                      .done = audit_log_done };
    ledger_submit(service->ledger, &query->job);
    return HANDLED;
}
