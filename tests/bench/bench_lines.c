/*
 * A load that is the same each time: purchases of so many lines, in the same order, on the same cards. So what a daemon
 * spends on it can be counted in instructions, and compared. It says nothing about time.
 *
 * usage: bench_lines SERVER PURCHASES LINES WINDOW [CARDS]
 *
 * LINES: of each receipt, 1 to 64; 0: none. WINDOW: requests that may be unanswered at once, 1 to 64. CARDS: issued
 * first, 1 to 10,000; default 100. The lines are of categories that conf/programme.yaml names, and of others; the
 * receipts are paid with tenders, in store ST01, and a third of them with a coupon.
 */
#include <inttypes.h>
#include <stdio.h>

#include <punkt.h>

#include "receipts.h"

#define TIMEOUT_MS 120000 /* under a tool that counts, a daemon is a hundred times as slow */

struct bench {
    unsigned purchases, lines, window, cards;
    unsigned answered;
    unsigned failed;
};

static void count_answer(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    struct bench *bench = ctx;
    (void)punkt;
    bench->answered++;
    if (answer->call == PUNKT_CALL_DONE)
        return;
    if (bench->failed == 0)
        (void)fprintf(stderr, "bench_lines: %s: %s\n", answer->name, answer->text);
    bench->failed++;
}

static enum punkt_call submit(struct punkt *punkt, struct bench *bench, unsigned i)
{
    static const char *const coupons[] = { "SPRING100" };
    struct punkt_line lines[RECEIPT_LINES_MAX];
    char codes[RECEIPT_LINES_MAX][16];
    char card[24];
    char receipt[16];
    int64_t amount = receipt_amount(i, bench->lines, lines, codes);
    struct punkt_tender tender = { .size = sizeof(tender), .kind = "cash", .amount = amount };
    struct punkt_purchase_request request = {
        .size = sizeof(request),
        .timeout_ms = TIMEOUT_MS,
        .card = card,
        .amount = amount,
        .store = "ST01",
        .till = "T1",
        .receipt = receipt,
        .operator_ = "7",
        .lines = lines,
        .line_count = bench->lines,
        .tenders = &tender,
        .tender_count = 1,
        .coupons = coupons,
        .coupon_count = i % 3 == 0,
    };
    (void)snprintf(card, sizeof(card), "%" PRIu64, RECEIPT_CARD_FIRST + i % bench->cards);
    (void)snprintf(receipt, sizeof(receipt), "R%u", i);
    return punkt_submit_purchase(punkt, &request, count_answer, bench);
}

static bool issue(struct punkt *punkt, const struct bench *bench)
{
    char card[24];
    struct punkt_card_issue_request request = {
        .size = sizeof(request), .timeout_ms = TIMEOUT_MS, .card = card, .count = bench->cards
    };
    struct punkt_card_issue_answer answer = PUNKT_ANSWER_INIT(answer);
    (void)snprintf(card, sizeof(card), "%" PRIu64, RECEIPT_CARD_FIRST);
    if (punkt_card_issue(punkt, &request, &answer) == PUNKT_CALL_DONE)
        return true;
    (void)fprintf(stderr, "bench_lines: cannot issue the cards: %s\n", answer.head.text);
    return false;
}

static bool run(struct punkt *punkt, struct bench *bench)
{
    unsigned sent = 0;
    while (bench->answered < bench->purchases) {
        while (sent < bench->purchases && punkt_room(punkt) > 0) {
            enum punkt_call call = submit(punkt, bench, sent++);
            if (call == PUNKT_CALL_DONE)
                continue;
            (void)fprintf(stderr, "bench_lines: %s: %s\n", punkt_call_name(call), punkt_trouble(punkt));
            return false;
        }
        (void)punkt_drive(punkt, -1);
    }
    return bench->failed == 0;
}

int main(int argc, char **argv)
{
    struct bench bench = { .cards = 100 };
    if (argc < 5 || argc > 6 || !receipt_parse(argv[2], 1, 100000000, &bench.purchases) ||
        !receipt_parse(argv[3], 0, RECEIPT_LINES_MAX, &bench.lines) ||
        !receipt_parse(argv[4], 1, PUNKT_WINDOW_MAX, &bench.window) ||
        (argc == 6 && !receipt_parse(argv[5], 1, 10000, &bench.cards))) {
        (void)fputs("usage: bench_lines SERVER PURCHASES LINES WINDOW [CARDS]\n", stderr);
        return 2;
    }
    struct punkt_options options = { .size = sizeof(options),
                                     .server = argv[1],
                                     .timeout_ms = TIMEOUT_MS,
                                     .window = bench.window,
                                     .software = "bench_lines" };
    struct punkt *punkt;
    if (punkt_new(&options, &punkt) != PUNKT_CALL_DONE)
        return 1;
    bool fine = issue(punkt, &bench) && run(punkt, &bench);
    punkt_free(punkt);
    return fine ? 0 : 1;
}
