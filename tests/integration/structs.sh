#!/usr/bin/env bash
# Whether a binding of client/examples has punkt.h's structs: structs.sh python|node COMPILER LIBRARY NODE_PACKAGES
# Every field it declares is where the compiler puts it; and what it says arrives at a server, whose answers it can read.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/integration/bindings.sh
. "$here/bindings.sh"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
choose_till "$1" '' "$3" "$4"
case $1 in
python) structs=(env PYTHONPATH="$PUNKT_SOURCE/client/examples" python3 -B "$here/structs.py") ;;
node) cp "$here/structs.mjs" "$folder/" && structs=(node "$folder/structs.mjs") ;;
esac

# STRUCT FIELD OFFSET SIZE, a line a field.
"${structs[@]}" >"$folder/theirs"
{
    printf '#include <punkt.h>\n#include <stddef.h>\n#include <stdio.h>\nint main(void)\n{\n'
    while read -r struct field _; do
        # shellcheck disable=SC2016 # C's
        printf 'printf("%s %s %%zu %%zu\\n", offsetof(struct %s, %s), sizeof(((struct %s *)0)->%s));\n' \
            "$struct" "$field" "$struct" "$field" "$struct" "$field"
    done <"$folder/theirs"
    printf 'return 0;\n}\n'
} >"$folder/ours.c"
"$2" -std=c11 -I"$PUNKT_SOURCE/client/include" -o "$folder/print" "$folder/ours.c"
"$folder/print" >"$folder/ours"
diff "$folder/ours" "$folder/theirs" || { echo "the structs of the till in $1 are not those of punkt.h"; exit 1; }
[ "$(wc -l <"$folder/theirs")" -ge 150 ] || { echo 'few fields were compared'; exit 1; }

# Every value tells its field: in what the server was sent, and in what was read from its answers.
coproc MOCK { "$PUNKT_BIN/punkt" mock --echo --until-eof; }
exec 3<&"${MOCK[0]}" 4>&"${MOCK[1]}"
read -r -t 60 -u 3 _ address
"${structs[@]}" "$address" "$here/structs.json" >"$folder/got"
mock=$MOCK_PID
exec 4>&-
eval "exec ${MOCK[1]}>&-"
cat <&3 >>"$folder/got"
wait "$mock"
diff <(grep -v '^{"operation":"hello"' "$folder/got") "$here/structs.golden" || {
    echo "what the till in $1 sends or reads is not what it should be"
    exit 1
}
echo "$(wc -l <"$folder/theirs") fields are where punkt.h has them, and $(wc -l <"$here/structs.golden") messages are right"
