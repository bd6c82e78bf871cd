/*
 * A client with an identity: whom it believes, who believes it, what is said when one does not, and that TLS carries what the
 * plain link carries.
 */
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <punkt.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tls_peer.h"

#define SHORT_MS 3000 /* enough for an attempt that is refused; those that are not, have to hurry */
#define PATIENT_MS 9000
#define DAY_S 86400L

static struct server server;
static char folder[] = "/tmp/punkt_tls_XXXXXX";
static char identity_path[64], psk_path[64], outbox_path[64], outbox_lock[64];
static struct peer_person ca, other_ca, good_server, client_person;
static struct peer_tls tls; /* of the scripts */
static const char psk_name[] = "punkt/7/1";

/* --- identities --- */

static FILE *create_private(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    assert_non_null(file);
    return file;
}

static void write_identity(const char *path, const struct peer_person *trusted)
{
    FILE *file = create_private(path);
    (void)fprintf(file,
                  "# of a test\nserver: %s\nserver_name: " PEER_NAME "\nstore: 12\ntill: 3\nrole: till\n",
                  server.address);
    assert_int_equal(PEM_write_PKCS8PrivateKey(file, client_person.key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(PEM_write_X509(file, client_person.certificate), 1);
    assert_int_equal(PEM_write_X509(file, trusted->certificate), 1);
    assert_int_equal(fclose(file), 0);
}

static void write_psk(uint8_t first)
{
    FILE *file = create_private(psk_path);
    (void)fprintf(file, "server: %s\nname: anna\nrole: office\npsk_identity: %s\npsk_key: %02x",
                  server.address, psk_name, first);
    for (unsigned i = 1; i < PEER_KEY_SIZE; i++)
        (void)fprintf(file, "%02X", i);
    (void)fprintf(file, "\n");
    assert_int_equal(fclose(file), 0);
}

static void psk_of_server(void)
{
    tls = (struct peer_tls){ .psk_identity = psk_name };
    for (unsigned i = 0; i < PEER_KEY_SIZE; i++)
        tls.psk_key[i] = (uint8_t)i;
}

static struct punkt *client_as(const char *path, uint32_t timeout_ms)
{
    const struct punkt_options options = {
        .size = sizeof(options), .server = server.address, .identity = path, .timeout_ms = timeout_ms
    };
    struct punkt *punkt;
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    return punkt;
}

static enum punkt_call buy(struct punkt *punkt, struct punkt_purchase_answer *answer)
{
    const struct punkt_purchase_request request = { .size = sizeof(request),
                                                    .card = "2900000000018",
                                                    .amount = 105 };
    *answer = (struct punkt_purchase_answer)PUNKT_ANSWER_INIT(*answer);
    return punkt_purchase(punkt, &request, answer);
}

/* --- what goes well --- */

static void welcome(struct server *s)
{
    peer_accept(s, &tls);
    s->hello.role = ROLE_TILL;
    s->hello.identity = 17;
    s->hello.key_ends = UINT64_C(1800000000000000);
    (void)wire_code_from("12", 2, &s->hello.store);
    (void)wire_code_from("3", 1, &s->hello.till);
    server_hello(s);
}

static void script_sales(struct server *s)
{
    welcome(s);
    server_expect_number(s, OPERATION_PURCHASE, 1);
    server_done_purchase(s, 1, 0);
    server_expect_number(s, OPERATION_PURCHASE, 2);
    server_close(s); /* without an answer: it comes again, on another connection */
    welcome(s);
    server_expect_number(s, OPERATION_PURCHASE, 2);
    server_done_purchase(s, 2, 0);
    server_expect_close(s);
}

static void expect_sales(const char *path)
{
    struct punkt_purchase_answer answer;
    struct punkt_server_info info = PUNKT_INIT(info);
    struct punkt *punkt = client_as(path, PATIENT_MS);
    assert_int_equal(buy(punkt, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.earned, 1);
    assert_int_equal(buy(punkt, &answer), PUNKT_CALL_DONE);
    assert_int_equal(answer.earned, 2);
    punkt_server_info(punkt, &info);
    assert_int_equal(info.role, PUNKT_ROLE_TILL);
    assert_int_equal(info.identity, 17);
    assert_string_equal(info.store, "12");
    assert_string_equal(info.till, "3");
    assert_string_equal(info.name, "");
    assert_int_equal(info.key_ends_us, INT64_C(1800000000000000));
    punkt_free(punkt);
}

static void start(server_script_fn *script)
{
    server_start(&server, NULL, script);
    write_identity(identity_path, &ca);
    write_psk(0);
}

static void certificates(void **state)
{
    (void)state;
    tls = (struct peer_tls){ .person = &good_server, .ca = &ca };
    start(script_sales);
    expect_sales(identity_path);
    server_join(&server);
}

static void pre_shared_key(void **state)
{
    (void)state;
    psk_of_server();
    start(script_sales);
    expect_sales(psk_path);
    server_join(&server);
}

/* Each byte that the server says comes by itself, in records of few bytes. */
static void tiny_pieces(void **state)
{
    (void)state;
    tls = (struct peer_tls){ .person = &good_server, .ca = &ca, .record_max = 3 };
    start(script_sales);
    expect_sales(identity_path);
    server_join(&server);
}

/* Without server_name it is the host of the address that the certificate must be for. */
static void name_of_the_address(void **state)
{
    (void)state;
    struct peer_person named = peer_person_new(PEER_SERVER, &ca, "IP:127.0.0.1", -60, DAY_S);
    tls = (struct peer_tls){ .person = &named, .ca = &ca };
    start(script_sales);
    FILE *file = create_private(identity_path);
    assert_int_equal(PEM_write_PKCS8PrivateKey(file, client_person.key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(PEM_write_X509(file, client_person.certificate), 1);
    assert_int_equal(PEM_write_X509(file, ca.certificate), 1);
    assert_int_equal(fclose(file), 0);
    expect_sales(identity_path);
    server_join(&server);
    peer_person_free(&named);
}

static void script_renewing(struct server *s)
{
    welcome(s);
    for (uint64_t number = 1; number <= 3; number++) {
        server_expect_number(s, OPERATION_PURCHASE, number);
        peer_renew_keys(s);
        server_done_purchase(s, number, 0);
    }
    server_expect_close(s);
}

static void renewed_keys(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    tls = (struct peer_tls){ .person = &good_server, .ca = &ca };
    start(script_renewing);
    struct punkt *punkt = client_as(identity_path, PATIENT_MS);
    for (int64_t number = 1; number <= 3; number++) {
        assert_int_equal(buy(punkt, &answer), PUNKT_CALL_DONE);
        assert_int_equal(answer.earned, number);
    }
    punkt_free(punkt);
    server_join(&server);
}

#define TEXT_SIZE 65536

static char *big_text(void)
{
    char *text = malloc(TEXT_SIZE + 1);
    assert_non_null(text);
    for (size_t i = 0; i < TEXT_SIZE; i++)
        text[i] = (char)('a' + i % 23);
    text[TEXT_SIZE] = '\0';
    return text;
}

static const char *programme;

static void script_big(struct server *s)
{
    const struct msg_programme_show_answer shown = { .version = 7,
                                                     .text = { .data = programme, .size = TEXT_SIZE } };
    welcome(s);
    uint64_t number = server_expect(s, OPERATION_PROGRAMME_SHOW);
    server_done(s, OPERATION_PROGRAMME_SHOW, number, 0, &shown);
    server_expect_number(s, OPERATION_PURCHASE, 1);
    if (s->frame.body_size < 30000)
        server_fail(s, "a body of %u bytes is not what was sent", s->frame.body_size);
    server_done_purchase(s, 1, 0);
}

static void big_frames(void **state)
{
    (void)state;
    static struct punkt_line lines[PUNKT_LINES_MAX];
    const struct punkt_purchase_request sale = { .size = sizeof(sale),
                                                 .card = "2900000000018",
                                                 .amount = PUNKT_LINES_MAX,
                                                 .lines = lines,
                                                 .line_count = PUNKT_LINES_MAX };
    struct punkt_purchase_answer sold = PUNKT_ANSWER_INIT(sold);
    struct punkt_programme_show_answer shown = PUNKT_ANSWER_INIT(shown);
    char *text = big_text();
    programme = text;
    for (size_t i = 0; i < PUNKT_LINES_MAX; i++)
        lines[i] = (struct punkt_line){ .size = sizeof(lines[i]), .code = "4006381333931", .amount = 1 };
    tls = (struct peer_tls){ .person = &good_server, .ca = &ca };
    start(script_big);
    struct punkt *punkt = client_as(identity_path, PATIENT_MS);
    assert_int_equal(punkt_programme_show(punkt, NULL, &shown), PUNKT_CALL_INVALID);
    const struct punkt_programme_show_request show = PUNKT_INIT(show);
    assert_int_equal(punkt_programme_show(punkt, &show, &shown), PUNKT_CALL_DONE);
    assert_string_equal(shown.text, text);
    assert_int_equal(punkt_purchase(punkt, &sale, &sold), PUNKT_CALL_DONE);
    punkt_free(punkt);
    server_join(&server);
    free(text);
}

/* --- both lanes --- */

static void script_lanes(struct server *s)
{
    struct msg_card_show_answer card = { .status = 1, .available = 42 };
    welcome(s);
    server_expect_number(s, OPERATION_PURCHASE, 1);
    server_done_purchase(s, 1, 0);
    int connection = s->connection; /* stays open while the other lane comes */
    void *stream = s->stream_ctx;
    const struct server_stream *calls = s->stream;
    s->connection = -1;
    s->stream = NULL;
    welcome(s);
    uint64_t number = server_expect(s, OPERATION_CARD_SHOW);
    server_done(s, OPERATION_CARD_SHOW, number, 0, &card);
    server_expect_close(s);
    server_close(s);
    s->connection = connection;
    server_use_stream(s, calls, stream);
    server_expect_close(s);
}

static void both_lanes(void **state)
{
    (void)state;
    struct punkt_purchase_answer sold;
    const struct punkt_card_show_request show = { .size = sizeof(show), .card = "2900000000018" };
    struct punkt_card_show_answer shown = PUNKT_ANSWER_INIT(shown);
    const struct punkt_options options = {
        .size = sizeof(options), .identity = identity_path, .outbox = outbox_path, .timeout_ms = PATIENT_MS
    };
    struct punkt *punkt;
    tls = (struct peer_tls){ .person = &good_server, .ca = &ca };
    start(script_lanes);
    /* Server, store and till are the identity's. */
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    assert_int_equal(buy(punkt, &sold), PUNKT_CALL_DONE);
    assert_int_equal(punkt_card_show(punkt, &show, &shown), PUNKT_CALL_DONE);
    assert_int_equal(shown.available, 42);
    punkt_free(punkt);
    server_join(&server);
    (void)unlink(outbox_path);
    (void)unlink(outbox_lock);
}

/* --- who is not believed --- */

static void script_failing(struct server *s)
{
    server_accept(s);
    if (peer_shake(s, &tls))
        server_expect_close(s);
}

/* The client does not take the server: this is why, and nothing was sent. */
static void expect_failure(server_script_fn *script, const char *path, const char *words)
{
    struct punkt_answer answer = { .size = sizeof(answer) };
    start(script);
    struct punkt *punkt = client_as(path, SHORT_MS);
    /* One attempt: the server of the test is not there for another. */
    while (punkt_trouble(punkt)[0] == '\0' && punkt_connect(punkt, 100, &answer) != PUNKT_CALL_DONE) {
    }
    if (strstr(punkt_trouble(punkt), words) == NULL)
        fail_msg("\"%s\" instead of \"%s\"", punkt_trouble(punkt), words);
    assert_int_equal(answer.call, PUNKT_CALL_NOT_SENT);
    punkt_free(punkt);
    server_join(&server);
}

static void expect_distrust(const char *path, const char *words)
{
    expect_failure(script_failing, path, words);
}

static void expect_distrust_of(struct peer_person person, const char *words)
{
    tls = (struct peer_tls){ .person = &person, .ca = &ca };
    expect_distrust(identity_path, words);
    peer_person_free(&person);
}

static void wrong_servers(void **state)
{
    (void)state;
    static const char dns[] = "DNS:" PEER_NAME;
    expect_distrust_of(peer_person_new(PEER_SERVER, &other_ca, dns, -60, DAY_S),
                       "not signed by the CA of /tmp/");
    expect_distrust_of(peer_person_new(PEER_SERVER, NULL, dns, -60, DAY_S), "not signed by the CA of /tmp/");
    expect_distrust_of(peer_person_new(PEER_SERVER, &ca, "DNS:other.example", -60, DAY_S),
                       "is not for " PEER_NAME);
    expect_distrust_of(peer_person_new(PEER_SERVER, &ca, NULL, -60, DAY_S), "is not for " PEER_NAME);
    expect_distrust_of(peer_person_new(PEER_SERVER, &ca, dns, -2 * DAY_S, -DAY_S), "has expired");
    expect_distrust_of(peer_person_new(PEER_SERVER, &ca, dns, DAY_S, 2 * DAY_S), "not valid yet");
    expect_distrust_of(peer_person_new(PEER_CLIENT, &ca, dns, -60, DAY_S), "not one for servers");
}

static void old_versions(void **state)
{
    (void)state;
    tls = (struct peer_tls){ .person = &good_server, .version_max = TLS1_2_VERSION };
    expect_distrust(identity_path, "does not speak TLS 1.3");
}

static void wrong_pre_shared_keys(void **state)
{
    (void)state;
    psk_of_server();
    tls.psk_key[31] ^= 1;
    expect_distrust(psk_path, "does not accept our pre-shared key");
    psk_of_server();
    tls.psk_identity = "punkt/7/2";
    expect_distrust(psk_path, "does not accept our pre-shared key");
    /* A server that has no such key, but a certificate, is not believed for that. */
    tls = (struct peer_tls){ .person = &good_server };
    expect_distrust(psk_path, "does not know this pre-shared key");
    psk_of_server();
    expect_distrust(identity_path, "wants another proof than a certificate");
}

/* --- whom the server does not believe: known only after our handshake --- */

static void script_distrusting(struct server *s)
{
    server_accept(s);
    if (peer_shake(s, &tls))
        server_fail(s, "the server took a certificate of another CA");
}

static void server_refuses_us(void **state)
{
    (void)state;
    tls = (struct peer_tls){ .person = &good_server, .ca = &other_ca };
    expect_failure(script_distrusting, identity_path, "does not accept our");
}

/* --- plain where TLS is spoken, and the reverse --- */

static void script_plain(struct server *s)
{
    static const uint8_t refusal[64] = { 40, 0, 0, 0, 0x01, 0x40 };
    uint8_t hello[1024];
    struct pollfd fd = { .fd = -1, .events = POLLIN };
    server_accept(s);
    fd.fd = s->connection;
    server_send(s, refusal, sizeof(refusal));
    while (server_good(s) && poll(&fd, 1, SERVER_PATIENCE_MS) == 1 &&
           recv(s->connection, hello, sizeof(hello), 0) > 0) {
    }
}

static void tls_to_plain(void **state)
{
    (void)state;
    expect_failure(script_plain, identity_path, "does not speak TLS here");
}

static void plain_to_tls(void **state)
{
    (void)state;
    tls = (struct peer_tls){ .person = &good_server };
    expect_distrust(NULL, "it wants TLS");
}

static void plain_to_elsewhere(void **state)
{
    (void)state;
    static const char *const elsewhere[] = { "192.0.2.1:7400", "punktd.example:7400",
                                             "127.0.0.1:1,[2001:db8::1]:1", "126.0.0.1:1",
                                             "unix:/tmp/x,[::2]:1" };
    static const char *const here[] = { "127.3.2.1:7400", "LOCALHOST:7400,[::1]:1", "unix:/tmp/x" };
    char trouble[256];
    struct punkt *punkt;
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
        const struct punkt_options options = { .size = sizeof(options),
                                               .server = elsewhere[i],
                                               .trouble = trouble,
                                               .trouble_size = sizeof(trouble) };
        assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_INVALID);
        assert_non_null(strstr(trouble, "needs an identity"));
    }
    for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++) {
        const struct punkt_options options = {
            .size = sizeof(options), .server = here[i], .trouble = trouble, .trouble_size = sizeof(trouble)
        };
        assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
        assert_string_equal(trouble, "");
        punkt_free(punkt);
    }
}

/* --- options instead of a file --- */

static void options_alone(void **state)
{
    (void)state;
    struct punkt_purchase_answer answer;
    char ca_path[80];
    (void)snprintf(ca_path, sizeof(ca_path), "%s/ca.pem", folder);
    tls = (struct peer_tls){ .person = &good_server, .ca = &ca };
    start(script_sales);
    FILE *file = create_private(ca_path);
    assert_int_equal(PEM_write_X509(file, ca.certificate), 1);
    assert_int_equal(fclose(file), 0);
    /* The certificate and the key are looked for in their files, where others may stand beside them. */
    const struct punkt_options options = { .size = sizeof(options),
                                           .server = server.address,
                                           .certificate = identity_path,
                                           .key = identity_path,
                                           .ca = ca_path,
                                           .server_name = PEER_NAME,
                                           .timeout_ms = PATIENT_MS };
    struct punkt *punkt;
    assert_int_equal(punkt_new(&options, &punkt), PUNKT_CALL_DONE);
    assert_int_equal(buy(punkt, &answer), PUNKT_CALL_DONE);
    assert_int_equal(buy(punkt, &answer), PUNKT_CALL_DONE);
    punkt_free(punkt);
    server_join(&server);
    (void)unlink(ca_path);
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(identity_path, sizeof(identity_path), "%s/identity", folder);
    (void)snprintf(psk_path, sizeof(psk_path), "%s/psk", folder);
    (void)snprintf(outbox_path, sizeof(outbox_path), "%s/outbox", folder);
    (void)snprintf(outbox_lock, sizeof(outbox_lock), "%s/outbox.lock", folder);
    ca = peer_person_new(PEER_CA, NULL, NULL, -60, DAY_S);
    other_ca = peer_person_new(PEER_CA, NULL, NULL, -60, DAY_S);
    good_server = peer_person_new(PEER_SERVER, &ca, "DNS:" PEER_NAME, -60, DAY_S);
    client_person = peer_person_new(PEER_CLIENT, &ca, NULL, -60, DAY_S);
    /* A library that writes to a closed socket by write() would end the process. */
    assert_ptr_not_equal(signal(SIGPIPE, SIG_DFL), SIG_ERR);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    peer_person_free(&ca);
    peer_person_free(&other_ca);
    peer_person_free(&good_server);
    peer_person_free(&client_person);
    (void)unlink(identity_path);
    (void)unlink(psk_path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates),      cmocka_unit_test(pre_shared_key),
        cmocka_unit_test(tiny_pieces),       cmocka_unit_test(name_of_the_address),
        cmocka_unit_test(renewed_keys),      cmocka_unit_test(big_frames),
        cmocka_unit_test(both_lanes),        cmocka_unit_test(wrong_servers),
        cmocka_unit_test(old_versions),      cmocka_unit_test(wrong_pre_shared_keys),
        cmocka_unit_test(server_refuses_us), cmocka_unit_test(tls_to_plain),
        cmocka_unit_test(plain_to_tls),      cmocka_unit_test(plain_to_elsewhere),
        cmocka_unit_test(options_alone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
