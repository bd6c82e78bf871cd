/*
 * What a fuzz target defines. libFuzzer calls it without a header of its own, and replay_main.c calls it
 * where there is no libFuzzer.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Feeds one input to the code under test. Returns 0; whatever is wrong ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
