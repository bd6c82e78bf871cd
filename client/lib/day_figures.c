/* The figures of a till's day, as its outbox has them. */
#include <openssl/evp.h>
#include <string.h>

#include "lib/client.h"
#include "lib/day.h"
#include "proto/message.h"

/* First 8 bytes of SHA-256(epoch, number, fingerprint), as a little-endian number. */
static uint64_t hash_of(const struct outbox_entry *entry)
{
    uint8_t bytes[16 + sizeof(entry->fingerprint)];
    uint8_t whole[EVP_MAX_MD_SIZE];
    uint64_t hash = 0;
    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(entry->epoch >> (8 * i));
        bytes[8 + i] = (uint8_t)(entry->number >> (8 * i));
    }
    memcpy(bytes + 16, entry->fingerprint, sizeof(entry->fingerprint));
    if (EVP_Digest(bytes, sizeof(bytes), whole, NULL, EVP_sha256(), NULL) != 1)
        return 0; /* without memory the sums differ, and the day is closed again */
    for (unsigned i = 0; i < 8; i++)
        hash |= (uint64_t)whole[i] << (8 * i);
    return hash;
}

bool day_counts(const struct outbox_entry *entry)
{
    switch (entry->operation) {
    case OPERATION_PURCHASE:
    case OPERATION_RETURN:
    case OPERATION_UNLINKED_RETURN:
    case OPERATION_REDEEM:
    case OPERATION_HOLD:
    case OPERATION_CAPTURE:
    case OPERATION_RELEASE:
    case OPERATION_REVERSAL:
        return entry->state == OUTBOX_DONE && !entry->result.tied;
    default:
        return false;
    }
}

static void count(const struct outbox_entry *entry, struct punkt_day_figures *out)
{
    switch (entry->operation) {
    case OPERATION_PURCHASE:
        out->purchases++;
        out->purchase_amount += entry->note.amount;
        out->earned += entry->result.earned;
        out->redemptions += entry->result.redeemed > 0;
        break;
    case OPERATION_RETURN:
    case OPERATION_UNLINKED_RETURN:
        out->returns++;
        out->return_amount += entry->result.worth;
        out->returned -= entry->result.earned;
        break;
    case OPERATION_REDEEM:
    case OPERATION_CAPTURE:
        out->redemptions++;
        break;
    case OPERATION_REVERSAL:
        out->reversals++;
        break;
    default:
        break;
    }
    if (entry->operation == OPERATION_PURCHASE || entry->operation == OPERATION_REDEEM ||
        entry->operation == OPERATION_CAPTURE) {
        out->redeemed += entry->result.redeemed;
        out->redeemed_worth += entry->result.worth;
    }
}

void day_figures(const struct punkt *punkt, int32_t business_date, struct punkt_day_figures *out)
{
    *out = (struct punkt_day_figures){ .size = sizeof(*out) };
    for (const struct outbox_entry *at = outbox_first(punkt->outbox); at != NULL; at = at->next) {
        if (at->note.business_date != business_date || !day_counts(at))
            continue;
        count(at, out);
        out->hash ^= hash_of(at);
    }
}
