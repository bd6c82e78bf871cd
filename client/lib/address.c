#include "lib/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#define UNIX_PREFIX "unix:"

/* One server of the list, cut into its parts. */
struct server_name {
    char text[ADDRESS_NAME_SIZE];
    char host[ADDRESS_NAME_SIZE]; /* or the path */
    const char *port;             /* NULL: a path */
};

static bool port_valid(const char *port)
{
    if (*port == '\0' || strlen(port) > 5 || strspn(port, "0123456789") != strlen(port))
        return false;
    long number = strtol(port, NULL, 10);
    return number >= 1 && number <= 65535;
}

/* Cuts the next server off the list. NULL: it cannot be read, see *out_why. Else where the list goes on. */
static const char *server_cut(const char *servers, struct server_name *out, const char **out_why)
{
    size_t size = strcspn(servers, ",");
    const char *rest = servers + size + (servers[size] == ',' ? 1 : 0);
    if (size == 0 || size >= sizeof(out->text)) {
        *out_why = "a server address is empty or too long";
        return NULL;
    }
    memcpy(out->text, servers, size);
    out->text[size] = '\0';
    if (strncmp(out->text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0) {
        strcpy(out->host, out->text + strlen(UNIX_PREFIX));
        out->port = NULL;
        if (out->host[0] == '\0' || strlen(out->host) >= sizeof((struct sockaddr_un){ 0 }.sun_path)) {
            *out_why = "the path of a Unix socket is empty or too long";
            return NULL;
        }
        return rest;
    }

    const char *colon = strrchr(out->text, ':');
    if (colon == NULL || colon == out->text || !port_valid(colon + 1)) {
        *out_why = "a server address is HOST:PORT, [IPV6]:PORT or unix:PATH";
        return NULL;
    }
    bool bracketed = out->text[0] == '[' && colon[-1] == ']';
    size_t host_size = (size_t)(colon - out->text) - (bracketed ? 2 : 0);
    memcpy(out->host, out->text + (bracketed ? 1 : 0), host_size);
    out->host[host_size] = '\0';
    out->port = colon + 1;
    if (host_size == 0 || (!bracketed && strchr(out->host, ':') != NULL)) {
        *out_why = "an IPv6 address stands in brackets: [::1]:PORT";
        return NULL;
    }
    return rest;
}

bool address_check(const char *servers, const char **out_why)
{
    struct server_name name;
    do {
        servers = server_cut(servers, &name, out_why);
        if (servers == NULL)
            return false;
    } while (*servers != '\0');
    return true;
}

static bool is_local(const struct server_name *name)
{
    struct in_addr inet;
    struct in6_addr inet6;
    if (name->port == NULL || strcasecmp(name->host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, name->host, &inet) == 1)
        return ntohl(inet.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, name->host, &inet6) == 1 && IN6_IS_ADDR_LOOPBACK(&inet6);
}

bool address_all_local(const char *servers)
{
    struct server_name name;
    const char *why;
    while (*servers != '\0') {
        servers = server_cut(servers, &name, &why);
        if (servers == NULL || !is_local(&name))
            return false;
    }
    return true;
}

bool address_any_path(const char *servers)
{
    struct server_name name;
    const char *why;
    while (servers != NULL && *servers != '\0') {
        servers = server_cut(servers, &name, &why);
        if (servers != NULL && name.port == NULL)
            return true;
    }
    return false;
}

static void list_add(struct address_list *list, const void *sockaddr, size_t size, const char *name)
{
    if (list->count == ADDRESS_COUNT_MAX || size > sizeof(list->items[0].storage))
        return;
    struct address *address = &list->items[list->count++];
    memcpy(&address->storage, sockaddr, size);
    address->size = (socklen_t)size;
    strcpy(address->name, name);
}

static void resolve_path(const struct server_name *name, struct address_list *list)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    strcpy(address.sun_path, name->host);
    list_add(list, &address, sizeof(address), name->text);
}

static void resolve_host(const struct server_name *name, struct address_list *list, const char **out_why)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC,
                              .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(name->host, name->port, &hints, &found);
    if (rc != 0) {
        *out_why = gai_strerror(rc);
        return;
    }
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next)
        list_add(list, at->ai_addr, at->ai_addrlen, name->text);
    freeaddrinfo(found);
}

bool address_resolve(const char *servers, struct address_list *out_list, const char **out_why)
{
    struct server_name name;
    out_list->count = 0;
    *out_why = "no address was found";
    while (*servers != '\0') {
        servers = server_cut(servers, &name, out_why);
        if (servers == NULL)
            return false;
        if (name.port == NULL)
            resolve_path(&name, out_list);
        else
            resolve_host(&name, out_list, out_why);
    }
    return out_list->count > 0;
}
