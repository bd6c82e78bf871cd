#include "messages.h"

#include <stdlib.h>
#include <string.h>

/* From the front, as the decoder does it; a test that asks for too much ends. */
static void *take(struct message_memory *memory, size_t size)
{
    size_t rounded = (size + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
    if (memory->left < rounded)
        abort();
    void *taken = memory->at;
    memory->at += rounded;
    memory->left -= rounded;
    return taken;
}

static uint64_t random_number(struct random *random, uint64_t limit)
{
    if (limit == 0)
        return 0;
    switch (random_below(random, 4)) {
    case 0:
        return random_below(random, 2);
    case 1:
        return limit - random_below(random, 2);
    default: /* every number of bits as often */
        return (random_u64(random) >> random_below(random, 64)) % (limit == UINT64_MAX ? limit : limit + 1);
    }
}

/* Between 1 and size bytes of letters, some of them of several bytes. */
static size_t random_letters(struct random *random, bool block, char *out, size_t size)
{
    static const char *const letters[] = { "a", "Z", "0", "9", " ", "\"", "\\", "ä", "€", "𝄞" };
    size_t length = 0, wanted = 1 + random_below(random, size);
    while (length < wanted) {
        const char *letter = letters[random_below(random, sizeof(letters) / sizeof(letters[0]))];
        if (block && random_below(random, 8) == 0)
            letter = random_below(random, 2) == 0 ? "\r\n" : "\t";
        if (length + strlen(letter) > wanted)
            letter = "x";
        memcpy(out + length, letter, strlen(letter));
        length += strlen(letter);
    }
    return length;
}

static void random_code(struct random *random, const struct message_field *field, struct wire_code *out)
{
    static const char card_letters[] = "ABCZabcz0189._%+@-";
    if (!(field->kind == FIELD_CARD && field->required) && random_below(random, 4) == 0) {
        out->size = 0;
    } else if (random_below(random, 2) == 0) {
        out->size = (uint8_t)(1 + random_below(random, field->limit));
        for (size_t i = 0; i < out->size; i++)
            out->bytes[i] = (char)('0' + random_below(random, 10));
    } else if (field->kind == FIELD_CODE) {
        out->size = (uint8_t)random_letters(random, false, out->bytes, (size_t)field->limit);
    } else {
        out->size = (uint8_t)(1 + random_below(random, field->limit));
        for (size_t i = 0; i < out->size; i++)
            out->bytes[i] = card_letters[random_below(random, sizeof(card_letters) - 1)];
    }
}

static void random_text(struct random *random, const struct message_field *field,
                        struct message_memory *memory, struct message_text *out)
{
    size_t size = (size_t)(field->limit < 1000 ? field->limit : 1000);
    char *data = take(memory, size);
    if (random_below(random, 4) == 0)
        size = 0;
    else if (field->kind != FIELD_BYTES)
        size = random_letters(random, field->kind == FIELD_TEXT_BLOCK, data, size);
    for (size_t i = 0; field->kind == FIELD_BYTES && i < size; i++)
        data[i] = (char)random_u64(random);
    *out = (struct message_text){ data, size };
}

static void random_list(struct random *random, const struct message_field *field,
                        struct message_memory *memory, void *message)
{
    size_t element_size = message_tables[field->element].struct_size;
    uint64_t count = random_below(random, (field->limit < 12 ? field->limit : 12) + 1);
    uint8_t *elements = take(memory, count * element_size);
    for (uint64_t i = 0; i < count; i++)
        message_random(field->element, random, memory, elements + i * element_size);
    memcpy((uint8_t *)message + field->offset, &elements, sizeof(elements));
    memcpy((uint8_t *)message + field->count_offset, &count, sizeof(count));
}

static void random_value(struct random *random, const struct message_field *field,
                         struct message_memory *memory, void *message)
{
    void *at = (uint8_t *)message + field->offset;
    size_t hash_size = field->kind == FIELD_HASH16 ? sizeof(message_hash16) : sizeof(message_hash32);
    switch (field->kind) {
    case FIELD_UINT:
        *(uint64_t *)at = random_number(random, field->limit);
        break;
    case FIELD_SINT:
        *(int64_t *)at =
            (int64_t)random_number(random, field->limit) * (random_below(random, 2) == 0 ? 1 : -1);
        break;
    case FIELD_FIXED:
        *(uint64_t *)at = random_u64(random);
        break;
    case FIELD_HASH16:
    case FIELD_HASH32:
        for (size_t i = 0; i < hash_size; i++)
            ((uint8_t *)at)[i] = (uint8_t)random_u64(random);
        break;
    case FIELD_CARD:
    case FIELD_CODE:
        random_code(random, field, at);
        break;
    case FIELD_TEXT:
    case FIELD_TEXT_BLOCK:
    case FIELD_BYTES:
        random_text(random, field, memory, at);
        break;
    case FIELD_LIST:
        random_list(random, field, memory, message);
        break;
    }
}

void message_random(enum message message, struct random *random, struct message_memory *memory, void *out)
{
    const struct message_table *table = &message_tables[message];
    message_init(message, out);
    for (size_t i = 0; i < table->field_count; i++) {
        if (table->fields[i].required || random_below(random, 2) == 0)
            random_value(random, &table->fields[i], memory, out);
    }
}

static bool lists_equal(const struct message_field *field, const void *a, const void *b)
{
    const uint8_t *of_a, *of_b;
    uint64_t count_of_a, count_of_b;
    memcpy(&of_a, (const uint8_t *)a + field->offset, sizeof(of_a));
    memcpy(&of_b, (const uint8_t *)b + field->offset, sizeof(of_b));
    memcpy(&count_of_a, (const uint8_t *)a + field->count_offset, sizeof(count_of_a));
    memcpy(&count_of_b, (const uint8_t *)b + field->count_offset, sizeof(count_of_b));
    if (count_of_a != count_of_b)
        return false;
    for (uint64_t i = 0; i < count_of_a; i++) {
        size_t offset = (size_t)i * message_tables[field->element].struct_size;
        if (!messages_equal(field->element, of_a + offset, of_b + offset))
            return false;
    }
    return true;
}

static bool texts_equal(const struct message_text *a, const struct message_text *b)
{
    return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, (size_t)a->size) == 0);
}

static bool values_equal(const struct message_field *field, const void *message_a, const void *message_b)
{
    const void *a = (const uint8_t *)message_a + field->offset,
               *b = (const uint8_t *)message_b + field->offset;
    switch (field->kind) {
    case FIELD_UINT:
    case FIELD_SINT:
    case FIELD_FIXED:
        return memcmp(a, b, sizeof(uint64_t)) == 0;
    case FIELD_HASH16:
        return memcmp(a, b, sizeof(message_hash16)) == 0;
    case FIELD_HASH32:
        return memcmp(a, b, sizeof(message_hash32)) == 0;
    case FIELD_CARD:
    case FIELD_CODE:
        return wire_code_equal(a, b);
    case FIELD_TEXT:
    case FIELD_TEXT_BLOCK:
    case FIELD_BYTES:
        return texts_equal(a, b);
    case FIELD_LIST:
        return lists_equal(field, message_a, message_b);
    }
    return false;
}

bool messages_equal(enum message message, const void *a, const void *b)
{
    const struct message_table *table = &message_tables[message];
    for (size_t i = 0; i < table->field_count; i++) {
        if (!values_equal(&table->fields[i], a, b))
            return false;
    }
    return true;
}
