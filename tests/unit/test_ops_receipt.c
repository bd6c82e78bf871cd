/* Programmes: what tills print, may redeem while they do not reach the server, and are flagged for. */
#include "ops/programme_reader.h"

#include "ops_files.h"

static struct problems problems;

#define RULE "base: [{rule: spend, points: 1, amount: 1}]\n"

static struct programme programme;

static void read_yaml(const char *yaml)
{
    if (programme_read(text_of(yaml), "f", &programme, &problems) != PUNKT_OK)
        fail_msg("%s", problems.texts[0]);
}

static void assert_template(uint32_t language, enum receipt_kind kind, uint32_t index, const char *want)
{
    const struct receipt_language *of = &programme.texts.languages[language];
    assert_in_range(index, 0, of->counts[kind] - 1);
    const struct receipt_template *template = &of->templates[kind][index];
    assert_int_equal(template->size, strlen(want));
    assert_memory_equal(programme.texts.bytes + template->at, want, template->size);
}

static void reads_languages(void **state)
{
    (void)state;
    read_yaml("receipt_text:\n"
              "  - language: de-AT\n"
              "    date: DD.MM.YY\n"
              "    decimal: comma\n"
              "    purchase: [\"Gr\xC3\xBC\xC3\x9F Gott\\t{earned}\", \"\", \"{debt}{tier}\"]\n"
              "    return: [\"{taken} {given_back}\"]\n"
              "    redemption: [\"{redeemed} {paid}\"]\n"
              "    offline: [bald]\n"
              "  - {language: en, return: [\"{receipt}\"]}\n" RULE "...\n");
    assert_int_equal(programme.texts.language_count, 2);
    assert_string_equal(programme.texts.languages[0].code, "de-AT");
    assert_string_equal(programme.texts.languages[0].date, "DD.MM.YY");
    assert_true(programme.texts.languages[0].comma);
    assert_int_equal(programme.texts.languages[0].counts[RECEIPT_PURCHASE], 3);
    assert_template(0, RECEIPT_PURCHASE, 0, "Gr\xC3\xBC\xC3\x9F Gott\t{earned}");
    assert_template(0, RECEIPT_PURCHASE, 1, "");
    assert_template(0, RECEIPT_PURCHASE, 2, "{debt}{tier}");
    assert_template(0, RECEIPT_RETURN, 0, "{taken} {given_back}");
    assert_template(0, RECEIPT_REDEMPTION, 0, "{redeemed} {paid}");
    assert_template(0, RECEIPT_OFFLINE, 0, "bald");
    assert_string_equal(programme.texts.languages[1].code, "en");
    assert_string_equal(programme.texts.languages[1].date, "YYYY-MM-DD");
    assert_false(programme.texts.languages[1].comma);
    assert_int_equal(programme.texts.languages[1].counts[RECEIPT_PURCHASE], 0);
    assert_template(1, RECEIPT_RETURN, 0, "{receipt}");
}

static void reads_abuse(void **state)
{
    (void)state;
    static const struct abuse_limits want = { .card_hour = 1,
                                              .card_day = 2,
                                              .card_day_block = 4,
                                              .operator_card = 8,
                                              .late_s = 30,
                                              .points_day = 50500,
                                              .points_day_block = 100000,
                                              .redeem_after_s = 7200,
                                              .staff_tag = "crew",
                                              .staff_day = 16 };
    static const struct abuse_limits off = { .staff_tag = "staff" };
    read_yaml(
        "decimals: 1\n" RULE
        "abuse: {card_hour: 1, card_day: 2, card_day_block: 4, operator_card: 8, late: 30s,\n"
        "  points_day: 50.5, points_day_block: 100, redeem_after: 2h, staff_tag: crew, staff_day: 16}\n...\n");
    assert_memory_equal(&programme.abuse, &want, sizeof(want));
    read_yaml(
        RULE
        "abuse: {card_hour: 0, card_day: 0, card_day_block: 0, operator_card: 0, late: 0, points_day: 0,\n"
        "  points_day_block: 0, redeem_after: 0, staff_day: 0}\n...\n");
    assert_memory_equal(&programme.abuse, &off, sizeof(off));
}

static void reads_offline_limits(void **state)
{
    (void)state;
    read_yaml(RULE "...\n");
    assert_int_equal(programme.offline_card, 0);
    assert_int_equal(programme.offline_till, 0);
    read_yaml("decimals: 1\nredeem: {offline: {card: 50.5, till: 1000}}\n" RULE "...\n");
    assert_int_equal(programme.offline_card, 50500);
    assert_int_equal(programme.offline_till, 1000000);
}

#define TEXT(keys) "receipt_text:\n  - {language: de, " keys "}\n" RULE "...\n"
#define ACCOUNT                                                                                              \
    "available, pending, pending_until, debt, tier, next_expiry, next_expiry_points, reward, "               \
    "points_to_reward, card"

static void tells_every_mistake(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *want[6];
    } rows[] = {
        { "redeem: {offline: {card: 10}}\n" RULE "...\n", { "f:1:19: till is missing" } },
        { "redeem: {offline: {till: 10}}\n" RULE "...\n", { "f:1:19: card is missing" } },
        { "redeem: {offline: {card: 0, till: 0.5}}\n" RULE "...\n",
          { "f:1:26: card is \"0\", expected a whole number from 1 to 999999999999",
            "f:1:35: till is \"0.5\", expected a whole number from 1 to 999999999999" } },
        { "redeem: {offline: true}\n" RULE "...\n",
          { "f:1:19: redeem.offline is \"true\", expected a map with keys of card, till" } },
        { "receipt_text: {language: de}\n" RULE "...\n",
          { "f:1:15: receipt_text is no list of languages, expected \"- language: de\" and so on" } },
        { "receipt_text:\n  - {purchase: [a]}\n" RULE "...\n", { "f:2:5: language is missing" } },
        { "receipt_text:\n  - {language: german}\n" RULE "...\n",
          { "f:2:16: language is \"german\", expected a code as de or de-AT" } },
        { "receipt_text:\n  - {language: de_AT}\n" RULE "...\n",
          { "f:2:16: language is \"de_AT\", expected a code as de or de-AT" } },
        { "receipt_text:\n  - {language: de-}\n" RULE "...\n",
          { "f:2:16: language is \"de-\", expected a code as de or de-AT" } },
        { "receipt_text:\n  - {language: de}\n  - {language: en}\n  - {language: de}\n" RULE "...\n",
          { "f:4:16: language de is there already" } },
        { TEXT("date: DD.MM"), { "f:2:26: date is \"DD.MM\", expected a text of 6 to 12 bytes" } },
        { TEXT("date: DD.MM.DD"),
          { "f:2:26: date is \"DD.MM.DD\", expected a form of DD, MM and YYYY or YY, as DD.MM.YYYY" } },
        { TEXT("date: DD.MM.YYY"),
          { "f:2:26: date is \"DD.MM.YYY\", expected a form of DD, MM and YYYY or YY, as DD.MM.YYYY" } },
        { TEXT("decimal: \",\""), { "f:2:29: decimal is \",\", expected one of point, comma" } },
        { TEXT("purchase: a"),
          { "f:2:30: purchase is no list of lines, expected \"- Thank you!\" and so on" } },
        { TEXT("purchase: [\"{earned} {taken}\", \"{Earned}\"]"),
          { "f:2:31: {taken} is no value of a purchase; expected one of earned, redeemed, paid, " ACCOUNT
            ", receipt",
            "f:2:51: {Earned} is no value of a purchase; expected one of earned, redeemed, paid, " ACCOUNT
            ", receipt" } },
        { TEXT("return: [\"{earned}\"]"),
          { "f:2:29: {earned} is no value of a return; expected one of taken, given_back, " ACCOUNT
            ", receipt" } },
        { TEXT("redemption: [\"{receipt}\"]"),
          { "f:2:33: {receipt} is no value of a redemption; expected one of redeemed, paid, " ACCOUNT } },
        { TEXT("offline: [\"{earned}\"]"), { "f:2:30: {earned} is not known yet in offline" } },
        { TEXT("offline: [\"{\"]"),
          { "f:2:30: a brace begins a value as {earned}, and this one does not close" } },
        { TEXT("offline: [\"a\\tb\\tc\", \"a\\nb\", \"a\\x7F\"]"),
          { "f:2:30: a line has one tab at most", "f:2:41: a line has no controls",
            "f:2:49: a line has no controls" } },
        { TEXT("purchases: [a]"),
          { "f:2:20: unknown key \"purchases\"; expected one of language, date, decimal, purchase, return, "
            "redemption, offline" } },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (programme_read(text_of(rows[i].yaml), "f", &programme, &problems) != PUNKT_INVALID)
            fail_msg("row %zu is taken", i);
        assert_problems(&problems, rows[i].want);
    }
}

/* As many as there is room for, and one more. */
static void too_many_of_each(void **state)
{
    (void)state;
    static char yaml[64 * 1024];
    char line[RECEIPT_TEMPLATE_MAX + 2];
    memset(line, 'x', sizeof(line));
    line[RECEIPT_TEMPLATE_MAX] = '\0';
    for (int extra = 0; extra < 2; extra++) {
        (void)strcpy(yaml, RULE "receipt_text:\n");
        for (int i = 0; i < RECEIPT_LANGUAGES_MAX + extra; i++)
            (void)snprintf(yaml + strlen(yaml), sizeof(yaml) - strlen(yaml), "  - {language: a%c}\n",
                           'a' + i);
        (void)strcat(yaml, "...\n");
        assert_int_equal(programme_read(text_of(yaml), "f", &programme, &problems),
                         extra == 0 ? PUNKT_OK : PUNKT_INVALID);
    }
    assert_problems(&problems,
                    (const char *const[]){ "f:11:5: receipt_text has more than 8 languages", NULL });
    for (int extra = 0; extra < 2; extra++) {
        (void)strcpy(yaml, RULE "receipt_text:\n  - language: de\n    offline:\n");
        for (int i = 0; i < RECEIPT_LINES_MAX + extra; i++)
            (void)strcat(yaml, "      - a\n");
        (void)strcat(yaml, "...\n");
        assert_int_equal(programme_read(text_of(yaml), "f", &programme, &problems),
                         extra == 0 ? PUNKT_OK : PUNKT_INVALID);
    }
    assert_problems(&problems, (const char *const[]){ "f:21:9: offline has more than 16 lines", NULL });
    /* 81 lines of 200 bytes and one of 184 are all there is room for. */
    for (int extra = 0; extra < 2; extra++) {
        (void)strcpy(yaml, RULE "receipt_text:\n");
        for (int i = 0; i <= RECEIPT_BYTES_MAX / RECEIPT_TEMPLATE_MAX; i++) {
            if (i % RECEIPT_LINES_MAX == 0)
                (void)snprintf(yaml + strlen(yaml), sizeof(yaml) - strlen(yaml),
                               "  - language: a%c\n    purchase:\n", 'a' + i / RECEIPT_LINES_MAX);
            int size = i < RECEIPT_BYTES_MAX / RECEIPT_TEMPLATE_MAX
                           ? RECEIPT_TEMPLATE_MAX
                           : RECEIPT_BYTES_MAX % RECEIPT_TEMPLATE_MAX + extra;
            (void)snprintf(yaml + strlen(yaml), sizeof(yaml) - strlen(yaml), "      - %.*s\n", size, line);
        }
        (void)strcat(yaml, "...\n");
        assert_int_equal(programme_read(text_of(yaml), "f", &programme, &problems),
                         extra == 0 ? PUNKT_OK : PUNKT_INVALID);
    }
    assert_problems(&problems, (const char *const[]){
                                   "f:96:9: the lines of all languages have more than 16384 bytes", NULL });
}

static void finds_a_language(void **state)
{
    (void)state;
    static const struct {
        const char *asked, *want;
    } rows[] = {
        { "de", "de" },    { "de-AT", "de-AT" }, { "DE-at", "de-AT" }, { "de-CH", "de" },
        { "fr-CH", "fr" }, { "it", "fr" },       { "", "fr" },         { "-", "fr" },
    };
    read_yaml("receipt_text: [{language: fr}, {language: de-AT}, {language: de}]\n" RULE "...\n");
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(receipt_language(&programme.texts, text_of(rows[i].asked))->code, rows[i].want);
    read_yaml(RULE "...\n");
    assert_null(receipt_language(&programme.texts, text_of("de")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_languages),      cmocka_unit_test(reads_abuse),
        cmocka_unit_test(reads_offline_limits), cmocka_unit_test(tells_every_mistake),
        cmocka_unit_test(too_many_of_each),     cmocka_unit_test(finds_a_language),
    };
    return cmocka_run_group_tests_name("ops receipt", tests, NULL, NULL);
}
