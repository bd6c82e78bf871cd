#include "proto/message.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "proto/card.h"

#define POINTS_MAX MESSAGE_POINTS_MAX
#define AMOUNT_MAX MESSAGE_AMOUNT_MAX
#define QUANTITY_MAX MESSAGE_QUANTITY_MAX
#define TIME_MAX MESSAGE_TIME_MAX
#define DAY_MAX MESSAGE_DAY_MAX
#define REQUIRED true
#define OPTIONAL false

#define MESSAGE(name, doc_) static const struct message_field name##_fields[] = {
#define FIELD(message, KIND, name_, need, limit_, preset_, doc_)                                             \
    { .name = #name_,                                                                                        \
      .doc = doc_,                                                                                           \
      .kind = FIELD_##KIND,                                                                                  \
      .required = need,                                                                                      \
      .offset = offsetof(struct msg_##message, name_),                                                       \
      .limit = (uint64_t)(limit_),                                                                           \
      .preset = (preset_) },
#define LIST(message, element_, name_, limit_, doc_)                                                         \
    { .name = #name_,                                                                                        \
      .doc = doc_,                                                                                           \
      .kind = FIELD_LIST,                                                                                    \
      .required = false,                                                                                     \
      .element = MESSAGE_##element_,                                                                         \
      .offset = offsetof(struct msg_##message, name_),                                                       \
      .count_offset = offsetof(struct msg_##message, name_##_count),                                         \
      .limit = (limit_) },
/* The last row only keeps a message without fields from being an empty array. */
#define END(message)                                                                                         \
    {                                                                                                        \
        .name = NULL                                                                                         \
    }                                                                                                        \
    }                                                                                                        \
    ;
#include "proto/messages.def"
#undef MESSAGE
#undef FIELD
#undef LIST
#undef END

#define MESSAGE(name_, doc_)                                                                                 \
    [MESSAGE_##name_] = { .name = #name_,                                                                    \
                          .doc = doc_,                                                                       \
                          .fields = name_##_fields,                                                          \
                          .field_count = sizeof(name_##_fields) / sizeof(name_##_fields[0]) - 1,             \
                          .struct_size = sizeof(struct msg_##name_) },
#define FIELD(message, KIND, name, need, limit, preset, doc)
#define LIST(message, element, name, limit, doc)
#define END(name)
const struct message_table message_tables[MESSAGE_COUNT] = {
#include "proto/messages.def"
};
#undef MESSAGE
#undef FIELD
#undef LIST
#undef END

static void *member(void *message, const struct message_field *field)
{
    return (uint8_t *)message + field->offset;
}

static const void *member_const(const void *message, const struct message_field *field)
{
    return (const uint8_t *)message + field->offset;
}

/* The pointer's type is that of the element, which is not known here: so it is copied as bytes. */
static void set_list(void *message, const struct message_field *field, void *elements, uint64_t count)
{
    memcpy(member(message, field), &elements, sizeof(elements));
    memcpy((uint8_t *)message + field->count_offset, &count, sizeof(count));
}

static const uint8_t *list_elements(const void *message, const struct message_field *field)
{
    const uint8_t *elements;
    memcpy(&elements, member_const(message, field), sizeof(elements));
    return elements;
}

static uint64_t list_count_of(const void *message, const struct message_field *field)
{
    return *(const uint64_t *)(const void *)((const uint8_t *)message + field->count_offset);
}

/* An empty card is a preset: it says "none". */
static bool card_acceptable(const struct message_field *field, const struct wire_code *code)
{
    return (code->size == 0 && !field->required) || card_number_valid(code);
}

static bool sint_within(int64_t value, uint64_t limit)
{
    return value < 0 ? (uint64_t) - (value + 1) < limit : (uint64_t)value <= limit;
}

static bool is_layout(char c)
{
    return c == '\n' || c == '\r' || c == '\t';
}

/* TEXT is one line; TEXT_BLOCK may hold line ends (of any system) and tabs as well. */
static bool text_acceptable(enum field_kind kind, const uint8_t *bytes, size_t size)
{
    if (kind == FIELD_BYTES)
        return true;
    if (size == 0)
        return true;
    size_t begin = 0;
    for (size_t i = 0; kind == FIELD_TEXT_BLOCK && i < size; i++) {
        if (!is_layout((char)bytes[i]))
            continue;
        if (!wire_utf8_valid(bytes + begin, i - begin))
            return false;
        begin = i + 1;
    }
    return wire_utf8_valid(bytes + begin, size - begin);
}

struct message_text message_text_of(const char *string, size_t limit)
{
    size_t size = strnlen(string, limit);
    while (!wire_utf8_valid(string, size))
        size--;
    return (struct message_text){ string, size };
}

static void decode_text(const struct message_field *field, struct wire_reader *reader,
                        struct message_text *out)
{
    uint64_t size = wire_read_uint(reader);
    if (size > field->limit) {
        reader->failed = true;
        return;
    }
    const uint8_t *bytes = wire_read_bytes(reader, (size_t)size);
    if (bytes == NULL || !text_acceptable(field->kind, bytes, (size_t)size)) {
        reader->failed = true;
        return;
    }
    *out = (struct message_text){ (const char *)bytes, size };
}

static void decode_hash(struct wire_reader *reader, uint8_t *out, size_t size)
{
    const uint8_t *bytes = wire_read_bytes(reader, size);
    if (bytes != NULL)
        memcpy(out, bytes, size);
}

/* Decodes every kind but lists. */
static void decode_value(const struct message_field *field, struct wire_reader *reader, void *message)
{
    void *at = member(message, field);
    switch (field->kind) {
    case FIELD_UINT: {
        uint64_t value = wire_read_uint(reader);
        reader->failed |= value > field->limit;
        *(uint64_t *)at = value;
        break;
    }
    case FIELD_SINT: {
        int64_t value = wire_read_sint(reader);
        reader->failed |= !sint_within(value, field->limit);
        *(int64_t *)at = value;
        break;
    }
    case FIELD_FIXED:
        *(uint64_t *)at = wire_read_u64(reader);
        break;
    case FIELD_HASH16:
        decode_hash(reader, at, sizeof(message_hash16));
        break;
    case FIELD_HASH32:
        decode_hash(reader, at, sizeof(message_hash32));
        break;
    case FIELD_CARD:
    case FIELD_CODE: {
        struct wire_code *code = at;
        wire_read_code(reader, code);
        reader->failed |= code->size > field->limit;
        reader->failed |= field->kind == FIELD_CARD && !card_acceptable(field, code);
        break;
    }
    case FIELD_TEXT:
    case FIELD_TEXT_BLOCK:
    case FIELD_BYTES:
        decode_text(field, reader, at);
        break;
    case FIELD_LIST:
        break;
    }
}

static bool is_preset(const struct message_field *field, const void *message)
{
    const void *at = member_const(message, field);
    switch (field->kind) {
    case FIELD_UINT:
    case FIELD_FIXED:
        return *(const uint64_t *)at == field->preset;
    case FIELD_SINT:
        return *(const int64_t *)at == (int64_t)field->preset;
    case FIELD_CARD:
    case FIELD_CODE:
        return ((const struct wire_code *)at)->size == 0;
    case FIELD_TEXT:
    case FIELD_TEXT_BLOCK:
    case FIELD_BYTES:
        return ((const struct message_text *)at)->size == 0;
    case FIELD_LIST:
        return list_count_of(message, field) == 0;
    case FIELD_HASH16:
    case FIELD_HASH32:
        return false; /* never OPTIONAL; a test holds the table to it */
    }
    return false;
}

void message_init(enum message message, void *out)
{
    const struct message_table *table = &message_tables[message];
    memset(out, 0, table->struct_size);
    for (size_t i = 0; i < table->field_count; i++) {
        const struct message_field *field = &table->fields[i];
        if (field->kind == FIELD_UINT || field->kind == FIELD_SINT || field->kind == FIELD_FIXED)
            *(uint64_t *)member(out, field) = field->preset;
    }
}

/* Fields of a message that holds no list: the elements of lists, and part of all others. */
static void decode_flat(const struct message_table *table, struct wire_reader *reader, void *out,
                        const char **out_field)
{
    const struct message_field *last = NULL;
    for (size_t i = 0; i < table->field_count && !reader->failed; i++) {
        const struct message_field *field = &table->fields[i];
        if (!field->required && wire_left(reader) == 0)
            break;
        *out_field = field->name;
        decode_value(field, reader, out);
        last = field;
    }
    if (last != NULL && !last->required && wire_left(reader) == 0 && is_preset(last, out))
        reader->failed = true; /* a shorter body says the same */
}

static void *memory_take(struct message_memory *memory, size_t size)
{
    size_t rounded = (size + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
    if (memory == NULL || memory->left < rounded)
        return NULL;
    void *taken = memory->at;
    memory->at += rounded;
    memory->left -= rounded;
    return taken;
}

/* A list: count, then each element as its size and its body. */
static void decode_list(const struct message_field *field, struct wire_reader *reader,
                        struct message_memory *memory, void *message, const char **out_field)
{
    const struct message_table *element = &message_tables[field->element];
    uint64_t count = wire_read_uint(reader);
    /* An element takes two bytes at least: a count that cannot be true takes no memory. */
    if (count > field->limit || count > wire_left(reader) / 2) {
        reader->failed = true;
        return;
    }
    if (count == 0)
        return; /* needs no memory, and is how an empty list before another field looks */
    uint8_t *elements = memory_take(memory, (size_t)count * element->struct_size);
    if (elements == NULL) {
        reader->failed = true;
        return;
    }
    set_list(message, field, elements, count);
    for (uint64_t i = 0; i < count && !reader->failed; i++) {
        *out_field = field->name;
        uint64_t size = wire_read_uint(reader);
        const uint8_t *bytes = size <= wire_left(reader) ? wire_read_bytes(reader, (size_t)size) : NULL;
        if (bytes == NULL) {
            reader->failed = true;
            return;
        }
        struct wire_reader inner = wire_reader_over(bytes, (size_t)size);
        void *at = elements + i * element->struct_size;
        message_init(field->element, at);
        decode_flat(element, &inner, at, out_field);
        reader->failed |= inner.failed;
    }
}

bool message_decode(enum message message, const void *body, size_t size, struct message_memory *memory,
                    void *out, const char **out_field)
{
    const struct message_table *table = &message_tables[message];
    struct wire_reader reader = wire_reader_over(body, size);
    const struct message_field *last = NULL;
    message_init(message, out);
    *out_field = "";
    for (size_t i = 0; i < table->field_count && !reader.failed; i++) {
        const struct message_field *field = &table->fields[i];
        if (!field->required && wire_left(&reader) == 0)
            break;
        *out_field = field->name;
        if (field->kind == FIELD_LIST)
            decode_list(field, &reader, memory, out, out_field);
        else
            decode_value(field, &reader, out);
        last = field;
    }
    if (!reader.failed && last != NULL && !last->required && wire_left(&reader) == 0 && is_preset(last, out))
        reader.failed = true; /* a shorter body says the same */
    return !reader.failed;
}

static void encode_text(const struct message_field *field, const struct message_text *text,
                        struct wire_writer *writer)
{
    if (text->size > field->limit ||
        !text_acceptable(field->kind, (const uint8_t *)text->data, (size_t)text->size)) {
        writer->failed = true;
        return;
    }
    wire_write_uint(writer, text->size);
    wire_write_bytes(writer, text->data, (size_t)text->size);
}

static void encode_value(const struct message_field *field, const void *message, struct wire_writer *writer)
{
    const void *at = member_const(message, field);
    switch (field->kind) {
    case FIELD_UINT:
        writer->failed |= *(const uint64_t *)at > field->limit;
        wire_write_uint(writer, *(const uint64_t *)at);
        break;
    case FIELD_SINT:
        writer->failed |= !sint_within(*(const int64_t *)at, field->limit);
        wire_write_sint(writer, *(const int64_t *)at);
        break;
    case FIELD_FIXED:
        wire_write_u64(writer, *(const uint64_t *)at);
        break;
    case FIELD_HASH16:
        wire_write_bytes(writer, at, sizeof(message_hash16));
        break;
    case FIELD_HASH32:
        wire_write_bytes(writer, at, sizeof(message_hash32));
        break;
    case FIELD_CARD:
        writer->failed |= !card_acceptable(field, at);
        writer->failed |= ((const struct wire_code *)at)->size > field->limit;
        wire_write_code(writer, at);
        break;
    case FIELD_CODE:
        writer->failed |= ((const struct wire_code *)at)->size > field->limit;
        wire_write_code(writer, at);
        break;
    case FIELD_TEXT:
    case FIELD_TEXT_BLOCK:
    case FIELD_BYTES:
        encode_text(field, at, writer);
        break;
    case FIELD_LIST:
        break;
    }
}

/* How many fields go on the wire: up to the last that is required or not at its preset. */
static size_t fields_to_encode(const struct message_table *table, const void *message)
{
    size_t count = table->field_count;
    while (count > 0 && !table->fields[count - 1].required && is_preset(&table->fields[count - 1], message))
        count--;
    return count;
}

static void encode_element(enum message element, const void *in, struct wire_writer *writer)
{
    const struct message_table *table = &message_tables[element];
    uint8_t body[MESSAGE_ELEMENT_SIZE_MAX];
    struct wire_writer inner = wire_writer_over(body, sizeof(body));
    size_t count = fields_to_encode(table, in);
    for (size_t i = 0; i < count; i++)
        encode_value(&table->fields[i], in, &inner);
    writer->failed |= inner.failed;
    wire_write_uint(writer, wire_written(&inner));
    wire_write_bytes(writer, body, wire_written(&inner));
}

void message_encode(enum message message, const void *in, struct wire_writer *writer)
{
    const struct message_table *table = &message_tables[message];
    size_t fields = fields_to_encode(table, in);
    for (size_t i = 0; i < fields; i++) {
        const struct message_field *field = &table->fields[i];
        if (field->kind != FIELD_LIST) {
            encode_value(field, in, writer);
            continue;
        }
        uint64_t count = list_count_of(in, field);
        const uint8_t *elements = list_elements(in, field);
        writer->failed |= count > field->limit;
        wire_write_uint(writer, count);
        for (uint64_t k = 0; k < count && !writer->failed; k++)
            encode_element(field->element, elements + k * message_tables[field->element].struct_size, writer);
    }
}

struct printer {
    char *out;
    size_t capacity;
    size_t length; /* of the whole text, whether it fitted or not */
};

__attribute__((format(printf, 2, 3))) static void print(struct printer *printer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t left = printer->length < printer->capacity ? printer->capacity - printer->length : 0;
    int more = vsnprintf(left > 0 ? printer->out + printer->length : NULL, left, format, args);
    va_end(args);
    if (more > 0)
        printer->length += (size_t)more;
}

static void print_hex(struct printer *printer, const uint8_t *bytes, uint64_t size)
{
    for (uint64_t i = 0; i < size; i++)
        print(printer, "%02x", bytes[i]);
}

/* Line ends and tabs of a block are escaped, so that a field stays a line. */
static void print_text(struct printer *printer, const struct message_text *text)
{
    for (uint64_t i = 0; i < text->size; i++) {
        char c = text->data[i];
        if (is_layout(c))
            print(printer, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        else
            print(printer, "%c", c);
    }
}

static void print_value(struct printer *printer, const struct message_field *field, const void *message)
{
    const void *at = member_const(message, field);
    switch (field->kind) {
    case FIELD_UINT:
        print(printer, "%" PRIu64, *(const uint64_t *)at);
        break;
    case FIELD_SINT:
        print(printer, "%" PRId64, *(const int64_t *)at);
        break;
    case FIELD_FIXED:
        print(printer, "%016" PRIx64, *(const uint64_t *)at);
        break;
    case FIELD_HASH16:
        print_hex(printer, at, sizeof(message_hash16));
        break;
    case FIELD_HASH32:
        print_hex(printer, at, sizeof(message_hash32));
        break;
    case FIELD_CARD:
    case FIELD_CODE:
        print(printer, "%.*s", (int)((const struct wire_code *)at)->size,
              ((const struct wire_code *)at)->bytes);
        break;
    case FIELD_TEXT:
    case FIELD_TEXT_BLOCK:
        print_text(printer, at);
        break;
    case FIELD_BYTES:
        print_hex(printer, (const uint8_t *)((const struct message_text *)at)->data,
                  ((const struct message_text *)at)->size);
        break;
    case FIELD_LIST:
        break;
    }
}

static void print_element(struct printer *printer, const struct message_table *table, const void *in)
{
    for (size_t i = 0; i < table->field_count; i++) {
        print(printer, "%s%s=", i > 0 ? " " : "", table->fields[i].name);
        print_value(printer, &table->fields[i], in);
    }
}

size_t message_print(enum message message, const void *in, char *out, size_t capacity)
{
    const struct message_table *table = &message_tables[message];
    struct printer printer = { .out = out, .capacity = capacity };
    if (capacity > 0)
        out[0] = '\0';
    print(&printer, "%s\n", table->name);
    for (size_t i = 0; i < table->field_count; i++) {
        const struct message_field *field = &table->fields[i];
        print(&printer, "  %s: ", field->name);
        if (field->kind != FIELD_LIST) {
            print_value(&printer, field, in);
            print(&printer, "\n");
            continue;
        }
        uint64_t count = list_count_of(in, field);
        const uint8_t *elements = list_elements(in, field);
        print(&printer, "%" PRIu64 "\n", count);
        for (uint64_t k = 0; k < count; k++) {
            print(&printer, "    ");
            print_element(&printer, &message_tables[field->element],
                          elements + k * message_tables[field->element].struct_size);
            print(&printer, "\n");
        }
    }
    return printer.length;
}
