#include "sight.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "world.h"

#define TIMED_MARGIN_US 2000 /* and half of what it takes: a difference that a busy machine does not make */

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int by_size(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* All that such a client ever sees of the server. */
struct sight {
    uint8_t bytes[64];
    size_t size;
    uint8_t alert;
    int64_t took_us[SIGHT_ROUNDS];
};

static void look(const char *address, const struct tls_proof *proof, struct sight *sight, size_t round)
{
    size_t size;
    int64_t start_us = now_us();
    struct tls_talk *talk = tls_talk_open(address, proof);
    assert_false(tls_talk_shake(talk));
    assert_int_equal(tls_talk_end(talk), 0);
    sight->took_us[round] = now_us() - start_us;
    const uint8_t *seen = tls_talk_seen(talk, &size);
    assert_in_range(size, 1, sizeof(sight->bytes));
    if (round > 0)
        assert_true(size == sight->size && memcmp(seen, sight->bytes, size) == 0);
    memcpy(sight->bytes, seen, size);
    sight->size = size;
    sight->alert = tls_talk_alert(talk);
    tls_talk_free(talk);
}

static int64_t median_us(struct sight *sight)
{
    qsort(sight->took_us, SIGHT_ROUNDS, sizeof(sight->took_us[0]), by_size);
    return sight->took_us[SIGHT_ROUNDS / 2];
}

void sight_expect_alike(const char *address, const struct tls_proof *proofs, size_t count)
{
    struct sight *sights = calloc(count, sizeof(*sights));
    assert_non_null(sights);
    for (size_t round = 0; round < SIGHT_ROUNDS; round++) {
        for (size_t i = 0; i < count; i++)
            look(address, &proofs[i], &sights[i], round);
    }
    int64_t first_us = median_us(&sights[0]);
    for (size_t i = 0; i < count; i++) {
        int64_t other_us = median_us(&sights[i]);
        int64_t apart_us = first_us > other_us ? first_us - other_us : other_us - first_us;
        assert_int_equal(sights[i].alert, SIGHT_WRONG_KEY_ALERT);
        assert_int_equal(sights[i].size, sights[0].size);
        assert_memory_equal(sights[i].bytes, sights[0].bytes, sights[0].size);
        print_message("%s: refused within %" PRId64 " us\n", proofs[i].psk_identity, other_us);
        if (apart_us > TIMED_MARGIN_US + first_us / 2)
            fail_msg("%s: %" PRId64 " us, %s: %" PRId64 " us", proofs[0].psk_identity, first_us,
                     proofs[i].psk_identity, other_us);
    }
    free(sights);
}
