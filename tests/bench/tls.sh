#!/usr/bin/env bash
# Measures what TLS costs: memory of idle connections, handshakes, a thousand tills that come at once beside one that sells,
# and purchases over TLS beside plain ones. Not part of the tests: figures of one machine, for the README.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

usage() {
    cat <<'HELP'
usage: tests/bench/tls.sh [ROUNDS [SECONDS [IDLE]]]

Examples:
  tests/bench/tls.sh             5 rounds, purchases of 3 s, 5,000 idle connections
  tests/bench/tls.sh 1 1 1000    a quick look

Everything is measured once a round, in turns, and the medians are printed. PUNKT_BUILD: another folder of a release build.

Needs the release build: cmake --preset release && cmake --build --preset release
HELP
}

case ${1:-} in
--help | -h)
    usage
    exit 0
    ;;
esac
rounds=${1:-5} seconds=${2:-3} idle=${3:-5000} tills=80
build=${PUNKT_BUILD:-$top/build/release} bin=$build/bin
if ! [ -x "$bin/punktd" ] || ! [ -x "$build/tests/bench_tls" ]; then
    usage >&2
    exit 2
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/punkt-bench.XXXXXX")
# shellcheck source=tests/bench/daemon.sh
. "$top/tests/bench/daemon.sh"
trap 'daemon_stop; rm -rf "$folder"' EXIT

"$bin/punktd" init-ca "$folder/tls" --name 127.0.0.1 >/dev/null
cat >"$folder/settings" <<YAML
data: $folder/data
listen: 127.0.0.1:0
port_file: $folder/port
tls: {listen: "127.0.0.1:0", folder: $folder/tls}
psk: {listen: "127.0.0.1:0"}
enrol: {listen: "127.0.0.1:0"}
limits: {other_connections: 10000, till_connections: 64, till_rate: 100000, till_burst: 1000000}
...
YAML

# enrol FILE COMMAND...: somebody new, and the identity file.
enrol() {
    local file=$1 code
    shift
    code=$("$bin/punkt" --server "$plain" "$@" | grep -oE '([0-9A-Z]{4}-){7}[0-9A-Z]{4}' | head -1)
    "$bin/punkt" enrol "$(daemon_address enrol)" "$code" --identity "$file" >/dev/null
}

# start: a daemon on the ledger that is there, and where it listens now.
start() {
    daemon_start "$folder/settings"
    plain=$(daemon_address)
    by_certificate=$(daemon_address tls)
    by_key=$(daemon_address psk)
}

# Identity files say where the daemon is; after a new start it is somewhere else.
renew_addresses() {
    sed -i "s/^server: .*/server: $by_certificate/" "$folder"/cert.*
    sed -i "s/^server: .*/server: $by_key/" "$folder"/psk.*
}

# many WHAT PROOF COUNT: bench_tls on a daemon that has just started.
many() {
    local address=$by_certificate
    [ "$2" = cert ] || address=$by_key
    "$build/tests/bench_tls" "$1" "$address" "$daemon_pid" "$3" "$folder/$2".*
}

# Ticks of the daemon's processors so far.
ticks() {
    awk '{ print $14 + $15 }' "/proc/$daemon_pid/stat"
}

# purchases CONNECTIONS PIPELINE OPTION...: a second, p99, and the microseconds of the daemon's processors for each.
purchases() {
    local connections=$1 pipeline=$2 before
    shift 2
    before=$(ticks)
    "$bin/punkt" "$@" --json bench --connections "$connections" --pipeline "$pipeline" --seconds "$seconds" \
        --cards "$cards" --force >"$folder/one"
    sed 's/.*"operations":\([0-9]*\).*"per_second":\([0-9]*\).*"p99_us":\([0-9]*\).*/\1 \2 \3/' "$folder/one" |
        awk -v used="$(($(ticks) - before))" -v hz="$(getconf CLK_TCK)" \
            '{ printf "%s %s %.2f\n", $2, $3, used * 1e6 / hz / $1 }'
}

# The median of a column of numbers.
median() {
    sort -n | awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] }'
}

# medians FILE: of each column.
medians() {
    local column columns
    columns=$(awk '{ print NF; exit }' "$1")
    for ((column = 1; column <= columns; column++)); do
        printf ' %s' "$(awk -v c="$column" '{ print $c }' "$1" | median)"
    done
    echo
}

cards=100000
start
enrol "$folder/cert.0" user add olga --role office
for ((till = 1; till <= tills; till++)); do
    enrol "$folder/psk.$till" till add "S1/$till" --psk
done
"$bin/punkt" --server "$plain" bench --seconds 1 --cards "$cards" >/dev/null # issues them
for ((tens = 0; tens < 10; tens++)); do # for sales beside a crowd
    "$bin/punkt" --server "$plain" card issue "29000000${tens}0000" --count 10000 >/dev/null
done

for ((round = 1; round <= rounds; round++)); do
    for proof in cert psk; do
        start && renew_addresses
        many memory $proof "$idle" >>"$folder/memory.$proof"
        start && renew_addresses
        many handshakes $proof 500 >>"$folder/handshakes.$proof"
        many crowd $proof 1000 >>"$folder/crowd.$proof"
    done
    for how in '64 1' '16 16'; do
        # shellcheck disable=SC2086 # two numbers
        {
            purchases $how --server "$plain" >>"$folder/purchases.plain.${how/ /-}"
            purchases $how --identity "$folder/cert.0" >>"$folder/purchases.tls.${how/ /-}"
        }
    done
done

for proof in cert psk; do
    echo "$proof: KiB an idle connection: $(medians "$folder/memory.$proof")"
    echo "$proof: us a handshake: $(medians "$folder/handshakes.$proof")"
    echo "$proof: 1,000 at once: a second, us each; a sale before them: p50, p99, longest us; beside: the same, how many:" \
        "$(medians "$folder/crowd.$proof")"
done
for how in 64-1 16-16; do
    for link in plain tls; do
        echo "purchases, $how connections-unanswered, $link: a second, p99 us, us of processors each:" \
            "$(medians "$folder/purchases.$link.$how")"
    done
done
