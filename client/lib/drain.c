/* The queue's way to the server: which lane is drained, what is sent, what its answers mean, who is told. */
#include <string.h>

#include "lib/client.h"
#include "proto/frame.h"
#include "proto/message.h"

#define STUCK_REFUSALS 6 /* then somebody is told */
#define FLUSH_PAUSE_US (UINT64_C(1000) * 1000)

/* --- which lane --- */

/* Whether the queue's session has to send it: all that is open, but for what the live session has in hand. */
static bool to_be_drained(const struct punkt *punkt, const struct outbox_entry *entry)
{
    return entry->state == OUTBOX_OPEN &&
           (entry->reopened || entry->epoch != outbox_epoch(punkt->outbox, OUTBOX_LANE_LIVE));
}

static struct outbox_entry *first_to_drain(const struct punkt *punkt, struct outbox_entry *from,
                                           const uint64_t *epoch)
{
    struct outbox_entry *entry = from;
    while (entry != NULL && (!to_be_drained(punkt, entry) || (epoch != NULL && entry->epoch != *epoch)))
        entry = entry->next;
    return entry;
}

/* The first number of a lane that nothing is remembered of. */
static uint64_t lane_end(const struct punkt *punkt, uint64_t epoch)
{
    uint64_t last = 0;
    for (const struct outbox_entry *at = outbox_first(punkt->outbox); at != NULL; at = at->next) {
        if (at->epoch == epoch && at->number > last)
            last = at->number;
    }
    return last + 1;
}

static void use_lane(struct punkt *punkt, uint64_t epoch, uint64_t now_us)
{
    punkt->feed = first_to_drain(punkt, outbox_first(punkt->outbox), &epoch);
    uint64_t next = punkt->feed != NULL ? punkt->feed->number : lane_end(punkt, epoch);
    if (epoch != punkt->queue.epoch)
        session_use_lane(&punkt->queue, epoch, next, now_us);
    else
        punkt->queue.next_number = next;
}

/* Whether anything but our own lane has to be drained. */
static bool others_to_drain(const struct punkt *punkt)
{
    uint64_t own = outbox_epoch(punkt->outbox, OUTBOX_LANE_QUEUE);
    const struct outbox_entry *entry = outbox_first(punkt->outbox);
    while (entry != NULL && (entry->epoch == own || !to_be_drained(punkt, entry)))
        entry = entry->next;
    return entry != NULL;
}

/* When the lane that was drained has nothing more: lanes to be checked, what earlier handles left, our own. */
static void choose_lane(struct punkt *punkt, uint64_t now_us)
{
    uint64_t own = outbox_epoch(punkt->outbox, OUTBOX_LANE_QUEUE);
    uint64_t epoch = own;
    bool leftovers = punkt->leftovers;
    if (punkt->queue.order_count > 0 || punkt->feed != NULL)
        return;
    if (punkt->check_count > 0) {
        epoch = punkt->to_check[0];
    } else if (leftovers) {
        const struct outbox_entry *entry = first_to_drain(punkt, outbox_first(punkt->outbox), NULL);
        punkt->leftovers = others_to_drain(punkt);
        epoch = entry != NULL ? entry->epoch : own;
    }
    bool same = epoch == punkt->queue.epoch;
    if (!same || leftovers)
        use_lane(punkt, epoch, now_us);
    if (same && punkt->check_count > 0 && punkt->feed == NULL && punkt->queue.ready)
        session_use_lane(&punkt->queue, epoch, punkt->queue.next_number,
                         now_us); /* its last HELLO was before the new term */
    punkt->queue.wanted = punkt->check_count > 0;
}

/* --- sending --- */

static void queue_answered(struct punkt *punkt, const struct punkt_answer *answer, void *ctx);

static bool feed_one(struct punkt *punkt, struct outbox_entry *entry)
{
    struct slot *slot = slot_take(&punkt->queue);
    const struct waiter *waiter = entry->waiter;
    uint8_t header[FRAME_HEADER_SIZE] = { 0 };
    if (slot == NULL)
        return false;
    bool secret = waiter != NULL && buffer_size(&waiter->secret) > 0;
    buffer_clear(&slot->frame);
    if (secret)
        buffer_mark_secret(&slot->frame);
    if (!buffer_append(&slot->frame, header, sizeof(header)) ||
        (secret &&
         !buffer_append(&slot->frame, buffer_data(&waiter->secret), buffer_size(&waiter->secret))) ||
        !outbox_body(punkt->outbox, entry, &slot->frame)) {
        buffer_clear(&slot->frame);
        return false;
    }
    slot->call = call_of(entry->operation);
    slot->operation = entry->operation;
    slot->flags = (uint16_t)(entry->flags | entry->resend_flags | (secret ? FRAME_FLAG_SECRET : 0));
    slot->change = true;
    slot->deadline_us = UINT64_MAX;
    slot->on_done = queue_answered;
    slot->ctx = entry;
    slot_add(&punkt->queue, slot);
    slot->number = entry->number;
    slot->entry = entry;
    slot->keeper = true;
    slot->in_doubt = true;
    return true;
}

void queue_feed(struct punkt *punkt, uint64_t now_us)
{
    choose_lane(punkt, now_us);
    while (punkt->feed != NULL && now_us >= punkt->feed_us &&
           punkt->queue.order_count < punkt->queue.window) {
        if (!feed_one(punkt, punkt->feed)) {
            if (punkt->feed_us == 0)
                alarm_somebody(punkt, PUNKT_ALARM_OUTBOX_FAILED, "what is queued cannot be read back: %s",
                               outbox_trouble(punkt->outbox));
            punkt->feed_us = now_us + FLUSH_PAUSE_US;
            return;
        }
        punkt->feed_us = 0;
        punkt->feed = first_to_drain(punkt, punkt->feed->next, &punkt->queue.epoch);
    }
}

/* --- a server that has lost something --- */

static void reopen(struct outbox *outbox, struct outbox_entry *entry)
{
    entry->resend_flags = FRAME_FLAG_SERVER_LOST;
    if (entry->state == OUTBOX_DONE)
        entry->resend_flags |= FRAME_FLAG_ADVICE;
    entry->reopened = true;
    entry->unsettled = false;
    outbox_reopen(outbox, entry);
}

/* What is under way on the queue's session goes back to the outbox: earlier numbers must be sent first. */
static void take_back(struct punkt *punkt)
{
    while (punkt->queue.order_count > 0)
        slot_remove(&punkt->queue, punkt->queue.order[0], SLOT_FREE);
}

/* What was answered of a lane behind the last number that the server has; how many. */
static uint64_t reopen_lost(struct punkt *punkt, uint64_t epoch, uint64_t last_booked)
{
    uint64_t lost = 0;
    for (struct outbox_entry *at = outbox_first(punkt->outbox); at != NULL; at = at->next) {
        /* A number that was only malformed, or in conflict, no server remembers. */
        if (at->epoch == epoch && at->number > last_booked &&
            (at->state == OUTBOX_DONE || at->state == OUTBOX_REFUSED))
            lost++;
    }
    for (struct outbox_entry *at = outbox_first(punkt->outbox); at != NULL && lost > 0; at = at->next) {
        if (at->epoch == epoch && at->number > last_booked && at->state != OUTBOX_OPEN)
            reopen(punkt->outbox, at);
    }
    return lost;
}

uint64_t queue_send_lost(struct punkt *punkt, uint64_t epoch, uint64_t last_booked)
{
    uint64_t lost = reopen_lost(punkt, epoch, last_booked);
    if (lost > 0)
        punkt->leftovers = true;
    if (lost > 0 && epoch == punkt->queue.epoch) {
        take_back(punkt);
        punkt->feed = NULL;
    }
    return lost;
}

void queue_hello(struct session *session, uint64_t last_booked, uint64_t now_us)
{
    struct punkt *punkt = session->punkt;
    size_t left = 0;
    for (size_t i = 0; i < punkt->check_count; i++) {
        if (punkt->to_check[i] != session->epoch)
            punkt->to_check[left++] = punkt->to_check[i];
    }
    punkt->check_count = left;
    uint64_t lost = reopen_lost(punkt, session->epoch, last_booked);
    if (lost > 0) {
        punkt->leftovers = true;
        alarm_somebody(punkt, PUNKT_ALARM_SERVER_LOST,
                       "the server has lost %llu operations that it had answered; they are sent again",
                       (unsigned long long)lost);
    }
    if (session == &punkt->queue && lost > 0) {
        take_back(punkt);
        use_lane(punkt, session->epoch, now_us);
    } else if (session == &punkt->live && lane_first_unanswered(session) < session->hello_first) {
        /* What was lost goes over the queue's session. Until it is there, the server must not go on behind it. */
        session_use_lane(session, session->epoch, session->next_number, now_us);
    }
}

void queue_check_lanes(struct punkt *punkt)
{
    size_t capacity = 0;
    punkt->check_count = 0;
    for (const struct outbox_entry *at = outbox_first(punkt->outbox); at != NULL; at = at->next) {
        bool listed = false;
        for (size_t i = punkt->check_count; i-- > 0 && !listed;)
            listed = punkt->to_check[i] == at->epoch;
        if (listed)
            continue;
        if (punkt->check_count == capacity) {
            capacity = capacity * 2 + 16;
            uint64_t *more =
                heap_resize(&punkt->heap, punkt->to_check, capacity * sizeof(punkt->to_check[0]));
            if (more == NULL)
                return; /* the newest lanes are checked by their own HELLO anyway */
            punkt->to_check = more;
        }
        punkt->to_check[punkt->check_count++] = at->epoch;
    }
}

/* --- what answers mean --- */

/* What nobody can book, however often it is sent. */
static bool hopeless(uint32_t code)
{
    return code == PUNKT_RESULT_MALFORMED || code == PUNKT_RESULT_CONFLICT ||
           code == PUNKT_RESULT_FRAME_TOO_LARGE || code == PUNKT_RESULT_UNKNOWN_OPERATION ||
           code == PUNKT_RESULT_VERSION;
}

static void bury(struct punkt *punkt, struct outbox_entry *entry, const struct outbox_result *result)
{
    (void)outbox_bury(punkt->outbox, entry, result); /* without a disk it is found out again */
    alarm_somebody(punkt, PUNKT_ALARM_DEAD, "%s %016llx:%llu can never be booked: %s",
                   punkt_operation_name(entry->operation), (unsigned long long)entry->epoch,
                   (unsigned long long)entry->number, punkt_result_text(result->result));
}

static bool spends(uint16_t operation)
{
    return operation == OPERATION_REDEEM || operation == OPERATION_HOLD || operation == OPERATION_CAPTURE;
}

/*
 * Whether the caller will count on what is told, so that it must be on the disk first: the next handle takes what has no
 * answer there for unheard, and would cancel what was spent, or send as an advice what was refused.
 */
static bool must_be_stored(const struct outbox_entry *entry, const struct outbox_result *result)
{
    if (result->result != 0)
        return queue_of_goods(entry->operation) && entry->waiter != NULL;
    return entry->lane == OUTBOX_LANE_LIVE && spends(entry->operation);
}

void queue_note_answer(struct punkt *punkt, struct outbox_entry *entry)
{
    struct outbox_result result = queue_result_of(punkt, entry->operation);
    if (result.balance_known)
        balances_see(&punkt->balances, entry->note.card, result.available, result.at_us);
    if (hopeless(result.result))
        bury(punkt, entry, &result);
    else
        outbox_settle(punkt->outbox, entry, &result);
    if (!must_be_stored(entry, &result) || outbox_flush(punkt->outbox) == OUTBOX_OK)
        return;
    alarm_somebody(punkt, PUNKT_ALARM_OUTBOX_FAILED, "what was answered cannot be stored: %s",
                   outbox_trouble(punkt->outbox));
    punkt->alarmed_failed = true;
}

void queue_tell_settled(struct punkt *punkt, struct outbox_entry *entry)
{
    punkt->answer.head.epoch = entry->epoch;
    punkt->answer.head.number = entry->number;
    if (punkt->on_settled != NULL && !entry->reopened && !entry->unasked)
        tell(punkt, punkt->on_settled, punkt->ctx);
}

/* Whether it is sent as an advice, or was sent again as one. */
static bool is_advice(const struct outbox_entry *entry)
{
    return ((entry->flags | entry->resend_flags) & FRAME_FLAG_ADVICE) != 0;
}

/* Whether goods changed hands though the server refuses: their caller was told QUEUED, whoever waits for them now. */
static bool has_happened(const struct outbox_entry *entry)
{
    const struct waiter *waiter = entry->waiter;
    return queue_of_goods(entry->operation) && !is_advice(entry) && !entry->cancelled && !entry->reopened &&
           (waiter == NULL || waiter->again);
}

/* The disk refuses what would follow from its answer. */
static void ask_again(struct punkt *punkt, struct outbox_entry *entry)
{
    session_drop(&punkt->queue, link_now_us(), "the outbox cannot be written");
    take_back(punkt);
    punkt->feed = entry;
}

/* A refusal of what has happened: it goes on as an advice. Without a disk it is asked for again. */
static void advise(struct punkt *punkt, struct outbox_entry *entry, const struct outbox_result *result)
{
    struct waiter *waiter = entry->waiter;
    struct outbox_entry *advice;
    if (queue_append_advice(punkt, entry, 0, 0, &advice) != PUNKT_CALL_DONE) {
        ask_again(punkt, entry);
        return;
    }
    outbox_settle(punkt->outbox, entry, result);
    entry->waiter = NULL;
    advice->waiter = waiter;
    if (waiter != NULL)
        waiter->entry = advice;
}

/* A refusal that nobody waits for, of what needs no advice. */
static void refused_unheard(struct punkt *punkt, struct outbox_entry *entry,
                            const struct outbox_result *result)
{
    if (is_advice(entry) ||
        (entry->operation == OPERATION_REVERSAL && result->result != PUNKT_RESULT_CANNOT_BE_REVERSED))
        bury(punkt, entry, result);
    else
        outbox_settle(punkt->outbox, entry, result);
}

/*
 * A server that lost its refusal has booked it now: a card was to give what nobody got anything for. What was sent again
 * as an advice is tied to it, and stays.
 */
static bool must_be_undone(const struct outbox_entry *entry)
{
    bool was_refused = entry->reopened && (entry->resend_flags & FRAME_FLAG_ADVICE) == 0;
    return was_refused && !entry->cancelled && (queue_of_goods(entry->operation) || spends(entry->operation));
}

/* Its answer came, to whoever waits for it. */
static void queue_answered(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    struct outbox_entry *entry = ctx;
    struct waiter *waiter = entry->waiter;
    bool refused = answer->call != PUNKT_CALL_DONE && !hopeless(answer->code);
    struct outbox_result result = queue_result_of(punkt, entry->operation);
    if (answer->call == PUNKT_CALL_DONE && must_be_undone(entry) &&
        queue_append_reversal(punkt, entry) != PUNKT_CALL_DONE) {
        ask_again(punkt, entry);
        return;
    }
    if (refused && has_happened(entry)) {
        advise(punkt, entry, &result);
        return;
    }
    if (refused && waiter == NULL)
        refused_unheard(punkt, entry, &result);
    else
        queue_note_answer(punkt, entry);
    if (waiter == NULL) {
        queue_tell_settled(punkt, entry);
        return;
    }
    punkt_done_fn *on_done = waiter->on_done;
    void *waiter_ctx = waiter->ctx;
    session_answer_as(punkt, waiter->call);
    if (answer->call == PUNKT_CALL_DONE)
        queue_end_holds(punkt, &waiter->note);
    queue_waiter_give(punkt, waiter);
    tell(punkt, on_done, waiter_ctx);
}

/* --- those whose time is up --- */

static void tell_offline_text(struct punkt *punkt, const struct waiter *waiter, uint32_t operation)
{
    union any_answer *answer = &punkt->answer;
    if (waiter->call->fill == NULL)
        return; /* of punkt_message: it has bytes, and there are none */
    if (operation == OPERATION_PURCHASE) {
        answer->purchase_.redeemed = waiter->granted + waiter->held;
        answer->purchase_.paid = waiter->granted_worth + waiter->held_worth;
        answer->purchase_.text = punkt->offline_lines;
        answer->purchase_.text_count = punkt->offline_line_count;
    } else if (operation == OPERATION_REDEEM) {
        answer->redeem_.redeemed = waiter->granted;
        answer->redeem_.worth = waiter->granted_worth;
    } else if (operation == OPERATION_RETURN || operation == OPERATION_UNLINKED_RETURN) {
        answer->any_return.text = punkt->offline_lines;
        answer->any_return.text_count = punkt->offline_line_count;
    }
}

static void tell_waiter(struct punkt *punkt, struct waiter *waiter, uint16_t operation)
{
    const struct outbox_entry *entry = waiter->entry;
    punkt_done_fn *on_done = waiter->on_done;
    void *ctx = waiter->ctx;
    call_head(waiter->call, operation, entry != NULL ? PUNKT_CALL_QUEUED : PUNKT_CALL_REFUSED,
              &punkt->answer);
    if (entry != NULL) {
        punkt->answer.head.epoch = entry->epoch;
        punkt->answer.head.number = entry->number;
        punkt->answer.head.detail = punkt->queue.link.trouble;
        tell_offline_text(punkt, waiter, operation);
    } else {
        call_head_code(&punkt->answer.head, PUNKT_RESULT_OFFLINE);
        punkt->answer.head.detail = offline_verdict_text(waiter->verdict);
        punkt->answer.head.needed = waiter->note.points;
        punkt->answer.head.available = waiter->left;
    }
    queue_waiter_give(punkt, waiter);
    tell(punkt, on_done, ctx);
}

/*
 * It redeems, was sent while the link seemed good, and has no answer in time. Whatever becomes of it is undone, and it is
 * decided again by the offline rules, as an advice of its own.
 */
static void decide_offline(struct punkt *punkt, struct waiter *waiter)
{
    struct outbox_entry *original = waiter->entry, *advice = NULL;
    if (queue_append_reversal(punkt, original) != PUNKT_CALL_DONE)
        return; /* QUEUED, with nothing redeemed: the register has to cancel it */
    original->unasked = true;
    waiter->verdict = queue_grant(punkt, &waiter->note, waiter);
    if (waiter->verdict == OFFLINE_GRANTED &&
        queue_append_advice(punkt, original, FRAME_FLAG_OFFLINE, waiter->granted, &advice) !=
            PUNKT_CALL_DONE) {
        waiter->verdict = OFFLINE_OFF;
        waiter->granted = 0;
    }
    original->waiter = NULL;
    waiter->entry = advice;
    if (advice == NULL)
        return;
    advice->waiter = waiter;
    queue_end_holds(punkt, &waiter->note);
}

static void expire_waiters(struct punkt *punkt, uint64_t now_us)
{
    bool down = queue_link_down(punkt);
    bool late = false;
    for (unsigned i = 0; i < PUNKT_WINDOW_MAX && !punkt->stop; i++) {
        struct waiter *waiter = &punkt->waiters[i];
        if (waiter->on_done == NULL || (waiter->entry != NULL && !down && now_us < waiter->deadline_us))
            continue;
        late |= waiter->entry != NULL && !down;
        uint16_t operation = waiter->entry != NULL ? waiter->entry->operation : (uint16_t)waiter->operation;
        if (waiter->entry != NULL && waiter->granted == 0 && queue_redeems(&waiter->note) &&
            (waiter->entry->flags & FRAME_FLAG_ADVICE) == 0 && !waiter->again)
            decide_offline(punkt, waiter);
        tell_waiter(punkt, waiter, operation);
    }
    if (late)
        session_doubt_link(&punkt->queue, now_us);
}

/*
 * The lane has a hole: damage took numbers that no server passes over. What is left of it goes on in our own lane, goods
 * as advices.
 */
static void leave_lane(struct punkt *punkt)
{
    uint64_t epoch = punkt->queue.epoch;
    take_back(punkt);
    punkt->feed = NULL;
    punkt->leftovers = true;
    for (struct outbox_entry *at = outbox_first(punkt->outbox); at != NULL; at = at->next) {
        struct outbox_entry *advice;
        struct outbox_result left = { .at_us = wall_now_us(punkt), .result = PUNKT_RESULT_OUT_OF_ORDER };
        if (at->epoch != epoch || at->state != OUTBOX_OPEN)
            continue;
        if (queue_append_advice(punkt, at, 0, 0, &advice) != PUNKT_CALL_DONE)
            return; /* the disk refuses: tried again when the lane is stuck again */
        outbox_settle(punkt->outbox, at, &left);
    }
}

/* Whether the first in the session's order waits for a number that is not here any more. */
static bool lane_has_hole(const struct punkt *punkt)
{
    const struct slot *first = punkt->queue.order_count > 0 ? punkt->queue.order[0] : NULL;
    return first != NULL && first->refusal_code == PUNKT_RESULT_OUT_OF_ORDER && first->number > 1 &&
           punkt->queue.epoch != outbox_epoch(punkt->outbox, OUTBOX_LANE_QUEUE) &&
           outbox_find(punkt->outbox, punkt->queue.epoch, first->number - 1) == NULL;
}

/* The server waits for a number that has its answer: it does not remember those that it could not read. HELLO tells it. */
static bool server_is_behind(const struct punkt *punkt)
{
    return punkt->queue.order_count > 0 && punkt->queue.order[0]->refusal_code == PUNKT_RESULT_OUT_OF_ORDER;
}

static void complain_if_stuck(struct punkt *punkt, uint64_t now_us)
{
    bool stuck = punkt->queue.lane_refusals >= STUCK_REFUSALS, before = punkt->alarmed_stuck;
    if (stuck && !punkt->alarmed_stuck)
        alarm_somebody(punkt, PUNKT_ALARM_STUCK,
                       "the server has put off the oldest queued operation %u times",
                       punkt->queue.lane_refusals);
    punkt->alarmed_stuck = stuck;
    if (stuck && lane_has_hole(punkt))
        leave_lane(punkt);
    else if (stuck && !before && server_is_behind(punkt))
        session_drop(&punkt->queue, now_us, "it waits for a number that it has answered");
}

/* What the server had lost must be there again before that is forgotten, for only in memory it is known to be lost. */
static void note_checked(struct punkt *punkt)
{
    struct outbox_counts counts;
    if (punkt->checking_term <= punkt->checked_term || punkt->check_count > 0)
        return;
    outbox_counts(punkt->outbox, &counts);
    if (counts.reopened == 0)
        known_checked(punkt);
}

void queue_settle(struct punkt *punkt, uint64_t now_us)
{
    expire_waiters(punkt, now_us);
    complain_if_stuck(punkt, now_us);
    note_checked(punkt);
    /* Somebody's answer has come: it is not kept waiting for the disk. */
    if (punkt->stop || now_us < punkt->flush_us)
        return;
    punkt->flush_us = 0;
    if (outbox_flush(punkt->outbox) != OUTBOX_OK)
        punkt->flush_us = now_us + FLUSH_PAUSE_US;
}

uint64_t queue_due_us(const struct punkt *punkt, uint64_t now_us)
{
    uint64_t due_us = UINT64_MAX;
    bool down = queue_link_down(punkt);
    struct outbox_counts counts;
    outbox_counts(punkt->outbox, &counts);
    if (counts.unsettled > 0)
        due_us = punkt->flush_us;
    /* The lane that was wanted for a check has had its HELLO: it is the next one's turn, and no byte will wake us. */
    if (punkt->feed == NULL && (punkt->leftovers || punkt->check_count > 0) &&
        punkt->queue.order_count == 0 && (punkt->queue.ready || !punkt->queue.wanted))
        return now_us;
    if (punkt->feed != NULL && punkt->queue.order_count < punkt->queue.window) {
        if (punkt->feed_us <= now_us)
            return now_us;
        due_us = punkt->feed_us < due_us ? punkt->feed_us : due_us;
    }
    for (unsigned i = 0; i < PUNKT_WINDOW_MAX; i++) {
        const struct waiter *waiter = &punkt->waiters[i];
        if (waiter->on_done == NULL)
            continue;
        if (down || waiter->entry == NULL)
            return now_us;
        if (waiter->deadline_us < due_us)
            due_us = waiter->deadline_us;
    }
    return due_us;
}

/* --- an earlier handle --- */

void queue_open(struct punkt *punkt)
{
    uint64_t own = outbox_epoch(punkt->outbox, OUTBOX_LANE_QUEUE);
    for (struct outbox_entry *at = outbox_first(punkt->outbox); at != NULL; at = at->next) {
        queue_mark_replaced(punkt, &at->note);
        if (at->state == OUTBOX_OPEN)
            punkt->leftovers = true;
        else if (at->result.balance_known)
            balances_see(&punkt->balances, at->note.card, at->result.available, at->result.at_us);
    }
    /* Nobody can have counted on what was never answered: the till that asked for it died. */
    for (struct outbox_entry *at = outbox_first(punkt->outbox); at != NULL && at->epoch != own;
         at = at->next) {
        if (at->state == OUTBOX_OPEN && at->lane == OUTBOX_LANE_LIVE && spends(at->operation) &&
            !at->cancelled)
            (void)queue_append_reversal(punkt, at); /* without a disk: at the next opening */
    }
}
