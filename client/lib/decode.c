/* Answers, from the bytes of a frame; the table of calls. */
#include <assert.h>
#include <stdalign.h>
#include <string.h>

#include "lib/memory.h"

/* The largest answers are a statement's page, a card with its lots and a programme's text, each with what is made
 * of it. */
#define ARENA_SIZE ((size_t)256 * 1024)

/* It stands inside the structs of all answers, and so is what it was in the first version. */
static_assert(sizeof(void *) != 8 || sizeof(struct punkt_answer) == 128, "the head of answers never grows");

#define ENTRIES_MAX 200
#define CODE_SIZE (WIRE_CODE_MAX + 1)
static_assert(ENTRIES_MAX * (sizeof(struct msg_statement_entry) + sizeof(struct punkt_statement_entry) +
                             6 * CODE_SIZE) <
                  ARENA_SIZE / 2,
              "a page fits");
#define LOTS_MAX 1024
static_assert(LOTS_MAX * (sizeof(struct msg_lot_entry) + sizeof(struct punkt_lot) + sizeof(void *)) <
                  ARENA_SIZE / 4 * 3,
              "a card fits with its lots");

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

void *memory_take(struct message_memory *memory, size_t size)
{
    size_t padding = (size_t)(-(uintptr_t)memory->at & (alignof(max_align_t) - 1));
    if (memory->left < padding || memory->left - padding < size)
        return NULL;
    void *at = memory->at + padding;
    memory->at += padding + size;
    memory->left -= padding + size;
    return at;
}

bool memory_text(struct message_memory *memory, const char *bytes, uint64_t size, const char **out)
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

bool memory_code(struct message_memory *memory, const struct wire_code *code, const char **out)
{
    return memory_text(memory, code->bytes, code->size, out);
}

/* Any answer of the protocol, decoded. */
union any_message {
#define CALL(NAME, name, request, answer) struct msg_##name##_answer name##_;
#include "lib/calls.def"
#undef CALL
};

static bool take_body(const struct call_bytes *bytes, struct message_memory *memory, union any_answer *out)
{
    void *body = memory_take(memory, bytes->size);
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
    return memory_text(memory, refusal.detail.data, refusal.detail.size, &out->head.detail);
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
    union any_answer *first = memory_take(memory, sizeof(*first));
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
        [PUNKT_CALL_NOT_STORED] = "the outbox cannot take it; nothing was sent",
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
