/*
 * Fields that stand in events and in the record of an account alike. Private to ledger.
 */
#pragma once

#include "ledger/codec.h"
#include "points/account.h"

/* Of a struct tier_state that is a member. */
#define TIER_ROWS(type, tier)                                                                                \
    CODEC_ID(type, tier.id), CODEC_DAY(type, tier.since), CODEC_DAY(type, tier.through),                     \
        CODEC_DAY(type, tier.grace), CODEC_DAY(type, tier.judge), CODEC_ID(type, tier.next),                 \
        CODEC_DAY(type, tier.next_day)

/* Of a struct account_pin that is a member. */
#define PIN_ROWS(type, pin)                                                                                  \
    CODEC_BOOL(type, pin.set), CODEC_U8(type, pin.wrong, PIN_TRIES),                                         \
        CODEC_BYTES(type, pin.salt, PIN_SALT_SIZE), CODEC_BYTES(type, pin.hash, PIN_HASH_SIZE)

void hold_write(struct wire_writer *writer, const struct codec_base *base, const struct account_hold *hold);
void hold_read(struct wire_reader *reader, const struct codec_base *base, struct account_hold *out);
void lot_write(struct wire_writer *writer, const struct codec_base *base, const struct lot *lot);
void lot_read(struct wire_reader *reader, const struct codec_base *base, struct lot *out);
