#!/usr/bin/env bash
# The till of the README against the installed library and a real daemon, once built with pkg-config and once with
# CMake: install_till.sh COMPILER [SANITIZERS]
set -eu
compiler=$1
flags='-Wall -Wextra -Werror'
[ -z "${2-}" ] || flags="$flags -fsanitize=$2"

folder=$(mktemp -d)
daemon=
finish() {
    [ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } || true
    rm -rf "$folder"
}
trap finish EXIT

# What people read is what is compiled: the block behind the marker, without its fences.
if [ -f "$PUNKT_SOURCE/README.md" ]; then
    awk '/^<!-- till\.c -->/ { marked = 1; next }
         marked && /^```/ { if (inside) exit; inside = 1; next }
         inside' "$PUNKT_SOURCE/README.md" >"$folder/till.c"
    diff "$PUNKT_SOURCE/client/examples/till.c" "$folder/till.c" || {
        echo 'the till of the README is not client/examples/till.c'
        exit 1
    }
fi
cp "$PUNKT_SOURCE/client/examples/till.c" "$folder/till.c"
[ "$(wc -l <"$folder/till.c")" -le 20 ]

prefix=$folder/prefix
cmake --install "${PUNKT_BIN%/bin}" --prefix "$prefix" >"$folder/log"
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name libpunkt.pc)")
LD_LIBRARY_PATH=$(dirname "$(find "$prefix" -name libpunkt.so)")
export PKG_CONFIG_PATH LD_LIBRARY_PATH

# shellcheck disable=SC2046,SC2086 # lists of flags, to be split
"$compiler" $flags -std=c11 -o "$folder/till" "$folder/till.c" $(pkg-config --cflags --libs libpunkt)
cat >"$folder/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(till LANGUAGES C)
find_package(punkt REQUIRED)
add_executable(till till.c)
target_link_libraries(till PRIVATE punkt::punkt)
CMAKE
cmake -S "$folder" -B "$folder/cmake" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$compiler" \
    -DCMAKE_C_FLAGS="$flags" >"$folder/log"
cmake --build "$folder/cmake" >"$folder/log" || { cat "$folder/log"; exit 1; }

mkdir "$folder/data"
# Little address space: a thread sanitizer leaves no more.
printf 'state:\n  map_gib: 4\n...\n' >"$folder/punktd.yaml"
start_daemon() {
    local line
    rm -f "$folder/ready"
    mkfifo "$folder/ready"
    "$prefix/bin/punktd" --config "$folder/punktd.yaml" --data "$folder/data" --listen "$1" --port-file "$folder/port" \
        >"$folder/ready" 2>&1 &
    daemon=$!
    # The first line that says ready; then somebody must go on reading, or the daemon would wait for a reader.
    exec 3<"$folder/ready"
    while IFS= read -r line <&3; do
        case $line in *ready*) break ;; *) printf '%s\n' "$line" ;; esac
    done
    cat <&3 >"$folder/daemon.log" &
    server=$(cat "$folder/port")
}

expect() {
    local want=$1
    shift
    local got
    got=$("$@" 2>&1) || true
    [ "$got" = "$want" ] || { printf 'want: %s\ngot:  %s\n' "$want" "$got"; exit 1; }
}

start_daemon 127.0.0.1:0
cd "$folder" # where its outbox is
"$prefix/bin/punkt" --server "$server" card issue 2900000000018 >"$folder/log"
expect 'earned 105, available 105' "$folder/till" "$server" 2900000000018 R1 105.00
expect 'earned 105, available 105' "$folder/cmake/till" "$server" 2900000000018 R1 105.00 # the same receipt
expect 'earned 20, available 125' "$folder/cmake/till" "$server" 2900000000018 R2 20.50
expect 'unknown_card: no such card ' "$folder/till" "$server" 2900000000025 R3 1.00
expect '' "$folder/till" nowhere 2900000000018 R4 1.00 # no address: it says so with status 2

kill "$daemon"
wait "$daemon"
daemon=
expect "queued: stored here, to be sent later $server: Connection refused" "$folder/till" "$server" 2900000000018 R5 1.00

start_daemon "$server"
expect 'earned 2, available 128' "$folder/till" "$server" 2900000000018 R6 2.00 # and R5 before it
