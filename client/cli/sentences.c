#include "cli/sentences.h"

#include <stdlib.h>
#include <string.h>

#include "cli/fields.h"

#define FIELD_NAME_SIZE 32

static const struct {
    enum operation operation;
    const char *pattern;
} sentences[] = {
    { OPERATION_PING, "The daemon is there; its time is {time}." },
    { OPERATION_CLOCK_ACCEPT, "The ledger's time was {before} and is now {after}." },
    { OPERATION_CARD_ISSUE,
      "Card {card} is {status}, account {account}[; {count} cards in a row, an account each]." },
    { OPERATION_CARD_BLOCK, "Card {card} is {status}. {available} can be spent[, {debt} are owed]." },
    { OPERATION_CARD_UNBLOCK, "Card {card} is {status}. {available} can be spent[, {debt} are owed]." },
    { OPERATION_CARD_CLOSE,
      "Card {card} is {status}[, {forfeited} points are forfeited]. {available} can be spent[, {debt} are "
      "owed]." },
    { OPERATION_CARD_REPLACE,
      "Card {new_card} has taken over everything of {card}, account {account}. {available} can be spent." },
    { OPERATION_CARD_ADD, "Card {new_card} leads to account {account}, which has {cards} cards now." },
    { OPERATION_CARD_PIN, "[pin=1:The PIN is set.][pin=0:There is no PIN any more.]" },
    { OPERATION_ACCOUNT_MERGE,
      "Account {account} has everything now. {available} can be spent[, {pending} are pending][, {debt} are "
      "owed]." },
    { OPERATION_ACCOUNT_TRANSFER,
      "{points} points moved. {available} can be spent, on the other account {to_available}." },
    { OPERATION_ACCOUNT_TAG, "[tags=0:The account has no tags.][The account's tags: {tags}.]" },
    { OPERATION_OFFER_ACTIVATE,
      "[active=1:The offer {offer} is active.][active=0:The offer {offer} is not active.]" },
    { OPERATION_PURCHASE,
      "{earned} points earned[, {redeemed} spent][, {paid} paid with points]. {available} can be spent[, "
      "{pending} are pending][, {debt} are owed].[flags#0: The time was too far off: the daemon's own "
      "counts.][flags#1: It waits in suspense until the card may earn.][flags#2: Points fell short of what "
      "was redeemed.]" },
    { OPERATION_RETURN,
      "{taken} points taken[, {given_back} given back][, {shortfall} forgiven]. {available} can be spent[, "
      "{debt} are owed].[flags#0: The time was too far off: the daemon's own counts.][flags#1: It waits for "
      "its purchase.]" },
    { OPERATION_UNLINKED_RETURN,
      "{taken} points taken[, {given_back} given back][, {shortfall} forgiven]. {available} can be spent[, "
      "{debt} are owed].[flags#0: The time was too far off: the daemon's own counts.]" },
    { OPERATION_RETURN_PREVIEW,
      "Goods worth {amount}: it takes {taken} points[, gives {given_back} back][, forgives {shortfall}]. "
      "Then {available} can be spent[, {debt} are owed]." },
    { OPERATION_REDEEM,
      "{redeemed} points[ and {stamps} stamps] spent[ for {reward}][, worth {worth}].[ Voucher: "
      "{voucher}.][ {shortfall} points were not there.] {available} can be spent." },
    { OPERATION_HOLD,
      "Hold {position}: {held} points[ and {stamps} stamps] set aside[ for {reward}][, worth {worth}], until "
      "{deadline}. {available} can be spent." },
    { OPERATION_CAPTURE,
      "{redeemed} points[ and {stamps} stamps] spent[ for {reward}][, worth {worth}][, {given_back} free "
      "again].[ Voucher: {voucher}.][ {shortfall} points were not there.] {available} can be spent." },
    { OPERATION_RELEASE, "{given_back} points are free again. {available} can be spent." },
    { OPERATION_REVERSAL,
      "[outcome=1:Reversed: {taken} points taken, {given_back} given back. {available} can be spent, {debt} "
      "are owed.][outcome=2:There was nothing to reverse.][outcome=3:It was never seen. If it comes yet, it "
      "will be refused.]" },
    { OPERATION_DAY_CLOSE,
      "Close {number}: [state=0:the day is in balance.][state=1:the day is not in balance.][state=2:the day is "
      "open, for the till has more to send.] {purchases} purchases of {purchase_amount}[, {returns} returns of "
      "{return_amount}][, {redemptions} redemptions worth {redeemed_worth}][, {reversals} reversals].[ {late} "
      "came after the close before.]" },
    { OPERATION_ADJUST,
      "The balance changed by {points} points. {available} can be spent[, {debt} are owed]." },
    { OPERATION_BONUS,
      "{points} points given to {card}. {available} can be spent[, {pending} are pending][, {debt} are "
      "owed]." },
    { OPERATION_WRITE_OFF, "{points} points of debt forgiven[, {debt} are still owed]." },
    { OPERATION_AWARD_MOVE,
      "{points} points moved from account {from_account} to account {to_account}. {available} can be spent "
      "there[, {debt} are owed]." },
    { OPERATION_PROGRAMME_SHOW, "{text}" },
    { OPERATION_PROGRAMME_PUBLISH, "Version {version} is in force from {from}." },
    { OPERATION_AUDIT_VERIFY,
      "{blocks} blocks with {events} events are sound, and state matches them.[head=1: The chain leads through "
      "the head that was given, of {head_time}, up to position {head_end}.]" },
    { OPERATION_IDENTITY_ADD,
      "Number {identity} of the register now[: till {store}/{till}][: user {name}]." },
    { OPERATION_IDENTITY_CHANGE,
      "Number {identity} of the register[, till {store}/{till},][, user {name},] is {status}[role>1: as "
      "{role}].[ Connections that were closed: {closed}.]" },
    { OPERATION_APPROVAL_DECIDE,
      "[answer=0:Rejected, nothing is booked: {operation}.][answer>0:Approved and booked: {operation}.]" },
    { OPERATION_FLAG_RESOLVE, "The flag is resolved[, {open} are left]." },
};

/* What a pattern is filled from, and where to. Without a file it is only looked at. */
struct filling {
    const struct cli *cli;
    const struct reply *reply;
    const struct request *request; /* or NULL */
    FILE *out;
    bool says; /* all fields so far say something */
};

static const char *pattern_of(enum operation operation)
{
    for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
        if (sentences[i].operation == operation)
            return sentences[i].pattern;
    }
    return NULL;
}

/* The name that begins at *at, which moves to what ends it. */
static void take_name(const char **at, char out[FIELD_NAME_SIZE])
{
    size_t size = strspn(*at, "abcdefghijklmnopqrstuvwxyz_");
    (void)snprintf(out, FIELD_NAME_SIZE, "%.*s",
                   (int)(size < FIELD_NAME_SIZE - 1 ? size : FIELD_NAME_SIZE - 1), *at);
    *at += size;
}

/* An amount has its currency with it; other values speak for themselves. */
static void print_value(const struct filling *filling, enum message message, const void *in,
                        const struct message_field *field)
{
    json_t *text = field_text(filling->cli, message, in, field);
    (void)fputs(text != NULL ? json_string_value(text) : "", filling->out);
    if (field_sense(message, field) == SENSE_AMOUNT)
        (void)fprintf(filling->out, " %s", filling->cli->info.currency);
    json_decref(text);
}

static void fill_value(struct filling *filling, const char *name)
{
    const struct message_field *field = field_find(filling->reply->message, name);
    const struct request *request = filling->request;
    enum message message = filling->reply->message;
    const void *in = filling->reply->body;
    if (field == NULL && request != NULL) {
        message = request->message;
        in = request->body;
        field = field_find(message, name);
    }
    /* One of the request, which is not known: of a status, say. */
    filling->says = filling->says && field != NULL && field_says(in, field);
    if (field == NULL)
        return;
    if (filling->out != NULL)
        print_value(filling, message, in, field);
}

/* Text with values up to one of the characters that end it. */
static const char *fill_until(struct filling *filling, const char *at, const char *ends)
{
    char name[FIELD_NAME_SIZE];
    while (strchr(ends, *at) == NULL) {
        if (*at != '{') {
            if (filling->out != NULL)
                (void)fputc(*at, filling->out);
            at++;
            continue;
        }
        at++;
        take_name(&at, name);
        fill_value(filling, name);
        at++; /* the closing brace */
    }
    return at;
}

/* field=N:, field>N: or field#N: in front of a group; true, and *at behind it, if there is one. */
static bool take_condition(const struct filling *filling, const char **at, bool *out_holds)
{
    const char *next = *at;
    char name[FIELD_NAME_SIZE];
    char *end;
    take_name(&next, name);
    char kind = *next;
    if (name[0] == '\0' || (kind != '=' && kind != '>' && kind != '#'))
        return false;
    unsigned long wanted = strtoul(next + 1, &end, 10);
    const struct message_field *field = field_find(filling->reply->message, name);
    uint64_t number = (uint64_t)field_number(filling->reply->body, field);
    if (field->kind == FIELD_LIST)
        (void)field_list(filling->reply->body, field, &number);
    if (field->kind == FIELD_BYTES)
        number = field_says(filling->reply->body, field);
    *out_holds = kind == '=' ? number == wanted : kind == '>' ? number > wanted : (number >> wanted & 1) != 0;
    *at = end + 1; /* behind the colon */
    return true;
}

/* What stands between brackets; `at` is behind the first. Returns what is behind the last. */
static const char *fill_group(struct filling *filling, const char *at)
{
    bool holds;
    if (!take_condition(filling, &at, &holds)) {
        struct filling look = *filling;
        look.out = NULL;
        look.says = true;
        (void)fill_until(&look, at, "]");
        holds = look.says;
    }
    struct filling group = *filling;
    group.out = holds ? filling->out : NULL;
    return fill_until(&group, at, "]") + 1;
}

bool sentence_print(const struct cli *cli, const struct reply *reply, const struct request *request)
{
    const char *at = pattern_of((enum operation)reply->head.operation);
    if (at == NULL)
        return false;
    struct filling filling = { .cli = cli, .reply = reply, .request = request, .out = cli->out };
    if (reply->head.replayed)
        (void)fputs("Booked before: ", cli->out);
    while (*at != '\0') {
        at = fill_until(&filling, at, "[");
        if (*at == '[')
            at = fill_group(&filling, at + 1);
    }
    if (reply->head.operation != PUNKT_OPERATION_PROGRAMME_SHOW) /* whose text has its own line ends */
        (void)fputc('\n', cli->out);
    return true;
}
