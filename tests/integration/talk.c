#include "talk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/frame.h"
#include "talk_tls.h"

#define READ_NUMBER (UINT64_C(1) << 63) /* reads count from here: no change of a test gets that far */
#define LISTS_BYTES (1024 * 1024)       /* room of decoded lists */

struct bytes {
    uint8_t *data;
    size_t size, capacity;
};

struct talk {
    int fd;
    struct talk_tls *tls; /* whose fd is; NULL: a plain connection */
    uint64_t next_read;
    struct bytes in, out;
    size_t in_used; /* the answer handed out last; goes with the next */
    uint8_t *lists;
};

static uint8_t *bytes_room(struct bytes *bytes, size_t more)
{
    if (bytes->capacity - bytes->size < more) {
        bytes->capacity = (bytes->size + more) * 2;
        bytes->data = realloc(bytes->data, bytes->capacity);
        assert_non_null(bytes->data);
    }
    return bytes->data + bytes->size;
}

static void bytes_drop(struct bytes *bytes, size_t size)
{
    if (size > 0)
        memmove(bytes->data, bytes->data + size, bytes->size - size);
    bytes->size -= size;
}

static int dial_unix(const char *path)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && strlen(path) < sizeof(name.sun_path));
    memcpy(name.sun_path, path, strlen(path) + 1);
    assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    return fd;
}

int talk_dial(const char *address)
{
    char host[128];
    const int on = 1; /* bytes one by one are not to wait for each other */
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *found;
    if (strncmp(address, "unix:", 5) == 0)
        return dial_unix(address + 5);
    (void)snprintf(host, sizeof(host), "%s", address);
    char *colon = strrchr(host, ':');
    assert_non_null(colon);
    *colon = '\0';
    assert_int_equal(getaddrinfo(host, colon + 1, &hints, &found), 0);
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, found->ai_addr, found->ai_addrlen), 0);
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
    freeaddrinfo(found);
    return fd;
}

int talk_listen(char *out_address, size_t size)
{
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t name_size = sizeof(name);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &name_size), 0);
    (void)snprintf(out_address, size, "127.0.0.1:%u", (unsigned)ntohs(name.sin_port));
    return fd;
}

struct talk *talk_open(const char *address)
{
    struct talk *talk = calloc(1, sizeof(*talk));
    assert_non_null(talk);
    if (address[0] == '/')
        talk->tls = talk_tls_new(address, &talk->fd);
    else
        talk->fd = talk_dial(address);
    talk->next_read = READ_NUMBER;
    return talk;
}

void talk_free(struct talk *talk)
{
    if (talk == NULL)
        return;
    if (talk->tls == NULL)
        (void)close(talk->fd);
    talk_tls_free(talk->tls);
    free(talk->in.data);
    free(talk->out.data);
    free(talk->lists);
    free(talk);
}

int talk_fd(const struct talk *talk)
{
    return talk->fd;
}

static void wait_for(int fd, short events)
{
    struct pollfd wanted = { .fd = fd, .events = events };
    if (poll(&wanted, 1, WORLD_PATIENCE_MS) == 0)
        fail_msg("%s", events == POLLIN ? "no answer in time" : "the server does not read");
}

void talk_send_bytes(struct talk *talk, const void *bytes, size_t size)
{
    const char *at = bytes;
    if (talk->tls != NULL) {
        talk_tls_send(talk->tls, bytes, size);
        return;
    }
    while (size > 0) {
        wait_for(talk->fd, POLLOUT);
        ssize_t sent = send(talk->fd, at, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (sent < 0)
            fail_msg("cannot send: %s", strerror(errno));
        at += sent;
        size -= (size_t)sent;
    }
}

void talk_put(struct talk *talk, enum operation operation, uint16_t flags, uint64_t number, const void *body)
{
    uint8_t *header = bytes_room(&talk->out, FRAME_HEADER_SIZE + FRAME_BODY_MAX);
    struct wire_writer writer = wire_writer_over(header + FRAME_HEADER_SIZE, FRAME_BODY_MAX);
    message_encode(operation_row((uint16_t)operation)->request, body, &writer);
    assert_false(writer.failed);
    size_t size = wire_written(&writer);
    frame_put_header(header, (uint32_t)size, (uint16_t)operation, flags, number);
    talk->out.size += FRAME_HEADER_SIZE + size;
}

void talk_flush(struct talk *talk)
{
    talk_send_bytes(talk, talk->out.data, talk->out.size);
    talk->out.size = 0;
}

void talk_send(struct talk *talk, enum operation operation, uint16_t flags, uint64_t number, const void *body)
{
    talk_put(talk, operation, flags, number, body);
    talk_flush(talk);
}

static ssize_t receive(struct talk *talk)
{
    uint8_t *room = bytes_room(&talk->in, 65536);
    if (talk->tls != NULL)
        return (ssize_t)talk_tls_receive(talk->tls, room, 65536);
    wait_for(talk->fd, POLLIN);
    return recv(talk->fd, room, 65536, 0);
}

bool talk_receive(struct talk *talk, struct talk_answer *out_answer)
{
    struct frame frame;
    size_t wanted;
    bytes_drop(&talk->in, talk->in_used);
    talk->in_used = 0;
    for (;;) {
        enum frame_split split = frame_split(talk->in.data, talk->in.size, FRAME_BODY_MAX, &frame, &wanted);
        assert_int_not_equal(split, FRAME_BROKEN);
        if (split == FRAME_WHOLE)
            break;
        ssize_t got = receive(talk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0 || (got < 0 && errno == ECONNRESET)) {
            assert_int_equal(talk->in.size, 0); /* never half an answer */
            return false;
        }
        assert_true(got > 0);
        talk->in.size += (size_t)got;
    }
    talk->in_used = wanted;
    *out_answer = (struct talk_answer){ frame.type, frame.flags, frame.number, frame.body, frame.body_size };
    return true;
}

static void decode(struct talk *talk, enum message message, const struct talk_answer *answer, void *out)
{
    const char *field = "";
    if (talk->lists == NULL)
        talk->lists = malloc(LISTS_BYTES);
    assert_non_null(talk->lists);
    struct message_memory memory = { talk->lists, LISTS_BYTES };
    if (!message_decode(message, answer->body, answer->body_size, &memory, out, &field))
        fail_msg("an answer cannot be read: %s", field);
}

void talk_decode(struct talk *talk, const struct talk_answer *answer, void *out_body)
{
    assert_true((answer->type & FRAME_TYPE_DONE) != 0);
    decode(talk, operation_row(answer->type & FRAME_TYPE_OPERATION)->answer, answer, out_body);
}

struct msg_refusal talk_refusal(struct talk *talk, const struct talk_answer *answer)
{
    struct msg_refusal refusal = { .result = RESULT_DONE };
    if ((answer->type & FRAME_TYPE_DONE) == 0)
        decode(talk, MESSAGE_refusal, answer, &refusal);
    return refusal;
}

enum result talk_result(struct talk *talk, const struct talk_answer *answer)
{
    return (enum result)talk_refusal(talk, answer).result;
}

static const char *result_name(enum result result)
{
    return result == RESULT_DONE ? "done" : result_row(result)->name;
}

struct talk_answer talk_expect(struct talk *talk, enum operation operation, uint64_t number)
{
    struct talk_answer answer;
    if (!talk_receive(talk, &answer))
        fail_msg("the server closed");
    enum result result = talk_result(talk, &answer);
    if (result != RESULT_DONE)
        fail_msg("%s %llu was refused: %s", operation_row((uint16_t)operation)->name,
                 (unsigned long long)answer.number, result_name(result));
    assert_int_equal(answer.type, operation | FRAME_TYPE_DONE);
    assert_int_equal(answer.number, number);
    return answer;
}

struct talk_answer talk_expect_refusal(struct talk *talk, enum operation operation, uint64_t number,
                                       enum result result)
{
    struct talk_answer answer;
    if (!talk_receive(talk, &answer))
        fail_msg("the server closed");
    assert_string_equal(result_name(talk_result(talk, &answer)), result_name(result));
    assert_int_equal(answer.type, operation | FRAME_TYPE_REFUSED);
    assert_int_equal(answer.number, number);
    return answer;
}

void talk_expect_end(struct talk *talk)
{
    struct talk_answer answer;
    if (talk_receive(talk, &answer))
        fail_msg("an answer of type 0x%x instead of the end", answer.type);
}

struct wire_code talk_code(const char *string)
{
    struct wire_code code;
    assert_true(wire_code_from(string, strlen(string), &code));
    return code;
}

struct message_text talk_text(const char *string)
{
    return (struct message_text){ string, strlen(string) };
}

struct talk *talk_hello(const char *address, uint64_t epoch, uint64_t first_unanswered,
                        struct msg_hello_answer *out_answer)
{
    struct talk *talk = talk_open(address);
    struct msg_hello_request hello;
    message_init(MESSAGE_hello_request, &hello);
    hello.version_min = hello.version_max = PROTOCOL_VERSION;
    hello.epoch = epoch;
    hello.first_unanswered = first_unanswered;
    talk_send(talk, OPERATION_HELLO, 0, READ_NUMBER - 1, &hello);
    struct talk_answer answer = talk_expect(talk, OPERATION_HELLO, READ_NUMBER - 1);
    if (out_answer != NULL)
        talk_decode(talk, &answer, out_answer);
    return talk;
}

void talk_issue(struct talk *talk, uint64_t number, const char *card, uint64_t count)
{
    struct msg_card_issue_request issue = { .card = talk_code(card), .count = count };
    talk_send(talk, OPERATION_CARD_ISSUE, 0, number, &issue);
    (void)talk_expect(talk, OPERATION_CARD_ISSUE, number);
}

struct msg_purchase_request talk_purchase(const char *card, uint64_t amount, const char *receipt)
{
    struct msg_purchase_request purchase;
    message_init(MESSAGE_purchase_request, &purchase);
    purchase.card = talk_code(card);
    purchase.amount = amount;
    purchase.store = talk_code("1");
    purchase.till = talk_code("1");
    purchase.receipt = talk_code(receipt);
    return purchase;
}

struct msg_redeem_request talk_redeem(const char *card, uint64_t points)
{
    struct msg_redeem_request redeem;
    message_init(MESSAGE_redeem_request, &redeem);
    redeem.card = talk_code(card);
    redeem.points = points;
    redeem.store = talk_code("1");
    redeem.till = talk_code("1");
    return redeem;
}

static void read_one(struct talk *talk, enum operation operation, const void *request, void *out_body)
{
    uint64_t number = talk->next_read++;
    talk_send(talk, operation, 0, number, request);
    struct talk_answer answer = talk_expect(talk, operation, number);
    talk_decode(talk, &answer, out_body);
}

struct msg_totals_answer talk_totals(struct talk *talk)
{
    struct msg_totals_request request = { .end_ = 0 };
    struct msg_totals_answer totals;
    read_one(talk, OPERATION_TOTALS, &request, &totals);
    return totals;
}

struct msg_card_show_answer talk_card(struct talk *talk, const char *card)
{
    struct msg_card_show_request request = { .card = talk_code(card) };
    struct msg_card_show_answer shown;
    read_one(talk, OPERATION_CARD_SHOW, &request, &shown);
    return shown;
}

struct msg_status_answer talk_status(struct talk *talk, uint64_t epoch, uint64_t number)
{
    struct msg_status_request request = { .epoch = epoch, .number = number };
    struct msg_status_answer status;
    read_one(talk, OPERATION_STATUS, &request, &status);
    return status;
}

void talk_ping(struct talk *talk)
{
    struct msg_ping_request request = { .end_ = 0 };
    struct msg_ping_answer answer;
    read_one(talk, OPERATION_PING, &request, &answer);
}
