/*
 * Answers that wait for the disk: first in, first out, and none before what it reports is durable.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "service/answers.h"

#include <string.h>

#include "random.h"

#define SENT_MAX 64
#define BODY_MAX (1024u * 1024)

struct sent {
    uint64_t conn, number;
    uint16_t type, flags;
    size_t size;
};

/* Connections that write down what they are given. */
struct wire {
    struct sent sent[SENT_MAX];
    size_t count;
};

static uint8_t body[BODY_MAX];

/* Every byte of a body follows from its number. */
static void fill(uint8_t *out, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(number * 31 + i * 7);
}

static void take(void *ctx, uint64_t conn, uint16_t type, uint16_t flags, uint64_t number, const void *bytes,
                 size_t size)
{
    struct wire *wire = ctx;
    fill(body, number, size);
    if (size > 0)
        assert_memory_equal(bytes, body, size);
    wire->sent[wire->count++ % SENT_MAX] = (struct sent){ conn, number, type, flags, size };
}

static struct service_link link_to(struct wire *wire)
{
    return (struct service_link){ .ctx = wire, .send = take };
}

static void add(struct answers *answers, journal_position wait_for, uint64_t number, size_t size)
{
    fill(body, number, size);
    answers_add(answers, wait_for, number + 100, (uint16_t)(number + 200), (uint16_t)(number + 300), number,
                body, size);
}

static void expect(const struct wire *wire, size_t index, uint64_t number, size_t size)
{
    const struct sent *sent = &wire->sent[index % SENT_MAX];
    assert_true(index < wire->count);
    assert_int_equal(sent->number, number);
    assert_int_equal(sent->conn, number + 100);
    assert_int_equal(sent->type, number + 200);
    assert_int_equal(sent->flags, number + 300);
    assert_int_equal(sent->size, size);
}

/* An event at a position is durable when the durable position is beyond it. */
static void test_waits(void **unused PUNKT_UNUSED)
{
    struct answers answers = { 0 };
    struct wire wire = { 0 };
    struct service_link link = link_to(&wire);
    assert_true(answers_are_empty(&answers));
    answers_release(&answers, UINT64_MAX, &link);
    add(&answers, 1000, 1, 10);
    assert_false(answers_are_empty(&answers));
    answers_release(&answers, 0, &link);
    answers_release(&answers, 999, &link);
    answers_release(&answers, 1000, &link);
    assert_int_equal(wire.count, 0);
    assert_false(answers_are_empty(&answers));
    answers_release(&answers, 1001, &link);
    assert_int_equal(wire.count, 1);
    expect(&wire, 0, 1, 10);
    assert_true(answers_are_empty(&answers));
    answers_release(&answers, UINT64_MAX, &link);
    assert_int_equal(wire.count, 1);
    answers_done(&answers);
    answers_done(&answers);
}

/* Order holds even where a later answer waits for less: a connection hears in the order it was decided. */
static void test_first_in_first_out(void **unused PUNKT_UNUSED)
{
    static const struct {
        journal_position wait_for;
        size_t size;
    } rows[] = { { 500, 3 }, { 500, 0 }, { 100, 1 }, { 700, 70000 }, { 0, 5 }, { 600, 2 } };
    static const struct {
        journal_position durable;
        size_t sent;
    } steps[] = { { 101, 0 }, { 500, 0 }, { 501, 3 }, { 501, 3 }, { 700, 3 }, { 701, 6 } };
    struct answers answers = { 0 };
    struct wire wire = { 0 };
    struct service_link link = link_to(&wire);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        add(&answers, rows[i].wait_for, i, rows[i].size);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        answers_release(&answers, steps[i].durable, &link);
        assert_int_equal(wire.count, steps[i].sent);
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect(&wire, i, i, rows[i].size);
    answers_done(&answers);
}

/* Growth in the middle of the queue, with some of it gone already: nothing is lost, doubled or mixed up. */
static void test_growth(void **unused PUNKT_UNUSED)
{
    struct random random = random_seeded();
    struct answers answers = { 0 };
    struct wire wire = { 0 };
    struct service_link link = link_to(&wire);
    static size_t sizes[4000];
    uint64_t added = 0, durable = 0;
    while (added < COUNT_OF(sizes)) {
        for (uint64_t i = random_below(&random, 60); i > 0 && added < COUNT_OF(sizes); i--) {
            sizes[added] = random_below(&random, random_below(&random, 50) == 0 ? BODY_MAX + 1 : 300);
            add(&answers, added, added, sizes[added]);
            added++;
        }
        while (durable < added && random_below(&random, 30) != 0) {
            size_t before = wire.count;
            answers_release(&answers, ++durable, &link);
            assert_int_equal(wire.count, before + 1);
            expect(&wire, before, before, sizes[before]);
        }
    }
    answers_release(&answers, added - 1, &link);
    assert_int_equal(wire.count, u64_max(durable, added - 1));
    answers_release(&answers, added, &link);
    assert_int_equal(wire.count, added);
    assert_true(answers_are_empty(&answers));
    answers_done(&answers);
}

/* Room ends well before the bound, so that what is decided already still finds some; and it comes back. */
static void test_room(void **unused PUNKT_UNUSED)
{
    struct answers answers = { 0 };
    struct wire wire = { 0 };
    struct service_link link = link_to(&wire);
    uint64_t added = 0;
    for (; answers_have_room(&answers); added++)
        add(&answers, added, added, BODY_MAX);
    assert_true(added >= ANSWERS_BYTES_MAX / 2 / (BODY_MAX + 64) &&
                added <= ANSWERS_BYTES_MAX / 2 / BODY_MAX);
    add(&answers, added, added, BODY_MAX); /* one is owed nevertheless */
    assert_true(answers.capacity <= ANSWERS_BYTES_MAX);
    answers_release(&answers, 2, &link);
    assert_true(answers_have_room(&answers));
    answers_release(&answers, added + 1, &link);
    assert_int_equal(wire.count, added + 1);
    expect(&wire, added, added, BODY_MAX);
    answers_done(&answers);
}

/* The same room serves again and again: a queue that is never long does not grow. */
static void test_no_growth(void **unused PUNKT_UNUSED)
{
    struct answers answers = { 0 };
    struct wire wire = { 0 };
    struct service_link link = link_to(&wire);
    size_t capacity = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        add(&answers, i, i, 1000);
        if (i == 0)
            capacity = answers.capacity;
        if (i >= 10)
            answers_release(&answers, i - 9, &link); /* ten always wait */
    }
    assert_int_equal(answers.capacity, capacity);
    assert_int_equal(wire.count, 20000 - 10);
    answers_done(&answers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits),     cmocka_unit_test(test_first_in_first_out),
        cmocka_unit_test(test_growth),    cmocka_unit_test(test_room),
        cmocka_unit_test(test_no_growth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
