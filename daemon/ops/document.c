#include "ops/document.h"

#include <stdlib.h>

#include <yaml.h>

#define NODES_MAX 8192
/* An escape of two bytes stands for at most three of text. */
#define TEXT_GROWTH_MAX 2

struct yaml_document {
    struct document_node *nodes;
    uint32_t node_count;
    char *texts;
    size_t text_size;
    size_t text_capacity;
};

/* One parse: the tree so far, and the lists and maps that are open. */
struct parse {
    struct yaml_document *document;
    struct problems *problems;
    const char *file;
    bool failed;
    uint32_t documents;
    uint32_t depth;
    struct {
        struct document_node *node;
        struct document_node *last; /* its newest child */
    } open[DOCUMENT_DEPTH_MAX];
};

static void complain(struct parse *parse, yaml_mark_t mark, const char *what)
{
    problems_add(parse->problems, parse->file, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1, "%s",
                 what);
    parse->failed = true;
}

/* A new node at the end of the innermost open list or map. NULL: complained. */
static struct document_node *add_node(struct parse *parse, const yaml_event_t *event,
                                      enum document_node_kind kind)
{
    struct yaml_document *document = parse->document;
    if (document->node_count == NODES_MAX) {
        complain(parse, event->start_mark, "too much for one file");
        return NULL;
    }
    struct document_node *node = &document->nodes[document->node_count++];
    *node = (struct document_node){ .kind = kind,
                                    .line = (uint32_t)event->start_mark.line + 1,
                                    .column = (uint32_t)event->start_mark.column + 1 };
    if (parse->depth > 0) {
        struct document_node *last = parse->open[parse->depth - 1].last;
        if (last == NULL)
            parse->open[parse->depth - 1].node->first = node;
        else
            last->next = node;
        parse->open[parse->depth - 1].last = node;
    }
    return node;
}

static void open_node(struct parse *parse, const yaml_event_t *event, enum document_node_kind kind)
{
    if (parse->depth == DOCUMENT_DEPTH_MAX) {
        complain(parse, event->start_mark, "lists and maps are nested too deeply");
        return;
    }
    struct document_node *node = add_node(parse, event, kind);
    if (node == NULL)
        return;
    parse->open[parse->depth].node = node;
    parse->open[parse->depth].last = NULL;
    parse->depth++;
}

static void add_text(struct parse *parse, const yaml_event_t *event)
{
    struct yaml_document *document = parse->document;
    size_t size = event->data.scalar.length;
    if (size >= document->text_capacity - document->text_size) {
        complain(parse, event->start_mark, "too much text for one file");
        return;
    }
    struct document_node *node = add_node(parse, event, DOCUMENT_TEXT);
    if (node == NULL)
        return;
    char *copy = document->texts + document->text_size;
    memcpy(copy, event->data.scalar.value, size);
    copy[size] = '\0';
    document->text_size += size + 1;
    node->text = (struct text){ .data = copy, .size = size };
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static void check_plain(struct parse *parse, const yaml_event_t *event, const yaml_char_t *anchor,
                        const yaml_char_t *tag)
{
    if (anchor != NULL)
        complain(parse, event->start_mark, "anchors (&) are not used in this file");
    if (tag != NULL)
        complain(parse, event->start_mark, "tags (!) are not used in this file");
}

/* Takes one event. True: it was the last. */
static bool take_event(struct parse *parse, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
        return false;
    case YAML_STREAM_END_EVENT:
        if (parse->document->node_count == 0 && !parse->failed)
            complain(parse, event->start_mark, "there is nothing in the file");
        return true;
    case YAML_DOCUMENT_START_EVENT:
        if (parse->documents++ > 0)
            complain(parse, event->start_mark, "a second document begins; expected the end of the file");
        return parse->failed;
    case YAML_DOCUMENT_END_EVENT:
        if (event->data.document_end.implicit)
            complain(parse, event->end_mark, "the file ends without a line \"...\": is it whole?");
        return false;
    case YAML_ALIAS_EVENT:
        complain(parse, event->start_mark, "aliases (*) are not used in this file");
        return true;
    case YAML_SCALAR_EVENT:
        check_plain(parse, event, event->data.scalar.anchor, event->data.scalar.tag);
        add_text(parse, event);
        return false;
    case YAML_SEQUENCE_START_EVENT:
        check_plain(parse, event, event->data.sequence_start.anchor, event->data.sequence_start.tag);
        open_node(parse, event, DOCUMENT_LIST);
        return parse->failed;
    case YAML_MAPPING_START_EVENT:
        check_plain(parse, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);
        open_node(parse, event, DOCUMENT_MAP);
        return parse->failed;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        parse->depth--;
        return false;
    }
    return false;
}

static void take_all(struct parse *parse, yaml_parser_t *parser)
{
    bool last = false;
    while (!last) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event)) {
            const char *problem = parser->problem == NULL ? "this cannot be read" : parser->problem;
            complain(parse, parser->problem_mark, problem);
            return;
        }
        last = take_event(parse, &event);
        yaml_event_delete(&event);
    }
}

static struct yaml_document *document_new(size_t size)
{
    struct yaml_document *document = calloc(1, sizeof(*document));
    if (document == NULL)
        return NULL;
    document->text_capacity = size * TEXT_GROWTH_MAX + NODES_MAX;
    document->nodes = calloc(NODES_MAX, sizeof(*document->nodes));
    document->texts = malloc(document->text_capacity);
    if (document->nodes != NULL && document->texts != NULL)
        return document;
    document_free(document);
    return NULL;
}

enum punkt_status document_parse(struct text yaml, const char *file, struct yaml_document **out_document,
                                 struct problems *out_problems)
{
    yaml_parser_t parser;
    struct parse parse = { .problems = out_problems, .file = file };
    parse.document = document_new(yaml.size);
    if (parse.document == NULL)
        return PUNKT_NO_MEMORY;
    if (!yaml_parser_initialize(&parser)) {
        document_free(parse.document);
        return PUNKT_NO_MEMORY;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml.data, yaml.size);
    take_all(&parse, &parser);
    yaml_parser_delete(&parser);
    if (parse.failed) {
        document_free(parse.document);
        return PUNKT_INVALID;
    }
    *out_document = parse.document;
    return PUNKT_OK;
}

const struct document_node *document_root(const struct yaml_document *document)
{
    return &document->nodes[0];
}

void document_free(struct yaml_document *document)
{
    if (document == NULL)
        return;
    free(document->nodes);
    free(document->texts);
    free(document);
}
