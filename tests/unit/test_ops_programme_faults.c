/* Programmes: every mistake is told, with its place and what was expected, and nothing of such a file is taken. */
#include "ops/programme_reader.h"

#include "ops_files.h"

static struct problems problems;

#define RULE "base: [{rule: spend, points: 1, amount: 1}]\n"

#define RULE_KEYS                                                                                            \
    "rule, name, points, amount, exact, include, exclude, stores, tenders, tiers, tags, coupons, days, "     \
    "hours, minimum, maximum, of"

struct fault_row {
    const char *yaml;
    const char *want[6];
};

static const struct fault_row fault_rows[] = {
    { "programme: P\n...\n", { "f:1:1: base is missing" } },
    { "base: []\n...\n", { "f:1:7: base is no list of rules, expected \"- rule: spend\" and so on" } },
    { "base: [5]\n...\n", { "f:1:8: this is \"5\", expected a map with keys of " RULE_KEYS } },
    { "base:\n  - rule: spent\n    points: 0\n    amount: 1.001\n    exact: yes\n...\n",
      { "f:2:11: rule is \"spent\", expected one of spend, item, visit",
        "f:3:13: points is \"0\", expected a number from 0.001 to 999999999999.999 with at most 3 decimals",
        "f:4:13: amount is \"1.001\", expected a number from 0.01 to 9999999999.99 with at most 2 decimals",
        "f:5:12: exact is \"yes\", expected true or false" } },
    { "base:\n  - rule: spend\n...\n", { "f:2:5: points is missing", "f:2:5: amount is missing" } },
    { "base:\n  - {rule: spend, points: -1, amount: .5, cap: 3}\n...\n",
      { "f:2:43: unknown key \"cap\"; expected one of " RULE_KEYS,
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_every_mistake),
        cmocka_unit_test(too_many_rules_and_reasons),
    };
    return cmocka_run_group_tests_name("ops programme faults", tests, NULL, NULL);
}
