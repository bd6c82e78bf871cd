/*
 * Seals: what the daemon says about the head of its journal with a key that moves forward only (LEDGER.md, Secrets). Who
 * takes the machine over gets the key of now, from which no earlier one follows: the seals made until then cannot be made
 * again for another journal. The auditor has the first key.
 */
#pragma once

#include "base/base.h"
#include "ledger/journal.h"
#include "points/event.h"

#define SEAL_KEY_SIZE 32
#define SEAL_LINEAGE_SIZE 16
#define SEAL_MAC_SIZE 32
/* "punkt seal", the journal's id, lineage, number of the key (LE), position of the head (LE), its hash. */
#define SEAL_MESSAGE_SIZE (10 + JOURNAL_ID_SIZE + SEAL_LINEAGE_SIZE + 8 + 8 + JOURNAL_HASH_SIZE)

/* A key, as its file holds it. Whoever has one wipes it when done (explicit_bzero). */
struct seal_key {
    uint8_t lineage[SEAL_LINEAGE_SIZE]; /* whose first key it descends from; random */
    uint64_t number;                    /* how often the first key was moved on */
    uint8_t key[SEAL_KEY_SIZE];
};

/* What the seal of an EVENT_SEAL authenticates; its mac is not looked at. */
void seal_message(const uint8_t journal_id[JOURNAL_ID_SIZE], const struct event *event,
                  uint8_t out[SEAL_MESSAGE_SIZE]);
/* HMAC-SHA-256(key, message). False: no memory. */
PUNKT_MUST_CHECK bool seal_mac(const uint8_t key[SEAL_KEY_SIZE], const uint8_t message[SEAL_MESSAGE_SIZE],
                               uint8_t out[SEAL_MAC_SIZE]);
/* key = SHA-256(key), number + 1; the key before is gone from memory. False: no memory, and it is unchanged. */
PUNKT_MUST_CHECK bool seal_next_key(struct seal_key *key);

/* The text of a key file: three lines "lineage: 32 hex digits", "number: N", "key: 64 hex digits". */
#define SEAL_KEY_TEXT_MAX 160
/* Returns its length. */
size_t seal_key_write(const struct seal_key *key, char out[SEAL_KEY_TEXT_MAX]);
/* The same lines, in this order, hex digits small or large. False: it is something else, and *out is wiped. */
PUNKT_MUST_CHECK bool seal_key_read(struct text text, struct seal_key *out);

/* The hash of a block, as a head is printed: 64 hex digits, small or large; blanks between them do not count, as on paper. False: it is none. */
PUNKT_MUST_CHECK bool seal_head_read(struct text text, uint8_t out_hash[JOURNAL_HASH_SIZE]);
