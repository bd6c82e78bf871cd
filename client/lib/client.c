/* Handles: made, asked, freed; submitting, and waiting. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/client.h"
#include "proto/message.h"

#define TIMEOUT_DEFAULT_MS 1500
#define WINDOW_DEFAULT 16

#define TROUBLE(punkt, text) (void)snprintf((punkt)->trouble, sizeof((punkt)->trouble), "%s", text)

/* --- life --- */

static bool options_good(const struct punkt_options *options)
{
    const char *why;
    return options != NULL && options->size >= sizeof(*options) && options->server != NULL &&
           address_check(options->server, &why) && options->window <= PUNKT_WINDOW_MAX &&
           (options->epoch != 0 || options->next_number == 0) && options->next_number < READ_NUMBER &&
           (options->software == NULL || (strnlen(options->software, 65) <= 64 &&
                                          wire_utf8_valid(options->software, strlen(options->software))));
}

static void use_options(struct punkt *punkt, const struct punkt_options *options)
{
    static const uint8_t none[16];
    if (options->epoch != 0)
        punkt->epoch = options->epoch;
    punkt->next_number = options->next_number != 0 ? options->next_number : 1;
    punkt->next_read = 1;
    punkt->timeout_ms = options->timeout_ms != 0 ? options->timeout_ms : TIMEOUT_DEFAULT_MS;
    punkt->window = options->window != 0 ? options->window : WINDOW_DEFAULT;
    const char *software = options->software != NULL ? options->software : "libpunkt " PUNKT_VERSION;
    (void)snprintf(punkt->software, sizeof(punkt->software), "%s", software);
    punkt->info.size = sizeof(punkt->info);
    punkt->ledger_known = memcmp(options->journal_id, none, sizeof(none)) != 0;
    memcpy(punkt->info.journal_id, options->journal_id, sizeof(options->journal_id));
    punkt->info.term = options->term;
}

enum punkt_call punkt_new(const struct punkt_options *options, struct punkt **out)
{
    uint64_t random[2];
    *out = NULL;
    if (!options_good(options))
        return PUNKT_CALL_INVALID;
    struct punkt *punkt = calloc(1, sizeof(*punkt));
    if (punkt == NULL)
        return PUNKT_CALL_NO_MEMORY;
    punkt->link.fd = -1;
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random) ||
        !link_init(&punkt->link, options->server, random[1])) {
        punkt_free(punkt);
        return PUNKT_CALL_NO_MEMORY;
    }
    punkt->epoch = random[0] != 0 ? random[0] : 1; /* 0 would say that no changes follow */
    use_options(punkt, options);
    *out = punkt;
    return PUNKT_CALL_DONE;
}

void punkt_free(struct punkt *punkt)
{
    if (punkt == NULL)
        return;
    for (unsigned i = 0; i < PUNKT_WINDOW_MAX; i++) {
        buffer_done(&punkt->slots[i].frame);
        buffer_done(&punkt->slots[i].answer);
    }
    link_done(&punkt->link);
    buffer_done(&punkt->lists);
    buffer_done(&punkt->arena);
    free(punkt);
}

/* --- questions that need no server --- */

uint64_t punkt_epoch(const struct punkt *punkt)
{
    return punkt->epoch;
}

uint64_t punkt_next_number(const struct punkt *punkt)
{
    return punkt->next_number;
}

const char *punkt_trouble(const struct punkt *punkt)
{
    return punkt->trouble[0] != '\0' ? punkt->trouble : punkt->link.trouble;
}

void punkt_server_info(const struct punkt *punkt, struct punkt_server_info *out_info)
{
    static const struct punkt_server_info nothing;
    const struct punkt_server_info *info = punkt->info.known ? &punkt->info : &nothing;
    size_t size = out_info->size;
    size_t known = size < sizeof(*info) ? size : sizeof(*info);
    memset(out_info, 0, size);
    memcpy(out_info, info, known);
    out_info->size = size;
}

unsigned punkt_in_doubt(const struct punkt *punkt)
{
    unsigned count = 0;
    for (unsigned i = 0; i < punkt->order_count; i++)
        count += punkt->order[i]->in_doubt;
    return count;
}

unsigned punkt_unanswered(const struct punkt *punkt)
{
    return punkt->order_count - punkt_in_doubt(punkt);
}

unsigned punkt_room(const struct punkt *punkt)
{
    return punkt->window - punkt->order_count;
}

/* --- submitting --- */

static enum punkt_call encode(struct punkt *punkt, struct slot *slot, const struct call *call,
                              const void *request, uint64_t now_us)
{
    struct build build = {
        .frame = &slot->frame, .lists = &punkt->lists, .operation = call->operation, .epoch = punkt->epoch
    };
    if (!call->encode(&build, request)) {
        buffer_clear(&slot->frame);
        (void)snprintf(punkt->trouble, sizeof(punkt->trouble), "%s%s",
                       build.wrong != NULL ? build.wrong : "no memory",
                       build.field != NULL ? build.field : "");
        return build.wrong != NULL ? PUNKT_CALL_INVALID : PUNKT_CALL_NO_MEMORY;
    }
    uint32_t timeout_ms = build.head.timeout_ms != 0 ? build.head.timeout_ms : punkt->timeout_ms;
    slot->operation = (uint16_t)build.operation;
    slot->flags = (uint16_t)build.head.flags;
    slot->deadline_us = now_us + (uint64_t)timeout_ms * 1000;
    return PUNKT_CALL_DONE;
}

enum punkt_call submit(struct punkt *punkt, const struct call *call, const void *request,
                       punkt_done_fn *on_done, void *ctx)
{
    uint64_t now_us = link_now_us();
    punkt->trouble[0] = '\0';
    struct slot *slot = slot_take(punkt);
    if (slot == NULL)
        return PUNKT_CALL_WINDOW_FULL;
    if (on_done == NULL) {
        TROUBLE(punkt, "a request needs a callback");
        return PUNKT_CALL_INVALID;
    }
    slot->state = SLOT_FREE; /* a settled answer gives way, whether or not the request is good */
    enum punkt_call encoded = encode(punkt, slot, call, request, now_us);
    if (encoded != PUNKT_CALL_DONE)
        return encoded;
    slot->call = call;
    slot->change = operation_row(slot->operation)->kind == OPERATION_KIND_CHANGE;
    slot->on_done = on_done;
    slot->ctx = ctx;
    slot_add(punkt, slot);
    link_hurry(&punkt->link, now_us);
    return PUNKT_CALL_DONE;
}

/* --- waiting --- */

int punkt_fd(const struct punkt *punkt)
{
    return punkt->link.fd;
}

int punkt_wanted(const struct punkt *punkt)
{
    unsigned index = 0;
    if (punkt->link.state == LINK_DOWN)
        return 0;
    if (punkt->link.state == LINK_CONNECTING)
        return PUNKT_WANT_WRITE;
    bool waiting = punkt->ready && lane_next(punkt, link_now_us(), &index) != NULL;
    return PUNKT_WANT_READ | (waiting || buffer_size(&punkt->link.out) > 0 ? PUNKT_WANT_WRITE : 0);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

int punkt_timeout_ms(const struct punkt *punkt)
{
    uint64_t now_us = link_now_us();
    uint64_t due_us = UINT64_MAX;
    if (punkt->input_left)
        return 0;
    if (punkt->link.state == LINK_DOWN && (punkt->order_count > 0 || punkt->connect_wanted))
        due_us = punkt->link.attempt_us;
    else if (punkt->link.state != LINK_DOWN)
        due_us = process_due_us(punkt, now_us);
    for (unsigned i = 0; i < punkt->order_count; i++) {
        if (!punkt->order[i]->in_doubt)
            due_us = earlier(due_us, punkt->order[i]->deadline_us);
    }
    if (due_us == UINT64_MAX)
        return -1;
    if (due_us <= now_us)
        return 0;
    uint64_t wait_ms = (due_us - now_us + 999) / 1000;
    return wait_ms < INT_MAX ? (int)wait_ms : INT_MAX;
}

unsigned punkt_process(struct punkt *punkt)
{
    return process(punkt, true);
}

unsigned punkt_drive(struct punkt *punkt, int wait_ms)
{
    bool waiting = punkt_unanswered(punkt) > 0 || punkt->connect_wanted;
    int due_ms = punkt_timeout_ms(punkt);
    if (punkt->in_callback)
        return 0;
    if (wait_ms < 0 && !waiting)
        return process(punkt, true);
    if (wait_ms < 0 || (due_ms >= 0 && due_ms < wait_ms))
        wait_ms = due_ms;
    int wanted = punkt_wanted(punkt);
    struct pollfd poll_fd = {
        .fd = punkt_fd(punkt), /* poll passes over -1 */
        .events = (short)(((wanted & PUNKT_WANT_READ) != 0 ? POLLIN : 0) |
                          ((wanted & PUNKT_WANT_WRITE) != 0 ? POLLOUT : 0)),
    };
    int ready = poll(&poll_fd, 1, wait_ms); /* interrupted: a round more does no harm */
    return process(punkt, ready > 0 && (poll_fd.revents & ~POLLOUT) != 0);
}

/* Who waits in a blocking call, and where its answer goes. */
struct waiting {
    struct punkt_answer *out;
    bool ended;
};

/* Copies as much of an answer as the caller's struct holds. */
static void copy_answer(const struct punkt_answer *answer, struct punkt_answer *out)
{
    size_t size = out->size;
    memset(out, 0, size);
    memcpy(out, answer, size < answer->size ? size : answer->size);
    out->size = size;
}

static void collect(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    struct waiting *waiting = ctx;
    copy_answer(answer, waiting->out);
    waiting->ended = true;
    punkt->stop = true;
}

/* For a call that ended before it was anything in the handle; call is NULL where there is none. */
static enum punkt_call tell(struct punkt *punkt, const struct call *call, enum punkt_call how,
                            struct punkt_answer *out_answer)
{
    union any_answer answer;
    call_head(call, call != NULL ? call->operation : PUNKT_OPERATION_NONE, how, &answer);
    answer.head.detail = punkt->trouble;
    if (out_answer != NULL && out_answer->size >= sizeof(*out_answer))
        copy_answer(&answer.head, out_answer);
    return how;
}

static enum punkt_call wait_for(struct punkt *punkt, struct waiting *waiting)
{
    while (!waiting->ended)
        (void)punkt_drive(punkt, -1);
    return waiting->out->call;
}

/* Whether a blocking call may be made; otherwise trouble says why not. */
static bool may_wait(struct punkt *punkt, const struct punkt_answer *out_answer)
{
    punkt->trouble[0] = '\0';
    if (punkt->in_callback)
        TROUBLE(punkt, "a blocking call inside a callback");
    else if (out_answer == NULL || out_answer->size < sizeof(*out_answer))
        TROUBLE(punkt, "size of the answer is too small");
    return punkt->trouble[0] == '\0';
}

enum punkt_call call_and_wait(struct punkt *punkt, const struct call *call, const void *request,
                              struct punkt_answer *out_answer)
{
    struct waiting waiting = { .out = out_answer };
    if (!may_wait(punkt, out_answer))
        return tell(punkt, call, PUNKT_CALL_INVALID, out_answer);
    uint64_t patience_us = link_now_us() + (uint64_t)punkt->timeout_ms * 1000;
    enum punkt_call submitted;
    while ((submitted = submit(punkt, call, request, collect, &waiting)) == PUNKT_CALL_WINDOW_FULL) {
        uint64_t now_us = link_now_us();
        if (now_us >= patience_us) {
            TROUBLE(punkt, "too many earlier requests are unanswered");
            return tell(punkt, call, PUNKT_CALL_NOT_SENT, out_answer);
        }
        (void)punkt_drive(punkt, (int)((patience_us - now_us) / 1000 + 1));
    }
    if (submitted != PUNKT_CALL_DONE)
        return tell(punkt, call, submitted, out_answer);
    return wait_for(punkt, &waiting);
}

enum punkt_call punkt_repeat(struct punkt *punkt, uint64_t number, uint32_t timeout_ms,
                             struct punkt_answer *out_answer)
{
    struct waiting waiting = { .out = out_answer };
    if (!may_wait(punkt, out_answer))
        return tell(punkt, NULL, PUNKT_CALL_INVALID, out_answer);
    struct slot *slot = slot_in_doubt(punkt, number);
    if (slot == NULL) {
        TROUBLE(punkt, "no change of this number is in doubt here");
        return tell(punkt, NULL, PUNKT_CALL_INVALID, out_answer);
    }
    if (slot->state == SLOT_SETTLED) {
        slot->state = SLOT_FREE;
        if (!process_settled(punkt, slot)) {
            TROUBLE(punkt, "the answer cannot be read");
            return tell(punkt, slot->call, PUNKT_CALL_UNKNOWN, out_answer);
        }
        copy_answer(&punkt->answer.head, out_answer);
        return out_answer->call;
    }
    uint64_t now_us = link_now_us();
    slot->in_doubt = false;
    slot->on_done = collect;
    slot->ctx = &waiting;
    slot->deadline_us = now_us + (uint64_t)(timeout_ms != 0 ? timeout_ms : punkt->timeout_ms) * 1000;
    link_hurry(&punkt->link, now_us);
    return wait_for(punkt, &waiting);
}

enum punkt_call punkt_connect(struct punkt *punkt, uint32_t timeout_ms, struct punkt_answer *out_answer)
{
    punkt->trouble[0] = '\0';
    if (punkt->in_callback) {
        TROUBLE(punkt, "a blocking call inside a callback");
        return tell(punkt, NULL, PUNKT_CALL_INVALID, out_answer);
    }
    uint64_t now_us = link_now_us();
    uint64_t deadline_us = now_us + (uint64_t)(timeout_ms != 0 ? timeout_ms : punkt->timeout_ms) * 1000;
    punkt->connect_wanted = true;
    punkt->hello_refusal = 0;
    link_hurry(&punkt->link, now_us);
    (void)process(punkt, true); /* a link that was lost unseen is noticed here */
    while (!punkt->ready && (now_us = link_now_us()) < deadline_us) {
        if (punkt->hello_refusal != 0 && !punkt_result_retryable(punkt->hello_refusal))
            break;
        (void)punkt_drive(punkt, (int)((deadline_us - now_us) / 1000 + 1));
    }
    punkt->connect_wanted = false;
    if (punkt->ready)
        return tell(punkt, NULL, PUNKT_CALL_DONE, out_answer);
    enum punkt_call how = punkt->hello_refusal != 0 ? PUNKT_CALL_REFUSED : PUNKT_CALL_NOT_SENT;
    TROUBLE(punkt, punkt->link.trouble);
    (void)tell(punkt, NULL, how, out_answer);
    if (out_answer != NULL && how == PUNKT_CALL_REFUSED)
        call_head_code(out_answer, punkt->hello_refusal);
    return how;
}
