/*
 * A punktd under attack: it listens for certificates, pre-shared keys and codes, a good till sells all the time, and what is
 * booked rightly is written down, so that whatever else is in the journal in the end is the attacker's success.
 */
#pragma once

#include <stdint.h>

#include "good_till.h"
#include "points/event.h"
#include "secure.h"
#include "talk.h"
#include "tls_talk.h"

#define SIEGE_IDENTITIES 32 /* numbers of the register stay below that */
#define SIEGE_VICTIM "5001" /* the card that the attacker wants */
#define SIEGE_VICTIM_POINTS 50
#define SIEGE_HELLO_NUMBER (UINT64_C(1) << 62) /* that siege_say_hello uses */
#define SIEGE_HANDSHAKE_MS 3000
#define SIEGE_HELLO_MS 3000
#define SIEGE_QUIET_SALES 200 /* of the good till before the first attack */

/* A till of the register. */
struct siege_till {
    uint64_t number;
    char code[64];                  /* that it enrols with, once */
    char identity[SECURE_PATH_MAX]; /* file, when it has enrolled */
};

struct siege {
    struct world *world;
    char tls[SECURE_PATH_MAX], psk[SECURE_PATH_MAX], enrol[SECURE_PATH_MAX]; /* addresses */
    struct talk *local;                                                      /* the administrator */
    struct good_till *good;
    struct siege_till seller;     /* who the good till is: 1/1 */
    struct siege_till mallory;    /* an attacker's own till, by a certificate: 1/2 */
    struct siege_till keyed;      /* one by a pre-shared key: 1/3 */
    struct tls_proof ca, foreign; /* the daemon's CA, whose key was stolen; another one */
    /* What is right, by identity: */
    uint64_t purchases[SIEGE_IDENTITIES];
    uint64_t not_permitted[SIEGE_IDENTITIES]; /* refusals that are events */
    uint64_t acts[IDENTITY_ACT_ENROL + 1];    /* of the register */
    uint64_t refused;      /* proofs and enrolments, at least: a client may try again by itself */
    uint64_t reads;        /* that were not permitted */
    uint64_t under_attack; /* sales of the good till before the first attack */
};

/* The folder, the daemon, the tills, the victim's points; the good till has sold SIEGE_QUIET_SALES times. */
struct siege *siege_new(void);
void siege_free(struct siege *siege);

/* `punkt till ...` of the administrator; what it says in JSON is the caller's. */
__attribute__((sentinel)) struct run siege_till(struct siege *siege, const char *verb, ...);

/* Adds a till 1/NAME, which has a code from then on. */
void siege_add(struct siege *siege, const char *name, bool psk, struct siege_till *out);

/* Enrols with its code into a file of this name; the exit code of `punkt enrol`. */
int siege_enrol(struct siege *siege, struct siege_till *till, const char *file);

/* Both, and it goes well. */
void siege_add_enrolled(struct siege *siege, const char *name, bool psk, struct siege_till *out);

/* What an attacker does with a connection that it believes to be proven: says hello, buys for the victim. */
void siege_say_hello(struct tls_talk *talk, uint64_t epoch);
void siege_buy(struct tls_talk *talk, uint64_t number, const char *store, const char *till);

/* Ends the daemon, and compares its journal with what is right. Frees nothing. */
void siege_reckon(struct siege *siege);
