#!/usr/bin/env bash
# A rebuild gives the old state up only for a whole new one: it knows whether the journal's end may be torn.
set -euo pipefail
folder=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true; rm -rf "$folder"' EXIT
data=$folder/data
# A small map: the thread sanitizer leaves no room for the default one in the address space.
printf 'journal:\n  segment_mib: 8\nstate:\n  map_gib: 4\n...\n' >"$folder/punktd.yaml"

fail() {
    echo "rebuild.sh: $*" >&2
    cat "$folder/log" >&2 || true
    exit 1
}

punktd() {
    "$PUNKT_BIN/punktd" --config "$folder/punktd.yaml" --data "$data" "$@"
}

# Starts the daemon and waits for its ready line.
start() {
    rm -f "$folder/log" "$folder/port"
    mkfifo "$folder/pipe"
    "$PUNKT_BIN/punktd" --config "$folder/punktd.yaml" --data "$data" --listen 127.0.0.1:0 \
        --port-file "$folder/port" 2>"$folder/pipe" &
    pid=$!
    exec 3<"$folder/pipe"
    rm "$folder/pipe"
    while IFS= read -r -t 60 -u 3 line; do
        printf '%s\n' "$line" >>"$folder/log"
        case $line in *ready*) return 0 ;; esac
    done
    fail "punktd did not get ready"
}

stop() {
    kill -TERM "$pid"
    wait "$pid" || fail "punktd stopped with $?"
    pid=
    exec 3<&-
}

# Runs a command that must end with a code.
ends_with() {
    local want=$1 got=0
    shift
    "$@" >"$folder/out" 2>"$folder/log" || got=$?
    [ "$got" = "$want" ] || fail "$* ended with $got instead of $want"
}

punkt() {
    "$PUNKT_BIN/punkt" --server "$(cat "$folder/port")" --json "$@"
}

start
punkt card issue 2900000000018 >"$folder/out"
lines=()
for i in $(seq 100); do lines+=(--line "ARTICLE-WITH-A-LONG-NUMBER-$i:1:1.00:CATEGORY-WITH-A-LONG-NAME"); done
punkt purchase 2900000000018 100.00 --receipt R1 "${lines[@]}" >"$folder/out"
stop

segment=$(find "$data/journal" -name '*.seg')
end=$(grep -obUaP '[^\x00]' "$segment" | tail -n 1 | cut -d: -f1)
sector=$((end / 512 - 4)) # well inside the last block
cp "$segment" "$folder/whole"
dd if=/dev/zero of="$segment" bs=512 seek=$sector count=1 conv=notrunc status=none

# After a clean stop nothing may be cut, whatever was tried in between.
ends_with 65 punktd --listen 127.0.0.1:0
ends_with 65 punktd rebuild
ends_with 65 punktd --listen 127.0.0.1:0
ends_with 65 punktd rebuild

cp "$folder/whole" "$segment"
ends_with 0 punktd rebuild
[ ! -e "$data/state.before-rebuild" ] || fail "the old state was left behind"
start
[ "$(punkt card show 2900000000018 | grep -c '"available":100,')" = 1 ] || fail "the points are not there"
stop

# A rebuild that was killed: the old state waits aside, a part of the new one is there.
mv "$data/state" "$data/state.before-rebuild"
mkdir "$data/state"
start
[ "$(punkt card show 2900000000018 | grep -c '"available":100,')" = 1 ] || fail "the points are not there"
punkt audit verify | grep -q '"state":"matches"' || fail "state does not match"
stop
[ ! -e "$data/state.before-rebuild" ] || fail "the old state was not taken back"
