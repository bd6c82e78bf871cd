/*
 * The parts of an event as bytes, each in a file of its own: what it does to accounts, goods, and everything that is of one
 * type only. Readers fail on what the writers would not write. Private to event_codec.
 */
#pragma once

#include "ledger/codec.h"
#include "ledger/event_codec.h"

void effect_write(struct wire_writer *writer, const struct codec_base *base, const struct effect *effect);
void effect_read(struct wire_reader *reader, const struct codec_base *base, struct lot_change *lot_changes,
                 struct account_change *changes, struct effect *out);

void purchase_write(struct wire_writer *writer, const struct codec_base *base,
                    const struct purchase *purchase);
void purchase_read(struct wire_reader *reader, const struct codec_base *base, struct event_memory *memory,
                   struct purchase *out);
void goods_return_write(struct wire_writer *writer, const struct codec_base *base,
                        const struct goods_return *goods);
void goods_return_read(struct wire_reader *reader, const struct codec_base *base, struct event_memory *memory,
                       struct goods_return *out);
void redemption_write(struct wire_writer *writer, const struct codec_base *base,
                      const struct redemption *redemption);
void redemption_read(struct wire_reader *reader, const struct codec_base *base, struct redemption *out);

/* What only events of its type have. */
void detail_write(struct wire_writer *writer, const struct codec_base *base, const struct event *event);
void detail_read(struct wire_reader *reader, const struct codec_base *base, struct event_memory *memory,
                 struct event *out);
