/*
 * Files that people write: whatever they hold, they are read or refused with at least one reason.
 */
#include "fuzz.h"

#include <string.h>

#include "ops/config.h"
#include "ops/programme_diff.h"
#include "ops/programme_reader.h"

static struct problems problems;

/* Lines are whole, and short enough for who keeps them. */
static void take_line(void *ctx, struct text line)
{
    uint32_t *count = ctx;
    PUNKT_CHECK(line.size > 0 && line.size < PROGRAMME_DIFF_LINE_MAX);
    PUNKT_CHECK(memchr(line.data, '\n', line.size) == NULL);
    (*count)++;
}

/* A text does not differ from itself; from another, it does or it does not, but there is an end. */
static void compare(struct text yaml)
{
    uint32_t count = 0;
    enum punkt_status status = programme_diff(yaml, yaml, "f", &problems, take_line, &count);
    PUNKT_CHECK(count == 0 && (status == PUNKT_OK) == (problems.count == 0));
    if (status == PUNKT_OK)
        PUNKT_CHECK(programme_diff(programme_text_default(), yaml, "f", &problems, take_line, &count) ==
                    PUNKT_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text yaml = { (const char *)data, size };
    struct config config;
    struct programme programme;
    config_default(&config);
    PUNKT_CHECK((config_read(yaml, "f", &config, &problems) == PUNKT_OK) == (problems.count == 0));
    PUNKT_CHECK((programme_read(yaml, "f", &programme, &problems) == PUNKT_OK) == (problems.count == 0));
    compare(yaml);
    return 0;
}
