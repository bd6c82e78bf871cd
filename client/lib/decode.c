/* From messages to the answers of punkt.h. */
#include <assert.h>
#include <stdalign.h>
#include <string.h>

#include "lib/call.h"

/* The largest answers are a statement's page and a programme's text, each with what is made of it. */
#define ARENA_SIZE ((size_t)256 * 1024)

#define ENTRIES_MAX 200
#define CODE_SIZE (WIRE_CODE_MAX + 1)
static_assert(ENTRIES_MAX * (sizeof(struct msg_statement_entry) + sizeof(struct punkt_statement_entry) +
                             5 * CODE_SIZE) <
                  ARENA_SIZE / 2,
              "a page fits");

static const struct call calls[] = {
#define CALL(NAME, name, request, answer)                                                                    \
    { OPERATION_##NAME, MESSAGE_##name##_answer, sizeof(struct answer), encode_##name, fill_##name },
#include "lib/calls.def"
#undef CALL
};

static const struct call message_call = {
    .answer_size = sizeof(struct punkt_message_answer),
    .encode = encode_message,
};

const struct call *call_of(uint32_t operation)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (calls[i].operation == operation)
            return &calls[i];
    }
    return &message_call;
}

/* Takes aligned memory; NULL if there is not enough. */
static void *take(struct message_memory *memory, size_t size)
{
    size_t padding = (size_t)(-(uintptr_t)memory->at & (alignof(max_align_t) - 1));
    if (memory->left < padding || memory->left - padding < size)
        return NULL;
    void *at = memory->at + padding;
    memory->at += padding + size;
    memory->left -= padding + size;
    return at;
}

/* Copies a text and gives it the NUL that the wire does not have. */
static bool take_text(struct message_memory *memory, const char *bytes, uint64_t size, const char **out)
{
    if (size >= memory->left)
        return false;
    char *text = (char *)memory->at;
    if (size > 0)
        memcpy(text, bytes, size);
    text[size] = '\0';
    memory->at += size + 1;
    memory->left -= size + 1;
    *out = text;
    return true;
}

static bool take_code(struct message_memory *memory, const struct wire_code *code, const char **out)
{
    return take_text(memory, code->bytes, code->size, out);
}

bool fill_ping(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_ping_answer *msg = message;
    (void)memory;
    out->ping_.time_us = (int64_t)msg->time;
    return true;
}

bool fill_card_issue(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_card_issue_answer *msg = message;
    (void)memory;
    out->card_issue_.position = msg->position;
    out->card_issue_.account = msg->account;
    out->card_issue_.status = (uint32_t)msg->status;
    out->card_issue_.count = (uint32_t)msg->count;
    return true;
}

bool fill_card_show(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_card_show_answer *msg = message;
    (void)memory;
    out->card_show_.account = msg->account;
    out->card_show_.status = (uint32_t)msg->status;
    out->card_show_.available = msg->available;
    out->card_show_.pending = msg->pending;
    out->card_show_.held = msg->held;
    out->card_show_.debt = msg->debt;
    out->card_show_.lifetime = msg->lifetime;
    out->card_show_.next_expiry_day = (int32_t)msg->next_expiry_day;
    out->card_show_.next_expiry_points = msg->next_expiry_points;
    return true;
}

bool fill_purchase(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_purchase_answer *msg = message;
    (void)memory;
    out->purchase_.position = msg->position;
    out->purchase_.earned = msg->earned;
    out->purchase_.available = msg->available;
    out->purchase_.pending = msg->pending;
    out->purchase_.debt = msg->debt;
    out->purchase_.server_time_used = (msg->flags & 1) != 0;
    return true;
}

bool fill_return(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_return_answer *msg = message;
    (void)memory;
    out->any_return.position = msg->position;
    out->any_return.taken = msg->taken;
    out->any_return.given_back = msg->given_back;
    out->any_return.shortfall = msg->shortfall;
    out->any_return.available = msg->available;
    out->any_return.debt = msg->debt;
    out->any_return.server_time_used = (msg->flags & 1) != 0;
    return true;
}

bool fill_unlinked_return(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_unlinked_return_answer *msg = message;
    (void)memory;
    out->any_return.position = msg->position;
    out->any_return.taken = msg->taken;
    out->any_return.given_back = msg->given_back;
    out->any_return.shortfall = msg->shortfall;
    out->any_return.available = msg->available;
    out->any_return.debt = msg->debt;
    out->any_return.server_time_used = (msg->flags & 1) != 0;
    return true;
}

bool fill_redeem(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_redeem_answer *msg = message;
    (void)memory;
    out->redeem_.position = msg->position;
    out->redeem_.redeemed = msg->redeemed;
    out->redeem_.available = msg->available;
    out->redeem_.worth = (int64_t)msg->worth;
    return true;
}

bool fill_adjust(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_adjust_answer *msg = message;
    (void)memory;
    out->adjust_.position = msg->position;
    out->adjust_.points = msg->points;
    out->adjust_.available = msg->available;
    out->adjust_.debt = msg->debt;
    return true;
}

static bool fill_entry(const struct msg_statement_entry *in, struct message_memory *memory,
                       struct punkt_statement_entry *out)
{
    *out = (struct punkt_statement_entry){
        .size = sizeof(*out),
        .position = in->position,
        .time_us = (int64_t)in->time,
        .kind = (uint32_t)in->kind,
        .points = in->points,
        .balance = in->balance,
    };
    return take_code(memory, &in->store, &out->store) && take_code(memory, &in->till, &out->till) &&
           take_code(memory, &in->receipt, &out->receipt) && take_code(memory, &in->reason, &out->reason) &&
           take_code(memory, &in->operator, & out->operator_);
}

bool fill_statement(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_statement_answer *msg = message;
    struct punkt_statement_entry *entries = take(memory, msg->entries_count * sizeof(*entries));
    if (entries == NULL)
        return false;
    for (size_t i = 0; i < msg->entries_count; i++) {
        if (!fill_entry(&msg->entries[i], memory, &entries[i]))
            return false;
    }
    out->statement_.next = msg->next;
    out->statement_.entry_count = msg->entries_count;
    out->statement_.entries = entries;
    return true;
}

bool fill_totals(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_totals_answer *msg = message;
    (void)memory;
    out->totals_.accounts = msg->accounts;
    out->totals_.cards = msg->cards;
    out->totals_.earned = msg->earned;
    out->totals_.redeemed = msg->redeemed;
    out->totals_.returned = msg->returned;
    out->totals_.adjusted = msg->adjusted;
    out->totals_.outstanding = msg->outstanding;
    out->totals_.debt = msg->debt;
    out->totals_.accounts_in_debt = msg->accounts_in_debt;
    out->totals_.events = msg->events;
    return true;
}

bool fill_programme_show(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_programme_show_answer *msg = message;
    out->programme_show_.version = (uint32_t)msg->version;
    out->programme_show_.from_us = (int64_t)msg->from;
    return take_text(memory, msg->text.data, msg->text.size, &out->programme_show_.text);
}

bool fill_audit_verify(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_audit_verify_answer *msg = message;
    out->audit_verify_.blocks = msg->blocks;
    out->audit_verify_.events = msg->events;
    out->audit_verify_.state = (uint32_t)msg->state;
    out->audit_verify_.offset = msg->offset;
    return take_text(memory, msg->file.data, msg->file.size, &out->audit_verify_.file) &&
           take_text(memory, msg->detail.data, msg->detail.size, &out->audit_verify_.detail);
}

bool fill_clock_accept(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_clock_accept_answer *msg = message;
    (void)memory;
    out->clock_accept_.position = msg->position;
    out->clock_accept_.before_us = (int64_t)msg->before;
    out->clock_accept_.after_us = (int64_t)msg->after;
    return true;
}

/* Any answer of the protocol, decoded. */
union any_message {
#define CALL(NAME, name, request, answer) struct msg_##name##_answer name##_;
#include "lib/calls.def"
#undef CALL
};

static bool take_body(const struct call_bytes *bytes, struct message_memory *memory, union any_answer *out)
{
    void *body = take(memory, bytes->size);
    if (body == NULL)
        return false;
    if (bytes->size > 0)
        memcpy(body, bytes->body, bytes->size);
    out->message_.type = bytes->type;
    out->message_.body = body;
    out->message_.body_size = bytes->size;
    return true;
}

static bool decode_done(const struct call *call, const struct call_bytes *bytes,
                        struct message_memory *memory, union any_answer *out)
{
    union any_message message;
    const char *field;
    if (call->fill == NULL)
        return take_body(bytes, memory, out);
    return message_decode(call->message, bytes->body, bytes->size, memory, &message, &field) &&
           call->fill(&message, memory, out);
}

static bool decode_refused(const struct call *call, const struct call_bytes *bytes,
                           struct message_memory *memory, union any_answer *out)
{
    struct msg_refusal refusal;
    const char *field;
    if (!message_decode(MESSAGE_refusal, bytes->body, bytes->size, memory, &refusal, &field) ||
        refusal.result == RESULT_DONE || (call->fill == NULL && !take_body(bytes, memory, out)))
        return false;
    call_head_code(&out->head, (uint32_t)refusal.result);
    out->head.needed = refusal.needed;
    out->head.available = refusal.available;
    return take_text(memory, refusal.detail.data, refusal.detail.size, &out->head.detail);
}

static bool decode(const struct call *call, const struct call_bytes *bytes, struct message_memory *memory,
                   union any_answer *out)
{
    bool done = (bytes->type & FRAME_TYPE_DONE) != 0;
    call_head(call, bytes->type & FRAME_TYPE_OPERATION, done ? PUNKT_CALL_DONE : PUNKT_CALL_REFUSED, out);
    return done ? decode_done(call, bytes, memory, out) : decode_refused(call, bytes, memory, out);
}

bool fill_status(const void *message, struct message_memory *memory, union any_answer *out)
{
    const struct msg_status_answer *msg = message;
    out->status_.state = (uint32_t)msg->state;
    uint16_t operation = (uint16_t)(msg->type & FRAME_TYPE_OPERATION);
    const struct call *call = call_of(operation);
    struct call_bytes bytes = { (uint16_t)msg->type, msg->answer.data, msg->answer.size };
    if (msg->state == PUNKT_STATUS_NEVER_SEEN || operation == OPERATION_STATUS)
        return true; /* the answer to a status is not a change: it holds no other answer */
    union any_answer *first = take(memory, sizeof(*first));
    if (first == NULL)
        return false;
    if (!decode(call, &bytes, memory, first))
        return false;
    first->head.size = call->answer_size;
    first->head.replayed = true;
    out->status_.first = &first->head;
    return true;
}

bool call_decode(const struct call *call, const struct call_bytes *bytes, struct buffer *arena,
                 union any_answer *out)
{
    buffer_clear(arena); /* what it held is given up */
    if (!buffer_reserve(arena, ARENA_SIZE + (call->fill == NULL ? bytes->size : 0)))
        return false;
    struct message_memory memory = { .at = arena->bytes, .left = arena->capacity };
    return decode(call, bytes, &memory, out);
}

void call_head(const struct call *call, uint32_t operation, enum punkt_call how, union any_answer *out)
{
    static const char *const texts[] = {
        [PUNKT_CALL_DONE] = "done",
        [PUNKT_CALL_REFUSED] = "refused",
        [PUNKT_CALL_QUEUED] = "stored here, to be sent later",
        [PUNKT_CALL_NOT_SENT] = "the server could not be reached; nothing was sent",
        [PUNKT_CALL_UNKNOWN] = "no answer in time; whether it was booked is not known",
        [PUNKT_CALL_INVALID] = "the request cannot be sent",
        [PUNKT_CALL_WINDOW_FULL] = "too many requests are unanswered",
        [PUNKT_CALL_NO_MEMORY] = "no memory",
    };
    memset(out, 0, sizeof(*out));
    out->head.size = call != NULL ? call->answer_size : sizeof(out->head);
    out->head.call = how;
    out->head.name = punkt_call_name(how);
    out->head.text = texts[how];
    out->head.detail = "";
    out->head.operation = operation;
}

void call_head_code(struct punkt_answer *head, uint32_t code)
{
    head->code = code;
    head->name = punkt_result_name(code);
    head->text = punkt_result_text(code);
    head->retryable = punkt_result_retryable(code);
}
