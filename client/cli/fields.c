#include "cli/fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/parse.h"

#define EVERY MESSAGE_COUNT /* rows for all messages with such a field */
#define FLAGS_MAX 11

typedef const char *word_fn(uint32_t value);

/* What proto's tables do not say of a field. */
struct trait {
    enum message message;
    const char *field;
    enum sense sense;
    word_fn *word;                /* SENSE_WORD */
    const char *flags[FLAGS_MAX]; /* SENSE_FLAGS, from bit 0 */
};

#define WORDS(name, ...)                                                                                     \
    static const char *name(uint32_t value)                                                                  \
    {                                                                                                        \
        static const char *const words[] = { __VA_ARGS__ };                                                  \
        return value < sizeof(words) / sizeof(words[0]) && words[value] != NULL ? words[value] : "unknown";  \
    }

WORDS(pin_word, "none", "set", "locked")
WORDS(part_word, NULL, "spend", "item", "visit", "tier", "multiply", "add", "stamp", "cap_receipt", "cap_day",
      "cap_month", "cap_balance")
WORDS(move_word, NULL, "added", "taken", "joined", "matured", "expired", "held", "freed", "captured")
WORDS(outcome_word, NULL, "reversed", "nothing_to_reverse", "will_be_refused")
WORDS(close_word, "in_balance", "not_in_balance", "open")
WORDS(audit_word, "damage", "matches", "differs")
WORDS(head_word, "not_asked", "found", "missing")
WORDS(identity_word, "unknown", "added", "active", "suspended", "revoked")
WORDS(proof_word, "certificate", "psk")
WORDS(proposal_word, "unknown", "open", "approved", "rejected", "ended")

static const char *role_word(uint32_t value)
{
    return value >= 1 && value <= ROLE_COUNT ? role_name((enum role)value) : "none";
}

/* What is true of one message stands before what is true of every one. */
static const struct trait traits[] = {
    { .message = MESSAGE_identity_entry, .field = "status", .sense = SENSE_WORD, .word = identity_word },
    { .message = MESSAGE_identity_change_answer,
      .field = "status",
      .sense = SENSE_WORD,
      .word = identity_word },
    { .message = EVERY, .field = "role", .sense = SENSE_WORD, .word = role_word },
    { .message = EVERY, .field = "proof", .sense = SENSE_WORD, .word = proof_word },
    { .message = MESSAGE_proposal_entry, .field = "state", .sense = SENSE_WORD, .word = proposal_word },
    { .message = MESSAGE_proposal_entry,
      .field = "operation",
      .sense = SENSE_WORD,
      .word = punkt_operation_name },
    { .message = MESSAGE_approval_decide_answer,
      .field = "operation",
      .sense = SENSE_WORD,
      .word = punkt_operation_name },
    { .message = MESSAGE_audit_verify_answer, .field = "head", .sense = SENSE_WORD, .word = head_word },
    { .message = MESSAGE_flag_entry,
      .field = "kinds",
      .sense = SENSE_FLAGS,
      .flags = { "card_hour", "card_day", "operator", "late_sale", "points_day", "quick_redeem", "staff",
                 "unlinked", "offline_limit", "unknown_cards", "blocked_limit" } },
    { .message = EVERY, .field = "worth", .sense = SENSE_AMOUNT },
    { .message = EVERY, .field = "spend", .sense = SENSE_AMOUNT },
    { .message = EVERY, .field = "purchase_amount", .sense = SENSE_AMOUNT },
    { .message = EVERY, .field = "return_amount", .sense = SENSE_AMOUNT },
    { .message = EVERY, .field = "return_amount_sent", .sense = SENSE_AMOUNT },
    { .message = EVERY, .field = "redeemed_worth", .sense = SENSE_AMOUNT },
    { .message = EVERY, .field = "stamps", .sense = SENSE_THOUSANDTHS },
    { .message = EVERY, .field = "allow_debt", .sense = SENSE_YES },
    { .message = EVERY, .field = "more", .sense = SENSE_YES },
    { .message = EVERY, .field = "inactive", .sense = SENSE_YES },
    { .message = EVERY, .field = "status", .sense = SENSE_WORD, .word = punkt_card_status_name },
    { .message = EVERY, .field = "pin", .sense = SENSE_WORD, .word = pin_word },
    { .message = MESSAGE_purse, .field = "count", .sense = SENSE_THOUSANDTHS },
    { .message = MESSAGE_purse, .field = "held", .sense = SENSE_THOUSANDTHS },
    { .message = MESSAGE_part, .field = "kind", .sense = SENSE_WORD, .word = part_word },
    { .message = MESSAGE_part, .field = "input", .sense = SENSE_RATED },
    { .message = MESSAGE_part, .field = "exact", .sense = SENSE_THOUSANDTHS },
    { .message = MESSAGE_part, .field = "result", .sense = SENSE_THOUSANDTHS },
    { .message = MESSAGE_rehearsed_rule, .field = "kind", .sense = SENSE_WORD, .word = part_word },
    { .message = MESSAGE_rehearsed_rule, .field = "old_points", .sense = SENSE_RATED },
    { .message = MESSAGE_rehearsed_rule, .field = "new_points", .sense = SENSE_RATED },
    { .message = MESSAGE_move, .field = "kind", .sense = SENSE_WORD, .word = move_word },
    { .message = MESSAGE_statement_entry, .field = "kind", .sense = SENSE_WORD, .word = punkt_event_name },
    { .message = MESSAGE_why_answer, .field = "kind", .sense = SENSE_WORD, .word = punkt_event_name },
    { .message = MESSAGE_why_answer, .field = "result", .sense = SENSE_WORD, .word = punkt_result_name },
    { .message = MESSAGE_why_answer,
      .field = "flags",
      .sense = SENSE_FLAGS,
      .flags = { "server_time", "advice", "historic", "server_lost", "suspense", "fell_short", "old_period",
                 "offline", "late" } },
    { .message = MESSAGE_reversal_answer, .field = "outcome", .sense = SENSE_WORD, .word = outcome_word },
    { .message = MESSAGE_day_totals_answer, .field = "close_state", .sense = SENSE_WORD, .word = close_word },
    { .message = MESSAGE_day_close_answer, .field = "state", .sense = SENSE_WORD, .word = close_word },
    { .message = MESSAGE_audit_verify_answer, .field = "state", .sense = SENSE_WORD, .word = audit_word },
    { .message = MESSAGE_programme_entry, .field = "current", .sense = SENSE_YES },
    { .message = MESSAGE_offer_activate_answer, .field = "active", .sense = SENSE_YES },
    { .message = MESSAGE_hold_request, .field = "seconds", .sense = SENSE_DURATION },
    { .message = MESSAGE_card_show_answer,
      .field = "flags",
      .sense = SENSE_FLAGS,
      .flags = { "account_closed", "beside_suspense" } },
    { .message = MESSAGE_purchase_answer,
      .field = "flags",
      .sense = SENSE_FLAGS,
      .flags = { "server_time", "suspense", "fell_short", "old_period" } },
    { .message = MESSAGE_quote_answer,
      .field = "flags",
      .sense = SENSE_FLAGS,
      .flags = { "server_time", "suspense", "fell_short", "old_period" } },
    { .message = MESSAGE_return_answer,
      .field = "flags",
      .sense = SENSE_FLAGS,
      .flags = { "server_time", "waiting" } },
    { .message = MESSAGE_unlinked_return_answer,
      .field = "flags",
      .sense = SENSE_FLAGS,
      .flags = { "server_time" } },
};

static const struct trait *trait_of(enum message message, const struct message_field *field)
{
    for (size_t i = 0; i < sizeof(traits) / sizeof(traits[0]); i++) {
        bool meant = traits[i].message == EVERY || traits[i].message == message;
        if (meant && strcmp(traits[i].field, field->name) == 0)
            return &traits[i];
    }
    return NULL;
}

/* Limits are named for what they limit, and no two of them are alike. */
static enum sense number_sense(const struct message_field *field)
{
    if (field->limit == MESSAGE_TIME_MAX)
        return SENSE_TIME;
    if (field->limit == MESSAGE_DAY_MAX)
        return SENSE_DAY;
    if (field->limit == MESSAGE_AMOUNT_MAX)
        return SENSE_AMOUNT;
    if (field->limit == MESSAGE_QUANTITY_MAX)
        return SENSE_THOUSANDTHS;
    /* Sums have no limit of their own, and those that are none of points are in the table above. */
    if (field->limit == MESSAGE_POINTS_MAX || field->limit == INT64_MAX)
        return SENSE_POINTS;
    return SENSE_COUNT;
}

enum sense field_sense(enum message message, const struct message_field *field)
{
    const struct trait *trait = trait_of(message, field);
    if (trait != NULL)
        return trait->sense;
    switch (field->kind) {
    case FIELD_UINT:
    case FIELD_SINT:
        return number_sense(field);
    case FIELD_FIXED:
        return SENSE_EPOCH;
    case FIELD_LIST:
        return SENSE_LIST;
    case FIELD_HASH16:
    case FIELD_HASH32:
    case FIELD_CARD:
    case FIELD_CODE:
    case FIELD_TEXT:
    case FIELD_TEXT_BLOCK:
    case FIELD_BYTES:
        break;
    }
    return SENSE_TEXT;
}

const struct message_field *field_find(enum message message, const char *name)
{
    const struct message_table *table = &message_tables[message];
    for (size_t i = 0; i < table->field_count; i++) {
        if (strcmp(table->fields[i].name, name) == 0)
            return &table->fields[i];
    }
    return NULL;
}

int64_t field_number(const void *in, const struct message_field *field)
{
    int64_t number = 0; /* what is unsigned stays far below 2^63, but for epochs, whose bits are kept */
    if (field->kind == FIELD_UINT || field->kind == FIELD_SINT || field->kind == FIELD_FIXED)
        memcpy(&number, (const char *)in + field->offset, sizeof(number));
    return number;
}

const void *field_list(const void *in, const struct message_field *field, uint64_t *out_count)
{
    const void *elements;
    memcpy(&elements, (const char *)in + field->offset, sizeof(elements));
    memcpy(out_count, (const char *)in + field->count_offset, sizeof(*out_count));
    return elements;
}

/* The bytes of a code, a text, or of what is only bytes; of others none. */
static const char *text_of(const void *in, const struct message_field *field, size_t *out_size)
{
    const char *at = (const char *)in + field->offset;
    *out_size = 0;
    if (field->kind == FIELD_CARD || field->kind == FIELD_CODE) {
        const struct wire_code *code = (const void *)at;
        *out_size = code->size;
        return code->bytes;
    }
    if (field->kind == FIELD_TEXT || field->kind == FIELD_TEXT_BLOCK || field->kind == FIELD_BYTES) {
        const struct message_text *text = (const void *)at;
        *out_size = text->size;
        return text->size > 0 ? text->data : "";
    }
    return "";
}

bool field_says(const void *in, const struct message_field *field)
{
    uint64_t count = 0;
    size_t size;
    switch (field->kind) {
    case FIELD_UINT:
    case FIELD_SINT:
        return field_number(in, field) != (int64_t)field->preset;
    case FIELD_FIXED:
        return field_number(in, field) != 0;
    case FIELD_LIST:
        (void)field_list(in, field, &count);
        return count > 0;
    case FIELD_HASH16:
    case FIELD_HASH32:
    case FIELD_CARD:
    case FIELD_CODE:
    case FIELD_TEXT:
    case FIELD_TEXT_BLOCK:
    case FIELD_BYTES:
        break;
    }
    (void)text_of(in, field, &size);
    return size > 0;
}

const char *field_flag(enum message message, const struct message_field *field, unsigned bit)
{
    const struct trait *trait = trait_of(message, field);
    return trait != NULL && bit < FLAGS_MAX ? trait->flags[bit] : NULL;
}

void thousandths_text(int64_t value, char out[THOUSANDTHS_TEXT_SIZE])
{
    decimal_text(value, 3, out);
    size_t size = strlen(out);
    while (out[size - 1] == '0')
        size--;
    size -= out[size - 1] == '.';
    out[size] = '\0';
}

/* --- for programs --- */

static json_t *flags_json(enum message message, const struct message_field *field, uint64_t flags)
{
    json_t *array = json_array();
    for (unsigned bit = 0; bit < FLAGS_MAX && array != NULL; bit++) {
        const char *word = field_flag(message, field, bit);
        if ((flags >> bit & 1) != 0 && word != NULL)
            (void)json_array_append_new(array, json_string(word));
    }
    return array;
}

static json_t *day_json(uint64_t day)
{
    char text[TIME_TEXT_SIZE];
    if (day == 0)
        return json_null();
    day_text(day, text);
    return json_string(text);
}

static json_t *time_json(uint64_t time_us)
{
    char text[TIME_TEXT_SIZE];
    if (time_us == 0)
        return json_null();
    time_text(time_us, true, text);
    return json_string(text);
}

static json_t *epoch_json(int64_t epoch)
{
    char text[17];
    (void)snprintf(text, sizeof(text), "%016" PRIx64, (uint64_t)epoch);
    return json_string(text);
}

/* An element of a list: of one field only that. A blank line is a text, not none. */
static json_t *element_json(enum message element, const void *in)
{
    const struct message_table *table = &message_tables[element];
    if (table->field_count > 1)
        return message_json(element, in);
    json_t *value = field_json(element, in, &table->fields[0]);
    return element == MESSAGE_text_line && json_is_null(value) ? json_string("") : value;
}

static json_t *list_json(const void *in, const struct message_field *field)
{
    const struct message_table *element = &message_tables[field->element];
    json_t *array = json_array();
    uint64_t count;
    const char *at = field_list(in, field, &count);
    for (uint64_t i = 0; i < count && array != NULL; i++, at += element->struct_size)
        (void)json_array_append_new(array, element_json(field->element, at));
    return array;
}

/* Bytes in hexadecimal. */
static json_t *bytes_json(const void *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = bytes;
    char *text = malloc(2 * size + 1);
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[at[i] >> 4];
        text[2 * i + 1] = digits[at[i] & 15];
    }
    json_t *value = json_stringn(text, 2 * size);
    free(text);
    return value;
}

json_t *field_json(enum message message, const void *in, const struct message_field *field)
{
    const struct trait *trait = trait_of(message, field);
    int64_t number = field_number(in, field);
    size_t size;
    switch (field_sense(message, field)) {
    case SENSE_COUNT:
    case SENSE_POINTS:
    case SENSE_AMOUNT:
    case SENSE_THOUSANDTHS:
    case SENSE_DURATION:
    case SENSE_RATED:
        return json_integer(number);
    case SENSE_TIME:
        return time_json((uint64_t)number);
    case SENSE_DAY:
        return day_json((uint64_t)number);
    case SENSE_YES:
        return json_boolean(number != 0);
    case SENSE_FLAGS:
        return flags_json(message, field, (uint64_t)number);
    case SENSE_WORD:
        /* Only a refusal has a result. */
        return number != 0 || trait->word != punkt_result_name ? json_string(trait->word((uint32_t)number))
                                                               : json_null();
    case SENSE_EPOCH:
        return epoch_json(number);
    case SENSE_LIST:
        return list_json(in, field);
    case SENSE_TEXT:
        break;
    }
    if (field->kind == FIELD_HASH16 || field->kind == FIELD_HASH32)
        return bytes_json((const uint8_t *)in + field->offset, field->kind == FIELD_HASH16 ? 16 : 32);
    const char *text = text_of(in, field, &size);
    if (field->kind == FIELD_BYTES && size > 0)
        return bytes_json(text, size);
    return size > 0 ? json_stringn(text, size) : json_null();
}

json_t *message_json(enum message message, const void *in)
{
    const struct message_table *table = &message_tables[message];
    json_t *object = json_object();
    for (size_t i = 0; i < table->field_count && object != NULL; i++)
        (void)json_object_set_new(object, table->fields[i].name, field_json(message, in, &table->fields[i]));
    return object;
}

/* --- for people --- */

static json_t *decimal_json(int64_t value, unsigned decimals)
{
    char text[DECIMAL_TEXT_SIZE];
    decimal_text(value, decimals, text);
    return json_string(text);
}

static json_t *thousandths_json(int64_t value)
{
    char text[THOUSANDTHS_TEXT_SIZE];
    thousandths_text(value, text);
    return json_string(text);
}

/* What a rule gave: thousandths of stamps, or points. */
static json_t *given_text(const struct cli *cli, const struct msg_rehearsed_rule *rule, int64_t points)
{
    return rule->kind == PUNKT_PART_STAMP ? thousandths_json(points)
                                          : decimal_json(points, cli->info.points_decimals);
}

/* What a rule looked at: minor units, receipts, thousandths of units or of points. */
static json_t *rated_text(const struct cli *cli, const struct msg_part *part)
{
    if (part->kind == PUNKT_PART_SPEND)
        return decimal_json(part->input, cli->info.currency_exponent);
    /* An offer's 1 is a receipt: for a thousandth of a unit it would have given nothing. */
    bool receipt = part->input == 1 && (part->kind == PUNKT_PART_ADD || part->kind == PUNKT_PART_STAMP);
    return part->kind == PUNKT_PART_VISIT || receipt ? decimal_json(part->input, 0)
                                                     : thousandths_json(part->input);
}

static json_t *local_time_text(uint64_t time_us)
{
    char text[TIME_TEXT_SIZE] = "";
    if (time_us != 0)
        time_text(time_us, false, text);
    return json_string(text);
}

/* Words of an array with commas between them. Releases it. */
static json_t *joined(json_t *array)
{
    char text[1024] = "";
    size_t used = 0;
    size_t index;
    json_t *word;
    json_array_foreach(array, index, word)
    {
        int length = snprintf(text + used, sizeof(text) - used, "%s%s", index > 0 ? ", " : "",
                              json_string_value(word) != NULL ? json_string_value(word) : "...");
        if (length < 0 || (size_t)length >= sizeof(text) - used)
            break;
        used += (size_t)length;
    }
    text[used] = '\0';
    json_decref(array);
    return json_string(text);
}

json_t *field_text(const struct cli *cli, enum message message, const void *in,
                   const struct message_field *field)
{
    int64_t number = field_number(in, field);
    switch (field_sense(message, field)) {
    case SENSE_POINTS:
        return decimal_json(number, cli->info.points_decimals);
    case SENSE_AMOUNT:
        return decimal_json(number, cli->info.currency_exponent);
    case SENSE_THOUSANDTHS:
        return thousandths_json(number);
    case SENSE_RATED:
        return message == MESSAGE_part ? rated_text(cli, in) : given_text(cli, in, number);
    case SENSE_TIME:
        return local_time_text((uint64_t)number);
    case SENSE_YES:
        return json_string(number != 0 ? "yes" : "no");
    case SENSE_COUNT:
    case SENSE_DURATION:
        return decimal_json(number, 0);
    case SENSE_FLAGS:
    case SENSE_LIST:
        return joined(field_json(message, in, field));
    case SENSE_DAY:
    case SENSE_WORD:
    case SENSE_EPOCH:
    case SENSE_TEXT:
        break;
    }
    json_t *value = field_json(message, in, field);
    if (!json_is_null(value))
        return value;
    json_decref(value);
    return json_string("");
}
