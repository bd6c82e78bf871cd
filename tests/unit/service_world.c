#include "service_world.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ops/programme_reader.h"

#define PATIENCE_MS 60000

static const char default_programme[] = "programme: Test\nzone: Europe/Berlin\n"
                                        "base: [{rule: spend, name: euro, points: 1, amount: 1.00}]\n...\n";

static void fatal(void *ctx, const char *what)
{
    (void)ctx;
    fprintf(stderr, "fatal: %s\n", what);
    abort();
}

static void keep_reply(void *ctx, uint64_t conn, uint16_t type, uint16_t flags, uint64_t number,
                       const void *body, size_t size)
{
    struct service_world *world = ctx;
    (void)flags;
    assert_int_equal(conn, world->conn);
    assert_false(world->reply.come);
    world->reply.come = true;
    world->reply.type = type;
    world->reply.number = number;
    world->reply.size = size;
    memcpy(world->reply.body, body, size);
}

static void ignore_proven(void *ctx, uint64_t conn)
{
    (void)ctx;
    (void)conn;
}

static void note_close(void *ctx, uint64_t conn)
{
    struct service_world *world = ctx;
    world->connections[conn - 1].closed = true;
}

static void note_slow_down(void *ctx, uint64_t conn, uint32_t milliseconds)
{
    struct service_world *world = ctx;
    assert_int_equal(conn, world->conn);
    world->slowed++;
    world->slowed_ms = milliseconds;
}

static bool read_programme(struct text text, struct programme *out, struct failure *failure)
{
    struct problems problems = { .count = 0 };
    if (programme_read(text, "programme", out, &problems) == PUNKT_OK)
        return true;
    failure_set(failure, "%s", problems.count > 0 ? problems.texts[0] : "it cannot be read");
    return false;
}

static void check_programme(struct text text,
                            void (*each)(void *ctx, uint32_t line, uint32_t column, struct text what),
                            void *ctx)
{
    static struct programme draft;
    struct problems problems = { .count = 0 };
    if (programme_read(text, "programme", &draft, &problems) != PUNKT_OK)
        each(ctx, problems.places[0].line, problems.places[0].column, text_of(problems.texts[0]));
}

static void open_ledger(struct service_world *world)
{
    struct failure failure = { { 0 } };
    struct ledger_recovery recovery;
    struct ledger_options options = { .dir = world->dir,
                                      .segment_bytes = 16 << 20,
                                      .reserve_bytes = 1,
                                      .map_bytes = UINT64_C(256) << 20,
                                      .layer_records = 1000,
                                      .layer_bytes = 4 << 20,
                                      .fatal = fatal };
    if (ledger_open(&options, &world->ledger, &recovery, &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
}

static const struct service_peer local_peer = { .proof = SERVICE_PROOF_LOCAL, .source = "here" };

static void start_service(struct service_world *world)
{
    struct failure failure = { { 0 } };
    world->options.ledger = world->ledger;
    if (service_open(&world->options, &world->service, &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
}

static const struct service_keys test_keys = { .psk_masters = { { 1, 2, 3 } }, .psk_masters_known = 1 };

static void open_service(struct service_world *world, const char *programme)
{
    struct failure failure = { { 0 } };
    world->keys = test_keys;
    world->options =
        (struct service_options){ .link = { .ctx = world,
                                            .send = keep_reply,
                                            .proven = ignore_proven,
                                            .close = note_close,
                                            .slow_down = note_slow_down },
                                  .limits = { .in_flight_max = 16 },
                                  .programmes = { .read = read_programme, .check = check_programme },
                                  .keys = &world->keys };
    start_service(world);
    if (service_publish(world->service, text_of(programme), &failure) != PUNKT_OK)
        fail_msg("%s", failure.text);
}

static void begin(struct service_world *world)
{
    world->connection_count = 0;
    (void)service_join(world, &local_peer);
    assert_int_equal(service_hello(world, 77), RESULT_DONE);
}

struct service_world *service_world_new(const char *programme)
{
    struct service_world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    snprintf(world->dir, sizeof(world->dir), "/tmp/punkt-service-XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    open_ledger(world);
    open_service(world, programme != NULL ? programme : default_programme);
    begin(world);
    return world;
}

static void stop(struct service_world *world)
{
    struct failure failure = { { 0 } };
    for (uint32_t i = 0; i < world->connection_count; i++) {
        if (world->connections[i].session != NULL)
            service_disconnected(world->service, world->connections[i].session);
    }
    assert_int_equal(ledger_close(world->ledger, &failure), PUNKT_OK);
    service_free(world->service);
}

void service_world_restart(struct service_world *world)
{
    stop(world);
    open_ledger(world);
    start_service(world);
    begin(world);
    world->number = world->reply.message.hello_answer.last_booked;
}

void service_world_free(struct service_world *world)
{
    char command[128];
    stop(world);
    snprintf(command, sizeof(command), "rm -r %s", world->dir);
    assert_int_equal(system(command), 0);
    free(world);
}

uint64_t service_join(struct service_world *world, const struct service_peer *peer)
{
    uint64_t conn = ++world->connection_count;
    assert_true(conn <= WORLD_CONNECTIONS);
    world->connections[conn - 1].session = service_connected(world->service, conn, peer);
    world->connections[conn - 1].number = 0;
    world->connections[conn - 1].closed = false;
    assert_non_null(world->connections[conn - 1].session);
    if (conn == 1)
        world->conn = 0;
    service_speak(world, conn);
    return conn;
}

void service_speak(struct service_world *world, uint64_t conn)
{
    if (world->conn != 0)
        world->connections[world->conn - 1].number = world->number;
    world->conn = conn;
    world->number = world->connections[conn - 1].number;
    world->session = world->connections[conn - 1].session;
    assert_non_null(world->session);
}

bool service_closed(const struct service_world *world, uint64_t conn)
{
    return world->connections[conn - 1].closed;
}

void service_leave(struct service_world *world, uint64_t conn)
{
    assert_int_not_equal(conn, world->conn);
    service_disconnected(world->service, world->connections[conn - 1].session);
    world->connections[conn - 1].session = NULL;
}

enum result service_hello(struct service_world *world, uint64_t epoch)
{
    struct msg_hello_request hello;
    message_init(MESSAGE_hello_request, &hello);
    hello.version_min = hello.version_max = 1;
    hello.epoch = epoch;
    hello.first_unanswered = 1;
    return service_call(world, OPERATION_HELLO, 0, &hello);
}

void service_turns(struct service_world *world)
{
    struct pollfd fd = { .fd = ledger_fd(world->ledger), .events = POLLIN };
    int timeout = service_has_work(world->service) ? 0 : PATIENCE_MS;
    assert_true(poll(&fd, 1, timeout) > 0 || timeout == 0);
    ledger_process(world->ledger);
    (void)service_turn(world->service);
    ledger_turn_end(world->ledger);
}

static void read_reply(struct service_world *world, const struct operation_row *row)
{
    struct service_reply *reply = &world->reply;
    struct message_memory memory = { reply->lists, sizeof(reply->lists) };
    const char *field;
    bool refused = (reply->type & FRAME_TYPE_REFUSED) != 0;
    enum message message = refused ? MESSAGE_refusal : row->answer;
    if (!message_decode(message, reply->body, reply->size, &memory, &reply->message, &field))
        fail_msg("the answer cannot be read: field %s", field);
    reply->result = refused ? (enum result)reply->message.refusal.result : RESULT_DONE;
}

enum result service_call(struct service_world *world, enum operation operation, uint16_t flags,
                         const void *message)
{
    const struct operation_row *row = operation_row(operation);
    struct wire_writer writer = wire_writer_over(world->request, sizeof(world->request));
    message_encode(row->request, message, &writer);
    assert_false(writer.failed);
    bool change = row->kind == OPERATION_KIND_CHANGE;
    struct frame frame = { .type = operation,
                           .flags = flags,
                           .number = change ? ++world->number : ++world->read_number + (UINT64_C(1) << 40),
                           .body = world->request,
                           .body_size = (uint32_t)wire_written(&writer) };
    world->reply.come = false;
    assert_int_equal(service_frame(world->service, world->session, &frame), SERVICE_TAKEN);
    (void)service_turn(world->service);
    ledger_turn_end(world->ledger);
    while (!world->reply.come)
        service_turns(world);
    assert_int_equal(world->reply.number, frame.number);
    read_reply(world, row);
    return world->reply.result;
}

struct wire_code code(const char *text)
{
    struct wire_code out;
    assert_true(wire_code_from(text, strlen(text), &out));
    return out;
}
