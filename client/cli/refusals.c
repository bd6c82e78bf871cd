/*
 * What a refusal looks like, and what can be done about it.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/fields.h"

/* Words of the command `punkt`, so they are here and not in proto. */
static const struct {
    uint32_t code;
    const char *advice;
} advices[] = {
    { PUNKT_RESULT_CONFLICT, "--retry takes the command whose answer was lost, word for word" },
    { PUNKT_RESULT_NOT_PERMITTED, "punkt whoami says who one is here, and what for" },
    { PUNKT_RESULT_UNKNOWN_CARD, "punkt card issue makes it known" },
    { PUNKT_RESULT_CARD_REPLACED, "use the new card; the old number stays replaced" },
    { PUNKT_RESULT_CARD_BLOCKED, "punkt card unblock makes it active again" },
    { PUNKT_RESULT_UNKNOWN_HOLD, "punkt card show lists the open holds" },
    { PUNKT_RESULT_HOLD_ENDED, "what it set aside was given back or spent; make a new one, or redeem" },
    { PUNKT_RESULT_UNKNOWN_PURCHASE, "say store, till and date of the sale" },
    { PUNKT_RESULT_UNLINKED_OFF, "name the sale with --receipt" },
    { PUNKT_RESULT_UNKNOWN_REASON, "punkt programme show lists the reasons" },
    { PUNKT_RESULT_UNKNOWN_REWARD, "punkt programme show lists the rewards" },
    { PUNKT_RESULT_UNKNOWN_OFFER, "punkt programme show lists the offers" },
    { PUNKT_RESULT_NOT_OFFERED, "punkt programme show says when, where and for whom" },
    { PUNKT_RESULT_PIN_NEEDED, "give it with --pin-file or --pin-stdin" },
    { PUNKT_RESULT_PIN_WRONG, "after three wrong ones only punkt card pin unlocks it" },
    { PUNKT_RESULT_PIN_LOCKED, "punkt card pin sets a new one" },
    { PUNKT_RESULT_MORE_THAN_HELD, "capture less, or release it and redeem" },
    { PUNKT_RESULT_NEEDS_APPROVAL, "punkt approval list shows it to those who may approve it" },
    { PUNKT_RESULT_UNKNOWN_VERSION, "punkt programme history lists the versions" },
    { PUNKT_RESULT_INVALID_PROGRAMME, "punkt programme check names every mistake" },
    { PUNKT_RESULT_UNKNOWN_EVENT, "punkt statement lists the positions of events" },
    { PUNKT_RESULT_UNKNOWN_IDENTITY, "punkt till list and punkt user list show the register" },
    { PUNKT_RESULT_CODE_USED,
      "a code is tried three times at most; punkt till rotate and punkt user rotate issue another" },
    { PUNKT_RESULT_UNKNOWN_PROPOSAL, "punkt approval list shows those that are open" },
    { PUNKT_RESULT_PROPOSAL_ENDED, "punkt approval show says what came of it" },
    { PUNKT_RESULT_UNKNOWN_FLAG, "punkt flags list shows those that are open" },
};

const char *refusal_advice(uint32_t code)
{
    for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
        if (advices[i].code == code)
            return advices[i].advice;
    }
    return NULL;
}

static bool has_numbers(const struct punkt_answer *answer)
{
    return answer->call == PUNKT_CALL_REFUSED && (answer->needed != 0 || answer->available != 0);
}

bool refusal_numbers(const struct cli *cli, const struct punkt_answer *answer, char out[REFUSAL_NUMBERS_SIZE])
{
    char needed[POINTS_TEXT_SIZE];
    char available[POINTS_TEXT_SIZE];
    bool stamps = answer->code == PUNKT_RESULT_NOT_ENOUGH_STAMPS;
    if (!has_numbers(answer))
        return false;
    if (stamps) {
        thousandths_text(answer->needed, needed);
        thousandths_text(answer->available, available);
    } else {
        (void)points_text(cli, answer->needed, needed);
        (void)points_text(cli, answer->available, available);
    }
    /* Fewer than the programme takes: the second number is what was asked for, after all cuts. */
    if (answer->code == PUNKT_RESULT_BELOW_MINIMUM)
        (void)snprintf(out, REFUSAL_NUMBERS_SIZE, "at least %s, this comes to %s", needed, available);
    else
        (void)snprintf(out, REFUSAL_NUMBERS_SIZE, "%s needed, %s available", needed, available);
    return true;
}

/* The number of the proposal that a request became: its detail begins "proposal N"; 0: it became none. */
static uint64_t proposal_of(const struct punkt_answer *answer)
{
    static const char before[] = "proposal ";
    bool proposed = answer->call == PUNKT_CALL_REFUSED && answer->code == PUNKT_RESULT_NEEDS_APPROVAL &&
                    answer->detail != NULL && strncmp(answer->detail, before, strlen(before)) == 0;
    return proposed ? strtoull(answer->detail + strlen(before), NULL, 10) : 0;
}

/* A detail that has the sentence in it, or that knows better: a code that the server does not accept was mistyped, rather. */
static bool tells_all(const struct punkt_answer *answer)
{
    return answer->detail != NULL && answer->detail[0] != '\0' &&
           (answer->code == PUNKT_RESULT_CODE_USED || strstr(answer->detail, answer->text) != NULL);
}

json_t *refusal_json(const struct punkt_answer *answer, const char *retry)
{
    char message[768];
    bool more = answer->detail != NULL && answer->detail[0] != '\0';
    int length = snprintf(message, sizeof(message), "%s%s%s", tells_all(answer) ? "" : answer->text,
                          more && !tells_all(answer) ? ": " : "", more ? answer->detail : "");
    bool unheard = answer->call == PUNKT_CALL_NOT_SENT || answer->call == PUNKT_CALL_UNKNOWN;
    if (length < 0 || (size_t)length >= sizeof(message))
        (void)snprintf(message, sizeof(message), "%s", answer->text);
    json_t *inside = json_pack("{s:s,s:s,s:b}", "code", answer->name, "message", message, "retryable",
                               answer->retryable || unheard);
    if (inside != NULL && retry != NULL)
        (void)json_object_set_new(inside, "retry", json_string(retry));
    uint64_t proposal = proposal_of(answer);
    if (inside != NULL && proposal != 0)
        (void)json_object_set_new(inside, "proposal", json_integer((json_int_t)proposal));
    if (inside != NULL && has_numbers(answer)) {
        (void)json_object_set_new(inside, "needed", json_integer(answer->needed));
        (void)json_object_set_new(inside, "available", json_integer(answer->available));
    }
    return inside;
}
