/*
 * Holds the code to proto/vectors/: what those files say is what every implementation does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <openssl/evp.h>

#include "proto/frame.h"
#include "proto/message.h"

#include "messages.h"

static union any_message message_bytes;
static _Alignas(max_align_t) uint8_t memory_bytes[1024 * 1024];

/* The file and line in hand, for a failure. */
static char where[512];

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            fail_msg("%s: %s", where, #condition);                                                           \
    } while (0)

static const char *string_of(const json_t *row, const char *key)
{
    const char *value = json_string_value(json_object_get(row, key));
    if (value == NULL)
        fail_msg("%s: no %s", where, key);
    return value;
}

/* Numbers over 2^53 are strings, for the sake of languages that count with doubles. */
static uint64_t unsigned_of(const json_t *value)
{
    if (json_is_string(value))
        return strtoull(json_string_value(value), NULL, 10);
    CHECK(json_is_integer(value) && json_integer_value(value) >= 0);
    return (uint64_t)json_integer_value(value);
}

static int64_t signed_of(const json_t *value)
{
    if (json_is_string(value))
        return strtoll(json_string_value(value), NULL, 10);
    CHECK(json_is_integer(value));
    return json_integer_value(value);
}

static uint8_t *bytes_of_hex(const char *hex, size_t *out_size)
{
    size_t size = strlen(hex) / 2;
    uint8_t *bytes = malloc(size > 0 ? size : 1);
    assert_non_null(bytes);
    CHECK(strlen(hex) % 2 == 0);
    for (size_t i = 0; i < size; i++) {
        char pair[3] = { hex[2 * i], hex[2 * i + 1], '\0' }, *end;
        bytes[i] = (uint8_t)strtoul(pair, &end, 16);
        CHECK(*end == '\0');
    }
    *out_size = size;
    return bytes;
}

static bool hex_equal(const json_t *value, const void *bytes, size_t size)
{
    size_t hex_size;
    CHECK(json_is_string(value));
    uint8_t *hex_bytes = bytes_of_hex(json_string_value(value), &hex_size);
    bool equal = hex_size == size && (size == 0 || memcmp(hex_bytes, bytes, size) == 0);
    free(hex_bytes);
    return equal;
}

static bool string_equal(const json_t *value, const char *bytes, size_t size)
{
    return json_is_string(value) && json_string_length(value) == size &&
           (size == 0 || memcmp(json_string_value(value), bytes, size) == 0);
}

static void check_fields(enum message message, const void *decoded, const json_t *fields);

static void check_list(const struct message_field *field, const void *decoded, const json_t *value)
{
    const uint8_t *elements;
    uint64_t count;
    memcpy(&elements, (const uint8_t *)decoded + field->offset, sizeof(elements));
    memcpy(&count, (const uint8_t *)decoded + field->count_offset, sizeof(count));
    CHECK(json_is_array(value) && json_array_size(value) == count);
    for (size_t i = 0; i < count; i++)
        check_fields(field->element, elements + i * message_tables[field->element].struct_size,
                     json_array_get(value, i));
}

static bool field_is(const struct message_field *field, const void *decoded, const json_t *value)
{
    const uint8_t *at = (const uint8_t *)decoded + field->offset;
    const struct wire_code *code = (const void *)at;
    const struct message_text *text = (const void *)at;
    uint64_t number;
    char fixed[17];
    switch (field->kind) {
    case FIELD_UINT:
        return *(const uint64_t *)(const void *)at == unsigned_of(value);
    case FIELD_SINT:
        return *(const int64_t *)(const void *)at == signed_of(value);
    case FIELD_FIXED:
        memcpy(&number, at, sizeof(number));
        (void)snprintf(fixed, sizeof(fixed), "%016llx", (unsigned long long)number);
        return string_equal(value, fixed, 16);
    case FIELD_HASH16:
        return hex_equal(value, at, sizeof(message_hash16));
    case FIELD_HASH32:
        return hex_equal(value, at, sizeof(message_hash32));
    case FIELD_CARD:
    case FIELD_CODE:
        return string_equal(value, code->bytes, code->size);
    case FIELD_TEXT:
    case FIELD_TEXT_BLOCK:
        return string_equal(value, text->data, (size_t)text->size);
    case FIELD_BYTES:
        return hex_equal(value, text->data, (size_t)text->size);
    case FIELD_LIST:
        check_list(field, decoded, value);
        return true;
    }
    return false;
}

static void check_fields(enum message message, const void *decoded, const json_t *fields)
{
    const struct message_table *table = &message_tables[message];
    CHECK(json_object_size(fields) == table->field_count);
    for (size_t i = 0; i < table->field_count; i++) {
        if (!field_is(&table->fields[i], decoded, json_object_get(fields, table->fields[i].name)))
            fail_msg("%s: field %s is not as recorded", where, table->fields[i].name);
    }
}

static void check_text(enum message message, const void *decoded, const json_t *lines)
{
    static char printed[16 * 1024], recorded[16 * 1024];
    size_t length = 0;
    CHECK(message_print(message, decoded, printed, sizeof(printed)) < sizeof(printed));
    for (size_t i = 0; i < json_array_size(lines); i++)
        length += (size_t)snprintf(recorded + length, sizeof(recorded) - length, "%s\n",
                                   json_string_value(json_array_get(lines, i)));
    if (strcmp(printed, recorded) != 0)
        fail_msg("%s: printed as\n%s", where, printed);
}

static void check_fingerprint(const struct frame *frame, const json_t *recorded)
{
    const struct operation_row *row = operation_row(frame->type);
    CHECK((recorded != NULL) == (row != NULL && row->kind == OPERATION_KIND_CHANGE));
    if (recorded == NULL)
        return;
    uint8_t type[2] = { (uint8_t)frame->type, (uint8_t)(frame->type >> 8) }, hash[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_non_null(context);
    CHECK(EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
    CHECK(EVP_DigestUpdate(context, type, sizeof(type)) == 1);
    CHECK(EVP_DigestUpdate(context, frame->body, frame->body_size) == 1);
    CHECK(EVP_DigestFinal_ex(context, hash, NULL) == 1);
    EVP_MD_CTX_free(context);
    CHECK(hex_equal(recorded, hash, 16));
}

/* Takes the secret part off the body, as PROTOCOL.md has it. False: there is none where the flag says so. */
static bool take_secret(struct frame *frame, const uint8_t **out_secret, size_t *out_size)
{
    *out_size = 0;
    if ((frame->flags & FRAME_FLAG_SECRET) == 0)
        return true;
    size_t size = frame->body_size > 0 ? frame->body[0] : 0;
    if (size == 0 || size > FRAME_SECRET_MAX || size >= frame->body_size)
        return false;
    *out_secret = frame->body + 1;
    *out_size = size;
    frame->body += 1 + size;
    frame->body_size -= (uint32_t)(1 + size);
    return true;
}

static enum message message_of(uint16_t type)
{
    const struct operation_row *row = operation_row(type & FRAME_TYPE_OPERATION);
    CHECK(row != NULL);
    if ((type & FRAME_TYPE_REFUSED) != 0)
        return MESSAGE_refusal;
    return (type & FRAME_TYPE_DONE) != 0 ? row->answer : row->request;
}

/* Everything but the way back into bytes. */
static enum message check_decoding(const json_t *row, const uint8_t *bytes, size_t size,
                                   struct frame *out_frame)
{
    size_t wanted;
    const char *field;
    for (size_t cut = 0; cut < size; cut++)
        CHECK(frame_split(bytes, cut, FRAME_BODY_MAX, out_frame, &wanted) == FRAME_NEED_MORE);
    CHECK(frame_split(bytes, size, FRAME_BODY_MAX, out_frame, &wanted) == FRAME_WHOLE);
    CHECK(wanted == size);
    CHECK(out_frame->type == unsigned_of(json_object_get(row, "type")));
    CHECK(out_frame->flags == unsigned_of(json_object_get(row, "flags")));
    CHECK(out_frame->number == unsigned_of(json_object_get(row, "number")));
    const json_t *secret_row = json_object_get(row, "secret");
    const uint8_t *secret;
    size_t secret_size;
    CHECK(take_secret(out_frame, &secret, &secret_size));
    CHECK((secret_row != NULL) == (secret_size > 0));
    CHECK(secret_row == NULL || hex_equal(secret_row, secret, secret_size));
    enum message message = message_of(out_frame->type);
    CHECK(strcmp(message_tables[message].name, string_of(row, "message")) == 0);
    struct message_memory memory = { .at = memory_bytes, .left = sizeof(memory_bytes) };
    if (!message_decode(message, out_frame->body, out_frame->body_size, &memory, &message_bytes, &field))
        fail_msg("%s: not decoded: %s", where, field);
    check_fields(message, &message_bytes, json_object_get(row, "fields"));
    check_text(message, &message_bytes, json_object_get(row, "text"));
    return message;
}

/* Puts a vector into bytes again: what it says, without what it is. */
static void check_encoding(const json_t *row, const struct frame *frame, enum message message,
                           const uint8_t *bytes, size_t size)
{
    const char *secret_hex = json_string_value(json_object_get(row, "secret"));
    uint8_t *again = malloc(size);
    assert_non_null(again);
    struct wire_writer writer = wire_writer_over(again, size);
    writer.at += FRAME_HEADER_SIZE;
    if (secret_hex != NULL) {
        size_t secret_size;
        uint8_t *secret = bytes_of_hex(secret_hex, &secret_size);
        wire_write_u8(&writer, (uint8_t)secret_size);
        wire_write_bytes(&writer, secret, secret_size);
        free(secret);
    }
    message_encode(message, &message_bytes, &writer);
    CHECK(!writer.failed && wire_written(&writer) == size);
    frame_put_header(again, (uint32_t)(size - FRAME_HEADER_SIZE), frame->type, frame->flags, frame->number);
    CHECK(memcmp(again, bytes, size) == 0);
    free(again);
}

#define RESULT_CODES 256       /* more than any code of results.def */
#define RESULTS_OF_SERVERS 200 /* those behind are said by libpunkt */
static bool has_request[FRAME_TYPE_OPERATION + 1], has_answer[FRAME_TYPE_OPERATION + 1];
static bool has_result[RESULT_CODES];

static void check_valid(const json_t *row)
{
    size_t size;
    struct frame frame;
    uint8_t *bytes = bytes_of_hex(string_of(row, "frame"), &size);
    enum message message = check_decoding(row, bytes, size, &frame);
    check_fingerprint(&frame, json_object_get(row, "fingerprint"));
    check_encoding(row, &frame, message, bytes, size);
    bool *seen = (frame.type & (FRAME_TYPE_DONE | FRAME_TYPE_REFUSED)) == 0 ? has_request : has_answer;
    if (message != MESSAGE_refusal)
        seen[frame.type & FRAME_TYPE_OPERATION] = true;
    else if (((const struct msg_refusal *)(const void *)&message_bytes)->result < RESULT_CODES)
        has_result[((const struct msg_refusal *)(const void *)&message_bytes)->result] = true;
    free(bytes);
}

static void check_newer(const json_t *row)
{
    size_t size;
    struct frame frame;
    uint8_t *bytes = bytes_of_hex(string_of(row, "frame"), &size);
    (void)check_decoding(row, bytes, size, &frame);
    free(bytes);
}

/* What a server answers before it looks at what a request means; 0: nothing is wrong so far. */
static enum result judge(const uint8_t *bytes, size_t size, bool hello_said, struct frame *frame,
                         const char **out_field)
{
    size_t wanted;
    enum frame_split split =
        frame_split(bytes, size, hello_said ? FRAME_BODY_MAX : FRAME_BODY_MAX_BEFORE_HELLO, frame, &wanted);
    if (split == FRAME_BROKEN)
        return RESULT_FRAME_TOO_LARGE;
    CHECK(split == FRAME_WHOLE && wanted == size);
    if (!hello_said && frame->type != OPERATION_HELLO)
        return RESULT_HELLO_FIRST;
    const struct operation_row *operation = operation_row(frame->type);
    if (operation == NULL)
        return RESULT_UNKNOWN_OPERATION;
    struct message_memory memory = { .at = memory_bytes, .left = sizeof(memory_bytes) };
    const uint8_t *secret;
    size_t secret_size;
    if ((frame->flags & ~FRAME_FLAGS_REQUEST) != 0 ||
        (frame->flags & (FRAME_FLAG_OFFLINE | FRAME_FLAG_ADVICE)) == FRAME_FLAG_OFFLINE ||
        ((frame->flags & FRAME_FLAG_SECRET) != 0 && !operation_takes_secret(operation->code)) ||
        !take_secret(frame, &secret, &secret_size) ||
        !message_decode(operation->request, frame->body, frame->body_size, &memory, &message_bytes,
                        out_field))
        return RESULT_MALFORMED;
    const struct msg_hello_request *hello = (const void *)&message_bytes;
    if (operation->code == OPERATION_HELLO &&
        (hello->version_min > PROTOCOL_VERSION || hello->version_max < PROTOCOL_VERSION))
        return RESULT_VERSION;
    return RESULT_DONE;
}

static void check_invalid(const json_t *row)
{
    size_t size;
    struct frame frame;
    const char *field = NULL;
    const char *recorded_field = json_string_value(json_object_get(row, "field"));
    uint8_t *bytes = bytes_of_hex(string_of(row, "frame"), &size);
    const char *state = string_of(row, "state");
    CHECK(strcmp(state, "hello said") == 0 || strcmp(state, "no hello yet") == 0);
    const struct result_row *result =
        result_row(judge(bytes, size, strcmp(state, "hello said") == 0, &frame, &field));
    CHECK(result != NULL);
    if (strcmp(result->name, string_of(row, "refusal")) != 0)
        fail_msg("%s: refused as %s", where, result->name);
    CHECK((recorded_field != NULL) == (field != NULL && result->code == RESULT_MALFORMED));
    if (recorded_field != NULL && strcmp(recorded_field, field) != 0)
        fail_msg("%s: refused for field %s", where, field);
    CHECK(json_is_true(json_object_get(row, "closes")) == (result->code == RESULT_FRAME_TOO_LARGE));
    CHECK(unsigned_of(json_object_get(row, "answer_type")) ==
          ((frame.type & FRAME_TYPE_OPERATION) | FRAME_TYPE_REFUSED));
    CHECK(unsigned_of(json_object_get(row, "answer_number")) == frame.number);
    CHECK(strlen(string_of(row, "why")) > 0);
    free(bytes);
}

/* Calls check for each line of a file; returns how many there were. */
static size_t for_each_row(const char *name, void (*check)(const json_t *row))
{
    const char *source = getenv("PUNKT_SOURCE");
    char path[4096], *line = NULL;
    size_t capacity = 0, count = 0;
    (void)snprintf(path, sizeof(path), "%s/proto/vectors/%s", source != NULL ? source : ".", name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s cannot be opened", path);
    while (getline(&line, &capacity, file) > 0) {
        json_error_t error;
        json_t *row = json_loads(line, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
        count++;
        if (row == NULL)
            fail_msg("%s:%zu: %s", name, count, error.text);
        const char *row_name = string_of(row, "name");
        (void)snprintf(where, sizeof(where), "%s:%zu: %s", name, count, row_name != NULL ? row_name : "?");
        check(row);
        json_decref(row);
    }
    free(line);
    fclose(file);
    return count;
}

static void valid_frames_mean_what_is_recorded(void **state)
{
    (void)state;
    assert_true(for_each_row("valid.jsonl", check_valid) > 0);
    for (uint16_t code = 0; code <= FRAME_TYPE_OPERATION; code++) {
        const struct operation_row *row = operation_row(code);
        if (row != NULL && !(has_request[code] && has_answer[code]))
            fail_msg("valid.jsonl has no %s of %s", has_request[code] ? "answer" : "request", row->name);
    }
    for (uint16_t code = 0; code < RESULTS_OF_SERVERS; code++) {
        const struct result_row *row = result_row(code);
        if (row != NULL && !has_result[code])
            fail_msg("valid.jsonl has no refusal for %s", row->name);
    }
}

static void frames_of_newer_peers_are_understood(void **state)
{
    (void)state;
    assert_true(for_each_row("newer.jsonl", check_newer) > 0);
}

static void invalid_frames_are_refused_as_recorded(void **state)
{
    (void)state;
    assert_true(for_each_row("invalid.jsonl", check_invalid) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_frames_mean_what_is_recorded),
        cmocka_unit_test(frames_of_newer_peers_are_understood),
        cmocka_unit_test(invalid_frames_are_refused_as_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
