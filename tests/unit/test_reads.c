/*
 * What staff and auditors read, through the service: one event (why), the day of a till, reports.
 */
#include "service_world.h"

#include <string.h>

static const char programme[] = "programme: Reads\n"
                                "currency: EUR\n"
                                "tiers:\n"
                                "  levels: [{name: silver, from: 100.00, multiply: 1.5}]\n"
                                "base:\n"
                                "  - {rule: spend, name: euro, points: 1, amount: 1.00}\n"
                                "offers:\n"
                                "  - {offer: add, name: extra, points: 5, per: receipt, coupons: [PLUS]}\n"
                                "caps: {receipt: 300}\n"
                                "expiry: {months: 24, through: month}\n"
                                "redeem: {points: 100, worth: 1.00}\n"
                                "rewards:\n"
                                "  - {reward: voucher, name: cinema, voucher: C1, points: 20}\n"
                                "...\n";

static uint64_t issue(struct service_world *world, const char *card)
{
    struct msg_card_issue_request request;
    message_init(MESSAGE_card_issue_request, &request);
    request.card = code(card);
    assert_int_equal(service_call(world, OPERATION_CARD_ISSUE, 0, &request), RESULT_DONE);
    return world->reply.message.card_issue_answer.account;
}

static uint64_t buy(struct service_world *world, const char *card, uint64_t amount, const char *store,
                    const char *receipt, bool advice)
{
    struct msg_purchase_request request;
    struct msg_coupon plus = { .code = code("PLUS") };
    message_init(MESSAGE_purchase_request, &request);
    request.card = code(card);
    request.amount = amount;
    request.store = code(store);
    request.till = code("1");
    request.receipt = code(receipt);
    request.operator= code("ann");
    request.coupons = &plus;
    request.coupons_count = 1;
    assert_int_equal(service_call(world, OPERATION_PURCHASE, advice ? FRAME_FLAG_ADVICE : 0, &request),
                     RESULT_DONE);
    return world->reply.message.purchase_answer.position;
}

static uint64_t give_back(struct service_world *world, const char *card, uint64_t sale, uint64_t amount)
{
    struct msg_return_request request;
    message_init(MESSAGE_return_request, &request);
    request.card = code(card);
    request.amount = amount;
    request.store = code("S1");
    request.till = code("1");
    request.sale_position = sale;
    assert_int_equal(service_call(world, OPERATION_RETURN, 0, &request), RESULT_DONE);
    return world->reply.message.return_answer.position;
}

static uint64_t redeem(struct service_world *world, const char *card)
{
    struct msg_redeem_request request;
    message_init(MESSAGE_redeem_request, &request);
    request.card = code(card);
    request.reward = code("cinema");
    request.store = code("S2");
    request.till = code("1");
    assert_int_equal(service_call(world, OPERATION_REDEEM, 0, &request), RESULT_DONE);
    return world->reply.message.redeem_answer.position;
}

static uint64_t adjust(struct service_world *world, const char *card, int64_t points)
{
    struct msg_adjust_request request;
    message_init(MESSAGE_adjust_request, &request);
    request.card = code(card);
    request.points = points;
    request.reason = code("goodwill");
    request.note = (struct message_text){ "a note", 6 };
    request.allow_debt = 1;
    assert_int_equal(service_call(world, OPERATION_ADJUST, 0, &request), RESULT_DONE);
    return world->reply.message.adjust_answer.position;
}

static void assert_code(const struct wire_code *got, const char *want)
{
    assert_int_equal(got->size, strlen(want));
    assert_memory_equal(got->bytes, want, got->size);
}

/* --- card show --- */

static const struct msg_card_show_answer *show(struct service_world *world, const char *card, uint64_t at)
{
    struct msg_card_show_request request;
    message_init(MESSAGE_card_show_request, &request);
    request.card = code(card);
    request.at = at;
    request.lots = 1;
    assert_int_equal(service_call(world, OPERATION_CARD_SHOW, 0, &request), RESULT_DONE);
    return &world->reply.message.card_show_answer;
}

static uint64_t now_of(struct service_world *world)
{
    return (uint64_t)ledger_now(world->ledger);
}

static void tag(struct service_world *world, const char *card, const char *name)
{
    struct msg_account_tag_request request;
    struct msg_tag set = { .tag = code(name) };
    message_init(MESSAGE_account_tag_request, &request);
    request.card = code(card);
    request.set = &set;
    request.set_count = 1;
    assert_int_equal(service_call(world, OPERATION_ACCOUNT_TAG, 0, &request), RESULT_DONE);
}

static void block(struct service_world *world, const char *card)
{
    struct msg_card_block_request request;
    message_init(MESSAGE_card_block_request, &request);
    request.card = code(card);
    assert_int_equal(service_call(world, OPERATION_CARD_BLOCK, 0, &request), RESULT_DONE);
}

static uint64_t merge(struct service_world *world, const char *from, const char *to)
{
    struct msg_account_merge_request request;
    message_init(MESSAGE_account_merge_request, &request);
    request.from_card = code(from);
    request.to_card = code(to);
    assert_int_equal(service_call(world, OPERATION_ACCOUNT_MERGE, 0, &request), RESULT_DONE);
    return world->reply.message.account_merge_answer.position;
}

static uint64_t hold_points(struct service_world *world, const char *card, int64_t points)
{
    struct msg_hold_request request;
    message_init(MESSAGE_hold_request, &request);
    request.card = code(card);
    request.points = points;
    request.store = code("S1");
    request.till = code("1");
    assert_int_equal(service_call(world, OPERATION_HOLD, 0, &request), RESULT_DONE);
    return world->reply.message.hold_answer.position;
}

static void a_card_shows_all_of_its_account(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    uint64_t account = issue(world, "100");
    (void)buy(world, "100", 21050, "S1", "r1", false);
    tag(world, "100", "vip");
    uint64_t held = hold_points(world, "100", 100);
    block(world, "100");
    (void)buy(world, "100", 1000, "S1", "r2", false);
    const struct msg_card_show_answer *answer = show(world, "100", 0);
    assert_int_equal(answer->account, account);
    assert_int_equal(answer->status, CARD_BLOCKED);
    assert_int_equal(answer->available, 220); /* 300 + 10 and 5 for silver, 5 for the coupon, less 100 held */
    assert_int_equal(answer->held, 100);
    assert_int_equal(answer->lifetime, 320);
    assert_int_equal(answer->cards, 1);
    assert_code(&answer->tier, "silver");
    assert_int_equal(answer->pin, 0);
    assert_true(answer->last_purchase > 0);
    assert_int_equal(answer->flags, 0);
    assert_int_equal(answer->tags_count, 1);
    assert_code(&answer->tags[0].tag, "vip");
    assert_int_equal(answer->holds_count, 1);
    assert_int_equal(answer->holds[0].hold, held);
    assert_int_equal(answer->holds[0].points, 100);
    assert_int_equal(answer->lots_count, 2);
    assert_int_equal(answer->lots[0].points, 300);
    assert_int_equal(answer->lots[0].held, 100);
    assert_int_equal(answer->lots[1].points, 20);
    service_world_free(world);
}

/* Time does not stand still between two events; the ledger's is read once a turn. */
static uint64_t moment(struct service_world *world)
{
    struct msg_ping_request ping;
    message_init(MESSAGE_ping_request, &ping);
    uint64_t before = now_of(world);
    while (now_of(world) <= before + 1)
        assert_int_equal(service_call(world, OPERATION_PING, 0, &ping), RESULT_DONE);
    return now_of(world) - 1;
}

static void a_card_shows_what_it_was(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    uint64_t early = moment(world);
    (void)issue(world, "100");
    uint64_t account = issue(world, "200");
    (void)buy(world, "100", 5000, "S1", "r1", false);
    uint64_t first = moment(world);
    (void)buy(world, "200", 1000, "S1", "r2", false);
    tag(world, "200", "vip");
    (void)redeem(world, "100");
    block(world, "200");
    uint64_t second = moment(world);
    (void)merge(world, "200", "100");
    uint64_t third = moment(world);
    for (int i = 0; i < 300; i++)
        (void)adjust(world, "100", 1);
    const struct msg_card_show_answer *answer = show(world, "100", first);
    assert_int_equal(answer->available, 55);
    assert_int_equal(answer->tags_count, 0);
    answer = show(world, "200", first);
    assert_int_equal(answer->account, account);
    assert_int_equal(answer->available, 0);
    assert_int_equal(answer->status, CARD_ACTIVE);
    answer = show(world, "100", second);
    assert_int_equal(answer->available, 35);
    answer = show(world, "200", second);
    assert_int_equal(answer->account, account);
    assert_int_equal(answer->available, 15);
    assert_int_equal(answer->status, CARD_BLOCKED);
    assert_code(&answer->tags[0].tag, "vip");
    answer = show(world, "200", third);
    assert_int_equal(answer->account, 1);
    assert_int_equal(answer->available, 50);
    assert_int_equal(answer->cards, 2);
    assert_int_equal(answer->lots_count, 2);
    assert_int_equal(show(world, "200", 0)->available, 350);
    /* At the last event, it is what it is. */
    assert_int_equal(show(world, "100", moment(world))->available, 350);
    struct msg_card_show_request request;
    message_init(MESSAGE_card_show_request, &request);
    request.card = code("200");
    request.at = early;
    assert_int_equal(service_call(world, OPERATION_CARD_SHOW, 0, &request), RESULT_UNKNOWN_CARD);
    service_world_free(world);
}

/* --- why --- */

static enum result why(struct service_world *world, uint64_t event, const char *card)
{
    struct msg_why_request request;
    message_init(MESSAGE_why_request, &request);
    request.event = event;
    request.card = code(card);
    return service_call(world, OPERATION_WHY, 0, &request);
}

static const struct msg_why_answer *explained(struct service_world *world, uint64_t event, const char *card)
{
    assert_int_equal(why(world, event, card), RESULT_DONE);
    assert_int_equal(world->reply.message.why_answer.position, event);
    return &world->reply.message.why_answer;
}

static void a_purchase_is_explained_rule_by_rule(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    uint64_t account = issue(world, "100");
    uint64_t sale = buy(world, "100", 21050, "S1", "r1", false);
    const struct msg_why_answer *answer = explained(world, sale, "100");
    assert_int_equal(answer->kind, EVENT_PURCHASE);
    assert_int_equal(answer->account, account);
    assert_int_equal(answer->points, 300);
    assert_int_equal(answer->balance, 300);
    assert_code(&answer->store, "S1");
    assert_code(&answer->till, "1");
    assert_code(&answer->receipt, "r1");
    assert_code(&answer->operator, "ann");
    assert_code(&answer->tier, "silver");
    assert_int_equal(answer->programme_version, 1);
    assert_int_equal(answer->amount, 21050);
    assert_int_equal(answer->base, 21050);
    assert_int_equal(answer->earned, 300);
    assert_int_equal(answer->trimmed, 20);
    /* 210, half of it for silver, 5 for the coupon, less what is above 300 (DOMAIN.md, Earning). */
    static const struct {
        uint64_t kind;
        const char *name;
        int64_t result;
    } parts[] = { { PART_SPEND, "euro", 210000 },
                  { PART_TIER, "silver", 105000 },
                  { PART_ADD, "extra", 5000 },
                  { PART_CAP_RECEIPT, "receipt", -20000 } };
    assert_int_equal(answer->parts_count, COUNT_OF(parts));
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        assert_int_equal(answer->parts[i].kind, parts[i].kind);
        assert_code(&answer->parts[i].name, parts[i].name);
        assert_int_equal(answer->parts[i].result, parts[i].result);
    }
    assert_int_equal(answer->moves_count, 1);
    assert_int_equal(answer->moves[0].kind, LOT_ADD);
    assert_int_equal(answer->moves[0].points, 300);
    assert_int_equal(answer->moves[0].account, account);
    assert_int_equal(answer->moves[0].last_day, answer->last_day);
    service_world_free(world);
}

static void other_events_are_explained(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    (void)issue(world, "100");
    uint64_t sale = buy(world, "100", 5000, "S1", "r1", false);
    uint64_t redeemed = redeem(world, "100");
    uint64_t returned = give_back(world, "100", sale, 5000);
    uint64_t adjusted = adjust(world, "100", -40);
    const struct msg_why_answer *answer = explained(world, redeemed, "");
    assert_int_equal(answer->kind, EVENT_REDEMPTION);
    assert_int_equal(answer->points, -20);
    assert_int_equal(answer->spent_count, 1);
    assert_code(&answer->spent[0].reward, "cinema");
    assert_code(&answer->spent[0].voucher, "C1");
    answer = explained(world, returned, "");
    assert_int_equal(answer->refers, sale);
    assert_int_equal(answer->due, 55);
    assert_int_equal(answer->taken, 55);
    assert_int_equal(answer->debt_added, 20);
    assert_int_equal(answer->amount, 5000);
    answer = explained(world, adjusted, "");
    assert_code(&answer->reason, "goodwill");
    assert_int_equal(answer->note.size, 6);
    assert_memory_equal(answer->note.data, "a note", 6);
    assert_int_equal(answer->balance, -60);
    service_world_free(world);
}

static void a_purchase_is_found_by_its_receipt(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    (void)issue(world, "100");
    uint64_t sale = buy(world, "100", 5000, "S1", "r1", false);
    struct msg_why_request request;
    message_init(MESSAGE_why_request, &request);
    request.store = code("S1");
    request.till = code("1");
    request.receipt = code("r1");
    assert_int_equal(service_call(world, OPERATION_WHY, 0, &request), RESULT_DONE);
    assert_int_equal(world->reply.message.why_answer.position, sale);
    request.receipt = code("r2");
    assert_int_equal(service_call(world, OPERATION_WHY, 0, &request), RESULT_UNKNOWN_PURCHASE);
    service_world_free(world);
}

/* Bytes that an advice carries may look like an event: only positions where one begins are believed. */
static void only_events_are_explained(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    (void)issue(world, "100");
    (void)issue(world, "200");
    uint64_t sale = buy(world, "100", 5000, "S1", "r1", false);
    uint64_t last = buy(world, "200", 5000, "S1", "r2", false);
    for (uint64_t position = sale + 1; position < sale + 8; position++)
        assert_int_equal(why(world, position, ""), RESULT_UNKNOWN_EVENT);
    assert_int_equal(why(world, last + 4096, ""), RESULT_UNKNOWN_EVENT);
    assert_int_equal(why(world, sale, "200"), RESULT_OTHER_ACCOUNT);
    assert_int_equal(why(world, sale, "300"), RESULT_UNKNOWN_CARD);
    /* The first event is the daemon's own: the programme. No request leads to it. */
    uint64_t found = 0;
    for (uint64_t position = 1; position < 512 && found == 0; position++)
        found = why(world, position, "") == RESULT_DONE ? position : 0;
    assert_true(found > 0);
    assert_int_equal(world->reply.message.why_answer.kind, EVENT_PROGRAMME);
    assert_int_equal(world->reply.message.why_answer.programme_version, 1);
    service_world_free(world);
}

/* --- the day of a till --- */

static void a_till_is_told_its_day(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    (void)issue(world, "100");
    uint64_t sale = buy(world, "100", 5000, "S1", "r1", false);
    (void)buy(world, "100", 1000, "S1", "r2", false);
    (void)buy(world, "100", 700, "S2", "r2", false);
    (void)give_back(world, "100", sale, 2000);
    struct msg_day_totals_request request;
    message_init(MESSAGE_day_totals_request, &request);
    request.store = code("S1");
    request.till = code("1");
    request.date = (uint64_t)today(world->service);
    assert_int_equal(service_call(world, OPERATION_DAY_TOTALS, 0, &request), RESULT_DONE);
    const struct msg_day_totals_answer *answer = &world->reply.message.day_totals_answer;
    assert_int_equal(answer->purchases, 2);
    assert_int_equal(answer->purchase_amount, 6000);
    assert_int_equal(answer->earned, 70);
    assert_int_equal(answer->returns, 1);
    assert_int_equal(answer->return_amount, 2000);
    assert_int_equal(answer->returned, 20);
    assert_int_equal(answer->redemptions, 0);
    assert_int_equal(answer->lanes_count, 1);
    assert_int_equal(answer->lanes[0].epoch, 77);
    assert_int_equal(answer->lanes[0].first, 2);
    assert_int_equal(answer->lanes[0].last, 5);
    assert_true(answer->hash != 0);
    request.date--;
    assert_int_equal(service_call(world, OPERATION_DAY_TOTALS, 0, &request), RESULT_DONE);
    assert_int_equal(answer->purchases, 0);
    assert_int_equal(answer->hash, 0);
    service_world_free(world);
}

/* --- reports --- */

static const struct msg_report_answer *report(struct service_world *world, uint64_t which, uint64_t next,
                                              uint64_t limit)
{
    struct msg_report_request request;
    message_init(MESSAGE_report_request, &request);
    request.report = which;
    request.next = next;
    request.limit = limit;
    assert_int_equal(service_call(world, OPERATION_REPORT, 0, &request), RESULT_DONE);
    return &world->reply.message.report_answer;
}

/* 4 events that move points, in two stores. */
static void make_business(struct service_world *world)
{
    (void)issue(world, "100");
    (void)issue(world, "200");
    uint64_t sale = buy(world, "100", 5000, "S1", "r1", false); /* 55 */
    (void)redeem(world, "100");                                 /* -20 */
    (void)give_back(world, "100", sale, 2000);                  /* -20 */
    (void)adjust(world, "200", -30);
    (void)buy(world, "900", 1500, "S2", "r1", true); /* 20, in suspense */
}

static void activity_adds_up(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    make_business(world);
    const struct msg_report_answer *answer = report(world, 2, 0, 1000);
    assert_int_equal(answer->next, 0);
    assert_int_equal(answer->rows_count, 31);
    const struct msg_report_row *now = &answer->rows[30];
    assert_int_equal(now->day, today(world->service));
    assert_int_equal(now->opening, 0);
    assert_int_equal(now->earned, 75);
    assert_int_equal(now->redeemed, -20);
    assert_int_equal(now->returned, -20);
    assert_int_equal(now->adjusted, -30);
    assert_int_equal(now->closing, 5);
    assert_int_equal(now->purchases, 2);
    assert_int_equal(now->spend, 6500);
    assert_int_equal(now->returns, 1);
    assert_int_equal(now->refunds, 2000);
    assert_int_equal(now->redemptions, 1);
    assert_int_equal(answer->rows[0].closing, 0);
    /* By pages of ten days. */
    uint64_t next = 0;
    uint64_t rows = 0;
    do {
        answer = report(world, 2, next, 10);
        rows += answer->rows_count;
        assert_true(answer->next > next || answer->next == 0);
        next = answer->next;
    } while (next != 0);
    assert_int_equal(rows, 31);
    assert_int_equal(answer->rows[0].closing, 5);
    service_world_free(world);
}

static void stores_are_told_apart(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    make_business(world);
    const struct msg_report_answer *answer = report(world, 3, 0, 1000);
    assert_int_equal(answer->rows_count, 3); /* and the office, which has none */
    assert_code(&answer->rows[0].store, "");
    assert_int_equal(answer->rows[0].adjusted, -30);
    assert_code(&answer->rows[1].store, "S1");
    assert_int_equal(answer->rows[1].earned, 55);
    assert_int_equal(answer->rows[1].returned, -20);
    assert_int_equal(answer->rows[1].spend, 5000);
    assert_code(&answer->rows[2].store, "S2");
    assert_int_equal(answer->rows[2].earned, 20);
    assert_int_equal(answer->rows[2].redeemed, -20);
    answer = report(world, 3, 0, 2);
    assert_int_equal(answer->next, 2);
    answer = report(world, 3, 2, 2);
    assert_int_equal(answer->next, 0);
    assert_int_equal(answer->rows_count, 1);
    assert_code(&answer->rows[0].store, "S2");
    service_world_free(world);
}

static void liability_is_what_is_outstanding(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    make_business(world);
    const struct msg_report_answer *answer = report(world, 1, 0, 1000);
    assert_int_equal(answer->rows_count, 2);
    assert_int_equal(answer->rows[0].points, 35);
    assert_int_equal(answer->rows[0].debt, 30);
    assert_int_equal(answer->rows[0].closing, 5);
    assert_int_equal(answer->rows[0].worth, 35);
    assert_int_equal(answer->rows[0].accounts, 3);
    assert_int_equal(answer->rows[1].points, 35);
    assert_int_equal(answer->rows[1].day, month_last_day(month_of_day(today(world->service)) + 24));
    answer = report(world, 4, 0, 1000);
    assert_int_equal(answer->rows_count, 1);
    assert_int_equal(answer->rows[0].points, 35);
    answer = report(world, 7, 0, 1000);
    assert_int_equal(answer->rows_count, 1);
    assert_int_equal(answer->rows[0].earned, 75);
    assert_int_equal(answer->rows[0].redeemed, -20);
    assert_int_equal(answer->rows[0].returned, -20);
    assert_int_equal(answer->rows[0].closing, 35);
    service_world_free(world);
}

static void accounts_in_debt_and_suspense_are_listed(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    make_business(world);
    (void)buy(world, "900", 300, "S2", "r2", true);
    const struct msg_report_answer *answer = report(world, 5, 0, 1000);
    assert_int_equal(answer->rows_count, 1);
    assert_int_equal(answer->next, 0);
    assert_int_equal(answer->rows[0].account, 2);
    assert_int_equal(answer->rows[0].debt, 30);
    assert_int_equal(answer->rows[0].closing, -30);
    assert_int_equal(answer->rows[0].day, today(world->service));
    answer = report(world, 6, 0, 1000);
    assert_int_equal(answer->rows_count, 1);
    assert_int_equal(answer->rows[0].account, 3);
    assert_int_equal(answer->rows[0].points, 28);
    assert_code(&answer->rows[0].card, "900");
    service_world_free(world);
}

static void lists_of_accounts_have_pages(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    for (int i = 0; i < 5; i++) {
        char card[] = "100";
        card[2] = (char)('0' + i);
        (void)issue(world, card);
        (void)adjust(world, card, i == 2 ? 1 : -1 - i);
    }
    static const uint64_t want[] = { 1, 2, 4, 5 };
    uint64_t next = 0;
    size_t rows = 0;
    do {
        const struct msg_report_answer *answer = report(world, 5, next, 1);
        for (uint64_t i = 0; i < answer->rows_count; i++)
            assert_int_equal(answer->rows[i].account, want[rows++]);
        next = answer->next;
    } while (next != 0);
    assert_int_equal(rows, COUNT_OF(want));
    service_world_free(world);
}

static void reports_that_are_none_are_refused(void **state)
{
    (void)state;
    struct service_world *world = service_world_new(programme);
    struct msg_report_request request;
    message_init(MESSAGE_report_request, &request);
    assert_int_equal(service_call(world, OPERATION_REPORT, 0, &request), RESULT_MALFORMED);
    request.report = 8;
    assert_int_equal(service_call(world, OPERATION_REPORT, 0, &request), RESULT_MALFORMED);
    request.report = 2;
    request.from = (uint64_t)today(world->service) + 1;
    assert_int_equal(service_call(world, OPERATION_REPORT, 0, &request), RESULT_MALFORMED);
    service_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_shows_all_of_its_account),
        cmocka_unit_test(a_card_shows_what_it_was),
        cmocka_unit_test(a_purchase_is_explained_rule_by_rule),
        cmocka_unit_test(other_events_are_explained),
        cmocka_unit_test(a_purchase_is_found_by_its_receipt),
        cmocka_unit_test(only_events_are_explained),
        cmocka_unit_test(a_till_is_told_its_day),
        cmocka_unit_test(activity_adds_up),
        cmocka_unit_test(stores_are_told_apart),
        cmocka_unit_test(liability_is_what_is_outstanding),
        cmocka_unit_test(accounts_in_debt_and_suspense_are_listed),
        cmocka_unit_test(lists_of_accounts_have_pages),
        cmocka_unit_test(reports_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
