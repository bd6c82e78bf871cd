/*
 * What the desk and the office type, against the real daemon: cards, holds, rewards, bonuses, the programme, reports.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define CARD "18" /* of a range with check digits: 18, 26, 34, 42 */
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const char programme[] =
    "programme: Desk\n"
    "currency: EUR\n"
    "cards: {check: luhn}\n"
    "base:\n"
    "  - {rule: spend, points: 1, amount: 1.00}\n"
    "offers:\n"
    "  - {offer: stamp, name: stamps, per: unit, purse: coffee,\n"
    "     include: {categories: [coffee]}}\n"
    "  - {offer: multiply, name: double, factor: 2, activate: true}\n"
    "rewards:\n"
    "  - {reward: item, name: coffee, category: coffee, stamps: 2, purse: coffee}\n"
    "  - {reward: voucher, name: cinema, voucher: CINEMA-1, points: 20}\n"
    "...\n";

static struct world *desk(void)
{
    struct world_options options = { .programme = programme, .unix_socket = true };
    return world_new(&options);
}

/* Runs it and expects the exit code, and this within what it prints: on standard error if it fails. */
#define EXPECT(world, code, part, ...)                                                                       \
    do {                                                                                                     \
        struct run run_;                                                                                     \
        world_punkt(world, &run_, __VA_ARGS__, NULL);                                                        \
        expect_run(&run_, code, part);                                                                       \
    } while (0)

static void expect_run(struct run *run, int code, const char *part)
{
    const char *text = code == 0 ? run->out : run->err;
    if (run->exit_code != code || strstr(text, part) == NULL)
        fail_msg("exit code %d, not %d, or no \"%s\" in: %s%s", run->exit_code, code, part, run->out,
                 run->err);
    run_done(run);
}

/* The number behind a key of what was printed as JSON. */
static unsigned long long number_of(const struct run *run, const char *key)
{
    const char *at = strstr(run->out, key);
    assert_non_null(at);
    return strtoull(at + strlen(key), NULL, 10);
}

static void number_text(struct run *run, const char *key, char out[24])
{
    assert_int_equal(run->exit_code, 0);
    (void)snprintf(out, 24, "%llu", number_of(run, key));
    run_done(run);
}

/* A file in the world's folder. */
static void write_file(const struct world *world, const char *name, const char *text, char out_path[256])
{
    (void)snprintf(out_path, 256, "%s/%s", world_folder(world), name);
    FILE *file = fopen(out_path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_cards(void **state)
{
    struct world *world = desk();
    char path[256];
    struct run run;
    (void)state;
    world_punkt(world, &run, "card", "issue", CARD, "--count", "4", "--csv", "-", NULL);
    assert_string_equal(run.out, "card,account\n18,1\n26,2\n34,3\n42,4\n");
    run_done(&run);
    EXPECT(world, 0, "Card 26 is blocked.", "card", "block", "26", "--reason", "lost");
    EXPECT(world, 5, "punkt: punkt card unblock makes it active again\n", "redeem", "26", "1");
    EXPECT(world, 0, "Card 59 has taken over everything of 26, account 2.", "card", "replace", "26", "59");
    EXPECT(world, 0, "Card 67 leads to account 2, which has 2 cards now.", "card", "add", "59", "67");
    EXPECT(world, 0, "The account's tags: club, staff.", "card", "tag", "59", "--set", "club", "--set",
           "staff");
    EXPECT(world, 0, "The account's tags: staff.", "card", "tag", "59", "--clear", "club");
    EXPECT(world, 2, "--set or --clear says which tags", "card", "tag", "59");
    EXPECT(world, 0, "The offer double is active.", "card", "activate", "59", "double");
    EXPECT(world, 3, "no such offer", "card", "activate", "59", "triple");
    write_file(world, "pin", "4711\nnot this\n", path);
    EXPECT(world, 0, "The PIN is set.", "card", "pin", "59", "--pin-file", path);
    EXPECT(world, 0, "10 points given to 59", "bonus", "10", "59", "--reason", "goodwill");
    EXPECT(world, 5, "give it with --pin-file or --pin-stdin", "redeem", "67", "1");
    EXPECT(world, 0, "1 points spent", "redeem", "67", "1", "--pin-file", path);
    EXPECT(world, 0, "There is no PIN any more.", "card", "pin", "67", "--clear");
    EXPECT(world, 0, "Account 1 has everything now. 9 can be spent", "account", "merge", "67", CARD);
    EXPECT(world, 0, "4 points moved. 5 can be spent, on the other account 4.", "account", "transfer", CARD,
           "34", "4");
    EXPECT(world, 0, "merge", "statement", CARD, "--with-merged");
    EXPECT(world, 0, "Card 42 is closed", "card", "close", "42");
    world_free(world);
}

static void test_spending(void **state)
{
    struct world *world = desk();
    char hold[24];
    char event[24];
    struct run run;
    (void)state;
    EXPECT(world, 0, "2 cards in a row", "card", "issue", CARD, "--count", "2");
    EXPECT(world, 0, "stamp stamps      4", "quote", CARD, "100.00", "--line", "CAP:4:100.00:coffee");
    EXPECT(world, 0, "100 points earned.", "purchase", CARD, "100.00", "--receipt", "R1", "--line",
           "CAP:4:100.00:coffee");
    EXPECT(world, 2, "a --bill of nothing needs no points", "redeem", CARD, "50", "--bill", "0.00");
    world_json(world, &run, "hold", CARD, "50", "--for", "1h", NULL);
    number_text(&run, "\"position\":", hold);
    EXPECT(world, 2, "a --bill of nothing needs no points", "capture", CARD, hold, "--bill", "0");
    EXPECT(world, 5, "(60 needed, 50 available)", "capture", CARD, hold, "60");
    EXPECT(world, 0, "20 points spent, worth 0.20 EUR, 30 free again.", "capture", CARD, hold, "20");
    EXPECT(world, 5, "the hold has ended", "release", CARD, hold);
    EXPECT(world, 0, "0 points and 2 stamps spent for coffee", "redeem", CARD, "--reward", "coffee");
    EXPECT(world, 5, "not enough stamps (4 needed, 2 available)", "redeem", CARD, "--reward", "coffee",
           "--quantity", "2");
    EXPECT(world, 0, "Voucher: CINEMA-1.", "redeem", CARD, "--reward", "cinema");
    world_json(world, &run, "hold", CARD, "10", NULL);
    number_text(&run, "\"position\":", hold);
    (void)strcat(hold, ":5");
    world_json(world, &run, "purchase", CARD, "10.00", "--receipt", "R2", "--redeem", "10", "--capture", hold,
               NULL);
    assert_int_equal(run.exit_code, 0);
    assert_int_equal(number_of(&run, "\"redeemed\":"), 15);
    assert_int_equal(number_of(&run, "\"paid\":"), 15);
    run_done(&run);
    /* A preview is the return, but for its being booked. */
    EXPECT(world, 0, "it takes 5 points, gives 7 back. Then 56 can be spent.", "return", CARD, "--receipt",
           "R2", "--amount", "5.00", "--preview");
    EXPECT(world, 0, "5 points taken, 7 given back. 56 can be spent.", "return", CARD, "--receipt", "R2",
           "--amount", "5.00");
    EXPECT(world, 0, "captured", "why", "--receipt", "R2");
    world_json(world, &run, "why", "--receipt", "R1", "--card", CARD, NULL);
    assert_non_null(
        strstr(run.out, "{\"kind\":\"stamp\",\"name\":\"stamps\",\"input\":4000,\"exact\":4000,"));
    number_text(&run, "\"position\":", event);
    EXPECT(world, 0, "100.00", "why", "--event", event);
    EXPECT(world, 3, "no such event", "why", "--event", "1");
    EXPECT(world, 5, "more than was sold", "return", CARD, "--event", event, "--amount", "100.01");
    EXPECT(world, 2, "worth nothing", "return", CARD, "--event", event, "--amount", "0.00");
    EXPECT(world, 0, "100 points moved from account 1 to account 2.", "award", "move", "26", "--receipt",
           "R1");
    world_free(world);
}

/* What has its number is booked once, be it a list; a number that was never seen is refused for good. */
static void test_retries(void **state)
{
    static const char retry[] = "00000000000000ff:1";
    struct world *world = desk();
    char path[256];
    struct run run;
    (void)state;
    write_file(world, "cards.csv", "card,account\n18,1\n26,2\n75,9\n34,3\n", path);
    EXPECT(world, 0, "3 cards in a row", "card", "issue", CARD, "--count", "3");
    for (int i = 0; i < 2; i++) {
        world_punkt(world, &run, "bonus", "10", "--cards", path, "--reason", "goodwill", "--retry", retry,
                    NULL);
        assert_int_equal(run.exit_code, 3); /* 75 is not issued; the others have theirs */
        assert_non_null(strstr(run.err, "punkt: 75: no such card\n"));
        assert_non_null(strstr(run.out, "10 points given to 34. 10 can be spent.\n"));
        assert_true((strstr(run.out, "Booked before: ") != NULL) == (i > 0));
        run_done(&run);
    }
    EXPECT(world, 0, "bonus, done. Booked before: 10 points given", "status", retry);
    write_file(world, "cards.csv", "card\n18\nno card\n26\n", path); /* read whole before anything is sent */
    EXPECT(world, 2, "cards.csv:3: \"no card\" is no card number", "bonus", "10", "--cards", path, "--reason",
           "goodwill");
    EXPECT(world, 5, "cannot be reversed", "reverse", retry);
    EXPECT(world, 0, "5 points earned", "purchase", CARD, "5.00", "--retry", "dd:1");
    EXPECT(world, 5, "another card or amount", "reverse", "dd:1", "--amount", "5.01");
    EXPECT(world, 0, "Reversed: 5 points taken", "reverse", "dd:1", "--card", CARD, "--amount", "5.00");
    EXPECT(world, 0, "Booked before: Reversed: 5 points taken", "reverse", "dd:1");
    EXPECT(world, 0, "It was never seen.", "reverse", "ee:1");
    EXPECT(world, 5, "a reversal came before this request", "purchase", CARD, "1.00", "--retry", "ee:1");
    EXPECT(world, 0, "The balance changed by -30 points. 0 can be spent, 20 are owed.", "adjust", CARD,
           "--reason", "goodwill", "--allow-debt", "--", "-30");
    EXPECT(world, 0, "10 points of debt forgiven, 10 are still owed.", "write-off", CARD, "10", "--reason",
           "goodwill");
    EXPECT(world, 0, " -10 ", "report", "debt");
    EXPECT(world, 0, "It waits in suspense", "purchase", "42", "5.00", "--advice");
    EXPECT(world, 0, " 42 ", "report", "suspense");
    EXPECT(world, 2, "--redeem: \"0\"", "purchase", CARD, "5.00", "--redeem", "0");
    world_stop(world);
    world_punkt(world, &run, "--timeout", "0.2", "return", CARD, "--receipt", "R1", "--amount", "1",
                "--preview", NULL);
    assert_null(strstr(run.err, "--retry")); /* it would have booked nothing */
    expect_run(&run, 6, "could not be reached");
    world_free(world);
}

static void test_programme(void **state)
{
    static const char mistakes[] =
        "programme: Desk\ncurrency: EUR\ntax: some\nbase:\n  - {rule: gift}\n...\n";
    struct world *world = desk();
    char draft[256];
    char bad[256];
    char text[2048];
    char wanted[512];
    struct run run;
    (void)state;
    (void)snprintf(text, sizeof(text), "%s", programme);
    memcpy(strstr(text, "points: 1,"), "points: 2,", strlen("points: 2,"));
    write_file(world, "draft.yaml", text, draft);
    write_file(world, "bad.yaml", mistakes, bad);
    EXPECT(world, 0, "Differences from version 1: 1.", "programme", "check", draft);
    EXPECT(world, 0, "points: 1 -> 2\n", "programme", "diff", draft);
    EXPECT(world, 3, "no such version", "programme", "diff", draft, "9");
    world_punkt(world, &run, "programme", "check", bad, NULL);
    assert_int_equal(run.exit_code, 5);
    (void)snprintf(wanted, sizeof(wanted), "%s:3:6: tax is \"some\"", bad);
    assert_memory_equal(run.out, wanted, strlen(wanted));
    (void)snprintf(wanted, sizeof(wanted), "\n%s:5:", bad);
    assert_non_null(strstr(run.out, wanted));
    run_done(&run);
    (void)snprintf(wanted, sizeof(wanted), "\n%s:5:", bad);
    EXPECT(world, 5, wanted, "programme", "publish", bad);
    EXPECT(world, 0, "account 1", "card", "issue", CARD);
    EXPECT(world, 0, "10 points earned.", "purchase", CARD, "10.00", "--receipt", "R1");
    /* What was booked before a start is rehearsed like all else. */
    world_stop(world);
    world_start(world);
    EXPECT(world, 0, "new points       20\n", "programme", "rehearse", draft, "--days", "1");
    EXPECT(world, 0, "Version 2 is in force from ", "programme", "publish", draft);
    EXPECT(world, 0, "20 points earned.", "purchase", CARD, "10.00", "--receipt", "R2");
    EXPECT(world, 0, "Version 3 is in force from ", "programme", "rollback", "1");
    EXPECT(world, 0, "10 points earned.", "purchase", CARD, "10.00", "--receipt", "R3");
    EXPECT(world, 0, "      3 ", "programme", "history");
    EXPECT(world, 0, "points: 2, amount", "programme", "show", "2");
    world_free(world);
}

/* A line of CSV for each day, however many pages that takes; the same rows as objects. */
static void test_reports(void **state)
{
    static const char *const names[] = { "liability", "stores", "expiry", "debt", "suspense", "cohorts" };
    struct world *world = desk();
    size_t lines = 0;
    struct run run;
    (void)state;
    EXPECT(world, 0, "account 1", "card", "issue", CARD);
    EXPECT(world, 0, "10 points earned.", "purchase", CARD, "10.00", "--receipt", "R1", "--store", "7",
           "--till", "2", "--date", "2026-01-31");
    world_punkt(world, &run, "report", "activity", "--from", "2020-01-01", "--through", "2025-12-31", "--csv",
                NULL);
    assert_int_equal(run.exit_code, 0);
    for (const char *at = run.out; *at != '\0'; at++)
        lines += *at == '\n';
    assert_int_equal(lines, 1 + 6 * 365 + 2);
    assert_non_null(strstr(run.out, "\n2024-02-29,,,0,,0,0,"));
    run_done(&run);
    EXPECT(world, 2, "--from 2026-01-02 is after --through 2026-01-01", "report", "stores", "--from",
           "2026-01-02", "--through", "2026-01-01");
    EXPECT(world, 1, "field from is after field through", "report", "activity", "--from", "2099-01-02");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        world_punkt(world, &run, "report", names[i], NULL);
        assert_int_equal(run.exit_code, 0);
        run_done(&run);
        EXPECT(world, 2, "either --json or --csv", "report", names[i], "--json", "--csv");
    }
    world_json(world, &run, "report", "cohorts", NULL);
    assert_int_equal(number_of(&run, "\"earned\":"), 10);
    assert_int_equal(number_of(&run, "\"redemption_rate\":"), 0);
    run_done(&run);
    EXPECT(world, 0, "10 points spent", "redeem", CARD, "10");
    EXPECT(world, 0, ",redemption_rate\n", "report", "cohorts", "--csv");
    EXPECT(world, 0, ",100.0 %\n", "report", "cohorts", "--csv");
    world_json(world, &run, "till", "totals", "--store", "7", "--till", "2", "--date", "2026-01-31", NULL);
    assert_int_equal(number_of(&run, "\"purchase_amount\":"), 1000);
    assert_non_null(strstr(run.out, "\"lanes\":[{\"epoch\":\""));
    run_done(&run);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cards),     cmocka_unit_test(test_spending), cmocka_unit_test(test_retries),
        cmocka_unit_test(test_programme), cmocka_unit_test(test_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
