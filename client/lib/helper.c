/* The helpers of punkt.h that need no server: card numbers and decimals. */
#include <punkt.h>
#include <string.h>

#include "proto/card.h"

#define DECIMALS_MAX 18

static bool number_from(const char *card, struct wire_code *out)
{
    return card != NULL && wire_code_from(card, strnlen(card, WIRE_CODE_MAX + 1), out) &&
           card_number_valid(out);
}

static bool number_out(bool good, const struct wire_code *number, char *out_card)
{
    size_t size = good ? number->size : 0;
    if (size > 0)
        memcpy(out_card, number->bytes, size);
    out_card[size] = '\0';
    return good;
}

bool punkt_card_valid(const char *card, enum punkt_card_check check)
{
    struct wire_code number;
    return number_from(card, &number) && card_check_valid(&number, (enum card_check)check);
}

bool punkt_card_from_scan(const char *scanned, char out_card[PUNKT_CARD_MAX + 1])
{
    struct wire_code number;
    bool good = scanned != NULL && card_number_from_scan(scanned, strlen(scanned), &number);
    return number_out(good, &number, out_card);
}

bool punkt_card_after(const char *first, uint64_t step, enum punkt_card_check check,
                      char out_card[PUNKT_CARD_MAX + 1])
{
    struct wire_code from, number;
    bool good = number_from(first, &from) && card_number_after(&from, step, (enum card_check)check, &number);
    return number_out(good, &number, out_card);
}

/* Appends a digit to a number that stays within INT64_MAX. */
static bool digit_append(uint64_t *value, char digit)
{
    if (digit < '0' || digit > '9' || *value > (uint64_t)INT64_MAX / 10)
        return false;
    *value = *value * 10 + (uint64_t)(digit - '0');
    return *value <= (uint64_t)INT64_MAX;
}

bool punkt_decimal_parse(const char *text, unsigned decimals, int64_t *out_value)
{
    if (text == NULL)
        return false;
    bool negative = *text == '-';
    if (negative)
        text++;
    uint64_t value = 0;
    size_t whole = strcspn(text, ".");
    for (size_t i = 0; i < whole; i++) {
        if (!digit_append(&value, text[i]))
            return false;
    }
    const char *part = text[whole] == '.' ? text + whole + 1 : "";
    size_t part_size = strnlen(part, (size_t)decimals + 1);
    if (whole == 0 || part_size > decimals || (text[whole] == '.' && part_size == 0))
        return false;
    for (size_t i = 0; i < decimals; i++) {
        if (!digit_append(&value, i < part_size ? part[i] : '0'))
            return false;
    }
    *out_value = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

size_t punkt_decimal_format(int64_t value, unsigned decimals, char *out_text, size_t capacity)
{
    /* From the last character to the first: sign, 20 digits or DECIMALS_MAX and a zero, point, NUL. */
    char text[DECIMALS_MAX + 24];
    size_t at = sizeof(text) - 1;
    size_t digits = 0;
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    if (decimals > DECIMALS_MAX)
        decimals = DECIMALS_MAX;
    text[at] = '\0';
    do {
        if (digits == decimals && decimals > 0)
            text[--at] = '.';
        text[--at] = (char)('0' + left % 10);
        left /= 10;
        digits++;
    } while (left > 0 || digits <= decimals);
    if (value < 0)
        text[--at] = '-';

    size_t size = sizeof(text) - 1 - at;
    if (capacity > 0) {
        size_t copied = size < capacity ? size : capacity - 1;
        memcpy(out_text, text + at, copied);
        out_text[copied] = '\0';
    }
    return size;
}
