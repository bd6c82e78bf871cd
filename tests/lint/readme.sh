#!/usr/bin/env bash
# Keeps the README honest: what it names exists, its till is the one that is compiled, its tables of exit codes are
# those of the programs, and its tour is typed again and must print what is written there.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
: "${PUNKT_BIN:=build/dev/bin}"
bin=$(cd "$PUNKT_BIN" && pwd)
export LC_ALL=C PATH="$bin:$PATH"

failed=0
complain() {
    printf 'README.md: %s\n' "$*"
    failed=1
}

# What stands between backticks, one a line; blocks of code are left out.
quoted() {
    awk '/^```/ { block = !block; next } !block' README.md | grep -o '`[^`]*`' | tr -d '`'
}

# The lines of code that run Punkt, joined where they are continued.
typed() {
    { quoted; sed -n 's/^    //p; s/^\$ //p' README.md | sed -e ':more' -e '/\\$/N; s/\\\n *//; t more'; } |
        sed 's/^.*| punkt /punkt /; s/ *#.*//' | grep -E '^punktd? ' | sort -u
}

# The block of code behind the n-th marker of this name: block MARKER N.
block() {
    awk -v marker="<!-- $1 -->" -v want="$2" '
        $0 == marker { seen++; next }
        seen == want && /^```/ { if (inside) exit; inside = 1; next }
        inside' README.md
}

check_paths() {
    local path
    while IFS= read -r path; do
        [ -e "$path" ] || complain "there is no $path"
    done < <({ quoted; grep -oE 'man [a-z/.0-9-]+' README.md | cut -d' ' -f2; grep -oE '\]\([^)#]+\)' README.md | tr -d ']()'; } |
        grep -oE '^(\.ci|client|conf|daemon|proto|tests)/[A-Za-z0-9_./-]*' | sort -u)
}

check_tests() {
    local all name
    all=$(find "$bin/.." -name CTestTestfile.cmake -exec sed -n 's/^add_test(\[=\[\(.*\)\]=\].*/\1/p' {} +)
    while IFS= read -r name; do
        grep -qxF "$name" <<<"$all" || complain "there is no test $name"
    done < <({ quoted; typed; } | grep -oE '^(unit|system|crash|lint|fuzz)\.[a-z_0-9]+' | sort -u)
}

check_options() {
    local line=$1 help=$2 option
    for option in $(grep -oE '(^| )--[a-z][a-z-]*' <<<"$line"); do
        grep -qE -- "(^|[^a-z-])$option([^a-z-]|\$)" <<<"$help" || complain "no $option in: $line"
    done
}

check_commands() {
    local commands line first second rest command
    commands=$(punkt --help | sed -n '/^Usage/,/^punkt COMMAND/s/^  \([a-z][a-z -]*[a-z]\)   *[A-Z].*/\1/p')
    while IFS= read -r line; do
        case $line in
        punktd\ *) check_options "$line" "$(punktd --help)" ;;
        *)
            read -r _ first second rest <<<"$(sed 's/ --json//; s/ --server [^ ]*//' <<<"$line")"
            case $first in -*) check_options "$line" "$(punkt --help)" && continue ;; esac
            command="$first $second"
            grep -qx "$command" <<<"$commands" || command=$first
            grep -qx "$command" <<<"$commands" || { complain "no such command: $line" && continue; }
            # shellcheck disable=SC2086 # one word or two
            check_options "$line" "$(punkt $command --help)"
            ;;
        esac
    done < <(typed)
}

# The table behind a heading: "code first-word" a line. Backticks are those of the text.
# shellcheck disable=SC2016
codes() {
    awk -v heading="| $1 " 'index($0, heading) == 1 { on = 1; next } on && !/^\|/ { exit }
        on && match($0, /^\| [0-9]+ \| /) { split($0, word, /[| :,]+/); print word[2] " " word[3] }' README.md
}

check_exit_codes() {
    local ours theirs
    # shellcheck disable=SC2016
    ours=$(codes '`punkt`')
    # "Exit codes: 0 done, 1 failed, 2 wrong command line, ..." and the enum of the command, by their numbers.
    theirs=$(punkt --help | sed -n '/^Exit codes/,/\.$/p' | tr '\n' ' ' | grep -oE '[0-9] [a-z]+')
    [ "$ours" = "$theirs" ] || complain "exit codes of punkt: $ours; its help: $theirs"
    theirs=$(sed -n 's/^    CLI_[A-Z_]* = \([0-9]*\),.*/\1/p' client/cli/cli.h)
    [ "$(cut -d' ' -f1 <<<"$ours")" = "$theirs" ] || complain 'exit codes of punkt are not those of client/cli/cli.h'
    theirs=$(sed -n '/^\.Sh EXIT STATUS/,/^\.El/s/^\.It //p' conf/man/punktd.8)
    [ "$(codes '`punktd` ends with' | cut -d' ' -f1)" = "$theirs" ] || complain 'exit codes of punktd are not those of its manual'
}

check_till() {
    diff client/examples/till.c <(block till.c 1) || complain 'its till is not client/examples/till.c'
}

# Times and days are of the day they were written, positions of the journal it was: without_times HOLD. Remarks and
# empty lines are not compared.
without_times() {
    sed -E "s/\\b$1\\b/.../; s/^(position +)[0-9]+/\1.../; s/\"(position|refers|hold)\":[0-9]+/\"\1\":.../g
        s/[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9:.]+(Z|[+-][0-9:]+)?)?/.../g; /^(#.*)?\$/d"
}

# The number of the first hold that a tour sets, or nothing.
hold_of() {
    sed -n 's/^Hold \([0-9]*\): .*/\1/p' "$1" | head -n 1
}

# Types the n-th tour into a new ledger, in a folder that has the clone's conf.
check_tour() {
    local line more written hold
    rm -rf "$folder/data" "$folder/clone"
    rm -f "$folder/ready"
    mkdir "$folder/clone"
    : >"$folder/printed"
    ln -s "$PWD/conf" "$folder/clone/conf"
    mkfifo "$folder/ready"
    punktd --data "$folder/data" --listen "unix:$folder/socket" >"$folder/ready" 2>&1 &
    daemon=$!
    exec 3<"$folder/ready"
    while IFS= read -r line <&3; do
        case $line in *ready*) break ;; *' error '*) printf '%s\n' "$line" ;; esac
    done
    cat <&3 >"$folder/log" &
    block tour "$1" >"$folder/written"
    awk '/^\$ / || more { print; more = /\\$/ }' "$folder/written" >"$folder/commands"
    [ -s "$folder/commands" ] || complain "tour $1 is empty"
    written=$(hold_of "$folder/written")
    while IFS= read -r line; do
        while [[ $line == *\\ ]] && IFS= read -r more; do line+=$'\n'$more; done
        hold=$(hold_of "$folder/printed")
        [ -z "$hold" ] || line=${line/ $written / $hold }
        printf '%s\n' "$line" >>"$folder/printed"
        (cd "$folder/clone" && PUNKT_SERVER="unix:$folder/socket" bash -c "${line#\$ }" >>"$folder/printed" 2>&1) </dev/null ||
            true
    done <"$folder/commands"
    kill "$daemon"
    wait "$daemon" || complain "punktd ended with $? after tour $1"
    daemon=
    exec 3<&-
    hold=$(hold_of "$folder/printed")
    diff <(without_times "${written:-none}" <"$folder/written") <(without_times "${hold:-none}" <"$folder/printed") ||
        complain "tour $1 prints something else"
}

folder=$(mktemp -d)
daemon=
trap '[ -z "$daemon" ] || kill "$daemon" || true; rm -rf "$folder"' EXIT
check_paths
check_tests
check_commands
check_exit_codes
check_till
check_tour 1
check_tour 2
check_tour 3
[ "$failed" = 0 ] && echo "README.md: $(typed | wc -l) command lines, $(quoted | wc -l) names, all tours are as written"
exit "$failed"
