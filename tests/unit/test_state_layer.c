/*
 * One layer: a hash table that says what it was told, in the order that LMDB wants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/state_layer.h"

#include <stdlib.h>
#include <string.h>

#include "random.h"

/* Hashes are given, so that collisions can be, too. */
static void put(struct layer *layer, uint64_t hash, const char *key, const char *value)
{
    memcpy(layer_put(layer, hash, key, strlen(key), (uint32_t)strlen(value)), value, strlen(value));
}

static void expect(const struct layer *layer, uint64_t hash, const char *key, const char *value)
{
    const struct layer_record *record = layer_find(layer, hash, key, strlen(key));
    if (value == NULL) {
        assert_null(record);
        return;
    }
    assert_non_null(record);
    assert_false(record->tombstone);
    assert_int_equal(record->value_size, strlen(value));
    assert_memory_equal(layer_value(record), value, strlen(value));
}

static void test_same_hash(void **unused PUNKT_UNUSED)
{
    struct layer layer;
    assert_int_equal(layer_init(&layer, 100, 4096), PUNKT_OK);
    put(&layer, 63, "a", "1"); /* the last slot: the next ones are at the beginning */
    put(&layer, 63, "b", "2");
    put(&layer, 63, "ab", "3");
    put(&layer, 127, "c", "4");
    expect(&layer, 63, "a", "1");
    expect(&layer, 63, "b", "2");
    expect(&layer, 63, "ab", "3");
    expect(&layer, 127, "c", "4");
    expect(&layer, 63, "c", NULL);
    expect(&layer, 63, "abc", NULL);
    assert_int_equal(layer.record_count, 4);
    layer_done(&layer);
    layer_done(&layer);
}

static void test_tombstones_and_growth(void **unused PUNKT_UNUSED)
{
    struct layer layer;
    struct layer_entry entries[4];
    assert_int_equal(layer_init(&layer, 4, 4096), PUNKT_OK);
    layer_remove(&layer, 1, "gone", 4);
    put(&layer, 2, "grows", "x");
    put(&layer, 2, "grows", "a value that does not fit where the first one was");
    put(&layer, 3, "back", "a value");
    layer_remove(&layer, 3, "back", 4);
    put(&layer, 3, "back", "again");
    assert_true(layer_find(&layer, 1, "gone", 4)->tombstone);
    expect(&layer, 2, "grows", "a value that does not fit where the first one was");
    expect(&layer, 3, "back", "again");
    assert_int_equal(layer.record_count, 3);
    layer_sort(&layer, entries);
    assert_memory_equal(entries[0].record->bytes, "back", 4);
    assert_memory_equal(entries[1].record->bytes, "gone", 4);
    assert_true(entries[1].record->tombstone);
    assert_memory_equal(entries[2].record->bytes, "grows", 5);
    assert_int_equal(entries[2].record->value_size, 49);
    layer_done(&layer);
}

/* A record that changes its size up and down within its room does not eat the arena. */
static void test_no_churn(void **unused PUNKT_UNUSED)
{
    struct layer layer;
    uint8_t value[125] = { 0 };
    assert_int_equal(layer_init(&layer, 4, 4096), PUNKT_OK);
    for (int round = 0; round < 1000; round++) {
        uint32_t size = (uint32_t)(100 + round % 26);
        memcpy(layer_put(&layer, 1, "lots", 4, size), value, size);
    }
    assert_true(layer.arena_used <= 160);
    layer_done(&layer);
}

static void test_clear(void **unused PUNKT_UNUSED)
{
    struct layer layer;
    assert_int_equal(layer_init(&layer, 10, 4096), PUNKT_OK);
    layer.generation = UINT32_MAX - 2;
    for (int round = 0; round < 6; round++) {
        expect(&layer, 5, "a", NULL);
        put(&layer, 5, "a", "1");
        expect(&layer, 5, "a", "1");
        layer_clear(&layer);
        assert_int_equal(layer.record_count, 0);
        assert_int_equal(layer.arena_used, 0);
    }
    layer_done(&layer);
}

static int compare_as_lmdb(const struct layer_record *a, const struct layer_record *b)
{
    size_t size = a->key_size < b->key_size ? a->key_size : b->key_size;
    int order = memcmp(a->bytes, b->bytes, size);
    return order != 0 ? order : (int)a->key_size - (int)b->key_size;
}

static void test_full_and_sorted(void **unused PUNKT_UNUSED)
{
    enum { RECORDS = 5000 };
    struct random random = random_seeded();
    struct layer layer;
    struct layer_entry *entries = calloc(RECORDS, sizeof(*entries));
    assert_non_null(entries);
    assert_int_equal(layer_init(&layer, RECORDS, 1 << 20), PUNKT_OK);
    while (layer.record_count < RECORDS) {
        uint8_t key[12];
        size_t size = 1 + random_below(&random, sizeof(key));
        for (size_t i = 0; i < size; i++)
            key[i] = (uint8_t)(random_below(&random, 3) * 0x7F); /* zeros at the end, too */
        uint64_t hash = layer_hash(7, key, size);
        *layer_put(&layer, hash, key, size, 1) = (uint8_t)size;
        assert_int_equal(*layer_value(layer_find(&layer, hash, key, size)), size);
    }
    layer_sort(&layer, entries);
    for (size_t i = 1; i < RECORDS; i++)
        assert_true(compare_as_lmdb(entries[i - 1].record, entries[i].record) < 0);
    layer_done(&layer);
    free(entries);
}

/* Keys that differ little must not fall into few slots: composite numbers are all there is. */
static void test_hash_spreads(void **unused PUNKT_UNUSED)
{
    enum { SLOTS = 4096 };
    static uint32_t counts[SLOTS];
    uint32_t most = 0;
    for (uint32_t i = 0; i < SLOTS * 4; i++) {
        uint8_t key[9] = { 'a',       0, 0, 0, 0, (uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8),
                           (uint8_t)i };
        uint32_t count = ++counts[layer_hash(1, key, sizeof(key)) % SLOTS];
        most = count > most ? count : most;
    }
    assert_true(most < 20); /* 4 on average; 20 comes by chance once in a hundred million tables */
    assert_true(layer_hash(1, "a", 1) != layer_hash(2, "a", 1));
    assert_true(layer_hash(1, "a", 1) != layer_hash(1, "a\0", 2));
    assert_true(layer_hash(1, "a\0\0\0\0\0\0", 7) != layer_hash(1, "a\0\0\0\0\0\0\0", 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_hash),       cmocka_unit_test(test_tombstones_and_growth),
        cmocka_unit_test(test_no_churn),        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_full_and_sorted), cmocka_unit_test(test_hash_spreads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
