#!/usr/bin/env bash
# Keeps client/README.md honest: its C is one program that compiles, and what it names exists.
# client_readme.sh FLAG...
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
page=client/README.md
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
complain() {
    printf '%s: %s\n' "$page" "$*"
    failed=1
}

awk '/^```c$/ { inside = 1; next } /^```/ { inside = 0 } inside' "$page" >"$folder/register.c"
[ "$(wc -l <"$folder/register.c")" -ge 100 ] || complain 'its program is not found'
compiled=0
for compiler in gcc clang; do
    command -v "$compiler" >/dev/null || continue
    "$compiler" "$@" -Iclient/include -Werror -fsyntax-only "$folder/register.c" || complain "$compiler does not take its program"
    compiled=$((compiled + 1))
done
[ "$compiled" -gt 0 ] || complain 'neither gcc nor clang is here'

# What stands between backticks, one a line; blocks of code are left out.
quoted=$(awk '/^```/ { block = !block; next } !block' "$page" | grep -o '`[^`]*`' | tr -d '`')
for name in $(grep -oE '\b(punkt|PUNKT)_[A-Za-z_0-9]+' <<<"$quoted" | sort -u); do
    case $name in
    punkt_submit_ | punkt_poll | punkt_libevent) ;;
    *) grep -qE "\\b$name\\b" client/include/*.h || complain "no header has $name" ;;
    esac
done
for path in $({ echo "$quoted"; grep -oE 'man [a-z/.0-9-]+' "$page" | cut -d' ' -f2; } | grep -oE '^(client|conf|proto|tests)/[A-Za-z0-9_./-]*' | sort -u); do
    [ -e "$path" ] || complain "there is no $path"
done
# Every end of a call and every alarm has its row.
for name in $(sed -n 's/^    PUNKT_CALL_\([A-Z_]*\) = .*/\1/p' client/include/punkt.h); do
    grep -q "^| $name |" "$page" || complain "no row for PUNKT_CALL_$name"
done
for name in $(sed -n 's/^    \(PUNKT_ALARM_[A-Z_]*\) = .*/\1/p' client/include/punkt.h); do
    grep -q "^| \`$name\` |" "$page" || complain "no row for $name"
done
[ "$failed" = 0 ] && echo "$page: $(wc -l <"$folder/register.c") lines of C compile, $(wc -l <<<"$quoted") names exist"
exit "$failed"
