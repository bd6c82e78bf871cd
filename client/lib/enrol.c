/* Enrolment: a code becomes an identity file. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "lib/call.h"
#include "lib/enrol_code.h"
#include "lib/enrol_file.h"
#include "lib/enrol_key.h"
#include "lib/link.h"
#include "lib/machine.h"
#include "lib/sizes.h"
#include "proto/message.h"

#define TIMEOUT_DEFAULT_MS 15000
#define PORT_DEFAULT "7445"
#define PORT_CERTIFICATE 7443 /* where a server that does not say so listens */
#define PORT_PSK 7444
/* A handshake that breaks off counts on the server as a try of the code, and it has three. */
#define HANDSHAKES_MAX 2
#define REQUEST_NUMBER 1

struct enrolment {
    struct punkt_enrol_request request;
    struct enrol_code code;
    char host[IDENTITY_SERVER_SIZE / 2];   /* as it was typed, in brackets where it needs them */
    char server[IDENTITY_SERVER_SIZE / 2]; /* HOST:PORT */
    uint64_t deadline_us;
    struct enrol_files files;
    struct buffer key; /* of the client, PEM */
    struct tls_context *context;
    struct link link;
    unsigned handshakes; /* that broke off */
    bool sent;           /* the request has left us: the code may be used */
    bool answered;
    uint32_t refusal; /* the last, enum punkt_result; 0: none */
    struct identity identity;
    struct punkt_enrol_answer answer; /* trouble says what is wrong, from the first on */
};

static enum punkt_call say(struct enrolment *at, enum punkt_call call, const char *text)
{
    (void)snprintf(at->answer.trouble, sizeof(at->answer.trouble), "%s", text);
    return call;
}

/* --- what was asked --- */

/* "HOST", "HOST:PORT", "[IPV6]" or "[IPV6]:PORT"; an IPv6 address without brackets has no port. */
static enum punkt_call take_server(struct enrolment *at)
{
    const char *server = at->request.server;
    const char *why = "";
    if (server == NULL || *server == '\0' || strchr(server, ',') != NULL || strchr(server, '/') != NULL)
        return say(at, PUNKT_CALL_INVALID, "server: HOST or HOST:PORT, one");
    const char *first = strchr(server, ':');
    const char *last = strrchr(server, ':');
    bool bracketed = *server == '[';
    bool bare = !bracketed && first != last;
    bool port = last != NULL && !bare && (!bracketed || (last > server && last[-1] == ']'));
    size_t size = port ? (size_t)(last - server) : strlen(server);
    if (size + sizeof("[]:65535") > sizeof(at->host))
        return say(at, PUNKT_CALL_INVALID, "server: too long");
    (void)snprintf(at->host, sizeof(at->host), bare ? "[%.*s]" : "%.*s", (int)size, server);
    (void)snprintf(at->server, sizeof(at->server), "%.*s:%.5s", (int)sizeof(at->server) - 8, at->host,
                   port ? last + 1 : PORT_DEFAULT);
    return address_check(at->server, &why) ? PUNKT_CALL_DONE : say(at, PUNKT_CALL_INVALID, why);
}

static enum punkt_call take_request(struct enrolment *at, const struct punkt_enrol_request *given)
{
    if (given->size < SIZE_THROUGH(struct punkt_enrol_request, replace) ||
        size_has_unknown(given, given->size, sizeof(at->request)))
        return say(at, PUNKT_CALL_INVALID, "the request has a field that this library does not know");
    size_copy(given, given->size, &at->request, sizeof(at->request));
    const char *software = at->request.software;
    if (at->request.flags != 0)
        return say(at, PUNKT_CALL_INVALID, "flags: 0");
    if (software != NULL && (strnlen(software, 65) > 64 || !wire_utf8_valid(software, strlen(software))))
        return say(at, PUNKT_CALL_INVALID, "software: up to 64 bytes of text");
    if (at->request.identity == NULL || *at->request.identity == '\0')
        return say(at, PUNKT_CALL_INVALID, "identity: the path of the file to be written");
    if (at->request.code == NULL)
        return say(at, PUNKT_CALL_INVALID, "code: 32 letters and digits");
    if (!enrol_code_read(at->request.code, &at->code, at->answer.trouble))
        return PUNKT_CALL_INVALID;
    return take_server(at);
}

/* --- the connection --- */

static enum punkt_call make_context(struct enrolment *at)
{
    struct identity proof;
    identity_init(&proof, NULL);
    (void)snprintf(proof.psk_identity, sizeof(proof.psk_identity), TLS_CODE_PREFIX "%s", at->code.handle);
    proof.psk_key_known = enrol_code_key(&at->code, proof.psk_key);
    enum punkt_call made = proof.psk_key_known ? tls_context_new(&proof, &at->context, at->answer.trouble)
                                               : say(at, PUNKT_CALL_NO_MEMORY, "no memory");
    identity_done(&proof);
    return made;
}

static enum punkt_call send_request(struct enrolment *at)
{
    uint8_t signing[ENROL_REQUEST_MAX];
    uint8_t frame[FRAME_HEADER_SIZE + ENROL_REQUEST_MAX + 256];
    const char *software = at->request.software;
    size_t size;
    if (!enrol_key_request(&at->key, signing, &size))
        return say(at, PUNKT_CALL_NO_MEMORY, "no signing request can be made");
    if (software == NULL || *software == '\0')
        software = "libpunkt " PUNKT_VERSION;
    struct msg_enrol_request message = { .version_min = PROTOCOL_VERSION,
                                         .version_max = PROTOCOL_VERSION,
                                         .signing_request = { .data = (const char *)signing, .size = size },
                                         .software = { .data = software, .size = strlen(software) } };
    struct wire_writer writer =
        wire_writer_over(frame + FRAME_HEADER_SIZE, sizeof(frame) - FRAME_HEADER_SIZE);
    message_encode(MESSAGE_enrol_request, &message, &writer);
    frame_put_header(frame, (uint32_t)wire_written(&writer), OPERATION_ENROL, 0, REQUEST_NUMBER);
    if (writer.failed || !buffer_append(&at->link.out, frame, FRAME_HEADER_SIZE + wire_written(&writer)))
        return say(at, PUNKT_CALL_NO_MEMORY, "no memory");
    at->sent = true;
    return PUNKT_CALL_DONE;
}

/* --- the answer --- */

static void code_out(const struct wire_code *code, char out[WIRE_CODE_MAX + 1])
{
    memcpy(out, code->bytes, code->size);
    out[code->size] = '\0';
}

static bool text_out(const struct message_text *text, char *out, size_t capacity)
{
    if (text->size >= capacity || !wire_utf8_valid(text->data, text->size))
        return false;
    if (text->size > 0)
        memcpy(out, text->data, text->size);
    out[text->size] = '\0';
    return true;
}

/* What proves us from now on. NULL: it is whole. */
static const char *take_proof(struct enrolment *at, const struct msg_enrol_answer *message)
{
    struct identity *identity = &at->identity;
    if (message->proof != 0) {
        if (message->psk_identity.size == 0 || message->psk_key.size != IDENTITY_PSK_KEY_SIZE ||
            !text_out(&message->psk_identity, identity->psk_identity, sizeof(identity->psk_identity)))
            return "the server's answer holds no pre-shared key";
        memcpy(identity->psk_key, message->psk_key.data, IDENTITY_PSK_KEY_SIZE);
        identity->psk_key_known = true;
        return NULL;
    }
    if (!text_out(&message->server_name, identity->server_name, sizeof(identity->server_name)) ||
        identity->server_name[0] == '\0')
        return "the server's answer does not say its name";
    if (!buffer_append(&identity->key, buffer_data(&at->key), buffer_size(&at->key)) ||
        !buffer_append(&identity->certificate, message->certificate.data, message->certificate.size) ||
        !buffer_append(&identity->ca, message->ca.data, message->ca.size))
        return "no memory";
    return enrol_key_wrong(&identity->key, &identity->certificate, &identity->ca);
}

static const char *take_names(struct enrolment *at, const struct msg_enrol_answer *message)
{
    struct identity *identity = &at->identity;
    uint64_t port = message->port;
    if (port == 0)
        port = message->proof != 0 ? PORT_PSK : PORT_CERTIFICATE;
    code_out(&message->name, identity->name);
    code_out(&message->store, identity->store);
    code_out(&message->till, identity->till);
    (void)snprintf(identity->role, sizeof(identity->role), "%s", punkt_role_name((uint32_t)message->role));
    (void)snprintf(identity->server, sizeof(identity->server), "%s:%u", at->host, (unsigned)port);
    struct punkt_enrol_answer *answer = &at->answer;
    answer->identity = message->identity;
    answer->key_ends_us = (int64_t)message->key_ends;
    answer->role = (uint32_t)message->role;
    answer->psk = message->proof != 0;
    memcpy(answer->name, identity->name, sizeof(answer->name));
    memcpy(answer->store, identity->store, sizeof(answer->store));
    memcpy(answer->till, identity->till, sizeof(answer->till));
    (void)snprintf(answer->server, sizeof(answer->server), "%.*s", (int)sizeof(answer->server) - 1,
                   identity->server);
    return identity->role[0] == '\0' ? "the server's answer names a role that this library does not know"
                                     : NULL;
}

static enum punkt_call take_done(struct enrolment *at, const struct msg_enrol_answer *message)
{
    const char *wrong = take_names(at, message);
    if (wrong == NULL)
        wrong = take_proof(at, message);
    at->answered = true;
    if (wrong != NULL)
        return say(at, PUNKT_CALL_UNKNOWN, wrong);
    /* As the handles will that read it. */
    struct tls_context *context;
    enum punkt_call usable = tls_context_new(&at->identity, &context, at->answer.trouble);
    tls_context_free(context);
    return usable == PUNKT_CALL_INVALID ? PUNKT_CALL_UNKNOWN : usable;
}

static enum punkt_call take_refusal(struct enrolment *at, const struct msg_refusal *refusal, uint64_t now_us)
{
    uint32_t code = (uint32_t)refusal->result;
    at->refusal = code;
    (void)snprintf(at->answer.trouble, sizeof(at->answer.trouble), "%.*s", (int)refusal->detail.size,
                   refusal->detail.size > 0 ? refusal->detail.data : "");
    at->sent = false; /* it says that it did nothing */
    if (!punkt_result_retryable(code)) {
        at->answered = true;
        return PUNKT_CALL_REFUSED;
    }
    link_close(&at->link, now_us, "%s", punkt_result_text(code));
    return PUNKT_CALL_DONE;
}

/* One whole frame. DONE: go on, or answered. */
static enum punkt_call take_frame(struct enrolment *at, const struct frame *frame, uint64_t now_us)
{
    struct message_memory none = { 0 };
    struct msg_enrol_answer answer;
    struct msg_refusal refusal;
    const char *field = "";
    if (frame->type == (FRAME_TYPE_DONE | OPERATION_ENROL) && frame->number == REQUEST_NUMBER &&
        message_decode(MESSAGE_enrol_answer, frame->body, frame->body_size, &none, &answer, &field)) {
        enum punkt_call taken = take_done(at, &answer);
        OPENSSL_cleanse(&answer, sizeof(answer));
        return taken;
    }
    if ((frame->type & FRAME_TYPE_REFUSED) != 0 &&
        message_decode(MESSAGE_refusal, frame->body, frame->body_size, &none, &refusal, &field))
        return take_refusal(at, &refusal, now_us);
    link_close(&at->link, now_us, "it sent what no server sends");
    at->answered = true;
    return say(at, PUNKT_CALL_UNKNOWN, at->link.trouble);
}

static enum punkt_call receive(struct enrolment *at, uint64_t now_us)
{
    struct frame frame;
    size_t wanted;
    buffer_mark_secret(&at->link.in); /* a pre-shared key may come */
    if (!link_receive(&at->link, now_us) || buffer_size(&at->link.in) == 0)
        return PUNKT_CALL_DONE;
    switch (
        frame_split(buffer_data(&at->link.in), buffer_size(&at->link.in), FRAME_BODY_MAX, &frame, &wanted)) {
    case FRAME_WHOLE:
        return take_frame(at, &frame, now_us);
    case FRAME_NEED_MORE:
        break;
    case FRAME_BROKEN:
        link_close(&at->link, now_us, "it sent a frame larger than any answer");
        break;
    }
    return PUNKT_CALL_DONE;
}

/* --- asking --- */

/* After a step in which the connection was lost. DONE: it may be tried again. */
static enum punkt_call judge_loss(struct enrolment *at, bool shaking)
{
    (void)say(at, PUNKT_CALL_DONE, at->link.trouble);
    if (at->link.refused) {
        at->refusal = PUNKT_RESULT_CODE_USED;
        return PUNKT_CALL_REFUSED;
    }
    if (shaking && ++at->handshakes >= HANDSHAKES_MAX)
        return at->sent ? PUNKT_CALL_UNKNOWN : PUNKT_CALL_NOT_SENT;
    return PUNKT_CALL_DONE;
}

static enum punkt_call step(struct enrolment *at, uint64_t now_us)
{
    struct link *link = &at->link;
    enum punkt_call stepped = PUNKT_CALL_DONE;
    link_try(link, now_us, at->deadline_us - now_us);
    bool up = link->state != LINK_DOWN;
    bool shaking = link->tls != NULL && link->state == LINK_CONNECTING;
    if (link_connected(link, now_us))
        stepped = send_request(at);
    if (stepped == PUNKT_CALL_DONE && link->state == LINK_OPEN)
        stepped = receive(at, now_us);
    if (stepped == PUNKT_CALL_DONE && !at->answered && link->state == LINK_OPEN)
        (void)link_flush(link, now_us);
    if (stepped == PUNKT_CALL_DONE && !at->answered && up && link->state == LINK_DOWN && at->refusal == 0)
        stepped = judge_loss(at, shaking);
    return stepped;
}

static void wait(const struct enrolment *at, uint64_t now_us)
{
    const struct link *link = &at->link;
    uint64_t until_us = link->state == LINK_DOWN         ? link->attempt_us
                        : link->state == LINK_CONNECTING ? link->deadline_us
                                                         : at->deadline_us;
    bool writing = link_wants_write(link) || buffer_size(&link->out) > 0;
    struct pollfd fd = { .fd = link->fd,
                         .events = (short)((writing ? POLLOUT : 0) |
                                           (link->state == LINK_OPEN || !writing ? POLLIN : 0)) };
    if (until_us > at->deadline_us)
        until_us = at->deadline_us;
    if (until_us > now_us)
        (void)machine_poll(&fd, 1, (int)((until_us - now_us + 999) / 1000));
}

static enum punkt_call ask(struct enrolment *at)
{
    enum punkt_call asked = PUNKT_CALL_DONE;
    uint64_t now_us;
    while (asked == PUNKT_CALL_DONE && !at->answered && (now_us = link_now_us()) < at->deadline_us) {
        asked = step(at, now_us);
        if (asked == PUNKT_CALL_DONE && !at->answered)
            wait(at, now_us);
    }
    if (asked != PUNKT_CALL_DONE || at->answered)
        return asked;
    if (at->refusal != 0)
        return PUNKT_CALL_REFUSED;
    if (at->answer.trouble[0] == '\0')
        (void)say(at, PUNKT_CALL_DONE, "no answer in time");
    return at->sent ? PUNKT_CALL_UNKNOWN : PUNKT_CALL_NOT_SENT;
}

/* --- all of it --- */

static enum punkt_call store(struct enrolment *at)
{
    struct buffer text = { .secret = true };
    enum punkt_call stored = PUNKT_CALL_NO_MEMORY;
    if (identity_format(&at->identity, &text))
        stored = enrol_files_commit(&at->files, at->request.replace, &text, at->answer.trouble);
    buffer_done(&text);
    return stored;
}

static enum punkt_call run(struct enrolment *at, const struct punkt_enrol_request *given)
{
    uint64_t seed;
    enum punkt_call done = take_request(at, given);
    if (done != PUNKT_CALL_DONE)
        return done;
    uint32_t timeout_ms = at->request.timeout_ms != 0 ? at->request.timeout_ms : TIMEOUT_DEFAULT_MS;
    at->deadline_us = link_now_us() + (uint64_t)timeout_ms * 1000;
    done = enrol_files_open(&at->files, at->request.identity, at->request.replace, &at->code, &at->key,
                            at->answer.trouble);
    if (done == PUNKT_CALL_DONE)
        done = make_context(at);
    if (done != PUNKT_CALL_DONE)
        return done;
    if (!machine_random(&seed, sizeof(seed)) || !link_init(&at->link, at->server, seed, NULL))
        return say(at, PUNKT_CALL_NO_MEMORY, "no memory");
    at->link.context = at->context;
    done = ask(at);
    return done == PUNKT_CALL_DONE ? store(at) : done;
}

/* answer's trouble is filled, and after DONE all behind it. */
static void tell(struct punkt_enrol_answer *answer, uint32_t refusal, enum punkt_call how,
                 struct punkt_enrol_answer *out)
{
    union any_answer any;
    size_t size = out->head.size;
    call_head(NULL, PUNKT_OPERATION_ENROL, how, &any);
    if (how == PUNKT_CALL_REFUSED)
        call_head_code(&any.head, refusal);
    if (how == PUNKT_CALL_UNKNOWN)
        any.head.text = "no answer that can be used; enrol again with the same code";
    else if (how == PUNKT_CALL_NOT_STORED)
        any.head.text = "the identity file cannot be written";
    answer->head = any.head;
    memset(out, 0, size);
    memcpy(out, answer, size < sizeof(*answer) ? size : sizeof(*answer));
    out->head.size = size;
    out->head.detail = out->trouble;
}

static void end(struct enrolment *at)
{
    link_done(&at->link);
    tls_context_free(at->context);
    identity_done(&at->identity);
    buffer_done(&at->key);
    enrol_files_close(&at->files);
    OPENSSL_cleanse(&at->code, sizeof(at->code));
}

enum punkt_call punkt_enrol(const struct punkt_enrol_request *request, struct punkt_enrol_answer *out_answer)
{
    if (out_answer == NULL || out_answer->head.size < SIZE_THROUGH(struct punkt_enrol_answer, server))
        return PUNKT_CALL_INVALID;
    struct punkt_enrol_answer failed = { .trouble = "no memory" };
    struct enrolment *at = heap_take(NULL, sizeof(*at));
    if (at == NULL) {
        tell(&failed, 0, PUNKT_CALL_NO_MEMORY, out_answer);
        return PUNKT_CALL_NO_MEMORY;
    }
    at->link.fd = -1;
    at->files.lock = -1;
    identity_init(&at->identity, NULL);
    enum punkt_call how =
        request != NULL ? run(at, request) : say(at, PUNKT_CALL_INVALID, "a request is needed");
    memcpy(failed.trouble, at->answer.trouble, sizeof(failed.trouble));
    at->answer.trouble[0] = '\0';
    tell(how == PUNKT_CALL_DONE ? &at->answer : &failed, at->refusal, how, out_answer);
    end(at);
    heap_give(NULL, at);
    return how;
}
