#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "ops/programme_diff.h"
#include "ops/programme_reader.h"
#include "start/daemon.h"

int64_t daemon_monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000;
}

void storage_failed(void *ctx, const char *what)
{
    (void)ctx;
    log_error("storage failed: %s; stopping without another answer, so that nothing is promised that may "
              "not be kept. Check the disk, then start again",
              what);
    _exit(EXIT_STORAGE);
}

static bool read_programme(struct text text, struct programme *out, struct failure *failure)
{
    struct problems problems = { .count = 0 };
    if (programme_read(text, "programme", out, &problems) == PUNKT_OK)
        return true;
    failure_set(failure, "%s", problems.count > 0 ? problems.texts[0] : "the programme cannot be read");
    return false;
}

static void check_programme(struct text text,
                            void (*each)(void *ctx, uint32_t line, uint32_t column, struct text what),
                            void *ctx)
{
    struct problems problems = { .count = 0 };
    struct programme *draft = malloc(sizeof(*draft));
    if (draft == NULL || programme_read(text, "programme", draft, &problems) == PUNKT_NO_MEMORY)
        each(ctx, 0, 0, TEXT_LITERAL("no memory to read it"));
    for (uint32_t i = 0; i < problems.count; i++) {
        const struct problem_place *place = &problems.places[i];
        each(ctx, place->line, place->column, text_of(problems.texts[i] + place->what));
    }
    free(draft);
}

static void diff_programmes(struct text before, struct text after, void (*each)(void *ctx, struct text line),
                            void *ctx)
{
    struct problems problems;
    if (programme_diff(before, after, "programme", &problems, each, ctx) == PUNKT_NO_MEMORY)
        each(ctx, TEXT_LITERAL("(no memory to compare them)"));
}

struct service_programmes service_programmes(void)
{
    return (struct service_programmes){ .read = read_programme,
                                        .check = check_programme,
                                        .diff = diff_programmes };
}

static uint64_t conn_number(struct net_conn_name name)
{
    return (uint64_t)name.generation << 32 | name.slot;
}

static struct net_conn_name conn_name(uint64_t number)
{
    return (struct net_conn_name){ .slot = (uint32_t)number, .generation = (uint32_t)(number >> 32) };
}

static void link_send(void *ctx, uint64_t conn, uint16_t type, uint16_t flags, uint64_t number,
                      const void *body, size_t size)
{
    struct daemon *daemon = ctx;
    /* A connection that is gone drops its answer; what it reports stands. */
    (void)net_send(daemon->net, conn_name(conn), type, flags, number, body, size, 1);
}

static void link_proven(void *ctx, uint64_t conn)
{
    struct daemon *daemon = ctx;
    net_proven(daemon->net, conn_name(conn));
}

static void link_close(void *ctx, uint64_t conn)
{
    struct daemon *daemon = ctx;
    net_close_after_output(daemon->net, conn_name(conn));
}

static void link_slow_down(void *ctx, uint64_t conn, uint32_t milliseconds)
{
    struct daemon *daemon = ctx;
    net_slow_down(daemon->net, conn_name(conn), daemon_monotonic_us() + (int64_t)milliseconds * 1000);
}

/* Identities and codes are numbered far below it: whose key it is goes through net together with which kind of key. */
#define NUMBER_IS_CODE (UINT64_C(1) << 63)

static struct service_peer peer_of(const struct net_peer *peer)
{
    bool code = peer->proof == NET_PROOF_PSK && (peer->psk_number & NUMBER_IS_CODE) != 0;
    struct service_peer who = { .proof = peer->proof == NET_PROOF_CERTIFICATE ? SERVICE_PROOF_CERTIFICATE
                                         : peer->proof == NET_PROOF_LOCAL     ? SERVICE_PROOF_LOCAL
                                         : code                               ? SERVICE_PROOF_CODE
                                                                              : SERVICE_PROOF_PSK,
                                .unix_socket = peer->unix_socket,
                                .uid = peer->unix_uid,
                                .key_ends = peer->key_ends_s * US_PER_SECOND,
                                .number = peer->psk_number & ~NUMBER_IS_CODE,
                                .source = peer->source };
    memcpy(who.key, peer->key, sizeof(who.key));
    return who;
}

static void *on_open(void *ctx, struct net_conn_name name, const struct net_peer *peer)
{
    struct daemon *daemon = ctx;
    struct service_peer who = peer_of(peer);
    log_debug("connection from %s", peer->address);
    return service_connected(daemon->service, conn_number(name), &who);
}

static bool on_psk(void *ctx, enum net_listener kind, const char *identity, size_t size,
                   uint8_t out_key[NET_PSK_SIZE], uint64_t *out_number)
{
    struct daemon *daemon = ctx;
    bool code = kind == NET_LISTEN_ENROL;
    if (!service_psk(daemon->service, code, identity, size, out_key, out_number))
        return false;
    PUNKT_CHECK((*out_number & NUMBER_IS_CODE) == 0);
    if (code)
        *out_number |= NUMBER_IS_CODE;
    return true;
}

/* Not at a level that is on by default: whoever may connect could fill the disk with lines. The audit counts them. */
static void on_refused(void *ctx, const struct net_peer *peer, const char *what, const char *identity,
                       uint64_t number)
{
    struct daemon *daemon = ctx;
    struct net_peer named = *peer;
    named.psk_number = number;
    struct service_peer who = peer_of(&named);
    if (strncmp(identity, "enrol/", 6) == 0)
        who.proof = SERVICE_PROOF_CODE; /* also of a code that there is not, or not any more */
    log_debug("handshake of %s failed: %s%s%s", peer->address, what, identity[0] != '\0' ? ", as " : "",
              identity);
    service_proof_refused(daemon->service, &who, what);
}

static enum net_verdict on_frame(void *ctx, void *session, const struct frame *frame)
{
    struct daemon *daemon = ctx;
    daemon->frames++;
    if (service_frame(daemon->service, session, frame) == SERVICE_TAKEN)
        return NET_TAKEN;
    daemon->net_paused = true;
    return NET_NOT_NOW;
}

static void on_broken(void *ctx, void *session, const struct frame *frame)
{
    struct daemon *daemon = ctx;
    service_broken(daemon->service, session, frame);
}

static void on_close(void *ctx, void *session)
{
    struct daemon *daemon = ctx;
    service_disconnected(daemon->service, session);
}

struct service_link service_link_of(struct daemon *daemon)
{
    return (struct service_link){ .ctx = daemon,
                                  .send = link_send,
                                  .proven = link_proven,
                                  .close = link_close,
                                  .slow_down = link_slow_down };
}

enum punkt_status start_net(struct daemon *daemon, struct failure *failure)
{
    static const struct net_handler handler = { .open = on_open,
                                                .frame = on_frame,
                                                .broken = on_broken,
                                                .close = on_close,
                                                .psk = on_psk,
                                                .refused = on_refused };
    struct net_options options = net_options_default();
    options.conns_max = daemon->config.limits.conns_max;
    options.unproven_max = daemon->config.limits.unproven_max;
    options.unproven_per_address_max = daemon->config.limits.unproven_per_address_max;
    options.in_flight_max = daemon->config.limits.in_flight_max;
    options.frames_per_turn = daemon->config.limits.frames_per_turn;
    options.output_high_bytes = daemon->config.limits.output_high_kib << 10;
    options.pool_bytes = (uint64_t)daemon->config.limits.pool_mib << 20;
    options.handshake_timeout_ms = daemon->config.limits.handshake_timeout_ms;
    options.hello_timeout_ms = daemon->config.limits.hello_timeout_ms;
    options.frame_timeout_ms = daemon->config.limits.frame_timeout_ms;
    options.idle_timeout_ms = daemon->config.limits.idle_timeout_ms;
    options.drain_timeout_ms = daemon->config.limits.drain_timeout_ms;
    enum punkt_status status = net_open(&options, &handler, daemon, daemon->loop, &daemon->net);
    if (status != PUNKT_OK)
        failure_set(failure, "the table of connections cannot be made: %s", punkt_status_name(status));
    return status;
}

void stop_net(struct daemon *daemon)
{
    net_free(daemon->net);
    daemon->net = NULL;
}
