#!/usr/bin/env bash
# The help of each command, and what a wrong command line is answered with, word for word: cli_help.golden.
# After a wanted change: cli_help.sh --renew, and read the difference.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${PUNKT_BIN:=$here/../../build/dev/bin}"
golden=$here/cli_help.golden
now=$(mktemp)
trap 'rm -f "$now"' EXIT

# One command line: what it prints on either stream, and its exit code.
show() {
    printf '$ punkt'
    [ $# -eq 0 ] || printf ' %s' "$@"
    printf '\n'
    local code=0
    env -u PUNKT_SERVER -u PUNKT_IDENTITY "$PUNKT_BIN/punkt" "$@" 2>&1 || code=$?
    printf '[%s]\n\n' "$code"
}

{
    show --help
    "$PUNKT_BIN/punkt" --help | sed -n '/^Usage/,/^punkt COMMAND/s/^  \([a-z][a-z -]*[a-z]\)   *[A-Z].*/\1/p' |
        while read -r first second; do
            show "$first" ${second:+"$second"} --help
        done
    show
    show sell
    show card
    show outbox --help
    show --jsom ping
    show --json=yes ping
    show --server nonsense ping
    show ping --timeout soon
    show ping --retry ff:1
    show purchase 2900000000018
    show purchase 2900000000018 1.00 --receipt
    show purchase 2900000000018 1.00 --receipt A --receipt B
    show purchase 2900000000018 1.00 --retry ff
    show --json purchase 2900000000018 1.00 --colour red
    show redeem 2900000000018 -5
    show adjust 2900000000018 -- -10
    show return 2900000000018
    show return 2900000000018 --receipt R1
    show return 2900000000018 --receipt R1 --unlinked 5.00
    show return 2900000000018 --unlinked 5.00 --amount 5.00
    show status R1
    show statement 2900000000018 --limit 0
    show card issue 2900000000018 --count 10001
    show audit verify --head 5f70bf18
    show audit log --kind purchases
    show audit log --limit 0
    show --server 192.0.2.1:7400 ping
    show --identity no.identity ping
    show enrol 192.0.2.1 7Q4H
    show till add 12
    show till add 12/3 --psk --certificate till.pem
    show user add anna
    show user add anna --role till
    show user role anna boss
    show approval approve first
    show reverse 9f86d081884c7d65:1 --of 12/3 --outbox a --store 12 --till 3
    show import receipts sales.csv
    show import receipts sales.csv --map receipt=a,code=b
    show bench --mix tea
    show bench --pipeline 65
} >"$now"

if [ "${1-}" = --renew ]; then
    cp "$now" "$golden"
else
    diff -u "$golden" "$now"
fi

# The manual names every command and every option that the help does.
manual=$here/../../conf/man/punkt.1
missing=0
while read -r option; do
    grep -q -- "Fl -$option\>" "$manual" || { echo "punkt.1 does not have --$option"; missing=1; }
done < <(sed -n 's/^  --\([a-z-]*\).*/\1/p' "$golden" | sort -u)
while read -r command; do
    grep -q "^\.It Cm $command\>" "$manual" || { echo "punkt.1 does not have $command"; missing=1; }
done < <(sed -n 's/^\$ punkt \([a-z][a-z -]*\) --help$/\1/p' "$golden")
if command -v mandoc >/dev/null; then
    mandoc -T lint -W warning "$manual" || missing=1
fi
exit "$missing"
