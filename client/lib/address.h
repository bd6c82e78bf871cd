/*
 * Where servers are: from the text of struct punkt_options to socket addresses.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define ADDRESS_COUNT_MAX 16 /* all servers' addresses together; more are left out */
#define ADDRESS_NAME_SIZE 128

struct address {
    struct sockaddr_storage storage;
    socklen_t size;
    char name[ADDRESS_NAME_SIZE]; /* as it was given, for messages */
};

struct address_list {
    struct address items[ADDRESS_COUNT_MAX];
    unsigned count;
};

/*
 * Whether servers ("HOST:PORT", "[IPV6]:PORT" or "unix:PATH", separated by commas) can be read. False: *out_why,
 * of static lifetime, says what is wrong.
 */
bool address_check(const char *servers, const char **out_why);

/* Whether all servers are on this machine: Unix sockets, 127.0.0.0/8, [::1] and localhost. They can be read. */
bool address_all_local(const char *servers);

/* Whether one of them is a Unix socket, which has no name of a host. They can be read. */
bool address_any_path(const char *servers);

/*
 * Looks up all servers, in their order. Numbers and paths are read, names are asked of the system, which may
 * block. False if not one address was found; *out_why, of static lifetime, says why.
 */
bool address_resolve(const char *servers, struct address_list *out_list, const char **out_why);
