#include "ledger/state_lmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <lmdb.h>

#include "proto/crc32c.h"

#define MAP_BYTES_DEFAULT (UINT64_C(1) << 40)
#define MAP_BYTES_UNIT (UINT64_C(64) * 1024) /* a multiple of every page size */
#define READERS_MAX 512                      /* LMDB's own 126 are too few for a busy back office */
#define FREE_BYTES_LOW                                                                                       \
    (UINT64_C(512) << 20)          /* a full disk mostly shows as EIO; with less than this free it is one */
#define SNAPSHOT_RECORDS_MAX 10000 /* a held snapshot keeps LMDB from using pages again */
#define WARM_CHUNK_BYTES (1u << 20)
#define CRC_SIZE 4
#define PATH_SIZE 4096

static const char *const file_names[] = { "data.mdb", "lock.mdb" };
static const char marker_name[] = "untrusted";

struct lmdb {
    MDB_env *env;
    MDB_dbi dbi;
    MDB_txn *snapshot; /* the loop's */
    char dir[PATH_SIZE];
};

static uint64_t free_bytes(const struct lmdb *db)
{
    struct statvfs fs;
    return statvfs(db->dir, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize : 0;
}

/* The one place where LMDB's codes become ours. */
static enum punkt_status status_of(const struct lmdb *db, int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return PUNKT_OK;
    case MDB_NOTFOUND:
        return PUNKT_NOT_FOUND;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
        return PUNKT_FULL;
    case EIO:
        return free_bytes(db) < FREE_BYTES_LOW ? PUNKT_FULL : PUNKT_IO;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_PANIC:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
        return PUNKT_CORRUPT;
    case MDB_READERS_FULL:
        return PUNKT_BUSY;
    case ENOMEM:
        return PUNKT_NO_MEMORY;
    default: /* errno: an open set of numbers */
        return PUNKT_IO;
    }
}

static enum punkt_status failed(const struct lmdb *db, const char *what, int rc, struct failure *failure)
{
    failure_set(failure, "state %s: %s: %s", db->dir, what, mdb_strerror(rc));
    return status_of(db, rc);
}

static enum punkt_status failed_errno(const char *dir, const char *what, struct failure *failure)
{
    enum punkt_status status = errno == ENOSPC ? PUNKT_FULL : PUNKT_IO;
    failure_set(failure, "state %s: %s: %s", dir, what, strerror(errno));
    return status;
}

static bool sync_folder(const char *dir, const char *below)
{
    char path[PATH_SIZE];
    if (snprintf(path, sizeof(path), "%s/%s", dir, below) >= (int)sizeof(path))
        return false;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool synced = fsync(fd) == 0;
    (void)close(fd);
    return synced;
}

static bool path_in(const char *dir, const char *name, char out_path[PATH_SIZE])
{
    return snprintf(out_path, PATH_SIZE, "%s/%s", dir, name) < PATH_SIZE;
}

/* Makes the folder if it is missing, and refuses one that a marker file lies in. */
static enum punkt_status open_folder(const char *dir, struct failure *failure)
{
    char marker[PATH_SIZE];
    if (!path_in(dir, marker_name, marker)) {
        failure_set(failure, "state %s: the name is too long", dir);
        return PUNKT_INVALID;
    }
    if (mkdir(dir, 0700) == 0) {
        if (!sync_folder(dir, ".."))
            return failed_errno(dir, "sync the folder above", failure);
    } else if (errno != EEXIST) {
        return failed_errno(dir, "make the folder", failure);
    }
    if (access(marker, F_OK) == 0) {
        failure_set(failure,
                    "state %s is not trusted since a write failed (%s says which); to make it anew from the "
                    "journal, run: punktd rebuild --data DIR",
                    dir, marker);
        return PUNKT_CORRUPT;
    }
    return PUNKT_OK;
}

static int open_environment(struct lmdb *db, uint64_t map_bytes)
{
    unsigned flags = 0;
    uint64_t wanted = map_bytes == 0 ? MAP_BYTES_DEFAULT : map_bytes;
    int rc = mdb_env_create(&db->env);
    if (rc == 0)
        rc = mdb_env_set_mapsize(db->env, (wanted + MAP_BYTES_UNIT - 1) / MAP_BYTES_UNIT * MAP_BYTES_UNIT);
    if (rc == 0)
        rc = mdb_env_set_maxreaders(db->env, READERS_MAX);
    if (rc == 0)
        rc = mdb_env_open(db->env, db->dir, MDB_NOTLS, 0600);
    if (rc == 0)
        rc = mdb_env_get_flags(db->env, &flags);
    if (rc == 0) {
        /* Any other flag would give up a promise: see the crash images in the tests. */
        PUNKT_CHECK(flags == MDB_NOTLS);
        rc = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &db->snapshot);
    }
    return rc == 0 ? mdb_dbi_open(db->snapshot, NULL, 0, &db->dbi) : rc;
}

enum punkt_status lmdb_open(const char *dir, uint64_t map_bytes, struct lmdb **out_db,
                            struct failure *failure)
{
    enum punkt_status status = open_folder(dir, failure);
    if (status != PUNKT_OK)
        return status;
    struct lmdb *db = calloc(1, sizeof(*db));
    if (db == NULL) {
        failure_set(failure, "state %s: out of memory", dir);
        return PUNKT_NO_MEMORY;
    }
    memcpy(db->dir, dir, strlen(dir) + 1); /* open_folder saw that it fits */
    int rc = open_environment(db, map_bytes);
    if (rc != 0) {
        status = failed(db, "open", rc, failure);
    } else if (!sync_folder(dir, ".")) {
        status = failed_errno(dir, "sync the folder", failure);
    } else {
        *out_db = db;
        return PUNKT_OK;
    }
    lmdb_close(db);
    return status;
}

void lmdb_close(struct lmdb *db)
{
    if (db == NULL)
        return;
    if (db->snapshot != NULL)
        mdb_txn_abort(db->snapshot);
    if (db->env != NULL)
        mdb_env_close(db->env);
    free(db);
}

enum punkt_status lmdb_erase(const char *dir, struct failure *failure)
{
    char path[PATH_SIZE];
    for (size_t i = 0; i < COUNT_OF(file_names); i++) {
        if (!path_in(dir, file_names[i], path) || (unlink(path) != 0 && errno != ENOENT))
            return failed_errno(dir, file_names[i], failure);
    }
    if (access(dir, F_OK) != 0)
        return PUNKT_OK;
    /* The marker goes last, when the files it warns of are gone for good. */
    if (!sync_folder(dir, ".") || !path_in(dir, marker_name, path) ||
        (unlink(path) != 0 && errno != ENOENT) || !sync_folder(dir, "."))
        return failed_errno(dir, marker_name, failure);
    return PUNKT_OK;
}

void lmdb_distrust(struct lmdb *db, const char *reason)
{
    char path[PATH_SIZE];
    if (!path_in(db->dir, marker_name, path))
        return;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return; /* the process ends all the same; an empty marker would do, none cannot be helped */
    ssize_t written = write(fd, reason, strlen(reason));
    (void)written; /* its being there counts, not its words */
    (void)fsync(fd);
    (void)close(fd);
    (void)sync_folder(db->dir, ".");
}

static MDB_val key_val(const void *key, size_t size)
{
    /* LMDB does not write through keys and values; it only lacks the const. */
    union {
        const void *in;
        void *out;
    } data = { .in = key };
    return (MDB_val){ .mv_size = size, .mv_data = data.out };
}

static uint32_t record_crc(const void *key, size_t key_size, const void *value, size_t size)
{
    return crc32c(crc32c(0, key, key_size), value, size);
}

static bool take_apart(const MDB_val *key, const MDB_val *value, struct lmdb_bytes *out_value)
{
    if (value->mv_size < CRC_SIZE)
        return false;
    const uint8_t *data = value->mv_data;
    size_t size = value->mv_size - CRC_SIZE;
    const uint8_t *crc = data + size;
    uint32_t stored =
        (uint32_t)crc[0] | (uint32_t)crc[1] << 8 | (uint32_t)crc[2] << 16 | (uint32_t)crc[3] << 24;
    if (stored != record_crc(key->mv_data, key->mv_size, data, size))
        return false;
    *out_value = (struct lmdb_bytes){ data, size };
    return true;
}

/* What a look-up that answered rc found. */
static enum punkt_status found(const struct lmdb *db, int rc, const MDB_val *key, const MDB_val *value,
                               struct lmdb_bytes *out_value, struct failure *failure)
{
    if (rc == MDB_NOTFOUND)
        return PUNKT_NOT_FOUND;
    if (rc != 0)
        return failed(db, "read", rc, failure);
    if (take_apart(key, value, out_value))
        return PUNKT_OK;
    failure_set(failure, "state %s: a record (key 0x%02x..., %zu bytes) has a wrong checksum", db->dir,
                *(const uint8_t *)key->mv_data, key->mv_size);
    return PUNKT_CORRUPT;
}

enum punkt_status lmdb_get(struct lmdb *db, const void *key, size_t key_size, struct lmdb_bytes *out_value,
                           struct failure *failure)
{
    MDB_val val = key_val(key, key_size), value;
    int rc = mdb_get(db->snapshot, db->dbi, &val, &value);
    return found(db, rc, &val, &value, out_value, failure);
}

enum punkt_status lmdb_renew(struct lmdb *db, struct failure *failure)
{
    mdb_txn_reset(db->snapshot);
    int rc = mdb_txn_renew(db->snapshot);
    return rc == 0 ? PUNKT_OK : failed(db, "renew the snapshot", rc, failure);
}

static void writer_fail(struct lmdb_writer *writer, const char *what, int rc)
{
    if (rc != 0 && writer->status == PUNKT_OK)
        writer->status = failed(writer->db, what, rc, writer->failure);
}

void lmdb_begin(struct lmdb *db, struct lmdb_writer *out_writer, struct failure *failure)
{
    *out_writer = (struct lmdb_writer){ .db = db, .failure = failure };
    writer_fail(out_writer, "begin", mdb_txn_begin(db->env, NULL, 0, &out_writer->txn));
    if (out_writer->status == PUNKT_OK)
        writer_fail(out_writer, "begin", mdb_cursor_open(out_writer->txn, db->dbi, &out_writer->cursor));
}

bool lmdb_find(struct lmdb_writer *writer, const void *key, size_t key_size, struct lmdb_bytes *out_value)
{
    if (writer->status != PUNKT_OK)
        return false;
    MDB_val val = key_val(key, key_size), value;
    int rc = mdb_cursor_get(writer->cursor, &val, &value, MDB_SET);
    enum punkt_status status = found(writer->db, rc, &val, &value, out_value, writer->failure);
    if (status != PUNKT_OK && status != PUNKT_NOT_FOUND)
        writer->status = status;
    return status == PUNKT_OK;
}

void lmdb_put(struct lmdb_writer *writer, const void *key, size_t key_size, const void *value, size_t size)
{
    if (writer->status != PUNKT_OK)
        return;
    MDB_val key_of = key_val(key, key_size);
    MDB_val room = { .mv_size = size + CRC_SIZE };
    int rc = mdb_cursor_put(writer->cursor, &key_of, &room, MDB_RESERVE);
    if (rc != 0) {
        writer_fail(writer, "put", rc);
        return;
    }
    uint32_t crc = record_crc(key, key_size, value, size);
    uint8_t *data = room.mv_data;
    memcpy(data, value, size);
    for (size_t i = 0; i < CRC_SIZE; i++)
        data[size + i] = (uint8_t)(crc >> (8 * i));
}

void lmdb_remove(struct lmdb_writer *writer, const void *key, size_t key_size)
{
    if (writer->status != PUNKT_OK)
        return;
    MDB_val val = key_val(key, key_size);
    writer_fail(writer, "remove", mdb_del(writer->txn, writer->db->dbi, &val, NULL));
}

enum punkt_status lmdb_commit(struct lmdb_writer *writer)
{
    if (writer->status == PUNKT_OK) {
        mdb_cursor_close(writer->cursor);
        writer->cursor = NULL;
        writer_fail(writer, "commit", mdb_txn_commit(writer->txn));
        writer->txn = NULL; /* gone, whatever came of it */
    }
    lmdb_abort(writer);
    if (writer->status != PUNKT_FULL)
        return writer->status;
    /* If it was the meta page that could not be written, the environment is dead, and full or not, what is on
     * disk is unknown: every later begin says so. */
    MDB_txn *probe = NULL;
    int rc = mdb_txn_begin(writer->db->env, NULL, 0, &probe);
    if (rc == 0)
        mdb_txn_abort(probe);
    else if (rc == MDB_PANIC)
        writer->status = failed(writer->db, "commit (meta page)", rc, writer->failure);
    return writer->status;
}

void lmdb_abort(struct lmdb_writer *writer)
{
    if (writer->cursor != NULL)
        mdb_cursor_close(writer->cursor);
    writer->cursor = NULL;
    if (writer->txn != NULL)
        mdb_txn_abort(writer->txn);
    writer->txn = NULL;
}

/* Where a walk is: behind `last`, inside `prefix`. */
struct walk {
    struct lmdb *db;
    struct lmdb_bytes prefix;
    uint8_t last[STATE_KEY_MAX];
    size_t last_size;
    uint64_t left;
    bool over;
    state_visit_fn *visit;
    void *ctx;
};

static int walk_first(struct walk *walk, MDB_cursor *cursor, MDB_val *key, MDB_val *value)
{
    *key = key_val(walk->last, walk->last_size);
    MDB_val prefix = key_val(walk->prefix.data, walk->prefix.size);
    if (walk->last_size == 0 ||
        (walk->prefix.size > 0 && mdb_cmp(mdb_cursor_txn(cursor), walk->db->dbi, key, &prefix) < 0))
        *key = prefix;
    if (key->mv_size == 0)
        return mdb_cursor_get(cursor, key, value, MDB_FIRST);
    int rc = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    if (rc == 0 && key->mv_size == walk->last_size && memcmp(key->mv_data, walk->last, walk->last_size) == 0)
        rc = mdb_cursor_get(cursor, key, value, MDB_NEXT);
    return rc;
}

static enum punkt_status walk_record(struct walk *walk, const MDB_val *key, const MDB_val *value,
                                     struct failure *failure)
{
    struct lmdb_bytes found;
    if (key->mv_size < walk->prefix.size ||
        (walk->prefix.size > 0 && memcmp(key->mv_data, walk->prefix.data, walk->prefix.size) != 0)) {
        walk->over = true;
        return PUNKT_OK;
    }
    if (key->mv_size > STATE_KEY_MAX || !take_apart(key, value, &found)) {
        failure_set(failure, "state %s: a record has a wrong checksum", walk->db->dir);
        return PUNKT_CORRUPT;
    }
    memcpy(walk->last, key->mv_data, key->mv_size);
    walk->last_size = key->mv_size;
    walk->left--;
    walk->over =
        !walk->visit(walk->ctx, key->mv_data, key->mv_size, found.data, found.size) || walk->left == 0;
    return PUNKT_OK;
}

/* As many records as one snapshot may see. */
static enum punkt_status walk_slice(struct walk *walk, struct failure *failure)
{
    enum punkt_status status = PUNKT_OK;
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    MDB_val key, value;
    int rc = mdb_txn_begin(walk->db->env, NULL, MDB_RDONLY, &txn);
    if (rc == 0)
        rc = mdb_cursor_open(txn, walk->db->dbi, &cursor);
    if (rc == 0)
        rc = walk_first(walk, cursor, &key, &value);
    for (uint32_t records = 0; rc == 0; rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        status = walk_record(walk, &key, &value, failure);
        if (status != PUNKT_OK || walk->over || ++records == SNAPSHOT_RECORDS_MAX)
            break;
    }
    if (rc == MDB_NOTFOUND)
        walk->over = true;
    else if (rc != 0)
        status = failed(walk->db, "scan", rc, failure);
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    if (txn != NULL)
        mdb_txn_abort(txn);
    return status;
}

enum punkt_status lmdb_walk(struct lmdb *db, const struct lmdb_walk_range *range, state_visit_fn *visit,
                            void *ctx, struct failure *failure)
{
    struct walk walk = { .db = db, .prefix = range->prefix, .visit = visit, .ctx = ctx };
    PUNKT_CHECK(range->after.size <= sizeof(walk.last));
    walk.left = range->limit == 0 ? UINT64_MAX : range->limit;
    walk.last_size = range->after.size;
    if (walk.last_size > 0)
        memcpy(walk.last, range->after.data, walk.last_size);
    enum punkt_status status = PUNKT_OK;
    while (status == PUNKT_OK && !walk.over)
        status = walk_slice(&walk, failure);
    return status;
}

uint64_t lmdb_pages(const struct lmdb *db)
{
    MDB_stat stat;
    if (mdb_env_stat(db->env, &stat) != 0)
        return UINT64_MAX; /* unknown is many */
    return stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
}

uint64_t lmdb_bytes_used(struct lmdb *db)
{
    MDB_envinfo info;
    MDB_stat stat;
    if (mdb_env_info(db->env, &info) != 0 || mdb_env_stat(db->env, &stat) != 0)
        return 0;
    return ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
}

void lmdb_check_readers(struct lmdb *db)
{
    int dead;
    (void)mdb_reader_check(db->env, &dead); /* what it could not check now it checks in a minute */
}

void lmdb_warm(struct lmdb *db)
{
    int fd;
    uint8_t *chunk = malloc(WARM_CHUNK_BYTES);
    if (chunk != NULL && mdb_env_get_fd(db->env, &fd) == 0) {
        uint64_t end = lmdb_bytes_used(db);
        for (uint64_t at = 0; at < end; at += WARM_CHUNK_BYTES) {
            if (pread(fd, chunk, WARM_CHUNK_BYTES, (off_t)at) <= 0)
                break;
        }
    }
    free(chunk);
}
