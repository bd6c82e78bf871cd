/* One round of a handle: connect, receive, give up what is too late, send. Nothing here waits. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/client.h"
#include "proto/message.h"

#define ATTEMPT_MIN_US (UINT64_C(250) * 1000)
#define ATTEMPT_MAX_US (UINT64_C(5) * 1000 * 1000)
#define PING_IDLE_US (UINT64_C(60) * 1000 * 1000) /* the server closes after three times as long */
#define PING_ANSWER_US (UINT64_C(10) * 1000 * 1000)
#define STUCK_US (UINT64_C(30) * 1000 * 1000) /* a change in doubt is asked for again on a new link */
#define STAGED_MAX ((size_t)64 * 1024)        /* bytes handed to the socket at once, but for the last frame */
#define HELLO_WIRE_MAX 256

/* --- the link --- */

/* What must be forgotten with a link that went down. Harmless to repeat. */
static void notice_loss(struct punkt *punkt)
{
    if (punkt->link.state != LINK_DOWN)
        return;
    punkt->ready = false;
    punkt->info.connected = false;
    punkt->ping_number = 0;
    punkt->input_left = false;
    lane_lost(punkt);
}

__attribute__((format(printf, 3, 4))) static void drop(struct punkt *punkt, uint64_t now_us,
                                                       const char *format, ...)
{
    char why[LINK_TROUBLE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    link_close(&punkt->link, now_us, "%s", why);
    notice_loss(punkt);
}

/* How long connecting and HELLO may take: a share of what a call may take for each address. */
static uint64_t attempt_timeout_us(const struct punkt *punkt)
{
    unsigned addresses = punkt->link.addresses.count > 0 ? punkt->link.addresses.count : 1;
    uint64_t timeout_us = (uint64_t)punkt->timeout_ms * 1000 / addresses;
    if (timeout_us < ATTEMPT_MIN_US)
        return ATTEMPT_MIN_US;
    return timeout_us < ATTEMPT_MAX_US ? timeout_us : ATTEMPT_MAX_US;
}

static void stage_bytes(struct punkt *punkt, enum operation operation, enum message message, const void *in,
                        uint64_t number, uint64_t now_us)
{
    uint8_t frame[FRAME_HEADER_SIZE + HELLO_WIRE_MAX];
    struct wire_writer writer = wire_writer_over(frame + FRAME_HEADER_SIZE, HELLO_WIRE_MAX);
    message_encode(message, in, &writer);
    frame_put_header(frame, (uint32_t)wire_written(&writer), (uint16_t)operation, 0, number);
    if (writer.failed || !buffer_append(&punkt->link.out, frame, FRAME_HEADER_SIZE + wire_written(&writer)))
        drop(punkt, now_us, "no memory");
    punkt->active_us = now_us;
}

static void say_hello(struct punkt *punkt, uint64_t now_us)
{
    struct msg_hello_request hello = {
        .version_min = PROTOCOL_VERSION,
        .version_max = PROTOCOL_VERSION,
        .epoch = punkt->epoch,
        .first_unanswered = lane_first_unanswered(punkt),
        .software = { .data = punkt->software, .size = strlen(punkt->software) },
    };
    punkt->hello_refusal = 0;
    punkt->hello_number = READ_NUMBER | punkt->next_read++;
    punkt->received_us = now_us;
    punkt->link.deadline_us = now_us + attempt_timeout_us(punkt);
    stage_bytes(punkt, OPERATION_HELLO, MESSAGE_hello_request, &hello, punkt->hello_number, now_us);
}

static void connect_step(struct punkt *punkt, uint64_t now_us)
{
    if (punkt->order_count > 0 || punkt->connect_wanted)
        link_try(&punkt->link, now_us, attempt_timeout_us(punkt));
    if (link_connected(&punkt->link, now_us))
        say_hello(punkt, now_us);
    if (punkt->link.state == LINK_OPEN && !punkt->ready && now_us >= punkt->link.deadline_us)
        drop(punkt, now_us, "no answer to hello in time");
    notice_loss(punkt);
}

static void keep_alive(struct punkt *punkt, uint64_t now_us)
{
    if (punkt->ping_number != 0 && now_us >= punkt->ping_us + PING_ANSWER_US) {
        drop(punkt, now_us, "no answer to a ping");
    } else if (punkt->ping_number == 0 && now_us >= punkt->active_us + PING_IDLE_US) {
        struct msg_ping_request ping = { 0 };
        punkt->ping_number = READ_NUMBER | punkt->next_read++;
        punkt->ping_us = now_us;
        stage_bytes(punkt, OPERATION_PING, MESSAGE_ping_request, &ping, punkt->ping_number, now_us);
    }
}

uint64_t process_due_us(const struct punkt *punkt, uint64_t now_us)
{
    if (!punkt->ready)
        return punkt->link.deadline_us;
    uint64_t alive_us =
        punkt->ping_number != 0 ? punkt->ping_us + PING_ANSWER_US : punkt->active_us + PING_IDLE_US;
    uint64_t wake_us = lane_wake_us(punkt, now_us);
    return alive_us < wake_us ? alive_us : wake_us;
}

/* --- how requests end --- */

/* Hands punkt->answer to whoever waits. The slot is out of the order already, so that the callback may submit. */
static void call_back(struct punkt *punkt, struct slot *slot)
{
    punkt_done_fn *on_done = slot->on_done;
    slot->on_done = NULL;
    if (slot->change && punkt->answer.head.call != PUNKT_CALL_NOT_SENT) {
        punkt->answer.head.epoch = punkt->epoch;
        punkt->answer.head.number = slot->number;
    }
    punkt->ended++;
    punkt->in_callback = true;
    on_done(punkt, &punkt->answer.head, slot->ctx);
    punkt->in_callback = false;
}

static void tell_last_refusal(struct punkt *punkt, const struct slot *slot)
{
    struct punkt_answer *head = &punkt->answer.head;
    if (slot->refusal_code != 0) {
        if (head->call == PUNKT_CALL_REFUSED)
            call_head_code(head, slot->refusal_code);
        head->code = slot->refusal_code;
        head->needed = slot->refusal_needed;
        head->available = slot->refusal_available;
        head->detail = slot->refusal_detail;
    } else {
        if (head->call == PUNKT_CALL_NOT_SENT)
            head->code = punkt->hello_refusal;
        head->detail = punkt->link.trouble;
    }
}

/* The deadline of a request has passed. */
static void give_up(struct punkt *punkt, struct slot *slot)
{
    enum punkt_call how = lane_give_up(punkt, slot);
    call_head(slot->call, slot->operation, how, &punkt->answer);
    if (how == PUNKT_CALL_UNKNOWN && !slot->change)
        punkt->answer.head.text = "no answer in time";
    tell_last_refusal(punkt, slot);
    if (how == PUNKT_CALL_UNKNOWN && slot->change)
        slot->in_doubt = true; /* stays where it is: nothing newer may overtake it */
    else
        slot_remove(punkt, slot, SLOT_FREE);
    call_back(punkt, slot);
}

/* Too large for this server, and not yet sent: nobody needs to wait for it. */
static bool too_large(const struct punkt *punkt, const struct slot *slot)
{
    return punkt->ready && slot->number == 0 && buffer_size(&slot->frame) > punkt->info.frame_max;
}

static void refuse_too_large(struct punkt *punkt, struct slot *slot)
{
    call_head(slot->call, slot->operation, PUNKT_CALL_REFUSED, &punkt->answer);
    call_head_code(&punkt->answer.head, PUNKT_RESULT_FRAME_TOO_LARGE);
    slot_remove(punkt, slot, SLOT_FREE);
    call_back(punkt, slot);
}

/* From the newest to the oldest, so that of changes which were all refused each can give its number back. */
static void expire(struct punkt *punkt, uint64_t now_us)
{
    bool silent = false;
    for (unsigned i = punkt->order_count; i-- > 0 && !punkt->stop;) {
        struct slot *slot = punkt->order[i];
        if (slot->in_doubt) {
            silent |= slot->state == SLOT_IN_FLIGHT && now_us >= slot->staged_us + STUCK_US;
        } else if (now_us >= slot->deadline_us) {
            /* Not one byte came since it was sent: the link may be dead without saying so. */
            silent |= slot->state == SLOT_IN_FLIGHT && punkt->received_us < slot->staged_us;
            give_up(punkt, slot);
        } else if (too_large(punkt, slot)) {
            refuse_too_large(punkt, slot);
        }
    }
    if (silent)
        drop(punkt, now_us, "no answer in time");
}

static bool fill_answer(struct punkt *punkt, const struct call *call, const struct call_bytes *bytes,
                        uint16_t flags)
{
    bool good = call_decode(call, bytes, &punkt->arena, &punkt->answer);
    punkt->answer.head.replayed = (flags & FRAME_FLAG_REPLAYED) != 0;
    return good;
}

bool process_settled(struct punkt *punkt, const struct slot *slot)
{
    struct call_bytes bytes = { slot->answer_type, buffer_data(&slot->answer), buffer_size(&slot->answer) };
    bool good = fill_answer(punkt, slot->call, &bytes, slot->answer_flags);
    punkt->answer.head.epoch = punkt->epoch;
    punkt->answer.head.number = slot->number;
    return good;
}

/* Keeps the answer to a change in doubt for punkt_repeat. Without memory the change is no longer in doubt either:
 * punkt_status can tell what became of it. */
static void settle(struct punkt *punkt, struct slot *slot, const struct frame *frame)
{
    buffer_clear(&slot->answer);
    bool kept = buffer_append(&slot->answer, frame->body, frame->body_size);
    slot->answer_type = frame->type;
    slot->answer_flags = frame->flags;
    slot_remove(punkt, slot, kept ? SLOT_SETTLED : SLOT_FREE);
}

/* --- what the server sends --- */

static bool hello_acceptable(struct punkt *punkt, const struct msg_hello_answer *hello, uint64_t now_us)
{
    if (hello->version != PROTOCOL_VERSION) {
        drop(punkt, now_us, "it speaks version %" PRIu64 " of the protocol", hello->version);
        return false;
    }
    if (punkt->ledger_known &&
        memcmp(hello->journal_id, punkt->info.journal_id, sizeof(hello->journal_id)) != 0) {
        drop(punkt, now_us, "it keeps another ledger than the server that was spoken to before");
        return false;
    }
    if (punkt->ledger_known && hello->term < punkt->info.term) {
        drop(punkt, now_us, "its term %" PRIu64 " is older than %" PRIu64 ", which was seen before",
             hello->term, punkt->info.term);
        return false;
    }
    if (hello->in_flight_max == 0 || hello->frame_max <= FRAME_HEADER_SIZE) {
        drop(punkt, now_us, "it takes no requests");
        return false;
    }
    return true;
}

static void text_out(char *out, size_t capacity, const struct message_text *text)
{
    size_t size = text->size < capacity ? text->size : capacity - 1;
    if (size > 0)
        memcpy(out, text->data, size);
    out[size] = '\0';
}

static void learn(struct punkt *punkt, const struct msg_hello_answer *hello)
{
    struct timespec wall;
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    struct punkt_server_info *info = &punkt->info;
    *info = (struct punkt_server_info){
        .size = sizeof(*info),
        .known = true,
        .connected = true,
        .term = hello->term,
        .last_booked = hello->last_booked,
        .time_us = (int64_t)hello->time,
        .time_offset_us = (int64_t)hello->time - ((int64_t)wall.tv_sec * 1000000 + wall.tv_nsec / 1000),
        .frame_max = (uint32_t)hello->frame_max,
        .in_flight_max = (uint32_t)hello->in_flight_max,
        .currency_exponent = (uint32_t)hello->currency_exponent,
        .points_decimals = (uint32_t)hello->points_decimals,
        .programme_version = (uint32_t)hello->programme_version,
    };
    memcpy(info->journal_id, hello->journal_id, sizeof(info->journal_id));
    text_out(info->currency, sizeof(info->currency), &hello->currency);
    text_out(info->zone, sizeof(info->zone), &hello->zone);
    punkt->ledger_known = true;
}

/* Before HELLO was answered: the only frame that may come is that answer, or a refusal of the connection. */
static bool take_hello(struct punkt *punkt, const struct frame *frame, uint64_t now_us)
{
    struct message_memory none = { 0 };
    struct msg_hello_answer hello;
    struct msg_refusal refusal;
    const char *field;
    if ((frame->type & FRAME_TYPE_REFUSED) != 0) {
        if (!message_decode(MESSAGE_refusal, frame->body, frame->body_size, &none, &refusal, &field))
            return false;
        punkt->hello_refusal = (uint32_t)refusal.result;
        drop(punkt, now_us, "%s%s%.*s", punkt_result_text((uint32_t)refusal.result),
             refusal.detail.size > 0 ? ": " : "", (int)refusal.detail.size, refusal.detail.data);
        return true;
    }
    if (frame->type != (FRAME_TYPE_DONE | OPERATION_HELLO) || frame->number != punkt->hello_number ||
        !message_decode(MESSAGE_hello_answer, frame->body, frame->body_size, &none, &hello, &field))
        return false;
    if (hello_acceptable(punkt, &hello, now_us)) {
        learn(punkt, &hello);
        punkt->ready = true;
        link_greeted(&punkt->link);
        punkt->link.trouble[0] = '\0';
    }
    return true;
}

static void take_refusal_again(struct punkt *punkt, struct slot *slot, uint64_t now_us)
{
    const struct punkt_answer *head = &punkt->answer.head;
    slot->refusal_code = head->code;
    slot->refusal_needed = head->needed;
    slot->refusal_available = head->available;
    (void)snprintf(slot->refusal_detail, sizeof(slot->refusal_detail), "%s", head->detail);
    lane_refused(punkt, slot, now_us);
}

static void take_final(struct punkt *punkt, struct slot *slot, const struct frame *frame)
{
    link_progress(&punkt->link);
    if (slot->change)
        lane_moved(punkt);
    if (slot->in_doubt) {
        settle(punkt, slot, frame);
        return;
    }
    slot_remove(punkt, slot, SLOT_FREE);
    call_back(punkt, slot);
}

/* False: this is not what a server sends. */
static bool take_answer(struct punkt *punkt, const struct frame *frame, uint64_t now_us)
{
    uint16_t kind = frame->type & (FRAME_TYPE_DONE | FRAME_TYPE_REFUSED);
    if (kind != FRAME_TYPE_DONE && kind != FRAME_TYPE_REFUSED)
        return false;
    if (!punkt->ready)
        return take_hello(punkt, frame, now_us);
    if (frame->number == punkt->ping_number && punkt->ping_number != 0) {
        punkt->ping_number = 0;
        return true;
    }
    struct slot *slot = slot_in_flight(punkt, frame->number);
    if (slot == NULL) /* to a question that nobody waits for any more? */
        return (frame->number & READ_NUMBER) != 0 && (frame->number & ~READ_NUMBER) < punkt->next_read;
    struct call_bytes bytes = { frame->type, frame->body, frame->body_size };
    if ((frame->type & FRAME_TYPE_OPERATION) != slot->operation ||
        !fill_answer(punkt, slot->call, &bytes, frame->flags))
        return false;
    if (punkt->answer.head.call == PUNKT_CALL_REFUSED && punkt->answer.head.retryable)
        take_refusal_again(punkt, slot, now_us);
    else
        take_final(punkt, slot, frame);
    return true;
}

/* Looks at the frames that are whole. */
static void take_frames(struct punkt *punkt, uint64_t now_us)
{
    punkt->input_left = false;
    while (punkt->link.state == LINK_OPEN && buffer_size(&punkt->link.in) > 0) {
        struct frame frame;
        size_t wanted;
        uint32_t body_max = punkt->ready ? FRAME_BODY_MAX : FRAME_BODY_MAX_BEFORE_HELLO;
        if (punkt->stop) {
            punkt->input_left = true;
            return;
        }
        switch (frame_split(buffer_data(&punkt->link.in), buffer_size(&punkt->link.in), body_max, &frame,
                            &wanted)) {
        case FRAME_WHOLE:
            if (!take_answer(punkt, &frame, now_us)) {
                drop(punkt, now_us, "it sent what no server sends");
                return;
            }
            buffer_consume(&punkt->link.in, wanted);
            break;
        case FRAME_NEED_MORE:
            if (!buffer_reserve(&punkt->link.in, wanted - buffer_size(&punkt->link.in)))
                drop(punkt, now_us, "no memory for its answer");
            return;
        case FRAME_BROKEN:
            drop(punkt, now_us, "it sent a frame larger than any answer");
            return;
        }
    }
}

static void receive(struct punkt *punkt, bool readable, uint64_t now_us)
{
    if (punkt->input_left)
        take_frames(punkt, now_us);
    if (!readable || punkt->stop || punkt->link.state != LINK_OPEN)
        return;
    size_t before = buffer_size(&punkt->link.in);
    if (link_receive(&punkt->link, now_us) && buffer_size(&punkt->link.in) > before) {
        punkt->received_us = now_us;
        punkt->active_us = now_us;
        take_frames(punkt, now_us);
    }
    notice_loss(punkt);
}

/* --- what we send --- */

static bool stage_slot(struct punkt *punkt, struct slot *slot, uint64_t now_us)
{
    uint64_t number = slot->number;
    if (number == 0)
        number = slot->change ? punkt->next_number : READ_NUMBER | punkt->next_read;
    frame_put_header(buffer_data(&slot->frame), (uint32_t)(buffer_size(&slot->frame) - FRAME_HEADER_SIZE),
                     slot->operation, slot->flags, number);
    if ((slot->flags & FRAME_FLAG_SECRET) != 0)
        buffer_mark_secret(&punkt->link.out);
    if (!buffer_append(&punkt->link.out, buffer_data(&slot->frame), buffer_size(&slot->frame)))
        return false;
    if (slot->number == 0 && slot->change)
        punkt->next_number++;
    else if (slot->number == 0)
        punkt->next_read++;
    slot->number = number;
    slot->state = SLOT_IN_FLIGHT;
    slot->staged_us = now_us;
    punkt->active_us = now_us;
    return true;
}

/* Only when the socket has taken everything before: so that of what could not go nothing was sent. */
static void stage(struct punkt *punkt, uint64_t now_us)
{
    unsigned index = 0;
    struct slot *slot;
    if (buffer_size(&punkt->link.out) > 0)
        return;
    while (buffer_size(&punkt->link.out) < STAGED_MAX && (slot = lane_next(punkt, now_us, &index)) != NULL) {
        if (too_large(punkt, slot) || !stage_slot(punkt, slot, now_us))
            return;
    }
}

unsigned process(struct punkt *punkt, bool readable)
{
    if (punkt->in_callback)
        return 0;
    uint64_t now_us = link_now_us();
    punkt->ended = 0;
    punkt->stop = false;
    connect_step(punkt, now_us);
    if (punkt->link.state == LINK_OPEN)
        receive(punkt, readable, now_us);
    expire(punkt, now_us);
    if (punkt->ready) {
        stage(punkt, now_us);
        keep_alive(punkt, now_us);
    }
    if (punkt->link.state == LINK_OPEN)
        (void)link_flush(&punkt->link, now_us);
    notice_loss(punkt);
    return punkt->ended;
}
