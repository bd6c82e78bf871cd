#include "cli/pin.h"

#include <errno.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define CANCEL 3 /* ctrl-C, which signals nothing while a PIN is typed: the echo must come back */

void pin_wipe(struct pin *pin)
{
    explicit_bzero(pin, sizeof(*pin));
}

/* The first line, without its end. False if there is none, or it is too long. */
static bool read_line(int fd, struct pin *out)
{
    size_t size = 0;
    char byte;
    ssize_t got;
    while ((got = read(fd, &byte, 1)) == 1 && byte != '\n') {
        if (byte == '\0' || byte == CANCEL || size == sizeof(out->text) - 1)
            return false;
        out->text[size++] = byte;
    }
    if (size > 0 && out->text[size - 1] == '\r')
        size--;
    memset(out->text + size, 0, sizeof(out->text) - size);
    return got >= 0 && size > 0;
}

static int no_pin(struct cli *cli, const char *where)
{
    return cli_error(cli, CLI_USAGE, "usage", "the first line of %s is no PIN of 1 to %d bytes", where,
                     FRAME_SECRET_MAX);
}

int pin_from_options(struct cli *cli, const struct args *args, struct pin *out)
{
    const char *path = args->value[OPTION_PIN_FILE];
    bool from_input = args->value[OPTION_PIN_STDIN] != NULL || (path != NULL && strcmp(path, "-") == 0);
    memset(out, 0, sizeof(*out));
    if (args->value[OPTION_PIN_STDIN] != NULL && path != NULL)
        return cli_usage(cli, "--pin-file and --pin-stdin say the same thing");
    if (from_input)
        return read_line(STDIN_FILENO, out) ? CLI_OK : no_pin(cli, "the standard input");
    if (path == NULL)
        return CLI_OK;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return cli_error(cli, CLI_FAILED, "bad_file", "cannot read %s: %s", path, strerror(errno));
    bool good = read_line(fileno(file), out);
    (void)fclose(file);
    return good ? CLI_OK : no_pin(cli, path);
}

bool pin_askable(const struct cli *cli)
{
    return !cli->json && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static bool ask_once(struct cli *cli, const char *prompt, struct pin *out)
{
    struct termios before;
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return false;
    struct termios silent = before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    silent.c_lflag |= ICANON | ECHONL;
    silent.c_cc[VEOL] = CANCEL; /* or it would wait for a line end */
    /* What was typed before the question is no answer to it, and goes. */
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    (void)fprintf(cli->err, "%s: ", prompt);
    (void)fflush(cli->err);
    bool good = read_line(STDIN_FILENO, out);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    return good;
}

int pin_ask(struct cli *cli, bool repeated, struct pin *out)
{
    struct pin again = { .text = "" };
    int exit_code = CLI_OK;
    memset(out, 0, sizeof(*out));
    if (!ask_once(cli, repeated ? "New PIN" : "PIN", out))
        exit_code = no_pin(cli, "what was typed");
    else if (repeated && (!ask_once(cli, "The same again", &again) || strcmp(again.text, out->text) != 0))
        exit_code = cli_error(cli, CLI_USAGE, "usage", "these were two different PINs");
    pin_wipe(&again);
    if (exit_code != CLI_OK)
        pin_wipe(out);
    return exit_code;
}
