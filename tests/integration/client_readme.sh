#!/usr/bin/env bash
# The register of client/README.md against a daemon: linked as it stands there, online, offline and back again.
# client_readme.sh COMPILER [SANITIZERS]
set -eu
compiler=$1
flags=(-std=c11 -Wall -Wextra -Werror)
[ -z "${2-}" ] || flags+=("-fsanitize=$2")

folder=$(mktemp -d)
daemon=
stop() {
    [ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } || true
    daemon=
}
trap 'stop; rm -rf "$folder"' EXIT

awk '/^```c$/ { inside = 1; next } /^```/ { inside = 0 } inside' "$PUNKT_SOURCE/client/README.md" >"$folder/register.c"
libraries=${PUNKT_BIN%/bin}/lib
"$compiler" "${flags[@]}" -o "$folder/register" "$folder/register.c" -I"$PUNKT_SOURCE/client/include" "-L$libraries" -lpunkt
export LD_LIBRARY_PATH=$libraries

# Little address space: a thread sanitizer leaves no more.
printf 'state:\n  map_gib: 4\n...\n' >"$folder/punktd.yaml"
start() {
    rm -f "$folder/ready"
    mkfifo "$folder/ready"
    "$PUNKT_BIN/punktd" --config "$folder/punktd.yaml" --data "$folder/data" \
        --programme "$PUNKT_SOURCE/conf/programme-minimal.yaml" --listen "unix:$folder/socket" >"$folder/ready" 2>&1 &
    daemon=$!
    # The first line that says ready; then somebody must go on reading, or the daemon would wait for a reader.
    exec 3<"$folder/ready"
    while IFS= read -r line <&3; do
        case $line in *ready*) break ;; *' error '*) printf '%s\n' "$line" ;; esac
    done
    cat <&3 >"$folder/daemon.log" &
}

# sell STATUS RECEIPT RECEIPT: one run of the register; what it must end with.
sell() {
    local got=0
    "$folder/register" "unix:$folder/socket" "$folder/outbox" 2900000000018 "$2" "$3" >"$folder/printed" 2>&1 || got=$?
    [ "$got" = "$1" ] || { cat "$folder/printed"; echo "ended with $got instead of $1"; exit 1; }
}
expect() {
    local line
    for line in "$@"; do
        grep -qF -- "$line" "$folder/printed" || { cat "$folder/printed"; echo "it does not say: $line"; exit 1; }
    done
}

start
"$PUNKT_BIN/punkt" --server "unix:$folder/socket" card issue 2900000000018 >"$folder/log"
sell 0 R1 R2
expect 'R1: 60 points for this purchase, 60 to spend' '20 points spent' '20 off' '10 points are set aside' \
    'R2: 10 points spent, 10 off' 'R1: 16 points taken back' 'IN BALANCE'
stop

sell 1 R3 R4
expect 'R3: your points will be booked later' 'no points were spent' '0 off' 'R4: your points will be booked later' \
    'R3: your points will be corrected later' 'SERVER NOT REACHED'

start
sell 0 R5 R6
expect 'R5: 60 points for this purchase' 'IN BALANCE'
[ "$(grep -cE '^(purchase|return) [0-9a-f]+:[0-9]+: done$' "$folder/printed")" -ge 3 ] || {
    cat "$folder/printed"
    echo 'what was queued did not settle on the way'
    exit 1
}
"$PUNKT_BIN/punkt" --server "unix:$folder/socket" statement 2900000000018 --limit 100 >"$folder/statement"
for receipt in R1 R2 R3 R4 R5 R6; do
    [ "$(grep -cE "purchase .* $receipt *\$" "$folder/statement")" = 1 ] || {
        cat "$folder/statement"
        echo "receipt $receipt is not booked once"
        exit 1
    }
done
