#!/usr/bin/env bash
# Checks who includes whom: layers.sh [TREE]
# Prints file:line and the reason of each violation, and fails if there is one. `layers.sh --self-test` plants
# violations in a small tree of its own and fails unless each is found.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lint/files.sh
. "$here/files.sh"

# The table of the house. A room includes itself, the C library, and what its row says: whole rooms, or single
# headers of a room. Where the house's own words leave room, the headers are named here: points' types for ledger
# are its accounts and events; ops reads programmes, whose days need the calendar, and prints what a verification
# found. One widening, for a reason: ledger borrows proto's bounded cursor next to its checksums.
rooms='
base
proto
points     base
ledger     base proto/crc32c.h proto/wire.h points/account.h points/event.h
net        base proto
service    base proto points ledger
ops        base points/programme.h points/calendar.h ledger/verify.h
start      base proto points ledger net service ops
main       base proto points ledger net service ops start
include
lib        proto include
cli        lib proto include
'

# Headers of other people: who may include them. A folder ends in a slash.
foreign='
event2/                net ops start main include
lmdb.h                 ledger
openssl/               net lib
openssl/bio.h          net lib service
openssl/core_names.h   net lib service
openssl/crypto.h       net lib ledger service ops
openssl/err.h          net lib ledger service
openssl/evp.h          net lib ledger service
openssl/hmac.h         net lib ledger service
openssl/kdf.h          net lib ledger service
openssl/params.h       net lib service
openssl/pem.h          net lib service
openssl/rand.h         net lib ledger service
openssl/sha.h          net lib ledger service cli
openssl/x509.h         net lib service
openssl/x509v3.h       net lib service
yaml.h                 ops
seccomp.h              ops
jansson.h              ops cli
csv.h                  cli
libsmartcols.h         cli
libsmartcols/          cli
histedit.h             cli
'

# The C library, POSIX, Linux and the compiler. Whatever is not named is somebody's library and needs a row above.
libc='assert ctype errno float inttypes limits locale math setjmp signal stdalign stdarg stdatomic stdbool stddef
stdint stdio stdlib stdnoreturn string strings threads time uchar wchar wctype
byteswap cpuid dirent dlfcn endian err execinfo fcntl fnmatch getopt glob grp ifaddrs immintrin langinfo libgen
malloc netdb nmmintrin poll pthread pwd regex sched search semaphore spawn sysexits syslog termios unistd
x86intrin arpa/ linux/ net/ netinet/ sys/'

# These have no business where nothing may touch a file, a socket, a thread or a clock.
pure='proto points'
impure='dirent fcntl netdb poll pthread sched semaphore spawn sys/ net/ netinet/ linux/ termios unistd'

check() {
    cd "$1"
    lint_files '*.c' '*.h' '*.def' | while IFS= read -r file; do
        case $file in
        proto/* | client/include/* | client/lib/* | client/cli/* | daemon/*) printf '%s\n' "$file" ;;
        esac
    done | awk -v rooms="$rooms" -v foreign="$foreign" -v libc="$libc" -v pure="$pure" -v impure="$impure" '
        function words(text, into,    list, n, i) {
            n = split(text, list)
            for (i = 1; i <= n; i++)
                into[list[i]] = 1
        }
        # Looks a header up by its whole name, then by its folder.
        function row_of(header, table,    slash) {
            if (header in table)
                return header
            slash = index(header, "/")
            return slash && substr(header, 1, slash) in table ? substr(header, 1, slash) : ""
        }
        function is_libc(header, table,    name) {
            name = header
            sub(/\.h$/, "", name)
            return row_of(name, table) != ""
        }
        function room_of(file,    parts) {
            if (file == "daemon/main.c")
                return "main"
            split(file, parts, "/")
            return parts[1] == "proto" ? "proto" : parts[2]
        }
        function violation(file, line, text) {
            printf "%s:%d: %s\n", file, line, text
            found = 1
        }
        function check_own(file, line, room, header,    target) {
            target = header
            if (!sub(/\/.*/, "", target)) {
                violation(file, line, "\"" header "\" must be written with its folder")
            } else if (!(target in known) || target == "main" || target == "include") {
                violation(file, line, "\"" header "\" is in no room of the house")
            } else if (target != room && !((room, target) in may) && !((room, header) in may)) {
                violation(file, line, room " may not include " header)
            }
        }
        function check_foreign(file, line, room, header,    row) {
            if (header == "punkt.h") {
                if (room != "include" && !((room, "include") in may))
                    violation(file, line, room " may not include <punkt.h>")
            } else if (is_libc(header, libc_names)) {
                if (room in pure_rooms && is_libc(header, impure_names))
                    violation(file, line, room " is pure and may not include <" header ">")
            } else if ((row = row_of(header, owners)) == "") {
                violation(file, line, "<" header "> is in no row of tests/lint/layers.sh")
            } else if (!((row, room) in owner)) {
                violation(file, line, "<" header "> belongs to: " owners[row])
            }
        }
        BEGIN {
            n = split(rooms, row, "\n")
            for (i = 1; i <= n; i++) {
                m = split(row[i], field)
                if (m > 0)
                    known[field[1]] = 1
                for (j = 2; j <= m; j++)
                    may[field[1], field[j]] = 1
            }
            n = split(foreign, row, "\n")
            for (i = 1; i <= n; i++) {
                m = split(row[i], field)
                for (j = 2; j <= m; j++) {
                    owner[field[1], field[j]] = 1
                    owners[field[1]] = (j > 2 ? owners[field[1]] " " : "") field[j]
                }
            }
            words(libc, libc_names)
            words(pure, pure_rooms)
            words(impure, impure_names)
        }
        {
            file = $0
            room = room_of(file)
            if (!(room in known)) {
                violation(file, 1, "this folder has no row in tests/lint/layers.sh")
                next
            }
            number = 0
            while ((getline text < file) > 0) {
                number++
                if (match(text, /^[ \t]*#[ \t]*include[ \t]*"[^"]+"/)) {
                    sub(/^[^"]*"/, "", text)
                    sub(/".*/, "", text)
                    check_own(file, number, room, text)
                } else if (match(text, /^[ \t]*#[ \t]*include[ \t]*<[^>]+>/)) {
                    sub(/^[^<]*</, "", text)
                    sub(/>.*/, "", text)
                    check_foreign(file, number, room, text)
                } else if (match(text, /^[ \t]*#[ \t]*include/)) {
                    violation(file, number, "an include that is neither \"...\" nor <...> cannot be checked")
                }
            }
            close(file)
            checked++
        }
        END {
            if (!found)
                printf "%d files, nobody includes whom they may not\n", checked
            exit found
        }'
}

# Plants one line in one file of an otherwise sound tree and says whether the check sees it as it should.
self_test_row() {
    local want=$1 file=$2 line=$3 tree out
    tree=$(mktemp -d)
    mkdir -p "$tree/$(dirname "$file")" "$tree/daemon/base"
    printf '#include <stdint.h>\n#include "base/status.h"\n' >"$tree/daemon/base/base.h"
    printf '/* the second line is the one */\n%s\n' "$line" >"$tree/$file"
    out=$(check "$tree") && got=allowed || got=refused
    rm -r "$tree"
    if [ "$got" != "$want" ] || { [ "$got" = refused ] && [ "${out#"$file:"[12]": "}" = "$out" ]; }; then
        printf '%s in %s: want %s, got %s\n%s\n' "$line" "$file" "$want" "$got" "$out"
        return 1
    fi
}

self_test() {
    local want file line failed=0 rows=0
    while IFS='|' read -r want file line; do
        self_test_row "$want" "$file" "$line" || failed=1
        rows=$((rows + 1))
    done <<'ROWS'
allowed|daemon/points/points.c|#include "base/units.h"
refused|daemon/points/points.c|#include "ledger/ledger.h"
refused|daemon/points/points.c|#include "proto/wire.h"
refused|daemon/points/points.c|#include <lmdb.h>
refused|daemon/points/points.c|#include <unistd.h>
refused|daemon/base/log.c|#include "proto/wire.h"
refused|daemon/base/log.c|#include <event2/event.h>
refused|proto/wire.c|#include "base/base.h"
refused|proto/wire.c|#include <sys/socket.h>
allowed|proto/message.c|# include "proto/messages.def"
allowed|daemon/ledger/journal.c|#include "proto/crc32c.h"
refused|daemon/ledger/journal.c|#include "proto/message.h"
allowed|daemon/ledger/journal.c|#include <openssl/evp.h>
refused|daemon/ledger/journal.c|#include <openssl/ssl.h>
refused|daemon/ledger/journal.c|#include "service/service.h"
allowed|daemon/ledger/journal.c|#include "points/event.h"
refused|daemon/ledger/journal.c|#include "points/decide.h"
refused|daemon/service/service.c|#include "net/net.h"
refused|daemon/service/service.c|  #  include "net/conn.h"
refused|daemon/service/service.c|#include <event2/event.h>
refused|daemon/service/service.c|#include <lmdb.h>
refused|daemon/net/net.c|#include "service/service.h"
allowed|daemon/net/net.c|#include <openssl/ssl.h>
refused|daemon/net/net.c|#include <jansson.h>
allowed|daemon/ops/config.c|#include <yaml.h>
refused|daemon/ops/config.c|#include "service/service.h"
refused|daemon/ops/config.c|#include "points/decide.h"
refused|daemon/ops/config.c|#include "ledger/state.h"
refused|daemon/ops/config.c|#include "config.h"
refused|daemon/ops/config.c|#include <zlib.h>
refused|daemon/ops/config.c|#include HEADER
allowed|daemon/main.c|#include "service/service.h"
refused|daemon/main.c|#include <lmdb.h>
allowed|daemon/start/links.c|#include "net/net.h"
refused|daemon/start/links.c|#include <openssl/ssl.h>
refused|daemon/net/net.c|#include "start/daemon.h"
refused|client/include/punkt.h|#include <openssl/ssl.h>
refused|client/lib/client.c|#include "base/base.h"
refused|client/lib/client.c|#include <jansson.h>
allowed|client/lib/client.c|#include <punkt.h>
allowed|client/cli/main.c|#include <libsmartcols.h>
refused|client/cli/main.c|#include "ledger/ledger.h"
refused|daemon/points/points.c|#include <punkt.h>
refused|daemon/extra/extra.c|#include <zlib.h>
ROWS
    [ "$failed" = 0 ] && printf '%d planted lines, each judged as it should be\n' "$rows"
    return "$failed"
}

case ${1-} in
--self-test) self_test ;;
*) check "${1:-$here/../..}" ;;
esac
