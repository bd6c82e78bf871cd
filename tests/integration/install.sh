#!/usr/bin/env bash
# Installs the build to a folder of its own and builds a cash register's program against it, once by way of
# CMake and once by way of pkg-config: install.sh COMPILER [SANITIZERS]
set -eu
compiler=$1
flags=-Werror
[ -z "${2-}" ] || flags="$flags -fsanitize=$2"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
prefix=$folder/prefix
cmake --install "${PUNKT_BIN%/bin}" --prefix "$prefix" >"$folder/log"

mkdir "$folder/register"
cat >"$folder/register/main.c" <<'C'
#include <punkt.h>

int main(void)
{
    return 0;
}
C
cat >"$folder/register/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(register LANGUAGES C)
find_package(punkt 0.1 REQUIRED)
add_executable(register main.c)
target_link_libraries(register PRIVATE punkt::punkt)
# The library is wanted although nothing of it is called yet.
target_link_options(register PRIVATE -Wl,--no-as-needed)
CMAKE
cmake -S "$folder/register" -B "$folder/cmake" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_C_COMPILER="$compiler" -DCMAKE_C_FLAGS="$flags" >"$folder/log"
cmake --build "$folder/cmake" >"$folder/log" || { cat "$folder/log"; exit 1; }
"$folder/cmake/register"

pc=$(find "$prefix" -name libpunkt.pc)
[ "$(PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --modversion libpunkt)" = 0.1.0 ]
# shellcheck disable=SC2046,SC2086 # lists of flags, to be split
"$compiler" $flags -o "$folder/by_pc" "$folder/register/main.c" -Wl,--no-as-needed \
    $(PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --cflags --libs libpunkt)
library=$(find "$prefix" -name libpunkt.so)
LD_LIBRARY_PATH=$(dirname "$library") "$folder/by_pc"

# Registers are written in C++ as well.
for header in punkt.h punkt_poll.h punkt_libevent.h; do
    echo "#include <$header>" | c++ -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$prefix/include" -x c++ -
done

# The programs find the library beside themselves.
"$prefix/bin/punkt" --version
"$prefix/bin/punktd" --version
