#include "proto/card.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool digits_only(const struct wire_code *number)
{
    if (number->size > WIRE_CODE_MAX)
        return false;
    for (size_t i = 0; i < number->size; i++) {
        if (!is_digit(number->bytes[i]))
            return false;
    }
    return number->size > 0;
}

bool card_number_valid(const struct wire_code *number)
{
    if (number->size == 0 || number->size > WIRE_CODE_MAX)
        return false;
    for (size_t i = 0; i < number->size; i++) {
        char c = number->bytes[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !is_digit(c) && (c == '\0' || strchr("._%+@-", c) == NULL))
            return false;
    }
    return true;
}

/* The check digit that belongs behind the first `size` digits. */
static char check_digit(const char *digits, size_t size, enum card_check check)
{
    unsigned sum = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned digit = (unsigned)(digits[size - 1 - i] - '0');
        bool weighted = i % 2 == 0; /* counted from the digit beside the check digit */
        if (!weighted)
            sum += digit;
        else if (check == CARD_CHECK_EAN13)
            sum += 3 * digit;
        else
            sum += digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    }
    return (char)('0' + (10 - sum % 10) % 10);
}

bool card_check_valid(const struct wire_code *number, enum card_check check)
{
    if (check == CARD_CHECK_NONE)
        return true;
    if (!digits_only(number) || number->size < 2 || (check == CARD_CHECK_EAN13 && number->size != 13))
        return false;
    return number->bytes[number->size - 1] == check_digit(number->bytes, number->size - 1u, check);
}

bool card_number_after(const struct wire_code *first, uint64_t step, enum card_check check,
                       struct wire_code *out)
{
    if (!digits_only(first) || !card_check_valid(first, check))
        return false;
    struct wire_code number = *first;
    size_t counted = check == CARD_CHECK_NONE ? number.size : number.size - 1u;
    for (size_t i = counted; i > 0 && step > 0; i--) {
        unsigned sum = (unsigned)(number.bytes[i - 1] - '0') + (unsigned)(step % 10);
        number.bytes[i - 1] = (char)('0' + sum % 10);
        step = step / 10 + sum / 10; /* not step + digit: that could wrap */
    }
    if (step > 0)
        return false;
    if (check != CARD_CHECK_NONE)
        number.bytes[counted] = check_digit(number.bytes, counted, check);
    *out = number;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool card_number_from_scan(const char *scanned, size_t size, struct wire_code *out)
{
    while (size > 0 && (is_blank(*scanned) || *scanned == ';')) {
        scanned++;
        size--;
    }
    const char *field_separator = size > 0 ? memchr(scanned, '=', size) : NULL;
    if (field_separator != NULL)
        size = (size_t)(field_separator - scanned);
    while (size > 0 && (is_blank(scanned[size - 1]) || scanned[size - 1] == '?'))
        size--;
    struct wire_code number;
    if (!wire_code_from(scanned, size, &number) || !card_number_valid(&number))
        return false;
    *out = number;
    return true;
}
