#include "lib/day.h"

#include <stdio.h>
#include <string.h>

#include "lib/client.h"
#include "proto/message.h"

#define TIMEOUT_DEFAULT_MS 30000
#define CLOSE_MS 3000 /* of that, kept for the close itself */
#define REACH_MS 5000 /* how long a server that seems away is sought */
#define ROUNDS_MAX 3  /* closes of one call: what was missing is sent between them */
#define BLOCK 64

/* A lane that both sides are held against each other in. */
struct compared {
    uint64_t epoch;
    uint64_t first, last; /* numbers of the day, as the server has them; 0, 0: none */
    uint64_t
        lost_after; /* the server has lost what it had answered behind this number; UINT64_MAX: nothing */
};

struct closing {
    struct closing *before; /* whose answer a callback is looking at, which began this one; else NULL */
    bool asked;             /* an answer is on its way */
    int32_t business_date;
    char operator_[PUNKT_CARD_MAX + 1];
    uint64_t deadline_us;
    uint64_t reach_us; /* a link that is down then is given up */
    unsigned rounds;
    uint32_t refusal; /* of the close itself */
    punkt_done_fn *on_done;
    void *ctx;
    int64_t
        asked_at_us; /* wall clock; of numbers that were answered since then the server's word may be older */
    uint64_t asked_first;
    struct compared *lanes;
    size_t lane_count, lane_capacity, lane;
    struct punkt_day_difference *differences;
    const struct punkt_day_difference **listed; /* pointers to them, for the caller */
    size_t difference_count, difference_capacity;
    struct punkt_day_figures here, there;
    struct punkt_close_day_answer answer;
};

/* --- how it ends --- */

static void forget(struct punkt *punkt, struct closing **from)
{
    while (*from != NULL) {
        struct closing *closing = *from;
        *from = closing->before;
        heap_give(&punkt->heap, closing->lanes);
        heap_give(&punkt->heap, closing->differences);
        heap_give(&punkt->heap, closing->listed);
        heap_give(&punkt->heap, closing);
    }
}

void day_forget(struct punkt *punkt)
{
    forget(punkt, &punkt->closing);
}

static void finish(struct punkt *punkt, enum punkt_call call, enum punkt_close_state state)
{
    struct closing *closing = punkt->closing;
    struct outbox_counts kept;
    outbox_counts(punkt->outbox, &kept);
    call_head(call_of(OPERATION_DAY_CLOSE), OPERATION_DAY_CLOSE, call, &punkt->answer);
    struct punkt_answer head = punkt->answer.head;
    head.size = sizeof(closing->answer);
    if (call == PUNKT_CALL_REFUSED)
        call_head_code(&head, closing->refusal);
    else if (call != PUNKT_CALL_DONE)
        head.detail =
            punkt->live.link.trouble[0] != '\0' ? punkt->live.link.trouble : punkt->queue.link.trouble;
    closing->answer.head = head;
    closing->answer.state = state;
    closing->answer.business_date = closing->business_date;
    closing->answer.time_us = wall_now_us(punkt);
    closing->answer.queued = kept.open;
    closing->answer.dead = kept.dead;
    closing->answer.here = &closing->here;
    closing->answer.there = state == PUNKT_CLOSE_NOT_REACHED ? NULL : &closing->there;
    for (size_t i = 0; i < closing->difference_count; i++)
        closing->listed[i] = &closing->differences[i];
    closing->answer.differences = closing->listed;
    closing->answer.difference_count = closing->difference_count;
    closing->answer.store = punkt->store;
    closing->answer.till = punkt->till;
    punkt->answer.close_day_ = closing->answer;
    /* What the answer points to lives on until the next close, or the handle's end. */
    punkt_done_fn *on_done = closing->on_done;
    closing->on_done = NULL;
    punkt->live.wanted = false;
    tell(punkt, on_done, closing->ctx);
}

static void finish_unreached(struct punkt *punkt)
{
    day_figures(punkt, punkt->closing->business_date, &punkt->closing->here);
    finish(punkt, PUNKT_CALL_NOT_SENT, PUNKT_CLOSE_NOT_REACHED);
}

/* The close itself was not booked. */
static void finish_refused(struct punkt *punkt, const struct punkt_answer *answer)
{
    if (answer->call != PUNKT_CALL_REFUSED) {
        finish_unreached(punkt);
        return;
    }
    punkt->closing->refusal = answer->code;
    finish(punkt, PUNKT_CALL_REFUSED, PUNKT_CLOSE_NOT_REACHED);
}

/* --- comparing --- */

static bool lane_listed(struct punkt *punkt, uint64_t epoch, uint64_t first, uint64_t last)
{
    struct closing *closing = punkt->closing;
    for (size_t i = 0; i < closing->lane_count; i++) {
        if (closing->lanes[i].epoch == epoch)
            return true;
    }
    if (closing->lane_count == closing->lane_capacity) {
        size_t capacity = closing->lane_capacity * 2 + 16;
        struct compared *more =
            heap_resize(&punkt->heap, closing->lanes, capacity * sizeof(closing->lanes[0]));
        if (more == NULL)
            return false;
        closing->lanes = more;
        closing->lane_capacity = capacity;
    }
    closing->lanes[closing->lane_count++] = (struct compared){ epoch, first, last, UINT64_MAX };
    return true;
}

static bool differ(struct punkt *punkt, uint64_t epoch, uint64_t number, bool missing_there,
                   const struct outbox_entry *entry)
{
    struct closing *closing = punkt->closing;
    if (closing->difference_count == closing->difference_capacity) {
        size_t capacity = closing->difference_capacity * 2 + 16;
        void *more =
            heap_resize(&punkt->heap, closing->differences, capacity * sizeof(closing->differences[0]));
        if (more == NULL)
            return false;
        closing->differences = more;
        void *pointers = heap_resize(&punkt->heap, closing->listed, capacity * sizeof(closing->listed[0]));
        if (pointers == NULL)
            return false;
        closing->listed = pointers;
        closing->difference_capacity = capacity;
    }
    closing->differences[closing->difference_count++] =
        (struct punkt_day_difference){ .size = sizeof(closing->differences[0]),
                                       .epoch = epoch,
                                       .number = number,
                                       .missing_there = missing_there,
                                       .operation = entry != NULL ? entry->operation : 0,
                                       .amount = entry != NULL ? entry->note.amount : 0 };
    return true;
}

/* The till goes on while it is compared, over another link: what came of that is not in the server's list yet. */
static bool is_newer(const struct punkt *punkt, const struct outbox_entry *entry)
{
    return entry->state != OUTBOX_OPEN && entry->result.at_us >= punkt->closing->asked_at_us;
}

/* A number, as both sides have it. What the till has forgotten, or is not answered yet, is no difference. */
static void compare_number(struct punkt *punkt, const struct compared *lane, uint64_t number, bool booked)
{
    const struct outbox_entry *entry = outbox_find(punkt->outbox, lane->epoch, number);
    if (entry != NULL && is_newer(punkt, entry))
        return;
    bool of_day = number >= lane->first && number <= lane->last && lane->last != 0;
    if (entry != NULL && entry->state != OUTBOX_OPEN && entry->operation != OPERATION_DAY_CLOSE) {
        bool here = entry->state == OUTBOX_DONE && !entry->result.tied;
        if (here != booked)
            (void)differ(punkt, lane->epoch, number, here, entry);
    } else if (entry == NULL && booked && of_day) {
        (void)differ(punkt, lane->epoch, number, false, NULL);
    }
}

static void ask_next_numbers(struct punkt *punkt, uint64_t first);

/* What it lacks of a lane that it has gone on with: it counts under a new number from now on. False: the disk refuses. */
static bool send_anew(struct punkt *punkt, struct outbox_entry *entry)
{
    struct outbox_result gone = { .at_us = wall_now_us(punkt), .result = PUNKT_RESULT_UNKNOWN_EVENT };
    struct outbox_entry *advice;
    if (queue_append_advice(punkt, entry, FRAME_FLAG_SERVER_LOST, 0, &advice) != PUNKT_CALL_DONE)
        return false;
    advice->unasked = true;
    outbox_reopen(punkt->outbox, entry);
    outbox_settle(punkt->outbox, entry, &gone);
    return true;
}

/* Ends of lanes go again under their old numbers, as after a server's loss: what refers to them finds them. */
static uint64_t send_what_is_missing(struct punkt *punkt)
{
    const struct closing *closing = punkt->closing;
    uint64_t sent = 0;
    for (size_t i = 0; i < closing->lane_count; i++)
        sent += queue_send_lost(punkt, closing->lanes[i].epoch, closing->lanes[i].lost_after);
    for (size_t i = 0; i < closing->difference_count; i++) {
        const struct punkt_day_difference *difference = &closing->differences[i];
        struct outbox_entry *entry = outbox_find(punkt->outbox, difference->epoch, difference->number);
        if (!difference->missing_there || entry == NULL || entry->state != OUTBOX_DONE)
            continue;
        if (!send_anew(punkt, entry))
            break;
        sent++;
    }
    return sent;
}

static void differences_known(struct punkt *punkt)
{
    struct closing *closing = punkt->closing;
    struct outbox_counts kept;
    bool again = closing->rounds < ROUNDS_MAX;
    outbox_counts(punkt->outbox, &kept);
    uint64_t sent = again ? send_what_is_missing(punkt) : 0;
    /* What is open was sold, or found to be lost, since the close was asked for. */
    if (sent == 0 && !(again && kept.open > 0)) {
        finish(punkt, PUNKT_CALL_DONE, PUNKT_CLOSE_DIFFERENT);
        return;
    }
    if (sent > 0)
        alarm_somebody(punkt, PUNKT_ALARM_SERVER_LOST,
                       "the server did not have %llu operations of the day; they are sent again",
                       (unsigned long long)sent);
    closing->answer.resent += sent;
    closing->difference_count = 0;
}

static void numbers_answered(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    const struct punkt_message_answer *raw = (const struct punkt_message_answer *)(const void *)answer;
    struct closing *closing = punkt->closing;
    struct msg_number_block blocks[128];
    struct message_memory memory = { .at = (uint8_t *)blocks, .left = sizeof(blocks) };
    struct msg_day_numbers_answer numbers;
    const char *field;
    (void)ctx;
    closing->asked = false;
    if (answer->call != PUNKT_CALL_DONE ||
        !message_decode(MESSAGE_day_numbers_answer, raw->body, raw->body_size, &memory, &numbers, &field)) {
        finish(punkt, PUNKT_CALL_DONE, PUNKT_CLOSE_DIFFERENT); /* the close itself was answered */
        return;
    }
    struct compared *lane = &closing->lanes[closing->lane];
    for (size_t i = 0; i < numbers.blocks_count; i++) {
        for (unsigned bit = 0; bit < BLOCK && numbers.blocks[i].first + bit <= numbers.last; bit++)
            compare_number(punkt, lane, numbers.blocks[i].first + bit,
                           (numbers.blocks[i].booked >> bit & 1U) != 0);
    }
    if (numbers.next > closing->asked_first) {
        ask_next_numbers(punkt, numbers.next);
        return;
    }
    /* What was answered here, and lies behind the server's last number, it lacks too. */
    for (struct outbox_entry *at = outbox_first(punkt->outbox); at != NULL; at = at->next) {
        if (at->epoch == lane->epoch && at->number > numbers.last && day_counts(at) && !is_newer(punkt, at) &&
            differ(punkt, at->epoch, at->number, true, at))
            lane->lost_after = numbers.last;
    }
    closing->lane++;
    ask_next_numbers(punkt, 0);
}

/* Of the lane that is at hand, from that number on; behind the last lane: goes on. */
static void ask_next_numbers(struct punkt *punkt, uint64_t first)
{
    struct closing *closing = punkt->closing;
    uint8_t body[32];
    struct wire_writer writer = wire_writer_over(body, sizeof(body));
    if (closing->lane == closing->lane_count) {
        differences_known(punkt);
        return;
    }
    struct msg_day_numbers_request numbers = { .epoch = closing->lanes[closing->lane].epoch, .first = first };
    message_encode(MESSAGE_day_numbers_request, &numbers, &writer);
    closing->asked_first = first;
    closing->asked_at_us = wall_now_us(punkt);
    struct punkt_message_request request = { .size = sizeof(request),
                                             .operation = OPERATION_DAY_NUMBERS,
                                             .body = body,
                                             .body_size = wire_written(&writer) };
    closing->asked = punkt_submit_message(punkt, &request, numbers_answered, NULL) == PUNKT_CALL_DONE;
    if (!closing->asked)
        finish(punkt, PUNKT_CALL_DONE, PUNKT_CLOSE_DIFFERENT);
}

/* --- closing --- */

static void take_figures(struct closing *closing, const struct msg_day_close_answer *from)
{
    closing->answer.position = from->position;
    closing->answer.close = from->number;
    closing->answer.late = from->late;
    closing->answer.journal_position = from->head_position;
    memcpy(closing->answer.journal_head, from->head, sizeof(closing->answer.journal_head));
    closing->there = (struct punkt_day_figures){ .size = sizeof(closing->there),
                                                 .purchases = from->purchases,
                                                 .purchase_amount = from->purchase_amount,
                                                 .earned = from->earned,
                                                 .returns = from->returns,
                                                 .return_amount = from->return_amount,
                                                 .returned = from->returned,
                                                 .redemptions = from->redemptions,
                                                 .redeemed = from->redeemed,
                                                 .redeemed_worth = from->redeemed_worth,
                                                 .reversals = from->reversals,
                                                 .hash = from->hash };
}

static void compare(struct punkt *punkt, const struct msg_day_close_answer *from)
{
    struct closing *closing = punkt->closing;
    closing->lane_count = 0;
    closing->lane = 0;
    closing->difference_count = 0;
    for (size_t i = 0; i < from->lanes_count; i++)
        (void)lane_listed(punkt, from->lanes[i].epoch, from->lanes[i].first, from->lanes[i].last);
    for (const struct outbox_entry *at = outbox_first(punkt->outbox); at != NULL; at = at->next) {
        if (at->note.business_date == closing->business_date)
            (void)lane_listed(punkt, at->epoch, 0, 0);
    }
    ask_next_numbers(punkt, 0);
}

static void close_answered(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    const struct punkt_message_answer *raw = (const struct punkt_message_answer *)(const void *)answer;
    struct closing *closing = punkt->closing;
    struct msg_lane_range lanes[16];
    struct message_memory memory = { .at = (uint8_t *)lanes, .left = sizeof(lanes) };
    struct msg_day_close_answer close;
    const char *field;
    (void)ctx;
    closing->asked = false;
    if (answer->call != PUNKT_CALL_DONE ||
        !message_decode(MESSAGE_day_close_answer, raw->body, raw->body_size, &memory, &close, &field)) {
        finish_refused(punkt, answer);
        return;
    }
    take_figures(closing, &close);
    if (close.state == PUNKT_CLOSE_DIFFERENT) {
        compare(punkt, &close);
        return;
    }
    if (close.state == PUNKT_CLOSE_BALANCED) {
        /* Without a disk it is remembered as open, and only kept for longer. */
        (void)outbox_close_day(punkt->outbox, closing->business_date);
        (void)outbox_compact(punkt->outbox, wall_now_us(punkt), false);
    }
    finish(punkt, PUNKT_CALL_DONE, (enum punkt_close_state)close.state);
}

static void ask_close(struct punkt *punkt, uint64_t queued)
{
    struct closing *closing = punkt->closing;
    uint8_t body[256];
    struct wire_writer writer = wire_writer_over(body, sizeof(body));
    struct msg_day_close_request close;
    message_init(MESSAGE_day_close_request, &close);
    day_figures(punkt, closing->business_date, &closing->here);
    (void)wire_code_from(punkt->store, strlen(punkt->store), &close.store);
    (void)wire_code_from(punkt->till, strlen(punkt->till), &close.till);
    (void)wire_code_from(closing->operator_, strlen(closing->operator_), &close.operator);
    close.date = (uint64_t)closing->business_date;
    close.purchases = closing->here.purchases;
    close.purchase_amount = closing->here.purchase_amount;
    close.returns = closing->here.returns;
    close.return_amount = closing->here.return_amount;
    close.reversals = closing->here.reversals;
    close.hash = closing->here.hash;
    close.queued = queued;
    message_encode(MESSAGE_day_close_request, &close, &writer);
    struct punkt_message_request request = { .size = sizeof(request),
                                             .timeout_ms = CLOSE_MS,
                                             .operation = OPERATION_DAY_CLOSE,
                                             .body = body,
                                             .body_size = wire_written(&writer) };
    closing->rounds++;
    closing->asked = punkt_submit_message(punkt, &request, close_answered, NULL) == PUNKT_CALL_DONE;
    if (!closing->asked)
        finish_unreached(punkt);
}

/* Whether it is time for the close itself: all was sent, or cannot be in time. */
static bool close_due(const struct punkt *punkt, const struct closing *closing, uint64_t now_us,
                      uint64_t *out_open)
{
    struct outbox_counts kept;
    outbox_counts(punkt->outbox, &kept);
    *out_open = kept.open;
    /* A lane that is not checked yet may have something that the server has lost. */
    return (kept.open == 0 && punkt->live.ready && punkt->check_count == 0) ||
           now_us + (uint64_t)CLOSE_MS * 1000 >= closing->deadline_us;
}

bool day_is_closing(const struct punkt *punkt)
{
    return punkt->closing != NULL && punkt->closing->on_done != NULL;
}

static bool is_active(const struct closing *closing)
{
    return closing != NULL && closing->on_done != NULL && !closing->asked;
}

void day_step(struct punkt *punkt, uint64_t now_us)
{
    struct closing *closing = punkt->closing;
    uint64_t open;
    if (!is_active(closing) || punkt->stop)
        return;
    if (close_due(punkt, closing, now_us, &open))
        ask_close(punkt, open);
    else if (queue_link_down(punkt) && now_us >= closing->reach_us)
        finish_unreached(punkt);
    else if (queue_link_down(punkt)) {
        link_hurry(&punkt->live.link, now_us);
        link_hurry(&punkt->queue.link, now_us);
    }
}

uint64_t day_due_us(const struct punkt *punkt, uint64_t now_us)
{
    const struct closing *closing = punkt->closing;
    uint64_t open;
    if (!is_active(closing))
        return UINT64_MAX;
    if (close_due(punkt, closing, now_us, &open))
        return now_us;
    uint64_t last_us = closing->deadline_us - (uint64_t)CLOSE_MS * 1000;
    bool seeking = queue_link_down(punkt) && closing->reach_us < last_us;
    return seeking ? closing->reach_us : last_us;
}

/* --- the calls --- */

static enum punkt_call begin(struct punkt *punkt, const struct punkt_close_day_request *given,
                             punkt_done_fn *on_done, void *ctx)
{
    struct punkt_close_day_request request = { .size = 0 };
    struct wire_code code;
    const char *wrong = NULL;
    punkt->trouble[0] = '\0';
    if (punkt->outbox == NULL)
        wrong = "a day is closed by a handle with an outbox";
    else if (day_is_closing(punkt))
        wrong = "a day is being closed already";
    else if (given != NULL && given->size < sizeof(struct request_head))
        wrong = "size of the request is too small";
    else if (given != NULL && size_has_unknown(given, given->size, sizeof(request)))
        wrong = "the request has a field that this version of libpunkt does not know";
    if (wrong == NULL && given != NULL)
        size_copy(given, given->size, &request, sizeof(request));
    if (wrong == NULL && (request.business_date < 0 || request.business_date > MESSAGE_DAY_MAX))
        wrong = "business date: from 1970 to 9999";
    if (wrong == NULL && request.business_date > local_day_of(wall_now_us(punkt)) + 1)
        wrong = "business date: it has not begun anywhere yet";
    if (wrong == NULL && request.operator_ != NULL && *request.operator_ != '\0' &&
        (strnlen(request.operator_, sizeof(code.bytes) + 1) > sizeof(code.bytes) ||
         !wire_code_from(request.operator_, strlen(request.operator_), &code)))
        wrong = "operator: 1 to 32 bytes";
    if (wrong != NULL) {
        say_trouble(punkt, wrong);
        return PUNKT_CALL_INVALID;
    }
    if (!punkt->in_callback)
        day_forget(punkt);
    else if (punkt->closing != NULL)
        forget(punkt, &punkt->closing->before);
    struct closing *closing = heap_take(&punkt->heap, sizeof(*closing));
    if (closing == NULL)
        return PUNKT_CALL_NO_MEMORY;
    closing->before = punkt->closing;
    punkt->closing = closing;
    closing->business_date =
        request.business_date != 0 ? request.business_date : local_day_of(wall_now_us(punkt));
    (void)snprintf(closing->operator_, sizeof(closing->operator_), "%s",
                   request.operator_ != NULL ? request.operator_ : "");
    closing->deadline_us =
        link_now_us() + (uint64_t)(request.timeout_ms != 0 ? request.timeout_ms : TIMEOUT_DEFAULT_MS) * 1000;
    closing->reach_us = link_now_us() + (uint64_t)REACH_MS * 1000;
    closing->on_done = on_done;
    closing->ctx = ctx;
    punkt->live.wanted = true;
    link_hurry(&punkt->queue.link, link_now_us());
    link_hurry(&punkt->live.link, link_now_us());
    return PUNKT_CALL_DONE;
}

enum punkt_call punkt_submit_close_day(struct punkt *punkt, const struct punkt_close_day_request *request,
                                       punkt_done_fn *on_done, void *ctx)
{
    if (on_done == NULL) {
        say_trouble(punkt, "a request needs a callback");
        return PUNKT_CALL_INVALID;
    }
    return begin(punkt, request, on_done, ctx);
}

enum punkt_call punkt_close_day(struct punkt *punkt, const struct punkt_close_day_request *request,
                                struct punkt_close_day_answer *out_answer)
{
    struct waiting waiting = { .out = out_answer != NULL ? &out_answer->head : NULL };
    if (!wait_allowed(punkt, waiting.out))
        return end_call(punkt, NULL, PUNKT_CALL_INVALID, waiting.out);
    enum punkt_call begun = begin(punkt, request, wait_collect, &waiting);
    if (begun != PUNKT_CALL_DONE)
        return end_call(punkt, NULL, begun, waiting.out);
    return wait_for(punkt, &waiting);
}
