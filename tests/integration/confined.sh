#!/usr/bin/env bash
# The life of a daemon that the kernel refuses all it has no use for, and that is not root: everything that reads, writes,
# waits or starts a thread once. Sanitizers need more, so the programs are those of plain_daemon.sh: confined.sh FOLDER
set -eu
bin=$1/bin
folder=$(mktemp -d)
daemon=

leave() {
    [ -z "$daemon" ] || kill -KILL "$daemon" 2>/dev/null || true
    rm -rf "$folder"
}
trap leave EXIT

fail() {
    printf '%s\n' "$*"
    cat "$folder/log"
    exit 1
}

# start_daemon [LINE...]: settings beside those of all.
start_daemon() {
    {
        printf '%s\n' "data: $folder/data" "listen: unix:$folder/socket" "port_file: $folder/port" \
            'tls:' '  listen: 127.0.0.1:0' "  folder: $folder/tls" 'psk:' '  listen: 127.0.0.1:0' \
            'enrol:' '  listen: 127.0.0.1:0' 'state:' '  map_gib: 4' '  checkpoint_ms: 10' "${user[@]}" "$@" ...
    } >"$folder/punktd.yaml"
    rm -f "$folder/port"
    "$bin/punktd" --config "$folder/punktd.yaml" 2>>"$folder/log" &
    daemon=$!
    while [ ! -s "$folder/port" ]; do
        kill -0 "$daemon" 2>/dev/null || fail 'punktd did not start'
    done
}

stop_daemon() {
    kill -TERM "$daemon"
    wait "$daemon" || fail "punktd ended with $?"
    daemon=
}

# Waits until the log has a line, as long as the test may last.
logged() {
    until grep -q "$1" "$folder/log"; do
        kill -0 "$daemon" 2>/dev/null || fail "punktd ended before it said: $1"
    done
}

punkt() {
    "$bin/punkt" --server "unix:$folder/socket" "$@" >>"$folder/said" 2>&1 || {
        tail -3 "$folder/said"
        fail "punkt $*"
    }
}

user=('#')
"$bin/punktd" init-ca "$folder/tls" --name 127.0.0.1 >"$folder/said"
touch "$folder/log"
mkdir "$folder/data"
chmod 755 "$folder"
who=$(id -u)
if [ "$who" = 0 ]; then
    user=('user: nobody')
    who=$(id -u nobody)
    chown -R nobody "$folder"
fi
start_daemon
logged ready
for status in /proc/"$daemon"/task/*/status; do
    grep -q '^Seccomp:[[:space:]]*2' "$status" || fail "a thread is not confined"
    grep -q '^NoNewPrivs:[[:space:]]*1' "$status" || fail "a thread may gain rights"
    grep -qE "^Uid:[[:space:]]*$who[[:space:]]$who[[:space:]]$who[[:space:]]$who\$" "$status" || fail "a thread is somebody else"
    grep -qE '^CapEff:[[:space:]]*0+$' "$status" || fail "a thread has rights of root"
done
# One that nobody may read belongs to root, whoever runs it.
[ "$(stat -c %u "/proc/$daemon/mem")" = 0 ] || fail 'the memory of punktd can be read by its user'

punkt card issue 2900000000018
punkt purchase 2900000000018 105.00 --receipt R1
punkt card show 2900000000018
printf '123456\n' >"$folder/pin"
punkt card pin 2900000000018 --pin-file "$folder/pin"
punkt redeem 2900000000018 5 --pin-file "$folder/pin"
punkt return 2900000000018 --receipt R1 --amount 5.00 --document D1
punkt statement 2900000000018
punkt report totals
punkt report liability
punkt programme publish "$PUNKT_SOURCE/conf/programme.yaml"
punkt programme rehearse "$PUNKT_SOURCE/conf/programme.yaml" --days 3
punkt audit verify
punkt audit log

# By certificate and by key, both enrolled.
port_of() { sed -n "s/^$1 .*:\([0-9]*\)\$/\1/p" "$folder/port"; }
code_of() { "$bin/punkt" --server "unix:$folder/socket" till add "$@" | grep -oE '([0-9A-Z]{4}-){7}[0-9A-Z]{4}' | head -1; }
for till in '12/3' '12/4 --psk'; do
    # shellcheck disable=SC2086 # a till and its option
    code=$(code_of $till)
    file=$folder/${till:0:2}-${till:3:1}.identity
    "$bin/punkt" enrol "127.0.0.1:$(port_of enrol)" "$code" --identity "$file" >>"$folder/said" 2>&1 || fail "no till $till"
    "$bin/punkt" --identity "$file" purchase 2900000000018 20.00 --receipt "${till:3:1}" >>"$folder/said" 2>&1 ||
        fail "till $till sells nothing: $(tail -2 "$folder/said")"
done

# Certificates are read again, and good ones stay where new ones are bad.
"$bin/punktd" init-ca --renew "$folder/tls" >>"$folder/said"
[ "$(id -u)" != 0 ] || chown nobody "$folder"/tls/*
said=$(grep -c "the server's certificate is" "$folder/log")
kill -HUP "$daemon"
until [ "$(grep -c "the server's certificate is" "$folder/log")" -gt "$said" ]; do
    kill -0 "$daemon" 2>/dev/null || fail 'SIGHUP ended punktd'
done
cp "$folder/tls/server.pem" "$folder/good.pem"
echo none >"$folder/tls/server.pem"
kill -HUP "$daemon"
logged 'those from before stay'
"$bin/punkt" --identity "$folder/12-3.identity" purchase 2900000000018 20.00 --receipt again >>"$folder/said" 2>&1 ||
    fail 'the certificates from before do not serve'
cp "$folder/good.pem" "$folder/tls/server.pem"
stop_daemon

# The disk is too full for new business, and for no reading.
start_daemon 'journal:' '  reserve_mib: 1048576'
! "$bin/punkt" --server "unix:$folder/socket" purchase 2900000000018 1.00 --receipt R2 >"$folder/full" 2>&1 ||
    fail 'a full disk took a purchase'
grep -qi 'storage' "$folder/full" || fail "a full disk says: $(cat "$folder/full")"
logged 'storage is nearly full'
punkt card show 2900000000018
stop_daemon
! grep -E ' error ' "$folder/log" | grep -vE 'those from before stay|storage is nearly full' || fail 'punktd said an error'

"$bin/punktd" rebuild --data "$folder/data" --config "$folder/punktd.yaml" >>"$folder/said"
"$bin/punktd" verify --data "$folder/data" --config "$folder/punktd.yaml" >>"$folder/said"

# Without the filter, and told so; without the secrets, and told that, too.
! grep -q 'are made anew' "$folder/log" || fail 'secrets were lost'
rm "$folder/data/secrets"
start_daemon 'seccomp: false'
logged 'secrets .* are made anew'
grep -q '^Seccomp:[[:space:]]*0' "/proc/$daemon/status" || fail 'there is a filter that nobody asked for'
[ "$(grep -c 'refused from now on' "$folder/log")" = 2 ] || fail 'the log does not say when there is a filter'
stop_daemon

# No log names a card.
! grep -E '2900000000018' "$folder/log" || fail 'the log names a card'
echo 'a confined daemon does all its work'
