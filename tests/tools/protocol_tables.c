/*
 * Makes what PROTOCOL.md and punkt.lua say about operations, results and messages from the same tables as the
 * code: punkt-protocol-tables --help. Both files hold a generated part between two markers; the rest is written
 * by people.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/message.h"

static const char *const role_docs[ROLE_COUNT] = {
#define ROLE(number, NAME, name, letter, doc) doc,
#include "proto/roles.def"
#undef ROLE
};

static const uint64_t result_codes[] = {
#define RESULT(code, NAME, name, finality, exit_code, text) code,
#include "proto/results.def"
#undef RESULT
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *kind_name(enum field_kind kind)
{
    switch (kind) {
    case FIELD_UINT:
        return "UINT";
    case FIELD_SINT:
        return "SINT";
    case FIELD_FIXED:
        return "FIXED";
    case FIELD_HASH16:
        return "HASH16";
    case FIELD_HASH32:
        return "HASH32";
    case FIELD_CARD:
        return "CARD";
    case FIELD_CODE:
        return "CODE";
    case FIELD_TEXT:
        return "TEXT";
    case FIELD_TEXT_BLOCK:
        return "TEXT_BLOCK";
    case FIELD_BYTES:
        return "BYTES";
    case FIELD_LIST:
        return "LIST";
    }
    return "";
}

static const char *operation_kind_name(enum operation_kind kind)
{
    switch (kind) {
    case OPERATION_KIND_SESSION:
        return "session";
    case OPERATION_KIND_READ:
        return "read";
    case OPERATION_KIND_CHANGE:
        return "change";
    }
    return "";
}

static bool has_limit(enum field_kind kind)
{
    return kind != FIELD_FIXED && kind != FIELD_HASH16 && kind != FIELD_HASH32;
}

/* --- PROTOCOL.md --- */

static void print_limit(FILE *out, const struct message_field *field)
{
    if (!has_limit(field->kind))
        fprintf(out, "-");
    else if (field->limit == UINT64_MAX)
        fprintf(out, "2^64 - 1");
    else if (field->limit == INT64_MAX)
        fprintf(out, "2^63 - 1");
    else if (field->limit == UINT32_MAX)
        fprintf(out, "2^32 - 1");
    else
        fprintf(out, "%" PRIu64, field->limit);
}

static void print_need(FILE *out, const struct message_field *field)
{
    if (field->required)
        fprintf(out, "required");
    else if (field->kind == FIELD_UINT || field->kind == FIELD_SINT || field->kind == FIELD_FIXED)
        fprintf(out, "%" PRId64, (int64_t)field->preset);
    else
        fprintf(out, "empty");
}

static void print_message_table(FILE *out, enum message message)
{
    const struct message_table *table = &message_tables[message];
    fprintf(out, "\n#### %s\n\n", table->name);
    if (table->doc[0] != '\0')
        fprintf(out, "%s\n\n", table->doc);
    if (table->field_count == 0) {
        fprintf(out, "No fields.\n");
        return;
    }
    fprintf(out, "| field | kind | limit | preset | meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < table->field_count; i++) {
        const struct message_field *field = &table->fields[i];
        fprintf(out, "| `%s` | %s", field->name, kind_name(field->kind));
        if (field->kind == FIELD_LIST)
            fprintf(out, " of `%s`", message_tables[field->element].name);
        fprintf(out, " | ");
        print_limit(out, field);
        fprintf(out, " | ");
        print_need(out, field);
        fprintf(out, " | %s |\n", field->doc);
    }
}

static void print_operations_table(FILE *out)
{
    fprintf(out, "### Roles\n\n| number | name | what it is for |\n|---|---|---|\n");
    for (unsigned role = 1; role <= ROLE_COUNT; role++)
        fprintf(out, "| %u | `%s` | %s |\n", role, role_name((enum role)role), role_docs[role - 1]);
    fprintf(
        out,
        "\n### Operations\n\nRoles that may: by the letters of till, supervisor, office, approver, auditor, "
        "admin.\n\n| code | name | kind | roles | what it does |\n|---|---|---|---|---|\n");
    for (uint16_t code = 0; code <= FRAME_TYPE_OPERATION; code++) {
        const struct operation_row *row = operation_row(code);
        if (row != NULL)
            fprintf(out, "| %u (0x%04X) | `%s` | %s | `%.*s` | %s |\n", code, code, row->name,
                    operation_kind_name(row->kind), ROLE_COUNT, row->roles, row->doc);
    }
}

static void print_results_table(FILE *out)
{
    fprintf(out, "\n### Results\n\nHighest precedence first: the first that applies is the answer.\n\n"
                 "| code | name | after it | text | exit code of `punkt` |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < COUNT(result_codes); i++) {
        const struct result_row *row = result_row(result_codes[i]);
        fprintf(out, "| %d | `%s` | %s | %s | %d |\n", (int)row->code, row->name,
                row->retryable ? "retry" : "final", row->text, row->exit_code);
    }
}

static void print_markdown(FILE *out)
{
    print_operations_table(out);
    print_results_table(out);
    fprintf(
        out,
        "\n### Messages\n\nA field whose preset is `required` is always on the wire. Elements of lists come first.\n");
    for (enum message message = 0; message < MESSAGE_COUNT; message++)
        print_message_table(out, message);
}

/* --- punkt.lua --- */

static void print_lua_message(FILE *out, enum message message)
{
    const struct message_table *table = &message_tables[message];
    fprintf(out, "    %s = {\n", table->name);
    for (size_t i = 0; i < table->field_count; i++) {
        const struct message_field *field = &table->fields[i];
        fprintf(out, "        { name = \"%s\", kind = \"%s\", required = %s, ", field->name,
                kind_name(field->kind), field->required ? "true" : "false");
        if (field->kind == FIELD_LIST)
            fprintf(out, "element = \"%s\", ", message_tables[field->element].name);
        /* The texts of the tables hold neither quotes nor backslashes; a test of the dissector would fail. */
        fprintf(out, "doc = \"%s\" },\n", field->doc);
    }
    fprintf(out, "    },\n");
}

static void print_dissector(FILE *out)
{
    fprintf(out, "local operations = {\n");
    for (uint16_t code = 0; code <= FRAME_TYPE_OPERATION; code++) {
        const struct operation_row *row = operation_row(code);
        if (row != NULL)
            fprintf(out, "    [%u] = \"%s\",\n", code, row->name);
    }
    fprintf(out, "}\n\nlocal results = {\n");
    for (size_t i = 0; i < COUNT(result_codes); i++)
        fprintf(out, "    [%" PRIu64 "] = \"%s\",\n", result_codes[i], result_row(result_codes[i])->name);
    fprintf(out, "}\n\nlocal messages = {\n");
    for (enum message message = 0; message < MESSAGE_COUNT; message++)
        print_lua_message(out, message);
    fprintf(out, "}\n");
}

/* --- the two files --- */

struct target {
    const char *path;
    const char *begin, *end; /* marker lines, without their line ends */
    void (*print)(FILE *out);
};

static const struct target targets[] = {
    { "proto/PROTOCOL.md", "<!-- generated by punkt-protocol-tables: begin -->",
      "<!-- generated by punkt-protocol-tables: end -->", print_markdown },
    { "proto/punkt.lua", "-- generated by punkt-protocol-tables: begin",
      "-- generated by punkt-protocol-tables: end", print_dissector },
};

/* The whole file as a string of the caller; NULL and a message if it cannot be read. */
static char *read_file(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "r");
    FILE *memory = open_memstream(&text, &size);
    if (file != NULL && memory != NULL) {
        char part[4096];
        for (size_t got = 0; (got = fread(part, 1, sizeof(part), file)) > 0;)
            fwrite(part, 1, got, memory);
    }
    bool good = file != NULL && memory != NULL && ferror(file) == 0;
    if (file != NULL)
        fclose(file);
    if (memory != NULL && fclose(memory) != 0)
        good = false;
    if (good)
        return text;
    fprintf(stderr, "%s cannot be read\n", path);
    free(text);
    return NULL;
}

/* The file as it should be: what is between the markers made anew. NULL and a message without markers. */
static char *renewed(const struct target *target, const char *path, const char *now)
{
    char *text = NULL;
    size_t size = 0;
    const char *begin = strstr(now, target->begin);
    const char *end = strstr(now, target->end);
    if (begin == NULL || end == NULL || end < begin) {
        fprintf(stderr, "%s has no lines \"%s\" and \"%s\"\n", path, target->begin, target->end);
        return NULL;
    }
    FILE *memory = open_memstream(&text, &size);
    if (memory == NULL)
        return NULL;
    fprintf(memory, "%.*s%s\n\n", (int)(begin - now), now, target->begin);
    target->print(memory);
    fprintf(memory, "\n%s", end);
    if (fclose(memory) == 0)
        return text;
    free(text);
    return NULL;
}

static bool write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    bool good = file != NULL && fputs(text, file) >= 0;
    if (file != NULL && fclose(file) != 0)
        good = false;
    if (!good)
        fprintf(stderr, "%s cannot be written\n", path);
    return good;
}

/* Checks a file, or writes it where it is stale. */
static bool settle(const struct target *target, const char *tree, bool write)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", tree, target->path);
    char *now = read_file(path);
    char *wanted = now != NULL ? renewed(target, path, now) : NULL;
    bool good = wanted != NULL && strcmp(now, wanted) == 0;
    if (good) {
        printf("%s says what the tables say\n", target->path);
    } else if (wanted != NULL && write) {
        good = write_file(path, wanted);
        if (good)
            printf("%s is written anew\n", target->path);
    } else if (wanted != NULL) {
        fprintf(stderr, "%s is stale: run punkt-protocol-tables --write TREE\n", target->path);
    }
    free(wanted);
    free(now);
    return good;
}

static int usage(FILE *out, int status)
{
    fputs("usage: punkt-protocol-tables --check TREE | --write TREE | --markdown | --dissector\n"
          "\n"
          "  --check TREE   fails if proto/PROTOCOL.md or proto/punkt.lua in the tree is stale\n"
          "  --write TREE   makes their generated parts anew\n"
          "  --markdown     prints the part of PROTOCOL.md\n"
          "  --dissector    prints the part of punkt.lua\n",
          out);
    return status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "check", required_argument, NULL, 'c' }, { "write", required_argument, NULL, 'w' },
        { "markdown", no_argument, NULL, 'm' },    { "dissector", no_argument, NULL, 'd' },
        { "help", no_argument, NULL, 'h' },        { NULL, 0, NULL, 0 },
    };
    int option = getopt_long(argc, argv, "h", options, NULL);
    bool good = true;
    switch (option) {
    case 'c':
    case 'w':
        for (size_t i = 0; i < COUNT(targets); i++)
            good &= settle(&targets[i], optarg, option == 'w');
        return good ? EXIT_SUCCESS : EXIT_FAILURE;
    case 'm':
        print_markdown(stdout);
        return EXIT_SUCCESS;
    case 'd':
        print_dissector(stdout);
        return EXIT_SUCCESS;
    case 'h':
        return usage(stdout, EXIT_SUCCESS);
    default:
        return usage(stderr, 2);
    }
}
