#!/usr/bin/env bash
# The rules stand alone, so that a till or a simulator can link them: points_alone.sh PROGRAM POINTS BASE, the latter two
# archives. Outside of both, the rules ask only for what copies, compares and prints into memory: no allocation, clock, file
# or socket. The program, linked with nothing else, decides everything once, and counts what it allocates.
set -eu
export LC_ALL=C
program=$1 points=$2 base=$3

# Divisions of 128 bits are the compiler's; those with __ and _chk are what a hardened build makes of the others.
allowed='_GLOBAL_OFFSET_TABLE_|__u?(div|mod|divmod)ti[34]|__stack_chk_fail|mem(cmp|cpy|move|set)|strlen|bcmp|v?snprintf'
allowed+='|__(mem(cpy|move|set)|v?snprintf)_chk'
added_by_tests='__(asan|ubsan|tsan|sanitizer|sancov|gcov)_.*|__tls_get_addr|__start___.*|__stop___.*'

defined() {
    nm --defined-only "$@" | awk 'NF == 3 { print $3 }' | sort -u
}

undefined() {
    nm --undefined-only "$1" | awk 'NF == 2 { print $2 }' | sort -u
}

of_points=$(undefined "$points" | comm -23 - <(defined "$points"))
defined "$points" | grep -x decide_purchase >/dev/null || {
    echo "$points does not hold the rules"
    exit 1
}
foreign=$(printf '%s\n' "$of_points" | comm -23 - <(defined "$base") | grep -vxE "$allowed|$added_by_tests" || true)
if [ -n "$foreign" ]; then
    printf 'the rules ask for:\n%s\n' "$foreign"
    exit 1
fi
exec "$program"
