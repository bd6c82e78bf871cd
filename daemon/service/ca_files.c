/* The files of the small CA: made once, the server's certificate again. */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/ca_parts.h"

#define CA_NAMES_MAX 16
#define PATH_BYTES 1024

struct folder_path {
    char text[PATH_BYTES];
};

static struct folder_path path_in(const char *folder, const char *name)
{
    struct folder_path path;
    (void)snprintf(path.text, sizeof(path.text), "%s/%s", folder, name);
    return path;
}

bool ca_address_text(const uint8_t *data, size_t size, char out[CA_NAME_MAX + 1])
{
    return (size == 4 && inet_ntop(AF_INET, data, out, CA_NAME_MAX + 1) != NULL) ||
           (size == 16 && inet_ntop(AF_INET6, data, out, CA_NAME_MAX + 1) != NULL);
}

static bool dns_name(const char *name)
{
    size_t size = strlen(name);
    return size > 0 && size <= CA_NAME_MAX && name[0] != '.' && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == size;
}

static bool name_add(GENERAL_NAMES *names, const char *name)
{
    GENERAL_NAME *made = GENERAL_NAME_new();
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);
    ASN1_IA5STRING *host = address == NULL ? ASN1_IA5STRING_new() : NULL;
    ERR_clear_error(); /* a name is no address: no error of anybody's */
    if (made == NULL || (address == NULL && host == NULL) ||
        (host != NULL && ASN1_STRING_set(host, name, -1) != 1)) {
        GENERAL_NAME_free(made);
        ASN1_OCTET_STRING_free(address);
        ASN1_IA5STRING_free(host);
        return false;
    }
    if (address != NULL)
        GENERAL_NAME_set0_value(made, GEN_IPADD, address);
    else
        GENERAL_NAME_set0_value(made, GEN_DNS, host);
    if (sk_GENERAL_NAME_push(names, made) > 0)
        return true;
    GENERAL_NAME_free(made);
    return false;
}

static enum punkt_status names_of(const char *const *names, uint32_t count, GENERAL_NAMES **out,
                                  struct failure *failure)
{
    static const char *const unless_named[] = { CA_SERVER_UNNAMED };
    if (count == 0) {
        names = unless_named;
        count = 1;
    }
    if (count > CA_NAMES_MAX) {
        failure_set(failure, "a server has up to %d names", CA_NAMES_MAX);
        return PUNKT_INVALID;
    }
    *out = sk_GENERAL_NAME_new_null();
    for (uint32_t i = 0; i < count; i++) {
        struct in6_addr address;
        if (!dns_name(names[i]) && inet_pton(AF_INET6, names[i], &address) != 1) {
            failure_set(failure, "\"%.100s\" is neither a host's name nor an address", names[i]);
            return PUNKT_INVALID;
        }
        if (*out == NULL || !name_add(*out, names[i]))
            return ca_refused(failure, PUNKT_NO_MEMORY, "there is no memory for the server's names");
    }
    return PUNKT_OK;
}

static enum punkt_status file_failed(struct failure *failure, const char *path, const char *what)
{
    enum punkt_status status = errno == EEXIST ? PUNKT_BUSY : PUNKT_IO;
    if (status == PUNKT_BUSY)
        failure_set(failure, "%s is there already, and nothing is overwritten", path);
    else
        failure_set(failure, "%s cannot be %s: %s", path, what, strerror(errno));
    return status;
}

/* On disk, whole, or not there. */
static enum punkt_status file_make(const char *path, mode_t mode, BIO *content, struct failure *failure)
{
    char *data;
    long size = BIO_get_mem_data(content, &data);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (file < 0)
        return file_failed(failure, path, "made");
    ssize_t written = write(file, data, (size_t)size);
    bool done = written == size && fsync(file) == 0;
    int reason = written >= 0 && written < size ? ENOSPC : errno;
    if (close(file) != 0 && done) {
        reason = errno;
        done = false;
    }
    if (done)
        return PUNKT_OK;
    (void)unlink(path);
    errno = reason;
    return file_failed(failure, path, "written");
}

static enum punkt_status folder_sync(const char *folder, struct failure *failure)
{
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = file >= 0 && fsync(file) == 0;
    enum punkt_status status = done ? PUNKT_OK : file_failed(failure, folder, "synced");
    if (file >= 0)
        (void)close(file);
    return status;
}

/* A certificate and its key as two files; neither is left alone if the other cannot be made. */
static enum punkt_status pair_make(struct folder_path certificate_path, X509 *certificate,
                                   struct folder_path key_path, EVP_PKEY *key, struct failure *failure)
{
    BIO *public = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_secmem());
    enum punkt_status status = PUNKT_OK;
    if (public == NULL || secret == NULL || PEM_write_bio_X509(public, certificate) != 1 ||
        PEM_write_bio_PKCS8PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) != 1)
        status = ca_refused(failure, PUNKT_NO_MEMORY, "there is no memory for a certificate");
    if (status == PUNKT_OK)
        status = file_make(key_path.text, 0600, secret, failure);
    if (status == PUNKT_OK) {
        status = file_make(certificate_path.text, 0644, public, failure);
        if (status != PUNKT_OK)
            (void)unlink(key_path.text);
    }
    BIO_free(public);
    BIO_free(secret);
    return status;
}

/* A key and a certificate for the server. */
static enum punkt_status server_make(struct folder_path certificate_path, struct folder_path key_path,
                                     X509 *ca, EVP_PKEY *ca_key, GENERAL_NAMES *names, utc_us now,
                                     struct failure *failure)
{
    struct ca_wanted wanted = { .common_name = "punktd",
                                .issuer = ca,
                                .key = ca_key_make(),
                                .signing_key = ca_key,
                                .days = CA_SERVER_DAYS,
                                .usage = "serverAuth",
                                .names = names };
    X509 *certificate = wanted.key != NULL ? ca_certificate_make(&wanted, now) : NULL;
    enum punkt_status status =
        certificate != NULL ? pair_make(certificate_path, certificate, key_path, wanted.key, failure)
                            : ca_refused(failure, PUNKT_NO_MEMORY, "the server's certificate cannot be made");
    X509_free(certificate);
    EVP_PKEY_free(wanted.key);
    return status;
}

/* Nothing is begun where something is in the way. */
static enum punkt_status folder_is_free(const char *folder, struct failure *failure)
{
    static const char *const files[] = { "ca.pem", "ca.key", "server.pem", "server.key" };
    if (strlen(folder) > PATH_BYTES - 32) {
        failure_set(failure, "the name of the folder is too long");
        return PUNKT_INVALID;
    }
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct stat status;
        struct folder_path path = path_in(folder, files[i]);
        if (lstat(path.text, &status) == 0) {
            errno = EEXIST;
            return file_failed(failure, path.text, "made");
        }
    }
    return PUNKT_OK;
}

/* Two CAs do not have one name: a certificate of the one is looked for under the other's by nobody. */
static X509 *root_make(EVP_PKEY *key, utc_us now)
{
    uint8_t random[4];
    char name[32];
    if (key == NULL || RAND_bytes(random, sizeof(random)) != 1)
        return NULL;
    (void)snprintf(name, sizeof(name), "Punkt CA %02x%02x%02x%02x", random[0], random[1], random[2],
                   random[3]);
    struct ca_wanted wanted = { .common_name = name, .key = key, .signing_key = key, .days = CA_DAYS };
    return ca_certificate_make(&wanted, now);
}

enum punkt_status ca_make(const char *folder, const char *const *names, uint32_t name_count, utc_us now,
                          struct failure *failure)
{
    GENERAL_NAMES *server_names = NULL;
    EVP_PKEY *key = NULL;
    X509 *root = NULL;
    enum punkt_status status = folder_is_free(folder, failure);
    if (status == PUNKT_OK)
        status = names_of(names, name_count, &server_names, failure);
    if (status == PUNKT_OK && ((key = ca_key_make()) == NULL || (root = root_make(key, now)) == NULL))
        status = ca_refused(failure, PUNKT_NO_MEMORY, "the certificate of the CA cannot be made");
    struct folder_path root_path = path_in(folder, "ca.pem"), key_path = path_in(folder, "ca.key");
    if (status == PUNKT_OK)
        status = pair_make(root_path, root, key_path, key, failure);
    if (status == PUNKT_OK) {
        status = server_make(path_in(folder, "server.pem"), path_in(folder, "server.key"), root, key,
                             server_names, now, failure);
        if (status != PUNKT_OK) {
            (void)unlink(root_path.text);
            (void)unlink(key_path.text);
        }
    }
    if (status == PUNKT_OK)
        status = folder_sync(folder, failure);
    GENERAL_NAMES_free(server_names);
    X509_free(root);
    EVP_PKEY_free(key);
    return status;
}

/* The key first: if we end between the two, the old certificate is refused with it, and another renewal makes both fit. */
static enum punkt_status pair_replace(const char *folder, struct failure *failure)
{
    static const char *const files[][2] = { { "server.key.new", "server.key" },
                                            { "server.pem.new", "server.pem" } };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct folder_path from = path_in(folder, files[i][0]), to = path_in(folder, files[i][1]);
        if (rename(from.text, to.text) != 0)
            return file_failed(failure, to.text, "replaced");
    }
    return folder_sync(folder, failure);
}

enum punkt_status ca_renew_server(const char *folder, const char *const *names, uint32_t name_count,
                                  utc_us now, struct failure *failure)
{
    if (strlen(folder) > PATH_BYTES - 32) {
        failure_set(failure, "the name of the folder is too long");
        return PUNKT_INVALID;
    }
    enum punkt_status status = PUNKT_INVALID;
    GENERAL_NAMES *server_names = NULL;
    X509 *old = NULL, *root = ca_certificate_load(path_in(folder, "ca.pem").text, failure);
    EVP_PKEY *key = root != NULL ? ca_key_load(path_in(folder, "ca.key").text, failure) : NULL;
    struct folder_path new_pem = path_in(folder, "server.pem.new"),
                       new_key = path_in(folder, "server.key.new");
    if (key == NULL)
        goto out;
    if (name_count > 0) {
        status = names_of(names, name_count, &server_names, failure);
    } else if ((old = ca_certificate_load(path_in(folder, "server.pem").text, failure)) != NULL) {
        server_names = X509_get_ext_d2i(old, NID_subject_alt_name, NULL, NULL);
        status = server_names != NULL
                     ? PUNKT_OK
                     : ca_refused(failure, PUNKT_INVALID, "server.pem has no names that could be taken over");
    }
    if (status == PUNKT_OK && X509_check_private_key(root, key) != 1)
        status = ca_refused(failure, PUNKT_INVALID, "ca.key is not the key of ca.pem");
    if (status != PUNKT_OK)
        goto out;
    (void)unlink(new_pem.text); /* of a renewal that ended halfway */
    (void)unlink(new_key.text);
    status = server_make(new_pem, new_key, root, key, server_names, now, failure);
    if (status == PUNKT_OK)
        status = pair_replace(folder, failure);
out:
    GENERAL_NAMES_free(server_names);
    X509_free(old);
    X509_free(root);
    EVP_PKEY_free(key);
    return status;
}
