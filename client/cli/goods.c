#include "cli/goods.h"

#include <string.h>

#include "cli/fields.h"
#include "cli/parse.h"

#define PARTS_MAX 4    /* CODE:QUANTITY:AMOUNT:CATEGORY */
#define TENDERS_MAX 32 /* the protocol's limits */
#define COUPONS_MAX 32
#define WISHES_MAX 8
#define WORD_SIZE 160

/* A word of the command line cut at its colons. */
struct parts {
    char text[WORD_SIZE];
    char *part[PARTS_MAX];
    size_t count; /* 0: too many parts, or too long */
};

static void cut(const char *text, struct parts *out)
{
    char *rest = out->text;
    size_t size = strlen(text);
    out->count = 0;
    if (size >= sizeof(out->text))
        return;
    memcpy(out->text, text, size + 1);
    while (rest != NULL) {
        if (out->count == PARTS_MAX) {
            out->count = 0;
            return;
        }
        out->part[out->count++] = rest;
        rest = strchr(rest, ':');
        if (rest != NULL)
            *rest++ = '\0';
    }
}

static int read_amount(struct cli *cli, const char *text, int64_t *out_amount)
{
    if (parse_amount(text, cli->info.currency_exponent, out_amount))
        return CLI_OK;
    return cli_usage(cli, "\"%s\" is no amount in %s with %u decimals", text, cli->info.currency,
                     cli->info.currency_exponent);
}

static int read_quantity(struct cli *cli, const char *text, uint64_t *out_quantity)
{
    if (parse_quantity(text, out_quantity) && *out_quantity != 0)
        return CLI_OK;
    return cli_usage(cli, "\"%s\" is no quantity with up to three decimals", text);
}

static int read_code(struct cli *cli, const char *option, const char *text, struct wire_code *out)
{
    if (text[0] != '\0' && wire_code_from(text, strlen(text), out))
        return CLI_OK;
    return cli_usage(cli, "--%s: \"%s\" is not 1 to 32 bytes of text", option, text);
}

/* Puts a list into the request. */
static void set_list(struct request *request, const char *name, const void *elements, uint64_t count)
{
    const struct message_field *field = field_find(request->message, name);
    memcpy((char *)request->body + field->offset, &elements, sizeof(elements));
    memcpy((char *)request->body + field->count_offset, &count, sizeof(count));
}

/* CODE:QUANTITY:AMOUNT[:CATEGORY] */
static int read_line(struct cli *cli, const char *text, struct msg_line *line)
{
    struct parts parts;
    cut(text, &parts);
    message_init(MESSAGE_line, line);
    if (parts.count < 3)
        return cli_usage(cli, "--line is CODE:QUANTITY:AMOUNT[:CATEGORY], not \"%s\"", text);
    int exit_code = read_code(cli, "line", parts.part[0], &line->code);
    if (exit_code == CLI_OK)
        exit_code = read_quantity(cli, parts.part[1], &line->quantity);
    if (exit_code == CLI_OK)
        exit_code = read_amount(cli, parts.part[2], &line->amount);
    if (exit_code == CLI_OK && parts.count == 4 && parts.part[3][0] != '\0')
        exit_code = read_code(cli, "line", parts.part[3], &line->category);
    line->kind = line->amount < 0 ? PUNKT_LINE_DISCOUNT : PUNKT_LINE_SALE;
    return exit_code;
}

static int fill_lines(struct cli *cli, const struct args *args, struct request *request,
                      enum option_id option)
{
    uint64_t count = args_count(args, option);
    struct msg_line *lines = request_memory(cli, request, count, sizeof(*lines));
    if (lines == NULL)
        return CLI_FAILED;
    if (count > PUNKT_LINES_MAX)
        return cli_usage(cli, "at most %d lines", PUNKT_LINES_MAX);
    const char *text;
    uint64_t used = 0;
    int exit_code = CLI_OK;
    for (size_t i = 0; exit_code == CLI_OK && (text = args_next(args, option, &i)) != NULL;)
        exit_code = read_line(cli, text, &lines[used++]);
    set_list(request, "lines", lines, count);
    return exit_code;
}

/* KIND:AMOUNT */
static int read_tender(struct cli *cli, const char *text, struct msg_tender *tender)
{
    struct parts parts;
    cut(text, &parts);
    message_init(MESSAGE_tender, tender);
    if (parts.count != 2)
        return cli_usage(cli, "--tender is KIND:AMOUNT, not \"%s\"", text);
    int exit_code = read_code(cli, "tender", parts.part[0], &tender->kind);
    return exit_code == CLI_OK ? read_amount(cli, parts.part[1], &tender->amount) : exit_code;
}

static int fill_tenders(struct cli *cli, const struct args *args, struct request *request)
{
    uint64_t count = args_count(args, OPTION_TENDER);
    struct msg_tender *tenders = request_memory(cli, request, count, sizeof(*tenders));
    if (tenders == NULL)
        return CLI_FAILED;
    if (count > TENDERS_MAX)
        return cli_usage(cli, "at most %d tenders", TENDERS_MAX);
    const char *text;
    uint64_t used = 0;
    int exit_code = CLI_OK;
    for (size_t i = 0; exit_code == CLI_OK && (text = args_next(args, OPTION_TENDER, &i)) != NULL;)
        exit_code = read_tender(cli, text, &tenders[used++]);
    set_list(request, "tenders", tenders, count);
    return exit_code;
}

static int fill_coupons(struct cli *cli, const struct args *args, struct request *request)
{
    uint64_t count = args_count(args, OPTION_COUPON);
    struct msg_coupon *coupons = request_memory(cli, request, count, sizeof(*coupons));
    if (coupons == NULL)
        return CLI_FAILED;
    if (count > COUPONS_MAX)
        return cli_usage(cli, "at most %d coupons", COUPONS_MAX);
    const char *text;
    uint64_t used = 0;
    int exit_code = CLI_OK;
    for (size_t i = 0; exit_code == CLI_OK && (text = args_next(args, OPTION_COUPON, &i)) != NULL;)
        exit_code = read_code(cli, "coupon", text, &coupons[used++].code);
    set_list(request, "coupons", coupons, count);
    return exit_code;
}

static int read_points(struct cli *cli, const char *option, const char *text, int64_t *out_points)
{
    if (parse_points(text, cli->info.points_decimals, out_points) && *out_points > 0)
        return CLI_OK;
    return cli_usage(cli, "--%s: \"%s\" are no points with up to %u decimal%s", option, text,
                     cli->info.points_decimals, cli->info.points_decimals == 1 ? "" : "s");
}

/* NAME[:QUANTITY]; a name may have colons of its own, so only a number behind the last one counts. */
static int read_reward(struct cli *cli, const char *text, struct msg_wish *wish)
{
    char name[WORD_SIZE];
    const char *colon = strrchr(text, ':');
    size_t size = strlen(text);
    if (colon != NULL && parse_uint(colon + 1, 1, UINT32_MAX, &wish->quantity))
        size = (size_t)(colon - text);
    (void)snprintf(name, sizeof(name), "%.*s", (int)(size < sizeof(name) ? size : sizeof(name) - 1), text);
    return read_code(cli, "reward", name, &wish->reward);
}

/* HOLD[:POINTS] */
static int read_capture(struct cli *cli, const char *text, struct msg_wish *wish)
{
    struct parts parts;
    cut(text, &parts);
    if (parts.count < 1 || parts.count > 2 || !parse_uint(parts.part[0], 1, INT64_MAX, &wish->hold))
        return cli_usage(cli, "--capture is HOLD[:POINTS], not \"%s\"", text);
    return parts.count == 2 ? read_points(cli, "capture", parts.part[1], &wish->points) : CLI_OK;
}

static int read_wish(struct cli *cli, const struct option_given *given, struct msg_wish *wish)
{
    message_init(MESSAGE_wish, wish);
    if (given->option == OPTION_REDEEM)
        return read_points(cli, "redeem", given->value, &wish->points);
    return given->option == OPTION_REWARDS ? read_reward(cli, given->value, wish)
                                           : read_capture(cli, given->value, wish);
}

/* In the order they were typed: the answer tells what came of each in the same order. */
static int fill_wishes(struct cli *cli, const struct args *args, struct request *request)
{
    struct msg_wish *wishes = request_memory(cli, request, WISHES_MAX, sizeof(*wishes));
    uint64_t count = 0;
    int exit_code = wishes != NULL ? CLI_OK : CLI_FAILED;
    for (size_t i = 0; i < args->repeated_count && exit_code == CLI_OK; i++) {
        const struct option_given *given = &args->repeated[i];
        if (given->option != OPTION_REDEEM && given->option != OPTION_REWARDS &&
            given->option != OPTION_CAPTURE)
            continue;
        if (count == WISHES_MAX)
            return cli_usage(cli, "at most %d redemptions and captures", WISHES_MAX);
        exit_code = read_wish(cli, given, &wishes[count++]);
    }
    set_list(request, "wishes", wishes, count);
    return exit_code;
}

int goods_fill_receipt(struct cli *cli, const struct args *args, struct request *request)
{
    int exit_code = fill_lines(cli, args, request, OPTION_LINE);
    if (exit_code == CLI_OK)
        exit_code = fill_tenders(cli, args, request);
    if (exit_code == CLI_OK)
        exit_code = fill_coupons(cli, args, request);
    return exit_code == CLI_OK ? fill_wishes(cli, args, request) : exit_code;
}

int goods_fill_unlinked(struct cli *cli, const struct args *args, struct request *request)
{
    return fill_lines(cli, args, request, OPTION_RETURN_LINE);
}

/* CODE[:QUANTITY] or #N[:QUANTITY]: what it cost is known from the sale. */
static int read_return_line(struct cli *cli, const char *text, struct msg_return_line *line)
{
    struct parts parts;
    cut(text, &parts);
    message_init(MESSAGE_return_line, line);
    if (parts.count < 1 || parts.count > 2)
        return cli_usage(cli, "--line of a known sale is CODE[:QUANTITY] or #N[:QUANTITY], not \"%s\"", text);
    int exit_code = CLI_OK;
    if (parts.part[0][0] != '#')
        exit_code = read_code(cli, "line", parts.part[0], &line->code);
    else if (!parse_uint(parts.part[0] + 1, 1, PUNKT_LINES_MAX, &line->number))
        exit_code = cli_usage(cli, "\"%s\" is no line from #1 to #%d", parts.part[0], PUNKT_LINES_MAX);
    return exit_code == CLI_OK && parts.count == 2 ? read_quantity(cli, parts.part[1], &line->quantity)
                                                   : exit_code;
}

int goods_fill_return(struct cli *cli, const struct args *args, struct request *request)
{
    uint64_t count = args_count(args, OPTION_RETURN_LINE);
    struct msg_return_line *lines = request_memory(cli, request, count, sizeof(*lines));
    if (lines == NULL)
        return CLI_FAILED;
    if (count > PUNKT_LINES_MAX)
        return cli_usage(cli, "at most %d lines", PUNKT_LINES_MAX);
    const char *text;
    uint64_t used = 0;
    int exit_code = CLI_OK;
    for (size_t i = 0; exit_code == CLI_OK && (text = args_next(args, OPTION_RETURN_LINE, &i)) != NULL;)
        exit_code = read_return_line(cli, text, &lines[used++]);
    set_list(request, "lines", lines, count);
    return exit_code;
}
