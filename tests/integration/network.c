#include "network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT_CERTIFICATE 7443
#define PORT_PSK 7444
#define PORT_ENROL 7445
#define ENOUGH 1000000 /* of what nobody is to be held up by */

struct network {
    char host
        [16]; /* an address of loopback that no other test has, so that the ports are free at each start */
    char folder[NETWORK_PATH_MAX], server[32], enrol[32];
};

/* --- which form --- */

static const char *form(void)
{
    const char *wanted = getenv("PUNKT_TILLS");
    return wanted != NULL ? wanted : "";
}

bool network_by_psk(void)
{
    return strcmp(form(), "psk") == 0;
}

bool network_on(void)
{
    return network_by_psk() || strcmp(form(), "certificate") == 0;
}

/* --- for the world --- */

struct network *network_new(const char *folder)
{
    static unsigned count; /* of this process; four worlds of a test can be there at once */
    if (!network_on())
        return NULL;
    struct network *network = calloc(1, sizeof(*network));
    assert_non_null(network);
    unsigned own = (unsigned)getpid() << 2 | (count++ & 3);
    (void)snprintf(network->host, sizeof(network->host), "127.%u.%u.%u", own >> 16 & 255, own >> 8 & 255,
                   own & 255);
    (void)snprintf(network->folder, sizeof(network->folder), "%s/tls", folder);
    (void)snprintf(network->server, sizeof(network->server), "%s:%d", network->host,
                   network_by_psk() ? PORT_PSK : PORT_CERTIFICATE);
    (void)snprintf(network->enrol, sizeof(network->enrol), "%s:%d", network->host, PORT_ENROL);
    return network;
}

void network_free(struct network *network)
{
    free(network);
}

void network_prepare(const struct network *network)
{
    if (network == NULL || access(network->folder, F_OK) == 0)
        return;
    run_well((const char *const[]){ "punktd", "init-ca", network->folder, "--name", network->host, NULL });
}

__attribute__((format(printf, 1, 2))) static char *text_of(const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    assert_true(size >= 0);
    return text;
}

char *network_settings(const struct network *network, const char *settings)
{
    if (network == NULL)
        return text_of("%s...\n", settings);
    return text_of("%stls:\n  listen: %s:%d\n  folder: %s\npsk:\n  listen: %s:%d\nenrol:\n  listen: %s\n"
                   "limits:\n  unknown_cards: %d\n  refusals_day: %d\n...\n",
                   settings, network->host, PORT_CERTIFICATE, network->folder, network->host, PORT_PSK,
                   network->enrol, ENOUGH, ENOUGH);
}

char *network_programme(const struct network *network, const char *programme)
{
    static const char as_none[] = "base:\n  - rule: spend\n    points: 1\n    amount: 1.00\n";
    if (network == NULL)
        return programme != NULL ? text_of("%s", programme) : NULL;
    const char *text = programme != NULL ? programme : as_none;
    const char *end = strstr(text, "...\n");
    int size = (int)(end != NULL ? (size_t)(end - text) : strlen(text));
    return text_of("%.*sabuse:\n  card_hour: 0\n  card_day: 0\n  card_day_block: 0\n  operator_card: 0\n"
                   "  points_day: 0\n  points_day_block: 0\n...\n",
                   size, text);
}

/* --- for tests --- */

const char *network_server(const struct world *world)
{
    const struct network *network = world_network(world);
    return network != NULL ? network->server : world_address(world);
}

void network_word(const char *json, const char *key, char out[NETWORK_PATH_MAX])
{
    char quoted[64];
    (void)snprintf(quoted, sizeof(quoted), "\"%s\":\"", key);
    const char *at = strstr(json, quoted);
    if (at == NULL)
        fail_msg("no %s in %s", key, json);
    at += strlen(quoted);
    (void)snprintf(out, NETWORK_PATH_MAX, "%.*s", (int)strcspn(at, "\""), at);
}

void network_enrol(struct run *added, const char *address, const char *path)
{
    char code[NETWORK_PATH_MAX];
    if (added->exit_code != 0)
        fail_msg("punkt: %s", added->err);
    network_word(added->out, "code", code);
    run_done(added);
    run_well((const char *const[]){ "punkt", "enrol", address, code, "--identity", path, "--replace", NULL });
}

void network_rotate(const struct world *world, const char *store, const char *till)
{
    char place[64], path[NETWORK_PATH_MAX];
    struct run run;
    (void)snprintf(place, sizeof(place), "%s/%s", store, till);
    (void)snprintf(path, sizeof(path), "%s/%s-%s.identity", world_folder(world), store, till);
    world_json(world, &run, "till", "rotate", place, NULL);
    network_enrol(&run, world_network(world)->enrol, path);
}

void network_replace_ca(const struct world *world)
{
    const struct network *network = world_network(world);
    run_well((const char *const[]){ "/bin/rm", "-r", network->folder, NULL });
    network_prepare(network);
}

void network_renew_certificate(const struct world *world)
{
    run_well((const char *const[]){ "punktd", "init-ca", "--renew", world_network(world)->folder, NULL });
}

const char *network_till(const struct world *world, const char *store, const char *till,
                         char out[NETWORK_PATH_MAX])
{
    const struct network *network = world_network(world);
    char place[64];
    struct run run;
    if (network == NULL)
        return NULL;
    (void)snprintf(out, NETWORK_PATH_MAX, "%s/%s-%s.identity", world_folder(world), store, till);
    if (access(out, F_OK) == 0)
        return out;
    (void)snprintf(place, sizeof(place), "%s/%s", store, till);
    world_json(world, &run, "till", "add", place, network_by_psk() ? "--psk" : NULL, NULL);
    network_enrol(&run, network->enrol, out);
    return out;
}
