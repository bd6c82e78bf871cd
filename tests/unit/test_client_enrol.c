/*
 * Enrolment against a scripted server: a code becomes an identity file, once, whole, and never in the place of another.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <poll.h>
#include <punkt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/enrol_code.h"
#include "tls_peer.h"

#define CODE "0410-6105-0R3G-G28A-1C60-T3GF-208H-44RM"
#define PATIENT_MS 9000

static struct server server;
static struct peer_person ca, good_server, other_ca;
static struct peer_tls tls;
static struct msg_enrol_answer answer; /* of the scripts, but for the certificate */
static char folder[] = "/tmp/punkt_enrol_XXXXXX";
static char path[64], pending[80], next[80];
static uint8_t first_request[2048]; /* the signing request that came first */
static size_t first_size;
static char *ca_pem;

/* --- scripts --- */

/* Takes the request; answers it with a certificate if the answer is to have one. */
static void answer_enrol(struct server *s, uint64_t number)
{
    struct msg_enrol_request request = { 0 };
    server_decode(s, MESSAGE_enrol_request, NULL, &request);
    if (!server_good(s))
        return;
    X509 *certificate = peer_sign(&ca, request.signing_request.data, request.signing_request.size);
    char *pem = certificate != NULL ? peer_pem(certificate) : NULL;
    if (pem == NULL)
        server_fail(s, "the signing request is none");
    struct msg_enrol_answer sent = answer;
    if (sent.proof == 0 && pem != NULL && sent.certificate.size == 0)
        sent.certificate = (struct message_text){ .data = pem, .size = strlen(pem) };
    server_done(s, OPERATION_ENROL, number, 0, &sent);
    X509_free(certificate);
    OPENSSL_free(pem);
}

static void note_request(struct server *s)
{
    struct msg_enrol_request request = { 0 };
    server_decode(s, MESSAGE_enrol_request, NULL, &request);
    if (request.version_min != PROTOCOL_VERSION || request.version_max != PROTOCOL_VERSION)
        server_fail(s, "the request is of another version");
    if (!server_good(s) || request.signing_request.size > sizeof(first_request))
        return;
    if (first_size == 0) {
        first_size = request.signing_request.size;
        memcpy(first_request, request.signing_request.data, first_size);
    }
}

static void script_good(struct server *s)
{
    peer_accept(s, &tls);
    uint64_t number = server_expect(s, OPERATION_ENROL);
    note_request(s);
    answer_enrol(s, number);
    server_expect_close(s);
}

/* The public key of a signing request, as it is in the file that is signed. */
static bool same_key(const void *one, size_t one_size, const struct message_text *two)
{
    const unsigned char *at = one;
    const unsigned char *other = (const unsigned char *)two->data;
    X509_REQ *requests[] = { d2i_X509_REQ(NULL, &at, (long)one_size),
                             d2i_X509_REQ(NULL, &other, (long)two->size) };
    bool same = requests[0] != NULL && requests[1] != NULL &&
                EVP_PKEY_eq(X509_REQ_get0_pubkey(requests[0]), X509_REQ_get0_pubkey(requests[1])) == 1;
    X509_REQ_free(requests[0]);
    X509_REQ_free(requests[1]);
    return same;
}

/* The answer is lost twice: on the wire, and then with the process. */
static void script_lost(struct server *s)
{
    peer_accept(s, &tls);
    (void)server_expect(s, OPERATION_ENROL);
    note_request(s);
    peer_accept(s, &tls);
    uint64_t number = server_expect(s, OPERATION_ENROL);
    struct msg_enrol_request request = { 0 };
    server_decode(s, MESSAGE_enrol_request, NULL, &request);
    if (server_good(s) && !same_key(first_request, first_size, &request.signing_request))
        server_fail(s, "the repeat came with another key");
    answer_enrol(s, number);
    server_expect_close(s);
}

static void script_silent(struct server *s)
{
    peer_accept(s, &tls);
    (void)server_expect(s, OPERATION_ENROL);
    note_request(s);
    server_expect_close(s);
}

static void script_goes_on(struct server *s)
{
    peer_accept(s, &tls);
    uint64_t number = server_expect(s, OPERATION_ENROL);
    struct msg_enrol_request request = { 0 };
    server_decode(s, MESSAGE_enrol_request, NULL, &request);
    if (server_good(s) && !same_key(first_request, first_size, &request.signing_request))
        server_fail(s, "the second enrolment came with another key");
    answer_enrol(s, number);
    server_expect_close(s);
}

static void script_refusing(struct server *s)
{
    peer_accept(s, &tls);
    uint64_t number = server_expect(s, OPERATION_ENROL);
    server_refuse(s, OPERATION_ENROL, number, RESULT_CODE_USED, "by another key");
    server_expect_close(s);
}

static void script_busy(struct server *s)
{
    peer_accept(s, &tls);
    uint64_t number = server_expect(s, OPERATION_ENROL);
    server_refuse(s, OPERATION_ENROL, number, RESULT_BUSY, "");
    script_good(s);
}

/* One handshake that fails, and no other: each counts as a try. */
static void script_wrong_code(struct server *s)
{
    struct pollfd fd = { .events = POLLIN };
    server_accept(s);
    if (peer_shake(s, &tls))
        server_fail(s, "a wrong code was taken");
    server_expect_close(s);
    fd.fd = s->listener;
    if (server_good(s) && poll(&fd, 1, 1200) != 0)
        server_fail(s, "the client tried again");
}

/* --- the client --- */

/* What the next script answers; a test changes it before it starts the script. */
static void prepare(void)
{
    struct enrol_code code;
    char why[IDENTITY_WHY_SIZE];
    assert_true(enrol_code_read(CODE, &code, why));
    tls = (struct peer_tls){ .psk_identity = "enrol/01020304" };
    assert_true(enrol_code_key(&code, tls.psk_key));
    answer = (struct msg_enrol_answer){ .identity = 17,
                                        .role = ROLE_TILL,
                                        .port = 7443,
                                        .ca = { .data = ca_pem, .size = strlen(ca_pem) },
                                        .server_name = { .data = PEER_NAME, .size = strlen(PEER_NAME) },
                                        .key_ends = UINT64_C(1800000000000000) };
    assert_true(wire_code_from("12", 2, &answer.store));
    assert_true(wire_code_from("3", 1, &answer.till));
    first_size = 0;
}

static void start(server_script_fn *script)
{
    prepare();
    server_start(&server, NULL, script);
}

static enum punkt_call enrol_with(const char *address, const char *code, bool replace, uint32_t timeout_ms,
                                  struct punkt_enrol_answer *out)
{
    const struct punkt_enrol_request request = { .size = sizeof(request),
                                                 .server = address,
                                                 .code = code,
                                                 .identity = path,
                                                 .replace = replace,
                                                 .timeout_ms = timeout_ms };
    memset(out, 'x', sizeof(*out));
    out->head.size = sizeof(*out);
    enum punkt_call call = punkt_enrol(&request, out);
    assert_int_equal(out->head.call, call);
    assert_int_equal(out->head.operation, PUNKT_OPERATION_ENROL);
    assert_ptr_equal(out->head.detail, out->trouble);
    assert_int_equal(out->trouble[0] == '\0', call == PUNKT_CALL_DONE);
    return call;
}

static enum punkt_call enrol(struct punkt_enrol_answer *out)
{
    return enrol_with(server.address, CODE, false, PATIENT_MS, out);
}

static bool exists(const char *file)
{
    struct stat status;
    return stat(file, &status) == 0;
}

static void expect_words(const struct punkt_enrol_answer *out, const char *words)
{
    if (strstr(out->trouble, words) == NULL)
        fail_msg("\"%s\" instead of \"%s\"", out->trouble, words);
}

/* The file is whole: a handle can be made of it. */
static void expect_identity(void)
{
    const struct punkt_options options = { .size = sizeof(options), .identity = path };
    struct stat status;
    struct punkt *punkt;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    punkt_free(punkt);
    assert_false(exists(pending));
    assert_false(exists(next));
}

static int clean(void **state)
{
    (void)state;
    (void)unlink(path);
    (void)unlink(pending);
    (void)unlink(next);
    return 0;
}

static void certificate(void **state)
{
    (void)state;
    struct punkt_enrol_answer out;
    struct identity identity;
    char why[IDENTITY_WHY_SIZE];
    start(script_good);
    assert_int_equal(enrol(&out), PUNKT_CALL_DONE);
    server_join(&server);
    assert_int_equal(out.identity, 17);
    assert_int_equal(out.role, PUNKT_ROLE_TILL);
    assert_false(out.psk);
    assert_string_equal(out.store, "12");
    assert_string_equal(out.till, "3");
    assert_string_equal(out.name, "");
    assert_string_equal(out.server, "127.0.0.1:7443");
    assert_int_equal(out.key_ends_us, INT64_C(1800000000000000));
    expect_identity();
    identity_init(&identity, NULL);
    assert_int_equal(identity_read(&identity, path, why), PUNKT_CALL_DONE);
    assert_string_equal(identity.server, "127.0.0.1:7443");
    assert_string_equal(identity.server_name, PEER_NAME);
    assert_string_equal(identity.role, "till");
    identity_done(&identity);
}

static void pre_shared_key(void **state)
{
    (void)state;
    struct punkt_enrol_answer out;
    static const char key[32] = "0123456789abcdef0123456789abcde";
    struct identity identity;
    char why[IDENTITY_WHY_SIZE];
    prepare();
    answer.proof = 1;
    answer.port = 0;
    answer.ca.size = 0;
    answer.server_name.size = 0;
    answer.psk_identity = (struct message_text){ .data = "punkt/17/1", .size = 10 };
    answer.psk_key = (struct message_text){ .data = key, .size = sizeof(key) };
    server_start(&server, NULL, script_good);
    assert_int_equal(enrol(&out), PUNKT_CALL_DONE);
    server_join(&server);
    assert_true(out.psk);
    assert_string_equal(out.server, "127.0.0.1:7444");
    expect_identity();
    identity_init(&identity, NULL);
    assert_int_equal(identity_read(&identity, path, why), PUNKT_CALL_DONE);
    assert_string_equal(identity.psk_identity, "punkt/17/1");
    assert_memory_equal(identity.psk_key, key, sizeof(key));
    identity_done(&identity);
}

static void lost_answer(void **state)
{
    (void)state;
    struct punkt_enrol_answer out;
    start(script_lost);
    assert_int_equal(enrol(&out), PUNKT_CALL_DONE);
    server_join(&server);
    expect_identity();
}

static void lost_process(void **state)
{
    (void)state;
    struct punkt_enrol_answer out;
    start(script_silent);
    assert_int_equal(enrol_with(server.address, CODE, false, 400, &out), PUNKT_CALL_UNKNOWN);
    server_join(&server);
    assert_false(exists(path));
    assert_true(exists(pending));
    uint8_t kept[sizeof(first_request)];
    size_t kept_size = first_size;
    memcpy(kept, first_request, sizeof(kept));
    prepare();
    first_size = kept_size;
    memcpy(first_request, kept, sizeof(kept));
    server_start(&server, NULL, script_goes_on);
    assert_int_equal(enrol(&out), PUNKT_CALL_DONE);
    server_join(&server);
    expect_identity();
}

static void refused(void **state)
{
    (void)state;
    struct punkt_enrol_answer out;
    start(script_refusing);
    assert_int_equal(enrol(&out), PUNKT_CALL_REFUSED);
    assert_int_equal(out.head.code, PUNKT_RESULT_CODE_USED);
    expect_words(&out, "by another key");
    server_join(&server);
    assert_false(exists(path));
    start(script_busy);
    assert_int_equal(enrol(&out), PUNKT_CALL_DONE);
    server_join(&server);
}

static void wrong_code(void **state)
{
    (void)state;
    struct punkt_enrol_answer out;
    start(script_wrong_code);
    assert_int_equal(
        enrol_with(server.address, "0410-6105-0R3G-G28A-1C60-T3GF-208H-44RN", false, PATIENT_MS, &out),
        PUNKT_CALL_REFUSED);
    assert_int_equal(out.head.code, PUNKT_RESULT_CODE_USED);
    expect_words(&out, "does not accept this code");
    server_join(&server);
    prepare();
    tls.psk_identity = "enrol/01020305";
    server_start(&server, NULL, script_wrong_code);
    assert_int_equal(enrol(&out), PUNKT_CALL_REFUSED);
    server_join(&server);
    /* Somebody who has no code, but a certificate, gets nothing. */
    prepare();
    tls = (struct peer_tls){ .person = &good_server };
    server_start(&server, NULL, script_wrong_code);
    assert_int_equal(enrol(&out), PUNKT_CALL_REFUSED);
    expect_words(&out, "does not know this code");
    server_join(&server);
    assert_false(exists(path));
}

static void wrong_answers(void **state)
{
    (void)state;
    struct punkt_enrol_answer out;
    char *pem = peer_pem(good_server.certificate);
    prepare();
    answer.certificate = (struct message_text){ .data = pem, .size = strlen(pem) };
    server_start(&server, NULL, script_good);
    assert_int_equal(enrol(&out), PUNKT_CALL_UNKNOWN);
    expect_words(&out, "of another key");
    server_join(&server);
    prepare();
    answer.ca.size = 0;
    server_start(&server, NULL, script_good);
    assert_int_equal(enrol(&out), PUNKT_CALL_UNKNOWN);
    server_join(&server);
    char *other = peer_pem(other_ca.certificate);
    prepare();
    answer.ca = (struct message_text){ .data = other, .size = strlen(other) };
    server_start(&server, NULL, script_good);
    assert_int_equal(enrol(&out), PUNKT_CALL_DONE); /* another CA may sign the server's certificate */
    server_join(&server);
    OPENSSL_free(other);
    OPENSSL_free(pem);
}

/* A port that is taken, where nobody answers. */
static int bind_without_listening(char *out_address, size_t capacity)
{
    struct sockaddr_in inet = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(inet);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&inet, sizeof(inet)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&inet, &size), 0);
    (void)snprintf(out_address, capacity, "127.0.0.1:%u", ntohs(inet.sin_port));
    return fd;
}

static void wrong_requests(void **state)
{
    (void)state;
    struct punkt_enrol_answer out;
    static const char *const servers[] = { "", ",", "a,b", "a:", "a:http", "[::1", "unix:/tmp/x", "a/b" };
    for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
        if (enrol_with(servers[i], CODE, false, 100, &out) != PUNKT_CALL_INVALID)
            fail_msg("server \"%s\" was taken", servers[i]);
    }
    assert_int_equal(enrol_with("localhost", "0410", false, 100, &out), PUNKT_CALL_INVALID);
    expect_words(&out, "4 of 32 characters");
    assert_int_equal(enrol_with("localhost", NULL, false, 100, &out), PUNKT_CALL_INVALID);
    assert_int_equal(punkt_enrol(NULL, &out), PUNKT_CALL_INVALID);
    out.head.size = sizeof(out.head);
    assert_int_equal(punkt_enrol(NULL, &out), PUNKT_CALL_INVALID);
    /* Nobody is there: the code is as good as before. */
    char address[32];
    int fd = bind_without_listening(address, sizeof(address));
    assert_int_equal(enrol_with(address, CODE, false, 300, &out), PUNKT_CALL_NOT_SENT);
    assert_int_equal(close(fd), 0);
    assert_false(exists(path));
    assert_true(exists(pending));
}

static void in_another_place(void **state)
{
    (void)state;
    struct punkt_enrol_answer out;
    struct stat before, after;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(enrol_with("localhost:1", CODE, false, 300, &out), PUNKT_CALL_INVALID);
    expect_words(&out, "is there already");
    start(script_good);
    assert_int_equal(enrol_with(server.address, CODE, true, PATIENT_MS, &out), PUNKT_CALL_DONE);
    server_join(&server);
    assert_int_equal(stat(path, &after), 0);
    assert_true(after.st_size > before.st_size);
    expect_identity();
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/identity", folder);
    (void)snprintf(pending, sizeof(pending), "%s.enrolling", path);
    (void)snprintf(next, sizeof(next), "%s.new", path);
    ca = peer_person_new(PEER_CA, NULL, NULL, -60, 86400);
    other_ca = peer_person_new(PEER_CA, NULL, NULL, -60, 86400);
    good_server = peer_person_new(PEER_SERVER, &ca, "DNS:" PEER_NAME, -60, 86400);
    ca_pem = peer_pem(ca.certificate);
    return 0;
}

static int tear_down(void **state)
{
    (void)clean(state);
    OPENSSL_free(ca_pem);
    peer_person_free(&ca);
    peer_person_free(&other_ca);
    peer_person_free(&good_server);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(certificate, clean),      cmocka_unit_test_teardown(pre_shared_key, clean),
        cmocka_unit_test_teardown(lost_answer, clean),      cmocka_unit_test_teardown(lost_process, clean),
        cmocka_unit_test_teardown(refused, clean),          cmocka_unit_test_teardown(wrong_code, clean),
        cmocka_unit_test_teardown(wrong_answers, clean),    cmocka_unit_test_teardown(wrong_requests, clean),
        cmocka_unit_test_teardown(in_another_place, clean),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
