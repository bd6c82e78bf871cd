#include "crowd.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crowd_script.h"
#include "proto/crc32c.h"
#include "proto/frame.h"
#include "proto/message.h"
#include "talk.h"

#define WINDOW 8u     /* unanswered requests of a lane */
#define REPEATS 8u    /* answered requests of a lane that are sent once more when it settles */
#define PAST_MAX 200u /* of a lane that are asked again about the past */
#define HELLO_NUMBER (UINT64_C(1) << 62)
#define ISSUE_EPOCH 77u
#define LISTS_BYTES 65536u
#define PERIODS_COMPARED 3u /* the newest of a lane, whose cards are looked up */

struct bytes {
    uint8_t *data;
    size_t size, capacity;
};

struct lane {
    uint64_t epoch;
    struct outcome *outcomes; /* of number i + 1 */
    uint64_t answered;        /* the highest number with an answer; all below have one, too */
    uint64_t sent;            /* the highest number that was ever sent */

    int fd;             /* -1: not connected */
    uint64_t next;      /* the number to be sent next on this connection */
    uint64_t until;     /* no number above is sent */
    unsigned in_flight; /* sent on this connection and without answer */
    bool refused;       /* for now: what follows is out of order until all is answered, then it goes on */
    struct bytes in, out;
};

struct crowd {
    uint64_t seed;
    struct lane lanes[CROWD_LANES];
    uint64_t answers;
    crowd_answer_fn *on_answer;
    void *ctx;
    uint8_t lists[LISTS_BYTES];
};

static uint8_t *bytes_room(struct bytes *bytes, size_t more)
{
    if (bytes->capacity - bytes->size < more) {
        bytes->capacity = (bytes->size + more) * 2;
        bytes->data = realloc(bytes->data, bytes->capacity);
        assert_non_null(bytes->data);
    }
    return bytes->data + bytes->size;
}

static void bytes_drop(struct bytes *bytes, size_t size)
{
    memmove(bytes->data, bytes->data + size, bytes->size - size);
    bytes->size -= size;
}

struct crowd *crowd_new(uint64_t seed)
{
    struct crowd *crowd = calloc(1, sizeof(*crowd));
    assert_non_null(crowd);
    crowd->seed = seed;
    for (unsigned i = 0; i < CROWD_LANES; i++) {
        crowd->lanes[i].epoch = script_mixed(seed, i, 0) | 1;
        crowd->lanes[i].fd = -1;
    }
    return crowd;
}

static void lane_close(struct lane *lane)
{
    if (lane->fd >= 0)
        (void)close(lane->fd);
    lane->fd = -1;
    lane->in.size = lane->out.size = 0;
}

void crowd_free(struct crowd *crowd)
{
    if (crowd == NULL)
        return;
    for (unsigned i = 0; i < CROWD_LANES; i++) {
        lane_close(&crowd->lanes[i]);
        free(crowd->lanes[i].outcomes);
        free(crowd->lanes[i].in.data);
        free(crowd->lanes[i].out.data);
    }
    free(crowd);
}

/* --- what is asked --- */

static struct script script_of(const struct crowd *crowd, unsigned index)
{
    const struct lane *lane = &crowd->lanes[index];
    return (struct script){
        .seed = crowd->seed, .epoch = lane->epoch, .lane = index, .outcomes = lane->outcomes
    };
}

void crowd_issue(const struct crowd *crowd, const char *address)
{
    char first[16];
    (void)crowd;
    struct talk *talk = talk_hello(address, ISSUE_EPOCH, 1, NULL);
    script_lasting_card(0, first);
    talk_issue(talk, 1, first, CROWD_LANES + 1);
    talk_free(talk);
}

static void put_frame(struct lane *lane, enum operation operation, uint16_t flags, uint64_t number,
                      const void *body, const char *pin)
{
    uint8_t *header = bytes_room(&lane->out, FRAME_HEADER_SIZE + FRAME_BODY_MAX_BEFORE_HELLO);
    struct wire_writer writer = wire_writer_over(header + FRAME_HEADER_SIZE, FRAME_BODY_MAX_BEFORE_HELLO);
    if (pin != NULL) {
        wire_write_u8(&writer, (uint8_t)strlen(pin));
        wire_write_bytes(&writer, pin, strlen(pin));
        flags |= FRAME_FLAG_SECRET;
    }
    message_encode(operation_row((uint16_t)operation)->request, body, &writer);
    assert_false(writer.failed);
    size_t size = wire_written(&writer);
    frame_put_header(header, (uint32_t)size, (uint16_t)operation, flags, number);
    lane->out.size += FRAME_HEADER_SIZE + size;
}

static void put_request(struct crowd *crowd, unsigned index, uint64_t number)
{
    struct script script = script_of(crowd, index);
    struct script_request request;
    script_request(&script, number, &request);
    put_frame(&crowd->lanes[index], request.operation, request.flags, number, &request.body, request.pin);
}

/* --- what is answered --- */

static struct outcome outcome_of(struct crowd *crowd, unsigned index, const struct frame *frame)
{
    union script_answer answer;
    const char *field = "";
    uint8_t type[2] = { (uint8_t)frame->type, (uint8_t)(frame->type >> 8) };
    struct outcome outcome = { .known = true };
    struct script script = script_of(crowd, index);
    struct message_memory memory = { crowd->lists, sizeof(crowd->lists) };
    outcome.crc = crc32c(crc32c(0, type, sizeof(type)), frame->body, frame->body_size);
    if ((frame->type & FRAME_TYPE_DONE) == 0)
        return outcome;
    assert_true(message_decode(operation_row(frame->type & FRAME_TYPE_OPERATION)->answer, frame->body,
                               frame->body_size, &memory, &answer, &field));
    script_outcome(&script, frame->number, &answer, &outcome);
    return outcome;
}

/* Why a number was refused for now; RESULT_DONE: it was answered for good. */
static enum result retryable_result(struct crowd *crowd, const struct frame *frame)
{
    struct msg_refusal refusal;
    const char *field = "";
    struct message_memory memory = { crowd->lists, sizeof(crowd->lists) };
    if ((frame->type & FRAME_TYPE_REFUSED) == 0)
        return RESULT_DONE;
    assert_true(message_decode(MESSAGE_refusal, frame->body, frame->body_size, &memory, &refusal, &field));
    return result_row((enum result)refusal.result)->retryable ? (enum result)refusal.result : RESULT_DONE;
}

static void remember(struct crowd *crowd, unsigned index, const struct frame *frame)
{
    struct lane *lane = &crowd->lanes[index];
    struct outcome outcome = outcome_of(crowd, index, frame);
    struct outcome *known = &lane->outcomes[frame->number - 1];
    if (known->known) {
        if (known->crc != outcome.crc)
            fail_msg("lane %u number %" PRIu64 " was answered otherwise before", index, frame->number);
        assert_true((frame->flags & FRAME_FLAG_REPLAYED) != 0);
        return;
    }
    *known = outcome;
    assert_int_equal(frame->number, lane->answered + 1); /* answers keep the order of numbers */
    lane->answered = frame->number;
    crowd->answers++;
    if (crowd->on_answer != NULL)
        crowd->on_answer(crowd->ctx, index, frame->number);
}

static void take_frame(struct crowd *crowd, unsigned index, const struct frame *frame)
{
    struct lane *lane = &crowd->lanes[index];
    assert_true(lane->in_flight > 0);
    lane->in_flight--;
    if (retryable_result(crowd, frame) == RESULT_DONE)
        remember(crowd, index, frame);
    else
        lane->refused = true;
    if (lane->refused && lane->in_flight == 0) {
        lane->refused = false;
        lane->next = lane->answered + 1;
    }
}

static bool take_whole_frame(struct lane *lane, struct frame *out, size_t *out_size)
{
    enum frame_split split = frame_split(lane->in.data, lane->in.size, FRAME_BODY_MAX, out, out_size);
    assert_int_not_equal(split, FRAME_BROKEN);
    return split == FRAME_WHOLE;
}

static void take_frames(struct crowd *crowd, unsigned index)
{
    struct frame frame;
    size_t size;
    while (take_whole_frame(&crowd->lanes[index], &frame, &size)) {
        take_frame(crowd, index, &frame);
        bytes_drop(&crowd->lanes[index].in, size);
    }
}

/* --- connections --- */

/* False: the server has gone away. What it had sent before is in lane->in. */
static bool lane_receive(struct lane *lane)
{
    ssize_t got = recv(lane->fd, bytes_room(&lane->in, 65536), 65536, MSG_DONTWAIT);
    if (got > 0)
        lane->in.size += (size_t)got;
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

/* A server that has gone away is found when receiving. */
static void lane_send(struct lane *lane)
{
    while (lane->out.size > 0) {
        ssize_t sent = send(lane->fd, lane->out.data, lane->out.size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno != EAGAIN)
            lane->out.size = 0;
        if (sent <= 0)
            return;
        bytes_drop(&lane->out, (size_t)sent);
    }
}

static void lane_fill(struct crowd *crowd, unsigned index)
{
    struct lane *lane = &crowd->lanes[index];
    while (!lane->refused && lane->in_flight < WINDOW && lane->next <= lane->until) {
        if (lane->next > lane->sent) {
            lane->outcomes = realloc(lane->outcomes, lane->next * sizeof(*lane->outcomes));
            assert_non_null(lane->outcomes);
            memset(&lane->outcomes[lane->next - 1], 0, sizeof(*lane->outcomes));
            lane->sent = lane->next;
        }
        put_request(crowd, index, lane->next++);
        lane->in_flight++;
    }
}

/* One round: sends what there is, waits for something, takes it. False: a server has gone away. */
static bool crowd_turn(struct crowd *crowd)
{
    struct pollfd wanted[CROWD_LANES];
    bool there = true;
    for (unsigned i = 0; i < CROWD_LANES; i++) {
        struct lane *lane = &crowd->lanes[i];
        lane_fill(crowd, i);
        lane_send(lane);
        wanted[i] = (struct pollfd){ .fd = lane->fd, .events = POLLIN };
        if (lane->out.size > 0)
            wanted[i].events |= POLLOUT;
    }
    if (poll(wanted, CROWD_LANES, WORLD_PATIENCE_MS) == 0)
        fail_msg("no lane is answered");
    for (unsigned i = 0; i < CROWD_LANES; i++) {
        if (wanted[i].revents == 0 || crowd->lanes[i].fd < 0)
            continue;
        there = lane_receive(&crowd->lanes[i]) && there;
        take_frames(crowd, i);
    }
    return there;
}

/* The answer to HELLO. False: the server went away. */
static bool lane_hello(struct crowd *crowd, struct lane *lane, uint64_t first_unanswered,
                       struct msg_hello_answer *out)
{
    struct msg_hello_request hello;
    struct frame frame;
    size_t size;
    const char *field = "";
    struct message_memory memory = { crowd->lists, sizeof(crowd->lists) };
    struct pollfd wanted = { .fd = lane->fd, .events = POLLIN };
    message_init(MESSAGE_hello_request, &hello);
    hello.version_min = hello.version_max = PROTOCOL_VERSION;
    hello.epoch = lane->epoch;
    hello.first_unanswered = first_unanswered;
    put_frame(lane, OPERATION_HELLO, 0, HELLO_NUMBER, &hello, NULL);
    lane_send(lane);
    while (!take_whole_frame(lane, &frame, &size)) {
        if (poll(&wanted, 1, WORLD_PATIENCE_MS) == 0)
            fail_msg("hello is not answered");
        if (!lane_receive(lane))
            return false;
    }
    assert_int_equal(frame.type, OPERATION_HELLO | FRAME_TYPE_DONE);
    assert_true(message_decode(MESSAGE_hello_answer, frame.body, frame.body_size, &memory, out, &field));
    bytes_drop(&lane->in, size);
    return true;
}

bool crowd_connect(struct crowd *crowd, const char *address)
{
    for (unsigned i = 0; i < CROWD_LANES; i++) {
        struct lane *lane = &crowd->lanes[i];
        struct msg_hello_answer hello;
        lane_close(lane);
        lane->fd = talk_dial(address);
        if (!lane_hello(crowd, lane, lane->answered + 1, &hello))
            return false;
        if (hello.last_booked < lane->answered || hello.last_booked > lane->sent)
            fail_msg("lane %u: %" PRIu64 " are answered, %" PRIu64 " sent, but %" PRIu64 " booked", i,
                     lane->answered, lane->sent, hello.last_booked);
        lane->next = lane->answered + 1;
        lane->until = UINT64_MAX;
        lane->in_flight = 0;
        lane->refused = false;
    }
    return true;
}

bool crowd_run(struct crowd *crowd, uint64_t answers)
{
    int64_t start = world_now_ms();
    uint64_t until = crowd->answers + answers;
    while (crowd->answers < until) {
        if (!crowd_turn(crowd))
            return false;
        world_patience(start);
    }
    return true;
}

void crowd_hang_up(struct crowd *crowd)
{
    for (unsigned i = 0; i < CROWD_LANES; i++) {
        struct lane *lane = &crowd->lanes[i];
        struct pollfd wanted = { .fd = lane->fd, .events = POLLIN };
        if (lane->fd < 0)
            continue;
        do {
            if (poll(&wanted, 1, WORLD_PATIENCE_MS) == 0)
                fail_msg("the server is still there");
        } while (lane_receive(lane));
        take_frames(crowd, i);
        lane_close(lane);
    }
}

/* --- comparing --- */

/* Where totals count an operation that is no purchase and no redemption; NULL: nowhere. */
static int64_t *sum_for(struct msg_totals_answer *sums, enum operation operation)
{
    switch ((int)operation) {
    case OPERATION_RETURN:
        return &sums->returned;
    case OPERATION_UNLINKED_RETURN:
        return &sums->unlinked;
    case OPERATION_REVERSAL:
        return &sums->reversed;
    case OPERATION_ADJUST:
        return &sums->adjusted;
    case OPERATION_BONUS:
        return &sums->bonus;
    case OPERATION_WRITE_OFF:
        return &sums->written_off;
    case OPERATION_CARD_CLOSE:
        return &sums->forfeited;
    default:
        return NULL;
    }
}

/* What the numbers of all lanes have made, as totals say it. */
static struct msg_totals_answer sums_of(const struct crowd *crowd, const uint64_t up_to[CROWD_LANES])
{
    struct msg_totals_answer sums = { .earned = 0 };
    for (unsigned i = 0; i < CROWD_LANES; i++) {
        struct script script = script_of(crowd, i);
        for (uint64_t number = 1; number <= up_to[i]; number++) {
            const struct outcome *outcome = &crowd->lanes[i].outcomes[number - 1];
            int64_t waited = script_waited(&script, number, up_to[i]);
            assert_true(outcome->known);
            sums.earned += outcome->earned;
            sums.redeemed += outcome->redeemed;
            sums.returned += waited;
            sums.outstanding += outcome->change + outcome->moved - waited;
            int64_t *sum = sum_for(&sums, script_operation(&script, number));
            bool lost = sum == &sums.returned || sum == &sums.unlinked || sum == &sums.forfeited;
            if (sum != NULL)
                *sum += lost ? -outcome->change : outcome->change;
        }
    }
    return sums;
}

/* What a return waited for is here, and it is decided a little later, by itself. */
static void compare_totals(struct talk *talk, const struct msg_totals_answer *sums)
{
    int64_t start = world_now_ms();
    struct msg_totals_answer totals = talk_totals(talk);
    while (totals.returned != sums->returned) {
        if (world_now_ms() - start > WORLD_PATIENCE_MS)
            fail_msg("%" PRId64 " points were returned, not %" PRId64, sums->returned, totals.returned);
        totals = talk_totals(talk);
    }
    assert_int_equal(totals.earned, sums->earned);
    assert_int_equal(totals.redeemed, sums->redeemed);
    assert_int_equal(totals.unlinked, sums->unlinked);
    assert_int_equal(totals.reversed, sums->reversed);
    assert_int_equal(totals.adjusted, sums->adjusted);
    assert_int_equal(totals.bonus, sums->bonus);
    assert_int_equal(totals.written_off, sums->written_off);
    assert_int_equal(totals.forfeited, sums->forfeited);
    assert_int_equal(totals.outstanding - totals.debt, sums->outstanding);
}

static void compare_card(struct talk *talk, const char *card, int64_t points)
{
    struct msg_card_show_answer shown = talk_card(talk, card);
    int64_t balance = shown.available + shown.pending + shown.held - shown.debt;
    if (balance != points)
        fail_msg("card %s has %" PRId64 " points instead of %" PRId64, card, balance, points);
}

/* The balances of owners, from the numbers of a lane in [from, to]; of those whose points stand for
 * themselves. */
static void add_balances(const struct script *script, uint64_t from, uint64_t to, uint64_t up_to,
                         int64_t balances[OWNERS])
{
    for (uint64_t number = from; number <= to; number++) {
        const struct outcome *outcome = &script->outcomes[number - 1];
        balances[script_owner_of(script, number)] += outcome->change - script_waited(script, number, up_to);
        balances[SCRIPT_MOVED_TO] += outcome->moved;
    }
}

/* The cards of the newest periods of a lane. */
static void compare_periods(struct talk *talk, const struct script *script, uint64_t up_to)
{
    uint64_t periods = (up_to + SCRIPT_STEPS - 1) / SCRIPT_STEPS;
    uint64_t period = periods > PERIODS_COMPARED ? periods - PERIODS_COMPARED : 0;
    for (; period < periods; period++) {
        int64_t balances[OWNERS] = { 0 };
        char card[16];
        uint64_t last = (period + 1) * SCRIPT_STEPS;
        add_balances(script, period * SCRIPT_STEPS + 1, last < up_to ? last : up_to, up_to, balances);
        if (script_merged(script, period, up_to))
            balances[OWNER_A] = balances[OWNER_B] += balances[OWNER_A];
        for (int owner = OWNER_A; owner < OWNERS; owner++) {
            if (script_card(script, period, (enum script_owner)owner, up_to, card))
                compare_card(talk, card, balances[owner]);
        }
    }
}

/* What the first up_to[lane] numbers have made of cards and totals. */
static void compare_sums(struct crowd *crowd, const char *address, const uint64_t up_to[CROWD_LANES])
{
    struct talk *talk = talk_hello(address, 0, 1, NULL);
    struct msg_totals_answer sums = sums_of(crowd, up_to);
    int64_t shared = 0;
    char card[16];
    compare_totals(talk, &sums);
    for (unsigned i = 0; i < CROWD_LANES; i++) {
        struct script script = script_of(crowd, i);
        int64_t balances[OWNERS] = { 0 };
        add_balances(&script, 1, up_to[i], up_to[i], balances);
        shared += balances[OWNER_SHARED];
        script_lasting_card(1 + i, card);
        compare_card(talk, card, balances[OWNER_LANE]);
        compare_periods(talk, &script, up_to[i]);
    }
    script_lasting_card(0, card);
    compare_card(talk, card, shared);
    talk_free(talk);
}

void crowd_settle(struct crowd *crowd, const char *address)
{
    uint64_t up_to[CROWD_LANES];
    int64_t start = world_now_ms();
    bool settled = false;
    for (unsigned i = 0; i < CROWD_LANES; i++) {
        struct lane *lane = &crowd->lanes[i];
        lane->until = lane->sent;
        if (lane->in_flight == 0 && !lane->refused)
            lane->next = lane->answered < REPEATS ? 1 : lane->answered - REPEATS + 1;
    }
    while (!settled) {
        settled = true;
        for (unsigned i = 0; i < CROWD_LANES; i++) {
            const struct lane *lane = &crowd->lanes[i];
            settled =
                settled && lane->answered == lane->sent && lane->in_flight == 0 && lane->next > lane->until;
        }
        if (!settled && !crowd_turn(crowd))
            fail_msg("the server went away");
        world_patience(start);
    }
    for (unsigned i = 0; i < CROWD_LANES; i++) {
        up_to[i] = crowd->lanes[i].answered;
        crowd->lanes[i].until = UINT64_MAX;
    }
    compare_sums(crowd, address, up_to);
}

void crowd_on_answer(struct crowd *crowd, crowd_answer_fn *on_answer, void *ctx)
{
    crowd->on_answer = on_answer;
    crowd->ctx = ctx;
}

/* Asks again for the last numbers that a past server knows. */
static void repeat_past(struct crowd *crowd, unsigned index, uint64_t booked)
{
    struct lane *lane = &crowd->lanes[index];
    struct pollfd wanted = { .fd = lane->fd, .events = POLLIN };
    uint64_t from = booked > PAST_MAX ? booked - PAST_MAX + 1 : 1;
    for (uint64_t number = from; number <= booked; number++) {
        struct frame frame;
        size_t size;
        put_request(crowd, index, number);
        lane_send(lane);
        while (!take_whole_frame(lane, &frame, &size)) {
            if (poll(&wanted, 1, WORLD_PATIENCE_MS) == 0 || !lane_receive(lane))
                fail_msg("lane %u number %" PRIu64 " is not answered again", index, number);
        }
        struct outcome outcome = outcome_of(crowd, index, &frame);
        struct outcome *known = &lane->outcomes[number - 1];
        assert_int_equal(frame.number, number);
        assert_true((frame.flags & FRAME_FLAG_REPLAYED) != 0);
        if (known->known && known->crc != outcome.crc)
            fail_msg("lane %u number %" PRIu64 " was answered otherwise before", index, number);
        *known = outcome;
        bytes_drop(&lane->in, size);
    }
}

void crowd_check_past(struct crowd *crowd, const char *address, const uint64_t at_least[CROWD_LANES])
{
    uint64_t booked[CROWD_LANES];
    for (unsigned i = 0; i < CROWD_LANES; i++) {
        struct lane *lane = &crowd->lanes[i];
        struct msg_hello_answer hello;
        lane_close(lane);
        lane->fd = talk_dial(address);
        if (!lane_hello(crowd, lane, 1, &hello))
            fail_msg("the server went away");
        booked[i] = hello.last_booked;
        if (booked[i] < at_least[i] || booked[i] > lane->sent)
            fail_msg("lane %u: %" PRIu64 " were answered, %" PRIu64 " sent, but %" PRIu64 " are booked", i,
                     at_least[i], lane->sent, booked[i]);
        repeat_past(crowd, i, booked[i]);
        lane_close(lane);
    }
    compare_sums(crowd, address, booked);
}
