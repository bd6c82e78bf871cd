/* The till of queue_world.h. */
#include "queue_world.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "queue_server.h"

/* --- what the till is told --- */

static void note(struct told *told, unsigned *count, const struct punkt_answer *answer)
{
    assert_true(*count < TOLD_MAX);
    struct told *at = &told[(*count)++];
    *at = (struct told){ .call = answer->call,
                         .code = answer->code,
                         .operation = answer->operation,
                         .epoch = answer->epoch,
                         .number = answer->number,
                         .replayed = answer->replayed };
    if (answer->operation == PUNKT_OPERATION_PURCHASE) {
        const struct punkt_purchase_answer *purchase = (const struct punkt_purchase_answer *)answer;
        at->redeemed = purchase->redeemed;
        at->paid = purchase->paid;
        at->text_count = purchase->text_count;
    } else if (answer->operation == PUNKT_OPERATION_REDEEM) {
        at->redeemed = ((const struct punkt_redeem_answer *)answer)->redeemed;
        at->paid = ((const struct punkt_redeem_answer *)answer)->worth;
    }
}

void till_ended(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    struct queue_world *world = ctx;
    (void)punkt;
    note(world->ended, &world->ended_count, answer);
    if (world->inside != NULL)
        world->inside(world);
}

static void on_settled(struct punkt *punkt, const struct punkt_answer *answer, void *ctx)
{
    struct queue_world *world = ctx;
    (void)punkt;
    note(world->settled, &world->settled_count, answer);
    if (world->inside != NULL)
        world->inside(world);
}

static void on_alarm(struct punkt *punkt, enum punkt_alarm alarm, const char *text, void *ctx)
{
    struct queue_world *world = ctx;
    (void)punkt;
    assert_true((unsigned)alarm < ALARMS);
    world->alarms[alarm]++;
    (void)snprintf(world->alarm_text, sizeof(world->alarm_text), "%s", text);
}

/* --- life --- */

void till_open(struct queue_world *world)
{
    struct punkt_options options = PUNKT_INIT(options);
    options.server = world->servers;
    options.outbox = world->outbox;
    options.store = "1";
    options.till = "7";
    options.window = world->options.window;
    options.outbox_max = world->options.outbox_max;
    options.timeout_ms = world->options.timeout_ms != 0 ? world->options.timeout_ms : PATIENCE_MS;
    options.on_alarm = on_alarm;
    options.on_settled = on_settled;
    options.ctx = world;
    options.receipt_width = 32;
    assert_int_equal(punkt_new(&options, &world->punkt), PUNKT_CALL_DONE);
}

void till_close(struct queue_world *world)
{
    punkt_free(world->punkt);
    world->punkt = NULL;
}

struct queue_world *world_new(const struct world_options *options)
{
    struct queue_world *world = calloc(1, sizeof(*world));
    const char *base = getenv("TMPDIR");
    char socket[80];
    assert_non_null(world);
    world->options = *options;
    (void)snprintf(world->folder, sizeof(world->folder), "%.40s/queue-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(world->folder));
    (void)snprintf(socket, sizeof(socket), "%s/s", world->folder);
    (void)snprintf(world->address, sizeof(world->address), "unix:%s", socket);
    (void)snprintf(world->servers, sizeof(world->servers), "%s%s",
                   options->more_servers != NULL ? options->more_servers : "", world->address);
    (void)snprintf(world->outbox, sizeof(world->outbox), "%s/outbox", world->folder);
    world->server = server_new(socket, options->away);
    till_open(world);
    return world;
}

void world_free(struct queue_world *world)
{
    char lock[112];
    till_close(world);
    struct world_server *server = world->server;
    (void)snprintf(lock, sizeof(lock), "%s.lock", world->outbox);
    (void)unlink(world->outbox);
    (void)unlink(lock);
    server_free(server);
    int removed = rmdir(world->folder);
    free(world);
    assert_int_equal(removed, 0);
}

/* --- requests --- */

enum punkt_call till_buy(struct queue_world *world, int64_t amount, uint32_t timeout_ms,
                         struct punkt_purchase_answer *out)
{
    struct punkt_purchase_request request = {
        .size = sizeof(request), .timeout_ms = timeout_ms, .card = CARD, .amount = amount
    };
    *out = (struct punkt_purchase_answer)PUNKT_ANSWER_INIT(*out);
    return punkt_purchase(world->punkt, &request, out);
}

void till_submit(struct queue_world *world, int64_t amount, uint32_t timeout_ms)
{
    struct punkt_purchase_request request = {
        .size = sizeof(request), .timeout_ms = timeout_ms, .card = CARD, .amount = amount
    };
    assert_int_equal(punkt_submit_purchase(world->punkt, &request, till_ended, world), PUNKT_CALL_DONE);
}

void till_submit_wish(struct queue_world *world, const char *card, int64_t points, uint32_t timeout_ms)
{
    struct punkt_wish wish = { .size = sizeof(wish), .points = points };
    struct punkt_purchase_request request = { .size = sizeof(request),
                                              .timeout_ms = timeout_ms,
                                              .card = card,
                                              .amount = 100000,
                                              .wishes = &wish,
                                              .wish_count = 1,
                                              .pin = "4711" };
    assert_int_equal(punkt_submit_purchase(world->punkt, &request, till_ended, world), PUNKT_CALL_DONE);
}

void till_submit_redeem(struct queue_world *world, int64_t points, uint32_t timeout_ms)
{
    struct punkt_redeem_request request = {
        .size = sizeof(request), .timeout_ms = timeout_ms, .card = CARD, .points = points
    };
    assert_int_equal(punkt_submit_redeem(world->punkt, &request, till_ended, world), PUNKT_CALL_DONE);
}

uint64_t till_queued(const struct queue_world *world)
{
    struct punkt_outbox_info info = PUNKT_INIT(info);
    punkt_outbox_info(world->punkt, &info);
    return info.queued;
}

struct punkt_outbox_entry till_entry(const struct queue_world *world, uint64_t index)
{
    struct punkt_outbox_entry entry = PUNKT_INIT(entry);
    assert_true(punkt_outbox_entry(world->punkt, index, &entry));
    return entry;
}

uint64_t till_entries(const struct queue_world *world)
{
    uint64_t count = 0;
    struct punkt_outbox_entry entry = PUNKT_INIT(entry);
    while (punkt_outbox_entry(world->punkt, count, &entry))
        count++;
    return count;
}

/* --- the loop --- */

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#define LOOK_MS 20 /* what the server has done shows without the handle having anything to do */

void world_until(struct queue_world *world, until_fn *until, const char *what)
{
    int64_t start = now_ms();
    while (!until(world)) {
        int due_ms = punkt_timeout_ms(world->punkt);
        struct pollfd polled = { .fd = punkt_fd(world->punkt), .events = POLLIN };
        int ready = poll(&polled, 1, due_ms >= 0 && due_ms < LOOK_MS ? due_ms : LOOK_MS);
        if (ready > 0 || punkt_timeout_ms(world->punkt) == 0) {
            (void)punkt_process(world->punkt);
            world->processed++;
        }
        if (now_ms() - start > PATIENCE_MS)
            fail_msg("waited in vain until %s (last alarm: %s; trouble: %s)", what, world->alarm_text,
                     punkt_trouble(world->punkt));
    }
}

static unsigned wanted;

static bool all_ended(struct queue_world *world)
{
    return world->ended_count >= wanted;
}

static bool all_settled(struct queue_world *world)
{
    return world->settled_count >= wanted;
}

static bool all_answered(struct queue_world *world)
{
    return till_queued(world) == 0;
}

static bool link_is(struct queue_world *world)
{
    return punkt_link_state(world->punkt) == (enum punkt_link_state)wanted;
}

void world_until_ended(struct queue_world *world, unsigned count)
{
    wanted = count;
    world_until(world, all_ended, "requests have ended");
    assert_int_equal(world->ended_count, count);
}

void world_until_settled(struct queue_world *world, unsigned count)
{
    wanted = count;
    world_until(world, all_settled, "queued operations are settled");
    assert_int_equal(world->settled_count, count);
}

void world_until_empty(struct queue_world *world)
{
    world_until(world, all_answered, "nothing is queued");
}

void world_until_link(struct queue_world *world, enum punkt_link_state state)
{
    wanted = (unsigned)state;
    world_until(world, link_is, punkt_link_state_name(state));
}
