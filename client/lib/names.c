/* The words of punkt.h for its numbers, and the proof that those numbers are proto's. */
#include <assert.h>
#include <punkt.h>

#include "proto/message.h"

#define RESULT(code, NAME, name, finality, exit_code, text)                                                  \
    static_assert((int)PUNKT_RESULT_##NAME == (int)RESULT_##NAME, "punkt.h lists every result");
#include "proto/results.def"
#undef RESULT

#define OPERATION(code, NAME, name, kind, roles, doc)                                                        \
    static_assert((int)PUNKT_OPERATION_##NAME == (int)OPERATION_##NAME, "punkt.h lists every operation");
#include "proto/operations.def"
#undef OPERATION

#define ROLE(number, NAME, name, letter, doc)                                                                \
    static_assert((int)PUNKT_ROLE_##NAME == (int)ROLE_##NAME, "punkt.h lists every role");
#include "proto/roles.def"
#undef ROLE

static_assert(PUNKT_FLAG_ADVICE == FRAME_FLAG_ADVICE && PUNKT_FLAG_HISTORIC == FRAME_FLAG_HISTORIC,
              "flags are those of the frame");

const char *punkt_result_name(uint32_t code)
{
    if (code == PUNKT_RESULT_DONE)
        return "done";
    const struct result_row *row = result_row(code);
    return row != NULL ? row->name : "refused";
}

const char *punkt_result_text(uint32_t code)
{
    if (code == PUNKT_RESULT_DONE)
        return "done";
    const struct result_row *row = result_row(code);
    return row != NULL ? row->text : "refused for a reason that this version does not know";
}

bool punkt_result_retryable(uint32_t code)
{
    const struct result_row *row = result_row(code);
    return row != NULL && row->retryable;
}

int punkt_result_exit_code(uint32_t code)
{
    if (code == PUNKT_RESULT_DONE)
        return 0;
    const struct result_row *row = result_row(code);
    return row != NULL ? row->exit_code : 1;
}

const char *punkt_call_name(enum punkt_call call)
{
    switch (call) {
    case PUNKT_CALL_DONE:
        return "done";
    case PUNKT_CALL_REFUSED:
        return "refused";
    case PUNKT_CALL_QUEUED:
        return "queued";
    case PUNKT_CALL_NOT_SENT:
        return "not_sent";
    case PUNKT_CALL_UNKNOWN:
        return "unknown";
    case PUNKT_CALL_INVALID:
        return "invalid";
    case PUNKT_CALL_WINDOW_FULL:
        return "window_full";
    case PUNKT_CALL_NO_MEMORY:
        return "no_memory";
    case PUNKT_CALL_NOT_STORED:
        return "not_stored";
    }
    return "unknown"; /* a number that is no enum punkt_call, from the caller */
}

const char *punkt_operation_name(uint32_t operation)
{
    const struct operation_row *row = operation <= UINT16_MAX ? operation_row((uint16_t)operation) : NULL;
    return row != NULL ? row->name : "unknown";
}

const char *punkt_card_status_name(uint32_t status)
{
    static const char *const names[] = { "unknown", "active", "blocked", "replaced", "closed", "suspense" };
    return names[status < sizeof(names) / sizeof(names[0]) ? status : 0];
}

const char *punkt_event_name(uint32_t kind)
{
    static const char *const names[] = {
        [PUNKT_EVENT_TERM] = "term",
        [PUNKT_EVENT_PROGRAMME] = "programme",
        [PUNKT_EVENT_CARDS_ISSUED] = "card_issued",
        [PUNKT_EVENT_PURCHASE] = "purchase",
        [PUNKT_EVENT_RETURN] = "return",
        [PUNKT_EVENT_UNLINKED_RETURN] = "unlinked_return",
        [PUNKT_EVENT_REDEMPTION] = "redemption",
        [PUNKT_EVENT_ADJUSTMENT] = "adjustment",
        [PUNKT_EVENT_REFUSAL] = "refusal",
        [PUNKT_EVENT_TIE] = "tie",
        [PUNKT_EVENT_CLOCK_ACCEPTED] = "clock_accepted",
        [PUNKT_EVENT_DAY] = "day",
        [PUNKT_EVENT_CARD_ADDED] = "card_added",
        [PUNKT_EVENT_CARD_STATUS] = "card_status",
        [PUNKT_EVENT_CARD_REPLACED] = "card_replaced",
        [PUNKT_EVENT_MERGE] = "merge",
        [PUNKT_EVENT_TRANSFER] = "transfer",
        [PUNKT_EVENT_TAGS] = "tags",
        [PUNKT_EVENT_ACTIVATION] = "activation",
        [PUNKT_EVENT_PIN_SET] = "pin_set",
        [PUNKT_EVENT_PIN_TRY] = "pin_try",
        [PUNKT_EVENT_HOLD] = "hold",
        [PUNKT_EVENT_CAPTURE] = "capture",
        [PUNKT_EVENT_RELEASE] = "release",
        [PUNKT_EVENT_REVERSAL] = "reversal",
        [PUNKT_EVENT_TOMBSTONE] = "tombstone",
        [PUNKT_EVENT_BONUS] = "bonus",
        [PUNKT_EVENT_WRITE_OFF] = "write_off",
        [PUNKT_EVENT_AWARD_MOVED] = "award_moved",
        [PUNKT_EVENT_RETURN_WAITING] = "return_waiting",
        [PUNKT_EVENT_DAY_CLOSED] = "day_closed",
        [PUNKT_EVENT_IDENTITY] = "identity",
        [PUNKT_EVENT_PROPOSAL] = "proposal",
        [PUNKT_EVENT_PROPOSAL_ENDED] = "proposal_ended",
        [PUNKT_EVENT_ATTEMPTS] = "attempts",
        [PUNKT_EVENT_ALARM] = "alarm",
        [PUNKT_EVENT_FLAG_RESOLVED] = "flag_resolved",
        [PUNKT_EVENT_SEAL] = "seal",
    };
    const char *name = kind < sizeof(names) / sizeof(names[0]) ? names[kind] : NULL;
    return name != NULL ? name : "event";
}

const char *punkt_role_name(uint32_t role)
{
    return role <= ROLE_COUNT ? role_name((enum role)role) : "";
}

const char *punkt_link_state_name(enum punkt_link_state state)
{
    static const char *const names[] = { "idle", "connecting", "up", "down" };
    return (unsigned)state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

const char *punkt_outbox_state_name(enum punkt_outbox_state state)
{
    static const char *const names[] = { "unknown", "queued", "done", "refused", "dead" };
    return names[(unsigned)state < sizeof(names) / sizeof(names[0]) ? state : 0];
}

const char *punkt_close_state_name(enum punkt_close_state state)
{
    static const char *const names[] = { "in balance", "not in balance", "open", "server not reached" };
    return (unsigned)state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

const char *punkt_version(void)
{
    return PUNKT_VERSION;
}
