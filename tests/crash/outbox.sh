#!/usr/bin/env bash
# The outbox alone through crashes and failing calls: outbox.sh images|faults TEST_PROGRAMS SHIM [SEED]
#   images   random crash images, of failed syncs and kills too, and planted faults that must be found
#   faults   the N-th call fails, for every N: what was acknowledged is there, and the exit says what happened
set -eu
what=$1 crash_outbox=$2/crash_outbox shim=$3 seed=${4:-$RANDOM}
# In memory where there is such a place: what a disk would hold is worked out from the log.
work=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
work=$(cd "$work" && pwd -P)
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

fresh() {
    rm -rf "$work/data" "$work/log" "$work/acks" "$work/out" "$work/count"
    mkdir "$work/data" "$work/out"
    : >"$work/acks"
}

# write_logged ACTS SEED [SETTING=VALUE...]
write_logged() {
    local acts=$1 history_seed=$2
    shift 2
    with_shim "$@" IO_SHIM_LOG="$work/log" IO_SHIM_LOG_PATH="$work/data" \
        "$crash_outbox" write "$work/data" "$work/acks" "$history_seed" "$acts" 3
}

# go_on SEED [SETTING=VALUE...]: a logged history, or more of it in a new process.
go_on() {
    write_logged 60 "$@"
}

# images SEED COUNT: as many crashes, somewhere in that history.
images() {
    "$crash_outbox" images "$work/log" "$work/data" "$work/acks" "$1" "$2" "$work/out"
}

# look_and_go_on SEED WORDS: what another process finds must stay, from the moment it was looked at.
look_and_go_on() {
    write_logged 0 "$1"
    images "$1" 30 || complain "$2: what was found was lost"
    go_on "$1"
    images "$1" 40 || complain "$2: something was lost"
}

check_images() {
    local round
    for round in 1 2 3 4; do
        fresh
        go_on "$seed$round"
        images "$seed$round" 100 || complain 'an image lost something'
    done
}

# A sync fails, once or from then on; another process finds in memory what is not on the disk; then the power goes.
check_failed_sync() {
    local at status forever
    for forever in 0 1; do
        for at in 1 2 9 30; do
            fresh
            status=0
            go_on "$seed$at" IO_SHIM_CALL=fdatasync IO_SHIM_AT=$at IO_SHIM_FOREVER=$forever || status=$?
            [ "$status" = $((forever * 4)) ] || complain "a sync failed, forever=$forever at $at: exit $status"
            look_and_go_on "$seed$at" "a sync failed, forever=$forever at $at"
        done
    done
}

# killed CALL PATH: the process is killed at that call, and another goes on with what it left.
check_killed() {
    local call=$1 path=$2 at status
    for at in 1 2 3 5; do
        fresh
        status=0
        go_on "$seed$at" IO_SHIM_CALL="$call" IO_SHIM_PATH="$path" IO_SHIM_AT=$at IO_SHIM_ERROR=kill || status=$?
        # Not every history has so many.
        [ "$status" = 137 ] || [ "$at$status" = 50 ] || complain "killed at $call of $path, $at: exit $status"
        look_and_go_on "$seed$at" "killed at $call of $path, $at"
    done
}

# A harness that finds nothing proves nothing: with a sync taken out it must find a loss.
check_planted() {
    local call=$1 path=$2 round
    for round in 1 2 3 4 5 6; do
        fresh
        go_on "$seed$round" IO_SHIM_CALL="$call" IO_SHIM_PATH="$path" IO_SHIM_ERROR=swallow IO_SHIM_FOREVER=1
        if ! images "$seed$round" 100 >"$work/said"; then
            printf '%s of %s taken out: ' "$call" "$path"
            tail -n 1 "$work/said"
            return
        fi
    done
    complain "$call of $path was taken out, and no image shows it"
}

# One run in which a call fails. Prints its exit status and how often the call was hit.
run_with_fault() {
    local status=0
    fresh
    with_shim IO_SHIM_COUNT="$work/count" IO_SHIM_PATH="$work/data" "$@" \
        "$crash_outbox" write "$work/data" "$work/acks" "$seed" 30 2 2>"$work/said" || status=$?
    printf '%s %s\n' "$status" "$(sed 's/.*hits 0*//; s/^$/0/' "$work/count")"
}

# sweep CALL ERROR FOREVER EXITS...: every N until none is hit; the exit must be one of those.
sweep() {
    local call=$1 error=$2 forever=$3 n status hits seen=' '
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
        "$crash_outbox" check "$work/data" "$work/acks" || complain "$call $error forever=$forever at $n"
    done
    [ "$n" -gt 1 ] || complain "$call is never called"
    printf '%s %s forever=%s: %d calls, exits:%s\n' "$call" "$error" "$forever" $((n - 1)) "$seen"
}

case $what in
images)
    check_images
    check_failed_sync
    check_killed fsync "$work/data\$"
    check_killed fsync .new
    check_killed fdatasync "$work/data/outbox\$"
    check_killed rename .new
    check_planted fdatasync "$work/data/outbox\$"
    check_planted fsync .new
    check_planted fsync "$work/data\$"
    ;;
faults)
    # 0 done, 4 something was refused, 5 did not open.
    sweep fdatasync EIO 0 0
    sweep fdatasync EIO 1 4
    sweep fsync EIO 0 4 5
    sweep fsync EIO 1 4 5
    sweep fdatasync EINTR 0 0
    sweep pwrite EINTR 0 0
    sweep fallocate EINTR 0 0
    sweep pwrite half 0 0
    sweep pwrite half 1 4 5
    for error in EIO ENOSPC short; do
        # 0: a smaller file, or the rest of a write, was enough.
        sweep pwrite $error 0 0 4 5
        sweep pwrite $error 1 0 4 5
        sweep fallocate $error 0 0 4 5
        sweep fallocate $error 1 0 4 5
        sweep open $error 0 4 5
        sweep open $error 1 4 5
        sweep rename $error 0 4 5
        sweep rename $error 1 4 5
    done
    sweep all kill 0 0 137
    ;;
esac
exit "$failed"
