#!/usr/bin/env bash
# Reads the manuals as mandoc does and fails at its first warning.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lint/files.sh
. "$here/files.sh"
cd "$here/../.."

mapfile -t pages < <(lint_files '*.[1-8]' | grep '^conf/man/')
if [ "${#pages[@]}" -gt 0 ]; then
    mandoc -T lint -W warning "${pages[@]}"
fi

# The manual of the library has every function; those that only submit are named with their twins.
missing=$(grep -oE '\bpunkt_[a-z0-9_]+\(' client/include/punkt.h | tr -d '(' | grep -vE '_fn$|^punkt_submit_' | sort -u |
    while read -r name; do grep -qE "^\.Fn $name( |\$)" conf/man/libpunkt.3 || printf '%s ' "$name"; done)
[ -z "$missing" ] || { echo "conf/man/libpunkt.3 lacks: $missing"; exit 1; }
strange=$(sed -n 's/^\.Fn \(punkt_[a-z0-9_]*\).*/\1/p' conf/man/libpunkt.3 | sort -u |
    while read -r name; do grep -q "\<$name" client/include/punkt.h || printf '%s ' "$name"; done)
[ -z "$strange" ] || { echo "no header has: $strange"; exit 1; }
echo "${#pages[@]} manuals read"
