#!/usr/bin/env bash
# What libpunkt.so brings into a register's process, and what it does not: library.sh COMPILER
# Of a build of its own as it is shipped, for sanitizers add symbols, libraries and objects of theirs.
set -eu
compiler=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
{
    cmake -S "$PUNKT_SOURCE" -B "$folder/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER="$compiler" \
        -DBUILD_TESTING=OFF && cmake --build "$folder/build" -j 2 --target punkt_client
} >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
library=$folder/build/lib/libpunkt.so

failed=0
# complain WHAT STRAYS: strays are what there should be none of.
complain() {
    [ -z "$2" ] || { printf '%s: %s\n' "$1" "$(tr '\n' ' ' <<<"$2")"; failed=1; }
}
declared=$(grep -oE '\bpunkt_[a-z0-9_]+\(' "$PUNKT_SOURCE/client/include/punkt.h" | tr -d '(' | grep -v '_fn$' | sort -u)
exported=$(nm -D --defined-only "$library" | awk '{ print $3 }' | sort -u)
complain 'exported, but no function of punkt.h' "$(comm -23 <(echo "$exported") <(echo "$declared"))"
complain 'declared, but not exported' "$(comm -13 <(echo "$exported") <(echo "$declared"))"

needed=$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
complain 'needs more than libc and OpenSSL' "$(grep -vE '^(libc\.so\.6|lib(crypto|ssl)\.so\.3)$' <<<"$needed" || true)"
complain 'looks for libraries by a path of its own' "$(readelf -d "$library" | grep -E 'RPATH|RUNPATH' || true)"
readelf -lW "$library" | grep -q 'GNU_STACK.* RW ' || complain 'stack' 'executable'

# Constant tables are in .data.rel.ro, which the loader makes read-only; what is named here is the compiler's own.
globals=$(objdump -t "$library" | awk '/ \.(data|bss|tdata|tbss)\t/ && $NF !~ /^\./ { print $NF }' |
    grep -vE '^(completed\.0|__dso_handle|__TMC_END__|__cpu_(model|features2))$' || true)
complain 'variables that two handles would share' "$globals"

# A library does not decide about the process it is in, nor about its threads, signals and output.
imports=$(nm -D --undefined-only "$library" | awk '{ sub(/@.*/, "", $2); print $2 }')
grep -qx 'poll' <<<"$imports" || complain 'imports cannot be read' "$imports"
complain 'calls what ends, splits or steers the process' "$(grep -xE \
    '_?_?(exit|_Exit|quick_exit|abort|atexit|assert_fail|raise|kill|fork|vfork|clone|system|popen|exec[a-z]*|posix_spawnp?|signal|sigaction|sigprocmask|pthread_.*|thrd_.*|setlocale|setenv|putenv|unsetenv|chdir|umask|alarm|setitimer|printf|puts|putchar|perror|fwrite|std(in|out|err)|fflush|syslog|err|errx|warn|warnx|printf_chk|vprintf_chk|fprintf_chk|vfprintf_chk)' \
    <<<"$imports" || true)"

# One function of the library asks for memory, so that a caller's own can take its place.
takers=$(cd "$folder/build/client/lib/CMakeFiles" && nm -A -u punkt_client_static.dir/*.o |
    grep -E ' (malloc|calloc|realloc|reallocarray|free|strn?dup|v?asprintf|getline|getdelim|open_memstream|aligned_alloc|posix_memalign)$' |
    grep -v '/heap\.c\.o:' || true)
complain 'takes memory past the heap of the handle' "$takers"
exit "$failed"
