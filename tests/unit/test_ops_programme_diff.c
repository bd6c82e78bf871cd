/* What differs between two texts of a programme, line by line. */
#include "ops/programme_diff.h"
#include "ops/programme_reader.h"

#include "ops_files.h"

static struct problems problems;

struct lines {
    uint32_t count;
    char texts[16][PROGRAMME_DIFF_LINE_MAX];
};

static void take(void *ctx, struct text line)
{
    struct lines *lines = ctx;
    assert_true(lines->count < COUNT_OF(lines->texts));
    (void)snprintf(lines->texts[lines->count++], PROGRAMME_DIFF_LINE_MAX, "%.*s", (int)line.size, line.data);
}

struct diff_row {
    const char *old;
    const char *new;
    const char *want[10];
};

#define ITEM_A "{offer: add, name: a, points: 1}"
#define ITEM_B "{offer: add, name: b, points: 2}"

static const struct diff_row diff_rows[] = {
    { "a: 1\nb: [x, y]\nc: {d: 2}\n...\n", "a: \"1\"\nc: {d: '2'}\nb: [x, 'y']\n...\n", { NULL } },
    /* In the old order; what is new comes behind. */
    { "welcome: 5\ncaps: {day: 500, month: 900}\ntax: included\n...\n",
      "caps: {over: trim, day: 800}\ntax: excluded\nprogramme: P\n...\n",
      { "welcome: 5 -> (none)", "caps.day: 500 -> 800", "caps.month: 900 -> (none)",
        "caps.over: (none) -> trim", "tax: included -> excluded", "programme: (none) -> P" } },
    { "amount: 1.0\n...\n", "amount: 1.00\n...\n", { "amount: 1.0 -> 1.00" } },
    { "reasons: [a, b]\nx: []\n...\n",
      "reasons: [b, a]\nx: \"\"\n...\n",
      { "reasons: [a, b] -> [b, a]", "x: [] -> \"\"" } },
    { "expiry: never\n...\n",
      "expiry: {months: 12, through: month}\n...\n",
      { "expiry: never -> {months: 12, through: month}" } },
    /* Items are followed by name. */
    { "offers: [" ITEM_A ", " ITEM_B "]\n...\n",
      "offers: [{offer: add, name: a, points: 3, limit: {uses: 1, per: day}}, " ITEM_B "]\n...\n",
      { "offers[a].points: 1 -> 3", "offers[a].limit.uses: (none) -> 1",
        "offers[a].limit.per: (none) -> day" } },
    { "offers: [" ITEM_A "]\n...\n",
      "offers: [" ITEM_B "]\n...\n",
      { "offers[a].offer: add -> (none)", "offers[a].name: a -> (none)", "offers[a].points: 1 -> (none)",
        "offers[b].offer: (none) -> add", "offers[b].name: (none) -> b", "offers[b].points: (none) -> 2" } },
    { "tax: included\n...\n",
      "offers: [" ITEM_A "]\n...\n",
      { "tax: included -> (none)", "offers[a].offer: (none) -> add", "offers[a].name: (none) -> a",
        "offers[a].points: (none) -> 1" } },
    /* Which of them comes first counts. */
    { "offers: [" ITEM_A ", " ITEM_B "]\n...\n",
      "offers: [" ITEM_B ", " ITEM_A "]\n...\n",
      { "offers: [a, b] -> [b, a]" } },
    { "x: [{name: a}, {name: b}, {name: c}]\n...\n",
      "x: [{name: b}, {name: d}, {name: c}]\n...\n",
      { "x[a].name: a -> (none)", "x[d].name: (none) -> d" } },
    /* Without names, or with one twice, items are counted. */
    { "base: [{rule: spend, points: 1}, {rule: visit, points: 2}]\n...\n",
      "base: [{rule: spend, points: 3}]\n...\n",
      { "base[1].points: 1 -> 3", "base[2].rule: visit -> (none)", "base[2].points: 2 -> (none)" } },
    { "base: [{name: a, points: 1}]\n...\n",
      "base: [{name: a, points: 1}, {name: a, points: 2}]\n...\n",
      { "base[2].name: (none) -> a", "base[2].points: (none) -> 2" } },
    { "base: [{points: 1}]\n...\n", "base: {points: 1}\n...\n", { "base: [{points: 1}] -> {points: 1}" } },
    { "a: 1\na: 2\n...\n", "a: 1\na: 3\nb: 1\nb: 2\n...\n", { "b: (none) -> 1" } },
    { "- 1\n...\n", "- 2\n...\n", { ": [1] -> [2]" } },
    { "a: \"x\\ny\\tz\"\n...\n", "a: \"x\\x7fy\"\n...\n", { "a: x y z -> x y" } },
};

static void tells_what_differs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(diff_rows); i++) {
        const struct diff_row *row = &diff_rows[i];
        struct lines lines = { .count = 0 };
        assert_int_equal(programme_diff(text_of(row->old), text_of(row->new), "new", &problems, take, &lines),
                         PUNKT_OK);
        for (uint32_t line = 0; line < lines.count; line++) {
            if (row->want[line] == NULL)
                fail_msg("not expected: %s", lines.texts[line]);
            assert_string_equal(lines.texts[line], row->want[line]);
        }
        if (row->want[lines.count] != NULL)
            fail_msg("missing: %s", row->want[lines.count]);
    }
}

/* Both sides are cut alike, between characters, and the line has room for them and its path. */
static void long_values_are_cut(void **state)
{
    (void)state;
    char umlauts[201] = "";
    char old[512];
    char new[512];
    char want[PROGRAMME_DIFF_LINE_MAX];
    struct lines lines = { .count = 0 };
    for (int i = 0; i < 100; i++)
        (void)strcat(umlauts, "\xC3\xA4");
    (void)snprintf(old, sizeof(old), "k%s: %s\n...\n", umlauts, umlauts);
    (void)snprintf(new, sizeof(new), "k%s: x%s\n...\n", umlauts, umlauts);
    (void)snprintf(want, sizeof(want), "k%.*s...: %.*s... -> x%.*s...", 154, umlauts, 156, umlauts, 154,
                   umlauts);
    assert_int_equal(programme_diff(text_of(old), text_of(new), "new", &problems, take, &lines), PUNKT_OK);
    assert_int_equal(lines.count, 1);
    assert_string_equal(lines.texts[0], want);
}

static void take_none(void *ctx, struct text line)
{
    (void)ctx;
    fail_msg("%.*s", (int)line.size, line.data);
}

static void tells_which_text_is_wrong(void **state)
{
    (void)state;
    struct text good = TEXT_LITERAL("a: 1\n...\n");
    struct text bad = TEXT_LITERAL("a: 1\n");
    assert_int_equal(programme_diff(bad, good, "new", &problems, take_none, NULL), PUNKT_INVALID);
    assert_problems(&problems,
                    (const char *const[]){
                        "old programme:2:1: the file ends without a line \"...\": is it whole?", NULL });
    assert_int_equal(programme_diff(good, bad, "new", &problems, take_none, NULL), PUNKT_INVALID);
    assert_problems(&problems, (const char *const[]){
                                   "new:2:1: the file ends without a line \"...\": is it whole?", NULL });
}

static void the_examples_differ_from_others_only(void **state)
{
    (void)state;
    struct text example = source_file("conf/programme.yaml");
    struct text minimal = source_file("conf/programme-minimal.yaml");
    struct lines lines = { .count = 0 };
    assert_int_equal(programme_diff(example, example, "new", &problems, take_none, NULL), PUNKT_OK);
    assert_int_equal(programme_diff(programme_text_default(), minimal, "new", &problems, take, &lines),
                     PUNKT_OK);
    assert_int_equal(lines.count, 4);
    assert_string_equal(lines.texts[0], "programme: default -> Small shop");
    assert_string_equal(lines.texts[1], "zone: UTC -> Europe/Berlin");
    assert_string_equal(lines.texts[2], "redeem.points: (none) -> 1");
    assert_string_equal(lines.texts[3], "redeem.worth: (none) -> 0.01");
    source_file_free(minimal);
    source_file_free(example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_differs),
        cmocka_unit_test(long_values_are_cut),
        cmocka_unit_test(tells_which_text_is_wrong),
        cmocka_unit_test(the_examples_differ_from_others_only),
    };
    return cmocka_run_group_tests_name("ops programme diff", tests, NULL, NULL);
}
