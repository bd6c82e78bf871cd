/*
 * A register in a libevent loop, many operations at once: register_libevent SERVER STORE TILL OUTBOX
 *
 * Standard input says what to do (register.h). Lines are taken as they come, up to the handle's window, and answered
 * in whatever order their answers arrive.
 */
#include <event2/buffer.h>
#include <punkt_libevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "register.h"

struct counter {
    struct punkt *punkt;
    struct punkt_libevent attached;
    struct event_base *base;
    struct event *input;
    struct evbuffer *lines;
    bool ended; /* standard input has */
    bool failed;
    char shown[64];
};

/* Takes as many lines as there is room for. Those that are left wait for the next answer. */
static void take_lines(struct counter *counter)
{
    char *line = NULL;
    while (!counter->failed && punkt_room(counter->punkt) > 0 &&
           (line = evbuffer_readln(counter->lines, NULL, EVBUFFER_EOL_LF)) != NULL) {
        counter->failed = !register_submit(counter->punkt, line);
        free(line);
    }
    if (punkt_libevent_kick(&counter->attached) != 0)
        counter->failed = true;
}

static void on_input(evutil_socket_t fd, short what, void *ctx)
{
    struct counter *counter = ctx;
    (void)what;
    if (evbuffer_read(counter->lines, fd, -1) > 0)
        return;
    counter->ended = true;
    (void)event_del(counter->input);
}

/* One turn of libevent at a time, so that answers that made room let more lines in. What is queued at the end stays
 * in the outbox, for the next time. */
static bool run(struct counter *counter)
{
    while (!counter->failed) {
        take_lines(counter);
        register_show_link(counter->punkt, counter->shown);
        (void)fflush(stdout);
        if (counter->ended && evbuffer_get_length(counter->lines) == 0 &&
            punkt_unanswered(counter->punkt) == 0)
            return true;
        counter->failed |= event_base_loop(counter->base, EVLOOP_ONCE) != 0;
    }
    return false;
}

/* False: there is not enough memory. What was made is for leave(). */
static bool enter(struct counter *counter)
{
    /* Not epoll, which cannot wait for input that is a file. */
    struct event_config *config = event_config_new();
    if (config == NULL)
        return false;
    (void)event_config_require_features(config, EV_FEATURE_FDS);
    counter->base = event_base_new_with_config(config);
    event_config_free(config);
    counter->lines = evbuffer_new();
    if (counter->base == NULL || counter->lines == NULL)
        return false;
    counter->input = event_new(counter->base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, counter);
    return counter->input != NULL && event_add(counter->input, NULL) == 0 &&
           punkt_libevent_attach(&counter->attached, counter->base, counter->punkt) == 0;
}

static void leave(struct counter *counter)
{
    if (counter->input != NULL) {
        punkt_libevent_detach(&counter->attached);
        event_free(counter->input);
    }
    if (counter->lines != NULL)
        evbuffer_free(counter->lines);
    if (counter->base != NULL)
        event_base_free(counter->base);
    punkt_free(counter->punkt);
}

int main(int argc, char **argv)
{
    struct counter counter = { .punkt = register_open(argc, argv) };
    if (counter.punkt == NULL)
        return 1;
    bool good = enter(&counter) && run(&counter);
    leave(&counter);
    return good ? 0 : 1;
}
