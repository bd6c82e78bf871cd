/* The server of queue_world.h, for queue_server.c and queue_world.c only. */
#pragma once

#include <stdbool.h>

#include "queue_world.h"

#define CONNECTIONS 8
#define LANES 16
#define LANE_MAX 4096
#define RULES 16
#define NO_ANSWER 0xffffU
#define INPUT_MAX ((size_t)64 * 1024)

struct lane {
    uint64_t epoch;
    uint64_t highest;
    uint16_t results[LANE_MAX]; /* 0: done; NO_ANSWER */
    uint16_t operations[LANE_MAX];
};

struct connection {
    int fd; /* -1: none */
    unsigned serial;
    struct lane *lane;
    uint64_t claim;
    uint8_t input[INPUT_MAX];
    size_t size;
};

struct world_server {
    pthread_t thread;
    pthread_mutex_t lock; /* of all below */
    int wake[2];
    bool ending, away, silent;
    char path[96];
    int listener;
    unsigned serial;
    char failure[200];
    struct msg_hello_answer hello;
    int64_t available, clock_ahead_us;
    uint64_t position;
    struct rule rules[RULES];
    unsigned rule_count;
    struct connection connections[CONNECTIONS];
    struct lane lanes[LANES];
    unsigned lane_count;
    struct heard heard[HEARD_MAX];
    unsigned heard_count;
};

/* Listens on a Unix socket, unless it is away. */
struct world_server *server_new(const char *path, bool away);

/* Fails the test if anything went wrong in it. */
void server_free(struct world_server *server);
