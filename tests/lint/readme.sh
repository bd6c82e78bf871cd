#!/usr/bin/env bash
# Keeps the README honest: what it names exists, its till is the one that is compiled, its tables of exit codes are
# those of the programs, and its tours and its way to a network are typed again and must print what is written there.
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
            read -r _ first second rest <<<"$(sed -E 's/ --json//; s/ --(server|identity) [^ ]*//' <<<"$line")"
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

# What a later line takes up from what was printed before, one a line: holds, proposals, enrolment codes.
carried() {
    sed -nE 's/^Hold ([0-9]+): .*/\1/p; s/.* approve: proposal ([0-9]+): .*/\1/p
        s/^ {4}punkt enrol [^ ]+ ([0-9A-Z-]{39})$/\1/p' "$1"
}

# A file without what is of its day, its ledger and its machine: times, positions, what is carried, the folder and the
# ports. Remarks and empty lines are not compared; of a daemon's log only what is not a warning.
without_times() {
    local gone
    gone=$(carried "$1" | sed 's/.*/s, *\\b&\\b, ...,g/')
    sed -E "$gone"'
        s/^(position +)[0-9]+/\1.../; s/"(position|refers|hold)":[0-9]+/"\1":.../g
        s/[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9:.]+(Z|[+-][0-9:]+)?)?/.../g
        s/^ *[0-9]+ \.\.\./... .../; s/ +$//
        /^(#.*)?$/d; /^\.\.\. warning /d; /\(seccomp\)$/d' "$1" | as_written
}

# The README's folder and ports, and those that the test uses; a port is known when the daemon listens. An address of
# enrolment has no port if that is 7445.
ports=(7443 7445)
taken=(0 0)
as_written() {
    sed "s,$folder/clone,/srv/punkt,g; s/:${taken[0]}\\b/:${ports[0]}/g; s/:${taken[1]}\\b/:${ports[1]}/g
        s/\\(punkt enrol [^ ]*\\):${ports[1]} /\\1 /"
}
as_taken() {
    sed "s/:${ports[0]}\\b/:${taken[0]}/g; s/:${ports[1]}\\b/:${taken[1]}/g; s/^punkt enrol [^ :]*/&:${taken[1]}/"
}

# Runs a line of the README that ends in "&" in the background, in a group of its own; what it says is read up to the last
# line that the README has of it.
type_behind() {
    local line=$1 last=$2 said=
    rm -f "$folder/says"
    mkfifo "$folder/says"
    (cd "$folder/clone" && exec setsid bash -c "${line%&}") >"$folder/says" 2>&1 &
    behind+=($!)
    exec 4<"$folder/says"
    while IFS= read -r -t 60 -u 4 said; do
        printf '%s\n' "$said" >>"$folder/printed"
        case $said in
        *' ready: '*) mapfile -t taken < <(grep -oE '(tls|enrol) [0-9.]+:[0-9]+' <<<"$said" | sed 's/.*://') ;;
        esac
        printf '%s\n' "$said" >"$folder/said"
        [ "$(without_times "$folder/said")" != "$last" ] || break
    done
    cat <&4 >>"$folder/log" &
    exec 4<&-
}

# The last line that the README has of its n-th command, without times.
last_of() {
    awk -v want="$1" '/^\$ / { n++; next } n == want' "$folder/written" >"$folder/last"
    without_times "$folder/last" | tail -n 1
}

# Types the n-th block behind a marker, line by line, in a folder that has the clone's conf, and compares what is printed.
type_block() {
    local line more old new i number=0
    block "$1" "$2" >"$folder/written"
    : >"$folder/printed"
    awk '/^\$ / || more { print; here = (here || /<<END$/) && !/^END$/; more = here || /\\$/ }' \
        "$folder/written" >"$folder/commands"
    [ -s "$folder/commands" ] || complain "$1 $2 is empty"
    mapfile -t old < <(carried "$folder/written")
    while IFS= read -r line; do
        while [[ $line == *\\ ]] && IFS= read -r more; do line+=$'\n'$more; done
        while [[ $line == *'<<END'* && $line != *$'\n'END ]] && IFS= read -r more; do line+=$'\n'$more; done
        number=$((number + 1))
        mapfile -t new < <(carried "$folder/printed")
        for i in "${!new[@]}"; do line=${line/ ${old[i]:-none} / ${new[i]} }; done
        printf '%s\n' "$line" >>"$folder/printed"
        line=$(as_taken <<<"${line#\$ }")
        if [[ $line == *\& ]]; then
            type_behind "$line" "$(last_of "$number")"
        else
            (cd "$folder/clone" && bash -c "$line" >>"$folder/printed" 2>&1) </dev/null || true
        fi
    done <"$folder/commands"
    diff <(without_times "$folder/written") <(without_times "$folder/printed") || complain "$1 $2 prints something else"
}

# A new folder, in which nothing is but the clone's conf.
begin() {
    rm -rf "${folder:?}"/*
    mkdir "$folder/clone"
    ln -s "$PWD/conf" "$folder/clone/conf"
}

# Types the n-th tour into a new ledger.
check_tour() {
    local line
    begin
    mkfifo "$folder/ready"
    punktd --data "$folder/data" --listen "unix:$folder/socket" >"$folder/ready" 2>&1 &
    behind=($!)
    exec 3<"$folder/ready"
    while IFS= read -r line <&3; do
        case $line in *ready*) break ;; *' error '*) printf '%s\n' "$line" ;; esac
    done
    cat <&3 >"$folder/log" &
    PUNKT_SERVER="unix:$folder/socket" type_block tour "$1"
    kill "${behind[0]}"
    wait "${behind[0]}" || complain "punktd ended with $? after tour $1"
    behind=()
    exec 3<&-
}

# The way to a network: everything is typed, the daemon too.
check_network() {
    begin
    HOME=$folder type_block network 1
    kill -- -"${behind[0]}"
    wait "${behind[0]}" || complain "punktd ended with $? after the five minutes"
    leave
}

leave() {
    local one
    for one in "${behind[@]}"; do kill -- -"$one" 2>/dev/null || kill "$one" 2>/dev/null || true; done
    behind=()
}

folder=$(cd "$(mktemp -d)" && pwd -P)
behind=()
unset PUNKT_SERVER PUNKT_IDENTITY XDG_CONFIG_HOME
trap 'leave; rm -rf "$folder"' EXIT
check_paths
check_tests
check_commands
check_exit_codes
check_till
check_tour 1
check_tour 2
check_tour 3
check_network
[ "$failed" = 0 ] && echo "README.md: $(typed | wc -l) command lines, $(quoted | wc -l) names, all tours are as written"
exit "$failed"
