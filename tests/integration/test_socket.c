/*
 * The Unix socket: the kernel says who is at its other end, and only root, the daemon's own user and the `admins` of its
 * settings are the local administrator through it (RELIABILITY.md, Identity, roles).
 */
#include <sys/stat.h>
#include <unistd.h>

#include "talk.h"
#include "world.h"

#define EPOCH UINT64_C(0x0123456789abcdef)
#define ADMIN 4242
#define STRANGER 4243

/* A connection of somebody else: the kernel notes who connects. */
static struct talk *open_as(const struct world *world, uid_t uid)
{
    assert_int_equal(seteuid(uid), 0);
    struct talk *talk = talk_open(world_address(world));
    assert_int_equal(seteuid(0), 0);
    return talk;
}

static void say_hello(struct talk *talk)
{
    struct msg_hello_request hello;
    message_init(MESSAGE_hello_request, &hello);
    hello.version_min = hello.version_max = 1;
    hello.epoch = EPOCH;
    hello.first_unanswered = 1;
    talk_send(talk, OPERATION_HELLO, 0, 1, &hello);
}

static void assert_administrator(const struct world *world, uid_t uid)
{
    struct talk *talk = open_as(world, uid);
    struct msg_hello_answer answer;
    say_hello(talk);
    struct talk_answer done = talk_expect(talk, OPERATION_HELLO, 1);
    talk_decode(talk, &done, &answer);
    assert_int_equal(answer.identity, 1);
    assert_int_equal(answer.role, ROLE_ADMIN);
    talk_ping(talk);
    talk_free(talk);
}

static void test_peer_credentials(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* only root can be somebody else */
    struct world_options options = { .unix_socket = true, .settings = WORLD_JOURNAL "admins: [4242]\n" };
    struct world *world = world_new(&options);
    assert_int_equal(chmod(world_folder(world), 0711), 0);
    assert_int_equal(chmod(world_address(world) + sizeof("unix:") - 1, 0666), 0);
    assert_administrator(world, 0);
    assert_administrator(world, ADMIN);
    struct talk *talk = open_as(world, STRANGER);
    say_hello(talk);
    (void)talk_expect_refusal(talk, OPERATION_HELLO, 1, RESULT_NOT_PERMITTED);
    talk_expect_end(talk);
    talk_free(talk);
    /* What it is refused for has no trace but that of the attempt; the administrator is served on. */
    world_wait_said(world, "this socket is for root");
    assert_administrator(world, ADMIN);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peer_credentials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
