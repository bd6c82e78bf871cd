/* Lines ready to print, over libpunkt from a daemon that is killed in between: today's text with yesterday's answer. */
#include <punkt.h>
#include <string.h>

#include "world.h"

#define CARD "2900000000018"

static const char programme[] = "currency: EUR\n"
                                "cards: {check: ean13}\n"
                                "base:\n  - {rule: spend, points: 1, amount: 1.00}\n"
                                "redeem: {points: 100, worth: 1.00, offline: {card: 500, till: 2000}}\n"
                                "receipt_text:\n"
                                "  - language: de\n"
                                "    purchase: [\"Punkte für heute:\\t{earned}\", \"Stand:\\t{available}\"]\n"
                                "    redemption: [\"Sie sparen {paid} EUR.\"]\n"
                                "  - language: en\n"
                                "    decimal: point\n"
                                "    purchase: [\"Points today:\\t{earned}\", \"You have:\\t{available}\"]\n"
                                "...\n";

static struct punkt *handle(const struct world *world, uint32_t width, const char *language)
{
    const struct punkt_options options = { .size = sizeof(options),
                                           .server = world_address(world),
                                           .timeout_ms = WORLD_PATIENCE_MS,
                                           .receipt_width = width,
                                           .language = language };
    struct punkt *punkt;
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    return punkt;
}

/* Buys by receipt; the text must have these lines, the first NULL: none. */
static void buy(struct punkt *punkt, int64_t amount, const char *receipt, const char *first,
                const char *second)
{
    const struct punkt_purchase_request request = {
        .size = sizeof(request), .card = CARD, .amount = amount, .receipt = receipt
    };
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    assert_int_equal(punkt_purchase(punkt, &request, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.text_count, first != NULL ? 2 : 0);
    if (first == NULL)
        return;
    assert_string_equal(answer.text[0], first);
    assert_string_equal(answer.text[1], second);
}

static void redeem(struct punkt *punkt, int64_t points, const char *text)
{
    const struct punkt_redeem_request request = { .size = sizeof(request), .card = CARD, .points = points };
    struct punkt_redeem_answer answer = PUNKT_ANSWER_INIT(answer);
    assert_int_equal(punkt_redeem(punkt, &request, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.text_count, 1);
    assert_string_equal(answer.text[0], text);
}

static void tills_print_in_their_language(void **state)
{
    (void)state;
    const struct world_options options = { .programme = programme };
    struct world *world = world_new(&options);
    struct run run;
    world_json(world, &run, "card", "issue", CARD, NULL);
    assert_int_equal(run.exit_code, 0);
    run_done(&run);
    struct punkt *silent = handle(world, 0, NULL);
    struct punkt *german = handle(world, 24, NULL);
    struct punkt *english = handle(world, 20, "en-GB");
    buy(silent, 10000, "1", NULL, NULL);
    buy(german, 10000, "2", "Punkte für heute:    100", "Stand:               200");
    buy(english, 500, "3", "Points today:      5", "You have:        205");
    redeem(german, 100, "Sie sparen 1.00 EUR.");
    world_kill(world);
    world_start(world);
    punkt_free(silent);
    punkt_free(german);
    punkt_free(english);
    /* What was booked without text, or for another till, is printed here as it is today. */
    german = handle(world, 24, "de-AT");
    buy(german, 10000, "1", "Punkte für heute:    100", "Stand:               105");
    buy(german, 500, "3", "Punkte für heute:      5", "Stand:               105");
    struct punkt_server_info info = { .size = sizeof(info) };
    punkt_server_info(german, &info);
    assert_int_equal(info.card_check, 2);
    assert_int_equal(info.redeem_points, 100);
    assert_int_equal(info.redeem_worth, 100);
    assert_int_equal(info.offline_card, 500);
    assert_int_equal(info.offline_till, 2000);
    punkt_free(german);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tills_print_in_their_language),
    };
    return cmocka_run_group_tests_name("print", tests, NULL, NULL);
}
