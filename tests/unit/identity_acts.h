/*
 * What tests do with tills and users: requests of the administrator in short words, and the other ends of their
 * connections.
 */
#pragma once

#include "service/ca.h"
#include "service/proof.h"
#include "service_world.h"

struct evp_pkey_st;

/* A world with a CA of its own that signs, in a folder inside the world's. */
struct service_world *identity_world_new(void);
void identity_world_free(struct service_world *world);
/* The same as cmocka wants it. */
int identity_set_up(void **state);
int identity_tear_down(void **state);

/* By the connection spoken over, which may. What came of it; the answer or refusal is in world->reply. */
enum result add_user(struct service_world *world, enum role role, const char *name);
enum result add_till(struct service_world *world, const char *store, const char *till,
                     enum identity_proof proof);
/* The same with the certificate of a new key, which the world's CA has signed; *out_peer is who comes with it. */
uint64_t add_user_with_key(struct service_world *world, enum role role, const char *name,
                           struct service_peer *out_peer);
uint64_t add_till_with_key(struct service_world *world, const char *store, const char *till,
                           struct service_peer *out_peer);
enum result change_user(struct service_world *world, enum identity_act act, const char *name);
enum result change_till(struct service_world *world, enum identity_act act, const char *store,
                        const char *till);

/* The code of the last answer, of identity_add or identity_change: copied. */
struct code_word {
    char text[CODE_TEXT_SIZE + 1];
};
struct code_word code_of_reply(const struct service_world *world);
/* The name and key of TLS that go with a code, made as a client makes them. */
void code_credentials(const char *code, char out_name[32], uint8_t out_key[32]);

struct evp_pkey_st *key_new(void);
void key_free(struct evp_pkey_st *key);
/* Of a key: a signing request in DER; returns its size. */
size_t signing_request_of(struct evp_pkey_st *key, uint8_t out[1024]);
/* A certificate of the world's CA for a key. */
void certificate_for(const struct service_world *world, struct evp_pkey_st *key, struct ca_signed *out);
struct service_peer peer_with(const struct ca_signed *certificate);

/* Comes with a code, and asks for what there is; the request names the key if there is one. Its connection is named. */
enum result enrol(struct service_world *world, const char *code, struct evp_pkey_st *key, uint64_t *out_conn);

/* The lane of tests' hellos. */
#define ACTS_LANE 5

enum result ping(struct service_world *world);
/* Comes and says hello; the connection is spoken over. */
uint64_t come(struct service_world *world, const struct service_peer *peer);
/* Comes, is refused with these words, and is closed. */
void assert_shut_out(struct service_world *world, const struct service_peer *peer, const char *why);

/* The detail of the refusal is this. */
void assert_detail(const struct service_world *world, const char *want);
