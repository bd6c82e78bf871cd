#include "every_request.h"

#include <string.h>

uint32_t every_operation(const struct operation_row *out[OPERATIONS_MAX])
{
    uint32_t count = 0;
    for (uint32_t code = 0; code < FRAME_TYPE_REFUSED; code++) {
        const struct operation_row *row = operation_row((uint16_t)code);
        if (row == NULL)
            continue;
        assert_true(count < OPERATIONS_MAX);
        out[count++] = row;
    }
    assert_true(count > 50);
    return count;
}

static void fill_code(const char *word, uint8_t *out)
{
    struct wire_code code;
    assert_true(wire_code_from(word, strlen(word), &code));
    memcpy(out, &code, sizeof(code));
}

void every_request_fill(const struct operation_row *row, const char *store, const char *till, void *out)
{
    static const uint64_t one = 1;
    static const struct message_text text = { "x", 1 };
    const struct message_table *table = &message_tables[row->request];
    message_init(row->request, out);
    for (size_t i = 0; i < table->field_count; i++) {
        const struct message_field *field = &table->fields[i];
        uint8_t *value = (uint8_t *)out + field->offset;
        enum field_kind kind = field->kind;
        if (strcmp(field->name, "store") == 0)
            fill_code(store, value);
        else if (strcmp(field->name, "till") == 0)
            fill_code(till, value);
        else if (!field->required)
            continue;
        else if (kind == FIELD_CARD || kind == FIELD_CODE)
            fill_code("1", value);
        else if (kind == FIELD_UINT || kind == FIELD_SINT || kind == FIELD_FIXED)
            memcpy(value, &one, sizeof(one));
        else if (kind == FIELD_TEXT || kind == FIELD_TEXT_BLOCK || kind == FIELD_BYTES)
            memcpy(value, &text, sizeof(text));
    }
}
