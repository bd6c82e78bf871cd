/*
 * The settings of punktd: defaults, over them punktd.yaml, over them the command line (main does the
 * last). One table of rows (config_schema in config.c) has every key with its limits.
 */
#pragma once

#include "base/base.h"
#include "base/log.h"
#include "base/status.h"
#include "base/text.h"
#include "ops/problems.h"

#define CONFIG_PATH_MAX 1024
#define CONFIG_LISTEN_MAX 8
#define CONFIG_ADDRESS_MAX 128
#define CONFIG_USER_MAX 32
#define CONFIG_ADMINS_MAX 16
#define CONFIG_FILE_BYTES_MAX (256u * 1024)

struct config {
    char data[CONFIG_PATH_MAX + 1];                         /* folder of journal and state; "" if not given */
    char programme[CONFIG_PATH_MAX + 1];                    /* file; "": the ledger's own, or the default */
    char port_file[CONFIG_PATH_MAX + 1];                    /* "": none */
    char secrets[CONFIG_PATH_MAX + 1];                      /* file; "": "secrets" in `data` */
    uint32_t listen_count;                                  /* of plain listeners; 0: config_settle decides */
    char listen[CONFIG_LISTEN_MAX][CONFIG_ADDRESS_MAX + 1]; /* "HOST:PORT" or "unix:PATH" */
    struct {
        char listen[CONFIG_ADDRESS_MAX + 1]; /* for certificates; "": nobody listens */
        char folder[CONFIG_PATH_MAX + 1];    /* as `punktd init-ca` makes it; "": each file is named */
        char certificate[CONFIG_PATH_MAX +
                         1]; /* files in PEM: the server's certificate, its key, who signs clients */
        char key[CONFIG_PATH_MAX + 1];
        char ca[CONFIG_PATH_MAX + 1];
    } tls;
    struct {
        char listen[CONFIG_ADDRESS_MAX + 1]; /* for pre-shared keys; "": nobody listens */
    } psk;
    struct {
        char listen[CONFIG_ADDRESS_MAX + 1]; /* for enrolment codes; "": nobody listens */
        char ca_key[CONFIG_PATH_MAX +
                    1]; /* file; "": ca.key in tls.folder if it is there, else nothing is signed */
    } enrol;
    uint32_t admin_count; /* whose Unix sockets are the local administrator's: names or numbers of users */
    char admins[CONFIG_ADMINS_MAX][CONFIG_USER_MAX + 1];
    char seal_key[CONFIG_PATH_MAX + 1]; /* file; "": no seals are made */
    char user[CONFIG_USER_MAX + 1];     /* who punktd becomes when root starts it; "": it stays who it is */
    bool seccomp;                       /* system calls that it has no use for are refused once it is ready */
    uint32_t log_level;                 /* enum log_level */
    struct {
        uint32_t segment_mib; /* size of a segment file */
        uint32_t reserve_mib; /* free space below which new business is refused; 0: two segments */
    } journal;
    struct {
        uint32_t map_gib;            /* address space reserved for state */
        uint32_t checkpoint_ms;      /* a checkpoint at least this often */
        uint32_t checkpoint_records; /* or at this many changed records */
        uint32_t checkpoint_mib;     /* or at this size of them */
    } state;
    struct {
        /* of connections, as net takes them */
        uint32_t conns_max;
        uint32_t unproven_max;
        uint32_t unproven_per_address_max;
        uint32_t in_flight_max;
        uint32_t frames_per_turn;
        uint32_t output_high_kib;
        uint32_t pool_mib;
        uint32_t handshake_timeout_ms;
        uint32_t hello_timeout_ms;
        uint32_t frame_timeout_ms;
        uint32_t idle_timeout_ms;
        uint32_t drain_timeout_ms;
        /* of identities, as service takes them */
        uint32_t till_connections, other_connections;
        uint32_t till_rate, till_burst;
        uint32_t unknown_cards, unknown_lock_s;
        uint32_t refusals_day;
    } limits;
};

/* The settings without file and command line. */
void config_default(struct config *out);

/*
 * Reads settings over *inout_config; keys that are not there stay as they are. PUNKT_INVALID: something
 * is wrong, out_problems says all of it and inout_config is not to be used. `file` names the text in
 * messages only.
 */
PUNKT_MUST_CHECK enum punkt_status config_read(struct text yaml, const char *file,
                                               struct config *inout_config, struct problems *out_problems);

/* The same for a file. PUNKT_IO: it cannot be read. */
PUNKT_MUST_CHECK enum punkt_status config_load(const char *file, struct config *inout_config,
                                               struct problems *out_problems);

/*
 * After the command line: fills in what follows from other settings (the files of tls.folder; 127.0.0.1:7400 where nobody
 * listens at all) and judges what one key cannot tell alone. PUNKT_INVALID: failure says which keys and what to do.
 */
PUNKT_MUST_CHECK enum punkt_status config_settle(struct config *inout_config, struct failure *failure);

/* The key of row `index` of the schema, "limits.conns_max"; NULL behind the last. For tests of documents. */
const char *config_key(size_t index);
