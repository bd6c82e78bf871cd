#!/usr/bin/env bash
# Counts what a purchase costs the daemon, in instructions: the same whatever else the machine does. Not part of the
# tests: figures for the README.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

usage() {
    cat <<'HELP'
usage: tests/bench/instructions.sh [ROUNDS [PURCHASES [LINES [PROGRAMME ...]]]]

Examples:
  tests/bench/instructions.sh                 3 rounds of 2,000 and 10,000 purchases of 10 lines, both programmes of conf
  tests/bench/instructions.sh 1 500 1 conf/programme-minimal.yaml

Each number is that of five times as many purchases less that of the first run, for each purchase more: what starting
and stopping cost falls out. "pipelined": 64 requests are unanswered at once; "blocking": one. With two programmes or
more the last column compares with the first of them. PUNKT_BUILD: another folder of a release build;
PUNKT_PROFILES: a folder that keeps callgrind's files, for callgrind_annotate.

Needs valgrind, and the release build: cmake --preset release && cmake --build --preset release
HELP
}

case ${1:-} in
--help | -h)
    usage
    exit 0
    ;;
esac
rounds=${1:-3} purchases=${2:-2000} lines=${3:-10} cards=10000 # no card so often that it is flagged
shift $(($# < 3 ? $# : 3))
[ $# -gt 0 ] || set -- "$top/conf/programme-minimal.yaml" "$top/conf/programme.yaml"
build=${PUNKT_BUILD:-$top/build/release}
if ! [ -x "$build/bin/punktd" ] || ! [ -x "$build/tests/bench_lines" ] || ! command -v valgrind >/dev/null; then
    usage >&2
    exit 2
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/punkt-bench.XXXXXX")
pid=
mkfifo "$folder/said"
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; rm -rf "$folder"' EXIT

# A map that fits beside valgrind's own memory; no checkpoint but the last, for those before it go by the clock.
cat >"$folder/config" <<YAML
data: $folder/data
listen: 127.0.0.1:0
port_file: $folder/port
journal: {segment_mib: 8}
state: {map_gib: 1, checkpoint_ms: 60000, checkpoint_records: 500000, checkpoint_mib: 1024}
...
YAML

# Instructions of a daemon's life: started, so many purchases, stopped.
# life PROGRAMME PURCHASES WINDOW NAME
life() {
    local profile=${PUNKT_PROFILES:-$folder}/callgrind.$4 line ready=no said=
    rm -rf "$folder/data"
    valgrind -q --tool=callgrind --callgrind-out-file="$profile" "$build/bin/punktd" --config "$folder/config" \
        --programme "$1" >"$folder/said" 2>&1 &
    pid=$!
    exec 3<"$folder/said"
    while IFS= read -r -t 120 -u 3 line; do
        case $line in *ready*) ready=yes && break ;; esac
        said=$line
    done
    [ $ready = yes ] || {
        echo "$said" >&2
        exit 1
    }
    cat <&3 >/dev/null & # what else it says must not block it
    "$build/tests/bench_lines" "$(cat "$folder/port")" "$2" "$lines" "$3" "$cards" >&2
    kill "$pid"
    wait "$pid" || true
    pid=
    awk '/^(summary|totals):/ { print $2; exit }' "$profile"
}

median() {
    sort -n | awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] }'
}

# measure PROGRAMME WINDOW NAME
measure() {
    local round few many
    for ((round = 1; round <= rounds; round++)); do
        few=$(life "$1" "$purchases" "$2" "$3.few")
        many=$(life "$1" $((purchases * 5)) "$2" "$3.many")
        echo $(((many - few) / (purchases * 4)))
    done | median
}

printf '%-24s %-10s %22s %8s\n' programme requests 'instructions/purchase' ratio
for how in 'pipelined 64' 'blocking 1'; do
    first=
    for programme in "$@"; do
        name=$(basename "$programme" .yaml)
        count=$(measure "$programme" "${how#* }" "$name.${how% *}")
        first=${first:-$count}
        printf '%-24s %-10s %22s %8s\n' "$name" "${how% *}" "$count" \
            "$(awk -v a="$count" -v b="$first" 'BEGIN { printf "%.2f", a / b }')"
    done
done
