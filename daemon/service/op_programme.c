/*
 * The programme: check, publish, roll back, history, show. Its versions are in programmes.c.
 */
#include <stdlib.h>
#include <string.h>

#include "ledger/fold.h"
#include "service/internal.h"

/* The limits of the lists and texts of programme_check_answer and programme_history_answer (messages.def). */
#define PROBLEMS_MAX 20
#define PROBLEM_BYTES 400
#define DIFFERENCES_MAX 500
#define DIFFERENCE_BYTES 600
#define VERSIONS_MAX 1000

/* What a check collects; the texts are copied behind each other. */
struct check {
    struct msg_programme_check_answer answer;
    struct msg_problem problems[PROBLEMS_MAX];
    struct msg_difference differences[DIFFERENCES_MAX];
    size_t used;
    char texts[PROBLEMS_MAX * PROBLEM_BYTES + DIFFERENCES_MAX * DIFFERENCE_BYTES];
};

/* Keeps a copy, cut to what a field takes, at the beginning of a character. */
static struct message_text keep(struct check *check, struct text text, size_t most)
{
    char *copy = check->texts + check->used;
    size_t size = text.size < most ? text.size : most;
    while (size < text.size && size > 0 && ((uint8_t)text.data[size] & 0xC0) == 0x80)
        size--;
    memcpy(copy, text.data, size);
    for (size_t i = 0; i < size; i++) {
        if ((uint8_t)copy[i] < 0x20 || copy[i] == 0x7F)
            copy[i] = ' ';
    }
    check->used += size;
    return (struct message_text){ copy, size };
}

static void note_problem(void *ctx, uint32_t line, uint32_t column, struct text what)
{
    struct check *check = ctx;
    if (check->answer.problems_count < PROBLEMS_MAX)
        check->problems[check->answer.problems_count++] =
            (struct msg_problem){ .line = line, .column = column, .text = keep(check, what, PROBLEM_BYTES) };
}

/* In the order of the text: readers look at some keys after others. */
static int problem_order(const void *a, const void *b)
{
    const struct msg_problem *one = a;
    const struct msg_problem *other = b;
    if (one->line != other->line)
        return one->line < other->line ? -1 : 1;
    return (one->column > other->column) - (one->column < other->column);
}

static void note_difference(void *ctx, struct text line)
{
    struct check *check = ctx;
    if (check->answer.differences_count < DIFFERENCES_MAX)
        check->differences[check->answer.differences_count++] =
            (struct msg_difference){ .text = keep(check, line, DIFFERENCE_BYTES) };
}

enum handled handle_programme_check(struct request *request)
{
    struct service *service = request->service;
    const struct msg_programme_check_request *message = &request->message->programme_check_request;
    struct text text = text_of_message(message->text);
    uint32_t version = message->version == 0 ? service->programme_count : (uint32_t)message->version;
    struct programme_record record;
    if (!fold_programme(ledger_fold(service->ledger), version, &record)) {
        refuse_read(request, RESULT_UNKNOWN_VERSION, "");
        return HANDLED;
    }
    struct check *check = calloc(1, sizeof(*check));
    if (check == NULL) {
        refuse_now(request, RESULT_BUSY, "out of memory");
        return HANDLED;
    }
    check->answer.version = version;
    check->answer.problems = check->problems;
    check->answer.differences = check->differences;
    service->options.programmes.check(text, note_problem, check);
    qsort(check->problems, check->answer.problems_count, sizeof(check->problems[0]), problem_order);
    if (check->answer.problems_count == 0)
        programme_against_first(service, text, note_problem, check);
    if (check->answer.problems_count == 0)
        service->options.programmes.diff(record.text, text, note_difference, check);
    union message_any answer;
    answer.programme_check_answer = check->answer;
    answer_read(request, &answer, ledger_newest(service->ledger));
    free(check);
    return HANDLED;
}

enum handled handle_programme_publish(struct request *request)
{
    struct service *service = request->service;
    const struct msg_programme_publish_request *message = &request->message->programme_publish_request;
    struct programme_record old = { .text = text_of_message(message->text) };
    if (message->version != 0 &&
        !fold_programme(ledger_fold(service->ledger), (uint32_t)message->version, &old)) {
        refuse(request, RESULT_UNKNOWN_VERSION, "");
        return HANDLED;
    }
    if (message->version != 0 && message->text.size > 0) {
        refuse(request, RESULT_INVALID_PROGRAMME, "either a version or a text");
        return HANDLED;
    }
    /* Publishing changes what the text of an old version is borrowed from. */
    char *copy = malloc(old.text.size + 1);
    if (copy == NULL) {
        refuse_now(request, RESULT_BUSY, "out of memory");
        return HANDLED;
    }
    if (old.text.size > 0) /* else there are no bytes to point to */
        memcpy(copy, old.text.data, old.text.size);
    struct text text = { copy, old.text.size };
    if (request_role(request) != ROLE_ADMIN && !programme_keeps_limits(service, text)) {
        refuse(request, RESULT_NOT_PERMITTED, "only the administrator changes the limits of roles");
        free(copy);
        return HANDLED;
    }
    struct programme_record record;
    struct failure failure;
    enum punkt_status status = programme_prepare(service, text, (utc_us)message->from, &record, &failure);
    if (status == PUNKT_OK) {
        record.operator= text_of_code(&message->operator);
        struct event event = programme_event(&record);
        event.day = today(service);
        union message_any answer;
        message_init(MESSAGE_programme_publish_answer, &answer.programme_publish_answer);
        answer.programme_publish_answer.version = record.version;
        answer.programme_publish_answer.from = (uint64_t)record.from;
        book(request, &event, &answer);
    } else if (status == PUNKT_NO_MEMORY) {
        refuse_now(request, RESULT_BUSY, "out of memory");
    } else {
        refuse(request, RESULT_INVALID_PROGRAMME, failure.text);
    }
    free(copy);
    return HANDLED;
}

enum handled handle_programme_history(struct request *request)
{
    struct service *service = request->service;
    struct fold *fold = ledger_fold(service->ledger);
    struct msg_programme_entry *entries = calloc(VERSIONS_MAX, sizeof(*entries));
    if (entries == NULL) {
        refuse_now(request, RESULT_BUSY, "out of memory");
        return HANDLED;
    }
    uint32_t current = programme_in_force(service, ledger_now(service->ledger))->version;
    union message_any answer;
    struct msg_programme_history_answer *out = &answer.programme_history_answer;
    message_init(MESSAGE_programme_history_answer, out);
    out->versions = entries;
    for (uint32_t version = service->programme_count; version > 0 && out->versions_count < VERSIONS_MAX;
         version--) {
        struct msg_programme_entry *entry = &entries[out->versions_count++];
        const struct programme *programme = service->programmes[version - 1];
        struct programme_record record;
        PUNKT_CHECK(fold_programme(fold, version, &record));
        entry->version = version;
        entry->from = (uint64_t)record.from;
        entry->published = (uint64_t)record.published;
        entry->current = version == current;
        entry->name = (struct message_text){ programme->name, strlen(programme->name) };
        code_for_wire(record.operator, & entry->operator);
    }
    answer_read(request, &answer, ledger_newest(service->ledger));
    free(entries);
    return HANDLED;
}

enum handled handle_programme_show(struct request *request)
{
    struct service *service = request->service;
    uint64_t version = request->message->programme_show_request.version;
    if (version == 0)
        version = programme_in_force(service, ledger_now(service->ledger))->version;
    struct programme_record record;
    if (version > UINT32_MAX || !fold_programme(ledger_fold(service->ledger), (uint32_t)version, &record)) {
        refuse_read(request, RESULT_UNKNOWN_VERSION, "");
        return HANDLED;
    }
    union message_any answer;
    struct msg_programme_show_answer *out = &answer.programme_show_answer;
    message_init(MESSAGE_programme_show_answer, out);
    out->version = record.version;
    out->from = (uint64_t)record.from;
    out->text = (struct message_text){ record.text.data, record.text.size };
    answer_read(request, &answer, ledger_newest(service->ledger));
    return HANDLED;
}
