/*
 * Files that people write: whatever they hold, they are read or refused with at least one reason.
 */
#include "fuzz.h"

#include "ops/config.h"
#include "ops/programme_reader.h"

static struct problems problems;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text yaml = { (const char *)data, size };
    struct config config;
    struct programme programme;
    config_default(&config);
    PUNKT_CHECK((config_read(yaml, "f", &config, &problems) == PUNKT_OK) == (problems.count == 0));
    PUNKT_CHECK((programme_read(yaml, "f", &programme, &problems) == PUNKT_OK) == (problems.count == 0));
    return 0;
}
