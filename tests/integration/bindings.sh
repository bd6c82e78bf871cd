# shellcheck shell=bash
# Sourced by the tests of client/examples: how a till of each language is started.

# Sets command to the till NAME's command line without its arguments; makes what that needs in $folder. Where Node or its
# packages are missing the test is skipped, unless it is CI that runs it: choose_till NAME EXAMPLES LIBRARY NODE_PACKAGES
# shellcheck disable=SC2034,SC2154 # both are of the script that sources this
choose_till() {
    export PUNKT_LIBRARY=$3
    case $1 in
    python) command=(python3 -B "$PUNKT_SOURCE/client/examples/till.py") ;;
    node)
        need_koffi "$4"
        # Node looks for packages beside the file itself.
        ln -s "$4/node_modules" "$folder/node_modules"
        cp "$PUNKT_SOURCE/client/examples/till.mjs" "$folder/"
        command=(node "$folder/till.mjs")
        ;;
    *) command=("$2/register_$1") ;;
    esac
}

need_koffi() {
    [ -f "$1/installed.json" ] && command -v node >/dev/null && return 0
    echo 'Node or koffi is not here; tests/run installs both, if it reaches the registry of npm'
    [ "${CI-}" != true ] || exit 1
    exit 77
}
