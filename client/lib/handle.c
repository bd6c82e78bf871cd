/* Handles: made, asked, and freed. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/client.h"
#include "lib/identity.h"
#include "lib/machine.h"
#include "lib/sizes.h"
#include "proto/message.h"

#define TIMEOUT_DEFAULT_MS 1500
#define WINDOW_DEFAULT 16
#define OUTBOX_MAX_DEFAULT 10000
#define OUTBOX_DAYS_DEFAULT 7
#define DAY_US (INT64_C(86400) * 1000 * 1000)
/* The first of January 2026: there was no outbox before, only machines that woke up without the time. */
#define OUTBOX_EARLIEST_US (INT64_C(20454) * DAY_US)
#define OUTBOX_PREALLOCATED (UINT64_C(16) * 1024 * 1024)

/* What may be said of a handle that is not made. */
#define WHY_SIZE (OUTBOX_WHY_SIZE > IDENTITY_WHY_SIZE ? OUTBOX_WHY_SIZE : IDENTITY_WHY_SIZE)

/* --- life --- */

static bool text_good(const char *text, size_t max)
{
    return text == NULL || (strnlen(text, max + 1) <= max && wire_utf8_valid(text, strlen(text)));
}

static bool place_good(const char *text, bool required)
{
    struct wire_code code;
    if (text == NULL || *text == '\0')
        return !required;
    return strnlen(text, WIRE_CODE_MAX + 1) <= WIRE_CODE_MAX && wire_code_from(text, strlen(text), &code);
}

/* What of the options is wrong; NULL: nothing. */
static const char *options_wrong(const struct punkt_options *options)
{
    const char *why = "";
    bool stored = options->outbox != NULL;
    if (options->server == NULL)
        return "server is required, here or in the identity file";
    if (!address_check(options->server, &why))
        return why;
    if (options->window > PUNKT_WINDOW_MAX)
        return "window: at most 64";
    if (options->epoch == 0 && options->next_number != 0)
        return "next_number goes with an epoch";
    if (options->next_number >= READ_NUMBER)
        return "next_number is too large";
    if (!text_good(options->software, 64))
        return "software: up to 64 bytes of text";
    if (!place_good(options->store, stored) || !place_good(options->till, stored))
        return "store and till: up to 32 bytes of text; an outbox needs both";
    if (!place_good(options->language, false) || options->receipt_width > 64)
        return "receipt_width: up to 64 columns; language: up to 32 bytes";
    if (stored && (options->epoch != 0 || options->term != 0))
        return "with an outbox, epoch and term are its own";
    return NULL;
}

/* Whether who we are goes with where the server is. */
static const char *proof_wrong(const struct punkt_options *options, const struct identity *identity)
{
    bool proves = identity_proves(identity);
    if (!proves && !address_all_local(options->server))
        return "a server on another machine needs an identity (punkt enrol): without one only 127.0.0.1, [::1], "
               "localhost and unix:PATH are spoken to";
    if (proves && identity->psk_identity[0] == '\0' && identity->server_name[0] == '\0' &&
        address_any_path(options->server))
        return "a Unix socket has no name: server_name says what the server's certificate must be for";
    return NULL;
}

/* What the options leave open, the identity says. */
static void fill_options(struct punkt_options *options, const struct identity *identity)
{
    if (options->server == NULL && identity->server[0] != '\0')
        options->server = identity->server;
    if (options->store == NULL && identity->store[0] != '\0')
        options->store = identity->store;
    if (options->till == NULL && identity->till[0] != '\0')
        options->till = identity->till;
}

static void copy_text(char *out, size_t capacity, const char *text, const char *preset)
{
    (void)snprintf(out, capacity, "%s", text != NULL && *text != '\0' ? text : preset);
}

static void use_options(struct punkt *punkt, const struct punkt_options *options)
{
    static const uint8_t none[16];
    punkt->timeout_ms = options->timeout_ms != 0 ? options->timeout_ms : TIMEOUT_DEFAULT_MS;
    punkt->window = options->window != 0 ? options->window : WINDOW_DEFAULT;
    copy_text(punkt->software, sizeof(punkt->software), options->software, "libpunkt " PUNKT_VERSION);
    copy_text(punkt->store, sizeof(punkt->store), options->store, "0");
    copy_text(punkt->till, sizeof(punkt->till), options->till, "0");
    copy_text(punkt->language, sizeof(punkt->language), options->language, "");
    punkt->receipt_width = options->receipt_width;
    punkt->on_alarm = options->on_alarm;
    punkt->on_settled = options->on_settled;
    punkt->ctx = options->ctx;
    punkt->info.size = sizeof(punkt->info);
    punkt->outbox_max = options->outbox_max != 0 ? options->outbox_max : OUTBOX_MAX_DEFAULT;
    punkt->ledger_known = memcmp(options->journal_id, none, sizeof(none)) != 0;
    memcpy(punkt->info.journal_id, options->journal_id, sizeof(options->journal_id));
    punkt->info.term = options->term;
}

static bool session_init(struct punkt *punkt, struct session *session, const char *servers, uint64_t epoch,
                         uint64_t next_number, uint64_t seed)
{
    session->punkt = punkt;
    session->epoch = epoch;
    session->next_number = next_number;
    session->next_read = 1;
    session->window = punkt->window;
    session->link.fd = -1;
    for (unsigned i = 0; i < PUNKT_WINDOW_MAX; i++) {
        session->slots[i].frame.heap = &punkt->heap;
        session->slots[i].answer.heap = &punkt->heap;
    }
    if (!link_init(&session->link, servers, seed, &punkt->heap))
        return false;
    session->link.context = punkt->tls;
    return true;
}

/* random: two epochs. */
static enum punkt_call open_outbox(struct punkt *punkt, const struct punkt_options *options,
                                   const uint64_t random[2], char *why)
{
    struct outbox_options outbox = {
        .path = options->outbox,
        .store = punkt->store,
        .till = punkt->till,
        .epochs = { random[0] | 1, random[1] | 1 }, /* not 0 */
        .now_us = wall_now_us(punkt),
        .earliest_us = OUTBOX_EARLIEST_US,
        .open_max = punkt->outbox_max,
        .age_max_us =
            (int64_t)(options->outbox_days != 0 ? options->outbox_days : OUTBOX_DAYS_DEFAULT) * DAY_US,
        .preallocate = OUTBOX_PREALLOCATED,
        .heap = &punkt->heap,
    };
    punkt->outbox_opened_us = link_now_us();
    enum outbox_status status = outbox_open(&outbox, &punkt->outbox, why);
    if (status == OUTBOX_NO_MEMORY)
        return PUNKT_CALL_NO_MEMORY;
    if (status != OUTBOX_OK) {
        alarm_somebody(punkt, PUNKT_ALARM_OUTBOX_FAILED, "%s", why);
        return status == OUTBOX_FAILED ? PUNKT_CALL_NOT_STORED : PUNKT_CALL_INVALID;
    }
    if (why[0] != '\0')
        alarm_somebody(punkt, PUNKT_ALARM_DAMAGED, "%s", why);
    known_recall(punkt);
    punkt->epoll = epoll_create1(EPOLL_CLOEXEC);
    return punkt->epoll >= 0 ? PUNKT_CALL_DONE : PUNKT_CALL_NO_MEMORY;
}

static enum punkt_call start(struct punkt *punkt, const struct punkt_options *options, char *why)
{
    uint64_t random[4];
    if (!machine_random(random, sizeof(random)))
        return PUNKT_CALL_NO_MEMORY;
    use_options(punkt, options);
    if (options->outbox != NULL) {
        enum punkt_call opened = open_outbox(punkt, options, random, why);
        if (opened != PUNKT_CALL_DONE)
            return opened;
        if (!session_init(punkt, &punkt->queue, options->server,
                          outbox_epoch(punkt->outbox, OUTBOX_LANE_QUEUE), 1, random[3]) ||
            !session_init(punkt, &punkt->live, options->server, outbox_epoch(punkt->outbox, OUTBOX_LANE_LIVE),
                          1, random[2]))
            return PUNKT_CALL_NO_MEMORY;
        punkt->queue.link.beside = &punkt->live.link;
        punkt->live.link.beside = &punkt->queue.link;
        queue_open(punkt);
        return PUNKT_CALL_DONE;
    }
    uint64_t epoch = options->epoch != 0 ? options->epoch : random[0] | 1; /* 0: that no changes follow */
    return session_init(punkt, &punkt->live, options->server, epoch,
                        options->next_number != 0 ? options->next_number : 1, random[2])
               ? PUNKT_CALL_DONE
               : PUNKT_CALL_NO_MEMORY;
}

static struct punkt *new_handle(const struct heap *heap)
{
    struct punkt *punkt = heap_take(heap, sizeof(*punkt));
    if (punkt == NULL)
        return NULL;
    punkt->heap = *heap;
    punkt->live.link.fd = -1;
    punkt->queue.link.fd = -1;
    punkt->epoll = -1;
    punkt->lists.heap = &punkt->heap;
    punkt->encoded.heap = &punkt->heap;
    punkt->arena.heap = &punkt->heap;
    for (unsigned i = 0; i < PUNKT_WINDOW_MAX; i++)
        punkt->waiters[i].secret.heap = &punkt->heap;
    return punkt;
}

/* identity is nobody, with the handle's heap. */
static enum punkt_call start_as(struct punkt *punkt, struct punkt_options *options, struct identity *identity,
                                char *why)
{
    enum punkt_call chosen = identity_choose(identity, options, why);
    if (chosen != PUNKT_CALL_DONE)
        return chosen;
    fill_options(options, identity);
    const char *wrong = options_wrong(options);
    if (wrong == NULL)
        wrong = proof_wrong(options, identity);
    if (wrong != NULL) {
        (void)snprintf(why, WHY_SIZE, "%s", wrong);
        return PUNKT_CALL_INVALID;
    }
    if (identity_proves(identity))
        chosen = tls_context_new(identity, &punkt->tls, why);
    return chosen == PUNKT_CALL_DONE ? start(punkt, options, why) : chosen;
}

static enum punkt_call make(struct punkt_options *options, struct punkt **out, char *why)
{
    struct heap heap = { .resize = options->resize, .ctx = options->resize_ctx };
    struct punkt *punkt = new_handle(&heap);
    struct identity identity;
    if (punkt == NULL)
        return PUNKT_CALL_NO_MEMORY;
    identity_init(&identity, &punkt->heap);
    enum punkt_call started = start_as(punkt, options, &identity, why);
    identity_done(&identity);
    if (started == PUNKT_CALL_DONE)
        *out = punkt;
    else
        punkt_free(punkt);
    return started;
}

enum punkt_call punkt_new(const struct punkt_options *given, struct punkt **out)
{
    struct punkt_options options;
    char why[WHY_SIZE] = "";
    *out = NULL;
    if (given == NULL || given->size < SIZE_THROUGH(struct punkt_options, term) ||
        size_has_unknown(given, given->size, sizeof(options)))
        return PUNKT_CALL_INVALID;
    size_copy(given, given->size, &options, sizeof(options));
    enum punkt_call made = make(&options, out, why);
    if (made == PUNKT_CALL_NO_MEMORY)
        (void)snprintf(why, sizeof(why), "no memory");
    if (options.trouble != NULL && options.trouble_size > 0)
        (void)snprintf(options.trouble, options.trouble_size, "%s", made != PUNKT_CALL_DONE ? why : "");
    return made;
}

static void session_done(struct session *session)
{
    for (unsigned i = 0; i < PUNKT_WINDOW_MAX; i++) {
        buffer_done(&session->slots[i].frame);
        buffer_done(&session->slots[i].answer);
    }
    link_done(&session->link);
}

void punkt_free(struct punkt *punkt)
{
    if (punkt == NULL)
        return;
    session_done(&punkt->live);
    session_done(&punkt->queue);
    day_forget(punkt);
    outbox_close(punkt->outbox);
    tls_context_free(punkt->tls);
    if (punkt->epoll >= 0)
        (void)close(punkt->epoll);
    for (unsigned i = 0; i < PUNKT_WINDOW_MAX; i++)
        buffer_done(&punkt->waiters[i].secret);
    buffer_done(&punkt->lists);
    buffer_done(&punkt->encoded);
    buffer_done(&punkt->arena);
    struct heap heap = punkt->heap;
    heap_give(&heap, punkt->to_check);
    heap_give(&heap, punkt);
}

/* --- telling --- */

void say_trouble(struct punkt *punkt, const char *text)
{
    (void)snprintf(punkt->trouble, sizeof(punkt->trouble), "%s", text);
}

uint64_t budget_us(const struct punkt *punkt, uint32_t timeout_ms)
{
    return (uint64_t)(timeout_ms != 0 ? timeout_ms : punkt->timeout_ms) * 1000;
}

void tell(struct punkt *punkt, punkt_done_fn *on_done, void *ctx)
{
    struct outbox_counts counts = { 0 };
    bool inside = punkt->in_callback;
    if (punkt->outbox != NULL)
        outbox_counts(punkt->outbox, &counts);
    punkt->answer.head.queued = counts.open;
    punkt->ended++;
    punkt->in_callback = true;
    on_done(punkt, &punkt->answer.head, ctx);
    punkt->in_callback = inside;
}

void alarm_somebody(struct punkt *punkt, enum punkt_alarm alarm, const char *format, ...)
{
    char text[OUTBOX_WHY_SIZE + 128];
    bool inside = punkt->in_callback;
    va_list arguments;
    if (punkt->on_alarm == NULL)
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    punkt->in_callback = true;
    punkt->on_alarm(punkt, alarm, text, punkt->ctx);
    punkt->in_callback = inside;
}

/* --- questions that need no server --- */

uint64_t punkt_epoch(const struct punkt *punkt)
{
    return punkt->live.epoch;
}

uint64_t punkt_next_number(const struct punkt *punkt)
{
    return punkt->live.next_number;
}

const char *punkt_trouble(const struct punkt *punkt)
{
    if (punkt->trouble[0] != '\0')
        return punkt->trouble;
    return punkt->live.link.trouble[0] != '\0' ? punkt->live.link.trouble : punkt->queue.link.trouble;
}

/* Copies as much as the caller's struct, whose size is given, has room for. */
static void copy_out(void *out, size_t size, const void *from, size_t known)
{
    memset(out, 0, size);
    memcpy(out, from, size < known ? size : known);
    memcpy(out, &size, sizeof(size));
}

void punkt_server_info(const struct punkt *punkt, struct punkt_server_info *out_info)
{
    struct punkt_server_info info = { .size = 0 };
    if (punkt->info.known)
        info = punkt->info;
    info.connected = punkt->live.ready || punkt->queue.ready;
    copy_out(out_info, out_info->size, &info, sizeof(info));
}

enum punkt_link_state punkt_link_state(const struct punkt *punkt)
{
    if (punkt->live.ready || punkt->queue.ready)
        return PUNKT_LINK_UP;
    if (queue_link_down(punkt))
        return PUNKT_LINK_DOWN;
    if (punkt->live.link.state != LINK_DOWN || punkt->queue.link.state != LINK_DOWN)
        return PUNKT_LINK_CONNECTING;
    return PUNKT_LINK_IDLE;
}

void punkt_outbox_info(const struct punkt *punkt, struct punkt_outbox_info *out_info)
{
    struct punkt_outbox_info info = { .present = punkt->outbox != NULL };
    if (info.present) {
        struct outbox_counts counts;
        outbox_counts(punkt->outbox, &counts);
        info.failed = counts.failed;
        info.queued = counts.open;
        info.live = counts.open - counts.queued;
        info.dead = counts.dead;
        info.kept = counts.kept;
        info.max = punkt->outbox_max;
        info.oldest_us = counts.oldest_us;
        info.bytes = counts.bytes;
    }
    copy_out(out_info, out_info->size, &info, sizeof(info));
}

/* Goes on from where the last look-up ended, so that going through all is one walk. */
static const struct outbox_entry *entry_at(struct punkt *punkt, uint64_t index)
{
    if (punkt->outbox == NULL)
        return NULL;
    if (punkt->looked_at == NULL || punkt->looked_index > index) {
        punkt->looked_at = outbox_first(punkt->outbox);
        punkt->looked_index = 0;
    }
    while (punkt->looked_at != NULL && punkt->looked_index < index) {
        punkt->looked_at = punkt->looked_at->next;
        punkt->looked_index++;
    }
    return punkt->looked_at;
}

bool punkt_outbox_entry(struct punkt *punkt, uint64_t index, struct punkt_outbox_entry *out_entry)
{
    const struct outbox_entry *at = entry_at(punkt, index);
    if (at == NULL)
        return false;
    struct punkt_outbox_entry entry = {
        .epoch = at->epoch,
        .number = at->number,
        .state = (enum punkt_outbox_state)at->state,
        .live = at->lane == OUTBOX_LANE_LIVE,
        .advice = (at->flags & FRAME_FLAG_ADVICE) != 0,
        .operation = at->operation,
        .created_us = at->note.created_us,
        .business_date = at->note.business_date,
        .amount = at->note.amount,
        .earned = at->result.earned,
        .redeemed = at->result.redeemed,
        .offline_points = at->note.offline_points,
        .result = at->result.result,
        .position = at->result.position,
        .replaces_epoch = at->note.replaces_epoch,
        .replaces_number = at->note.replaces_number,
        .card = at->note.card,
    };
    buffer_clear(&punkt->arena);
    if (outbox_body(punkt->outbox, at, &punkt->arena)) {
        entry.body = buffer_data(&punkt->arena);
        entry.body_size = buffer_size(&punkt->arena);
    }
    copy_out(out_entry, out_entry->size, &entry, sizeof(entry));
    return true;
}

enum punkt_call punkt_outbox_discard(struct punkt *punkt, uint64_t epoch, uint64_t number)
{
    struct outbox_entry *entry = punkt->outbox != NULL ? outbox_find(punkt->outbox, epoch, number) : NULL;
    punkt->trouble[0] = '\0';
    if (entry == NULL || entry->state != OUTBOX_DEAD) {
        say_trouble(punkt, "no operation of this epoch and number is on the DEAD list");
        return PUNKT_CALL_INVALID;
    }
    punkt->looked_at = NULL;
    if (outbox_discard(punkt->outbox, entry) == OUTBOX_OK)
        return PUNKT_CALL_DONE;
    say_trouble(punkt, outbox_trouble(punkt->outbox));
    return PUNKT_CALL_NOT_STORED;
}

unsigned punkt_in_doubt(const struct punkt *punkt)
{
    unsigned count = 0;
    for (unsigned i = 0; i < punkt->live.order_count; i++)
        count += punkt->live.order[i]->in_doubt;
    return count;
}

unsigned punkt_unanswered(const struct punkt *punkt)
{
    return punkt->live.order_count - punkt_in_doubt(punkt) + punkt->waiter_count;
}

unsigned punkt_room(const struct punkt *punkt)
{
    unsigned live = punkt->window - punkt->live.order_count;
    unsigned queue = punkt->window - punkt->waiter_count;
    return live < queue ? live : queue;
}
