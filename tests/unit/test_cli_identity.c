/*
 * Which identity a command runs with, and what of it the command line needs to know.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/identity.h"

static char folder[64];

static void path_in(const char *name, char out[256])
{
    (void)snprintf(out, 256, "%s/%s", folder, name);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/punkt-identity-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)unsetenv("PUNKT_IDENTITY");
    (void)unsetenv("XDG_CONFIG_HOME");
    return setenv("HOME", folder, 1);
}

static int tear_down(void **state)
{
    static const char *const names[] = {
        ".config/punkt/identity", ".config/punkt", ".config", "a/b/c", "a/b", "a", "no_till", "till"
    };
    char path[256];
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        path_in(names[i], path);
        (void)remove(path);
    }
    return rmdir(folder);
}

static void test_local(void **state)
{
    static const char *const local[] = {
        "unix:/run/punkt", "127.0.0.1:7400",        "127.8.9.1", "[::1]:7400", "localhost:1",
        "localhost",       "127.0.0.1:1,10.0.0.5:1"
    };
    static const char *const far[] = { "10.0.0.5:7400", "points.example.com", "[2001:db8::1]:7400",
                                       "12.7.0.0:1", "localhost.example.com:7443" };
    (void)state;
    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++)
        assert_true(cli_is_local(local[i]));
    for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++)
        assert_false(cli_is_local(far[i]));
}

/* Only what stands in front of the keys, cut to the room there is. */
static void test_values(void **state)
{
    char path[256];
    char value[8];
    (void)state;
    path_in("till", path);
    write_file(path,
               "server: points.example.com:7443\nstore: 12\r\ntill:3\n-----BEGIN PRIVATE KEY-----\nrole: "
               "till\n-----END PRIVATE KEY-----\n");
    assert_true(cli_identity_value(path, "store", value, sizeof(value)));
    assert_string_equal(value, "12");
    assert_true(cli_identity_value(path, "till", value, sizeof(value)));
    assert_string_equal(value, "3");
    assert_true(cli_identity_value(path, "server", value, sizeof(value)));
    assert_string_equal(value, "points.");
    assert_false(cli_identity_value(path, "role", value, sizeof(value)));
    assert_false(cli_identity_value(path, "serve", value, sizeof(value)));
    path_in("no_till", path);
    assert_false(cli_identity_value(path, "store", value, sizeof(value)));
}

static struct cli chosen(const char *server, const char *given)
{
    struct cli cli = { .server = server };
    cli_choose_identity(&cli, given);
    return cli;
}

/* --identity, then PUNKT_IDENTITY, then the one at home, unless this machine's own server is named. */
static void test_chosen(void **state)
{
    char home[256];
    char till[256];
    (void)state;
    path_in("till", till);
    path_in(".config/punkt/identity", home);
    write_file(till, "store: 12\ntill: 3\n");
    assert_null(chosen(NULL, NULL).identity);
    assert_true(cli_make_folders(home));
    write_file(home, "name: anna\n");
    struct cli cli = chosen(NULL, NULL);
    assert_string_equal(cli.identity_path, home);
    assert_non_null(cli.identity);
    assert_string_equal(cli.own_store, "");
    assert_non_null(chosen("10.0.0.5:7443", NULL).identity);
    assert_null(chosen("127.0.0.1:7400", NULL).identity);
    assert_null(chosen("unix:/run/punkt", NULL).identity);
    cli = chosen("127.0.0.1:7443", till);
    assert_string_equal(cli.identity, till);
    assert_string_equal(cli.own_store, "12");
    assert_string_equal(cli.own_till, "3");
    assert_int_equal(setenv("PUNKT_IDENTITY", till, 1), 0);
    assert_string_equal(chosen("127.0.0.1:7443", NULL).identity, till);
    assert_string_equal(chosen(NULL, home).identity, home);
    assert_null(chosen("unix:/run/punkt", NULL).identity);
    assert_string_equal(chosen("unix:/run/punkt", home).identity, home);
    assert_int_equal(setenv("PUNKT_IDENTITY", "", 1), 0);
    assert_null(chosen("127.0.0.1:7443", NULL).identity);
}

/* Folders are their owner's alone. */
static void test_folders(void **state)
{
    char path[256];
    struct stat status;
    (void)state;
    path_in("a/b/c", path);
    assert_true(cli_make_folders(path));
    assert_int_equal(stat(path, &status), -1);
    path_in("a/b", path);
    assert_int_equal(stat(path, &status), 0);
    assert_true(S_ISDIR(status.st_mode));
    assert_int_equal(status.st_mode & 0077, 0);
    path_in("till/x/y", path);
    char file[256];
    path_in("till", file);
    write_file(file, "");
    assert_false(cli_make_folders(path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_local, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_chosen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_folders, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
