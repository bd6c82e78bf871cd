#!/usr/bin/env bash
# Once it is warm, punktd allocates nothing for a purchase: what it asks for itself in a run of few and in one of five times
# as many is the same, but for tables that double. What its libraries do (OpenSSL makes a context for each hash) is
# not counted. allocations.sh LOAD SHIM
set -euo pipefail
load=$1 shim=$2
few=1000

folder=$(mktemp -d)
daemon=''
trap '[ -z "$daemon" ] || kill -KILL "$daemon" || true; rm -rf "$folder"' EXIT

cat >"$folder/config" <<YAML
data: $folder/data
listen: 127.0.0.1:0
port_file: $folder/port
programme: $PUNKT_SOURCE/conf/programme.yaml
journal: {segment_mib: 8}
state: {map_gib: 1, checkpoint_ms: 60000, checkpoint_records: 500000, checkpoint_mib: 1024}
...
YAML

# Allocations of a daemon's life, in $count: started, so many purchases, stopped.
life() {
    local line ready=no
    rm -rf "$folder/data"
    exec 9< <(exec setpriv --pdeathsig KILL env LD_PRELOAD="$shim" ALLOC_SHIM_LOG="$folder/count" \
        ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0" "$PUNKT_BIN/punktd" --config "$folder/config" 2>&1)
    daemon=$!
    while [ $ready = no ] && IFS= read -r -t 60 line <&9; do
        case $line in *' ready: listening on '*) ready=yes ;; *) echo "$line" ;; esac
    done
    [ $ready = yes ]
    cat <&9 >"$folder/said" & # what else it says must not block it
    "$load" "$(cat "$folder/port")" "$1" 10 16
    kill "$daemon"
    tail --pid="$daemon" -f /dev/null
    daemon=''
    count=$(cat "$folder/count")
    echo "$1 purchases: $count allocations"
}

life $few
first=$count
[ "$first" -gt 0 ] # it does count
life $((few * 5))
if [ $((count - first)) -ge $((few / 20)) ]; then
    echo "FAILED: $((few * 4)) purchases more cost $((count - first)) allocations more"
    exit 1
fi
