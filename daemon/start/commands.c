#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "ledger/seal.h"
#include "ops/privilege.h"
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

static void say_made(const char *folder)
{
    printf("The CA is %s/ca.pem, its key %s/ca.key: keep a copy of the key where nobody else gets at it.\n"
           "The server's certificate is %s/server.pem; before it ends, run: punktd init-ca --renew %s\n"
           "In punktd.yaml, for tills and users with certificates, and for those who enrol:\n"
           "\n"
           "tls:\n"
           "  listen: 0.0.0.0:7443\n"
           "  folder: %s\n"
           "enrol:\n"
           "  listen: 0.0.0.0:7445\n",
           folder, folder, folder, folder, folder);
}

int command_init_ca(const struct command_line *line)
{
    struct failure failure;
    char folder[PATH_MAX];
    utc_us now = time(NULL) * US_PER_SECOND;
    bool made = !line->renew && mkdir(line->folder, 0700) == 0;
    if (!made && !line->renew && errno != EEXIST) {
        fprintf(stderr, "punktd: the folder %s cannot be made: %s\n", line->folder, strerror(errno));
        return EX_IOERR;
    }
    if (realpath(line->folder, folder) == NULL) {
        fprintf(stderr, "punktd: the folder %s cannot be used: %s\n", line->folder, strerror(errno));
        return EX_IOERR;
    }
    enum punkt_status status = line->renew
                                   ? ca_renew_server(folder, line->names, line->name_count, now, &failure)
                                   : ca_make(folder, line->names, line->name_count, now, &failure);
    if (status != PUNKT_OK) {
        fprintf(stderr, "punktd: no certificates were made: %s\n", failure.text);
        if (made)
            (void)rmdir(folder); /* only if nothing is in it */
        return status == PUNKT_BUSY ? EX_CANTCREAT : status == PUNKT_INVALID ? EX_CONFIG : EX_IOERR;
    }
    if (line->renew)
        printf("%s/server.pem and server.key are new; a running punktd takes them at SIGHUP.\n", folder);
    else
        say_made(folder);
    return EX_OK;
}

static bool lies_apart(const char *path, const char *data, struct failure *failure)
{
    if (data[0] == '\0' || !path_lies_in(path, data))
        return true;
    failure_set(
        failure,
        "the key of seals %s lies in the data folder %s, so a copy of the ledger would bring an earlier one back; "
        "it needs a folder of its own, of which no copies are made",
        path, data);
    return false;
}

bool seal_key_is_apart(const struct config *config, struct failure *failure)
{
    return config->seal_key[0] == '\0' || lies_apart(config->seal_key, config->data, failure);
}

/* False: it could not be printed. */
static bool print_first_key(const char *path, const char *text)
{
    printf(
        "These three lines are the first key of the seals. They are shown this once: punktd moves on from it with\n"
        "every seal and keeps no earlier one. Whoever audits this ledger keeps them in a safe, where nobody who\n"
        "gets at this machine gets at them:\n"
        "\n"
        "%s"
        "\n"
        "In punktd.yaml, for seals from the next start on:\n"
        "\n"
        "seal_key: %s\n"
        "\n"
        "Make no copies of that file: its key moves on, and one that comes back from a copy is refused. To verify,\n"
        "elsewhere, with a copy of the data folder and a file of these three lines:\n"
        "\n"
        "punktd verify --data COPY --seal-key LINES\n",
        text, path);
    return fflush(stdout) == 0;
}

int command_init_audit(const struct config *config, const struct command_line *line)
{
    struct failure failure;
    char text[SERVICE_SEAL_TEXT_MAX], path[PATH_MAX];
    enum punkt_status status = PUNKT_INVALID;
    if (lies_apart(line->file, config->data, &failure))
        status = privilege_drop(config->user, &failure);
    if (status == PUNKT_OK)
        status = service_init_audit(line->file, text, &failure);
    if (status != PUNKT_OK) {
        fprintf(stderr, "punktd: no key of seals was made: %s\n", failure.text);
        return status == PUNKT_INVALID ? EX_CONFIG : EX_CANTCREAT;
    }
    bool printed = realpath(line->file, path) != NULL && print_first_key(path, text);
    explicit_bzero(text, sizeof(text));
    if (printed)
        return EX_OK;
    fprintf(stderr, "punktd: the first key could not be printed, so there is none: %s\n", strerror(errno));
    (void)unlink(line->file);
    return EX_IOERR;
}
