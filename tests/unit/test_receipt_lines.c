/* From templates to lines: values, widths, where lines break. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "service/receipt_lines.h"

#include "random.h"

static struct receipt_texts texts;
static struct receipt_words words;
static struct receipt_lines lines;

static void add_template(enum receipt_kind kind, const char *template)
{
    struct receipt_language *language = &texts.languages[0];
    language->templates[kind][language->counts[kind]++] =
        (struct receipt_template){ .at = (uint16_t)texts.size, .size = (uint16_t)strlen(template) };
    memcpy(texts.bytes + texts.size, template, strlen(template));
    texts.size += (uint32_t)strlen(template);
    texts.language_count = 1;
}

static void put(enum receipt_value value, const char *text)
{
    (void)snprintf(words.text[value], sizeof(words.text[value]), "%s", text);
}

static void begin(void)
{
    memset(&texts, 0, sizeof(texts));
    memset(&words, 0, sizeof(words));
}

static void make(enum receipt_kind kind, uint32_t width)
{
    receipt_lines_make(&texts, &texts.languages[0], kind, &words, width, &lines);
}

/* Exactly these lines; the list ends with NULL. */
static void assert_lines(const char *const *want)
{
    for (uint32_t i = 0; i < lines.count; i++) {
        const struct message_text *got = &lines.lines[i].text;
        if (want[i] == NULL)
            fail_msg("not expected: \"%.*s\"", (int)got->size, got->data);
        if (got->size != strlen(want[i]) || memcmp(got->data, want[i], (size_t)got->size) != 0)
            fail_msg("line %u is \"%.*s\", expected \"%s\"", i, (int)got->size, got->data, want[i]);
    }
    assert_null(want[lines.count]);
}

#define SIXTEEN_UMLAUTS "üüüüüüüüüüüüüüüü"

static void lines_have_the_width(void **state)
{
    (void)state;
    static const struct {
        const char *template;
        const char *want[6];
    } rows[] = {
        { "", { "" } },
        { "short", { "short" } },
        { "exactly sixteen.", { "exactly sixteen." } },
        { "exactly sixteen. And more", { "exactly sixteen.", "And more" } },
        { "breaks at the last blank", { "breaks at the", "last blank" } },
        { "abcdefghijklmnopqrstuvwxyz", { "abcdefghijklmnop", "qrstuvwxyz" } },
        { "ab abcdefghijklmnopqrstuvwxyz", { "ab", "abcdefghijklmnop", "qrstuvwxyz" } },
        { "  indented", { "  indented" } },
        { "blanks at the       end", { "blanks at the", "end" } },
        { "ends blank   ", { "ends blank" } },
        { "Käse für Übermut und Öl", { "Käse für Übermut", "und Öl" } },
        { SIXTEEN_UMLAUTS "ü", { SIXTEEN_UMLAUTS, "ü" } },
        { "€uro 𝄞 Notenzei chen", { "€uro 𝄞 Notenzei", "chen" } },
        { "Points:\t105", { "Points:      105" } },
        { "Für Öl:\t105", { "Für Öl:      105" } },
        { "eight ch\tseven c", { "eight ch seven c" } },
        { "nine char\tseven c", { "nine char", "         seven c" } },
        { "left\t", { "left            " } },
        { "\tright", { "           right" } },
        { "\t" SIXTEEN_UMLAUTS, { SIXTEEN_UMLAUTS } },
        { "\tmuch too long for one line", { "   much too long", "    for one line" } },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin();
        add_template(RECEIPT_OFFLINE, rows[i].template);
        make(RECEIPT_OFFLINE, 16);
        assert_lines(rows[i].want);
    }
}

static void values_take_their_places(void **state)
{
    (void)state;
    begin();
    put(RECEIPT_EARNED, "12");
    put(RECEIPT_CARD, "290000*****18");
    add_template(RECEIPT_PURCHASE, "{card}");
    add_template(RECEIPT_PURCHASE, "You have {debt} owed");
    add_template(RECEIPT_PURCHASE, "{earned}{earned}:\t{earned} points");
    add_template(RECEIPT_PURCHASE, "");
    add_template(RECEIPT_PURCHASE, "}{earned}");
    add_template(RECEIPT_RETURN, "{taken}");
    make(RECEIPT_PURCHASE, 24);
    assert_lines((const char *const[]){ "290000*****18", "1212:          12 points", "", "}12", NULL });
    make(RECEIPT_RETURN, 24);
    assert_int_equal(lines.count, 0);
    make(RECEIPT_REDEMPTION, 24);
    assert_int_equal(lines.count, 0);
}

static void sixteen_lines_are_printed(void **state)
{
    (void)state;
    begin();
    for (uint32_t i = 0; i < RECEIPT_LINES_MAX; i++)
        add_template(RECEIPT_OFFLINE, "aaaaaaaaaaaaaaaa bbbb");
    make(RECEIPT_OFFLINE, 16);
    assert_int_equal(lines.count, RECEIPT_LINES_MAX);
    make(RECEIPT_OFFLINE, 21);
    assert_int_equal(lines.count, RECEIPT_LINES_MAX);
    assert_int_equal(lines.lines[15].text.size, 21);
}

static size_t columns(const struct message_text *text)
{
    size_t count = 0;
    for (uint64_t i = 0; i < text->size; i++)
        count += ((unsigned char)text->data[i] & 0xC0) != 0x80;
    return count;
}

/* Whatever a template says: no line is wider than the receipt, and the largest fit into an answer. */
static void random_templates_fit(void **state)
{
    (void)state;
    static const char *const pieces[] = { "a", "ü", "€", "𝄞", " ", "  ", "\t", "{card}", "{tier}", "Wort" };
    struct random random = random_seeded();
    for (int round = 0; round < 2000; round++) {
        begin();
        put(RECEIPT_CARD, "€€€€€€€€€€");
        put(RECEIPT_TIER, "𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞");
        for (uint32_t i = 0; i < RECEIPT_LINES_MAX; i++) {
            char template[RECEIPT_TEMPLATE_MAX + 1] = "";
            bool tab = false;
            for (uint64_t count = random_below(&random, 40); count > 0; count--) {
                const char *piece = pieces[random_below(&random, sizeof(pieces) / sizeof(pieces[0]))];
                if (tab && piece[0] == '\t')
                    continue;
                tab = tab || piece[0] == '\t';
                if (strlen(template) + strlen(piece) <= RECEIPT_TEMPLATE_MAX)
                    (void)strcat(template, piece);
            }
            add_template(RECEIPT_RETURN, template);
        }
        uint32_t width = RECEIPT_WIDTH_MIN + (uint32_t)random_below(&random, 49);
        make(RECEIPT_RETURN, width);
        assert_in_range(lines.count, 1, RECEIPT_LINES_MAX);
        for (uint32_t i = 0; i < lines.count; i++)
            assert_in_range(columns(&lines.lines[i].text), 0, width);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_have_the_width),
        cmocka_unit_test(values_take_their_places),
        cmocka_unit_test(sixteen_lines_are_printed),
        cmocka_unit_test(random_templates_fit),
    };
    return cmocka_run_group_tests_name("receipt lines", tests, NULL, NULL);
}
