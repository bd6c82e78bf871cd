/*
 * Talking to punktd by hand: frames over a real socket, as a till sends them, right or wrong. One thread, any
 * number of connections. Everything fails the running test when it cannot do what it says in WORLD_PATIENCE_MS.
 *
 *      struct talk *talk = talk_hello(world_address(world), epoch, 1, NULL);
 *      struct msg_redeem_request redeem;
 *      struct msg_redeem_answer redeemed;
 *      message_init(MESSAGE_redeem_request, &redeem);
 *      redeem.card = talk_code("2900000000018");
 *      ...
 *      talk_send(talk, OPERATION_REDEEM, 0, number, &redeem);
 *      struct talk_answer answer = talk_expect(talk, OPERATION_REDEEM, number);
 *      talk_decode(talk, &answer, &redeemed);
 *      talk_free(talk);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/message.h"

#include "world.h"

struct talk;

/* One answer. The body is borrowed from the talk until its next answer is received. */
struct talk_answer {
    uint16_t type;
    uint16_t flags;
    uint64_t number;
    const uint8_t *body;
    size_t body_size;
};

/* A socket that is connected to "HOST:PORT" or "unix:PATH"; the caller closes it. */
int talk_dial(const char *address);

/* A socket that listens on a free loopback port, for a test that stands between; out_address gets "HOST:PORT". */
int talk_listen(char *out_address, size_t size);

/* A connection that has said nothing yet. The address may be the path of an identity file: then it is one over TLS, to the
 * server that the file names. */
struct talk *talk_open(const char *address);

/* A connection that has said hello for a lane, and was answered with done. out_answer (its texts die with the
 * next answer) may be NULL. */
struct talk *talk_hello(const char *address, uint64_t epoch, uint64_t first_unanswered,
                        struct msg_hello_answer *out_answer);

/* Closes. NULL is fine. */
void talk_free(struct talk *talk);

int talk_fd(const struct talk *talk);

/* Sends one request; body is a struct msg_<operation>_request. */
void talk_send(struct talk *talk, enum operation operation, uint16_t flags, uint64_t number,
               const void *body);

/* Puts a request behind those that talk_flush sends together, in as few pieces as the socket takes. */
void talk_put(struct talk *talk, enum operation operation, uint16_t flags, uint64_t number, const void *body);
void talk_flush(struct talk *talk);

/* Sends any bytes. */
void talk_send_bytes(struct talk *talk, const void *bytes, size_t size);

/* The next answer. False: the server has closed, whole frames all read. */
bool talk_receive(struct talk *talk, struct talk_answer *out_answer);

/* The next answer, which must be done, of this operation and number. */
struct talk_answer talk_expect(struct talk *talk, enum operation operation, uint64_t number);

/* The next answer, which must be refused, for this reason. */
struct talk_answer talk_expect_refusal(struct talk *talk, enum operation operation, uint64_t number,
                                       enum result result);

/* Nothing more comes but the end. */
void talk_expect_end(struct talk *talk);

/* Decodes the body of a done answer into a struct msg_<operation>_answer; lists and texts are borrowed from the
 * talk until the next answer is received. */
void talk_decode(struct talk *talk, const struct talk_answer *answer, void *out_body);

/* Why an answer is a refusal; RESULT_DONE if it is none. */
enum result talk_result(struct talk *talk, const struct talk_answer *answer);

/* The whole refusal, borrowed as above; result is RESULT_DONE if it is none. */
struct msg_refusal talk_refusal(struct talk *talk, const struct talk_answer *answer);

/* --- shorter ways, which send one request and expect done --- */

/* A code, card number or text of a string. */
struct wire_code talk_code(const char *string);
struct message_text talk_text(const char *string);

/* Issues count cards from this one on, as number of the lane. */
void talk_issue(struct talk *talk, uint64_t number, const char *card, uint64_t count);

/* What a purchase on store 1, till 1 says; the test changes what it likes. receipt may be "". */
struct msg_purchase_request talk_purchase(const char *card, uint64_t amount, const char *receipt);
struct msg_redeem_request talk_redeem(const char *card, uint64_t points);

/* Reads, with numbers that no change uses. */
struct msg_totals_answer talk_totals(struct talk *talk);
struct msg_card_show_answer talk_card(struct talk *talk, const char *card);
struct msg_status_answer talk_status(struct talk *talk, uint64_t epoch, uint64_t number);
void talk_ping(struct talk *talk);
