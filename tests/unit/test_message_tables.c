/*
 * What the codec takes for granted about messages.def, operations.def and results.def.
 */
#include "proto/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "messages.h"

/* One code used twice, by an operation or a reservation, does not compile. */
enum code_taken {
#define OPERATION(code, NAME, name, kind, roles, doc) CODE_TAKEN_##code = (code),
#include "proto/operations.def"
#undef OPERATION
};

enum result_taken {
#define RESULT(code, NAME, name, finality, exit_code, text) RESULT_TAKEN_##code = (code),
#include "proto/results.def"
#undef RESULT
};

static size_t uint_size(uint64_t value)
{
    size_t size = 1;
    for (; value > 127; value >>= 7)
        size++;
    return size;
}

static size_t value_size_max(const struct message_field *field)
{
    switch (field->kind) {
    case FIELD_UINT:
        return uint_size(field->limit);
    case FIELD_SINT:
        return uint_size(field->limit * 2);
    case FIELD_FIXED:
        return 8;
    case FIELD_HASH16:
        return 16;
    case FIELD_HASH32:
        return 32;
    case FIELD_CARD:
    case FIELD_CODE:
        return 1 + (size_t)field->limit;
    case FIELD_TEXT:
    case FIELD_TEXT_BLOCK:
    case FIELD_BYTES:
        return uint_size(field->limit) + (size_t)field->limit;
    case FIELD_LIST:
        break;
    }
    fail();
    return 0;
}

static size_t message_size_max(enum message message);

static size_t field_size_max(const struct message_field *field)
{
    if (field->kind != FIELD_LIST)
        return value_size_max(field);
    size_t element = message_size_max(field->element);
    return uint_size(field->limit) + (size_t)field->limit * (uint_size(element) + element);
}

static size_t message_size_max(enum message message)
{
    const struct message_table *table = &message_tables[message];
    size_t size = 0;
    for (size_t i = 0; i < table->field_count; i++)
        size += field_size_max(&table->fields[i]);
    return size;
}

/* Of an answer as it is booked: the text for a receipt is added when it leaves. */
static size_t stored_size_max(enum message message)
{
    const struct message_table *table = &message_tables[message];
    const struct message_field *last = &table->fields[table->field_count - 1];
    bool text = last->kind == FIELD_LIST && last->element == MESSAGE_text_line;
    return message_size_max(message) - (text ? field_size_max(last) : 0);
}

static void check_field(enum message message, size_t index)
{
    const struct message_table *table = &message_tables[message];
    const struct message_field *field = &table->fields[index];
    assert_true(strlen(field->name) > 0);
    assert_true(strlen(field->doc) > 0);
    /* It stands in a table of PROTOCOL.md and in a string of punkt.lua. */
    assert_null(strpbrk(field->doc, "|\"\\\n"));
    if (index > 0 && field->required)
        assert_true(table->fields[index - 1].required);
    for (size_t i = 0; i < index; i++)
        assert_string_not_equal(table->fields[i].name, field->name);
    assert_true(field->offset < table->struct_size);
    if (field->required)
        assert_true(field->preset == 0);
    switch (field->kind) {
    case FIELD_UINT:
        assert_true(field->preset <= field->limit);
        break;
    case FIELD_SINT:
        assert_true(field->limit <= INT64_MAX);
        assert_true((int64_t)field->preset <= (int64_t)field->limit);
        assert_true((int64_t)field->preset >= -(int64_t)field->limit);
        break;
    case FIELD_HASH16:
    case FIELD_HASH32:
        assert_true(field->required); /* no bytes of a hash say "none" */
        break;
    case FIELD_CARD:
    case FIELD_CODE:
        assert_in_range(field->limit, 1, WIRE_CODE_MAX);
        assert_true(field->preset == 0);
        break;
    case FIELD_TEXT:
    case FIELD_TEXT_BLOCK:
    case FIELD_BYTES:
        assert_true(field->limit > 0 && field->limit <= FRAME_BODY_MAX);
        assert_true(field->preset == 0);
        break;
    case FIELD_LIST:
        assert_true(field->limit > 0);
        assert_true(field->element < message); /* stands before it */
        break;
    case FIELD_FIXED:
        break;
    }
}

static void fields_keep_the_rules(void **state)
{
    (void)state;
    for (enum message message = 0; message < MESSAGE_COUNT; message++) {
        const struct message_table *table = &message_tables[message];
        assert_true(table->struct_size <= sizeof(union any_message));
        for (enum message other = 0; other < message; other++)
            assert_string_not_equal(message_tables[other].name, table->name);
        for (size_t i = 0; i < table->field_count; i++)
            check_field(message, i);
    }
}

static void elements_are_flat_and_fit(void **state)
{
    (void)state;
    for (enum message message = 0; message < MESSAGE_COUNT; message++) {
        const struct message_table *table = &message_tables[message];
        for (size_t i = 0; i < table->field_count; i++) {
            if (table->fields[i].kind != FIELD_LIST)
                continue;
            const struct message_table *element = &message_tables[table->fields[i].element];
            for (size_t k = 0; k < element->field_count; k++)
                assert_int_not_equal(element->fields[k].kind, FIELD_LIST);
            /* The decoder counts on two bytes an element at least. */
            assert_true(element->field_count > 0 && element->fields[0].required);
            assert_in_range(message_size_max(table->fields[i].element), 1, MESSAGE_ELEMENT_SIZE_MAX);
        }
    }
}

static void messages_fit_into_frames(void **state)
{
    (void)state;
    for (enum message message = 0; message < MESSAGE_COUNT; message++)
        assert_in_range(message_size_max(message), 0, FRAME_BODY_MAX);
    assert_in_range(message_size_max(MESSAGE_hello_request), 1, FRAME_BODY_MAX_BEFORE_HELLO);
}

static uint64_t answer_limit(enum message message)
{
    for (size_t i = 0; i < message_tables[message].field_count; i++) {
        if (strcmp(message_tables[message].fields[i].name, "answer") == 0)
            return message_tables[message].fields[i].limit;
    }
    fail_msg("%s holds no answer", message_tables[message].name);
    return 0;
}

/* A status hands the first answer of a change on, whatever change it was; an approval that of what it books. */
static void answers_of_changes_fit_into_a_status(void **state)
{
    (void)state;
    uint64_t status = answer_limit(MESSAGE_status_answer),
             approval = answer_limit(MESSAGE_approval_decide_answer);
    assert_in_range(message_size_max(MESSAGE_refusal), 1, status);
    for (uint16_t code = 0; code <= FRAME_TYPE_OPERATION; code++) {
        const struct operation_row *row = operation_row(code);
        if (row == NULL || row->kind != OPERATION_KIND_CHANGE)
            continue;
        assert_in_range(stored_size_max(row->answer), 1, status);
        if (code != OPERATION_APPROVAL_DECIDE)
            assert_in_range(stored_size_max(row->answer), 1, approval);
    }
}

static void operations_have_their_messages(void **state)
{
    (void)state;
    static const struct {
        uint32_t code;
        const char *name;
    } rows[] = {
#define OPERATION(code_, NAME, name_, kind, roles, doc) { code_, #name_ },
#include "proto/operations.def"
#undef OPERATION
    };
    size_t known = 0, rows_known = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_in_range(rows[i].code, 1, FRAME_TYPE_OPERATION);
        const struct operation_row *row = operation_row((uint16_t)rows[i].code);
        rows_known++;
        assert_non_null(row);
        assert_int_equal(row->code, rows[i].code);
        assert_string_equal(row->name, rows[i].name);
        assert_true(strlen(row->doc) > 0);
        size_t length = strlen(row->name);
        assert_memory_equal(message_tables[row->request].name, row->name, length);
        assert_string_equal(message_tables[row->request].name + length, "_request");
        assert_memory_equal(message_tables[row->answer].name, row->name, length);
        assert_string_equal(message_tables[row->answer].name + length, "_answer");
    }
    for (uint32_t code = 0; code <= UINT16_MAX; code++)
        known += operation_row((uint16_t)code) != NULL;
    assert_int_equal(known, rows_known);
}

/* What the roles column must leave to whom (RELIABILITY.md, Identity, roles). */
static void roles_are_kept_apart(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= UINT16_MAX; code++) {
        const struct operation_row *row = operation_row((uint16_t)code);
        if (row == NULL)
            continue;
        bool change = row->kind == OPERATION_KIND_CHANGE;
        bool decides = code == OPERATION_APPROVAL_DECIDE;
        bool keeps = code == OPERATION_IDENTITY_ADD || code == OPERATION_IDENTITY_CHANGE ||
                     code == OPERATION_CLOCK_ACCEPT;
        bool may[ROLE_COUNT + 1];
        for (uint32_t role = 1; role <= ROLE_COUNT; role++)
            may[role] = operation_allows(row, (enum role)role);
        assert_int_equal(may[ROLE_ADMIN], code != OPERATION_ENROL); /* whoever has a code has no role yet */
        assert_int_equal(may[ROLE_AUDITOR] && change, 0);
        assert_int_equal(may[ROLE_APPROVER] && change, decides);
        assert_int_equal(may[ROLE_OFFICE] && change, change && !decides && !keeps);
        assert_true(may[ROLE_SUPERVISOR] || !may[ROLE_TILL]);
        assert_true(may[ROLE_OFFICE] || !may[ROLE_SUPERVISOR]);
    }
    static const uint16_t not_of_tills[] = { OPERATION_CARD_BLOCK,     OPERATION_CARD_REPLACE,
                                             OPERATION_CARD_ADD,       OPERATION_CARD_PIN,
                                             OPERATION_STATEMENT,      OPERATION_WHY,
                                             OPERATION_UNLINKED_RETURN };
    for (size_t i = 0; i < sizeof(not_of_tills) / sizeof(not_of_tills[0]); i++) {
        const struct operation_row *row = operation_row(not_of_tills[i]);
        assert_false(operation_allows(row, ROLE_TILL));
        assert_true(operation_allows(row, ROLE_SUPERVISOR));
    }
}

static void results_are_known_by_code(void **state)
{
    (void)state;
    static const struct {
        uint64_t code;
        const char *name;
        const char *text;
    } rows[] = {
#define RESULT(code_, NAME, name_, finality, exit_code, text_) { code_, #name_, text_ },
#include "proto/results.def"
#undef RESULT
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_in_range(rows[i].code, 1, UINT16_MAX);
        const struct result_row *row = result_row(rows[i].code);
        assert_non_null(row);
        assert_int_equal(row->code, rows[i].code); /* nobody before it has this code */
        assert_string_equal(row->name, rows[i].name);
        assert_string_equal(row->text, rows[i].text);
        assert_in_range(row->exit_code, 1, 6);
        assert_true(row->retryable ==
                    (row->exit_code == 6)); /* only what may be tried again was not decided */
    }
    assert_null(result_row(RESULT_DONE));
    assert_null(result_row(UINT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_keep_the_rules),
        cmocka_unit_test(elements_are_flat_and_fit),
        cmocka_unit_test(messages_fit_into_frames),
        cmocka_unit_test(answers_of_changes_fit_into_a_status),
        cmocka_unit_test(operations_have_their_messages),
        cmocka_unit_test(roles_are_kept_apart),
        cmocka_unit_test(results_are_known_by_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
