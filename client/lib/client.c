/* Submitting, and waiting. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/client.h"
#include "lib/machine.h"
#include "proto/message.h"

static void watch(struct punkt *punkt);

/* --- submitting --- */

/* What a request leaves out, its build presets. */
static struct build build_for(struct punkt *punkt, const struct call *call, uint64_t began_us)
{
    struct build build = { .frame = &punkt->encoded,
                           .lists = &punkt->lists,
                           .operation = call->operation,
                           .began_us = began_us,
                           .epoch = punkt->outbox == NULL ? punkt->live.epoch : 0,
                           .store = punkt->store,
                           .till = punkt->till };
    const struct operation_row *row = operation_row((uint16_t)call->operation);
    /* punkt_message says later which operation it is. */
    if (punkt->outbox != NULL && (row == NULL || row->kind == OPERATION_KIND_CHANGE)) {
        build.now_us = wall_now_us(punkt);
        build.today = local_day_of(build.now_us);
        build.own_place = true;
    }
    if (queue_of_goods((uint16_t)call->operation))
        build.card_check = punkt->info.card_check;
    return build;
}

static enum punkt_call encode(struct punkt *punkt, const struct call *call, const void *request,
                              struct build *build)
{
    if (call->encode(build, request))
        return PUNKT_CALL_DONE;
    buffer_clear(&punkt->encoded);
    (void)snprintf(punkt->trouble, sizeof(punkt->trouble), "%s%s",
                   build->wrong != NULL ? build->wrong : "no memory",
                   build->field != NULL ? build->field : "");
    return build->wrong != NULL ? PUNKT_CALL_INVALID : PUNKT_CALL_NO_MEMORY;
}

static enum punkt_call submit_unstored(struct punkt *punkt, const struct call *call,
                                       const struct build *build, punkt_done_fn *on_done, void *ctx)
{
    uint64_t now_us = link_now_us();
    struct slot *slot = slot_take(&punkt->live);
    if (slot == NULL)
        return PUNKT_CALL_WINDOW_FULL;
    /* A register shows nothing rather than let its customers wait, one after the other, for a server that is away. */
    uint64_t patience_us =
        punkt->outbox != NULL && queue_link_down(punkt) ? 0 : budget_us(punkt, build->head.timeout_ms);
    slot_fill(slot, call, build, &punkt->encoded, build->began_us + patience_us, on_done, ctx);
    slot_add(&punkt->live, slot);
    link_hurry(&punkt->live.link, now_us);
    return PUNKT_CALL_DONE;
}

static enum punkt_call submit_since(struct punkt *punkt, uint64_t began_us, const struct call *call,
                                    const void *request, punkt_done_fn *on_done, void *ctx)
{
    punkt->trouble[0] = '\0';
    punkt->looked_at = NULL;
    if (punkt->outbox == NULL && punkt->live.order_count >= punkt->window)
        return PUNKT_CALL_WINDOW_FULL;
    if (on_done == NULL) {
        say_trouble(punkt, "a request needs a callback");
        return PUNKT_CALL_INVALID;
    }
    struct build build = build_for(punkt, call, began_us);
    enum punkt_call encoded = encode(punkt, call, request, &build);
    if (encoded != PUNKT_CALL_DONE)
        return encoded;
    bool change = operation_row((uint16_t)build.operation)->kind == OPERATION_KIND_CHANGE;
    enum punkt_call submitted = change && punkt->outbox != NULL
                                    ? queue_submit(punkt, call, &build, on_done, ctx)
                                    : submit_unstored(punkt, call, &build, on_done, ctx);
    buffer_clear(&punkt->encoded);
    watch(punkt);
    return submitted;
}

enum punkt_call submit(struct punkt *punkt, const struct call *call, const void *request,
                       punkt_done_fn *on_done, void *ctx)
{
    return submit_since(punkt, link_now_us(), call, request, on_done, ctx);
}

/* --- the two sessions as one --- */

#define SESSIONS 2

static struct session *session_at(struct punkt *punkt, unsigned index)
{
    return index == 0 ? &punkt->live : &punkt->queue;
}

/* Tells the epoll descriptor what the sockets wait for. A closed socket has left it by itself. */
static void watch(struct punkt *punkt)
{
    for (unsigned i = 0; i < SESSIONS && punkt->epoll >= 0; i++) {
        struct session *session = session_at(punkt, i);
        struct watched *watched = &punkt->watched[i];
        int wanted = session_wanted(session, link_now_us());
        bool known = watched->serial == session->link.serial && watched->serial != 0;
        if (session->link.fd < 0 || (known && watched->wanted == wanted))
            continue;
        struct epoll_event event = { .events = ((wanted & PUNKT_WANT_READ) != 0 ? EPOLLIN : 0U) |
                                               ((wanted & PUNKT_WANT_WRITE) != 0 ? EPOLLOUT : 0U) };
        /* Without memory in the kernel the deadlines still drive the handle, only later. */
        if (epoll_ctl(punkt->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, session->link.fd, &event) == 0)
            *watched = (struct watched){ .serial = session->link.serial, .wanted = wanted };
    }
}

/* readable: by session, whether reading is worth a try. */
static unsigned process(struct punkt *punkt, const bool readable[SESSIONS])
{
    uint64_t now_us = link_now_us();
    if (punkt->in_callback)
        return 0;
    punkt->ended = 0;
    punkt->stop = false;
    punkt->looked_at = NULL; /* what follows may forget entries */
    if (punkt->outbox != NULL) {
        queue_feed(punkt, now_us);
        session_round(&punkt->queue, readable[1], now_us);
    }
    if (!punkt->stop)
        session_round(&punkt->live, readable[0], now_us);
    if (punkt->outbox != NULL)
        queue_settle(punkt, now_us);
    day_step(punkt, now_us);
    watch(punkt);
    return punkt->ended;
}

unsigned punkt_process(struct punkt *punkt)
{
    const bool both[SESSIONS] = { true, true };
    return process(punkt, both);
}

int punkt_fd(const struct punkt *punkt)
{
    return punkt->outbox != NULL ? punkt->epoll : punkt->live.link.fd;
}

int punkt_wanted(const struct punkt *punkt)
{
    return punkt->outbox != NULL ? PUNKT_WANT_READ : session_wanted(&punkt->live, link_now_us());
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When a session needs a round though its socket is silent. */
static uint64_t due_of(const struct session *session, uint64_t now_us)
{
    uint64_t due_us = UINT64_MAX;
    unsigned index = 0;
    if (session->input_left)
        return now_us;
    /* What was put off may go now. No descriptor says so: it was not waited for when that was looked at last. */
    if (session->ready && buffer_size(&session->link.out) == 0 && lane_next(session, now_us, &index) != NULL)
        return now_us;
    if (session->link.state != LINK_DOWN)
        due_us = session_due_us(session, now_us);
    else if (session->order_count > 0 || session->wanted)
        due_us = session->link.attempt_us;
    for (unsigned i = 0; i < session->order_count; i++) {
        if (!session->order[i]->in_doubt)
            due_us = earlier(due_us, session->order[i]->deadline_us);
    }
    return due_us;
}

int punkt_timeout_ms(const struct punkt *punkt)
{
    uint64_t now_us = link_now_us();
    uint64_t due_us = due_of(&punkt->live, now_us);
    if (punkt->outbox != NULL)
        due_us = earlier(due_us, earlier(due_of(&punkt->queue, now_us), queue_due_us(punkt, now_us)));
    due_us = earlier(due_us, day_due_us(punkt, now_us));
    if (due_us == UINT64_MAX)
        return -1;
    if (due_us <= now_us)
        return 0;
    uint64_t wait_ms = (due_us - now_us + 999) / 1000;
    return wait_ms < INT_MAX ? (int)wait_ms : INT_MAX;
}

/* --- waiting --- */

unsigned punkt_drive(struct punkt *punkt, int wait_ms)
{
    static const bool both[SESSIONS] = { true, true };
    struct pollfd fds[SESSIONS];
    bool readable[SESSIONS];
    bool waiting = punkt_unanswered(punkt) > 0 || punkt->live.wanted || day_is_closing(punkt);
    int due_ms = punkt_timeout_ms(punkt);
    if (punkt->in_callback)
        return 0;
    if (wait_ms < 0 && !waiting)
        return process(punkt, both);
    if (wait_ms < 0 || (due_ms >= 0 && due_ms < wait_ms))
        wait_ms = due_ms;
    for (unsigned i = 0; i < SESSIONS; i++) {
        struct session *session = session_at(punkt, i);
        int wanted = session_wanted(session, link_now_us());
        fds[i] = (struct pollfd){ .fd = session->link.fd, /* poll passes over -1 */
                                  .events = (short)(((wanted & PUNKT_WANT_READ) != 0 ? POLLIN : 0) |
                                                    ((wanted & PUNKT_WANT_WRITE) != 0 ? POLLOUT : 0)) };
    }
    int ready = machine_poll(fds, SESSIONS, wait_ms); /* interrupted: a round more does no harm */
    for (unsigned i = 0; i < SESSIONS; i++)
        readable[i] = ready > 0 && (fds[i].revents & ~POLLOUT) != 0;
    return process(punkt, readable);
}

void wait_copy(const struct punkt_answer *answer, struct punkt_answer *out)
{
    size_t size = out->size;
    memset(out, 0, size);
    memcpy(out, answer, size < answer->size ? size : answer->size);
    out->size = size;
}

void wait_collect(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    struct waiting *waiting = ctx;
    wait_copy(answer, waiting->out);
    waiting->ended = true;
    punkt->stop = true;
}

enum punkt_call end_call(struct punkt *punkt, const struct call *call, enum punkt_call how,
                         struct punkt_answer *out_answer)
{
    union any_answer answer;
    call_head(call, call != NULL ? call->operation : PUNKT_OPERATION_NONE, how, &answer);
    answer.head.detail = punkt->trouble;
    if (out_answer != NULL && out_answer->size >= sizeof(*out_answer))
        wait_copy(&answer.head, out_answer);
    return how;
}

enum punkt_call wait_for(struct punkt *punkt, struct waiting *waiting)
{
    while (!waiting->ended)
        (void)punkt_drive(punkt, -1);
    return waiting->out->call;
}

bool wait_allowed(struct punkt *punkt, const struct punkt_answer *out_answer)
{
    punkt->trouble[0] = '\0';
    if (punkt->in_callback)
        say_trouble(punkt, "a blocking call inside a callback");
    else if (out_answer == NULL || out_answer->size < sizeof(*out_answer))
        say_trouble(punkt, "size of the answer is too small");
    return punkt->trouble[0] == '\0';
}

/* How long a request may take. One that is no request is found out when it is encoded. */
static uint64_t request_budget_us(const struct punkt *punkt, const void *request)
{
    struct request_head head = { 0 };
    if (request != NULL)
        memcpy(&head.size, request, sizeof(head.size));
    if (head.size >= sizeof(head))
        memcpy(&head, request, sizeof(head));
    return budget_us(punkt, head.timeout_ms);
}

enum punkt_call call_and_wait(struct punkt *punkt, const struct call *call, const void *request,
                              struct punkt_answer *out_answer)
{
    struct waiting waiting = { .out = out_answer };
    if (!wait_allowed(punkt, out_answer))
        return end_call(punkt, call, PUNKT_CALL_INVALID, out_answer);
    uint64_t began_us = link_now_us();
    uint64_t patience_us = began_us + request_budget_us(punkt, request); /* for room and for the answer */
    enum punkt_call submitted;
    while ((submitted = submit_since(punkt, began_us, call, request, wait_collect, &waiting)) ==
           PUNKT_CALL_WINDOW_FULL) {
        uint64_t now_us = link_now_us();
        if (now_us >= patience_us) {
            say_trouble(punkt, "too many earlier requests are unanswered");
            return end_call(punkt, call, PUNKT_CALL_NOT_SENT, out_answer);
        }
        (void)punkt_drive(punkt, (int)((patience_us - now_us) / 1000 + 1));
    }
    if (submitted == PUNKT_CALL_NOT_STORED && punkt->alarmed_full) {
        /* What fills the outbox goes on its way, though nobody but such calls drives the handle. */
        link_hurry(&punkt->queue.link, link_now_us());
        (void)punkt_process(punkt);
        submitted = submit(punkt, call, request, wait_collect, &waiting);
    }
    if (submitted != PUNKT_CALL_DONE)
        return end_call(punkt, call, submitted, out_answer);
    return wait_for(punkt, &waiting);
}

enum punkt_call punkt_repeat(struct punkt *punkt, uint64_t number, uint32_t timeout_ms,
                             struct punkt_answer *out_answer)
{
    struct waiting waiting = { .out = out_answer };
    if (!wait_allowed(punkt, out_answer))
        return end_call(punkt, NULL, PUNKT_CALL_INVALID, out_answer);
    struct slot *slot = slot_in_doubt(&punkt->live, number);
    if (slot == NULL) {
        say_trouble(punkt, "no change of this number is in doubt here");
        return end_call(punkt, NULL, PUNKT_CALL_INVALID, out_answer);
    }
    if (slot->state == SLOT_SETTLED) {
        slot->state = SLOT_FREE;
        if (!session_settled(&punkt->live, slot)) {
            say_trouble(punkt, "the answer cannot be read");
            return end_call(punkt, slot->call, PUNKT_CALL_UNKNOWN, out_answer);
        }
        wait_copy(&punkt->answer.head, out_answer);
        return out_answer->call;
    }
    uint64_t now_us = link_now_us();
    slot->in_doubt = false;
    slot->on_done = wait_collect;
    slot->ctx = &waiting;
    slot->deadline_us = now_us + budget_us(punkt, timeout_ms);
    link_hurry(&punkt->live.link, now_us);
    return wait_for(punkt, &waiting);
}

enum punkt_call punkt_connect(struct punkt *punkt, uint32_t timeout_ms, struct punkt_answer *out_answer)
{
    punkt->trouble[0] = '\0';
    if (punkt->in_callback) {
        say_trouble(punkt, "a blocking call inside a callback");
        return end_call(punkt, NULL, PUNKT_CALL_INVALID, out_answer);
    }
    uint64_t now_us = link_now_us();
    uint64_t deadline_us = now_us + budget_us(punkt, timeout_ms);
    punkt->live.wanted = true;
    punkt->live.hello_refusal = 0;
    link_hurry(&punkt->live.link, now_us);
    (void)punkt_process(punkt); /* a link that was lost unseen is noticed here */
    while (!punkt->live.ready && (now_us = link_now_us()) < deadline_us) {
        if (punkt->live.hello_refusal != 0 && !punkt_result_retryable(punkt->live.hello_refusal))
            break;
        (void)punkt_drive(punkt, (int)((deadline_us - now_us) / 1000 + 1));
    }
    punkt->live.wanted = false;
    if (punkt->live.ready)
        return end_call(punkt, NULL, PUNKT_CALL_DONE, out_answer);
    enum punkt_call how = punkt->live.hello_refusal != 0 ? PUNKT_CALL_REFUSED : PUNKT_CALL_NOT_SENT;
    say_trouble(punkt, punkt->live.link.trouble);
    (void)end_call(punkt, NULL, how, out_answer);
    if (out_answer != NULL && how == PUNKT_CALL_REFUSED)
        call_head_code(out_answer, punkt->live.hello_refusal);
    return how;
}
