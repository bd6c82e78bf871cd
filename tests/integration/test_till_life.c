/*
 * What becomes of a till that sells over TLS, and of its outbox, when the office or time changes who it is: suspended,
 * enrolled anew, revoked and added again, its certificate at its end, the server with another certificate or another CA.
 */
#include <inttypes.h>
#include <limits.h>
#include <punkt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "network.h"
#include "world.h"

#define CARD "2900000000018"
#define AWAY_MS 300 /* how long a sale waits for a server that is not to be had */
#define YEAR_US (INT64_C(366) * 86400 * 1000000)

static const char *const proofs[] = { "certificate", "psk" };

struct till {
    struct world *world;
    struct punkt *punkt;
    unsigned sales, alarms; /* alarms: that this server is not spoken to */
};

static void on_alarm(struct punkt *punkt, enum punkt_alarm alarm, const char *text, void *ctx)
{
    struct till *till = ctx;
    (void)punkt;
    (void)text;
    till->alarms += alarm == PUNKT_ALARM_OTHER_LEDGER;
}

static void outbox_path(const struct till *till, char out[PATH_MAX])
{
    (void)snprintf(out, PATH_MAX, "%s/till.outbox", world_folder(till->world));
}

/* With the outbox and the identity file that are there. */
static void open_handle(struct till *till)
{
    char outbox[PATH_MAX], identity[NETWORK_PATH_MAX];
    struct punkt_options options = PUNKT_INIT(options);
    outbox_path(till, outbox);
    options.identity = network_till(till->world, "1", "1", identity);
    options.outbox = outbox;
    options.timeout_ms = WORLD_PATIENCE_MS;
    options.on_alarm = on_alarm;
    options.ctx = till;
    assert_int_equal(punkt_new(&options, &till->punkt), PUNKT_CALL_DONE);
}

static void office(const struct till *till, const char *noun, const char *verb, const char *what)
{
    struct run run;
    world_punkt(till->world, &run, noun, verb, what, NULL);
    if (run.exit_code != 0)
        fail_msg("punkt %s %s %s: %s", noun, verb, what, run.err);
    run_done(&run);
}

static struct till open_till(const char *proof, bool own_clock)
{
    assert_int_equal(setenv("PUNKT_TILLS", proof, 1), 0);
    struct till till = { .world = world_new(
                             &(struct world_options){ .unix_socket = true, .own_clock = own_clock }) };
    office(&till, "card", "issue", CARD);
    return till;
}

static void close_till(struct till *till)
{
    punkt_free(till->punkt);
    world_free(till->world);
}

static enum punkt_call sell(struct till *till, uint32_t timeout_ms)
{
    char receipt[16];
    struct punkt_purchase_request sale = PUNKT_INIT(sale);
    struct punkt_purchase_answer sold = PUNKT_ANSWER_INIT(sold);
    (void)snprintf(receipt, sizeof(receipt), "%u", ++till->sales);
    sale.card = CARD;
    sale.receipt = receipt;
    sale.amount = 100;
    sale.timeout_ms = timeout_ms;
    return punkt_purchase(till->punkt, &sale, &sold);
}

static uint64_t queued(const struct till *till)
{
    struct punkt_outbox_info info = PUNKT_INIT(info);
    punkt_outbox_info(till->punkt, &info);
    assert_int_equal(info.dead, 0);
    return info.queued;
}

/* The link is lost, sales are queued, and what is wrong is said in these words. */
static void expect_shut_out(struct till *till, const char *words)
{
    struct punkt_answer answer = PUNKT_INIT(answer);
    uint64_t before = queued(till);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(sell(till, AWAY_MS), PUNKT_CALL_QUEUED);
    assert_int_equal(queued(till), before + 3);
    int64_t start = world_now_ms();
    do { /* an attempt may still be on that began before */
        assert_int_not_equal(punkt_connect(till->punkt, AWAY_MS, &answer), PUNKT_CALL_DONE);
        world_patience(start);
    } while (strstr(punkt_trouble(till->punkt), words) == NULL && world_now_ms() - start < 5000);
    if (strstr(punkt_trouble(till->punkt), words) == NULL)
        fail_msg("not \"%s\": %s", words, punkt_trouble(till->punkt));
}

static void wait_down(const struct till *till)
{
    int64_t start = world_now_ms();
    while (punkt_link_state(till->punkt) == PUNKT_LINK_UP) {
        (void)punkt_drive(till->punkt, 10);
        world_patience(start);
    }
}

/* Each sale gave a point, once. */
static void expect_drained(struct till *till)
{
    struct punkt_card_show_request show = PUNKT_INIT(show);
    struct punkt_card_show_answer shown = PUNKT_ANSWER_INIT(shown);
    int64_t start = world_now_ms();
    while (queued(till) > 0) {
        (void)punkt_drive(till->punkt, 20);
        world_patience(start);
    }
    show.card = CARD;
    assert_int_equal(punkt_card_show(till->punkt, &show, &shown), PUNKT_CALL_DONE);
    assert_int_equal(shown.available, till->sales);
}

static uint64_t identity_of(const struct till *till)
{
    struct punkt_server_info info = PUNKT_INIT(info);
    punkt_server_info(till->punkt, &info);
    return info.identity;
}

static void suspended_and_resumed(const char *proof)
{
    struct till till = open_till(proof, false);
    open_handle(&till);
    assert_int_equal(sell(&till, 0), PUNKT_CALL_DONE);
    office(&till, "till", "suspend", "1/1");
    wait_down(&till);
    expect_shut_out(&till, "suspended");
    office(&till, "till", "resume", "1/1");
    expect_drained(&till); /* the same handle, by itself */
    close_till(&till);
}

/* The key is another one then, the identity is not. */
static void enrolled_anew(const char *proof)
{
    struct till till = open_till(proof, false);
    open_handle(&till);
    assert_int_equal(sell(&till, 0), PUNKT_CALL_DONE);
    uint64_t before = identity_of(&till);
    world_kill(till.world);
    wait_down(&till);
    assert_int_equal(sell(&till, AWAY_MS), PUNKT_CALL_QUEUED);
    world_start(till.world);
    network_rotate(till.world, "1", "1");
    /* The handle has the key that it began with. */
    expect_shut_out(&till,
                    strcmp(proof, "psk") == 0 ? "does not accept our pre-shared key" : "not in the register");
    punkt_free(till.punkt);
    open_handle(&till);
    expect_drained(&till);
    assert_int_equal(identity_of(&till), before);
    assert_int_equal(till.alarms, 0);
    close_till(&till);
}

/* Then it is somebody else, whom the server would take what was sent before for new. */
static void revoked_and_added_again(const char *proof)
{
    char path[NETWORK_PATH_MAX], outbox[PATH_MAX], aside[PATH_MAX + 8];
    struct till till = open_till(proof, false);
    open_handle(&till);
    assert_int_equal(sell(&till, 0), PUNKT_CALL_DONE);
    office(&till, "till", "revoke", "1/1");
    wait_down(&till);
    expect_shut_out(&till, "revoked");
    punkt_free(till.punkt);
    assert_int_equal(unlink(network_till(till.world, "1", "1", path)), 0);
    open_handle(&till); /* enrols as a new one */
    expect_shut_out(&till, "put the outbox aside");
    assert_int_equal(till.alarms, 1);
    punkt_free(till.punkt);
    outbox_path(&till, outbox);
    (void)snprintf(aside, sizeof(aside), "%s.aside", outbox);
    assert_int_equal(rename(outbox, aside), 0);
    open_handle(&till);
    till.sales = 1; /* the others are aside */
    expect_drained(&till);
    till.sales = 20;
    assert_int_equal(sell(&till, 0), PUNKT_CALL_DONE);
    till.sales = 2;
    expect_drained(&till);
    assert_int_equal(till.alarms, 1);
    close_till(&till);
}

/* Nobody is dropped, nobody waits; who comes later sees the new certificate. */
static void certificate_of_the_server_is_renewed(const char *proof)
{
    struct till till = open_till(proof, false);
    open_handle(&till);
    assert_int_equal(sell(&till, 0), PUNKT_CALL_DONE);
    network_renew_certificate(till.world);
    for (unsigned i = 0; i < 60; i++) {
        if (i % 20 == 10)
            assert_int_equal(kill(world_pid(till.world), SIGHUP), 0);
        assert_int_equal(sell(&till, 0), PUNKT_CALL_DONE);
        assert_int_equal(punkt_link_state(till.punkt), PUNKT_LINK_UP);
    }
    world_wait_said(till.world, "certificate");
    punkt_free(till.punkt);
    open_handle(&till);
    assert_int_equal(sell(&till, 0), PUNKT_CALL_DONE);
    expect_drained(&till);
    close_till(&till);
}

static void ca_is_replaced(void)
{
    struct till till = open_till("certificate", false);
    open_handle(&till);
    assert_int_equal(sell(&till, 0), PUNKT_CALL_DONE);
    world_stop(till.world);
    network_replace_ca(till.world);
    world_start(till.world);
    expect_shut_out(&till, "is not signed by the CA of");
    network_rotate(till.world, "1", "1"); /* the code tells it from an impostor */
    punkt_free(till.punkt);
    open_handle(&till);
    expect_drained(&till);
    close_till(&till);
}

/* While it is connected, and when it comes again. */
static void certificate_ends(void)
{
    struct till till = open_till("certificate", true);
    struct punkt_server_info info = PUNKT_INIT(info);
    open_handle(&till);
    assert_int_equal(sell(&till, 0), PUNKT_CALL_DONE);
    punkt_server_info(till.punkt, &info);
    assert_true(info.key_ends_us > info.time_us);
    world_clock_ahead(till.world, info.key_ends_us - info.time_us + YEAR_US);
    enum punkt_call call;
    while ((call = sell(&till, AWAY_MS)) == PUNKT_CALL_DONE) { /* the ledger's clock follows soon */
    }
    assert_int_equal(call, PUNKT_CALL_QUEUED);
    expect_shut_out(&till, "expired");
    network_rotate(till.world, "1", "1");
    world_clock_ahead(till.world, 0);
    close_till(&till);
}

static void test_suspended_and_resumed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++)
        suspended_and_resumed(proofs[i]);
}

static void test_enrolled_anew(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++)
        enrolled_anew(proofs[i]);
}

static void test_revoked_and_added_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++)
        revoked_and_added_again(proofs[i]);
}

static void test_server_is_renewed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++)
        certificate_of_the_server_is_renewed(proofs[i]);
    ca_is_replaced();
}

static void test_certificate_ends(void **state)
{
    (void)state;
    certificate_ends();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suspended_and_resumed),   cmocka_unit_test(test_enrolled_anew),
        cmocka_unit_test(test_revoked_and_added_again), cmocka_unit_test(test_server_is_renewed),
        cmocka_unit_test(test_certificate_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
