#!/usr/bin/env bash
# What a reviewer should not have to say: format, size of files, words and paths that have no place here.
# style.sh [TREE]; style.sh --self-test shows that each rule finds its planted violation.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lint/files.sh
. "$here/files.sh"

lines_max=600

# Prints file:line and the reason of each line of the files that matches. The patterns are written with a
# bracket in them, so that this file does not find itself.
complain_about() {
    local pattern=$1 reason=$2
    shift 2
    [ $# -gt 0 ] || return 0
    grep -HnIE -e "$pattern" -- "$@" | awk -v reason="$reason" -F: '{ print $1 ":" $2 ": " reason }' || true
}

format_tool() {
    local tool
    for tool in clang-format-14 clang-format; do
        # Another version lays the same code out differently; then nobody could please both.
        if command -v "$tool" >/dev/null && "$tool" --version | grep -q 'version 14\.'; then
            printf '%s\n' "$tool"
            return
        fi
    done
}

complaints() {
    local code scripts text tool
    mapfile -t code < <(lint_files '*.c' '*.h' | grep -v '^tests/fuzz/corpus/')
    mapfile -t text < <(lint_files '*' | grep -vE '^(LICENSE$|tests/fuzz/corpus/|proto/vectors/)')
    mapfile -t scripts < <(printf '%s\n' "${text[@]}" | grep -E '\.sh$|^(tests|\.ci)/run$|^conf/try$')

    tool=$(format_tool)
    if [ -n "$tool" ] && [ "${#code[@]}" -gt 0 ]; then
        # The first place of a file is enough, for the answer is the same for all of them.
        "$tool" --dry-run "${code[@]}" 2>&1 | awk -v tool="$tool" -F: '
            /warning: code should be clang-formatted/ && !seen[$1]++ { print $1 ":" $2 ": run " tool " -i " $1 }'
    fi
    if [ "${#code[@]}" -gt 0 ]; then
        # The public header is one by design, and it is the manual: prose may be longer than code.
        awk -v max=$lines_max 'FNR == max + 1 && FILENAME != "client/include/punkt.h" {
            print FILENAME ":" FNR ": more than " max " lines; is there a second room in it?" }' "${code[@]}"
    fi
    complain_about '\<(T[O]DO|F[I]XME|X[X]X|H[A]CK)\>' 'do it, or open an issue and name it' "${text[@]}"
    complain_about '/(w[o]rk|f[a]rm|h[o]me|r[o]ot|U[s]ers)/' 'a path of one machine' "${text[@]}"
    local test_files=() file
    for file in "${code[@]}" "${scripts[@]}"; do
        case $file in tests/* | conf/try) test_files+=("$file") ;; esac
    done
    complain_about '\<(u|nano)?s[l]eep *\(|^[^#]*(^|[;&|( ])s[l]eep +[0-9$"]' 'wait for an event, not for time' "${test_files[@]}"
}

check() {
    local found
    cd "$1"
    found=$(complaints)
    if [ -n "$found" ]; then
        printf '%s\n' "$found"
        return 1
    fi
    if [ -n "$(format_tool)" ]; then
        echo 'format, sizes, words and paths are as they should be'
    else
        echo 'sizes, words and paths are as they should be; format not checked, clang-format 14 is not here'
    fi
}

# One violation in one file of an otherwise empty tree must be found, at the line it is on.
planted() {
    local file=$1 content=$2 line=$3 tree out
    tree=$(mktemp -d)
    mkdir -p "$tree/$(dirname "$file")"
    cp "$here/../../.clang-format" "$tree/"
    printf '%b' "$content" >"$tree/$file"
    out=$(check "$tree") || true
    rm -r "$tree"
    case $out in
    "$file:$line: "*) ;;
    *)
        printf 'not found in %s: %s\n%s\n' "$file" "$content" "$out"
        return 1
        ;;
    esac
}

self_test() {
    local long
    long=$(printf '%0601d' 0 | sed 's/0/int x;\\n/g')
    planted daemon/a.c "$long" 601
    planted daemon/a.c 'int a;\n/* T''ODO: all of it */\n' 2
    planted conf/a.yaml 'dir: /ho''me/someone/data\n' 1
    planted tests/unit/a.c 'void f(void);\nint a = s''leep(1);\n' 2
    planted tests/run 'true && s''leep 1\n' 1
    if [ -n "$(format_tool)" ]; then
        planted daemon/a.c 'int  a;\n' 1
    fi
    echo 'each planted violation is found'
}

case ${1-} in
--self-test) self_test ;;
*) check "${1:-$here/../..}" ;;
esac
