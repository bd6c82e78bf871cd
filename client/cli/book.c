/*
 * The commands that change what a card has: purchase, return, redeem, adjust. A command without --time
 * sends none, so that its repetition under --retry is the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/parse.h"

#define PARTS_MAX 4    /* CODE:QUANTITY:AMOUNT:CATEGORY */
#define TENDERS_MAX 32 /* the protocol's limits */
#define COUPONS_MAX 32

/* What the options say about a receipt or a return; texts borrowed, arrays its own. */
struct goods {
    int64_t amount;
    int64_t time_us;
    int32_t date;
    struct punkt_line *lines;
    size_t line_count;
    struct punkt_return_line *return_lines;
    size_t return_line_count;
    struct punkt_tender tenders[TENDERS_MAX];
    size_t tender_count;
    const char *coupons[COUPONS_MAX];
    size_t coupon_count;
    char *texts; /* the words of --line and --tender, cut into parts */
    size_t texts_used;
};

static void goods_done(struct goods *goods)
{
    free(goods->lines);
    free(goods->return_lines);
    free(goods->texts);
}

/* Room for all that is repeated. */
static bool goods_init(struct goods *goods, const struct args *args)
{
    size_t size = 1;
    memset(goods, 0, sizeof(*goods));
    for (size_t i = 0; i < args->repeated_count; i++)
        size += strlen(args->repeated[i].value) + 1;
    goods->texts = malloc(size);
    goods->lines = calloc(args->repeated_count + 1, sizeof(*goods->lines));
    goods->return_lines = calloc(args->repeated_count + 1, sizeof(*goods->return_lines));
    return goods->texts != NULL && goods->lines != NULL && goods->return_lines != NULL;
}

/* Cuts a copy of text at its colons. The number of parts, 0 if there are too many. */
static size_t cut(struct goods *goods, const char *text, char *out_parts[PARTS_MAX])
{
    size_t count = 0;
    char *rest = goods->texts + goods->texts_used;
    size_t size = strlen(text) + 1;
    memcpy(rest, text, size);
    goods->texts_used += size;
    while (rest != NULL) {
        if (count == PARTS_MAX)
            return 0;
        out_parts[count++] = rest;
        rest = strchr(rest, ':');
        if (rest != NULL)
            *rest++ = '\0';
    }
    return count;
}

static int read_amount(struct cli *cli, const char *text, int64_t *out_amount)
{
    if (parse_amount(text, cli->info.currency_exponent, out_amount))
        return CLI_OK;
    return cli_usage(cli, "\"%s\" is no amount in %s with %u decimals", text, cli->info.currency,
                     cli->info.currency_exponent);
}

static int read_time(struct cli *cli, const struct args *args, int64_t *out_time_us)
{
    const char *text = args->value[OPTION_TIME];
    uint64_t time_us;
    if (text == NULL)
        return CLI_OK;
    int exit_code = cli_need_zone(cli);
    if (exit_code != CLI_OK)
        return exit_code;
    if (!parse_time(text, &time_us, NULL))
        return cli_usage(cli, "\"%s\" is no time such as 2026-01-31T17:45:00+01:00", text);
    *out_time_us = (int64_t)time_us;
    return CLI_OK;
}

static int read_date(struct cli *cli, const char *text, int32_t *out_date)
{
    uint64_t day;
    if (text == NULL)
        return CLI_OK;
    if (!parse_day(text, &day))
        return cli_usage(cli, "\"%s\" is no date such as 2026-01-31", text);
    *out_date = (int32_t)day;
    return CLI_OK;
}

/* CODE:QUANTITY:AMOUNT[:CATEGORY] */
static int read_line(struct cli *cli, struct goods *goods, const char *text)
{
    char *parts[PARTS_MAX];
    size_t count = cut(goods, text, parts);
    struct punkt_line *line = &goods->lines[goods->line_count];
    if (count < 3)
        return cli_usage(cli, "--line is CODE:QUANTITY:AMOUNT[:CATEGORY], not \"%s\"", text);
    *line = (struct punkt_line){ .size = sizeof(*line),
                                 .code = parts[0],
                                 .category = count == 4 ? parts[3] : NULL };
    if (!parse_quantity(parts[1], &line->quantity) || line->quantity == 0)
        return cli_usage(cli, "\"%s\" is no quantity with up to three decimals", parts[1]);
    int exit_code = read_amount(cli, parts[2], &line->amount);
    if (exit_code != CLI_OK)
        return exit_code;
    line->kind = line->amount < 0 ? PUNKT_LINE_DISCOUNT : PUNKT_LINE_SALE;
    goods->line_count++;
    return CLI_OK;
}

static int read_lines(struct cli *cli, struct goods *goods, const struct args *args, enum option_id option)
{
    int exit_code = CLI_OK;
    const char *text;
    for (size_t i = 0; exit_code == CLI_OK && (text = args_next(args, option, &i)) != NULL;)
        exit_code = read_line(cli, goods, text);
    return exit_code;
}

/* CODE[:QUANTITY] or #N[:QUANTITY]: what it cost is known from the sale. */
static int read_return_line(struct cli *cli, struct goods *goods, const char *text)
{
    char *parts[PARTS_MAX];
    size_t count = cut(goods, text, parts);
    struct punkt_return_line *line = &goods->return_lines[goods->return_line_count++];
    uint64_t number = 0;
    if (count < 1 || count > 2)
        return cli_usage(cli, "--line of a known sale is CODE[:QUANTITY] or #N[:QUANTITY], not \"%s\"", text);
    *line = (struct punkt_return_line){ .size = sizeof(*line), .code = parts[0] };
    if (parts[0][0] == '#') {
        if (!parse_uint(parts[0] + 1, 1, PUNKT_LINES_MAX, &number))
            return cli_usage(cli, "\"%s\" is no line from #1 to #%d", parts[0], PUNKT_LINES_MAX);
        line->number = (uint32_t)number;
        line->code = NULL;
    }
    if (count == 2 && (!parse_quantity(parts[1], &line->quantity) || line->quantity == 0))
        return cli_usage(cli, "\"%s\" is no quantity with up to three decimals", parts[1]);
    return CLI_OK;
}

static int read_return_lines(struct cli *cli, struct goods *goods, const struct args *args)
{
    int exit_code = CLI_OK;
    const char *text;
    for (size_t i = 0; exit_code == CLI_OK && (text = args_next(args, OPTION_RETURN_LINE, &i)) != NULL;)
        exit_code = read_return_line(cli, goods, text);
    return exit_code;
}

static int read_tenders(struct cli *cli, struct goods *goods, const struct args *args)
{
    const char *text;
    for (size_t i = 0; (text = args_next(args, OPTION_TENDER, &i)) != NULL;) {
        char *parts[PARTS_MAX];
        if (goods->tender_count == TENDERS_MAX)
            return cli_usage(cli, "at most %d tenders", TENDERS_MAX);
        struct punkt_tender *tender = &goods->tenders[goods->tender_count++];
        if (cut(goods, text, parts) != 2)
            return cli_usage(cli, "--tender is KIND:AMOUNT, not \"%s\"", text);
        *tender = (struct punkt_tender){ .size = sizeof(*tender), .kind = parts[0] };
        int exit_code = read_amount(cli, parts[1], &tender->amount);
        if (exit_code != CLI_OK)
            return exit_code;
    }
    return CLI_OK;
}

static int read_coupons(struct cli *cli, struct goods *goods, const struct args *args)
{
    const char *text;
    for (size_t i = 0; (text = args_next(args, OPTION_COUPON, &i)) != NULL;) {
        if (goods->coupon_count == COUPONS_MAX)
            return cli_usage(cli, "at most %d coupons", COUPONS_MAX);
        goods->coupons[goods->coupon_count++] = text;
    }
    return CLI_OK;
}

static int read_purchase(struct cli *cli, struct goods *goods, const struct args *args)
{
    int exit_code = read_amount(cli, args->positional[1], &goods->amount);
    if (exit_code == CLI_OK && goods->amount < 0)
        exit_code = cli_usage(cli, "a purchase is not negative; goods that come back are a return");
    if (exit_code == CLI_OK)
        exit_code = read_time(cli, args, &goods->time_us);
    if (exit_code == CLI_OK)
        exit_code = read_date(cli, args->value[OPTION_DATE], &goods->date);
    if (exit_code == CLI_OK)
        exit_code = read_lines(cli, goods, args, OPTION_LINE);
    if (exit_code == CLI_OK)
        exit_code = read_tenders(cli, goods, args);
    return exit_code == CLI_OK ? read_coupons(cli, goods, args) : exit_code;
}

int purchase_run(struct cli *cli, const struct args *args)
{
    struct goods goods;
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    int exit_code = goods_init(&goods, args) ? cli_connect(cli, 1)
                                             : cli_error(cli, CLI_FAILED, "no_memory", "out of memory");
    if (exit_code == CLI_OK)
        exit_code = read_purchase(cli, &goods, args);
    if (exit_code == CLI_OK) {
        struct punkt_purchase_request request = {
            .size = sizeof(request),
            .card = args->positional[0],
            .amount = goods.amount,
            .time_us = goods.time_us,
            .store = args->value[OPTION_STORE],
            .till = args->value[OPTION_TILL],
            .receipt = args->value[OPTION_RECEIPT],
            .business_date = goods.date,
            .operator_ = args->value[OPTION_OPERATOR],
            .lines = goods.lines,
            .line_count = goods.line_count,
            .tenders = goods.tenders,
            .tender_count = goods.tender_count,
            .coupons = goods.coupons,
            .coupon_count = goods.coupon_count,
        };
        (void)punkt_purchase(cli->punkt, &request, &answer);
        exit_code = cli_finish(cli, &answer.head, request.card);
    }
    goods_done(&goods);
    return exit_code;
}

static int return_unlinked(struct cli *cli, struct goods *goods, const struct args *args)
{
    struct punkt_return_answer answer = PUNKT_ANSWER_INIT(answer);
    int exit_code = read_amount(cli, args->value[OPTION_UNLINKED], &goods->amount);
    if (exit_code == CLI_OK)
        exit_code = read_lines(cli, goods, args, OPTION_RETURN_LINE);
    if (exit_code != CLI_OK)
        return exit_code;
    if (goods->amount < 0)
        return cli_usage(cli, "what comes back is worth zero or more");
    struct punkt_unlinked_return_request request = {
        .size = sizeof(request),
        .card = args->positional[0],
        .amount = goods->amount,
        .time_us = goods->time_us,
        .store = args->value[OPTION_STORE],
        .till = args->value[OPTION_TILL],
        .document = args->value[OPTION_DOCUMENT],
        .operator_ = args->value[OPTION_OPERATOR],
        .lines = goods->lines,
        .line_count = goods->line_count,
    };
    (void)punkt_unlinked_return(cli->punkt, &request, &answer);
    return cli_finish(cli, &answer.head, request.card);
}

static int return_linked(struct cli *cli, struct goods *goods, const struct args *args)
{
    struct punkt_return_answer answer = PUNKT_ANSWER_INIT(answer);
    int exit_code = read_date(cli, args->value[OPTION_SALE_DATE], &goods->date);
    if (exit_code == CLI_OK && args->value[OPTION_AMOUNT] != NULL)
        exit_code = read_amount(cli, args->value[OPTION_AMOUNT], &goods->amount);
    if (exit_code == CLI_OK)
        exit_code = read_return_lines(cli, goods, args);
    if (exit_code != CLI_OK)
        return exit_code;
    if (goods->amount < 0)
        return cli_usage(cli, "what comes back is worth zero or more");
    struct punkt_return_request request = {
        .size = sizeof(request),
        .card = args->positional[0],
        .amount = goods->amount,
        .time_us = goods->time_us,
        .store = args->value[OPTION_STORE],
        .till = args->value[OPTION_TILL],
        .sale_store = args->value[OPTION_SALE_STORE],
        .sale_till = args->value[OPTION_SALE_TILL],
        .sale_date = goods->date,
        .sale_receipt = args->value[OPTION_SALE_RECEIPT],
        .document = args->value[OPTION_DOCUMENT],
        .operator_ = args->value[OPTION_OPERATOR],
        .lines = goods->return_lines,
        .line_count = goods->return_line_count,
    };
    (void)punkt_return(cli->punkt, &request, &answer);
    return cli_finish(cli, &answer.head, request.card);
}

/* A return is of a known sale, with an amount or with lines, or it is unlinked; never two of these. */
static int check_return(struct cli *cli, const struct args *args)
{
    bool unlinked = args->value[OPTION_UNLINKED] != NULL;
    bool amount = args->value[OPTION_AMOUNT] != NULL;
    bool lines = args_count(args, OPTION_RETURN_LINE) > 0;
    if (unlinked == (args->value[OPTION_SALE_RECEIPT] != NULL))
        return cli_usage(cli, "a return needs --receipt of its sale, or --unlinked AMOUNT");
    if (unlinked && (amount || args->value[OPTION_SALE_DATE] != NULL ||
                     args->value[OPTION_SALE_STORE] != NULL || args->value[OPTION_SALE_TILL] != NULL))
        return cli_usage(
            cli, "--unlinked has no sale, so --amount, --date, --sale-store and --sale-till mean nothing");
    if (!unlinked && amount == lines)
        return cli_usage(cli, "a return of a sale needs --amount, or --line for each line that comes back");
    return CLI_OK;
}

int return_run(struct cli *cli, const struct args *args)
{
    struct goods goods;
    int exit_code = check_return(cli, args);
    if (exit_code != CLI_OK)
        return exit_code;
    exit_code = goods_init(&goods, args) ? cli_connect(cli, 1)
                                         : cli_error(cli, CLI_FAILED, "no_memory", "out of memory");
    if (exit_code == CLI_OK)
        exit_code = read_time(cli, args, &goods.time_us);
    if (exit_code == CLI_OK)
        exit_code = args->value[OPTION_UNLINKED] != NULL ? return_unlinked(cli, &goods, args)
                                                         : return_linked(cli, &goods, args);
    goods_done(&goods);
    return exit_code;
}

static int read_points(struct cli *cli, const char *text, int64_t *out_points)
{
    if (parse_points(text, cli->info.points_decimals, out_points))
        return CLI_OK;
    return cli_usage(cli, "\"%s\" are no points with up to %u decimals", text, cli->info.points_decimals);
}

int redeem_run(struct cli *cli, const struct args *args)
{
    struct punkt_redeem_request request = {
        .size = sizeof(request),
        .card = args->positional[0],
        .store = args->value[OPTION_STORE],
        .till = args->value[OPTION_TILL],
        .operator_ = args->value[OPTION_OPERATOR],
    };
    struct punkt_redeem_answer answer = PUNKT_ANSWER_INIT(answer);
    int exit_code = cli_connect(cli, 1);
    if (exit_code == CLI_OK)
        exit_code = read_points(cli, args->positional[1], &request.points);
    if (exit_code == CLI_OK && request.points <= 0)
        exit_code = cli_usage(cli, "there must be something to redeem");
    if (exit_code == CLI_OK)
        exit_code = read_time(cli, args, &request.time_us);
    if (exit_code != CLI_OK)
        return exit_code;
    (void)punkt_redeem(cli->punkt, &request, &answer);
    return cli_finish(cli, &answer.head, request.card);
}

int adjust_run(struct cli *cli, const struct args *args)
{
    struct punkt_adjust_request request = {
        .size = sizeof(request),
        .card = args->positional[0],
        .reason = args->value[OPTION_REASON],
        .note = args->value[OPTION_NOTE],
        .allow_debt = args->value[OPTION_ALLOW_DEBT] != NULL,
        .operator_ = args->value[OPTION_OPERATOR],
    };
    struct punkt_adjust_answer answer = PUNKT_ANSWER_INIT(answer);
    if (request.reason == NULL)
        return cli_usage(cli, "an adjustment needs a --reason");
    int exit_code = cli_connect(cli, 1);
    if (exit_code == CLI_OK)
        exit_code = read_points(cli, args->positional[1], &request.points);
    if (exit_code == CLI_OK && request.points == 0)
        exit_code = cli_usage(cli, "there must be something to adjust");
    if (exit_code != CLI_OK)
        return exit_code;
    (void)punkt_adjust(cli->punkt, &request, &answer);
    return cli_finish(cli, &answer.head, request.card);
}
