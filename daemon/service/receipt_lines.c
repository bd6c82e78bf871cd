#include "service/receipt_lines.h"

#include <assert.h>
#include <string.h>

/* A template with every value in its place: the shortest value is {tier}. */
#define FILLED_MAX ((RECEIPT_TEMPLATE_MAX / 6 + 1) * RECEIPT_VALUE_MAX + RECEIPT_TEMPLATE_MAX)
static_assert(sizeof("{tier}") - 1 == 6, "no name of a value is shorter");

static bool continues_letter(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

static size_t columns_of(struct text text)
{
    size_t columns = 0;
    for (size_t i = 0; i < text.size; i++)
        columns += !continues_letter(text.data[i]);
    return columns;
}

/* The bytes of the first columns. */
static size_t bytes_of_columns(struct text text, size_t columns)
{
    size_t size = 0;
    while (size < text.size && (columns > 0 || continues_letter(text.data[size])))
        columns -= !continues_letter(text.data[size++]);
    return size;
}

static struct text without_end_blanks(struct text text)
{
    while (text.size > 0 && text.data[text.size - 1] == ' ')
        text.size--;
    return text;
}

/* Adds a line of parts, with blanks between them; together they are no wider than a receipt can be. */
static void add_line(struct receipt_lines *out, struct text left, size_t blanks, struct text right)
{
    if (out->count == RECEIPT_LINES_MAX)
        return;
    size_t size = left.size + blanks + right.size;
    PUNKT_CHECK(size <= sizeof(out->bytes) - out->used);
    char *at = out->bytes + out->used;
    memcpy(at, left.data, left.size);
    memset(at + left.size, ' ', blanks);
    memcpy(at + left.size + blanks, right.data, right.size);
    out->lines[out->count++].text = (struct message_text){ at, size };
    out->used += size;
}

/* Takes what fits the width off the front: up to a blank, or a word too long as it comes. */
static struct text take_row(struct text *rest, uint32_t width)
{
    struct text row = { rest->data, bytes_of_columns(*rest, width) };
    bool ends = row.size == rest->size || rest->data[row.size] == ' ';
    for (size_t size = row.size; !ends && size > 0; size--) {
        if (row.data[size - 1] != ' ' || without_end_blanks((struct text){ row.data, size }).size == 0)
            continue;
        row.size = size;
        ends = true;
    }
    rest->data += row.size;
    rest->size -= row.size;
    while (rest->size > 0 && rest->data[0] == ' ') {
        rest->data++;
        rest->size--;
    }
    return without_end_blanks(row);
}

/* Adds a text in as many lines as it needs; one that is empty is a blank line. */
static void add_rows(struct receipt_lines *out, struct text text, uint32_t width, bool at_the_right)
{
    static const struct text nothing = { "", 0 };
    do {
        struct text row = take_row(&text, width);
        add_line(out, at_the_right ? nothing : row, at_the_right ? width - columns_of(row) : 0,
                 at_the_right ? row : nothing);
    } while (text.size > 0);
}

static void add_filled(struct receipt_lines *out, struct text filled, uint32_t width)
{
    const char *tab = filled.size > 0 ? memchr(filled.data, '\t', filled.size) : NULL;
    if (tab == NULL) {
        add_rows(out, filled, width, false);
        return;
    }
    struct text left = { filled.data, (size_t)(tab - filled.data) };
    struct text right = { tab + 1, filled.size - left.size - 1 };
    size_t columns = columns_of(left) + columns_of(right);
    if (columns + (left.size > 0 && right.size > 0) <= width) {
        add_line(out, left, width - columns, right);
        return;
    }
    if (left.size > 0)
        add_rows(out, left, width, false);
    if (right.size > 0)
        add_rows(out, right, width, true);
}

/* Puts the values in. False: one of them is not there. */
static bool fill(enum receipt_kind kind, struct text template, const struct receipt_words *words,
                 char out[FILLED_MAX], size_t *out_size)
{
    struct receipt_piece piece;
    *out_size = 0;
    while (receipt_piece_next(&template, &piece)) {
        enum receipt_value value;
        if (piece.is_value) {
            PUNKT_CHECK(receipt_value(kind, piece.text, &value)); /* the reader of programmes looked */
            piece.text = text_of(words->text[value]);
            if (piece.text.size == 0)
                return false;
        }
        memcpy(out + *out_size, piece.text.data, piece.text.size);
        *out_size += piece.text.size;
    }
    return true;
}

void receipt_lines_make(const struct receipt_texts *texts, const struct receipt_language *language,
                        enum receipt_kind kind, const struct receipt_words *words, uint32_t width,
                        struct receipt_lines *out)
{
    char filled[FILLED_MAX];
    PUNKT_CHECK(width >= RECEIPT_WIDTH_MIN && width <= RECEIPT_WIDTH_MAX);
    out->count = 0;
    out->used = 0;
    for (uint8_t i = 0; i < language->counts[kind]; i++) {
        const struct receipt_template *template = &language->templates[kind][i];
        size_t size;
        if (fill(kind, (struct text){ texts->bytes + template->at, template->size }, words, filled, &size))
            add_filled(out, (struct text){ filled, size }, width);
    }
}
