/*
 * Seals: what they authenticate, how their key moves on, and the text of a key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/seal.h"

static void fill(uint8_t *bytes, size_t size, uint8_t first)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(first + i);
}

static struct event sealed(void)
{
    struct event event = { .type = EVENT_SEAL, .seal = { .head = 0x0102030405060708, .key_number = 513 } };
    fill(event.seal.head_hash, sizeof(event.seal.head_hash), 0x40);
    fill(event.seal.lineage, sizeof(event.seal.lineage), 0x80);
    return event;
}

/* The bytes of LEDGER.md, Secrets, by hand: somebody else can recompute a seal. */
static void message_is_as_written_down(void **state)
{
    (void)state;
    struct event event = sealed();
    uint8_t id[JOURNAL_ID_SIZE], message[SEAL_MESSAGE_SIZE], wanted[SEAL_MESSAGE_SIZE];
    static const uint8_t numbers[] = { 1, 2, 0, 0, 0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1 };
    fill(id, sizeof(id), 0x10);
    memcpy(wanted, "punkt seal", 10);
    fill(wanted + 10, 16, 0x10);
    fill(wanted + 26, 16, 0x80);
    memcpy(wanted + 42, numbers, sizeof(numbers));
    fill(wanted + 58, 32, 0x40);
    seal_message(id, &event, message);
    assert_int_equal(sizeof(message), 90);
    assert_memory_equal(message, wanted, sizeof(wanted));
}

/* What is wanted was computed with another program. */
static void mac_is_of_key_and_every_byte(void **state)
{
    (void)state;
    uint8_t key[SEAL_KEY_SIZE], message[SEAL_MESSAGE_SIZE], mac[SEAL_MAC_SIZE], other[SEAL_MAC_SIZE];
    fill(key, sizeof(key), 0);
    fill(message, sizeof(message), 0);
    assert_true(seal_mac(key, message, mac));
    static const uint8_t wanted[] = { 0xb5, 0xda, 0xa9, 0xd8, 0xcb, 0x37, 0x97, 0xbc, 0xe3, 0x2a, 0x42,
                                      0x40, 0x14, 0xe3, 0x79, 0xc9, 0xdd, 0xf0, 0x63, 0x97, 0xf1, 0xfd,
                                      0xe1, 0x7a, 0x80, 0x1b, 0x18, 0xef, 0xcb, 0x59, 0xe4, 0x3e };
    assert_memory_equal(mac, wanted, sizeof(wanted));
    for (size_t i = 0; i < sizeof(message); i++) {
        message[i] ^= 1;
        assert_true(seal_mac(key, message, other));
        assert_memory_not_equal(mac, other, sizeof(mac));
        message[i] ^= 1;
    }
    for (size_t i = 0; i < sizeof(key); i++) {
        key[i] ^= 0x80;
        assert_true(seal_mac(key, message, other));
        assert_memory_not_equal(mac, other, sizeof(mac));
        key[i] ^= 0x80;
    }
}

static void key_moves_on(void **state)
{
    (void)state;
    struct seal_key key = { .number = 7 };
    static const uint8_t wanted[] = { 0x63, 0x0d, 0xcd, 0x29, 0x66, 0xc4, 0x33, 0x66, 0x91, 0x12, 0x54,
                                      0x48, 0xbb, 0xb2, 0x5b, 0x4f, 0xf4, 0x12, 0xa4, 0x9c, 0x73, 0x2d,
                                      0xb2, 0xc8, 0xab, 0xc1, 0xb8, 0x58, 0x1b, 0xd7, 0x10, 0xdd };
    fill(key.key, sizeof(key.key), 0);
    fill(key.lineage, sizeof(key.lineage), 9);
    assert_true(seal_next_key(&key));
    assert_int_equal(key.number, 8);
    assert_memory_equal(key.key, wanted, sizeof(wanted));
    assert_int_equal(key.lineage[0], 9);
}

/* The example of PROTOCOL.md, which was computed with another program. */
static void example_is_as_written_down(void **state)
{
    (void)state;
    static const uint8_t mac[] = { 0x16, 0x29, 0x72, 0x36, 0x3c, 0x4c, 0x38, 0xce, 0x0f, 0xbd, 0x2f,
                                   0x75, 0xbe, 0xd0, 0xf4, 0x46, 0xea, 0xe3, 0xa2, 0x05, 0xeb, 0x75,
                                   0x3d, 0x8d, 0x2d, 0x7a, 0x81, 0xaf, 0x54, 0x36, 0x64, 0xf2 };
    static const uint8_t next[] = { 0x89, 0xc7, 0x46, 0x04, 0x52, 0xed, 0xdf, 0xf1, 0x19, 0xfe, 0xa0,
                                    0x41, 0x9e, 0x78, 0x5c, 0x74, 0xde, 0x2f, 0xfb, 0x13, 0x9d, 0xbe,
                                    0x74, 0x32, 0x3a, 0xca, 0x4a, 0x01, 0xe1, 0x98, 0xa5, 0xdc };
    struct event event = { .type = EVENT_SEAL, .seal = { .head = 4096 } };
    struct seal_key key = { .number = 0 };
    uint8_t id[JOURNAL_ID_SIZE], message[SEAL_MESSAGE_SIZE], made[SEAL_MAC_SIZE];
    fill(id, sizeof(id), 0);
    fill(event.seal.lineage, sizeof(event.seal.lineage), 0x10);
    fill(event.seal.head_hash, sizeof(event.seal.head_hash), 0);
    fill(key.key, sizeof(key.key), 0x10);
    seal_message(id, &event, message);
    assert_true(seal_mac(key.key, message, made));
    assert_memory_equal(made, mac, sizeof(mac));
    assert_true(seal_next_key(&key));
    assert_memory_equal(key.key, next, sizeof(next));
}

static void key_as_text_and_back(void **state)
{
    (void)state;
    struct seal_key key = { .number = UINT64_MAX }, again;
    char text[SEAL_KEY_TEXT_MAX];
    fill(key.key, sizeof(key.key), 0xf0);
    fill(key.lineage, sizeof(key.lineage), 0);
    size_t size = seal_key_write(&key, text);
    static const char wanted[] = "lineage: 000102030405060708090a0b0c0d0e0f\nnumber: 18446744073709551615\n"
                                 "key: f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff000102030405060708090a0b0c0d0e0f\n";
    assert_int_equal(size, sizeof(wanted) - 1);
    assert_memory_equal(text, wanted, size);
    assert_true(seal_key_read((struct text){ text, size }, &again));
    assert_memory_equal(&key, &again, sizeof(key));
    for (size_t cut = 0; cut < size; cut++)
        assert_false(seal_key_read((struct text){ text, cut }, &again));
}

static void other_texts_are_no_key(void **state)
{
    (void)state;
#define LINEAGE "lineage: 000102030405060708090a0b0c0d0e0f\n"
#define BAD_LINEAGE "lineage: 000102030405060708090a0b0c0d0e0g\n"
#define SHORT_KEY "key: 0001\n"
#define KEY "key: 000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f\n"
    static const char *const wrong[] = {
        LINEAGE "number: \n" KEY,        LINEAGE "number: 01\n" KEY,
        LINEAGE "number: -1\n" KEY,      LINEAGE "number: 18446744073709551616\n" KEY,
        "number: 1\n" LINEAGE KEY,       LINEAGE "number: 1\n" KEY "\n",
        LINEAGE "number: 1\n" SHORT_KEY, BAD_LINEAGE "number: 1\n" KEY,
    };
    struct seal_key key;
    assert_true(seal_key_read(text_of(LINEAGE "number: 1\n" KEY), &key));
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(seal_key_read(text_of(wrong[i]), &key));
}

static void head_as_printed(void **state)
{
    (void)state;
    static const char head[] = "000102030405060708090A0B0C0D0E0f101112131415161718191a1b1c1d1e1f";
    uint8_t hash[JOURNAL_HASH_SIZE], wanted[JOURNAL_HASH_SIZE];
    fill(wanted, sizeof(wanted), 0);
    assert_true(seal_head_read(text_of(head), hash));
    assert_memory_equal(hash, wanted, sizeof(hash));
    memset(hash, 0xFF, sizeof(hash));
    assert_true(seal_head_read(
        text_of(" 00010203 04050607 08090a0b 0c0d0e0f  10111213 14151617 18191a1b 1c1d1e1f "), hash));
    assert_memory_equal(hash, wanted, sizeof(hash));
    assert_false(seal_head_read(
        text_of("00010203 04050607 08090a0b 0c0d0e0f 10111213 14151617 18191a1b 1c1d1e1f 2"), hash));
    assert_false(seal_head_read(text_of(head + 1), hash));
    assert_false(seal_head_read(text_of(head + 2), hash));
    assert_false(
        seal_head_read(text_of("g00102030405060708090A0B0C0D0E0f101112131415161718191a1b1c1d1e1f"), hash));
    assert_false(seal_head_read(text_of(""), hash));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_is_as_written_down),
        cmocka_unit_test(mac_is_of_key_and_every_byte),
        cmocka_unit_test(key_moves_on),
        cmocka_unit_test(example_is_as_written_down),
        cmocka_unit_test(key_as_text_and_back),
        cmocka_unit_test(other_texts_are_no_key),
        cmocka_unit_test(head_as_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
