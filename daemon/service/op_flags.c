/*
 * Flags: what the office should look at (RELIABILITY.md, Audit and abuse). Nobody bounds how many are open, so none is kept in
 * memory: a page is found by the reader thread in LMDB, where a checkpoint is hurried for it; what was resolved meanwhile
 * is left out by the loop.
 */
#include <stdlib.h>
#include <string.h>

#include "ledger/fold.h"
#include "service/internal.h"

#define PAGE_MAX 200

struct flag_query {
    struct pending pending;
    struct ledger_job job;
    struct key after; /* the page begins behind it; size 0: with the first */
    uint64_t limit;
    uint32_t found_count; /* one more than the page, if there are more */
    journal_position found[PAGE_MAX + 1];
    uint32_t kinds[PAGE_MAX + 1];
    uint64_t read;      /* of the found ones that are on the page */
    const char *failed; /* why there is no page; NULL: there is one */
    millipoints step;
    struct msg_flag_entry entries[PAGE_MAX];
};

static void flag_drop(struct pending *pending)
{
    free(pending); /* the first member */
}

static struct flag_query *query_of(struct ledger_job *job)
{
    return (struct flag_query *)(void *)((char *)job - offsetof(struct flag_query, job));
}

/* --- reader thread --- */

static bool visit_flag(void *ctx, const uint8_t *key, size_t key_size, const uint8_t *value, size_t size)
{
    struct flag_query *query = ctx;
    struct flag_record record;
    journal_position position;
    if (!key_read_flag(key, key_size, &position) ||
        !flag_decode((struct state_value){ value, (uint32_t)size }, &record)) {
        query->failed = STATE_UNREADABLE;
        return false;
    }
    query->found[query->found_count] = position;
    query->kinds[query->found_count++] = record.kinds;
    return query->found_count <= query->limit;
}

/* Of goods. */
static minor_units amount_of(const struct event *event)
{
    if (event->type == EVENT_PURCHASE)
        return event->purchase.amount;
    bool is_return = event->type == EVENT_RETURN || event->type == EVENT_UNLINKED_RETURN;
    return is_return ? event->goods_return.amount : 0;
}

static void entry_for_wire(const struct flag_query *query, const struct event *event,
                           journal_position position, uint32_t kinds, struct msg_flag_entry *out)
{
    message_init(MESSAGE_flag_entry, out);
    out->flag = position;
    out->time = (uint64_t)event->time;
    out->kinds = kinds;
    code_for_wire(text_of(event_type_name(event->type)), &out->event);
    out->identity = event->type == EVENT_ALARM ? event->alarm.identity : event->request.identity;
    if (event->effect_count > 0) {
        out->account = event->effects[0].account;
        out->points = event->effects[0].change / query->step;
    }
    code_for_wire(event->store, &out->store);
    code_for_wire(event->till, &out->till);
    code_for_wire(event->operator, & out->operator);
    out->amount = (uint64_t)i64_max(amount_of(event), 0);
}

static enum job_step flag_run(struct ledger_job *job, struct reading *reading)
{
    struct flag_query *query = query_of(job);
    struct key all = key_all_flags();
    struct failure failure;
    if (state_scan(reading->state, all.bytes, all.size, query->after.bytes, query->after.size,
                   (uint32_t)query->limit + 1, visit_flag, query) != PUNKT_OK)
        query->failed = STATE_UNREADABLE;
    while (query->failed == NULL && query->read < query->limit && query->read < query->found_count) {
        journal_position position = query->found[query->read];
        if (reading_event(reading, position, &failure) != PUNKT_OK)
            query->failed = JOURNAL_UNREADABLE;
        else
            entry_for_wire(query, &reading->event, position, query->kinds[query->read],
                           &query->entries[query->read]);
        query->read++;
    }
    return JOB_DONE;
}

/* --- loop thread --- */

static void answer_page(struct flag_query *query, struct request *request)
{
    struct service *service = request->service;
    struct actor_name names[PAGE_MAX];
    union message_any answer;
    struct msg_flag_list_answer *out = &answer.flag_list_answer;
    message_init(MESSAGE_flag_list_answer, out);
    for (uint64_t i = 0; i < query->read; i++) {
        struct flag_record record;
        struct msg_flag_entry *entry = &query->entries[out->entries_count];
        if (!fold_flag(ledger_fold(service->ledger), query->found[i], &record))
            continue;
        *entry = query->entries[i];
        struct actor_name *name = &names[out->entries_count++];
        *name = actor_name(service, entry->identity);
        entry->actor = message_text_of(name->text, sizeof(name->text));
    }
    out->entries = query->entries;
    out->next = query->found_count > query->limit ? query->found[query->limit] : 0;
    out->open = ledger_fold(service->ledger)->totals.flags;
    answer_read(request, &answer, ledger_newest(service->ledger));
}

static void flag_done(struct ledger_job *job)
{
    struct flag_query *query = query_of(job);
    struct request request = pending_request(&query->pending);
    if (query->failed != NULL)
        refuse_now(&request, RESULT_BUSY, query->failed);
    else
        answer_page(query, &request);
    pending_remove(&query->pending);
    flag_drop(&query->pending);
}

enum handled handle_flag_list(struct request *request)
{
    struct service *service = request->service;
    const struct msg_flag_list_request *message = &request->message->flag_list_request;
    if (message->limit == 0) {
        refuse_now(request, RESULT_MALFORMED, "field limit");
        return HANDLED;
    }
    struct flag_query *query = calloc(1, sizeof(*query));
    if (query == NULL) {
        refuse_now(request, RESULT_BUSY, "out of memory");
        return HANDLED;
    }
    pending_add(&query->pending, request, flag_drop);
    if (message->from > 0)
        query->after = key_flag(message->from - 1);
    query->limit = message->limit;
    query->step = programme_step(programme_newest(service));
    query->job = (struct ledger_job){
        .wait_for = ledger_newest(service->ledger), .stored = true, .run = flag_run, .done = flag_done
    };
    ledger_submit(service->ledger, &query->job);
    return HANDLED;
}

enum handled handle_flag_resolve(struct request *request)
{
    struct service *service = request->service;
    const struct msg_flag_resolve_request *message = &request->message->flag_resolve_request;
    struct flag_record record;
    if (!fold_flag(ledger_fold(service->ledger), message->flag, &record)) {
        refuse(request, RESULT_UNKNOWN_FLAG, "");
        return HANDLED;
    }
    struct event event = { .type = EVENT_FLAG_RESOLVED,
                           .time = ledger_now(service->ledger),
                           .day = today(service),
                           .operator= text_of_code(&message->operator),
                           .flag_resolved = { .flag = message->flag,
                                              .note = text_of_message(message->note) } };
    event.occurred = event.time;
    union message_any answer;
    message_init(MESSAGE_flag_resolve_answer, &answer.flag_resolve_answer);
    answer.flag_resolve_answer.open = ledger_fold(service->ledger)->totals.flags - 1;
    book(request, &event, &answer);
    return HANDLED;
}
