/*
 * What the sections of a programme's text share while it is read: filters, periods, limits, names, and keys
 * that go together. Inside ops; others read programmes by programme_reader.h.
 */
#pragma once

#include "base/base.h"
#include "ops/schema.h"
#include "points/programme.h"

/* Minor units and millipoints as they stand in rows: above zero, below 10^12 (DOMAIN.md, Numbers). */
#define ROW_AMOUNT .form = SCHEMA_AMOUNT, .min = 1, .max = AMOUNT_MAX
#define ROW_POINTS .form = SCHEMA_POINTS, .min = 1, .max = MILLIPOINTS_MAX
/* The points of rules and offers may have three decimals, whatever is booked. */
#define ROW_RULE_POINTS .form = SCHEMA_THOUSANDTHS, .min = 1, .max = MILLIPOINTS_MAX
#define ROW_NAME .form = SCHEMA_TEXT, .min = 1, .max = PROGRAMME_NAME_MAX
#define ROW_MULTIPLY .form = SCHEMA_FACTOR, .min = 1000, .max = 10000
#define ROW_STAMPS .form = SCHEMA_THOUSANDTHS, .min = 1, .max = STAMPS_MAX

#define STAMPS_MAX (1000 * 1000) /* thousandths: of an offer, or the cost of a reward */

/* The tables of the sections, for programme_key. */
extern const struct schema_table filter_table, period_table, limit_table;
extern const struct schema_table rules_table, offers_table, rewards_table;
extern const struct schema_table expiry_table, tiers_table, levels_table;
extern const struct schema_table window_table, kept_table, grace_table;
extern const struct schema_table receipt_table, abuse_table;

/* The sections that are lists, or of several forms. `out` is the struct programme. */
schema_read_fn rules_read, offers_read, rewards_read, expiry_read, tiers_read, receipt_read, abuse_read;

/* A filter while it is read: whose it is, and where its words go. */
struct filter_reading {
    struct filter filter;
    struct programme *programme; /* its tiers were read before */
    uint64_t bit;                /* of the rule or offer, in the masks of words */
};

/* What rows of filter_table, read one by one, cannot see: that minimum and maximum leave something. */
void filter_check(const struct schema_run *run, const struct document_node *map,
                  const struct filter_reading *reading);

/*
 * A list of words, each marked with `bit` in the mask at mask_offset of its struct programme_word. True:
 * it was such a list, maybe with mistakes in it.
 */
bool words_read(const struct schema_run *run, const struct document_node *node, const char *key,
                struct programme *programme, size_t mask_offset, uint64_t bit);

/* A period without end on either side, as when nothing is said. */
struct period period_always(void);

/* Whether the period of the map, read by period_table, ends before it begins. */
void period_check(const struct schema_run *run, const struct document_node *map, struct period period);

/* Reads the value of `limit`; the period of the same offer or reward was read before. */
void limit_read(const struct schema_run *run, const struct document_node *node, struct period period,
                struct limit *out);

/* The step of the tier of that name, 1 for the lowest; 0: complained that there is none. */
uint32_t tier_step_read(const struct schema_run *run, const struct document_node *node, const char *key,
                        const struct programme *programme);

/*
 * Whether two names of a kind ("offer") are one, or are different but have one id, which state could not
 * tell apart: then it complains at the name in `map`. False: they are two.
 */
bool names_meet(const struct schema_run *run, const struct document_node *map, const char *kind,
                struct text name, struct text other);

/* Which kinds of a list's items may have a key, or must. */
struct kind_key {
    const char *key;
    uint32_t may;  /* bit k: kind k */
    uint32_t must; /* of those that may */
};

/* Complains of keys that are not for this kind ("rule: item"), and of those it lacks. Kind 0: not known. */
void kind_keys_check(const struct schema_run *run, const struct document_node *map, const char *kind_key,
                     const char *const *kind_words, uint32_t kind, const struct kind_key *keys,
                     size_t key_count);

/* Exactly one of the keys (the list ends with NULL) is in the map; else complains. */
void one_of_check(const struct schema_run *run, const struct document_node *map, const char *const *keys);

/* The key is in the map only together with another; else complains. */
void goes_with_check(const struct schema_run *run, const struct document_node *map, const char *key,
                     const char *with);
