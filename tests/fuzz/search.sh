#!/usr/bin/env bash
# Lets a fuzz target search for a while from its corpus: search.sh PROGRAM CORPUS
# What is new goes to a folder beside the program, so that a test never writes into the source tree.
# PUNKT_FUZZ_SECONDS says for how long (20).
set -eu

program=$1
corpus=$2
found=$program.corpus
mkdir -p "$found" "$program.crashes"
folders=("$found")
[ -d "$corpus" ] && folders+=("$corpus")
exec "$program" -max_total_time="${PUNKT_FUZZ_SECONDS:-20}" -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="$program.crashes/" -print_final_stats=1 "${folders[@]}"
