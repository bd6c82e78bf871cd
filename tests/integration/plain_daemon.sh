#!/usr/bin/env bash
# Builds punktd and punkt without sanitizers into FOLDER, for what sanitizers change: plain_daemon.sh FOLDER COMPILER
set -eu
{
    cmake -S "$PUNKT_SOURCE" -B "$1" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER="$2" -DBUILD_TESTING=OFF &&
        cmake --build "$1" --target punktd punkt
} >"$1.log" 2>&1 || { cat "$1.log"; exit 1; }
