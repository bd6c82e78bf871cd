/*
 * Lists that come by pages: as many pages as there are, as one table, or an object a line.
 */
#include <string.h>

#include "cli/fields.h"
#include "cli/request.h"
#include "cli/tables.h"

static uint64_t *number_at(void *body, enum message message, const char *name)
{
    const struct message_field *field = field_find(message, name);
    return field != NULL ? (uint64_t *)(void *)((char *)body + field->offset) : NULL;
}

static int print_objects(struct cli *cli, enum message message, const void *elements, uint64_t count)
{
    const char *at = elements;
    int exit_code = CLI_OK;
    for (uint64_t i = 0; i < count && exit_code == CLI_OK; i++, at += message_tables[message].struct_size)
        exit_code = output_object(cli, cli->out, message_json(message, at));
    return exit_code;
}

/* A page, of which at most `limit` entries are taken; *out_count is how many were. */
static int take_page(struct cli *cli, struct request *request, uint64_t limit, struct rows *rows,
                     uint64_t *out_count)
{
    struct reply reply;
    int exit_code = request_send(cli, request, &reply);
    if (exit_code == CLI_OK)
        exit_code = cli_check(cli, &reply.head);
    if (exit_code == CLI_OK) {
        const struct message_field *entries = field_find(reply.message, "entries");
        const void *elements = field_list(reply.body, entries, out_count);
        *out_count = *out_count < limit ? *out_count : limit;
        *number_at(request->body, request->message, "from") = *number_at(reply.body, reply.message, "next");
        exit_code = cli->json ? print_objects(cli, entries->element, elements, *out_count)
                              : rows_add(cli, rows, elements, *out_count);
    }
    reply_done(&reply);
    return exit_code;
}

int pages_take(struct cli *cli, struct request *request, uint64_t limit, struct rows *rows)
{
    const struct message_field *page = field_find(request->message, "limit");
    const uint64_t *from = number_at(request->body, request->message, "from");
    int exit_code = CLI_OK;
    do {
        uint64_t count = 0;
        if (page != NULL)
            *number_at(request->body, request->message, "limit") = limit < page->limit ? limit : page->limit;
        exit_code = take_page(cli, request, limit, rows, &count);
        limit -= count;
    } while (exit_code == CLI_OK && *from != 0 && limit > 0);
    return exit_code;
}

int pages_print(struct cli *cli, struct request *request, uint64_t limit, const char *without,
                const char *none)
{
    const struct operation_row *row = operation_row((uint16_t)request->operation);
    struct rows rows;
    rows_init(&rows, field_find(row->answer, "entries")->element);
    rows.without = without;
    int exit_code = pages_take(cli, request, limit, &rows);
    if (exit_code == CLI_OK && !cli->json && json_array_size(rows.array) == 0)
        (void)fprintf(cli->out, "%s\n", none);
    else if (exit_code == CLI_OK && !cli->json)
        exit_code = rows_print(cli, &rows);
    rows_done(&rows);
    return exit_code;
}
