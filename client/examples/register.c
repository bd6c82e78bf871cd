/* What the registers of this folder do: submit, print, and nothing that waits. */
#include "register.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DECIMALS 2     /* of an amount in euros */
#define PAPER_WIDTH 40 /* columns of the paper */

/* An operation under way: what its callbacks get, and the last of them frees. */
struct job {
    char card[PUNKT_CARD_MAX + 1];
    char receipt[33];
};

/* Why something was not done, as people should read it. */
static void print_other(const char *what, const struct punkt_answer *answer)
{
    printf("%s: %s: %s%s%s\n", what, answer->name, answer->text, answer->detail[0] != '\0' ? ": " : "",
           answer->detail);
}

static void on_sold(struct punkt *punkt, const struct punkt_answer *head, void *ctx)
{
    const struct punkt_purchase_answer *answer = (const struct punkt_purchase_answer *)head;
    struct job *job = ctx;
    (void)punkt;
    for (size_t i = 0; i < answer->text_count; i++) /* for the receipt, as the programme words it */
        printf("%s\n", answer->text[i]);
    if (head->call == PUNKT_CALL_DONE)
        printf("%s: earned %lld, available %lld\n", job->receipt, (long long)answer->earned,
               (long long)answer->available);
    else if (head->call == PUNKT_CALL_QUEUED) /* it will be booked: print that points follow */
        printf("%s: queued\n", job->receipt);
    else /* without points: print that */
        print_other(job->receipt, head);
    free(job);
}

static void on_cancelled(struct punkt *punkt, const struct punkt_answer *head, void *ctx)
{
    (void)punkt;
    if (head->call == PUNKT_CALL_DONE || head->call == PUNKT_CALL_QUEUED)
        printf("redeem: cancelled\n");
    else
        print_other("redeem", head);
    free(ctx);
}

/* Points are spent on DONE only. If that cannot be known now nobody waits for it: it is undone. */
static void on_redeemed(struct punkt *punkt, const struct punkt_answer *head, void *ctx)
{
    const struct punkt_redeem_answer *answer = (const struct punkt_redeem_answer *)head;
    char worth[32];
    if (head->call == PUNKT_CALL_QUEUED &&
        punkt_submit_cancel(punkt, head->epoch, head->number, on_cancelled, ctx) == PUNKT_CALL_DONE)
        return;
    (void)punkt_decimal_format(answer->worth, DECIMALS, worth, sizeof(worth));
    if (head->call == PUNKT_CALL_DONE)
        printf("redeem: %lld points, %s off\n", (long long)answer->redeemed, worth);
    else
        print_other("redeem", head);
    free(ctx);
}

static void on_balance(struct punkt *punkt, const struct punkt_answer *head, void *ctx)
{
    const struct punkt_card_show_answer *answer = (const struct punkt_card_show_answer *)head;
    struct job *job = ctx;
    (void)punkt;
    if (head->call == PUNKT_CALL_DONE)
        printf("%s: available %lld, queued %llu\n", job->card, (long long)answer->available,
               (unsigned long long)head->queued);
    else
        print_other(job->card, head);
    free(job);
}

static void on_closed(struct punkt *punkt, const struct punkt_answer *head, void *ctx)
{
    const struct punkt_close_day_answer *answer = (const struct punkt_close_day_answer *)head;
    char report[8192];
    if (head->call == PUNKT_CALL_DONE) {
        printf("close: %s\n", punkt_close_state_name(answer->state));
        if (punkt_close_report(punkt, answer, PAPER_WIDTH, report, sizeof(report)) < sizeof(report))
            printf("%s", report);
    } else {
        print_other("close", head);
    }
    free(ctx);
}

/* PUNKT_CALL_INVALID: also of a line that cannot be read. */
static enum punkt_call submit(struct punkt *punkt, const char *line, struct job *job)
{
    char figure[33];
    struct punkt_purchase_request sale = { .size = sizeof(sale), .card = job->card, .receipt = job->receipt };
    struct punkt_redeem_request redeem = { .size = sizeof(redeem), .card = job->card };
    struct punkt_card_show_request show = { .size = sizeof(show), .card = job->card };
    struct punkt_close_day_request close = { .size = sizeof(close) };
    if (sscanf(line, "sell %32s %32s %32s", job->card, job->receipt, figure) == 3 &&
        punkt_decimal_parse(figure, DECIMALS, &sale.amount))
        return punkt_submit_purchase(punkt, &sale, on_sold, job);
    if (sscanf(line, "redeem %32s %32s", job->card, figure) == 2 &&
        punkt_decimal_parse(figure, 0, &redeem.points))
        return punkt_submit_redeem(punkt, &redeem, on_redeemed, job);
    if (sscanf(line, "balance %32s", job->card) == 1)
        return punkt_submit_card_show(punkt, &show, on_balance, job);
    if (strncmp(line, "close", 5) == 0)
        return punkt_submit_close_day(punkt, &close, on_closed, job);
    return PUNKT_CALL_INVALID;
}

bool register_submit(struct punkt *punkt, const char *line)
{
    struct job *job = calloc(1, sizeof(*job));
    if (job == NULL)
        return false;
    enum punkt_call call = submit(punkt, line, job);
    if (call == PUNKT_CALL_DONE)
        return true;
    printf("%s: %s %s\n", line, punkt_call_name(call), punkt_trouble(punkt));
    free(job);
    return call != PUNKT_CALL_NO_MEMORY;
}

void register_show_link(const struct punkt *punkt, char shown[64])
{
    char now[64];
    struct punkt_outbox_info outbox = PUNKT_INIT(outbox);
    punkt_outbox_info(punkt, &outbox);
    (void)snprintf(now, sizeof(now), "link %s, queued %llu", punkt_link_state_name(punkt_link_state(punkt)),
                   (unsigned long long)outbox.queued);
    if (strcmp(now, shown) != 0)
        printf("%s\n", now);
    memcpy(shown, now, sizeof(now));
}

/* A queued operation has its answer. */
static void on_settled(struct punkt *punkt, const struct punkt_answer *head, void *ctx)
{
    (void)punkt;
    (void)ctx;
    if (head->call == PUNKT_CALL_DONE && head->operation == PUNKT_OPERATION_PURCHASE)
        printf("settled: earned %lld\n", (long long)((const struct punkt_purchase_answer *)head)->earned);
    else
        print_other("settled", head);
}

static void on_alarm(struct punkt *punkt, enum punkt_alarm alarm, const char *text, void *ctx)
{
    (void)punkt;
    (void)ctx;
    printf("alarm %d: %s\n", (int)alarm, text);
}

struct punkt *register_open(int argc, char **argv)
{
    struct punkt *punkt;
    struct punkt_options options = PUNKT_INIT(options);
    if (argc != 5) {
        fprintf(stderr, "usage: %s SERVER STORE TILL OUTBOX\n", argv[0]);
        return NULL;
    }
    options.server = argv[1];
    options.store = argv[2];
    options.till = argv[3];
    options.outbox = argv[4];
    options.software = "register";
    options.receipt_width = PAPER_WIDTH;
    options.on_settled = on_settled;
    options.on_alarm = on_alarm;
    if (punkt_new(&options, &punkt) != PUNKT_CALL_DONE)
        fprintf(stderr, "no handle: is the server's address right, and does nobody else use the outbox?\n");
    return punkt;
}
