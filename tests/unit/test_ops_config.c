/* Settings: what is read, that every mistake is told with its place, and that the documents know every key. */
#include "ops/config.h"

#include "ops_files.h"

#include <unistd.h>

static struct problems problems;

static enum punkt_status read_text(const char *yaml, struct config *config)
{
    config_default(config);
    return config_read(text_of(yaml), "f", config, &problems);
}

static void reads_every_form(void **state)
{
    (void)state;
    struct config config;
    assert_int_equal(read_text("data: /d\n"
                               "listen: [127.0.0.1:0, \"unix:/tmp/s\"]\n"
                               "programme: p.yaml\n"
                               "port_file: 'port'\n"
                               "log_level: debug\n"
                               "tls: {listen: 'h:7443', folder: /t}\n"
                               "admins: [ann, 1001]\n"
                               "seccomp: false\n"
                               "journal: {segment_mib: 8}\n"
                               "limits:\n"
                               "  conns_max: 5\n"
                               "...\n",
                               &config),
                     PUNKT_OK);
    assert_string_equal(config.data, "/d");
    assert_int_equal(config.listen_count, 2);
    assert_string_equal(config.listen[0], "127.0.0.1:0");
    assert_string_equal(config.listen[1], "unix:/tmp/s");
    assert_string_equal(config.programme, "p.yaml");
    assert_string_equal(config.port_file, "port");
    assert_int_equal(config.log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(config.journal.segment_mib, 8);
    assert_int_equal(config.journal.reserve_mib, 0);
    assert_int_equal(config.limits.conns_max, 5);
    assert_int_equal(config.limits.unproven_max, 512);
    assert_string_equal(config.tls.listen, "h:7443");
    assert_string_equal(config.tls.folder, "/t");
    assert_int_equal(config.admin_count, 2);
    assert_string_equal(config.admins[0], "ann");
    assert_string_equal(config.admins[1], "1001");
    assert_false(config.seccomp);
    assert_int_equal(read_text("listen: unix:/tmp/s\n...\n", &config), PUNKT_OK);
    assert_int_equal(config.listen_count, 1);
    assert_string_equal(config.data, "");
}

struct fault_row {
    const char *yaml;
    const char *want[8];
};

static const struct fault_row fault_rows[] = {
    /* All of them, not the first only, each with its place. */
    { "data: []\nlimits:\n  conns_max: 0\n  in_flight: 3\n  idle_timeout_ms: soon\nlog_level: loud\nlimits: {}\n...\n",
      { "f:4:3: unknown key \"in_flight\"; expected one of conns_max, unproven_max, unproven_per_address_max, "
        "in_flight_max, frames_per_turn, output_high_kib, pool_mib, handshake_timeout_ms, hello_timeout_ms, "
        "frame_timeout_ms, idle_timeout_ms, drain_timeout_ms, till_connections, other_connections, till_rate, "
        "till_burst, unknown_cards, unknown_lock_s, refusals_day",
        "f:7:1: limits is there already, in line 2",
        "f:1:7: data is a list, expected a text of 1 to 1024 bytes",
        "f:6:12: log_level is \"loud\", expected one of error, warning, info, debug",
        "f:3:14: limits.conns_max is \"0\", expected a whole number from 1 to 100000",
        "f:5:20: limits.idle_timeout_ms is \"soon\", expected a whole number from 1000 to 86400000" } },
    { "data: /d\n", { "f:2:1: the file ends without a line \"...\": is it whole?" } },
    { "", { "f:1:1: there is nothing in the file" } },
    { "# nothing\n", { "f:2:1: there is nothing in the file" } },
    { "data: /d\n...\n---\ndata: /e\n...\n",
      { "f:3:1: a second document begins; expected the end of the file" } },
    { "limits:\n\tconns_max: 5\n...\n", { "f:2:1: found character that cannot start any token" } },
    { "data: \"/d\n...\n", { "f:2:1: found unexpected document indicator" } },
    { "data: &a /d\n...\n", { "f:1:7: anchors (&) are not used in this file" } },
    { "data: *a\n...\n", { "f:1:7: aliases (*) are not used in this file" } },
    { "data: !!str /d\n...\n", { "f:1:7: tags (!) are not used in this file" } },
    { "just words\n...\n",
      { "f:1:1: this is \"just words\", expected a map with keys of data, listen, tls, psk, enrol, admins, "
        "programme, port_file, secrets, seal_key, user, seccomp, log_level, journal, state, limits" } },
    { "journal: 5\n...\n",
      { "f:1:10: journal is \"5\", expected a map with keys of segment_mib, reserve_mib" } },
    { "journal:\n...\n",
      { "f:1:9: journal is empty, expected a map with keys of segment_mib, reserve_mib" } },
    { "journal:\n  segment_mib: 1025\n...\n",
      { "f:2:16: journal.segment_mib is \"1025\", expected a whole number from 8 to 1024" } },
    { "journal:\n  segment_mib: 64.0\n...\n",
      { "f:2:16: journal.segment_mib is \"64.0\", expected a whole number from 8 to 1024" } },
    { "journal:\n  segment_mib: 99999999999999999999\n...\n",
      { "f:2:16: journal.segment_mib is \"99999999999999999999\", expected a whole number from 8 to 1024" } },
    { "journal:\n  segment_mib: \"64\"\n...\n",
      { "f:2:16: journal.segment_mib is in quotes, expected a whole number" } },
    { "listen: []\n...\n", { "f:1:9: listen is an empty list, expected at least one address" } },
    { "listen: [a, b, c, d, e, f, g, h, i]\n...\n", { "f:1:34: listen has more than 8 addresses" } },
    { "listen: [a, {b: c}]\n...\n", { "f:1:13: listen is a map, expected a text of 1 to 128 bytes" } },
    { "data.x: 5\n...\n",
      { "f:1:1: unknown key \"data.x\"; expected one of data, listen, tls, psk, enrol, admins, programme, "
        "port_file, secrets, seal_key, user, seccomp, log_level, journal, state, limits" } },
    { "admins: ann\n...\n", { "f:1:9: admins is no list of users, expected [ann, 1001] and so on" } },
    { "admins: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]\n...\n",
      { "f:1:58: admins has more than 16 users" } },
    { "tls: {listen: [a]}\npsk: {listen: \"\"}\n...\n",
      { "f:1:15: tls.listen is a list, expected a text of 1 to 128 bytes",
        "f:2:15: psk.listen is empty, expected a text of 1 to 128 bytes" } },
    { "tls: {port: 5}\n...\n",
      { "f:1:7: unknown key \"port\"; expected one of listen, folder, certificate, key, ca" } },
    { "seccomp: 1\n...\n", { "f:1:10: seccomp is \"1\", expected true or false" } },
    { "[a]: b\n...\n", { "f:1:1: a list is no key" } },
    { "a: {a: {a: {a: {a: {a: {a: {a: {a: 1}}}}}}}}\n...\n",
      { "f:1:32: lists and maps are nested too deeply" } },
};

static void tells_every_mistake(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fault_rows); i++) {
        struct config config;
        assert_int_equal(read_text(fault_rows[i].yaml, &config), PUNKT_INVALID);
        assert_problems(&problems, fault_rows[i].want);
    }
}

/* More than can be kept are not kept, and nothing else happens. */
static void stops_counting_mistakes(void **state)
{
    (void)state;
    struct config config;
    char yaml[4096] = "";
    for (int i = 0; i < 50; i++)
        (void)snprintf(yaml + strlen(yaml), sizeof(yaml) - strlen(yaml), "key%d: 1\n", i);
    assert_int_equal(read_text(strcat(yaml, "...\n"), &config), PUNKT_INVALID);
    assert_int_equal(problems.count, PROBLEMS_MAX);
}

/* Every beginning of a good file is a mistake or, cut between keys, ends without its mark. */
static void no_part_of_a_file_is_taken(void **state)
{
    (void)state;
    struct text example = source_file("conf/punktd.yaml");
    for (size_t size = 0; size + 1 < example.size; size++) {
        struct config config;
        config_default(&config);
        enum punkt_status status = config_read((struct text){ example.data, size }, "f", &config, &problems);
        /* The mark is whole without its line's end. */
        assert_int_equal(status, PUNKT_INVALID);
        assert_true(problems.count > 0);
    }
    source_file_free(example);
}

static void example_has_every_key_and_the_defaults(void **state)
{
    (void)state;
    struct config config;
    struct config want;
    struct text example = source_file("conf/punktd.yaml");
    config_default(&config);
    config_default(&want);
    (void)snprintf(want.data, sizeof(want.data), "/var/lib/punkt");
    assert_int_equal(config_read(example, "conf/punktd.yaml", &config, &problems), PUNKT_OK);
    assert_memory_equal(&config, &want, sizeof(config));
    struct text manual = source_file("conf/man/punktd.yaml.5");
    for (size_t i = 0; config_key(i) != NULL; i++) {
        const char *dot = strchr(config_key(i), '.');
        char line[128];
        (void)snprintf(line, sizeof(line), "\n%s%s: ", dot != NULL ? "  " : "",
                       dot != NULL ? dot + 1 : config_key(i));
        /* Keys without a default stand in a comment. */
        char comment[128];
        (void)snprintf(comment, sizeof(comment), "\n#%s%s: ", dot != NULL ? "  " : "",
                       dot != NULL ? dot + 1 : config_key(i));
        if (strstr(example.data, line) == NULL && strstr(example.data, comment) == NULL)
            fail_msg("conf/punktd.yaml does not have %s", config_key(i));
        (void)snprintf(line, sizeof(line), "\n.It Cm %s", config_key(i));
        if (strstr(manual.data, line) == NULL)
            fail_msg("conf/man/punktd.yaml.5 does not have %s", config_key(i));
    }
    source_file_free(manual);
    source_file_free(example);
}

struct settle_row {
    const char *yaml;
    const char *refused; /* a part of the words; NULL: it is not */
    const char *listen;  /* the plain one; "": none */
};

static const struct settle_row settle_rows[] = {
    { "data: /d\n", NULL, "127.0.0.1:7400" },
    { "listen: unix:/s\n", NULL, "unix:/s" },
    { "tls: {listen: 'h:1', folder: /t}\n", NULL, "" },
    { "tls: {listen: 'h:1', folder: /t}\nlisten: unix:/s\n", NULL, "unix:/s" },
    { "tls: {folder: /t}\n", NULL, "127.0.0.1:7400" },
    { "psk: {listen: 'h:1'}\n", NULL, "" },
    { "psk: {listen: 'h:1'}\nenrol: {listen: 'h:2'}\n", NULL, "" },
    { "tls: {listen: 'h:1', certificate: c, key: k, ca: a}\nenrol: {listen: 'h:2'}\n", NULL, "" },
    { "tls: {listen: 'h:1'}\n", "tls.listen needs certificates", "" },
    { "tls: {listen: 'h:1', certificate: c, key: k}\n", "tls.listen needs certificates", "" },
    { "tls: {listen: 'h:1', certificate: c, ca: k}\n", "tls.listen needs certificates", "" },
    { "tls: {listen: 'h:1', key: c, ca: k}\n", "tls.listen needs certificates", "" },
    { "enrol: {listen: 'h:2'}\n", "tls.listen or psk.listen is needed", "" },
    { "tls: {folder: /t}\nenrol: {listen: 'h:2'}\n", "tls.listen or psk.listen is needed", "" },
    { "limits: {till_rate: 9, till_burst: 9}\n", NULL, "127.0.0.1:7400" },
    { "limits: {till_rate: 9, till_burst: 8}\n", "limits.till_burst is less", "" },
};

static void settles_what_follows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(settle_rows); i++) {
        struct config config;
        struct failure failure = { "" };
        char yaml[256];
        (void)snprintf(yaml, sizeof(yaml), "%s...\n", settle_rows[i].yaml);
        assert_int_equal(read_text(yaml, &config), PUNKT_OK);
        enum punkt_status status = config_settle(&config, &failure);
        if (settle_rows[i].refused != NULL) {
            assert_int_equal(status, PUNKT_INVALID);
            if (strstr(failure.text, settle_rows[i].refused) == NULL)
                fail_msg("%s: %s", settle_rows[i].yaml, failure.text);
            continue;
        }
        if (status != PUNKT_OK)
            fail_msg("%s: %s", settle_rows[i].yaml, failure.text);
        assert_int_equal(config.listen_count, settle_rows[i].listen[0] != '\0');
        assert_string_equal(config.listen[0], settle_rows[i].listen);
    }
}

/* What is named stands beside what is taken from the folder; the CA's key is taken only where it is. */
static void finds_files_in_the_folder(void **state)
{
    (void)state;
    struct config config;
    struct failure failure;
    char folder[] = "/tmp/punkt_config.XXXXXX", yaml[256], path[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/ca.key", folder);
    (void)snprintf(yaml, sizeof(yaml), "tls: {listen: 'h:1', folder: %s, ca: /other/ca.pem}\n...\n", folder);
    for (int there = 0; there < 2; there++) {
        assert_int_equal(read_text(yaml, &config), PUNKT_OK);
        assert_int_equal(config_settle(&config, &failure), PUNKT_OK);
        assert_string_equal(config.tls.ca, "/other/ca.pem");
        assert_int_equal(strncmp(config.tls.key, folder, strlen(folder)), 0);
        assert_string_equal(config.tls.key + strlen(folder), "/server.key");
        assert_string_equal(config.tls.certificate + strlen(folder), "/server.pem");
        assert_string_equal(config.enrol.ca_key, there ? path : "");
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        (void)fclose(file);
    }
    (void)unlink(path);
    (void)rmdir(folder);
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    struct config config;
    config_default(&config);
    assert_int_equal(config_load("/nowhere/punktd.yaml", &config, &problems), PUNKT_IO);
    assert_problems(&problems,
                    (const char *const[]){ "/nowhere/punktd.yaml: No such file or directory", NULL });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_form),
        cmocka_unit_test(tells_every_mistake),
        cmocka_unit_test(stops_counting_mistakes),
        cmocka_unit_test(no_part_of_a_file_is_taken),
        cmocka_unit_test(example_has_every_key_and_the_defaults),
        cmocka_unit_test(settles_what_follows),
        cmocka_unit_test(finds_files_in_the_folder),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests_name("ops config", tests, NULL, NULL);
}
