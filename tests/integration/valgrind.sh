#!/usr/bin/env bash
# The library's own tests under valgrind, which sees reads of what was never written: valgrind.sh COMPILER
# Of a build of its own, for valgrind and sanitizers exclude each other.
set -eu
compiler=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
{
    # What clang writes of itself is newer than what valgrind reads.
    cmake -S "$PUNKT_SOURCE" -B "$folder/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER="$compiler" \
        -DCMAKE_C_FLAGS=-gdwarf-4
} >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
mapfile -t tests < <(cmake --build "$folder/build" --target help | grep -oE '^unit_(client|outbox)[a-z_]*' | sort -u)
[ "${#tests[@]}" -ge 6 ] || { echo "only ${#tests[@]} tests of the library were found"; exit 1; }
cmake --build "$folder/build" -j 2 --target "${tests[@]}" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }

# A test that looks for PINs in all memory of a handle looks where nothing was ever written, too.
cat >"$folder/suppressions" <<'SUPPRESSIONS'
{
   looks_for_pins_by_words
   Memcheck:Value8
   ...
   fun:holds_pin
}
{
   looks_for_pins
   Memcheck:Cond
   ...
   fun:holds_pin
}
SUPPRESSIONS

failed=0
for name in "${tests[@]}"; do
    # Only what is lost for certain: of the stacks of threads it says that they may be.
    if valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite \
        --track-origins=yes --child-silent-after-fork=yes --suppressions="$folder/suppressions" \
        "$folder/build/tests/$name" >"$folder/log" 2>&1; then
        echo "$name: clean"
    else
        cat "$folder/log"
        failed=1
    fi
done
exit "$failed"
