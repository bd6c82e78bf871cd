#!/usr/bin/env bash
# Compiles each header alone: headers.sh FLAG...
# The flags are those of the build. Every compiler that is there has its say, because each knows headers that
# bring other headers along by accident.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lint/files.sh
. "$here/files.sh"
cd "$here/../.."

# Headers are included as the code includes them, so a path that only works by luck does not work here.
include_of() {
    case $1 in
    client/include/*) printf '#include <%s>\n' "${1#client/include/}" ;;
    client/*) printf '#include "%s"\n' "${1#client/}" ;;
    daemon/*) printf '#include "%s"\n' "${1#daemon/}" ;;
    *) printf '#include "%s"\n' "$1" ;;
    esac
}

compilers=()
for compiler in gcc clang; do
    command -v "$compiler" >/dev/null && compilers+=("$compiler")
done
[ "${#compilers[@]}" -gt 0 ] || { echo 'neither gcc nor clang is here' >&2; exit 1; }

count=0
failed=0
while IFS= read -r header; do
    for compiler in "${compilers[@]}"; do
        if ! include_of "$header" |
            "$compiler" "$@" -Idaemon -I. -Iclient -Iclient/include -Werror -fsyntax-only -x c -; then
            echo "$header does not compile alone with $compiler"
            failed=1
        fi
    done
    count=$((count + 1))
done < <(lint_files '*.h' | grep -E '^(proto|daemon|client)/')
[ "$failed" = 0 ] && echo "$count headers compile alone with ${compilers[*]}"
exit "$failed"
