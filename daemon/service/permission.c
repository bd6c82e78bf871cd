/*
 * Who may ask for what (RELIABILITY.md, Identity, roles). By role, the one table is the roles column of operations.def; then
 * a till's request may name only what is the till's own, whatever message names it.
 */
#include <assert.h>
#include <string.h>

#include "service/internal.h"

enum role request_role(const struct request *request)
{
    return register_role(request->service, request->identity);
}

uint64_t identity_named(const struct request *request, uint64_t named)
{
    return named != 0 ? named : request->identity;
}

/* --- what a till may name --- */

static bool is_code(const void *value, struct text own)
{
    return text_equal(text_of_code(value), own);
}

static bool own_store(const struct registered *who, const void *value)
{
    return is_code(value, who->identity.store);
}

static bool own_till(const struct registered *who, const void *value)
{
    return is_code(value, who->identity.till);
}

static uint64_t number_of(const void *value)
{
    uint64_t number;
    memcpy(&number, value, sizeof(number));
    return number;
}

static bool own_identity(const struct registered *who, const void *value)
{
    uint64_t number = number_of(value);
    return number == 0 || number == who->identity.number;
}

static bool one_card(const struct registered *who, const void *value)
{
    (void)who;
    return number_of(value) <= 1;
}

/* By the name of a field, so that a message that comes later is bound without another word. */
struct till_rule {
    const char *field;
    enum field_kind kind;
    bool (*fits)(const struct registered *who, const void *value);
    const char *detail;
};
static const struct till_rule till_rules[] = {
    { "store", FIELD_CODE, own_store, "a till names its own store only" },
    { "till", FIELD_CODE, own_till, "a till names itself only" },
    { "identity", FIELD_UINT, own_identity, "a till asks about its own requests only" },
    { "count", FIELD_UINT, one_card, "a till issues one card at a time" },
};
static_assert(COUNT_OF(till_rules) == TILL_RULES, "each may bind a field of a message");

static const struct till_rule *rule_of(const struct message_field *field)
{
    for (size_t i = 0; i < COUNT_OF(till_rules); i++) {
        if (strcmp(till_rules[i].field, field->name) == 0)
            return &till_rules[i];
    }
    return NULL;
}

void permission_open(struct service *service)
{
    for (size_t message = 0; message < MESSAGE_COUNT; message++) {
        struct till_fields *fields = &service->till_fields[message];
        const struct message_table *table = &message_tables[message];
        for (size_t i = 0; i < table->field_count; i++) {
            const struct till_rule *rule = rule_of(&table->fields[i]);
            if (rule == NULL || rule->kind != table->fields[i].kind)
                continue;
            PUNKT_CHECK(fields->count < TILL_RULES); /* no message has a name twice */
            fields->of[fields->count].rule = (uint32_t)(rule - till_rules);
            fields->of[fields->count++].offset = table->fields[i].offset;
        }
    }
}

static bool till_may(const struct request *request, const char **out_detail)
{
    const struct till_fields *fields = &request->service->till_fields[request->row->request];
    const struct registered *who = register_by_number(request->service, request->identity);
    for (uint32_t i = 0; i < fields->count; i++) {
        const struct till_rule *rule = &till_rules[fields->of[i].rule];
        *out_detail = rule->detail;
        if (!rule->fits(who, (const uint8_t *)request->message + fields->of[i].offset))
            return false;
    }
    return true;
}

/* --- all roles --- */

static bool role_may(const struct request *request, enum role role, const char **out_detail)
{
    static const char *const details[] = {
        [ROLE_NONE] = "this identity may nothing: it is suspended, revoked or not enrolled",
#define ROLE(number, NAME, name, letter, doc) [number] = "not for the role " #name,
#include "proto/roles.def"
#undef ROLE
    };
    *out_detail = details[role];
    return operation_allows(request->row, role);
}

bool permitted_role(const struct request *request, const char **out_detail)
{
    return role_may(request, request_role(request), out_detail);
}

bool permitted(const struct request *request, const char **out_detail)
{
    enum role role = request_role(request);
    if (!role_may(request, role, out_detail))
        return false;
    *out_detail = "only the office imports what is historic";
    if ((request->flags & FRAME_FLAG_HISTORIC) != 0 && role != ROLE_OFFICE && role != ROLE_ADMIN)
        return false;
    return role != ROLE_TILL || till_may(request, out_detail);
}

void refuse_not_permitted(struct request *request, const char *detail)
{
    /* Who was suspended while a change waited is not remembered as refused: resumed, it sends the same again. */
    if (request->row->kind == OPERATION_KIND_CHANGE && request_role(request) != ROLE_NONE) {
        refuse(request, RESULT_NOT_PERMITTED, detail);
        return;
    }
    struct actor_name who = actor_name(request->service, request->identity);
    attempt_count(request->service, ATTEMPT_NOT_PERMITTED, text_of(who.text), request->identity,
                  request->row->name);
    refuse_now(request, RESULT_NOT_PERMITTED, detail);
}
