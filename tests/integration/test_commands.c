/*
 * The commands as people and scripts type them: what they print, word for word, where it goes, and how they end.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "talk.h"
#include "world.h"

#define CARD "2900000000018"
#define UNKNOWN "2900000000025"

static const char done[] = ""; /* a command that succeeds says nothing on standard error */

/* Runs punkt --json ... and compares everything it does. Times in what it prints were made "T" before, positions P. */
#define SAYS(world, wanted_code, wanted_out, wanted_err, ...)                                                \
    do {                                                                                                     \
        struct run run_;                                                                                     \
        world_json(world, &run_, __VA_ARGS__, NULL);                                                         \
        mask_times(run_.out);                                                                                \
        mask_positions(run_.out);                                                                            \
        assert_string_equal(run_.err, wanted_err);                                                           \
        assert_string_equal(run_.out, wanted_out);                                                           \
        assert_int_equal(run_.exit_code, wanted_code);                                                       \
        run_done(&run_);                                                                                     \
    } while (0)

#define ERROR(code, message)                                                                                 \
    "{\"error\":{\"code\":\"" code "\",\"message\":\"" message "\",\"retryable\":false}}\n"

static int64_t now_s(void)
{
    return (int64_t)time(NULL);
}

/* Makes "time":"2026-11-21T21:54:46.245228Z" to "time":"T"; the time must be one, and of this hour. */
static void mask_times(char *text)
{
    static const char mark[] = "\"time\":\"";
    for (char *at = strstr(text, mark); at != NULL; at = strstr(at, mark)) {
        struct tm parts = { .tm_year = 0 };
        at += sizeof(mark) - 1;
        const char *rest = strptime(at, "%Y-%m-%dT%H:%M:%S", &parts);
        assert_non_null(rest);
        assert_true(llabs((long long)(timegm(&parts) - now_s())) < 3600);
        size_t digits = *rest == '.' ? strspn(rest + 1, "0123456789") : 0;
        rest += *rest == '.' ? 1 + digits : 0;
        assert_int_equal(*rest, 'Z');
        *at = 'T';
        memmove(at + 1, rest + 1, strlen(rest + 1) + 1);
    }
}

/* Makes "position":4711 to "position":P, and "refers" likewise: where events stand in the journal. */
static void mask_positions(char *text)
{
    static const char *const marks[] = { "\"position\":", "\"refers\":" };
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        for (char *at = strstr(text, marks[i]); at != NULL; at = strstr(at, marks[i])) {
            at += strlen(marks[i]);
            size_t digits = strspn(at, "0123456789");
            assert_true(digits > 0);
            *at = 'P';
            memmove(at + 1, at + digits, strlen(at + digits) + 1);
        }
    }
}

/* The list, in its order. */
static void test_word_for_word(void **state)
{
    struct world *world = world_new(NULL);
    (void)state;
    SAYS(world, 0, "{\"card\":\"" CARD "\",\"account\":1,\"status\":\"active\"}\n", done, "card", "issue",
         CARD);
    SAYS(world, 0,
         "{\"card\":\"" CARD
         "\",\"account\":1,\"status\":\"active\",\"available\":0,\"pending\":0,\"held\":0,"
         "\"debt\":0,\"lifetime\":0,\"next_expiry\":null}\n",
         done, "card", "show", CARD);
    SAYS(
        world, 0,
        "{\"result\":\"done\",\"replayed\":false,\"earned\":105,\"available\":105,\"pending\":0,\"debt\":0}\n",
        done, "purchase", CARD, "105.00", "--receipt", "R1");
    SAYS(
        world, 0,
        "{\"result\":\"done\",\"replayed\":false,\"taken\":5,\"given_back\":0,\"shortfall\":0,\"available\":100,"
        "\"debt\":0,\"amount\":500}\n",
        done, "return", CARD, "--receipt", "R1", "--amount", "5.00", "--document", "D1");
    SAYS(world, 0, "{\"result\":\"done\",\"replayed\":false,\"redeemed\":40,\"available\":60}\n", done,
         "redeem", CARD, "40");
    SAYS(world, 0, "{\"result\":\"done\",\"replayed\":false,\"points\":-10,\"available\":50}\n", done,
         "adjust", CARD, "--reason", "goodwill", "--", "-10");
    SAYS(
        world, 0,
        "{\"time\":\"T\",\"kind\":\"adjustment\",\"points\":-10,\"balance\":50,\"store\":null,\"till\":null,"
        "\"receipt\":null,\"reason\":\"goodwill\",\"position\":P}\n"
        "{\"time\":\"T\",\"kind\":\"redemption\",\"points\":-40,\"balance\":60,\"store\":\"0\",\"till\":\"0\","
        "\"receipt\":null,\"reason\":null,\"position\":P}\n"
        "{\"time\":\"T\",\"kind\":\"return\",\"points\":-5,\"balance\":100,\"store\":\"0\",\"till\":\"0\","
        "\"receipt\":\"D1\",\"reason\":null,\"refers\":P,\"position\":P}\n"
        "{\"time\":\"T\",\"kind\":\"purchase\",\"points\":105,\"balance\":105,\"store\":\"0\",\"till\":\"0\","
        "\"receipt\":\"R1\",\"reason\":null,\"position\":P}\n"
        "{\"time\":\"T\",\"kind\":\"card_issued\",\"points\":0,\"balance\":0,\"store\":null,\"till\":null,"
        "\"receipt\":null,\"reason\":null,\"position\":P}\n",
        done, "statement", CARD);
    /* The sixth event is the programme's. */
    SAYS(world, 0,
         "{\"accounts\":1,\"cards\":1,\"earned\":105,\"redeemed\":40,\"returned\":5,\"adjusted\":-10,"
         "\"outstanding\":50,\"debt\":0,\"accounts_in_debt\":0,\"events\":6}\n",
         done, "report", "totals");
    SAYS(world, 0, "{\"blocks\":6,\"events\":6,\"state\":\"matches\"}\n", done, "audit", "verify");
    world_stop(world);
#ifndef __SANITIZE_THREAD__ /* it leaves no room for the address space that a ledger's files ask for */
    SAYS(world, 0, "{\"blocks\":6,\"events\":6,\"state\":\"matches\"}\n", done, "audit", "verify", "--data",
         world_data(world));
#endif
    world_free(world);
}

/* Flips a bit in the middle of what the journal holds. */
static void damage_journal(const struct world *world)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/journal/0000000000000000.seg", world_data(world));
    FILE *file = fopen(path, "r+be");
    assert_non_null(file);
    long last = 0;
    for (int byte; (byte = fgetc(file)) != EOF;) {
        if (byte != 0)
            last = ftell(file);
    }
    assert_int_equal(fseek(file, last / 2, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, last / 2, SEEK_SET), 0);
    assert_int_equal(fputc(byte ^ 1, file), byte ^ 1);
    assert_int_equal(fclose(file), 0);
}

static void expect_damage(struct run *run)
{
    static const char wanted[] = "{\"error\":{\"code\":\"damage\",\"message\":\"";
    assert_int_equal(run->exit_code, 1);
    assert_string_equal(run->out, "");
    assert_memory_equal(run->err, wanted, sizeof(wanted) - 1);
    assert_non_null(
        strstr(run->err, "\"retryable\":false,\"file\":\"journal/0000000000000000.seg\",\"offset\":"));
    run_done(run);
}

/* Damage: what, in which file, at which offset; of a running daemon and of files alike. */
static void test_damage(void **state)
{
    struct world *world = world_new(NULL);
    struct run run;
    (void)state;
    SAYS(world, 0, "{\"card\":\"" CARD "\",\"account\":1,\"status\":\"active\"}\n", done, "card", "issue",
         CARD);
    for (int i = 0; i < 10; i++) {
        world_json(world, &run, "purchase", CARD, "1.00", NULL);
        assert_int_equal(run.exit_code, 0);
        run_done(&run);
    }
    damage_journal(world);
    world_json(world, &run, "audit", "verify", NULL);
    expect_damage(&run);
    world_punkt(world, &run, "audit", "verify", NULL);
    assert_int_equal(run.exit_code, 1);
    assert_string_equal(run.out, "");
    assert_non_null(strstr(run.err, "punkt: journal/0000000000000000.seg, offset "));
    run_done(&run);
    world_stop(world);
#ifndef __SANITIZE_THREAD__
    world_json(world, &run, "audit", "verify", "--data", world_data(world), NULL);
    expect_damage(&run);
#endif
    world_free(world);
}

/* All that a purchase and a return can say, and what the statement keeps of it. */
static void test_options(void **state)
{
    struct world *world = world_new(NULL);
    char when[40];
    char wanted[512];
    time_t yesterday = (time_t)now_s() - 86400;
    struct tm parts;
    struct run run;
    (void)state;
    (void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S+00:00", gmtime_r(&yesterday, &parts));
    SAYS(world, 0, "{\"card\":\"" CARD "\",\"account\":1,\"status\":\"active\"}\n", done, "card", "issue",
         CARD);
    SAYS(world, 0,
         "{\"result\":\"done\",\"replayed\":false,\"earned\":10,\"available\":10,\"pending\":0,\"debt\":0}\n",
         done, "purchase", CARD, "10.50", "--receipt", "0815", "--store", "12", "--till", "3", "--operator",
         "77", "--time", when, "--line", "4006381333931:2:7.98:stationery", "--line", "BREAD:0.750:2.52");
    SAYS(
        world, 0,
        "{\"result\":\"done\",\"replayed\":false,\"taken\":4,\"given_back\":0,\"shortfall\":0,\"available\":6,"
        "\"debt\":0,\"amount\":399}\n",
        done, "return", CARD, "--receipt", "0815", "--store", "12", "--till", "3", "--line",
        "4006381333931:1");
    SAYS(
        world, 0,
        "{\"result\":\"done\",\"replayed\":false,\"taken\":8,\"given_back\":0,\"shortfall\":0,\"available\":0,"
        "\"debt\":2,\"amount\":800}\n",
        done, "return", CARD, "--unlinked", "8.00");
    world_json(world, &run, "statement", CARD, NULL);
    assert_int_equal(run.exit_code, 0);
    (void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(wanted, sizeof(wanted), "{\"time\":\"%s", when);
    assert_non_null(strstr(run.out, wanted));
    assert_non_null(strstr(run.out,
                           "\"kind\":\"purchase\",\"points\":10,\"balance\":10,\"store\":\"12\","
                           "\"till\":\"3\",\"receipt\":\"0815\",\"reason\":null,\"operator\":\"77\","));
    assert_non_null(strstr(run.out, "\"kind\":\"unlinked_return\",\"points\":-8,\"balance\":-2,"));
    run_done(&run);
    SAYS(
        world, 0,
        "{\"accounts\":1,\"cards\":1,\"earned\":10,\"redeemed\":0,\"returned\":4,\"adjusted\":0,\"outstanding\":0,"
        "\"debt\":2,\"accounts_in_debt\":1,\"events\":5,\"unlinked\":8}\n",
        done, "report", "totals");
    world_free(world);
}

/* An unknown card is 3 in every command that names one. */
static void test_unknown_card(void **state)
{
    static const char err[] = ERROR("unknown_card", "no such card");
    struct world *world = world_new(NULL);
    (void)state;
    SAYS(world, 0, "{\"card\":\"" CARD "\",\"account\":1,\"status\":\"active\"}\n", done, "card", "issue",
         CARD);
    SAYS(world, 0,
         "{\"result\":\"done\",\"replayed\":false,\"earned\":5,\"available\":5,\"pending\":0,\"debt\":0}\n",
         done, "purchase", CARD, "5.00", "--receipt", "R1");
    SAYS(world, 3, "", err, "card", "show", UNKNOWN);
    SAYS(world, 3, "", err, "purchase", UNKNOWN, "5.00", "--receipt", "R2");
    SAYS(world, 3, "", err, "return", UNKNOWN, "--receipt", "R1", "--amount", "5.00");
    SAYS(world, 3, "", err, "return", UNKNOWN, "--unlinked", "5.00");
    SAYS(world, 3, "", err, "redeem", UNKNOWN, "5");
    SAYS(world, 3, "", err, "adjust", UNKNOWN, "--reason", "goodwill", "--", "5");
    SAYS(world, 3, "", err, "statement", UNKNOWN);
    /* Five of them are remembered refusals. */
    SAYS(
        world, 0,
        "{\"accounts\":1,\"cards\":1,\"earned\":5,\"redeemed\":0,\"returned\":0,\"adjusted\":0,\"outstanding\":5,"
        "\"debt\":0,\"accounts_in_debt\":0,\"events\":8}\n",
        done, "report", "totals");
    world_free(world);
}

static void test_refusals(void **state)
{
    struct world *world = world_new(NULL);
    (void)state;
    SAYS(world, 0, "{\"card\":\"" CARD "\",\"account\":1,\"status\":\"active\"}\n", done, "card", "issue",
         CARD);
    SAYS(world, 5, "", ERROR("card_exists", "the card was issued before: " CARD), "card", "issue", CARD);
    SAYS(world, 0,
         "{\"result\":\"done\",\"replayed\":false,\"earned\":5,\"available\":5,\"pending\":0,\"debt\":0}\n",
         done, "purchase", CARD, "5.00", "--receipt", "R1");
    SAYS(world, 0,
         "{\"result\":\"done\",\"replayed\":true,\"earned\":5,\"available\":5,\"pending\":0,\"debt\":0}\n",
         done, "purchase", CARD, "5.00", "--receipt", "R1");
    SAYS(world, 5, "", ERROR("receipt_used", "receipt already used for something else"), "purchase", CARD,
         "6.00", "--receipt", "R1");
    SAYS(world, 5, "",
         "{\"error\":{\"code\":\"not_enough_points\",\"message\":\"not enough points\",\"retryable\":false,"
         "\"needed\":6,\"available\":5}}\n",
         "redeem", CARD, "6");
    SAYS(world, 5, "",
         "{\"error\":{\"code\":\"not_enough_points\",\"message\":\"not enough points\",\"retryable\":false,"
         "\"needed\":6,\"available\":5}}\n",
         "adjust", CARD, "--reason", "goodwill", "--", "-6");
    SAYS(world, 5, "", ERROR("unknown_reason", "the programme has no such reason"), "adjust", CARD,
         "--reason", "none", "--", "6");
    SAYS(world, 3, "", ERROR("unknown_purchase", "no such purchase"), "return", CARD, "--receipt", "R9",
         "--amount", "1.00");
    SAYS(world, 5, "",
         ERROR("more_than_sold", "more than was sold and not yet returned: 501 comes back, 500 is left"),
         "return", CARD, "--receipt", "R1", "--amount", "5.01");
    SAYS(world, 5, "",
         ERROR("lines_mismatch",
               "the lines do not add up to the amount: the lines add up to 499, the amount is 500"),
         "purchase", CARD, "5.00", "--line", "BREAD:1:4.99");
    world_free(world);
}

/* Exit 2 comes from the command line alone: standard output stays empty, and the error is an object. */
static void expect_usage(struct run *run)
{
    static const char begin[] = "{\"error\":{\"code\":\"usage\",\"message\":\"";
    static const char end[] = "\",\"retryable\":false}}\n";
    size_t size = strlen(run->err);
    assert_int_equal(run->exit_code, 2);
    assert_string_equal(run->out, "");
    assert_memory_equal(run->err, begin, sizeof(begin) - 1);
    assert_true(size > sizeof(end));
    assert_string_equal(run->err + size - (sizeof(end) - 1), end);
    run_done(run);
}

static void test_usage(void **state)
{
    static const char *const wrong[][6] = {
        { "purchase", CARD },
        { "purchase", CARD, "5,00" },
        { "purchase", CARD, "5.001" },
        { "purchase", CARD, "-5.00" },
        { "purchase", CARD, "5.00", "--line", "BREAD" },
        { "purchase", CARD, "5.00", "--time", "yesterday" },
        { "purchase", CARD, "5.00", "--nothing" },
        { "return", CARD },
        { "return", CARD, "--receipt", "R1" },
        { "return", CARD, "--receipt", "R1", "--unlinked", "1.00" },
        { "redeem", CARD, "0" },
        { "redeem", CARD, "1.5" },
        { "adjust", CARD, "--", "5" },
        { "card", "issue" },
        { "card", "eat", CARD },
        { "statement", CARD, "--limit", "0" },
        { "report", "totals", "now" },
        { "purchase", CARD, "5.00", "--retry", "1" },
        { "card", "show", CARD, "--retry", "0123456789abcdef:1" },
    };
    struct world *world = world_new(NULL);
    struct run run;
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        world_json(world, &run, wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3], wrong[i][4], wrong[i][5],
                   NULL);
        expect_usage(&run);
    }
    world_punkt(world, &run, "purchase", CARD, "x", NULL);
    assert_int_equal(run.exit_code, 2);
    assert_string_equal(run.out, "");
    assert_non_null(strstr(run.err, "punkt: \"x\" is no amount in EUR with 2 decimals\n"));
    run_done(&run);
    world_free(world);
}

/* The value of "retry" in an error object, or a failure. */
static void retry_of(const struct run *run, char out[64])
{
    const char *at = strstr(run->err, "\"retryable\":true,\"retry\":\"");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "\"retryable\":true,\"retry\":\"%63[0-9a-f:]\"}}", out), 1);
}

/* Nobody listens: nothing was sent. The repeat books, and a repeat of the repeat does not. */
static void test_unreachable(void **state)
{
    struct world_options options = { .unix_socket = true };
    struct world *world = world_new(&options);
    char retry[64];
    struct run run;
    (void)state;
    SAYS(world, 0, "{\"card\":\"" CARD "\",\"account\":1,\"status\":\"active\"}\n", done, "card", "issue",
         CARD);
    world_stop(world);
    world_json(world, &run, "--timeout", "0.3", "card", "show", CARD, NULL);
    assert_int_equal(run.exit_code, 6);
    assert_string_equal(run.out, "");
    assert_non_null(strstr(run.err, "\"retryable\":true}}\n")); /* a read needs no number to be repeated */
    run_done(&run);
    world_json(world, &run, "--timeout", "0.3", "purchase", CARD, "7.00", NULL);
    assert_int_equal(run.exit_code, 6);
    assert_string_equal(run.out, "");
    retry_of(&run, retry);
    run_done(&run);
    world_start(world);
    SAYS(world, 0, "{\"state\":\"never_seen\"}\n", done, "status", retry);
    SAYS(world, 0,
         "{\"result\":\"done\",\"replayed\":false,\"earned\":7,\"available\":7,\"pending\":0,\"debt\":0}\n",
         done, "purchase", CARD, "7.00", "--retry", retry);
    SAYS(world, 0,
         "{\"result\":\"done\",\"replayed\":true,\"earned\":7,\"available\":7,\"pending\":0,\"debt\":0}\n",
         done, "purchase", CARD, "7.00", "--retry", retry);
    world_punkt(world, &run, "--json", "purchase", CARD, "8.00", "--retry", retry, NULL);
    assert_int_equal(run.exit_code, 5);
    assert_non_null(strstr(run.err, "\"code\":\"conflict\""));
    run_done(&run);
    world_free(world);
}

/* A till's line to the server, cut by the test: the server hears everything, the till only the first answer. */
static void lose_answers(int listener, const char *server, const struct run *till)
{
    struct pollfd ends[3] = { { .fd = listener, .events = POLLIN } };
    char bytes[4096];
    bool answered = false;
    assert_true(poll(ends, 1, WORLD_PATIENCE_MS) > 0);
    int till_fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    int server_fd = talk_dial(server);
    assert_true(till_fd >= 0);
    ends[0] = (struct pollfd){ .fd = till_fd, .events = POLLIN };
    ends[1] = (struct pollfd){ .fd = server_fd, .events = POLLIN };
    ends[2] = (struct pollfd){ .fd = till->fds[2], .events = POLLIN }; /* hangs up when the till ends */
    for (int64_t start = world_now_ms(); ends[2].revents == 0; world_patience(start)) {
        assert_true(poll(ends, 3, WORLD_PATIENCE_MS) > 0);
        ssize_t got = ends[0].revents != 0 ? recv(till_fd, bytes, sizeof(bytes), 0) : 0;
        if (got > 0)
            assert_int_equal(send(server_fd, bytes, (size_t)got, MSG_NOSIGNAL), got);
        else if (ends[0].revents != 0)
            ends[0].fd = -1;
        got = ends[1].revents != 0 ? recv(server_fd, bytes, sizeof(bytes), 0) : 0;
        if (got > 0 && !answered)
            assert_int_equal(send(till_fd, bytes, (size_t)got, MSG_NOSIGNAL), got);
        answered = answered || got > 0;
    }
    (void)close(till_fd);
    (void)close(server_fd);
}

/* The answer is lost: whether it was booked is not known, and the repeat finds that it was. */
static void test_lost_answer(void **state)
{
    struct world *world = world_new(NULL);
    char address[64];
    char retry[64];
    struct run run;
    (void)state;
    SAYS(world, 0, "{\"card\":\"" CARD "\",\"account\":1,\"status\":\"active\"}\n", done, "card", "issue",
         CARD);
    int listener = talk_listen(address, sizeof(address));
    const char *argv[] = { "punkt", "--server", address, "--json", "--timeout",
                           "1.5",   "purchase", CARD,    "9.00",   NULL };
    run_begin(argv, NULL, &run);
    lose_answers(listener, world_address(world), &run);
    run_end(&run);
    (void)close(listener);
    assert_int_equal(run.exit_code, 6);
    assert_string_equal(run.out, "");
    assert_non_null(strstr(run.err, "{\"error\":{\"code\":\"unknown\","));
    retry_of(&run, retry);
    run_done(&run);
    SAYS(world, 0,
         "{\"result\":\"done\",\"replayed\":true,\"earned\":9,\"available\":9,\"pending\":0,\"debt\":0}\n",
         done, "purchase", CARD, "9.00", "--retry", retry);
    SAYS(
        world, 0,
        "{\"accounts\":1,\"cards\":1,\"earned\":9,\"redeemed\":0,\"returned\":0,\"adjusted\":0,\"outstanding\":9,"
        "\"debt\":0,\"accounts_in_debt\":0,\"events\":3}\n",
        done, "report", "totals");
    world_free(world);
}

/* Every line of a table ends where the others do, or a line has one sentence. */
static void expect_aligned(const char *text, size_t lines)
{
    const char *end = strchr(text, '\n');
    size_t width = end != NULL ? (size_t)(end - text) : 0;
    size_t found = 0;
    assert_true(width > 0);
    for (const char *line = text; *line != '\0'; line += width + 1, found++) {
        assert_true(strlen(line) > width);
        assert_int_equal(line[width], '\n');
        assert_null(memchr(line, '\n', width));
    }
    assert_int_equal(found, lines);
}

static void test_tables(void **state)
{
    struct world *world = world_new(NULL);
    struct run run;
    (void)state;
    world_punkt(world, &run, "card", "issue", CARD, NULL);
    assert_string_equal(run.out, "Card " CARD " is active, account 1.\n");
    run_done(&run);
    world_punkt(world, &run, "purchase", CARD, "105.00", "--receipt", "R1", NULL);
    assert_string_equal(run.out, "105 points earned. 105 can be spent.\n");
    run_done(&run);
    world_punkt(world, &run, "card", "show", CARD, NULL);
    expect_aligned(run.out, 10);
    run_done(&run);
    world_punkt(world, &run, "report", "totals", NULL);
    expect_aligned(run.out, 10);
    run_done(&run);
    world_punkt(world, &run, "statement", CARD, NULL);
    assert_null(strchr(run.out, '\x1b')); /* no colour where nobody sees it */
    assert_int_equal(run.exit_code, 0);
    /* Columns begin, or end, below their headings. */
    const char *purchase = strstr(run.out, "\n") + 1;
    assert_ptr_equal(strstr(purchase, "purchase") - purchase, strstr(run.out, "kind") - run.out);
    assert_ptr_equal(strstr(purchase, "R1") - purchase, strstr(run.out, "receipt") - run.out);
    assert_ptr_equal(strstr(purchase, " 105 ") + 4 - purchase, strstr(run.out, "points") + 6 - run.out);
    run_done(&run);
    world_punkt(world, &run, "redeem", CARD, "1000", NULL);
    assert_int_equal(run.exit_code, 5);
    assert_string_equal(run.out, "");
    assert_string_equal(run.err, "punkt: not enough points (1000 needed, 105 available)\n");
    run_done(&run);
    world_free(world);
}

/* Runs a bench of a second and returns how many operations it counted; they went well, and it says so in order. */
static unsigned long long bench(struct world *world, const char *mix)
{
    unsigned long long operations = 0, per_second, p50, p99, p999;
    struct run run;
    char end[4] = "";
    world_json(world, &run, "bench", "--connections", "2", "--pipeline", "2", "--seconds", "1", "--cards",
               "10001", "--mix", mix, NULL);
    assert_string_equal(run.err, "");
    assert_int_equal(run.exit_code, 0);
    assert_int_equal(sscanf(run.out,
                            "{\"operations\":%llu,\"per_second\":%llu,\"p50_us\":%llu,\"p99_us\":%llu,"
                            "\"p999_us\":%llu,\"errors\":0%3s",
                            &operations, &per_second, &p50, &p99, &p999, end),
                     6);
    assert_string_equal(end, "}");
    assert_true(operations > 0 && p50 <= p99 && p99 <= p999);
    run_done(&run);
    return operations;
}

/* A ledger of its own: cards by the range, and none but those unless it is forced. */
static void test_bench(void **state)
{
    struct world *world = world_new(NULL);
    struct run run;
    (void)state;
    (void)bench(world, "balance");
    struct talk *talk = talk_hello(world_address(world), 0, 1, NULL);
    struct msg_totals_answer totals = talk_totals(talk);
    assert_int_equal(totals.cards, 10001);
    assert_int_equal(totals.events, 1 + 2); /* a request for each 10,000 */
    unsigned long long purchases = bench(world, "purchase");
    assert_true(talk_totals(talk).events >= totals.events + purchases);
    talk_free(talk);
    SAYS(world, 0, "{\"card\":\"" CARD "\",\"account\":10002,\"status\":\"active\"}\n", done, "card", "issue",
         CARD);
    world_json(world, &run, "bench", "--seconds", "1", "--cards", "100", NULL);
    assert_int_equal(run.exit_code, 5);
    assert_string_equal(run.out, "");
    run_done(&run);
    world_json(world, &run, "bench", "--seconds", "1", "--cards", "100", "--connections", "1", "--force",
               NULL);
    assert_int_equal(run.exit_code, 0);
    run_done(&run);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_word_for_word), cmocka_unit_test(test_options),
        cmocka_unit_test(test_bench),         cmocka_unit_test(test_damage),
        cmocka_unit_test(test_unknown_card),  cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_usage),         cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_lost_answer),   cmocka_unit_test(test_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
