#include "ops/config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/document.h"
#include "ops/schema.h"
#include "ops/text_file.h"

static const char *const log_levels[] = { "error", "warning", "info", "debug", NULL };
static_assert(LOG_LEVEL_ERROR == 0 && LOG_LEVEL_DEBUG == 3, "log_levels are in the order of enum log_level");

static void read_listen(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct config *config = out;
    const struct document_node *first = node->kind == DOCUMENT_LIST ? node->first : node;
    config->listen_count = 0;
    for (const struct document_node *item = first; item != NULL; item = item->next) {
        if (config->listen_count == CONFIG_LISTEN_MAX) {
            schema_complain(run, item, "listen has more than %d addresses", CONFIG_LISTEN_MAX);
            return;
        }
        if (schema_text(run, item, "listen", 1, CONFIG_ADDRESS_MAX, config->listen[config->listen_count]))
            config->listen_count++;
        if (node->kind != DOCUMENT_LIST)
            return;
    }
    if (first == NULL)
        schema_complain(run, node, "listen is an empty list, expected at least one address");
}

#define PATH(name)                                                                                           \
    {                                                                                                        \
        .key = #name, .form = SCHEMA_TEXT, .offset = offsetof(struct config, name), .min = 1,                \
        .max = CONFIG_PATH_MAX                                                                               \
    }
#define WHOLE(name, least, most)                                                                             \
    {                                                                                                        \
        .key = #name, .form = SCHEMA_WHOLE, .offset = offsetof(struct config, name), .min = (least),         \
        .max = (most)                                                                                        \
    }

static const struct schema_row config_schema[] = {
    PATH(data),
    { .key = "listen", .form = SCHEMA_OWN, .read = read_listen },
    PATH(programme),
    PATH(port_file),
    PATH(secrets),
    { .key = "log_level",
      .form = SCHEMA_WORD,
      .offset = offsetof(struct config, log_level),
      .words = log_levels },
    WHOLE(journal.segment_mib, 8, 1024),
    WHOLE(journal.reserve_mib, 0, 1024 * 1024),
    WHOLE(state.map_gib, 1, 64 * 1024),
    WHOLE(state.checkpoint_ms, 10, 60000),
    WHOLE(state.checkpoint_records, 1000, 500000),
    WHOLE(state.checkpoint_mib, 8, 1024),
    WHOLE(limits.conns_max, 1, 100000),
    WHOLE(limits.unproven_max, 1, 10000),
    WHOLE(limits.unproven_per_address_max, 1, 10000),
    WHOLE(limits.in_flight_max, 1, 1024),
    WHOLE(limits.frames_per_turn, 1, 1024),
    WHOLE(limits.output_high_kib, 64, 16 * 1024),
    WHOLE(limits.pool_mib, 4, 4096),
    WHOLE(limits.hello_timeout_ms, 100, 60000),
    WHOLE(limits.frame_timeout_ms, 100, 600000),
    WHOLE(limits.idle_timeout_ms, 1000, 86400000),
    WHOLE(limits.drain_timeout_ms, 100, 600000),
};

static const struct schema_table config_table = { "", "this", config_schema, COUNT_OF(config_schema) };

void config_default(struct config *out)
{
    memset(out, 0, sizeof(*out));
    out->listen_count = 1;
    (void)snprintf(out->listen[0], sizeof(out->listen[0]), "127.0.0.1:7400");
    out->log_level = LOG_LEVEL_INFO;
    out->journal.segment_mib = 64;
    out->journal.reserve_mib = 0;
    out->state.map_gib = 1024;
    out->state.checkpoint_ms = 1000;
    out->state.checkpoint_records = 60000;
    out->state.checkpoint_mib = 64;
    out->limits.conns_max = 10000;
    out->limits.unproven_max = 512;
    out->limits.unproven_per_address_max = 20;
    out->limits.in_flight_max = 64;
    out->limits.frames_per_turn = 64;
    out->limits.output_high_kib = 256;
    out->limits.pool_mib = 64;
    out->limits.hello_timeout_ms = 5000;
    out->limits.frame_timeout_ms = 10000;
    out->limits.idle_timeout_ms = 180000;
    out->limits.drain_timeout_ms = 15000;
}

enum punkt_status config_read(struct text yaml, const char *file, struct config *inout_config,
                              struct problems *out_problems)
{
    struct schema_run run = { .file = file, .problems = out_problems };
    struct yaml_document *document;
    out_problems->count = 0;
    enum punkt_status status = document_parse(yaml, file, &document, out_problems);
    if (status != PUNKT_OK)
        return status;
    schema_read(&run, &config_table, document_root(document), inout_config);
    document_free(document);
    return out_problems->count > 0 ? PUNKT_INVALID : PUNKT_OK;
}

enum punkt_status config_load(const char *file, struct config *inout_config, struct problems *out_problems)
{
    char *yaml;
    size_t size;
    struct failure failure;
    out_problems->count = 0;
    enum punkt_status status = text_file_read(file, CONFIG_FILE_BYTES_MAX, &yaml, &size, &failure);
    if (status != PUNKT_OK) {
        problems_add(out_problems, file, 0, 0, "%s", failure.text);
        return status;
    }
    status = config_read((struct text){ yaml, size }, file, inout_config, out_problems);
    free(yaml);
    return status;
}

const char *config_key(size_t index)
{
    return index < COUNT_OF(config_schema) ? config_schema[index].key : NULL;
}
