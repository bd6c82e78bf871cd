#include <stdio.h>
#include <string.h>

#include "ops/programme_parts.h"

#define KNOWN_MAX 256 /* of the values that a list knows */

/* A language while it is read. */
struct receipt_reading {
    struct receipt_language language;
    struct programme *programme; /* has those before it, and takes the templates */
};

static const char *const kind_words[RECEIPT_KINDS] = { "purchase", "return", "redemption", "offline" };
/* false: a point; true: a comma. */
static const char *const decimal_words[] = { "point", "comma", NULL };

/* --- codes of languages, forms of dates --- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Two or three letters; then any number of -parts of two to eight letters and digits. */
static bool code_fits(const char *code)
{
    size_t part = 0;
    bool first = true;
    for (size_t i = 0;; i++) {
        char c = code[i];
        if (c == '-' || c == '\0') {
            if (part < 2 || part > (first ? 3 : 8))
                return false;
            if (c == '\0')
                return true;
            first = false;
            part = 0;
        } else if (is_letter(c) || (!first && c >= '0' && c <= '9')) {
            part++;
        } else {
            return false;
        }
    }
}

static void read_language(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct receipt_reading *reading = out;
    const struct receipt_texts *texts = &reading->programme->texts;
    char code[RECEIPT_LANGUAGE_MAX + 1];
    if (!schema_text(run, node, "language", 2, RECEIPT_LANGUAGE_MAX, code))
        return;
    if (!code_fits(code)) {
        schema_complain(run, node, "language is \"%s\", expected a code as de or de-AT", code);
        return;
    }
    for (uint32_t i = 0; i < texts->language_count; i++) {
        if (strcmp(texts->languages[i].code, code) == 0)
            schema_complain(run, node, "language %s is there already", code);
    }
    memcpy(reading->language.code, code, sizeof(code));
}

/* Takes a word off the front of a form, at most once. */
static bool take_word(const char **form, const char *word, uint32_t bit, uint32_t *seen)
{
    if (strncmp(*form, word, strlen(word)) != 0 || (*seen & bit) != 0)
        return false;
    *form += strlen(word);
    *seen |= bit;
    return true;
}

/* DD, MM and the year, each once, and points, slashes, dashes and blanks. */
static bool date_fits(const char *form)
{
    enum { DAY = 1, MONTH = 2, YEAR = 4 };
    uint32_t seen = 0;
    while (*form != '\0') {
        if (take_word(&form, "DD", DAY, &seen) || take_word(&form, "MM", MONTH, &seen) ||
            take_word(&form, "YYYY", YEAR, &seen) || take_word(&form, "YY", YEAR, &seen))
            continue;
        if (strchr("./- ", *form) == NULL)
            return false;
        form++;
    }
    return seen == (DAY | MONTH | YEAR);
}

static void read_date(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct receipt_reading *reading = out;
    char form[RECEIPT_DATE_MAX + 1];
    if (!schema_text(run, node, "date", 6, RECEIPT_DATE_MAX, form))
        return;
    if (date_fits(form))
        memcpy(reading->language.date, form, sizeof(form));
    else
        schema_complain(run, node, "date is \"%s\", expected a form of DD, MM and YYYY or YY, as DD.MM.YYYY",
                        form);
}

/* --- templates --- */

/* The values that a kind knows, for people. */
static void known_values(enum receipt_kind kind, char list[KNOWN_MAX])
{
    size_t used = 0;
    const char *name;
    for (size_t i = 0; (name = receipt_value_name(kind, i)) != NULL; i++) {
        int size = snprintf(list + used, KNOWN_MAX - used, "%s%s", i == 0 ? "" : ", ", name);
        PUNKT_CHECK(size > 0 && used + (size_t)size < KNOWN_MAX);
        used += (size_t)size;
    }
}

static bool value_fits(const struct schema_run *run, const struct document_node *node, enum receipt_kind kind,
                       struct text name)
{
    enum receipt_value value;
    char known[KNOWN_MAX];
    if (receipt_value(kind, name, &value))
        return true;
    if (receipt_value_name(kind, 0) == NULL) {
        schema_complain(run, node, "{%.*s} is not known yet in %s", (int)name.size, name.data,
                        kind_words[kind]);
        return false;
    }
    known_values(kind, known);
    schema_complain(run, node, "{%.*s} is no value of a %s; expected one of %s", (int)name.size, name.data,
                    kind_words[kind], known);
    return false;
}

/* Line ends and other controls are not for a line; one tab is. */
static bool letters_fit(const struct schema_run *run, const struct document_node *node, struct text template)
{
    uint32_t tabs = 0;
    for (size_t i = 0; i < template.size; i++) {
        unsigned char c = (unsigned char)template.data[i];
        tabs += c == '\t';
        if (tabs > 1 || c == 0x7F || (c < ' ' && c != '\t')) {
            schema_complain(run, node, "%s",
                            tabs > 1 ? "a line has one tab at most" : "a line has no controls");
            return false;
        }
    }
    return true;
}

static bool template_fits(const struct schema_run *run, const struct document_node *node,
                          enum receipt_kind kind, struct text template)
{
    struct receipt_piece piece;
    bool fits = letters_fit(run, node, template);
    while (receipt_piece_next(&template, &piece)) {
        if (piece.is_value && !value_fits(run, node, kind, piece.text))
            fits = false;
    }
    if (template.size == 0)
        return fits;
    schema_complain(run, node, "a brace begins a value as {%s}, and this one does not close",
                    receipt_value_name(RECEIPT_PURCHASE, 0));
    return false;
}

static void keep_template(const struct schema_run *run, const struct document_node *node,
                          struct receipt_reading *reading, enum receipt_kind kind, struct text template)
{
    struct receipt_texts *texts = &reading->programme->texts;
    if (template.size > RECEIPT_BYTES_MAX - texts->size) {
        schema_complain(run, node, "the lines of all languages have more than %d bytes", RECEIPT_BYTES_MAX);
        return;
    }
    uint8_t *count = &reading->language.counts[kind];
    reading->language.templates[kind][(*count)++] =
        (struct receipt_template){ .at = (uint16_t)texts->size, .size = (uint16_t) template.size };
    memcpy(texts->bytes + texts->size, template.data, template.size);
    texts->size += (uint32_t) template.size;
}

static void read_lines(const struct schema_run *run, const struct document_node *node, enum receipt_kind kind,
                       struct receipt_reading *reading)
{
    if (!schema_list(run, node, kind_words[kind], "lines", "\"- Thank you!\"", RECEIPT_LINES_MAX))
        return;
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        char template[RECEIPT_TEMPLATE_MAX + 1];
        if (reading->language.counts[kind] == RECEIPT_LINES_MAX)
            return;
        if (schema_text(run, item, "a line", 0, RECEIPT_TEMPLATE_MAX, template) &&
            template_fits(run, item, kind, text_of(template)))
            keep_template(run, item, reading, kind, text_of(template));
    }
}

static void read_purchase(const struct schema_run *run, const struct document_node *node, void *out)
{
    read_lines(run, node, RECEIPT_PURCHASE, out);
}

static void read_return(const struct schema_run *run, const struct document_node *node, void *out)
{
    read_lines(run, node, RECEIPT_RETURN, out);
}

static void read_redemption(const struct schema_run *run, const struct document_node *node, void *out)
{
    read_lines(run, node, RECEIPT_REDEMPTION, out);
}

static void read_offline(const struct schema_run *run, const struct document_node *node, void *out)
{
    read_lines(run, node, RECEIPT_OFFLINE, out);
}

static const struct schema_row receipt_rows[] = {
    { .key = "language", .form = SCHEMA_OWN, .required = true, .read = read_language },
    { .key = "date", .form = SCHEMA_OWN, .read = read_date },
    { .key = "decimal",
      .form = SCHEMA_EITHER,
      .offset = offsetof(struct receipt_reading, language.comma),
      .words = decimal_words },
    { .key = "purchase", .form = SCHEMA_OWN, .read = read_purchase },
    { .key = "return", .form = SCHEMA_OWN, .read = read_return },
    { .key = "redemption", .form = SCHEMA_OWN, .read = read_redemption },
    { .key = "offline", .form = SCHEMA_OWN, .read = read_offline },
};
const struct schema_table receipt_table = { "Receipt text", "a language", receipt_rows,
                                            COUNT_OF(receipt_rows) };

void receipt_read(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct programme *programme = out;
    struct receipt_texts *texts = &programme->texts;
    if (!schema_list(run, node, "receipt_text", "languages", "\"- language: de\"", RECEIPT_LANGUAGES_MAX))
        return;
    for (const struct document_node *item = node->first; item != NULL; item = item->next) {
        struct receipt_reading reading;
        memset(&reading, 0, sizeof(reading));
        reading.programme = programme;
        (void)snprintf(reading.language.date, sizeof(reading.language.date), "%s", RECEIPT_DATE);
        if (texts->language_count == RECEIPT_LANGUAGES_MAX)
            return;
        schema_read(run, &receipt_table, item, &reading);
        memcpy(&texts->languages[texts->language_count++], &reading.language, sizeof(reading.language));
    }
}
