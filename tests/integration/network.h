/*
 * How tills come to a world (world.h). As a rule they are nobody, and connect as every program of this machine does. With
 * PUNKT_TILLS=certificate or PUNKT_TILLS=psk in the environment - the second and third form of a test, see CMakeLists.txt -
 * punktd listens on a network, too, and each till is enrolled and comes over TLS with its identity file:
 *
 *      char path[NETWORK_PATH_MAX];
 *      options.server = network_server(world);                     the same after each start of punktd
 *      options.identity = network_till(world, "1", "1", path);     NULL in the first form
 *
 * A world keeps listening for plain connections: they are the local administrator. What only slows tills down or refuses
 * them, and is no promise to them, is off: the limits of unknown cards and of purchases a card.
 *
 * Fails the running test when it cannot do what it says.
 */
#pragma once

#include <stdbool.h>

#include "world.h"

#define NETWORK_PATH_MAX 256

/* Whether tills come over TLS, and whether by pre-shared keys. */
bool network_on(void);
bool network_by_psk(void);

/* Where tills find punktd: "HOST:PORT", which no start of punktd changes, or the world's address. Borrowed until
 * world_free; in the first form until the next start. */
const char *network_server(const struct world *world);

/* The identity file of this till: its path in out, which is returned. It is enrolled when it is asked for first; then punktd
 * must run. */
const char *network_till(const struct world *world, const char *store, const char *till,
                         char out[NETWORK_PATH_MAX]);

/* `punkt till rotate` and a new enrolment, in place of the identity file that is there. */
void network_rotate(const struct world *world, const char *store, const char *till);

/* Another CA, and a server's certificate of it: from the next start on nobody who came in before knows the server. Or only
 * another certificate of the same CA. */
void network_replace_ca(const struct world *world);
void network_renew_certificate(const struct world *world);

/* Uses a code: added is how `punkt --json till add`, `user add` or `rotate` ended; address is where codes are taken.
 * Writes an identity file, or another in its place. */
void network_enrol(struct run *added, const char *address, const char *path);

/* The word behind "key": " in one object of JSON. */
void network_word(const char *json, const char *key, char out[NETWORK_PATH_MAX]);

/* --- for world.c --- */

struct network;

/* NULL: tills are nobody. */
struct network *network_new(const char *folder);
void network_free(struct network *network);
/* Makes the CA when there is none. */
void network_prepare(const struct network *network);
/* Settings, or a programme, as text to be freed: what the world was given, and what tills on a network need. */
char *network_settings(const struct network *network, const char *settings);
char *network_programme(const struct network *network, const char *programme);
/* Of the world; NULL as above. */
const struct network *world_network(const struct world *world);
