#include "cli/tables.h"

#include <string.h>

#include "cli/fields.h"

#define COLUMNS_MAX 64

/* A list whose elements are one word each is a value; others are tables. */
static bool is_table(const struct message_field *field)
{
    return field->kind == FIELD_LIST && message_tables[field->element].field_count > 1;
}

static bool is_number(enum message message, const struct message_field *field)
{
    switch (field_sense(message, field)) {
    case SENSE_COUNT:
    case SENSE_POINTS:
    case SENSE_AMOUNT:
    case SENSE_THOUSANDTHS:
    case SENSE_DURATION:
    case SENSE_RATED:
        return true;
    case SENSE_TIME:
    case SENSE_DAY:
    case SENSE_YES:
    case SENSE_FLAGS:
    case SENSE_WORD:
    case SENSE_EPOCH:
    case SENSE_TEXT:
    case SENSE_LIST:
        break;
    }
    return false;
}

void rows_init(struct rows *rows, enum message message)
{
    *rows = (struct rows){ .message = message, .array = json_array() };
}

void rows_done(struct rows *rows)
{
    json_decref(rows->array);
    rows->array = NULL;
}

/* A row: what says nothing there is empty, but for the sums of a report. */
static json_t *row_text(const struct cli *cli, enum message message, const void *in)
{
    return fields_text(cli, message, in, message == MESSAGE_report_row);
}

int rows_add(struct cli *cli, struct rows *rows, const void *elements, uint64_t count)
{
    const struct message_table *table = &message_tables[rows->message];
    const char *at = elements;
    for (uint64_t i = 0; i < count; i++, at += table->struct_size) {
        for (size_t j = 0; j < table->field_count; j++)
            rows->says |= (uint64_t)field_says(at, &table->fields[j]) << j;
        if (json_array_append_new(rows->array, row_text(cli, rows->message, at)) != 0)
            return cli_error(cli, CLI_FAILED, "no_memory", "out of memory");
    }
    return CLI_OK;
}

/* Whether a name is one of a list with blanks between. */
static bool is_in(const char *list, const char *name)
{
    size_t size = strlen(name);
    for (const char *at = list; at != NULL; at = strchr(at, ' ')) {
        at += *at == ' ';
        if (strncmp(at, name, size) == 0 && (at[size] == ' ' || at[size] == '\0'))
            return true;
    }
    return false;
}

int rows_print(struct cli *cli, const struct rows *rows)
{
    const struct message_table *table = &message_tables[rows->message];
    struct output_column columns[COLUMNS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < table->field_count; i++) {
        const struct message_field *field = &table->fields[i];
        if ((field->required || (rows->says >> i & 1) != 0) && !is_in(rows->without, field->name))
            columns[count++] = (struct output_column){ field->name, is_number(rows->message, field) };
    }
    if (rows->computed != NULL)
        columns[count++] = (struct output_column){ rows->computed, true };
    return output_rows(cli, json_incref(rows->array), columns, count);
}

json_t *fields_text(const struct cli *cli, enum message message, const void *in, bool all)
{
    const struct message_table *table = &message_tables[message];
    json_t *object = json_object();
    for (size_t i = 0; i < table->field_count && object != NULL; i++) {
        const struct message_field *field = &table->fields[i];
        if (!is_table(field) && (all || field->required || field_says(in, field)))
            (void)json_object_set_new(object, field->name, field_text(cli, message, in, field));
    }
    return object;
}

static int table_print(struct cli *cli, enum message message, const void *elements, uint64_t count)
{
    struct rows rows;
    rows_init(&rows, message);
    int exit_code = rows_add(cli, &rows, elements, count);
    if (exit_code == CLI_OK)
        exit_code = rows_print(cli, &rows);
    rows_done(&rows);
    return exit_code;
}

int elements_print(struct cli *cli, enum message message, const void *elements, uint64_t count)
{
    const char *at = elements;
    int exit_code = CLI_OK;
    if (!cli->json)
        return table_print(cli, message, elements, count);
    for (uint64_t i = 0; i < count && exit_code == CLI_OK; i++, at += message_tables[message].struct_size)
        exit_code = output_object(cli, cli->out, message_json(message, at));
    return exit_code;
}

static int list_print(struct cli *cli, const void *in, const struct message_field *field)
{
    uint64_t count;
    const void *elements = field_list(in, field, &count);
    (void)fprintf(cli->out, "\n%s:\n", field->name);
    return table_print(cli, field->element, elements, count);
}

int lists_print(struct cli *cli, enum message message, const void *in)
{
    const struct message_table *table = &message_tables[message];
    int exit_code = CLI_OK;
    for (size_t i = 0; exit_code == CLI_OK && i < table->field_count; i++) {
        if (is_table(&table->fields[i]) && field_says(in, &table->fields[i]))
            exit_code = list_print(cli, in, &table->fields[i]);
    }
    return exit_code;
}

void csv_header(FILE *stream, enum message message, const char *computed)
{
    const struct message_table *table = &message_tables[message];
    for (size_t i = 0; i < table->field_count; i++)
        output_cell(stream, table->fields[i].name,
                    i + 1 < table->field_count || computed != NULL ? ',' : '\n');
    if (computed != NULL)
        output_cell(stream, computed, '\n');
}

int csv_row(struct cli *cli, FILE *stream, enum message message, const void *in, const char *computed)
{
    const struct message_table *table = &message_tables[message];
    for (size_t i = 0; i < table->field_count; i++) {
        json_t *value = field_text(cli, message, in, &table->fields[i]);
        if (value == NULL)
            return cli_error(cli, CLI_FAILED, "no_memory", "out of memory");
        output_cell(stream, json_string_value(value),
                    i + 1 < table->field_count || computed != NULL ? ',' : '\n');
        json_decref(value);
    }
    if (computed != NULL)
        output_cell(stream, computed, '\n');
    return CLI_OK;
}
