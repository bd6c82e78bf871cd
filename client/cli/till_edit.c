/*
 * The line that is typed: libedit, with history and completion. While it waits for a key the handle is driven, so that
 * the queue drains before the typist's eyes.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include <histedit.h>

#include "cli/parse.h"
#include "cli/till.h"

#define HISTORY_MAX 500
#define PROMPT_SIZE 160

struct till_edit {
    EditLine *line;
    History *history;
    char prompt[PROMPT_SIZE];
    bool typing;              /* the prompt is on the screen */
    bool bare;                /* the last thing printed above it did not end its line */
    char kept[PATH_MAX + 16]; /* the history's file, beside the outbox */
};

static struct till *till_of(EditLine *line)
{
    struct till *till = NULL;
    (void)el_get(line, EL_CLIENTDATA, &till);
    return till;
}

/* "290000... 12.30 [down, 3 wait] > ": whose receipt, what it costs, how the link is. */
static char *prompt(EditLine *line)
{
    struct till *till = till_of(line);
    struct punkt_outbox_info outbox = { .size = sizeof(outbox) };
    char *out = till->edit->prompt;
    char amount[POINTS_TEXT_SIZE];
    char queue[48] = "";
    enum punkt_link_state state = punkt_link_state(till->cli->punkt);
    bool up = state == PUNKT_LINK_UP;
    const char *before = !till->colour ? "" : up ? "\1\33[32m\1" : "\1\33[31m\1";
    const char *behind = till->colour ? "\1\33[0m\1" : "";
    punkt_outbox_info(till->cli->punkt, &outbox);
    if (outbox.queued > 0)
        (void)snprintf(queue, sizeof(queue), ", %llu wait", (unsigned long long)outbox.queued);
    (void)snprintf(out, PROMPT_SIZE, "%s%s%s [%s%s%s%s] > ", till->sale.card,
                   till->sale.card[0] != '\0' ? " " : "", till_amount(till, till->sale.total, amount), before,
                   punkt_link_state_name(state), queue, behind);
    return out;
}

/* The prompt says another thing than what stands on the screen. */
static bool prompt_changed(struct till *till)
{
    char shown[PROMPT_SIZE];
    memcpy(shown, till->edit->prompt, sizeof(shown));
    return strcmp(shown, prompt(till->edit->line)) != 0;
}

void till_edit_say(struct till *till, const char *text)
{
    struct till_edit *edit = till->edit;
    FILE *out = till->cli->out;
    if (edit->typing && !edit->bare)
        (void)fputs("\r\33[K", out);
    (void)fputs(text, out);
    edit->bare = text[0] != '\0' && text[strlen(text) - 1] != '\n';
    (void)fflush(out);
    if (edit->typing && !edit->bare)
        (void)el_set(edit->line, EL_REFRESH);
}

/* Waits for a key, and meanwhile drives the handle. False: there will be none. */
static bool wait_key(struct till *till)
{
    for (;;) {
        struct punkt *punkt = till->cli->punkt;
        int wanted = punkt_wanted(punkt);
        struct pollfd polled[] = {
            { .fd = STDIN_FILENO, .events = POLLIN },
            { .fd = punkt_fd(punkt),
              .events = (short)(((wanted & PUNKT_WANT_READ) != 0 ? POLLIN : 0) |
                                ((wanted & PUNKT_WANT_WRITE) != 0 ? POLLOUT : 0)) },
        };
        if (poll(polled, 2, punkt_timeout_ms(punkt)) < 0 && errno != EINTR)
            return false;
        (void)punkt_process(punkt);
        if (prompt_changed(till))
            (void)el_set(till->edit->line, EL_REFRESH);
        if (polled[0].revents != 0)
            return true;
    }
}

/* One character, which may be several bytes. */
static int read_char(EditLine *line, wchar_t *out)
{
    mbstate_t state = { 0 };
    for (;;) {
        char byte;
        if (!wait_key(till_of(line)))
            return -1;
        ssize_t got = read(STDIN_FILENO, &byte, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return (int)got;
        size_t used = mbrtowc(out, &byte, 1, &state);
        if (used == (size_t)-1)
            memset(&state, 0, sizeof(state)); /* no character: the next byte may begin one */
        else if (used != (size_t)-2)
            return 1;
    }
}

/* Completes the word at the cursor, as far as all that fit agree; rings where nothing does. */
static unsigned char complete(EditLine *line, int key)
{
    const LineInfo *info = el_line(line);
    char typed[TILL_LINE_MAX];
    char common[TILL_CODE_SIZE] = "";
    size_t size = (size_t)(info->cursor - info->buffer);
    size_t fits = 0;
    size_t index = 0;
    (void)key;
    if (size >= sizeof(typed))
        return CC_ERROR;
    memcpy(typed, info->buffer, size);
    typed[size] = '\0';
    char *word = strrchr(typed, ' ');
    bool second = word != NULL;
    if (second)
        *word++ = '\0';
    else
        word = typed;
    for (const char *name; (name = till_complete(second ? typed : NULL, word, &index)) != NULL; fits++) {
        size_t same = 0;
        while (fits > 0 && common[same] != '\0' && common[same] == name[same])
            same++;
        if (fits == 0)
            (void)snprintf(common, sizeof(common), "%s", name);
        else
            common[same] = '\0';
    }
    size_t have = strlen(word);
    if (fits == 0 || strlen(common) < have)
        return CC_ERROR;
    if (fits == 1 && strlen(common) + 1 < sizeof(common))
        (void)strcat(common, " ");
    return el_insertstr(line, common + have) == 0 && strlen(common) > have ? CC_REFRESH : CC_ERROR;
}

static bool open_edit(struct till *till, struct till_edit *edit)
{
    HistEvent event;
    (void)snprintf(edit->kept, sizeof(edit->kept), "%s.history", till->outbox);
    edit->history = history_init();
    edit->line = el_init("punkt", stdin, stdout, stderr);
    if (edit->line == NULL || edit->history == NULL)
        return false;
    (void)history(edit->history, &event, H_SETSIZE, HISTORY_MAX);
    (void)history(edit->history, &event, H_SETUNIQUE, 1);
    (void)history(edit->history, &event, H_LOAD, edit->kept);
    (void)el_set(edit->line, EL_CLIENTDATA, till);
    (void)el_set(edit->line, EL_EDITOR, "emacs");
    (void)el_set(edit->line, EL_SIGNAL, 1);
    (void)el_set(edit->line, EL_HIST, history, edit->history);
    (void)el_set(edit->line, EL_PROMPT_ESC, prompt, '\1');
    (void)el_set(edit->line, EL_GETCFN, read_char);
    /* Of the narrow form libedit would keep copies that it never frees. */
    (void)el_wset(edit->line, EL_ADDFN, L"punkt-complete", L"completes a word", complete);
    (void)el_set(edit->line, EL_BIND, "^I", "punkt-complete", NULL);
    (void)el_set(edit->line, EL_BIND, "^R", "em-inc-search-prev", NULL);
    return true;
}

static void close_edit(struct till_edit *edit)
{
    HistEvent event;
    if (edit->line != NULL)
        el_end(edit->line);
    if (edit->history == NULL)
        return;
    (void)history(edit->history, &event, H_SAVE, edit->kept);
    history_end(edit->history);
}

int till_type(struct till *till)
{
    struct till_edit edit = { .typing = false };
    HistEvent event;
    int exit_code = CLI_OK;
    if (!open_edit(till, &edit)) {
        close_edit(&edit);
        return cli_error(till->cli, CLI_FAILED, "no_terminal", "the terminal cannot be used");
    }
    till->edit = &edit;
    till_say(till, "Store %s, till %s. help lists the words, quit ends.\n", till->store, till->name);
    while (!till->ended) {
        int size = 0;
        edit.typing = true;
        (void)el_set(edit.line, EL_PREP_TERM,
                     1); /* before the prompt: then what is typed at it is seen here first */
        const char *line = el_gets(edit.line, &size);
        edit.typing = false;
        if (line == NULL || size <= 0)
            break;
        if (line[strspn(line, " \t\r\n")] != '\0')
            (void)history(edit.history, &event, H_ENTER, line);
        (void)till_do(till, line);
    }
    till->edit = NULL;
    close_edit(&edit);
    return exit_code;
}
