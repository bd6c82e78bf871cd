/*
 * A till that came in by a code, with libpunkt over TLS: both lanes and the end of a day, its revocation while it is connected,
 * and a server that another CA vouches for.
 */
#include <punkt.h>
#include <stdio.h>
#include <string.h>

#include "secure.h"

#define CARD "2900000000018"
#define TIMEOUT_MS 30000

/* No server, no place: they are the identity's. */
static struct punkt *till_new(const struct world *world, const char *identity, const char *server)
{
    char outbox[SECURE_PATH_MAX];
    char trouble[256];
    struct punkt *punkt;
    (void)snprintf(outbox, sizeof(outbox), "%s/outbox", world_folder(world));
    const struct punkt_options options = { .size = sizeof(options),
                                           .server = server,
                                           .identity = identity,
                                           .outbox = outbox,
                                           .timeout_ms = TIMEOUT_MS,
                                           .trouble = trouble,
                                           .trouble_size = sizeof(trouble) };
    if (punkt_new(&options, &punkt) != PUNKT_CALL_DONE)
        fail_msg("%s", trouble);
    return punkt;
}

static enum punkt_call buy(struct punkt *punkt, const char *receipt, uint32_t timeout_ms)
{
    const struct punkt_purchase_request sale = {
        .size = sizeof(sale), .card = CARD, .amount = 10500, .receipt = receipt, .timeout_ms = timeout_ms
    };
    struct punkt_purchase_answer sold = PUNKT_ANSWER_INIT(sold);
    return punkt_purchase(punkt, &sale, &sold);
}

static void local(const struct world *world, const char *noun, const char *verb, const char *what)
{
    struct run run;
    world_punkt(world, &run, noun, verb, what, NULL);
    if (run.exit_code != 0)
        fail_msg("punkt %s %s: %s", noun, verb, run.err);
    run_done(&run);
}

static void expect_info(const struct punkt *punkt)
{
    struct punkt_server_info info = PUNKT_INIT(info);
    punkt_server_info(punkt, &info);
    assert_true(info.connected);
    assert_string_equal(punkt_role_name(info.role), "till");
    assert_string_equal(info.store, "12");
    assert_string_equal(info.till, "3");
    assert_string_equal(info.name, "");
    assert_true(info.identity > 1);
    assert_true(info.key_ends_us > info.time_us);
}

static void sells_and_closes(void **state)
{
    (void)state;
    char identity[SECURE_PATH_MAX];
    struct world *world = secure_world_new(NULL);
    const struct punkt_card_show_request show = { .size = sizeof(show), .card = CARD };
    const struct punkt_close_day_request close_day = { .size = sizeof(close_day), .timeout_ms = TIMEOUT_MS };
    struct punkt_card_show_answer shown = PUNKT_ANSWER_INIT(shown);
    struct punkt_close_day_answer closed = PUNKT_ANSWER_INIT(closed);
    secure_till(world, "12", "3", identity);
    local(world, "card", "issue", CARD);
    struct punkt *punkt = till_new(world, identity, NULL);
    assert_int_equal(buy(punkt, "R1", 0), PUNKT_CALL_DONE);
    assert_int_equal(punkt_card_show(punkt, &show, &shown), PUNKT_CALL_DONE);
    assert_int_equal(shown.available, 105);
    expect_info(punkt);
    assert_int_equal(punkt_close_day(punkt, &close_day, &closed), PUNKT_CALL_DONE);
    assert_int_equal(closed.state, PUNKT_CLOSE_BALANCED);
    assert_string_equal(closed.store, "12");
    assert_string_equal(closed.till, "3");
    punkt_free(punkt);
    world_free(world);
}

/* What was sold meanwhile stays in the outbox, and the words say whom to ask. */
static void revoked_while_connected(void **state)
{
    (void)state;
    char identity[SECURE_PATH_MAX];
    struct world *world = secure_world_new(NULL);
    struct punkt_answer answer = { .size = sizeof(answer) };
    struct punkt_outbox_info outbox = PUNKT_INIT(outbox);
    secure_till(world, "12", "3", identity);
    local(world, "card", "issue", CARD);
    struct punkt *punkt = till_new(world, identity, NULL);
    assert_int_equal(buy(punkt, "R1", 0), PUNKT_CALL_DONE);
    local(world, "till", "revoke", "12/3");
    for (int64_t start_ms = world_now_ms(); punkt_link_state(punkt) == PUNKT_LINK_UP;
         world_patience(start_ms))
        (void)punkt_drive(punkt, 10);
    assert_int_equal(buy(punkt, "R2", 300), PUNKT_CALL_QUEUED);
    assert_int_equal(punkt_connect(punkt, 0, &answer), PUNKT_CALL_REFUSED);
    assert_int_equal(answer.code, PUNKT_RESULT_NOT_PERMITTED);
    assert_non_null(strstr(answer.detail, "revoked"));
    punkt_outbox_info(punkt, &outbox);
    assert_int_equal(outbox.queued, 1);
    punkt_free(punkt);
    world_free(world);
}

static void another_server(void **state)
{
    (void)state;
    char identity[SECURE_PATH_MAX], address[SECURE_PATH_MAX];
    struct world *world = secure_world_new(NULL);
    struct world *other = secure_world_new(NULL);
    secure_till(world, "12", "3", identity);
    secure_address(other, "tls", address);
    struct punkt *punkt = till_new(world, identity, address);
    struct punkt_answer answer = { .size = sizeof(answer) };
    assert_int_equal(punkt_connect(punkt, 1000, &answer), PUNKT_CALL_NOT_SENT);
    if (strstr(answer.detail, "is not signed by the CA of") == NULL)
        fail_msg("%s", answer.detail);
    assert_int_equal(buy(punkt, "R1", 300), PUNKT_CALL_QUEUED);
    punkt_free(punkt);
    world_free(other);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sells_and_closes),
        cmocka_unit_test(revoked_while_connected),
        cmocka_unit_test(another_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
