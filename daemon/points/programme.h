/*
 * The compiled programme: what the rules need, ready to use. Made from YAML by ops; immutable once
 * published. A plain value without pointers, so that it can be kept, copied and compared.
 */
#pragma once

#include "base/base.h"
#include "base/text.h"
#include "base/units.h"
#include "points/calendar.h"

#define PROGRAMME_RULES_MAX 16
#define PROGRAMME_REASONS_MAX 32
#define PROGRAMME_NAME_MAX 32

enum rule_kind { RULE_SPEND = 1, RULE_ITEM = 2, RULE_VISIT = 3 };

struct base_rule {
    enum rule_kind kind;
    char name[PROGRAMME_NAME_MAX + 1];
    millipoints points;
    minor_units amount; /* points for each whole amount of the base */
    bool exact;         /* parts of an amount count too */
};

enum tax_mode { TAX_INCLUDED = 0, TAX_EXCLUDED = 1 };
enum discount_mode { DISCOUNTS_AFTER = 0, DISCOUNTS_BEFORE = 1 };

struct programme {
    uint32_t version; /* 0: not published yet */
    utc_us from;      /* in force from */
    char name[PROGRAMME_NAME_MAX * 2 + 1];
    char currency[4];
    uint32_t currency_exponent;
    uint32_t decimals;   /* of a point: 0 to 3 */
    uint32_t card_check; /* enum card_check */
    enum tax_mode tax;
    enum discount_mode discounts;
    uint32_t rule_count;
    struct base_rule rules[PROGRAMME_RULES_MAX];
    millipoints worth_points; /* these points */
    minor_units worth_amount; /* are worth this, when redeemed */
    uint32_t reason_count;
    char reasons[PROGRAMME_REASONS_MAX][PROGRAMME_NAME_MAX + 1];
    struct calendar calendar; /* of the programme's zone */
};

/* The rule without a programme file: 1 point per whole 1.00, in EUR, UTC. */
void programme_default(struct programme *out);

/* Thousandths in the smallest part of a point that is ever booked: 1000 for decimals 0, 1 for 3. */
millipoints programme_step(const struct programme *programme);
