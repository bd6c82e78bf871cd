/*
 * A scripted attacker. It has the addresses, a till of its own, another till's public figures, recordings of the wire and even
 * the CA's key, and gets nowhere: no event but the audit of its attempts, and a till beside it that notices nothing
 * (RELIABILITY.md, Identity, roles; Limits). siege.h says what is there and reckons in the end.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "siege.h"
#include "sight.h"

#define STORE "1" /* of all tills */
#define VALID_S 3600
#define SOCKETS 600
#define DRIP_MS 50
#define RECORD_HEADER_SIZE 5
#define ALERT_RECORD_MAX 40 /* and by how much signatures of one key differ in length */
#define TRIES_OF_A_CODE 3

/* --- who is not let in at all --- */

/* Goes as far as it is let, and is told nothing but an alert. */
static void expect_no_way_in(struct siege *siege, const char *address, const struct tls_proof *proof,
                             uint8_t alert, const char *what)
{
    struct tls_talk *talk = tls_talk_open(address, proof);
    if (tls_talk_shake(talk)) { /* the client's side of TLS 1.3 is done before its certificate is looked at */
        siege_say_hello(talk, 7);
        siege_buy(talk, 1, STORE, "1");
    }
    size_t said = tls_talk_end(talk);
    if (said != 0 || tls_talk_alert(talk) != alert)
        fail_msg("%s: %zu bytes, alert %d instead of %d", what, said, tls_talk_alert(talk), alert);
    siege->refused++;
    tls_talk_free(talk);
}

/* All of these have the key of a till that is in the register: the certificate alone keeps them out. */
static void certificates_that_prove_nothing(void **state)
{
    struct siege *siege = *state;
    struct tls_proof real = tls_proof_read(siege->mallory.identity);
    const struct tls_proof none = { .key = NULL };
    struct tls_proof old = real;
    old.version_max = TLS1_2_VERSION;
    struct tls_proof other = tls_proof_signed(&siege->foreign, real.key, -VALID_S, VALID_S);
    struct tls_proof expired = tls_proof_signed(&siege->ca, real.key, -VALID_S, -60);
    struct tls_proof early = tls_proof_signed(&siege->ca, real.key, VALID_S, 2L * VALID_S);
    expect_no_way_in(siege, siege->tls, &none, SSL_AD_CERTIFICATE_REQUIRED, "no certificate");
    expect_no_way_in(siege, siege->tls, &other, SSL_AD_UNKNOWN_CA, "other CA");
    expect_no_way_in(siege, siege->tls, &expired, SSL_AD_CERTIFICATE_EXPIRED, "expired");
    expect_no_way_in(siege, siege->tls, &early, SSL_AD_BAD_CERTIFICATE, "not yet valid");
    const char *const doors[] = { siege->tls, siege->psk, siege->enrol };
    for (size_t i = 0; i < 3; i++)
        expect_no_way_in(siege, doors[i], &old, SSL_AD_PROTOCOL_VERSION, "TLS 1.2");
    tls_proof_free(&other);
    tls_proof_free(&expired);
    tls_proof_free(&early);
    tls_proof_free(&real);
}

static void proofs_at_the_wrong_door(void **state)
{
    struct siege *siege = *state;
    struct tls_proof certificate = tls_proof_read(siege->mallory.identity);
    struct tls_proof key = tls_proof_read(siege->keyed.identity);
    const char *const by_key[] = { siege->psk, siege->enrol };
    expect_no_way_in(siege, siege->tls, &key, SSL_AD_CERTIFICATE_REQUIRED, "a key where certificates are");
    for (size_t i = 0; i < 2; i++)
        expect_no_way_in(siege, by_key[i], &certificate, SSL_AD_HANDSHAKE_FAILURE,
                         "a certificate where keys are");
    expect_no_way_in(siege, siege->enrol, &key, SIGHT_WRONG_KEY_ALERT, "a key where codes are");
    tls_proof_free(&certificate);
    tls_proof_free(&key);
}

/* Whoever has the CA's key signs what they like; the register does not know the key. */
static void an_unknown_key_with_a_good_ca(void **state)
{
    struct siege *siege = *state;
    struct tls_proof proof = tls_proof_signed(&siege->ca, NULL, -VALID_S, VALID_S);
    struct tls_talk *talk = tls_talk_open(siege->tls, &proof);
    assert_true(tls_talk_shake(talk));
    siege_buy(talk, 1, STORE, "1");
    assert_int_equal(tls_talk_answer(talk, OPERATION_PURCHASE, 1), RESULT_HELLO_FIRST);
    siege_say_hello(talk, 7);
    siege_buy(talk, 2, STORE, "1");
    assert_int_equal(tls_talk_answer(talk, OPERATION_HELLO, SIEGE_HELLO_NUMBER), RESULT_NOT_PERMITTED);
    assert_int_equal(tls_talk_end(talk), 0); /* what was sent behind is not even answered */
    siege->refused++;
    tls_talk_free(talk);
    tls_proof_free(&proof);
}

/* Connected, greeted, served; returns the connection. */
static struct tls_talk *enter(const char *address, const struct tls_proof *proof, uint64_t epoch)
{
    struct tls_talk *talk = tls_talk_open(address, proof);
    assert_true(tls_talk_shake(talk));
    siege_say_hello(talk, epoch);
    assert_int_equal(tls_talk_answer(talk, OPERATION_HELLO, SIEGE_HELLO_NUMBER), RESULT_DONE);
    return talk;
}

static void revoked_while_connected(void **state)
{
    struct siege *siege = *state;
    struct siege_till till;
    siege_add_enrolled(siege, "4", false, &till);
    struct tls_proof proof = tls_proof_read(till.identity);
    struct tls_talk *talk = enter(siege->tls, &proof, 8);
    struct run run = siege_till(siege, "revoke", "1/4", "--reason", "stolen", NULL);
    run_done(&run);
    siege->acts[IDENTITY_ACT_REVOKE]++;
    struct pollfd end = { .fd = tls_talk_fd(talk), .events = POLLIN };
    assert_int_equal(poll(&end, 1, 1000), 1); /* within a second of the answer to who revoked it */
    assert_int_equal(tls_talk_end(talk), 0);
    tls_talk_free(talk);
    talk = tls_talk_open(siege->tls, &proof);
    assert_true(tls_talk_shake(talk));
    siege_say_hello(talk, 8);
    siege_buy(talk, 1, STORE, "4");
    assert_int_equal(tls_talk_answer(talk, OPERATION_HELLO, SIEGE_HELLO_NUMBER), RESULT_NOT_PERMITTED);
    assert_int_equal(tls_talk_end(talk), 0);
    siege->refused++;
    tls_talk_free(talk);
    tls_proof_free(&proof);
}

/* The first record that a client sent, in clear, with its header: its ClientHello. */
static const uint8_t *client_hello(const struct tls_talk *talk, size_t *out_size)
{
    size_t size;
    const uint8_t *sent = tls_talk_sent(talk, &size);
    assert_true(size > RECORD_HEADER_SIZE && sent[0] == SSL3_RT_HANDSHAKE &&
                sent[RECORD_HEADER_SIZE] == SSL3_MT_CLIENT_HELLO);
    *out_size = RECORD_HEADER_SIZE + ((size_t)sent[3] << 8 | sent[4]);
    assert_true(*out_size <= size);
    return sent;
}

/* TLS 1.3 has none, so the greeting is said again by hand, in the middle of a connection that is proven. */
static void renegotiation(void **state)
{
    struct siege *siege = *state;
    struct tls_proof proof = tls_proof_read(siege->mallory.identity);
    struct tls_talk *talk = tls_talk_open(siege->tls, &proof);
    assert_true(tls_talk_shake(talk));
    size_t size;
    const uint8_t *greeting = client_hello(talk, &size);
    uint8_t copy[2048];
    assert_in_range(size, 1, sizeof(copy));
    memcpy(copy, greeting + RECORD_HEADER_SIZE, size - RECORD_HEADER_SIZE);
    tls_talk_send_record(talk, SSL3_RT_HANDSHAKE, copy, size - RECORD_HEADER_SIZE);
    assert_int_equal(tls_talk_end(talk), 0);
    assert_int_equal(tls_talk_alert(talk), SSL_AD_UNEXPECTED_MESSAGE);
    tls_talk_free(talk);
    /* The way of writing such a record is right: as a request it is answered. */
    struct msg_hello_request hello;
    uint8_t frame[512];
    message_init(MESSAGE_hello_request, &hello);
    hello.version_min = hello.version_max = PROTOCOL_VERSION;
    struct wire_writer writer =
        wire_writer_over(frame + FRAME_HEADER_SIZE, sizeof(frame) - FRAME_HEADER_SIZE);
    message_encode(MESSAGE_hello_request, &hello, &writer);
    assert_false(writer.failed);
    frame_put_header(frame, (uint32_t)wire_written(&writer), OPERATION_HELLO, 0, 1);
    talk = tls_talk_open(siege->tls, &proof);
    assert_true(tls_talk_shake(talk));
    tls_talk_send_record(talk, SSL3_RT_APPLICATION_DATA, frame, FRAME_HEADER_SIZE + wire_written(&writer));
    assert_int_equal(tls_talk_answer(talk, OPERATION_HELLO, 1), RESULT_DONE);
    tls_talk_free(talk);
    tls_proof_free(&proof);
}

/* --- keys that are not known, and such that are wrong --- */

static void unknown_keys_and_wrong_ones(void **state)
{
    struct siege *siege = *state;
    struct tls_proof right = tls_proof_read(siege->keyed.identity);
    struct tls_proof proofs[5];
    for (size_t i = 0; i < 5; i++) {
        proofs[i] = right;
        proofs[i].psk_key[0] ^= 1;
    }
    /* The key is wrong; nobody has the number; another version; who has the number has no key; no such name. */
    char *const names[] = { proofs[1].psk_identity, proofs[2].psk_identity, proofs[3].psk_identity,
                            proofs[4].psk_identity };
    size_t room = sizeof(right.psk_identity);
    (void)snprintf(names[0], room, "punkt/%d/1", SIEGE_IDENTITIES);
    (void)snprintf(names[1], room, "punkt/%" PRIu64 "/2", siege->keyed.number);
    (void)snprintf(names[2], room, "punkt/%" PRIu64 "/1", siege->seller.number);
    (void)snprintf(names[3], room, "%s", "administrator");
    sight_expect_alike(siege->psk, proofs, 5);
    siege->refused += UINT64_C(5) * SIGHT_ROUNDS;
    /* It was the key, and nothing else: the right one opens. */
    struct tls_talk *talk = enter(siege->psk, &right, 9);
    siege->acts[IDENTITY_ACT_ROTATE]++; /* by its first hello the code it enrolled with ends */
    tls_talk_free(talk);
    tls_proof_free(&right);
}

/* --- who is somebody, and says that it is somebody else --- */

/* What another till did under an epoch and number is its own: not found by these, and not to be asked about. */
static void ask_about_the_good_till(struct siege *siege, struct tls_talk *talk, uint64_t epoch)
{
    const uint64_t number = UINT64_C(1) << 61;
    struct msg_status_request status;
    struct msg_status_answer answer;
    message_init(MESSAGE_status_request, &status);
    status.epoch = epoch;
    status.number = 1;
    tls_talk_send(talk, OPERATION_STATUS, 0, number, &status);
    assert_int_equal(tls_talk_answer(talk, OPERATION_STATUS, number), RESULT_DONE);
    tls_talk_decode(talk, OPERATION_STATUS, &answer);
    assert_int_equal(answer.state, 0);
    status.identity = siege->seller.number;
    tls_talk_send(talk, OPERATION_STATUS, 0, number + 1, &status);
    assert_int_equal(tls_talk_answer(talk, OPERATION_STATUS, number + 1), RESULT_NOT_PERMITTED);
    siege->reads++;
}

static void another_tills_number_in_the_frame(void **state)
{
    static const struct {
        const char *store, *till;
    } names[] = { { "1", "1" }, { "2", "2" }, { "2", "1" }, { "1", "3" } };
    struct siege *siege = *state;
    struct tls_proof proof = tls_proof_read(siege->mallory.identity);
    uint64_t epoch = good_till_epoch(siege->good);
    struct tls_talk *talk = enter(siege->tls, &proof, epoch); /* of the good till */
    uint64_t number = 1;
    ask_about_the_good_till(siege, talk, epoch);
    for (; number <= sizeof(names) / sizeof(names[0]); number++) {
        siege_buy(talk, number, names[number - 1].store, names[number - 1].till);
        assert_int_equal(tls_talk_answer(talk, OPERATION_PURCHASE, number), RESULT_NOT_PERMITTED);
        siege->not_permitted[siege->mallory.number]++;
    }
    struct msg_reversal_request reversal;
    message_init(MESSAGE_reversal_request, &reversal);
    reversal.epoch = epoch;
    reversal.number = 1;
    reversal.store = talk_code("1");
    reversal.till = talk_code("2");
    reversal.identity = siege->seller.number;
    tls_talk_send(talk, OPERATION_REVERSAL, 0, number, &reversal);
    assert_int_equal(tls_talk_answer(talk, OPERATION_REVERSAL, number), RESULT_NOT_PERMITTED);
    siege->not_permitted[siege->mallory.number]++;
    tls_talk_free(talk);
    tls_proof_free(&proof);
}

/* --- bytes --- */

/* Says these bytes to a socket, and reads until the other side has ended; whether anything was said in TLS is not known. */
static size_t say_raw(const char *address, const uint8_t *bytes, size_t size)
{
    uint8_t heard[4096];
    size_t total = 0;
    ssize_t got;
    int fd = talk_dial(address);
    struct timeval patience = { .tv_sec = WORLD_PATIENCE_MS / 1000 };
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    (void)send(fd, bytes, size, MSG_NOSIGNAL); /* it may have ended before all is sent */
    while ((got = recv(fd, heard, sizeof(heard), 0)) > 0)
        total += (size_t)got;
    assert_true(got == 0 || errno == ECONNRESET);
    (void)close(fd);
    return total;
}

/*
 * All that a connection has sent, once more. The server is another one each time, so it says its part of the handshake, an
 * alert, and nothing behind it; greeted: how many bytes it said in the first handshake.
 */
static void replay(struct siege *siege, const char *address, const struct tls_talk *talk, size_t greeted)
{
    size_t size, seen;
    const uint8_t *sent = tls_talk_sent(talk, &size);
    (void)tls_talk_seen(talk, &seen);
    assert_true(seen > greeted + ALERT_RECORD_MAX);
    for (int i = 0; i < 3; i++) {
        assert_in_range(say_raw(address, sent, size), 1, greeted + ALERT_RECORD_MAX);
        siege->refused++;
    }
}

static void replay_a_sale(struct siege *siege, const char *address, const struct siege_till *till,
                          const char *name)
{
    struct tls_proof proof = tls_proof_read(till->identity);
    struct tls_talk *talk = tls_talk_open(address, &proof);
    size_t greeted;
    assert_true(tls_talk_shake(talk));
    (void)tls_talk_seen(talk, &greeted);
    siege_say_hello(talk, 10);
    assert_int_equal(tls_talk_answer(talk, OPERATION_HELLO, SIEGE_HELLO_NUMBER), RESULT_DONE);
    struct msg_purchase_request sale = talk_purchase("1001", 100, name);
    sale.till = talk_code(name);
    tls_talk_send(talk, OPERATION_PURCHASE, 0, 1, &sale);
    assert_int_equal(tls_talk_answer(talk, OPERATION_PURCHASE, 1), RESULT_DONE);
    siege->purchases[till->number]++;
    replay(siege, address, talk, greeted);
    tls_talk_free(talk);
    tls_proof_free(&proof);
}

static void recorded_bytes_on_a_new_connection(void **state)
{
    struct siege *siege = *state;
    replay_a_sale(siege, siege->tls, &siege->mallory, "2");
    replay_a_sale(siege, siege->psk, &siege->keyed, "3");
}

static void oversized_handshakes(void **state)
{
    struct siege *siege = *state;
    static const uint32_t sizes[] = { 60000, 0xffffff };
    static uint8_t bytes[8 * (RECORD_HEADER_SIZE + 16384)];
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        memset(bytes, 0, sizeof(bytes));
        for (size_t at = 0; at < sizeof(bytes); at += RECORD_HEADER_SIZE + 16384) {
            static const uint8_t header[] = { SSL3_RT_HANDSHAKE, 3, 1, 0x40, 0 };
            memcpy(bytes + at, header, sizeof(header));
        }
        const uint8_t begin[] = { SSL3_MT_CLIENT_HELLO, (uint8_t)(sizes[i] >> 16), (uint8_t)(sizes[i] >> 8),
                                  (uint8_t)sizes[i] };
        memcpy(bytes + RECORD_HEADER_SIZE, begin, sizeof(begin));
        (void)say_raw(siege->tls, bytes, sizeof(bytes));
        (void)say_raw(siege->psk, bytes, sizeof(bytes));
        siege->refused += 2;
    }
    struct tls_proof chain = tls_proof_read(siege->mallory.identity);
    chain.more_certificates = 200;
    expect_no_way_in(siege, siege->tls, &chain, SSL_AD_ILLEGAL_PARAMETER, "200 certificates");
    tls_proof_free(&chain);
}

/* Sends one byte after the other; returns how many it took until the other side had ended. */
static size_t drip(const uint8_t *bytes, size_t size, int fd, struct tls_talk *talk)
{
    struct pollfd other = { .fd = fd, .events = POLLIN };
    size_t went = 0;
    while (went < size && poll(&other, 1, DRIP_MS) == 0) {
        if (talk != NULL)
            tls_talk_send_bytes(talk, bytes + went, 1);
        else if (send(fd, bytes + went, 1, MSG_NOSIGNAL) != 1)
            break;
        went++;
    }
    return went;
}

/* Every byte comes in time, and all of them do not. */
static void slow_handshakes_and_greetings(void **state)
{
    struct siege *siege = *state;
    struct tls_proof proof = tls_proof_read(siege->mallory.identity);
    struct tls_talk *talk = tls_talk_open(siege->tls, &proof);
    size_t size;
    assert_true(tls_talk_shake(talk));
    const uint8_t *sent = client_hello(talk, &size);
    int fd = talk_dial(siege->tls);
    assert_true(size > 2 * SIEGE_HANDSHAKE_MS / DRIP_MS);
    assert_in_range(drip(sent, size, fd, NULL), 1, size - 1);
    siege->refused++;
    (void)close(fd);
    tls_talk_free(talk);
    /* The same behind the handshake: the header of a hello whose body has no end in sight. */
    uint8_t hello[FRAME_HEADER_SIZE + 1000] = { 0 };
    frame_put_header(hello, sizeof(hello) - FRAME_HEADER_SIZE, OPERATION_HELLO, 0, 1);
    talk = tls_talk_open(siege->tls, &proof);
    assert_true(tls_talk_shake(talk));
    assert_in_range(drip(hello, sizeof(hello), tls_talk_fd(talk), talk), 1, sizeof(hello) - 1);
    assert_int_equal(tls_talk_end(talk), 0);
    tls_talk_free(talk);
    tls_proof_free(&proof);
}

static void wait_for_the_end(int fd)
{
    char bytes[256];
    struct pollfd other = { .fd = fd, .events = POLLIN };
    for (;;) {
        if (poll(&other, 1, WORLD_PATIENCE_MS) != 1)
            fail_msg("a socket without proof is still open");
        if (recv(fd, bytes, sizeof(bytes), 0) <= 0)
            return;
    }
}

/* More than may be there without proof. Who comes behind them waits until their time is over, and no longer. */
static void sockets_without_proof(void **state)
{
    struct siege *siege = *state;
    static int fds[SOCKETS];
    uint64_t sales = good_till_sales(siege->good);
    for (size_t i = 0; i < SOCKETS; i++) {
        fds[i] = talk_dial(siege->tls);
        if (i % 2 == 1)
            assert_int_equal(send(fds[i], "\x16\x03\x01", 3, MSG_NOSIGNAL), 3);
    }
    good_till_wait(siege->good, sales + 40);
    struct secure *late = secure_hello(siege->world, siege->mallory.identity, 11);
    secure_free(late);
    for (size_t i = 0; i < SOCKETS; i++) {
        wait_for_the_end(fds[i]);
        (void)close(fds[i]);
    }
    siege->refused += SOCKETS; /* those that were silent, too */
}

/* --- enrolment codes --- */

static void a_code_that_is_guessed(void **state)
{
    struct siege *siege = *state;
    struct siege_till till;
    siege_add(siege, "5", false, &till);
    struct tls_proof right = tls_proof_code(till.code);
    struct tls_proof guess = right, nobody;
    for (int i = 0; i < TRIES_OF_A_CODE; i++) {
        guess.psk_key[i] ^= 1;
        expect_no_way_in(siege, siege->enrol, &guess, SIGHT_WRONG_KEY_ALERT, "a guessed code");
    }
    siege->refused -=
        TRIES_OF_A_CODE; /* the audit has another word for these, and knows of whose code they were */
    siege->refused += TRIES_OF_A_CODE;
    siege->acts[IDENTITY_ACT_ROTATE]++; /* the code is void */
    /* Then it is as if it had never been: the right one is told apart from nobody's by nothing. */
    nobody = guess;
    nobody.psk_identity[6] = nobody.psk_identity[6] == '0' ? '1' : '0';
    const struct tls_proof proofs[] = { nobody, guess, right };
    sight_expect_alike(siege->enrol, proofs, 3);
    siege->refused += UINT64_C(3) * SIGHT_ROUNDS;
    assert_int_not_equal(siege_enrol(siege, &till, "till-5"), 0);
    assert_int_equal(access(till.identity, F_OK), -1);
    siege->refused++;
}

static void a_code_that_is_used_again(void **state)
{
    struct siege *siege = *state;
    struct siege_till till, thief;
    siege_add_enrolled(siege, "6", false, &till);
    thief = till;
    assert_int_not_equal(siege_enrol(siege, &thief, "thief-6"), 0); /* with a key of its own */
    assert_int_equal(access(thief.identity, F_OK), -1);
    siege->refused++;
    /* The till that was first is what it was. */
    struct tls_proof proof = tls_proof_read(till.identity);
    tls_talk_free(enter(siege->tls, &proof, 12));
    tls_proof_free(&proof);
}

/* A code is good for one request. */
static void a_code_that_sells(void **state)
{
    struct siege *siege = *state;
    struct siege_till till;
    siege_add(siege, "7", true, &till);
    struct tls_proof code = tls_proof_code(till.code);
    struct tls_talk *talk = tls_talk_open(siege->enrol, &code);
    assert_true(tls_talk_shake(talk));
    siege_say_hello(talk, 13);
    siege_buy(talk, 1, STORE, "7");
    assert_int_equal(tls_talk_answer(talk, OPERATION_HELLO, SIEGE_HELLO_NUMBER), RESULT_NOT_PERMITTED);
    assert_int_equal(tls_talk_end(talk), 0);
    siege->refused++;
    tls_talk_free(talk);
    expect_no_way_in(siege, siege->psk, &code, SIGHT_WRONG_KEY_ALERT, "a code where keys are");
}

/* Whoever recorded an enrolment learns nothing from saying it again, and takes nothing from the till. */
static void a_code_that_was_overheard(void **state)
{
    struct siege *siege = *state;
    struct siege_till till;
    struct msg_enrol_request enrol;
    struct msg_enrol_answer answer;
    size_t greeted;
    siege_add(siege, "8", true, &till);
    struct tls_proof code = tls_proof_code(till.code);
    struct tls_talk *talk = tls_talk_open(siege->enrol, &code);
    assert_true(tls_talk_shake(talk));
    (void)tls_talk_seen(talk, &greeted);
    message_init(MESSAGE_enrol_request, &enrol);
    enrol.version_min = enrol.version_max = PROTOCOL_VERSION;
    tls_talk_send(talk, OPERATION_ENROL, 0, 1, &enrol);
    assert_int_equal(tls_talk_answer(talk, OPERATION_ENROL, 1), RESULT_DONE);
    siege->acts[IDENTITY_ACT_ENROL]++;
    tls_talk_decode(talk, OPERATION_ENROL, &answer);
    struct tls_proof key = { .key = NULL };
    assert_int_equal(answer.psk_key.size, sizeof(key.psk_key));
    memcpy(key.psk_key, answer.psk_key.data, sizeof(key.psk_key));
    (void)snprintf(key.psk_identity, sizeof(key.psk_identity), "%.*s", (int)answer.psk_identity.size,
                   answer.psk_identity.data);
    replay(siege, siege->enrol, talk, greeted);
    tls_talk_free(talk);
    tls_talk_free(enter(siege->psk, &key, 14));
    siege->acts[IDENTITY_ACT_ROTATE]++; /* its code has done its work */
}

/* --- the end --- */

static void nothing_is_left_but_the_audit(void **state)
{
    siege_reckon(*state);
}

static int begin(void **state)
{
    struct rlimit files;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    if (files.rlim_cur < 2 * SOCKETS && files.rlim_max >= 2 * SOCKETS) {
        files.rlim_cur = 2 * SOCKETS;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    }
    *state = siege_new();
    return 0;
}

static int end(void **state)
{
    siege_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_that_prove_nothing),
        cmocka_unit_test(proofs_at_the_wrong_door),
        cmocka_unit_test(an_unknown_key_with_a_good_ca),
        cmocka_unit_test(revoked_while_connected),
        cmocka_unit_test(renegotiation),
        cmocka_unit_test(unknown_keys_and_wrong_ones),
        cmocka_unit_test(another_tills_number_in_the_frame),
        cmocka_unit_test(recorded_bytes_on_a_new_connection),
        cmocka_unit_test(oversized_handshakes),
        cmocka_unit_test(slow_handshakes_and_greetings),
        cmocka_unit_test(sockets_without_proof),
        cmocka_unit_test(a_code_that_is_guessed),
        cmocka_unit_test(a_code_that_is_used_again),
        cmocka_unit_test(a_code_that_sells),
        cmocka_unit_test(a_code_that_was_overheard),
        cmocka_unit_test(nothing_is_left_but_the_audit),
    };
    (void)unsetenv("PUNKT_SERVER");
    (void)unsetenv("PUNKT_IDENTITY");
    return cmocka_run_group_tests(tests, begin, end);
}
