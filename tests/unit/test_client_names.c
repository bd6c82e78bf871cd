/* Names of servers while the resolver, which is this file, is away: what was known goes on being used. */
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/link.h"

#define SLOW_US 60000
#define ATTEMPT_US 1000000

static struct {
    bool away; /* and silent for SLOW_US */
    unsigned asked;
} resolver;

/* In the place of libc's. */
int getaddrinfo(const char *restrict name, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict out)
{
    uint64_t start_us = link_now_us();
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons(1), /* nobody listens there */
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    (void)name;
    (void)service;
    (void)hints;
    resolver.asked++;
    if (resolver.away) {
        while (link_now_us() - start_us < SLOW_US)
            continue;
        return EAI_AGAIN;
    }
    struct addrinfo *info = calloc(1, sizeof(*info) + sizeof(address));
    assert_non_null(info);
    info->ai_addr = (struct sockaddr *)(void *)(info + 1);
    info->ai_addrlen = sizeof(address);
    memcpy(info->ai_addr, &address, sizeof(address));
    *out = info;
    return 0;
}

void freeaddrinfo(struct addrinfo *info)
{
    free(info);
}

/* An attempt that ends as down; the next is due at once. */
static void attempt(struct link *link)
{
    link_try(link, link_now_us(), ATTEMPT_US);
    for (int i = 0; i < 1000 && link->state == LINK_CONNECTING; i++)
        (void)link_connected(link, link_now_us());
    assert_int_equal(link->state, LINK_DOWN);
    link->attempt_us = 0;
}

static void begin(struct link *link, bool away)
{
    resolver.asked = 0;
    resolver.away = away;
    assert_true(link_init(link, "loyalty.example:1", 1, NULL));
}

static void test_known_addresses_stay(void **state)
{
    struct link link;
    (void)state;
    begin(&link, false);
    attempt(&link);
    resolver.away = true;
    link.look_up_us = 0;
    attempt(&link);
    assert_int_equal(resolver.asked, 2);
    assert_int_equal(link.addresses.count, 1);
    assert_non_null(strstr(link.trouble, "refused")); /* by the address, not: no such name */
    link_done(&link);
}

static void test_slow_names_are_not_asked_each_time(void **state)
{
    struct link link;
    (void)state;
    begin(&link, true);
    attempt(&link);
    assert_int_equal(resolver.asked, 1);
    assert_int_equal(link.failures, 1); /* known to be down: nobody waits for it */
    uint64_t pause_us = link.look_up_us - link_now_us();
    assert_true(pause_us > 10 * SLOW_US);
    link.attempt_us = 0;
    link_try(&link, link_now_us(), ATTEMPT_US);
    assert_int_equal(resolver.asked, 1);
    assert_int_equal(link.attempt_us, link.look_up_us); /* and nobody is woken before */
    resolver.away = false;
    link.attempt_us = link.look_up_us = 0;
    attempt(&link);
    assert_int_equal(resolver.asked, 2);
    assert_int_equal(link.addresses.count, 1);
    link_done(&link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_addresses_stay),
        cmocka_unit_test(test_slow_names_are_not_asked_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
