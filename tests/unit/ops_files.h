/*
 * What tests of ops share: files of the source tree, and problems held against what was expected.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "ops/problems.h"
#include "ops/text_file.h"

/* A file of the source tree, "conf/punktd.yaml"; the caller frees its data. */
static inline struct text source_file(const char *name)
{
    char path[1024];
    struct failure failure;
    char *data;
    size_t size;
    const char *source = getenv("PUNKT_SOURCE");
    assert_non_null(source);
    (void)snprintf(path, sizeof(path), "%s/%s", source, name);
    assert_int_equal(text_file_read(path, 1024 * 1024, &data, &size, &failure), PUNKT_OK);
    return (struct text){ data, size };
}

static inline void source_file_free(struct text file)
{
    free((void *)(uintptr_t)file.data);
}

/* Exactly these problems, in this order; the list ends with NULL. */
static inline void assert_problems(const struct problems *problems, const char *const *want)
{
    for (uint32_t i = 0; i < problems->count; i++) {
        if (want[i] == NULL)
            fail_msg("not expected: %s", problems->texts[i]);
        assert_string_equal(problems->texts[i], want[i]);
    }
    if (want[problems->count] != NULL)
        fail_msg("missing: %s", want[problems->count]);
}
