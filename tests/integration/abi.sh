#!/usr/bin/env bash
# A register and a libpunkt of different ages: abi.sh COMPILER [SANITIZERS]
# Every struct of a copy of punkt.h gets one more field at its end. A register that was compiled against the real header
# runs with the library of the copy, and the other way round: each prints what it prints with its own.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
compiler=$1
sanitizers=${2-}
flags=(-std=c11 -Wall -Wextra -Werror -g)
[ -z "$sanitizers" ] || flags+=("-fsanitize=$sanitizers" -fno-sanitize-recover=all)

folder=$(mktemp -d)
daemon=
finish() {
    [ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } || true
    rm -rf "$folder"
}
trap finish EXIT

# --- the library of the next version ---

grown=$folder/grown
mkdir -p "$grown/client" "$grown/conf/cmake"
cp -R "$PUNKT_SOURCE/proto" "$grown/"
cp -R "$PUNKT_SOURCE/client/include" "$PUNKT_SOURCE/client/lib" "$grown/client/"
cp "$PUNKT_SOURCE/conf/cmake/punkt.cmake" "$grown/conf/cmake/"
# The head of answers is inside other structs: it does not grow, that is what its reserved words are for.
awk '/^struct punkt_[a-z_]+ \{$/ { inside = $2 != "punkt_answer" }
     /^};$/ && inside { print "    uint64_t grown; /* 0 */"; inside = 0 }
     { print }' "$PUNKT_SOURCE/client/include/punkt.h" >"$grown/client/include/punkt.h"
cat >"$grown/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(punkt VERSION 0.1.0 LANGUAGES C)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
include(GNUInstallDirs)
find_package(OpenSSL 3.0 REQUIRED)
include(conf/cmake/punkt.cmake)
add_subdirectory(proto)
add_subdirectory(client/lib)
CMAKE
{
    cmake -S "$grown" -B "$grown/build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER="$compiler" \
        -DPUNKT_SANITIZE="$sanitizers" -DCMAKE_C_FLAGS_DEBUG=-O0 && cmake --build "$grown/build" -j 2 --target punkt_client
} >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }

# --- registers of both versions ---

compile() {
    "$compiler" "${flags[@]}" -o "$folder/$1" "$here/abi_till.c" -I"$2/client/include" "${@:3}"
}
libraries=${PUNKT_BIN%/bin}/lib
compile till_now "$PUNKT_SOURCE" "-L$libraries" -lpunkt
compile till_grown "$grown" "-L$grown/build/lib" -lpunkt -DGROWN

# Every struct is used, or a field at its end would prove nothing.
missed=$(sed -n 's/^struct \(punkt_[a-z_]*\) {$/\1/p' "$PUNKT_SOURCE/client/include/punkt.h" | while read -r name; do
    short=${name#punkt_}
    grep -qE "struct $name\\>|ANSWER\\(${short%_answer},|\\.${short#open_}s\\[" "$here/abi_till.c" || printf '%s ' "$name"
done)
[ -z "$missed" ] || { echo "abi_till.c does not use: $missed"; exit 1; }

# --- the daemon, and every pair ---

sed 's/unlinked: false/unlinked: true/' "$PUNKT_SOURCE/conf/programme.yaml" >"$folder/programme.yaml"
# Little address space: a thread sanitizer leaves no more.
printf 'state:\n  map_gib: 4\n...\n' >"$folder/punktd.yaml"

# run TILL LIBRARIES [ARGUMENT]: what it prints on a new ledger.
run() {
    rm -rf "$folder/data" "$folder/ready" "$folder/outbox"*
    mkfifo "$folder/ready"
    "$PUNKT_BIN/punktd" --config "$folder/punktd.yaml" --data "$folder/data" --programme "$folder/programme.yaml" \
        --listen "unix:$folder/socket" >"$folder/ready" 2>&1 &
    daemon=$!
    # The first line that says ready; then somebody must go on reading, or the daemon would wait for a reader.
    exec 3<"$folder/ready"
    while IFS= read -r line <&3; do
        case $line in *ready*) break ;; *' error '*) printf '%s\n' "$line" ;; esac
    done
    cat <&3 >"$folder/daemon.log" &
    LD_LIBRARY_PATH=$2 "$folder/$1" "unix:$folder/socket" "$folder/outbox" "${@:3}" || { echo "$1 with $2 ended with $?"; exit 1; }
    kill "$daemon"
    wait "$daemon"
    daemon=
    exec 3<&-
}

run till_now "$libraries" >"$folder/want"
run till_now "$grown/build/lib" >"$folder/older_register"
run till_grown "$libraries" >"$folder/newer_register"
run till_grown "$libraries" unknown >"$folder/unknown"
failed=0
for pair in older_register newer_register; do
    diff "$folder/want" "$folder/$pair" || { echo "the $pair prints something else"; failed=1; }
done
for sign in 'close_day: done' 'cancel: done' 'purchase: done' 'return: done' 'capture: done' 'lot 1' 'hold 300' 'part ' 'spent '; do
    grep -qF "$sign" "$folder/want" || { echo "nothing was printed of: $sign"; failed=1; }
done
said=$(grep -vE '^(connect|info)' "$folder/unknown" || true)
[ "$said" = 'unknown fields were seen' ] || { echo "$said"; failed=1; }
exit "$failed"
