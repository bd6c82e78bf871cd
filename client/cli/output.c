#include <stdlib.h>
#include <string.h>

#include <csv.h>
#include <libsmartcols/libsmartcols.h>

#include "cli/cli.h"

int output_object(struct cli *cli, FILE *stream, json_t *object)
{
    char *line = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (line == NULL)
        return cli_error(cli, CLI_FAILED, "no_memory", "out of memory");
    (void)fprintf(stream, "%s\n", line);
    free(line);
    return CLI_OK;
}

/* A cell's text; numbers into a buffer of the caller. */
static const char *cell_text(const json_t *value, char *buffer, size_t size)
{
    if (json_is_string(value))
        return json_string_value(value);
    if (!json_is_integer(value))
        return "";
    (void)snprintf(buffer, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return buffer;
}

/* "next_expiry" as a heading: with blanks. */
static const char *title_of(const char *key, char *buffer, size_t size)
{
    (void)snprintf(buffer, size, "%s", key);
    for (char *at = buffer; *at != '\0'; at++)
        *at = *at == '_' ? ' ' : *at;
    return buffer;
}

static int set_cell(struct libscols_line *line, size_t column, const json_t *value)
{
    char buffer[32];
    return scols_line_set_data(line, column, cell_text(value, buffer, sizeof(buffer)));
}

static struct libscols_table *table_new(struct cli *cli)
{
    scols_init_debug(0);
    struct libscols_table *table = scols_new_table();
    if (table != NULL)
        (void)scols_table_set_stream(table, cli->out);
    return table;
}

/* Prints and releases the table; `failed` says whether it was filled whole. */
static int table_finish(struct cli *cli, struct libscols_table *table, bool failed)
{
    failed = failed || scols_print_table(table) != 0;
    scols_unref_table(table);
    return failed ? cli_error(cli, CLI_FAILED, "no_memory", "cannot print the table") : CLI_OK;
}

int output_pairs(struct cli *cli, json_t *object)
{
    struct libscols_table *table = table_new(cli);
    bool failed = table == NULL || object == NULL || scols_table_enable_noheadings(table, 1) != 0 ||
                  scols_table_new_column(table, "name", 0, 0) == NULL ||
                  scols_table_new_column(table, "value", 0, SCOLS_FL_RIGHT) == NULL;
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        char title[64];
        struct libscols_line *line = failed ? NULL : scols_table_new_line(table, NULL);
        failed = line == NULL || scols_line_set_data(line, 0, title_of(key, title, sizeof(title))) != 0 ||
                 set_cell(line, 1, value) != 0;
    }
    json_decref(object);
    return table_finish(cli, table, failed);
}

int output_rows(struct cli *cli, json_t *rows, const struct output_column *columns, size_t column_count)
{
    struct libscols_table *table = table_new(cli);
    bool failed = table == NULL || rows == NULL;
    for (size_t i = 0; i < column_count && !failed; i++) {
        char title[64];
        failed = scols_table_new_column(table, title_of(columns[i].key, title, sizeof(title)), 0,
                                        columns[i].right ? SCOLS_FL_RIGHT : 0) == NULL;
    }
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        struct libscols_line *line = failed ? NULL : scols_table_new_line(table, NULL);
        failed = line == NULL;
        for (size_t i = 0; i < column_count && !failed; i++)
            failed = set_cell(line, i, json_object_get(row, columns[i].key)) != 0;
    }
    json_decref(rows);
    return table_finish(cli, table, failed);
}

void output_cell(FILE *stream, const char *text, char behind)
{
    if (strpbrk(text, ",\"\r\n") != NULL)
        (void)csv_fwrite(stream, text, strlen(text));
    else
        (void)fputs(text, stream);
    (void)fputc(behind, stream);
}
