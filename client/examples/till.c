#include <punkt.h>
#include <stdio.h>
int main(int argc, char **argv) /* till SERVER CARD RECEIPT AMOUNT */
{
    struct punkt_options options = { .size = sizeof(options), .store = "1", .till = "1", .outbox = "outbox" };
    struct punkt_purchase_request sale = { .size = sizeof(sale), .card = argv[2], .receipt = argv[3] };
    struct punkt_purchase_answer answer = PUNKT_ANSWER_INIT(answer);
    struct punkt *punkt;
    options.server = argc == 5 ? argv[1] : "";
    if (punkt_new(&options, &punkt) != PUNKT_CALL_DONE || !punkt_decimal_parse(argv[4], 2, &sale.amount))
        return 2;
    enum punkt_call call = punkt_purchase(punkt, &sale, &answer);
    if (call == PUNKT_CALL_DONE)
        printf("earned %lld, available %lld\n", (long long)answer.earned, (long long)answer.available);
    else /* queued: stored in the file `outbox`, and sent by the next till that finds the server */
        fprintf(stderr, "%s: %s %s\n", answer.head.name, answer.head.text, answer.head.detail);
    punkt_free(punkt);
    return call == PUNKT_CALL_DONE || call == PUNKT_CALL_QUEUED ? 0 : 1;
}
