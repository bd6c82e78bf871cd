/* The server of queue_world.h, for queue_world.c only. */
#pragma once

#include <stdbool.h>

struct world_server;

/* Listens on a Unix socket, unless it is away. */
struct world_server *server_new(const char *path, bool away);

/* Fails the test if anything went wrong in it. */
void server_free(struct world_server *server);
