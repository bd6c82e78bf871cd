#!/usr/bin/env bash
# Measures the till's side: what an outbox costs a sale, and how fast one drains. Not part of the tests: figures of one
# machine, for the README.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

usage() {
    cat <<'HELP'
usage: tests/bench/till.sh [LINES]

Examples:
  tests/bench/till.sh        receipts of 10 lines
  tests/bench/till.sh 0      without lines

Daemon and outbox are on the same file system, that of TMPDIR. Prints medians of five rounds, in which everything is
measured in turns. PUNKT_BUILD: another folder of a release build.

Needs the release build: cmake --preset release && cmake --build --preset release
HELP
}

case ${1:-} in
--help | -h)
    usage
    exit 0
    ;;
esac
build=${PUNKT_BUILD:-$top/build/release} bin=$build/bin
if ! [ -x "$bin/punktd" ] || ! [ -x "$build/tests/bench_till" ]; then
    usage >&2
    exit 2
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/punkt-bench.XXXXXX")
# shellcheck source=tests/bench/daemon.sh
. "$top/tests/bench/daemon.sh"
trap 'daemon_stop; rm -rf "$folder"' EXIT
daemon_start
"$build/tests/bench_till" "$(daemon_address)" "$folder" "${1:-10}"
