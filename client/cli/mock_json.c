#include "cli/mock_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fields.h"
#include "cli/parse.h"

#define WORDS_MAX 255 /* numbers that have a name are below */
#define TELLING_FIRST 101
#define TELLING_SECOND 201
#define TRIAL_SIZE (1024 * 1024) /* room of lists for a look at whether they fit */

__attribute__((format(printf, 2, 3))) static bool wrong(char *why, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why, MOCK_WHY_SIZE, format, arguments);
    va_end(arguments);
    return false;
}

/* --- reading --- */

static void set_number(void *out, const struct message_field *field, uint64_t number)
{
    memcpy((uint8_t *)out + field->offset, &number, sizeof(number));
}

static void *memory_take(struct message_memory *memory, size_t size)
{
    size = (size + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
    if (size > memory->left)
        return NULL;
    void *at = memory->at;
    memory->at += size;
    memory->left -= size;
    return at;
}

/* A word of the numbers that a field gives names to. */
static bool word_number(enum message message, const struct message_field *field, const char *word,
                        uint64_t *out)
{
    union mock_message trial;
    message_init(message, &trial);
    for (uint64_t number = 0; number <= WORDS_MAX; number++) {
        set_number(&trial, field, number);
        json_t *value = field_json(message, &trial, field);
        bool found = json_is_string(value) && strcmp(json_string_value(value), word) == 0;
        json_decref(value);
        if (found) {
            *out = number;
            return true;
        }
    }
    return false;
}

/* What --json prints of a number that is none for people. */
static bool text_number(enum message message, const struct message_field *field, const char *text,
                        uint64_t *out)
{
    uint64_t number = 0;
    /* What is above 2^53 is a string to many. */
    bool below = field->kind == FIELD_SINT && *text == '-';
    if (field->kind != FIELD_FIXED &&
        parse_uint(text + below, 0, field->kind == FIELD_UINT ? UINT64_MAX : INT64_MAX, &number)) {
        *out = below ? 0 - number : number;
        return true;
    }
    switch (field_sense(message, field)) {
    case SENSE_TIME:
        return parse_time(text, out, NULL);
    case SENSE_DAY:
        return parse_day(text, out);
    case SENSE_WORD:
        return word_number(message, field, text, out);
    case SENSE_EPOCH:
        number = 0;
        if (*text == '\0' || strspn(text, "0123456789abcdef") != strlen(text) || strlen(text) > 16)
            return false;
        for (; *text != '\0'; text++)
            number = number << 4 | (uint64_t)(*text <= '9' ? *text - '0' : *text - 'a' + 10);
        *out = number;
        return true;
    case SENSE_COUNT:
    case SENSE_POINTS:
    case SENSE_AMOUNT:
    case SENSE_THOUSANDTHS:
    case SENSE_DURATION:
    case SENSE_YES:
    case SENSE_FLAGS:
    case SENSE_RATED:
    case SENSE_TEXT:
    case SENSE_LIST:
        break;
    }
    return false;
}

static bool flags_number(enum message message, const struct message_field *field, json_t *words,
                         uint64_t *out)
{
    size_t index;
    json_t *word;
    *out = 0;
    json_array_foreach(words, index, word)
    {
        unsigned bit = 0;
        while (bit < 16 && (field_flag(message, field, bit) == NULL || !json_is_string(word) ||
                            strcmp(field_flag(message, field, bit), json_string_value(word)) != 0))
            bit++;
        if (bit == 16)
            return false;
        *out |= UINT64_C(1) << bit;
    }
    return true;
}

static bool number_from(enum message message, const struct message_field *field, json_t *value, uint64_t *out)
{
    if (json_is_integer(value)) {
        json_int_t number = json_integer_value(value);
        *out = (uint64_t)number;
        return number >= 0 || field->kind == FIELD_SINT;
    }
    if (json_is_boolean(value)) {
        *out = json_is_true(value);
        return field_sense(message, field) == SENSE_YES;
    }
    if (json_is_array(value))
        return field_sense(message, field) == SENSE_FLAGS && flags_number(message, field, value, out);
    *out = field->preset;
    return json_is_null(value) ||
           (json_is_string(value) && text_number(message, field, json_string_value(value), out));
}

static bool read_number(enum message message, const struct message_field *field, json_t *value, void *out,
                        char *why)
{
    uint64_t number;
    if (!number_from(message, field, value, &number))
        return wrong(why, "\"%s\" cannot be that", field->name);
    uint64_t size = field->kind == FIELD_SINT && (int64_t)number < 0 ? 0 - number : number;
    if (field->kind != FIELD_FIXED && size > field->limit)
        return wrong(why, "\"%s\" is at most %llu", field->name, (unsigned long long)field->limit);
    set_number(out, field, number);
    return true;
}

static bool read_text(const struct message_field *field, json_t *value, void *out, char *why)
{
    const char *text = json_is_null(value) ? "" : json_string_value(value);
    uint8_t *at = (uint8_t *)out + field->offset;
    if (text == NULL)
        return wrong(why, "\"%s\" is a text", field->name);
    size_t size = strlen(text);
    if (size > field->limit)
        return wrong(why, "\"%s\" has at most %llu bytes", field->name, (unsigned long long)field->limit);
    if (field->kind == FIELD_CARD || field->kind == FIELD_CODE) {
        struct wire_code code;
        if (!wire_code_from(text, size, &code))
            return wrong(why, "\"%s\" cannot be that", field->name);
        memcpy(at, &code, sizeof(code));
    } else {
        struct message_text borrowed = { text, size };
        memcpy(at, &borrowed, sizeof(borrowed));
    }
    return true;
}

/* Bytes in hexadecimal; false if they are not so many. */
static bool read_hex(const char *text, uint8_t *out, size_t size)
{
    if (text == NULL || strlen(text) != 2 * size || strspn(text, "0123456789abcdef") != 2 * size)
        return false;
    for (size_t i = 0; i < 2 * size; i++) {
        uint8_t digit = (uint8_t)(text[i] <= '9' ? text[i] - '0' : text[i] - 'a' + 10);
        out[i / 2] = (uint8_t)(i % 2 == 0 ? digit << 4 : out[i / 2] | digit);
    }
    return true;
}

static bool read_hash(const struct message_field *field, json_t *value, void *out, char *why)
{
    size_t size = field->kind == FIELD_HASH16 ? 16 : 32;
    return read_hex(json_string_value(value), (uint8_t *)out + field->offset, size) ||
           wrong(why, "\"%s\" is %zu bytes in hexadecimal", field->name, size);
}

static bool read_bytes(const struct message_field *field, json_t *value, struct message_memory *memory,
                       void *out, char *why)
{
    const char *text = json_is_null(value) ? "" : json_string_value(value); /* null: none, as elsewhere */
    size_t size = text != NULL ? strlen(text) / 2 : 0;
    uint8_t *bytes = size <= field->limit ? memory_take(memory, size) : NULL;
    if (bytes == NULL || !read_hex(text, bytes, size))
        return wrong(why, "\"%s\" is at most %llu bytes in hexadecimal", field->name,
                     (unsigned long long)field->limit);
    struct message_text borrowed = { (const char *)bytes, size };
    memcpy((uint8_t *)out + field->offset, &borrowed, sizeof(borrowed));
    return true;
}

static bool read_list(const struct message_field *field, json_t *array, struct message_memory *memory,
                      void *out, char *why);

static bool read_field(enum message message, const struct message_field *field, json_t *value,
                       struct message_memory *memory, void *out, char *why)
{
    switch (field->kind) {
    case FIELD_UINT:
    case FIELD_SINT:
    case FIELD_FIXED:
        return read_number(message, field, value, out, why);
    case FIELD_HASH16:
    case FIELD_HASH32:
        return read_hash(field, value, out, why);
    case FIELD_CARD:
    case FIELD_CODE:
    case FIELD_TEXT:
    case FIELD_TEXT_BLOCK:
        return read_text(field, value, out, why);
    case FIELD_BYTES:
        return read_bytes(field, value, memory, out, why);
    case FIELD_LIST:
        break;
    }
    return read_list(field, value, memory, out, why);
}

/* An object, or the value of the one field that the element has. */
static bool read_element(const struct message_field *list, json_t *value, struct message_memory *memory,
                         void *out, char *why)
{
    const struct message_table *element = &message_tables[list->element];
    if (json_is_object(value))
        return mock_json_read(list->element, value, memory, out, why);
    if (element->field_count != 1)
        return wrong(why, "\"%s\" is a list of objects", list->name);
    return read_field(list->element, element->fields, value, memory, out, why);
}

static bool read_list(const struct message_field *field, json_t *array, struct message_memory *memory,
                      void *out, char *why)
{
    const struct message_table *element = &message_tables[field->element];
    size_t count = json_array_size(array);
    if (!json_is_array(array) || count > field->limit)
        return wrong(why, "\"%s\" is a list of at most %llu", field->name, (unsigned long long)field->limit);
    uint8_t *elements = memory_take(memory, count * element->struct_size);
    if (elements == NULL)
        return wrong(why, "\"%s\" is too long", field->name);
    for (size_t i = 0; i < count; i++) {
        json_t *value = json_array_get(array, i);
        uint8_t *at = elements + i * element->struct_size;
        message_init(field->element, at);
        if (!read_element(field, value, memory, at, why))
            return false;
    }
    uint64_t wide = count;
    memcpy((uint8_t *)out + field->offset, &elements, sizeof(elements));
    memcpy((uint8_t *)out + field->count_offset, &wide, sizeof(wide));
    return true;
}

bool mock_json_read(enum message message, json_t *object, struct message_memory *memory, void *out,
                    char out_why[MOCK_WHY_SIZE])
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        const struct message_field *field = field_find(message, key);
        if (field == NULL)
            return wrong(out_why, "%s has no field \"%s\"", message_tables[message].name, key);
        if (!read_field(message, field, value, memory, out, out_why))
            return false;
    }
    return true;
}

bool mock_json_fits(enum message message, json_t *object, char out_why[MOCK_WHY_SIZE])
{
    union mock_message trial;
    uint8_t *room = malloc(TRIAL_SIZE);
    struct message_memory memory = { room, TRIAL_SIZE };
    message_init(message, &trial);
    bool fits = room != NULL ? mock_json_read(message, object, &memory, &trial, out_why)
                             : wrong(out_why, "out of memory");
    free(room);
    return fits;
}

/* --- writing --- */

json_t *mock_json_write(enum message message, const void *in)
{
    return message_json(message, in);
}

json_t *mock_json_flags(uint16_t flags)
{
    static const struct {
        uint16_t flag;
        const char *word;
    } words[] = { { FRAME_FLAG_REPLAYED, "replayed" }, { FRAME_FLAG_ADVICE, "advice" },
                  { FRAME_FLAG_HISTORIC, "historic" }, { FRAME_FLAG_SERVER_LOST, "server_lost" },
                  { FRAME_FLAG_SECRET, "secret" },     { FRAME_FLAG_TIED, "tied" },
                  { FRAME_FLAG_OFFLINE, "offline" } };
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < sizeof(words) / sizeof(words[0]); i++) {
        if ((flags & words[i].flag) != 0)
            (void)json_array_append_new(array, json_string(words[i].word));
    }
    return array;
}

/* --- telling values --- */

static void tell(enum message message, uint64_t first, struct message_memory *memory, void *out);

static void tell_list(const struct message_field *field, struct message_memory *memory, void *out)
{
    size_t size = message_tables[field->element].struct_size;
    uint64_t count = field->limit < 2 ? field->limit : 2;
    uint8_t *elements = memory_take(memory, 2 * size);
    if (elements == NULL)
        return;
    tell(field->element, TELLING_FIRST, memory, elements);
    tell(field->element, TELLING_SECOND, memory, elements + size);
    memcpy((uint8_t *)out + field->offset, &elements, sizeof(elements));
    memcpy((uint8_t *)out + field->count_offset, &count, sizeof(count));
}

static void tell(enum message message, uint64_t first, struct message_memory *memory, void *out)
{
    const struct message_table *table = &message_tables[message];
    message_init(message, out);
    for (size_t i = 0; i < table->field_count; i++) {
        const struct message_field *field = &table->fields[i];
        uint8_t *at = (uint8_t *)out + field->offset;
        size_t size = strlen(field->name);
        struct message_text name = { field->name, size < field->limit ? size : field->limit };
        switch (field->kind) {
        case FIELD_UINT:
        case FIELD_SINT:
            set_number(out, field, first + i < field->limit ? first + i : field->limit);
            break;
        case FIELD_FIXED:
            set_number(out, field, first + i);
            break;
        case FIELD_HASH16:
        case FIELD_HASH32:
            memset(at, (int)(first + i), field->kind == FIELD_HASH16 ? 16 : 32);
            break;
        case FIELD_CARD:
        case FIELD_CODE:
            (void)wire_code_from(name.data, name.size, (struct wire_code *)(void *)at);
            break;
        case FIELD_TEXT:
        case FIELD_TEXT_BLOCK:
        case FIELD_BYTES:
            memcpy(at, &name, sizeof(name));
            break;
        case FIELD_LIST:
            tell_list(field, memory, out);
            break;
        }
    }
}

void mock_json_tell(enum message message, struct message_memory *memory, void *out)
{
    tell(message, TELLING_FIRST, memory, out);
}
