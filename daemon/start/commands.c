#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ledger/seal.h"
#include "ops/report.h"
#include "ops/text_file.h"
#include "start/daemon.h"

int command_rebuild(const struct config *config)
{
    struct ledger_options options = { .dir = config->data,
                                      .segment_bytes = (uint64_t)config->journal.segment_mib << 20,
                                      .map_bytes = (uint64_t)config->state.map_gib << 30,
                                      .build = PUNKT_BUILD_TIME * US_PER_SECOND,
                                      .fatal = storage_failed };
    struct ledger_recovery recovery;
    struct failure failure;
    enum punkt_status status = ledger_rebuild(&options, &recovery, &failure);
    if (status != PUNKT_OK) {
        fprintf(stderr, "punktd: state was not rebuilt: %s\n", failure.text);
        return status == PUNKT_BUSY ? EX_TEMPFAIL : EX_DATAERR;
    }
    printf("State of %s was rebuilt from %llu events in %llu blocks, up to position %llu.\n", config->data,
           (unsigned long long)recovery.events, (unsigned long long)recovery.blocks,
           (unsigned long long)recovery.position);
    return EX_OK;
}

/* The text is gone from memory when this returns. */
static void read_seal_key(const char *path, struct seal_key *out)
{
    struct failure failure;
    char *text;
    size_t size;
    if (text_file_read(path, SEAL_KEY_TEXT_MAX, &text, &size, &failure) != PUNKT_OK) {
        fprintf(stderr, "punktd: the key %s cannot be read: %s\n", path, failure.text);
        exit(EX_NOINPUT);
    }
    bool read = seal_key_read((struct text){ text, size }, out);
    explicit_bzero(text, size);
    free(text);
    if (read)
        return;
    fprintf(stderr,
            "punktd: %s is no key: three lines lineage, number, key, as punktd init-audit prints it\n", path);
    exit(EX_DATAERR);
}

int command_verify(const struct config *config, const struct command_line *line)
{
    uint8_t head[JOURNAL_HASH_SIZE];
    struct seal_key key;
    struct verify_asked asked = { .head = line->head != NULL ? head : NULL,
                                  .seal_key = line->seal_key != NULL ? &key : NULL };
    if (line->head != NULL && !seal_head_read(text_of(line->head), head))
        command_line_usage("a head has 64 hexadecimal digits; this is none: ", line->head);
    if (line->seal_key != NULL)
        read_seal_key(line->seal_key, &key);
    struct ledger_options options = { .dir = config->data,
                                      .segment_bytes = (uint64_t)config->journal.segment_mib << 20,
                                      .map_bytes = (uint64_t)config->state.map_gib << 30,
                                      .fatal = storage_failed };
    struct verify_report report;
    struct failure failure;
    enum punkt_status status = ledger_verify_files(&options, &asked, &report, &failure);
    explicit_bzero(&key, sizeof(key));
    if (status != PUNKT_OK) {
        fprintf(stderr, "punktd: %s was not verified: %s\n", config->data, failure.text);
        return EXIT_FAILURE;
    }
    return report_print(&report, line->json) ? EX_OK : EXIT_FAILURE;
}
