#include "service/ca.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/ca_parts.h"

#define BACKDATED_S 300 /* a till whose clock is a little slow may use its certificate at once */
#define SECONDS_PER_DAY 86400
#define COMMON_NAME_MAX 64   /* RFC 5280, ub-common-name */
#define P256_PUBLIC_BYTES 91 /* of SubjectPublicKeyInfo: the curve by name, the point uncompressed */

struct ca {
    X509 *certificate;
    EVP_PKEY *key; /* NULL: signs nothing */
    char *pem;
    size_t pem_size;
    char server_name[CA_NAME_MAX + 1];
};

enum punkt_status ca_refused(struct failure *failure, enum punkt_status status, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    failure_set(failure, "%s%s%s", what, reason != NULL ? ": " : "", reason != NULL ? reason : "");
    ERR_clear_error();
    return status;
}

EVP_PKEY *ca_key_make(void)
{
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

static bool time_read(const ASN1_TIME *at, utc_us *out)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(at, &tm) != 1)
        return false;
    *out = (utc_us)timegm(&tm) * US_PER_SECOND;
    return true;
}

/* 128 random bits, so that nobody can tell a serial in advance; the highest one is clear: it is no negative number. */
static bool serial_set(X509 *certificate)
{
    uint8_t bytes[16];
    BIGNUM *number = NULL;
    bool done = RAND_bytes(bytes, sizeof(bytes)) == 1;
    bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40);
    done = done && (number = BN_bin2bn(bytes, sizeof(bytes), NULL)) != NULL &&
           BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
    BN_free(number);
    return done;
}

/* In force from a little before now, for the days wanted, but no longer than who signs it. */
static bool time_set(X509 *certificate, const struct ca_wanted *wanted, utc_us now)
{
    utc_us ends = now + wanted->days * US_PER_DAY, issuer_ends = ends;
    if (wanted->issuer != NULL && !time_read(X509_get0_notAfter(wanted->issuer), &issuer_ends))
        return false;
    ends = i64_min(ends, issuer_ends);
    return ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)(now / US_PER_SECOND - BACKDATED_S)) !=
               NULL &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)(ends / US_PER_SECOND)) != NULL;
}

/* The name for people: cut where a character ends, for it may be longer than a certificate takes. */
static bool subject_set(X509 *certificate, const char *common_name)
{
    size_t size = strlen(common_name);
    if (size > COMMON_NAME_MAX) {
        size = COMMON_NAME_MAX;
        while (size > 0 && ((uint8_t)common_name[size] & 0xc0) == 0x80)
            size--;
    }
    return X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName, MBSTRING_UTF8,
                                      (const unsigned char *)common_name, (int)size, -1, 0) == 1;
}

static bool extension_add(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_nconf_nid(NULL, &context, nid, value);
    bool done = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return done;
}

static bool extensions_set(X509 *certificate, const struct ca_wanted *wanted)
{
    bool ca = wanted->issuer == NULL;
    X509 *issuer = ca ? certificate : wanted->issuer;
    return extension_add(certificate, issuer, NID_basic_constraints,
                         ca ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") &&
           extension_add(certificate, issuer, NID_key_usage,
                         ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") &&
           (ca || extension_add(certificate, issuer, NID_ext_key_usage, wanted->usage)) &&
           extension_add(certificate, issuer, NID_subject_key_identifier, "hash") &&
           extension_add(certificate, issuer, NID_authority_key_identifier, "keyid:always") &&
           (wanted->names == NULL ||
            X509_add1_ext_i2d(certificate, NID_subject_alt_name, wanted->names, 0, X509V3_ADD_DEFAULT) == 1);
}

X509 *ca_certificate_make(const struct ca_wanted *wanted, utc_us now)
{
    X509 *certificate = X509_new();
    if (certificate == NULL)
        return NULL;
    bool done =
        X509_set_version(certificate, X509_VERSION_3) == 1 && serial_set(certificate) &&
        time_set(certificate, wanted, now) && subject_set(certificate, wanted->common_name) &&
        X509_set_issuer_name(
            certificate, X509_get_subject_name(wanted->issuer != NULL ? wanted->issuer : certificate)) == 1 &&
        X509_set_pubkey(certificate, wanted->key) == 1 && extensions_set(certificate, wanted) &&
        X509_sign(certificate, wanted->signing_key, EVP_sha256()) > 0;
    if (done)
        return certificate;
    X509_free(certificate);
    return NULL;
}

X509 *ca_certificate_load(const char *path, struct failure *failure)
{
    BIO *file = BIO_new_file(path, "r");
    X509 *certificate = file != NULL ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;
    BIO_free(file);
    if (certificate == NULL) {
        char what[400];
        (void)snprintf(what, sizeof(what), "the certificate %.350s cannot be read", path);
        (void)ca_refused(failure, PUNKT_INVALID, what);
    }
    return certificate;
}

/* A key has no pass phrase here: nobody is there to be asked. */
static int no_pass_phrase(char *out, int capacity, int writing, void *ctx)
{
    (void)out;
    (void)capacity;
    (void)writing;
    (void)ctx;
    return -1;
}

EVP_PKEY *ca_key_load(const char *path, struct failure *failure)
{
    struct stat status;
    char what[400];
    bool known = stat(path, &status) == 0;
    /* What root owns and lets us read by a group or an access list (systemd's credentials), root means so. */
    mode_t others = known && status.st_uid == 0 && geteuid() != 0 ? 007 : 077;
    if (known && (status.st_mode & others) != 0) {
        failure_set(failure, "the key %.200s may be read by others; run: chmod 600 %.200s", path, path);
        return NULL;
    }
    BIO *file = BIO_new_file(path, "r");
    EVP_PKEY *key = file != NULL ? PEM_read_bio_PrivateKey(file, NULL, no_pass_phrase, NULL) : NULL;
    BIO_free(file);
    if (key == NULL) {
        (void)snprintf(what, sizeof(what), "the key %.350s cannot be read", path);
        (void)ca_refused(failure, PUNKT_INVALID, what);
    }
    return key;
}

/* The first name of a server's certificate, as clients look for it. */
static bool server_name_read(X509 *server, char out[CA_NAME_MAX + 1])
{
    GENERAL_NAMES *names = X509_get_ext_d2i(server, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++) {
        int type;
        const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
        const uint8_t *data = type == GEN_DNS || type == GEN_IPADD ? ASN1_STRING_get0_data(value) : NULL;
        if (type == GEN_DNS && ASN1_STRING_length(value) <= CA_NAME_MAX) {
            (void)snprintf(out, CA_NAME_MAX + 1, "%.*s", ASN1_STRING_length(value), (const char *)data);
            found = true;
        } else if (type == GEN_IPADD) {
            found = ca_address_text(data, (size_t)ASN1_STRING_length(value), out);
        }
    }
    GENERAL_NAMES_free(names);
    return found;
}

enum punkt_status ca_server_name_read(const char *server_path, char out[CA_NAME_MAX + 1],
                                      struct failure *failure)
{
    X509 *server = ca_certificate_load(server_path, failure);
    if (server == NULL)
        return PUNKT_INVALID;
    bool found = server_name_read(server, out);
    X509_free(server);
    if (found)
        return PUNKT_OK;
    failure_set(failure, "%s names no server: it has no subjectAltName with a DNS name or an address",
                server_path);
    return PUNKT_INVALID;
}

/* Whether a server's certificate leads to a CA, over those behind it in its file. */
static bool leads_to(X509 *ca, X509 *server, const char *server_path)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    STACK_OF(X509) *behind = sk_X509_new_null();
    BIO *file = BIO_new_file(server_path, "r");
    bool done = store != NULL && check != NULL && behind != NULL && file != NULL;
    while (done) {
        X509 *next = PEM_read_bio_X509(file, NULL, NULL, NULL);
        if (next == NULL)
            break;
        if (sk_X509_push(behind, next) <= 0) {
            X509_free(next);
            done = false;
        }
    }
    ERR_clear_error(); /* the end of the file */
    done =
        done && X509_STORE_add_cert(store, ca) == 1 && X509_STORE_CTX_init(check, store, server, behind) == 1;
    if (done) {
        /* How clients check; whether it is valid now is not asked here. */
        X509_STORE_CTX_set_flags(check, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
        done = X509_verify_cert(check) == 1;
    }
    BIO_free(file);
    X509_STORE_CTX_free(check);
    X509_STORE_free(store);
    sk_X509_pop_free(behind, X509_free);
    return done;
}

enum punkt_status ca_check_files(const struct ca *ca, const char *ca_path, const char *server_path,
                                 struct failure *failure)
{
    enum punkt_status status = PUNKT_INVALID;
    X509 *now = ca_certificate_load(ca_path, failure);
    X509 *server = now == NULL ? NULL : ca_certificate_load(server_path, failure);
    if (server == NULL)
        goto out;
    if (X509_cmp(ca->certificate, now) != 0)
        failure_set(failure, "%s is another CA than at the start; that takes a restart", ca_path);
    else if (ca->key != NULL && !leads_to(ca->certificate, server, server_path))
        failure_set(failure, "%s is not signed by the CA of %s, which is all that tills know", server_path,
                    ca_path);
    else
        status = PUNKT_OK;
out:
    X509_free(server);
    X509_free(now);
    return status;
}

/* The text of a certificate, NUL behind it; NULL: no memory. */
static char *pem_of(X509 *certificate, size_t *out_size)
{
    char *data, *copy = NULL;
    BIO *memory = BIO_new(BIO_s_mem());
    if (memory != NULL && PEM_write_bio_X509(memory, certificate) == 1) {
        long size = BIO_get_mem_data(memory, &data);
        copy = malloc((size_t)size + 1);
        if (copy != NULL) {
            memcpy(copy, data, (size_t)size);
            copy[size] = '\0';
            *out_size = (size_t)size;
        }
    }
    BIO_free(memory);
    return copy;
}

enum punkt_status ca_open(const char *ca_path, const char *key_path, const char *server_path,
                          struct ca **out_ca, struct failure *failure)
{
    enum punkt_status status = PUNKT_INVALID;
    struct ca *ca = calloc(1, sizeof(*ca));
    if (ca == NULL)
        return ca_refused(failure, PUNKT_NO_MEMORY, "there is no memory for the CA");
    ca->certificate = ca_certificate_load(ca_path, failure);
    if (ca->certificate == NULL || ca_server_name_read(server_path, ca->server_name, failure) != PUNKT_OK ||
        (key_path != NULL && (ca->key = ca_key_load(key_path, failure)) == NULL))
        goto out;
    if (X509_check_ca(ca->certificate) == 0)
        failure_set(failure, "%s is no certificate of a CA", ca_path);
    else if (ca->key != NULL && X509_check_private_key(ca->certificate, ca->key) != 1)
        (void)ca_refused(failure, status, "the key of the CA is not that of its certificate");
    else if ((ca->pem = pem_of(ca->certificate, &ca->pem_size)) == NULL)
        status = ca_refused(failure, PUNKT_NO_MEMORY, "there is no memory for the CA");
    else
        status = PUNKT_OK;
out:
    if (status == PUNKT_OK)
        *out_ca = ca;
    else
        ca_free(ca);
    return status;
}

void ca_free(struct ca *ca)
{
    if (ca == NULL)
        return;
    X509_free(ca->certificate);
    EVP_PKEY_free(ca->key);
    free(ca->pem);
    free(ca);
}

bool ca_signs(const struct ca *ca)
{
    return ca->key != NULL;
}

struct text ca_certificate(const struct ca *ca)
{
    return (struct text){ ca->pem, ca->pem_size };
}

const char *ca_server_name(const struct ca *ca)
{
    return ca->server_name;
}

void ca_server_renamed(struct ca *ca, const char *name)
{
    (void)snprintf(ca->server_name, sizeof(ca->server_name), "%s", name);
}

/* SHA-256 of the public key: how the register names it. Its size goes with it. */
static bool public_key_hash(X509 *certificate, uint8_t out_key[32], size_t *out_size)
{
    uint8_t *der = NULL;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
    bool done = size > 0 && SHA256(der, (size_t)size, out_key) != NULL;
    OPENSSL_free(der);
    *out_size = size > 0 ? (size_t)size : 0;
    return done;
}

static bool is_p256(EVP_PKEY *key)
{
    char group[32] = "";
    return key != NULL && EVP_PKEY_is_a(key, "EC") == 1 &&
           EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
           strcmp(group, SN_X9_62_prime256v1) == 0;
}

/* Fills *out of the certificate that was made. */
static enum punkt_status signed_fill(X509 *certificate, struct ca_signed *out, struct failure *failure)
{
    struct ca_signed made = { .size = 0 };
    size_t key_size, size = 0;
    char *pem = pem_of(certificate, &size);
    bool done = pem != NULL && public_key_hash(certificate, made.key, &key_size) &&
                time_read(X509_get0_notAfter(certificate), &made.ends) && size < sizeof(made.pem);
    /* One key has one name in the register, so it has one form. */
    bool plain = done && key_size == P256_PUBLIC_BYTES;
    if (plain) {
        memcpy(made.pem, pem, size + 1);
        made.size = size;
        *out = made;
    }
    free(pem);
    if (!done)
        return ca_refused(failure, PUNKT_NO_MEMORY, "there is no memory for a certificate");
    if (!plain)
        return ca_refused(failure, PUNKT_INVALID,
                          "the key is not written as a named curve and an uncompressed point");
    return PUNKT_OK;
}

/* A signing request that is what it must be; NULL: it is not. */
static X509_REQ *request_read(struct text text, struct failure *failure)
{
    const uint8_t *der = (const uint8_t *)text.data;
    X509_REQ *request = d2i_X509_REQ(NULL, &der, (long)text.size);
    EVP_PKEY *key = request != NULL ? X509_REQ_get0_pubkey(request) : NULL;
    const char *wrong = NULL;
    if (request == NULL || (const char *)der != text.data + text.size)
        wrong = "this is no signing request";
    else if (!is_p256(key))
        wrong = "the key is none of P-256";
    else if (X509_REQ_verify(request, key) != 1)
        wrong = "the signing request is not signed by its key";
    if (wrong == NULL)
        return request;
    (void)ca_refused(failure, PUNKT_INVALID, wrong);
    X509_REQ_free(request);
    return NULL;
}

enum punkt_status ca_sign(const struct ca *ca, struct text signing_request, const char *common_name,
                          utc_us now, struct ca_signed *out, struct failure *failure)
{
    if (ca->key == NULL)
        return ca_refused(failure, PUNKT_INVALID, "nothing is signed here");
    X509_REQ *request = request_read(signing_request, failure);
    if (request == NULL)
        return PUNKT_INVALID;
    struct ca_wanted wanted = { .common_name = common_name,
                                .issuer = ca->certificate,
                                .key = X509_REQ_get0_pubkey(request),
                                .signing_key = ca->key,
                                .days = CA_CLIENT_DAYS,
                                .usage = "clientAuth" };
    X509 *certificate = ca_certificate_make(&wanted, now);
    enum punkt_status status = certificate != NULL
                                   ? signed_fill(certificate, out, failure)
                                   : ca_refused(failure, PUNKT_NO_MEMORY, "the certificate cannot be made");
    X509_free(certificate);
    X509_REQ_free(request);
    return status;
}

enum punkt_status signing_request_read(struct text signing_request, uint8_t out_key[32],
                                       struct failure *failure)
{
    X509_REQ *request = request_read(signing_request, failure);
    if (request == NULL)
        return PUNKT_INVALID;
    uint8_t *der = NULL;
    int size = i2d_PUBKEY(X509_REQ_get0_pubkey(request), &der);
    bool done = size > 0 && SHA256(der, (size_t)size, out_key) != NULL;
    OPENSSL_free(der);
    X509_REQ_free(request);
    return done ? PUNKT_OK : ca_refused(failure, PUNKT_NO_MEMORY, "there is no memory for a key");
}

enum punkt_status certificate_read(struct text pem, uint8_t out_key[32], utc_us *out_ends,
                                   struct failure *failure)
{
    uint8_t key[32];
    size_t key_size;
    utc_us ends;
    BIO *memory = BIO_new_mem_buf(pem.data, (int)pem.size);
    X509 *certificate = memory != NULL ? PEM_read_bio_X509(memory, NULL, NULL, NULL) : NULL;
    bool done = certificate != NULL && public_key_hash(certificate, key, &key_size) &&
                time_read(X509_get0_notAfter(certificate), &ends);
    X509_free(certificate);
    BIO_free(memory);
    if (!done)
        return ca_refused(failure, PUNKT_INVALID, "this is no certificate in PEM");
    memcpy(out_key, key, sizeof(key));
    *out_ends = ends;
    return PUNKT_OK;
}
