#!/usr/bin/env bash
# Measures durable purchases beside pings on the same connections, in turns in one run, and prints the medians
# and their ratio; a new ledger for each number of connections. Not part of the tests: figures of one machine, for
# the README.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

usage() {
    cat <<'HELP'
usage: tests/bench/compare.sh [ROUNDS [SECONDS [CARDS [CONNECTIONS ...]]]]

Examples:
  tests/bench/compare.sh                  5 rounds of 3 s, 1,000,000 cards, 64 and 1,000 connections
  tests/bench/compare.sh 3 2 100000 64    a quick look

PUNKT_BUILD: another folder of a release build.

Needs the release build: cmake --preset release && cmake --build --preset release
HELP
}

case ${1:-} in
--help | -h)
    usage
    exit 0
    ;;
esac
rounds=${1:-5} seconds=${2:-3} cards=${3:-1000000}
shift $(($# < 3 ? $# : 3))
[ $# -gt 0 ] || set -- 64 1000
bin=${PUNKT_BUILD:-$top/build/release}/bin
[ -x "$bin/punktd" ] || {
    usage >&2
    exit 2
}

folder=$(mktemp -d "${TMPDIR:-/tmp}/punkt-bench.XXXXXX")
# shellcheck source=tests/bench/daemon.sh
. "$top/tests/bench/daemon.sh"
trap 'daemon_stop; rm -rf "$folder"' EXIT

# Operations a second of one mix.
measure() {
    "$bin/punkt" --server "$(daemon_address)" --json bench --connections "$1" --pipeline 1 \
        --seconds "$seconds" --cards "$cards" --mix "$2" | sed 's/.*"per_second":\([0-9]*\).*"p50_us":\([0-9]*\).*"p99_us":\([0-9]*\).*/\1 \2 \3/'
}

# The median of a column of numbers.
median() {
    sort -n | awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] }'
}

printf '%-12s %-9s %12s %9s %9s\n' connections mix per_second p50_us p99_us
for connections in "$@"; do
    daemon_start
    for ((round = 1; round <= rounds; round++)); do
        for mix in ping purchase balance; do
            measure "$connections" $mix >>"$folder/$connections.$mix"
        done
    done
    for mix in ping purchase balance; do
        printf '%-12s %-9s %12s %9s %9s\n' "$connections" $mix \
            "$(cut -d' ' -f1 "$folder/$connections.$mix" | median)" \
            "$(cut -d' ' -f2 "$folder/$connections.$mix" | median)" \
            "$(cut -d' ' -f3 "$folder/$connections.$mix" | median)"
    done
    paste -d' ' "$folder/$connections.ping" "$folder/$connections.purchase" |
        awk '{ print int($4 * 1000 / $1) }' | median |
        awk -v c="$connections" '{ printf "%s connections: purchases reach %.2f of pings (median of the rounds)\n", c, $1 / 1000 }'
done
