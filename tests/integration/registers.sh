#!/usr/bin/env bash
# A till of client/examples beside a real daemon: it sells, goes offline, comes back, redeems, closes the day.
# registers.sh poll|libevent|python|node EXAMPLES LIBRARY NODE_PACKAGES
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/integration/bindings.sh
. "$here/bindings.sh"

folder=$(mktemp -d)
daemon=
till=
finish() {
    [ -z "$till" ] || kill "$till" || true
    [ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } || true
    rm -rf "$folder"
}
trap finish EXIT
choose_till "$@"

start_daemon() {
    local line
    rm -f "$folder/ready"
    mkfifo "$folder/ready"
    "$PUNKT_BIN/punktd" --config "$folder/punktd.yaml" --data "$folder/data" --listen "$1" --port-file "$folder/port" \
        >"$folder/ready" 2>&1 &
    daemon=$!
    exec 3<"$folder/ready"
    while IFS= read -r line <&3; do
        case $line in *ready*) break ;; *) printf '%s\n' "$line" ;; esac
    done
    cat <&3 >"$folder/daemon.log" &
    server=$(cat "$folder/port")
}

stop_daemon() {
    kill "$daemon"
    wait "$daemon"
    daemon=
}

start_till() {
    coproc TILL { exec "${command[@]}" "$server" 1 7 "$folder/till.outbox" 2>&1; }
    till=$TILL_PID
    exec 4<&"${TILL[0]}" 5>&"${TILL[1]}"
    seen=
}

tell() {
    printf '%s\n' "$*" >&5
}

# Waits until the till has printed such a line, now or before.
await() {
    local line
    while :; do
        case $seen in *$'\n'$1$'\n'*) return 0 ;; esac
        IFS= read -r -t 60 -u 4 line || break
        seen+=$'\n'$line$'\n'
    done
    printf 'waited in vain for: %s\nthe till said:%s' "$1" "$seen"
    exit 1
}

# No more input: it ends, with 0.
end_till() {
    exec 5>&-
    eval "exec ${TILL[1]}>&-" 2>/dev/null || true
    wait "$till"
    till=
}

mkdir "$folder/data"
# Little address space: a thread sanitizer leaves no more.
printf 'state:\n  map_gib: 4\n...\n' >"$folder/punktd.yaml"
start_daemon 127.0.0.1:0
export PUNKT_SERVER=$server
{
    grep -vx '\.\.\.' "$PUNKT_SOURCE/conf/programme-minimal.yaml"
    printf 'receipt_text:\n  - language: en\n    purchase:\n      - "Points for this sale: {earned}"\n...\n'
} >"$folder/programme.yaml"
"$PUNKT_BIN/punkt" programme publish "$folder/programme.yaml" >"$folder/log"
"$PUNKT_BIN/punkt" card issue 2900000000018 >"$folder/log"
"$PUNKT_BIN/punkt" card issue 2900000000025 >"$folder/log"

start_till
tell sell 2900000000018 R1 105.00
await 'R1: earned 105, available 105'
await 'Points for this sale: 105'
tell balance 2900000000018
await '2900000000018: available 105, queued 0'

stop_daemon
tell sell 2900000000018 R2 20.50
tell sell 2900000000025 R3 7.00
tell sell 2900000000018 R4 1.00
await 'R2: queued'
await 'R3: queued'
await 'R4: queued'
tell redeem 2900000000018 5
await 'redeem: not_sent: *'

start_daemon "$server"
await 'settled: earned 20'
await 'settled: earned 7'
await 'settled: earned 1'
tell balance 2900000000025
await '2900000000025: available 7, queued 0'
tell redeem 2900000000018 26
await 'redeem: 26 points, 0.26 off'
tell redeem 2900000000018 1000
await 'redeem: not_enough_points: *'
tell balance 2900000000018
await '2900000000018: available 100, queued 0'

# What is queued when it ends is sent when it comes again.
stop_daemon
tell sell 2900000000025 R5 3.00
await 'R5: queued'
end_till
start_daemon "$server"
start_till
await 'settled: earned 3'
tell sell 2900000000025 R6 2.00
await 'R6: earned 2, available 12'
tell close
await 'close: in balance'
await '*Z-REPORT'
await 'Store 1 *Till 7'
end_till

# An alarm is told before there is a handle: PUNKT_ALARM_DAMAGED, for a file that something wrote to in its middle.
printf 'damage' | dd of="$folder/till.outbox" bs=1 seek=8256 conv=notrunc status=none
start_till
await 'alarm 5: *'
end_till

case $("$PUNKT_BIN/punkt" --json card show 2900000000018) in
*'"available":100,'*) ;;
*) echo 'the daemon has another balance than the till' && exit 1 ;;
esac
