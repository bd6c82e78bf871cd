/*
 * The rows of operations, roles and results, from their tables.
 */
#include <assert.h>
#include <string.h>

#include "proto/message.h"

#define OPERATION(code, NAME, name, kind, roles, doc)                                                        \
    static_assert(sizeof(roles) == ROLE_COUNT + 1, "a place for each role");
#include "proto/operations.def"
#undef OPERATION

const struct operation_row *operation_row(uint16_t code)
{
#define OPERATION(code_, NAME, name_, kind_, roles_, doc_)                                                   \
    static const struct operation_row name_##_row = { .code = (code_),                                       \
                                                      .name = #name_,                                        \
                                                      .doc = doc_,                                           \
                                                      .kind = OPERATION_KIND_##kind_,                        \
                                                      .roles = roles_,                                       \
                                                      .request = MESSAGE_##name_##_request,                  \
                                                      .answer = MESSAGE_##name_##_answer };
#include "proto/operations.def"
#undef OPERATION
    switch (code) {
#define OPERATION(code_, NAME, name_, kind_, roles_, doc_)                                                   \
    case code_:                                                                                              \
        return &name_##_row;
#include "proto/operations.def"
#undef OPERATION
    default:
        return NULL;
    }
}

bool operation_allows(const struct operation_row *row, enum role role)
{
    static const char letters[ROLE_COUNT] = {
#define ROLE(number, NAME, name, letter, doc) [ROLE_##NAME - 1] = (letter),
#include "proto/roles.def"
#undef ROLE
    };
    return role >= 1 && role <= ROLE_COUNT && row->roles[role - 1] == letters[role - 1];
}

static const char *const role_names[ROLE_COUNT + 1] = {
    [ROLE_NONE] = "",
#define ROLE(number, NAME, name, letter, doc) [ROLE_##NAME] = #name,
#include "proto/roles.def"
#undef ROLE
};

const char *role_name(enum role role)
{
    return role <= ROLE_COUNT ? role_names[role] : "";
}

enum role role_by_name(const char *name, size_t size)
{
    for (unsigned role = 1; role <= ROLE_COUNT; role++) {
        if (strlen(role_names[role]) == size && memcmp(role_names[role], name, size) == 0)
            return (enum role)role;
    }
    return ROLE_NONE;
}

bool operation_takes_secret(enum operation operation)
{
    return operation == OPERATION_PURCHASE || operation == OPERATION_REDEEM || operation == OPERATION_HOLD ||
           operation == OPERATION_CARD_PIN;
}

const struct result_row *result_row(uint64_t code)
{
#define FINAL false
#define RETRY true
    static const struct result_row rows[] = {
#define RESULT(code_, NAME, name_, finality, exit_code_, text_)                                              \
    { .code = (code_), .name = #name_, .text = text_, .retryable = finality, .exit_code = exit_code_ },
#include "proto/results.def"
#undef RESULT
    };
#undef FINAL
#undef RETRY
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if ((uint64_t)rows[i].code == code)
            return &rows[i];
    }
    return NULL;
}
