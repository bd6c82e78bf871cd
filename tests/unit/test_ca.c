/*
 * The small CA: what it makes verifies as TLS verifies it, and it signs nothing but a sound request.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "service/ca.h"

#define NOW (INT64_C(1792000000) * US_PER_SECOND)

struct place {
    char folder[64];
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    (void)snprintf(place->folder, sizeof(place->folder), "/tmp/punkt_ca.XXXXXX");
    *state = place;
    return mkdtemp(place->folder) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    static const char *const files[] = { "ca.pem", "ca.key", "server.pem", "server.key", "other.key" };
    struct place *place = *state;
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "%s/%s", place->folder, files[i]);
        (void)unlink(path);
    }
    int left = rmdir(place->folder);
    free(place);
    return left; /* not empty: something was left behind */
}

static const char *in(const struct place *place, const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % COUNT_OF(paths)];
    (void)snprintf(path, sizeof(paths[0]), "%s/%s", place->folder, name);
    return path;
}

static void made(const struct place *place, const char *const *names, uint32_t count)
{
    struct failure failure = { "" };
    if (ca_make(place->folder, names, count, NOW, &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
}

static struct ca *opened(const struct place *place)
{
    struct failure failure = { "" };
    struct ca *ca = NULL;
    if (ca_open(in(place, "ca.pem"), in(place, "ca.key"), in(place, "server.pem"), &ca, &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
    return ca;
}

static X509 *read_certificate(const char *path)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    (void)fclose(file);
    assert_non_null(certificate);
    return certificate;
}

static X509 *parsed(const struct ca_signed *made)
{
    BIO *memory = BIO_new_mem_buf(made->pem, (int)made->size);
    X509 *certificate = PEM_read_bio_X509(memory, NULL, NULL, NULL);
    BIO_free(memory);
    assert_non_null(certificate);
    return certificate;
}

/* As TLS does it: the chain, the time and what it is for; X509_V_OK or why not. */
static int verified(X509 *root, X509 *certificate, int purpose, utc_us now, const char *host)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    assert_int_equal(X509_STORE_CTX_init(context, store, certificate, NULL), 1);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(param, (time_t)(now / US_PER_SECOND));
    assert_int_equal(X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT), 1);
    assert_int_equal(X509_STORE_CTX_set_purpose(context, purpose), 1);
    if (host != NULL && X509_VERIFY_PARAM_set1_ip_asc(param, host) != 1)
        assert_int_equal(X509_VERIFY_PARAM_set1_host(param, host, 0), 1);
    int result = X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    ERR_clear_error();
    return result;
}

struct request {
    uint8_t der[4096];
    int size;
};

static struct request request_by(EVP_PKEY *key, EVP_PKEY *signed_by)
{
    struct request request = { .size = 0 };
    X509_REQ *made = X509_REQ_new();
    assert_int_equal(X509_REQ_set_pubkey(made, key), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(made), "CN", MBSTRING_UTF8,
                                                (const unsigned char *)"a name of its own", -1, -1, 0),
                     1);
    assert_true(X509_REQ_sign(made, signed_by, EVP_sha256()) > 0);
    uint8_t *at = request.der;
    request.size = i2d_X509_REQ(made, NULL);
    assert_in_range(request.size, 1, sizeof(request.der));
    assert_int_equal(i2d_X509_REQ(made, &at), request.size);
    X509_REQ_free(made);
    return request;
}

static struct text text_of_request(const struct request *request)
{
    return (struct text){ (const char *)request->der, (size_t)request->size };
}

static void test_server(void **state)
{
    static const char *const names[] = { "punkt.example", "192.0.2.7", "2001:db8::7" };
    const struct place *place = *state;
    made(place, names, COUNT_OF(names));
    X509 *root = read_certificate(in(place, "ca.pem")), *server = read_certificate(in(place, "server.pem"));
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(verified(root, server, X509_PURPOSE_SSL_SERVER, NOW, names[i]), X509_V_OK);
    assert_int_equal(verified(root, server, X509_PURPOSE_SSL_SERVER, NOW, "other.example"),
                     X509_V_ERR_HOSTNAME_MISMATCH);
    assert_int_equal(verified(root, server, X509_PURPOSE_SSL_CLIENT, NOW, NULL), X509_V_ERR_INVALID_PURPOSE);
    utc_us minute = 60 * US_PER_SECOND, ends = CA_SERVER_DAYS * US_PER_DAY;
    assert_int_equal(verified(root, server, X509_PURPOSE_SSL_SERVER, NOW - 4 * minute, NULL), X509_V_OK);
    assert_int_equal(verified(root, server, X509_PURPOSE_SSL_SERVER, NOW - 6 * minute, NULL),
                     X509_V_ERR_CERT_NOT_YET_VALID);
    assert_int_equal(verified(root, server, X509_PURPOSE_SSL_SERVER, NOW + ends - minute, NULL), X509_V_OK);
    assert_int_equal(verified(root, server, X509_PURPOSE_SSL_SERVER, NOW + ends + minute, NULL),
                     X509_V_ERR_CERT_HAS_EXPIRED);
    assert_int_equal(X509_get_signature_nid(server), NID_ecdsa_with_SHA256);
    X509_free(root);
    X509_free(server);
    struct ca *ca = opened(place);
    assert_true(ca_signs(ca));
    assert_string_equal(ca_server_name(ca), names[0]);
    assert_true(text_equal((struct text){ ca_certificate(ca).data, 27 },
                           TEXT_LITERAL("-----BEGIN CERTIFICATE-----")));
    ca_free(ca);
}

static void test_files(void **state)
{
    static const struct {
        const char *name;
        mode_t mode;
    } rows[] = { { "ca.pem", 0644 }, { "ca.key", 0600 }, { "server.pem", 0644 }, { "server.key", 0600 } };
    const struct place *place = *state;
    struct failure failure = { "" };
    (void)umask(022);
    made(place, NULL, 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct stat status;
        assert_int_equal(stat(in(place, rows[i].name), &status), 0);
        assert_int_equal(status.st_mode & 0777, rows[i].mode);
    }
    /* Nothing is overwritten, whichever of them is there. */
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t k = 0; k < COUNT_OF(rows); k++)
            (void)unlink(in(place, rows[k].name));
        int file = open(in(place, rows[i].name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(write(file, "mine", 4), 4);
        (void)close(file);
        assert_int_equal(ca_make(place->folder, NULL, 0, NOW, &failure), PUNKT_BUSY);
        assert_non_null(strstr(failure.text, rows[i].name));
        for (size_t k = 0; k < COUNT_OF(rows); k++)
            assert_int_equal(access(in(place, rows[k].name), F_OK), k == i ? 0 : -1);
    }
}

static void test_refused_names(void **state)
{
    static const char *const wrong[] = { "", "two words", "-host", "a/b", "*.example", "1:2" };
    const struct place *place = *state;
    struct failure failure = { "" };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_equal(ca_make(place->folder, &wrong[i], 1, NOW, &failure), PUNKT_INVALID);
        assert_int_equal(access(in(place, "ca.key"), F_OK), -1);
    }
}

static void test_client(void **state)
{
    const struct place *place = *state;
    struct failure failure = { "" };
    made(place, NULL, 0);
    struct ca *ca = opened(place);
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    struct request request = request_by(key, key);
    static struct ca_signed first, second;
    assert_int_equal(ca_sign(ca, text_of_request(&request), "M1/2", NOW, &first, &failure), PUNKT_OK);
    assert_int_equal(ca_sign(ca, text_of_request(&request), "M1/2", NOW, &second, &failure), PUNKT_OK);
    X509 *root = read_certificate(in(place, "ca.pem")), *client = parsed(&first), *again = parsed(&second);
    assert_int_equal(verified(root, client, X509_PURPOSE_SSL_CLIENT, NOW, NULL), X509_V_OK);
    assert_int_equal(verified(root, client, X509_PURPOSE_SSL_SERVER, NOW, NULL), X509_V_ERR_INVALID_PURPOSE);
    assert_int_equal(X509_check_ca(client), 0);
    char name[64];
    assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(client), NID_commonName, name, sizeof(name)) >
                0);
    assert_string_equal(name, "M1/2");
    /* The key is that of the request, by its own hash; the serial is another each time, and long. */
    uint8_t *der = NULL, hash[32], read[32];
    utc_us ends = 0;
    int size = i2d_PUBKEY(key, &der);
    assert_non_null(SHA256(der, (size_t)size, hash));
    OPENSSL_free(der);
    assert_memory_equal(first.key, hash, sizeof(hash));
    assert_int_equal(certificate_read((struct text){ first.pem, first.size }, read, &ends, &failure),
                     PUNKT_OK);
    assert_memory_equal(read, hash, sizeof(hash));
    assert_int_equal(ends, NOW + CA_CLIENT_DAYS * US_PER_DAY);
    assert_int_equal(first.ends, ends);
    assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(client), X509_get0_serialNumber(again)), 0);
    assert_int_equal(ASN1_STRING_length(X509_get0_serialNumber(client)), 16);
    X509_free(root);
    X509_free(client);
    X509_free(again);
    EVP_PKEY_free(key);
    ca_free(ca);
}

/* A client's certificate does not outlive the CA, and a long name is cut at a character. */
static void test_late(void **state)
{
    const struct place *place = *state;
    struct failure failure = { "" };
    made(place, NULL, 0);
    struct ca *ca = opened(place);
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    struct request request = request_by(key, key);
    static struct ca_signed out;
    static const char name[] = "0123456789012345678901234567890/012345678901234567890123456789a\xc3\xa4";
    utc_us late = NOW + (CA_DAYS - 10) * US_PER_DAY;
    assert_int_equal(ca_sign(ca, text_of_request(&request), name, late, &out, &failure), PUNKT_OK);
    assert_int_equal(out.ends, NOW + CA_DAYS * US_PER_DAY);
    X509 *client = parsed(&out);
    char common[128];
    assert_int_equal(
        X509_NAME_get_text_by_NID(X509_get_subject_name(client), NID_commonName, common, sizeof(common)), 63);
    assert_memory_equal(common, name, 63);
    X509_free(client);
    EVP_PKEY_free(key);
    ca_free(ca);
}

static void refused(const struct ca *ca, const struct request *request, const char *why)
{
    struct failure failure = { "" };
    static struct ca_signed out;
    out = (struct ca_signed){ .size = 77 };
    assert_int_equal(ca_sign(ca, text_of_request(request), "M1/2", NOW, &out, &failure), PUNKT_INVALID);
    assert_int_equal(out.size, 77);
    if (strstr(failure.text, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", failure.text, why);
    assert_int_equal(ERR_peek_error(), 0);
}

static void test_refused_requests(void **state)
{
    const struct place *place = *state;
    made(place, NULL, 0);
    struct ca *ca = opened(place);
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"),
             *other = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    EVP_PKEY *large = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384"),
             *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    struct request request = request_by(key, other);
    refused(ca, &request, "not signed by its key");
    request = request_by(large, large);
    refused(ca, &request, "P-256");
    request = request_by(rsa, rsa);
    refused(ca, &request, "P-256");
    /* The same key in another form would be another one to the register. */
    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, "point-format", "compressed"), 1);
    request = request_by(key, key);
    refused(ca, &request, "uncompressed");
    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, "point-format", "uncompressed"), 1);
    struct request sound = request_by(key, key);
    static struct ca_signed out;
    struct failure failure = { "" };
    assert_int_equal(ca_sign(ca, text_of_request(&sound), "M1/2", NOW, &out, &failure), PUNKT_OK);
    request = sound;
    request.der[request.size++] = 0;
    refused(ca, &request, "no signing request");
    for (int size = 0; size < sound.size; size++) {
        request = sound;
        request.size = size;
        refused(ca, &request, "no signing request");
    }
    for (int i = 0; i < sound.size; i++) {
        request = sound;
        request.der[i] ^= 1;
        refused(ca, &request, "");
    }
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
    EVP_PKEY_free(large);
    EVP_PKEY_free(rsa);
    ca_free(ca);
}

static void test_renew(void **state)
{
    static const char *const names[] = { "192.0.2.7", "punkt.example" }, *const others[] = { "new.example" };
    const struct place *place = *state;
    struct failure failure = { "" };
    made(place, names, COUNT_OF(names));
    X509 *root = read_certificate(in(place, "ca.pem")), *before = read_certificate(in(place, "server.pem"));
    utc_us later = NOW + 700 * US_PER_DAY;
    assert_int_equal(ca_renew_server(place->folder, NULL, 0, later, &failure), PUNKT_OK);
    X509 *after = read_certificate(in(place, "server.pem"));
    assert_int_equal(verified(root, after, X509_PURPOSE_SSL_SERVER, NOW + 1500 * US_PER_DAY, names[0]),
                     X509_V_OK);
    assert_int_equal(verified(root, after, X509_PURPOSE_SSL_SERVER, later, names[1]), X509_V_OK);
    assert_int_not_equal(EVP_PKEY_eq(X509_get0_pubkey(before), X509_get0_pubkey(after)), 1);
    X509_free(after);
    struct ca *ca = opened(place);
    assert_string_equal(ca_server_name(ca), names[0]);
    ca_free(ca);
    assert_int_equal(ca_renew_server(place->folder, others, 1, later, &failure), PUNKT_OK);
    after = read_certificate(in(place, "server.pem"));
    assert_int_equal(verified(root, after, X509_PURPOSE_SSL_SERVER, later, others[0]), X509_V_OK);
    assert_int_equal(verified(root, after, X509_PURPOSE_SSL_SERVER, later, names[1]),
                     X509_V_ERR_HOSTNAME_MISMATCH);
    X509_free(after);
    X509_free(before);
    X509_free(root);
}

static void open_refused(const struct place *place, const char *certificate, const char *key,
                         const char *server, const char *why)
{
    struct failure failure = { "" };
    struct ca *ca = NULL;
    assert_int_equal(ca_open(in(place, certificate), key != NULL ? in(place, key) : NULL, in(place, server),
                             &ca, &failure),
                     PUNKT_INVALID);
    assert_null(ca);
    if (strstr(failure.text, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", failure.text, why);
}

static void test_open(void **state)
{
    const struct place *place = *state;
    struct failure failure = { "" };
    made(place, NULL, 0);
    open_refused(place, "none.pem", "ca.key", "server.pem", "none.pem");
    open_refused(place, "ca.key", "ca.key", "server.pem", "ca.key");
    open_refused(place, "ca.pem", "ca.pem", "server.pem", "chmod 600");
    open_refused(place, "ca.pem", "server.key", "server.pem", "not that of its certificate");
    open_refused(place, "server.pem", "server.key", "server.pem", "no certificate of a CA");
    open_refused(place, "ca.pem", "ca.key", "ca.pem", "names no server");
    assert_int_equal(chmod(in(place, "ca.key"), 0640), 0);
    open_refused(place, "ca.pem", "ca.key", "server.pem", "chmod 600");
    struct ca *ca = NULL;
    static struct ca_signed out;
    assert_int_equal(ca_open(in(place, "ca.pem"), NULL, in(place, "server.pem"), &ca, &failure), PUNKT_OK);
    assert_false(ca_signs(ca));
    assert_int_equal(ca_sign(ca, TEXT_LITERAL("x"), "M1/2", NOW, &out, &failure), PUNKT_INVALID);
    ca_free(ca);
    ca_free(NULL);
    uint8_t key[32];
    utc_us ends;
    assert_int_equal(certificate_read(TEXT_LITERAL("nothing"), key, &ends, &failure), PUNKT_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_server, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_client, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_late, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_requests, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_renew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_open, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
