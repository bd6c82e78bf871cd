/*
 * What the mock keeps of cards and documents, and who decides which operation.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/mock_parts.h"

#define US_PER_SECOND UINT64_C(1000000)
#define US_PER_DAY (86400 * US_PER_SECOND)
#define OLD_DAYS 31  /* a till's time that is older is not believed, nor one over */
#define AHEAD_DAYS 1 /* so many ahead (PROTOCOL.md, purchase) */

enum mock_verdict mock_refuse(struct mock *mock, enum result result, const char *detail)
{
    mock->refusal = (struct mock_refusal){ .result = result };
    (void)snprintf(mock->refusal.detail, sizeof(mock->refusal.detail), "%s", detail);
    return MOCK_REFUSED;
}

enum mock_verdict mock_refuse_for(struct mock *mock, enum result result, int64_t needed, int64_t available)
{
    mock->refusal = (struct mock_refusal){ .result = result, .needed = needed, .available = available };
    return MOCK_REFUSED;
}

/* --- cards --- */

static struct mock_account *account_new(struct mock *mock, const struct wire_code *card)
{
    if (mock->account_count == mock->account_capacity) {
        size_t capacity = mock->account_capacity * 2 + 64;
        struct mock_account **more = realloc(mock->accounts, capacity * sizeof(struct mock_account *));
        if (more == NULL)
            return NULL;
        mock->accounts = more;
        mock->account_capacity = capacity;
    }
    struct mock_account *account = calloc(1, sizeof(*account));
    if (account == NULL)
        return NULL;
    mock->accounts[mock->account_count++] = account;
    account->card = *card;
    account->number = mock->account_count;
    account->status = MOCK_CARD_ACTIVE;
    account->free = mock->options.balance;
    return account;
}

struct mock_account *mock_account(struct mock *mock, const struct wire_code *card, bool create)
{
    char key[WIRE_CODE_MAX + 3];
    uint64_t place;
    (void)snprintf(key, sizeof(key), "a:%.*s", (int)card->size, card->bytes);
    if (mock_index_get(mock, key, &place)) {
        struct mock_account *found = mock->accounts[place];
        return create || found->status != MOCK_CARD_UNKNOWN ? found : NULL;
    }
    struct mock_account *account = account_new(mock, card);
    if (account != NULL)
        mock_index_set(mock, key, mock->account_count - 1);
    return account;
}

int64_t mock_available(const struct mock_account *account)
{
    return account->free > 0 ? account->free : 0;
}

int64_t mock_debt(const struct mock_account *account)
{
    return account->free < 0 ? -account->free : 0;
}

struct mock_account *mock_account_known(struct mock *mock, const struct wire_code *card)
{
    struct mock_account *account = mock_account(mock, card, false);
    if (account == NULL)
        (void)mock_refuse(mock, RESULT_UNKNOWN_CARD, "");
    return account;
}

bool mock_may_earn(const struct mock_account *account)
{
    return account->status == MOCK_CARD_ACTIVE || account->status == MOCK_CARD_BLOCKED;
}

/* Refuses what the status of a card does not allow. */
static struct mock_account *account_if(struct mock *mock, struct mock_account *account, bool allowed)
{
    static const enum result results[] = { [MOCK_CARD_SUSPENSE] = RESULT_UNKNOWN_CARD,
                                           [MOCK_CARD_BLOCKED] = RESULT_CARD_BLOCKED,
                                           [MOCK_CARD_REPLACED] = RESULT_CARD_REPLACED,
                                           [MOCK_CARD_CLOSED] = RESULT_CARD_CLOSED };
    if (account == NULL || allowed)
        return account;
    (void)mock_refuse(mock, results[account->status], "");
    return NULL;
}

struct mock_account *mock_account_to_earn(struct mock *mock, const struct wire_code *card)
{
    struct mock_account *account = mock_account_known(mock, card);
    return account_if(mock, account, account != NULL && mock_may_earn(account));
}

struct mock_account *mock_account_to_spend(struct mock *mock, const struct wire_code *card)
{
    struct mock_account *account = mock_account_known(mock, card);
    return account_if(mock, account, account != NULL && account->status == MOCK_CARD_ACTIVE);
}

struct mock_account *mock_account_of_advice(struct mock *mock, const struct wire_code *card,
                                            bool *out_suspended)
{
    struct mock_account *account = mock_account(mock, card, true);
    *out_suspended =
        account != NULL && (account->status == MOCK_CARD_UNKNOWN || account->status == MOCK_CARD_SUSPENSE);
    return account;
}

struct mock_account *mock_account_beside(struct mock *mock, const struct wire_code *card, bool *out_suspended)
{
    struct mock_account *account = mock_account(mock, card, true);
    *out_suspended = account != NULL && account->status != MOCK_CARD_REPLACED;
    if (account == NULL || account->status != MOCK_CARD_CLOSED)
        return account;
    if (account->beside == NULL) {
        account->beside = account_new(mock, card);
        if (account->beside != NULL) {
            account->beside->status = MOCK_CARD_SUSPENSE;
            account->beside->free = 0;
        }
    }
    return account->beside;
}

void mock_holds_end(struct mock *mock)
{
    for (size_t i = 0; mock->open_holds > 0 && i < mock->change_count; i++) {
        struct mock_change *change = mock->changes[i];
        struct mock_made *made = &change->made;
        if (change->row == NULL || change->row->code != OPERATION_HOLD || made->account == NULL ||
            made->end != MOCK_HOLD_OPEN || made->deadline > mock->now_us)
            continue;
        made->end = MOCK_HOLD_TIMED_OUT;
        mock->open_holds--;
        made->account->held -= made->points;
        made->account->free += made->points;
    }
}

/* --- time --- */

uint64_t mock_day(uint64_t time_us)
{
    struct tm local;
    time_t seconds = (time_t)(time_us / US_PER_SECOND);
    if (localtime_r(&seconds, &local) == NULL)
        return time_us / US_PER_DAY;
    local.tm_hour = local.tm_min = local.tm_sec = 0;
    time_t day = timegm(&local) / 86400;
    return day > 0 ? (uint64_t)day : 0;
}

uint64_t mock_time(const struct mock *mock, uint64_t time_us, uint16_t flags, bool *out_servers)
{
    bool believed = (flags & FRAME_FLAG_HISTORIC) != 0 || (time_us + OLD_DAYS * US_PER_DAY >= mock->now_us &&
                                                           time_us <= mock->now_us + AHEAD_DAYS * US_PER_DAY);
    *out_servers = time_us != 0 && !believed;
    return time_us != 0 && believed ? time_us : mock->now_us;
}

/* --- documents --- */

char *mock_document_key(char kind, const struct wire_code *store, const struct wire_code *till, uint64_t date,
                        const struct wire_code *number)
{
    char *key = NULL;
    /* Codes have no control characters. */
    if (number->size == 0 ||
        asprintf(&key, "%c:%.*s\n%.*s\n%llu\n%.*s", kind, (int)store->size, store->bytes, (int)till->size,
                 till->bytes, (unsigned long long)date, (int)number->size, number->bytes) < 0)
        return NULL;
    return key;
}

/* What does not make two sendings of a document differ (PROTOCOL.md, Documents). */
static bool content_has(const char *field)
{
    static const char *const others[] = { "time",    "business_date", "store",    "till",
                                          "receipt", "document",      "operator", NULL };
    for (const char *const *other = others; *other != NULL; other++) {
        if (strcmp(field, *other) == 0)
            return false;
    }
    return true;
}

/* Whether the request in hand says the same as that of a change. */
static bool same_content(struct mock *mock, const struct mock_change *first, enum message message)
{
    union mock_message other;
    if (first->row->request != message)
        return false;
    mock_change_read(mock, first, &other);
    json_t *a = mock_json_write(message, &mock->message);
    json_t *b = mock_json_write(message, &other);
    const struct message_table *table = &message_tables[message];
    for (size_t i = 0; i < table->field_count; i++) {
        if (content_has(table->fields[i].name))
            continue;
        (void)json_object_del(a, table->fields[i].name);
        (void)json_object_del(b, table->fields[i].name);
    }
    bool equal = json_equal(a, b);
    json_decref(a);
    json_decref(b);
    return equal;
}

enum mock_verdict mock_document(struct mock *mock, struct mock_change *change,
                                const struct mock_document *document)
{
    bool servers;
    uint64_t time = mock_time(mock, document->time, change->flags, &servers);
    uint64_t position = 0;
    struct mock_made *made = &change->made;
    made->store = *document->store;
    made->till = *document->till;
    made->date = document->date != 0 ? document->date : mock_day(time);
    made->document =
        mock_document_key(document->kind, document->store, document->till, made->date, document->number);
    if (made->document == NULL)
        return MOCK_DONE;
    (void)mock_index_get(mock, made->document, &position);
    const struct mock_change *first = mock_change_at(mock, position);
    if (first == NULL)
        return MOCK_DONE;
    free(made->document);
    made->document = NULL;
    if (!same_content(mock, first, change->row->request))
        return mock_refuse(mock, RESULT_RECEIPT_USED, "");
    change->first = position;
    return MOCK_TIED;
}

/* --- acts on cards, and of the office --- */

static enum mock_verdict card_issue(struct mock *mock, struct mock_change *change)
{
    const struct msg_card_issue_request *request = &mock->message.card_issue_request;
    if (request->count != 1)
        return MOCK_UNKNOWN; /* which numbers follow is the programme's business */
    struct mock_account *account = mock_account(mock, &request->card, true);
    if (account == NULL)
        return mock_refuse(mock, RESULT_BUSY, "out of memory");
    if (account->issued)
        return mock_refuse(mock, RESULT_CARD_EXISTS, "");
    account->issued = true;
    if (account->status == MOCK_CARD_UNKNOWN || account->status == MOCK_CARD_SUSPENSE)
        account->status = MOCK_CARD_ACTIVE;
    change->made.account = account;
    struct msg_card_issue_answer *out = &mock->answer.card_issue_answer;
    message_init(MESSAGE_card_issue_answer, out);
    out->account = account->number;
    out->status = MOCK_CARD_ACTIVE;
    return MOCK_DONE;
}

static void card_answer(struct mock *mock, const struct mock_account *account, int64_t forfeited)
{
    /* The answers of the three are alike. */
    struct msg_card_block_answer *out = &mock->answer.card_block_answer;
    _Static_assert(sizeof(struct msg_card_block_answer) == sizeof(struct msg_card_close_answer) &&
                       sizeof(struct msg_card_block_answer) == sizeof(struct msg_card_unblock_answer),
                   "answers of card_block, card_unblock and card_close");
    message_init(MESSAGE_card_block_answer, out);
    out->status = account->status;
    out->available = mock_available(account);
    out->debt = mock_debt(account);
    out->forfeited = forfeited;
}

static enum mock_verdict card_block(struct mock *mock, struct mock_change *change)
{
    struct mock_account *account = mock_account_to_spend(mock, &mock->message.card_block_request.card);
    if (account == NULL)
        return MOCK_REFUSED;
    change->made.account = account;
    account->status = MOCK_CARD_BLOCKED;
    card_answer(mock, account, 0);
    return MOCK_DONE;
}

static enum mock_verdict card_unblock(struct mock *mock, struct mock_change *change)
{
    struct mock_account *account = mock_account_known(mock, &mock->message.card_unblock_request.card);
    if (account == NULL)
        return MOCK_REFUSED;
    if (account->status != MOCK_CARD_BLOCKED)
        return mock_refuse(mock, RESULT_CARD_NOT_BLOCKED, "");
    change->made.account = account;
    account->status = MOCK_CARD_ACTIVE;
    card_answer(mock, account, 0);
    return MOCK_DONE;
}

/* What holds have set aside is free again. */
static void release_all(struct mock *mock, const struct mock_account *account, uint64_t by)
{
    for (size_t i = 0; mock->open_holds > 0 && i < mock->change_count; i++) {
        struct mock_change *change = mock->changes[i];
        if (change->row != NULL && change->row->code == OPERATION_HOLD && change->made.account == account &&
            change->made.end == MOCK_HOLD_OPEN)
            mock_hold_end(mock, change, MOCK_HOLD_RELEASED, by);
    }
}

static enum mock_verdict card_close(struct mock *mock, struct mock_change *change)
{
    struct mock_account *account = mock_account_known(mock, &mock->message.card_close_request.card);
    if (account == NULL)
        return MOCK_REFUSED;
    if (account->status == MOCK_CARD_CLOSED)
        return mock_refuse(mock, RESULT_CARD_CLOSED, "");
    release_all(mock, account, change->position);
    int64_t forfeited = mock_available(account);
    change->made.account = account;
    account->status = MOCK_CARD_CLOSED;
    account->free -= forfeited;
    card_answer(mock, account, forfeited);
    return MOCK_DONE;
}

static enum mock_verdict adjust(struct mock *mock, struct mock_change *change)
{
    const struct msg_adjust_request *request = &mock->message.adjust_request;
    struct mock_account *account = mock_account_known(mock, &request->card);
    if (account == NULL)
        return MOCK_REFUSED;
    if (request->points == 0)
        return mock_refuse(mock, RESULT_OVER_LIMIT, "no points");
    if (request->points < 0 && request->allow_debt == 0 && mock_available(account) < -request->points)
        return mock_refuse_for(mock, RESULT_NOT_ENOUGH_POINTS, -request->points, mock_available(account));
    account->free += request->points;
    change->made.account = account;
    change->made.points = request->points;
    struct msg_adjust_answer *out = &mock->answer.adjust_answer;
    message_init(MESSAGE_adjust_answer, out);
    out->points = request->points;
    out->available = mock_available(account);
    out->debt = mock_debt(account);
    return MOCK_DONE;
}

static enum mock_verdict bonus(struct mock *mock, struct mock_change *change)
{
    const struct msg_bonus_request *request = &mock->message.bonus_request;
    struct mock_account *account = mock_account_to_earn(mock, &request->card);
    if (account == NULL)
        return MOCK_REFUSED;
    if (request->points == 0)
        return mock_refuse(mock, RESULT_OVER_LIMIT, "no points");
    account->free += (int64_t)request->points;
    change->made.account = account;
    change->made.points = (int64_t)request->points;
    struct msg_bonus_answer *out = &mock->answer.bonus_answer;
    message_init(MESSAGE_bonus_answer, out);
    out->points = (int64_t)request->points;
    out->available = mock_available(account);
    out->debt = mock_debt(account);
    return MOCK_DONE;
}

static enum mock_verdict card_show(struct mock *mock)
{
    const struct msg_card_show_request *request = &mock->message.card_show_request;
    struct mock_account *account = mock_account(mock, &request->card, true);
    if (account == NULL)
        return mock_refuse(mock, RESULT_BUSY, "out of memory");
    if (account->status == MOCK_CARD_UNKNOWN)
        return mock_refuse(mock, RESULT_UNKNOWN_CARD, "");
    struct msg_card_show_answer *out = &mock->answer.card_show_answer;
    message_init(MESSAGE_card_show_answer, out);
    out->account = account->number;
    out->status = account->status;
    out->available = mock_available(account);
    out->cards = account->status != MOCK_CARD_SUSPENSE && account->status != MOCK_CARD_CLOSED;
    out->held = account->held;
    out->debt = mock_debt(account);
    out->lifetime = account->lifetime;
    out->next_expiry_day = account->expiry_day;
    out->next_expiry_points = account->expiry_points;
    out->tier = account->tier;
    out->last_purchase = account->last_purchase;
    out->last_event = account->last_event;
    out->flags = (account->status == MOCK_CARD_CLOSED ? 1 : 0) | (account->beside != NULL ? 2 : 0);
    return MOCK_DONE;
}

/* --- who decides --- */

#define OPERATIONS_END 128

static mock_decide_fn *const changes[OPERATIONS_END] = {
    [OPERATION_CARD_ISSUE] = card_issue,
    [OPERATION_CARD_BLOCK] = card_block,
    [OPERATION_CARD_UNBLOCK] = card_unblock,
    [OPERATION_CARD_CLOSE] = card_close,
    [OPERATION_PURCHASE] = mock_purchase,
    [OPERATION_RETURN] = mock_return,
    [OPERATION_UNLINKED_RETURN] = mock_unlinked_return,
    [OPERATION_REDEEM] = mock_redeem,
    [OPERATION_HOLD] = mock_hold,
    [OPERATION_CAPTURE] = mock_capture,
    [OPERATION_RELEASE] = mock_release,
    [OPERATION_REVERSAL] = mock_reversal,
    [OPERATION_DAY_CLOSE] = mock_day_close,
    [OPERATION_ADJUST] = adjust,
    [OPERATION_BONUS] = bonus,
};

static mock_read_fn *const reads[OPERATIONS_END] = {
    [OPERATION_CARD_SHOW] = card_show,
    [OPERATION_QUOTE] = mock_quote,
    [OPERATION_RETURN_PREVIEW] = mock_return_preview,
    [OPERATION_DAY_TOTALS] = mock_day_totals,
    [OPERATION_DAY_NUMBERS] = mock_day_numbers,
};

enum mock_verdict mock_decide(struct mock *mock, struct mock_change *change)
{
    enum operation operation = change->row->code;
    if (operation >= OPERATIONS_END || changes[operation] == NULL)
        return MOCK_UNKNOWN;
    mock_holds_end(mock);
    change->made.date = mock_day(mock->now_us);
    enum mock_verdict verdict = changes[operation](mock, change);
    struct mock_made *made = &change->made;
    made->booked = verdict == MOCK_DONE;
    if (!made->booked) {
        free(made->document);
        free(made->lines);
        *made = (struct mock_made){ .booked = false };
        return verdict;
    }
    if (made->document != NULL)
        mock_index_set(mock, made->document, change->position);
    if (made->account != NULL)
        made->account->last_event = change->position;
    if (made->account != NULL && made->suspended && made->account->status == MOCK_CARD_UNKNOWN)
        made->account->status = MOCK_CARD_SUSPENSE;
    return verdict;
}

enum mock_verdict mock_read(struct mock *mock, enum operation operation)
{
    if (operation >= OPERATIONS_END || reads[operation] == NULL)
        return MOCK_UNKNOWN;
    mock_holds_end(mock);
    return reads[operation](mock);
}
