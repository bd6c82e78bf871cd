#include "ops/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

#include <openssl/crypto.h>

/* Private keys of the handshakes in hand and our own: some hundred bytes each. Under the usual RLIMIT_MEMLOCK of 8 MiB. */
#define LOCKED_BYTES (4u << 20)
#define LOCKED_LEAST 32 /* bytes of one allocation */

void privilege_guard(void)
{
    struct rlimit none = { 0, 0 };
    (void)prctl(PR_SET_DUMPABLE, 0); /* a core would hold card numbers and keys */
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

bool privilege_lock_memory(void)
{
    return CRYPTO_secure_malloc_initialized() == 1 ||
           CRYPTO_secure_malloc_init(LOCKED_BYTES, LOCKED_LEAST) == 1;
}

void *privilege_keys(size_t size)
{
    return OPENSSL_secure_zalloc(size);
}

void privilege_keys_free(void *keys, size_t size)
{
    OPENSSL_secure_clear_free(keys, size);
}

bool privilege_is_root(void)
{
    return geteuid() == 0;
}

enum punkt_status privilege_user(const char *name, uint32_t *out_uid, struct failure *failure)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(name, &end, 10);
    if (name[0] >= '0' && name[0] <= '9' && *end == '\0' && errno == 0 && number < UINT32_MAX) {
        *out_uid = (uint32_t)number;
        return PUNKT_OK;
    }
    const struct passwd *user = getpwnam(name);
    if (user == NULL) {
        failure_set(failure, "there is no user %s on this machine", name);
        return PUNKT_INVALID;
    }
    *out_uid = user->pw_uid;
    return PUNKT_OK;
}

/* All of them, also the saved ones: with a saved root one could come back. */
static bool become(const struct passwd *user)
{
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group;
    return initgroups(user->pw_name, user->pw_gid) == 0 &&
           setresgid(user->pw_gid, user->pw_gid, user->pw_gid) == 0 &&
           setresuid(user->pw_uid, user->pw_uid, user->pw_uid) == 0 &&
           getresuid(&real, &effective, &saved) == 0 && real == user->pw_uid && effective == user->pw_uid &&
           saved == user->pw_uid && getresgid(&real_group, &effective_group, &saved_group) == 0 &&
           real_group == user->pw_gid && effective_group == user->pw_gid && saved_group == user->pw_gid &&
           setuid(0) != 0 && seteuid(0) != 0 && setgid(0) != 0;
}

enum punkt_status privilege_drop(const char *name, struct failure *failure)
{
    if (name[0] == '\0')
        return PUNKT_OK;
    const struct passwd *user = getpwnam(name);
    if (user == NULL) {
        failure_set(failure,
                    "user: there is no user %s on this machine; adduser --system --group %s makes one", name,
                    name);
        return PUNKT_INVALID;
    }
    if (user->pw_uid == 0) {
        failure_set(failure, "user: %s is root itself", name);
        return PUNKT_INVALID;
    }
    if (geteuid() != 0 && geteuid() != user->pw_uid) {
        failure_set(failure, "user: only root can become %s; start punktd as root, or as %s", name, name);
        return PUNKT_INVALID;
    }
    if (geteuid() == 0 && !become(user)) {
        failure_set(failure, "user: the process could not become %s and nobody else: %s", name,
                    strerror(errno));
        return PUNKT_IO;
    }
    return PUNKT_OK;
}
