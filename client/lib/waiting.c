/* What became of a change that was stored, and undoing it. */
#include <string.h>

#include "lib/client.h"
#include "lib/encode.h"
#include "proto/message.h"

static enum punkt_call end_invalid(struct punkt *punkt, struct punkt_answer *out_answer, const char *why)
{
    say_trouble(punkt, why);
    return end_call(punkt, NULL, PUNKT_CALL_INVALID, out_answer);
}

struct outbox_result queue_result_of(const struct punkt *punkt, uint16_t operation)
{
    const union any_answer *answer = &punkt->answer;
    struct outbox_result result = { .at_us = wall_now_us(punkt),
                                    .result = answer->head.call == PUNKT_CALL_DONE ? 0 : answer->head.code,
                                    .tied = (punkt->answer_flags & FRAME_FLAG_TIED) != 0 };
    if (result.result != 0)
        return result;
    result.balance_known = true;
    switch (operation) {
    case OPERATION_PURCHASE:
        result.position = answer->purchase_.position;
        result.earned = answer->purchase_.earned;
        result.redeemed = answer->purchase_.redeemed;
        result.worth = answer->purchase_.paid;
        result.available = answer->purchase_.available;
        result.balance_known = !answer->purchase_.in_suspense;
        break;
    case OPERATION_RETURN:
    case OPERATION_UNLINKED_RETURN:
        result.position = answer->any_return.position;
        result.earned = answer->any_return.given_back - answer->any_return.taken;
        result.worth = answer->any_return.amount;
        result.available = answer->any_return.available;
        result.balance_known = !answer->any_return.waiting;
        break;
    case OPERATION_REDEEM:
        result.position = answer->redeem_.position;
        result.redeemed = answer->redeem_.redeemed;
        result.worth = answer->redeem_.worth;
        result.available = answer->redeem_.available;
        break;
    case OPERATION_HOLD:
        result.position = answer->hold_.position;
        result.redeemed = answer->hold_.held; /* set aside only */
        result.worth = answer->hold_.worth;
        result.held_until_us = answer->hold_.deadline_us;
        result.available = answer->hold_.available;
        break;
    case OPERATION_CAPTURE:
        result.position = answer->capture_.position;
        result.redeemed = answer->capture_.redeemed;
        result.worth = answer->capture_.worth;
        result.available = answer->capture_.available;
        break;
    case OPERATION_RELEASE:
        result.position = answer->release_.position;
        result.available = answer->release_.available;
        break;
    default:
        result.balance_known = false;
        break;
    }
    return result;
}

void queue_recall(struct punkt *punkt, const struct outbox_entry *entry)
{
    const struct outbox_result *result = &entry->result;
    union any_answer *answer = &punkt->answer;
    bool done = entry->state == OUTBOX_DONE;
    call_head(call_of(entry->operation), entry->operation, done ? PUNKT_CALL_DONE : PUNKT_CALL_REFUSED,
              answer);
    answer->head.epoch = entry->epoch;
    answer->head.number = entry->number;
    answer->head.replayed = true;
    if (!done) {
        call_head_code(&answer->head, result->result);
    } else if (entry->operation == OPERATION_PURCHASE) {
        answer->purchase_.position = result->position;
        answer->purchase_.earned = result->earned;
        answer->purchase_.redeemed = result->redeemed;
        answer->purchase_.paid = result->worth;
        answer->purchase_.available = result->available;
        answer->purchase_.tier = "";
    } else if (entry->operation == OPERATION_RETURN || entry->operation == OPERATION_UNLINKED_RETURN) {
        answer->any_return.position = result->position;
        answer->any_return.taken = result->earned < 0 ? -result->earned : 0;
        answer->any_return.given_back = result->earned > 0 ? result->earned : 0;
        answer->any_return.amount = result->worth;
        answer->any_return.available = result->available;
    } else if (entry->operation == OPERATION_REDEEM) {
        answer->redeem_.position = result->position;
        answer->redeem_.redeemed = result->redeemed;
        answer->redeem_.worth = result->worth;
        answer->redeem_.available = result->available;
        answer->redeem_.reward = "";
        answer->redeem_.voucher = "";
    }
}

/* Somebody waits again for an operation of the queue. False: nobody more may wait. */
static bool wait_again(struct punkt *punkt, struct outbox_entry *entry, uint32_t timeout_ms,
                       struct waiting *waiting)
{
    struct waiter *waiter = queue_waiter_take(punkt);
    if (waiter == NULL)
        return false;
    waiter->entry = entry;
    waiter->call = call_of(entry->operation);
    waiter->operation = entry->operation;
    waiter->on_done = wait_collect;
    waiter->ctx = waiting;
    waiter->again = true;
    waiter->deadline_us = link_now_us() + budget_us(punkt, timeout_ms);
    entry->waiter = waiter;
    punkt->waiter_count++;
    link_hurry(&punkt->queue.link, link_now_us());
    return true;
}

/* The operation of this number, or the advice that stands for it by now; NULL: there is none. */
static struct outbox_entry *find_standing(struct punkt *punkt, uint64_t epoch, uint64_t number)
{
    struct outbox_entry *entry = punkt->outbox != NULL ? outbox_find(punkt->outbox, epoch, number) : NULL;
    for (struct outbox_entry *at = entry; at != NULL; at = at->next) {
        if (at->note.replaces_epoch == entry->epoch && at->note.replaces_number == entry->number &&
            at->operation == entry->operation && at->operation != OPERATION_REVERSAL)
            entry = at;
    }
    return entry;
}

enum punkt_call punkt_wait(struct punkt *punkt, uint64_t epoch, uint64_t number, uint32_t timeout_ms,
                           struct punkt_answer *out_answer)
{
    struct waiting waiting = { .out = out_answer };
    if (!wait_allowed(punkt, out_answer))
        return end_call(punkt, NULL, PUNKT_CALL_INVALID, out_answer);
    struct outbox_entry *entry = find_standing(punkt, epoch, number);
    if (entry == NULL)
        return end_invalid(punkt, out_answer, "the outbox has no operation of this epoch and number");
    if (entry->lane == OUTBOX_LANE_LIVE && slot_in_doubt(&punkt->live, entry->number) != NULL &&
        entry->epoch == punkt->live.epoch)
        return punkt_repeat(punkt, entry->number, timeout_ms, out_answer);
    if (entry->state != OUTBOX_OPEN) {
        queue_recall(punkt, entry);
        wait_copy(&punkt->answer.head, out_answer);
        return out_answer->call;
    }
    if (entry->waiter != NULL || !wait_again(punkt, entry, timeout_ms, &waiting))
        return end_invalid(punkt, out_answer, "somebody waits for it already");
    return wait_for(punkt, &waiting);
}

/* The number of the receipt, or of the return's document. */
static bool document_of(struct punkt *punkt, const struct outbox_entry *entry, struct wire_code *out)
{
    buffer_clear(&punkt->encoded);
    bool known = outbox_body(punkt->outbox, entry, &punkt->encoded) &&
                 document_of_body(&punkt->lists, entry->operation, buffer_data(&punkt->encoded),
                                  buffer_size(&punkt->encoded), out);
    buffer_clear(&punkt->encoded);
    return known;
}

/* A receipt that a till sold again because it died meanwhile is in the outbox twice: who undoes it means both. Else the
 * first, which has no answer yet, may become an advice, and stand. */
static enum punkt_call cancel_twins(struct punkt *punkt, const struct outbox_entry *entry)
{
    struct wire_code document, other;
    enum punkt_call call = PUNKT_CALL_DONE;
    if (!queue_of_goods(entry->operation) || !document_of(punkt, entry, &document))
        return call;
    for (struct outbox_entry *at = outbox_first(punkt->outbox); at != NULL && call == PUNKT_CALL_DONE;
         at = at->next) {
        bool alike = at != entry && at->state == OUTBOX_OPEN && !at->cancelled &&
                     at->operation == entry->operation && at->note.amount == entry->note.amount &&
                     at->note.business_date == entry->note.business_date &&
                     strcmp(at->note.card, entry->note.card) == 0;
        if (alike && document_of(punkt, at, &other) && wire_code_equal(&document, &other))
            call = queue_append_reversal(punkt, at);
    }
    return call;
}

/* The reversal of an operation that the outbox has. Anything but DONE, with trouble: it cannot be undone. */
static enum punkt_call reversal_of(struct punkt *punkt, uint64_t epoch, uint64_t number, uint32_t timeout_ms,
                                   struct punkt_reversal_request *out)
{
    struct outbox_entry *entry = find_standing(punkt, epoch, number);
    const char *why = NULL;
    if (entry == NULL)
        why = "the outbox has no operation of this epoch and number";
    else if (entry->state == OUTBOX_REFUSED || entry->state == OUTBOX_DEAD)
        why = "it was refused: there is nothing to undo";
    if (why != NULL) {
        say_trouble(punkt, why);
        return PUNKT_CALL_INVALID;
    }
    *out = (struct punkt_reversal_request){ .size = sizeof(*out),
                                            .timeout_ms = timeout_ms,
                                            .epoch = entry->epoch,
                                            .number = entry->number,
                                            .business_date = entry->note.business_date };
    return cancel_twins(punkt, entry);
}

enum punkt_call punkt_cancel(struct punkt *punkt, uint64_t epoch, uint64_t number, uint32_t timeout_ms,
                             struct punkt_reversal_answer *out_answer)
{
    struct punkt_reversal_request request;
    struct punkt_answer *head = out_answer != NULL ? &out_answer->head : NULL;
    enum punkt_call call = wait_allowed(punkt, head) ? reversal_of(punkt, epoch, number, timeout_ms, &request)
                                                     : PUNKT_CALL_INVALID;
    if (call != PUNKT_CALL_DONE)
        return end_call(punkt, call_of(OPERATION_REVERSAL), call, head);
    return punkt_reversal(punkt, &request, out_answer);
}

enum punkt_call punkt_submit_cancel(struct punkt *punkt, uint64_t epoch, uint64_t number,
                                    punkt_done_fn *on_done, void *ctx)
{
    struct punkt_reversal_request request;
    punkt->trouble[0] = '\0';
    enum punkt_call call = reversal_of(punkt, epoch, number, 0, &request);
    if (call != PUNKT_CALL_DONE)
        return call;
    return punkt_submit_reversal(punkt, &request, on_done, ctx);
}
