/*
 * The back office: adjustments, bonuses, debt written off, awards moved.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/request.h"
#include "proto/card.h"

#define WHERE_SIZE 256 /* of a file's name, which is cut, and a line */

/* The cards of a bonus, in their order. */
struct cards {
    struct wire_code *numbers;
    size_t count, capacity;
};

/* where: what a message begins with, such as the file and line it is from; "" for none. */
static int cards_add(struct cli *cli, struct cards *cards, const char *text, size_t size, const char *where)
{
    if (cards->count == cards->capacity) {
        size_t capacity = cards->capacity > 0 ? cards->capacity * 2 : 64;
        struct wire_code *numbers = realloc(cards->numbers, capacity * sizeof(*numbers));
        if (numbers == NULL)
            return cli_error(cli, CLI_FAILED, "no_memory", "out of memory");
        cards->numbers = numbers;
        cards->capacity = capacity;
    }
    if (!card_number_from_scan(text, size, &cards->numbers[cards->count]))
        return cli_usage(cli, "%s\"%.*s\" is no card number", where, (int)(size < 64 ? size : 64), text);
    cards->count++;
    return CLI_OK;
}

/* A card a line, and whatever follows a comma is not looked at: what `card issue --csv` has written will do. */
static int cards_read(struct cli *cli, struct cards *cards, FILE *file, const char *name)
{
    char *line = NULL;
    size_t capacity = 0;
    int exit_code = CLI_OK;
    for (unsigned number = 1; exit_code == CLI_OK && getline(&line, &capacity, file) >= 0; number++) {
        size_t size = strcspn(line, ",\r\n");
        bool heading = number == 1 && size == strlen("card") && strncmp(line, "card", size) == 0;
        char where[WHERE_SIZE];
        (void)snprintf(where, sizeof(where), "%.200s:%u: ", name, number);
        if (size > 0 && !heading)
            exit_code = cards_add(cli, cards, line, size, where);
    }
    free(line);
    return exit_code;
}

static int cards_from_file(struct cli *cli, struct cards *cards, const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (file == NULL)
        return cli_error(cli, CLI_FAILED, "bad_file", "cannot read %s: %s", path, strerror(errno));
    int exit_code = cards_read(cli, cards, file, file == stdin ? "stdin" : path);
    if (exit_code == CLI_OK && ferror(file))
        exit_code = cli_error(cli, CLI_FAILED, "bad_file", "cannot read %s: %s", path, strerror(errno));
    if (file != stdin)
        (void)fclose(file);
    return exit_code;
}

static int cards_take(struct cli *cli, const struct args *args, struct cards *cards)
{
    int exit_code = CLI_OK;
    for (size_t i = 1; exit_code == CLI_OK && i < args->positional_count; i++)
        exit_code = cards_add(cli, cards, args->positional[i], strlen(args->positional[i]), "");
    if (exit_code == CLI_OK && args->value[OPTION_CARDS_FILE] != NULL)
        exit_code = cards_from_file(cli, cards, args->value[OPTION_CARDS_FILE]);
    if (exit_code == CLI_OK && cards->count == 0)
        exit_code = cli_usage(cli, "which cards?");
    return exit_code;
}

/* One of several that was refused for good: which, and why; the others go on. */
static int tell_refusal(struct cli *cli, const struct wire_code *card, const struct punkt_answer *answer)
{
    return cli_error(cli, punkt_result_exit_code(answer->code), answer->name, "%.*s: %s%s%s", (int)card->size,
                     card->bytes, answer->text, answer->detail[0] != '\0' ? ": " : "", answer->detail);
}

/* A bonus for each card. Only a refusal that is final leaves its number used, so that the list may go on. */
static int give(struct cli *cli, struct request *request, const struct cards *cards)
{
    struct msg_bonus_request *body = request->body;
    int exit_code = CLI_OK;
    cli->first_number = punkt_next_number(cli->punkt);
    for (size_t i = 0; i < cards->count; i++) {
        struct reply reply;
        body->card = cards->numbers[i];
        int ended = request_send(cli, request, &reply);
        bool refused = ended == CLI_OK && reply.head.call == PUNKT_CALL_REFUSED && !reply.head.retryable;
        if (refused && cards->count > 1)
            ended = tell_refusal(cli, &body->card, &reply.head);
        else if (ended == CLI_OK)
            ended = reply_finish(cli, &reply, request);
        reply_done(&reply);
        if (exit_code == CLI_OK)
            exit_code = ended;
        if (ended != CLI_OK && !refused)
            return ended;
    }
    return exit_code;
}

static int bonus_run(struct cli *cli, const struct args *args)
{
    struct cards cards = { .numbers = NULL };
    struct request request = { .body = NULL };
    int exit_code = cards_take(cli, args, &cards);
    if (exit_code == CLI_OK)
        exit_code = request_begin(cli, args, OPERATION_BONUS, &request);
    if (exit_code == CLI_OK)
        exit_code = give(cli, &request, &cards);
    request_done(&request);
    free(cards.numbers);
    return exit_code;
}

static int award_move_check(struct cli *cli, const struct args *args)
{
    bool receipt = args->value[OPTION_SALE_RECEIPT] != NULL;
    if (receipt == (args->value[OPTION_EVENT] != NULL))
        return cli_usage(cli, "--receipt or --event says which purchase");
    return CLI_OK;
}

const struct command office_commands[] = {
    {
        .name = "adjust",
        .summary = "Adds or takes points, with a reason.",
        .usage = "CARD --reason R -- POINTS",
        .examples = { "punkt adjust 2900000000018 --reason goodwill -- 50",
                      "punkt adjust 2900000000018 --reason goodwill --note \"wrong card\" -- -10" },
        .options = { OPTION_REASON, OPTION_NOTE, OPTION_ALLOW_DEBT, OPTION_OPERATOR },
        .needs = { OPTION_REASON },
        .words_min = 2,
        .words_max = 2,
        .change = true,
        .operation = PUNKT_OPERATION_ADJUST,
        .words = { "card", "points" },
    },
    {
        .name = "bonus",
        .summary = "Gives points without a purchase, to one card or many.",
        .usage = "POINTS CARD... --reason R",
        .examples = { "punkt bonus 100 2900000000018 --reason campaign",
                      "punkt bonus 100 --cards cards.csv --reason campaign" },
        .options = { OPTION_REASON, OPTION_NOTE, OPTION_CARDS_FILE, OPTION_OPERATOR },
        .needs = { OPTION_REASON },
        .words_min = 1,
        .words_max = WORDS_ANY,
        .change = true,
        .operation = PUNKT_OPERATION_BONUS,
        .words = { "points" },
        .run = bonus_run,
    },
    {
        .name = "write-off",
        .summary = "Forgives debt: all of it, or so many points.",
        .usage = "CARD [POINTS] --reason R",
        .examples = { "punkt write-off 2900000000018 --reason goodwill",
                      "punkt write-off 2900000000018 20 --reason goodwill" },
        .options = { OPTION_REASON, OPTION_NOTE, OPTION_OPERATOR },
        .needs = { OPTION_REASON },
        .words_min = 1,
        .words_max = 2,
        .change = true,
        .operation = PUNKT_OPERATION_WRITE_OFF,
        .words = { "card", "points" },
    },
    {
        .name = "award move",
        .summary = "Moves the award of a purchase from the wrong account to that of this card.",
        .usage = "TO_CARD --receipt R | TO_CARD --event POSITION",
        .examples = { "punkt award move 2900000000018 --receipt R1",
                      "punkt award move 2900000000018 --receipt 0815 --store 12 --till 3 --date 2026-01-31",
                      "punkt award move 2900000000018 --event 4711" },
        .options = { OPTION_SALE_RECEIPT, OPTION_STORE, OPTION_TILL, OPTION_SALE_DATE, OPTION_EVENT,
                     OPTION_WHY, OPTION_OPERATOR },
        .words_min = 1,
        .words_max = 1,
        .change = true,
        .operation = PUNKT_OPERATION_AWARD_MOVE,
        .words = { "card" },
        .check = award_move_check,
    },
    { .name = NULL },
};
