/*
 * `punkt import receipts`: receipts of a file (receipts.h) into many requests in flight, all in one
 * lane and in the order of the file, so that a card is issued before its first receipt.
 *
 * It may be stopped at any moment and repeated: what was booked is recognised by store, till, day and
 * number, and answered as before.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/parse.h"
#include "cli/receipts.h"
#include "cli/seen.h"

#define WINDOW PUNKT_WINDOW_MAX
#define CHUNK (64 * 1024)
#define SILENCE_US (30 * 1000 * 1000) /* without any answer: the daemon is away */
#define REQUEST_TIMEOUT_MS                                                                                   \
    (24 * 3600 * 1000)             /* the silence above ends the import, not a request's deadline */
#define DRAIN_US (5 * 1000 * 1000) /* for what is in flight when the import is stopped */
#define PROGRESS_US (200 * 1000)
#define TURN_MS 200 /* how long a wait may be deaf to signals and silence */
#define RECONNECT_MS 1000
#define DESCRIBED_MAX 20

enum kind { KIND_CARD, KIND_PURCHASE, KIND_RETURN };

/* A request in flight: what its answer is about. */
struct flight {
    struct import *import;
    struct flight *next_free;
    enum kind kind;
    struct receipts_code number;
    uint64_t first_line;
    uint32_t line_count;
};

struct counts {
    uint64_t receipts, returns, lines, cards_issued, replayed, refused;
};

struct import {
    struct cli *cli;
    struct receipts *receipts;
    struct seen *cards; /* issued, or tried, in this run */
    bool enrol;
    struct counts counts;
    struct flight flights[WINDOW];
    struct flight *free_flights;
    struct punkt_line lines[RECEIPTS_LINES_MAX]; /* of the receipt being submitted */
    uint64_t heard_us; /* when something was answered, or there was nothing to ask */
    uint64_t progress_us;
    uint64_t began_us;
    bool progress;
    int exit_code; /* CLI_OK while all is well */
};

/* Set by SIGINT and SIGTERM: stop reading, wait for what is in flight, say the counts. */
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static uint64_t clock_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void show_progress(struct import *import, uint64_t now_us, bool last)
{
    const struct counts *counts = &import->counts;
    uint64_t done = counts->receipts + counts->returns;
    if (!import->progress || (!last && now_us - import->progress_us < PROGRESS_US))
        return;
    import->progress_us = now_us;
    uint64_t elapsed_us = now_us - import->began_us;
    (void)fprintf(import->cli->err,
                  "\r%" PRIu64 " lines, %" PRIu64 " receipts, %" PRIu64 "/s, %u in flight     %s",
                  receipts_lines(import->receipts) + receipts_skipped_lines(import->receipts), done,
                  elapsed_us > 0 ? done * 1000000 / elapsed_us : 0, punkt_unanswered(import->cli->punkt),
                  last ? "\n" : "");
}

/* Says which receipt was refused and why; after the first ones only counts. */
static void describe(struct import *import, const struct flight *flight, const char *code, const char *text,
                     const char *detail)
{
    if (import->counts.refused > DESCRIBED_MAX)
        return;
    (void)cli_error(import->cli, CLI_REFUSED, code, "%s %s (line %" PRIu64 "): %s%s%s",
                    flight->kind == KIND_RETURN ? "return"
                    : flight->kind == KIND_CARD ? "card"
                                                : "receipt",
                    flight->number.text, flight->first_line, text, detail[0] != '\0' ? ": " : "", detail);
}

static void count_done(struct import *import, const struct flight *flight, bool replayed)
{
    struct counts *counts = &import->counts;
    if (flight->kind == KIND_CARD) {
        counts->cards_issued++; /* a replay repeats what this run asked for before a connection was lost */
        return;
    }
    counts->receipts += flight->kind == KIND_PURCHASE;
    counts->returns += flight->kind == KIND_RETURN;
    counts->lines += flight->line_count;
    counts->replayed += replayed;
}

static void on_answer(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    struct flight *flight = ctx;
    struct import *import = flight->import;
    (void)punkt;
    import->heard_us = clock_us();
    if (answer->call == PUNKT_CALL_DONE) {
        count_done(import, flight, answer->replayed);
    } else if (answer->call == PUNKT_CALL_REFUSED) {
        /* A card that exists was issued by an earlier run, or by the shop. Without its card a receipt is
         * refused itself, and counted then. */
        bool expected = flight->kind == KIND_CARD && answer->code == PUNKT_RESULT_CARD_EXISTS;
        import->counts.refused += flight->kind != KIND_CARD;
        if (!expected)
            describe(import, flight, answer->name, answer->text, answer->detail);
    } else if (import->exit_code == CLI_OK) {
        import->exit_code = cli_check(import->cli, answer);
    }
    flight->next_free = import->free_flights;
    import->free_flights = flight;
}

/* Connects again without the library's growing pauses: a daemon that comes back within the silence is found. */
static void reconnect(struct import *import)
{
    struct cli *cli = import->cli;
    struct punkt_answer answer = { .size = sizeof(answer) };
    punkt_server_info(cli->punkt, &cli->info);
    if (cli->info.connected)
        return;
    if (punkt_connect(cli->punkt, RECONNECT_MS, &answer) == PUNKT_CALL_REFUSED && !answer.retryable &&
        import->exit_code == CLI_OK)
        import->exit_code = cli_check(cli, &answer);
}

/* Waits for answers once, and finds out whether to go on. */
static bool turn(struct import *import, int wait_ms)
{
    struct cli *cli = import->cli;
    if (punkt_unanswered(cli->punkt) == 0)
        import->heard_us = clock_us();
    else if (punkt_drive(cli->punkt, wait_ms) == 0)
        reconnect(import);
    uint64_t now_us = clock_us();
    show_progress(import, now_us, false);
    if (import->exit_code == CLI_OK && now_us - import->heard_us >= SILENCE_US)
        import->exit_code = cli_error(cli, CLI_UNREACHABLE, "not_sent",
                                      "no answer for %d seconds: %s; run the same import again",
                                      SILENCE_US / 1000000, punkt_trouble(cli->punkt));
    return import->exit_code == CLI_OK;
}

/* A free place for a request. NULL when the import is to stop. */
static struct flight *take_flight(struct import *import, enum kind kind, const char *number,
                                  uint64_t first_line)
{
    while (!interrupted && (import->free_flights == NULL || punkt_room(import->cli->punkt) == 0)) {
        if (!turn(import, TURN_MS))
            return NULL;
    }
    if (interrupted)
        return NULL;
    struct flight *flight = import->free_flights;
    import->free_flights = flight->next_free;
    *flight = (struct flight){ .import = import, .kind = kind, .first_line = first_line };
    (void)snprintf(flight->number.text, sizeof(flight->number.text), "%s", number);
    return flight;
}

/* What became of a submission. A request that cannot even be encoded counts as refused. */
static bool submitted(struct import *import, struct flight *flight, enum punkt_call call)
{
    if (call == PUNKT_CALL_DONE)
        return true;
    if (call == PUNKT_CALL_INVALID) {
        import->counts.refused++;
        describe(import, flight, "invalid", "it cannot be sent", punkt_trouble(import->cli->punkt));
    } else {
        import->exit_code = cli_error(import->cli, CLI_FAILED, punkt_call_name(call), "cannot send any more");
    }
    flight->next_free = import->free_flights;
    import->free_flights = flight;
    return import->exit_code == CLI_OK;
}

static bool enrol(struct import *import, const struct receipts_receipt *receipt)
{
    uint64_t hash = seen_hash_text(SEEN_HASH_BEGIN, receipt->card.text);
    if (!import->enrol || seen_has(import->cards, hash))
        return true;
    struct flight *flight = take_flight(import, KIND_CARD, receipt->card.text, receipt->first_line);
    if (flight == NULL)
        return false;
    struct punkt_card_issue_request request = {
        .size = sizeof(request),
        .flags = PUNKT_FLAG_HISTORIC,
        .timeout_ms = REQUEST_TIMEOUT_MS,
        .card = receipt->card.text,
    };
    seen_add(import->cards, hash);
    return submitted(import, flight,
                     punkt_submit_card_issue(import->cli->punkt, &request, on_answer, flight));
}

static void fill_lines(struct import *import, const struct receipts_receipt *receipt)
{
    for (uint32_t i = 0; i < receipt->line_count; i++) {
        const struct receipts_line *line = &receipt->lines[i];
        import->lines[i] = (struct punkt_line){
            .size = sizeof(import->lines[i]),
            .code = line->code.text,
            .amount = line->amount,
            .quantity = line->quantity,
            .category = line->category.text,
            .kind = line->amount < 0 ? PUNKT_LINE_DISCOUNT
            : PUNKT_LINE_SALE,
        };
    }
}

static enum punkt_call submit_purchase(struct import *import, const struct receipts_receipt *receipt,
                                       struct flight *flight)
{
    struct punkt_purchase_request request = {
        .size = sizeof(request),
        .flags = PUNKT_FLAG_HISTORIC,
        .timeout_ms = REQUEST_TIMEOUT_MS,
        .card = receipt->card.text,
        .amount = receipt->amount,
        .time_us = (int64_t)receipt->time_us,
        .store = receipt->store.text,
        .till = receipt->till.text,
        .receipt = receipt->number.text,
        .business_date = (int32_t)receipt->day,
        .lines = import->lines,
        .line_count = receipt->line_count,
    };
    return punkt_submit_purchase(import->cli->punkt, &request, on_answer, flight);
}

static enum punkt_call submit_return(struct import *import, const struct receipts_receipt *receipt,
                                     struct flight *flight)
{
    struct punkt_unlinked_return_request request = {
        .size = sizeof(request),
        .flags = PUNKT_FLAG_HISTORIC,
        .timeout_ms = REQUEST_TIMEOUT_MS,
        .card = receipt->card.text,
        .amount = receipt->amount,
        .time_us = (int64_t)receipt->time_us,
        .store = receipt->store.text,
        .till = receipt->till.text,
        .document = receipt->number.text,
        .business_date = (int32_t)receipt->day,
        .lines = import->lines,
        .line_count = receipt->line_count,
    };
    return punkt_submit_unlinked_return(import->cli->punkt, &request, on_answer, flight);
}

/* receipts_fn: a complete receipt of the file. */
static bool take_receipt(const struct receipts_receipt *receipt, void *ctx)
{
    struct import *import = ctx;
    if (!enrol(import, receipt))
        return false;
    struct flight *flight = take_flight(import, receipt->returned ? KIND_RETURN : KIND_PURCHASE,
                                        receipt->number.text, receipt->first_line);
    if (flight == NULL)
        return false;
    flight->line_count = receipt->line_count;
    fill_lines(import, receipt);
    return submitted(import, flight,
                     receipt->returned ? submit_return(import, receipt, flight)
                                       : submit_purchase(import, receipt, flight));
}

/* Waits until the file has something to read, while answers come in. False when the import is to stop. */
static bool wait_for_input(struct import *import, int fd)
{
    for (;;) {
        bool busy = punkt_unanswered(import->cli->punkt) > 0;
        struct pollfd input = { .fd = fd, .events = POLLIN };
        if (interrupted)
            return false;
        if (poll(&input, 1, busy ? 0 : TURN_MS) != 0 && !interrupted)
            return true; /* also after a failure: reading tells */
        if (!turn(import, TURN_MS / 4))
            return false;
    }
}

static void read_file(struct import *import, int fd)
{
    static const char *const why[] = { [RECEIPTS_BAD] = "bad_file", [RECEIPTS_NO_MEMORY] = "no_memory" };
    enum receipts_status status = RECEIPTS_OK;
    char *chunk = malloc(CHUNK);
    while (chunk != NULL && status == RECEIPTS_OK && wait_for_input(import, fd)) {
        ssize_t size = read(fd, chunk, CHUNK);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0) {
            import->exit_code =
                cli_error(import->cli, CLI_FAILED, "bad_file", "cannot read: %s", strerror(errno));
            break;
        }
        status = size > 0 ? receipts_feed(import->receipts, chunk, (size_t)size)
                          : receipts_finish(import->receipts);
        if (size == 0)
            break;
    }
    if (chunk == NULL)
        status = RECEIPTS_NO_MEMORY;
    free(chunk);
    if (status == RECEIPTS_BAD || status == RECEIPTS_NO_MEMORY)
        import->exit_code =
            cli_error(import->cli, CLI_FAILED, why[status], "%s",
                      status == RECEIPTS_BAD ? receipts_error(import->receipts) : "out of memory");
}

/* Waits for what is in flight: until the daemon is away, or, when it is to stop, a few seconds. */
static void drain(struct import *import)
{
    uint64_t began_us = clock_us();
    int exit_code = import->exit_code;
    if (exit_code == CLI_UNREACHABLE)
        return;
    import->exit_code = CLI_OK; /* a bad file is no reason to leave answers behind */
    while (punkt_unanswered(import->cli->punkt) > 0 && turn(import, TURN_MS)) {
        if (interrupted && clock_us() - began_us >= DRAIN_US)
            break;
    }
    if (import->exit_code == CLI_OK)
        import->exit_code = exit_code;
}

static int print_counts(struct cli *cli, const struct counts *counts, uint64_t skipped_lines)
{
    json_t *object =
        json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "receipts", (json_int_t)counts->receipts, "returns",
                  (json_int_t)counts->returns, "lines", (json_int_t)counts->lines, "cards_issued",
                  (json_int_t)counts->cards_issued, "skipped_lines", (json_int_t)skipped_lines, "replayed",
                  (json_int_t)counts->replayed, "refused", (json_int_t)counts->refused);
    return cli->json ? output_object(cli, cli->out, object) : output_pairs(cli, object);
}

static int run(struct import *import, int fd)
{
    /* Without SA_RESTART, so that a read or a wait ends. */
    struct sigaction action = { .sa_handler = on_signal };
    struct sigaction before_int;
    struct sigaction before_term;
    interrupted = 0;
    (void)sigaction(SIGINT, &action, &before_int);
    (void)sigaction(SIGTERM, &action, &before_term);
    import->began_us = import->heard_us = clock_us();
    read_file(import, fd);
    drain(import);
    show_progress(import, clock_us(), true);
    (void)sigaction(SIGINT, &before_int, NULL);
    (void)sigaction(SIGTERM, &before_term, NULL);
    if (interrupted && import->exit_code == CLI_OK)
        import->exit_code = cli_error(import->cli, CLI_FAILED, "interrupted",
                                      "stopped before the end; run the same import again");
    int printed = print_counts(import->cli, &import->counts, receipts_skipped_lines(import->receipts));
    if (import->exit_code == CLI_OK)
        import->exit_code = import->counts.refused > 0 ? CLI_REFUSED : printed;
    return import->exit_code;
}

static int run_with(struct cli *cli, const struct receipts_options *options, bool enrol_cards, int fd)
{
    struct import *import = calloc(1, sizeof(*import));
    int exit_code = CLI_FAILED;
    if (import == NULL)
        return cli_error(cli, CLI_FAILED, "no_memory", "out of memory");
    import->cli = cli;
    import->enrol = enrol_cards;
    import->progress = isatty(fileno(cli->err)) == 1;
    for (size_t i = 0; i < WINDOW; i++) {
        import->flights[i].next_free = import->free_flights;
        import->free_flights = &import->flights[i];
    }
    import->cards = seen_new();
    import->receipts = receipts_new(options, take_receipt, import);
    if (import->cards != NULL && import->receipts != NULL)
        exit_code = run(import, fd);
    else
        (void)cli_error(cli, CLI_FAILED, "no_memory", "out of memory");
    /* No callback may come after what it points to is gone. */
    punkt_free(cli->punkt);
    cli->punkt = NULL;
    receipts_free(import->receipts);
    seen_free(import->cards);
    free(import);
    return exit_code;
}

int import_receipts_run(struct cli *cli, const struct args *args)
{
    const char *file = args->positional[0];
    struct receipts_options options = {
        .returns_prefix = args->value[OPTION_RETURNS_PREFIX],
        .store = cli->store != NULL ? cli->store : "0",
        .till = cli->till != NULL ? cli->till : "0",
    };
    const char *why = "--map says which column is what";
    char *map = args->value[OPTION_MAP] != NULL ? strdup(args->value[OPTION_MAP]) : NULL;
    int fd = -1;
    int exit_code = CLI_OK;
    if (map == NULL || !receipts_map(map, &options, &why))
        exit_code = cli_usage(cli, "%s", why);
    if (exit_code == CLI_OK)
        exit_code = cli_connect_within(cli, WINDOW, SILENCE_US / 1000);
    if (exit_code == CLI_UNREACHABLE) {
        static const struct counts none;
        (void)print_counts(cli, &none, 0); /* as when it goes away later */
    }
    if (exit_code == CLI_OK)
        exit_code = cli_need_zone(cli);
    if (exit_code == CLI_OK) {
        fd = strcmp(file, "-") == 0 ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            exit_code = cli_error(cli, CLI_FAILED, "bad_file", "cannot open %s: %s", file, strerror(errno));
    }
    if (exit_code == CLI_OK) {
        options.currency_exponent = cli->info.currency_exponent;
        exit_code = run_with(cli, &options, args->value[OPTION_ENROL] != NULL, fd);
    }
    if (fd > STDIN_FILENO)
        (void)close(fd);
    free(map);
    return exit_code;
}
