/* The secrets file: made once with everything, read again, and refused whenever it is not what it should be. */
#include "ops/secrets.h"

#include "ops_files.h"

#include <sys/stat.h>
#include <unistd.h>

#define A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define B "ff112233445566778899aabbccddeeff00112233445566778899aabbccddee00"

struct place {
    char folder[64], file[80];
};

static int set_up(void **state)
{
    static struct place place;
    (void)snprintf(place.folder, sizeof(place.folder), "/tmp/punkt_secrets.XXXXXX");
    if (mkdtemp(place.folder) == NULL)
        return -1;
    (void)snprintf(place.file, sizeof(place.file), "%s/secrets", place.folder);
    *state = &place;
    return 0;
}

static int tear_down(void **state)
{
    const struct place *place = *state;
    (void)unlink(place->file);
    return rmdir(place->folder);
}

static void holds(const struct place *place, const char *text)
{
    FILE *file = fopen(place->file, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(place->file, 0600), 0);
}

static void made_once(void **state)
{
    const struct place *place = *state;
    struct failure failure = { "" };
    struct secrets made = { .psk_masters_known = 0 }, again = { .psk_masters_known = 0 };
    struct stat status;
    assert_int_equal(secrets_load(place->file, &made, &failure), PUNKT_OK);
    assert_int_equal(stat(place->file, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(made.psk_masters_known, 1);
    assert_memory_not_equal(made.pin_pepper, made.psk_masters[0], 32);
    assert_int_equal(secrets_load(place->file, &again, &failure), PUNKT_OK);
    assert_memory_equal(&again, &made, sizeof(made));
}

static void reads_masters(void **state)
{
    const struct place *place = *state;
    struct failure failure = { "" };
    struct secrets secrets = { .psk_masters_known = 0 };
    /* As files were before there were masters. */
    holds(place, "pin_pepper: " A "\n...\n");
    assert_int_equal(secrets_load(place->file, &secrets, &failure), PUNKT_OK);
    assert_int_equal(secrets.psk_masters_known, 0);
    assert_int_equal(secrets.pin_pepper[0], 0x00);
    assert_int_equal(secrets.pin_pepper[31], 0xff);
    holds(place, "psk_master_8: " B "\npin_pepper: \"" A "\"\npsk_master_2: " A "\n...\n");
    assert_int_equal(secrets_load(place->file, &secrets, &failure), PUNKT_OK);
    assert_int_equal(secrets.psk_masters_known, 0x82);
    assert_int_equal(secrets.psk_masters[7][0], 0xff);
    assert_int_equal(secrets.psk_masters[1][1], 0x11);
}

static void refuses(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "psk_master_1: " A "\n...\n", ":1: the keys" },
        { "pin_pepper: " A "\npsk_master_9: " A "\n...\n", ":2: the keys" },
        { "pin_pepper: " A "\npsk_master_1: 12\n...\n", ":2: the keys" },
        { "pin_pepper: " A "\npsk_master_1: " A "0\n...\n", ":2: the keys" },
        { "pin_pepper: x0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n...\n",
          ":1: the keys" },
        { "pin_pepper: " A
          "\npsk_master_1: A0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n...\n",
          ":1: the keys" },
        { "pin_pepper: " A "\n", ":2: the keys" },
        { "[" A "]\n...\n", ":1: the keys" },
    };
    const struct place *place = *state;
    struct secrets secrets;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct failure failure = { "" };
        holds(place, rows[i].text);
        assert_int_equal(secrets_load(place->file, &secrets, &failure), PUNKT_INVALID);
        if (strstr(failure.text, rows[i].why) == NULL)
            fail_msg("%s", failure.text);
        /* Words for the log have no secret in them. */
        assert_null(strstr(failure.text, "8899aabbccddeeff00112233"));
    }
    struct failure failure = { "" };
    holds(place, "pin_pepper: " A "\n...\n");
    assert_int_equal(chmod(place->file, 0644), 0);
    assert_int_equal(secrets_load(place->file, &secrets, &failure), PUNKT_INVALID);
    assert_non_null(strstr(failure.text, "chmod 600"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(made_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_masters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
