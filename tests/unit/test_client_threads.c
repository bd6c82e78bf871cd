/*
 * Handles in threads: two share nothing, and what takes no handle may be called from anywhere. The thread sanitizer
 * says whether that is so; every other build, whether each thread was told its own.
 */
#include <pthread.h>
#include <punkt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client_server.h"

#define THREADS 4
#define SALES 40

struct till {
    pthread_t thread;
    struct server server;
    char outbox[96]; /* "" without */
    unsigned done;
    unsigned right;  /* answers that were the till's own */
    unsigned helped; /* what takes no handle said the right thing */
};

static void script_sales(struct server *s)
{
    server_welcome(s);
    for (uint64_t number = 1; number <= SALES; number++) {
        server_expect_number(s, OPERATION_PURCHASE, number);
        server_done_purchase(s, number, 0);
    }
    server_expect_close(s);
}

static bool helpers_right(unsigned sale)
{
    char text[24], card[PUNKT_CARD_MAX + 1];
    int64_t value = 0;
    (void)punkt_decimal_format(sale, 2, text, sizeof(text));
    return punkt_decimal_parse(text, 2, &value) && value == sale &&
           punkt_card_after("2900000000018", sale, PUNKT_CARD_CHECK_EAN13, card) &&
           punkt_card_valid(card, PUNKT_CARD_CHECK_EAN13) &&
           strcmp(punkt_result_name(PUNKT_RESULT_UNKNOWN_CARD), "unknown_card") == 0 &&
           strcmp(punkt_operation_name(PUNKT_OPERATION_PURCHASE), "purchase") == 0;
}

static void *run_till(void *ctx)
{
    struct till *till = ctx;
    const struct punkt_options options = { .size = sizeof(options),
                                           .server = till->server.address,
                                           .timeout_ms = 9000,
                                           .outbox = till->outbox[0] != '\0' ? till->outbox : NULL,
                                           .store = "S",
                                           .till = "T" };
    struct punkt *punkt;
    if (punkt_new(&options, &punkt) != PUNKT_CALL_DONE)
        return NULL;
    for (unsigned i = 1; i <= SALES; i++) {
        const struct punkt_purchase_request sale = {
            .size = sizeof(sale), .timeout_ms = 9000, .card = "1", .amount = i
        };
        struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
        till->done += punkt_purchase(punkt, &sale, &answer) == PUNKT_CALL_DONE;
        till->right += answer.earned == (int64_t)i && answer.head.number == i;
        till->helped += helpers_right(i);
    }
    punkt_free(punkt);
    return NULL;
}

static void handles_share_nothing(bool stored)
{
    static struct till tills[THREADS];
    char folder[64];
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder, sizeof(folder), "%.40s/threads-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(folder));
    for (unsigned i = 0; i < THREADS; i++) {
        memset(&tills[i], 0, sizeof(tills[i]));
        if (stored)
            (void)snprintf(tills[i].outbox, sizeof(tills[i].outbox), "%s/%u", folder, i);
        server_start(&tills[i].server, NULL, script_sales);
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&tills[i].thread, NULL, run_till, &tills[i]), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(tills[i].thread, NULL), 0);
        assert_int_equal(tills[i].done, SALES);
        assert_int_equal(tills[i].right, SALES);
        assert_int_equal(tills[i].helped, SALES);
        server_join(&tills[i].server);
        char lock[sizeof(tills[i].outbox) + 8];
        (void)snprintf(lock, sizeof(lock), "%s.lock", tills[i].outbox);
        assert_int_equal(stored ? unlink(tills[i].outbox) : 0, 0);
        assert_int_equal(stored ? unlink(lock) : 0, 0);
    }
    assert_int_equal(rmdir(folder), 0);
}

static void without_outboxes(void **state)
{
    (void)state;
    handles_share_nothing(false);
}

static void with_outboxes(void **state)
{
    (void)state;
    handles_share_nothing(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_outboxes),
        cmocka_unit_test(with_outboxes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
