/*
 * Every invalid frame of proto/vectors against a live daemon: each gets its refusal, where framing is lost the
 * connection ends, a connection beside it goes on, and nothing is booked. What newer peers send is understood.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "../unit/random.h"
#include "proto/frame.h"
#include "talk.h"
#include "world.h"

#define CARD "2900000000018"

struct vector {
    char name[96];
    bool hello_said;
    bool closes;
    uint16_t answer_type;
    uint64_t answer_number;
    char refusal[32];
    char field[32]; /* "" where none is named */
    uint8_t *frame;
    size_t frame_size;
};

static const char *string_of(const json_t *row, const char *key)
{
    const char *value = json_string_value(json_object_get(row, key));
    return value != NULL ? value : "";
}

/* Numbers above 2^53 are strings. */
static uint64_t number_of(const json_t *row, const char *key)
{
    const json_t *value = json_object_get(row, key);
    return json_is_string(value) ? strtoull(json_string_value(value), NULL, 10)
                                 : (uint64_t)json_integer_value(value);
}

static uint8_t *bytes_of_hex(const char *hex, size_t *out_size)
{
    *out_size = strlen(hex) / 2;
    uint8_t *bytes = malloc(*out_size + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < *out_size; i++) {
        unsigned value;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &value), 1);
        bytes[i] = (uint8_t)value;
    }
    return bytes;
}

static struct vector vector_of(const json_t *row)
{
    struct vector vector = { .hello_said = strcmp(string_of(row, "state"), "hello said") == 0,
                             .closes = json_is_true(json_object_get(row, "closes")),
                             .answer_type = (uint16_t)number_of(row, "answer_type"),
                             .answer_number = number_of(row, "answer_number") };
    (void)snprintf(vector.name, sizeof(vector.name), "%s", string_of(row, "name"));
    (void)snprintf(vector.refusal, sizeof(vector.refusal), "%s", string_of(row, "refusal"));
    (void)snprintf(vector.field, sizeof(vector.field), "%s", string_of(row, "field"));
    vector.frame = bytes_of_hex(string_of(row, "frame"), &vector.frame_size);
    return vector;
}

/* Reads a file of vectors, a row a line. */
static size_t vectors_read(const char *file_name, struct vector **out_vectors)
{
    char path[512];
    char *line = NULL;
    size_t capacity = 0, count = 0;
    struct vector *vectors = NULL;
    const char *source = getenv("PUNKT_SOURCE");
    assert_non_null(source);
    (void)snprintf(path, sizeof(path), "%s/proto/vectors/%s", source, file_name);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (getline(&line, &capacity, file) > 0) {
        json_t *row = json_loads(line, 0, NULL);
        assert_non_null(row);
        vectors = realloc(vectors, (count + 1) * sizeof(*vectors));
        assert_non_null(vectors);
        vectors[count++] = vector_of(row);
        json_decref(row);
    }
    free(line);
    (void)fclose(file);
    assert_true(count > 0);
    *out_vectors = vectors;
    return count;
}

static void vectors_free(struct vector *vectors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(vectors[i].frame);
    free(vectors);
}

static struct talk *talk_for(const struct world *world, const struct vector *vector, uint64_t epoch)
{
    return vector->hello_said ? talk_hello(world_address(world), epoch, 1, NULL)
                              : talk_open(world_address(world));
}

static void expect_refusal(struct talk *talk, const struct vector *vector)
{
    struct talk_answer answer;
    struct msg_refusal refusal;
    struct message_memory none = { NULL, 0 };
    const char *field;
    char wanted[64] = "";
    if (!talk_receive(talk, &answer))
        fail_msg("%s: closed without an answer", vector->name);
    if (answer.type != vector->answer_type || answer.number != vector->answer_number || answer.flags != 0)
        fail_msg("%s: an answer of type 0x%x for number %llu", vector->name, answer.type,
                 (unsigned long long)answer.number);
    assert_true(message_decode(MESSAGE_refusal, answer.body, answer.body_size, &none, &refusal, &field));
    if (result_row(refusal.result) == NULL || strcmp(result_row(refusal.result)->name, vector->refusal) != 0)
        fail_msg("%s: refused as %d", vector->name, (int)refusal.result);
    if (vector->field[0] != '\0')
        (void)snprintf(wanted, sizeof(wanted), "field %s", vector->field);
    if (vector->field[0] != '\0' &&
        (refusal.detail.size != strlen(wanted) || memcmp(refusal.detail.data, wanted, strlen(wanted)) != 0))
        fail_msg("%s: the detail is \"%.*s\"", vector->name, (int)refusal.detail.size, refusal.detail.data);
}

/* Behind the refusal: the end, or a connection on which a ping is answered. */
static void expect_aftermath(struct talk *talk, const struct vector *vector)
{
    static const struct msg_ping_request ping = { .end_ = 0 };
    if (vector->closes) {
        talk_expect_end(talk);
    } else if (vector->hello_said) {
        talk_ping(talk);
    } else {
        talk_send(talk, OPERATION_PING, 0, 9, &ping);
        (void)talk_expect_refusal(talk, OPERATION_PING, 9, RESULT_HELLO_FIRST);
    }
}

/* One after the other, in one piece, then byte by byte. */
static void test_one_by_one(void **state)
{
    struct vector *vectors;
    struct world *world = world_new(NULL);
    struct talk *beside = talk_hello(world_address(world), 0, 1, NULL);
    size_t count = vectors_read("invalid.jsonl", &vectors);
    uint64_t events = talk_totals(beside).events;
    uint64_t epoch = 1;
    (void)state;
    for (size_t i = 0; i < 2 * count; i++) {
        const struct vector *vector = &vectors[i % count];
        struct talk *talk = talk_for(world, vector, epoch++);
        size_t piece = i < count || vector->frame_size > 1000 ? vector->frame_size : 1;
        /* A server that lost the framing may close before it has everything. */
        size_t size = vector->closes ? FRAME_HEADER_SIZE : vector->frame_size;
        for (size_t at = 0; at < size; at += piece)
            talk_send_bytes(talk, vector->frame + at, piece < size - at ? piece : size - at);
        expect_refusal(talk, vector);
        expect_aftermath(talk, vector);
        talk_free(talk);
        talk_ping(beside);
        assert_int_equal(talk_totals(beside).events, events);
    }
    talk_free(beside);
    vectors_free(vectors, count);
    world_free(world);
}

/* All at once, each on a connection of its own, and a till beside them that works. */
static void test_together(void **state)
{
    struct vector *vectors;
    struct world *world = world_new(NULL);
    struct talk *till = talk_hello(world_address(world), UINT64_MAX, 1, NULL);
    size_t count = vectors_read("invalid.jsonl", &vectors);
    struct talk **talks = calloc(count, sizeof(*talks));
    uint64_t number = 1;
    (void)state;
    assert_non_null(talks);
    talk_issue(till, number++, CARD, 1);
    for (size_t i = 0; i < count; i++)
        talks[i] = talk_for(world, &vectors[i], i + 1);
    for (size_t i = 0; i < count; i++) {
        struct msg_purchase_request purchase = talk_purchase(CARD, 100, "");
        talk_send_bytes(talks[i], vectors[i].frame, vectors[i].frame_size);
        talk_send(till, OPERATION_PURCHASE, 0, number, &purchase);
        (void)talk_expect(till, OPERATION_PURCHASE, number++);
    }
    for (size_t i = 0; i < count; i++)
        expect_refusal(talks[i], &vectors[i]);
    for (size_t i = 0; i < count; i++) {
        expect_aftermath(talks[i], &vectors[i]);
        talk_free(talks[i]);
    }
    assert_int_equal(talk_totals(till).events, number); /* the till's, and the programme */
    assert_int_equal(talk_card(till, CARD).available, (int64_t)number - 2);
    talk_free(till);
    free(talks);
    vectors_free(vectors, count);
    /* Nothing of it is in the journal: a start agrees. */
    world_kill(world);
    world_start(world);
    till = talk_hello(world_address(world), 0, 1, NULL);
    assert_int_equal(talk_totals(till).events, number);
    talk_free(till);
    world_free(world);
}

/* Anything else than frames: refused or closed, never a crash, and others go on. */
static void test_noise(void **state)
{
    struct random random = random_seeded();
    struct world *world = world_new(NULL);
    struct talk *beside = talk_hello(world_address(world), 0, 1, NULL);
    int rounds = world_long() ? 5000 : 300;
    uint8_t noise[512];
    (void)state;
    for (int round = 0; round < rounds; round++) {
        struct talk *talk = round % 2 == 0 ? talk_open(world_address(world))
                                           : talk_hello(world_address(world), (uint64_t)round, 1, NULL);
        for (size_t i = 0; i < sizeof(noise); i++)
            noise[i] = (uint8_t)random_u64(&random);
        if (round % 3 != 0) /* a header that a server waits for, or takes */
            frame_put_header(noise, (uint32_t)random_below(&random, sizeof(noise) - FRAME_HEADER_SIZE),
                             (uint16_t)random_below(&random, 128), 0, 1 + random_below(&random, 2));
        talk_send_bytes(talk, noise, random_below(&random, sizeof(noise)) + 1);
        talk_free(talk);
        if (round % 16 == 0)
            talk_ping(beside);
    }
    assert_int_equal(talk_totals(beside).accounts, 0);
    talk_free(beside);
    world_free(world);
}

/* What a newer peer adds behind the fields known here is passed over. */
static void test_newer(void **state)
{
    struct vector *vectors;
    struct world *world = world_new(NULL);
    struct talk *till = talk_hello(world_address(world), UINT64_MAX, 1, NULL);
    size_t count = vectors_read("newer.jsonl", &vectors);
    (void)state;
    talk_issue(till, 1, CARD, 1);
    for (size_t i = 0; i < count; i++) {
        struct talk_answer answer;
        struct talk *talk = talk_hello(world_address(world), i + 1, 1, NULL);
        talk_send_bytes(talk, vectors[i].frame, vectors[i].frame_size);
        assert_true(talk_receive(talk, &answer));
        enum result result = talk_result(talk, &answer);
        if (result != RESULT_DONE)
            fail_msg("%s: %s", vectors[i].name, result_row(result)->name);
        talk_free(talk);
    }
    talk_free(till);
    vectors_free(vectors, count);
    world_free(world);
}

/* A return may name any position as its purchase; what does not begin there is no purchase, wherever it is read. */
static void test_position_inside_an_event(void **state)
{
    struct world *world = world_new(NULL);
    struct talk *talk;
    uint64_t number = 1;
    (void)state;
    talk = talk_hello(world_address(world), 1, 1, NULL);
    talk_issue(talk, number++, CARD, 1);
    for (uint64_t inside = 1; inside <= 200; inside++) {
        struct msg_purchase_request purchase = talk_purchase(CARD, 10000, "");
        struct msg_purchase_answer bought;
        struct msg_return_request returned;
        purchase.operator= talk_code("12345678901234567890123456789012");
        purchase.time =
            UINT64_C(1000) * 86400 * 1000000; /* in the event: a byte and zeros, as a size has them */
        talk_send(talk, OPERATION_PURCHASE, FRAME_FLAG_HISTORIC, number, &purchase);
        struct talk_answer answer = talk_expect(talk, OPERATION_PURCHASE, number++);
        talk_decode(talk, &answer, &bought);
        message_init(MESSAGE_return_request, &returned);
        returned.card = talk_code(CARD);
        returned.amount = 100;
        returned.store = returned.till = talk_code("1");
        returned.sale_position = bought.position + inside;
        talk_send(talk, OPERATION_RETURN, 0, number, &returned);
        (void)talk_expect_refusal(talk, OPERATION_RETURN, number++, RESULT_UNKNOWN_PURCHASE);
        returned.sale_position = bought.position;
        talk_send(talk, OPERATION_RETURN, 0, number, &returned);
        (void)talk_expect(talk, OPERATION_RETURN, number++);
    }
    talk_free(talk);
    world_stop(world);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_position_inside_an_event),
        cmocka_unit_test(test_one_by_one),
        cmocka_unit_test(test_together),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_newer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
