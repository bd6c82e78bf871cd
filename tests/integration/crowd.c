#include "crowd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "proto/message.h"

#define DESCRIPTORS_SPARE 100
#define PATIENCE_MS 60000 /* that long nothing happens: it never will */
#define KEY_SIZE 32
#define EVENTS 64
#define ANSWER_MAX 4096

static const unsigned char psk_suite[] = { 0x13, 0x01 }; /* TLS_AES_128_GCM_SHA256 */

struct member {
    SSL *ssl;
    int fd;
    bool greeted;
};

/* One of the identity files. */
struct face {
    SSL_CTX *context;
    char psk_identity[128]; /* empty: it comes by certificate */
    uint8_t psk_key[KEY_SIZE];
};

struct crowd {
    struct face *faces;
    struct member *members;
    unsigned face_count, count, most;
    unsigned waiting; /* not yet answered */
    int epoll;
    uint64_t epoch; /* of the first lane */
};

static char failure[200];

static bool fail(const char *what)
{
    (void)snprintf(failure, sizeof(failure), "%s (%s)", what, strerror(errno));
    return false;
}

const char *crowd_failure(void)
{
    return failure;
}

/* --- the identity --- */

/* The key that the server knows under our psk identity, as the session that it stands for. */
static int use_key(SSL *ssl, const EVP_MD *hash, const unsigned char **out_identity, size_t *out_size,
                   SSL_SESSION **out_session)
{
    const struct face *face = SSL_get_app_data(ssl);
    SSL_SESSION *session = SSL_SESSION_new();
    (void)hash;
    *out_identity = (const unsigned char *)face->psk_identity;
    *out_size = strlen(face->psk_identity);
    *out_session = session;
    return session != NULL && SSL_SESSION_set1_master_key(session, face->psk_key, KEY_SIZE) == 1 &&
           SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, psk_suite)) == 1 &&
           SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1;
}

static void take_line(struct face *face, const char *line)
{
    char hex[2 * KEY_SIZE + 1];
    size_t size = 0;
    (void)sscanf(line, "psk_identity: %127s", face->psk_identity);
    if (sscanf(line, "psk_key: %64s", hex) == 1)
        (void)OPENSSL_hexstr2buf_ex(face->psk_key, KEY_SIZE, &size, hex, '\0');
}

static bool use_certificate(SSL_CTX *context, FILE *file)
{
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    X509 *ca = PEM_read_X509(file, NULL, NULL, NULL);
    bool used = key != NULL && certificate != NULL && ca != NULL &&
                SSL_CTX_use_certificate(context, certificate) == 1 &&
                SSL_CTX_use_PrivateKey(context, key) == 1 &&
                X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca) == 1;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    EVP_PKEY_free(key);
    X509_free(certificate);
    X509_free(ca);
    return used;
}

static bool read_identity(struct face *face, const char *path)
{
    char line[512];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return fail(path);
    face->context = SSL_CTX_new(TLS_client_method());
    if (face->context == NULL) {
        (void)fclose(file);
        return fail("no memory");
    }
    (void)SSL_CTX_set_mode(face->context, SSL_MODE_RELEASE_BUFFERS);
    while (fgets(line, sizeof(line), file) != NULL && strncmp(line, "-----", 5) != 0)
        take_line(face, line);
    rewind(file);
    bool used = true;
    if (face->psk_identity[0] != '\0') {
        SSL_CTX_set_psk_use_session_callback(face->context, use_key);
        used = SSL_CTX_set_ciphersuites(face->context, "TLS_AES_128_GCM_SHA256") == 1;
    } else {
        used = use_certificate(face->context, file);
    }
    (void)fclose(file);
    return used || fail("the identity file cannot be used");
}

static bool raise_descriptors(unsigned most)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)most + DESCRIPTORS_SPARE;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return fail("descriptors");
    if (limit.rlim_cur >= wanted)
        return true;
    limit.rlim_cur = wanted;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 || fail("so many descriptors are not allowed");
}

struct crowd *crowd_new(const char *const identities[], unsigned identity_count, unsigned most)
{
    struct crowd *crowd = calloc(1, sizeof(*crowd));
    if (crowd == NULL)
        return NULL;
    crowd->most = most;
    crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
    crowd->members = calloc(most, sizeof(*crowd->members));
    crowd->faces = calloc(identity_count, sizeof(*crowd->faces));
    crowd->epoch = (uint64_t)getpid() << 32;
    bool made =
        crowd->epoll >= 0 && crowd->members != NULL && crowd->faces != NULL && raise_descriptors(most);
    for (; made && crowd->face_count < identity_count; crowd->face_count++)
        made = read_identity(&crowd->faces[crowd->face_count], identities[crowd->face_count]);
    if (made)
        return crowd;
    crowd_free(crowd);
    return NULL;
}

void crowd_free(struct crowd *crowd)
{
    if (crowd == NULL)
        return;
    for (unsigned i = 0; i < crowd->count; i++) {
        SSL_free(crowd->members[i].ssl);
        (void)close(crowd->members[i].fd);
    }
    for (unsigned i = 0; i < crowd->face_count; i++)
        SSL_CTX_free(crowd->faces[i].context);
    if (crowd->epoll >= 0)
        (void)close(crowd->epoll);
    free(crowd->faces);
    free(crowd->members);
    free(crowd);
}

/* --- coming --- */

static int dial(const char *address)
{
    struct sockaddr_in there = { .sin_family = AF_INET };
    char host[64];
    const char *colon = strrchr(address, ':');
    if (colon == NULL)
        return -1;
    (void)snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
    there.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    if (inet_pton(AF_INET, host, &there.sin_addr) != 1)
        return -1;
    const int on = 1;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, (const struct sockaddr *)&there, sizeof(there)) == 0 || errno == EINPROGRESS)
        return fd;
    (void)close(fd);
    return -1;
}

static bool join(struct crowd *crowd, const char *address)
{
    struct member *member = &crowd->members[crowd->count];
    struct face *face = &crowd->faces[crowd->count % crowd->face_count];
    struct epoll_event event = { .events = EPOLLOUT, .data.u32 = crowd->count };
    member->fd = dial(address);
    if (member->fd < 0)
        return fail("no connection");
    crowd->count++;
    crowd->waiting++;
    member->ssl = SSL_new(face->context);
    if (member->ssl == NULL || SSL_set_fd(member->ssl, member->fd) != 1)
        return fail("no memory");
    SSL_set_app_data(member->ssl, face);
    SSL_set_connect_state(member->ssl);
    return epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, member->fd, &event) == 0 || fail("epoll");
}

static bool send_request(const struct member *member, enum operation operation, uint64_t number,
                         const void *body)
{
    uint8_t frame[FRAME_HEADER_SIZE + 256];
    struct wire_writer writer =
        wire_writer_over(frame + FRAME_HEADER_SIZE, sizeof(frame) - FRAME_HEADER_SIZE);
    message_encode(operation_row((uint16_t)operation)->request, body, &writer);
    frame_put_header(frame, (uint32_t)wire_written(&writer), (uint16_t)operation, 0, number);
    const int size = (int)(FRAME_HEADER_SIZE + wire_written(&writer));
    return !writer.failed && SSL_write(member->ssl, frame, size) == size;
}

static bool say_hello(struct crowd *crowd, struct member *member)
{
    struct msg_hello_request hello;
    message_init(MESSAGE_hello_request, &hello);
    hello.version_min = hello.version_max = PROTOCOL_VERSION;
    hello.epoch = crowd->epoch + (uint64_t)(member - crowd->members) + 1;
    hello.first_unanswered = 1;
    return send_request(member, OPERATION_HELLO, 1, &hello);
}

/* Whether what came is a done answer to this: 1 yes, 0 there is nothing yet, -1 it is not. An answer is one record. */
static int read_answer(const struct member *member, enum operation operation)
{
    uint8_t bytes[ANSWER_MAX];
    struct frame frame;
    size_t needed;
    const int got = SSL_read(member->ssl, bytes, sizeof(bytes));
    if (got <= 0)
        return SSL_get_error(member->ssl, got) == SSL_ERROR_WANT_READ ? 0 : -1;
    if (frame_split(bytes, (size_t)got, ANSWER_MAX, &frame, &needed) != FRAME_WHOLE)
        return -1;
    return frame.type == ((unsigned)operation | FRAME_TYPE_DONE) ? 1 : -1;
}

/* Watches for what the handshake waits for: a socket has nearly always room, and would wake us without end. */
static bool watch(const struct crowd *crowd, const struct member *member, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.u32 = (uint32_t)(member - crowd->members) };
    return epoll_ctl(crowd->epoll, EPOLL_CTL_MOD, member->fd, &event) == 0 || fail("epoll");
}

static bool step(struct crowd *crowd, struct member *member)
{
    if (!member->greeted) {
        const int result = SSL_do_handshake(member->ssl);
        const int error = SSL_get_error(member->ssl, result);
        if (result != 1)
            return (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ||
                    fail("a handshake has failed")) &&
                   watch(crowd, member, error == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT);
        member->greeted = true;
        return (say_hello(crowd, member) || fail("no hello")) && watch(crowd, member, EPOLLIN);
    }
    const int answered = read_answer(member, OPERATION_HELLO);
    if (answered < 0)
        return fail("no answer to hello");
    crowd->waiting -= (unsigned)answered;
    return answered == 0 || epoll_ctl(crowd->epoll, EPOLL_CTL_DEL, member->fd, NULL) == 0 || fail("epoll");
}

bool crowd_knock(struct crowd *crowd, const char *address, unsigned count)
{
    if (count > crowd->most - crowd->count)
        return fail("too many");
    for (unsigned i = 0; i < count; i++) {
        struct member *member = &crowd->members[crowd->count];
        struct pollfd ready = { .events = POLLOUT };
        if (!join(crowd, address))
            return false;
        ready.fd = member->fd;
        if (poll(&ready, 1, PATIENCE_MS) != 1 || !step(crowd, member))
            return fail("nobody listens");
    }
    return true;
}

bool crowd_come(struct crowd *crowd, const char *address, unsigned count, unsigned at_once)
{
    struct epoll_event events[EVENTS];
    while (count > 0 || crowd->waiting > 0) {
        for (; count > 0 && crowd->waiting < at_once; count--) {
            if (!crowd_knock(crowd, address, 1))
                return false;
        }
        const int ready = epoll_wait(crowd->epoll, events, EVENTS, PATIENCE_MS);
        if (ready == 0)
            return fail("nothing has happened for a minute");
        for (int i = 0; i < ready; i++) {
            if (!step(crowd, &crowd->members[events[i].data.u32]))
                return false;
        }
    }
    return true;
}

bool crowd_ping(struct crowd *crowd)
{
    struct msg_ping_request ping;
    message_init(MESSAGE_ping_request, &ping);
    for (unsigned i = 0; i < crowd->count; i++) {
        const struct member *member = &crowd->members[i];
        struct pollfd ready = { .fd = member->fd, .events = POLLIN };
        int answered = 0;
        if (!send_request(member, OPERATION_PING, UINT64_C(1) << 40, &ping))
            return fail("a connection takes nothing");
        while (answered == 0) {
            if (poll(&ready, 1, PATIENCE_MS) != 1)
                return fail("a ping is not answered");
            answered = read_answer(member, OPERATION_PING);
        }
        if (answered < 0)
            return fail("a connection has ended");
    }
    return true;
}

/* --- the daemon as the kernel sees it --- */

int64_t process_cpu_ns(pid_t pid)
{
    struct timespec used;
    clockid_t clock;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

int64_t process_memory_kib(pid_t pid)
{
    char text[128];
    long long kib = 0;
    (void)snprintf(text, sizeof(text), "/proc/%d/status", (int)pid);
    FILE *file = fopen(text, "re");
    if (file == NULL)
        return 0;
    while (fgets(text, sizeof(text), file) != NULL && sscanf(text, "VmRSS: %lld", &kib) != 1) {
    }
    (void)fclose(file);
    return kib;
}
