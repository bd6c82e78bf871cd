/*
 * The numbers of a till's receipts and of its returns' documents: they count upwards and are never used twice. The last
 * one stands in a small file beside the outbox, written before it is used. Where that file is lost, the outbox still
 * remembers what was booked lately.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <string.h>
#include <unistd.h>

#include "cli/parse.h"
#include "cli/request.h"
#include "cli/till.h"

#define SUFFIX_SIZE 16

static void path_of(const struct till *till, const char *suffix, char out[PATH_MAX + SUFFIX_SIZE])
{
    (void)snprintf(out, PATH_MAX + SUFFIX_SIZE, "%s%s", till->outbox, suffix);
}

static void take_higher(struct till *till, const struct wire_code *code)
{
    char text[TILL_CODE_SIZE];
    uint64_t number;
    memcpy(text, code->bytes, code->size);
    text[code->size] = '\0';
    if (parse_uint(text, 1, INT64_MAX, &number) && number > till->last_number)
        till->last_number = number;
}

/* What is in the outbox: receipts of purchases, documents of returns. */
static void scan_outbox(struct till *till)
{
    struct punkt_outbox_entry entry = { .size = sizeof(entry) };
    for (uint64_t i = 0; punkt_outbox_entry(till->cli->punkt, i, &entry); i++) {
        struct reply body;
        bool sale = entry.operation == PUNKT_OPERATION_PURCHASE;
        if ((!sale && entry.operation != PUNKT_OPERATION_RETURN) || entry.body == NULL ||
            !reply_read(sale ? MESSAGE_purchase_request : MESSAGE_return_request, entry.body, entry.body_size,
                        &body))
            continue;
        take_higher(till, sale ? &((const struct msg_purchase_request *)body.body)->receipt
                               : &((const struct msg_return_request *)body.body)->document);
        reply_done(&body);
    }
}

int till_numbers_open(struct till *till)
{
    char path[PATH_MAX + SUFFIX_SIZE];
    char text[32] = "";
    uint64_t number;
    path_of(till, ".receipts", path);
    FILE *file = fopen(path, "re");
    if (file == NULL && errno != ENOENT)
        return cli_error(till->cli, CLI_FAILED, "bad_file", "cannot read %s: %s", path, strerror(errno));
    if (file != NULL) {
        bool good = fgets(text, sizeof(text), file) != NULL;
        (void)fclose(file);
        text[strcspn(text, "\n")] = '\0';
        if (!good || !parse_uint(text, 1, INT64_MAX, &number))
            return cli_error(till->cli, CLI_FAILED, "bad_file", "%s does not hold the number of a receipt",
                             path);
        till->last_number = number;
    } else {
        scan_outbox(till);
    }
    return CLI_OK;
}

static bool sync_folder(const char *path)
{
    char folder[PATH_MAX + SUFFIX_SIZE];
    (void)snprintf(folder, sizeof(folder), "%s", path);
    int fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return good;
}

static bool put_number(int fd, uint64_t number)
{
    bool good = fd >= 0 && dprintf(fd, "%" PRIu64 "\n", number) > 0 && fsync(fd) == 0;
    if (fd >= 0)
        good = close(fd) == 0 && good;
    return good;
}

static bool write_number(const struct till *till, uint64_t number)
{
    char path[PATH_MAX + SUFFIX_SIZE];
    char next[PATH_MAX + SUFFIX_SIZE];
    path_of(till, ".receipts", path);
    path_of(till, ".receipts.new", next);
    if (put_number(open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), number))
        return rename(next, path) == 0 && sync_folder(path);
    /* A full disk must not stop a sale: in its old place there is room, for numbers never get shorter. */
    (void)unlink(next);
    return put_number(open(path, O_WRONLY | O_CLOEXEC), number);
}

int till_number(struct till *till, char out[TILL_NUMBER_SIZE])
{
    if (!write_number(till, till->last_number + 1))
        return till_fail(till, CLI_FAILED, "the number of the receipt cannot be kept: %s", strerror(errno));
    till->last_number++;
    (void)snprintf(out, TILL_NUMBER_SIZE, "%" PRIu64, till->last_number);
    return CLI_OK;
}
