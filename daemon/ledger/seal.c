#include "ledger/seal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "ledger/journal_format.h"

#define SEAL_WORDS "punkt seal"

void seal_message(const uint8_t journal_id[JOURNAL_ID_SIZE], const struct event *event,
                  uint8_t out[SEAL_MESSAGE_SIZE])
{
    static_assert(SEAL_MESSAGE_SIZE == sizeof(SEAL_WORDS) - 1 + JOURNAL_ID_SIZE +
                                           sizeof(event->seal.lineage) + 16 + sizeof(event->seal.head_hash),
                  "the message is all of it");
    uint8_t *at = out;
    memcpy(at, SEAL_WORDS, sizeof(SEAL_WORDS) - 1);
    at += sizeof(SEAL_WORDS) - 1;
    memcpy(at, journal_id, JOURNAL_ID_SIZE);
    at += JOURNAL_ID_SIZE;
    memcpy(at, event->seal.lineage, SEAL_LINEAGE_SIZE);
    at += SEAL_LINEAGE_SIZE;
    store_u64(at, event->seal.key_number);
    store_u64(at + 8, event->seal.head);
    memcpy(at + 16, event->seal.head_hash, JOURNAL_HASH_SIZE);
}

bool seal_mac(const uint8_t key[SEAL_KEY_SIZE], const uint8_t message[SEAL_MESSAGE_SIZE],
              uint8_t out[SEAL_MAC_SIZE])
{
    unsigned size = SEAL_MAC_SIZE;
    return HMAC(EVP_sha256(), key, SEAL_KEY_SIZE, message, SEAL_MESSAGE_SIZE, out, &size) != NULL;
}

bool seal_next_key(struct seal_key *key)
{
    uint8_t next[SEAL_KEY_SIZE];
    if (EVP_Digest(key->key, sizeof(key->key), next, NULL, EVP_sha256(), NULL) != 1)
        return false;
    memcpy(key->key, next, sizeof(key->key));
    OPENSSL_cleanse(next, sizeof(next));
    key->number++;
    return true;
}

/* --- as text --- */

static size_t write_hex(const uint8_t *bytes, size_t size, char *out)
{
    for (size_t i = 0; i < size; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    return 2 * size;
}

size_t seal_key_write(const struct seal_key *key, char out[SEAL_KEY_TEXT_MAX])
{
    size_t size = (size_t)snprintf(out, SEAL_KEY_TEXT_MAX, "lineage: ");
    size += write_hex(key->lineage, sizeof(key->lineage), out + size);
    size +=
        (size_t)snprintf(out + size, SEAL_KEY_TEXT_MAX - size, "\nnumber: %" PRIu64 "\nkey: ", key->number);
    size += write_hex(key->key, sizeof(key->key), out + size);
    return size + (size_t)snprintf(out + size, SEAL_KEY_TEXT_MAX - size, "\n");
}

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    char small = (char)(digit | 0x20);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

static bool read_hex(struct text text, uint8_t *out, size_t size)
{
    if (text.size != 2 * size)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = digit_value(text.data[2 * i]), low = digit_value(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool read_number(struct text text, uint64_t *out)
{
    *out = 0;
    if (text.size == 0 || (text.size > 1 && text.data[0] == '0'))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned)(text.data[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(*out, 10, out) || __builtin_add_overflow(*out, digit, out))
            return false;
    }
    return true;
}

/* Takes a line off the text that must begin with `name`; its value is what comes behind. */
static bool take_line(struct text *text, struct text name, struct text *out_value)
{
    const char *end = text->size > 0 ? memchr(text->data, '\n', text->size) : NULL;
    if (end == NULL || text->size < name.size || memcmp(text->data, name.data, name.size) != 0)
        return false;
    size_t line = (size_t)(end - text->data);
    if (line < name.size)
        return false;
    *out_value = (struct text){ text->data + name.size, line - name.size };
    *text = (struct text){ end + 1, text->size - line - 1 };
    return true;
}

bool seal_key_read(struct text text, struct seal_key *out)
{
    struct text lineage, number, key;
    if (take_line(&text, TEXT_LITERAL("lineage: "), &lineage) &&
        read_hex(lineage, out->lineage, SEAL_LINEAGE_SIZE) &&
        take_line(&text, TEXT_LITERAL("number: "), &number) && read_number(number, &out->number) &&
        take_line(&text, TEXT_LITERAL("key: "), &key) && read_hex(key, out->key, SEAL_KEY_SIZE) &&
        text.size == 0)
        return true;
    OPENSSL_cleanse(out, sizeof(*out));
    return false;
}

bool seal_head_read(struct text text, uint8_t out_hash[JOURNAL_HASH_SIZE])
{
    char digits[2 * JOURNAL_HASH_SIZE];
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == ' ')
            continue;
        if (count == sizeof(digits))
            return false;
        digits[count++] = text.data[i];
    }
    return read_hex((struct text){ digits, count }, out_hash, JOURNAL_HASH_SIZE);
}
