#include "lib/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/address.h"

#define PATH_SHOWN "%.150s"

static enum punkt_call no_memory(char *why)
{
    (void)snprintf(why, IDENTITY_WHY_SIZE, "no memory");
    return PUNKT_CALL_NO_MEMORY;
}

/* Says what is wrong; always PUNKT_CALL_INVALID. */
__attribute__((format(printf, 2, 3))) static enum punkt_call wrong(char *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why, IDENTITY_WHY_SIZE, format, arguments);
    va_end(arguments);
    return PUNKT_CALL_INVALID;
}

void identity_init(struct identity *identity, const struct heap *heap)
{
    memset(identity, 0, sizeof(*identity));
    identity->heap = heap;
    identity->key.heap = heap;
    identity->certificate.heap = heap;
    identity->ca.heap = heap;
    buffer_mark_secret(&identity->key);
}

void identity_done(struct identity *identity)
{
    buffer_done(&identity->key);
    buffer_done(&identity->certificate);
    buffer_done(&identity->ca);
    OPENSSL_cleanse(identity->psk_key, sizeof(identity->psk_key));
    identity->psk_key_known = false;
}

bool identity_proves(const struct identity *identity)
{
    return identity->psk_identity[0] != '\0' || buffer_size(&identity->certificate) > 0;
}

/* --- files --- */

/* A key that others can read is nobody's. */
static enum punkt_call check_private(const struct stat *status, const char *path, char *why)
{
    if (status->st_uid != geteuid())
        return wrong(why, PATH_SHOWN " belongs to another user: chown it to who runs this program", path);
    if ((status->st_mode & 07177) != 0)
        return wrong(why, PATH_SHOWN " can be read by others: chmod 600 " PATH_SHOWN, path, path);
    return PUNKT_CALL_DONE;
}

static enum punkt_call read_open(int fd, const char *path, struct buffer *out, char *why)
{
    size_t left = IDENTITY_FILE_MAX + 1;
    if (!buffer_reserve(out, left))
        return no_memory(why);
    while (left > 0) {
        ssize_t got = read(fd, out->bytes + out->end, left);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return wrong(why, PATH_SHOWN ": %s", path, strerror(errno));
        if (got == 0)
            return PUNKT_CALL_DONE;
        out->end += (size_t)got;
        left -= (size_t)got;
    }
    return wrong(why, PATH_SHOWN " is larger than %zu bytes", path, IDENTITY_FILE_MAX);
}

enum punkt_call identity_read_file(const char *path, bool secret, struct buffer *out, char *why)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not make anybody wait */
    if (fd < 0)
        return wrong(why, PATH_SHOWN ": %s", path, strerror(errno));
    enum punkt_call read = PUNKT_CALL_DONE;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        read = wrong(why, PATH_SHOWN " is no file", path);
    else if (secret)
        read = check_private(&status, path, why);
    if (read == PUNKT_CALL_DONE)
        read = read_open(fd, path, out, why);
    (void)close(fd);
    return read;
}

/* --- lines --- */

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

bool identity_psk_key(const char *text, uint8_t out_key[IDENTITY_PSK_KEY_SIZE])
{
    uint8_t key[IDENTITY_PSK_KEY_SIZE];
    bool good = strlen(text) == 2 * sizeof(key);
    for (size_t i = 0; good && i < sizeof(key); i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);
        good = high >= 0 && low >= 0;
        key[i] = good ? (uint8_t)(high << 4 | low) : 0;
    }
    if (good)
        memcpy(out_key, key, sizeof(key));
    OPENSSL_cleanse(key, sizeof(key));
    return good;
}

/* The texts of the file, as they stand in it; code: it must be one. */
struct text_line {
    const char *name;
    size_t offset, size; /* of the member */
    bool code;
};

#define TEXT_LINE(name, code)                                                                                \
    {                                                                                                        \
#name, offsetof(struct identity, name), sizeof(((struct identity *)NULL)->name), code                \
    }
static const struct text_line text_lines[] = {
    TEXT_LINE(server, false),       TEXT_LINE(server_name, false), TEXT_LINE(store, true),
    TEXT_LINE(till, true),          TEXT_LINE(name, true),         TEXT_LINE(role, true),
    TEXT_LINE(psk_identity, false),
};
#define TEXT_LINES (sizeof(text_lines) / sizeof(text_lines[0]))

/* Where a file is being read, for its words. */
struct place {
    const char *path;
    unsigned line;
    char *why;
};

#define WRONG_AT(place, format, ...)                                                                         \
    wrong((place)->why, PATH_SHOWN ":%u: " format, (place)->path, (place)->line, __VA_ARGS__)

static enum punkt_call take_value(struct identity *identity, const struct place *place, const char *name,
                                  const char *value)
{
    struct wire_code code;
    size_t size = strlen(value);
    if (strcmp(name, "psk_key") == 0) {
        if (identity->psk_key_known || !identity_psk_key(value, identity->psk_key))
            return WRONG_AT(place, "%s is said once, as 64 hexadecimal digits", name);
        identity->psk_key_known = true;
        return PUNKT_CALL_DONE;
    }
    for (size_t i = 0; i < TEXT_LINES; i++) {
        const struct text_line *line = &text_lines[i];
        char *out = (char *)identity + line->offset;
        if (strcmp(name, line->name) != 0)
            continue;
        if (*out != '\0')
            return WRONG_AT(place, "%s stands here for the second time", name);
        if (size == 0 || size >= line->size || !wire_utf8_valid(value, size) ||
            (line->code && !wire_code_from(value, size, &code)))
            return WRONG_AT(place, "%s is empty, too long, or no text", name);
        memcpy(out, value, size + 1);
        return PUNKT_CALL_DONE;
    }
    return WRONG_AT(place, "an identity file has no \"%.40s\"", name);
}

/* "name: value"; line is cut in place. */
static enum punkt_call take_line(struct identity *identity, const struct place *place, char *line)
{
    char *colon = strchr(line, ':');
    if (*line == '\0' || *line == '#')
        return PUNKT_CALL_DONE;
    if (colon == NULL)
        return WRONG_AT(place, "a line is \"%s\", or part of a PEM block", "name: value");
    *colon = '\0';
    return take_value(identity, place, line, colon + 1 + strspn(colon + 1, " \t"));
}

/* --- PEM blocks --- */

#define PEM_BEGIN "-----BEGIN "
#define PEM_END "-----END "

/* Where the block that begins with this line goes; NULL: it is no place for one. */
static struct buffer *block_for(struct identity *identity, const char *line)
{
    static const char *const keys[] = { PEM_BEGIN "PRIVATE KEY-----", PEM_BEGIN "EC PRIVATE KEY-----" };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (strcmp(line, keys[i]) == 0)
            return buffer_size(&identity->key) == 0 ? &identity->key : NULL;
    }
    if (strcmp(line, PEM_BEGIN "CERTIFICATE-----") != 0)
        return NULL;
    return buffer_size(&identity->certificate) == 0 ? &identity->certificate : &identity->ca;
}

/* Takes the next line off the text, without its end, and with NUL. NULL: there is none. */
static char *next_line(char **text)
{
    char *line = *text;
    if (*line == '\0')
        return NULL;
    size_t size = strcspn(line, "\n");
    *text = line + size + (line[size] == '\n' ? 1 : 0);
    while (size > 0 && line[size - 1] == '\r')
        size--;
    line[size] = '\0';
    return line;
}

static enum punkt_call take_block(struct identity *identity, struct place *place, char *line, char **text)
{
    struct buffer *block = block_for(identity, line);
    unsigned began = place->line;
    if (block == NULL)
        return WRONG_AT(
            place, "an identity file has one private key, then certificates, but no other \"%.60s\"", line);
    while (line != NULL) {
        if (!buffer_append(block, line, strlen(line)) || !buffer_append(block, "\n", 1))
            return no_memory(place->why);
        if (strncmp(line, PEM_END, strlen(PEM_END)) == 0)
            return PUNKT_CALL_DONE;
        line = next_line(text);
        place->line++;
    }
    place->line = began;
    return WRONG_AT(place, "the PEM block has no %s", "end");
}

static enum punkt_call take_text(struct identity *identity, const char *path, char *text, char *why)
{
    struct place place = { .path = path, .why = why };
    enum punkt_call taken = PUNKT_CALL_DONE;
    char *line;
    while (taken == PUNKT_CALL_DONE && (line = next_line(&text)) != NULL) {
        place.line++;
        if (strncmp(line, PEM_BEGIN, strlen(PEM_BEGIN)) == 0)
            taken = take_block(identity, &place, line, &text);
        else
            taken = take_line(identity, &place, line);
    }
    return taken;
}

/* --- the file, and the options --- */

/* What is there must go together. where: the file, or the options. */
static enum punkt_call check_whole(const struct identity *identity, const char *where, char *why)
{
    bool psk = identity->psk_identity[0] != '\0';
    bool blocks = buffer_size(&identity->key) > 0 || buffer_size(&identity->certificate) > 0 ||
                  buffer_size(&identity->ca) > 0;
    const char *server = "";
    if (psk != identity->psk_key_known)
        return wrong(why, PATH_SHOWN ": psk_identity and psk_key go together", where);
    if (psk && blocks)
        return wrong(why, PATH_SHOWN ": either a pre-shared key or certificates, not both", where);
    if (blocks && (buffer_size(&identity->key) == 0 || buffer_size(&identity->certificate) == 0 ||
                   buffer_size(&identity->ca) == 0))
        return wrong(why,
                     PATH_SHOWN ": a private key, its certificate, and the one of the server's CA are needed",
                     where);
    if (identity->server[0] != '\0' && !address_check(identity->server, &server))
        return wrong(why, PATH_SHOWN ": server: %s", where, server);
    return PUNKT_CALL_DONE;
}

enum punkt_call identity_read(struct identity *identity, const char *path, char *why)
{
    struct buffer text = { .heap = identity->heap, .secret = true };
    enum punkt_call read = identity_read_file(path, true, &text, why);
    size_t size = buffer_size(&text);
    if (read == PUNKT_CALL_DONE && size > 0 && memchr(buffer_data(&text), '\0', size) != NULL)
        read = wrong(why, PATH_SHOWN " is no text", path);
    if (read == PUNKT_CALL_DONE && !buffer_append(&text, "", 1))
        read = no_memory(why);
    if (read == PUNKT_CALL_DONE)
        read = take_text(identity, path, (char *)buffer_data(&text), why);
    if (read == PUNKT_CALL_DONE)
        read = check_whole(identity, path, why);
    if (read == PUNKT_CALL_DONE && !identity_proves(identity))
        read = wrong(why, PATH_SHOWN " has neither a certificate nor a pre-shared key", path);
    (void)snprintf(identity->ca_path, sizeof(identity->ca_path), "%s", path);
    buffer_done(&text);
    return read;
}

static enum punkt_call choose_psk(struct identity *identity, const struct punkt_options *options, char *why)
{
    const char *name = options->psk_identity;
    if (name == NULL && options->psk_key == NULL)
        return PUNKT_CALL_DONE;
    if (options->certificate != NULL || options->key != NULL)
        return wrong(why, "either a pre-shared key or certificates, not both");
    if (name == NULL || *name == '\0' || strlen(name) > IDENTITY_PSK_NAME_MAX || options->psk_key == NULL ||
        !identity_psk_key(options->psk_key, identity->psk_key))
        return wrong(why, "psk_identity (up to %d bytes) and psk_key (64 hexadecimal digits) go together",
                     IDENTITY_PSK_NAME_MAX);
    memcpy(identity->psk_identity, name, strlen(name) + 1);
    identity->psk_key_known = true;
    buffer_clear(&identity->key);
    buffer_clear(&identity->certificate);
    buffer_clear(&identity->ca);
    return PUNKT_CALL_DONE;
}

static enum punkt_call choose_file(const char *path, bool secret, struct buffer *out, char *why)
{
    if (path == NULL)
        return PUNKT_CALL_DONE;
    buffer_clear(out);
    if (secret)
        buffer_mark_secret(out);
    return identity_read_file(path, false, out, why);
}

static enum punkt_call choose_files(struct identity *identity, const struct punkt_options *options, char *why)
{
    if (options->certificate != NULL || options->key != NULL) {
        identity->psk_identity[0] = '\0';
        identity->psk_key_known = false;
    }
    enum punkt_call chosen = choose_file(options->certificate, false, &identity->certificate, why);
    if (chosen == PUNKT_CALL_DONE)
        chosen = choose_file(options->key, true, &identity->key, why);
    if (chosen == PUNKT_CALL_DONE)
        chosen = choose_file(options->ca, false, &identity->ca, why);
    if (options->ca != NULL)
        (void)snprintf(identity->ca_path, sizeof(identity->ca_path), "%s", options->ca);
    return chosen;
}

enum punkt_call identity_choose(struct identity *identity, const struct punkt_options *options, char *why)
{
    enum punkt_call chosen = PUNKT_CALL_DONE;
    if (options->identity != NULL)
        chosen = identity_read(identity, options->identity, why);
    if (chosen == PUNKT_CALL_DONE)
        chosen = choose_files(identity, options, why);
    if (chosen == PUNKT_CALL_DONE)
        chosen = choose_psk(identity, options, why);
    const char *name = options->server_name;
    if (chosen == PUNKT_CALL_DONE && name != NULL && *name != '\0') {
        if (strlen(name) >= sizeof(identity->server_name) || !wire_utf8_valid(name, strlen(name)))
            return wrong(why, "server_name is too long, or no text");
        memcpy(identity->server_name, name, strlen(name) + 1);
    }
    return chosen == PUNKT_CALL_DONE ? check_whole(identity, "the options", why) : chosen;
}

/* --- writing --- */

static bool format_line(struct buffer *out, const char *name, const char *value)
{
    return *value == '\0' || (buffer_append(out, name, strlen(name)) && buffer_append(out, ": ", 2) &&
                              buffer_append(out, value, strlen(value)) && buffer_append(out, "\n", 1));
}

static bool format_block(struct buffer *out, const struct buffer *block)
{
    size_t size = buffer_size(block);
    return size == 0 || (buffer_append(out, buffer_data(block), size) &&
                         (buffer_data(block)[size - 1] == '\n' || buffer_append(out, "\n", 1)));
}

bool identity_format(const struct identity *identity, struct buffer *out)
{
    static const char head[] = "# An identity of Punkt. Whoever reads this can act under its name.\n";
    char key[2 * IDENTITY_PSK_KEY_SIZE + 1] = "";
    bool good = buffer_append(out, head, strlen(head));
    for (size_t i = 0; good && i < TEXT_LINES; i++)
        good = format_line(out, text_lines[i].name, (const char *)identity + text_lines[i].offset);
    for (size_t i = 0; identity->psk_key_known && i < IDENTITY_PSK_KEY_SIZE; i++)
        (void)snprintf(key + 2 * i, 3, "%02x", identity->psk_key[i]);
    good = good && format_line(out, "psk_key", key) && format_block(out, &identity->key) &&
           format_block(out, &identity->certificate) && format_block(out, &identity->ca);
    OPENSSL_cleanse(key, sizeof(key));
    return good;
}
