#!/usr/bin/env bash
# The journal alone through crashes and failing calls: journal.sh images|faults TEST_PROGRAMS SHIM [SEED]
#   images   random crash images, crashes during recovery, and planted faults that must be found
#   faults   the N-th call fails, for every N: acknowledged is a part of recovered, and the exit says what happened
set -eu
what=$1 crash_journal=$2/crash_journal crash_images=$2/crash_images shim=$3 seed=${4:-$RANDOM}
work=$(cd "$(mktemp -d)" && pwd -P)
trap 'rm -rf "$work"' EXIT
# The shim comes before the sanitizer's runtime, and passes on to it.
export ASAN_OPTIONS="${ASAN_OPTIONS-}:verify_asan_link_order=0"
echo "seed $seed"

failed=0
complain() {
    printf '%s\n' "$*"
    failed=1
}

# with_shim SETTING=VALUE... COMMAND...: the shim is loaded into that command only, not into the shell's.
with_shim() {
    timeout 60 env LD_PRELOAD="$shim" "$@"
}

# A fresh folder with a logged history: history SEED [SETTING=VALUE...]
history() {
    rm -rf "$work/data" "$work/log" "$work/acks" "$work/out"
    mkdir "$work/data" "$work/out"
    go_on "$@"
}

# The same history goes on in a new process.
go_on() {
    local history_seed=$1
    shift
    with_shim "$@" IO_SHIM_LOG="$work/log" IO_SHIM_LOG_PATH="$work/data" \
        "$crash_journal" write "$work/data/journal" "$work/acks" "$history_seed" 60 3
}

images() {
    "$crash_journal" images "$work/log" "$work/data" "$work/acks" "$1" "$2" "$work/out"
}

check_images() {
    local round
    for round in 1 2 3 4; do
        history "$seed$round"
        images "$seed$round" 60 || complain 'an image lost something'
    done
}

# A sync fails, the process ends, the next one finds in memory what is not on the disk, and then the power goes.
check_failed_sync() {
    local at status
    for at in 3 20 47; do
        status=0
        history "$seed$at" IO_SHIM_CALL=fdatasync IO_SHIM_PATH=.seg IO_SHIM_AT=$at 2>"$work/said" || status=$?
        [ "$status" = 70 ] || complain "a failed sync of a block: exit $status"
        go_on "$seed$at"
        images "$seed$at" 60 || complain 'what a failed sync left in memory was lost'
    done
}

# The process is killed when a folder has changed and is not synced yet.
check_unsynced_folder() {
    local at status
    for at in 1 2 3 4; do
        status=0
        history "$seed$at" IO_SHIM_CALL=fsync IO_SHIM_PATH="$work/data/journal\$" IO_SHIM_AT=$at \
            IO_SHIM_ERROR=kill 2>"$work/said" || status=$?
        [ "$status" = 137 ] || complain "killed at a sync: exit $status"
        go_on "$seed$at"
        images "$seed$at" 60 || complain 'a change of the folder was lost'
    done
}

# The same for crashes while recovering from a crash, whose first recovery could not sync.
check_images_of_recovery() {
    local image cut acked
    rm -rf "$work/first"
    "$crash_images" "$work/log" "$work/data" "$work/first" 12 "$seed" >"$work/list"
    while read -r image cut; do
        acked=$(awk -v cut="$cut" '$1 <= cut && $2 > most { most = $2 } END { print most + 0 }' "$work/acks")
        rm -rf "$work/base" "$work/log2"
        cp -r "$image" "$work/base"
        with_shim IO_SHIM_LOG="$work/log2" IO_SHIM_LOG_PATH="$image" IO_SHIM_CALL=fsync IO_SHIM_PATH=.seg \
            "$crash_journal" recover "$image/journal" "$seed$1" "$acked" >"$work/said" || true
        with_shim IO_SHIM_LOG="$work/log2" IO_SHIM_LOG_PATH="$image" \
            "$crash_journal" recover "$image/journal" "$seed$1" "$acked" || complain 'recovery failed'
        printf '0 %s 0\n' "$acked" >"$work/acks2"
        "$crash_journal" images "$work/log2" "$image" "$work/acks2" "$seed$1" 20 "$work/out" "$work/base" ||
            complain 'a crash during recovery lost something'
    done <"$work/list"
}

# A harness that finds nothing proves nothing: with a sync taken out it must find a loss.
check_planted() {
    local call=$1 path=$2 round
    for round in 1 2 3 4 5 6; do
        history "$seed$round" IO_SHIM_CALL="$call" IO_SHIM_PATH="$path" IO_SHIM_ERROR=swallow IO_SHIM_FOREVER=1
        if ! images "$seed$round" 60 >"$work/said"; then
            printf '%s of %s taken out: ' "$call" "$path"
            tail -n 1 "$work/said"
            return
        fi
    done
    complain "$call of $path was taken out, and no image shows it"
}

# One run in which a call fails. Prints its exit status and how often the call was hit.
run_with_fault() {
    local status=0 hits
    rm -rf "$work/data" "$work/acks" "$work/count"
    mkdir "$work/data"
    : >"$work/acks"
    with_shim IO_SHIM_COUNT="$work/count" IO_SHIM_PATH="$work/data" "$@" \
        "$crash_journal" write "$work/data/journal" "$work/acks" "$seed" 10 2 2>"$work/said" || status=$?
    hits=$(sed 's/.*hits 0*//; s/^$/0/' "$work/count")
    printf '%s %s\n' "$status" "$hits"
}

# Full space that goes away again costs nothing but time.
check_resumes() {
    rm -rf "$work/data" "$work/acks"
    mkdir "$work/data"
    with_shim IO_SHIM_CALL=pwrite IO_SHIM_PATH="$work/data/journal/spare" IO_SHIM_AT=3 IO_SHIM_ERROR=ENOSPC \
        IO_SHIM_COUNT="$work/count" "$crash_journal" write "$work/data/journal" "$work/acks" "$seed" 40 1 patient ||
        complain 'full space did not go away'
    grep -q 'hits 0000000001' "$work/count" || complain 'no spare met full space'
}

# sweep CALL ERROR FOREVER EXITS...: every N until none is hit; the exit must be one of those.
sweep() {
    local call=$1 error=$2 forever=$3 n status hits acked seen=' '
    shift 3
    for ((n = 1; n < 400; n++)); do
        read -r status hits <<<"$(run_with_fault IO_SHIM_CALL="$call" IO_SHIM_ERROR="$error" \
            IO_SHIM_FOREVER="$forever" IO_SHIM_AT="$n")"
        [ "$hits" != 0 ] || break
        case " $* " in
        *" $status "*) ;;
        *) complain "$call $error forever=$forever at $n: exit $status, not one of: $*; $(head -c 500 "$work/said")" ;;
        esac
        case $seen in *" $status "*) ;; *) seen="$seen$status " ;; esac
        acked=$(awk '$2 > most { most = $2 } END { print most + 0 }' "$work/acks")
        [ ! -d "$work/data/journal" ] || "$crash_journal" recover "$work/data/journal" "$seed" "$acked" ||
            complain "$call $error forever=$forever at $n: acknowledged $acked and lost"
    done
    [ "$n" -gt 1 ] || complain "$call is never called"
    printf '%s %s forever=%s: %d calls, exits:%s\n' "$call" "$error" "$forever" $((n - 1)) "$seen"
}

case $what in
images)
    check_images
    check_images_of_recovery 4
    check_failed_sync
    check_unsynced_folder
    check_planted fdatasync .seg
    check_planted fdatasync spare
    check_planted fsync "$work/data/journal"
    ;;
faults)
    # 0 done, 4 storage full, 5 did not open, 70 ended by fatal().
    sweep fdatasync EIO 0 5 70
    sweep fdatasync EIO 1 5 70
    sweep fsync EIO 0 5 70
    sweep pwrite EIO 0 5 70
    sweep pwrite half 0 0
    sweep pwrite short 0 0 5 70
    sweep pwrite short 1 0 5 70
    # 0: the spare that found no space was not needed any more.
    sweep pwrite ENOSPC 0 0 4 5 70
    sweep pwrite ENOSPC 1 0 4 5 70
    sweep rename EIO 0 5 70
    sweep rename ENOSPC 1 0 4 5
    sweep open ENOSPC 1 0 4 5
    sweep open EIO 0 5 70
    sweep all kill 0 137
    check_resumes
    ;;
esac
exit "$failed"
