#include "points/programme.h"

#include <stdio.h>
#include <string.h>

#include "points/account.h"

static const char *const default_reasons[] = { "goodwill", "complaint", "correction", "migration", "other" };

static const struct abuse_limits default_abuse = { .card_hour = 3,
                                                   .card_day = 6,
                                                   .card_day_block = 10,
                                                   .operator_card = 5,
                                                   .late_s = 10 * 60,
                                                   .points_day = 5000 * MILLIPOINTS_PER_POINT,
                                                   .points_day_block = 20000 * MILLIPOINTS_PER_POINT,
                                                   .redeem_after_s = 30 * 60,
                                                   .staff_tag = "staff",
                                                   .staff_day = 2 };

void programme_default(struct programme *out)
{
    memset(out, 0, sizeof(*out));
    (void)snprintf(out->name, sizeof(out->name), "default");
    (void)snprintf(out->currency, sizeof(out->currency), "EUR");
    out->currency_exponent = 2;
    out->may_earn = 1U << CARD_ACTIVE | 1U << CARD_BLOCKED;
    out->may_spend = 1U << CARD_ACTIVE;
    out->rule_count = 1;
    out->rules[0].kind = RULE_SPEND;
    (void)snprintf(out->rules[0].name, sizeof(out->rules[0].name), "spend");
    out->rules[0].points = MILLIPOINTS_PER_POINT;
    out->rules[0].amount = 100;
    out->offers_combine = COMBINE_NEWEST;
    out->offers_need_base = true;
    out->return_spent = true;
    out->restore_days = 7;
    out->return_days = 100;
    out->unlinked_returns = true;
    out->worth_points = MILLIPOINTS_PER_POINT;
    out->worth_amount = 1;
    out->hold_s = HOLD_S_DEFAULT;
    out->abuse = default_abuse;
    for (size_t i = 0; i < COUNT_OF(default_reasons); i++)
        (void)snprintf(out->reasons[i], sizeof(out->reasons[i]), "%s", default_reasons[i]);
    out->reason_count = COUNT_OF(default_reasons);
    calendar_utc(&out->calendar);
}

millipoints programme_step(const struct programme *programme)
{
    static const millipoints steps[] = { 1000, 100, 10, 1 };
    PUNKT_CHECK(programme->decimals < COUNT_OF(steps));
    return steps[programme->decimals];
}

uint64_t programme_id(struct text name)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ (uint8_t)name.data[i]) * UINT64_C(0x100000001B3);
    return hash == 0 ? 1 : hash;
}

/* The slot of the word, or the free one where it belongs. */
static uint32_t word_slot(const struct programme *programme, struct text text)
{
    uint32_t slot = (uint32_t)(programme_id(text) % PROGRAMME_WORD_SLOTS);
    while (programme->word_slots[slot] != 0) {
        const struct programme_word *word = &programme->words[programme->word_slots[slot] - 1];
        if (word->size == text.size && memcmp(word->text, text.data, text.size) == 0)
            break;
        slot = (slot + 1) % PROGRAMME_WORD_SLOTS;
    }
    return slot;
}

const struct programme_word *programme_word(const struct programme *programme, struct text text)
{
    if (text.size > PROGRAMME_NAME_MAX || (programme->word_sizes >> text.size & 1) == 0)
        return NULL;
    uint32_t slot = word_slot(programme, text);
    return programme->word_slots[slot] == 0 ? NULL : &programme->words[programme->word_slots[slot] - 1];
}

struct programme_word *programme_word_add(struct programme *programme, struct text text)
{
    if (text.size == 0 || text.size > PROGRAMME_NAME_MAX)
        return NULL;
    uint32_t slot = word_slot(programme, text);
    if (programme->word_slots[slot] == 0) {
        if (programme->word_count == PROGRAMME_WORDS_MAX)
            return NULL;
        struct programme_word *word = &programme->words[programme->word_count++];
        word->size = (uint8_t)text.size;
        memcpy(word->text, text.data, text.size);
        programme->word_sizes |= UINT64_C(1) << text.size;
        programme->word_slots[slot] = (uint16_t)programme->word_count;
    }
    return &programme->words[programme->word_slots[slot] - 1];
}

const struct reward *programme_reward(const struct programme *programme, struct text name)
{
    for (uint32_t i = 0; i < programme->reward_count; i++) {
        if (text_equal(text_of(programme->rewards[i].name), name))
            return &programme->rewards[i];
    }
    return NULL;
}

const struct reward *programme_reward_by_id(const struct programme *programme, uint64_t id)
{
    for (uint32_t i = 0; i < programme->reward_count; i++) {
        if (programme->rewards[i].id == id)
            return &programme->rewards[i];
    }
    return NULL;
}

const struct offer *programme_offer(const struct programme *programme, struct text name)
{
    for (uint32_t i = 0; i < programme->offer_count; i++) {
        if (text_equal(text_of(programme->offers[i].name), name))
            return &programme->offers[i];
    }
    return NULL;
}

const struct offer *programme_offer_by_id(const struct programme *programme, uint64_t id)
{
    for (uint32_t i = 0; i < programme->offer_count; i++) {
        if (programme->offers[i].id == id)
            return &programme->offers[i];
    }
    return NULL;
}

const struct tier *programme_tier(const struct programme *programme, uint64_t id, uint32_t *out_step)
{
    for (uint32_t i = 0; id != 0 && i < programme->tiers.count; i++) {
        if (programme->tiers.tiers[i].id == id) {
            *out_step = i + 1;
            return &programme->tiers.tiers[i];
        }
    }
    *out_step = 0;
    return NULL;
}

uint32_t programme_purse(const struct programme *programme, uint64_t id)
{
    for (uint32_t i = 0; i < programme->purse_count; i++) {
        if (programme->purses[i].id == id)
            return i;
    }
    return PROGRAMME_PURSES_MAX;
}
