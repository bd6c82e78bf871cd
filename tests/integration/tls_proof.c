/* What a client of tls_talk.h brings: read from files, or made up. */
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tls_talk.h"
#include "world.h"

/* --- from files --- */

/* The 32 bytes of as many pairs of hexadecimal digits. */
static void read_psk_key(const char *digits, uint8_t out[TLS_TALK_KEY_SIZE])
{
    for (size_t i = 0; i < TLS_TALK_KEY_SIZE; i++) {
        unsigned byte;
        assert_int_equal(sscanf(digits + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
}

struct tls_proof tls_proof_read(const char *path)
{
    struct tls_proof proof = { .key = NULL };
    char line[256];
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "psk_identity: ", 14) == 0)
            (void)snprintf(proof.psk_identity, sizeof(proof.psk_identity), "%.64s", line + 14);
        else if (strncmp(line, "psk_key: ", 9) == 0)
            read_psk_key(line + 9, proof.psk_key);
    }
    rewind(file);
    if (proof.psk_identity[0] == '\0') {
        proof.key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        proof.certificate = PEM_read_X509(file, NULL, NULL, NULL);
        assert_true(proof.key != NULL && proof.certificate != NULL);
    }
    assert_int_equal(fclose(file), 0);
    return proof;
}

static FILE *open_in(const char *folder, const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    return file;
}

struct tls_proof tls_proof_ca_of(const char *folder)
{
    struct tls_proof ca = { .key = NULL };
    FILE *file = open_in(folder, "ca.key");
    ca.key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    assert_int_equal(fclose(file), 0);
    file = open_in(folder, "ca.pem");
    ca.certificate = PEM_read_X509(file, NULL, NULL, NULL);
    assert_int_equal(fclose(file), 0);
    assert_true(ca.key != NULL && ca.certificate != NULL);
    return ca;
}

/* --- from a code --- */

#define CODE_BYTES 20 /* handle, secret */
#define HANDLE_SIZE 4

/* Eight groups of four digits to the base 32, without I, L, O and U. */
static void read_code(const char *code, uint8_t out[CODE_BYTES])
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint32_t bits = 0, held = 0;
    size_t size = 0;
    for (; *code != '\0'; code++) {
        const char *digit = strchr(digits, *code);
        if (*code == '-')
            continue;
        assert_non_null(digit);
        held = held << 5 | (uint32_t)(digit - digits);
        bits += 5;
        if (bits < 8)
            continue;
        bits -= 8;
        assert_true(size < CODE_BYTES);
        out[size++] = (uint8_t)(held >> bits);
        held &= (1U << bits) - 1;
    }
    assert_int_equal(size, CODE_BYTES);
}

struct tls_proof tls_proof_code(const char *code)
{
    static char digest[] = "SHA256", info[] = "punkt enrol psk";
    struct tls_proof proof = { .key = NULL };
    uint8_t bytes[CODE_BYTES];
    read_code(code, bytes);
    (void)snprintf(proof.psk_identity, sizeof(proof.psk_identity), "enrol/%02x%02x%02x%02x", bytes[0],
                   bytes[1], bytes[2], bytes[3]);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, bytes + HANDLE_SIZE, CODE_BYTES - HANDLE_SIZE),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, strlen(info)), OSSL_PARAM_construct_end()
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    assert_non_null(context);
    assert_int_equal(EVP_KDF_derive(context, proof.psk_key, sizeof(proof.psk_key), params), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return proof;
}

/* --- made up --- */

static X509 *make_certificate(const struct tls_proof *issuer, EVP_PKEY *key, long from_s, long to_s)
{
    X509 *made = X509_new();
    assert_non_null(made);
    X509_NAME *name = X509_get_subject_name(made);
    const X509 *signer = issuer == NULL ? made : issuer->certificate;
    X509_EXTENSION *extension =
        X509V3_EXT_conf_nid(NULL, NULL, issuer == NULL ? NID_basic_constraints : NID_ext_key_usage,
                            issuer == NULL ? "critical,CA:TRUE" : "clientAuth");
    assert_non_null(extension);
    assert_int_equal(X509_set_version(made, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(made), issuer == NULL ? 1 : 2), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made), from_s));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made), to_s));
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"attacker", -1, -1, 0),
        1);
    assert_int_equal(X509_set_issuer_name(made, X509_get_subject_name(signer)), 1);
    assert_int_equal(X509_set_pubkey(made, key), 1);
    assert_int_equal(X509_add_ext(made, extension, -1), 1);
    assert_true(X509_sign(made, issuer == NULL ? key : issuer->key, EVP_sha256()) > 0);
    X509_EXTENSION_free(extension);
    return made;
}

struct tls_proof tls_proof_ca(void)
{
    struct tls_proof ca = { .key = EVP_EC_gen("P-256") };
    assert_non_null(ca.key);
    ca.certificate = make_certificate(NULL, ca.key, -3600, 86400);
    return ca;
}

struct tls_proof tls_proof_signed(const struct tls_proof *ca, EVP_PKEY *key, long from_s, long to_s)
{
    struct tls_proof proof = { .key = key != NULL ? key : EVP_EC_gen("P-256") };
    assert_non_null(proof.key);
    if (key != NULL)
        assert_int_equal(EVP_PKEY_up_ref(key), 1);
    proof.certificate = make_certificate(ca, proof.key, from_s, to_s);
    return proof;
}

void tls_proof_free(struct tls_proof *proof)
{
    EVP_PKEY_free(proof->key);
    X509_free(proof->certificate);
    *proof = (struct tls_proof){ .key = NULL };
}
