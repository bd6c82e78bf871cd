/*
 * Which numbers (receipts, cards) a file has brought lately: a fixed table of 64-bit hashes, so that memory does
 * not grow with the file. It remembers the last SEEN_MAX; older ones are forgotten.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SEEN_MAX (1u << 20)

struct seen;

/* NULL without memory (24 MiB, touched as it fills). */
struct seen *seen_new(void);

void seen_free(struct seen *seen);

/* Adds a hash; beyond SEEN_MAX the oldest goes. */
void seen_add(struct seen *seen, uint64_t hash);

bool seen_has(const struct seen *seen, uint64_t hash);

/* 64-bit FNV-1a of a text with its NUL, continued from `hash` (SEEN_HASH_BEGIN at first); never 0. */
#define SEEN_HASH_BEGIN UINT64_C(0xcbf29ce484222325)
uint64_t seen_hash_text(uint64_t hash, const char *text);
