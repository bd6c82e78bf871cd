# shellcheck shell=bash disable=SC2154 # $bin and $folder are those of the script
# Sourced by the scripts here that need a daemon. $bin: where the programs are; $folder: one of the script's own.
daemon_pid=

daemon_stop() {
    [ -n "$daemon_pid" ] || return 0
    kill "$daemon_pid"
    wait "$daemon_pid" || true
    daemon_pid=
}

# daemon_start [SETTINGS]: a daemon on a new ledger; with a file of settings, on the one that they name.
daemon_start() {
    local line
    daemon_stop
    [ -p "$folder/said" ] || mkfifo "$folder/said"
    if [ $# -gt 0 ]; then
        "$bin/punktd" --config "$1" 2>"$folder/said" &
    else
        rm -rf "$folder/data"
        "$bin/punktd" --data "$folder/data" --listen 127.0.0.1:0 --port-file "$folder/port" 2>"$folder/said" &
    fi
    daemon_pid=$!
    exec 3<"$folder/said"
    while IFS= read -r -t 60 -u 3 line; do
        case $line in *ready*) break ;; esac
    done
    cat <&3 >/dev/null & # what else it says must not block it
}

# daemon_address [KIND]: where it listens for plain connections, or for those of "tls", "psk" or "enrol".
daemon_address() {
    if [ $# -gt 0 ]; then
        sed -n "s/^$1 //p" "$folder/port"
    else
        head -1 "$folder/port"
    fi
}
