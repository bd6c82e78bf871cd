/*
 * What answers bring ready to print: on connections that asked for it, and only there; never in what is booked.
 */
#include "service_acts.h"

#include <string.h>

#define CARD "2900000000018"

static const char programme[] =
    "programme: Prints\n"
    "decimals: 1\n"
    "cards: {check: ean13}\n"
    "tiers:\n"
    "  levels: [{name: silver, from: 100.00}]\n"
    "base:\n"
    "  - {rule: spend, points: 1, amount: 1.00, exact: true}\n"
    "redeem: {points: 0.25, worth: 0.01, minimum: 5, step: 0.5, offline: {card: 50, till: 500.5}}\n"
    "rewards:\n"
    "  - {reward: gift, name: cup, what: c, points: 500, through: 2020-01-01}\n"
    "  - {reward: gift, name: bowl, what: b, points: 600, stores: [S2]}\n"
    "  - {reward: gift, name: dish, what: d, points: 650, stock: 0}\n"
    "  - {reward: gift, name: plate, what: p, points: 700, tier: silver}\n"
    "  - {reward: gift, name: spoon, what: s, points: 800}\n"
    "receipt_text:\n"
    "  - language: de\n"
    "    decimal: comma\n"
    "    purchase:\n"
    "      - \"Punkte für heute:\\t{earned}\"\n"
    "      - \"Eingelöst:\\t{redeemed}\"\n"
    "      - \"Vorteil:\\t{paid} EUR\"\n"
    "      - \"Stand:\\t{available}\"\n"
    "      - \"Schuld: {debt}\"\n"
    "      - \"Offen: {pending} bis {pending_until}\"\n"
    "      - \"Stufe {tier}\"\n"
    "      - \"Noch {points_to_reward}: {reward}\"\n"
    "      - \"{card} {receipt}\"\n"
    "    return: [\"Zurück:\\t{taken}\", \"Wieder da: {given_back}\", \"{receipt}\", \"Schuld: {debt}\"]\n"
    "    redemption: [\"Eingelöst:\\t{redeemed}\", \"Vorteil:\\t{paid} EUR\"]\n"
    "    offline: [\"Ihre Punkte werden nachgebucht.\"]\n"
    "  - language: en\n"
    "    purchase: [\"{earned} points\"]\n"
    "...\n";

static const struct msg_hello_answer *hello(struct service_world *world, uint64_t width, const char *language)
{
    struct msg_hello_request request;
    message_init(MESSAGE_hello_request, &request);
    request.version_min = request.version_max = 1;
    request.epoch = 77;
    request.first_unanswered = 1;
    request.receipt_width = width;
    request.receipt_language = code(language);
    assert_int_equal(service_call(world, OPERATION_HELLO, 0, &request), RESULT_DONE);
    return &world->reply.message.hello_answer;
}

/* A world with a card that has bought for 5.00. */
static struct service_world *world_with_card(void)
{
    struct service_world *world = service_world_new(programme);
    issue(world, CARD);
    buy(world, CARD, 500, "S1", "1", false);
    return world;
}

/* Exactly these lines; the list ends with NULL. */
static void assert_lines(const struct msg_text_line *lines, uint64_t count, const char *const *want)
{
    for (uint64_t i = 0; i < count; i++) {
        const struct message_text *got = &lines[i].text;
        if (want[i] == NULL)
            fail_msg("not expected: \"%.*s\"", (int)got->size, got->data);
        if (got->size != strlen(want[i]) || memcmp(got->data, want[i], (size_t)got->size) != 0)
            fail_msg("line %d is \"%.*s\", expected \"%s\"", (int)i, (int)got->size, got->data, want[i]);
    }
    assert_null(want[count]);
}

static void assert_purchase_text(struct service_world *world, const char *const *want)
{
    const struct msg_purchase_answer *answer = &world->reply.message.purchase_answer;
    assert_lines(answer->text, answer->text_count, want);
}

/* The same request under the same number again. */
static void again(struct service_world *world, uint64_t amount, const char *receipt)
{
    world->number--;
    buy(world, CARD, amount, "S1", receipt, false);
}

/* The body of an answer, for later. */
struct kept_body {
    size_t size;
    uint8_t bytes[256];
};

static struct kept_body keep(const void *bytes, size_t size)
{
    struct kept_body kept = { .size = size };
    assert_in_range(size, 1, sizeof(kept.bytes));
    memcpy(kept.bytes, bytes, size);
    return kept;
}

static void assert_reply(const struct service_world *world, const struct kept_body *want)
{
    assert_int_equal(world->reply.size, want->size);
    assert_memory_equal(world->reply.body, want->bytes, want->size);
}

/* The answer of a number, as it was booked. */
static struct message_text booked(struct service_world *world, uint64_t number)
{
    struct msg_status_request request;
    message_init(MESSAGE_status_request, &request);
    request.epoch = 77;
    request.number = number;
    assert_int_equal(service_call(world, OPERATION_STATUS, 0, &request), RESULT_DONE);
    return world->reply.message.status_answer.answer;
}

static void hello_tells_what_is_for_offline(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    const struct msg_hello_answer *answer = hello(world, 0, "");
    assert_int_equal(answer->card_check, 2);
    /* 0.25 points are worth one minor unit: 5 tenths are worth two. */
    assert_int_equal(answer->redeem_points, 5);
    assert_int_equal(answer->redeem_worth, 2);
    assert_int_equal(answer->redeem_minimum, 50);
    assert_int_equal(answer->redeem_step, 5);
    assert_int_equal(answer->offline_card, 500);
    assert_int_equal(answer->offline_till, 5005);
    assert_int_equal(answer->offline_text_count, 0);
    answer = hello(world, 20, "de");
    assert_lines(answer->offline_text, answer->offline_text_count,
                 (const char *const[]){ "Ihre Punkte werden", "nachgebucht.", NULL });
    answer = hello(world, 1, "de"); /* counts as 16 */
    assert_lines(answer->offline_text, answer->offline_text_count,
                 (const char *const[]){ "Ihre Punkte", "werden", "nachgebucht.", NULL });
    answer = hello(world, 64, "en-GB");
    assert_int_equal(answer->offline_text_count, 0);
    service_world_free(world);
    world = service_world_new("base: [{rule: spend, points: 1, amount: 1.00}]\n...\n");
    answer = hello(world, 40, "de");
    assert_int_equal(answer->redeem_points, 1);
    assert_int_equal(answer->redeem_worth, 1);
    assert_int_equal(answer->offline_card, 0);
    assert_int_equal(answer->offline_till, 0);
    assert_int_equal(answer->offline_text_count, 0);
    service_world_free(world);
}

static void only_who_asks_gets_text(void **state)
{
    (void)state;
    struct service_world *world = world_with_card();
    assert_int_equal(world->reply.message.purchase_answer.text_count, 0);
    (void)hello(world, 24, "de-AT");
    buy(world, CARD, 10050, "S1", "2", false);
    assert_purchase_text(world, (const char *const[]){ "Punkte für heute:  100,5", "Stand:             105,5",
                                                       "Stufe silver", "Noch 594,5: plate", "290000*****18 2",
                                                       NULL });
    (void)hello(world, 24, "en");
    buy(world, CARD, 150, "S1", "3", false);
    assert_purchase_text(world, (const char *const[]){ "1.5 points", NULL });
    (void)hello(world, 0, "de");
    buy(world, CARD, 150, "S1", "4", false);
    assert_purchase_text(world, (const char *const[]){ NULL });
    service_world_free(world);
}

/* Stores, tiers, stock and periods decide which reward is the next. */
static void the_next_reward_is_one_that_is_offered(void **state)
{
    (void)state;
    struct service_world *world = world_with_card();
    (void)hello(world, 40, "de");
    buy(world, CARD, 100, "S1", "2", false);
    assert_purchase_text(world, (const char *const[]){ "Punkte für heute:                    1,0",
                                                       "Stand:                               6,0",
                                                       "Noch 794,0: spoon", "290000*****18 2", NULL });
    buy(world, CARD, 100, "S2", "2", false);
    assert_purchase_text(world, (const char *const[]){ "Punkte für heute:                    1,0",
                                                       "Stand:                               7,0",
                                                       "Noch 593,0: bowl", "290000*****18 2", NULL });
    adjust(world, CARD, 10000);
    buy(world, CARD, 100, "S2", "3", false);
    assert_purchase_text(world, (const char *const[]){ "Punkte für heute:                    1,0",
                                                       "Stand:                            1008,0",
                                                       "290000*****18 3", NULL });
    service_world_free(world);
}

/* Text is of the account as it is when the answer leaves; the rest is the first answer again. */
static void a_repeat_brings_text_of_today(void **state)
{
    (void)state;
    struct service_world *world = world_with_card();
    again(world, 500, "1");
    uint64_t position = world->reply.message.purchase_answer.position;
    struct kept_body first = keep(world->reply.body, world->reply.size);
    (void)hello(world, 24, "de");
    again(world, 500, "1");
    assert_purchase_text(world, (const char *const[]){ "Punkte für heute:    5,0", "Stand:               5,0",
                                                       "Noch 795,0: spoon", "290000*****18 1", NULL });
    adjust(world, CARD, -100);
    world->number--;
    again(world, 500, "1");
    assert_purchase_text(world, (const char *const[]){ "Punkte für heute:    5,0", "Stand:               0,0",
                                                       "Schuld: 5,0", "Noch 800,0: spoon", "290000*****18 1",
                                                       NULL });
    assert_int_equal(world->reply.message.purchase_answer.available, 50);
    world->number++;
    /* As a tie, under a new number. */
    buy(world, CARD, 500, "S1", "1", false);
    assert_int_equal(world->reply.message.purchase_answer.position, position);
    assert_purchase_text(world, (const char *const[]){ "Punkte für heute:    5,0", "Stand:               0,0",
                                                       "Schuld: 5,0", "Noch 800,0: spoon", "290000*****18 1",
                                                       NULL });
    again(world, 500, "1");
    assert_int_equal(world->reply.message.purchase_answer.text_count, 5);
    (void)hello(world, 0, "");
    again(world, 500, "1");
    assert_reply(world, &first);
    service_world_free(world);
}

static void what_is_booked_has_no_text(void **state)
{
    (void)state;
    struct service_world *world = world_with_card();
    (void)hello(world, 40, "de");
    buy(world, CARD, 700, "S1", "2", false);
    assert_int_equal(world->reply.message.purchase_answer.text_count, 4);
    struct message_text answer = booked(world, world->number);
    struct kept_body kept = keep(answer.data, answer.size);
    (void)hello(world, 0, "");
    again(world, 700, "2");
    assert_reply(world, &kept);
    service_world_free(world);
}

static void returns_and_redemptions_have_their_own(void **state)
{
    (void)state;
    struct service_world *world = world_with_card();
    (void)hello(world, 24, "de");
    uint64_t sale = buy(world, CARD, 10000, "S1", "2", false);
    struct msg_redeem_request redeem;
    message_init(MESSAGE_redeem_request, &redeem);
    redeem.card = code(CARD);
    redeem.points = 1000;
    redeem.store = redeem.till = code("S1");
    assert_int_equal(service_call(world, OPERATION_REDEEM, 0, &redeem), RESULT_DONE);
    const struct msg_redeem_answer *redeemed = &world->reply.message.redeem_answer;
    assert_lines(redeemed->text, redeemed->text_count,
                 (const char *const[]){ "Eingelöst:         100,0", "Vorteil:        4,00 EUR", NULL });
    give_back(world, CARD, sale, 10000);
    const struct msg_return_answer *returned = &world->reply.message.return_answer;
    assert_lines(returned->text, returned->text_count,
                 (const char *const[]){ "Zurück:            100,0", "Schuld: 95,0", NULL });
    struct msg_unlinked_return_request goods;
    message_init(MESSAGE_unlinked_return_request, &goods);
    goods.card = code(CARD);
    goods.amount = 100;
    goods.store = goods.till = code("S1");
    goods.document = code("R-9");
    assert_int_equal(service_call(world, OPERATION_UNLINKED_RETURN, 0, &goods), RESULT_DONE);
    const struct msg_unlinked_return_answer *unlinked = &world->reply.message.unlinked_return_answer;
    assert_lines(unlinked->text, unlinked->text_count,
                 (const char *const[]){ "Zurück:              1,0", "R-9", "Schuld: 96,0", NULL });
    service_world_free(world);
}

/* Nothing is known of the account; what the till knows itself is printed. */
static void a_return_that_waits_tells_little(void **state)
{
    (void)state;
    struct service_world *world = world_with_card();
    (void)hello(world, 24, "de");
    struct msg_return_request goods;
    message_init(MESSAGE_return_request, &goods);
    goods.card = code("2900000000025");
    goods.amount = 100;
    goods.store = goods.till = code("S1");
    goods.sale_receipt = code("77");
    goods.document = code("R-1");
    assert_int_equal(service_call(world, OPERATION_RETURN, FRAME_FLAG_ADVICE, &goods), RESULT_DONE);
    const struct msg_return_answer *returned = &world->reply.message.return_answer;
    assert_int_equal(returned->flags, ANSWER_FLAG_WAITS);
    assert_lines(returned->text, returned->text_count, (const char *const[]){ "R-1", NULL });
    service_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_tells_what_is_for_offline),
        cmocka_unit_test(only_who_asks_gets_text),
        cmocka_unit_test(the_next_reward_is_one_that_is_offered),
        cmocka_unit_test(a_repeat_brings_text_of_today),
        cmocka_unit_test(what_is_booked_has_no_text),
        cmocka_unit_test(returns_and_redemptions_have_their_own),
        cmocka_unit_test(a_return_that_waits_tells_little),
    };
    return cmocka_run_group_tests_name("receipt text", tests, NULL, NULL);
}
