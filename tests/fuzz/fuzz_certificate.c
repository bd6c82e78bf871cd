/*
 * What strangers send to be signed or registered: signing requests in DER and certificates in PEM are read, or refused with a
 * reason. What is signed says of its key what the request said.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/ca.h"

#define NOW (INT64_C(1790000000) * US_PER_SECOND)

/* A CA in memory; its files are gone. */
static const struct ca *ca_of_all_inputs(void)
{
    static const char *const files[] = { "ca.pem", "ca.key", "server.pem", "server.key" };
    static struct ca *ca;
    char folder[] = "/tmp/punkt-fuzz-XXXXXX";
    char paths[COUNT_OF(files)][64];
    struct failure failure;
    if (ca != NULL)
        return ca;
    PUNKT_CHECK(mkdtemp(folder) != NULL);
    PUNKT_CHECK(ca_make(folder, NULL, 0, NOW, &failure) == PUNKT_OK);
    for (size_t i = 0; i < COUNT_OF(files); i++)
        (void)snprintf(paths[i], sizeof(paths[i]), "%s/%s", folder, files[i]);
    PUNKT_CHECK(ca_open(paths[0], paths[1], paths[2], &ca, &failure) == PUNKT_OK);
    for (size_t i = 0; i < COUNT_OF(files); i++)
        PUNKT_CHECK(unlink(paths[i]) == 0);
    PUNKT_CHECK(rmdir(folder) == 0);
    return ca;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char zeros[32];
    struct text text = { (const char *)data, size };
    struct failure failure = { "" };
    struct ca_signed made;
    uint8_t key[32] = { 0 };
    utc_us ends;
    enum punkt_status read = signing_request_read(text, key, &failure);
    PUNKT_CHECK((read == PUNKT_OK) == (failure.text[0] == '\0'));
    enum punkt_status done = ca_sign(ca_of_all_inputs(), text, "STORE/TILL", NOW, &made, &failure);
    PUNKT_CHECK(done != PUNKT_OK || (read == PUNKT_OK && memcmp(made.key, key, sizeof(key)) == 0));
    PUNKT_CHECK(done != PUNKT_OK ||
                certificate_read((struct text){ made.pem, made.size }, key, &ends, &failure) == PUNKT_OK);
    PUNKT_CHECK(done != PUNKT_OK || (memcmp(made.key, key, sizeof(key)) == 0 && ends == made.ends));
    memset(key, 0, sizeof(key));
    failure.text[0] = '\0';
    read = certificate_read(text, key, &ends, &failure);
    PUNKT_CHECK((read == PUNKT_OK) == (failure.text[0] == '\0'));
    PUNKT_CHECK((read == PUNKT_OK) == (memcmp(key, zeros, sizeof(key)) != 0));
    return 0;
}
