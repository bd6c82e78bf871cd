/*
 * Lines ready to print, from an answer's message to the caller's struct: of each operation that brings some.
 */
#include <punkt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client_server.h"

static struct server server;

static struct msg_text_line printed[] = {
    { .text = { "Danke für heute", sizeof("Danke für heute") - 1 } },
    { .text = { NULL, 0 } },
    { .text = { "5", 1 } },
};

static void script(struct server *s)
{
    struct msg_purchase_answer bought = { .earned = 5, .text = printed, .text_count = 3 };
    struct msg_return_answer returned = { .taken = 5, .text = printed, .text_count = 3 };
    struct msg_unlinked_return_answer unlinked = { .taken = 5, .text = printed, .text_count = 3 };
    struct msg_redeem_answer redeemed = { .redeemed = 5, .text = printed, .text_count = 3 };
    struct msg_redeem_answer no_text = { .redeemed = 5 };
    server_welcome(s);
    server_done(s, OPERATION_PURCHASE, server_expect(s, OPERATION_PURCHASE), 0, &bought);
    server_done(s, OPERATION_RETURN, server_expect(s, OPERATION_RETURN), 0, &returned);
    server_done(s, OPERATION_UNLINKED_RETURN, server_expect(s, OPERATION_UNLINKED_RETURN), 0, &unlinked);
    server_done(s, OPERATION_REDEEM, server_expect(s, OPERATION_REDEEM), 0, &redeemed);
    server_done(s, OPERATION_REDEEM, server_expect(s, OPERATION_REDEEM), 0, &no_text);
}

static void assert_text(const char *const *text, size_t count)
{
    assert_int_equal(count, 3);
    assert_string_equal(text[0], "Danke für heute");
    assert_string_equal(text[1], "");
    assert_string_equal(text[2], "5");
}

static void answers_bring_text(void **state)
{
    (void)state;
    const struct punkt_options options = { .size = sizeof(options),
                                           .server = server.address,
                                           .timeout_ms = 9000 };
    const struct punkt_purchase_request buy = { .size = sizeof(buy), .card = "1", .amount = 500 };
    const struct punkt_return_request give_back = {
        .size = sizeof(give_back), .card = "1", .amount = 500, .sale_position = 1
    };
    const struct punkt_unlinked_return_request unlinked = { .size = sizeof(unlinked),
                                                            .card = "1",
                                                            .amount = 500 };
    const struct punkt_redeem_request redeem = { .size = sizeof(redeem), .card = "1", .points = 5 };
    struct punkt_purchase_answer bought = PUNKT_ANSWER_INIT(bought);
    struct punkt_return_answer returned = PUNKT_ANSWER_INIT(returned);
    struct punkt_redeem_answer redeemed = PUNKT_ANSWER_INIT(redeemed);
    struct punkt *punkt;
    server_start(&server, NULL, script);
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    assert_int_equal(punkt_purchase(punkt, &buy, &bought), PUNKT_CALL_DONE);
    assert_text(bought.text, bought.text_count);
    assert_int_equal(punkt_return(punkt, &give_back, &returned), PUNKT_CALL_DONE);
    assert_text(returned.text, returned.text_count);
    assert_int_equal(punkt_unlinked_return(punkt, &unlinked, &returned), PUNKT_CALL_DONE);
    assert_text(returned.text, returned.text_count);
    assert_int_equal(punkt_redeem(punkt, &redeem, &redeemed), PUNKT_CALL_DONE);
    assert_text(redeemed.text, redeemed.text_count);
    assert_int_equal(punkt_redeem(punkt, &redeem, &redeemed), PUNKT_CALL_DONE);
    assert_int_equal(redeemed.text_count, 0);
    punkt_free(punkt);
    server_join(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_bring_text),
    };
    return cmocka_run_group_tests_name("client text", tests, NULL, NULL);
}
