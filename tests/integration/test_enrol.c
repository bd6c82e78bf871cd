/*
 * How a till or user comes in and is shut out, over real connections: a code that somebody guesses at, uses twice, or uses for
 * another key; connections that end with the right to them (RELIABILITY.md, Identity, roles; Limits).
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "secure.h"

#define CLOSED_MS 1000 /* revoking closes live connections within a second */
#define LANE 7

static void run_punkt(const char *const argv[], int exit_code)
{
    struct run run;
    run_begin(argv, NULL, &run);
    run_end(&run);
    if (run.exit_code != exit_code)
        fail_msg("%s %s: %d instead of %d: %s", argv[0], argv[1], run.exit_code, exit_code, run.err);
    run_done(&run);
}

/* The code of an answer. */
static void take_code(struct run *run, char out[SECURE_PATH_MAX])
{
    const char *code = strstr(run->out, "\"code\":\"");
    assert_int_equal(run->exit_code, 0);
    assert_non_null(code);
    (void)snprintf(out, SECURE_PATH_MAX, "%.39s", code + 8);
    run_done(run);
}

/* Adds a till, or renews its key: the code. */
static void code_for(const struct world *world, const char *act, const char *place, char out[SECURE_PATH_MAX])
{
    struct run run;
    world_json(world, &run, "till", act, place, NULL);
    take_code(&run, out);
}

/* Uses a code, or tries to; the file of the identity is named. */
static void enrol(const struct world *world, const char *code, const char *name, int exit_code,
                  char out[SECURE_PATH_MAX])
{
    char address[SECURE_PATH_MAX];
    secure_address(world, "enrol", address);
    (void)snprintf(out, SECURE_PATH_MAX, "%s/%s", world_folder(world), name);
    const char *const argv[] = { "punkt", "enrol", address, code, "--identity", out, NULL };
    run_punkt(argv, exit_code);
}

static void till_act(const struct world *world, const char *act, const char *place)
{
    struct run run;
    world_punkt(world, &run, "till", act, place, NULL);
    if (run.exit_code != 0)
        fail_msg("till %s %s: %s", act, place, run.err);
    run_done(&run);
}

static void assert_served(struct secure *secure)
{
    struct msg_ping_request ping;
    message_init(MESSAGE_ping_request, &ping);
    assert_int_equal(secure_call(secure, OPERATION_PING, 0, &ping), RESULT_DONE);
}

/* A till that is suspended or revoked: its connections end at once, others go on. */
static void test_shut_out(void **state)
{
    static const char *const acts[] = { "suspend", "revoke" };
    struct world *world = secure_world_new(NULL);
    char bad[SECURE_PATH_MAX];
    char good[SECURE_PATH_MAX];
    (void)state;
    secure_till(world, "12", "3", bad);
    secure_till(world, "12", "4", good);
    struct secure *other = secure_hello(world, good, LANE);
    for (size_t i = 0; i < 2; i++) {
        struct secure *live = secure_hello(world, bad, LANE + i);
        struct secure *queue = secure_hello(world, bad, LANE + 10 + i);
        assert_served(live);
        till_act(world, acts[i], "12/3");
        int64_t answered_ms = world_now_ms();
        secure_expect_end(live);
        secure_expect_end(queue);
        assert_in_range(world_now_ms() - answered_ms, 0, CLOSED_MS);
        secure_free(queue);
        secure_free(live);
        assert_served(other);
        const char *const whoami[] = { "punkt", "--identity", bad, "whoami", NULL };
        run_punkt(whoami, 4);
        if (i == 0)
            till_act(world, "resume", "12/3");
    }
    secure_free(other);
    world_free(world);
}

/* Two connections of a till: a third one takes the place of the first, when it has said hello. */
static void test_newest_win(void **state)
{
    struct world *world = secure_world_new(NULL);
    char file[SECURE_PATH_MAX];
    (void)state;
    secure_till(world, "12", "3", file);
    struct secure *first = secure_hello(world, file, LANE);
    struct secure *second = secure_hello(world, file, LANE + 1);
    struct secure *third = secure_hello(world, file, LANE + 2);
    secure_expect_end(first);
    assert_served(second);
    assert_served(third);
    secure_free(third);
    secure_free(second);
    secure_free(first);
    world_free(world);
}

/* The old key serves until the new one is there, and no longer. */
static void test_rotated(void **state)
{
    struct world *world = secure_world_new(NULL);
    char before[SECURE_PATH_MAX];
    char after[SECURE_PATH_MAX];
    char again[SECURE_PATH_MAX];
    char code[SECURE_PATH_MAX];
    (void)state;
    secure_till(world, "12", "3", before);
    struct secure *old = secure_hello(world, before, LANE);
    code_for(world, "rotate", "12/3", code);
    assert_served(old);
    enrol(world, code, "after", 0, after);
    secure_expect_end(old);
    secure_free(old);
    const char *const whoami[] = { "punkt", "--identity", before, "whoami", NULL };
    run_punkt(whoami, 4);
    struct secure *fresh = secure_hello(world, after, LANE);
    assert_served(fresh);
    secure_free(fresh);
    enrol(world, code, "again", 4, again); /* it was used, for another key */
    world_free(world);
}

/* Another letter of the secret, so that the code is as good as guessed. */
static void spoil(char code[SECURE_PATH_MAX])
{
    char *last = &code[strlen(code) - 1];
    *last = *last == '0' ? '1' : '0';
}

/* Three guesses, and the code is void also for who has the right one. That is in the journal, and nothing else is. */
static void test_guessed(void **state)
{
    struct world *world = secure_world_new(NULL);
    char right[SECURE_PATH_MAX];
    char wrong[SECURE_PATH_MAX];
    char file[SECURE_PATH_MAX];
    struct run run;
    (void)state;
    code_for(world, "add", "12/3", right);
    (void)snprintf(wrong, sizeof(wrong), "%s", right);
    spoil(wrong);
    for (int i = 0; i < 3; i++)
        enrol(world, wrong, "wrong", 4, file);
    enrol(world, right, "right", 4, file);
    world_punkt(world, &run, "audit", "log", "--kind", "identity", NULL);
    assert_int_equal(run.exit_code, 0);
    assert_non_null(strstr(run.out, "add till 12/3"));
    assert_non_null(strstr(run.out, "too many wrong tries of its code"));
    assert_null(strstr(run.out, "enrol till"));
    run_done(&run);
    char *said = world_said(world);
    assert_non_null(strstr(said, "refused enrolment"));
    assert_null(strstr(said, "refused proof"));
    free(said);
    code_for(world, "rotate", "12/3", right);
    enrol(world, right, "right", 0, file);
    world_free(world);
}

static void assert_whoami(const char *identity, int exit_code)
{
    const char *const whoami[] = { "punkt", "--identity", identity, "whoami", NULL };
    run_punkt(whoami, exit_code);
}

/* A till with a pre-shared key comes in as others do, and its old key is worth nothing when it has a new one. */
static void test_psk(void **state)
{
    struct world *world = secure_world_new(NULL);
    char first[SECURE_PATH_MAX];
    char second[SECURE_PATH_MAX];
    char code[SECURE_PATH_MAX];
    struct run run;
    (void)state;
    world_json(world, &run, "till", "add", "12/3", "--psk", NULL);
    take_code(&run, code);
    enrol(world, code, "first", 0, first);
    assert_whoami(first, 0);
    enrol(world, code, "second", 4, second); /* its key has been used since */
    world_json(world, &run, "audit", "log", "--kind", "identity", NULL);
    assert_non_null(strstr(run.out, "enrol till 12/3, by pre-shared key, from 127.0.0.1\""));
    run_done(&run);
    till_act(world, "suspend", "12/3");
    assert_whoami(first, 4);
    till_act(world, "resume", "12/3");
    code_for(world, "rotate", "12/3", code);
    assert_whoami(first, 0);
    enrol(world, code, "second", 0, second);
    assert_whoami(first, 6); /* of a key that is no more nothing is said */
    assert_whoami(second, 0);
    world_free(world);
}

/* Another name of the server: who enrols after SIGHUP looks for that one. */
static void test_server_renamed(void **state)
{
    struct world *world = secure_world_new(NULL);
    char folder[SECURE_PATH_MAX];
    char code[SECURE_PATH_MAX];
    char identity[SECURE_PATH_MAX];
    struct run run;
    bool renamed = false;
    (void)state;
    (void)snprintf(folder, sizeof(folder), "%s/tls", world_folder(world));
    const char *const argv[] = { "punktd",    "init-ca", "--renew",   folder, "--name",
                                 "localhost", "--name",  "127.0.0.1", NULL };
    world_json(world, &run, "till", "add", "12/3", NULL);
    assert_non_null(strstr(run.out, "\"server\":\"127.0.0.1\""));
    run_done(&run);
    run_punkt(argv, 0);
    assert_int_equal(kill(world_pid(world), SIGHUP), 0);
    for (int i = 0; i < 200 && !renamed; i++) {
        world_json(world, &run, "till", "rotate", "12/3", NULL);
        renamed = strstr(run.out, "\"server\":\"localhost\"") != NULL;
        take_code(&run, code);
    }
    assert_true(renamed);
    enrol(world, code, "renamed", 0, identity);
    assert_whoami(identity, 0);
    world_free(world);
}

static void move_file(const char *from, const char *to, const char *name)
{
    char path[2 * SECURE_PATH_MAX];
    char other[2 * SECURE_PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/%s", from, name);
    (void)snprintf(other, sizeof(other), "%s/%s", to, name);
    assert_int_equal(rename(path, other), 0);
}

/* Files of another CA would shut out all who enrolled: SIGHUP does not take them. */
static void test_another_ca_at_reload(void **state)
{
    struct world *world = secure_world_new(NULL);
    char folder[SECURE_PATH_MAX], other[SECURE_PATH_MAX], kept[SECURE_PATH_MAX];
    char code[SECURE_PATH_MAX], identity[SECURE_PATH_MAX];
    (void)state;
    (void)snprintf(folder, sizeof(folder), "%s/tls", world_folder(world));
    (void)snprintf(other, sizeof(other), "%s/tls-2", world_folder(world));
    (void)snprintf(kept, sizeof(kept), "%s/kept", world_folder(world));
    run_punkt((const char *const[]){ "punktd", "init-ca", other, "--name", "127.0.0.1", NULL }, 0);
    assert_int_equal(mkdir(kept, 0700), 0);
    code_for(world, "add", "12/3", code);
    enrol(world, code, "known", 0, identity);
    move_file(other, folder, "server.pem");
    move_file(other, folder, "server.key");
    assert_int_equal(kill(world_pid(world), SIGHUP), 0);
    world_wait_said(world, "is not signed by the CA of");
    assert_whoami(identity, 0);
    move_file(folder, kept, "ca.pem");
    move_file(other, folder, "ca.pem");
    assert_int_equal(kill(world_pid(world), SIGHUP), 0);
    world_wait_said(world, "is another CA than at the start");
    assert_whoami(identity, 0);
    move_file(kept, folder, "ca.pem");
    run_punkt((const char *const[]){ "punktd", "init-ca", "--renew", folder, NULL }, 0);
    assert_int_equal(kill(world_pid(world), SIGHUP), 0);
    assert_whoami(identity, 0);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shut_out),
        cmocka_unit_test(test_newest_win),
        cmocka_unit_test(test_rotated),
        cmocka_unit_test(test_guessed),
        cmocka_unit_test(test_psk),
        cmocka_unit_test(test_server_renamed),
        cmocka_unit_test(test_another_ca_at_reload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
