#include "ledger/state_digest.h"

#include "proto/wire.h"

static struct digest_sum record_digest(struct sha256 *sha256, const void *key, size_t key_size,
                                       const void *value, size_t size)
{
    uint8_t hash[SHA256_SIZE];
    uint8_t prefix[2] = { (uint8_t)key_size, (uint8_t)(key_size >> 8) };
    sha256_begin(sha256);
    sha256_add(sha256, prefix, sizeof(prefix));
    sha256_add(sha256, key, key_size);
    sha256_add(sha256, value, size);
    sha256_end(sha256, hash);
    struct digest_sum sum;
    digest_load(hash, &sum);
    return sum;
}

void digest_add(struct digest_sum *sum, struct sha256 *sha256, const void *key, size_t key_size,
                const void *value, size_t size)
{
    struct digest_sum record = record_digest(sha256, key, key_size, value, size);
    sum->low += record.low;
    sum->high += record.high + (sum->low < record.low);
}

void digest_take(struct digest_sum *sum, struct sha256 *sha256, const void *key, size_t key_size,
                 const void *value, size_t size)
{
    struct digest_sum record = record_digest(sha256, key, key_size, value, size);
    sum->high -= record.high + (sum->low < record.low);
    sum->low -= record.low;
}

void digest_store(const struct digest_sum *sum, uint8_t out_bytes[DIGEST_SIZE])
{
    struct wire_writer writer = wire_writer_over(out_bytes, DIGEST_SIZE);
    wire_write_u64(&writer, sum->low);
    wire_write_u64(&writer, sum->high);
}

void digest_load(const uint8_t bytes[DIGEST_SIZE], struct digest_sum *out_sum)
{
    struct wire_reader reader = wire_reader_over(bytes, DIGEST_SIZE);
    out_sum->low = wire_read_u64(&reader);
    out_sum->high = wire_read_u64(&reader);
}
