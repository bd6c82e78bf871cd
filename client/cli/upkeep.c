/*
 * What keeps a ledger going: what became of a change, audits, the clock, imports, measuring.
 */
#include "cli/fields.h"
#include "cli/request.h"
#include "proto/frame.h"

/* The first answer to the change, inside the answer to the question about it. */
static bool first_answer(const struct msg_status_answer *answer, struct reply *out)
{
    const struct operation_row *row = operation_row((uint16_t)(answer->type & FRAME_TYPE_OPERATION));
    *out = (struct reply){ .body = NULL };
    if (row == NULL)
        return false;
    bool done = (answer->type & FRAME_TYPE_DONE) != 0;
    out->head = (struct punkt_answer){ .size = sizeof(out->head),
                                       .call = done ? PUNKT_CALL_DONE : PUNKT_CALL_REFUSED,
                                       .operation = (uint32_t)row->code,
                                       .detail = out->detail,
                                       .replayed = true };
    if (!reply_read(done ? row->answer : MESSAGE_refusal, answer->answer.data, answer->answer.size, out))
        return false;
    if (!done) {
        const struct msg_refusal *refusal = out->body;
        out->head.code = (uint32_t)refusal->result;
        out->head.name = punkt_result_name(out->head.code);
        out->head.text = punkt_result_text(out->head.code);
        out->head.needed = refusal->needed;
        out->head.available = refusal->available;
        (void)snprintf(out->detail, sizeof(out->detail), "%.*s", (int)refusal->detail.size,
                       refusal->detail.data);
    }
    return true;
}

static json_t *status_json(uint64_t state, const struct reply *first)
{
    if (state == PUNKT_STATUS_NEVER_SEEN)
        return json_pack("{s:s}", "state", "never_seen");
    return json_pack("{s:s,s:s,s:o}", "state", state == PUNKT_STATUS_DONE ? "done" : "refused", "operation",
                     punkt_operation_name(first->head.operation), "answer",
                     first->head.call == PUNKT_CALL_DONE ? reply_json(first, NULL)
                                                         : refusal_json(&first->head, NULL));
}

static int status_print(struct cli *cli, uint64_t state, const struct reply *first)
{
    const char *operation = punkt_operation_name(first->head.operation);
    if (state == PUNKT_STATUS_NEVER_SEEN) {
        (void)fputs("The daemon has never seen it.\n", cli->out);
        return CLI_OK;
    }
    if (first->head.call != PUNKT_CALL_DONE) {
        (void)fprintf(cli->out, "%s: refused, %s%s%s.\n", operation, first->head.text,
                      first->detail[0] != '\0' ? ": " : "", first->detail);
        return CLI_OK;
    }
    (void)fprintf(cli->out, "%s, done. ", operation);
    return reply_print(cli, first, NULL);
}

static int status_finish(struct cli *cli, const struct msg_status_answer *answer)
{
    struct reply first = { .body = NULL };
    if (answer->state != PUNKT_STATUS_NEVER_SEEN && !first_answer(answer, &first))
        return cli_error(cli, CLI_FAILED, "bad_answer", "the first answer cannot be read");
    int exit_code = cli->json ? output_object(cli, cli->out, status_json(answer->state, &first))
                              : status_print(cli, answer->state, &first);
    reply_done(&first);
    return exit_code;
}

static int status_run(struct cli *cli, const struct args *args)
{
    struct request request;
    struct reply reply = { .body = NULL };
    int exit_code = request_begin(cli, args, OPERATION_STATUS, &request);
    if (exit_code == CLI_OK && args->value[OPTION_OF] != NULL) {
        struct msg_status_request *body = request.body;
        exit_code = identity_number(cli, args->value[OPTION_OF], &body->identity);
    }
    if (exit_code == CLI_OK)
        exit_code = request_send(cli, &request, &reply);
    if (exit_code == CLI_OK)
        exit_code = cli_check(cli, &reply.head);
    if (exit_code == CLI_OK)
        exit_code = status_finish(cli, reply.body);
    reply_done(&reply);
    request_done(&request);
    return exit_code;
}

const struct command upkeep_commands[] = {
    {
        .name = "status",
        .summary = "Asks what became of a change whose answer was lost.",
        .usage = "EPOCH:NUMBER",
        .examples = { "punkt status 9f86d081884c7d65:1", "punkt status 9f86d081884c7d65:1 --of 12/3" },
        .options = { OPTION_OF },
        .words_min = 1,
        .words_max = 1,
        .operation = PUNKT_OPERATION_STATUS,
        .words = { WORD_ORIGINAL },
        .run = status_run,
    },
    {
        .name = "audit verify",
        .summary = "Reads the whole journal and compares it with state.",
        .usage = "",
        .examples = { "punkt audit verify",
                      "punkt audit verify --head "
                      "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
                      "punkt audit verify --data /var/lib/punkt" },
        .options = { OPTION_HEAD, OPTION_DATA },
        .operation = PUNKT_OPERATION_AUDIT_VERIFY,
        .check = audit_verify_check,
        .run = audit_verify_run,
    },
    {
        .name = "audit log",
        .summary = "Lists who did what: the acts of the office, the register, refused proofs; oldest first.",
        .usage = "",
        .examples = { "punkt audit log --since 2026-01-31", "punkt audit log --actor anna --kind adjustment",
                      "punkt --json audit log --actor 12/3 --since 2026-01-01 --until 2026-02-01" },
        .options = { OPTION_ACTOR, OPTION_KIND, OPTION_SINCE, OPTION_UNTIL, OPTION_LIMIT },
        .operation = PUNKT_OPERATION_AUDIT_LOG,
        .check = audit_log_check,
        .run = audit_log_run,
    },
    {
        .name = "clock accept",
        .summary = "Takes the machine's clock as the ledger's time, after an alarm about it.",
        .usage = "",
        .examples = { "punkt clock accept" },
        .change = true,
        .operation = PUNKT_OPERATION_CLOCK_ACCEPT,
    },
    {
        .name = "import receipts",
        .summary =
            "Books the receipts of a CSV file, each judged at its own time. May be stopped and repeated.",
        .usage = "FILE|- --map NAME=COLUMN,...",
        .examples = { "punkt import receipts sales.csv --map "
                      "receipt=Number,code=Article,time=Sold,card=Member,amount=Total",
                      "zcat sales.csv.gz | punkt import receipts - --map "
                      "receipt=InvoiceNo,code=StockCode,quantity=Quantity,time=InvoiceDate,price=UnitPrice,"
                      "card=CustomerID --returns-prefix C --enrol" },
        .options = { OPTION_MAP, OPTION_RETURNS_PREFIX, OPTION_ENROL, OPTION_STORE, OPTION_TILL },
        .words_min = 1,
        .words_max = 1,
        .run = import_receipts_run,
    },
    {
        .name = "bench",
        .summary = "Measures how much the daemon does, on a ledger made for it.",
        .usage = "",
        .examples = { "punkt bench --connections 64 --pipeline 1 --seconds 5 --cards 1000000",
                      "punkt bench --connections 1000 --mix ping" },
        .options = { OPTION_CONNECTIONS, OPTION_PIPELINE, OPTION_SECONDS, OPTION_CARDS, OPTION_MIX,
                     OPTION_FORCE, OPTION_PREFIX },
        .run = bench_run,
    },
    {
        .name = "mock",
        .summary =
            "Plays a daemon that forgets everything at its end, and errs as it is told, for tests of a till.",
        .usage = "",
        .examples = { "punkt mock --balance 500",
                      "punkt mock --script faults.txt --dump booked.jsonl --for 60",
                      "echo 'refuse purchase card_blocked times 3' | punkt mock --script -",
                      "punkt mock --echo --until-eof" },
        .options = { OPTION_LISTEN, OPTION_SCRIPT, OPTION_BALANCE, OPTION_CURRENCY, OPTION_DECIMALS,
                     OPTION_ZONE, OPTION_ECHO, OPTION_DUMP, OPTION_UNTIL_EOF, OPTION_RUN_FOR },
        .run = mock_run,
    },
    {
        .name = "ping",
        .summary = "Asks whether the daemon is there.",
        .usage = "",
        .examples = { "punkt ping", "punkt --server 10.0.0.5:7400 ping" },
        .operation = PUNKT_OPERATION_PING,
    },
    { .name = NULL },
};
