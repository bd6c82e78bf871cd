/*
 * The last step of a start: what the process does from now on is known, and the kernel refuses it everything else (seccomp).
 * Whoever takes punktd over then has its files and its connections, and no more of the machine.
 */
#pragma once

#include "base/base.h"
#include "base/status.h"

enum confined {
    CONFINED,
    CONFINED_NOT_BUILT, /* a build with sanitizers, which need what is refused here */
    CONFINED_FAILED,    /* the kernel takes no filter */
};

/*
 * For all threads, and those to come; there is no way back. System calls that are not needed fail with EPERM; those that only
 * a burglar wants, such as execve and socket, end the process. failure: why, where CONFINED_FAILED.
 */
PUNKT_MUST_CHECK enum confined confine(struct failure *failure);
