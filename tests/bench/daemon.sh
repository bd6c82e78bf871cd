# shellcheck shell=bash disable=SC2154 # $bin and $folder are those of the script
# Sourced by the scripts here that need a daemon. $bin: where the programs are; $folder: one of the script's own.
daemon_pid=

daemon_stop() {
    [ -n "$daemon_pid" ] || return 0
    kill "$daemon_pid"
    wait "$daemon_pid" || true
    daemon_pid=
}

# A daemon on a new ledger; daemon_address says where it listens.
daemon_start() {
    local line
    daemon_stop
    rm -rf "$folder/data"
    [ -p "$folder/said" ] || mkfifo "$folder/said"
    "$bin/punktd" --data "$folder/data" --listen 127.0.0.1:0 --port-file "$folder/port" 2>"$folder/said" &
    daemon_pid=$!
    exec 3<"$folder/said"
    while IFS= read -r -t 60 -u 3 line; do
        case $line in *ready*) break ;; esac
    done
    cat <&3 >/dev/null & # what else it says must not block it
}

daemon_address() {
    cat "$folder/port"
}
