/*
 * What can be typed at the register: the table of words, their help, and how a line becomes a call.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/parse.h"
#include "cli/till.h"

static till_word_fn do_help, do_quit, do_close, do_connect, do_try;

static const struct till_word {
    const char *name; /* one word or two */
    const char *usage;
    const char *help;
    const char *second; /* words that may follow, with blanks between; "" */
    size_t least, most; /* words behind the name */
    till_word_fn *run;
} table[] = {
    { "card", "card 2900000000018",
      "whose receipt it is; what a stripe reader types is taken, none takes it off", "none", 1, 1,
      till_card },
    { "balance", "balance", "what the card has, or another card", "", 0, 1, till_balance },
    { "add", "add MILK 1.50 x 4 category organic",
      "a line: article and price, quantity, category, deposit; below zero it is a discount", "", 2, 7,
      till_add },
    { "remove", "remove 2", "takes a line off", "", 1, 1, till_remove },
    { "coupon", "coupon SPRING", "a coupon that was scanned", "", 1, 1, till_coupon },
    { "show", "show", "the receipt so far", "", 0, 0, till_show },
    { "quote", "quote", "what it would earn and cost", "", 0, 0, till_quote },
    { "redeem", "redeem 100",
      "points, or a reward (\"shopping bag\"), to be spent on the receipt, or at once if it is empty; off",
      "off", 1, 1, till_redeem },
    { "hold", "hold 100", "sets points or a reward aside", "", 1, 1, till_hold },
    { "capture", "capture 4711",
      "spends what a hold has set aside, on the receipt, or at once if it is empty", "", 1, 2, till_capture },
    { "release", "release 4711", "gives it back", "", 1, 1, till_release },
    { "pay", "pay cash 20.00", "pays, all of it or in part, in cash unless said; then books and prints",
      "cash card voucher", 0, 2, till_pay },
    { "void", "void", "undoes the last receipt", "", 0, 0, till_void },
    { "clear", "clear", "begins the receipt anew", "", 0, 0, till_clear },
    { "take back", "take back 17 2 1", "goods of a receipt: all, a line by number or article, so many of it",
      "", 1, 3, till_take_back },
    { "status", "status", "how link, server and outbox are", "", 0, 0, till_status },
    { "queue", "queue", "what waits for the server", "", 0, 0, till_queue },
    { "offline", "offline on", "pulls the plug, or puts it back", "on off", 1, 1, till_offline },
    { "connect", "connect", "tries to reach the server now", "", 0, 0, do_connect },
    { "drain", "drain", "waits until nothing waits any more", "", 0, 0, till_drain },
    { "dead", "dead", "what can never be booked, and why", "", 0, 0, till_dead },
    { "discard", "discard 9f86d081884c7d65:3", "takes one off that list", "", 1, 1, till_discard },
    { "close", "close", "closes the day, or a day, and prints its report", "", 0, 1, do_close },
    { "try", "try redeem 5000", "does the rest of the line; a script goes on if it fails", "", 1,
      TILL_WORDS_MAX, do_try },
    { "help", "help", "prints this", "", 0, 1, do_help },
    { "quit", "quit", "ends", "", 0, 0, do_quit },
};

#define TABLE_COUNT (sizeof(table) / sizeof(table[0]))

/* --- saying --- */

__attribute__((format(printf, 2, 0))) static void say(struct till *till, const char *format, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, format, args) < 0)
        return;
    if (till->edit != NULL)
        till_edit_say(till, text);
    else
        (void)fputs(text, till->cli->out);
    free(text);
}

void till_say(struct till *till, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(till, format, args);
    va_end(args);
}

int till_fail(struct till *till, int exit_code, const char *format, ...)
{
    va_list args;
    (void)fflush(till->cli->out);
    if (till->script != NULL)
        (void)fprintf(till->cli->err, "punkt: %s:%u: ", till->script, till->line);
    va_start(args, format);
    (void)vfprintf(till->cli->err, format, args);
    va_end(args);
    (void)fputc('\n', till->cli->err);
    return exit_code;
}

int till_check(struct till *till, const struct punkt_answer *answer, bool queued_will_do)
{
    char numbers[REFUSAL_NUMBERS_SIZE];
    int exit_code = cli_exit_code(answer);
    bool more = answer->detail != NULL && answer->detail[0] != '\0';
    till_learn(till);
    if (exit_code == CLI_OK || (exit_code == CLI_QUEUED && queued_will_do))
        return CLI_OK;
    bool numbered = refusal_numbers(till->cli, answer, numbers);
    return till_fail(till, exit_code, "%s%s%s%s%s%s", answer->text, more ? ": " : "",
                     more ? answer->detail : "", numbered ? " (" : "", numbered ? numbers : "",
                     numbered ? ")" : "");
}

const char *till_amount(const struct till *till, int64_t amount, char out[POINTS_TEXT_SIZE])
{
    decimal_text(amount, till->cli->info.currency_exponent, out);
    return out;
}

const char *till_points(const struct till *till, int64_t points, char out[POINTS_TEXT_SIZE])
{
    return points_text(till->cli, points, out);
}

/* --- a line --- */

/* Cuts a line at its blanks; what stands between quotes is one word. False: too many words, or an open quote. */
static bool cut(const char *line, struct words *out)
{
    char *to = out->text;
    out->count = 0;
    if (strlen(line) >= sizeof(out->text))
        return false;
    while (*(line += strspn(line, " \t\r\n")) != '\0') {
        bool quoted = *line == '"';
        line += quoted;
        size_t size = strcspn(line, quoted ? "\"" : " \t\r\n");
        if (out->count == TILL_WORDS_MAX || (quoted && line[size] == '\0'))
            return false;
        out->word[out->count++] = to;
        memcpy(to, line, size);
        to[size] = '\0';
        to += size + 1;
        line += size + quoted;
    }
    return true;
}

/* How many words the name of the row takes of these; 0: it is not that one. */
static size_t name_matches(const struct till_word *row, const struct words *words)
{
    const char *space = strchr(row->name, ' ');
    size_t size = space != NULL ? (size_t)(space - row->name) : strlen(row->name);
    if (words->count == 0 || strlen(words->word[0]) != size || strncmp(words->word[0], row->name, size) != 0)
        return 0;
    if (space == NULL)
        return 1;
    return words->count > 1 && strcmp(words->word[1], space + 1) == 0 ? 2 : 0;
}

/* The words without their first ones. */
static struct words *words_behind(struct words *words, size_t skip)
{
    words->count -= skip;
    for (size_t i = 0; i < words->count; i++)
        words->word[i] = words->word[i + skip];
    return words;
}

static int run_words(struct till *till, struct words *words)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        size_t taken = name_matches(&table[i], words);
        if (taken == 0)
            continue;
        (void)words_behind(words, taken);
        if (words->count < table[i].least || words->count > table[i].most)
            return till_fail(till, CLI_USAGE, "as in: %s (%s)", table[i].usage, table[i].help);
        return table[i].run(till, words);
    }
    return till_fail(till, CLI_USAGE, "\"%s\" is no word of this register; help lists them", words->word[0]);
}

int till_do(struct till *till, const char *line)
{
    struct words words;
    line += strspn(line, " \t\r\n");
    if (line[0] == '\0' || line[0] == '#')
        return CLI_OK;
    if (!cut(line, &words))
        return till_fail(till, CLI_USAGE,
                         "that line cannot be read: it is too long, or a quote is not closed");
    return run_words(till, &words);
}

/* --- words of this file --- */

static int do_try(struct till *till, const struct words *words)
{
    struct words rest = *words;
    /* The copy has words of its own. */
    for (size_t i = 0; i < rest.count; i++)
        rest.word[i] = rest.text + (words->word[i] - words->text);
    (void)run_words(till, &rest);
    return CLI_OK;
}

static int do_quit(struct till *till, const struct words *words)
{
    (void)words;
    till->ended = true;
    return CLI_OK;
}

static int do_help(struct till *till, const struct words *words)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (words->count == 0 || strncmp(words->word[0], table[i].name, strlen(words->word[0])) == 0)
            till_say(till, "%s\n        %s\n", table[i].usage, table[i].help);
    }
    return CLI_OK;
}

static int do_connect(struct till *till, const struct words *words)
{
    struct punkt_answer answer = { .size = sizeof(answer) };
    (void)words;
    (void)punkt_connect(till->cli->punkt, 0, &answer);
    return till_check(till, &answer, false);
}

static int do_close(struct till *till, const struct words *words)
{
    uint64_t day = 0;
    if (words->count > 0 && !parse_day(words->word[0], &day))
        return till_fail(till, CLI_USAGE, "\"%s\" is no date such as 2026-01-31", words->word[0]);
    if (till->sale.line_count > 0)
        return till_fail(till, CLI_USAGE, "a receipt is open: pay it, or clear it");
    (void)fflush(till->cli->out);
    return till_close_day(till->cli, (int32_t)day, till->operator_, till->width);
}

const char *till_complete(const char *first, const char *begin, size_t *index)
{
    static char found[TILL_CODE_SIZE];
    const char *list = NULL;
    for (; first == NULL && *index < TABLE_COUNT; (*index)++) {
        if (strncmp(table[*index].name, begin, strlen(begin)) == 0)
            return table[(*index)++].name;
    }
    for (size_t i = 0; first != NULL && i < TABLE_COUNT; i++)
        list = strcmp(table[i].name, first) == 0 ? table[i].second : list;
    for (size_t at = 0; list != NULL && *list != '\0'; at++) {
        size_t size = strcspn(list, " ");
        if (at >= *index && strncmp(list, begin, strlen(begin)) == 0) {
            (void)snprintf(found, sizeof(found), "%.*s", (int)size, list);
            *index = at + 1;
            return found;
        }
        list += size + (list[size] == ' ');
    }
    return NULL;
}

/* --- scripts --- */

/*
 * The next line of a file; while it is waited for, what is queued is sent. Of one that is too long as much as tells that
 * it is: its rest is no line of its own. False at the end.
 */
static bool read_line(struct till *till, int fd, char out[TILL_LINE_MAX + 1])
{
    size_t size = 0;
    for (;;) {
        struct punkt *punkt = till->cli->punkt;
        int wanted = punkt_wanted(punkt);
        struct pollfd polled[] = {
            { .fd = fd, .events = POLLIN },
            { .fd = punkt_fd(punkt),
              .events = (short)(((wanted & PUNKT_WANT_READ) != 0 ? POLLIN : 0) |
                                ((wanted & PUNKT_WANT_WRITE) != 0 ? POLLOUT : 0)) },
        };
        if (poll(polled, 2, punkt_timeout_ms(punkt)) < 0 && errno != EINTR)
            return false;
        (void)punkt_process(punkt);
        if (polled[0].revents == 0)
            continue;
        char byte;
        ssize_t got = read(fd, &byte, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || byte == '\n') {
            bool any = got > 0 || size > 0;
            out[size] = '\0';
            return any;
        }
        if (size < TILL_LINE_MAX)
            out[size++] = byte;
    }
}

int till_script(struct till *till, int fd, const char *name)
{
    char line[TILL_LINE_MAX + 1];
    int exit_code = CLI_OK;
    till->script = name;
    while (exit_code == CLI_OK && !till->ended && read_line(till, fd, line)) {
        till->line++;
        if (line[strspn(line, " \t\r")] != '\0')
            till_say(till, "> %s\n", line);
        exit_code = till_do(till, line);
        (void)fflush(till->cli->out);
    }
    return exit_code;
}
