/*
 * A YAML file as a tree with places: maps, lists and texts, nothing else. Anchors, aliases, tags and
 * second documents are refused, and the file must end with "...", which shows that it is whole.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"
#include "base/text.h"
#include "ops/problems.h"

/* Lists and maps are nested so deeply at most: whoever walks a document may call itself. */
#define DOCUMENT_DEPTH_MAX 8

enum document_node_kind { DOCUMENT_TEXT, DOCUMENT_LIST, DOCUMENT_MAP };

struct document_node {
    enum document_node_kind kind;
    bool plain;       /* DOCUMENT_TEXT: written without quotes */
    struct text text; /* DOCUMENT_TEXT */
    uint32_t line;    /* from 1 */
    uint32_t column;
    const struct document_node *first; /* of a list or map; a map's are key, value, key, value */
    const struct document_node *next;  /* in the same list or map */
};

struct yaml_document;

/*
 * Reads a text. *out_document is the caller's, with everything its nodes point to. PUNKT_INVALID: it is
 * no such file, out_problems says why; PUNKT_NO_MEMORY.
 */
PUNKT_MUST_CHECK enum punkt_status document_parse(struct text yaml, const char *file,
                                                  struct yaml_document **out_document,
                                                  struct problems *out_problems);

/* The outermost node; lives as long as the document. */
const struct document_node *document_root(const struct yaml_document *document);

/* NULL is fine. */
void document_free(struct yaml_document *document);
