/*
 * The mock against punktd: random requests of a till, sent to both, come to the same, so that the mock cannot drift.
 * Compared are results and all fields of answers but positions, times, and what only a whole programme knows. And
 * every frame of proto/vectors that must be refused is refused by the mock as by punktd.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../unit/random.h"
#include "cli/mock_json.h"
#include "mock_world.h"
#include "proto/frame.h"
#include "talk.h"

#define EPOCH UINT64_C(0x0123456789abcdef)
#define CARDS 4 /* the last is not issued at the start */
#define STEPS 400
#define READ_NUMBER (UINT64_C(1) << 62)

static const char *const cards[CARDS] = { "2900000000018", "2900000000025", "2900000000032",
                                          "2900000000049" };

/* One side: punktd, or the mock. */
struct side {
    struct talk *talk;
    struct talk_answer answer;
    uint64_t positions[STEPS + 16]; /* of the change of each number */
};

enum { DAEMON, MOCK, SIDES };

struct pair {
    struct side sides[SIDES];
    struct random random;
    uint64_t number; /* of the last change */
    uint64_t date;   /* business date of all that has one */
    bool holds_too;  /* requests name positions: the hashes of days differ */
    uint64_t receipts;
    struct wire_code buyers[STEPS + 16]; /* by receipt */
    struct {
        uint64_t number;
        struct wire_code card;
    } holds[STEPS + 16]; /* that were made */
    size_t hold_count;
    uint64_t kinds[FRAME_TYPE_OPERATION]; /* how often an operation was done */
};

/* --- comparison --- */

/* Of what is no till's business to compare. */
static bool is_compared(const struct pair *pair, const char *field)
{
    static const char *const others[] = { "position",      "account", "deadline",   "last_purchase",
                                          "last_event",    "parts",   "lots",       "holds",
                                          "tier",          "head",    "close_time", "answer",
                                          "head_position", NULL };
    if (strcmp(field, "hash") == 0 && pair->holds_too)
        return false;
    for (const char *const *other = others; *other != NULL; other++) {
        if (strcmp(*other, field) == 0)
            return false;
    }
    return true;
}

static json_t *json_of(const struct pair *pair, struct side *side, const struct operation_row *row)
{
    union mock_message in;
    if (talk_result(side->talk, &side->answer) != RESULT_DONE) {
        struct msg_refusal refusal = talk_refusal(side->talk, &side->answer);
        refusal.detail = (struct message_text){ "", 0 };
        return json_pack("{s:s, s:I, s:I}", "refused", result_row(refusal.result)->name, "needed",
                         (json_int_t)refusal.needed, "available", (json_int_t)refusal.available);
    }
    talk_decode(side->talk, &side->answer, &in);
    json_t *object = mock_json_write(row->answer, &in);
    const struct message_table *table = &message_tables[row->answer];
    for (size_t i = 0; i < table->field_count; i++) {
        if (!is_compared(pair, table->fields[i].name))
            (void)json_object_del(object, table->fields[i].name);
    }
    return object;
}

static void compare(struct pair *pair, const struct operation_row *row)
{
    json_t *ours[SIDES];
    char *texts[SIDES];
    for (int i = 0; i < SIDES; i++) {
        ours[i] = json_of(pair, &pair->sides[i], row);
        texts[i] = json_dumps(ours[i], JSON_COMPACT | JSON_SORT_KEYS);
    }
    if (!json_equal(ours[DAEMON], ours[MOCK]) ||
        pair->sides[DAEMON].answer.flags != pair->sides[MOCK].answer.flags)
        fail_msg("%s, number %llu:\npunktd %s\nmock   %s", row->name, (unsigned long long)pair->number,
                 texts[DAEMON], texts[MOCK]);
    for (int i = 0; i < SIDES; i++) {
        json_decref(ours[i]);
        free(texts[i]);
    }
}

/* --- sending --- */

static void set_field(enum message message, void *body, const char *name, uint64_t value)
{
    const struct message_table *table = &message_tables[message];
    for (size_t i = 0; i < table->field_count; i++) {
        if (strcmp(table->fields[i].name, name) == 0)
            memcpy((uint8_t *)body + table->fields[i].offset, &value, sizeof(value));
    }
}

/* Sends the same to both, but for what names a hold: the position of the number `hold`. Returns whether it is done. */
static bool send(struct pair *pair, enum operation operation, uint16_t flags, uint64_t number, void *body,
                 uint64_t hold)
{
    const struct operation_row *row = operation_row((uint16_t)operation);
    set_field(row->request, body, "business_date", pair->date);
    for (int i = 0; i < SIDES; i++) {
        struct side *side = &pair->sides[i];
        if (hold != 0)
            set_field(row->request, body, "hold", side->positions[hold]);
        talk_send(side->talk, operation, flags, number, body);
        assert_true(talk_receive(side->talk, &side->answer));
        assert_int_equal(side->answer.number, number);
    }
    compare(pair, row);
    bool done = (pair->sides[DAEMON].answer.type & FRAME_TYPE_DONE) != 0;
    pair->kinds[operation] += done;
    return done;
}

static bool change(struct pair *pair, enum operation operation, uint16_t flags, void *body, uint64_t hold)
{
    pair->number++;
    bool done = send(pair, operation, flags, pair->number, body, hold);
    for (int i = 0; done && i < SIDES; i++) {
        union mock_message in;
        talk_decode(pair->sides[i].talk, &pair->sides[i].answer, &in);
        memcpy(&pair->sides[i].positions[pair->number], &in, sizeof(uint64_t)); /* the first field */
    }
    return done;
}

/* --- random requests --- */

static uint64_t below(struct pair *pair, uint64_t bound)
{
    return random_below(&pair->random, bound);
}

static struct wire_code any_card(struct pair *pair)
{
    return talk_code(cards[below(pair, CARDS)]);
}

static struct wire_code receipt_code(uint64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "R%llu", (unsigned long long)number);
    return talk_code(text);
}

/* One that was used, mostly, and then mostly its card. */
static struct wire_code any_receipt(struct pair *pair, struct wire_code *out_card)
{
    uint64_t number = below(pair, pair->receipts + 2);
    if (number > 0 && number <= pair->receipts && below(pair, 4) > 0)
        *out_card = pair->buyers[number];
    return receipt_code(number);
}

static size_t random_lines(struct pair *pair, struct msg_line lines[4], uint64_t *out_amount)
{
    static const char *const codes[] = { "milk", "bread", "soap" };
    size_t count = below(pair, 4);
    int64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        message_init(MESSAGE_line, &lines[i]);
        lines[i].code = talk_code(codes[below(pair, 3)]);
        lines[i].amount = (int64_t)below(pair, 3000);
        lines[i].quantity = 1000 * (1 + below(pair, 3));
        lines[i].kind = below(pair, 5) == 0 ? 3 : 0;
        if (i > 0 && below(pair, 4) == 0) {
            lines[i].kind = 1;
            lines[i].amount = -(int64_t)below(pair, (uint64_t)sum + 1);
        }
        sum += lines[i].amount;
    }
    if (count > 0)
        *out_amount = (uint64_t)sum + (below(pair, 20) == 0);
    return count;
}

static void step_purchase(struct pair *pair)
{
    struct msg_line lines[4];
    struct msg_wish wish;
    struct msg_purchase_request purchase = talk_purchase(cards[below(pair, CARDS)], below(pair, 20000), "");
    purchase.receipt =
        below(pair, 6) == 0 ? any_receipt(pair, &purchase.card) : receipt_code(++pair->receipts);
    if (purchase.receipt.size > 0 && pair->buyers[pair->receipts].size == 0)
        pair->buyers[pair->receipts] = purchase.card;
    purchase.lines_count = random_lines(pair, lines, &purchase.amount);
    purchase.lines = lines;
    message_init(MESSAGE_wish, &wish);
    wish.points = (int64_t)below(pair, 150);
    purchase.wishes = &wish;
    purchase.wishes_count = below(pair, 4) == 0;
    (void)change(pair, OPERATION_PURCHASE, below(pair, 3) == 0 ? FRAME_FLAG_ADVICE : 0, &purchase, 0);
}

static void step_quote(struct pair *pair)
{
    struct msg_line lines[4];
    struct msg_quote_request quote;
    message_init(MESSAGE_quote_request, &quote);
    quote.amount = below(pair, 20000);
    quote.store = quote.till = talk_code("1");
    if (below(pair, 3) > 0)
        quote.card = any_card(pair);
    quote.lines_count = random_lines(pair, lines, &quote.amount);
    quote.lines = lines;
    (void)send(pair, OPERATION_QUOTE, 0, READ_NUMBER, &quote, 0);
}

static size_t random_return_lines(struct pair *pair, struct msg_return_line lines[2])
{
    size_t count = below(pair, 3);
    for (size_t i = 0; i < count; i++) {
        message_init(MESSAGE_return_line, &lines[i]);
        lines[i].number = 1 + below(pair, 3);
        lines[i].quantity = 1000 * below(pair, 3);
        if (below(pair, 3) == 0) {
            lines[i].number = 0;
            lines[i].code = talk_code(below(pair, 2) == 0 ? "milk" : "bread");
        }
    }
    return count;
}

static void step_return(struct pair *pair)
{
    struct msg_return_line lines[2];
    struct msg_return_request goods;
    message_init(MESSAGE_return_request, &goods);
    goods.card = any_card(pair);
    goods.store = goods.till = talk_code("1");
    goods.sale_receipt = any_receipt(pair, &goods.card);
    goods.amount = below(pair, 4000);
    goods.lines_count = random_return_lines(pair, lines);
    goods.lines = lines;
    if (below(pair, 2) == 0) {
        struct msg_return_preview_request preview;
        message_init(MESSAGE_return_preview_request, &preview);
        preview.card = goods.card;
        preview.store = preview.till = goods.store;
        preview.sale_receipt = goods.sale_receipt;
        preview.amount = goods.amount;
        preview.lines = lines;
        preview.lines_count = goods.lines_count;
        (void)send(pair, OPERATION_RETURN_PREVIEW, 0, READ_NUMBER, &preview, 0);
    }
    (void)change(pair, OPERATION_RETURN, 0, &goods, 0);
}

static void step_unlinked(struct pair *pair)
{
    struct msg_line lines[4];
    struct msg_unlinked_return_request goods;
    message_init(MESSAGE_unlinked_return_request, &goods);
    goods.card = any_card(pair);
    goods.store = goods.till = talk_code("1");
    goods.amount = below(pair, 2000);
    goods.lines_count = random_lines(pair, lines, &goods.amount);
    goods.lines = lines;
    (void)change(pair, OPERATION_UNLINKED_RETURN, 0, &goods, 0);
}

/* Without naming a purchase: what came back of several redemptions of one, the mock knows only in sum. */
static void step_redeem(struct pair *pair)
{
    struct msg_redeem_request redeem = talk_redeem(cards[below(pair, CARDS)], below(pair, 120));
    redeem.bill = below(pair, 3) == 0 ? below(pair, 100) : 0;
    (void)change(pair, OPERATION_REDEEM, below(pair, 4) == 0 ? FRAME_FLAG_ADVICE : 0, &redeem, 0);
}

static void step_hold(struct pair *pair)
{
    struct msg_hold_request hold;
    message_init(MESSAGE_hold_request, &hold);
    hold.card = any_card(pair);
    hold.store = hold.till = talk_code("1");
    hold.points = below(pair, 60);
    if (change(pair, OPERATION_HOLD, 0, &hold, 0)) {
        pair->holds[pair->hold_count].number = pair->number;
        pair->holds[pair->hold_count++].card = hold.card;
    }
}

/* A hold that was made, maybe ended by now, and its card, mostly. Returns its number; 0: there is none. */
static uint64_t any_hold(struct pair *pair, struct wire_code *out_card)
{
    if (pair->hold_count == 0)
        return 0;
    size_t index = below(pair, pair->hold_count);
    index = below(pair, 2) == 0 ? pair->hold_count - 1 : index;
    *out_card = below(pair, 5) == 0 ? any_card(pair) : pair->holds[index].card;
    return pair->holds[index].number;
}

static void step_capture(struct pair *pair)
{
    struct msg_capture_request capture;
    message_init(MESSAGE_capture_request, &capture);
    uint64_t hold = any_hold(pair, &capture.card);
    capture.store = capture.till = talk_code("1");
    capture.points = below(pair, 2) == 0 ? 0 : below(pair, 60);
    if (hold != 0)
        (void)change(pair, OPERATION_CAPTURE, below(pair, 4) == 0 ? FRAME_FLAG_ADVICE : 0, &capture, hold);
}

static void step_release(struct pair *pair)
{
    struct msg_release_request release;
    message_init(MESSAGE_release_request, &release);
    uint64_t hold = any_hold(pair, &release.card);
    release.store = release.till = talk_code("1");
    if (hold != 0)
        (void)change(pair, OPERATION_RELEASE, 0, &release, hold);
}

static void step_reversal(struct pair *pair)
{
    struct msg_reversal_request reversal;
    message_init(MESSAGE_reversal_request, &reversal);
    reversal.epoch = EPOCH;
    reversal.number = 1 + below(pair, pair->number + 3);
    reversal.store = reversal.till = talk_code("1");
    reversal.amount = below(pair, 6) == 0 ? (int64_t)below(pair, 100) : -1;
    if (below(pair, 3) == 0)
        reversal.card = any_card(pair);
    (void)change(pair, OPERATION_REVERSAL, 0, &reversal, 0);
}

static void step_card(struct pair *pair)
{
    struct msg_card_block_request block;
    struct msg_card_unblock_request unblock;
    message_init(MESSAGE_card_block_request, &block);
    message_init(MESSAGE_card_unblock_request, &unblock);
    block.card = unblock.card = talk_code(cards[0]);
    if (below(pair, 12) == 0) {
        struct msg_card_close_request close;
        message_init(MESSAGE_card_close_request, &close);
        close.card = talk_code(cards[1]);
        (void)change(pair, OPERATION_CARD_CLOSE, 0, &close, 0);
    } else if (below(pair, 6) == 0) {
        struct msg_card_issue_request issue = { .card = talk_code(cards[CARDS - 1]), .count = 1 };
        (void)change(pair, OPERATION_CARD_ISSUE, 0, &issue, 0);
    } else if (below(pair, 3) == 0)
        (void)change(pair, OPERATION_CARD_BLOCK, 0, &block, 0);
    else
        (void)change(pair, OPERATION_CARD_UNBLOCK, 0, &unblock, 0);
}

/* What the till may look at, whatever happened. */
static void step_look(struct pair *pair)
{
    struct msg_card_show_request show;
    struct msg_day_totals_request totals;
    struct msg_status_request status;
    message_init(MESSAGE_card_show_request, &show);
    message_init(MESSAGE_day_totals_request, &totals);
    message_init(MESSAGE_status_request, &status);
    show.card = any_card(pair);
    (void)send(pair, OPERATION_CARD_SHOW, 0, READ_NUMBER, &show, 0);
    totals.store = totals.till = talk_code("1");
    totals.date = pair->date;
    (void)send(pair, OPERATION_DAY_TOTALS, 0, READ_NUMBER, &totals, 0);
    status.epoch = EPOCH;
    status.number = 1 + below(pair, pair->number + 2);
    (void)send(pair, OPERATION_STATUS, 0, READ_NUMBER, &status, 0);
}

/* Closes the day, with the right figures as the till would have them, or wrong ones; and compares the numbers. */
static void step_close(struct pair *pair)
{
    struct msg_day_totals_request totals;
    struct msg_day_totals_answer day;
    struct msg_day_close_request close;
    struct msg_day_numbers_request numbers;
    message_init(MESSAGE_day_totals_request, &totals);
    message_init(MESSAGE_day_close_request, &close);
    message_init(MESSAGE_day_numbers_request, &numbers);
    totals.store = totals.till = close.store = close.till = talk_code("1");
    totals.date = close.date = pair->date;
    (void)send(pair, OPERATION_DAY_TOTALS, 0, READ_NUMBER, &totals, 0);
    talk_decode(pair->sides[DAEMON].talk, &pair->sides[DAEMON].answer, &day);
    close.purchases = day.purchases + (below(pair, 3) == 0);
    close.purchase_amount = day.purchase_amount;
    close.returns = day.returns;
    close.return_amount = day.return_amount;
    close.reversals = day.reversals;
    close.hash = day.hash;
    close.queued = pair->holds_too || below(pair, 3) == 0; /* where hashes differ nobody is in balance */
    (void)change(pair, OPERATION_DAY_CLOSE, 0, &close, 0);
    numbers.epoch = EPOCH;
    numbers.first = below(pair, pair->number + 70);
    if (!pair->holds_too)
        (void)send(pair, OPERATION_DAY_NUMBERS, 0, READ_NUMBER, &numbers, 0);
}

static void step(struct pair *pair)
{
    static void (*const steps[])(struct pair *) = {
        step_purchase, step_purchase, step_purchase, step_quote,    step_return,
        step_return,   step_unlinked, step_redeem,   step_reversal, step_card,
        step_look,     step_close,    step_hold,     step_capture,  step_release,
    };
    const size_t holds = 3; /* at the end */
    size_t count = sizeof(steps) / sizeof(steps[0]);
    steps[below(pair, pair->holds_too ? count : count - holds)](pair);
}

static void run_pair(bool holds_too)
{
    struct world *world = world_new(NULL);
    struct pair *pair = calloc(1, sizeof(*pair));
    struct msg_hello_answer hello;
    char zone[64];
    assert_non_null(pair);
    pair->random = random_seeded();
    pair->date = (uint64_t)time(NULL) / 86400;
    pair->holds_too = holds_too;
    pair->sides[DAEMON].talk = talk_hello(world_address(world), EPOCH, 1, &hello);
    (void)snprintf(zone, sizeof(zone), "%.*s", (int)hello.zone.size, hello.zone.data);
    struct mock_world *mock = mock_world_new((const char *const[]){ "--zone", zone, NULL });
    pair->sides[MOCK].talk = talk_hello(mock_world_address(mock), EPOCH, 1, NULL);
    mock_world_tell(mock, "card 2900000000049 status unknown");
    for (size_t i = 0; i < CARDS - 1; i++) {
        struct msg_card_issue_request issue = { .card = talk_code(cards[i]), .count = 1 };
        assert_true(change(pair, OPERATION_CARD_ISSUE, 0, &issue, 0));
    }
    while (pair->number < STEPS)
        step(pair);
    /* It was about something. */
    static const enum operation operations[] = { OPERATION_PURCHASE, OPERATION_RETURN, OPERATION_REDEEM,
                                                 OPERATION_REVERSAL, OPERATION_DAY_CLOSE };
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (pair->kinds[operations[i]] == 0)
            fail_msg("no %s was done", operation_row((uint16_t)operations[i])->name);
    }
    assert_int_equal(pair->kinds[OPERATION_HOLD] > 0, holds_too);
    for (int i = 0; i < SIDES; i++)
        talk_free(pair->sides[i].talk);
    free(pair);
    json_decref(mock_world_end(mock));
    world_free(world);
}

static void test_same(void **state)
{
    (void)state;
    run_pair(true);
}

static void test_same_days(void **state)
{
    (void)state;
    run_pair(false);
}

/* --- frames that must be refused --- */

static uint64_t vector_number(const json_t *row, const char *key)
{
    const json_t *value = json_object_get(row, key);
    return json_is_string(value) ? strtoull(json_string_value(value), NULL, 10)
                                 : (uint64_t)json_integer_value(value);
}

static void send_hex(struct talk *talk, const char *hex)
{
    size_t size = strlen(hex) / 2;
    uint8_t *bytes = malloc(size + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++) {
        unsigned value;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &value), 1);
        bytes[i] = (uint8_t)value;
    }
    talk_send_bytes(talk, bytes, size);
    free(bytes);
}

static void check_invalid(const struct mock_world *mock, const json_t *row, uint64_t epoch)
{
    const char *name = json_string_value(json_object_get(row, "name"));
    const char *wanted = json_string_value(json_object_get(row, "refusal"));
    bool said = strcmp(json_string_value(json_object_get(row, "state")), "hello said") == 0;
    struct talk *talk =
        said ? talk_hello(mock_world_address(mock), epoch, 1, NULL) : talk_open(mock_world_address(mock));
    struct talk_answer answer;
    send_hex(talk, json_string_value(json_object_get(row, "frame")));
    assert_true(talk_receive(talk, &answer));
    enum result result = talk_result(talk, &answer);
    if (answer.type != vector_number(row, "answer_type") ||
        answer.number != vector_number(row, "answer_number") || result == RESULT_DONE ||
        strcmp(result_row(result)->name, wanted) != 0)
        fail_msg("%s: an answer of type %#x, result %d", name, answer.type, (int)result);
    if (json_is_true(json_object_get(row, "closes")))
        talk_expect_end(talk);
    else if (said)
        talk_ping(talk);
    talk_free(talk);
}

static void test_invalid(void **state)
{
    struct mock_world *mock = mock_world_new(NULL);
    char path[512], *line = NULL;
    size_t capacity = 0;
    uint64_t count = 0;
    (void)state;
    (void)snprintf(path, sizeof(path), "%s/proto/vectors/invalid.jsonl", getenv("PUNKT_SOURCE"));
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (getline(&line, &capacity, file) > 0) {
        json_t *row = json_loads(line, 0, NULL);
        assert_non_null(row);
        check_invalid(mock, row, EPOCH + ++count);
        json_decref(row);
    }
    assert_true(count > 20);
    free(line);
    (void)fclose(file);
    json_t *booked = mock_world_end(mock);
    assert_int_equal(json_array_size(booked), 0);
    json_decref(booked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_same_days),
        cmocka_unit_test(test_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
