#include "ledger/seal_check.h"

#include <string.h>

#include <openssl/crypto.h>

void seal_check_begin(struct seal_check *check, const uint8_t journal_id[JOURNAL_ID_SIZE],
                      const struct seal_key *key)
{
    *check = (struct seal_check){ .keyed = key != NULL };
    memcpy(check->journal_id, journal_id, JOURNAL_ID_SIZE);
    if (key != NULL)
        check->key = *key;
}

void seal_check_end(struct seal_check *check)
{
    OPENSSL_cleanse(&check->key, sizeof(check->key));
    check->keyed = false;
}

static enum punkt_status check_mac(struct seal_check *check, const struct event *event,
                                   struct failure *failure)
{
    uint8_t message[SEAL_MESSAGE_SIZE], mac[SEAL_MAC_SIZE];
    bool done = true;
    while (done && check->key.number < event->seal.key_number)
        done = seal_next_key(&check->key);
    seal_message(check->journal_id, event, message);
    if (!done || !seal_mac(check->key.key, message, mac)) {
        failure_set(failure, "no memory to check a seal with");
        return PUNKT_NO_MEMORY;
    }
    if (CRYPTO_memcmp(mac, event->seal.mac, sizeof(mac)) != 0) {
        failure_set(
            failure,
            "seal %llu was not made with its key: the journal was rewritten, or the key is of another one",
            (unsigned long long)event->seal.key_number);
        return PUNKT_CORRUPT;
    }
    check->counts.genuine++;
    if (seal_next_key(&check->key))
        return PUNKT_OK;
    failure_set(failure, "no memory to check a seal with");
    return PUNKT_NO_MEMORY;
}

enum punkt_status seal_check_event(struct seal_check *check, const struct event *event,
                                   const uint8_t chain_hash[JOURNAL_HASH_SIZE], struct failure *failure)
{
    uint64_t number = event->seal.key_number;
    check->counts.seals++;
    if (memcmp(chain_hash, event->seal.head_hash, JOURNAL_HASH_SIZE) != 0) {
        failure_set(
            failure,
            "seal %llu is of a head at position %llu that the chain does not lead through: the journal "
            "was rewritten",
            (unsigned long long)number, (unsigned long long)event->seal.head);
        return PUNKT_CORRUPT;
    }
    if (!check->keyed)
        return PUNKT_OK;
    if (memcmp(check->key.lineage, event->seal.lineage, SEAL_LINEAGE_SIZE) != 0 ||
        number < check->key.number) {
        check->counts.others++;
        return PUNKT_OK;
    }
    uint64_t missing = number - check->key.number;
    if (missing > SEAL_MISSING_MAX) {
        failure_set(failure,
                    "seals %llu to %llu are missing: the journal was rewritten and sealed with a later key",
                    (unsigned long long)check->key.number, (unsigned long long)(number - 1));
        return PUNKT_CORRUPT;
    }
    check->counts.missing += missing;
    return check_mac(check, event, failure);
}
