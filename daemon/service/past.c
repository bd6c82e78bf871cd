/*
 * The past of an account: its events are followed back to the first one and folded again, up to the moment asked for. What
 * was merged into it is folded the same way, as far as it had come by its merge. In slices, on the reader thread.
 */
#include "service/past.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/fold.h"

#define MERGED_MAX 64         /* accounts on the way from the card's to the one it leads to now */
#define FRAMES_MAX 16         /* merges within merges */
#define EVENTS_MAX (1u << 20) /* of an account */
#define SLICE_EVENTS 256
#define CHAIN_BROKEN "the account's events do not hang together"

/* An account that is being folded. */
struct past_frame {
    account_number number;
    utc_us until;                /* events after it are left out */
    journal_position walk_at;    /* going back: the next to be read; 0: all were */
    journal_position *positions; /* those to be folded, newest first */
    uint32_t count, capacity;
    bool begun; /* account is one */
    struct account *account;
};

struct past_query {
    struct pending pending;
    struct ledger_job job;
    struct wire_code number;
    struct card card;
    utc_us at;
    bool with_lots;
    const char *failed; /* why it cannot be said; NULL: it can */
    bool known;         /* the card was there */
    enum card_status status;
    /* From the card's own account to the one it leads to now. */
    uint32_t path_count, path_at;
    struct {
        account_number account;
        journal_position last_event; /* the merge, but for the last */
    } path[MERGED_MAX];
    uint32_t depth;
    struct past_frame frames[FRAMES_MAX]; /* the last one is in hand */
    struct account *absorbed;             /* what the frame above made, for the event in hand */
};

static void frame_free(struct past_frame *frame)
{
    free(frame->positions);
    free(frame->account);
    memset(frame, 0, sizeof(*frame));
}

static void past_drop(struct pending *pending)
{
    struct past_query *query = (struct past_query *)(void *)pending; /* its first member */
    for (uint32_t i = 0; i < FRAMES_MAX; i++)
        frame_free(&query->frames[i]);
    free(query->absorbed);
    free(query);
}

static bool read_event(struct past_query *query, struct reading *reading, journal_position position)
{
    struct failure failure;
    if (reading_event(reading, position, &failure) == PUNKT_OK)
        return true;
    query->failed = JOURNAL_UNREADABLE;
    return false;
}

static void push(struct past_query *query, account_number number, journal_position last, utc_us until)
{
    if (query->depth == FRAMES_MAX) {
        query->failed = "too many merges";
        return;
    }
    struct past_frame *frame = &query->frames[query->depth++];
    frame->number = number;
    frame->walk_at = last;
    frame->until = until;
    frame->account = malloc(sizeof(*frame->account));
    if (frame->account == NULL)
        query->failed = "out of memory";
}

/* --- back --- */

static bool keep_position(struct past_query *query, struct past_frame *frame, journal_position position)
{
    if (frame->count == frame->capacity) {
        uint32_t capacity = frame->capacity * 2 + 256;
        journal_position *grown =
            capacity <= 2 * EVENTS_MAX ? realloc(frame->positions, capacity * sizeof(*grown)) : NULL;
        if (grown == NULL) {
            query->failed = "the account has too many events";
            return false;
        }
        frame->positions = grown;
        frame->capacity = capacity;
    }
    frame->positions[frame->count++] = position;
    return true;
}

static void walk_back(struct past_query *query, struct past_frame *frame, struct reading *reading)
{
    const struct effect *effect;
    journal_position position = frame->walk_at;
    if (!read_event(query, reading, position))
        return;
    if (!event_of_account(&reading->event, frame->number, &effect, &frame->walk_at))
        query->failed = CHAIN_BROKEN;
    else if (reading->event.time <= frame->until)
        (void)keep_position(query, frame, position);
}

/* --- forth --- */

/* What the event says of the card. */
static void note_card(struct past_query *query, const struct event *event)
{
    struct text number = text_of_code(&query->number);
    enum card_status status = query->status;
    bool said = true;
    if (event->type == EVENT_CARDS_ISSUED && query->card.id >= event->cards_issued.first_card &&
        query->card.id - event->cards_issued.first_card < event->cards_issued.count)
        status = CARD_ACTIVE;
    else if (event->type == EVENT_CARD_ADDED && event->card_added.card == query->card.id)
        status = CARD_ACTIVE;
    else if (event->type == EVENT_CARD_REPLACED && event->card_replaced.new_card == query->card.id)
        status = CARD_ACTIVE;
    else if (event->type == EVENT_CARD_REPLACED && text_equal(event->card_replaced.old_number, number))
        status = CARD_REPLACED;
    else if (event->type == EVENT_CARD_STATUS && text_equal(event->card_status.number, number))
        status = event->card_status.after;
    else if (event->suspense.new_card && text_equal(event->suspense.number, number))
        status = CARD_SUSPENSE;
    else
        said = false;
    query->status = status;
    query->known = query->known || said;
}

/* The account as its first event found or made it. */
static bool begin_account(struct past_frame *frame, const struct event *event)
{
    struct account *account = frame->account;
    account_new(frame->number, account);
    frame->begun = true;
    if (event->type != EVENT_CARDS_ISSUED || event->cards_issued.joins) {
        account->suspense = true;
        return event->suspense.number.size > 0;
    }
    account->card_count = 1;
    if (event->cards_issued.welcome.points != 0) {
        account->lots[0] = event->cards_issued.welcome;
        account->lots[0].number = account->next_lot++;
        account->lot_count = 1;
        account->balance = event->cards_issued.welcome.points;
    }
    return true;
}

/* The account that the effect takes in; 0: none. */
static account_number absorbs(const struct effect *effect)
{
    for (uint32_t i = 0; effect != NULL && i < effect->change_count; i++) {
        if (effect->changes[i].kind == CHANGE_ABSORB)
            return effect->changes[i].id;
    }
    return 0;
}

static bool fold_one(struct past_query *query, struct past_frame *frame, const struct event *event,
                     const struct effect *effect, journal_position position)
{
    if (!frame->begun && !begin_account(frame, event))
        return false;
    if (query->absorbed != NULL &&
        !account_absorb(frame->account, query->absorbed, frame->account->next_lot - 1))
        return false;
    free(query->absorbed);
    query->absorbed = NULL;
    if (effect != NULL && !effect_apply(effect, position, frame->account))
        return false;
    frame->account->last_event = position;
    note_card(query, event);
    return true;
}

static void fold_next(struct past_query *query, struct past_frame *frame, struct reading *reading)
{
    journal_position position = frame->positions[frame->count - 1];
    const struct event *event = &reading->event;
    const struct effect *effect;
    journal_position previous;
    if (!read_event(query, reading, position))
        return;
    PUNKT_CHECK(event_of_account(event, frame->number, &effect, &previous)); /* it was before */
    account_number other = absorbs(effect);
    if (other != 0 && query->absorbed == NULL) {
        const struct effect *emptied;
        if (event_of_account(event, other, &emptied, &previous) && emptied != NULL)
            push(query, other, previous, INT64_MAX);
        else
            query->failed = CHAIN_BROKEN;
        return;
    }
    if (fold_one(query, frame, event, effect, position))
        frame->count--;
    else
        query->failed = CHAIN_BROKEN;
}

/* The frame is folded: what it made goes to the one below. */
static void pop(struct past_query *query)
{
    struct past_frame *frame = &query->frames[--query->depth];
    if (!frame->begun)
        query->failed = CHAIN_BROKEN;
    query->absorbed = frame->account;
    frame->account = NULL;
    frame_free(frame);
}

/* Which account the card led to by then. */
static void find_account(struct past_query *query, struct reading *reading)
{
    while (query->path_at + 1 < query->path_count) {
        if (!read_event(query, reading, query->path[query->path_at].last_event))
            return;
        if (reading->event.time > query->at)
            break;
        query->path_at++;
    }
    push(query, query->path[query->path_at].account, query->path[query->path_at].last_event, query->at);
}

static struct past_query *query_of(struct ledger_job *job)
{
    return (struct past_query *)(void *)((char *)job - offsetof(struct past_query, job));
}

static enum job_step past_run(struct ledger_job *job, struct reading *reading)
{
    struct past_query *query = query_of(job);
    if (query->depth == 0)
        find_account(query, reading);
    for (uint32_t i = 0; i < SLICE_EVENTS && query->failed == NULL; i++) {
        struct past_frame *frame = &query->frames[query->depth - 1];
        if (frame->walk_at != 0)
            walk_back(query, frame, reading);
        else if (frame->count > 0)
            fold_next(query, frame, reading);
        else if (query->depth > 1)
            pop(query);
        else
            return JOB_DONE;
    }
    return query->failed != NULL ? JOB_DONE : JOB_MORE;
}

static void past_done(struct ledger_job *job)
{
    struct past_query *query = query_of(job);
    struct request request = pending_request(&query->pending);
    struct past_frame *frame = &query->frames[0];
    struct shown shown = {
        .account = frame->account, .at = query->at, .status = query->status, .with_lots = query->with_lots
    };
    if (query->failed != NULL)
        refuse_now(&request, RESULT_BUSY, query->failed);
    else if (!frame->begun || !query->known)
        refuse_now(&request, RESULT_UNKNOWN_CARD, "not at that time");
    else
        card_shown(&request, &shown, 0);
    pending_remove(&query->pending);
    past_drop(&query->pending);
}

/* From the card's own account to the one it leads to now. False: there are too many. */
static bool find_path(struct fold *fold, struct past_query *query)
{
    account_number next = query->card.account;
    while (next != 0 && query->path_count < MERGED_MAX) {
        query->path[query->path_count].account = next;
        PUNKT_CHECK(fold_account_own(fold, next, &next, &query->path[query->path_count].last_event));
        query->path_count++;
    }
    return next == 0;
}

void past_begin(struct request *request, const struct card *card)
{
    struct service *service = request->service;
    const struct msg_card_show_request *message = &request->message->card_show_request;
    struct past_query *query = calloc(1, sizeof(*query));
    if (query == NULL) {
        refuse_now(request, RESULT_BUSY, "out of memory");
        return;
    }
    query->number = message->card;
    query->card = *card;
    query->at = (utc_us)message->at;
    query->with_lots = message->lots != 0;
    if (!find_path(ledger_fold(service->ledger), query)) {
        refuse_now(request, RESULT_BUSY, "too many merges");
        free(query);
        return;
    }
    pending_add(&query->pending, request, past_drop);
    query->job = (struct ledger_job){ .wait_for = query->path[query->path_count - 1].last_event,
                                      .run = past_run,
                                      .done = past_done };
    ledger_submit(service->ledger, &query->job);
}
