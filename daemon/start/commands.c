#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "ops/report.h"
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

int command_verify(const struct config *config, const struct command_line *line)
{
    struct ledger_options options = { .dir = config->data,
                                      .segment_bytes = (uint64_t)config->journal.segment_mib << 20,
                                      .map_bytes = (uint64_t)config->state.map_gib << 30,
                                      .fatal = storage_failed };
    struct verify_report report;
    struct failure failure;
    enum punkt_status status = ledger_verify_files(&options, &report, &failure);
    if (status != PUNKT_OK) {
        fprintf(stderr, "punktd: %s was not verified: %s\n", config->data, failure.text);
        return EXIT_FAILURE;
    }
    return report_print(&report, line->json) ? EX_OK : EXIT_FAILURE;
}
