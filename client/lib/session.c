/* One round of a session: connect, receive, give up what is too late, send. Nothing here waits. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/client.h"
#include "proto/message.h"

#define PING_IDLE_US (UINT64_C(60) * 1000 * 1000) /* the server closes after three times as long */
#define PING_ANSWER_US (UINT64_C(10) * 1000 * 1000)
#define STUCK_US (UINT64_C(30) * 1000 * 1000) /* a change in doubt is asked for again on a new link */
#define STAGED_MAX ((size_t)64 * 1024)        /* bytes handed to the socket at once, but for the last frame */
#define HELLO_WIRE_MAX 256

/* --- the link --- */

/* What must be forgotten with a link that went down. Harmless to repeat. */
static void notice_loss(struct session *session)
{
    if (session->link.state != LINK_DOWN)
        return;
    session->ready = false;
    session->greeted = false;
    session->ping_number = 0;
    session->input_left = false;
    lane_lost(session);
}

void session_drop(struct session *session, uint64_t now_us, const char *format, ...)
{
    char why[LINK_TROUBLE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why, sizeof(why), format, arguments);
    va_end(arguments);
    link_close(&session->link, now_us, "%s", why);
    notice_loss(session);
}

/*
 * A server that has said nothing since then is as good as none, until HELLO is answered again. What the handle's other
 * link has not heard from it either goes, too.
 */
static void session_silent(struct session *session, uint64_t since_us, uint64_t now_us, const char *why)
{
    struct punkt *punkt = session->punkt;
    struct session *other = session == &punkt->live ? &punkt->queue : &punkt->live;
    session->suspect = true;
    session_drop(session, now_us, "%s", why);
    if (other->ready && other->received_us <= since_us) {
        other->suspect = true;
        session_drop(other, now_us, "%s", why);
    }
}

static void stage_bytes(struct session *session, enum operation operation, enum message message,
                        const void *in, uint64_t number, uint64_t now_us)
{
    uint8_t frame[FRAME_HEADER_SIZE + HELLO_WIRE_MAX];
    struct wire_writer writer = wire_writer_over(frame + FRAME_HEADER_SIZE, HELLO_WIRE_MAX);
    message_encode(message, in, &writer);
    frame_put_header(frame, (uint32_t)wire_written(&writer), (uint16_t)operation, 0, number);
    if (writer.failed || !buffer_append(&session->link.out, frame, FRAME_HEADER_SIZE + wire_written(&writer)))
        session_drop(session, now_us, "no memory");
    session->active_us = now_us;
}

static uint64_t patience_us(const struct session *session)
{
    return budget_us(session->punkt, 0);
}

static void say_hello(struct session *session, uint64_t now_us)
{
    session->hello_first = lane_first_unanswered(session);
    struct msg_hello_request hello = {
        .version_min = PROTOCOL_VERSION,
        .version_max = PROTOCOL_VERSION,
        .epoch = session->epoch,
        .first_unanswered = session->hello_first,
        .software = { .data = session->punkt->software, .size = strlen(session->punkt->software) },
        .receipt_width = session->punkt->receipt_width,
    };
    (void)wire_code_from(session->punkt->language, strlen(session->punkt->language), &hello.receipt_language);
    session->hello_refusal = 0;
    session->hello_number = READ_NUMBER | session->next_read++;
    session->received_us = now_us;
    session->hello_us = now_us;
    session->link.deadline_us = now_us + link_share_us(&session->link, patience_us(session));
    stage_bytes(session, OPERATION_HELLO, MESSAGE_hello_request, &hello, session->hello_number, now_us);
}

/* One of several servers: as long as others are untried, nobody is sent away for it. */
static void hello_unanswered(struct session *session, uint64_t now_us)
{
    bool suspect = session->suspect || session->link.failures >= session->link.addresses.count;
    session_silent(session, session->hello_us, now_us, "no answer to hello in time");
    session->suspect = suspect;
}

static void connect_step(struct session *session, uint64_t now_us)
{
    if (session->order_count > 0 || session->wanted)
        link_try(&session->link, now_us, patience_us(session));
    if (link_connected(&session->link, now_us))
        say_hello(session, now_us);
    if (session->link.state == LINK_OPEN && !session->ready && now_us >= session->link.deadline_us)
        hello_unanswered(session, now_us);
    notice_loss(session);
}

static void keep_alive(struct session *session, uint64_t now_us)
{
    if (session->ping_number != 0 && now_us >= session->ping_us + PING_ANSWER_US) {
        session_silent(session, session->ping_us, now_us, "no answer to a ping");
    } else if (session->ping_number == 0 && now_us >= session->active_us + PING_IDLE_US) {
        struct msg_ping_request ping = { 0 };
        session->ping_number = READ_NUMBER | session->next_read++;
        session->ping_us = now_us;
        stage_bytes(session, OPERATION_PING, MESSAGE_ping_request, &ping, session->ping_number, now_us);
    }
}

uint64_t session_due_us(const struct session *session, uint64_t now_us)
{
    if (!session->ready)
        return session->link.deadline_us;
    uint64_t alive_us =
        session->ping_number != 0 ? session->ping_us + PING_ANSWER_US : session->active_us + PING_IDLE_US;
    uint64_t wake_us = lane_wake_us(session, now_us);
    return alive_us < wake_us ? alive_us : wake_us;
}

/* --- how requests end --- */

void session_call_back(struct session *session, struct slot *slot)
{
    struct punkt *punkt = session->punkt;
    punkt_done_fn *on_done = slot->on_done;
    slot->on_done = NULL;
    if (slot->change && punkt->answer.head.call != PUNKT_CALL_NOT_SENT) {
        punkt->answer.head.epoch = session->epoch;
        punkt->answer.head.number = slot->number;
    }
    if (slot->keeper)
        on_done(punkt, &punkt->answer.head, slot->ctx);
    else
        tell(punkt, on_done, slot->ctx);
}

static void tell_last_refusal(struct session *session, const struct slot *slot)
{
    struct punkt_answer *head = &session->punkt->answer.head;
    if (slot->refusal_code != 0) {
        if (head->call == PUNKT_CALL_REFUSED)
            call_head_code(head, slot->refusal_code);
        head->code = slot->refusal_code;
        head->needed = slot->refusal_needed;
        head->available = slot->refusal_available;
        head->detail = slot->refusal_detail;
    } else {
        if (head->call == PUNKT_CALL_NOT_SENT)
            head->code = session->hello_refusal;
        head->detail = session->link.trouble;
    }
}

/* The deadline of a request has passed. */
static void give_up(struct session *session, struct slot *slot)
{
    enum punkt_call how = slot->entry != NULL ? PUNKT_CALL_QUEUED : lane_give_up(session, slot);
    call_head(slot->call, slot->operation, how, &session->punkt->answer);
    if (how == PUNKT_CALL_UNKNOWN && !slot->change)
        session->punkt->answer.head.text = "no answer in time";
    tell_last_refusal(session, slot);
    if (how == PUNKT_CALL_QUEUED || (how == PUNKT_CALL_UNKNOWN && slot->change))
        slot->in_doubt = true; /* stays where it is: nothing newer may overtake it */
    else
        slot_remove(session, slot, SLOT_FREE);
    session_call_back(session, slot);
}

/* Too large for this server, and not yet sent: nobody needs to wait for it. */
static bool too_large(const struct session *session, const struct slot *slot)
{
    return session->ready && slot->number == 0 && buffer_size(&slot->frame) > session->punkt->info.frame_max;
}

static void refuse_too_large(struct session *session, struct slot *slot)
{
    call_head(slot->call, slot->operation, PUNKT_CALL_REFUSED, &session->punkt->answer);
    call_head_code(&session->punkt->answer.head, PUNKT_RESULT_FRAME_TOO_LARGE);
    slot_remove(session, slot, SLOT_FREE);
    session_call_back(session, slot);
}

/* From the newest to the oldest, so that of changes which were all refused each can give its number back. */
static void expire(struct session *session, uint64_t now_us)
{
    uint64_t silent_us = 0; /* since then; 0: it is not */
    for (unsigned i = session->order_count; i-- > 0 && !session->punkt->stop;) {
        struct slot *slot = session->order[i];
        if (slot->in_doubt) {
            if (slot->state == SLOT_IN_FLIGHT && now_us >= slot->staged_us + STUCK_US)
                silent_us = slot->staged_us;
        } else if (now_us >= slot->deadline_us) {
            /* Not one byte came since it was sent (in one round receiving comes first): the link may be dead
             * without saying so. */
            if (slot->state == SLOT_IN_FLIGHT && session->received_us <= slot->staged_us)
                silent_us = slot->staged_us;
            give_up(session, slot);
        } else if (too_large(session, slot)) {
            refuse_too_large(session, slot);
        }
    }
    if (silent_us != 0)
        session_silent(session, silent_us, now_us, "no answer in time");
}

static bool fill_answer(struct session *session, const struct call *call, const struct call_bytes *bytes,
                        uint16_t flags)
{
    bool good = call_decode(call, bytes, &session->punkt->arena, &session->punkt->answer);
    session->punkt->answer.head.replayed = (flags & FRAME_FLAG_REPLAYED) != 0;
    session->punkt->answer_flags = flags;
    return good;
}

void session_answer_as(struct punkt *punkt, const struct call *call)
{
    struct punkt_answer head = punkt->answer.head;
    if (call->fill != NULL || punkt->answer_bytes == NULL)
        return;
    (void)call_decode(call, punkt->answer_bytes, &punkt->arena, &punkt->answer); /* without memory: no body */
    punkt->answer.head.replayed = head.replayed;
    punkt->answer.head.epoch = head.epoch;
    punkt->answer.head.number = head.number;
}

bool session_settled(struct session *session, const struct slot *slot)
{
    struct call_bytes bytes = { slot->answer_type, buffer_data(&slot->answer), buffer_size(&slot->answer) };
    bool good = fill_answer(session, slot->call, &bytes, slot->answer_flags);
    session->punkt->answer.head.epoch = session->epoch;
    session->punkt->answer.head.number = slot->number;
    return good;
}

/* Keeps the answer to a change in doubt for punkt_repeat. Without memory the change is no longer in doubt either:
 * punkt_status can tell what became of it. */
static void settle(struct session *session, struct slot *slot, const struct frame *frame)
{
    buffer_clear(&slot->answer);
    bool kept = buffer_append(&slot->answer, frame->body, frame->body_size);
    slot->answer_type = frame->type;
    slot->answer_flags = frame->flags;
    slot_remove(session, slot, kept ? SLOT_SETTLED : SLOT_FREE);
}

/* --- what the server sends --- */

/* NULL: it keeps the ledger that was spoken to before, if any was. */
static const char *other_ledger(const struct punkt *punkt, const struct msg_hello_answer *hello)
{
    if (!punkt->ledger_known)
        return NULL;
    if (memcmp(hello->journal_id, punkt->info.journal_id, sizeof(hello->journal_id)) != 0)
        return "it keeps another ledger than the server that was spoken to before";
    return hello->term < punkt->info.term ? "its term is older than one that was seen before" : NULL;
}

/* Not spoken to, as long as it is so. */
static void refuse_server(struct session *session, uint64_t now_us, const char *why)
{
    struct punkt *punkt = session->punkt;
    session_drop(session, now_us, "%s", why);
    if (!punkt->alarmed_ledger)
        alarm_somebody(punkt, PUNKT_ALARM_OTHER_LEDGER, "%s", session->link.trouble);
    punkt->alarmed_ledger = true;
}

/* What an earlier identity has sent, and was not answered, would be new under another one's name: booked twice. */
static uint64_t waits_for_other(const struct punkt *punkt, const struct msg_hello_answer *hello)
{
    bool other = punkt->ledger_known && punkt->info.identity != 0 && hello->identity != 0 &&
                 hello->identity != punkt->info.identity;
    return other && punkt->outbox != NULL ? queue_of_earlier(punkt) : 0;
}

static bool hello_acceptable(struct session *session, const struct msg_hello_answer *hello, uint64_t now_us)
{
    struct punkt *punkt = session->punkt;
    const char *other = other_ledger(punkt, hello);
    uint64_t waiting = other == NULL ? waits_for_other(punkt, hello) : 0;
    char why[LINK_TROUBLE_SIZE];
    if (hello->version != PROTOCOL_VERSION) {
        session_drop(session, now_us, "it speaks version %" PRIu64 " of the protocol", hello->version);
        return false;
    }
    if (other != NULL) {
        (void)snprintf(why, sizeof(why), "%s (term %" PRIu64 ")", other, hello->term);
        refuse_server(session, now_us, why);
        return false;
    }
    if (waiting > 0) {
        (void)snprintf(why, sizeof(why),
                       "the outbox has %" PRIu64 " operations of identity %" PRIu64 ", and this is %" PRIu64
                       ": use that one's identity file, or put the outbox aside",
                       waiting, punkt->info.identity, hello->identity);
        refuse_server(session, now_us, why);
        return false;
    }
    if (hello->in_flight_max == 0 || hello->frame_max <= FRAME_HEADER_SIZE) {
        session_drop(session, now_us, "it takes no requests");
        return false;
    }
    punkt->alarmed_ledger = false;
    return true;
}

/* Before HELLO was answered: the only frame that may come is that answer, or a refusal of the connection. */
static bool take_hello(struct session *session, const struct frame *frame, uint64_t now_us)
{
    struct msg_text_line lines[OFFLINE_LINES_MAX];
    struct message_memory memory = { .at = (uint8_t *)lines, .left = sizeof(lines) };
    struct msg_hello_answer hello;
    struct msg_refusal refusal;
    const char *field;
    if ((frame->type & FRAME_TYPE_REFUSED) != 0) {
        if (!message_decode(MESSAGE_refusal, frame->body, frame->body_size, &memory, &refusal, &field))
            return false;
        session->hello_refusal = (uint32_t)refusal.result;
        session_drop(session, now_us, "%s%s%.*s", punkt_result_text((uint32_t)refusal.result),
                     refusal.detail.size > 0 ? ": " : "", (int)refusal.detail.size, refusal.detail.data);
        return true;
    }
    if (frame->type != (FRAME_TYPE_DONE | OPERATION_HELLO) || frame->number != session->hello_number ||
        !message_decode(MESSAGE_hello_answer, frame->body, frame->body_size, &memory, &hello, &field))
        return false;
    if (hello_acceptable(session, &hello, now_us)) {
        known_learn(session->punkt, frame->body, frame->body_size, &hello);
        session->ready = true;
        session->suspect = false;
        if (!session->greeted)
            link_greeted(&session->link);
        session->greeted = true;
        session->link.trouble[0] = '\0';
        if (session->punkt->outbox != NULL)
            queue_hello(session, hello.last_booked, now_us);
    }
    return true;
}

static void take_refusal_again(struct session *session, struct slot *slot, uint64_t now_us)
{
    const struct punkt_answer *head = &session->punkt->answer.head;
    slot->refusal_code = head->code;
    slot->refusal_needed = head->needed;
    slot->refusal_available = head->available;
    (void)snprintf(slot->refusal_detail, sizeof(slot->refusal_detail), "%s", head->detail);
    lane_refused(session, slot, now_us);
}

static void take_final(struct session *session, struct slot *slot, const struct frame *frame)
{
    struct punkt *punkt = session->punkt;
    link_progress(&session->link);
    if (slot->change)
        lane_moved(session);
    if (slot->entry != NULL && !slot->keeper)
        queue_note_answer(punkt, slot->entry);
    if (slot->operation == OPERATION_CARD_SHOW && punkt->answer.head.call == PUNKT_CALL_DONE)
        balances_see(&punkt->balances, slot->card, punkt->answer.card_show_.available, wall_now_us(punkt));
    if (slot->in_doubt && !slot->keeper) {
        settle(session, slot, frame);
        if (slot->entry != NULL)
            queue_tell_settled(punkt, slot->entry);
        return;
    }
    slot_remove(session, slot, SLOT_FREE);
    if (!slot->keeper)
        session_answer_as(punkt, slot->call);
    session_call_back(session, slot);
}

/* False: this is not what a server sends. */
static bool take_answer(struct session *session, const struct frame *frame, uint64_t now_us)
{
    uint16_t kind = frame->type & (FRAME_TYPE_DONE | FRAME_TYPE_REFUSED);
    if (kind != FRAME_TYPE_DONE && kind != FRAME_TYPE_REFUSED)
        return false;
    if (!session->ready)
        return take_hello(session, frame, now_us);
    if (frame->number == session->ping_number && session->ping_number != 0) {
        session->ping_number = 0;
        return true;
    }
    struct slot *slot = slot_in_flight(session, frame->number);
    if (slot == NULL) /* to a question that nobody waits for any more? */
        return (frame->number & READ_NUMBER) != 0 && (frame->number & ~READ_NUMBER) < session->next_read;
    struct call_bytes bytes = { frame->type, frame->body, frame->body_size };
    /* The outbox notes what the answer says, also where its caller wants the bytes. */
    const struct call *call = slot->entry != NULL ? call_of(slot->operation) : slot->call;
    if ((frame->type & FRAME_TYPE_OPERATION) != slot->operation ||
        !fill_answer(session, call, &bytes, frame->flags))
        return false;
    session->punkt->answer_bytes = &bytes;
    if (session->punkt->answer.head.call == PUNKT_CALL_REFUSED && session->punkt->answer.head.retryable)
        take_refusal_again(session, slot, now_us);
    else
        take_final(session, slot, frame);
    session->punkt->answer_bytes = NULL;
    return true;
}

/* Looks at the frames that are whole. */
static void take_frames(struct session *session, uint64_t now_us)
{
    session->input_left = false;
    while (session->link.state == LINK_OPEN && buffer_size(&session->link.in) > 0) {
        struct frame frame;
        size_t wanted;
        uint32_t body_max = session->ready ? FRAME_BODY_MAX : FRAME_BODY_MAX_BEFORE_HELLO;
        if (session->punkt->stop) {
            session->input_left = true;
            return;
        }
        switch (frame_split(buffer_data(&session->link.in), buffer_size(&session->link.in), body_max, &frame,
                            &wanted)) {
        case FRAME_WHOLE:
            if (!take_answer(session, &frame, now_us)) {
                session_drop(session, now_us, "it sent what no server sends");
                return;
            }
            buffer_consume(&session->link.in, wanted);
            break;
        case FRAME_NEED_MORE:
            if (!buffer_reserve(&session->link.in, wanted - buffer_size(&session->link.in)))
                session_drop(session, now_us, "no memory for its answer");
            return;
        case FRAME_BROKEN:
            session_drop(session, now_us, "it sent a frame larger than any answer");
            return;
        }
    }
}

static void receive(struct session *session, bool readable, uint64_t now_us)
{
    if (session->input_left)
        take_frames(session, now_us);
    if (session->punkt->stop || session->link.state != LINK_OPEN ||
        (!readable && !link_wants_write(&session->link)))
        return;
    size_t before = buffer_size(&session->link.in);
    if (link_receive(&session->link, now_us) && buffer_size(&session->link.in) > before) {
        session->received_us = now_us;
        session->active_us = now_us;
        take_frames(session, now_us);
    }
    notice_loss(session);
}

/* --- what we send --- */

static bool stage_slot(struct session *session, struct slot *slot, uint64_t now_us)
{
    uint64_t number = slot->number;
    if (number == 0)
        number = slot->change ? session->next_number : READ_NUMBER | session->next_read;
    frame_put_header(buffer_data(&slot->frame), (uint32_t)(buffer_size(&slot->frame) - FRAME_HEADER_SIZE),
                     slot->operation, slot->flags, number);
    if ((slot->flags & FRAME_FLAG_SECRET) != 0)
        buffer_mark_secret(&session->link.out);
    if (!buffer_append(&session->link.out, buffer_data(&slot->frame), buffer_size(&slot->frame)))
        return false;
    if (!slot->change && slot->number == 0)
        session->next_read++;
    else if (slot->change && number >= session->next_number)
        session->next_number = number + 1;
    slot->number = number;
    slot->state = SLOT_IN_FLIGHT;
    slot->staged_us = now_us;
    session->active_us = now_us;
    return true;
}

/* Only when the socket has taken everything before: so that of what could not go nothing was sent. */
static void stage(struct session *session, uint64_t now_us)
{
    unsigned index = 0;
    struct slot *slot;
    if (buffer_size(&session->link.out) > 0)
        return;
    while (buffer_size(&session->link.out) < STAGED_MAX &&
           (slot = lane_next(session, now_us, &index)) != NULL) {
        if (too_large(session, slot) || !stage_slot(session, slot, now_us))
            return;
    }
}

void session_round(struct session *session, bool readable, uint64_t now_us)
{
    connect_step(session, now_us);
    if (session->link.state == LINK_OPEN)
        receive(session, readable, now_us);
    expire(session, now_us);
    if (session->ready) {
        stage(session, now_us);
        keep_alive(session, now_us);
    }
    if (session->link.state == LINK_OPEN)
        (void)link_flush(&session->link, now_us);
    notice_loss(session);
}

/* --- what others may ask and do --- */

bool session_down(const struct session *session)
{
    unsigned addresses = session->link.addresses.count > 0 ? session->link.addresses.count : 1;
    unsigned failed = session->link.failures;
    if (session->ready)
        return false;
    if (session->link.state != LINK_DOWN && failed > 0)
        failed--; /* the attempt that is on counts as failed until it is not */
    return session->suspect || failed >= addresses;
}

int session_wanted(const struct session *session, uint64_t now_us)
{
    unsigned index = 0;
    if (session->link.state == LINK_DOWN)
        return 0;
    if (session->link.state == LINK_CONNECTING)
        return link_wants_write(&session->link) ? PUNKT_WANT_WRITE : PUNKT_WANT_READ;
    bool waiting = session->ready && lane_next(session, now_us, &index) != NULL;
    bool writing = waiting || buffer_size(&session->link.out) > 0 || link_wants_write(&session->link);
    return PUNKT_WANT_READ | (writing ? PUNKT_WANT_WRITE : 0);
}

void session_doubt_link(struct session *session, uint64_t now_us)
{
    for (unsigned i = 0; i < session->order_count; i++) {
        const struct slot *slot = session->order[i];
        if (slot->state == SLOT_IN_FLIGHT && session->received_us <= slot->staged_us) {
            session_silent(session, slot->staged_us, now_us, "no answer in time");
            return;
        }
    }
}

void session_use_lane(struct session *session, uint64_t epoch, uint64_t next_number, uint64_t now_us)
{
    session->epoch = epoch;
    session->next_number = next_number;
    lane_moved(session);
    if (!session->ready)
        return; /* the next HELLO says it */
    session->ready = false;
    if (session->ping_number != 0)
        session_drop(session, now_us, "another lane");
    else
        say_hello(session, now_us);
}
