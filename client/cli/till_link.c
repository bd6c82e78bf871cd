/*
 * The register's link: its handle, the plug, and what waits.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/parse.h"
#include "cli/till.h"

#define TIMEOUT_MS 1500
#define DRAIN_MS 60000
/* An address at which nobody can listen: where the handle is sent while the plug is pulled. Its calls then meet what
 * they meet when the network is gone, by the same code. */
#define NOWHERE "unix:/dev/null"
#define UNPLUGGED_MS 100 /* to find that out */

static void on_alarm(struct punkt *punkt, enum punkt_alarm alarm, const char *text, void *ctx)
{
    struct till *till = ctx;
    (void)punkt;
    (void)alarm;
    if (till->cli->punkt == NULL)
        cli_alarm(till->cli, text);
    else
        till_say(till, "! %s\n", text);
}

/* Told to whoever types; what a script prints does not depend on when answers come. */
static void on_settled(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    struct till *till = ctx;
    char points[POINTS_TEXT_SIZE];
    (void)punkt;
    if (till->edit == NULL)
        return;
    if (answer->call == PUNKT_CALL_DONE && answer->operation == PUNKT_OPERATION_PURCHASE) {
        const struct punkt_purchase_answer *booked =
            (const struct punkt_purchase_answer *)(const void *)answer;
        till_say(till, "booked: %s points\n", till_points(till, booked->earned, points));
    } else {
        till_say(till, "%s: %s\n", punkt_operation_name(answer->operation), answer->text);
    }
}

void till_learn(struct till *till)
{
    (void)cli_learn(till->cli);
}

static int make_handle(struct till *till)
{
    struct cli *cli = till->cli;
    struct punkt_options options = {
        .size = sizeof(options),
        .server = till->offline ? NOWHERE : cli->server,
        .identity = cli->identity,
        .trouble = cli->trouble,
        .trouble_size = sizeof(cli->trouble),
        .timeout_ms = cli_timeout_ms(cli, TIMEOUT_MS),
        .software = "punkt till",
        .outbox = till->outbox,
        .store = till->store,
        .till = till->name,
        .on_alarm = on_alarm,
        .on_settled = on_settled,
        .ctx = till,
        .receipt_width = till->width <= 64 ? till->width : 64,
        .language = till->language,
    };
    return cli_make(cli, &options);
}

int till_open(struct till *till)
{
    struct cli *cli = till->cli;
    int exit_code = make_handle(till);
    if (exit_code != CLI_OK)
        return exit_code;
    (void)punkt_connect(cli->punkt, 0, NULL);
    till_learn(till);
    if (!cli->info.known) {
        /* Nobody has told what money looks like here; the receipts are kept as they are typed. */
        cli->info = (struct punkt_server_info){ .size = sizeof(cli->info), .currency_exponent = 2 };
        till_say(till,
                 "! the server was never reached: amounts are taken with 2 decimals, points with none\n");
    }
    return CLI_OK;
}

int till_offline(struct till *till, const struct words *words)
{
    bool on = strcmp(words->word[0], "on") == 0;
    if (!on && strcmp(words->word[0], "off") != 0)
        return till_fail(till, CLI_USAGE, "offline is on or off");
    if (on == till->offline)
        return CLI_OK;
    /* The next handle goes on with the outbox of the one before, as after a restart. */
    punkt_free(till->cli->punkt);
    till->cli->punkt = NULL;
    till->offline = on;
    int exit_code = make_handle(till);
    if (exit_code != CLI_OK) {
        till->ended = true;
        return exit_code;
    }
    (void)punkt_connect(till->cli->punkt, on ? UNPLUGGED_MS : 0, NULL);
    till_learn(till);
    till_say(till, "The plug is %s.\n", on ? "pulled" : "back");
    return CLI_OK;
}

static struct punkt_outbox_info outbox_info(const struct till *till)
{
    struct punkt_outbox_info info = { .size = sizeof(info) };
    punkt_outbox_info(till->cli->punkt, &info);
    return info;
}

int till_drain(struct till *till, const struct words *words)
{
    (void)words;
    uint64_t left = outbox_drain(till->cli, till->cli->timeout_ms != 0 ? till->cli->timeout_ms : DRAIN_MS);
    till_learn(till);
    if (left > 0)
        return till_fail(till, CLI_QUEUED, "%" PRIu64 " still wait: %s", left,
                         punkt_trouble(till->cli->punkt));
    till_say(till, "Everything is sent.\n");
    return CLI_OK;
}

int till_status(struct till *till, const struct words *words)
{
    struct cli *cli = till->cli;
    struct punkt_outbox_info outbox = outbox_info(till);
    const char *trouble = punkt_trouble(cli->punkt);
    char since[TIME_TEXT_SIZE];
    (void)words;
    till_learn(till);
    till_say(till, "link    %s%s%s\n", punkt_link_state_name(punkt_link_state(cli->punkt)),
             trouble[0] != '\0' ? ": " : "", trouble);
    till_say(till, "plug    %s\n", till->offline ? "pulled" : "in");
    if (cli->info.known)
        till_say(till, "server  %s, programme version %u, its clock %+" PRId64 " ms\n", cli->info.currency,
                 cli->info.programme_version, cli->info.time_offset_us / 1000);
    till_say(till, "outbox  %s\n", till->outbox);
    till_say(till, "waiting %" PRIu64, outbox.queued);
    if (outbox.oldest_us != 0) {
        time_text((uint64_t)outbox.oldest_us, false, since);
        till_say(till, ", since %s", since);
    }
    till_say(till, "\ndead    %" PRIu64 "\n", outbox.dead);
    if (outbox.failed)
        till_say(till, "! the outbox cannot be written: sales go on without points\n");
    return CLI_OK;
}

static int list(struct till *till, unsigned states, const char *otherwise)
{
    struct punkt_outbox_info outbox = outbox_info(till);
    bool any = states == 1U << PUNKT_OUTBOX_DEAD ? outbox.dead > 0 : outbox.queued > 0;
    if (any)
        return outbox_entries_print(till->cli, states);
    till_say(till, "%s\n", otherwise);
    return CLI_OK;
}

int till_queue(struct till *till, const struct words *words)
{
    (void)words;
    return list(till, 1U << PUNKT_OUTBOX_QUEUED, "Nothing waits.");
}

int till_dead(struct till *till, const struct words *words)
{
    (void)words;
    return list(till, 1U << PUNKT_OUTBOX_DEAD, "Nothing is dead.");
}

int till_discard(struct till *till, const struct words *words)
{
    uint64_t epoch;
    uint64_t number;
    if (!parse_retry(words->word[0], &epoch, &number))
        return till_fail(till, CLI_USAGE, "\"%s\" is no EPOCH:NUMBER", words->word[0]);
    if (punkt_outbox_discard(till->cli->punkt, epoch, number) != PUNKT_CALL_DONE)
        return till_fail(till, CLI_NOT_FOUND, "%s", punkt_trouble(till->cli->punkt));
    till_say(till, "%s is discarded.\n", words->word[0]);
    return CLI_OK;
}
