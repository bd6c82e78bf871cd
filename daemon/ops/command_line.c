#include "ops/command_line.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/log.h"

static const char usage_text[] =
    "Examples:\n"
    "  punktd --data /var/lib/punkt --listen 127.0.0.1:7400 --programme programme.yaml\n"
    "  punktd --config /etc/punkt/punktd.yaml\n"
    "  punktd --data DIR --listen 127.0.0.1:0 --port-file FILE     a free port; FILE then holds HOST:PORT\n"
    "  punktd rebuild --data DIR          a stopped daemon: makes state anew from the journal\n"
    "  punktd verify --data DIR --json    a stopped daemon: checks its files\n"
    "  punktd verify --data COPY --head HEX --seal-key FILE     what an auditor does with a copy of them\n"
    "  punktd init-ca FOLDER --name punkt.example --name 192.0.2.7    certificates for TLS\n"
    "  punktd init-ca --renew FOLDER      another one for the server, before its end\n"
    "  punktd init-audit FILE             the key of seals; prints its first one for the auditor, once\n"
    "\n"
    "Keeps the points of a retail chain: takes requests of tills, makes every change durable before it is\n"
    "answered. Runs in the foreground; SIGTERM or SIGINT stop it cleanly.\n"
    "\n"
    "  --data DIR         folder of the ledger: DIR/journal and DIR/state; made if missing\n"
    "  --listen WHERE     HOST:PORT on a loopback address, or unix:PATH; may be given several times; who\n"
    "                     connects there is the local administrator. 127.0.0.1:7400 unless this or a\n"
    "                     listener with TLS is given\n"
    "  --programme FILE   the rules, in YAML; published as a new version if they changed. Without it those\n"
    "                     published last; in a new ledger 1 point per whole 1.00, in EUR\n"
    "  --port-file FILE   where to write the addresses once they are listened on\n"
    "  --config FILE      settings, in YAML; options given beside it win\n"
    "  --log-level LEVEL  error, warning, info (default) or debug\n"
    "  --json             verify: one JSON object\n"
    "  --head HEX         verify: a head that was told earlier (punkt till close, the log), 64 digits: the\n"
    "                     journal must lead through it\n"
    "  --seal-key FILE    verify: the first key of the seals, as punktd init-audit printed it; every seal is\n"
    "                     recomputed. It stays with the auditor: no running daemon ever gets it\n"
    "  --name NAME        init-ca: what tills connect to, a host's name or an address; up to 16 times\n"
    "  --renew            init-ca: the CA stays, the server gets another key and certificate\n"
    "  --version, --help\n"
    "\n"
    "See punktd(8), punktd.yaml(5), punkt-programme(5).\n";

void command_line_usage(const char *what, const char *which)
{
    fprintf(stderr, "punktd: %s%s; see punktd --help\n", what, which);
    exit(EX_USAGE);
}

static void set_text(char *out, size_t capacity, const char *option, const char *value)
{
    if (strlen(value) >= capacity)
        command_line_usage("the value is too long: ", option);
    (void)snprintf(out, capacity, "%s", value);
}

enum option_code {
    OPTION_DATA = 256,
    OPTION_LISTEN,
    OPTION_PROGRAMME,
    OPTION_PORT_FILE,
    OPTION_CONFIG,
    OPTION_LOG_LEVEL,
    OPTION_JSON,
    OPTION_HEAD,
    OPTION_SEAL_KEY,
    OPTION_NAME,
    OPTION_RENEW,
    OPTION_VERSION,
    OPTION_HELP
};

static const struct option options_table[] = {
    { "data", required_argument, NULL, OPTION_DATA },
    { "listen", required_argument, NULL, OPTION_LISTEN },
    { "programme", required_argument, NULL, OPTION_PROGRAMME },
    { "port-file", required_argument, NULL, OPTION_PORT_FILE },
    { "config", required_argument, NULL, OPTION_CONFIG },
    { "log-level", required_argument, NULL, OPTION_LOG_LEVEL },
    { "json", no_argument, NULL, OPTION_JSON },
    { "head", required_argument, NULL, OPTION_HEAD },
    { "seal-key", required_argument, NULL, OPTION_SEAL_KEY },
    { "name", required_argument, NULL, OPTION_NAME },
    { "renew", no_argument, NULL, OPTION_RENEW },
    { "version", no_argument, NULL, OPTION_VERSION },
    { "help", no_argument, NULL, OPTION_HELP },
    { NULL, 0, NULL, 0 },
};

static enum log_level log_level_of(const char *word)
{
    static const char *const words[] = { "error", "warning", "info", "debug" };
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strcmp(word, words[i]) == 0)
            return (enum log_level)i;
    }
    command_line_usage("no such log level: ", word);
}

/* The file first, whatever the order on the command line: options win over it. */
static void load_config_file(int argc, char **argv, struct config *config)
{
    for (int i = 1; i < argc; i++) {
        const char *path = NULL;
        if (strncmp(argv[i], "--config=", 9) == 0)
            path = argv[i] + 9;
        else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            path = argv[i + 1];
        if (path == NULL)
            continue;
        struct problems problems = { .count = 0 };
        if (config_load(path, config, &problems) == PUNKT_OK)
            continue;
        for (uint32_t k = 0; k < problems.count; k++)
            fprintf(stderr, "punktd: %s\n", problems.texts[k]);
        exit(EX_CONFIG);
    }
}

static void add_listen(struct config *config, bool first, const char *where)
{
    if (first)
        config->listen_count = 0;
    if (config->listen_count == CONFIG_LISTEN_MAX)
        command_line_usage("too many --listen; the most are ", "8");
    set_text(config->listen[config->listen_count++], sizeof(config->listen[0]), "--listen", where);
}

/* The options; what ends the process does it here. */
static void read_options(int argc, char **argv, struct config *config, struct command_line *out)
{
    bool listen_given = false;
    int code;
    while ((code = getopt_long(argc, argv, "", options_table, NULL)) != -1) {
        switch (code) {
        case OPTION_DATA:
            set_text(config->data, sizeof(config->data), "--data", optarg);
            break;
        case OPTION_LISTEN:
            add_listen(config, !listen_given, optarg);
            listen_given = true;
            break;
        case OPTION_PROGRAMME:
            set_text(config->programme, sizeof(config->programme), "--programme", optarg);
            break;
        case OPTION_PORT_FILE:
            set_text(config->port_file, sizeof(config->port_file), "--port-file", optarg);
            break;
        case OPTION_CONFIG:
            break; /* read already */
        case OPTION_LOG_LEVEL:
            config->log_level = log_level_of(optarg);
            break;
        case OPTION_JSON:
            out->json = true;
            break;
        case OPTION_HEAD:
            out->head = optarg;
            break;
        case OPTION_SEAL_KEY:
            out->seal_key = optarg;
            break;
        case OPTION_NAME:
            if (out->name_count == COMMAND_LINE_NAMES_MAX)
                command_line_usage("too many --name; the most are ", "16");
            out->names[out->name_count++] = optarg;
            break;
        case OPTION_RENEW:
            out->renew = true;
            break;
        case OPTION_VERSION:
            printf("punktd %s\n", PUNKT_VERSION);
            exit(EX_OK);
        case OPTION_HELP:
            fputs(usage_text, stdout);
            exit(EX_OK);
        default:
            exit(EX_USAGE); /* getopt_long said why */
        }
    }
}

void command_line_read(int argc, char **argv, struct config *config, struct command_line *out)
{
    config_default(config);
    load_config_file(argc, argv, config);
    read_options(argc, argv, config, out);
    out->command = optind < argc ? argv[optind++] : "";
    bool makes_ca = strcmp(out->command, "init-ca") == 0;
    bool makes_key = strcmp(out->command, "init-audit") == 0;
    if (makes_ca && optind < argc)
        out->folder = argv[optind++];
    if (makes_key && optind < argc)
        out->file = argv[optind++];
    if (optind < argc)
        command_line_usage("what is this: ", argv[optind]);
    if (makes_ca && out->folder == NULL)
        command_line_usage("which folder? punktd init-ca FOLDER", "");
    if (makes_key && out->file == NULL)
        command_line_usage("which file? punktd init-audit FILE", "");
    if (!makes_ca && (out->name_count > 0 || out->renew))
        command_line_usage("only init-ca takes ", out->renew ? "--renew" : "--name");
    if (!makes_ca && !makes_key && config->data[0] == '\0')
        command_line_usage("which folder? --data DIR is needed", "");
}
