#!/usr/bin/env bash
# An auditor at work: the head that a till printed at its close, and the first key of the seals, against journals that were
# left alone, put back as they were before, or begun anew.
set -euo pipefail
folder=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true; rm -rf "$folder"' EXIT
data=$folder/data
lineage=000102030405060708090a0b0c0d0e0f
key=101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f
printf 'lineage: %s\nnumber: 0\nkey: %s\n' $lineage $key >"$folder/key"
cp "$folder/key" "$folder/safe" # of the auditor
chmod 600 "$folder/key" "$folder/safe"
printf 'journal:\n  segment_mib: 8\nstate:\n  map_gib: 4\nseal_key: %s\n...\n' "$folder/key" >"$folder/punktd.yaml"

fail() {
    echo "audit.sh: $*" >&2
    cat "$folder/out" "$folder/err" "$folder/log" >&2 || true
    exit 1
}

# Starts the daemon and waits for its ready line.
start() {
    rm -f "$folder/log" "$folder/port" "$folder/pipe"
    mkfifo "$folder/pipe"
    "$PUNKT_BIN/punktd" --config "$folder/punktd.yaml" --data "$data" --listen 127.0.0.1:0 \
        --port-file "$folder/port" 2>"$folder/pipe" &
    pid=$!
    exec 3<"$folder/pipe"
    while IFS= read -r -t 60 -u 3 line; do
        printf '%s\n' "$line" >>"$folder/log"
        case $line in *ready*) return 0 ;; esac
    done
    fail "punktd did not get ready"
}

stop() {
    kill -TERM "$pid"
    cat <&3 >>"$folder/log"
    wait "$pid" || fail "punktd stopped with $?"
    pid=
    exec 3<&-
}

punkt() {
    "$PUNKT_BIN/punkt" --server "$(cat "$folder/port")" --json "$@"
}

verify() {
    "$PUNKT_BIN/punktd" verify --config "$folder/punktd.yaml" --data "$data" "$@"
}

# Runs a command that must end with a code and say some words, wherever it says them.
ends_with() {
    local want=$1 words=$2 got=0
    shift 2
    "$@" >"$folder/out" 2>"$folder/err" || got=$?
    [ "$got" = "$want" ] || fail "$* ended with $got instead of $want"
    cat "$folder/out" "$folder/err" | grep -q -- "$words" || fail "$* does not say: $words"
}

no_head=$(printf '%064d' 7)
outbox=(--outbox "$folder/outbox" --store 1 --till 1)
start
punkt card issue 2900000000018 >"$folder/out"
stop
cp -r "$data" "$folder/before"
cp "$folder/key" "$folder/key.before"
start
punkt purchase 2900000000018 100.00 --receipt R1 "${outbox[@]}" >"$folder/out"
punkt till close "${outbox[@]}" >"$folder/close"
head=$(sed -n 's/.*"journal_head":"\([0-9a-f]\{64\}\)".*/\1/p' "$folder/close")
[ -n "$head" ] || fail "no head in $(cat "$folder/close")"
# A close is sealed within moments.
until punkt audit log --kind seal | grep -q '"kind":"seal"'; do
    [ $SECONDS -lt 60 ] || fail "no seal was made"
done

# Beside a daemon that runs.
ends_with 0 '"state":"matches"' punkt audit verify --head "$head"
ends_with 1 head_missing punkt audit verify --head "$no_head"
ends_with 0 '"state":"matches"' punkt audit verify
stop

# Left alone.
ends_with 0 "The head that was given is in it" verify --head "$head"
ends_with 0 '"position":' verify --head "${head:0:32} ${head:32}" --json
ends_with 0 "seals were made with their keys" verify --head "$head" --seal-key "$folder/safe"
ends_with 0 '"genuine":[1-9]' verify --json --seal-key "$folder/safe"
ends_with 0 '"position":' punkt audit verify --data "$data" --head "$head"
grep -q "number: [1-9]" "$folder/key" || fail "the key of the daemon was not moved on"
grep -q $key "$folder/key" && fail "the first key is still there"

# Words for what is no head and no key.
ends_with 64 "64 hexadecimal digits" verify --head "${head:1}"
ends_with 65 "is no key" verify --seal-key "$folder/punktd.yaml"
ends_with 66 "cannot be read" verify --seal-key "$folder/nothing"

# Another head, another key, the key of now, which has made no seal yet.
ends_with 1 "rewritten or cut, or this is another ledger" verify --head "$no_head"
ends_with 1 '"code":"head_missing"' verify --head "$no_head" --json
sed "s/$key/${key/1/f}/" "$folder/safe" >"$folder/wrong"
ends_with 1 "not made with its key" verify --seal-key "$folder/wrong"
sed "s/$lineage/${lineage/1/f}/" "$folder/safe" >"$folder/wrong"
ends_with 1 "no seal was made with this key" verify --seal-key "$folder/wrong"
ends_with 1 "no seal was made with this key" verify --seal-key "$folder/key"

# Put back as it was before the sale: sound in itself, and yet found out.
mv "$data" "$folder/after"
cp -r "$folder/before" "$data"
ends_with 0 "The journal is whole" verify
ends_with 1 "rewritten or cut" verify --head "$head"

# The same sale in a ledger that was begun anew, with the key of then.
rm -r "$data" "$folder/outbox"
cp "$folder/key.before" "$folder/key"
start
punkt card issue 2900000000018 >"$folder/out"
punkt purchase 2900000000018 100.00 --receipt R1 "${outbox[@]}" >"$folder/out"
ends_with 1 head_missing punkt audit verify --head "$head"
stop
ends_with 1 "rewritten or cut" verify --head "$head"
echo "what the auditor kept finds it all"
