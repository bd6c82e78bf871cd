/*
 * What an idle connection over TLS costs (RELIABILITY.md, Limits): counted, allocation by allocation, apart from what the
 * clients of the same process have.
 */
#include "tls_world.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS 50
#define BYTES_MAX (40 * 1024)

/* Before each allocation of OpenSSL. Who is in the world's turn allocates for the server. */
struct tag {
    size_t size;
    bool counted;
    max_align_t bytes[];
};

static bool counting;
static size_t counted_bytes;

static void *tag_allocate(size_t size, const char *file PUNKT_UNUSED, int line PUNKT_UNUSED)
{
    struct tag *tag = malloc(sizeof(*tag) + size);
    if (tag == NULL)
        return NULL;
    tag->size = size;
    tag->counted = counting;
    counted_bytes += counting ? size : 0;
    return tag->bytes;
}

static struct tag *tag_of(void *bytes)
{
    return (struct tag *)(void *)((char *)bytes - offsetof(struct tag, bytes));
}

static void tag_free(void *bytes, const char *file PUNKT_UNUSED, int line PUNKT_UNUSED)
{
    if (bytes == NULL)
        return;
    struct tag *tag = tag_of(bytes);
    counted_bytes -= tag->counted ? tag->size : 0;
    free(tag);
}

static void *tag_reallocate(void *bytes, size_t size, const char *file, int line)
{
    void *moved = size == 0 ? NULL : tag_allocate(size, file, line);
    if (moved != NULL && bytes != NULL) {
        const size_t before = tag_of(bytes)->size;
        memcpy(moved, bytes, before < size ? before : size);
    }
    if (moved != NULL || size == 0)
        tag_free(bytes, file, line);
    return moved;
}

static void turn_counted(struct world *world)
{
    counting = true;
    world_turn(world);
    counting = false;
}

static void open_counted(struct tls_client *client)
{
    struct world *world = client->world;
    const uint32_t before = world->sessions_count;
    const int64_t start_ms = world_real_ms();
    while (!tls_client_step(client) || world->sessions_count == before) {
        turn_counted(world);
        world_patience(start_ms);
    }
}

static void ask_counted(struct tls_client *client, uint8_t *body, size_t size)
{
    struct world *world = client->world;
    uint8_t header[FRAME_HEADER_SIZE];
    const int64_t start_ms = world_real_ms();
    frame_put_header(header, (uint32_t)size, 1, 0, 1);
    tls_client_write(client, header, sizeof(header));
    tls_client_write(client, body, size);
    for (size_t have = 0; have < FRAME_HEADER_SIZE + size;) {
        (void)tls_client_pump_out(client, SIZE_MAX);
        turn_counted(world);
        have += tls_client_take(client, body, size);
        world_patience(start_ms);
    }
    for (int i = 0; i < 5; i++)
        turn_counted(world);
}

static void expect_thrifty(enum net_listener kind)
{
    static const struct world_key key = { "punkt/7/1", "a key of a till, of 32 bytes...", 7 };
    static uint8_t body[100000];
    struct net_options options = world_options();
    struct tls_world *tls_world = tls_world_new(&options);
    struct world *world = tls_world->world;
    struct person till = person_new(PERSON_CLIENT, &tls_world->ca, -1000, 5000);
    struct client_proof proof = { .psk_identity = key.identity, .psk_key = key.key };
    struct tls_client *clients[CONNECTIONS + 1];
    world->keys = &key;
    world->keys_count = 1;
    if (kind == NET_LISTEN_CERTIFICATE)
        proof = (struct client_proof){ .person = &till };
    size_t before = 0;
    for (int i = 0; i <= CONNECTIONS; i++) {
        clients[i] = tls_client_new(world, tls_world->where[kind], &proof);
        open_counted(clients[i]);
        ask_counted(clients[i], body, sizeof(body));
        if (i == 0)
            before = counted_bytes; /* what is made once is there now */
    }
    for (uint32_t i = 0; i < world->net->slots_used; i++) {
        assert_null(world->net->conns[i].in);
        assert_null(world->net->conns[i].out);
    }
    const size_t each = (counted_bytes - before) / CONNECTIONS + sizeof(struct conn) + sizeof(struct tls);
    print_message("%zu bytes an idle connection\n", each);
    assert_in_range(each, 4096, BYTES_MAX); /* less would mean that nothing was counted */
    for (int i = 0; i <= CONNECTIONS; i++)
        tls_client_free(clients[i]);
    person_free(&till);
    tls_world_free(tls_world);
}

static void test_idle_by_certificate(void **state PUNKT_UNUSED)
{
    expect_thrifty(NET_LISTEN_CERTIFICATE);
}

static void test_idle_by_key(void **state PUNKT_UNUSED)
{
    expect_thrifty(NET_LISTEN_PSK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idle_by_certificate),
        cmocka_unit_test(test_idle_by_key),
    };
    if (CRYPTO_set_mem_functions(tag_allocate, tag_reallocate, tag_free) != 1)
        return EXIT_FAILURE; /* OpenSSL has allocated something already */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
