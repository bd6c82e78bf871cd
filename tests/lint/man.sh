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
echo "${#pages[@]} manuals read"
