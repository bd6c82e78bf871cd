#include "cli/mock_script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <punkt.h>

#include "cli/fields.h"
#include "cli/mock_json.h"
#include "cli/parse.h"

#define WORD_MAX 128
#define DELAY_MAX_MS (UINT64_C(3600) * 1000)
#define COUNT_MAX UINT64_C(1000000000)

/* A line while it is read. */
struct reader {
    const char *line;
    const char *at;    /* behind the word */
    const char *start; /* of the word */
    char word[WORD_MAX];
    char *why;
    bool failed;
};

/* The first mistake counts; it is where the word in hand begins. */
__attribute__((format(printf, 2, 3))) static bool wrong(struct reader *reader, const char *format, ...)
{
    if (reader->failed)
        return false;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reader->why, MOCK_WHY_SIZE, format, arguments);
    va_end(arguments);
    reader->failed = true;
    return false;
}

/* The next word; false at the end of the line. */
static bool next(struct reader *reader)
{
    if (reader->failed)
        return false;
    reader->at += strspn(reader->at, " \t\r\n");
    reader->start = reader->at;
    size_t size = *reader->at == '#' ? 0 : strcspn(reader->at, " \t\r\n");
    if (size >= WORD_MAX)
        return wrong(reader, "a word has at most %d bytes", WORD_MAX - 1);
    memcpy(reader->word, reader->at, size);
    reader->word[size] = '\0';
    reader->at += size;
    return size > 0;
}

/* The next word, which must be there. */
static bool need(struct reader *reader, const char *what)
{
    return next(reader) || wrong(reader, "%s is missing", what);
}

static bool is(const struct reader *reader, const char *word)
{
    return strcmp(reader->word, word) == 0;
}

static bool need_number(struct reader *reader, const char *what, uint64_t minimum, uint64_t maximum,
                        uint64_t *out)
{
    if (!need(reader, what))
        return false;
    if (parse_uint(reader->word, minimum, maximum, out))
        return true;
    return wrong(reader, "%s is a number from %llu to %llu", what, (unsigned long long)minimum,
                 (unsigned long long)maximum);
}

static bool need_points(struct reader *reader, int64_t *out)
{
    return need(reader, "a number of points") &&
           (parse_points(reader->word, 0, out) || wrong(reader, "that is no number of points"));
}

static bool need_code(struct reader *reader, const char *what, struct wire_code *out)
{
    return need(reader, what) && (wire_code_from(reader->word, strlen(reader->word), out) ||
                                  wrong(reader, "%s has at most %d bytes", what, WIRE_CODE_MAX));
}

static bool need_operation(struct reader *reader, enum operation *out)
{
    *out = (enum operation)0;
    if (!need(reader, "an operation"))
        return false;
    if (is(reader, "any"))
        return true;
    for (uint16_t code = 1; code <= FRAME_TYPE_OPERATION; code++) {
        const struct operation_row *row = operation_row(code);
        if (row != NULL && is(reader, row->name)) {
            *out = row->code;
            return true;
        }
    }
    return wrong(reader, "there is no operation \"%s\"", reader->word);
}

/* --- what stands behind the operation --- */

static bool read_result(struct reader *reader, struct mock_line *out)
{
    if (!need(reader, "a result"))
        return false;
    for (uint64_t code = 1; code <= UINT8_MAX; code++) {
        const struct result_row *row = result_row(code);
        if (row != NULL && is(reader, row->name)) {
            out->result = row->code;
            return true;
        }
    }
    return wrong(reader, "there is no result \"%s\"", reader->word);
}

static bool read_json(struct reader *reader, struct mock_line *out)
{
    json_error_t error;
    reader->at += strspn(reader->at, " \t");
    reader->start = reader->at;
    if (out->operation == 0)
        return wrong(reader, "`answer` needs one operation, for each has fields of its own");
    if (*reader->at != '{')
        return wrong(reader, "an object is missing");
    out->json = json_loads(reader->at, JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &error);
    if (out->json == NULL) {
        reader->start += error.position > 0 ? error.position - 1 : 0;
        return wrong(reader, "%s", error.text);
    }
    reader->at += error.position;
    if (*reader->at != '\0' && strchr(" \t\r\n", *reader->at) == NULL)
        return wrong(reader, "a blank is missing behind the object");
    char why[MOCK_WHY_SIZE];
    return mock_json_fits(operation_row((uint16_t)out->operation)->answer, out->json, why) ||
           wrong(reader, "%s", why);
}

static bool read_delay(struct reader *reader, struct mock_line *out)
{
    if (!need(reader, "a time"))
        return false;
    size_t digits = strspn(reader->word, "0123456789");
    const char *unit = reader->word + digits;
    uint64_t factor = strcmp(unit, "ms") == 0 ? 1 : strcmp(unit, "s") == 0 ? 1000 : 0;
    char number[WORD_MAX];
    memcpy(number, reader->word, digits);
    number[digits] = '\0';
    if (factor != 0 && parse_uint(number, 1, DELAY_MAX_MS / factor, &out->number)) {
        out->number *= factor;
        return true;
    }
    return wrong(reader, "a time is a number with ms or s, an hour at most");
}

static bool read_drop(struct reader *reader, struct mock_line *out)
{
    if (!need(reader, "before or after"))
        return false;
    if (is(reader, "after"))
        out->verb = MOCK_DROP_AFTER;
    else if (!is(reader, "before"))
        return wrong(reader, "drop what: `before commit` or `after commit`");
    return need(reader, "commit") && (is(reader, "commit") || wrong(reader, "the word is `commit`"));
}

static bool read_split(struct reader *reader, struct mock_line *out)
{
    return need_number(reader, "the number of bytes of a piece", 1, FRAME_BODY_MAX, &out->number);
}

static bool read_nothing(struct reader *reader, struct mock_line *out)
{
    (void)out;
    return !reader->failed;
}

/* --- what ends a rule --- */

static bool read_condition(struct reader *reader, struct mock_line *out)
{
    char *equals = strchr(reader->word, '=');
    if (out->operation == 0)
        return wrong(reader, "a field needs an operation, not `any`");
    if (out->condition_count == MOCK_CONDITIONS_MAX)
        return wrong(reader, "at most %d fields", MOCK_CONDITIONS_MAX);
    *equals = '\0';
    enum message message = operation_row((uint16_t)out->operation)->request;
    const struct message_field *field = field_find(message, reader->word);
    if (field == NULL || field->kind == FIELD_LIST)
        return wrong(reader, "%s has no field \"%s\" to go by", message_tables[message].name, reader->word);
    struct mock_condition *condition = &out->conditions[out->condition_count++];
    condition->field = field->name;
    (void)snprintf(condition->value, sizeof(condition->value), "%s", equals + 1);
    return true;
}

static bool read_end_of_rule(struct reader *reader, struct mock_line *out)
{
    bool more = next(reader);
    while (more && strchr(reader->word, '=') != NULL)
        more = read_condition(reader, out) && next(reader);
    out->times = 1;
    if (reader->failed || !more)
        return !reader->failed;
    if (is(reader, "always"))
        out->times = MOCK_ALWAYS;
    else if (!is(reader, "times"))
        return wrong(reader, "what is \"%s\"? There is FIELD=VALUE, times N, always", reader->word);
    else if (!need_number(reader, "how many times", 1, COUNT_MAX, &out->times))
        return false;
    return true;
}

/* --- commands --- */

static bool read_status(struct reader *reader, struct mock_card *card)
{
    card->has_status = true;
    if (!need(reader, "a status"))
        return false;
    for (card->status = 0; card->status <= 4; card->status++) {
        const char *name = card->status == 0 ? "unknown" : punkt_card_status_name((uint32_t)card->status);
        if (is(reader, name))
            return true;
    }
    return wrong(reader, "a status is active, blocked, replaced, closed or unknown");
}

static bool read_card(struct reader *reader, struct mock_line *out)
{
    struct mock_card *card = &out->card;
    if (!need_code(reader, "the number of the card", &card->number))
        return false;
    while (next(reader)) {
        if (is(reader, "balance")) {
            card->has_balance = true;
            if (!need_points(reader, &card->balance))
                return false;
        } else if (is(reader, "status")) {
            if (!read_status(reader, card))
                return false;
        } else if (is(reader, "tier")) {
            card->has_tier = true;
            if (!need_code(reader, "the tier", &card->tier))
                return false;
        } else if (is(reader, "expiry")) {
            card->has_expiry = true;
            if (!need(reader, "a day"))
                return false;
            if (!parse_day(reader->word, &card->expiry_day))
                return wrong(reader, "a day is YYYY-MM-DD");
            if (!need_points(reader, &card->expiry_points))
                return false;
        } else {
            return wrong(reader, "what is \"%s\"? There is balance, status, tier, expiry", reader->word);
        }
    }
    return !reader->failed;
}

static bool read_reorder(struct reader *reader, struct mock_line *out)
{
    return need_number(reader, "how many answers", 2, 64, &out->number);
}

static bool read_term(struct reader *reader, struct mock_line *out)
{
    return need_number(reader, "the term", 1, INT64_MAX, &out->number);
}

static bool read_lose(struct reader *reader, struct mock_line *out)
{
    return need_number(reader, "how many", 1, COUNT_MAX, &out->number);
}

struct row {
    const char *word, *second; /* second: NULL where there is one word */
    enum mock_verb verb;
    bool (*read)(struct reader *reader, struct mock_line *out);
};

static const struct row rows[] = {
    { "refuse", NULL, MOCK_REFUSE, read_result },
    { "answer", NULL, MOCK_ANSWER, read_json },
    { "delay", NULL, MOCK_DELAY, read_delay },
    { "drop", NULL, MOCK_DROP_BEFORE, read_drop },
    { "duplicate", NULL, MOCK_DUPLICATE, read_nothing },
    { "split", NULL, MOCK_SPLIT, read_split },
    { "garble", NULL, MOCK_GARBLE, read_nothing },
    { "reorder", NULL, MOCK_REORDER, read_reorder },
    { "card", NULL, MOCK_CARD, read_card },
    { "term", NULL, MOCK_TERM, read_term },
    { "lose", NULL, MOCK_LOSE, read_lose },
    { "go", "silent", MOCK_GO_SILENT, read_nothing },
    { "go", "on", MOCK_GO_ON, read_nothing },
    { "stop", "listening", MOCK_STOP_LISTENING, read_nothing },
    { "listen", "again", MOCK_LISTEN_AGAIN, read_nothing },
    { "close", "connections", MOCK_CLOSE_CONNECTIONS, read_nothing },
    { "forget", "rules", MOCK_FORGET_RULES, read_nothing },
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* The row of the word in hand, and of the second that belongs to it; NULL: there is none, and that was said. */
static const struct row *find_row(struct reader *reader)
{
    const struct row *first = NULL;
    for (size_t i = 0; i < ROW_COUNT && first == NULL; i++) {
        if (is(reader, rows[i].word))
            first = &rows[i];
    }
    if (first == NULL) {
        (void)wrong(reader, "there is no command \"%s\"", reader->word);
        return NULL;
    }
    if (first->second == NULL)
        return first;
    if (!need(reader, first->second))
        return NULL;
    for (const struct row *row = first; row < rows + ROW_COUNT; row++) {
        if (row->second != NULL && strcmp(row->word, first->word) == 0 && is(reader, row->second))
            return row;
    }
    (void)wrong(reader, "`%s` is followed by `%s`, not by \"%s\"", first->word, first->second, reader->word);
    return NULL;
}

static bool read_line(struct reader *reader, struct mock_line *out)
{
    if (!next(reader))
        return !reader->failed;
    const struct row *row = find_row(reader);
    if (row == NULL)
        return false;
    out->verb = row->verb;
    bool rule = row->verb < MOCK_RULES_END;
    if (rule && !need_operation(reader, &out->operation))
        return false;
    if (!row->read(reader, out) || (rule && !read_end_of_rule(reader, out)))
        return false;
    return !next(reader) ? !reader->failed : wrong(reader, "the command ends before \"%s\"", reader->word);
}

bool mock_line_read(const char *line, struct mock_line *out, char out_why[MOCK_WHY_SIZE], size_t *out_column)
{
    struct reader reader = { .line = line, .at = line, .start = line, .why = out_why };
    *out = (struct mock_line){ .verb = MOCK_NOTHING };
    if (read_line(&reader, out))
        return true;
    *out_column = (size_t)(reader.start - line) + 1;
    return false;
}

void mock_line_done(struct mock_line *line)
{
    json_decref(line->json);
    line->json = NULL;
}

/* Whether a field says this, as --json prints it. */
static bool says(enum message message, const void *in, const struct mock_condition *condition)
{
    json_t *value = field_json(message, in, field_find(message, condition->field));
    char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);
    const char *said = json_is_string(value) ? json_string_value(value) : text;
    bool equal = said != NULL && strcmp(said, condition->value) == 0;
    free(text);
    json_decref(value);
    return equal;
}

bool mock_line_fits(const struct mock_line *line, const struct operation_row *row, const void *in)
{
    bool fits = line->times > 0 && (line->operation == 0 || line->operation == row->code);
    for (size_t i = 0; fits && i < line->condition_count; i++)
        fits = says(row->request, in, &line->conditions[i]);
    return fits;
}
