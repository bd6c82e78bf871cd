#include "ops/config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static void read_admins(const struct schema_run *run, const struct document_node *node, void *out)
{
    struct config *config = out;
    config->admin_count = 0;
    if (!schema_list(run, node, "admins", "users", "[ann, 1001]", CONFIG_ADMINS_MAX))
        return;
    for (const struct document_node *item = node->first;
         item != NULL && config->admin_count < CONFIG_ADMINS_MAX; item = item->next) {
        if (schema_text(run, item, "admins", 1, CONFIG_USER_MAX, config->admins[config->admin_count]))
            config->admin_count++;
    }
}

#define PATH(name)                                                                                           \
    {                                                                                                        \
        .key = #name, .form = SCHEMA_TEXT, .offset = offsetof(struct config, name), .min = 1,                \
        .max = CONFIG_PATH_MAX                                                                               \
    }
#define ADDRESS(name)                                                                                        \
    {                                                                                                        \
        .key = #name, .form = SCHEMA_TEXT, .offset = offsetof(struct config, name), .min = 1,                \
        .max = CONFIG_ADDRESS_MAX                                                                            \
    }
#define WHOLE(name, least, most)                                                                             \
    {                                                                                                        \
        .key = #name, .form = SCHEMA_WHOLE, .offset = offsetof(struct config, name), .min = (least),         \
        .max = (most)                                                                                        \
    }

static const struct schema_row config_schema[] = {
    PATH(data),
    { .key = "listen", .form = SCHEMA_OWN, .read = read_listen },
    ADDRESS(tls.listen),
    PATH(tls.folder),
    PATH(tls.certificate),
    PATH(tls.key),
    PATH(tls.ca),
    ADDRESS(psk.listen),
    ADDRESS(enrol.listen),
    PATH(enrol.ca_key),
    { .key = "admins", .form = SCHEMA_OWN, .read = read_admins },
    PATH(programme),
    PATH(port_file),
    PATH(secrets),
    PATH(seal_key),
    { .key = "user",
      .form = SCHEMA_TEXT,
      .offset = offsetof(struct config, user),
      .min = 1,
      .max = CONFIG_USER_MAX },
    { .key = "seccomp", .form = SCHEMA_TRUTH, .offset = offsetof(struct config, seccomp) },
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
    WHOLE(limits.handshake_timeout_ms, 100, 60000),
    WHOLE(limits.hello_timeout_ms, 100, 60000),
    WHOLE(limits.frame_timeout_ms, 100, 600000),
    WHOLE(limits.idle_timeout_ms, 1000, 86400000),
    WHOLE(limits.drain_timeout_ms, 100, 600000),
    WHOLE(limits.till_connections, 1, 64),
    WHOLE(limits.other_connections, 1, 10000),
    WHOLE(limits.till_rate, 1, 100000),
    WHOLE(limits.till_burst, 1, 1000000),
    WHOLE(limits.unknown_cards, 1, 1000000),
    WHOLE(limits.unknown_lock_s, 1, 86400),
    WHOLE(limits.refusals_day, 1, 1000000),
};

static const struct schema_table config_table = { "", "this", config_schema, COUNT_OF(config_schema) };

void config_default(struct config *out)
{
    memset(out, 0, sizeof(*out));
    out->seccomp = true;
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
    out->limits.handshake_timeout_ms = 5000;
    out->limits.hello_timeout_ms = 5000;
    out->limits.frame_timeout_ms = 10000;
    out->limits.idle_timeout_ms = 180000;
    out->limits.drain_timeout_ms = 15000;
    out->limits.till_connections = 2;
    out->limits.other_connections = 64;
    out->limits.till_rate = 50;
    out->limits.till_burst = 500;
    out->limits.unknown_cards = 10;
    out->limits.unknown_lock_s = 900;
    out->limits.refusals_day = 1000;
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

/* A file of the folder, where none is named. */
static bool from_folder(const char *folder, const char *name, char *inout_path)
{
    if (inout_path[0] != '\0' || folder[0] == '\0')
        return true;
    return snprintf(inout_path, CONFIG_PATH_MAX + 1, "%s/%s", folder, name) <= CONFIG_PATH_MAX;
}

static bool settle_files(struct config *config)
{
    const char *folder = config->tls.folder;
    char signing[CONFIG_PATH_MAX + 1] = "";
    if (!from_folder(folder, "server.pem", config->tls.certificate) ||
        !from_folder(folder, "server.key", config->tls.key) ||
        !from_folder(folder, "ca.pem", config->tls.ca) || !from_folder(folder, "ca.key", signing))
        return false;
    /* Whoever keeps the CA's key elsewhere has no file there, and signs nothing here. */
    if (config->enrol.ca_key[0] == '\0' && access(signing, F_OK) == 0)
        memcpy(config->enrol.ca_key, signing, sizeof(signing));
    return true;
}

enum punkt_status config_settle(struct config *inout_config, struct failure *failure)
{
    struct config *config = inout_config;
    bool tls = config->tls.listen[0] != '\0', psk = config->psk.listen[0] != '\0',
         enrol = config->enrol.listen[0] != '\0';
    const char *wrong = NULL;
    if (!settle_files(config))
        wrong = "the name of tls.folder is too long";
    else if (tls &&
             (config->tls.certificate[0] == '\0' || config->tls.key[0] == '\0' || config->tls.ca[0] == '\0'))
        wrong =
            "tls.listen needs certificates: tls.folder, as `punktd init-ca FOLDER` makes it, or tls.certificate, "
            "tls.key and tls.ca";
    else if (enrol && !tls && !psk)
        wrong =
            "enrol.listen lets tills in for a code only, and there is nothing for them to come back to: tls.listen or "
            "psk.listen is needed beside it";
    else if (config->limits.till_burst < config->limits.till_rate)
        wrong =
            "limits.till_burst is less than limits.till_rate, so that no till could send as fast as it may";
    if (wrong != NULL) {
        failure_set(failure, "%s", wrong);
        return PUNKT_INVALID;
    }
    if (config->listen_count == 0 && !tls && !psk) {
        (void)snprintf(config->listen[0], sizeof(config->listen[0]), "127.0.0.1:7400");
        config->listen_count = 1;
    }
    return PUNKT_OK;
}

const char *config_key(size_t index)
{
    return index < COUNT_OF(config_schema) ? config_schema[index].key : NULL;
}
