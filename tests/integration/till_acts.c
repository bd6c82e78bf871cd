#include "till_acts.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define STORE "1"
#define LINES_MAX 5u
#define UNTOLD_MAX 16u /* operations of one act */
#define WAIT_MS 400    /* for a redemption that was queued */

bool till_complain(const struct till *till, const char *what, const struct punkt_answer *answer)
{
    (void)fprintf(stderr, "till %s, after %zu acts: %s", till->settings.till, till->list.count, what);
    if (answer != NULL)
        (void)fprintf(stderr, ": %s (%u), %s %s", punkt_call_name(answer->call), answer->code, answer->name,
                      answer->detail);
    (void)fputc('\n', stderr);
    return false;
}

int32_t till_date(const struct till *till, uint64_t seq)
{
    uint32_t acts_a_day = till->settings.acts_a_day;
    return till->settings.date + (acts_a_day > 0 ? (int32_t)((seq - 1) / acts_a_day) : 0);
}

/* --- doing it --- */

/* What the customer is told; false: it cannot be said, and something is wrong. */
static bool word_of(struct till_act *act, const struct punkt_answer *answer)
{
    static const enum till_word words[] = {
        [PUNKT_CALL_DONE] = TILL_DONE,
        [PUNKT_CALL_REFUSED] = TILL_REFUSED,
        [PUNKT_CALL_QUEUED] = TILL_QUEUED,
        [PUNKT_CALL_NOT_SENT] = TILL_NOT_SENT,
        [PUNKT_CALL_NOT_STORED] = TILL_NOT_STORED,
    };
    act->epoch = answer->epoch;
    act->number = answer->number;
    act->code = answer->code;
    if ((size_t)answer->call >= sizeof(words) / sizeof(words[0]))
        return false;
    act->told = words[answer->call];
    return act->told != TILL_NOTHING;
}

static size_t make_lines(const struct till_act *act, char codes[LINES_MAX][24],
                         struct punkt_line lines[LINES_MAX])
{
    size_t count = act->seq % 3 == 0 ? 1 + act->seq % LINES_MAX : 0;
    int64_t left = act->amount;
    for (size_t i = 0; i < count; i++) {
        int64_t share = i + 1 == count ? left : left / 3;
        (void)snprintf(codes[i], 24, "A%zu", i);
        lines[i] = (struct punkt_line){ .size = sizeof(lines[i]), .code = codes[i], .amount = share };
        left -= share;
    }
    return count;
}

static void send_purchase(struct till *till, const struct till_act *act, int64_t wished,
                          struct punkt_purchase_answer *answer)
{
    struct punkt_line lines[LINES_MAX];
    char card[16], receipt[24], codes[LINES_MAX][24];
    struct punkt_wish wish = { .size = sizeof(wish), .points = wished };
    struct punkt_purchase_request request = PUNKT_INIT(request);
    till_card(act->card, card);
    till_document(act, receipt);
    request.card = card;
    request.receipt = receipt;
    request.amount = act->amount;
    request.business_date = till_date(till, act->seq);
    request.lines = lines;
    request.line_count = make_lines(act, codes, lines);
    request.wishes = &wish;
    request.wish_count = wished > 0;
    (void)punkt_purchase(till->punkt, &request, answer);
}

/* Whether a purchase is refused because of what it was to redeem: then it is sold without, under the same
 * number. */
static bool wish_refused(const struct punkt_answer *answer)
{
    return answer->call == PUNKT_CALL_REFUSED &&
           (answer->code == PUNKT_RESULT_OFFLINE || answer->code == PUNKT_RESULT_NOT_ENOUGH_POINTS);
}

static bool purchase(struct till *till, struct till_act *act)
{
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    send_purchase(till, act, act->wish, &answer);
    if (act->wish > 0 && wish_refused(&answer.head))
        send_purchase(till, act, 0, &answer);
    act->position = answer.position;
    act->points = answer.earned;
    act->spent = answer.redeemed;
    /* A purchase has happened: an absent server is no end that a till could print. */
    bool stranger = act->card >= till->settings.plan.cards;
    bool refused = answer.head.call == PUNKT_CALL_REFUSED;
    return word_of(act, &answer.head) && act->told != TILL_NOT_SENT &&
                   (!refused || (stranger && answer.head.code == PUNKT_RESULT_UNKNOWN_CARD))
               ? true
               : till_complain(till, "a purchase", &answer.head);
}

static bool take_back(struct till *till, struct till_act *act)
{
    char card[16], receipt[24], document[24];
    const struct till_act *sale = till_list_act(&till->list, act->refers);
    struct punkt_return_request request = PUNKT_INIT(request);
    struct punkt_return_answer answer = PUNKT_ANSWER_INIT(answer);
    till_card(act->card, card);
    till_document(sale, receipt);
    till_document(act, document);
    request.card = card;
    request.amount = act->amount;
    request.sale_receipt = receipt;
    request.sale_date = till_date(till, sale->seq);
    request.document = document;
    request.business_date = till_date(till, act->seq);
    (void)punkt_return(till->punkt, &request, &answer);
    act->position = answer.position;
    act->points = answer.taken;
    return word_of(act, &answer.head) && act->told != TILL_REFUSED && act->told != TILL_NOT_SENT
               ? true
               : till_complain(till, "a return", &answer.head);
}

static bool was_refused(struct till *till, uint64_t epoch, uint64_t number)
{
    struct punkt_outbox_entry entry = PUNKT_INIT(entry);
    for (uint64_t i = 0; punkt_outbox_entry(till->punkt, i, &entry); i++) {
        if (entry.epoch == epoch && entry.number == number)
            return entry.state == PUNKT_OUTBOX_REFUSED;
    }
    return false;
}

/* Undoes what stands under a number. False: not even that could be stored; the act stays open. */
static bool cancel(struct till *till, uint64_t epoch, uint64_t number)
{
    struct punkt_reversal_answer answer = PUNKT_ANSWER_INIT(answer);
    enum punkt_call call = punkt_cancel(till->punkt, epoch, number, 0, &answer);
    till->left_open = call == PUNKT_CALL_NOT_STORED;
    if (call == PUNKT_CALL_DONE || call == PUNKT_CALL_QUEUED)
        return true;
    /* The server may have said no while another was undone: nothing is there. */
    return (call == PUNKT_CALL_INVALID && was_refused(till, epoch, number)) ||
           till_complain(till, "a cancel", &answer.head);
}

/* The purchase that it refers to is undone, wherever it stands. */
static bool void_purchase(struct till *till, struct till_act *act)
{
    const struct till_act *sale = till_list_act(&till->list, act->refers);
    struct punkt_reversal_answer answer = PUNKT_ANSWER_INIT(answer);
    enum punkt_call call = punkt_cancel(till->punkt, sale->epoch, sale->number, 0, &answer);
    act->position = answer.position;
    return word_of(act, &answer.head) && call != PUNKT_CALL_REFUSED && call != PUNKT_CALL_NOT_SENT
               ? true
               : till_complain(till, "a void", &answer.head);
}

/* The struct that the answer to a redemption, hold, capture or release comes in. */
union spending_answer {
    struct punkt_answer head;
    struct punkt_redeem_answer redeem;
    struct punkt_hold_answer hold;
    struct punkt_capture_answer capture;
    struct punkt_release_answer release;
};

static void redeem(struct till *till, const struct till_act *act, const char *card,
                   union spending_answer *answer)
{
    struct punkt_redeem_request request = PUNKT_INIT(request);
    answer->redeem = (struct punkt_redeem_answer)PUNKT_ANSWER_INIT(answer->redeem);
    request.card = card;
    request.points = act->amount;
    (void)punkt_redeem(till->punkt, &request, &answer->redeem);
}

static void hold(struct till *till, const struct till_act *act, const char *card,
                 union spending_answer *answer)
{
    struct punkt_hold_request request = PUNKT_INIT(request);
    answer->hold = (struct punkt_hold_answer)PUNKT_ANSWER_INIT(answer->hold);
    request.card = card;
    request.points = act->amount;
    (void)punkt_hold(till->punkt, &request, &answer->hold);
}

static void capture(struct till *till, const struct till_act *act, const char *card,
                    union spending_answer *answer)
{
    struct punkt_capture_request request = PUNKT_INIT(request);
    answer->capture = (struct punkt_capture_answer)PUNKT_ANSWER_INIT(answer->capture);
    request.card = card;
    request.hold = till_list_act(&till->list, act->refers)->position;
    (void)punkt_capture(till->punkt, &request, &answer->capture);
}

static void release(struct till *till, const struct till_act *act, const char *card,
                    union spending_answer *answer)
{
    struct punkt_release_request request = PUNKT_INIT(request);
    answer->release = (struct punkt_release_answer)PUNKT_ANSWER_INIT(answer->release);
    request.card = card;
    request.hold = till_list_act(&till->list, act->refers)->position;
    (void)punkt_release(till->punkt, &request, &answer->release);
}

static void take_spending(struct till_act *act, const union spending_answer *answer)
{
    if (answer->head.call != PUNKT_CALL_DONE)
        return;
    if (act->kind == TILL_REDEEM) {
        act->position = answer->redeem.position;
        act->points = answer->redeem.redeemed;
    } else if (act->kind == TILL_HOLD) {
        act->position = answer->hold.position;
        act->points = answer->hold.held;
    } else if (act->kind == TILL_CAPTURE) {
        act->position = answer->capture.position;
        act->points = answer->capture.redeemed;
    } else {
        act->position = answer->release.position;
    }
}

/* Counts only when it is done, and that is stored: a till waits for a while, then it cancels. A release is
 * let run: it ends as the hold does by itself. */
static bool spend(struct till *till, struct till_act *act)
{
    union spending_answer answer;
    char card[16];
    till_card(act->card, card);
    till->disk_failed = false;
    if (act->kind == TILL_REDEEM)
        redeem(till, act, card, &answer);
    else if (act->kind == TILL_HOLD)
        hold(till, act, card, &answer);
    else if (act->kind == TILL_CAPTURE)
        capture(till, act, card, &answer);
    else
        release(till, act, card, &answer);
    if (!word_of(act, &answer.head))
        return till_complain(till, till_kind_name(act->kind), &answer.head);
    if (act->told == TILL_QUEUED) {
        (void)punkt_wait(till->punkt, act->epoch, act->number, WAIT_MS, &answer.head);
        if (!word_of(act, &answer.head))
            return till_complain(till, "to wait", &answer.head);
    }
    take_spending(act, &answer);
    if (act->kind == TILL_RELEASE ||
        (act->told != TILL_QUEUED && !(act->told == TILL_DONE && till->disk_failed)))
        return true;
    act->told = TILL_CANCELLED;
    return cancel(till, act->epoch, act->number);
}

bool till_perform(struct till *till, struct till_act *act)
{
    bool good = true;
    if (till->punkt == NULL)
        act->told = TILL_NOT_STORED;
    else if (act->kind == TILL_PURCHASE)
        good = purchase(till, act);
    else if (act->kind == TILL_RETURN)
        good = take_back(till, act);
    else if (act->kind == TILL_VOID)
        good = void_purchase(till, act);
    else
        good = spend(till, act);
    return good &&
           (till_list_told(&till->list, act) || till_complain(till, "the list cannot be written", NULL));
}

/* --- after a kill --- */

static uint32_t operation_of(enum till_kind kind)
{
    static const uint32_t operations[TILL_KINDS] = {
        [TILL_PURCHASE] = PUNKT_OPERATION_PURCHASE, [TILL_RETURN] = PUNKT_OPERATION_RETURN,
        [TILL_REDEEM] = PUNKT_OPERATION_REDEEM,     [TILL_HOLD] = PUNKT_OPERATION_HOLD,
        [TILL_CAPTURE] = PUNKT_OPERATION_CAPTURE,   [TILL_RELEASE] = PUNKT_OPERATION_RELEASE,
        [TILL_VOID] = PUNKT_OPERATION_REVERSAL,
    };
    return operations[kind];
}

static bool listed(const struct till_list *list, const struct punkt_outbox_entry *entry)
{
    for (uint64_t seq = list->count; seq >= 1; seq--) {
        const struct till_act *act = till_list_act(list, seq);
        if (act->told != TILL_NOTHING && act->epoch == entry->epoch && act->number == entry->number)
            return true;
    }
    return false;
}

/* Whether an operation of the outbox belongs to this act, of whose end nobody was told, and may be booked.
 * What is in the live lane without an answer the library has cancelled by itself. */
static bool untold(const struct till *till, const struct till_act *act,
                   const struct punkt_outbox_entry *entry)
{
    char code[32];
    bool open = entry->state == PUNKT_OUTBOX_QUEUED && !entry->live;
    if (entry->operation != operation_of(act->kind) || (entry->state != PUNKT_OUTBOX_DONE && !open))
        return false;
    if (act->kind != TILL_PURCHASE)
        return !listed(&till->list, entry);
    till_document(act, code + 1); /* on the wire its length stands before it */
    code[0] = (char)strlen(code + 1);
    return entry->body != NULL && memmem(entry->body, entry->body_size, code, strlen(code)) != NULL;
}

/* Undoes what was, or may yet be, spent by an act of whose end nobody was told: no receipt says so. *act gets
 * the number. */
static bool undo_untold(struct till *till, struct till_act *act)
{
    struct punkt_outbox_entry entry = PUNKT_INIT(entry);
    uint64_t numbers[UNTOLD_MAX][2];
    size_t count = 0;
    for (uint64_t i = 0; count < UNTOLD_MAX && punkt_outbox_entry(till->punkt, i, &entry); i++) {
        if (untold(till, act, &entry)) {
            numbers[count][0] = act->epoch = entry.epoch;
            numbers[count++][1] = act->number = entry.number;
        }
    }
    for (size_t i = 0; i < count && act->kind != TILL_RELEASE; i++) {
        if (!cancel(till, numbers[i][0], numbers[i][1]))
            return false;
    }
    return true;
}

bool till_finish_last(struct till *till)
{
    const struct till_act *last = till_list_act(&till->list, till->list.count);
    if (last == NULL || last->told != TILL_NOTHING)
        return true;
    struct till_act act = *last;
    bool spends = act.kind != TILL_PURCHASE && act.kind != TILL_RETURN && act.kind != TILL_VOID;
    if (till->punkt == NULL)
        return till_complain(till, "an act is open, and there is no outbox", NULL);
    if (!till_list_again(&till->list, act.seq))
        return till_complain(till, "the list cannot be written", NULL);
    if ((spends || act.wish > 0) && !undo_untold(till, &act))
        return false;
    if (!spends)
        return till_perform(till, &act);
    act.told = TILL_CANCELLED;
    return till_list_told(&till->list, &act) || till_complain(till, "the list cannot be written", NULL);
}

/* --- start --- */

static void on_alarm(struct punkt *punkt, enum punkt_alarm alarm, const char *text, void *ctx)
{
    struct till *till = ctx;
    (void)punkt;
    till->disk_failed |= alarm == PUNKT_ALARM_OUTBOX_FAILED;
    till->lost_something |= alarm == PUNKT_ALARM_DEAD || alarm == PUNKT_ALARM_DAMAGED ||
                            alarm == PUNKT_ALARM_SERVER_LOST || alarm == PUNKT_ALARM_OTHER_LEDGER;
    (void)fprintf(stderr, "till %s: alarm %d: %s\n", till->settings.till, (int)alarm, text);
}

bool till_open(struct till *till)
{
    char list[PATH_MAX], outbox[PATH_MAX];
    (void)snprintf(list, sizeof(list), "%s/%s.list", till->settings.folder, till->settings.till);
    (void)snprintf(outbox, sizeof(outbox), "%s/%s.outbox", till->settings.folder, till->settings.till);
    struct punkt_options options = PUNKT_INIT(options);
    options.server = till->settings.server;
    options.identity = till->settings.identity;
    options.timeout_ms = till->settings.timeout_ms;
    options.outbox = outbox;
    options.store = STORE;
    options.till = till->settings.till;
    options.on_alarm = on_alarm;
    options.ctx = till;
    options.resize = till->settings.resize;
    options.resize_ctx = till->settings.resize_ctx;
    if (!till_list_open(list, true, &till->list))
        return till_complain(till, "the list cannot be read", NULL);
    if (punkt_new(&options, &till->punkt) != PUNKT_CALL_DONE)
        (void)till_complain(till, "no outbox: sells without points", NULL);
    return true;
}
