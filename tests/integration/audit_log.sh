#!/usr/bin/env bash
# Who did what, sealed: a key made as an auditor has it made, a day of the office, a till and somebody at the door; what is
# written down of it; where the first key cannot be found any more; and keys that come back from a copy.
set -euo pipefail
folder=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true; rm -rf "$folder"' EXIT
data=$folder/data
key=$folder/seals/key
safe=$folder/safe # of the auditor
mkdir "$data" "$folder/seals" "$safe"

fail() {
    echo "audit_log.sh: $*" >&2
    for file in "$folder"/out "$folder"/err "$folder"/log; do
        [ ! -f "$file" ] || tail -n 30 "$file" >&2
    done
    exit 1
}

configure() {
    cat >"$folder/punktd.yaml" <<END
journal:
  segment_mib: 8
state:
  map_gib: 4
programme: $folder/programme.yaml
listen: 127.0.0.1:0
tls:
  listen: 127.0.0.1:0
  folder: $folder/tls
enrol:
  listen: 127.0.0.1:0
data: $data
seal_key: $1
...
END
}

start() {
    rm -f "$folder/log" "$folder/port" "$folder/pipe"
    mkfifo "$folder/pipe"
    "$PUNKT_BIN/punktd" --config "$folder/punktd.yaml" --port-file "$folder/port" 2>"$folder/pipe" &
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
    "$PUNKT_BIN/punkt" --server "$(head -n 1 "$folder/port")" "$@"
}

verify() {
    "$PUNKT_BIN/punktd" verify --config "$folder/punktd.yaml" "$@"
}

# Runs a command that must end with a code and say some words, wherever it says them.
ends_with() {
    local want=$1 words=$2 got=0
    shift 2
    "$@" >"$folder/out" 2>"$folder/err" || got=$?
    [ "$got" = "$want" ] || fail "$* ended with $got instead of $want"
    cat "$folder/out" "$folder/err" | grep -q -- "$words" || fail "$* does not say: $words"
}

# How many acts the audit log has of these options.
acts() {
    punkt --json audit log "$@" >"$folder/out" 2>"$folder/err" || fail "audit log $*"
    grep -c '"kind":' "$folder/out" || true
}

number_of_key() {
    sed -n 's/^number: //p' "$key"
}

# A close is sealed within moments: then the key has this number.
wait_for_key() {
    until [ "$(number_of_key)" -ge "$1" ]; do
        [ $SECONDS -lt 200 ] || fail "no seal was made"
    done
}

# --- the key ---

"$PUNKT_BIN/punktd" init-ca "$folder/tls" --name 127.0.0.1 >"$folder/out"
printf 'base: [{rule: spend, points: 1, amount: 1.00}]\nreasons: [goodwill]\nadjust_limits: {office: 100}\n...\n' \
    >"$folder/programme.yaml"
ends_with 64 "which file" "$PUNKT_BIN/punktd" init-audit

ends_with 78 "lies in the data folder" "$PUNKT_BIN/punktd" init-audit --data "$data" "$data/key"
[ ! -e "$data/key" ] || fail "a key was made in the data folder"
configure "$data/key"
ends_with 78 "lies in the data folder" "$PUNKT_BIN/punktd" --config "$folder/punktd.yaml"
configure "$key"
"$PUNKT_BIN/punktd" init-audit --config "$folder/punktd.yaml" "$key" >"$folder/out" 2>"$folder/err" || fail "no key"
grep -q "^seal_key: $key\$" "$folder/out" || fail "init-audit does not say what to write into the settings"
grep -E '^(lineage|number|key): ' "$folder/out" >"$safe/first"
cmp "$safe/first" "$key" || fail "another key was printed than made"
[ "$(stat -c %a "$key")" = 600 ] || fail "others may read the key"
first=$(sed -n 's/^key: //p' "$safe/first")
ends_with 73 "File exists" "$PUNKT_BIN/punktd" init-audit "$key"
cmp "$safe/first" "$key" || fail "a key was overwritten"

# --- a day ---

start
enrol=$(sed -n 's/^enrol //p' "$folder/port")
code=$(punkt --json user add olga --role office | sed -n 's/.*"code":"\([^"]*\)".*/\1/p')
"$PUNKT_BIN/punkt" enrol "$enrol" "$code" --identity "$folder/olga" >"$folder/out"
code=$(punkt --json user add paul --role approver | sed -n 's/.*"code":"\([^"]*\)".*/\1/p')
"$PUNKT_BIN/punkt" enrol "$enrol" "$code" --identity "$folder/paul" >"$folder/out"
olga=("$PUNKT_BIN/punkt" --json --identity "$folder/olga")
paul=("$PUNKT_BIN/punkt" --json --identity "$folder/paul")
punkt card issue 2900000000018 >"$folder/out"
"${olga[@]}" adjust 2900000000018 --reason goodwill --note "late parcel" -- 50 >"$folder/out"
ends_with 4 needs_approval "${olga[@]}" adjust 2900000000018 --reason goodwill -- 500
proposal=$(sed -n 's/.*"proposal":\([0-9]*\).*/\1/p' "$folder/out" "$folder/err")
"${paul[@]}" approval approve "$proposal" >"$folder/out"
ends_with 4 not_permitted "${paul[@]}" adjust 2900000000018 --reason goodwill -- 1
ends_with 4 not_permitted "${paul[@]}" audit log
for _ in 1 2 3; do # guesses at a code
    "$PUNKT_BIN/punkt" --timeout 5 enrol "$enrol" 0000-0000-0000-0000-0000-0000-0000-0001 --identity "$folder/nobody" \
        >"$folder/out" 2>"$folder/err" && fail "somebody guessed a code"
done
outbox=(--outbox "$folder/outbox" --store 1 --till 1)
punkt purchase 2900000000018 100.00 --receipt R1 "${outbox[@]}" >"$folder/out"
punkt till close "${outbox[@]}" >"$folder/out"
wait_for_key 1
stop # writes down the attempts of the minute
start

# --- who did it ---

[ "$(acts --actor olga --kind adjustment)" = 1 ] || fail "the adjustment of the office"
grep -q '"actor":"olga","detail":"goodwill, late parcel"' "$folder/out" || fail "what she said of it"
[ "$(acts --actor olga --kind proposal)" = 1 ] || fail "the proposal"
grep -q '"account":1,"points":500' "$folder/out" || fail "what she proposed, and for whom"
[ "$(acts --actor paul --kind adjustment)" = 1 ] || fail "what was approved"
grep -q "approved proposal $proposal" "$folder/out" || fail "which proposal it was"
grep -q "\"refers\":$proposal" "$folder/out" || fail "the event of the proposal"
[ "$(acts --actor paul --kind refusal)" = 1 ] || fail "the change that was refused"
grep -q '"detail":"adjust: not_permitted"' "$folder/out" || fail "why it was refused"
[ "$(acts --actor paul --kind attempts)" = 1 ] || fail "the read that was refused"
grep -q '1 x not permitted from paul' "$folder/out" || fail "what was counted of it"
[ "$(acts --actor local --kind identity)" -ge 2 ] || fail "who came into the register"
[ "$(acts --actor local --kind card_issued)" = 1 ] || fail "the card"
[ "$(acts --kind day_closed)" = 1 ] || fail "the close"
[ "$(acts --kind purchase)" = 0 ] || fail "what a till does all day is no act"
[ "$(acts --actor server --kind attempts)" -ge 1 ] || fail "guesses at a code"
grep -q '[1-3] x refused enrolment from 127.0.0.1' "$folder/out" || fail "how many they were"
[ "$(acts --kind seal)" -ge 1 ] || fail "the seal"
grep -q '"detail":"key 0, head at position' "$folder/out" || fail "with the first key"
[ "$(acts --limit 2)" = 2 ] || fail "a limit"
[ "$(acts --until 2020-01-01)" = 0 ] || fail "nothing was before"
[ "$(acts --since 2020-01-01)" = "$(acts)" ] || fail "everything is since"
ends_with 3 "no such till or user" punkt audit log --actor nobody

# --- the lineage goes on, and the first key is nowhere ---

before=$(number_of_key)
punkt purchase 2900000000018 20.00 --receipt R2 "${outbox[@]}" >"$folder/out"
punkt till close "${outbox[@]}" >"$folder/out"
wait_for_key $((before + 1))
stop
ends_with 0 '"genuine":[2-9]' verify --json --seal-key "$safe/first"
ends_with 0 "seals were made with their keys" verify --seal-key "$safe/first"
lineage=$(sed -n 's/^lineage: //p' "$safe/first")
grep -q "^lineage: $lineage\$" "$key" || fail "another lineage"
[ "$(ls -A "$folder/seals")" = key ] || fail "something lies beside the key: $(ls -A "$folder/seals")"
grep -rlaF "$first" "$folder" >"$folder/out" || fail "the search finds nothing at all"
bytes=$(printf '%s' "$first" | sed 's/../\\x&/g')
for made in "$first" "$bytes"; do
    LC_ALL=C grep -rlaP --exclude-dir=safe --exclude=out --exclude=pipe "$made" "$folder" && fail "the first key is still there"
done

# --- what comes back from a copy proves nothing ---

cp "$key" "$folder/newest"
cp "$safe/first" "$key"
start
grep -q "is refused: it has made seals before" "$folder/log" || fail "a key from a copy was taken"
punkt purchase 2900000000018 30.00 --receipt R3 "${outbox[@]}" >"$folder/out"
punkt till close "${outbox[@]}" >"$folder/out"
stop
cmp "$safe/first" "$key" || fail "a key that was refused moved on"
ends_with 0 "seals were made with their keys" verify --seal-key "$safe/first"

# Another lineage, which the first key says nothing about; nor does it say anything about that.
rm "$key"
"$PUNKT_BIN/punktd" init-audit "$key" | grep -E '^(lineage|number|key): ' >"$safe/second"
start
punkt purchase 2900000000018 40.00 --receipt R4 "${outbox[@]}" >"$folder/out"
punkt till close "${outbox[@]}" >"$folder/out"
wait_for_key 1
stop
ends_with 0 '"others":[1-9]' verify --json --seal-key "$safe/first"
ends_with 0 '"genuine":[1-9]' verify --json --seal-key "$safe/second"

# A seal that somebody else made: of the same numbers, and with a key of their own.
{
    grep -v '^key: ' "$safe/second"
    sed -n 's/^key: //p' "$safe/second" | tr 0-9a-f 1-9a-f0 | sed 's/^/key: /'
} >"$safe/forged"
ends_with 1 "was not made with its key" verify --seal-key "$safe/forged"
echo "all that was done is known, and sealed"
