#include "lib/enrol_key.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* OpenSSL would ask for a passphrase on the terminal of the process. */
static int no_passphrase(char *out, int size, int writing, void *ctx)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

static BIO *pem_of(const struct buffer *text)
{
    return buffer_size(text) > 0 ? BIO_new_mem_buf(buffer_data(text), (int)buffer_size(text)) : NULL;
}

static EVP_PKEY *key_of(const struct buffer *text)
{
    BIO *pem = pem_of(text);
    EVP_PKEY *key = pem != NULL ? PEM_read_bio_PrivateKey(pem, NULL, no_passphrase, NULL) : NULL;
    BIO_free(pem);
    return key;
}

static X509 *certificate_of(const struct buffer *text)
{
    BIO *pem = pem_of(text);
    X509 *certificate = pem != NULL ? PEM_read_bio_X509(pem, NULL, no_passphrase, NULL) : NULL;
    BIO_free(pem);
    return certificate;
}

bool enrol_key_make(struct buffer *out)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIO *pem = BIO_new(BIO_s_secmem()); /* wipes what it held */
    char *bytes = NULL;
    bool good =
        key != NULL && pem != NULL && PEM_write_bio_PKCS8PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL) == 1;
    long size = good ? BIO_get_mem_data(pem, &bytes) : 0;
    buffer_mark_secret(out);
    good = good && size > 0 && buffer_append(out, bytes, (size_t)size);
    BIO_free(pem);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good;
}

bool enrol_key_good(const struct buffer *pem)
{
    EVP_PKEY *key = key_of(pem);
    bool good = key != NULL && EVP_PKEY_is_a(key, "EC");
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good;
}

bool enrol_key_request(const struct buffer *pem, uint8_t out[ENROL_REQUEST_MAX], size_t *out_size)
{
    EVP_PKEY *key = key_of(pem);
    X509_REQ *request = X509_REQ_new();
    unsigned char *at = out;
    /* Of the request only the key is taken: whose it is, the code says. */
    bool good = key != NULL && request != NULL && X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
                X509_REQ_set_pubkey(request, key) == 1 && X509_REQ_sign(request, key, EVP_sha256()) > 0;
    int size = good ? i2d_X509_REQ(request, NULL) : 0;
    good = size > 0 && size <= ENROL_REQUEST_MAX && i2d_X509_REQ(request, &at) == size;
    *out_size = good ? (size_t)size : 0;
    X509_REQ_free(request);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good;
}

const char *enrol_key_wrong(const struct buffer *pem, const struct buffer *certificate,
                            const struct buffer *ca)
{
    EVP_PKEY *key = key_of(pem);
    X509 *own = certificate_of(certificate);
    X509 *issuer = certificate_of(ca);
    const char *wrong = NULL;
    if (key == NULL || own == NULL || issuer == NULL)
        wrong = "the server's answer holds no certificate";
    else if (X509_check_private_key(own, key) != 1)
        wrong = "the server's answer is the certificate of another key";
    else if (X509_cmp_current_time(X509_get0_notAfter(own)) <= 0)
        wrong = "the certificate that the server made has ended already: is this machine's clock right?";
    X509_free(issuer);
    X509_free(own);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return wrong;
}
