#include "points/receipt_text.h"

#include <assert.h>

#define BIT(kind) (1U << (kind))
#define SALES (BIT(RECEIPT_PURCHASE) | BIT(RECEIPT_REDEMPTION))
#define ALL (SALES | BIT(RECEIPT_RETURN))

static const struct {
    const char *name;
    uint32_t kinds; /* bits of enum receipt_kind: those that know it */
} values[] = {
    [RECEIPT_EARNED] = { "earned", BIT(RECEIPT_PURCHASE) },
    [RECEIPT_REDEEMED] = { "redeemed", SALES },
    [RECEIPT_PAID] = { "paid", SALES },
    [RECEIPT_TAKEN] = { "taken", BIT(RECEIPT_RETURN) },
    [RECEIPT_GIVEN_BACK] = { "given_back", BIT(RECEIPT_RETURN) },
    [RECEIPT_AVAILABLE] = { "available", ALL },
    [RECEIPT_PENDING] = { "pending", ALL },
    [RECEIPT_PENDING_UNTIL] = { "pending_until", ALL },
    [RECEIPT_DEBT] = { "debt", ALL },
    [RECEIPT_TIER] = { "tier", ALL },
    [RECEIPT_NEXT_EXPIRY] = { "next_expiry", ALL },
    [RECEIPT_NEXT_EXPIRY_POINTS] = { "next_expiry_points", ALL },
    [RECEIPT_REWARD] = { "reward", ALL },
    [RECEIPT_POINTS_TO_REWARD] = { "points_to_reward", ALL },
    [RECEIPT_CARD] = { "card", ALL },
    [RECEIPT_NUMBER] = { "receipt", BIT(RECEIPT_PURCHASE) | BIT(RECEIPT_RETURN) },
};
static_assert(COUNT_OF(values) == RECEIPT_VALUES, "every value has a name");

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static bool same_code(struct text a, struct text b)
{
    for (size_t i = 0; a.size == b.size && i < a.size; i++) {
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    }
    return a.size == b.size;
}

static const struct receipt_language *find_language(const struct receipt_texts *texts, struct text code)
{
    for (uint32_t i = 0; i < texts->language_count; i++) {
        if (same_code(text_of(texts->languages[i].code), code))
            return &texts->languages[i];
    }
    return NULL;
}

/* Where the letter is first; the text's size: nowhere. */
static size_t find_letter(struct text text, char letter)
{
    size_t at = 0;
    while (at < text.size && text.data[at] != letter)
        at++;
    return at;
}

const struct receipt_language *receipt_language(const struct receipt_texts *texts, struct text code)
{
    if (texts->language_count == 0)
        return NULL;
    const struct receipt_language *found = find_language(texts, code);
    if (found == NULL)
        found = find_language(texts, (struct text){ code.data, find_letter(code, '-') });
    return found != NULL ? found : &texts->languages[0];
}

bool receipt_piece_next(struct text *template, struct receipt_piece *out)
{
    if (template->size == 0)
        return false;
    out->is_value = template->data[0] == '{';
    size_t size = find_letter(*template, out->is_value ? '}' : '{');
    if (size == template->size && out->is_value)
        return false;
    out->text = (struct text){ template->data, size };
    if (out->is_value) {
        out->text = (struct text){ template->data + 1, size - 1 };
        size++; /* the brace that closes */
    }
    template->data += size;
    template->size -= size;
    return true;
}

bool receipt_value(enum receipt_kind kind, struct text name, enum receipt_value *out)
{
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        if ((values[i].kinds & BIT(kind)) == 0 || !text_equal(text_of(values[i].name), name))
            continue;
        *out = (enum receipt_value)i;
        return true;
    }
    return false;
}

const char *receipt_value_name(enum receipt_kind kind, size_t index)
{
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        if ((values[i].kinds & BIT(kind)) != 0 && index-- == 0)
            return values[i].name;
    }
    return NULL;
}
