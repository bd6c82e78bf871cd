/*
 * A block of the journal as a file may hold it: it checks out, or the run of bytes that does not lies inside it.
 * The first byte says whether the header's checksum is made right first, so that the rest is reached.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/journal_format.h"
#include "proto/crc32c.h"

static struct sha256 sha256;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct block_header header;
    struct block_fault fault;
    if (size < 1 + BLOCK_HEADER_SIZE)
        return 0;
    if (sha256.context == NULL)
        PUNKT_CHECK(sha256_init(&sha256) == PUNKT_OK);
    size_t block_size = size - 1;
    uint8_t *block = malloc(block_size); /* exactly as large, so that a read behind it is seen */
    PUNKT_CHECK(block != NULL);
    memcpy(block, data + 1, block_size);
    if ((data[0] & 1) != 0)
        store_u32(block + 40, crc32c(crc32c(0, block, 40), block + 44, BLOCK_HEADER_SIZE - 44));
    if (block_header_decode(block, block_size, &header) == NULL) {
        PUNKT_CHECK(header.size <= block_size);
        if (!block_check(&sha256, block, &header, NULL, &fault))
            PUNKT_CHECK(fault.from < fault.to && fault.to <= header.size && fault.text != NULL);
    }
    free(block);
    return 0;
}
