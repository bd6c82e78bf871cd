/*
 * TLS for frames by hand (talk.h, secure.h): a connection of whoever an identity file says, by certificate or by pre-shared
 * key, over blocking sockets. Everything fails the running test when it cannot do what it says.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct talk_tls;

/* Connects to the server that the file names; out_fd is the connection's, until talk_tls_free closes it. */
struct talk_tls *talk_tls_new(const char *identity, int *out_fd);
/* Without a word of goodbye: as a till that dies. NULL is fine. */
void talk_tls_free(struct talk_tls *tls);

/* All of it. */
void talk_tls_send(struct talk_tls *tls, const void *bytes, size_t size);
/* At least a byte; 0: the server has closed. */
size_t talk_tls_receive(struct talk_tls *tls, void *out, size_t size);
