#include "lib/enrol_code.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>

#define DIGITS 32
#define GROUP_DIGITS 4
#define KEY_INFO "punkt enrol psk"

/* -1: no digit of a code. */
static int digit_value(char digit)
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    if (digit >= 'a' && digit <= 'z')
        digit = (char)(digit - 'a' + 'A');
    if (digit == 'O')
        digit = '0';
    else if (digit == 'I' || digit == 'L')
        digit = '1';
    const char *at = digit != '\0' ? strchr(digits, digit) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* At a dash behind so many characters: what stands before it must be whole groups, since the dash before. */
static bool check_dash(size_t count, size_t *began, char *why)
{
    size_t since = count - *began;
    if (since % GROUP_DIGITS != 0) {
        (void)snprintf(why, IDENTITY_WHY_SIZE, "group %zu of the code has %zu of %d characters",
                       *began / GROUP_DIGITS + 1, since, GROUP_DIGITS);
        return false;
    }
    *began = count;
    return true;
}

static bool read_digits(const char *text, uint8_t out[DIGITS], char *why)
{
    size_t count = 0;
    size_t began = 0;
    for (; *text != '\0'; text++) {
        if (is_space(*text))
            continue;
        if (*text == '-') {
            if (!check_dash(count, &began, why))
                return false;
            continue;
        }
        int value = digit_value(*text);
        if (value < 0 || count == DIGITS) {
            (void)snprintf(
                why, IDENTITY_WHY_SIZE,
                value < 0 ? "group %zu of the code has a character that no code has: it has 0-9 and A-Z but U"
                          : "the code is too long: it has %zu groups of four",
                value < 0 ? count / GROUP_DIGITS + 1 : (size_t)DIGITS / GROUP_DIGITS);
            return false;
        }
        out[count++] = (uint8_t)value;
    }
    if (count == DIGITS)
        return true;
    (void)snprintf(why, IDENTITY_WHY_SIZE, "the code has %zu of %d characters: group %zu is not whole", count,
                   DIGITS, count / GROUP_DIGITS + 1);
    return false;
}

bool enrol_code_read(const char *text, struct enrol_code *out, char *why)
{
    uint8_t digits[DIGITS];
    uint8_t bytes[ENROL_HANDLE_DIGITS / 2 + ENROL_SECRET_SIZE];
    bool good = read_digits(text, digits, why);
    for (size_t i = 0; good && i < sizeof(bytes); i++) {
        /* Eight digits of 5 bits are five bytes, the first bit first. */
        const uint8_t *from = digits + i / 5 * 8;
        uint64_t bits = 0;
        for (size_t digit = 0; digit < 8; digit++)
            bits = bits << 5 | from[digit];
        bytes[i] = (uint8_t)(bits >> (8 * (4 - i % 5)));
    }
    if (good) {
        for (size_t i = 0; i < ENROL_HANDLE_DIGITS / 2; i++)
            (void)snprintf(out->handle + 2 * i, 3, "%02x", bytes[i]);
        memcpy(out->secret, bytes + ENROL_HANDLE_DIGITS / 2, sizeof(out->secret));
    }
    OPENSSL_cleanse(digits, sizeof(digits));
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return good;
}

bool enrol_code_key(const struct enrol_code *code, uint8_t out_key[IDENTITY_PSK_KEY_SIZE])
{
    uint8_t secret[ENROL_SECRET_SIZE];
    char digest[] = "SHA256";
    char info[] = KEY_INFO;
    memcpy(secret, code->secret, sizeof(secret));
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret, sizeof(secret)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, strlen(info)),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *derivation = hkdf != NULL ? EVP_KDF_CTX_new(hkdf) : NULL;
    bool good =
        derivation != NULL && EVP_KDF_derive(derivation, out_key, IDENTITY_PSK_KEY_SIZE, parameters) == 1;
    EVP_KDF_CTX_free(derivation);
    EVP_KDF_free(hkdf);
    OPENSSL_cleanse(secret, sizeof(secret));
    return good;
}
