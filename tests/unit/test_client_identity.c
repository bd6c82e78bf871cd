/*
 * Identity files: what is read, what is refused and in which words, and that what is written is read again. And enrolment codes,
 * which are typed.
 */
#include <fcntl.h>
#include <openssl/crypto.h>
#include <punkt.h>
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

#include "lib/enrol_code.h"
#include "lib/enrol_key.h"
#include "lib/identity.h"

#define KEY_HEX "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"
#define KEY "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
#define CERTIFICATE "-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n"
#define CA "-----BEGIN CERTIFICATE-----\nCCCC\n-----END CERTIFICATE-----\n"
#define PSK "psk_identity: punkt/7/1\npsk_key: " KEY_HEX "\n"

static char folder[] = "/tmp/punkt_identity_XXXXXX";
static char path[64];

static void write_file(const char *text, size_t size, mode_t mode)
{
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, size), size);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static enum punkt_call read_text(struct identity *identity, const char *text, char *why)
{
    write_file(text, strlen(text), 0600);
    identity_init(identity, NULL);
    return identity_read(identity, path, why);
}

static void expect_buffer(const struct buffer *buffer, const char *text)
{
    assert_int_equal(buffer_size(buffer), strlen(text));
    if (*text != '\0')
        assert_memory_equal(buffer_data(buffer), text, strlen(text));
}

static void of_certificates(void **state)
{
    (void)state;
    struct identity identity;
    char why[IDENTITY_WHY_SIZE];
    assert_int_equal(read_text(&identity,
                               "# a till\n\nserver: punkt.example:7443\r\nserver_name:punktd\nstore: 12\n"
                               "till:   3\nrole: till\n" KEY CERTIFICATE CA CA,
                               why),
                     PUNKT_CALL_DONE);
    assert_string_equal(identity.server, "punkt.example:7443");
    assert_string_equal(identity.server_name, "punktd");
    assert_string_equal(identity.store, "12");
    assert_string_equal(identity.till, "3");
    assert_string_equal(identity.name, "");
    assert_string_equal(identity.role, "till");
    assert_false(identity.psk_key_known);
    assert_true(identity_proves(&identity));
    expect_buffer(&identity.key, KEY);
    expect_buffer(&identity.certificate, CERTIFICATE);
    expect_buffer(&identity.ca, CA CA);
    identity_done(&identity);
}

static void of_a_pre_shared_key(void **state)
{
    (void)state;
    struct identity identity;
    char why[IDENTITY_WHY_SIZE];
    assert_int_equal(read_text(&identity, "name: anna\n" PSK, why), PUNKT_CALL_DONE);
    assert_string_equal(identity.psk_identity, "punkt/7/1");
    assert_true(identity.psk_key_known);
    for (unsigned i = 0; i < IDENTITY_PSK_KEY_SIZE; i++)
        assert_int_equal(identity.psk_key[i], i);
    identity_done(&identity);
    for (unsigned i = 0; i < IDENTITY_PSK_KEY_SIZE; i++)
        assert_int_equal(identity.psk_key[i], 0);
}

static void written_and_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "server: [2001:db8::1]:7443\nserver_name: punktd\nstore: 12\ntill: 3\n"
        "role: till\n" KEY CERTIFICATE CA,
        "server: a:1\nname: anna\nrole: office\n" PSK
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct identity identity, again;
        struct buffer out[2] = { { .secret = true }, { .secret = true } };
        char why[IDENTITY_WHY_SIZE];
        assert_int_equal(read_text(&identity, texts[i], why), PUNKT_CALL_DONE);
        assert_true(identity_format(&identity, &out[0]));
        write_file((const char *)buffer_data(&out[0]), buffer_size(&out[0]), 0400);
        identity_init(&again, NULL);
        assert_int_equal(identity_read(&again, path, why), PUNKT_CALL_DONE);
        assert_true(identity_format(&again, &out[1]));
        assert_int_equal(buffer_size(&out[0]), buffer_size(&out[1]));
        assert_memory_equal(buffer_data(&out[0]), buffer_data(&out[1]), buffer_size(&out[0]));
        buffer_done(&out[0]);
        buffer_done(&out[1]);
        identity_done(&identity);
        identity_done(&again);
    }
}

struct row {
    const char *text;
    const char *words;
};

static void wrong_files(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "", "neither a certificate nor a pre-shared key" },
        { "server: a:1\n", "neither a certificate nor a pre-shared key" },
        { "colour: red\n" PSK, ":1: an identity file has no \"colour\"" },
        { "\nServer: a:1\n" PSK, ":2: an identity file has no \"Server\"" },
        { "server a\n" PSK, ":1: a line is \"name: value\"" },
        { "store: 1\nstore: 1\n" PSK, ":2: store stands here for the second time" },
        { "store:\n" PSK, ":1: store is empty" },
        { "till: 012345678901234567890123456789012\n" PSK, ":1: till is empty, too long" },
        { "server_name: a\tb\n" PSK, ":1: server_name is empty, too long, or no text" },
        { "server: localhost\n" PSK, "server: a server address is HOST:PORT" },
        { "psk_identity: a\n", "psk_identity and psk_key go together" },
        { "psk_key: " KEY_HEX "\n", "psk_identity and psk_key go together" },
        { PSK "psk_key: " KEY_HEX "\n", ":3: psk_key is said once" },
        { "psk_identity: a\npsk_key: " KEY_HEX "0\n", ":2: psk_key is said once, as 64" },
        { "psk_identity: a\npsk_key: g" KEY_HEX "\n", ":2: psk_key is said once, as 64" },
        { PSK KEY CERTIFICATE CA, "not both" },
        { KEY CERTIFICATE, "are needed" },
        { CERTIFICATE CA, "are needed" },
        { KEY, "are needed" },
        { KEY KEY CERTIFICATE CA, ":4: an identity file has one private key" },
        { "-----BEGIN RSA PRIVATE KEY-----\n", ":1: an identity file has one private key" },
        { "store: 1\n" KEY "-----BEGIN CERTIFICATE-----\nBBBB\n", ":5: the PEM block has no end" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct identity identity;
        char why[IDENTITY_WHY_SIZE] = "";
        assert_int_equal(read_text(&identity, rows[i].text, why), PUNKT_CALL_INVALID);
        if (strstr(why, rows[i].words) == NULL ||
            strstr(why, strstr(rows[i].words, "together") != NULL ? "" : path) == NULL)
            fail_msg("row %zu: \"%s\" instead of \"%s\"", i, why, rows[i].words);
        identity_done(&identity);
    }
}

static void expect_unread(const char *words)
{
    struct identity identity;
    char why[IDENTITY_WHY_SIZE] = "";
    identity_init(&identity, NULL);
    assert_int_equal(identity_read(&identity, path, why), PUNKT_CALL_INVALID);
    if (strstr(why, words) == NULL)
        fail_msg("\"%s\" instead of \"%s\"", why, words);
    identity_done(&identity);
}

static void files_that_are_none(void **state)
{
    (void)state;
    static const mode_t open_modes[] = { 0640, 0604, 0700, 0660, 0606, 0601 };
    static const char nul[] = PSK "\0";
    char *huge = malloc(IDENTITY_FILE_MAX + 1);
    assert_non_null(huge);
    memset(huge, '\n', IDENTITY_FILE_MAX + 1);
    for (size_t i = 0; i < sizeof(open_modes) / sizeof(open_modes[0]); i++) {
        write_file(PSK, strlen(PSK), open_modes[i]);
        expect_unread("can be read by others: chmod 600 /tmp/");
    }
    if (geteuid() == 0) { /* nobody else gives files away */
        write_file(PSK, strlen(PSK), 0600);
        assert_int_equal(chown(path, 4242, (gid_t)-1), 0);
        expect_unread("belongs to another user");
    }
    write_file(nul, sizeof(nul) - 1, 0600);
    expect_unread("is no text");
    write_file(huge, IDENTITY_FILE_MAX + 1, 0600);
    expect_unread("is larger than 65536 bytes");
    free(huge);
    (void)unlink(path);
    expect_unread("No such file");
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_unread("is no file");
    (void)unlink(path);
}

/* --- options --- */

static void expect_options(const struct punkt_options *options, const char *words)
{
    struct punkt_options all = *options;
    char trouble[256] = "?";
    struct punkt *punkt;
    all.size = sizeof(all);
    all.trouble = trouble;
    all.trouble_size = sizeof(trouble);
    assert_int_equal(punkt_new(&all, &punkt), PUNKT_CALL_INVALID);
    if (strstr(trouble, words) == NULL)
        fail_msg("\"%s\" instead of \"%s\"", trouble, words);
}

static void options_together(void **state)
{
    (void)state;
    write_file(PSK, strlen(PSK), 0600);
    expect_options(&(struct punkt_options){ .identity = path }, "server is required");
    expect_options(&(struct punkt_options){ .identity = "/nowhere/identity" }, "No such file");
    expect_options(&(struct punkt_options){ .server = "a:1", .psk_identity = "x" }, "go together");
    expect_options(&(struct punkt_options){ .server = "a:1", .psk_identity = "x", .psk_key = "00" },
                   "go together");
    expect_options(
        &(struct punkt_options){ .server = "a:1", .psk_identity = "x", .psk_key = KEY_HEX, .key = path },
        "not both");
    expect_options(&(struct punkt_options){ .server = "a:1", .ca = path }, "are needed");
    expect_options(&(struct punkt_options){ .server = "a:1", .certificate = path, .key = path },
                   "are needed");
    expect_options(&(struct punkt_options){ .server = "a:1", .certificate = path, .key = path, .ca = path },
                   "the client's certificate cannot be read");
    write_file(KEY CERTIFICATE CA, strlen(KEY CERTIFICATE CA), 0600);
    expect_options(&(struct punkt_options){ .server = "a:1", .identity = path }, "cannot be read");
    expect_options(&(struct punkt_options){ .server = "unix:/tmp/x", .identity = path }, "server_name");
    (void)unlink(path);
}

/* --- enrolment codes --- */

/* The bytes 1 to 20, and the key that another implementation of HKDF (RFC 5869) makes of them. */
static const char code_text[] = "0410-6105-0R3G-G28A-1C60-T3GF-208H-44RM";
static const uint8_t code_key[] = { 0x65, 0xb1, 0x11, 0x82, 0x95, 0xb2, 0x84, 0x21, 0xac, 0x0c, 0x27,
                                    0xe5, 0x3d, 0xdd, 0x9e, 0xda, 0x59, 0x3a, 0x2e, 0x60, 0x10, 0xba,
                                    0x1e, 0x26, 0xf3, 0x39, 0x65, 0x88, 0x3e, 0x2b, 0x37, 0x7c };

static void good_codes(void **state)
{
    (void)state;
    static const char *const ways[] = { code_text, "0410 6105 0r3g g28a 1c60 t3gf 208h 44rm",
                                        "O4IO6L05OR3GG28AiC60T3GF208H44RM",
                                        " 0410-6105-0R3G-G28A\n-1C60-T3GF-208H-44RM\n",
                                        "0410--6105-0R3GG28A-1C60-T3GF-208H-44RM-" };
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct enrol_code code;
        uint8_t key[IDENTITY_PSK_KEY_SIZE];
        char why[IDENTITY_WHY_SIZE] = "";
        if (!enrol_code_read(ways[i], &code, why))
            fail_msg("%s: %s", ways[i], why);
        assert_string_equal(code.handle, "01020304");
        for (unsigned byte = 0; byte < ENROL_SECRET_SIZE; byte++)
            assert_int_equal(code.secret[byte], 5 + byte);
        assert_true(enrol_code_key(&code, key));
        assert_memory_equal(key, code_key, sizeof(code_key));
    }
}

static void wrong_codes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "", "0 of 32 characters: group 1" },
        { "0410-6105-0R3G-G28A-1C60-T3GF-208H-44R", "31 of 32 characters: group 8" },
        { "0410-6105-0R3G-G28A-1C60-T3GF-208H", "28 of 32 characters: group 8" },
        { "0410-6105-0R3G-G28A-1C60-T3GF-208H-44RMX", "too long" },
        { "0410-610-50R3G-G28A-1C60-T3GF-208H-44RM", "group 2 of the code has 3 of 4" },
        { "0410-6105-0R3GG-28A-1C60-T3GF-208H-44RM", "group 3 of the code has 5 of 4" },
        { "0410-6105-0U3G-G28A-1C60-T3GF-208H-44RM", "group 3 of the code has a character" },
        { "0410-6105-0R3G-G28A-1C60-T3GF-208H-44R!", "group 8 of the code has a character" },
        { "0410-6105-\xc3\x96R3G", "group 3 of the code has a character" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct enrol_code code;
        char why[IDENTITY_WHY_SIZE] = "";
        assert_false(enrol_code_read(rows[i].text, &code, why));
        if (strstr(why, rows[i].words) == NULL)
            fail_msg("row %zu: \"%s\" instead of \"%s\"", i, why, rows[i].words);
    }
}

static void keys(void **state)
{
    (void)state;
    struct buffer one = { 0 }, two = { 0 };
    uint8_t request[ENROL_REQUEST_MAX];
    size_t size = 0;
    assert_false(enrol_key_good(&one));
    assert_false(enrol_key_request(&one, request, &size));
    assert_true(enrol_key_make(&one));
    assert_true(enrol_key_make(&two));
    assert_true(enrol_key_good(&one));
    assert_true(enrol_key_request(&one, request, &size));
    assert_true(size > 100);
    assert_true(buffer_size(&one) != buffer_size(&two) ||
                memcmp(buffer_data(&one), buffer_data(&two), buffer_size(&one)) != 0);
    buffer_data(&two)[60] = '!';
    assert_false(enrol_key_good(&two));
    assert_non_null(enrol_key_wrong(&one, &two, &two));
    buffer_done(&one);
    buffer_done(&two);
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/identity", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_certificates),
        cmocka_unit_test(of_a_pre_shared_key),
        cmocka_unit_test(written_and_read),
        cmocka_unit_test(wrong_files),
        cmocka_unit_test(files_that_are_none),
        cmocka_unit_test(options_together),
        cmocka_unit_test(good_codes),
        cmocka_unit_test(wrong_codes),
        cmocka_unit_test(keys),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
