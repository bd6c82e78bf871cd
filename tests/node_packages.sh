# shellcheck shell=bash
# Sourced by tests/run: install_node_packages FOLDER brings what client/examples/package-lock.json pins, by its hashes,
# into FOLDER/node_modules, unless it is there. No script of a package is run.
install_node_packages() {
    local folder=$1 examples
    examples=$(dirname "${BASH_SOURCE[0]}")/../client/examples
    cmp -s "$examples/package-lock.json" "$folder/installed.json" && return 0
    mkdir -p "$folder"
    cp "$examples/package.json" "$examples/package-lock.json" "$folder"
    echo '== install koffi for Node'
    npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --fetch-retries=1 --loglevel=error &&
        cp "$folder/package-lock.json" "$folder/installed.json"
}
