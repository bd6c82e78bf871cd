/* Programmes: what is read, every mistake with its place, zones as tables, and that the documents know every key. */
#include <time.h>

#include "ops/programme_reader.h"
#include "ops/zone.h"

#include "ops_files.h"

static struct problems problems;

static void the_default_is_its_text(void **state)
{
    (void)state;
    struct programme want;
    struct programme got;
    programme_default(&want);
    assert_int_equal(programme_read(programme_text_default(), "default", &got, &problems), PUNKT_OK);
    assert_memory_equal(&got, &want, sizeof(got));
    assert_int_equal(programme_step(&got), 1000);
}

static void reads_every_key(void **state)
{
    (void)state;
    struct programme programme;
    assert_int_equal(
        programme_read(text_of("programme: P\n"
                               "currency: XTS\n"
                               "exponent: 3\n"
                               "decimals: 2\n"
                               "zone: Europe/Berlin\n"
                               "tax: excluded\n"
                               "discounts: before\n"
                               "cards: {check: ean13}\n"
                               "base:\n"
                               "  - {rule: spend, points: 1.005, amount: \"12.345\", exact: true}\n"
                               "  - {rule: spend, name: two, points: 2, amount: 1}\n"
                               "redeem: {points: 10, worth: 0.5}\n"
                               "reasons: [one, two]\n"
                               "...\n"),
                       "f", &programme, &problems),
        PUNKT_OK);
    assert_string_equal(programme.name, "P");
    assert_string_equal(programme.currency, "XTS");
    assert_int_equal(programme.currency_exponent, 3);
    assert_int_equal(programme.decimals, 2);
    assert_string_equal(programme.calendar.zone, "Europe/Berlin");
    assert_int_equal(programme.tax, TAX_EXCLUDED);
    assert_int_equal(programme.discounts, DISCOUNTS_BEFORE);
    assert_int_equal(programme.card_check, 2);
    assert_int_equal(programme.rule_count, 2);
    assert_int_equal(programme.rules[0].points, 1005);
    assert_int_equal(programme.rules[0].amount, 12345);
    assert_true(programme.rules[0].exact);
    assert_string_equal(programme.rules[0].name, "spend");
    assert_string_equal(programme.rules[1].name, "two");
    assert_int_equal(programme.rules[1].points, 2000);
    assert_int_equal(programme.rules[1].amount, 1000);
    assert_int_equal(programme.worth_points, 10000);
    assert_int_equal(programme.worth_amount, 500);
    assert_int_equal(programme.reason_count, 2);
    assert_string_equal(programme.reasons[1], "two");
    assert_string_equal(programme.reasons[2], "");
}

#define RULE "base: [{rule: spend, points: 1, amount: 1}]\n"

struct fault_row {
    const char *yaml;
    const char *want[6];
};

static const struct fault_row fault_rows[] = {
    { "programme: P\n...\n", { "f:1:1: base is missing" } },
    { "base: []\n...\n", { "f:1:7: base is no list of rules, expected \"- rule: spend\" and so on" } },
    { "base: [5]\n...\n",
      { "f:1:8: this is \"5\", expected a map with keys of rule, name, points, amount, exact" } },
    { "base:\n  - rule: spent\n    points: 0\n    amount: 1.001\n    exact: yes\n...\n",
      { "f:2:11: rule is \"spent\", expected one of spend",
        "f:3:13: points is \"0\", expected a number from 0.001 to 999999999999.999 with at most 3 decimals",
        "f:4:13: amount is \"1.001\", expected a number from 0.01 to 9999999999.99 with at most 2 decimals",
        "f:5:12: exact is \"yes\", expected true or false" } },
    { "base:\n  - rule: spend\n...\n", { "f:2:5: points is missing", "f:2:5: amount is missing" } },
    { "base:\n  - {rule: spend, points: -1, amount: .5, cap: 3}\n...\n",
      { "f:2:43: unknown key \"cap\"; expected one of rule, name, points, amount, exact",
        "f:2:27: points is \"-1\", expected a number from 0.001 to 999999999999.999 with at most 3 decimals",
        "f:2:39: amount is \".5\", expected a number from 0.01 to 9999999999.99 with at most 2 decimals" } },
    { "currency: XTS\n" RULE "...\n",
      { "f:1:1: the exponent of XTS is not known here: say \"exponent: 2\" or what it is" } },
    { "currency: eur\n" RULE "...\n",
      { "f:1:11: currency is \"eur\", expected three letters of ISO 4217, as EUR" } },
    { "currency: EURO\n" RULE "...\n", { "f:1:11: currency is \"EURO\", expected a text of 3 to 3 bytes" } },
    { "currency: JPY\nbase: [{rule: spend, points: 1, amount: 100.0}]\n...\n",
      { "f:2:41: amount is \"100.0\", expected a whole number from 1 to 999999999999" } },
    { "zone: Europe/Nowhere\n" RULE "...\n",
      { "f:1:7: zone \"Europe/Nowhere\" is not in the database of this machine; expected one as Europe/Berlin" } },
    { "zone: ../../../etc/passwd\n" RULE "...\n",
      { "f:1:7: zone \"../../../etc/passwd\" is not in the database of this machine; expected one as "
        "Europe/Berlin" } },
    { "zone: Europe\n" RULE "...\n",
      { "f:1:7: zone \"Europe\" is not in the database of this machine; expected one as Europe/Berlin" } },
    { "decimals: 4\n" RULE "...\n", { "f:1:11: decimals is \"4\", expected a whole number from 0 to 3" } },
    { "tax: none\n" RULE "...\n", { "f:1:6: tax is \"none\", expected one of included, excluded" } },
    { "cards: {check: mod10}\n" RULE "...\n",
      { "f:1:16: cards.check is \"mod10\", expected one of none, luhn, ean13" } },
    { "reasons: []\n" RULE "...\n",
      { "f:1:10: reasons is no list of words, expected [goodwill, other] and so on" } },
    { "reasons: [a, b, a, \"\"]\n" RULE "...\n",
      { "f:1:17: reason a is there already",
        "f:1:20: a reason is empty, expected a text of 1 to 32 bytes" } },
    { "redeem: {points: 1, worth: free}\n" RULE "...\n",
      { "f:1:28: redeem.worth is \"free\", expected a number from 0.01 to 9999999999.99 with at most 2 decimals" } },
    { "programme: \"\"\n" RULE "...\n", { "f:1:12: programme is empty, expected a text of 1 to 64 bytes" } },
};

static void tells_every_mistake(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fault_rows); i++) {
        struct programme programme;
        assert_int_equal(programme_read(text_of(fault_rows[i].yaml), "f", &programme, &problems),
                         PUNKT_INVALID);
        assert_problems(&problems, fault_rows[i].want);
    }
}

static void too_many_rules_and_reasons(void **state)
{
    (void)state;
    struct programme programme;
    char yaml[4096] = "base:\n";
    for (int i = 0; i <= PROGRAMME_RULES_MAX; i++)
        (void)strcat(yaml, "  - {rule: spend, points: 1, amount: 1}\n");
    (void)strcat(yaml, "reasons:\n");
    for (int i = 0; i <= PROGRAMME_REASONS_MAX; i++)
        (void)snprintf(yaml + strlen(yaml), sizeof(yaml) - strlen(yaml), "  - r%d\n", i);
    (void)strcat(yaml, "...\n");
    assert_int_equal(programme_read(text_of(yaml), "f", &programme, &problems), PUNKT_INVALID);
    assert_problems(&problems, (const char *const[]){ "f:18:5: base has more than 16 rules",
                                                      "f:52:5: reasons has more than 32 words", NULL });
}

static local_day day_of(int32_t year, uint32_t month, uint32_t day)
{
    return day_from_civil((struct civil_date){ .year = year, .month = month, .day = day });
}

/* Berlin: no summer time before 1980, then two changes a year; Kathmandu: 5:30, later 5:45 hours. */
static void zones_become_tables(void **state)
{
    (void)state;
    struct calendar calendar;
    assert_int_equal(zone_read("Europe/Berlin", &calendar), PUNKT_OK);
    assert_int_equal(calendar.first_offset_s, 3600);
    assert_int_equal(calendar.transition_count, 240);
    assert_int_equal(calendar.transitions[0].at_s, 323830800);
    assert_int_equal(calendar.transitions[0].offset_s, 7200);
    int64_t hour = 3600 * US_PER_SECOND;
    assert_int_equal(calendar_day_start(&calendar, day_of(2026, 7, 1)),
                     day_of(2026, 7, 1) * US_PER_DAY - 2 * hour);
    assert_int_equal(calendar_day_start(&calendar, day_of(2099, 12, 1)),
                     day_of(2099, 12, 1) * US_PER_DAY - hour);
    assert_int_equal(zone_read("Asia/Kathmandu", &calendar), PUNKT_OK);
    assert_int_equal(calendar.first_offset_s, 19800);
    assert_int_equal(calendar.transition_count, 1);
    assert_int_equal(calendar.transitions[0].offset_s, 20700);
    /* Two changes in each of 130 years do not fit: from 2000 on they do. */
    assert_int_equal(zone_read("America/New_York", &calendar), PUNKT_OK);
    assert_int_equal(calendar.transition_count, 200);
    assert_int_equal(calendar_day_start(&calendar, day_of(2026, 7, 1)),
                     day_of(2026, 7, 1) * US_PER_DAY + 4 * hour);
    assert_int_equal(zone_read("UTC", &calendar), PUNKT_OK);
    assert_int_equal(calendar.transition_count, 0);
    assert_int_equal(zone_read("", &calendar), PUNKT_NOT_FOUND);
    assert_int_equal(zone_read("/etc/localtime", &calendar), PUNKT_NOT_FOUND);
}

/* Every hour of some years is the day that the C library says it is. */
static void tables_agree_with_the_library(void **state)
{
    (void)state;
    static const char *const zones[] = { "Europe/Berlin",     "America/New_York", "America/Havana",
                                         "Africa/Casablanca", "Pacific/Apia",     "Asia/Beirut" };
    for (size_t i = 0; i < COUNT_OF(zones); i++) {
        struct calendar calendar;
        assert_int_equal(zone_read(zones[i], &calendar), PUNKT_OK);
        assert_int_equal(setenv("TZ", zones[i], 1), 0);
        tzset();
        for (int64_t at_s = 1290000000; at_s < 1800000000; at_s += 1800) {
            time_t time = (time_t)at_s;
            struct tm local;
            assert_non_null(localtime_r(&time, &local));
            local_day day = day_of(local.tm_year + 1900, (uint32_t)local.tm_mon + 1, (uint32_t)local.tm_mday);
            if (calendar_day(&calendar, at_s * US_PER_SECOND) != day)
                fail_msg("%s at %lld", zones[i], (long long)at_s);
        }
        for (local_day day = day_of(2011, 1, 1); day < day_of(2026, 1, 1); day++) {
            utc_us start = calendar_day_start(&calendar, day);
            assert_true(calendar_day(&calendar, start) >= day);
            assert_true(calendar_day(&calendar, start - 1) < day);
        }
    }
}

/* The process's own zone is what it was. */
static void the_process_keeps_its_zone(void **state)
{
    (void)state;
    struct calendar calendar;
    assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
    assert_int_equal(zone_read("Europe/Berlin", &calendar), PUNKT_OK);
    assert_string_equal(getenv("TZ"), "Asia/Tokyo");
    assert_int_equal(unsetenv("TZ"), 0);
    assert_int_equal(zone_read("Europe/Berlin", &calendar), PUNKT_OK);
    assert_null(getenv("TZ"));
}

static void examples_are_right_and_whole(void **state)
{
    (void)state;
    struct programme programme;
    struct programme want;
    programme_default(&want);
    struct text minimal = source_file("conf/programme-minimal.yaml");
    assert_int_equal(programme_read(minimal, "conf/programme-minimal.yaml", &programme, &problems), PUNKT_OK);
    assert_memory_equal(programme.rules, want.rules, sizeof(want.rules));
    source_file_free(minimal);
    struct text example = source_file("conf/programme.yaml");
    struct text manual = source_file("conf/man/punkt-programme.5");
    assert_int_equal(programme_read(example, "conf/programme.yaml", &programme, &problems), PUNKT_OK);
    assert_memory_equal(programme.reasons, want.reasons, sizeof(want.reasons));
    for (size_t i = 0; programme_key(i) != NULL; i++) {
        const char *dot = strchr(programme_key(i), '.');
        char text[128];
        (void)snprintf(text, sizeof(text), "%s:", dot != NULL ? dot + 1 : programme_key(i));
        if (strstr(example.data, text) == NULL)
            fail_msg("conf/programme.yaml does not have %s", programme_key(i));
        (void)snprintf(text, sizeof(text), "\n.It Cm %s\n", programme_key(i));
        if (strstr(manual.data, text) == NULL)
            fail_msg("conf/man/punkt-programme.5 does not have %s", programme_key(i));
    }
    source_file_free(manual);
    source_file_free(example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_is_its_text),    cmocka_unit_test(reads_every_key),
        cmocka_unit_test(tells_every_mistake),        cmocka_unit_test(too_many_rules_and_reasons),
        cmocka_unit_test(zones_become_tables),        cmocka_unit_test(tables_agree_with_the_library),
        cmocka_unit_test(the_process_keeps_its_zone), cmocka_unit_test(examples_are_right_and_whole),
    };
    return cmocka_run_group_tests_name("ops programme", tests, NULL, NULL);
}
