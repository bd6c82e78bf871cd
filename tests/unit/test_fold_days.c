/*
 * The days of tills as the fold of events (LEDGER.md, End of day): what counts under which date, closes, what is late, and
 * which numbers of a lane were booked.
 */
#include <string.h>

#include "fold_acts.h"
#include "ledger/fold_internal.h"

#define DAY 20522 /* of FOLD_WORLD_START */

/* An event under the next number of lane (1, 5), of till 7 in store 1. */
static struct event event_of(struct fold_world *world, enum event_type type)
{
    struct lane_record lane = { .highest = 0 };
    (void)fold_lane(world->live.fold, 1, 5, &lane);
    struct event event = { .type = type,
                           .time = FOLD_WORLD_START,
                           .day = DAY,
                           .store = TEXT_LITERAL("1"),
                           .till = TEXT_LITERAL("7"),
                           .request = { .identity = 1, .epoch = 5, .number = lane.highest + 1 } };
    memset(event.request.fingerprint, (int)event.request.number, sizeof(event.request.fingerprint));
    if (type == EVENT_RETURN_WAITING) {
        event.waiting.sale = (struct document){ .kind = DOCUMENT_SALE, .number = TEXT_LITERAL("5") };
        event.waiting.previous = fold_waiting(world->live.fold, &event.waiting.sale);
        event.waiting.card = TEXT_LITERAL("100");
        event.waiting.amount = 100;
    } else if (type == EVENT_REFUSAL) {
        event.refusal.result = 1;
    } else if (type == EVENT_TIE) {
        event.tie.first = 1;
    }
    return event;
}

static struct event close_of(struct fold_world *world, local_day date)
{
    struct till_day day;
    struct event event = event_of(world, EVENT_DAY_CLOSE);
    (void)fold_till_day(world->live.fold, event.store, event.till, date, &day);
    event.business_date = date;
    event.day_close.number = fold_till_closes(world->live.fold, event.store, event.till) + 1;
    event.day_close.late = day.late;
    return event;
}

static struct till_day day_of(struct fold_world *world, local_day date)
{
    struct till_day day;
    (void)fold_till_day(world->live.fold, TEXT_LITERAL("1"), TEXT_LITERAL("7"), date, &day);
    return day;
}

/* --- which date --- */

static void book_dated(struct fold_world *world, enum document_kind kind, local_day of_document,
                       local_day sent)
{
    struct event event = event_of(world, EVENT_RETURN_WAITING);
    event.document.kind = kind;
    event.document.business_date = of_document;
    if (kind != DOCUMENT_NONE)
        event.document.number = TEXT_LITERAL("D");
    event.business_date = sent;
    (void)fold_world_book(world, &event);
}

static void an_event_counts_under_its_business_date(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    book_dated(world, DOCUMENT_RETURN, DAY - 1, 0);
    book_dated(world, DOCUMENT_NONE, DAY - 2, 0); /* a receipt without a number */
    book_dated(world, DOCUMENT_NONE, 0, DAY - 3); /* what has no receipt */
    book_dated(world, DOCUMENT_NONE, 0, 0);
    for (local_day date = DAY - 3; date <= DAY; date++) {
        struct till_day day = day_of(world, date);
        assert_int_equal(day.sums[TILL_RETURNS].count, 1);
        assert_int_equal(day.epochs[0].first, DAY - date == 0 ? 4 : (uint64_t)(DAY - date));
    }
    fold_world_free(world);
}

/* Lines of a purchase have no amount of their own. */
static void returns_are_summed_as_sent(void **state)
{
    (void)state;
    static struct waiting_line line = { .number = 1 };
    struct fold_world *world = fold_world_new();
    struct event event = event_of(world, EVENT_RETURN_WAITING);
    (void)fold_world_book(world, &event);
    assert_int_equal(day_of(world, DAY).returns_sent, 100);
    event = event_of(world, EVENT_RETURN_WAITING);
    event.waiting.line_count = 1;
    event.waiting.lines = &line;
    (void)fold_world_book(world, &event);
    assert_int_equal(day_of(world, DAY).returns_sent, 100);
    assert_int_equal(day_of(world, DAY).sums[TILL_RETURNS].count, 2);
    fold_world_free(world);
}

/* --- closes --- */

static void closes_are_counted(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    struct event event = event_of(world, EVENT_RETURN_WAITING);
    (void)fold_world_book(world, &event);
    struct till_day before = day_of(world, DAY);
    event = close_of(world, DAY);
    event.day_close.state = DAY_NOT_IN_BALANCE;
    (void)fold_world_book(world, &event);
    struct till_day day = day_of(world, DAY);
    assert_int_equal(day.closes, 1);
    assert_int_equal(day.close_state, DAY_NOT_IN_BALANCE);
    assert_int_equal(day.close_time, FOLD_WORLD_START);
    assert_int_equal(day.late, 0);
    assert_memory_equal(day.hash, before.hash, sizeof(day.hash)); /* a close is no part of the day */
    assert_int_equal(day.sums[TILL_OTHERS].count, 0);
    assert_int_equal(day.epochs[0].last, 1);
    event = close_of(world, DAY - 1); /* another day of the same till */
    assert_int_equal(event.day_close.number, 2);
    (void)fold_world_book(world, &event);
    assert_int_equal(day_of(world, DAY).closes, 1);
    assert_int_equal(day_of(world, DAY - 1).closes, 1);
    fold_state_reload(&world->live);
    assert_int_equal(fold_till_closes(world->live.fold, TEXT_LITERAL("1"), TEXT_LITERAL("7")), 2);
    assert_int_equal(fold_till_closes(world->live.fold, TEXT_LITERAL("1"), TEXT_LITERAL("8")), 0);
    assert_int_equal(day_of(world, DAY).close_state, DAY_NOT_IN_BALANCE);
    fold_world_free(world);
}

static void what_comes_after_a_close_is_late(void **state)
{
    (void)state;
    static const enum event_type types[] = { EVENT_RETURN_WAITING, EVENT_REFUSAL, EVENT_TIE,
                                             EVENT_DAY_CLOSE };
    struct fold_world *world = fold_world_new();
    struct event event = event_of(world, EVENT_RETURN_WAITING);
    assert_false(fold_is_late(world->live.fold, &event));
    event = close_of(world, DAY);
    (void)fold_world_book(world, &event);
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        event = event_of(world, types[i]);
        assert_int_equal(fold_is_late(world->live.fold, &event), types[i] == EVENT_RETURN_WAITING);
    }
    event = event_of(world, EVENT_RETURN_WAITING);
    event.business_date = DAY - 1;
    assert_false(fold_is_late(world->live.fold, &event));
    (void)fold_world_book(world, &event);
    assert_int_equal(day_of(world, DAY).late, 0);
    for (uint64_t late = 1; late <= 3; late++) {
        event = event_of(world, EVENT_RETURN_WAITING);
        (void)fold_world_book(world, &event);
        assert_int_equal(day_of(world, DAY).late, late);
    }
    event = event_of(world, EVENT_REFUSAL);
    (void)fold_world_book(world, &event);
    assert_int_equal(day_of(world, DAY).late, 3);
    event = close_of(world, DAY);
    (void)fold_world_book(world, &event);
    assert_int_equal(day_of(world, DAY).late, 0);
    assert_int_equal(day_of(world, DAY).closes, 2);
    fold_world_free(world);
}

static void a_close_must_fit(void **state)
{
    (void)state;
    struct fold_world *world = fold_world_new();
    struct event event = close_of(world, DAY);
    (void)fold_world_prepare(world, &event);
    assert_true(fold_world_fits(world, &event, 5000));
    event.day_close.number = 2;
    assert_false(fold_world_fits(world, &event, 5000));
    event.day_close.number = 0;
    assert_false(fold_world_fits(world, &event, 5000));
    event.day_close.number = 1;
    event.day_close.late = 1;
    assert_false(fold_world_fits(world, &event, 5000));
    fold_world_free(world);
}

/* --- numbers --- */

static void numbers_know_whether_they_were_booked(void **state)
{
    (void)state;
    static const enum event_type types[] = { EVENT_RETURN_WAITING, EVENT_REFUSAL, EVENT_TIE };
    struct fold_world *world = fold_world_new();
    struct requests_booked want[2] = { { .known = 0 } };
    struct requests_booked have;
    assert_false(fold_requests_booked(world->live.fold, 1, 5, 1, &have));
    assert_int_equal(have.known, 0);
    for (uint64_t number = 1; number < 100; number++) {
        struct event event = event_of(world, types[(7 * number + number / 5) % COUNT_OF(types)]);
        uint8_t hash[TILL_HASH_SIZE];
        struct requests_booked *block = &want[number / 64];
        assert_int_equal(event.request.number, number);
        (void)fold_world_book(world, &event);
        block->known |= UINT64_C(1) << number % 64;
        if (event.type != EVENT_RETURN_WAITING)
            continue;
        block->booked |= UINT64_C(1) << number % 64;
        request_hash(world->live.fold, &event.request, hash);
        for (size_t i = 0; i < sizeof(hash); i++)
            block->hash[i] ^= hash[i];
    }
    /* What is said later about a number leaves it as it was. */
    struct event later = event_of(world, EVENT_REFUSAL);
    later.request.number = 3;
    (void)fold_world_book(world, &later);
    fold_state_reload(&world->live);
    for (uint64_t first = 0; first < 128; first += 64) {
        assert_true(fold_requests_booked(world->live.fold, 1, 5, first + 9, &have));
        assert_int_equal(have.known, want[first / 64].known);
        assert_int_equal(have.booked, want[first / 64].booked);
        assert_memory_equal(have.hash, want[first / 64].hash, sizeof(have.hash));
    }
    uint8_t of_day[TILL_HASH_SIZE];
    for (size_t i = 0; i < sizeof(of_day); i++)
        of_day[i] = want[0].hash[i] ^ want[1].hash[i];
    assert_memory_equal(day_of(world, DAY).hash, of_day, sizeof(of_day));
    fold_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_counts_under_its_business_date),
        cmocka_unit_test(returns_are_summed_as_sent),
        cmocka_unit_test(closes_are_counted),
        cmocka_unit_test(what_comes_after_a_close_is_late),
        cmocka_unit_test(a_close_must_fit),
        cmocka_unit_test(numbers_know_whether_they_were_booked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
