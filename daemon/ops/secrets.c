#include "ops/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ops/document.h"
#include "ops/schema.h"
#include "ops/text_file.h"

#define SECRETS_BYTES_MAX 4096
#define SECRET_DIGITS 64

struct secrets_text {
    char pin_pepper[SECRET_DIGITS + 1];
    char psk_masters[SECRETS_PSK_MASTERS_MAX][SECRET_DIGITS + 1];
};

#define MASTER(number)                                                                                       \
    {                                                                                                        \
        .key = "psk_master_" #number, .form = SCHEMA_TEXT,                                                   \
        .offset = offsetof(struct secrets_text, psk_masters[(number)-1]), .min = SECRET_DIGITS,              \
        .max = SECRET_DIGITS                                                                                 \
    }

static const struct schema_row secrets_schema[] = {
    { .key = "pin_pepper",
      .form = SCHEMA_TEXT,
      .required = true,
      .offset = offsetof(struct secrets_text, pin_pepper),
      .min = SECRET_DIGITS,
      .max = SECRET_DIGITS },
    MASTER(1),
    MASTER(2),
    MASTER(3),
    MASTER(4),
    MASTER(5),
    MASTER(6),
    MASTER(7),
    MASTER(8),
};
static const struct schema_table secrets_table = { "", "this", secrets_schema, COUNT_OF(secrets_schema) };

static int digit_value(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = digit == '\0' ? NULL : strchr(digits, digit);
    return at == NULL ? -1 : (int)(at - digits);
}

static bool secret_from(const char *digits, uint8_t out[32])
{
    for (size_t i = 0; i < 32; i++) {
        int high = digit_value(digits[2 * i]);
        int low = digit_value(digits[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* Texts of the file do not outlive the reading of it. */
static void wipe_texts(const struct document_node *map)
{
    if (map->kind != DOCUMENT_MAP)
        return;
    for (const struct document_node *node = map->first; node != NULL; node = node->next) {
        if (node->kind == DOCUMENT_TEXT)
            explicit_bzero((char *)(uintptr_t)node->text.data, node->text.size);
    }
}

static bool secrets_from(const struct secrets_text *text, struct secrets *out)
{
    out->psk_masters_known = 0;
    bool good = secret_from(text->pin_pepper, out->pin_pepper);
    for (uint32_t i = 0; i < SECRETS_PSK_MASTERS_MAX; i++) {
        if (text->psk_masters[i][0] == '\0')
            continue;
        out->psk_masters_known |= UINT32_C(1) << i;
        good = good && secret_from(text->psk_masters[i], out->psk_masters[i]);
    }
    return good;
}

static enum punkt_status secrets_parse(const char *path, struct text yaml, struct secrets *out,
                                       struct failure *failure)
{
    struct problems problems = { .count = 0 };
    struct schema_run run = { .file = path, .problems = &problems };
    struct secrets_text text = { .pin_pepper = "" };
    struct yaml_document *document;
    enum punkt_status status = document_parse(yaml, path, &document, &problems);
    if (status == PUNKT_OK) {
        schema_read(&run, &secrets_table, document_root(document), &text);
        wipe_texts(document_root(document));
        document_free(document);
    }
    if (status == PUNKT_NO_MEMORY) {
        failure_set(failure, "there is no memory to read the secrets %s", path);
    } else if (problems.count > 0 || (status == PUNKT_OK && !secrets_from(&text, out))) {
        /* Where, and not what stands there: these words go to the log. */
        failure_set(
            failure,
            "the secrets are not used: %s:%u: the keys are pin_pepper, which must be there, and psk_master_1 to "
            "psk_master_8; each is 64 digits of 0-9 and a-f, and the last line is \"...\"",
            path, problems.count > 0 ? problems.places[0].line : 1);
        status = PUNKT_INVALID;
    }
    explicit_bzero(&text, sizeof(text));
    return status;
}

/* A line of the file; returns its size. */
static size_t secret_line(char *out, size_t capacity, const char *key, const uint8_t secret[32])
{
    size_t size = (size_t)snprintf(out, capacity, "%s: ", key);
    for (size_t i = 0; i < 32; i++)
        size += (size_t)snprintf(out + size, capacity - size, "%02x", secret[i]);
    return size + (size_t)snprintf(out + size, capacity - size, "\n");
}

/* Whole, on disk, or not at all: nobody's PIN would be right again if it came back as another. */
static enum punkt_status secrets_make(const char *path, struct secrets *out, struct failure *failure)
{
    char text[256];
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool done = file >= 0 &&
                getrandom(out->pin_pepper, sizeof(out->pin_pepper), 0) == (ssize_t)sizeof(out->pin_pepper) &&
                getrandom(out->psk_masters[0], sizeof(out->psk_masters[0]), 0) ==
                    (ssize_t)sizeof(out->psk_masters[0]);
    out->psk_masters_known = 1;
    size_t size = secret_line(text, sizeof(text), "pin_pepper", out->pin_pepper);
    size += secret_line(text + size, sizeof(text) - size, "psk_master_1", out->psk_masters[0]);
    size += (size_t)snprintf(text + size, sizeof(text) - size, "...\n");
    done = done && write(file, text, size) == (ssize_t)size && fsync(file) == 0;
    explicit_bzero(text, sizeof(text));
    int reason = errno;
    if (file >= 0 && close(file) != 0)
        done = false;
    if (done)
        return PUNKT_OK;
    if (file >= 0)
        (void)unlink(path);
    failure_set(failure, "the secrets file %s cannot be made: %s", path, strerror(reason));
    return PUNKT_IO;
}

enum punkt_status secrets_load(const char *path, struct secrets *out, struct failure *failure)
{
    struct stat status_of;
    struct failure reason;
    char *data;
    size_t size;
    if (stat(path, &status_of) != 0 && errno == ENOENT)
        return secrets_make(path, out, failure);
    if (text_file_read(path, SECRETS_BYTES_MAX, &data, &size, &reason) != PUNKT_OK) {
        failure_set(failure, "the secrets file %s cannot be read: %s", path, reason.text);
        return PUNKT_IO;
    }
    enum punkt_status status;
    bool known = stat(path, &status_of) == 0;
    /* What root owns and lets us read by a group or an access list (systemd's credentials), root means so. */
    mode_t others = known && status_of.st_uid == 0 && geteuid() != 0 ? 007 : 077;
    if (known && (status_of.st_mode & others) != 0) {
        failure_set(failure, "the secrets file %s may be read by others; run: chmod 600 %s", path, path);
        status = PUNKT_INVALID;
    } else {
        status = secrets_parse(path, (struct text){ data, size }, out, failure);
    }
    explicit_bzero(data, size);
    free(data);
    return status;
}
