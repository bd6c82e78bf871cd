/*
 * A world that is on a network: punktd with a CA of its own, listening for certificates, for pre-shared keys and for enrolment codes; identities
 * that came in by a code, and frames by hand over their TLS connections (world.h, talk.h).
 *
 *      struct world *world = secure_world_new("adjust_limits: {office: 100}\n");
 *      char olga[SECURE_PATH_MAX];
 *      secure_user(world, "olga", "office", olga);             olga is the path of her identity file
 *      struct secure *secure = secure_hello(world, olga, 7);
 *      enum result result = secure_call(secure, OPERATION_ADJUST, 0, &adjust);
 *      secure_free(secure);
 *
 * Everything fails the running test when it cannot do what it says.
 */
#pragma once

#include "proto/message.h"
#include "world.h"

#define SECURE_PATH_MAX 256

/* programme: its text, or NULL. It listens for plain connections, too, as every world. */
struct world *secure_world_new(const char *programme);
/* The same with more lines of settings, such as "limits:\n  till_connections: 64\n". */
struct world *secure_world_more(const char *programme, const char *more);

/* Where it listens: "HOST:PORT" behind the word in the port file ("tls", "psk", "enrol"). */
void secure_address(const struct world *world, const char *word, char out[SECURE_PATH_MAX]);

/* Adds a user or a till as the local administrator, and enrols it: the path of its identity file. */
void secure_user(const struct world *world, const char *name, const char *role, char out[SECURE_PATH_MAX]);
void secure_till(const struct world *world, const char *store, const char *till, char out[SECURE_PATH_MAX]);
/* A till with a pre-shared key; secure_hello is for certificates. */
void secure_psk_till(const struct world *world, const char *store, const char *till,
                     char out[SECURE_PATH_MAX]);

/* A TLS connection of this identity that has said hello for a lane; its numbers are counted here. */
struct secure;
struct secure *secure_hello(const struct world *world, const char *identity, uint64_t epoch);
void secure_free(struct secure *secure);

/* Sends a request, a change as the next of the lane; one at a time. Then reads its answer: RESULT_DONE, or why not. */
void secure_send(struct secure *secure, enum operation operation, uint16_t flags, const void *body);
enum result secure_answer(struct secure *secure);
/* Both. */
enum result secure_call(struct secure *secure, enum operation operation, uint16_t flags, const void *body);
/* Nothing more comes but the end. */
void secure_expect_end(struct secure *secure);
/* The last answer, if it was a refusal: what it says to people. Borrowed until the next request. */
struct message_text secure_detail(const struct secure *secure);
