#include "till_list.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_SIZE 256

static const char *const kinds[TILL_KINDS] = { "purchase", "return",  "redeem", "hold",
                                               "capture",  "release", "void" };
static const char *const words[TILL_WORDS] = { "nothing",  "done",       "refused",  "queued",
                                               "not_sent", "not_stored", "cancelled" };

const char *till_kind_name(enum till_kind kind)
{
    return kinds[kind];
}

const char *till_word_name(enum till_word word)
{
    return words[word];
}

static bool find_name(const char *const names[], int count, const char *name, int *out)
{
    for (*out = 0; *out < count; (*out)++) {
        if (strcmp(names[*out], name) == 0)
            return true;
    }
    return false;
}

void till_card(unsigned index, char out_card[16])
{
    (void)snprintf(out_card, 16, "29%011u", index);
}

void till_document(const struct till_act *act, char out_document[24])
{
    (void)snprintf(out_document, 24, "%c%" PRIu64, act->kind == TILL_RETURN ? 'D' : 'R', act->seq);
}

struct till_act *till_list_act(const struct till_list *list, uint64_t seq)
{
    return seq >= 1 && seq <= list->count ? &list->acts[seq - 1] : NULL;
}

/* --- in memory --- */

static bool undoes(const struct till_act *act)
{
    return act->kind == TILL_RETURN || act->kind == TILL_VOID || act->kind == TILL_CAPTURE ||
           act->kind == TILL_RELEASE;
}

static bool add(struct till_list *list, const struct till_act *act)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity * 2 + 64;
        struct till_act *grown = realloc(list->acts, capacity * sizeof(*grown));
        if (grown == NULL)
            return false;
        list->acts = grown;
        list->capacity = capacity;
    }
    list->acts[list->count++] = *act;
    struct till_act *refers = till_list_act(list, act->refers);
    if (refers != NULL && undoes(act))
        refers->undone = true;
    return true;
}

static void tell(struct till_list *list, const struct till_act *told)
{
    struct till_act *act = till_list_act(list, told->seq);
    act->told = told->told;
    act->code = told->code;
    act->epoch = told->epoch;
    act->number = told->number;
    act->position = told->position;
    act->points = told->points;
    act->spent = told->spent;
}

/* --- reading --- */

static bool read_about(struct till_list *list, const char *line)
{
    struct till_act act = { .seq = 0 };
    char kind[16];
    int index;
    if (sscanf(line, "about %" SCNu64 " %15s card %u amount %" SCNd64 " refers %" SCNu64 " wish %" SCNd64,
               &act.seq, kind, &act.card, &act.amount, &act.refers, &act.wish) != 6 ||
        !find_name(kinds, TILL_KINDS, kind, &index) || act.seq != list->count + 1)
        return false;
    act.kind = (enum till_kind)index;
    return add(list, &act);
}

static bool read_told(struct till_list *list, const char *line)
{
    struct till_act act = { .seq = 0 };
    char word[16];
    int index;
    if (sscanf(line,
               "told %" SCNu64 " %15s code %" SCNu32 " epoch %" SCNu64 " number %" SCNu64 " position %" SCNu64
               " points %" SCNd64 " spent %" SCNd64,
               &act.seq, word, &act.code, &act.epoch, &act.number, &act.position, &act.points,
               &act.spent) != 8 ||
        !find_name(words, TILL_WORDS, word, &index) || act.seq != list->count || act.seq == 0)
        return false;
    act.told = (enum till_word)index;
    tell(list, &act);
    return true;
}

static bool read_line(struct till_list *list, const char *line)
{
    uint64_t seq;
    if (sscanf(line, "again %" SCNu64, &seq) != 1)
        return read_about(list, line) || read_told(list, line);
    if (seq != list->count || seq == 0)
        return false;
    list->acts[seq - 1].again = true;
    return true;
}

/* *out_whole: bytes of whole lines. */
static bool read_lines(struct till_list *list, FILE *file, off_t *out_whole)
{
    char line[LINE_SIZE];
    *out_whole = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        size_t size = strlen(line);
        if (line[size - 1] != '\n')
            break;
        *out_whole += (off_t)size;
        if (!read_line(list, line)) {
            (void)fprintf(stderr, "no line of a till's list: %s", line);
            return false;
        }
    }
    return true;
}

bool till_list_open(const char *path, bool append, struct till_list *out)
{
    off_t whole;
    *out = (struct till_list){ .fd = -1 };
    FILE *file = fopen(path, "re");
    bool good = file == NULL ? errno == ENOENT : read_lines(out, file, &whole);
    if (file == NULL)
        whole = 0;
    else
        (void)fclose(file);
    if (good && append) {
        out->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        good = out->fd >= 0 && ftruncate(out->fd, whole) == 0;
    }
    if (!good)
        till_list_close(out);
    return good;
}

void till_list_close(struct till_list *list)
{
    if (list->fd >= 0)
        (void)close(list->fd);
    free(list->acts);
    *list = (struct till_list){ .fd = -1 };
}

/* --- writing --- */

static bool write_line(const struct till_list *list, const char *line, int size)
{
    return size > 0 && size < LINE_SIZE && write(list->fd, line, (size_t)size) == size &&
           fdatasync(list->fd) == 0;
}

bool till_list_about(struct till_list *list, const struct till_act *act)
{
    char line[LINE_SIZE];
    int size =
        snprintf(line, sizeof(line),
                 "about %" PRIu64 " %s card %u amount %" PRId64 " refers %" PRIu64 " wish %" PRId64 "\n",
                 act->seq, kinds[act->kind], act->card, act->amount, act->refers, act->wish);
    return write_line(list, line, size) && add(list, act);
}

bool till_list_again(struct till_list *list, uint64_t seq)
{
    char line[LINE_SIZE];
    till_list_act(list, seq)->again = true;
    return write_line(list, line, snprintf(line, sizeof(line), "again %" PRIu64 "\n", seq));
}

bool till_list_told(struct till_list *list, const struct till_act *act)
{
    char line[LINE_SIZE];
    int size = snprintf(line, sizeof(line),
                        "told %" PRIu64 " %s code %" PRIu32 " epoch %" PRIu64 " number %" PRIu64
                        " position %" PRIu64 " points %" PRId64 " spent %" PRId64 "\n",
                        act->seq, words[act->told], act->code, act->epoch, act->number, act->position,
                        act->points, act->spent);
    if (!write_line(list, line, size))
        return false;
    tell(list, act);
    return true;
}
