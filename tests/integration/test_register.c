/*
 * The register `punkt till` and the outbox of the command, against the real daemon: a day at a till as it is typed, what
 * happens while the daemon is away, and that nothing is booked twice or lost.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "world.h"

#define CARD "2900000000018"
#define STORE "12"
#define TILL "3"

static struct world *shop(void)
{
    struct world_options options = { .unix_socket = true };
    struct world *world = world_new(&options);
    struct run run;
    world_punkt(world, &run, "card", "issue", CARD, NULL);
    assert_int_equal(run.exit_code, 0);
    run_done(&run);
    return world;
}

static const char *path_in(const struct world *world, const char *name, char out[256])
{
    (void)snprintf(out, 256, "%s/%s", world_folder(world), name);
    return out;
}

/* Runs the lines at the register of this world. */
static void type(const struct world *world, const char *lines, struct run *out_run)
{
    char script[256];
    char outbox[256];
    FILE *file = fopen(path_in(world, "lines", script), "we");
    assert_non_null(file);
    assert_true(fputs(lines, file) >= 0);
    assert_int_equal(fclose(file), 0);
    world_punkt(world, out_run, "till", "--store", STORE, "--till", TILL, "--outbox",
                path_in(world, "till.outbox", outbox), "--script", script, NULL);
}

/* Each of the texts, NULL at the end, stands in what was printed, behind the one before. */
static void expect_in_order(const char *printed, const char *const texts[])
{
    const char *at = printed;
    for (; *texts != NULL; texts++) {
        const char *found = strstr(at, *texts);
        if (found == NULL)
            fail_msg("no \"%s\" behind what was found before, in:\n%s", *texts, printed);
        else
            at = found + strlen(*texts);
    }
}

#define TYPE(world, code, lines, ...)                                                                        \
    do {                                                                                                     \
        static const char *const texts_[] = { __VA_ARGS__, NULL };                                           \
        struct run run_;                                                                                     \
        type(world, lines, &run_);                                                                           \
        if (run_.exit_code != (code))                                                                        \
            fail_msg("exit code %d, not %d: %s%s", run_.exit_code, code, run_.out, run_.err);                \
        expect_in_order((code) == 0 ? run_.out : run_.err, texts_);                                          \
        run_done(&run_);                                                                                     \
    } while (0)

/* Runs a command of the till's outbox and expects its exit code, and this on standard output, or error if it is no
 * success. */
#define OUTBOX(world, code, part, ...)                                                                       \
    do {                                                                                                     \
        char outbox_[256];                                                                                   \
        struct run run_;                                                                                     \
        world_json(world, &run_, __VA_ARGS__, "--store", STORE, "--till", TILL, "--outbox",                  \
                   path_in(world, "till.outbox", outbox_), NULL);                                            \
        const char *text_ = (code) == 0 || (code) == 7 ? run_.out : run_.err;                                \
        if (run_.exit_code != (code) || strstr(text_, part) == NULL)                                         \
            fail_msg("exit code %d, not %d, or no \"%s\" in: %s%s", run_.exit_code, code, part, run_.out,    \
                     run_.err);                                                                              \
        run_done(&run_);                                                                                     \
    } while (0)

static void test_day(void **state)
{
    struct world *world = shop();
    (void)state;
    TYPE(world, 0,
         "# a customer\n"
         "card ;" CARD "=26041234?\n"
         "add MILK 1.50 x 4 category organic\n"
         "add WINE 44.00\n"
         "add BOTTLE 0.25 x 2 deposit\n"
         "add OFF -1.00\n"
         "remove 4\n"
         "quote\n"
         "pay card 10.00\n"
         "pay cash 50.00\n"
         "card " CARD "\n"
         "balance\n"
         "add BREAD 10.00\n"
         "redeem 20\n"
         "pay\n"
         "void\n"
         "take back 1 MILK 2\n"
         "balance " CARD "\n"
         "close\n",
         "> # a customer", "1: MILK  6.00", "Total 50.50 EUR. It would earn 50 points.", "40.50 EUR to pay",
         "STORE 12  TILL 3", "receipt 1 ", "4 x MILK", "6.00", "TOTAL EUR", "50.50", "card", "10.00", "cash",
         "50.00", "change", "9.50", "290000*****18", "points of this receipt", "50", "> balance\n50 points",
         "Points pay 0.20; 9.80 EUR to pay", "receipt 2 ", "paid with points", "0.20", "Receipt 2 is undone",
         "50 can be spent", "RETURN 3 of receipt 1", "paid out", "3.00", "points taken", "3", "47 points",
         "IN BALANCE");
    world_free(world);
}

static void test_holds(void **state)
{
    struct world *world = shop();
    struct run run;
    char lines[256];
    (void)state;
    TYPE(world, 0, "card " CARD "\nadd TV 500.00\npay\ncard " CARD "\nhold 100\nredeem 50\nbalance\n",
         "100 points set aside until", "50 points spent, worth 0.50. 350 can be spent.",
         "350 points, 100 set aside");
    world_json(world, &run, "card", "show", CARD, NULL);
    const char *hold = strstr(run.out, "\"hold\":");
    assert_non_null(hold);
    (void)snprintf(lines, sizeof(lines),
                   "card " CARD "\nadd TEA 5.00\ncapture %llu 40\npay\ncard " CARD "\nbalance\n",
                   strtoull(hold + 7, NULL, 10));
    run_done(&run);
    TYPE(world, 0, lines, "Points pay", "paid with points", "0.40", "414 points");
    world_free(world);
}

static void test_plug(void **state)
{
    struct world *world = shop();
    (void)state;
    TYPE(world, 0,
         "card " CARD "\n"
         "add TEA 5.00\n"
         "pay\n"
         "offline on\n"
         "status\n"
         "card " CARD "\n"
         "add MILK 7.00\n"
         "quote\n"
         "pay\n"
         "card " CARD "\n"
         "add WINE 8.00\n"
         "try balance\n"
         "try hold 3\n"
         "pay\n"
         "take back 2 MILK\n"
         "queue\n"
         "offline off\n"
         "drain\n"
         "queue\n"
         "balance " CARD "\n"
         "close\n",
         "points of this receipt", "The plug is pulled.", "link    down", "The server is away",
         "The points will be booked later.", "receipt 3 ", "The points will be booked later.",
         "RETURN 4 of receipt 2", "The points will be taken later.", "purchase", "purchase", "return",
         "The plug is back.", "Everything is sent.", "Nothing waits.", "13 points", "IN BALANCE");
    world_free(world);
}

/* What an earlier run left is sent by the next, and no number of a receipt comes twice. */
static void test_restart(void **state)
{
    struct world *world = shop();
    char numbers[256];
    (void)state;
    TYPE(world, 0, "card " CARD "\nadd A 1.00\npay\n", "receipt 1 ");
    world_kill(world);
    TYPE(world, 0, "card " CARD "\nadd A 2.00\npay\n", "receipt 2 ", "booked later");
    /* The outbox alone remembers as well. */
    assert_int_equal(unlink(path_in(world, "till.outbox.receipts", numbers)), 0);
    TYPE(world, 0, "card " CARD "\nadd A 3.00\npay\nqueue\n", "receipt 3 ", "booked later", " 2 ", " 3 ");
    world_start(world);
    TYPE(world, 0, "drain\nadd A 4.00\npay\nbalance " CARD "\nclose\n", "Everything is sent.", "receipt 4 ",
         "No card, no points.", "6 points", "IN BALANCE");
    /* No new file can be made, as on a full disk: the old one takes the number. */
    assert_int_equal(mkdir(path_in(world, "till.outbox.receipts.new", numbers), 0700), 0);
    TYPE(world, 0, "add A 5.00\npay\n", "receipt 5 ");
    TYPE(world, 0, "add A 6.00\npay\n", "receipt 6 ");
    assert_int_equal(rmdir(numbers), 0);
    TYPE(world, 0, "add A 7.00\npay\n", "receipt 7 ");
    world_free(world);
}

static void test_mistakes(void **state)
{
    struct world *world = shop();
    (void)state;
    TYPE(world, 2, "# one\n\nsell MILK\nquit\n", "lines:3: \"sell\" is no word of this register");
    TYPE(world, 2, "add MILK\n", "lines:1: as in: add MILK 1.50 x 4 category organic");
    TYPE(world, 2, "add MILK 1.555\n", "\"1.555\" is no price with 2 decimals");
    TYPE(world, 2, "add MILK 1.50 y 3\n", "behind the price stands x QUANTITY");
    TYPE(world, 2, "add MILK \"1.50\n", "a quote is not closed");
    TYPE(world, 2, "pay\n", "the receipt is empty");
    TYPE(world, 2, "add A -1.00\n", "the receipt would be below zero");
    TYPE(world, 2, "add A 1.00\npay card 2.00\n", "lines:2: change is given on cash only");
    TYPE(world, 2, "void\n", "there is no receipt of this run to undo");
    TYPE(world, 2, "balance\n", "whose? card NUMBER says");
    TYPE(world, 2, "add A 1.00\nclose\n", "a receipt is open");
    TYPE(world, 3, "take back 99\n", "does not remember receipt 99");
    TYPE(world, 3, "card 2900000000025\nbalance\n", "lines:2: no such card");
    TYPE(world, 2, "card " CARD "\nredeem shopping bag\n", "a reward (\"shopping bag\")");
    TYPE(world, 5, "card " CARD "\nredeem 50\n", "not enough points (50 needed, 0 available)");
    TYPE(world, 0, "try sell MILK\nhelp take\n", "> help take\ntake back 17 2 1");
    TYPE(world, 2, "add A 2.00\npay cash 1.50\nremove 1\n", "lines:3: a part is paid");
    TYPE(world, 2, "add A 2.00\npay cash 1.50\nadd B -1.00\n", "lines:3: a part is paid");
    TYPE(world, 2, "card " CARD "\nadd A 2.00\npay cash 1.50\nredeem 100\n", "lines:4: a part is paid");
    TYPE(world, 0, "add A 2.00\npay cash 1.50\nadd B 1.00\npay cash 2.00\n", "0.50 EUR to pay", "change",
         "0.50");
    world_free(world);
}

/* What is behind the longest line is its own rest, not a line to be done. */
static void test_long_lines(void **state)
{
    struct world *world = shop();
    char lines[2048];
    (void)state;
    for (int size = 500; size < 530; size++) {
        (void)snprintf(lines, sizeof(lines), "#%*s\nadd B 1.00\nclear\n", size, "add A 1.00");
        TYPE(world, 0, lines, "1: B  1.00");
        (void)snprintf(lines, sizeof(lines), "add A 1.00%*s\n", size, "category");
        TYPE(world, 2, lines, "lines:1: ");
    }
    world_free(world);
}

static void test_queued(void **state)
{
    struct world *world = shop();
    (void)state;
    /* A name that was mistyped does not become an outbox in which nothing waits. */
    OUTBOX(world, 1, "No such file or directory", "outbox", "list");
    OUTBOX(world, 1, "No such file or directory", "till", "close");
    OUTBOX(world, 0, "\"earned\":5", "purchase", CARD, "5.00", "--receipt", "A1");
    world_kill(world);
    OUTBOX(world, 7, "{\"queued\":true,\"epoch\":\"", "purchase", CARD, "7.00", "--receipt", "A2");
    OUTBOX(world, 7, "{\"queued\":true,\"epoch\":\"", "return", CARD, "--receipt", "A1", "--amount", "2.00",
           "--document", "D1");
    OUTBOX(world, 6, "\"retryable\":true", "redeem", CARD, "1");
    OUTBOX(world, 0, "\"receipt\":\"A2\"", "outbox", "list");
    OUTBOX(world, 7, "\"queued\":2", "outbox", "send", "--timeout", "0.2");
    OUTBOX(world, 6, "", "till", "close", "--timeout", "0.2");
    OUTBOX(world, 2, "exclude each other", "purchase", CARD, "1.00", "--retry", "5eed:1");
    world_start(world);
    OUTBOX(world, 0, "{\"sent\":2,\"queued\":0,\"dead\":0}", "outbox", "send");
    OUTBOX(world, 0, "\"state\":\"done\"", "outbox", "list", "--all");
    OUTBOX(world, 0, "\"redeemed\":1,\"available\":9", "redeem", CARD, "1");
    OUTBOX(world, 0, "\"state\":\"in_balance\"", "till", "close");
    OUTBOX(world, 3, "the outbox does not know", "outbox", "show", "5eed:1");
    world_free(world);
}

/* An outbox that never reached a daemon cannot know what 5.00 is, and says so; nothing is left in it. */
static void test_never_reached(void **state)
{
    struct world *world = shop();
    struct run run;
    char outbox[256];
    (void)state;
    world_kill(world);
    world_punkt(world, &run, "purchase", CARD, "5.00", "--receipt", "A1", "--store", STORE, "--till", TILL,
                "--outbox", path_in(world, "till.outbox", outbox), "--timeout", "0.2", NULL);
    assert_int_equal(run.exit_code, 6);
    assert_non_null(strstr(run.err, "nothing is queued either: this outbox has never reached a daemon"));
    run_done(&run);
    world_start(world);
    /* The day to be closed is that of the programme's zone, UTC here, though this machine has another one. */
    time_t now = time(NULL);
    struct tm utc;
    char today[32];
    assert_non_null(gmtime_r(&now, &utc));
    (void)strftime(today, sizeof(today), "\"date\":\"%Y-%m-%d\"", &utc);
    (void)setenv("TZ", utc.tm_hour < 12 ? "WEST+12" : "EAST-14", 1);
    OUTBOX(world, 0, today, "till", "close");
    (void)unsetenv("TZ");
    OUTBOX(world, 0, "{\"sent\":0,\"queued\":0,\"dead\":0}", "outbox", "send");
    OUTBOX(world, 0, "\"earned\":5", "purchase", CARD, "5.00", "--receipt", "A1");
    world_free(world);
}

/* What is not ASCII is shown as it was typed. */
static void test_letters(void **state)
{
    static const char receipt[] = "Stra\xc3\x9f\x65 1";
    struct world *world = shop();
    struct run run;
    char outbox[256];
    (void)state;
    OUTBOX(world, 0, "\"earned\":5", "purchase", CARD, "5.00", "--receipt", receipt);
    (void)setenv("LC_ALL", "C.UTF-8", 1);
    world_punkt(world, &run, "outbox", "list", "--all", "--store", STORE, "--till", TILL, "--outbox",
                path_in(world, "till.outbox", outbox), NULL);
    (void)unsetenv("LC_ALL");
    assert_int_equal(run.exit_code, 0);
    assert_non_null(strstr(run.out, receipt));
    run_done(&run);
    world_free(world);
}

/* What the programme says on receipts: from the server, and from what is known of it while it is away. */
static void test_texts(void **state)
{
    static const char programme[] = "currency: EUR\n"
                                    "base:\n  - {rule: spend, points: 1, amount: 1.00}\n"
                                    "redeem: {points: 100, worth: 1.00, offline: {card: 500, till: 2000}}\n"
                                    "receipt_text:\n"
                                    "  - language: en\n"
                                    "    purchase: [\"Points today:\\t{earned}\"]\n"
                                    "    redemption: [\"You save {paid} EUR.\"]\n"
                                    "    return: [\"Points gone:\\t{taken}\"]\n"
                                    "    offline: [\"Points come later.\"]\n"
                                    "...\n";
    struct world_options options = { .unix_socket = true, .programme = programme };
    struct world *world = world_new(&options);
    struct run run;
    (void)state;
    world_punkt(world, &run, "card", "issue", CARD, NULL);
    run_done(&run);
    world_punkt(world, &run, "purchase", CARD, "500.00", "--receipt-width", "20", NULL);
    assert_string_equal(run.out, "500 points earned. 500 can be spent.\nPoints today:    500\n");
    run_done(&run);
    world_json(world, &run, "redeem", CARD, "100", "--receipt-width", "32", "--language", "en", NULL);
    assert_non_null(strstr(run.out, "\"text\":[\"You save 1.00 EUR.\"]"));
    run_done(&run);
    TYPE(world, 0,
         "card " CARD "\nadd TEA 5.00\npay\ntake back 1\nbalance " CARD "\noffline on\n"
         "card " CARD "\nadd TEA 7.00\nredeem 200\npay\ncard " CARD "\nadd TEA 7.00\ntry redeem 9999\n"
         "try pay\nredeem off\npay\noffline off\ndrain\nbalance " CARD "\nclose\n",
         "Points today:                          5", "paid out                            5.00",
         "Points gone:                           5", "> balance", "400 points",
         "Points pay 2.00; 5.00 EUR to pay", "paid with points                    2.00",
         "cash                                5.00", "Points come later.", "The receipt is still open",
         "cash                                7.00", "Points come later.", "Everything is sent.",
         "212 points", "IN BALANCE");
    /* The command says what it has granted. */
    world_kill(world);
    OUTBOX(world, 7, ",\"redeemed\":100,\"paid\":100}", "purchase", CARD, "5.00", "--receipt", "A1",
           "--redeem", "100");
    OUTBOX(world, 5, "points cannot be redeemed while the server is away", "purchase", CARD, "5.00",
           "--receipt", "A2", "--redeem", "9999");
    world_free(world);
}

/* --- somebody types --- */

struct terminal {
    int fd;
    pid_t pid;
    char seen[65536];
    size_t size;
    size_t found; /* what was waited for before stands in front of this */
};

static void terminal_open(const struct world *world, struct terminal *terminal)
{
    char outbox[256];
    *terminal = (struct terminal){ .fd = -1 };
    (void)path_in(world, "till.outbox", outbox);
    terminal->pid = forkpty(&terminal->fd, NULL, NULL, &(struct winsize){ .ws_row = 40, .ws_col = 120 });
    assert_true(terminal->pid >= 0);
    if (terminal->pid > 0)
        return;
    char program[512];
    const char *bin = getenv("PUNKT_BIN");
    (void)snprintf(program, sizeof(program), "%s/punkt", bin != NULL ? bin : ".");
    (void)setenv("TERM", "xterm", 1);
    (void)setenv("NO_COLOR", "1", 1);
    (void)execl(program, "punkt", "--server", world_address(world), "till", "--store", STORE, "--till", TILL,
                "--outbox", outbox, (char *)NULL);
    _exit(127);
}

/* Reads what is printed until this text is, behind what was waited for before. */
static void terminal_wait(struct terminal *terminal, const char *text)
{
    int64_t start_ms = world_now_ms();
    for (;;) {
        const char *at = strstr(terminal->seen + terminal->found, text);
        if (at != NULL) {
            terminal->found = (size_t)(at - terminal->seen) + strlen(text);
            return;
        }
        struct pollfd polled = { .fd = terminal->fd, .events = POLLIN };
        (void)poll(&polled, 1, 1000);
        ssize_t got = polled.revents != 0 ? read(terminal->fd, terminal->seen + terminal->size,
                                                 sizeof(terminal->seen) - 1 - terminal->size)
                                          : 0;
        if (got < 0 && errno != EINTR)
            fail_msg("the register ended before it printed \"%s\": %s", text, terminal->seen);
        terminal->size += got > 0 ? (size_t)got : 0;
        terminal->seen[terminal->size] = '\0';
        if (world_now_ms() - start_ms > WORLD_PATIENCE_MS)
            fail_msg("no \"%s\" in: %s", text, terminal->seen);
    }
}

static void terminal_type(struct terminal *terminal, const char *keys)
{
    assert_int_equal(write(terminal->fd, keys, strlen(keys)), (ssize_t)strlen(keys));
}

static void test_typed(void **state)
{
    struct world *world = shop();
    struct terminal terminal;
    int status;
    (void)state;
    terminal_open(world, &terminal);
    terminal_wait(&terminal, "0.00 [up] > ");
    terminal_type(&terminal, "card " CARD "\r");
    terminal_wait(&terminal, CARD " 0.00 [up] > ");
    terminal_type(&terminal, "add TEA 5.00\r");
    terminal_wait(&terminal, "1: TEA  5.00");
    terminal_wait(&terminal, "5.00 [up] > ");
    terminal_type(&terminal, "offl\ton\r"); /* the word is completed */
    terminal_wait(&terminal, "The plug is pulled.");
    terminal_wait(&terminal, "5.00 [down] > ");
    terminal_type(&terminal, "pay\r");
    terminal_wait(&terminal, "The points will be booked later.");
    terminal_wait(&terminal, "0.00 [down, 1 wait] > ");
    terminal_type(&terminal, "offline off\r");
    /* Nothing is typed: the queue drains while the prompt waits. */
    terminal_wait(&terminal, "booked: 5 points");
    terminal_wait(&terminal, "0.00 [up] > ");
    terminal_type(&terminal, "\33[A\33[A\33[A\33[A\r"); /* back in the history, to the line with the tea */
    terminal_wait(&terminal, "1: TEA  5.00");
    terminal_type(&terminal, "quit\r");
    assert_int_equal(waitpid(terminal.pid, &status, 0), terminal.pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    (void)close(terminal.fd);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_day),      cmocka_unit_test(test_holds),
        cmocka_unit_test(test_plug),     cmocka_unit_test(test_restart),
        cmocka_unit_test(test_mistakes), cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_queued),   cmocka_unit_test(test_texts),
        cmocka_unit_test(test_typed),    cmocka_unit_test(test_never_reached),
        cmocka_unit_test(test_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
