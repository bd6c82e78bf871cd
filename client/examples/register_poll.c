/*
 * A register in a poll loop, one operation after the other: register_poll SERVER STORE TILL OUTBOX
 *
 * Standard input says what to do (register.h). Beside it the queue drains.
 */
#include <errno.h>
#include <poll.h>
#include <punkt_poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "register.h"

/* False: something is wrong that does not go away. */
static bool run(struct punkt *punkt)
{
    char line[160], shown[64] = "";
    for (;;) {
        register_show_link(punkt, shown);
        (void)fflush(stdout);
        bool busy = punkt_unanswered(punkt) > 0;
        struct pollfd polled[2] = { { .fd = busy ? -1 : STDIN_FILENO, .events = POLLIN } };
        int wait_ms = punkt_poll_prepare(punkt, &polled[1], -1);
        if (poll(polled, 2, wait_ms) < 0 && errno != EINTR)
            return false;
        if (polled[0].revents != 0) {
            if (fgets(line, sizeof(line), stdin) == NULL)
                return true; /* what is queued stays in the outbox, for the next time */
            line[strcspn(line, "\n")] = '\0';
            if (!register_submit(punkt, line))
                return false;
        }
        (void)punkt_poll_process(punkt, &polled[1]);
    }
}

int main(int argc, char **argv)
{
    struct punkt *punkt = register_open(argc, argv);
    (void)setvbuf(stdin, NULL, _IONBF, 0); /* what stdio read ahead poll would not see */
    bool good = punkt != NULL && run(punkt);
    punkt_free(punkt);
    return good ? 0 : 1;
}
