/*
 * The mock's frames: lanes, repeats, rules, and what is remembered (PROTOCOL.md, Lanes).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/sha.h>

#include "cli/mock_parts.h"

/* --- answers --- */

static void reply_encode(struct mock *mock, const struct mock_request *request, uint16_t kind,
                         enum message message, const void *in, struct mock_reply *out)
{
    struct wire_writer writer = wire_writer_over(mock->bytes, FRAME_BODY_MAX);
    message_encode(message, in, &writer);
    *out = (struct mock_reply){ .type = (uint16_t)((request->frame->type & FRAME_TYPE_OPERATION) | kind),
                                .body_size = writer.failed ? 0 : wire_written(&writer) };
}

static void reply_refuse(struct mock *mock, const struct mock_request *request, enum result result,
                         const char *detail, struct mock_reply *out)
{
    struct msg_refusal refusal = { .result = (uint64_t)result, .detail = message_text_of(detail, 400) };
    reply_encode(mock, request, FRAME_TYPE_REFUSED, MESSAGE_refusal, &refusal, out);
}

/* As mock->refusal says. */
static void reply_refusal(struct mock *mock, const struct mock_request *request, struct mock_reply *out)
{
    const struct mock_refusal *from = &mock->refusal;
    struct msg_refusal refusal = { .result = (uint64_t)from->result,
                                   .detail = message_text_of(from->detail, 400),
                                   .needed = from->needed,
                                   .available = from->available };
    reply_encode(mock, request, FRAME_TYPE_REFUSED, MESSAGE_refusal, &refusal, out);
}

/* The answer that was given before. */
static void reply_again(struct mock *mock, const struct mock_change *change, struct mock_reply *out)
{
    const struct mock_change *first = change->first != 0 ? mock_change_at(mock, change->first) : change;
    memcpy(mock->bytes, first->answer, first->answer_size);
    *out = (struct mock_reply){ .type = first->answer_type,
                                .flags = (uint16_t)(FRAME_FLAG_REPLAYED |
                                                    (change->first != 0 ? FRAME_FLAG_TIED : 0)),
                                .body_size = first->answer_size };
}

/* Every answer of a change begins with its position. */
static void set_position(const struct operation_row *row, union mock_message *answer, uint64_t position)
{
    memcpy((uint8_t *)answer + message_tables[row->answer].fields[0].offset, &position, sizeof(position));
}

/* What a rule, or --echo, makes of an answer. True: it is one now, whatever it was. */
static bool answer_forced(struct mock *mock, const struct mock_request *request, enum mock_verdict verdict,
                          uint64_t position)
{
    const struct operation_row *row = request->row;
    struct message_memory memory = { mock->more_lists, MOCK_LISTS_SIZE };
    char why[MOCK_WHY_SIZE];
    if (mock->options.echo && row->code != OPERATION_HELLO) {
        mock_json_tell(row->answer, &memory, &mock->answer);
        verdict = MOCK_DONE;
    }
    const struct mock_line *rule = mock_rule_take(mock, MOCK_ANSWER, request);
    if (rule == NULL)
        return verdict == MOCK_DONE;
    if (verdict != MOCK_DONE) {
        message_init(row->answer, &mock->answer);
        if (row->kind == OPERATION_KIND_CHANGE)
            set_position(row, &mock->answer, position);
    }
    /* It was read before; what is too long for the room left is left out. */
    (void)mock_json_read(row->answer, rule->json, &memory, &mock->answer, why);
    return true;
}

/* What of the daemon's the mock has not. */
static const char *missing_of(enum operation operation)
{
    if (operation >= OPERATION_IDENTITY_ADD && operation <= OPERATION_ENROL)
        return "the mock has no register of tills and users: everybody is its administrator";
    if (operation == OPERATION_APPROVAL_LIST || operation == OPERATION_APPROVAL_DECIDE)
        return "the mock has no limits, so nothing waits for approval";
    if (operation == OPERATION_FLAG_LIST || operation == OPERATION_FLAG_RESOLVE)
        return "the mock flags nothing";
    return "the mock has no answer of its own";
}

/* --- reads --- */

static enum mock_verdict hello(struct mock *mock, struct mock_session *session)
{
    static const char offline_words[] = "Points will follow";
    static struct msg_text_line offline = { .text = { offline_words, sizeof(offline_words) - 1 } };
    const struct msg_hello_request *request = &mock->message.hello_request;
    if (request->version_min > PROTOCOL_VERSION || request->version_max < PROTOCOL_VERSION)
        return mock_refuse(mock, RESULT_VERSION, "this server speaks version 1");
    session->epoch = request->epoch;
    session->hello_said = true;
    session->claim = request->first_unanswered > 0 ? request->first_unanswered - 1 : 0;
    session->receipt_width = request->receipt_width;
    const char *currency = mock->options.currency;
    const char *zone = mock->zone_known ? mock->options.zone : "UTC";
    mock->answer.hello_answer =
        (struct msg_hello_answer){ .version = PROTOCOL_VERSION,
                                   .time = mock->now_us,
                                   .journal_id = "punkt-mock-ledge",
                                   .term = mock->term,
                                   .last_booked = mock_lane_highest(mock, request->epoch),
                                   .frame_max = FRAME_HEADER_SIZE + FRAME_BODY_MAX,
                                   .in_flight_max = 64,
                                   .currency = { currency, strlen(currency) },
                                   .currency_exponent = mock->currency_exponent,
                                   .points_decimals = mock->options.points_decimals,
                                   .zone = { zone, strlen(zone) },
                                   .programme_version = 1,
                                   .redeem_points =
                                       (uint64_t)mock_power_of_ten(mock->options.points_decimals) * 100,
                                   .redeem_worth = (uint64_t)mock_power_of_ten(mock->currency_exponent),
                                   .offline_text = &offline,
                                   .offline_text_count = request->receipt_width > 0,
                                   .role = ROLE_ADMIN,
                                   .identity = 1 };
    return MOCK_DONE;
}

static enum mock_verdict status(struct mock *mock)
{
    const struct msg_status_request *request = &mock->message.status_request;
    const struct mock_change *change = mock_change_named(mock, request->epoch, request->number);
    char name[MOCK_NAME_SIZE];
    uint64_t tombstone;
    /* Reversed before it came: what is known of the number is its reversal. */
    if (change == NULL &&
        mock_index_get(mock, mock_name('t', request->epoch, request->number, name), &tombstone))
        change = mock_change_at(mock, tombstone);
    struct msg_status_answer *out = &mock->answer.status_answer;
    message_init(MESSAGE_status_answer, out);
    if (change == NULL)
        return MOCK_DONE;
    out->state = (change->answer_type & FRAME_TYPE_DONE) != 0 ? 1 : 2;
    out->type = change->answer_type;
    out->tied = change->first != 0;
    if (change->answer_size <= 4096)
        out->answer = (struct message_text){ (const char *)change->answer, change->answer_size };
    return MOCK_DONE;
}

static enum mock_verdict read_other(struct mock *mock, enum operation operation)
{
    if (operation == OPERATION_STATUS)
        return status(mock);
    if (operation != OPERATION_PING)
        return mock_read(mock, operation);
    mock->answer.ping_answer = (struct msg_ping_answer){ .time = mock->now_us };
    return MOCK_DONE;
}

static void take_read(struct mock *mock, struct mock_session *session, const struct mock_request *request,
                      struct mock_reply *out)
{
    enum mock_verdict verdict;
    char detail[96];
    if (!request->decoded) {
        (void)snprintf(detail, sizeof(detail), "%s%s", request->field[0] != '\0' ? "field " : "",
                       request->field);
        reply_refuse(mock, request, RESULT_MALFORMED, detail, out);
        return;
    }
    const struct mock_line *rule = mock_rule_take(mock, MOCK_REFUSE, request);
    if (rule != NULL)
        verdict = mock_refuse(mock, rule->result, "");
    else if (request->row->code == OPERATION_HELLO)
        verdict = hello(mock, session);
    else
        verdict = read_other(mock, request->row->code);
    if (rule == NULL && answer_forced(mock, request, verdict, 0))
        reply_encode(mock, request, FRAME_TYPE_DONE, request->row->answer, &mock->answer, out);
    else if (verdict == MOCK_UNKNOWN)
        reply_refuse(mock, request, RESULT_UNKNOWN_OPERATION, missing_of(request->row->code), out);
    else
        reply_refusal(mock, request, out);
}

/* --- changes --- */

/* Whether a refusal leaves the number to be expected again: PROTOCOL.md, Lanes. */
static bool leaves_number(enum result result)
{
    const struct result_row *row = result_row(result);
    return row == NULL || row->retryable || result == RESULT_UNKNOWN_OPERATION ||
           result == RESULT_HELLO_FIRST || result == RESULT_FRAME_TOO_LARGE || result == RESULT_VERSION;
}

/* Keeps the change with its answer in mock->bytes. */
static void keep(struct mock *mock, struct mock_change *change, const struct mock_reply *reply)
{
    change->answer_type = reply->type;
    change->answer = mock_copy(mock->bytes, reply->body_size);
    change->answer_size = change->answer != NULL ? reply->body_size : 0;
    mock_change_add(mock, change);
}

static struct mock_change *change_begin(struct mock *mock, uint64_t epoch, const struct mock_request *request,
                                        const uint8_t *fingerprint)
{
    struct mock_change *change = mock_change_new(mock);
    if (change == NULL)
        return NULL;
    change->epoch = epoch;
    change->number = request->frame->number;
    change->row = request->row;
    change->flags = request->frame->flags;
    change->time_us = mock->now_us;
    memcpy(change->fingerprint, fingerprint, sizeof(change->fingerprint));
    change->body = mock_copy(request->body, request->body_size);
    change->body_size = request->body_size;
    if (change->body != NULL)
        return change;
    mock_change_free(change);
    return NULL;
}

/* A rule refuses it: for good, or for now. */
static bool refused_by_rule(struct mock *mock, const struct mock_request *request, struct mock_change *change,
                            struct mock_reply *out)
{
    const struct mock_line *rule = mock_rule_take(mock, MOCK_REFUSE, request);
    if (rule == NULL)
        return false;
    reply_refuse(mock, request, rule->result, "", out);
    if (leaves_number(rule->result)) {
        mock_change_free(change);
        return true;
    }
    change->forced = true;
    keep(mock, change, out);
    return true;
}

/* The number is the next one, and the body can be read. */
static void decide(struct mock *mock, const struct mock_request *request, struct mock_change *change,
                   struct mock_reply *out)
{
    char name[MOCK_NAME_SIZE];
    uint64_t tombstone;
    enum mock_verdict verdict;
    if (refused_by_rule(mock, request, change, out))
        return;
    if (mock_index_get(mock, mock_name('t', change->epoch, change->number, name), &tombstone))
        verdict = mock_refuse(mock, RESULT_WILL_BE_REFUSED, "");
    else
        verdict = mock_decide(mock, change);
    if (verdict == MOCK_TIED) {
        reply_again(mock, change, out);
        keep(mock, change, out);
        return;
    }
    bool done = verdict == MOCK_DONE;
    if (done)
        set_position(request->row, &mock->answer, change->position);
    if (answer_forced(mock, request, verdict, change->position)) {
        change->forced = !done;
        change->made.booked = true;
        reply_encode(mock, request, FRAME_TYPE_DONE, request->row->answer, &mock->answer, out);
        keep(mock, change, out);
    } else if (verdict == MOCK_UNKNOWN) {
        reply_refuse(mock, request, RESULT_UNKNOWN_OPERATION, missing_of(request->row->code), out);
        mock_change_free(change);
    } else {
        reply_refusal(mock, request, out);
        keep(mock, change, out);
    }
}

static void take_malformed(struct mock *mock, const struct mock_request *request, struct mock_reply *out)
{
    char detail[96];
    (void)snprintf(detail, sizeof(detail), "%s%s", request->field[0] != '\0' ? "field " : "", request->field);
    reply_refuse(mock, request, RESULT_MALFORMED, request->secret_wrong ? "the secret part" : detail, out);
}

static void fingerprint_of(const struct mock_request *request, struct mock *mock,
                           uint8_t out[MOCK_FINGERPRINT_SIZE])
{
    uint8_t whole[SHA256_DIGEST_LENGTH];
    mock->bytes[0] = (uint8_t)request->row->code;
    mock->bytes[1] = (uint8_t)(request->row->code >> 8);
    if (request->body_size > 0)
        memcpy(mock->bytes + 2, request->body, request->body_size);
    (void)SHA256(mock->bytes, request->body_size + 2, whole);
    memcpy(out, whole, MOCK_FINGERPRINT_SIZE);
}

/*
 * What the client says to have final answers for moves the lane on with the change behind it; a client that sends one of
 * those instead was answered by a server that lost it (LEDGER.md, After a server's loss).
 */
static void take_claim(struct mock *mock, struct mock_session *session, uint64_t number)
{
    uint64_t highest = mock_lane_highest(mock, session->epoch);
    if (number == session->claim + 1)
        mock_lane_move(mock, session->epoch, session->claim);
    else if (number > highest && number <= session->claim)
        session->claim = 0;
}

static void take_change(struct mock *mock, struct mock_session *session, const struct mock_request *request,
                        struct mock_reply *out)
{
    uint64_t number = request->frame->number;
    take_claim(mock, session, number);
    uint64_t expected = mock_lane_highest(mock, session->epoch) + 1;
    uint8_t fingerprint[MOCK_FINGERPRINT_SIZE];
    if (number > expected) {
        reply_refuse(mock, request, RESULT_OUT_OF_ORDER, "", out);
        return;
    }
    fingerprint_of(request, mock, fingerprint);
    const struct mock_change *first = mock_change_named(mock, session->epoch, number);
    if (number < expected && first != NULL) {
        if (memcmp(first->fingerprint, fingerprint, sizeof(fingerprint)) == 0)
            reply_again(mock, first, out);
        else
            reply_refuse(mock, request, RESULT_CONFLICT, "", out);
    } else if (!request->decoded) {
        take_malformed(mock, request, out);
        mock_lane_move(mock, session->epoch, number);
    } else if (number < expected) {
        /* Passed over as malformed: others are not what was answered. */
        reply_refuse(mock, request, RESULT_CONFLICT, "", out);
    } else {
        struct mock_change *change = change_begin(mock, session->epoch, request, fingerprint);
        if (change == NULL)
            reply_refuse(mock, request, RESULT_BUSY, "out of memory", out);
        else
            decide(mock, request, change, out);
    }
}

/* --- frames --- */

/* The secret part goes off the body. */
static void take_secret(struct mock_request *request)
{
    size_t size = request->body_size > 0 ? request->body[0] : 0;
    request->secret_wrong = size == 0 || size > FRAME_SECRET_MAX || size >= request->body_size;
    if (request->secret_wrong)
        return;
    request->body += 1 + size;
    request->body_size -= 1 + size;
}

void mock_request_look(struct mock *mock, const struct frame *frame, struct mock_request *out)
{
    struct message_memory memory = { mock->lists, MOCK_LISTS_SIZE };
    *out = (struct mock_request){ .frame = frame,
                                  .row = operation_row(frame->type),
                                  .body = frame->body,
                                  .body_size = frame->body_size,
                                  .field = "" };
    if ((frame->flags & FRAME_FLAG_SECRET) != 0)
        take_secret(out);
    if (out->row != NULL && !out->secret_wrong)
        out->decoded = message_decode(out->row->request, out->body, out->body_size, &memory, &mock->message,
                                      &out->field);
}

const struct mock_line *mock_rule_take(struct mock *mock, enum mock_verb verb,
                                       const struct mock_request *request)
{
    for (size_t i = 0; request->decoded && i < mock->rule_count; i++) {
        struct mock_line *rule = &mock->rules[i];
        if (rule->verb != verb || !mock_line_fits(rule, request->row, &mock->message))
            continue;
        if (rule->times != MOCK_ALWAYS)
            rule->times--;
        return rule;
    }
    return NULL;
}

/* The name of a change; reads have none, for their number is anything. */
static void name_change(json_t *object, uint64_t epoch, uint64_t number)
{
    char text[MOCK_NAME_SIZE];
    (void)snprintf(text, sizeof(text), "%016" PRIx64, epoch);
    (void)json_object_set_new(object, "epoch", json_string(text));
    (void)json_object_set_new(object, "number", json_integer((json_int_t)number));
}

static void echo(struct mock *mock, const struct mock_session *session, const struct mock_request *request)
{
    json_t *object = json_pack("{s:s, s:o, s:o}", "operation", request->row->name, "flags",
                               mock_json_flags(request->frame->flags), "fields",
                               mock_json_write(request->row->request, &mock->message));
    if (object != NULL && request->row->kind == OPERATION_KIND_CHANGE)
        name_change(object, session->epoch, request->frame->number);
    if (object != NULL && json_dumpf(object, mock->options.out, JSON_COMPACT) == 0)
        (void)fputc('\n', mock->options.out);
    (void)fflush(mock->options.out);
    json_decref(object);
}

void mock_request_take(struct mock *mock, struct mock_session *session, const struct mock_request *request,
                       struct mock_reply *out)
{
    const struct operation_row *row = request->row;
    const struct frame *frame = request->frame;
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    mock->now_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    mock->receipt_width = session->receipt_width;
    if (mock->options.echo && request->decoded)
        echo(mock, session, request);
    if (!session->hello_said && (row == NULL || row->code != OPERATION_HELLO))
        reply_refuse(mock, request, RESULT_HELLO_FIRST, "", out);
    else if (row == NULL)
        reply_refuse(mock, request, RESULT_UNKNOWN_OPERATION, "", out);
    else if ((frame->flags & ~FRAME_FLAGS_REQUEST) != 0)
        reply_refuse(mock, request, RESULT_MALFORMED, "unknown flags", out);
    else if ((frame->flags & (FRAME_FLAG_OFFLINE | FRAME_FLAG_ADVICE)) == FRAME_FLAG_OFFLINE)
        reply_refuse(mock, request, RESULT_MALFORMED, "offline is said of advices only", out);
    else if ((frame->flags & FRAME_FLAG_SECRET) != 0 && !operation_takes_secret(row->code))
        reply_refuse(mock, request, RESULT_MALFORMED, "this operation takes no secret part", out);
    else if (row->kind != OPERATION_KIND_CHANGE)
        take_read(mock, session, request, out);
    else if (session->epoch == 0)
        reply_refuse(mock, request, RESULT_MALFORMED, "this connection named no lane at hello", out);
    else if (frame->number == 0)
        reply_refuse(mock, request, RESULT_MALFORMED, "changes are numbered from 1", out);
    else
        take_change(mock, session, request, out);
}

void mock_frame_broken(struct mock *mock, const struct frame *frame, struct mock_reply *out)
{
    struct mock_request request = { .frame = frame };
    char detail[96];
    (void)snprintf(detail, sizeof(detail), "a body of %" PRIu32 " bytes was announced", frame->body_size);
    reply_refuse(mock, &request, RESULT_FRAME_TOO_LARGE, detail, out);
}
