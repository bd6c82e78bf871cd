/*
 * Every field of every message against bytes written by hand: what is a value, what is none, and the habits
 * that the tables must keep.
 */
#include "proto/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "messages.h"

static union any_message out;
static _Alignas(max_align_t) uint8_t memory_bytes[1024 * 1024];
static uint8_t body[128 * 1024];

static bool decodes(enum message message, const struct wire_writer *bytes, const char **out_field)
{
    assert_false(bytes->failed);
    size_t size = wire_written(bytes);
    uint8_t *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes->begin, size);
    struct message_memory memory = { .at = memory_bytes, .left = sizeof(memory_bytes) };
    bool decoded = message_decode(message, copy, size, &memory, &out, out_field);
    free(copy);
    return decoded;
}

/* The shortest bytes that a field may have. */
static void put_least(struct wire_writer *writer, const struct message_field *field)
{
    static const uint8_t zeros[32];
    switch (field->kind) {
    case FIELD_UINT:
    case FIELD_SINT:
    case FIELD_CODE:
    case FIELD_TEXT:
    case FIELD_TEXT_BLOCK:
    case FIELD_BYTES:
    case FIELD_LIST:
        wire_write_bytes(writer, zeros, 1);
        break;
    case FIELD_FIXED:
        wire_write_bytes(writer, zeros, 8);
        break;
    case FIELD_HASH16:
        wire_write_bytes(writer, zeros, 16);
        break;
    case FIELD_HASH32:
        wire_write_bytes(writer, zeros, 32);
        break;
    case FIELD_CARD:
        if (field->required)
            wire_write_bytes(writer, "\x81\x1F", 2);
        else
            wire_write_bytes(writer, zeros, 1);
        break;
    }
}

static void put_least_of(struct wire_writer *writer, const struct message_table *table, size_t begin,
                         size_t end)
{
    for (size_t i = begin; i < end; i++)
        put_least(writer, &table->fields[i]);
}

static size_t required_count(const struct message_table *table)
{
    size_t count = 0;
    while (count < table->field_count && table->fields[count].required)
        count++;
    return count;
}

/* A run of bytes in the place of one field. */
struct form {
    const char *what;
    uint8_t bytes[70 * 1024];
    size_t size;
    bool valid;
};

/*
 * Decodes a message whose field has these bytes and whose other fields are the least there can be. A field of
 * an element stands in a list of one.
 */
static void judge(enum message message, size_t index, const struct form *form)
{
    const struct message_table *table = &message_tables[message];
    struct wire_writer writer = wire_writer_over(body, sizeof(body));
    size_t required = required_count(table);
    put_least_of(&writer, table, 0, index);
    wire_write_bytes(&writer, form->bytes, form->size);
    if (index < required)
        put_least_of(&writer, table, index + 1, required);
    const char *field = NULL;
    bool decoded = decodes(message, &writer, &field);
    if (decoded != form->valid)
        fail_msg("%s.%s: %s is %s", table->name, table->fields[index].name, form->what,
                 decoded ? "decoded" : "refused");
    if (!decoded)
        assert_string_equal(field, table->fields[index].name);
}

/* The message that holds a list of this element, and which field the list is; false if it is no element. */
static bool holder_of(enum message element, enum message *out_holder, size_t *out_index)
{
    for (enum message message = 0; message < MESSAGE_COUNT; message++) {
        const struct message_table *table = &message_tables[message];
        for (size_t i = 0; i < table->field_count; i++) {
            if (table->fields[i].kind == FIELD_LIST && table->fields[i].element == element) {
                *out_holder = message;
                *out_index = i;
                return true;
            }
        }
    }
    return false;
}

static void judge_in_list(enum message element, size_t index, const struct form *form)
{
    enum message holder;
    size_t list;
    if (!holder_of(element, &holder, &list))
        return;
    const struct message_table *table = &message_tables[element];
    static uint8_t inner[sizeof(body)];
    struct wire_writer element_writer = wire_writer_over(inner, sizeof(inner));
    put_least_of(&element_writer, table, 0, index);
    wire_write_bytes(&element_writer, form->bytes, form->size);
    if (index < required_count(table))
        put_least_of(&element_writer, table, index + 1, required_count(table));
    struct wire_writer writer = wire_writer_over(body, sizeof(body));
    put_least_of(&writer, &message_tables[holder], 0, list);
    wire_write_uint(&writer, 1);
    wire_write_uint(&writer, wire_written(&element_writer));
    wire_write_bytes(&writer, inner, wire_written(&element_writer));
    const char *field = NULL;
    bool decoded = decodes(holder, &writer, &field);
    if (decoded != form->valid)
        fail_msg("%s.%s in a list: %s is %s", table->name, table->fields[index].name, form->what,
                 decoded ? "decoded" : "refused");
    if (!decoded)
        assert_string_equal(field, table->fields[index].name);
}

static struct form form;

static struct wire_writer begin_form(void)
{
    return wire_writer_over(form.bytes, sizeof(form.bytes));
}

static void judge_form(enum message message, size_t index, const char *what, const struct wire_writer *writer,
                       bool valid)
{
    assert_false(writer->failed);
    form.what = what;
    form.size = wire_written(writer);
    form.valid = valid;
    judge(message, index, &form);
    judge_in_list(message, index, &form);
}

static void judge_bytes(enum message message, size_t index, const char *what, const void *bytes, size_t size,
                        bool valid)
{
    struct wire_writer writer = begin_form();
    wire_write_bytes(&writer, bytes, size);
    judge_form(message, index, what, &writer, valid);
}

static void judge_uint(enum message message, size_t index, const char *what, uint64_t value, bool valid)
{
    struct wire_writer writer = begin_form();
    wire_write_uint(&writer, value);
    judge_form(message, index, what, &writer, valid);
}

static void judge_sint(enum message message, size_t index, const char *what, int64_t value, bool valid)
{
    struct wire_writer writer = begin_form();
    wire_write_sint(&writer, value);
    judge_form(message, index, what, &writer, valid);
}

static void judge_numbers(enum message message, size_t index, const struct message_field *field)
{
    judge_bytes(message, index, "a number without end", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11,
                false);
    judge_bytes(message, index, "a zero of two bytes", "\x80\x00", 2, false);
    judge_bytes(message, index, "a one of two bytes", "\x81\x00", 2, false);
    if (field->kind == FIELD_UINT) {
        judge_uint(message, index, "the limit", field->limit,
                   field->required || field->limit != field->preset);
        if (field->limit < UINT64_MAX)
            judge_uint(message, index, "more than the limit", field->limit + 1, false);
        return;
    }
    int64_t limit = (int64_t)field->limit;
    judge_sint(message, index, "the limit", limit, true);
    judge_sint(message, index, "less than nothing by the limit", -limit, true);
    judge_sint(message, index, "more than the limit below zero", -limit - 1, false);
    if (limit < INT64_MAX)
        judge_sint(message, index, "more than the limit", limit + 1, false);
}

static void judge_codes(enum message message, size_t index, const struct message_field *field)
{
    bool card = field->kind == FIELD_CARD;
    judge_bytes(message, index, "digits", "\x83\x12\x3F", 3, true);
    judge_bytes(message, index, "letters", "\x02R1", 3, true);
    judge_bytes(message, index, "32 digits",
                "\xA0\x01\x23\x45\x67\x89\x01\x23\x45\x67\x89\x01\x23\x45\x67\x89\x01", 17, true);
    judge_bytes(message, index, "33 digits",
                "\xA1\x01\x23\x45\x67\x89\x01\x23\x45\x67\x89\x01\x23\x45\x67\x89\x01\x2F", 18, false);
    judge_bytes(message, index, "33 letters", "\x21zbcdefghijklmnopqrstuvwxyzabcdefg", 34, false);
    judge_bytes(message, index, "unpacked digits", "\x03\x31\x32\x33", 4, false);
    judge_bytes(message, index, "no digits, packed", "\x80", 1, false);
    judge_bytes(message, index, "a digit above nine", "\x82\x1A", 2, false);
    judge_bytes(message, index, "an odd end without F", "\x81\x10", 2, false);
    judge_bytes(message, index, "a control character", "\x02R\n", 3, false);
    judge_bytes(message, index, "no UTF-8", "\x02R\xFF", 3, false);
    judge_bytes(message, index, "a blank", "\x03R 1", 4, !card);
    judge_bytes(message, index, "a letter of two bytes", "\x03R\xC3\xA4", 4, !card);
    if (card)
        judge_bytes(message, index, "no card", "\x00", 1, false);
}

static void judge_size(enum message message, size_t index, const char *what, uint64_t size, bool valid)
{
    struct wire_writer writer = begin_form();
    wire_write_uint(&writer, size);
    for (uint64_t i = 0; i < size; i++)
        wire_write_u8(&writer, 'x');
    judge_form(message, index, what, &writer, valid);
}

static void judge_texts(enum message message, size_t index, const struct message_field *field)
{
    bool bytes = field->kind == FIELD_BYTES;
    judge_size(message, index, "the longest", field->limit, true);
    judge_size(message, index, "a longer one", field->limit + 1, false);
    judge_bytes(message, index, "a size in two bytes", "\x82\x00xx", 4, false);
    judge_bytes(message, index, "a size nobody can have", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 10,
                false);
    judge_bytes(message, index, "UTF-8", "\x03\xE2\x82\xAC", 4, true);
    judge_bytes(message, index, "no UTF-8", "\x03\xE2\x82x", 4, bytes);
    judge_bytes(message, index, "NUL", "\x03x\x00x", 4, bytes);
    judge_bytes(message, index, "a carriage return", "\x03x\rx", 4, field->kind != FIELD_TEXT);
    judge_bytes(message, index, "a line end", "\x03x\nx", 4, field->kind != FIELD_TEXT);
    judge_bytes(message, index, "a tab", "\x03x\tx", 4, field->kind != FIELD_TEXT);
    judge_bytes(message, index, "a line end behind half a letter", "\x03\xE2\x82\n", 4, bytes);
}

static void judge_lists(enum message message, size_t index, const struct message_field *field)
{
    const struct message_table *element = &message_tables[field->element];
    struct wire_writer least = wire_writer_over(memory_bytes, 256);
    put_least_of(&least, element, 0, required_count(element));
    size_t least_size = wire_written(&least);
    uint8_t element_bytes[256];
    memcpy(element_bytes, memory_bytes, least_size);
    for (uint64_t count = field->limit; count <= field->limit + 1; count++) {
        struct wire_writer writer = begin_form();
        wire_write_uint(&writer, count);
        for (uint64_t i = 0; i < count; i++) {
            wire_write_uint(&writer, least_size);
            wire_write_bytes(&writer, element_bytes, least_size);
        }
        judge_form(message, index, count == field->limit ? "the longest" : "a longer one", &writer,
                   count == field->limit);
    }
    /* An element of a newer peer, and one that is cut. */
    struct wire_writer writer = begin_form();
    wire_write_uint(&writer, 1);
    size_t whole = element->field_count;
    uint8_t newer[256];
    struct wire_writer newer_writer = wire_writer_over(newer, sizeof(newer));
    put_least_of(&newer_writer, element, 0, whole);
    wire_write_bytes(&newer_writer, "newer", 5);
    wire_write_uint(&writer, wire_written(&newer_writer));
    wire_write_bytes(&writer, newer, wire_written(&newer_writer));
    judge_form(message, index, "an element with a tail", &writer, true);
    judge_bytes(message, index, "an element of more bytes than there are", "\x01\x7Fxxxx", 6, false);
    judge_bytes(message, index, "a count in two bytes", "\x81\x00\x01\x00", 4, false);
    judge_bytes(message, index, "a count without elements", "\x01", 1, false);
}

static void only_values_in_their_one_form_are_taken(void **state)
{
    (void)state;
    for (enum message message = 0; message < MESSAGE_COUNT; message++) {
        const struct message_table *table = &message_tables[message];
        for (size_t i = 0; i < table->field_count; i++) {
            const struct message_field *field = &table->fields[i];
            switch (field->kind) {
            case FIELD_UINT:
            case FIELD_SINT:
                judge_numbers(message, i, field);
                break;
            case FIELD_CARD:
            case FIELD_CODE:
                judge_codes(message, i, field);
                break;
            case FIELD_TEXT:
            case FIELD_TEXT_BLOCK:
            case FIELD_BYTES:
                judge_texts(message, i, field);
                break;
            case FIELD_LIST:
                judge_lists(message, i, field);
                break;
            case FIELD_FIXED:
            case FIELD_HASH16:
            case FIELD_HASH32:
                break; /* any bytes are a value */
            }
        }
    }
}

/* A count is judged before memory is taken: a frame of a few bytes cannot ask for much. */
static void counts_that_cannot_be_true_take_no_memory(void **state)
{
    (void)state;
    for (enum message message = 0; message < MESSAGE_COUNT; message++) {
        const struct message_table *table = &message_tables[message];
        for (size_t i = 0; i < table->field_count; i++) {
            if (table->fields[i].kind != FIELD_LIST)
                continue;
            const uint64_t counts[] = { 2, table->fields[i].limit, table->fields[i].limit + 1, UINT64_MAX };
            for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
                struct wire_writer writer = wire_writer_over(body, sizeof(body));
                put_least_of(&writer, table, 0, i);
                wire_write_uint(&writer, counts[k]);
                wire_write_bytes(&writer, "\x01\x00\x01", 3);
                struct message_memory memory = { .at = memory_bytes, .left = sizeof(memory_bytes) };
                const char *field = NULL;
                assert_false(message_decode(message, body, wire_written(&writer), &memory, &out, &field));
                assert_string_equal(field, table->fields[i].name);
                assert_int_equal(memory.left, sizeof(memory_bytes));
            }
        }
    }
}

/* The bytes of an OPTIONAL field at its preset. */
static void put_preset(struct wire_writer *writer, const struct message_field *field)
{
    if (field->kind == FIELD_UINT)
        wire_write_uint(writer, field->preset);
    else if (field->kind == FIELD_SINT)
        wire_write_sint(writer, (int64_t)field->preset);
    else
        put_least(writer, field);
}

static void a_trailing_preset_is_refused(void **state)
{
    (void)state;
    for (enum message message = 0; message < MESSAGE_COUNT; message++) {
        const struct message_table *table = &message_tables[message];
        for (size_t i = required_count(table); i < table->field_count; i++) {
            struct wire_writer writer = begin_form();
            put_preset(&writer, &table->fields[i]);
            judge_form(message, i, "a preset at the end", &writer, false);
        }
    }
}

static void what_a_newer_peer_adds_is_skipped(void **state)
{
    (void)state;
    for (enum message message = 0; message < MESSAGE_COUNT; message++) {
        const struct message_table *table = &message_tables[message];
        struct wire_writer writer = wire_writer_over(body, sizeof(body));
        put_least_of(&writer, table, 0, table->field_count);
        for (int tail = 1; tail < 300; tail++) {
            wire_write_u8(&writer, (uint8_t)(0xFF - tail));
            const char *field = NULL;
            if (!decodes(message, &writer, &field))
                fail_msg("%s with a tail of %d bytes is refused: %s", table->name, tail, field);
        }
    }
}

static void every_required_field_is_required(void **state)
{
    (void)state;
    for (enum message message = 0; message < MESSAGE_COUNT; message++) {
        const struct message_table *table = &message_tables[message];
        for (size_t i = 0; i < table->field_count; i++) {
            struct wire_writer writer = wire_writer_over(body, sizeof(body));
            put_least_of(&writer, table, 0, i);
            const char *field = NULL;
            if (!table->fields[i].required)
                break;
            assert_false(decodes(message, &writer, &field));
            assert_string_equal(field, table->fields[i].name);
        }
    }
}

/* What is over a limit is not sent either. */
static void values_over_a_limit_are_not_encoded(void **state)
{
    (void)state;
    struct random random = random_seeded();
    static _Alignas(max_align_t) uint8_t bytes[32 * 1024];
    for (enum message message = 0; message < MESSAGE_COUNT; message++) {
        const struct message_table *table = &message_tables[message];
        for (size_t i = 0; i < table->field_count; i++) {
            const struct message_field *field = &table->fields[i];
            struct message_memory memory = { .at = bytes, .left = sizeof(bytes) };
            message_random(message, &random, &memory, &out);
            uint8_t *at = out.bytes + field->offset;
            uint64_t over = field->limit + 1;
            if ((field->kind == FIELD_UINT || field->kind == FIELD_SINT) && over != 0)
                memcpy(at, &over, sizeof(over));
            else if (field->kind == FIELD_CARD || field->kind == FIELD_CODE)
                ((struct wire_code *)(void *)at)->size = (uint8_t)over;
            else if (field->kind == FIELD_TEXT || field->kind == FIELD_TEXT_BLOCK ||
                     field->kind == FIELD_BYTES)
                ((struct message_text *)(void *)at)->size = over;
            else if (field->kind == FIELD_LIST)
                memcpy(out.bytes + field->count_offset, &over, sizeof(over));
            else
                continue;
            struct wire_writer writer = wire_writer_over(body, sizeof(body));
            message_encode(message, &out, &writer);
            if (!writer.failed)
                fail_msg("%s.%s is encoded over its limit", table->name, field->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_values_in_their_one_form_are_taken),
        cmocka_unit_test(counts_that_cannot_be_true_take_no_memory),
        cmocka_unit_test(a_trailing_preset_is_refused),
        cmocka_unit_test(what_a_newer_peer_adds_is_skipped),
        cmocka_unit_test(every_required_field_is_required),
        cmocka_unit_test(values_over_a_limit_are_not_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
