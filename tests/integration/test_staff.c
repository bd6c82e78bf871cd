/*
 * The commands of a chain with several people and tills: who there is, who one is, what waits for another's approval, what
 * was flagged, and who did what. Each as people type it, over TLS, with the identity that a code gave them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mock_world.h"
#include "secure.h"

#define CARD "2900000000018"
#define WORDS_MAX 24

static const char programme[] = "base: [{rule: spend, points: 1, amount: 1.00}]\nreasons: [goodwill]\n"
                                "adjust_limits: {office: 100}\n...\n";

/* --- what is typed --- */

/* punkt --identity WHO ..., NULL at the end; the identity says where the server is. */
__attribute__((sentinel)) static void type_as(const char *who, struct run *out_run, ...)
{
    const char *argv[WORDS_MAX] = { "punkt", "--identity", who };
    size_t count = 3;
    va_list words;
    va_start(words, out_run);
    for (const char *word = va_arg(words, const char *); word != NULL; word = va_arg(words, const char *)) {
        assert_true(count + 1 < WORDS_MAX);
        argv[count++] = word;
    }
    va_end(words);
    run_begin(argv, NULL, out_run);
    run_end(out_run);
}

static void expect(struct run *run, int exit_code, const char *wanted)
{
    const char *said = exit_code == 0 ? run->out : run->err;
    if (run->exit_code != exit_code || strstr(said, wanted) == NULL)
        fail_msg("%d instead of %d, \"%s\" wanted: %s%s", run->exit_code, exit_code, wanted, run->out,
                 run->err);
    run_done(run);
}

/* What it prints has this in it, or what it complains about where it fails. */
#define AS(who, exit_code, wanted, ...)                                                                      \
    do {                                                                                                     \
        struct run run_;                                                                                     \
        type_as(who, &run_, __VA_ARGS__, NULL);                                                              \
        expect(&run_, exit_code, wanted);                                                                    \
    } while (0)

/* The same of the local administrator. */
#define LOCAL(world, exit_code, wanted, ...)                                                                 \
    do {                                                                                                     \
        struct run run_;                                                                                     \
        world_punkt(world, &run_, __VA_ARGS__, NULL);                                                        \
        expect(&run_, exit_code, wanted);                                                                    \
    } while (0)

/* What stands behind a mark, up to the end of the word. */
static void word_behind(const char *text, const char *mark, char out[SECURE_PATH_MAX])
{
    const char *at = strstr(text, mark);
    if (at == NULL)
        fail_msg("no \"%s\" in: %s", mark, text);
    at += strlen(mark);
    (void)snprintf(out, SECURE_PATH_MAX, "%.*s", (int)strcspn(at, " :,;)\"\n"), at);
}

static size_t lines_of(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

/* --- the register --- */

/* `till add` prints a command that makes another machine the till, there word for word but for its host. */
static void test_till(void **state)
{
    struct world *world = secure_world_new(programme);
    char address[SECURE_PATH_MAX], code[SECURE_PATH_MAX], file[SECURE_PATH_MAX];
    struct run run;
    (void)state;
    assert_int_equal(setenv("HOME", world_folder(world), 1), 0);
    LOCAL(world, 0, "No till is in the register.\n", "till", "list");
    LOCAL(world, 3, "no such till or user in the register\npunkt: punkt till list", "till", "suspend",
          "12/3");
    LOCAL(world, 3, "punkt: 12/3: no such till or user in the register\n", "till", "show", "12/3");
    world_punkt(world, &run, "till", "add", "12/3", NULL);
    assert_int_equal(run.exit_code, 0);
    assert_non_null(strstr(run.out, "Number 2 of the register now: till 12/3.\nOnce, until 20"));
    secure_address(world, "enrol", address);
    char port[SECURE_PATH_MAX];
    (void)snprintf(port, sizeof(port), "%s ", strchr(address, ':'));
    word_behind(run.out, port, code);
    run_done(&run);
    /* Nothing is said of where: it is written where it is looked for. */
    const char *const enrol[] = { "punkt", "enrol", address, code, NULL };
    run_begin(enrol, NULL, &run);
    run_end(&run);
    expect(&run, 0, "This is till 12/3, number 2 of the register at 127.0.0.1:");
    const char *const whoami[] = { "punkt", "--json", "whoami", NULL };
    run_begin(whoami, NULL, &run);
    run_end(&run);
    expect(
        &run, 0,
        "{\"identity\":2,\"role\":\"till\",\"name\":null,\"store\":\"12\",\"till\":\"3\",\"key_ends\":\"20");
    (void)snprintf(file, sizeof(file), "%s/.config/punkt/identity", world_folder(world));
    AS(file, 2, "--replace overwrites it", "enrol", address, code);
    LOCAL(world, 0, "Number 2 of the register, till 12/3, is suspended.\n", "till", "suspend", "12/3");
    AS(file, 4, "punkt: 127.0.0.1:", "whoami"); /* what is wrong is said once */
    AS(file, 4, ": this identity may not do that: suspended", "whoami");
    LOCAL(world, 0, "is active.\n", "till", "resume", "12/3");
    AS(file, 0, "till 12/3, number 2 of the register. The key ends 20", "whoami");
    LOCAL(world, 0, "Number 2 of the register, till 12/3, is revoked.\n", "till", "revoke", "12/3",
          "--reason", "stolen");
    AS(file, 4, "revoked", "whoami");
    /* The place may be given again, to another. */
    LOCAL(world, 0, "Number 3 of the register now: till 12/3.\n", "till", "add", "12/3");
    world_json(world, &run, "till", "show", "12/3", NULL);
    assert_int_equal(lines_of(run.out), 2);
    expect(&run, 0, "\"status\":\"revoked\"");
    LOCAL(world, 5, "12/3 was added more than once", "status", "1:1", "--of", "12/3");
    world_punkt(world, &run, "till", "list", "--store", "13", NULL);
    expect(&run, 0, "No till is in the register.\n");
    world_free(world);
}

/* Users are listed as a table, whose columns are what there is to say. */
static void test_users(void **state)
{
    struct world *world = secure_world_new(programme);
    char anna[SECURE_PATH_MAX], ben[SECURE_PATH_MAX];
    (void)state;
    secure_user(world, "anna", "supervisor", anna);
    secure_user(world, "ben", "auditor", ben);
    AS(anna, 4, "punkt: punkt whoami says who one is here", "user", "list");
    AS(ben, 0, "identity role       status proof       name added ", "user", "list");
    AS(ben, 0, "       2 supervisor active certificate anna 20", "user", "list");
    AS(ben, 4, "this identity may not do that", "user", "role", "ben", "admin");
    LOCAL(world, 0, "Number 2 of the register, user anna, is active as office.\n", "user", "role", "anna",
          "office");
    AS(anna, 0, "user anna, office, number 2 of the register.", "whoami");
    LOCAL(world, 5, "there is nothing to do", "user", "role", "anna", "office");
    LOCAL(world, 5, "the register has this till, user or key already", "user", "add", "anna", "--role",
          "office");
    /* Another key: the old one serves until the new one is there. */
    LOCAL(world, 0, "punkt enrol 127.0.0.1:", "user", "rotate", "anna");
    AS(anna, 0, "user anna, office", "whoami");
    LOCAL(world, 0, "is revoked as office.\n", "user", "revoke", "anna", "--reason", "has left");
    AS(anna, 4, "revoked", "whoami");
    AS(ben, 0, "\"actor\":\"local\",\"detail\":", "--json", "audit", "log", "--kind", "identity");
    world_free(world);
}

/* Who brings a certificate of another CA needs no code; a private key is nobody else's business. */
static void test_certificates(void **state)
{
    struct world *world = secure_world_new(programme);
    char anna[SECURE_PATH_MAX], file[SECURE_PATH_MAX];
    struct run run;
    (void)state;
    secure_user(world, "anna", "office", anna);
    LOCAL(world, 1, "a private key is in it", "user", "add", "ben", "--role", "office", "--certificate",
          anna);
    (void)snprintf(file, sizeof(file), "%s/none.pem", world_folder(world));
    LOCAL(world, 1, "none.pem: No such file", "till", "add", "12/3", "--certificate", file);
    (void)snprintf(file, sizeof(file), "%s/tls/server.key", world_folder(world));
    LOCAL(world, 1, "this is no certificate", "till", "add", "12/3", "--certificate", file);
    (void)snprintf(file, sizeof(file), "%s/tls/server.pem", world_folder(world));
    world_punkt(world, &run, "till", "add", "12/3", "--certificate", file, NULL);
    assert_string_equal(run.out, "Number 3 of the register now: till 12/3.\n");
    run_done(&run);
    LOCAL(world, 5, "the key of this certificate is in the register", "user", "rotate", "anna",
          "--certificate", file);
    LOCAL(world, 0, "\"status\":\"active\",\"proof\":\"certificate\"", "--json", "till", "show", "12/3");
    world_free(world);
}

/* --- what others did --- */

static void test_foreign(void **state)
{
    struct world *world = secure_world_new(programme);
    char till[SECURE_PATH_MAX], anna[SECURE_PATH_MAX];
    (void)state;
    secure_till(world, "12", "3", till);
    secure_user(world, "anna", "supervisor", anna);
    LOCAL(world, 0, "is active", "card", "issue", CARD);
    /* A till need not say where it is. */
    AS(till, 0, "105 points earned", "purchase", CARD, "105.00", "--receipt", "R1", "--retry", "abc:1");
    AS(anna, 0, "\"actor\":\"12/3\"", "--json", "why", "--receipt", "R1", "--store", "12", "--till", "3");
    AS(till, 4, "this identity may not do that", "why", "--receipt", "R1");
    AS(till, 4, "this identity may not do that", "purchase", CARD, "1.00", "--receipt", "R2", "--till", "4",
       "--retry", "abc:2");
    LOCAL(world, 0, "never seen", "status", "abc:1");
    LOCAL(world, 0, "purchase, done. ", "status", "abc:1", "--of", "12/3");
    AS(anna, 0, "purchase, done. ", "status", "abc:1", "--of", "2");
    AS(anna, 4, "--of takes the number in the register", "reverse", "abc:1", "--of", "12/3");
    AS(anna, 0, "Reversed: 105 points taken", "reverse", "abc:1", "--of", "2");
    AS(till, 0, "\"available\":0", "--json", "card", "show", CARD);
    world_free(world);
}

/* --- approval --- */

/* An adjustment above the limit of who sends it: the number of the proposal. */
static void propose(const char *who, const char *points, char out_number[SECURE_PATH_MAX])
{
    struct run run;
    type_as(who, &run, "adjust", CARD, "--reason", "goodwill", "--", points, NULL);
    word_behind(run.err, "proposal ", out_number);
    expect(&run, 4, "punkt approval approve");
}

static void test_approval(void **state)
{
    struct world *world = secure_world_new(programme);
    char olga[SECURE_PATH_MAX], paul[SECURE_PATH_MAX], first[SECURE_PATH_MAX], second[SECURE_PATH_MAX];
    (void)state;
    secure_user(world, "olga", "office", olga);
    secure_user(world, "paul", "approver", paul);
    LOCAL(world, 0, "is active", "card", "issue", CARD);
    AS(paul, 0, "Nothing waits for approval.\n", "approval", "list");
    AS(olga, 0, "The balance changed by 100 points.", "adjust", CARD, "--reason", "goodwill", "--", "100");
    propose(olga, "500", first);
    AS(olga, 4, "\"retryable\":false,\"proposal\":", "--json", "adjust", CARD, "--reason", "goodwill", "--",
       "501");
    LOCAL(world, 0, "\"points\":501", "--json", "approval", "list");
    propose(olga, "101", second);
    AS(paul, 0, "\"state\":\"open\",\"operation\":\"adjust\",\"identity\":2,\"actor\":\"olga\"", "--json",
       "approval", "list");
    AS(paul, 0, "olga", "approval", "show", first);
    AS(olga, 4, "this identity may not do that", "approval", "approve", first);
    AS(paul, 0, "Approved and booked: adjust.\nThe balance changed by 500 points. 600 can be spent.\n",
       "approval", "approve", first, "--note", "spoke with the customer");
    AS(paul, 5, "punkt approval show says what came of it", "approval", "approve", first);
    AS(paul, 0, "approved", "approval", "show", first);
    AS(paul, 0, "Rejected, nothing is booked: adjust.\n", "approval", "reject", second);
    AS(paul, 3, "punkt approval list shows those that are open", "approval", "show", "1");
    AS(paul, 0, "    501 goodwill", "approval", "list");
    LOCAL(world, 0, "\"available\":600", "--json", "card", "show", CARD);
    LOCAL(world, 0, "paul", "audit", "log", "--actor", "paul");
    LOCAL(world, 2, "there is no kind of event", "audit", "log", "--kind", "approvals");
    world_free(world);
}

/* --- flags --- */

static void test_flags(void **state)
{
    struct world *world = secure_world_new(programme);
    char olga[SECURE_PATH_MAX], till[SECURE_PATH_MAX], flag[SECURE_PATH_MAX];
    struct run run;
    (void)state;
    secure_user(world, "olga", "office", olga);
    secure_till(world, "12", "3", till);
    LOCAL(world, 0, "is active", "card", "issue", CARD);
    AS(olga, 0, "Nothing is flagged.\n", "flags", "list");
    /* Many points on one day: the customer notices nothing. */
    AS(till, 0, "6000 points earned. ", "purchase", CARD, "6000.00", "--receipt", "R1");
    type_as(olga, &run, "--json", "flags", "list", NULL);
    word_behind(run.out, "\"flag\":", flag);
    expect(&run, 0, "\"kinds\":[\"points_day\"],\"event\":\"purchase\"");
    AS(olga, 0, "points_day", "flags", "list");
    AS(till, 4, "this identity may not do that", "flags", "list");
    AS(olga, 0, "The flag is resolved.\n", "flags", "resolve", flag, "--note", "a party");
    AS(olga, 3, "punkt flags list shows those that are open", "flags", "resolve", flag);
    AS(olga, 0, "Nothing is flagged.\n", "flags", "list");
    world_free(world);
}

/* --- the witness --- */

/* What a till printed in the evening is typed as it stands there, and the journal leads through it. */
static void test_head(void **state)
{
    struct world *world = secure_world_new(programme);
    char till[SECURE_PATH_MAX], head[SECURE_PATH_MAX], outbox[SECURE_PATH_MAX];
    struct run run;
    size_t size = 0;
    (void)state;
    secure_till(world, "12", "3", till);
    (void)snprintf(outbox, sizeof(outbox), "%s/till.outbox", world_folder(world));
    LOCAL(world, 0, "is active", "card", "issue", CARD);
    AS(till, 0, "105 points earned", "purchase", CARD, "105.00", "--receipt", "R1", "--outbox", outbox);
    type_as(till, &run, "till", "close", "--outbox", outbox, NULL);
    const char *at = strstr(run.out, "\nJournal ");
    assert_non_null(at);
    assert_int_equal(run.exit_code, 0);
    at = strchr(at + 1, '\n');
    for (; *at != '\0' && size + 1 < sizeof(head); at++)
        head[size++] = (char)(*at == '\n' ? ' ' : *at);
    head[size] = '\0';
    run_done(&run);
    LOCAL(world, 0, "The chain leads through the head that was given", "audit", "verify", "--head", head);
    LOCAL(world, 0, "\"head\":\"found\"", "--json", "audit", "verify", "--head", head);
    char *digit = strpbrk(head, "0123456789abcdef");
    *digit = *digit == '0' ? '1' : '0';
    LOCAL(world, 1, "the journal does not lead through this head", "audit", "verify", "--head", head);
    AS(till, 4, "this identity may not do that", "audit", "verify");
    world_stop(world);
    const char *const files[] = { "punkt",           "audit",  "verify", "--data",
                                  world_data(world), "--head", head,     NULL };
    run_begin(files, NULL, &run);
    run_end(&run);
    assert_int_equal(run.exit_code, 1);
    run_done(&run);
    *digit = *digit == '0' ? '1' : '0';
    world_free(world);
}

/* --- pages --- */

/* punkt --json ... of a mock: so many lines, the last with this in it. */
#define MOCK_SAYS(mock, lines, last, ...)                                                                    \
    do {                                                                                                     \
        const char *const argv_[] = { "punkt",  "--server",  mock_world_address(mock),                       \
                                      "--json", __VA_ARGS__, NULL };                                         \
        struct run run_;                                                                                     \
        run_begin(argv_, NULL, &run_);                                                                       \
        run_end(&run_);                                                                                      \
        assert_int_equal(lines_of(run_.out), lines);                                                         \
        expect(&run_, 0, last);                                                                              \
    } while (0)

#define FLAG(number)                                                                                         \
    "{\"flag\":" number ",\"time\":\"2026-01-01T00:00:00Z\",\"kinds\":[\"staff\"],\"event\":\"purchase\","   \
    "\"identity\":2,\"actor\":\"12/3\"}"
#define ACT(number)                                                                                          \
    "{\"position\":" number ",\"time\":\"2026-01-01T00:00:00Z\",\"kind\":\"adjustment\",\"identity\":2,"     \
    "\"actor\":\"olga\"}"

/* As many pages as there are, empty ones among them; no more than was asked for, and none asked for in vain. */
static void test_pages(void **state)
{
    struct mock_world *mock = mock_world_new(NULL);
    (void)state;
    mock_world_tell(mock, "answer flag_list {\"next\":7,\"entries\":[" FLAG("1") "," FLAG("2") "]} from=0");
    mock_world_tell(mock, "answer flag_list {\"next\":9,\"entries\":[]} from=7");
    mock_world_tell(mock, "answer flag_list {\"next\":0,\"entries\":[" FLAG("9") "]} from=9");
    MOCK_SAYS(mock, 3, "{\"flag\":9,", "flags", "list");
    mock_world_tell(mock,
                    "answer audit_log {\"next\":7,\"entries\":[" ACT("1") "," ACT("2") "]} from=0 limit=3");
    mock_world_tell(mock,
                    "answer audit_log {\"next\":9,\"entries\":[" ACT("7") "," ACT("8") "]} from=7 limit=1");
    MOCK_SAYS(mock, 3, "{\"position\":7,", "audit", "log", "--limit", "3");
    mock_world_tell(mock, "answer identity_list {\"next\":200,\"entries\":[]} from=0");
    mock_world_tell(mock,
                    "answer identity_list {\"next\":0,\"entries\":[{\"identity\":201,\"role\":\"till\","
                    "\"status\":\"active\",\"proof\":\"psk\",\"name\":null,\"store\":\"12\",\"till\":\"3\","
                    "\"added\":\"2026-01-01T00:00:00Z\"}]} from=200");
    MOCK_SAYS(mock, 1, "{\"identity\":201,\"role\":\"till\",\"status\":\"active\"", "till", "show", "12/3");
    /* Without being told what to answer it says what it lacks. */
    struct run run;
    const char *const argv[] = { "punkt", "--server", mock_world_address(mock), "till", "list", NULL };
    run_begin(argv, NULL, &run);
    run_end(&run);
    expect(&run, 1, "the mock has no register of tills and users");
    json_decref(mock_world_end(mock));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_till),    cmocka_unit_test(test_users),    cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_foreign), cmocka_unit_test(test_approval), cmocka_unit_test(test_flags),
        cmocka_unit_test(test_head),    cmocka_unit_test(test_pages),
    };
    (void)unsetenv("PUNKT_SERVER");
    (void)unsetenv("PUNKT_IDENTITY");
    (void)unsetenv("XDG_CONFIG_HOME");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
