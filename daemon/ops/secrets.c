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
#define PEPPER_DIGITS 64

struct secrets_text {
    char pin_pepper[PEPPER_DIGITS + 1];
};

static const struct schema_row secrets_schema[] = {
    { .key = "pin_pepper",
      .form = SCHEMA_TEXT,
      .required = true,
      .offset = offsetof(struct secrets_text, pin_pepper),
      .min = PEPPER_DIGITS,
      .max = PEPPER_DIGITS },
};
static const struct schema_table secrets_table = { "", "this", secrets_schema, COUNT_OF(secrets_schema) };

static int digit_value(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = digit == '\0' ? NULL : strchr(digits, digit);
    return at == NULL ? -1 : (int)(at - digits);
}

static bool pepper_from(const char *digits, uint8_t out[32])
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

static enum punkt_status secrets_parse(const char *path, struct text yaml, struct secrets *out,
                                       struct failure *failure)
{
    struct problems problems = { .count = 0 };
    struct schema_run run = { .file = path, .problems = &problems };
    struct secrets_text text = { "" };
    struct yaml_document *document;
    enum punkt_status status = document_parse(yaml, path, &document, &problems);
    if (status == PUNKT_OK) {
        schema_read(&run, &secrets_table, document_root(document), &text);
        document_free(document);
    }
    if (problems.count > 0) {
        failure_set(failure, "the secrets are not used: %s", problems.texts[0]);
        return PUNKT_INVALID;
    }
    if (status == PUNKT_OK && !pepper_from(text.pin_pepper, out->pin_pepper)) {
        failure_set(failure, "the secrets %s: pin_pepper must be 64 digits of 0-9 and a-f", path);
        status = PUNKT_INVALID;
    }
    return status;
}

/* Whole, on disk, or not at all: nobody's PIN would be right again if it came back as another. */
static enum punkt_status secrets_make(const char *path, struct secrets *out, struct failure *failure)
{
    char text[128];
    size_t size = (size_t)snprintf(text, sizeof(text), "pin_pepper: ");
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool done = file >= 0 &&
                getrandom(out->pin_pepper, sizeof(out->pin_pepper), 0) == (ssize_t)sizeof(out->pin_pepper);
    for (size_t i = 0; i < sizeof(out->pin_pepper); i++)
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%02x", out->pin_pepper[i]);
    size += (size_t)snprintf(text + size, sizeof(text) - size, "\n...\n");
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
    if (stat(path, &status_of) == 0 && (status_of.st_mode & 077) != 0) {
        failure_set(failure, "the secrets file %s may be read by others; run: chmod 600 %s", path, path);
        status = PUNKT_INVALID;
    } else {
        status = secrets_parse(path, (struct text){ data, size }, out, failure);
    }
    explicit_bzero(data, size);
    free(data);
    return status;
}
