#include "lib/queue.h"

#include <string.h>

#include "lib/client.h"
#include "proto/frame.h"
#include "proto/message.h"

/* --- lanes --- */

bool queue_of_goods(uint16_t operation)
{
    return operation == OPERATION_PURCHASE || operation == OPERATION_RETURN ||
           operation == OPERATION_UNLINKED_RETURN;
}

/* LEDGER.md, Who sends: a reversal goes in its original's lane. That of an earlier handle is drained before ours begins. */
static enum outbox_lane lane_of(const struct punkt *punkt, uint16_t operation, uint32_t flags,
                                const struct build_note *note)
{
    if (queue_of_goods(operation) || (flags & FRAME_FLAG_ADVICE) != 0)
        return OUTBOX_LANE_QUEUE;
    if (operation == OPERATION_REVERSAL)
        return note->epoch == outbox_epoch(punkt->outbox, OUTBOX_LANE_LIVE) ? OUTBOX_LANE_LIVE
                                                                            : OUTBOX_LANE_QUEUE;
    return OUTBOX_LANE_LIVE;
}

bool queue_link_down(const struct punkt *punkt)
{
    return !punkt->live.ready && !punkt->queue.ready &&
           (session_down(&punkt->live) || session_down(&punkt->queue));
}

/* --- appending --- */

static enum punkt_call append_failed(struct punkt *punkt, enum outbox_status status)
{
    bool full = status == OUTBOX_FULL;
    bool *alarmed = full ? &punkt->alarmed_full : &punkt->alarmed_failed;
    say_trouble(punkt, outbox_trouble(punkt->outbox));
    if (status == OUTBOX_NO_MEMORY)
        return PUNKT_CALL_NO_MEMORY;
    if (!*alarmed)
        alarm_somebody(punkt, full ? PUNKT_ALARM_OUTBOX_FULL : PUNKT_ALARM_OUTBOX_FAILED, "%s",
                       punkt->trouble);
    *alarmed = true;
    return PUNKT_CALL_NOT_STORED;
}

void queue_mark_replaced(struct punkt *punkt, const struct outbox_note *note)
{
    struct outbox_entry *original = NULL;
    if (note->replaces_number != 0)
        original = outbox_find(punkt->outbox, note->replaces_epoch, note->replaces_number);
    if (original != NULL)
        original->cancelled = true;
}

static enum punkt_call append(struct punkt *punkt, enum outbox_lane lane, uint16_t operation, uint16_t flags,
                              const void *body, size_t size, const struct outbox_note *note,
                              struct outbox_entry **out)
{
    enum outbox_status status = outbox_append(punkt->outbox, lane, operation, flags, body, size, note, out);
    if (status != OUTBOX_OK)
        return append_failed(punkt, status);
    punkt->alarmed_full = false;
    punkt->alarmed_failed = false;
    queue_mark_replaced(punkt, note);
    if (lane != OUTBOX_LANE_QUEUE)
        return PUNKT_CALL_DONE;
    if ((*out)->epoch != punkt->queue.epoch)
        punkt->leftovers = true;                       /* another lane is being drained: come back to ours */
    else if (punkt->feed == NULL && !punkt->leftovers) /* what is older goes first */
        punkt->feed = *out;
    return PUNKT_CALL_DONE;
}

/* The same bytes again, as an advice. */
enum punkt_call queue_append_advice(struct punkt *punkt, const struct outbox_entry *original, uint16_t flags,
                                    int64_t offline_points, struct outbox_entry **out)
{
    struct outbox_note note = original->note;
    note.replaces_epoch = original->epoch;
    note.replaces_number = original->number;
    note.offline_points = offline_points;
    buffer_clear(&punkt->encoded);
    if (!outbox_body(punkt->outbox, original, &punkt->encoded))
        return append_failed(punkt, OUTBOX_FAILED);
    return append(punkt, OUTBOX_LANE_QUEUE, original->operation,
                  (uint16_t)(original->flags | FRAME_FLAG_ADVICE | flags), buffer_data(&punkt->encoded),
                  buffer_size(&punkt->encoded), &note, out);
}

/* A reversal behind an operation, that nobody waits for: so the queue sends it, also of the live lane. */
enum punkt_call queue_append_reversal(struct punkt *punkt, const struct outbox_entry *original)
{
    int64_t now_us = wall_now_us(punkt);
    struct punkt_reversal_request request = { .size = sizeof(request),
                                              .epoch = original->epoch,
                                              .number = original->number };
    struct build build = { .frame = &punkt->encoded,
                           .lists = &punkt->lists,
                           .store = punkt->store,
                           .till = punkt->till,
                           .now_us = now_us,
                           .today = original->note.business_date };
    struct outbox_note note = { .created_us = now_us,
                                .business_date = original->note.business_date,
                                .replaces_epoch = original->epoch,
                                .replaces_number = original->number };
    struct outbox_entry *entry;
    if (!encode_reversal(&build, &request))
        return build.wrong != NULL ? PUNKT_CALL_INVALID : PUNKT_CALL_NO_MEMORY;
    buffer_consume(&punkt->encoded, FRAME_HEADER_SIZE);
    enum punkt_call appended =
        append(punkt, OUTBOX_LANE_QUEUE, OPERATION_REVERSAL, 0, buffer_data(&punkt->encoded),
               buffer_size(&punkt->encoded), &note, &entry);
    if (appended == PUNKT_CALL_DONE)
        entry->unasked = true;
    return appended;
}

/* --- submitting --- */

struct waiter *queue_waiter_take(struct punkt *punkt)
{
    for (unsigned i = 0; i < punkt->window; i++) {
        struct waiter *waiter = &punkt->waiters[i];
        if (waiter->on_done == NULL) {
            struct buffer secret = waiter->secret;
            *waiter = (struct waiter){ .secret = secret };
            return waiter;
        }
    }
    return NULL;
}

void queue_waiter_give(struct punkt *punkt, struct waiter *waiter)
{
    buffer_clear(&waiter->secret);
    if (waiter->entry != NULL)
        waiter->entry->waiter = NULL;
    waiter->entry = NULL;
    waiter->on_done = NULL;
    punkt->waiter_count--;
}

/*
 * What this handle has set aside of a card by a hold that has neither ended nor passed its deadline; NULL: it has not. What
 * became of the holds of an earlier handle, the outbox does not know.
 */
static struct outbox_entry *own_hold(const struct punkt *punkt, const char *card, uint64_t position)
{
    int64_t now_us = wall_now_us(punkt);
    for (struct outbox_entry *at = outbox_first(punkt->outbox); at != NULL; at = at->next) {
        if (at->operation != OPERATION_HOLD || at->state != OUTBOX_DONE || at->result.position != position)
            continue;
        bool stands = !at->cancelled && !at->ended && at->result.held_until_us > now_us;
        return stands && strcmp(at->note.card, card) == 0 ? at : NULL;
    }
    return NULL;
}

void queue_end_holds(struct punkt *punkt, const struct build_note *note)
{
    for (unsigned i = 0; i < note->hold_count; i++) {
        struct outbox_entry *hold = own_hold(punkt, note->card, note->holds[i]);
        if (hold != NULL)
            hold->ended = true;
    }
}

static bool named_before(const struct build_note *note, unsigned index)
{
    for (unsigned i = 0; i < index; i++) {
        if (note->holds[i] == note->holds[index])
            return true;
    }
    return false;
}

/* Of a hold, what the server will take for a bill of which so much is left: points: 0 for all of it. False: only it knows. */
static bool take_of_hold(const struct offline_rules *rules, const struct outbox_result *hold, int64_t points,
                         int64_t left, struct waiter *waiter)
{
    bool by_points =
        hold->worth == offline_worth(rules, hold->redeemed); /* else a reward, which is one piece */
    int64_t taken = points != 0 ? points : hold->redeemed;
    if (taken > hold->redeemed || (taken < hold->redeemed && !by_points))
        return false;
    if (by_points)
        taken = left > 0 ? offline_fit(rules, taken, left) : 0;
    int64_t worth = by_points ? offline_worth(rules, taken) : hold->worth;
    waiter->held += taken;
    if (left > 0)
        waiter->held_worth += worth < left ? worth : left;
    return true;
}

/* Points that were set aside are there: no limit is needed, only that this till knows of them. */
static bool grant_holds(const struct punkt *punkt, const struct offline_rules *rules,
                        const struct build_note *note, struct waiter *waiter)
{
    int64_t bill = note->bill != 0 ? note->bill : MESSAGE_AMOUNT_MAX;
    for (unsigned i = 0; i < note->hold_count; i++) {
        const struct outbox_entry *hold = own_hold(punkt, note->card, note->holds[i]);
        if (hold == NULL || named_before(note, i) ||
            !take_of_hold(rules, &hold->result, note->hold_points[i], bill - waiter->held_worth, waiter))
            return false;
    }
    return true;
}

static struct offline_rules rules_of(const struct punkt_server_info *info)
{
    return (struct offline_rules){ .card_max = info->offline_card,
                                   .till_max = info->offline_till,
                                   .minimum = info->redeem_minimum,
                                   .step = info->redeem_step,
                                   .points = info->redeem_points,
                                   .worth = info->redeem_worth };
}

/* What the server will take for the wishes, one after the other, when holds have paid so much of the bill. */
static int64_t fit_wishes(const struct offline_rules *rules, const struct build_note *note,
                          int64_t held_worth, int64_t *out_worth)
{
    int64_t points = 0;
    *out_worth = 0;
    for (unsigned i = 0; i < note->wish_count; i++) {
        int64_t left = note->bill - held_worth - *out_worth;
        int64_t fit = note->bill != 0 && left <= 0 ? 0 : offline_fit(rules, note->wishes[i], left);
        points += fit;
        *out_worth += offline_worth(rules, fit);
    }
    return points;
}

enum offline_verdict queue_grant(struct punkt *punkt, const struct build_note *note, struct waiter *waiter)
{
    waiter->held = 0;
    waiter->held_worth = 0;
    struct offline_rules rules = rules_of(&punkt->info);
    if (note->rewards || !grant_holds(punkt, &rules, note, waiter))
        return OFFLINE_REWARD;
    if (note->points == 0)
        return OFFLINE_GRANTED;
    struct offline_use use = { 0 };
    for (const struct outbox_entry *at = outbox_first(punkt->outbox); at != NULL; at = at->next) {
        int64_t points = at->note.offline_points;
        bool same_card = points > 0 && strcmp(at->note.card, note->card) == 0;
        if (points > 0 && at->state == OUTBOX_OPEN)
            use.till_period += points;
        if (same_card && at->state == OUTBOX_OPEN)
            use.card_open += points;
        if (same_card && at->note.business_date == note->business_date)
            use.card_today += points;
    }
    int64_t worth;
    int64_t points = fit_wishes(&rules, note, waiter->held_worth, &worth);
    enum offline_verdict verdict = offline_decide(&rules, balances_find(&punkt->balances, note->card), &use,
                                                  wall_now_us(punkt), points, &waiter->left);
    waiter->granted = verdict == OFFLINE_GRANTED ? points : 0;
    waiter->granted_worth = verdict == OFFLINE_GRANTED ? worth : 0;
    return verdict;
}

bool queue_redeems(const struct build_note *note)
{
    return note->points > 0 || note->rewards || note->hold_count > 0;
}

static struct outbox_note note_of(const struct punkt *punkt, const struct build *build, int64_t offline)
{
    struct outbox_note note = { .created_us = wall_now_us(punkt),
                                .business_date = build->note.business_date,
                                .amount = build->note.amount,
                                .offline_points = offline,
                                .replaces_epoch = build->note.epoch,
                                .replaces_number = build->note.number };
    if (note.business_date == 0)
        note.business_date = build->today;
    note.passed_us = (int64_t)(link_now_us() - punkt->outbox_opened_us);
    (void)strcpy(note.card, build->note.card);
    return note;
}

/* The body behind the secret part, which goes to out_secret. */
static void split_secret(struct punkt *punkt, uint32_t flags, struct buffer *out_secret)
{
    buffer_consume(&punkt->encoded, FRAME_HEADER_SIZE);
    if ((flags & FRAME_FLAG_SECRET) == 0)
        return;
    size_t size = 1 + (size_t)buffer_data(&punkt->encoded)[0];
    buffer_mark_secret(out_secret);
    (void)buffer_append(out_secret, buffer_data(&punkt->encoded),
                        size); /* without memory: refused as PIN needed */
    buffer_consume(&punkt->encoded, size);
}

/* An operation of the queue. While the link is down, what it redeems is granted, or not, at once. */
static enum punkt_call submit_queued(struct punkt *punkt, const struct call *call, const struct build *build,
                                     uint64_t deadline_us, punkt_done_fn *on_done, void *ctx)
{
    struct waiter *waiter = queue_waiter_take(punkt);
    struct outbox_entry *entry;
    uint16_t flags = (uint16_t)(build->head.flags & ~(uint32_t)FRAME_FLAG_SECRET);
    if (waiter == NULL)
        return PUNKT_CALL_WINDOW_FULL;
    if (queue_redeems(&build->note) && queue_link_down(punkt) && (flags & FRAME_FLAG_ADVICE) == 0) {
        waiter->verdict = queue_grant(punkt, &build->note, waiter);
        flags |= FRAME_FLAG_ADVICE | FRAME_FLAG_OFFLINE;
    }
    split_secret(punkt, build->head.flags, &waiter->secret);
    if (waiter->verdict == OFFLINE_GRANTED) {
        struct outbox_note note = note_of(punkt, build, waiter->granted);
        enum punkt_call appended =
            append(punkt, OUTBOX_LANE_QUEUE, (uint16_t)build->operation, flags, buffer_data(&punkt->encoded),
                   buffer_size(&punkt->encoded), &note, &entry);
        if (appended != PUNKT_CALL_DONE) {
            buffer_clear(&waiter->secret);
            return appended;
        }
        waiter->entry = entry;
        entry->waiter = waiter;
        if ((flags & FRAME_FLAG_OFFLINE) != 0)
            queue_end_holds(punkt, &build->note);
    }
    waiter->call = call;
    waiter->on_done = on_done;
    waiter->ctx = ctx;
    waiter->deadline_us = deadline_us;
    waiter->note = build->note;
    waiter->operation = build->operation;
    punkt->waiter_count++;
    return PUNKT_CALL_DONE;
}

/* Whether it is stored though the server is not there: what gives back does no harm later. */
static bool keeps(uint16_t operation)
{
    return operation == OPERATION_REVERSAL || operation == OPERATION_RELEASE;
}

static enum punkt_call submit_live(struct punkt *punkt, const struct call *call, const struct build *build,
                                   uint64_t deadline_us, punkt_done_fn *on_done, void *ctx)
{
    struct outbox_entry *entry = NULL;
    struct slot *slot = slot_take(&punkt->live);
    bool down = queue_link_down(punkt);
    if (slot == NULL)
        return PUNKT_CALL_WINDOW_FULL;
    if (!down || keeps((uint16_t)build->operation)) {
        size_t before = FRAME_HEADER_SIZE;
        const uint8_t *bytes = buffer_data(&punkt->encoded);
        if ((build->head.flags & FRAME_FLAG_SECRET) != 0)
            before += 1 + (size_t)bytes[FRAME_HEADER_SIZE];
        struct outbox_note note = note_of(punkt, build, 0);
        enum punkt_call appended =
            append(punkt, OUTBOX_LANE_LIVE, (uint16_t)build->operation,
                   (uint16_t)(build->head.flags & ~(uint32_t)FRAME_FLAG_SECRET), bytes + before,
                   buffer_size(&punkt->encoded) - before, &note, &entry);
        if (appended != PUNKT_CALL_DONE)
            return appended;
        queue_end_holds(punkt, &build->note);
    }
    slot_fill(slot, call, build, &punkt->encoded, down ? 0 : deadline_us, on_done, ctx);
    slot_add(&punkt->live, slot);
    slot->entry = entry;
    slot->number = entry != NULL ? entry->number : 0;
    return PUNKT_CALL_DONE;
}

enum punkt_call queue_submit(struct punkt *punkt, const struct call *call, const struct build *build,
                             punkt_done_fn *on_done, void *ctx)
{
    uint64_t now_us = link_now_us();
    uint64_t deadline_us = build->began_us + budget_us(punkt, build->head.timeout_ms);
    bool redeems_offline =
        build->operation == OPERATION_REDEEM && queue_link_down(punkt) && punkt->info.offline_card > 0;
    bool queued = redeems_offline || lane_of(punkt, (uint16_t)build->operation, build->head.flags,
                                             &build->note) == OUTBOX_LANE_QUEUE;
    enum punkt_call submitted = queued ? submit_queued(punkt, call, build, deadline_us, on_done, ctx)
                                       : submit_live(punkt, call, build, deadline_us, on_done, ctx);
    buffer_clear(&punkt->encoded);
    if (submitted == PUNKT_CALL_DONE)
        link_hurry(queued ? &punkt->queue.link : &punkt->live.link, now_us);
    return submitted;
}

uint64_t queue_of_earlier(const struct punkt *punkt)
{
    uint64_t count = 0;
    for (const struct outbox_entry *at = outbox_first(punkt->outbox); at != NULL; at = at->next)
        count += at->state == OUTBOX_OPEN && at->epoch != outbox_epoch(punkt->outbox, OUTBOX_LANE_QUEUE) &&
                 at->epoch != outbox_epoch(punkt->outbox, OUTBOX_LANE_LIVE);
    return count;
}
